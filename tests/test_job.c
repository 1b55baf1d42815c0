/* JOB orders in the engine alone: fits worked out by hand, ties, ranks, due hours, the end of JOBs. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/random.h"
#include "tests/job_market.h"

#define LANE(region_, factor_)                                                                     \
    {                                                                                              \
        .region_id = (region_), .factor_e4 = (factor_)                                             \
    }

static void offer(uint32_t resource, uint32_t hour, int64_t price_e4, int64_t qty)
{
    struct terms_of_offer terms = {
        .key = resource == BAO_1 || resource == BAO_B ? BAO : AN,
        .resource = resource,
        .hour = hour,
        .price_e4 = price_e4,
        .qty = qty,
        .region = resource == BAO_B ? REGION_B : REGION_A,
    };
    cr_assert_neq(market_offer(terms), 0, "offer refused: %u", market_refusal());
}

static void expect_trade(uint32_t number, uint32_t hour, int64_t price_e4, int64_t qty,
                         uint32_t resource)
{
    const struct event *e = market_event(EVENT_TRADE, number);
    cr_assert_not_null(e, "trade %u is missing", number);
    cr_assert_eq(contract_hour(e->trade.contract), hour);
    cr_assert_eq(e->trade.price_e4, price_e4);
    cr_assert_eq(e->trade.qty, qty);
    cr_assert_eq(e->trade.resource, resource);
    cr_assert_eq(e->trade.contingent, 1);
    cr_assert_eq(e->trade.aggressor, SIDE_BUY);
    cr_assert_eq(e->trade.trade_group, market_event(EVENT_TRADE, 0)->trade.fill_id);
}

static void expect_trades(uint32_t count)
{
    cr_assert_eq(market_count(EVENT_TRADE), count, "%u trades", market_count(EVENT_TRADE));
}

static void expect_miss(int64_t qty, uint8_t lane, uint32_t hour)
{
    const struct event *e = market_event(EVENT_MISS, 0);
    cr_assert_not_null(e);
    cr_assert_eq(e->miss.qty, qty);
    cr_assert_eq(e->miss.leg, lane);
    cr_assert_eq(contract_hour(e->miss.contract), hour);
    expect_trades(0);
}

static struct engine_account account_of(uint32_t account)
{
    struct engine_account a;
    cr_assert(engine_account(market_engine(), account, &a));
    return a;
}

/* One lane, class 0 in region A; rests when it is not filled. */
static struct terms_of_job job_of(uint8_t placement, uint32_t first_hour, uint32_t hours,
                                  int64_t price_e4, int64_t qty)
{
    return (struct terms_of_job){.key = CHEN,
                                 .from = first_hour,
                                 .to = first_hour + hours,
                                 .price_e4 = price_e4,
                                 .qty = qty,
                                 .hours = (uint16_t)hours,
                                 .placement = placement};
}

/* --- fits ----------------------------------------------------------------------------------- */

Test(job, any_takes_the_cheapest_gpus_hour_by_hour_up_to_its_average)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(10), 3);
    offer(BAO_1, HOUR(0), YUAN(9), 2);
    offer(AN_1, HOUR(1), YUAN(11), 4);
    /* 2 x 9 + 2 x 10 + 4 x 11 = 82 over 8 GPU-hours: 10.25 each. */
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 2, YUAN(10.25) - 1, 4);
    terms.tif = TIF_IOC;
    uint64_t id = market_job(terms);
    expect_miss(0, 0, 0);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.reason, REASON_JOB_NOT_FILLED);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.qty, 8);
    cr_assert_not(market_live(id));
    cr_assert_eq(account_of(CHEN).reserved_e4, 0);
    terms.price_e4++;
    int64_t cash = account_of(CHEN).cash_e4;
    id = market_job(terms);
    cr_assert_eq(market_event(EVENT_JOB, 0)->job.reserved_e4, YUAN(82));
    expect_trades(3);
    expect_trade(0, HOUR(0), YUAN(9), 2, BAO_1);
    expect_trade(1, HOUR(0), YUAN(10), 2, AN_1);
    expect_trade(2, HOUR(1), YUAN(11), 4, AN_1);
    cr_assert_eq(market_event(EVENT_FILL, 0)->fill.leaves_qty, 6);
    cr_assert_eq(market_event(EVENT_FILL, 4)->fill.leaves_qty, 0);
    cr_assert_eq(market_event(EVENT_FILL, 4)->fill.cum_qty, 8);
    cr_assert_not(market_live(id));
    cr_assert_eq(account_of(CHEN).cash_e4, cash - YUAN(82));
    cr_assert_eq(account_of(CHEN).reserved_e4, 0);
    cr_assert_eq(account_of(CHEN).open_orders, 0);
}

Test(job, fee_is_of_the_taker_with_one_remainder_and_within_the_reserve)
{
    market_open(NULL);
    struct command *c = market_command(COMMAND_REGISTER_FEES, OPERATOR);
    c->register_fees.maker_bp = 50;
    c->register_fees.taker_bp = 33;
    market_step();
    c = market_command(COMMAND_SET_LIMITS, OPERATOR);
    c->set_limits.account = CHEN;
    c->set_limits.fees = market_event(EVENT_FEES, 0)->fees.fees;
    c->set_limits.fields = LIMITS_FEES;
    market_step();
    for (uint32_t i = 0; i < 3; i++) {
        offer(AN_1, HOUR(i), 70001, 1);
    }
    market_job(job_of(PLACEMENT_SITE, HOUR(0), 3, 80000, 1));
    /* 240,000 at the larger rate of 50; 210,003 x 33 / 10,000 = 693.0099 */
    cr_assert_eq(market_event(EVENT_JOB, 0)->job.reserved_e4, 240000 + 1200);
    int64_t fees = 0;
    for (uint32_t i = 0; i < 3; i++) {
        fees += market_event(EVENT_TRADE, i)->trade.buy_fee_e4;
    }
    cr_assert_eq(fees, 693);
    cr_assert_eq(account_of(CHEN).escrow_e4, 210003 + 693);
    cr_assert_eq(account_of(CHEN).reserved_e4, 0);
}

Test(job, site_needs_one_resource_in_every_hour)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(8), 4);
    offer(AN_1, HOUR(1), YUAN(8), 3); /* one short */
    offer(BAO_1, HOUR(0), YUAN(9), 4);
    struct terms_of_job terms = job_of(PLACEMENT_SITE, HOUR(0), 2, YUAN(12), 4);
    uint64_t id = market_job(terms);
    expect_miss(3, 1, HOUR(0));
    offer(BAO_1, HOUR(1), YUAN(9), 2);
    expect_trades(0);
    offer(BAO_1, HOUR(1), YUAN(11), 2);
    expect_trades(3);
    expect_trade(0, HOUR(0), YUAN(9), 4, BAO_1);
    expect_trade(1, HOUR(1), YUAN(9), 2, BAO_1);
    expect_trade(2, HOUR(1), YUAN(11), 2, BAO_1);
    cr_assert_not(market_live(id));
}

Test(job, same_goes_on_in_the_resource_of_its_trade_group_at_any_price_within_its_limit)
{
    market_open(NULL);
    offer(BAO_1, HOUR(0), YUAN(9), 4);
    offer(AN_1, HOUR(1), YUAN(8), 4);
    offer(BAO_1, HOUR(1), YUAN(11), 4);
    market_job(job_of(PLACEMENT_SITE, HOUR(0), 1, YUAN(12), 4));
    uint64_t group = market_event(EVENT_TRADE, 0)->trade.trade_group;
    struct terms_of_job terms = job_of(PLACEMENT_SAME, HOUR(1), 1, YUAN(12), 4);
    terms.same_group = group;
    terms.key = DING;
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_UNKNOWN_TRADE_GROUP, "another group's");
    terms.key = CHEN;
    market_job(terms);
    expect_trades(1);
    expect_trade(0, HOUR(1), YUAN(11), 4, BAO_1);
    terms.same_group = market_event(EVENT_TRADE, 0)->trade.trade_group;
    offer(BAO_1, HOUR(2), YUAN(9), 4);
    terms.from = HOUR(2);
    terms.to = HOUR(3);
    market_job(terms);
    expect_trades(1);
}

Test(job, trade_group_of_a_job_in_any_resources_names_none)
{
    market_open(NULL);
    offer(BAO_1, HOUR(0), YUAN(9), 4);
    market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4));
    struct terms_of_job terms = job_of(PLACEMENT_SAME, HOUR(1), 1, YUAN(12), 4);
    terms.same_group = market_event(EVENT_TRADE, 0)->trade.trade_group;
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_UNKNOWN_TRADE_GROUP);
}

Test(job, factor_decides_between_lanes)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(10), 4);
    offer(BAO_B, HOUR(0), YUAN(12), 4);
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4);
    terms.lane_count = 2;
    terms.lanes[0] = (struct job_lane)LANE(REGION_A, 10000);
    terms.lanes[1] = (struct job_lane)LANE(REGION_B, 8000); /* 12 x 0.8 = 9.6 */
    market_job(terms);
    expect_trades(1);
    expect_trade(0, HOUR(0), YUAN(12), 4, BAO_B);
    cr_assert_eq(contract_region(market_event(EVENT_TRADE, 0)->trade.contract), REGION_B);
}

Test(job, sums_beyond_64_bits_are_exact)
{
    /* 21,474,836 x 1,000,000 x 100,000 GPUs x 20 hours = 4.3 x 10^19 */
    market_open(NULL);
    struct command *c = market_command(COMMAND_SET_MARKET, OPERATOR);
    c->set_market = (struct command_set_market){.launch_price_e4 = {21000000},
                                                .inner_band_bp = 5000,
                                                .outer_band_bp = 9000,
                                                .mode = MODE_CONTINUOUS};
    market_step();
    for (uint32_t i = 0; i < 20; i++) {
        offer(AN_1, HOUR(i), 21474836, MARKET_GPUS);
    }
    struct terms_of_job terms = job_of(PLACEMENT_SITE, HOUR(0), 20, 2147483599, MARKET_GPUS);
    terms.lane_count = 1;
    terms.lanes[0] = (struct job_lane)LANE(REGION_A, JOB_FACTOR_MAX_E4);
    terms.tif = TIF_FOK;
    market_job(terms);
    expect_trades(0);
    terms.price_e4 = 2147483600;
    market_job(terms);
    expect_trades(20);
}

Test(job, offers_of_higher_tiers_serve_a_lane_after_nearer_ones_at_their_price)
{
    market_open(NULL);
    struct terms_of_offer terms = {
        .key = AN, .resource = AN_1, .hour = HOUR(0), .price_e4 = YUAN(10), .qty = 2};
    terms.tier = TIER_G100;
    market_offer(terms);
    terms.tier = TIER_G50;
    terms.resource = AN_2;
    market_offer(terms);
    terms.tier = TIER_G0;
    terms.price_e4 = YUAN(6);
    market_offer(terms);
    struct terms_of_job job = job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 3);
    job.lane_count = 1;
    job.lanes[0] = (struct job_lane){.tier = TIER_G50, .factor_e4 = 10000};
    market_job(job);
    expect_trades(2);
    expect_trade(0, HOUR(0), YUAN(10), 2, AN_2);
    expect_trade(1, HOUR(0), YUAN(10), 1, AN_1);
    cr_assert_eq(contract_tier(market_event(EVENT_TRADE, 1)->trade.contract), TIER_G50);
    cr_assert_eq(market_event(EVENT_TRADE, 1)->trade.offer_tier, TIER_G100);
}

/* --- ties --------------------------------------------------------------------------------------- */

Test(job, equal_cost_goes_to_the_earliest_start)
{
    market_open(NULL);
    for (uint32_t i = 0; i < 4; i++) {
        offer(AN_1, HOUR(3 - i), YUAN(10), 4);
    }
    struct terms_of_job terms = job_of(PLACEMENT_SITE, HOUR(0), 4, YUAN(12), 4);
    terms.hours = 2;
    market_job(terms);
    expect_trade(0, HOUR(0), YUAN(10), 4, AN_1);
    expect_trade(1, HOUR(1), YUAN(10), 4, AN_1);
}

Test(job, equal_cost_and_start_goes_to_the_first_lane_but_an_earlier_start_goes_first)
{
    market_open(NULL);
    for (uint32_t i = 0; i < 2; i++) {
        offer(AN_1, HOUR(i), YUAN(10), 8);
        offer(BAO_B, HOUR(i), YUAN(10), 8);
    }
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 2, YUAN(12), 8);
    terms.hours = 1;
    terms.lane_count = 2;
    terms.lanes[0] = (struct job_lane)LANE(REGION_B, 10000);
    terms.lanes[1] = (struct job_lane)LANE(REGION_A, 10000);
    market_job(terms);
    expect_trade(0, HOUR(0), YUAN(10), 8, BAO_B);
    market_job(terms);
    expect_trade(0, HOUR(0), YUAN(10), 8, AN_1);
    market_job(terms);
    expect_trade(0, HOUR(1), YUAN(10), 8, BAO_B);
}

Test(job, equal_cost_start_and_lane_goes_to_the_resource_first_in_taking_order)
{
    market_open(NULL);
    offer(BAO_1, HOUR(0), YUAN(9), 4);
    offer(AN_1, HOUR(0), YUAN(8), 4); /* 8 + 10 = 9 + 9, and 8 comes first */
    offer(BAO_1, HOUR(1), YUAN(9), 4);
    offer(AN_1, HOUR(1), YUAN(10), 4);
    market_job(job_of(PLACEMENT_SITE, HOUR(0), 2, YUAN(12), 4));
    expect_trade(0, HOUR(0), YUAN(8), 4, AN_1);
    offer(AN_2, HOUR(5), YUAN(9), 4);
    offer(BAO_1, HOUR(5), YUAN(9), 4);
    market_job(job_of(PLACEMENT_SITE, HOUR(5), 1, YUAN(12), 4));
    expect_trade(0, HOUR(5), YUAN(9), 4, AN_2);
}

/* --- what may be taken ------------------------------------------------------------------------------ */

Test(job, takes_of_an_iceberg_what_it_shows_and_then_its_reserve)
{
    market_open(NULL);
    struct terms_of_offer terms = {.key = AN,
                                   .resource = AN_1,
                                   .hour = HOUR(0),
                                   .price_e4 = YUAN(9),
                                   .qty = 10,
                                   .display_qty = 4};
    uint64_t id = market_offer(terms);
    struct terms_of_job job = job_of(PLACEMENT_SITE, HOUR(0), 1, YUAN(8), 7);
    job.tif = TIF_IOC;
    market_job(job);
    expect_miss(0, 0, 0);
    job.qty = 11;
    job.price_e4 = YUAN(9);
    market_job(job);
    expect_miss(4, 1, HOUR(0));
    job.qty = 7;
    market_job(job);
    expect_trades(1);
    expect_trade(0, HOUR(0), YUAN(9), 7, AN_1);
    cr_assert_eq(market_count(EVENT_REFRESHED), 1);
    cr_assert_eq(market_event(EVENT_REFRESHED, 0)->out.qty, 3);
    cr_assert_eq(market_leaves(id), 3);
}

Test(job, takes_reserved_offers_after_those_in_the_book_at_their_price)
{
    market_open(NULL);
    struct terms_of_offer terms = {.key = AN,
                                   .resource = AN_1,
                                   .hour = HOUR(30),
                                   .price_e4 = YUAN(9),
                                   .qty = 4,
                                   .job_lead_hours = 2};
    market_offer(terms);
    market_bid(DING, HOUR(30), YUAN(9), 1);
    expect_trades(0); /* it passes what is reserved */
    offer(BAO_1, HOUR(30), YUAN(9.5), 2);
    struct terms_of_job job = job_of(PLACEMENT_ANY, HOUR(30), 1, YUAN(10), 5);
    market_job(job);
    expect_trades(2);
    expect_trade(0, HOUR(30), YUAN(9), 4, AN_1);
    expect_trade(1, HOUR(30), YUAN(9.5), 1, BAO_1);
    terms.hour = HOUR(31);
    market_offer(terms);
    offer(BAO_1, HOUR(31), YUAN(9), 1);
    job = job_of(PLACEMENT_ANY, HOUR(31), 1, YUAN(10), 2);
    market_job(job);
    expect_trade(0, HOUR(31), YUAN(9), 1, BAO_1);
    expect_trade(1, HOUR(31), YUAN(9), 1, AN_1);
}

Test(job, passes_offers_of_its_own_group)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(8), 4);
    offer(BAO_1, HOUR(0), YUAN(9), 4);
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4);
    terms.key = AN;
    market_job(terms);
    expect_trades(1);
    expect_trade(0, HOUR(0), YUAN(9), 4, BAO_1);
}

Test(job, passes_offers_outside_the_inner_band)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(5) - 1, 4); /* band: 5 .. 15 */
    offer(BAO_1, HOUR(0), YUAN(15) + 1, 4);
    uint64_t id = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(20), 4));
    expect_miss(0, 0, 0);
    offer(AN_2, HOUR(0), YUAN(15), 4);
    expect_trades(1);
    expect_trade(0, HOUR(0), YUAN(15), 4, AN_2);
    cr_assert_not(market_live(id));
}

Test(job, reference_set_anew_and_resumed_trading_bring_resting_jobs_back)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(16), 4);
    offer(AN_1, HOUR(1), YUAN(16), 4);
    uint64_t first = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(20), 4));
    uint64_t second = market_job(job_of(PLACEMENT_ANY, HOUR(1), 1, YUAN(20), 4));
    struct command *c = market_command(COMMAND_HALT, OPERATOR);
    market_step();
    c = market_command(COMMAND_SET_REFERENCE, OPERATOR);
    c->set_reference.price_e4 = YUAN(16);
    market_step();
    expect_trades(0);
    cr_assert(market_live(first) && market_live(second));
    market_command(COMMAND_RESUME, OPERATOR);
    market_step();
    expect_trades(2);
    cr_assert_not(market_live(first) || market_live(second));
}

/* --- ranks ------------------------------------------------------------------------------------ */

Test(job, highest_limit_is_filled_first_then_the_oldest)
{
    market_open(NULL);
    uint64_t a = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(14), 8));
    uint64_t b = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(15), 8));
    uint64_t c = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(14), 8));
    offer(AN_1, HOUR(0), YUAN(13), 8);
    cr_assert(market_live(a) && !market_live(b) && market_live(c));
    offer(AN_1, HOUR(0), YUAN(13), 8);
    cr_assert(!market_live(a) && market_live(c));
}

Test(job, plain_bid_that_can_have_the_offer_comes_before_every_job)
{
    market_open(NULL);
    uint64_t id = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(15), 8));
    uint64_t bid = market_bid(DING, HOUR(0), YUAN(13), 8);
    offer(AN_1, HOUR(0), YUAN(13), 8);
    cr_assert(market_live(id) && !market_live(bid));
    cr_assert_eq(market_event(EVENT_TRADE, 0)->trade.contingent, 0);
}

Test(job, fewer_gpus_at_the_same_limit_keep_their_time_and_all_else_loses_it)
{
    market_open(NULL);
    uint64_t ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        ids[i] = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(14), 9));
    }
    market_replace(CHEN, ids[0], YUAN(14), 10);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.kept_priority, 0);
    market_replace(CHEN, ids[1], YUAN(14), 8);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.kept_priority, 1);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.leaves_qty, 8);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.old_leaves_qty, 9);
    offer(AN_1, HOUR(0), YUAN(13), 27);
    expect_trades(3);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(market_event(EVENT_TRADE, i)->trade.buy_order_id, ids[(i + 1) % 3]);
    }
}

Test(job, replace_that_makes_it_fit_fills_it)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(13), 8);
    uint64_t id = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 9));
    market_replace(CHEN, id, YUAN(13), 9);
    expect_miss(8, 1, HOUR(0));
    market_replace(CHEN, id, YUAN(13), 8);
    expect_trades(1);
    cr_assert_not(market_live(id));
    market_replace(CHEN, id, YUAN(13), 7);
    cr_assert_eq(market_refusal(), REASON_UNKNOWN_ORDER);
}

/* --- due hours ----------------------------------------------------------------------------------- */

/* JOBs that come first and cannot have the offer that comes, then one that can. Looking at one and
 * trying it costs 1 + 1 hour + 1 offer. */
enum { AHEAD = 1000, UNITS_EACH = 3, UNITS_A_STEP = 1024 };
static uint64_t ahead[AHEAD];
static uint64_t last_in_rank;

static void crowd(void)
{
    market_open(NULL);
    market_walks = false;
    for (uint32_t i = 0; i < AHEAD; i++) {
        struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(15), 50);
        terms.key = DING;
        ahead[i] = market_job(terms);
    }
    last_in_rank = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 1));
    market_walks = true;
    offer(AN_1, HOUR(0), YUAN(10), 8);
    expect_trades(0);
    cr_assert(engine_has_work(market_engine()));
}

Test(job, work_at_a_due_hour_goes_on_with_later_commands)
{
    crowd();
    market_tick(1);
    cr_assert(market_live(last_in_rank));
    market_tick(1);
    cr_assert_not(market_live(last_in_rank));
    /* The trade has changed the reference: the hour is due once more. */
    for (int i = 0; i < 3; i++) {
        cr_assert(engine_has_work(market_engine()));
        market_tick(1);
    }
    cr_assert_not(engine_has_work(market_engine()));
}

Test(job, jobs_that_end_under_the_cursor_are_left_out)
{
    crowd();
    uint32_t next = (UNITS_A_STEP + UNITS_EACH - 1) / UNITS_EACH;
    market_walks = false;
    for (uint32_t i = next; i < AHEAD; i++) {
        /* Each cancel is a step, which works on: end the JOBs behind those that it looks at first. */
        market_cancel(DING, ahead[AHEAD - 1 - (i - next)]);
        if (!market_live(last_in_rank)) {
            break;
        }
    }
    engine_sanity(market_engine());
    cr_assert_not(market_live(last_in_rank));
}

Test(job, cancel_of_the_very_next_job_moves_the_cursor_on)
{
    crowd();
    uint32_t next = (UNITS_A_STEP + UNITS_EACH - 1) / UNITS_EACH;
    struct command *c = market_command(COMMAND_MASS_CANCEL, DING);
    c->mass_cancel.filter = MASS_CANCEL_OWN_KEY;
    market_step(); /* 256 of them, then the hour goes on */
    cr_assert(!market_live(ahead[0]) && market_live(ahead[next]));
    market_tick(1);
    cr_assert_not(market_live(last_in_rank));
}

Test(job, hour_whose_gate_closes_is_due_no_more)
{
    crowd();
    market_tick(2 * 3600);
    cr_assert_not(market_live(ahead[0]));
    for (int i = 0; i < 10; i++) {
        market_tick(1);
    }
    cr_assert_not(engine_has_work(market_engine()));
    cr_assert_eq(account_of(DING).reserved_e4, 0);
    cr_assert_eq(account_of(DING).open_orders, 0);
}

/* --- the end ---------------------------------------------------------------------------------- */

Test(job, ends_at_its_expire_time_or_at_the_gate_of_its_last_start)
{
    market_open(NULL);
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 3, YUAN(12), 4);
    terms.hours = 2; /* last start HOUR(1): 2026-11-20T03Z, gate 02:50 */
    uint64_t gate = market_job(terms);
    terms.tif = TIF_TIME;
    terms.expire_time_ns = market_now_ns + 3600 * NS_PER_SECOND;
    uint64_t timed = market_job(terms);
    market_tick(3599);
    cr_assert(market_live(timed));
    market_tick(1);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.order_id, timed);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.reason, REASON_EXPIRED);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.qty, 8);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.contract, 0);
    market_tick(2 * 3600 - 600 - 1);
    cr_assert(market_live(gate));
    market_tick(1);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.order_id, gate);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.reason, REASON_GATE_CLOSED);
    cr_assert_eq(account_of(CHEN).reserved_e4, 0);
}

Test(job, mass_cancel_takes_it_only_when_it_covers_every_hour_and_lane)
{
    market_open(NULL);
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(2), 3, YUAN(12), 4);
    terms.lane_count = 2;
    terms.lanes[0] = (struct job_lane)LANE(REGION_A, 10000);
    terms.lanes[1] = (struct job_lane)LANE(REGION_B, 10000);
    uint64_t id = market_job(terms);
    struct command_mass_cancel scopes[] = {
        {.filter = MASS_CANCEL_REGION, .region_id = REGION_A},
        {.filter = MASS_CANCEL_HOURS, .hour_from = HOUR(2), .hour_to = HOUR(4)},
        {.filter = MASS_CANCEL_HOURS, .hour_from = HOUR(3), .hour_to = HOUR(9)},
        {.filter = MASS_CANCEL_CLASS, .class_id = 1},
        {.filter = MASS_CANCEL_HOURS | MASS_CANCEL_CLASS, .hour_from = HOUR(2), .hour_to = HOUR(5)},
    };
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        cr_assert(market_live(id), "scope %zu", i);
        market_command(COMMAND_MASS_CANCEL, CHEN)->mass_cancel = scopes[i];
        market_step();
    }
    cr_assert_not(market_live(id));
}

Test(job, entries_of_lanes_cannot_be_named)
{
    market_open(NULL);
    uint64_t id = market_job(job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4));
    for (uint32_t slot = 1; slot < 4; slot++) {
        uint64_t other = (id & ~UINT64_C(0xffffffff)) | slot;
        if (other != id) {
            market_cancel(CHEN, other);
            cr_assert_eq(market_refusal(), REASON_UNKNOWN_ORDER);
        }
    }
    market_cancel(CHEN, id);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.reason, REASON_REQUESTED);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.resting, 0);
}

/* --- bounds ----------------------------------------------------------------------------------- */

Test(job, too_large_begins_above_four_times_ten_to_the_18)
{
    market_open(NULL);
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 2, 2000000000, QTY_MAX);
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_INSUFFICIENT_FUNDS);
    terms.price_e4++;
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_JOB_TOO_LARGE);
}

/* Four lanes of one market: every hour and every offer counts four times. */
Test(job, too_wide_begins_above_the_hours_and_offers_of_one_search)
{
    market_open(NULL);
    market_walks = false;
    uint32_t hours = 600;
    struct terms_of_job terms = job_of(PLACEMENT_SITE, HOUR(0), hours, YUAN(12), 4);
    terms.hours = 8;
    terms.lane_count = 4;
    terms.tif = TIF_IOC;
    for (uint8_t tier = 0; tier < 4; tier++) {
        terms.lanes[tier] = (struct job_lane){.tier = tier, .factor_e4 = 10000};
    }
    for (uint32_t i = 0; i < 262144 / 4 - hours; i++) {
        offer(i % 3 == 0   ? AN_1
              : i % 3 == 1 ? AN_2
                           : BAO_1,
              HOUR(i % hours), YUAN(10) + i / hours, 1);
    }
    market_job(terms);
    cr_assert_eq(market_refusal(), 0);
    expect_trades(32);
    for (uint32_t i = 0; i < 32; i++) {
        offer(AN_2, HOUR(i % hours), YUAN(14), 1);
    }
    market_job(terms);
    cr_assert_eq(market_refusal(), 0);
    offer(AN_1, HOUR(0), YUAN(14), 100);
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_JOB_TOO_WIDE);
    cr_assert_eq(market_event(EVENT_REJECTED, 0)->rejected.bound, 262144);
}

/* --- dry runs ------------------------------------------------------------------------------------- */

Test(job, dry_run_tells_what_entering_then_does)
{
    market_open(NULL);
    offer(AN_1, HOUR(0), YUAN(9), 3);
    offer(BAO_1, HOUR(0), YUAN(11), 4);
    struct terms_of_job terms = job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4);
    struct engine_quote quote;
    uint64_t hash = engine_state_hash(market_engine());
    engine_quote_job(market_engine(), market_job_command(terms), &quote);
    cr_assert_eq(quote.reason, 0);
    cr_assert_eq(quote.fill_qty, 4);
    cr_assert_eq(quote.notional_e4, YUAN(38));
    cr_assert_eq(quote.price_e4, YUAN(9.5));
    cr_assert_eq(quote.reserved_e4, YUAN(48));
    cr_assert_eq(quote.leg, 1);
    cr_assert_eq(contract_hour(quote.contract), HOUR(0));
    terms.price_e4 = quote.price_e4 - 1;
    engine_quote_job(market_engine(), market_job_command(terms), &quote);
    cr_assert_eq(quote.fill_qty, 0);
    cr_assert_eq(quote.miss_qty, 3);
    cr_assert_eq(quote.miss_wanted_qty, 4);
    terms.hours = 0;
    engine_quote_job(market_engine(), market_job_command(terms), &quote);
    cr_assert_eq(quote.reason, REASON_HOURS_OUT_OF_RANGE);
    cr_assert_eq(engine_state_hash(market_engine()), hash);
    terms.hours = 1;
    terms.price_e4 = YUAN(9.5);
    market_job(terms);
    expect_trades(2);
}

/* --- no trade-through ----------------------------------------------------------------------------- */

/* An offer in a book that a JOB takes is above every bid that could have had it. (A reserved one is not
 * for bids.) */
static void check_fills(const bool *reserved_hours)
{
    int64_t filled = 0;
    for (uint32_t i = 0; i < market_event_count; i++) {
        const struct event_trade *t = &market_events[i].trade;
        if (market_events[i].head.type != EVENT_TRADE || !t->contingent) {
            continue;
        }
        filled += t->qty;
        uint32_t hour = contract_hour(t->contract) - HOUR(0);
        uint64_t offered = contract_with_tier(t->contract, t->offer_tier);
        int64_t bid_e4;
        bool any = engine_best_bid(market_engine(), offered, &bid_e4);
        cr_assert(reserved_hours[hour] || !any || bid_e4 < t->price_e4);
    }
    for (uint32_t i = 0; i < market_event_count; i++) {
        const struct event_fill *f = &market_events[i].fill;
        if (market_events[i].head.type == EVENT_FILL && f->contingent && f->side == SIDE_BUY) {
            filled -= f->leaves_qty == 0 ? f->cum_qty : 0;
        }
    }
    cr_assert_eq(filled, 0, "a JOB was filled in part");
}

static void random_offer(struct random *dice, uint32_t hour, bool reserve)
{
    uint32_t resource = (uint32_t)random_between(dice, AN_1, BAO_1);
    market_offer((struct terms_of_offer){
        .key = resource == BAO_1 ? BAO : AN,
        .resource = resource,
        .hour = HOUR(hour),
        .price_e4 = YUAN(8) + random_between(dice, 0, 40) * 1000,
        .qty = random_between(dice, 1, 8),
        .tier = (uint8_t)random_below(dice, 4),
        .job_lead_hours = reserve ? 1 : 0,
    });
}

static void random_command(struct random *dice, uint32_t hours, bool *reserved_hours)
{
    uint32_t hour = (uint32_t)random_below(dice, hours);
    uint64_t kind = random_below(dice, 10);
    if (kind < 5) {
        bool reserve = hour % 3 == 2; /* the others have offers in books only */
        reserved_hours[hour] = reserve;
        random_offer(dice, hour, reserve);
    } else if (kind < 8) {
        market_bid(CHEN, HOUR(hour), YUAN(8) + random_between(dice, 0, 30) * 1000,
                   random_between(dice, 1, 8));
    } else {
        struct terms_of_job terms =
            job_of((uint8_t)random_below(dice, 2), HOUR(hour), 3,
                   YUAN(9) + random_between(dice, 0, 30) * 1000, random_between(dice, 1, 6));
        terms.key = DING;
        terms.hours = (uint16_t)random_between(dice, 1, 2);
        market_job(terms);
    }
}

Test(job, never_takes_an_offer_past_a_bid_that_could_have_had_it)
{
    const uint64_t seed = 20261126;
    enum { HOURS = 9, COMMANDS = 6000 };
    bool reserved_hours[HOURS + 3] = {false};
    struct random dice;
    random_seed(&dice, seed);
    market_open(NULL);
    uint64_t fills = 0;
    for (uint32_t i = 0; i < COMMANDS; i++) {
        market_walks = i % 50 == 0;
        random_command(&dice, HOURS, reserved_hours);
        fills += market_event(EVENT_TRADE, 0) != NULL &&
                 market_event(EVENT_TRADE, market_count(EVENT_TRADE) - 1)->trade.contingent;
        check_fills(reserved_hours);
    }
    cr_assert_gt(fills, 200, "seed %lu: %lu JOBs filled", seed, fills);
}
