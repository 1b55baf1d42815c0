#include "exchange/core/replace.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/job.h"
#include "exchange/core/match.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/order_check.h"
#include "exchange/core/range.h"
#include "exchange/core/set.h"

static void emit_replaced(struct engine *e, uint32_t slot, const struct order *old, bool kept,
                          bool silent)
{
    const struct order *o = &e->orders[slot];
    struct event *event = emit(e, EVENT_REPLACED, emit_link(&e->keys[o->key]), 0);
    event->replaced = (struct event_replaced){
        .party = silent ? emit_party_silent(e, o->key, o->cl_ord_id)
                        : emit_party(e, o->key, o->cl_ord_id),
        .order_id = order_id_of(e, slot),
        .contract = contract_with_tier(e->ladders[o->ladder].contract, o->tier),
        .orig_cl_ord_id = old->cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = (int64_t)o->cum + o->leaves,
        .leaves_qty = o->leaves,
        .cum_qty = o->cum,
        .old_price_e4 = old->price_e4,
        .old_leaves_qty = old->leaves,
        .side = o->sell,
        .kept_priority = kept,
    };
}

enum replace_way replace_way(const struct engine *e, const struct command *command, uint32_t slot)
{
    const struct command_replace_order *r = &command->replace_order;
    const struct order *o = &e->orders[slot];
    int64_t whole = (int64_t)o->cum + o->leaves;
    if (r->qty <= (int64_t)o->cum) {
        return REPLACE_AWAY;
    }
    if (r->price_e4 != o->price_e4 || r->qty > whole) {
        return REPLACE_ANEW;
    }
    return r->qty < whole ? REPLACE_IN_PLACE : REPLACE_NOT;
}

/* Same price, less quantity: what it loses is given back and it stays where it is. */
static void replace_in_place(struct engine *e, uint32_t slot, const struct command *command,
                             bool silent)
{
    struct order *o = &e->orders[slot];
    struct account *account = &e->accounts[e->keys[o->key].account];
    struct order old = *o;
    uint32_t leaves = (uint32_t)(command->replace_order.qty - (int64_t)o->cum);
    if (o->iceberg) {
        iceberg_take(e, slot, o->leaves - leaves);
    }
    if (o->sell) {
        int64_t less = (int64_t)o->leaves - leaves;
        account->bond_open_e4 -= (int64_t)o->bond_unit * less;
        capacity_reserve(e, slot, contract_hour(e->ladders[o->ladder].contract), -less);
    } else {
        account->reserved_e4 +=
            money_bid_reserve(e, (uint8_t)o->fees, o->fee_rest, o->price_e4, leaves) -
            money_bid_reserve(e, (uint8_t)o->fees, o->fee_rest, o->price_e4, o->leaves);
    }
    o->leaves = leaves;
    o->cl_ord_id = order_own_number(e, command, slot);
    auction_touch(e, o->ladder);
    emit_replaced(e, slot, &old, true, silent);
}

void replace_draft(const struct engine *e, const struct command *command, uint32_t slot,
                   struct replacement *r)
{
    const struct order *o = &e->orders[slot];
    const struct ladder *l = &e->ladders[o->ladder];
    int64_t limit = command->replace_order.price_e4;
    r->slot = slot;
    r->arrival = (struct arrival){
        .contract = contract_with_tier(l->contract, o->tier),
        .ladder = ladder_main(e, o->ladder),
        .market = l->market,
        .limit_e4 = limit,
        .group = e->keys[o->key].group,
        .tier = o->tier,
        .stp = o->stp,
        .sell = o->sell,
        .may_rest = true,
        .collected = !o->reserved && auction_collects(e, l->market, contract_hour(l->contract)),
    };
    r->reference_e4 = order_reference(e, l->market, r->arrival.contract);
    order_check_inner_band(e, &r->arrival, r->reference_e4);
    r->draft = *o;
    r->draft.cl_ord_id = order_own_number(e, command, slot);
    r->draft.price_e4 = (uint32_t)limit;
    r->draft.leaves = (uint32_t)(command->replace_order.qty - (int64_t)o->cum);
    r->draft.fees = e->accounts[e->keys[o->key].account].fees;
    r->draft.bond_unit = o->sell ? money_bond_unit(e, limit, r->reference_e4) : 0;
}

bool replace_check_band(const struct engine *e, const struct replacement *r, struct rejection *why)
{
    return order_check_band(e, r->arrival.market, r->reference_e4, r->arrival.limit_e4, why);
}

bool replace_check_top(struct engine *e, const struct replacement *r, struct rejection *why)
{
    if (r->draft.reserved || r->arrival.collected) {
        return true;
    }
    match_clear_tops(e, &r->arrival);
    int64_t best;
    if (r->draft.post_only && match_best(e, &r->arrival, &best) &&
        match_crosses(&r->arrival, best)) {
        *why = (struct rejection){
            .reason = REASON_POST_ONLY_WOULD_TRADE, .value = r->arrival.limit_e4, .bound = best};
        return false;
    }
    return true;
}

static bool check_anew(struct engine *e, const struct replacement *r, struct rejection *why)
{
    if (!replace_check_band(e, r, why) || !replace_check_top(e, r, why) ||
        !order_check_replaced_reserves(e, r->slot, &r->draft, why)) {
        return false;
    }
    if (!order_check_room(e, &r->arrival, r->draft.reserved ? 0 : r->draft.leaves)) {
        *why = (struct rejection){.reason = REASON_FULL};
        return false;
    }
    return true;
}

/* Gives up its place and arrives anew under its old id. */
static void commit_anew(struct engine *e, const struct replacement *r, bool silent)
{
    uint32_t slot = r->slot;
    struct order *o = &e->orders[slot];
    struct account *account = &e->accounts[e->keys[o->key].account];
    struct order old = *o;
    order_leave(e, slot);
    order_release_reserves(e, slot, r->arrival.contract);
    o->cl_ord_id = r->draft.cl_ord_id;
    o->price_e4 = r->draft.price_e4;
    o->leaves = r->draft.leaves;
    o->fees = r->draft.fees;
    o->bond_unit = r->draft.bond_unit;
    if (o->sell) {
        account->bond_open_e4 += (int64_t)o->bond_unit * o->leaves;
        capacity_reserve(e, slot, contract_hour(r->arrival.contract), o->leaves);
    } else {
        account->reserved_e4 +=
            money_bid_reserve(e, (uint8_t)o->fees, o->fee_rest, o->price_e4, o->leaves);
    }
    emit_replaced(e, slot, &old, false, silent);
}

static void arrive_anew(struct engine *e, const struct replacement *r)
{
    if (e->orders[r->slot].reserved) {
        order_stand_reserved(e, r->slot);
    } else {
        order_arrive(e, r->slot, &r->arrival, false);
    }
}

void replace_commit(struct engine *e, const struct command *command, uint32_t slot, bool silent)
{
    struct replacement r;
    uint32_t ladder = e->orders[slot].ladder;
    switch (replace_way(e, command, slot)) {
    case REPLACE_NOT:
        return;
    case REPLACE_AWAY:
        order_take_out_as(e, slot, REASON_REPLACED_AWAY, order_own_number(e, command, slot),
                          silent);
        ladder_release_if_idle(e, ladder);
        return;
    case REPLACE_IN_PLACE:
        replace_in_place(e, slot, command, silent);
        return;
    case REPLACE_ANEW:
        replace_draft(e, command, slot, &r);
        commit_anew(e, &r, silent);
        arrive_anew(e, &r);
    }
}

void replace_apply(struct engine *e, const struct command *command)
{
    uint64_t order_id = command->replace_order.order_id;
    uint32_t slot = order_find_own(e, command, order_id);
    if (slot == 0) {
        return;
    }
    if (__builtin_expect(e->orders[slot].kind == KIND_RANGE, 0)) {
        range_replace(e, command, slot);
        return;
    }
    if (__builtin_expect(e->orders[slot].kind == KIND_SET, 0)) {
        set_replace(e, command, slot);
        return;
    }
    if (__builtin_expect(e->orders[slot].kind == KIND_JOB, 0)) {
        job_replace(e, command, slot);
        return;
    }
    struct rejection why;
    struct replacement r;
    if (!order_check_replace(e, command, slot, &why)) {
        order_reject(e, command, order_id, &why);
        return;
    }
    uint32_t owner = e->orders[slot].key;
    uint32_t ladder = e->orders[slot].ladder;
    switch (replace_way(e, command, slot)) {
    case REPLACE_NOT:
        CHECK(false); /* NOTHING_TO_REPLACE has refused it */
    case REPLACE_AWAY:
        order_take_out(e, slot, REASON_REPLACED_AWAY, order_own_number(e, command, slot));
        order_answer_other_key(e, command, owner);
        ladder_release_if_idle(e, ladder);
        return;
    case REPLACE_IN_PLACE:
        replace_in_place(e, slot, command, false);
        order_answer_other_key(e, command, owner);
        return;
    case REPLACE_ANEW:
        replace_draft(e, command, slot, &r);
        if (!check_anew(e, &r, &why)) {
            order_reject(e, command, order_id, &why);
            return;
        }
        /* Past this line nothing can fail. */
        commit_anew(e, &r, false);
        order_answer_other_key(e, command, owner);
        arrive_anew(e, &r);
    }
}
