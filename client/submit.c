#include "client/submit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

#define CHUNK          64
#define AGAIN_PAUSE_NS (NS_PER_SECOND / 5)
#define PROGRESS_NS    (NS_PER_SECOND / 5)
/* Numbers used at most: each order once, and as often again for what came too fast. */
#define NUMBERS_PER_ORDER 50

struct run {
    const struct submit *submit;
    uint32_t *again; /* places of orders to send another time: a ring of `count` */
    uint32_t again_head;
    uint32_t again_count;
    uint32_t *index_of; /* by number - first */
    uint64_t first;
    uint32_t numbers;
    uint32_t capacity;
    uint32_t next; /* order that was not sent yet */
    uint32_t answered;
    int64_t pause_until_ns;
    int64_t progress_ns;
};

static bool too_fast(uint16_t reason)
{
    return reason == REASON_TOO_FAST || reason == REASON_OVERLOADED ||
           reason == REASON_RATE_EXCEEDED || reason == REASON_EXCHANGE_UNREACHABLE;
}

static bool number_keep(struct run *run, uint64_t number, uint32_t index)
{
    if (run->numbers == 0) {
        run->first = number;
    }
    CHECK(number == run->first + run->numbers);
    if (run->numbers == run->capacity) {
        uint32_t capacity = run->capacity == 0 ? 1024 : run->capacity * 2;
        uint32_t *index_of = realloc(run->index_of, capacity * sizeof(index_of[0]));
        if (index_of == NULL) {
            return false;
        }
        run->index_of = index_of;
        run->capacity = capacity;
    }
    run->index_of[run->numbers++] = index;
    return true;
}

static int run_send(struct run *run)
{
    const struct submit *submit = run->submit;
    while (clock_monotonic_ns() >= run->pause_until_ns &&
           (run->again_count > 0 || run->next < submit->count)) {
        struct request requests[CHUNK];
        uint32_t indexes[CHUNK];
        uint32_t count = 0;
        uint32_t again = 0;
        while (count < CHUNK &&
               (again < run->again_count || run->next + (count - again) < submit->count)) {
            indexes[count] = again < run->again_count
                                 ? run->again[(run->again_head + again) % submit->count]
                                 : run->next + (count - again);
            requests[count] = (struct request){.type = REQUEST_NEW_ORDER};
            submit->make(submit->context, indexes[count], &requests[count]);
            again += again < run->again_count;
            count++;
        }
        struct error *error = &submit->cli->error;
        int rc = kashi_session_send(submit->cli->session, requests, count, error);
        if (rc == ERROR_FULL) {
            return 0;
        }
        if (rc < 0) {
            return rc;
        }
        run->again_head = (run->again_head + again) % submit->count;
        run->again_count -= again;
        run->next += count - again;
        for (uint32_t i = 0; i < count; i++) {
            if (run->numbers >= (uint64_t)submit->count * NUMBERS_PER_ORDER ||
                !number_keep(run, requests[i].cl_ord_id, indexes[i])) {
                return error_set(error, ERROR_FULL,
                                 "the exchange goes on refusing orders as too fast; send fewer");
            }
        }
    }
    return 0;
}

static void result_report(struct submit_result *result, const struct report *report)
{
    /* A range's offers are reported under its number; legs and misses do not end a SET or JOB. */
    if ((result->order_id != 0 && report->order_id != result->order_id) ||
        report->exec_type == EXEC_MISS || report->exec_type == EXEC_LEG_CANCELED ||
        report->exec_type == EXEC_RELEASED) {
        return;
    }
    result->order_id = report->order_id;
    result->ord_status = report->ord_status;
    if (report->reason != 0) {
        result->reason = report->reason;
    }
    if ((report->fields & REPORT_ORDER) != 0) {
        result->leaves_qty = report->leaves_qty;
        result->cum_qty = report->cum_qty;
    }
    if (report->exec_type == EXEC_NEW) {
        result->price_e4 = report->price_e4;
        result->leaves_qty = report->order_qty;
    }
}

static void result_status(struct submit_result *result, const struct order_status_answer *status)
{
    result->reason = status->reason;
    result->ord_status = STATUS_REJECTED;
    if (status->order_count > 0) {
        const struct order_row *order = &status->orders[0];
        *result = (struct submit_result){.order_id = order->order_id,
                                         .price_e4 = order->price_e4,
                                         .cum_qty = order->cum_qty,
                                         .leaves_qty = order->leaves_qty,
                                         .reason = order->reason,
                                         .ord_status = order->ord_status,
                                         .answered = result->answered};
    }
}

static void run_again(struct run *run, uint32_t index)
{
    run->pause_until_ns = clock_monotonic_ns() + AGAIN_PAUSE_NS;
    CHECK(run->again_count < run->submit->count);
    run->again[(run->again_head + run->again_count) % run->submit->count] = index;
    run->again_count++;
}

static void run_take(struct run *run, const struct message *message)
{
    uint64_t number = message->type == MESSAGE_REPORT         ? message->report.cl_ord_id
                      : message->type == MESSAGE_REJECT       ? message->reject.cl_ord_id
                      : message->type == MESSAGE_ORDER_STATUS ? message->order_status.cl_ord_id
                                                              : 0;
    if (run->numbers == 0 || number < run->first || number - run->first >= run->numbers) {
        return;
    }
    uint32_t index = run->index_of[number - run->first];
    struct submit_result *result = &run->submit->results[index];
    bool rejected = message->type == MESSAGE_REPORT && message->report.exec_type == EXEC_REJECTED;
    uint16_t refusal = message->type == MESSAGE_REJECT ? message->reject.reason
                       : rejected                      ? message->report.reason
                                                       : 0;
    if (too_fast(refusal)) {
        run_again(run, index);
        return;
    }
    if (refusal != 0) {
        result->reason = refusal;
        result->ord_status = STATUS_REJECTED;
    } else if (message->type == MESSAGE_REPORT) {
        result_report(result, &message->report);
    } else {
        result_status(result, &message->order_status);
    }
    run->answered += !result->answered;
    result->answered = true;
    if (run->submit->seen != NULL) {
        run->submit->seen(run->submit->context, index, message);
    }
}

static void run_progress(struct run *run, bool last)
{
    int64_t now_ns = clock_monotonic_ns();
    if (!run->submit->progress || (!last && now_ns - run->progress_ns < PROGRESS_NS)) {
        return;
    }
    run->progress_ns = now_ns;
    (void)fprintf(stderr, "\r%u of %u answered%s", run->answered, run->submit->count,
                  last ? "\n" : "");
}

static int run_all(struct run *run)
{
    struct cli *cli = run->submit->cli;
    const struct message *message;
    while (run->answered < run->submit->count) {
        if (run_send(run) < 0) {
            return cli_lost(cli);
        }
        if (run->again_count > 0 && kashi_session_unanswered(cli->session) == 0) {
            int64_t left_ns = run->pause_until_ns - clock_monotonic_ns();
            kashi_session_wait(cli->session, left_ns < 0 ? 0 : left_ns / 1000000 + 1);
            continue;
        }
        int status = cli_receive(cli, &message);
        if (status != CLI_DONE) {
            return status;
        }
        run_take(run, message);
        run_progress(run, false);
    }
    run_progress(run, true);
    /* The fills of an order follow its acceptance; an answer to a later question follows them. */
    struct request request = {.type = REQUEST_ORDER_STATUS};
    request.order_status.cl_ord_id = run->first + run->numbers - 1;
    if (kashi_session_send(cli->session, &request, 1, &cli->error) < 0) {
        return cli_lost(cli);
    }
    do {
        int status = cli_receive(cli, &message);
        if (status != CLI_DONE) {
            return status;
        }
        if (message->type == MESSAGE_REPORT) {
            run_take(run, message);
        }
    } while (!cli_answers(&request, message));
    return CLI_DONE;
}

int submit_run(const struct submit *submit)
{
    CHECK(submit->count > 0 && submit->count <= SUBMIT_ORDERS_MAX);
    struct run run = {.submit = submit};
    struct submit with_progress = *submit;
    with_progress.progress = submit->progress && isatty(STDERR_FILENO);
    run.submit = &with_progress;
    run.again = calloc(submit->count, sizeof(run.again[0]));
    int status = CLI_NO_CONNECTION;
    if (run.again == NULL) {
        error_set(&submit->cli->error, ERROR_IO, "no memory for %u orders", submit->count);
        cli_lost(submit->cli);
    } else {
        status = run_all(&run);
    }
    free(run.again);
    free(run.index_of);
    return status;
}
