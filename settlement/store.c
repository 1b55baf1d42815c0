#include "settlement/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "settlement/migrate.h"

/* "kashi" in ASCII, plus one; held by the session, so that a lost one gives it back. */
#define WRITER_LOCK "460210563178"

static int become_writer(struct store *store, struct error *error)
{
    struct pg_rows *rows;
    int rc = pg_run(store->pg, "SET ROLE kashi_settlement", error);
    if (rc < 0) {
        return rc;
    }
    rc = pg_query(store->pg, "SELECT pg_try_advisory_lock(" WRITER_LOCK ")", NULL, &rows, error);
    if (rc < 0) {
        return rc;
    }
    bool taken = pg_rows_text(rows, 0, 0)[0] == 't';
    pg_rows_free(rows);
    if (!taken) {
        return error_set(error, ERROR_AGAIN, "another kashi-settlement writes this database");
    }
    return 0;
}

static int load_progress(struct store *store, struct error *error)
{
    struct pg_rows *rows;
    int rc = pg_query(store->pg, "SELECT last_seq, last_time_ns FROM kashi.progress", NULL, &rows,
                      error);
    if (rc < 0) {
        return rc;
    }
    if (pg_rows_count(rows) != 1) {
        rc = error_set(error, ERROR_MISMATCH, "kashi.progress has %d rows instead of one",
                       pg_rows_count(rows));
    } else {
        store->place.seq = (uint64_t)pg_rows_int(rows, 0, 0);
        store->place.time_ns = pg_rows_int(rows, 0, 1);
        store->place.index = 0;
        store->committed_seq = store->place.seq;
    }
    pg_rows_free(rows);
    return rc;
}

static int load_names(struct store *store, const char *query,
                      bool (*set)(struct rows *, uint32_t, const char *), struct error *error)
{
    struct pg_rows *rows;
    int rc = pg_query(store->pg, query, NULL, &rows, error);
    if (rc < 0) {
        return rc;
    }
    for (int i = 0; rc == 0 && i < pg_rows_count(rows); i++) {
        if (!set(&store->rows, (uint32_t)pg_rows_int(rows, i, 0), pg_rows_text(rows, i, 1))) {
            rc = error_set(error, ERROR_MISMATCH, "'%s' in the registry is no name",
                           pg_rows_text(rows, i, 1));
        }
    }
    pg_rows_free(rows);
    return rc;
}

int store_open(struct store *store, const char *url, struct error *error)
{
    int applied;
    memset(store, 0, sizeof(*store));
    store->memory = malloc(ROWS_MEMORY_SIZE);
    if (store->memory == NULL) {
        return error_system(error, errno, "memory for batches");
    }
    rows_init(&store->rows, store->memory);
    int rc = pg_open(&store->pg, url, error);
    if (rc == 0) {
        rc = migrate_run(store->pg, migrate_list, migrate_count, &applied, error);
    }
    if (rc == 0) {
        rc = become_writer(store, error);
    }
    if (rc == 0) {
        rc = load_progress(store, error);
    }
    if (rc == 0) {
        rc = load_names(store, "SELECT class_id, name FROM kashi.classes", rows_name_class, error);
    }
    if (rc == 0) {
        rc =
            load_names(store, "SELECT region_id, name FROM kashi.regions", rows_name_region, error);
    }
    if (rc < 0) {
        store_close(store);
    }
    return rc;
}

void store_close(struct store *store)
{
    pg_close(store->pg);
    free(store->memory);
    memset(store, 0, sizeof(*store));
}

int store_check_genesis(struct store *store, const struct event *genesis, struct error *error)
{
    struct pg_rows *rows;
    char time_ns[24];
    char key[PUBLIC_KEY_SIZE * 2 + 1];
    if (genesis->head.type != EVENT_GENESIS || genesis->head.seq != 1) {
        return error_set(error, ERROR_CORRUPT, "the tape does not begin with a genesis");
    }
    (void)snprintf(time_ns, sizeof(time_ns), "%" PRId64, genesis->head.time_ns);
    for (size_t i = 0; i < PUBLIC_KEY_SIZE; i++) {
        (void)snprintf(key + 2 * i, 3, "%02x", genesis->genesis.operator_key[i]);
    }
    const char *const parameters[] = {time_ns, key, NULL};
    int rc = pg_query(store->pg,
                      "SELECT time_ns = $1::bigint AND operator_key = decode($2, 'hex') "
                      "FROM kashi.genesis",
                      parameters, &rows, error);
    if (rc < 0) {
        return rc;
    }
    bool same = pg_rows_count(rows) == 1 && pg_rows_text(rows, 0, 0)[0] == 't';
    pg_rows_free(rows);
    if (!same) {
        return error_set(error, ERROR_MISMATCH,
                         "the database holds the ledger of another market; give this one a "
                         "database of its own (kashi.ini, [settlement] database)");
    }
    return 0;
}

/* Sends what stands in the buffers; the transaction stays open. */
static int flush(struct store *store, struct error *error)
{
    if (!store->in_transaction) {
        int rc = pg_run(store->pg, "BEGIN", error);
        if (rc < 0) {
            return rc;
        }
        store->in_transaction = true;
    }
    for (enum rows_table table = 0; table < ROWS_TABLE_COUNT; table++) {
        struct rows_buffer *buffer = &store->rows.tables[table];
        if (buffer->count == 0) {
            continue;
        }
        rows_close(buffer);
        int rc = pg_copy(store->pg, rows_copy_statement(table), buffer->bytes, buffer->size, error);
        if (rc < 0) {
            return rc;
        }
    }
    store->counts.fills += store->rows.tables[ROWS_FILLS].count;
    store->counts.movements += store->rows.tables[ROWS_CASH_MOVEMENTS].count;
    store->counts.postings += store->rows.tables[ROWS_POSTINGS].count;
    rows_clear(&store->rows);
    return 0;
}

int store_add(struct store *store, const struct event *event, struct error *error)
{
    switch (ledger_follow(&store->place, &event->head)) {
    case LEDGER_OLD:
        return 0;
    case LEDGER_GAP:
        return error_set(error, ERROR_CORRUPT,
                         "event (%" PRIu64 ", %" PRIu32 ") does not follow on command %" PRIu64,
                         event->head.seq, event->head.index, store->place.seq);
    case LEDGER_NEXT:
        break;
    }
    if (!rows_room(&store->rows)) {
        int rc = flush(store, error);
        if (rc < 0) {
            return rc;
        }
    }
    enum rows_result result = rows_add(&store->rows, event);
    if (result != ROWS_OK) {
        return error_set(error, ERROR_CORRUPT, "event (%" PRIu64 ", %" PRIu32 ") of type %u: %s",
                         event->head.seq, event->head.index, event->head.type,
                         result == ROWS_UNKNOWN ? "its class or region is not registered"
                                                : "its numbers are impossible");
    }
    return 0;
}

static int advance(struct store *store, struct error *error)
{
    char number[6][24];
    const char *parameters[7] = {NULL};
    struct pg_rows *rows;
    const int64_t values[6] = {
        (int64_t)store->place.seq,       store->place.time_ns,
        (int64_t)store->counts.fills,    (int64_t)store->counts.movements,
        (int64_t)store->counts.postings, (int64_t)store->committed_seq,
    };
    for (int i = 0; i < 6; i++) {
        (void)snprintf(number[i], sizeof(number[i]), "%" PRId64, values[i]);
        parameters[i] = number[i];
    }
    int rc = pg_query(store->pg,
                      "UPDATE kashi.progress SET last_seq = $1::bigint, "
                      "last_time_ns = $2::bigint, fills = fills + $3::bigint, "
                      "movements = movements + $4::bigint, postings = postings + $5::bigint "
                      "WHERE last_seq = $6::bigint",
                      parameters, &rows, error);
    if (rc < 0) {
        return rc;
    }
    int64_t affected = pg_rows_affected(rows);
    pg_rows_free(rows);
    if (affected != 1) {
        return error_set(error, ERROR_AGAIN,
                         "the ledger is no longer at command %" PRIu64
                         ": another kashi-settlement writes this database",
                         store->committed_seq);
    }
    return 0;
}

int store_commit(struct store *store, struct error *error)
{
    CHECK(ledger_between_commands(&store->place));
    if (store->place.seq == store->committed_seq) {
        return 0;
    }
    int rc = flush(store, error);
    if (rc == 0) {
        rc = advance(store, error);
    }
    if (rc == 0) {
        rc = pg_run(store->pg, "COMMIT", error);
    }
    if (rc < 0) {
        return error_context(error, "commands %" PRIu64 " to %" PRIu64, store->committed_seq + 1,
                             store->place.seq);
    }
    store->in_transaction = false;
    store->committed_seq = store->place.seq;
    store->counts = (struct store_counts){0, 0, 0};
    return 0;
}
