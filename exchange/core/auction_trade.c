#include "exchange/core/auction_trade.h"

#include "exchange/core/book.h"
#include "exchange/core/deal.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/match.h"
#include "exchange/core/order.h"

/* --- what would trade ---------------------------------------------------------------------- */

/* The levels of a book as far as `limit_e4`, icebergs with all of their quantity. */
static struct auction_curve gather_book(const struct engine *e, uint32_t first, uint32_t limit_e4,
                                        struct auction_step *steps)
{
    struct auction_curve curve = {.steps = steps};
    int64_t total = 0;
    for (uint32_t slot = first; slot != 0; slot = book_worse(e, slot)) {
        const struct order *o = &e->orders[slot];
        if (o->sell ? o->price_e4 > limit_e4 : o->price_e4 < limit_e4) {
            break;
        }
        curve.count += o->head;
        total += o->leaves;
        steps[curve.count - 1] = (struct auction_step){.total = total, .price_e4 = o->price_e4};
    }
    return curve;
}

/* Nothing beyond the best price of the other side, whatever its tier, can trade. */
static void gather(const struct engine *e, uint32_t ladder, struct auction_book *book)
{
    const struct ladder *l = &e->ladders[ladder];
    uint32_t highest_bid = 0;
    uint32_t lowest_offer = UINT32_MAX;
    for (uint32_t b = 0; b < BOOKS; b++) {
        uint32_t price = l->best_price[b];
        if ((l->occupied >> b & 1u) == 0) {
            continue;
        }
        highest_bid = b < TIER_COUNT && price > highest_bid ? price : highest_bid;
        lowest_offer = b >= TIER_COUNT && price < lowest_offer ? price : lowest_offer;
    }
    struct auction_step *steps = e->steps;
    for (uint32_t b = 0; b < BOOKS && lowest_offer <= highest_bid; b++) {
        bool sell = b >= TIER_COUNT;
        struct auction_curve *curve = sell ? &book->offers[b - TIER_COUNT] : &book->bids[b];
        *curve = gather_book(e, l->best[b], sell ? highest_bid : lowest_offer, steps);
        steps += curve->count;
    }
}

void auction_foresee(const struct engine *e, uint32_t ladder,
                     const uint32_t reference_e4[TIER_COUNT], struct auction_outcome *out)
{
    struct auction_book book = {.reference_e4 = {0}};
    memcpy(book.reference_e4, reference_e4, sizeof(book.reference_e4));
    gather(e, ladder, &book);
    auction_clear(&book, out);
}

/* Each trade uses up what an order has in the clearing, or afterwards an order or what a leg may trade. */
int64_t auction_trades_most(const struct engine *e, uint32_t ladder)
{
    return 2 * (iceberg_trades(e, ladder, false) + iceberg_trades(e, ladder, true) +
                e->ladders[ladder_shadow(e, ladder)].orders[0]);
}

/* --- who trades with whom ------------------------------------------------------------------ */

/* The orders of a book that trade, and of an offer book where to go on: the first that has something
 * left, and the first behind it of another ownership group. Both only move forwards. */
struct picked {
    struct auction_pick *first;
    struct auction_pick *end;
    struct auction_pick *head;
    struct auction_pick *other;
};

struct clearing {
    uint32_t ladder;
    uint64_t contract; /* tier 0 */
    uint8_t kind;      /* enum auction_kind */
    const struct auction_outcome *out;
    struct picked books[BOOKS];
};

static uint32_t group_of(const struct engine *e, const struct auction_pick *pick)
{
    return e->keys[e->orders[pick->slot].key].group;
}

/* The best of the book, as much as clears. */
static void pick_book(const struct engine *e, struct picked *p, struct auction_pick *from,
                      uint32_t slot, int64_t qty)
{
    p->first = from;
    p->end = from;
    for (; qty > 0; slot = book_worse(e, slot)) {
        uint32_t leaves = e->orders[slot].leaves;
        *p->end = (struct auction_pick){slot, leaves < qty ? leaves : (uint32_t)qty};
        qty -= p->end->left;
        p->end++;
    }
    p->head = p->first;
    p->other = p->first;
}

static void pick_all(const struct engine *e, struct clearing *c)
{
    const struct ladder *l = &e->ladders[c->ladder];
    struct auction_pick *next = e->picks;
    for (uint32_t b = 0; b < BOOKS; b++) {
        int64_t qty = b < TIER_COUNT ? c->out->bid_qty[b] : c->out->offer_qty[b - TIER_COUNT];
        pick_book(e, &c->books[b], next, l->best[b], qty);
        next = c->books[b].end;
    }
}

/* First offer with something left that is not of the group; NULL: none. All between head and other that
 * have something left are of the head's group. */
static struct auction_pick *offer_for(const struct engine *e, struct picked *p, uint32_t group)
{
    while (p->head < p->end && p->head->left == 0) {
        p->head++;
    }
    if (p->head == p->end || group_of(e, p->head) != group) {
        return p->head == p->end ? NULL : p->head;
    }
    p->other = p->other <= p->head ? p->head + 1 : p->other;
    while (p->other < p->end && (p->other->left == 0 || group_of(e, p->other) == group)) {
        p->other++;
    }
    return p->other < p->end ? p->other : NULL;
}

/* An order that has lost a part. */
static void after_fill(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    if (o->leaves == 0) {
        order_leave(e, slot);
        order_finish(e, slot);
    } else if (o->iceberg) {
        iceberg_trim(e, slot);
    }
}

/* A bid takes offers of its tier and then of those above in its pool; returns what it has got. */
static int64_t trade_bid(struct engine *e, struct clearing *c, uint32_t tier,
                         struct auction_pick *bid)
{
    int64_t got = 0;
    uint32_t group = group_of(e, bid);
    for (uint32_t t = tier; t < TIER_COUNT && c->out->pool[t] == c->out->pool[tier];) {
        struct auction_pick *offer =
            bid->left == 0 ? NULL : offer_for(e, &c->books[TIER_COUNT + t], group);
        if (offer == NULL) {
            t++;
            continue;
        }
        struct deal deal = {
            .bid = bid->slot,
            .offer = offer->slot,
            .qty = bid->left < offer->left ? bid->left : offer->left,
            .ladder = c->ladder,
            .price_e4 = c->out->price_e4[tier],
            .contract = contract_with_tier(c->contract, (uint8_t)tier),
            .auction = c->kind,
        };
        deal_close(e, &deal);
        bid->left -= deal.qty;
        offer->left -= deal.qty;
        got += deal.qty;
        after_fill(e, deal.offer);
        after_fill(e, deal.bid);
    }
    return got;
}

/* Slices that are used up, in the order of the books. */
static void refresh_icebergs(struct engine *e, const struct clearing *c)
{
    for (uint32_t b = 0; b < BOOKS; b++) {
        for (const struct auction_pick *p = c->books[b].first; p < c->books[b].end; p++) {
            const struct order *o = &e->orders[p->slot];
            if (o->live && o->iceberg && o->leaves == iceberg_reserve(e, p->slot)) {
                iceberg_refresh(e, p->slot);
            }
        }
    }
}

void auction_trade(struct engine *e, const struct auction *auction, struct auction_outcome *out)
{
    auction_foresee(e, auction->ladder, auction->reference_e4, out);
    struct clearing c = {.ladder = auction->ladder,
                         .kind = auction->kind,
                         .contract = e->ladders[auction->ladder].contract,
                         .out = out};
    pick_all(e, &c);
    int64_t traded[TIER_COUNT];
    for (uint32_t tier = TIER_COUNT; tier-- > 0;) {
        traded[tier] = 0;
        for (struct auction_pick *bid = c.books[tier].first; bid < c.books[tier].end; bid++) {
            traded[tier] += trade_bid(e, &c, tier, bid);
        }
    }
    refresh_icebergs(e, &c);
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        out->bid_qty[tier] = traded[tier];
        out->price_e4[tier] = traded[tier] != 0 ? out->price_e4[tier] : 0;
    }
}

/* --- what is left crossed ------------------------------------------------------------------ */

/* Best bid of the highest tier that an offer of its tier or above is within the limit of; 0: none. */
static uint32_t crossed_bid(const struct ladder *l)
{
    uint32_t lowest_offer = UINT32_MAX;
    for (uint32_t tier = TIER_COUNT; tier-- > 0;) {
        uint32_t offers = TIER_COUNT + tier;
        if ((l->occupied >> offers & 1u) != 0 && l->best_price[offers] < lowest_offer) {
            lowest_offer = l->best_price[offers];
        }
        if ((l->occupied >> tier & 1u) != 0 && l->best_price[tier] >= lowest_offer) {
            return l->best[tier];
        }
    }
    return 0;
}

/* What an order that has met another in the uncrossing shows then. */
static void settle(struct engine *e, uint32_t slot)
{
    after_fill(e, slot);
    const struct order *o = &e->orders[slot];
    if (o->live && o->iceberg && o->leaves == iceberg_reserve(e, slot)) {
        iceberg_refresh(e, slot);
    }
}

/* Self-trade prevention as if the bid arrived. */
static void prevent_self_trade(struct engine *e, uint32_t bid, uint32_t offer)
{
    uint32_t open = match_whole(e, bid);
    uint32_t whole = match_whole(e, offer);
    uint32_t qty = open < whole ? open : whole;
    if (e->orders[bid].stp == STP_CANCEL_NEWEST) {
        order_take_out(e, bid, REASON_SELF_TRADE, 0);
    } else if (e->orders[bid].stp == STP_CANCEL_OLDEST) {
        order_take_out(e, offer, REASON_SELF_TRADE, 0);
    } else {
        match_decrement(e, offer, qty);
        match_decrement(e, bid, qty);
    }
}

void auction_uncross(struct engine *e, const struct auction *auction)
{
    uint32_t ladder = auction->ladder;
    struct ladder *l = &e->ladders[ladder];
    for (uint32_t bid; (bid = crossed_bid(l)) != 0;) {
        const struct order *b = &e->orders[bid];
        struct arrival a = {.ladder = ladder, .limit_e4 = b->price_e4, .tier = b->tier};
        uint32_t offer = match_top(e, &a);
        if (e->keys[e->orders[offer].key].group == e->keys[b->key].group) {
            prevent_self_trade(e, bid, offer);
            continue;
        }
        const struct order *o = &e->orders[offer];
        struct deal deal = {
            .bid = bid,
            .offer = offer,
            .qty = b->leaves < o->leaves ? b->leaves : o->leaves,
            .ladder = ladder,
            .price_e4 = o->price_e4,
            .contract = contract_with_tier(l->contract, b->tier),
            .auction = auction->kind,
        };
        deal_close(e, &deal);
        settle(e, offer);
        settle(e, bid);
    }
}
