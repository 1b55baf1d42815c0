#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "exchange/market_data.h"
#include "exchange/market_data_pub.h"

#define HOUR_FIRST     490000u
#define CONTRACTS      48
#define ORDERS_MAX     400
#define LEVELS_MAX     64
#define COMMANDS       4000
#define EVENTS_MAX     64
#define PRICE_FIRST_E4 100
#define PRICE_COUNT    12

struct order {
    uint64_t id;
    uint64_t contract;
    int64_t price_e4;
    int64_t leaves_qty;
    uint8_t side;
};

/* What a subscriber knows of a contract, kept as the messages say. */
struct follower {
    uint64_t seq;
    struct market_data_best best;
    uint8_t phase;
    uint32_t count;
    struct md_level_row levels[LEVELS_MAX];
};

struct world {
    struct random random;
    struct market_data_state *market_data;
    struct order orders[ORDERS_MAX];
    uint32_t order_count;
    uint64_t next_order_id;
    uint64_t next_fill_id;
    uint64_t seq;
    struct event events[EVENTS_MAX];
    uint32_t event_count;
    struct follower followers[CONTRACTS];
    uint32_t updates;
    uint32_t trades_told;
    struct md_trade_row told; /* the last of them */
    uint8_t phase;            /* of all hours */
};

static uint64_t contract_of(uint32_t number)
{
    return contract_pack((uint16_t)(number % 2), (uint16_t)(number / 2 % 2),
                         (uint8_t)(number / 4 % 4), HOUR_FIRST + number / 16);
}

static struct follower *follower_of(struct world *world, uint64_t contract)
{
    uint32_t number = contract_class(contract) + 2u * contract_region(contract) +
                      4u * contract_tier(contract) + 16u * (contract_hour(contract) - HOUR_FIRST);
    CHECK(number < CONTRACTS && contract_of(number) == contract);
    return &world->followers[number];
}

static void follow_level(struct follower *follower, const struct md_level_row *level)
{
    uint32_t i = 0;
    while (i < follower->count && (follower->levels[i].price_e4 != level->price_e4 ||
                                   follower->levels[i].side != level->side)) {
        i++;
    }
    if (level->orders > 0) {
        CHECK(i < LEVELS_MAX);
        follower->count += i == follower->count;
        follower->levels[i] = *level;
    } else if (i < follower->count) {
        follower->levels[i] = follower->levels[--follower->count];
    }
}

static uint8_t phase_of(void *context, uint64_t contract)
{
    const struct world *world = context;
    (void)contract;
    return world->phase;
}

static void follow(void *context, const struct market_data_update *update)
{
    struct world *world = context;
    struct follower *follower = follower_of(world, update->contract);
    cr_assert(update->seq == world->seq && update->time_ns == (int64_t)world->seq * 10);
    cr_assert(update->prev_seq == 0 || update->prev_seq == follower->seq,
              "prev_seq %lu, last message %lu", update->prev_seq, follower->seq);
    cr_assert(follower->seq < update->seq, "two messages of one command and contract");
    if (update->prev_seq == 0) {
        follower->count = 0;
    }
    for (uint32_t i = 0; i < update->level_count; i++) {
        follow_level(follower, &update->levels[i]);
    }
    follower->seq = update->seq;
    follower->best = update->best;
    follower->phase = update->auction.phase;
    world->updates++;
    world->trades_told += update->trade_count;
    if (update->trade_count > 0) {
        world->told = update->trades[update->trade_count - 1];
    }
}

static struct event *add_event(struct world *world, uint8_t type)
{
    CHECK(world->event_count < EVENTS_MAX);
    struct event *event = &world->events[world->event_count];
    *event = (struct event){.head = {.seq = world->seq,
                                     .time_ns = (int64_t)world->seq * 10,
                                     .index = world->event_count,
                                     .type = type}};
    world->event_count++;
    return event;
}

static void add_fill(struct world *world, const struct order *order, int64_t price_e4, int64_t qty,
                     uint8_t resting)
{
    add_event(world, EVENT_FILL)->fill = (struct event_fill){.order_id = order->id,
                                                             .contract = order->contract,
                                                             .price_e4 = price_e4,
                                                             .qty = qty,
                                                             .leaves_qty = order->leaves_qty,
                                                             .side = order->side,
                                                             .resting = resting};
}

static void add_out(struct world *world, const struct order *order, uint8_t type, int64_t qty,
                    uint8_t resting)
{
    add_event(world, type)->out = (struct event_out){.order_id = order->id,
                                                     .contract = order->contract,
                                                     .price_e4 = order->price_e4,
                                                     .qty = qty,
                                                     .leaves_qty = order->leaves_qty,
                                                     .side = order->side,
                                                     .resting = resting};
}

static void drop_if_over(struct world *world, uint32_t i)
{
    if (world->orders[i].leaves_qty == 0) {
        world->orders[i] = world->orders[--world->order_count];
    }
}

/* The arriving order trades with, or takes by self-trade prevention, some orders of the other side. */
static void arrive(struct world *world, struct order *arriving)
{
    for (uint32_t i = 0; i < world->order_count && arriving->leaves_qty > 0; i++) {
        struct order *resting = &world->orders[i];
        bool meets =
            resting->side != arriving->side &&
            contract_with_tier(resting->contract, 0) == contract_with_tier(arriving->contract, 0) &&
            random_below(&world->random, 6) == 0;
        if (!meets) {
            continue;
        }
        int64_t qty =
            arriving->leaves_qty < resting->leaves_qty ? arriving->leaves_qty : resting->leaves_qty;
        arriving->leaves_qty -= qty;
        resting->leaves_qty -= qty;
        if (random_below(&world->random, 4) == 0) {
            add_out(world, resting, resting->leaves_qty > 0 ? EVENT_RESTATED : EVENT_CANCELED, qty,
                    1);
            add_out(world, arriving, arriving->leaves_qty > 0 ? EVENT_RESTATED : EVENT_CANCELED,
                    qty, 0);
        } else {
            const struct order *bid = arriving->side == SIDE_BUY ? arriving : resting;
            add_event(world, EVENT_TRADE)->trade =
                (struct event_trade){.fill_id = ++world->next_fill_id,
                                     .contract = bid->contract,
                                     .price_e4 = resting->price_e4,
                                     .qty = qty,
                                     .aggressor = arriving->side};
            add_fill(world, arriving, resting->price_e4, qty, 0);
            add_fill(world, resting, resting->price_e4, qty, 1);
        }
        drop_if_over(world, i);
    }
    if (arriving->leaves_qty == 0) {
        return;
    }
    if (random_below(&world->random, 4) == 0 || world->order_count == ORDERS_MAX) {
        int64_t qty = arriving->leaves_qty;
        arriving->leaves_qty = 0;
        add_out(world, arriving, EVENT_CANCELED, qty, 0);
    } else {
        world->orders[world->order_count++] = *arriving;
    }
}

static int64_t random_price(struct world *world)
{
    return PRICE_FIRST_E4 + (int64_t)random_below(&world->random, PRICE_COUNT);
}

static void enter(struct world *world)
{
    struct order order = {.id = ++world->next_order_id,
                          .contract =
                              contract_of((uint32_t)random_below(&world->random, CONTRACTS)),
                          .price_e4 = random_price(world),
                          .leaves_qty = random_between(&world->random, 1, 20),
                          .side = (uint8_t)random_below(&world->random, 2)};
    add_event(world, EVENT_NEW)->new_order = (struct event_new){.order_id = order.id,
                                                                .contract = order.contract,
                                                                .price_e4 = order.price_e4,
                                                                .qty = order.leaves_qty,
                                                                .side = order.side};
    arrive(world, &order);
}

static void replace(struct world *world, uint32_t i)
{
    struct order order = world->orders[i];
    bool kept = order.leaves_qty > 1 && random_below(&world->random, 2) == 0;
    struct order fresh = order;
    fresh.leaves_qty = kept ? order.leaves_qty - 1 : random_between(&world->random, 1, 20);
    fresh.price_e4 = kept ? order.price_e4 : random_price(world);
    add_event(world, EVENT_REPLACED)->replaced =
        (struct event_replaced){.order_id = order.id,
                                .contract = order.contract,
                                .price_e4 = fresh.price_e4,
                                .qty = fresh.leaves_qty,
                                .leaves_qty = fresh.leaves_qty,
                                .old_price_e4 = order.price_e4,
                                .old_leaves_qty = order.leaves_qty,
                                .side = order.side,
                                .kept_priority = kept};
    if (kept) {
        world->orders[i] = fresh;
    } else {
        world->orders[i] = world->orders[--world->order_count];
        arrive(world, &fresh);
    }
}

/* Seldom a sweep. */
static void cancel_some(struct world *world)
{
    uint64_t bound = random_below(&world->random, 50) == 0 ? 40 : 3;
    for (uint64_t left = random_below(&world->random, bound); left > 0 && world->order_count > 0;
         left--) {
        uint32_t i = (uint32_t)random_below(&world->random, world->order_count);
        int64_t qty = world->orders[i].leaves_qty;
        world->orders[i].leaves_qty = 0;
        add_out(world, &world->orders[i], EVENT_CANCELED, qty, 1);
        drop_if_over(world, i);
    }
}

static void step(struct world *world)
{
    world->seq++;
    world->event_count = 0;
    uint64_t what = random_below(&world->random, 10);
    if (what < 1) {
        cancel_some(world);
    }
    if (what >= 1 && what < 3 && world->order_count > 0) {
        replace(world, (uint32_t)random_below(&world->random, world->order_count));
    } else if (what >= 3 && what < 9) {
        enter(world);
    } else {
        add_event(world, EVENT_TIME);
    }
    world->events[world->event_count - 1].head.flags |= EVENT_LAST;
    for (uint32_t i = 0; i < world->event_count; i++) {
        market_data_apply(world->market_data, &world->events[i]);
    }
}

/* Depth and best prices computed the slow way, from all orders. */
static struct md_level_row naive_level(const struct world *world, uint64_t contract, uint8_t side,
                                       int64_t price_e4)
{
    struct md_level_row level = {.price_e4 = price_e4, .side = side};
    for (uint32_t i = 0; i < world->order_count; i++) {
        const struct order *order = &world->orders[i];
        if (order->contract == contract && order->side == side && order->price_e4 == price_e4) {
            level.qty += order->leaves_qty;
            level.orders++;
        }
    }
    return level;
}

static struct market_data_best naive_best(const struct world *world, uint64_t contract)
{
    struct market_data_best best = {0};
    for (int64_t step_e4 = 0; step_e4 < PRICE_COUNT; step_e4++) {
        int64_t bid_e4 = PRICE_FIRST_E4 + step_e4;
        int64_t offer_e4 = PRICE_FIRST_E4 + PRICE_COUNT - 1 - step_e4;
        int64_t bid_qty = 0;
        int64_t offer_qty = 0;
        for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
            uint64_t at = contract_with_tier(contract, tier);
            if (tier <= contract_tier(contract)) {
                bid_qty += naive_level(world, at, SIDE_BUY, bid_e4).qty;
            }
            if (tier >= contract_tier(contract)) {
                offer_qty += naive_level(world, at, SIDE_SELL, offer_e4).qty;
            }
        }
        if (bid_qty > 0) {
            best.bid_e4 = bid_e4;
            best.bid_qty = bid_qty;
        }
        if (offer_qty > 0) {
            best.offer_e4 = offer_e4;
            best.offer_qty = offer_qty;
        }
    }
    return best;
}

static bool same_best(const struct market_data_best *a, const struct market_data_best *b)
{
    return a->bid_e4 == b->bid_e4 && a->bid_qty == b->bid_qty && a->offer_e4 == b->offer_e4 &&
           a->offer_qty == b->offer_qty;
}

static uint32_t compare_side(const struct world *world, uint64_t contract, uint8_t side,
                             const struct level_row *levels, uint32_t count)
{
    uint32_t expected = 0;
    for (int64_t i = 0; i < PRICE_COUNT; i++) {
        int64_t price_e4 =
            side == SIDE_BUY ? PRICE_FIRST_E4 + PRICE_COUNT - 1 - i : PRICE_FIRST_E4 + i;
        struct md_level_row level = naive_level(world, contract, side, price_e4);
        if (level.qty == 0) {
            continue;
        }
        cr_assert(expected < count);
        cr_assert(levels[expected].price_e4 == price_e4 && levels[expected].qty == level.qty &&
                  levels[expected].orders == level.orders);
        expected++;
    }
    cr_assert(expected == count);
    return count;
}

static void compare_contract(struct world *world, uint64_t contract)
{
    struct market_data_depth depth;
    market_data_find(world->market_data, contract, &depth);
    cr_assert(depth.tape_seq == world->seq);
    uint32_t levels = compare_side(world, contract, SIDE_BUY, depth.bids, depth.bid_count) +
                      compare_side(world, contract, SIDE_SELL, depth.offers, depth.offer_count);
    struct market_data_best best = naive_best(world, contract);
    cr_assert(same_best(&depth.best, &best));

    const struct follower *follower = follower_of(world, contract);
    cr_assert(same_best(&follower->best, &best), "what was published is not what is so");
    cr_assert(follower->count == levels);
    cr_assert(depth.seq == (levels > 0 ? follower->seq : 0));
    for (uint32_t i = 0; i < follower->count; i++) {
        struct md_level_row level =
            naive_level(world, contract, follower->levels[i].side, follower->levels[i].price_e4);
        cr_assert(level.qty == follower->levels[i].qty &&
                  level.orders == follower->levels[i].orders);
    }
}

static struct world *new_world(uint64_t seed)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world);
    random_seed(&world->random, seed);
    world->phase = PHASE_CONTINUOUS;
    world->market_data = market_data_new(follow, world, phase_of, world);
    return world;
}

static void free_world(struct world *world)
{
    market_data_free(world->market_data);
    free(world);
}

Test(market_data, depth_and_messages_equal_what_all_orders_give)
{
    uint64_t seed = (uint64_t)time(NULL);
    cr_log_info("seed %lu", seed);
    struct world *world = new_world(seed);
    uint32_t most_orders = 0;
    for (uint32_t i = 0; i < COMMANDS; i++) {
        step(world);
        most_orders = world->order_count > most_orders ? world->order_count : most_orders;
        for (uint32_t contract = 0; contract < CONTRACTS; contract++) {
            compare_contract(world, contract_of(contract));
        }
    }
    cr_assert(most_orders > 40, "seed %lu: %u orders", seed, most_orders);
    cr_assert(world->updates > COMMANDS / 2 && world->trades_told == world->next_fill_id,
              "seed %lu: %u updates, %u of %lu trades", seed, world->updates, world->trades_told,
              world->next_fill_id);
    free_world(world);
}

Test(market_data, forgets_ladders_without_depth)
{
    struct world *world = new_world(1);
    while (world->order_count < 60) {
        step(world);
    }
    cr_assert(market_data_ladders(world->market_data) > 0);
    while (world->order_count > 0) {
        world->seq++;
        world->event_count = 0;
        cancel_some(world);
        add_event(world, EVENT_TIME)->head.flags |= EVENT_LAST;
        for (uint32_t i = 0; i < world->event_count; i++) {
            market_data_apply(world->market_data, &world->events[i]);
        }
    }
    cr_assert(market_data_ladders(world->market_data) == 0);
    free_world(world);
}

Test(market_data, prints_a_trade_in_the_bids_contract_and_changes_depth_in_the_offers)
{
    struct world *world = new_world(1);
    uint64_t offered = contract_pack(0, 0, TIER_G100, HOUR_FIRST);
    uint64_t wanted = contract_pack(0, 0, TIER_G0, HOUR_FIRST);
    struct order offer = {
        .id = 1, .contract = offered, .price_e4 = 105, .leaves_qty = 8, .side = 1};
    struct order bid = {.id = 2, .contract = wanted, .price_e4 = 105, .leaves_qty = 0};
    world->seq = 1;
    add_event(world, EVENT_NEW)->new_order = (struct event_new){
        .order_id = 1, .contract = offered, .price_e4 = 105, .qty = 10, .side = SIDE_SELL};
    world->events[0].head.flags = EVENT_LAST;
    market_data_apply(world->market_data, &world->events[0]);
    cr_assert(follower_of(world, wanted)->best.offer_qty == 10);

    world->seq = 2;
    world->event_count = 0;
    add_event(world, EVENT_NEW)->new_order = (struct event_new){
        .order_id = 2, .contract = wanted, .price_e4 = 105, .qty = 2, .side = SIDE_BUY};
    add_event(world, EVENT_TRADE)->trade =
        (struct event_trade){.fill_id = 1, .contract = wanted, .price_e4 = 105, .qty = 2};
    add_fill(world, &bid, 105, 2, 0);
    add_fill(world, &offer, 105, 2, 1);
    world->events[3].head.flags = EVENT_LAST;
    for (uint32_t i = 0; i < 4; i++) {
        market_data_apply(world->market_data, &world->events[i]);
    }
    cr_assert(world->trades_told == 1);
    cr_assert(follower_of(world, wanted)->seq == 2 && follower_of(world, wanted)->count == 0);
    cr_assert(follower_of(world, offered)->levels[0].qty == 8);
    free_world(world);
}

Test(market_data, a_trade_of_an_auction_says_of_which_and_names_no_aggressor)
{
    struct world *world = new_world(1);
    static const struct {
        uint8_t condition, aggressor, auction, contingent;
    } trades[] = {
        {TRADE_REGULAR, SIDE_SELL, AUCTION_NONE, 0},
        {TRADE_CONTINGENT, SIDE_BUY, AUCTION_NONE, 1},
        {TRADE_OPENING, AGGRESSOR_NONE, AUCTION_OPENING, 0},
        {TRADE_PERIODIC, AGGRESSOR_NONE, AUCTION_PERIODIC, 0},
        {TRADE_VOLATILITY, AGGRESSOR_NONE, AUCTION_VOLATILITY, 0},
    };
    for (size_t i = 0; i < sizeof trades / sizeof trades[0]; i++) {
        world->seq++;
        world->event_count = 0;
        struct event *event = add_event(world, EVENT_TRADE);
        event->trade = (struct event_trade){.fill_id = i + 1,
                                            .contract = contract_of(0),
                                            .price_e4 = 105,
                                            .qty = 2,
                                            .aggressor = trades[i].aggressor,
                                            .condition = trades[i].condition};
        event->head.flags = EVENT_LAST;
        market_data_apply(world->market_data, event);
        cr_assert_eq(world->told.aggressor, trades[i].aggressor, "trade %zu", i);
        cr_assert_eq(world->told.auction, trades[i].auction, "trade %zu", i);
        cr_assert_eq(world->told.contingent, trades[i].contingent, "trade %zu", i);
    }
    free_world(world);
}

Test(market_data, a_halt_is_told_in_every_contract_of_its_scope_that_shows_something)
{
    struct world *world = new_world(1);
    uint64_t inside = contract_pack(1, 0, TIER_G50, HOUR_FIRST);
    uint64_t outside = contract_pack(0, 0, TIER_G50, HOUR_FIRST);
    for (uint64_t id = 1; id <= 2; id++) {
        world->seq++;
        world->event_count = 0;
        struct event *event = add_event(world, EVENT_NEW);
        event->new_order = (struct event_new){.order_id = id,
                                              .contract = id == 1 ? inside : outside,
                                              .price_e4 = 105,
                                              .qty = 10,
                                              .side = SIDE_SELL};
        event->head.flags = EVENT_LAST;
        market_data_apply(world->market_data, event);
    }
    world->seq++;
    world->event_count = 0;
    uint32_t before = world->updates;
    struct event *event = add_event(world, EVENT_HALT);
    event->halt = (struct event_halt){.class_id = 1, .filter = SCOPE_CLASS, .halted = 1};
    event->head.flags = EVENT_LAST;
    world->phase = PHASE_HALTED;
    market_data_apply(world->market_data, event);
    cr_assert(world->updates == before + 2, "the offer's tier and the one below it");
    cr_assert(follower_of(world, inside)->phase == PHASE_HALTED);
    cr_assert(follower_of(world, inside)->seq == 3 && follower_of(world, inside)->count == 1);
    cr_assert(follower_of(world, contract_with_tier(inside, TIER_G0))->seq == 3);
    cr_assert(follower_of(world, outside)->seq == 2);
    free_world(world);
}

/* One command of one event. */
static void go(struct world *world, uint8_t type)
{
    world->seq++;
    world->event_count = 0;
    add_event(world, type)->head.flags = EVENT_LAST;
    market_data_apply(world->market_data, &world->events[0]);
}

Test(market_data, a_watched_contract_tells_of_its_phase_without_orders_until_nobody_watches)
{
    struct world *world = new_world(1);
    uint64_t watched = contract_of(5);
    go(world, EVENT_TIME);
    market_data_watch(world->market_data, watched, true);
    cr_assert_eq(market_data_ladders(world->market_data), 1);
    go(world, EVENT_TIME);
    cr_assert_eq(world->updates, 0, "the phase has not changed");
    const uint8_t phases[] = {PHASE_PRE_OPEN, PHASE_OPENING, PHASE_CONTINUOUS, PHASE_CLOSED};
    for (uint32_t i = 0; i < sizeof phases; i++) {
        world->phase = phases[i];
        world->seq += NS_PER_SECOND / 10 - 1; /* a second later */
        go(world, EVENT_TIME);
        cr_assert_eq(world->updates, i + 1, "this contract and no other tier");
        cr_assert_eq(follower_of(world, watched)->phase, phases[i]);
        go(world, EVENT_TIME);
        cr_assert_eq(world->updates, i + 1, "told once");
    }
    market_data_watch(world->market_data, watched, false);
    market_data_watch(world->market_data, watched, false);
    world->phase = PHASE_CONTINUOUS;
    go(world, EVENT_HALT);
    cr_assert_eq(world->updates, sizeof phases);
    cr_assert_eq(market_data_ladders(world->market_data), 0);
    free_world(world);
}

/* Whoever connects may name any symbol. */
Test(market_data, the_first_of_all_hours_can_be_asked_for_and_is_watched_by_nobody)
{
    struct world *world = new_world(1);
    for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
        market_data_watch(world->market_data, contract_pack(0, 0, tier, 0), true);
        cr_assert_eq(market_data_ladders(world->market_data), 0);
        go(world, EVENT_TIME);
        market_data_watch(world->market_data, contract_pack(0, 0, tier, 0), false);
    }
    free_world(world);
}

Test(market_data, hours_are_watched_and_left_without_a_trace_while_no_command_comes)
{
    struct world *world = new_world(1);
    go(world, EVENT_TIME);
    for (uint32_t i = 0; i < 3 * MARKET_DATA_WATCHED_MAX; i++) {
        uint64_t contract = contract_pack(0, 0, TIER_G0, HOUR_FIRST + i);
        market_data_watch(world->market_data, contract, true);
        market_data_watch(world->market_data, contract, false);
        cr_assert_eq(market_data_ladders(world->market_data), 0);
    }
    go(world, EVENT_TIME);
    cr_assert_eq(world->updates, 0);
    free_world(world);
}

Test(market_data, a_gate_is_told_where_orders_stand_before_they_are_taken_out)
{
    struct world *world = new_world(1);
    uint64_t contract = contract_of(0);
    world->seq = (HOUR_FIRST - 1) * (NS_PER_HOUR / 10);
    world->event_count = 0;
    struct event *event = add_event(world, EVENT_GENESIS);
    event->genesis = (struct event_genesis){.horizon_hours = 840, .gate_lead_s = 600};
    event->head.flags = EVENT_LAST;
    market_data_apply(world->market_data, event);
    world->seq++;
    world->event_count = 0;
    event = add_event(world, EVENT_NEW);
    event->new_order = (struct event_new){
        .order_id = 1, .contract = contract, .price_e4 = 105, .qty = 10, .side = SIDE_SELL};
    event->head.flags = EVENT_LAST;
    market_data_apply(world->market_data, event);
    cr_assert_eq(follower_of(world, contract)->phase, PHASE_CONTINUOUS);
    world->phase = PHASE_CLOSED;
    world->seq = HOUR_FIRST * (NS_PER_HOUR / 10) - 60 * NS_PER_SECOND - 1;
    go(world, EVENT_TIME);
    cr_assert_eq(follower_of(world, contract)->phase, PHASE_CLOSED);
    cr_assert_eq(follower_of(world, contract)->count, 1);
    free_world(world);
}

/* Takes one message of two parts; false when none comes within the time. */
static bool take_message(void *sub, char topic[80], struct message *message, int timeout_ms)
{
    static uint8_t bytes[CODEC_MESSAGE_MAX];
    zmq_pollitem_t item = {.socket = sub, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, timeout_ms) <= 0) {
        return false;
    }
    int length = zmq_recv(sub, topic, 79, 0);
    CHECK(length > 0 && length < 80);
    topic[length] = '\0';
    length = zmq_recv(sub, bytes, sizeof(bytes), 0);
    struct codec_cursor cursor;
    cr_assert(length > 0 && codec_decode_begin(&cursor, bytes, (size_t)length) == 0);
    cr_assert(codec_decode_next(&cursor, message) == 0 && message->type == MESSAGE_MARKET_DATA);
    return true;
}

static void name_lane(struct replica_registry *registry)
{
    struct event event = {.head = {.type = EVENT_CLASS}};
    memcpy(event.class_.name, "H100", 4);
    replica_registry_apply(registry, &event, 0);
    event = (struct event){.head = {.type = EVENT_REGION}};
    memcpy(event.region.name, "CN-GZ", 5);
    replica_registry_apply(registry, &event, 1);
}

/* Until the market's ladder hours are so many. */
static bool await_ladders(struct market_data_pub *pub, const struct replica_registry *registry,
                          struct market_data_state *market_data, size_t count)
{
    int64_t until_ns = clock_monotonic_ns() + 20 * NS_PER_SECOND;
    while (market_data_ladders(market_data) != count && clock_monotonic_ns() < until_ns) {
        zmq_pollitem_t item = {.socket = market_data_pub_socket(pub), .events = ZMQ_POLLIN};
        (void)zmq_poll(&item, 1, 10);
        market_data_pub_take(pub, registry, market_data);
        struct event tick = {.head = {.type = EVENT_TIME, .flags = EVENT_LAST}};
        market_data_apply(market_data, &tick);
    }
    return market_data_ladders(market_data) == count;
}

Test(market_data, what_is_subscribed_to_by_its_whole_symbol_is_watched)
{
    struct world *world = new_world(1);
    struct replica_registry registry;
    replica_registry_init(&registry);
    name_lane(&registry);
    void *context = zmq_ctx_new();
    char endpoint[ENDPOINT_SIZE] = "inproc://market-data";
    struct market_data_pub *pub;
    struct error error;
    cr_assert(market_data_pub_open(&pub, context, endpoint, 1000, &error) == 0, "%s", error.text);
    void *sub = zmq_socket(context, ZMQ_SUB);
    CHECK(zmq_connect(sub, endpoint) == 0);
    static const char *const topics[] = {"md.H100.CN-GZ.",
                                         "md.",
                                         "",
                                         "ix.H100.CN-GZ.G80.20261121T14Z",
                                         "md.NONE.CN-GZ.G80.20261121T14Z",
                                         "md.H100.CN-GZ.G80.20261121T14Z",
                                         "md.H100.CN-GZ.G0.20261121T14Z",
                                         "md.H100.CN-GZ.G80.20261121T15Z"};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        CHECK(zmq_setsockopt(sub, ZMQ_SUBSCRIBE, topics[i], strlen(topics[i])) == 0);
    }
    cr_assert(await_ladders(pub, &registry, world->market_data, 2), "two hours");
    CHECK(zmq_setsockopt(sub, ZMQ_UNSUBSCRIBE, topics[7], strlen(topics[7])) == 0);
    cr_assert(await_ladders(pub, &registry, world->market_data, 1));
    zmq_close(sub);
    cr_assert(await_ladders(pub, &registry, world->market_data, 0), "who goes watches no more");
    market_data_pub_close(pub);
    zmq_ctx_term(context);
    replica_registry_free(&registry);
    free_world(world);
}

Test(market_data, an_update_too_large_for_a_message_goes_out_in_several_of_one_seq)
{
    enum { LEVELS = 3 * CODEC_LEVELS_MAX - 5, TRADES = CODEC_ROWS_MAX + 1 };
    struct replica_registry registry;
    replica_registry_init(&registry);
    name_lane(&registry);
    void *context = zmq_ctx_new();
    char endpoint[ENDPOINT_SIZE] = "inproc://market-data";
    struct market_data_pub *pub;
    struct error error;
    cr_assert(market_data_pub_open(&pub, context, endpoint, 1000, &error) == 0, "%s", error.text);
    void *sub = zmq_socket(context, ZMQ_SUB);
    CHECK(zmq_connect(sub, endpoint) == 0 &&
          zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "md.H100.", 8) == 0);

    static struct md_level_row levels[LEVELS];
    static struct md_trade_row trades[TRADES];
    for (int i = 0; i < LEVELS; i++) {
        levels[i] = (struct md_level_row){.price_e4 = 1000 + i, .qty = 1 + i, .orders = 1};
    }
    for (uint64_t i = 0; i < TRADES; i++) {
        trades[i] = (struct md_trade_row){.fill_id = i + 1, .price_e4 = 1000, .qty = 1};
    }
    struct market_data_update update = {.contract = contract_pack(0, 0, TIER_G80, HOUR_FIRST),
                                        .seq = 1,
                                        .levels = levels,
                                        .trades = trades};
    static struct message message;
    char topic[80];
    /* The subscription is on its way; the first small update that arrives shows that it is there. */
    int64_t until_ns = clock_monotonic_ns() + 20 * NS_PER_SECOND;
    do {
        market_data_pub_send(pub, &registry, &update);
    } while (!take_message(sub, topic, &message, 10) && clock_monotonic_ns() < until_ns);
    cr_assert(strncmp(topic, "md.H100.CN-GZ.G80.", 18) == 0);

    update.seq = 7;
    update.prev_seq = 1;
    update.level_count = LEVELS;
    update.trade_count = TRADES;
    market_data_pub_send(pub, &registry, &update);
    uint32_t level_count = 0;
    uint32_t trade_count = 0;
    do {
        cr_assert(take_message(sub, topic, &message, 20000));
        const struct market_data *data = &message.market_data;
        cr_assert(data->seq == 1 || (data->seq == 7 && data->prev_seq == 1));
        for (uint32_t i = 0; i < data->level_count; i++) {
            cr_assert(data->levels[i].price_e4 == 1000 + (int64_t)level_count++);
        }
        for (uint32_t i = 0; i < data->trade_count; i++) {
            cr_assert(data->trades[i].fill_id == ++trade_count);
        }
        bool last = level_count == LEVELS && trade_count == TRADES;
        cr_assert(data->seq == 1 || data->continued == !last);
    } while (message.market_data.seq == 1 || message.market_data.continued);
    cr_assert(level_count == LEVELS && trade_count == TRADES);
    zmq_close(sub);
    market_data_pub_close(pub);
    zmq_ctx_term(context);
    replica_registry_free(&registry);
}
