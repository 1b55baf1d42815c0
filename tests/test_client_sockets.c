/* libkashi over real sockets, against a gateway and a replica that the test plays itself, badly. All turns
 * on one thread, waiting up to a deadline. */
#include <criterion/criterion.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "client/kashi.h"
#include "tests/peer.h"

#define DEADLINE_NS (20 * NS_PER_SECOND)

static struct error error;

/* --- a session ---------------------------------------------------------------------------------------- */

static struct {
    struct kashi_session *session;
    uint64_t reports[1024]; /* handed out */
    uint32_t report_count;
    struct message last;
} client;

/* One turn of both sides; returns the session's code when it is over. */
static int turn(void)
{
    const struct message *got;
    int rc;
    peer_gateway_serve();
    while ((rc = kashi_session_next(client.session, &got, &error)) > 0) {
        client.last = *got;
        if (got->type == MESSAGE_REPORT && got->report.report_seq != 0) {
            cr_assert(got->report.leg_rows == 1 &&
                      got->report.legs[0].price_e4 == got->report.report_seq);
            client.reports[client.report_count++] = got->report.report_seq;
        }
        peer_gateway_serve();
    }
    kashi_session_wait(client.session, 5);
    return rc;
}

#define UNTIL(condition)                                                                           \
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; !(condition);) {                     \
        turn();                                                                                    \
        cr_assert_lt(clock_monotonic_ns(), end_ns, "never: %s", #condition);                       \
    }

static int find(void *context, char endpoint[ENDPOINT_SIZE], struct error *why)
{
    (void)context;
    if (peer_gateway.socket == NULL) {
        return error_set(why, ERROR_NOT_FOUND, "no gateway");
    }
    memcpy(endpoint, peer_gateway.endpoint, ENDPOINT_SIZE);
    return 0;
}

static void open_session(uint32_t window)
{
    struct kashi_key key;
    cr_assert_eq(kashi_key_generate(&key, &error), 0);
    const struct kashi_session_config config = {
        .zmq_context = peer_zmq, .find_endpoint = find, .key = &key, .window = window};
    cr_assert_eq(kashi_session_open(&client.session, &config, &error), 0);
    UNTIL(kashi_session_state(client.session) == KASHI_SESSION_READY);
}

static void send_orders(uint32_t count)
{
    struct request orders[64] = {{0}};
    for (uint32_t i = 0; i < count; i++) {
        orders[i].type = REQUEST_NEW_ORDER;
        orders[i].new_order =
            (struct request_new_order){.symbol = PEER_SYMBOL, .price_e4 = 164000, .qty = 8};
    }
    cr_assert_eq(kashi_session_send(client.session, orders, count, &error), 0, "%s", error.text);
}

static void close_client(void)
{
    kashi_session_close(client.session);
    peer_gateway_close();
}

TestSuite(session, .init = peer_gateway_open, .fini = close_client, .timeout = 120);

Test(session, numbers_begin_above_what_the_login_says)
{
    peer_gateway.highest_cl_ord_id = 41;
    peer_gateway.highest_report_seq = 7;
    open_session(0);
    send_orders(3);
    UNTIL(client.report_count == 3);
    cr_assert_eq(peer_gateway.order_numbers[0], 42);
    cr_assert_eq(peer_gateway.order_numbers[2], 44);
    cr_assert_eq(client.reports[0], 8, "older reports were not asked for");
}

Test(session, missed_reports_are_fetched_and_come_once_and_in_order)
{
    open_session(0);
    send_orders(1);
    UNTIL(client.report_count == 1);
    /* 35 reports are lost on the way, the 36th arrives: four pages to fetch. */
    peer_gateway.highest_report_seq = 37;
    peer_gateway_report(37);
    peer_gateway_report(37);
    UNTIL(client.report_count == 37);
    turn();
    for (uint64_t i = 0; i < 37; i++) {
        cr_assert_eq(client.reports[i], i + 1);
    }
    cr_assert_eq(client.report_count, 37);
    cr_assert_eq(kashi_session_counters(client.session)->recovered, 36);
    cr_assert_eq(kashi_session_state(client.session), KASHI_SESSION_READY);
}

Test(session, a_gateway_that_dies_and_comes_back_elsewhere_costs_nothing)
{
    open_session(0);
    peer_gateway.mute = true;
    send_orders(3);
    UNTIL(peer_gateway.orders_seen == 3);
    zmq_close(peer_gateway.socket);
    peer_gateway.socket = NULL;
    UNTIL(kashi_session_state(client.session) == KASHI_SESSION_CONNECTING);
    /* The first was carried out before the gateway died, and its report was lost. */
    peer_gateway.highest_cl_ord_id = 1;
    peer_gateway.highest_report_seq = 1;
    peer_gateway.mute = false;
    peer_gateway.orders_seen = 0;
    peer_gateway_bind();
    UNTIL(client.report_count == 3);
    cr_assert_eq(kashi_session_unanswered(client.session), 0);
    cr_assert_eq(peer_gateway.orders_seen, 2, "the recovered report answers the first order");
    cr_assert_eq(peer_gateway.order_numbers[0], 2);
    cr_assert_eq(peer_gateway.order_numbers[1], 3);
    cr_assert_eq(kashi_session_counters(client.session)->resent, 2);
}

Test(session, a_number_that_was_passed_over_is_answered_never_entered)
{
    open_session(0);
    peer_gateway.mute = true;
    send_orders(1);
    UNTIL(peer_gateway.orders_seen == 1);
    zmq_close(peer_gateway.socket);
    peer_gateway.socket = NULL;
    UNTIL(kashi_session_state(client.session) == KASHI_SESSION_CONNECTING);
    peer_gateway.highest_cl_ord_id = 5;
    peer_gateway.mute = false;
    peer_gateway_bind();
    UNTIL(client.last.type == MESSAGE_ORDER_STATUS);
    cr_assert_eq(client.last.order_status.cl_ord_id, 1);
    cr_assert_eq(client.last.order_status.reason, REASON_NEVER_ENTERED);
    cr_assert_eq(kashi_session_unanswered(client.session), 0);
    send_orders(1);
    UNTIL(client.report_count == 1);
    cr_assert_eq(peer_gateway.highest_cl_ord_id, 6);
}

Test(session, a_full_window_takes_nothing)
{
    open_session(4);
    peer_gateway.mute = true;
    send_orders(3);
    struct request two[2] = {{.type = REQUEST_CANCEL_ORDER}, {.type = REQUEST_CANCEL_ORDER}};
    cr_assert_eq(kashi_session_send(client.session, two, 2, &error), ERROR_FULL);
    cr_assert_eq(kashi_session_unanswered(client.session), 3);
    struct request login = {.type = REQUEST_LOGIN};
    cr_assert_eq(kashi_session_send(client.session, &login, 1, &error), ERROR_INVALID);
}

Test(session, heartbeats_keep_it_alive_and_silence_ends_the_connection)
{
    open_session(0);
    UNTIL(peer_gateway.heartbeats >= 2);
    cr_assert_eq(peer_gateway.logins, 1);
    /* A gateway that takes everything and says nothing. */
    void *socket = peer_gateway.socket;
    peer_gateway.socket = NULL;
    UNTIL(kashi_session_state(client.session) != KASHI_SESSION_READY);
    peer_gateway.socket = socket;
    UNTIL(peer_gateway.logins >= 2 && kashi_session_state(client.session) == KASHI_SESSION_READY);
}

Test(session, another_login_of_the_key_ends_it_for_good)
{
    open_session(0);
    peer_message.type = MESSAGE_LOGOUT;
    peer_message.logout = (struct logout_answer){.session = 1, .reason = REASON_SESSION_ENDED};
    peer_gateway_say();
    int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (turn() >= 0) {
        cr_assert_lt(clock_monotonic_ns(), end_ns);
    }
    cr_assert_eq(kashi_session_state(client.session), KASHI_SESSION_ENDED);
    cr_assert_not_null(strstr(error.text, "use a key for each program"), "%s", error.text);
    struct request cancel = {.type = REQUEST_CANCEL_ORDER};
    cr_assert_lt(kashi_session_send(client.session, &cancel, 1, &error), 0);
    cr_assert_eq(peer_gateway.logins, 1, "two programs with one key must not fight");
}

Test(session, a_lost_link_of_the_gateway_is_only_a_new_login)
{
    open_session(0);
    peer_message.type = MESSAGE_LOGOUT;
    peer_message.logout =
        (struct logout_answer){.session = 1, .reason = REASON_EXCHANGE_UNREACHABLE};
    peer_gateway_say();
    UNTIL(peer_gateway.logins == 2 && kashi_session_state(client.session) == KASHI_SESSION_READY);
}

Test(session, bytes_that_are_no_message_do_no_harm)
{
    open_session(0);
    static const char *const junk[] = {"", "\xc1", "\xdd\xff\xff\xff\xff", "\x81\xa4type",
                                       "\x93\x01\x02\x03"};
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        zmq_send(peer_gateway.socket, peer_gateway.client, peer_gateway.client_size, ZMQ_SNDMORE);
        zmq_send(peer_gateway.socket, junk[i], strlen(junk[i]), 0);
    }
    send_orders(1);
    UNTIL(client.report_count == 1);
}

/* --- a feed ------------------------------------------------------------------------------------------- */

static struct {
    struct kashi_feed *feed;
    uint32_t changes;  /* handed out */
    uint32_t restored; /* books from snapshots, likewise */
    uint64_t traded;   /* fill handed out last */
    uint32_t trades;   /* handed out */
} reader;

static void open_reader(void)
{
    peer_market_open();
    const struct kashi_feed_config config = {.zmq_context = peer_zmq,
                                             .market_data = peer_market.pub_endpoint,
                                             .snapshot = peer_market.snapshot_endpoint};
    cr_assert_eq(kashi_feed_open(&reader.feed, &config, &error), 0);
}

static void close_reader(void)
{
    kashi_feed_close(reader.feed);
    peer_market_close();
}

static bool reader_turn(void)
{
    struct kashi_feed_event event;
    int rc;
    peer_market_serve();
    while ((rc = kashi_feed_next(reader.feed, &event, &error)) > 0) {
        reader.changes += event.kind == KASHI_FEED_CHANGE;
        reader.restored += event.kind == KASHI_FEED_SNAPSHOT;
        if (event.data != NULL) {
            cr_assert_gt(event.data->trades[0].fill_id, reader.traded, "each once, in order");
            reader.traded = event.data->trades[0].fill_id;
            reader.trades++;
        }
        peer_market_serve();
    }
    cr_assert_eq(rc, 0, "%s", error.text);
    kashi_feed_wait(reader.feed, 5);
    return true;
}

#define READER_UNTIL(condition)                                                                    \
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; reader_turn() && !(condition);) {    \
        cr_assert_lt(clock_monotonic_ns(), end_ns, "never: %s", #condition);                       \
    }

static bool book_is_right(void)
{
    const struct kashi_book *book = kashi_feed_book(reader.feed, PEER_SYMBOL);
    return book != NULL && book->current && book->seq == peer_market.seq &&
           book->sides[SIDE_BUY].count == 1 &&
           book->sides[SIDE_BUY].levels[0].qty == peer_market.bid_qty &&
           book->best_bid_qty == peer_market.bid_qty;
}

TestSuite(feed, .init = open_reader, .fini = close_reader, .timeout = 120);

/* A first change is repeated until the subscription stands. */
static void reader_follow(void)
{
    cr_assert_eq(kashi_feed_subscribe(reader.feed, PEER_SYMBOL, &error), 0);
    READER_UNTIL(reader.restored == 1);
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; reader.changes == 0;) {
        peer_market_change(false);
        reader_turn();
        cr_assert_lt(clock_monotonic_ns(), end_ns);
    }
    READER_UNTIL(book_is_right());
}

Test(feed, begins_with_a_snapshot_and_goes_on_with_changes)
{
    peer_market.seq = 100;
    peer_market.bid_qty = 8;
    cr_assert_eq(kashi_feed_subscribe(reader.feed, PEER_SYMBOL, &error), 0);
    READER_UNTIL(book_is_right());
    cr_assert_eq(peer_market.asked, 1);
    cr_assert_eq(reader.restored, 1);
}

Test(feed, a_gap_is_repaired_by_a_snapshot_and_nothing_behind_it_is_lost)
{
    reader_follow();
    for (int round = 0; round < 20; round++) {
        uint64_t gaps = kashi_feed_counters(reader.feed)->gaps;
        peer_market_change(true);
        peer_market_change(false);
        peer_market_change(false);
        READER_UNTIL(book_is_right() && kashi_feed_counters(reader.feed)->gaps > gaps);
    }
}

Test(feed, the_loss_of_the_last_message_is_found_without_a_newer_one)
{
    reader_follow();
    peer_market_change(true);
    READER_UNTIL(book_is_right());
}

Test(feed, a_quiet_book_that_agrees_is_left_alone)
{
    reader_follow();
    uint32_t restored = reader.restored;
    uint32_t asked = peer_market.asked;
    READER_UNTIL(peer_market.asked >= asked + 2);
    cr_assert_eq(reader.restored, restored);
}

Test(feed, trades_are_handed_out_where_the_book_does_not_take_the_message)
{
    peer_market.seq = 100; /* the book is older than the watch */
    peer_market.bid_qty = 8;
    cr_assert_eq(kashi_feed_subscribe(reader.feed, "H100.CN-GZ.", &error), 0);
    peer_market.dead = true; /* what follows is older than the snapshot */
    for (int64_t end_ns = clock_monotonic_ns() + DEADLINE_NS; reader.trades == 0;) {
        peer_market_change(false);
        reader_turn();
        cr_assert_lt(clock_monotonic_ns(), end_ns);
    }
    uint32_t behind = reader.trades + (uint32_t)(peer_market.seq - reader.traded) / 2;
    for (int round = 1; round <= 5; round++) {
        peer_market_change(false);
    }
    peer_market.dead = false;
    READER_UNTIL(book_is_right() && reader.trades == behind + 5);
    peer_market_change(true);
    peer_market_change(false);
    READER_UNTIL(book_is_right() && reader.trades == behind + 6);
    peer_market.seq -= 2; /* once more: as it was */
    peer_market_change(false);
    peer_market_change(false);
    READER_UNTIL(book_is_right() && reader.trades == behind + 7);
}

Test(feed, a_snapshot_that_does_not_come_is_asked_for_again)
{
    peer_market.dead = true;
    peer_market.seq = 10;
    peer_market.bid_qty = 8;
    cr_assert_eq(kashi_feed_subscribe(reader.feed, PEER_SYMBOL, &error), 0);
    READER_UNTIL(peer_market.asked >= 2);
    cr_assert_eq(kashi_feed_waiting(reader.feed), 1);
    peer_market.dead = false;
    READER_UNTIL(book_is_right());
    cr_assert_eq(kashi_feed_waiting(reader.feed), 0);
}
