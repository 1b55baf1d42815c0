/* A gateway between real ZeroMQ sockets. */
#include <string.h>
#include <zmq.h>

#include "tests/edge.h"

TestSuite(gateway, .init = edge_set_up, .fini = edge_tear_down, .timeout = 60);

/* --- who may connect --------------------------------------------------------------------------------- */

Test(gateway, admits_a_registered_key_and_no_other)
{
    static struct edge_client stranger, naked, buyer;
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    edge_client_open(&stranger, &edge.keys[0]);
    edge_client_open(&naked, NULL);
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_send(&stranger, &heartbeat, 1);
    edge_client_send(&naked, &heartbeat, 1);
    edge_client_send(&buyer, &heartbeat, 1);
    edge_client_expect(&buyer, MESSAGE_HEARTBEAT);
    EDGE_UNTIL(edge.gateway->auth.refused > 0);
    edge_settle();
    cr_assert_eq(edge.gateway->counts.messages, 1);
    cr_assert_not(edge_client_has(&stranger));
    cr_assert_not(edge_client_has(&naked));
    edge_client_close(&stranger);
    edge_client_close(&naked);
    edge_client_close(&buyer);
}

Test(gateway, does_not_answer_a_connection_that_chose_its_own_address)
{
    static struct edge_client buyer, chooser;
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_send(&buyer, &heartbeat, 1);
    edge_client_expect(&buyer, MESSAGE_HEARTBEAT);
    chooser.socket = zmq_socket(edge.zmq, ZMQ_DEALER);
    const size_t size = CODEC_PUBLIC_KEY_TEXT + 1;
    const int zero = 0;
    zmq_setsockopt(chooser.socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(chooser.socket, ZMQ_ROUTING_ID, "alice", 5);
    zmq_setsockopt(chooser.socket, ZMQ_CURVE_SERVERKEY, edge.server.public_text, size);
    zmq_setsockopt(chooser.socket, ZMQ_CURVE_PUBLICKEY, edge.keys[EDGE_BUYER].public_text, size);
    zmq_setsockopt(chooser.socket, ZMQ_CURVE_SECRETKEY, edge.keys[EDGE_BUYER].secret_text, size);
    zmq_connect(chooser.socket, edge.endpoint);
    edge_client_send(&chooser, &heartbeat, 1);
    EDGE_UNTIL(edge.gateway->counts.messages == 2);
    edge_settle();
    cr_assert_not(edge_client_has(&chooser));
    cr_assert_eq(edge.gateway->counts.refused, 1);
    edge_client_close(&buyer);
    edge_client_close(&chooser);
}

/* Whoever opens connection after connection shuts nobody out, and nobody's session ends by it. */
Test(gateway, makes_room_for_one_connection_too_many)
{
    static struct edge_client clients[9];
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    edge_client_open(&clients[0], &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&clients[0], (struct request_login){0});
    for (int i = 1; i < 9; i++) {
        edge_client_open(&clients[i], &edge.keys[EDGE_BUYER]);
        edge_client_send(&clients[i], &heartbeat, 1);
        edge_client_expect(&clients[i], MESSAGE_HEARTBEAT);
    }
    cr_assert_eq(edge.gateway->sessions.active_count, 1);
    edge_client_send(&clients[1], &heartbeat, 1); /* forgotten, and as welcome as before */
    edge_client_expect(&clients[1], MESSAGE_HEARTBEAT);
    for (int i = 0; i < 9; i++) {
        edge_client_close(&clients[i]);
    }
}

/* --- sessions ---------------------------------------------------------------------------------------- */

Test(gateway, logs_in_with_what_the_exchange_says)
{
    static struct edge_client buyer;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){.cancel_on_disconnect = 1});
    cr_assert_eq(edge_message.login.ref, 5);
    cr_assert_eq(edge_message.login.key, EDGE_BUYER);
    cr_assert_eq(edge_message.login.account, 10 + EDGE_BUYER);
    cr_assert_eq(edge_message.login.roles, ROLE_BUYER);
    cr_assert_eq(edge_message.login.highest_cl_ord_id, 9);
    cr_assert_eq(edge_message.login.highest_report_seq, EDGE_REPORTS_KEPT);
    cr_assert_eq(edge_message.login.heartbeat_interval_s, 30);
    cr_assert_eq(edge.commands[0].head.type, COMMAND_LOGIN);
    cr_assert_eq(edge.commands[0].login.cancel_on_disconnect, 1);
    const struct request logout = {.type = REQUEST_LOGOUT, .ref = 6};
    edge_client_send(&buyer, &logout, 1);
    edge_client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(edge_message.logout.ref, 6);
    cr_assert_eq(edge_message.logout.reason, 0);
    edge_client_close(&buyer);
}

Test(gateway, wants_a_login_before_what_changes_something_but_not_before_a_read)
{
    static struct edge_client buyer;
    const struct request bid = edge_order(10);
    const struct request book = {
        .type = REQUEST_BOOK, .ref = 8, .book = {.symbol = "H100.CN-GZ.G80.20261121T14Z"}};
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_send(&buyer, &bid, 1);
    edge_client_expect_reject(&buyer, REASON_NOT_LOGGED_IN);
    cr_assert_eq(edge_message.reject.cl_ord_id, 10);
    edge_client_send(&buyer, &book, 1);
    edge_client_expect(&buyer, MESSAGE_BOOK);
    cr_assert_eq(edge_message.book.ref, 8);
    cr_assert_eq(edge.last_read.key, EDGE_BUYER);
    cr_assert_eq(edge.last_read.account, 10 + EDGE_BUYER);
    edge_client_log_in(&buyer, (struct request_login){0});
    edge_client_send(&buyer, &bid, 1);
    EDGE_UNTIL(edge.command_count == 2);
    cr_assert_eq(edge.commands[1].head.type, COMMAND_NEW_ORDER);
    cr_assert_eq(edge.commands[1].head.key, EDGE_BUYER);
    edge_client_close(&buyer);
}

Test(gateway, ends_the_session_that_the_key_had_on_another_connection)
{
    static struct edge_client first, second;
    const struct request bid = edge_order(10);
    edge_client_open(&first, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&first, (struct request_login){0});
    edge_client_open(&second, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&second, (struct request_login){0});
    edge_client_expect(&first, MESSAGE_LOGOUT);
    cr_assert_eq(edge_message.logout.reason, REASON_SESSION_ENDED);
    edge_client_send(&first, &bid, 1);
    edge_client_expect_reject(&first, REASON_NOT_LOGGED_IN);
    edge_client_send(&second, &bid, 1);
    EDGE_UNTIL(edge.command_count == 3);
    edge_client_close(&first);
    edge_client_close(&second);
}

Test(gateway, ends_the_session_when_the_exchange_says_that_another_gateway_has_it)
{
    static struct edge_client buyer;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    struct event event = edge_event(EVENT_REJECTED, EDGE_BUYER);
    event.rejected.reason = REASON_SESSION_ENDED;
    event.rejected.request = COMMAND_NEW_ORDER;
    edge_emit(&event);
    edge_client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(edge_message.logout.reason, REASON_SESSION_ENDED);
    cr_assert_eq(edge.gateway->sessions.active_count, 0);
    edge_client_close(&buyer);
}

Test(gateway, an_operator_who_names_no_key_keeps_its_session)
{
    static struct edge_client operator_;
    edge_client_open(&operator_, &edge.keys[EDGE_OPERATOR]);
    edge_client_log_in(&operator_, (struct request_login){0});
    struct event event = edge_event(EVENT_REJECTED, EDGE_OPERATOR);
    event.party.report_seq = 1;
    event.rejected.reason = REASON_UNKNOWN_KEY;
    event.rejected.request = COMMAND_REVOKE_KEY;
    event.rejected.consumed = 1;
    edge_emit(&event);
    edge_client_expect(&operator_, MESSAGE_REPORT);
    cr_assert_eq(edge_message.report.reason, REASON_UNKNOWN_KEY);
    cr_assert_eq(edge.gateway->sessions.active_count, 1);
    edge_client_close(&operator_);
}

Test(gateway, ends_the_session_of_a_revoked_key_and_takes_nothing_more_from_it)
{
    static struct edge_client buyer;
    const struct request heartbeat = {.type = REQUEST_BOOK, .book = {.symbol = "X"}};
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    struct event event = edge_event(EVENT_KEY_REVOKED, EDGE_OPERATOR);
    event.head.link = 0; /* the operator is at another gateway */
    event.key.key = EDGE_BUYER;
    cr_assert(codec_key_parse(edge.keys[EDGE_BUYER].public_text, CODEC_PUBLIC_KEY_TEXT,
                              event.key.public_key));
    edge_emit(&event);
    edge_client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(edge_message.logout.reason, REASON_UNKNOWN_KEY);
    edge_client_send(&buyer, &heartbeat, 1);
    edge_client_expect_reject(&buyer, REASON_UNKNOWN_KEY);
    edge_client_close(&buyer);
}

Test(gateway, logs_out_a_client_that_says_nothing_for_the_heartbeat_interval)
{
    static struct edge_client buyer;
    struct gateway_settings settings = edge_settings();
    settings.heartbeat_interval_s = 1;
    edge_open_gateway(settings);
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    edge_client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(edge_message.logout.reason, REASON_SILENT);
    EDGE_UNTIL(edge.command_count == 2);
    cr_assert_eq(edge.commands[1].head.type, COMMAND_LOGOUT);
    cr_assert_eq(edge.gateway->sessions.peer_count, 0);
    edge_client_close(&buyer);
}

Test(gateway, tells_the_exchange_when_a_client_is_gone_long_before_it_is_silent)
{
    static struct edge_client buyer;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    edge_client_close(&buyer);
    EDGE_UNTIL(edge.command_count == 2); /* at the next heartbeat that cannot be delivered */
    cr_assert_eq(edge.commands[1].head.type, COMMAND_LOGOUT);
    cr_assert_eq(edge.gateway->sessions.active_count, 0);
}

Test(gateway, ends_the_session_of_a_client_that_does_not_read)
{
    static struct edge_client buyer;
    struct gateway_settings settings = edge_settings();
    settings.high_water = 2;
    edge_open_gateway(settings);
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    const int64_t until_ns = clock_monotonic_ns() + 3 * EDGE_DEADLINE_NS;
    static struct event events[1000];
    while (edge.gateway->outboxes.dropped == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
        for (int i = 0; i < 1000; i++) {
            events[i] = edge_event(EVENT_DONE, EDGE_BUYER);
        }
        cr_assert_eq(link_server_send(edge.exchange, edge.link_peer, events, 1000), 0);
        edge_turn();
    }
    EDGE_UNTIL(edge.command_count == 2);
    cr_assert_eq(edge.commands[1].head.type, COMMAND_LOGOUT);
    cr_assert_eq(edge.gateway->sessions.active_count, 0);
    edge_client_close(&buyer);
}

/* --- requests and reports ---------------------------------------------------------------------------- */

Test(gateway, passes_on_what_is_right_in_a_message_and_refuses_the_rest)
{
    static struct edge_client buyer;
    struct request requests[4] = {
        edge_order(10), edge_order(11), edge_order(12), {.type = REQUEST_DEPOSIT}};
    memcpy(requests[1].new_order.symbol, "H200", 4);
    requests[3].cl_ord_id = 13;
    requests[3].cash.account = 1;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    edge_client_send(&buyer, requests, 4);
    edge_client_expect_reject(&buyer, REASON_UNKNOWN_SYMBOL);
    cr_assert_eq(edge_message.reject.index, 1);
    cr_assert_eq(edge_message.reject.cl_ord_id, 11);
    cr_assert_str_eq(edge_message.reject.field, "symbol");
    edge_client_expect_reject(&buyer, REASON_ROLE_NOT_ALLOWED);
    cr_assert_eq(edge_message.reject.index, 3);
    EDGE_UNTIL(edge.command_count == 3);
    cr_assert_eq(edge.commands[1].head.cl_ord_id, 10);
    cr_assert_eq(edge.commands[2].head.cl_ord_id, 12);
    edge_client_close(&buyer);
}

Test(gateway, refuses_malformed_messages_and_keeps_the_session)
{
    static struct edge_client buyer;
    const struct request bid = edge_order(10);
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    zmq_send(buyer.socket, "\xc1", 1, 0);
    edge_client_expect_reject(&buyer, REASON_MALFORMED);
    zmq_send(buyer.socket, "", 0, 0);
    edge_client_expect_reject(&buyer, REASON_MALFORMED);
    zmq_send(buyer.socket, "\x80", 1, ZMQ_SNDMORE);
    zmq_send(buyer.socket, "\x80", 1, 0);
    edge_client_expect_reject(&buyer, REASON_MALFORMED);
    zmq_send(buyer.socket, "\x80\x80", 2, 0);
    edge_client_expect_reject(&buyer, REASON_TRAILING_BYTES);
    edge_client_send(&buyer, &bid, 1);
    EDGE_UNTIL(edge.command_count == 2);
    edge_client_close(&buyer);
}

Test(gateway, refuses_a_message_that_is_too_large_by_its_reason)
{
    static struct edge_client buyer;
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    memset(edge_bytes, 0x90, CODEC_MESSAGE_MAX + 1);
    zmq_send(buyer.socket, edge_bytes, CODEC_MESSAGE_MAX + 1, 0);
    edge_client_expect_reject(&buyer, REASON_MESSAGE_TOO_LARGE);
    edge_client_send(&buyer, &heartbeat, 1);
    edge_client_expect(&buyer, MESSAGE_HEARTBEAT);
    edge_client_close(&buyer);
}

Test(gateway, refuses_each_request_of_a_message_over_the_rate)
{
    static struct edge_client buyer;
    struct request heartbeats[2] = {{.type = REQUEST_HEARTBEAT, .ref = 1},
                                    {.type = REQUEST_HEARTBEAT, .ref = 2}};
    struct gateway_settings settings = edge_settings();
    settings.messages_per_second = 1;
    edge_open_gateway(settings);
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_send(&buyer, heartbeats, 2);
    edge_client_send(&buyer, heartbeats, 2);
    edge_client_expect(&buyer, MESSAGE_HEARTBEAT);
    edge_client_expect(&buyer, MESSAGE_HEARTBEAT);
    edge_client_expect_reject(&buyer, REASON_TOO_FAST);
    cr_assert_eq(edge_message.reject.ref, 1);
    edge_client_expect_reject(&buyer, REASON_TOO_FAST);
    cr_assert_eq(edge_message.reject.ref, 2);
    edge_client_close(&buyer);
}

Test(gateway, gathers_the_reports_of_a_client_into_one_message)
{
    static struct edge_client buyer;
    static struct event events[100];
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    for (int i = 0; i < 100; i++) {
        events[i] = edge_event(EVENT_DONE, EDGE_BUYER);
        events[i].party.report_seq = (uint64_t)i + 1;
    }
    cr_assert_eq(link_server_send(edge.exchange, edge.link_peer, events, 100), 0);
    EDGE_UNTIL(edge_client_has(&buyer));
    cr_assert_eq(buyer.cursor.left, 100);
    for (uint64_t i = 1; i <= 100; i++) {
        edge_client_expect(&buyer, MESSAGE_REPORT);
        cr_assert_eq(edge_message.report.report_seq, i);
    }
    edge_client_close(&buyer);
}

Test(gateway, reports_only_what_is_handed_to_its_link)
{
    static struct edge_client buyer;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    struct event elsewhere = edge_event(EVENT_DONE, EDGE_BUYER);
    elsewhere.head.link = EDGE_LINK + 1;
    elsewhere.party.report_seq = 1;
    edge_emit(&elsewhere);
    struct event here = edge_event(EVENT_DONE, EDGE_BUYER);
    here.party.report_seq = 2;
    edge_emit(&here);
    edge_client_expect(&buyer, MESSAGE_REPORT);
    cr_assert_eq(edge_message.report.report_seq, 2);
    edge_client_close(&buyer);
}

Test(gateway, reads_from_a_state_not_older_than_what_it_reported)
{
    static struct edge_client buyer;
    const struct request book = {.type = REQUEST_BOOK, .book = {.symbol = "X"}};
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    edge.seq = 500;
    const struct event event = edge_event(EVENT_DONE, EDGE_BUYER);
    edge_emit(&event);
    edge_client_expect(&buyer, MESSAGE_REPORT);
    edge_client_send(&buyer, &book, 1);
    edge_client_expect(&buyer, MESSAGE_BOOK);
    cr_assert_eq(edge.last_read.min_seq, 501);
    edge_client_close(&buyer);
}

Test(gateway, answers_a_used_number_with_what_became_of_the_first)
{
    static struct edge_client buyer;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    struct event event = edge_event(EVENT_REJECTED, EDGE_BUYER);
    event.party.cl_ord_id = 7;
    event.rejected.reason = REASON_DUPLICATE;
    event.rejected.request = COMMAND_NEW_ORDER;
    edge_emit(&event);
    edge_client_expect(&buyer, MESSAGE_REPORT);
    cr_assert_eq(edge_message.report.reason, REASON_DUPLICATE);
    cr_assert_eq(edge_message.report.cl_ord_id, 7);
    cr_assert_eq(buyer.cursor.left, 1);
    edge_client_expect(&buyer, MESSAGE_ORDER_STATUS);
    cr_assert_eq(edge_message.order_status.cl_ord_id, 7);
    cr_assert_eq(edge_message.order_status.reason, REASON_NEVER_ENTERED);
    edge_client_close(&buyer);
}

Test(gateway, replays_what_was_missed_page_after_page)
{
    static struct edge_client buyer;
    uint64_t next = 20;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){.next_report_seq = next});
    while (next <= EDGE_REPORTS_KEPT) {
        edge_client_expect(&buyer, MESSAGE_REPORTS);
        for (uint32_t i = 0; i < edge_message.reports.report_count; i++) {
            cr_assert_eq(edge_message.reports.reports[i].report_seq, next++);
        }
    }
    edge_settle();
    cr_assert_not(edge_client_has(&buyer));
    cr_assert_eq(edge.read_count, 3);
    edge_client_close(&buyer);
}

/* --- orders of several contracts ---------------------------------------------------------------------- */

static struct leg_row set_legs[SET_LEGS_MAX];

static struct request full_set(void)
{
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        set_legs[i] = (struct leg_row){.symbol = "H100.CN-GZ.G80.20261121T14Z", .price_e4 = i + 1};
    }
    return (struct request){.type = REQUEST_NEW_SET,
                            .new_set = {.legs = set_legs, .leg_count = SET_LEGS_MAX, .qty = 64}};
}

/* As many as one message holds: all of them reach the exchange, whole and in order. */
Test(gateway, sends_on_a_message_full_of_sets)
{
    static struct edge_client buyer;
    static struct request requests[16];
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    for (uint64_t i = 0; i < 16; i++) {
        requests[i] = full_set();
        requests[i].cl_ord_id = 10 + i;
    }
    edge_client_send(&buyer, requests, 16);
    EDGE_UNTIL(edge.command_count == 17);
    for (uint64_t i = 0; i < 16; i++) {
        cr_assert_eq(edge.commands[1 + i].head.type, COMMAND_NEW_SET);
        cr_assert_eq(edge.commands[1 + i].head.slots, 9);
        cr_assert_eq(edge.commands[1 + i].head.cl_ord_id, 10 + i);
    }
    edge_client_close(&buyer);
}

Test(gateway, refuses_a_set_by_its_leg_and_takes_its_neighbour)
{
    static struct edge_client buyer;
    struct leg_row wrong[3];
    struct request requests[2] = {full_set(), full_set()};
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    memcpy(wrong, set_legs, sizeof wrong);
    memcpy(wrong[2].symbol, "H200", 4);
    requests[0].cl_ord_id = 10;
    requests[0].new_set.legs = wrong;
    requests[0].new_set.leg_count = 3;
    requests[1].cl_ord_id = 11;
    edge_client_send(&buyer, requests, 2);
    edge_client_expect_reject(&buyer, REASON_UNKNOWN_SYMBOL);
    cr_assert_eq(edge_message.reject.index, 0);
    cr_assert_str_eq(edge_message.reject.field, "legs[3].symbol");
    EDGE_UNTIL(edge.command_count == 2);
    cr_assert_eq(edge.commands[1].head.cl_ord_id, 11);
    edge_client_close(&buyer);
}

/* Its legs come behind it, one by one here, with something else of the same key in between frames. */
Test(gateway, reports_a_set_once_and_whole)
{
    static struct edge_client buyer;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    struct event set = edge_event(EVENT_SET, EDGE_BUYER);
    set.party.report_seq = 1;
    set.party.cl_ord_id = 10;
    set.set.order_id = 77;
    set.set.qty = 64;
    set.set.leg_count = 8;
    set.head.flags = 0;
    edge_emit(&set);
    for (uint32_t first = 1; first <= 8; first += SET_LEGS_PER_EVENT) {
        struct event legs = {.head = set.head, .set_legs = {.order_id = 77}};
        legs.head.type = EVENT_SET_LEGS;
        for (uint32_t i = 0; i < SET_LEGS_PER_EVENT && first + i <= 8; i++) {
            legs.set_legs.legs[i] =
                (struct set_leg){.contract = contract_pack(0, 0, TIER_G80, 498686),
                                 .price_e4 = first + i,
                                 .leg = first + i};
        }
        edge_settle();
        cr_assert_not(edge_client_has(&buyer), "before it is whole");
        edge_emit(&legs);
    }
    edge_client_expect(&buyer, MESSAGE_REPORT);
    const struct report *report = &edge_message.report;
    cr_assert_eq(report->report_seq, 1);
    cr_assert_eq(report->request, REQUEST_NEW_SET);
    cr_assert_eq(report->leg_rows, 8);
    cr_assert_eq(report->legs[7].price_e4, 8);
    cr_assert_eq(report->legs[7].leg, 8);
    cr_assert_str_eq(report->legs[7].symbol, "H100.CN-GZ.G80.20261121T14Z");
    struct event miss = edge_event(EVENT_MISS, EDGE_BUYER);
    miss.miss.order_id = 77;
    miss.miss.wanted_qty = 64;
    edge_emit(&miss);
    edge_client_expect(&buyer, MESSAGE_REPORT);
    cr_assert_eq(edge_message.report.exec_type, EXEC_MISS);
    cr_assert_eq(edge_message.report.report_seq, 0);
    edge_settle();
    cr_assert_not(edge_client_has(&buyer), "once");
    edge_client_close(&buyer);
}

Test(gateway, reports_a_range_and_not_each_of_its_offers)
{
    static struct edge_client buyer;
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    static const uint8_t types[] = {EVENT_NEW, EVENT_REPLACED, EVENT_CANCELED};
    for (uint8_t done = RANGE_ENTERED; done <= RANGE_CANCELED; done++) {
        struct event range = edge_event(EVENT_RANGE, EDGE_BUYER);
        range.party.report_seq = 2 * done + 1U;
        range.range.done = done;
        edge_emit(&range);
        edge_client_expect(&buyer, MESSAGE_REPORT);
        cr_assert_eq(edge_message.report.report_seq, 2 * done + 1U);
        struct event hour = edge_event(types[done], EDGE_BUYER);
        hour.new_order.order_id = 5;
        edge_emit(&hour);
        struct event fill = edge_event(EVENT_FILL, EDGE_BUYER);
        fill.party.report_seq = 2 * done + 2U;
        edge_emit(&fill);
        edge_client_expect(&buyer, MESSAGE_REPORT);
        cr_assert_eq(edge_message.report.report_seq, 2 * done + 2U, "their fills are told");
    }
    edge_client_close(&buyer);
}

Test(gateway, asks_the_read_side_for_a_dry_run_and_enters_nothing)
{
    static struct edge_client buyer;
    struct request request = full_set();
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    request.ref = 5;
    request.new_set.dry_run = 1;
    edge_client_send(&buyer, &request, 1); /* it needs no session */
    edge_client_expect(&buyer, MESSAGE_QUOTE);
    cr_assert_eq(edge_message.quote.ref, 5);
    cr_assert_eq(edge_message.quote.fill_qty, 64, "with all its legs");
    cr_assert_eq(edge_message.quote.reserved_e4, 64);
    cr_assert_eq(edge.command_count, 0);
    /* In one message, so that they are of one second. */
    struct request many[EDGE_DRY_RUNS + 1];
    for (uint64_t i = 0; i <= EDGE_DRY_RUNS; i++) {
        many[i] = request;
        many[i].ref = 6 + i;
    }
    edge_client_send(&buyer, many, EDGE_DRY_RUNS + 1);
    edge_client_expect_reject(&buyer, REASON_TOO_FAST);
    cr_assert_str_eq(edge_message.reject.field, "dry_run");
    cr_assert_geq(edge_message.reject.ref, 6);
    edge_client_close(&buyer);
}

/* --- the link and the read side ------------------------------------------------------------------------ */

Test(gateway, ends_every_session_with_the_link_and_serves_again_when_it_is_back)
{
    static struct edge_client buyer;
    const struct request bid = edge_order(10);
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    link_server_close(edge.exchange); /* says BYE */
    edge.exchange = NULL;
    edge_client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(edge_message.logout.reason, REASON_EXCHANGE_UNREACHABLE);
    edge_client_send(&buyer, &bid, 1);
    edge_client_expect_reject(&buyer, REASON_EXCHANGE_UNREACHABLE);
    const struct request login = {.type = REQUEST_LOGIN};
    edge_client_send(&buyer, &login, 1);
    edge_client_expect_reject(&buyer, REASON_EXCHANGE_UNREACHABLE);
    edge_open_exchange();
    EDGE_UNTIL(edge.gateway->state == GATEWAY_SERVING);
    cr_assert_eq(edge.tables_asked, 2);
    edge_client_log_in(&buyer, (struct request_login){0});
    edge_client_close(&buyer);
}

Test(gateway, notices_an_exchange_that_has_fallen_silent)
{
    static struct edge_client buyer;
    struct gateway_settings settings = edge_settings();
    settings.link_timeout_s = 1;
    edge_open_gateway(settings);
    edge_client_open(&buyer, &edge.keys[EDGE_BUYER]);
    edge_client_log_in(&buyer, (struct request_login){0});
    edge.silent_exchange = true;
    edge_client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(edge_message.logout.reason, REASON_EXCHANGE_UNREACHABLE);
    edge.silent_exchange = false;
    EDGE_UNTIL(edge.gateway->state == GATEWAY_SERVING);
    edge_client_close(&buyer);
}

Test(gateway, does_not_serve_from_a_registry_that_is_older_than_its_link)
{
    link_server_close(edge.exchange);
    edge.exchange = NULL;
    EDGE_UNTIL(edge.gateway->state == GATEWAY_CONNECTING);
    edge.wrong_tables = true;
    const uint32_t asked = edge.tables_asked;
    edge_open_exchange();
    EDGE_UNTIL(edge.tables_asked > asked + 1);
    cr_assert_eq(edge.gateway->state, GATEWAY_LOADING);
    edge.wrong_tables = false;
    EDGE_UNTIL(edge.gateway->state == GATEWAY_SERVING);
}

Test(gateway, gives_up_a_read_that_nobody_answers)
{
    static struct reads reads;
    struct error error;
    struct read_answer answer;
    const struct read_waiting question = {.purpose = READ_FOR_CLIENT, .ref = 6};
    const struct read_head head = {.key = EDGE_BUYER};
    const struct request book = {.type = REQUEST_BOOK, .book = {.symbol = "X"}};
    cr_assert_eq(reads_open(&reads, edge.zmq, "ipc://nobody.sock", &error), 0);
    for (uint32_t i = 0; i < READS_WAITING_MAX; i++) {
        const int rc = reads_ask(&reads, &question, &head, &book, NS_PER_SECOND);
        cr_assert(rc == 0 || rc == ERROR_AGAIN);
    }
    cr_assert_lt(reads_ask(&reads, &question, &head, &book, NS_PER_SECOND), 0);
    cr_assert_eq(reads_expire(&reads, NS_PER_SECOND + READS_TIMEOUT_NS, &answer), 0);
    cr_assert_eq(reads_expire(&reads, NS_PER_SECOND + READS_TIMEOUT_NS + 1, &answer), 1);
    cr_assert_eq(answer.question.ref, 6);
    cr_assert_not(answer.in_time);
    reads_close(&reads);
}

Test(gateway, without_curve_believes_the_login)
{
    static struct edge_client buyer;
    const struct request bid = edge_order(10);
    struct request_login login = {.has_public_key = 1};
    struct gateway_settings settings = edge_settings();
    settings.curve = false;
    edge_open_gateway(settings);
    edge_client_open(&buyer, NULL);
    edge_client_send(&buyer, &bid, 1);
    edge_client_expect_reject(&buyer, REASON_NOT_LOGGED_IN);
    const struct request nobody = {.type = REQUEST_LOGIN};
    edge_client_send(&buyer, &nobody, 1);
    edge_client_expect_reject(&buyer, REASON_MISSING_FIELD);
    const struct request stranger = {.type = REQUEST_LOGIN, .login = login};
    edge_client_send(&buyer, &stranger, 1);
    edge_client_expect_reject(&buyer, REASON_UNKNOWN_KEY);
    cr_assert(codec_key_parse(edge.keys[EDGE_BUYER].public_text, CODEC_PUBLIC_KEY_TEXT,
                              login.public_key));
    edge_client_log_in(&buyer, login);
    cr_assert_eq(edge_message.login.key, EDGE_BUYER);
    edge_client_send(&buyer, &bid, 1);
    EDGE_UNTIL(edge.command_count == 2);
    edge_client_close(&buyer);
}
