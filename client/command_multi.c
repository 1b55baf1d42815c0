#include "client/command_multi.h"

#include <string.h>

#include "base/check.h"
#include "client/fields.h"
#include "client/legs.h"
#include "client/message_json.h"
#include "client/submit.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static const struct table_column range_columns[] = {
    {"RANGE", "order_id", TABLE_NUMBER},  {"FIRST HOUR", "symbol", TABLE_TEXT},
    {"HOURS", "hours", TABLE_NUMBER},     {"QTY", "order_qty", TABLE_NUMBER},
    {"PRICE", "price_e4", TABLE_MONEY},   {"JOB LEAD", "job_lead_hours", TABLE_NUMBER},
    {"BOND", "reserved_e4", TABLE_MONEY},
};
static const struct table_column set_columns[] = {
    {"SET", "order_id", TABLE_NUMBER},    {"LEGS", "legs", TABLE_NUMBER},
    {"QTY", "order_qty", TABLE_NUMBER},   {"FILLED", "cum_qty", TABLE_NUMBER},
    {"LEFT", "leaves_qty", TABLE_NUMBER}, {"STATUS", "ord_status", TABLE_TEXT},
    {"WHY", "reason_name", TABLE_TEXT},   {"RESERVED", "reserved_e4", TABLE_MONEY},
};
static const struct table_column ended_columns[] = {
    {"LEG ENDED", "symbol", TABLE_TEXT},
    {"LIMIT", "price_e4", TABLE_MONEY},
    {"WHY", "reason_name", TABLE_TEXT},
};
static const struct table_column job_columns[] = {
    {"JOB", "order_id", TABLE_NUMBER},    {"LANES", "lanes", TABLE_NUMBER},
    {"GPUS", "gpus", TABLE_NUMBER},       {"HOURS", "hours", TABLE_NUMBER},
    {"PRICE", "price_e4", TABLE_MONEY},   {"FILLED GPU-H", "cum_qty", TABLE_NUMBER},
    {"LEFT", "leaves_qty", TABLE_NUMBER}, {"STATUS", "ord_status", TABLE_TEXT},
    {"WHY", "reason_name", TABLE_TEXT},   {"RESERVED", "reserved_e4", TABLE_MONEY},
};
static const struct table_column quote_columns[] = {
    {"FILLED AT ONCE", "fill_qty", TABLE_NUMBER},
    {"COST", "notional_e4", TABLE_MONEY},
    {"FEE", "fee_e4", TABLE_MONEY},
    {"RESERVED", "reserved_e4", TABLE_MONEY},
    {"AT LEAST", "price_e4", TABLE_MONEY},
    {"IN", "symbol", TABLE_TEXT},
    {"FROM", "hour", TABLE_TEXT},
    {"RESOURCE", "resource", TABLE_NUMBER},
};

/* One request on its way. */
struct entry {
    struct cli *cli;
    struct request request;
    struct legs legs;
    struct lanes lanes;
    bool refused;
    struct table fills;
    struct table ended; /* legs */
    json_t *entered;    /* its report: the order as understood */
    int64_t miss_qty;
    int64_t miss_wanted_qty; /* 0: there was no miss */
    char miss_symbol[SYMBOL_SIZE];
};

static void entry_missed(struct entry *entry, const char *symbol, int64_t qty, int64_t wanted_qty)
{
    (void)snprintf(entry->miss_symbol, sizeof(entry->miss_symbol), "%s", symbol);
    entry->miss_qty = qty;
    entry->miss_wanted_qty = wanted_qty;
}

static void entry_print_miss(const struct entry *entry, FILE *out)
{
    if (entry->miss_wanted_qty > 0) {
        cli_print_miss(out, entry->miss_symbol, entry->miss_qty, entry->miss_wanted_qty);
    }
}

static void entry_make(void *context, uint32_t index, struct request *request)
{
    const struct entry *entry = context;
    (void)index;
    *request = entry->request;
}

static void entry_seen(void *context, uint32_t index, const struct message *message)
{
    struct entry *entry = context;
    const struct report *report = &message->report;
    (void)index;
    if (message->type == MESSAGE_REJECT ||
        (message->type == MESSAGE_REPORT && report->exec_type == EXEC_REJECTED)) {
        uint16_t reason = message->type == MESSAGE_REJECT ? message->reject.reason : report->reason;
        cli_refused(entry->cli, &entry->request, "", reason, message);
        entry->refused = true;
    } else if (entry->cli->form == TABLE_JSON) {
        cli_print_json(message_json(message));
    } else if (message->type == MESSAGE_REPORT && report->exec_type == EXEC_NEW &&
               entry->entered == NULL) {
        entry->entered = message_json(message);
    } else if (message->type == MESSAGE_REPORT && report->exec_type == EXEC_MISS) {
        entry_missed(entry, report->miss_symbol, report->miss_qty, report->miss_wanted_qty);
    } else if (message->type == MESSAGE_REPORT &&
               (report->exec_type == EXEC_TRADE || report->exec_type == EXEC_LEG_CANCELED)) {
        json_t *row = message_json(message);
        table_row(report->exec_type == EXEC_TRADE ? &entry->fills : &entry->ended, row);
        json_decref(row);
    }
}

static void replace_with_count(json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, key);
    if (list != NULL) {
        json_object_set_new(object, key, json_integer((json_int_t)json_array_size(list)));
    }
}

static void entry_print(struct entry *entry, const struct submit_result *result,
                        const struct table_column *columns, uint32_t column_count)
{
    struct cli *cli = entry->cli;
    struct table table;
    if (cli->form == TABLE_JSON || entry->entered == NULL) {
        return;
    }
    json_t *row = entry->entered;
    replace_with_count(row, "legs");
    replace_with_count(row, "lanes");
    if (entry->request.type != REQUEST_NEW_RANGE) {
        json_object_set_new(row, "cum_qty", json_integer(result->cum_qty));
        json_object_set_new(row, "leaves_qty", json_integer(result->leaves_qty));
        json_object_set_new(row, "ord_status", json_string(cli_status(result->ord_status)));
    }
    /* What was reserved on entry is so no longer when it has traded or ended. */
    if (entry->request.type != REQUEST_NEW_RANGE &&
        (result->cum_qty > 0 || result->leaves_qty == 0)) {
        json_object_del(row, "reserved_e4");
    }
    if (result->reason != 0) {
        json_object_set_new(row, "reason_name", json_string(reason_name(result->reason)));
    }
    table_begin(&table, stdout, cli->form, columns, column_count);
    table_row(&table, row);
    table_end(&table, "");
    if (cli->form != TABLE_PEOPLE) {
        return;
    }
    if (entry->fills.row_count > 0) {
        printf("\n");
        table_end(&entry->fills, "");
    }
    if (entry->ended.row_count > 0) {
        printf("\n");
        table_end(&entry->ended, "");
    }
    entry_print_miss(entry, stdout);
}

/* Sends the request and shows what became of it. */
static int entry_run(struct entry *entry, const struct table_column *columns, uint32_t column_count)
{
    struct submit_result result = {0};
    struct submit submit = {.cli = entry->cli,
                            .count = 1,
                            .make = entry_make,
                            .seen = entry_seen,
                            .context = entry,
                            .results = &result};
    table_begin(&entry->fills, stdout, TABLE_PEOPLE, cli_fill_columns, CLI_FILL_COLUMN_COUNT);
    table_begin(&entry->ended, stdout, TABLE_PEOPLE, ended_columns, COUNT_OF(ended_columns));
    int status = submit_run(&submit);
    if (status == CLI_DONE) {
        entry_print(entry, &result, columns, column_count);
        status = entry->refused ? CLI_REFUSED : CLI_DONE;
    }
    json_decref(entry->entered);
    return status;
}

/* Asks what it would meet now. */
static int dry_run(struct entry *entry)
{
    struct cli *cli = entry->cli;
    const struct message *answer;
    int status = cli_ask(cli, &entry->request, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    const struct quote_answer *quote = &answer->quote;
    if (quote->miss_wanted_qty > 0) {
        entry_missed(entry, quote->miss_symbol, quote->miss_qty, quote->miss_wanted_qty);
    }
    if (quote->reason != 0) {
        status = cli_refused(cli, &entry->request, "dry run", quote->reason, answer);
        if (cli->form != TABLE_JSON) {
            entry_print_miss(entry, stderr);
        }
        return status;
    }
    json_t *row = message_json(answer);
    if (cli->form == TABLE_JSON) {
        cli_print_json(row);
        return CLI_DONE;
    }
    struct table table;
    table_begin(&table, stdout, cli->form, quote_columns, COUNT_OF(quote_columns));
    table_row(&table, row);
    table_end(&table, "");
    json_decref(row);
    if (cli->form == TABLE_PEOPLE) {
        entry_print_miss(entry, stdout);
    }
    return CLI_DONE;
}

/* Good till time when a time is given, as for any order. */
static int time_in_force(struct cli *cli, uint8_t *tif, int64_t expire_time_ns)
{
    if (expire_time_ns != 0 && !arguments_given(&cli->arguments, "tif")) {
        *tif = TIF_TIME;
    }
    if (*tif == TIF_TIME && expire_time_ns == 0) {
        error_set(&cli->error, ERROR_INVALID,
                  "--expire-time is missing: --tif time ends the order then; give UTC as "
                  "2026-11-21T13:30, or +90m from now");
        return cli_usage(cli);
    }
    return CLI_DONE;
}

/* Reads the options twice: before the connection, so that wrong usage needs none, and when the
 * exchange's time is known, from which hours like +6 count. */
static int entry_prepare(struct entry *entry, int (*read)(struct entry *entry))
{
    int status = read(entry);
    if (status == CLI_DONE) {
        status = cli_connect(entry->cli);
    }
    return status == CLI_DONE ? read(entry) : status;
}

/* --- ranges ---------------------------------------------------------------------------------------- */

/* What an offer of one hour may have and a range may not. */
static int range_refuse(struct cli *cli)
{
    static const char *const single[] = {"ord-type", "tif", "min-qty", "display-qty",
                                         "expire-time"};
    for (uint32_t i = 0; i < COUNT_OF(single); i++) {
        if (arguments_given(&cli->arguments, single[i])) {
            error_set(&cli->error, ERROR_INVALID,
                      "--%s: a range (--hours above 1) enters plain limit offers good till gate, "
                      "all or none; add --each to enter an order of its own for each hour",
                      single[i]);
            return cli_usage(cli);
        }
    }
    return CLI_DONE;
}

static int range_read(struct entry *entry)
{
    struct cli *cli = entry->cli;
    int status = range_refuse(cli);
    entry->request = (struct request){.type = REQUEST_NEW_RANGE};
    if (status == CLI_DONE) {
        status = cli_symbol(cli, entry->request.new_range.symbol);
    }
    if (status == CLI_DONE &&
        fields_fill(&cli->arguments, cli->now_ns, &entry->request, &cli->error) < 0) {
        status = cli_usage(cli);
    }
    return status;
}

int command_multi_range(struct cli *cli)
{
    static struct entry entry;
    const char *resource = arguments_get(&cli->arguments, "resource");
    entry = (struct entry){.cli = cli};
    if (resource == NULL) {
        error_set(&cli->error, ERROR_INVALID,
                  "--resource is missing: an offer names what it delivers from, by id or 算力标识; "
                  "kashi list resources shows them");
        return cli_usage(cli);
    }
    int status = entry_prepare(&entry, range_read);
    if (status == CLI_DONE) {
        status = cli_resource(cli, resource, &entry.request.new_range.resource);
    }
    return status == CLI_DONE ? entry_run(&entry, range_columns, COUNT_OF(range_columns)) : status;
}

/* --- SETs ------------------------------------------------------------------------------------------ */

static int set_read(struct entry *entry)
{
    struct cli *cli = entry->cli;
    const struct arguments *arguments = &cli->arguments;
    struct request_new_set *set = &entry->request.new_set;
    int rc = 0;
    entry->request = (struct request){.type = REQUEST_NEW_SET};
    entry->legs.count = 0;
    for (uint32_t i = 0; i < arguments->count && rc == 0; i++) {
        const struct arguments_value *value = &arguments->values[i];
        if (strcmp(value->name, "leg") == 0) {
            rc = legs_add(&entry->legs, value->text, cli->now_ns, &cli->error);
        } else if (strcmp(value->name, "legs") == 0) {
            rc = legs_add_file(&entry->legs, value->text, cli->now_ns, &cli->error);
        }
    }
    if (rc == 0) {
        rc = fields_fill(arguments, cli->now_ns, &entry->request, &cli->error);
    }
    if (rc == 0 && entry->legs.count == 0) {
        rc = error_set(&cli->error, ERROR_INVALID,
                       "--leg is missing: give each alternative as SYMBOL=PRICE, for example "
                       "H100.CN-GZ.G80.20261121T14Z=13.50, or all of them in a file with --legs");
    }
    if (rc < 0) {
        return cli_usage(cli);
    }
    set->legs = entry->legs.rows;
    set->leg_count = entry->legs.count;
    return time_in_force(cli, &set->tif, set->expire_time_ns);
}

int command_multi_set(struct cli *cli)
{
    static struct entry entry;
    entry = (struct entry){.cli = cli};
    int status = entry_prepare(&entry, set_read);
    if (status != CLI_DONE) {
        return status;
    }
    return entry.request.new_set.dry_run != 0
               ? dry_run(&entry)
               : entry_run(&entry, set_columns, COUNT_OF(set_columns));
}

const char *const command_multi_set_hidden[] = {"display_qty", NULL};
const struct arguments_option command_multi_set_options[] = {
    {"qty", "GPUS", "required; GPUs in all, in whichever legs they are found"},
    {"leg", "LEG",
     "an alternative, SYMBOL=PRICE or CLASS/REGION/TIER/HOUR=PRICE; 1 to 64, or --legs"},
    {"legs", "FILE",
     "a file of legs: CSV with the columns symbol,price or class,region,tier,hour,price, or the "
     "protocol's JSON array"},
    {NULL, NULL, NULL},
};

/* --- JOBs ------------------------------------------------------------------------------------------ */

static int window_hour(struct cli *cli, const char *option, const char *meaning, uint32_t *hour)
{
    const char *text = arguments_get(&cli->arguments, option);
    if (text == NULL) {
        return error_set(&cli->error, ERROR_INVALID,
                         "--%s is missing: give the %s in UTC as 2026-11-21T14, or +6 for six "
                         "hours from now",
                         option, meaning);
    }
    int rc = symbol_hour_parse(text, cli->now_ns, hour, &cli->error);
    return rc < 0 ? error_context(&cli->error, "--%s", option) : 0;
}

static int job_read(struct entry *entry)
{
    struct cli *cli = entry->cli;
    const struct arguments *arguments = &cli->arguments;
    struct request_new_job *job = &entry->request.new_job;
    int rc = 0;
    entry->request = (struct request){.type = REQUEST_NEW_JOB};
    entry->lanes.count = 0;
    for (uint32_t i = 0; i < arguments->count && rc == 0; i++) {
        if (strcmp(arguments->values[i].name, "lane") == 0) {
            rc = lanes_add(&entry->lanes, arguments->values[i].text, &cli->error);
        }
    }
    if (rc == 0) {
        rc = fields_fill(arguments, cli->now_ns, &entry->request, &cli->error);
    }
    if (rc == 0) {
        rc = window_hour(cli, "from", "first hour in which it may start", &job->window_from);
    }
    if (rc == 0) {
        rc = window_hour(cli, "to", "hour in which it must be over", &job->window_to);
    }
    if (rc == 0 && (job->placement == PLACEMENT_SAME) != arguments_given(arguments, "same-group")) {
        rc = job->placement == PLACEMENT_SAME
                 ? error_set(&cli->error, ERROR_INVALID,
                             "--same-group is missing: with --placement same give the trade group "
                             "of the JOB that it goes on with; kashi trades shows it")
                 : error_set(&cli->error, ERROR_INVALID,
                             "--placement same is missing: --same-group goes with it alone");
    }
    if (rc == 0 && entry->lanes.count == 0) {
        rc = error_set(&cli->error, ERROR_INVALID,
                       "--lane is missing: give where it may run as CLASS/REGION/TIER, for example "
                       "H100/CN-GZ/G80");
    }
    if (rc < 0) {
        return cli_usage(cli);
    }
    job->lanes = entry->lanes.rows;
    job->lane_count = entry->lanes.count;
    return time_in_force(cli, &job->tif, job->expire_time_ns);
}

int command_multi_job(struct cli *cli)
{
    static struct entry entry;
    entry = (struct entry){.cli = cli};
    int status = entry_prepare(&entry, job_read);
    if (status != CLI_DONE) {
        return status;
    }
    return entry.request.new_job.dry_run != 0
               ? dry_run(&entry)
               : entry_run(&entry, job_columns, COUNT_OF(job_columns));
}

const char *const command_multi_job_hidden[] = {"window_from", "window_to", "min_qty",
                                                "display_qty", "post_only", NULL};
const struct arguments_option command_multi_job_options[] = {
    {"qty", "GPUS", "required; GPUs in every hour, all of them or none"},
    {"hours", "N", "required; hours on end that it runs"},
    {"price", "YUAN", "required; most for a GPU-hour on average"},
    {"from", "HOUR", "required; first hour in which it may start: 2026-11-21T14, or +6"},
    {"to", "HOUR", "required; hour in which it must be over"},
    {"lane", "LANE",
     "required; where it may run, CLASS/REGION/TIER, with *FACTOR where a GPU-hour is worth less; "
     "up to 32"},
    {NULL, NULL, NULL},
};
