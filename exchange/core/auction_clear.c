#include "exchange/core/auction_clear.h"

#include <stdbool.h>

#include "wire/units.h"

/* --- curves -------------------------------------------------------------------------------- */

/* Quantity at prices that are not worse than `price_e4`; of offers that is at or below it. */
static int64_t quantity(const struct auction_curve *c, bool sell, int64_t price_e4)
{
    uint32_t low = 0;
    uint32_t high = c->count; /* steps before `low` are in, from `high` on out */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        bool in =
            sell ? c->steps[middle].price_e4 <= price_e4 : c->steps[middle].price_e4 >= price_e4;
        low = in ? middle + 1 : low;
        high = in ? high : middle;
    }
    return low == 0 ? 0 : c->steps[low - 1].total;
}

/* Offers at or below a price less bids above it, of a run of tiers as one market: the slope, to the
 * right, of what they gain. It rises with the price. */
static int64_t slope(const struct auction_book *book, int from, int to, int64_t price_e4)
{
    int64_t sum = 0;
    for (int t = from; t <= to; t++) {
        sum += quantity(&book->offers[t], true, price_e4);
        sum -= quantity(&book->bids[t], false, price_e4 + 1);
    }
    return sum;
}

/* Lowest price of 1 .. PRICE_MAX_E4 at which the slope is at least `least`, else PRICE_MAX_E4 + 1. All
 * limits lie within low .. high, and only there does the slope change. */
static int64_t first_price(const struct auction_book *book, int from, int to, int64_t least,
                           const int64_t limits[2])
{
    int64_t low = limits[0];
    int64_t high = limits[1];
    if (slope(book, from, to, low - 1) >= least) {
        return 1;
    }
    if (slope(book, from, to, high) < least) {
        return PRICE_MAX_E4 + 1;
    }
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (slope(book, from, to, middle) >= least) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* --- prices -------------------------------------------------------------------------------- */

/* Lowest and highest limit of all orders; 1 and 1 without any. */
static void find_limits(const struct auction_book *book, int64_t limits[2])
{
    int64_t low = PRICE_MAX_E4;
    int64_t high = 1;
    for (int i = 0; i < 2 * TIER_COUNT; i++) {
        const struct auction_curve *c =
            i < TIER_COUNT ? &book->bids[i] : &book->offers[i - TIER_COUNT];
        for (uint32_t end = 0; end < 2 && c->count != 0; end++) {
            int64_t price = c->steps[end == 0 ? 0 : c->count - 1].price_e4;
            low = price < low ? price : low;
            high = price > high ? price : high;
        }
    }
    limits[0] = low < high ? low : high;
    limits[1] = high;
}

/* For each run of tiers from .. to the prices at which it would clear as one market. */
struct ends {
    int64_t of[TIER_COUNT][TIER_COUNT];
};
struct ranges {
    struct ends low;
    struct ends high;
};

static void find_ranges(const struct auction_book *book, struct ranges *r)
{
    int64_t limits[2];
    find_limits(book, limits);
    for (int from = 0; from < TIER_COUNT; from++) {
        for (int to = from; to < TIER_COUNT; to++) {
            /* The slope to the left of a price is that to the right of the price before. */
            int64_t high = first_price(book, from, to, 1, limits);
            r->low.of[from][to] = first_price(book, from, to, 0, limits);
            r->high.of[from][to] = high > PRICE_MAX_E4 ? PRICE_MAX_E4 : high;
        }
    }
}

/* End of the range of a tier's price, the tiers from `first` on being free. */
static int64_t end_of_range(const struct ends *ends, int first, int tier)
{
    int64_t most = 0;
    for (int from = first; from <= tier; from++) {
        int64_t least = PRICE_MAX_E4;
        for (int to = tier; to < TIER_COUNT; to++) {
            least = ends->of[from][to] < least ? ends->of[from][to] : least;
        }
        most = least > most ? least : most;
    }
    return most;
}

/* Neighbouring tiers are in one pool when no best prices differ between them: the upper one's cannot
 * rise above the lowest that the lower one's can be. Only then does anything flow from one to the
 * other in a best allocation (complementary slackness). */
static void find_pools(const struct ranges *r, struct auction_outcome *out)
{
    out->pool[0] = 0;
    for (int tier = 1; tier < TIER_COUNT; tier++) {
        bool joined = end_of_range(&r->high, tier, tier) <= end_of_range(&r->low, 0, tier - 1);
        out->pool[tier] = joined ? out->pool[tier - 1] : (uint8_t)tier;
    }
}

static int pool_end(const struct auction_outcome *out, int first)
{
    int last = first;
    while (last + 1 < TIER_COUNT && out->pool[last + 1] == first) {
        last++;
    }
    return last;
}

/* --- quantities ---------------------------------------------------------------------------- */

static int64_t least_of(const int64_t *values, int from, int to)
{
    int64_t least = values[from];
    for (int i = from + 1; i <= to; i++) {
        least = values[i] < least ? values[i] : least;
    }
    return least;
}

/* Bids above the price are all placed; those at it follow from the highest tier down, each as far as
 * the offers of its tier and above, less what bids of no lower tier than any of those take, go. */
static void place_bids(const struct auction_book *book, int first, int last, int64_t price_e4,
                       struct auction_outcome *out)
{
    int64_t room[TIER_COUNT]; /* left for bids of this tier and above */
    int64_t sum = 0;
    for (int t = last; t >= first; t--) {
        out->bid_qty[t] = quantity(&book->bids[t], false, price_e4 + 1);
        sum += quantity(&book->offers[t], true, price_e4) - out->bid_qty[t];
        room[t] = sum;
    }
    for (int t = last; t >= first; t--) {
        int64_t at = quantity(&book->bids[t], false, price_e4) - out->bid_qty[t];
        int64_t most = least_of(room, first, t);
        int64_t placed = at < most ? at : most;
        out->bid_qty[t] += placed;
        for (int k = first; k <= t; k++) {
            room[k] -= placed;
        }
    }
}

/* The same for offers, from the lowest tier up: they go to bids of their tier and below. */
static void place_offers(const struct auction_book *book, int first, int last, int64_t price_e4,
                         struct auction_outcome *out)
{
    int64_t room[TIER_COUNT]; /* left for offers of this tier and below */
    int64_t sum = 0;
    for (int t = first; t <= last; t++) {
        out->offer_qty[t] = quantity(&book->offers[t], true, price_e4 - 1);
        sum += quantity(&book->bids[t], false, price_e4) - out->offer_qty[t];
        room[t] = sum;
    }
    for (int t = first; t <= last; t++) {
        int64_t at = quantity(&book->offers[t], true, price_e4) - out->offer_qty[t];
        int64_t most = least_of(room, t, last);
        int64_t placed = at < most ? at : most;
        out->offer_qty[t] += placed;
        for (int k = t; k <= last; k++) {
            room[k] -= placed;
        }
    }
}

/* --- the price within its range ------------------------------------------------------------ */

static int64_t imbalance(const struct auction_book *book, int first, int last, int64_t price_e4)
{
    int64_t sum = 0;
    for (int t = first; t <= last; t++) {
        sum += quantity(&book->bids[t], false, price_e4);
        sum -= quantity(&book->offers[t], true, price_e4);
    }
    return sum < 0 ? -sum : sum;
}

/* Least imbalance, then nearest the reference, then the lower. Between the ends of the range no
 * order has its limit and bids and offers are level, so that only the ends can be out of balance. */
static int64_t choose_price(const struct auction_book *book, int first, int last, int64_t low,
                            int64_t high, uint32_t reference_e4)
{
    int64_t at_low = imbalance(book, first, last, low);
    int64_t at_high = imbalance(book, first, last, high);
    if (high - low >= 2) {
        low += at_low != 0;
        high -= at_high != 0;
    } else if (at_low != at_high) {
        return at_low < at_high ? low : high;
    }
    if ((int64_t)reference_e4 <= low) {
        return low;
    }
    return reference_e4 < high ? reference_e4 : high;
}

/* Pool by pool from the lowest tier, each not below the one before; where nothing trades there is no
 * price, and none stands in the way of another. */
static void set_prices(const struct auction_book *book, const struct ranges *r,
                       struct auction_outcome *out)
{
    int64_t floor = 1;
    int free_from = 0;
    for (int first = 0, last; first < TIER_COUNT; first = last + 1) {
        last = pool_end(out, first);
        int lowest = first;
        while (lowest <= last && out->bid_qty[lowest] == 0) {
            lowest++;
        }
        if (lowest > last) {
            continue;
        }
        int64_t low = end_of_range(&r->low, free_from, first);
        int64_t high = end_of_range(&r->high, free_from, first);
        low = low < floor ? floor : low;
        high = high < floor ? floor : high;
        floor = choose_price(book, first, last, low, high, book->reference_e4[lowest]);
        free_from = last + 1;
        for (int t = first; t <= last; t++) {
            out->price_e4[t] = out->bid_qty[t] != 0 ? (uint32_t)floor : 0;
        }
    }
}

void auction_clear(const struct auction_book *book, struct auction_outcome *out)
{
    *out = (struct auction_outcome){0};
    struct ranges r;
    find_ranges(book, &r);
    find_pools(&r, out);
    for (int first = 0, last; first < TIER_COUNT; first = last + 1) {
        last = pool_end(out, first);
        /* Any of its best prices places the same quantities. */
        int64_t price = end_of_range(&r.low, 0, first);
        place_bids(book, first, last, price, out);
        place_offers(book, first, last, price, out);
    }
    set_prices(book, &r, out);
}
