/* Depth of orders that show other than what is left of them: sequences of events written by hand, and
 * what the market may see after each command, both in the replica's depth and at a subscriber. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/market_data.h"

#define HOUR       490000u
#define EVENTS_MAX 64
#define LEVELS_MAX 64

/* The classes: lots of 8, of 1, of 4. */
enum { EIGHTS = 0, ONES = 1, FOURS = 2 };

struct seen_level {
    uint64_t contract;
    struct md_level_row level;
};

static struct market_data_state *market_data;
static struct event events[EVENTS_MAX];
static uint32_t event_count;
static uint64_t seq;
static struct seen_level seen[LEVELS_MAX]; /* what a subscriber holds */
static uint32_t seen_count;
static uint32_t updates; /* of the last command */
static uint32_t trades;
static uint8_t phase; /* of all hours */

static uint64_t at(uint16_t class_id, uint8_t tier, uint32_t hour)
{
    return contract_pack(class_id, 0, tier, HOUR + hour);
}

static void follow(void *context, const struct market_data_update *update)
{
    (void)context;
    updates++;
    trades += update->trade_count;
    for (uint32_t i = 0; i < update->level_count; i++) {
        const struct md_level_row *level = &update->levels[i];
        uint32_t place = 0;
        while (place < seen_count &&
               (seen[place].contract != update->contract || seen[place].level.side != level->side ||
                seen[place].level.price_e4 != level->price_e4)) {
            place++;
        }
        if (level->orders > 0) {
            cr_assert(place < LEVELS_MAX);
            seen_count += place == seen_count;
            seen[place] = (struct seen_level){.contract = update->contract, .level = *level};
        } else if (place < seen_count) {
            seen[place] = seen[--seen_count];
        }
    }
}

static uint8_t phase_of(void *context, uint64_t contract)
{
    (void)context;
    (void)contract;
    return phase;
}

static struct event *add(uint8_t type)
{
    CHECK(event_count < EVENTS_MAX);
    struct event *event = &events[event_count];
    *event = (struct event){.head = {.type = type, .index = event_count}};
    event_count++;
    return event;
}

/* The events so far are one command. */
static void go(void)
{
    seq++;
    updates = 0;
    events[event_count - 1].head.flags = EVENT_LAST;
    for (uint32_t i = 0; i < event_count; i++) {
        events[i].head.seq = seq;
        market_data_apply(market_data, &events[i]);
    }
    event_count = 0;
}

static void begin(void)
{
    static const uint32_t lots[] = {8, 1, 4};
    phase = PHASE_CONTINUOUS;
    market_data = market_data_new(follow, NULL, phase_of, NULL);
    seq = seen_count = event_count = trades = 0;
    for (uint16_t id = 0; id < 3; id++) {
        add(EVENT_CLASS)->class_ = (struct event_class){.class_id = id, .lot = lots[id]};
        go();
    }
}
static void end(void)
{
    market_data_free(market_data);
}
TestSuite(shown, .init = begin, .fini = end);

/* --- events ---------------------------------------------------------------------------------------- */

static struct event_new *enter(uint64_t id, uint64_t contract, uint8_t side, int64_t price_e4,
                               int64_t qty)
{
    struct event *event = add(EVENT_NEW);
    event->new_order = (struct event_new){
        .order_id = id, .contract = contract, .price_e4 = price_e4, .qty = qty, .side = side};
    return &event->new_order;
}
static struct event_fill *fill(uint64_t id, uint64_t contract, uint8_t side, int64_t price_e4,
                               int64_t qty)
{
    struct event *event = add(EVENT_FILL);
    event->fill = (struct event_fill){
        .order_id = id, .contract = contract, .price_e4 = price_e4, .qty = qty, .side = side};
    return &event->fill;
}
/* A resting order is filled, `leaves` are left of it. */
static void filled(uint64_t id, uint64_t contract, uint8_t side, int64_t price_e4, int64_t qty,
                   int64_t leaves)
{
    struct event_fill *event = fill(id, contract, side, price_e4, qty);
    event->leaves_qty = leaves;
    event->resting = 1;
}
static void arrives_filled(uint64_t id, uint64_t contract, uint8_t side, int64_t price_e4,
                           int64_t qty, int64_t leaves)
{
    fill(id, contract, side, price_e4, qty)->leaves_qty = leaves;
}
/* What a JOB's own side of a fill looks like. */
static void job_filled(uint64_t contract, int64_t price_e4, int64_t qty, int64_t leaves)
{
    struct event_fill *event = fill(9999, contract, SIDE_BUY, price_e4, qty);
    event->leaves_qty = leaves;
    event->contingent = 1;
}
static struct event_out *out(uint8_t type, uint64_t id, uint64_t contract, uint8_t side,
                             int64_t price_e4)
{
    struct event *event = add(type);
    event->out = (struct event_out){
        .order_id = id, .contract = contract, .price_e4 = price_e4, .side = side, .resting = 1};
    return &event->out;
}
static void canceled(uint64_t id, uint64_t contract, uint8_t side, int64_t price_e4, int64_t qty)
{
    out(EVENT_CANCELED, id, contract, side, price_e4)->qty = qty;
}
static void refreshed(uint64_t id, uint64_t contract, uint8_t side, int64_t price_e4, int64_t qty,
                      int64_t leaves)
{
    struct event_out *event = out(EVENT_REFRESHED, id, contract, side, price_e4);
    event->qty = qty;
    event->leaves_qty = leaves;
}
static struct event_replaced *replaced(uint64_t id, uint64_t contract, uint8_t side,
                                       int64_t price_e4, int64_t leaves)
{
    struct event *event = add(EVENT_REPLACED);
    event->replaced = (struct event_replaced){.order_id = id,
                                              .contract = contract,
                                              .price_e4 = price_e4,
                                              .old_price_e4 = price_e4,
                                              .leaves_qty = leaves,
                                              .side = side};
    return &event->replaced;
}

/* A SET with legs of these contracts at these prices. */
static void enter_set(uint64_t id, int64_t qty, uint32_t count, const uint64_t *contracts,
                      const int64_t *prices_e4)
{
    struct event *event = add(EVENT_SET);
    event->set = (struct event_set){.order_id = id, .qty = qty, .leg_count = (uint8_t)count};
    for (uint32_t i = 0; i < count; i++) {
        if (i % SET_LEGS_PER_EVENT == 0) {
            event = add(EVENT_SET_LEGS);
            event->set_legs.order_id = id;
        }
        event->set_legs.legs[i % SET_LEGS_PER_EVENT] = (struct set_leg){
            .contract = contracts[i], .price_e4 = (uint32_t)prices_e4[i], .leg = i + 1};
    }
}

/* --- what is seen ---------------------------------------------------------------------------------- */

static struct level_row level_of(const struct market_data_depth *depth, uint8_t side,
                                 int64_t price_e4)
{
    const struct level_row *levels = side == SIDE_BUY ? depth->bids : depth->offers;
    uint32_t count = side == SIDE_BUY ? depth->bid_count : depth->offer_count;
    for (uint32_t i = 0; i < count; i++) {
        if (levels[i].price_e4 == price_e4) {
            return levels[i];
        }
    }
    return (struct level_row){.price_e4 = price_e4};
}

static void expect(uint64_t contract, uint8_t side, int64_t price_e4, struct level_row wanted)
{
    struct market_data_depth depth;
    market_data_find(market_data, contract, &depth);
    const struct level_row level = level_of(&depth, side, price_e4);
    cr_assert(level.qty == wanted.qty && level.shared_qty == wanted.shared_qty &&
                  level.orders == wanted.orders,
              "depth has %ld + %ld of %ld orders", level.qty, level.shared_qty, level.orders);
    cr_assert_eq(level.reserved_qty, wanted.reserved_qty);
    struct md_level_row told = {0};
    for (uint32_t i = 0; i < seen_count; i++) {
        if (seen[i].contract == contract && seen[i].level.side == side &&
            seen[i].level.price_e4 == price_e4) {
            told = seen[i].level;
        }
    }
    cr_assert(told.qty == wanted.qty && told.shared_qty == wanted.shared_qty &&
                  told.orders == wanted.orders,
              "a subscriber has %ld + %ld of %ld orders", told.qty, told.shared_qty, told.orders);
    cr_assert_eq(told.reserved_qty, wanted.reserved_qty);
}
static void expect_firm(uint64_t contract, uint8_t side, int64_t price_e4, int64_t qty,
                        int64_t orders)
{
    expect(contract, side, price_e4, (struct level_row){.qty = qty, .orders = orders});
}
static void expect_shared(uint64_t contract, int64_t price_e4, int64_t shared_qty)
{
    expect(contract, SIDE_BUY, price_e4,
           (struct level_row){.shared_qty = shared_qty, .orders = shared_qty > 0});
}
static void expect_reserved(uint64_t contract, int64_t price_e4, int64_t reserved_qty,
                            int64_t orders)
{
    expect(contract, SIDE_SELL, price_e4,
           (struct level_row){.reserved_qty = reserved_qty, .orders = orders});
}
static void expect_nothing(void)
{
    cr_assert_eq(market_data_ladders(market_data), 0);
    cr_assert_eq(seen_count, 0);
}

/* --- icebergs -------------------------------------------------------------------------------------- */

Test(shown, an_iceberg_shows_its_slice_and_the_next_one_when_that_is_used_up)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 20)->display_qty = 8;
    go();
    expect_firm(contract, SIDE_SELL, 100, 8, 1);
    filled(1, contract, SIDE_SELL, 100, 3, 17);
    go();
    expect_firm(contract, SIDE_SELL, 100, 5, 1);
    enter(2, contract, SIDE_BUY, 100, 15);
    filled(1, contract, SIDE_SELL, 100, 5, 12);
    arrives_filled(2, contract, SIDE_BUY, 100, 5, 10);
    refreshed(1, contract, SIDE_SELL, 100, 8, 12);
    filled(1, contract, SIDE_SELL, 100, 8, 4);
    arrives_filled(2, contract, SIDE_BUY, 100, 8, 2);
    refreshed(1, contract, SIDE_SELL, 100, 4, 4);
    filled(1, contract, SIDE_SELL, 100, 2, 2);
    arrives_filled(2, contract, SIDE_BUY, 100, 2, 0);
    go();
    expect_firm(contract, SIDE_SELL, 100, 2, 1);
    filled(1, contract, SIDE_SELL, 100, 2, 0);
    go();
    expect_nothing();
}

Test(shown, an_iceberg_that_trades_on_arrival_shows_a_slice_of_the_rest)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_BUY, 100, 30)->display_qty = 8;
    arrives_filled(1, contract, SIDE_BUY, 99, 10, 20);
    go();
    expect_firm(contract, SIDE_BUY, 100, 8, 1);
    enter(2, contract, SIDE_BUY, 100, 30)->display_qty = 8;
    arrives_filled(2, contract, SIDE_BUY, 99, 25, 5);
    go();
    expect_firm(contract, SIDE_BUY, 100, 13, 2);
    enter(3, contract, SIDE_BUY, 100, 30)->display_qty = 8;
    arrives_filled(3, contract, SIDE_BUY, 99, 30, 0);
    go();
    expect_firm(contract, SIDE_BUY, 100, 13, 2);
}

Test(shown, a_canceled_iceberg_takes_only_what_it_showed)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 20)->display_qty = 8;
    go();
    enter(2, contract, SIDE_SELL, 100, 5);
    go();
    canceled(1, contract, SIDE_SELL, 100, 20);
    go();
    expect_firm(contract, SIDE_SELL, 100, 5, 1);
}

Test(shown, self_trade_prevention_takes_an_icebergs_reserve_first)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 20)->display_qty = 8;
    go();
    struct event_out *less = out(EVENT_RESTATED, 1, contract, SIDE_SELL, 100);
    less->qty = 12;
    less->leaves_qty = 8;
    go();
    expect_firm(contract, SIDE_SELL, 100, 8, 1);
    less = out(EVENT_RESTATED, 1, contract, SIDE_SELL, 100);
    less->qty = 3;
    less->leaves_qty = 5;
    go();
    expect_firm(contract, SIDE_SELL, 100, 5, 1);
}

Test(shown, a_smaller_iceberg_keeps_its_slice_and_one_of_another_price_arrives_anew)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 20)->display_qty = 8;
    go();
    filled(1, contract, SIDE_SELL, 100, 3, 17);
    go();
    struct event_replaced *event = replaced(1, contract, SIDE_SELL, 100, 10);
    event->old_leaves_qty = 17;
    event->kept_priority = 1;
    go();
    expect_firm(contract, SIDE_SELL, 100, 5, 1);
    event = replaced(1, contract, SIDE_SELL, 100, 2);
    event->old_leaves_qty = 10;
    event->kept_priority = 1;
    go();
    expect_firm(contract, SIDE_SELL, 100, 2, 1);
    event = replaced(1, contract, SIDE_SELL, 110, 30);
    event->old_price_e4 = 100;
    event->old_leaves_qty = 2;
    arrives_filled(1, contract, SIDE_SELL, 110, 4, 26);
    go();
    expect_firm(contract, SIDE_SELL, 100, 0, 0);
    expect_firm(contract, SIDE_SELL, 110, 8, 1);
    filled(1, contract, SIDE_SELL, 110, 8, 18);
    refreshed(1, contract, SIDE_SELL, 110, 8, 18);
    go();
    expect_firm(contract, SIDE_SELL, 110, 8, 1);
}

Test(shown, a_job_takes_what_an_iceberg_shows_and_then_its_reserve)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 20)->display_qty = 8;
    go();
    job_filled(contract, 100, 15, 100);
    filled(1, contract, SIDE_SELL, 100, 15, 5);
    refreshed(1, contract, SIDE_SELL, 100, 5, 5);
    go();
    expect_firm(contract, SIDE_SELL, 100, 5, 1);
    job_filled(contract, 100, 5, 95);
    filled(1, contract, SIDE_SELL, 100, 5, 0);
    go();
    expect_nothing();
}

/* What has come to rest is a resting order, even within the command that entered it. */
Test(shown, a_job_takes_from_the_slice_of_an_iceberg_that_just_came_to_rest)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 40)->display_qty = 16;
    job_filled(contract, 100, 10, 100);
    filled(1, contract, SIDE_SELL, 100, 10, 30);
    go();
    expect_firm(contract, SIDE_SELL, 100, 6, 1);
    enter(2, contract, SIDE_SELL, 101, 40)->display_qty = 16;
    job_filled(contract, 101, 16, 84);
    filled(2, contract, SIDE_SELL, 101, 16, 24);
    refreshed(2, contract, SIDE_SELL, 101, 16, 24);
    go();
    expect_firm(contract, SIDE_SELL, 101, 16, 1);
    enter(3, contract, SIDE_SELL, 102, 40);
    job_filled(contract, 102, 40, 44);
    filled(3, contract, SIDE_SELL, 102, 40, 0);
    go();
    expect_firm(contract, SIDE_SELL, 102, 0, 0);
}

/* --- reserved for JOBs, ranges --------------------------------------------------------------------- */

Test(shown, a_reserved_offer_stands_apart_until_its_reservation_ends)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    for (uint64_t id = 1; id <= 3; id++) {
        enter(id, contract, SIDE_SELL, 100, 20)->flags = ORDER_RESERVED_FOR_JOBS;
        go();
        cr_assert(market_data_reserved(market_data, id));
        expect_reserved(contract, 100, 20 * (int64_t)id, (int64_t)id);
    }
    job_filled(contract, 100, 5, 50);
    filled(1, contract, SIDE_SELL, 100, 5, 15);
    job_filled(contract, 100, 20, 30);
    filled(2, contract, SIDE_SELL, 100, 20, 0);
    struct event_replaced *event = replaced(3, contract, SIDE_SELL, 90, 12);
    event->old_price_e4 = 100;
    event->old_leaves_qty = 20;
    go();
    expect_reserved(contract, 100, 15, 1);
    expect_reserved(contract, 90, 12, 1);
    event = replaced(3, contract, SIDE_SELL, 90, 10);
    event->old_leaves_qty = 12;
    event->kept_priority = 1;
    go();
    expect_reserved(contract, 90, 10, 1);
    cr_assert(!market_data_reserved(market_data, 2));
    out(EVENT_RELEASED, 1, contract, SIDE_SELL, 100)->leaves_qty = 15;
    arrives_filled(1, contract, SIDE_SELL, 105, 4, 11);
    out(EVENT_RELEASED, 3, contract, SIDE_SELL, 90)->leaves_qty = 10;
    go();
    expect_firm(contract, SIDE_SELL, 100, 11, 1);
    expect_firm(contract, SIDE_SELL, 90, 10, 1);
    cr_assert(!market_data_reserved(market_data, 1));
    filled(1, contract, SIDE_SELL, 100, 11, 0);
    canceled(3, contract, SIDE_SELL, 90, 10);
    go();
    expect_nothing();
}

Test(shown, reserved_quantity_is_apart_from_firm_and_no_part_of_best_prices)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    for (uint64_t id = 1; id <= 3; id++) {
        enter(id, contract, SIDE_SELL, 89 + (int64_t)id, 8)->flags = ORDER_RESERVED_FOR_JOBS;
    }
    go();
    struct market_data_depth depth;
    market_data_find(market_data, contract, &depth);
    cr_assert(depth.best.offer_e4 == 0 && depth.offer_count == 3);
    enter(4, contract, SIDE_SELL, 91, 5);
    go();
    expect(contract, SIDE_SELL, 91, (struct level_row){.qty = 5, .reserved_qty = 8, .orders = 2});
    market_data_find(market_data, contract, &depth);
    cr_assert(depth.best.offer_e4 == 91 && depth.best.offer_qty == 5);
}

Test(shown, a_halt_is_told_where_nothing_but_a_reserved_offer_stands)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 8)->flags = ORDER_RESERVED_FOR_JOBS;
    go();
    phase = PHASE_HALTED;
    add(EVENT_HALT)->halt = (struct event_halt){.halted = 1};
    go();
    cr_assert_eq(updates, 1);
}

Test(shown, a_reserved_offer_that_is_canceled_leaves_nothing)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    enter(1, contract, SIDE_SELL, 100, 20)->flags = ORDER_RESERVED_FOR_JOBS;
    go();
    expect_reserved(contract, 100, 20, 1);
    canceled(1, contract, SIDE_SELL, 100, 20);
    go();
    expect_nothing();
    cr_assert(!market_data_reserved(market_data, 1));
}

Test(shown, each_offer_of_a_range_rests_when_the_next_hour_begins)
{
    add(EVENT_RANGE)->range = (struct event_range){.order_id = 10, .hours = 4};
    for (uint32_t hour = 0; hour < 4; hour++) {
        struct event_new *order = enter(11 + hour, at(ONES, TIER_G80, hour), SIDE_SELL, 100, 8);
        order->ranged = 1;
        order->flags = hour == 3 ? ORDER_RESERVED_FOR_JOBS : 0;
        if (hour == 1) {
            arrives_filled(12, at(ONES, TIER_G80, 1), SIDE_SELL, 105, 5, 3);
        } else if (hour == 2) {
            arrives_filled(13, at(ONES, TIER_G80, 2), SIDE_SELL, 105, 8, 0);
        }
    }
    go();
    expect_firm(at(ONES, TIER_G80, 0), SIDE_SELL, 100, 8, 1);
    expect_firm(at(ONES, TIER_G80, 1), SIDE_SELL, 100, 3, 1);
    expect_firm(at(ONES, TIER_G80, 2), SIDE_SELL, 100, 0, 0);
    expect_reserved(at(ONES, TIER_G80, 3), 100, 8, 1);
    /* Replaced as one: an hour is smaller, another arrives anew and trades. */
    add(EVENT_RANGE)->range = (struct event_range){.order_id = 10, .done = RANGE_REPLACED};
    struct event_replaced *event = replaced(11, at(ONES, TIER_G80, 0), SIDE_SELL, 90, 6);
    event->old_price_e4 = 100;
    event->old_leaves_qty = 8;
    arrives_filled(11, at(ONES, TIER_G80, 0), SIDE_SELL, 95, 2, 4);
    event = replaced(12, at(ONES, TIER_G80, 1), SIDE_SELL, 100, 1);
    event->old_leaves_qty = 3;
    event->kept_priority = 1;
    go();
    expect_firm(at(ONES, TIER_G80, 0), SIDE_SELL, 90, 4, 1);
    expect_firm(at(ONES, TIER_G80, 1), SIDE_SELL, 100, 1, 1);
    add(EVENT_RANGE)->range = (struct event_range){.order_id = 10, .done = RANGE_CANCELED};
    canceled(11, at(ONES, TIER_G80, 0), SIDE_SELL, 90, 4);
    canceled(12, at(ONES, TIER_G80, 1), SIDE_SELL, 100, 1);
    canceled(14, at(ONES, TIER_G80, 3), SIDE_SELL, 100, 8);
    go();
    expect_nothing();
}

/* --- SETs ------------------------------------------------------------------------------------------ */

Test(shown, a_set_shows_its_balance_in_every_leg_and_a_fill_in_one_reduces_all)
{
    const uint64_t legs[] = {at(EIGHTS, TIER_G0, 0), at(ONES, TIER_G0, 0), at(FOURS, TIER_G80, 5)};
    const int64_t prices[] = {100, 110, 120};
    enter_set(1, 64, 3, legs, prices);
    go();
    for (int i = 0; i < 3; i++) {
        expect_shared(legs[i], prices[i], 64);
    }
    enter(2, legs[1], SIDE_SELL, 105, 9);
    add(EVENT_TRADE)->trade =
        (struct event_trade){.contract = legs[1], .price_e4 = 110, .qty = 9, .fill_id = 1};
    filled(1, legs[1], SIDE_BUY, 110, 9, 55);
    arrives_filled(2, legs[1], SIDE_SELL, 110, 9, 0);
    go();
    cr_assert_eq(trades, 1);
    expect_shared(legs[0], 100, 48);
    expect_shared(legs[1], 110, 55);
    expect_shared(legs[2], 120, 52);
    filled(1, legs[1], SIDE_BUY, 110, 48, 7);
    go();
    expect_shared(legs[0], 100, 0);
    expect_shared(legs[1], 110, 7);
    expect_shared(legs[2], 120, 4);
    filled(1, legs[2], SIDE_BUY, 120, 4, 3);
    go();
    expect_shared(legs[1], 110, 3);
    expect_shared(legs[2], 120, 0);
    filled(1, legs[1], SIDE_BUY, 110, 3, 0);
    go();
    expect_nothing();
}

Test(shown, one_change_of_a_sets_balance_is_told_in_all_its_contracts)
{
    uint64_t legs[SET_LEGS_MAX];
    int64_t prices[SET_LEGS_MAX];
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        legs[i] = at(EIGHTS, TIER_G100, i);
        prices[i] = 100;
    }
    enter_set(1, 64, SET_LEGS_MAX, legs, prices);
    go();
    cr_assert_eq(updates, SET_LEGS_MAX);
    filled(1, legs[63], SIDE_BUY, 100, 8, 56);
    go();
    cr_assert_eq(updates, SET_LEGS_MAX);
    expect_shared(legs[0], 100, 56);
    out(EVENT_CANCELED, 1, 0, SIDE_BUY, 100)->qty = 56;
    go();
    cr_assert_eq(updates, SET_LEGS_MAX);
    expect_nothing();
}

Test(shown, a_set_that_trades_on_arrival_shows_the_rest_and_one_that_is_filled_nothing)
{
    const uint64_t legs[] = {at(EIGHTS, TIER_G0, 0), at(EIGHTS, TIER_G0, 1)};
    const int64_t prices[] = {100, 110};
    enter_set(1, 24, 2, legs, prices);
    arrives_filled(1, legs[0], SIDE_BUY, 90, 8, 16);
    arrives_filled(1, legs[1], SIDE_BUY, 95, 8, 8);
    go();
    expect_shared(legs[0], 100, 8);
    expect_shared(legs[1], 110, 8);
    enter_set(2, 24, 2, legs, prices);
    arrives_filled(2, legs[0], SIDE_BUY, 90, 24, 0);
    go();
    expect_shared(legs[0], 100, 8);
    enter_set(3, 24, 2, legs, prices);
    arrives_filled(3, legs[0], SIDE_BUY, 90, 8, 16);
    struct event_out *rest = out(EVENT_CANCELED, 3, 0, SIDE_BUY, 110);
    rest->qty = 16;
    rest->resting = 0;
    go();
    expect_shared(legs[0], 100, 8);
    expect_shared(legs[1], 110, 8);
}

Test(shown, a_leg_that_ends_leaves_its_level_alone)
{
    const uint64_t legs[] = {at(EIGHTS, TIER_G0, 0), at(EIGHTS, TIER_G0, 1),
                             at(EIGHTS, TIER_G0, 2)};
    const int64_t prices[] = {100, 110, 120};
    enter_set(1, 64, 3, legs, prices);
    /* On arrival it would have met its own group there. */
    struct event_out *leg = out(EVENT_LEG_CANCELED, 1, legs[2], SIDE_BUY, 120);
    leg->leaves_qty = 64;
    leg->resting = 0;
    go();
    expect_shared(legs[0], 100, 64);
    expect_shared(legs[1], 110, 64);
    expect_shared(legs[2], 120, 0);
    out(EVENT_LEG_CANCELED, 1, legs[0], SIDE_BUY, 100)->leaves_qty = 64;
    go();
    cr_assert_eq(updates, TIER_COUNT, "the best bid of four tiers is gone, of no other hour");
    expect_shared(legs[0], 100, 0);
    filled(1, legs[1], SIDE_BUY, 110, 8, 56);
    go();
    expect_shared(legs[0], 100, 0);
    expect_shared(legs[1], 110, 56);
    out(EVENT_LEG_CANCELED, 1, legs[1], SIDE_BUY, 110)->leaves_qty = 56;
    out(EVENT_CANCELED, 1, 0, SIDE_BUY, 110)->qty = 56;
    go();
    expect_nothing();
}

Test(shown, a_larger_set_wakes_its_sleeping_legs_and_a_smaller_one_puts_them_to_sleep)
{
    const uint64_t legs[] = {at(EIGHTS, TIER_G0, 0), at(ONES, TIER_G0, 0)};
    const int64_t prices[] = {100, 110};
    enter_set(1, 16, 2, legs, prices);
    go();
    struct event_replaced *event = replaced(1, 0, SIDE_BUY, 110, 5);
    event->old_leaves_qty = 16;
    event->kept_priority = 1;
    go();
    expect_shared(legs[0], 100, 0);
    expect_shared(legs[1], 110, 5);
    event = replaced(1, 0, SIDE_BUY, 110, 20);
    event->old_leaves_qty = 5;
    arrives_filled(1, legs[1], SIDE_BUY, 108, 3, 17);
    go();
    expect_shared(legs[0], 100, 16);
    expect_shared(legs[1], 110, 17);
}

Test(shown, self_trade_prevention_reduces_a_set_in_all_its_legs)
{
    const uint64_t legs[] = {at(EIGHTS, TIER_G0, 0), at(ONES, TIER_G0, 0)};
    const int64_t prices[] = {100, 110};
    enter_set(1, 16, 2, legs, prices);
    go();
    struct event_out *less = out(EVENT_RESTATED, 1, legs[1], SIDE_BUY, 110);
    less->qty = 4;
    less->leaves_qty = 12;
    go();
    expect_shared(legs[0], 100, 8);
    expect_shared(legs[1], 110, 12);
    out(EVENT_CANCELED, 1, 0, SIDE_BUY, 110)->qty = 12;
    go();
    expect_nothing();
}

Test(shown, firm_and_shared_quantity_stand_apart_in_levels_and_best_prices)
{
    const uint64_t low = at(EIGHTS, TIER_G0, 0);
    const uint64_t high = at(EIGHTS, TIER_G80, 0);
    const uint64_t legs[] = {low, at(EIGHTS, TIER_G0, 7)};
    const int64_t prices[] = {100, 90};
    struct market_data_depth depth;
    enter(5, high, SIDE_BUY, 100, 24);
    go();
    enter_set(1, 16, 2, legs, prices);
    go();
    enter(6, low, SIDE_BUY, 100, 8);
    go();
    expect(low, SIDE_BUY, 100, (struct level_row){.qty = 8, .shared_qty = 16, .orders = 2});
    market_data_find(market_data, high, &depth);
    cr_assert_eq(depth.best.bid_e4, 100);
    cr_assert_eq(depth.best.bid_qty, 32);
    cr_assert_eq(depth.best.bid_shared_qty, 16);
    /* A level of nothing but shared quantity is there, and is the best bid. */
    canceled(6, low, SIDE_BUY, 100, 8);
    canceled(5, high, SIDE_BUY, 100, 24);
    go();
    expect_shared(low, 100, 16);
    market_data_find(market_data, high, &depth);
    cr_assert_eq(depth.best.bid_e4, 100);
    cr_assert_eq(depth.best.bid_qty, 0);
    cr_assert_eq(depth.best.bid_shared_qty, 16);
}

/* --- JOBs ------------------------------------------------------------------------------------------ */

Test(shown, a_job_shows_nothing_whatever_becomes_of_it)
{
    const uint64_t contract = at(ONES, TIER_G80, 0);
    add(EVENT_JOB)->job = (struct event_job){.order_id = 9999, .qty = 8, .hours = 2};
    add(EVENT_JOB_LANES)->job_lanes.order_id = 9999;
    add(EVENT_MISS)->miss.order_id = 9999;
    go();
    struct event_replaced *event = replaced(9999, 0, SIDE_BUY, 100, 16);
    event->old_leaves_qty = 8;
    go();
    enter(1, contract, SIDE_SELL, 100, 8);
    go();
    add(EVENT_TRADE)->trade = (struct event_trade){.contract = contract,
                                                   .price_e4 = 100,
                                                   .qty = 8,
                                                   .fill_id = 1,
                                                   .condition = TRADE_CONTINGENT};
    job_filled(contract, 100, 8, 8);
    filled(1, contract, SIDE_SELL, 100, 8, 0);
    go();
    cr_assert_eq(trades, 1);
    expect_nothing();
    struct event_out *over = out(EVENT_CANCELED, 9999, 0, SIDE_BUY, 100);
    over->qty = 16;
    over->resting = 0;
    go();
    cr_assert_eq(updates, 0);
    expect_nothing();
}
