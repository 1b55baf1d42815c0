/* Legs of SETs while an auction collects in their hour (rulebook, section 13). */
#include "exchange/core/book.h"
#include "exchange/core/deal.h"
#include "exchange/core/order_check.h"
#include "exchange/core/set.h"

/* Legs among the bids of a ladder or a shadow: tiers upwards, in the order of the books; into e->picks,
 * with the generation of each. */
static uint32_t legs_of(const struct engine *e, uint32_t ladder)
{
    uint32_t count = 0;
    for (uint32_t book = 0; book < TIER_COUNT; book++) {
        for (uint32_t slot = e->ladders[ladder].best[book]; slot != 0; slot = book_worse(e, slot)) {
            if (e->orders[slot].kind == KIND_LEG) {
                e->picks[count++] = (struct auction_pick){slot, e->orders[slot].generation};
            }
        }
    }
    return count;
}

void set_sleep_all(struct engine *e, uint32_t ladder)
{
    uint32_t count = legs_of(e, ladder);
    for (uint32_t i = 0; i < count; i++) {
        book_remove(e, e->picks[i].slot);
        book_set_aside(e, e->picks[i].slot);
    }
}

/* One offer; the leg stands aside meanwhile. */
static void meet(struct engine *e, uint32_t leg, uint32_t offer, const struct arrival *a)
{
    uint32_t set = set_of(e, leg);
    uint32_t generation = e->orders[set].generation;
    int64_t price = e->orders[offer].price_e4;
    uint32_t open = set_open(e, leg);
    if (price < a->inner_low_e4 || price > a->inner_high_e4) {
        set_end_leg(e, leg, REASON_BAND_REMAINDER);
    } else if (e->keys[e->orders[offer].key].group != a->group) {
        uint32_t shown = match_shown(e, offer);
        struct deal deal = {
            .bid = set,
            .offer = offer,
            .qty = open < shown ? open : shown,
            .ladder = a->ladder,
            .price_e4 = price,
            .contract = a->contract,
        };
        deal_close(e, &deal);
        match_after_fill(e, offer);
        set_settle(e, set);
    } else if (a->stp == STP_CANCEL_NEWEST) {
        set_end_leg(e, leg, REASON_SELF_TRADE);
    } else if (a->stp == STP_CANCEL_OLDEST) {
        order_take_out(e, offer, REASON_SELF_TRADE, 0);
    } else {
        uint32_t whole = match_whole(e, offer);
        match_decrement(e, offer, open < whole ? open : whole);
        if (e->orders[set].generation == generation) {
            set_decrement(e, leg, open < whole ? open : whole);
        }
    }
}

/* Arrives, where the market trades by arriving; rests last in time when something of it is left. */
static void wake(struct engine *e, uint32_t leg, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    const struct order *o = &e->orders[leg];
    const uint32_t generation = o->generation;
    struct arrival a = {
        .contract = contract_with_tier(l->contract, o->tier),
        .ladder = ladder,
        .market = l->market,
        .limit_e4 = o->price_e4,
        .group = e->keys[o->key].group,
        .tier = o->tier,
        .stp = o->stp,
    };
    order_check_inner_band(e, &a, order_reference(e, a.market, a.contract));
    bool trades = e->markets[l->market].mode == MODE_CONTINUOUS;
    while (o->generation == generation && set_open(e, leg) != 0) {
        uint32_t offer = trades ? match_top(e, &a) : 0;
        if (offer == 0 || !match_crosses(&a, e->orders[offer].price_e4)) {
            book_take_aside(e, leg);
            book_insert(e, leg);
            return;
        }
        meet(e, leg, offer, &a);
    }
}

void set_wake_all(struct engine *e, uint32_t ladder)
{
    if ((e->ladders[ladder].occupied & LADDER_SHADOWED) == 0) {
        return;
    }
    uint32_t count = legs_of(e, ladder_shadow(e, ladder));
    for (uint32_t i = 0; i < count; i++) {
        const struct order *o = &e->orders[e->picks[i].slot];
        if (o->generation == e->picks[i].left && set_open(e, e->picks[i].slot) != 0) {
            wake(e, e->picks[i].slot, ladder);
        }
    }
}
