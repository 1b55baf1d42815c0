/* Section 12 of the rulebook: what a JOB can take, which fit is best, and how it is filled. Every
 * lane, start, resource and hour is tried. */
#include <stdlib.h>

#include "base/check.h"
#include "tests/model_job.h"

/* What a JOB can take of one hour of a lane, in taking order; good until an order goes. */
struct hour {
    const struct model_order **offers;
    uint32_t count;
};

static bool of_ladder(const struct model_order *order, uint16_t class_id, uint16_t region_id,
                      uint32_t hour)
{
    return order->side == SIDE_SELL && contract_class(order->contract) == class_id &&
           contract_region(order->contract) == region_id && contract_hour(order->contract) == hour;
}

int64_t model_job_hour_width(const struct model *model, uint16_t class_id, uint16_t region_id,
                             uint32_t hour)
{
    int64_t width = 1;
    for (uint32_t i = 0; i < model->order_count; i++) {
        width += of_ladder(&model->orders[i], class_id, region_id, hour) ? 1 : 0;
    }
    return width;
}

static uint32_t first_hour(const struct model *model, const struct model_job *job)
{
    uint32_t open = model_due_first_open_hour(model, model->time_ns);
    return open > job->terms.window_from ? open : job->terms.window_from;
}

int64_t model_job_width(const struct model *model, const struct model_job *job)
{
    int64_t width = 0;
    for (uint32_t i = 0; i < job->terms.lane_count; i++) {
        const struct job_lane *lane = &job->lanes[i];
        for (uint32_t hour = first_hour(model, job); hour < job->terms.window_to; hour++) {
            width += model_job_hour_width(model, lane->class_id, lane->region_id, hour);
        }
    }
    return width;
}

struct model_job_range model_job_all(const struct model *model, const struct model_job *job)
{
    return (struct model_job_range){.lane_to = job->terms.lane_count,
                                    .start_from = first_hour(model, job),
                                    .start_to = job->terms.window_to - job->terms.hours + 1U};
}

/* The hour trades for JOBs in this lane; then the prices that may be taken. */
static bool hour_open(struct model *model, const struct job_lane *lane, uint32_t hour,
                      struct model_band *inner)
{
    const struct model_market *market = model_market_find(model, lane->class_id, lane->region_id);
    int64_t reference_e4;
    if (market->halted || market->terms.mode != MODE_CONTINUOUS ||
        model_auction_under_way(model,
                                contract_pack(lane->class_id, lane->region_id, lane->tier, hour)) ||
        model_due_gate_ns(model, hour) <= model->time_ns ||
        hour >= model->time_ns / NS_PER_HOUR + (int64_t)model->rules.horizon_hours ||
        !model_money_reference(model,
                               contract_pack(lane->class_id, lane->region_id, lane->tier, hour),
                               &reference_e4)) {
        return false;
    }
    *inner = model_book_band(reference_e4, market->terms.inner_band_bp);
    return true;
}

static bool takeable(struct model *model, const struct job_lane *lane, uint32_t group,
                     const struct model_order *offer)
{
    return contract_tier(offer->contract) >= lane->tier &&
           model->accounts[offer->account].group != group &&
           model_due_over(model, offer) == REASON_NONE;
}

/* Best price, nearest tier (all are at or above the lane's), the book before the reserved, time. */
static int in_taking_order(const void *left, const void *right)
{
    const struct model_order *a = *(const struct model_order *const *)left;
    const struct model_order *b = *(const struct model_order *const *)right;
    if (a->price_e4 != b->price_e4) {
        return a->price_e4 < b->price_e4 ? -1 : 1;
    }
    if (contract_tier(a->contract) != contract_tier(b->contract)) {
        return contract_tier(a->contract) < contract_tier(b->contract) ? -1 : 1;
    }
    if (model_order_reserved(a) != model_order_reserved(b)) {
        return model_order_reserved(b) ? -1 : 1;
    }
    return a->place < b->place ? -1 : 1;
}

static struct hour gather(struct model *model, const struct model_job *job,
                          const struct job_lane *lane, uint32_t hour)
{
    struct hour out = {calloc(model->order_count + 1, sizeof(*out.offers)), 0};
    uint32_t group = model->accounts[model_book_find(model, job->order_id)->account].group;
    struct model_band inner;
    CHECK(out.offers != NULL);
    if (!hour_open(model, lane, hour, &inner)) {
        return out;
    }
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *offer = &model->orders[i];
        if (of_ladder(offer, lane->class_id, lane->region_id, hour) &&
            offer->price_e4 >= inner.low_e4 && offer->price_e4 <= inner.high_e4 &&
            takeable(model, lane, group, offer)) {
            out.offers[out.count++] = offer;
        }
    }
    qsort(out.offers, out.count, sizeof(*out.offers), in_taking_order);
    return out;
}

/* All hours that the starts of a lane cover. */
static struct hour *gather_all(struct model *model, const struct model_job *job,
                               const struct job_lane *lane, struct model_job_range range)
{
    uint32_t count = range.start_to + job->terms.hours - 1 - range.start_from;
    struct hour *hours = calloc(count, sizeof(*hours));
    CHECK(hours != NULL);
    for (uint32_t i = 0; i < count; i++) {
        hours[i] = gather(model, job, lane, range.start_from + i);
    }
    return hours;
}

static void free_all(struct hour *hours, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free(hours[i].offers);
    }
    free(hours);
}

/* Sum of price x factor x quantity of the first N GPUs of each hour; false when an hour has not so
 * many. `fills`: how many offers that are. */
static bool cost_of(const struct model_job *job, const struct hour *hours, struct model_fit *fit,
                    uint32_t *fills)
{
    fit->cost = 0;
    *fills = 0;
    for (uint32_t h = 0; h < job->terms.hours; h++) {
        int64_t wanted = job->terms.qty;
        for (uint32_t i = 0; i < hours[h].count && wanted > 0; i++) {
            const struct model_order *offer = hours[h].offers[i];
            if (fit->resource != 0 && offer->resource != fit->resource) {
                continue;
            }
            int64_t part = offer->leaves_qty < wanted ? offer->leaves_qty : wanted;
            fit->cost += (model_wide)offer->price_e4 * job->lanes[fit->lane].factor_e4 * part;
            wanted -= part;
            *fills += 1;
        }
        if (wanted > 0) {
            return false;
        }
    }
    return true;
}

static uint32_t resource_of_group(const struct model *model, uint64_t fill_id)
{
    for (uint32_t i = 0; i < model->trade_group_count; i++) {
        if (model->trade_groups[i].fill_id == fill_id) {
            return model->trade_groups[i].resource;
        }
    }
    CHECK(false);
    return 0;
}

/* The resources that a placement may use, in the order in which ties are broken: those of the
 * offers of the first hour, in taking order; 0 is any. */
static uint32_t candidates(const struct model *model, const struct model_job *job,
                           const struct hour *first, uint32_t *resources)
{
    if (job->terms.placement != PLACEMENT_SITE) {
        resources[0] = job->terms.placement == PLACEMENT_ANY
                           ? 0
                           : resource_of_group(model, job->terms.same_group);
        return 1;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < first->count; i++) {
        uint32_t resource = first->offers[i]->resource;
        bool seen = false;
        for (uint32_t k = 0; k < count; k++) {
            seen = seen || resources[k] == resource;
        }
        if (!seen) {
            resources[count++] = resource;
        }
    }
    return count;
}

/* Cheaper, or as cheap and earlier; lanes and resources come in the order of their ties. */
static bool better(const struct model_fit *a, const struct model_fit *b)
{
    if (!b->found || a->cost != b->cost) {
        return !b->found || a->cost < b->cost;
    }
    return a->start < b->start;
}

struct best {
    struct model_fit fit;
    uint32_t fills;
};

static void try_start(const struct model *model, const struct model_job *job,
                      const struct hour *hours, struct model_fit fit, struct best *best)
{
    uint32_t resources[MODEL_RESOURCES_MAX];
    uint32_t count = candidates(model, job, &hours[0], resources);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t fills;
        fit.resource = resources[i];
        if (cost_of(job, hours, &fit, &fills) && better(&fit, &best->fit)) {
            *best = (struct best){.fit = fit, .fills = fills};
        }
    }
}

struct model_fit model_job_fit(struct model *model, const struct model_job *job,
                               struct model_job_range range)
{
    struct best best = {.fit = {.found = false}};
    for (uint32_t lane = range.lane_from; lane < range.lane_to; lane++) {
        struct hour *hours = gather_all(model, job, &job->lanes[lane], range);
        for (uint32_t start = range.start_from; start < range.start_to; start++) {
            struct model_fit fit = {.found = true, .lane = lane, .start = start};
            try_start(model, job, &hours[start - range.start_from], fit, &best);
        }
        free_all(hours, range.start_to + job->terms.hours - 1 - range.start_from);
    }
    model_wide most = (model_wide)job->terms.price_e4 * job->terms.qty * job->terms.hours * E4_ONE;
    best.fit.found =
        best.fit.found && best.fit.cost <= most && model_room_for_fills(model, best.fills);
    return best.fit;
}

/* --- MISS ---------------------------------------------------------------------------------------- */

/* GPUs displayed in the hour at a price that the JOB would pay on average. */
static int64_t near_in_hour(const struct model_job *job, const struct job_lane *lane,
                            const struct hour *hour, uint32_t resource)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < hour->count; i++) {
        const struct model_order *offer = hour->offers[i];
        if ((resource == 0 || offer->resource == resource) &&
            (model_wide)offer->price_e4 * lane->factor_e4 <=
                (model_wide)job->terms.price_e4 * E4_ONE) {
            sum += offer->leaves_qty - offer->hidden_qty;
        }
    }
    return sum < job->terms.qty ? sum : job->terms.qty;
}

/* The least of the hours from here, for the resource that has most. */
static int64_t near_at_start(const struct model *model, const struct model_job *job,
                             const struct job_lane *lane, const struct hour *hours)
{
    uint32_t resources[MODEL_RESOURCES_MAX];
    uint32_t count = candidates(model, job, &hours[0], resources);
    int64_t most = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t least = job->terms.qty;
        for (uint32_t h = 0; h < job->terms.hours; h++) {
            int64_t near = near_in_hour(job, lane, &hours[h], resources[i]);
            least = near < least ? near : least;
        }
        most = least > most ? least : most;
    }
    return most;
}

void model_job_miss(struct model *model, const struct model_job *job)
{
    struct model_job_range range = model_job_all(model, job);
    const struct model_order *order = model_book_find(model, job->order_id);
    struct event_miss miss = {.order_id = order->order_id, .wanted_qty = job->terms.qty};
    for (uint32_t i = 0; i < job->terms.lane_count; i++) {
        const struct job_lane *lane = &job->lanes[i];
        struct hour *hours = gather_all(model, job, lane, range);
        for (uint32_t start = range.start_from; start < range.start_to; start++) {
            int64_t near = near_at_start(model, job, lane, &hours[start - range.start_from]);
            if (near > miss.qty ||
                (near == miss.qty && near > 0 && start < contract_hour(miss.contract))) {
                miss.qty = near;
                miss.leg = lane->lane;
                miss.contract = contract_pack(lane->class_id, lane->region_id, lane->tier, start);
            }
        }
        free_all(hours, range.start_to + job->terms.hours - 1 - range.start_from);
    }
    struct event *event = model_emit_aside(model, EVENT_MISS, order->key, order->cl_ord_id);
    miss.party = event->party;
    event->miss = miss;
}

/* --- fills --------------------------------------------------------------------------------------- */

static void emit_fill(struct model *model, const struct model_order *order,
                      const struct event_trade *trade, bool resting)
{
    struct event *event = model_emit_report(model, EVENT_FILL, order->key, order->cl_ord_id);
    event->fill.order_id = order->order_id;
    event->fill.contract = resting ? order->contract : trade->contract;
    event->fill.fill_id = trade->fill_id;
    event->fill.price_e4 = trade->price_e4;
    event->fill.qty = trade->qty;
    event->fill.leaves_qty = order->leaves_qty;
    event->fill.cum_qty = order->cum_qty;
    event->fill.fee_e4 = resting ? trade->sell_fee_e4 : trade->buy_fee_e4;
    event->fill.resource = trade->resource;
    event->fill.side = order->side;
    event->fill.resting = resting;
    event->fill.trade_tier = contract_tier(trade->contract);
    event->fill.contingent = 1;
    event->fill.trade_group = trade->trade_group;
}

static struct event_trade trade_of(struct model *model, struct model_order *order,
                                   struct model_order *offer, uint64_t contract, int64_t qty)
{
    int64_t price_e4 = offer->price_e4;
    return (struct event_trade){
        .fill_id = ++model->last_fill_id,
        .contract = contract,
        .price_e4 = price_e4,
        .qty = qty,
        .buy_order_id = order->order_id,
        .sell_order_id = offer->order_id,
        .buyer = order->account,
        .seller = offer->account,
        .resource = offer->resource,
        .offer_tier = contract_tier(offer->contract),
        .source_tier = offer->source_tier,
        .aggressor = SIDE_BUY,
        .condition = TRADE_CONTINGENT,
        .buy_fee_e4 = model_money_fee_e4(order, price_e4, qty, order->taker_bp),
        .sell_fee_e4 = model_money_fee_e4(offer, price_e4, qty, offer->maker_bp),
        .bond_e4 = offer->bond_e4 * qty,
        .buyer_group = model->accounts[order->account].group,
        .seller_group = model->accounts[offer->account].group,
    };
}

struct part {
    uint64_t offer_id;
    uint64_t contract; /* the lane's, in the hour of the offer */
    int64_t qty;
};

/* What a fit takes, in the order of its fills. */
static struct part *parts_of(struct model *model, const struct model_job *job, struct model_fit fit,
                             uint32_t *count)
{
    const struct job_lane *lane = &job->lanes[fit.lane];
    struct model_job_range range = {.start_from = fit.start, .start_to = fit.start + 1};
    struct hour *hours = gather_all(model, job, lane, range);
    struct part *parts = calloc(model->order_count, sizeof(*parts));
    CHECK(parts != NULL);
    *count = 0;
    for (uint32_t h = 0; h < job->terms.hours; h++) {
        int64_t wanted = job->terms.qty;
        for (uint32_t i = 0; i < hours[h].count && wanted > 0; i++) {
            const struct model_order *offer = hours[h].offers[i];
            if (fit.resource != 0 && offer->resource != fit.resource) {
                continue;
            }
            int64_t qty = offer->leaves_qty < wanted ? offer->leaves_qty : wanted;
            parts[(*count)++] = (struct part){
                offer->order_id,
                contract_pack(lane->class_id, lane->region_id, lane->tier, fit.start + h), qty};
            wanted -= qty;
        }
        CHECK(wanted == 0);
    }
    free_all(hours, job->terms.hours);
    return parts;
}

/* Takes a part of an offer; returns the trade group, which the first fill begins. */
static uint64_t take(struct model *model, struct model_order *order, struct model_order *offer,
                     const struct part *part, uint64_t trade_group)
{
    int64_t qty = part->qty;
    struct event_trade trade = trade_of(model, order, offer, part->contract, qty);
    trade.trade_group = trade_group == 0 ? trade.fill_id : trade_group;
    model->fills++;
    struct model_account *buyer = &model->accounts[order->account];
    buyer->cash_e4 -= trade.price_e4 * qty + trade.buy_fee_e4;
    buyer->escrow_e4 += trade.price_e4 * qty + trade.buy_fee_e4;
    struct model_order as_bid = *order;
    as_bid.contract = part->contract;
    model_money_settle(model, &as_bid, offer, trade.price_e4, qty);
    order->leaves_qty -= qty;
    order->cum_qty += qty;
    int64_t shown = offer->leaves_qty - offer->hidden_qty;
    offer->hidden_qty -= qty > shown ? qty - shown : 0;
    offer->leaves_qty -= qty;
    offer->cum_qty += qty;
    model_emit(model, EVENT_TRADE, 0)->trade = trade;
    emit_fill(model, order, &trade, false);
    emit_fill(model, offer, &trade, true);
    return trade.trade_group;
}

static void remember_group(struct model *model, const struct model_job *job, uint64_t fill_id,
                           uint32_t resource, uint32_t account)
{
    if (job->terms.placement == PLACEMENT_ANY) {
        return;
    }
    CHECK(model->trade_group_count < MODEL_TRADE_GROUPS_MAX);
    model->trade_groups[model->trade_group_count++] = (struct model_trade_group){
        .fill_id = fill_id, .resource = resource, .group = model->accounts[account].group};
}

/* What is taken is found before the first fill: no fill moves the band of another hour. */
void model_job_execute(struct model *model, uint64_t order_id, struct model_fit fit)
{
    struct model_job job = *model_job_find(model, order_id);
    uint32_t count;
    struct part *parts = parts_of(model, &job, fit, &count);
    model_job_forget(model, order_id);
    uint64_t trade_group = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct model_order *order = model_book_find(model, order_id);
        struct model_order *offer = model_book_find(model, parts[i].offer_id);
        trade_group = take(model, order, offer, &parts[i], trade_group);
        model_book_settle_maker(model, offer->order_id);
    }
    free(parts);
    const struct model_order *order = model_book_find(model, order_id);
    CHECK(order->leaves_qty == 0);
    remember_group(model, &job, trade_group, fit.resource, order->account);
    model_book_drop(model, order_id);
}
