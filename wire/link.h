/* The link between a gateway and the exchange: frames of wire/frame.h, one ZeroMQ message each.
 *
 * Gateway side (`link_client`): open, poll link_client_socket() for input, take frames with
 * link_client_receive() until it says none, call link_client_turn() at least every second. A link
 * that is lost stays lost: close it and open a new one. Commands may be sent once it is up.
 *
 * Exchange side (`link_server`): frames come in checked (magic, kind, sizes, whole commands, every
 * command's checksum); a bad one is dropped and counted. Peers are known by a small number that
 * the server gives; the core's link id is put beside it by link_server_welcome().
 *
 * Nothing blocks but a server's send, shortly. Functions return 0 or a negative code of
 * base/error.h. One thread each. */
#ifndef KASHI_WIRE_LINK_H
#define KASHI_WIRE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/frame.h"

struct error;

#define LINK_PEERS_MAX          64
#define LINK_PING_NS            INT64_C(1000000000)
#define LINK_SEND_TIMEOUT_MS    200 /* longest that one stuck peer may hold up the exchange */
#define LINK_TIMEOUT_DEFAULT_NS INT64_C(5000000000)

enum link_state {
    LINK_CONNECTING = 0, /* HELLO sent, no WELCOME yet */
    LINK_UP = 1,
    LINK_LOST = 2, /* silence, BYE, or a socket that failed */
};

/* --- gateway side ------------------------------------------------------------------------- */

struct link_client;

struct link_events {
    uint8_t kind;               /* FRAME_WELCOME, FRAME_EVENTS, FRAME_PONG or FRAME_BYE */
    uint16_t link;              /* WELCOME: this link's id */
    uint64_t durable_seq;       /* WELCOME, PONG: highest durable command sequence */
    const struct event *events; /* the client's, until the next receive; 8-byte aligned */
    uint32_t count;
};

/* Connects and says HELLO (queued until the exchange is there). `zmq_context` stays the caller's.
 * `name`: 1 .. LINK_NAME_SIZE - 1 characters. Silence of `timeout_ns` loses the link. */
int link_client_open(struct link_client **out, void *zmq_context, const char *endpoint,
                     const char *name, int64_t timeout_ns, struct error *error);
void link_client_close(struct link_client *client); /* says BYE when up; NULL is fine */
/* The ZeroMQ socket, to be polled for ZMQ_POLLIN only. */
void *link_client_socket(const struct link_client *client);
enum link_state link_client_state(const struct link_client *client);
/* The link's id; 0 until it is up. */
uint16_t link_client_id(const struct link_client *client);
/* Sends `count` slots (1 .. FRAME_ITEMS_MAX; whole, sealed commands), all or nothing. ERROR_LOST
 * when the link is not up, ERROR_AGAIN when the exchange does not take more just now. */
int link_client_send(struct link_client *client, const union command_slot *slots, uint32_t count,
                     struct error *error);
/* 1: a frame is in *out. 0: none waits. `now_ns`: monotonic. */
int link_client_receive(struct link_client *client, int64_t now_ns, struct link_events *out);
/* Pings when it is time and notices silence; returns the state. */
enum link_state link_client_turn(struct link_client *client, int64_t now_ns);

/* --- exchange side ------------------------------------------------------------------------ */

struct link_server;

struct link_frame {
    uint8_t kind;                    /* FRAME_HELLO, FRAME_COMMANDS, FRAME_PING, FRAME_BYE */
    uint8_t peer;                    /* 0 .. LINK_PEERS_MAX - 1 */
    uint16_t link;                   /* what was bound to the peer; 0 none yet */
    uint32_t count;                  /* COMMANDS: slots */
    const union command_slot *slots; /* the server's, until the next receive */
    char name[LINK_NAME_SIZE];       /* of its first HELLO */
};

struct link_server_counts {
    uint64_t frames;
    uint64_t bad_frames; /* dropped */
};

/* Binds; the endpoint really bound is in link_server_endpoint(). */
int link_server_open(struct link_server **out, void *zmq_context, const char *endpoint,
                     struct error *error);
void link_server_close(struct link_server *server); /* NULL is fine */
void *link_server_socket(const struct link_server *server);
const char *link_server_endpoint(const struct link_server *server);
/* 1: a good frame is in *out. 0: none waits. A COMMANDS or PING frame of a peer that never said
 * HELLO is answered by BYE and not handed out. ERROR_IO when the socket fails. */
int link_server_receive(struct link_server *server, int64_t now_ns, struct link_frame *out,
                        struct error *error);
/* Gives the peer its link id and sends WELCOME. This and pong do not wait: ERROR_LOST when the peer
 * is gone or its queue is full. Send waits: ERROR_LOST when the peer is gone or takes nothing for
 * LINK_SEND_TIMEOUT_MS. Then drop it. */
int link_server_welcome(struct link_server *server, uint8_t peer, uint16_t link,
                        uint64_t durable_seq);
int link_server_pong(struct link_server *server, uint8_t peer, uint64_t durable_seq);
/* `count` events in any number of frames. */
int link_server_send(struct link_server *server, uint8_t peer, const struct event *events,
                     uint32_t count);
/* Forgets the peer and sends BYE if that is possible. */
void link_server_drop(struct link_server *server, uint8_t peer);
/* A peer not heard of since `before_ns`, and its link (0 none yet); false: none. */
bool link_server_silent(const struct link_server *server, int64_t before_ns, uint8_t *peer,
                        uint16_t *link);
/* The peer that said HELLO by this name, other than `except`; false: none. */
bool link_server_find_name(const struct link_server *server, const char name[LINK_NAME_SIZE],
                           uint8_t except, uint8_t *peer);
struct link_server_counts link_server_counts(const struct link_server *server);

#endif
