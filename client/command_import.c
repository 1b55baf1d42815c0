#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "client/cli.h"
#include "client/decimal.h"
#include "client/import_send.h"

#define HORIZON_HOURS     840 /* the market's own, unless told otherwise */
#define HORIZON_HOURS_MAX 1000
#define ISLAND_NODES_MAX  1024

static const struct table_column model_columns[] = {
    {"MODEL", "model", TABLE_TEXT},       {"CLASS", "class", TABLE_TEXT},
    {"NODES", "nodes", TABLE_NUMBER},     {"GPUS", "gpus", TABLE_NUMBER},
    {"ISLANDS", "islands", TABLE_NUMBER}, {"PRICE", "price_e4", TABLE_MONEY},
    {"FROM", "from_e4", TABLE_MONEY},     {"TO", "to_e4", TABLE_MONEY},
    {"JOBS", "jobs", TABLE_NUMBER},
};
#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

struct import {
    struct import_trace trace;
    struct tables tables;
    struct import_rules rules;
    struct import_plan plan;
    char name[IMPORT_NAME_SIZE];
};

/* --- what is read -------------------------------------------------------------------------------------- */

static int rules_read(struct cli *cli, struct import_rules *rules)
{
    const struct arguments *arguments = &cli->arguments;
    const char *region = arguments_get(arguments, "region");
    int64_t horizon = HORIZON_HOURS;
    int64_t longest = IMPORT_LONGEST_HOURS;
    int64_t island = IMPORT_ISLAND_NODES;
    int rc = arguments_number(arguments, "horizon", 4, HORIZON_HOURS_MAX, &horizon, &cli->error);
    rc = rc != 0 ? rc
                 : arguments_number(arguments, "longest", 1, IMPORT_LONGEST_HOURS, &longest,
                                    &cli->error);
    rc = rc != 0 ? rc
                 : arguments_number(arguments, "island-nodes", 1, ISLAND_NODES_MAX, &island,
                                    &cli->error);
    *rules = (struct import_rules){.region = region != NULL ? region : "CN-GZ",
                                   .horizon_hours = (uint32_t)horizon - IMPORT_LATEST_HOURS,
                                   .longest_hours = (uint32_t)longest,
                                   .island_nodes = (uint32_t)island,
                                   .fold = arguments_given(arguments, "fold")};
    return rc;
}

/* The import's name: the same for the same files and rules, and for no others. */
static int name_make(struct import *import, const char *const paths[2], struct error *error)
{
    const struct import_rules *rules = &import->rules;
    uint32_t crc = 0;
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[65536];
        FILE *file = fopen(paths[i], "re");
        size_t length = 0;
        if (file == NULL) {
            return error_system(error, errno, "%s", paths[i]);
        }
        while ((length = fread(bytes, 1, sizeof bytes, file)) > 0) {
            crc = crc32c(crc, bytes, length);
        }
        int fault = ferror(file) != 0 ? errno : 0; /* a folder opens and is not read */
        (void)fclose(file);
        if (fault != 0) {
            return error_system(error, fault, "%s", paths[i]);
        }
    }
    char text[64];
    int length =
        snprintf(text, sizeof text, "%.15s %u %u %u %d", rules->region, rules->horizon_hours,
                 rules->longest_hours, rules->island_nodes, rules->fold);
    crc = crc32c(crc, text, (size_t)length);
    (void)snprintf(import->name, sizeof import->name, "trace-%08x", crc);
    return 0;
}

static int import_read(struct cli *cli, struct import *import)
{
    struct error *error = &cli->error;
    const char *const paths[2] = {arguments_get(&cli->arguments, "nodes"),
                                  arguments_get(&cli->arguments, "jobs")};
    const char *data = arguments_get(&cli->arguments, "data");
    char models[PATH_MAX];
    if (paths[0] == NULL || paths[1] == NULL) {
        return error_set(error, ERROR_INVALID, "give the trace's files: --nodes CSV --jobs CSV");
    }
    data = data != NULL ? data : "data";
    int length = snprintf(models, sizeof models, "%s/models.csv", data);
    if (length < 0 || (size_t)length >= sizeof models) {
        return error_set(error, ERROR_INVALID, "--data: the path is too long");
    }
    int rc = rules_read(cli, &import->rules);
    if (rc != 0) {
        return rc;
    }
    rc = tables_load(&import->tables, data, error);
    rc = rc != 0 ? rc : import_trace_models(&import->trace, models, stderr, error);
    if (rc != 0) {
        return error_context(error, "the product's tables (--data DIR, else data)");
    }
    rc = name_make(import, paths, error);
    rc = rc != 0 ? rc : import_trace_nodes(&import->trace, paths[0], stderr, error);
    rc = rc != 0 ? rc : import_trace_tasks(&import->trace, paths[1], stderr, error);
    return rc != 0 ? rc
                   : import_plan_make(&import->plan, &import->trace, &import->tables,
                                      &import->rules, error);
}

/* --- what is shown ------------------------------------------------------------------------------------- */

/* One figure of the summaries: a line for people, a member of one object for programs. */
struct figure {
    const char *key;
    const char *words;
    int64_t value;
    int places;  /* decimals that it is scaled by */
    bool always; /* to people too when it is 0 */
};

static void figures_print(const struct cli *cli, const char *type, const struct figure *figures,
                          uint32_t count)
{
    if (cli->form == TABLE_JSON) {
        json_t *object = json_pack("{ss}", "type", type);
        for (uint32_t i = 0; i < count; i++) {
            json_object_set_new(object, figures[i].key, json_integer(figures[i].value));
        }
        cli_print_json(object);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        char text[DECIMAL_TEXT_SIZE];
        decimal_format(figures[i].value, figures[i].places, figures[i].places, text);
        if (cli->form == TABLE_CSV) {
            (void)printf("%s,%s\n", figures[i].key, text);
            continue;
        }
        if (figures[i].always || figures[i].value != 0) {
            (void)printf("%14s  %s\n", text, figures[i].words);
        }
    }
}

static void model_print(struct table *table, const struct import_plan *plan, uint8_t model)
{
    int64_t nodes = 0;
    int64_t gpus = 0;
    int64_t islands = 0;
    int64_t jobs = 0;
    int64_t from_e4 = 0;
    int64_t to_e4 = 0;
    for (uint32_t i = 0; i < plan->island_count; i++) {
        const struct import_island *island = &plan->islands[i];
        if (island->model == model) {
            from_e4 = islands == 0 ? island->price_e4 : from_e4;
            to_e4 = island->price_e4;
            islands++;
            nodes += island->nodes;
            gpus += island->gpus;
        }
    }
    for (uint32_t i = 0; i < plan->job_count; i++) {
        jobs += plan->jobs[i].models >> model & 1;
    }
    const struct import_model *named = &plan->trace->models.models[model];
    json_t *row =
        json_pack("{ss ss sI sI sI sI sI sI sI}", "model", named->name, "class", named->class_name,
                  "nodes", (json_int_t)nodes, "gpus", (json_int_t)gpus, "islands",
                  (json_int_t)islands, "price_e4", (json_int_t)plan->price_e4[model], "from_e4",
                  (json_int_t)from_e4, "to_e4", (json_int_t)to_e4, "jobs", (json_int_t)jobs);
    table_row(table, row);
    json_decref(row);
}

static void plan_print(const struct cli *cli, const struct import *import)
{
    const struct import_trace *trace = &import->trace;
    const struct import_plan *plan = &import->plan;
    struct table table;
    table_begin(&table, stdout, cli->form, model_columns, COUNT_OF(model_columns));
    for (uint8_t model = 0; model < trace->models.count; model++) {
        if ((plan->models_used >> model & 1) != 0) {
            model_print(&table, plan, model);
        }
    }
    table_end(&table, "no nodes and no tasks");
    const struct figure figures[] = {
        {"nodes", "nodes read", trace->node_lines, 0, true},
        {"nodes_wrong", "of them wrong, left out", trace->nodes_wrong, 0, false},
        {"nodes_without_gpu", "of them without a GPU, skipped", trace->nodes_without_gpu, 0, false},
        {"tasks", "tasks read", trace->task_lines, 0, true},
        {"tasks_wrong", "of them wrong, left out", trace->tasks_wrong, 0, false},
        {"tasks_without_gpu", "of them without a GPU, skipped", trace->tasks_without_gpu, 0, false},
        {"tasks_without_time", "of them with a lifetime of 0 s, skipped", trace->tasks_without_time,
         0, false},
        {"tasks_beyond", "of them beyond the horizon, skipped (--fold compresses time)",
         plan->beyond, 0, false},
        {"tasks_nowhere", "of them for any model where no node has one, skipped", plan->nowhere, 0,
         false},
        {"tasks_ordered", "of them ordered", plan->ordered, 0, true},
        {"fractions", "of these asked for a part of a GPU and get a whole one", plan->fractions, 0,
         false},
        {"chained", "of these are longer than one JOB may be and become a chain", plan->chained, 0,
         false},
        {"links_beyond", "later JOBs of chains beyond the horizon, skipped", plan->beyond_links, 0,
         false},
        {"jobs", "JOBs in all", plan->job_count, 0, true},
        {"fold", "is what all times are divided by", plan->fold, 0, true},
        {"trace_gpu_hours", "GPU-hours in the trace, of all tasks with a GPU and a time",
         (plan->gpu_seconds + 3599) / 3600, 0, true},
        {"ordered_gpu_hours", "GPU-hours ordered", plan->gpu_hours, 0, true},
        {"offer_hours", "hours for which each island is offered", plan->hours, 0, true},
        {"offered_gpu_hours", "GPU-hours offered", (int64_t)plan->gpus * plan->hours, 0, true},
    };
    figures_print(cli, "import_plan", figures, COUNT_OF(figures));
}

static void refusals_print(const struct cli *cli, const struct import_outcome *outcome)
{
    for (uint16_t reason = 0; reason < IMPORT_REASONS; reason++) {
        if (outcome->rejected[reason] == 0) {
            continue;
        }
        if (cli->form == TABLE_JSON) {
            cli_print_json(json_pack("{ss si ss si}", "type", "import_refused", "reason",
                                     (int)reason, "reason_name", reason_name(reason), "orders",
                                     (int)outcome->rejected[reason]));
        } else if (cli->form == TABLE_CSV) {
            (void)printf("refused_%s,%u\n", reason_name(reason), outcome->rejected[reason]);
        } else {
            (void)printf("%14u  refused %s: %s\n", outcome->rejected[reason], reason_name(reason),
                         reason_sentence(reason));
        }
    }
}

static void outcome_print(const struct cli *cli, const struct import *import,
                          const struct import_outcome *outcome)
{
    const struct import_plan *plan = &import->plan;
    const struct figure figures[] = {
        {"resources", "islands registered as resources", plan->island_count, 0, true},
        {"ranges", "ranges accepted", outcome->ranges, 0, true},
        {"offers", "offers of one hour in them", outcome->offers, 0, true},
        {"jobs_accepted", "JOBs accepted", outcome->jobs, 0, true},
        {"jobs_filled", "of them filled", outcome->filled, 0, true},
        {"jobs_broken", "JOBs not sent: the one that they go on with was not filled",
         outcome->broken, 0, false},
        {"late_hours", "hours not offered: their gates had closed meanwhile",
         (int64_t)outcome->late_hours, 0, false},
        {"late_jobs", "JOBs too late: the gate of their last start had closed meanwhile",
         outcome->late_jobs, 0, false},
        {"sent_before", "orders that an earlier run had sent", outcome->before, 0, false},
        {"refused", "orders refused", outcome->refused, 0, false},
        {"matched_gpu_hours", "GPU-hours matched", outcome->gpu_hours, 0, true},
        {"matched_bp", "per cent of those ordered",
         plan->gpu_hours == 0 ? 0 : outcome->gpu_hours * BP_ONE / plan->gpu_hours, 2, true},
        {"mean_price_e4", "yuan per GPU-hour on average",
         outcome->gpu_hours == 0 ? 0 : outcome->notional_e4 / outcome->gpu_hours, DECIMAL_E4_PLACES,
         true},
        {"took_ms", "seconds for the orders", outcome->took_ns / 1000000, 3, true},
    };
    if (cli->form == TABLE_PEOPLE) {
        char hour[SYMBOL_HOUR_SIZE];
        symbol_hour_show(outcome->first_hour, hour);
        (void)printf("\n%s, from %s on\n", import->name, hour);
    }
    figures_print(cli, "import", figures, COUNT_OF(figures));
    refusals_print(cli, outcome);
}

/* --- the command --------------------------------------------------------------------------------------- */

/* The operator's key file, findable from the market's folder. */
static int key_find(struct cli *cli, const char *folder, char path[PATH_MAX])
{
    const char *name = arguments_get(&cli->arguments, "key");
    name = name != NULL ? name : getenv("KASHI_KEY") != NULL ? getenv("KASHI_KEY") : "operator";
    if (access(name, F_OK) == 0 && realpath(name, path) != NULL) {
        return 0;
    }
    char in_folder[PATH_MAX];
    (void)snprintf(in_folder, sizeof in_folder, "%.2000s/keys/%.64s.key", folder, name);
    if (realpath(in_folder, path) == NULL) {
        return error_set(&cli->error, ERROR_NOT_FOUND,
                         "--key: there is neither a file '%s' nor '%s'; an import needs an "
                         "operator's key",
                         name, in_folder);
    }
    return 0;
}

static int import_carry_out(struct cli *cli, const struct import *import)
{
    struct import_outcome outcome;
    char key[PATH_MAX];
    const char *folder = arguments_get(&cli->arguments, "dir");
    folder = folder != NULL ? folder : getenv("KASHI_DIR") != NULL ? getenv("KASHI_DIR") : "run";
    if (key_find(cli, folder, key) < 0) {
        return cli_usage(cli);
    }
    if (chdir(folder) != 0) {
        error_set(&cli->error, ERROR_NOT_FOUND,
                  "there is no folder '%s'; start a market (make run) or name its folder with "
                  "--dir",
                  folder);
        return cli_usage(cli);
    }
    const struct import_order order = {.plan = &import->plan,
                                       .name = import->name,
                                       .operator_key = key,
                                       .timeout_ms = cli->timeout_ns / 1000000,
                                       .progress = isatty(STDERR_FILENO) == 1};
    int rc = import_send(&order, &outcome, &cli->error);
    if (rc == ERROR_LOST || rc == ERROR_IO) {
        return cli_lost(cli);
    }
    if (rc != 0) {
        (void)fprintf(stderr, "refused: %s\n", cli->error.text);
        return CLI_REFUSED;
    }
    outcome_print(cli, import, &outcome);
    return outcome.refused > 0 ? CLI_REFUSED : CLI_DONE;
}

static int run_import(struct cli *cli)
{
    struct import *import = calloc(1, sizeof *import);
    if (import == NULL) {
        error_set(&cli->error, ERROR_IO, "no memory");
        return cli_usage(cli);
    }
    import_trace_init(&import->trace);
    int status = import_read(cli, import) < 0 ? cli_usage(cli) : CLI_DONE;
    if (status == CLI_DONE) {
        plan_print(cli, import);
        (void)fflush(stdout);
        if (!arguments_given(&cli->arguments, "plan")) {
            status = import_carry_out(cli, import);
        }
    }
    import_plan_free(&import->plan);
    import_trace_free(&import->trace);
    free(import);
    return status;
}

static const struct arguments_option import_options[] = {
    {"nodes", "CSV", "columns sn, gpu, model: what is offered"},
    {"jobs", "CSV",
     "columns name, num_gpu, gpu_milli, gpu_spec, qos, creation_time, deletion_time"},
    {"fold", NULL, "divide all times by the smallest number that fits the trace into the horizon"},
    {"plan", NULL, "show what would be ordered, and order nothing"},
    {"region", "REGION", "where the nodes stand (CN-GZ)"},
    {"horizon", "HOURS", "the market's horizon_hours (840)"},
    {"longest", "HOURS", "longer tasks become chains of JOBs (840)"},
    {"island-nodes", "N", "so many nodes alike are one resource (16)"},
    {"data", "DIR", "the product's tables (data)"},
    {NULL, NULL, NULL},
};

const struct arguments_command command_import_list[] = {
    {.name = "import",
     .summary = "Offer a cluster trace's nodes and order its tasks, as the operator.",
     .options = import_options,
     .examples = {"--nodes nodes.csv --jobs jobs.csv --fold --plan",
                  "--nodes data/sample_nodes.csv --jobs data/sample_jobs.csv --longest 24"},
     .run = run_import},
    {.name = NULL},
};
