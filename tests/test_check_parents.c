/* The checker's second look at SET and JOB orders: right fills pass and are counted, and every way in
 * which a fill can be wrong is seen. */
#include <criterion/criterion.h>
#include <string.h>

#include "client/check/parents.h"

#define HOUR 500000u
#define NONE UINT32_MAX

static struct parents parents;
static uint64_t fill_id;

static void begin(void)
{
    parents_init(&parents);
    fill_id = 100;
}

static void end(void)
{
    parents_free(&parents);
}

static void take(struct event event, uint8_t type, bool last)
{
    event.head.type = type;
    event.head.flags = last ? EVENT_LAST : 0;
    parents_take(&parents, &event);
}

static uint64_t contract(uint16_t class_id, uint32_t hour)
{
    return contract_pack(class_id, 0, TIER_G50, HOUR + hour);
}

/* 2 GPUs for 3 hours somewhere in hours 0 .. 5, at most 10 on average; lanes: class 1, and class 2 at
 * factor 2. */
static void enter_job(uint64_t order_id, uint8_t placement, uint64_t same_group)
{
    struct event event = {.job = {.order_id = order_id,
                                  .price_e4 = 10,
                                  .qty = 2,
                                  .same_group = same_group,
                                  .window_from = HOUR,
                                  .window_to = HOUR + 6,
                                  .hours = 3,
                                  .placement = placement,
                                  .lane_count = 2}};
    take(event, EVENT_JOB, false);
    memset(&event, 0, sizeof event);
    event.job_lanes.order_id = order_id;
    event.job_lanes.lanes[0] =
        (struct job_lane){.class_id = 1, .tier = TIER_G50, .lane = 1, .factor_e4 = 10000};
    event.job_lanes.lanes[1] =
        (struct job_lane){.class_id = 2, .tier = TIER_G50, .lane = 2, .factor_e4 = 20000};
    take(event, EVENT_JOB_LANES, true);
}

/* One hour's fill of a JOB. */
struct piece {
    uint16_t class_id;
    uint32_t hour;
    int64_t qty;
    int64_t price_e4;
    uint32_t resource;
};

static void fill_job(uint64_t order_id, const struct piece *pieces, uint32_t count)
{
    uint64_t group = fill_id;
    for (uint32_t i = 0; i < count; i++) {
        struct event event = {.trade = {.fill_id = fill_id++,
                                        .contract = contract(pieces[i].class_id, pieces[i].hour),
                                        .price_e4 = pieces[i].price_e4,
                                        .qty = pieces[i].qty,
                                        .buy_order_id = order_id,
                                        .trade_group = group,
                                        .resource = pieces[i].resource,
                                        .offer_tier = TIER_G80,
                                        .condition = TRADE_CONTINGENT}};
        take(event, EVENT_TRADE, i + 1 == count);
    }
}

Test(check_parents, a_job_filled_whole_within_its_terms_is_right, .init = begin, .fini = end)
{
    enter_job(1, PLACEMENT_SITE, 0);
    enter_job(2, PLACEMENT_ANY, 0);
    enter_job(3, PLACEMENT_SITE, 0);
    const struct piece first[] = {
        {1, 3, 2, 12, 7}, {1, 4, 1, 9, 7}, {1, 4, 1, 9, 7}, {1, 5, 2, 9, 7}};
    const struct piece second[] = {
        {2, 0, 1, 5, 7}, {2, 0, 1, 5, 8}, {2, 1, 2, 5, 8}, {2, 2, 2, 5, 9}};
    fill_job(1, first, 4);
    fill_job(2, second, 4);
    cr_assert_eq(parents.wrong, 0);
    cr_assert_eq(parents.jobs, 3);
    cr_assert_eq(parents.jobs_filled, 2);
    cr_assert_eq(parents.job_gpu_hours, 12);
}

Test(check_parents, a_job_goes_on_where_its_group_ran, .init = begin, .fini = end)
{
    const struct piece on_7[] = {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}, {1, 2, 2, 9, 7}};
    const struct piece on_8[] = {{1, 3, 2, 9, 8}, {1, 4, 2, 9, 8}, {1, 5, 2, 9, 8}};
    enter_job(1, PLACEMENT_SITE, 0);
    fill_job(1, on_7, 3); /* group 100 */
    enter_job(2, PLACEMENT_SAME, 100);
    fill_job(2, on_7, 3);
    cr_assert_eq(parents.wrong, 0);
    enter_job(3, PLACEMENT_SAME, 100);
    fill_job(3, on_8, 3);
    cr_assert_eq(parents.wrong, 1, "another resource");
    enter_job(4, PLACEMENT_ANY, 0);
    fill_job(4, on_8, 3); /* group 109 */
    enter_job(5, PLACEMENT_SAME, 109);
    fill_job(5, on_8, 3);
    cr_assert_eq(parents.wrong, 2, "a group that was not bound to one resource");
    enter_job(6, PLACEMENT_SAME, 77);
    fill_job(6, on_8, 3);
    cr_assert_eq(parents.wrong, 3, "no such group");
    cr_assert_eq(parents.jobs_filled, 3);
}

Test(check_parents, every_way_to_fill_a_job_wrongly_is_seen, .init = begin, .fini = end)
{
    static const struct {
        const char *why;
        uint32_t count;
        struct piece pieces[4];
    } cases[] = {
        {"short of an hour", 2, {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}}},
        {"an hour too many",
         4,
         {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}, {1, 2, 2, 9, 7}, {1, 3, 2, 9, 7}}},
        {"a gap", 3, {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}, {1, 3, 2, 9, 7}}},
        {"backwards", 3, {{1, 2, 2, 9, 7}, {1, 1, 2, 9, 7}, {1, 0, 2, 9, 7}}},
        {"an hour short of a GPU", 3, {{1, 0, 2, 9, 7}, {1, 1, 1, 9, 7}, {1, 2, 2, 9, 7}}},
        {"the last hour short of a GPU", 3, {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}, {1, 2, 1, 9, 7}}},
        {"a GPU too many", 3, {{1, 0, 2, 9, 7}, {1, 1, 3, 9, 7}, {1, 2, 2, 9, 7}}},
        {"after its window", 3, {{1, 4, 2, 9, 7}, {1, 5, 2, 9, 7}, {1, 6, 2, 9, 7}}},
        {"before its window", 3, {{1, NONE, 2, 9, 7}, {1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}}},
        {"dearer than its limit", 3, {{1, 0, 2, 10, 7}, {1, 1, 2, 10, 7}, {1, 2, 2, 11, 7}}},
        {"dearer with the factor", 3, {{2, 0, 2, 5, 7}, {2, 1, 2, 5, 7}, {2, 2, 2, 6, 7}}},
        {"a lane that it has not", 3, {{3, 0, 2, 9, 7}, {3, 1, 2, 9, 7}, {3, 2, 2, 9, 7}}},
        {"two lanes", 3, {{1, 0, 2, 4, 7}, {2, 1, 2, 4, 7}, {2, 2, 2, 4, 7}}},
        {"two resources", 3, {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 8}, {1, 2, 2, 9, 8}}},
        {"two resources in an hour",
         4,
         {{1, 0, 1, 9, 7}, {1, 0, 1, 9, 8}, {1, 1, 2, 9, 8}, {1, 2, 2, 9, 8}}},
    };
    for (uint64_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t wrong = parents.wrong;
        enter_job(i + 1, PLACEMENT_SITE, 0);
        fill_job(i + 1, cases[i].pieces, cases[i].count);
        cr_assert_gt(parents.wrong, wrong, "%s", cases[i].why);
        cr_assert_eq(parents.jobs_filled, 0, "%s", cases[i].why);
    }
}

Test(check_parents, marks_and_groups_of_fills_are_those_of_a_job, .init = begin, .fini = end)
{
    const struct piece whole[] = {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}, {1, 2, 2, 9, 7}};
    fill_job(9, whole, 3);
    cr_assert_eq(parents.wrong, 1, "no such JOB");
    enter_job(1, PLACEMENT_SITE, 0);
    fill_job(1, whole, 3);
    cr_assert_eq(parents.jobs_filled, 1);
    fill_job(1, whole, 3);
    cr_assert_eq(parents.wrong, 2, "twice");
    struct event plain = {.trade = {.fill_id = 1, .buy_order_id = 1, .qty = 2, .price_e4 = 9}};
    take(plain, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 3, "a JOB's fill without the marks");
    plain.trade.buy_order_id = 77;
    take(plain, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 3, "an ordinary fill");
    plain.trade.trade_group = 1;
    take(plain, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 4, "an ordinary fill with a group");
    enter_job(2, PLACEMENT_SITE, 0);
    fill_id = 500;
    struct event late = {.trade = {.fill_id = 501,
                                   .contract = contract(1, 0),
                                   .price_e4 = 9,
                                   .qty = 2,
                                   .buy_order_id = 2,
                                   .trade_group = 500,
                                   .offer_tier = TIER_G50,
                                   .condition = TRADE_CONTINGENT}};
    take(late, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 5, "a group that is not named by its first fill");
}

Test(check_parents, a_replaced_job_is_judged_by_its_new_terms, .init = begin, .fini = end)
{
    const struct piece three[] = {{1, 0, 3, 12, 7}, {1, 1, 3, 12, 7}, {1, 2, 3, 12, 7}};
    struct event event = {.replaced = {.order_id = 1, .price_e4 = 12, .qty = 3}};
    enter_job(1, PLACEMENT_SITE, 0);
    take(event, EVENT_REPLACED, false);
    fill_job(1, three, 3);
    cr_assert_eq(parents.wrong, 0);
    cr_assert_eq(parents.job_gpu_hours, 9);
}

Test(check_parents, a_job_takes_no_offer_below_its_lanes_tier, .init = begin, .fini = end)
{
    for (uint8_t tier = TIER_G0; tier <= TIER_G50; tier++) {
        enter_job(1 + tier, PLACEMENT_SITE, 0);
        for (uint32_t hour = 0; hour < 3; hour++) {
            struct event event = {.trade = {.fill_id = 100 * (tier + UINT64_C(1)) + hour,
                                            .contract = contract(1, hour),
                                            .price_e4 = 9,
                                            .qty = 2,
                                            .buy_order_id = 1 + tier,
                                            .trade_group = 100 * (tier + UINT64_C(1)),
                                            .offer_tier = tier,
                                            .condition = TRADE_CONTINGENT}};
            take(event, EVENT_TRADE, hour == 2);
        }
        cr_assert_eq(parents.wrong, 1, "tier %u", tier);
        cr_assert_eq(parents.jobs_filled, tier == TIER_G0 ? 0 : 1);
    }
}

Test(check_parents, a_set_is_filled_within_its_quantity_and_limits, .init = begin, .fini = end)
{
    struct event set = {.set = {.order_id = 5, .qty = 4, .leg_count = 2}};
    struct event legs = {
        .set_legs = {.order_id = 5,
                     .legs = {{.contract = contract(1, 0), .price_e4 = 10, .leg = 1},
                              {.contract = contract(2, 3), .price_e4 = 8, .leg = 2}}}};
    struct event trade = {
        .trade = {
            .fill_id = 1, .contract = contract(1, 0), .price_e4 = 10, .qty = 3, .buy_order_id = 5}};
    take(set, EVENT_SET, false);
    take(legs, EVENT_SET_LEGS, false);
    take(trade, EVENT_TRADE, true);
    trade.trade.contract = contract(2, 3);
    trade.trade.price_e4 = 8;
    trade.trade.qty = 1;
    take(trade, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 0);
    cr_assert_eq(parents.sets, 1);
    cr_assert_eq(parents.sets_filled, 1);
    take(trade, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 1, "one GPU more than the SET has");
    struct event replaced = {.replaced = {.order_id = 5, .qty = 10}};
    take(replaced, EVENT_REPLACED, true);
    trade.trade.price_e4 = 9;
    take(trade, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 2, "dearer than its leg");
    trade.trade.contract = contract(2, 4);
    trade.trade.price_e4 = 8;
    take(trade, EVENT_TRADE, true);
    cr_assert_eq(parents.wrong, 3, "in no leg");
}

/* The table of orders grows: each is found again. */
Test(check_parents, thousands_of_jobs_are_kept_apart, .init = begin, .fini = end)
{
    for (uint64_t i = 1; i <= 6000; i++) {
        enter_job(i << 32 | i, PLACEMENT_SITE, 0);
    }
    const struct piece whole[] = {{1, 0, 2, 9, 7}, {1, 1, 2, 9, 7}, {1, 2, 2, 9, 7}};
    for (uint64_t i = 1; i <= 6000; i += 7) {
        fill_job(i << 32 | i, whole, 3);
    }
    cr_assert_eq(parents.wrong, 0);
    cr_assert_eq(parents.jobs_filled, 858);
}
