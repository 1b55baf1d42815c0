#include "exchange/tape_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "exchange/replica_map.h"
#include "wire/frame.h"
#include "wire/tape.h"

#define REQUESTS_A_TURN 64
#define ANSWERS_A_TURN  16
#define ROUTING_ID_MAX  255
#define SEND_HWM        16 /* answers that may lie unsent at one follower */

struct waiting {
    uint64_t after_seq;
    int64_t until_ns;
    uint32_t count; /* most events wanted */
    uint8_t routing_size;
    uint8_t routing[ROUTING_ID_MAX];
};

struct tape_server {
    const struct tape_store *store;
    void *socket;
    struct event *events;
    size_t capacity;
    uint32_t waiting_count;
    uint32_t next; /* whose turn it is to be looked at first */
    struct waiting waiting[TAPE_SERVER_WAITING_MAX];
};

int tape_server_open(struct tape_server **server, void *zmq_context, const char *endpoint,
                     const struct tape_store *store, struct error *error)
{
    struct tape_server *opened = calloc(1, sizeof(*opened));
    CHECK(opened);
    opened->store = store;
    opened->capacity = FRAME_ITEMS_MAX;
    opened->events = malloc(opened->capacity * sizeof(opened->events[0]));
    CHECK(opened->events);
    opened->socket = zmq_socket(zmq_context, ZMQ_ROUTER);
    if (!opened->socket) {
        int cause = zmq_errno();
        tape_server_close(opened);
        return error_system(error, cause, "tape socket");
    }
    int zero = 0;
    int one = 1;
    int hwm = SEND_HWM;
    int64_t size = 1024;
    zmq_setsockopt(opened->socket, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(opened->socket, ZMQ_ROUTER_MANDATORY, &one, sizeof(one));
    zmq_setsockopt(opened->socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(opened->socket, ZMQ_RCVHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(opened->socket, ZMQ_MAXMSGSIZE, &size, sizeof(size));
    if (zmq_bind(opened->socket, endpoint) != 0) {
        int cause = zmq_errno();
        tape_server_close(opened);
        return error_system(error, cause, "tape endpoint '%s'", endpoint);
    }
    *server = opened;
    return 0;
}

void tape_server_close(struct tape_server *server)
{
    if (!server) {
        return;
    }
    if (server->socket) {
        zmq_close(server->socket);
    }
    free(server->events);
    free(server);
}

void *tape_server_socket(const struct tape_server *server)
{
    return server->socket;
}

/* --- answers -------------------------------------------------------------------------------- */

/* Reads whole commands above the sequence: at most `limit` events, or one command that has more. */
static int collect(struct tape_server *server, uint64_t after_seq, uint32_t limit, uint32_t *count,
                   struct error *error)
{
    uint64_t position;
    int result = tape_store_find(server->store, after_seq, &position, error);
    uint32_t held = 0;
    while (result == 0) {
        uint32_t got = 0;
        result = tape_store_read(server->store, position + held, limit - held,
                                 server->events + held, &got, error);
        if (result < 0) {
            break;
        }
        held += got;
        bool broken;
        *count = tape_whole_commands(server->events, held, after_seq, &broken);
        if (broken) {
            return error_set(error, ERROR_CORRUPT, "the tape has a gap after command %llu",
                             (unsigned long long)after_seq);
        }
        if (*count > 0 || got == 0) {
            return 0;
        }
        if (held == limit) {
            limit *= 2;
        }
        while (server->capacity < limit) {
            server->events = replica_grow(server->events, server->capacity, &server->capacity,
                                          sizeof(server->events[0]));
        }
    }
    return result;
}

/* A follower that is gone or does not read loses its answer, asks again, and has it then. */
static void send_answer(struct tape_server *server, const struct waiting *waiting, uint32_t count)
{
    size_t size = sizeof(struct frame_head) + (size_t)count * EVENT_SIZE;
    zmq_msg_t message;
    CHECK(zmq_msg_init_size(&message, size) == 0);
    struct frame_head head = {.magic = FRAME_MAGIC,
                              .version = 1,
                              .kind = FRAME_TAPE_EVENTS,
                              .count = count,
                              .after_seq = tape_store_seq(server->store)};
    uint8_t *bytes = zmq_msg_data(&message);
    memcpy(bytes, &head, sizeof(head));
    memcpy(bytes + sizeof(head), server->events, (size_t)count * EVENT_SIZE);
    if (zmq_send(server->socket, waiting->routing, waiting->routing_size,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_msg_send(&message, server->socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
    }
}

/* 1: answered and to be forgotten. 0: it waits on. */
static int answer(struct tape_server *server, const struct waiting *waiting, int64_t now_ns,
                  struct error *error)
{
    if (waiting->after_seq >= tape_store_seq(server->store)) {
        if (now_ns < waiting->until_ns) {
            return 0;
        }
        send_answer(server, waiting, 0);
        return 1;
    }
    uint32_t count = 0;
    int result = collect(server, waiting->after_seq, waiting->count, &count, error);
    if (result < 0) {
        return result;
    }
    send_answer(server, waiting, count);
    return 1;
}

/* --- requests ------------------------------------------------------------------------------- */

static void take_request(struct tape_server *server, const struct waiting *request)
{
    for (uint32_t i = 0; i < server->waiting_count; i++) {
        struct waiting *waiting = &server->waiting[i];
        if (waiting->routing_size == request->routing_size &&
            memcmp(waiting->routing, request->routing, request->routing_size) == 0) {
            *waiting = *request;
            return;
        }
    }
    if (server->waiting_count == TAPE_SERVER_WAITING_MAX) {
        send_answer(server, request, 0);
        return;
    }
    server->waiting[server->waiting_count++] = *request;
}

/* Reads one message: the routing id, then one frame; anything else is dropped. False: none waits. */
static bool receive(struct tape_server *server, int64_t now_ns)
{
    struct waiting request = {.until_ns = now_ns + TAPE_SERVER_WAIT_NS};
    int size = zmq_recv(server->socket, request.routing, sizeof(request.routing), ZMQ_DONTWAIT);
    if (size < 0) {
        return false;
    }
    request.routing_size = (uint8_t)size;
    struct frame_head head = {0};
    size_t parts = 0;
    bool good = false;
    int more = 1;
    size_t more_size = sizeof(more);
    zmq_getsockopt(server->socket, ZMQ_RCVMORE, &more, &more_size);
    while (more) {
        size = zmq_recv(server->socket, &head, sizeof(head), ZMQ_DONTWAIT);
        good = ++parts == 1 && size == (int)sizeof(head);
        if (size < 0) {
            return false;
        }
        zmq_getsockopt(server->socket, ZMQ_RCVMORE, &more, &more_size);
    }
    if (good && head.magic == FRAME_MAGIC && head.version == 1 && head.kind == FRAME_TAPE_REQUEST) {
        request.after_seq = head.after_seq;
        request.count =
            head.count > 0 && head.count < FRAME_ITEMS_MAX ? head.count : FRAME_ITEMS_MAX;
        take_request(server, &request);
    }
    return true;
}

int tape_server_turn(struct tape_server *server, int64_t now_ns, bool *more, struct error *error)
{
    uint32_t requests = 0;
    while (requests < REQUESTS_A_TURN && receive(server, now_ns)) {
        requests++;
    }
    uint32_t answers = 0;
    uint32_t looked_at = 0;
    uint32_t there = server->waiting_count;
    while (looked_at < there && answers < ANSWERS_A_TURN) {
        server->next = server->next < server->waiting_count ? server->next : 0;
        int result = answer(server, &server->waiting[server->next], now_ns, error);
        if (result < 0) {
            return result;
        }
        looked_at++;
        if (result == 1) {
            answers++;
            server->waiting[server->next] = server->waiting[--server->waiting_count];
        } else {
            server->next++;
        }
    }
    *more = requests == REQUESTS_A_TURN || answers == ANSWERS_A_TURN;
    return 0;
}
