#include "exchange/core/match.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/deal.h"
#include "exchange/core/emit.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/set.h"
#include "exchange/core/take.h"
#include "exchange/core/walk.h"

uint32_t match_top(const struct engine *e, const struct arrival *a)
{
    const struct ladder *l = &e->ladders[a->ladder];
    uint32_t mask = l->occupied & match_eligible(a);
    return mask == 0 ? 0 : l->best[match_best_book(l, a, mask)];
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
    *price_e4 = l->best_price[match_best_book(l, a, mask)];
    return true;
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
        const struct order *resting = &e->orders[l->best[book]];
        __builtin_prefetch(resting, 1);
        __builtin_prefetch(&e->orders[resting->next], 1);
        __builtin_prefetch(&e->accounts[e->keys[resting->key].account], 1);
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

struct trial match_fillable(const struct engine *e, const struct arrival *a, int64_t arriving,
                            int64_t wanted)
{
    struct trial trial = {.qty = 0};
    if (a->ladder == 0) {
        return trial;
    }
    struct walk w;
    walk_start(e, &w, a->ladder);
    int64_t open = arriving;
    while (open > 0 && trial.qty < wanted && trial.met <= e->s.trial_orders) {
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
            trial.met++;
            continue;
        }
        bool own = !hidden && e->keys[o->key].group == a->group;
        if (price < a->inner_low_e4 || price > a->inner_high_e4 ||
            (own && !a->fok && a->stp == STP_CANCEL_NEWEST)) {
            break;
        }
        int64_t qty = hidden ? w.reserve[book] : own ? match_whole(e, slot) : match_shown(e, slot);
        qty = qty < open ? qty : open;
        walk_pass(e, &w, book, !own);
        trial.met += !hidden;
        if (!own) {
            trial.qty += qty;
            open -= qty;
        } else if (!a->fok && a->stp == STP_DECREMENT) {
            open -= qty;
        }
    }
    return trial;
}

/* --- trading ----------------------------------------------------------------------------- */

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
    deal_close(e, d);
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
    if (__builtin_expect(r->special, 0)) {
        d.qty = open;
        trade_special(e, resting, &d);
        return;
    }
    deal_close(e, &d);
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
    const bool runs = !a->fok && e->s.lag == 0;
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
            book = match_best_book(l, a, occupied);
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
            if (__builtin_expect(runs && !e->orders[resting].special, 1)) {
                take_run(e, slot, a, book);
                continue;
            }
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
