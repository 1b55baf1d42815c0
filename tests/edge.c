#include "tests/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

struct edge edge;
struct message edge_message;
static uint64_t edge_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)]; /* its lists */
uint8_t edge_bytes[4 * CODEC_MESSAGE_MAX + 1024];

/* --- the exchange and the read side that the test plays -------------------------------------------- */

struct event edge_event(uint8_t type, uint32_t key)
{
    struct event event = {.head = {.seq = ++edge.seq,
                                   .time_ns = 77,
                                   .link = EDGE_LINK,
                                   .type = type,
                                   .flags = EVENT_LAST}};
    event.party.key = key;
    event.party.account = 10 + key;
    return event;
}

void edge_emit(const struct event *event)
{
    cr_assert_eq(link_server_send(edge.exchange, edge.link_peer, event, 1), 0);
}

static void answer_login(const struct command *command)
{
    struct event event = edge_event(EVENT_LOGIN, command->head.key);
    event.login.nonce = command->login.nonce;
    event.login.session = 40 + (uint32_t)edge.seq;
    event.login.highest_cl_ord_id = 9;
    event.login.highest_report_seq = EDGE_REPORTS_KEPT;
    edge_emit(&event);
}

static void take_commands(const struct link_frame *frame)
{
    for (uint32_t i = 0; i < frame->count; i += frame->slots[i].command.head.slots) {
        const struct command *command = &frame->slots[i].command;
        cr_assert_lt(edge.command_count, EDGE_COMMANDS_MAX);
        edge.commands[edge.command_count++] = *command;
        if (command->head.type == COMMAND_LOGIN) {
            answer_login(command);
        } else if (command->head.type == COMMAND_LOGOUT) {
            const struct event event = edge_event(EVENT_LOGOUT, command->head.key);
            edge_emit(&event);
        }
    }
}

static void turn_exchange(void)
{
    struct link_frame frame;
    struct error error;
    while (!edge.silent_exchange && edge.exchange != NULL &&
           link_server_receive(edge.exchange, clock_monotonic_ns(), &frame, &error) == 1) {
        edge.link_peer = frame.peer;
        if (frame.kind == FRAME_HELLO) {
            cr_assert_eq(link_server_welcome(edge.exchange, frame.peer, EDGE_LINK, edge.seq), 0);
        } else if (frame.kind == FRAME_PING) {
            (void)link_server_pong(edge.exchange, frame.peer, edge.seq);
        } else if (frame.kind == FRAME_COMMANDS) {
            take_commands(&frame);
        }
    }
}

static size_t registry_events(struct event events[8])
{
    memset(events, 0, 8 * sizeof *events);
    events[0].head.type = EVENT_CLASS;
    memcpy(events[0].class_.name, "H100", 4);
    events[1].head.type = EVENT_REGION;
    memcpy(events[1].region.name, "CN-GZ", 5);
    for (uint32_t key = EDGE_OPERATOR; key <= EDGE_BUYER; key++) {
        struct event *event = &events[1 + key];
        event->head.type = EVENT_KEY;
        event->key.key = key;
        event->key.account = 10 + key;
        event->key.roles = key == EDGE_OPERATOR ? ROLE_OPERATOR : ROLE_BUYER;
        cr_assert(codec_key_parse(edge.keys[key].public_text, CODEC_PUBLIC_KEY_TEXT,
                                  event->key.public_key));
    }
    return 4;
}

/* Reports are asked for from a number on and come in pages of 64. */
static size_t answer_read(const struct request *request, uint8_t *out, size_t capacity)
{
    memset(&edge_message, 0, sizeof edge_message);
    if (request->type == REQUEST_REPORTS) {
        struct reports_answer *answer = &edge_message.reports;
        uint64_t next = request->reports.from_report_seq;
        edge_message.type = MESSAGE_REPORTS;
        answer->seq = edge.seq;
        answer->highest_report_seq = EDGE_REPORTS_KEPT;
        while (next <= EDGE_REPORTS_KEPT && answer->report_count < CODEC_ROWS_MAX) {
            answer->reports[answer->report_count++] =
                (struct report){.exec_type = EXEC_DONE, .report_seq = next++};
        }
        answer->more = next <= EDGE_REPORTS_KEPT;
    } else if (request->type == REQUEST_ORDER_STATUS) {
        edge_message.type = MESSAGE_ORDER_STATUS;
        edge_message.order_status.seq = edge.seq;
        edge_message.order_status.cl_ord_id = request->order_status.cl_ord_id;
        edge_message.order_status.reason = REASON_NEVER_ENTERED;
    } else if (request->type == REQUEST_NEW_SET) {
        edge_message.type = MESSAGE_QUOTE;
        edge_message.quote.ref = request->ref;
        edge_message.quote.request = request->type;
        edge_message.quote.fill_qty = request->new_set.leg_count;
        edge_message.quote.reserved_e4 = request->new_set.legs[63].price_e4;
    } else {
        edge_message.type = MESSAGE_BOOK;
        edge_message.book.seq = edge.seq;
        edge_message.book.ref = request->ref;
    }
    return codec_encode_message(&edge_message, out, capacity);
}

static void turn_replica(void)
{
    uint8_t id[256];
    struct read_head head;
    int id_size;
    while ((id_size = zmq_recv(edge.replica, id, sizeof id, ZMQ_DONTWAIT)) > 0) {
        cr_assert_eq(zmq_recv(edge.replica, &head, sizeof head, 0), (int)sizeof head);
        const int size = zmq_recv(edge.replica, edge_bytes, sizeof edge_bytes, 0);
        struct event events[8];
        const void *body = events;
        size_t length;
        head.seq = edge.seq;
        if (head.kind == READ_TABLES) {
            edge.tables_asked++;
            head.kind = READ_TABLES_ANSWER;
            head.seq -= edge.wrong_tables ? 1 : 0;
            length = registry_events(events) * sizeof *events;
        } else {
            struct request request;
            uint64_t rows[CODEC_REQUEST_ROWS_BYTES / sizeof(uint64_t)];
            struct codec_batch batch = {
                .requests = &request, .capacity = 1, .rows = {.memory = rows, .size = sizeof rows}};
            cr_assert_eq(codec_decode_requests(edge_bytes, (size_t)size, &batch), 0);
            edge.last_read = head;
            edge.read_count++;
            head.kind = READ_ANSWER;
            length = answer_read(&request, edge_bytes, sizeof edge_bytes);
            body = edge_bytes;
        }
        zmq_send(edge.replica, id, (size_t)id_size, ZMQ_SNDMORE);
        zmq_send(edge.replica, &head, sizeof head, ZMQ_SNDMORE);
        zmq_send(edge.replica, body, length, 0);
    }
}

void edge_turn(void)
{
    struct error error;
    cr_assert_geq(gateway_turn(edge.gateway, &error), 0, "%s", error.text);
    turn_exchange();
    turn_replica();
}

void edge_settle(void)
{
    for (int quiet = 0; quiet < 20; quiet++) {
        const uint64_t before = edge.gateway->counts.messages + edge.gateway->counts.events +
                                edge.command_count + edge.read_count;
        edge_turn();
        zmq_poll(NULL, 0, 2);
        quiet = before != edge.gateway->counts.messages + edge.gateway->counts.events +
                              edge.command_count + edge.read_count
                    ? 0
                    : quiet;
    }
}

/* --- clients ----------------------------------------------------------------------------------------- */

void edge_client_open(struct edge_client *client, const struct edge_pair *pair)
{
    const int zero = 0;
    const int size = CODEC_PUBLIC_KEY_TEXT + 1;
    memset(client, 0, sizeof *client);
    client->socket = zmq_socket(edge.zmq, ZMQ_DEALER);
    zmq_setsockopt(client->socket, ZMQ_LINGER, &zero, sizeof zero);
    if (pair != NULL) {
        zmq_setsockopt(client->socket, ZMQ_CURVE_SERVERKEY, edge.server.public_text, (size_t)size);
        zmq_setsockopt(client->socket, ZMQ_CURVE_PUBLICKEY, pair->public_text, (size_t)size);
        zmq_setsockopt(client->socket, ZMQ_CURVE_SECRETKEY, pair->secret_text, (size_t)size);
    }
    cr_assert_eq(zmq_connect(client->socket, edge.endpoint), 0);
}

void edge_client_close(struct edge_client *client)
{
    zmq_close(client->socket);
}

void edge_client_send(struct edge_client *client, const struct request *requests, uint16_t count)
{
    size_t length = count > 1 ? codec_encode_array_head(count, edge_bytes, sizeof edge_bytes) : 0;
    for (uint16_t i = 0; i < count; i++) {
        length +=
            codec_encode_request(&requests[i], edge_bytes + length, sizeof edge_bytes - length);
    }
    cr_assert_eq(zmq_send(client->socket, edge_bytes, length, ZMQ_DONTWAIT), (int)length);
}

bool edge_client_has(struct edge_client *client)
{
    if (client->cursor.left == 0) {
        client->length =
            zmq_recv(client->socket, client->bytes, sizeof client->bytes, ZMQ_DONTWAIT);
        if (client->length > 0) {
            cr_assert_eq(codec_decode_begin(&client->cursor, client->bytes, (size_t)client->length),
                         0);
            client->cursor.rows =
                (struct codec_rows){.memory = edge_rows, .size = sizeof edge_rows};
        }
    }
    return client->cursor.left > 0;
}

void edge_client_expect(struct edge_client *client, uint8_t type)
{
    do {
        EDGE_UNTIL(edge_client_has(client));
        cr_assert_eq(codec_decode_next(&client->cursor, &edge_message), 0);
        /* The gateway's own heartbeats come when they come. */
    } while (edge_message.type == MESSAGE_HEARTBEAT && edge_message.heartbeat.ref == 0);
    cr_assert_eq(edge_message.type, type, "%u instead of %u (%s)", edge_message.type, type,
                 edge_message.type == MESSAGE_REJECT ? reason_name(edge_message.reject.reason)
                                                     : "");
}

void edge_client_expect_reject(struct edge_client *client, uint16_t reason)
{
    edge_client_expect(client, MESSAGE_REJECT);
    cr_assert_eq(edge_message.reject.reason, reason, "%s instead of %s",
                 reason_name(edge_message.reject.reason), reason_name(reason));
}

void edge_client_log_in(struct edge_client *client, struct request_login login)
{
    const struct request request = {.type = REQUEST_LOGIN, .ref = 5, .login = login};
    edge_client_send(client, &request, 1);
    edge_client_expect(client, MESSAGE_LOGIN);
}

struct request edge_order(uint64_t cl_ord_id)
{
    return (struct request){
        .type = REQUEST_NEW_ORDER,
        .cl_ord_id = cl_ord_id,
        .new_order = {.symbol = "H100.CN-GZ.G80.20261121T14Z", .price_e4 = 164000, .qty = 8}};
}

/* --- set-up ------------------------------------------------------------------------------------------ */

void edge_open_exchange(void)
{
    struct error error;
    cr_assert_eq(link_server_open(&edge.exchange, edge.zmq, "ipc://link.sock", &error), 0, "%s",
                 error.text);
}

static void close_gateway(void)
{
    if (edge.gateway != NULL) {
        gateway_close(edge.gateway);
        zmq_ctx_term(edge.gateway_zmq);
        free(edge.gateway);
        edge.gateway = NULL;
    }
}

void edge_open_gateway(struct gateway_settings settings)
{
    struct error error;
    close_gateway();
    edge.gateway_zmq = zmq_ctx_new();
    edge.gateway = calloc(1, sizeof *edge.gateway);
    cr_assert_eq(gateway_open(edge.gateway, edge.gateway_zmq, &settings, &error), 0, "%s",
                 error.text);
    EDGE_UNTIL(edge.gateway->clients != NULL);
    cr_assert_eq(endpoints_read("gateway.east", "clients", edge.endpoint, &error), 0);
}

struct gateway_settings edge_settings(void)
{
    return (struct gateway_settings){.name = "east",
                                     .clients = "tcp://127.0.0.1:*",
                                     .link = "ipc://link.sock",
                                     .reads = "ipc://reads.sock",
                                     .key_path = "keys/gateway.key",
                                     .curve = true,
                                     .heartbeat_interval_s = 30,
                                     .link_timeout_s = 5,
                                     .messages_per_second = 1000,
                                     .requests_per_second = 100000,
                                     .dry_runs_per_second = EDGE_DRY_RUNS,
                                     .connections = 8,
                                     .reads_waiting = 64,
                                     .high_water = 1000};
}

void edge_set_up(void)
{
    memset(&edge, 0, sizeof edge);
    memcpy(edge.dir, "/tmp/kashi-gateway.XXXXXX", 26);
    cr_assert_not_null(mkdtemp(edge.dir));
    cr_assert_eq(chdir(edge.dir), 0);
    cr_assert_eq(mkdir("keys", 0700), 0);
    zmq_curve_keypair(edge.server.public_text, edge.server.secret_text);
    for (int key = 0; key < 3; key++) {
        zmq_curve_keypair(edge.keys[key].public_text, edge.keys[key].secret_text);
    }
    FILE *file = fopen("keys/gateway.key", "w");
    (void)fprintf(file, "public = %s\nsecret = %s\n", edge.server.public_text,
                  edge.server.secret_text);
    (void)fclose(file);
    edge.seq = 100;
    edge.zmq = zmq_ctx_new();
    edge_open_exchange();
    edge.replica = zmq_socket(edge.zmq, ZMQ_ROUTER);
    const int zero = 0;
    zmq_setsockopt(edge.replica, ZMQ_LINGER, &zero, sizeof zero);
    cr_assert_eq(zmq_bind(edge.replica, "ipc://reads.sock"), 0);
    edge_open_gateway(edge_settings());
}

void edge_tear_down(void)
{
    session_sanity(&edge.gateway->sessions);
    close_gateway();
    link_server_close(edge.exchange);
    zmq_close(edge.replica);
    zmq_ctx_term(edge.zmq);
    (void)unlink("keys/gateway.key");
    (void)unlink("gateway.east.endpoints");
    (void)unlink("link.sock");
    (void)unlink("reads.sock");
    (void)rmdir("keys");
    cr_assert_eq(chdir("/"), 0);
    (void)rmdir(edge.dir);
}
