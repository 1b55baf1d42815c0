/* The orders whose depth does not follow from their events alone: icebergs, offers reserved for JOBs,
 * SETs. Used by market_data.c, which keeps what they show in step with its levels; plain orders cost
 * nothing here. About 50 bytes an order and 32 a leg while it lives.
 *
 * Running out of memory ends the process. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_MARKET_DATA_ORDERS_H
#define KASHI_EXCHANGE_MARKET_DATA_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/replica_map.h"
#include "wire/command.h"

enum shown_kind {
    SHOWN_PART = 0,   /* an iceberg: `shown` of it */
    SHOWN_NOT = 1,    /* reserved for JOBs */
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

/* Invariant: `map` leads to every order that is not free. */
struct shown_orders {
    struct replica_map map; /* order id -> place */
    struct shown_order *orders;
    size_t count;
    size_t capacity;
    uint32_t *free_places;
    size_t free_count;
    size_t free_capacity;
};

void shown_orders_init(struct shown_orders *orders);
void shown_orders_free(struct shown_orders *orders);
/* NULL: a plain order, or none. Good until the next add. */
struct shown_order *shown_orders_find(const struct shown_orders *orders, uint64_t order_id);
/* The order is not there yet. */
struct shown_order *shown_orders_add(struct shown_orders *orders, uint64_t order_id,
                                     enum shown_kind kind, uint32_t leg_count);
void shown_orders_remove(struct shown_orders *orders, struct shown_order *order);

/* What the leg may trade of a balance: whole lots. */
static inline int64_t shown_leg_qty(const struct shown_leg *leg, int64_t balance_qty)
{
    return leg->over ? 0 : balance_qty - balance_qty % leg->lot;
}
/* The leg of this contract that is not over; NULL: none. */
struct shown_leg *shown_order_leg(const struct shown_order *order, uint64_t contract);

#endif
