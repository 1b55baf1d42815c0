/* libkashi over real sockets, against a gateway and a replica that the test plays itself, badly: it
 * forgets reports, dies, publishes with gaps. All turns on one thread, waiting up to a deadline; and
 * the kashi program's exit status where nothing answers, or not at once. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "client/kashi.h"

#define DEADLINE_NS (20 * NS_PER_SECOND)
#define REST        "CN-GZ.G80.20261121T14Z"
#define SYMBOL      "H100." REST

static void *zmq;
static struct error error;
static uint8_t bytes[CODEC_MESSAGE_MAX];
static struct message message;
static struct request requests[CODEC_REQUESTS_MAX];
static uint64_t request_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
static struct codec_batch batch = {.requests = requests,
                                   .capacity = CODEC_REQUESTS_MAX,
                                   .rows = {.memory = request_rows, .size = sizeof request_rows}};

static void set_up(void)
{
    zmq = zmq_ctx_new();
}

static void tear_down(void)
{
    zmq_ctx_term(zmq);
}

static void *bind_to(int type, char endpoint[ENDPOINT_SIZE])
{
    void *socket = zmq_socket(zmq, type);
    size_t size = ENDPOINT_SIZE;
    int zero = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof(zero));
    cr_assert_eq(zmq_bind(socket, "tcp://127.0.0.1:*"), 0);
    cr_assert_eq(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    return socket;
}

/* --- a gateway ---------------------------------------------------------------------------------------- */

static struct {
    void *socket;
    char endpoint[ENDPOINT_SIZE];
    char client[256]; /* routing id of whom we speak with */
    size_t client_size;
    struct kashi_session *session;
    uint64_t highest_cl_ord_id;
    uint64_t highest_report_seq;
    uint32_t logins;
    uint32_t heartbeats;
    uint32_t orders_seen;
    uint64_t order_numbers[1024];
    bool mute;               /* takes orders, answers none */
    uint32_t refused_logins; /* so many more are EXCHANGE_UNREACHABLE */
    uint32_t refused_reads;  /* so many more are refused for the reason */
    uint16_t refused_reason;
    struct request_halt halt; /* as it was asked for last */
    struct request_register_key key;
    struct request_set_market terms; /* as they were set last */
    uint8_t refused_value;     /* enum reject_field: what changes something is rejected for it */
    const char *refused_field; /* every request but logins is refused for it */
    /* What the caller was handed. */
    uint64_t reports[1024];
    uint32_t report_count;
    struct message last;
} world;

static void say(void)
{
    size_t length = codec_encode_message(&message, bytes, sizeof(bytes));
    cr_assert_gt(length, 0);
    zmq_send(world.socket, world.client, world.client_size, ZMQ_SNDMORE);
    zmq_send(world.socket, bytes, length, 0);
}

static struct report report_of(uint64_t report_seq)
{
    /* Report n belongs to cl_ord_id n here, and has a leg that says n. */
    static struct leg_row legs[1024];
    legs[report_seq] =
        (struct leg_row){.symbol = "H100", .price_e4 = (uint32_t)report_seq, .leg = 1};
    return (struct report){.seq = 100 + report_seq,
                           .report_seq = report_seq,
                           .cl_ord_id = report_seq,
                           .order_id = 1000 + report_seq,
                           .exec_type = EXEC_NEW,
                           .ord_status = STATUS_PARTIALLY_FILLED,
                           .request = REQUEST_NEW_ORDER,
                           .legs = &legs[report_seq],
                           .leg_rows = 1,
                           .transact_time_ns = 1};
}

static void say_report(uint64_t report_seq)
{
    message.type = MESSAGE_REPORT;
    message.report = report_of(report_seq);
    say();
}

static void answer_order(const struct request *request)
{
    world.order_numbers[world.orders_seen++] = request->cl_ord_id;
    if (world.mute) {
        return;
    }
    if (request->cl_ord_id <= world.highest_cl_ord_id) {
        message.type = MESSAGE_REPORT;
        message.report = (struct report){.seq = 1,
                                         .cl_ord_id = request->cl_ord_id,
                                         .exec_type = EXEC_REJECTED,
                                         .request = REQUEST_NEW_ORDER,
                                         .reason = REASON_DUPLICATE,
                                         .transact_time_ns = 1};
        say();
        message.type = MESSAGE_ORDER_STATUS;
        message.order_status = (struct order_status_answer){.seq = 1,
                                                            .cl_ord_id = request->cl_ord_id,
                                                            .reason = REASON_NEVER_ENTERED,
                                                            .request = REQUEST_NEW_ORDER};
        say();
        return;
    }
    world.highest_cl_ord_id = request->cl_ord_id;
    say_report(++world.highest_report_seq);
}

static void answer_reports(const struct request *request)
{
    static struct reports_answer *const answer = &message.reports;
    memset(&message, 0, sizeof(message));
    message.type = MESSAGE_REPORTS;
    answer->ref = request->ref;
    answer->seq = 1;
    answer->highest_report_seq = world.highest_report_seq;
    uint64_t from = request->reports.from_report_seq;
    while (answer->report_count < 10 && from <= world.highest_report_seq) {
        answer->reports[answer->report_count++] = report_of(from++);
    }
    answer->more = from <= world.highest_report_seq;
    say();
}

static void refuse(const struct request *request, uint16_t reason)
{
    message.type = MESSAGE_REJECT;
    message.reject = (struct reject){.cl_ord_id = request->cl_ord_id,
                                     .ref = request->ref,
                                     .request = request->type,
                                     .reason = reason};
    if (world.refused_field != NULL) {
        (void)snprintf(message.reject.field, CODEC_FIELD_SIZE, "%s", world.refused_field);
    }
    say();
}

static void reject_value(const struct request *request)
{
    message.type = MESSAGE_REPORT;
    message.report = (struct report){.seq = 1,
                                     .report_seq = ++world.highest_report_seq,
                                     .cl_ord_id = request->cl_ord_id,
                                     .exec_type = EXEC_REJECTED,
                                     .request = request->type,
                                     .reason = REASON_VALUE_OUT_OF_RANGE,
                                     .field = world.refused_value,
                                     .value = world.refused_value == REJECT_FIELD_ROLES ? 8 : 0,
                                     .bound = 1};
    say();
}

/* One market there is, on the second page. */
static void answer_markets(const struct request *request)
{
    bool second = request->list.after == 1;
    message.type = MESSAGE_MARKETS;
    message.list = (struct list_answer){.ref = request->ref, .seq = 1, .more = !second, .count = 1};
    message.list.markets[0] = (struct market_row){.id = second ? 2 : 1,
                                                  .class_name = "H100",
                                                  .region = "CN-NM",
                                                  .launch_price_e4 = {1, 2, 3, 4},
                                                  .inner_band_bp = 5,
                                                  .outer_band_bp = 6,
                                                  .opening_s = 7,
                                                  .volatility_s = 8,
                                                  .period_s = 9,
                                                  .volatility_min_qty = 10,
                                                  .random_end_s = 11,
                                                  .mode = MODE_LISTING,
                                                  .no_resale = 1,
                                                  .names_shown = 1};
    if (second) {
        memcpy(message.list.markets[0].region, "CN-GZ", sizeof "CN-GZ");
    }
    say();
}

/* A replace or take, which trades at once. */
static void answer_trading(const struct request *request)
{
    bool take = request->type == REQUEST_TAKE_OFFER;
    message.type = MESSAGE_REPORT;
    message.report = (struct report){.seq = 1,
                                     .report_seq = ++world.highest_report_seq,
                                     .cl_ord_id = request->cl_ord_id,
                                     .order_id = 7,
                                     .exec_type = take ? EXEC_NEW : EXEC_REPLACED,
                                     .ord_status = STATUS_NEW,
                                     .request = request->type,
                                     .price_e4 = 164000,
                                     .order_qty = 8};
    say();
    message.report = (struct report){.seq = 1,
                                     .report_seq = ++world.highest_report_seq,
                                     .cl_ord_id = request->cl_ord_id,
                                     .order_id = 7,
                                     .exec_id = 91,
                                     .exec_type = EXEC_TRADE,
                                     .ord_status = STATUS_FILLED,
                                     .last_px_e4 = 163000,
                                     .last_qty = 8,
                                     .fields = REPORT_TRADE};
    say();
}

static void answer_status(const struct request *request)
{
    message.type = MESSAGE_ORDER_STATUS;
    message.order_status = (struct order_status_answer){.ref = request->ref, .seq = 1};
    say();
}

static void answer_account(const struct request *request)
{
    message.type = MESSAGE_ACCOUNT;
    message.account = (struct account_answer){.ref = request->ref,
                                              .seq = 1,
                                              .account = 5,
                                              .name = "b",
                                              .cash_e4 = 49998953195,
                                              .credit_e4 = 20000,
                                              .reserved_e4 = 1000100};
    say();
}

static void answer_done(const struct request *request)
{
    message.type = MESSAGE_REPORT;
    message.report = (struct report){.seq = 1,
                                     .report_seq = ++world.highest_report_seq,
                                     .cl_ord_id = request->cl_ord_id,
                                     .exec_type = EXEC_DONE,
                                     .request = request->type};
    say();
}

static void answer(const struct request *request)
{
    if (world.refused_value != REJECT_FIELD_NONE && request->cl_ord_id != 0) {
        reject_value(request);
        return;
    }
    if (world.refused_field != NULL && request->type != REQUEST_LOGIN &&
        request->type != REQUEST_HEARTBEAT) {
        refuse(request, world.refused_reason);
        return;
    }
    switch (request->type) {
    case REQUEST_LOGIN:
        if (world.refused_logins > 0) {
            world.refused_logins--;
            refuse(request, REASON_EXCHANGE_UNREACHABLE);
            break;
        }
        world.logins++;
        message.type = MESSAGE_LOGIN;
        message.login = (struct login_answer){.ref = request->ref,
                                              .session = world.logins,
                                              .highest_cl_ord_id = world.highest_cl_ord_id,
                                              .highest_report_seq = world.highest_report_seq,
                                              .heartbeat_interval_s = 1};
        say();
        break;
    case REQUEST_HEARTBEAT:
        world.heartbeats++;
        message.type = MESSAGE_HEARTBEAT;
        message.heartbeat = (struct heartbeat_answer){.ref = request->ref, .seq = 1};
        say();
        break;
    case REQUEST_REPORTS:
        answer_reports(request);
        break;
    case REQUEST_NEW_ORDER:
        answer_order(request);
        break;
    case REQUEST_LIST:
        answer_markets(request);
        break;
    case REQUEST_REPLACE_ORDER:
    case REQUEST_TAKE_OFFER:
        answer_trading(request);
        break;
    case REQUEST_ACCOUNT:
        answer_account(request);
        break;
    case REQUEST_ORDER_STATUS:
        answer_status(request);
        break;
    case REQUEST_HALT:
        world.halt = request->halt;
        answer_done(request);
        break;
    case REQUEST_REGISTER_KEY:
        world.key = request->register_key;
        answer_done(request);
        break;
    case REQUEST_SET_MARKET:
        world.terms = request->set_market;
        answer_done(request);
        break;
    case REQUEST_ORDERS:
        if (world.refused_reads > 0) {
            world.refused_reads--;
            refuse(request, world.refused_reason);
            break;
        }
        message.type = MESSAGE_ORDERS;
        message.orders = (struct orders_answer){.ref = request->ref, .seq = 1};
        say();
        break;
    default:
        break;
    }
}

/* The gateway takes what waits. */
static void serve(void)
{
    for (;;) {
        char client[256];
        int size = world.socket == NULL
                       ? -1
                       : zmq_recv(world.socket, client, sizeof(client), ZMQ_DONTWAIT);
        if (size < 0) {
            return;
        }
        memcpy(world.client, client, (size_t)size);
        world.client_size = (size_t)size;
        int length = zmq_recv(world.socket, bytes, sizeof(bytes), 0);
        cr_assert_eq(codec_decode_requests(bytes, (size_t)length, &batch), 0);
        for (uint32_t i = 0; i < batch.count; i++) {
            answer(&requests[i]);
        }
    }
}

/* One turn of both sides; returns the session's code when it is over. */
static int turn(void)
{
    const struct message *got;
    int rc;
    serve();
    while ((rc = kashi_session_next(world.session, &got, &error)) > 0) {
        world.last = *got;
        if (got->type == MESSAGE_REPORT && got->report.report_seq != 0) {
            cr_assert(got->report.leg_rows == 1 &&
                      got->report.legs[0].price_e4 == got->report.report_seq);
            world.reports[world.report_count++] = got->report.report_seq;
        }
        serve();
    }
    kashi_session_wait(world.session, 5);
    return rc;
}

#define UNTIL(condition)                                                                           \
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; !(condition);) {                     \
        turn();                                                                                    \
        cr_assert_lt(clock_monotonic_ns(), end_ns, "never: %s", #condition);                       \
    }

static void open_gateway(void)
{
    world.socket = bind_to(ZMQ_ROUTER, world.endpoint);
}

static int find(void *context, char endpoint[ENDPOINT_SIZE], struct error *why)
{
    (void)context;
    if (world.socket == NULL) {
        return error_set(why, ERROR_NOT_FOUND, "no gateway");
    }
    memcpy(endpoint, world.endpoint, ENDPOINT_SIZE);
    return 0;
}

static void open_session(uint32_t window)
{
    struct kashi_key key;
    cr_assert_eq(kashi_key_generate(&key, &error), 0);
    const struct kashi_session_config config = {
        .zmq_context = zmq, .find_endpoint = find, .key = &key, .window = window};
    cr_assert_eq(kashi_session_open(&world.session, &config, &error), 0);
    UNTIL(kashi_session_state(world.session) == KASHI_SESSION_READY);
}

static void send_orders(uint32_t count)
{
    struct request orders[64] = {{0}};
    for (uint32_t i = 0; i < count; i++) {
        orders[i].type = REQUEST_NEW_ORDER;
        orders[i].new_order =
            (struct request_new_order){.symbol = SYMBOL, .price_e4 = 164000, .qty = 8};
    }
    cr_assert_eq(kashi_session_send(world.session, orders, count, &error), 0, "%s", error.text);
}

static void close_world(void)
{
    kashi_session_close(world.session);
    if (world.socket != NULL) {
        zmq_close(world.socket);
    }
    tear_down();
}

static void open_world(void)
{
    set_up();
    open_gateway();
}

TestSuite(session, .init = open_world, .fini = close_world, .timeout = 120);

Test(session, numbers_begin_above_what_the_login_says)
{
    world.highest_cl_ord_id = 41;
    world.highest_report_seq = 7;
    open_session(0);
    send_orders(3);
    UNTIL(world.report_count == 3);
    cr_assert_eq(world.order_numbers[0], 42);
    cr_assert_eq(world.order_numbers[2], 44);
    cr_assert_eq(world.reports[0], 8, "older reports were not asked for");
}

Test(session, missed_reports_are_fetched_and_come_once_and_in_order)
{
    open_session(0);
    send_orders(1);
    UNTIL(world.report_count == 1);
    /* 35 reports are lost on the way, the 36th arrives: four pages to fetch. */
    world.highest_report_seq = 37;
    say_report(37);
    say_report(37);
    UNTIL(world.report_count == 37);
    turn();
    for (uint64_t i = 0; i < 37; i++) {
        cr_assert_eq(world.reports[i], i + 1);
    }
    cr_assert_eq(world.report_count, 37);
    cr_assert_eq(kashi_session_counters(world.session)->recovered, 36);
    cr_assert_eq(kashi_session_state(world.session), KASHI_SESSION_READY);
}

Test(session, a_gateway_that_dies_and_comes_back_elsewhere_costs_nothing)
{
    open_session(0);
    world.mute = true;
    send_orders(3);
    UNTIL(world.orders_seen == 3);
    zmq_close(world.socket);
    world.socket = NULL;
    UNTIL(kashi_session_state(world.session) == KASHI_SESSION_CONNECTING);
    /* The first was carried out before the gateway died, and its report was lost. */
    world.highest_cl_ord_id = 1;
    world.highest_report_seq = 1;
    world.mute = false;
    world.orders_seen = 0;
    open_gateway();
    UNTIL(world.report_count == 3);
    cr_assert_eq(kashi_session_unanswered(world.session), 0);
    cr_assert_eq(world.orders_seen, 2, "the recovered report answers the first order");
    cr_assert_eq(world.order_numbers[0], 2);
    cr_assert_eq(world.order_numbers[1], 3);
    cr_assert_eq(kashi_session_counters(world.session)->resent, 2);
}

Test(session, a_number_that_was_passed_over_is_answered_never_entered)
{
    open_session(0);
    world.mute = true;
    send_orders(1);
    UNTIL(world.orders_seen == 1);
    zmq_close(world.socket);
    world.socket = NULL;
    UNTIL(kashi_session_state(world.session) == KASHI_SESSION_CONNECTING);
    world.highest_cl_ord_id = 5;
    world.mute = false;
    open_gateway();
    UNTIL(world.last.type == MESSAGE_ORDER_STATUS);
    cr_assert_eq(world.last.order_status.cl_ord_id, 1);
    cr_assert_eq(world.last.order_status.reason, REASON_NEVER_ENTERED);
    cr_assert_eq(kashi_session_unanswered(world.session), 0);
    send_orders(1);
    UNTIL(world.report_count == 1);
    cr_assert_eq(world.highest_cl_ord_id, 6);
}

Test(session, a_full_window_takes_nothing)
{
    open_session(4);
    world.mute = true;
    send_orders(3);
    struct request two[2] = {{.type = REQUEST_CANCEL_ORDER}, {.type = REQUEST_CANCEL_ORDER}};
    cr_assert_eq(kashi_session_send(world.session, two, 2, &error), ERROR_FULL);
    cr_assert_eq(kashi_session_unanswered(world.session), 3);
    struct request login = {.type = REQUEST_LOGIN};
    cr_assert_eq(kashi_session_send(world.session, &login, 1, &error), ERROR_INVALID);
}

Test(session, heartbeats_keep_it_alive_and_silence_ends_the_connection)
{
    open_session(0);
    UNTIL(world.heartbeats >= 2);
    cr_assert_eq(world.logins, 1);
    /* A gateway that takes everything and says nothing. */
    void *socket = world.socket;
    world.socket = NULL;
    UNTIL(kashi_session_state(world.session) != KASHI_SESSION_READY);
    world.socket = socket;
    UNTIL(world.logins >= 2 && kashi_session_state(world.session) == KASHI_SESSION_READY);
}

Test(session, another_login_of_the_key_ends_it_for_good)
{
    open_session(0);
    message.type = MESSAGE_LOGOUT;
    message.logout = (struct logout_answer){.session = 1, .reason = REASON_SESSION_ENDED};
    say();
    int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (turn() >= 0) {
        cr_assert_lt(clock_monotonic_ns(), end_ns);
    }
    cr_assert_eq(kashi_session_state(world.session), KASHI_SESSION_ENDED);
    cr_assert_not_null(strstr(error.text, "use a key for each program"), "%s", error.text);
    struct request cancel = {.type = REQUEST_CANCEL_ORDER};
    cr_assert_lt(kashi_session_send(world.session, &cancel, 1, &error), 0);
    cr_assert_eq(world.logins, 1, "two programs with one key must not fight");
}

Test(session, a_lost_link_of_the_gateway_is_only_a_new_login)
{
    open_session(0);
    message.type = MESSAGE_LOGOUT;
    message.logout = (struct logout_answer){.session = 1, .reason = REASON_EXCHANGE_UNREACHABLE};
    say();
    UNTIL(world.logins == 2 && kashi_session_state(world.session) == KASHI_SESSION_READY);
}

Test(session, bytes_that_are_no_message_do_no_harm)
{
    open_session(0);
    static const char *const junk[] = {"", "\xc1", "\xdd\xff\xff\xff\xff", "\x81\xa4type",
                                       "\x93\x01\x02\x03"};
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        zmq_send(world.socket, world.client, world.client_size, ZMQ_SNDMORE);
        zmq_send(world.socket, junk[i], strlen(junk[i]), 0);
    }
    send_orders(1);
    UNTIL(world.report_count == 1);
}

/* --- a replica's market data ------------------------------------------------------------------------- */

static struct {
    void *pub;
    void *snapshots;
    char pub_endpoint[ENDPOINT_SIZE];
    char snapshot_endpoint[ENDPOINT_SIZE];
    struct kashi_feed *feed;
    uint64_t seq;      /* of the last change of the contract */
    int64_t bid_qty;   /* the one level that there is */
    uint32_t asked;    /* snapshots */
    bool dead;         /* answers no snapshot */
    uint32_t changes;  /* handed out */
    uint32_t restored; /* books from snapshots, likewise */
    uint64_t traded;   /* fill handed out last; it bears the number of its message */
    uint32_t trades;   /* handed out */
} market;

static void market_open(void)
{
    set_up();
    market.pub = bind_to(ZMQ_PUB, market.pub_endpoint);
    market.snapshots = bind_to(ZMQ_ROUTER, market.snapshot_endpoint);
    const struct kashi_feed_config config = {.zmq_context = zmq,
                                             .market_data = market.pub_endpoint,
                                             .snapshot = market.snapshot_endpoint};
    cr_assert_eq(kashi_feed_open(&market.feed, &config, &error), 0);
}

static void market_close(void)
{
    kashi_feed_close(market.feed);
    zmq_close(market.pub);
    zmq_close(market.snapshots);
    tear_down();
}

/* The contract changes; the message is published or lost. */
static void market_change(bool lost)
{
    uint64_t prev_seq = market.seq;
    market.seq += 2;
    market.bid_qty = (int64_t)market.seq + 1;
    message.type = MESSAGE_MARKET_DATA;
    message.market_data = (struct market_data){.seq = market.seq,
                                               .prev_seq = prev_seq,
                                               .symbol = SYMBOL,
                                               .best_bid_e4 = 164000,
                                               .best_bid_qty = market.bid_qty,
                                               .trade_count = 1,
                                               .level_count = 1};
    message.market_data.trades[0] =
        (struct md_trade_row){.fill_id = market.seq, .price_e4 = 164000, .qty = 8};
    message.market_data.levels[0] = (struct md_level_row){
        .price_e4 = 164000, .qty = market.bid_qty, .orders = 1, .side = SIDE_BUY};
    size_t length = codec_encode_message(&message, bytes, sizeof(bytes));
    if (!lost) {
        zmq_send(market.pub, "md." SYMBOL, strlen("md." SYMBOL), ZMQ_SNDMORE);
        zmq_send(market.pub, bytes, length, 0);
    }
}

static void market_serve(void)
{
    char client[256];
    int size;
    while ((size = zmq_recv(market.snapshots, client, sizeof(client), ZMQ_DONTWAIT)) >= 0) {
        int length = zmq_recv(market.snapshots, bytes, sizeof(bytes), 0);
        cr_assert_eq(codec_decode_requests(bytes, (size_t)length, &batch), 0);
        cr_assert_eq(requests[0].type, REQUEST_BOOK);
        market.asked++;
        if (market.dead) {
            continue;
        }
        message.type = MESSAGE_BOOK;
        message.book = (struct book_answer){.ref = requests[0].ref,
                                            .seq = market.seq,
                                            .contract_seq = market.seq,
                                            .symbol = SYMBOL,
                                            .best_bid_e4 = market.bid_qty == 0 ? 0 : 164000,
                                            .best_bid_qty = market.bid_qty,
                                            .bid_count = market.bid_qty == 0 ? 0 : 1};
        message.book.bids[0] =
            (struct level_row){.price_e4 = 164000, .qty = market.bid_qty, .orders = 1};
        size_t answer_length = codec_encode_message(&message, bytes, sizeof(bytes));
        zmq_send(market.snapshots, client, (size_t)size, ZMQ_SNDMORE);
        zmq_send(market.snapshots, bytes, answer_length, 0);
    }
}

static bool market_turn(void)
{
    struct kashi_feed_event event;
    int rc;
    market_serve();
    while ((rc = kashi_feed_next(market.feed, &event, &error)) > 0) {
        market.changes += event.kind == KASHI_FEED_CHANGE;
        market.restored += event.kind == KASHI_FEED_SNAPSHOT;
        if (event.data != NULL) {
            cr_assert_gt(event.data->trades[0].fill_id, market.traded, "each once, in order");
            market.traded = event.data->trades[0].fill_id;
            market.trades++;
        }
        market_serve();
    }
    cr_assert_eq(rc, 0, "%s", error.text);
    kashi_feed_wait(market.feed, 5);
    return true;
}

#define MARKET_UNTIL(condition)                                                                    \
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; market_turn() && !(condition);) {    \
        cr_assert_lt(clock_monotonic_ns(), end_ns, "never: %s", #condition);                       \
    }

static bool book_is_right(void)
{
    const struct kashi_book *book = kashi_feed_book(market.feed, SYMBOL);
    return book != NULL && book->current && book->seq == market.seq &&
           book->sides[SIDE_BUY].count == 1 &&
           book->sides[SIDE_BUY].levels[0].qty == market.bid_qty &&
           book->best_bid_qty == market.bid_qty;
}

TestSuite(feed, .init = market_open, .fini = market_close, .timeout = 120);

/* A first change is repeated until the subscription stands. */
static void market_follow(void)
{
    cr_assert_eq(kashi_feed_subscribe(market.feed, SYMBOL, &error), 0);
    MARKET_UNTIL(market.restored == 1);
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; market.changes == 0;) {
        market_change(false);
        market_turn();
        cr_assert_lt(clock_monotonic_ns(), end_ns);
    }
    MARKET_UNTIL(book_is_right());
}

Test(feed, begins_with_a_snapshot_and_goes_on_with_changes)
{
    market.seq = 100;
    market.bid_qty = 8;
    cr_assert_eq(kashi_feed_subscribe(market.feed, SYMBOL, &error), 0);
    MARKET_UNTIL(book_is_right());
    cr_assert_eq(market.asked, 1);
    cr_assert_eq(market.restored, 1);
}

Test(feed, a_gap_is_repaired_by_a_snapshot_and_nothing_behind_it_is_lost)
{
    market_follow();
    for (int round = 0; round < 20; round++) {
        uint64_t gaps = kashi_feed_counters(market.feed)->gaps;
        market_change(true);
        market_change(false);
        market_change(false);
        MARKET_UNTIL(book_is_right() && kashi_feed_counters(market.feed)->gaps > gaps);
    }
}

Test(feed, the_loss_of_the_last_message_is_found_without_a_newer_one)
{
    market_follow();
    market_change(true);
    MARKET_UNTIL(book_is_right());
}

Test(feed, a_quiet_book_that_agrees_is_left_alone)
{
    market_follow();
    uint32_t restored = market.restored;
    uint32_t asked = market.asked;
    MARKET_UNTIL(market.asked >= asked + 2);
    cr_assert_eq(market.restored, restored);
}

Test(feed, trades_are_handed_out_where_the_book_does_not_take_the_message)
{
    market.seq = 100; /* the book is older than the watch */
    market.bid_qty = 8;
    cr_assert_eq(kashi_feed_subscribe(market.feed, "H100.CN-GZ.", &error), 0);
    market.dead = true; /* what follows is older than the snapshot */
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; market.trades == 0;) {
        market_change(false);
        market_turn();
        cr_assert_lt(clock_monotonic_ns(), end_ns);
    }
    uint32_t behind = market.trades + (uint32_t)(market.seq - market.traded) / 2;
    for (int round = 1; round <= 5; round++) {
        market_change(false);
    }
    market.dead = false;
    MARKET_UNTIL(book_is_right() && market.trades == behind + 5);
    market_change(true);
    market_change(false);
    MARKET_UNTIL(book_is_right() && market.trades == behind + 6);
    market.seq -= 2; /* once more: as it was */
    market_change(false);
    market_change(false);
    MARKET_UNTIL(book_is_right() && market.trades == behind + 7);
}

Test(feed, a_snapshot_that_does_not_come_is_asked_for_again)
{
    market.dead = true;
    market.seq = 10;
    market.bid_qty = 8;
    cr_assert_eq(kashi_feed_subscribe(market.feed, SYMBOL, &error), 0);
    MARKET_UNTIL(market.asked >= 2);
    cr_assert_eq(kashi_feed_waiting(market.feed), 1);
    market.dead = false;
    MARKET_UNTIL(book_is_right());
    cr_assert_eq(kashi_feed_waiting(market.feed), 0);
}

/* --- the program -------------------------------------------------------------------------------------- */

#define KASHI "build/release/bin/kashi "

#define PUBLIC "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define JOB    "job --gpus 8 --hours 2 --from +6 --to +9 --price 14 --lane H100/CN-GZ/G80 "

/* Exit status of a shell command; what it says is in `said`. */
static char said[4096];
static int status_of(const char *command)
{
    char line[512];
    snprintf(line, sizeof(line), "%s 2>&1", command);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    size_t length = fread(said, 1, sizeof(said) - 1, pipe);
    said[length] = '\0';
    int status = pclose(pipe);
    cr_assert(WIFEXITED(status), "%s", command);
    return WEXITSTATUS(status);
}

Test(command, wrong_usage_is_2_and_says_what_to_do, .timeout = 60)
{
    const struct {
        const char *command, *says;
    } cases[] = {
        {KASHI, "usage"},
        {KASHI "sell", "'sell' is not a command"},
        {KASHI "admin", "admin class"},
        {KASHI "admin nothing", "'nothing'"},
        {KASHI "bid " SYMBOL " --price 16.12345 --qty 8", "--price: '16.12345'"},
        {KASHI "bid --class H100 --price 1 --qty 8", "--region is missing"},
        {KASHI "offer " SYMBOL " --price 16 --qty 8", "--resource is missing"},
        {KASHI "offer --csv /no/such/file.csv", "/no/such/file.csv"},
        {KASHI "import --nodes /no/such.csv --jobs data/sample_jobs.csv",
         "/no/such.csv: No such file or directory"},
        {KASHI "import --nodes data/sample_nodes.csv --jobs data", "data: Is a directory"},
        {KASHI "cancel", "--order-id is missing"},
        {KASHI "replace 7", "--price, --qty or both"},
        {KASHI "list things", "give classes|regions"},
        {KASHI "admin kill", "--all"},
        {KASHI "keygen", "name the key"},
        {KASHI "watch H100.CN", "full stop"},
        {KASHI "orders --key /no/such.key", "--key"},
        {KASHI "bid " SYMBOL " --price 16 --qty 8 --tif time", "--expire-time is missing"},
        {KASHI JOB "--placement same", "--same-group is missing"},
        {KASHI JOB "--same-group 91", "--placement same is missing"},
        {KASHI "mass-cancel --hour-from +3", "--hour-to is missing"},
        {KASHI "mass-cancel --hour-to +3", "--hour-from is missing"},
        {"env -u KASHI_KEY " KASHI "orders", "--key"},
        {"env -u KASHI_KEY " KASHI "list classes", "which key do you log in with"},
        {KASHI "admin key desk-1 --account 3 --roles buyer", "--public-key is missing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(status_of(cases[i].command), 2, "%s: %s", cases[i].command, said);
        cr_assert_not_null(strstr(said, cases[i].says), "%s: %s", cases[i].command, said);
    }
}

Test(command, no_connection_is_3, .timeout = 60)
{
    char folder[] = "/tmp/kashi-test-command-XXXXXX";
    char command[512];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof(command), KASHI "keygen %s/me", folder);
    cr_assert_eq(status_of(command), 0, "%s", said);
    cr_assert_eq(status_of(command), 2, "a key is never overwritten");
    static const char *const words[] = {
        "orders --gateway tcp://127.0.0.1:1", "orders",
        "bid " SYMBOL " --price 16 --qty 8 --gateway tcp://127.0.0.1:1", "watch " SYMBOL, "index"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        snprintf(command, sizeof(command), KASHI "%s --dir %s --timeout 2 %s%s%s", words[i], folder,
                 words[i][0] == 'o' || words[i][0] == 'b' ? "--key " : "",
                 words[i][0] == 'o' || words[i][0] == 'b' ? folder : "",
                 words[i][0] == 'o' || words[i][0] == 'b' ? "/me.key --gateway-key none" : "");
        cr_assert_eq(status_of(command), 3, "%s: %s", command, said);
        cr_assert_not_null(strstr(said, "no connection"), "%s", said);
    }
    snprintf(command, sizeof(command), "rm -r %s", folder);
    status_of(command);
}

/* Exit status of a shell command while the other side is played; what it says is in `said`. */
static int status_served(const char *command, void (*play)(void))
{
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    struct pollfd end = {.fd = fileno(pipe), .events = POLLIN};
    size_t length = 0;
    ssize_t size = 1;
    while (size > 0 && length < sizeof(said) - 1) {
        play();
        if (poll(&end, 1, 5) > 0) {
            size = read(end.fd, said + length, sizeof(said) - 1 - length);
            length += size > 0 ? (size_t)size : 0;
        }
    }
    said[length] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

/* Exit status of `kashi WORDS` at the gateway that the test plays. */
static int status_at_gateway(const char *words)
{
    char folder[] = "/tmp/kashi-test-command-XXXXXX";
    char command[1024];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof(command), KASHI "keygen %s/me", folder);
    cr_assert_eq(status_of(command), 0, "%s", said);
    snprintf(command, sizeof(command),
             KASHI "%s --gateway %s --gateway-key none --key %s/me.key 2>&1; s=$?; rm -r %s; "
                   "exit $s",
             words, world.endpoint, folder, folder);
    return status_served(command, serve);
}

Test(command, what_passes_by_itself_is_asked_again, .init = open_world, .fini = close_world,
     .timeout = 60)
{
    static const uint16_t reasons[] = {REASON_LAGGING, REASON_REPLICA_UNREACHABLE,
                                       REASON_EXCHANGE_UNREACHABLE};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        world.refused_reads = 3;
        world.refused_reason = reasons[i];
        cr_assert_eq(status_at_gateway("orders"), 0, "%s", said);
        cr_assert_eq(world.refused_reads, 0);
    }
    world.refused_logins = 2;
    cr_assert_eq(status_at_gateway("orders"), 0, "%s", said);
    cr_assert_eq(world.refused_logins, 0);
}

Test(command, what_does_not_pass_is_told_after_three_seconds, .init = open_world,
     .fini = close_world, .timeout = 60)
{
    world.refused_reads = 1000;
    world.refused_reason = REASON_LAGGING;
    int64_t begin_ns = clock_monotonic_ns();
    cr_assert_eq(status_at_gateway("orders"), 1, "%s", said);
    cr_assert_not_null(strstr(said, "LAGGING"), "%s", said);
    cr_assert_geq(clock_monotonic_ns() - begin_ns, 3 * NS_PER_SECOND);
    world.refused_reads = 1000;
    world.refused_reason = REASON_ROLE_NOT_ALLOWED;
    cr_assert_eq(status_at_gateway("orders"), 1, "%s", said);
    cr_assert_eq(world.refused_reads, 999, "what does not pass is not asked again");
    world.refused_logins = 1000;
    cr_assert_eq(status_at_gateway("orders"), 3, "%s", said);
}

Test(command, a_refused_name_is_quoted_with_what_shows_the_right_ones, .init = open_world,
     .fini = close_world, .timeout = 60)
{
    const struct {
        const char *words, *field, *says;
        uint16_t reason;
    } cases[] = {
        {"book H200." REST, "symbol", "[symbol: 'H200." REST "'; kashi list classes",
         REASON_UNKNOWN_SYMBOL},
        {"bid H200." REST " --price 16 --qty 8", "symbol", "[symbol: 'H200." REST "'; kashi list",
         REASON_UNKNOWN_SYMBOL},
        {"offer H200." REST " --hours 2 --price 16 --qty 8 --resource 1", "symbol",
         "[symbol: 'H200." REST "'; kashi list", REASON_UNKNOWN_SYMBOL},
        {"set --qty 8 --leg " SYMBOL "=16 --leg H200." REST "=16", "legs[2].symbol",
         "[legs[2].symbol: 'H200." REST "'; kashi list classes and", REASON_UNKNOWN_SYMBOL},
        {"set --dry-run --qty 8 --leg H200." REST "=16", "legs[1].symbol",
         "[legs[1].symbol: 'H200." REST "'; ", REASON_UNKNOWN_SYMBOL},
        {"job --gpus 8 --hours 2 --from +6 --to +9 --price 14 --lane H100/CN-GZ/G80 --lane "
         "H100/CN-XX/G80",
         "lanes[2].region", "[lanes[2].region: 'CN-XX'; kashi list regions shows them]",
         REASON_UNKNOWN_NAME},
        {"mass-cancel --class H200", "class", "[class: 'H200'; kashi list classes shows them]",
         REASON_UNKNOWN_NAME},
        {"bid " SYMBOL " --price 16 --qty 8", "qty",
         "a field has the wrong type; numbers are "
         "integers [qty]\n",
         REASON_WRONG_TYPE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world.refused_field = cases[i].field;
        world.refused_reason = cases[i].reason;
        cr_assert_eq(status_at_gateway(cases[i].words), 1, "%s: %s", cases[i].words, said);
        cr_assert_not_null(strstr(said, cases[i].says), "%s: %s", cases[i].words, said);
    }
}

Test(command, a_value_out_of_range_is_told_with_its_field, .init = open_world, .fini = close_world,
     .timeout = 60)
{
    const struct {
        uint8_t field;
        const char *says;
    } cases[] = {
        {REJECT_FIELD_PERIOD_S, "out of range [period_s: 0 against 1]"},
        {REJECT_FIELD_LAUNCH_PRICE_G80_E4,
         "out of range [launch_price_g80_e4: 0.00 against 0.0001]"},
        {REJECT_FIELD_ROLES, "out of range [roles]\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world.refused_value = cases[i].field;
        cr_assert_eq(status_at_gateway("admin group G"), 1, "%s", said);
        cr_assert_not_null(strstr(said, cases[i].says), "%s", said);
    }
}

Test(command, admin_market_leaves_the_terms_that_are_not_given, .init = open_world,
     .fini = close_world, .timeout = 60)
{
    struct request_set_market terms = {.class_name = "H100",
                                       .region = "CN-GZ",
                                       .launch_price_e4 = {1, 2, 3, 4},
                                       .inner_band_bp = 5,
                                       .outer_band_bp = 6,
                                       .opening_s = 7,
                                       .volatility_s = 8,
                                       .period_s = 9,
                                       .volatility_min_qty = 10,
                                       .random_end_s = 11,
                                       .mode = MODE_LISTING,
                                       .no_resale = 1,
                                       .names_shown = 1};
    cr_assert_eq(status_at_gateway("admin market H100 CN-GZ"), 0, "%s", said);
    cr_assert_eq(memcmp(&world.terms, &terms, sizeof(terms)), 0);
    cr_assert_eq(status_at_gateway("admin market H100 CN-GZ --mode auction --period-s 60 --resale "
                                   "--names-hidden --launch-price-g50 0"),
                 0, "%s", said);
    terms.mode = MODE_AUCTION;
    terms.period_s = 60;
    terms.launch_price_e4[1] = 0;
    terms.no_resale = terms.names_shown = 0;
    cr_assert_eq(memcmp(&world.terms, &terms, sizeof(terms)), 0);
    cr_assert_eq(status_at_gateway("admin market H100 CN-SH --inner-band-bp 1"), 2);
    cr_assert_not_null(strstr(said, "--mode is missing"), "%s", said);
    cr_assert_eq(status_at_gateway("admin market H100"), 2);
    cr_assert_not_null(strstr(said, "--region is missing"), "%s", said);
}

Test(command, csv_has_the_fills_of_a_replace_and_a_take, .init = open_world, .fini = close_world,
     .timeout = 60)
{
    static const char *const words[] = {"replace 7 --price 16.40 --qty 8 --csv",
                                        "take 7 --qty 8 --csv", "take 7 --qty 8 --output csv"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        cr_assert_eq(status_at_gateway(words[i]), 0, "%s", said);
        cr_assert_not_null(strstr(said, "\n\nfill,symbol,qty,price,fee,"), "%s", said);
        cr_assert_not_null(strstr(said, "\n91,,8,16.30,0.00,"), "%s", said);
    }
}

Test(command, an_offer_prints_csv_by_another_word, .init = open_world, .fini = close_world,
     .timeout = 60)
{
#define OFFER "offer " SYMBOL " --price 16.40 --qty 8 --resource 1 "
    cr_assert_eq(status_at_gateway(OFFER "--output csv"), 0, "%s", said);
    cr_assert_not_null(strstr(said, "order,symbol,side,qty,price,filled,left,status,why\n"), "%s",
                       said);
    cr_assert_not_null(strstr(said, ",partially_filled,\n"), "%s",
                       said); /* as kashi orders says it */
    cr_assert_eq(status_at_gateway(OFFER "--output tsv"), 2, "%s", said);
    static const char *const names[] = {"--csv", "--catalogue"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char command[512];
        snprintf(command, sizeof(command),
                 "printf "
                 "'class,region,tier,from,hours,gpus,price,resource\nH100,CN-GZ,G80,+6,2,8,13,1\n' "
                 "| " KASHI "offer %s - --check",
                 names[i]);
        cr_assert_eq(status_of(command), 0, "%s", said);
        cr_assert_not_null(strstr(said, "-: 1 lines, 2 offers, nothing wrong"), "%s", said);
    }
}

Test(command, watch_prints_nothing_in_csv_where_there_is_nothing, .init = market_open,
     .fini = market_close, .timeout = 60)
{
    char command[512];
    market.seq = 10;
    market.bid_qty = 8;
    snprintf(command, sizeof(command),
             KASHI "watch " SYMBOL " --csv --count 1 --market-data %s --snapshot %s 2>&1",
             market.pub_endpoint, market.snapshot_endpoint);
    cr_assert_eq(status_served(command, market_serve), 0, "%s", said);
    cr_assert_not_null(strstr(said, "," SYMBOL ",0,8,16.40,,,,\n"), "%s", said);
}

Test(command, an_accounts_numbers_have_their_full_stops_in_one_column, .init = open_world,
     .fini = close_world, .timeout = 60)
{
    cr_assert_eq(status_at_gateway("account"), 0, "%s", said);
    static const char lines[] = "account                    5\n"
                                "name           b\n"
                                "cash                 4999895.3195\n"
                                "credit                     2.00\n"
                                "reserved                 100.01\n";
    cr_assert_eq(strncmp(said, lines, strlen(lines)), 0, "%s", said);
}

Test(command, operators_words_may_stand_without_their_options, .init = open_world,
     .fini = close_world, .timeout = 60)
{
    cr_assert_eq(status_at_gateway("admin halt H100 CN-GZ"), 0, "%s", said);
    cr_assert_str_eq(world.halt.class_name, "H100");
    cr_assert_str_eq(world.halt.region, "CN-GZ");
    char pub[] = "/tmp/kashi-test-pub-XXXXXX";
    close(mkstemp(pub));
    FILE *file = fopen(pub, "w");
    fprintf(file, "public = %s\n", PUBLIC);
    fclose(file);
    static const char *const words[][2] = {{"desk-1", ""},
                                           {"", "--name desk-1"},
                                           {"desk-1 --public-key", ""},
                                           {"--name desk-1 --public-key", ""}};
    for (size_t i = 0; i < 2 * sizeof(words) / sizeof(words[0]); i++) {
        char command[256];
        snprintf(command, sizeof(command), "admin key %s %s %s --account 3 --roles buyer",
                 words[i / 2][0], i % 2 == 0 ? pub : "'" PUBLIC "'", words[i / 2][1]);
        world.key = (struct request_register_key){.account = 0};
        cr_assert_eq(status_at_gateway(command), 0, "%s: %s", command, said);
        uint8_t key[PUBLIC_KEY_SIZE];
        cr_assert(codec_key_parse(PUBLIC, strlen(PUBLIC), key));
        cr_assert(strcmp(world.key.name, "desk-1") == 0 && world.key.account == 3, "%s", command);
        cr_assert_eq(memcmp(world.key.public_key, key, sizeof(key)), 0, "%s", command);
    }
    unlink(pub);
}

Test(command, help_and_version_are_0, .timeout = 60)
{
    cr_assert_eq(status_of(KASHI "--help"), 0);
    cr_assert_not_null(strstr(said, "exit status: 0 done, 1 refused"));
    cr_assert_eq(status_of(KASHI "bid --help"), 0);
    cr_assert_not_null(strstr(said, "examples:"));
    cr_assert_eq(status_of(KASHI "version --json"), 0);
    cr_assert_eq(said[0], '{');
}
