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

/* A link to the order at hand: its neighbour's or, at the end of the chain, the key's. */
static inline uint32_t *slot_link(bool neighbour, uint32_t *of_neighbour, uint32_t *of_key)
{
    return (uint32_t *)(uintptr_t)choose(mask_of(neighbour), (uintptr_t)of_neighbour,
                                         (uintptr_t)of_key);
}

/* The order's own links, newer 0 and older the key's newest, are set already. */
static inline void chain_append(struct engine *e, struct key *k, uint32_t slot)
{
    uint32_t newest = k->newest;
    k->newest = slot;
    *slot_link(newest != 0, &e->orders[newest].newer, &k->oldest) = slot;
}

static inline void chain_remove(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    struct key *k = &e->keys[o->key];
    for (uint32_t i = 0; i < e->s.sweep_count; i++) {
        struct sweep *sweep = &e->s.sweeps[(e->s.sweep_first + i) % SWEEPS_MAX];
        if (sweep->slot == slot) {
            sweep->slot = o->newer;
        }
    }
    /* Whether there are neighbours comes at random. */
    uint32_t *after = slot_link(o->newer != 0, &e->orders[o->newer].older, &k->newest);
    uint32_t *before = slot_link(o->older != 0, &e->orders[o->older].newer, &k->oldest);
    *after = o->older;
    *before = o->newer;
}

#endif
