/* A deal: what changes hands in one trade, its record and its three events. Inline is what runs of trades
 * (take.h) do as well. */
#ifndef KASHI_EXCHANGE_CORE_DEAL_H
#define KASHI_EXCHANGE_CORE_DEAL_H

#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/job.h"
#include "exchange/core/money.h"
#include "exchange/core/quote.h"

/* A trade of a bid with an offer. */
struct deal {
    uint32_t bid; /* orders; of a leg: its SET */
    uint32_t offer;
    uint32_t qty;
    uint32_t ladder; /* of the hour */
    int64_t price_e4;
    uint64_t contract; /* the bid's */
    bool sell;         /* the offer is the one that arrives */
    uint8_t auction;   /* enum auction_kind of the auction that ends: both rest */
};

/* Carries a deal out and reports it; orders that it uses up are the caller's to end. */
void deal_close(struct engine *e, const struct deal *d);

/* The buyer's side of a JOB's fills, from one to the next. */
struct deal_job {
    uint64_t trade_group; /* 0 before the first */
    int64_t leaves_qty;   /* GPU-hours */
    int64_t cum_qty;
    uint32_t slot;
    uint8_t tier;    /* of the lane: what is owed */
    bool names_site; /* the first fill's id will name the resource */
};
/* Sells `qty` of a standing offer to a JOB, all of whose reserve has been given back; returns what it
 * cost, fee included. */
int64_t deal_with_job(struct engine *e, struct deal_job *job, uint32_t offer_slot, uint32_t qty);

static inline uint16_t deal_rate(const struct engine *e, const struct order *o, bool maker)
{
    const struct fee_schedule *f = &e->s.fees[o->fees];
    return maker ? f->maker_bp : f->taker_bp;
}

/* Returns the fee. */
static inline int64_t deal_settle_bid(struct engine *e, struct order *o, struct account *account,
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
static inline int64_t deal_settle_offer(struct engine *e, struct order *o, struct account *account,
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

/* Of the trade just reported. */
static inline void deal_record(struct engine *e, const struct event_trade *t, uint32_t bond_unit)
{
    uint32_t slot = (uint32_t)t->fill_id;
    CHECK(slot <= e->config.fills);
    e->s.fill_count = slot;
    struct fill_record *f = &e->fills[slot];
    f->buy_order_id = t->buy_order_id;
    f->sell_order_id = t->sell_order_id;
    f->contract = t->contract;
    f->buy_fee_e4 = t->buy_fee_e4;
    f->sell_fee_e4 = t->sell_fee_e4;
    f->terms = (uint64_t)t->price_e4 | (uint64_t)t->qty << FILL_QTY_AT |
               (uint64_t)t->source_tier << FILL_SOURCE_AT;
    f->parties = t->buyer | (uint64_t)t->seller << FILL_SELLER_AT |
                 (uint64_t)t->resource << FILL_RESOURCE_AT;
    f->rest = bond_unit | (t->fill_id >> 32) << FILL_GENERATION_AT |
              (uint64_t)t->offer_tier << FILL_OFFER_TIER_AT;
}

static inline uint64_t deal_next_fill(const struct engine *e)
{
    return UINT64_C(1) << 32 | (e->s.fill_count + 1u);
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
static inline struct event *deal_emit_fill(struct engine *e, uint32_t slot,
                                           const struct event_trade *t, uint8_t resting,
                                           int64_t fee_e4)
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

/* The last price of an hour is its reference; it is another one now. */
static inline void deal_reference_moved(struct engine *e, uint32_t ladder)
{
    quote_forget_ladder(e, &e->ladders[ladder]);
    job_reference_moved(e, ladder);
}

static inline void deal_move_reference(struct engine *e, uint32_t ladder, int64_t price_e4)
{
    struct ladder *l = &e->ladders[ladder];
    if (l->last_trade_e4 != (uint32_t)price_e4) {
        l->last_trade_e4 = (uint32_t)price_e4;
        deal_reference_moved(e, ladder);
    }
}

#endif
