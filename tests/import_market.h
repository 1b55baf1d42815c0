/* A trace's plan straight into an engine, without sockets: the market that `kashi import` founds, every
 * range of offers, then the JOBs, all at one moment unless the caller lets the clock jump. For the benchmark and the tests; the caller
 * frees the memory. One thread. */
#ifndef KASHI_TESTS_IMPORT_MARKET_H
#define KASHI_TESTS_IMPORT_MARKET_H

#include <stdint.h>

#include "client/import_offers.h"
#include "exchange/core/engine.h"

#define IMPORT_MARKET_REASONS 304
#define IMPORT_MARKET_HOUR    490002u /* the plan's first hour */

/* What became of a JOB of the plan. */
struct import_fate {
    uint64_t order_id;    /* 0: it was not entered */
    uint64_t trade_group; /* 0: not filled */
    int64_t gpu_hours;    /* filled */
    int64_t notional_e4;
    uint32_t first_hour; /* it runs from there, counted as in the plan */
    uint32_t last_hour;
    uint32_t resources; /* different ones, as far as they follow each other */
    uint32_t resource;  /* the last */
    uint16_t class_id;
};

struct import_market {
    const struct import_plan *plan;
    struct engine *engine;
    struct event_sink sink;
    struct import_fate *fates;        /* of each JOB */
    uint32_t *job_of;                 /* by slot, the low half of an order id: place + 1 */
    struct import_offers offers_made; /* the ranges, sent as an import sends them */
    int64_t now_ns;
    uint32_t orders;            /* ranges and JOBs sent */
    uint32_t jump_after;        /* so many orders; 0: the clock stands */
    uint32_t jump_hours;        /* it jumps by these */
    struct import_range *range; /* that is being entered */
    uint64_t seq;
    uint32_t job; /* the one that is being entered */
    uint64_t ranges;
    uint64_t offers; /* hours of ranges that were entered */
    uint64_t jobs;
    uint64_t filled;
    uint64_t broken;   /* JOBs that were not sent: the one before in their chain was not filled */
    int64_t gpu_hours; /* filled */
    int64_t notional_e4;
    uint64_t fills;
    uint64_t rejected[IMPORT_MARKET_REASONS];
    int64_t range_ns; /* time that the ranges took, and the JOBs */
    int64_t job_ns;
    void *memory;
};

/* Table sizes that the plan needs. */
void import_market_config(const struct import_plan *plan, struct engine_config *config);
/* `memory`: zeroed, aligned to 64, engine_memory_size() of that configuration. */
void import_market_begin(struct import_market *market, const struct import_plan *plan,
                         void *memory);
void import_market_run(struct import_market *market);
void import_market_free(struct import_market *market); /* all but the memory */

#endif
