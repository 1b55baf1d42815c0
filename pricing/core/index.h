/* The index: from the events of the tape to the values of all lane-days, as docs/index-method.md
 * says. It is fed with every event in tape order and emits values: indicative ones at the end of
 * each partition of the trading day (and whenever the caller asks), preliminary and final ones when
 * the tape's time passes their moment. Values depend on the tape alone: whoever feeds the same events
 * gets the same values in the same order, those that the caller asked for aside.
 *
 * Pure: no clock, no allocation. Tables lie in memory that the caller gives at the start and owns;
 * they have stated bounds, and one that is full is an error, because values would be wrong. An index
 * belongs to one thread at a time. */
#ifndef KASHI_PRICING_CORE_INDEX_H
#define KASHI_PRICING_CORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pricing/core/lane_day.h"
#include "wire/codec.h"
#include "wire/event.h"

#define INDEX_PRELIMINARY_DELAY_NS (300 * NS_PER_SECOND)
#define INDEX_FINAL_DELAY_NS       (1800 * NS_PER_SECOND)

enum index_error {
    INDEX_LANES_FULL = -1,
    INDEX_OBSERVATIONS_FULL = -2,
};

enum index_level {
    INDEX_LEVEL_TRADES = 1,
    INDEX_LEVEL_STALE = 4,
    INDEX_LEVEL_NONE = 5, /* only to take back an indicative value of the same trading day */
};

struct index_limits {
    uint32_t lanes_max; /* lane-days with a trade today or a value not yet stale; 1 .. 2^24 */
    uint32_t observations_max; /* of one trading day; 1 .. LANE_DAY_OBSERVATIONS_MAX */
};

struct index_value {
    uint64_t seq;     /* made from the tape up to this command */
    int64_t time_ns;  /* of publication: when it was due, or the time of `seq` */
    int64_t price_e4; /* level 5: 0 */
    int64_t volume_qty;
    uint32_t observations;
    uint32_t buyers;
    uint32_t sellers;
    uint32_t left_out;
    uint32_t day;         /* delivery day */
    uint32_t trading_day; /* whose trades it is made from */
    uint32_t value_day;   /* trading day that price_e4 is of; level 4: an earlier one */
    uint32_t parameter_version;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t tier;
    uint8_t kind;    /* enum index_kind */
    uint8_t level;   /* enum index_level */
    uint8_t at_mark; /* 1: due at a moment of the method, so that anyone can recompute it */
};

typedef void index_emit(void *context, const struct index_value *value);

struct index_lane;
struct index_observation;

/* Invariants (index_sanity):
 * 1. Each lane stands in `buckets` exactly once, where its key's probe finds it.
 * 2. A lane's observations are in tape order, and all lanes' make up `observation_count`.
 * 3. Lanes' delivery days are not before the trading day, unless they traded today. */
struct index {
    const struct lane_day_parameters *parameters;
    struct index_limits limits;
    index_emit *emit;
    void *emit_context;

    struct index_lane *lanes; /* in order of their first trade */
    uint32_t *buckets;        /* index of lane + 1; 0 empty; open addressing */
    struct index_observation *observations;
    struct lane_day_observation *work;
    struct lane_day_sort_item *items;
    struct index_value *closed; /* values of the trading day that ended last */
    uint32_t bucket_mask;
    uint32_t lane_count;
    uint32_t observation_count;
    uint32_t closed_count;
    uint32_t command_first; /* first observation of the present command */

    bool started;
    uint8_t closed_kind; /* the kind that is due next for `closed`; 0 none */
    uint32_t complete;   /* partitions of the trading day that have ended */
    uint32_t day;        /* the trading day */
    uint64_t seq;        /* of the latest event */
    int64_t time_ns;
    uint32_t lots[CLASS_COUNT_MAX]; /* 0: not registered */
};

/* Bytes that the tables need, and what alignment: 64. */
size_t index_memory_size(const struct index_limits *limits);

/* `memory` is zeroed. `parameters` outlive the index. */
void index_init(struct index *index, const struct lane_day_parameters *parameters,
                const struct index_limits *limits, void *memory, index_emit *emit,
                void *emit_context);

/* The next event of the tape. 0 or enum index_error. */
int index_event(struct index *index, const struct event *event);

/* Emits an indicative value of each lane that traded since its last one. */
void index_indicative(struct index *index);

void index_sanity(const struct index *index);

/* Trading day (days since 1970-01-01 in UTC+8) of a moment, and a day's beginning. */
uint32_t index_day(int64_t time_ns);
int64_t index_day_begin_ns(uint32_t day);

#endif
