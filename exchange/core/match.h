/* Matching: an arriving order against the opposite books of its ladder hour. */
#ifndef KASHI_EXCHANGE_CORE_MATCH_H
#define KASHI_EXCHANGE_CORE_MATCH_H

#include "exchange/core/state.h"

/* What matching needs to know of an arriving order besides its slot. */
struct arrival {
    uint64_t contract;
    uint32_t ladder;
    uint32_t market;
    int64_t limit_e4;
    int64_t inner_low_e4;
    int64_t inner_high_e4;
    uint32_t group;
    uint8_t tier;
    uint8_t stp;
    bool sell;
    bool fok;       /* passes over its own group */
    bool may_rest;  /* good till gate or time */
    bool collected; /* rests without trading */
};

/* A hint without effect: when a new order (`enters`) is about to trade, what its first trade needs. */
void match_prefetch(const struct engine *e, const struct command *command, uint32_t ladder,
                    bool enters);
/* Takes out orders that are over from the top of the opposite books, nearest tier first. */
void match_clear_tops_lagging(struct engine *e, const struct arrival *a);
static inline void match_clear_tops(struct engine *e, const struct arrival *a)
{
    if (__builtin_expect(e->s.lag != 0, 0)) {
        match_clear_tops_lagging(e, a);
    }
}
/* Best opposite price over the eligible tiers; false: none. */
bool match_best(const struct engine *e, const struct arrival *a, int64_t *price_e4);
/* Whether that price is within the limit. */
static inline bool match_crosses(const struct arrival *a, int64_t price_e4)
{
    return a->sell ? price_e4 >= a->limit_e4 : price_e4 <= a->limit_e4;
}
/* What an arrival would fill now. */
struct trial {
    int64_t qty;
    int64_t notional_e4;
    uint32_t met; /* orders; above scalars.trial_orders: it was broken off there */
};
/* Of an arriving quantity, counted until it is `wanted`. */
struct trial match_fillable(const struct engine *e, const struct arrival *a, int64_t arriving,
                            int64_t wanted);
/* Opposite books that an arriving order may trade with, as bits of ladder.occupied: a bid of tier
 * T looks at offers T .. 3 (books 4 + T .. 7), an offer of tier T at bids 0 .. T. */
static inline uint32_t match_eligible(const struct arrival *a)
{
    return a->sell ? (2u << a->tier) - 1u : 0xf0u & ~((16u << a->tier) - 16u);
}
/* Book with the best price among `mask`; at equal prices the nearest tier: for a bid the lowest
 * offer tier, for an offer the highest bid tier. */
static inline uint32_t match_best_book(const struct ladder *l, const struct arrival *a,
                                       uint32_t mask)
{
    uint32_t best = (uint32_t)__builtin_ctz(mask);
    mask &= mask - 1;
    while (mask != 0) {
        uint32_t book = (uint32_t)__builtin_ctz(mask);
        mask &= mask - 1;
        if (a->sell ? l->best_price[book] >= l->best_price[best]
                    : l->best_price[book] < l->best_price[best]) {
            best = book;
        }
    }
    return best;
}
/* Best opposite order over these, at equal prices of the nearest tier; 0 none. */
uint32_t match_top(const struct engine *e, const struct arrival *a);
/* What a resting order shows and so may trade next, and what self-trade prevention may take of it. */
uint32_t match_shown(const struct engine *e, uint32_t slot);
uint32_t match_whole(const struct engine *e, uint32_t slot);
/* Self-trade prevention takes so much of an order or, through a leg, of its SET. */
void match_decrement(struct engine *e, uint32_t slot, uint32_t qty);
/* What follows for a resting order that has traded: it ends, or shows its next slice. */
void match_after_fill(struct engine *e, uint32_t slot);
/* Trades until the order is filled, nothing crosses, or a rule takes its remainder out (the slot is
 * then free). An order left with quantity is still arriving: the caller rests it or takes it out. */
void match_run(struct engine *e, uint32_t slot, const struct arrival *a);

#endif
