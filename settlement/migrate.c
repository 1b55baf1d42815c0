#include "settlement/migrate.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Any number that nobody else takes for an advisory lock: "kashi" in ASCII. */
#define MIGRATE_LOCK "460210563177"

/* Where the schema is there already, a login that may only write the ledger can start as well. */
static int bootstrap(struct pg *pg, struct error *error)
{
    struct pg_rows *rows;
    int rc = pg_query(pg, "SELECT to_regclass('kashi.migrations') IS NULL", NULL, &rows, error);
    if (rc < 0) {
        return rc;
    }
    bool missing = pg_rows_text(rows, 0, 0)[0] == 't';
    pg_rows_free(rows);
    if (!missing) {
        return 0;
    }
    return pg_run(pg,
                  "BEGIN; SELECT pg_advisory_xact_lock(" MIGRATE_LOCK ");"
                  "CREATE SCHEMA IF NOT EXISTS kashi;"
                  "CREATE TABLE IF NOT EXISTS kashi.migrations ("
                  "    number     integer PRIMARY KEY,"
                  "    name       text NOT NULL,"
                  "    sha256     text NOT NULL,"
                  "    applied_at timestamptz NOT NULL DEFAULT now()"
                  "); COMMIT",
                  error);
}

static int check_newest(struct pg *pg, size_t count, struct error *error)
{
    struct pg_rows *rows;
    int rc =
        pg_query(pg, "SELECT coalesce(max(number), 0) FROM kashi.migrations", NULL, &rows, error);
    if (rc < 0) {
        return rc;
    }
    int64_t newest = pg_rows_int(rows, 0, 0);
    pg_rows_free(rows);
    if (newest > (int64_t)count) {
        return error_set(error, ERROR_MISMATCH,
                         "the database has migration %" PRId64
                         " and this program only knows %zu; start the newer kashi-settlement",
                         newest, count);
    }
    return 0;
}

/* 1: applied as it stands. 0: not applied yet. */
static int check_applied(struct pg *pg, const struct migration *migration, struct error *error)
{
    char number[16];
    struct pg_rows *rows;
    (void)snprintf(number, sizeof(number), "%d", migration->number);
    const char *const parameters[] = {number, migration->text, NULL};
    int rc = pg_query(pg,
                      "SELECT sha256 = encode(sha256(convert_to($2, 'UTF8')), 'hex') "
                      "FROM kashi.migrations WHERE number = $1::integer",
                      parameters, &rows, error);
    if (rc < 0) {
        return rc;
    }
    int applied = pg_rows_count(rows);
    bool same = applied == 1 && pg_rows_text(rows, 0, 0)[0] == 't';
    pg_rows_free(rows);
    if (applied == 1 && !same) {
        return error_set(error, ERROR_MISMATCH,
                         "migration %s was applied and has changed since; put the old text back "
                         "and write a new migration",
                         migration->name);
    }
    return applied;
}

static int record(struct pg *pg, const struct migration *migration, struct error *error)
{
    char number[16];
    struct pg_rows *rows;
    (void)snprintf(number, sizeof(number), "%d", migration->number);
    const char *const parameters[] = {number, migration->name, migration->text, NULL};
    int rc = pg_query(pg,
                      "INSERT INTO kashi.migrations (number, name, sha256) VALUES ($1::integer, $2,"
                      " encode(sha256(convert_to($3, 'UTF8')), 'hex'))",
                      parameters, &rows, error);
    if (rc == 0) {
        pg_rows_free(rows);
    }
    return rc;
}

/* 1: applied now. 0: it was already. */
static int apply(struct pg *pg, const struct migration *migration, struct error *error)
{
    int rc = pg_run(pg, "BEGIN; SELECT pg_advisory_xact_lock(" MIGRATE_LOCK ")", error);
    if (rc < 0) {
        return rc;
    }
    /* Another process may have applied it while this one waited for the lock. */
    int applied = check_applied(pg, migration, error);
    if (applied == 0) {
        applied = pg_run(pg, migration->text, error);
        if (applied == 0) {
            applied = record(pg, migration, error);
        }
        if (applied < 0) {
            struct error ignored;
            error_context(error, "migration %s", migration->name);
            (void)pg_run(pg, "ROLLBACK", &ignored);
            return error->code;
        }
        rc = pg_run(pg, "COMMIT", error);
        return rc < 0 ? rc : 1;
    }
    struct error ignored;
    (void)pg_run(pg, "ROLLBACK", &ignored);
    return applied < 0 ? applied : 0;
}

int migrate_run(struct pg *pg, const struct migration *list, size_t count, int *applied,
                struct error *error)
{
    *applied = 0;
    int rc = bootstrap(pg, error);
    if (rc < 0) {
        return rc;
    }
    rc = check_newest(pg, count, error);
    /* All are checked before any is applied. */
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        rc = check_applied(pg, &list[i], error);
    }
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        rc = check_applied(pg, &list[i], error);
        if (rc == 0) {
            rc = apply(pg, &list[i], error);
            *applied += rc > 0;
        }
    }
    return rc < 0 ? rc : 0;
}
