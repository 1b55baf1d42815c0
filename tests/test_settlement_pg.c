/* Settlement's database: migrations, roles and invariants. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settlement/migrate.h"
#include "settlement/pg.h"
#include "tests/settlement_base.h"

/* --- migrations ------------------------------------------------------------------------------- */

Test(migrate, second_run_applies_nothing)
{
    struct settlement_base base;
    struct error error = {0};
    int applied;
    settlement_base_make(&base, "a");
    cr_assert_eq(migrate_run(base.pg, migrate_list, migrate_count, &applied, &error), 0, "%s",
                 error.text);
    cr_assert_eq(applied, (int)migrate_count);
    cr_assert_eq(migrate_run(base.pg, migrate_list, migrate_count, &applied, &error), 0);
    cr_assert_eq(applied, 0);
    settlement_base_expect_sound(base.pg);
    settlement_base_drop(&base);
}

Test(migrate, changed_old_migration_is_refused_and_nothing_is_done)
{
    struct settlement_base base;
    struct error error = {0};
    int applied;
    const struct migration first[] = {{1, "001_a", "CREATE TABLE kashi.a (x int)"}};
    const struct migration changed[] = {{1, "001_a", "CREATE TABLE kashi.a (y int)"},
                                        {2, "002_b", "CREATE TABLE kashi.b (x int)"}};
    settlement_base_make(&base, "a");
    cr_assert_eq(migrate_run(base.pg, first, 1, &applied, &error), 0);
    cr_assert_eq(migrate_run(base.pg, changed, 2, &applied, &error), ERROR_MISMATCH);
    cr_assert_not_null(strstr(error.text, "001_a"));
    cr_assert_eq(
        settlement_base_number(base.pg, "SELECT count(*) FROM pg_tables WHERE tablename = 'b'"), 0);
    settlement_base_drop(&base);
}

Test(migrate, failed_migration_leaves_nothing_behind)
{
    struct settlement_base base;
    struct error error = {0};
    int applied;
    const struct migration list[] = {{1, "001_a", "CREATE TABLE kashi.a (x int); SELECT 1 / 0"}};
    settlement_base_make(&base, "a");
    cr_assert_eq(migrate_run(base.pg, list, 1, &applied, &error), ERROR_IO);
    cr_assert_not_null(strstr(error.text, "001_a"));
    cr_assert_eq(
        settlement_base_number(base.pg, "SELECT count(*) FROM pg_tables WHERE tablename = 'a'"), 0);
    cr_assert_eq(settlement_base_number(base.pg, "SELECT count(*) FROM kashi.migrations"), 0);
    settlement_base_drop(&base);
}

Test(migrate, newer_database_is_refused)
{
    struct settlement_base base;
    struct error error = {0};
    int applied;
    settlement_base_make(&base, "a");
    settlement_base_migrate(&base);
    cr_assert_eq(migrate_run(base.pg, migrate_list, migrate_count - 1, &applied, &error),
                 ERROR_MISMATCH);
    settlement_base_drop(&base);
}

static void *migrate_thread(void *context)
{
    const struct settlement_base *base = context;
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
    struct settlement_base base;
    pthread_t threads[4];
    intptr_t total = 0;
    settlement_base_make(&base, "a");
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
    settlement_base_drop(&base);
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
    settlement_base_run(pg, "ROLLBACK");
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
    struct settlement_base base;
    char statement[256];
    settlement_base_make(&base, "a");
    settlement_base_migrate(&base);
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
    settlement_base_drop(&base);
}

Test(roles, pricing_adds_index_values_and_nothing_else)
{
    struct settlement_base base;
    settlement_base_make(&base, "a");
    settlement_base_migrate(&base);
    expect_allowed(base.pg, "kashi_pricing", value);
    expect_allowed(base.pg, "kashi_pricing", "SELECT * FROM kashi.index_values");
    expect_refused(base.pg, "kashi_pricing", "UPDATE kashi.index_values SET price_e4 = 1");
    expect_refused(base.pg, "kashi_pricing", "DELETE FROM kashi.index_values");
    expect_refused(base.pg, "kashi_pricing", posting);
    expect_refused(base.pg, "kashi_pricing", "SELECT * FROM kashi.postings");
    expect_refused(base.pg, "kashi_pricing", "UPDATE kashi.progress SET last_seq = 1");
    settlement_base_drop(&base);
}

Test(roles, reader_reads_everything_and_writes_nothing)
{
    struct settlement_base base;
    char text[SETTLEMENT_TEXT_SIZE];
    settlement_base_make(&base, "a");
    settlement_base_migrate(&base);
    expect_allowed(base.pg, "kashi_reader",
                   "SELECT * FROM kashi.account_balances, kashi.statement, kashi.ledger_sums, "
                   "kashi.fill_amounts, kashi.holdings, kashi.capacity_sold, kashi.index_values");
    expect_refused(base.pg, "kashi_reader", posting);
    expect_refused(base.pg, "kashi_reader", value);
    expect_refused(base.pg, "kashi_reader", "UPDATE kashi.progress SET last_seq = 1");
    expect_refused(base.pg, "kashi_reader", "DELETE FROM kashi.fills");
    settlement_base_run(base.pg, "SET ROLE kashi_reader");
    settlement_base_invariants(text);
    settlement_base_run(base.pg, text);
    settlement_base_drop(&base);
}

Test(roles, login_with_nothing_but_its_role_can_settle)
{
    struct settlement_base base;
    struct store store;
    struct error error = {0};
    char statement[256];
    char url[SETTLEMENT_URL_SIZE];
    settlement_base_make(&base, "a");
    settlement_base_migrate(&base);
    (void)snprintf(statement, sizeof(statement),
                   "CREATE ROLE login_%s LOGIN IN ROLE kashi_settlement", base.name);
    settlement_base_run(base.pg, statement);
    (void)snprintf(url, sizeof(url), "host=%s user=login_%s dbname=%s", base.folder, base.name,
                   base.name);
    cr_assert_eq(store_open(&store, url, &error), 0, "%s", error.text);
    settlement_tape_make(10);
    cr_assert_eq(settlement_tape_add(&store, 200, &error), 0, "%s", error.text);
    cr_assert_eq(store_commit(&store, &error), 0, "%s", error.text);
    store_close(&store);
    settlement_base_expect_sound(base.pg);
    settlement_base_drop(&base);
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
    struct settlement_base base;
    settlement_base_make(&base, "a");
    settlement_base_migrate(&base);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        struct error error = {0};
        cr_assert_eq(pg_run(base.pg, statements[i], &error), ERROR_IO, "%s", statements[i]);
        cr_assert_not_null(strstr(error.text, "append-only"), "%s", error.text);
    }
    settlement_base_drop(&base);
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
    struct settlement_base base;
    char first[256];
    settlement_tape_make(8);
    settlement_base_make(&base, "a");
    settlement_tape_apply(&base, 300, 100);
    settlement_base_expect_sound(base.pg);
    for (size_t i = 0; i < CORRUPTIONS; i++) {
        settlement_base_run(base.pg, "BEGIN; SET LOCAL session_replication_role = replica;"
                                     "ALTER TABLE kashi.fills DROP CONSTRAINT fills_pkey");
        settlement_base_run(base.pg, corruptions[i].statements);
        cr_assert(settlement_base_is_broken(base.pg, corruptions[i].invariant, first),
                  "%s does not see: %s (%s)", corruptions[i].invariant, corruptions[i].statements,
                  first);
        settlement_base_run(base.pg, "ROLLBACK");
    }
    settlement_base_expect_sound(base.pg);
    settlement_base_drop(&base);
}

Test(invariants, none_is_without_a_corruption_that_it_sees)
{
    char text[SETTLEMENT_TEXT_SIZE];
    int names = 0;
    settlement_base_invariants(text);
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
