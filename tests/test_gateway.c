/* A gateway between real ZeroMQ sockets: clients with CURVE on one side, an exchange and a read side
 * that the test plays on the other. All of it turns on one thread; a test waits for what it wants
 * by turning, up to a deadline. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "gateway/gateway.h"

#define DEADLINE_NS  (10 * NS_PER_SECOND)
#define COMMANDS_MAX 8192
#define LINK         3
#define BUYER        2
#define OPERATOR     1
#define REPORTS_KEPT 150 /* that the read side has of the buyer */

struct pair {
    char public_text[CODEC_PUBLIC_KEY_TEXT + 1];
    char secret_text[CODEC_PUBLIC_KEY_TEXT + 1];
};

static struct {
    char dir[32];
    char endpoint[ENDPOINT_SIZE];
    void *zmq;
    void *gateway_zmq; /* its own: a closed inproc endpoint is free again only with its context */
    struct gateway *gateway;
    struct link_server *exchange;
    void *replica;
    struct pair server;
    struct pair keys[3]; /* by key id */
    bool silent_exchange;
    bool wrong_tables;
    uint32_t tables_asked;
    uint8_t link_peer;
    uint64_t seq;
    uint32_t command_count;
    struct command commands[COMMANDS_MAX];
    uint32_t read_count;
    struct read_head last_read;
} world;

static uint8_t bytes[4 * CODEC_MESSAGE_MAX + 1024];
static struct message message;

/* --- the exchange and the read side that the test plays -------------------------------------------- */

static struct event event_of(uint8_t type, uint32_t key)
{
    struct event event = {
        .head = {
            .seq = ++world.seq, .time_ns = 77, .link = LINK, .type = type, .flags = EVENT_LAST}};
    event.party.key = key;
    event.party.account = 10 + key;
    return event;
}

static void emit(const struct event *event)
{
    cr_assert_eq(link_server_send(world.exchange, world.link_peer, event, 1), 0);
}

static void answer_login(const struct command *command)
{
    struct event event = event_of(EVENT_LOGIN, command->head.key);
    event.login.nonce = command->login.nonce;
    event.login.session = 40 + (uint32_t)world.seq;
    event.login.highest_cl_ord_id = 9;
    event.login.highest_report_seq = REPORTS_KEPT;
    emit(&event);
}

static void take_commands(const struct link_frame *frame)
{
    for (uint32_t i = 0; i < frame->count; i += frame->slots[i].command.head.slots) {
        const struct command *command = &frame->slots[i].command;
        cr_assert_lt(world.command_count, COMMANDS_MAX);
        world.commands[world.command_count++] = *command;
        if (command->head.type == COMMAND_LOGIN) {
            answer_login(command);
        } else if (command->head.type == COMMAND_LOGOUT) {
            const struct event event = event_of(EVENT_LOGOUT, command->head.key);
            emit(&event);
        }
    }
}

static void turn_exchange(void)
{
    struct link_frame frame;
    struct error error;
    while (!world.silent_exchange && world.exchange != NULL &&
           link_server_receive(world.exchange, clock_monotonic_ns(), &frame, &error) == 1) {
        world.link_peer = frame.peer;
        if (frame.kind == FRAME_HELLO) {
            cr_assert_eq(link_server_welcome(world.exchange, frame.peer, LINK, world.seq), 0);
        } else if (frame.kind == FRAME_PING) {
            (void)link_server_pong(world.exchange, frame.peer, world.seq);
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
    for (uint32_t key = OPERATOR; key <= BUYER; key++) {
        struct event *event = &events[1 + key];
        event->head.type = EVENT_KEY;
        event->key.key = key;
        event->key.account = 10 + key;
        event->key.roles = key == OPERATOR ? ROLE_OPERATOR : ROLE_BUYER;
        cr_assert(codec_key_parse(world.keys[key].public_text, CODEC_PUBLIC_KEY_TEXT,
                                  event->key.public_key));
    }
    return 4;
}

/* Reports are asked for from a number on and come in pages of 64. */
static size_t answer_read(const struct request *request, uint8_t *out, size_t capacity)
{
    memset(&message, 0, sizeof message);
    if (request->type == REQUEST_REPORTS) {
        struct reports_answer *answer = &message.reports;
        uint64_t next = request->reports.from_report_seq;
        message.type = MESSAGE_REPORTS;
        answer->highest_report_seq = REPORTS_KEPT;
        while (next <= REPORTS_KEPT && answer->report_count < CODEC_ROWS_MAX) {
            answer->reports[answer->report_count++] =
                (struct report){.exec_type = EXEC_DONE, .report_seq = next++};
        }
        answer->more = next <= REPORTS_KEPT;
    } else if (request->type == REQUEST_ORDER_STATUS) {
        message.type = MESSAGE_ORDER_STATUS;
        message.order_status.cl_ord_id = request->order_status.cl_ord_id;
        message.order_status.reason = REASON_NEVER_ENTERED;
    } else {
        message.type = MESSAGE_BOOK;
        message.book.ref = request->ref;
    }
    message.order_status.seq = world.seq; /* the second field of each */
    return codec_encode_message(&message, out, capacity);
}

static void turn_replica(void)
{
    uint8_t id[256];
    struct read_head head;
    int id_size;
    while ((id_size = zmq_recv(world.replica, id, sizeof id, ZMQ_DONTWAIT)) > 0) {
        cr_assert_eq(zmq_recv(world.replica, &head, sizeof head, 0), (int)sizeof head);
        const int size = zmq_recv(world.replica, bytes, sizeof bytes, 0);
        struct event events[8];
        const void *body = events;
        size_t length;
        head.seq = world.seq;
        if (head.kind == READ_TABLES) {
            world.tables_asked++;
            head.kind = READ_TABLES_ANSWER;
            head.seq -= world.wrong_tables ? 1 : 0;
            length = registry_events(events) * sizeof *events;
        } else {
            struct request request;
            uint32_t count = 0;
            cr_assert_eq(codec_decode_requests(bytes, (size_t)size, &request, 1, &count), 0);
            world.last_read = head;
            world.read_count++;
            head.kind = READ_ANSWER;
            length = answer_read(&request, bytes, sizeof bytes);
            body = bytes;
        }
        zmq_send(world.replica, id, (size_t)id_size, ZMQ_SNDMORE);
        zmq_send(world.replica, &head, sizeof head, ZMQ_SNDMORE);
        zmq_send(world.replica, body, length, 0);
    }
}

static void turn(void)
{
    struct error error;
    cr_assert_geq(gateway_turn(world.gateway, &error), 0, "%s", error.text);
    turn_exchange();
    turn_replica();
}

/* Lets everything that is under way arrive: a few rounds without anything new. */
static void settle(void)
{
    for (int quiet = 0; quiet < 20; quiet++) {
        const uint64_t before = world.gateway->counts.messages + world.gateway->counts.events +
                                world.command_count + world.read_count;
        turn();
        zmq_poll(NULL, 0, 2);
        quiet = before != world.gateway->counts.messages + world.gateway->counts.events +
                              world.command_count + world.read_count
                    ? 0
                    : quiet;
    }
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        const int64_t wanted_by_ns = clock_monotonic_ns() + DEADLINE_NS;                           \
        while (!(condition)) {                                                                     \
            cr_assert_lt(clock_monotonic_ns(), wanted_by_ns, "never: %s", #condition);             \
            turn();                                                                                \
        }                                                                                          \
    } while (0)

/* --- clients ----------------------------------------------------------------------------------------- */

struct client {
    void *socket;
    int length; /* of what was received */
    struct codec_cursor cursor;
    uint8_t bytes[CODEC_MESSAGE_MAX + 64];
};

static void client_open(struct client *client, const struct pair *pair)
{
    const int zero = 0;
    const int size = CODEC_PUBLIC_KEY_TEXT + 1;
    memset(client, 0, sizeof *client);
    client->socket = zmq_socket(world.zmq, ZMQ_DEALER);
    zmq_setsockopt(client->socket, ZMQ_LINGER, &zero, sizeof zero);
    if (pair != NULL) {
        zmq_setsockopt(client->socket, ZMQ_CURVE_SERVERKEY, world.server.public_text, (size_t)size);
        zmq_setsockopt(client->socket, ZMQ_CURVE_PUBLICKEY, pair->public_text, (size_t)size);
        zmq_setsockopt(client->socket, ZMQ_CURVE_SECRETKEY, pair->secret_text, (size_t)size);
    }
    cr_assert_eq(zmq_connect(client->socket, world.endpoint), 0);
}

static void client_close(struct client *client)
{
    zmq_close(client->socket);
}

static void client_send(struct client *client, const struct request *requests, uint16_t count)
{
    size_t length = count > 1 ? codec_encode_array_head(count, bytes, sizeof bytes) : 0;
    for (uint16_t i = 0; i < count; i++) {
        length += codec_encode_request(&requests[i], bytes + length, sizeof bytes - length);
    }
    cr_assert_eq(zmq_send(client->socket, bytes, length, ZMQ_DONTWAIT), (int)length);
}

/* Whether anything is there; takes the next message's bytes. */
static bool client_has(struct client *client)
{
    if (client->cursor.left == 0) {
        client->length =
            zmq_recv(client->socket, client->bytes, sizeof client->bytes, ZMQ_DONTWAIT);
        if (client->length > 0) {
            cr_assert_eq(codec_decode_begin(&client->cursor, client->bytes, (size_t)client->length),
                         0);
        }
    }
    return client->cursor.left > 0;
}

/* The next message, which has to be of this type, is in `message`. */
static void client_expect(struct client *client, uint8_t type)
{
    do {
        UNTIL(client_has(client));
        cr_assert_eq(codec_decode_next(&client->cursor, &message), 0);
        /* The gateway's own heartbeats come when they come. */
    } while (message.type == MESSAGE_HEARTBEAT && message.heartbeat.ref == 0);
    cr_assert_eq(message.type, type, "%u instead of %u (%s)", message.type, type,
                 message.type == MESSAGE_REJECT ? reason_name(message.reject.reason) : "");
}

static void client_expect_reject(struct client *client, uint16_t reason)
{
    client_expect(client, MESSAGE_REJECT);
    cr_assert_eq(message.reject.reason, reason, "%s instead of %s",
                 reason_name(message.reject.reason), reason_name(reason));
}

static void client_log_in(struct client *client, struct request_login login)
{
    const struct request request = {.type = REQUEST_LOGIN, .ref = 5, .login = login};
    client_send(client, &request, 1);
    client_expect(client, MESSAGE_LOGIN);
}

static struct request order(uint64_t cl_ord_id)
{
    return (struct request){
        .type = REQUEST_NEW_ORDER,
        .cl_ord_id = cl_ord_id,
        .new_order = {.symbol = "H100.CN-GZ.G80.20261121T14Z", .price_e4 = 164000, .qty = 8}};
}

/* --- set-up ------------------------------------------------------------------------------------------ */

static void open_exchange(void)
{
    struct error error;
    cr_assert_eq(link_server_open(&world.exchange, world.zmq, "ipc://link.sock", &error), 0, "%s",
                 error.text);
}

static void close_gateway(void)
{
    if (world.gateway != NULL) {
        gateway_close(world.gateway);
        zmq_ctx_term(world.gateway_zmq);
        free(world.gateway);
        world.gateway = NULL;
    }
}

static void open_gateway(struct gateway_settings settings)
{
    struct error error;
    close_gateway();
    world.gateway_zmq = zmq_ctx_new();
    world.gateway = calloc(1, sizeof *world.gateway);
    cr_assert_eq(gateway_open(world.gateway, world.gateway_zmq, &settings, &error), 0, "%s",
                 error.text);
    UNTIL(world.gateway->clients != NULL);
    cr_assert_eq(endpoints_read("gateway.east", "clients", world.endpoint, &error), 0);
}

static struct gateway_settings default_settings(void)
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
                                     .connections = 8,
                                     .reads_waiting = 64,
                                     .high_water = 1000};
}

static void set_up(void)
{
    memset(&world, 0, sizeof world);
    memcpy(world.dir, "/tmp/kashi-gateway.XXXXXX", 26);
    cr_assert_not_null(mkdtemp(world.dir));
    cr_assert_eq(chdir(world.dir), 0);
    cr_assert_eq(mkdir("keys", 0700), 0);
    zmq_curve_keypair(world.server.public_text, world.server.secret_text);
    for (int key = 0; key < 3; key++) {
        zmq_curve_keypair(world.keys[key].public_text, world.keys[key].secret_text);
    }
    FILE *file = fopen("keys/gateway.key", "w");
    (void)fprintf(file, "public = %s\nsecret = %s\n", world.server.public_text,
                  world.server.secret_text);
    (void)fclose(file);
    world.seq = 100;
    world.zmq = zmq_ctx_new();
    open_exchange();
    world.replica = zmq_socket(world.zmq, ZMQ_ROUTER);
    const int zero = 0;
    zmq_setsockopt(world.replica, ZMQ_LINGER, &zero, sizeof zero);
    cr_assert_eq(zmq_bind(world.replica, "ipc://reads.sock"), 0);
    open_gateway(default_settings());
}

static void tear_down(void)
{
    session_sanity(&world.gateway->sessions);
    close_gateway();
    link_server_close(world.exchange);
    zmq_close(world.replica);
    zmq_ctx_term(world.zmq);
    (void)unlink("keys/gateway.key");
    (void)unlink("gateway.east.endpoints");
    (void)unlink("link.sock");
    (void)unlink("reads.sock");
    (void)rmdir("keys");
    cr_assert_eq(chdir("/"), 0);
    (void)rmdir(world.dir);
}
TestSuite(gateway, .init = set_up, .fini = tear_down, .timeout = 60);

/* --- who may connect --------------------------------------------------------------------------------- */

Test(gateway, admits_a_registered_key_and_no_other)
{
    static struct client stranger, naked, buyer;
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    client_open(&stranger, &world.keys[0]);
    client_open(&naked, NULL);
    client_open(&buyer, &world.keys[BUYER]);
    client_send(&stranger, &heartbeat, 1);
    client_send(&naked, &heartbeat, 1);
    client_send(&buyer, &heartbeat, 1);
    client_expect(&buyer, MESSAGE_HEARTBEAT);
    UNTIL(world.gateway->auth.refused > 0);
    settle();
    cr_assert_eq(world.gateway->counts.messages, 1);
    cr_assert_not(client_has(&stranger));
    cr_assert_not(client_has(&naked));
    client_close(&stranger);
    client_close(&naked);
    client_close(&buyer);
}

Test(gateway, does_not_answer_a_connection_that_chose_its_own_address)
{
    static struct client buyer, chooser;
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    client_open(&buyer, &world.keys[BUYER]);
    client_send(&buyer, &heartbeat, 1);
    client_expect(&buyer, MESSAGE_HEARTBEAT);
    chooser.socket = zmq_socket(world.zmq, ZMQ_DEALER);
    const size_t size = CODEC_PUBLIC_KEY_TEXT + 1;
    const int zero = 0;
    zmq_setsockopt(chooser.socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(chooser.socket, ZMQ_ROUTING_ID, "alice", 5);
    zmq_setsockopt(chooser.socket, ZMQ_CURVE_SERVERKEY, world.server.public_text, size);
    zmq_setsockopt(chooser.socket, ZMQ_CURVE_PUBLICKEY, world.keys[BUYER].public_text, size);
    zmq_setsockopt(chooser.socket, ZMQ_CURVE_SECRETKEY, world.keys[BUYER].secret_text, size);
    zmq_connect(chooser.socket, world.endpoint);
    client_send(&chooser, &heartbeat, 1);
    UNTIL(world.gateway->counts.messages == 2);
    settle();
    cr_assert_not(client_has(&chooser));
    cr_assert_eq(world.gateway->counts.refused, 1);
    client_close(&buyer);
    client_close(&chooser);
}

Test(gateway, says_overloaded_to_one_connection_too_many)
{
    static struct client clients[9];
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    for (int i = 0; i < 9; i++) {
        client_open(&clients[i], &world.keys[BUYER]);
        client_send(&clients[i], &heartbeat, 1);
        i < 8 ? client_expect(&clients[i], MESSAGE_HEARTBEAT)
              : client_expect_reject(&clients[i], REASON_OVERLOADED);
    }
    for (int i = 0; i < 9; i++) {
        client_close(&clients[i]);
    }
}

/* --- sessions ---------------------------------------------------------------------------------------- */

Test(gateway, logs_in_with_what_the_exchange_says)
{
    static struct client buyer;
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){.cancel_on_disconnect = 1});
    cr_assert_eq(message.login.ref, 5);
    cr_assert_eq(message.login.key, BUYER);
    cr_assert_eq(message.login.account, 10 + BUYER);
    cr_assert_eq(message.login.roles, ROLE_BUYER);
    cr_assert_eq(message.login.highest_cl_ord_id, 9);
    cr_assert_eq(message.login.highest_report_seq, REPORTS_KEPT);
    cr_assert_eq(message.login.heartbeat_interval_s, 30);
    cr_assert_eq(world.commands[0].head.type, COMMAND_LOGIN);
    cr_assert_eq(world.commands[0].login.cancel_on_disconnect, 1);
    const struct request logout = {.type = REQUEST_LOGOUT, .ref = 6};
    client_send(&buyer, &logout, 1);
    client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(message.logout.ref, 6);
    cr_assert_eq(message.logout.reason, 0);
    client_close(&buyer);
}

Test(gateway, wants_a_login_before_what_changes_something_but_not_before_a_read)
{
    static struct client buyer;
    const struct request bid = order(10);
    const struct request book = {
        .type = REQUEST_BOOK, .ref = 8, .book = {.symbol = "H100.CN-GZ.G80.20261121T14Z"}};
    client_open(&buyer, &world.keys[BUYER]);
    client_send(&buyer, &bid, 1);
    client_expect_reject(&buyer, REASON_NOT_LOGGED_IN);
    cr_assert_eq(message.reject.cl_ord_id, 10);
    client_send(&buyer, &book, 1);
    client_expect(&buyer, MESSAGE_BOOK);
    cr_assert_eq(message.book.ref, 8);
    cr_assert_eq(world.last_read.key, BUYER);
    cr_assert_eq(world.last_read.account, 10 + BUYER);
    client_log_in(&buyer, (struct request_login){0});
    client_send(&buyer, &bid, 1);
    UNTIL(world.command_count == 2);
    cr_assert_eq(world.commands[1].head.type, COMMAND_NEW_ORDER);
    cr_assert_eq(world.commands[1].head.key, BUYER);
    client_close(&buyer);
}

Test(gateway, ends_the_session_that_the_key_had_on_another_connection)
{
    static struct client first, second;
    const struct request bid = order(10);
    client_open(&first, &world.keys[BUYER]);
    client_log_in(&first, (struct request_login){0});
    client_open(&second, &world.keys[BUYER]);
    client_log_in(&second, (struct request_login){0});
    client_expect(&first, MESSAGE_LOGOUT);
    cr_assert_eq(message.logout.reason, REASON_SESSION_ENDED);
    client_send(&first, &bid, 1);
    client_expect_reject(&first, REASON_NOT_LOGGED_IN);
    client_send(&second, &bid, 1);
    UNTIL(world.command_count == 3);
    client_close(&first);
    client_close(&second);
}

Test(gateway, ends_the_session_when_the_exchange_says_that_another_gateway_has_it)
{
    static struct client buyer;
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    struct event event = event_of(EVENT_REJECTED, BUYER);
    event.rejected.reason = REASON_SESSION_ENDED;
    event.rejected.request = COMMAND_NEW_ORDER;
    emit(&event);
    client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(message.logout.reason, REASON_SESSION_ENDED);
    cr_assert_eq(world.gateway->sessions.active_count, 0);
    client_close(&buyer);
}

Test(gateway, ends_the_session_of_a_revoked_key_and_takes_nothing_more_from_it)
{
    static struct client buyer;
    const struct request heartbeat = {.type = REQUEST_BOOK, .book = {.symbol = "X"}};
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    struct event event = event_of(EVENT_KEY_REVOKED, OPERATOR);
    event.head.link = 0; /* the operator is at another gateway */
    event.key.key = BUYER;
    cr_assert(codec_key_parse(world.keys[BUYER].public_text, CODEC_PUBLIC_KEY_TEXT,
                              event.key.public_key));
    emit(&event);
    client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(message.logout.reason, REASON_UNKNOWN_KEY);
    client_send(&buyer, &heartbeat, 1);
    client_expect_reject(&buyer, REASON_UNKNOWN_KEY);
    client_close(&buyer);
}

Test(gateway, logs_out_a_client_that_says_nothing_for_the_heartbeat_interval)
{
    static struct client buyer;
    struct gateway_settings settings = default_settings();
    settings.heartbeat_interval_s = 1;
    open_gateway(settings);
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(message.logout.reason, REASON_SILENT);
    UNTIL(world.command_count == 2);
    cr_assert_eq(world.commands[1].head.type, COMMAND_LOGOUT);
    cr_assert_eq(world.gateway->sessions.peer_count, 0);
    client_close(&buyer);
}

Test(gateway, tells_the_exchange_when_a_client_is_gone_long_before_it_is_silent)
{
    static struct client buyer;
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    client_close(&buyer);
    UNTIL(world.command_count == 2); /* at the next heartbeat that cannot be delivered */
    cr_assert_eq(world.commands[1].head.type, COMMAND_LOGOUT);
    cr_assert_eq(world.gateway->sessions.active_count, 0);
}

Test(gateway, ends_the_session_of_a_client_that_does_not_read)
{
    static struct client buyer;
    struct gateway_settings settings = default_settings();
    settings.high_water = 2;
    open_gateway(settings);
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    const int64_t until_ns = clock_monotonic_ns() + 3 * DEADLINE_NS;
    static struct event events[1000];
    while (world.gateway->outboxes.dropped == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
        for (int i = 0; i < 1000; i++) {
            events[i] = event_of(EVENT_DONE, BUYER);
        }
        cr_assert_eq(link_server_send(world.exchange, world.link_peer, events, 1000), 0);
        turn();
    }
    UNTIL(world.command_count == 2);
    cr_assert_eq(world.commands[1].head.type, COMMAND_LOGOUT);
    cr_assert_eq(world.gateway->sessions.active_count, 0);
    client_close(&buyer);
}

/* --- requests and reports ---------------------------------------------------------------------------- */

Test(gateway, passes_on_what_is_right_in_a_message_and_refuses_the_rest)
{
    static struct client buyer;
    struct request requests[4] = {order(10), order(11), order(12), {.type = REQUEST_DEPOSIT}};
    memcpy(requests[1].new_order.symbol, "H200", 4);
    requests[3].cl_ord_id = 13;
    requests[3].cash.account = 1;
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    client_send(&buyer, requests, 4);
    client_expect_reject(&buyer, REASON_UNKNOWN_SYMBOL);
    cr_assert_eq(message.reject.index, 1);
    cr_assert_eq(message.reject.cl_ord_id, 11);
    cr_assert_str_eq(message.reject.field, "symbol");
    client_expect_reject(&buyer, REASON_ROLE_NOT_ALLOWED);
    cr_assert_eq(message.reject.index, 3);
    UNTIL(world.command_count == 3);
    cr_assert_eq(world.commands[1].head.cl_ord_id, 10);
    cr_assert_eq(world.commands[2].head.cl_ord_id, 12);
    client_close(&buyer);
}

Test(gateway, refuses_malformed_messages_and_keeps_the_session)
{
    static struct client buyer;
    const struct request bid = order(10);
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    zmq_send(buyer.socket, "\xc1", 1, 0);
    client_expect_reject(&buyer, REASON_MALFORMED);
    zmq_send(buyer.socket, "", 0, 0);
    client_expect_reject(&buyer, REASON_MALFORMED);
    zmq_send(buyer.socket, "\x80", 1, ZMQ_SNDMORE);
    zmq_send(buyer.socket, "\x80", 1, 0);
    client_expect_reject(&buyer, REASON_MALFORMED);
    zmq_send(buyer.socket, "\x80\x80", 2, 0);
    client_expect_reject(&buyer, REASON_TRAILING_BYTES);
    client_send(&buyer, &bid, 1);
    UNTIL(world.command_count == 2);
    client_close(&buyer);
}

Test(gateway, refuses_a_message_that_is_too_large_by_its_reason)
{
    static struct client buyer;
    const struct request heartbeat = {.type = REQUEST_HEARTBEAT, .ref = 1};
    client_open(&buyer, &world.keys[BUYER]);
    memset(bytes, 0x90, CODEC_MESSAGE_MAX + 1);
    zmq_send(buyer.socket, bytes, CODEC_MESSAGE_MAX + 1, 0);
    client_expect_reject(&buyer, REASON_MESSAGE_TOO_LARGE);
    client_send(&buyer, &heartbeat, 1);
    client_expect(&buyer, MESSAGE_HEARTBEAT);
    client_close(&buyer);
}

Test(gateway, refuses_each_request_of_a_message_over_the_rate)
{
    static struct client buyer;
    struct request heartbeats[2] = {{.type = REQUEST_HEARTBEAT, .ref = 1},
                                    {.type = REQUEST_HEARTBEAT, .ref = 2}};
    struct gateway_settings settings = default_settings();
    settings.messages_per_second = 1;
    open_gateway(settings);
    client_open(&buyer, &world.keys[BUYER]);
    client_send(&buyer, heartbeats, 2);
    client_send(&buyer, heartbeats, 2);
    client_expect(&buyer, MESSAGE_HEARTBEAT);
    client_expect(&buyer, MESSAGE_HEARTBEAT);
    client_expect_reject(&buyer, REASON_TOO_FAST);
    cr_assert_eq(message.reject.ref, 1);
    client_expect_reject(&buyer, REASON_TOO_FAST);
    cr_assert_eq(message.reject.ref, 2);
    client_close(&buyer);
}

Test(gateway, gathers_the_reports_of_a_client_into_one_message)
{
    static struct client buyer;
    static struct event events[100];
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    for (int i = 0; i < 100; i++) {
        events[i] = event_of(EVENT_DONE, BUYER);
        events[i].party.report_seq = (uint64_t)i + 1;
    }
    cr_assert_eq(link_server_send(world.exchange, world.link_peer, events, 100), 0);
    UNTIL(client_has(&buyer));
    cr_assert_eq(buyer.cursor.left, 100);
    for (uint64_t i = 1; i <= 100; i++) {
        client_expect(&buyer, MESSAGE_REPORT);
        cr_assert_eq(message.report.report_seq, i);
    }
    client_close(&buyer);
}

Test(gateway, reports_only_what_is_handed_to_its_link)
{
    static struct client buyer;
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    struct event elsewhere = event_of(EVENT_DONE, BUYER);
    elsewhere.head.link = LINK + 1;
    elsewhere.party.report_seq = 1;
    emit(&elsewhere);
    struct event here = event_of(EVENT_DONE, BUYER);
    here.party.report_seq = 2;
    emit(&here);
    client_expect(&buyer, MESSAGE_REPORT);
    cr_assert_eq(message.report.report_seq, 2);
    client_close(&buyer);
}

Test(gateway, reads_from_a_state_not_older_than_what_it_reported)
{
    static struct client buyer;
    const struct request book = {.type = REQUEST_BOOK, .book = {.symbol = "X"}};
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    world.seq = 500;
    const struct event event = event_of(EVENT_DONE, BUYER);
    emit(&event);
    client_expect(&buyer, MESSAGE_REPORT);
    client_send(&buyer, &book, 1);
    client_expect(&buyer, MESSAGE_BOOK);
    cr_assert_eq(world.last_read.min_seq, 501);
    client_close(&buyer);
}

Test(gateway, answers_a_used_number_with_what_became_of_the_first)
{
    static struct client buyer;
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    struct event event = event_of(EVENT_REJECTED, BUYER);
    event.party.cl_ord_id = 7;
    event.rejected.reason = REASON_DUPLICATE;
    event.rejected.request = COMMAND_NEW_ORDER;
    emit(&event);
    client_expect(&buyer, MESSAGE_REPORT);
    cr_assert_eq(message.report.reason, REASON_DUPLICATE);
    cr_assert_eq(message.report.cl_ord_id, 7);
    cr_assert_eq(buyer.cursor.left, 1);
    client_expect(&buyer, MESSAGE_ORDER_STATUS);
    cr_assert_eq(message.order_status.cl_ord_id, 7);
    cr_assert_eq(message.order_status.reason, REASON_NEVER_ENTERED);
    client_close(&buyer);
}

Test(gateway, replays_what_was_missed_page_after_page)
{
    static struct client buyer;
    uint64_t next = 20;
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){.next_report_seq = next});
    while (next <= REPORTS_KEPT) {
        client_expect(&buyer, MESSAGE_REPORTS);
        for (uint32_t i = 0; i < message.reports.report_count; i++) {
            cr_assert_eq(message.reports.reports[i].report_seq, next++);
        }
    }
    settle();
    cr_assert_not(client_has(&buyer));
    cr_assert_eq(world.read_count, 3);
    client_close(&buyer);
}

/* --- the link and the read side ------------------------------------------------------------------------ */

Test(gateway, ends_every_session_with_the_link_and_serves_again_when_it_is_back)
{
    static struct client buyer;
    const struct request bid = order(10);
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    link_server_close(world.exchange); /* says BYE */
    world.exchange = NULL;
    client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(message.logout.reason, REASON_EXCHANGE_UNREACHABLE);
    client_send(&buyer, &bid, 1);
    client_expect_reject(&buyer, REASON_EXCHANGE_UNREACHABLE);
    const struct request login = {.type = REQUEST_LOGIN};
    client_send(&buyer, &login, 1);
    client_expect_reject(&buyer, REASON_EXCHANGE_UNREACHABLE);
    open_exchange();
    UNTIL(world.gateway->state == GATEWAY_SERVING);
    cr_assert_eq(world.tables_asked, 2);
    client_log_in(&buyer, (struct request_login){0});
    client_close(&buyer);
}

Test(gateway, notices_an_exchange_that_has_fallen_silent)
{
    static struct client buyer;
    struct gateway_settings settings = default_settings();
    settings.link_timeout_s = 1;
    open_gateway(settings);
    client_open(&buyer, &world.keys[BUYER]);
    client_log_in(&buyer, (struct request_login){0});
    world.silent_exchange = true;
    client_expect(&buyer, MESSAGE_LOGOUT);
    cr_assert_eq(message.logout.reason, REASON_EXCHANGE_UNREACHABLE);
    world.silent_exchange = false;
    UNTIL(world.gateway->state == GATEWAY_SERVING);
    client_close(&buyer);
}

Test(gateway, does_not_serve_from_a_registry_that_is_older_than_its_link)
{
    link_server_close(world.exchange);
    world.exchange = NULL;
    UNTIL(world.gateway->state == GATEWAY_CONNECTING);
    world.wrong_tables = true;
    const uint32_t asked = world.tables_asked;
    open_exchange();
    UNTIL(world.tables_asked > asked + 1);
    cr_assert_eq(world.gateway->state, GATEWAY_LOADING);
    world.wrong_tables = false;
    UNTIL(world.gateway->state == GATEWAY_SERVING);
}

Test(gateway, gives_up_a_read_that_nobody_answers)
{
    static struct reads reads;
    struct error error;
    struct read_answer answer;
    const struct read_waiting question = {.purpose = READ_FOR_CLIENT, .ref = 6};
    const struct read_head head = {.key = BUYER};
    const struct request book = {.type = REQUEST_BOOK, .book = {.symbol = "X"}};
    cr_assert_eq(reads_open(&reads, world.zmq, "ipc://nobody.sock", &error), 0);
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
    static struct client buyer;
    const struct request bid = order(10);
    struct request_login login = {.has_public_key = 1};
    struct gateway_settings settings = default_settings();
    settings.curve = false;
    open_gateway(settings);
    client_open(&buyer, NULL);
    client_send(&buyer, &bid, 1);
    client_expect_reject(&buyer, REASON_NOT_LOGGED_IN);
    const struct request nobody = {.type = REQUEST_LOGIN};
    client_send(&buyer, &nobody, 1);
    client_expect_reject(&buyer, REASON_MISSING_FIELD);
    const struct request stranger = {.type = REQUEST_LOGIN, .login = login};
    client_send(&buyer, &stranger, 1);
    client_expect_reject(&buyer, REASON_UNKNOWN_KEY);
    cr_assert(
        codec_key_parse(world.keys[BUYER].public_text, CODEC_PUBLIC_KEY_TEXT, login.public_key));
    client_log_in(&buyer, login);
    cr_assert_eq(message.login.key, BUYER);
    client_send(&buyer, &bid, 1);
    UNTIL(world.command_count == 2);
    client_close(&buyer);
}
