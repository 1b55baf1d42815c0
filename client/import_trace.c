#include "client/import_trace.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/csv.h"
#include "client/decimal.h"

#define MILLI_ONE 1000

/* Names that a file has used: no node and no task may stand twice. */
struct name {
    uint32_t line;
    char text[];
};

/* A file that is being read. */
struct reader {
    struct import_trace *trace;
    struct csv csv;
    const char *const *names; /* columns that are needed */
    int columns[CSV_FIELDS_MAX];
    uint32_t column_count;
    uint32_t header_count;
    void *seen; /* tree of struct name */
};
/* Takes the line that was just read. ERROR_INVALID: it is wrong, go on. */
typedef int take_line(struct reader *reader, struct error *error);

/* --- reading ------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    const struct name *left = a;
    const struct name *right = b;
    return strcmp(left->text, right->text);
}

static int header_read(struct reader *reader, struct error *error)
{
    struct csv *csv = &reader->csv;
    int rc = csv_next(csv, error);
    if (rc == 0) {
        return error_set(error, ERROR_INVALID, "%s: the file is empty", csv->path);
    }
    for (uint32_t i = 0; i < reader->column_count && rc > 0; i++) {
        reader->columns[i] = csv_column(csv, reader->names[i]);
        if (reader->columns[i] < 0) {
            rc = error_set(error, ERROR_INVALID,
                           "%s:%u: column '%s' %s; the first line names the file's columns",
                           csv->path, csv->line, reader->names[i],
                           reader->columns[i] == -1 ? "is missing" : "stands twice");
        }
    }
    reader->header_count = csv->count;
    return rc < 0 ? rc : 0;
}

static const char *field(const struct reader *reader, int column)
{
    return reader->csv.fields[reader->columns[column]];
}

static int wrong(const struct reader *reader, int column, const char *remedy, struct error *error)
{
    return error_set(error, ERROR_INVALID, "%s:%u: %s '%.64s' %s", reader->csv.path,
                     reader->csv.line, reader->names[column], field(reader, column), remedy);
}

/* A whole number within low .. high. */
static int number(const struct reader *reader, int column, const int64_t range[2], int64_t *value,
                  struct error *error)
{
    enum decimal_result result = decimal_parse(field(reader, column), 0, value);
    if (result == DECIMAL_OK && *value >= range[0] && *value <= range[1]) {
        return 0;
    }
    char why[64];
    char remedy[160];
    decimal_explain(result, 0, why, sizeof why);
    (void)snprintf(remedy, sizeof remedy, "%s; give a whole number within %lld .. %lld",
                   result != DECIMAL_OK ? why
                   : *value < 0         ? "is negative"
                                        : "is out of range",
                   (long long)range[0], (long long)range[1]);
    return wrong(reader, column, remedy, error);
}

/* The name in a column, which no line before has. */
static int unique(struct reader *reader, int column, struct error *error)
{
    const char *text = field(reader, column);
    size_t length = strlen(text);
    if (length == 0) {
        return wrong(reader, column, "is empty; every line has a name of its own", error);
    }
    struct name *name = malloc(sizeof *name + length + 1);
    CHECK(name != NULL);
    name->line = reader->csv.line;
    memcpy(name->text, text, length + 1);
    struct name *const *found = tsearch(name, &reader->seen, by_text);
    CHECK(found != NULL);
    if (*found == name) {
        return 0;
    }
    uint32_t line = (*found)->line;
    free(name);
    return error_set(error, ERROR_INVALID,
                     "%s:%u: %s '%.64s' stands on line %u already; the first one counts",
                     reader->csv.path, reader->csv.line, reader->names[column], text, line);
}

static int read_lines(struct reader *reader, take_line *take, uint32_t counts[2], FILE *complaints,
                      struct error *error)
{
    int rc = header_read(reader, error);
    while (rc == 0) {
        rc = csv_next(&reader->csv, error);
        if (rc == 0) {
            break;
        }
        counts[0]++;
        if (rc > 0 && reader->csv.count != reader->header_count) {
            rc = error_set(error, ERROR_INVALID, "%s:%u: %u fields; the header has %u",
                           reader->csv.path, reader->csv.line, reader->csv.count,
                           reader->header_count);
        }
        if (rc > 0) {
            rc = take(reader, error);
        }
        if (rc == ERROR_INVALID) {
            if (counts[1]++ < IMPORT_COMPLAINTS_MAX) {
                (void)fprintf(complaints, "%s\n", error->text);
            }
            rc = 0;
        }
    }
    if (rc == 0 && counts[1] > IMPORT_COMPLAINTS_MAX) {
        (void)fprintf(complaints, "%s: %u more lines are wrong\n", reader->csv.path,
                      counts[1] - IMPORT_COMPLAINTS_MAX);
    }
    return rc;
}

static int read_file(struct reader *reader, const char *path, take_line *take, uint32_t counts[2],
                     FILE *complaints, struct error *error)
{
    int rc = csv_open(&reader->csv, path, error);
    if (rc < 0) {
        return rc;
    }
    rc = read_lines(reader, take, counts, complaints, error);
    csv_close(&reader->csv);
    tdestroy(reader->seen, free);
    return rc;
}

/* Room for one more of `size` bytes. */
static void *grown(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count == *capacity) {
        *capacity = *capacity == 0 ? 1024 : *capacity * 2;
        items = realloc(items, *capacity * size);
        CHECK(items != NULL);
    }
    return items;
}

/* --- models ---------------------------------------------------------------------------------------- */

static bool model_find(const struct import_models *models, const char *name, size_t length,
                       uint8_t *model)
{
    for (uint8_t i = 0; i < models->count; i++) {
        if (strlen(models->models[i].name) == length &&
            memcmp(models->models[i].name, name, length) == 0) {
            *model = i;
            return true;
        }
    }
    return false;
}

static int take_model(struct reader *reader, struct error *error)
{
    struct import_models *models = &reader->trace->models;
    if (models->count == IMPORT_MODELS_MAX) {
        return error_set(error, ERROR_FULL, "%s:%u: more than %d models", reader->csv.path,
                         reader->csv.line, IMPORT_MODELS_MAX);
    }
    for (int column = 0; column < 2; column++) {
        if (!contract_name_valid(field(reader, column), strlen(field(reader, column)))) {
            return wrong(reader, column, "is not 1 to 15 letters, digits and dashes", error);
        }
    }
    int rc = unique(reader, 0, error);
    if (rc == 0) {
        struct import_model *model = &models->models[models->count++];
        (void)snprintf(model->name, sizeof model->name, "%s", field(reader, 0));
        (void)snprintf(model->class_name, sizeof model->class_name, "%s", field(reader, 1));
    }
    return rc;
}

int import_trace_models(struct import_trace *trace, const char *path, FILE *complaints,
                        struct error *error)
{
    static const char *const names[] = {"model", "class"};
    struct reader reader = {.trace = trace, .names = names, .column_count = 2};
    uint32_t counts[2] = {0};
    int rc = read_file(&reader, path, take_model, counts, complaints, error);
    if (rc == 0 && (counts[1] > 0 || trace->models.count == 0)) {
        rc = error_set(error, ERROR_INVALID, "%s: %s", path,
                       counts[1] > 0 ? "set the lines right that are named above"
                                     : "no line behind the header");
    }
    return rc;
}

/* --- nodes ----------------------------------------------------------------------------------------- */

enum node_column { NODE_SN, NODE_GPU, NODE_MODEL, NODE_COLUMNS };

static int take_node(struct reader *reader, struct error *error)
{
    static const int64_t gpus_range[2] = {0, IMPORT_GPUS_MAX};
    struct import_trace *trace = reader->trace;
    int64_t gpus = 0;
    uint8_t model = 0;
    int rc = number(reader, NODE_GPU, gpus_range, &gpus, error);
    if (rc == 0 && gpus > 0 &&
        !model_find(&trace->models, field(reader, NODE_MODEL), strlen(field(reader, NODE_MODEL)),
                    &model)) {
        rc = wrong(reader, NODE_MODEL, "is not in the table of models (data/models.csv)", error);
    }
    rc = rc != 0 ? rc : unique(reader, NODE_SN, error);
    if (rc != 0) {
        return rc;
    }
    if (gpus == 0) {
        trace->nodes_without_gpu++;
        return 0;
    }
    if (trace->node_count == IMPORT_NODES_MAX) {
        return error_set(error, ERROR_FULL, "%s:%u: more than %d nodes", reader->csv.path,
                         reader->csv.line, IMPORT_NODES_MAX);
    }
    trace->nodes =
        grown(trace->nodes, trace->node_count, &trace->node_capacity, sizeof trace->nodes[0]);
    trace->nodes[trace->node_count++] =
        (struct import_node){.gpus = (uint32_t)gpus, .model = model};
    return 0;
}

int import_trace_nodes(struct import_trace *trace, const char *path, FILE *complaints,
                       struct error *error)
{
    static const char *const names[NODE_COLUMNS] = {"sn", "gpu", "model"};
    struct reader reader = {.trace = trace, .names = names, .column_count = NODE_COLUMNS};
    uint32_t counts[2] = {0};
    int rc = read_file(&reader, path, take_node, counts, complaints, error);
    trace->node_lines = counts[0];
    trace->nodes_wrong = counts[1];
    return rc;
}

/* --- tasks ----------------------------------------------------------------------------------------- */

enum task_column {
    TASK_NAME,
    TASK_NUM_GPU,
    TASK_GPU_MILLI,
    TASK_GPU_SPEC,
    TASK_QOS,
    TASK_CREATED,
    TASK_DELETED,
    TASK_COLUMNS
};

static int take_gpus(struct reader *reader, struct import_task *task, struct error *error)
{
    static const int64_t gpus_range[2] = {0, IMPORT_GPUS_MAX};
    static const int64_t milli_range[2] = {1, MILLI_ONE};
    int64_t gpus = 0;
    int64_t milli = 0;
    int rc = number(reader, TASK_NUM_GPU, gpus_range, &gpus, error);
    if (rc == 0 && gpus > 0) {
        rc = number(reader, TASK_GPU_MILLI, milli_range, &milli, error);
    }
    if (rc == 0 && gpus > 1 && milli < MILLI_ONE) {
        rc = wrong(reader, TASK_GPU_MILLI, "goes with one GPU only; give 1000 or num_gpu 1", error);
    }
    task->gpus = (uint32_t)gpus;
    task->fraction = gpus > 0 && milli < MILLI_ONE;
    return rc;
}

/* Alternatives between bars; one that stands twice counts once. */
static int take_spec(struct reader *reader, struct import_task *task, struct error *error)
{
    const char *at = field(reader, TASK_GPU_SPEC);
    while (*at != '\0') {
        size_t length = strcspn(at, "|");
        uint8_t model = 0;
        if (!model_find(&reader->trace->models, at, length, &model)) {
            return wrong(reader, TASK_GPU_SPEC,
                         "has an alternative that is not in the table of models (data/models.csv)",
                         error);
        }
        task->models |= UINT32_C(1) << model;
        at += length;
        if (*at == '|' && *++at == '\0') {
            return wrong(reader, TASK_GPU_SPEC, "ends with a bar; put a model behind it", error);
        }
    }
    return 0;
}

static int take_qos(struct reader *reader, struct import_task *task, struct error *error)
{
    static const char *const names[] = {"LS", "Burstable", "Guaranteed"};
    task->batch = strcmp(field(reader, TASK_QOS), "BE") == 0;
    if (task->batch) {
        return 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(field(reader, TASK_QOS), names[i]) == 0) {
            return 0;
        }
    }
    return wrong(reader, TASK_QOS, "is none of LS, BE, Burstable, Guaranteed", error);
}

static int take_task(struct reader *reader, struct error *error)
{
    static const int64_t time_range[2] = {0, IMPORT_TIME_MAX_S};
    struct import_trace *trace = reader->trace;
    struct import_task task = {.line = reader->csv.line};
    int rc = take_gpus(reader, &task, error);
    rc = rc != 0 ? rc : take_spec(reader, &task, error);
    rc = rc != 0 ? rc : take_qos(reader, &task, error);
    rc = rc != 0 ? rc : number(reader, TASK_CREATED, time_range, &task.created_s, error);
    rc = rc != 0 ? rc : number(reader, TASK_DELETED, time_range, &task.deleted_s, error);
    if (rc == 0 && task.deleted_s < task.created_s) {
        rc = wrong(reader, TASK_DELETED, "is before creation_time; a lifetime is not negative",
                   error);
    }
    rc = rc != 0 ? rc : unique(reader, TASK_NAME, error);
    if (rc != 0) {
        return rc;
    }
    if (task.gpus == 0) {
        trace->tasks_without_gpu++;
        return 0;
    }
    if (task.deleted_s == task.created_s) {
        trace->tasks_without_time++;
        return 0;
    }
    if (trace->task_count == IMPORT_TASKS_MAX) {
        return error_set(error, ERROR_FULL, "%s:%u: more than %d tasks", reader->csv.path,
                         reader->csv.line, IMPORT_TASKS_MAX);
    }
    trace->tasks =
        grown(trace->tasks, trace->task_count, &trace->task_capacity, sizeof trace->tasks[0]);
    trace->tasks[trace->task_count++] = task;
    return 0;
}

int import_trace_tasks(struct import_trace *trace, const char *path, FILE *complaints,
                       struct error *error)
{
    static const char *const names[TASK_COLUMNS] = {
        "name", "num_gpu", "gpu_milli", "gpu_spec", "qos", "creation_time", "deletion_time"};
    struct reader reader = {.trace = trace, .names = names, .column_count = TASK_COLUMNS};
    uint32_t counts[2] = {0};
    int rc = read_file(&reader, path, take_task, counts, complaints, error);
    trace->task_lines = counts[0];
    trace->tasks_wrong = counts[1];
    return rc;
}

void import_trace_init(struct import_trace *trace)
{
    memset(trace, 0, sizeof *trace);
}

void import_trace_free(struct import_trace *trace)
{
    if (trace != NULL) {
        free(trace->nodes);
        free(trace->tasks);
        memset(trace, 0, sizeof *trace);
    }
}
