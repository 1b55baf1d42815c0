#include "client/legs.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/csv.h"
#include "client/decimal.h"
#include "client/symbol.h"

#define TEXT_SIZE 128
#define PARTS_MAX 4

/* --- legs ------------------------------------------------------------------------------------------ */

static int leg_room(const struct legs *legs, struct error *error)
{
    return legs->count < SET_LEGS_MAX
               ? 0
               : error_set(error, ERROR_INVALID, "more than %d legs: a SET has 1 to %d",
                           SET_LEGS_MAX, SET_LEGS_MAX);
}

/* A price as text; `where` names the leg in errors. */
static int price_parse(const char *where, const char *text, uint32_t *price_e4, struct error *error)
{
    int64_t price;
    const enum decimal_result result = decimal_parse(text, DECIMAL_E4_PLACES, &price);
    if (result != DECIMAL_OK || price < 1 || price > PRICE_MAX_E4) {
        char why[64];
        decimal_explain(result, DECIMAL_E4_PLACES, why, sizeof(why));
        return error_set(error, ERROR_INVALID,
                         "%s: price '%s' %s; give yuan with at most 4 decimals, for example 13.50",
                         where, text, result != DECIMAL_OK ? why : "is out of range");
    }
    *price_e4 = (uint32_t)price;
    return 0;
}

/* Cuts `text` at slashes; returns how many parts there are, PARTS_MAX + 1 for more. */
static uint32_t split(char *text, const char *parts[PARTS_MAX])
{
    uint32_t count = 0;
    for (char *at = text;; at++) {
        if (count == PARTS_MAX) {
            return PARTS_MAX + 1;
        }
        parts[count++] = at;
        at += strcspn(at, "/");
        if (*at == '\0') {
            return count;
        }
        *at = '\0';
    }
}

static int leg_symbol(const char *whole, char *text, int64_t now_ns, char symbol[SYMBOL_SIZE],
                      struct error *error)
{
    const char *part[PARTS_MAX] = {NULL};
    struct symbol_parts parts = {.dashes = "", .whole = text};
    if (strchr(text, '/') != NULL) {
        if (split(text, part) != 4) {
            return error_set(error, ERROR_INVALID,
                             "--leg: '%s' has not the four parts CLASS/REGION/TIER/HOUR=PRICE, for "
                             "example H100/CN-GZ/G80/+6=13.50",
                             whole);
        }
        parts = (struct symbol_parts){.dashes = "",
                                      .class_name = part[0],
                                      .region = part[1],
                                      .tier = part[2],
                                      .hour = part[3]};
    }
    return symbol_complete(&parts, now_ns, symbol, error) < 0
               ? error_context(error, "--leg '%s'", whole)
               : 0;
}

int legs_add(struct legs *legs, const char *text, int64_t now_ns, struct error *error)
{
    char copy[TEXT_SIZE];
    char where[TEXT_SIZE + 16];
    if (leg_room(legs, error) < 0) {
        return error_context(error, "--leg");
    }
    const char *equals = strchr(text, '=');
    if (equals == NULL || (size_t)(equals - text) >= sizeof(copy)) {
        return error_set(error, ERROR_INVALID,
                         "--leg: '%.100s' has no price; give SYMBOL=PRICE, for example "
                         "H100.CN-GZ.G80.20261121T14Z=13.50, or parts: H100/CN-GZ/G80/+6=13.50",
                         text);
    }
    memcpy(copy, text, (size_t)(equals - text));
    copy[equals - text] = '\0';
    (void)snprintf(where, sizeof(where), "--leg '%.100s'", text);
    struct leg_row *row = &legs->rows[legs->count];
    *row = (struct leg_row){0};
    int rc = price_parse(where, equals + 1, &row->price_e4, error);
    if (rc == 0) {
        rc = leg_symbol(text, copy, now_ns, row->symbol, error);
    }
    legs->count += rc == 0;
    return rc;
}

/* --- files of legs --------------------------------------------------------------------------------- */

enum column { SYMBOL, CLASS, REGION, TIER, HOUR, PRICE, COLUMN_COUNT };
static const char *const column_names[COLUMN_COUNT] = {"symbol", "class", "region",
                                                       "tier",   "hour",  "price"};

static const char *field_of(const struct csv *csv, const int columns[COLUMN_COUNT],
                            enum column column)
{
    return columns[column] >= 0 && (uint32_t)columns[column] < csv->count
               ? csv->fields[columns[column]]
               : NULL;
}

static int columns_read(const struct csv *csv, int columns[COLUMN_COUNT], struct error *error)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        columns[i] = csv_column(csv, column_names[i]);
        const bool needed = i == PRICE || (i > SYMBOL && columns[SYMBOL] < 0);
        if (columns[i] == -2 || (needed && columns[i] < 0)) {
            return error_set(error, ERROR_INVALID,
                             "%s:%u: column '%s' %s; the first line names the columns symbol,price "
                             "or class,region,tier,hour,price",
                             csv->path, csv->line, column_names[i],
                             columns[i] == -2 ? "stands twice" : "is missing");
        }
    }
    return 0;
}

static int line_add(struct legs *legs, const struct csv *csv, const int columns[COLUMN_COUNT],
                    int64_t now_ns, struct error *error)
{
    const struct symbol_parts parts = {.dashes = "",
                                       .whole = field_of(csv, columns, SYMBOL),
                                       .class_name = field_of(csv, columns, CLASS),
                                       .region = field_of(csv, columns, REGION),
                                       .tier = field_of(csv, columns, TIER),
                                       .hour = field_of(csv, columns, HOUR)};
    const char *price = field_of(csv, columns, PRICE);
    char where[TEXT_SIZE];
    (void)snprintf(where, sizeof(where), "%.100s:%u", csv->path, csv->line);
    if (leg_room(legs, error) < 0) {
        return error_context(error, "%s", where);
    }
    struct leg_row *row = &legs->rows[legs->count];
    *row = (struct leg_row){0};
    int rc = price_parse(where, price != NULL ? price : "", &row->price_e4, error);
    if (rc == 0 && symbol_complete(&parts, now_ns, row->symbol, error) < 0) {
        rc = error_context(error, "%s", where);
    }
    legs->count += rc == 0;
    return rc;
}

static int csv_add(struct legs *legs, const char *path, int64_t now_ns, struct error *error)
{
    struct csv csv;
    int columns[COLUMN_COUNT];
    int rc = csv_open(&csv, path, error);
    if (rc < 0) {
        return rc;
    }
    rc = csv_next(&csv, error);
    if (rc == 0) {
        rc = error_set(error, ERROR_INVALID, "%s: the file is empty", path);
    }
    rc = rc < 0 ? rc : columns_read(&csv, columns, error);
    while (rc >= 0 && (rc = csv_next(&csv, error)) > 0) {
        rc = line_add(legs, &csv, columns, now_ns, error);
    }
    csv_close(&csv);
    return rc < 0 ? rc : 0;
}

static int object_add(struct legs *legs, const char *path, const json_t *object,
                      struct error *error)
{
    const char *symbol = json_string_value(json_object_get(object, "symbol"));
    const json_t *price = json_object_get(object, "price_e4");
    uint32_t hour;
    if (leg_room(legs, error) < 0) {
        return error_context(error, "%s", path);
    }
    if (symbol == NULL || !symbol_hour(symbol, &hour) || !json_is_integer(price) ||
        json_integer_value(price) < 1 || json_integer_value(price) > PRICE_MAX_E4) {
        return error_set(error, ERROR_INVALID,
                         "%s: leg %u is not {\"symbol\": \"H100.CN-GZ.G80.20261121T14Z\", "
                         "\"price_e4\": 135000}, the price in whole ten-thousandths of a yuan",
                         path, (unsigned)legs->count + 1);
    }
    struct leg_row *row = &legs->rows[legs->count++];
    *row = (struct leg_row){.price_e4 = (uint32_t)json_integer_value(price)};
    (void)snprintf(row->symbol, sizeof(row->symbol), "%s", symbol);
    return 0;
}

static int json_add(struct legs *legs, const char *path, FILE *file, struct error *error)
{
    json_error_t fault;
    json_t *array = json_loadf(file, JSON_REJECT_DUPLICATES, &fault);
    if (array == NULL) {
        return error_set(error, ERROR_INVALID, "%s:%d: %s", path, fault.line, fault.text);
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(array); i++) {
        rc = object_add(legs, path, json_array_get(array, i), error);
    }
    json_decref(array);
    return rc;
}

int legs_add_file(struct legs *legs, const char *path, int64_t now_ns, struct error *error)
{
    FILE *file = strcmp(path, "-") != 0 ? fopen(path, "r") : NULL;
    int first = 0;
    while (file != NULL && isspace(first = getc(file))) {
    }
    int rc;
    if (first == '[') {
        rewind(file);
        rc = json_add(legs, path, file, error);
    } else {
        rc = csv_add(legs, path, now_ns, error);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return rc < 0 ? error_context(error, "--legs") : 0;
}

/* --- lanes ----------------------------------------------------------------------------------------- */

static int lane_wrong(const char *text, const char *why, struct error *error)
{
    return error_set(error, ERROR_INVALID,
                     "--lane: '%.100s' %s; give CLASS/REGION/TIER, for example H100/CN-GZ/G80, and "
                     "a factor where a GPU-hour is worth less: H100/CN-NM/G80*1.05",
                     text, why);
}

int lanes_add(struct lanes *lanes, const char *text, struct error *error)
{
    char copy[TEXT_SIZE];
    const char *parts[PARTS_MAX];
    if (lanes->count == JOB_LANES_MAX) {
        return error_set(error, ERROR_INVALID, "--lane: more than %d lanes: a JOB has 1 to %d",
                         JOB_LANES_MAX, JOB_LANES_MAX);
    }
    struct lane_row *row = &lanes->rows[lanes->count];
    *row = (struct lane_row){0};
    (void)snprintf(copy, sizeof(copy), "%s", text);
    char *star = strchr(copy, '*');
    if (star != NULL) {
        int64_t factor_e4;
        *star = '\0';
        if (decimal_parse(star + 1, DECIMAL_E4_PLACES, &factor_e4) != DECIMAL_OK || factor_e4 < 1 ||
            factor_e4 > JOB_FACTOR_MAX_E4) {
            return lane_wrong(text, "has a factor that is not 0.0001 .. 100", error);
        }
        row->factor_e4 = (uint32_t)factor_e4;
    }
    if (strlen(text) >= sizeof(copy) || split(copy, parts) != 3) {
        return lane_wrong(text, "has not the three parts of a lane", error);
    }
    if (!contract_name_valid(parts[0], strlen(parts[0]))) {
        return lane_wrong(text, "begins with no class", error);
    }
    if (!contract_name_valid(parts[1], strlen(parts[1]))) {
        return lane_wrong(text, "has no region behind its class", error);
    }
    if (!tier_parse(parts[2], strlen(parts[2]), &row->tier)) {
        return lane_wrong(text, "has a tier that is not G0, G50, G80 or G100", error);
    }
    memcpy(row->class_name, parts[0], strlen(parts[0]));
    memcpy(row->region, parts[1], strlen(parts[1]));
    lanes->count++;
    return 0;
}
