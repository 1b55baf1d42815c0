#include "tests/import_market.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

#define NOW_NS   ((int64_t)(IMPORT_MARKET_HOUR - 2) * NS_PER_HOUR)
#define SINK     256
#define OPERATOR 1 /* keys and accounts */
#define PROVIDER 2
#define BUYER    3

void import_market_config(const struct import_plan *plan, struct engine_config *config)
{
    engine_config_default(config);
    uint32_t lanes = 0;
    uint64_t hours = 0;
    for (uint32_t i = 0; i < plan->job_count; i++) {
        uint32_t classes[IMPORT_MODELS_MAX];
        lanes += 1 + import_plan_lanes(plan, &plan->jobs[i], classes);
        hours += (uint64_t)plan->jobs[i].hours * plan->jobs[i].gpus;
    }
    config->orders = plan->island_count * (plan->hours + 2) + lanes + 1024;
    config->ladders = (uint32_t)plan->tables.class_count * (plan->hours + 1) + 1024;
    config->fills = (uint32_t)hours + plan->hours * 64 + 1024;
    config->holdings = config->fills;
    config->timers = plan->job_count + 1024;
    config->resources = plan->island_count + 1;
    config->accounts = config->keys = config->groups = 8;
    config->markets = (uint32_t)plan->tables.class_count + 1;
}

static void fill(struct import_market *market, const struct event_trade *trade)
{
    uint32_t job = market->job_of[(uint32_t)trade->buy_order_id];
    CHECK(job > 0 && trade->condition == TRADE_CONTINGENT);
    struct import_fate *fate = &market->fates[job - 1];
    CHECK(fate->order_id == trade->buy_order_id);
    uint32_t hour = contract_hour(trade->contract) - IMPORT_MARKET_HOUR;
    market->filled += fate->trade_group == 0;
    fate->first_hour = fate->trade_group == 0 ? hour : fate->first_hour;
    fate->resources += trade->resource != fate->resource;
    fate->trade_group = trade->trade_group;
    fate->last_hour = hour;
    fate->resource = trade->resource;
    fate->class_id = contract_class(trade->contract);
    fate->gpu_hours += trade->qty;
    fate->notional_e4 += trade->qty * trade->price_e4;
    market->gpu_hours += trade->qty;
    market->notional_e4 += trade->qty * trade->price_e4;
    market->fills++;
}

static void take_events(struct event_sink *sink)
{
    struct import_market *market = sink->context;
    for (uint32_t i = 0; i < sink->count; i++) {
        const struct event *event = &sink->events[i];
        switch (event->head.type) {
        case EVENT_RANGE:
            market->ranges++;
            market->offers += event->range.orders;
            import_offers_entered(market->range, event->range.orders);
            break;
        case EVENT_JOB:
            market->jobs++;
            market->fates[market->job].order_id = event->job.order_id;
            market->job_of[(uint32_t)event->job.order_id] = market->job + 1;
            break;
        case EVENT_TRADE:
            fill(market, &event->trade);
            break;
        case EVENT_REJECTED:
            CHECK(event->rejected.reason < IMPORT_MARKET_REASONS);
            market->rejected[event->rejected.reason]++;
            if (event->rejected.request == COMMAND_NEW_RANGE) {
                import_offers_refused(&market->offers_made, market->range, event->rejected.reason,
                                      event->rejected.bound);
            }
            break;
        default:
            break;
        }
    }
    sink->count = 0;
}

/* A command of a key of the same number as its account, in `slots` of the caller's. */
static struct command *command_of(struct import_market *market, union command_slot *slots,
                                  uint32_t key, uint8_t type, uint8_t count)
{
    memset(slots, 0, count * sizeof slots[0]);
    slots[0].command.head = (struct command_head){.seq = market->seq + 1,
                                                  .time_ns = market->now_ns,
                                                  .cl_ord_id = market->seq + 1,
                                                  .key = key,
                                                  .session = 1,
                                                  .type = type,
                                                  .slots = count};
    return &slots[0].command;
}

static void step(struct import_market *market, const struct command *command)
{
    CHECK(command->head.seq == ++market->seq);
    engine_step(market->engine, command, &market->sink);
    take_events(&market->sink);
}

static void log_in(struct import_market *market, uint32_t key)
{
    union command_slot slots[1];
    struct command *command = command_of(market, slots, key, COMMAND_LOGIN, 1);
    command->head.cl_ord_id = 0;
    command->head.session = 0;
    step(market, command);
}

static void open_account(struct import_market *market, uint32_t id, uint8_t roles,
                         int64_t deposit_e4)
{
    union command_slot slots[1];
    struct command *command = command_of(market, slots, OPERATOR, COMMAND_REGISTER_GROUP, 1);
    (void)snprintf(command->register_group.name, LABEL_SIZE, "group %u", id);
    step(market, command);
    command = command_of(market, slots, OPERATOR, COMMAND_OPEN_ACCOUNT, 1);
    (void)snprintf(command->open_account.name, LABEL_SIZE, "account %u", id);
    command->open_account.group = id;
    command->open_account.roles = roles;
    step(market, command);
    command = command_of(market, slots, OPERATOR, COMMAND_REGISTER_KEY, 1);
    command->register_key.account = id;
    command->register_key.roles = roles;
    memcpy(command->register_key.public_key, &id, sizeof id);
    step(market, command);
    command = command_of(market, slots, OPERATOR, COMMAND_DEPOSIT, 1);
    command->cash.account = id;
    command->cash.amount_e4 = deposit_e4;
    step(market, command);
    log_in(market, id);
}

static void open_markets(struct import_market *market)
{
    const struct tables *tables = &market->plan->tables;
    union command_slot slots[1];
    struct command *command = command_of(market, slots, OPERATOR, COMMAND_REGISTER_REGION, 1);
    memcpy(command->register_region.name, tables->regions[0].name, NAME_SIZE);
    step(market, command);
    for (uint16_t i = 0; i < tables->class_count; i++) {
        command = command_of(market, slots, OPERATOR, COMMAND_REGISTER_CLASS, 1);
        memcpy(command->register_class.name, tables->classes[i].name, NAME_SIZE);
        command->register_class.lot = tables->classes[i].lot;
        step(market, command);
        command = command_of(market, slots, OPERATOR, COMMAND_SET_MARKET, 1);
        command->set_market.class_id = i;
        command->set_market.mode = MODE_CONTINUOUS;
        command->set_market.inner_band_bp = IMPORT_INNER_BAND_BP;
        command->set_market.outer_band_bp = IMPORT_OUTER_BAND_BP;
        CHECK(tables_price(tables, &tables->classes[i], &tables->regions[0], TIER_G0,
                           &command->set_market.launch_price_e4[TIER_G0]));
        step(market, command);
    }
}

static void register_islands(struct import_market *market)
{
    const struct import_plan *plan = market->plan;
    for (uint32_t i = 0; i < plan->island_count; i++) {
        union command_slot slots[2];
        struct command *command = command_of(market, slots, OPERATOR, COMMAND_REGISTER_RESOURCE, 2);
        command->register_resource.account = PROVIDER;
        command->register_resource.gpus = plan->islands[i].gpus;
        command->register_resource.class_id = (uint16_t)plan->class_of[plan->islands[i].model];
        (void)snprintf(slots[1].identity.identifier, IDENTIFIER_SIZE, "island %u", i + 1);
        step(market, command);
    }
}

void import_market_begin(struct import_market *market, const struct import_plan *plan, void *memory)
{
    struct engine_config config;
    import_market_config(plan, &config);
    memset(market, 0, sizeof *market);
    market->plan = plan;
    market->now_ns = NOW_NS;
    import_offers_init(&market->offers_made, plan);
    market->offers_made.first_hour = IMPORT_MARKET_HOUR;
    market->memory = memory;
    market->engine = engine_init(memory, &config);
    CHECK(market->engine != NULL);
    market->fates = calloc(plan->job_count + 1U, sizeof market->fates[0]);
    market->job_of = calloc(config.orders + 1U, sizeof market->job_of[0]);
    market->sink = (struct event_sink){.events = calloc(SINK, sizeof(struct event)),
                                       .capacity = SINK,
                                       .drain = take_events,
                                       .context = market};
    CHECK(market->fates != NULL && market->job_of != NULL && market->sink.events != NULL);
    union command_slot slots[1];
    struct command *command = command_of(market, slots, 0, COMMAND_GENESIS, 1);
    command->head.cl_ord_id = 0;
    command->head.session = 0;
    command->genesis = (struct command_genesis){.rules_version = 1,
                                                .horizon_hours = plan->rules.horizon_hours + 2,
                                                .gate_lead_s = 600,
                                                .bond_bp = 4000,
                                                .sweep_slice = 256,
                                                .rate_limit = UINT32_MAX,
                                                .open_orders_limit = UINT32_MAX,
                                                .order_qty_limit = QTY_MAX};
    step(market, command);
    log_in(market, OPERATOR);
    open_markets(market);
    open_account(market, PROVIDER, ROLE_PROVIDER, plan->offer_e4 + 1);
    open_account(market, BUYER, ROLE_BUYER, plan->bid_e4 + 1);
    register_islands(market);
}

static void order(struct import_market *market, const struct command *command)
{
    step(market, command);
    if (++market->orders == market->jump_after) {
        market->now_ns += market->jump_hours * NS_PER_HOUR;
    }
}

static void offer(struct import_market *market, uint32_t place, const struct import_hours *hours)
{
    const struct import_island *island = &market->plan->islands[hours->island];
    union command_slot slots[1];
    struct command *command = command_of(market, slots, PROVIDER, COMMAND_NEW_RANGE, 1);
    command->new_range.contract =
        contract_pack((uint16_t)market->plan->class_of[island->model], 0, TIER_G0, hours->first);
    command->new_range.price_e4 = island->price_e4;
    command->new_range.qty = island->gpus;
    command->new_range.hours = hours->count;
    command->new_range.resource = hours->island + 1;
    market->range = &market->offers_made.ranges[place];
    order(market, command);
}

static void offer_all(struct import_market *market, uint32_t try_)
{
    for (uint32_t place = 0; place < market->offers_made.count; place++) {
        struct import_hours hours;
        if (import_offers_due(&market->offers_made, try_, place, &hours)) {
            offer(market, place, &hours);
        }
    }
}

static void enter_job(struct import_market *market, uint32_t place)
{
    const struct import_plan *plan = market->plan;
    const struct import_job *job = &plan->jobs[place];
    uint64_t same_group = 0;
    if (job->previous != IMPORT_NO_JOB) {
        same_group = market->fates[job->previous].trade_group;
        if (same_group == 0) {
            market->broken++;
            return;
        }
    }
    union command_slot slots[1 + JOB_LANES_MAX / JOB_LANES_PER_SLOT];
    uint32_t classes[IMPORT_MODELS_MAX];
    uint32_t lanes = import_plan_lanes(plan, job, classes);
    uint32_t more = (lanes + JOB_LANES_PER_SLOT - 1) / JOB_LANES_PER_SLOT;
    struct command *command =
        command_of(market, slots, BUYER, COMMAND_NEW_JOB, (uint8_t)(1 + more));
    command->new_job = (struct command_new_job){
        .price_e4 = job->price_e4,
        .qty = job->gpus,
        .same_group = same_group,
        .window_from = IMPORT_MARKET_HOUR + job->window_from,
        .window_to = IMPORT_MARKET_HOUR + job->window_to,
        .hours = (uint16_t)job->hours,
        .placement = job->placement,
        .lane_count = (uint8_t)lanes,
    };
    for (uint32_t i = 0; i < lanes; i++) {
        slots[1 + i / JOB_LANES_PER_SLOT].lanes[i % JOB_LANES_PER_SLOT] =
            (struct job_lane){.class_id = (uint16_t)classes[i], .factor_e4 = (uint32_t)E4_ONE};
    }
    market->job = place;
    order(market, command);
}

void import_market_run(struct import_market *market)
{
    int64_t begun_ns = clock_monotonic_ns();
    for (uint32_t try_ = 0; try_ < IMPORT_RANGE_TRIES; try_++) {
        offer_all(market, try_);
    }
    int64_t offered_ns = clock_monotonic_ns();
    for (uint32_t i = 0; i < market->plan->job_count; i++) {
        enter_job(market, i);
    }
    while (engine_has_work(market->engine)) {
        union command_slot slots[1];
        struct command *command = command_of(market, slots, 0, COMMAND_TICK, 1);
        command->head.cl_ord_id = 0;
        command->head.session = 0;
        step(market, command);
    }
    market->range_ns = offered_ns - begun_ns;
    market->job_ns = clock_monotonic_ns() - offered_ns;
}

void import_market_free(struct import_market *market)
{
    import_offers_free(&market->offers_made);
    free(market->fates);
    free(market->job_of);
    free(market->sink.events);
    market->fates = NULL;
    market->job_of = NULL;
    market->sink.events = NULL;
}
