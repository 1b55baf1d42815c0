/* kashi-load: the load of the crash tests. Trades as fast as it is told on the real clock, through
 * whatever is killed beside it, until SIGTERM; then asks what became of every request that was ever
 * answered. Its exit status is 0 only if each is known as it was answered, and no report came twice
 * or was left out. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/demo_flow.h"
#include "client/desk.h"
#include "client/found.h"
#include "wire/units.h"

#define PROVIDERS         8
#define BUYERS            16
#define TURN_MS           10
#define WINDOW            64
#define READY_TIMEOUT_MS  60000
#define SETTLE_TIMEOUT_MS 60000
#define ANSWERS_FIRST     4096
#define SHOWN_MAX         10

/* What a request was told. */
struct answer {
    uint64_t cl_ord_id;
    uint64_t order_id;
    uint32_t trader;
    uint16_t reason; /* 0: accepted */
};

struct load {
    struct desk *desk;
    struct tables tables;
    struct flow flow;
    struct answer *answers;
    size_t answer_count;
    size_t answer_capacity;
    uint64_t next_report_seq[FLOW_TRADERS_MAX];
    uint32_t first_seat;
    uint64_t sent;
    uint64_t fills;
    uint64_t known;
    uint64_t wrong;
    size_t asked; /* verifying: answers asked about */
    bool verifying;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void complain(struct load *load, const char *what, uint32_t trader, uint64_t cl_ord_id)
{
    if (load->wrong++ < SHOWN_MAX) {
        (void)printf("%s: request %" PRIu64 " of %s\n", what, cl_ord_id,
                     load->flow.accounts[trader].name);
    }
}

static void keep_answer(struct load *load, uint32_t trader, const struct report *report)
{
    if (load->answer_count == load->answer_capacity) {
        load->answer_capacity *= 2;
        load->answers = realloc(load->answers, load->answer_capacity * sizeof *load->answers);
        CHECK(load->answers != NULL);
    }
    load->answers[load->answer_count++] = (struct answer){.cl_ord_id = report->cl_ord_id,
                                                          .order_id = report->order_id,
                                                          .trader = trader,
                                                          .reason = report->reason};
}

static void take_report(struct load *load, uint32_t trader, const struct report *report)
{
    if (report->report_seq != 0) {
        uint64_t expected = load->next_report_seq[trader]++;
        if (report->report_seq != expected) {
            complain(load, "a report came twice or was left out", trader, report->cl_ord_id);
            load->next_report_seq[trader] = report->report_seq + 1;
        }
    }
    bool answers = report->exec_type == EXEC_NEW || report->exec_type == EXEC_REPLACED ||
                   (report->exec_type == EXEC_REJECTED && report->report_seq != 0);
    if (answers) {
        keep_answer(load, trader, report);
    }
    load->fills += report->exec_type == EXEC_TRADE && report->liquidity == LIQUIDITY_TAKER;
    flow_report(&load->flow, trader, report);
}

/* Statuses are asked for, and answered, in the order of the answers: `ref` is their place + 1. */
static void take_status(struct load *load, uint32_t trader,
                        const struct order_status_answer *status)
{
    CHECK(status->ref >= 1 && status->ref <= load->answer_count);
    const struct answer *answer = &load->answers[status->ref - 1];
    bool same = answer->trader == trader && status->cl_ord_id == answer->cl_ord_id &&
                status->reason == answer->reason &&
                (answer->reason != 0 ||
                 (status->order_count == 1 && status->orders[0].order_id == answer->order_id));
    if (same) {
        load->known++;
    } else {
        complain(load, "not known as it was answered", answer->trader, answer->cl_ord_id);
    }
}

static int on_message(void *context, uint32_t seat, const struct message *message,
                      struct error *error)
{
    struct load *load = context;
    (void)error;
    if (seat < load->first_seat) {
        return 0;
    }
    uint32_t trader = seat - load->first_seat;
    if (message->type == MESSAGE_REPORT) {
        take_report(load, trader, &message->report);
    } else if (message->type == MESSAGE_ORDER_STATUS) {
        take_status(load, trader, &message->order_status);
    } else if (message->type == MESSAGE_REJECT && load->verifying) {
        complain(load, reason_name(message->reject.reason), trader, message->reject.cl_ord_id);
    }
    return 0;
}

static int open_all(struct load *load, uint32_t gateways, uint64_t seed, struct error *error)
{
    struct kashi_key key;
    int rc = kashi_key_load(&key, "keys/operator.key", error);
    rc = rc != 0 ? rc : desk_open(&load->desk, gateways, true, error);
    rc = rc != 0 ? rc : desk_sit(load->desk, &key, 0, KASHI_WINDOW_DEFAULT, error);
    rc = rc < 0 ? rc : desk_ready(load->desk, READY_TIMEOUT_MS, error);
    if (rc != 0) {
        return rc;
    }
    const struct flow_config config = {.tables = &load->tables,
                                       .seed = seed,
                                       .providers = PROVIDERS,
                                       .buyers = BUYERS,
                                       .first_hour = (uint32_t)(clock_realtime_ns() / NS_PER_HOUR)};
    struct found_plan plan;
    bool founded;
    rc = flow_init(&load->flow, &config, error);
    if (rc != 0) {
        return rc;
    }
    flow_plan(&load->flow, &plan);
    rc = found_market(load->desk, 0, &plan, &founded, error);
    load->first_seat = 1;
    for (uint32_t at = 0; rc == 0 && at < load->flow.trader_count; at++) {
        rc = desk_sit(load->desk, &load->flow.accounts[at].key, at, WINDOW, error);
        rc = rc > 0 ? 0 : rc;
        load->next_report_seq[at] = 1;
    }
    return rc != 0 ? rc : desk_ready(load->desk, READY_TIMEOUT_MS, error);
}

/* A request that cannot be sent now is dropped: its session is just coming back. */
static int trade(struct load *load, uint64_t rate, struct error *error)
{
    int64_t started_ns = clock_monotonic_ns();
    uint64_t drawn = 0;
    while (!stopped) {
        uint64_t due = (uint64_t)(clock_monotonic_ns() - started_ns) / 1000000 * rate / 1000;
        for (; drawn < due; drawn++) {
            uint32_t trader;
            struct request request;
            union flow_rows rows;
            flow_draw(&load->flow, clock_realtime_ns(), &trader, &request, &rows);
            struct kashi_session *session = desk_session(load->desk, load->first_seat + trader);
            struct error refused;
            if (kashi_session_state(session) == KASHI_SESSION_READY &&
                kashi_session_send(session, &request, 1, &refused) == 0) {
                load->sent++;
            }
        }
        int rc = desk_turn(load->desk, TURN_MS, error);
        if (rc < 0) {
            return rc;
        }
    }
    int rc = desk_ready(load->desk, READY_TIMEOUT_MS, error);
    return rc != 0 ? rc : desk_settle(load->desk, SETTLE_TIMEOUT_MS, error);
}

static int verify(struct load *load, struct error *error)
{
    load->verifying = true;
    while (load->asked < load->answer_count) {
        const struct answer *answer = &load->answers[load->asked];
        struct kashi_session *session = desk_session(load->desk, load->first_seat + answer->trader);
        struct request request = {.type = REQUEST_ORDER_STATUS,
                                  .ref = load->asked + 1,
                                  .order_status = {.cl_ord_id = answer->cl_ord_id}};
        int rc = kashi_session_send(session, &request, 1, error);
        if (rc == 0) {
            load->asked++;
        } else if (rc != ERROR_FULL && rc != ERROR_AGAIN) {
            return rc;
        } else {
            rc = desk_turn(load->desk, TURN_MS, error);
            if (rc < 0) {
                return rc;
            }
        }
    }
    int rc = desk_settle(load->desk, SETTLE_TIMEOUT_MS, error);
    if (rc == 0 && load->known + load->wrong < load->answer_count) {
        rc = error_set(error, ERROR_LOST, "only %llu of %zu statuses were answered",
                       (unsigned long long)load->known, load->answer_count);
    }
    return rc;
}

struct load_options {
    const char *directory;
    uint64_t seed;
    uint64_t rate; /* requests a second */
    uint32_t gateways;
};

static int run(struct load *load, const struct load_options *options, struct error *error)
{
    int rc = tables_load(&load->tables, "data", error);
    if (rc == 0 && chdir(options->directory) != 0) {
        rc = error_system(error, errno, "%s", options->directory);
    }
    rc = rc != 0 ? rc : open_all(load, options->gateways, options->seed, error);
    if (rc != 0) {
        return rc;
    }
    desk_on_message(load->desk, on_message, load);
    (void)printf("trading\n");
    (void)fflush(stdout);
    rc = trade(load, options->rate, error);
    rc = rc != 0 ? rc : verify(load, error);
    uint64_t resent = 0;
    uint64_t logins = 0;
    for (uint32_t at = 0; at < load->flow.trader_count; at++) {
        const struct kashi_session_counters *counters =
            kashi_session_counters(desk_session(load->desk, load->first_seat + at));
        resent += counters->resent;
        logins += counters->logins;
    }
    (void)printf("load: sent=%" PRIu64 " resent=%" PRIu64 " logins=%" PRIu64
                 " answered=%zu known=%" PRIu64 " fills=%" PRIu64 " wrong=%" PRIu64 "\n",
                 load->sent, resent, logins, load->answer_count, load->known, load->fills,
                 load->wrong);
    return rc;
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0') {
        (void)fprintf(stderr, "kashi-load: '%s' is not a number\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: kashi-load DIR SEED REQUESTS-A-SECOND GATEWAYS\n");
        return 2;
    }
    const struct sigaction action = {.sa_handler = stop};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    static struct load load;
    load.answer_capacity = ANSWERS_FIRST;
    load.answers = calloc(ANSWERS_FIRST, sizeof *load.answers);
    CHECK(load.answers != NULL);
    struct error error = {0};
    const struct load_options options = {.directory = argv[1],
                                         .seed = number(argv[2]),
                                         .rate = number(argv[3]),
                                         .gateways = (uint32_t)number(argv[4])};
    int rc = run(&load, &options, &error);
    desk_close(load.desk);
    free(load.answers);
    if (rc != 0) {
        (void)fprintf(stderr, "kashi-load: %s\n", error.text);
        return 3;
    }
    return load.wrong == 0 ? 0 : 1;
}
