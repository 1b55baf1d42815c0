/* The index against a slow model: plain quadratic code that follows docs/index-method.md sentence by
 * sentence and shares nothing with pricing/core but its parameters. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "pricing/core/index.h"

#define START_DAY  20778
#define DAYS       12
#define CLASSES    2
#define TIERS      2
#define AHEAD      4
#define TRADES_MAX 8192
#define VALUES_MAX 8192
#define OBS_MAX    2048

struct trade {
    uint64_t seq;
    int64_t time_ns;
    uint16_t class_id;
    uint8_t tier;
    uint32_t delivery_day;
    int64_t price_e4;
    int64_t qty;
    uint32_t buyer;
    uint32_t seller;
};

struct tape {
    struct trade trades[TRADES_MAX];
    size_t count;
    uint32_t partitions;
    int64_t v_min_qty;
    int64_t lots[CLASSES];
};

/* --- the model --------------------------------------------------------------------------------- */

struct seen {
    int128 notional_e4;
    uint64_t seq;
    int64_t price_e4;
    int64_t raw_qty;
    int64_t qty;
    uint32_t buyer;
    uint32_t seller;
    int partition;
    bool out;
};

struct answer {
    int64_t price_e4; /* 0: not level 1 */
    int64_t volume_qty;
    uint32_t observations;
    uint32_t buyers;
    uint32_t sellers;
    uint32_t left_out;
};

static int64_t day_begin(uint32_t day)
{
    return ((int64_t)day * 24 - 8) * 3600 * 1000000000;
}

static int64_t half_even(int128 n, int128 d)
{
    int128 low = n / d;
    int128 below = n - low * d;
    int128 above = (low + 1) * d - n;
    if (below < above) {
        return (int64_t)low;
    }
    return (int64_t)(above < below || low % 2 == 1 ? low + 1 : low);
}

/* The lowest value at which the weight of all that is not above it reaches half. */
static int64_t median(const int64_t *values, const int64_t *weights, size_t n)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        int64_t total = 0;
        int64_t below = 0;
        for (size_t k = 0; k < n; k++) {
            total += weights[k];
            below += values[k] <= values[i] ? weights[k] : 0;
        }
        if (below * 2 >= total && weights[i] > 0 && values[i] < best) {
            best = values[i];
        }
    }
    return best;
}

static bool same_pair(const struct seen *a, const struct seen *b)
{
    return (a->buyer == b->buyer && a->seller == b->seller) ||
           (a->buyer == b->seller && a->seller == b->buyer);
}

/* Observations of a lane-day in the first `complete` partitions of a trading day. */
static size_t collect(const struct tape *tape, const struct trade *lane, uint32_t day,
                      uint32_t complete, struct seen *seen)
{
    int64_t length = (int64_t)86400 * 1000000000 / tape->partitions;
    size_t n = 0;
    for (size_t i = 0; i < tape->count; i++) {
        const struct trade *t = &tape->trades[i];
        int64_t since = t->time_ns - day_begin(day);
        if (t->class_id != lane->class_id || t->tier != lane->tier ||
            t->delivery_day != lane->delivery_day || since < 0 || since >= length * complete ||
            t->buyer == t->seller) {
            continue;
        }
        size_t k = 0;
        while (k < n && (seen[k].seq != t->seq || seen[k].buyer != t->buyer ||
                         seen[k].seller != t->seller)) {
            k++;
        }
        if (k == n) {
            cr_assert_lt(n, (size_t)OBS_MAX);
            seen[n++] = (struct seen){.seq = t->seq,
                                      .buyer = t->buyer,
                                      .seller = t->seller,
                                      .partition = (int)(since / length)};
        }
        seen[k].notional_e4 += (int128)t->price_e4 * t->qty;
        seen[k].raw_qty += t->qty;
    }
    size_t kept = 0;
    for (size_t k = 0; k < n; k++) {
        if (seen[k].raw_qty >= tape->lots[lane->class_id]) {
            seen[kept] = seen[k];
            seen[kept].price_e4 = half_even(seen[k].notional_e4, seen[k].raw_qty);
            kept++;
        }
    }
    return kept;
}

static void cap(struct seen *seen, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t raw = 0;
        int64_t pair = 0;
        for (size_t k = 0; k < n; k++) {
            if (seen[k].partition == seen[i].partition) {
                raw += seen[k].raw_qty;
                pair += same_pair(&seen[k], &seen[i]) ? seen[k].raw_qty : 0;
            }
        }
        seen[i].qty = seen[i].raw_qty;
        if (pair * 4 > raw) {
            seen[i].qty = (int64_t)((int128)seen[i].raw_qty * raw / (pair * 4));
        }
    }
}

static void leave_out(struct seen *seen, size_t n, int partition)
{
    static int64_t values[OBS_MAX];
    static int64_t weights[OBS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (abs(seen[i].partition - partition) <= 1 && seen[i].qty > 0) {
            values[used] = seen[i].price_e4;
            weights[used++] = seen[i].qty;
        }
    }
    if (used == 0) {
        return;
    }
    int64_t m = median(values, weights, used);
    for (size_t i = 0; i < used; i++) {
        values[i] = llabs(values[i] - m);
    }
    int64_t mad = median(values, weights, used);
    for (size_t i = 0; i < n; i++) {
        int64_t away = llabs(seen[i].price_e4 - m);
        if (seen[i].partition == partition && seen[i].qty > 0) {
            seen[i].out = away > 5 * mad && away * 10 > m;
        }
    }
}

static bool is_filled(const struct seen *seen, size_t n, int partition)
{
    size_t pairs = 0;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        bool first = seen[i].partition == partition;
        for (size_t k = 0; first && k < i; k++) {
            first = seen[k].partition != partition || !same_pair(&seen[k], &seen[i]);
        }
        pairs += first;
        any = any || (seen[i].partition == partition && seen[i].qty > 0 && !seen[i].out);
    }
    return pairs >= 4 && any;
}

static struct answer solve(const struct tape *tape, const struct trade *lane, uint32_t day,
                           uint32_t complete)
{
    static struct seen seen[OBS_MAX];
    static int64_t values[OBS_MAX];
    static int64_t weights[OBS_MAX];
    bool counts[OBS_MAX] = {false};
    size_t n = collect(tape, lane, day, complete, seen);
    struct answer answer = {0};
    int128 sum = 0;
    int128 weight_sum = 0;
    uint32_t filled = 0;

    cap(seen, n);
    for (int k = 0; k < (int)tape->partitions; k++) {
        leave_out(seen, n, k);
    }
    for (int k = 0; k < (int)tape->partitions; k++) {
        if (!is_filled(seen, n, k)) {
            continue;
        }
        size_t used = 0;
        int64_t v = 0;
        for (size_t i = 0; i < n; i++) {
            if (seen[i].partition == k && seen[i].qty > 0 && !seen[i].out) {
                counts[i] = true;
                values[used] = seen[i].price_e4;
                weights[used++] = seen[i].qty;
                v += seen[i].qty;
            }
        }
        int64_t w = v * tape->partitions < tape->v_min_qty ? v * tape->partitions : tape->v_min_qty;
        sum += (int128)w * median(values, weights, used);
        weight_sum += w;
        answer.volume_qty += v;
        filled++;
    }
    for (size_t i = 0; i < n; i++) {
        bool new_buyer = counts[i];
        bool new_seller = counts[i];
        for (size_t k = 0; k < i; k++) {
            new_buyer = new_buyer && !(counts[k] && seen[k].buyer == seen[i].buyer);
            new_seller = new_seller && !(counts[k] && seen[k].seller == seen[i].seller);
        }
        answer.observations += counts[i];
        answer.buyers += new_buyer;
        answer.sellers += new_seller;
        answer.left_out += seen[i].out;
    }
    if (weight_sum > 0 && filled * 4 >= complete * 3 &&
        answer.volume_qty * tape->partitions >= tape->v_min_qty * complete && answer.buyers >= 3 &&
        answer.sellers >= 3) {
        answer.price_e4 = half_even(sum, weight_sum);
    }
    return answer;
}

/* --- the comparison ---------------------------------------------------------------------------- */

struct heard {
    struct index_value values[VALUES_MAX];
    size_t count;
};

static void hear(void *context, const struct index_value *value)
{
    struct heard *heard = context;
    cr_assert_lt(heard->count, (size_t)VALUES_MAX);
    heard->values[heard->count++] = *value;
}

static const struct index_value *find(const struct heard *heard, const struct trade *lane,
                                      uint32_t day, uint8_t kind, int64_t time_ns)
{
    const struct index_value *found = NULL;
    for (size_t i = 0; i < heard->count; i++) {
        const struct index_value *v = &heard->values[i];
        if (v->class_id == lane->class_id && v->tier == lane->tier &&
            v->day == lane->delivery_day && v->trading_day == day && v->kind == kind &&
            v->time_ns == time_ns && v->at_mark) {
            cr_assert_null(found, "said twice");
            found = v;
        }
    }
    return found;
}

static void compare(const struct answer *answer, const struct index_value *value,
                    const struct tape *tape, const struct trade *lane, uint32_t day)
{
    int64_t price_e4 = answer->price_e4;
    uint32_t value_day = day;
    uint8_t level = INDEX_LEVEL_TRADES;
    while (price_e4 == 0 && value_day > START_DAY && day - value_day < 7) {
        value_day--;
        level = INDEX_LEVEL_STALE;
        price_e4 = solve(tape, lane, value_day, tape->partitions).price_e4;
    }
    if (price_e4 == 0) {
        cr_assert(value == NULL || value->level == INDEX_LEVEL_NONE);
        return;
    }
    cr_assert_not_null(value);
    cr_assert_eq(value->price_e4, price_e4, "%" PRId64 " and not %" PRId64, value->price_e4,
                 price_e4);
    cr_assert_eq(value->level, level);
    cr_assert_eq(value->value_day, value_day);
    cr_assert_eq(value->volume_qty, answer->volume_qty);
    cr_assert_eq(value->observations, answer->observations);
    cr_assert_eq(value->buyers, answer->buyers);
    cr_assert_eq(value->sellers, answer->sellers);
    cr_assert_eq(value->left_out, answer->left_out);
}

/* Trading of DAYS days with many pairs on some lanes and few on others, wild prices here and there,
 * commands of several fills, and silences of hours and days. */
static void make_tape(struct tape *tape, struct random *random)
{
    int64_t time_ns = day_begin(START_DAY);
    uint64_t seq = 1;
    uint32_t groups = (uint32_t)random_between(random, 4, 14);
    int64_t mean_gap_s = random_between(random, 100, 500);

    tape->count = 0;
    tape->partitions = random_below(random, 2) == 0 ? 4 : 12;
    tape->v_min_qty = random_between(random, 20, 700);
    tape->lots[0] = 1;
    tape->lots[1] = 8;
    while (time_ns < day_begin(START_DAY + DAYS) && tape->count + 4 < TRADES_MAX) {
        bool silence = random_below(random, 400) == 0;
        time_ns += (silence ? random_between(random, 1, 40 * 3600)
                            : random_between(random, 0, 2 * mean_gap_s)) *
                   1000000000;
        struct trade trade = {.seq = ++seq, .time_ns = time_ns};
        trade.class_id = (uint16_t)random_below(random, CLASSES);
        trade.tier = random_below(random, 4) == 0;
        trade.delivery_day = index_day(time_ns) + (uint32_t)random_below(random, AHEAD) % 3;
        trade.buyer = 1 + (uint32_t)random_below(random, groups);
        for (uint64_t n = 1 + random_below(random, 3); n > 0; n--) {
            trade.seller = 1 + (uint32_t)random_below(random, groups);
            trade.qty = tape->lots[trade.class_id] * random_between(random, 1, 9);
            trade.price_e4 = 160000 + random_between(random, -3000, 3000);
            if (random_below(random, 20) == 0) {
                trade.price_e4 = random_between(random, 1, 500000);
            }
            tape->trades[tape->count++] = trade;
        }
    }
}

static void feed(struct index *index, const struct tape *tape)
{
    struct event event = {.head = {.type = EVENT_CLASS, .seq = 1}};
    event.head.time_ns = day_begin(START_DAY);
    for (uint16_t c = 0; c < CLASSES; c++) {
        event.class_.class_id = c;
        event.class_.lot = (uint32_t)tape->lots[c];
        cr_assert_eq(index_event(index, &event), 0);
    }
    for (size_t i = 0; i < tape->count; i++) {
        const struct trade *t = &tape->trades[i];
        struct event trade = {.head = {.type = EVENT_TRADE, .seq = t->seq, .time_ns = t->time_ns}};
        trade.trade.contract =
            contract_pack(t->class_id, 0, t->tier, t->delivery_day * 24 - 8 + (uint32_t)i % 24);
        trade.trade.price_e4 = t->price_e4;
        trade.trade.qty = t->qty;
        trade.trade.buyer_group = t->buyer;
        trade.trade.seller_group = t->seller;
        cr_assert_eq(index_event(index, &trade), 0);
        if (i % 200 == 0) {
            index_indicative(index);
            index_sanity(index);
        }
    }
    event.head.type = EVENT_TIME;
    event.head.seq = tape->trades[tape->count - 1].seq + 1;
    event.head.time_ns = day_begin(START_DAY + DAYS + 20);
    cr_assert_eq(index_event(index, &event), 0);
}

static size_t compare_all(const struct tape *tape, const struct heard *heard)
{
    size_t compared = 0;
    for (uint32_t lane = 0; lane < CLASSES * TIERS * (DAYS + AHEAD); lane++) {
        struct trade key = {.class_id = (uint16_t)(lane % CLASSES),
                            .tier = (uint8_t)(lane / CLASSES % TIERS),
                            .delivery_day = START_DAY + lane / CLASSES / TIERS};
        for (uint32_t day = START_DAY; day <= key.delivery_day && day < START_DAY + DAYS; day++) {
            struct answer whole = solve(tape, &key, day, tape->partitions);
            int64_t end_ns = day_begin(day + 1);
            compare(&whole, find(heard, &key, day, INDEX_PRELIMINARY, end_ns + 300000000000), tape,
                    &key, day);
            compare(&whole, find(heard, &key, day, INDEX_FINAL, end_ns + 1800000000000), tape, &key,
                    day);
            compared += 2;
            uint32_t complete = 1 + day % (tape->partitions - 1);
            struct answer part = solve(tape, &key, day, complete);
            const struct index_value *value =
                find(heard, &key, day, INDEX_INDICATIVE,
                     day_begin(day) + (int64_t)86400 * 1000000000 / tape->partitions * complete);
            if (value != NULL || part.price_e4 > 0) {
                compare(&part, value, tape, &key, day);
                compared++;
            }
        }
    }
    return compared;
}

Test(pricing_model, index_and_slow_model_agree_on_random_tapes)
{
    const char *given = getenv("KASHI_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    struct tape *tape = calloc(1, sizeof(*tape));
    struct heard *heard = calloc(1, sizeof(*heard));
    struct index_limits limits = {256, TRADES_MAX};
    size_t size = index_memory_size(&limits);
    void *memory = aligned_alloc(64, size);
    size_t level_1 = 0;
    size_t stale = 0;
    size_t compared = 0;

    for (int round = 0; round < 8; round++) {
        struct random random;
        random_seed(&random, seed + (uint64_t)round);
        fprintf(stderr, "pricing_model: KASHI_SEED=%" PRIu64 "\n", seed + (uint64_t)round);
        make_tape(tape, &random);
        struct lane_day_parameters parameters = lane_day_parameters_1;
        parameters.partitions = tape->partitions;
        parameters.v_min_qty = tape->v_min_qty;
        struct index index;
        memset(memory, 0, size);
        heard->count = 0;
        index_init(&index, &parameters, &limits, memory, hear, heard);
        feed(&index, tape);
        compared += compare_all(tape, heard);
        for (size_t i = 0; i < heard->count; i++) {
            level_1 += heard->values[i].level == INDEX_LEVEL_TRADES;
            stale += heard->values[i].level == INDEX_LEVEL_STALE;
        }
    }
    cr_assert_gt(level_1, (size_t)20, "the tapes are too thin to prove anything");
    cr_assert_gt(stale, (size_t)20);
    cr_assert_gt(compared, (size_t)1000);
    free(memory);
    free(heard);
    free(tape);
}
