#include "exchange/core/deal.h"

#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/match.h"
#include "exchange/core/money.h"

/* Returns the fee. */
static int64_t settle_bid(struct engine *e, struct order *o, struct account *account,
                          const struct deal *d)
{
    bool maker = d->sell || d->auction != AUCTION_NONE;
    int64_t before = money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
    int64_t notional = d->price_e4 * d->qty;
    uint16_t rest;
    int64_t fee = money_fee(o->fee_rest, notional, deal_rate(e, o, maker), &rest);
    o->fee_rest = rest & 0x3fffu;
    o->leaves -= d->qty;
    o->cum += d->qty;
    int64_t after = money_bid_reserve(e, o->fees, rest, o->price_e4, o->leaves);
    CHECK(before - after >= notional + fee);
    account->reserved_e4 += after - before;
    account->cash_e4 -= notional + fee;
    account->escrow_e4 += notional + fee;
    return fee;
}

/* Returns the fee. */
static int64_t settle_offer(struct engine *e, struct order *o, struct account *account,
                            const struct deal *d)
{
    bool maker = !d->sell || d->auction != AUCTION_NONE;
    uint16_t rest;
    int64_t fee = money_fee(o->fee_rest, d->price_e4 * d->qty, deal_rate(e, o, maker), &rest);
    int64_t bond = (int64_t)o->bond_unit * d->qty;
    o->fee_rest = rest & 0x3fffu;
    o->leaves -= d->qty;
    o->cum += d->qty;
    account->bond_open_e4 -= bond;
    account->bond_locked_e4 += bond;
    return fee;
}

static_assert(
    offsetof(struct event_fill, side) == offsetof(struct event_fill, resource) + 4 &&
        offsetof(struct event_fill, resting) == offsetof(struct event_fill, resource) + 5 &&
        offsetof(struct event_fill, trade_tier) == offsetof(struct event_fill, resource) + 6 &&
        offsetof(struct event_fill, contingent) == offsetof(struct event_fill, resource) + 7 &&
        offsetof(struct event_fill, trade_group) == offsetof(struct event_fill, resource) + 8 &&
        SIDE_SELL == 1,
    "words");

/* What one side is told of a trade. */
static struct event *emit_fill(struct engine *e, uint32_t slot, const struct event_trade *t,
                               uint8_t resting, int64_t fee_e4)
{
    const struct order *o = &e->orders[slot];
    struct key *k = &e->keys[o->key];
    struct event *event = emit(e, EVENT_FILL, emit_link(k), 0);
    struct event_fill *fill = &event->fill;
    fill->party.report_seq = ++k->report_seq;
    fill->party.cl_ord_id = o->cl_ord_id;
    emit_word(&fill->party.key, o->key | (uint64_t)k->account << 32);
    fill->order_id = order_id_of(e, slot);
    fill->contract = o->sell ? contract_with_tier(t->contract, t->offer_tier) : t->contract;
    fill->fill_id = t->fill_id;
    fill->price_e4 = t->price_e4;
    fill->qty = t->qty;
    fill->leaves_qty = o->leaves;
    fill->cum_qty = o->cum;
    fill->fee_e4 = fee_e4;
    emit_word(&fill->resource, t->resource | (uint64_t)o->sell << 32 | (uint64_t)resting << 40 |
                                   (uint64_t)contract_tier(t->contract) << 48);
    fill->trade_group = 0;
    return event;
}

static void move_reference(struct engine *e, uint32_t ladder, int64_t price_e4)
{
    struct ladder *l = &e->ladders[ladder];
    if (l->last_trade_e4 != (uint32_t)price_e4) {
        l->last_trade_e4 = (uint32_t)price_e4;
        deal_reference_moved(e, ladder);
    }
}

void deal_close(struct engine *e, const struct deal *d)
{
    struct order *bid = &e->orders[d->bid];
    struct order *offer = &e->orders[d->offer];
    const struct key *buy_key = &e->keys[bid->key];
    const struct key *sell_key = &e->keys[offer->key];
    uint32_t hour = contract_hour(d->contract);
    uint8_t tier = contract_tier(d->contract);
    uint32_t print = holding_print(buy_key->account, offer->resource, hour << 8 | tier);
    /* Where the next trade will write; a line ahead may lie behind the table's end. */
    __builtin_prefetch(&e->fills[e->s.fill_count + 3], 1);

    int64_t buy_fee = settle_bid(e, bid, &e->accounts[buy_key->account], d);
    int64_t sell_fee = settle_offer(e, offer, &e->accounts[sell_key->account], d);
    if (offer->source != SOURCE_OWN) {
        capacity_sell(e, d->offer, hour, d->qty);
    }
    move_reference(e, d->ladder, d->price_e4);

    struct event_trade *t = &emit(e, EVENT_TRADE, 0, EVENT_PUBLIC)->trade;
    *t = (struct event_trade){
        .fill_id = deal_next_fill(e),
        .contract = d->contract,
        .price_e4 = d->price_e4,
        .qty = d->qty,
        .buy_order_id = order_id_of(e, d->bid),
        .sell_order_id = order_id_of(e, d->offer),
        .buyer = buy_key->account,
        .seller = sell_key->account,
        .resource = offer->resource,
        .offer_tier = offer->tier,
        .source_tier = offer->source,
        .aggressor = d->sell ? SIDE_SELL : SIDE_BUY,
        .buy_fee_e4 = buy_fee,
        .sell_fee_e4 = sell_fee,
        .bond_e4 = (int64_t)offer->bond_unit * d->qty,
        .buyer_group = buy_key->group,
        .seller_group = sell_key->group,
    };
    deal_record(e, t, offer->bond_unit);
    if (__builtin_expect(d->auction != AUCTION_NONE, 0)) {
        t->aggressor = AGGRESSOR_NONE;
        t->condition = event_auction_condition(d->auction);
        emit_fill(e, d->bid, t, FILL_AUCTION, buy_fee)->fill.limit_e4 = bid->price_e4;
        emit_fill(e, d->offer, t, FILL_AUCTION, sell_fee)->fill.limit_e4 = offer->price_e4;
    } else {
        emit_fill(e, d->bid, t, d->sell ? FILL_MAKER : FILL_TAKER, buy_fee);
        emit_fill(e, d->offer, t, d->sell ? FILL_TAKER : FILL_MAKER, sell_fee);
    }
    holding_owe(e, print);
}

/* Returns the fee. */
static int64_t settle_job(struct engine *e, struct deal_job *job, const struct event_trade *t)
{
    struct order *o = &e->orders[job->slot];
    struct account *account = &e->accounts[t->buyer];
    int64_t notional = t->price_e4 * t->qty;
    uint16_t rest;
    int64_t fee = money_fee(o->fee_rest, notional, deal_rate(e, o, false), &rest);
    o->fee_rest = rest & 0x3fffu;
    account->cash_e4 -= notional + fee;
    account->escrow_e4 += notional + fee;
    job->leaves_qty -= t->qty;
    job->cum_qty += t->qty;
    job->trade_group = job->trade_group != 0 ? job->trade_group : t->fill_id;
    return fee;
}

static void emit_job_fills(struct engine *e, const struct event_trade *t,
                           const struct deal_job *job)
{
    struct event *event = emit_fill(e, job->slot, t, FILL_TAKER, t->buy_fee_e4);
    event->fill.leaves_qty = job->leaves_qty;
    event->fill.cum_qty = job->cum_qty;
    event->fill.contingent = 1;
    event->fill.trade_group = job->trade_group;
    event = emit_fill(e, (uint32_t)t->sell_order_id, t, FILL_MAKER, t->sell_fee_e4);
    event->fill.contingent = 1;
    event->fill.trade_group = job->trade_group;
}

int64_t deal_with_job(struct engine *e, struct deal_job *job, uint32_t offer_slot, uint32_t qty)
{
    struct order *offer = &e->orders[offer_slot];
    const struct key *buy_key = &e->keys[e->orders[job->slot].key];
    const struct key *sell_key = &e->keys[offer->key];
    uint32_t ladder = ladder_main(e, offer->ladder);
    struct deal d = {.offer = offer_slot,
                     .qty = qty,
                     .price_e4 = offer->price_e4,
                     .contract = contract_with_tier(e->ladders[ladder].contract, job->tier)};
    uint32_t hour = contract_hour(d.contract);
    bool names_site = job->names_site && job->trade_group == 0;
    uint32_t shown = match_shown(e, offer_slot);
    if (qty > shown) {
        iceberg_take(e, offer_slot, qty - shown);
    }
    struct event_trade t = {
        .fill_id = deal_next_fill(e),
        .contract = d.contract,
        .price_e4 = d.price_e4,
        .qty = qty,
        .buy_order_id = order_id_of(e, job->slot),
        .sell_order_id = order_id_of(e, offer_slot),
        .buyer = buy_key->account,
        .seller = sell_key->account,
        .resource = offer->resource,
        .offer_tier = offer->tier,
        .source_tier = offer->source,
        .aggressor = SIDE_BUY,
        .condition = TRADE_CONTINGENT,
        .bond_e4 = (int64_t)offer->bond_unit * qty,
        .buyer_group = buy_key->group,
        .seller_group = sell_key->group,
    };
    t.buy_fee_e4 = settle_job(e, job, &t);
    t.sell_fee_e4 = settle_offer(e, offer, &e->accounts[t.seller], &d);
    t.trade_group = job->trade_group;
    if (offer->source != SOURCE_OWN) {
        capacity_sell(e, offer_slot, hour, qty);
    }
    move_reference(e, ladder, d.price_e4);
    emit(e, EVENT_TRADE, 0, EVENT_PUBLIC)->trade = t;
    deal_record(e, &t, offer->bond_unit);
    e->fills[(uint32_t)t.fill_id].names_site = names_site;
    emit_job_fills(e, &t, job);
    holding_owe(e, holding_print(t.buyer, t.resource, hour << 8 | job->tier));
    match_after_fill(e, offer_slot);
    return d.price_e4 * qty + t.buy_fee_e4;
}
