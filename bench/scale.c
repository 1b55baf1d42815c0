/* How the cost of a command and the memory of an order grow with the number of books and of resting
 * orders: from one book to 200,000 live ladder hours, from 10,000 orders to 10 million. The commands
 * of each cell are made once while an engine steps over them, so that they name orders that live, then
 * stepped over again by fresh engines, as the exchange steps over its journal. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/check.h"
#include "base/random.h"
#include "bench/market.h"

enum {
    RUNS = 5,
    COMMANDS = 2000000,
    TRADERS = 8, /* of each side and region */
    HOURS = 800, /* instruments of a region */
    REGIONS_MAX = 256,
    SINK = 256,
    BATCH = 500,   /* commands that are stepped in a row; COMMANDS are a multiple */
    RECENT = 1024, /* orders entered last, among which most cancels choose */
};
#define SEED 42

struct cell {
    uint32_t books;
    uint32_t orders;
};

struct live {
    uint64_t order_id;
    uint32_t key;
};

/* What makes the commands: which orders live. */
struct maker {
    struct random random;
    struct live *live;
    uint32_t *place; /* in `live`, by slot; 0 none */
    uint32_t count;  /* live[1 .. count] */
    uint64_t recent[RECENT];
    uint32_t entered;
    const struct cell *cell;
    uint32_t *rank_of_popularity; /* Zipf: draws to books */
    uint32_t draws;
};

static struct market market;
static struct maker maker;
static uint64_t trades;
static uint64_t last_order_id; /* of the last NEW */

static uint32_t regions_of(uint32_t books)
{
    return (books + HOURS - 1) / HOURS;
}

/* Keys and accounts 2 ..: for each region TRADERS buyers, then TRADERS sellers. */
static uint32_t key_of(uint32_t region, uint32_t trader, uint8_t side)
{
    return 2 + (region * 2 + side) * TRADERS + trader;
}

static uint32_t resource_of(uint32_t region, uint32_t trader)
{
    return 1 + region * TRADERS + trader;
}

/* --- the market ----------------------------------------------------------------------------- */

static void forget(uint64_t order_id)
{
    uint32_t place = maker.place != NULL ? maker.place[(uint32_t)order_id] : 0;
    if (place != 0) {
        struct live last = maker.live[maker.count--];
        maker.live[place] = last;
        maker.place[(uint32_t)last.order_id] = place;
        maker.place[(uint32_t)order_id] = 0;
    }
}

static void take_events(struct event_sink *sink)
{
    for (uint32_t i = 0; i < sink->count; i++) {
        const struct event *e = &sink->events[i];
        if (e->head.type == EVENT_NEW) {
            last_order_id = e->new_order.order_id;
        } else if (e->head.type == EVENT_TRADE) {
            trades++;
        } else if (e->head.type == EVENT_FILL && e->fill.leaves_qty == 0) {
            forget(e->fill.order_id);
        } else if (e->head.type == EVENT_CANCELED) {
            forget(e->out.order_id);
        } else if (e->head.type == EVENT_REJECTED) {
            fprintf(stderr, "bench: refused: %s\n", reason_name(e->rejected.reason));
            exit(1);
        }
    }
    sink->count = 0;
}

static void open_region(uint32_t region)
{
    market_region(&market, (uint16_t)region);
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (uint32_t trader = 0; trader < TRADERS; trader++) {
            uint32_t id = key_of(region, trader, side);
            market_trader(&market, id, side == SIDE_SELL ? ROLE_PROVIDER : ROLE_BUYER);
            if (side == SIDE_SELL) {
                market_resource(&market, id, (uint16_t)region, TIER_G0);
            }
        }
    }
}

static void open_cell(const struct cell *cell)
{
    uint32_t regions = regions_of(cell->books);
    struct engine_config config;
    engine_config_default(&config);
    config.orders = cell->orders + cell->orders / 8 + 100000;
    config.ladders = cell->books + 64;
    config.fills = config.holdings = 1u << 20;
    config.timers = 64;
    config.accounts = config.keys = regions * 2 * TRADERS + 1;
    config.resources = regions * TRADERS;
    config.groups = 8;
    config.markets = regions;
    market_begin(&market, &config, take_events, SINK);
    trades = 0;
    for (uint32_t region = 0; region < regions; region++) {
        open_region(region);
    }
}

/* --- the commands --------------------------------------------------------------------------- */

/* Distance from the middle: P(d >= 2^j) = 2^(-0.6 j), as in the standard flow. */
static uint32_t distance(struct random *random)
{
    uint32_t octave = 0;
    while (octave < 10 && random_below(random, 1000) < 660) {
        octave++;
    }
    return (1u << octave) + (uint32_t)random_below(random, UINT64_C(1) << octave);
}

static void make_new(struct command *c, uint32_t book, uint8_t side, uint32_t off)
{
    struct random *random = &maker.random;
    uint32_t region = book / HOURS;
    uint32_t trader = (uint32_t)random_below(random, TRADERS);
    int64_t away = side == SIDE_SELL ? (int64_t)off : -(int64_t)off;
    c->head.type = COMMAND_NEW_ORDER;
    c->head.key = key_of(region, trader, side);
    c->new_order = (struct command_new_order){
        .contract =
            contract_pack(0, (uint16_t)region, TIER_G0, MARKET_START_HOUR + 2 + book % HOURS),
        .price_e4 = MARKET_MID_E4 + away,
        .qty = random_between(random, 1, 20),
        .resource = side == SIDE_SELL ? resource_of(region, trader) : 0,
        .side = side,
    };
}

static void make_head(struct command *c)
{
    c->head.time_ns = MARKET_START_NS;
    c->head.session = 1;
    c->head.slots = 1;
    c->head.cl_ord_id = market.seq + 1;
}

static void enter(uint32_t key)
{
    maker.live[++maker.count] = (struct live){last_order_id, key};
    maker.place[(uint32_t)last_order_id] = maker.count;
    maker.recent[maker.entered++ % RECENT] = last_order_id;
}

/* The same for each engine of a cell: the books filled in turn. */
static void preload(const struct cell *cell)
{
    random_seed(&maker.random, SEED);
    for (uint32_t i = 0; i < cell->orders; i++) {
        struct command c = {0};
        make_new(&c, i % cell->books, (uint8_t)(i / cell->books % 2), distance(&maker.random));
        make_head(&c);
        market_step(&market, &c);
        if (maker.live != NULL) {
            enter(c.head.key);
        }
    }
}

/* Popularity falls as 1 / rank, as in the standard flow; ranks are spread over the regions. */
static uint32_t popular_book(void)
{
    uint32_t books = maker.cell->books;
    uint32_t draw = maker.rank_of_popularity[random_below(&maker.random, maker.draws)];
    return (uint32_t)((uint64_t)draw * 7919 % books);
}

static void make_popularity(void)
{
    double sum = 0;
    for (uint32_t rank = 1; rank <= maker.cell->books; rank++) {
        sum += 1.0 / rank;
    }
    maker.draws = 0;
    for (uint32_t rank = 1; rank <= maker.cell->books; rank++) {
        uint32_t share = 1 + (uint32_t)(4.0 * maker.cell->books / (rank * sum));
        for (uint32_t i = 0; i < share; i++) {
            maker.rank_of_popularity[maker.draws++] = rank - 1;
        }
    }
}

/* 65 % among the latest, as in the standard flow, else any. */
static struct live pick_live(void)
{
    struct random *random = &maker.random;
    uint64_t recent = maker.recent[random_below(random, RECENT)];
    uint32_t place = random_below(random, 100) < 65 ? maker.place[(uint32_t)recent] : 0;
    return maker.live[place != 0 ? place : 1 + random_below(random, maker.count)];
}

static void make_command(struct command *c)
{
    struct random *random = &maker.random;
    uint32_t kind = (uint32_t)random_below(random, 1000);
    uint8_t side = (uint8_t)random_below(random, 2);
    if (kind < 470 && maker.count > 0) {
        struct live target = pick_live();
        c->head.type = COMMAND_CANCEL_ORDER;
        c->head.key = target.key;
        c->cancel_order.order_id = target.order_id;
    } else if (kind < 530) {
        make_new(c, popular_book(), side, 0);
        c->new_order.price_e4 = side == SIDE_BUY ? MARKET_MID_E4 + 2048 : MARKET_MID_E4 - 2048;
        c->new_order.tif = TIF_IOC;
    } else {
        make_new(c, popular_book(), side, distance(random));
    }
}

static struct command *record(const struct cell *cell)
{
    uint32_t slots = cell->orders + cell->orders / 8 + 100001;
    maker.cell = cell;
    maker.live = malloc((slots + 1) * sizeof(maker.live[0]));
    maker.place = calloc(slots + 1, sizeof(maker.place[0]));
    maker.rank_of_popularity = malloc((6u * cell->books + 64) * sizeof(uint32_t));
    struct command *commands = calloc(COMMANDS, sizeof(*commands));
    CHECK(maker.live && maker.place && maker.rank_of_popularity && commands);
    maker.count = 0;
    make_popularity();
    open_cell(cell);
    preload(cell);
    for (uint32_t i = 0; i < COMMANDS; i++) {
        make_command(&commands[i]);
        make_head(&commands[i]);
        market_step(&market, &commands[i]);
        if (commands[i].head.type == COMMAND_NEW_ORDER && commands[i].new_order.tif == TIF_GATE) {
            enter(commands[i].head.key);
        }
    }
    market_end(&market);
    free(maker.live);
    free(maker.place);
    free(maker.rank_of_popularity);
    maker.live = NULL;
    maker.place = NULL;
    return commands;
}

/* --- runs ------------------------------------------------------------------------------------ */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct result {
    double ns; /* a command */
    double bytes;
    uint64_t trades;
};

static struct result replay(const struct cell *cell, const struct command *commands)
{
    open_cell(cell);
    preload(cell);
    struct engine_counts counts;
    engine_counts(market.engine, &counts);
    struct result result = {.bytes = (double)counts.index_bytes / (double)counts.orders};
    CHECK(counts.orders == cell->orders && counts.ladders == cell->books);
    trades = 0;
    double begin = seconds();
    for (uint32_t done = 0; done < COMMANDS; done += BATCH) {
        engine_run(market.engine, (const union command_slot *)(const void *)(commands + done),
                   BATCH, &market.sink);
        take_events(&market.sink);
    }
    result.ns = (seconds() - begin) * 1e9 / COMMANDS;
    result.trades = trades;
    market_end(&market);
    return result;
}

static struct result measure(const struct cell *cell)
{
    struct command *commands = record(cell);
    struct result result;
    double ns[RUNS];
    for (int i = 0; i < RUNS; i++) {
        result = replay(cell, commands);
        ns[i] = result.ns;
    }
    result.ns = market_median(ns, RUNS);
    free(commands);
    return result;
}

int main(void)
{
    static const uint32_t books[] = {1, 256, 10000, 200000};
    static const uint32_t orders[] = {10000, 100000, 1000000, 10000000};
    static const struct cell standard = {256, 512000};
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(1, &cpu);
    if (sched_setaffinity(0, sizeof(cpu), &cpu) != 0) {
        printf("scale: not pinned, the machine has one processor\n");
    }
    printf("scale: %d commands a cell, all checks on, medians of %d runs\n", COMMANDS, RUNS);
    double base = measure(&standard).ns;
    printf("%9s  %9s  %9s  %9s  %6s  %12s\n", "books", "orders", "ns", "trades", "rate",
           "bytes/order");
    printf("%9u  %9u  %9.1f  %9s  %6.2f\n", standard.books, standard.orders, base, "", 1.0);
    for (size_t b = 0; b < sizeof(books) / sizeof(books[0]); b++) {
        for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
            struct cell cell = {books[b], orders[o]};
            if (cell.orders < 2 * cell.books) {
                continue; /* a book has both sides */
            }
            struct result r = measure(&cell);
            printf("%9u  %9u  %9.1f  %9lu  %6.2f  %12.1f\n", cell.books, cell.orders, r.ns,
                   (unsigned long)r.trades, base / r.ns, r.bytes);
            fflush(stdout);
        }
    }
    return 0;
}
