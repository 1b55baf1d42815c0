#include "client/desk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"

#define GATEWAY_KEY_PATH "keys/gateway.pub"
#define NS_PER_MS        INT64_C(1000000)

struct desk {
    void *zmq_context;
    desk_handle *handle;
    void *context;
    struct kashi_session *sessions[DESK_SEATS_MAX];
    zmq_pollitem_t items[DESK_SEATS_MAX];
    uint32_t seat_count;
    uint32_t gateway_count;
    bool curve;
    char gateway_key[CODEC_PUBLIC_KEY_TEXT + 1];
    char gateway_names[DESK_GATEWAYS_MAX][16]; /* what find_gateway is asked with */
};

static int find_gateway(void *context, char endpoint[ENDPOINT_SIZE], struct error *error)
{
    return endpoints_read(context, "clients", endpoint, error);
}

int desk_open(struct desk **out, uint32_t gateways, bool curve, struct error *error)
{
    CHECK(gateways >= 1 && gateways <= DESK_GATEWAYS_MAX);
    struct desk *desk = calloc(1, sizeof *desk);
    CHECK(desk != NULL);
    desk->gateway_count = gateways;
    desk->curve = curve;
    for (uint32_t at = 0; at < gateways; at++) {
        (void)snprintf(desk->gateway_names[at], sizeof desk->gateway_names[at], "gateway.%u",
                       at + 1);
    }
    if (curve) {
        int rc = kashi_key_load_public(desk->gateway_key, GATEWAY_KEY_PATH, error);
        if (rc != 0) {
            free(desk);
            return rc;
        }
    }
    desk->zmq_context = zmq_ctx_new();
    CHECK(desk->zmq_context != NULL);
    CHECK(zmq_ctx_set(desk->zmq_context, ZMQ_MAX_SOCKETS, DESK_SEATS_MAX * 4) == 0);
    *out = desk;
    return 0;
}

void desk_close(struct desk *desk)
{
    if (desk == NULL) {
        return;
    }
    for (uint32_t seat = 0; seat < desk->seat_count; seat++) {
        kashi_session_close(desk->sessions[seat]);
    }
    (void)zmq_ctx_term(desk->zmq_context);
    free(desk);
}

void desk_on_message(struct desk *desk, desk_handle *handle, void *context)
{
    desk->handle = handle;
    desk->context = context;
}

int desk_sit(struct desk *desk, const struct kashi_key *key, uint32_t gateway, uint32_t window,
             struct error *error)
{
    if (desk->seat_count == DESK_SEATS_MAX) {
        return error_set(error, ERROR_FULL, "more than %d sessions", DESK_SEATS_MAX);
    }
    const struct kashi_session_config config = {
        .zmq_context = desk->zmq_context,
        .find_endpoint = find_gateway,
        .find_context = desk->gateway_names[gateway % desk->gateway_count],
        .gateway_key = desk->curve ? desk->gateway_key : NULL,
        .key = key,
        .window = window,
    };
    uint32_t seat = desk->seat_count;
    int rc = kashi_session_open(&desk->sessions[seat], &config, error);
    if (rc != 0) {
        return rc;
    }
    desk->items[seat] = (zmq_pollitem_t){.socket = kashi_session_socket(desk->sessions[seat]),
                                         .events = ZMQ_POLLIN};
    desk->seat_count++;
    return (int)seat;
}

struct kashi_session *desk_session(struct desk *desk, uint32_t seat)
{
    CHECK(seat < desk->seat_count);
    return desk->sessions[seat];
}

/* All that a session has; bounded, so that a busy one does not keep the others from theirs. */
static int take(struct desk *desk, uint32_t seat, struct error *error)
{
    for (int left = 4096; left > 0; left--) {
        const struct message *message;
        int rc = kashi_session_next(desk->sessions[seat], &message, error);
        if (rc < 0) {
            return error_context(error, "session %u", seat);
        }
        if (rc == 0) {
            return 0;
        }
        if (desk->handle != NULL && desk->handle(desk->context, seat, message, error) < 0) {
            return error->code;
        }
    }
    return 0;
}

int desk_turn(struct desk *desk, int64_t timeout_ms, struct error *error)
{
    for (uint32_t seat = 0; seat < desk->seat_count; seat++) {
        int64_t due_ms = kashi_session_timeout_ms(desk->sessions[seat]);
        timeout_ms = due_ms < timeout_ms ? due_ms : timeout_ms;
    }
    if (zmq_poll(desk->items, (int)desk->seat_count, timeout_ms) < 0 && errno != EINTR) {
        return error_set(error, ERROR_IO, "zmq_poll: %s", zmq_strerror(errno));
    }
    for (uint32_t seat = 0; seat < desk->seat_count; seat++) {
        int rc = take(desk, seat, error);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static uint32_t unready(const struct desk *desk)
{
    uint32_t count = 0;
    for (uint32_t seat = 0; seat < desk->seat_count; seat++) {
        count += kashi_session_state(desk->sessions[seat]) != KASHI_SESSION_READY;
    }
    return count;
}

static uint32_t unanswered(const struct desk *desk)
{
    uint32_t count = 0;
    for (uint32_t seat = 0; seat < desk->seat_count; seat++) {
        count += kashi_session_unanswered(desk->sessions[seat]);
    }
    return count;
}

static int turn_until_none(struct desk *desk, uint32_t (*count)(const struct desk *),
                           const char *what, int64_t timeout_ms, struct error *error)
{
    int64_t deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
    uint32_t left;
    while ((left = count(desk)) != 0) {
        if (clock_monotonic_ns() > deadline_ns) {
            return error_set(error, ERROR_LOST, "%u %s after %lld ms", left, what,
                             (long long)timeout_ms);
        }
        int rc = desk_turn(desk, 100, error);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int desk_ready(struct desk *desk, int64_t timeout_ms, struct error *error)
{
    return turn_until_none(desk, unready, "sessions are not logged in", timeout_ms, error);
}

int desk_settle(struct desk *desk, int64_t timeout_ms, struct error *error)
{
    return turn_until_none(desk, unanswered, "requests are not answered", timeout_ms, error);
}

int desk_refused(struct error *error, int code, const struct reject *reject)
{
    return error_set(error, code, "%s: %s (%u): %s%s%s%s", codec_request_name(reject->request),
                     reason_name(reject->reason), reject->reason, reason_sentence(reject->reason),
                     reject->field[0] != '\0' ? " [" : "", reject->field,
                     reject->field[0] != '\0' ? "]" : "");
}
