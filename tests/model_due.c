/* Sections 8 and 9 of the rulebook: what is over, who takes it out, and how far a step gets. */
#include <string.h>

#include "base/check.h"
#include "tests/model.h"

model_wide model_due_gate_ns(const struct model *model, uint32_t hour)
{
    return (model_wide)hour * NS_PER_HOUR - (model_wide)model->rules.gate_lead_s * NS_PER_SECOND;
}

uint32_t model_due_first_open_hour(const struct model *model, int64_t time_ns)
{
    uint32_t hour = (uint32_t)(time_ns / NS_PER_HOUR);
    while (model_due_gate_ns(model, hour) <= time_ns) {
        hour++;
    }
    return hour;
}

static bool mass_covers(const struct model_mass_cancel *mass, const struct model_order *order)
{
    const struct command_mass_cancel *scope = &mass->scope;
    uint32_t hour = contract_hour(order->contract);
    if (order->account != mass->account || order->entry >= mass->before) {
        return false;
    }
    if ((scope->filter & MASS_CANCEL_OWN_KEY) != 0 && order->key != mass->key) {
        return false;
    }
    if ((scope->filter & MASS_CANCEL_CLASS) != 0 &&
        contract_class(order->contract) != scope->class_id) {
        return false;
    }
    if ((scope->filter & MASS_CANCEL_REGION) != 0 &&
        contract_region(order->contract) != scope->region_id) {
        return false;
    }
    return (scope->filter & MASS_CANCEL_HOURS) == 0 ||
           (hour >= scope->hour_from && hour < scope->hour_to);
}

static const struct model_ending *ending_of(const struct model *model,
                                            const struct model_order *order)
{
    for (uint32_t i = 0; i < model->ending_count; i++) {
        const struct model_ending *ending = &model->endings[i];
        if (ending->key == order->key && order->entry < ending->before) {
            return ending;
        }
    }
    return NULL;
}

static struct model_mass_cancel *mass_cancel_of(struct model *model,
                                                const struct model_order *order)
{
    for (uint32_t i = 0; i < model->mass_cancel_count; i++) {
        if (mass_covers(&model->mass_cancels[i], order)) {
            return &model->mass_cancels[i];
        }
    }
    return NULL;
}

enum reject_reason model_due_over(struct model *model, const struct model_order *order)
{
    if (model_due_gate_ns(model, contract_hour(order->contract)) <= model->time_ns) {
        return REASON_GATE_CLOSED;
    }
    if (order->tif == TIF_TIME && order->expire_time_ns <= model->time_ns) {
        return REASON_EXPIRED;
    }
    const struct model_ending *ending = ending_of(model, order);
    if (ending != NULL) {
        return (enum reject_reason)ending->reason;
    }
    return mass_cancel_of(model, order) != NULL ? REASON_MASS_CANCELED : REASON_NONE;
}

static void take_out_because(struct model *model, const struct model_order *order,
                             enum reject_reason reason)
{
    if (reason == REASON_MASS_CANCELED) {
        mass_cancel_of(model, order)->canceled++;
    }
    model_book_end(model, order->order_id, reason, order->cl_ord_id, true);
}

void model_due_take_out(struct model *model, uint64_t order_id)
{
    const struct model_order *order = model_book_find(model, order_id);
    take_out_because(model, order, model_due_over(model, order));
}

/* Whether `a` leaves a ladder at its gate before `b`: bids, offers; tiers upwards; best first. */
static bool gate_before(const struct model_order *a, const struct model_order *b)
{
    if (a->side != b->side) {
        return a->side == SIDE_BUY;
    }
    if (contract_tier(a->contract) != contract_tier(b->contract)) {
        return contract_tier(a->contract) < contract_tier(b->contract);
    }
    if (a->price_e4 != b->price_e4) {
        return a->side == SIDE_BUY ? a->price_e4 > b->price_e4 : a->price_e4 < b->price_e4;
    }
    return a->place < b->place;
}

static void forget_ladder(struct model *model, uint16_t class_id, uint16_t region_id, uint32_t hour)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->ladder_count; i++) {
        const struct model_ladder *ladder = &model->ladders[i];
        if (ladder->class_id != class_id || ladder->region_id != region_id ||
            ladder->hour != hour) {
            model->ladders[kept++] = *ladder;
        }
    }
    model->ladder_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < model->holding_count; i++) {
        const struct model_holding *holding = &model->holdings[i];
        const struct command_register_resource *terms = &model->resources[holding->resource].terms;
        if (terms->class_id != class_id || terms->region_id != region_id || holding->hour != hour) {
            model->holdings[kept++] = *holding;
        }
    }
    model->holding_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < model->sold_count; i++) {
        const struct model_sold *sold = &model->sold[i];
        const struct command_register_resource *terms = &model->resources[sold->resource].terms;
        if (terms->class_id != class_id || terms->region_id != region_id || sold->hour != hour) {
            model->sold[kept++] = *sold;
        }
    }
    model->sold_count = kept;
}

/* One order of the market at its gate, or the market itself. False: no gate is due. */
static bool gate_unit(struct model *model)
{
    while (model->market_count == 0 &&
           model_due_gate_ns(model, model->gate_hour) <= model->time_ns) {
        model->gate_hour++;
    }
    if (model_due_gate_ns(model, model->gate_hour) > model->time_ns) {
        return false;
    }
    const struct command_set_market *terms = &model->markets[model->gate_market].terms;
    const struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (contract_class(order->contract) == terms->class_id &&
            contract_region(order->contract) == terms->region_id &&
            contract_hour(order->contract) == model->gate_hour &&
            (first == NULL || gate_before(order, first))) {
            first = order;
        }
    }
    if (first != NULL) {
        take_out_because(model, first, REASON_GATE_CLOSED);
        return true;
    }
    forget_ladder(model, terms->class_id, terms->region_id, model->gate_hour);
    model->gate_market++;
    if (model->gate_market == model->market_count) {
        model->gate_market = 0;
        model->gate_hour++;
    }
    return true;
}

static bool expiry_unit(struct model *model)
{
    const struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->tif == TIF_TIME && order->expire_time_ns <= model->time_ns &&
            (first == NULL || order->expire_time_ns < first->expire_time_ns)) {
            first = order;
        }
    }
    if (first == NULL) {
        return false;
    }
    take_out_because(model, first, REASON_EXPIRED);
    return true;
}

static bool ending_unit(struct model *model)
{
    if (model->ending_count == 0) {
        return false;
    }
    const struct model_ending *ending = &model->endings[0];
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->key == ending->key && order->entry < ending->before) {
            take_out_because(model, order, (enum reject_reason)ending->reason);
            return true;
        }
    }
    model->ending_count--;
    memmove(&model->endings[0], &model->endings[1], model->ending_count * sizeof(*ending));
    return true;
}

static struct event *emit_sweep(struct model *model, uint8_t type,
                                const struct model_mass_cancel *mass)
{
    struct event *event = model_emit_report(model, type, mass->key, mass->cl_ord_id);
    event->sweep.scope.hour_from = mass->scope.hour_from;
    event->sweep.scope.hour_to = mass->scope.hour_to;
    event->sweep.scope.class_id = mass->scope.class_id;
    event->sweep.scope.region_id = mass->scope.region_id;
    event->sweep.scope.filter = mass->scope.filter;
    event->sweep.sweep_id = mass->sweep_id;
    return event;
}

/* Whether a mass cancel has this key to look at. */
static bool mass_looks_at(const struct model *model, const struct model_mass_cancel *mass,
                          uint32_t key)
{
    return model->keys[key].account == mass->account &&
           ((mass->scope.filter & MASS_CANCEL_OWN_KEY) == 0 || key == mass->key);
}

static bool mass_unit(struct model *model)
{
    if (model->mass_cancel_count == 0) {
        return false;
    }
    struct model_mass_cancel *mass = &model->mass_cancels[0];
    uint32_t key = mass->looking_at + 1;
    while (key <= model->key_count && !mass_looks_at(model, mass, key)) {
        key++;
    }
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->key == key && mass_covers(mass, order)) {
            take_out_because(model, order, REASON_MASS_CANCELED);
            return true;
        }
    }
    mass->looking_at = key;
    do {
        key++;
    } while (key <= model->key_count && !mass_looks_at(model, mass, key));
    if (key > model->key_count) {
        emit_sweep(model, EVENT_SWEEP_DONE, mass)->sweep.canceled = mass->canceled;
        model->mass_cancel_count--;
        memmove(mass, mass + 1, model->mass_cancel_count * sizeof(*mass));
    }
    return true;
}

uint32_t model_due_housekeeping(struct model *model, uint32_t units)
{
    while (units > 0 &&
           (gate_unit(model) || expiry_unit(model) || ending_unit(model) || mass_unit(model))) {
        units--;
    }
    return units;
}

void model_due_end_key(struct model *model, uint32_t key, enum reject_reason reason)
{
    CHECK(model->ending_count < MODEL_ENDINGS_MAX);
    model->endings[model->ending_count++] = (struct model_ending){
        .before = model->last_entry + 1, .key = key, .reason = (uint16_t)reason};
}

void model_due_mass_cancel(struct model *model)
{
    const struct command_mass_cancel *scope = &model->command->mass_cancel;
    if (model->mass_cancel_count == MODEL_MASS_CANCELS_MAX) {
        model_reject(model, REASON_BUSY);
        return;
    }
    if ((scope->filter & MASS_CANCEL_HOURS) != 0 && scope->hour_from >= scope->hour_to) {
        model_reject(model, REASON_INVALID_RANGE);
        return;
    }
    uint32_t key = model->command->head.key;
    struct model_mass_cancel *mass = &model->mass_cancels[model->mass_cancel_count++];
    *mass = (struct model_mass_cancel){.scope = *scope,
                                       .sweep_id = ++model->last_sweep_id,
                                       .before = model->last_entry + 1,
                                       .cl_ord_id = model->command->head.cl_ord_id,
                                       .key = key,
                                       .account = model->keys[key].account};
    emit_sweep(model, EVENT_MASS_CANCEL, mass);
}
