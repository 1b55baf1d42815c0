/* The latest value of every lane-day, for those who ask instead of listening: of each, the last
 * preliminary or final value, and the indicative one of a later trading day if there is one.
 * Tables are the caller's. One thread. */
#ifndef KASHI_PRICING_LATEST_H
#define KASHI_PRICING_LATEST_H

#include <stddef.h>
#include <stdint.h>

#include "pricing/core/index.h"

struct latest_lane {
    uint64_t key; /* class, region, tier, delivery day, as contract_pack() packs them */
    struct index_value closed;     /* kind 0: none */
    struct index_value indicative; /* kind 0: none */
};

struct latest {
    struct latest_lane *lanes;
    uint32_t *buckets; /* 2 to 4 times `capacity`, a power of two */
    uint32_t capacity;
    uint32_t bucket_mask;
    uint32_t count;
    uint32_t trading_day; /* the newest seen */
};

uint32_t latest_bucket_count(uint32_t capacity);
/* Both tables are zeroed. */
void latest_init(struct latest *latest, struct latest_lane *lanes, uint32_t *buckets,
                 uint32_t capacity);
/* Lanes whose delivery day is past for longer than a week make room; a value that still finds none
 * is not kept: -1, else 0. */
int latest_put(struct latest *latest, const struct index_value *value);

#endif
