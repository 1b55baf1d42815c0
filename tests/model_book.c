/* Section 4 of the rulebook: who is first, who trades with whom, and how orders end. */
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

struct model_order *model_book_find(struct model *model, uint64_t order_id)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        if (model->orders[i].order_id == order_id) {
            return &model->orders[i];
        }
    }
    return NULL;
}

struct model_order *model_book_owner(struct model *model, struct model_order *order)
{
    return order->kind == MODEL_LEG ? model_book_find(model, order->set_id) : order;
}

void model_book_drop(struct model *model, uint64_t order_id)
{
    model_job_forget(model, order_id);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        bool goes =
            order->order_id == order_id || (order->kind == MODEL_LEG && order->set_id == order_id);
        if (!goes && kept++ != i) {
            model->orders[kept - 1] = *order;
        }
    }
    model->order_count = kept;
}

void model_book_tell_out(struct event *event, const struct model_order *order,
                         enum reject_reason reason, bool resting)
{
    event->out.order_id = order->order_id;
    bool job = order->kind == MODEL_JOB;
    event->out.contract = job ? 0 : order->contract;
    event->out.orig_cl_ord_id = order->cl_ord_id;
    event->out.price_e4 = order->price_e4;
    event->out.leaves_qty = order->leaves_qty;
    event->out.cum_qty = order->cum_qty;
    event->out.reason = (uint16_t)reason;
    event->out.side = order->side;
    event->out.resting = resting && !job;
}

void model_book_end(struct model *model, uint64_t order_id, enum reject_reason reason,
                    uint64_t cl_ord_id, bool resting)
{
    const struct model_order *order = model_book_find(model, order_id);
    CHECK(order != NULL && order->kind != MODEL_LEG);
    struct event *event = model_emit_report(model, EVENT_CANCELED, order->key, cl_ord_id);
    model_book_tell_out(event, order, reason, resting);
    event->out.qty = order->leaves_qty;
    event->out.leaves_qty = 0;
    model_book_drop(model, order_id);
}

bool model_book_stands(const struct model_order *order)
{
    return (order->kind == MODEL_PLAIN && !model_order_reserved(order)) ||
           (order->kind == MODEL_LEG && !order->asleep);
}

/* What an order may trade in all. */
static int64_t open_qty(const struct model *model, const struct model_order *order)
{
    return order->kind == MODEL_LEG ? model_set_tradeable(model, order) : order->leaves_qty;
}

int64_t model_book_shown(const struct model *model, const struct model_order *order)
{
    return open_qty(model, order) - order->hidden_qty;
}

struct model_band model_book_band(int64_t reference_e4, uint32_t width_bp)
{
    int64_t width_e4 = (int64_t)((model_wide)reference_e4 * width_bp / BP_ONE);
    struct model_band band = {.low_e4 = reference_e4 - width_e4,
                              .high_e4 = reference_e4 + width_e4};
    if (band.low_e4 < 1) {
        band.low_e4 = 1;
    }
    return band;
}

bool model_book_same_ladder(uint64_t a, uint64_t b)
{
    return contract_with_tier(a, 0) == contract_with_tier(b, 0);
}

bool model_book_opposite(const struct model_order *taker, const struct model_order *maker)
{
    if (taker->side == maker->side || taker->order_id == maker->order_id ||
        !model_book_stands(maker) || !model_book_same_ladder(taker->contract, maker->contract)) {
        return false;
    }
    const struct model_order *bid = taker->side == SIDE_BUY ? taker : maker;
    const struct model_order *offer = taker->side == SIDE_BUY ? maker : taker;
    return contract_tier(offer->contract) >= contract_tier(bid->contract);
}

bool model_book_within_limit(const struct model_order *taker, int64_t price_e4)
{
    return taker->side == SIDE_BUY ? price_e4 <= taker->price_e4 : price_e4 >= taker->price_e4;
}

static int tier_distance(const struct model_order *taker, const struct model_order *maker)
{
    int distance = contract_tier(taker->contract) - contract_tier(maker->contract);
    return distance < 0 ? -distance : distance;
}

/* Whether `a` comes before `b` for this taker: price, nearest tier, time. */
static bool before(const struct model_order *taker, const struct model_order *a,
                   const struct model_order *b)
{
    if (a->price_e4 != b->price_e4) {
        return taker->side == SIDE_BUY ? a->price_e4 < b->price_e4 : a->price_e4 > b->price_e4;
    }
    if (tier_distance(taker, a) != tier_distance(taker, b)) {
        return tier_distance(taker, a) < tier_distance(taker, b);
    }
    return a->place < b->place;
}

/* The first order that comes after `previous` (NULL: the first of all). */
static struct model_order *next_best(struct model *model, const struct model_order *taker,
                                     const struct model_order *previous)
{
    struct model_order *best = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (!model_book_opposite(taker, order) || order->passed ||
            (previous != NULL && !before(taker, previous, order))) {
            continue;
        }
        if (best == NULL || before(taker, order, best)) {
            best = order;
        }
    }
    return best;
}

struct model_order *model_book_best(struct model *model, const struct model_order *taker,
                                    bool limited)
{
    struct model_order *best = next_best(model, taker, NULL);
    return best != NULL && limited && !model_book_within_limit(taker, best->price_e4) ? NULL : best;
}

/* The best order of one tier on the opposite side. */
static struct model_order *best_of_tier(struct model *model, const struct model_order *taker,
                                        uint8_t tier)
{
    struct model_order *best = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (model_book_opposite(taker, order) && contract_tier(order->contract) == tier &&
            (best == NULL || before(taker, order, best))) {
            best = order;
        }
    }
    return best;
}

void model_book_take_out_tops(struct model *model, const struct model_order *taker)
{
    for (int distance = 0; distance < TIER_COUNT; distance++) {
        int tier =
            contract_tier(taker->contract) + (taker->side == SIDE_BUY ? distance : -distance);
        if (tier < 0 || tier >= TIER_COUNT) {
            return;
        }
        struct model_order *best = best_of_tier(model, taker, (uint8_t)tier);
        while (best != NULL && model_due_over(model, best) != REASON_NONE) {
            model_due_take_out(model, best->order_id);
            best = best_of_tier(model, taker, (uint8_t)tier);
        }
    }
}

bool model_book_same_group(const struct model *model, const struct model_order *a,
                           const struct model_order *b)
{
    return model->accounts[a->account].group == model->accounts[b->account].group;
}

/* Whether another leg of the same SET comes before this one: when it has traded, this one sleeps. */
static bool sibling_before(const struct model *model, const struct model_order *taker,
                           const struct model_order *leg)
{
    for (uint32_t i = 0; i < model->order_count && leg->kind == MODEL_LEG; i++) {
        const struct model_order *other = &model->orders[i];
        if (other->kind == MODEL_LEG && other->set_id == leg->set_id &&
            model_book_opposite(taker, other) && before(taker, other, leg)) {
            return true;
        }
    }
    return false;
}

/* The walk of fillable: what is still wanted, what was found, and what the orders passed at this
 * price and tier do not show. */
struct walk {
    int64_t wanted;
    int64_t found;
    int64_t hidden;
    const struct model_order *level;
};

static void find(struct walk *walk, int64_t qty, bool fills)
{
    int64_t part = qty < walk->wanted ? qty : walk->wanted;
    walk->wanted -= part;
    walk->found += fills ? part : 0;
}

static void leave_level(struct walk *walk)
{
    find(walk, walk->hidden, true);
    walk->hidden = 0;
}

uint32_t model_book_trial_orders(const struct model *model)
{
    return model->rules.trial_orders == 0 ? 16384 : model->rules.trial_orders;
}

int64_t model_book_fillable(struct model *model, const struct model_order *taker,
                            struct model_band inner, int64_t wanted, uint32_t *met)
{
    struct walk walk = {.wanted = taker->leaves_qty};
    *met = 0;
    for (struct model_order *maker = next_best(model, taker, NULL);
         maker != NULL && model_book_within_limit(taker, maker->price_e4);
         maker = next_best(model, taker, maker)) {
        if (walk.level != NULL &&
            (walk.level->price_e4 != maker->price_e4 ||
             tier_distance(taker, walk.level) != tier_distance(taker, maker))) {
            leave_level(&walk);
        }
        walk.level = maker;
        if (walk.found >= wanted || walk.wanted == 0) {
            break;
        }
        if (model_due_over(model, maker) != REASON_NONE || sibling_before(model, taker, maker)) {
            ++*met;
            continue;
        }
        if (maker->price_e4 < inner.low_e4 || maker->price_e4 > inner.high_e4) {
            break;
        }
        bool own = model_book_same_group(model, taker, maker);
        if (own && taker->tif != TIF_FOK && taker->stp == STP_CANCEL_NEWEST) {
            return walk.found;
        }
        ++*met;
        if (own && (taker->tif == TIF_FOK || taker->stp == STP_CANCEL_OLDEST)) {
            continue;
        }
        find(&walk, own ? open_qty(model, maker) : model_book_shown(model, maker), !own);
        walk.hidden += own ? 0 : maker->hidden_qty;
    }
    leave_level(&walk);
    return walk.found;
}

static void emit_fill(struct model *model, const struct model_order *order,
                      const struct event_trade *trade, uint8_t resting)
{
    const struct model_order *owner =
        order->kind == MODEL_LEG ? model_book_find(model, order->set_id) : order;
    struct event *event = model_emit_report(model, EVENT_FILL, owner->key, owner->cl_ord_id);
    event->fill.order_id = owner->order_id;
    event->fill.contract = order->contract;
    event->fill.fill_id = trade->fill_id;
    event->fill.price_e4 = trade->price_e4;
    event->fill.qty = trade->qty;
    event->fill.leaves_qty = owner->leaves_qty;
    event->fill.cum_qty = owner->cum_qty;
    event->fill.fee_e4 = order->side == SIDE_BUY ? trade->buy_fee_e4 : trade->sell_fee_e4;
    event->fill.resource = trade->resource;
    event->fill.side = order->side;
    event->fill.resting = resting;
    event->fill.limit_e4 = resting == FILL_AUCTION ? (uint64_t)order->price_e4 : 0;
    event->fill.trade_tier = contract_tier(trade->contract);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void model_book_refresh(struct model *model, uint64_t order_id)
{
    struct model_order *order = model_book_find(model, order_id);
    if (order->leaves_qty != order->hidden_qty) {
        return;
    }
    int64_t slice = smaller(order->display_qty, order->hidden_qty);
    order->hidden_qty -= slice;
    order->place = ++model->last_entry;
    struct event *event = model_emit_aside(model, EVENT_REFRESHED, order->key, order->cl_ord_id);
    model_book_tell_out(event, order, REASON_NONE, true);
    event->head.link = 0;
    event->out.qty = slice;
}

void model_book_used(struct model *model, uint64_t order_id)
{
    struct model_order *order = model_book_find(model, order_id);
    if (order->leaves_qty == 0) {
        model_book_drop(model, order_id);
    } else {
        order->hidden_qty = smaller(order->hidden_qty, order->leaves_qty);
    }
}

void model_book_hide(struct model_order *order)
{
    order->hidden_qty = order->display_qty == 0
                            ? 0
                            : order->leaves_qty - smaller(order->display_qty, order->leaves_qty);
}

/* After a fill of a resting order: the next slice is shown, or the order is gone. */
void model_book_settle_maker(struct model *model, uint64_t order_id)
{
    struct model_order *order = model_book_find(model, order_id);
    if (order->kind == MODEL_LEG) {
        model_set_settle(model, order->set_id);
    } else if (order->leaves_qty == 0) {
        model_book_drop(model, order_id);
    } else {
        model_book_refresh(model, order_id);
    }
}

void model_book_trade_pair(struct model *model, const struct model_deal *deal)
{
    struct model_order *bid = deal->bid;
    struct model_order *offer = deal->offer;
    struct model_order *owner = model_book_owner(model, bid);
    int64_t qty = deal->qty;
    int64_t price_e4 = deal->price_e4;
    struct event_trade trade = {
        .fill_id = ++model->last_fill_id,
        .contract = bid->contract,
        .price_e4 = price_e4,
        .qty = qty,
        .buy_order_id = owner->order_id,
        .sell_order_id = offer->order_id,
        .buyer = bid->account,
        .seller = offer->account,
        .resource = offer->resource,
        .offer_tier = contract_tier(offer->contract),
        .source_tier = offer->source_tier,
        .aggressor = deal->aggressor,
        .condition = deal->condition,
        .buy_fee_e4 = model_money_fee_e4(owner, price_e4, qty,
                                         deal->bid_rests ? owner->maker_bp : owner->taker_bp),
        .sell_fee_e4 = model_money_fee_e4(offer, price_e4, qty,
                                          deal->offer_rests ? offer->maker_bp : offer->taker_bp),
        .bond_e4 = offer->bond_e4 * qty,
        .buyer_group = model->accounts[bid->account].group,
        .seller_group = model->accounts[offer->account].group,
    };
    model->fills++;
    struct model_account *buyer = &model->accounts[bid->account];
    buyer->cash_e4 -= price_e4 * qty + trade.buy_fee_e4;
    buyer->escrow_e4 += price_e4 * qty + trade.buy_fee_e4;
    model_money_settle(model, bid, offer, price_e4, qty);
    owner->leaves_qty -= qty;
    owner->cum_qty += qty;
    offer->leaves_qty -= qty;
    offer->cum_qty += qty;
    model_emit(model, EVENT_TRADE, 0)->trade = trade;
    bool auction = deal->bid_rests && deal->offer_rests;
    emit_fill(model, bid, &trade, auction ? FILL_AUCTION : deal->bid_rests);
    emit_fill(model, offer, &trade, auction ? FILL_AUCTION : deal->offer_rests);
}

static void trade_with(struct model *model, struct model_order *taker, struct model_order *maker)
{
    bool buys = taker->side == SIDE_BUY;
    struct model_deal deal = {
        .bid = buys ? taker : maker,
        .offer = buys ? maker : taker,
        .qty = smaller(open_qty(model, taker), model_book_shown(model, maker)),
        .price_e4 = maker->price_e4,
        .bid_rests = !buys,
        .offer_rests = buys,
        .aggressor = taker->side,
    };
    model_book_trade_pair(model, &deal);
    model_book_settle_maker(model, maker->order_id);
}

/* Self-trade prevention takes a part of an order, what it does not show first. Of a SET it takes a part
 * of the balance; as long as some is left the leg tells of it. */
static void reduce(struct model *model, uint64_t order_id, int64_t qty, bool resting)
{
    struct model_order *order = model_book_find(model, order_id);
    struct model_order *owner = model_book_owner(model, order);
    if (owner->leaves_qty == qty) {
        model_book_end(model, owner->order_id, REASON_SELF_TRADE, owner->cl_ord_id, resting);
        return;
    }
    owner->leaves_qty -= qty;
    owner->hidden_qty -= smaller(owner->hidden_qty, qty);
    struct event *event = model_emit_report(model, EVENT_RESTATED, owner->key, owner->cl_ord_id);
    model_book_tell_out(event, owner, REASON_SELF_TRADE, resting);
    event->out.contract = order->contract;
    event->out.price_e4 = order->price_e4;
    event->out.qty = qty;
    if (order->kind == MODEL_LEG && resting) {
        model_set_settle(model, owner->order_id);
    }
}

void model_book_reduce_both(struct model *model, uint64_t bid_id, uint64_t offer_id)
{
    int64_t qty = smaller(open_qty(model, model_book_find(model, bid_id)),
                          open_qty(model, model_book_find(model, offer_id)));
    reduce(model, offer_id, qty, true);
    reduce(model, bid_id, qty, true);
}

/* Both lose the smaller quantity, the resting order first. */
static void decrement(struct model *model, uint64_t taker_id, uint64_t maker_id)
{
    int64_t qty = smaller(open_qty(model, model_book_find(model, taker_id)),
                          open_qty(model, model_book_find(model, maker_id)));
    reduce(model, maker_id, qty, true);
    reduce(model, taker_id, qty, model->waking);
}

static void end_resting(struct model *model, const struct model_order *order,
                        enum reject_reason reason)
{
    if (order->kind == MODEL_LEG) {
        model_set_end_leg(model, order->order_id, reason, false);
    } else {
        model_book_end(model, order->order_id, reason, order->cl_ord_id, true);
    }
}

static void end_arriving(struct model *model, const struct model_order *order,
                         enum reject_reason reason)
{
    if (order->kind == MODEL_LEG) {
        model_set_end_leg(model, order->order_id, reason, !model->waking);
    } else {
        model_book_end(model, order->order_id, reason, order->cl_ord_id, false);
    }
}

static void meet_own(struct model *model, struct model_order *taker, struct model_order *maker)
{
    if (taker->tif == TIF_FOK) {
        maker->passed = true;
    } else if (taker->stp == STP_CANCEL_NEWEST) {
        end_arriving(model, taker, REASON_SELF_TRADE);
    } else if (taker->stp == STP_CANCEL_OLDEST) {
        end_resting(model, maker, REASON_SELF_TRADE);
    } else {
        decrement(model, taker->order_id, maker->order_id);
    }
}

void model_book_forget_passed(struct model *model)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        model->orders[i].passed = false;
    }
}

void model_book_meet(struct model *model, uint64_t taker_id, uint64_t maker_id,
                     struct model_band inner)
{
    struct model_order *taker = model_book_find(model, taker_id);
    struct model_order *maker = model_book_find(model, maker_id);
    if (model_due_over(model, maker) != REASON_NONE) {
        model_due_take_out(model, maker_id);
    } else if (maker->price_e4 < inner.low_e4 || maker->price_e4 > inner.high_e4) {
        if (!model_auction_begin_volatility(model, taker)) {
            end_arriving(model, taker, REASON_BAND_REMAINDER);
        }
    } else if (model_book_same_group(model, taker, maker)) {
        meet_own(model, taker, maker);
    } else {
        trade_with(model, taker, maker);
    }
}

/* One opposite order. False: the taker is gone or finds nothing more. */
static bool trade_once(struct model *model, uint64_t order_id, struct model_band inner)
{
    struct model_order *taker = model_book_find(model, order_id);
    if (taker == NULL || taker->leaves_qty == 0 ||
        model_auction_under_way(model, taker->contract)) {
        return false;
    }
    const struct model_order *maker = model_book_best(model, taker, true);
    if (maker == NULL) {
        return false;
    }
    model_book_meet(model, order_id, maker->order_id, inner);
    return true;
}

bool model_book_trade(struct model *model, uint64_t order_id, struct model_band inner)
{
    while (trade_once(model, order_id, inner)) {
    }
    model_book_forget_passed(model);
    struct model_order *taker = model_book_find(model, order_id);
    if (taker == NULL) {
        return false;
    }
    if (taker->leaves_qty == 0) {
        model_book_drop(model, order_id);
        return false;
    }
    model_book_hide(taker);
    if (taker->side == SIDE_SELL && (taker->tif == TIF_GATE || taker->tif == TIF_TIME)) {
        model_job_due_hour(model, taker->contract);
    }
    return true;
}
