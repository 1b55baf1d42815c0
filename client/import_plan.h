/* What a cluster trace becomes on the market, by stated rules (docs/operations.md, "Importing a
 * trace"): islands of nodes with range offers, tasks as JOB orders. Hours count from the plan's first
 * hour, which is the one in which the trace begins; integer arithmetic throughout. Pure; one
 * thread. */
#ifndef KASHI_CLIENT_IMPORT_PLAN_H
#define KASHI_CLIENT_IMPORT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "client/import_trace.h"
#include "client/tables.h"

#define IMPORT_LONGEST_HOURS JOB_HOURS_MAX /* of one JOB, and of one range of offers */
#define IMPORT_ISLAND_NODES  16            /* of one island, unless told otherwise */
#define IMPORT_BATCH_SLACK   24 /* hours that a BE task may wait; the others start at once */
/* Offers of a class climb from 95 % to 105 % of its price, island by island. */
#define IMPORT_OFFER_FROM_BP 9500
#define IMPORT_OFFER_OVER_BP 1000
/* A JOB pays on average at most so much of the price of the dearest class that it accepts. */
#define IMPORT_LIMIT_BP       11000
#define IMPORT_BATCH_LIMIT_BP 9800
/* Bands that leave all of these prices within reach of each other. */
#define IMPORT_INNER_BAND_BP 1500
#define IMPORT_OUTER_BAND_BP 3000

struct import_rules {
    const char *region;     /* where all of it stands, tier G0 */
    uint32_t horizon_hours; /* 2 or more: how many hours there are to trade */
    uint32_t longest_hours; /* 1 .. IMPORT_LONGEST_HOURS: a longer task becomes a chain */
    uint32_t island_nodes;  /* 1 or more */
    bool fold;              /* divide all times, so that the trace fits the horizon */
};

struct import_island {
    int64_t price_e4;
    uint32_t gpus;
    uint32_t nodes;
    uint8_t model;
};

#define IMPORT_NO_JOB UINT32_MAX
struct import_job {
    int64_t price_e4;  /* limit */
    uint32_t line;     /* of its task */
    uint32_t previous; /* the JOB that it goes on with (placement same), IMPORT_NO_JOB: none */
    uint32_t window_from;
    uint32_t window_to;
    uint32_t hours;
    uint32_t gpus;
    uint32_t models; /* bit by model: its lanes */
    uint32_t link;   /* place in its chain, from 0 */
    uint8_t placement;
};

struct import_plan {
    const struct import_trace *trace;
    struct import_rules rules;
    struct tables tables; /* the classes of the models in use and the region: what is registered */
    uint32_t class_of[IMPORT_MODELS_MAX]; /* model's place in these classes */
    int64_t price_e4[IMPORT_MODELS_MAX];  /* by model; 0: not in use */
    struct import_island *islands;        /* of one model together, models in the table's order */
    struct import_job *jobs;              /* in order of creation, the links of a chain together */
    uint32_t island_count;
    uint32_t job_count;
    uint32_t job_capacity;
    int64_t origin_s;      /* creation of the first task: the plan's first hour begins then */
    uint32_t models_used;  /* bit by model: it has nodes, or a task names it */
    uint32_t models_owned; /* it has nodes */
    uint32_t fold;         /* all times were divided by it; 1: by none */
    uint32_t hours;        /* every island is offered for so many, from the first on */
    uint32_t gpus;         /* of all islands */
    /* Tasks, and what was done to them. */
    uint32_t ordered;      /* at least one JOB of it is in the plan */
    uint32_t fractions;    /* a part of a GPU became a whole one */
    uint32_t chained;      /* longer than one JOB may be: a chain */
    uint32_t beyond;       /* left out: the (first) JOB does not end within the horizon */
    uint32_t beyond_links; /* later JOBs that do not: left out, the chain ends before them */
    uint32_t nowhere;      /* left out: it accepts any model, and there is no node */
    int64_t gpu_seconds;   /* of all tasks, as they stand in the trace */
    int64_t gpu_hours;     /* of all JOBs in the plan */
    int64_t beyond_gpu_hours;
    int64_t bid_e4;   /* sum of limit x GPUs x hours of the JOBs */
    int64_t offer_e4; /* sum of price x GPUs x hours of the offers */
};

/* `plan` is large, the caller's; `trace` must outlive it. Free it in any case. */
int import_plan_make(struct import_plan *plan, const struct import_trace *trace,
                     const struct tables *tables, const struct import_rules *rules,
                     struct error *error);
void import_plan_free(struct import_plan *plan);

/* The classes of a JOB's lanes, places in the plan's tables, each once; returns how many. */
uint32_t import_plan_lanes(const struct import_plan *plan, const struct import_job *job,
                           uint32_t classes[IMPORT_MODELS_MAX]);

/* Range offers of each island: the hours of one from `from` on, at most IMPORT_LONGEST_HOURS. */
static inline uint32_t import_range_hours(const struct import_plan *plan, uint32_t from)
{
    uint32_t left = plan->hours - from;
    return left < IMPORT_LONGEST_HOURS ? left : IMPORT_LONGEST_HOURS;
}

#endif
