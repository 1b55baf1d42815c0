/* Sections 8 and 9 of the rulebook: what is over, who takes it out, and how far a step gets. */
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

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

/* Of an order in one contract. */
static bool mass_covers_one(const struct model_mass_cancel *mass, const struct model_order *order)
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

/* A SET as a whole is covered when all of its live legs are. */
static bool mass_covers(const struct model *model, const struct model_mass_cancel *mass,
                        const struct model_order *order)
{
    if (order->kind == MODEL_JOB) {
        return model_job_mass_covers(model, mass, order);
    }
    if (order->kind != MODEL_SET) {
        return mass_covers_one(mass, order);
    }
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *leg = &model->orders[i];
        if (leg->kind == MODEL_LEG && leg->set_id == order->order_id &&
            !mass_covers_one(mass, leg)) {
            return false;
        }
    }
    return true;
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
        if (mass_covers(model, &model->mass_cancels[i], order)) {
            return &model->mass_cancels[i];
        }
    }
    return NULL;
}

static bool gate_passed(const struct model *model, const struct model_order *order)
{
    return order->kind != MODEL_SET &&
           model_due_gate_ns(model, contract_hour(order->contract)) <= model->time_ns;
}

/* Of a leg: what ends the leg alone comes last. */
enum reject_reason model_due_over(struct model *model, const struct model_order *order)
{
    if (gate_passed(model, order)) {
        return REASON_GATE_CLOSED;
    }
    if (order->kind == MODEL_LEG) {
        enum reject_reason reason = model_due_over(model, model_book_find(model, order->set_id));
        if (reason != REASON_NONE) {
            return reason;
        }
    }
    if (order->tif == TIF_TIME && order->expire_time_ns <= model->time_ns) {
        return REASON_EXPIRED;
    }
    const struct model_ending *ending = ending_of(model, order);
    if (ending != NULL) {
        return (enum reject_reason)ending->reason;
    }
    bool bids = order->side == SIDE_BUY && (order->kind == MODEL_PLAIN || order->kind == MODEL_LEG);
    if (bids &&
        model_market_find(model, contract_class(order->contract), contract_region(order->contract))
            ->delisting) {
        return REASON_MODE_CHANGED;
    }
    return mass_cancel_of(model, order) != NULL ? REASON_MASS_CANCELED : REASON_NONE;
}

void model_due_take_out_because(struct model *model, const struct model_order *order,
                                enum reject_reason reason)
{
    if (order->kind == MODEL_LEG) {
        model_set_end_leg(model, order->order_id, reason, false);
        return;
    }
    if (reason == REASON_MASS_CANCELED) {
        mass_cancel_of(model, order)->canceled++;
    }
    model_book_end(model, order->order_id, reason, order->cl_ord_id, true);
}

void model_due_take_out(struct model *model, uint64_t order_id)
{
    const struct model_order *order = model_book_find(model, order_id);
    const struct model_order *owner = model_book_find(model, order->set_id);
    if (order->kind == MODEL_LEG && model_due_over(model, owner) != REASON_NONE) {
        order = owner;
    }
    model_due_take_out_because(model, order, model_due_over(model, order));
}

static const struct model_order *leg_over(struct model *model, uint64_t set_id)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *leg = &model->orders[i];
        if (leg->kind == MODEL_LEG && leg->set_id == set_id &&
            model_due_over(model, leg) != REASON_NONE) {
            return leg;
        }
    }
    return NULL;
}

bool model_due_touch_set(struct model *model, uint64_t set_id)
{
    const struct model_order *set = model_book_find(model, set_id);
    if (model_due_over(model, set) != REASON_NONE) {
        model_due_take_out(model, set_id);
        return false;
    }
    for (const struct model_order *leg = leg_over(model, set_id); leg != NULL;
         leg = leg_over(model, set_id)) {
        model_due_take_out_because(model, leg, model_due_over(model, leg));
    }
    return model_book_find(model, set_id) != NULL;
}

/* Whether `a` leaves a ladder at its gate before `b`: the books, then what stands apart; bids, offers;
 * tiers upwards; best first. */
static bool gate_before(const struct model_order *a, const struct model_order *b)
{
    if (model_book_stands(a) != model_book_stands(b)) {
        return model_book_stands(a);
    }
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

static void forget_last_trade(struct model *model, uint16_t class_id, uint16_t region_id,
                              uint32_t hour)
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
}

static void forget_sold(struct model *model, uint32_t hour)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->sold_count; i++) {
        if (model->sold[i].hour != hour) {
            model->sold[kept++] = model->sold[i];
        }
    }
    model->sold_count = kept;
}

/* Forgets one holding of the hour; false when there is none left. */
static bool forget_holding(struct model *model, uint32_t hour)
{
    for (uint32_t i = 0; i < model->holding_count; i++) {
        if (model->holdings[i].hour == hour) {
            model->holdings[i] = model->holdings[--model->holding_count];
            return true;
        }
    }
    return false;
}

static const struct model_order *first_at_gate(const struct model *model,
                                               const struct command_set_market *terms)
{
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
    return first;
}

/* One order of the market at its gate, or the market itself. */
static void gate_market_unit(struct model *model)
{
    const struct command_set_market *terms = &model->markets[model->gate_market].terms;
    model_auction_gate(model,
                       contract_pack(terms->class_id, terms->region_id, 0, model->gate_hour));
    const struct model_order *first = first_at_gate(model, terms);
    if (first != NULL) {
        model_due_take_out_because(model, first, REASON_GATE_CLOSED);
        return;
    }
    forget_last_trade(model, terms->class_id, terms->region_id, model->gate_hour);
    model_job_due_forget(model, terms->class_id, terms->region_id, model->gate_hour);
    model->gate_market++;
}

static bool gate_due(const struct model *model)
{
    return model_due_gate_ns(model, model->gate_hour) <= model->time_ns;
}

/* False: no gate is due. Going on to the next hour costs nothing. */
static bool gate_unit(struct model *model)
{
    while (gate_due(model)) {
        if (model->gate_market < model->market_count) {
            gate_market_unit(model);
            return true;
        }
        if (forget_holding(model, model->gate_hour)) {
            return true;
        }
        forget_sold(model, model->gate_hour);
        model->gate_market = 0;
        model->gate_hour++;
    }
    return false;
}

static bool can_trade(const struct model_market *market)
{
    return !market->halted && market->terms.mode != MODE_NONE;
}

/* The reservation of an offer ends, and it arrives in its book or waits until it may. */
static void release(struct model *model, struct model_order *order)
{
    const struct model_market *market =
        model_market_find(model, contract_class(order->contract), contract_region(order->contract));
    if (model_due_over(model, order) != REASON_NONE) {
        model_due_take_out(model, order->order_id);
        return;
    }
    if (!can_trade(market)) {
        order->waits = ++model->waits_begun;
        return;
    }
    bool collected = model_auction_collects(model, order->contract);
    bool room = collected
                    ? !model_auction_begins(model, order->contract) || model_auction_room(model, 1)
                    : model_room_for_fills(model, model_room_needed(model, order));
    if (!room) {
        model_book_end(model, order->order_id, REASON_FULL, order->cl_ord_id, true);
        return;
    }
    int64_t reference_e4 = 0;
    (void)model_money_reference(model, order->contract, &reference_e4);
    order->flags &= (uint16_t)~ORDER_RESERVED_FOR_JOBS;
    order->waits = 0;
    order->place = ++model->last_entry;
    struct event *event = model_emit_report(model, EVENT_RELEASED, order->key, order->cl_ord_id);
    model_book_tell_out(event, order, REASON_RESERVATION_ENDED, true);
    model_order_arrive(model, order->order_id,
                       model_book_band(reference_e4, market->terms.inner_band_bp));
}

/* The time at which an order's timer rings; false: it has none. */
static bool timer_of(const struct model *model, const struct model_order *order, int64_t *time_ns)
{
    if (order->kind == MODEL_JOB) {
        *time_ns = model_job_timer_ns(model, order);
        return true;
    }
    *time_ns = model_order_reserved(order) ? order->release_ns : order->expire_time_ns;
    return order->kind != MODEL_LEG && order->waits == 0 &&
           (order->tif == TIF_TIME || model_order_reserved(order));
}

static bool timer_unit(struct model *model)
{
    struct model_order *first = NULL;
    int64_t first_ns = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        int64_t time_ns;
        if (timer_of(model, &model->orders[i], &time_ns) && time_ns <= model->time_ns &&
            (first == NULL || time_ns < first_ns)) {
            first = &model->orders[i];
            first_ns = time_ns;
        }
    }
    if (first == NULL) {
        return false;
    }
    if (model_order_reserved(first)) {
        release(model, first);
    } else {
        model_due_take_out_because(
            model, first, first->kind == MODEL_JOB ? model_due_over(model, first) : REASON_EXPIRED);
    }
    return true;
}

/* The offer that has waited longest in a market. */
static struct model_order *first_that_waits(struct model *model, const struct model_market *market)
{
    struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->waits != 0 && contract_class(order->contract) == market->terms.class_id &&
            contract_region(order->contract) == market->terms.region_id &&
            (first == NULL || order->waits < first->waits)) {
            first = order;
        }
    }
    return first;
}

void model_due_market_moved(struct model *model, struct model_market *market)
{
    if (market->resumed == 0 && can_trade(market) && first_that_waits(model, market) != NULL) {
        market->resumed = ++model->resumptions;
    }
}

/* One offer that has waited, or the end of its market's turn. */
static bool resumed_unit(struct model *model)
{
    struct model_market *market = NULL;
    for (uint32_t i = 0; i < model->market_count; i++) {
        struct model_market *other = &model->markets[i];
        if (other->resumed != 0 && (market == NULL || other->resumed < market->resumed)) {
            market = other;
        }
    }
    if (market == NULL) {
        return false;
    }
    struct model_order *order = first_that_waits(model, market);
    if (order == NULL || !can_trade(market)) {
        market->resumed = 0;
    } else {
        release(model, order);
    }
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
        if (order->kind != MODEL_LEG && order->key == ending->key &&
            order->entry < ending->before) {
            model_due_take_out_because(model, order, (enum reject_reason)ending->reason);
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

/* The oldest order of a key that the mass cancel has not looked at. */
static const struct model_order *next_to_look_at(const struct model *model,
                                                 const struct model_mass_cancel *mass, uint32_t key)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->kind != MODEL_LEG && order->key == key && order->entry > mass->looked_at &&
            order->entry < mass->before) {
            return order;
        }
    }
    return NULL;
}

/* The next key of the account after `key`; above all keys when there is none. */
static uint32_t next_key(const struct model *model, const struct model_mass_cancel *mass,
                         uint32_t key)
{
    do {
        key++;
    } while (key <= model->key_count && !mass_looks_at(model, mass, key));
    return key;
}

/* The legs of a SET that the mass cancel covers, where it does not cover all. */
static void end_covered_legs(struct model *model, const struct model_mass_cancel *mass,
                             uint64_t set_id)
{
    for (uint32_t leg = 1; leg <= SET_LEGS_MAX; leg++) {
        const struct model_order *order = model_book_find(model, model_leg_id(set_id, leg));
        if (order != NULL && mass_covers(model, mass, order)) {
            model_due_take_out_because(model, order, REASON_MASS_CANCELED);
        }
    }
}

/* One order looked at, or one key finished; after the last key the end. */
static bool mass_unit(struct model *model)
{
    if (model->mass_cancel_count == 0) {
        return false;
    }
    struct model_mass_cancel *mass = &model->mass_cancels[0];
    const struct model_order *order = next_to_look_at(model, mass, mass->key_under_way);
    if (order != NULL) {
        mass->looked_at = order->entry;
        if (mass_covers(model, mass, order)) {
            mass->canceled++;
            model_book_end(model, order->order_id, REASON_MASS_CANCELED, order->cl_ord_id, true);
        } else if (order->kind == MODEL_SET) {
            end_covered_legs(model, mass, order->order_id);
        }
        return true;
    }
    mass->looked_at = 0;
    mass->key_under_way = next_key(model, mass, mass->key_under_way);
    if (mass->key_under_way > model->key_count) {
        emit_sweep(model, EVENT_SWEEP_DONE, mass)->sweep.canceled = mass->canceled;
        model->mass_cancel_count--;
        memmove(mass, mass + 1, model->mass_cancel_count * sizeof(*mass));
    }
    return true;
}

uint32_t model_due_housekeeping(struct model *model, uint32_t units)
{
    while (units > 0 && (gate_unit(model) || timer_unit(model) || ending_unit(model) ||
                         mass_unit(model) || model_auction_delisting_unit(model) ||
                         resumed_unit(model) || model_auction_unit(model))) {
        units--;
    }
    return units;
}

static bool has_live_order(const struct model *model, uint32_t key)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        if (model->orders[i].key == key) {
            return true;
        }
    }
    return false;
}

/* A key on the list keeps its place; the later reason and time count. */
void model_due_end_key(struct model *model, uint32_t key, enum reject_reason reason)
{
    struct model_ending ending = {
        .before = model->last_entry + 1, .key = key, .reason = (uint16_t)reason};
    if (!has_live_order(model, key)) {
        return;
    }
    for (uint32_t i = 0; i < model->ending_count; i++) {
        if (model->endings[i].key == key) {
            model->endings[i] = ending;
            return;
        }
    }
    CHECK(model->ending_count < MODEL_ENDINGS_MAX);
    model->endings[model->ending_count++] = ending;
}

static enum reject_reason check_mass_cancel(const struct model *model)
{
    const struct command_mass_cancel *scope = &model->command->mass_cancel;
    if (scope->filter > 15) {
        return REASON_INVALID_COMMAND;
    }
    if ((scope->filter & MASS_CANCEL_CLASS) != 0 && scope->class_id >= model->class_count) {
        return REASON_UNKNOWN_CLASS;
    }
    if ((scope->filter & MASS_CANCEL_REGION) != 0 && scope->region_id >= model->region_count) {
        return REASON_UNKNOWN_REGION;
    }
    if (model->mass_cancel_count == MODEL_MASS_CANCELS_MAX) {
        return REASON_BUSY;
    }
    return (scope->filter & MASS_CANCEL_HOURS) != 0 && scope->hour_from >= scope->hour_to
               ? REASON_INVALID_RANGE
               : REASON_NONE;
}

void model_due_mass_cancel(struct model *model)
{
    enum reject_reason reason = check_mass_cancel(model);
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return;
    }
    uint32_t key = model->command->head.key;
    struct model_mass_cancel *mass = &model->mass_cancels[model->mass_cancel_count++];
    *mass = (struct model_mass_cancel){.scope = model->command->mass_cancel,
                                       .sweep_id = ++model->last_sweep_id,
                                       .before = model->last_entry + 1,
                                       .cl_ord_id = model->command->head.cl_ord_id,
                                       .key = key,
                                       .account = model->keys[key].account};
    mass->key_under_way = next_key(model, mass, 0);
    emit_sweep(model, EVENT_MASS_CANCEL, mass);
}
