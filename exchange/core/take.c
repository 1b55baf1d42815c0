#include "exchange/core/take.h"

#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/deal.h"
#include "exchange/core/emit.h"
#include "exchange/core/money.h"
#include "exchange/core/slot.h"
#include "exchange/core/timers.h"
#include "exchange/core/tree.h"

#define INLINE static inline __attribute__((always_inline))

/* Words that stand side by side in an event and are written at once. */
struct pair {
    uint64_t words[2];
};

/* The arriving order, and what all trades of the run have in common. Nothing that is written on the way can
 * be a part of it, as far as the compiler is concerned. */
struct taker {
    struct pair now;  /* head: seq and time */
    struct pair own;  /* its number, then key and account */
    struct pair what; /* its order id and its contract */
    uint64_t index;   /* of the next event */
    uint64_t link;    /* head: link and type of its fills */
    uint64_t fill_id;
    uint64_t report_seq;
    struct event *event; /* the next one */
    struct event *room;  /* behind it there is none for a whole trade */
    struct order *order;
    struct key *key;
    int64_t bound_e4; /* bid: notional and fees, offer: bond, of all its trades */
    int32_t worst;    /* goodness of the price that is just good enough */
    uint32_t slot;
    uint32_t leaves;
    uint32_t cum;
    uint32_t resource;  /* offer */
    uint32_t bond_unit; /* offer */
    uint32_t group;
    uint8_t source; /* offer */
    uint16_t fee_rest;
    uint16_t rate_bp;
};

/* The level that is being used up. */
struct level {
    int64_t price_e4;
    uint64_t bid_contract;
    uint64_t offer_contract;
    uint64_t tiers; /* word of a trade that begins with the resource: the offer's tier */
    uint64_t owed;  /* word of a fill that begins with the resource: the bid's tier */
    uint32_t hour_tier;
    uint32_t orders; /* used up, of the whole leaf */
    uint32_t left;   /* first order that is left; 0: none */
};

/* One trade. `other` is what rests. */
struct print {
    uint64_t fill_id;
    uint64_t other_id;
    uint64_t other_party; /* key and account */
    int64_t own_fee_e4;
    int64_t other_fee_e4;
    int64_t bond_e4;
    uint32_t qty;
    uint32_t bond_unit;
    uint32_t resource;
    uint32_t source;
};

/* Where no rate is, the remainder stays as it is. */
INLINE int64_t fee_of(uint16_t *rest, int64_t notional_e4, uint16_t rate_bp)
{
    return rate_bp == 0 ? 0 : money_fee(*rest, notional_e4, rate_bp, rest);
}

/* --- the arriving order ------------------------------------------------------------------------- */

INLINE void sink_begin(const struct engine *e, struct taker *t)
{
    t->event = e->event_next;
    t->room = e->event_end - 3;
}

INLINE void sink_end(struct engine *e, const struct taker *t)
{
    e->event_next = t->event;
}

INLINE void taker_begin(const struct engine *e, struct taker *t, uint32_t slot,
                        const struct arrival *a, bool sell)
{
    struct order *o = &e->orders[slot];
    struct key *key = &e->keys[o->key];
    int64_t low = a->limit_e4 > a->inner_low_e4 ? a->limit_e4 : a->inner_low_e4;
    int64_t high = a->limit_e4 < a->inner_high_e4 ? a->limit_e4 : a->inner_high_e4;
    *t = (struct taker){
        .now = {{e->s.seq, (uint64_t)e->s.time_ns}},
        .own = {{o->cl_ord_id, o->key | (uint64_t)key->account << 32}},
        .what = {{order_id_of(e, slot), a->contract}},
        .index = e->s.event_index,
        .link = (uint64_t)emit_link(key) << 32 | (uint64_t)EVENT_FILL << 48,
        .fill_id = deal_next_fill(e),
        .report_seq = key->report_seq,
        .order = o,
        .key = key,
        .worst = sell ? (int32_t)low : -(int32_t)high,
        .slot = slot,
        .leaves = o->leaves,
        .cum = o->cum,
        .resource = o->resource,
        .bond_unit = o->bond_unit,
        .group = a->group,
        .source = (uint8_t)o->source,
        .fee_rest = o->fee_rest,
        .rate_bp = deal_rate(e, o, false),
    };
    sink_begin(e, t);
}

INLINE void taker_end(struct engine *e, const struct taker *t, bool sell)
{
    struct order *o = t->order;
    struct account *account = &e->accounts[t->key->account];
    if (sell) {
        account->bond_open_e4 -= t->bound_e4;
        account->bond_locked_e4 += t->bound_e4;
    } else {
        int64_t freed = money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves) -
                        money_bid_reserve(e, o->fees, t->fee_rest, o->price_e4, t->leaves);
        CHECK(freed >= t->bound_e4);
        account->reserved_e4 -= freed;
        account->cash_e4 -= t->bound_e4;
        account->escrow_e4 += t->bound_e4;
    }
    o->cum = t->cum;
    o->leaves = t->leaves;
    o->fee_rest = t->fee_rest & 0x3fffu;
    t->key->report_seq = t->report_seq;
    e->s.event_index = (uint32_t)t->index;
    sink_end(e, t);
}

/* --- events ------------------------------------------------------------------------------------ */

static_assert(offsetof(struct event_head, time_ns) == offsetof(struct event_head, seq) + 8 &&
                  offsetof(struct event_party, key) ==
                      offsetof(struct event_party, cl_ord_id) + 8 &&
                  offsetof(struct event_fill, contract) ==
                      offsetof(struct event_fill, order_id) + 8,
              "pairs");

INLINE void write_pair(void *place, const struct pair *pair)
{
    memcpy(place, pair, sizeof(*pair));
}

INLINE void write_fill(struct event *event, const struct taker *t, const struct level *l,
                       const struct print *p)
{
    write_pair(&event->head.seq, &t->now);
    event->fill.fill_id = p->fill_id;
    event->fill.price_e4 = l->price_e4;
    event->fill.qty = p->qty;
    event->fill.trade_group = 0;
}

INLINE void write_own_fill(struct event *event, struct taker *t, const struct level *l,
                           const struct print *p, bool sell)
{
    struct event_fill *fill = &event->fill;
    write_fill(event, t, l, p);
    emit_word(&event->head.index, (t->index + 1 + sell) | t->link);
    fill->party.report_seq = ++t->report_seq;
    write_pair(&fill->party.cl_ord_id, &t->own);
    write_pair(&fill->order_id, &t->what);
    fill->leaves_qty = t->leaves;
    fill->cum_qty = t->cum;
    fill->fee_e4 = p->own_fee_e4;
    emit_word(&fill->resource,
              p->resource | l->owed | (uint64_t)FILL_TAKER << 40 | (uint64_t)sell << 32);
}

INLINE void write_other_fill(struct event *event, const struct taker *t, const struct level *l,
                             const struct print *p, const struct order *r, struct key *key,
                             bool sell)
{
    struct event_fill *fill = &event->fill;
    write_fill(event, t, l, p);
    emit_word(&event->head.index,
              (t->index + 2 - sell) | (uint64_t)emit_link(key) << 32 | (uint64_t)EVENT_FILL << 48);
    fill->party.report_seq = ++key->report_seq;
    fill->party.cl_ord_id = r->cl_ord_id;
    emit_word(&fill->party.key, p->other_party);
    fill->order_id = p->other_id;
    fill->contract = sell ? l->bid_contract : l->offer_contract;
    fill->leaves_qty = r->leaves;
    fill->cum_qty = r->cum;
    fill->fee_e4 = p->other_fee_e4;
    emit_word(&fill->resource,
              p->resource | l->owed | (uint64_t)FILL_MAKER << 40 | (uint64_t)!sell << 32);
}

static_assert(
    offsetof(struct event_trade, seller) == offsetof(struct event_trade, buyer) + 4 &&
        offsetof(struct event_trade, offer_tier) == offsetof(struct event_trade, resource) + 4 &&
        offsetof(struct event_trade, source_tier) == offsetof(struct event_trade, resource) + 5 &&
        offsetof(struct event_trade, aggressor) == offsetof(struct event_trade, resource) + 6 &&
        offsetof(struct event_trade, condition) == offsetof(struct event_trade, resource) + 7 &&
        offsetof(struct event_trade, seller_group) ==
            offsetof(struct event_trade, buyer_group) + 4 &&
        TRADE_REGULAR == 0 && SIDE_SELL == 1,
    "words");

INLINE void write_trade(struct event *event, const struct taker *t, const struct level *l,
                        const struct print *p, uint32_t other_group, bool sell)
{
    struct event_trade *trade = &event->trade;
    uint64_t own = t->own.words[1] >> 32;
    uint64_t other = p->other_party >> 32;
    write_pair(&event->head.seq, &t->now);
    emit_word(&event->head.index,
              t->index | (uint64_t)EVENT_TRADE << 48 | (uint64_t)EVENT_PUBLIC << 56);
    trade->fill_id = p->fill_id;
    trade->contract = l->bid_contract;
    trade->price_e4 = l->price_e4;
    trade->qty = p->qty;
    trade->buy_order_id = sell ? p->other_id : t->what.words[0];
    trade->sell_order_id = sell ? t->what.words[0] : p->other_id;
    trade->trade_group = 0;
    emit_word(&trade->buyer, sell ? other | own << 32 : own | other << 32);
    emit_word(&trade->resource, p->resource | l->tiers | (uint64_t)p->source << 40);
    trade->buy_fee_e4 = sell ? p->other_fee_e4 : p->own_fee_e4;
    trade->sell_fee_e4 = sell ? p->own_fee_e4 : p->other_fee_e4;
    trade->bond_e4 = p->bond_e4;
    emit_word(&trade->buyer_group, sell ? other_group | (uint64_t)t->group << 32
                                        : t->group | (uint64_t)other_group << 32);
}

/* --- trades ------------------------------------------------------------------------------------ */

/* Returns the fee. */
INLINE int64_t settle_bid(const struct engine *e, struct order *r, struct account *account,
                          int64_t notional_e4, uint32_t qty)
{
    int64_t before = money_bid_reserve(e, r->fees, r->fee_rest, r->price_e4, r->leaves);
    uint16_t rest = r->fee_rest;
    int64_t fee = fee_of(&rest, notional_e4, deal_rate(e, r, true));
    int64_t freed =
        before - money_bid_reserve(e, r->fees, rest, r->price_e4, (int64_t)r->leaves - qty);
    CHECK(freed >= notional_e4 + fee);
    r->fee_rest = rest & 0x3fffu;
    account->reserved_e4 -= freed;
    account->cash_e4 -= notional_e4 + fee;
    account->escrow_e4 += notional_e4 + fee;
    return fee;
}

/* Returns the fee. */
INLINE int64_t settle_offer(const struct engine *e, struct order *r, struct account *account,
                            int64_t notional_e4, int64_t bond_e4)
{
    uint16_t rate_bp = deal_rate(e, r, true);
    int64_t fee = 0;
    if (rate_bp != 0) {
        uint16_t rest;
        fee = money_fee(r->fee_rest, notional_e4, rate_bp, &rest);
        r->fee_rest = rest & 0x3fffu;
    }
    account->bond_open_e4 -= bond_e4;
    account->bond_locked_e4 += bond_e4;
    return fee;
}

/* Ends a resting order that has been used up; its level is mended later. */
INLINE void finish(struct engine *e, struct order *r, uint32_t slot, struct account *account)
{
    book_forget(r);
    account->open_orders--;
    if (__builtin_expect(r->timed, 0)) {
        timers_remove(e, slot);
    }
    chain_remove(e, slot);
    slot_release(e, slot);
}

/* The processor writes in order, so that a line which is far off holds up all that is written behind it:
 * records of later trades and the events of the one after the next are asked for in time. Nothing is read
 * there, so it may lie behind the end. */
INLINE void prefetch_written(const struct engine *e, const struct taker *t)
{
    const uint32_t trades_ahead = 8; /* what a short run does not reach is there for the next */
    __builtin_prefetch(&e->fills[(uint32_t)t->fill_id + trades_ahead], 1);
    const char *next = (const char *)(t->event + 6);
    for (uint32_t i = 0; i < 3 * sizeof(struct event); i += 64) {
        __builtin_prefetch(next + i, 1);
    }
}

/* Carries out a trade of the arriving order with one that rests. */
INLINE void take_one(struct engine *e, struct taker *t, const struct level *l, uint32_t resting,
                     struct key *key, bool sell)
{
    struct order *r = &e->orders[resting];
    struct account *account = &e->accounts[key->account];
    uint32_t qty = t->leaves < r->leaves ? t->leaves : r->leaves;
    int64_t notional = l->price_e4 * qty;
    struct print p = {
        .fill_id = t->fill_id++,
        .other_id = (uint64_t)r->generation << 32 | resting,
        .other_party = r->key | (uint64_t)key->account << 32,
        .own_fee_e4 = fee_of(&t->fee_rest, notional, t->rate_bp),
        .qty = qty,
        .bond_unit = sell ? t->bond_unit : r->bond_unit,
        .resource = sell ? t->resource : r->resource,
        .source = sell ? t->source : r->source,
    };
    prefetch_written(e, t);
    p.bond_e4 = (int64_t)p.bond_unit * qty;
    t->leaves -= qty;
    t->cum += qty;
    t->bound_e4 += sell ? p.bond_e4 : notional + p.own_fee_e4;
    p.other_fee_e4 = sell ? settle_bid(e, r, account, notional, qty)
                          : settle_offer(e, r, account, notional, p.bond_e4);
    r->leaves -= qty;
    r->cum += qty;
    if (__builtin_expect(p.source != SOURCE_OWN, 0)) {
        capacity_sell(e, sell ? t->slot : resting, l->hour_tier >> 8, qty);
    }
    if (__builtin_expect(t->event > t->room, 0)) {
        sink_end(e, t);
        emit_drain(e);
        sink_begin(e, t);
    }
    struct event *event = t->event;
    t->event += 3;
    write_trade(&event[0], t, l, &p, key->group, sell);
    write_own_fill(&event[1 + sell], t, l, &p, sell);
    write_other_fill(&event[2 - sell], t, l, &p, r, key, sell);
    t->index += 3;
    deal_record(e, &event[0].trade, p.bond_unit);
    holding_owe(e, holding_print(event[0].trade.buyer, p.resource, l->hour_tier));
    if (r->leaves == 0) {
        finish(e, r, resting, account);
    }
}

/* What trading with the orders of the levels that come next will touch is asked for as the leaf of the
 * tree names them, each a level further than what it hangs on. */
INLINE void prefetch_levels(const struct engine *e, const uint32_t *heads, uint32_t at)
{
    const struct order *orders = e->orders;
    if (at >= 3) {
        __builtin_prefetch(&orders[heads[at - 3]], 1);
        const struct order *o = &orders[heads[at - 2]];
        __builtin_prefetch(&e->keys[o->key], 1);
        __builtin_prefetch(&orders[o->newer], 1);
        __builtin_prefetch(&orders[o->older], 1);
        const struct key *k = &e->keys[orders[heads[at - 1]].key];
        __builtin_prefetch(&e->accounts[k->account], 1);
    }
}

/* The same for the order that comes next in the level, which was itself asked for one trade earlier. */
INLINE void prefetch_order(const struct engine *e, uint32_t next, uint32_t first)
{
    if (next != first) {
        const struct order *o = &e->orders[next];
        __builtin_prefetch(&e->orders[o->next], 1);
        __builtin_prefetch(&e->keys[o->key], 1);
        __builtin_prefetch(&e->orders[o->newer], 1);
        __builtin_prefetch(&e->orders[o->older], 1);
    }
}

/* Takes what it can of a level that begins with an order. */
INLINE void take_level(struct engine *e, struct taker *t, struct level *l, uint32_t first,
                       bool sell)
{
    uint32_t resting = first;
    do {
        const struct order *r = &e->orders[resting];
        struct key *key = &e->keys[r->key];
        uint32_t next = r->next;
        prefetch_order(e, next, first);
        if (r->special || key->group == t->group) {
            break;
        }
        take_one(e, t, l, resting, key, sell);
        if (r->leaves != 0) {
            break;
        }
        l->orders++;
        resting = next != first ? next : 0;
    } while (t->leaves != 0 && resting != 0);
    l->left = resting;
}

INLINE void level_begin(struct level *l, const struct arrival *a, uint32_t book, bool sell)
{
    uint8_t tier = book % TIER_COUNT;
    uint64_t other = contract_with_tier(a->contract, tier);
    *l = (struct level){
        .bid_contract = sell ? other : a->contract,
        .offer_contract = sell ? a->contract : other,
    };
    uint64_t owed = contract_tier(l->bid_contract);
    l->owed = owed << 48;
    l->tiers = (uint64_t)contract_tier(l->offer_contract) << 32 | (uint64_t)sell << 48;
    l->hour_tier = contract_hour(a->contract) << 8 | (uint32_t)owed;
}

/* Where a run is in a book: at its best level, and at those of the tree's leaf behind it. */
struct leaf {
    const int32_t *goodness;
    const uint32_t *heads;
    uint32_t at;
};

/* Most runs are one trade, which leaves no question to the tree. Whether this is another one is known as
 * soon as the first order is. */
INLINE void leaf_begin(const struct engine *e, const struct taker *t, uint32_t ladder,
                       uint32_t book, struct leaf *leaf)
{
    uint32_t best = e->ladders[ladder].best[book];
    *leaf = (struct leaf){.at = 0};
    if (e->orders[best].leaves < t->leaves) {
        struct tree_place place;
        tree_first(e, ladder * BOOKS + book, &place);
        leaf->goodness = place.goodness;
        leaf->heads = place.heads;
        leaf->at = place.at;
        for (uint32_t i = 1; i <= 2 && i <= place.at; i++) {
            __builtin_prefetch(&e->orders[place.heads[place.at - i]], 1);
        }
    }
}

/* Takes what it can of the levels of a leaf, the best of which is the book's best; false: there is no more
 * to be had by trades alone. */
INLINE bool take_leaf(struct engine *e, struct taker *t, const struct arrival *a, uint32_t book,
                      bool sell)
{
    struct ladder *ladder = &e->ladders[a->ladder];
    bool alone = (ladder->occupied & match_eligible(a)) == 1u << book;
    bool moved = false; /* even if it comes back to where it was */
    struct book_taken taken = {.levels = 0};
    struct level l;
    level_begin(&l, a, book, sell);
    l.left = ladder->best[book];
    l.price_e4 = ladder->best_price[book];
    struct leaf leaf;
    leaf_begin(e, t, a->ladder, book, &leaf);
    while ((sell ? (int32_t)l.price_e4 : -(int32_t)l.price_e4) >= t->worst) {
        uint32_t cum = t->cum;
        taken.newest = e->orders[l.left].previous;
        prefetch_levels(e, leaf.heads, leaf.at);
        take_level(e, t, &l, l.left, sell);
        if (t->cum != cum && ladder->last_trade_e4 != (uint32_t)l.price_e4) {
            ladder->last_trade_e4 = (uint32_t)l.price_e4;
            moved = true;
        }
        taken.levels += l.left == 0;
        if (l.left != 0 || t->leaves == 0 || leaf.at == 0 || !alone) {
            break;
        }
        leaf.at--;
        l.left = leaf.heads[leaf.at];
        l.price_e4 = sell ? leaf.goodness[leaf.at] : -(int64_t)leaf.goodness[leaf.at];
    }
    taken.orders = l.orders;
    taken.head = l.left;
    book_taken(e, a->ladder, book, &taken);
    if (moved) {
        deal_reference_moved(e, a->ladder);
    }
    return l.left == 0 && t->leaves != 0;
}

INLINE void run(struct engine *e, uint32_t arriving, const struct arrival *a, uint32_t book,
                bool sell)
{
    struct taker t;
    taker_begin(e, &t, arriving, a, sell);
    while (take_leaf(e, &t, a, book, sell)) {
        const struct ladder *ladder = &e->ladders[a->ladder];
        uint32_t occupied = ladder->occupied & match_eligible(a);
        if (occupied == 0) {
            break;
        }
        book = match_best_book(ladder, a, occupied);
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
