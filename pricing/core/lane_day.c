#include "pricing/core/lane_day.h"

#include <string.h>

#include "base/check.h"

const struct lane_day_parameters lane_day_parameters_1 = {
    .version = 1,
    .partitions = 12,
    .v_min_qty = 256,
    .pairs_needed = 4,
    .filled_needed_of_4 = 3,
    .buyers_needed = 3,
    .sellers_needed = 3,
    .mad_multiple = 5,
    .band_divisor = 10,
    .stale_days = 7,
};

/* One partition's stretch of the observations, and what was found out about it. */
struct partition {
    uint32_t first;
    uint32_t end;
    uint32_t pairs;
    bool filled;
    int64_t volume_qty;
    int64_t median_e4;
};

int64_t lane_day_divide(int128 numerator, int128 denominator)
{
    CHECK(numerator >= 0 && denominator > 0);
    int128 quotient = numerator / denominator;
    int128 twice_rest = numerator % denominator * 2;
    if (twice_rest > denominator || (twice_rest == denominator && quotient % 2 != 0)) {
        quotient++;
    }
    CHECK(quotient <= INT64_MAX);
    return (int64_t)quotient;
}

static void sift_down(struct lane_day_sort_item *items, uint32_t root, uint32_t count)
{
    struct lane_day_sort_item item = items[root];
    for (uint32_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && items[child + 1].key > items[child].key) {
            child++;
        }
        if (items[child].key <= item.key) {
            break;
        }
        items[root] = items[child];
        root = child;
    }
    items[root] = item;
}

/* Heap sort by key, ascending: in place and never slow, whatever the market sends. */
static void sort(struct lane_day_sort_item *items, uint32_t count)
{
    for (uint32_t root = count / 2; root-- > 0;) {
        sift_down(items, root, count);
    }
    for (uint32_t end = count; end > 1;) {
        end--;
        struct lane_day_sort_item largest = items[0];
        items[0] = items[end];
        items[end] = largest;
        sift_down(items, 0, end);
    }
}

/* The lowest key at which the running weight, keys ascending, reaches half of the total. */
static int64_t weighted_median(struct lane_day_sort_item *items, uint32_t count)
{
    int64_t total = 0;
    int64_t running = 0;
    uint32_t i = 0;

    CHECK(count > 0);
    for (uint32_t k = 0; k < count; k++) {
        total += items[k].weight;
    }
    sort(items, count);
    while (running += items[i].weight, 2 * running < total) {
        i++;
    }
    return items[i].key;
}

static void split(const struct lane_day_parameters *parameters,
                  const struct lane_day_observation *observations, uint32_t count,
                  struct partition *partitions)
{
    uint32_t i = 0;
    for (uint32_t k = 0; k < parameters->partitions; k++) {
        partitions[k] = (struct partition){.first = i};
        while (i < count && observations[i].partition == k) {
            i++;
        }
        partitions[k].end = i;
    }
    CHECK(i == count);
}

/* Both directions between two groups are one pair. */
static int64_t pair_key(const struct lane_day_observation *observation)
{
    uint64_t a = observation->buyer_group;
    uint64_t b = observation->seller_group;
    uint64_t key = a < b ? a << 32 | b : b << 32 | a;
    return (int64_t)(key ^ UINT64_C(1) << 63);
}

/* Scales a pair down to 1/pairs_needed of the partition's raw volume, each quantity rounded down. */
static void cap_pairs(const struct lane_day_parameters *parameters,
                      struct lane_day_observation *observations, struct partition *partition,
                      struct lane_day_sort_item *items)
{
    uint32_t count = partition->end - partition->first;
    int64_t raw_qty = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = partition->first + i;
        items[i] = (struct lane_day_sort_item){pair_key(&observations[at]), at};
        raw_qty += observations[at].qty;
    }
    sort(items, count);
    for (uint32_t i = 0, end; i < count; i = end) {
        int64_t pair_qty = 0;
        for (end = i; end < count && items[end].key == items[i].key; end++) {
            pair_qty += observations[items[end].weight].qty;
        }
        partition->pairs++;
        int128 divisor = (int128)pair_qty * parameters->pairs_needed;
        for (uint32_t k = i; divisor > raw_qty && k < end; k++) {
            int64_t *qty = &observations[items[k].weight].qty;
            *qty = (int64_t)((int128)*qty * raw_qty / divisor);
        }
    }
}

static int64_t distance(int64_t price_e4, int64_t median_e4)
{
    return price_e4 < median_e4 ? median_e4 - price_e4 : price_e4 - median_e4;
}

/* Judges partition k by what was traded in it and in the partitions beside it. */
static void mark_outliers(const struct lane_day_parameters *parameters,
                          struct lane_day_observation *observations,
                          const struct partition *partitions, uint32_t k,
                          struct lane_day_sort_item *items)
{
    uint32_t first = partitions[k > 0 ? k - 1 : k].first;
    uint32_t end = partitions[k + 1 < parameters->partitions ? k + 1 : k].end;
    uint32_t count = 0;

    for (uint32_t i = first; i < end; i++) {
        if (observations[i].qty > 0) {
            items[count++] =
                (struct lane_day_sort_item){observations[i].price_e4, observations[i].qty};
        }
    }
    if (count == 0) {
        return;
    }
    int64_t median_e4 = weighted_median(items, count);
    for (uint32_t i = 0; i < count; i++) {
        items[i].key = distance(items[i].key, median_e4);
    }
    int64_t mad_e4 = weighted_median(items, count);
    for (uint32_t i = partitions[k].first; i < partitions[k].end; i++) {
        int64_t away_e4 = distance(observations[i].price_e4, median_e4);
        observations[i].left_out = observations[i].qty > 0 &&
                                   away_e4 > parameters->mad_multiple * mad_e4 &&
                                   away_e4 * parameters->band_divisor > median_e4;
    }
}

static void value_partition(const struct lane_day_parameters *parameters,
                            const struct lane_day_observation *observations,
                            struct partition *partition, struct lane_day_sort_item *items)
{
    uint32_t count = 0;
    for (uint32_t i = partition->first; i < partition->end; i++) {
        if (observations[i].qty > 0 && !observations[i].left_out) {
            items[count++] =
                (struct lane_day_sort_item){observations[i].price_e4, observations[i].qty};
            partition->volume_qty += observations[i].qty;
        }
    }
    partition->filled = partition->pairs >= parameters->pairs_needed && count > 0;
    if (partition->filled) {
        partition->median_e4 = weighted_median(items, count);
    }
}

/* Ownership groups on one side of what counts. */
static uint32_t count_groups(const struct lane_day_observation *observations, uint32_t count,
                             const struct partition *partitions, bool buyers,
                             struct lane_day_sort_item *items)
{
    uint32_t used = 0;
    uint32_t groups = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct lane_day_observation *o = &observations[i];
        if (o->qty > 0 && !o->left_out && partitions[o->partition].filled) {
            items[used++].key = buyers ? o->buyer_group : o->seller_group;
        }
    }
    sort(items, used);
    for (uint32_t i = 0; i < used; i++) {
        groups += i == 0 || items[i].key != items[i - 1].key;
    }
    return groups;
}

/* T: the weight of a partition is min(V_k, V_min / K), here times K to stay whole. */
static void weigh(const struct lane_day_parameters *parameters, const struct partition *partitions,
                  struct lane_day_value *value)
{
    int128 weighted_sum = 0;
    int128 weight_sum = 0;

    for (uint32_t k = 0; k < parameters->partitions; k++) {
        if (partitions[k].filled) {
            int128 weight = (int128)partitions[k].volume_qty * parameters->partitions;
            if (weight > parameters->v_min_qty) {
                weight = parameters->v_min_qty;
            }
            weighted_sum += weight * partitions[k].median_e4;
            weight_sum += weight;
            value->volume_qty += partitions[k].volume_qty;
            value->filled++;
        }
    }
    if (weight_sum > 0) {
        value->has_price = true;
        value->price_e4 = lane_day_divide(weighted_sum, weight_sum);
    }
}

static bool reaches_level_1(const struct lane_day_parameters *parameters, uint32_t complete,
                            const struct lane_day_value *value)
{
    uint32_t filled_needed = (complete * parameters->filled_needed_of_4 + 3) / 4;
    uint32_t begun = complete > 0 ? complete : 1;
    return value->has_price && value->filled >= filled_needed &&
           (int128)value->volume_qty * parameters->partitions >=
               (int128)parameters->v_min_qty * begun &&
           value->buyers >= parameters->buyers_needed &&
           value->sellers >= parameters->sellers_needed;
}

void lane_day_value(const struct lane_day_parameters *parameters,
                    struct lane_day_observation *observations, uint32_t count, uint32_t complete,
                    struct lane_day_sort_item *items, struct lane_day_value *value)
{
    struct partition partitions[LANE_DAY_PARTITIONS_MAX];

    CHECK(parameters->partitions > 0 && parameters->partitions <= LANE_DAY_PARTITIONS_MAX);
    CHECK(parameters->pairs_needed > 0 && parameters->v_min_qty > 0);
    CHECK(count <= LANE_DAY_OBSERVATIONS_MAX && complete <= parameters->partitions);
    memset(value, 0, sizeof(*value));
    split(parameters, observations, count, partitions);
    for (uint32_t k = 0; k < parameters->partitions; k++) {
        cap_pairs(parameters, observations, &partitions[k], items);
    }
    for (uint32_t k = 0; k < parameters->partitions; k++) {
        mark_outliers(parameters, observations, partitions, k, items);
    }
    for (uint32_t k = 0; k < parameters->partitions; k++) {
        value_partition(parameters, observations, &partitions[k], items);
    }
    weigh(parameters, partitions, value);
    for (uint32_t i = 0; i < count; i++) {
        const struct lane_day_observation *o = &observations[i];
        value->left_out += o->left_out;
        value->observations += o->qty > 0 && !o->left_out && partitions[o->partition].filled;
    }
    value->buyers = count_groups(observations, count, partitions, true, items);
    value->sellers = count_groups(observations, count, partitions, false, items);
    value->level_1 = reaches_level_1(parameters, complete, value);
}
