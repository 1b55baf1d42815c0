#include "exchange/core/order.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/job.h"
#include "exchange/core/match.h"
#include "exchange/core/money.h"
#include "exchange/core/order_check.h"
#include "exchange/core/range.h"
#include "exchange/core/reservation.h"
#include "exchange/core/set.h"
#include "exchange/core/slot.h"
#include "exchange/core/timers.h"

void order_reject(struct engine *e, const struct command *command, uint64_t order_id,
                  const struct rejection *why)
{
    uint32_t key = command->head.key;
    struct event *event = emit(e, EVENT_REJECTED, emit_link(&e->keys[key]), 0);
    event->rejected = (struct event_rejected){
        .party = emit_party(e, key, command->head.cl_ord_id),
        .order_id = order_id,
        .value = why->value,
        .bound = why->bound,
        .reason = why->reason,
        .request = command->head.type,
        .consumed = 1,
        .leg = why->leg,
        .field = why->field,
        .contract = why->contract,
    };
}

/* --- the end of an order ----------------------------------------------------------------- */

uint32_t order_find(const struct engine *e, uint64_t order_id)
{
    uint32_t slot = (uint32_t)order_id;
    if (slot == 0 || slot > e->s.order_top) {
        return 0;
    }
    const struct order *o = &e->orders[slot];
    return o->live && o->generation == order_id >> 32 ? slot : 0;
}

bool order_covered(const struct sweep *sweep, const struct order *o, uint64_t contract)
{
    uint32_t hour = contract_hour(contract);
    return o->epoch < sweep->epoch &&
           (!(sweep->filter & MASS_CANCEL_OWN_KEY) || o->key == sweep->by_key) &&
           (!(sweep->filter & MASS_CANCEL_CLASS) || contract_class(contract) == sweep->class_id) &&
           (!(sweep->filter & MASS_CANCEL_REGION) ||
            contract_region(contract) == sweep->region_id) &&
           (!(sweep->filter & MASS_CANCEL_HOURS) ||
            (hour >= sweep->hour_from && hour < sweep->hour_to));
}

bool order_swept(const struct engine *e, const struct sweep *sweep, const struct order *o)
{
    return o->kind == KIND_JOB ? job_covered(e, sweep, o)
                               : order_covered(sweep, o, e->ladders[o->ladder].contract);
}

/* Whether a mass cancel under way covers an order that it has not reached yet. */
static struct sweep *covering_sweep(struct engine *e, const struct order *o)
{
    for (uint32_t i = 0; i < e->s.sweep_count; i++) {
        struct sweep *sweep = &e->s.sweeps[(e->s.sweep_first + i) % SWEEPS_MAX];
        if (sweep->account == e->keys[o->key].account && order_swept(e, sweep, o)) {
            return sweep;
        }
    }
    return NULL;
}

uint16_t order_over_lagging(const struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    const struct key *k = &e->keys[o->key];
    if (o->kind == KIND_SET) {
        return set_over(e, slot);
    }
    if (o->kind == KIND_LEG) {
        return set_leg_over(e, slot);
    }
    bool closed = o->kind == KIND_JOB
                      ? job_gate_closed(e, slot)
                      : contract_hour(e->ladders[o->ladder].contract) < e->s.open_hour;
    if (closed) {
        return REASON_GATE_CLOSED;
    }
    if (o->timed && !o->reserved && e->timers[e->timer_of[slot]].expire_time_ns <= e->s.time_ns) {
        return REASON_EXPIRED;
    }
    if ((k->flags & KEY_ENDED) != 0 && o->epoch < k->end_epoch) {
        return k->end_reason;
    }
    if (!o->sell && e->markets[e->ladders[o->ladder].market].delisting) {
        return REASON_MODE_CHANGED;
    }
    for (uint32_t i = 0; i < e->s.sweep_count; i++) {
        const struct sweep *sweep = &e->s.sweeps[(e->s.sweep_first + i) % SWEEPS_MAX];
        if (sweep->account == k->account && order_swept(e, sweep, o)) {
            return REASON_MASS_CANCELED;
        }
    }
    return 0;
}

void chain_pass_sweeps(struct engine *e, uint32_t slot)
{
    for (uint32_t i = 0; i < e->s.sweep_count; i++) {
        struct sweep *sweep = &e->s.sweeps[(e->s.sweep_first + i) % SWEEPS_MAX];
        if (sweep->slot == slot) {
            sweep->slot = e->orders[slot].newer;
        }
    }
}

void order_finish(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    CHECK(!o->resting);
    uint32_t range = __builtin_expect(o->ranged, 0) ? range_ending_with(e, slot) : 0;
    e->accounts[e->keys[o->key].account].open_orders--;
    if (o->timed) {
        timers_remove(e, slot);
    }
    if (__builtin_expect(o->waits, 0)) {
        reservation_forget(e, slot);
    }
    chain_remove(e, slot);
    slot_release(e, slot);
    if (__builtin_expect(range != 0, 0)) {
        chain_remove(e, range);
        slot_release(e, range);
    }
}

void order_release_reserves(struct engine *e, uint32_t slot, uint64_t contract)
{
    const struct order *o = &e->orders[slot];
    struct account *account = &e->accounts[e->keys[o->key].account];
    if (o->sell) {
        account->bond_open_e4 -= (int64_t)o->bond_unit * o->leaves;
        capacity_reserve(e, slot, contract_hour(contract), -(int64_t)o->leaves);
    } else {
        account->reserved_e4 -=
            money_bid_reserve(e, (uint8_t)o->fees, o->fee_rest, o->price_e4, o->leaves);
    }
}

void order_leave(struct engine *e, uint32_t slot)
{
    auction_touch(e, e->orders[slot].ladder);
    if (__builtin_expect(e->orders[slot].special, 0)) {
        if (e->orders[slot].iceberg) {
            iceberg_leave(e, slot);
        }
        book_withdraw(e, slot);
    } else {
        book_remove(e, slot);
    }
}

/* An order that is none of a single contract, or a leg of one. */
RARE static void take_out_whole(struct engine *e, uint32_t slot, uint16_t reason,
                                uint64_t cl_ord_id)
{
    if (e->orders[slot].kind == KIND_LEG) {
        set_end_leg(e, slot, reason);
    } else if (e->orders[slot].kind == KIND_JOB) {
        job_take_out(e, slot, reason, cl_ord_id);
    } else {
        set_take_out(e, slot, reason, cl_ord_id);
    }
}

void order_take_out_as(struct engine *e, uint32_t slot, uint16_t reason, uint64_t cl_ord_id,
                       bool silent)
{
    if (__builtin_expect(e->orders[slot].special, 0) && e->orders[slot].kind != KIND_PLAIN) {
        take_out_whole(e, slot, reason, cl_ord_id);
        return;
    }
    uint64_t number = cl_ord_id != 0 ? cl_ord_id : e->orders[slot].cl_ord_id;
    struct order *o = &e->orders[slot];
    uint32_t ladder = o->ladder;
    uint64_t contract = contract_with_tier(e->ladders[ladder].contract, o->tier);
    order_release_reserves(e, slot, contract);
    struct event *event = emit(e, EVENT_CANCELED, emit_link(&e->keys[o->key]), 0);
    event->out = (struct event_out){
        .party = silent ? emit_party_silent(e, o->key, number) : emit_party(e, o->key, number),
        .order_id = order_id_of(e, slot),
        .contract = contract,
        .orig_cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = o->leaves,
        .cum_qty = o->cum,
        .reason = reason,
        .side = o->sell,
        .resting = o->resting,
    };
    if (o->resting) {
        order_leave(e, slot);
    }
    order_finish(e, slot);
}

void order_take_out(struct engine *e, uint32_t slot, uint16_t reason, uint64_t cl_ord_id)
{
    order_take_out_as(e, slot, reason, cl_ord_id, false);
}

void order_take_out_over(struct engine *e, uint32_t slot, uint16_t reason)
{
    if (e->orders[slot].kind == KIND_LEG) {
        set_take_out_leg_over(e, slot);
        return;
    }
    if (reason == REASON_MASS_CANCELED) {
        covering_sweep(e, &e->orders[slot])->canceled++;
    }
    order_take_out(e, slot, reason, 0);
}

/* --- entry --------------------------------------------------------------------------------------- */

int64_t order_reference(const struct engine *e, uint32_t market, uint64_t contract)
{
    uint32_t ladder = ladder_find(e, market, contract_hour(contract));
    if (ladder != 0 && e->ladders[ladder].last_trade_e4 != 0) {
        return e->ladders[ladder].last_trade_e4;
    }
    const struct market *m = &e->markets[market];
    uint8_t tier = contract_tier(contract);
    return m->index_price_e4[tier] != 0 ? m->index_price_e4[tier] : m->launch_price_e4[tier];
}

/* A market order's limit from its collar, inside the outer band; 0: nothing to trade with. */
static int64_t collar_limit(const struct engine *e, const struct arrival *a, int64_t collar_e4,
                            int64_t reference_e4)
{
    int64_t best;
    if (!match_best(e, a, &best)) {
        return 0;
    }
    uint32_t width = e->markets[a->market].outer_band_bp;
    int64_t low = money_band_low(reference_e4, width);
    int64_t high = money_band_high(reference_e4, width);
    int64_t limit = a->sell ? best - collar_e4 : best + collar_e4;
    limit = limit < low ? low : limit;
    return limit > high ? high : limit;
}

int64_t order_release_time_ns(const struct engine *e, const struct command_new_order *n)
{
    return n->job_lead_hours == 0
               ? 0
               : gate_time_ns(e, contract_hour(n->contract)) - n->job_lead_hours * NS_PER_HOUR;
}

/* An iceberg, an offer reserved for JOBs, an hour of a RANGE. */
RARE static void enter_special(struct engine *e, uint32_t slot, const struct command_new_order *n,
                               const struct terms *terms)
{
    struct order *o = &e->orders[slot];
    o->special = 1;
    o->ranged = terms->ranged;
    if (terms->reserved) {
        o->reserved = 1;
        timers_add(e, slot, order_release_time_ns(e, n));
    }
    if (n->display_qty != 0) {
        iceberg_begin(e, slot, (uint32_t)n->display_qty);
    }
}

uint32_t order_admit(struct engine *e, const struct command *command, struct arrival *a,
                     const struct terms *terms)
{
    const struct command_new_order *n = &command->new_order;
    uint32_t key = command->head.key;
    struct account *account = &e->accounts[e->keys[key].account];
    if (a->ladder == 0) {
        a->ladder = ladder_make(e, a->market, contract_hour(n->contract));
    }
    uint32_t slot = slot_take(e);
    struct order *o = &e->orders[slot];
    uint32_t generation = o->generation;
    *o = (struct order){
        .cl_ord_id = command->head.cl_ord_id,
        .generation = generation,
        .price_e4 = (uint32_t)a->limit_e4,
        .leaves = (uint32_t)n->qty,
        .ladder = a->ladder,
        .key = key,
        .epoch = e->s.epoch,
        .resource = n->resource & RESOURCE_MASK,
        .bond_unit = terms->bond_unit,
        .tier = a->tier & 3u,
        .fees = account->fees,
        .sell = a->sell,
        .stp = n->stp & 3u,
        .source = terms->source & 7u,
        .post_only = (n->flags & ORDER_POST_ONLY) != 0,
        .live = 1,
    };
    o->older = e->keys[key].newest;
    chain_append(e, &e->keys[key], slot);
    e->s.epoch_used = 1;
    account->open_orders++;
    if (a->sell) {
        account->bond_open_e4 += terms->reserve_e4;
        capacity_reserve(e, slot, contract_hour(n->contract), n->qty);
    } else {
        account->reserved_e4 += terms->reserve_e4;
    }
    if (n->tif == TIF_TIME) {
        timers_add(e, slot, n->expire_time_ns);
    }
    bool iceberg = n->display_qty != 0 && n->display_qty != n->qty;
    if (__builtin_expect(iceberg || terms->reserved || terms->ranged, 0)) {
        enter_special(e, slot, n, terms);
    }
    struct event *event = emit(e, EVENT_NEW, emit_link(&e->keys[key]), 0);
    event->new_order = (struct event_new){
        .party = terms->ranged ? emit_party_silent(e, key, command->head.cl_ord_id)
                               : emit_party(e, key, command->head.cl_ord_id),
        .order_id = order_id_of(e, slot),
        .contract = n->contract,
        .price_e4 = a->limit_e4,
        .qty = n->qty,
        .min_qty = n->min_qty,
        .expire_time_ns = n->expire_time_ns,
        .reserved_e4 = terms->reserve_e4,
        .resource = n->resource,
        .flags = (uint16_t)(n->flags | (terms->reserved ? ORDER_RESERVED_FOR_JOBS : 0)),
        .side = n->side,
        .ord_type = n->ord_type,
        .tif = n->tif,
        .stp = n->stp,
        .source_tier = terms->source,
        .ranged = terms->ranged,
        .display_qty = iceberg ? (uint32_t)n->display_qty : 0,
        .job_lead_hours = n->job_lead_hours,
    };
    return slot;
}

void order_rest(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    book_insert(e, slot);
    if (__builtin_expect(o->iceberg, 0)) {
        iceberg_rest(e, slot);
    }
    auction_touch(e, o->ladder);
    if (o->sell) {
        job_offer_stands(e, o->ladder);
    }
}

void order_arrive(struct engine *e, uint32_t slot, const struct arrival *a, bool immediate)
{
    struct order *o = &e->orders[slot];
    uint32_t generation = o->generation;
    uint32_t ladder = a->ladder;
    if (__builtin_expect(a->collected, 0)) {
        auction_begin(e, a);
    } else {
        e->busy = ladder;
        match_run(e, slot, a);
        e->busy = 0;
    }
    if (o->generation == generation) {
        if (o->leaves == 0) {
            order_finish(e, slot);
        } else if (immediate) {
            order_take_out(e, slot, REASON_IMMEDIATE_REMAINDER, 0);
        } else {
            order_rest(e, slot);
        }
    }
    ladder_release_if_idle(e, ladder);
}

void order_stand_reserved(struct engine *e, uint32_t slot)
{
    uint32_t ladder = e->orders[slot].ladder;
    book_set_aside(e, slot);
    job_offer_stands(e, ladder);
}

static void arrive_new(struct engine *e, uint32_t slot, const struct arrival *a,
                       const struct command_new_order *n, bool misses)
{
    if (misses) {
        order_take_out(e, slot, a->fok ? REASON_FOK_NOT_FILLED : REASON_MIN_QTY_NOT_MET, 0);
        ladder_release_if_idle(e, a->ladder);
        return;
    }
    order_arrive(e, slot, a, n->tif == TIF_IOC || n->tif == TIF_FOK);
}

void order_enter(struct engine *e, const struct command *command, struct arrival *a,
                 const struct terms *terms)
{
    uint32_t slot = order_admit(e, command, a, terms);
    if (terms->reserved) {
        order_stand_reserved(e, slot);
    } else if (a->limit_e4 == 0) {
        order_take_out(e, slot, REASON_NO_LIQUIDITY, 0);
        ladder_release_if_idle(e, a->ladder);
    } else {
        arrive_new(e, slot, a, &command->new_order, terms->misses);
    }
}

/* What depends on the book: the limit of a market order, post-only, reserves, room. */
static bool check_arrival(struct engine *e, const struct command *command, struct arrival *a,
                          struct terms *terms, struct rejection *why)
{
    const struct command_new_order *n = &command->new_order;
    int64_t best;
    if (n->ord_type == ORD_MARKET) {
        a->limit_e4 = collar_limit(e, a, n->price_e4, terms->reference_e4);
    } else if ((n->flags & ORDER_POST_ONLY) != 0 && !a->collected && match_best(e, a, &best) &&
               match_crosses(a, best)) {
        *why = (struct rejection){
            .reason = REASON_POST_ONLY_WOULD_TRADE, .value = n->price_e4, .bound = best};
        return false;
    }
    if (!order_check_reserves(e, command, a, terms, why)) {
        return false;
    }
    int64_t may_trade = terms->reserved ? 0 : n->qty;
    if (!order_check_slot(e, n->tif == TIF_TIME || terms->reserved) ||
        !order_check_room(e, a, may_trade)) {
        *why = (struct rejection){.reason = REASON_FULL};
        return false;
    }
    return order_check_trial(e, command, a, terms, why);
}

void order_new(struct engine *e, const struct command *command)
{
    const struct command_new_order *n = &command->new_order;
    struct arrival a;
    struct terms terms;
    struct rejection why;
    int64_t reference;
    if (!order_check_new(e, command, &a, &reference, &why)) {
        order_reject(e, command, 0, &why);
        return;
    }
    terms = (struct terms){.reference_e4 = reference,
                           .reserved = order_release_time_ns(e, n) > e->s.time_ns};
    a.collected = a.collected && !terms.reserved;
    if (!terms.reserved && !a.collected) {
        match_clear_tops(e, &a);
    }
    if (!check_arrival(e, command, &a, &terms, &why)) {
        order_reject(e, command, 0, &why);
        if (a.ladder != 0) {
            ladder_release_if_idle(e, a.ladder);
        }
        return;
    }
    order_enter(e, command, &a, &terms);
}

/* --- cancel ------------------------------------------------------------------- */

/* Takes an order out if it is over, or those parts of it that are. */
RARE static void touch_lagging(struct engine *e, uint32_t slot)
{
    if (e->orders[slot].kind == KIND_RANGE) {
        range_take_out_over(e, slot);
        return;
    }
    if (e->orders[slot].kind == KIND_SET) {
        set_take_out_over(e, slot);
        return;
    }
    uint16_t over = order_over(e, slot);
    if (over != 0) {
        uint32_t ladder = e->orders[slot].ladder;
        order_take_out_over(e, slot, over);
        ladder_release_if_idle(e, ladder);
    }
}

uint32_t order_find_own(struct engine *e, const struct command *command, uint64_t order_id)
{
    uint32_t slot = order_find(e, order_id);
    if (slot != 0 && e->keys[e->orders[slot].key].account == e->keys[command->head.key].account) {
        if (__builtin_expect(e->s.lag == 0, 1)) {
            return slot;
        }
        touch_lagging(e, slot);
        if (order_find(e, order_id) != 0) {
            return slot;
        }
    }
    order_reject(e, command, order_id, &(struct rejection){.reason = REASON_UNKNOWN_ORDER});
    return 0;
}

uint64_t order_own_number(const struct engine *e, const struct command *command, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    return o->key == command->head.key ? command->head.cl_ord_id : o->cl_ord_id;
}

void order_emit_done(struct engine *e, const struct command *command)
{
    uint32_t key = command->head.key;
    struct event *event = emit(e, EVENT_DONE, emit_link(&e->keys[key]), 0);
    memset(event->bytes, 0, sizeof(event->bytes));
    event->party = emit_party(e, key, command->head.cl_ord_id);
}

void order_cancel(struct engine *e, const struct command *command)
{
    uint32_t slot = order_find_own(e, command, command->cancel_order.order_id);
    if (slot == 0) {
        return;
    }
    if (__builtin_expect(e->orders[slot].kind == KIND_RANGE, 0)) {
        range_cancel(e, command, slot);
        return;
    }
    uint32_t ladder = e->orders[slot].ladder;
    uint32_t owner = e->orders[slot].key;
    order_take_out(e, slot, REASON_REQUESTED, order_own_number(e, command, slot));
    order_answer_other_key(e, command, owner);
    ladder_release_if_idle(e, ladder);
}
