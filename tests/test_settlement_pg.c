/* Settlement against a real PostgreSQL: a private cluster for the whole suite, a database for each
 * test. KASHI_TEST_CLUSTER names the folder of the cluster to the tests. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "settlement/migrate.h"
#include "settlement/pg.h"
#include "settlement/store.h"
#include "tests/settlement_market.h"
#include "tests/settlement_proxy.h"
#include "wire/frame.h"
#include "wire/units.h"

#define URL_SIZE  512
#define TEXT_SIZE 65536

/* --- the cluster, once ------------------------------------------------------------------------ */

static char cluster_folder[64];

static int cluster(const char *command)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "unset KASHI_DATABASE_URL; sql/cluster.sh %s %s >&2",
                   command, cluster_folder);
    return system(line);
}

static void remove_cluster(void)
{
    char line[128];
    if (cluster("remove") != 0) {
        (void)fprintf(stderr, "the cluster in %s was not removed\n", cluster_folder);
    }
    (void)snprintf(line, sizeof(line), "rm -rf %s", cluster_folder);
    if (system(line) != 0) {
        (void)fprintf(stderr, "%s was not removed\n", cluster_folder);
    }
}

static void interrupted(int number)
{
    remove_cluster();
    _exit(128 + number);
}

int main(int argc, char **argv)
{
    (void)snprintf(cluster_folder, sizeof(cluster_folder), "/tmp/kashi-test-XXXXXX");
    if (mkdtemp(cluster_folder) == NULL || chmod(cluster_folder, 0711) != 0 ||
        cluster("start") != 0) {
        (void)fprintf(stderr, "no cluster in %s\n", cluster_folder);
        return 1;
    }
    (void)setenv("KASHI_TEST_CLUSTER", cluster_folder, 1);
    (void)signal(SIGTERM, interrupted);
    (void)signal(SIGINT, interrupted);
    struct criterion_test_set *tests = criterion_initialize();
    int failed = 0;
    if (criterion_handle_args(argc, argv, true)) {
        failed = !criterion_run_all_tests(tests);
    }
    criterion_finalize(tests);
    remove_cluster();
    return failed;
}

/* --- a database for a test -------------------------------------------------------------------- */

struct base {
    char folder[128]; /* of the cluster's socket */
    char name[64];
    char url[URL_SIZE];
    struct pg *pg; /* as the owner */
};

static void url_of(char url[URL_SIZE], const char *folder, const char *name)
{
    (void)snprintf(url, URL_SIZE, "postgresql://kashi@/%s?host=%s&port=5432", name, folder);
}

static void owner_runs(struct pg *pg, const char *statements)
{
    struct error error = {0};
    cr_assert_eq(pg_run(pg, statements, &error), 0, "%s: %s", statements, error.text);
}

static int64_t number_of(struct pg *pg, const char *query)
{
    struct error error = {0};
    struct pg_rows *rows;
    cr_assert_eq(pg_query(pg, query, NULL, &rows, &error), 0, "%s: %s", query, error.text);
    int64_t number = pg_rows_int(rows, 0, 0);
    pg_rows_free(rows);
    return number;
}

static void text_of(struct pg *pg, const char *query, char text[128])
{
    struct error error = {0};
    struct pg_rows *rows;
    cr_assert_eq(pg_query(pg, query, NULL, &rows, &error), 0, "%s: %s", query, error.text);
    (void)snprintf(text, 128, "%s", pg_rows_text(rows, 0, 0));
    pg_rows_free(rows);
}

static void base_make(struct base *base, const char *suffix)
{
    char admin[URL_SIZE];
    char statement[128];
    struct error error = {0};
    struct pg *pg;
    (void)snprintf(base->folder, sizeof(base->folder), "%s/postgres", getenv("KASHI_TEST_CLUSTER"));
    (void)snprintf(base->name, sizeof(base->name), "test_%d_%s", (int)getpid(), suffix);
    url_of(admin, base->folder, "kashi");
    cr_assert_eq(pg_open(&pg, admin, &error), 0, "%s", error.text);
    (void)snprintf(statement, sizeof(statement), "CREATE DATABASE %s TEMPLATE template0",
                   base->name);
    owner_runs(pg, statement);
    pg_close(pg);
    url_of(base->url, base->folder, base->name);
    cr_assert_eq(pg_open(&base->pg, base->url, &error), 0, "%s", error.text);
}

static void base_migrate(struct base *base)
{
    struct error error = {0};
    int applied;
    cr_assert_eq(migrate_run(base->pg, migrate_list, migrate_count, &applied, &error), 0, "%s",
                 error.text);
}

static void base_drop(struct base *base)
{
    char admin[URL_SIZE];
    char statement[128];
    struct error error = {0};
    struct pg *pg;
    pg_close(base->pg);
    url_of(admin, base->folder, "kashi");
    cr_assert_eq(pg_open(&pg, admin, &error), 0, "%s", error.text);
    (void)snprintf(statement, sizeof(statement), "DROP DATABASE %s WITH (FORCE)", base->name);
    owner_runs(pg, statement);
    pg_close(pg);
}

static void read_invariants(char text[TEXT_SIZE])
{
    FILE *file = fopen("sql/invariants.sql", "r");
    cr_assert_not_null(file);
    size_t size = fread(text, 1, TEXT_SIZE - 1, file);
    cr_assert(size > 0 && size < TEXT_SIZE - 1);
    text[size] = '\0';
    (void)fclose(file);
}

/* Whether the invariant named is broken; NULL: whether any is. */
static bool is_broken(struct pg *pg, const char *invariant, char first[256])
{
    char text[TEXT_SIZE];
    struct error error = {0};
    struct pg_rows *rows;
    bool found = false;
    read_invariants(text);
    cr_assert_eq(pg_query(pg, text, NULL, &rows, &error), 0, "%s", error.text);
    first[0] = '\0';
    for (int row = 0; row < pg_rows_count(rows); row++) {
        (void)snprintf(first, 256, "%s: %s: expected %s, found %s", pg_rows_text(rows, row, 0),
                       pg_rows_text(rows, row, 1), pg_rows_text(rows, row, 2),
                       pg_rows_text(rows, row, 3));
        if (invariant == NULL || strcmp(pg_rows_text(rows, row, 0), invariant) == 0) {
            found = true;
            break;
        }
    }
    pg_rows_free(rows);
    return found;
}

static void expect_sound(struct pg *pg)
{
    char first[256];
    cr_assert_not(is_broken(pg, NULL, first), "%s", first);
}

/* Everything that the ledger holds, as one text. */
static void digest(struct pg *pg, char text[128])
{
    text_of(pg,
            "SELECT md5(concat("
            "(SELECT string_agg(f::text, '' ORDER BY seq, index) FROM kashi.fills f),"
            "(SELECT string_agg(p::text, '' ORDER BY seq, index, line) FROM kashi.postings p),"
            "(SELECT string_agg(c::text, '' ORDER BY seq, index) FROM kashi.cash_movements c),"
            "(SELECT string_agg(r::text, '' ORDER BY resource) FROM kashi.resources r),"
            "(SELECT string_agg(a::text, '' ORDER BY account) FROM kashi.accounts a),"
            "(SELECT string_agg(c::text, '' ORDER BY class_id) FROM kashi.classes c),"
            "(SELECT string_agg(r::text, '' ORDER BY region_id) FROM kashi.regions r),"
            "(SELECT string_agg(p::text, '') FROM kashi.progress p)))",
            text);
}

/* --- a tape in memory ------------------------------------------------------------------------- */

#define TAPE_COMMANDS 2000
struct tape {
    struct event events[TAPE_COMMANDS * MARKET_EVENTS_MAX];
    uint32_t first[TAPE_COMMANDS + 2]; /* of each command, by its sequence */
    struct settlement_market market;
};
static struct tape tape;

static void tape_make(uint64_t seed)
{
    uint32_t count = 0;
    settlement_market_init(&tape.market, seed);
    for (uint32_t seq = 1; seq <= TAPE_COMMANDS; seq++) {
        tape.first[seq] = count;
        count += settlement_market_next(&tape.market, &tape.events[count]);
    }
    tape.first[TAPE_COMMANDS + 1] = count;
}

static int add_commands(struct store *store, uint64_t to_seq, struct error *error)
{
    for (uint32_t i = tape.first[store->place.seq + 1]; i < tape.first[to_seq + 1]; i++) {
        int rc = store_add(store, &tape.events[i], error);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static void apply_to(struct base *base, uint64_t to_seq, uint64_t batch)
{
    struct store store;
    struct error error = {0};
    cr_assert_eq(store_open(&store, base->url, &error), 0, "%s", error.text);
    while (store.place.seq < to_seq) {
        uint64_t end = store.place.seq + batch < to_seq ? store.place.seq + batch : to_seq;
        cr_assert_eq(add_commands(&store, end, &error), 0, "%s", error.text);
        cr_assert_eq(store_commit(&store, &error), 0, "%s", error.text);
    }
    store_close(&store);
}

/* --- migrations ------------------------------------------------------------------------------- */

Test(migrate, second_run_applies_nothing)
{
    struct base base;
    struct error error = {0};
    int applied;
    base_make(&base, "a");
    cr_assert_eq(migrate_run(base.pg, migrate_list, migrate_count, &applied, &error), 0, "%s",
                 error.text);
    cr_assert_eq(applied, (int)migrate_count);
    cr_assert_eq(migrate_run(base.pg, migrate_list, migrate_count, &applied, &error), 0);
    cr_assert_eq(applied, 0);
    expect_sound(base.pg);
    base_drop(&base);
}

Test(migrate, changed_old_migration_is_refused_and_nothing_is_done)
{
    struct base base;
    struct error error = {0};
    int applied;
    const struct migration first[] = {{1, "001_a", "CREATE TABLE kashi.a (x int)"}};
    const struct migration changed[] = {{1, "001_a", "CREATE TABLE kashi.a (y int)"},
                                        {2, "002_b", "CREATE TABLE kashi.b (x int)"}};
    base_make(&base, "a");
    cr_assert_eq(migrate_run(base.pg, first, 1, &applied, &error), 0);
    cr_assert_eq(migrate_run(base.pg, changed, 2, &applied, &error), ERROR_MISMATCH);
    cr_assert_not_null(strstr(error.text, "001_a"));
    cr_assert_eq(number_of(base.pg, "SELECT count(*) FROM pg_tables WHERE tablename = 'b'"), 0);
    base_drop(&base);
}

Test(migrate, failed_migration_leaves_nothing_behind)
{
    struct base base;
    struct error error = {0};
    int applied;
    const struct migration list[] = {{1, "001_a", "CREATE TABLE kashi.a (x int); SELECT 1 / 0"}};
    base_make(&base, "a");
    cr_assert_eq(migrate_run(base.pg, list, 1, &applied, &error), ERROR_IO);
    cr_assert_not_null(strstr(error.text, "001_a"));
    cr_assert_eq(number_of(base.pg, "SELECT count(*) FROM pg_tables WHERE tablename = 'a'"), 0);
    cr_assert_eq(number_of(base.pg, "SELECT count(*) FROM kashi.migrations"), 0);
    base_drop(&base);
}

Test(migrate, newer_database_is_refused)
{
    struct base base;
    struct error error = {0};
    int applied;
    base_make(&base, "a");
    base_migrate(&base);
    cr_assert_eq(migrate_run(base.pg, migrate_list, migrate_count - 1, &applied, &error),
                 ERROR_MISMATCH);
    base_drop(&base);
}

static void *migrate_thread(void *context)
{
    const struct base *base = context;
    struct error error = {0};
    struct pg *pg;
    int applied = -1;
    if (pg_open(&pg, base->url, &error) == 0) {
        if (migrate_run(pg, migrate_list, migrate_count, &applied, &error) < 0) {
            applied = -1;
        }
        pg_close(pg);
    }
    return (void *)(intptr_t)applied;
}

Test(migrate, processes_that_do_it_at_once_do_it_once)
{
    struct base base;
    pthread_t threads[4];
    intptr_t total = 0;
    base_make(&base, "a");
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, migrate_thread, &base), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *applied;
        cr_assert_eq(pthread_join(threads[i], &applied), 0);
        cr_assert_geq((intptr_t)applied, 0);
        total += (intptr_t)applied;
    }
    cr_assert_eq(total, (intptr_t)migrate_count);
    base_drop(&base);
}

Test(migrate, program_holds_every_numbered_file_of_sql)
{
    DIR *folder = opendir("sql");
    size_t files = 0;
    cr_assert_not_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (isdigit((unsigned char)entry->d_name[0])) {
            int number = atoi(entry->d_name);
            files++;
            cr_assert(number >= 1 && (size_t)number <= migrate_count, "%s", entry->d_name);
            const char *name = migrate_list[number - 1].name;
            cr_assert_eq(migrate_list[number - 1].number, number);
            cr_assert(strncmp(entry->d_name, name, strlen(name)) == 0, "%s", entry->d_name);
        }
    }
    (void)closedir(folder);
    cr_assert_eq(files, migrate_count);
}

/* --- roles ------------------------------------------------------------------------------------ */

static void expect_refused(struct pg *pg, const char *role, const char *statement)
{
    char text[512];
    struct error error = {0};
    (void)snprintf(text, sizeof(text), "BEGIN; SET LOCAL ROLE %s; %s", role, statement);
    int rc = pg_run(pg, text, &error);
    cr_assert_eq(rc, ERROR_IO, "%s may: %s", role, statement);
    cr_assert_not_null(strstr(error.text, "permission denied"), "%s: %s: %s", role, statement,
                       error.text);
    owner_runs(pg, "ROLLBACK");
}

static void expect_allowed(struct pg *pg, const char *role, const char *statement)
{
    char text[512];
    struct error error = {0};
    (void)snprintf(text, sizeof(text), "BEGIN; SET LOCAL ROLE %s; %s; ROLLBACK", role, statement);
    cr_assert_eq(pg_run(pg, text, &error), 0, "%s may not: %s: %s", role, statement, error.text);
}

static const char posting[] = "INSERT INTO kashi.postings (seq, amount, account, index, line, unit,"
                              " kind) VALUES (9, 1, 1, 0, 0, 1, 2)";
static const char value[] =
    "INSERT INTO kashi.index_values (class_id, region_id, tier, day, kind, level, price_e4, "
    "volume_qty, observations, parameter_version, trading_day, tape_seq, time_ns) "
    "VALUES (0, 0, 0, 20000, 'final', '1', 164000, 256, 12, 1, 20000, 1, 1)";

Test(roles, settlement_cannot_change_or_delete_what_it_wrote)
{
    static const char *const tables[] = {"postings", "fills",   "cash_movements", "genesis",
                                         "accounts", "classes", "resources",      "markets"};
    struct base base;
    char statement[256];
    base_make(&base, "a");
    base_migrate(&base);
    expect_allowed(base.pg, "kashi_settlement", posting);
    expect_allowed(base.pg, "kashi_settlement", "UPDATE kashi.progress SET last_seq = 1");
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        (void)snprintf(statement, sizeof(statement), "UPDATE kashi.%s SET seq = 1", tables[i]);
        expect_refused(base.pg, "kashi_settlement", statement);
        (void)snprintf(statement, sizeof(statement), "DELETE FROM kashi.%s", tables[i]);
        expect_refused(base.pg, "kashi_settlement", statement);
        (void)snprintf(statement, sizeof(statement), "TRUNCATE kashi.%s", tables[i]);
        expect_refused(base.pg, "kashi_settlement", statement);
    }
    expect_refused(base.pg, "kashi_settlement", "DELETE FROM kashi.progress");
    expect_refused(base.pg, "kashi_settlement", "UPDATE kashi.progress SET one = true");
    expect_refused(base.pg, "kashi_settlement", "UPDATE kashi.posting_kinds SET unit = 1");
    expect_refused(base.pg, "kashi_settlement", "DELETE FROM kashi.migrations");
    expect_refused(base.pg, "kashi_settlement", value);
    expect_refused(base.pg, "kashi_settlement", "CREATE TABLE kashi.other (x int)");
    base_drop(&base);
}

Test(roles, pricing_adds_index_values_and_nothing_else)
{
    struct base base;
    base_make(&base, "a");
    base_migrate(&base);
    expect_allowed(base.pg, "kashi_pricing", value);
    expect_allowed(base.pg, "kashi_pricing", "SELECT * FROM kashi.index_values");
    expect_refused(base.pg, "kashi_pricing", "UPDATE kashi.index_values SET price_e4 = 1");
    expect_refused(base.pg, "kashi_pricing", "DELETE FROM kashi.index_values");
    expect_refused(base.pg, "kashi_pricing", posting);
    expect_refused(base.pg, "kashi_pricing", "SELECT * FROM kashi.postings");
    expect_refused(base.pg, "kashi_pricing", "UPDATE kashi.progress SET last_seq = 1");
    base_drop(&base);
}

Test(roles, reader_reads_everything_and_writes_nothing)
{
    struct base base;
    char text[TEXT_SIZE];
    base_make(&base, "a");
    base_migrate(&base);
    expect_allowed(base.pg, "kashi_reader",
                   "SELECT * FROM kashi.account_balances, kashi.statement, kashi.ledger_sums, "
                   "kashi.fill_amounts, kashi.holdings, kashi.capacity_sold, kashi.index_values");
    expect_refused(base.pg, "kashi_reader", posting);
    expect_refused(base.pg, "kashi_reader", value);
    expect_refused(base.pg, "kashi_reader", "UPDATE kashi.progress SET last_seq = 1");
    expect_refused(base.pg, "kashi_reader", "DELETE FROM kashi.fills");
    owner_runs(base.pg, "SET ROLE kashi_reader");
    read_invariants(text);
    owner_runs(base.pg, text);
    base_drop(&base);
}

Test(roles, owner_cannot_change_the_ledger_by_mistake)
{
    static const char *const statements[] = {
        "UPDATE kashi.postings SET amount = 1",
        "DELETE FROM kashi.postings",
        "TRUNCATE kashi.postings",
        "DELETE FROM kashi.fills",
        "UPDATE kashi.index_values SET price_e4 = 1",
        "UPDATE kashi.cash_movements SET account = 1",
    };
    struct base base;
    base_make(&base, "a");
    base_migrate(&base);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        struct error error = {0};
        cr_assert_eq(pg_run(base.pg, statements[i], &error), ERROR_IO, "%s", statements[i]);
        cr_assert_not_null(strstr(error.text, "append-only"), "%s", error.text);
    }
    base_drop(&base);
}

/* --- the store -------------------------------------------------------------------------------- */

Test(store, balances_are_those_that_the_market_kept)
{
    struct base base;
    struct error error = {0};
    struct pg_rows *rows;
    tape_make(1);
    base_make(&base, "a");
    apply_to(&base, TAPE_COMMANDS, 100);
    expect_sound(base.pg);
    cr_assert_eq(number_of(base.pg, "SELECT count(*) FROM kashi.fills"),
                 (int64_t)tape.market.fills);
    cr_assert_eq(pg_query(base.pg,
                          "SELECT account, cash_e4, escrow_e4, bond_locked_e4 "
                          "FROM kashi.account_balances ORDER BY account",
                          NULL, &rows, &error),
                 0);
    cr_assert_eq(pg_rows_count(rows), MARKET_ACCOUNTS);
    for (int i = 0; i < MARKET_ACCOUNTS; i++) {
        cr_assert_eq(pg_rows_int(rows, i, 1), tape.market.cash_e4[i + 1]);
        cr_assert_eq(pg_rows_int(rows, i, 2), tape.market.escrow_e4[i + 1]);
        cr_assert_eq(pg_rows_int(rows, i, 3), tape.market.bond_e4[i + 1]);
    }
    pg_rows_free(rows);
    base_drop(&base);
}

Test(store, batches_of_any_size_make_the_same_ledger)
{
    struct base one;
    struct base two;
    char digests[2][128];
    tape_make(2);
    base_make(&one, "a");
    base_make(&two, "b");
    apply_to(&one, TAPE_COMMANDS, TAPE_COMMANDS);
    apply_to(&two, TAPE_COMMANDS, 17);
    digest(one.pg, digests[0]);
    digest(two.pg, digests[1]);
    cr_assert_str_eq(digests[0], digests[1]);
    base_drop(&one);
    base_drop(&two);
}

Test(store, batch_larger_than_the_buffers_is_still_one_transaction)
{
    struct base base;
    struct store store;
    struct error error = {0};
    struct settlement_market market;
    struct event events[MARKET_EVENTS_MAX];
    base_make(&base, "a");
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    settlement_market_init(&market, 3);
    while (market.fills < 30000) {
        uint32_t count = market.seq < MARKET_SETUP_COMMANDS
                             ? settlement_market_next(&market, events)
                             : settlement_market_trade(&market, events);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(store_add(&store, &events[i], &error), 0, "%s", error.text);
        }
    }
    cr_assert(store.in_transaction, "the buffers were full and have been sent");
    cr_assert_eq(number_of(base.pg, "SELECT count(*) FROM kashi.fills"), 0);
    cr_assert_eq(store_commit(&store, &error), 0, "%s", error.text);
    cr_assert_eq(number_of(base.pg, "SELECT count(*) FROM kashi.fills"), 30000);
    store_close(&store);
    expect_sound(base.pg);
    base_drop(&base);
}

Test(store, second_writer_is_refused_while_the_first_is_there)
{
    struct base base;
    struct store first;
    struct store second;
    struct error error = {0};
    base_make(&base, "a");
    cr_assert_eq(store_open(&first, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(store_open(&second, base.url, &error), ERROR_AGAIN);
    store_close(&first);
    /* The server ends the old session in its own time. */
    int64_t deadline_ns = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    int rc;
    do {
        rc = store_open(&second, base.url, &error);
    } while (rc == ERROR_AGAIN && clock_monotonic_ns() < deadline_ns);
    cr_assert_eq(rc, 0, "%s", error.text);
    store_close(&second);
    base_drop(&base);
}

Test(store, progress_that_another_has_moved_aborts_the_batch)
{
    struct base base;
    struct store store;
    struct error error = {0};
    tape_make(4);
    base_make(&base, "a");
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(add_commands(&store, 100, &error), 0);
    owner_runs(base.pg, "UPDATE kashi.progress SET last_seq = 7");
    cr_assert_eq(store_commit(&store, &error), ERROR_AGAIN);
    store_close(&store);
    cr_assert_eq(number_of(base.pg, "SELECT count(*) FROM kashi.postings"), 0);
    base_drop(&base);
}

Test(store, events_with_a_gap_are_refused)
{
    struct base base;
    struct store store;
    struct error error = {0};
    tape_make(5);
    base_make(&base, "a");
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(add_commands(&store, 10, &error), 0);
    cr_assert_eq(store_add(&store, &tape.events[tape.first[12]], &error), ERROR_CORRUPT);
    store_close(&store);
    base_drop(&base);
}

Test(store, database_of_another_market_is_refused)
{
    struct base base;
    struct store store;
    struct error error = {0};
    tape_make(6);
    base_make(&base, "a");
    apply_to(&base, 100, 100);
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(store_check_genesis(&store, &tape.events[0], &error), 0, "%s", error.text);
    struct event other = tape.events[0];
    other.genesis.operator_key[31] ^= 1;
    cr_assert_eq(store_check_genesis(&store, &other, &error), ERROR_MISMATCH);
    other = tape.events[0];
    other.head.time_ns++;
    cr_assert_eq(store_check_genesis(&store, &other, &error), ERROR_MISMATCH);
    cr_assert_eq(store_check_genesis(&store, &tape.events[1], &error), ERROR_CORRUPT);
    store_close(&store);
    base_drop(&base);
}

Test(store, url_that_is_none_and_server_that_is_none_are_told_apart)
{
    struct store store;
    struct error error = {0};
    cr_assert_eq(store_open(&store, "postgresql://[", &error), ERROR_INVALID);
    cr_assert_eq(store_open(&store, "host=/nonexistent dbname=x", &error), ERROR_LOST);
}

/* --- cut connections -------------------------------------------------------------------------- */

/* One try over the cut wire, then one that is not cut; what was committed in the first counts. */
static bool cut_once(struct proxy *proxy, const char *url, uint64_t to_seq, bool *answer_lost)
{
    struct store store;
    struct error error = {0};
    uint64_t before = 0;
    bool cut = true;
    int rc = store_open(&store, url, &error);
    if (rc == 0) {
        before = store.place.seq;
        rc = add_commands(&store, to_seq - 5, &error);
        if (rc == 0) {
            rc = store_commit(&store, &error);
        }
        if (rc == 0) {
            before = store.committed_seq;
            rc = add_commands(&store, to_seq, &error);
        }
        if (rc == 0) {
            rc = store_commit(&store, &error);
        }
        cut = rc != 0;
        store_close(&store);
    }
    proxy_cut(proxy, PROXY_NEVER, 0);
    int64_t deadline_ns = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    do {
        rc = store_open(&store, url, &error);
    } while (rc == ERROR_AGAIN && clock_monotonic_ns() < deadline_ns);
    cr_assert_eq(rc, 0, "%s", error.text);
    *answer_lost = cut && before != 0 && store.place.seq > before;
    cr_assert_eq(add_commands(&store, to_seq, &error), 0, "%s", error.text);
    cr_assert_eq(store_commit(&store, &error), 0, "%s", error.text);
    store_close(&store);
    return cut;
}

Test(cut, at_every_message_everything_arrives_exactly_once)
{
    struct base cut;
    struct base whole;
    struct proxy proxy;
    char url[URL_SIZE];
    char folder[] = "/tmp/kashi-proxy-XXXXXX";
    char digests[2][128];
    uint64_t to_seq = 40;
    int cuts = 0;
    int lost = 0;
    tape_make(7);
    base_make(&cut, "a");
    base_make(&whole, "b");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert(proxy_start(&proxy, folder, cut.folder));
    url_of(url, folder, cut.name);
    apply_to(&cut, to_seq, to_seq);
    for (enum proxy_cut how = PROXY_BEFORE; how <= PROXY_AFTER; how++) {
        bool was_cut = true;
        for (int at = 1; was_cut; at++) {
            bool answer_lost;
            to_seq += 10;
            cr_assert_leq(to_seq, TAPE_COMMANDS);
            proxy_cut(&proxy, how, at);
            was_cut = cut_once(&proxy, url, to_seq, &answer_lost);
            cuts += was_cut;
            lost += answer_lost;
            cr_assert_eq(number_of(cut.pg, "SELECT last_seq FROM kashi.progress"), (int64_t)to_seq);
        }
    }
    proxy_stop(&proxy);
    (void)rmdir(folder);
    expect_sound(cut.pg);
    apply_to(&whole, to_seq, 1000);
    digest(cut.pg, digests[0]);
    digest(whole.pg, digests[1]);
    cr_assert_str_eq(digests[0], digests[1]);
    cr_assert_gt(cuts, 60, "only %d cuts", cuts);
    cr_assert_geq(lost, 2, "both commits lost their answer once, not %d", lost);
    base_drop(&cut);
    base_drop(&whole);
}

/* --- invariants ------------------------------------------------------------------------------- */

struct corruption {
    const char *invariant;
    const char *statements;
};
/* Each breaks what the invariant guards; other invariants may see it too. */
static const struct corruption corruptions[] = {
    {"transaction_sums_to_zero",
     "UPDATE kashi.postings SET amount = amount + 1 WHERE (seq, index, line) = "
     "(SELECT seq, index, line FROM kashi.postings LIMIT 1)"},
    {"ledger_sums_to_zero", "DELETE FROM kashi.postings WHERE (seq, index, line) = "
                            "(SELECT seq, index, line FROM kashi.postings LIMIT 1)"},
    {"kind_has_its_unit", "UPDATE kashi.postings SET unit = 2 WHERE kind = 2"},
    {"kind_has_its_unit", "UPDATE kashi.postings SET kind = 9 WHERE kind = 4"},
    {"fill_stands_once",
     "INSERT INTO kashi.fills SELECT (f).* FROM (SELECT f FROM kashi.fills f LIMIT 1) AS one"},
    {"posting_stands_once", "INSERT INTO kashi.postings SELECT (p).* FROM (SELECT p FROM "
                            "kashi.postings p LIMIT 1) AS one"},
    {"postings_are_what_is_due", "DELETE FROM kashi.postings WHERE (seq, index) = "
                                 "(SELECT seq, index FROM kashi.fills LIMIT 1)"},
    {"postings_are_what_is_due", "DELETE FROM kashi.fills WHERE (seq, index) = "
                                 "(SELECT seq, index FROM kashi.fills LIMIT 1)"},
    {"postings_are_what_is_due",
     "UPDATE kashi.postings SET account = 4 WHERE kind = 3 AND account = 5"},
    {"postings_are_what_is_due", "UPDATE kashi.fills SET price_e4 = price_e4 + 1 WHERE "
                                 "(seq, index) = (SELECT seq, index FROM kashi.fills LIMIT 1)"},
    {"cash_is_what_the_exchange_said",
     "UPDATE kashi.cash_movements SET cash_e4 = cash_e4 + 1 WHERE seq = "
     "(SELECT max(seq) FROM kashi.cash_movements)"},
    {"balance_is_sum_of_moves", "DELETE FROM kashi.cash_movements WHERE seq = "
                                "(SELECT max(seq) FROM kashi.cash_movements)"},
    {"held_money_is_not_negative", "UPDATE kashi.postings SET amount = -amount WHERE kind = 3"},
    {"holding_is_not_negative",
     "UPDATE kashi.postings SET tier = (tier + 1) % 4 WHERE kind = 8 AND amount < 0"},
    {"capacity_is_sold_once", "UPDATE kashi.resources SET gpus = 8"},
    {"capacity_is_sold_once", "UPDATE kashi.resources SET account = 3 - account"},
    {"capacity_is_sold_once", "DELETE FROM kashi.resources"},
    {"holdings_are_what_was_sold", "UPDATE kashi.postings SET hour = hour + 1 WHERE kind = 8"},
    {"fill_fits_the_registry", "UPDATE kashi.fills SET symbol = 'H100' WHERE class_id = 0"},
    {"fill_fits_the_registry", "UPDATE kashi.classes SET name = 'H200' WHERE class_id = 0"},
    {"fill_fits_the_registry", "UPDATE kashi.resources SET region_id = 1 - region_id"},
    {"fill_fits_the_registry", "UPDATE kashi.fills SET contract = contract + 1"},
    {"progress_is_one_row", "DELETE FROM kashi.progress"},
    {"progress_fits_the_tables", "UPDATE kashi.progress SET last_seq = 20"},
    {"progress_fits_the_tables", "UPDATE kashi.progress SET fills = fills + 1"},
    {"progress_fits_the_tables", "UPDATE kashi.progress SET movements = movements - 1"},
    {"progress_fits_the_tables", "UPDATE kashi.progress SET postings = postings - 1"},
    {"genesis_is_known", "DELETE FROM kashi.genesis"},
    {"index_value_is_of_a_lane",
     "INSERT INTO kashi.index_values (class_id, region_id, tier, day, kind, level, price_e4, "
     "volume_qty, observations, parameter_version, trading_day, tape_seq, time_ns) "
     "VALUES (77, 0, 0, 20000, 'final', '1', 164000, 256, 12, 1, 20000, 1, 1)"},
};
#define CORRUPTIONS (sizeof(corruptions) / sizeof(corruptions[0]))

Test(invariants, each_sees_what_it_guards_against)
{
    struct base base;
    char first[256];
    tape_make(8);
    base_make(&base, "a");
    apply_to(&base, 300, 100);
    expect_sound(base.pg);
    for (size_t i = 0; i < CORRUPTIONS; i++) {
        owner_runs(base.pg, "BEGIN; SET LOCAL session_replication_role = replica;"
                            "ALTER TABLE kashi.fills DROP CONSTRAINT fills_pkey");
        owner_runs(base.pg, corruptions[i].statements);
        cr_assert(is_broken(base.pg, corruptions[i].invariant, first), "%s does not see: %s (%s)",
                  corruptions[i].invariant, corruptions[i].statements, first);
        owner_runs(base.pg, "ROLLBACK");
    }
    expect_sound(base.pg);
    base_drop(&base);
}

Test(invariants, none_is_without_a_corruption_that_it_sees)
{
    char text[TEXT_SIZE];
    int names = 0;
    read_invariants(text);
    for (const char *at = strstr(text, "\nSELECT '"); at != NULL; at = strstr(at, "\nSELECT '")) {
        char name[64];
        at += strlen("\nSELECT '");
        cr_assert_eq(sscanf(at, "%63[a-z_]", name), 1);
        bool known = false;
        for (size_t i = 0; i < CORRUPTIONS; i++) {
            known = known || strcmp(corruptions[i].invariant, name) == 0;
        }
        cr_assert(known, "%s", name);
        names++;
    }
    cr_assert_gt(names, 10);
}

/* --- the program ------------------------------------------------------------------------------ */

struct tape_server {
    pthread_t thread;
    void *context;
    void *socket;
    atomic_bool stop;
    atomic_uint_least64_t end; /* commands that the tape has so far */
};

/* What kashi-replica does on its tape socket, from memory. */
static void *serve_tape(void *context)
{
    struct tape_server *server = context;
    static uint8_t answer[sizeof(struct frame_head) + 64 * MARKET_EVENTS_MAX * EVENT_SIZE];
    while (!atomic_load(&server->stop)) {
        zmq_pollitem_t item = {.socket = server->socket, .events = ZMQ_POLLIN};
        uint8_t identity[256];
        struct frame_head head;
        if (zmq_poll(&item, 1, 20) <= 0) {
            continue;
        }
        int identity_size = zmq_recv(server->socket, identity, sizeof(identity), 0);
        if (identity_size < 0 || zmq_recv(server->socket, &head, sizeof(head), 0) < 0) {
            continue;
        }
        uint64_t from = head.after_seq + 1;
        uint64_t end = atomic_load(&server->end);
        uint64_t to = from + 64 <= end + 1 ? from + 64 : end + 1;
        head.kind = FRAME_TAPE_EVENTS;
        head.after_seq = end;
        head.count = to > from ? tape.first[to] - tape.first[from] : 0;
        memcpy(answer, &head, sizeof(head));
        if (head.count > 0) {
            memcpy(answer + sizeof(head), &tape.events[tape.first[from]],
                   head.count * (size_t)EVENT_SIZE);
        }
        (void)zmq_send(server->socket, identity, (size_t)identity_size, ZMQ_SNDMORE);
        (void)zmq_send(server->socket, answer, sizeof(head) + head.count * (size_t)EVENT_SIZE, 0);
    }
    return NULL;
}

static void tape_server_start(struct tape_server *server, const char *folder)
{
    char endpoint[128];
    memset(server, 0, sizeof(*server));
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/tape.sock", folder);
    server->context = zmq_ctx_new();
    server->socket = zmq_socket(server->context, ZMQ_ROUTER);
    cr_assert_eq(zmq_bind(server->socket, endpoint), 0);
    cr_assert_eq(pthread_create(&server->thread, NULL, serve_tape, server), 0);
}

static void tape_server_stop(struct tape_server *server)
{
    atomic_store(&server->stop, true);
    (void)pthread_join(server->thread, NULL);
    (void)zmq_close(server->socket);
    (void)zmq_ctx_term(server->context);
}

static pid_t start_program(const char *folder)
{
    pid_t pid = fork();
    if (pid == 0) {
        /* A test that fails leaves it alone; it must not go on without us. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execl("build/release/bin/kashi-settlement", "kashi-settlement", "--dir", folder,
                    (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void wait_for_seq(struct base *base, uint64_t seq)
{
    int64_t deadline_ns = clock_monotonic_ns() + 30 * NS_PER_SECOND;
    while (number_of(base->pg, "SELECT count(*) FROM pg_tables WHERE tablename = 'progress'") ==
               0 ||
           number_of(base->pg, "SELECT last_seq FROM kashi.progress") < (int64_t)seq) {
        cr_assert_lt(clock_monotonic_ns(), deadline_ns, "the ledger does not reach %" PRIu64, seq);
        (void)poll(NULL, 0, 10);
    }
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

Test(program, database_that_goes_away_is_caught_up_with_and_a_kill_loses_nothing)
{
    struct base base;
    struct base whole;
    struct proxy proxy;
    struct tape_server server;
    char url[URL_SIZE];
    char folder[] = "/tmp/kashi-settle-XXXXXX";
    char digests[2][128];
    int status;
    tape_make(9);
    base_make(&base, "a");
    base_make(&whole, "b");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert(proxy_start(&proxy, folder, base.folder));
    atomic_store(&proxy.down, true);
    url_of(url, folder, base.name);
    write_file(folder, "kashi.ini", "[settlement]\nbatch_fills = 50\nbatch_ms = 5\n");
    write_file(folder, "database.url", url);
    tape_server_start(&server, folder);
    atomic_store(&server.end, 500);
    pid_t pid = start_program(folder);
    cr_assert_gt(pid, 0);
    atomic_store(&proxy.down, false);
    wait_for_seq(&base, 500);
    atomic_store(&proxy.down, true);
    atomic_store(&server.end, 1000);
    cr_assert_eq(waitpid(pid, &status, WNOHANG), 0, "it ended when the database went away");
    atomic_store(&proxy.down, false);
    wait_for_seq(&base, 1000);
    for (uint64_t end = 1200; end <= TAPE_COMMANDS; end += 200) {
        atomic_store(&server.end, end);
        wait_for_seq(&base, end - 150);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
        pid = start_program(folder);
    }
    wait_for_seq(&base, TAPE_COMMANDS);
    (void)kill(pid, SIGTERM);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    tape_server_stop(&server);
    proxy_stop(&proxy);
    expect_sound(base.pg);
    apply_to(&whole, TAPE_COMMANDS, 1000);
    digest(base.pg, digests[0]);
    digest(whole.pg, digests[1]);
    cr_assert_str_eq(digests[0], digests[1]);
    char line[128];
    (void)snprintf(line, sizeof(line), "rm -rf %s", folder);
    cr_assert_eq(system(line), 0);
    base_drop(&base);
    base_drop(&whole);
}
