/* SET and JOB orders once more, from the tape and the rulebook (sections 11 and 12): whether every fill
 * of them is one that they allowed. A JOB is filled whole or not at all: N GPUs in each of H contiguous
 * hours of its window, in one of its lanes, on one resource where it asked for that, at an average
 * within its limit, all fills in one command under one trade group. A SET's fills stay within its
 * quantity and the limit of the leg. Any thread, one at a time. */
#ifndef KASHI_CLIENT_CHECK_PARENTS_H
#define KASHI_CLIENT_CHECK_PARENTS_H

#include <stddef.h>
#include <stdint.h>

#include "wire/event.h"
#include "wire/units.h"

struct parent {
    uint64_t order_id;
    int64_t price_e4;     /* JOB: P */
    int64_t qty;          /* JOB: N */
    int64_t cum_qty;      /* SET: GPUs filled */
    uint64_t same_group;  /* JOB */
    uint64_t trade_group; /* JOB: 0 not filled */
    uint32_t resource;    /* JOB filled on one: which */
    uint32_t window_from;
    uint32_t window_to;
    uint32_t hours; /* 0: a SET */
    uint32_t first; /* place of its first lane or leg */
    uint32_t count; /* of them */
    uint8_t placement;
};

/* The JOB whose fills are being read. */
struct parents_group {
    uint64_t trade_group; /* 0: none */
    struct parent *job;   /* NULL: unknown */
    uint64_t contract;    /* of the latest fill */
    int128 worth;         /* sum of price x factor x quantity */
    int64_t hour_qty;     /* in the latest hour */
    uint32_t first_hour;
    uint32_t resource;
    const char *wrong; /* what is wrong with it; NULL: nothing so far */
};

struct parents {
    uint64_t jobs;
    uint64_t jobs_filled;
    int64_t job_gpu_hours;
    uint64_t sets;
    uint64_t sets_filled; /* at least in part */
    uint64_t wrong;       /* fills or JOBs that must not be */
    struct parent *parents;
    uint32_t count;
    uint32_t capacity;
    uint32_t *places; /* hash of order ids: place + 1 */
    uint32_t place_capacity;
    union parents_row {
        struct job_lane lane;
        struct set_leg leg;
    } * rows;
    uint32_t row_count;
    uint32_t row_capacity;
    struct parents_group group;
};

void parents_init(struct parents *parents);
void parents_free(struct parents *parents);
/* The tape's events, all of them, in order. Says the first few that are wrong on stdout. */
void parents_take(struct parents *parents, const struct event *event);

#endif
