/* What waits to be sent to clients. Messages to one peer are gathered and leave together, as one
 * array, when the gateway has worked off what came in: under load that is many reports a message.
 * A peer that is gone, or that does not read while its queue in libzmq is full, is marked broken and
 * gets nothing more; the gateway then ends its session. One thread. */
#ifndef KASHI_GATEWAY_OUTBOX_H
#define KASHI_GATEWAY_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gateway/core/session.h"
#include "wire/codec.h"

#define OUTBOX_REPORT_MAX 2048 /* an encoded report, or any message without rows, is shorter */
#define OUTBOX_COUNT_MAX  1024 /* messages gathered into one */

struct outbox {
    uint8_t *bytes;  /* CODEC_ARRAY_HEAD_MAX + CODEC_MESSAGE_MAX; taken when first used */
    int64_t sent_ns; /* when something last left for it */
    uint32_t length;
    uint32_t address;
    uint16_t count;
    bool dirty; /* stands in the list below */
    bool broken;
};

struct outbox_table {
    void *socket;   /* the ROUTER; NULL until it is bound */
    int64_t now_ns; /* set by the gateway once a turn */
    uint64_t dropped;
    uint32_t dirty_count;
    uint32_t dirty[SESSION_PEERS_MAX];
    uint32_t broken_count;
    struct outbox boxes[SESSION_PEERS_MAX];
};

void outbox_free(struct outbox_table *table);
/* For a new peer: empties its box. */
void outbox_reset(struct outbox_table *table, uint32_t peer, uint32_t address);
/* Room for OUTBOX_REPORT_MAX bytes, to encode a message into; NULL when nothing can be sent to the
 * peer. What was written is added by outbox_commit (length 0: nothing was). */
uint8_t *outbox_claim(struct outbox_table *table, uint32_t peer);
void outbox_commit(struct outbox_table *table, uint32_t peer, size_t length);
/* Adds a finished message of at most CODEC_MESSAGE_MAX bytes. */
void outbox_put(struct outbox_table *table, uint32_t peer, const void *bytes, size_t length);
/* Sends one message to a connection that is no peer, if that is possible. */
void outbox_send_stranger(struct outbox_table *table, uint32_t address, const void *bytes,
                          size_t length);
/* Sends everything that was gathered. */
void outbox_flush(struct outbox_table *table);

#endif
