/* Resting JOBs in the engine alone: ranks, due hours, the end, and that no bid is passed. */
#include <criterion/criterion.h>

#include "base/random.h"
#include "tests/job_market.h"

/* --- ranks ------------------------------------------------------------------------------------ */

Test(job, highest_limit_is_filled_first_then_the_oldest)
{
    market_open(NULL);
    uint64_t a = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(14), 8));
    uint64_t b = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(15), 8));
    uint64_t c = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(14), 8));
    market_sell(AN_1, HOUR(0), YUAN(13), 8);
    cr_assert(market_live(a) && !market_live(b) && market_live(c));
    market_sell(AN_1, HOUR(0), YUAN(13), 8);
    cr_assert(!market_live(a) && market_live(c));
}

Test(job, plain_bid_that_can_have_the_offer_comes_before_every_job)
{
    market_open(NULL);
    uint64_t id = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(15), 8));
    uint64_t bid = market_bid(DING, HOUR(0), YUAN(13), 8);
    market_sell(AN_1, HOUR(0), YUAN(13), 8);
    cr_assert(market_live(id) && !market_live(bid));
    cr_assert_eq(market_event(EVENT_TRADE, 0)->trade.condition, TRADE_REGULAR);
}

Test(job, fewer_gpus_at_the_same_limit_keep_their_time_and_all_else_loses_it)
{
    market_open(NULL);
    uint64_t ids[3];
    for (uint32_t i = 0; i < 3; i++) {
        ids[i] = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(14), 9));
    }
    market_replace(CHEN, ids[0], YUAN(14), 10);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.kept_priority, 0);
    market_replace(CHEN, ids[1], YUAN(14), 8);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.kept_priority, 1);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.leaves_qty, 8);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.old_leaves_qty, 9);
    uint64_t other = market_job(market_job_of(PLACEMENT_ANY, HOUR(1), 1, YUAN(14), 9));
    market_replace(CHEN, other, YUAN(13), 8);
    cr_assert_eq(market_event(EVENT_REPLACED, 0)->replaced.kept_priority, 0);
    market_sell(AN_1, HOUR(0), YUAN(13), 27);
    market_expect_trades(3);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(market_event(EVENT_TRADE, i)->trade.buy_order_id, ids[(i + 1) % 3]);
    }
}

Test(job, replace_that_makes_it_fit_fills_it)
{
    market_open(NULL);
    market_sell(AN_1, HOUR(0), YUAN(13), 8);
    uint64_t id = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 9));
    market_replace(CHEN, id, YUAN(13), 9);
    market_expect_miss(8, 1, HOUR(0));
    market_replace(CHEN, id, YUAN(13), 8);
    market_expect_trades(1);
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

/* `able`: one of those ahead that can have it; AHEAD: none. */
static void crowd(uint32_t able)
{
    market_open(NULL);
    market_walks = false;
    for (uint32_t i = 0; i < AHEAD; i++) {
        struct terms_of_job terms =
            market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(15), i == able ? 1 : 50);
        terms.key = DING;
        ahead[i] = market_job(terms);
    }
    last_in_rank = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 1));
    market_walks = true;
    market_sell(AN_1, HOUR(0), YUAN(10), 8);
    market_expect_trades(0);
    cr_assert(engine_has_work(market_engine()));
}

Test(job, work_at_a_due_hour_goes_on_with_later_commands)
{
    crowd(AHEAD);
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

/* The first step looks at 342 JOBs and tries them; the very next one is ended, the one behind it can have
 * the offer. */
Test(job, job_that_ends_under_the_cursor_leaves_its_turn_to_the_next)
{
    enum { NEXT = (UNITS_A_STEP + UNITS_EACH - 1) / UNITS_EACH };
    crowd(NEXT + 1);
    cr_assert(market_live(ahead[NEXT + 1]));
    market_cancel(DING, ahead[NEXT]);
    cr_assert(!market_live(ahead[NEXT]) && !market_live(ahead[NEXT + 1]));
    cr_assert(market_live(last_in_rank));
    market_tick(1);
    market_tick(1);
    cr_assert_not(market_live(last_in_rank));
}

Test(job, hour_whose_gate_closes_is_due_no_more)
{
    crowd(AHEAD);
    market_tick(2 * 3600);
    cr_assert_not(market_live(ahead[0]));
    for (int i = 0; i < 10; i++) {
        market_tick(1);
    }
    cr_assert_not(engine_has_work(market_engine()));
    cr_assert_eq(market_account(DING).reserved_e4, 0);
    cr_assert_eq(market_account(DING).open_orders, 0);
}

/* A JOB in all four tiers of region A, which only 50 GPUs would do. */
static void rest_in_every_tier(uint32_t hours_of_window)
{
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(15), 50);
    terms.key = DING;
    terms.to = HOUR(hours_of_window);
    terms.lane_count = TIER_COUNT;
    for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
        terms.lanes[tier] = (struct job_lane){.factor_e4 = 10000, .tier = tier};
    }
    cr_assert_neq(market_job(terms), 0);
}

/* The first step looks at 342 of 2,000 lanes; without the hour there is no reason to look at another. */
Test(job, hour_whose_gate_closes_while_it_is_worked_at_is_left_at_once)
{
    market_open(NULL);
    market_walks = false;
    for (uint32_t i = 0; i < 500; i++) {
        rest_in_every_tier(3);
    }
    market_walks = true;
    market_sell(AN_1, HOUR(0), YUAN(10), 8);
    cr_assert(engine_has_work(market_engine()));
    market_tick(2 * 3600 - 600);
    cr_assert_not(engine_has_work(market_engine()));
    market_expect_trades(0);
}

/* Region A is worked at for many steps. Meanwhile two hours become due, that of A first: an offer had come
 * to B before, but no JOB rested there yet. */
Test(job, hour_is_due_only_from_an_event_with_a_job_resting_in_its_market)
{
    market_open(NULL);
    market_walks = false;
    for (uint32_t i = 0; i < 30; i++) {
        market_sell(AN_1, HOUR(0), YUAN(10), 1);
    }
    for (uint32_t i = 0; i < 100; i++) {
        rest_in_every_tier(1);
    }
    market_walks = true;
    uint64_t in_a = market_job(market_job_of(PLACEMENT_ANY, HOUR(1), 1, YUAN(12), 8));
    market_sell(AN_1, HOUR(0), YUAN(10), 1);
    market_sell(BAO_B, HOUR(0), YUAN(10), 8);
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 16);
    terms.lane_count = 1;
    terms.lanes[0] = (struct job_lane)LANE(REGION_B, 10000);
    uint64_t in_b = market_job(terms);
    market_sell(AN_1, HOUR(1), YUAN(10), 8);
    market_sell(BAO_B, HOUR(0), YUAN(10), 8);
    cr_assert(market_live(in_a) && market_live(in_b));
    while (market_count(EVENT_TRADE) == 0) {
        cr_assert(engine_has_work(market_engine()));
        market_tick(1);
    }
    cr_assert_eq(market_event(EVENT_TRADE, 0)->trade.buy_order_id, in_a);
    while (engine_has_work(market_engine())) {
        market_tick(1);
    }
    cr_assert_not(market_live(in_b));
}

/* --- the end ---------------------------------------------------------------------------------- */

Test(job, ends_at_its_expire_time_or_at_the_gate_of_its_last_start)
{
    market_open(NULL);
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(0), 3, YUAN(12), 4);
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
    cr_assert_eq(market_account(CHEN).reserved_e4, 0);
}

Test(job, mass_cancel_takes_it_only_when_it_covers_every_hour_and_lane)
{
    market_open(NULL);
    struct terms_of_job terms = market_job_of(PLACEMENT_ANY, HOUR(2), 3, YUAN(12), 4);
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
    uint64_t id = market_job(market_job_of(PLACEMENT_ANY, HOUR(0), 1, YUAN(12), 4));
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

/* --- no trade-through ----------------------------------------------------------------------------- */

/* An offer in a book that a JOB takes is above every bid that could have had it. (A reserved one is not
 * for bids.) */
static void check_fills(const bool *reserved_hours)
{
    int64_t filled = 0;
    for (uint32_t i = 0; i < market_event_count; i++) {
        const struct event_trade *t = &market_events[i].trade;
        if (market_events[i].head.type != EVENT_TRADE || t->condition != TRADE_CONTINGENT) {
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
            market_job_of((uint8_t)random_below(dice, 2), HOUR(hour), 3,
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
                 market_event(EVENT_TRADE, market_count(EVENT_TRADE) - 1)->trade.condition ==
                     TRADE_CONTINGENT;
        check_fills(reserved_hours);
    }
    cr_assert_gt(fills, 200, "seed %lu: %lu JOBs filled", seed, fills);
}
