/* What a SET costs beside plain orders: one of 16 legs arriving, resting and canceled, one of 64 legs that
 * counts thousands of offers and is not filled, and a plain offer arriving in a ladder hour in whose book
 * 10,000 SETs rest. Medians of single commands, timed one by
 * one, as multiples of a plain order's median in the same run. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/random.h"
#include "bench/ticks.h"
#include "exchange/core/engine.h"

enum {
    RUNS = 5,
    LEGS = 16,
    HOURS = 256,
    DEPTH = 100,
    TIMED = 20000,
    MISSED = 50,
    RESTING = 10000,
    SINK = 1024
};
enum { OPERATOR = 1, BUYER = 2, SELLER = 3, MID_E4 = 60000 };
#define START_HOUR 490000u
#define START_NS   ((int64_t)START_HOUR * NS_PER_HOUR)

struct market {
    struct engine *engine;
    struct arena arena;
    struct event events[SINK];
    struct event_sink sink;
    struct random random;
    uint64_t seq;
    uint64_t last_order_id;
    uint64_t trades;
    uint32_t taken[TIMED];
};
static struct market market;

static void take_events(struct event_sink *sink)
{
    for (uint32_t i = 0; i < sink->count; i++) {
        const struct event *e = &sink->events[i];
        if (e->head.type == EVENT_NEW) {
            market.last_order_id = e->new_order.order_id;
        } else if (e->head.type == EVENT_SET) {
            market.last_order_id = e->set.order_id;
        } else if (e->head.type == EVENT_TRADE) {
            market.trades++;
        } else if (e->head.type == EVENT_REJECTED) {
            fprintf(stderr, "bench: refused: %s\n", reason_name(e->rejected.reason));
            exit(1);
        }
    }
    sink->count = 0;
}

static void step(union command_slot *slots, uint8_t type, uint8_t count, uint32_t key)
{
    struct command_head *head = &slots[0].command.head;
    bool login = type == COMMAND_LOGIN;
    head->seq = ++market.seq;
    head->time_ns = START_NS;
    head->type = type;
    head->slots = count;
    head->key = key;
    head->session = login || key == 0 ? 0 : 1;
    head->cl_ord_id = login || key == 0 ? 0 : market.seq;
    engine_step(market.engine, &slots[0].command, &market.sink);
    take_events(&market.sink);
}

/* --- the market ----------------------------------------------------------------------------- */

static void open_trader(uint32_t id, uint8_t role)
{
    union command_slot account = {
        .command = {.open_account = {.name = "trader", .group = id, .roles = role}}};
    account.command.open_account.name[5] = (char)('0' + id);
    step(&account, COMMAND_OPEN_ACCOUNT, 1, OPERATOR);
    union command_slot key = {
        .command = {.register_key = {.name = "key", .account = id, .roles = role}}};
    memcpy(key.command.register_key.public_key, &id, sizeof(id));
    step(&key, COMMAND_REGISTER_KEY, 1, OPERATOR);
    union command_slot cash = {
        .command = {.cash = {.amount_e4 = INT64_C(1000000000000000000), .account = id}}};
    step(&cash, COMMAND_DEPOSIT, 1, OPERATOR);
    union command_slot login = {0};
    step(&login, COMMAND_LOGIN, 1, id);
}

static void open_market(void)
{
    union command_slot genesis = {.command = {.genesis = {.rules_version = 1,
                                                          .horizon_hours = 840,
                                                          .gate_lead_s = 600,
                                                          .bond_bp = 4000,
                                                          .sweep_slice = 256,
                                                          .rate_limit = UINT32_MAX,
                                                          .open_orders_limit = UINT32_MAX,
                                                          .order_qty_limit = QTY_MAX}}};
    step(&genesis, COMMAND_GENESIS, 1, 0);
    union command_slot login = {0};
    step(&login, COMMAND_LOGIN, 1, OPERATOR);
    union command_slot class_ = {.command = {.register_class = {.name = "H100", .lot = 1}}};
    step(&class_, COMMAND_REGISTER_CLASS, 1, OPERATOR);
    union command_slot region = {.command = {.register_region = {.name = "CN-GZ"}}};
    step(&region, COMMAND_REGISTER_REGION, 1, OPERATOR);
    union command_slot terms = {
        .command = {.set_market = {.launch_price_e4 = {MID_E4, MID_E4, MID_E4, MID_E4},
                                   .inner_band_bp = 10000000,
                                   .outer_band_bp = 10000000,
                                   .mode = MODE_CONTINUOUS}}};
    step(&terms, COMMAND_SET_MARKET, 1, OPERATOR);
    for (uint32_t id = BUYER; id <= SELLER; id++) {
        union command_slot group = {.command = {.register_group = {.name = "group"}}};
        group.command.register_group.name[4] = (char)('0' + id);
        step(&group, COMMAND_REGISTER_GROUP, 1, OPERATOR);
    }
    open_trader(BUYER, ROLE_BUYER);
    open_trader(SELLER, ROLE_PROVIDER);
    union command_slot resource[2] = {{.command = {.register_resource = {.account = SELLER,
                                                                         .gpus = (uint32_t)QTY_MAX,
                                                                         .tier = TIER_G100}}},
                                      {.identity = {.identifier = "bench"}}};
    step(resource, COMMAND_REGISTER_RESOURCE, 2, OPERATOR);
}

static void begin(void)
{
    struct engine_config config;
    engine_config_default(&config);
    config.orders = 1u << 19;
    config.ladders = 1024;
    config.fills = config.holdings = 1u << 18;
    config.accounts = config.keys = config.groups = config.resources = config.markets = 16;
    struct error error;
    size_t size = engine_memory_size(&config);
    if (arena_init(&market.arena, size, ARENA_HUGE_PAGES, &error) != 0) {
        fprintf(stderr, "bench: %s\n", error.text);
        exit(1);
    }
    market.engine = engine_init(arena_take(&market.arena, size), &config);
    CHECK(market.engine != NULL);
    market.sink =
        (struct event_sink){.events = market.events, .capacity = SINK, .drain = take_events};
    market.seq = 0;
    random_seed(&market.random, 42);
    open_market();
}

/* --- orders ----------------------------------------------------------------------------------- */

static uint64_t contract_of(uint32_t hour)
{
    return contract_pack(0, 0, TIER_G0, START_HOUR + 2 + hour);
}

static void make_plain(union command_slot *slot, uint32_t hour, uint8_t side, int64_t price_e4)
{
    slot->command.new_order = (struct command_new_order){
        .contract = contract_of(hour),
        .price_e4 = price_e4,
        .qty = 1 + (int64_t)random_below(&market.random, 20),
        .resource = side == SIDE_SELL ? 1 : 0,
        .side = side,
    };
}

static int64_t away(uint8_t side)
{
    int64_t off = 1 + (int64_t)random_below(&market.random, 500);
    return side == SIDE_SELL ? MID_E4 + off : MID_E4 - off;
}

static void plain(uint32_t hour, uint8_t side, int64_t price_e4)
{
    union command_slot slot = {0};
    make_plain(&slot, hour, side, price_e4);
    step(&slot, COMMAND_NEW_ORDER, 1, side == SIDE_SELL ? SELLER : BUYER);
}

static void cancel(uint32_t key)
{
    union command_slot slot = {.command = {.cancel_order = {.order_id = market.last_order_id}}};
    step(&slot, COMMAND_CANCEL_ORDER, 1, key);
}

/* `first`: the first leg's hour, else any. */
static uint8_t make_set(union command_slot *slots, uint32_t first, bool fixed)
{
    memset(slots, 0, (1 + LEGS / SET_LEGS_PER_SLOT) * sizeof(slots[0]));
    slots[0].command.new_set = (struct command_new_set){.qty = 8, .leg_count = LEGS};
    uint32_t hour = fixed ? first : (uint32_t)random_below(&market.random, HOURS);
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
    qsort(market.taken, count, sizeof(market.taken[0]), ticks_compare);
    uint32_t middle = ticks_quantile(market.taken, count, 0.5);
    return middle > empty ? middle - empty : 1;
}

static uint32_t time_plain(uint32_t empty)
{
    for (uint32_t i = 0; i < TIMED; i++) {
        union command_slot slot = {0};
        uint8_t side = i % 2 != 0 ? SIDE_SELL : SIDE_BUY;
        make_plain(&slot, (uint32_t)random_below(&market.random, HOURS), side, away(side));
        uint64_t begin_ticks = ticks_now();
        step(&slot, COMMAND_NEW_ORDER, 1, side == SIDE_SELL ? SELLER : BUYER);
        market.taken[i] = (uint32_t)(ticks_now() - begin_ticks);
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
        market.taken[i] = (uint32_t)(ticks_now() - begin_ticks);
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
                (struct set_leg){.contract = contract_of(leg), .price_e4 = MID_E4 + 1000};
        }
        uint64_t begin_ticks = ticks_now();
        step(slots, COMMAND_NEW_SET, 1 + SET_LEGS_MAX / SET_LEGS_PER_SLOT, BUYER);
        market.taken[i] = (uint32_t)(ticks_now() - begin_ticks);
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
    uint64_t before = market.trades;
    for (uint32_t i = 0; i < TIMED; i++) {
        union command_slot slot = {0};
        bool takes = i % 2 != 0;
        make_plain(&slot, 0, SIDE_SELL, takes ? 1 : away(SIDE_SELL));
        slot.command.new_order.qty = 1;
        uint64_t begin_ticks = ticks_now();
        step(&slot, COMMAND_NEW_ORDER, 1, SELLER);
        market.taken[i] = (uint32_t)(ticks_now() - begin_ticks);
        if (!takes) {
            cancel(SELLER);
        }
    }
    CHECK(market.trades - before >= TIMED / 2);
    return median(TIMED, empty);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle_of(double values[RUNS])
{
    qsort(values, RUNS, sizeof(values[0]), by_value);
    return values[RUNS / 2];
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
        arena_free(&market.arena);
    }
    printf("set: p50 of single commands, medians of %d runs; a plain order %.0f ns\n", RUNS,
           middle_of(plain_ns));
    printf("%-58s %6.1f plain orders, to reach 60\n", "SET of 16 legs arriving and resting",
           middle_of(set));
    printf("%-58s %6.1f plain orders\n",
           "SET of 64 legs, missed: each of 6,400 offers that it counts", middle_of(missed));
    printf("%-58s %6.1f plain orders, to reach 20\n",
           "plain offer arriving among 10,000 resting SETs", middle_of(offer));
    return 0;
}
