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

static inline void chain_append(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    struct key *k = &e->keys[o->key];
    o->older = k->newest;
    o->newer = 0;
    if (k->newest != 0) {
        e->orders[k->newest].newer = slot;
    } else {
        k->oldest = slot;
    }
    k->newest = slot;
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
    uint32_t *after = o->newer != 0 ? &e->orders[o->newer].older : &k->newest;
    uint32_t *before = o->older != 0 ? &e->orders[o->older].newer : &k->oldest;
    *after = o->older;
    *before = o->newer;
}

#endif
