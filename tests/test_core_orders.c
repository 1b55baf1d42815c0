/* Orders of several hours: what the comparison with the slow model does not show. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/core/state.h"
#include "tests/model_random.h"
#include "tests/model_twin.h"

enum { KEY_OPERATOR = 1, KEY_BUYER = 2, KEY_PROVIDER = 3 };
#define NOW_NS (INT64_C(498600) * NS_PER_HOUR)
#define HOUR   498650u

/* --- dry runs -------------------------------------------------------------------------------- */

static struct engine_config config_of_twin(void)
{
    struct engine_config config;
    engine_config_default(&config);
    config.accounts = 40;
    config.keys = 200;
    config.resources = 40;
    config.groups = 40;
    config.markets = 16;
    return config;
}

/* Refused for what the sender is or sends, which a dry run does not look at. */
static bool is_about_sender(uint16_t reason)
{
    return reason == REASON_UNKNOWN_KEY || reason == REASON_SESSION_ENDED ||
           reason == REASON_DUPLICATE || reason == REASON_RATE_EXCEEDED;
}

struct outcome {
    struct engine_quote quote; /* what the dry run should have said */
    bool sender;
};

static struct outcome outcome_of(const struct model_events *events)
{
    struct outcome o = {0};
    for (size_t i = 0; i < events->count; i++) {
        const struct event *event = &events->items[i];
        if (event->head.type == EVENT_REJECTED) {
            o.sender = is_about_sender(event->rejected.reason);
            o.quote.reason = event->rejected.reason;
            o.quote.leg = event->rejected.leg;
            o.quote.contract = event->rejected.contract;
            o.quote.value = event->rejected.value;
            o.quote.bound = event->rejected.bound;
        } else if (event->head.type == EVENT_SET) {
            o.quote.reserved_e4 = event->set.reserved_e4;
        } else if (event->head.type == EVENT_TRADE) {
            o.quote.qty += event->trade.qty;
            o.quote.notional_e4 += event->trade.qty * event->trade.price_e4;
        } else if (event->head.type == EVENT_MISS) {
            o.quote.miss_contract = event->miss.contract;
            o.quote.miss_qty = event->miss.qty;
            o.quote.miss_leg = event->miss.leg;
        } else if (event->head.type == EVENT_CANCELED &&
                   (event->out.reason == REASON_FOK_NOT_FILLED ||
                    event->out.reason == REASON_MIN_QTY_NOT_MET)) {
            o.quote.reason = event->out.reason;
        }
    }
    return o;
}

static void compare(const struct engine_quote *quote, const struct outcome *o)
{
    cr_assert_eq(quote->reason, o->quote.reason, "reason %u, then %u", quote->reason,
                 o->quote.reason);
    cr_assert_eq(quote->leg, o->quote.leg);
    cr_assert_eq(quote->contract, o->quote.contract);
    cr_assert_eq(quote->qty, o->quote.qty, "%" PRId64 " GPUs, then %" PRId64, quote->qty,
                 o->quote.qty);
    cr_assert_eq(quote->notional_e4, o->quote.notional_e4);
    if (quote->reason == REASON_NONE) {
        cr_assert_eq(quote->reserved_e4, o->quote.reserved_e4);
    } else if (o->quote.reserved_e4 == 0) { /* refused */
        cr_assert_eq(quote->value, o->quote.value);
        cr_assert_eq(quote->bound, o->quote.bound);
    } else { /* canceled whole, with a MISS */
        cr_assert_eq(quote->miss_contract, o->quote.miss_contract);
        cr_assert_eq(quote->miss_qty, o->quote.miss_qty);
        cr_assert_eq(quote->miss_leg, o->quote.miss_leg);
    }
}

/* Whether the SET was compared with its dry run. */
static bool quote_and_step(struct model_twin *twin, const union command_slot *slots)
{
    struct engine_quote quote;
    uint64_t hash = engine_state_hash(twin->engine);
    bool known = engine_quote_set(twin->engine, &slots[0].command, &quote);
    cr_assert_eq(engine_state_hash(twin->engine), hash);
    cr_assert(model_twin_step(twin, slots));
    struct outcome o = outcome_of(&twin->actual);
    if (!known || o.sender) {
        return false;
    }
    if (quote.reason == REASON_READ_TOO_WIDE) { /* about the dry run and not the SET */
        cr_assert_eq(o.quote.reason, REASON_NONE);
        cr_assert_gt(quote.value, quote.bound);
        return false;
    }
    compare(&quote, &o);
    return true;
}

static uint32_t compare_quotes(uint64_t seed, uint32_t trial_orders)
{
    struct engine_config config = config_of_twin();
    struct model_twin *twin = model_twin_new(&config);
    struct model_random random;
    union command_slot slots[COMMAND_SLOTS_MAX];
    uint32_t compared = 0;
    model_random_init(&random, seed);
    random.sets = 40;
    random.trial_orders = trial_orders;
    for (uint32_t i = 0; model_random_opening(&random, i, twin->model, slots); i++) {
        cr_assert(model_twin_step(twin, slots));
    }
    while (twin->step_count < 4000) {
        model_random_command(&random, twin->model, slots);
        /* No time passes between the dry run and the request. */
        bool still =
            slots[0].command.head.type == COMMAND_NEW_SET && !engine_has_work(twin->engine);
        if (still) {
            slots[0].command.head.time_ns = engine_time_ns(twin->engine);
            compared += quote_and_step(twin, slots);
        } else {
            cr_assert(model_twin_step(twin, slots));
        }
    }
    model_twin_free(twin);
    return compared;
}

Test(core_orders, a_dry_run_of_a_set_says_what_it_then_does)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        fprintf(stderr, "seed %" PRIu64 "\n", seed);
        cr_assert_gt(compare_quotes(seed, seed <= 4 ? 0 : (uint32_t)seed - 3), 300);
    }
}

/* --- a small market of its own ------------------------------------------------------------------- */

struct market_world {
    struct engine *engine;
    void *memory;
    struct event events[256];
    struct event_sink sink;
    uint64_t cl_ord_id;
    int64_t now_ns;
};

static void no_drain(struct event_sink *sink)
{
    (void)sink;
    CHECK(false);
}

/* Events of the last command stand in world->events. */
static const struct event *send(struct market_world *w, union command_slot *slots, uint32_t key)
{
    struct command_head *head = &slots[0].command.head;
    head->seq = engine_seq(w->engine) + 1;
    head->time_ns = w->now_ns;
    head->key = key;
    head->slots = head->slots == 0 ? 1 : head->slots;
    if (head->type > COMMAND_LOGOUT) {
        head->session = 1;
        head->cl_ord_id = ++w->cl_ord_id;
    }
    w->sink.count = 0;
    engine_step(w->engine, &slots[0].command, &w->sink);
    engine_sanity(w->engine);
    return w->events;
}

static union command_slot command_of(uint8_t type)
{
    union command_slot slot;
    memset(&slot, 0, sizeof(slot));
    slot.command.head.type = type;
    return slot;
}

static void register_names(struct market_world *w)
{
    union command_slot c = command_of(COMMAND_GENESIS);
    c.command.genesis = (struct command_genesis){.rules_version = 1,
                                                 .horizon_hours = 840,
                                                 .gate_lead_s = 600,
                                                 .bond_bp = 4000,
                                                 .sweep_slice = 64,
                                                 .rate_limit = 1000000,
                                                 .open_orders_limit = 1000000,
                                                 .order_qty_limit = 1000000};
    send(w, &c, 0);
    c = command_of(COMMAND_LOGIN);
    send(w, &c, KEY_OPERATOR);
    c = command_of(COMMAND_REGISTER_CLASS);
    c.command.register_class = (struct command_register_class){.name = "H100", .lot = 1};
    send(w, &c, KEY_OPERATOR);
    c = command_of(COMMAND_REGISTER_REGION);
    c.command.register_region = (struct command_register_region){.name = "CN-GZ"};
    send(w, &c, KEY_OPERATOR);
    c = command_of(COMMAND_SET_MARKET);
    c.command.set_market =
        (struct command_set_market){.launch_price_e4 = {100000, 100000, 100000, 100000},
                                    .inner_band_bp = 5000,
                                    .outer_band_bp = 5000,
                                    .mode = MODE_CONTINUOUS};
    send(w, &c, KEY_OPERATOR);
}

static void register_member(struct market_world *w, const char *name, uint32_t id, uint8_t roles)
{
    union command_slot c = command_of(COMMAND_REGISTER_GROUP);
    memcpy(c.command.register_group.name, name, strlen(name));
    send(w, &c, KEY_OPERATOR);
    c = command_of(COMMAND_OPEN_ACCOUNT);
    memcpy(c.command.open_account.name, name, strlen(name));
    c.command.open_account.group = id;
    c.command.open_account.roles = roles;
    send(w, &c, KEY_OPERATOR);
    c = command_of(COMMAND_REGISTER_KEY);
    memcpy(c.command.register_key.name, name, strlen(name));
    c.command.register_key.public_key[0] = (uint8_t)id;
    c.command.register_key.account = id;
    c.command.register_key.roles = roles;
    send(w, &c, KEY_OPERATOR);
    c = command_of(COMMAND_SET_CREDIT);
    c.command.cash.amount_e4 = INT64_C(1000000000000);
    c.command.cash.account = id;
    send(w, &c, KEY_OPERATOR);
    c = command_of(COMMAND_LOGIN);
    send(w, &c, id);
}

static void register_resource(struct market_world *w)
{
    union command_slot c[2] = {command_of(COMMAND_REGISTER_RESOURCE)};
    memset(&c[1], 0, sizeof(c[1]));
    c[0].command.head.slots = 2;
    c[0].command.register_resource = (struct command_register_resource){
        .node = "gz", .account = KEY_PROVIDER, .gpus = 100000, .pue_e4 = 12000, .tier = TIER_G100};
    memcpy(c[1].identity.identifier, "GZ-1", 4);
    memcpy(c[1].identity.energy_source, "hydro", 5);
    send(w, c, KEY_OPERATOR);
}

static struct market_world *world_new(uint32_t orders)
{
    struct engine_config config;
    engine_config_default(&config);
    config.orders = orders;
    config.ladders = 128;
    config.fills = 32768;
    config.holdings = 32768;
    config.timers = 64;
    config.accounts = config.keys = config.resources = config.groups = config.markets = 8;
    struct market_world *w = calloc(1, sizeof(*w));
    CHECK(w != NULL);
    size_t size = (engine_memory_size(&config) + 63) / 64 * 64;
    w->memory = aligned_alloc(64, size);
    CHECK(w->memory != NULL);
    memset(w->memory, 0, size);
    w->engine = engine_init(w->memory, &config);
    w->now_ns = NOW_NS;
    w->sink = (struct event_sink){.events = w->events, .capacity = 256, .drain = no_drain};
    register_names(w);
    register_member(w, "buyer", KEY_BUYER, ROLE_BUYER);
    register_member(w, "provider", KEY_PROVIDER, ROLE_PROVIDER | ROLE_BUYER);
    register_resource(w);
    return w;
}

static void world_free(struct market_world *w)
{
    free(w->memory);
    free(w);
}

static uint64_t contract_of(uint32_t hour)
{
    return contract_pack(0, 0, TIER_G0, hour);
}

static uint64_t offer_reserved(struct market_world *w, uint32_t hour, int64_t qty,
                               uint16_t job_lead_hours)
{
    union command_slot c = command_of(COMMAND_NEW_ORDER);
    c.command.new_order = (struct command_new_order){.contract = contract_of(hour),
                                                     .price_e4 = 100000,
                                                     .qty = qty,
                                                     .resource = 1,
                                                     .side = SIDE_SELL,
                                                     .stp = STP_CANCEL_OLDEST,
                                                     .job_lead_hours = job_lead_hours};
    const struct event *events = send(w, &c, KEY_PROVIDER);
    return events[0].head.type == EVENT_NEW ? events[0].new_order.order_id : 0;
}

static uint64_t offer(struct market_world *w, uint32_t hour, int64_t qty)
{
    return offer_reserved(w, hour, qty, 0);
}

static uint64_t enter_set_by(struct market_world *w, uint32_t key, uint8_t legs, int64_t qty)
{
    union command_slot c[COMMAND_SLOTS_MAX];
    memset(c, 0, sizeof(c));
    c[0] = command_of(COMMAND_NEW_SET);
    c[0].command.head.slots = (uint8_t)(1 + (legs + SET_LEGS_PER_SLOT - 1) / SET_LEGS_PER_SLOT);
    c[0].command.new_set.qty = qty;
    c[0].command.new_set.leg_count = legs;
    for (uint32_t i = 0; i < legs; i++) {
        c[1 + i / SET_LEGS_PER_SLOT].legs[i % SET_LEGS_PER_SLOT] =
            (struct set_leg){.contract = contract_of(HOUR + i), .price_e4 = 110000};
    }
    const struct event *events = send(w, c, key);
    return events[0].head.type == EVENT_SET ? events[0].set.order_id : 0;
}

static uint64_t enter_set(struct market_world *w, uint8_t legs, int64_t qty)
{
    return enter_set_by(w, KEY_BUYER, legs, qty);
}

/* --- trials -------------------------------------------------------------------------------------- */

/* One GPU in each of 64 hours. */
static void offer_range(struct market_world *w)
{
    union command_slot c = command_of(COMMAND_NEW_RANGE);
    c.command.new_range = (struct command_new_range){.contract = contract_of(HOUR),
                                                     .price_e4 = 100000,
                                                     .qty = 1,
                                                     .hours = SET_LEGS_MAX,
                                                     .resource = 1};
    cr_assert_eq(send(w, &c, KEY_PROVIDER)[0].head.type, EVENT_RANGE);
}

/* A SET of all 64 hours; its last event. */
static const struct event *try_set(struct market_world *w, struct command_new_set set)
{
    union command_slot c[COMMAND_SLOTS_MAX];
    memset(c, 0, sizeof(c));
    c[0] = command_of(COMMAND_NEW_SET);
    c[0].command.head.slots = 1 + SET_LEGS_MAX / SET_LEGS_PER_SLOT;
    set.leg_count = SET_LEGS_MAX;
    c[0].command.new_set = set;
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        c[1 + i / SET_LEGS_PER_SLOT].legs[i % SET_LEGS_PER_SLOT] =
            (struct set_leg){.contract = contract_of(HOUR + i), .price_e4 = 110000};
    }
    const struct event *events = send(w, c, KEY_BUYER);
    return &events[w->sink.count - 1];
}

Test(core_orders, a_trial_meets_16384_orders_and_no_more)
{
    struct market_world *w = world_new(20000);
    for (uint32_t i = 0; i < TRIAL_ORDERS / SET_LEGS_MAX; i++) {
        offer_range(w);
    }
    struct command_new_set fill_or_kill = {.qty = TRIAL_ORDERS + 1, .tif = TIF_FOK};
    struct command_new_set minimum = {.qty = 20000, .min_qty = TRIAL_ORDERS + 1};
    cr_assert_eq(try_set(w, fill_or_kill)->out.reason, REASON_FOK_NOT_FILLED);
    cr_assert_eq(try_set(w, minimum)->out.reason, REASON_MIN_QTY_NOT_MET);
    offer_range(w);
    const struct event *refused = try_set(w, fill_or_kill);
    cr_assert_eq(refused->head.type, EVENT_REJECTED);
    cr_assert_eq(refused->rejected.reason, REASON_TRIAL_TOO_WIDE);
    cr_assert_eq(refused->rejected.value, 16385);
    cr_assert_eq(refused->rejected.bound, 16384);
    cr_assert_eq(try_set(w, minimum)->rejected.reason, REASON_TRIAL_TOO_WIDE);
    world_free(w);
}

static uint8_t cancel(struct market_world *w, uint64_t order_id)
{
    union command_slot c = command_of(COMMAND_CANCEL_ORDER);
    c.command.cancel_order.order_id = order_id;
    return send(w, &c, KEY_BUYER)[0].head.type;
}

Test(core_orders, a_leg_is_no_order_that_anybody_can_name)
{
    struct market_world *w = world_new(1000);
    uint64_t set = enter_set(w, 3, 10);
    cr_assert_neq(set, 0);
    uint32_t leg = w->engine->orders[(uint32_t)set].next;
    uint64_t id = order_id_of(w->engine, leg);
    struct engine_order read;
    cr_assert_not(engine_order(w->engine, id, &read));
    cr_assert_eq(cancel(w, id), EVENT_REJECTED);
    cr_assert_eq(w->events[0].rejected.reason, REASON_UNKNOWN_ORDER);
    cr_assert(engine_order(w->engine, set, &read));
    cr_assert_eq(read.kind, ENGINE_SET);
    cr_assert_eq(read.contract, 0);
    cr_assert_eq(cancel(w, set), EVENT_CANCELED);
    world_free(w);
}

Test(core_orders, a_set_of_64_legs_takes_65_places_and_gives_them_back)
{
    struct market_world *w = world_new(66);
    uint64_t set = enter_set(w, SET_LEGS_MAX, 7);
    cr_assert_neq(set, 0);
    struct engine_counts counts;
    engine_counts(w->engine, &counts);
    cr_assert_eq(counts.orders, 65);
    cr_assert_eq(counts.ladders, 64);
    cr_assert_eq(enter_set(w, 1, 7), 0, "two places are not left");
    cr_assert_eq(w->events[0].rejected.reason, REASON_FULL);
    cr_assert_neq(offer(w, HOUR + 63, 7), 0);
    engine_counts(w->engine, &counts);
    cr_assert_eq(counts.orders, 0);
    cr_assert_eq(counts.ladders, 1, "only the hour that traded is left");
    struct engine_account account;
    cr_assert(engine_account(w->engine, KEY_BUYER, &account));
    cr_assert_eq(account.reserved_e4, 0);
    world_free(w);
}

/* Ids never repeat: a slot whose generations are used up is not given again, and not counted on. */
Test(core_orders, a_dry_run_leaves_out_what_is_over_and_not_yet_taken_out)
{
    struct market_world *w = world_new(400);
    for (uint32_t i = 0; i < 200; i++) {
        cr_assert_neq(offer(w, HOUR, 1), 0);
    }
    union command_slot c[2] = {command_of(COMMAND_NEW_SET), command_of(0)};
    memset(&c[1], 0, sizeof(c[1]));
    c[0].command.head.slots = 2;
    c[0].command.head.key = KEY_BUYER;
    c[0].command.new_set.qty = 5;
    c[0].command.new_set.leg_count = 1;
    c[1].legs[0] = (struct set_leg){.contract = contract_of(HOUR), .price_e4 = 110000};
    struct engine_quote quote;
    cr_assert(engine_quote_set(w->engine, &c[0].command, &quote));
    cr_assert_eq(quote.qty, 5);
    union command_slot all = command_of(COMMAND_MASS_CANCEL);
    send(w, &all, KEY_PROVIDER);
    cr_assert(engine_has_work(w->engine), "a slice does not reach all of them");
    cr_assert(engine_quote_set(w->engine, &c[0].command, &quote));
    cr_assert_eq(quote.qty, 0);
    world_free(w);
}

Test(core_orders, a_retired_slot_is_not_counted_as_room)
{
    struct market_world *w = world_new(3);
    uint64_t first = enter_set(w, 1, 5);
    cr_assert_eq(cancel(w, first), EVENT_CANCELED);
    w->engine->orders[w->engine->s.order_free].generation = UINT32_MAX;
    uint64_t set = enter_set(w, 1, 5);
    cr_assert_eq(cancel(w, set), EVENT_CANCELED);
    cr_assert_neq(enter_set(w, 1, 5), 0);
    cr_assert_eq(enter_set(w, 1, 5), 0);
    cr_assert_eq(w->events[0].rejected.reason, REASON_FULL);
    cr_assert_eq(offer(w, HOUR + 1, 5), 0);
    cr_assert_eq(w->events[0].rejected.reason, REASON_FULL);
    world_free(w);
}

/* The ladder that a SET leaves while another order arrives in it stays that order's. */
Test(core_orders, an_hour_left_by_a_set_in_the_middle_of_a_command_stays_in_use)
{
    struct market_world *w = world_new(100);
    cr_assert_neq(enter_set_by(w, KEY_PROVIDER, 1, 5), 0);
    uint64_t rest =
        offer(w, HOUR, 3); /* ends the SET, which is its own, and with it the last order */
    struct engine_order read;
    cr_assert(engine_order(w->engine, rest, &read));
    cr_assert_eq(read.leaves_qty, 3);
    struct engine_counts counts;
    engine_counts(w->engine, &counts);
    cr_assert_eq(counts.ladders, 1);
    world_free(w);
}

/* --- the end of a reservation -------------------------------------------------------------------- */

static const struct event *tick_at(struct market_world *w, int64_t time_ns)
{
    union command_slot c = command_of(COMMAND_TICK);
    w->now_ns = time_ns;
    return send(w, &c, 0);
}

Test(core_orders, an_offer_is_not_released_into_fills_that_have_no_room)
{
    int64_t release_ns = ((int64_t)HOUR * 3600 - 600 - 5 * 3600) * NS_PER_SECOND;
    struct market_world *w = world_new(100);
    uint64_t set = enter_set(w, 1, 8);
    uint64_t reserved = offer_reserved(w, HOUR, 5, 5);
    cr_assert(set != 0 && reserved != 0);
    cr_assert_eq(tick_at(w, release_ns - 1)[0].head.type, EVENT_TIME);
    w->engine->config.fills = w->engine->s.fill_count;
    const struct event *events = tick_at(w, release_ns);
    cr_assert_eq(events[0].head.type, EVENT_CANCELED);
    cr_assert_eq(events[0].out.order_id, reserved);
    cr_assert_eq(events[0].out.reason, REASON_FULL);
    cr_assert_eq(events[1].head.type, EVENT_TIME);
    struct engine_account account;
    cr_assert(engine_account(w->engine, KEY_PROVIDER, &account));
    cr_assert_eq(account.bond_open_e4, 0);
    world_free(w);
}

Test(core_orders, an_offer_is_released_and_trades_at_its_time)
{
    int64_t release_ns = ((int64_t)HOUR * 3600 - 600 - 5 * 3600) * NS_PER_SECOND;
    struct market_world *w = world_new(100);
    cr_assert(enter_set(w, 1, 8) != 0 && offer_reserved(w, HOUR, 5, 5) != 0);
    const struct event *events = tick_at(w, release_ns);
    cr_assert_eq(events[0].head.type, EVENT_RELEASED);
    cr_assert_eq(events[1].head.type, EVENT_TRADE);
    cr_assert_eq(events[1].trade.qty, 5);
    world_free(w);
}

/* --- holdings ------------------------------------------------------------------------------------ */

static const struct event *bid_one(struct market_world *w, uint32_t hour)
{
    union command_slot c = command_of(COMMAND_NEW_ORDER);
    c.command.new_order = (struct command_new_order){
        .contract = contract_of(hour), .price_e4 = 100000, .qty = 1, .stp = STP_CANCEL_NEWEST};
    return send(w, &c, KEY_BUYER);
}

/* Holdings are entered in their table some trades late: three fills of one hour have begun one. */
Test(core_orders, fills_that_are_not_in_the_table_of_holdings_yet_take_its_room)
{
    struct market_world *w = world_new(100);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert(offer(w, HOUR + i, 8) != 0);
        cr_assert_eq(bid_one(w, HOUR)[1].head.type, EVENT_TRADE);
    }
    w->engine->config.holdings = 2;
    cr_assert_eq(bid_one(w, HOUR + 1)[1].head.type, EVENT_TRADE);
    const struct event *events = bid_one(w, HOUR + 2);
    cr_assert_eq(events[0].head.type, EVENT_REJECTED);
    cr_assert_eq(events[0].rejected.reason, REASON_FULL);
    static const uint32_t qty[2] = {3, 1};
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct engine_holding holding;
        cr_assert(engine_account_holding(w->engine, KEY_BUYER, &cursor, &holding));
        cr_assert_eq(holding.hour, HOUR + i);
        cr_assert_eq(holding.qty, qty[i]);
    }
    struct engine_holding none;
    cr_assert(!engine_account_holding(w->engine, KEY_BUYER, &cursor, &none));
    world_free(w);
}
