#include "tests/settlement_base.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settlement/migrate.h"

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

/* Starts the cluster, runs the suite's tests and removes the cluster. */
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

void settlement_base_url(char url[SETTLEMENT_URL_SIZE], const char *folder, const char *name)
{
    (void)snprintf(url, SETTLEMENT_URL_SIZE, "postgresql://kashi@/%s?host=%s&port=5432", name,
                   folder);
}

void settlement_base_run(struct pg *pg, const char *statements)
{
    struct error error = {0};
    cr_assert_eq(pg_run(pg, statements, &error), 0, "%s: %s", statements, error.text);
}

int64_t settlement_base_number(struct pg *pg, const char *query)
{
    struct error error = {0};
    struct pg_rows *rows;
    cr_assert_eq(pg_query(pg, query, NULL, &rows, &error), 0, "%s: %s", query, error.text);
    int64_t number = pg_rows_int(rows, 0, 0);
    pg_rows_free(rows);
    return number;
}

void settlement_base_text(struct pg *pg, const char *query, char text[128])
{
    struct error error = {0};
    struct pg_rows *rows;
    cr_assert_eq(pg_query(pg, query, NULL, &rows, &error), 0, "%s: %s", query, error.text);
    (void)snprintf(text, 128, "%s", pg_rows_text(rows, 0, 0));
    pg_rows_free(rows);
}

void settlement_base_make(struct settlement_base *base, const char *suffix)
{
    char admin[SETTLEMENT_URL_SIZE];
    char statement[128];
    struct error error = {0};
    struct pg *pg;
    (void)snprintf(base->folder, sizeof(base->folder), "%s/postgres", getenv("KASHI_TEST_CLUSTER"));
    (void)snprintf(base->name, sizeof(base->name), "test_%d_%s", (int)getpid(), suffix);
    settlement_base_url(admin, base->folder, "kashi");
    cr_assert_eq(pg_open(&pg, admin, &error), 0, "%s", error.text);
    (void)snprintf(statement, sizeof(statement), "CREATE DATABASE %s TEMPLATE template0",
                   base->name);
    settlement_base_run(pg, statement);
    pg_close(pg);
    settlement_base_url(base->url, base->folder, base->name);
    cr_assert_eq(pg_open(&base->pg, base->url, &error), 0, "%s", error.text);
}

void settlement_base_migrate(struct settlement_base *base)
{
    struct error error = {0};
    int applied;
    cr_assert_eq(migrate_run(base->pg, migrate_list, migrate_count, &applied, &error), 0, "%s",
                 error.text);
}

void settlement_base_drop(struct settlement_base *base)
{
    char admin[SETTLEMENT_URL_SIZE];
    char statement[128];
    struct error error = {0};
    struct pg *pg;
    pg_close(base->pg);
    settlement_base_url(admin, base->folder, "kashi");
    cr_assert_eq(pg_open(&pg, admin, &error), 0, "%s", error.text);
    (void)snprintf(statement, sizeof(statement), "DROP DATABASE %s WITH (FORCE)", base->name);
    settlement_base_run(pg, statement);
    pg_close(pg);
}

void settlement_base_invariants(char text[SETTLEMENT_TEXT_SIZE])
{
    FILE *file = fopen("sql/invariants.sql", "r");
    cr_assert_not_null(file);
    size_t size = fread(text, 1, SETTLEMENT_TEXT_SIZE - 1, file);
    cr_assert(size > 0 && size < SETTLEMENT_TEXT_SIZE - 1);
    text[size] = '\0';
    (void)fclose(file);
}

/* Whether the invariant named is broken; NULL: whether any is. */
bool settlement_base_is_broken(struct pg *pg, const char *invariant, char first[256])
{
    char text[SETTLEMENT_TEXT_SIZE];
    struct error error = {0};
    struct pg_rows *rows;
    bool found = false;
    settlement_base_invariants(text);
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

void settlement_base_expect_sound(struct pg *pg)
{
    char first[256];
    cr_assert_not(settlement_base_is_broken(pg, NULL, first), "%s", first);
}

/* Everything that the ledger holds, as one text. */
void settlement_base_digest(struct pg *pg, char text[128])
{
    settlement_base_text(
        pg,
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

struct settlement_tape settlement_tape;

void settlement_tape_make(uint64_t seed)
{
    uint32_t count = 0;
    settlement_market_init(&settlement_tape.market, seed);
    for (uint32_t seq = 1; seq <= SETTLEMENT_TAPE_COMMANDS; seq++) {
        settlement_tape.first[seq] = count;
        count += settlement_market_next(&settlement_tape.market, &settlement_tape.events[count]);
    }
    settlement_tape.first[SETTLEMENT_TAPE_COMMANDS + 1] = count;
}

int settlement_tape_add(struct store *store, uint64_t to_seq, struct error *error)
{
    for (uint32_t i = settlement_tape.first[store->place.seq + 1];
         i < settlement_tape.first[to_seq + 1]; i++) {
        int rc = store_add(store, &settlement_tape.events[i], error);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

void settlement_tape_apply(struct settlement_base *base, uint64_t to_seq, uint64_t batch)
{
    struct store store;
    struct error error = {0};
    cr_assert_eq(store_open(&store, base->url, &error), 0, "%s", error.text);
    while (store.place.seq < to_seq) {
        uint64_t end = store.place.seq + batch < to_seq ? store.place.seq + batch : to_seq;
        cr_assert_eq(settlement_tape_add(&store, end, &error), 0, "%s", error.text);
        cr_assert_eq(store_commit(&store, &error), 0, "%s", error.text);
    }
    store_close(&store);
}
