#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/kashi.h"
#include "client/kashi_connection.h"
#include "client/kashi_pending.h"

#define NS_PER_MS              INT64_C(1000000)
#define CONNECTION_CHECK_NS    (20 * NS_PER_MS)
#define LOGIN_TIMEOUT_NS       (3 * NS_PER_SECOND)
#define LOGIN_AGAIN_NS         (200 * NS_PER_MS)
#define FIND_AGAIN_NS          (500 * NS_PER_MS)
#define RECOVERY_TIMEOUT_NS    (2 * NS_PER_SECOND)
#define RECOVERY_AGAIN_NS      (20 * NS_PER_MS)
#define HEARTBEAT_DEFAULT_NS   (5 * NS_PER_SECOND)
#define SILENCE_HEARTBEATS     3
#define SWALLOWED_PER_CALL_MAX 4096
/* Refs of the session's own requests; the caller's count up from 1. */
#define REF_OWN (UINT64_C(1) << 62)

struct kashi_session {
    struct kashi_session_config config;
    char endpoint[ENDPOINT_SIZE]; /* what `config` points to */
    char gateway_key[CODEC_PUBLIC_KEY_TEXT + 1];
    struct kashi_key key;
    struct kashi_connection connection;
    enum kashi_session_state state;
    struct login_answer login;
    struct kashi_session_counters counters;
    struct kashi_pending commands;
    struct kashi_pending reads;
    uint64_t own_ref;         /* last of the session's own requests */
    uint64_t login_ref;       /* of the login under way */
    uint64_t recovery_ref;    /* of the report recovery under way; 0 none */
    uint64_t next_report_seq; /* expected */
    uint64_t recovery_goal;   /* recovery ends when this report has been handed out */
    int64_t last_sent_ns;
    int64_t last_received_ns;
    int64_t last_check_ns;
    int64_t last_heartbeat_ns;
    int64_t next_find_ns;
    int64_t deadline_ns; /* of the login or recovery step under way */
    int64_t heartbeat_ns;
    struct error ended; /* why, in KASHI_SESSION_ENDED */
    zmq_msg_t part;     /* the ZeroMQ message that `cursor` walks */
    bool part_open;
    struct codec_cursor cursor;
    uint32_t recovered_next; /* of `recovered`, the next to hand out */
    struct reports_answer recovered;
    struct message message;
    uint64_t rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)]; /* legs and lanes of what came last */
};

/* The connection is gone or is worth nothing: begin again. */
static void session_restart(struct kashi_session *session, int64_t now_ns, bool reconnect)
{
    session->state = KASHI_SESSION_CONNECTING;
    session->recovery_ref = 0;
    session->last_check_ns = 0;
    session->deadline_ns = now_ns;
    session->next_find_ns = now_ns;
    if (reconnect) {
        kashi_connection_drop(&session->connection);
    }
}

static int session_end(struct kashi_session *session, int code, const char *sentence)
{
    session->state = KASHI_SESSION_ENDED;
    return error_set(&session->ended, code, "%s", sentence);
}

static bool session_transmit(struct kashi_session *session, const void *bytes, size_t length,
                             int64_t now_ns)
{
    if (!kashi_connection_send(&session->connection, bytes, length)) {
        session_restart(session, now_ns, false);
        return false;
    }
    session->last_sent_ns = now_ns;
    return true;
}

static bool session_transmit_own(struct kashi_session *session, struct request *request,
                                 int64_t now_ns)
{
    uint8_t bytes[256];
    request->ref = REF_OWN + ++session->own_ref;
    size_t length = codec_encode_request(request, bytes, sizeof(bytes));
    CHECK(length > 0);
    return session_transmit(session, bytes, length, now_ns);
}

static void session_log_in(struct kashi_session *session, int64_t now_ns)
{
    struct request request = {.type = REQUEST_LOGIN};
    request.login.cancel_on_disconnect = session->config.cancel_on_disconnect;
    if (session->config.gateway_key == NULL) {
        request.login.has_public_key = 1;
        CHECK(codec_key_parse(session->key.public_text, CODEC_PUBLIC_KEY_TEXT,
                              request.login.public_key));
    }
    if (session_transmit_own(session, &request, now_ns)) {
        session->login_ref = request.ref;
        session->state = KASHI_SESSION_LOGGING_IN;
        session->deadline_ns = now_ns + LOGIN_TIMEOUT_NS;
    }
}

static void session_ask_reports(struct kashi_session *session, int64_t now_ns)
{
    struct request request = {.type = REQUEST_REPORTS,
                              .reports.from_report_seq = session->next_report_seq};
    if (session_transmit_own(session, &request, now_ns)) {
        session->recovery_ref = request.ref;
        session->deadline_ns = now_ns + RECOVERY_TIMEOUT_NS;
    }
}

static void session_recover(struct kashi_session *session, uint64_t goal, int64_t now_ns)
{
    session->recovery_goal = goal;
    if (session->next_report_seq > goal) {
        session->state = KASHI_SESSION_READY;
        return;
    }
    session->state = KASHI_SESSION_RECOVERING;
    session_ask_reports(session, now_ns);
}

static void session_logged_in(struct kashi_session *session, const struct login_answer *login,
                              int64_t now_ns)
{
    if (session->counters.logins++ == 0 && session->next_report_seq == 0) {
        session->next_report_seq = login->highest_report_seq + 1;
    }
    session->login = *login;
    session->heartbeat_ns = login->heartbeat_interval_s > 0
                                ? (int64_t)login->heartbeat_interval_s * NS_PER_SECOND
                                : HEARTBEAT_DEFAULT_NS;
    if (login->highest_cl_ord_id > session->commands.highest) {
        session->commands.highest = login->highest_cl_ord_id;
    }
    kashi_pending_rewind(&session->commands);
    kashi_pending_rewind(&session->reads);
    session->last_heartbeat_ns = now_ns;
    session_recover(session, login->highest_report_seq, now_ns);
}

/* Puts waiting requests into one message; true while there may be more. */
static bool session_flush_message(struct kashi_session *session, int64_t now_ns)
{
    static const size_t head_size = CODEC_ARRAY_HEAD_MAX;
    uint8_t bytes[CODEC_ARRAY_HEAD_MAX + CODEC_MESSAGE_MAX / 2];
    struct kashi_pending *rings[] = {&session->commands, &session->reads};
    size_t used = head_size;
    uint16_t count = 0;
    for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        const struct request *request;
        while (count < CODEC_REQUESTS_MAX && (request = kashi_pending_unsent(rings[i])) != NULL) {
            size_t length = codec_encode_request(request, bytes + used, sizeof(bytes) - used);
            if (length == 0) {
                i = sizeof(rings) / sizeof(rings[0]);
                break;
            }
            used += length;
            count++;
            session->counters.resent += kashi_pending_mark_sent(rings[i]);
        }
    }
    if (count == 0) {
        return false;
    }
    uint8_t head[CODEC_ARRAY_HEAD_MAX];
    size_t head_length = codec_encode_array_head(count, head, sizeof(head));
    size_t start = head_size - head_length;
    memcpy(bytes + start, head, head_length);
    session->counters.sent += count;
    return session_transmit(session, bytes + start, used - start, now_ns);
}

static void session_flush(struct kashi_session *session, int64_t now_ns)
{
    while (session->state == KASHI_SESSION_READY && session_flush_message(session, now_ns)) {
    }
}

static void session_heartbeat(struct kashi_session *session, int64_t now_ns)
{
    int64_t pause_ns = session->heartbeat_ns / 2;
    int64_t quiet_since_ns = session->last_sent_ns < session->last_received_ns
                                 ? session->last_sent_ns
                                 : session->last_received_ns;
    if (now_ns - session->last_received_ns > SILENCE_HEARTBEATS * session->heartbeat_ns) {
        session_restart(session, now_ns, true);
    } else if (now_ns - quiet_since_ns >= pause_ns &&
               now_ns - session->last_heartbeat_ns >= pause_ns) {
        struct request request = {.type = REQUEST_HEARTBEAT};
        session->last_heartbeat_ns = now_ns;
        session_transmit_own(session, &request, now_ns);
    }
}

/* Whatever is due by itself: connecting, logging in, asking again, heartbeats, sending. */
static void session_step(struct kashi_session *session)
{
    int64_t now_ns = clock_monotonic_ns();
    if (session->state == KASHI_SESSION_ENDED) {
        return;
    }
    if (now_ns - session->last_check_ns >= CONNECTION_CHECK_NS) {
        session->last_check_ns = now_ns;
        kashi_connection_listen(&session->connection);
        bool connected = kashi_connection_up(&session->connection);
        if (!connected && session->state != KASHI_SESSION_CONNECTING) {
            session_restart(session, now_ns, false);
        } else if (connected && session->state == KASHI_SESSION_CONNECTING) {
            session->last_received_ns = now_ns;
            if (now_ns >= session->deadline_ns) {
                session_log_in(session, now_ns);
            }
        }
    }
    if (session->state == KASHI_SESSION_CONNECTING && now_ns >= session->next_find_ns) {
        session->next_find_ns = now_ns + FIND_AGAIN_NS;
        kashi_connection_find(&session->connection);
    }
    if (session->state == KASHI_SESSION_LOGGING_IN && now_ns >= session->deadline_ns) {
        session_restart(session, now_ns, true);
    }
    if (session->state == KASHI_SESSION_RECOVERING && now_ns >= session->deadline_ns) {
        session_ask_reports(session, now_ns);
    }
    if (session->state == KASHI_SESSION_READY) {
        session_flush(session, now_ns);
    }
    if (session->state == KASHI_SESSION_READY || session->state == KASHI_SESSION_RECOVERING) {
        session_heartbeat(session, now_ns);
    }
}

/* --- what comes in: each returns whether the caller gets the message ----------------------------- */

static void session_log_in_later(struct kashi_session *session, int64_t now_ns)
{
    session_restart(session, now_ns, false);
    session->deadline_ns = now_ns + LOGIN_AGAIN_NS;
}

static bool session_on_report(struct kashi_session *session, const struct report *report)
{
    if (report->report_seq == 0) {
        if (report->request == REQUEST_LOGIN) {
            session_end(session, ERROR_INVALID, reason_sentence(report->reason));
            return false;
        }
        if (report->reason == REASON_SESSION_ENDED) {
            /* The link was cut and stands again, or a newer login's LOGOUT is on its way here. */
            session_log_in_later(session, clock_monotonic_ns());
            return false;
        }
        if (report->reason == REASON_DUPLICATE) {
            return false; /* what became of the first follows, as an order_status without a ref */
        }
        kashi_pending_answer(&session->commands, report->cl_ord_id);
        return true;
    }
    if (report->report_seq < session->next_report_seq) {
        return false;
    }
    if (report->report_seq > session->next_report_seq) {
        if (session->state == KASHI_SESSION_READY) {
            session_recover(session, report->report_seq, clock_monotonic_ns());
        } else if (report->report_seq > session->recovery_goal) {
            session->recovery_goal = report->report_seq;
        }
        return false;
    }
    session->next_report_seq++;
    session->counters.reports++;
    if (session->state == KASHI_SESSION_RECOVERING &&
        session->next_report_seq > session->recovery_goal) {
        session->state = KASHI_SESSION_READY;
    }
    kashi_pending_answer(&session->commands, report->cl_ord_id);
    return true;
}

/* Next of the reports that a recovery brought. */
static bool session_take_recovered(struct kashi_session *session)
{
    while (session->recovered_next < session->recovered.report_count) {
        const struct report *report = &session->recovered.reports[session->recovered_next++];
        if (session_on_report(session, report)) {
            session->counters.recovered++;
            session->message.type = MESSAGE_REPORT;
            session->message.report = *report;
            return true;
        }
    }
    if (session->recovered.report_count > 0) {
        session->recovered.report_count = 0;
        if (session->state == KASHI_SESSION_RECOVERING) {
            session_recover(session, session->recovery_goal, clock_monotonic_ns());
        }
    }
    return false;
}

static bool session_on_reports(struct kashi_session *session, const struct reports_answer *answer)
{
    if (answer->ref < REF_OWN) {
        kashi_pending_answer(&session->reads, answer->ref);
        return true;
    }
    if (answer->ref != session->recovery_ref) {
        return false;
    }
    session->recovery_ref = 0;
    if (answer->report_count == 0) {
        /* The read side has not come so far yet. */
        session->deadline_ns = clock_monotonic_ns() + RECOVERY_AGAIN_NS;
        return false;
    }
    session->recovered = *answer;
    session->recovered_next = 0;
    return false;
}

static bool session_on_reject(struct kashi_session *session, const struct reject *reject)
{
    int64_t now_ns = clock_monotonic_ns();
    if (reject->ref == session->login_ref || reject->request == REQUEST_LOGIN) {
        if (session->state == KASHI_SESSION_LOGGING_IN) {
            if (reject->reason == REASON_EXCHANGE_UNREACHABLE ||
                reject->reason == REASON_OVERLOADED || reject->reason == REASON_TOO_FAST) {
                session_log_in_later(session, now_ns);
                kashi_connection_complain(&session->connection, reason_sentence(reject->reason));
            } else {
                session_end(session, ERROR_INVALID, reason_sentence(reject->reason));
            }
        }
        return false;
    }
    if (reject->ref >= REF_OWN) {
        if (reject->ref == session->recovery_ref) {
            session->recovery_ref = 0;
            session->deadline_ns = now_ns + RECOVERY_AGAIN_NS;
        }
        return false;
    }
    if (reject->reason == REASON_NOT_LOGGED_IN || reject->reason == REASON_SESSION_ENDED) {
        if (session->state != KASHI_SESSION_CONNECTING &&
            session->state != KASHI_SESSION_LOGGING_IN) {
            session_log_in_later(session, now_ns);
        }
        return false;
    }
    kashi_pending_answer(&session->commands, reject->cl_ord_id);
    kashi_pending_answer(&session->reads, reject->ref);
    return true;
}

static bool session_on_logout(struct kashi_session *session, const struct logout_answer *logout)
{
    if (session->login.session != 0 && logout->session != 0 &&
        logout->session != session->login.session) {
        return false; /* of a session that was over before */
    }
    if (logout->reason == REASON_SESSION_ENDED || logout->reason == REASON_UNKNOWN_KEY) {
        session_end(session, ERROR_LOST, reason_sentence(logout->reason));
    } else {
        session_log_in_later(session, clock_monotonic_ns());
    }
    return false;
}

static bool session_on_read(struct kashi_session *session, uint64_t ref)
{
    return kashi_pending_answer(&session->reads, ref);
}

static bool session_on_message(struct kashi_session *session)
{
    const struct message *message = &session->message;
    switch (message->type) {
    case MESSAGE_REPORT:
        return session_on_report(session, &message->report);
    case MESSAGE_REPORTS:
        return session_on_reports(session, &message->reports);
    case MESSAGE_REJECT:
        return session_on_reject(session, &message->reject);
    case MESSAGE_LOGIN:
        if (message->login.ref == session->login_ref &&
            session->state == KASHI_SESSION_LOGGING_IN) {
            session_logged_in(session, &message->login, clock_monotonic_ns());
        }
        return false;
    case MESSAGE_LOGOUT:
        return session_on_logout(session, &message->logout);
    case MESSAGE_HEARTBEAT:
        return false;
    case MESSAGE_ORDER_STATUS:
        /* The answer to a request that was sent a second time: what became of the first. */
        if (message->order_status.ref == 0) {
            return kashi_pending_answer(&session->commands, message->order_status.cl_ord_id);
        }
        return session_on_read(session, message->order_status.ref);
    case MESSAGE_ORDERS:
        return session_on_read(session, message->orders.ref);
    case MESSAGE_TRADES:
        return session_on_read(session, message->trades.ref);
    case MESSAGE_BOOK:
        return session_on_read(session, message->book.ref);
    case MESSAGE_ACCOUNT:
        return session_on_read(session, message->account.ref);
    case MESSAGE_QUOTE:
        return session_on_read(session, message->quote.ref);
    default:
        return message->type >= MESSAGE_CLASSES && message->type <= MESSAGE_GATEWAYS &&
               session_on_read(session, message->list.ref);
    }
}

/* The next message for the caller from what was received; false: receive more. */
static bool session_walk(struct kashi_session *session)
{
    if (session_take_recovered(session)) {
        return true;
    }
    while (session->part_open) {
        while (session->cursor.left > 0 && session->recovered.report_count == 0) {
            uint16_t reason = codec_decode_next(&session->cursor, &session->message);
            if (reason == 0 && session_on_message(session)) {
                return true;
            }
            if (reason != 0 && reason != REASON_UNKNOWN_TYPE) {
                session->cursor.left = 0;
            }
        }
        if (session_take_recovered(session)) {
            return true;
        }
        if (session->cursor.left == 0) {
            zmq_msg_close(&session->part);
            session->part_open = false;
        }
    }
    return false;
}

static bool session_receive(struct kashi_session *session)
{
    CHECK(zmq_msg_init(&session->part) == 0);
    if (zmq_msg_recv(&session->part, session->connection.socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&session->part);
        return false;
    }
    session->last_received_ns = clock_monotonic_ns();
    session->part_open = true;
    if (codec_decode_begin(&session->cursor, zmq_msg_data(&session->part),
                           zmq_msg_size(&session->part)) != 0) {
        session->cursor.left = 0;
    }
    session->cursor.rows =
        (struct codec_rows){.memory = session->rows, .size = sizeof(session->rows)};
    return true;
}

int kashi_session_next(struct kashi_session *session, const struct message **message,
                       struct error *error)
{
    session_step(session);
    for (int i = 0; i < SWALLOWED_PER_CALL_MAX; i++) {
        if (session_walk(session)) {
            *message = &session->message;
            return 1;
        }
        if (session->state == KASHI_SESSION_ENDED) {
            *error = session->ended;
            return error->code;
        }
        if (!session_receive(session)) {
            break;
        }
    }
    if (session->state == KASHI_SESSION_READY) {
        session_flush(session, clock_monotonic_ns());
    }
    return 0;
}

/* --- opening, sending, asking -------------------------------------------------------------------- */

/* The caller's texts need not outlive the call. */
static void session_keep(struct kashi_session *session, const struct kashi_session_config *config)
{
    session->config = *config;
    session->key = *config->key;
    session->config.key = &session->key;
    if (config->endpoint != NULL) {
        memcpy(session->endpoint, config->endpoint, strlen(config->endpoint) + 1);
        session->config.endpoint = session->endpoint;
    }
    if (config->gateway_key != NULL) {
        (void)snprintf(session->gateway_key, sizeof(session->gateway_key), "%s",
                       config->gateway_key);
        session->config.gateway_key = session->gateway_key;
    }
}

int kashi_session_open(struct kashi_session **out, const struct kashi_session_config *config,
                       struct error *error)
{
    CHECK(config->key != NULL && (config->endpoint != NULL || config->find_endpoint != NULL));
    uint32_t window = config->window == 0 ? KASHI_WINDOW_DEFAULT : config->window;
    if (window > KASHI_WINDOW_MAX) {
        return error_set(error, ERROR_INVALID, "window %u: at most %d", window, KASHI_WINDOW_MAX);
    }
    if (config->endpoint != NULL && strlen(config->endpoint) >= ENDPOINT_SIZE) {
        return error_set(error, ERROR_INVALID, "endpoint %s is too long", config->endpoint);
    }
    struct kashi_session *session = calloc(1, sizeof(*session));
    if (session == NULL || !kashi_pending_init(&session->commands, window) ||
        !kashi_pending_init(&session->reads, window)) {
        kashi_session_close(session);
        return error_set(error, ERROR_IO, "no memory for a session");
    }
    session_keep(session, config);
    session->heartbeat_ns = HEARTBEAT_DEFAULT_NS;
    session->next_report_seq = config->next_report_seq;
    int rc = kashi_connection_open(&session->connection, &session->config, error);
    if (rc < 0) {
        kashi_session_close(session);
        return rc;
    }
    *out = session;
    return 0;
}

void kashi_session_close(struct kashi_session *session)
{
    if (session == NULL) {
        return;
    }
    if (session->state == KASHI_SESSION_READY || session->state == KASHI_SESSION_RECOVERING) {
        struct request request = {.type = REQUEST_LOGOUT};
        session_transmit_own(session, &request, clock_monotonic_ns());
    }
    if (session->part_open) {
        zmq_msg_close(&session->part);
    }
    kashi_connection_close(&session->connection);
    kashi_pending_free(&session->commands);
    kashi_pending_free(&session->reads);
    free(session);
}

static bool request_reads(const struct request *request)
{
    return codec_request_is_dry(request) ||
           (request->type >= REQUEST_ORDER_STATUS && request->type < REQUEST_TYPE_COUNT);
}

static int session_check(const struct kashi_session *session, const struct request *requests,
                         uint32_t count, struct error *error)
{
    uint32_t reads = 0;
    uint64_t cl_ord_id = session->commands.highest;
    uint64_t ref = session->reads.highest;
    for (uint32_t i = 0; i < count; i++) {
        bool read = request_reads(&requests[i]);
        uint64_t given = read ? requests[i].ref : requests[i].cl_ord_id;
        uint64_t *last = read ? &ref : &cl_ord_id;
        if (!read && (requests[i].type < REQUEST_NEW_ORDER || requests[i].type >= 100)) {
            return error_set(error, ERROR_INVALID, "requests of type %u are the session's own",
                             requests[i].type);
        }
        if ((given != 0 && given <= *last) || (read && given >= REF_OWN)) {
            return error_set(error, ERROR_INVALID, "number %llu is not above %llu",
                             (unsigned long long)given, (unsigned long long)*last);
        }
        *last = given != 0 ? given : *last + 1;
        reads += read;
    }
    if (reads < count && session->counters.logins == 0) {
        return error_set(error, ERROR_AGAIN, "not logged in yet");
    }
    if (reads > kashi_pending_room(&session->reads) ||
        count - reads > kashi_pending_room(&session->commands)) {
        return error_set(error, ERROR_FULL, "%u requests are unanswered",
                         kashi_session_unanswered(session));
    }
    return 0;
}

int kashi_session_send(struct kashi_session *session, struct request *requests, uint32_t count,
                       struct error *error)
{
    if (session->state == KASHI_SESSION_ENDED) {
        *error = session->ended;
        return error->code;
    }
    int rc = session_check(session, requests, count, error);
    if (rc < 0) {
        return rc;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool read = request_reads(&requests[i]);
        struct kashi_pending *ring = read ? &session->reads : &session->commands;
        uint64_t *number = read ? &requests[i].ref : &requests[i].cl_ord_id;
        *number = *number != 0 ? *number : ring->highest + 1;
        kashi_pending_push(ring, &requests[i], *number);
    }
    session_flush(session, clock_monotonic_ns());
    return 0;
}

void *kashi_session_socket(const struct kashi_session *session)
{
    return session->connection.socket;
}

int64_t kashi_session_timeout_ms(const struct kashi_session *session)
{
    if (session->part_open || session->recovered.report_count > 0) {
        return 0;
    }
    switch (session->state) {
    case KASHI_SESSION_CONNECTING:
        return CONNECTION_CHECK_NS / NS_PER_MS;
    case KASHI_SESSION_LOGGING_IN:
    case KASHI_SESSION_RECOVERING: {
        int64_t left_ms = (session->deadline_ns - clock_monotonic_ns()) / NS_PER_MS + 1;
        return left_ms < 0 ? 0 : left_ms < 100 ? left_ms : 100;
    }
    case KASHI_SESSION_READY:
    case KASHI_SESSION_ENDED:
        break;
    }
    /* Often enough for heartbeats and to learn that a connection broke. */
    return 100;
}

void kashi_session_wait(struct kashi_session *session, int64_t timeout_ms)
{
    int64_t own_ms = kashi_session_timeout_ms(session);
    zmq_pollitem_t item = {.socket = session->connection.socket, .events = ZMQ_POLLIN};
    zmq_poll(&item, 1, (long)(timeout_ms < own_ms ? timeout_ms : own_ms));
}

enum kashi_session_state kashi_session_state(const struct kashi_session *session)
{
    return session->state;
}

const struct login_answer *kashi_session_login(const struct kashi_session *session)
{
    return &session->login;
}

uint32_t kashi_session_unanswered(const struct kashi_session *session)
{
    return session->commands.unanswered + session->reads.unanswered;
}

uint64_t kashi_session_next_report_seq(const struct kashi_session *session)
{
    return session->next_report_seq;
}

const struct kashi_session_counters *kashi_session_counters(const struct kashi_session *session)
{
    return &session->counters;
}

const char *kashi_session_trouble(const struct kashi_session *session)
{
    return session->connection.trouble;
}
