/* Where reads are answered: the sockets of gateways and of anybody. */
#include <criterion/criterion.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/endpoints.h"
#include "exchange/reads_server.h"
#include "tests/reads_world.h"
#include "wire/read.h"

#define DEADLINE_NS INT64_C(20000000000)

struct service {
    void *context;
    void *gateway;
    void *watcher;
    struct reads_server *server;
    int64_t now_ns;
};

static void *connect_dealer(void *context, const char *endpoint)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int linger_ms = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    CHECK(zmq_connect(socket, endpoint) == 0);
    return socket;
}

static void open_service(struct reads_world *world, struct service *service)
{
    *service = (struct service){.context = zmq_ctx_new()};
    char reads[ENDPOINT_SIZE] = "inproc://reads";
    char snapshot[ENDPOINT_SIZE] = "tcp://127.0.0.1:*";
    cr_assert(reads_server_open(&service->server, service->context, &world->replica, reads,
                                snapshot, &world->error) == 0,
              "%s", world->error.text);
    service->gateway = connect_dealer(service->context, reads);
    service->watcher = connect_dealer(service->context, snapshot);
}

static void close_service(struct service *service)
{
    zmq_close(service->gateway);
    zmq_close(service->watcher);
    reads_server_close(service->server);
    zmq_ctx_term(service->context);
}

static void turn(struct reads_world *world, struct service *service)
{
    bool more;
    int64_t waiting_ns;
    cr_assert(
        reads_server_turn(service->server, service->now_ns, &more, &waiting_ns, &world->error) == 0,
        "%s", world->error.text);
}

static void send_read(struct service *service, uint8_t kind, uint64_t min_seq,
                      const struct request *request)
{
    static uint8_t bytes[READS_REQUEST_MAX];
    size_t length = request ? codec_encode_request(request, bytes, sizeof(bytes)) : 0;
    struct read_head head = {.magic = READ_MAGIC,
                             .version = 1,
                             .kind = kind,
                             .key = 3,
                             .account = 3,
                             .roles = ROLE_BUYER,
                             .min_seq = min_seq,
                             .correlation = 4711};
    CHECK(zmq_send(service->gateway, &head, sizeof(head), ZMQ_SNDMORE) > 0);
    CHECK(zmq_send(service->gateway, bytes, length, 0) == (int)length);
}

/* Turns the server until an answer is there. */
static size_t receive(struct reads_world *world, struct service *service, void *socket,
                      struct read_head *head, void *body, size_t capacity)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    int size = -1;
    while (size < 0 && clock_monotonic_ns() < until_ns) {
        turn(world, service);
        size = head ? zmq_recv(socket, head, sizeof(*head), ZMQ_DONTWAIT)
                    : zmq_recv(socket, body, capacity, ZMQ_DONTWAIT);
    }
    cr_assert(size > 0);
    if (head) {
        cr_assert(size == (int)sizeof(*head) && head->correlation == 4711);
        size = zmq_recv(socket, body, capacity, 0);
        cr_assert(size >= 0);
    }
    return (size_t)size;
}

static void decode(const uint8_t *bytes, size_t length, struct message *message)
{
    struct codec_cursor cursor;
    cr_assert(codec_decode_begin(&cursor, bytes, length) == 0 && cursor.left == 1);
    cr_assert(codec_decode_next(&cursor, message) == 0);
}

Test(reads_server, a_read_waits_for_its_state_and_lags_when_it_does_not_come)
{
    struct reads_world *world = reads_world_new();
    struct service service;
    open_service(world, &service);
    static uint8_t bytes[CODEC_MESSAGE_MAX];
    struct read_head head;
    struct request request = {.type = REQUEST_ACCOUNT, .ref = 5};
    uint64_t seq = replica_seq(&world->replica);

    send_read(&service, READ_REQUEST, seq + 1, &request);
    for (int i = 0; i < 20; i++) {
        turn(world, &service);
        cr_assert(zmq_recv(service.gateway, &head, sizeof(head), ZMQ_DONTWAIT) < 0);
    }
    reads_world_begin(world, 0, COMMAND_TICK);
    reads_world_end(world);
    size_t length = receive(world, &service, service.gateway, &head, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    cr_assert(head.kind == READ_ANSWER && head.seq == seq + 1);
    cr_assert(world->message.type == MESSAGE_ACCOUNT && world->message.account.ref == 5);

    send_read(&service, READ_REQUEST, seq + 100, &request);
    turn(world, &service);
    service.now_ns += READS_WAIT_NS;
    length = receive(world, &service, service.gateway, &head, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    reads_world_expect_reject(&world->message, REASON_LAGGING);
    cr_assert(world->message.reject.ref == 5);
    close_service(&service);
    reads_world_free(world);
}

/* Its legs are kept while it waits, whatever else is decoded meanwhile. */
Test(reads_server, a_dry_run_waits_with_all_its_legs)
{
    struct reads_world *world = reads_world_new();
    struct service service;
    open_service(world, &service);
    static struct leg_row legs[SET_LEGS_MAX];
    static uint8_t bytes[CODEC_MESSAGE_MAX];
    struct read_head head;
    const uint64_t seq = replica_seq(&world->replica);
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        legs[i] = (struct leg_row){.price_e4 = 100000};
        contract_format(&world->replica.registry.names,
                        contract_pack(0, 0, TIER_G80, READS_WORLD_HOUR + i), legs[i].symbol);
    }
    legs[63].price_e4 = 900000;
    struct request request = {
        .type = REQUEST_NEW_SET,
        .ref = 5,
        .new_set = {.legs = legs, .leg_count = SET_LEGS_MAX, .qty = 64, .dry_run = 1}};
    send_read(&service, READ_REQUEST, seq + 1, &request);
    turn(world, &service);
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        memset(legs[i].symbol, 'X', 20);
    }
    send_read(&service, READ_REQUEST, seq + 100, &request);
    turn(world, &service);
    reads_world_begin(world, 0, COMMAND_TICK);
    reads_world_end(world);
    size_t length = receive(world, &service, service.gateway, &head, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    cr_assert_eq(world->message.type, MESSAGE_QUOTE);
    cr_assert_eq(world->message.quote.reason, REASON_PRICE_OUTSIDE_BAND);
    cr_assert_eq(world->message.quote.leg, 64);
    close_service(&service); /* with one that still waits: the sanitizer looks for its legs */
    reads_world_free(world);
}

Test(reads_server, a_starting_gateway_gets_the_whole_registry_in_order)
{
    struct reads_world *world = reads_world_new();
    struct service service;
    open_service(world, &service);
    static uint8_t bytes[100 * sizeof(struct event)];
    struct read_head head;
    send_read(&service, READ_TABLES, 0, NULL);
    size_t length = receive(world, &service, service.gateway, &head, bytes, sizeof(bytes));
    cr_assert(head.kind == READ_TABLES_ANSWER && head.seq == replica_seq(&world->replica));
    cr_assert(length > 0 && length % sizeof(struct event) == 0);
    uint64_t counts[64] = {0};
    uint64_t last_seq = 0;
    for (size_t at = 0; at < length; at += sizeof(struct event)) {
        struct event event;
        memcpy(&event, bytes + at, sizeof(event));
        cr_assert(event.head.seq >= last_seq);
        last_seq = event.head.seq;
        counts[event.head.type]++;
    }
    cr_assert(counts[EVENT_CLASS] == 1 && counts[EVENT_REGION] == 1 && counts[EVENT_MARKET] == 1);
    cr_assert(counts[EVENT_GROUP] == 4 && counts[EVENT_ACCOUNT] == 4 && counts[EVENT_KEY] == 5);
    cr_assert(counts[EVENT_RESOURCE] == 1 && counts[EVENT_RESOURCE_IDENTITY] == 1);
    close_service(&service);
    reads_world_free(world);
}

static void ask_anybody(struct service *service, const void *bytes, size_t length)
{
    CHECK(zmq_send(service->watcher, bytes, length, 0) == (int)length);
}

Test(reads_server, the_snapshot_service_gives_books_to_anybody_and_nothing_else)
{
    struct reads_world *world = reads_world_new();
    reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4, 5);
    struct service service;
    open_service(world, &service);
    static uint8_t bytes[CODEC_MESSAGE_MAX];
    struct request request = {.type = REQUEST_BOOK, .ref = 3};
    reads_world_put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20261120T05Z");
    ask_anybody(&service, bytes, codec_encode_request(&request, bytes, sizeof(bytes)));
    size_t length = receive(world, &service, service.watcher, NULL, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    cr_assert(world->message.type == MESSAGE_BOOK && world->message.book.offers[0].qty == 5);
    cr_assert(world->message.book.contract_seq == world->message.book.seq);

    request = (struct request){.type = REQUEST_ACCOUNT};
    request.account.account = 1;
    ask_anybody(&service, bytes, codec_encode_request(&request, bytes, sizeof(bytes)));
    length = receive(world, &service, service.watcher, NULL, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    reads_world_expect_reject(&world->message, REASON_UNKNOWN_TYPE);

    ask_anybody(&service, "\xc1\xff", 2);
    length = receive(world, &service, service.watcher, NULL, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    reads_world_expect_reject(&world->message, REASON_MALFORMED);
    close_service(&service);
    reads_world_free(world);
}
