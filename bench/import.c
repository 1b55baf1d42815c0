/* A public cluster trace straight into the engine, without sockets: 1,213 nodes offered by ranges, 7,063
 * tasks ordered as JOBs, all at one moment, by the rules of docs/operations.md. The files stand in
 * the folder `data` of the one that KASHI_SHARED names, else ../shared; without them it says so and
 * passes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "tests/import_market.h"

static struct import_trace trace;
static struct import_plan plan;
static struct tables tables;
static struct import_market market;

static int fail(const struct error *error)
{
    (void)fprintf(stderr, "bench: %s\n", error->text);
    return EXIT_FAILURE;
}

static bool find(const char *name, char path[512])
{
    const char *folder = getenv("KASHI_SHARED");
    (void)snprintf(path, 512, "%s/data/%s", folder != NULL ? folder : "../shared", name);
    return access(path, R_OK) == 0;
}

/* Hundredths of a per cent, rounded down. */
static void print_share(const char *what, int64_t part, int64_t whole)
{
    int64_t share_bp = whole == 0 ? 0 : part * BP_ONE / whole;
    (void)printf("  %-34s %3" PRId64 ".%02" PRId64 " %%  (%" PRId64 " of %" PRId64 " GPU-hours)\n",
                 what, share_bp / 100, share_bp % 100, part, whole);
}

static void print_result(void)
{
    int64_t mean_e4 = market.gpu_hours == 0 ? 0 : market.notional_e4 / market.gpu_hours;
    (void)printf("  %u nodes, %u GPUs in %u islands; %u tasks, times divided by %u\n",
                 trace.node_count, plan.gpus, plan.island_count, plan.ordered, plan.fold);
    (void)printf("  %-34s %" PRIu64 " ranges, %" PRIu64 " offers; %" PRIu64 " JOBs, %" PRIu64
                 " filled\n",
                 "orders", market.ranges, market.offers, market.jobs, market.filled);
    for (uint32_t i = 0; i < IMPORT_MARKET_REASONS; i++) {
        if (market.rejected[i] > 0) {
            (void)printf("    refused %-26s %" PRIu64 "\n", reason_name((uint16_t)i),
                         market.rejected[i]);
        }
    }
    print_share("ordered GPU-hours matched", market.gpu_hours, plan.gpu_hours);
    print_share("offered GPU-hours sold", market.gpu_hours, (int64_t)plan.gpus * plan.hours);
    (void)printf("  %-34s %" PRId64 ".%04" PRId64 " yuan per GPU-hour\n", "mean price",
                 mean_e4 / E4_ONE, mean_e4 % E4_ONE);
    (void)printf("  %-34s %.3f s for the offers, %.3f s for the JOBs: %.0f JOBs/s\n", "time",
                 (double)market.range_ns / 1e9, (double)market.job_ns / 1e9,
                 (double)market.jobs * 1e9 / (double)(market.job_ns + 1));
}

int main(void)
{
    const struct import_rules rules = {.region = "CN-GZ",
                                       .horizon_hours = 838,
                                       .longest_hours = IMPORT_LONGEST_HOURS,
                                       .island_nodes = IMPORT_ISLAND_NODES,
                                       .fold = true};
    char nodes[512];
    char tasks[512];
    struct error error;
    struct arena arena;
    struct engine_config config;
    (void)printf("import: a public cluster trace into the engine, one thread, no sockets\n");
    if (!find("openb_nodes.csv", nodes) || !find("openb_pods_gpuspec33.csv", tasks)) {
        (void)printf("  the trace is not at hand (KASHI_SHARED); nothing was measured\n");
        return EXIT_SUCCESS;
    }
    import_trace_init(&trace);
    int rc = tables_load(&tables, "data", &error);
    rc = rc != 0 ? rc : import_trace_models(&trace, "data/models.csv", &error);
    rc = rc != 0 ? rc : import_trace_nodes(&trace, nodes, stderr, &error);
    rc = rc != 0 ? rc : import_trace_tasks(&trace, tasks, stderr, &error);
    rc = rc != 0 ? rc : import_plan_make(&plan, &trace, &tables, &rules, &error);
    if (rc != 0) {
        return fail(&error);
    }
    import_market_config(&plan, &config);
    size_t size = engine_memory_size(&config);
    if (arena_init(&arena, size, ARENA_HUGE_PAGES, &error) != 0) {
        return fail(&error);
    }
    import_market_begin(&market, &plan, arena_take(&arena, size));
    import_market_run(&market);
    print_result();
    import_market_free(&market);
    arena_free(&arena);
    import_plan_free(&plan);
    import_trace_free(&trace);
    return EXIT_SUCCESS;
}
