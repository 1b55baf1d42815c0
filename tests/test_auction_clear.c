/* The clearing of an auction against a brute force that knows nothing of runs of tiers: it finds the
 * greatest surplus and the most volume by placing single GPUs along shortest paths, tries every
 * price vector, and calls those best at which all orders together gain exactly that surplus. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "exchange/core/auction_clear.h"

#define SIDE_ORDERS 6
#define PRICES      8
#define VECTORS     330 /* non-falling vectors of four prices of 1 .. 8 */

struct limit {
    int price;
    int qty;
};

/* side 0 bids, 1 offers; in order of time */
struct small_book {
    struct limit orders[2][TIER_COUNT][SIDE_ORDERS];
    int count[2][TIER_COUNT];
    uint32_t reference[TIER_COUNT];
};

static void add(struct small_book *b, int side, int tier, int price, int qty)
{
    b->orders[side][tier][b->count[side][tier]++] = (struct limit){price, qty};
}

/* --- the engine's answer ----------------------------------------------------------------------- */

static struct auction_curve curve_of(const struct small_book *b, int side, int tier,
                                     struct auction_step *steps)
{
    struct auction_curve curve = {.steps = steps};
    int64_t total = 0;
    for (int i = 0; i < PRICES; i++) {
        int price = side == 0 ? PRICES - i : i + 1;
        int64_t before = total;
        for (int o = 0; o < b->count[side][tier]; o++) {
            const struct limit *l = &b->orders[side][tier][o];
            total += l->price == price ? l->qty : 0;
        }
        if (total != before) {
            steps[curve.count++] =
                (struct auction_step){.total = total, .price_e4 = (uint32_t)price};
        }
    }
    return curve;
}

static struct auction_outcome clear(const struct small_book *b)
{
    static struct auction_step steps[2][TIER_COUNT][PRICES];
    struct auction_book book = {0};
    for (int t = 0; t < TIER_COUNT; t++) {
        book.bids[t] = curve_of(b, 0, t, steps[0][t]);
        book.offers[t] = curve_of(b, 1, t, steps[1][t]);
        book.reference_e4[t] = b->reference[t];
    }
    struct auction_outcome out;
    auction_clear(&book, &out);
    return out;
}

/* --- worked examples --------------------------------------------------------------------------- */

/* Bids 5 at 8, 4 at 6, 3 at 4; offers 4 at 2, 4 at 5, 4 at 7. At 6 bids for 9 meet offers of 8: one GPU
 * of the bid at 6 is left. At 5 that bid would be better than the price and not filled whole. */
Test(auction_clear, one_tier_clears_where_its_curves_cross)
{
    struct small_book b = {.reference = {1}};
    add(&b, 0, 0, 8, 5);
    add(&b, 0, 0, 6, 4);
    add(&b, 0, 0, 4, 3);
    add(&b, 1, 0, 2, 4);
    add(&b, 1, 0, 5, 4);
    add(&b, 1, 0, 7, 4);
    struct auction_outcome out = clear(&b);
    cr_assert_eq(out.price_e4[0], 6);
    cr_assert_eq(out.bid_qty[0], 8);
    cr_assert_eq(out.offer_qty[0], 8);
}

Test(auction_clear, a_range_of_best_prices_gives_way_to_the_reference_and_then_to_the_lower)
{
    for (uint32_t reference = 0; reference <= 9; reference++) {
        struct small_book b = {.reference = {reference}};
        add(&b, 0, 0, 7, 5);
        add(&b, 1, 0, 3, 5);
        uint32_t nearest = reference < 3 ? 3 : reference > 7 ? 7 : reference;
        cr_assert_eq(clear(&b).price_e4[0], nearest);
    }
}

/* A bid that just reaches the low end of the range would be left over there, so the price is above. */
Test(auction_clear, least_imbalance_goes_before_the_reference)
{
    struct small_book b = {.reference = {3}};
    add(&b, 0, 0, 7, 5);
    add(&b, 0, 0, 3, 1);
    add(&b, 1, 0, 2, 5);
    cr_assert_eq(clear(&b).price_e4[0], 4);
}

/* G0 has bids only, G50 offers only: they clear as one market at one price. */
Test(auction_clear, tiers_pool_when_the_lower_one_needs_the_upper_ones_offers)
{
    struct small_book b = {.reference = {5, 2, 0, 0}};
    add(&b, 0, 0, 6, 5);
    add(&b, 0, 1, 4, 3);
    add(&b, 1, 1, 2, 10);
    struct auction_outcome out = clear(&b);
    /* 8 are wanted at up to 4, 10 offered at 2: the price is 2, where 2 GPUs of the offer are left. */
    cr_assert_eq(out.price_e4[0], 2);
    cr_assert_eq(out.price_e4[1], 2);
    cr_assert_eq(out.bid_qty[0], 5);
    cr_assert_eq(out.bid_qty[1], 3);
    cr_assert_eq(out.offer_qty[1], 8);
    cr_assert_eq(out.pool[1], 0);
}

Test(auction_clear, tiers_keep_their_own_prices_where_greener_is_dearer)
{
    struct small_book b = {.reference = {2, 7, 0, 0}};
    add(&b, 0, 0, 3, 5);
    add(&b, 1, 0, 2, 5);
    add(&b, 0, 1, 8, 4);
    add(&b, 1, 1, 7, 4);
    struct auction_outcome out = clear(&b);
    cr_assert_eq(out.price_e4[0], 2);
    cr_assert_eq(out.price_e4[1], 7);
    cr_assert_eq(out.bid_qty[0], 5);
    cr_assert_eq(out.bid_qty[1], 4);
    cr_assert_eq(out.pool[1], 1);
}

/* Offers of G100 at 2 and at 6, a bid of G0 at 3 and one of G100 at 8. The most volume would sell the
 * offer at 2 to G0, so that G100 pays the dearer offer: surplus (3 - 2) + (8 - 6) = 3. The greatest
 * surplus, 8 - 2 = 6, trades one GPU and passes no better offer over. */
Test(auction_clear, a_cheap_green_offer_goes_to_the_green_bid)
{
    struct small_book b = {.reference = {3, 0, 0, 5}};
    add(&b, 1, 3, 2, 1);
    add(&b, 1, 3, 6, 1);
    add(&b, 0, 0, 3, 1);
    add(&b, 0, 3, 8, 1);
    struct auction_outcome out = clear(&b);
    cr_assert_eq(out.bid_qty[0], 0);
    cr_assert_eq(out.bid_qty[3], 1);
    cr_assert_eq(out.price_e4[0], 0);
    cr_assert_eq(out.price_e4[3], 5);
}

Test(auction_clear, no_price_where_nothing_trades)
{
    struct small_book b = {.reference = {5, 5, 5, 5}};
    struct auction_outcome none = clear(&b);
    cr_assert_eq(none.price_e4[0], 0);
    add(&b, 0, 3, 5, 5);
    add(&b, 1, 2, 1, 5); /* of too low a tier */
    add(&b, 1, 3, 6, 5);
    struct auction_outcome out = clear(&b);
    for (int t = 0; t < TIER_COUNT; t++) {
        cr_assert_eq(out.price_e4[t], 0);
        cr_assert_eq(out.bid_qty[t], 0);
        cr_assert_eq(out.offer_qty[t], 0);
    }
}

/* Quantities and prices at their bounds: sums pass 32 bits. */
Test(auction_clear, the_largest_prices_and_quantities_clear)
{
    static struct auction_step bid = {.total = INT64_C(100000000000000000), .price_e4 = 2147483646};
    static struct auction_step offer = {.total = INT64_C(90000000000000000),
                                        .price_e4 = 2147483646};
    struct auction_book book = {.reference_e4 = {1}};
    book.bids[0] = (struct auction_curve){&bid, 1};
    book.offers[3] = (struct auction_curve){&offer, 1};
    struct auction_outcome out;
    auction_clear(&book, &out);
    cr_assert_eq(out.price_e4[0], 2147483646u);
    cr_assert_eq(out.bid_qty[0], INT64_C(90000000000000000));
    cr_assert_eq(out.offer_qty[3], INT64_C(90000000000000000));
}

/* --- brute force: surplus and volume by single GPUs -------------------------------------------- */

#define NODES (2 + 2 * TIER_COUNT * SIDE_ORDERS)
#define PER   1000 /* a GPU of surplus counts as much as this many of volume */

struct network {
    int count;
    int room[NODES][NODES];
    int worth[NODES][NODES];
};

/* Source 0, sink 1; tiers from .. to only. */
static void network_of(const struct small_book *b, int from, int to, struct network *n)
{
    int node_of[2][TIER_COUNT][SIDE_ORDERS];
    memset(n, 0, sizeof(*n));
    n->count = 2;
    for (int side = 0; side < 2; side++) {
        for (int t = from; t <= to; t++) {
            for (int i = 0; i < b->count[side][t]; i++) {
                int node = n->count++;
                node_of[side][t][i] = node;
                *(side == 0 ? &n->room[0][node] : &n->room[node][1]) = b->orders[side][t][i].qty;
            }
        }
    }
    for (int t = from; t <= to; t++) {
        for (int i = 0; i < b->count[0][t]; i++) {
            for (int u = t; u <= to; u++) {
                for (int j = 0; j < b->count[1][u]; j++) {
                    int gain = b->orders[0][t][i].price - b->orders[1][u][j].price;
                    int bid = node_of[0][t][i];
                    int offer = node_of[1][u][j];
                    n->room[bid][offer] = gain >= 0 ? 1000 : 0;
                    n->worth[bid][offer] = gain * PER + 1;
                    n->worth[offer][bid] = -n->worth[bid][offer];
                }
            }
        }
    }
}

/* One more GPU along the path worth most (Bellman and Ford); 0 when none is worth anything. */
static int augment(struct network *n)
{
    int best[NODES];
    int from[NODES];
    for (int i = 0; i < n->count; i++) {
        best[i] = INT32_MIN;
    }
    best[0] = 0;
    for (int changed = 1; changed != 0;) {
        changed = 0;
        for (int i = 0; i < n->count; i++) {
            for (int j = 0; j < n->count && best[i] != INT32_MIN; j++) {
                if (n->room[i][j] > 0 && best[i] + n->worth[i][j] > best[j]) {
                    best[j] = best[i] + n->worth[i][j];
                    from[j] = i;
                    changed = 1;
                }
            }
        }
    }
    if (best[1] <= 0) {
        return 0;
    }
    for (int j = 1; j != 0; j = from[j]) {
        n->room[from[j]][j]--;
        n->room[j][from[j]]++;
    }
    return best[1];
}

struct greatest {
    int surplus;
    int volume; /* the most with that surplus */
};

static struct greatest greatest_of(const struct small_book *b, int from, int to)
{
    static struct network n;
    network_of(b, from, to, &n);
    int worth = 0;
    for (int more; (more = augment(&n)) != 0;) {
        worth += more;
    }
    return (struct greatest){worth / PER, worth % PER};
}

/* --- brute force: prices ----------------------------------------------------------------------- */

struct prices {
    int of[TIER_COUNT];
};

static int gains(const struct small_book *b, const struct prices *p)
{
    int sum = 0;
    for (int side = 0; side < 2; side++) {
        for (int t = 0; t < TIER_COUNT; t++) {
            for (int i = 0; i < b->count[side][t]; i++) {
                const struct limit *l = &b->orders[side][t][i];
                int gain = side == 0 ? l->price - p->of[t] : p->of[t] - l->price;
                sum += gain > 0 ? gain * l->qty : 0;
            }
        }
    }
    return sum;
}

static int every_vector(struct prices *out)
{
    int count = 0;
    for (int code = 0; code < PRICES * PRICES * PRICES * PRICES; code++) {
        struct prices p;
        int falls = 0;
        for (int t = 0, rest = code; t < TIER_COUNT; t++, rest /= PRICES) {
            p.of[t] = 1 + rest % PRICES;
            falls += t > 0 && p.of[t] < p.of[t - 1];
        }
        if (falls == 0) {
            out[count++] = p;
        }
    }
    return count;
}

/* Keeps those of the vectors that are least by `cost` of their price of a tier. */
static int keep_least(struct prices *v, int count, int tier, const int cost[PRICES + 1])
{
    int least = INT32_MAX;
    for (int i = 0; i < count; i++) {
        least = cost[v[i].of[tier]] < least ? cost[v[i].of[tier]] : least;
    }
    int kept = 0;
    for (int i = 0; i < count; i++) {
        if (cost[v[i].of[tier]] == least) {
            v[kept++] = v[i];
        }
    }
    return kept;
}

static int apply_ties(const struct small_book *b, struct prices *v, int count, int first, int last,
                      int reference)
{
    int cost[PRICES + 1] = {0};
    for (int p = 1; p <= PRICES; p++) {
        int sum = 0;
        for (int t = first; t <= last; t++) {
            for (int i = 0; i < b->count[0][t]; i++) {
                sum += b->orders[0][t][i].price >= p ? b->orders[0][t][i].qty : 0;
            }
            for (int i = 0; i < b->count[1][t]; i++) {
                sum -= b->orders[1][t][i].price <= p ? b->orders[1][t][i].qty : 0;
            }
        }
        cost[p] = abs(sum);
    }
    count = keep_least(v, count, first, cost);
    for (int p = 1; p <= PRICES; p++) {
        cost[p] = abs(p - reference);
    }
    count = keep_least(v, count, first, cost);
    for (int p = 1; p <= PRICES; p++) {
        cost[p] = p;
    }
    return keep_least(v, count, first, cost);
}

/* --- brute force: quantities ------------------------------------------------------------------- */

/* What the `qty` best GPUs of a side's tier are worth, the best first; fails when there are not so many. */
static int worth_of_best(const struct small_book *b, int side, int tier, int64_t qty)
{
    int worth = 0;
    for (int i = 0; i < PRICES && qty > 0; i++) {
        int price = side == 0 ? PRICES - i : i + 1;
        for (int o = 0; o < b->count[side][tier] && qty > 0; o++) {
            const struct limit *l = &b->orders[side][tier][o];
            int64_t take = l->price != price ? 0 : l->qty < qty ? l->qty : qty;
            worth += (int)take * price;
            qty -= take;
        }
    }
    cr_assert_eq(qty, 0);
    return worth;
}

/* Whether bids for x a tier can all be given offers y of sufficient tier, everything being used. */
static int fits(const int64_t x[TIER_COUNT], const int64_t y[TIER_COUNT])
{
    int64_t spare = 0;
    for (int t = TIER_COUNT - 1; t >= 0; t--) {
        spare += y[t] - x[t];
        if (spare < 0) {
            return 0;
        }
    }
    return spare == 0;
}

static int worth_of_side(const struct small_book *b, int side, const int64_t q[TIER_COUNT])
{
    int worth = 0;
    for (int t = 0; t < TIER_COUNT; t++) {
        worth += worth_of_best(b, side, t, q[t]);
    }
    return worth;
}

/* No bid (offer) at the margin of a higher (lower) tier could have more in the place of one behind it. */
static void check_margin(const struct small_book *b, const struct auction_outcome *out, int side)
{
    const int64_t *mine = side == 0 ? out->bid_qty : out->offer_qty;
    int worth = worth_of_side(b, side, mine);
    for (int before = 0; before < TIER_COUNT; before++) {
        for (int behind = 0; behind < TIER_COUNT; behind++) {
            int64_t other[TIER_COUNT];
            memcpy(other, mine, sizeof(other));
            int64_t all = 0;
            for (int i = 0; i < b->count[side][before]; i++) {
                all += b->orders[side][before][i].qty;
            }
            if ((side == 0 ? before <= behind : before >= behind) || other[behind] == 0 ||
                other[before] == all) {
                continue;
            }
            other[before]++;
            other[behind]--;
            int fit = side == 0 ? fits(other, out->offer_qty) : fits(out->bid_qty, other);
            cr_assert(fit == 0 || worth_of_side(b, side, other) != worth);
        }
    }
}

/* Better than the price: whole. Worse: nothing. */
static void check_limits(const struct small_book *b, const struct auction_outcome *out,
                         const struct prices *best)
{
    for (int side = 0; side < 2; side++) {
        for (int t = 0; t < TIER_COUNT; t++) {
            int64_t better = 0;
            int64_t not_worse = 0;
            for (int i = 0; i < b->count[side][t]; i++) {
                const struct limit *l = &b->orders[side][t][i];
                int gain = side == 0 ? l->price - best->of[t] : best->of[t] - l->price;
                better += gain > 0 ? l->qty : 0;
                not_worse += gain >= 0 ? l->qty : 0;
            }
            int64_t traded = side == 0 ? out->bid_qty[t] : out->offer_qty[t];
            cr_assert_geq(traded, better);
            cr_assert_leq(traded, not_worse);
        }
    }
}

/* --- the comparison ---------------------------------------------------------------------------- */

static int pool_of(const struct prices *v, int count, int tier)
{
    while (tier > 0) {
        int apart = 0;
        for (int i = 0; i < count; i++) {
            apart += v[i].of[tier] != v[i].of[tier - 1];
        }
        if (apart != 0) {
            break;
        }
        tier--;
    }
    return tier;
}

static void check_quantities(const struct small_book *b, const struct auction_outcome *out)
{
    struct greatest all = greatest_of(b, 0, TIER_COUNT - 1);
    int64_t volume = 0;
    for (int t = 0; t < TIER_COUNT; t++) {
        volume += out->bid_qty[t];
        cr_assert_eq(out->price_e4[t] != 0, out->bid_qty[t] != 0);
    }
    cr_assert_eq(volume, all.volume);
    cr_assert(fits(out->bid_qty, out->offer_qty));
    cr_assert_eq(worth_of_side(b, 0, out->bid_qty) - worth_of_side(b, 1, out->offer_qty),
                 all.surplus);
    check_margin(b, out, 0);
    check_margin(b, out, 1);
}

struct tally {
    int pooled;
    int apart;
    int ranged; /* more than one best vector where something trades */
};

static void check_book(const struct small_book *b, const struct prices *vectors, int count,
                       struct tally *tally)
{
    struct auction_outcome out = clear(b);
    check_quantities(b, &out);
    static struct prices v[VECTORS];
    int best = 0;
    int surplus = greatest_of(b, 0, TIER_COUNT - 1).surplus;
    for (int i = 0; i < count; i++) {
        if (gains(b, &vectors[i]) == surplus) {
            v[best++] = vectors[i];
        }
        cr_assert_geq(gains(b, &vectors[i]), surplus);
    }
    cr_assert_gt(best, 0);
    int pools[TIER_COUNT];
    for (int t = 0; t < TIER_COUNT; t++) {
        pools[t] = pool_of(v, best, t);
        cr_assert_eq(out.pool[t], pools[t]);
    }
    int traded_pools = 0;
    tally->ranged += best > 1 && surplus > 0;
    for (int first = 0, last; first < TIER_COUNT; first = last + 1) {
        for (last = first; last + 1 < TIER_COUNT && pools[last + 1] == first; last++) {
        }
        struct greatest part = greatest_of(b, first, last);
        int64_t volume = 0;
        int lowest = -1;
        for (int t = last; t >= first; t--) {
            volume += out.bid_qty[t];
            lowest = out.bid_qty[t] != 0 ? t : lowest;
        }
        cr_assert_eq(volume, part.volume);
        if (part.volume != 0) {
            best = apply_ties(b, v, best, first, last, (int)b->reference[lowest]);
            traded_pools++;
            tally->pooled += last > lowest;
        }
    }
    tally->apart += traded_pools > 1;
    for (int i = 0; i < best; i++) {
        check_limits(b, &out, &v[i]);
        for (int t = 0; t < TIER_COUNT; t++) {
            cr_assert(out.price_e4[t] == 0 || (int)out.price_e4[t] == v[i].of[t]);
        }
    }
}

static void make_book(struct random *random, struct small_book *b)
{
    memset(b, 0, sizeof(*b));
    int most = 1 + (int)random_below(random, SIDE_ORDERS);
    int tiers = 1 + (int)random_below(random, TIER_COUNT);
    int slant = (int)random_below(random, 3); /* dearer with the tier */
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < tiers; i++) {
            int t = tiers == TIER_COUNT ? i : (int)random_below(random, TIER_COUNT);
            int orders = (int)random_below(random, (uint64_t)most + 1);
            for (int o = b->count[side][t]; o < orders; o++) {
                int price = 1 + (int)random_below(random, PRICES - 3) + slant * t / 2;
                add(b, side, t, price, 1 + (int)random_below(random, 3));
            }
        }
    }
    for (int t = 0; t < TIER_COUNT; t++) {
        b->reference[t] = (uint32_t)random_below(random, PRICES + 2);
    }
}

Test(auction_clear, prices_and_quantities_are_those_of_brute_force_on_random_books)
{
    const char *given = getenv("KASHI_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    fprintf(stderr, "auction_clear: KASHI_SEED=%" PRIu64 "\n", seed);
    struct random random;
    random_seed(&random, seed);
    static struct prices vectors[VECTORS];
    cr_assert_eq(every_vector(vectors), VECTORS);
    struct tally tally = {0};
    for (int round = 0; round < 3000; round++) {
        struct small_book b;
        make_book(&random, &b);
        check_book(&b, vectors, VECTORS, &tally);
    }
    fprintf(stderr, "auction_clear: %d pooled, %d apart, %d ranged\n", tally.pooled, tally.apart,
            tally.ranged);
    cr_assert_gt(tally.pooled, 200, "the books are too thin to prove anything");
    cr_assert_gt(tally.apart, 200);
    cr_assert_gt(tally.ranged, 200);
}
