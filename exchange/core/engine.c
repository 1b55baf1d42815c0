#include "exchange/core/engine.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/housekeeping.h"
#include "exchange/core/job.h"
#include "exchange/core/job_search.h"
#include "exchange/core/listing.h"
#include "exchange/core/match.h"
#include "exchange/core/order.h"
#include "exchange/core/plain.h"
#include "exchange/core/range.h"
#include "exchange/core/registry.h"
#include "exchange/core/replace.h"
#include "exchange/core/session.h"
#include "exchange/core/set.h"
#include "exchange/core/state.h"
#include "exchange/core/tree.h"

void engine_config_default(struct engine_config *config)
{
    *config = (struct engine_config){
        .orders = 1u << 20,
        .ladders = 1u << 18,
        .fills = 1u << 21,
        .holdings = 1u << 20,
        .timers = 1u << 18,
        .accounts = 1u << 14,
        .keys = 1u << 14,
        .resources = 1u << 13,
        .groups = 1u << 14,
        .markets = 1u << 10,
        .auctions = 1u << 16,
        .jobs = 1u << 14,
    };
}

/* --- memory -------------------------------------------------------------------------------- */

static uint32_t bucket_count(const struct engine_config *config)
{
    uint32_t buckets = 2;
    while (buckets < 2 * config->holdings) {
        buckets *= 2;
    }
    return buckets;
}

/* One hint of 8 bytes for at least four orders; a wrong or missing one costs time only. */
static uint32_t hint_count(const struct engine_config *config)
{
    uint32_t hints = 4096;
    while (hints < config->orders / 8) {
        hints *= 2;
    }
    return hints;
}

/* Takes `count` items from the block at *used, on a cache line of its own. */
static void *carve(unsigned char *memory, size_t *used, size_t count, size_t size)
{
    void *place = memory == NULL ? NULL : memory + *used;
    *used += (count * size + 63) / 64 * 64;
    return place;
}

/* Lays the tables out; with memory NULL it only measures. Index 0 of every table is unused. */
static size_t lay_out(struct engine *e, unsigned char *memory, const struct engine_config *c)
{
    size_t used = 0;
    carve(memory, &used, 1, sizeof(struct engine));
    e->orders = carve(memory, &used, (size_t)c->orders + 1, sizeof(struct order));
    e->ladders =
        carve(memory, &used, 2 * (size_t)c->ladders + c->markets + 1, sizeof(struct ladder));
    e->nodes = carve(memory, &used, tree_units(c->orders, e->node_start), NODE_UNIT);
    e->hints = carve(memory, &used, hint_count(c), sizeof(struct hint));
    e->quotes = carve(memory, &used, (size_t)1 << QUOTE_BITS, sizeof(struct quote));
    e->timer_of = carve(memory, &used, (size_t)c->orders + 1, sizeof(uint32_t));
    e->icebergs = carve(memory, &used, (size_t)c->orders + 1, sizeof(struct iceberg));
    e->waiting = carve(memory, &used, (size_t)c->orders + 1, sizeof(struct waiting));
    e->slices = carve(memory, &used, (size_t)c->ladders + 1, sizeof(struct slices));
    e->accounts = carve(memory, &used, (size_t)c->accounts + 1, sizeof(struct account));
    e->keys = carve(memory, &used, (size_t)c->keys + 1, sizeof(struct key));
    e->markets = carve(memory, &used, (size_t)c->markets + 1, sizeof(struct market));
    e->rings = carve(memory, &used, (size_t)c->markets + 1, sizeof(e->rings[0]));
    e->resources = carve(memory, &used, (size_t)c->resources + 1, sizeof(struct resource));
    e->cells = carve(memory, &used, HOUR_RING * ((size_t)c->resources + 1), sizeof(e->cells[0]));
    e->holdings = carve(memory, &used, (size_t)c->holdings + 1, sizeof(struct holding));
    e->buckets = carve(memory, &used, bucket_count(c), sizeof(struct bucket));
    e->hour_holdings = carve(memory, &used, HOUR_RING, sizeof(uint32_t));
    e->terms = carve(memory, &used, (size_t)c->markets + 1, sizeof(struct market_terms));
    e->auctions = carve(memory, &used, (size_t)c->auctions + 1, sizeof(struct auction));
    for (int heap = 0; heap < AUCTION_HEAPS; heap++) {
        e->auction_heaps[heap] = carve(memory, &used, (size_t)c->auctions + 1, sizeof(uint32_t));
    }
    e->steps = carve(memory, &used, (size_t)c->orders + 1, sizeof(struct auction_step));
    e->picks = carve(memory, &used, (size_t)c->orders + 1, sizeof(struct auction_pick));
    e->fills = carve(memory, &used, (size_t)c->fills + 1, sizeof(struct fill_record));
    e->timers = carve(memory, &used, (size_t)c->timers + 1, sizeof(struct timer));
    e->public_keys = carve(memory, &used, (size_t)c->keys + 1, PUBLIC_KEY_SIZE);
    e->identifiers = carve(memory, &used, (size_t)c->resources + 1, IDENTIFIER_SIZE);
    e->group_names = carve(memory, &used, (size_t)c->groups + 1, LABEL_SIZE);
    e->jobs = carve(memory, &used, (size_t)c->jobs + 1, sizeof(struct job));
    e->due_hours =
        carve(memory, &used, HOUR_RING * ((size_t)c->markets + 1), sizeof(struct due_hour));
    e->job_tallies = carve(memory, &used, (size_t)c->resources + 1, sizeof(struct job_tally));
    e->job_scratch = carve(memory, &used, 1, sizeof(struct job_scratch));
    return used;
}

size_t engine_memory_size(const struct engine_config *config)
{
    struct engine layout;
    return lay_out(&layout, NULL, config);
}

struct engine *engine_init(void *memory, const struct engine_config *config)
{
    const uint32_t most = 1u << 27;
    if (config->orders < 1 || config->orders > most || config->ladders < 1 ||
        config->ladders > most || config->fills < 1 || config->fills > most ||
        config->holdings < 1 || config->holdings > most || config->timers < 1 ||
        config->timers > most || config->accounts < 1 || config->accounts > 1u << 20 ||
        config->keys < 1 || config->keys > 1u << 20 || config->resources < 1 ||
        config->resources > 1u << 20 || config->groups < 1 || config->groups > 1u << 20 ||
        config->markets < 1 || config->markets > UINT16_MAX || config->jobs < 1 ||
        config->jobs > most || config->auctions < 1 || config->auctions >= 1u << 20) {
        return NULL;
    }
    CHECK(((uintptr_t)memory & 63u) == 0);
    struct engine *e = memory;
    lay_out(e, memory, config);
    e->config = *config;
    e->bucket_mask = bucket_count(config) - 1;
    e->hint_mask = hint_count(config) - 1;
    e->due_ns = INT64_MIN;
    return e;
}

void emit_drain(struct engine *e)
{
    struct event_sink *sink = e->sink;
    sink->count = (uint32_t)(e->event_next - sink->events);
    sink->drain(sink);
    CHECK(sink->count == 0);
    e->event_next = sink->events;
}

/* --- a step -------------------------------------------------------------------------------- */

RARE static void refuse_sender(struct engine *e, const struct command *c, uint16_t reason,
                               uint64_t highest)
{
    uint32_t key = c->head.key;
    bool known = key >= 1 && key <= e->s.key_count;
    struct event *event = emit(e, EVENT_REJECTED, c->head.link, 0);
    event->rejected = (struct event_rejected){
        .party = {.cl_ord_id = c->head.cl_ord_id,
                  .key = key,
                  .account = known ? e->keys[key].account : 0},
        .value = (int64_t)c->head.cl_ord_id,
        .bound = (int64_t)highest,
        .reason = reason,
        .request = c->head.type,
    };
}

/* Counts the request against the key's second; true when it is one too many. */
static bool rate_exceeded(struct engine *e, const struct command *c)
{
    struct key *k = &e->keys[c->head.key];
    if (k->rate_second != e->s.second) {
        k->rate_second = e->s.second;
        k->rate_count = 0;
    }
    k->rate_count++;
    return k->rate_count > e->accounts[k->account].rate_limit &&
           c->head.type != COMMAND_CANCEL_ORDER && c->head.type != COMMAND_MASS_CANCEL;
}

/* Who may ask for what: any of these roles; 0: no such request. */
static uint8_t roles_for(const struct command *c)
{
    uint8_t type = c->head.type;
    if ((type == COMMAND_NEW_ORDER && c->new_order.side == SIDE_BUY) ||
        type == COMMAND_TAKE_OFFER) {
        return ROLE_BUYER;
    }
    if (type == COMMAND_NEW_SET || type == COMMAND_NEW_JOB) {
        return ROLE_BUYER;
    }
    if (type >= COMMAND_NEW_ORDER && type <= COMMAND_NEW_RANGE) {
        return ROLE_BUYER | ROLE_PROVIDER;
    }
    return type >= COMMAND_REGISTER_CLASS && type <= COMMAND_ADVANCE ? ROLE_OPERATOR : 0;
}

/* SETs and JOBs look at their number of slots themselves, after their number of legs or lanes. */
static bool slots_right(const struct command *c)
{
    uint8_t type = c->head.type;
    return type == COMMAND_NEW_SET || type == COMMAND_NEW_JOB ||
           c->head.slots == (type == COMMAND_REGISTER_RESOURCE ? 2 : 1);
}

static bool stopped_by_kill(uint8_t type)
{
    return type == COMMAND_NEW_ORDER || type == COMMAND_REPLACE_ORDER ||
           (type >= COMMAND_NEW_RANGE && type <= COMMAND_TAKE_OFFER);
}

/* What the sender may do at all; the cl_ord_id is used up already. */
static bool check_sender(struct engine *e, const struct command *c, struct rejection *why)
{
    const struct key *k = &e->keys[c->head.key];
    const struct account *a = &e->accounts[k->account];
    if (rate_exceeded(e, c)) {
        *why = (struct rejection){
            .reason = REASON_RATE_EXCEEDED, .value = k->rate_count, .bound = a->rate_limit};
        return false;
    }
    uint8_t roles = roles_for(c);
    if (roles == 0 || !slots_right(c)) {
        *why = (struct rejection){
            .reason = REASON_INVALID_COMMAND, .value = c->head.type, .bound = c->head.slots};
        return false;
    }
    if ((k->roles & roles) == 0) {
        *why = (struct rejection){
            .reason = REASON_NOT_AUTHORIZED, .value = c->head.type, .bound = k->roles};
        return false;
    }
    if (a->killed && stopped_by_kill(c->head.type)) {
        *why = (struct rejection){.reason = REASON_ACCOUNT_KILLED, .value = 0, .bound = 0};
        return false;
    }
    return true;
}

static void apply_request(struct engine *e, const struct command *c)
{
    struct rejection why;
    if (!check_sender(e, c, &why)) {
        order_reject(e, c, 0, &why);
        return;
    }
    switch (c->head.type) {
    case COMMAND_NEW_ORDER:
        order_new(e, c);
        break;
    case COMMAND_CANCEL_ORDER:
        order_cancel(e, c);
        break;
    case COMMAND_REPLACE_ORDER:
        replace_apply(e, c);
        break;
    case COMMAND_NEW_RANGE:
        range_new(e, c);
        break;
    case COMMAND_NEW_SET:
        set_new(e, c);
        break;
    case COMMAND_NEW_JOB:
        job_new(e, c);
        break;
    case COMMAND_MASS_CANCEL:
        housekeeping_mass_cancel(e, c);
        break;
    case COMMAND_TAKE_OFFER:
        listing_take(e, c);
        break;
    default:
        CHECK(registry_apply(e, c));
    }
}

/* A command of a key: section 2 of the rulebook. */
static void apply_keyed(struct engine *e, const struct command *c)
{
    uint32_t key = c->head.key;
    if (key < 1 || key > e->s.key_count || (e->keys[key].flags & KEY_REVOKED) != 0) {
        refuse_sender(e, c, REASON_UNKNOWN_KEY, 0);
        return;
    }
    if (c->head.type == COMMAND_LOGIN) {
        session_login(e, c);
        return;
    }
    struct key *k = &e->keys[key];
    if ((k->flags & KEY_BOUND) == 0 || c->head.session != k->session) {
        refuse_sender(e, c, REASON_SESSION_ENDED, k->session);
        return;
    }
    if (c->head.type == COMMAND_LOGOUT) {
        session_logout(e, c);
        return;
    }
    if (c->head.cl_ord_id <= k->highest_cl_ord_id) {
        refuse_sender(e, c, REASON_DUPLICATE, k->highest_cl_ord_id);
        return;
    }
    k->highest_cl_ord_id = c->head.cl_ord_id;
    apply_request(e, c);
}

static void apply(struct engine *e, const struct command *c)
{
    switch (c->head.type) {
    case COMMAND_GENESIS:
        registry_genesis(e, c);
        break;
    case COMMAND_TICK:
        memset(emit(e, EVENT_TIME, 0, EVENT_PUBLIC)->bytes, 0, sizeof(((struct event *)0)->bytes));
        auction_tick(e, c->tick.entropy);
        break;
    case COMMAND_LINK_UP:
        session_link_up(e, c);
        break;
    case COMMAND_LINK_DOWN:
        session_link_down(e, c);
        break;
    default:
        apply_keyed(e, c);
    }
}

static void set_time(struct engine *e, int64_t time_ns)
{
    CHECK(time_ns >= e->s.time_ns);
    e->s.time_ns = time_ns;
    if (time_ns - (int64_t)e->s.second * NS_PER_SECOND < NS_PER_SECOND) {
        return;
    }
    int64_t second = time_ns / NS_PER_SECOND;
    e->s.second = (uint32_t)second;
    e->s.hour = (uint32_t)(second / 3600);
    /* The gate of hour h is closed when h x 3600 - lead <= now. */
    e->s.open_hour = (uint32_t)((second + e->s.gate_lead_s) / 3600) + 1;
}

/* What the command itself has made due, and what is told of it at the end. */
APART static void finish_due(struct engine *e, uint32_t units)
{
    if (housekeeping_due(e)) {
        housekeeping_run(e, units);
        /* What is left over is over for the JOBs below and for whoever reads before the next step. */
        e->s.lag = housekeeping_due(e);
    }
    if (job_due_waits(e)) {
        job_due_run(e);
    }
    auction_publish(e);
    e->tick = (struct auction_tick){.ticking = false};
    housekeeping_set_due(e);
}

/* A step in which something may be due: a new second, an expire time, work left over. */
APART static void step_due(struct engine *e, const struct command *c)
{
    set_time(e, c->head.time_ns);
    uint32_t units = e->s.sweep_slice;
    e->s.lag = 0;
    if (housekeeping_due(e)) {
        units = housekeeping_run(e, units);
        e->s.lag = housekeeping_due(e);
    }
    apply(e, c);
    if (c->head.type == COMMAND_GENESIS) {
        /* Only now is the gate lead known; the first gate to work off is the next one. */
        e->s.second = 0;
        set_time(e, c->head.time_ns);
        e->s.gate_hour = e->s.open_hour;
        e->s.gate_market = 1;
    }
    finish_due(e, units);
}

static void steps_begin(struct engine *e, struct event_sink *sink)
{
    e->sink = sink;
    e->event_next = sink->events + sink->count;
    e->event_end = sink->events + sink->capacity;
}

static void steps_end(struct engine *e)
{
    e->sink->count = (uint32_t)(e->event_next - e->sink->events);
    e->sink = NULL;
}

APART static void step(struct engine *e, const struct command *command)
{
    CHECK(command->head.seq == e->s.seq + 1);
    e->s.event_index = 0;
    if (__builtin_expect(command->head.time_ns >= e->due_ns, 0)) {
        e->s.seq = command->head.seq;
        step_due(e, command);
    } else {
        CHECK(command->head.time_ns >= e->s.time_ns);
        e->s.seq = command->head.seq;
        e->s.time_ns = command->head.time_ns;
        e->s.lag = 0;
        holding_catch_up(e);
        if (!plain_step(e, command)) {
            apply(e, command);
        }
        if (__builtin_expect(e->s.time_ns >= e->due_ns, 0)) {
            finish_due(e, e->s.sweep_slice);
        }
    }
    e->event_next[-1].head.flags |= EVENT_LAST;
}

void engine_step(struct engine *engine, const struct command *command, struct event_sink *sink)
{
    steps_begin(engine, sink);
    step(engine, command);
    steps_end(engine);
}

/* --- hints to the cache -------------------------------------------------------------------- */

/* So many orders, with all that belongs to them, are near the processor in any case: only the lines
 * that a command touches first are worth a hint then. */
#define ORDERS_IN_CACHE 32768

static inline bool market_deep(const struct engine *e)
{
    return e->s.order_top >= ORDERS_IN_CACHE;
}

/* An order command leads to an order: its own or, where it enters one, that which was at its price
 * last. What kind it is comes at random, so everything here is a choice between addresses and not a
 * branch. The fields of one that names an order are read as a contract too, and the other way round. */
static inline const uint32_t *address(uint64_t mask, const uint32_t *where_set,
                                      const uint32_t *where_clear)
{
    return (const uint32_t *)(uintptr_t)choose(mask, (uintptr_t)where_set, (uintptr_t)where_clear);
}

static inline const struct hint *hint_of(const struct engine *e, const struct command *c)
{
    const struct command_new_order *n = &c->new_order;
    return book_hint(e, n->contract, n->side, (uint32_t)n->price_e4);
}

/* Only what is fetched is named there and nothing read, so it may lie outside of its table. */
static inline uintptr_t place_in(const void *table, uint32_t index, size_t size)
{
    return (uintptr_t)table + (size_t)index * size;
}

static inline void prefetch_far(const struct engine *e, const struct command *c, bool deep)
{
    uint32_t slot = (uint32_t)c->cancel_order.order_id;
    uintptr_t first = place_in(e->orders, slot, sizeof(struct order));
    if (deep) {
        uint64_t enters = mask_of(c->head.type == COMMAND_NEW_ORDER);
        first = (uintptr_t)choose(enters, (uintptr_t)hint_of(e, c), first);
    }
    __builtin_prefetch((const void *)first, 1);
    __builtin_prefetch((const void *)place_in(e->keys, c->head.key, sizeof(struct key)), 1);
}

void engine_prefetch_far(const struct engine *e, const struct command *command)
{
    prefetch_far(e, command, market_deep(e));
    KEPT();
}

/* Follows the pointers that the far hint brought in: the neighbours in the level, which hint and
 * order name in the same way, those in the key's chain, the account, the ladder, the capacity. */
APART static void prefetch_deep(const struct engine *e, const struct command *c)
{
    const struct command_new_order *n = &c->new_order;
    const struct key *k = &e->keys[c->head.key];
    const struct order *orders = e->orders;
    uint64_t slot = (uint32_t)c->cancel_order.order_id;
    const struct order *o = &orders[slot & mask_of(slot <= e->s.order_top)];
    uint64_t enters = mask_of(c->head.type == COMMAND_NEW_ORDER);
    const uint32_t *neighbours = address(enters, &hint_of(e, c)->head, &o->next);
    const uint32_t *chain = address(enters, &k->newest, &o->newer);
    __builtin_prefetch(&e->accounts[k->account], 1);
    __builtin_prefetch(&orders[neighbours[0]], 1);
    __builtin_prefetch(&orders[neighbours[1]], 1);
    __builtin_prefetch(&orders[chain[0]], 1);
    __builtin_prefetch(&orders[chain[1]], 1);
    uint32_t market = e->s.market_of[contract_class(n->contract) % CLASS_COUNT_MAX]
                                    [contract_region(n->contract) % REGION_COUNT_MAX];
    uint32_t ladder =
        *address(enters, &e->rings[market][contract_hour(n->contract) % HOUR_RING], &o->ladder);
    uint64_t resource = choose(enters, n->resource, o->resource);
    const struct ladder *l = &e->ladders[ladder];
    __builtin_prefetch(l, 1);
    __builtin_prefetch(&l->best_price, 1);
    resource &= mask_of(resource <= e->s.resource_count);
    __builtin_prefetch(capacity_cell(e, (uint32_t)resource, contract_hour(l->contract)), 1);
    match_prefetch(e, c, ladder, enters != 0);
    KEPT();
}

static inline void prefetch_near(const struct engine *e, const struct command *c, bool deep)
{
    if (deep && c->head.key <= e->s.key_count) {
        prefetch_deep(e, c);
    } else {
        const struct key *k = &e->keys[c->head.key <= e->s.key_count ? c->head.key : 0];
        __builtin_prefetch(&e->accounts[k->account], 1);
        __builtin_prefetch(&e->orders[k->newest], 1);
    }
}

void engine_prefetch_near(const struct engine *e, const struct command *command)
{
    prefetch_near(e, command, market_deep(e));
    KEPT();
}

/* --- steps in a row --------------------------------------------------------------------------- */

#define LOOK_AHEAD 32 /* slots between the hint to a command itself and its step */

/* Continuation slots may be given hints as if they were commands, and commands behind one that is long may
 * get none: hints do no harm and are not missed. */
static inline __attribute__((always_inline)) void
run(struct engine *e, const union command_slot *slots, size_t count, bool deep)
{
    const ptrdiff_t far = deep ? 12 : 8; /* slots between a hint and the step */
    const ptrdiff_t near = deep ? 6 : 4;
    const union command_slot *const end = slots + count;
    for (const union command_slot *at = slots; at < end && at - slots < far; at++) {
        prefetch_far(e, &at->command, deep);
    }
    for (const union command_slot *at = slots; at < end && at - slots < near; at++) {
        prefetch_near(e, &at->command, deep);
    }
    for (const union command_slot *at = slots; at < end; at += at->command.head.slots) {
        __builtin_prefetch(at + LOOK_AHEAD);
        __builtin_prefetch((const char *)(at + LOOK_AHEAD) + COMMAND_SLOT_SIZE / 2);
        if (end - at > far) {
            prefetch_far(e, &at[far].command, deep);
        }
        if (end - at > near) {
            prefetch_near(e, &at[near].command, deep);
        }
        step(e, &at->command);
        CHECK(at->command.head.slots != 0);
    }
}

APART static void run_deep(struct engine *e, const union command_slot *slots, size_t count)
{
    run(e, slots, count, true);
}

APART static void run_small(struct engine *e, const union command_slot *slots, size_t count)
{
    run(e, slots, count, false);
}

void engine_run(struct engine *engine, const union command_slot *slots, size_t count,
                struct event_sink *sink)
{
    steps_begin(engine, sink);
    if (market_deep(engine)) {
        run_deep(engine, slots, count);
    } else {
        run_small(engine, slots, count);
    }
    steps_end(engine);
}

bool engine_has_work(const struct engine *engine)
{
    return housekeeping_due(engine) || job_due_waits(engine);
}

bool engine_wants_tick(const struct engine *engine)
{
    return auction_waits(engine);
}

uint64_t engine_seq(const struct engine *engine)
{
    return engine->s.seq;
}

int64_t engine_time_ns(const struct engine *engine)
{
    return engine->s.time_ns;
}
