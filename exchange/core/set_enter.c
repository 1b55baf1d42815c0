/* SETs coming in: their checks, in the order of the rulebook, their entry and their replacing. */
#include "exchange/core/book.h"
#include "exchange/core/emit.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/money.h"
#include "exchange/core/order_check.h"
#include "exchange/core/set.h"
#include "exchange/core/slot.h"
#include "exchange/core/timers.h"
#include "exchange/core/walk.h"

/* A SET that is being checked. */
struct entry {
    struct set_arrival arrival;
    int64_t dearest_e4;
    int64_t reserve_e4;
    uint32_t smallest_lot;
    uint32_t ladders; /* to be made */
    bool post_only;
};

static bool refuse(struct rejection *why, uint16_t reason, int64_t value, int64_t bound)
{
    *why = (struct rejection){.reason = reason, .value = value, .bound = bound};
    return false;
}

static bool refuse_leg(struct rejection *why, const struct set_arrival *a, uint32_t i)
{
    why->contract = a->legs[i].contract;
    why->leg = a->numbers[i];
    return false;
}

/* --- checks --------------------------------------------------------------------------------- */

static bool check_kind(const struct engine *e, const struct command *c, struct rejection *why)
{
    const struct command_new_set *n = &c->new_set;
    bool immediate = n->tif == TIF_IOC || n->tif == TIF_FOK;
    bool post_only = (n->flags & ORDER_POST_ONLY) != 0;
    if (n->tif > TIF_FOK) {
        return refuse(why, REASON_INVALID_TIME_IN_FORCE, n->tif, TIF_FOK);
    }
    if (n->stp > STP_DECREMENT) {
        return refuse(why, REASON_INVALID_STP, n->stp, STP_DECREMENT);
    }
    if (post_only && immediate) {
        return refuse(why, REASON_POST_ONLY_WITH_IMMEDIATE, n->tif, 0);
    }
    if (n->min_qty != 0 && n->tif == TIF_FOK) {
        return refuse(why, REASON_MIN_QTY_WITH_FOK, n->min_qty, 0);
    }
    if (n->min_qty != 0 && post_only) {
        return refuse(why, REASON_MIN_QTY_WITH_POST_ONLY, n->min_qty, 0);
    }
    if (n->display_qty != 0) {
        return refuse(why, REASON_DISPLAY_QTY_WITH_SET, n->display_qty, 0);
    }
    if (n->expire_time_ns != 0 && n->tif != TIF_TIME) {
        return refuse(why, REASON_EXPIRE_TIME_NOT_ALLOWED, n->expire_time_ns, 0);
    }
    if (n->tif == TIF_TIME && n->expire_time_ns <= e->s.time_ns) {
        return refuse(why, REASON_EXPIRE_TIME_PAST, n->expire_time_ns, e->s.time_ns);
    }
    if (n->qty < 1 || n->qty > QTY_MAX) {
        return refuse(why, REASON_QTY_OUT_OF_RANGE, n->qty, QTY_MAX);
    }
    return true;
}

static bool check_form(const struct engine *e, const struct command *c, struct rejection *why)
{
    const struct command_new_set *n = &c->new_set;
    if (n->leg_count < 1 || n->leg_count > SET_LEGS_MAX) {
        return refuse(why, REASON_LEG_COUNT_OUT_OF_RANGE, n->leg_count, SET_LEGS_MAX);
    }
    uint32_t slots = 1u + (n->leg_count + SET_LEGS_PER_SLOT - 1u) / SET_LEGS_PER_SLOT;
    if (c->head.slots != slots || (n->flags & ~ORDER_POST_ONLY) != 0) {
        return refuse(why, REASON_INVALID_COMMAND, c->head.slots, slots);
    }
    return check_kind(e, c, why);
}

/* Contract and limit of a leg; adds it to the arrival. */
static bool check_leg(const struct engine *e, const struct command *c, uint32_t i,
                      struct entry *entry, struct rejection *why)
{
    const union command_slot *slots = (const union command_slot *)(const void *)c;
    const struct set_leg *leg = &slots[1 + i / SET_LEGS_PER_SLOT].legs[i % SET_LEGS_PER_SLOT];
    struct arrival *a = &entry->arrival.legs[i];
    *a = (struct arrival){
        .contract = leg->contract,
        .limit_e4 = leg->price_e4,
        .group = e->keys[c->head.key].group,
        .tier = contract_tier(leg->contract),
        .stp = c->new_set.stp,
        .fok = c->new_set.tif == TIF_FOK,
    };
    entry->arrival.numbers[i] = (uint8_t)(i + 1);
    entry->arrival.slots[i] = 0;
    if (!order_check_contract(e, leg->contract, &a->market, why)) {
        return false;
    }
    if (e->markets[a->market].mode != MODE_CONTINUOUS) {
        return refuse(why, REASON_NOT_SUPPORTED, e->markets[a->market].mode, 0);
    }
    if (leg->price_e4 < 1 || leg->price_e4 > PRICE_MAX_E4) {
        return refuse(why, REASON_PRICE_OUT_OF_RANGE, leg->price_e4, PRICE_MAX_E4);
    }
    int64_t reference = order_reference(e, a->market, leg->contract);
    if (!order_check_band(e, a->market, reference, leg->price_e4, why)) {
        return false;
    }
    for (uint32_t earlier = 0; earlier < i; earlier++) {
        if (entry->arrival.legs[earlier].contract == leg->contract) {
            return refuse(why, REASON_DUPLICATE_LEG, earlier + 1, i + 1);
        }
    }
    order_check_inner_band(e, a, reference);
    a->ladder = ladder_find(e, a->market, contract_hour(leg->contract));
    return true;
}

static void note_leg(const struct engine *e, struct entry *entry, uint32_t i)
{
    const struct arrival *a = &entry->arrival.legs[i];
    uint32_t lot = e->markets[a->market].lot;
    entry->dearest_e4 = a->limit_e4 > entry->dearest_e4 ? a->limit_e4 : entry->dearest_e4;
    entry->smallest_lot = i == 0 || lot < entry->smallest_lot ? lot : entry->smallest_lot;
}

static bool check_lots(const struct engine *e, const struct entry *entry, uint32_t account,
                       int64_t qty, struct rejection *why)
{
    if (qty % entry->smallest_lot != 0) {
        return refuse(why, REASON_QTY_NOT_IN_LOTS, qty, entry->smallest_lot);
    }
    if (qty > e->accounts[account].order_qty_limit) {
        return refuse(why, REASON_QTY_ABOVE_LIMIT, qty, e->accounts[account].order_qty_limit);
    }
    return true;
}

/* Everything about a new SET that does not need the books; fills in the arrival. */
static bool check_new(const struct engine *e, const struct command *c, struct entry *entry,
                      struct rejection *why)
{
    const struct command_new_set *n = &c->new_set;
    uint32_t account = e->keys[c->head.key].account;
    const struct account *owner = &e->accounts[account];
    entry->arrival.set = 0;
    entry->arrival.count = 0;
    entry->arrival.balance = n->qty;
    entry->dearest_e4 = 0;
    entry->post_only = (n->flags & ORDER_POST_ONLY) != 0;
    if (!check_form(e, c, why)) {
        return false;
    }
    for (uint32_t i = 0; i < n->leg_count; i++) {
        if (!check_leg(e, c, i, entry, why)) {
            return refuse_leg(why, &entry->arrival, i);
        }
        note_leg(e, entry, i);
        entry->arrival.count++;
    }
    if (!check_lots(e, entry, account, n->qty, why)) {
        return false;
    }
    if (n->min_qty < 0 || n->min_qty > n->qty || n->min_qty % entry->smallest_lot != 0) {
        return refuse(why, REASON_MIN_QTY_OUT_OF_RANGE, n->min_qty, n->qty);
    }
    if (owner->open_orders >= owner->open_orders_limit) {
        return refuse(why, REASON_TOO_MANY_OPEN_ORDERS, owner->open_orders,
                      owner->open_orders_limit);
    }
    return true;
}

static bool awake(const struct engine *e, const struct set_arrival *a, uint32_t i)
{
    return a->balance >= e->markets[a->legs[i].market].lot;
}

/* Post-only: the best offer that is not over must be beyond the leg's limit. */
static bool check_top(const struct engine *e, const struct entry *entry, uint32_t i,
                      struct rejection *why)
{
    const struct arrival *a = &entry->arrival.legs[i];
    struct walk w;
    uint32_t book;
    walk_start(e, &w, a->ladder);
    while ((book = walk_best(e, &w, match_eligible(a), false)) != BOOKS) {
        uint32_t offer = walk_take(e, &w, book);
        int64_t price = e->orders[offer].price_e4;
        if (!match_crosses(a, price)) {
            return true;
        }
        if (order_over(e, offer) == 0) {
            return refuse(why, REASON_POST_ONLY_WOULD_TRADE, a->limit_e4, price);
        }
    }
    return true;
}

static bool check_leg_top(const struct engine *e, const struct entry *entry, uint32_t i,
                          struct rejection *why)
{
    return !entry->post_only || check_top(e, entry, i, why) || refuse_leg(why, &entry->arrival, i);
}

/* Leg by leg, those awake: tops that are over go, post-only. */
static bool check_tops(struct engine *e, const struct entry *entry, struct rejection *why)
{
    for (uint32_t i = 0; i < entry->arrival.count; i++) {
        if (awake(e, &entry->arrival, i)) {
            match_clear_tops(e, &entry->arrival.legs[i]);
            if (!check_leg_top(e, entry, i, why)) {
                return false;
            }
        }
    }
    return true;
}

/* Ladders that its legs need and that are not there; two legs may need the same. */
static uint32_t ladders_missing(const struct set_arrival *a)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        bool first = a->legs[i].ladder == 0;
        for (uint32_t j = 0; j < i && first; j++) {
            first = contract_with_tier(a->legs[j].contract, 0) !=
                    contract_with_tier(a->legs[i].contract, 0);
        }
        missing += first;
    }
    return missing;
}

/* Room for the trades of its arrival, and for its legs' hours. */
static bool check_room(const struct engine *e, const struct entry *entry)
{
    const struct set_arrival *a = &entry->arrival;
    int64_t offers = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        if (contract_hour(a->legs[i].contract) - e->s.gate_hour >= HOUR_RING) {
            return false;
        }
        offers += a->legs[i].ladder == 0 ? 0 : iceberg_trades(e, a->legs[i].ladder, true);
    }
    int64_t lots = a->balance / entry->smallest_lot;
    return order_check_fills(e, offers < lots ? offers : lots) && book_has_room(e) &&
           ladder_has_room(e, ladders_missing(a));
}

static bool check_means(const struct engine *e, const struct command *c, struct entry *entry,
                        struct rejection *why)
{
    const struct command_new_set *n = &c->new_set;
    const struct account *account = &e->accounts[e->keys[c->head.key].account];
    int64_t available = account_available(account);
    entry->reserve_e4 = money_bid_reserve(e, account->fees, 0, entry->dearest_e4, n->qty);
    if (available < entry->reserve_e4) {
        return refuse(why, REASON_INSUFFICIENT_FUNDS, entry->reserve_e4, available);
    }
    if (!order_check_tables(e, n->leg_count + 1u, n->tif == TIF_TIME) || !check_room(e, entry)) {
        return refuse(why, REASON_FULL, 0, 0);
    }
    return true;
}

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
static uint32_t enter(struct engine *e, const struct command *c, struct entry *entry)
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
        .epoch = e->s.epoch,
        .fees = account->fees,
        .stp = n->stp & 3u,
        .post_only = entry->post_only,
        .special = 1,
        .kind = KIND_SET,
        .live = 1,
    };
    chain_append(e, set);
    e->s.epoch_used = 1;
    account->open_orders++;
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
    struct entry entry;
    struct rejection why;
    if (!check_new(e, c, &entry, &why)) {
        order_reject(e, c, 0, &why);
        return;
    }
    if (!check_tops(e, &entry, &why) || !check_means(e, c, &entry, &why)) {
        order_reject(e, c, 0, &why);
        release_idle(e, &entry.arrival);
        return;
    }
    uint32_t set = enter(e, c, &entry);
    emit_set(e, set, c, entry.reserve_e4);
    emit_legs(e, set, &entry.arrival);
    struct set_wish wish = {.min_qty = c->new_set.min_qty,
                            .immediate = c->new_set.tif == TIF_IOC || c->new_set.tif == TIF_FOK};
    set_arrive(e, &entry.arrival, &wish);
}

/* --- replace -------------------------------------------------------------------------------- */

/* The live legs, as they would arrive anew; the balance is still to be set. */
static void draft(const struct engine *e, uint32_t set, struct entry *entry)
{
    const struct order *o = &e->orders[set];
    struct set_arrival *a = &entry->arrival;
    a->set = set;
    a->count = 0;
    a->balance = 0;
    entry->dearest_e4 = 0;
    entry->post_only = o->post_only;
    for (uint32_t leg = o->next; leg != 0; leg = e->orders[leg].newer) {
        const struct order *l = &e->orders[leg];
        uint32_t ladder = ladder_main(e, l->ladder);
        uint32_t i = a->count;
        a->slots[i] = leg;
        a->numbers[i] = (uint8_t)l->cl_ord_id;
        a->legs[i] = (struct arrival){
            .contract = contract_with_tier(e->ladders[ladder].contract, l->tier),
            .ladder = ladder,
            .market = e->ladders[ladder].market,
            .limit_e4 = l->price_e4,
            .group = e->keys[o->key].group,
            .tier = l->tier,
            .stp = o->stp,
        };
        order_check_inner_band(e, &a->legs[i],
                               order_reference(e, a->legs[i].market, a->legs[i].contract));
        note_leg(e, entry, i);
        a->count++;
    }
}

static bool check_replace(const struct engine *e, const struct command *c,
                          const struct entry *entry, struct rejection *why)
{
    const struct command_replace_order *r = &c->replace_order;
    const struct set_arrival *a = &entry->arrival;
    const struct order *o = &e->orders[a->set];
    for (uint32_t i = 0; i < a->count; i++) {
        if (e->markets[a->legs[i].market].halted) {
            refuse(why, REASON_MARKET_HALTED, 0, 0);
            return refuse_leg(why, a, i);
        }
    }
    if (r->price_e4 != 0) {
        return refuse(why, REASON_PRICE_WITH_SET, r->price_e4, 0);
    }
    if (r->qty < 1 || r->qty > QTY_MAX) {
        return refuse(why, REASON_QTY_OUT_OF_RANGE, r->qty, QTY_MAX);
    }
    if (!check_lots(e, entry, e->keys[o->key].account, r->qty, why)) {
        return false;
    }
    if (r->qty == (int64_t)o->cum + o->leaves) {
        return refuse(why, REASON_NOTHING_TO_REPLACE, 0, r->qty);
    }
    return true;
}

/* A SET that grows arrives anew. */
static bool check_growth(struct engine *e, struct entry *entry, struct rejection *why)
{
    const struct set_arrival *a = &entry->arrival;
    const struct order *o = &e->orders[a->set];
    const struct account *account = &e->accounts[e->keys[o->key].account];
    for (uint32_t i = 0; i < a->count; i++) {
        const struct arrival *leg = &a->legs[i];
        int64_t reference = order_reference(e, leg->market, leg->contract);
        if (!order_check_band(e, leg->market, reference, leg->limit_e4, why)) {
            return refuse_leg(why, a, i);
        }
    }
    if (!check_tops(e, entry, why)) {
        return false;
    }
    entry->reserve_e4 =
        money_bid_reserve(e, account->fees, o->fee_rest, entry->dearest_e4, a->balance);
    int64_t available = account_available(account) +
                        money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
    if (available < entry->reserve_e4) {
        return refuse(why, REASON_INSUFFICIENT_FUNDS, entry->reserve_e4, available);
    }
    return check_room(e, entry) || refuse(why, REASON_FULL, 0, 0);
}

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

static void grow(struct engine *e, const struct command *c, struct entry *entry)
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
    struct entry entry;
    struct rejection why;
    draft(e, set, &entry);
    bool grows = c->replace_order.qty > (int64_t)o->cum + o->leaves;
    bool passes = check_replace(e, c, &entry, &why);
    entry.arrival.balance = passes ? c->replace_order.qty - (int64_t)o->cum : 0;
    if (!passes || (grows && !check_growth(e, &entry, &why))) {
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

/* --- dry run -------------------------------------------------------------------------------- */

static bool check_quote(const struct engine *e, const struct command *c, struct entry *entry,
                        struct rejection *why)
{
    const struct key *k = &e->keys[c->head.key];
    entry->arrival.count = 0;
    if ((k->roles & ROLE_BUYER) == 0) {
        return refuse(why, REASON_NOT_AUTHORIZED, c->head.type, k->roles);
    }
    if (e->accounts[k->account].killed) {
        return refuse(why, REASON_ACCOUNT_KILLED, 0, 0);
    }
    if (!check_new(e, c, entry, why)) {
        entry->arrival.count = 0; /* its legs are not known to be sound */
        return false;
    }
    for (uint32_t i = 0; i < entry->arrival.count; i++) {
        if (awake(e, &entry->arrival, i) && !check_leg_top(e, entry, i, why)) {
            return false;
        }
    }
    return check_means(e, c, entry, why);
}

bool engine_quote_set(const struct engine *e, const struct command *command,
                      struct engine_quote *out)
{
    uint32_t key = command->head.key;
    struct entry entry;
    struct rejection why = {0};
    *out = (struct engine_quote){0};
    if (key < 1 || key > e->s.key_count || command->head.type != COMMAND_NEW_SET) {
        return false;
    }
    bool accepted = check_quote(e, command, &entry, &why);
    struct set_fill fill = {0, 0};
    if (accepted) {
        fill = set_fillable(e, &entry.arrival);
        bool fok = command->new_set.tif == TIF_FOK;
        if (fok && fill.qty < command->new_set.qty) {
            why.reason = REASON_FOK_NOT_FILLED;
        } else if (fill.qty < command->new_set.min_qty) {
            why.reason = REASON_MIN_QTY_NOT_MET;
        }
    }
    if (entry.arrival.count > 0) {
        struct set_miss miss = set_miss(e, &entry.arrival);
        out->miss_contract = miss.contract;
        out->miss_qty = miss.qty;
        out->miss_leg = miss.number;
    }
    out->reason = why.reason;
    out->value = why.value;
    out->bound = why.bound;
    out->contract = why.contract;
    out->leg = why.leg;
    if (why.reason == REASON_NONE) {
        out->qty = fill.qty;
        out->notional_e4 = fill.notional_e4;
        out->reserved_e4 = entry.reserve_e4;
    }
    return true;
}
