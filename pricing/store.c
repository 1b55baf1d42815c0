#include "pricing/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

#define BACKOFF_FIRST_NS (NS_PER_SECOND / 10)
#define BACKOFF_MAX_NS   (5 * NS_PER_SECOND)
#define DEADLINE_NS      (20 * NS_PER_SECOND)
#define COLUMNS          17
#define NUMBER_SIZE      21 /* longest int64 and its comma */
#define COLUMN_SIZE      (STORE_ROWS_MAX * NUMBER_SIZE + 3)

static const char question[] = "SELECT (SELECT time_ns FROM kashi.genesis), "
                               "(SELECT max(time_ns) FROM kashi.index_values)";
static const char insertion[] =
    "INSERT INTO kashi.index_values (class_id, region_id, tier, day, kind, level, price_e4, "
    "volume_qty, observations, left_out, buyers, sellers, value_day, parameter_version, tape_seq, "
    "time_ns, trading_day) SELECT * FROM unnest($1::integer[], $2::integer[], $3::smallint[], "
    "$4::integer[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], "
    "$10::bigint[], $11::bigint[], $12::bigint[], $13::integer[], $14::integer[], $15::bigint[], "
    "$16::bigint[], $17::integer[]) ON CONFLICT DO NOTHING";

size_t store_text_size(void)
{
    return (size_t)COLUMNS * COLUMN_SIZE;
}

void store_init(struct store *store, const char *url, struct index_value *ring, uint32_t capacity,
                char *text)
{
    CHECK(capacity > 0);
    memset(store, 0, sizeof(*store));
    store->url = url;
    store->ring = ring;
    store->capacity = capacity;
    store->text = text;
    store->backoff_ns = BACKOFF_FIRST_NS;
}

void store_free(struct store *store)
{
    pg_end(store->pg);
    store->pg = NULL;
}

void store_add(struct store *store, const struct index_value *value)
{
    if (store->overflowed || value->time_ns < store->stored_ns) {
        return;
    }
    if (store->count == store->capacity) {
        store->overflowed = true;
        log_warn("%" PRIu32 " index values wait for PostgreSQL; the next ones will be made again "
                 "from the tape when it is back",
                 store->count);
        return;
    }
    store->ring[(store->first + store->count) % store->capacity] = *value;
    store->count++;
}

void store_clear(struct store *store)
{
    store->overflowed = false;
}

bool store_is_busy(const struct store *store)
{
    return (store->state == STORE_READY || store->state == STORE_WRITE) &&
           store->count >= (store->capacity + 1) / 2;
}

/* --- the statement ---------------------------------------------------------------------------- */

static const char *const kind_texts[] = {
    [INDEX_INDICATIVE] = "indicative",
    [INDEX_PRELIMINARY] = "preliminary",
    [INDEX_FINAL] = "final",
};

static int64_t column_value(const struct index_value *value, int column)
{
    const int64_t values[COLUMNS] = {
        value->class_id,
        value->region_id,
        value->tier,
        value->day,
        value->kind,
        value->level,
        value->price_e4,
        value->volume_qty,
        value->observations,
        value->left_out,
        value->buyers,
        value->sellers,
        value->level == INDEX_LEVEL_STALE ? value->value_day : 0,
        value->parameter_version,
        (int64_t)value->seq,
        value->time_ns,
        value->trading_day,
    };
    return values[column];
}

enum column { COLUMN_KIND = 4, COLUMN_VALUE_DAY = 12 };

/* One array of PostgreSQL's text form a column. */
static void write_column(const struct store *store, int column, char *text)
{
    size_t length = 0;
    text[length++] = '{';
    for (uint32_t i = 0; i < store->writing; i++) {
        int64_t number = column_value(&store->ring[(store->first + i) % store->capacity], column);
        const char *comma = i > 0 ? "," : "";
        int written;
        if (column == COLUMN_KIND) {
            written =
                snprintf(text + length, COLUMN_SIZE - length, "%s%s", comma, kind_texts[number]);
        } else if (column == COLUMN_VALUE_DAY && number == 0) {
            written = snprintf(text + length, COLUMN_SIZE - length, "%sNULL", comma);
        } else {
            written = snprintf(text + length, COLUMN_SIZE - length, "%s%" PRId64, comma, number);
        }
        length += (size_t)written;
        CHECK(length + 2 <= COLUMN_SIZE);
    }
    text[length++] = '}';
    text[length] = '\0';
}

static int write_rows(struct store *store, struct error *error)
{
    const char *parameters[COLUMNS];
    store->writing = store->count < STORE_ROWS_MAX ? store->count : STORE_ROWS_MAX;
    for (int column = 0; column < COLUMNS; column++) {
        char *text = store->text + (size_t)column * COLUMN_SIZE;
        write_column(store, column, text);
        parameters[column] = text;
    }
    return pg_send(store->pg, insertion, COLUMNS, parameters, error);
}

/* --- the course of a connection --------------------------------------------------------------- */

/* What lies before the newest stored value was stored before it: values go in as they are made. */
static int take_question(struct store *store, struct error *error)
{
    const char *genesis = pg_text(store->pg, 0);
    const char *newest = pg_text(store->pg, 1);
    if (genesis != NULL && genesis[0] != '\0' && strtoll(genesis, NULL, 10) != store->genesis_ns) {
        return error_set(error, ERROR_MISMATCH,
                         "the database belongs to another market (its tape begins at %s ns, this "
                         "one's at %" PRId64 " ns); name this market's database in database.url or "
                         "in [pricing] database",
                         genesis, store->genesis_ns);
    }
    if (newest != NULL && newest[0] != '\0') {
        store->stored_ns = strtoll(newest, NULL, 10);
    }
    while (store->count > 0 && store->ring[store->first].time_ns < store->stored_ns) {
        store->first = (store->first + 1) % store->capacity;
        store->count--;
    }
    if (store->complained) {
        log_info("PostgreSQL is there again; %" PRIu32 " index values wait", store->count);
    }
    store->complained = false;
    store->backoff_ns = BACKOFF_FIRST_NS;
    return 0;
}

/* What was sent is done: what comes next. 1: something is under way again, 0: nothing to do. */
static int advance(struct store *store, struct error *error)
{
    int rc;
    switch (store->state) {
    case STORE_CONNECT:
        store->state = STORE_ROLE;
        rc = pg_send(store->pg, "SET ROLE kashi_pricing", 0, NULL, error);
        return rc < 0 ? rc : 1;
    case STORE_ROLE:
        store->state = STORE_QUESTION;
        rc = pg_send(store->pg, question, 0, NULL, error);
        return rc < 0 ? rc : 1;
    case STORE_QUESTION:
        store->state = STORE_READY;
        rc = take_question(store, error);
        return rc < 0 ? rc : 1;
    case STORE_WRITE:
        store->stored_ns =
            store->ring[(store->first + store->writing - 1) % store->capacity].time_ns;
        store->first = (store->first + store->writing) % store->capacity;
        store->count -= store->writing;
        store->stored += store->writing;
        store->writing = 0;
        store->state = STORE_READY;
        return 1;
    case STORE_READY:
        if (store->count == 0) {
            return 0;
        }
        store->state = STORE_WRITE;
        rc = write_rows(store, error);
        return rc < 0 ? rc : 1;
    case STORE_AWAY:
        break;
    }
    return 0;
}

static void give_up(struct store *store, int64_t now_ns, const struct error *error)
{
    if (!store->complained) {
        log_warn("%s; index values wait, trying again", error->text);
        store->complained = true;
    }
    pg_end(store->pg);
    store->pg = NULL;
    store->writing = 0;
    store->state = STORE_AWAY;
    store->retry_ns = now_ns + store->backoff_ns;
    store->backoff_ns =
        2 * store->backoff_ns < BACKOFF_MAX_NS ? 2 * store->backoff_ns : BACKOFF_MAX_NS;
}

static int work(struct store *store, int64_t now_ns, struct error *error)
{
    int rc;
    do {
        rc = pg_poll(store->pg, error);
        if (rc > 0) {
            rc = advance(store, error);
            store->deadline_ns = now_ns + DEADLINE_NS;
        } else if (rc == 0 && now_ns > store->deadline_ns) {
            rc = error_set(error, ERROR_LOST, "PostgreSQL has not answered for %d s",
                           (int)(DEADLINE_NS / NS_PER_SECOND));
        }
    } while (rc > 0);
    return rc;
}

int store_step(struct store *store, int64_t now_ns, struct error *error)
{
    int rc = 0;
    if (store->state == STORE_AWAY) {
        if (store->count == 0 || now_ns < store->retry_ns) {
            return 0;
        }
        store->deadline_ns = now_ns + DEADLINE_NS;
        rc = pg_begin(&store->pg, store->url, error);
        store->state = STORE_CONNECT;
    }
    if (rc == 0) {
        rc = work(store, now_ns, error);
    }
    if (rc == ERROR_MISMATCH) {
        return rc;
    }
    if (rc < 0) {
        give_up(store, now_ns, error);
    }
    return 0;
}

int store_socket(const struct store *store, short *events)
{
    return store->pg != NULL ? pg_socket(store->pg, events) : -1;
}

int64_t store_wait_ns(const struct store *store, int64_t now_ns)
{
    if (store->state != STORE_AWAY || store->count == 0) {
        return NS_PER_SECOND;
    }
    return store->retry_ns > now_ns ? store->retry_ns - now_ns : 0;
}
