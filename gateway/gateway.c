#include "gateway/gateway.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#define NS_PER_MS         INT64_C(1000000)
#define WAIT_MAX_MS       50 /* so that timers and a lost link are seen soon */
#define TIMERS_NS         (100 * NS_PER_MS)
#define PROBE_NS          NS_PER_SECOND
#define BACKOFF_FIRST_NS  (100 * NS_PER_MS)
#define BACKOFF_MAX_NS    (2000 * NS_PER_MS)
#define HEARTBEAT_IVL_MS  5000 /* ZeroMQ's own: finds dead connections below the session */
#define HEARTBEAT_LOST_MS 15000
#define HANDSHAKE_MS      5000
#define BACKLOG           1024

/* --- answers --------------------------------------------------------------------------------------- */

void gateway_answer(struct gateway *gateway, uint32_t peer)
{
    uint8_t *bytes = outbox_claim(&gateway->outboxes, peer);
    if (bytes != NULL) {
        const size_t length = codec_encode_message(&gateway->message, bytes, OUTBOX_REPORT_MAX);
        CHECK(length > 0);
        outbox_commit(&gateway->outboxes, peer, length);
    }
}

void gateway_refuse(struct gateway *gateway, uint32_t peer, uint32_t index,
                    const struct request *request, uint16_t reason, const char *field)
{
    struct reject *reject = &gateway->message.reject;
    gateway->counts.refused++;
    gateway->message.type = MESSAGE_REJECT;
    *reject = (struct reject){.index = index, .reason = reason};
    if (request != NULL) {
        reject->cl_ord_id = request->cl_ord_id;
        reject->ref = request->ref;
        reject->request = request->type;
    }
    if (field != NULL) {
        memcpy(reject->field, field, strnlen(field, CODEC_FIELD_SIZE - 1));
    }
    gateway_answer(gateway, peer);
}

void gateway_tell_logout(struct gateway *gateway, uint32_t peer, uint64_t ref, uint16_t reason)
{
    const struct session_peer *at = &gateway->sessions.peers[peer];
    gateway->message.type = MESSAGE_LOGOUT;
    gateway->message.logout = (struct logout_answer){
        .ref = ref, .session = gateway->sessions.keys[at->key].session, .reason = reason};
    gateway_answer(gateway, peer);
}

void gateway_read(struct gateway *gateway, const struct read_waiting *question,
                  const struct request *request)
{
    const struct registry_key *registered = registry_key(&gateway->registry, question->key);
    struct read_waiting asked = *question;
    asked.address = gateway->sessions.peers[question->peer].address;
    const struct read_head head = {.key = question->key,
                                   .account = registered != NULL ? registered->account : 0,
                                   .roles = registered != NULL ? registered->roles : 0,
                                   .min_seq = gateway->sessions.keys[question->key].last_seq};
    if (!session_take_read(&gateway->sessions, question->key)) {
        reports_unanswered(gateway, &asked, REASON_OVERLOADED);
        return;
    }
    const int rc = reads_ask(&gateway->reads, &asked, &head, request, gateway->now_ns);
    if (rc != 0) {
        session_read_done(&gateway->sessions, question->key);
        reports_unanswered(gateway, &asked,
                           rc == ERROR_FULL ? REASON_OVERLOADED : REASON_REPLICA_UNREACHABLE);
    }
}

/* --- commands --------------------------------------------------------------------------------------- */

static void send_commands(struct gateway *gateway)
{
    struct error error;
    if (gateway->command_count == 0 || gateway->link == NULL) {
        return;
    }
    /* While the exchange takes no more they wait, and clients wait behind them. A lost link drops
     * them with every session; clients find out by cl_ord_id what became of each. */
    if (link_client_send(gateway->link, gateway->commands, gateway->command_count, &error) == 0) {
        gateway->counts.commands += gateway->command_count;
        gateway->command_count = 0;
    }
}

bool gateway_has_room(struct gateway *gateway)
{
    if (GATEWAY_COMMANDS_MAX - gateway->command_count < GATEWAY_MESSAGE_SLOTS) {
        send_commands(gateway);
    }
    return GATEWAY_COMMANDS_MAX - gateway->command_count >= GATEWAY_MESSAGE_SLOTS;
}

bool gateway_command(struct gateway *gateway, const union command_slot *slots, uint32_t count)
{
    if (GATEWAY_COMMANDS_MAX - gateway->command_count < count) {
        send_commands(gateway);
    }
    if (GATEWAY_COMMANDS_MAX - gateway->command_count < count) {
        return false;
    }
    memcpy(&gateway->commands[gateway->command_count], slots, count * sizeof *slots);
    gateway->command_count += count;
    return true;
}

/* --- sessions that end by themselves ----------------------------------------------------------------- */

/* Ends what the peer's key has here and forgets the peer. False: the exchange cannot be told just
 * now; try again. */
static bool drop_peer(struct gateway *gateway, uint32_t peer)
{
    struct session_table *sessions = &gateway->sessions;
    const uint32_t key = sessions->peers[peer].key;
    const struct session_key *session = &sessions->keys[key];
    if (session->peer == peer) {
        if (session->state == SESSION_ACTIVE) {
            union command_slot slot;
            translate_logout(key, session->session, &slot);
            if (!gateway_command(gateway, &slot, 1)) {
                return false;
            }
        }
        (void)session_end(sessions, key);
    }
    outbox_reset(&gateway->outboxes, peer, 0);
    session_forget(sessions, peer);
    return true;
}

static void drop_broken(struct gateway *gateway)
{
    struct outbox_table *outboxes = &gateway->outboxes;
    for (uint32_t peer = 0; peer < SESSION_PEERS_MAX && outboxes->broken_count > 0; peer++) {
        if (outboxes->boxes[peer].broken && !drop_peer(gateway, peer)) {
            return;
        }
    }
}

static void drop_silent(struct gateway *gateway)
{
    uint32_t peer = session_silent(&gateway->sessions, 0, gateway->now_ns);
    while (peer != SESSION_NO_PEER) {
        const uint32_t key = gateway->sessions.peers[peer].key;
        if (gateway->sessions.keys[key].peer == peer) {
            gateway_tell_logout(gateway, peer, 0, REASON_SILENT);
            outbox_flush(&gateway->outboxes);
        }
        if (!drop_peer(gateway, peer)) {
            return;
        }
        peer = session_silent(&gateway->sessions, peer + 1, gateway->now_ns);
    }
}

/* A ROUTER does not say that a connection is gone, but it refuses to send to it. So a client with a
 * session hears a heartbeat when there was nothing else to say: a lost one is noticed within about a
 * second, and cancel on disconnect does not have to wait for the silence to last. */
static void probe_peers(struct gateway *gateway)
{
    gateway->message.type = MESSAGE_HEARTBEAT;
    gateway->message.heartbeat = (struct heartbeat_answer){.seq = gateway->durable_seq};
    for (uint32_t peer = 0; peer < gateway->sessions.limits.peers; peer++) {
        if (session_is_active(&gateway->sessions, peer) &&
            gateway->now_ns - gateway->outboxes.boxes[peer].sent_ns >= PROBE_NS) {
            gateway_answer(gateway, peer);
        }
    }
}

static void end_all_sessions(struct gateway *gateway, uint16_t reason)
{
    for (uint32_t peer = 0; peer < SESSION_PEERS_MAX; peer++) {
        const struct session_peer *at = &gateway->sessions.peers[peer];
        if (at->used && gateway->sessions.keys[at->key].peer == peer) {
            gateway_tell_logout(gateway, peer, 0, reason);
            (void)session_end(&gateway->sessions, at->key);
        }
    }
    outbox_flush(&gateway->outboxes);
}

void gateway_say_goodbye(struct gateway *gateway)
{
    /* Closing the link says BYE, and the exchange ends the sessions that came by it. */
    end_all_sessions(gateway, REASON_EXCHANGE_UNREACHABLE);
}

/* --- the link ----------------------------------------------------------------------------------------- */

static int open_link(struct gateway *gateway, struct error *error)
{
    const struct gateway_settings *settings = &gateway->settings;
    gateway->reopen_ns = 0;
    return link_client_open(&gateway->link, gateway->zmq, settings->link, settings->name,
                            settings->link_timeout_s * NS_PER_SECOND, error);
}

static void lose_link(struct gateway *gateway)
{
    if (gateway->state != GATEWAY_CONNECTING) {
        log_warn("the link to the exchange is lost: %u sessions end",
                 (unsigned)gateway->sessions.active_count);
        gateway->backoff_ns = BACKOFF_FIRST_NS;
    }
    link_client_close(gateway->link);
    gateway->link = NULL;
    gateway->link_id = 0;
    gateway->state = GATEWAY_CONNECTING;
    gateway->command_count = 0;
    gateway->reopen_ns = gateway->now_ns + gateway->backoff_ns;
    gateway->backoff_ns =
        2 * gateway->backoff_ns < BACKOFF_MAX_NS ? 2 * gateway->backoff_ns : BACKOFF_MAX_NS;
    end_all_sessions(gateway, REASON_EXCHANGE_UNREACHABLE);
}

static int keep_link(struct gateway *gateway, struct error *error)
{
    if (gateway->link == NULL) {
        return gateway->now_ns >= gateway->reopen_ns ? open_link(gateway, error) : 0;
    }
    if (link_client_turn(gateway->link, gateway->now_ns) == LINK_LOST) {
        lose_link(gateway);
    }
    return 0;
}

/* --- the clients' socket ------------------------------------------------------------------------------ */

static int set_option(void *socket, int option, int64_t value)
{
    const int number = (int)value;
    return zmq_setsockopt(socket, option, &number, sizeof number);
}

static int set_options(const struct gateway *gateway)
{
    void *socket = gateway->clients;
    /* What is somewhat too large gets a reason; what is larger costs the connection. */
    const int64_t size_max = 4 * CODEC_MESSAGE_MAX;
    int rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
    rc |= set_option(socket, ZMQ_ROUTER_MANDATORY, 1);
    rc |= set_option(socket, ZMQ_LINGER, 0);
    rc |= set_option(socket, ZMQ_SNDHWM, gateway->settings.high_water);
    rc |= set_option(socket, ZMQ_RCVHWM, gateway->settings.high_water);
    rc |= set_option(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    rc |= set_option(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_IVL_MS);
    rc |= set_option(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_LOST_MS);
    rc |= set_option(socket, ZMQ_BACKLOG, BACKLOG);
    return rc;
}

static int publish_endpoint(const struct gateway *gateway, struct error *error)
{
    struct endpoint endpoint = {.key = "clients"};
    size_t size = sizeof endpoint.address;
    char name[sizeof "gateway." + LINK_NAME_SIZE] = "gateway.";
    memcpy(name + sizeof "gateway." - 1, gateway->settings.name, LINK_NAME_SIZE);
    if (zmq_getsockopt(gateway->clients, ZMQ_LAST_ENDPOINT, endpoint.address, &size) != 0) {
        return error_set(error, ERROR_IO, "the bound endpoint: %s", zmq_strerror(errno));
    }
    int rc = endpoints_write(name, &endpoint, 1, error);
    if (rc == 0) {
        log_info("clients may connect to %s%s", endpoint.address,
                 gateway->settings.curve ? "" : " (without CURVE: for tests only)");
    }
    return rc;
}

static int bind_clients(struct gateway *gateway, struct error *error)
{
    const struct gateway_settings *settings = &gateway->settings;
    gateway->clients = zmq_socket(gateway->zmq, ZMQ_ROUTER);
    if (gateway->clients == NULL || set_options(gateway) != 0) {
        return error_set(error, ERROR_IO, "clients' socket: %s", zmq_strerror(errno));
    }
    int rc = settings->curve ? auth_protect(gateway->clients, settings->key_path, error) : 0;
    if (rc < 0) {
        return rc;
    }
    if (zmq_bind(gateway->clients, settings->clients) != 0) {
        return error_set(error, ERROR_IO, "[gateway.%s] clients = %s: %s", settings->name,
                         settings->clients, zmq_strerror(errno));
    }
    gateway->outboxes.socket = gateway->clients;
    return publish_endpoint(gateway, error);
}

/* --- the loop ------------------------------------------------------------------------------------------ */

int gateway_open(struct gateway *gateway, void *zmq_context,
                 const struct gateway_settings *settings, struct error *error)
{
    const struct session_limits limits = {
        .peers = (uint32_t)settings->connections,
        .messages_per_second = (uint32_t)settings->messages_per_second,
        .requests_per_second = (uint32_t)settings->requests_per_second,
        .dry_runs_per_second = (uint32_t)settings->dry_runs_per_second,
        .reads_waiting = (uint32_t)settings->reads_waiting,
        .silence_ns = settings->heartbeat_interval_s * NS_PER_SECOND};
    gateway->settings = *settings;
    gateway->batch =
        (struct codec_batch){.requests = gateway->requests,
                             .capacity = CODEC_REQUESTS_MAX,
                             .rows = {.memory = gateway->rows, .size = sizeof gateway->rows}};
    gateway->zmq = zmq_context;
    gateway->backoff_ns = BACKOFF_FIRST_NS;
    gateway->now_ns = clock_monotonic_ns();
    /* Above any that an earlier process of this name used. */
    gateway->login_serial = (uint64_t)clock_realtime_ns();
    session_init(&gateway->sessions, &limits);
    int rc =
        settings->curve ? auth_open(&gateway->auth, zmq_context, &gateway->registry, error) : 0;
    if (rc == 0) {
        rc = reads_open(&gateway->reads, zmq_context, settings->reads, error);
    }
    return rc == 0 ? open_link(gateway, error) : rc;
}

void gateway_close(struct gateway *gateway)
{
    if (gateway->clients != NULL) {
        (void)zmq_close(gateway->clients);
    }
    auth_close(&gateway->auth);
    reads_close(&gateway->reads);
    link_client_close(gateway->link);
    outbox_free(&gateway->outboxes);
}

static void ask_tables(struct gateway *gateway)
{
    /* Registry events that came while there was no link were missed; what is as new as the link has
     * them all. */
    const struct read_waiting question = {.purpose = READ_FOR_TABLES, .ref = gateway->durable_seq};
    const struct read_head head = {.min_seq = gateway->durable_seq};
    gateway->tables_ns = reads_ask(&gateway->reads, &question, &head, NULL, gateway->now_ns) == 0
                             ? 0
                             : gateway->now_ns + NS_PER_SECOND / 5;
}

static int serve_timers(struct gateway *gateway, struct error *error)
{
    if (gateway->state == GATEWAY_LOADING && gateway->tables_ns != 0 &&
        gateway->now_ns >= gateway->tables_ns) {
        ask_tables(gateway);
    }
    if (gateway->now_ns >= gateway->timers_ns) {
        gateway->timers_ns = gateway->now_ns + TIMERS_NS;
        reports_expire_reads(gateway);
        drop_silent(gateway);
        probe_peers(gateway);
    }
    return keep_link(gateway, error);
}

static bool take_rounds(struct gateway *gateway, int (*take)(struct gateway *))
{
    uint32_t taken = 0;
    while (taken < GATEWAY_ROUND_MAX && take(gateway) != 0) {
        taken++;
    }
    return taken > 0;
}

static int take_client(struct gateway *gateway)
{
    return gateway->clients != NULL && gateway_has_room(gateway) ? requests_take(gateway) : 0;
}

int gateway_turn(struct gateway *gateway, struct error *error)
{
    gateway->now_ns = clock_monotonic_ns();
    gateway->outboxes.now_ns = gateway->now_ns;
    bool worked = take_rounds(gateway, reports_take_events);
    worked |= take_rounds(gateway, reports_take_answer);
    worked |= auth_serve(&gateway->auth) > 0;
    worked |= take_rounds(gateway, take_client);
    send_commands(gateway);
    outbox_flush(&gateway->outboxes);
    drop_broken(gateway);
    int rc = serve_timers(gateway, error);
    if (rc == 0 && gateway->state == GATEWAY_SERVING && gateway->clients == NULL) {
        rc = bind_clients(gateway, error);
    }
    return rc < 0 ? rc : worked ? 1 : 0;
}

void gateway_wait(const struct gateway *gateway, int signals)
{
    zmq_pollitem_t items[5] = {{.fd = signals, .events = ZMQ_POLLIN}};
    int count = 1;
    items[count++] = (zmq_pollitem_t){.socket = gateway->reads.socket, .events = ZMQ_POLLIN};
    if (gateway->link != NULL) {
        items[count++] =
            (zmq_pollitem_t){.socket = link_client_socket(gateway->link), .events = ZMQ_POLLIN};
    }
    if (gateway->auth.socket != NULL) {
        items[count++] = (zmq_pollitem_t){.socket = gateway->auth.socket, .events = ZMQ_POLLIN};
    }
    /* With commands that the exchange does not take yet, clients' messages stay where they are. */
    if (gateway->clients != NULL && gateway->command_count == 0) {
        items[count++] = (zmq_pollitem_t){.socket = gateway->clients, .events = ZMQ_POLLIN};
    }
    (void)zmq_poll(items, count, gateway->command_count > 0 ? 1 : WAIT_MAX_MS);
}
