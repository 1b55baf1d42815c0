/* The product's tables hold what data/README.md says of them. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/contract.h"
#include "wire/units.h"

#define ROWS_MAX   64
#define FIELDS_MAX 12
#define FIELD_SIZE 256

struct table {
    int rows;
    int columns;
    char fields[ROWS_MAX][FIELDS_MAX][FIELD_SIZE]; /* row 0: the header */
};

static struct table *read_table(const char *path)
{
    struct table *table = calloc(1, sizeof(*table));
    char line[1024];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#') {
            cr_assert_eq(table->rows, 0, "%s: comments stand at the top", path);
            continue;
        }
        line[strcspn(line, "\n")] = '\0';
        cr_assert_lt(table->rows, ROWS_MAX);
        int columns = 0;
        for (char *at = line, *field; (field = strsep(&at, ",")) != NULL; columns++) {
            cr_assert_lt(columns, FIELDS_MAX);
            cr_assert_lt(strlen(field), (size_t)FIELD_SIZE);
            cr_assert_neq(field[0], '\0', "%s: empty field in row %d", path, table->rows);
            (void)strcpy(table->fields[table->rows][columns], field);
        }
        if (table->rows == 0) {
            table->columns = columns;
        }
        cr_assert_eq(columns, table->columns, "%s: row %d", path, table->rows);
        table->rows++;
    }
    (void)fclose(file);
    return table;
}

static const char *field(const struct table *table, int row, const char *column)
{
    for (int i = 0; i < table->columns; i++) {
        if (strcmp(table->fields[0][i], column) == 0) {
            return table->fields[row][i];
        }
    }
    cr_assert(false, "no column %s", column);
    return "";
}

static int64_t number(const struct table *table, int row, const char *column)
{
    char *end;
    int64_t value = strtoll(field(table, row, column), &end, 10);
    cr_assert_eq(*end, '\0', "%s is no integer in row %d", column, row);
    return value;
}

static int find(const struct table *table, const char *column, const char *value)
{
    for (int row = 1; row < table->rows; row++) {
        if (strcmp(field(table, row, column), value) == 0) {
            return row;
        }
    }
    return 0;
}

/* "16.4" -> 164000; at most four decimals. */
static int64_t decimal_e4(const char *text)
{
    char *end;
    int64_t value = strtoll(text, &end, 10) * E4_ONE;
    if (*end == '.') {
        int64_t unit = E4_ONE;
        for (const char *digit = end + 1; *digit != '\0'; digit++) {
            unit /= 10;
            cr_assert_gt(unit, 0, "%s has more than four decimals", text);
            value += (*digit - '0') * unit;
        }
    }
    return value;
}

Test(data, classes_can_be_registered)
{
    struct table *classes = read_table("data/classes.csv");
    cr_assert_geq(classes->rows - 1, 8);
    for (int row = 1; row < classes->rows; row++) {
        const char *name = field(classes, row, "name");
        cr_assert(contract_name_valid(name, strlen(name)), "%s", name);
        cr_assert_eq(find(classes, "name", name), row, "%s stands twice", name);
        int64_t lot = number(classes, row, "lot");
        cr_assert(lot >= 1 && lot <= 1024);
        cr_assert_gt(number(classes, row, "memory_gib"), 0);
        cr_assert_gt(number(classes, row, "bf16_gflops"), 0);
        cr_assert_gt(number(classes, row, "host_power_w"), 0);
    }
    free(classes);
}

Test(data, regions_have_the_tier_that_their_carbon_free_share_reaches)
{
    struct table *regions = read_table("data/regions.csv");
    struct table *tiers = read_table("data/tiers.csv");
    cr_assert_geq(regions->rows - 1, 14);
    cr_assert_eq(tiers->rows - 1, TIER_COUNT);
    for (int row = 1; row < regions->rows; row++) {
        const char *name = field(regions, row, "name");
        const char *tier = field(regions, row, "highest_tier");
        uint8_t given;
        cr_assert(contract_name_valid(name, strlen(name)), "%s", name);
        cr_assert_eq(find(regions, "name", name), row, "%s stands twice", name);
        cr_assert(tier_parse(tier, strlen(tier), &given));
        cr_assert_gt(number(regions, row, "grid_g_per_kwh_e2"), 0);
        if (strcmp(field(regions, row, "tier_basis"), "grid share") != 0) {
            continue;
        }
        int64_t share_bp = number(regions, row, "carbon_free_bp");
        int reached = 0;
        for (int k = 1; k < tiers->rows; k++) {
            reached = number(tiers, k, "lowest_share_bp") <= share_bp ? k - 1 : reached;
        }
        cr_assert_eq(given, reached, "%s: %s", name, tier);
    }
    free(tiers);
    free(regions);
}

Test(data, offer_prices_are_in_yuan_at_the_stated_rate)
{
    struct table *offers = read_table("data/offers.csv");
    struct table *classes = read_table("data/classes.csv");
    struct table *energy = read_table("data/energy.csv");
    for (int row = 1; row < energy->rows; row++) {
        cr_assert_eq(decimal_e4(field(energy, row, "value")), number(energy, row, "value_e4"));
    }
    int64_t rate_e4 = number(energy, find(energy, "key", "usd_cny"), "value_e4");
    for (int row = 1; row < offers->rows; row++) {
        int64_t price_e4 = decimal_e4(field(offers, row, "price"));
        if (strcmp(field(offers, row, "currency"), "USD") == 0) {
            int64_t product = price_e4 * rate_e4;
            price_e4 = product / E4_ONE;
            int64_t rest = product % E4_ONE;
            price_e4 += rest > E4_ONE / 2 || (rest == E4_ONE / 2 && price_e4 % 2 == 1);
        } else {
            cr_assert_str_eq(field(offers, row, "currency"), "CNY");
        }
        cr_assert_eq(number(offers, row, "price_e4"), price_e4, "row %d: %" PRId64, row, price_e4);
        cr_assert_neq(find(classes, "name", field(offers, row, "class")), 0);
    }
    for (int row = 1; row < classes->rows; row++) {
        cr_assert_neq(find(offers, "class", field(classes, row, "name")), 0, "%s has no price",
                      field(classes, row, "name"));
    }
    free(energy);
    free(classes);
    free(offers);
}
