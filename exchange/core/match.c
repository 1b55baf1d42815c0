#include "exchange/core/match.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/job.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/quote.h"
#include "exchange/core/set.h"
#include "exchange/core/walk.h"

/* Book with the best price among `mask`; at equal prices the nearest tier: for a bid the lowest
 * offer tier, for an offer the highest bid tier. */
static uint32_t best_book(const struct ladder *l, const struct arrival *a, uint32_t mask)
{
    uint32_t best = (uint32_t)__builtin_ctz(mask);
    mask &= mask - 1;
    while (mask != 0) {
        uint32_t book = (uint32_t)__builtin_ctz(mask);
        mask &= mask - 1;
        if (a->sell ? l->best_price[book] >= l->best_price[best]
                    : l->best_price[book] < l->best_price[best]) {
            best = book;
        }
    }
    return best;
}

uint32_t match_top(const struct engine *e, const struct arrival *a)
{
    const struct ladder *l = &e->ladders[a->ladder];
    uint32_t mask = l->occupied & match_eligible(a);
    return mask == 0 ? 0 : l->best[best_book(l, a, mask)];
}

bool match_crosses(const struct arrival *a, int64_t price_e4)
{
    return a->sell ? price_e4 >= a->limit_e4 : price_e4 <= a->limit_e4;
}

bool match_best(const struct engine *e, const struct arrival *a, int64_t *price_e4)
{
    if (a->ladder == 0) {
        return false;
    }
    const struct ladder *l = &e->ladders[a->ladder];
    uint32_t mask = l->occupied & match_eligible(a);
    if (mask == 0) {
        return false;
    }
    *price_e4 = l->best_price[best_book(l, a, mask)];
    return true;
}

APART void match_prefetch_trade(const struct engine *e, const struct command *command,
                                uint32_t resting)
{
    const struct command_new_order *n = &command->new_order;
    const struct order *o = &e->orders[resting];
    const struct key *k = &e->keys[o->key];
    bool sell = n->side == SIDE_SELL;
    uint32_t buyer = sell ? k->account : e->keys[command->head.key].account;
    __builtin_prefetch(&e->accounts[k->account], 1);
    holding_prefetch(e, buyer, sell ? n->resource : o->resource, contract_hour(n->contract),
                     contract_tier(n->contract) & 3u);
    KEPT();
}

void match_prefetch(const struct engine *e, const struct command *command, uint32_t ladder,
                    bool enters)
{
    const struct command_new_order *n = &command->new_order;
    const struct ladder *l = &e->ladders[ladder];
    bool sell = n->side == SIDE_SELL;
    uint8_t tier = contract_tier(n->contract) & 3u;
    uint32_t book = book_index(!sell, tier); /* other tiers are left out: it is a guess anyway */
    int64_t price = l->best_price[book];
    bool inside = (price >= n->price_e4) == sell || price == n->price_e4;
    if (__builtin_expect((enters & (inside | (n->ord_type == ORD_MARKET))) != 0, 0)) {
        match_prefetch_trade(e, command, l->best[book]);
    }
    KEPT();
}

void match_clear_tops_lagging(struct engine *e, const struct arrival *a)
{
    if (a->ladder == 0) {
        return;
    }
    struct ladder *l = &e->ladders[a->ladder];
    e->busy = a->ladder;
    for (uint32_t i = 0; i < TIER_COUNT; i++) {
        uint32_t book = a->sell ? a->tier - i : 4 + a->tier + i;
        if (a->sell ? i > a->tier : a->tier + i >= TIER_COUNT) {
            break;
        }
        while ((l->occupied >> book & 1u) != 0) {
            uint16_t over = order_over(e, l->best[book]);
            if (over == 0) {
                break;
            }
            order_take_out_over(e, l->best[book], over);
        }
    }
    e->busy = 0;
}

uint32_t match_whole(const struct engine *e, uint32_t slot)
{
    return e->orders[slot].kind == KIND_LEG ? set_open(e, slot) : e->orders[slot].leaves;
}

uint32_t match_shown(const struct engine *e, uint32_t slot)
{
    return match_whole(e, slot) - iceberg_reserve(e, slot);
}

/* A leg of a SET of which a better one is met before: after that the others of the hour sleep. */
static bool sleeps_by_then(const struct engine *e, uint32_t slot, const struct arrival *a)
{
    return e->orders[slot].kind == KIND_LEG && set_leg_is_second(e, slot, a->tier);
}

int64_t match_fillable(const struct engine *e, const struct arrival *a, int64_t wanted)
{
    if (a->ladder == 0) {
        return 0;
    }
    struct walk w;
    walk_start(e, &w, a->ladder);
    int64_t fillable = 0;
    int64_t open = wanted;
    while (open > 0) {
        uint32_t book = walk_best(e, &w, match_eligible(a), a->sell);
        if (book == BOOKS) {
            break;
        }
        uint32_t slot = w.slot[book];
        const struct order *o = &e->orders[slot];
        int64_t price = o->price_e4;
        if (!match_crosses(a, price)) {
            break;
        }
        bool hidden = (w.hidden >> book & 1u) != 0;
        if (!hidden && (order_over(e, slot) != 0 || sleeps_by_then(e, slot, a))) {
            walk_pass(e, &w, book, false);
            continue;
        }
        if (price < a->inner_low_e4 || price > a->inner_high_e4) {
            break;
        }
        bool own = !hidden && e->keys[o->key].group == a->group;
        int64_t qty = hidden ? w.reserve[book] : own ? match_whole(e, slot) : match_shown(e, slot);
        qty = qty < open ? qty : open;
        walk_pass(e, &w, book, !own);
        if (!own) {
            fillable += qty;
            open -= qty;
        } else if (!a->fok && a->stp == STP_CANCEL_NEWEST) {
            break;
        } else if (!a->fok && a->stp == STP_DECREMENT) {
            open -= qty;
        }
    }
    return fillable;
}

/* --- trading ----------------------------------------------------------------------------- */

struct side_result {
    int64_t fee_e4;
    int64_t bond_e4;
};

static uint16_t rate_of(const struct engine *e, const struct order *o, bool maker)
{
    const struct fee_schedule *f = &e->s.fees[o->fees];
    return maker ? f->maker_bp : f->taker_bp;
}

static struct side_result settle_bid(struct engine *e, struct order *o, bool maker,
                                     int64_t price_e4, uint32_t qty)
{
    struct account *account = &e->accounts[e->keys[o->key].account];
    int64_t before = money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
    int64_t notional = price_e4 * qty;
    uint16_t rest;
    int64_t fee = money_fee(o->fee_rest, notional, rate_of(e, o, maker), &rest);
    o->fee_rest = rest & 0x3fffu;
    o->leaves -= qty;
    o->cum += qty;
    int64_t after = money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
    CHECK(before - after >= notional + fee);
    account->reserved_e4 += after - before;
    account->cash_e4 -= notional + fee;
    account->escrow_e4 += notional + fee;
    return (struct side_result){.fee_e4 = fee};
}

static struct side_result settle_offer(struct engine *e, struct order *o, bool maker,
                                       int64_t price_e4, uint32_t qty)
{
    struct account *account = &e->accounts[e->keys[o->key].account];
    uint16_t rest;
    int64_t fee = money_fee(o->fee_rest, price_e4 * qty, rate_of(e, o, maker), &rest);
    o->fee_rest = rest & 0x3fffu;
    int64_t bond = (int64_t)o->bond_unit * qty;
    o->leaves -= qty;
    o->cum += qty;
    account->bond_open_e4 -= bond;
    account->bond_locked_e4 += bond;
    return (struct side_result){.fee_e4 = fee, .bond_e4 = bond};
}

/* What the two fills of a trade have in common. */
struct print {
    uint64_t fill_id;
    int64_t price_e4;
    uint32_t qty;
    uint32_t resource;
    uint8_t tier;
};

static_assert(
    offsetof(struct event_fill, side) == offsetof(struct event_fill, resource) + 4 &&
        offsetof(struct event_fill, resting) == offsetof(struct event_fill, resource) + 5 &&
        offsetof(struct event_fill, trade_tier) == offsetof(struct event_fill, resource) + 6 &&
        offsetof(struct event_fill, contingent) == offsetof(struct event_fill, resource) + 7 &&
        offsetof(struct event_fill, trade_group) == offsetof(struct event_fill, resource) + 8 &&
        SIDE_SELL == 1,
    "words");

static struct event *emit_fill(struct engine *e, uint32_t slot, const struct print *print,
                               uint8_t resting, uint64_t contract, int64_t fee_e4)
{
    const struct order *o = &e->orders[slot];
    struct event *event = emit(e, EVENT_FILL, emit_link(&e->keys[o->key]), 0);
    struct event_fill *fill = &event->fill;
    fill->party = emit_party(e, o->key, o->cl_ord_id);
    fill->order_id = order_id_of(e, slot);
    fill->contract = contract;
    fill->fill_id = print->fill_id;
    fill->price_e4 = print->price_e4;
    fill->qty = print->qty;
    fill->leaves_qty = o->leaves;
    fill->cum_qty = o->cum;
    fill->fee_e4 = fee_e4;
    emit_word(&fill->resource, print->resource | (uint64_t)o->sell << 32 | (uint64_t)resting << 40 |
                                   (uint64_t)print->tier << 48);
    fill->trade_group = 0;
    return event;
}

static void record_fill(struct engine *e, uint64_t fill_id, const struct event_trade *t)
{
    uint32_t slot = (uint32_t)fill_id;
    CHECK(slot <= e->config.fills);
    e->s.fill_count = slot;
    e->fills[slot] = (struct fill_record){
        .buy_order_id = t->buy_order_id,
        .sell_order_id = t->sell_order_id,
        .contract = t->contract,
        .price_e4 = t->price_e4,
        .escrow_e4 = t->price_e4 * t->qty + t->buy_fee_e4,
        .buy_fee_e4 = t->buy_fee_e4,
        .sell_fee_e4 = t->sell_fee_e4,
        .bond_e4 = t->bond_e4,
        .qty = (uint32_t)t->qty,
        .buyer = t->buyer,
        .seller = t->seller,
        .resource = t->resource,
        .generation = (uint32_t)(fill_id >> 32),
        .offer_tier = t->offer_tier,
        .source_tier = t->source_tier,
    };
}

/* Carries a trade out and reports it; orders that it uses up are the caller's to end. */
static inline __attribute__((always_inline)) void close_deal(struct engine *e, const struct deal *d)
{
    struct order *bid = &e->orders[d->bid];
    struct order *offer = &e->orders[d->offer];
    const bool bid_rests = d->sell || d->auction != AUCTION_NONE;
    const bool offer_rests = !d->sell || d->auction != AUCTION_NONE;
    uint64_t contract = d->contract;
    uint64_t offer_contract = contract_with_tier(contract, offer->tier);
    uint32_t hour = contract_hour(contract);
    uint32_t buyer = e->keys[bid->key].account;
    uint32_t seller = e->keys[offer->key].account;
    holding_prefetch(e, buyer, offer->resource, hour, contract_tier(contract));
    /* Where the next trade will write; one line ahead may lie behind the table's end. */
    __builtin_prefetch(&e->fills[e->s.fill_count + 2], 1);
    __builtin_prefetch(&e->fills[e->s.fill_count + 3], 1);
    __builtin_prefetch(&e->holdings[e->s.holding_top + 3], 1);

    struct side_result buy = settle_bid(e, bid, bid_rests, d->price_e4, d->qty);
    struct side_result sell = settle_offer(e, offer, offer_rests, d->price_e4, d->qty);
    if (offer->source != SOURCE_OWN) {
        holding_sell(e, holding_find(e, seller, offer->resource, hour, offer->source), d->qty);
    }
    struct ladder *l = &e->ladders[d->ladder];
    if (l->last_trade_e4 != (uint32_t)d->price_e4) {
        l->last_trade_e4 = (uint32_t)d->price_e4;
        quote_forget_ladder(e, l);
        job_reference_moved(e, d->ladder);
    }

    struct print print = {.fill_id = UINT64_C(1) << 32 | (e->s.fill_count + 1u),
                          .price_e4 = d->price_e4,
                          .qty = d->qty,
                          .resource = offer->resource,
                          .tier = contract_tier(contract)};
    struct event *event = emit(e, EVENT_TRADE, 0, EVENT_PUBLIC);
    event->trade = (struct event_trade){
        .fill_id = print.fill_id,
        .contract = contract,
        .price_e4 = d->price_e4,
        .qty = d->qty,
        .buy_order_id = order_id_of(e, d->bid),
        .sell_order_id = order_id_of(e, d->offer),
        .buyer = buyer,
        .seller = seller,
        .resource = offer->resource,
        .offer_tier = offer->tier,
        .source_tier = offer->source,
        .aggressor = d->sell ? SIDE_SELL : SIDE_BUY,
        .buy_fee_e4 = buy.fee_e4,
        .sell_fee_e4 = sell.fee_e4,
        .bond_e4 = sell.bond_e4,
        .buyer_group = e->keys[bid->key].group,
        .seller_group = e->keys[offer->key].group,
    };
    record_fill(e, print.fill_id, &event->trade);
    if (__builtin_expect(d->auction != AUCTION_NONE, 0)) {
        event->trade.aggressor = AGGRESSOR_NONE;
        event->trade.condition = event_auction_condition(d->auction);
        emit_fill(e, d->bid, &print, FILL_AUCTION, contract, buy.fee_e4)->fill.limit_e4 =
            bid->price_e4;
        emit_fill(e, d->offer, &print, FILL_AUCTION, offer_contract, sell.fee_e4)->fill.limit_e4 =
            offer->price_e4;
    } else {
        emit_fill(e, d->bid, &print, bid_rests ? FILL_MAKER : FILL_TAKER, contract, buy.fee_e4);
        emit_fill(e, d->offer, &print, offer_rests ? FILL_MAKER : FILL_TAKER, offer_contract,
                  sell.fee_e4);
    }
    holding_add(e, buyer, print.resource, hour, print.tier, d->qty);
}

void match_close_deal(struct engine *e, const struct deal *d)
{
    close_deal(e, d);
}

void match_after_fill(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    if (o->kind == KIND_LEG) {
        set_settle(e, set_of(e, slot));
    } else if (o->leaves == 0) {
        order_leave(e, slot);
        order_finish(e, slot);
    } else if (o->iceberg && o->leaves == iceberg_reserve(e, slot)) {
        iceberg_refresh(e, slot);
    }
}

/* One side is not a plain order. */
RARE static void trade_special(struct engine *e, uint32_t resting, struct deal *d)
{
    uint32_t shown = match_shown(e, resting);
    if (e->orders[resting].kind == KIND_LEG) {
        d->bid = set_of(e, resting);
    }
    d->qty = shown < d->qty ? shown : d->qty;
    close_deal(e, d);
    match_after_fill(e, resting);
}

APART static void trade(struct engine *e, uint32_t arriving, uint32_t resting,
                        const struct arrival *a)
{
    const struct order *r = &e->orders[resting];
    uint32_t open = e->orders[arriving].leaves;
    struct deal d = {
        .bid = a->sell ? resting : arriving,
        .offer = a->sell ? arriving : resting,
        .qty = open < r->leaves ? open : r->leaves,
        .ladder = a->ladder,
        .price_e4 = r->price_e4,
        .contract = a->sell ? contract_with_tier(a->contract, r->tier) : a->contract,
        .sell = a->sell,
    };
    __builtin_prefetch(&e->orders[r->next], 1);
    if (__builtin_expect(r->special, 0)) {
        d.qty = open;
        trade_special(e, resting, &d);
        return;
    }
    close_deal(e, &d);
    if (r->leaves == 0) {
        book_remove(e, resting);
        order_finish(e, resting);
    }
}

/* Takes `qty` out of one order by self-trade prevention without ending it. */
static void restate(struct engine *e, uint32_t slot, uint32_t qty, uint64_t contract)
{
    struct order *o = &e->orders[slot];
    struct account *account = &e->accounts[e->keys[o->key].account];
    if (o->iceberg && o->resting) {
        iceberg_take(e, slot, qty);
    }
    if (o->sell) {
        account->bond_open_e4 -= (int64_t)o->bond_unit * qty;
        capacity_reserve(e, slot, contract_hour(contract), -(int64_t)qty);
    } else {
        account->reserved_e4 -= money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves);
        account->reserved_e4 +=
            money_bid_reserve(e, o->fees, o->fee_rest, o->price_e4, o->leaves - qty);
    }
    o->leaves -= qty;
    struct event *event = emit(e, EVENT_RESTATED, emit_link(&e->keys[o->key]), 0);
    event->out = (struct event_out){
        .party = emit_party(e, o->key, o->cl_ord_id),
        .order_id = order_id_of(e, slot),
        .contract = contract,
        .orig_cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = qty,
        .leaves_qty = o->leaves,
        .cum_qty = o->cum,
        .reason = REASON_SELF_TRADE,
        .side = o->sell ? SIDE_SELL : SIDE_BUY,
        .resting = o->resting,
    };
}

void match_decrement(struct engine *e, uint32_t slot, uint32_t qty)
{
    const struct order *o = &e->orders[slot];
    if (o->kind == KIND_LEG) {
        set_decrement(e, slot, qty);
    } else if (o->leaves == qty) {
        order_take_out(e, slot, REASON_SELF_TRADE, 0);
    } else {
        restate(e, slot, qty, contract_with_tier(e->ladders[o->ladder].contract, o->tier));
    }
}

/* Both lose the smaller of the two quantities, the resting order first. */
RARE static void decrement(struct engine *e, uint32_t arriving, uint32_t resting)
{
    uint32_t open = e->orders[arriving].leaves;
    uint32_t whole = match_whole(e, resting);
    uint32_t qty = open < whole ? open : whole;
    match_decrement(e, resting, qty);
    match_decrement(e, arriving, qty);
}

/* A leg that is over by itself leaves its SET's others where they are, to be met in their turn. */
static void skip_legs(const struct engine *e, struct walk *w, uint32_t resting)
{
    if (e->orders[resting].kind == KIND_LEG &&
        (order_over(e, resting) == 0 || set_over(e, set_of(e, resting)) != 0)) {
        walk_skip_legs(e, w, resting);
    }
}

void match_run(struct engine *e, uint32_t slot, const struct arrival *a)
{
    struct order *o = &e->orders[slot];
    const uint32_t generation = o->generation;
    struct ladder *l = &e->ladders[a->ladder];
    const uint32_t mask = match_eligible(a);
    struct walk w;
    if (a->fok) {
        walk_start(e, &w, a->ladder);
    }
    while (o->generation == generation && o->leaves > 0) {
        uint32_t book;
        uint32_t resting;
        int64_t price;
        if (__builtin_expect(a->fok, 0)) {
            book = walk_best(e, &w, mask, a->sell);
            if (book == BOOKS) {
                return;
            }
            resting = walk_take(e, &w, book);
            skip_legs(e, &w, resting);
            price = e->orders[resting].price_e4;
        } else {
            uint32_t occupied = l->occupied & mask;
            if (occupied == 0) {
                return;
            }
            book = best_book(l, a, occupied);
            resting = l->best[book];
            price = l->best_price[book]; /* most arrivals rest: spare them the best order's line */
        }
        if (!match_crosses(a, price)) {
            return;
        }
        uint16_t over = order_over(e, resting);
        if (over != 0) {
            order_take_out_over(e, resting, over);
        } else if (price < a->inner_low_e4 || price > a->inner_high_e4) {
            if (auction_begin_volatility(e, slot, a)) {
                return;
            }
            order_take_out(e, slot, REASON_BAND_REMAINDER, 0);
        } else if (e->keys[e->orders[resting].key].group != a->group) {
            trade(e, slot, resting, a);
            if (__builtin_expect(a->fok, 0)) {
                walk_return(e, &w, book, resting);
            }
        } else if (a->fok) {
            continue;
        } else if (a->stp == STP_CANCEL_NEWEST) {
            order_take_out(e, slot, REASON_SELF_TRADE, 0);
        } else if (a->stp == STP_CANCEL_OLDEST) {
            order_take_out(e, resting, REASON_SELF_TRADE, 0);
        } else {
            decrement(e, slot, resting);
        }
    }
}

/* --- fills of a JOB -------------------------------------------------------------------------- */

static int64_t settle_job(struct engine *e, struct order *o, const struct print *print,
                          struct match_job *job)
{
    struct account *account = &e->accounts[e->keys[o->key].account];
    int64_t notional = print->price_e4 * print->qty;
    uint16_t rest;
    int64_t fee = money_fee(o->fee_rest, notional, rate_of(e, o, false), &rest);
    o->fee_rest = rest & 0x3fffu;
    account->cash_e4 -= notional + fee;
    account->escrow_e4 += notional + fee;
    job->leaves_qty -= print->qty;
    job->cum_qty += print->qty;
    job->trade_group = job->trade_group != 0 ? job->trade_group : print->fill_id;
    return fee;
}

static void emit_job_fills(struct engine *e, const struct event_trade *t, const struct print *print,
                           const struct match_job *job)
{
    struct event *event = emit_fill(e, job->slot, print, FILL_TAKER, t->contract, t->buy_fee_e4);
    event->fill.leaves_qty = job->leaves_qty;
    event->fill.cum_qty = job->cum_qty;
    event->fill.contingent = 1;
    event->fill.trade_group = job->trade_group;
    uint64_t offered = contract_with_tier(t->contract, t->offer_tier);
    event = emit_fill(e, (uint32_t)t->sell_order_id, print, FILL_MAKER, offered, t->sell_fee_e4);
    event->fill.contingent = 1;
    event->fill.trade_group = job->trade_group;
}

int64_t match_job_fill(struct engine *e, struct match_job *job, uint32_t offer_slot, uint32_t qty)
{
    struct order *bid = &e->orders[job->slot];
    struct order *offer = &e->orders[offer_slot];
    uint32_t ladder = ladder_main(e, offer->ladder);
    uint64_t contract = contract_with_tier(e->ladders[ladder].contract, job->tier);
    uint32_t seller = e->keys[offer->key].account;
    struct print print = {.fill_id = UINT64_C(1) << 32 | (e->s.fill_count + 1u),
                          .price_e4 = offer->price_e4,
                          .qty = qty,
                          .resource = offer->resource,
                          .tier = job->tier};
    bool names_site = job->names_site && job->trade_group == 0;
    uint32_t shown = match_shown(e, offer_slot);
    if (qty > shown) {
        iceberg_take(e, offer_slot, qty - shown);
    }
    int64_t buy_fee = settle_job(e, bid, &print, job);
    struct side_result sell = settle_offer(e, offer, true, print.price_e4, qty);
    if (offer->source != SOURCE_OWN) {
        uint32_t held =
            holding_find(e, seller, offer->resource, contract_hour(contract), offer->source);
        holding_sell(e, held, qty);
    }
    if (e->ladders[ladder].last_trade_e4 != offer->price_e4) {
        e->ladders[ladder].last_trade_e4 = offer->price_e4;
        quote_forget_ladder(e, &e->ladders[ladder]);
        job_reference_moved(e, ladder);
    }
    struct event_trade t = {
        .fill_id = print.fill_id,
        .contract = contract,
        .price_e4 = print.price_e4,
        .qty = qty,
        .buy_order_id = order_id_of(e, job->slot),
        .sell_order_id = order_id_of(e, offer_slot),
        .trade_group = job->trade_group,
        .buyer = e->keys[bid->key].account,
        .seller = seller,
        .resource = offer->resource,
        .offer_tier = offer->tier,
        .source_tier = offer->source,
        .aggressor = SIDE_BUY,
        .condition = TRADE_CONTINGENT,
        .buy_fee_e4 = buy_fee,
        .sell_fee_e4 = sell.fee_e4,
        .bond_e4 = sell.bond_e4,
        .buyer_group = e->keys[bid->key].group,
        .seller_group = e->keys[offer->key].group,
    };
    emit(e, EVENT_TRADE, 0, EVENT_PUBLIC)->trade = t;
    record_fill(e, print.fill_id, &t);
    e->fills[(uint32_t)print.fill_id].names_site = names_site;
    emit_job_fills(e, &t, &print, job);
    holding_add(e, t.buyer, print.resource, contract_hour(contract), print.tier, qty);
    match_after_fill(e, offer_slot);
    return print.price_e4 * qty + buy_fee;
}
