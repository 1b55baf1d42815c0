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

void model_book_drop(struct model *model, uint64_t order_id)
{
    struct model_order *order = model_book_find(model, order_id);
    uint32_t after = model->order_count - 1 - (uint32_t)(order - model->orders);
    memmove(order, order + 1, after * sizeof(*order));
    model->order_count--;
}

void model_book_end(struct model *model, uint64_t order_id, enum reject_reason reason,
                    uint64_t cl_ord_id, bool resting)
{
    struct model_order *order = model_book_find(model, order_id);
    CHECK(order != NULL);
    struct event *event = model_emit_report(model, EVENT_CANCELED, order->key, cl_ord_id);
    event->out.order_id = order->order_id;
    bool job = order->job_factor_e4 != 0;
    event->out.contract = job ? 0 : order->contract;
    event->out.orig_cl_ord_id = order->cl_ord_id;
    event->out.price_e4 = order->price_e4;
    event->out.qty = order->leaves_qty;
    event->out.cum_qty = order->cum_qty;
    event->out.reason = (uint16_t)reason;
    event->out.side = order->side;
    event->out.resting = resting && !job;
    model_job_forget(model, order_id);
    model_book_drop(model, order_id);
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

static bool same_ladder(uint64_t a, uint64_t b)
{
    return contract_with_tier(a, 0) == contract_with_tier(b, 0);
}

static bool opposite(const struct model_order *taker, const struct model_order *maker)
{
    if (taker->side == maker->side || taker->order_id == maker->order_id ||
        !same_ladder(taker->contract, maker->contract)) {
        return false;
    }
    const struct model_order *bid = taker->side == SIDE_BUY ? taker : maker;
    const struct model_order *offer = taker->side == SIDE_BUY ? maker : taker;
    return contract_tier(offer->contract) >= contract_tier(bid->contract);
}

static bool within_limit(const struct model_order *taker, int64_t price_e4)
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
        if (!opposite(taker, order) || order->passed ||
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
    return best != NULL && limited && !within_limit(taker, best->price_e4) ? NULL : best;
}

/* The best order of one tier on the opposite side. */
static struct model_order *best_of_tier(struct model *model, const struct model_order *taker,
                                        uint8_t tier)
{
    struct model_order *best = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (opposite(taker, order) && contract_tier(order->contract) == tier &&
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

static bool same_group(const struct model *model, const struct model_order *a,
                       const struct model_order *b)
{
    return model->accounts[a->account].group == model->accounts[b->account].group;
}

int64_t model_book_fillable(struct model *model, const struct model_order *taker,
                            struct model_band inner)
{
    int64_t fillable = 0;
    int64_t wanted = taker->leaves_qty;
    for (struct model_order *maker = next_best(model, taker, NULL);
         maker != NULL && wanted > 0 && within_limit(taker, maker->price_e4);
         maker = next_best(model, taker, maker)) {
        if (model_due_over(model, maker) != REASON_NONE) {
            continue;
        }
        if (maker->price_e4 < inner.low_e4 || maker->price_e4 > inner.high_e4) {
            break;
        }
        bool own = same_group(model, taker, maker);
        if (own && (taker->tif == TIF_FOK || taker->stp == STP_CANCEL_OLDEST)) {
            continue;
        }
        if (own && taker->stp == STP_CANCEL_NEWEST) {
            break;
        }
        int64_t part = maker->leaves_qty < wanted ? maker->leaves_qty : wanted;
        wanted -= part;
        fillable += own ? 0 : part;
    }
    return fillable;
}

static void emit_fill(struct model *model, const struct model_order *order,
                      const struct event_trade *trade, bool resting)
{
    struct event *event = model_emit_report(model, EVENT_FILL, order->key, order->cl_ord_id);
    event->fill.order_id = order->order_id;
    event->fill.contract = order->contract;
    event->fill.fill_id = trade->fill_id;
    event->fill.price_e4 = trade->price_e4;
    event->fill.qty = trade->qty;
    event->fill.leaves_qty = order->leaves_qty;
    event->fill.cum_qty = order->cum_qty;
    event->fill.fee_e4 = order->side == SIDE_BUY ? trade->buy_fee_e4 : trade->sell_fee_e4;
    event->fill.resource = trade->resource;
    event->fill.side = order->side;
    event->fill.resting = resting;
    event->fill.trade_tier = contract_tier(trade->contract);
}

static void drop_if_filled(struct model *model, uint64_t order_id)
{
    struct model_order *order = model_book_find(model, order_id);
    if (order->leaves_qty == 0) {
        model_book_drop(model, order_id);
    }
}

static void trade_with(struct model *model, struct model_order *taker, struct model_order *maker)
{
    struct model_order *bid = taker->side == SIDE_BUY ? taker : maker;
    struct model_order *offer = taker->side == SIDE_BUY ? maker : taker;
    int64_t qty = taker->leaves_qty < maker->leaves_qty ? taker->leaves_qty : maker->leaves_qty;
    int64_t price_e4 = maker->price_e4;
    struct event_trade trade = {
        .fill_id = ++model->last_fill_id,
        .contract = bid->contract,
        .price_e4 = price_e4,
        .qty = qty,
        .buy_order_id = bid->order_id,
        .sell_order_id = offer->order_id,
        .buyer = bid->account,
        .seller = offer->account,
        .resource = offer->resource,
        .offer_tier = contract_tier(offer->contract),
        .source_tier = offer->source_tier,
        .aggressor = taker->side,
        .buy_fee_e4 =
            model_money_fee_e4(bid, price_e4, qty, bid == taker ? bid->taker_bp : bid->maker_bp),
        .sell_fee_e4 = model_money_fee_e4(offer, price_e4, qty,
                                          offer == taker ? offer->taker_bp : offer->maker_bp),
        .bond_e4 = offer->bond_e4 * qty,
        .buyer_group = model->accounts[bid->account].group,
        .seller_group = model->accounts[offer->account].group,
    };
    model->fills++;
    struct model_account *buyer = &model->accounts[bid->account];
    buyer->cash_e4 -= price_e4 * qty + trade.buy_fee_e4;
    buyer->escrow_e4 += price_e4 * qty + trade.buy_fee_e4;
    model_money_settle(model, bid, offer, price_e4, qty);
    bid->leaves_qty -= qty;
    bid->cum_qty += qty;
    offer->leaves_qty -= qty;
    offer->cum_qty += qty;
    model_emit(model, EVENT_TRADE, 0)->trade = trade;
    emit_fill(model, bid, &trade, bid == maker);
    emit_fill(model, offer, &trade, offer == maker);
    drop_if_filled(model, maker->order_id);
}

/* Both lose the smaller quantity, the resting order first. */
static void decrement(struct model *model, uint64_t taker_id, uint64_t maker_id)
{
    struct model_order *taker = model_book_find(model, taker_id);
    struct model_order *maker = model_book_find(model, maker_id);
    int64_t qty = taker->leaves_qty < maker->leaves_qty ? taker->leaves_qty : maker->leaves_qty;
    uint64_t ids[2] = {maker_id, taker_id};
    for (int i = 0; i < 2; i++) {
        struct model_order *order = model_book_find(model, ids[i]);
        if (order->leaves_qty == qty) {
            model_book_end(model, ids[i], REASON_SELF_TRADE, order->cl_ord_id, i == 0);
            continue;
        }
        order->leaves_qty -= qty;
        struct event *event =
            model_emit_report(model, EVENT_RESTATED, order->key, order->cl_ord_id);
        event->out.order_id = order->order_id;
        event->out.contract = order->contract;
        event->out.orig_cl_ord_id = order->cl_ord_id;
        event->out.price_e4 = order->price_e4;
        event->out.qty = qty;
        event->out.leaves_qty = order->leaves_qty;
        event->out.cum_qty = order->cum_qty;
        event->out.reason = REASON_SELF_TRADE;
        event->out.side = order->side;
        event->out.resting = i == 0;
    }
}

/* Meets an order of the same group. False: the taker goes no further. */
static bool meet_own(struct model *model, struct model_order *taker, struct model_order *maker)
{
    if (taker->tif == TIF_FOK) {
        maker->passed = true;
        return true;
    }
    if (taker->stp == STP_CANCEL_NEWEST) {
        model_book_end(model, taker->order_id, REASON_SELF_TRADE, taker->cl_ord_id, false);
        return false;
    }
    if (taker->stp == STP_CANCEL_OLDEST) {
        model_book_end(model, maker->order_id, REASON_SELF_TRADE, maker->cl_ord_id, true);
        return true;
    }
    decrement(model, taker->order_id, maker->order_id);
    return true;
}

static void forget_passed(struct model *model)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        model->orders[i].passed = false;
    }
}

/* One opposite order. False: the taker is gone or finds nothing more. */
static bool trade_once(struct model *model, uint64_t order_id, struct model_band inner)
{
    struct model_order *taker = model_book_find(model, order_id);
    if (taker == NULL || taker->leaves_qty == 0) {
        return false;
    }
    struct model_order *maker = model_book_best(model, taker, true);
    if (maker == NULL) {
        return false;
    }
    if (model_due_over(model, maker) != REASON_NONE) {
        model_due_take_out(model, maker->order_id);
        return true;
    }
    if (maker->price_e4 < inner.low_e4 || maker->price_e4 > inner.high_e4) {
        model_book_end(model, order_id, REASON_BAND_REMAINDER, taker->cl_ord_id, false);
        return false;
    }
    if (same_group(model, taker, maker)) {
        return meet_own(model, taker, maker);
    }
    trade_with(model, taker, maker);
    return true;
}

bool model_book_trade(struct model *model, uint64_t order_id, struct model_band inner)
{
    while (trade_once(model, order_id, inner)) {
    }
    forget_passed(model);
    struct model_order *taker = model_book_find(model, order_id);
    if (taker != NULL && taker->leaves_qty == 0) {
        drop_if_filled(model, order_id);
        taker = NULL;
    }
    return taker != NULL;
}
