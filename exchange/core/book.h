/* The books of a ladder hour: for each side and tier the resting orders in matching order.
 *
 * The orders of one price form a ring in order of time: the oldest is its head, head.previous the
 * newest. tree.h keeps the levels of a book in order; the best level's head is cached in the ladder.
 * A level's head is found by a hint, so that joining a level, and leaving it other than as its head,
 * touches the neighbours alone, however deep the book. */
#ifndef KASHI_EXCHANGE_CORE_BOOK_H
#define KASHI_EXCHANGE_CORE_BOOK_H

#include "exchange/core/state.h"

static inline uint32_t book_index(bool sell, uint8_t tier)
{
    return (sell ? 4u : 0u) + tier;
}

/* Next order in matching order after `slot` in its book; 0 at the end. */
uint32_t book_worse(const struct engine *e, uint32_t slot);
/* The same in the shadow of its ladder, which order.ladder names from then on. */
void book_set_aside(struct engine *e, uint32_t slot);
/* Takes it out of there; order.ladder is the hour's own again. */
void book_take_aside(struct engine *e, uint32_t slot);
/* Takes it out of where it stands. */
void book_withdraw(struct engine *e, uint32_t slot);
/* Walks one book and CHECKs its order and its links; returns the number of orders. */
uint32_t book_sanity(const struct engine *e, uint32_t ladder, uint32_t book);

/* Where the level of a price is remembered; any bits will do. Eight neighbouring prices of a book
 * share a cache line. By contract, so that a command leads there without the ladder. */
static inline struct hint *book_hint(const struct engine *e, uint64_t contract, bool sell,
                                     uint32_t price_e4)
{
    uint64_t key = contract ^ (uint64_t)sell << 31 ^ (uint64_t)(price_e4 >> 3) << 36;
    uint64_t h = key * UINT64_C(0x9e3779b97f4a7c15);
    return &e->hints[((uint32_t)(h >> 35) & ~7u & e->hint_mask) | (price_e4 & 7u)];
}
static inline struct hint *book_hint_of(const struct engine *e, const struct order *o)
{
    uint64_t contract = contract_with_tier(e->ladders[o->ladder].contract, o->tier);
    return book_hint(e, contract, o->sell, o->price_e4);
}

/* Last in the ring of a level. */
static inline void book_join(struct order *orders, uint32_t head, uint32_t slot)
{
    uint32_t newest = orders[head].previous;
    orders[slot].next = head;
    orders[slot].previous = newest;
    orders[newest].next = slot;
    orders[head].previous = slot;
}
/* Where no hint leads: into a level that the tree knows, or as the head of a new one. */
APART void book_enter(struct engine *e, uint32_t slot, struct hint *hint);
/* Whether the order is in the book of another and at its price. */
static inline bool book_alike(const struct order *o, const struct order *other)
{
    const uint64_t book = UINT64_C(3) << ORDER_TIER_AT | UINT64_C(1) << ORDER_SELL_AT;
    return o->price_e4 == other->price_e4 && o->ladder == other->ladder &&
           ((o->bits ^ other->bits) & book) == 0;
}
/* Puts order `slot` (price, ladder, side and tier set) last in time at its price. A hint may be
 * stale; only a head is marked as one, and there is one head a level. */
static inline void book_insert_hinted(struct engine *e, uint32_t slot, struct hint *hint)
{
    struct order *orders = e->orders;
    struct order *o = &orders[slot];
    const uint32_t head = hint->head;
    hint->newest = slot;
    if (__builtin_expect(orders[head].head && book_alike(&orders[head], o), 1)) {
        book_join(orders, head, slot);
    } else {
        book_enter(e, slot, hint);
    }
}
static inline void book_insert(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    o->resting = 1;
    e->ladders[o->ladder].orders[o->sell]++;
    book_insert_hinted(e, slot, book_hint_of(e, o));
}

/* Ends its level, or makes the next in time its head. */
APART void book_remove_head(struct engine *e, uint32_t slot);
/* What has been taken from the top of a book: its orders have been forgotten, the book is to be mended. */
struct book_taken {
    uint32_t levels; /* as a whole */
    uint32_t orders; /* in all */
    uint32_t head;   /* first order left of the level behind them, 0: not asked for */
    uint32_t newest; /* last order of that level */
};
void book_taken(struct engine *e, uint32_t ladder, uint32_t book, const struct book_taken *taken);
/* An order that is out of its level. */
static inline void book_forget(struct order *o)
{
    o->bits &= ~(UINT64_C(1) << ORDER_HEAD_AT | UINT64_C(1) << ORDER_RESTING_AT);
    o->next = 0;
    o->previous = 0;
}
/* Takes it out of its book. */
static inline void book_remove(struct engine *e, uint32_t slot)
{
    struct order *orders = e->orders;
    struct order *o = &orders[slot];
    e->ladders[o->ladder].orders[o->sell]--;
    if (o->head) {
        book_remove_head(e, slot);
    } else {
        orders[o->next].previous = o->previous;
        orders[o->previous].next = o->next;
    }
    book_forget(o);
}

/* Ladder of a market's hour; 0 none. */
static inline uint32_t ladder_find(const struct engine *e, uint32_t market, uint32_t hour)
{
    return e->rings[market][hour % HOUR_RING];
}
/* The same, made when there is none; 0 when the table is full. */
uint32_t ladder_make(struct engine *e, uint32_t market, uint32_t hour);
/* Shadow of an hour's own ladder; it always has one. */
static inline uint32_t ladder_shadow(const struct engine *e, uint32_t ladder)
{
    return e->config.ladders + ladder;
}
static inline bool ladder_is_shadow(const struct engine *e, uint32_t ladder)
{
    return ladder > e->config.ladders;
}
/* The hour's own ladder of one that may be its shadow. */
static inline uint32_t ladder_main(const struct engine *e, uint32_t ladder)
{
    return ladder > e->config.ladders ? ladder - e->config.ladders : ladder;
}
/* The ladder whose bid books hold the lanes of resting JOBs; it belongs to no hour. */
static inline uint32_t ladder_of_jobs(const struct engine *e, uint32_t market)
{
    return 2 * e->config.ladders + market;
}
/* Whether so many more can be made. */
static inline bool ladder_has_room(const struct engine *e, uint32_t count)
{
    return e->config.ladders - e->s.ladder_count >= count;
}
/* Whether an auction collects in it: orders rest and do not trade. */
static inline bool ladder_is_collecting(const struct ladder *l)
{
    return (l->occupied & LADDER_AUCTION) != 0;
}
/* Ends it; it must have no order, nor its shadow. */
void ladder_release(struct engine *e, uint32_t ladder);
RARE void ladder_release_idle(struct engine *e, uint32_t ladder);
/* Ends an hour's ladder, named by itself or by its shadow, when neither has an order and it has no last
 * trade. For a ladder of JOBs, or one that has ended already, it does nothing. */
static inline void ladder_release_if_idle(struct engine *e, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    if (__builtin_expect(l->occupied == 0 && l->last_trade_e4 == 0, 0)) {
        ladder_release_idle(e, ladder);
    }
}

#endif
