/* The value of one lane-day (class x region x tier x delivery day) in one window: the arithmetic of
 * docs/index-method.md, sections 3 to 6. Integers only: prices in ten-thousandths of a yuan per
 * GPU-hour, quantities in GPU-hours, each division at the end of its formula and rounded half to
 * even, except the pair cap, which rounds down.
 *
 * Pure: no state, nothing allocated, the caller's arrays are worked on in place. Any thread. */
#ifndef KASHI_PRICING_CORE_LANE_DAY_H
#define KASHI_PRICING_CORE_LANE_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/units.h"

#define LANE_DAY_PARTITIONS_MAX   24
#define LANE_DAY_OBSERVATIONS_MAX (UINT32_C(1) << 26) /* x 24 x QTY_MAX fits int64 twice over */

/* A value names the version of the parameters that it was made with; a version never changes. */
struct lane_day_parameters {
    uint32_t version;
    uint32_t partitions;         /* K, 1 .. LANE_DAY_PARTITIONS_MAX, a divisor of 24 */
    int64_t v_min_qty;           /* V_min, GPU-hours */
    uint32_t pairs_needed;       /* pairs that fill a partition; a pair counts for 1/pairs_needed */
    uint32_t filled_needed_of_4; /* partitions that must be filled, in quarters */
    uint32_t buyers_needed;
    uint32_t sellers_needed;
    uint32_t mad_multiple; /* left out: |p - M| above mad_multiple x MAD ... */
    uint32_t band_divisor; /* ... and above M / band_divisor */
    uint32_t stale_days;   /* age of the oldest last value that may stand in */
};

/* Version 1: K = 12, V_min = 256, the rest as in docs/index-method.md. */
extern const struct lane_day_parameters lane_day_parameters_1;

struct lane_day_observation {
    int64_t price_e4; /* average, 1 .. PRICE_MAX_E4 */
    int64_t qty;      /* in: as traded, 1 or more; out: what the pair cap left of it, 0 or more */
    uint32_t buyer_group;
    uint32_t seller_group;
    uint16_t partition; /* 0 .. K - 1, never falling along the array */
    bool left_out;      /* out: an outlier */
};

/* What lane_day_value() sorts in; as many as there are observations. */
struct lane_day_sort_item {
    int64_t key;
    int64_t weight;
};

struct lane_day_value {
    int64_t price_e4;      /* T; meaningless when has_price is false */
    int64_t volume_qty;    /* V: capped, outliers left out, of the filled partitions */
    uint32_t observations; /* that V is made of */
    uint32_t buyers;       /* ownership groups among them */
    uint32_t sellers;
    uint32_t left_out; /* outliers, in any partition */
    uint32_t filled;   /* partitions */
    bool has_price;    /* at least one partition is filled */
    bool level_1;      /* T may be published as level 1 */
};

/* Values `count` observations, all of different ownership groups on their two sides. `complete`
 * (0 .. K) partitions of the window have ended: what level 1 needs of volume and filled partitions
 * goes with them, so that the whole window's needs stand at K. */
void lane_day_value(const struct lane_day_parameters *parameters,
                    struct lane_day_observation *observations, uint32_t count, uint32_t complete,
                    struct lane_day_sort_item *items, struct lane_day_value *value);

/* numerator / denominator, rounded half to even. Numerator 0 or more, denominator above 0, the
 * result within int64. */
int64_t lane_day_divide(int128 numerator, int128 denominator);

#endif
