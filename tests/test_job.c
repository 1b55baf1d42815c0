/* JOB orders in the engine alone: fits worked out by hand, ties, what may be taken, bounds, dry runs. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <time.h>

#include "tests/job_market.h"

static void expect_trade(uint32_t number, uint32_t hour, int64_t price_e4, int64_t qty,
                         uint32_t resource)
{
    const struct event *e = market_event(EVENT_TRADE, number);
    cr_assert_not_null(e, "trade %u is missing", number);
    cr_assert_eq(contract_hour(e->trade.contract), hour);
    cr_assert_eq(e->trade.price_e4, price_e4);
    cr_assert_eq(e->trade.qty, qty);
    cr_assert_eq(e->trade.resource, resource);
    cr_assert_eq(e->trade.condition, TRADE_CONTINGENT);
    cr_assert_eq(e->trade.aggressor, SIDE_BUY);
    cr_assert_eq(e->trade.trade_group, market_event(EVENT_TRADE, 0)->trade.fill_id);
}

/* --- fits ----------------------------------------------------------------------------------- */

Test(job, any_takes_the_cheapest_gpus_hour_by_hour_up_to_its_average)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(10), 3);
    market_sell(BAO_1, HOUR(0), YUAN(9), 2);
    market_sell(AN_1, HOUR(1), YUAN(11), 4);
    /* 2 x 9 + 2 x 10 + 4 x 11 = 82 over 8 GPU-hours: 10.25 each. */
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 2, YUAN(10.25) - 1, 4);
    terms.tif = TIF_IOC;
    uint64_t id = market_job(terms);
    market_expect_miss(0, 0, 0);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.reason, REASON_JOB_NOT_FILLED);
    cr_assert_eq(market_event(EVENT_CANCELED, 0)->out.qty, 8);
    cr_assert_not(market_live(id));
    cr_assert_eq(market_account(CHEN).reserved_e4, 0);
    terms.price_e4++;
    int64_t cash = market_account(CHEN).cash_e4;
    id = market_job(terms);
    cr_assert_eq(market_event(EVENT_JOB, 0)->job.reserved_e4, YUAN(82));
    market_expect_trades(3);
    expect_trade(0, HOUR(0), YUAN(9), 2, BAO_1);
    expect_trade(1, HOUR(0), YUAN(10), 2, AN_1);
    expect_trade(2, HOUR(1), YUAN(11), 4, AN_1);
    cr_assert_eq(market_event(EVENT_FILL, 0)->fill.leaves_qty, 6);
    cr_assert_eq(market_event(EVENT_FILL, 4)->fill.leaves_qty, 0);
    cr_assert_eq(market_event(EVENT_FILL, 4)->fill.cum_qty, 8);
    cr_assert_not(market_live(id));
    cr_assert_eq(market_account(CHEN).cash_e4, cash - YUAN(82));
    cr_assert_eq(market_account(CHEN).reserved_e4, 0);
    cr_assert_eq(market_account(CHEN).open_orders, 0);
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
        market_sell(AN_1, HOUR(i), 70001, 1);
    }
    market_job(market_job_of(PLACEMENT_SITE, HOUR(0), 3, 80000, 1));
    /* 240,000 at the larger rate of 50; 210,003 x 33 / 10,000 = 693.0099 */
    cr_assert_eq(market_event(EVENT_JOB, 0)->job.reserved_e4, 240000 + 1200);
    int64_t fees = 0;
    for (uint32_t i = 0; i < 3; i++) {
        fees += market_event(EVENT_TRADE, i)->trade.buy_fee_e4;
    }
    cr_assert_eq(fees, 693);
    cr_assert_eq(market_account(CHEN).escrow_e4, 210003 + 693);
    cr_assert_eq(market_account(CHEN).reserved_e4, 0);
}

Test(job, site_needs_one_resource_in_every_hour)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(8), 4);
    market_sell(AN_1, HOUR(1), YUAN(8), 3); /* one short */
    market_sell(BAO_1, HOUR(0), YUAN(9), 4);
    struct terms_of_job terms = market_job_of(PLACEMENT_SITE, HOUR(0), 2, YUAN(12), 4);
    uint64_t id = market_job(terms);
    market_expect_miss(3, 1, HOUR(0));
    market_sell(BAO_1, HOUR(1), YUAN(9), 2);
    market_expect_trades(0);
    market_sell(BAO_1, HOUR(1), YUAN(11), 2);
    market_expect_trades(3);
    expect_trade(0, HOUR(0), YUAN(9), 4, BAO_1);
    expect_trade(1, HOUR(1), YUAN(9), 2, BAO_1);
    expect_trade(2, HOUR(1), YUAN(11), 2, BAO_1);
    cr_assert_not(market_live(id));
}

Test(job, same_goes_on_in_the_resource_of_its_trade_group_at_any_price_within_its_limit)
{
    market_open(NULL);
    market_sell(BAO_1, HOUR(0), YUAN(9), 4);
    market_sell(AN_1, HOUR(1), YUAN(8), 4);
    market_sell(BAO_1, HOUR(1), YUAN(11), 4);
    market_job(market_job_of(PLACEMENT_SITE, HOUR(0), 1, YUAN(12), 4));
    uint64_t group = market_event(EVENT_TRADE, 0)->trade.trade_group;
    struct terms_of_job terms = market_job_of(PLACEMENT_SAME, HOUR(1), 1, YUAN(12), 4);
    terms.same_group = group;
    terms.key = DING;
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_UNKNOWN_TRADE_GROUP, "another group's");
    terms.key = CHEN;
    market_job(terms);
    market_expect_trades(1);
    expect_trade(0, HOUR(1), YUAN(11), 4, BAO_1);
    terms.same_group = market_event(EVENT_TRADE, 0)->trade.trade_group;
    market_sell(BAO_1, HOUR(2), YUAN(9), 4);
    terms.from = HOUR(2);
    terms.to = HOUR(3);
    market_job(terms);
    market_expect_trades(1);
}

Test(job, trade_group_of_a_job_in_any_resources_names_none)
{
    market_open(NULL);
    market_sell(BAO_1, HOUR(0), YUAN(9), 4);
    market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4));
    struct terms_of_job terms = market_job_of(PLACEMENT_SAME, HOUR(1), 1, YUAN(12), 4);
    terms.same_group = market_event(EVENT_TRADE, 0)->trade.trade_group;
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_UNKNOWN_TRADE_GROUP);
}

Test(job, factor_decides_between_lanes)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(10), 4);
    market_sell(BAO_B, HOUR(0), YUAN(12), 4);
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4);
    terms.lane_count = 2;
    terms.lanes[0] = (struct job_lane)LANE(REGION_A, 10000);
    terms.lanes[1] = (struct job_lane)LANE(REGION_B, 8000); /* 12 x 0.8 = 9.6 */
    market_job(terms);
    market_expect_trades(1);
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
        market_sell(AN_1, HOUR(i), 21474836, MARKET_GPUS);
    }
    struct terms_of_job terms = market_job_of(PLACEMENT_SITE, HOUR(0), 20, 2147483599, MARKET_GPUS);
    terms.lane_count = 1;
    terms.lanes[0] = (struct job_lane)LANE(REGION_A, JOB_FACTOR_MAX_E4);
    terms.tif = TIF_FOK;
    market_job(terms);
    market_expect_trades(0);
    terms.price_e4 = 2147483600;
    market_job(terms);
    market_expect_trades(20);
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
    struct terms_of_job job = market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 3);
    job.lane_count = 1;
    job.lanes[0] = (struct job_lane){.tier = TIER_G50, .factor_e4 = 10000};
    market_job(job);
    market_expect_trades(2);
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
        market_sell(AN_1, HOUR(3 - i), YUAN(10), 4);
    }
    struct terms_of_job terms = market_job_of(PLACEMENT_SITE, HOUR(0), 4, YUAN(12), 4);
    terms.hours = 2;
    market_job(terms);
    expect_trade(0, HOUR(0), YUAN(10), 4, AN_1);
    expect_trade(1, HOUR(1), YUAN(10), 4, AN_1);
}

Test(job, equal_cost_and_start_goes_to_the_first_lane_but_an_earlier_start_goes_first)
{
    market_open(NULL);
    for (uint32_t i = 0; i < 2; i++) {
        market_sell(AN_1, HOUR(i), YUAN(10), 8);
        market_sell(BAO_B, HOUR(i), YUAN(10), 8);
    }
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 2, YUAN(12), 8);
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
    market_sell(BAO_1, HOUR(0), YUAN(9), 4);
    market_sell(AN_1, HOUR(0), YUAN(8), 4); /* 8 + 10 = 9 + 9, and 8 comes first */
    market_sell(BAO_1, HOUR(1), YUAN(9), 4);
    market_sell(AN_1, HOUR(1), YUAN(10), 4);
    market_job(market_job_of(PLACEMENT_SITE, HOUR(0), 2, YUAN(12), 4));
    expect_trade(0, HOUR(0), YUAN(8), 4, AN_1);
    market_sell(AN_2, HOUR(5), YUAN(9), 4);
    market_sell(BAO_1, HOUR(5), YUAN(9), 4);
    market_job(market_job_of(PLACEMENT_SITE, HOUR(5), 1, YUAN(12), 4));
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
    struct terms_of_job job = market_job_of(PLACEMENT_SITE, HOUR(0), 1, YUAN(8), 7);
    job.tif = TIF_IOC;
    market_job(job);
    market_expect_miss(0, 0, 0);
    job.qty = 11;
    job.price_e4 = YUAN(9);
    market_job(job);
    market_expect_miss(4, 1, HOUR(0));
    job.qty = 7;
    market_job(job);
    market_expect_trades(1);
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
    market_expect_trades(0); /* it passes what is reserved */
    market_sell(BAO_1, HOUR(30), YUAN(9.5), 2);
    struct terms_of_job job = market_job_of(PLACEMENT_ANY, HOUR(30), 1, YUAN(10), 5);
    market_job(job);
    market_expect_trades(2);
    expect_trade(0, HOUR(30), YUAN(9), 4, AN_1);
    expect_trade(1, HOUR(30), YUAN(9.5), 1, BAO_1);
    terms.hour = HOUR(31);
    market_offer(terms);
    market_sell(BAO_1, HOUR(31), YUAN(9), 1);
    job = market_job_of(PLACEMENT_ANY, HOUR(31), 1, YUAN(10), 2);
    market_job(job);
    expect_trade(0, HOUR(31), YUAN(9), 1, BAO_1);
    expect_trade(1, HOUR(31), YUAN(9), 1, AN_1);
}

Test(job, passes_offers_of_its_own_group)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(8), 4);
    market_sell(BAO_1, HOUR(0), YUAN(9), 4);
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4);
    terms.key = AN;
    market_job(terms);
    market_expect_trades(1);
    expect_trade(0, HOUR(0), YUAN(9), 4, BAO_1);
}

Test(job, passes_offers_outside_the_inner_band)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(5) - 1, 4); /* band: 5 .. 15 */
    market_sell(BAO_1, HOUR(0), YUAN(15) + 1, 4);
    uint64_t id = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(20), 4));
    market_expect_miss(0, 0, 0);
    market_sell(AN_2, HOUR(0), YUAN(15), 4);
    market_expect_trades(1);
    expect_trade(0, HOUR(0), YUAN(15), 4, AN_2);
    cr_assert_not(market_live(id));
}

Test(job, reference_set_anew_and_resumed_trading_bring_resting_jobs_back)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(16), 4);
    market_sell(AN_1, HOUR(1), YUAN(16), 4);
    uint64_t first = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(20), 4));
    uint64_t second = market_job(market_job_of(PLACEMENT_ANY, HOUR(1), 1, YUAN(20), 4));
    struct command *c = market_command(COMMAND_HALT, OPERATOR);
    market_step();
    c = market_command(COMMAND_SET_REFERENCE, OPERATOR);
    c->set_reference.price_e4 = YUAN(16);
    market_step();
    market_expect_trades(0);
    cr_assert(market_live(first) && market_live(second));
    market_command(COMMAND_RESUME, OPERATOR);
    market_step();
    market_expect_trades(2);
    cr_assert_not(market_live(first) || market_live(second));
}

/* --- bounds ----------------------------------------------------------------------------------- */

Test(job, too_large_begins_above_four_times_ten_to_the_18)
{
    market_open(NULL);
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 2, 2000000000, QTY_MAX);
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
    struct terms_of_job terms = market_job_of(PLACEMENT_SITE, HOUR(0), hours, YUAN(12), 4);
    terms.hours = 8;
    terms.lane_count = 4;
    terms.tif = TIF_IOC;
    for (uint8_t tier = 0; tier < 4; tier++) {
        terms.lanes[tier] = (struct job_lane){.tier = tier, .factor_e4 = 10000};
    }
    for (uint32_t i = 0; i < 262144 / 4 - hours; i++) {
        market_sell(AN_1 + i / hours % 3, HOUR(i % hours), YUAN(10) + i / hours, 1);
    }
    market_job(terms);
    cr_assert_eq(market_refusal(), 0);
    market_expect_trades(32);
    for (uint32_t i = 0; i < 32; i++) {
        market_sell(AN_2, HOUR(i % hours), YUAN(14), 1);
    }
    terms.price_e4 = YUAN(9); /* no fit, and not too wide either */
    market_job(terms);
    cr_assert_eq(market_refusal(), 0);
    market_sell(AN_1, HOUR(0), YUAN(14), 100);
    market_job(terms);
    cr_assert_eq(market_refusal(), REASON_JOB_TOO_WIDE);
    cr_assert_eq(market_event(EVENT_REJECTED, 0)->rejected.bound, 262144);
}

/* Least processor time of a few dry runs, which find that fit. */
static int64_t time_to_find(struct terms_of_job terms, uint32_t hour, uint32_t resource)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        struct timespec from;
        struct timespec to;
        struct engine_quote quote;
        const struct command *command = market_job_command(terms);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        engine_quote_job(market_engine(), command, &quote);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        int64_t took = (to.tv_sec - from.tv_sec) * NS_PER_SECOND + to.tv_nsec - from.tv_nsec;
        least = took < least ? took : least;
        cr_assert_eq(quote.qty, terms.qty);
        cr_assert_eq(contract_hour(quote.contract), hour);
        cr_assert_eq(quote.resource, resource);
    }
    return least;
}

/* Each hour is cheaper than the last, and each begins with one cheap GPU, which makes it look as
 * promising as any other: all must be looked into. */
Test(job, ties_of_many_resources_take_no_longer_than_other_prices)
{
    enum { RESOURCES = 2000, HOURS = 20, OTHER = 100 };
    struct engine_config config = market_config();
    config.resources = RESOURCES + 16;
    market_open(&config);
    market_walks = false;
    for (uint32_t i = 0; i < RESOURCES; i++) {
        market_resource(AN, REGION_A);
    }
    for (uint32_t hour = 0; hour < HOURS; hour++) {
        market_sell(AN_1, HOUR(hour), YUAN(6), 1);
        market_sell(AN_1, HOUR(OTHER + hour), YUAN(6), 1);
        for (uint32_t i = 0; i < RESOURCES; i++) {
            market_sell(BAO_B + RESOURCES - i, HOUR(hour), YUAN(10) - hour, 8);
            market_sell(BAO_B + RESOURCES - i, HOUR(OTHER + hour), YUAN(10) - hour + i, 8);
        }
    }
    struct terms_of_job terms = market_job_of(PLACEMENT_SITE, HOUR(0), HOURS, YUAN(12), 8);
    terms.hours = 1;
    int64_t ties = time_to_find(terms, HOUR(HOURS - 1), BAO_B + RESOURCES);
    terms.from = HOUR(OTHER);
    terms.to = HOUR(OTHER + HOURS);
    int64_t others = time_to_find(terms, HOUR(OTHER + HOURS - 1), BAO_B + RESOURCES);
    cr_assert_lt(ties, 8 * others, "%" PRId64 " ns and %" PRId64 " ns", ties, others);
}

/* --- dry runs ------------------------------------------------------------------------------------- */

Test(job, dry_run_tells_what_entering_then_does)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(9), 3);
    market_sell(BAO_1, HOUR(0), YUAN(11), 4);
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4);
    struct engine_quote quote;
    uint64_t hash = engine_state_hash(market_engine());
    engine_quote_job(market_engine(), market_job_command(terms), &quote);
    cr_assert_eq(quote.reason, 0);
    cr_assert_eq(quote.qty, 4);
    cr_assert_eq(quote.notional_e4, YUAN(38));
    cr_assert_eq(quote.price_e4, YUAN(9.5));
    cr_assert_eq(quote.reserved_e4, YUAN(48));
    cr_assert_eq(quote.leg, 1);
    cr_assert_eq(contract_hour(quote.contract), HOUR(0));
    terms.price_e4 = quote.price_e4 - 1;
    engine_quote_job(market_engine(), market_job_command(terms), &quote);
    cr_assert_eq(quote.qty, 0);
    cr_assert_eq(quote.miss_qty, 3);
    terms.hours = 0;
    engine_quote_job(market_engine(), market_job_command(terms), &quote);
    cr_assert_eq(quote.reason, REASON_HOURS_OUT_OF_RANGE);
    cr_assert_eq(engine_state_hash(market_engine()), hash);
    terms.hours = 1;
    terms.price_e4 = YUAN(9.5);
    market_job(terms);
    market_expect_trades(2);
}
