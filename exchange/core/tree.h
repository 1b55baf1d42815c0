/* The price levels of a book in order: a tree of sorted nodes of 2 .. 30 entries (goodness, slot of
 * the level's head). Goodness is the price for bids and its negative for offers, so that greater is
 * better on both sides. A thin book is one small leaf; a deep one has inner nodes above leaves of
 * 30. Most orders meet a level that is there already and never come here.
 *
 * `book` is ladder x BOOKS + book throughout; its root stands in the ladder. */
#ifndef KASHI_EXCHANGE_CORE_TREE_H
#define KASHI_EXCHANGE_CORE_TREE_H

#include "exchange/core/state.h"

/* Units of memory for the nodes of all trees that so many orders can need, and where those of each size
 * start; the last start is the end. */
uint32_t tree_units(uint32_t orders, uint32_t start[NODE_UNITS + 2]);
/* Head of the level; where there is none, `slot` becomes the head of a new one and 0 is returned. */
uint32_t tree_enter(struct engine *e, uint32_t book, int32_t goodness, uint32_t slot);
/* Gives a level that is there another head. */
void tree_set_head(struct engine *e, uint32_t book, int32_t goodness, uint32_t slot);
/* Takes out a level that is there. */
void tree_remove(struct engine *e, uint32_t book, int32_t goodness);
/* Takes out so many of the best levels, which are there; returns the head of what is the best then and its
 * goodness; 0: none is left. */
uint32_t tree_remove_best(struct engine *e, uint32_t book, uint32_t levels, int32_t *goodness);
/* Gives the best level, which is there, another head. */
void tree_set_best(struct engine *e, uint32_t book, uint32_t slot);
/* Head of the best level; 0 none. */
uint32_t tree_best(const struct engine *e, uint32_t book);
/* Head of the level next worse than one that is there; 0 none. */
uint32_t tree_worse(const struct engine *e, uint32_t book, int32_t goodness);

/* A level, for walks that change nothing in between: neither finding the next one nor its price touches
 * an order. */
struct tree_place {
    const int32_t *goodness; /* of the leaf */
    const uint32_t *heads;
    uint32_t at;
    uint32_t node;
};
/* The best level; false: none. */
bool tree_first(const struct engine *e, uint32_t book, struct tree_place *place);
bool tree_next_leaf(const struct engine *e, struct tree_place *place);
/* Goes on to the next worse level; false: there was none. */
static inline bool tree_next(const struct engine *e, struct tree_place *place)
{
    if (__builtin_expect(place->at == 0, 0)) {
        return tree_next_leaf(e, place);
    }
    place->at--;
    return true;
}

/* CHECKs the links and bounds of the leaf that holds a level, up to the root, and that its head is
 * `slot`. */
void tree_sanity(const struct engine *e, uint32_t book, int32_t goodness, uint32_t slot);

#endif
