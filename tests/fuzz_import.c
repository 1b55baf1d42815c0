/* Any bytes as a trace's files: nothing is read past its end, and what is taken makes a plan whose JOBs
 * keep to the rules. The first byte says how the rest is cut in two and by which rules it is planned.
 * libFuzzer's entry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "client/import_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct import_trace trace;
static struct import_plan plan;
static struct tables tables;
static struct import_models models;

typedef int read_file(struct import_trace *trace, const char *path, FILE *complaints,
                      struct error *error);

static int read_bytes(read_file *read, const char *header, const uint8_t *bytes, size_t size)
{
    static FILE *nowhere;
    struct error error;
    char path[32];
    int file = memfd_create("trace", MFD_CLOEXEC);
    CHECK(file >= 0);
    nowhere = nowhere != NULL ? nowhere : fopen("/dev/null", "we");
    CHECK(nowhere != NULL);
    CHECK(write(file, header, strlen(header)) == (ssize_t)strlen(header));
    CHECK(write(file, bytes, size) == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int rc = read(&trace, path, nowhere, &error);
    (void)close(file);
    return rc;
}

static void check_plan(void)
{
    for (uint32_t i = 0; i < plan.job_count; i++) {
        const struct import_job *job = &plan.jobs[i];
        CHECK(job->hours >= 1 && job->hours <= plan.rules.longest_hours && job->gpus >= 1);
        CHECK(job->window_from + job->hours <= job->window_to);
        CHECK(job->window_to <= plan.hours && plan.hours <= plan.rules.horizon_hours);
        CHECK(job->price_e4 >= 1 && job->models != 0);
        CHECK((job->placement == PLACEMENT_SAME) == (job->previous != IMPORT_NO_JOB));
        CHECK(job->previous == IMPORT_NO_JOB ||
              (job->previous + 1 == i &&
               plan.jobs[i - 1].window_from + plan.jobs[i - 1].hours == job->window_from));
    }
    CHECK(!plan.rules.fold || plan.beyond + plan.beyond_links == 0);
    CHECK(plan.ordered + plan.beyond + plan.nowhere == trace.task_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error error;
    if (models.count == 0) {
        import_trace_init(&trace);
        CHECK(tables_load(&tables, "data", &error) == 0);
        CHECK(import_trace_models(&trace, "data/models.csv", stderr, &error) == 0);
        models = trace.models;
    }
    if (size < 2) {
        return 0;
    }
    size_t cut = (size - 1) * (bytes[0] & 15) / 16;
    const struct import_rules rules = {.region = "CN-GZ",
                                       .horizon_hours = (bytes[0] & 16) != 0 ? 838 : 10,
                                       .longest_hours = (bytes[0] & 32) != 0 ? 840 : 7,
                                       .island_nodes = (bytes[0] & 64) != 0 ? 16 : 1,
                                       .fold = (bytes[0] & 128) != 0};
    import_trace_init(&trace);
    trace.models = models;
    int rc = read_bytes(import_trace_nodes, "sn,gpu,model\n", bytes + 1, cut);
    if (rc == 0) {
        rc = read_bytes(import_trace_tasks,
                        "name,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time\n",
                        bytes + 1 + cut, size - 1 - cut);
    }
    if (rc == 0 && import_plan_make(&plan, &trace, &tables, &rules, &error) == 0) {
        check_plan();
    }
    import_plan_free(&plan);
    import_trace_free(&trace);
    return 0;
}
