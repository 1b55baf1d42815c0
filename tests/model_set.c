/* Section 11 of the rulebook: SET orders. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model.h"

/* A SET on its way in, or arriving anew. */
struct entry {
    struct model_order set;
    struct model_order legs[SET_LEGS_MAX];
    struct model_band inner[SET_LEGS_MAX + 1]; /* by number of the leg, from 1 */
    uint32_t count;
    const struct model_order *fault; /* leg that a refusal names */
};

static uint32_t lot_of(const struct model *model, const struct model_order *leg)
{
    return model->classes[contract_class(leg->contract)].lot;
}

static const struct model_order *set_of(const struct model *model, const struct model_order *leg)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        if (model->orders[i].order_id == leg->set_id) {
            return &model->orders[i];
        }
    }
    return NULL;
}

int64_t model_set_tradeable(const struct model *model, const struct model_order *leg)
{
    const struct model_order *set = set_of(model, leg);
    CHECK(set != NULL);
    return set->leaves_qty - set->leaves_qty % lot_of(model, leg);
}

static struct model_order *leg_of(struct model *model, uint64_t set_id, uint32_t leg)
{
    return model_book_find(model, model_leg_id(set_id, leg));
}

/* The dearest of live legs; 0 when none lives. */
static int64_t dearest_e4(struct model *model, uint64_t set_id)
{
    int64_t dearest = 0;
    for (uint32_t i = 1; i <= SET_LEGS_MAX; i++) {
        const struct model_order *leg = leg_of(model, set_id, i);
        if (leg != NULL && leg->price_e4 > dearest) {
            dearest = leg->price_e4;
        }
    }
    return dearest;
}

void model_set_end_leg(struct model *model, uint64_t leg_id, enum reject_reason reason,
                       bool arriving)
{
    const struct model_order *leg = model_book_find(model, leg_id);
    uint64_t set_id = leg->set_id;
    const struct model_order *set = set_of(model, leg);
    struct event *event = model_emit_report(model, EVENT_LEG_CANCELED, set->key, set->cl_ord_id);
    model_book_tell_out(event, set, reason, !arriving && !leg->asleep);
    event->out.contract = leg->contract;
    event->out.price_e4 = leg->price_e4;
    model_book_drop(model, leg_id);
    struct model_order *left = model_book_find(model, set_id);
    int64_t dearest = dearest_e4(model, set_id);
    if (dearest == 0) {
        model_book_end(model, set_id, reason, left->cl_ord_id, !arriving);
    } else {
        left->price_e4 = dearest;
    }
}

void model_set_settle(struct model *model, uint64_t set_id)
{
    if (model_book_find(model, set_id)->leaves_qty == 0) {
        model_book_drop(model, set_id);
        return;
    }
    for (uint32_t i = 1; i <= SET_LEGS_MAX; i++) {
        struct model_order *leg = leg_of(model, set_id, i);
        if (leg != NULL && !leg->asleep && model_set_tradeable(model, leg) == 0) {
            leg->asleep = true;
            leg->place = ++model->last_entry;
        }
    }
}

/* What remains comes to rest, last in time in every book, or among those that sleep. */
static void rest(struct model *model, uint64_t set_id)
{
    for (uint32_t i = 1; i <= SET_LEGS_MAX; i++) {
        struct model_order *leg = leg_of(model, set_id, i);
        if (leg != NULL) {
            leg->asleep = model_set_tradeable(model, leg) == 0 ||
                          model_auction_under_way(model, leg->contract);
            leg->place = ++model->last_entry;
        }
    }
}

/* --- arriving ------------------------------------------------------------------------------------ */

static bool collects(struct model *model, const struct model_order *leg)
{
    return model_auction_under_way(model, leg->contract) ||
           model_market_find(model, contract_class(leg->contract), contract_region(leg->contract))
                   ->terms.mode != MODE_CONTINUOUS;
}

/* The leg awake with the largest surplus, and the offer that gives it. */
static const struct model_order *next_leg(struct model *model, uint64_t set_id,
                                          const struct model_order **offer)
{
    const struct model_order *next = NULL;
    int64_t most_e4 = 0;
    for (uint32_t i = 1; i <= SET_LEGS_MAX; i++) {
        const struct model_order *leg = leg_of(model, set_id, i);
        if (leg == NULL || model_set_tradeable(model, leg) == 0 || collects(model, leg)) {
            continue;
        }
        const struct model_order *best = model_book_best(model, leg, true);
        if (best != NULL && (next == NULL || leg->price_e4 - best->price_e4 > most_e4)) {
            next = leg;
            most_e4 = leg->price_e4 - best->price_e4;
            *offer = best;
        }
    }
    return next;
}

static void trade(struct model *model, uint64_t set_id, const struct model_band *inner)
{
    const struct model_order *offer = NULL;
    for (const struct model_order *leg = next_leg(model, set_id, &offer); leg != NULL;
         leg = next_leg(model, set_id, &offer)) {
        model_book_meet(model, leg->order_id, offer->order_id, inner[leg->leg]);
        if (model_book_find(model, set_id) == NULL) {
            break;
        }
    }
    model_book_forget_passed(model);
}

void model_set_wake(struct model *model, uint64_t leg_id)
{
    struct model_order *leg = model_book_find(model, leg_id);
    uint64_t set_id = leg->set_id;
    const struct model_market *market =
        model_market_find(model, contract_class(leg->contract), contract_region(leg->contract));
    int64_t reference_e4 = 0;
    (void)model_money_reference(model, leg->contract, &reference_e4);
    struct model_band inner = model_book_band(reference_e4, market->terms.inner_band_bp);
    bool trades = market->terms.mode == MODE_CONTINUOUS;
    model->waking = true;
    while (leg != NULL && model_set_tradeable(model, leg) > 0) {
        const struct model_order *offer = trades ? model_book_best(model, leg, true) : NULL;
        if (offer == NULL) {
            leg->asleep = false;
            leg->place = ++model->last_entry;
            break;
        }
        model_book_meet(model, leg_id, offer->order_id, inner);
        if (model_book_find(model, set_id) != NULL) {
            model_set_settle(model, set_id);
        }
        leg = model_book_find(model, leg_id);
    }
    model->waking = false;
}

/* Puts the SET and its legs on the list of the live. */
static void enter(struct model *model, struct entry *entry)
{
    entry->set.order_id = ++model->last_order_id;
    entry->set.entry = ++model->last_entry;
    model_order_add(model, &entry->set);
    for (uint32_t i = 0; i < entry->count; i++) {
        entry->legs[i].order_id = model_leg_id(entry->set.order_id, i + 1);
        entry->legs[i].set_id = entry->set.order_id;
        entry->legs[i].entry = entry->set.entry;
        model_order_add(model, &entry->legs[i]);
    }
}

/* What a SET would fill: the offers that it has met, and how many GPUs it got. */
struct trial {
    uint64_t *met;
    uint32_t met_count;
    int64_t filled;
};

/* Whether meeting this offer ends the leg. */
static bool ends_leg(struct model *model, const struct model_order *leg,
                     const struct model_order *offer, struct model_band inner)
{
    return model_due_over(model, offer) == REASON_NONE &&
           (offer->price_e4 < inner.low_e4 || offer->price_e4 > inner.high_e4 ||
            (model_book_same_group(model, leg, offer) && leg->tif != TIF_FOK &&
             leg->stp == STP_CANCEL_NEWEST));
}

static void note_met(struct trial *trial, uint64_t offer_id)
{
    for (uint32_t i = 0; i < trial->met_count; i++) {
        if (trial->met[i] == offer_id) {
            return;
        }
    }
    trial->met[trial->met_count++] = offer_id;
}

static int64_t traded(const struct model_events *events)
{
    int64_t qty = 0;
    for (size_t i = 0; i < events->count; i++) {
        qty += events->items[i].head.type == EVENT_TRADE ? events->items[i].trade.qty : 0;
    }
    return qty;
}

/* What would be filled until it is `wanted`: all is done to a copy of the market. */
static struct trial try_out(const struct model *model, const struct entry *entry, int64_t wanted)
{
    struct model *copy = malloc(sizeof(*copy));
    uint64_t *met = calloc(model->order_count + 1, sizeof(*met));
    CHECK(copy != NULL && met != NULL);
    memcpy(copy, model, sizeof(*copy));
    struct model_events events = {NULL, 0, 0};
    copy->events = &events;
    struct entry entered = *entry;
    enter(copy, &entered);
    struct trial trial = {.met = met};
    const struct model_order *offer = NULL;
    while (trial.filled < wanted && model_book_find(copy, entered.set.order_id) != NULL) {
        const struct model_order *leg = next_leg(copy, entered.set.order_id, &offer);
        if (leg == NULL) {
            break;
        }
        if (!ends_leg(copy, leg, offer, entry->inner[leg->leg])) {
            note_met(&trial, offer->order_id);
        }
        model_book_meet(copy, leg->order_id, offer->order_id, entry->inner[leg->leg]);
        trial.filled = traded(&events);
    }
    model_events_free(&events);
    free(copy);
    free(met);
    trial.met = NULL;
    return trial;
}

static void end_arriving(struct model *model, uint64_t set_id, enum reject_reason reason, bool miss)
{
    if (miss) {
        model_set_emit_miss(model, set_id);
    }
    model_book_end(model, set_id, reason, model_book_find(model, set_id)->cl_ord_id, false);
}

static void arrive(struct model *model, const struct entry *entry, bool misses)
{
    uint64_t id = entry->set.order_id;
    bool fok = entry->set.tif == TIF_FOK;
    if (misses) {
        end_arriving(model, id, fok ? REASON_FOK_NOT_FILLED : REASON_MIN_QTY_NOT_MET, true);
        return;
    }
    trade(model, id, entry->inner);
    const struct model_order *set = model_book_find(model, id);
    if (set == NULL) {
        return;
    }
    if (set->leaves_qty == 0) {
        model_book_drop(model, id);
    } else if (fok || set->tif == TIF_IOC) {
        end_arriving(model, id, REASON_IMMEDIATE_REMAINDER, set->cum_qty == 0);
    } else {
        rest(model, id);
    }
}

/* --- entering ------------------------------------------------------------------------------------ */

static enum reject_reason check_form(const struct model *model)
{
    const struct command_new_set *request = &model->command->new_set;
    bool immediate = request->tif == TIF_IOC || request->tif == TIF_FOK;
    bool post_only = (request->flags & ORDER_POST_ONLY) != 0;
    if (request->leg_count < 1 || request->leg_count > SET_LEGS_MAX) {
        return REASON_LEG_COUNT_OUT_OF_RANGE;
    }
    int slots = 1 + (request->leg_count + SET_LEGS_PER_SLOT - 1) / SET_LEGS_PER_SLOT;
    if (model->command->head.slots != slots || (request->flags & ~ORDER_POST_ONLY) != 0) {
        return REASON_INVALID_COMMAND;
    }
    if (request->tif > TIF_FOK) {
        return REASON_INVALID_TIME_IN_FORCE;
    }
    if (request->stp > STP_DECREMENT) {
        return REASON_INVALID_STP;
    }
    if (post_only && immediate) {
        return REASON_POST_ONLY_WITH_IMMEDIATE;
    }
    if (request->min_qty != 0 && request->tif == TIF_FOK) {
        return REASON_MIN_QTY_WITH_FOK;
    }
    if (request->min_qty != 0 && post_only) {
        return REASON_MIN_QTY_WITH_POST_ONLY;
    }
    if (request->display_qty != 0) {
        return REASON_DISPLAY_QTY_WITH_SET;
    }
    if (request->expire_time_ns != 0 && request->tif != TIF_TIME) {
        return REASON_EXPIRE_TIME_NOT_ALLOWED;
    }
    if (request->tif == TIF_TIME && request->expire_time_ns <= model->time_ns) {
        return REASON_EXPIRE_TIME_PAST;
    }
    return request->qty < 1 || request->qty > QTY_MAX ? REASON_QTY_OUT_OF_RANGE : REASON_NONE;
}

static bool twice(const struct entry *entry, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (entry->legs[i].contract == entry->legs[at].contract) {
            return true;
        }
    }
    return false;
}

/* Reference and outer band; notes the inner one. */
static enum reject_reason check_price(struct model *model, struct entry *entry,
                                      const struct model_order *leg)
{
    const struct model_market *market =
        model_market_find(model, contract_class(leg->contract), contract_region(leg->contract));
    int64_t reference_e4;
    if (!model_money_reference(model, leg->contract, &reference_e4)) {
        return REASON_NO_REFERENCE;
    }
    struct model_band outer = model_book_band(reference_e4, market->terms.outer_band_bp);
    if (leg->price_e4 < outer.low_e4 || leg->price_e4 > outer.high_e4) {
        return REASON_PRICE_OUTSIDE_BAND;
    }
    entry->inner[leg->leg] = model_book_band(reference_e4, market->terms.inner_band_bp);
    return REASON_NONE;
}

static enum reject_reason check_leg(struct model *model, struct entry *entry, uint32_t at)
{
    const struct model_order *leg = &entry->legs[at];
    enum reject_reason reason = model_order_check_contract(model, leg->contract);
    if (reason != REASON_NONE) {
        return reason;
    }
    if (model_market_find(model, contract_class(leg->contract), contract_region(leg->contract))
            ->terms.mode != MODE_CONTINUOUS) {
        return REASON_NOT_SUPPORTED;
    }
    if (leg->price_e4 < 1 || leg->price_e4 > PRICE_MAX_E4) {
        return REASON_PRICE_OUT_OF_RANGE;
    }
    reason = check_price(model, entry, leg);
    if (reason != REASON_NONE) {
        return reason;
    }
    return twice(entry, at) ? REASON_DUPLICATE_LEG : REASON_NONE;
}

static uint32_t smallest_lot(const struct model *model, const struct entry *entry)
{
    uint32_t smallest = UINT32_MAX;
    for (uint32_t i = 0; i < entry->count; i++) {
        uint32_t lot = lot_of(model, &entry->legs[i]);
        smallest = lot < smallest ? lot : smallest;
    }
    return smallest;
}

static enum reject_reason check_qty(const struct model *model, const struct entry *entry)
{
    const struct command_new_set *request = &model->command->new_set;
    uint32_t lot = smallest_lot(model, entry);
    if (request->qty % lot != 0) {
        return REASON_QTY_NOT_IN_LOTS;
    }
    if (request->qty > model->accounts[entry->set.account].order_qty_limit) {
        return REASON_QTY_ABOVE_LIMIT;
    }
    if (request->min_qty < 0 || request->min_qty > request->qty || request->min_qty % lot != 0) {
        return REASON_MIN_QTY_OUT_OF_RANGE;
    }
    return model_order_live(model, entry->set.account) + entry->count >
                   model->accounts[entry->set.account].open_orders_limit
               ? REASON_TOO_MANY_OPEN_ORDERS
               : REASON_NONE;
}

/* Tops that are over go, for the legs that the quantity wakes. */
static enum reject_reason check_tops(struct model *model, struct entry *entry)
{
    for (uint32_t i = 0; i < entry->count; i++) {
        const struct model_order *leg = &entry->legs[i];
        entry->fault = leg;
        if (entry->set.leaves_qty < lot_of(model, leg) || collects(model, leg)) {
            continue;
        }
        model_book_take_out_tops(model, leg);
        if ((entry->set.flags & ORDER_POST_ONLY) != 0 &&
            model_book_best(model, leg, true) != NULL) {
            return REASON_POST_ONLY_WOULD_TRADE;
        }
    }
    entry->fault = NULL;
    return REASON_NONE;
}

static int64_t fills_needed(const struct model *model, const struct entry *entry)
{
    int64_t across = 0;
    for (uint32_t i = 0; i < entry->count; i++) {
        across += model_room_across(model, &entry->legs[i]);
    }
    int64_t lots = entry->set.leaves_qty / smallest_lot(model, entry);
    return lots < across ? lots : across;
}

static bool room_for_all(const struct model *model, const struct entry *entry)
{
    struct model_order orders[SET_LEGS_MAX + 1] = {entry->set};
    memcpy(&orders[1], entry->legs, entry->count * sizeof(orders[0]));
    return model_room_for_orders(model, orders, entry->count + 1, 0) &&
           model_room_for_fills(model, fills_needed(model, entry));
}

static void read_legs(const struct model *model, struct entry *entry)
{
    const union command_slot *slots = (const union command_slot *)model->command;
    entry->count = model->command->new_set.leg_count;
    for (uint32_t i = 0; i < entry->count; i++) {
        const struct set_leg *leg = &slots[1 + i / SET_LEGS_PER_SLOT].legs[i % SET_LEGS_PER_SLOT];
        entry->legs[i] = entry->set;
        entry->legs[i].kind = MODEL_LEG;
        entry->legs[i].contract = leg->contract;
        entry->legs[i].price_e4 = leg->price_e4;
        entry->legs[i].leaves_qty = 0;
        entry->legs[i].leg = (uint8_t)(i + 1);
        if (leg->price_e4 > entry->set.price_e4) {
            entry->set.price_e4 = leg->price_e4;
        }
    }
}

static enum reject_reason check_entry(struct model *model, struct entry *entry)
{
    enum reject_reason reason = check_form(model);
    if (reason != REASON_NONE) {
        return reason;
    }
    read_legs(model, entry);
    for (uint32_t i = 0; i < entry->count; i++) {
        reason = check_leg(model, entry, i);
        if (reason != REASON_NONE) {
            entry->fault = &entry->legs[i];
            return reason;
        }
    }
    reason = check_qty(model, entry);
    if (reason == REASON_NONE) {
        reason = check_tops(model, entry);
    }
    if (reason != REASON_NONE) {
        return reason;
    }
    if (model_money_order_reserve_e4(&entry->set) >
        model_money_available_e4(model, entry->set.account)) {
        return REASON_INSUFFICIENT_FUNDS;
    }
    return room_for_all(model, entry) ? REASON_NONE : REASON_FULL;
}

static void emit_set(struct model *model, const struct entry *entry)
{
    const struct model_order *set = &entry->set;
    struct event *event = model_emit_report(model, EVENT_SET, set->key, set->cl_ord_id);
    event->set.order_id = set->order_id;
    event->set.qty = set->leaves_qty;
    event->set.min_qty = model->command->new_set.min_qty;
    event->set.expire_time_ns = set->expire_time_ns;
    event->set.reserved_e4 = model_money_order_reserve_e4(set);
    event->set.flags = set->flags;
    event->set.leg_count = (uint8_t)entry->count;
    event->set.tif = set->tif;
    event->set.stp = set->stp;
    for (uint32_t i = 0; i < entry->count; i++) {
        if (i % SET_LEGS_PER_EVENT == 0) {
            event = model_emit(model, EVENT_SET_LEGS, model->keys[set->key].link);
            event->set_legs.order_id = set->order_id;
        }
        event->set_legs.legs[i % SET_LEGS_PER_EVENT] =
            (struct set_leg){.contract = entry->legs[i].contract,
                             .price_e4 = (uint32_t)entry->legs[i].price_e4,
                             .leg = i + 1};
    }
}

static void reject(struct model *model, const struct entry *entry, enum reject_reason reason)
{
    model_reject_at(model, reason, entry->fault == NULL ? 0 : entry->fault->leg,
                    entry->fault == NULL ? 0 : entry->fault->contract);
}

void model_set_new(struct model *model)
{
    const struct command_new_set *request = &model->command->new_set;
    uint32_t key = model->command->head.key;
    uint32_t account = model->keys[key].account;
    const struct model_fees *fees = &model->fees[model->accounts[account].fees];
    struct entry entry = {.set = {.kind = MODEL_SET,
                                  .cl_ord_id = model->command->head.cl_ord_id,
                                  .leaves_qty = request->qty,
                                  .expire_time_ns = request->expire_time_ns,
                                  .key = key,
                                  .account = account,
                                  .maker_bp = fees->maker_bp,
                                  .taker_bp = fees->taker_bp,
                                  .flags = request->flags,
                                  .side = SIDE_BUY,
                                  .tif = request->tif,
                                  .stp = request->stp}};
    enum reject_reason reason = check_entry(model, &entry);
    if (reason != REASON_NONE) {
        reject(model, &entry, reason);
        return;
    }
    int64_t wanted = request->tif == TIF_FOK ? request->qty : request->min_qty;
    struct trial trial = {.met_count = 0};
    if (wanted > 0) {
        trial = try_out(model, &entry, wanted);
    }
    if (trial.met_count > model_book_trial_orders(model)) {
        reject(model, &entry, REASON_TRIAL_TOO_WIDE);
        return;
    }
    enter(model, &entry);
    emit_set(model, &entry);
    arrive(model, &entry, trial.filled < wanted);
}

/* --- replacing ----------------------------------------------------------------------------------- */

/* The legs that live, as they are. */
static void gather(struct model *model, const struct model_order *set, struct entry *entry)
{
    entry->set = *set;
    for (uint32_t i = 1; i <= SET_LEGS_MAX; i++) {
        const struct model_order *leg = leg_of(model, set->order_id, i);
        if (leg != NULL) {
            entry->legs[entry->count++] = *leg;
        }
    }
}

static enum reject_reason check_replace(struct model *model, struct entry *entry)
{
    const struct command_replace_order *request = &model->command->replace_order;
    const struct model_order *set = &entry->set;
    for (uint32_t i = 0; i < entry->count; i++) {
        const struct model_order *leg = &entry->legs[i];
        const struct model_market *market =
            model_market_find(model, contract_class(leg->contract), contract_region(leg->contract));
        entry->fault = leg;
        if (market->terms.mode == MODE_NONE) {
            return REASON_NO_MARKET;
        }
        if (market->halted) {
            return REASON_MARKET_HALTED;
        }
    }
    entry->fault = NULL;
    if (request->price_e4 != 0) {
        return REASON_PRICE_WITH_SET;
    }
    if (request->qty < 1 || request->qty > QTY_MAX) {
        return REASON_QTY_OUT_OF_RANGE;
    }
    if (request->qty % smallest_lot(model, entry) != 0) {
        return REASON_QTY_NOT_IN_LOTS;
    }
    if (request->qty > model->accounts[set->account].order_qty_limit) {
        return REASON_QTY_ABOVE_LIMIT;
    }
    return request->qty == set->cum_qty + set->leaves_qty ? REASON_NOTHING_TO_REPLACE : REASON_NONE;
}

/* `entry->set` is the SET as it would be. */
static enum reject_reason check_rearrival(struct model *model, struct entry *entry,
                                          const struct model_order *was)
{
    for (uint32_t i = 0; i < entry->count; i++) {
        enum reject_reason reason = check_price(model, entry, &entry->legs[i]);
        if (reason != REASON_NONE) {
            entry->fault = &entry->legs[i];
            return reason;
        }
    }
    enum reject_reason reason = check_tops(model, entry);
    if (reason != REASON_NONE) {
        return reason;
    }
    if (model_money_order_reserve_e4(&entry->set) >
        model_money_available_e4(model, was->account) + model_money_order_reserve_e4(was)) {
        return REASON_INSUFFICIENT_FUNDS;
    }
    return model_room_for_fills(model, fills_needed(model, entry)) ? REASON_NONE : REASON_FULL;
}

void model_set_replace(struct model *model, struct model_order *set)
{
    const struct command_replace_order *request = &model->command->replace_order;
    struct model_order was = *set;
    struct entry entry = {.count = 0};
    gather(model, &was, &entry);
    enum reject_reason reason = check_replace(model, &entry);
    if (reason != REASON_NONE) {
        reject(model, &entry, reason);
        return;
    }
    if (request->qty <= was.cum_qty) {
        model_order_end_on_request(model, &was, REASON_REPLACED_AWAY);
        return;
    }
    bool keeps;
    entry.set = model_order_replaced(model, &was, was.price_e4, request->qty, &keeps);
    reason = keeps ? REASON_NONE : check_rearrival(model, &entry, &was);
    if (reason != REASON_NONE) {
        reject(model, &entry, reason);
        return;
    }
    *model_book_find(model, was.order_id) = entry.set;
    model_order_emit_replaced(model, &was, &entry.set, keeps);
    model_order_emit_done_if_other(model, was.key);
    if (keeps) {
        model_set_settle(model, was.order_id);
    } else {
        arrive(model, &entry, false);
    }
}
