/* Section 13 of the rulebook: the phases of ladder hours, and listing markets. */
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

static struct model_auction *auction_of(struct model *model, uint64_t contract)
{
    for (uint32_t i = 0; i < model->auction_count; i++) {
        if (model_book_same_ladder(model->auctions[i].contract, contract)) {
            return &model->auctions[i];
        }
    }
    return NULL;
}

static const struct model_market *market_of(struct model *model, uint64_t contract)
{
    return model_market_find(model, contract_class(contract), contract_region(contract));
}

bool model_auction_was(const struct model *model, uint64_t contract)
{
    for (uint32_t i = 0; i < model->auctioned_count; i++) {
        if (model_book_same_ladder(model->auctioned[i], contract)) {
            return true;
        }
    }
    return false;
}

static bool has_traded(const struct model *model, uint64_t contract)
{
    return model_ladder_find(model, contract) < model->ladder_count;
}

/* --- the beginning ------------------------------------------------------------------------------- */

static model_wide end_of(const struct model *model, const struct model_market *market,
                         uint32_t hour, enum auction_kind kind)
{
    const struct command_set_market *terms = &market->terms;
    model_wide now_ns = model->time_ns;
    model_wide second = NS_PER_SECOND;
    model_wide period_ns = terms->period_s * second;
    model_wide end_ns = kind == AUCTION_OPENING      ? now_ns + terms->opening_s * second
                        : kind == AUCTION_VOLATILITY ? now_ns + terms->volatility_s * second
                                                     : now_ns - now_ns % period_ns + period_ns;
    model_wide last_ns = model_due_gate_ns(model, hour) - (terms->random_end_s + 60) * second;
    return end_ns < last_ns ? end_ns : last_ns;
}

/* What an order that arrives in the hour now begins. */
static enum auction_kind kind_of(struct model *model, uint64_t contract)
{
    const struct model_market *market = market_of(model, contract);
    enum auction_kind kind = AUCTION_NONE;
    if (market->terms.mode == MODE_AUCTION) {
        kind = AUCTION_PERIODIC;
    } else if (market->terms.mode == MODE_CONTINUOUS && market->terms.opening_s > 0 &&
               !has_traded(model, contract) && !model_auction_was(model, contract)) {
        kind = AUCTION_OPENING;
    }
    bool can = kind != AUCTION_NONE && auction_of(model, contract) == NULL &&
               end_of(model, market, contract_hour(contract), kind) > model->time_ns;
    return can ? kind : AUCTION_NONE;
}

bool model_auction_under_way(struct model *model, uint64_t contract)
{
    return auction_of(model, contract) != NULL;
}

uint8_t model_auction_phase(struct model *model, uint64_t contract)
{
    const struct model_market *market = market_of(model, contract);
    const struct model_auction *auction = auction_of(model, contract);
    uint32_t hour = contract_hour(contract);
    if (market == NULL || market->terms.mode == MODE_NONE ||
        model_due_gate_ns(model, hour) <= model->time_ns) {
        return PHASE_CLOSED;
    } else if (market->halted) {
        return PHASE_HALTED;
    } else if (hour - model->time_ns / NS_PER_HOUR >= (int64_t)model->rules.horizon_hours) {
        return PHASE_PRE_OPEN;
    } else if (auction != NULL) {
        return auction->kind;
    } else if (market->terms.mode == MODE_LISTING) {
        return PHASE_LISTING;
    }
    return market->terms.mode == MODE_AUCTION || kind_of(model, contract) != AUCTION_NONE
               ? PHASE_PRE_OPEN
               : PHASE_CONTINUOUS;
}

bool model_auction_begins(struct model *model, uint64_t contract)
{
    return kind_of(model, contract) != AUCTION_NONE;
}

bool model_auction_collects(struct model *model, uint64_t contract)
{
    return market_of(model, contract)->terms.mode != MODE_CONTINUOUS ||
           auction_of(model, contract) != NULL || model_auction_begins(model, contract);
}

bool model_auction_room(const struct model *model, uint32_t count)
{
    return model->auction_count + count <= model->limits.auctions;
}

static void emit_auction(struct model *model, const struct model_auction *auction,
                         enum auction_state state, const uint32_t price_e4[TIER_COUNT],
                         const uint32_t qty[TIER_COUNT])
{
    struct event_auction *event = &model_emit(model, EVENT_AUCTION, 0)->auction;
    event->contract = auction->contract;
    event->end_time_ns = auction->end_ns;
    event->entropy = state == AUCTION_ENDED ? auction->entropy : 0;
    event->reference_e4 = (uint32_t)auction->reference_e4[0];
    event->kind = auction->kind;
    event->state = (uint8_t)state;
    for (int t = 0; t < TIER_COUNT && price_e4 != NULL; t++) {
        event->price_e4[t] = price_e4[t];
        event->qty[t] = qty[t];
    }
}

/* Whether a leg comes before another in the order in which they fall asleep and wake. */
static bool leg_before(const struct model_order *a, const struct model_order *b)
{
    if (contract_tier(a->contract) != contract_tier(b->contract)) {
        return contract_tier(a->contract) < contract_tier(b->contract);
    }
    return a->price_e4 != b->price_e4 ? a->price_e4 > b->price_e4 : a->place < b->place;
}

/* The first leg in the hour, among those asleep or awake, of the places before `until`. */
static struct model_order *first_leg(struct model *model, uint64_t contract, bool asleep,
                                     uint64_t until)
{
    struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *leg = &model->orders[i];
        if (leg->kind == MODEL_LEG && leg->asleep == asleep && leg->place <= until &&
            model_book_same_ladder(leg->contract, contract) &&
            model_set_tradeable(model, leg) > 0 && (first == NULL || leg_before(leg, first))) {
            first = leg;
        }
    }
    return first;
}

static void begin(struct model *model, uint64_t contract, enum auction_kind kind)
{
    const struct model_market *market = market_of(model, contract);
    CHECK(model->auction_count < MODEL_AUCTIONS_MAX);
    struct model_auction *auction = &model->auctions[model->auction_count];
    *auction = (struct model_auction){
        .contract = contract_with_tier(contract, 0),
        .end_ns = (int64_t)end_of(model, market, contract_hour(contract), kind),
        .random_end_s = market->terms.random_end_s,
        .kind = (uint8_t)kind,
        .known = market->terms.random_end_s == 0,
    };
    for (uint8_t t = 0; t < TIER_COUNT; t++) {
        if (!model_money_reference(model, contract_with_tier(contract, t),
                                   &auction->reference_e4[t])) {
            auction->reference_e4[t] = 0;
        }
    }
    model->auction_count++;
    if (!model_auction_was(model, contract)) {
        CHECK(model->auctioned_count < MODEL_LADDERS_MAX);
        model->auctioned[model->auctioned_count++] = auction->contract;
    }
    emit_auction(model, auction, AUCTION_BEGUN, NULL, NULL);
    for (struct model_order *leg = first_leg(model, contract, false, UINT64_MAX); leg != NULL;
         leg = first_leg(model, contract, false, UINT64_MAX)) {
        leg->asleep = true;
        leg->place = ++model->last_entry;
    }
}

void model_auction_collect(struct model *model, uint64_t order_id)
{
    struct model_order *order = model_book_find(model, order_id);
    uint64_t contract = order->contract;
    enum auction_kind kind = kind_of(model, contract);
    model_book_hide(order);
    if (order->side == SIDE_SELL) {
        model_job_due_hour(model, contract);
    }
    if (kind != AUCTION_NONE && model_auction_room(model, 1)) {
        begin(model, contract, kind);
    }
}

bool model_auction_begin_volatility(struct model *model, const struct model_order *order)
{
    const struct model_market *market = market_of(model, order->contract);
    const struct command_set_market *terms = &market->terms;
    if (order->kind == MODEL_LEG || (order->tif != TIF_GATE && order->tif != TIF_TIME) ||
        order->market || terms->volatility_s == 0 || terms->volatility_min_qty == 0 ||
        order->leaves_qty < terms->volatility_min_qty || !model_auction_room(model, 1) ||
        terms->mode != MODE_CONTINUOUS ||
        end_of(model, market, contract_hour(order->contract), AUCTION_VOLATILITY) <=
            model->time_ns) {
        return false;
    }
    begin(model, order->contract, AUCTION_VOLATILITY);
    return true;
}

/* --- what is told ---------------------------------------------------------------------------------- */

static uint32_t told_qty(int64_t qty)
{
    return qty > UINT32_MAX ? UINT32_MAX : (uint32_t)qty;
}

/* Whether an event of this step is of the hour: else its orders are what they were. */
static bool told_of(const struct model *model, uint64_t contract)
{
    for (size_t i = 0; i < model->events->count; i++) {
        const struct event *event = &model->events->items[i];
        uint64_t at = 0;
        switch (event->head.type) {
        case EVENT_NEW:
            at = event->new_order.contract;
            break;
        case EVENT_REPLACED:
            at = event->replaced.contract;
            break;
        case EVENT_CANCELED:
        case EVENT_RESTATED:
        case EVENT_RELEASED:
            at = event->out.contract;
            break;
        case EVENT_FILL:
            at = event->fill.contract;
            break;
        case EVENT_AUCTION:
            at = event->auction.contract;
            break;
        default:
            break;
        }
        if (at != 0 && model_book_same_ladder(at, contract)) {
            return true;
        }
    }
    return false;
}

void model_auction_publish(struct model *model)
{
    for (uint32_t i = 0; i < model->auction_count; i++) {
        struct model_auction *auction = &model->auctions[i];
        if (!told_of(model, auction->contract)) {
            continue;
        }
        struct model_clearing now;
        model_clearing_find(model, auction->contract, auction->reference_e4, &now);
        bool changed = false;
        for (int t = 0; t < TIER_COUNT; t++) {
            changed = changed || auction->price_e4[t] != now.price_e4[t] ||
                      auction->qty[t] != told_qty(now.bid_qty[t]);
            auction->price_e4[t] = (uint32_t)now.price_e4[t];
            auction->qty[t] = told_qty(now.bid_qty[t]);
        }
        if (changed) {
            emit_auction(model, auction, AUCTION_INDICATIVE, auction->price_e4, auction->qty);
        }
    }
}

/* --- the end --------------------------------------------------------------------------------------- */

static void forget(struct model *model, const struct model_auction *auction)
{
    uint32_t at = (uint32_t)(auction - model->auctions);
    model->auction_count--;
    memmove(&model->auctions[at], &model->auctions[at + 1],
            (model->auction_count - at) * sizeof(*auction));
}

/* The first auction, in the order of ends, whose end is known or is not. */
static struct model_auction *first_of(struct model *model, bool known)
{
    struct model_auction *first = NULL;
    for (uint32_t i = 0; i < model->auction_count; i++) {
        struct model_auction *auction = &model->auctions[i];
        if (auction->known == known && auction->end_ns <= model->time_ns &&
            (first == NULL || auction->end_ns < first->end_ns)) {
            first = auction;
        }
    }
    return first;
}

bool model_wants_tick(const struct model *model)
{
    for (uint32_t i = 0; i < model->auction_count; i++) {
        if (!model->auctions[i].known && model->auctions[i].end_ns <= model->time_ns) {
            return true;
        }
    }
    return false;
}

bool model_auction_due(struct model *model)
{
    return first_of(model, true) != NULL;
}

static bool draw_unit(struct model *model)
{
    struct model_auction *auction = first_of(model, false);
    if (!model->ticking || auction == NULL ||
        (model->drawn && model->drawn_random_end_s != auction->random_end_s)) {
        return false;
    }
    model->drawn = true;
    model->drawn_random_end_s = auction->random_end_s;
    auction->entropy = model->command->tick.entropy;
    auction->known = true;
    auction->end_ns = model->time_ns +
                      (int64_t)(auction->entropy % (1000U * (uint64_t)auction->random_end_s + 1)) *
                          (NS_PER_SECOND / 1000);
    return true;
}

static int64_t sleepers(const struct model *model, uint64_t contract)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *leg = &model->orders[i];
        count +=
            leg->kind == MODEL_LEG && leg->asleep && model_book_same_ladder(leg->contract, contract)
                ? 1
                : 0;
    }
    return count;
}

/* The bid of the highest tier, best first, that crosses an offer. */
static struct model_order *crossed_bid(struct model *model, uint64_t contract)
{
    struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *bid = &model->orders[i];
        if (bid->side != SIDE_BUY || !model_book_stands(bid) ||
            !model_book_same_ladder(bid->contract, contract) ||
            model_book_best(model, bid, true) == NULL) {
            continue;
        }
        if (first == NULL || contract_tier(bid->contract) > contract_tier(first->contract) ||
            (contract_tier(bid->contract) == contract_tier(first->contract) &&
             (bid->price_e4 > first->price_e4 ||
              (bid->price_e4 == first->price_e4 && bid->place < first->place)))) {
            first = bid;
        }
    }
    return first;
}

static void settle(struct model *model, uint64_t order_id)
{
    model_book_used(model, order_id);
    if (model_book_find(model, order_id) != NULL) {
        model_book_refresh(model, order_id);
    }
}

static void meet_own(struct model *model, const struct model_order *bid,
                     const struct model_order *offer)
{
    if (bid->stp == STP_CANCEL_NEWEST) {
        model_book_end(model, bid->order_id, REASON_SELF_TRADE, bid->cl_ord_id, true);
    } else if (bid->stp == STP_CANCEL_OLDEST) {
        model_book_end(model, offer->order_id, REASON_SELF_TRADE, offer->cl_ord_id, true);
    } else {
        model_book_reduce_both(model, bid->order_id, offer->order_id);
    }
}

/* The bid meets the offers as if it arrived, but keeps its place. */
static void uncross(struct model *model, const struct model_auction *auction)
{
    uint64_t contract = auction->contract;
    for (struct model_order *bid = crossed_bid(model, contract); bid != NULL;
         bid = crossed_bid(model, contract)) {
        struct model_order *offer = model_book_best(model, bid, true);
        if (model_book_same_group(model, bid, offer)) {
            meet_own(model, bid, offer);
            continue;
        }
        uint64_t ids[2] = {offer->order_id, bid->order_id};
        struct model_deal deal = {.bid = bid,
                                  .offer = offer,
                                  .qty = bid->leaves_qty < offer->leaves_qty ? bid->leaves_qty
                                                                             : offer->leaves_qty,
                                  .price_e4 = offer->price_e4,
                                  .bid_rests = true,
                                  .offer_rests = true,
                                  .aggressor = AGGRESSOR_NONE,
                                  .condition = model_clearing_condition(auction)};
        model_book_trade_pair(model, &deal);
        settle(model, ids[0]);
        settle(model, ids[1]);
    }
}

/* Legs that slept through the auction arrive one by one. */
static void wake(struct model *model, uint64_t contract)
{
    uint64_t until = model->last_entry;
    for (struct model_order *leg = first_leg(model, contract, true, until); leg != NULL;
         leg = first_leg(model, contract, true, until)) {
        model_set_wake(model, leg->order_id);
    }
}

static void clear(struct model *model, struct model_auction *due)
{
    const struct model_market *market = market_of(model, due->contract);
    int64_t most = 2 * (model_room_of_hour(model, due->contract) + sleepers(model, due->contract));
    if (market->halted || market->terms.mode == MODE_NONE || !model_room_for_fills(model, most)) {
        due->end_ns = model->time_ns + 60 * NS_PER_SECOND;
        return;
    }
    struct model_auction auction = *due;
    forget(model, due);
    struct model_clearing traded;
    model_clearing_trade(model, &auction, &traded);
    uint32_t price_e4[TIER_COUNT];
    uint32_t qty[TIER_COUNT];
    for (int t = 0; t < TIER_COUNT; t++) {
        price_e4[t] = (uint32_t)traded.price_e4[t];
        qty[t] = told_qty(traded.bid_qty[t]);
    }
    emit_auction(model, &auction, AUCTION_ENDED, price_e4, qty);
    uncross(model, &auction);
    enum auction_kind kind = kind_of(model, auction.contract);
    if (kind == AUCTION_PERIODIC && model_room_of_hour(model, auction.contract) > 0 &&
        model_auction_room(model, 1)) {
        begin(model, auction.contract, kind);
    } else {
        wake(model, auction.contract);
        model_job_due_if_offered(model, auction.contract);
    }
}

bool model_auction_unit(struct model *model)
{
    if (draw_unit(model)) {
        return true;
    }
    struct model_auction *due = first_of(model, true);
    if (due != NULL) {
        clear(model, due);
    }
    return due != NULL;
}

void model_auction_gate(struct model *model, uint64_t contract)
{
    struct model_auction *auction = auction_of(model, contract);
    if (auction != NULL) {
        emit_auction(model, auction, AUCTION_ENDED, NULL, NULL);
        forget(model, auction);
    }
    for (uint32_t i = 0; i < model->auctioned_count; i++) {
        if (model_book_same_ladder(model->auctioned[i], contract)) {
            model->auctioned[i] = model->auctioned[--model->auctioned_count];
            return;
        }
    }
}

void model_auction_end_all(struct model *model, const struct command_set_market *terms)
{
    for (uint32_t i = 0; i < model->auction_count; i++) {
        struct model_auction *auction = &model->auctions[i];
        if (contract_class(auction->contract) == terms->class_id &&
            contract_region(auction->contract) == terms->region_id) {
            auction->end_ns = model->time_ns;
            auction->known = true;
        }
    }
}

/* --- listing --------------------------------------------------------------------------------------- */

static enum reject_reason check_take(const struct model *model, const struct model_order *offer,
                                     const struct model_order *bid, bool halted)
{
    int64_t qty = model->command->take_offer.qty;
    if (halted) {
        return REASON_MARKET_HALTED;
    }
    if (qty < 1 || qty > QTY_MAX) {
        return REASON_QTY_OUT_OF_RANGE;
    }
    if (qty % model->classes[contract_class(offer->contract)].lot != 0) {
        return REASON_QTY_NOT_IN_LOTS;
    }
    if (qty > model->accounts[bid->account].order_qty_limit) {
        return REASON_QTY_ABOVE_LIMIT;
    }
    if (model_order_live(model, bid->account) >= model->accounts[bid->account].open_orders_limit) {
        return REASON_TOO_MANY_OPEN_ORDERS;
    }
    if (model_book_same_group(model, bid, offer)) {
        return REASON_SELF_TRADE_TAKE;
    }
    if (qty > offer->leaves_qty) {
        return REASON_QTY_ABOVE_OFFER;
    }
    if (model_money_order_reserve_e4(bid) > model_money_available_e4(model, bid->account)) {
        return REASON_INSUFFICIENT_FUNDS;
    }
    return model_room_for_orders(model, bid, 1, 0) && model_room_for_fills(model, 1) ? REASON_NONE
                                                                                     : REASON_FULL;
}

/* The offer that the request names, in a book of a listing market; NULL: none, or it was over. */
static struct model_order *named_offer(struct model *model)
{
    struct model_order *offer = model_book_find(model, model->command->take_offer.order_id);
    if (offer == NULL || offer->kind != MODEL_PLAIN || offer->side != SIDE_SELL ||
        !model_book_stands(offer) ||
        market_of(model, offer->contract)->terms.mode != MODE_LISTING) {
        return NULL;
    }
    if (model_due_over(model, offer) != REASON_NONE) {
        model_due_take_out(model, offer->order_id);
        return NULL;
    }
    return offer;
}

void model_auction_take(struct model *model)
{
    struct model_order *offer = named_offer(model);
    if (offer == NULL) {
        model_reject(model, REASON_UNKNOWN_ORDER);
        return;
    }
    uint64_t offer_id = offer->order_id;
    uint32_t key = model->command->head.key;
    uint32_t account = model->keys[key].account;
    const struct model_fees *fees = &model->fees[model->accounts[account].fees];
    struct model_order bid = {.contract = offer->contract,
                              .cl_ord_id = model->command->head.cl_ord_id,
                              .price_e4 = offer->price_e4,
                              .leaves_qty = model->command->take_offer.qty,
                              .key = key,
                              .account = account,
                              .maker_bp = fees->maker_bp,
                              .taker_bp = fees->taker_bp,
                              .side = SIDE_BUY,
                              .tif = TIF_IOC};
    enum reject_reason reason =
        check_take(model, offer, &bid, market_of(model, offer->contract)->halted);
    if (reason != REASON_NONE) {
        model_reject(model, reason);
        return;
    }
    bid.order_id = ++model->last_order_id;
    bid.entry = ++model->last_entry;
    bid.place = bid.entry;
    model_order_add(model, &bid);
    model_order_emit_new(model, &bid, 0);
    struct model_deal deal = {.bid = model_book_find(model, bid.order_id),
                              .offer = model_book_find(model, offer_id),
                              .qty = bid.leaves_qty,
                              .price_e4 = bid.price_e4,
                              .offer_rests = true,
                              .aggressor = SIDE_BUY};
    model_book_trade_pair(model, &deal);
    model_book_drop(model, bid.order_id);
    model_book_used(model, offer_id);
    if (model_book_find(model, offer_id) != NULL) {
        model_book_refresh(model, offer_id);
    }
}

/* Whether a bid of the market goes before another. */
static bool bid_before(const struct model_order *a, const struct model_order *b)
{
    if (contract_hour(a->contract) != contract_hour(b->contract)) {
        return contract_hour(a->contract) < contract_hour(b->contract);
    }
    if (a->asleep != b->asleep) {
        return !a->asleep;
    }
    return leg_before(a, b);
}

bool model_auction_delisting_unit(struct model *model)
{
    struct model_market *market = NULL;
    for (uint32_t i = 0; i < model->market_count; i++) {
        struct model_market *other = &model->markets[i];
        if (other->delisting && (market == NULL || other->delisted < market->delisted)) {
            market = other;
        }
    }
    if (market == NULL) {
        return false;
    }
    const struct model_order *first = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *bid = &model->orders[i];
        if ((bid->kind == MODEL_PLAIN || bid->kind == MODEL_LEG) && bid->side == SIDE_BUY &&
            contract_class(bid->contract) == market->terms.class_id &&
            contract_region(bid->contract) == market->terms.region_id &&
            (first == NULL || bid_before(bid, first))) {
            first = bid;
        }
    }
    if (first != NULL) {
        model_due_take_out_because(model, first, REASON_MODE_CHANGED);
    } else {
        market->delisting = false;
    }
    return true;
}
