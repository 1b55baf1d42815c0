/* The prices and quantities at which an auction clears (rulebook, section 13). Tiers are like zones of a
 * power market joined by lines that carry any quantity downwards and nothing upwards.
 *
 * What all orders gain at given prices is a sum of convex functions, one a tier, and the prices of the
 * greatest surplus are those that make it least among those that do not fall with the tier (the dual
 * of the flow problem). Such a minimum is a max-min formula over runs of neighbouring tiers, each taken
 * as one market: Robertson, Wright, Dykstra, "Order Restricted Statistical Inference", theorem 1.4.4.
 *
 * Prices in e4, quantities in GPUs; everything is exact. Pure; no memory but the caller's. */
#ifndef KASHI_EXCHANGE_CORE_AUCTION_CLEAR_H
#define KASHI_EXCHANGE_CORE_AUCTION_CLEAR_H

#include <stdint.h>

#include "wire/contract.h"

/* A price and the quantity of all orders at it or better. */
struct auction_step {
    int64_t total;
    uint32_t price_e4; /* 1 .. PRICE_MAX_E4 */
    uint32_t reserved;
};

struct auction_curve {
    const struct auction_step *steps; /* best price first, no price twice */
    uint32_t count;
};

struct auction_book {
    struct auction_curve bids[TIER_COUNT];
    struct auction_curve offers[TIER_COUNT];
    uint32_t reference_e4[TIER_COUNT]; /* 0 none */
};

struct auction_outcome {
    /* At which bids of the tier buy; 0: none does. Offers sell at the price of the tier that they
     * deliver to, one of their pool. */
    uint32_t price_e4[TIER_COUNT];
    int64_t bid_qty[TIER_COUNT]; /* the best of the book, in its order */
    int64_t offer_qty[TIER_COUNT];
    uint8_t pool[TIER_COUNT]; /* its lowest tier */
};

void auction_clear(const struct auction_book *book, struct auction_outcome *out);

#endif
