/* Reads: requests that change nothing, passed by a gateway to the replica. A message has two
 * parts: this head, then the request's msgpack bytes, one map; the answer has the
 * head back (correlation, seq filled in), then the finished msgpack reply.
 * kind READ_TABLES is the gateway's own, at start: the answer's second part is registry events
 * (128 bytes each: CLASS, REGION, MARKET, GROUP, ACCOUNT, KEY, RESOURCE, in order of their ids). */
#ifndef KASHI_WIRE_READ_H
#define KASHI_WIRE_READ_H

#include <assert.h>
#include <stdint.h>

#define READ_MAGIC UINT32_C(0x3152484b) /* "KHR1" */

enum read_kind {
    READ_REQUEST = 1,
    READ_TABLES = 2,
    READ_ANSWER = 3,
    READ_TABLES_ANSWER = 4,
};

struct read_head {
    uint32_t magic;
    uint8_t version; /* 1 */
    uint8_t kind;
    uint8_t roles; /* of the key */
    uint8_t reserved;
    uint32_t key;
    uint32_t account;
    uint64_t min_seq;     /* answer from a state not older than this, else LAGGING */
    uint64_t correlation; /* the gateway's */
    uint64_t seq;         /* answer: the state's command sequence */
};
static_assert(sizeof(struct read_head) == 40, "read head");

#endif
