#include "wire/link.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/error.h"

/* Frames that may wait on either side. With this many unread ones a gateway is as good as gone. */
#define FRAMES_WAITING_MAX 1000
#define FRAME_SIZE_MAX     (sizeof(struct frame_head) + (size_t)FRAME_ITEMS_MAX * FRAME_ITEM_SIZE)
#define ROUTING_ID_MAX     32
/* What a closing gateway waits for its BYE to leave. */
#define CLOSE_LINGER_MS 100

/* Received into one aligned place: libzmq's own buffers are aligned to nothing. */
struct link_buffer {
    alignas(64) uint8_t bytes[FRAME_SIZE_MAX];
};

struct link_client {
    void *socket;
    enum link_state state;
    char name[LINK_NAME_SIZE];
    uint16_t link;
    int64_t timeout_ns;
    int64_t heard_ns;
    int64_t said_ns; /* 0: the first turn sets it */
    struct link_buffer buffer;
};

struct link_peer {
    bool used;
    uint8_t routing_id_size;
    uint8_t routing_id[ROUTING_ID_MAX];
    char name[LINK_NAME_SIZE];
    uint16_t link; /* 0: no WELCOME yet */
    int64_t heard_ns;
};

struct link_server {
    void *socket;
    struct link_server_counts counts;
    struct link_peer peers[LINK_PEERS_MAX];
    char endpoint[256];
    struct link_buffer buffer;
};

/* --- both sides --------------------------------------------------------------------------- */

static void head_init(struct frame_head *head, enum frame_kind kind)
{
    memset(head, 0, sizeof(*head));
    head->magic = FRAME_MAGIC;
    head->version = 1;
    head->kind = (uint8_t)kind;
}

/* 0 or a negative errno; with `routing_id` (server) the part goes to that peer. */
static int frame_send(void *socket, const struct link_peer *peer, const struct frame_head *head,
                      const void *items, int flags)
{
    size_t items_size = (size_t)head->count * FRAME_ITEM_SIZE;
    zmq_msg_t message;
    if (zmq_msg_init_size(&message, sizeof(*head) + items_size) != 0) {
        return -ENOMEM;
    }
    uint8_t *data = zmq_msg_data(&message);
    memcpy(data, head, sizeof(*head));
    if (items != NULL && items_size > 0) {
        memcpy(data + sizeof(*head), items, items_size);
    }
    int rc = 0;
    if (peer != NULL) {
        rc = zmq_send(socket, peer->routing_id, peer->routing_id_size, flags | ZMQ_SNDMORE);
    }
    if (rc >= 0) {
        rc = zmq_msg_send(&message, socket, flags);
    }
    int failed = rc < 0 ? errno : 0;
    zmq_msg_close(&message); /* of a sent message this is the empty rest */
    return -failed;
}

static bool more_parts(void *socket)
{
    int more = 0;
    size_t size = sizeof(more);
    zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    return more != 0;
}

static void skip_parts(void *socket)
{
    while (more_parts(socket)) {
        zmq_recv(socket, NULL, 0, ZMQ_DONTWAIT);
    }
}

/* Whether what was received, `size` bytes or -1, is one well-formed frame. */
static bool buffer_whole(const struct link_buffer *buffer, int size)
{
    return size >= 0 && size <= (int)FRAME_SIZE_MAX && frame_whole(buffer->bytes, (size_t)size);
}

static const struct frame_head *buffer_head(const struct link_buffer *buffer)
{
    return (const struct frame_head *)(const void *)buffer->bytes;
}

static const void *buffer_items(const struct link_buffer *buffer)
{
    return buffer->bytes + sizeof(struct frame_head);
}

static int socket_option(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int socket_options(void *socket)
{
    int64_t size_max = (int64_t)FRAME_SIZE_MAX;
    int rc = socket_option(socket, ZMQ_LINGER, 0);
    rc |= socket_option(socket, ZMQ_SNDHWM, FRAMES_WAITING_MAX);
    rc |= socket_option(socket, ZMQ_RCVHWM, FRAMES_WAITING_MAX);
    rc |= zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof(size_max));
    return rc;
}

/* --- gateway side ------------------------------------------------------------------------- */

static void client_say(struct link_client *client, enum frame_kind kind)
{
    struct frame_head head;
    head_init(&head, kind);
    memcpy(head.name, client->name, LINK_NAME_SIZE);
    frame_send(client->socket, NULL, &head, NULL, ZMQ_DONTWAIT);
}

int link_client_open(struct link_client **out, void *zmq_context, const char *endpoint,
                     const char *name, int64_t timeout_ns, struct error *error)
{
    size_t length = strlen(name);
    if (length == 0 || length >= LINK_NAME_SIZE) {
        return error_set(error, ERROR_INVALID, "link name '%s' is not of 1 .. %d characters", name,
                         LINK_NAME_SIZE - 1);
    }
    struct link_client *client = aligned_alloc(64, sizeof(*client));
    if (client == NULL) {
        return error_set(error, ERROR_IO, "no memory for a link");
    }
    memset(client, 0, offsetof(struct link_client, buffer));
    memcpy(client->name, name, length);
    client->timeout_ns = timeout_ns;
    client->socket = zmq_socket(zmq_context, ZMQ_DEALER);
    if (client->socket == NULL || socket_options(client->socket) != 0 ||
        zmq_connect(client->socket, endpoint) != 0) {
        error_set(error, ERROR_IO, "link %s: %s", endpoint, zmq_strerror(errno));
        link_client_close(client);
        return error->code;
    }
    client_say(client, FRAME_HELLO);
    *out = client;
    return 0;
}

void link_client_close(struct link_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->socket != NULL) {
        if (client->state == LINK_UP) {
            socket_option(client->socket, ZMQ_LINGER, CLOSE_LINGER_MS);
            client_say(client, FRAME_BYE);
        }
        zmq_close(client->socket);
    }
    free(client);
}

void *link_client_socket(const struct link_client *client)
{
    return client->socket;
}

enum link_state link_client_state(const struct link_client *client)
{
    return client->state;
}

uint16_t link_client_id(const struct link_client *client)
{
    return client->link;
}

int link_client_send(struct link_client *client, const union command_slot *slots, uint32_t count,
                     struct error *error)
{
    CHECK(count >= 1 && count <= FRAME_ITEMS_MAX);
    if (client->state != LINK_UP) {
        return error_set(error, ERROR_LOST, "the link to the exchange is not up");
    }
    struct frame_head head;
    head_init(&head, FRAME_COMMANDS);
    head.count = count;
    int rc = frame_send(client->socket, NULL, &head, slots, ZMQ_DONTWAIT);
    if (rc == -EAGAIN) {
        return error_set(error, ERROR_AGAIN, "the exchange does not take more commands just now");
    }
    if (rc < 0) {
        client->state = LINK_LOST;
        return error_set(error, ERROR_LOST, "link: %s", zmq_strerror(-rc));
    }
    return 0;
}

int link_client_receive(struct link_client *client, int64_t now_ns, struct link_events *out)
{
    struct link_buffer *buffer = &client->buffer;
    for (;;) {
        int size = zmq_recv(client->socket, buffer->bytes, sizeof(buffer->bytes), ZMQ_DONTWAIT);
        if (size < 0) {
            if (errno == EINTR) {
                continue;
            }
            return 0;
        }
        bool single = !more_parts(client->socket);
        skip_parts(client->socket);
        /* The exchange does not send bad frames; one that is bad does not count as life. */
        if (single && buffer_whole(buffer, size)) {
            break;
        }
    }
    const struct frame_head *head = buffer_head(buffer);
    client->heard_ns = now_ns;
    memset(out, 0, sizeof(*out));
    out->kind = head->kind;
    out->durable_seq = head->after_seq;
    out->count = head->count;
    out->events = buffer_items(buffer);
    if (head->kind == FRAME_WELCOME) {
        client->link = out->link = head->link;
        client->state = LINK_UP;
    } else if (head->kind == FRAME_BYE) {
        client->state = LINK_LOST;
    }
    return 1;
}

enum link_state link_client_turn(struct link_client *client, int64_t now_ns)
{
    if (client->state == LINK_LOST) {
        return LINK_LOST;
    }
    if (client->said_ns == 0) {
        client->said_ns = now_ns;
    }
    if (now_ns - client->heard_ns > client->timeout_ns && client->state == LINK_UP) {
        client->state = LINK_LOST;
        return LINK_LOST;
    }
    if (now_ns - client->said_ns >= LINK_PING_NS) {
        client->said_ns = now_ns;
        /* A HELLO may have ended in an exchange that was just going down. */
        client_say(client, client->state == LINK_UP ? FRAME_PING : FRAME_HELLO);
    }
    return client->state;
}

/* --- exchange side ------------------------------------------------------------------------ */

int link_server_open(struct link_server **out, void *zmq_context, const char *endpoint,
                     struct error *error)
{
    struct link_server *server = aligned_alloc(64, sizeof(*server));
    if (server == NULL) {
        return error_set(error, ERROR_IO, "no memory for the links");
    }
    memset(server, 0, offsetof(struct link_server, buffer));
    server->socket = zmq_socket(zmq_context, ZMQ_ROUTER);
    size_t endpoint_size = sizeof(server->endpoint);
    /* MANDATORY: a frame to a peer that is gone fails instead of vanishing. */
    if (server->socket == NULL || socket_options(server->socket) != 0 ||
        socket_option(server->socket, ZMQ_ROUTER_MANDATORY, 1) != 0 ||
        socket_option(server->socket, ZMQ_SNDTIMEO, LINK_SEND_TIMEOUT_MS) != 0 ||
        zmq_bind(server->socket, endpoint) != 0 ||
        zmq_getsockopt(server->socket, ZMQ_LAST_ENDPOINT, server->endpoint, &endpoint_size) != 0) {
        error_set(error, ERROR_IO, "link %s: %s", endpoint, zmq_strerror(errno));
        link_server_close(server);
        return error->code;
    }
    *out = server;
    return 0;
}

void link_server_close(struct link_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->socket != NULL) {
        for (unsigned i = 0; i < LINK_PEERS_MAX; i++) {
            link_server_drop(server, (uint8_t)i);
        }
        socket_option(server->socket, ZMQ_LINGER, CLOSE_LINGER_MS);
        zmq_close(server->socket);
    }
    free(server);
}

void *link_server_socket(const struct link_server *server)
{
    return server->socket;
}

const char *link_server_endpoint(const struct link_server *server)
{
    return server->endpoint;
}

static struct link_peer *peer_find(struct link_server *server, const uint8_t *id, int size)
{
    for (unsigned i = 0; i < LINK_PEERS_MAX; i++) {
        struct link_peer *peer = &server->peers[i];
        if (peer->used && peer->routing_id_size == size &&
            memcmp(peer->routing_id, id, (size_t)size) == 0) {
            return peer;
        }
    }
    return NULL;
}

static struct link_peer *peer_add(struct link_server *server, const uint8_t *id, int size)
{
    for (unsigned i = 0; i < LINK_PEERS_MAX; i++) {
        struct link_peer *peer = &server->peers[i];
        if (!peer->used) {
            memset(peer, 0, sizeof(*peer));
            peer->used = true;
            peer->routing_id_size = (uint8_t)size;
            memcpy(peer->routing_id, id, (size_t)size);
            return peer;
        }
    }
    return NULL;
}

/* One message: 1 there is a frame in the buffer, its sender's id in `id`; 0 none; -1 a bad one. */
static int server_take(struct link_server *server, uint8_t id[ROUTING_ID_MAX], int *id_size)
{
    *id_size = zmq_recv(server->socket, id, ROUTING_ID_MAX, ZMQ_DONTWAIT);
    if (*id_size < 0) {
        return 0;
    }
    server->counts.frames++;
    int size = -1;
    if (*id_size <= ROUTING_ID_MAX && more_parts(server->socket)) {
        size = zmq_recv(server->socket, server->buffer.bytes, sizeof(server->buffer.bytes),
                        ZMQ_DONTWAIT);
    }
    bool single = !more_parts(server->socket);
    skip_parts(server->socket);
    const struct link_buffer *buffer = &server->buffer;
    return single && buffer_whole(buffer, size) &&
                   frame_from_gateway(buffer_head(buffer), buffer_items(buffer))
               ? 1
               : -1;
}

static int server_say(struct link_server *server, const struct link_peer *peer,
                      enum frame_kind kind, uint64_t durable_seq)
{
    struct frame_head head;
    head_init(&head, kind);
    head.link = peer->link;
    head.after_seq = durable_seq;
    return frame_send(server->socket, peer, &head, NULL, ZMQ_DONTWAIT) < 0 ? ERROR_LOST : 0;
}

/* A stranger: has said no HELLO to this process, or there is no room for it. */
static void refuse_stranger(struct link_server *server, const uint8_t *id, int id_size)
{
    struct link_peer stranger = {.routing_id_size = (uint8_t)id_size};
    memcpy(stranger.routing_id, id, (size_t)id_size);
    server_say(server, &stranger, FRAME_BYE, 0);
}

int link_server_receive(struct link_server *server, int64_t now_ns, struct link_frame *out,
                        struct error *error)
{
    uint8_t id[ROUTING_ID_MAX];
    int id_size;
    for (;;) {
        int rc = server_take(server, id, &id_size);
        if (rc == 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? 0
                                   : error_set(error, ERROR_IO, "link: %s", zmq_strerror(errno));
        }
        if (rc < 0) {
            server->counts.bad_frames++;
            continue;
        }
        const struct frame_head *head = buffer_head(&server->buffer);
        struct link_peer *peer = peer_find(server, id, id_size);
        if (peer == NULL && head->kind == FRAME_HELLO) {
            peer = peer_add(server, id, id_size);
            if (peer != NULL) { /* for good: the link's id goes by it */
                memcpy(peer->name, head->name, LINK_NAME_SIZE);
            }
        }
        if (peer == NULL || (peer->link == 0 && head->kind == FRAME_COMMANDS)) {
            refuse_stranger(server, id, id_size);
            continue;
        }
        peer->heard_ns = now_ns;
        memset(out, 0, sizeof(*out));
        memcpy(out->name, peer->name, LINK_NAME_SIZE);
        out->kind = head->kind;
        out->peer = (uint8_t)(peer - server->peers);
        out->link = peer->link;
        out->count = head->count;
        out->slots = buffer_items(&server->buffer);
        return 1;
    }
}

int link_server_welcome(struct link_server *server, uint8_t peer, uint16_t link,
                        uint64_t durable_seq)
{
    CHECK(peer < LINK_PEERS_MAX && server->peers[peer].used && link != 0);
    server->peers[peer].link = link;
    return server_say(server, &server->peers[peer], FRAME_WELCOME, durable_seq);
}

int link_server_pong(struct link_server *server, uint8_t peer, uint64_t durable_seq)
{
    CHECK(peer < LINK_PEERS_MAX && server->peers[peer].used);
    return server_say(server, &server->peers[peer], FRAME_PONG, durable_seq);
}

int link_server_send(struct link_server *server, uint8_t peer, const struct event *events,
                     uint32_t count)
{
    CHECK(peer < LINK_PEERS_MAX && server->peers[peer].used);
    struct frame_head head;
    head_init(&head, FRAME_EVENTS);
    head.link = server->peers[peer].link;
    while (count > 0) {
        head.count = count < FRAME_ITEMS_MAX ? count : FRAME_ITEMS_MAX;
        if (frame_send(server->socket, &server->peers[peer], &head, events, 0) < 0) {
            return ERROR_LOST;
        }
        events += head.count;
        count -= head.count;
    }
    return 0;
}

void link_server_drop(struct link_server *server, uint8_t peer)
{
    CHECK(peer < LINK_PEERS_MAX);
    if (server->peers[peer].used) {
        server_say(server, &server->peers[peer], FRAME_BYE, 0);
        server->peers[peer].used = false;
    }
}

bool link_server_silent(const struct link_server *server, int64_t before_ns, uint8_t *peer,
                        uint16_t *link)
{
    for (unsigned i = 0; i < LINK_PEERS_MAX; i++) {
        if (server->peers[i].used && server->peers[i].heard_ns < before_ns) {
            *peer = (uint8_t)i;
            *link = server->peers[i].link;
            return true;
        }
    }
    return false;
}

bool link_server_find_name(const struct link_server *server, const char name[LINK_NAME_SIZE],
                           uint8_t except, uint8_t *peer)
{
    for (unsigned i = 0; i < LINK_PEERS_MAX; i++) {
        if (server->peers[i].used && i != except &&
            memcmp(server->peers[i].name, name, LINK_NAME_SIZE) == 0) {
            *peer = (uint8_t)i;
            return true;
        }
    }
    return false;
}

struct link_server_counts link_server_counts(const struct link_server *server)
{
    return server->counts;
}
