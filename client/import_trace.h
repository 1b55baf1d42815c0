/* A cluster trace of two CSV files, in memory: nodes (columns sn, gpu, model) and tasks (name, num_gpu,
 * gpu_milli, gpu_spec, qos, creation_time, deletion_time; seconds), as alibaba/clusterdata's
 * cluster-trace-gpu-v2023 has them; other columns are passed over. A line that is wrong is left out,
 * counted and complained about by line, column and value; a file without a column that is needed is
 * refused as a whole. One thread. */
#ifndef KASHI_CLIENT_IMPORT_TRACE_H
#define KASHI_CLIENT_IMPORT_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "wire/command.h"
#include "wire/contract.h"

#define IMPORT_MODELS_MAX     JOB_LANES_MAX /* a model accepted is a lane */
#define IMPORT_NODES_MAX      100000
#define IMPORT_TASKS_MAX      500000
#define IMPORT_GPUS_MAX       1024                /* of a node, of a task */
#define IMPORT_TIME_MAX_S     INT64_C(4294967295) /* 136 years */
#define IMPORT_COMPLAINTS_MAX 50                  /* told of each file; all are counted */

/* What the trace calls a GPU model, and the class that it is traded as (data/models.csv). */
struct import_model {
    char name[NAME_SIZE];
    char class_name[NAME_SIZE];
};
struct import_models {
    uint32_t count;
    struct import_model models[IMPORT_MODELS_MAX];
};

struct import_node {
    uint32_t gpus; /* 1 or more */
    uint8_t model; /* place in the models */
};

struct import_task {
    int64_t created_s;
    int64_t deleted_s; /* above created_s */
    uint32_t line;
    uint32_t gpus;   /* whole ones, 1 or more */
    uint32_t models; /* bit by model: those that it accepts; 0: any */
    bool fraction;   /* it asked for a part of one GPU */
    bool batch;      /* service class BE */
};

struct import_trace {
    struct import_models models;
    struct import_node *nodes; /* in the order of the file */
    struct import_task *tasks;
    uint32_t node_count;
    uint32_t node_capacity;
    uint32_t task_count;
    uint32_t task_capacity;
    uint32_t node_lines; /* read, behind the header */
    uint32_t task_lines;
    uint32_t nodes_wrong; /* lines refused */
    uint32_t tasks_wrong;
    uint32_t nodes_without_gpu; /* passed over */
    uint32_t tasks_without_gpu;
    uint32_t tasks_without_time; /* deleted in the second in which they were created */
};

/* Reads models, nodes and tasks; `complaints` gets a sentence for each wrong line. Negative when a
 * file cannot be taken at all. Free it in any case. */
int import_trace_models(struct import_trace *trace, const char *path, FILE *complaints,
                        struct error *error);
int import_trace_nodes(struct import_trace *trace, const char *path, FILE *complaints,
                       struct error *error);
int import_trace_tasks(struct import_trace *trace, const char *path, FILE *complaints,
                       struct error *error);
void import_trace_init(struct import_trace *trace);
void import_trace_free(struct import_trace *trace);

#endif
