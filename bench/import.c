/* A public cluster trace straight into the engine, without sockets: 1,213 nodes offered by ranges, 7,063
 * tasks ordered as JOBs, all at one moment, by the rules of docs/operations.md. Once on the whole
 * cluster, where there is room for everything; once with long tasks cut into chains of
 * days; once on a part of it, where JOBs compete. The files stand in the folder `data` of the one that
 * KASHI_SHARED names, else ../shared; without them it says so and passes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "tests/import_market.h"

#define PART 64 /* of the nodes one in so many is enough to make JOBs compete */

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
    (void)printf("  %-28s %3" PRId64 ".%02" PRId64 " %%  (%" PRId64 " of %" PRId64 " GPU-hours)\n",
                 what, share_bp / 100, share_bp % 100, part, whole);
}

static void print_result(const char *title)
{
    int64_t mean_e4 = market.gpu_hours == 0 ? 0 : market.notional_e4 / market.gpu_hours;
    (void)printf("%s: %u nodes, %u GPUs in %u islands; %u tasks, times divided by %u\n", title,
                 trace.node_count, plan.gpus, plan.island_count, plan.ordered, plan.fold);
    (void)printf("  %-28s %" PRIu64 " ranges, %" PRIu64 " offers; %" PRIu64 " JOBs, %" PRIu64
                 " filled, %" PRIu64 " fills\n",
                 "orders", market.ranges, market.offers, market.jobs, market.filled, market.fills);
    if (plan.chained > 0) {
        (void)printf("  %-28s %u tasks; %" PRIu64 " JOBs not sent, the one before not filled\n",
                     "chains", plan.chained, market.broken);
    }
    for (uint32_t i = 0; i < IMPORT_MARKET_REASONS; i++) {
        if (market.rejected[i] > 0) {
            (void)printf("  refused %-20s %" PRIu64 "\n", reason_name((uint16_t)i),
                         market.rejected[i]);
        }
    }
    print_share("ordered GPU-hours matched", market.gpu_hours, plan.gpu_hours);
    print_share("offered GPU-hours sold", market.gpu_hours, (int64_t)plan.gpus * plan.hours);
    (void)printf("  %-28s %" PRId64 ".%04" PRId64 " yuan per GPU-hour\n", "mean price",
                 mean_e4 / E4_ONE, mean_e4 % E4_ONE);
    (void)printf("  %-28s %.3f s for the offers, %.3f s for the JOBs: %.0f JOBs/s\n", "time",
                 (double)market.range_ns / 1e9, (double)market.job_ns / 1e9,
                 (double)market.jobs * 1e9 / (double)(market.job_ns + 1));
}

static int run(const char *title, uint32_t longest_hours, struct error *error)
{
    const struct import_rules rules = {.region = "CN-GZ",
                                       .horizon_hours = 838,
                                       .longest_hours = longest_hours,
                                       .island_nodes = IMPORT_ISLAND_NODES,
                                       .fold = true};
    struct arena arena;
    struct engine_config config;
    int rc = import_plan_make(&plan, &trace, &tables, &rules, error);
    if (rc != 0) {
        return rc;
    }
    import_market_config(&plan, &config);
    size_t size = engine_memory_size(&config);
    rc = arena_init(&arena, size, ARENA_HUGE_PAGES, error);
    if (rc == 0) {
        import_market_begin(&market, &plan, arena_take(&arena, size));
        import_market_run(&market);
        print_result(title);
        import_market_free(&market);
        arena_free(&arena);
    }
    import_plan_free(&plan);
    return rc;
}

/* Every `every`th node stays. */
static void thin_out(uint32_t every)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < trace.node_count; i += every) {
        trace.nodes[count++] = trace.nodes[i];
    }
    trace.node_count = count;
}

int main(void)
{
    char nodes[512];
    char tasks[512];
    struct error error;
    (void)printf("import: a public cluster trace into the engine, one thread, no sockets\n");
    if (!find("openb_nodes.csv", nodes) || !find("openb_pods_gpuspec33.csv", tasks)) {
        (void)printf("  the trace is not at hand (KASHI_SHARED); nothing was measured\n");
        return EXIT_SUCCESS;
    }
    import_trace_init(&trace);
    int rc = tables_load(&tables, "data", &error);
    rc = rc != 0 ? rc : import_trace_models(&trace, "data/models.csv", stderr, &error);
    rc = rc != 0 ? rc : import_trace_nodes(&trace, nodes, stderr, &error);
    rc = rc != 0 ? rc : import_trace_tasks(&trace, tasks, stderr, &error);
    rc = rc != 0 ? rc : run("whole cluster", IMPORT_LONGEST_HOURS, &error);
    rc = rc != 0 ? rc : run("chains of 24 hours", 24, &error);
    if (rc == 0) {
        thin_out(PART);
        rc = run("every 64th node", IMPORT_LONGEST_HOURS, &error);
    }
    import_trace_free(&trace);
    return rc != 0 ? fail(&error) : EXIT_SUCCESS;
}
