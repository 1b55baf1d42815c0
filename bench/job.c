/* JOB orders: what a search costs, and what resting JOBs cost the plain orders beside them.
 *
 * A search: 8 lanes, 168 starts, 8 hours, every hour of every lane with one offer of each of its 1, 16 or
 * 128 resources. Prices follow the hour of the day, the lane and the resource, with noise on top; each
 * JOB has its own quantity and its own factors. Each is sent twice: with a limit that does not bind, so
 * that it is filled, and with a limit just below what that cost, so that it is not, and the nearest miss
 * is looked for too. What the first took is offered anew, untimed.
 *
 * Beside resting JOBs: plain offers into a market in whose lanes 10,000 JOBs rest, none of which they
 * complete, and into one beside it. Figures are medians of runs. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/random.h"
#include "exchange/core/engine.h"

enum {
    RUNS = 5,
    LANES = 8,
    STARTS = 168,
    HOURS = 8,
    SPAN = STARTS + HOURS - 1,
    MOST_RESOURCES = 128,
    JOBS = 200, /* of a run */
    RESTING = 10000,
    OFFERS = 20000, /* of a run beside resting JOBs */
    SINK = 4096,
    BUYER = 2, /* account and key; the providers come after it */
};
#define START_HOUR 490000u /* 2025-11-24T16Z */
#define START_NS   ((int64_t)START_HOUR * NS_PER_HOUR)
#define FIRST_HOUR (START_HOUR + 2)
#define BASE_E4    INT64_C(200000)

static struct engine *engine;
static struct arena arena;
static struct event events[SINK];
static struct event_sink sink;
static uint64_t seq;
static struct random dice;

/* Offers by lane, hour and resource. */
static struct offer {
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty;
} offers[LANES][SPAN][MOST_RESOURCES];

/* What the last command brought. */
static struct {
    uint64_t order_id; /* of NEW */
    uint64_t trades;
    uint64_t misses;
    double worth; /* sum of price x factor x quantity, factors as parts of one */
} seen;
static double factor_of[LANES];

static double nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void drain(struct event_sink *s)
{
    (void)s;
    fputs("bench: a command had more events than the sink holds\n", stderr);
    exit(1);
}

static double step(union command_slot *slots)
{
    slots[0].command.head.seq = ++seq;
    sink.count = 0;
    double begin = nanoseconds();
    engine_step(engine, &slots[0].command, &sink);
    return nanoseconds() - begin;
}

static void look_at_events(void)
{
    memset(&seen, 0, sizeof(seen));
    for (uint32_t i = 0; i < sink.count; i++) {
        const struct event *e = &events[i];
        if (e->head.type == EVENT_REJECTED) {
            fprintf(stderr, "bench: refused: %s\n", reason_name(e->rejected.reason));
            exit(1);
        }
        seen.order_id = e->head.type == EVENT_NEW ? e->new_order.order_id : seen.order_id;
        seen.misses += e->head.type == EVENT_MISS;
        if (e->head.type == EVENT_TRADE) {
            seen.trades++;
            seen.worth += (double)e->trade.price_e4 * (double)e->trade.qty *
                          factor_of[contract_class(e->trade.contract)];
        }
    }
}

static struct command *start(union command_slot *slots, uint8_t type, uint32_t key, uint8_t count)
{
    memset(slots, 0, count * sizeof(slots[0]));
    bool session = key != 0 && type != COMMAND_LOGIN;
    slots[0].command.head = (struct command_head){.time_ns = START_NS,
                                                  .cl_ord_id = session ? seq + 1 : 0,
                                                  .key = key,
                                                  .session = session,
                                                  .type = type,
                                                  .slots = count};
    return &slots[0].command;
}

static void do_step(union command_slot *slots)
{
    step(slots);
    look_at_events();
}

static void open_account(uint32_t account, uint8_t role)
{
    union command_slot slots[1];
    struct command *c = start(slots, COMMAND_OPEN_ACCOUNT, 1, 1);
    snprintf(c->open_account.name, LABEL_SIZE, "account %u", account);
    c->open_account.group = role == ROLE_BUYER ? 2 : 3;
    c->open_account.roles = role;
    do_step(slots);
    c = start(slots, COMMAND_REGISTER_KEY, 1, 1);
    c->register_key.account = account;
    c->register_key.roles = role;
    memcpy(c->register_key.public_key, &account, sizeof(account));
    do_step(slots);
    c = start(slots, COMMAND_DEPOSIT, 1, 1);
    c->cash.account = account;
    c->cash.amount_e4 = INT64_C(1000000000000000000);
    do_step(slots);
    start(slots, COMMAND_LOGIN, account, 1);
    do_step(slots);
}

static uint32_t provider_of(uint32_t place)
{
    return BUYER + 1 + place;
}

static uint32_t resource_of(uint32_t lane, uint32_t place)
{
    return place * LANES + lane + 1;
}

static void open_lane(uint16_t lane)
{
    union command_slot slots[1];
    struct command *c = start(slots, COMMAND_REGISTER_CLASS, 1, 1);
    snprintf(c->register_class.name, NAME_SIZE, "C%u", lane);
    c->register_class.lot = 1;
    do_step(slots);
    c = start(slots, COMMAND_SET_MARKET, 1, 1);
    c->set_market.class_id = lane;
    c->set_market.mode = MODE_CONTINUOUS;
    c->set_market.launch_price_e4[0] = BASE_E4;
    c->set_market.inner_band_bp = c->set_market.outer_band_bp = 9000;
    do_step(slots);
}

static void open_provider(uint32_t place)
{
    union command_slot slots[2];
    open_account(provider_of(place), ROLE_PROVIDER);
    for (uint16_t lane = 0; lane < LANES; lane++) {
        struct command *c = start(slots, COMMAND_REGISTER_RESOURCE, 1, 2);
        c->register_resource.account = provider_of(place);
        c->register_resource.gpus = QTY_MAX;
        c->register_resource.class_id = lane;
        snprintf(slots[1].identity.identifier, IDENTIFIER_SIZE, "bench-%u-%u", lane, place);
        do_step(slots);
    }
}

static void open_engine(uint32_t resources)
{
    struct engine_config config;
    engine_config_default(&config);
    config.orders = 1u << 18;
    config.ladders = 4096;
    config.fills = 1u << 20;
    config.holdings = 1u << 19;
    config.timers = 1u << 14;
    config.accounts = config.keys = 256;
    config.resources = LANES * MOST_RESOURCES;
    config.groups = 8;
    config.markets = LANES;
    struct error error;
    size_t size = engine_memory_size(&config);
    if (arena_init(&arena, size, ARENA_HUGE_PAGES, &error) != 0) {
        fprintf(stderr, "bench: %s\n", error.text);
        exit(1);
    }
    engine = engine_init(arena_take(&arena, size), &config);
    sink = (struct event_sink){.events = events, .capacity = SINK, .drain = drain};
    seq = 0;
    union command_slot slots[1];
    struct command *c = start(slots, COMMAND_GENESIS, 0, 1);
    c->genesis = (struct command_genesis){.rules_version = 1,
                                          .horizon_hours = 840,
                                          .gate_lead_s = 600,
                                          .bond_bp = 4000,
                                          .sweep_slice = 256,
                                          .rate_limit = UINT32_MAX,
                                          .open_orders_limit = UINT32_MAX,
                                          .order_qty_limit = QTY_MAX};
    do_step(slots);
    start(slots, COMMAND_LOGIN, 1, 1);
    do_step(slots);
    c = start(slots, COMMAND_REGISTER_REGION, 1, 1);
    snprintf(c->register_region.name, NAME_SIZE, "CN-GZ");
    do_step(slots);
    for (uint32_t group = 0; group < 2; group++) {
        c = start(slots, COMMAND_REGISTER_GROUP, 1, 1);
        snprintf(c->register_group.name, LABEL_SIZE, "group %u", group);
        do_step(slots);
    }
    for (uint16_t lane = 0; lane < LANES; lane++) {
        open_lane(lane);
    }
    open_account(BUYER, ROLE_BUYER);
    for (uint32_t place = 0; place < resources; place++) {
        open_provider(place);
    }
}

static void make_offer(union command_slot *slots, uint32_t lane, uint32_t hour, uint32_t place,
                       const struct offer *offer)
{
    struct command *c = start(slots, COMMAND_NEW_ORDER, provider_of(place), 1);
    c->new_order = (struct command_new_order){
        .contract = contract_pack((uint16_t)lane, 0, TIER_G0, FIRST_HOUR + hour),
        .price_e4 = offer->price_e4,
        .qty = offer->qty,
        .resource = resource_of(lane, place),
        .side = SIDE_SELL,
    };
}

/* A number within so many per cent around 100. */
static int64_t around(int64_t percent)
{
    return random_between(&dice, 100 - percent, 100 + percent);
}

static void fill_books(uint32_t resources)
{
    static const int64_t day[24] = {88,  85,  84,  84,  86,  90,  96,  102, 108, 112, 114, 115,
                                    114, 113, 113, 112, 110, 108, 106, 104, 101, 97,  94,  91};
    int64_t lane_level[LANES];
    int64_t resource_level[LANES][MOST_RESOURCES];
    for (uint32_t lane = 0; lane < LANES; lane++) {
        lane_level[lane] = around(10);
        for (uint32_t place = 0; place < resources; place++) {
            resource_level[lane][place] = around(10);
        }
    }
    for (uint32_t lane = 0; lane < LANES; lane++) {
        for (uint32_t hour = 0; hour < SPAN; hour++) {
            for (uint32_t place = 0; place < resources; place++) {
                struct offer *offer = &offers[lane][hour][place];
                int64_t price = BASE_E4 * day[hour % 24] / 100 * lane_level[lane] / 100;
                price = price * resource_level[lane][place] / 100 * around(3) / 100;
                *offer = (struct offer){.price_e4 = price + random_between(&dice, 0, 99),
                                        .qty = 64 * random_between(&dice, 1, 4)};
                union command_slot slots[1];
                make_offer(slots, lane, hour, place, offer);
                do_step(slots);
                offer->order_id = seen.order_id;
            }
        }
    }
}

/* Offers anew what a JOB has taken. */
static void restore_books(void)
{
    static struct event taken[SINK];
    uint32_t count = sink.count;
    memcpy(taken, events, count * sizeof(events[0]));
    for (uint32_t i = 0; i < count; i++) {
        const struct event_trade *t = &taken[i].trade;
        if (taken[i].head.type != EVENT_TRADE) {
            continue;
        }
        uint32_t lane = contract_class(t->contract);
        uint32_t hour = contract_hour(t->contract) - FIRST_HOUR;
        uint32_t place = (t->resource - 1) / LANES;
        struct offer *offer = &offers[lane][hour][place];
        union command_slot slots[1];
        struct engine_order order;
        if (engine_order(engine, offer->order_id, &order)) {
            struct command *c = start(slots, COMMAND_CANCEL_ORDER, provider_of(place), 1);
            c->cancel_order.order_id = offer->order_id;
            do_step(slots);
        }
        make_offer(slots, lane, hour, place, offer);
        do_step(slots);
        offer->order_id = seen.order_id;
    }
}

static struct command *make_job(union command_slot *slots, uint8_t placement)
{
    struct command *c = start(slots, COMMAND_NEW_JOB, BUYER, 2);
    c->new_job = (struct command_new_job){
        .price_e4 = 4 * BASE_E4,
        .qty = 8 * random_between(&dice, 1, 8),
        .window_from = FIRST_HOUR,
        .window_to = FIRST_HOUR + SPAN,
        .hours = HOURS,
        .placement = placement,
        .lane_count = LANES,
        .tif = TIF_IOC,
    };
    for (uint16_t lane = 0; lane < LANES; lane++) {
        uint32_t factor = (uint32_t)random_between(&dice, 9000, 11000);
        factor_of[lane] = (double)factor / 10000.0;
        slots[1].lanes[lane] = (struct job_lane){.class_id = lane, .factor_e4 = factor};
    }
    return c;
}

/* --- figures ---------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

struct quantiles {
    double p50[RUNS];
    double p99[RUNS];
};

static void take_run(struct quantiles *q, int run, double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), by_value);
    q->p50[run] = values[count / 2];
    q->p99[run] = values[count * 99 / 100];
}

static void print_quantiles(const char *name, struct quantiles *q)
{
    qsort(q->p50, RUNS, sizeof(q->p50[0]), by_value);
    qsort(q->p99, RUNS, sizeof(q->p99[0]), by_value);
    printf("%-34s  %9.1f  %9.1f\n", name, q->p50[RUNS / 2] / 1e3, q->p99[RUNS / 2] / 1e3);
}

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

static void search(uint8_t placement, uint32_t resources)
{
    struct quantiles fit;
    struct quantiles miss;
    static double fits[JOBS];
    static double misses[JOBS];
    random_seed(&dice, 42);
    open_engine(resources);
    fill_books(resources);
    for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < JOBS; i++) {
            union command_slot slots[2];
            struct command *c = make_job(slots, placement);
            fits[i] = step(slots);
            look_at_events();
            need(seen.trades >= HOURS, "a JOB was not filled");
            int64_t limit = (int64_t)(seen.worth * 0.995 / (double)(c->new_job.qty * HOURS));
            restore_books();
            c->new_job.price_e4 = limit;
            c->head.cl_ord_id = seq + 1;
            misses[i] = step(slots);
            look_at_events();
            need(seen.misses == 1, "a JOB found a fit below the best");
        }
        take_run(&fit, run, fits, JOBS);
        take_run(&miss, run, misses, JOBS);
    }
    const char *kind = placement == PLACEMENT_ANY ? "any" : "site";
    char name[64];
    snprintf(name, sizeof(name), "%s, %u resources a lane, filled", kind, resources);
    print_quantiles(name, &fit);
    snprintf(name, sizeof(name), "%s, %u resources a lane, not filled", kind, resources);
    print_quantiles(name, &miss);
    arena_free(&arena);
}

/* Half a percent below the cheapest hour at the most, so that no offer completes one. */
static void rest_jobs(uint32_t lane)
{
    for (uint32_t i = 0; i < RESTING; i++) {
        union command_slot slots[2];
        struct command *c = make_job(slots, i % 2 == 0 ? PLACEMENT_ANY : PLACEMENT_SITE);
        c->new_job.price_e4 = BASE_E4 / 4 + random_between(&dice, 0, 999);
        c->new_job.lane_count = 1;
        c->new_job.tif = TIF_GATE;
        c->new_job.window_from += (uint32_t)random_below(&dice, STARTS / 2);
        slots[1].lanes[0].class_id = (uint16_t)lane;
        do_step(slots);
        need(seen.misses == 1, "a JOB did not come to rest");
    }
}

static void plain_offers(const char *name, uint32_t lane)
{
    struct quantiles q;
    static double took[OFFERS];
    for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < OFFERS; i++) {
            uint32_t hour = (uint32_t)random_below(&dice, SPAN);
            struct offer offer = {.price_e4 = BASE_E4 + random_between(&dice, 0, 9999), .qty = 8};
            union command_slot slots[1];
            make_offer(slots, lane, hour, 0, &offer);
            took[i] = step(slots);
            look_at_events();
            struct command *c = start(slots, COMMAND_CANCEL_ORDER, provider_of(0), 1);
            c->cancel_order.order_id = seen.order_id;
            do_step(slots);
        }
        take_run(&q, run, took, OFFERS);
    }
    print_quantiles(name, &q);
}

static void beside_resting(void)
{
    random_seed(&dice, 43);
    open_engine(16);
    fill_books(16);
    plain_offers("plain offer, no JOBs", 0);
    rest_jobs(0);
    plain_offers("plain offer, 10,000 JOBs beside", 1);
    plain_offers("plain offer, 10,000 JOBs there", 0);
    arena_free(&arena);
}

int main(void)
{
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(1, &cpu);
    if (sched_setaffinity(0, sizeof(cpu), &cpu) != 0) {
        printf("job: not pinned, the machine has one processor\n");
    }
    printf("job: 8 lanes, 168 starts, 8 hours; medians of %d runs\n", RUNS);
    printf("%-34s  %9s  %9s\n", "microseconds a command", "p50", "p99");
    search(PLACEMENT_ANY, 16);
    search(PLACEMENT_SITE, 1);
    search(PLACEMENT_SITE, 16);
    search(PLACEMENT_SITE, 128);
    beside_resting();
    return 0;
}
