/* What clients send. */
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "gateway/gateway.h"

/* A ROUTER gives a connection that brings no routing id of its own a zero byte and a number that
 * does not come again while it runs. Names that clients choose could be a former client's, so they
 * are not answered. */
#define ADDRESS_SIZE 5

struct client_message {
    uint32_t address;
    bool addressed;
    bool single; /* one part, as it has to be */
    zmq_msg_t body;
};

static bool more_parts(void *socket)
{
    int more = 0;
    size_t size = sizeof more;
    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;
}

/* 0: none waits. The body is initialised either way. */
static int receive(void *socket, struct client_message *message)
{
    uint8_t id[256];
    (void)zmq_msg_init(&message->body);
    const int size = zmq_recv(socket, id, sizeof id, ZMQ_DONTWAIT);
    if (size < 0) {
        return 0;
    }
    message->addressed = size == ADDRESS_SIZE && id[0] == 0;
    memcpy(&message->address, id + 1, sizeof message->address);
    message->single = more_parts(socket) &&
                      zmq_msg_recv(&message->body, socket, ZMQ_DONTWAIT) >= 0 &&
                      !more_parts(socket);
    while (more_parts(socket)) {
        (void)zmq_recv(socket, NULL, 0, ZMQ_DONTWAIT);
    }
    return 1;
}

static void log_in(struct gateway *gateway, uint32_t peer, uint32_t index,
                   const struct request *request)
{
    struct session_peer *at = &gateway->sessions.peers[peer];
    uint32_t key = at->key;
    if (!gateway->settings.curve) {
        if (request->login.has_public_key == 0) {
            gateway_refuse(gateway, peer, index, request, REASON_MISSING_FIELD, "public_key");
            return;
        }
        key = registry_find_key(&gateway->registry, request->login.public_key);
        if (key == 0 || (at->key != 0 && at->key != key)) { /* a connection is for one key */
            gateway_refuse(gateway, peer, index, request, REASON_UNKNOWN_KEY, "public_key");
            return;
        }
        at->key = key;
    }
    if (gateway->state != GATEWAY_SERVING) {
        gateway_refuse(gateway, peer, index, request, REASON_EXCHANGE_UNREACHABLE, NULL);
        return;
    }
    const uint64_t nonce = ++gateway->login_serial;
    const uint32_t before = session_begin(&gateway->sessions, peer, key, nonce);
    if (before != SESSION_NO_PEER) {
        gateway_tell_logout(gateway, before, 0, REASON_SESSION_ENDED);
    }
    struct session_key *session = &gateway->sessions.keys[key];
    session->ref = request->ref;
    session->next_report_seq = request->login.next_report_seq;
    union command_slot slot;
    translate_login(key, nonce, request->login.cancel_on_disconnect != 0, &slot);
    CHECK(gateway_command(gateway, &slot, 1)); /* made sure of before the message was taken */
}

static void log_out(struct gateway *gateway, uint32_t peer, const struct request *request)
{
    const uint32_t key = gateway->sessions.peers[peer].key;
    struct session_key *session = &gateway->sessions.keys[key];
    union command_slot slot;
    translate_logout(key, session->session, &slot);
    CHECK(session_leave(&gateway->sessions, key));
    session->ref = request->ref;
    CHECK(gateway_command(gateway, &slot, 1)); /* made sure of before the message was taken */
}

static void heartbeat(struct gateway *gateway, uint32_t peer, const struct request *request)
{
    gateway->message.type = MESSAGE_HEARTBEAT;
    gateway->message.heartbeat =
        (struct heartbeat_answer){.ref = request->ref, .seq = gateway->durable_seq};
    gateway_answer(gateway, peer);
}

static void list_gateways(struct gateway *gateway, uint32_t peer, const struct request *request)
{
    struct list_answer *list = &gateway->message.list;
    gateway->message.type = MESSAGE_GATEWAYS;
    memset(list, 0, offsetof(struct list_answer, gateways));
    list->ref = request->ref;
    list->seq = gateway->durable_seq;
    list->count = 1;
    list->gateways[0] = (struct gateway_row){.link = gateway->link_id,
                                             .sessions = gateway->sessions.active_count,
                                             .messages = gateway->counts.messages,
                                             .requests = gateway->counts.requests,
                                             .refused = gateway->counts.refused,
                                             .commands = gateway->counts.commands,
                                             .events = gateway->counts.events,
                                             .dropped = gateway->outboxes.dropped};
    memcpy(list->gateways[0].name, gateway->settings.name, LINK_NAME_SIZE);
    gateway_answer(gateway, peer);
}

static void read_side(struct gateway *gateway, uint32_t peer, uint32_t index,
                      const struct request *request)
{
    const struct read_waiting question = {.purpose = READ_FOR_CLIENT,
                                          .request = request->type,
                                          .index = index,
                                          .peer = peer,
                                          .key = gateway->sessions.peers[peer].key,
                                          .ref = request->ref};
    gateway_read(gateway, &question, request);
}

static void change(struct gateway *gateway, uint32_t peer, uint32_t index,
                   const struct request *request)
{
    const uint32_t key = gateway->sessions.peers[peer].key;
    struct translation *made = &gateway->translation;
    const uint16_t reason = translate_request(&gateway->registry, request, key,
                                              gateway->sessions.keys[key].session, made);
    if (reason != 0) {
        gateway_refuse(gateway, peer, index, request, reason, made->field);
        return;
    }
    CHECK(gateway_command(gateway, made->slots, made->count));
}

/* What needs no session, so that a person can look while a program trades. */
static bool only_reads(const struct request *request)
{
    return request->type > REQUEST_HEARTBEAT || codec_request_is_dry(request);
}

/* Why a request is not carried out, before it is looked at in detail; 0: it may be. */
static uint16_t judge(const struct gateway *gateway, uint32_t peer, const struct request *request,
                      uint8_t roles)
{
    if (request->reason != 0) {
        return request->reason;
    }
    if (request->type == REQUEST_LOGIN || request->type == REQUEST_HEARTBEAT) {
        return 0;
    }
    if (gateway->sessions.peers[peer].key == 0) {
        return REASON_NOT_LOGGED_IN;
    }
    if (!translate_allowed(request, roles)) {
        return REASON_ROLE_NOT_ALLOWED;
    }
    if (only_reads(request)) {
        return 0;
    }
    if (gateway->state != GATEWAY_SERVING) {
        return REASON_EXCHANGE_UNREACHABLE;
    }
    return session_is_active(&gateway->sessions, peer) ? 0 : REASON_NOT_LOGGED_IN;
}

static void carry_out(struct gateway *gateway, uint32_t peer, uint32_t index,
                      const struct request *request, uint8_t roles)
{
    const uint16_t reason = judge(gateway, peer, request, roles);
    if (reason != 0) {
        gateway_refuse(gateway, peer, index, request, reason,
                       request->field[0] != 0 ? request->field : NULL);
        return;
    }
    switch (request->type) {
    case REQUEST_LOGIN:
        log_in(gateway, peer, index, request);
        return;
    case REQUEST_LOGOUT:
        log_out(gateway, peer, request);
        return;
    case REQUEST_HEARTBEAT:
        heartbeat(gateway, peer, request);
        return;
    case REQUEST_LIST:
        if (request->list.what == LIST_GATEWAYS) {
            list_gateways(gateway, peer, request);
            return;
        }
        break;
    default:
        break;
    }
    if (codec_request_is_dry(request) &&
        !session_take_dry_run(&gateway->sessions, gateway->sessions.peers[peer].key)) {
        gateway_refuse(gateway, peer, index, request, REASON_TOO_FAST, "dry_run");
    } else if (only_reads(request)) {
        read_side(gateway, peer, index, request);
    } else {
        change(gateway, peer, index, request);
    }
}

/* Refuses every request of a message, so that each sender of one can tell which it was. */
static void refuse_all(struct gateway *gateway, uint32_t peer, uint32_t count, uint16_t reason)
{
    for (uint32_t i = 0; i < count; i++) {
        gateway_refuse(gateway, peer, i, &gateway->requests[i], reason, NULL);
    }
}

static void take_body(struct gateway *gateway, uint32_t peer, struct client_message *message)
{
    const uint32_t key = gateway->sessions.peers[peer].key;
    const struct registry_key *registered = registry_key(&gateway->registry, key);
    gateway->batch.count = 0;
    const uint16_t reason =
        !message->single ? REASON_MALFORMED
                         : codec_decode_requests(zmq_msg_data(&message->body),
                                                 zmq_msg_size(&message->body), &gateway->batch);
    const uint32_t count = gateway->batch.count;
    gateway->counts.requests += count;
    if (reason != 0) {
        gateway_refuse(gateway, peer, 0, NULL, reason, NULL);
    } else if (key != 0 && registered == NULL) {
        refuse_all(gateway, peer, count, REASON_UNKNOWN_KEY);
    } else if (!session_take_message(&gateway->sessions, key, count, gateway->now_ns)) {
        refuse_all(gateway, peer, count, REASON_TOO_FAST);
    } else {
        const uint8_t roles = registered != NULL ? registered->roles : 0;
        for (uint32_t i = 0; i < count; i++) {
            carry_out(gateway, peer, i, &gateway->requests[i], roles);
        }
    }
}

static void refuse_stranger(struct gateway *gateway, uint32_t address)
{
    uint8_t bytes[OUTBOX_REPORT_MAX];
    gateway->message.type = MESSAGE_REJECT;
    gateway->message.reject = (struct reject){.reason = REASON_OVERLOADED};
    const size_t length = codec_encode_message(&gateway->message, bytes, sizeof bytes);
    outbox_send_stranger(&gateway->outboxes, address, bytes, length);
    gateway->counts.refused++;
}

/* The peer at this address, which may be new. */
static uint32_t admit(struct gateway *gateway, uint32_t address, uint32_t key)
{
    struct session_table *sessions = &gateway->sessions;
    const bool is_new = session_find(sessions, address) == SESSION_NO_PEER;
    const uint32_t away = is_new ? session_giving_way(sessions, key) : SESSION_NO_PEER;
    if (away != SESSION_NO_PEER) {
        outbox_flush(&gateway->outboxes); /* what was just said to it */
        outbox_reset(&gateway->outboxes, away, 0);
        session_forget(sessions, away);
    }
    const uint32_t peer = session_admit(sessions, address, gateway->now_ns);
    if (is_new && peer != SESSION_NO_PEER) {
        outbox_reset(&gateway->outboxes, peer, address);
        sessions->peers[peer].key = key;
    }
    return peer;
}

static void take_message(struct gateway *gateway, struct client_message *message)
{
    struct session_table *sessions = &gateway->sessions;
    const uint32_t key = gateway->settings.curve ? auth_message_key(&message->body) : 0;
    gateway->counts.messages++;
    if (!message->addressed || (gateway->settings.curve && key == 0)) {
        gateway->counts.refused++;
        return;
    }
    const uint32_t peer = admit(gateway, message->address, key);
    if (peer == SESSION_NO_PEER) {
        refuse_stranger(gateway, message->address);
        return;
    }
    if (gateway->settings.curve && sessions->peers[peer].key != key) {
        gateway->counts.refused++; /* cannot be: an address belongs to one connection */
        return;
    }
    take_body(gateway, peer, message);
}

int requests_take(struct gateway *gateway)
{
    struct client_message message;
    const int taken = receive(gateway->clients, &message);
    if (taken != 0) {
        take_message(gateway, &message);
    }
    (void)zmq_msg_close(&message.body);
    return taken;
}
