/* The checks of JOBs before anything changes, in the order of the rulebook; the first that fails is the
 * reason. Nothing here changes the state. */
#include "exchange/core/book.h"
#include "exchange/core/job.h"
#include "exchange/core/job_search.h"
#include "exchange/core/money.h"
#include "exchange/core/order_check.h"

RARE static bool refuse(struct rejection *why, uint16_t reason, int64_t value, int64_t bound)
{
    *why = (struct rejection){.reason = reason, .value = value, .bound = bound};
    return false;
}

static bool check_kind(const struct engine *e, const struct command *c, struct rejection *why)
{
    const struct command_new_job *n = &c->new_job;
    if (n->lane_count < 1 || n->lane_count > JOB_LANES_MAX) {
        return refuse(why, REASON_LANE_COUNT_OUT_OF_RANGE, n->lane_count, JOB_LANES_MAX);
    }
    if (c->head.slots != 1 + (n->lane_count + JOB_LANES_PER_SLOT - 1) / JOB_LANES_PER_SLOT) {
        return refuse(why, REASON_INVALID_COMMAND, c->head.type, c->head.slots);
    }
    if ((n->flags & ~ORDER_POST_ONLY) != 0) {
        return refuse(why, REASON_INVALID_COMMAND, n->flags, ORDER_POST_ONLY);
    }
    if (n->tif > TIF_FOK) {
        return refuse(why, REASON_INVALID_TIME_IN_FORCE, n->tif, TIF_FOK);
    }
    if (n->placement > PLACEMENT_SAME) {
        return refuse(why, REASON_INVALID_PLACEMENT, n->placement, PLACEMENT_SAME);
    }
    if ((n->flags & ORDER_POST_ONLY) != 0) {
        return refuse(why, REASON_JOB_WITH_POST_ONLY, n->flags, 0);
    }
    if (n->min_qty != 0) {
        return refuse(why, REASON_JOB_WITH_MIN_QTY, n->min_qty, 0);
    }
    if (n->display_qty != 0) {
        return refuse(why, REASON_JOB_WITH_DISPLAY_QTY, n->display_qty, 0);
    }
    if (n->expire_time_ns != 0 && n->tif != TIF_TIME) {
        return refuse(why, REASON_EXPIRE_TIME_NOT_ALLOWED, n->expire_time_ns, 0);
    }
    if (n->tif == TIF_TIME && n->expire_time_ns <= e->s.time_ns) {
        return refuse(why, REASON_EXPIRE_TIME_PAST, n->expire_time_ns, e->s.time_ns);
    }
    return true;
}

static bool check_amounts(int64_t price_e4, int64_t qty, struct rejection *why)
{
    if (price_e4 < 1 || price_e4 > PRICE_MAX_E4) {
        return refuse(why, REASON_PRICE_OUT_OF_RANGE, price_e4, PRICE_MAX_E4);
    }
    if (qty < 1 || qty > QTY_MAX) {
        return refuse(why, REASON_QTY_OUT_OF_RANGE, qty, QTY_MAX);
    }
    return true;
}

static bool check_window(const struct engine *e, const struct command_new_job *n,
                         struct rejection *why)
{
    if (n->hours < 1 || n->hours > JOB_HOURS_MAX) {
        return refuse(why, REASON_HOURS_OUT_OF_RANGE, n->hours, JOB_HOURS_MAX);
    }
    int64_t over = (int64_t)n->window_from + n->hours;
    if (over > n->window_to) {
        return refuse(why, REASON_WINDOW_TOO_SHORT, over, n->window_to);
    }
    if (n->window_to - n->hours < e->s.open_hour) {
        return refuse(why, REASON_GATE_CLOSED_FOR_HOUR, n->window_to - n->hours, e->s.open_hour);
    }
    int64_t horizon = (int64_t)e->s.hour + e->s.horizon_hours;
    if (n->window_to > horizon) {
        return refuse(why, REASON_BEYOND_HORIZON, n->window_to, horizon);
    }
    return true;
}

/* Resource that a trade group of this ownership group names; 0: it names none. */
static uint32_t resource_of(const struct engine *e, uint64_t trade_group, uint32_t group)
{
    uint32_t slot = (uint32_t)trade_group;
    if (slot == 0 || slot > e->s.fill_count) {
        return 0;
    }
    const struct fill_record *f = &e->fills[slot];
    bool named = f->generation == trade_group >> 32 && f->names_site != 0 &&
                 e->accounts[f->buyer].group == group;
    return named ? f->resource : 0;
}

static bool check_placement(const struct engine *e, const struct command_new_job *n,
                            struct job *job, struct rejection *why)
{
    if (n->placement != PLACEMENT_SAME) {
        if (n->same_group != 0) {
            return refuse(why, REASON_SAME_GROUP_NOT_ALLOWED, (int64_t)n->same_group, 0);
        }
        return true;
    }
    job->resource = resource_of(e, n->same_group, job->group);
    if (job->resource == 0) {
        return refuse(why, REASON_UNKNOWN_TRADE_GROUP, (int64_t)n->same_group, 0);
    }
    return true;
}

static bool check_market(const struct engine *e, const struct job_lane *lane, uint32_t *market,
                         struct rejection *why)
{
    if (lane->class_id >= e->s.class_count || lane->region_id >= e->s.region_count ||
        lane->tier >= TIER_COUNT) {
        int64_t contract = (int64_t)contract_pack(lane->class_id, lane->region_id, lane->tier, 0);
        return refuse(why, REASON_UNKNOWN_CONTRACT, contract, 0);
    }
    *market = e->s.market_of[lane->class_id][lane->region_id];
    if (!order_check_market(e, *market, why)) {
        return false;
    }
    const struct market *m = &e->markets[*market];
    if (m->mode != MODE_CONTINUOUS) {
        return refuse(why, REASON_NOT_SUPPORTED, m->mode, 0);
    }
    return true;
}

static bool check_lot(const struct engine *e, uint32_t market, int64_t qty, struct rejection *why)
{
    uint32_t lot = e->markets[market].lot;
    if (qty % lot != 0) {
        return refuse(why, REASON_QTY_NOT_IN_LOTS, qty, lot);
    }
    return true;
}

/* Lane `i`, those before it being in the record already. */
static bool check_lane(const struct engine *e, const struct job_lane *lane, struct job *job,
                       uint32_t i, struct rejection *why)
{
    uint32_t market = 0;
    if (!check_market(e, lane, &market, why)) {
        return false;
    }
    if (lane->factor_e4 < 1 || lane->factor_e4 > JOB_FACTOR_MAX_E4) {
        return refuse(why, REASON_FACTOR_OUT_OF_RANGE, lane->factor_e4, JOB_FACTOR_MAX_E4);
    }
    if (!check_lot(e, market, job->qty, why)) {
        return false;
    }
    for (uint32_t j = 0; j < i; j++) {
        if (job->lanes[j].market == market && job->lanes[j].tier == lane->tier) {
            return refuse(why, REASON_DUPLICATE_LANE, j + 1, 0);
        }
    }
    job->lanes[i] = (struct job_lane_state){
        .factor_e4 = lane->factor_e4, .market = (uint16_t)market, .tier = lane->tier};
    return true;
}

/* C of the rulebook and its fee; false: too large. */
static bool set_reserve(const struct engine *e, struct job *job, uint8_t fees)
{
    uint32_t least = job->lanes[0].factor_e4;
    for (uint32_t i = 1; i < job->lane_count; i++) {
        least = job->lanes[i].factor_e4 < least ? job->lanes[i].factor_e4 : least;
    }
    int128 cost = (job_budget(job) + least - 1) / least; /* rounded up: a fit never costs more */
    if (cost > MONEY_MAX_E4) {
        return false;
    }
    job->reserve_e4 =
        (int64_t)cost + money_fee(0, (int64_t)cost, money_reserve_rate(e, fees), NULL);
    return true;
}

static bool check_funds(const struct engine *e, struct job *job, uint8_t fees, int64_t available_e4,
                        struct rejection *why)
{
    if (!set_reserve(e, job, fees)) {
        return refuse(why, REASON_JOB_TOO_LARGE, 0, MONEY_MAX_E4);
    }
    if (available_e4 < job->reserve_e4) {
        return refuse(why, REASON_INSUFFICIENT_FUNDS, job->reserve_e4, available_e4);
    }
    struct job_span span = job_span_whole(e, job);
    int64_t width = job_search_width(e, job, &span);
    if (width > JOB_WIDTH_MAX) {
        return refuse(why, REASON_JOB_TOO_WIDE, width, JOB_WIDTH_MAX);
    }
    return true;
}

static bool check_limit(const struct account *a, int64_t qty, struct rejection *why)
{
    if (qty > a->order_qty_limit) {
        return refuse(why, REASON_QTY_ABOVE_LIMIT, qty, a->order_qty_limit);
    }
    return true;
}

static bool room(const struct engine *e, const struct job *job)
{
    return order_check_tables(e, job->lane_count + 1u, 1) && e->s.job_count < e->config.jobs;
}

static void draft(const struct engine *e, const struct command *c, struct job *job)
{
    const struct command_new_job *n = &c->new_job;
    *job = (struct job){
        .price_e4 = (uint32_t)n->price_e4,
        .qty = (uint32_t)n->qty,
        .group = e->keys[c->head.key].group,
        .window_from = n->window_from,
        .window_to = n->window_to,
        .hours = n->hours,
        .placement = n->placement,
        .lane_count = n->lane_count,
    };
}

static bool check_lanes(const struct engine *e, const struct command *c, struct job *job,
                        struct rejection *why)
{
    const union command_slot *slots = (const union command_slot *)(const void *)(c + 1);
    for (uint32_t i = 0; i < job->lane_count; i++) {
        const struct job_lane *lane = &slots[i / JOB_LANES_PER_SLOT].lanes[i % JOB_LANES_PER_SLOT];
        if (!check_lane(e, lane, job, i, why)) {
            why->leg = (uint8_t)(i + 1);
            why->contract =
                contract_pack(lane->class_id, lane->region_id, lane->tier, c->new_job.window_from);
            return false;
        }
    }
    return true;
}

bool job_check_new(const struct engine *e, const struct command *command, struct job *job,
                   struct rejection *why)
{
    const struct command_new_job *n = &command->new_job;
    const struct account *a = &e->accounts[e->keys[command->head.key].account];
    if (!check_kind(e, command, why) || !check_amounts(n->price_e4, n->qty, why) ||
        !check_window(e, n, why)) {
        return false;
    }
    draft(e, command, job);
    if (!check_placement(e, n, job, why) || !check_lanes(e, command, job, why) ||
        !check_limit(a, n->qty, why)) {
        return false;
    }
    int64_t open = (int64_t)a->open_orders + n->lane_count;
    if (open > a->open_orders_limit) {
        return refuse(why, REASON_TOO_MANY_OPEN_ORDERS, open, a->open_orders_limit);
    }
    if (!check_funds(e, job, a->fees, account_available(a), why)) {
        return false;
    }
    return room(e, job) || refuse(why, REASON_FULL, 0, 0);
}

bool job_keeps_place(const struct job *old, const struct job *draft)
{
    return draft->price_e4 == old->price_e4 && draft->qty < old->qty;
}

bool job_check_replace(const struct engine *e, const struct command *command, uint32_t slot,
                       struct job *draft, struct rejection *why)
{
    const struct command_replace_order *r = &command->replace_order;
    const struct order *o = &e->orders[slot];
    const struct job *job = job_of(e, o);
    const struct account *a = &e->accounts[e->keys[o->key].account];
    for (uint32_t i = 0; i < job->lane_count; i++) {
        if (!order_check_market(e, job->lanes[i].market, why)) {
            return false;
        }
    }
    if (!check_amounts(r->price_e4, r->qty, why)) {
        return false;
    }
    for (uint32_t i = 0; i < job->lane_count; i++) {
        if (!check_lot(e, job->lanes[i].market, r->qty, why)) {
            return false;
        }
    }
    if (!check_limit(a, r->qty, why)) {
        return false;
    }
    if (r->price_e4 == job->price_e4 && r->qty == job->qty) {
        return refuse(why, REASON_NOTHING_TO_REPLACE, r->price_e4, r->qty);
    }
    *draft = *job;
    draft->price_e4 = (uint32_t)r->price_e4;
    draft->qty = (uint32_t)r->qty;
    uint8_t fees = job_keeps_place(job, draft) ? (uint8_t)o->fees : a->fees;
    return check_funds(e, draft, fees, account_available(a) + job->reserve_e4, why);
}
