#include "exchange/core/plain.h"

#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/match.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/slot.h"

/* Never in what most commands do. */
#define UNLESS(condition) if (__builtin_expect(!(condition), 0))

/* Products of fees below this fit 64 bits (money.h). */
#define NOTIONAL_PLAIN_E4 INT64_C(9000000000000000)

/* A sender whose requests are carried out, as far as its rate allows. */
static inline bool sender_plain(const struct engine *e, const struct command *c)
{
    uint32_t key = c->head.key;
    UNLESS(key >= 1 && key <= e->s.key_count)
    {
        return false;
    }
    const struct key *k = &e->keys[key];
    UNLESS((k->flags & (KEY_BOUND | KEY_REVOKED)) == KEY_BOUND)
    {
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
    uint32_t sell_mask; /* all ones for an offer */
};

/* Nothing but contract, price, quantity, side, self-trade mode, and good till gate or immediate. */
static inline bool terms_plain(const struct command_new_order *n)
{
    UNLESS((n->min_qty | n->display_qty | n->expire_time_ns | n->flags | n->ord_type |
            n->job_lead_hours) == 0)
    {
        return false;
    }
    return n->side <= SIDE_SELL && (n->tif == TIF_GATE || n->tif == TIF_IOC) &&
           n->stp <= STP_DECREMENT && (uint64_t)n->price_e4 - 1 < (uint64_t)PRICE_MAX_E4;
}

/* A ladder that is there says most about its contract: market and lane exist, and so does the hour's
 * place before the horizon. */
static inline bool ladder_plain(const struct engine *e, const struct command_new_order *n,
                                struct draft *d)
{
    uint64_t contract = n->contract;
    uint32_t market = e->s.market_of[contract_class(contract) % CLASS_COUNT_MAX]
                                    [contract_region(contract) % REGION_COUNT_MAX];
    d->ladder_id = ladder_find(e, market, contract_hour(contract));
    d->ladder = &e->ladders[d->ladder_id];
    UNLESS(d->ladder_id != 0 && contract_tier(contract) < TIER_COUNT &&
           d->ladder->contract == contract_with_tier(contract, 0) &&
           contract_hour(contract) >= e->s.open_hour &&
           (d->ladder->occupied & LADDER_NOT_PLAIN) == 0)
    {
        return false;
    }
    const struct market *m = &e->markets[market];
    UNLESS(m->mode == MODE_CONTINUOUS && (m->halted | m->opens) == 0)
    {
        return false;
    }
    UNLESS(m->lot == 1 || (uint64_t)n->qty % m->lot == 0)
    {
        return false;
    }
    int64_t reference = d->ladder->last_trade_e4;
    if (__builtin_expect(reference == 0, 0)) {
        reference = order_reference(e, market, contract);
    }
    d->reference_e4 = reference;
    /* x <= floor(y / 10,000) where 10,000 x <= y: the band of money.h without a division. A bound
     * that money.h clips is one that no price reaches. */
    uint64_t off =
        (uint64_t)(n->price_e4 > reference ? n->price_e4 - reference : reference - n->price_e4);
    return off * (uint64_t)BP_ONE <= (uint64_t)reference * m->outer_band_bp && reference != 0;
}

static inline bool capacity_plain(const struct engine *e, const struct command_new_order *n,
                                  struct draft *d)
{
    uint32_t resource = n->resource;
    uint32_t hour = contract_hour(n->contract);
    UNLESS(resource <= e->s.resource_count && (resource != 0) == (n->side == SIDE_SELL))
    {
        return false;
    }
    const struct resource *r = &e->resources[resource];
    d->cell = capacity_cell(e, resource, hour);
    uint32_t committed = d->cell->hour == hour ? d->cell->committed : 0;
    uint32_t lane = (uint32_t)r->class_id << 16 | r->region_id;
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
    bool sell = d->sell_mask != 0;
    int64_t price = n->price_e4;
    int64_t notional = price * n->qty;
    uint32_t bond_unit = money_bond_unit(e, price, d->reference_e4);
    uint64_t rate = money_reserve_rate(e, d->account->fees);
    UNLESS(notional < NOTIONAL_PLAIN_E4)
    {
        return false;
    }
    int64_t bid = notional + (int64_t)((uint64_t)notional * rate / (uint64_t)BP_ONE);
    d->bond_unit = bond_unit & d->sell_mask;
    d->reserve_e4 = sell ? (int64_t)bond_unit * n->qty : bid;
    return account_available(d->account) >= d->reserve_e4;
}

/* Room for the order, and for a trade with every opposite one. */
static inline bool room_plain(const struct engine *e, const struct draft *d)
{
    uint32_t opposite = d->ladder->orders[d->sell_mask + 1];
    return (e->s.order_free != 0 || e->s.order_top < e->config.orders) && book_has_room(e) &&
           e->config.fills - e->s.fill_count >= opposite &&
           e->config.holdings - e->s.holding_count >= opposite;
}

static inline bool new_plain(struct engine *e, const struct command *c, struct draft *d)
{
    const struct command_new_order *n = &c->new_order;
    UNLESS(sender_plain(e, c) && terms_plain(n))
    {
        return false;
    }
    struct key *k = &e->keys[c->head.key];
    struct account *a = &e->accounts[k->account];
    d->key = k;
    d->account = a;
    d->account_id = k->account;
    d->sell_mask = 0u - n->side;
    d->rate_count = rate_with(e, k);
    uint8_t roles = ROLE_BUYER | (ROLE_PROVIDER & d->sell_mask);
    UNLESS((k->roles & roles) != 0 && !a->killed && d->rate_count <= a->rate_limit &&
           a->open_orders < a->open_orders_limit &&
           (uint64_t)n->qty - 1 < (uint64_t)a->order_qty_limit)
    {
        return false;
    }
    return ladder_plain(e, n, d) && capacity_plain(e, n, d) && funds_plain(e, n, d) &&
           room_plain(e, d);
}

static inline void emit_new(struct engine *e, const struct command *c, const struct draft *d,
                            uint64_t order_id)
{
    const struct command_new_order *n = &c->new_order;
    struct event *event = emit(e, EVENT_NEW, emit_link(d->key), 0);
    event->new_order = (struct event_new){
        .party = {.report_seq = ++d->key->report_seq,
                  .cl_ord_id = c->head.cl_ord_id,
                  .key = c->head.key,
                  .account = d->account_id},
        .order_id = order_id,
        .contract = n->contract,
        .price_e4 = n->price_e4,
        .qty = n->qty,
        .reserved_e4 = d->reserve_e4,
        .resource = n->resource,
        .side = n->side,
        .tif = n->tif,
        .stp = n->stp,
        .source_tier = SOURCE_OWN & d->sell_mask,
    };
}

/* Past the checks: nothing below can fail. */
static inline uint32_t enter(struct engine *e, const struct command *c, const struct draft *d)
{
    const struct command_new_order *n = &c->new_order;
    uint32_t slot = slot_take(e);
    struct order *o = &e->orders[slot];
    uint32_t generation = o->generation;
    *o = (struct order){
        .cl_ord_id = c->head.cl_ord_id,
        .generation = generation,
        .price_e4 = (uint32_t)n->price_e4,
        .leaves = (uint32_t)n->qty,
        .ladder = d->ladder_id,
        .key = c->head.key,
        .epoch = e->s.epoch,
        .bond_unit = d->bond_unit,
        .resource = n->resource & RESOURCE_MASK,
        .tier = contract_tier(n->contract) & 3u,
        .fees = d->account->fees,
        .sell = n->side & 1u,
        .stp = n->stp & 3u,
        .source = SOURCE_OWN & d->sell_mask,
        .live = 1,
    };
    chain_append(e, slot);
    e->s.epoch_used = 1;
    d->account->open_orders++;
    d->account->bond_open_e4 += d->sell_mask != 0 ? d->reserve_e4 : 0;
    d->account->reserved_e4 += d->sell_mask != 0 ? 0 : d->reserve_e4;
    d->cell->hour = contract_hour(n->contract) & d->sell_mask;
    d->cell->committed = d->committed & d->sell_mask;
    emit_new(e, c, d, (uint64_t)generation << 32 | slot);
    return slot;
}

/* Whether any of the opposite books that it may trade with has a price within its limit. */
static inline bool crosses(const struct command_new_order *n, const struct draft *d)
{
    const struct ladder *l = d->ladder;
    uint32_t tier = contract_tier(n->contract);
    uint32_t eligible = d->sell_mask != 0 ? (2u << tier) - 1u : (0xf0u << tier) & 0xf0u;
    /* Turns what a bid compares into what an offer compares. */
    uint32_t turn = ~d->sell_mask;
    uint32_t limit = (uint32_t)n->price_e4 ^ turn;
    for (uint32_t mask = l->occupied & eligible; mask != 0; mask &= mask - 1) {
        if ((l->best_price[__builtin_ctz(mask)] ^ turn) >= limit) {
            return true;
        }
    }
    return false;
}

APART static void trade_plain(struct engine *e, const struct command_new_order *n, uint32_t slot,
                              const struct draft *d)
{
    uint32_t width = e->markets[d->ladder->market].inner_band_bp;
    struct arrival a = {
        .contract = n->contract,
        .ladder = d->ladder_id,
        .market = d->ladder->market,
        .limit_e4 = n->price_e4,
        .inner_low_e4 = money_band_low(d->reference_e4, width),
        .inner_high_e4 = money_band_high(d->reference_e4, width),
        .group = d->key->group,
        .tier = contract_tier(n->contract),
        .stp = n->stp,
        .sell = n->side == SIDE_SELL,
        .may_rest = n->tif == TIF_GATE,
    };
    order_arrive(e, slot, &a, n->tif == TIF_IOC);
}

static bool plain_new(struct engine *e, const struct command *c)
{
    struct draft d;
    UNLESS(new_plain(e, c, &d))
    {
        return false;
    }
    sender_commit(e, c, d.key, d.rate_count);
    uint32_t slot = enter(e, c, &d);
    if (__builtin_expect(crosses(&c->new_order, &d) || c->new_order.tif == TIF_IOC, 0)) {
        trade_plain(e, &c->new_order, slot, &d);
    } else {
        book_insert(e, slot);
    }
    return true;
}

/* --- the cancel of an own order -------------------------------------------------------------- */

static inline void emit_canceled(struct engine *e, const struct command *c, uint32_t slot,
                                 uint64_t contract)
{
    const struct order *o = &e->orders[slot];
    struct key *k = &e->keys[c->head.key];
    struct event *event = emit(e, EVENT_CANCELED, emit_link(k), 0);
    event->out = (struct event_out){
        .party = {.report_seq = ++k->report_seq,
                  .cl_ord_id = c->head.cl_ord_id,
                  .key = c->head.key,
                  .account = k->account},
        .order_id = c->cancel_order.order_id,
        .contract = contract,
        .orig_cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = o->leaves,
        .cum_qty = o->cum,
        .reason = REASON_REQUESTED,
        .side = o->sell,
        .resting = 1,
    };
}

/* Gives back what the order has reserved: a bid's money, or an offer's bond and capacity. */
static inline void release_plain(struct engine *e, const struct order *o, struct account *a,
                                 uint32_t hour)
{
    uint32_t sell_mask = 0u - o->sell;
    int64_t amount = (int64_t)(o->sell ? o->bond_unit : o->price_e4) * o->leaves;
    uint64_t rate = money_reserve_rate(e, o->fees);
    uint64_t fee = (o->fee_rest + (uint64_t)amount * rate) / (uint64_t)BP_ONE;
    a->bond_open_e4 -= o->sell ? amount : 0;
    a->reserved_e4 -= o->sell ? 0 : amount + (int64_t)fee;
    struct capacity_cell *cell = capacity_cell(e, o->resource, hour);
    CHECK(cell->committed >= (o->leaves & sell_mask)); /* a bid's is that of no resource */
    cell->committed -= o->leaves & sell_mask;
}

static bool plain_cancel(struct engine *e, const struct command *c)
{
    UNLESS(sender_plain(e, c))
    {
        return false;
    }
    struct key *k = &e->keys[c->head.key];
    uint32_t slot = order_find(e, c->cancel_order.order_id);
    struct order *o = &e->orders[slot];
    UNLESS(slot != 0 && o->key == c->head.key && (k->roles & (ROLE_BUYER | ROLE_PROVIDER)) != 0 &&
           !o->timed && !o->special && !ladder_is_collecting(&e->ladders[o->ladder]))
    {
        return false;
    }
    UNLESS((int64_t)o->price_e4 * o->leaves < NOTIONAL_PLAIN_E4 &&
           (o->source == SOURCE_OWN || !o->sell))
    {
        return false;
    }
    sender_commit(e, c, k, rate_with(e, k));
    struct account *a = &e->accounts[k->account];
    uint64_t contract = contract_with_tier(e->ladders[o->ladder].contract, o->tier);
    uint32_t ladder = o->ladder;
    release_plain(e, o, a, contract_hour(contract));
    emit_canceled(e, c, slot, contract);
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
