/* One pass over the books of a side of a ladder hour in matching order, changing nothing: one candidate
 * order a book. */
#ifndef KASHI_EXCHANGE_CORE_WALK_H
#define KASHI_EXCHANGE_CORE_WALK_H

#include "exchange/core/book.h"

struct walk {
    uint32_t slot[BOOKS]; /* candidate of each book; 0 at its end */
};

static inline void walk_start(const struct engine *e, struct walk *w, uint32_t ladder)
{
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

#endif
