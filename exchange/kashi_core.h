/* The matching core as a library: new, replace and cancel in; accepted, replaced, rejected, trade and
 * canceled out. For benchmarks and simulations that want the exchange's own engine, with every check
 * on, behind a small interface; the exchange itself drives exchange/core/engine.h, on which this
 * stands. Link libkashi-core.a; no other library is needed.
 *
 * What it opens: one accelerator class, and as many regions as hold the instruments, 800 delivery hours
 * each; instrument 0 is the first hour of the first region. Every account may buy and sell, has one
 * resource of 10^9 GPUs in each region that it sells in, and cash that does not run out; accounts of one
 * group do not trade with each other (the arriving order is canceled). No fees, bands wide open, time
 * stands still. Prices 1 .. 2147483646, quantities 1 .. 10^9.
 *
 * Memory: the caller gives one zeroed, 64-byte aligned block and keeps it; nothing is allocated. Errors
 * are reasons of wire/reject.h (reason_name() says them). Thread: one at a time. The same calls give
 * the same answers on every machine. */
#ifndef KASHI_EXCHANGE_KASHI_CORE_H
#define KASHI_EXCHANGE_KASHI_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Table sizes. A new order that finds a table full is rejected (FULL). */
struct kashi_core_config {
    uint32_t instruments; /* 1 .. 800 x 256 */
    uint32_t accounts;    /* 1 .. 100,000; ids from 1 */
    uint32_t orders;      /* resting at a time */
    uint32_t fills;       /* over the core's whole life: they are never released here */
};

struct kashi_core_trade {
    uint64_t maker; /* order ids: the resting and the arriving order */
    uint64_t taker;
    int64_t price;
    int64_t qty;
    uint32_t instrument;
};

/* Called during kashi_core_new, _replace and _cancel, in the order in which things happen; must not
 * call back into the core. NULL: not wanted. `order_id` 0: the request entered no order. */
struct kashi_core_handler {
    void *context;
    void (*accepted)(void *context, uint64_t order_id);
    void (*replaced)(void *context, uint64_t order_id, int64_t leaves_qty);
    void (*rejected)(void *context, uint64_t order_id, uint16_t reason);
    void (*trade)(void *context, const struct kashi_core_trade *trade);
    void (*canceled)(void *context, uint64_t order_id, int64_t qty, uint16_t reason);
};

enum kashi_core_kind {
    KASHI_CORE_LIMIT = 0,  /* rests what it does not fill */
    KASHI_CORE_IOC = 1,    /* immediate or cancel */
    KASHI_CORE_FOK = 2,    /* all at once or nothing */
    KASHI_CORE_MARKET = 3, /* immediate or cancel at any price; `price` is not read */
    KASHI_CORE_POST_ONLY = 4,
};
struct kashi_core_order {
    int64_t price;
    int64_t qty;
    uint32_t instrument;
    uint32_t account;
    uint8_t sell; /* 0 buy, 1 sell */
    uint8_t kind; /* enum kashi_core_kind */
};

struct kashi_core;

/* 0 when a size is out of range. */
size_t kashi_core_size(const struct kashi_core_config *config);
/* NULL when a size is out of range. `handler` is copied. */
struct kashi_core *kashi_core_init(void *memory, const struct kashi_core_config *config,
                                   const struct kashi_core_handler *handler);
/* Opens the next account (ids 1, 2, …) in a group, 1 .. accounts; 0 when there are as many as there
 * may be or the group is out of range. */
uint32_t kashi_core_open(struct kashi_core *core, uint32_t group);

/* The order's id, never repeated, or 0 when it was rejected. */
uint64_t kashi_core_new(struct kashi_core *core, const struct kashi_core_order *order);
/* New price and new order quantity, what was filled included; keeps its place when only the quantity
 * falls. Orders are the account's that entered them: another's is unknown. False: rejected. */
bool kashi_core_replace(struct kashi_core *core, uint32_t account, uint64_t order_id, int64_t price,
                        int64_t qty);
bool kashi_core_cancel(struct kashi_core *core, uint32_t account, uint64_t order_id);

#endif
