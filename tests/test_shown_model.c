/* Depth from events against the slow model: random commands of every kind, and after them every level
 * of every contract is what the model's orders show, counted one by one. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "exchange/market_data.h"
#include "tests/model_random.h"

#define COMMANDS      6000
#define COMPARE_EVERY 4

struct level {
    uint64_t contract;
    uint8_t side;
    struct level_row row;
};

static struct level levels[MODEL_ORDERS_MAX];
static uint32_t level_count;
static uint64_t kinds_seen
    [4]; /* comparisons with slices, shared quantity, reserved offers, indicative prices */

static void ignore(void *context, const struct market_data_update *update)
{
    (void)context;
    (void)update;
}

static uint8_t phase(void *context, uint64_t contract)
{
    return model_auction_phase(context, contract);
}

/* A leg that sleeps only because an auction collects in its hour is shown all the same. */
static bool is_shown(const struct model *model, const struct model_order *order)
{
    return model_book_stands(order) || model_order_reserved(order) ||
           (order->kind == MODEL_LEG && model_set_tradeable(model, order) > 0);
}

static void count_order(const struct model *model, const struct model_order *order)
{
    uint32_t place = 0;
    kinds_seen[2] += model_order_reserved(order);
    if (!is_shown(model, order)) {
        return;
    }
    while (place < level_count &&
           (levels[place].contract != order->contract || levels[place].side != order->side ||
            levels[place].row.price_e4 != order->price_e4)) {
        place++;
    }
    if (place == level_count) {
        levels[level_count++] = (struct level){
            .contract = order->contract, .side = order->side, .row = {.price_e4 = order->price_e4}};
    }
    const int64_t shown = model_book_shown(model, order);
    *(model_order_reserved(order) ? &levels[place].row.reserved_qty
      : order->kind == MODEL_LEG  ? &levels[place].row.shared_qty
                                  : &levels[place].row.qty) += shown;
    levels[place].row.orders++;
    kinds_seen[0] += order->kind != MODEL_LEG && shown != order->leaves_qty;
    kinds_seen[1] += order->kind == MODEL_LEG;
}

static bool same_level(const struct market_data_state *market_data, const struct level *level)
{
    struct market_data_depth depth;
    market_data_find(market_data, level->contract, &depth);
    const struct level_row *rows = level->side == SIDE_BUY ? depth.bids : depth.offers;
    const uint32_t count = level->side == SIDE_BUY ? depth.bid_count : depth.offer_count;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].price_e4 == level->row.price_e4) {
            return memcmp(&rows[i], &level->row, sizeof(rows[i])) == 0;
        }
    }
    return false;
}

/* What market data says of auctions is what the model has under way. */
static void compare_auctions(const struct model *model, const struct market_data_state *market_data,
                             uint64_t seed)
{
    for (uint32_t i = 0; i < model->auction_count; i++) {
        const struct model_auction *auction = &model->auctions[i];
        for (uint8_t t = 0; t < TIER_COUNT; t++) {
            struct market_data_depth depth;
            market_data_find(market_data, contract_with_tier(auction->contract, t), &depth);
            cr_assert(depth.auction.end_ns != 0 &&
                          depth.auction.indicative_e4 == auction->price_e4[t] &&
                          depth.auction.indicative_qty == auction->qty[t],
                      "seed %" PRIu64 ", command %" PRIu64, seed, model->seq);
            kinds_seen[3] += auction->qty[t] > 0;
        }
    }
    for (uint32_t i = 0; i < level_count; i++) {
        struct market_data_depth depth;
        market_data_find(market_data, levels[i].contract, &depth);
        struct model *readable = (struct model *)(uintptr_t)model; /* its reads take no const */
        cr_assert_eq(depth.auction.end_ns != 0,
                     model_auction_under_way(readable, levels[i].contract), "seed %" PRIu64, seed);
    }
}

/* Levels that market data has in the contracts that the model has some in. */
static uint32_t levels_of(const struct market_data_state *market_data)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < level_count; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < i; k++) {
            seen = seen || levels[k].contract == levels[i].contract;
        }
        struct market_data_depth depth;
        market_data_find(market_data, levels[i].contract, &depth);
        total += seen ? 0 : depth.bid_count + depth.offer_count;
    }
    return total;
}

static uint32_t ladders_of(const struct model *model)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < level_count; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < i; k++) {
            seen = seen || contract_with_tier(levels[k].contract, 0) ==
                               contract_with_tier(levels[i].contract, 0);
        }
        total += !seen;
    }
    for (uint32_t i = 0; i < model->auction_count; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < level_count; k++) {
            seen = seen || contract_with_tier(levels[k].contract, 0) == model->auctions[i].contract;
        }
        total += !seen;
    }
    return total;
}

static void compare(const struct model *model, const struct market_data_state *market_data,
                    uint64_t seed)
{
    level_count = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        count_order(model, &model->orders[i]);
    }
    for (uint32_t i = 0; i < level_count; i++) {
        cr_assert(same_level(market_data, &levels[i]),
                  "seed %" PRIu64 ", command %" PRIu64 ": contract %016" PRIx64
                  " side %u price %" PRId64 " should have %" PRId64 " + %" PRId64 " of %" PRId64,
                  seed, model->seq, levels[i].contract, levels[i].side, levels[i].row.price_e4,
                  levels[i].row.qty, levels[i].row.shared_qty, levels[i].row.orders);
    }
    cr_assert_eq(levels_of(market_data), level_count, "seed %" PRIu64 ", command %" PRIu64, seed,
                 model->seq);
    compare_auctions(model, market_data, seed);
    cr_assert_eq(market_data_ladders(market_data), ladders_of(model), "seed %" PRIu64, seed);
}

static void step(struct model *model, struct market_data_state *market_data,
                 union command_slot slots[COMMAND_SLOTS_MAX], struct model_events *events)
{
    slots[0].command.head.seq = model->seq + 1;
    model_events_clear(events);
    model_step(model, &slots[0].command, events);
    for (size_t i = 0; i < events->count; i++) {
        market_data_apply(market_data, &events->items[i]);
    }
}

static void run(uint64_t seed, bool crowded, uint8_t mode)
{
    const struct model_limits limits = {.orders = 20000,
                                        .ladders = 20000,
                                        .fills = 200000,
                                        .holdings = 20000,
                                        .timers = 10000,
                                        .accounts = 40,
                                        .keys = 200,
                                        .resources = 40,
                                        .groups = 40,
                                        .markets = 16,
                                        .auctions = 1000,
                                        .jobs = 1000};
    static union command_slot slots[COMMAND_SLOTS_MAX];
    struct model *model = model_new(&limits);
    struct market_data_state *market_data = market_data_new(ignore, NULL, phase, model);
    struct model_events events = {0};
    struct model_random random;
    model_random_init(&random, seed);
    random.icebergs = 30;
    random.sets = 20;
    random.crowded = crowded;
    random.auctions = mode != MODE_NONE;
    random.main_mode = mode == MODE_NONE ? MODE_CONTINUOUS : mode;
    random.takes = mode == MODE_LISTING ? 40 : 0;
    for (uint32_t i = 0; model_random_opening(&random, i, model, slots); i++) {
        step(model, market_data, slots, &events);
    }
    for (uint32_t i = 0; i < COMMANDS; i++) {
        model_random_command(&random, model, slots);
        step(model, market_data, slots, &events);
        if (i % COMPARE_EVERY == 0) {
            compare(model, market_data, seed);
        }
    }
    model_events_free(&events);
    market_data_free(market_data);
    model_free(model);
}

Test(shown_model, depth_is_what_the_models_orders_show)
{
    const char *given = getenv("KASHI_SEED");
    const uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)clock_realtime_ns();
    cr_log_info("seed %" PRIu64 " (set KASHI_SEED for another)", seed);
    run(seed, false, MODE_NONE);
    run(seed + 1, true, MODE_NONE);
    for (uint8_t mode = MODE_CONTINUOUS; mode <= MODE_LISTING; mode++) {
        run(seed + 1 + mode, false, mode);
    }
    cr_assert(kinds_seen[0] > 100 && kinds_seen[1] > 100 && kinds_seen[2] > 100 &&
                  kinds_seen[3] > 100,
              "seed %" PRIu64 ": %" PRIu64 " slices, %" PRIu64 " legs, %" PRIu64
              " reserved offers, %" PRIu64 " indicative",
              seed, kinds_seen[0], kinds_seen[1], kinds_seen[2], kinds_seen[3]);
}
