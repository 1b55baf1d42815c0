/* kashi-gateway's state and its parts: requests.c takes what clients send, reports.c what the
 * exchange and the read side say, gateway.c keeps the link, the clock and the loop. One thread.
 *
 *   CONNECTING ──WELCOME──► LOADING ──registry──► SERVING
 *       ▲                      │                     │
 *       └──────── link lost: every session ends ─────┘ */
#ifndef KASHI_GATEWAY_GATEWAY_H
#define KASHI_GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoints.h"
#include "gateway/auth.h"
#include "gateway/core/registry.h"
#include "gateway/core/session.h"
#include "gateway/core/translate.h"
#include "gateway/outbox.h"
#include "gateway/reads.h"
#include "gateway/settings.h"
#include "wire/link.h"
#include "wire/report.h"

#define GATEWAY_ROUND_MAX 256 /* messages taken from one socket before the next one's turn */
/* Commands of one client message fit behind those that wait to be sent. A slot of eight legs or lanes
 * takes 8 x 20 bytes of the message at least. */
#define GATEWAY_COMMANDS_MAX  FRAME_ITEMS_MAX
#define GATEWAY_MESSAGE_SLOTS (2 * CODEC_REQUESTS_MAX + CODEC_MESSAGE_MAX / 160)

enum gateway_state { GATEWAY_CONNECTING = 0, GATEWAY_LOADING = 1, GATEWAY_SERVING = 2 };

struct gateway_counts {
    uint64_t messages;
    uint64_t requests;
    uint64_t refused;
    uint64_t commands;
    uint64_t events;
};

struct gateway {
    struct gateway_settings settings;
    struct gateway_counts counts;
    enum gateway_state state;
    int64_t now_ns; /* monotonic, taken once a turn */
    void *zmq;
    void *clients; /* ROUTER; NULL until the registry is there */
    struct link_client *link;
    uint16_t link_id;
    uint64_t durable_seq; /* highest durable command that the exchange has spoken of */
    uint64_t login_serial;
    int64_t reopen_ns; /* when to try the link again; 0: it is open */
    int64_t backoff_ns;
    int64_t tables_ns; /* when to ask for the registry again; 0: an answer is awaited */
    int64_t timers_ns;
    uint32_t command_count;
    union command_slot commands[GATEWAY_COMMANDS_MAX];
    struct request requests[CODEC_REQUESTS_MAX];
    struct codec_batch batch; /* into requests and */
    uint64_t rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
    struct translation translation;
    struct report_joined joined; /* of the SET or JOB whose legs or lanes are coming in */
    struct message message;      /* room to build and to read answers in */
    struct auth auth;
    struct reads reads;
    struct outbox_table outboxes;
    struct registry registry;
    struct session_table sessions;
};

/* `gateway` is zeroed memory. Opens everything but the clients' socket, which is bound when the
 * registry has come. */
int gateway_open(struct gateway *gateway, void *zmq_context,
                 const struct gateway_settings *settings, struct error *error);
void gateway_close(struct gateway *gateway);
/* Works off what waits on every socket. 1: there was something; 0: there was nothing, wait. */
int gateway_turn(struct gateway *gateway, struct error *error);
/* Waits for something to do, not longer than a timer allows. */
void gateway_wait(const struct gateway *gateway, int signals);
/* Tells every client and the exchange that this is the end. */
void gateway_say_goodbye(struct gateway *gateway);

/* --- for the gateway's own parts ----------------------------------------------------------------- */

/* Encodes and gathers gateway->message for a peer. */
void gateway_answer(struct gateway *gateway, uint32_t peer);
/* "reject"; `request` may be NULL when nothing of it could be read, `field` when none is at fault. */
void gateway_refuse(struct gateway *gateway, uint32_t peer, uint32_t index,
                    const struct request *request, uint16_t reason, const char *field);
/* Tells the peer that its session is over ("logout"). */
void gateway_tell_logout(struct gateway *gateway, uint32_t peer, uint64_t ref, uint16_t reason);
/* Room for the commands of one more client message, sending what waits if need be. */
bool gateway_has_room(struct gateway *gateway);
/* Adds commands to those that go out at the end of the turn. False: there is no room and the link
 * takes nothing just now. */
bool gateway_command(struct gateway *gateway, const union command_slot *slots, uint32_t count);
/* Asks the read side on behalf of a peer; refuses the request when that cannot be. */
void gateway_read(struct gateway *gateway, const struct read_waiting *question,
                  const struct request *request);

/* requests.c: takes one waiting message of a client. 0: none waits. */
int requests_take(struct gateway *gateway);
/* reports.c: takes one frame of the link; one answer of the read side. 0: none waits. */
int reports_take_events(struct gateway *gateway);
int reports_take_answer(struct gateway *gateway);
/* Gives up reads that waited too long. */
void reports_expire_reads(struct gateway *gateway);
/* Says that a question of a peer stays without an answer. */
void reports_unanswered(struct gateway *gateway, const struct read_waiting *question,
                        uint16_t reason);

#endif
