#include "exchange/core/set_check.h"

#include "exchange/core/book.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/money.h"
#include "exchange/core/order_check.h"
#include "exchange/core/walk.h"

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

/* --- entry ---------------------------------------------------------------------------------- */

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
                      struct set_entry *entry, struct rejection *why)
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

static void note_leg(const struct engine *e, struct set_entry *entry, uint32_t i)
{
    struct arrival *a = &entry->arrival.legs[i];
    uint32_t lot = e->markets[a->market].lot;
    entry->dearest_e4 = a->limit_e4 > entry->dearest_e4 ? a->limit_e4 : entry->dearest_e4;
    entry->smallest_lot = i == 0 || lot < entry->smallest_lot ? lot : entry->smallest_lot;
    a->collected = e->markets[a->market].mode != MODE_CONTINUOUS ||
                   ladder_is_collecting(&e->ladders[a->ladder]);
}

static bool check_lots(const struct engine *e, const struct set_entry *entry, uint32_t account,
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

bool set_check_new(const struct engine *e, const struct command *c, struct set_entry *entry,
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
    int64_t open = (int64_t)owner->open_orders + n->leg_count;
    if (open > owner->open_orders_limit) {
        return refuse(why, REASON_TOO_MANY_OPEN_ORDERS, open, owner->open_orders_limit);
    }
    return true;
}

static bool awake(const struct engine *e, const struct set_arrival *a, uint32_t i)
{
    return !a->legs[i].collected && a->balance >= e->markets[a->legs[i].market].lot;
}

/* Post-only: the best offer that is not over must be beyond the leg's limit. */
static bool check_top(const struct engine *e, const struct set_entry *entry, uint32_t i,
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

static bool check_leg_top(const struct engine *e, const struct set_entry *entry, uint32_t i,
                          struct rejection *why)
{
    return !entry->post_only || check_top(e, entry, i, why) || refuse_leg(why, &entry->arrival, i);
}

bool set_check_tops(struct engine *e, const struct set_entry *entry, struct rejection *why)
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
static bool check_room(const struct engine *e, const struct set_entry *entry)
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
    return order_check_fills(e, offers < lots ? offers : lots) &&
           ladder_has_room(e, ladders_missing(a));
}

bool set_check_means(const struct engine *e, const struct command *c, struct set_entry *entry,
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

bool set_check_trial(const struct engine *e, const struct command *c, const struct set_entry *entry,
                     bool *misses, struct rejection *why)
{
    const struct command_new_set *n = &c->new_set;
    int64_t wanted = n->tif == TIF_FOK ? n->qty : n->min_qty;
    if (wanted == 0) {
        return true;
    }
    struct trial trial = set_fillable(e, &entry->arrival, wanted);
    *misses = trial.qty < wanted;
    return order_check_width(e, &trial, why);
}

/* --- replace -------------------------------------------------------------------------------- */

void set_check_draft(const struct engine *e, uint32_t set, struct set_entry *entry)
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

bool set_check_replace(const struct engine *e, const struct command *c,
                       const struct set_entry *entry, struct rejection *why)
{
    const struct command_replace_order *r = &c->replace_order;
    const struct set_arrival *a = &entry->arrival;
    const struct order *o = &e->orders[a->set];
    for (uint32_t i = 0; i < a->count; i++) {
        if (!order_check_market(e, a->legs[i].market, why)) {
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

bool set_check_growth(struct engine *e, struct set_entry *entry, struct rejection *why)
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
    if (!set_check_tops(e, entry, why)) {
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

/* --- dry run -------------------------------------------------------------------------------- */

static bool check_quote(const struct engine *e, const struct command *c, struct set_entry *entry,
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
    if (!set_check_new(e, c, entry, why)) {
        entry->arrival.count = 0; /* its legs are not known to be sound */
        return false;
    }
    for (uint32_t i = 0; i < entry->arrival.count; i++) {
        if (awake(e, &entry->arrival, i) && !check_leg_top(e, entry, i, why)) {
            return false;
        }
    }
    return set_check_means(e, c, entry, why);
}

/* What it would fill, or why the trial would end it. */
static struct trial count_quote(const struct engine *e, const struct command *c,
                                const struct set_entry *entry, struct rejection *why)
{
    bool misses = false;
    struct trial fill = {.qty = 0};
    if (!set_check_trial(e, c, entry, &misses, why)) {
        return fill;
    }
    if (misses) {
        why->reason = c->new_set.tif == TIF_FOK ? REASON_FOK_NOT_FILLED : REASON_MIN_QTY_NOT_MET;
        return fill;
    }
    fill = set_fillable(e, &entry->arrival, c->new_set.qty);
    if (!order_check_width(e, &fill, why)) {
        why->reason = REASON_READ_TOO_WIDE;
    }
    return fill;
}

bool engine_quote_set(const struct engine *e, const struct command *command,
                      struct engine_quote *out)
{
    uint32_t key = command->head.key;
    struct set_entry entry;
    struct rejection why = {0};
    *out = (struct engine_quote){0};
    if (key < 1 || key > e->s.key_count || command->head.type != COMMAND_NEW_SET) {
        return false;
    }
    struct trial fill = {.qty = 0};
    if (check_quote(e, command, &entry, &why)) {
        fill = count_quote(e, command, &entry, &why);
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
        uint8_t fees = e->accounts[e->keys[key].account].fees;
        out->fee_e4 = money_fee(0, fill.notional_e4, e->s.fees[fees].taker_bp, NULL);
        out->reserved_e4 = entry.reserve_e4;
    }
    return true;
}
