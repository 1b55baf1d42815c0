/* Reads of the engine's state: engine.h declares them. */
#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/job.h"
#include "exchange/core/order.h"
#include "exchange/core/range.h"
#include "exchange/core/set.h"
#include "exchange/core/state.h"

bool engine_account(const struct engine *e, uint32_t account, struct engine_account *out)
{
    if (account < 1 || account > e->s.account_count) {
        return false;
    }
    const struct account *a = &e->accounts[account];
    *out = (struct engine_account){
        .cash_e4 = a->cash_e4,
        .credit_e4 = a->credit_e4,
        .reserved_e4 = a->reserved_e4,
        .bond_open_e4 = a->bond_open_e4,
        .bond_locked_e4 = a->bond_locked_e4,
        .escrow_e4 = a->escrow_e4,
        .available_e4 = account_available(a),
        .order_qty_limit = a->order_qty_limit,
        .group = a->group,
        .open_orders = a->open_orders,
        .open_orders_limit = a->open_orders_limit,
        .rate_limit = a->rate_limit,
        .roles = a->roles,
        .fees = a->fees,
        .killed = a->killed != 0,
    };
    return true;
}

bool engine_key(const struct engine *e, uint32_t key, struct engine_key *out)
{
    if (key < 1 || key > e->s.key_count) {
        return false;
    }
    const struct key *k = &e->keys[key];
    *out = (struct engine_key){
        .highest_cl_ord_id = k->highest_cl_ord_id,
        .report_seq = k->report_seq,
        .account = k->account,
        .session = k->session,
        .link = (k->flags & KEY_BOUND) != 0 ? k->link : 0,
        .roles = k->roles,
        .cancel_on_disconnect = (k->flags & KEY_COD) != 0,
        .revoked = (k->flags & KEY_REVOKED) != 0,
    };
    memcpy(out->public_key, e->public_keys[key], PUBLIC_KEY_SIZE);
    return true;
}

uint32_t engine_key_count(const struct engine *e)
{
    return e->s.key_count;
}

uint32_t engine_account_count(const struct engine *e)
{
    return e->s.account_count;
}

static uint8_t kind_of(const struct order *o)
{
    static const uint8_t kinds[] = {
        [KIND_PLAIN] = ENGINE_ORDER, [KIND_SET] = ENGINE_SET,  [KIND_LEG] = ENGINE_SET,
        [KIND_JOB] = ENGINE_JOB,     [KIND_LANE] = ENGINE_JOB, [KIND_RANGE] = ENGINE_RANGE,
    };
    return kinds[o->kind];
}

static uint64_t contract_of(const struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    if (o->kind == KIND_RANGE) {
        return range_contract(e, slot);
    }
    return o->kind == KIND_PLAIN ? contract_with_tier(e->ladders[o->ladder].contract, o->tier) : 0;
}

bool engine_order(const struct engine *e, uint64_t order_id, struct engine_order *out)
{
    uint32_t slot = order_find(e, order_id);
    if (slot == 0) {
        return false;
    }
    const struct order *o = &e->orders[slot];
    *out = (struct engine_order){
        .order_id = order_id,
        .contract = contract_of(e, slot),
        .cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .leaves_qty = o->kind == KIND_JOB ? job_gpu_hours(job_of(e, o)) : o->leaves,
        .cum_qty = o->kind == KIND_RANGE ? 0 : o->cum,
        .shown_qty = (int64_t)o->leaves - iceberg_reserve(e, slot),
        .key = o->key,
        .account = e->keys[o->key].account,
        .resource = o->resource,
        .side = o->sell,
        .kind = kind_of(o),
        .reserved = o->reserved,
        .ranged = o->ranged,
    };
    return true;
}

enum engine_leg engine_set_leg(const struct engine *e, uint64_t order_id, uint32_t number,
                               uint32_t *open_qty)
{
    uint32_t set = order_find(e, order_id);
    *open_qty = 0;
    if (set == 0 || e->orders[set].kind != KIND_SET) {
        return ENGINE_LEG_ENDED;
    }
    for (uint32_t leg = e->orders[set].next; leg != 0; leg = e->orders[leg].newer) {
        if (e->orders[leg].cl_ord_id != number) {
            continue;
        }
        if (ladder_is_shadow(e, e->orders[leg].ladder)) {
            return ENGINE_LEG_ASLEEP;
        }
        *open_qty = set_open(e, leg);
        return ENGINE_LEG_LIVE;
    }
    return ENGINE_LEG_ENDED;
}

/* Key by key, each from its newest order; the cursor is the id of the last order returned. */
bool engine_account_order(const struct engine *e, uint32_t account, uint64_t *cursor,
                          struct engine_order *out)
{
    if (account < 1 || account > e->s.account_count) {
        return false;
    }
    uint32_t key = e->accounts[account].first_key;
    uint32_t slot = 0;
    if (*cursor != 0) {
        uint32_t last = order_find(e, *cursor);
        if (last == 0 || e->keys[e->orders[last].key].account != account) {
            return false;
        }
        slot = e->orders[last].older;
        key = e->keys[e->orders[last].key].next_of_account;
    }
    while (slot == 0 && key != 0) {
        slot = e->keys[key].newest;
        key = e->keys[key].next_of_account;
    }
    if (slot == 0) {
        return false;
    }
    *cursor = order_id_of(e, slot);
    return engine_order(e, *cursor, out);
}

static struct engine_holding holding_out(const struct holding_place *place, uint32_t qty,
                                         uint32_t offered)
{
    return (struct engine_holding){
        .account = place->account,
        .resource = place->resource,
        .hour = place->hour_tier >> 8,
        .tier = (uint8_t)place->hour_tier,
        .qty = qty,
        .offered = offered,
    };
}

/* Beyond the table the cursor counts the fills that are not in it yet: the first of its holding tells. */
static bool holding_behind_table(const struct engine *e, uint32_t account, uint32_t *cursor,
                                 struct engine_holding *out)
{
    uint32_t told = *cursor > e->s.holding_top ? *cursor - e->s.holding_top : 0;
    for (uint32_t f = e->s.holding_fills + told + 1; f <= e->s.fill_count; f++) {
        struct holding_place place = holding_place_of_fill(&e->fills[f]);
        uint32_t qty = holding_behind_of(e, e->s.holding_fills + 1, &place);
        if (place.account == account && holding_bucket(e, &place)->holding == 0 &&
            qty == holding_behind_of(e, f, &place)) {
            *cursor = f - e->s.holding_fills + e->s.holding_top;
            *out = holding_out(&place, qty, 0);
            return true;
        }
    }
    return false;
}

bool engine_account_holding(const struct engine *e, uint32_t account, uint32_t *cursor,
                            struct engine_holding *out)
{
    for (uint32_t i = *cursor + 1; i <= e->s.holding_top; i++) {
        const struct holding *h = &e->holdings[i];
        if (h->account == account && h->qty != 0) {
            *cursor = i;
            struct holding_place place =
                holding_place(account, h->resource, h->hour_tier >> 8, (uint8_t)h->hour_tier);
            *out = holding_out(
                &place, h->qty + holding_behind_of(e, e->s.holding_fills + 1, &place), h->offered);
            return true;
        }
    }
    return holding_behind_table(e, account, cursor, out);
}

static const struct ladder *ladder_of(const struct engine *e, uint64_t contract, uint32_t *market)
{
    uint16_t class_id = contract_class(contract);
    uint16_t region_id = contract_region(contract);
    if (class_id >= e->s.class_count || region_id >= e->s.region_count ||
        contract_tier(contract) >= TIER_COUNT) {
        *market = 0;
        return NULL;
    }
    *market = e->s.market_of[class_id][region_id];
    if (*market == 0) {
        return NULL;
    }
    uint32_t ladder = ladder_find(e, *market, contract_hour(contract));
    if (ladder == 0 || contract_hour(e->ladders[ladder].contract) != contract_hour(contract)) {
        return NULL;
    }
    return &e->ladders[ladder];
}

uint8_t engine_phase(const struct engine *e, uint64_t contract)
{
    uint32_t market;
    const struct ladder *l = ladder_of(e, contract, &market);
    uint32_t hour = contract_hour(contract);
    const struct market *m = &e->markets[market];
    if (market == 0 || m->mode == MODE_NONE || hour < e->s.open_hour) {
        return PHASE_CLOSED;
    }
    if (m->halted) {
        return PHASE_HALTED;
    }
    if (hour >= e->s.hour + e->s.horizon_hours) {
        return PHASE_PRE_OPEN;
    }
    if (l != NULL && ladder_is_collecting(l)) {
        return e->auctions[l->occupied >> LADDER_AUCTION_AT].kind;
    }
    if (m->mode == MODE_LISTING) {
        return PHASE_LISTING;
    }
    return auction_collects(e, market, hour) ? PHASE_PRE_OPEN : PHASE_CONTINUOUS;
}

bool engine_listed_offer(const struct engine *e, uint64_t contract, uint64_t *cursor,
                         struct engine_order *out)
{
    uint32_t market;
    const struct ladder *l = ladder_of(e, contract, &market);
    if (l == NULL || e->markets[market].mode != MODE_LISTING) {
        return false;
    }
    uint32_t slot = l->best[book_index(true, contract_tier(contract))];
    if (*cursor != 0) {
        slot = order_find(e, *cursor);
        slot = slot == 0 ? 0 : book_worse(e, slot);
    }
    if (slot == 0) {
        return false;
    }
    *cursor = order_id_of(e, slot);
    return engine_order(e, *cursor, out);
}

const char *engine_group_name(const struct engine *e, uint32_t group)
{
    return group >= 1 && group <= e->s.group_count ? e->group_names[group] : NULL;
}

bool engine_best_bid(const struct engine *e, uint64_t contract, int64_t *price_e4)
{
    uint32_t market;
    const struct ladder *l = ladder_of(e, contract, &market);
    bool found = false;
    for (uint32_t book = 0; l != NULL && book <= contract_tier(contract); book++) {
        if ((l->occupied >> book & 1u) != 0 && (!found || l->best_price[book] > *price_e4)) {
            *price_e4 = l->best_price[book];
            found = true;
        }
    }
    return found;
}

bool engine_best_offer(const struct engine *e, uint64_t contract, int64_t *price_e4)
{
    uint32_t market;
    const struct ladder *l = ladder_of(e, contract, &market);
    bool found = false;
    for (uint32_t book = 4u + contract_tier(contract); l != NULL && book < BOOKS; book++) {
        if ((l->occupied >> book & 1u) != 0 && (!found || l->best_price[book] < *price_e4)) {
            *price_e4 = l->best_price[book];
            found = true;
        }
    }
    return found;
}

bool engine_reference(const struct engine *e, uint64_t contract, int64_t *price_e4)
{
    uint32_t market;
    const struct ladder *l = ladder_of(e, contract, &market);
    const struct market *m = &e->markets[market];
    uint8_t tier = contract_tier(contract) & 3u;
    /* Not order_reference(): far beyond the horizon a place of the ring is another hour's. */
    if (l != NULL && l->last_trade_e4 != 0) {
        *price_e4 = l->last_trade_e4;
    } else {
        *price_e4 =
            m->index_price_e4[tier] != 0 ? m->index_price_e4[tier] : m->launch_price_e4[tier];
    }
    return *price_e4 != 0;
}

void engine_counts(const struct engine *e, struct engine_counts *out)
{
    uint64_t hints = ((uint64_t)e->hint_mask + 1) * sizeof(struct hint);
    *out = (struct engine_counts){
        .orders = e->s.order_count,
        .ladders = e->s.ladder_count,
        .fills = e->s.fill_count,
        .holdings = e->s.holding_count + holding_behind(e),
        .index_bytes = (uint64_t)e->s.order_count * sizeof(struct order) +
                       (uint64_t)e->s.ladder_count * sizeof(struct ladder) +
                       (uint64_t)e->s.node_units_live * NODE_UNIT +
                       hints * e->s.order_count / e->config.orders +
                       (uint64_t)e->s.timer_count * sizeof(uint32_t),
    };
}
