/* One pass over the books of a side of a ladder hour in matching order, changing nothing: one candidate
 * order a book. What icebergs have in reserve comes as one more candidate after the last order of its
 * price (rulebook, section 10) where the pass counts it. */
#ifndef KASHI_EXCHANGE_CORE_WALK_H
#define KASHI_EXCHANGE_CORE_WALK_H

#include "exchange/core/book.h"
#include "exchange/core/iceberg.h"

struct walk {
    uint32_t slot[BOOKS];   /* candidate of each book; 0 at its end */
    int64_t reserve[BOOKS]; /* of the orders passed at the candidate's price that count */
    uint32_t hidden; /* bit a book: the candidate is this reserve; slot is the last of its price */
};

static inline void walk_start(const struct engine *e, struct walk *w, uint32_t ladder)
{
    *w = (struct walk){.hidden = 0};
    memcpy(w->slot, e->ladders[ladder].best, sizeof(w->slot));
}

/* Book of the best candidate among `mask`, bits of ladder.occupied, as an arriving offer (`sell`) or
 * bid sees it: at equal prices the nearest tier. BOOKS: none is left. */
static inline uint32_t walk_best(const struct engine *e, const struct walk *w, uint32_t mask,
                                 bool sell)
{
    uint32_t best = BOOKS;
    for (uint32_t book = 0; book < BOOKS; book++) {
        if ((mask >> book & 1u) == 0 || w->slot[book] == 0) {
            continue;
        }
        uint32_t price = e->orders[w->slot[book]].price_e4;
        if (best == BOOKS || (sell ? price >= e->orders[w->slot[best]].price_e4
                                   : price < e->orders[w->slot[best]].price_e4)) {
            best = book;
        }
    }
    return best;
}

/* Takes the candidate of a book, which then has the next one. */
static inline uint32_t walk_take(const struct engine *e, struct walk *w, uint32_t book)
{
    uint32_t slot = w->slot[book];
    w->slot[book] = book_worse(e, slot);
    return slot;
}

/* The same; with `counts` what the order has in reserve comes after the last of its price. */
static inline void walk_pass(const struct engine *e, struct walk *w, uint32_t book, bool counts)
{
    uint32_t slot = w->slot[book];
    uint32_t next = book_worse(e, slot);
    if ((w->hidden >> book & 1u) != 0) {
        w->hidden &= ~(1u << book);
        w->reserve[book] = 0;
    } else {
        w->reserve[book] += counts ? iceberg_reserve(e, slot) : 0;
        if (w->reserve[book] != 0 &&
            (next == 0 || e->orders[next].price_e4 != e->orders[slot].price_e4)) {
            w->hidden |= 1u << book;
            return;
        }
    }
    w->slot[book] = next;
}

/* An iceberg that shows its next slice is the last at its price: a walk that has passed it by meets it
 * again. */
static inline void walk_return(const struct engine *e, struct walk *w, uint32_t book, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    uint32_t next = w->slot[book];
    if (o->live && o->iceberg && o->resting &&
        (next == 0 || e->orders[next].price_e4 != o->price_e4)) {
        w->slot[book] = slot;
    }
}

/* A leg of a SET is about to trade or to be taken out, after which no other leg of the SET stands in this
 * ladder hour: the candidates move past them. */
static inline void walk_skip_legs(const struct engine *e, struct walk *w, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    for (uint32_t book = 0; o->kind == KIND_LEG && book < BOOKS; book++) {
        uint32_t other = w->slot[book];
        while (other != 0 && e->orders[other].kind == KIND_LEG &&
               e->orders[other].older == o->older) {
            other = book_worse(e, other);
        }
        w->slot[book] = other;
    }
}

#endif
