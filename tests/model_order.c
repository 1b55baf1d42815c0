/* Sections 3 and 7 of the rulebook: entering, replacing and cancelling one order. */
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

/* An order on its way in, and what the checks find out about it. */
struct entry {
    const struct command_new_order *request;
    const struct model_market *market;
    const struct model_account *account;
    struct model_order order;
    int64_t reference_e4;
    struct model_band inner;
    struct model_band outer;
    bool no_liquidity;
};

enum reject_reason model_order_check_contract(struct model *model, uint64_t contract)
{
    const struct model_market *market =
        model_market_find(model, contract_class(contract), contract_region(contract));
    if (contract_class(contract) >= model->class_count ||
        contract_region(contract) >= model->region_count || contract_tier(contract) >= TIER_COUNT) {
        return REASON_UNKNOWN_CONTRACT;
    }
    if (market == NULL || market->terms.mode == MODE_NONE) {
        return REASON_NO_MARKET;
    }
    if (market->halted) {
        return REASON_MARKET_HALTED;
    }
    if (model_due_gate_ns(model, contract_hour(contract)) <= model->time_ns) {
        return REASON_GATE_CLOSED_FOR_HOUR;
    }
    if (contract_hour(contract) >=
        model->time_ns / NS_PER_HOUR + (int64_t)model->rules.horizon_hours) {
        return REASON_BEYOND_HORIZON;
    }
    return REASON_NONE;
}

static enum reject_reason check_form(const struct model *model,
                                     const struct command_new_order *request)
{
    bool immediate = request->tif == TIF_IOC || request->tif == TIF_FOK;
    if (request->side > SIDE_SELL) {
        return REASON_INVALID_SIDE;
    }
    if (request->ord_type > ORD_MARKET) {
        return REASON_INVALID_ORD_TYPE;
    }
    if (request->tif > TIF_FOK) {
        return REASON_INVALID_TIME_IN_FORCE;
    }
    if (request->stp > STP_DECREMENT) {
        return REASON_INVALID_STP;
    }
    if (request->ord_type == ORD_MARKET && !immediate) {
        return REASON_MARKET_MUST_NOT_REST;
    }
    if ((request->flags & ORDER_POST_ONLY) != 0 && immediate) {
        return REASON_POST_ONLY_WITH_IMMEDIATE;
    }
    if (request->min_qty != 0 && request->tif == TIF_FOK) {
        return REASON_MIN_QTY_WITH_FOK;
    }
    if (request->min_qty != 0 && (request->flags & ORDER_POST_ONLY) != 0) {
        return REASON_MIN_QTY_WITH_POST_ONLY;
    }
    if (request->expire_time_ns != 0 && request->tif != TIF_TIME) {
        return REASON_EXPIRE_TIME_NOT_ALLOWED;
    }
    if (request->tif == TIF_TIME && request->expire_time_ns <= model->time_ns) {
        return REASON_EXPIRE_TIME_PAST;
    }
    return REASON_NONE;
}

static enum reject_reason check_numbers(const struct entry *entry, uint32_t lot)
{
    const struct command_new_order *request = entry->request;
    int64_t price_min_e4 = request->ord_type == ORD_MARKET ? 0 : 1;
    if (request->price_e4 < price_min_e4 || request->price_e4 > PRICE_MAX_E4) {
        return REASON_PRICE_OUT_OF_RANGE;
    }
    if (request->qty < 1 || request->qty > QTY_MAX) {
        return REASON_QTY_OUT_OF_RANGE;
    }
    if (request->qty % lot != 0) {
        return REASON_QTY_NOT_IN_LOTS;
    }
    if (request->qty > entry->account->order_qty_limit) {
        return REASON_QTY_ABOVE_LIMIT;
    }
    if (request->min_qty < 0 || request->min_qty > request->qty || request->min_qty % lot != 0) {
        return REASON_MIN_QTY_OUT_OF_RANGE;
    }
    return REASON_NONE;
}

/* Iceberg and reservation, and what this market does not do. */
static enum reject_reason check_kind(struct model *model, const struct entry *entry, uint32_t lot)
{
    const struct command_new_order *request = entry->request;
    bool immediate =
        request->tif == TIF_IOC || request->tif == TIF_FOK || request->ord_type == ORD_MARKET;
    bool plain_offer = request->side == SIDE_SELL && request->ord_type == ORD_LIMIT &&
                       request->tif == TIF_GATE && (request->flags & ORDER_POST_ONLY) == 0 &&
                       request->min_qty == 0 && request->display_qty == 0;
    if (request->display_qty < 0 || request->display_qty > request->qty ||
        request->display_qty % lot != 0 ||
        (request->display_qty != 0 && request->qty > 1000 * request->display_qty)) {
        return REASON_DISPLAY_QTY_OUT_OF_RANGE;
    }
    if (request->display_qty != 0 && immediate) {
        return REASON_DISPLAY_QTY_WITH_IMMEDIATE;
    }
    if (request->job_lead_hours != 0 && !plain_offer) {
        return REASON_RESERVED_NOT_ALLOWED;
    }
    if (request->job_lead_hours > model->rules.horizon_hours) {
        return REASON_RESERVED_OUT_OF_RANGE;
    }
    uint8_t mode = entry->market->terms.mode;
    bool must_not_rest = immediate || request->min_qty != 0;
    if ((request->flags & ~ORDER_POST_ONLY) != 0 ||
        (mode == MODE_LISTING &&
         (request->side == SIDE_BUY || request->display_qty != 0 || must_not_rest)) ||
        (mode != MODE_CONTINUOUS && request->job_lead_hours != 0)) {
        return REASON_NOT_SUPPORTED;
    }
    return must_not_rest && model_auction_collects(model, request->contract)
               ? REASON_AUCTION_COLLECTING
               : REASON_NONE;
}

enum reject_reason model_order_check_resource(const struct model *model,
                                              const struct model_order *order)
{
    if (order->side == SIDE_BUY) {
        return order->resource == 0 ? REASON_NONE : REASON_RESOURCE_NOT_ALLOWED;
    }
    if (order->resource == 0) {
        return REASON_RESOURCE_REQUIRED;
    }
    if (order->resource > model->resource_count) {
        return REASON_UNKNOWN_RESOURCE;
    }
    const struct command_register_resource *terms = &model->resources[order->resource].terms;
    if (terms->class_id != contract_class(order->contract) ||
        terms->region_id != contract_region(order->contract)) {
        return REASON_RESOURCE_MISMATCH;
    }
    if (terms->account == order->account && contract_tier(order->contract) > terms->tier) {
        return REASON_TIER_NOT_CERTIFIED;
    }
    return REASON_NONE;
}

uint32_t model_order_live(const struct model *model, uint32_t account)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        uint32_t as = order->kind == MODEL_JOB ? order->job_lanes : 1;
        count += order->kind != MODEL_SET && order->account == account ? as : 0;
    }
    return count;
}

bool model_order_reserved(const struct model_order *order)
{
    return (order->flags & ORDER_RESERVED_FOR_JOBS) != 0;
}

void model_order_reserve(const struct model *model, struct model_order *order)
{
    model_wide release_ns = model_due_gate_ns(model, contract_hour(order->contract)) -
                            (model_wide)order->job_lead_hours * NS_PER_HOUR;
    if (order->job_lead_hours != 0 && release_ns > model->time_ns) {
        order->flags |= ORDER_RESERVED_FOR_JOBS;
        order->release_ns = (int64_t)release_ns;
    }
}

static enum reject_reason check_price(const struct model *model, const struct entry *entry)
{
    const struct model_order *order = &entry->order;
    if (entry->reference_e4 == 0) {
        return REASON_NO_REFERENCE;
    }
    if (!order->market &&
        (order->price_e4 < entry->outer.low_e4 || order->price_e4 > entry->outer.high_e4)) {
        return REASON_PRICE_OUTSIDE_BAND;
    }
    if (model_order_live(model, order->account) >= entry->account->open_orders_limit) {
        return REASON_TOO_MANY_OPEN_ORDERS;
    }
    return REASON_NONE;
}

static int64_t clamp(int64_t value, struct model_band band)
{
    return value < band.low_e4 ? band.low_e4 : value > band.high_e4 ? band.high_e4 : value;
}

/* The collar becomes a limit. */
static void price_market_order(struct model *model, struct entry *entry)
{
    struct model_order *order = &entry->order;
    const struct model_order *best = model_book_best(model, order, false);
    if (best == NULL) {
        entry->no_liquidity = true;
        order->price_e4 = 0;
        return;
    }
    int64_t collar_e4 = entry->request->price_e4;
    order->price_e4 =
        clamp(best->price_e4 + (order->side == SIDE_BUY ? collar_e4 : -collar_e4), entry->outer);
}

/* A reserved offer meets nobody. */
static int64_t fills_needed(struct model *model, const struct model_order *order)
{
    bool trades = !model_order_reserved(order) && !model_auction_collects(model, order->contract);
    return trades ? model_room_needed(model, order) : 0;
}

static bool room_for_auction(struct model *model, const struct model_order *order)
{
    return model_order_reserved(order) || !model_auction_begins(model, order->contract) ||
           model_auction_room(model, 1);
}

/* What is to be fillable at once. */
static int64_t wanted_at_once(const struct command_new_order *request)
{
    return request->tif == TIF_FOK ? request->qty : request->min_qty;
}

/* Whether that can be told without meeting too many orders. */
static enum reject_reason check_trial(struct model *model, struct entry *entry)
{
    uint32_t met = 0;
    if (wanted_at_once(entry->request) > 0) {
        (void)model_book_fillable(model, &entry->order, entry->inner,
                                  wanted_at_once(entry->request), &met);
    }
    return met > model_book_trial_orders(model) ? REASON_TRIAL_TOO_WIDE : REASON_NONE;
}

/* Capacity and money: what the order needs now, with its limit known. */
static enum reject_reason check_means(struct model *model, struct entry *entry)
{
    struct model_order *order = &entry->order;
    if (order->side == SIDE_SELL) {
        const struct command_register_resource *terms = &model->resources[order->resource].terms;
        if (terms->account != order->account &&
            (entry->market->terms.flags & MARKET_NO_RESALE) != 0) {
            return REASON_RESALE_NOT_ALLOWED;
        }
        if (!model_money_source(model, order, order->leaves_qty, &order->source_tier)) {
            return REASON_INSUFFICIENT_CAPACITY;
        }
        order->bond_e4 = entry->no_liquidity ? 0
                                             : model_money_bond_per_gpu_e4(model, order->price_e4,
                                                                           entry->reference_e4);
    }
    if (model_money_order_reserve_e4(order) > model_money_available_e4(model, order->account)) {
        return order->side == SIDE_BUY ? REASON_INSUFFICIENT_FUNDS : REASON_INSUFFICIENT_BOND;
    }
    return model_room_for_orders(model, order, 1, 0) &&
                   model_room_for_fills(model, fills_needed(model, order)) &&
                   room_for_auction(model, order)
               ? REASON_NONE
               : REASON_FULL;
}

enum reject_reason model_order_check_tops(struct model *model, const struct model_order *order)
{
    if (model_order_reserved(order) || model_auction_collects(model, order->contract)) {
        return REASON_NONE;
    }
    model_book_take_out_tops(model, order);
    return (order->flags & ORDER_POST_ONLY) != 0 && model_book_best(model, order, true) != NULL
               ? REASON_POST_ONLY_WOULD_TRADE
               : REASON_NONE;
}

static enum reject_reason check_entry(struct model *model, struct entry *entry)
{
    struct model_order *order = &entry->order;
    enum reject_reason reason = model_order_check_contract(model, order->contract);
    if (reason == REASON_NONE) {
        reason = check_form(model, entry->request);
    }
    if (reason == REASON_NONE) {
        reason = check_numbers(entry, model->classes[contract_class(order->contract)].lot);
    }
    if (reason == REASON_NONE) {
        reason = check_kind(model, entry, model->classes[contract_class(order->contract)].lot);
    }
    if (reason == REASON_NONE) {
        reason = model_order_check_resource(model, order);
    }
    if (reason != REASON_NONE) {
        return reason;
    }
    if (!model_money_reference(model, order->contract, &entry->reference_e4)) {
        entry->reference_e4 = 0;
    }
    entry->inner = model_book_band(entry->reference_e4, entry->market->terms.inner_band_bp);
    entry->outer = model_book_band(entry->reference_e4, entry->market->terms.outer_band_bp);
    reason = check_price(model, entry);
    if (reason != REASON_NONE) {
        return reason;
    }
    model_order_reserve(model, order);
    reason = model_order_check_tops(model, order);
    if (reason != REASON_NONE) {
        return reason;
    }
    if (order->market) {
        price_market_order(model, entry);
    }
    reason = check_means(model, entry);
    return reason == REASON_NONE ? check_trial(model, entry) : reason;
}

struct event *model_order_emit_new(struct model *model, const struct model_order *order,
                                   int64_t min_qty)
{
    struct event *event = order->range_id == 0
                              ? model_emit_report(model, EVENT_NEW, order->key, order->cl_ord_id)
                              : model_emit_aside(model, EVENT_NEW, order->key, order->cl_ord_id);
    event->new_order.order_id = order->order_id;
    event->new_order.contract = order->contract;
    event->new_order.price_e4 = order->price_e4;
    event->new_order.qty = order->leaves_qty;
    event->new_order.min_qty = min_qty;
    event->new_order.expire_time_ns = order->expire_time_ns;
    event->new_order.reserved_e4 = model_money_order_reserve_e4(order);
    event->new_order.resource = order->resource;
    event->new_order.flags = order->flags;
    event->new_order.side = order->side;
    event->new_order.ord_type = order->market ? ORD_MARKET : ORD_LIMIT;
    event->new_order.tif = order->tif;
    event->new_order.stp = order->stp;
    event->new_order.source_tier = order->source_tier;
    event->new_order.ranged = order->range_id != 0;
    event->new_order.display_qty = (uint32_t)order->display_qty;
    event->new_order.job_lead_hours = order->job_lead_hours;
    return event;
}

/* From NEW on: tests on arrival, trades, remainder. */
static void arrive(struct model *model, const struct entry *entry)
{
    const struct model_order *order = &entry->order;
    uint64_t id = order->order_id;
    if (model_order_reserved(order)) {
        return;
    }
    if (model_auction_collects(model, order->contract)) {
        model_auction_collect(model, id);
        return;
    }
    if (entry->no_liquidity) {
        model_book_end(model, id, REASON_NO_LIQUIDITY, order->cl_ord_id, false);
        return;
    }
    int64_t wanted = wanted_at_once(entry->request);
    uint32_t met;
    if (model_book_fillable(model, order, entry->inner, wanted, &met) < wanted) {
        model_book_end(model, id,
                       order->tif == TIF_FOK ? REASON_FOK_NOT_FILLED : REASON_MIN_QTY_NOT_MET,
                       order->cl_ord_id, false);
        return;
    }
    if (model_book_trade(model, id, entry->inner) &&
        (order->tif == TIF_IOC || order->tif == TIF_FOK)) {
        model_book_end(model, id, REASON_IMMEDIATE_REMAINDER, order->cl_ord_id, false);
    }
}

void model_order_arrive(struct model *model, uint64_t order_id, struct model_band inner)
{
    if (model_auction_collects(model, model_book_find(model, order_id)->contract)) {
        model_auction_collect(model, order_id);
    } else {
        (void)model_book_trade(model, order_id, inner);
    }
}

void model_order_add(struct model *model, const struct model_order *order)
{
    CHECK(model->order_count < MODEL_ORDERS_MAX);
    model->orders[model->order_count++] = *order;
    if (model_order_reserved(order)) {
        model_job_due_hour(model, order->contract);
    }
}

void model_order_new(struct model *model)
{
    const struct command_new_order *request = &model->command->new_order;
    uint32_t key = model->command->head.key;
    uint32_t account = model->keys[key].account;
    const struct model_fees *fees = &model->fees[model->accounts[account].fees];
    struct entry entry = {
        .request = request,
        .market = model_market_find(model, contract_class(request->contract),
                                    contract_region(request->contract)),
        .account = &model->accounts[account],
        .order = {.contract = request->contract,
                  .cl_ord_id = model->command->head.cl_ord_id,
                  .price_e4 = request->price_e4,
                  .leaves_qty = request->qty,
                  .display_qty = request->display_qty == request->qty ? 0 : request->display_qty,
                  .expire_time_ns = request->expire_time_ns,
                  .key = key,
                  .account = account,
                  .resource = request->resource,
                  .maker_bp = fees->maker_bp,
                  .taker_bp = fees->taker_bp,
                  .flags = request->flags,
                  .job_lead_hours = request->job_lead_hours,
                  .side = request->side,
                  .tif = request->tif,
                  .stp = request->stp,
                  .market = request->ord_type == ORD_MARKET},
    };
    enum reject_reason reason = check_entry(model, &entry);
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return;
    }
    entry.order.order_id = ++model->last_order_id;
    entry.order.entry = ++model->last_entry;
    entry.order.place = entry.order.entry;
    model_order_add(model, &entry.order);
    model_order_emit_new(model, &entry.order, request->min_qty);
    arrive(model, &entry);
}

/* The live order that a request names; takes it out when it is over. NULL: refused. */
static struct model_order *named_order(struct model *model, uint64_t order_id)
{
    struct model_order *order = model_book_find(model, order_id);
    if (order == NULL || order->kind == MODEL_LEG ||
        order->account != model->keys[model->command->head.key].account) {
        model_reject(model, REASON_UNKNOWN_ORDER);
        return NULL;
    }
    if (order->kind == MODEL_SET) {
        if (!model_due_touch_set(model, order_id)) {
            model_reject(model, REASON_UNKNOWN_ORDER);
            return NULL;
        }
        return model_book_find(model, order_id);
    }
    if (model_due_over(model, order) != REASON_NONE) {
        model_due_take_out(model, order_id);
        model_reject(model, REASON_UNKNOWN_ORDER);
        return NULL;
    }
    return order;
}

void model_order_emit_done_if_other(struct model *model, uint32_t order_key)
{
    uint32_t asker = model->command->head.key;
    if (asker != order_key) {
        model_emit_report(model, EVENT_DONE, asker, model->command->head.cl_ord_id);
    }
}

void model_order_end_on_request(struct model *model, const struct model_order *order,
                                enum reject_reason reason)
{
    uint32_t key = order->key;
    bool own = key == model->command->head.key;
    uint64_t cl_ord_id = own ? model->command->head.cl_ord_id : order->cl_ord_id;
    model_book_end(model, order->order_id, reason, cl_ord_id, true);
    model_order_emit_done_if_other(model, key);
}

void model_order_cancel(struct model *model)
{
    uint64_t order_id = model->command->cancel_order.order_id;
    struct model_range *range = model_range_find(model, order_id);
    if (range != NULL) {
        model_range_cancel(model, range);
        return;
    }
    const struct model_order *order = named_order(model, order_id);
    if (order != NULL) {
        model_order_end_on_request(model, order, REASON_REQUESTED);
    }
}

static enum reject_reason check_replace(const struct model *model, const struct model_order *order,
                                        const struct model_market *market)
{
    const struct command_replace_order *request = &model->command->replace_order;
    if (market->terms.mode == MODE_NONE) {
        return REASON_NO_MARKET;
    }
    if (market->halted) {
        return REASON_MARKET_HALTED;
    }
    if (request->price_e4 < 1 || request->price_e4 > PRICE_MAX_E4) {
        return REASON_PRICE_OUT_OF_RANGE;
    }
    if (request->qty < 1 || request->qty > QTY_MAX) {
        return REASON_QTY_OUT_OF_RANGE;
    }
    if (request->qty % model->classes[contract_class(order->contract)].lot != 0) {
        return REASON_QTY_NOT_IN_LOTS;
    }
    if (request->qty > model->accounts[order->account].order_qty_limit) {
        return REASON_QTY_ABOVE_LIMIT;
    }
    if (order->display_qty != 0 && request->qty > 1000 * order->display_qty) {
        return REASON_DISPLAY_QTY_OUT_OF_RANGE;
    }
    if (request->price_e4 == order->price_e4 &&
        request->qty == order->cum_qty + order->leaves_qty) {
        return REASON_NOTHING_TO_REPLACE;
    }
    return REASON_NONE;
}

/* The checks that only a replace which loses its place must pass; `changed` is the order as it
 * would be. */
static enum reject_reason check_rearrival(struct model *model, const struct model_order *order,
                                          struct model_order *changed,
                                          const struct model_market *market,
                                          struct model_band *inner)
{
    int64_t reference_e4;
    if (!model_money_reference(model, order->contract, &reference_e4)) {
        return REASON_NO_REFERENCE;
    }
    *inner = model_book_band(reference_e4, market->terms.inner_band_bp);
    struct model_band outer = model_book_band(reference_e4, market->terms.outer_band_bp);
    if (changed->price_e4 < outer.low_e4 || changed->price_e4 > outer.high_e4) {
        return REASON_PRICE_OUTSIDE_BAND;
    }
    int64_t added = changed->leaves_qty - order->leaves_qty;
    int64_t old_reserve_e4 = model_money_order_reserve_e4(order);
    enum reject_reason reason = model_order_check_tops(model, changed);
    if (reason != REASON_NONE) {
        return reason;
    }
    if (changed->side == SIDE_SELL) {
        if (added > 0 && !model_money_source_has(model, changed, added)) {
            return REASON_INSUFFICIENT_CAPACITY;
        }
        changed->bond_e4 = model_money_bond_per_gpu_e4(model, changed->price_e4, reference_e4);
    }
    if (model_money_order_reserve_e4(changed) >
        model_money_available_e4(model, changed->account) + old_reserve_e4) {
        return changed->side == SIDE_BUY ? REASON_INSUFFICIENT_FUNDS : REASON_INSUFFICIENT_BOND;
    }
    return model_room_for_fills(model, fills_needed(model, changed)) &&
                   room_for_auction(model, changed)
               ? REASON_NONE
               : REASON_FULL;
}

void model_order_emit_replaced(struct model *model, const struct model_order *was,
                               const struct model_order *is, bool kept)
{
    bool by_range = model_range_find(model, model->command->replace_order.order_id) != NULL;
    struct event *event = by_range
                              ? model_emit_aside(model, EVENT_REPLACED, is->key, is->cl_ord_id)
                              : model_emit_report(model, EVENT_REPLACED, is->key, is->cl_ord_id);
    event->replaced.order_id = is->order_id;
    event->replaced.contract = is->contract;
    event->replaced.orig_cl_ord_id = was->cl_ord_id;
    event->replaced.price_e4 = is->price_e4;
    event->replaced.qty = is->cum_qty + is->leaves_qty;
    event->replaced.leaves_qty = is->leaves_qty;
    event->replaced.cum_qty = is->cum_qty;
    event->replaced.old_price_e4 = was->price_e4;
    event->replaced.old_leaves_qty = was->leaves_qty;
    event->replaced.side = is->side;
    event->replaced.kept_priority = kept;
}

struct model_order model_order_replaced(const struct model *model, const struct model_order *order,
                                        int64_t price_e4, int64_t qty, bool *keeps)
{
    struct model_order is = *order;
    if (is.key == model->command->head.key) {
        is.cl_ord_id = model->command->head.cl_ord_id;
    }
    is.price_e4 = price_e4;
    is.leaves_qty = qty - order->cum_qty;
    *keeps = is.price_e4 == order->price_e4 && is.leaves_qty < order->leaves_qty;
    if (*keeps) {
        int64_t less = order->leaves_qty - is.leaves_qty;
        is.hidden_qty -= less < is.hidden_qty ? less : is.hidden_qty;
        return is;
    }
    const struct model_fees *fees = &model->fees[model->accounts[is.account].fees];
    is.maker_bp = fees->maker_bp;
    is.taker_bp = fees->taker_bp;
    is.hidden_qty = 0;
    return is;
}

void model_order_replace(struct model *model)
{
    const struct command_replace_order *request = &model->command->replace_order;
    struct model_range *range = model_range_find(model, request->order_id);
    if (range != NULL) {
        model_range_replace(model, range);
        return;
    }
    struct model_order *order = named_order(model, request->order_id);
    if (order == NULL) {
        return;
    }
    if (order->kind == MODEL_SET) {
        model_set_replace(model, order);
        return;
    }
    if (order->kind == MODEL_JOB) {
        model_job_replace(model, order->order_id);
        return;
    }
    const struct model_market *market =
        model_market_find(model, contract_class(order->contract), contract_region(order->contract));
    enum reject_reason reason = check_replace(model, order, market);
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return;
    }
    if (request->qty <= order->cum_qty) {
        model_order_end_on_request(model, order, REASON_REPLACED_AWAY);
        return;
    }
    bool keeps;
    struct model_band inner = {0, 0};
    struct model_order was = *order;
    struct model_order is =
        model_order_replaced(model, &was, request->price_e4, request->qty, &keeps);
    if (!keeps) {
        reason = check_rearrival(model, &was, &is, market, &inner);
        if (reason != REASON_NONE) {
            model_reject(model, reason);
            return;
        }
        is.place = ++model->last_entry;
    }
    *model_book_find(model, is.order_id) = is;
    model_order_emit_replaced(model, &was, &is, keeps);
    model_order_emit_done_if_other(model, is.key);
    if (!keeps && model_order_reserved(&is)) {
        model_job_due_hour(model, is.contract);
    } else if (!keeps) {
        model_order_arrive(model, is.order_id, inner);
    }
}
