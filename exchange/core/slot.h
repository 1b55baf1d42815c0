/* Slots of orders, and the chain of a key's orders in order of entry. */
#ifndef KASHI_EXCHANGE_CORE_SLOT_H
#define KASHI_EXCHANGE_CORE_SLOT_H

#include "exchange/core/state.h"

static inline uint32_t slot_take(struct engine *e)
{
    uint32_t slot = e->s.order_free;
    if (slot != 0) {
        e->s.order_free = e->orders[slot].newer;
    } else {
        CHECK(e->s.order_top < e->config.orders);
        slot = ++e->s.order_top;
        e->orders[slot].generation = 1;
    }
    e->s.order_count++;
    return slot;
}

static inline void slot_release(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    o->live = 0;
    o->generation++;
    e->s.order_count--;
    /* A slot whose generations are used up is retired: ids never repeat. */
    if (__builtin_expect(o->generation == 0, 0)) {
        e->s.order_retired++;
        return;
    }
    o->newer = e->s.order_free;
    e->s.order_free = slot;
}

/* Whether an order has neighbours in its key's chain comes at random. Slot 0 is nobody's: what is linked
 * to it is written there and never read. */

/* The order's own links, newer 0 and older the key's newest, are set already. */
static inline void chain_append(struct engine *e, struct key *k, uint32_t slot)
{
    uint32_t newest = k->newest;
    uint32_t oldest = k->oldest;
    e->orders[newest].newer = slot;
    k->newest = slot;
    k->oldest = (uint32_t)choose(mask_of(oldest == 0), slot, oldest);
}

/* A mass cancel that would look at the order next goes on behind it. */
RARE void chain_pass_sweeps(struct engine *e, uint32_t slot);

static inline void chain_remove(struct engine *e, uint32_t slot)
{
    struct order *orders = e->orders;
    struct key *k = &e->keys[orders[slot].key];
    uint32_t newer = orders[slot].newer;
    uint32_t older = orders[slot].older;
    if (__builtin_expect(e->s.sweep_count != 0, 0)) {
        chain_pass_sweeps(e, slot);
    }
    uint32_t newest = k->newest;
    uint32_t oldest = k->oldest;
    orders[newer].older = older;
    orders[older].newer = newer;
    k->newest = (uint32_t)choose(mask_of(newer == 0), older, newest);
    k->oldest = (uint32_t)choose(mask_of(older == 0), newer, oldest);
}

#endif
