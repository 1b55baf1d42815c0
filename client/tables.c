#include "client/tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/units.h"

#define LINE_SIZE   1024
#define COLUMNS_MAX 16

__extension__ typedef __int128 wide;
#define PREMIUM_UNIT ((wide)10000000000 * 1000000000) /* 10^19, data/README.md */

/* One line of a CSV file, taken apart by the names of its columns. */
struct row {
    const char *path;
    unsigned line;
    size_t count;
    char header[LINE_SIZE];
    char text[LINE_SIZE];
    char *names[COLUMNS_MAX];
    char *values[COLUMNS_MAX];
};

typedef int take_row(struct tables *tables, const struct row *row, struct error *error);

static size_t split(char *text, char *parts[COLUMNS_MAX])
{
    size_t count = 0;
    text[strcspn(text, "\r\n")] = '\0';
    for (char *part = text; part != NULL && count < COLUMNS_MAX; count++) {
        parts[count] = part;
        part = strchr(part, ',');
        if (part != NULL) {
            *part++ = '\0';
        }
    }
    return count;
}

static int take_text(const struct row *row, const char *column, char *out, size_t size,
                     struct error *error)
{
    for (size_t at = 0; at < row->count; at++) {
        if (strcmp(row->names[at], column) != 0) {
            continue;
        }
        size_t length = strlen(row->values[at]);
        if (length == 0 || length >= size) {
            return error_set(error, ERROR_INVALID, "%s:%u: %s '%s' is not 1 to %zu characters",
                             row->path, row->line, column, row->values[at], size - 1);
        }
        memcpy(out, row->values[at], length + 1);
        return 0;
    }
    return error_set(error, ERROR_INVALID, "%s: there is no column %s", row->path, column);
}

static int take_number(const struct row *row, const char *column, int64_t high, int64_t *out,
                       struct error *error)
{
    char text[32];
    int rc = take_text(row, column, text, sizeof text, error);
    if (rc != 0) {
        return rc;
    }
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < 0 || number > high) {
        return error_set(error, ERROR_INVALID, "%s:%u: %s '%s' is not a number within 0 .. %lld",
                         row->path, row->line, column, text, (long long)high);
    }
    *out = number;
    return 0;
}

static int take_number_u32(const struct row *row, const char *column, uint32_t *out,
                           struct error *error)
{
    int64_t number = 0;
    int rc = take_number(row, column, UINT32_MAX, &number, error);
    if (rc == 0) {
        *out = (uint32_t)number;
    }
    return rc;
}

static int take_tier(const struct row *row, const char *column, uint8_t *out, struct error *error)
{
    char text[8];
    int rc = take_text(row, column, text, sizeof text, error);
    if (rc == 0 && !tier_parse(text, strlen(text), out)) {
        return error_set(error, ERROR_INVALID, "%s:%u: %s '%s' is not one of G0 G50 G80 G100",
                         row->path, row->line, column, text);
    }
    return rc;
}

static int take_full(const struct row *row, size_t most, struct error *error)
{
    return error_set(error, ERROR_FULL, "%s:%u: more than %zu rows", row->path, row->line, most);
}

static int take_class(struct tables *tables, const struct row *row, struct error *error)
{
    if (tables->class_count == TABLES_CLASSES_MAX) {
        return take_full(row, TABLES_CLASSES_MAX, error);
    }
    struct tables_class *class_ = &tables->classes[tables->class_count];
    int rc = take_text(row, "name", class_->name, sizeof class_->name, error);
    rc = rc != 0 ? rc : take_number_u32(row, "lot", &class_->lot, error);
    rc = rc != 0 ? rc : take_number_u32(row, "memory_gib", &class_->memory_gib, error);
    rc = rc != 0 ? rc : take_number_u32(row, "bf16_gflops", &class_->bf16_gflops, error);
    rc = rc != 0 ? rc : take_number_u32(row, "host_power_w", &class_->host_power_w, error);
    if (rc == 0) {
        tables->class_count++;
    }
    return rc;
}

static int take_region(struct tables *tables, const struct row *row, struct error *error)
{
    if (tables->region_count == TABLES_REGIONS_MAX) {
        return take_full(row, TABLES_REGIONS_MAX, error);
    }
    struct tables_region *region = &tables->regions[tables->region_count];
    int rc = take_text(row, "name", region->name, sizeof region->name, error);
    rc = rc != 0 ? rc : take_text(row, "zone", region->zone, sizeof region->zone, error);
    rc =
        rc != 0 ? rc : take_number_u32(row, "grid_g_per_kwh_e2", &region->grid_g_per_kwh_e2, error);
    rc = rc != 0 ? rc : take_number_u32(row, "carbon_free_bp", &region->carbon_free_bp, error);
    rc = rc != 0 ? rc : take_tier(row, "highest_tier", &region->highest_tier, error);
    if (rc == 0) {
        tables->region_count++;
    }
    return rc;
}

static int take_offer(struct tables *tables, const struct row *row, struct error *error)
{
    if (tables->offer_count == TABLES_OFFERS_MAX) {
        return take_full(row, TABLES_OFFERS_MAX, error);
    }
    struct tables_offer *offer = &tables->offers[tables->offer_count];
    int rc = take_text(row, "class", offer->class_name, sizeof offer->class_name, error);
    rc = rc != 0 ? rc : take_text(row, "zone", offer->zone, sizeof offer->zone, error);
    rc = rc != 0 ? rc : take_number(row, "price_e4", PRICE_MAX_E4, &offer->price_e4, error);
    if (rc == 0) {
        tables->offer_count++;
    }
    return rc;
}

static int take_premium(struct tables *tables, const struct row *row, struct error *error)
{
    uint8_t tier;
    int rc = take_tier(row, "name", &tier, error);
    return rc != 0 ? rc
                   : take_number(row, "premium_share_bp", BP_ONE, &tables->premium_share_bp[tier],
                                 error);
}

static int take_energy(struct tables *tables, const struct row *row, struct error *error)
{
    char key[32];
    int rc = take_text(row, "key", key, sizeof key, error);
    if (rc != 0) {
        return rc;
    }
    if (strcmp(key, "carbon_price") == 0) {
        return take_number(row, "value_e4", INT32_MAX, &tables->carbon_price_e4, error);
    }
    if (strcmp(key, "pue_hub") == 0) {
        return take_number(row, "value_e4", INT32_MAX, &tables->pue_e4, error);
    }
    return 0;
}

static int load_file(struct tables *tables, const char *path, take_row *take, struct error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return error_system(error, errno, "%s", path);
    }
    struct row row = {.path = path};
    size_t column_count = 0;
    int rc = 0;
    while (rc == 0 && fgets(row.text, sizeof row.text, file) != NULL) {
        row.line++;
        if (row.text[0] == '#') {
            continue;
        }
        if (column_count == 0) {
            memcpy(row.header, row.text, sizeof row.header);
            column_count = split(row.header, row.names);
            continue;
        }
        row.count = split(row.text, row.values);
        rc = row.count == column_count
                 ? take(tables, &row, error)
                 : error_set(error, ERROR_INVALID, "%s:%u: %zu values, but the header has %zu",
                             path, row.line, row.count, column_count);
    }
    if (rc == 0 && ferror(file)) {
        rc = error_system(error, errno, "%s", path);
    }
    (void)fclose(file);
    return rc;
}

int tables_load(struct tables *tables, const char *folder, struct error *error)
{
    static const struct {
        const char *name;
        take_row *take;
    } files[] = {{"classes.csv", take_class},
                 {"regions.csv", take_region},
                 {"offers.csv", take_offer},
                 {"tiers.csv", take_premium},
                 {"energy.csv", take_energy}};
    memset(tables, 0, sizeof *tables);
    for (size_t at = 0; at < sizeof files / sizeof files[0]; at++) {
        char path[LINE_SIZE];
        int length = snprintf(path, sizeof path, "%s/%s", folder, files[at].name);
        if (length < 0 || (size_t)length >= sizeof path) {
            return error_set(error, ERROR_INVALID, "%s: the path is too long", folder);
        }
        int rc = load_file(tables, path, files[at].take, error);
        if (rc != 0) {
            return rc;
        }
    }
    if (tables->carbon_price_e4 == 0 || tables->pue_e4 == 0) {
        return error_set(error, ERROR_INVALID, "%s/energy.csv: carbon_price or pue_hub is missing",
                         folder);
    }
    return 0;
}

bool tables_price(const struct tables *tables, const struct tables_class *class_,
                  const struct tables_region *region, uint8_t tier, int64_t *price_e4)
{
    CHECK(tier < TIER_COUNT);
    for (size_t at = 0; at < tables->offer_count; at++) {
        const struct tables_offer *offer = &tables->offers[at];
        if (strcmp(offer->class_name, class_->name) != 0 ||
            strcmp(offer->zone, region->zone) != 0) {
            continue;
        }
        wide premium = (wide)class_->host_power_w * tables->pue_e4 * region->grid_g_per_kwh_e2 *
                       tables->premium_share_bp[tier] * tables->carbon_price_e4 /
                       PREMIUM_UNIT; /* rounded down */
        *price_e4 = offer->price_e4 + (int64_t)premium;
        return *price_e4 > 0;
    }
    return false;
}
