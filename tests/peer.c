#include "tests/peer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

void *peer_zmq;
struct message peer_message;
struct peer_gateway peer_gateway;
struct peer_market peer_market;

static uint8_t bytes[CODEC_MESSAGE_MAX];
static struct request requests[CODEC_REQUESTS_MAX];
static uint64_t request_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
static struct codec_batch batch = {.requests = requests,
                                   .capacity = CODEC_REQUESTS_MAX,
                                   .rows = {.memory = request_rows, .size = sizeof request_rows}};

static void *bind_to(int type, char endpoint[ENDPOINT_SIZE])
{
    void *socket = zmq_socket(peer_zmq, type);
    size_t size = ENDPOINT_SIZE;
    int zero = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof(zero));
    cr_assert_eq(zmq_bind(socket, "tcp://127.0.0.1:*"), 0);
    cr_assert_eq(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    return socket;
}

/* --- a gateway ---------------------------------------------------------------------------------------- */

void peer_gateway_say(void)
{
    size_t length = codec_encode_message(&peer_message, bytes, sizeof(bytes));
    cr_assert_gt(length, 0);
    zmq_send(peer_gateway.socket, peer_gateway.client, peer_gateway.client_size, ZMQ_SNDMORE);
    zmq_send(peer_gateway.socket, bytes, length, 0);
}

static struct report report_of(uint64_t report_seq)
{
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

void peer_gateway_report(uint64_t report_seq)
{
    peer_message.type = MESSAGE_REPORT;
    peer_message.report = report_of(report_seq);
    peer_gateway_say();
}

static void answer_order(const struct request *request)
{
    peer_gateway.order_numbers[peer_gateway.orders_seen++] = request->cl_ord_id;
    if (peer_gateway.mute) {
        return;
    }
    if (request->cl_ord_id <= peer_gateway.highest_cl_ord_id) {
        peer_message.type = MESSAGE_REPORT;
        peer_message.report = (struct report){.seq = 1,
                                              .cl_ord_id = request->cl_ord_id,
                                              .exec_type = EXEC_REJECTED,
                                              .request = REQUEST_NEW_ORDER,
                                              .reason = REASON_DUPLICATE,
                                              .transact_time_ns = 1};
        peer_gateway_say();
        peer_message.type = MESSAGE_ORDER_STATUS;
        peer_message.order_status = (struct order_status_answer){.seq = 1,
                                                                 .cl_ord_id = request->cl_ord_id,
                                                                 .reason = REASON_NEVER_ENTERED,
                                                                 .request = REQUEST_NEW_ORDER};
        peer_gateway_say();
        return;
    }
    peer_gateway.highest_cl_ord_id = request->cl_ord_id;
    peer_gateway_report(++peer_gateway.highest_report_seq);
}

static void answer_reports(const struct request *request)
{
    static struct reports_answer *const answer = &peer_message.reports;
    memset(&peer_message, 0, sizeof(peer_message));
    peer_message.type = MESSAGE_REPORTS;
    answer->ref = request->ref;
    answer->seq = 1;
    answer->highest_report_seq = peer_gateway.highest_report_seq;
    uint64_t from = request->reports.from_report_seq;
    while (answer->report_count < 10 && from <= peer_gateway.highest_report_seq) {
        answer->reports[answer->report_count++] = report_of(from++);
    }
    answer->more = from <= peer_gateway.highest_report_seq;
    peer_gateway_say();
}

static void refuse(const struct request *request, uint16_t reason)
{
    peer_message.type = MESSAGE_REJECT;
    peer_message.reject = (struct reject){.cl_ord_id = request->cl_ord_id,
                                          .ref = request->ref,
                                          .request = request->type,
                                          .reason = reason};
    if (peer_gateway.refused_field != NULL) {
        (void)snprintf(peer_message.reject.field, CODEC_FIELD_SIZE, "%s",
                       peer_gateway.refused_field);
    }
    peer_gateway_say();
}

static void reject_value(const struct request *request)
{
    peer_message.type = MESSAGE_REPORT;
    peer_message.report =
        (struct report){.seq = 1,
                        .report_seq = ++peer_gateway.highest_report_seq,
                        .cl_ord_id = request->cl_ord_id,
                        .exec_type = EXEC_REJECTED,
                        .request = request->type,
                        .reason = REASON_VALUE_OUT_OF_RANGE,
                        .field = peer_gateway.refused_value,
                        .value = peer_gateway.refused_value == REJECT_FIELD_ROLES ? 8 : 0,
                        .bound = 1};
    peer_gateway_say();
}

/* One market there is, on the second page. */
static void answer_markets(const struct request *request)
{
    bool second = request->list.after == 1;
    peer_message.type = MESSAGE_MARKETS;
    peer_message.list =
        (struct list_answer){.ref = request->ref, .seq = 1, .more = !second, .count = 1};
    peer_message.list.markets[0] = (struct market_row){.id = second ? 2 : 1,
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
        memcpy(peer_message.list.markets[0].region, "CN-GZ", sizeof "CN-GZ");
    }
    peer_gateway_say();
}

/* A replace or take, which trades at once. */
static void answer_trading(const struct request *request)
{
    bool take = request->type == REQUEST_TAKE_OFFER;
    peer_message.type = MESSAGE_REPORT;
    peer_message.report = (struct report){.seq = 1,
                                          .report_seq = ++peer_gateway.highest_report_seq,
                                          .cl_ord_id = request->cl_ord_id,
                                          .order_id = 7,
                                          .exec_type = take ? EXEC_NEW : EXEC_REPLACED,
                                          .ord_status = STATUS_NEW,
                                          .request = request->type,
                                          .price_e4 = 164000,
                                          .order_qty = 8};
    peer_gateway_say();
    peer_message.report = (struct report){.seq = 1,
                                          .report_seq = ++peer_gateway.highest_report_seq,
                                          .cl_ord_id = request->cl_ord_id,
                                          .order_id = 7,
                                          .exec_id = 91,
                                          .exec_type = EXEC_TRADE,
                                          .ord_status = STATUS_FILLED,
                                          .last_px_e4 = 163000,
                                          .last_qty = 8,
                                          .fields = REPORT_TRADE};
    peer_gateway_say();
}

static void answer_status(const struct request *request)
{
    peer_message.type = MESSAGE_ORDER_STATUS;
    peer_message.order_status = (struct order_status_answer){.ref = request->ref, .seq = 1};
    peer_gateway_say();
}

static void answer_account(const struct request *request)
{
    peer_message.type = MESSAGE_ACCOUNT;
    peer_message.account = (struct account_answer){.ref = request->ref,
                                                   .seq = 1,
                                                   .account = 5,
                                                   .name = "b",
                                                   .cash_e4 = 49998953195,
                                                   .credit_e4 = 20000,
                                                   .reserved_e4 = 1000100};
    peer_gateway_say();
}

static void answer_book(const struct request *request)
{
    peer_message.type = MESSAGE_BOOK;
    peer_message.book =
        (struct book_answer){.ref = request->ref,
                             .seq = 1,
                             .symbol = PEER_SYMBOL,
                             .best_offer_e4 = 132000,
                             .best_offer_qty = 8,
                             .offer_count = 2,
                             .offers = {{131000, 0, 0, 64, 1}, {132000, 8, 0, 0, 1}}};
    peer_gateway_say();
}

static void answer_done(const struct request *request)
{
    peer_message.type = MESSAGE_REPORT;
    peer_message.report = (struct report){.seq = 1,
                                          .report_seq = ++peer_gateway.highest_report_seq,
                                          .cl_ord_id = request->cl_ord_id,
                                          .exec_type = EXEC_DONE,
                                          .request = request->type};
    peer_gateway_say();
}

static bool refuses(const struct request *request)
{
    bool login = request->type == REQUEST_LOGIN;
    if (peer_gateway.refused_value != REJECT_FIELD_NONE && request->cl_ord_id != 0) {
        reject_value(request);
    } else if (peer_gateway.refused_field != NULL && !login && request->type != REQUEST_HEARTBEAT) {
        refuse(request, peer_gateway.refused_reason);
    } else if (login && peer_gateway.refused_logins > 0) {
        peer_gateway.refused_logins--;
        refuse(request, REASON_EXCHANGE_UNREACHABLE);
    } else if (request->type == REQUEST_ORDERS && peer_gateway.refused_reads > 0) {
        peer_gateway.refused_reads--;
        refuse(request, peer_gateway.refused_reason);
    } else {
        return false;
    }
    return true;
}

static void answer(const struct request *request)
{
    if (refuses(request)) {
        return;
    }
    switch (request->type) {
    case REQUEST_LOGIN:
        peer_gateway.logins++;
        peer_message.type = MESSAGE_LOGIN;
        peer_message.login =
            (struct login_answer){.ref = request->ref,
                                  .session = peer_gateway.logins,
                                  .highest_cl_ord_id = peer_gateway.highest_cl_ord_id,
                                  .highest_report_seq = peer_gateway.highest_report_seq,
                                  .heartbeat_interval_s = 1};
        peer_gateway_say();
        break;
    case REQUEST_HEARTBEAT:
        peer_gateway.heartbeats++;
        peer_message.type = MESSAGE_HEARTBEAT;
        peer_message.heartbeat = (struct heartbeat_answer){.ref = request->ref, .seq = 1};
        peer_gateway_say();
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
    case REQUEST_BOOK:
        answer_book(request);
        break;
    case REQUEST_ORDER_STATUS:
        answer_status(request);
        break;
    case REQUEST_HALT:
        peer_gateway.halt = request->halt;
        answer_done(request);
        break;
    case REQUEST_REGISTER_KEY:
        peer_gateway.key = request->register_key;
        answer_done(request);
        break;
    case REQUEST_SET_MARKET:
        peer_gateway.terms = request->set_market;
        answer_done(request);
        break;
    case REQUEST_ORDERS:
        peer_message.type = MESSAGE_ORDERS;
        peer_message.orders = (struct orders_answer){.ref = request->ref, .seq = 1};
        peer_gateway_say();
        break;
    default:
        break;
    }
}

void peer_gateway_serve(void)
{
    for (;;) {
        char client[256];
        int size = peer_gateway.socket == NULL
                       ? -1
                       : zmq_recv(peer_gateway.socket, client, sizeof(client), ZMQ_DONTWAIT);
        if (size < 0) {
            return;
        }
        memcpy(peer_gateway.client, client, (size_t)size);
        peer_gateway.client_size = (size_t)size;
        int length = zmq_recv(peer_gateway.socket, bytes, sizeof(bytes), 0);
        cr_assert_eq(codec_decode_requests(bytes, (size_t)length, &batch), 0);
        for (uint32_t i = 0; i < batch.count; i++) {
            answer(&requests[i]);
        }
    }
}

void peer_gateway_bind(void)
{
    peer_gateway.socket = bind_to(ZMQ_ROUTER, peer_gateway.endpoint);
}

void peer_gateway_open(void)
{
    peer_zmq = zmq_ctx_new();
    peer_gateway_bind();
}

void peer_gateway_close(void)
{
    if (peer_gateway.socket != NULL) {
        zmq_close(peer_gateway.socket);
    }
    zmq_ctx_term(peer_zmq);
}

/* --- a replica's market data -------------------------------------------------------------------------- */

void peer_market_open(void)
{
    peer_zmq = zmq_ctx_new();
    peer_market.pub = bind_to(ZMQ_PUB, peer_market.pub_endpoint);
    peer_market.snapshots = bind_to(ZMQ_ROUTER, peer_market.snapshot_endpoint);
}

void peer_market_close(void)
{
    zmq_close(peer_market.pub);
    zmq_close(peer_market.snapshots);
    zmq_ctx_term(peer_zmq);
}

void peer_market_change(bool lost)
{
    uint64_t prev_seq = peer_market.seq;
    peer_market.seq += 2;
    peer_market.bid_qty = (int64_t)peer_market.seq + 1;
    peer_message.type = MESSAGE_MARKET_DATA;
    peer_message.market_data = (struct market_data){.seq = peer_market.seq,
                                                    .prev_seq = prev_seq,
                                                    .symbol = PEER_SYMBOL,
                                                    .best_bid_e4 = 164000,
                                                    .best_bid_qty = peer_market.bid_qty,
                                                    .trade_count = 1,
                                                    .level_count = 1};
    peer_message.market_data.trades[0] =
        (struct md_trade_row){.fill_id = peer_market.seq, .price_e4 = 164000, .qty = 8};
    peer_message.market_data.levels[0] = (struct md_level_row){
        .price_e4 = 164000, .qty = peer_market.bid_qty, .orders = 1, .side = SIDE_BUY};
    size_t length = codec_encode_message(&peer_message, bytes, sizeof(bytes));
    if (!lost) {
        zmq_send(peer_market.pub, "md." PEER_SYMBOL, strlen("md." PEER_SYMBOL), ZMQ_SNDMORE);
        zmq_send(peer_market.pub, bytes, length, 0);
    }
}

void peer_market_serve(void)
{
    char client[256];
    int size;
    while ((size = zmq_recv(peer_market.snapshots, client, sizeof(client), ZMQ_DONTWAIT)) >= 0) {
        int length = zmq_recv(peer_market.snapshots, bytes, sizeof(bytes), 0);
        cr_assert_eq(codec_decode_requests(bytes, (size_t)length, &batch), 0);
        cr_assert_eq(requests[0].type, REQUEST_BOOK);
        peer_market.asked++;
        if (peer_market.dead) {
            continue;
        }
        peer_message.type = MESSAGE_BOOK;
        peer_message.book =
            (struct book_answer){.ref = requests[0].ref,
                                 .seq = peer_market.seq,
                                 .contract_seq = peer_market.seq,
                                 .symbol = PEER_SYMBOL,
                                 .best_bid_e4 = peer_market.bid_qty == 0 ? 0 : 164000,
                                 .best_bid_qty = peer_market.bid_qty,
                                 .bid_count = peer_market.bid_qty == 0 ? 0 : 1};
        peer_message.book.bids[0] =
            (struct level_row){.price_e4 = 164000, .qty = peer_market.bid_qty, .orders = 1};
        size_t answer_length = codec_encode_message(&peer_message, bytes, sizeof(bytes));
        zmq_send(peer_market.snapshots, client, (size_t)size, ZMQ_SNDMORE);
        zmq_send(peer_market.snapshots, bytes, answer_length, 0);
    }
}
