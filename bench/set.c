/* What a SET costs beside plain orders: one of 16 legs arriving, resting and canceled, one of 64 legs that
 * counts thousands of offers and is not filled, and a plain offer arriving in a ladder hour in whose book
 * 10,000 SETs rest. Medians of single commands, timed one by
 * one, as multiples of a plain order's median in the same run. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "bench/market.h"
#include "bench/ticks.h"

enum { RUNS = 5, LEGS = 16, HOURS = 256, DEPTH = 100, TIMED = 20000, MISSED = 50, RESTING = 10000 };
enum { BUYER = 2, SELLER = 3 };

static struct market market;
static struct random dice;
static uint64_t last_order_id;
static uint64_t trades;
static uint32_t taken[TIMED];

static void take_events(struct event_sink *sink)
{
    for (uint32_t i = 0; i < sink->count; i++) {
        const struct event *e = &sink->events[i];
        if (e->head.type == EVENT_NEW) {
            last_order_id = e->new_order.order_id;
        } else if (e->head.type == EVENT_SET) {
            last_order_id = e->set.order_id;
        } else if (e->head.type == EVENT_TRADE) {
            trades++;
        } else if (e->head.type == EVENT_REJECTED) {
            fprintf(stderr, "bench: refused: %s\n", reason_name(e->rejected.reason));
            exit(1);
        }
    }
    sink->count = 0;
}

static void step(union command_slot *slots, uint8_t type, uint8_t count, uint32_t key)
{
    market_request(&market, &slots[0].command, type, count, key);
}

static void begin(void)
{
    struct engine_config config;
    engine_config_default(&config);
    config.orders = 1u << 19;
    config.ladders = 1024;
    config.fills = config.holdings = 1u << 18;
    config.accounts = config.keys = config.groups = config.resources = config.markets = 16;
    random_seed(&dice, 42);
    market_begin(&market, &config, take_events, MARKET_SINK_MAX);
    market_region(&market, 0);
    market_trader(&market, BUYER, ROLE_BUYER);
    market_trader(&market, SELLER, ROLE_PROVIDER);
    market_resource(&market, SELLER, 0, TIER_G100);
}

/* --- orders ----------------------------------------------------------------------------------- */

static uint64_t contract_of(uint32_t hour)
{
    return contract_pack(0, 0, TIER_G0, MARKET_START_HOUR + 2 + hour);
}

static void make_plain(union command_slot *slot, uint32_t hour, uint8_t side, int64_t price_e4)
{
    slot->command.new_order = (struct command_new_order){
        .contract = contract_of(hour),
        .price_e4 = price_e4,
        .qty = 1 + (int64_t)random_below(&dice, 20),
        .resource = side == SIDE_SELL ? 1 : 0,
        .side = side,
    };
}

static int64_t away(uint8_t side)
{
    int64_t off = 1 + (int64_t)random_below(&dice, 500);
    return side == SIDE_SELL ? MARKET_MID_E4 + off : MARKET_MID_E4 - off;
}

static void plain(uint32_t hour, uint8_t side, int64_t price_e4)
{
    union command_slot slot = {0};
    make_plain(&slot, hour, side, price_e4);
    step(&slot, COMMAND_NEW_ORDER, 1, side == SIDE_SELL ? SELLER : BUYER);
}

static void cancel(uint32_t key)
{
    union command_slot slot = {.command = {.cancel_order = {.order_id = last_order_id}}};
    step(&slot, COMMAND_CANCEL_ORDER, 1, key);
}

/* `first`: the first leg's hour, else any. */
static uint8_t make_set(union command_slot *slots, uint32_t first, bool fixed)
{
    memset(slots, 0, (1 + LEGS / SET_LEGS_PER_SLOT) * sizeof(slots[0]));
    slots[0].command.new_set = (struct command_new_set){.qty = 8, .leg_count = LEGS};
    uint32_t hour = fixed ? first : (uint32_t)random_below(&dice, HOURS);
    for (uint32_t i = 0; i < LEGS; i++) {
        slots[1 + i / SET_LEGS_PER_SLOT].legs[i % SET_LEGS_PER_SLOT] = (struct set_leg){
            .contract = contract_of((hour + i * 7) % HOURS), .price_e4 = (uint32_t)away(SIDE_BUY)};
    }
    return 1 + LEGS / SET_LEGS_PER_SLOT;
}

static void fill_books(void)
{
    for (uint32_t hour = 0; hour < HOURS; hour++) {
        for (uint32_t i = 0; i < DEPTH; i++) {
            plain(hour, SIDE_BUY, away(SIDE_BUY));
            plain(hour, SIDE_SELL, away(SIDE_SELL));
        }
    }
}

/* --- runs --------------------------------------------------------------------------------------- */

static uint32_t median(uint32_t count, uint32_t empty)
{
    qsort(taken, count, sizeof(taken[0]), ticks_compare);
    uint32_t middle = ticks_quantile(taken, count, 0.5);
    return middle > empty ? middle - empty : 1;
}

static uint32_t time_plain(uint32_t empty)
{
    for (uint32_t i = 0; i < TIMED; i++) {
        union command_slot slot = {0};
        uint8_t side = i % 2 != 0 ? SIDE_SELL : SIDE_BUY;
        make_plain(&slot, (uint32_t)random_below(&dice, HOURS), side, away(side));
        uint64_t begin_ticks = ticks_now();
        step(&slot, COMMAND_NEW_ORDER, 1, side == SIDE_SELL ? SELLER : BUYER);
        taken[i] = (uint32_t)(ticks_now() - begin_ticks);
        cancel(side == SIDE_SELL ? SELLER : BUYER);
    }
    return median(TIMED, empty);
}

static uint32_t time_set(uint32_t empty)
{
    for (uint32_t i = 0; i < TIMED; i++) {
        union command_slot slots[1 + LEGS / SET_LEGS_PER_SLOT];
        uint8_t count = make_set(slots, 0, false);
        uint64_t begin_ticks = ticks_now();
        step(slots, COMMAND_NEW_SET, count, BUYER);
        taken[i] = (uint32_t)(ticks_now() - begin_ticks);
        cancel(BUYER);
    }
    return median(TIMED, empty);
}

/* One that wants more than there is, so that it counts every offer of its hours in vain. */
static uint32_t time_missed(uint32_t empty)
{
    for (uint32_t i = 0; i < MISSED; i++) {
        union command_slot slots[1 + SET_LEGS_MAX / SET_LEGS_PER_SLOT] = {0};
        slots[0].command.new_set = (struct command_new_set){
            .qty = 20 * SET_LEGS_MAX * DEPTH + 1, .leg_count = SET_LEGS_MAX, .tif = TIF_FOK};
        for (uint32_t leg = 0; leg < SET_LEGS_MAX; leg++) {
            slots[1 + leg / SET_LEGS_PER_SLOT].legs[leg % SET_LEGS_PER_SLOT] =
                (struct set_leg){.contract = contract_of(leg), .price_e4 = MARKET_MID_E4 + 1000};
        }
        uint64_t begin_ticks = ticks_now();
        step(slots, COMMAND_NEW_SET, 1 + SET_LEGS_MAX / SET_LEGS_PER_SLOT, BUYER);
        taken[i] = (uint32_t)(ticks_now() - begin_ticks);
    }
    return median(MISSED, empty);
}

/* Every other offer takes from a SET, whose 16 legs change with it. */
static uint32_t time_offer_among_sets(uint32_t empty)
{
    for (uint32_t i = 0; i < RESTING; i++) {
        union command_slot slots[1 + LEGS / SET_LEGS_PER_SLOT];
        uint8_t count = make_set(slots, 0, true);
        step(slots, COMMAND_NEW_SET, count, BUYER);
    }
    uint64_t before = trades;
    for (uint32_t i = 0; i < TIMED; i++) {
        union command_slot slot = {0};
        bool takes = i % 2 != 0;
        make_plain(&slot, 0, SIDE_SELL, takes ? 1 : away(SIDE_SELL));
        slot.command.new_order.qty = 1;
        uint64_t begin_ticks = ticks_now();
        step(&slot, COMMAND_NEW_ORDER, 1, SELLER);
        taken[i] = (uint32_t)(ticks_now() - begin_ticks);
        if (!takes) {
            cancel(SELLER);
        }
    }
    CHECK(trades - before >= TIMED / 2);
    return median(TIMED, empty);
}

int main(void)
{
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(1, &cpu);
    if (sched_setaffinity(0, sizeof(cpu), &cpu) != 0) {
        printf("set: not pinned, the machine has one processor\n");
    }
    double rate = ticks_per_ns();
    uint32_t empty = ticks_empty();
    double plain_ns[RUNS];
    double set[RUNS];
    double missed[RUNS];
    double offer[RUNS];
    for (int i = 0; i < RUNS; i++) {
        begin();
        fill_books();
        uint32_t one = time_plain(empty);
        plain_ns[i] = one / rate;
        set[i] = (double)time_set(empty) / one;
        missed[i] = (double)time_missed(empty) / one / (SET_LEGS_MAX * DEPTH);
        offer[i] = (double)time_offer_among_sets(empty) / one;
        market_end(&market);
    }
    printf("set: p50 of single commands, medians of %d runs; a plain order %.0f ns\n", RUNS,
           market_median(plain_ns, RUNS));
    printf("%-58s %6.1f plain orders, to reach 60\n", "SET of 16 legs arriving and resting",
           market_median(set, RUNS));
    printf("%-58s %6.1f plain orders\n",
           "SET of 64 legs, missed: each of 6,400 offers that it counts",
           market_median(missed, RUNS));
    printf("%-58s %6.1f plain orders, to reach 20\n",
           "plain offer arriving among 10,000 resting SETs", market_median(offer, RUNS));
    return 0;
}
