/* The engine on the standard flow over the bare book, in one run: throughput as medians of paired
 * runs. All checks are on; funds and capacity are ample; buyers and sellers are in different groups;
 * MODIFY is a cancel and a new order. Both must come to the flow's known trades, or the figure is
 * worth nothing.
 *
 * The engine is given what the sequencer would give it: finished commands one after the other in
 * memory. The order ids that cancels name are those that an earlier run, which is not timed, was
 * answered with, as a client's would be. */
#include "bench/flow.h"

#define BARE_ON_TRADE(maker, taker, price, qty) on_bare_trade(maker, taker, price, qty)
#define BARE_ON_FILLED(id)                      ((void)(id))
#include <stdbool.h>
static inline void on_bare_trade(uint64_t maker, uint64_t taker, uint32_t price, uint32_t qty);
#include "bench/bare_book.h"

#include <sched.h>
#include <time.h>

#include "base/arena.h"
#include "bench/ticks.h"
#include "exchange/core/engine.h"

#define RUNS       5
#define SINK       64
#define LOOK_AHEAD 8 /* commands between the first hint and the step */
#define NEAR       4
#define IN_CACHE   32
#define BATCH      512 /* commands that a sequencer steps in a row */

/* What few events need stays out of the way. */
#define RARE __attribute__((noinline, cold))

static struct flow_checksum sum;

/* --- floor ------------------------------------------------------------------------------------ */

/* One 32-byte event an answer and a trade, as any real engine would have to write. */
struct bare_event {
    uint64_t seq, a, b;
    uint32_t price, qty;
};
static struct bare_event bare_events[16384];
static uint64_t bare_event_count;

static inline void bare_emit(uint64_t a, uint64_t b, uint32_t price, uint32_t qty)
{
    struct bare_event *e = &bare_events[bare_event_count++ % 16384];
    *e = (struct bare_event){bare_event_count, a, b, price, qty};
}

static inline void on_bare_trade(uint64_t maker, uint64_t taker, uint32_t price, uint32_t qty)
{
    flow_trade(&sum, maker, taker, price, qty);
    bare_emit(maker, taker, price, qty);
}

static struct bare bare;

static inline void bare_apply(const struct flow_record *r)
{
    switch (r->type) {
    case FLOW_CANCEL: {
        int found = bare_cancel(&bare, r->id);
        sum.rejects += !found;
        bare_emit(r->id, 1, 0, (uint32_t)found);
        break;
    }
    case FLOW_MODIFY: {
        int found = bare_modify(&bare, r->id, r->price, r->qty);
        sum.rejects += !found;
        bare_emit(r->id, 2, r->price, (uint32_t)found);
        break;
    }
    default: {
        uint32_t limit = r->type == FLOW_MARKET ? (r->side ? 1u : BARE_PRICES - 1) : r->price;
        uint32_t left = bare_new(&bare, r->instrument, r->type == FLOW_LIMIT, r->side, r->id,
                                 r->account, limit, r->qty);
        bare_emit(r->id, 0, r->price, left);
    }
    }
}

/* --- engine ----------------------------------------------------------------------------------- */

/* Commands as a journal holds them, the set-up aside. */
struct record {
    struct command *commands; /* LOOK_AHEAD unused ones behind them */
    uint64_t count;
    uint64_t preload; /* of them, not timed */
};

static struct engine *engine;
static struct event events[SINK];
static struct event_sink sink;
static uint64_t seq;
static uint64_t last_order_id; /* of the last NEW */
static uint32_t resource_of[FLOW_ACCOUNTS + 1];

#define START_HOUR 490000u /* 2025-11-24T16Z */
#define START_NS   ((int64_t)START_HOUR * NS_PER_HOUR)

static uint32_t key_of(uint32_t account, uint8_t side)
{
    return 2 * account + side; /* key 1 is the operator's */
}

RARE static void check_refusal(const struct event *e)
{
    if (e->rejected.reason != REASON_UNKNOWN_ORDER) {
        fprintf(stderr, "bench: the engine refused flow order %u: %s\n",
                (uint32_t)e->rejected.party.cl_ord_id, reason_name(e->rejected.reason));
        exit(1);
    }
    sum.rejects++;
}

/* The low half of a cl_ord_id is the flow's id, so that fills name both sides of a trade; the buyer's
 * comes first. */
static void take_fill(const struct event_fill *fill)
{
    static uint32_t buyer;
    uint32_t id = (uint32_t)fill->party.cl_ord_id;
    if (fill->side == SIDE_BUY) {
        buyer = id;
        return;
    }
    flow_trade(&sum, fill->resting ? id : buyer, fill->resting ? buyer : id,
               (uint64_t)fill->price_e4, (uint64_t)fill->qty);
}

static inline void take_events(struct event_sink *s)
{
    const struct event *end = s->events + s->count;
    for (const struct event *e = s->events; e < end; e++) {
        if (e->head.type == EVENT_FILL) {
            take_fill(&e->fill);
        } else if (e->head.type == EVENT_REJECTED) {
            check_refusal(e);
        }
    }
    s->count = 0;
}

static void drain_events(struct event_sink *s)
{
    /* A NEW is the first event of its command. */
    if (s->events[0].head.type == EVENT_NEW) {
        last_order_id = s->events[0].new_order.order_id;
    }
    take_events(s);
}

static void step(struct command *c)
{
    c->head.seq = ++seq;
    engine_step(engine, c, &sink);
    drain_events(&sink);
}

static struct command *operator_command(union command_slot slots[2], uint8_t type, uint8_t count)
{
    memset(slots, 0, 2 * sizeof(slots[0]));
    slots[0].command.head = (struct command_head){.time_ns = START_NS,
                                                  .cl_ord_id = seq + 1,
                                                  .key = 1,
                                                  .session = 1,
                                                  .type = type,
                                                  .slots = count};
    return &slots[0].command;
}

static void open_trader(uint32_t account, uint8_t side)
{
    union command_slot slots[2];
    uint32_t id = key_of(account, side); /* accounts and keys are opened in step */
    uint8_t role = side == SIDE_SELL ? ROLE_PROVIDER : ROLE_BUYER;
    struct command *c = operator_command(slots, COMMAND_OPEN_ACCOUNT, 1);
    snprintf(c->open_account.name, LABEL_SIZE, "%s %u", side ? "provider" : "buyer", account);
    c->open_account.group = 2u + side;
    c->open_account.roles = role;
    step(c);
    c = operator_command(slots, COMMAND_REGISTER_KEY, 1);
    c->register_key.account = id;
    c->register_key.roles = role;
    memcpy(c->register_key.public_key, &id, sizeof(id));
    step(c);
    c = operator_command(slots, COMMAND_DEPOSIT, 1);
    c->cash.account = id;
    c->cash.amount_e4 = INT64_C(1000000000000000000);
    step(c);
    c = operator_command(slots, COMMAND_LOGIN, 1);
    c->head.key = id;
    c->head.session = 0;
    c->head.cl_ord_id = 0;
    step(c);
    if (side == SIDE_SELL) {
        c = operator_command(slots, COMMAND_REGISTER_RESOURCE, 2);
        c->register_resource.account = id;
        c->register_resource.gpus = QTY_MAX;
        snprintf(slots[1].identity.identifier, IDENTIFIER_SIZE, "bench-%u", account);
        step(c);
        resource_of[account] = account; /* one each, in order */
    }
}

static void open_market(void)
{
    union command_slot slots[2];
    struct command *c = operator_command(slots, COMMAND_GENESIS, 1);
    c->head.key = 0;
    c->head.cl_ord_id = 0;
    c->genesis = (struct command_genesis){.rules_version = 1,
                                          .horizon_hours = 840,
                                          .gate_lead_s = 600,
                                          .bond_bp = 4000,
                                          .sweep_slice = 256,
                                          .rate_limit = UINT32_MAX,
                                          .open_orders_limit = UINT32_MAX,
                                          .order_qty_limit = QTY_MAX};
    step(c);
    c = operator_command(slots, COMMAND_LOGIN, 1);
    c->head.cl_ord_id = 0;
    c->head.session = 0;
    step(c);
    c = operator_command(slots, COMMAND_REGISTER_CLASS, 1);
    snprintf(c->register_class.name, NAME_SIZE, "H100");
    c->register_class.lot = 1;
    step(c);
    c = operator_command(slots, COMMAND_REGISTER_REGION, 1);
    snprintf(c->register_region.name, NAME_SIZE, "CN-GZ");
    step(c);
    c = operator_command(slots, COMMAND_SET_MARKET, 1);
    c->set_market.mode = MODE_CONTINUOUS;
    c->set_market.launch_price_e4[0] = 50000;
    c->set_market.inner_band_bp = c->set_market.outer_band_bp = 10000000;
    step(c);
    for (int i = 0; i < 2; i++) {
        c = operator_command(slots, COMMAND_REGISTER_GROUP, 1);
        snprintf(c->register_group.name, LABEL_SIZE, "%s", i ? "providers" : "buyers");
        step(c);
    }
    for (uint32_t account = 1; account <= FLOW_ACCOUNTS; account++) {
        open_trader(account, SIDE_BUY);
        open_trader(account, SIDE_SELL);
    }
}

static void make_new(struct command *c, const struct flow_record *r, uint32_t key,
                     uint32_t resource)
{
    bool market = r->type == FLOW_MARKET;
    c->head.type = COMMAND_NEW_ORDER;
    c->head.key = key;
    c->new_order = (struct command_new_order){
        .contract = contract_pack(0, 0, TIER_G0, START_HOUR + 2 + r->instrument),
        .price_e4 = market ? INT64_C(1000000000) : r->price,
        .qty = r->qty,
        .resource = resource,
        .side = r->side,
        .ord_type = market ? ORD_MARKET : ORD_LIMIT,
        .tif = market || r->type == FLOW_IOC ? TIF_IOC : TIF_GATE,
        .stp = STP_CANCEL_NEWEST,
    };
}

struct id_state { /* of a flow's order id */
    uint64_t order_id;
    uint32_t key;
    uint32_t resource;
};

/* Steps it, for the order id that it is answered with. */
static void record_step(struct record *record, const struct flow_record *r, struct id_state *id)
{
    struct command *c = &record->commands[record->count++];
    c->head.time_ns = START_NS;
    c->head.session = 1;
    c->head.slots = 1;
    c->head.cl_ord_id = (seq + 1) << 32 | r->id; /* rises with the sequence number */
    step(c);
    id->order_id = last_order_id;
}

static void record_command(struct record *record, const struct flow_record *r, struct id_state *id)
{
    struct command *c = &record->commands[record->count];
    if (r->type <= FLOW_MARKET) {
        id->key = key_of(r->account, r->side);
        id->resource = r->side ? resource_of[r->account] : 0;
        make_new(c, r, id->key, id->resource);
        record_step(record, r, id);
        return;
    }
    c->head.type = COMMAND_CANCEL_ORDER;
    c->head.key = id->key;
    c->cancel_order.order_id = id->order_id;
    last_order_id = id->order_id;
    record_step(record, r, id);
    if (r->type == FLOW_MODIFY) {
        make_new(c + 1, r, id->key, id->resource);
        record_step(record, r, id);
    }
}

static void engine_begin(const struct flow *flow, struct arena *arena)
{
    struct engine_config config;
    engine_config_default(&config);
    config.orders = (uint32_t)(flow->preload + flow->preload / 4 + 100000);
    config.ladders = 1024;
    config.fills = 1u << 19;
    config.holdings = 1u << 19;
    config.timers = 1024;
    config.accounts = config.keys = 2 * FLOW_ACCOUNTS + 1;
    config.resources = FLOW_ACCOUNTS;
    config.groups = 8;
    config.markets = 1;
    struct error error;
    size_t size = engine_memory_size(&config);
    if (arena_init(arena, size, ARENA_HUGE_PAGES, &error) != 0) {
        fprintf(stderr, "bench: %s\n", error.text);
        exit(1);
    }
    unsigned char *memory = arena_take(arena, size);
    /* Page faults belong to the start of an exchange, not to its commands. */
    for (size_t i = 0; i < size; i += 4096) {
        ((volatile unsigned char *)memory)[i] = 0;
    }
    engine = engine_init(memory, &config);
    sink = (struct event_sink){.events = events, .capacity = SINK, .drain = drain_events};
    seq = 0;
    open_market();
}

static size_t record_size(const struct flow *flow)
{
    return (2 * flow->count + LOOK_AHEAD) * sizeof(struct command); /* touched as far as used */
}

static void record_make(struct record *record, const struct flow *flow)
{
    struct arena arena;
    engine_begin(flow, &arena);
    *record = (struct record){.commands = bare_map(record_size(flow))};
    struct id_state *ids = bare_map((flow->max_id + 1) * sizeof(ids[0]));
    for (uint64_t i = 0; i < flow->count; i++) {
        if (i == flow->preload) {
            record->preload = record->count;
        }
        record_command(record, &flow->records[i], &ids[flow->records[i].id]);
    }
    munmap(ids, (flow->max_id + 1) * sizeof(ids[0]));
    arena_free(&arena);
}

static void record_free(struct record *record, const struct flow *flow)
{
    munmap(record->commands, record_size(flow));
}

/* A sequencer has just received, checked and journaled the commands that it steps: they are in the cache. */

/* In batches, as a sequencer would. */
static void engine_apply(const struct command *c, uint64_t count)
{
    for (uint64_t done = 0; done < count; done += BATCH) {
        uint64_t batch = count - done < BATCH ? count - done : BATCH;
        engine_run(engine, (const union command_slot *)(const void *)(c + done), batch, &sink);
        take_events(&sink);
    }
}

/* One by one. A sequencer has just received and journaled them, so that they are in the cache. */
static inline void engine_apply_one(const struct command *c)
{
    __builtin_prefetch(c + IN_CACHE);
    __builtin_prefetch((const char *)(c + IN_CACHE) + 64);
    engine_prefetch_far(engine, c + LOOK_AHEAD);
    engine_prefetch_near(engine, c + NEAR);
    engine_step(engine, c, &sink);
    take_events(&sink);
}

/* --- runs ------------------------------------------------------------------------------------- */

static uint32_t *taken; /* ticks of each command, one by one */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[RUNS])
{
    qsort(values, RUNS, sizeof(values[0]), by_value);
    return values[RUNS / 2];
}

static void check(const char *who, const struct flow_checksum *expected)
{
    if (memcmp(&sum, expected, sizeof(sum)) != 0) {
        fprintf(stderr, "bench: %s came to other trades: trades=%lu qty=%lu hash=%016lx rej=%lu\n",
                who, (unsigned long)sum.trades, (unsigned long)sum.qty, (unsigned long)sum.hash,
                (unsigned long)sum.rejects);
        exit(1);
    }
}

static double run_bare(const struct flow *flow, const struct flow_checksum *expected)
{
    uint32_t capacity = (uint32_t)(flow->preload + flow->preload / 4 + 100000);
    bare_init(&bare, flow->instruments, flow->max_id, capacity);
    sum = (struct flow_checksum){.hash = FLOW_HASH_BASE};
    for (uint64_t i = 0; i < flow->preload; i++) {
        bare_apply(&flow->records[i]);
    }
    double begin = seconds();
    for (uint64_t i = flow->preload; i < flow->count; i++) {
        bare_apply(&flow->records[i]);
    }
    double took = seconds() - begin;
    check("the bare book", expected);
    bare_free(&bare, flow->instruments, flow->max_id);
    return took;
}

static double run_engine(const struct flow *flow, const struct record *record,
                         const struct flow_checksum *expected)
{
    struct arena arena;
    engine_begin(flow, &arena);
    sum = (struct flow_checksum){.hash = FLOW_HASH_BASE};
    engine_apply(record->commands, record->preload);
    double begin = seconds();
    engine_apply(record->commands + record->preload, record->count - record->preload);
    double took = seconds() - begin;
    check("the engine", expected);
    arena_free(&arena);
    return took;
}

/* --- single commands --------------------------------------------------------------------------- */

struct latency {
    double p50_ns;
    double p999_ns;
};

static struct latency latency_of(uint64_t count, double ticks_a_ns)
{
    uint32_t empty = ticks_empty();
    qsort(taken, count, sizeof(taken[0]), ticks_compare);
    return (struct latency){
        .p50_ns = (ticks_quantile(taken, count, 0.5) - empty) / ticks_a_ns,
        .p999_ns = (ticks_quantile(taken, count, 0.999) - empty) / ticks_a_ns,
    };
}

static struct latency time_bare(const struct flow *flow, double ticks_a_ns)
{
    uint32_t capacity = (uint32_t)(flow->preload + flow->preload / 4 + 100000);
    bare_init(&bare, flow->instruments, flow->max_id, capacity);
    for (uint64_t i = 0; i < flow->count; i++) {
        uint64_t begin = ticks_now();
        bare_apply(&flow->records[i]);
        taken[i < flow->preload ? 0 : i - flow->preload] = (uint32_t)(ticks_now() - begin);
    }
    bare_free(&bare, flow->instruments, flow->max_id);
    return latency_of(flow->count - flow->preload, ticks_a_ns);
}

static struct latency time_engine(const struct flow *flow, const struct record *record,
                                  double ticks_a_ns)
{
    struct arena arena;
    engine_begin(flow, &arena);
    for (uint64_t i = 0; i < record->count; i++) {
        uint64_t begin = ticks_now();
        engine_apply_one(&record->commands[i]);
        taken[i < record->preload ? 0 : i - record->preload] = (uint32_t)(ticks_now() - begin);
    }
    arena_free(&arena);
    return latency_of(record->count - record->preload, ticks_a_ns);
}

static void compare_latency(const char *name, const struct flow *flow, const struct record *record)
{
    double bare_p50[RUNS];
    double engine_p50[RUNS];
    double bare_p999[RUNS];
    double engine_p999[RUNS];
    double ratios[RUNS];
    double ticks_a_ns = ticks_per_ns();
    size_t size = (record->count + 1) * sizeof(taken[0]);
    taken = bare_map(size);
    for (int i = 0; i < RUNS; i++) {
        struct latency floor = time_bare(flow, ticks_a_ns);
        struct latency engine_took = time_engine(flow, record, ticks_a_ns);
        bare_p50[i] = floor.p50_ns;
        engine_p50[i] = engine_took.p50_ns;
        bare_p999[i] = floor.p999_ns;
        engine_p999[i] = engine_took.p999_ns;
        ratios[i] = engine_took.p999_ns / floor.p999_ns;
    }
    munmap(taken, size);
    printf("%-8s  ns a command, p50 %.0f and %.0f, p99.9 %.0f and %.0f: %.2f times\n", name,
           median(bare_p50), median(engine_p50), median(bare_p999), median(engine_p999),
           median(ratios));
}

static void compare(const char *name, const struct flow *flow, const struct flow_checksum *expected)
{
    double bare_seconds[RUNS];
    double engine_seconds[RUNS];
    double ratios[RUNS];
    struct record record;
    record_make(&record, flow);
    for (int i = 0; i < RUNS; i++) {
        bare_seconds[i] = run_bare(flow, expected);
        engine_seconds[i] = run_engine(flow, &record, expected);
        ratios[i] = bare_seconds[i] / engine_seconds[i];
    }
    double commands = (double)(flow->count - flow->preload);
    printf("%-8s  %9.2f  %9.2f  %6.3f   %lu trades, hash %016lx\n", name,
           commands / median(bare_seconds) / 1e6, commands / median(engine_seconds) / 1e6,
           median(ratios), (unsigned long)sum.trades, (unsigned long)sum.hash);
    compare_latency(name, flow, &record);
    record_free(&record, flow);
}

int main(void)
{
    /* Known results of the two flows, as six independent engines have them. */
    static const struct flow_checksum one = {404022, 11190063, UINT64_C(335643036253),
                                             UINT64_C(0x880c9e29b38895c6), 21207};
    static const struct flow_checksum many = {407567, 10937036, UINT64_C(495492151372),
                                              UINT64_C(0xc892f37cce16b8e5), 21280};
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(1, &cpu);
    if (sched_setaffinity(0, sizeof(cpu), &cpu) != 0) {
        printf("core: not pinned, the machine has one processor\n");
    }
    printf("core: standard flow, all checks on, medians of %d paired runs\n", RUNS);
    printf("%-8s  %9s  %9s  %6s\n", "flow", "bare M/s", "engine", "ratio");
    struct flow flow;
    flow_make(&flow, 1, 5000000, 5000, 42);
    compare("flow1", &flow, &one);
    flow_free(&flow);
    flow_make(&flow, 256, 5000000, 1000, 42);
    compare("flow256", &flow, &many);
    flow_free(&flow);
    return 0;
}
