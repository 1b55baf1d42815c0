/* The ledger and the exchange's own books, made from one journal, say the same. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/core/engine.h"
#include "settlement/store.h"
#include "tests/settlement_base.h"
#include "wire/units.h"

#define OPERATOR  1
#define PROVIDERS 2
#define ACCOUNTS                                                                                   \
    6 /* after the operator's: 2 and 3 provide, 4 to 7 buy; each has the key of its number */
#define RESOURCES  2
#define ORDERS     3000
#define SINK_SIZE  4096
#define FIRST_HOUR 499000

struct rig {
    struct engine *engine;
    void *memory;
    struct store store;
    struct event events[SINK_SIZE];
    struct event_sink sink;
    union command_slot slots[2];
    uint64_t cl_ord_id;
    uint64_t seq;
    int64_t time_ns;
    uint64_t random;
};

static uint64_t draw(struct rig *rig, uint64_t below)
{
    rig->random ^= rig->random << 13;
    rig->random ^= rig->random >> 7;
    rig->random ^= rig->random << 17;
    return (rig->random >> 11) % below;
}

static void drain(struct event_sink *sink)
{
    struct rig *rig = sink->context;
    struct error error = {0};
    for (uint32_t i = 0; i < sink->count; i++) {
        cr_assert_eq(store_add(&rig->store, &sink->events[i], &error), 0, "%s", error.text);
    }
    sink->count = 0;
}

static struct command *begin(struct rig *rig, uint8_t type, uint32_t key)
{
    memset(rig->slots, 0, sizeof(rig->slots));
    struct command *command = &rig->slots[0].command;
    rig->time_ns += (int64_t)draw(rig, 1000000);
    command->head.type = type;
    command->head.slots = 1;
    command->head.key = key;
    command->head.session = key != 0 ? 1 : 0;
    command->head.cl_ord_id = key != 0 ? ++rig->cl_ord_id : 0;
    return command;
}

static void step(struct rig *rig)
{
    struct command *command = &rig->slots[0].command;
    command->head.seq = ++rig->seq;
    command->head.time_ns = rig->time_ns;
    engine_step(rig->engine, command, &rig->sink);
    drain(&rig->sink);
}

/* One that must be carried out. */
static void step_setup(struct rig *rig)
{
    struct command *command = &rig->slots[0].command;
    command->head.seq = ++rig->seq;
    command->head.time_ns = rig->time_ns;
    engine_step(rig->engine, command, &rig->sink);
    cr_assert_neq(rig->sink.events[0].head.type, EVENT_REJECTED, "command %u: %s",
                  command->head.type, reason_name(rig->sink.events[0].rejected.reason));
    drain(&rig->sink);
}

static void log_in(struct rig *rig, uint32_t key)
{
    struct command *command = begin(rig, COMMAND_LOGIN, key);
    command->head.session = 0;
    command->head.cl_ord_id = 0;
    step_setup(rig);
}

static void open_exchange(struct rig *rig)
{
    struct command *command = begin(rig, COMMAND_GENESIS, 0);
    command->genesis = (struct command_genesis){.rules_version = 1,
                                                .horizon_hours = 840,
                                                .gate_lead_s = 600,
                                                .bond_bp = 4000,
                                                .sweep_slice = 256,
                                                .rate_limit = 1000000,
                                                .open_orders_limit = 10000,
                                                .order_qty_limit = 1000000};
    command->genesis.operator_key[0] = 1;
    step_setup(rig);
    log_in(rig, OPERATOR);
    command = begin(rig, COMMAND_REGISTER_CLASS, OPERATOR);
    command->register_class.lot = 1;
    (void)snprintf(command->register_class.name, NAME_SIZE, "H100");
    step_setup(rig);
    command = begin(rig, COMMAND_REGISTER_REGION, OPERATOR);
    (void)snprintf(command->register_region.name, NAME_SIZE, "CN-GZ");
    step_setup(rig);
    command = begin(rig, COMMAND_SET_MARKET, OPERATOR);
    command->set_market = (struct command_set_market){
        .inner_band_bp = 3000, .outer_band_bp = 6000, .mode = MODE_CONTINUOUS};
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        command->set_market.launch_price_e4[tier] = 160000;
    }
    step_setup(rig);
    command = begin(rig, COMMAND_REGISTER_FEES, OPERATOR);
    command->register_fees.maker_bp = 3;
    command->register_fees.taker_bp = 7;
    step_setup(rig);
}

static void open_accounts(struct rig *rig)
{
    struct command *command;
    for (uint32_t account = 2; account < 2 + ACCOUNTS; account++) {
        bool provides = account < 2 + PROVIDERS;
        command = begin(rig, COMMAND_REGISTER_GROUP, OPERATOR);
        (void)snprintf(command->register_group.name, LABEL_SIZE, "group %u", account);
        step_setup(rig);
        command = begin(rig, COMMAND_OPEN_ACCOUNT, OPERATOR);
        command->open_account.group = account;
        command->open_account.roles = provides ? ROLE_PROVIDER | ROLE_BUYER : ROLE_BUYER;
        command->open_account.fees = account % 2 == 0 ? 1 : 0;
        (void)snprintf(command->open_account.name, LABEL_SIZE, "account %u", account);
        step_setup(rig);
        command = begin(rig, COMMAND_REGISTER_KEY, OPERATOR);
        command->register_key.account = account;
        command->register_key.roles = provides ? ROLE_PROVIDER | ROLE_BUYER : ROLE_BUYER;
        command->register_key.public_key[0] = (uint8_t)account;
        command->register_key.public_key[1] = 1;
        step_setup(rig);
        log_in(rig, account);
        command = begin(rig, COMMAND_DEPOSIT, OPERATOR);
        command->cash.account = account;
        command->cash.amount_e4 = INT64_C(50000000000);
        step_setup(rig);
    }
    for (uint32_t resource = 1; resource <= RESOURCES; resource++) {
        command = begin(rig, COMMAND_REGISTER_RESOURCE, OPERATOR);
        command->head.slots = 2;
        command->register_resource.account = 1 + resource;
        command->register_resource.gpus = 20000;
        command->register_resource.tier = TIER_G100;
        (void)snprintf(rig->slots[1].identity.identifier, IDENTIFIER_SIZE, "算力 %u", resource);
        step_setup(rig);
    }
}

/* Offers of capacity and of what was bought, bids, and cash; some are refused. */
static void trade(struct rig *rig)
{
    uint32_t account = 2 + (uint32_t)draw(rig, ACCOUNTS);
    if (draw(rig, 20) == 0) {
        struct command *command =
            begin(rig, draw(rig, 2) == 0 ? COMMAND_DEPOSIT : COMMAND_WITHDRAW, OPERATOR);
        command->cash.account = account;
        command->cash.amount_e4 = 1 + (int64_t)draw(rig, 100000000);
        step(rig);
        return;
    }
    struct command *command = begin(rig, COMMAND_NEW_ORDER, account);
    struct command_new_order *order = &command->new_order;
    bool sells = account < 2 + PROVIDERS ? draw(rig, 4) != 0 : draw(rig, 4) == 0;
    order->side = sells ? SIDE_SELL : SIDE_BUY;
    order->price_e4 = 150000 + (int64_t)draw(rig, 20000);
    order->qty = 1 + (int64_t)draw(rig, 40);
    order->contract = contract_pack(0, 0, (uint8_t)draw(rig, TIER_COUNT),
                                    FIRST_HOUR + 24 + (uint32_t)draw(rig, 4));
    order->resource = !sells ? 0
                      : account < 2 + PROVIDERS && draw(rig, 8) != 0
                          ? account - 1
                          : 1 + (uint32_t)draw(rig, RESOURCES);
    order->tif = draw(rig, 4) == 0 ? TIF_IOC : TIF_GATE;
    step(rig);
}

static void expect_equal_books(struct rig *rig, struct settlement_base *base)
{
    struct error error = {0};
    struct pg_rows *rows;
    cr_assert_eq(pg_query(base->pg,
                          "SELECT account, cash_e4, escrow_e4, bond_locked_e4 "
                          "FROM kashi.account_balances ORDER BY account",
                          NULL, &rows, &error),
                 0, "%s", error.text);
    cr_assert_eq(pg_rows_count(rows), ACCOUNTS);
    for (int i = 0; i < pg_rows_count(rows); i++) {
        struct engine_account account;
        cr_assert(engine_account(rig->engine, (uint32_t)pg_rows_int(rows, i, 0), &account));
        cr_assert_eq(pg_rows_int(rows, i, 1), account.cash_e4);
        cr_assert_eq(pg_rows_int(rows, i, 2), account.escrow_e4);
        cr_assert_eq(pg_rows_int(rows, i, 3), account.bond_locked_e4);
    }
    pg_rows_free(rows);
    int64_t held = 0;
    for (uint32_t account = 2; account < 2 + ACCOUNTS; account++) {
        struct engine_holding holding;
        uint32_t cursor = 0;
        while (engine_account_holding(rig->engine, account, &cursor, &holding)) {
            char query[256];
            (void)snprintf(query, sizeof(query),
                           "SELECT coalesce(sum(qty), 0) FROM kashi.holdings WHERE account = %u "
                           "AND resource = %u AND hour = %u AND tier = %u",
                           account, holding.resource, holding.hour, holding.tier);
            cr_assert_eq(settlement_base_number(base->pg, query), holding.qty);
            held += holding.qty;
        }
    }
    cr_assert_eq(settlement_base_number(base->pg, "SELECT sum(qty) FROM kashi.holdings"), held);
}

Test(engine, balances_and_holdings_are_the_exchanges_at_equal_sequence)
{
    static struct rig rig;
    struct settlement_base base;
    struct engine_config config;
    struct error error = {0};
    rig.random = 20261121;
    rig.time_ns = (int64_t)FIRST_HOUR * NS_PER_HOUR;
    rig.sink = (struct event_sink){
        .events = rig.events, .capacity = SINK_SIZE, .drain = drain, .context = &rig};
    engine_config_default(&config);
    size_t size = (engine_memory_size(&config) + 63) / 64 * 64;
    rig.memory = aligned_alloc(64, size);
    cr_assert_not_null(rig.memory);
    memset(rig.memory, 0, size);
    rig.engine = engine_init(rig.memory, &config);
    cr_assert_not_null(rig.engine);
    settlement_base_make(&base, "a");
    cr_assert_eq(store_open(&rig.store, base.url, &error), 0, "%s", error.text);
    open_exchange(&rig);
    open_accounts(&rig);
    for (int i = 0; i < ORDERS; i++) {
        trade(&rig);
        if (i % 500 == 499) {
            cr_assert_eq(store_commit(&rig.store, &error), 0, "%s", error.text);
            expect_equal_books(&rig, &base);
        }
    }
    settlement_base_expect_sound(base.pg);
    cr_assert_gt(settlement_base_number(base.pg, "SELECT count(*) FROM kashi.fills"), 500);
    cr_assert_gt(
        settlement_base_number(base.pg, "SELECT count(*) FROM kashi.fills WHERE source_tier <> 7"),
        10, "holdings were resold");
    cr_assert_gt(
        settlement_base_number(base.pg, "SELECT count(*) FROM kashi.fills WHERE buy_fee_e4 > 0"),
        100);
    store_close(&rig.store);
    settlement_base_drop(&base);
    free(rig.memory);
}
