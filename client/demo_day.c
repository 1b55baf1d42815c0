#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/demo.h"
#include "client/demo_flow.h"
#include "client/found.h"
#include "wire/units.h"

#define STEP_NS     (INT64_C(60) * NS_PER_SECOND)
#define STEPS_A_DAY 1440
#define STEPS_AFTER 36 /* minutes behind the day: pricing publishes its last word */
#define PROGRESS_NS (2 * NS_PER_SECOND)
#define BOOK_ROWS   5

struct demo {
    struct demo_market *market;
    struct desk *desk;
    struct flow flow;
    uint32_t first_seat; /* of the traders */
    int64_t now_ns;      /* the exchange's */
    uint64_t requests;
    uint64_t accepted;
    uint64_t rejected;
    uint64_t fills;
    struct book_answer book;
    bool got_book;
    /* One step: requests by trader. */
    struct request step[DEMO_MINUTE_MAX];
    uint32_t step_trader[DEMO_MINUTE_MAX];
    union flow_rows step_rows[DEMO_MINUTE_MAX];
};

/* --- the day -------------------------------------------------------------------------------------- */

static int on_message(void *context, uint32_t seat, const struct message *message,
                      struct error *error)
{
    struct demo *demo = context;
    (void)error;
    if (message->type == MESSAGE_BOOK) {
        demo->book = message->book;
        demo->got_book = true;
        return 0;
    }
    bool trader = seat >= demo->first_seat;
    if (message->type == MESSAGE_REJECT) {
        demo->rejected++;
        return 0;
    }
    if (message->type != MESSAGE_REPORT) {
        return 0;
    }
    const struct report *report = &message->report;
    if (!trader) {
        demo->now_ns = report->transact_time_ns;
        return 0;
    }
    demo->accepted += report->exec_type == EXEC_NEW;
    demo->rejected += report->exec_type == EXEC_REJECTED;
    demo->fills += report->exec_type == EXEC_TRADE &&
                   (report->liquidity == LIQUIDITY_TAKER ||
                    (report->liquidity == LIQUIDITY_AUCTION && report->side == SIDE_BUY));
    flow_report(&demo->flow, seat - demo->first_seat, report);
    return 0;
}

static int open_traders(struct demo *demo, struct error *error)
{
    for (uint32_t at = 0; at < demo->flow.trader_count; at++) {
        int rc =
            desk_sit(demo->desk, &demo->flow.accounts[at].key, at, KASHI_WINDOW_DEFAULT, error);
        if (rc < 0) {
            return rc;
        }
        if (at == 0) {
            demo->first_seat = (uint32_t)rc;
        }
    }
    return desk_ready(demo->desk, DEMO_READY_TIMEOUT_MS, error);
}

/* Sends one minute's requests, each trader's in one message, and waits until all are answered. */
static int trade_minute(struct demo *demo, struct error *error)
{
    uint32_t count = demo->market->options.orders_a_minute;
    bool sent[DEMO_MINUTE_MAX] = {false};
    for (uint32_t at = 0; at < count; at++) {
        flow_draw(&demo->flow, demo->now_ns, &demo->step_trader[at], &demo->step[at],
                  &demo->step_rows[at]);
    }
    for (uint32_t at = 0; at < count; at++) {
        struct request message[DEMO_MINUTE_MAX];
        uint32_t length = 0;
        for (uint32_t other = at; other < count; other++) {
            if (!sent[other] && demo->step_trader[other] == demo->step_trader[at]) {
                message[length++] = demo->step[other];
                sent[other] = true;
            }
        }
        if (length > 0) {
            uint32_t seat = demo->first_seat + demo->step_trader[at];
            int rc = kashi_session_send(desk_session(demo->desk, seat), message, length, error);
            if (rc != 0) {
                return rc;
            }
        }
    }
    demo->requests += count;
    return desk_settle(demo->desk, DEMO_ANSWER_TIMEOUT_MS, error);
}

static int advance(struct demo *demo, struct error *error)
{
    struct request request = {.type = REQUEST_ADVANCE, .advance = {.delta_ns = STEP_NS}};
    int64_t before_ns = demo->now_ns;
    int rc = kashi_session_send(desk_session(demo->desk, demo->market->operator_seat), &request, 1,
                                error);
    rc = rc != 0 ? rc : desk_settle(demo->desk, DEMO_ANSWER_TIMEOUT_MS, error);
    if (rc == 0 && demo->now_ns < before_ns + STEP_NS) {
        rc = error_set(error, ERROR_INVALID, "the clock does not move; is it a simulated one?");
    }
    return rc;
}

static void print_progress(const struct demo *demo, int64_t started_ns)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format_utc(demo->now_ns, now);
    double seconds = (double)(clock_monotonic_ns() - started_ns) / 1e9;
    (void)printf("%.16sZ  %8" PRIu64 " requests  %8" PRIu64 " orders  %8" PRIu64
                 " fills  %6.0f requests/s\n",
                 now, demo->requests, demo->accepted, demo->fills,
                 (double)demo->requests / seconds);
    (void)fflush(stdout);
}

static int trade_day(struct demo *demo, struct error *error)
{
    int64_t started_ns = clock_monotonic_ns();
    int64_t told_ns = started_ns;
    for (uint32_t step = 0; step < STEPS_A_DAY; step++) {
        int rc = trade_minute(demo, error);
        rc = rc != 0 ? rc : advance(demo, error);
        if (rc != 0) {
            return rc;
        }
        if (clock_monotonic_ns() - told_ns >= PROGRESS_NS) {
            told_ns = clock_monotonic_ns();
            print_progress(demo, started_ns);
        }
    }
    double seconds = (double)(clock_monotonic_ns() - started_ns) / 1e9;
    for (uint32_t step = 0; step < STEPS_AFTER; step++) {
        int rc = advance(demo, error);
        if (rc != 0) {
            return rc;
        }
    }
    print_progress(demo, started_ns);
    (void)printf("\nOne trading day in %.1f s: %.0f requests/s, %.0f orders/s, %.0f fills/s; "
                 "%" PRIu64 " requests refused\n",
                 seconds, (double)demo->requests / seconds, (double)demo->accepted / seconds,
                 (double)demo->fills / seconds, demo->rejected);
    return 0;
}

static int print_book(struct demo *demo, struct error *error)
{
    /* The last hour of the second delivery day is open still. */
    struct request request = {.type = REQUEST_BOOK};
    flow_hot_symbol(0, demo->flow.first_hour + FLOW_HOURS - 1, request.book.symbol);
    int rc = kashi_session_send(desk_session(demo->desk, demo->market->operator_seat), &request, 1,
                                error);
    rc = rc != 0 ? rc : desk_settle(demo->desk, DEMO_ANSWER_TIMEOUT_MS, error);
    if (rc != 0 || !demo->got_book) {
        return rc != 0 ? rc : error_set(error, ERROR_LOST, "the book was not answered");
    }
    const struct book_answer *book = &demo->book;
    (void)printf("\nBook of %s (+ is of SETs, which stands in other hours too, or reserved for "
                 "JOBs)\n%12s %10s   %-10s %s\n",
                 book->symbol, "GPUs", "bid", "offer", "GPUs");
    for (uint32_t row = 0; row < BOOK_ROWS; row++) {
        char bid[48] = "";
        char offer[48] = "";
        if (row < book->bid_count) {
            const struct level_row *level = &book->bids[row];
            char qty[32];
            int length = snprintf(qty, sizeof qty, "%" PRId64, level->qty);
            if (level->shared_qty > 0) {
                (void)snprintf(qty + length, sizeof qty - (size_t)length, "+%" PRId64,
                               level->shared_qty);
            }
            (void)snprintf(bid, sizeof bid, "%12s %10.4f", qty,
                           (double)level->price_e4 / (double)E4_ONE);
        }
        if (row < book->offer_count) {
            const struct level_row *level = &book->offers[row];
            int length = snprintf(offer, sizeof offer, "%-10.4f %" PRId64,
                                  (double)level->price_e4 / (double)E4_ONE, level->qty);
            if (level->reserved_qty > 0) {
                (void)snprintf(offer + length, sizeof offer - (size_t)length, "+%" PRId64,
                               level->reserved_qty);
            }
        }
        (void)printf("%23s   %s\n", bid, offer);
    }
    return 0;
}

static int day(struct demo *demo, struct error *error)
{
    const struct flow_config config = {.tables = &demo->market->tables,
                                       .seed = demo->market->options.seed,
                                       .providers = FLOW_PROVIDERS_MAX,
                                       .buyers = FLOW_BUYERS_MAX,
                                       .first_hour = (uint32_t)(demo->now_ns / NS_PER_HOUR)};
    int rc = flow_init(&demo->flow, &config, error);
    if (rc != 0) {
        return rc;
    }
    struct found_plan plan;
    flow_plan(&demo->flow, &plan);
    bool founded;
    rc = found_market(demo->desk, demo->market->operator_seat, &plan, &founded, error);
    if (rc != 0) {
        return rc;
    }
    (void)printf("%zu classes, %zu regions, %u hours, %d providers, %d buyers, %u gateways, seed "
                 "%" PRIu64 "\n",
                 demo->market->tables.class_count, demo->market->tables.region_count, FLOW_HOURS,
                 FLOW_PROVIDERS_MAX, FLOW_BUYERS_MAX, demo->market->options.gateways,
                 demo->market->options.seed);
    (void)fflush(stdout);
    rc = open_traders(demo, error);
    if (rc != 0) {
        return rc;
    }
    desk_on_message(demo->desk, on_message, demo);
    rc = trade_day(demo, error);
    return rc != 0 ? rc : print_book(demo, error);
}

int demo_day(struct demo_market *market, struct error *error)
{
    struct demo *demo = calloc(1, sizeof *demo);
    CHECK(demo != NULL);
    demo->market = market;
    demo->desk = market->desk;
    demo->now_ns = market->now_ns;
    demo->first_seat = market->operator_seat + 1;
    int rc = day(demo, error);
    desk_on_message(demo->desk, NULL, NULL);
    free(demo);
    return rc;
}
