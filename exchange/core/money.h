/* Pure arithmetic of fees, reserves, bonds and bands (rulebook, sections 5 and 6). */
#ifndef KASHI_EXCHANGE_CORE_MONEY_H
#define KASHI_EXCHANGE_CORE_MONEY_H

#include "exchange/core/state.h"

__extension__ typedef unsigned __int128 money_wide;

/* floor((rest + notional x rate) / 10,000); *rest_out, when not NULL, keeps the remainder. */
static inline int64_t money_fee(uint16_t rest, int64_t notional_e4, uint16_t rate_bp,
                                uint16_t *rest_out)
{
    /* 9e15 x 1,000 bp still fits 64 bits; a 128-bit division costs ten times as much. */
    if (__builtin_expect(notional_e4 < INT64_C(9000000000000000), 1)) {
        uint64_t sum = rest + (uint64_t)notional_e4 * rate_bp;
        if (rest_out != NULL) {
            *rest_out = (uint16_t)(sum % (uint64_t)BP_ONE);
        }
        return (int64_t)(sum / (uint64_t)BP_ONE);
    }
    money_wide sum = rest + (money_wide)(uint64_t)notional_e4 * rate_bp;
    if (rest_out != NULL) {
        *rest_out = (uint16_t)(sum % (uint64_t)BP_ONE);
    }
    return (int64_t)(sum / (uint64_t)BP_ONE);
}

static inline uint16_t money_reserve_rate(const struct engine *e, uint8_t fees)
{
    const struct fee_schedule *f = &e->s.fees[fees];
    return f->maker_bp > f->taker_bp ? f->maker_bp : f->taker_bp;
}

/* What a bid with this limit and open quantity may still cost. price x qty fits (units.h). */
static inline int64_t money_bid_reserve(const struct engine *e, uint8_t fees, uint16_t rest,
                                        int64_t price_e4, int64_t qty)
{
    int64_t notional = price_e4 * qty;
    return notional + money_fee(rest, notional, money_reserve_rate(e, fees), NULL);
}

/* Bond per GPU, rounded up, so that a fill's bond is exact: unit x quantity. */
static inline uint32_t money_bond_unit(const struct engine *e, int64_t price_e4,
                                       int64_t reference_e4)
{
    uint64_t basis = (uint64_t)(price_e4 > reference_e4 ? price_e4 : reference_e4);
    return (uint32_t)((basis * e->s.bond_bp + (uint64_t)BP_ONE - 1) / (uint64_t)BP_ONE);
}

static inline int64_t money_band_low(int64_t reference_e4, uint32_t width_bp)
{
    int64_t low = reference_e4 - reference_e4 * (int64_t)width_bp / BP_ONE;
    return low < 1 ? 1 : low;
}

static inline int64_t money_band_high(int64_t reference_e4, uint32_t width_bp)
{
    int64_t high = reference_e4 + reference_e4 * (int64_t)width_bp / BP_ONE;
    return high > PRICE_MAX_E4 ? PRICE_MAX_E4 : high;
}

#endif
