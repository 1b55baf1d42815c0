#include "tests/model_twin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "tests/model_job.h"
#include "tests/model_text.h"

/* Small, so that draining in the middle of a command is common. */
enum { SINK_CAPACITY = 16 };

static void append(struct model_events *events, const struct event *event)
{
    if (events->count == events->capacity) {
        events->capacity = events->capacity == 0 ? 64 : events->capacity * 2;
        events->items = realloc(events->items, events->capacity * sizeof(*events->items));
        CHECK(events->items != NULL);
    }
    events->items[events->count++] = *event;
}

static void drain(struct event_sink *sink)
{
    for (uint32_t i = 0; i < sink->count && sink->context != NULL; i++) {
        append(sink->context, &sink->events[i]);
    }
    sink->count = 0;
}

/* Pages are zero and cost nothing until touched. */
static void *map_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

struct model_twin *model_twin_new(const struct engine_config *config)
{
    struct model_twin *twin = calloc(1, sizeof(*twin));
    CHECK(twin != NULL);
    twin->config = *config;
    struct model_limits limits = {.orders = config->orders,
                                  .ladders = config->ladders,
                                  .fills = config->fills,
                                  .holdings = config->holdings,
                                  .timers = config->timers,
                                  .accounts = config->accounts,
                                  .keys = config->keys,
                                  .resources = config->resources,
                                  .groups = config->groups,
                                  .markets = config->markets,
                                  .auctions = config->auctions,

                                  .jobs = config->jobs};
    twin->model = model_new(&limits);
    twin->memory = map_memory(engine_memory_size(config));
    twin->engine = engine_init(twin->memory, config);
    CHECK(twin->engine != NULL);
    twin->sink.events = calloc(SINK_CAPACITY, sizeof(struct event));
    CHECK(twin->sink.events != NULL);
    twin->sink.capacity = SINK_CAPACITY;
    twin->sink.drain = drain;
    twin->sink.context = &twin->actual;
    twin->audit = model_audit_new();
    return twin;
}

void model_twin_free(struct model_twin *twin)
{
    if (twin == NULL) {
        return;
    }
    munmap(twin->memory, engine_memory_size(&twin->config));
    model_audit_free(twin->audit);
    model_free(twin->model);
    model_events_free(&twin->expected);
    model_events_free(&twin->actual);
    free(twin->sink.events);
    free(twin->orders.items);
    free(twin->fills.items);
    free(twin->sweeps.items);
    free(twin->commands);
    free(twin);
}

static void bind(struct model_twin_ids *ids, uint64_t model_id, uint64_t engine_id)
{
    CHECK(model_id <= ids->count + 1);
    if (model_id == 0 || model_id <= ids->count) {
        return;
    }
    if (ids->count == ids->capacity) {
        ids->capacity = ids->capacity == 0 ? 1024 : ids->capacity * 2;
        ids->items = realloc(ids->items, ids->capacity * sizeof(*ids->items));
        CHECK(ids->items != NULL);
    }
    ids->items[ids->count++] = engine_id;
}

static uint64_t engine_id(const struct model_twin_ids *ids, uint64_t model_id)
{
    if (model_id > 0 && model_id <= ids->count) {
        return ids->items[model_id - 1];
    }
    uint64_t stale = model_id & ~MODEL_TWIN_STALE;
    if ((model_id & MODEL_TWIN_STALE) != 0 && stale > 0 && stale <= ids->count) {
        return ids->items[stale - 1] ^ MODEL_TWIN_STALE;
    }
    return model_id;
}

size_t model_twin_slots(const struct command_head *head)
{
    return head->slots == 0 ? 1 : head->slots > COMMAND_SLOTS_MAX ? COMMAND_SLOTS_MAX : head->slots;
}

/* The command as the engine must get it: stamped, with the engine's ids. */
static const struct command *translate(struct model_twin *twin, const union command_slot *slots)
{
    size_t count = model_twin_slots(&slots[0].command.head);
    if (twin->slot_count + count > twin->slot_capacity) {
        twin->slot_capacity = twin->slot_capacity == 0 ? 1024 : twin->slot_capacity * 2;
        twin->commands = realloc(twin->commands, twin->slot_capacity * sizeof(*twin->commands));
        CHECK(twin->commands != NULL);
    }
    union command_slot *copy = &twin->commands[twin->slot_count];
    memcpy(copy, slots, count * sizeof(*copy));
    twin->slot_count += count;
    copy->command.head.seq = twin->step_count;
    if (copy->command.head.type == COMMAND_CANCEL_ORDER) {
        copy->command.cancel_order.order_id =
            engine_id(&twin->orders, slots[0].command.cancel_order.order_id);
    }
    if (copy->command.head.type == COMMAND_REPLACE_ORDER) {
        copy->command.replace_order.order_id =
            engine_id(&twin->orders, slots[0].command.replace_order.order_id);
    }
    if (copy->command.head.type == COMMAND_TAKE_OFFER) {
        copy->command.take_offer.order_id =
            engine_id(&twin->orders, slots[0].command.take_offer.order_id);
    }
    if (copy->command.head.type == COMMAND_NEW_JOB) {
        copy->command.new_job.same_group =
            engine_id(&twin->fills, slots[0].command.new_job.same_group);
    }
    return &copy->command;
}

/* An expected event with the engine's ids; learns them where they first appear. */
static void rename_ids(struct model_twin *twin, struct event *expected, const struct event *actual)
{
    switch (expected->head.type) {
    case EVENT_NEW:
        bind(&twin->orders, expected->new_order.order_id, actual->new_order.order_id);
        expected->new_order.order_id = engine_id(&twin->orders, expected->new_order.order_id);
        return;
    case EVENT_REPLACED:
        expected->replaced.order_id = engine_id(&twin->orders, expected->replaced.order_id);
        return;
    case EVENT_RANGE:
        bind(&twin->orders, expected->range.order_id, actual->range.order_id);
        expected->range.order_id = engine_id(&twin->orders, expected->range.order_id);
        return;
    case EVENT_SET:
        bind(&twin->orders, expected->set.order_id, actual->set.order_id);
        expected->set.order_id = engine_id(&twin->orders, expected->set.order_id);
        return;
    case EVENT_SET_LEGS:
        expected->set_legs.order_id = engine_id(&twin->orders, expected->set_legs.order_id);
        return;
    case EVENT_JOB:
        bind(&twin->orders, expected->job.order_id, actual->job.order_id);
        expected->job.order_id = engine_id(&twin->orders, expected->job.order_id);
        expected->job.same_group = engine_id(&twin->fills, expected->job.same_group);
        return;
    case EVENT_JOB_LANES:
        expected->job_lanes.order_id = engine_id(&twin->orders, expected->job_lanes.order_id);
        return;
    case EVENT_MISS:
        expected->miss.order_id = engine_id(&twin->orders, expected->miss.order_id);
        return;
    case EVENT_CANCELED:
    case EVENT_RESTATED:
    case EVENT_LEG_CANCELED:
    case EVENT_REFRESHED:
    case EVENT_RELEASED:
        expected->out.order_id = engine_id(&twin->orders, expected->out.order_id);
        return;
    case EVENT_REJECTED:
        expected->rejected.order_id = engine_id(&twin->orders, expected->rejected.order_id);
        return;
    case EVENT_TRADE:
        bind(&twin->fills, expected->trade.fill_id, actual->trade.fill_id);
        expected->trade.fill_id = engine_id(&twin->fills, expected->trade.fill_id);
        expected->trade.buy_order_id = engine_id(&twin->orders, expected->trade.buy_order_id);
        expected->trade.sell_order_id = engine_id(&twin->orders, expected->trade.sell_order_id);
        expected->trade.trade_group = engine_id(&twin->fills, expected->trade.trade_group);
        return;
    case EVENT_FILL:
        expected->fill.order_id = engine_id(&twin->orders, expected->fill.order_id);
        expected->fill.fill_id = engine_id(&twin->fills, expected->fill.fill_id);
        if (expected->fill.contingent) {
            expected->fill.trade_group = engine_id(&twin->fills, expected->fill.trade_group);
        }
        return;
    case EVENT_MASS_CANCEL:
    case EVENT_SWEEP_DONE:
        bind(&twin->sweeps, expected->sweep.sweep_id, actual->sweep.sweep_id);
        expected->sweep.sweep_id = engine_id(&twin->sweeps, expected->sweep.sweep_id);
        return;
    default:
        return;
    }
}

static bool same_event(struct model_twin *twin, struct event *expected, const struct event *actual)
{
    if (expected->head.type != actual->head.type) {
        return false;
    }
    rename_ids(twin, expected, actual);
    struct event seen = *actual;
    if (seen.head.type == EVENT_REJECTED) {
        seen.rejected.value = 0;
        seen.rejected.bound = 0;
    }
    if (seen.head.type == EVENT_KILL) {
        seen.kill.sweep_id = 0;
    }
    return memcmp(expected, &seen, sizeof(seen)) == 0;
}

static void print_events(const char *whose, const struct model_events *events)
{
    char text[MODEL_TEXT_SIZE];
    fprintf(stderr, "%s:\n", whose);
    for (size_t i = 0; i < events->count; i++) {
        model_text_event(&events->items[i], text);
        fprintf(stderr, "  %s\n", text);
    }
}

void model_twin_print(const struct model_twin *twin)
{
    char text[MODEL_TEXT_SIZE];
    fprintf(stderr, "the last commands (order ids are the model's):\n");
    uint64_t first =
        twin->step_count > MODEL_TWIN_RECENT ? twin->step_count - MODEL_TWIN_RECENT : 0;
    for (uint64_t i = first; i < twin->step_count; i++) {
        model_text_command(&twin->recent[i % MODEL_TWIN_RECENT][0].command, text);
        fprintf(stderr, "  %s\n", text);
    }
    print_events("expected by the model", &twin->expected);
    print_events("given by the engine", &twin->actual);
}

static void print_difference(const struct model_twin *twin, size_t at)
{
    fprintf(stderr, "engine and model differ in command %" PRIu64 ", event %zu\n", twin->step_count,
            at);
    model_twin_print(twin);
}

bool model_twin_shows_reason(uint16_t reason)
{
    return reason >= 100 && reason < 300;
}

static bool is_out(uint8_t type)
{
    return type == EVENT_CANCELED || type == EVENT_RESTATED || type == EVENT_LEG_CANCELED ||
           type == EVENT_RELEASED;
}

/* A JOB's first fill: on its arrival, or by an hour that became due. */
static void count_job(struct model_twin *twin, const struct event_trade *trade)
{
    for (size_t i = 0; i < twin->actual.count; i++) {
        const struct event *event = &twin->actual.items[i];
        if ((event->head.type == EVENT_JOB && event->job.order_id == trade->buy_order_id) ||
            (event->head.type == EVENT_REPLACED &&
             event->replaced.order_id == trade->buy_order_id)) {
            twin->jobs_arriving++;
            return;
        }
    }
    twin->jobs_due++;
}

static void count_self_trade(struct model_twin *twin, const struct command *command,
                             const struct event *event)
{
    if (event->out.reason == REASON_SELF_TRADE && command->head.type == COMMAND_NEW_ORDER) {
        twin->self_trades[command->new_order.stp % 3]++;
    }
    if (event->out.reason == REASON_SELF_TRADE && command->head.type == COMMAND_NEW_SET) {
        twin->self_trades[command->new_set.stp % 3]++;
    }
}

static void count_events(struct model_twin *twin)
{
    const struct command *command =
        &twin->recent[(twin->step_count - 1) % MODEL_TWIN_RECENT][0].command;
    for (size_t i = 0; i < twin->actual.count; i++) {
        const struct event *event = &twin->actual.items[i];
        twin->events[event->head.type % MODEL_TWIN_EVENTS]++;
        if (event->head.type == EVENT_REJECTED) {
            twin->reasons[event->rejected.reason % MODEL_TWIN_REASONS]++;
        }
        if (is_out(event->head.type)) {
            twin->reasons[event->out.reason % MODEL_TWIN_REASONS]++;
            count_self_trade(twin, command, event);
        }
        if (event->head.type == EVENT_LEG_CANCELED) {
            twin->leg_reasons[event->out.reason % MODEL_TWIN_REASONS]++;
        }
        if (event->head.type == EVENT_AUCTION && event->auction.state == AUCTION_ENDED) {
            uint32_t tiers = 0;
            for (int t = 0; t < TIER_COUNT; t++) {
                tiers += event->auction.qty[t] > 0;
            }
            twin->cleared[event->auction.kind % 4] += tiers > 0;
            twin->coupled += tiers > 1;
        }
        if (event->head.type == EVENT_SET && event->set.leg_count > twin->most_legs) {
            twin->most_legs = event->set.leg_count;
        }
        twin->resales += event->head.type == EVENT_TRADE && event->trade.source_tier != SOURCE_OWN;
        if (event->head.type == EVENT_TRADE && event->trade.fill_id == event->trade.trade_group) {
            count_job(twin, &event->trade);
        }
        model_audit_event(twin->audit, event);
    }
    twin->postponed += model_job_due_left(twin->model);
}

bool model_twin_step(struct model_twin *twin, const union command_slot *slots)
{
    union command_slot *stamped = twin->recent[twin->step_count % MODEL_TWIN_RECENT];
    memcpy(stamped, slots, sizeof(stamped[0]) * model_twin_slots(&slots[0].command.head));
    stamped[0].command.head.seq = ++twin->step_count;
    model_events_clear(&twin->expected);
    model_events_clear(&twin->actual);
    const struct command *command = translate(twin, stamped);
    engine_step(twin->engine, command, &twin->sink);
    drain(&twin->sink);
    model_step(twin->model, &stamped[0].command, &twin->expected);
    size_t count =
        twin->expected.count < twin->actual.count ? twin->expected.count : twin->actual.count;
    for (size_t i = 0; i < count; i++) {
        if (!same_event(twin, &twin->expected.items[i], &twin->actual.items[i])) {
            print_difference(twin, i);
            return false;
        }
    }
    if (twin->expected.count != twin->actual.count) {
        print_difference(twin, count);
        return false;
    }
    if (engine_wants_tick(twin->engine) != model_wants_tick(twin->model)) {
        print_difference(twin, count);
        fprintf(stderr, "engine_wants_tick is %d\n", engine_wants_tick(twin->engine));
        return false;
    }
    if (engine_has_work(twin->engine) != model_has_work(twin->model)) {
        print_difference(twin, count);
        fprintf(stderr, "engine_has_work is %d\n", engine_has_work(twin->engine));
        return false;
    }
    count_events(twin);
    return true;
}

static bool same_number(const char *what, uint64_t id, int64_t expected, int64_t actual)
{
    if (expected != actual) {
        fprintf(stderr, "%s of %" PRIu64 ": model %" PRId64 ", engine %" PRId64 "\n", what, id,
                expected, actual);
    }
    return expected == actual;
}

static bool same_account(const struct model_twin *twin, uint32_t id)
{
    const struct model *model = twin->model;
    const struct model_account *expected = &model->accounts[id];
    struct engine_account actual;
    if (!engine_account(twin->engine, id, &actual)) {
        fprintf(stderr, "account %u is missing\n", id);
        return false;
    }
    return same_number("cash", id, expected->cash_e4, actual.cash_e4) &&
           same_number("cash by the tape", id, model_audit_cash_e4(twin->audit, id),
                       actual.cash_e4) &&
           same_number("escrow by the tape", id, model_audit_escrow_e4(twin->audit, id),
                       actual.escrow_e4) &&
           same_number("credit", id, expected->credit_e4, actual.credit_e4) &&
           same_number("reserved", id, model_money_reserved_e4(model, id), actual.reserved_e4) &&
           same_number("open bond", id, model_money_bond_open_e4(model, id), actual.bond_open_e4) &&
           same_number("locked bond", id, expected->bond_locked_e4, actual.bond_locked_e4) &&
           same_number("escrow", id, expected->escrow_e4, actual.escrow_e4) &&
           same_number("open orders", id, model_order_live(model, id), actual.open_orders) &&
           same_number("available", id, model_money_available_e4(model, id), actual.available_e4) &&
           same_number("killed", id, expected->killed, actual.killed) &&
           same_number("group", id, expected->group, actual.group) &&
           same_number("rate limit", id, expected->rate_limit, actual.rate_limit) &&
           same_number("fees", id, expected->fees, actual.fees) &&
           same_number("order limit", id, expected->order_qty_limit, actual.order_qty_limit);
}

static bool same_key(const struct model_twin *twin, uint32_t id)
{
    const struct model_key *expected = &twin->model->keys[id];
    struct engine_key actual;
    if (!engine_key(twin->engine, id, &actual)) {
        fprintf(stderr, "key %u is missing\n", id);
        return false;
    }
    return same_number("highest cl_ord_id", id, (int64_t)expected->highest_cl_ord_id,
                       (int64_t)actual.highest_cl_ord_id) &&
           same_number("report_seq", id, (int64_t)expected->report_seq,
                       (int64_t)actual.report_seq) &&
           same_number("account of key", id, expected->account, actual.account) &&
           same_number("session", id, expected->session, actual.session) &&
           same_number("link", id, expected->link, actual.link) &&
           same_number("revoked", id, expected->revoked, actual.revoked);
}

static bool same_order(const struct model_twin *twin, const struct model_order *expected)
{
    uint64_t id = engine_id(&twin->orders, expected->order_id);
    struct engine_order actual;
    if (!engine_order(twin->engine, id, &actual)) {
        fprintf(stderr, "order %" PRIu64 " is missing\n", expected->order_id);
        return false;
    }
    return same_number("price", id, expected->price_e4, actual.price_e4) &&
           same_number("leaves", id, expected->leaves_qty, actual.leaves_qty) &&
           same_number("cum", id, expected->cum_qty, actual.cum_qty) &&
           same_number("cl_ord_id", id, (int64_t)expected->cl_ord_id, (int64_t)actual.cl_ord_id) &&
           same_number("key", id, expected->key, actual.key) &&
           same_number("contract", id,
                       expected->kind == MODEL_JOB ? 0 : (int64_t)expected->contract,
                       (int64_t)actual.contract);
}

static bool gate_passed(const struct model *model, uint32_t hour)
{
    return model_due_gate_ns(model, hour) <= model->time_ns;
}

/* Each of the engine's holdings is one of the model's; the model may remember empty ones. Hours
 * whose gate has passed are forgotten bit by bit, in no stated order. */
static bool same_holdings(const struct model_twin *twin, uint32_t account)
{
    struct engine_holding actual;
    uint32_t cursor = 0;
    int64_t in_engine = 0;
    while (engine_account_holding(twin->engine, account, &cursor, &actual)) {
        if (gate_passed(twin->model, actual.hour)) {
            continue;
        }
        const struct model_holding *expected =
            model_money_holding(twin->model, account, actual.resource, actual.hour, actual.tier);
        int64_t free = expected == NULL ? 0 : model_money_holding_free_qty(twin->model, expected);
        int64_t qty = expected == NULL ? 0 : expected->qty;
        if (!same_number("holding", actual.hour, qty, actual.qty) ||
            !same_number("free holding", actual.hour, free, actual.qty - actual.offered)) {
            return false;
        }
        in_engine += actual.qty;
    }
    int64_t in_model = 0;
    for (uint32_t i = 0; i < twin->model->holding_count; i++) {
        const struct model_holding *holding = &twin->model->holdings[i];
        bool counts = holding->account == account && !gate_passed(twin->model, holding->hour);
        in_model += counts ? holding->qty : 0;
    }
    return same_number("all holdings", account, in_model, in_engine);
}

static bool same_best(const struct model_twin *twin, uint64_t contract)
{
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        struct model_order taker = {.contract = contract, .side = side};
        const struct model_order *best = model_book_best(twin->model, &taker, false);
        int64_t price_e4 = 0;
        bool found = side == SIDE_BUY ? engine_best_offer(twin->engine, contract, &price_e4)
                                      : engine_best_bid(twin->engine, contract, &price_e4);
        if (!same_number("best price", contract, best == NULL ? 0 : best->price_e4,
                         found ? price_e4 : 0)) {
            return false;
        }
    }
    int64_t expected_e4 = 0;
    int64_t actual_e4 = 0;
    bool expected = model_money_reference(twin->model, contract, &expected_e4);
    bool actual = engine_reference(twin->engine, contract, &actual_e4);
    return same_number("reference", contract, expected ? expected_e4 : 0, actual ? actual_e4 : 0);
}

/* Of the order's hour, and of hours `around`, from before the gate to beyond the horizon. */
static bool same_phases(const struct model_twin *twin, uint64_t contract, bool around)
{
    uint32_t now = (uint32_t)(twin->model->time_ns / NS_PER_HOUR);
    const uint32_t hours[] = {contract_hour(contract), now, now + 1,
                              now + twin->model->rules.horizon_hours - 1,
                              now + twin->model->rules.horizon_hours};
    for (size_t i = 0; i < (around ? sizeof hours / sizeof hours[0] : 1); i++) {
        uint64_t other = contract - contract_hour(contract) + hours[i];
        if (!same_number("phase", other, model_auction_phase(twin->model, other),
                         engine_phase(twin->engine, other))) {
            return false;
        }
    }
    return true;
}

bool model_twin_same_state(const struct model_twin *twin)
{
    const struct model *model = twin->model;
    struct engine_counts counts;
    engine_counts(twin->engine, &counts);
    bool same =
        same_number("orders", 0,
                    (int64_t)model->order_count + model->range_count +
                        model_job_lanes_in_use(model),
                    (int64_t)counts.orders) &&
        same_number("accounts", 0, model->account_count, engine_account_count(twin->engine)) &&
        same_number("keys", 0, model->key_count, engine_key_count(twin->engine));
    for (uint32_t i = 1; i <= model->account_count && same; i++) {
        same = same_account(twin, i) && same_holdings(twin, i);
    }
    for (uint32_t i = 1; i <= model->key_count && same; i++) {
        same = same_key(twin, i);
    }
    for (uint32_t i = 0; i < model->order_count && same; i++) {
        const struct model_order *order = &model->orders[i];
        same = (order->kind == MODEL_LEG || same_order(twin, order)) &&
               (order->kind == MODEL_SET || order->kind == MODEL_JOB ||
                (same_best(twin, order->contract) && same_phases(twin, order->contract, i == 0)));
    }
    return same;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool all_different(const struct model_twin_ids *ids, const char *what)
{
    if (ids->count == 0) {
        return true;
    }
    uint64_t *sorted = malloc(ids->count * sizeof(*sorted));
    CHECK(sorted != NULL);
    memcpy(sorted, ids->items, ids->count * sizeof(*sorted));
    qsort(sorted, ids->count, sizeof(*sorted), by_number);
    bool different = sorted[0] != 0;
    for (size_t i = 1; i < ids->count && different; i++) {
        different = sorted[i] != sorted[i - 1];
    }
    free(sorted);
    if (!different) {
        fprintf(stderr, "an id of %s is 0 or was given twice\n", what);
    }
    return different;
}

#define ROW_MAX 61 /* commands; a number that no batch is a multiple of */
/* Slots of the commands from one on that could stand in a batch: those that name their slots rightly. */
static size_t slots_in_a_row(const struct model_twin *twin, size_t from)
{
    size_t end = from;
    for (uint32_t i = 0; i < ROW_MAX && end < twin->slot_count; i++) {
        const struct command_head *head = &twin->commands[end].command.head;
        if (head->slots == 0 || head->slots != model_twin_slots(head)) {
            break;
        }
        end += head->slots;
    }
    return end - from;
}

bool model_twin_replays(const struct model_twin *twin)
{
    void *memory = map_memory(engine_memory_size(&twin->config));
    struct engine *engine = engine_init(memory, &twin->config);
    CHECK(engine != NULL);
    struct event events[SINK_CAPACITY * 2];
    struct event_sink sink = {events, SINK_CAPACITY * 2, 0, drain, NULL};
    for (size_t i = 0; i < twin->slot_count;) {
        const struct command *command = &twin->commands[i].command;
        size_t row = slots_in_a_row(twin, i);
        if (row != 0) {
            engine_run(engine, &twin->commands[i], row, &sink);
        } else {
            engine_step(engine, command, &sink);
        }
        drain(&sink);
        i += row != 0 ? row : model_twin_slots(&command->head);
    }
    bool same = engine_state_hash(engine) == engine_state_hash(twin->engine);
    if (!same) {
        fprintf(stderr, "the same commands gave another state hash\n");
    }
    munmap(memory, engine_memory_size(&twin->config));
    return same && all_different(&twin->orders, "orders") && all_different(&twin->fills, "fills") &&
           all_different(&twin->sweeps, "sweeps");
}
