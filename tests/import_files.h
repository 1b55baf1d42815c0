/* A trace's files for the tests: written from text, read, and what was said of wrong lines. Failures are
 * Criterion's. */
#ifndef KASHI_TESTS_IMPORT_FILES_H
#define KASHI_TESTS_IMPORT_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "client/import_trace.h"

#define IMPORT_FILES_NODES_HEADER "sn,cpu_milli,memory_mib,gpu,model\n"
#define IMPORT_FILES_TASKS_HEADER                                                                  \
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"            \
    "deletion_time,scheduled_time\n"
#define IMPORT_FILES_SAID_SIZE 65536

/* Complaints about lines, the file's name cut off. */
extern char import_files_said[IMPORT_FILES_SAID_SIZE];

typedef int import_files_read(struct import_trace *trace, const char *path, FILE *complaints,
                              struct error *error);

/* A new trace, with the product's models. */
void import_files_begin(struct import_trace *trace);
/* Bit of a model in a task's models. */
uint32_t import_files_bit(const struct import_trace *trace, const char *name);
/* Reads a file of these bytes; returns what `read` does. */
int import_files_bytes(import_files_read *read, struct import_trace *trace, const char *bytes,
                       size_t length, struct error *error);
/* The same of a text that must be read without an error or a complaint. */
void import_files_text(import_files_read *read, struct import_trace *trace, const char *text);

/* The path of a public trace's file, in the folder `data` of the one that KASHI_SHARED names, else
 * ../shared. False: it is not at hand. */
bool import_files_shared(const char *name, char path[512]);

#endif
