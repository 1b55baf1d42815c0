#include "exchange/core/take.h"

#include "exchange/core/book.h"
#include "exchange/core/deal.h"
#include "exchange/core/slot.h"
#include "exchange/core/timers.h"
#include "exchange/core/tree.h"

#define INLINE static inline __attribute__((always_inline))

/* The arriving order. */
struct taker {
    struct order *order;
    struct key *key;
    struct account *account;
    uint64_t order_id;
    uint64_t party;     /* key and account, as an event has them */
    int64_t reserve_e4; /* bid: for what is left */
    int64_t bound_e4;   /* bid: notional and fees, offer: bond, of all its trades */
    uint32_t slot;
    uint32_t leaves;
    uint16_t fee_rest;
    uint16_t rate_bp;
};

/* The level that is being used up. */
struct level {
    int64_t price_e4;
    uint64_t contract;       /* the bid's */
    uint64_t offer_contract; /* the offer's own */
};

/* One trade. */
struct print {
    uint64_t fill_id;
    int64_t bond_e4;
    int64_t own_fee_e4;
    int64_t other_fee_e4;
    uint32_t qty;
};

INLINE void taker_begin(const struct engine *e, struct taker *t, uint32_t slot, bool sell)
{
    struct order *o = &e->orders[slot];
    *t = (struct taker){
        .order = o,
        .key = &e->keys[o->key],
        .account = &e->accounts[e->keys[o->key].account],
        .order_id = order_id_of(e, slot),
        .party = o->key | (uint64_t)e->keys[o->key].account << 32,
        .slot = slot,
        .leaves = o->leaves,
        .fee_rest = o->fee_rest,
        .rate_bp = deal_rate(e, o, false),
    };
    if (!sell) {
        t->reserve_e4 = money_bid_reserve(e, o->fees, t->fee_rest, o->price_e4, o->leaves);
    }
}

INLINE void taker_settle(const struct engine *e, struct taker *t, int64_t price_e4, struct print *p,
                         bool sell)
{
    int64_t notional = price_e4 * p->qty;
    p->own_fee_e4 = money_fee(t->fee_rest, notional, t->rate_bp, &t->fee_rest);
    t->leaves -= p->qty;
    if (sell) {
        p->bond_e4 = (int64_t)t->order->bond_unit * p->qty;
        t->bound_e4 += p->bond_e4;
        return;
    }
    const struct order *o = t->order;
    int64_t after = money_bid_reserve(e, o->fees, t->fee_rest, o->price_e4, t->leaves);
    CHECK(t->reserve_e4 - after >= notional + p->own_fee_e4);
    t->reserve_e4 = after;
    t->bound_e4 += notional + p->own_fee_e4;
}

INLINE void taker_end(const struct engine *e, struct taker *t, bool sell)
{
    struct order *o = t->order;
    struct account *account = t->account;
    if (sell) {
        account->bond_open_e4 -= t->bound_e4;
        account->bond_locked_e4 += t->bound_e4;
    } else {
        account->reserved_e4 +=
            t->reserve_e4 - money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
        account->cash_e4 -= t->bound_e4;
        account->escrow_e4 += t->bound_e4;
    }
    o->cum += o->leaves - t->leaves;
    o->leaves = t->leaves;
    o->fee_rest = t->fee_rest & 0x3fffu;
}

/* --- events ------------------------------------------------------------------------------------ */

/* Heads of the next three events, which are of one trade. */
INLINE struct event *emit_trade_heads(struct engine *e, uint16_t bid_link, uint16_t offer_link)
{
    if (__builtin_expect(e->event_end - e->event_next < 3, 0)) {
        emit_drain(e);
    }
    struct event *event = e->event_next;
    e->event_next += 3;
    uint64_t index = e->s.event_index;
    e->s.event_index += 3;
    for (uint32_t i = 0; i < 3; i++) {
        memcpy(&event[i].head.seq, &e->s.seq, 2 * sizeof(uint64_t)); /* with the time */
    }
    emit_word(&event[0].head.index,
              index | (uint64_t)EVENT_TRADE << 48 | (uint64_t)EVENT_PUBLIC << 56);
    emit_word(&event[1].head.index,
              (index + 1) | (uint64_t)bid_link << 32 | (uint64_t)EVENT_FILL << 48);
    emit_word(&event[2].head.index,
              (index + 2) | (uint64_t)offer_link << 32 | (uint64_t)EVENT_FILL << 48);
    return event;
}

/* What one side of a trade is told of. */
struct half {
    const struct order *order;
    struct key *key;
    uint64_t order_id;
    uint64_t party;
    uint64_t contract;
    int64_t fee_e4;
    uint32_t leaves;
    uint32_t cum;
};

INLINE void fill_event(struct event *event, const struct half *s, const struct level *l,
                       const struct print *p, uint64_t what)
{
    struct event_fill *fill = &event->fill;
    fill->party.report_seq = ++s->key->report_seq;
    fill->party.cl_ord_id = s->order->cl_ord_id;
    emit_word(&fill->party.key, s->party);
    fill->order_id = s->order_id;
    fill->contract = s->contract;
    fill->fill_id = p->fill_id;
    fill->price_e4 = l->price_e4;
    fill->qty = p->qty;
    fill->leaves_qty = s->leaves;
    fill->cum_qty = s->cum;
    fill->fee_e4 = s->fee_e4;
    emit_word(&fill->resource, what);
    fill->trade_group = 0;
}

static_assert(
    offsetof(struct event_trade, seller) == offsetof(struct event_trade, buyer) + 4 &&
        offsetof(struct event_trade, offer_tier) == offsetof(struct event_trade, resource) + 4 &&
        offsetof(struct event_trade, source_tier) == offsetof(struct event_trade, resource) + 5 &&
        offsetof(struct event_trade, aggressor) == offsetof(struct event_trade, resource) + 6 &&
        offsetof(struct event_trade, condition) == offsetof(struct event_trade, resource) + 7 &&
        offsetof(struct event_trade, seller_group) ==
            offsetof(struct event_trade, buyer_group) + 4 &&
        TRADE_REGULAR == 0,
    "words");

INLINE void trade_event(struct event *event, const struct half *bid, const struct half *offer,
                        const struct level *l, const struct print *p)
{
    struct event_trade *t = &event->trade;
    const struct order *o = offer->order;
    t->fill_id = p->fill_id;
    t->contract = l->contract;
    t->price_e4 = l->price_e4;
    t->qty = p->qty;
    t->buy_order_id = bid->order_id;
    t->sell_order_id = offer->order_id;
    t->trade_group = 0;
    emit_word(&t->buyer, bid->party >> 32 | (offer->party >> 32) << 32);
    t->buy_fee_e4 = bid->fee_e4;
    t->sell_fee_e4 = offer->fee_e4;
    t->bond_e4 = p->bond_e4;
    emit_word(&t->buyer_group, bid->key->group | (uint64_t)offer->key->group << 32);
    emit_word(&t->resource, o->resource | (uint64_t)o->tier << 32 | (uint64_t)o->source << 40);
}

/* --- trades ------------------------------------------------------------------------------------ */

/* Carries out a trade of the arriving order with one that rests. */
INLINE void take_one(struct engine *e, struct taker *t, const struct level *l, uint32_t resting,
                     bool sell)
{
    struct order *r = &e->orders[resting];
    struct key *key = &e->keys[r->key];
    struct account *account = &e->accounts[key->account];
    struct print p = {.fill_id = deal_next_fill(e),
                      .qty = t->leaves < r->leaves ? t->leaves : r->leaves};
    struct deal d = {.qty = p.qty, .price_e4 = l->price_e4, .sell = sell};
    taker_settle(e, t, l->price_e4, &p, sell);
    if (sell) {
        p.other_fee_e4 = deal_settle_bid(e, r, account, &d);
    } else {
        p.other_fee_e4 = deal_settle_offer(e, r, account, &d);
        p.bond_e4 = (int64_t)r->bond_unit * p.qty;
    }
    struct half own = {.order = t->order,
                       .key = t->key,
                       .order_id = t->order_id,
                       .party = t->party,
                       .contract = sell ? l->offer_contract : l->contract,
                       .fee_e4 = p.own_fee_e4,
                       .leaves = t->leaves,
                       .cum = t->order->cum + t->order->leaves - t->leaves};
    struct half other = {.order = r,
                         .key = key,
                         .order_id = (uint64_t)r->generation << 32 | resting,
                         .party = r->key | (uint64_t)key->account << 32,
                         .contract = sell ? l->contract : l->offer_contract,
                         .fee_e4 = p.other_fee_e4,
                         .leaves = r->leaves,
                         .cum = r->cum};
    const struct half *bid = sell ? &other : &own;
    const struct half *offer = sell ? &own : &other;
    uint32_t hour = contract_hour(l->contract);
    uint8_t tier = contract_tier(l->contract);
    uint32_t resource = offer->order->resource;
    if (__builtin_expect(offer->order->source != SOURCE_OWN, 0)) {
        capacity_sell(e, sell ? t->slot : resting, hour, p.qty);
    }
    struct event *event = emit_trade_heads(e, emit_link(bid->key), emit_link(offer->key));
    uint64_t what = resource | (uint64_t)tier << 48;
    trade_event(&event[0], bid, offer, l, &p);
    if (sell) {
        event[0].trade.aggressor = SIDE_SELL;
    }
    fill_event(&event[1], bid, l, &p, what | (uint64_t)(sell ? FILL_MAKER : FILL_TAKER) << 40);
    fill_event(&event[2], offer, l, &p,
               what | (uint64_t)SIDE_SELL << 32 | (uint64_t)(sell ? FILL_TAKER : FILL_MAKER) << 40);
    deal_record(e, &event[0].trade, offer->order->bond_unit);
    holding_owe(e, holding_print((uint32_t)(bid->party >> 32), resource, hour << 8 | tier));
}

/* Ends a resting order that has been used up; its level is mended later. */
INLINE void finish(struct engine *e, uint32_t slot)
{
    struct order *r = &e->orders[slot];
    book_forget(r);
    e->accounts[e->keys[r->key].account].open_orders--;
    if (__builtin_expect(r->timed, 0)) {
        timers_remove(e, slot);
    }
    chain_remove(e, slot);
    slot_release(e, slot);
}

INLINE bool may_take(const struct engine *e, const struct arrival *a, uint32_t resting)
{
    const struct order *r = &e->orders[resting];
    return !r->special && e->keys[r->key].group != a->group;
}

/* What trading with the orders of the levels that come next will touch is asked for as the leaf of the
 * tree names them, each a level further than what it hangs on. */
INLINE void prefetch_levels(const struct engine *e, const struct tree_place *place)
{
    const struct order *orders = e->orders;
    if (place->at >= 3) {
        __builtin_prefetch(&orders[place->heads[place->at - 3]], 1);
        const struct order *o = &orders[place->heads[place->at - 2]];
        __builtin_prefetch(&e->keys[o->key], 1);
        __builtin_prefetch(&orders[o->newer], 1);
        __builtin_prefetch(&orders[o->older], 1);
        const struct key *k = &e->keys[orders[place->heads[place->at - 1]].key];
        __builtin_prefetch(&e->accounts[k->account], 1);
    }
}

/* Takes what it can of a level. */
INLINE void take_level(struct engine *e, struct taker *t, const struct arrival *a,
                       const struct level *l, struct book_taken *taken, bool sell)
{
    struct order *orders = e->orders;
    uint32_t first = taken->head;
    uint32_t resting = first;
    do {
        struct order *r = &orders[resting];
        uint32_t next = r->next;
        __builtin_prefetch(&orders[next], 1);
        take_one(e, t, l, resting, sell);
        if (r->leaves != 0) {
            break;
        }
        finish(e, resting);
        taken->orders++;
        resting = next != first ? next : 0;
    } while (t->leaves != 0 && resting != 0 && may_take(e, a, resting));
    taken->head = resting;
    taken->levels += resting == 0;
}

/* Takes what it can of the levels of a leaf, the best of which is the book's best; false: there is no more
 * to be had by trades alone. */
INLINE bool take_leaf(struct engine *e, struct taker *t, const struct arrival *a, uint32_t book,
                      bool sell)
{
    struct tree_place place;
    tree_first(e, a->ladder * BOOKS + book, &place);
    uint8_t tier = book % TIER_COUNT;
    struct level l = {
        .contract = sell ? contract_with_tier(a->contract, tier) : a->contract,
        .offer_contract = sell ? a->contract : contract_with_tier(a->contract, tier),
    };
    struct ladder *ladder = &e->ladders[a->ladder];
    bool alone = (ladder->occupied & match_eligible(a)) == 1u << book;
    bool moved = false;
    struct book_taken taken = {.levels = 0};
    for (;;) {
        int32_t goodness = place.goodness[place.at];
        l.price_e4 = sell ? goodness : -(int64_t)goodness;
        taken.head = place.heads[place.at];
        taken.newest = e->orders[taken.head].previous;
        if (taken.levels != 0 && (!match_crosses(a, l.price_e4) || l.price_e4 < a->inner_low_e4 ||
                                  l.price_e4 > a->inner_high_e4 || !may_take(e, a, taken.head))) {
            break;
        }
        prefetch_levels(e, &place);
        moved |= ladder->last_trade_e4 != (uint32_t)l.price_e4;
        ladder->last_trade_e4 = (uint32_t)l.price_e4;
        take_level(e, t, a, &l, &taken, sell);
        if (taken.head != 0 || t->leaves == 0 || place.at == 0 || !alone) {
            break;
        }
        place.at--;
    }
    bool more = taken.head == 0 && t->leaves != 0;
    book_taken(e, a->ladder, book, &taken);
    if (moved) {
        deal_reference_moved(e, a->ladder);
    }
    return more;
}

INLINE void run(struct engine *e, uint32_t arriving, const struct arrival *a, uint32_t book,
                bool sell)
{
    struct taker t;
    taker_begin(e, &t, arriving, sell);
    while (take_leaf(e, &t, a, book, sell)) {
        const struct ladder *ladder = &e->ladders[a->ladder];
        uint32_t occupied = ladder->occupied & match_eligible(a);
        if (occupied == 0) {
            break;
        }
        book = match_best_book(ladder, a, occupied);
        int64_t price = ladder->best_price[book];
        if (!match_crosses(a, price) || price < a->inner_low_e4 || price > a->inner_high_e4 ||
            !may_take(e, a, ladder->best[book])) {
            break;
        }
    }
    taker_end(e, &t, sell);
}

APART static void run_offer(struct engine *e, uint32_t arriving, const struct arrival *a,
                            uint32_t book)
{
    run(e, arriving, a, book, true);
}

APART static void run_bid(struct engine *e, uint32_t arriving, const struct arrival *a,
                          uint32_t book)
{
    run(e, arriving, a, book, false);
}

void take_run(struct engine *e, uint32_t arriving, const struct arrival *a, uint32_t book)
{
    if (a->sell) {
        run_offer(e, arriving, a, book);
    } else {
        run_bid(e, arriving, a, book);
    }
}
