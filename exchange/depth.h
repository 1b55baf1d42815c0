/* One side of a contract's depth: its price levels. All zero: empty. Prices e4, quantities GPUs. Running
 * out of memory ends the process. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_DEPTH_H
#define KASHI_EXCHANGE_DEPTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/codec.h"

/* Invariant: levels have orders above 0 and are sorted, best first. */
struct depth {
    struct level_row *levels;
    size_t capacity;
    uint32_t count;
};

/* A bid is better when it is higher, an offer when it is lower. */
bool depth_better(uint8_t side, int64_t a_e4, int64_t b_e4);
/* The level at a price; without orders: none stands there. */
struct level_row depth_at(const struct depth *depth, uint8_t side, int64_t price_e4);
/* Adds to quantities and orders of the level at a price; one comes and goes with its orders. */
void depth_change(struct depth *depth, uint8_t side, const struct level_row *change);
/* Place of the best offers that are not all reserved for JOBs; `count`: there are none. */
uint32_t depth_firm(const struct depth *offers);
void depth_free(struct depth *depth);

#endif
