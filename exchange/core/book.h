/* The books of a ladder hour: for each side and tier the resting orders in matching order.
 *
 * A book is a tree of sorted nodes of 2 .. 30 entries (goodness, slot): goodness is the price for
 * bids and its negative for offers, so that greater is better on both sides. A thin book is one
 * small leaf; a deep one has inner nodes above leaves of 30. Every order knows its leaf, so taking
 * one out searches nothing; the best order of each book is cached in its ladder. Orders of one
 * price stand newest first: the best is always the last entry of the last leaf. */
#ifndef KASHI_EXCHANGE_CORE_BOOK_H
#define KASHI_EXCHANGE_CORE_BOOK_H

#include "exchange/core/state.h"

static inline uint32_t book_index(bool sell, uint8_t tier)
{
    return (sell ? 4u : 0u) + tier;
}

/* True when an insert is sure to find nodes. */
bool book_has_room(const struct engine *e);
/* Puts order `slot` (price, ladder set) last in time at its price. */
void book_insert(struct engine *e, uint32_t slot, uint32_t book);
/* Takes it out of its book. */
void book_remove(struct engine *e, uint32_t slot);
/* Next order in matching order after `slot` in its book; 0 at the end. */
uint32_t book_worse(const struct engine *e, uint32_t slot);
/* Walks one book and CHECKs its order and its links; returns the number of orders. */
uint32_t book_sanity(const struct engine *e, uint32_t ladder, uint32_t book);

/* Hints to the cache, without effect: the place where the leaf of a price is remembered, that leaf, any
 * node. Indexes may be stale, prices any. */
void book_prefetch_hint(const struct engine *e, uint32_t ladder, uint32_t book, int64_t price_e4);
void book_prefetch_leaf(const struct engine *e, uint32_t ladder, uint32_t book, int64_t price_e4);
void book_prefetch_node(const struct engine *e, uint32_t node);

/* Ladder of a market's hour; 0 none. */
uint32_t ladder_find(const struct engine *e, uint32_t market, uint32_t hour);
/* The same, made when there is none; 0 when the table is full. */
uint32_t ladder_make(struct engine *e, uint32_t market, uint32_t hour);
/* Ends it when it has neither an order nor a last trade. */
void ladder_release_if_idle(struct engine *e, uint32_t ladder);
/* Ends it; it must have no order. */
void ladder_release(struct engine *e, uint32_t ladder);

#endif
