/* The index against its worked example and against a slow model: plain quadratic code that follows
 * docs/index-method.md sentence by sentence and shares nothing with pricing/core. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "pricing/core/index.h"

#define START_DAY  20778 /* 2026-11-21 */
#define LANES_MAX  64
#define VALUES_MAX 4096
#define TRADES_MAX 8192

/* --- what the index said ----------------------------------------------------------------------- */

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

struct rig {
    struct index index;
    struct heard heard;
    void *memory;
    uint64_t seq;
};

static struct rig *rig_new(const struct lane_day_parameters *parameters, uint32_t lanes_max,
                           uint32_t observations_max)
{
    struct index_limits limits = {lanes_max, observations_max};
    struct rig *rig = calloc(1, sizeof(*rig));
    rig->memory = aligned_alloc(64, index_memory_size(&limits));
    memset(rig->memory, 0, index_memory_size(&limits));
    index_init(&rig->index, parameters, &limits, rig->memory, hear, &rig->heard);
    return rig;
}

static void rig_free(struct rig *rig)
{
    free(rig->memory);
    free(rig);
}

struct fill {
    int64_t time_ns;
    uint64_t contract;
    int64_t price_e4;
    int64_t qty;
    uint32_t buyer_group;
    uint32_t seller_group;
    bool same_command; /* as the fill before */
};

static int rig_fill(struct rig *rig, const struct fill *fill)
{
    struct event event = {.head = {.type = EVENT_TRADE, .time_ns = fill->time_ns}};
    rig->seq += fill->same_command ? 0 : 1;
    event.head.seq = rig->seq;
    event.trade.contract = fill->contract;
    event.trade.price_e4 = fill->price_e4;
    event.trade.qty = fill->qty;
    event.trade.buyer_group = fill->buyer_group;
    event.trade.seller_group = fill->seller_group;
    return index_event(&rig->index, &event);
}

static void rig_time(struct rig *rig, int64_t time_ns)
{
    struct event event = {.head = {.type = EVENT_TIME, .time_ns = time_ns, .seq = ++rig->seq}};
    cr_assert_eq(index_event(&rig->index, &event), 0);
}

static const struct index_value *rig_last(const struct rig *rig, uint8_t kind)
{
    for (size_t i = rig->heard.count; i-- > 0;) {
        if (rig->heard.values[i].kind == kind) {
            return &rig->heard.values[i];
        }
    }
    return NULL;
}

static int64_t at(uint32_t day, int64_t minute)
{
    return index_day_begin_ns(day) + minute * 60 * NS_PER_SECOND;
}

static uint64_t contract_of(uint16_t class_id, uint8_t tier, uint32_t day, uint32_t hour_of_day)
{
    return contract_pack(class_id, 3, tier, (uint32_t)delivery_day_first_hour(day) + hour_of_day);
}

/* --- the worked example ------------------------------------------------------------------------ */

static struct lane_day_parameters worked_parameters(void)
{
    struct lane_day_parameters parameters = lane_day_parameters_1;
    parameters.partitions = 4;
    return parameters;
}

/* Every line of the table stands for four pairs or more: its quantity is cut into units of one
 * GPU-hour, each between groups of its own. */
static void trade_worked_example(struct rig *rig, uint32_t day, uint32_t units)
{
    static const struct {
        uint32_t partition;
        int64_t price_e4;
        uint32_t qty;
    } lines[] = {
        {0, 161000, 16}, {0, 162000, 8}, {0, 163000, 32}, {1, 162500, 8},
        {1, 164000, 24}, {1, 199000, 8}, {2, 164500, 16}, {2, 165000, 64},
    };
    uint32_t group = 1;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        for (uint32_t k = 0; k < lines[i].qty; k++, group += 2) {
            struct fill fill = {at(day, lines[i].partition * INT64_C(360)),
                                contract_of(0, 0, day, 23),
                                lines[i].price_e4,
                                units,
                                group,
                                group + 1,
                                false};
            cr_assert_eq(rig_fill(rig, &fill), 0);
        }
    }
}

Test(pricing_core, worked_example_gives_t_of_16_4053_from_168_gpu_hours)
{
    struct lane_day_parameters parameters = worked_parameters();
    parameters.v_min_qty = 256;
    struct lane_day_observation observations[256];
    struct lane_day_sort_item items[256];
    struct lane_day_value value;
    struct rig *rig = rig_new(&parameters, LANES_MAX, TRADES_MAX);
    trade_worked_example(rig, START_DAY, 1);

    cr_assert_eq(rig->index.observation_count, 176);
    static const uint32_t ends[] = {56, 96, 176};
    struct {
        int64_t price_e4;
        uint32_t count;
    } lines[] = {{161000, 16}, {162000, 8}, {163000, 32}, {162500, 8},
                 {164000, 24}, {199000, 8}, {164500, 16}, {165000, 64}};
    uint32_t count = 0;
    for (size_t line = 0; line < 8; line++) {
        for (uint32_t k = 0; k < lines[line].count; k++, count++) {
            uint16_t partition = count < ends[0] ? 0 : count < ends[1] ? 1 : 2;
            observations[count] = (struct lane_day_observation){
                lines[line].price_e4, 1, 2 * count + 1, 2 * count + 2, partition, false};
        }
    }
    lane_day_value(&parameters, observations, count, 4, items, &value);
    cr_assert(value.has_price);
    cr_assert_eq(value.price_e4, 164053, "T = %" PRId64, value.price_e4); /* 16.40526... */
    cr_assert_eq(value.volume_qty, 168);
    cr_assert_eq(value.observations, 168);
    cr_assert_eq(value.left_out, 8);
    cr_assert_eq(value.filled, 3);
    cr_assert_not(value.level_1, "168 of 256 GPU-hours are not enough");
    rig_time(rig, at(START_DAY + 1, 40));
    cr_assert_null(rig_last(rig, INDEX_FINAL), "level 5 is not published");
    rig_free(rig);
}

Test(pricing_core, worked_example_at_twice_the_volume_is_level_1)
{
    struct lane_day_parameters parameters = worked_parameters();
    struct rig *rig = rig_new(&parameters, LANES_MAX, TRADES_MAX);
    trade_worked_example(rig, START_DAY, 2);
    rig_time(rig, at(START_DAY + 1, 30));
    const struct index_value *value = rig_last(rig, INDEX_FINAL);
    cr_assert_not_null(value);
    cr_assert_eq(value->level, 1);
    /* w = 64, 64, 64: (16.30 + 16.40 + 16.50) / 3 */
    cr_assert_eq(value->price_e4, 164000);
    cr_assert_eq(value->volume_qty, 336);
    cr_assert_eq(value->left_out, 8);
    cr_assert_eq(value->seq, 176, "made from the tape up to the day's last command");
    cr_assert_eq(value->time_ns, at(START_DAY + 1, 30));
    cr_assert_eq(value->day, START_DAY);
    cr_assert_eq(value->trading_day, START_DAY);
    rig_free(rig);
}

/* --- arithmetic -------------------------------------------------------------------------------- */

Test(pricing_core, division_rounds_half_to_even)
{
    cr_assert_eq(lane_day_divide(5, 2), 2);
    cr_assert_eq(lane_day_divide(7, 2), 4);
    cr_assert_eq(lane_day_divide(0, 9), 0);
    cr_assert_eq(lane_day_divide(14, 10), 1);
    cr_assert_eq(lane_day_divide(16, 10), 2);
    cr_assert_eq(lane_day_divide((int128)INT64_MAX * 7, 7), INT64_MAX);
}

/* `n` pairs of groups trade `qty` each in every partition but those in `skip`. */
static uint32_t fill_day(struct lane_day_observation *observations, uint32_t n, int64_t qty,
                         uint32_t skip)
{
    uint32_t count = 0;
    for (uint16_t k = 0; k < 12; k++) {
        for (uint32_t i = 0; k >= skip && i < n; i++) {
            observations[count++] =
                (struct lane_day_observation){160000 + i, qty, 1 + i, 101 + (i + k) % n, k, false};
        }
    }
    return count;
}

Test(pricing_core, each_need_of_level_1_just_met_and_just_missed)
{
    struct lane_day_parameters parameters = lane_day_parameters_1;
    struct lane_day_observation o[256];
    struct lane_day_sort_item items[256];
    struct lane_day_value value;

    parameters.v_min_qty = 9 * 4 * 8;
    uint32_t count = fill_day(o, 4, 8, 3);
    lane_day_value(&parameters, o, count, 12, items, &value);
    cr_assert(value.level_1, "nine partitions of four pairs, just the volume");
    count = fill_day(o, 4, 8, 4);
    parameters.v_min_qty = 1;
    lane_day_value(&parameters, o, count, 12, items, &value);
    cr_assert_not(value.level_1, "eight partitions");
    count = fill_day(o, 3, 8, 0);
    lane_day_value(&parameters, o, count, 12, items, &value);
    cr_assert_not(value.level_1, "three pairs a partition");
    cr_assert_not(value.has_price);
    parameters.v_min_qty = 9 * 4 * 8 + 1;
    count = fill_day(o, 4, 8, 3);
    lane_day_value(&parameters, o, count, 12, items, &value);
    cr_assert_not(value.level_1, "one GPU-hour short");
    parameters.v_min_qty = 1;
    for (uint32_t wanted = 2; wanted <= 3; wanted++) {
        for (int side = 0; side < 2; side++) {
            count = fill_day(o, 8, 8, 0);
            for (uint32_t i = 0; i < count; i++) {
                uint32_t *few = side == 0 ? &o[i].buyer_group : &o[i].seller_group;
                *few = (side == 0 ? 1 : 101) + *few % wanted;
            }
            lane_day_value(&parameters, o, count, 12, items, &value);
            cr_assert_eq(value.level_1, wanted == 3, "%u of side %d", wanted, side);
        }
    }
}

Test(pricing_core, one_pair_counts_for_a_quarter_of_its_partition_in_both_directions)
{
    struct lane_day_parameters parameters = lane_day_parameters_1;
    struct lane_day_sort_item items[8];
    struct lane_day_value value;
    struct lane_day_observation o[] = {
        {160000, 50, 1, 2, 0, false}, {160000, 41, 2, 1, 0, false}, {160000, 3, 3, 4, 0, false},
        {160000, 3, 5, 6, 0, false},  {160000, 3, 7, 8, 0, false},
    };
    lane_day_value(&parameters, o, 5, 1, items, &value);
    /* raw 100; the pair's 91 may count for 25: 50 x 25/91 = 13.7, 41 x 25/91 = 11.3 */
    cr_assert_eq(o[0].qty, 13);
    cr_assert_eq(o[1].qty, 11);
    cr_assert_eq(o[2].qty, 3);
    cr_assert_eq(value.volume_qty, 33);
}

Test(pricing_core, outliers_need_both_distances)
{
    struct lane_day_parameters parameters = lane_day_parameters_1;
    struct lane_day_sort_item items[8];
    struct lane_day_value value;
    struct lane_day_observation near[] = {{100000, 8, 1, 2, 0, false},
                                          {100000, 8, 3, 4, 0, false},
                                          {100000, 8, 5, 6, 0, false},
                                          {110000, 8, 7, 8, 0, false}};
    lane_day_value(&parameters, near, 4, 1, items, &value);
    cr_assert_eq(value.left_out, 0, "a tenth away is not more than a tenth");
    near[3].price_e4 = 110001;
    lane_day_value(&parameters, near, 4, 1, items, &value);
    cr_assert_eq(value.left_out, 1);
    struct lane_day_observation wide[] = {{100000, 8, 1, 2, 0, false},
                                          {103000, 8, 3, 4, 0, false},
                                          {97000, 8, 5, 6, 0, false},
                                          {103000, 8, 1, 6, 0, false},
                                          {118000, 1, 7, 8, 0, false}};
    lane_day_value(&parameters, wide, 5, 1, items, &value);
    cr_assert_eq(value.left_out, 0, "103000 + 5 x 3000 is not beyond");
    wide[4].price_e4 = 118001;
    lane_day_value(&parameters, wide, 5, 1, items, &value);
    cr_assert_eq(value.left_out, 1);
}

/* --- the course of days ------------------------------------------------------------------------ */

/* Four pairs trade 8 GPU-hours each in every two hours of a day. */
static void trade_day(struct rig *rig, uint32_t day, uint64_t contract, int64_t price_e4)
{
    for (int64_t k = 0; k < 12; k++) {
        for (uint32_t i = 0; i < 4; i++) {
            struct fill fill = {at(day, k * 120 + i), contract, price_e4, 8, 1 + i, 11 + i, false};
            cr_assert_eq(rig_fill(rig, &fill), 0);
        }
    }
}

Test(pricing_core, preliminary_after_5_minutes_final_after_30)
{
    struct rig *rig = rig_new(&lane_day_parameters_1, LANES_MAX, TRADES_MAX);
    trade_day(rig, START_DAY, contract_of(0, 0, START_DAY + 2, 5), 164000);
    rig_time(rig, at(START_DAY + 1, 5) - 1);
    cr_assert_null(rig_last(rig, INDEX_PRELIMINARY));
    rig_time(rig, at(START_DAY + 1, 5));
    cr_assert_not_null(rig_last(rig, INDEX_PRELIMINARY));
    rig_time(rig, at(START_DAY + 1, 30) - 1);
    cr_assert_null(rig_last(rig, INDEX_FINAL));
    rig_time(rig, at(START_DAY + 1, 30));
    cr_assert_eq(rig_last(rig, INDEX_FINAL)->price_e4, 164000);
    rig_free(rig);
}

Test(pricing_core, last_value_stands_in_for_7_days_marked_stale)
{
    struct rig *rig = rig_new(&lane_day_parameters_1, LANES_MAX, TRADES_MAX);
    trade_day(rig, START_DAY, contract_of(0, 0, START_DAY + 20, 5), 164000);
    for (uint32_t age = 1; age <= 8; age++) {
        rig->heard.count = 0;
        rig_time(rig, at(START_DAY + age + 1, 31));
        index_sanity(&rig->index);
        const struct index_value *value = rig_last(rig, INDEX_FINAL);
        if (age == 8) {
            cr_assert_null(value, "too old: not published");
            break;
        }
        cr_assert_not_null(value);
        cr_assert_eq(value->level, INDEX_LEVEL_STALE);
        cr_assert_eq(value->price_e4, 164000);
        cr_assert_eq(value->value_day, START_DAY);
        cr_assert_eq(value->trading_day, START_DAY + age);
        cr_assert_eq(value->volume_qty, 0);
    }
    rig_free(rig);
}

Test(pricing_core, nothing_is_said_of_a_delivery_day_that_has_passed)
{
    struct rig *rig = rig_new(&lane_day_parameters_1, LANES_MAX, TRADES_MAX);
    trade_day(rig, START_DAY, contract_of(0, 0, START_DAY, 23), 164000);
    rig_time(rig, at(START_DAY + 1, 30));
    cr_assert_eq(rig_last(rig, INDEX_FINAL)->level, INDEX_LEVEL_TRADES);
    rig->heard.count = 0;
    rig_time(rig, at(START_DAY + 3, 0));
    cr_assert_eq(rig->heard.count, 0);
    rig_free(rig);
}

Test(pricing_core, tiers_and_delivery_days_are_lanes_of_their_own_hours_are_not)
{
    struct rig *rig = rig_new(&lane_day_parameters_1, LANES_MAX, TRADES_MAX);
    struct fill fill = {at(START_DAY, 1), contract_of(0, 0, START_DAY, 20), 160000, 8, 1, 2, false};
    cr_assert_eq(rig_fill(rig, &fill), 0);
    fill.contract = contract_of(0, 0, START_DAY, 21);
    cr_assert_eq(rig_fill(rig, &fill), 0);
    cr_assert_eq(rig->index.lane_count, 1);
    fill.contract = contract_of(0, 2, START_DAY, 21);
    cr_assert_eq(rig_fill(rig, &fill), 0);
    fill.contract = contract_of(0, 0, START_DAY + 1, 0);
    cr_assert_eq(rig_fill(rig, &fill), 0);
    cr_assert_eq(rig->index.lane_count, 3);
    fill.seller_group = fill.buyer_group;
    fill.contract = contract_of(0, 0, START_DAY + 4, 0);
    cr_assert_eq(rig_fill(rig, &fill), 0);
    cr_assert_eq(rig->index.lane_count, 3, "one group with itself is not an observation");
    index_sanity(&rig->index);
    rig_free(rig);
}

Test(pricing_core, a_commands_fills_between_two_groups_are_one_observation)
{
    struct rig *rig = rig_new(&lane_day_parameters_1, LANES_MAX, TRADES_MAX);
    struct fill fill = {at(START_DAY, 1), contract_of(0, 0, START_DAY, 20), 160000, 8, 1, 2, false};
    cr_assert_eq(rig_fill(rig, &fill), 0);
    fill.same_command = true;
    fill.seller_group = 3;
    cr_assert_eq(rig_fill(rig, &fill), 0);
    fill.seller_group = 2;
    fill.price_e4 = 160100;
    cr_assert_eq(rig_fill(rig, &fill), 0);
    cr_assert_eq(rig->index.observation_count, 2);
    fill.same_command = false;
    cr_assert_eq(rig_fill(rig, &fill), 0);
    cr_assert_eq(rig->index.observation_count, 3);
    rig_free(rig);
}

Test(pricing_core, full_tables_are_errors_and_one_less_is_not)
{
    struct rig *rig = rig_new(&lane_day_parameters_1, 1, 2);
    struct fill fill = {at(START_DAY, 1), contract_of(0, 0, START_DAY, 20), 160000, 8, 1, 2, false};
    cr_assert_eq(rig_fill(rig, &fill), 0);
    cr_assert_eq(rig_fill(rig, &fill), 0);
    cr_assert_eq(rig_fill(rig, &fill), INDEX_OBSERVATIONS_FULL);
    fill.contract = contract_of(1, 0, START_DAY, 20);
    cr_assert_eq(rig_fill(rig, &fill), INDEX_LANES_FULL);
    rig_free(rig);
}

Test(pricing_core, indicative_value_is_taken_back_when_it_no_longer_stands)
{
    struct rig *rig = rig_new(&lane_day_parameters_1, LANES_MAX, TRADES_MAX);
    for (uint32_t i = 0; i < 4; i++) {
        struct fill fill = {
            at(START_DAY, i), contract_of(0, 0, START_DAY, 20), 160000, 8, 1 + i, 11 + i, false};
        cr_assert_eq(rig_fill(rig, &fill), 0);
    }
    index_indicative(&rig->index);
    cr_assert_eq(rig->heard.count, 1);
    cr_assert_eq(rig->heard.values[0].level, INDEX_LEVEL_TRADES);
    cr_assert_eq(rig->heard.values[0].at_mark, 0);
    index_indicative(&rig->index);
    cr_assert_eq(rig->heard.count, 1, "nothing new, nothing said");
    rig_time(rig, at(START_DAY, 4 * 120));
    const struct index_value *value = rig_last(rig, INDEX_INDICATIVE);
    cr_assert_eq(value->level, INDEX_LEVEL_NONE, "one of four partitions is filled");
    cr_assert_eq(value->price_e4, 0);
    cr_assert_eq(value->at_mark, 1);
    rig_time(rig, at(START_DAY, 5 * 120));
    cr_assert_eq(rig_last(rig, INDEX_INDICATIVE), value, "and not said twice");
    rig_free(rig);
}
