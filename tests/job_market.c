#include "tests/job_market.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

struct event market_events[4096];
uint32_t market_event_count;
int64_t market_now_ns;
bool market_walks;

static struct engine *engine;
static union command_slot slots[COMMAND_SLOTS_MAX];
static uint64_t seq;

static void overflow(struct event_sink *sink)
{
    (void)sink;
    CHECK(false);
}

struct engine *market_engine(void)
{
    return engine;
}

union command_slot *market_slots(void)
{
    return slots;
}

struct command *market_command(uint8_t type, uint32_t key)
{
    memset(slots, 0, sizeof(slots));
    bool session = key != 0 && type != COMMAND_LOGIN;
    slots[0].command.head = (struct command_head){
        .cl_ord_id = session ? seq + 1 : 0,
        .key = key,
        .session = session,
        .type = type,
        .slots = 1,
    };
    return &slots[0].command;
}

void market_step(void)
{
    struct event_sink sink = {market_events, 4096, 0, overflow, NULL};
    slots[0].command.head.seq = ++seq;
    slots[0].command.head.time_ns = market_now_ns;
    engine_step(engine, &slots[0].command, &sink);
    market_event_count = sink.count;
    CHECK((market_events[sink.count - 1].head.flags & EVENT_LAST) != 0);
    if (market_walks) {
        engine_sanity(engine);
    }
}

void market_tick(int64_t seconds)
{
    market_now_ns += seconds * NS_PER_SECOND;
    market_command(COMMAND_TICK, 0);
    market_step();
}

static void must_step(void)
{
    market_step();
    CHECK(market_refusal() == 0);
}

static void open_account(uint32_t account, uint8_t roles)
{
    struct command *c = market_command(COMMAND_REGISTER_GROUP, OPERATOR);
    snprintf(c->register_group.name, LABEL_SIZE, "group %u", account);
    must_step();
    c = market_command(COMMAND_OPEN_ACCOUNT, OPERATOR);
    snprintf(c->open_account.name, LABEL_SIZE, "account %u", account);
    c->open_account.group = account; /* group 1 is the operator's */
    c->open_account.roles = roles;
    must_step();
    c = market_command(COMMAND_REGISTER_KEY, OPERATOR);
    c->register_key.public_key[0] = (uint8_t)account;
    c->register_key.account = account;
    c->register_key.roles = roles;
    must_step();
    c = market_command(COMMAND_DEPOSIT, OPERATOR);
    c->cash.account = account;
    c->cash.amount_e4 = INT64_C(1000000000000000);
    must_step();
    market_command(COMMAND_LOGIN, account);
    must_step();
}

static void open_lane(uint16_t class_id, uint16_t region_id)
{
    struct command *c = market_command(COMMAND_SET_MARKET, OPERATOR);
    c->set_market = (struct command_set_market){
        .launch_price_e4 = {YUAN(10), YUAN(10), YUAN(10), YUAN(10)},
        .inner_band_bp = 5000,
        .outer_band_bp = 9000,
        .class_id = class_id,
        .region_id = region_id,
        .mode = MODE_CONTINUOUS,
    };
    must_step();
}

void market_resource(uint32_t account, uint16_t region_id)
{
    static uint32_t count;
    struct command *c = market_command(COMMAND_REGISTER_RESOURCE, OPERATOR);
    c->head.slots = 2;
    c->register_resource.account = account;
    c->register_resource.gpus = MARKET_GPUS;
    c->register_resource.region_id = region_id;
    c->register_resource.tier = TIER_G100;
    snprintf(slots[1].identity.identifier, IDENTIFIER_SIZE, "resource %u", ++count);
    must_step();
}

static void open_registry(void)
{
    for (uint16_t i = 0; i < 2; i++) {
        struct command *c = market_command(COMMAND_REGISTER_CLASS, OPERATOR);
        snprintf(c->register_class.name, NAME_SIZE, "C%u", i);
        c->register_class.lot = i == 0 ? 1 : 8;
        must_step();
        c = market_command(COMMAND_REGISTER_REGION, OPERATOR);
        snprintf(c->register_region.name, NAME_SIZE, "R%u", i);
        must_step();
    }
    for (uint16_t i = 0; i < 4; i++) {
        open_lane(i / 2, i % 2);
    }
    open_account(AN, ROLE_PROVIDER | ROLE_BUYER);
    open_account(BAO, ROLE_PROVIDER | ROLE_BUYER);
    open_account(CHEN, ROLE_BUYER);
    open_account(DING, ROLE_BUYER);
    market_resource(AN, REGION_A);
    market_resource(AN, REGION_A);
    market_resource(BAO, REGION_A);
    market_resource(BAO, REGION_B);
}

struct engine_config market_config(void)
{
    struct engine_config config;
    engine_config_default(&config);
    config.orders = 1u << 17;
    config.ladders = 4096;
    config.accounts = config.keys = config.groups = config.resources = 16;
    config.markets = 8;
    return config;
}

void market_open(const struct engine_config *wanted)
{
    struct engine_config config = wanted != NULL ? *wanted : market_config();
    void *memory = mmap(NULL, engine_memory_size(&config), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    engine = engine_init(memory, &config);
    CHECK(engine != NULL);
    seq = 0;
    market_walks = true;
    market_now_ns = MARKET_START_NS;
    struct command *c = market_command(COMMAND_GENESIS, 0);
    c->genesis = (struct command_genesis){.rules_version = 1,
                                          .horizon_hours = 840,
                                          .gate_lead_s = 600,
                                          .bond_bp = 4000,
                                          .sweep_slice = 256,
                                          .rate_limit = UINT32_MAX,
                                          .open_orders_limit = UINT32_MAX,
                                          .order_qty_limit = QTY_MAX};
    must_step();
    market_command(COMMAND_LOGIN, OPERATOR);
    must_step();
    open_registry();
}

/* --- requests ----------------------------------------------------------------------------------- */

static uint64_t id_of(uint8_t type)
{
    const struct event *e = market_event(type, 0);
    return e == NULL ? 0 : type == EVENT_NEW ? e->new_order.order_id : e->job.order_id;
}

uint64_t market_offer(struct terms_of_offer t)
{
    struct command *c = market_command(COMMAND_NEW_ORDER, t.key);
    c->new_order = (struct command_new_order){
        .contract = contract_pack(t.class_id, t.region, t.tier, t.hour),
        .price_e4 = t.price_e4,
        .qty = t.qty,
        .display_qty = t.display_qty,
        .resource = t.resource,
        .side = SIDE_SELL,
        .job_lead_hours = t.job_lead_hours,
    };
    market_step();
    return id_of(EVENT_NEW);
}

uint64_t market_bid(uint32_t key, uint32_t hour, int64_t price_e4, int64_t qty)
{
    struct command *c = market_command(COMMAND_NEW_ORDER, key);
    c->new_order.contract = contract_pack(0, REGION_A, TIER_G0, hour);
    c->new_order.price_e4 = price_e4;
    c->new_order.qty = qty;
    market_step();
    return id_of(EVENT_NEW);
}

void market_cancel(uint32_t key, uint64_t order_id)
{
    market_command(COMMAND_CANCEL_ORDER, key)->cancel_order.order_id = order_id;
    market_step();
}

void market_replace(uint32_t key, uint64_t order_id, int64_t price_e4, int64_t qty)
{
    struct command *c = market_command(COMMAND_REPLACE_ORDER, key);
    c->replace_order.order_id = order_id;
    c->replace_order.price_e4 = price_e4;
    c->replace_order.qty = qty;
    market_step();
}

struct command *market_job_command(struct terms_of_job t)
{
    struct command *c = market_command(COMMAND_NEW_JOB, t.key);
    if (t.lane_count == 0) {
        t.lane_count = 1;
        t.lanes[0].factor_e4 = 10000;
    }
    c->head.slots = (uint8_t)(1 + (t.lane_count + JOB_LANES_PER_SLOT - 1) / JOB_LANES_PER_SLOT);
    c->new_job = (struct command_new_job){
        .price_e4 = t.price_e4,
        .qty = t.qty,
        .expire_time_ns = t.expire_time_ns,
        .same_group = t.same_group,
        .window_from = t.from,
        .window_to = t.to,
        .hours = t.hours,
        .placement = t.placement,
        .lane_count = t.lane_count,
        .tif = t.tif,
    };
    for (uint32_t i = 0; i < t.lane_count; i++) {
        slots[1 + i / JOB_LANES_PER_SLOT].lanes[i % JOB_LANES_PER_SLOT] = t.lanes[i];
    }
    return c;
}

uint64_t market_job(struct terms_of_job terms)
{
    market_job_command(terms);
    market_step();
    return id_of(EVENT_JOB);
}

/* --- answers ------------------------------------------------------------------------------------ */

const struct event *market_event(uint8_t type, uint32_t number)
{
    for (uint32_t i = 0; i < market_event_count; i++) {
        if (market_events[i].head.type == type && number-- == 0) {
            return &market_events[i];
        }
    }
    return NULL;
}

uint32_t market_count(uint8_t type)
{
    uint32_t count = 0;
    while (market_event(type, count) != NULL) {
        count++;
    }
    return count;
}

uint16_t market_refusal(void)
{
    const struct event *e = market_event(EVENT_REJECTED, 0);
    return e == NULL ? 0 : e->rejected.reason;
}

bool market_live(uint64_t order_id)
{
    struct engine_order order;
    return engine_order(engine, order_id, &order);
}

int64_t market_leaves(uint64_t order_id)
{
    struct engine_order order;
    return engine_order(engine, order_id, &order) ? order.leaves_qty : 0;
}

/* --- what suites expect ----------------------------------------------------------------------- */

void market_expect_trades(uint32_t count)
{
    cr_assert_eq(market_count(EVENT_TRADE), count, "%u trades", market_count(EVENT_TRADE));
}

void market_expect_miss(int64_t qty, uint8_t lane, uint32_t hour)
{
    const struct event *e = market_event(EVENT_MISS, 0);
    cr_assert_not_null(e);
    cr_assert_eq(e->miss.qty, qty);
    cr_assert_eq(e->miss.leg, lane);
    cr_assert_eq(contract_hour(e->miss.contract), hour);
    market_expect_trades(0);
}

struct engine_account market_account(uint32_t account)
{
    struct engine_account a;
    cr_assert(engine_account(market_engine(), account, &a));
    return a;
}

struct terms_of_job market_job_of(uint8_t placement, uint32_t first_hour, uint32_t hours,
                                  int64_t price_e4, int64_t qty)
{
    return (struct terms_of_job){.key = CHEN,
                                 .from = first_hour,
                                 .to = first_hour + hours,
                                 .price_e4 = price_e4,
                                 .qty = qty,
                                 .hours = (uint16_t)hours,
                                 .placement = placement};
}

void market_sell(uint32_t resource, uint32_t hour, int64_t price_e4, int64_t qty)
{
    struct terms_of_offer terms = {
        .key = resource == BAO_1 || resource == BAO_B ? BAO : AN,
        .resource = resource,
        .hour = hour,
        .price_e4 = price_e4,
        .qty = qty,
        .region = resource == BAO_B ? REGION_B : REGION_A,
    };
    cr_assert_neq(market_offer(terms), 0, "offer refused: %u", market_refusal());
}
