#include "exchange/core/range.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/match.h"
#include "exchange/core/money.h"
#include "exchange/core/order_check.h"
#include "exchange/core/replace.h"
#include "exchange/core/slot.h"

static bool refuse(struct rejection *why, uint16_t reason, int64_t value, int64_t bound)
{
    *why = (struct rejection){.reason = reason, .value = value, .bound = bound};
    return false;
}

static bool refuse_at(struct rejection *why, uint64_t contract)
{
    why->contract = contract;
    return false;
}

/* --- the offers of a range ----------------------------------------------------------------- */

static bool is_offer(const struct engine *e, uint32_t slot)
{
    return slot != 0 && e->orders[slot].ranged && e->orders[slot].kind == KIND_PLAIN;
}

uint32_t range_ending_with(const struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    bool last = o->newer != 0 && e->orders[o->newer].kind == KIND_RANGE && !is_offer(e, o->older);
    return last ? o->newer : 0;
}

/* The live offers of a range, oldest hour first. */
struct offers {
    uint32_t count;
    uint32_t slots[RANGE_HOURS_MAX];
};

static void offers_of(const struct engine *e, uint32_t range, struct offers *offers)
{
    uint32_t first = e->orders[range].older;
    while (is_offer(e, e->orders[first].older)) {
        first = e->orders[first].older;
    }
    offers->count = 0;
    for (uint32_t slot = first; slot != range; slot = e->orders[slot].newer) {
        CHECK(offers->count < RANGE_HOURS_MAX && is_offer(e, slot));
        offers->slots[offers->count++] = slot;
    }
}

void range_take_out_over(struct engine *e, uint32_t range)
{
    struct offers offers;
    offers_of(e, range, &offers);
    for (uint32_t i = 0; i < offers.count; i++) {
        uint16_t over = order_over(e, offers.slots[i]);
        if (over != 0) {
            uint32_t ladder = e->orders[offers.slots[i]].ladder;
            order_take_out_over(e, offers.slots[i], over);
            ladder_release_if_idle(e, ladder);
        }
    }
}

uint64_t range_contract(const struct engine *e, uint32_t range)
{
    const struct order *o = &e->orders[range];
    const struct market *m = &e->markets[o->previous];
    return contract_pack(m->class_id, m->region_id, o->tier, o->next);
}

/* What an event tells of the range itself. */
static struct event_range describe(const struct engine *e, uint32_t range)
{
    const struct order *o = &e->orders[range];
    return (struct event_range){
        .order_id = order_id_of(e, range),
        .contract = range_contract(e, range),
        .price_e4 = o->price_e4,
        .qty = o->leaves,
        .hours = o->cum,
        .resource = o->resource,
        .flags = o->post_only ? ORDER_POST_ONLY : 0,
        .job_lead_hours = (uint16_t)o->bond_unit,
        .stp = o->stp,
    };
}

static void emit_range(struct engine *e, uint32_t range, uint64_t cl_ord_id,
                       const struct event_range *told)
{
    uint32_t key = e->orders[range].key;
    struct event *event = emit(e, EVENT_RANGE, emit_link(&e->keys[key]), 0);
    event->range = *told;
    event->range.party = emit_party(e, key, cl_ord_id);
}

/* --- entry --------------------------------------------------------------------------------- */

/* The bond of many hours may be more than there is money: then it is as much as nobody has. */
static int64_t add_bond(int64_t sum_e4, int64_t bond_e4)
{
    return money_add(sum_e4, bond_e4, &sum_e4) ? sum_e4 : INT64_MAX;
}

/* All that a range is going to need. */
struct needs {
    int64_t bond_e4;
    int64_t trades;
    uint32_t timers;
    uint32_t ladders;
    uint32_t auctions;
};

/* An hour of the range as the request for an order that it stands for. */
static struct command hour_of(const struct command *c, uint32_t i)
{
    const struct command_new_range *r = &c->new_range;
    struct command hour = {.head = c->head};
    hour.new_order = (struct command_new_order){
        .contract =
            r->contract + i, /* the hour is the lowest part, and all are within the calendar */
        .price_e4 = r->price_e4,
        .qty = r->qty,
        .resource = r->resource,
        .flags = r->flags,
        .side = SIDE_SELL,
        .ord_type = ORD_LIMIT,
        .tif = TIF_GATE,
        .stp = r->stp,
        .job_lead_hours = r->job_lead_hours,
    };
    return hour;
}

static struct arrival arrival_of(const struct engine *e, const struct command *hour)
{
    const struct command_new_order *n = &hour->new_order;
    uint32_t market = e->s.market_of[contract_class(n->contract)][contract_region(n->contract)];
    struct arrival a = {
        .contract = n->contract,
        .ladder = ladder_find(e, market, contract_hour(n->contract)),
        .market = market,
        .limit_e4 = n->price_e4,
        .group = e->keys[hour->head.key].group,
        .tier = contract_tier(n->contract),
        .stp = n->stp,
        .sell = true,
        .may_rest = true,
        .collected = order_release_time_ns(e, n) <= e->s.time_ns &&
                     auction_collects(e, market, contract_hour(n->contract)),
    };
    order_check_inner_band(e, &a, order_reference(e, market, n->contract));
    return a;
}

static bool check_kind(const struct engine *e, const struct command_new_range *r, uint32_t market,
                       struct rejection *why)
{
    if (r->job_lead_hours != 0 && (r->flags & ORDER_POST_ONLY) != 0) {
        return refuse(why, REASON_RESERVED_NOT_ALLOWED, r->job_lead_hours, 0);
    }
    if (r->job_lead_hours > e->s.horizon_hours) {
        return refuse(why, REASON_RESERVED_OUT_OF_RANGE, r->job_lead_hours, e->s.horizon_hours);
    }
    if ((r->flags & ~ORDER_POST_ONLY) != 0) {
        return refuse(why, REASON_INVALID_COMMAND, r->flags, ORDER_POST_ONLY);
    }
    if (r->job_lead_hours != 0 && e->markets[market].mode != MODE_CONTINUOUS) {
        return refuse(why, REASON_NOT_SUPPORTED, e->markets[market].mode, 0);
    }
    return true;
}

/* What all its hours have in common. */
static bool check_whole(const struct engine *e, const struct command *c, struct rejection *why)
{
    const struct command_new_range *r = &c->new_range;
    uint32_t account = e->keys[c->head.key].account;
    uint32_t market;
    if (r->hours < 1 || r->hours > RANGE_HOURS_MAX ||
        (uint64_t)contract_hour(r->contract) + r->hours - 1 > CONTRACT_HOUR_MAX) {
        return refuse(why, REASON_RANGE_OUT_OF_RANGE, r->hours, RANGE_HOURS_MAX);
    }
    if (!order_check_contract(e, r->contract, &market, why)) {
        return refuse_at(why, r->contract);
    }
    if (r->stp > STP_DECREMENT) {
        return refuse(why, REASON_INVALID_STP, r->stp, STP_DECREMENT);
    }
    if (r->price_e4 < 1 || r->price_e4 > PRICE_MAX_E4) {
        return refuse(why, REASON_PRICE_OUT_OF_RANGE, r->price_e4, PRICE_MAX_E4);
    }
    struct command first = hour_of(c, 0);
    if (!order_check_qty(e, market, account, r->qty, why) || !check_kind(e, r, market, why) ||
        !order_check_resource(e, &first.new_order, account, why)) {
        return false;
    }
    uint32_t last = contract_hour(r->contract) + r->hours - 1;
    uint32_t beyond = e->s.hour + e->s.horizon_hours;
    if (last >= beyond) {
        refuse(why, REASON_BEYOND_HORIZON, last, beyond);
        return refuse_at(why, r->contract + r->hours - 1);
    }
    return true;
}

static bool check_prices(const struct engine *e, const struct command *c, struct rejection *why)
{
    const struct command_new_range *r = &c->new_range;
    for (uint32_t i = 0; i < r->hours; i++) {
        struct command hour = hour_of(c, i);
        struct arrival a = arrival_of(e, &hour);
        int64_t reference = order_reference(e, a.market, a.contract);
        if (!order_check_band(e, a.market, reference, r->price_e4, why)) {
            return refuse_at(why, a.contract);
        }
    }
    const struct account *account = &e->accounts[e->keys[c->head.key].account];
    int64_t open = (int64_t)account->open_orders + r->hours;
    if (open > account->open_orders_limit) {
        return refuse(why, REASON_TOO_MANY_OPEN_ORDERS, open, account->open_orders_limit);
    }
    return true;
}

static struct terms terms_of(const struct engine *e, const struct command *hour,
                             const struct arrival *a)
{
    return (struct terms){.reference_e4 = order_reference(e, a->market, a->contract),
                          .reserved = order_release_time_ns(e, &hour->new_order) > e->s.time_ns,
                          .ranged = true};
}

/* Of one hour: tops that are over go, post-only, resale, capacity. */
static bool check_hour(struct engine *e, const struct command *hour, struct terms *terms,
                       struct rejection *why)
{
    struct arrival a = arrival_of(e, hour);
    *terms = terms_of(e, hour, &a);
    if (!terms->reserved && !a.collected) {
        match_clear_tops(e, &a);
    }
    int64_t best;
    bool ok = true;
    if ((hour->new_order.flags & ORDER_POST_ONLY) != 0 && !a.collected &&
        match_best(e, &a, &best) && match_crosses(&a, best)) {
        ok = refuse(why, REASON_POST_ONLY_WOULD_TRADE, a.limit_e4, best);
    } else {
        ok = order_check_offer_source(e, hour, &a, terms, why);
    }
    ladder_release_if_idle(e, a.ladder);
    return ok || refuse_at(why, a.contract);
}

/* The tables, once all tops that are over have gone. */
static bool check_tables(const struct engine *e, const struct command *c, struct needs *needs)
{
    const struct command_new_range *r = &c->new_range;
    for (uint32_t i = 0; i < r->hours; i++) {
        struct command hour = hour_of(c, i);
        struct arrival a = arrival_of(e, &hour);
        bool reserved = terms_of(e, &hour, &a).reserved;
        needs->timers += reserved;
        needs->ladders += a.ladder == 0;
        needs->auctions += a.collected && auction_begins(e, &a);
        needs->trades += reserved ? 0 : order_check_trades(e, &a, r->qty);
    }
    uint32_t last = contract_hour(r->contract) + r->hours - 1;
    return order_check_tables(e, r->hours + 1, needs->timers) &&
           ladder_has_room(e, needs->ladders) && auction_has_room(e, needs->auctions) &&
           order_check_fills(e, needs->trades) && last - e->s.gate_hour < HOUR_RING;
}

static bool check_new(struct engine *e, const struct command *c, struct needs *needs,
                      struct rejection *why)
{
    *needs = (struct needs){0};
    if (!check_whole(e, c, why) || !check_prices(e, c, why)) {
        return false;
    }
    for (uint32_t i = 0; i < c->new_range.hours; i++) {
        struct command hour = hour_of(c, i);
        struct terms terms;
        if (!check_hour(e, &hour, &terms, why)) {
            return false;
        }
        needs->bond_e4 = add_bond(needs->bond_e4, terms.reserve_e4);
    }
    int64_t available = account_available(&e->accounts[e->keys[c->head.key].account]);
    if (available < needs->bond_e4) {
        return refuse(why, REASON_INSUFFICIENT_BOND, needs->bond_e4, available);
    }
    return check_tables(e, c, needs) || refuse(why, REASON_FULL, 0, 0);
}

/* The range as such; it joins its key's chain when its offers have. */
static uint32_t begin(struct engine *e, const struct command *c)
{
    const struct command_new_range *r = &c->new_range;
    uint32_t slot = slot_take(e);
    struct order *o = &e->orders[slot];
    uint32_t generation = o->generation;
    *o = (struct order){
        .cl_ord_id = c->head.cl_ord_id,
        .generation = generation,
        .price_e4 = (uint32_t)r->price_e4,
        .leaves = (uint32_t)r->qty,
        .cum = r->hours,
        .next = contract_hour(r->contract),
        .previous = e->s.market_of[contract_class(r->contract)][contract_region(r->contract)],
        .bond_unit = r->job_lead_hours,
        .key = c->head.key,
        .epoch = e->s.epoch,
        .resource = r->resource & RESOURCE_MASK,
        .tier = contract_tier(r->contract) & 3u,
        .sell = 1,
        .stp = r->stp & 3u,
        .post_only = (r->flags & ORDER_POST_ONLY) != 0,
        .special = 1,
        .kind = KIND_RANGE,
        .live = 1,
    };
    return slot;
}

void range_new(struct engine *e, const struct command *c)
{
    struct rejection why;
    struct needs needs;
    if (!check_new(e, c, &needs, &why)) {
        order_reject(e, c, 0, &why);
        return;
    }
    /* Past this line nothing can fail. */
    uint32_t range = begin(e, c);
    struct event_range told = describe(e, range);
    told.orders = c->new_range.hours;
    told.reserved_e4 = needs.bond_e4;
    told.done = RANGE_ENTERED;
    emit_range(e, range, c->head.cl_ord_id, &told);
    for (uint32_t i = 0; i < c->new_range.hours; i++) {
        struct command hour = hour_of(c, i);
        struct arrival a = arrival_of(e, &hour);
        struct terms terms = terms_of(e, &hour, &a);
        struct rejection none;
        CHECK(order_check_offer_source(e, &hour, &a, &terms, &none));
        order_enter(e, &hour, &a, &terms);
    }
    if (is_offer(e, e->keys[c->head.key].newest)) {
        struct key *k = &e->keys[c->head.key];
        e->orders[range].older = k->newest;
        chain_append(e, k, range);
    } else {
        slot_release(e, range); /* all of it traded at once */
    }
}

/* --- cancel and replace -------------------------------------------------------------------- */

void range_cancel(struct engine *e, const struct command *c, uint32_t range)
{
    struct offers offers;
    offers_of(e, range, &offers);
    uint32_t owner = e->orders[range].key;
    uint64_t number = order_own_number(e, c, range);
    struct event_range told = describe(e, range);
    told.orig_cl_ord_id = e->orders[range].cl_ord_id;
    told.orders = offers.count;
    told.done = RANGE_CANCELED;
    emit_range(e, range, number, &told);
    order_answer_other_key(e, c, owner);
    for (uint32_t i = 0; i < offers.count; i++) { /* the range ends with the last */
        uint32_t ladder = e->orders[offers.slots[i]].ladder;
        order_take_out_as(e, offers.slots[i], REASON_REQUESTED,
                          order_own_number(e, c, offers.slots[i]), true);
        ladder_release_if_idle(e, ladder);
    }
}

/* What replacing by a range changes. */
struct change {
    int64_t bond_e4;     /* of all its offers, as they will be */
    int64_t old_bond_e4; /* and as they are */
    int64_t trades;
    uint32_t orders;
    uint32_t auctions;
};

static bool check_new_prices(const struct engine *e, const struct command *c,
                             const struct offers *offers, struct rejection *why)
{
    for (uint32_t i = 0; i < offers->count; i++) {
        struct replacement r;
        if (replace_way(e, c, offers->slots[i]) != REPLACE_ANEW) {
            continue;
        }
        replace_draft(e, c, offers->slots[i], &r);
        if (!replace_check_band(e, &r, why)) {
            return refuse_at(why, r.arrival.contract);
        }
    }
    return true;
}

/* Of one hour that arrives anew: tops that are over go, post-only, capacity. */
static bool check_anew(struct engine *e, const struct replacement *r, struct rejection *why)
{
    if (!replace_check_top(e, r, why) ||
        !order_check_replaced_capacity(e, r->slot, &r->draft, why)) {
        return refuse_at(why, r->arrival.contract);
    }
    return true;
}

static bool check_change(struct engine *e, const struct command *c, const struct offers *offers,
                         struct change *change, struct rejection *why)
{
    for (uint32_t i = 0; i < offers->count; i++) {
        const struct order *o = &e->orders[offers->slots[i]];
        enum replace_way way = replace_way(e, c, offers->slots[i]);
        struct replacement r;
        change->orders += way != REPLACE_NOT;
        change->old_bond_e4 += (int64_t)o->bond_unit * o->leaves;
        if (way == REPLACE_AWAY) {
            continue;
        }
        replace_draft(e, c, offers->slots[i], &r);
        if (way == REPLACE_ANEW && !check_anew(e, &r, why)) {
            return false;
        }
        uint32_t unit = way == REPLACE_ANEW ? r.draft.bond_unit : o->bond_unit;
        change->bond_e4 = add_bond(change->bond_e4, (int64_t)unit * r.draft.leaves);
    }
    int64_t available =
        account_available(&e->accounts[e->keys[e->orders[offers->slots[0]].key].account]) +
        change->old_bond_e4;
    if (available < change->bond_e4) {
        return refuse(why, REASON_INSUFFICIENT_BOND, change->bond_e4, available);
    }
    for (uint32_t i = 0; i < offers->count; i++) {
        struct replacement r;
        if (replace_way(e, c, offers->slots[i]) == REPLACE_ANEW &&
            !e->orders[offers->slots[i]].reserved) {
            replace_draft(e, c, offers->slots[i], &r);
            change->trades += order_check_trades(e, &r.arrival, r.draft.leaves);
            change->auctions += r.arrival.collected && auction_begins(e, &r.arrival);
        }
    }
    return (order_check_fills(e, change->trades) && auction_has_room(e, change->auctions)) ||
           refuse(why, REASON_FULL, 0, 0);
}

static bool check_replace(struct engine *e, const struct command *c, const struct offers *offers,
                          struct change *change, struct rejection *why)
{
    *change = (struct change){0};
    uint32_t changed = 0;
    for (uint32_t i = 0; i < offers->count; i++) {
        changed += replace_way(e, c, offers->slots[i]) != REPLACE_NOT;
    }
    uint32_t market = e->ladders[e->orders[offers->slots[0]].ladder].market;
    if (!order_check_new_terms(e, c, market, e->keys[e->orders[offers->slots[0]].key].account,
                               why)) {
        return false;
    }
    if (changed == 0) {
        return refuse(why, REASON_NOTHING_TO_REPLACE, c->replace_order.price_e4,
                      c->replace_order.qty);
    }
    return check_new_prices(e, c, offers, why) && check_change(e, c, offers, change, why);
}

void range_replace(struct engine *e, const struct command *c, uint32_t range)
{
    struct offers offers;
    offers_of(e, range, &offers);
    struct order *o = &e->orders[range];
    struct change change;
    struct rejection why;
    if (!check_replace(e, c, &offers, &change, &why)) {
        order_reject(e, c, c->replace_order.order_id, &why);
        return;
    }
    /* Past this line nothing can fail. */
    uint32_t owner = o->key;
    uint64_t old_number = o->cl_ord_id;
    o->cl_ord_id = order_own_number(e, c, range);
    o->price_e4 = (uint32_t)c->replace_order.price_e4;
    o->leaves = (uint32_t)c->replace_order.qty;
    struct event_range told = describe(e, range);
    told.orig_cl_ord_id = old_number;
    told.orders = change.orders;
    told.reserved_e4 = change.bond_e4;
    told.done = RANGE_REPLACED;
    emit_range(e, range, o->cl_ord_id, &told);
    order_answer_other_key(e, c, owner);
    for (uint32_t i = 0; i < offers.count; i++) { /* it may end on the way, with the last of them */
        replace_commit(e, c, offers.slots[i], true);
    }
}
