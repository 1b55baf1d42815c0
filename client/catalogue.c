#include "client/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/csv.h"
#include "client/decimal.h"
#include "client/refusal.h"
#include "client/submit.h"

enum column { CLASS, REGION, TIER, FROM, HOURS, GPUS, PRICE, RESOURCE, COLUMN_COUNT };
static const char *const column_names[COLUMN_COUNT] = {"class", "region", "tier",  "from",
                                                       "hours", "gpus",   "price", "resource"};

/* The column 'resource' may be missing when `resource` says it for all lines. */
static int header_read(struct csv *csv, int columns[COLUMN_COUNT], const char *resource,
                       struct error *error)
{
    int rc = csv_next(csv, error);
    if (rc == 0) {
        return error_set(error, ERROR_INVALID, "%s: the file is empty", csv->path);
    }
    for (int i = 0; i < COLUMN_COUNT && rc > 0; i++) {
        columns[i] = csv_column(csv, column_names[i]);
        bool spare = i == RESOURCE && columns[i] == -1 && resource != NULL;
        if (columns[i] < 0 && !spare) {
            rc = error_set(error, ERROR_INVALID,
                           "%s:%u: column '%s' %s; the first line names the columns "
                           "class,region,tier,from,hours,gpus,price,resource%s",
                           csv->path, csv->line, column_names[i],
                           columns[i] == -1 ? "is missing" : "stands twice",
                           i == RESOURCE ? " (or give --resource for all lines)" : "");
        }
    }
    return rc < 0 ? rc : 0;
}

/* A positive number; the error names line and column. */
static int number_read(const struct csv *csv, const int columns[COLUMN_COUNT], enum column column,
                       int64_t high, int64_t *number, struct error *error)
{
    int places = column == PRICE ? DECIMAL_E4_PLACES : 0;
    const char *text = csv->fields[columns[column]];
    enum decimal_result result = decimal_parse(text, places, number);
    char why[64];
    char high_text[DECIMAL_TEXT_SIZE];
    decimal_explain(result, places, why, sizeof(why));
    decimal_format(high, places, 0, high_text);
    if (result == DECIMAL_OK && *number >= 1 && *number <= high) {
        return 0;
    }
    return error_set(error, ERROR_INVALID, "%s:%u: %s '%s' %s; give %s .. %s", csv->path, csv->line,
                     column_names[column], text,
                     result != DECIMAL_OK ? why
                     : *number < 0        ? "is negative"
                                          : "is out of range",
                     column == PRICE ? "0.0001" : "1", high_text);
}

/* What the line delivers from: its own field, else what is given for all lines. */
static int resource_read(const struct csv *csv, const int columns[COLUMN_COUNT],
                         const char *otherwise, const char **resource, struct error *error)
{
    *resource = columns[RESOURCE] < 0 ? "" : csv->fields[columns[RESOURCE]];
    if ((*resource)[0] == '\0' && otherwise != NULL) {
        *resource = otherwise;
    }
    size_t length = strlen(*resource);
    if (length == 0 || length >= IDENTIFIER_SIZE) {
        return error_set(
            error, ERROR_INVALID,
            "%s:%u: resource is %s; give the id or the 算力标识 of a registered resource",
            csv->path, csv->line, length == 0 ? "empty" : "too long");
    }
    return 0;
}

static int line_read(const struct csv *csv, const int columns[COLUMN_COUNT], int64_t now_ns,
                     const char *otherwise, struct catalogue_line *line, struct error *error)
{
    uint32_t needed = 0;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        uint32_t fields = (uint32_t)(columns[i] + 1);
        needed = fields > needed ? fields : needed;
    }
    if (csv->count < needed) {
        return error_set(error, ERROR_INVALID, "%s:%u: %u fields; the header has at least %u",
                         csv->path, csv->line, csv->count, needed);
    }
    const struct symbol_parts parts = {.dashes = "",
                                       .class_name = csv->fields[columns[CLASS]],
                                       .region = csv->fields[columns[REGION]],
                                       .tier = csv->fields[columns[TIER]],
                                       .hour = csv->fields[columns[FROM]]};
    int64_t hours = 0;
    *line = (struct catalogue_line){.line = csv->line};
    int rc = symbol_complete(&parts, now_ns, line->symbol, error);
    if (rc < 0) {
        return error_context(error, "%s:%u", csv->path, csv->line);
    }
    rc = number_read(csv, columns, HOURS, CATALOGUE_HOURS_MAX, &hours, error);
    if (rc == 0) {
        rc = number_read(csv, columns, GPUS, QTY_MAX, &line->gpus, error);
    }
    if (rc == 0) {
        rc = number_read(csv, columns, PRICE, PRICE_MAX_E4, &line->price_e4, error);
    }
    const char *resource = "";
    if (rc == 0) {
        rc = resource_read(csv, columns, otherwise, &resource, error);
    }
    if (rc < 0) {
        return rc;
    }
    line->hours = (uint32_t)hours;
    CHECK(symbol_hour(line->symbol, &line->hour));
    line->resource = strdup(resource);
    CHECK(line->resource != NULL);
    return 0;
}

static int line_add(struct catalogue *catalogue, const struct catalogue_line *line,
                    struct error *error)
{
    if (catalogue->count == CATALOGUE_LINES_MAX ||
        catalogue->orders + line->hours > SUBMIT_ORDERS_MAX) {
        return error_set(error, ERROR_FULL,
                         "%s:%u: a catalogue has at most %d lines and %d hours in all; split it",
                         catalogue->path, line->line, CATALOGUE_LINES_MAX, SUBMIT_ORDERS_MAX);
    }
    if (catalogue->count == catalogue->capacity) {
        catalogue->capacity = catalogue->capacity == 0 ? 256 : catalogue->capacity * 2;
        catalogue->lines =
            realloc(catalogue->lines, catalogue->capacity * sizeof(catalogue->lines[0]));
        CHECK(catalogue->lines != NULL);
    }
    struct catalogue_line *added = &catalogue->lines[catalogue->count++];
    *added = *line;
    added->first = catalogue->orders;
    catalogue->orders += line->hours;
    return 0;
}

static void complain(struct catalogue *catalogue, FILE *complaints, const struct error *error)
{
    if (catalogue->wrong++ < CATALOGUE_COMPLAINTS_MAX) {
        (void)fprintf(complaints, "%s\n", error->text);
    }
}

int catalogue_read(struct catalogue *catalogue, const char *path, int64_t now_ns,
                   const char *resource, FILE *complaints, struct error *error)
{
    struct csv csv;
    int columns[COLUMN_COUNT];
    *catalogue = (struct catalogue){.path = path};
    int rc = csv_open(&csv, path, error);
    if (rc < 0) {
        return rc;
    }
    rc = header_read(&csv, columns, resource, error);
    while (rc == 0) {
        struct catalogue_line line;
        rc = csv_next(&csv, error);
        if (rc == 0) {
            break;
        }
        if (rc > 0) {
            rc = line_read(&csv, columns, now_ns, resource, &line, error);
            if (rc == 0) {
                rc = line_add(catalogue, &line, error);
                if (rc < 0) {
                    free(line.resource);
                }
            }
        }
        if (rc == ERROR_INVALID) {
            complain(catalogue, complaints, error);
            rc = 0;
        }
    }
    csv_close(&csv);
    if (rc == 0 && catalogue->count == 0 && catalogue->wrong == 0) {
        rc = error_set(error, ERROR_INVALID, "%s: no line behind the header", path);
    }
    return rc;
}

void catalogue_free(struct catalogue *catalogue)
{
    for (uint32_t i = 0; i < catalogue->count; i++) {
        free(catalogue->lines[i].resource);
    }
    free(catalogue->lines);
    catalogue->lines = NULL;
}

/* --- posting --------------------------------------------------------------------------------------- */

static const struct catalogue_line *line_of(const struct catalogue *catalogue, uint32_t order)
{
    uint32_t low = 0;
    uint32_t high = catalogue->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (catalogue->lines[middle].first <= order) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &catalogue->lines[low];
}

static void offer_make(void *context, uint32_t index, struct request *request)
{
    const struct catalogue_line *line = line_of(context, index);
    struct request_new_order *order = &request->new_order;
    memcpy(order->symbol, line->symbol, SYMBOL_SIZE);
    CHECK(symbol_with_hour(order->symbol, line->hour + (index - line->first)));
    order->side = SIDE_SELL;
    order->qty = line->gpus;
    order->price_e4 = line->price_e4;
    order->resource = line->resource_id;
}

/* Identifiers become ids, each looked up once. */
static int resources_find(struct cli *cli, struct catalogue *catalogue)
{
    for (uint32_t i = 0; i < catalogue->count; i++) {
        struct catalogue_line *line = &catalogue->lines[i];
        const struct catalogue_line *before = i > 0 ? &catalogue->lines[i - 1] : NULL;
        if (before != NULL && strcmp(before->resource, line->resource) == 0) {
            line->resource_id = before->resource_id;
            continue;
        }
        int status = cli_resource(cli, line->resource, &line->resource_id);
        if (status != CLI_DONE) {
            (void)fprintf(stderr, "%s:%u: nothing was sent\n", catalogue->path, line->line);
            return status;
        }
    }
    return CLI_DONE;
}

static void print_refusal(const struct cli *cli, const struct catalogue *catalogue,
                          const struct catalogue_line *line, uint32_t hour, uint32_t hours,
                          uint16_t reason)
{
    char text[SYMBOL_HOUR_SIZE];
    symbol_hour_show(hour, text);
    (void)fprintf(stderr, "%s:%u: refused, %u hour%s from %s: %s (%u): %s", catalogue->path,
                  line->line, hours, hours == 1 ? "" : "s", text, reason_name(reason), reason,
                  reason_sentence(reason));
    if (reason == REASON_UNKNOWN_SYMBOL) {
        (void)fprintf(stderr, " ['%.*s'; %s]", (int)(strrchr(line->symbol, '.') - line->symbol),
                      line->symbol, refusal_where_listed("symbol"));
    }
    (void)fputc('\n', stderr);
    if (cli->form == TABLE_JSON) {
        cli_print_json(json_pack("{ss si ss si si ss ss}", "type", "refused", "line",
                                 (int)line->line, "from", text, "hours", (int)hours, "reason",
                                 (int)reason, "reason_name", reason_name(reason), "text",
                                 reason_sentence(reason)));
    }
}

/* Runs of hours of one line that were refused for one reason are one complaint. */
static uint32_t print_refusals(const struct cli *cli, const struct catalogue *catalogue,
                               const struct submit_result *results)
{
    uint32_t refused = 0;
    for (uint32_t i = 0; i < catalogue->count; i++) {
        const struct catalogue_line *line = &catalogue->lines[i];
        for (uint32_t from = 0; from < line->hours;) {
            const struct submit_result *first = &results[line->first + from];
            uint32_t to = from + 1;
            bool bad = first->ord_status == STATUS_REJECTED;
            while (to < line->hours && results[line->first + to].ord_status == first->ord_status &&
                   results[line->first + to].reason == first->reason) {
                to++;
            }
            if (bad) {
                print_refusal(cli, catalogue, line, line->hour + from, to - from, first->reason);
                refused += to - from;
            }
            from = to;
        }
    }
    return refused;
}

static int summary_print(const struct cli *cli, const struct catalogue *catalogue,
                         const struct submit_result *results)
{
    uint32_t refused = print_refusals(cli, catalogue, results);
    int64_t filled_qty = 0;
    for (uint32_t i = 0; i < catalogue->orders; i++) {
        filled_qty += results[i].cum_qty;
    }
    if (cli->form == TABLE_JSON) {
        cli_print_json(json_pack("{ss si si si sI}", "type", "catalogue", "lines",
                                 (int)catalogue->count, "accepted",
                                 (int)(catalogue->orders - refused), "refused", (int)refused,
                                 "filled_qty", (json_int_t)filled_qty));
    } else if (cli->form == TABLE_CSV) {
        printf("lines,offers,accepted,refused,filled\n%u,%u,%u,%u,%lld\n", catalogue->count,
               catalogue->orders, catalogue->orders - refused, refused, (long long)filled_qty);
    } else {
        printf("%u lines, %u offers: %u accepted, %u refused; %lld GPU-hours sold on arrival\n",
               catalogue->count, catalogue->orders, catalogue->orders - refused, refused,
               (long long)filled_qty);
    }
    return refused > 0 ? CLI_REFUSED : CLI_DONE;
}

static int catalogue_send(struct cli *cli, struct catalogue *catalogue)
{
    int status = resources_find(cli, catalogue);
    if (status != CLI_DONE) {
        return status;
    }
    struct submit_result *results = calloc(catalogue->orders, sizeof(results[0]));
    CHECK(results != NULL);
    struct submit submit = {.cli = cli,
                            .count = catalogue->orders,
                            .make = offer_make,
                            .context = catalogue,
                            .progress = true,
                            .results = results};
    status = submit_run(&submit);
    if (status == CLI_DONE) {
        status = summary_print(cli, catalogue, results);
    }
    free(results);
    return status;
}

int catalogue_post(struct cli *cli, const char *path)
{
    struct catalogue catalogue;
    int rc = catalogue_read(&catalogue, path, cli->now_ns,
                            arguments_get(&cli->arguments, "resource"), stderr, &cli->error);
    int status = CLI_DONE;
    if (rc == 0 && catalogue.wrong > 0) {
        rc = error_set(&cli->error, ERROR_INVALID, "%s: %u of %u lines are wrong; nothing was sent",
                       path, catalogue.wrong, catalogue.wrong + catalogue.count);
    }
    if (rc < 0) {
        status = cli_usage(cli);
    } else if (arguments_given(&cli->arguments, "check")) {
        printf("%s: %u lines, %u offers, nothing wrong\n", path, catalogue.count, catalogue.orders);
    } else {
        status = cli_connect(cli);
        if (status == CLI_DONE) {
            status = catalogue_send(cli, &catalogue);
        }
    }
    catalogue_free(&catalogue);
    return status;
}
