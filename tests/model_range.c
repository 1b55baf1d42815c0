/* Section 10 of the rulebook: ranges, one offer an hour under one name. */
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

/* An offer of the range: as it is, and as the request would have it. */
struct hour {
    struct model_order was;
    struct model_order is;
    int64_t reference_e4;
    bool changes; /* replace: anything at all */
    bool keeps;   /* replace: keeps its place */
    bool ends;    /* replace: nothing of it would be left */
};

struct plan {
    struct model_range range;
    const struct model_market *market;
    struct hour hours[RANGE_HOURS_MAX];
    uint32_t count;
    uint64_t fault; /* contract that a refusal names */
};

struct model_range *model_range_find(struct model *model, uint64_t order_id)
{
    for (uint32_t i = 0; i < model->range_count; i++) {
        if (model->ranges[i].order_id == order_id) {
            return &model->ranges[i];
        }
    }
    return NULL;
}

bool model_range_lives(const struct model *model, const struct model_range *range)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        if (model->orders[i].range_id == range->order_id) {
            return true;
        }
    }
    return false;
}

static bool arrives(const struct hour *hour)
{
    return hour->changes && !hour->keeps && !hour->ends;
}

static bool meets_bids(const struct hour *hour)
{
    return arrives(hour) && !model_order_reserved(&hour->is);
}

/* --- what entering and replacing have in common ------------------------------------------------- */

static enum reject_reason check_numbers(const struct model *model, uint32_t account,
                                        uint64_t contract, int64_t price_e4, int64_t qty)
{
    if (price_e4 < 1 || price_e4 > PRICE_MAX_E4) {
        return REASON_PRICE_OUT_OF_RANGE;
    }
    if (qty < 1 || qty > QTY_MAX) {
        return REASON_QTY_OUT_OF_RANGE;
    }
    if (qty % model->classes[contract_class(contract)].lot != 0) {
        return REASON_QTY_NOT_IN_LOTS;
    }
    return qty > model->accounts[account].order_qty_limit ? REASON_QTY_ABOVE_LIMIT : REASON_NONE;
}

static enum reject_reason check_prices(struct model *model, struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        struct hour *hour = &plan->hours[i];
        plan->fault = hour->is.contract;
        if (!arrives(hour)) {
            continue;
        }
        if (!model_money_reference(model, hour->is.contract, &hour->reference_e4)) {
            return REASON_NO_REFERENCE;
        }
        struct model_band outer =
            model_book_band(hour->reference_e4, plan->market->terms.outer_band_bp);
        if (hour->is.price_e4 < outer.low_e4 || hour->is.price_e4 > outer.high_e4) {
            return REASON_PRICE_OUTSIDE_BAND;
        }
    }
    plan->fault = 0;
    return REASON_NONE;
}

/* Of an hour that arrives: the books that it meets, and where its GPUs come from. */
static enum reject_reason check_hour(struct model *model, const struct plan *plan,
                                     struct hour *hour)
{
    bool new = hour->was.order_id == 0;
    enum reject_reason reason = model_order_check_tops(model, &hour->is);
    if (reason != REASON_NONE) {
        return reason;
    }
    bool provider = model->resources[hour->is.resource].terms.account == hour->is.account;
    if (new && !provider && (plan->market->terms.flags & MARKET_NO_RESALE) != 0) {
        return REASON_RESALE_NOT_ALLOWED;
    }
    int64_t added = hour->is.leaves_qty - hour->was.leaves_qty;
    bool has = new ? model_money_source(model, &hour->is, added, &hour->is.source_tier)
                   : added <= 0 || model_money_source_has(model, &hour->is, added);
    hour->is.bond_e4 = model_money_bond_per_gpu_e4(model, hour->is.price_e4, hour->reference_e4);
    return has ? REASON_NONE : REASON_INSUFFICIENT_CAPACITY;
}

static enum reject_reason check_hours(struct model *model, struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        struct hour *hour = &plan->hours[i];
        plan->fault = hour->is.contract;
        enum reject_reason reason = arrives(hour) ? check_hour(model, plan, hour) : REASON_NONE;
        if (reason != REASON_NONE) {
            return reason;
        }
    }
    plan->fault = 0;
    return REASON_NONE;
}

static model_wide bonds_e4(const struct plan *plan)
{
    model_wide sum_e4 = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct hour *hour = &plan->hours[i];
        sum_e4 += hour->ends ? 0 : model_money_order_reserve_e4(&hour->is);
    }
    return sum_e4;
}

static enum reject_reason check_bonds(const struct model *model, const struct plan *plan)
{
    model_wide free_e4 = model_money_available_e4(model, plan->range.account);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct hour *hour = &plan->hours[i];
        free_e4 += hour->was.order_id == 0 ? 0 : model_money_order_reserve_e4(&hour->was);
    }
    return bonds_e4(plan) > free_e4 ? REASON_INSUFFICIENT_BOND : REASON_NONE;
}

static enum reject_reason check_room(struct model *model, const struct plan *plan, bool new)
{
    uint32_t auctions = 0;
    struct model_order orders[RANGE_HOURS_MAX];
    int64_t fills = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        orders[i] = plan->hours[i].is;
        bool meets = meets_bids(&plan->hours[i]);
        bool collected = model_auction_collects(model, orders[i].contract);
        fills += meets && !collected ? model_room_needed(model, &orders[i]) : 0;
        auctions += meets && model_auction_begins(model, orders[i].contract) ? 1 : 0;
    }
    bool room = !new || model_room_for_orders(model, orders, plan->count, 1);
    return room && model_room_for_fills(model, fills) && model_auction_room(model, auctions)
               ? REASON_NONE
               : REASON_FULL;
}

static void emit_range(struct model *model, const struct model_range *range, enum range_done done,
                       uint64_t orig_cl_ord_id, const struct plan *plan)
{
    bool own = range->key == model->command->head.key;
    uint64_t cl_ord_id = own ? model->command->head.cl_ord_id : range->cl_ord_id;
    struct event *event = model_emit_report(model, EVENT_RANGE, range->key, cl_ord_id);
    event->range.order_id = range->order_id;
    event->range.contract = range->contract;
    event->range.orig_cl_ord_id = orig_cl_ord_id;
    event->range.price_e4 = range->price_e4;
    event->range.qty = range->qty;
    event->range.reserved_e4 = done == RANGE_CANCELED ? 0 : (int64_t)bonds_e4(plan);
    event->range.hours = range->hours;
    for (uint32_t i = 0; i < plan->count; i++) {
        event->range.orders += plan->hours[i].changes ? 1 : 0;
    }
    event->range.resource = range->resource;
    event->range.flags = range->flags;
    event->range.job_lead_hours = range->job_lead_hours;
    event->range.done = (uint8_t)done;
    event->range.stp = range->stp;
}

static struct model_band inner_band(const struct plan *plan, const struct hour *hour)
{
    return model_book_band(hour->reference_e4, plan->market->terms.inner_band_bp);
}

/* --- entering ------------------------------------------------------------------------------------ */

static enum reject_reason check_terms(struct model *model, struct plan *plan)
{
    const struct command_new_range *request = &model->command->new_range;
    enum reject_reason reason = check_numbers(model, plan->range.account, request->contract,
                                              request->price_e4, request->qty);
    if (request->stp > STP_DECREMENT) {
        return REASON_INVALID_STP;
    }
    if (reason != REASON_NONE) {
        return reason;
    }
    if (request->job_lead_hours != 0 && (request->flags & ORDER_POST_ONLY) != 0) {
        return REASON_RESERVED_NOT_ALLOWED;
    }
    if (request->job_lead_hours > model->rules.horizon_hours) {
        return REASON_RESERVED_OUT_OF_RANGE;
    }
    if ((request->flags & ~ORDER_POST_ONLY) != 0) {
        return REASON_INVALID_COMMAND;
    }
    return plan->market->terms.mode != MODE_CONTINUOUS && request->job_lead_hours != 0
               ? REASON_NOT_SUPPORTED
               : REASON_NONE;
}

static void plan_hours(const struct model *model, struct plan *plan)
{
    const struct command_new_range *request = &model->command->new_range;
    const struct model_fees *fees = &model->fees[model->accounts[plan->range.account].fees];
    plan->count = request->hours;
    for (uint32_t i = 0; i < plan->count; i++) {
        plan->hours[i] = (struct hour){
            .is = {.contract = request->contract + i,
                   .cl_ord_id = plan->range.cl_ord_id,
                   .price_e4 = request->price_e4,
                   .leaves_qty = request->qty,
                   .key = plan->range.key,
                   .account = plan->range.account,
                   .resource = request->resource,
                   .maker_bp = fees->maker_bp,
                   .taker_bp = fees->taker_bp,
                   .flags = request->flags,
                   .job_lead_hours = request->job_lead_hours,
                   .side = SIDE_SELL,
                   .tif = TIF_GATE,
                   .stp = request->stp},
            .changes = true,
        };
        model_order_reserve(model, &plan->hours[i].is);
    }
}

static enum reject_reason check_first_hour(struct model *model, struct plan *plan)
{
    const struct command_new_range *request = &model->command->new_range;
    if (request->hours < 1 || request->hours > RANGE_HOURS_MAX ||
        contract_hour(request->contract) + request->hours - 1 > CONTRACT_HOUR_MAX) {
        return REASON_RANGE_OUT_OF_RANGE;
    }
    enum reject_reason reason = model_order_check_contract(model, request->contract);
    if (reason != REASON_NONE) {
        plan->fault = request->contract;
        return reason;
    }
    plan->market = model_market_find(model, contract_class(request->contract),
                                     contract_region(request->contract));
    return check_terms(model, plan);
}

static enum reject_reason check_entry(struct model *model, struct plan *plan)
{
    enum reject_reason reason = check_first_hour(model, plan);
    if (reason != REASON_NONE) {
        return reason;
    }
    plan_hours(model, plan);
    reason = model_order_check_resource(model, &plan->hours[0].is);
    if (reason != REASON_NONE) {
        return reason;
    }
    uint64_t last = plan->hours[plan->count - 1].is.contract;
    if (model_order_check_contract(model, last) != REASON_NONE) {
        plan->fault = last;
        return REASON_BEYOND_HORIZON;
    }
    reason = check_prices(model, plan);
    if (reason != REASON_NONE) {
        return reason;
    }
    uint32_t account = plan->range.account;
    if (model_order_live(model, account) + plan->count >
        model->accounts[account].open_orders_limit) {
        return REASON_TOO_MANY_OPEN_ORDERS;
    }
    reason = check_hours(model, plan);
    if (reason == REASON_NONE) {
        reason = check_bonds(model, plan);
    }
    return reason == REASON_NONE ? check_room(model, plan, true) : reason;
}

void model_range_new(struct model *model)
{
    const struct command_new_range *request = &model->command->new_range;
    uint32_t key = model->command->head.key;
    struct plan plan;
    memset(&plan, 0, sizeof(plan));
    plan.range = (struct model_range){.cl_ord_id = model->command->head.cl_ord_id,
                                      .contract = request->contract,
                                      .price_e4 = request->price_e4,
                                      .qty = request->qty,
                                      .hours = request->hours,
                                      .key = key,
                                      .account = model->keys[key].account,
                                      .resource = request->resource,
                                      .flags = request->flags,
                                      .job_lead_hours = request->job_lead_hours,
                                      .stp = request->stp};
    enum reject_reason reason = check_entry(model, &plan);
    if (reason != REASON_NONE) {
        model_reject_at(model, reason, 0, plan.fault);
        return;
    }
    plan.range.order_id = ++model->last_order_id;
    CHECK(model->range_count < MODEL_RANGES_MAX);
    model->ranges[model->range_count++] = plan.range;
    emit_range(model, &plan.range, RANGE_ENTERED, 0, &plan);
    for (uint32_t i = 0; i < plan.count; i++) {
        struct model_order *order = &plan.hours[i].is;
        order->range_id = plan.range.order_id;
        order->order_id = ++model->last_order_id;
        order->entry = ++model->last_entry;
        order->place = order->entry;
        model_order_add(model, order);
        model_order_emit_new(model, order, 0);
        if (meets_bids(&plan.hours[i])) {
            model_order_arrive(model, order->order_id, inner_band(&plan, &plan.hours[i]));
        }
    }
}

/* --- replacing and cancelling by the range ------------------------------------------------------- */

/* The first offer of the range, that is over or any; NULL for none. */
static const struct model_order *first_offer(struct model *model, const struct model_range *range,
                                             bool over)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->range_id == range->order_id &&
            (!over || model_due_over(model, order) != REASON_NONE)) {
            return order;
        }
    }
    return NULL;
}

/* Takes out the offers that are over. False: refused, the range is not there for who asks. */
static bool touch(struct model *model, const struct model_range *range)
{
    bool own = range->account == model->keys[model->command->head.key].account;
    for (const struct model_order *order = own ? first_offer(model, range, true) : NULL;
         order != NULL; order = first_offer(model, range, true)) {
        model_due_take_out(model, order->order_id);
    }
    if (!own || !model_range_lives(model, range)) {
        model_reject(model, REASON_UNKNOWN_ORDER);
        return false;
    }
    return true;
}

static void plan_replace(const struct model *model, struct plan *plan)
{
    const struct command_replace_order *request = &model->command->replace_order;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->range_id != plan->range.order_id) {
            continue;
        }
        struct hour *hour = &plan->hours[plan->count++];
        *hour = (struct hour){.was = *order, .is = *order};
        hour->changes = request->price_e4 != order->price_e4 ||
                        request->qty != order->cum_qty + order->leaves_qty;
        hour->ends = request->qty <= order->cum_qty;
        if (hour->changes) {
            hour->is =
                model_order_replaced(model, order, request->price_e4, request->qty, &hour->keeps);
        }
    }
}

static enum reject_reason check_replace(struct model *model, struct plan *plan)
{
    const struct command_replace_order *request = &model->command->replace_order;
    if (plan->market->terms.mode == MODE_NONE) {
        return REASON_NO_MARKET;
    }
    if (plan->market->halted) {
        return REASON_MARKET_HALTED;
    }
    enum reject_reason reason = check_numbers(model, plan->range.account, plan->range.contract,
                                              request->price_e4, request->qty);
    if (reason != REASON_NONE) {
        return reason;
    }
    plan_replace(model, plan);
    bool changes = false;
    for (uint32_t i = 0; i < plan->count; i++) {
        changes = changes || plan->hours[i].changes;
    }
    if (!changes) {
        return REASON_NOTHING_TO_REPLACE;
    }
    reason = check_prices(model, plan);
    if (reason == REASON_NONE) {
        reason = check_hours(model, plan);
    }
    if (reason == REASON_NONE) {
        reason = check_bonds(model, plan);
    }
    return reason == REASON_NONE ? check_room(model, plan, false) : reason;
}

/* Ends an offer as the range's request asks; no report of its own. */
static void end_offer(struct model *model, const struct model_order *order,
                      enum reject_reason reason)
{
    bool own = order->key == model->command->head.key;
    uint64_t cl_ord_id = own ? model->command->head.cl_ord_id : order->cl_ord_id;
    struct event *event = model_emit_aside(model, EVENT_CANCELED, order->key, cl_ord_id);
    model_book_tell_out(event, order, reason, true);
    event->out.qty = order->leaves_qty;
    event->out.leaves_qty = 0;
    model_book_drop(model, order->order_id);
}

static void replace_hour(struct model *model, const struct plan *plan, struct hour *hour)
{
    if (hour->ends) {
        end_offer(model, &hour->was, REASON_REPLACED_AWAY);
        return;
    }
    if (arrives(hour)) {
        hour->is.place = ++model->last_entry;
    }
    *model_book_find(model, hour->is.order_id) = hour->is;
    model_order_emit_replaced(model, &hour->was, &hour->is, hour->keeps);
    if (meets_bids(hour)) {
        model_order_arrive(model, hour->is.order_id, inner_band(plan, hour));
    } else if (arrives(hour)) {
        model_job_due_hour(model, hour->is.contract);
    }
}

void model_range_replace(struct model *model, struct model_range *range)
{
    if (!touch(model, range)) {
        return;
    }
    struct plan plan;
    memset(&plan, 0, sizeof(plan));
    plan.range = *range;
    plan.market =
        model_market_find(model, contract_class(range->contract), contract_region(range->contract));
    enum reject_reason reason = check_replace(model, &plan);
    if (reason != REASON_NONE) {
        model_reject_at(model, reason, 0, plan.fault);
        return;
    }
    uint64_t orig_cl_ord_id = range->cl_ord_id;
    range->price_e4 = model->command->replace_order.price_e4;
    range->qty = model->command->replace_order.qty;
    if (range->key == model->command->head.key) {
        range->cl_ord_id = model->command->head.cl_ord_id;
    }
    emit_range(model, range, RANGE_REPLACED, orig_cl_ord_id, &plan);
    model_order_emit_done_if_other(model, range->key);
    for (uint32_t i = 0; i < plan.count; i++) {
        if (plan.hours[i].changes) {
            replace_hour(model, &plan, &plan.hours[i]);
        }
    }
}

void model_range_cancel(struct model *model, struct model_range *range)
{
    if (!touch(model, range)) {
        return;
    }
    struct plan plan;
    memset(&plan, 0, sizeof(plan));
    for (uint32_t i = 0; i < model->order_count; i++) {
        if (model->orders[i].range_id == range->order_id) {
            plan.hours[plan.count].was = model->orders[i];
            plan.hours[plan.count++].changes = true;
        }
    }
    emit_range(model, range, RANGE_CANCELED, range->cl_ord_id, &plan);
    model_order_emit_done_if_other(model, range->key);
    for (uint32_t i = 0; i < plan.count; i++) {
        end_offer(model, &plan.hours[i].was, REASON_REQUESTED);
    }
}
