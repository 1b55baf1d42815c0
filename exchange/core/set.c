#include "exchange/core/set.h"

#include "exchange/core/book.h"
#include "exchange/core/emit.h"
#include "exchange/core/money.h"
#include "exchange/core/slot.h"

static uint64_t contract_of(const struct engine *e, uint32_t leg)
{
    const struct order *o = &e->orders[leg];
    return contract_with_tier(e->ladders[o->ladder].contract, o->tier);
}

static int64_t reserve_e4(const struct engine *e, uint32_t set)
{
    const struct order *o = &e->orders[set];
    return money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
}

/* --- legs at rest ---------------------------------------------------------------------------- */

uint32_t set_open(const struct engine *e, uint32_t leg)
{
    uint32_t balance = e->orders[set_of(e, leg)].leaves;
    return balance - balance % e->markets[e->ladders[e->orders[leg].ladder].market].lot;
}

bool set_leg_is_second(const struct engine *e, uint32_t leg, uint8_t offer_tier)
{
    const struct order *o = &e->orders[leg];
    for (uint32_t i = e->orders[o->older].next; i != 0; i = e->orders[i].newer) {
        const struct order *other = &e->orders[i];
        if (i != leg && other->ladder == o->ladder && other->tier <= offer_tier &&
            (other->price_e4 > o->price_e4 ||
             (other->price_e4 == o->price_e4 && other->tier > o->tier))) {
            return true;
        }
    }
    return false;
}

/* Out of its book or from aside. The ladder at which a request works is its to release. */
static void leave(struct engine *e, uint32_t leg)
{
    struct order *o = &e->orders[leg];
    if (!o->resting) {
        return;
    }
    book_withdraw(e, leg);
    if (o->ladder != e->busy) {
        ladder_release_if_idle(e, o->ladder);
    }
}

void set_settle(struct engine *e, uint32_t set)
{
    if (e->orders[set].leaves == 0) {
        set_finish(e, set);
        return;
    }
    for (uint32_t leg = e->orders[set].next; leg != 0; leg = e->orders[leg].newer) {
        if (!ladder_is_shadow(e, e->orders[leg].ladder) && set_open(e, leg) == 0) {
            book_remove(e, leg);
            book_set_aside(e, leg);
        }
    }
}

static void emit_out(struct engine *e, uint32_t set, uint8_t type, const struct event_out *out)
{
    const struct order *o = &e->orders[set];
    struct event *event = emit(e, type, emit_link(&e->keys[o->key]), 0);
    event->out = *out;
    event->out.party = emit_party(e, o->key, o->cl_ord_id);
    event->out.order_id = order_id_of(e, set);
    event->out.orig_cl_ord_id = o->cl_ord_id;
    event->out.cum_qty = o->cum;
    event->out.side = SIDE_BUY;
}

void set_decrement(struct engine *e, uint32_t leg, uint32_t qty)
{
    uint32_t set = set_of(e, leg);
    struct order *o = &e->orders[set];
    if (o->leaves == qty) {
        set_take_out(e, set, REASON_SELF_TRADE, 0);
        return;
    }
    struct account *account = &e->accounts[e->keys[o->key].account];
    account->reserved_e4 -= reserve_e4(e, set);
    o->leaves -= qty;
    account->reserved_e4 += reserve_e4(e, set);
    struct event_out out = {.contract = contract_of(e, leg),
                            .price_e4 = e->orders[leg].price_e4,
                            .qty = qty,
                            .leaves_qty = o->leaves,
                            .reason = REASON_SELF_TRADE,
                            .resting = o->resting};
    emit_out(e, set, EVENT_RESTATED, &out);
    if (o->resting) {
        set_settle(e, set);
    }
}

/* --- ends ------------------------------------------------------------------------------------ */

static uint32_t dearest_e4(const struct engine *e, uint32_t set)
{
    uint32_t dearest = 0;
    for (uint32_t leg = e->orders[set].next; leg != 0; leg = e->orders[leg].newer) {
        uint32_t price = e->orders[leg].price_e4;
        dearest = price > dearest ? price : dearest;
    }
    return dearest;
}

static void unlink_leg(struct engine *e, uint32_t set, uint32_t leg)
{
    uint32_t *link = &e->orders[set].next;
    while (*link != leg) {
        link = &e->orders[*link].newer;
    }
    *link = e->orders[leg].newer;
}

void set_end_leg(struct engine *e, uint32_t leg, uint16_t reason)
{
    uint32_t set = set_of(e, leg);
    struct order *o = &e->orders[set];
    const struct order *l = &e->orders[leg];
    struct event_out out = {.contract = contract_of(e, leg),
                            .price_e4 = l->price_e4,
                            .leaves_qty = o->leaves,
                            .reason = reason,
                            .resting = l->resting && !ladder_is_shadow(e, l->ladder)};
    emit_out(e, set, EVENT_LEG_CANCELED, &out);
    if (o->next == leg && l->newer == 0) {
        set_take_out(e, set, reason, 0);
        return;
    }
    unlink_leg(e, set, leg);
    leave(e, leg);
    slot_release(e, leg);
    struct account *account = &e->accounts[e->keys[o->key].account];
    account->open_orders--;
    account->reserved_e4 -= reserve_e4(e, set);
    o->price_e4 = dearest_e4(e, set);
    account->reserved_e4 += reserve_e4(e, set);
}

void set_finish(struct engine *e, uint32_t set)
{
    struct account *account = &e->accounts[e->keys[e->orders[set].key].account];
    uint32_t next;
    for (uint32_t leg = e->orders[set].next; leg != 0; leg = next) {
        next = e->orders[leg].newer;
        leave(e, leg);
        slot_release(e, leg);
        account->open_orders -= next != 0; /* the last one's goes with the SET */
    }
    e->orders[set].next = 0;
    e->orders[set].resting = 0;
    order_finish(e, set);
}

void set_take_out(struct engine *e, uint32_t set, uint16_t reason, uint64_t cl_ord_id)
{
    const struct order *o = &e->orders[set];
    e->accounts[e->keys[o->key].account].reserved_e4 -= reserve_e4(e, set);
    struct event *event = emit(e, EVENT_CANCELED, emit_link(&e->keys[o->key]), 0);
    event->out = (struct event_out){
        .party = emit_party(e, o->key, cl_ord_id != 0 ? cl_ord_id : o->cl_ord_id),
        .order_id = order_id_of(e, set),
        .orig_cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = o->leaves,
        .cum_qty = o->cum,
        .reason = reason,
        .side = SIDE_BUY,
        .resting = o->resting,
    };
    set_finish(e, set);
}

/* --- over ------------------------------------------------------------------------------------ */

static bool covers_all(const struct engine *e, const struct sweep *sweep, uint32_t set)
{
    const struct order *o = &e->orders[set];
    for (uint32_t leg = o->next; leg != 0; leg = e->orders[leg].newer) {
        if (!order_covered(sweep, o, contract_of(e, leg))) {
            return false;
        }
    }
    return true;
}

/* The first mass cancel under way that covers all of a SET's live legs; NULL none. */
static struct sweep *sweep_of_all(struct engine *e, uint32_t set)
{
    uint32_t account = e->keys[e->orders[set].key].account;
    for (uint32_t i = 0; i < e->s.sweep_count; i++) {
        struct sweep *sweep = &e->s.sweeps[(e->s.sweep_first + i) % SWEEPS_MAX];
        if (sweep->account == account && covers_all(e, sweep, set)) {
            return sweep;
        }
    }
    return NULL;
}

uint16_t set_over(const struct engine *e, uint32_t set)
{
    const struct order *o = &e->orders[set];
    const struct key *k = &e->keys[o->key];
    if (o->timed && e->timers[e->timer_of[set]].expire_time_ns <= e->s.time_ns) {
        return REASON_EXPIRED;
    }
    if ((k->flags & KEY_ENDED) != 0 && o->epoch < k->end_epoch) {
        return k->end_reason;
    }
    for (uint32_t i = 0; i < e->s.sweep_count; i++) {
        const struct sweep *sweep = &e->s.sweeps[(e->s.sweep_first + i) % SWEEPS_MAX];
        if (sweep->account == k->account && covers_all(e, sweep, set)) {
            return REASON_MASS_CANCELED;
        }
    }
    return 0;
}

uint16_t set_leg_over(const struct engine *e, uint32_t leg)
{
    uint32_t set = set_of(e, leg);
    uint64_t contract = contract_of(e, leg);
    uint16_t over = set_over(e, set);
    if (over != 0) {
        return over;
    }
    if (contract_hour(contract) < e->s.open_hour) {
        return REASON_GATE_CLOSED;
    }
    if (e->markets[e->ladders[e->orders[leg].ladder].market].delisting) {
        return REASON_MODE_CHANGED;
    }
    uint32_t account = e->keys[e->orders[set].key].account;
    for (uint32_t i = 0; i < e->s.sweep_count; i++) {
        const struct sweep *sweep = &e->s.sweeps[(e->s.sweep_first + i) % SWEEPS_MAX];
        if (sweep->account == account && order_covered(sweep, &e->orders[set], contract)) {
            return REASON_MASS_CANCELED;
        }
    }
    return 0;
}

/* True when the SET as a whole was over. */
static bool take_out_whole(struct engine *e, uint32_t set)
{
    uint16_t over = set_over(e, set);
    if (over == 0) {
        return false;
    }
    if (over == REASON_MASS_CANCELED) {
        sweep_of_all(e, set)->canceled++;
    }
    set_take_out(e, set, over, 0);
    return true;
}

void set_take_out_leg_over(struct engine *e, uint32_t leg)
{
    if (!take_out_whole(e, set_of(e, leg))) {
        set_end_leg(e, leg, set_leg_over(e, leg));
    }
}

void set_take_out_over(struct engine *e, uint32_t set)
{
    uint32_t next;
    for (uint32_t leg = e->orders[set].next; leg != 0; leg = next) {
        next = e->orders[leg].newer;
        if (take_out_whole(e, set)) {
            return;
        }
        uint16_t over = set_leg_over(e, leg);
        if (over != 0) {
            set_end_leg(e, leg, over); /* the SET with it, if it is the last */
        }
    }
}

bool set_sweep(struct engine *e, uint32_t set, const struct sweep *sweep)
{
    if (covers_all(e, sweep, set)) {
        set_take_out(e, set, REASON_MASS_CANCELED, 0);
        return true;
    }
    uint32_t next;
    for (uint32_t leg = e->orders[set].next; leg != 0; leg = next) {
        next = e->orders[leg].newer;
        if (order_covered(sweep, &e->orders[set], contract_of(e, leg))) {
            set_end_leg(e, leg, REASON_MASS_CANCELED);
        }
    }
    return false;
}

/* --- sanity ---------------------------------------------------------------------------------- */

uint32_t set_sanity(const struct engine *e, uint32_t set)
{
    const struct order *o = &e->orders[set];
    uint32_t count = 0;
    CHECK(o->resting && o->leaves > 0 && o->next != 0 && o->ladder == 0);
    CHECK(o->price_e4 == dearest_e4(e, set));
    for (uint32_t leg = o->next; leg != 0; leg = e->orders[leg].newer) {
        const struct order *l = &e->orders[leg];
        CHECK(l->kind == KIND_LEG && l->special && !l->live && l->resting && !l->sell);
        CHECK(l->older == set && l->key == o->key && l->epoch == o->epoch);
        bool sleeps =
            set_open(e, leg) == 0 || ladder_is_collecting(&e->ladders[ladder_main(e, l->ladder)]);
        /* A gate ends the auction first and then, slice by slice, the legs where they stand. */
        bool closing =
            contract_hour(e->ladders[ladder_main(e, l->ladder)].contract) < e->s.open_hour;
        CHECK(closing || sleeps == ladder_is_shadow(e, l->ladder));
        const struct order *newer = &e->orders[l->newer];
        CHECK(l->newer == 0 || newer->cl_ord_id > l->cl_ord_id);
        count++;
    }
    CHECK(count <= SET_LEGS_MAX);
    return count;
}
