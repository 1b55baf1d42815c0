/* What the exchange and the read side say. */
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/log.h"
#include "gateway/gateway.h"
#include "wire/report.h"

/* --- events ---------------------------------------------------------------------------------------- */

static void replay_from(struct gateway *gateway, uint32_t peer, uint64_t report_seq)
{
    const uint32_t key = gateway->sessions.peers[peer].key;
    const struct request request = {.type = REQUEST_REPORTS, .reports.from_report_seq = report_seq};
    const struct read_waiting question = {
        .purpose = READ_FOR_REPLAY, .request = REQUEST_REPORTS, .peer = peer, .key = key};
    gateway_read(gateway, &question, &request);
}

static void logged_in(struct gateway *gateway, const struct event *event)
{
    const struct event_login *login = &event->login;
    const uint32_t key = login->party.key;
    struct session_table *sessions = &gateway->sessions;
    if (!session_done(sessions, key, login->nonce, login->session)) {
        /* Its client has gone meanwhile; a session that nobody uses must not stay bound here. */
        if (sessions->keys[key].state == SESSION_IDLE) {
            union command_slot slot;
            translate_logout(key, login->session, &slot);
            if (!gateway_command(gateway, &slot, 1)) {
                log_warn("key %u: a session without a client stays open: the link is stuck",
                         (unsigned)key);
            }
        }
        return;
    }
    const uint32_t peer = session_reports_to(sessions, key);
    const struct session_key *session = &sessions->keys[key];
    const struct registry_key *registered = registry_key(&gateway->registry, key);
    struct login_answer *answer = &gateway->message.login;
    session_reported(sessions, key, event->head.seq);
    gateway->message.type = MESSAGE_LOGIN;
    *answer = (struct login_answer){.ref = session->ref,
                                    .seq = event->head.seq,
                                    .highest_cl_ord_id = login->highest_cl_ord_id,
                                    .highest_report_seq = login->highest_report_seq,
                                    .transact_time_ns = event->head.time_ns,
                                    .session = login->session,
                                    .key = key,
                                    .account = login->party.account,
                                    .heartbeat_interval_s =
                                        (uint32_t)gateway->settings.heartbeat_interval_s,
                                    .roles = registered != NULL ? registered->roles : 0};
    memcpy(answer->gateway, gateway->settings.name, LINK_NAME_SIZE);
    gateway_answer(gateway, peer);
    if (session->next_report_seq != 0 && session->next_report_seq <= login->highest_report_seq) {
        replay_from(gateway, peer, session->next_report_seq);
    }
}

static void logged_out(struct gateway *gateway, const struct event *event)
{
    const uint32_t key = event->party.key;
    if (gateway->sessions.keys[key].state == SESSION_LEAVING) {
        gateway_tell_logout(gateway, gateway->sessions.keys[key].peer,
                            gateway->sessions.keys[key].ref, 0);
        (void)session_end(&gateway->sessions, key);
    }
}

/* The number was used before: what became of its first use goes along with the refusal. */
static void duplicate(struct gateway *gateway, uint32_t peer, const struct event *event)
{
    const struct request request = {.type = REQUEST_ORDER_STATUS,
                                    .order_status.cl_ord_id = event->party.cl_ord_id};
    struct read_waiting question = {.purpose = READ_FOR_DUPLICATE,
                                    .request = REQUEST_ORDER_STATUS,
                                    .peer = peer,
                                    .key = event->party.key};
    if (report_from_event(&gateway->registry.names, event, &question.report)) {
        gateway_read(gateway, &question, &request);
    }
}

/* True: the refusal is about the session or the number, and has been dealt with. */
static bool rejected(struct gateway *gateway, uint32_t peer, const struct event *event)
{
    const uint32_t key = event->party.key;
    const uint16_t reason = event->rejected.reason;
    const struct session_key *session = &gateway->sessions.keys[key];
    if (event->rejected.request == COMMAND_LOGIN) {
        if (session->state == SESSION_LOGGING_IN) {
            const struct request request = {.type = REQUEST_LOGIN, .ref = session->ref};
            gateway_refuse(gateway, session->peer, 0, &request, reason, NULL);
            (void)session_end(&gateway->sessions, key);
        }
        return true;
    }
    if (event->rejected.consumed == 0 &&
        (reason == REASON_SESSION_ENDED || reason == REASON_UNKNOWN_KEY)) {
        /* The sender's key, not one that an operator's request names. Requests without an answer
         * are sent again after the next login. One that is on its way is newer than what ended the
         * session. */
        if (session->state == SESSION_ACTIVE || session->state == SESSION_LEAVING) {
            gateway_tell_logout(gateway, session->peer, 0, reason);
            (void)session_end(&gateway->sessions, key);
        }
        return true;
    }
    if (reason == REASON_DUPLICATE && peer != SESSION_NO_PEER) {
        duplicate(gateway, peer, event);
        return true;
    }
    return false;
}

static void revoked(struct gateway *gateway, const struct event *event)
{
    const uint32_t key = event->key.key;
    if (key <= REGISTRY_KEYS_MAX && gateway->sessions.keys[key].state != SESSION_IDLE) {
        gateway_tell_logout(gateway, gateway->sessions.keys[key].peer, 0, REASON_UNKNOWN_KEY);
        (void)session_end(&gateway->sessions, key);
    }
}

/* One with all its legs may be longer than a place in the outbox that is claimed beforehand. */
static void send_joined(struct gateway *gateway, uint32_t peer)
{
    uint8_t bytes[REPORT_JOINED_BYTES_MAX];
    const size_t length = codec_encode_report(&gateway->joined.report, bytes, sizeof bytes);
    CHECK(length > 0);
    outbox_put(&gateway->outboxes, peer, bytes, length);
}

/* Legs and lanes follow their SET or JOB at once on the link, in the same frame or the next. */
static void join(struct gateway *gateway, const struct event *event)
{
    const struct contract_names *names = &gateway->registry.names;
    if (!report_join(&gateway->joined, names, event) || gateway->joined.key > REGISTRY_KEYS_MAX) {
        return;
    }
    const uint32_t peer = session_reports_to(&gateway->sessions, gateway->joined.key);
    if (peer != SESSION_NO_PEER) {
        session_reported(&gateway->sessions, gateway->joined.key, event->head.seq);
        send_joined(gateway, peer);
    }
}

/* A range's offers are entered, replaced and canceled as one: their own events have no number, and the
 * range's report says it. */
static bool said_by_range(const struct event *event)
{
    const uint8_t type = event->head.type;
    return event->party.report_seq == 0 &&
           (type == EVENT_NEW || type == EVENT_REPLACED || type == EVENT_CANCELED);
}

static void report(struct gateway *gateway, uint32_t peer, const struct event *event)
{
    struct report *made = &gateway->message.report;
    if (said_by_range(event) || !report_from_event(&gateway->registry.names, event, made)) {
        return;
    }
    session_reported(&gateway->sessions, event->party.key, event->head.seq);
    uint8_t *bytes = outbox_claim(&gateway->outboxes, peer);
    if (bytes != NULL) {
        outbox_commit(&gateway->outboxes, peer,
                      codec_encode_report(made, bytes, OUTBOX_REPORT_MAX));
    }
}

/* Events that begin with a party and belong to this link. */
static void take_private(struct gateway *gateway, const struct event *event)
{
    const uint32_t key = event->party.key;
    if (key == 0 || key > REGISTRY_KEYS_MAX) {
        return;
    }
    const uint32_t peer = session_reports_to(&gateway->sessions, key);
    switch (event->head.type) {
    case EVENT_LOGIN:
        logged_in(gateway, event);
        return;
    case EVENT_LOGOUT:
        logged_out(gateway, event);
        return;
    case EVENT_REJECTED:
        if (rejected(gateway, peer, event)) {
            return;
        }
        break;
    default:
        break;
    }
    if (peer != SESSION_NO_PEER) {
        report(gateway, peer, event);
    }
}

static void take_event(struct gateway *gateway, const struct event *event)
{
    if (!registry_apply(&gateway->registry, event)) {
        log_error("event %llu.%u: its id is beyond what this gateway has room for",
                  (unsigned long long)event->head.seq, (unsigned)event->head.index);
    }
    if (event->head.link == gateway->link_id) {
        if (report_is_joined(event)) {
            join(gateway, event);
        } else if (event_has_party(event)) {
            take_private(gateway, event);
        }
    }
    if (event->head.type == EVENT_KEY_REVOKED) {
        revoked(gateway, event);
    }
}

int reports_take_events(struct gateway *gateway)
{
    struct link_events frame;
    if (gateway->link == NULL || !gateway_has_room(gateway) ||
        link_client_receive(gateway->link, gateway->now_ns, &frame) == 0) {
        return 0;
    }
    if (frame.kind == FRAME_WELCOME) {
        gateway->link_id = frame.link;
        gateway->state = GATEWAY_LOADING;
        gateway->tables_ns = gateway->now_ns;
    }
    if (frame.kind == FRAME_WELCOME || frame.kind == FRAME_PONG) {
        gateway->durable_seq = frame.durable_seq;
    }
    if (frame.kind == FRAME_EVENTS) {
        gateway->counts.events += frame.count;
        for (uint32_t i = 0; i < frame.count; i++) {
            take_event(gateway, &frame.events[i]);
        }
        if (frame.count > 0) {
            gateway->durable_seq = frame.events[frame.count - 1].head.seq;
        }
    }
    return 1;
}

/* --- answers ----------------------------------------------------------------------------------------- */

static void take_tables(struct gateway *gateway, const struct read_answer *answer)
{
    const size_t count = answer->length / EVENT_SIZE;
    if (gateway->state != GATEWAY_LOADING) {
        return;
    }
    if (!answer->in_time || answer->head.kind != READ_TABLES_ANSWER ||
        answer->length % EVENT_SIZE != 0 || answer->head.seq < answer->question.ref) {
        gateway->tables_ns = gateway->now_ns + NS_PER_SECOND / 5;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct event event; /* the bytes are aligned to nothing */
        memcpy(&event, answer->bytes + i * EVENT_SIZE, sizeof event);
        if (!registry_apply(&gateway->registry, &event)) {
            log_error("the registry has more keys, classes or regions than this gateway holds");
        }
    }
    gateway->state = GATEWAY_SERVING;
    log_info("serving: %zu registry entries of command %llu, link %u", count,
             (unsigned long long)answer->head.seq, (unsigned)gateway->link_id);
}

/* The next page, when there is one. */
static void replay_on(struct gateway *gateway, uint32_t peer, const struct read_answer *answer)
{
    struct codec_cursor cursor;
    struct message *message = &gateway->message;
    if (codec_decode_begin(&cursor, answer->bytes, answer->length) != 0 ||
        codec_decode_next(&cursor, message) != 0 || message->type != MESSAGE_REPORTS ||
        message->reports.more == 0 || message->reports.report_count == 0 ||
        !session_is_active(&gateway->sessions, peer)) {
        return;
    }
    const uint32_t last = message->reports.report_count - 1;
    replay_from(gateway, peer, message->reports.reports[last].report_seq + 1);
}

static bool is_still_there(const struct gateway *gateway, const struct read_waiting *question)
{
    const struct session_peer *peer = &gateway->sessions.peers[question->peer];
    return peer->used && peer->address == question->address;
}

static void put_duplicate(struct gateway *gateway, const struct read_waiting *question)
{
    uint8_t *bytes = outbox_claim(&gateway->outboxes, question->peer);
    if (bytes != NULL) {
        outbox_commit(&gateway->outboxes, question->peer,
                      codec_encode_report(&question->report, bytes, OUTBOX_REPORT_MAX));
    }
}

void reports_unanswered(struct gateway *gateway, const struct read_waiting *question,
                        uint16_t reason)
{
    if (!is_still_there(gateway, question)) {
        return;
    }
    if (question->purpose == READ_FOR_DUPLICATE) {
        put_duplicate(gateway, question);
    }
    const struct request request = {
        .type = question->request, .ref = question->ref, .cl_ord_id = question->report.cl_ord_id};
    gateway_refuse(gateway, question->peer, question->index, &request, reason, NULL);
}

static void pass_on(struct gateway *gateway, const struct read_answer *answer)
{
    const struct read_waiting *question = &answer->question;
    if (!answer->in_time || answer->length == 0 || answer->length > CODEC_MESSAGE_MAX) {
        reports_unanswered(gateway, question, REASON_REPLICA_UNREACHABLE);
        return;
    }
    if (!is_still_there(gateway, question)) {
        return;
    }
    if (question->purpose == READ_FOR_DUPLICATE) {
        put_duplicate(gateway, question);
    }
    outbox_put(&gateway->outboxes, question->peer, answer->bytes, answer->length);
    if (question->purpose == READ_FOR_REPLAY) {
        replay_on(gateway, question->peer, answer);
    }
}

static void take_answer(struct gateway *gateway, const struct read_answer *answer)
{
    if (answer->question.purpose == READ_FOR_TABLES) {
        take_tables(gateway, answer);
        return;
    }
    session_read_done(&gateway->sessions, answer->question.key);
    pass_on(gateway, answer);
}

int reports_take_answer(struct gateway *gateway)
{
    struct read_answer answer;
    zmq_msg_t message;
    (void)zmq_msg_init(&message);
    const int taken = reads_receive(&gateway->reads, &message, &answer);
    if (taken != 0) {
        take_answer(gateway, &answer);
    }
    (void)zmq_msg_close(&message);
    return taken;
}

void reports_expire_reads(struct gateway *gateway)
{
    struct read_answer answer;
    while (reads_expire(&gateway->reads, gateway->now_ns, &answer) != 0) {
        take_answer(gateway, &answer);
    }
}
