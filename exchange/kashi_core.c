#include "exchange/kashi_core.h"

#include <string.h>

#include "exchange/core/engine.h"

#define HOURS_PER_REGION 800u
#define REGIONS_MAX      256u
#define ACCOUNTS_MAX     100000u
#define SINK             64
#define START_HOUR       490000u /* 2025-11-24T16Z */
#define START_NS         ((int64_t)START_HOUR * NS_PER_HOUR)
#define FIRST_HOUR       (START_HOUR + 2u)
#define CASH_E4          INT64_C(2000000000000000000)
#define ANY_PRICE        (PRICE_MAX_E4 / 2)
#define OPERATOR         1u /* key and account; those of the library's accounts follow */

struct kashi_core {
    struct kashi_core_config config;
    struct kashi_core_handler handler;
    struct engine *engine;
    uint32_t (*resource_of)[REGIONS_MAX]; /* by account and region; 0: none yet */
    uint64_t seq;
    uint64_t entered; /* by the request under way; 0 none */
    bool refused;
    uint32_t accounts;
    uint32_t groups;
    uint32_t resources;
    struct event_sink sink;
    struct event events[SINK];
};

static uint32_t regions_of(const struct kashi_core_config *config)
{
    return (config->instruments + HOURS_PER_REGION - 1) / HOURS_PER_REGION;
}

static struct engine_config tables_of(const struct kashi_core_config *config)
{
    struct engine_config tables;
    engine_config_default(&tables);
    tables.orders = config->orders;
    tables.ladders = config->instruments;
    tables.fills = config->fills;
    tables.holdings = config->fills;
    tables.timers = 1;
    tables.accounts = tables.keys = tables.groups = config->accounts + 1;
    tables.resources = config->accounts * regions_of(config);
    tables.markets = regions_of(config);
    return tables;
}

/* The head of the block: this struct, then who has which resource. */
static size_t head_size(const struct kashi_core_config *config)
{
    size_t size = sizeof(struct kashi_core) + ((size_t)config->accounts + 1) * REGIONS_MAX * 4;
    return (size + 63) & ~(size_t)63;
}

size_t kashi_core_size(const struct kashi_core_config *config)
{
    bool possible = config->instruments >= 1 &&
                    config->instruments <= HOURS_PER_REGION * REGIONS_MAX &&
                    config->accounts >= 1 && config->accounts <= ACCOUNTS_MAX &&
                    (uint64_t)config->accounts * regions_of(config) <= 1u << 20;
    if (!possible || config->orders < 1 || config->orders > 1u << 27 || config->fills < 1 ||
        config->fills > 1u << 27) {
        return 0;
    }
    struct engine_config tables = tables_of(config);
    return head_size(config) + engine_memory_size(&tables);
}

/* --- events --------------------------------------------------------------------------------- */

static uint32_t instrument_of(uint64_t contract)
{
    return contract_region(contract) * HOURS_PER_REGION + contract_hour(contract) - FIRST_HOUR;
}

static void tell_trade(const struct kashi_core *core, const struct event_trade *t)
{
    bool bought = t->aggressor == SIDE_BUY;
    struct kashi_core_trade trade = {.maker = bought ? t->sell_order_id : t->buy_order_id,
                                     .taker = bought ? t->buy_order_id : t->sell_order_id,
                                     .price = t->price_e4,
                                     .qty = t->qty,
                                     .instrument = instrument_of(t->contract)};
    if (core->handler.trade != NULL) {
        core->handler.trade(core->handler.context, &trade);
    }
}

static void tell_rejected(struct kashi_core *core, const struct event_rejected *r)
{
    core->refused = true;
    if (core->handler.rejected != NULL) {
        core->handler.rejected(core->handler.context, r->order_id, r->reason);
    }
}

static void tell(struct kashi_core *core, const struct event *event)
{
    const struct kashi_core_handler *h = &core->handler;
    if (event->head.type == EVENT_NEW) {
        core->entered = event->new_order.order_id;
        if (h->accepted != NULL) {
            h->accepted(h->context, core->entered);
        }
    } else if (event->head.type == EVENT_TRADE) {
        tell_trade(core, &event->trade);
    } else if (event->head.type == EVENT_CANCELED) {
        if (h->canceled != NULL) {
            h->canceled(h->context, event->out.order_id, event->out.qty, event->out.reason);
        }
    } else if (event->head.type == EVENT_REPLACED) {
        if (h->replaced != NULL) {
            h->replaced(h->context, event->replaced.order_id, event->replaced.leaves_qty);
        }
    } else if (event->head.type == EVENT_REJECTED) {
        tell_rejected(core, &event->rejected);
    }
}

static void drain(struct event_sink *sink)
{
    for (uint32_t i = 0; i < sink->count; i++) {
        tell(sink->context, &sink->events[i]);
    }
    sink->count = 0;
}

/* --- commands ------------------------------------------------------------------------------- */

/* The sequence number rises, so it serves as cl_ord_id of any key. */
static void step(struct kashi_core *core, struct command *command)
{
    command->head.seq = ++core->seq;
    command->head.time_ns = START_NS;
    command->head.slots = command->head.slots == 0 ? 1 : command->head.slots;
    engine_step(core->engine, command, &core->sink);
    drain(&core->sink);
}

/* A request of a key whose session is its first. */
static void request(struct kashi_core *core, struct command *command, uint32_t key, uint8_t type)
{
    command->head.type = type;
    command->head.key = key;
    command->head.session = 1;
    command->head.cl_ord_id = core->seq + 1;
    step(core, command);
}

static void put_number(char *text, uint32_t number)
{
    char digits[12];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < count; i++) {
        text[i] = digits[count - 1 - i];
    }
}

static void log_in(struct kashi_core *core, uint32_t key)
{
    struct command login = {.head = {.type = COMMAND_LOGIN, .key = key}};
    step(core, &login);
}

static void open_markets(struct kashi_core *core)
{
    struct command class_ = {.register_class = {.name = "CORE", .lot = 1}};
    request(core, &class_, OPERATOR, COMMAND_REGISTER_CLASS);
    for (uint32_t i = 0; i < regions_of(&core->config); i++) {
        struct command region = {.register_region = {.name = "R-"}};
        put_number(region.register_region.name + 2, i);
        request(core, &region, OPERATOR, COMMAND_REGISTER_REGION);
        struct command market = {.set_market = {.launch_price_e4 = {ANY_PRICE, 0, 0, 0},
                                                .inner_band_bp = 10000000,
                                                .outer_band_bp = 10000000,
                                                .region_id = (uint16_t)i,
                                                .mode = MODE_CONTINUOUS}};
        request(core, &market, OPERATOR, COMMAND_SET_MARKET);
    }
}

struct kashi_core *kashi_core_init(void *memory, const struct kashi_core_config *config,
                                   const struct kashi_core_handler *handler)
{
    if (kashi_core_size(config) == 0) {
        return NULL;
    }
    struct engine_config tables = tables_of(config);
    struct kashi_core *core = memory;
    core->config = *config;
    core->handler = *handler;
    core->resource_of = (uint32_t(*)[REGIONS_MAX])(void *)(core + 1);
    core->engine = engine_init((unsigned char *)memory + head_size(config), &tables);
    core->sink = (struct event_sink){
        .events = core->events, .capacity = SINK, .drain = drain, .context = core};
    struct command genesis = {.head = {.type = COMMAND_GENESIS},
                              .genesis = {.rules_version = 1,
                                          .horizon_hours = 840,
                                          .gate_lead_s = 600,
                                          .sweep_slice = 256,
                                          .rate_limit = UINT32_MAX,
                                          .open_orders_limit = UINT32_MAX,
                                          .order_qty_limit = QTY_MAX}};
    step(core, &genesis);
    log_in(core, OPERATOR);
    open_markets(core);
    return core;
}

uint32_t kashi_core_open(struct kashi_core *core, uint32_t group)
{
    if (core->accounts == core->config.accounts || group < 1 || group > core->config.accounts) {
        return 0;
    }
    while (core->groups < group) {
        struct command named = {.register_group = {.name = "group "}};
        put_number(named.register_group.name + 6, ++core->groups);
        request(core, &named, OPERATOR, COMMAND_REGISTER_GROUP);
    }
    uint32_t account = ++core->accounts;
    uint32_t id = account + OPERATOR;
    struct command open = {.open_account = {.name = "account ",
                                            .group = group + 1,
                                            .roles = ROLE_BUYER | ROLE_PROVIDER}};
    put_number(open.open_account.name + 8, account);
    request(core, &open, OPERATOR, COMMAND_OPEN_ACCOUNT);
    struct command key = {
        .register_key = {.name = "key", .account = id, .roles = ROLE_BUYER | ROLE_PROVIDER}};
    memcpy(key.register_key.public_key, &id, sizeof(id));
    request(core, &key, OPERATOR, COMMAND_REGISTER_KEY);
    struct command deposit = {.cash = {.amount_e4 = CASH_E4, .account = id}};
    request(core, &deposit, OPERATOR, COMMAND_DEPOSIT);
    log_in(core, id);
    return account;
}

/* Made when the account first sells in the region. */
static uint32_t resource_for(struct kashi_core *core, uint32_t account, uint32_t region)
{
    uint32_t *resource = &core->resource_of[account][region];
    if (*resource == 0) {
        union command_slot slots[2] = {{.command = {.head = {.slots = 2}}}};
        struct command *command = &slots[0].command;
        command->register_resource.account = account + OPERATOR;
        command->register_resource.gpus = (uint32_t)QTY_MAX;
        command->register_resource.region_id = (uint16_t)region;
        memcpy(slots[1].identity.identifier, "resource ", 9);
        put_number(slots[1].identity.identifier + 9, core->resources + 1);
        request(core, command, OPERATOR, COMMAND_REGISTER_RESOURCE);
        *resource = ++core->resources;
    }
    return *resource;
}

static void refuse(struct kashi_core *core, uint16_t reason)
{
    tell_rejected(core, &(struct event_rejected){.reason = reason});
}

uint64_t kashi_core_new(struct kashi_core *core, const struct kashi_core_order *order)
{
    static const uint8_t tif_of[] = {TIF_GATE, TIF_IOC, TIF_FOK, TIF_IOC, TIF_GATE};
    core->entered = 0;
    if (order->instrument >= core->config.instruments) {
        refuse(core, REASON_UNKNOWN_CONTRACT);
        return 0;
    }
    if (order->account < 1 || order->account > core->accounts) {
        refuse(core, REASON_UNKNOWN_ACCOUNT);
        return 0;
    }
    if (order->kind > KASHI_CORE_POST_ONLY) {
        refuse(core, REASON_INVALID_ORD_TYPE);
        return 0;
    }
    uint32_t region = order->instrument / HOURS_PER_REGION;
    uint32_t hour = FIRST_HOUR + order->instrument % HOURS_PER_REGION;
    bool market = order->kind == KASHI_CORE_MARKET;
    struct command command = {
        .new_order = {.contract = contract_pack(0, (uint16_t)region, TIER_G0, hour),
                      .price_e4 = market ? ANY_PRICE : order->price,
                      .qty = order->qty,
                      .flags = order->kind == KASHI_CORE_POST_ONLY ? ORDER_POST_ONLY : 0,
                      .side = order->sell != 0 ? SIDE_SELL : SIDE_BUY,
                      .ord_type = market ? ORD_MARKET : ORD_LIMIT,
                      .tif = tif_of[order->kind]}};
    if (order->sell != 0) {
        command.new_order.resource = resource_for(core, order->account, region);
    }
    request(core, &command, order->account + OPERATOR, COMMAND_NEW_ORDER);
    return core->entered;
}

bool kashi_core_replace(struct kashi_core *core, uint32_t account, uint64_t order_id, int64_t price,
                        int64_t qty)
{
    struct command command = {
        .replace_order = {.order_id = order_id, .price_e4 = price, .qty = qty}};
    core->refused = false;
    if (account < 1 || account > core->accounts) {
        refuse(core, REASON_UNKNOWN_ACCOUNT);
        return false;
    }
    request(core, &command, account + OPERATOR, COMMAND_REPLACE_ORDER);
    return !core->refused;
}

bool kashi_core_cancel(struct kashi_core *core, uint32_t account, uint64_t order_id)
{
    struct command command = {.cancel_order = {.order_id = order_id}};
    core->refused = false;
    if (account < 1 || account > core->accounts) {
        refuse(core, REASON_UNKNOWN_ACCOUNT);
        return false;
    }
    request(core, &command, account + OPERATOR, COMMAND_CANCEL_ORDER);
    return !core->refused;
}
