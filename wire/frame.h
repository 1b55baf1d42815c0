/* Frames: what travels between a gateway and the exchange, and from the replica to those who
 * follow the tape. One ZeroMQ message part: a head, then `count` items of 128 bytes. */
#ifndef KASHI_WIRE_FRAME_H
#define KASHI_WIRE_FRAME_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/command.h"
#include "wire/event.h"

#define FRAME_MAGIC     UINT32_C(0x3153484b) /* "KHS1" */
#define FRAME_ITEM_SIZE 128
#define FRAME_ITEMS_MAX 4096

enum frame_kind {
    /* link, gateway to exchange */
    FRAME_HELLO = 1,    /* name; answered by WELCOME once LINK_UP is durable */
    FRAME_COMMANDS = 2, /* items: command slots, whole commands only */
    FRAME_PING = 3,     /* answered by PONG; silence of either side means a lost link */
    FRAME_BYE = 4,
    /* link, exchange to gateway */
    FRAME_WELCOME = 11,
    FRAME_EVENTS = 12, /* items: events, in tape order */
    FRAME_PONG = 13,
    /* tape, follower to replica and back */
    FRAME_TAPE_REQUEST = 21, /* after_seq; count: most events wanted, 0: the server's choice */
    FRAME_TAPE_EVENTS = 22,  /* items: whole commands' events with seq > after_seq, in order;
                                none when nothing came for a second */
};

struct frame_head {
    uint32_t magic;
    uint8_t version; /* 1 */
    uint8_t kind;    /* enum frame_kind */
    uint16_t link;   /* WELCOME: the link's id */
    uint32_t count;  /* items that follow */
    uint32_t reserved;
    uint64_t after_seq;        /* TAPE_REQUEST: events after this command sequence.
                           TAPE_EVENTS: highest complete command sequence of the tape.
                           WELCOME, PONG: highest durable command sequence */
    char name[LINK_NAME_SIZE]; /* HELLO: the gateway's name */
    uint64_t reserved1;
};
static_assert(sizeof(struct frame_head) == 48, "frame head");
static_assert(sizeof(struct command) == FRAME_ITEM_SIZE && sizeof(struct event) == FRAME_ITEM_SIZE,
              "items");

/* Whether the bytes (aligned to 8) are exactly one frame of any kind. Pure; any thread. */
bool frame_whole(const void *bytes, size_t size);
/* Whether a whole frame is one that a gateway may send: HELLO with a name, PING, BYE, or COMMANDS
 * of at least one whole command, each with a true checksum and none of the sequencer's own types. */
bool frame_from_gateway(const struct frame_head *head, const union command_slot *slots);

#endif
