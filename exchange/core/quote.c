#include "exchange/core/quote.h"

#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"

/* A ladder that is there says most about its contract: market and lane exist, and the hour lies before
 * the horizon. */
bool quote_make(const struct engine *e, uint64_t contract, struct quote *quote)
{
    uint32_t market = e->s.market_of[contract_class(contract) % CLASS_COUNT_MAX]
                                    [contract_region(contract) % REGION_COUNT_MAX];
    uint32_t hour = contract_hour(contract);
    uint32_t ladder = ladder_find(e, market, hour);
    const struct ladder *l = &e->ladders[ladder];
    const struct market *m = &e->markets[market];
    if (ladder == 0 || contract_tier(contract) >= TIER_COUNT ||
        l->contract != contract_with_tier(contract, 0) || (l->occupied & LADDER_NOT_PLAIN) != 0 ||
        hour < e->s.open_hour || m->mode != MODE_CONTINUOUS || m->halted || m->opens) {
        return false;
    }
    int64_t reference = order_reference(e, market, contract);
    if (reference == 0) {
        return false;
    }
    int64_t low = money_band_low(reference, m->outer_band_bp);
    int64_t high = money_band_high(reference, m->outer_band_bp);
    *quote = (struct quote){
        .contract = contract,
        .ladder = ladder,
        .low_e4 = (uint32_t)low,
        .width_e4 = (uint32_t)(high - low),
        .reference_e4 = (uint32_t)reference,
        .lot = m->lot,
        .cell = (uint32_t)(capacity_cell(e, 0, hour) - e->cells),
    };
    return true;
}

bool quote_refresh(struct engine *e, uint64_t contract)
{
    struct quote *quote = quote_place(e, contract);
    *quote = (struct quote){0};
    return quote_make(e, contract, quote);
}

void quote_forget_ladder(struct engine *e, const struct ladder *l)
{
    for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
        uint64_t contract = contract_with_tier(l->contract, tier);
        struct quote *quote = quote_place(e, contract);
        if (quote->contract == contract) {
            quote->contract = 0;
        }
    }
}

void quote_forget_all(struct engine *e)
{
    memset(e->quotes, 0, sizeof(e->quotes[0]) << QUOTE_BITS);
}
