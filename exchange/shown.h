/* What orders show in depth, from their events: each change of it is told as a change of one level. A
 * plain order shows what rests of it, an iceberg its slice, an offer reserved for JOBs what is left of it,
 * as reserved quantity until its reservation ends, a JOB nothing, and a SET in each leg what its balance
 * allows there, as shared quantity. What an arriving order will show is known only when it rests; until then it shows nothing.
 *
 * Plain orders take no memory here; an iceberg or reserved offer about 80 bytes while it lives, a SET 32
 * more for each leg. Running out of it ends the process. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_SHOWN_H
#define KASHI_EXCHANGE_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/replica_map.h"
#include "wire/codec.h"
#include "wire/event.h"

/* `row` holds differences: firm, shared and reserved quantity, orders. */
typedef void shown_change(void *context, uint64_t contract, uint8_t side,
                          const struct level_row *row);

enum shown_kind {
    SHOWN_PART = 0,   /* an iceberg: `shown` of it */
    SHOWN_APART = 1,  /* reserved for JOBs: all of it, as reserved quantity */
    SHOWN_SHARED = 2, /* a SET: in each leg what is shown there */
};

struct shown_leg {
    uint64_t contract;
    int64_t price_e4;
    int64_t shown; /* 0: asleep, over, or not resting yet */
    uint32_t lot;
    bool over;
};

struct shown_order {
    uint64_t order_id; /* 0: free */
    int64_t leaves_qty;
    int64_t display_qty; /* SHOWN_PART */
    int64_t shown;
    struct shown_leg *legs; /* SHOWN_SHARED: room for leg_count */
    uint32_t leg_count;
    uint32_t legs_known; /* of them, those that have been told */
    uint8_t kind;        /* enum shown_kind */
};

/* The order that the command under way entered or entered anew last, until it is known what of it
 * rests: the next one arrives, the command is over, or something is said of it as of one that rests. */
struct shown_arriving {
    uint64_t order_id; /* 0: none */
    uint64_t contract; /* 0: a SET, whose balance stands in its shown_order */
    int64_t price_e4;
    int64_t leaves_qty;
    int64_t display_qty; /* 0: it will show all */
    uint8_t side;
};

/* Invariant: `map` leads to every order that is not free. */
struct shown {
    shown_change *change;
    void *context;
    struct replica_map map; /* order id -> place */
    struct shown_order *orders;
    size_t count;
    size_t capacity;
    uint32_t *free_places;
    size_t free_count;
    size_t free_capacity;
    struct shown_arriving arriving;
    uint32_t lots[CLASS_COUNT_MAX]; /* by class */
};

void shown_init(struct shown *table, shown_change *change, void *context);
void shown_free(struct shown *table);
/* Events in tape order. One that does not fit what came before is a CHECK. */
void shown_apply(struct shown *table, const struct event *event);
/* What has arrived rests: to be called when a command is over. */
void shown_settle(struct shown *table);
/* Whether the order is an offer that stands apart, reserved for JOBs. */
bool shown_reserved(const struct shown *table, uint64_t order_id);

#endif
