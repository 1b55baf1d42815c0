/* Section 12 of the rulebook: a JOB's way in, its replacement and its end. */
#include "tests/model_job.h"

#include <string.h>

#include "base/check.h"

struct model_job *model_job_find(struct model *model, uint64_t order_id)
{
    for (uint32_t i = 0; i < model->job_count; i++) {
        if (model->jobs[i].order_id == order_id) {
            return &model->jobs[i];
        }
    }
    return NULL;
}

void model_job_forget(struct model *model, uint64_t order_id)
{
    struct model_job *job = model_job_find(model, order_id);
    if (job != NULL) {
        *job = model->jobs[--model->job_count];
    }
}

uint32_t model_job_lanes_in_use(const struct model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        count += model->jobs[i].terms.lane_count;
    }
    return count;
}

bool model_job_mass_covers(const struct model *model, const struct model_mass_cancel *mass,
                           const struct model_order *order)
{
    const struct command_mass_cancel *scope = &mass->scope;
    const struct model_job *job = model_job_find((struct model *)(uintptr_t)model, order->order_id);
    if (order->account != mass->account || order->entry >= mass->before ||
        ((scope->filter & MASS_CANCEL_OWN_KEY) != 0 && order->key != mass->key)) {
        return false;
    }
    if ((scope->filter & MASS_CANCEL_HOURS) != 0 &&
        (job->terms.window_from < scope->hour_from || job->terms.window_to > scope->hour_to)) {
        return false;
    }
    for (uint32_t i = 0; i < job->terms.lane_count; i++) {
        const struct job_lane *lane = &job->lanes[i];
        if (((scope->filter & MASS_CANCEL_CLASS) != 0 && lane->class_id != scope->class_id) ||
            ((scope->filter & MASS_CANCEL_REGION) != 0 && lane->region_id != scope->region_id)) {
            return false;
        }
    }
    return true;
}

int64_t model_job_timer_ns(const struct model *model, const struct model_order *order)
{
    int64_t gate_ns = (int64_t)model_due_gate_ns(model, contract_hour(order->contract));
    return order->tif == TIF_TIME && order->expire_time_ns < gate_ns ? order->expire_time_ns
                                                                     : gate_ns;
}

static const struct job_lane *lane_of_request(const struct model *model, uint32_t lane)
{
    const union command_slot *slots = (const union command_slot *)(const void *)model->command;
    return &slots[1 + lane / JOB_LANES_PER_SLOT].lanes[lane % JOB_LANES_PER_SLOT];
}

static enum reject_reason check_form(const struct model *model)
{
    const struct command_new_job *request = &model->command->new_job;
    int slots = 1 + (request->lane_count + JOB_LANES_PER_SLOT - 1) / JOB_LANES_PER_SLOT;
    if (request->lane_count == 0 || request->lane_count > JOB_LANES_MAX) {
        return REASON_LANE_COUNT_OUT_OF_RANGE;
    }
    if (model->command->head.slots != slots || (request->flags & ~ORDER_POST_ONLY) != 0) {
        return REASON_INVALID_COMMAND;
    }
    if (request->tif > TIF_FOK) {
        return REASON_INVALID_TIME_IN_FORCE;
    }
    if (request->placement > PLACEMENT_SAME) {
        return REASON_INVALID_PLACEMENT;
    }
    if ((request->flags & ORDER_POST_ONLY) != 0) {
        return REASON_JOB_WITH_POST_ONLY;
    }
    if (request->min_qty != 0) {
        return REASON_JOB_WITH_MIN_QTY;
    }
    if (request->display_qty != 0) {
        return REASON_JOB_WITH_DISPLAY_QTY;
    }
    if (request->expire_time_ns != 0 && request->tif != TIF_TIME) {
        return REASON_EXPIRE_TIME_NOT_ALLOWED;
    }
    return request->tif == TIF_TIME && request->expire_time_ns <= model->time_ns
               ? REASON_EXPIRE_TIME_PAST
               : REASON_NONE;
}

/* A JOB of this group has traded in one resource under that number. */
static bool trade_group_known(const struct model *model, uint64_t fill_id)
{
    uint32_t account = model->keys[model->command->head.key].account;
    for (uint32_t i = 0; i < model->trade_group_count; i++) {
        const struct model_trade_group *known = &model->trade_groups[i];
        if (known->fill_id == fill_id && known->group == model->accounts[account].group) {
            return true;
        }
    }
    return false;
}

static enum reject_reason check_numbers(const struct model *model)
{
    const struct command_new_job *request = &model->command->new_job;
    if (request->price_e4 < 1 || request->price_e4 > PRICE_MAX_E4) {
        return REASON_PRICE_OUT_OF_RANGE;
    }
    if (request->qty < 1 || request->qty > QTY_MAX) {
        return REASON_QTY_OUT_OF_RANGE;
    }
    if (request->hours < 1 || request->hours > JOB_HOURS_MAX) {
        return REASON_HOURS_OUT_OF_RANGE;
    }
    if ((int64_t)request->window_from + request->hours > request->window_to) {
        return REASON_WINDOW_TOO_SHORT;
    }
    if (model_due_gate_ns(model, request->window_to - request->hours) <= model->time_ns) {
        return REASON_GATE_CLOSED_FOR_HOUR;
    }
    if (request->window_to > model->time_ns / NS_PER_HOUR + (int64_t)model->rules.horizon_hours) {
        return REASON_BEYOND_HORIZON;
    }
    if (request->same_group != 0 && request->placement != PLACEMENT_SAME) {
        return REASON_SAME_GROUP_NOT_ALLOWED;
    }
    return request->placement == PLACEMENT_SAME && !trade_group_known(model, request->same_group)
               ? REASON_UNKNOWN_TRADE_GROUP
               : REASON_NONE;
}

static enum reject_reason check_lane(struct model *model, uint32_t number)
{
    const struct job_lane *lane = lane_of_request(model, number);
    if (lane->class_id >= model->class_count || lane->region_id >= model->region_count ||
        lane->tier >= TIER_COUNT) {
        return REASON_UNKNOWN_CONTRACT;
    }
    const struct model_market *market = model_market_find(model, lane->class_id, lane->region_id);
    if (market == NULL || market->terms.mode == MODE_NONE) {
        return REASON_NO_MARKET;
    }
    if (market->halted) {
        return REASON_MARKET_HALTED;
    }
    if (market->terms.mode != MODE_CONTINUOUS) {
        return REASON_NOT_SUPPORTED;
    }
    if (lane->factor_e4 < 1 || lane->factor_e4 > JOB_FACTOR_MAX_E4) {
        return REASON_FACTOR_OUT_OF_RANGE;
    }
    if (model->command->new_job.qty % model->classes[lane->class_id].lot != 0) {
        return REASON_QTY_NOT_IN_LOTS;
    }
    for (uint32_t i = 0; i < number; i++) {
        const struct job_lane *other = lane_of_request(model, i);
        if (other->class_id == lane->class_id && other->region_id == lane->region_id &&
            other->tier == lane->tier) {
            return REASON_DUPLICATE_LANE;
        }
    }
    return REASON_NONE;
}

/* Money and width of the JOB, the order as it would be; `released_e4` is what it holds now. */
static enum reject_reason check_size(const struct model *model, const struct model_job *job,
                                     const struct model_order *order, int64_t released_e4)
{
    model_wide most = (model_wide)MONEY_MAX_E4 * order->job_factor_e4;
    if ((model_wide)order->price_e4 * order->leaves_qty * E4_ONE > most) {
        return REASON_JOB_TOO_LARGE;
    }
    if (model_money_order_reserve_e4(order) >
        model_money_available_e4(model, order->account) + released_e4) {
        return REASON_INSUFFICIENT_FUNDS;
    }
    return model_job_width(model, job) > MODEL_JOB_WIDTH_MAX ? REASON_JOB_TOO_WIDE : REASON_NONE;
}

static bool tables_full(const struct model *model, const struct model_job *job)
{
    return model_room_orders_in_use(model) + 1 + job->terms.lane_count > model->limits.orders ||
           model->job_count >= model->limits.jobs || !model_room_for_timers(model, 1);
}

static enum reject_reason check_means(const struct model *model, const struct model_job *job,
                                      const struct model_order *order)
{
    const struct model_account *account = &model->accounts[order->account];
    if (job->terms.qty > account->order_qty_limit) {
        return REASON_QTY_ABOVE_LIMIT;
    }
    if (model_order_live(model, order->account) + order->job_lanes > account->open_orders_limit) {
        return REASON_TOO_MANY_OPEN_ORDERS;
    }
    enum reject_reason reason = check_size(model, job, order, 0);
    if (reason != REASON_NONE) {
        return reason;
    }
    return tables_full(model, job) ? REASON_FULL : REASON_NONE;
}

/* Refuses what can be refused before the JOB is put together; true: refused. */
static bool refused(struct model *model)
{
    enum reject_reason reason = check_form(model);
    if (reason == REASON_NONE) {
        reason = check_numbers(model);
    }
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return true;
    }
    for (uint32_t i = 0; i < model->command->new_job.lane_count; i++) {
        reason = check_lane(model, i);
        if (reason != REASON_NONE) {
            const struct job_lane *lane = lane_of_request(model, i);
            model_reject_at(model, reason, (uint8_t)(i + 1),
                            contract_pack(lane->class_id, lane->region_id, lane->tier,
                                          model->command->new_job.window_from));
            return true;
        }
    }
    return false;
}

static struct model_job job_of_request(const struct model *model)
{
    struct model_job job;
    memset(&job, 0, sizeof(job));
    job.terms = model->command->new_job;
    for (uint32_t i = 0; i < job.terms.lane_count; i++) {
        const struct job_lane *lane = lane_of_request(model, i);
        job.lanes[i] = (struct job_lane){.class_id = lane->class_id,
                                         .region_id = lane->region_id,
                                         .tier = lane->tier,
                                         .lane = (uint8_t)(i + 1),
                                         .factor_e4 = lane->factor_e4};
    }
    return job;
}

static struct model_order order_of_request(const struct model *model, const struct model_job *job)
{
    uint32_t key = model->command->head.key;
    uint32_t account = model->keys[key].account;
    const struct model_fees *fees = &model->fees[model->accounts[account].fees];
    struct model_order order = {.contract =
                                    model_job_contract(job->terms.window_to, job->terms.hours),
                                .cl_ord_id = model->command->head.cl_ord_id,
                                .price_e4 = job->terms.price_e4,
                                .leaves_qty = job->terms.qty * job->terms.hours,
                                .expire_time_ns = job->terms.expire_time_ns,
                                .job_factor_e4 = job->lanes[0].factor_e4,
                                .job_lanes = job->terms.lane_count,
                                .key = key,
                                .account = account,
                                .maker_bp = fees->maker_bp,
                                .taker_bp = fees->taker_bp,
                                .kind = MODEL_JOB,
                                .side = SIDE_BUY,
                                .tif = job->terms.tif};
    for (uint32_t i = 1; i < job->terms.lane_count; i++) {
        if (job->lanes[i].factor_e4 < order.job_factor_e4) {
            order.job_factor_e4 = job->lanes[i].factor_e4;
        }
    }
    return order;
}

static void emit_job(struct model *model, const struct model_job *job,
                     const struct model_order *order)
{
    struct event *event = model_emit_report(model, EVENT_JOB, order->key, order->cl_ord_id);
    event->job.order_id = order->order_id;
    event->job.price_e4 = job->terms.price_e4;
    event->job.qty = job->terms.qty;
    event->job.expire_time_ns = job->terms.expire_time_ns;
    event->job.same_group = job->terms.same_group;
    event->job.reserved_e4 = model_money_order_reserve_e4(order);
    event->job.window_from = job->terms.window_from;
    event->job.window_to = job->terms.window_to;
    event->job.hours = job->terms.hours;
    event->job.placement = job->terms.placement;
    event->job.lane_count = job->terms.lane_count;
    event->job.tif = job->terms.tif;
    for (uint32_t i = 0; i < job->terms.lane_count; i += JOB_LANES_PER_EVENT) {
        struct event_job_lanes *lanes =
            &model_emit(model, EVENT_JOB_LANES, model->keys[order->key].link)->job_lanes;
        lanes->order_id = order->order_id;
        for (uint32_t k = 0; k < JOB_LANES_PER_EVENT && i + k < job->terms.lane_count; k++) {
            lanes->lanes[k] = job->lanes[i + k];
        }
    }
}

/* The best fit, or a place among the resting JOBs, or the end. */
static void arrive(struct model *model, uint64_t order_id)
{
    struct model_job *job = model_job_find(model, order_id);
    struct model_fit fit = model_job_fit(model, job, model_job_all(model, job));
    if (fit.found) {
        model_job_execute(model, order_id, fit);
        return;
    }
    model_job_miss(model, job);
    job->resting = job->terms.tif == TIF_GATE || job->terms.tif == TIF_TIME;
    if (!job->resting) {
        const struct model_order *order = model_book_find(model, order_id);
        model_book_end(model, order_id, REASON_JOB_NOT_FILLED, order->cl_ord_id, false);
    }
}

void model_job_new(struct model *model)
{
    if (refused(model)) {
        return;
    }
    struct model_job job = job_of_request(model);
    struct model_order order = order_of_request(model, &job);
    enum reject_reason reason = check_means(model, &job, &order);
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return;
    }
    order.order_id = ++model->last_order_id;
    order.entry = ++model->last_entry;
    order.place = order.entry;
    job.order_id = order.order_id;
    CHECK(model->job_count < MODEL_JOBS_MAX);
    model_order_add(model, &order);
    model->jobs[model->job_count++] = job;
    emit_job(model, &job, &order);
    arrive(model, order.order_id);
}

/* --- replace ------------------------------------------------------------------------------------- */

static enum reject_reason check_replace(struct model *model, const struct model_job *job)
{
    const struct command_replace_order *request = &model->command->replace_order;
    for (uint32_t i = 0; i < job->terms.lane_count; i++) {
        const struct model_market *market =
            model_market_find(model, job->lanes[i].class_id, job->lanes[i].region_id);
        if (market->terms.mode == MODE_NONE) {
            return REASON_NO_MARKET;
        }
        if (market->halted) {
            return REASON_MARKET_HALTED;
        }
    }
    if (request->price_e4 < 1 || request->price_e4 > PRICE_MAX_E4) {
        return REASON_PRICE_OUT_OF_RANGE;
    }
    if (request->qty < 1 || request->qty > QTY_MAX) {
        return REASON_QTY_OUT_OF_RANGE;
    }
    for (uint32_t i = 0; i < job->terms.lane_count; i++) {
        if (request->qty % model->classes[job->lanes[i].class_id].lot != 0) {
            return REASON_QTY_NOT_IN_LOTS;
        }
    }
    uint32_t account = model->keys[model->command->head.key].account;
    if (request->qty > model->accounts[account].order_qty_limit) {
        return REASON_QTY_ABOVE_LIMIT;
    }
    return request->price_e4 == job->terms.price_e4 && request->qty == job->terms.qty
               ? REASON_NOTHING_TO_REPLACE
               : REASON_NONE;
}

static void emit_replaced(struct model *model, const struct model_order *was,
                          const struct model_order *is, bool kept)
{
    struct event *event = model_emit_report(model, EVENT_REPLACED, is->key, is->cl_ord_id);
    event->replaced.order_id = is->order_id;
    event->replaced.orig_cl_ord_id = was->cl_ord_id;
    event->replaced.price_e4 = is->price_e4;
    event->replaced.qty = model->command->replace_order.qty;
    event->replaced.leaves_qty = is->leaves_qty;
    event->replaced.old_price_e4 = was->price_e4;
    event->replaced.old_leaves_qty = was->leaves_qty;
    event->replaced.side = SIDE_BUY;
    event->replaced.kept_priority = kept;
}

/* The order as the request wants it, its time but for the number of the new place. */
static struct model_order replaced_order(const struct model *model, const struct model_job *job,
                                         const struct model_order *was, bool kept)
{
    const struct command_replace_order *request = &model->command->replace_order;
    struct model_order is = *was;
    if (is.key == model->command->head.key) {
        is.cl_ord_id = model->command->head.cl_ord_id;
    }
    is.price_e4 = request->price_e4;
    is.leaves_qty = request->qty * job->terms.hours;
    if (!kept) {
        const struct model_fees *fees = &model->fees[model->accounts[is.account].fees];
        is.maker_bp = fees->maker_bp;
        is.taker_bp = fees->taker_bp;
    }
    return is;
}

void model_job_replace(struct model *model, uint64_t order_id)
{
    const struct command_replace_order *request = &model->command->replace_order;
    struct model_job *job = model_job_find(model, order_id);
    enum reject_reason reason = check_replace(model, job);
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return;
    }
    struct model_order was = *model_book_find(model, order_id);
    bool kept = request->price_e4 == was.price_e4 && request->qty < job->terms.qty;
    struct model_order is = replaced_order(model, job, &was, kept);
    reason = check_size(model, job, &is, model_money_order_reserve_e4(&was));
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return;
    }
    if (!kept) {
        is.place = ++model->last_entry;
    }
    *model_book_find(model, order_id) = is;
    job->terms.price_e4 = request->price_e4;
    job->terms.qty = request->qty;
    emit_replaced(model, &was, &is, kept);
    model_order_emit_done_if_other(model, is.key);
    arrive(model, order_id);
}
