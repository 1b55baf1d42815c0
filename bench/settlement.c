/* Settlement against a bare binary COPY of the same rows, in the same run: medians of 5 rounds, the
 * two taking turns. The floor sends rows that were encoded before its clock started, in one COPY a
 * table and one transaction, into tables without any index or constraint. Settlement starts from
 * events, encodes, keeps its keys and commits every 10,000 fills with its progress. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "settlement/pg.h"
#include "settlement/store.h"
#include "tests/settlement_market.h"
#include "wire/units.h"

#define FILLS            200000
#define BATCH_FILLS      10000
#define ROUNDS           5
#define URL_SIZE         256
#define COPY_HEADER_SIZE 19

struct copy_bytes {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

struct bench {
    char folder[64];
    bool started;
    struct event *events;
    size_t count;
    uint64_t fills;
    uint64_t rows;
    struct copy_bytes copies[ROWS_TABLE_COUNT];
};

static int cluster(struct bench *bench, const char *command)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "env -u KASHI_DATABASE_URL sql/cluster.sh %s %s >/dev/null",
                   command, bench->folder);
    return system(line) == 0 ? 0 : -1;
}

static void clean_up(struct bench *bench)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "rm -rf %s", bench->folder);
    if (bench->started && (cluster(bench, "remove") != 0 || system(line) != 0)) {
        (void)fprintf(stderr, "bench/settlement: %s was not removed\n", bench->folder);
    }
    for (int table = 0; table < ROWS_TABLE_COUNT; table++) {
        free(bench->copies[table].bytes);
    }
    free(bench->events);
}

static _Noreturn void give_up(struct bench *bench, const char *what)
{
    (void)fprintf(stderr, "bench/settlement: %s\n", what);
    clean_up(bench);
    exit(1);
}

static void make_events(struct bench *bench)
{
    struct settlement_market market;
    /* A trade is a command of four events here, the registry is small. */
    bench->events = malloc(((size_t)FILLS * 4 + 1000) * sizeof(*bench->events));
    if (bench->events == NULL) {
        give_up(bench, "no memory for the events");
    }
    settlement_market_init(&market, 1);
    while (market.fills < FILLS) {
        struct event *next = &bench->events[bench->count];
        bench->count += market.seq < MARKET_SETUP_COMMANDS ? settlement_market_next(&market, next)
                                                           : settlement_market_trade(&market, next);
    }
    bench->fills = market.fills;
}

static void append(struct bench *bench, struct copy_bytes *copy, const uint8_t *bytes, size_t size)
{
    if (copy->size + size > copy->capacity) {
        copy->capacity = (copy->size + size) * 2;
        uint8_t *larger = realloc(copy->bytes, copy->capacity);
        if (larger == NULL) {
            give_up(bench, "no memory for the rows");
        }
        copy->bytes = larger;
    }
    memcpy(copy->bytes + copy->size, bytes, size);
    copy->size += size;
}

/* One COPY a table: the first header, every row, one trailer. */
static void encode(struct bench *bench)
{
    static struct rows rows;
    static uint8_t memory[ROWS_MEMORY_SIZE];
    static const uint8_t trailer[2] = {0xff, 0xff};
    rows_init(&rows, memory);
    for (size_t i = 0; i <= bench->count; i++) {
        if (i == bench->count || !rows_room(&rows)) {
            for (int table = 0; table < ROWS_TABLE_COUNT; table++) {
                const struct rows_buffer *buffer = &rows.tables[table];
                struct copy_bytes *copy = &bench->copies[table];
                size_t from = copy->size == 0 ? 0 : COPY_HEADER_SIZE;
                if (buffer->count > 0) {
                    append(bench, copy, buffer->bytes + from, buffer->size - from);
                    bench->rows += buffer->count;
                }
            }
            rows_clear(&rows);
        }
        if (i < bench->count && rows_add(&rows, &bench->events[i]) != ROWS_OK) {
            give_up(bench, "the events are no tape");
        }
    }
    for (int table = 0; table < ROWS_TABLE_COUNT; table++) {
        if (bench->copies[table].size > 0) {
            append(bench, &bench->copies[table], trailer, sizeof(trailer));
        }
    }
}

static void url_of(const struct bench *bench, const char *database, char url[URL_SIZE])
{
    (void)snprintf(url, URL_SIZE, "postgresql://kashi@/%s?host=%s/postgres&port=5432", database,
                   bench->folder);
}

/* A new database for each round, so that none finds pages that another has left. */
static void make_database(struct bench *bench)
{
    char url[URL_SIZE];
    struct error error = {0};
    struct pg *pg = NULL;
    url_of(bench, "kashi", url);
    if (pg_open(&pg, url, &error) < 0 || pg_run(pg, "DROP DATABASE IF EXISTS round", &error) < 0 ||
        pg_run(pg, "CREATE DATABASE round", &error) < 0 || pg_run(pg, "CHECKPOINT", &error) < 0) {
        pg_close(pg);
        give_up(bench, error.text);
    }
    pg_close(pg);
}

static double per_second(uint64_t fills, int64_t duration_ns)
{
    return (double)fills * 1e9 / (double)duration_ns;
}

static double round_of_copy(struct bench *bench)
{
    char url[URL_SIZE];
    char bare[128];
    struct error error = {0};
    struct store store;
    struct pg *pg = NULL;
    make_database(bench);
    url_of(bench, "round", url);
    if (store_open(&store, url, &error) < 0) { /* the schema; the bare tables are like its own */
        give_up(bench, error.text);
    }
    store_close(&store);
    int rc = pg_open(&pg, url, &error);
    rc = rc < 0 ? rc
                : pg_run(pg,
                         "CREATE TEMP TABLE names AS SELECT c.relname FROM pg_class c JOIN "
                         "pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'kashi' AND "
                         "relkind = 'r'; ALTER SCHEMA kashi RENAME TO real; CREATE SCHEMA kashi; "
                         "DO $$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM names LOOP "
                         "EXECUTE format('CREATE TABLE kashi.%I (LIKE real.%I)', t, t); END LOOP; "
                         "END $$; CHECKPOINT",
                         &error);
    int64_t begun_ns = clock_monotonic_ns();
    rc = rc < 0 ? rc : pg_run(pg, "BEGIN", &error);
    for (enum rows_table table = 0; rc == 0 && table < ROWS_TABLE_COUNT; table++) {
        const struct copy_bytes *copy = &bench->copies[table];
        if (copy->size > 0) {
            rc = pg_copy(pg, rows_copy_statement(table), copy->bytes, copy->size, &error);
        }
    }
    rc = rc < 0 ? rc : pg_run(pg, "COMMIT", &error);
    int64_t duration_ns = clock_monotonic_ns() - begun_ns;
    pg_close(pg);
    if (rc < 0) {
        (void)snprintf(bare, sizeof(bare), "%.120s", error.text);
        give_up(bench, bare);
    }
    return per_second(bench->fills, duration_ns);
}

static double round_of_settlement(struct bench *bench)
{
    char url[URL_SIZE];
    struct error error = {0};
    struct store store;
    make_database(bench);
    url_of(bench, "round", url);
    if (store_open(&store, url, &error) < 0 || pg_run(store.pg,
                                                      "RESET ROLE; CHECKPOINT; "
                                                      "SET ROLE kashi_settlement",
                                                      &error) < 0) {
        give_up(bench, error.text);
    }
    int rc = 0;
    int64_t begun_ns = clock_monotonic_ns();
    for (size_t i = 0; rc == 0 && i < bench->count; i++) {
        rc = store_add(&store, &bench->events[i], &error);
        uint64_t fills = store.counts.fills + store.rows.tables[ROWS_FILLS].count;
        bool last = i + 1 == bench->count;
        if (rc == 0 && ledger_between_commands(&store.place) && (last || fills >= BATCH_FILLS)) {
            rc = store_commit(&store, &error);
        }
    }
    int64_t duration_ns = clock_monotonic_ns() - begun_ns;
    store_close(&store);
    if (rc < 0) {
        give_up(bench, error.text);
    }
    return per_second(bench->fills, duration_ns);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof(values[0]), by_size);
    return values[ROUNDS / 2];
}

int main(void)
{
    struct bench bench = {.folder = "/tmp/kashi-bench-XXXXXX"};
    double copy[ROUNDS];
    double settlement[ROUNDS];
    if (mkdtemp(bench.folder) == NULL || chmod(bench.folder, 0711) != 0) {
        give_up(&bench, "no folder under /tmp");
    }
    bench.started = true;
    if (cluster(&bench, "start") != 0) {
        give_up(&bench, "the database does not start");
    }
    make_events(&bench);
    encode(&bench);
    for (int i = 0; i < ROUNDS; i++) {
        copy[i] = round_of_copy(&bench);
        settlement[i] = round_of_settlement(&bench);
    }
    double floor = median(copy);
    double reached = median(settlement);
    (void)printf("settlement: %d fills, %.1f rows a fill, medians of %d\n", FILLS,
                 (double)bench.rows / FILLS, ROUNDS);
    (void)printf("  bare binary COPY of the rows  %9.0f fills/s\n", floor);
    (void)printf("  settlement                    %9.0f fills/s\n", reached);
    (void)printf("  ratio                         %9.2f   (to reach: 0.60)\n", reached / floor);
    clean_up(&bench);
    return 0;
}
