#include "bench/flow.h"

#include <stdbool.h>

#include "base/random.h"

struct generator;
static void live_remove(uint64_t id);
#define BARE_ON_TRADE(maker, taker, price, qty) ((void)(taker))
#define BARE_ON_FILLED(id)                      live_remove(id)
#include "bench/bare_book.h"

#define RING       128 /* most recent resting orders of an instrument, where most cancels go */
#define DEAD_RING  256
#define PRICE_LAST ((int64_t)BARE_PRICES - 2)

struct instrument {
    uint32_t mid, first_mid;
    uint64_t *live;
    uint32_t live_count;
    uint64_t ring[RING];
    uint32_t ring_next;
};

/* The generator follows the market that its own flow makes, in a bare book. */
struct generator {
    struct random random;
    struct bare book;
    struct instrument *instruments;
    uint32_t *place; /* of an id in live[] */
    uint16_t *instrument_of;
    uint8_t *side_of;
    uint32_t *price_of, *qty_of;
    uint64_t dead[DEAD_RING];
    uint32_t dead_next;
    uint64_t next_id;
    uint64_t time_ns;
    uint32_t burst;
};
static struct generator g;

/* --- randomness ---------------------------------------------------------------------------------- */

static uint64_t draw(void)
{
    return random_next(&g.random);
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(((draw() >> 32) * (uint64_t)n) >> 32);
}

/* Distance from the middle: P(d >= 2^j) = 2^(-0.6 j), even within an octave, 1 .. 2047. */
static uint32_t distance(void)
{
    uint32_t j = 0;
    while (j < 10 && (uint32_t)(draw() >> 32) < 2833621659u) {
        j++;
    }
    return (1u << j) + below(1u << j);
}

static uint32_t resting_lots(void)
{
    uint32_t r = below(100);
    if (r < 60) {
        return 1 + below(10);
    }
    if (r < 90) {
        return 10 * (1 + below(10));
    }
    return r < 99 ? 100 * (1 + below(10)) : 1000 * (1 + below(5));
}

static uint32_t taking_lots(void)
{
    uint32_t r = below(100);
    if (r < 75) {
        return 1 + below(10);
    }
    return r < 97 ? 10 * (1 + below(10)) : 100 * (1 + below(10));
}

static uint32_t clamp_price(int64_t p)
{
    return p < 1 ? 1 : p > PRICE_LAST ? (uint32_t)PRICE_LAST : (uint32_t)p;
}

/* --- live orders ------------------------------------------------------------------------------ */

static void live_remove(uint64_t id)
{
    struct instrument *p = &g.instruments[g.instrument_of[id]];
    uint32_t k = g.place[id];
    uint64_t last = p->live[--p->live_count];
    p->live[k] = last;
    g.place[last] = k;
    g.dead[g.dead_next++ % DEAD_RING] = id;
}

static void live_add(uint64_t id)
{
    struct instrument *p = &g.instruments[g.instrument_of[id]];
    g.place[id] = p->live_count;
    p->live[p->live_count++] = id;
}

static bool resting(uint64_t id)
{
    return g.book.slot_of[id] != 0;
}

/* One of the recent resting orders, if one of four draws still rests; else any live one. */
static uint64_t pick_live(const struct instrument *p, bool recent)
{
    uint64_t id = 0;
    for (int t = 0; recent && t < 4 && id == 0; t++) {
        uint64_t drawn = p->ring[below(RING)];
        id = drawn != 0 && resting(drawn) ? drawn : 0;
    }
    return id != 0 ? id : p->live[below(p->live_count)];
}

static uint32_t new_order(struct flow_record *r)
{
    g.instrument_of[r->id] = r->instrument;
    g.side_of[r->id] = r->side;
    g.price_of[r->id] = r->price;
    g.qty_of[r->id] = r->qty;
    uint32_t limit = r->type == FLOW_MARKET ? (r->side ? 1u : BARE_PRICES - 1) : r->price;
    return bare_new(&g.book, r->instrument, r->type == FLOW_LIMIT, r->side, r->id, r->account,
                    limit, r->qty);
}

static bool no_best(const struct bare_side_pair *b, uint8_t side)
{
    return side == 0 ? b->best[1] == BARE_PRICES : b->best[0] == 0;
}

/* --- commands --------------------------------------------------------------------------------- */

/* The middle walks by one about every 64 commands, jumps at times, and is pulled to the book's. */
static void move_middle(struct instrument *p, const struct bare_side_pair *b)
{
    uint32_t up_below = 500u + (p->mid < p->first_mid ? 2 : 0) - (p->mid > p->first_mid ? 2 : 0);
    bool up = below(1000) < up_below;
    uint32_t step = below(400) == 0 ? 1 + below(12) : 1;
    p->mid = up ? p->mid + step : p->mid - step;
    if (b->best[0] != 0 && b->best[1] != BARE_PRICES) {
        uint32_t middle = (b->best[0] + b->best[1]) / 2;
        if (middle > p->mid + 2) {
            p->mid++;
        } else if (middle + 2 < p->mid) {
            p->mid--;
        }
    }
    if (p->mid < p->first_mid - 20000) {
        p->mid = p->first_mid - 20000;
    }
    if (p->mid > p->first_mid + 20000) {
        p->mid = p->first_mid + 20000;
    }
}

static int64_t from_middle(const struct instrument *p, uint8_t side)
{
    uint32_t d = distance();
    return side ? (int64_t)p->mid + d : (int64_t)p->mid - d;
}

static void make_limit(struct flow_record *r, struct instrument *p, const struct bare_side_pair *b)
{
    r->type = FLOW_LIMIT;
    r->side = (uint8_t)(draw() >> 63);
    r->account = 1 + below(FLOW_ACCOUNTS);
    r->id = ++g.next_id;
    r->qty = resting_lots();
    int64_t price;
    if (below(100) < 6) {
        r->qty = taking_lots();
        uint32_t best = b->best[r->side ^ 1];
        price = no_best(b, r->side) ? p->mid
                : r->side           ? (int64_t)best - below(4)
                                    : (int64_t)best + below(4);
    } else {
        price = from_middle(p, r->side);
        /* Most are priced off the touch when the middle has moved through it. */
        if (below(100) < 96) {
            int64_t best = b->best[r->side ^ 1];
            if (r->side == 0 && best != BARE_PRICES && price >= best) {
                price = best - 1;
            }
            if (r->side != 0 && best != 0 && price <= best) {
                price = best + 1;
            }
        }
    }
    r->price = clamp_price(price);
    if (new_order(r) != 0) {
        live_add(r->id);
        p->ring[p->ring_next++ % RING] = r->id;
    }
}

static void make_cancel(struct flow_record *r, struct instrument *p)
{
    r->type = FLOW_CANCEL;
    uint64_t id;
    if (below(100) == 0) {
        id = g.dead[below(DEAD_RING)];
        if (id == 0) {
            id = p->live[below(p->live_count)];
        }
    } else {
        id = pick_live(p, below(100) < 65);
    }
    r->id = id;
    r->instrument = g.instrument_of[id];
    r->side = g.side_of[id];
    if (bare_cancel(&g.book, id)) {
        live_remove(id);
    }
}

static void make_modify(struct flow_record *r, struct instrument *p)
{
    r->type = FLOW_MODIFY;
    uint64_t id = pick_live(p, true);
    r->id = id;
    r->side = g.side_of[id];
    int64_t price = g.price_of[id];
    uint32_t w = below(10);
    if (w < 8) {
        price += draw() >> 63 ? 1 : -1;
    } else {
        price = from_middle(p, r->side);
    }
    r->price = clamp_price(price);
    r->qty = w < 5 ? g.qty_of[id] : resting_lots();
    g.price_of[id] = r->price;
    g.qty_of[id] = r->qty;
    live_remove(id);
    g.dead[(g.dead_next - 1) % DEAD_RING] = 0;
    bare_modify(&g.book, id, r->price, r->qty);
    if (resting(id)) {
        live_add(id);
    }
}

static void make_immediate(struct flow_record *r, const struct instrument *p,
                           const struct bare_side_pair *b, uint8_t type)
{
    r->type = type;
    r->side = (uint8_t)(draw() >> 63);
    r->account = 1 + below(FLOW_ACCOUNTS);
    r->id = ++g.next_id;
    r->qty = taking_lots();
    if (type == FLOW_IOC) {
        int64_t best = b->best[r->side ^ 1];
        int64_t price = p->mid;
        if (!no_best(b, r->side)) {
            int64_t off = below(3);
            int64_t back = below(4) == 0;
            price = r->side ? best - off + back : best + off - back;
        }
        r->price = clamp_price(price);
    }
    new_order(r);
}

static void make_command(struct flow_record *r, uint16_t instrument, uint32_t depth)
{
    struct instrument *p = &g.instruments[instrument];
    const struct bare_side_pair *b = &g.book.books[instrument];
    if (g.burst != 0) {
        g.burst--;
    } else if (below(1000000) < 2000) {
        g.burst = 50 + below(400);
    }
    g.time_ns += g.burst != 0 ? 20 + below(160) : 200 + below(2400);
    if (below(64) == 0) {
        move_middle(p, b);
    }
    *r = (struct flow_record){.instrument = instrument, .time_ns = g.time_ns};
    int64_t target = 2 * (int64_t)depth;
    int64_t shift = (target - (int64_t)p->live_count) * 200 / target;
    shift = shift > 100 ? 100 : shift < -100 ? -100 : shift;
    uint32_t u = below(1000);
    if (p->live_count < 8) {
        u = 0;
    }
    if (u < (uint32_t)(500 + shift)) {
        make_limit(r, p, b);
    } else if (u < 950) {
        make_cancel(r, p);
    } else if (u < 975) {
        make_modify(r, p);
    } else {
        make_immediate(r, p, b, u < 995 ? FLOW_IOC : FLOW_MARKET);
    }
}

/* Non-crossing resting orders, round robin over the instruments. */
static void make_preload(struct flow *flow)
{
    for (uint64_t i = 0; i < flow->preload; i++) {
        uint16_t q = (uint16_t)(i % flow->instruments);
        uint8_t side = (i / flow->instruments) & 1;
        struct instrument *p = &g.instruments[q];
        uint32_t d = distance();
        struct flow_record *r = &flow->records[i];
        *r = (struct flow_record){.type = FLOW_LIMIT, .side = side, .instrument = q};
        r->account = 1 + below(FLOW_ACCOUNTS);
        r->id = ++g.next_id;
        r->price = clamp_price(side ? (int64_t)p->mid + d : (int64_t)p->mid - d);
        r->qty = resting_lots();
        if (new_order(r) != 0) {
            live_add(r->id);
        }
    }
}

/* Zipf: the first instrument is drawn k times as often as the k-th. */
static void make_commands(struct flow *flow, uint32_t depth)
{
    uint64_t *weights = bare_map(flow->instruments * sizeof(uint64_t));
    uint64_t total = 0;
    for (uint32_t i = 0; i < flow->instruments; i++) {
        total += UINT64_C(1000000000) / (i + 1);
        weights[i] = total;
    }
    for (uint64_t i = flow->preload; i < flow->count; i++) {
        __extension__ typedef unsigned __int128 wide;
        uint64_t z = (uint64_t)(((wide)draw() * total) >> 64);
        uint32_t low = 0;
        uint32_t high = flow->instruments - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (weights[middle] > z) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        make_command(&flow->records[i], (uint16_t)low, depth);
    }
    munmap(weights, flow->instruments * sizeof(uint64_t));
}

void flow_make(struct flow *flow, uint32_t instruments, uint64_t commands, uint32_t depth,
               uint64_t seed)
{
    g = (struct generator){0};
    random_seed(&g.random, seed);
    flow->instruments = instruments;
    flow->preload = (uint64_t)instruments * depth * 2;
    flow->count = commands + flow->preload;
    uint64_t ids = flow->count + 2;
    bare_init(&g.book, instruments, ids, (uint32_t)flow->count);
    g.instruments = bare_map(instruments * sizeof(struct instrument));
    g.place = bare_map(ids * sizeof(uint32_t));
    g.instrument_of = bare_map(ids * sizeof(uint16_t));
    g.side_of = bare_map(ids);
    g.price_of = bare_map(ids * sizeof(uint32_t));
    g.qty_of = bare_map(ids * sizeof(uint32_t));
    size_t live_size = ((size_t)depth * 8 + 1024) * sizeof(uint64_t);
    for (uint32_t i = 0; i < instruments; i++) {
        g.instruments[i].mid = g.instruments[i].first_mid = 30000 + (i * 977u) % 60000u;
        g.instruments[i].live = bare_map(live_size);
    }
    flow->records = bare_map((flow->count + 64) * sizeof(struct flow_record));
    make_preload(flow);
    make_commands(flow, depth);
    flow->max_id = g.next_id;
    flow->fnv = FLOW_HASH_BASE;
    for (uint64_t i = 0; i < flow->count * 4; i++) {
        uint64_t word;
        memcpy(&word, (const unsigned char *)flow->records + i * 8, 8);
        flow->fnv = (flow->fnv ^ word) * FLOW_HASH_STEP;
    }
    for (uint32_t i = 0; i < instruments; i++) {
        munmap(g.instruments[i].live, live_size);
    }
    munmap(g.instruments, instruments * sizeof(struct instrument));
    munmap(g.place, ids * sizeof(uint32_t));
    munmap(g.instrument_of, ids * sizeof(uint16_t));
    munmap(g.side_of, ids);
    munmap(g.price_of, ids * sizeof(uint32_t));
    munmap(g.qty_of, ids * sizeof(uint32_t));
    bare_free(&g.book, instruments, ids);
}

void flow_free(struct flow *flow)
{
    munmap(flow->records, (flow->count + 64) * sizeof(struct flow_record));
    *flow = (struct flow){0};
}
