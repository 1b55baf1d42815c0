#include "bench/market.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void market_step(struct market *market, struct command *command)
{
    command->head.seq = ++market->seq;
    engine_step(market->engine, command, &market->sink);
    market->sink.drain(&market->sink);
}

void market_request(struct market *market, struct command *command, uint8_t type, uint8_t slots,
                    uint32_t key)
{
    bool numbered = type != COMMAND_LOGIN && key != 0;
    command->head.time_ns = MARKET_START_NS;
    command->head.type = type;
    command->head.slots = slots;
    command->head.key = key;
    command->head.session = numbered ? 1 : 0;
    command->head.cl_ord_id = numbered ? market->seq + 1 : 0;
    market_step(market, command);
}

static void operate(struct market *market, struct command *command, uint8_t type)
{
    market_request(market, command, type, 1, MARKET_OPERATOR);
}

static void open_registry(struct market *market)
{
    struct command genesis = {.genesis = {.rules_version = 1,
                                          .horizon_hours = 840,
                                          .gate_lead_s = 600,
                                          .bond_bp = 4000,
                                          .sweep_slice = 256,
                                          .rate_limit = UINT32_MAX,
                                          .open_orders_limit = UINT32_MAX,
                                          .order_qty_limit = QTY_MAX}};
    market_request(market, &genesis, COMMAND_GENESIS, 1, 0);
    struct command login = {0};
    operate(market, &login, COMMAND_LOGIN);
    struct command class_ = {.register_class = {.name = "H100", .lot = 1}};
    operate(market, &class_, COMMAND_REGISTER_CLASS);
    for (uint32_t group = MARKET_BUYERS; group <= MARKET_SELLERS; group++) {
        struct command named = {0};
        (void)snprintf(named.register_group.name, LABEL_SIZE, "group %u", group);
        operate(market, &named, COMMAND_REGISTER_GROUP);
    }
}

void market_begin(struct market *market, const struct engine_config *config, market_take *take,
                  uint32_t capacity)
{
    struct error error;
    size_t size = engine_memory_size(config);
    if (arena_init(&market->arena, size, ARENA_HUGE_PAGES, &error) != 0) {
        fprintf(stderr, "bench: %s\n", error.text);
        exit(1);
    }
    market->engine = engine_init(arena_take(&market->arena, size), config);
    CHECK(market->engine != NULL && capacity <= MARKET_SINK_MAX);
    market->sink =
        (struct event_sink){.events = market->events, .capacity = capacity, .drain = take};
    market->seq = 0;
    open_registry(market);
}

void market_end(struct market *market)
{
    arena_free(&market->arena);
}

void market_region(struct market *market, uint16_t region)
{
    struct command named = {0};
    (void)snprintf(named.register_region.name, NAME_SIZE, "R%u", region);
    operate(market, &named, COMMAND_REGISTER_REGION);
    struct command terms = {.set_market = {.launch_price_e4 = {MARKET_MID_E4, MARKET_MID_E4,
                                                               MARKET_MID_E4, MARKET_MID_E4},
                                           .inner_band_bp = 10000000,
                                           .outer_band_bp = 10000000,
                                           .region_id = region,
                                           .mode = MODE_CONTINUOUS}};
    operate(market, &terms, COMMAND_SET_MARKET);
}

void market_trader(struct market *market, uint32_t id, uint8_t role)
{
    uint32_t group = role == ROLE_BUYER ? MARKET_BUYERS : MARKET_SELLERS;
    struct command account = {.open_account = {.group = group, .roles = role}};
    (void)snprintf(account.open_account.name, LABEL_SIZE, "trader %u", id);
    operate(market, &account, COMMAND_OPEN_ACCOUNT);
    struct command key = {.register_key = {.name = "key", .account = id, .roles = role}};
    memcpy(key.register_key.public_key, &id, sizeof(id));
    operate(market, &key, COMMAND_REGISTER_KEY);
    struct command cash = {.cash = {.amount_e4 = INT64_C(1000000000000000000), .account = id}};
    operate(market, &cash, COMMAND_DEPOSIT);
    struct command login = {0};
    market_request(market, &login, COMMAND_LOGIN, 1, id);
}

void market_resource(struct market *market, uint32_t account, uint16_t region, uint8_t tier)
{
    union command_slot slots[2] = {{.command = {.register_resource = {.account = account,
                                                                      .gpus = (uint32_t)QTY_MAX,
                                                                      .region_id = region,
                                                                      .tier = tier}}}};
    (void)snprintf(slots[1].identity.identifier, IDENTIFIER_SIZE, "bench-%u", account);
    market_request(market, &slots[0].command, COMMAND_REGISTER_RESOURCE, 2, MARKET_OPERATOR);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double market_median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), by_value);
    return values[count / 2];
}
