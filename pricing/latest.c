#include "pricing/latest.h"

#include <string.h>

#include "base/check.h"

#define KEPT_DAYS 7

uint32_t latest_bucket_count(uint32_t capacity)
{
    uint32_t buckets = 16;
    while (buckets < 2 * capacity) {
        buckets *= 2;
    }
    return buckets;
}

void latest_init(struct latest *latest, struct latest_lane *lanes, uint32_t *buckets,
                 uint32_t capacity)
{
    memset(latest, 0, sizeof(*latest));
    latest->lanes = lanes;
    latest->buckets = buckets;
    latest->capacity = capacity;
    latest->bucket_mask = latest_bucket_count(capacity) - 1;
}

static uint32_t probe(const struct latest *latest, uint64_t key)
{
    uint32_t bucket = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & latest->bucket_mask;
    while (latest->buckets[bucket] != 0 && latest->lanes[latest->buckets[bucket] - 1].key != key) {
        bucket = (bucket + 1) & latest->bucket_mask;
    }
    return bucket;
}

static void drop_past(struct latest *latest)
{
    uint32_t kept = 0;
    memset(latest->buckets, 0, ((size_t)latest->bucket_mask + 1) * sizeof(latest->buckets[0]));
    for (uint32_t i = 0; i < latest->count; i++) {
        if (contract_hour(latest->lanes[i].key) + KEPT_DAYS >= latest->trading_day) {
            latest->lanes[kept++] = latest->lanes[i];
            latest->buckets[probe(latest, latest->lanes[kept - 1].key)] = kept;
        }
    }
    latest->count = kept;
}

static struct latest_lane *find_or_add(struct latest *latest, uint64_t key)
{
    uint32_t bucket = probe(latest, key);
    if (latest->buckets[bucket] == 0) {
        if (latest->count == latest->capacity) {
            return NULL;
        }
        latest->lanes[latest->count] = (struct latest_lane){.key = key};
        latest->buckets[bucket] = ++latest->count;
    }
    return &latest->lanes[latest->buckets[bucket] - 1];
}

int latest_put(struct latest *latest, const struct index_value *value)
{
    if (value->trading_day > latest->trading_day) {
        latest->trading_day = value->trading_day;
        drop_past(latest);
    }
    struct latest_lane *lane = find_or_add(
        latest, contract_pack(value->class_id, value->region_id, value->tier, value->day));
    if (lane == NULL) {
        return -1;
    }
    if (value->kind == INDEX_INDICATIVE) {
        lane->indicative = *value;
    } else {
        if (value->level != INDEX_LEVEL_NONE) {
            lane->closed = *value;
        }
        if (lane->indicative.trading_day <= value->trading_day) {
            lane->indicative.kind = 0;
        }
    }
    return 0;
}
