#include "exchange/core/order_check.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/money.h"

/* Cold: the checks themselves return in a register and write nothing while they pass. */
RARE static bool refuse(struct rejection *why, uint16_t reason, int64_t value, int64_t bound)
{
    *why = (struct rejection){.reason = reason, .value = value, .bound = bound};
    return false;
}

bool order_check_market(const struct engine *e, uint32_t market, struct rejection *why)
{
    const struct market *m = &e->markets[market];
    if (m->mode == MODE_NONE) { /* market 0, which is none, has none either */
        return refuse(why, REASON_NO_MARKET, 0, 0);
    }
    return !m->halted || refuse(why, REASON_MARKET_HALTED, 0, 0);
}

bool order_check_contract(const struct engine *e, uint64_t contract, uint32_t *market,
                          struct rejection *why)
{
    uint16_t class_id = contract_class(contract);
    uint16_t region_id = contract_region(contract);
    if (class_id >= e->s.class_count || region_id >= e->s.region_count ||
        contract_tier(contract) >= TIER_COUNT) {
        return refuse(why, REASON_UNKNOWN_CONTRACT, (int64_t)contract, 0);
    }
    *market = e->s.market_of[class_id][region_id];
    if (!order_check_market(e, *market, why)) {
        return false;
    }
    uint32_t hour = contract_hour(contract);
    if (hour < e->s.open_hour) {
        return refuse(why, REASON_GATE_CLOSED_FOR_HOUR, hour, e->s.open_hour);
    }
    if (hour >= e->s.hour + e->s.horizon_hours) {
        return refuse(why, REASON_BEYOND_HORIZON, hour, (int64_t)e->s.hour + e->s.horizon_hours);
    }
    return true;
}

static bool check_kind(const struct engine *e, const struct command_new_order *n,
                       struct rejection *why)
{
    bool immediate = n->tif == TIF_IOC || n->tif == TIF_FOK;
    bool post_only = (n->flags & ORDER_POST_ONLY) != 0;
    if (n->side > SIDE_SELL) {
        return refuse(why, REASON_INVALID_SIDE, n->side, SIDE_SELL);
    }
    if (n->ord_type > ORD_MARKET) {
        return refuse(why, REASON_INVALID_ORD_TYPE, n->ord_type, ORD_MARKET);
    }
    if (n->tif > TIF_FOK) {
        return refuse(why, REASON_INVALID_TIME_IN_FORCE, n->tif, TIF_FOK);
    }
    if (n->stp > STP_DECREMENT) {
        return refuse(why, REASON_INVALID_STP, n->stp, STP_DECREMENT);
    }
    if (n->ord_type == ORD_MARKET && !immediate) {
        return refuse(why, REASON_MARKET_MUST_NOT_REST, n->tif, 0);
    }
    if (post_only && immediate) {
        return refuse(why, REASON_POST_ONLY_WITH_IMMEDIATE, n->tif, 0);
    }
    if (n->min_qty != 0 && n->tif == TIF_FOK) {
        return refuse(why, REASON_MIN_QTY_WITH_FOK, n->min_qty, 0);
    }
    if (n->min_qty != 0 && post_only) {
        return refuse(why, REASON_MIN_QTY_WITH_POST_ONLY, n->min_qty, 0);
    }
    if (n->expire_time_ns != 0 && n->tif != TIF_TIME) {
        return refuse(why, REASON_EXPIRE_TIME_NOT_ALLOWED, n->expire_time_ns, 0);
    }
    if (n->tif == TIF_TIME && n->expire_time_ns <= e->s.time_ns) {
        return refuse(why, REASON_EXPIRE_TIME_PAST, n->expire_time_ns, e->s.time_ns);
    }
    return true;
}

bool order_check_qty(const struct engine *e, uint32_t market, uint32_t account, int64_t qty,
                     struct rejection *why)
{
    if (qty < 1 || qty > QTY_MAX) {
        return refuse(why, REASON_QTY_OUT_OF_RANGE, qty, QTY_MAX);
    }
    uint32_t lot = e->markets[market].lot;
    if (lot != 1 && (uint32_t)qty % lot != 0) {
        return refuse(why, REASON_QTY_NOT_IN_LOTS, qty, lot);
    }
    if (qty > e->accounts[account].order_qty_limit) {
        return refuse(why, REASON_QTY_ABOVE_LIMIT, qty, e->accounts[account].order_qty_limit);
    }
    return true;
}

/* What few orders ask for: to show a part, to be kept for JOBs, flags. */
static bool check_extras(const struct engine *e, const struct command_new_order *n, uint32_t market,
                         struct rejection *why)
{
    if (n->display_qty != 0) {
        if (n->display_qty < 0 || n->display_qty > n->qty ||
            n->display_qty % e->markets[market].lot != 0 ||
            n->qty > n->display_qty * ICEBERG_SLICES_MAX) {
            return refuse(why, REASON_DISPLAY_QTY_OUT_OF_RANGE, n->display_qty, n->qty);
        }
        if (n->ord_type == ORD_MARKET || n->tif == TIF_IOC || n->tif == TIF_FOK) {
            return refuse(why, REASON_DISPLAY_QTY_WITH_IMMEDIATE, n->display_qty, 0);
        }
    }
    if (n->job_lead_hours != 0) {
        if (n->side != SIDE_SELL || n->ord_type != ORD_LIMIT || n->tif != TIF_GATE ||
            (n->flags & ORDER_POST_ONLY) != 0 || n->min_qty != 0 || n->display_qty != 0) {
            return refuse(why, REASON_RESERVED_NOT_ALLOWED, n->job_lead_hours, 0);
        }
        if (n->job_lead_hours > e->s.horizon_hours) {
            return refuse(why, REASON_RESERVED_OUT_OF_RANGE, n->job_lead_hours, e->s.horizon_hours);
        }
    }
    if ((n->flags & ~ORDER_POST_ONLY) != 0) {
        return refuse(why, REASON_NOT_SUPPORTED, n->flags, 0);
    }
    return true;
}

/* A listing market takes plain offers, an auction what may rest. */
static bool check_mode(const struct engine *e, const struct command_new_order *n, uint32_t market,
                       struct rejection *why)
{
    uint8_t mode = e->markets[market].mode;
    bool immediate = n->tif == TIF_IOC || n->tif == TIF_FOK || n->min_qty != 0;
    if (mode == MODE_LISTING && (n->side == SIDE_BUY || immediate || n->display_qty != 0)) {
        return refuse(why, REASON_NOT_SUPPORTED, mode, 0);
    }
    if (mode != MODE_CONTINUOUS && n->job_lead_hours != 0) {
        return refuse(why, REASON_NOT_SUPPORTED, mode, 0);
    }
    if (immediate && auction_collects(e, market, contract_hour(n->contract))) {
        return refuse(why, REASON_AUCTION_COLLECTING, n->tif, 0);
    }
    return true;
}

static bool check_amounts(const struct engine *e, const struct command_new_order *n,
                          uint32_t market, uint32_t account, struct rejection *why)
{
    int64_t least = n->ord_type == ORD_MARKET ? 0 : 1;
    if (n->price_e4 < least || n->price_e4 > PRICE_MAX_E4) {
        return refuse(why, REASON_PRICE_OUT_OF_RANGE, n->price_e4, PRICE_MAX_E4);
    }
    if (!order_check_qty(e, market, account, n->qty, why)) {
        return false;
    }
    if (n->min_qty != 0 &&
        (n->min_qty < 0 || n->min_qty > n->qty || n->min_qty % e->markets[market].lot != 0)) {
        return refuse(why, REASON_MIN_QTY_OUT_OF_RANGE, n->min_qty, n->qty);
    }
    if ((n->display_qty != 0 || n->job_lead_hours != 0 || (n->flags & ~ORDER_POST_ONLY) != 0) &&
        !check_extras(e, n, market, why)) {
        return false;
    }
    return check_mode(e, n, market, why);
}

bool order_check_resource(const struct engine *e, const struct command_new_order *n,
                          uint32_t account, struct rejection *why)
{
    if (n->side == SIDE_BUY) {
        if (n->resource != 0) {
            return refuse(why, REASON_RESOURCE_NOT_ALLOWED, n->resource, 0);
        }
        return true;
    }
    if (n->resource == 0) {
        return refuse(why, REASON_RESOURCE_REQUIRED, 0, 0);
    }
    if (n->resource > e->s.resource_count) {
        return refuse(why, REASON_UNKNOWN_RESOURCE, n->resource, e->s.resource_count);
    }
    const struct resource *r = &e->resources[n->resource];
    if (r->class_id != contract_class(n->contract) ||
        r->region_id != contract_region(n->contract)) {
        return refuse(why, REASON_RESOURCE_MISMATCH, n->resource, 0);
    }
    if (r->account == account && contract_tier(n->contract) > r->tier) {
        return refuse(why, REASON_TIER_NOT_CERTIFIED, contract_tier(n->contract), r->tier);
    }
    return true;
}

bool order_check_band(const struct engine *e, uint32_t market, int64_t reference_e4,
                      int64_t price_e4, struct rejection *why)
{
    if (reference_e4 == 0) {
        return refuse(why, REASON_NO_REFERENCE, 0, 0);
    }
    uint32_t width = e->markets[market].outer_band_bp;
    int64_t low = money_band_low(reference_e4, width);
    int64_t high = money_band_high(reference_e4, width);
    if (price_e4 < low) {
        return refuse(why, REASON_PRICE_OUTSIDE_BAND, price_e4, low);
    }
    if (price_e4 > high) {
        return refuse(why, REASON_PRICE_OUTSIDE_BAND, price_e4, high);
    }
    return true;
}

int64_t order_check_trades(const struct engine *e, const struct arrival *a, int64_t qty)
{
    int64_t opposite = a->ladder == 0 || a->collected ? 0 : iceberg_trades(e, a->ladder, !a->sell);
    uint32_t lot = e->markets[a->market].lot;
    /* The division is the dear part, and most books are short. */
    return opposite == 0 || opposite * lot <= qty ? opposite : qty / lot;
}

bool order_check_fills(const struct engine *e, int64_t trades)
{
    return (int64_t)e->config.fills - (int64_t)e->s.fill_count >= trades &&
           holding_has_room(e, trades);
}

bool order_check_tables(const struct engine *e, uint32_t orders, uint32_t timers)
{
    return e->config.orders - e->s.order_count - e->s.order_retired >= orders &&
           e->config.timers - e->s.timer_count >= timers;
}

bool order_check_room(const struct engine *e, const struct arrival *a, int64_t qty)
{
    return (a->ladder != 0 || ladder_has_room(e, 1)) &&
           order_check_fills(e, order_check_trades(e, a, qty)) &&
           contract_hour(a->contract) - e->s.gate_hour < HOUR_RING &&
           (!a->collected || auction_has_room(e, auction_begins(e, a)));
}

void order_check_inner_band(const struct engine *e, struct arrival *a, int64_t reference_e4)
{
    uint32_t width = e->markets[a->market].inner_band_bp;
    a->inner_low_e4 = money_band_low(reference_e4, width);
    a->inner_high_e4 = money_band_high(reference_e4, width);
}

/* Everything about a new order that does not need the book; fills in the arrival. */
bool order_check_new(const struct engine *e, const struct command *command, struct arrival *a,
                     int64_t *reference_e4, struct rejection *why)
{
    const struct command_new_order *n = &command->new_order;
    const struct key *k = &e->keys[command->head.key];
    const struct account *account = &e->accounts[k->account];
    if (!order_check_contract(e, n->contract, &a->market, why) || !check_kind(e, n, why) ||
        !check_amounts(e, n, a->market, k->account, why) ||
        !order_check_resource(e, n, k->account, why)) {
        return false;
    }
    *reference_e4 = order_reference(e, a->market, n->contract);
    if ((*reference_e4 == 0 || n->ord_type == ORD_LIMIT) &&
        !order_check_band(e, a->market, *reference_e4, n->price_e4, why)) {
        return false;
    }
    if (account->open_orders >= account->open_orders_limit) {
        return refuse(why, REASON_TOO_MANY_OPEN_ORDERS, account->open_orders,
                      account->open_orders_limit);
    }
    a->contract = n->contract;
    a->ladder = ladder_find(e, a->market, contract_hour(n->contract));
    a->limit_e4 = n->price_e4;
    a->group = k->group;
    a->tier = contract_tier(n->contract);
    a->stp = n->stp;
    a->sell = n->side == SIDE_SELL;
    a->fok = n->tif == TIF_FOK;
    a->may_rest = n->tif == TIF_GATE || n->tif == TIF_TIME;
    a->collected = auction_collects(e, a->market, contract_hour(n->contract));
    order_check_inner_band(e, a, *reference_e4);
    return true;
}

bool order_check_offer_source(const struct engine *e, const struct command *command,
                              const struct arrival *a, struct terms *terms, struct rejection *why)
{
    const struct command_new_order *n = &command->new_order;
    uint32_t account = e->keys[command->head.key].account;
    if (e->resources[n->resource].account != account &&
        (e->markets[a->market].flags & MARKET_NO_RESALE) != 0) {
        return refuse(why, REASON_RESALE_NOT_ALLOWED, n->resource, 0);
    }
    if (!capacity_source(e, account, n, &terms->source)) {
        return refuse(why, REASON_INSUFFICIENT_CAPACITY, n->qty, capacity_most(e, account, n));
    }
    /* A market order that found nothing (limit 0) ends at once and reserves nothing. */
    terms->bond_unit = a->limit_e4 == 0 ? 0 : money_bond_unit(e, a->limit_e4, terms->reference_e4);
    terms->reserve_e4 = (int64_t)terms->bond_unit * n->qty;
    return true;
}

bool order_check_reserves(const struct engine *e, const struct command *command,
                          const struct arrival *a, struct terms *terms, struct rejection *why)
{
    const struct command_new_order *n = &command->new_order;
    const struct account *account = &e->accounts[e->keys[command->head.key].account];
    int64_t available = account_available(account);
    if (a->sell) {
        if (!order_check_offer_source(e, command, a, terms, why)) {
            return false;
        }
        if (available < terms->reserve_e4) {
            return refuse(why, REASON_INSUFFICIENT_BOND, terms->reserve_e4, available);
        }
    } else {
        terms->reserve_e4 = money_bid_reserve(e, account->fees, 0, a->limit_e4, n->qty);
        if (available < terms->reserve_e4) {
            return refuse(why, REASON_INSUFFICIENT_FUNDS, terms->reserve_e4, available);
        }
    }
    return true;
}

bool order_check_take(const struct engine *e, const struct command *command, uint32_t offer,
                      struct terms *terms, struct rejection *why)
{
    const struct command_take_offer *t = &command->take_offer;
    const struct order *o = &e->orders[offer];
    uint32_t market = e->ladders[o->ladder].market;
    const struct key *k = &e->keys[command->head.key];
    const struct account *account = &e->accounts[k->account];
    if (e->markets[market].halted) {
        return refuse(why, REASON_MARKET_HALTED, 0, 0);
    }
    if (!order_check_qty(e, market, k->account, t->qty, why)) {
        return false;
    }
    if (account->open_orders >= account->open_orders_limit) {
        return refuse(why, REASON_TOO_MANY_OPEN_ORDERS, account->open_orders,
                      account->open_orders_limit);
    }
    if (e->keys[o->key].group == k->group) {
        return refuse(why, REASON_SELF_TRADE_TAKE, 0, 0);
    }
    if (t->qty > o->leaves) {
        return refuse(why, REASON_QTY_ABOVE_OFFER, t->qty, o->leaves);
    }
    int64_t available = account_available(account);
    *terms =
        (struct terms){.reserve_e4 = money_bid_reserve(e, account->fees, 0, o->price_e4, t->qty)};
    if (available < terms->reserve_e4) {
        return refuse(why, REASON_INSUFFICIENT_FUNDS, terms->reserve_e4, available);
    }
    if (!order_check_slot(e, false) || !order_check_fills(e, 1)) {
        return refuse(why, REASON_FULL, 0, 0);
    }
    return true;
}

bool order_check_new_terms(const struct engine *e, const struct command *command, uint32_t market,
                           uint32_t account, struct rejection *why)
{
    const struct command_replace_order *r = &command->replace_order;
    if (!order_check_market(e, market, why)) {
        return false;
    }
    if (r->price_e4 < 1 || r->price_e4 > PRICE_MAX_E4) {
        return refuse(why, REASON_PRICE_OUT_OF_RANGE, r->price_e4, PRICE_MAX_E4);
    }
    return order_check_qty(e, market, account, r->qty, why);
}

bool order_check_replace(const struct engine *e, const struct command *command, uint32_t slot,
                         struct rejection *why)
{
    const struct command_replace_order *r = &command->replace_order;
    const struct order *o = &e->orders[slot];
    uint32_t market = e->ladders[o->ladder].market;
    if (!order_check_new_terms(e, command, market, e->keys[o->key].account, why)) {
        return false;
    }
    if (o->iceberg && r->qty > (int64_t)e->icebergs[slot].display * ICEBERG_SLICES_MAX) {
        return refuse(why, REASON_DISPLAY_QTY_OUT_OF_RANGE, e->icebergs[slot].display, r->qty);
    }
    if (r->price_e4 == o->price_e4 && r->qty == (int64_t)o->cum + o->leaves) {
        return refuse(why, REASON_NOTHING_TO_REPLACE, r->price_e4, r->qty);
    }
    return true;
}

bool order_check_replaced_capacity(const struct engine *e, uint32_t slot, const struct order *draft,
                                   struct rejection *why)
{
    const struct order *o = &e->orders[slot];
    int64_t more = (int64_t)draft->leaves - o->leaves;
    int64_t room = capacity_room(e, slot, contract_hour(e->ladders[o->ladder].contract));
    return more <= room || refuse(why, REASON_INSUFFICIENT_CAPACITY, more, room);
}

/* Funds, bond and capacity of the order as it would become, its own reserves given back. */
bool order_check_replaced_reserves(const struct engine *e, uint32_t slot, const struct order *draft,
                                   struct rejection *why)
{
    const struct order *o = &e->orders[slot];
    const struct account *account = &e->accounts[e->keys[o->key].account];
    int64_t available = account_available(account);
    if (o->sell) {
        if (!order_check_replaced_capacity(e, slot, draft, why)) {
            return false;
        }
        int64_t bond = (int64_t)draft->bond_unit * draft->leaves;
        available += (int64_t)o->bond_unit * o->leaves;
        if (available < bond) {
            return refuse(why, REASON_INSUFFICIENT_BOND, bond, available);
        }
    } else {
        int64_t reserve = money_bid_reserve(e, (uint8_t)draft->fees, draft->fee_rest,
                                            draft->price_e4, draft->leaves);
        available += money_bid_reserve(e, (uint8_t)o->fees, o->fee_rest, o->price_e4, o->leaves);
        if (available < reserve) {
            return refuse(why, REASON_INSUFFICIENT_FUNDS, reserve, available);
        }
    }
    return true;
}

bool order_check_width(const struct engine *e, const struct trial *trial, struct rejection *why)
{
    return trial->met <= e->s.trial_orders ||
           refuse(why, REASON_TRIAL_TOO_WIDE, trial->met, e->s.trial_orders);
}

bool order_check_trial(const struct engine *e, const struct command *command,
                       const struct arrival *a, struct terms *terms, struct rejection *why)
{
    const struct command_new_order *n = &command->new_order;
    int64_t wanted = a->fok ? n->qty : n->min_qty;
    if (wanted == 0) {
        return true;
    }
    struct trial trial = match_fillable(e, a, n->qty, wanted);
    terms->misses = trial.qty < wanted;
    return order_check_width(e, &trial, why);
}

bool order_check_slot(const struct engine *e, bool timer)
{
    return order_check_tables(e, 1, timer);
}
