/* The registry as the read side needs it: which event registered what, by id; names of classes and
 * regions for symbols; markets and whether they are halted. Built from events; holds positions of
 * the tape rather than the events themselves, about 8 bytes a registration.
 *
 * Running out of memory ends the process. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_REPLICA_REGISTRY_H
#define KASHI_EXCHANGE_REPLICA_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/replica_map.h"
#include "wire/contract.h"
#include "wire/event.h"

enum registry_kind {
    REGISTRY_CLASS = 0,
    REGISTRY_REGION = 1,
    REGISTRY_RESOURCE = 2,
    REGISTRY_GROUP = 3,
    REGISTRY_ACCOUNT = 4,
    REGISTRY_KEY = 5,
    REGISTRY_FEES = 6,
    REGISTRY_KIND_COUNT = 7,
};

struct registry_positions {
    uint64_t *items;
    size_t count;
    size_t capacity;
};

struct registry_market {
    struct event_market terms; /* as last set */
    bool halted;
};

struct replica_registry {
    struct contract_names names;
    struct registry_positions kinds[REGISTRY_KIND_COUNT]; /* by id from the first */
    struct registry_positions all;   /* every event that a starting gateway loads, in order */
    struct registry_market *markets; /* in order of their opening */
    size_t market_count;
    size_t market_capacity;
    struct replica_map market_numbers; /* class and region -> number + 1 */
};

void replica_registry_init(struct replica_registry *registry);
void replica_registry_free(struct replica_registry *registry); /* NULL is fine */
void replica_registry_apply(struct replica_registry *registry, const struct event *event,
                            uint64_t position);

/* NULL: no such market. */
const struct registry_market *replica_registry_market(const struct replica_registry *registry,
                                                      uint16_t class_id, uint16_t region_id);

#endif
