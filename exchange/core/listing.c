#include "exchange/core/listing.h"

#include "exchange/core/book.h"
#include "exchange/core/deal.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/match.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/order_check.h"

/* --- taking an offer ----------------------------------------------------------------------- */

/* Offer of a listing market that is not over; one that is, is taken out. 0: none. */
static uint32_t find_offer(struct engine *e, uint64_t order_id)
{
    uint32_t slot = order_find(e, order_id);
    const struct order *o = &e->orders[slot];
    if (slot == 0 || o->kind != KIND_PLAIN || !o->sell || o->reserved ||
        e->markets[e->ladders[o->ladder].market].mode != MODE_LISTING) {
        return 0;
    }
    uint16_t over = order_over(e, slot);
    if (over == 0) {
        return slot;
    }
    uint32_t ladder = o->ladder;
    order_take_out_over(e, slot, over);
    ladder_release_if_idle(e, ladder);
    return 0;
}

static void trade(struct engine *e, uint32_t bid, uint32_t offer, const struct arrival *a)
{
    const struct order *o = &e->orders[offer];
    struct deal deal = {
        .bid = bid,
        .offer = offer,
        .qty = e->orders[bid].leaves,
        .ladder = a->ladder,
        .price_e4 = a->limit_e4,
        .contract = a->contract,
    };
    deal_close(e, &deal);
    order_finish(e, bid);
    if (o->iceberg) {
        iceberg_trim(e, offer);
    }
    match_after_fill(e, offer);
}

void listing_take(struct engine *e, const struct command *command)
{
    const struct command_take_offer *t = &command->take_offer;
    struct rejection why = {.reason = REASON_UNKNOWN_ORDER};
    uint32_t offer = find_offer(e, t->order_id);
    struct terms terms;
    if (offer == 0 || !order_check_take(e, command, offer, &terms, &why)) {
        order_reject(e, command, t->order_id, &why);
        return;
    }
    /* Past this line nothing can fail. */
    const struct order *o = &e->orders[offer];
    const struct ladder *l = &e->ladders[o->ladder];
    struct arrival a = {
        .contract = contract_with_tier(l->contract, o->tier),
        .ladder = o->ladder,
        .market = l->market,
        .limit_e4 = o->price_e4,
        .tier = o->tier,
    };
    struct command bid = {.head = command->head};
    bid.new_order = (struct command_new_order){.contract = a.contract,
                                               .price_e4 = a.limit_e4,
                                               .qty = t->qty,
                                               .side = SIDE_BUY,
                                               .tif = TIF_IOC};
    trade(e, order_admit(e, &bid, &a, &terms), offer, &a);
}

/* --- the end of bids ----------------------------------------------------------------------- */

void listing_begin(struct engine *e, uint32_t market)
{
    e->markets[market].delisting = 1;
    e->terms[market].next_delisting = 0;
    if (e->s.delisting_tail != 0) {
        e->terms[e->s.delisting_tail].next_delisting = market;
    } else {
        e->s.delisting_head = market;
        e->s.delisting_hour = e->s.gate_hour;
    }
    e->s.delisting_tail = market;
    e->due_ns = e->s.time_ns;
}

/* Tier by tier upwards, best first; legs that sleep after all others. */
static uint32_t first_bid(const struct engine *e, uint32_t ladder)
{
    if (ladder == 0) {
        return 0;
    }
    const uint32_t bids = (1u << TIER_COUNT) - 1;
    const struct ladder *l = &e->ladders[ladder];
    if ((l->occupied & bids) == 0) {
        l = &e->ladders[ladder_shadow(e, ladder)];
    }
    return (l->occupied & bids) == 0 ? 0 : l->best[__builtin_ctz(l->occupied & bids)];
}

/* Hour by hour. */
void listing_unit(struct engine *e)
{
    uint32_t market = e->s.delisting_head;
    for (; e->s.delisting_hour < e->s.gate_hour + HOUR_RING; e->s.delisting_hour++) {
        uint32_t ladder = ladder_find(e, market, e->s.delisting_hour);
        uint32_t bid = first_bid(e, ladder);
        if (bid != 0) {
            e->busy = ladder;
            order_take_out(e, bid, REASON_MODE_CHANGED, 0);
            e->busy = 0;
            ladder_release_if_idle(e, ladder);
            return;
        }
    }
    e->markets[market].delisting = 0;
    e->s.delisting_head = e->terms[market].next_delisting;
    e->s.delisting_tail = e->s.delisting_head != 0 ? e->s.delisting_tail : 0;
    e->s.delisting_hour = e->s.gate_hour;
    e->terms[market].next_delisting = 0;
}
