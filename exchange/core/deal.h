/* A deal: what changes hands in one trade, its record and its three events. Inline is what runs of trades
 * (take.h) do as well. */
#ifndef KASHI_EXCHANGE_CORE_DEAL_H
#define KASHI_EXCHANGE_CORE_DEAL_H

#include "exchange/core/job.h"
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

/* The last price of an hour is its reference; it is another one now. */
static inline void deal_reference_moved(struct engine *e, uint32_t ladder)
{
    quote_forget_ladder(e, &e->ladders[ladder]);
    job_reference_moved(e, ladder);
}

#endif
