/* SETs coming in and being replaced. */
#include "exchange/core/book.h"
#include "exchange/core/emit.h"
#include "exchange/core/money.h"
#include "exchange/core/set_check.h"
#include "exchange/core/slot.h"
#include "exchange/core/timers.h"

/* --- entry ---------------------------------------------------------------------------------- */

static void emit_set(struct engine *e, uint32_t set, const struct command *c, int64_t reserve_e4)
{
    const struct command_new_set *n = &c->new_set;
    struct event *event = emit(e, EVENT_SET, emit_link(&e->keys[c->head.key]), 0);
    event->set = (struct event_set){
        .party = emit_party(e, c->head.key, c->head.cl_ord_id),
        .order_id = order_id_of(e, set),
        .qty = n->qty,
        .min_qty = n->min_qty,
        .expire_time_ns = n->expire_time_ns,
        .reserved_e4 = reserve_e4,
        .flags = n->flags,
        .leg_count = n->leg_count,
        .tif = n->tif,
        .stp = n->stp,
    };
}

static void emit_legs(struct engine *e, uint32_t set, const struct set_arrival *a)
{
    uint16_t link = emit_link(&e->keys[e->orders[set].key]);
    for (uint32_t i = 0; i < a->count; i += SET_LEGS_PER_EVENT) {
        struct event *event = emit(e, EVENT_SET_LEGS, link, 0);
        event->set_legs = (struct event_set_legs){.order_id = order_id_of(e, set)};
        for (uint32_t j = i; j < a->count && j < i + SET_LEGS_PER_EVENT; j++) {
            event->set_legs.legs[j - i] = (struct set_leg){
                .contract = a->legs[j].contract,
                .price_e4 = (uint32_t)a->legs[j].limit_e4,
                .leg = a->numbers[j],
            };
        }
    }
}

static uint32_t enter_leg(struct engine *e, uint32_t set, struct arrival *a, uint8_t number)
{
    const struct order *parent = &e->orders[set];
    uint32_t slot = slot_take(e);
    struct order *o = &e->orders[slot];
    uint32_t generation = o->generation;
    a->ladder = ladder_make(e, a->market, contract_hour(a->contract));
    *o = (struct order){
        .cl_ord_id = number,
        .generation = generation,
        .price_e4 = (uint32_t)a->limit_e4,
        .ladder = a->ladder,
        .key = parent->key,
        .older = set,
        .epoch = parent->epoch,
        .tier = a->tier & 3u,
        .stp = parent->stp,
        .special = 1,
        .kind = KIND_LEG,
    };
    return slot;
}

/* Past the checks: nothing below can fail. */
static uint32_t enter(struct engine *e, const struct command *c, struct set_entry *entry)
{
    const struct command_new_set *n = &c->new_set;
    struct account *account = &e->accounts[e->keys[c->head.key].account];
    uint32_t set = slot_take(e);
    struct order *o = &e->orders[set];
    uint32_t generation = o->generation;
    *o = (struct order){
        .cl_ord_id = c->head.cl_ord_id,
        .generation = generation,
        .price_e4 = (uint32_t)entry->dearest_e4,
        .leaves = (uint32_t)n->qty,
        .key = c->head.key,
        .older = e->keys[c->head.key].newest,
        .epoch = e->s.epoch,
        .fees = account->fees,
        .stp = n->stp & 3u,
        .post_only = entry->post_only,
        .special = 1,
        .kind = KIND_SET,
        .live = 1,
    };
    chain_append(e, &e->keys[c->head.key], set);
    e->s.epoch_used = 1;
    account->open_orders += entry->arrival.count;
    account->reserved_e4 += entry->reserve_e4;
    if (n->tif == TIF_TIME) {
        timers_add(e, set, n->expire_time_ns);
    }
    uint32_t *link = &o->next;
    for (uint32_t i = 0; i < entry->arrival.count; i++) {
        uint32_t leg = enter_leg(e, set, &entry->arrival.legs[i], entry->arrival.numbers[i]);
        entry->arrival.slots[i] = leg;
        *link = leg;
        link = &e->orders[leg].newer;
    }
    entry->arrival.set = set;
    return set;
}

static void release_idle(struct engine *e, const struct set_arrival *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        ladder_release_if_idle(e, a->legs[i].ladder);
    }
}

void set_new(struct engine *e, const struct command *c)
{
    struct set_entry entry;
    struct rejection why;
    struct set_wish wish = {.immediate = c->new_set.tif == TIF_IOC || c->new_set.tif == TIF_FOK};
    if (!set_check_new(e, c, &entry, &why)) {
        order_reject(e, c, 0, &why);
        return;
    }
    if (!set_check_tops(e, &entry, &why) || !set_check_means(e, c, &entry, &why) ||
        !set_check_trial(e, c, &entry, &wish.misses, &why)) {
        order_reject(e, c, 0, &why);
        release_idle(e, &entry.arrival);
        return;
    }
    uint32_t set = enter(e, c, &entry);
    emit_set(e, set, c, entry.reserve_e4);
    emit_legs(e, set, &entry.arrival);
    set_arrive(e, &entry.arrival, &wish);
}

/* --- replace -------------------------------------------------------------------------------- */

/* Gives the SET its new balance, and with it a new reserve. */
static void change(struct engine *e, const struct command *c, uint32_t set, int64_t balance,
                   uint8_t fees)
{
    struct order *o = &e->orders[set];
    struct account *account = &e->accounts[e->keys[o->key].account];
    struct order old = *o;
    account->reserved_e4 -= money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
    o->cl_ord_id = order_own_number(e, c, set);
    o->leaves = (uint32_t)balance;
    o->fees = fees;
    account->reserved_e4 += money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
    struct event *event = emit(e, EVENT_REPLACED, emit_link(&e->keys[o->key]), 0);
    event->replaced = (struct event_replaced){
        .party = emit_party(e, o->key, o->cl_ord_id),
        .order_id = order_id_of(e, set),
        .orig_cl_ord_id = old.cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = (int64_t)o->cum + o->leaves,
        .leaves_qty = o->leaves,
        .cum_qty = o->cum,
        .old_price_e4 = old.price_e4,
        .old_leaves_qty = old.leaves,
        .side = SIDE_BUY,
        .kept_priority = o->leaves < old.leaves,
    };
    order_answer_other_key(e, c, o->key);
}

static void grow(struct engine *e, const struct command *c, struct set_entry *entry)
{
    uint32_t set = entry->arrival.set;
    struct order *o = &e->orders[set];
    for (uint32_t leg = o->next; leg != 0; leg = e->orders[leg].newer) {
        book_withdraw(e, leg);
    }
    o->resting = 0;
    change(e, c, set, entry->arrival.balance, e->accounts[e->keys[o->key].account].fees);
    struct set_wish wish = {0};
    set_arrive(e, &entry->arrival, &wish);
}

void set_replace(struct engine *e, const struct command *c, uint32_t set)
{
    const struct order *o = &e->orders[set];
    struct set_entry entry;
    struct rejection why;
    set_check_draft(e, set, &entry);
    bool grows = c->replace_order.qty > (int64_t)o->cum + o->leaves;
    bool passes = set_check_replace(e, c, &entry, &why);
    entry.arrival.balance = passes ? c->replace_order.qty - (int64_t)o->cum : 0;
    if (!passes || (grows && !set_check_growth(e, &entry, &why))) {
        order_reject(e, c, c->replace_order.order_id, &why);
        return;
    }
    /* Past this line nothing can fail. */
    uint32_t owner = o->key;
    if (entry.arrival.balance <= 0) {
        set_take_out(e, set, REASON_REPLACED_AWAY, order_own_number(e, c, set));
        order_answer_other_key(e, c, owner);
    } else if (grows) {
        grow(e, c, &entry);
    } else {
        change(e, c, set, entry.arrival.balance, o->fees);
        set_settle(e, set);
    }
}
