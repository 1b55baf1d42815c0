#include "exchange/core/plain.h"

#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/job.h"
#include "exchange/core/match.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/quote.h"
#include "exchange/core/slot.h"
#include "exchange/core/take.h"

#define LIKELY(condition) __builtin_expect(!!(condition), 1)

/* Products of fees below this fit 64 bits (money.h). */
#define NOTIONAL_PLAIN_E4 INT64_C(9000000000000000)

/* A sender whose requests are carried out, as far as its rate allows. */
static inline bool sender_plain(const struct engine *e, const struct command *c)
{
    uint32_t key = c->head.key;
    if (!LIKELY(key >= 1 && key <= e->s.key_count)) {
        return false;
    }
    const struct key *k = &e->keys[key];
    if (!LIKELY((k->flags & (KEY_BOUND | KEY_REVOKED)) == KEY_BOUND)) {
        return false;
    }
    return c->head.session == k->session && c->head.cl_ord_id > k->highest_cl_ord_id &&
           c->head.slots == 1;
}

/* Requests of the key in this second, with the one at hand. */
static inline uint32_t rate_with(const struct engine *e, const struct key *k)
{
    return (k->rate_second == e->s.second ? k->rate_count : 0) + 1;
}

static inline void sender_commit(struct engine *e, const struct command *c, struct key *k,
                                 uint32_t rate_count)
{
    k->highest_cl_ord_id = c->head.cl_ord_id;
    k->rate_second = e->s.second;
    k->rate_count = rate_count;
}

/* --- a new limit order --------------------------------------------------------------------- */

/* What its checks have found out. */
struct draft {
    struct key *key;
    struct account *account;
    struct ladder *ladder;
    struct capacity_cell *cell; /* of no resource for a bid: stays empty */
    int64_t reference_e4;
    int64_t reserve_e4;
    uint32_t account_id;
    uint32_t ladder_id;
    uint32_t committed; /* of the cell, as it will be */
    uint32_t bond_unit;
    uint32_t rate_count;
    uint64_t sell_mask; /* mask_of(it is an offer) */
};

/* Nothing but contract, price, quantity, side, self-trade mode, and good till gate or immediate. */
static inline bool terms_plain(const struct command_new_order *n)
{
    /* flags, side and type in one */
    uint32_t kind;
    memcpy(&kind, &n->flags, sizeof(kind));
    return (n->min_qty | n->display_qty | n->expire_time_ns | n->job_lead_hours) == 0 &&
           (kind & ~0x10000u) == 0 && (n->tif & ~TIF_IOC) == 0 && n->stp <= STP_DECREMENT;
}
static_assert(offsetof(struct command_new_order, side) ==
                      offsetof(struct command_new_order, flags) + 2 &&
                  offsetof(struct command_new_order, ord_type) ==
                      offsetof(struct command_new_order, flags) + 3 &&
                  SIDE_SELL == 1 && ORD_LIMIT == 0 && TIF_GATE == 0 && TIF_IOC == 2,
              "terms");

/* Market and price. */
static inline bool market_plain(struct engine *e, const struct command_new_order *n,
                                struct draft *d)
{
    const struct quote *q = quote_place(e, n->contract);
    if (!LIKELY(q->contract == n->contract) && !quote_refresh(e, n->contract)) {
        return false;
    }
    /* An empty place is that of contract 0, which is none; its lot is 0. */
    if (!LIKELY(q->lot == 1 || (q->lot != 0 && (uint64_t)n->qty % q->lot == 0))) {
        return false;
    }
    d->ladder_id = q->ladder;
    d->ladder = &e->ladders[q->ladder];
    d->reference_e4 = q->reference_e4;
    d->cell = &e->cells[q->cell + n->resource];
    return (uint64_t)n->price_e4 - q->low_e4 <= q->width_e4;
}

static_assert(offsetof(struct resource, class_id) == offsetof(struct resource, region_id) + 2,
              "lane");
static inline bool capacity_plain(const struct engine *e, const struct command_new_order *n,
                                  struct draft *d)
{
    uint32_t resource = n->resource;
    uint32_t hour = contract_hour(n->contract);
    if (!LIKELY(resource <= e->s.resource_count && (resource != 0) == (n->side == SIDE_SELL))) {
        return false;
    }
    const struct resource *r = &e->resources[resource];
    uint32_t committed = d->cell->committed & (uint32_t)mask_of(d->cell->hour == hour);
    uint32_t lane;
    memcpy(&lane, &r->region_id, sizeof(lane));
    uint32_t unlike = (lane ^ (uint32_t)(n->contract >> 32)) | (r->account ^ d->account_id) |
                      (contract_tier(n->contract) > r->tier) |
                      ((int64_t)r->gpus - (int64_t)committed < n->qty);
    d->committed = committed + (uint32_t)n->qty;
    return (unlike & d->sell_mask) == 0;
}

/* Money or bond (money.h). */
static inline bool funds_plain(const struct engine *e, const struct command_new_order *n,
                               struct draft *d)
{
    int64_t price = n->price_e4;
    int64_t notional = price * n->qty;
    uint32_t bond_unit = money_bond_unit(e, price, d->reference_e4);
    uint64_t rate = money_reserve_rate(e, d->account->fees);
    if (!LIKELY(notional < NOTIONAL_PLAIN_E4)) {
        return false;
    }
    uint64_t fee = rate == 0 ? 0 : (uint64_t)notional * rate / (uint64_t)BP_ONE;
    int64_t bid = notional + (int64_t)fee;
    int64_t bond = (int64_t)bond_unit * n->qty;
    d->bond_unit = bond_unit & (uint32_t)d->sell_mask;
    d->reserve_e4 = (int64_t)choose(d->sell_mask, (uint64_t)bond, (uint64_t)bid);
    return account_available(d->account) >= d->reserve_e4;
}

/* Room for the order, and for a trade with every opposite one. */
static inline bool room_plain(const struct engine *e, const struct draft *d)
{
    uint32_t opposite = d->ladder->orders[1 + d->sell_mask];
    return (e->s.order_free != 0 || e->s.order_top < e->config.orders) &&
           e->config.fills - e->s.fill_count >= opposite && holding_has_room(e, opposite);
}

static inline bool new_plain(struct engine *e, const struct command *c, struct draft *d)
{
    const struct command_new_order *n = &c->new_order;
    if (!LIKELY(sender_plain(e, c) && terms_plain(n))) {
        return false;
    }
    struct key *k = &e->keys[c->head.key];
    struct account *a = &e->accounts[k->account];
    d->key = k;
    d->account = a;
    d->account_id = k->account;
    d->sell_mask = mask_of(n->side == SIDE_SELL);
    d->rate_count = rate_with(e, k);
    uint8_t roles = (uint8_t)(ROLE_BUYER | (ROLE_PROVIDER & d->sell_mask));
    if (!LIKELY((k->roles & roles) != 0 && !a->killed && d->rate_count <= a->rate_limit &&
                a->open_orders < a->open_orders_limit &&
                (uint64_t)n->qty - 1 < (uint64_t)a->order_qty_limit)) {
        return false;
    }
    return market_plain(e, n, d) && capacity_plain(e, n, d) && funds_plain(e, n, d) &&
           room_plain(e, d);
}

/* The event repeats words of the command. */
static_assert(offsetof(struct event_new, stp) == offsetof(struct event_new, tif) + 1 &&
                  offsetof(struct event_new, source_tier) == offsetof(struct event_new, tif) + 2 &&
                  offsetof(struct event_new, tif) == offsetof(struct event_new, resource) + 8 &&
                  offsetof(struct event_new, job_lead_hours) ==
                      offsetof(struct event_new, tif) + 8 &&
                  sizeof(struct event_new) == offsetof(struct event_new, job_lead_hours) + 8 &&
                  offsetof(struct command_new_order, tif) ==
                      offsetof(struct command_new_order, resource) + 8 &&
                  offsetof(struct event_new, qty) - offsetof(struct event_new, contract) == 16 &&
                  offsetof(struct command_new_order, qty) == 16 &&
                  offsetof(struct event_new, expire_time_ns) ==
                      offsetof(struct event_new, min_qty) + 8 &&
                  offsetof(struct event_new, ord_type) - offsetof(struct event_new, resource) ==
                      offsetof(struct command_new_order, ord_type) -
                          offsetof(struct command_new_order, resource),
              "words");

static inline void emit_party_words(struct event_party *party, const struct command *c,
                                    struct key *k)
{
    party->report_seq = ++k->report_seq;
    party->cl_ord_id = c->head.cl_ord_id;
    emit_word(&party->key, c->head.key | (uint64_t)k->account << 32);
}

static inline void emit_new(struct engine *e, const struct command *c, const struct draft *d,
                            uint64_t order_id)
{
    const struct command_new_order *n = &c->new_order;
    struct event_new *event = &emit(e, EVENT_NEW, d->key->link, 0)->new_order;
    emit_party_words(&event->party, c, d->key);
    event->order_id = order_id;
    memcpy(&event->contract, &n->contract, 3 * sizeof(uint64_t)); /* with price and quantity */
    memset(&event->min_qty, 0, 2 * sizeof(uint64_t));             /* with expire time */
    event->reserved_e4 = d->reserve_e4;
    memcpy(&event->resource, &n->resource, sizeof(uint64_t));
    emit_word(&event->tif, n->tif | (uint64_t)n->stp << 8 | (SOURCE_OWN & d->sell_mask) << 16);
    emit_word(&event->job_lead_hours, 0);
}

/* Opposite books that an order may trade with, by side and tier, as bits of ladder.occupied. */
static const uint8_t eligible[2][TIER_COUNT] = {{0xf0, 0xe0, 0xc0, 0x80}, {0x01, 0x03, 0x07, 0x0f}};

/* Best order of any of them whose price is within its limit; 0 none. */
static inline uint32_t crossed(const struct command_new_order *n, const struct draft *d)
{
    const struct ladder *l = d->ladder;
    /* Turns what a bid compares into what an offer compares. */
    uint32_t turn = (uint32_t)~d->sell_mask;
    uint32_t limit = (uint32_t)n->price_e4 ^ turn;
    uint32_t mask = l->occupied & eligible[n->side][contract_tier(n->contract)];
    for (; mask != 0; mask &= mask - 1) {
        if ((l->best_price[__builtin_ctz(mask)] ^ turn) >= limit) {
            return l->best[__builtin_ctz(mask)];
        }
    }
    return 0;
}

/* Past the checks: nothing below can fail. `resting` 1: it is about to be put into its book. */
static inline uint32_t enter(struct engine *e, const struct command *c, const struct draft *d,
                             bool resting)
{
    const struct command_new_order *n = &c->new_order;
    struct account *a = d->account;
    uint32_t slot = slot_take(e);
    struct order *o = &e->orders[slot];
    uint32_t newest = d->key->newest;
    o->cl_ord_id = c->head.cl_ord_id;
    o->price_e4 = (uint32_t)n->price_e4;
    o->leaves = (uint32_t)n->qty;
    o->cum = 0;
    o->next = 0;
    o->previous = 0;
    o->ladder = d->ladder_id;
    o->key = c->head.key;
    o->newer = 0;
    o->older = newest;
    o->epoch = e->s.epoch;
    o->bond_unit = d->bond_unit;
    o->bits = (uint64_t)n->resource << ORDER_RESOURCE_AT | (uint64_t)resting << ORDER_RESTING_AT |
              (uint64_t)contract_tier(n->contract) << ORDER_TIER_AT |
              (uint64_t)a->fees << ORDER_FEES_AT | (uint64_t)n->side << ORDER_SELL_AT |
              (uint64_t)n->stp << ORDER_STP_AT | (SOURCE_OWN & d->sell_mask) << ORDER_SOURCE_AT |
              UINT64_C(1) << ORDER_LIVE_AT;
    chain_append(e, d->key, slot);
    e->s.epoch_used = 1;
    a->open_orders++;
    a->bond_open_e4 += d->reserve_e4 & (int64_t)d->sell_mask;
    a->reserved_e4 += d->reserve_e4 & (int64_t)~d->sell_mask;
    d->cell->hour = contract_hour(n->contract) & (uint32_t)d->sell_mask;
    d->cell->committed = d->committed & (uint32_t)d->sell_mask;
    emit_new(e, c, d, (uint64_t)o->generation << 32 | slot);
    return slot;
}

/* Whether a trade comes next that begins a run (take.h). `book`: the best of those eligible. */
static inline bool may_run(const struct engine *e, const struct arrival *a, uint32_t book)
{
    const struct ladder *l = &e->ladders[a->ladder];
    const struct order *resting = &e->orders[l->best[book]];
    int64_t price = l->best_price[book];
    return e->s.lag == 0 && match_crosses(a, price) && price >= a->inner_low_e4 &&
           price <= a->inner_high_e4 && !resting->special &&
           e->keys[resting->key].group != a->group;
}

APART static void trade_plain(struct engine *e, const struct command *c, uint32_t slot,
                              int64_t reference_e4)
{
    const struct command_new_order *n = &c->new_order;
    uint32_t ladder = e->orders[slot].ladder;
    uint32_t market = e->ladders[ladder].market;
    uint32_t width = e->markets[market].inner_band_bp;
    struct arrival a = {
        .contract = n->contract,
        .ladder = ladder,
        .market = market,
        .limit_e4 = n->price_e4,
        .inner_low_e4 = money_band_low(reference_e4, width),
        .inner_high_e4 = money_band_high(reference_e4, width),
        .group = e->keys[c->head.key].group,
        .tier = contract_tier(n->contract),
        .stp = n->stp,
        .sell = n->side == SIDE_SELL,
        .may_rest = n->tif == TIF_GATE,
    };
    struct order *o = &e->orders[slot];
    uint32_t occupied = e->ladders[ladder].occupied & match_eligible(&a);
    uint32_t best = occupied == 0 ? BOOKS : match_best_book(&e->ladders[ladder], &a, occupied);
    if (LIKELY(best != BOOKS && may_run(e, &a, best))) {
        take_run(e, slot, &a, best);
        if (o->leaves == 0) {
            e->accounts[e->keys[o->key].account].open_orders--;
            chain_remove(e, slot);
            slot_release(e, slot);
            return; /* the ladder has a last trade */
        }
    }
    order_arrive(e, slot, &a, n->tif == TIF_IOC);
}

static inline bool plain_new(struct engine *e, const struct command *c)
{
    const struct command_new_order *n = &c->new_order;
    struct draft d;
    if (!LIKELY(new_plain(e, c, &d))) {
        return false;
    }
    sender_commit(e, c, d.key, d.rate_count);
    uint32_t opposite = crossed(n, &d);
    if (!LIKELY(opposite == 0 && n->tif == TIF_GATE)) {
        trade_plain(e, c, enter(e, c, &d, false), d.reference_e4);
        return true;
    }
    uint32_t slot = enter(e, c, &d, true);
    d.ladder->orders[n->side]++;
    book_insert_hinted(e, slot, book_hint(e, n->contract, n->side, (uint32_t)n->price_e4));
    if (__builtin_expect((e->markets[d.ladder->market].job_lanes & (0u - n->side)) != 0, 0)) {
        job_hour_due(e, d.ladder_id); /* as job_offer_stands() does, without a branch on the side */
    }
    return true;
}

/* --- the cancel of an own order -------------------------------------------------------------- */

static_assert(offsetof(struct event_out, side) == offsetof(struct event_out, reason) + 2 &&
                  offsetof(struct event_out, resting) == offsetof(struct event_out, reason) + 3,
              "words");

static inline void emit_canceled(struct engine *e, const struct command *c, const struct order *o,
                                 uint64_t contract)
{
    struct key *k = &e->keys[c->head.key];
    struct event_out *event = &emit(e, EVENT_CANCELED, k->link, 0)->out;
    emit_party_words(&event->party, c, k);
    event->order_id = c->cancel_order.order_id;
    event->contract = contract;
    event->orig_cl_ord_id = o->cl_ord_id;
    event->price_e4 = o->price_e4;
    event->qty = o->leaves;
    event->leaves_qty = 0;
    event->cum_qty = o->cum;
    emit_word(&event->reason, REASON_REQUESTED | (uint64_t)o->sell << 16 | UINT64_C(1) << 24);
    memset(event->reserved + 4, 0, sizeof(event->reserved) - 4);
}

/* Gives back what the order has reserved: a bid's money, or an offer's bond and capacity. */
static inline void release_plain(struct engine *e, const struct order *o, struct account *a,
                                 uint32_t hour)
{
    uint64_t sell_mask = mask_of(o->sell);
    uint64_t amount = choose(sell_mask, o->bond_unit, o->price_e4) * o->leaves;
    uint64_t rate = money_reserve_rate(e, o->fees);
    uint64_t fee = (o->fee_rest + amount * rate) / (uint64_t)BP_ONE;
    a->bond_open_e4 -= (int64_t)(amount & sell_mask);
    a->reserved_e4 -= (int64_t)((amount + fee) & ~sell_mask);
    struct capacity_cell *cell = capacity_cell(e, o->resource, hour);
    uint32_t committed = o->leaves & (uint32_t)sell_mask; /* a bid's cell is that of no resource */
    CHECK(cell->committed >= committed);
    cell->committed -= committed;
}

static inline bool plain_cancel(struct engine *e, const struct command *c)
{
    if (!LIKELY(sender_plain(e, c))) {
        return false;
    }
    struct key *k = &e->keys[c->head.key];
    uint32_t slot = order_find(e, c->cancel_order.order_id);
    struct order *o = &e->orders[slot];
    if (!LIKELY(slot != 0 && o->key == c->head.key &&
                (k->roles & (ROLE_BUYER | ROLE_PROVIDER)) != 0 && !o->timed && !o->special &&
                !ladder_is_collecting(&e->ladders[o->ladder]))) {
        return false;
    }
    if (!LIKELY((int64_t)o->price_e4 * o->leaves < NOTIONAL_PLAIN_E4 &&
                ((o->source ^ SOURCE_OWN) & mask_of(o->sell)) == 0)) {
        return false;
    }
    sender_commit(e, c, k, rate_with(e, k));
    struct account *a = &e->accounts[k->account];
    uint64_t contract = contract_with_tier(e->ladders[o->ladder].contract, o->tier);
    uint32_t ladder = o->ladder;
    release_plain(e, o, a, contract_hour(contract));
    emit_canceled(e, c, o, contract);
    book_remove(e, slot);
    a->open_orders--;
    chain_remove(e, slot);
    slot_release(e, slot);
    ladder_release_if_idle(e, ladder);
    return true;
}

bool plain_step(struct engine *e, const struct command *command)
{
    if (command->head.type == COMMAND_NEW_ORDER) {
        return plain_new(e, command);
    }
    return command->head.type == COMMAND_CANCEL_ORDER && plain_cancel(e, command);
}
