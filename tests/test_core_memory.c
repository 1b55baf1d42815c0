/* What the engine keeps behind resting orders: at most 80 bytes an order with its share of every
 * index, also in thin books with spread prices; a book of one order at most 256 bytes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "exchange/core/engine.h"

enum { CLASSES = 8, REGIONS = 31, HOURS = 81, ORDERS_A_LADDER = 50, LADDERS = 20000 };
enum { BYTES_AN_ORDER = 80, BYTES_A_THIN_BOOK = 256 };

struct market {
    struct engine_config config;
    void *memory;
    struct engine *engine;
    struct event events[64];
    struct event_sink sink;
    union command_slot slots[2];
    uint64_t seq;
    uint64_t cl_ord_id[4];
    uint64_t refused;
    uint64_t last_order_id;
};

static void count_refusals(struct event_sink *sink)
{
    struct market *market = sink->context;
    for (uint32_t i = 0; i < sink->count; i++) {
        market->refused += sink->events[i].head.type == EVENT_REJECTED;
        if (sink->events[i].head.type == EVENT_NEW) {
            market->last_order_id = sink->events[i].new_order.order_id;
        }
    }
    sink->count = 0;
}

static struct command *start(struct market *market, uint8_t type, uint32_t key)
{
    memset(market->slots, 0, sizeof(market->slots));
    struct command *command = &market->slots[0].command;
    command->head.type = type;
    command->head.slots = 1;
    command->head.time_ns = INT64_C(1795132800) * NS_PER_SECOND;
    command->head.key = key;
    command->head.link = 1;
    if (key != 0 && type != COMMAND_LOGIN) {
        command->head.session = 1;
        command->head.cl_ord_id = ++market->cl_ord_id[key];
    }
    return command;
}

static void step(struct market *market)
{
    market->slots[0].command.head.seq = ++market->seq;
    engine_step(market->engine, &market->slots[0].command, &market->sink);
    count_refusals(&market->sink);
}

static void open_markets(struct market *market)
{
    for (uint16_t class_id = 0; class_id < CLASSES; class_id++) {
        struct command *command = start(market, COMMAND_REGISTER_CLASS, 1);
        command->register_class.name[0] = (char)('A' + class_id);
        command->register_class.lot = 1;
        step(market);
    }
    for (uint16_t region_id = 0; region_id < REGIONS; region_id++) {
        struct command *command = start(market, COMMAND_REGISTER_REGION, 1);
        command->register_region.name[0] = (char)('A' + region_id % 26);
        command->register_region.name[1] = (char)('A' + region_id / 26);
        step(market);
    }
    for (uint32_t i = 0; i < CLASSES * REGIONS; i++) {
        struct command *command = start(market, COMMAND_SET_MARKET, 1);
        command->set_market =
            (struct command_set_market){.launch_price_e4 = {200000, 200000, 200000, 200000},
                                        .inner_band_bp = 9000,
                                        .outer_band_bp = 9000,
                                        .class_id = (uint16_t)(i / REGIONS),
                                        .region_id = (uint16_t)(i % REGIONS),
                                        .mode = MODE_CONTINUOUS};
        step(market);
    }
}

static void open_accounts(struct market *market)
{
    struct command *command = start(market, COMMAND_OPEN_ACCOUNT, 1);
    strcpy(command->open_account.name, "buyer");
    command->open_account.group = 1;
    command->open_account.roles = ROLE_BUYER;
    step(market);
    command = start(market, COMMAND_REGISTER_KEY, 1);
    command->register_key.public_key[0] = 9;
    command->register_key.account = 2;
    command->register_key.roles = ROLE_BUYER;
    step(market);
    command = start(market, COMMAND_DEPOSIT, 1);
    command->cash.account = 2;
    command->cash.amount_e4 = MONEY_MAX_E4 / 2;
    step(market);
    command = start(market, COMMAND_LOGIN, 2);
    step(market);
}

static struct market *market_with(uint32_t orders)
{
    struct market *market = calloc(1, sizeof(*market));
    CHECK(market != NULL);
    engine_config_default(&market->config);
    market->config.orders = orders;
    market->config.ladders = LADDERS + 1000;
    market->config.markets = CLASSES * REGIONS + 1;
    size_t size = engine_memory_size(&market->config);
    market->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(market->memory != MAP_FAILED);
    market->engine = engine_init(market->memory, &market->config);
    CHECK(market->engine != NULL);
    market->sink = (struct event_sink){market->events, 64, 0, count_refusals, market};
    struct command *command = start(market, COMMAND_GENESIS, 0);
    command->genesis = (struct command_genesis){.rules_version = 1,
                                                .horizon_hours = 840,
                                                .gate_lead_s = 600,
                                                .bond_bp = 4000,
                                                .sweep_slice = 256,
                                                .rate_limit = UINT32_MAX,
                                                .open_orders_limit = UINT32_MAX,
                                                .order_qty_limit = 1000};
    command->genesis.operator_key[0] = 1;
    step(market);
    command = start(market, COMMAND_LINK_UP, 0);
    strcpy(command->link.name, "one");
    step(market);
    start(market, COMMAND_LOGIN, 1);
    step(market);
    open_markets(market);
    open_accounts(market);
    return market;
}

static struct market *market_new(void)
{
    return market_with(LADDERS * ORDERS_A_LADDER + 1000);
}

static void market_free(struct market *market)
{
    munmap(market->memory, engine_memory_size(&market->config));
    free(market);
}

/* Splitmix64, so that prices are spread without an order in them. */
static uint64_t scramble(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* How the prices of a ladder come one after the other. */
enum shape { SPREAD, RISING, FALLING };

static void bid(struct market *market, uint32_t ladder, uint32_t number, enum shape shape)
{
    uint64_t dice = scramble((uint64_t)ladder << 32 | number);
    if (shape != SPREAD) {
        uint64_t step = shape == RISING ? number : 1000 - number;
        dice = (dice & ~UINT64_C(0x3ffff03)) | step << 9 | (ladder & 3);
    }
    struct command *command = start(market, COMMAND_NEW_ORDER, 2);
    uint32_t place = ladder % (CLASSES * REGIONS);
    uint32_t hour = 498648 + 2 + ladder / (CLASSES * REGIONS);
    command->new_order.contract =
        contract_pack((uint16_t)(place / REGIONS), (uint16_t)(place % REGIONS),
                      (uint8_t)(dice % TIER_COUNT), hour);
    command->new_order.price_e4 = 20000 + (int64_t)(dice >> 8 & 0x3ffff);
    command->new_order.qty = 1 + (int64_t)(dice >> 40 & 63);
    step(market);
}

/* One of many books: tiers of lanes of hours. */
static void bid_in_book(struct market *market, uint32_t book, int64_t price_e4)
{
    struct command *command = start(market, COMMAND_NEW_ORDER, 2);
    uint32_t place = book / TIER_COUNT % (CLASSES * REGIONS);
    uint32_t hour = 498648 + 2 + book / TIER_COUNT / (CLASSES * REGIONS);
    command->new_order.contract =
        contract_pack((uint16_t)(place / REGIONS), (uint16_t)(place % REGIONS),
                      (uint8_t)(book % TIER_COUNT), hour);
    command->new_order.price_e4 = price_e4;
    command->new_order.qty = 1;
    step(market);
}

static void cancel_all(struct market *market)
{
    start(market, COMMAND_MASS_CANCEL, 2);
    step(market);
    while (engine_has_work(market->engine)) {
        start(market, COMMAND_TICK, 0);
        step(market);
    }
}

static double bytes_an_order(const struct market *market, uint64_t *orders)
{
    struct engine_counts counts;
    engine_counts(market->engine, &counts);
    *orders = counts.orders;
    return (double)counts.index_bytes / (double)counts.orders;
}

Test(core_memory, a_book_of_one_order_costs_at_most_256_bytes)
{
    struct market *market = market_new();
    for (uint32_t ladder = 0; ladder < 1000; ladder++) {
        bid(market, ladder, 0, SPREAD);
    }
    uint64_t orders;
    double bytes = bytes_an_order(market, &orders);
    cr_assert_eq(market->refused, 0);
    cr_assert_eq(orders, 1000);
    cr_assert(bytes <= BYTES_A_THIN_BOOK, "%.1f bytes", bytes);
    cr_assert(bytes >= 64, "%.1f bytes cannot hold an order", bytes);
    market_free(market);
}

static void fill_books(struct market *market, enum shape shape)
{
    for (uint32_t number = 0; number < ORDERS_A_LADDER; number++) {
        for (uint32_t ladder = 0; ladder < LADDERS; ladder++) {
            bid(market, ladder, number, shape);
        }
    }
}

static void check_thin_books(enum shape shape, const char *what, double most)
{
    struct market *market = market_new();
    fill_books(market, shape);
    uint64_t orders;
    double bytes = bytes_an_order(market, &orders);
    printf("%llu orders in %d ladders, %s: %.1f bytes an order\n", (unsigned long long)orders,
           LADDERS, what, bytes);
    cr_assert_eq(market->refused, 0);
    cr_assert_eq(orders, (uint64_t)LADDERS * ORDERS_A_LADDER);
    cr_assert(bytes <= most, "%s: %.1f bytes", what, bytes);
    market_free(market);
}

Test(core_memory, an_order_in_thin_books_costs_at_most_80_bytes_with_all_indexes)
{
    check_thin_books(SPREAD, "prices spread, in four tiers", BYTES_AN_ORDER);
}

Test(core_memory, prices_that_come_in_order_cost_little_more)
{
    check_thin_books(RISING, "prices rising, in one tier", BYTES_AN_ORDER);
    check_thin_books(FALLING, "prices falling, in one tier", BYTES_AN_ORDER);
}

/* Cancels all but about one in `keep` of the buyer's orders, in no order. */
static uint64_t thin_out(struct market *market, uint32_t keep)
{
    uint64_t *doomed = malloc(sizeof(*doomed) * LADDERS * ORDERS_A_LADDER);
    CHECK(doomed != NULL);
    uint64_t count = 0;
    uint64_t cursor = 0;
    struct engine_order order;
    while (engine_account_order(market->engine, 2, &cursor, &order)) {
        if (scramble(order.order_id) % keep != 0) {
            doomed[count++] = order.order_id;
        }
    }
    for (uint64_t i = 0; i < count; i++) {
        start(market, COMMAND_CANCEL_ORDER, 2)->cancel_order.order_id = doomed[i];
        step(market);
    }
    free(doomed);
    return count;
}

Test(core_memory, books_that_were_thinned_out_stay_small)
{
    struct market *market = market_new();
    fill_books(market, SPREAD);
    struct engine_counts full;
    engine_counts(market->engine, &full);
    uint64_t gone = thin_out(market, 10);
    struct engine_counts thin;
    engine_counts(market->engine, &thin);
    printf("of %llu orders %llu left in %llu ladders: %.1f bytes each\n",
           (unsigned long long)full.orders, (unsigned long long)thin.orders,
           (unsigned long long)thin.ladders, (double)thin.index_bytes / (double)thin.orders);
    cr_assert_eq(market->refused, 0);
    cr_assert_eq(thin.orders, full.orders - gone);
    cr_assert((double)thin.index_bytes <= BYTES_A_THIN_BOOK * (double)thin.orders);
    market_free(market);
}

Test(core_memory, what_left_gives_its_memory_back)
{
    struct market *market = market_new();
    struct engine_counts before;
    engine_counts(market->engine, &before);
    for (uint32_t i = 0; i < 20000; i++) {
        bid(market, i % 500, i, SPREAD);
    }
    cancel_all(market);
    struct engine_counts after;
    engine_counts(market->engine, &after);
    cr_assert_eq(market->refused, 0);
    cr_assert_eq(after.orders, 0);
    cr_assert_eq(after.ladders, before.ladders);
    cr_assert_eq(after.index_bytes, before.index_bytes);
    market_free(market);
}

/* Each size of node in turn takes as much as the order table can make it hold. */
Test(core_memory, a_market_that_was_thin_once_can_become_deep_and_thin_again)
{
    enum { ORDERS = 6000, ROUNDS = 3 };
    static const uint32_t levels[] = {1, 2, 6, 10, 14, 18, 22, 26, 300};
    struct market *market = market_with(ORDERS);
    for (uint32_t i = 0; i < ROUNDS * sizeof(levels) / sizeof(levels[0]); i++) {
        uint32_t deep = levels[i % (sizeof(levels) / sizeof(levels[0]))];
        for (uint32_t order = 0; order < ORDERS; order++) {
            bid_in_book(market, order / deep, 20000 + order % deep);
        }
        cr_assert_eq(market->refused, 0, "books of %u levels: %llu refused", deep,
                     (unsigned long long)market->refused);
        cancel_all(market);
        engine_sanity(market->engine);
    }
    market_free(market);
}

/* Fills the table of orders with bids in one book at falling prices and takes out, from the lowest
 * price on, all but each `keep`-th of them; of the lowest `keep` or more none is left. */
static void hollow_out(struct market *market, uint32_t book, uint32_t keep)
{
    uint64_t *ids = malloc(sizeof(*ids) * market->config.orders);
    CHECK(ids != NULL);
    struct engine_counts counts;
    engine_counts(market->engine, &counts);
    uint32_t room = market->config.orders - (uint32_t)counts.orders;
    for (uint32_t i = 0; i < room; i++) {
        bid_in_book(market, book, 200000 - i);
        ids[i] = market->last_order_id;
    }
    for (uint32_t i = room; i > 0; i--) {
        if ((i - 1) % keep != 0 || i - 1 + 2 * keep > room) {
            start(market, COMMAND_CANCEL_ORDER, 2)->cancel_order.order_id = ids[i - 1];
            step(market);
        }
    }
    free(ids);
}

/* Books that were deep and are nearly empty must not keep memory that others then lack: 29 orders a leaf
 * and 15 leaves a node are what a tree comes to that is cut in halves but where prices come in order,
 * and one of them left in each such node is the worst for a tree that keeps nodes as they are. */
Test(core_memory, the_table_of_orders_alone_decides_what_is_refused)
{
    enum { ORDERS = 6000, DEEP_BOOKS = 360, KEEP = 435 };
    struct market *market = market_with(ORDERS);
    for (uint32_t book = 0; book < DEEP_BOOKS; book++) {
        hollow_out(market, book, KEEP);
        cr_assert_eq(market->refused, 0, "book %u: %llu refused", book,
                     (unsigned long long)market->refused);
    }
    struct engine_counts counts;
    engine_counts(market->engine, &counts);
    cr_assert_leq((double)counts.index_bytes, BYTES_A_THIN_BOOK * (double)counts.orders);
    engine_sanity(market->engine);
    for (uint64_t i = counts.orders; i <= ORDERS; i++) {
        cr_assert_eq(market->refused, 0, "at %llu orders", (unsigned long long)i);
        bid_in_book(market, 0, 20000 + (int64_t)i);
    }
    cr_assert_eq(market->refused, 1);
    market_free(market);
}
