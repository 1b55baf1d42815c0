#include "exchange/core/match.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/deal.h"
#include "exchange/core/emit.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/job.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/quote.h"
#include "exchange/core/set.h"
#include "exchange/core/tree.h"
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

static inline bool tradable(const struct engine *e, uint32_t resting, const struct arrival *a)
{
    return e->keys[e->orders[resting].key].group != a->group;
}

/* The arriving order takes plain orders from the head of the best level on, until it is filled, the
 * level is used up, or the next one asks for more than a trade. The level is mended once, at the end. */
static inline __attribute__((always_inline)) void
take_level(struct engine *e, uint32_t arriving, uint32_t head, const struct arrival *a, bool sell)
{
    struct order *orders = e->orders;
    struct order *o = &orders[arriving];
    uint32_t newest = orders[head].previous;
    uint32_t resting = head;
    uint32_t gone = 0;
    struct deal d = {
        .bid = arriving,
        .offer = arriving,
        .ladder = a->ladder,
        .price_e4 = orders[head].price_e4,
        .contract = sell ? contract_with_tier(a->contract, orders[head].tier) : a->contract,
        .sell = sell,
    };
    for (;;) {
        struct order *r = &orders[resting];
        __builtin_prefetch(&orders[r->next], 1);
        *(sell ? &d.bid : &d.offer) = resting;
        d.qty = o->leaves < r->leaves ? o->leaves : r->leaves;
        deal_close_inline(e, &d);
        if (r->leaves != 0) {
            break;
        }
        uint32_t next = r->next;
        __builtin_prefetch(&e->keys[orders[next].key], 1);
        __builtin_prefetch(&orders[orders[next].newer], 1);
        __builtin_prefetch(&orders[orders[next].older], 1);
        book_forget(r);
        order_finish(e, resting);
        gone++;
        resting = next;
        if (resting == head) {
            resting = 0;
            break;
        }
        if (o->leaves == 0 || orders[resting].special || !tradable(e, resting, a)) {
            break;
        }
    }
    if (gone != 0) {
        book_advance(e, head, newest, resting, gone);
    }
}

/* An order that has used up a level will most likely use up more. What trading with the orders at their
 * heads will touch is asked for together, so that it comes together. */
#define LEVELS_AHEAD 12
APART static void prefetch_levels(const struct engine *e, const struct arrival *a, uint32_t book)
{
    struct tree_place place;
    uint32_t slots[LEVELS_AHEAD];
    uint32_t count = 0;
    int32_t limit = (int32_t)(a->sell ? a->limit_e4 : -a->limit_e4);
    if (!tree_first(e, a->ladder * BOOKS + book, &place)) {
        return;
    }
    for (; count < LEVELS_AHEAD && place.goodness[place.at] >= limit; place.at--) {
        slots[count] = place.heads[place.at];
        __builtin_prefetch(&e->orders[slots[count++]], 1);
        if (place.at == 0) {
            break;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct order *o = &e->orders[slots[i]];
        __builtin_prefetch(&e->keys[o->key], 1);
        __builtin_prefetch(&e->orders[o->newer], 1);
        __builtin_prefetch(&e->orders[o->older], 1);
        __builtin_prefetch(&e->orders[o->next], 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(&e->accounts[e->keys[e->orders[slots[i]].key].account], 1);
    }
    KEPT();
}

APART static void take_bids(struct engine *e, uint32_t arriving, uint32_t head,
                            const struct arrival *a)
{
    take_level(e, arriving, head, a, true);
}

APART static void take_offers(struct engine *e, uint32_t arriving, uint32_t head,
                              const struct arrival *a)
{
    take_level(e, arriving, head, a, false);
}

/* Trades with the resting order, and with plain ones right behind it where they come next anyway. */
static void trade(struct engine *e, uint32_t arriving, uint32_t resting, const struct arrival *a)
{
    const struct order *r = &e->orders[resting];
    if (__builtin_expect(!r->special && r->head && !a->fok && e->s.lag == 0, 1)) {
        if (a->sell) {
            take_bids(e, arriving, resting, a);
        } else {
            take_offers(e, arriving, resting, a);
        }
        return;
    }
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
    uint32_t levels = 0;
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
        } else if (tradable(e, resting, a)) {
            trade(e, slot, resting, a);
            if (levels++ == 0 && o->leaves != 0) {
                prefetch_levels(e, a, book);
            }
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
