#include "client/check/index_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "pricing/core/index.h"
#include "wire/tape.h"

#define LANES_MAX        (UINT32_C(1) << 16)
#define OBSERVATIONS_MAX (UINT32_C(1) << 22)
#define INDEX_ALIGNMENT  64
#define VALUES_FIRST     1024
#define SHOWN_MAX        5

struct index_check {
    struct index_value *values; /* those of a moment of the method, sorted by key after reading */
    size_t count;
    size_t capacity;
};

struct comparison {
    const struct index_check *check;
    bool *seen;
    uint64_t agreed;
    uint64_t wrong;
};

static void keep(void *context, const struct index_value *value)
{
    struct index_check *check = context;
    /* Level 5 is no value: it takes one back, and only live. */
    if (!value->at_mark || value->level == INDEX_LEVEL_NONE) {
        return;
    }
    if (check->count == check->capacity) {
        check->capacity *= 2;
        check->values = realloc(check->values, check->capacity * sizeof *check->values);
        CHECK(check->values != NULL);
    }
    check->values[check->count++] = *value;
}

/* The primary key of kashi.index_values. */
static int by_key(const void *left, const void *right)
{
    const struct index_value *a = left;
    const struct index_value *b = right;
    const int64_t keys[][2] = {{a->class_id, b->class_id}, {a->region_id, b->region_id},
                               {a->tier, b->tier},         {a->day, b->day},
                               {a->kind, b->kind},         {a->time_ns, b->time_ns}};
    for (size_t at = 0; at < sizeof keys / sizeof keys[0]; at++) {
        if (keys[at][0] != keys[at][1]) {
            return keys[at][0] < keys[at][1] ? -1 : 1;
        }
    }
    return 0;
}

static int feed(struct index *index, const char *directory, struct error *error)
{
    struct tape_file *tape;
    int rc = tape_file_open(&tape, directory, 0, error);
    if (rc != 0) {
        return rc;
    }
    struct tape_batch batch;
    while ((rc = tape_file_next(tape, &batch, error)) == 1) {
        for (uint32_t at = 0; at < batch.count; at++) {
            if (index_event(index, &batch.events[at]) != 0) {
                tape_file_close(tape);
                return error_set(error, ERROR_FULL, "more lanes or trades than the checker holds");
            }
        }
    }
    tape_file_close(tape);
    return rc;
}

int index_check_read(struct index_check **out, const char *directory, struct error *error)
{
    const struct index_limits limits = {.lanes_max = LANES_MAX,
                                        .observations_max = OBSERVATIONS_MAX};
    struct index_check *check = calloc(1, sizeof *check);
    struct index *index = calloc(1, sizeof *index);
    /* calloc's zero pages are touched only where the market has something. */
    uint8_t *memory = calloc(1, index_memory_size(&limits) + INDEX_ALIGNMENT);
    CHECK(check != NULL && index != NULL && memory != NULL);
    void *aligned = memory + (INDEX_ALIGNMENT - (uintptr_t)memory % INDEX_ALIGNMENT);
    check->capacity = VALUES_FIRST;
    check->values = calloc(VALUES_FIRST, sizeof *check->values);
    CHECK(check->values != NULL);
    index_init(index, &lane_day_parameters_1, &limits, aligned, keep, check);
    int rc = feed(index, directory, error);
    free(memory);
    free(index);
    if (rc != 0) {
        index_check_free(check);
        return rc;
    }
    qsort(check->values, check->count, sizeof *check->values, by_key);
    *out = check;
    return 0;
}

void index_check_free(struct index_check *check)
{
    if (check != NULL) {
        free(check->values);
        free(check);
    }
}

uint64_t index_check_expected(const struct index_check *check)
{
    return check->count;
}

static uint8_t kind_of(const char *name)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } kinds[] = {{"indicative", INDEX_INDICATIVE},
                 {"preliminary", INDEX_PRELIMINARY},
                 {"final", INDEX_FINAL}};
    for (size_t at = 0; at < sizeof kinds / sizeof kinds[0]; at++) {
        if (strcmp(kinds[at].name, name) == 0) {
            return kinds[at].kind;
        }
    }
    return UINT8_MAX;
}

static bool same(const struct index_value *value, const struct pg_row *row)
{
    return value->trading_day == (uint32_t)pg_int(row, 6) &&
           value->level == (uint8_t)pg_int(row, 7) && value->price_e4 == pg_int(row, 8) &&
           value->volume_qty == pg_int(row, 9) &&
           value->observations == (uint32_t)pg_int(row, 10) &&
           value->left_out == (uint32_t)pg_int(row, 11) &&
           value->buyers == (uint32_t)pg_int(row, 12) &&
           value->sellers == (uint32_t)pg_int(row, 13) &&
           value->parameter_version == (uint32_t)pg_int(row, 14);
}

static void tell(const struct index_value *value, const char *what)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format_utc(value->time_ns, time);
    (void)printf("the index value of class %u, region %u, tier %u, day %u, kind %u at %s %s\n",
                 value->class_id, value->region_id, value->tier, value->day, value->kind, time,
                 what);
}

static int take(void *context, const struct pg_row *row, struct error *error)
{
    struct comparison *comparison = context;
    const struct index_check *check = comparison->check;
    (void)error;
    const struct index_value key = {.class_id = (uint16_t)pg_int(row, 0),
                                    .region_id = (uint16_t)pg_int(row, 1),
                                    .tier = (uint8_t)pg_int(row, 2),
                                    .day = (uint32_t)pg_int(row, 3),
                                    .kind = kind_of(pg_text(row, 4)),
                                    .time_ns = pg_int(row, 5)};
    const struct index_value *value =
        bsearch(&key, check->values, check->count, sizeof *check->values, by_key);
    if (value != NULL && same(value, row)) {
        comparison->seen[value - check->values] = true;
        comparison->agreed++;
        return 0;
    }
    if (comparison->wrong++ < SHOWN_MAX) {
        tell(&key, value == NULL ? "is not given by the tape" : "is another one by the tape");
    }
    return 0;
}

int index_check_compare(const struct index_check *check, struct pg *pg, uint64_t *agreed,
                        uint64_t *wrong, struct error *error)
{
    struct comparison comparison = {.check = check, .seen = calloc(check->count + 1, sizeof(bool))};
    CHECK(comparison.seen != NULL);
    int rc = pg_read(pg,
                     "SELECT class_id, region_id, tier, day, kind, time_ns, trading_day, level, "
                     "price_e4, volume_qty, observations, left_out, buyers, sellers, "
                     "parameter_version FROM kashi.index_values",
                     take, &comparison, error);
    uint64_t missing = 0;
    for (size_t at = 0; rc == 0 && at < check->count; at++) {
        if (!comparison.seen[at] && missing++ < SHOWN_MAX) {
            tell(&check->values[at], "is not in the database");
        }
    }
    free(comparison.seen);
    *agreed = comparison.agreed;
    *wrong = comparison.wrong + missing;
    return rc;
}
