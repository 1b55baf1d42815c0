/* Section 13 of the rulebook: at which prices an auction clears, how much, and who trades with whom. Best
 * prices are found by trying: among all limits, their neighbours and the ends of the scale, tier by
 * tier, those where what all orders would gain is least. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model.h"

enum { CANDIDATES_MAX = 3 * MODEL_ORDERS_MAX / 8, TIERS = TIER_COUNT };

/* The hour's orders, and what is known of every price that may matter. */
struct hour {
    struct model *model;
    uint64_t contract;
    const int64_t *reference_e4;
    int64_t *prices; /* rising */
    uint32_t count;
    model_wide *gain[TIERS];   /* of a tier's orders at a price */
    model_wide *behind[TIERS]; /* least of this tier and the lower ones */
    model_wide *ahead[TIERS];  /* least of this tier and the higher ones */
    int64_t fixed[TIERS];      /* a price that is decided; 0 none */
    model_wide least;
};

static bool takes_part(const struct hour *hour, const struct model_order *order)
{
    return order->kind == MODEL_PLAIN && model_book_stands(order) &&
           model_book_same_ladder(order->contract, hour->contract);
}

/* --- best prices ------------------------------------------------------------------------------- */

static int rising(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void add_price(struct hour *hour, int64_t price_e4)
{
    if (price_e4 >= 1 && price_e4 <= PRICE_MAX_E4) {
        CHECK(hour->count < CANDIDATES_MAX);
        hour->prices[hour->count++] = price_e4;
    }
}

static void find_candidates(struct hour *hour)
{
    add_price(hour, 1);
    add_price(hour, PRICE_MAX_E4);
    for (int t = 0; t < TIERS; t++) {
        add_price(hour, hour->reference_e4[t]);
    }
    for (uint32_t i = 0; i < hour->model->order_count; i++) {
        const struct model_order *order = &hour->model->orders[i];
        for (int64_t off = -1; off <= 1 && takes_part(hour, order); off++) {
            add_price(hour, order->price_e4 + off);
        }
    }
    qsort(hour->prices, hour->count, sizeof(hour->prices[0]), rising);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < hour->count; i++) {
        if (i == 0 || hour->prices[i] != hour->prices[kept - 1]) {
            hour->prices[kept++] = hour->prices[i];
        }
    }
    hour->count = kept;
}

static void find_gains(struct hour *hour)
{
    for (uint32_t i = 0; i < hour->model->order_count; i++) {
        const struct model_order *order = &hour->model->orders[i];
        for (uint32_t p = 0; p < hour->count && takes_part(hour, order); p++) {
            int64_t better_e4 = order->side == SIDE_BUY ? order->price_e4 - hour->prices[p]
                                                        : hour->prices[p] - order->price_e4;
            if (better_e4 > 0) {
                hour->gain[contract_tier(order->contract)][p] +=
                    (model_wide)better_e4 * order->leaves_qty;
            }
        }
    }
}

static model_wide none(void)
{
    return (model_wide)1 << 120;
}

static model_wide cost(const struct hour *hour, int tier, uint32_t p)
{
    bool out = hour->fixed[tier] != 0 && hour->fixed[tier] != hour->prices[p];
    return out ? none() : hour->gain[tier][p];
}

/* The least of all at every price of every tier, with what is decided already. */
static void find_least(struct hour *hour)
{
    for (int t = 0; t < TIERS; t++) {
        model_wide below = t == 0 ? 0 : none();
        for (uint32_t p = 0; p < hour->count; p++) {
            if (t > 0 && hour->behind[t - 1][p] < below) {
                below = hour->behind[t - 1][p];
            }
            hour->behind[t][p] = cost(hour, t, p) + below;
        }
    }
    for (int t = TIERS - 1; t >= 0; t--) {
        model_wide above = t == TIERS - 1 ? 0 : none();
        for (uint32_t p = hour->count; p-- > 0;) {
            if (t < TIERS - 1 && hour->ahead[t + 1][p] < above) {
                above = hour->ahead[t + 1][p];
            }
            hour->ahead[t][p] = cost(hour, t, p) + above;
        }
    }
    hour->least = none();
    for (uint32_t p = 0; p < hour->count; p++) {
        hour->least = hour->ahead[0][p] < hour->least ? hour->ahead[0][p] : hour->least;
    }
}

static bool is_best(const struct hour *hour, int tier, uint32_t p)
{
    return hour->behind[tier][p] + hour->ahead[tier][p] - hour->gain[tier][p] == hour->least;
}

/* Whether some best prices of two neighbours differ. */
static bool may_differ(const struct hour *hour, int lower)
{
    model_wide above = none();
    for (uint32_t p = hour->count; p-- > 0;) {
        if (hour->behind[lower][p] + above == hour->least) {
            return true;
        }
        above = hour->ahead[lower + 1][p] < above ? hour->ahead[lower + 1][p] : above;
    }
    return false;
}

static void find_pools(const struct hour *hour, struct model_clearing *out)
{
    for (int t = 0; t < TIERS; t++) {
        out->pool[t] = t == 0 || may_differ(hour, t - 1) ? t : out->pool[t - 1];
    }
}

/* --- quantities -------------------------------------------------------------------------------- */

/* Whether bids for x a tier could be given offers of y a tier, from no lower tier of the same pool. */
static bool placeable(const struct model_clearing *c, const int64_t x[TIERS],
                      const int64_t y[TIERS])
{
    int64_t left[TIERS];
    memcpy(left, y, sizeof(left));
    for (int bid = TIERS - 1; bid >= 0; bid--) {
        int64_t wanted = x[bid];
        for (int offer = bid; offer < TIERS && c->pool[offer] == c->pool[bid]; offer++) {
            int64_t taken = wanted < left[offer] ? wanted : left[offer];
            left[offer] -= taken;
            wanted -= taken;
        }
        if (wanted > 0) {
            return false;
        }
    }
    return true;
}

/* The same the other way round: whether offers of y a tier could all go to some of the bids. */
static bool sellable(const struct model_clearing *c, const int64_t x[TIERS], const int64_t y[TIERS])
{
    int64_t left[TIERS];
    memcpy(left, x, sizeof(left));
    for (int offer = 0; offer < TIERS; offer++) {
        int64_t wanted = y[offer];
        for (int bid = offer; bid >= 0 && c->pool[offer] == c->pool[bid]; bid--) {
            int64_t taken = wanted < left[bid] ? wanted : left[bid];
            left[bid] -= taken;
            wanted -= taken;
        }
        if (wanted > 0) {
            return false;
        }
    }
    return true;
}

/* Quantity of a side's tier at prices better than, or (`at`) equal to, that of its pool. */
static int64_t sum_of(const struct hour *hour, uint8_t side, int tier, int64_t price_e4, bool at)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < hour->model->order_count; i++) {
        const struct model_order *order = &hour->model->orders[i];
        if (takes_part(hour, order) && order->side == side &&
            contract_tier(order->contract) == tier) {
            bool better =
                side == SIDE_BUY ? order->price_e4 > price_e4 : order->price_e4 < price_e4;
            sum += (at ? order->price_e4 == price_e4 : better) ? order->leaves_qty : 0;
        }
    }
    return sum;
}

/* GPU by GPU in halves: the most that can be had of `most` so that it still fits. */
static int64_t most_that_fits(const struct model_clearing *c, bool bids, int64_t mine[TIERS],
                              const int64_t others[TIERS], int tier, int64_t most)
{
    int64_t base = mine[tier];
    int64_t low = 0;
    int64_t high = most;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        mine[tier] = base + middle;
        bool fits = bids ? placeable(c, mine, others) : sellable(c, others, mine);
        low = fits ? middle : low;
        high = fits ? high : middle - 1;
    }
    mine[tier] = base;
    return low;
}

static void find_quantities(const struct hour *hour, struct model_clearing *c)
{
    int64_t price_e4[TIERS];
    int64_t bids[TIERS];   /* all that would buy */
    int64_t offers[TIERS]; /* all that would sell */
    for (int t = 0; t < TIERS; t++) {
        uint32_t p = 0;
        while (!is_best(hour, c->pool[t], p)) {
            p++;
        }
        price_e4[t] = hour->prices[p];
        c->bid_qty[t] = sum_of(hour, SIDE_BUY, t, price_e4[t], false);
        c->offer_qty[t] = sum_of(hour, SIDE_SELL, t, price_e4[t], false);
        bids[t] = c->bid_qty[t] + sum_of(hour, SIDE_BUY, t, price_e4[t], true);
        offers[t] = c->offer_qty[t] + sum_of(hour, SIDE_SELL, t, price_e4[t], true);
    }
    for (int t = TIERS - 1; t >= 0; t--) {
        int64_t at = bids[t] - c->bid_qty[t];
        c->bid_qty[t] += most_that_fits(c, true, c->bid_qty, offers, t, at);
    }
    for (int t = 0; t < TIERS; t++) {
        int64_t at = offers[t] - c->offer_qty[t];
        c->offer_qty[t] += most_that_fits(c, false, c->offer_qty, bids, t, at);
    }
}

/* --- the price of a pool ----------------------------------------------------------------------- */

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

static int64_t imbalance(const struct hour *hour, const struct model_clearing *c, int first,
                         int64_t price_e4)
{
    int64_t sum = 0;
    for (int t = first; t < TIERS && c->pool[t] == first; t++) {
        sum +=
            sum_of(hour, SIDE_BUY, t, price_e4, false) + sum_of(hour, SIDE_BUY, t, price_e4, true);
        sum -= sum_of(hour, SIDE_SELL, t, price_e4, false) +
               sum_of(hour, SIDE_SELL, t, price_e4, true);
    }
    return distance(sum, 0);
}

static int64_t choose(const struct hour *hour, const struct model_clearing *c, int first,
                      int64_t reference_e4)
{
    int64_t chosen_e4 = 0;
    int64_t least = 0;
    for (uint32_t p = 0; p < hour->count; p++) {
        int64_t price_e4 = hour->prices[p];
        if (!is_best(hour, first, p)) {
            continue;
        }
        int64_t odd = imbalance(hour, c, first, price_e4);
        if (chosen_e4 == 0 || odd < least ||
            (odd == least &&
             distance(price_e4, reference_e4) < distance(chosen_e4, reference_e4))) {
            chosen_e4 = price_e4;
            least = odd;
        }
    }
    return chosen_e4;
}

/* First tier of the pool in which bids trade; TIERS: none. */
static int lowest_trading(const struct model_clearing *c, int first)
{
    for (int t = first; t < TIERS && c->pool[t] == first; t++) {
        if (c->bid_qty[t] > 0) {
            return t;
        }
    }
    return TIERS;
}

static void find_prices(struct hour *hour, struct model_clearing *c)
{
    for (int first = 0; first < TIERS; first++) {
        int lowest = c->pool[first] == first ? lowest_trading(c, first) : TIERS;
        if (lowest == TIERS) {
            continue;
        }
        int64_t price_e4 = choose(hour, c, first, hour->reference_e4[lowest]);
        for (int t = first; t < TIERS && c->pool[t] == first; t++) {
            hour->fixed[t] = price_e4;
            c->price_e4[t] = c->bid_qty[t] > 0 ? price_e4 : 0;
        }
        find_least(hour);
    }
}

void model_clearing_find(struct model *model, uint64_t contract,
                         const int64_t reference_e4[TIER_COUNT], struct model_clearing *out)
{
    struct hour hour = {.model = model, .contract = contract, .reference_e4 = reference_e4};
    *out = (struct model_clearing){.pool = {0}};
    hour.prices = calloc(CANDIDATES_MAX, sizeof(hour.prices[0]));
    CHECK(hour.prices != NULL);
    find_candidates(&hour);
    for (int t = 0; t < TIERS; t++) {
        hour.gain[t] = calloc(hour.count, sizeof(model_wide));
        hour.behind[t] = calloc(hour.count, sizeof(model_wide));
        hour.ahead[t] = calloc(hour.count, sizeof(model_wide));
        CHECK(hour.gain[t] != NULL && hour.behind[t] != NULL && hour.ahead[t] != NULL);
    }
    find_gains(&hour);
    find_least(&hour);
    find_pools(&hour, out);
    find_quantities(&hour, out);
    find_prices(&hour, out);
    for (int t = 0; t < TIERS; t++) {
        free(hour.gain[t]);
        free(hour.behind[t]);
        free(hour.ahead[t]);
    }
    free(hour.prices);
}

/* --- who trades with whom ---------------------------------------------------------------------- */

/* One order's part. */
struct part {
    uint64_t order_id;
    int64_t left;
};

struct parts {
    struct part *items;
    uint32_t count;
};

static bool ahead_of(const struct model_order *a, const struct model_order *b)
{
    if (a->price_e4 != b->price_e4) {
        return a->side == SIDE_BUY ? a->price_e4 > b->price_e4 : a->price_e4 < b->price_e4;
    }
    return a->place < b->place;
}

/* The best orders of a side's tier, up to `qty`. */
static struct parts parts_of(struct model *model, uint64_t contract, uint8_t side, int64_t qty)
{
    struct hour hour = {.model = model, .contract = contract};
    struct parts parts = {.items = calloc(model->order_count + 1, sizeof(struct part))};
    CHECK(parts.items != NULL);
    const struct model_order *last = NULL;
    while (qty > 0) {
        const struct model_order *next = NULL;
        for (uint32_t i = 0; i < model->order_count; i++) {
            const struct model_order *order = &model->orders[i];
            if (takes_part(&hour, order) && order->side == side && order->contract == contract &&
                (last == NULL || ahead_of(last, order)) &&
                (next == NULL || ahead_of(order, next))) {
                next = order;
            }
        }
        CHECK(next != NULL);
        int64_t part = next->leaves_qty < qty ? next->leaves_qty : qty;
        parts.items[parts.count++] = (struct part){next->order_id, part};
        qty -= part;
        last = next;
    }
    return parts;
}

/* First offer part of a tier that is left and of another group. */
static struct part *partner(struct model *model, struct parts *offers,
                            const struct model_order *bid)
{
    for (uint32_t i = 0; i < offers->count; i++) {
        struct part *part = &offers->items[i];
        if (part->left > 0 &&
            !model_book_same_group(model, bid, model_book_find(model, part->order_id))) {
            return part;
        }
    }
    return NULL;
}

uint8_t model_clearing_condition(const struct model_auction *auction)
{
    switch (auction->kind) {
    case AUCTION_OPENING:
        return TRADE_OPENING;
    case AUCTION_PERIODIC:
        return TRADE_PERIODIC;
    default:
        return TRADE_VOLATILITY;
    }
}

static int64_t trade_part(struct model *model, const struct model_clearing *c, int tier,
                          struct part *bid, struct parts offers[TIERS])
{
    int64_t got = 0;
    for (int t = tier; t < TIERS && c->pool[t] == c->pool[tier]; t++) {
        while (bid->left > 0) {
            struct model_order *buyer = model_book_find(model, bid->order_id);
            struct part *offer = partner(model, &offers[t], buyer);
            if (offer == NULL) {
                break;
            }
            int64_t qty = bid->left < offer->left ? bid->left : offer->left;
            struct model_deal deal = {.bid = buyer,
                                      .offer = model_book_find(model, offer->order_id),
                                      .qty = qty,
                                      .price_e4 = c->price_e4[tier],
                                      .bid_rests = true,
                                      .offer_rests = true,
                                      .aggressor = AGGRESSOR_NONE,
                                      .condition = c->condition};
            model_book_trade_pair(model, &deal);
            bid->left -= qty;
            offer->left -= qty;
            got += qty;
            model_book_used(model, offer->order_id);
            model_book_used(model, bid->order_id);
        }
    }
    return got;
}

static void refresh(struct model *model, const struct parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (model_book_find(model, parts->items[i].order_id) != NULL) {
            model_book_refresh(model, parts->items[i].order_id);
        }
    }
}

void model_clearing_trade(struct model *model, const struct model_auction *auction,
                          struct model_clearing *out)
{
    uint64_t contract = auction->contract;
    model_clearing_find(model, contract, auction->reference_e4, out);
    out->condition = model_clearing_condition(auction);
    struct parts bids[TIERS];
    struct parts offers[TIERS];
    for (uint8_t t = 0; t < TIERS; t++) {
        bids[t] = parts_of(model, contract_with_tier(contract, t), SIDE_BUY, out->bid_qty[t]);
        offers[t] = parts_of(model, contract_with_tier(contract, t), SIDE_SELL, out->offer_qty[t]);
    }
    for (int t = TIERS - 1; t >= 0; t--) {
        out->bid_qty[t] = 0;
        for (uint32_t i = 0; i < bids[t].count; i++) {
            out->bid_qty[t] += trade_part(model, out, t, &bids[t].items[i], offers);
        }
    }
    for (int t = 0; t < TIERS; t++) {
        out->price_e4[t] = out->bid_qty[t] > 0 ? out->price_e4[t] : 0;
        refresh(model, &bids[t]);
    }
    for (int t = 0; t < TIERS; t++) {
        refresh(model, &offers[t]);
        free(bids[t].items);
        free(offers[t].items);
    }
}
