/* The index's two sockets. `index` (PUB): part 1 the topic `ix.CLASS.REGION.TIER.YYYYMMDD`, part 2
 * the value, a message "index" of wire/codec.h. `index_snapshot` (ROUTER, for DEALER and REQ): the
 * request is one part, the beginning of a topic without "ix." (empty: all), the answer one part, an
 * array of the latest values that it fits, in order of their first value.
 *
 * A request that is none is passed over; a reader that does not read loses messages, never holds
 * anyone up. One thread. */
#ifndef KASHI_PRICING_PUBLISH_H
#define KASHI_PRICING_PUBLISH_H

#include "base/config.h"
#include "base/endpoints.h"
#include "base/error.h"
#include "pricing/latest.h"

#define PUBLISH_SNAPSHOT_MAX 65535 /* lane-days: values of an answer at most, by its array's head */

struct publish {
    void *index;
    void *snapshot;
    uint8_t *reply; /* the caller's */
    size_t reply_size;
};

size_t publish_memory_size(uint32_t lanes_max);
void publish_init(struct publish *publish, uint8_t *reply, size_t reply_size);
/* Binds both; endpoints[0] and [1] say where. */
int publish_bind(struct publish *publish, void *zmq, const struct config *config,
                 struct endpoint endpoints[2], struct error *error);
void publish_free(struct publish *publish);

void publish_value(struct publish *publish, const struct contract_names *names,
                   const struct index_value *value);
/* Answers the requests that wait, a bounded number of them. */
void publish_answer(struct publish *publish, const struct contract_names *names,
                    const struct latest *latest);

#endif
