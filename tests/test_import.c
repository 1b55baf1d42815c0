/* A cluster trace becomes resources, offers and JOB orders by the rules that docs/operations.md states:
 * every rule on figures worked out by hand, and the whole of a public trace, where its files are at
 * hand, against a count of its own. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/import_plan.h"
#include "tests/import_files.h"
#include "wire/units.h"

static struct import_trace trace;
static struct import_plan plan;
static struct tables tables;
static struct error error;

static void begin(void)
{
    import_files_begin(&trace);
    memset(&plan, 0, sizeof plan);
    cr_assert_eq(tables_load(&tables, "data", &error), 0, "%s", error.text);
}

static void end(void)
{
    import_plan_free(&plan);
    import_trace_free(&trace);
}

/* A trace of these lines, all of them right, and its plan. */
static void plan_of(const char *nodes, const char *tasks, const struct import_rules *rules)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "%s%s", IMPORT_FILES_NODES_HEADER, nodes);
    import_files_text(import_trace_nodes, &trace, text);
    (void)snprintf(text, sizeof text, "%s%s", IMPORT_FILES_TASKS_HEADER, tasks);
    import_files_text(import_trace_tasks, &trace, text);
    cr_assert_eq(import_plan_make(&plan, &trace, &tables, rules, &error), 0, "%s", error.text);
}

static struct import_rules rules(void)
{
    return (struct import_rules){.region = "CN-GZ",
                                 .horizon_hours = 840,
                                 .longest_hours = 840,
                                 .island_nodes = IMPORT_ISLAND_NODES};
}

static uint32_t bit(const char *name)
{
    return import_files_bit(&trace, name);
}

static void window(uint32_t job, uint32_t from, uint32_t to, uint32_t hours)
{
    cr_assert_lt(job, plan.job_count);
    cr_assert_eq(plan.jobs[job].window_from, from, "job %u from %u", job,
                 plan.jobs[job].window_from);
    cr_assert_eq(plan.jobs[job].window_to, to, "job %u to %u", job, plan.jobs[job].window_to);
    cr_assert_eq(plan.jobs[job].hours, hours, "job %u hours %u", job, plan.jobs[job].hours);
}

/* --- the plan's rules ------------------------------------------------------------------------------ */

Test(plan, starts_round_down_and_lifetimes_up_to_hours, .init = begin, .fini = end)
{
    const struct import_rules by = rules();
    plan_of("n,1,1,8,T4\n",
            "a,1,1,1,1000,T4,LS,R,1000,4600,0\n" /* the trace begins here: one hour exactly */
            "b,1,1,2,1000,T4,LS,R,4599,8200,0\n" /* still hour 0; 3601 s are two hours */
            "c,1,1,1,200,T4,LS,R,4600,4601,0\n", /* hour 1; a second is an hour */
            &by);
    cr_assert_eq(plan.fold, 1);
    cr_assert_eq(plan.job_count, 3);
    window(0, 0, 1, 1);
    window(1, 0, 2, 2);
    window(2, 1, 2, 1);
    cr_assert_eq(plan.jobs[1].gpus, 2);
    cr_assert_eq(plan.jobs[2].gpus, 1, "a fraction is a whole GPU");
    cr_assert_eq(plan.fractions, 1);
    cr_assert_eq(plan.ordered, 3);
    cr_assert_eq(plan.gpu_hours, 1 + 4 + 1);
    cr_assert_eq(plan.gpu_seconds, 3600 + 2 * 3601 + 1);
    cr_assert_eq(plan.hours, 2);
}

Test(plan, latency_sensitive_tasks_start_at_once_on_one_site_and_batch_waits_anywhere,
     .init = begin, .fini = end)
{
    struct import_rules by = rules();
    by.horizon_hours = 30;
    plan_of("n,1,1,8,T4\n",
            "a,1,1,1,1000,,LS,R,0,7200,0\nb,1,1,1,1000,,Burstable,R,0,7200,0\n"
            "c,1,1,1,1000,,Guaranteed,R,0,7200,0\nd,1,1,1,1000,,BE,R,3600,10800,0\n"
            "e,1,1,1,1000,,BE,R,18000,25200,0\n",
            &by);
    cr_assert_eq(plan.job_count, 5);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(plan.jobs[i].placement, PLACEMENT_SITE);
        window(i, 0, 2, 2);
    }
    cr_assert_eq(plan.jobs[3].placement, PLACEMENT_ANY);
    window(3, 1, 1 + 2 + 24, 2);
    window(4, 5, 30, 2); /* 5 + 2 + 24 is behind the horizon */
    cr_assert_eq(plan.hours, 30);
}

Test(plan, jobs_stand_in_the_order_of_creation_then_of_the_file, .init = begin, .fini = end)
{
    const struct import_rules by = rules();
    plan_of("n,1,1,8,T4\n",
            "a,1,1,1,1000,,LS,R,50,60,0\nb,1,1,1,1000,,LS,R,20,60,0\nc,1,1,1,1000,,LS,R,50,60,0\n",
            &by);
    cr_assert_eq(plan.jobs[0].line, 3);
    cr_assert_eq(plan.jobs[1].line, 2);
    cr_assert_eq(plan.jobs[2].line, 4);
}

Test(plan, accepted_models_are_lanes_and_none_named_means_all_that_have_nodes, .init = begin,
     .fini = end)
{
    const struct import_rules by = rules();
    uint32_t classes[IMPORT_MODELS_MAX];
    plan_of("n,1,1,8,T4\nm,1,1,2,P100\n",
            "a,1,1,1,1000,V100M16|V100M32|V100M32,LS,R,0,60,0\nb,1,1,1,1000,,LS,R,0,60,0\n", &by);
    cr_assert_eq(plan.jobs[0].models, bit("V100M16") | bit("V100M32"));
    cr_assert_eq(plan.jobs[1].models, bit("T4") | bit("P100"));
    cr_assert_eq(plan.tables.class_count, 4, "the classes in use, and no other");
    cr_assert_eq(plan.tables.region_count, 1);
    cr_assert_eq(import_plan_lanes(&plan, &plan.jobs[0], classes), 2);
    cr_assert_str_eq(plan.tables.classes[classes[0]].name, "V100M16");
    cr_assert_str_eq(plan.tables.classes[classes[1]].name, "V100M32");
}

Test(plan, two_models_of_one_class_are_one_lane, .init = begin, .fini = end)
{
    const struct import_rules by = rules();
    uint32_t classes[IMPORT_MODELS_MAX];
    (void)strcpy(trace.models.models[1].class_name, trace.models.models[0].class_name);
    plan_of("n,1,1,8,T4\nm,1,1,2,P100\n", "a,1,1,1,1000,P100|T4,LS,R,0,60,0\n", &by);
    cr_assert_eq(import_plan_lanes(&plan, &plan.jobs[0], classes), 1);
    cr_assert_str_eq(plan.tables.classes[classes[0]].name, "T4");
}

/* T4 2.5159, P100 0.3594, G3 5.47 in data/offers.csv. */
Test(plan, prices_follow_the_table_by_the_stated_shares, .init = begin, .fini = end)
{
    struct import_rules by = rules();
    by.island_nodes = 1;
    plan_of("a,1,1,2,T4\nb,1,1,2,T4\nc,1,1,2,T4\nd,1,1,1,P100\n",
            "a,1,1,1,1000,T4,LS,R,0,60,0\nb,1,1,1,1000,T4,BE,R,0,60,0\n"
            "c,1,1,1,1000,P100|T4,LS,R,0,60,0\nd,1,1,1,1000,,BE,R,0,60,0\n"
            "e,1,1,1,1000,G3,LS,R,0,60,0\n",
            &by);
    cr_assert_eq(plan.islands[0].price_e4, 23901); /* 25159 × 0.95 = 23901.05 */
    cr_assert_eq(plan.islands[1].price_e4, 25159);
    cr_assert_eq(plan.islands[2].price_e4, 26416); /* 25159 × 1.05 = 26416.95 */
    cr_assert_eq(plan.islands[3].price_e4, 3594, "the only one of its class");
    cr_assert_eq(plan.jobs[0].price_e4, 27674); /* × 1.10 = 27674.9 */
    cr_assert_eq(plan.jobs[1].price_e4, 24655); /* × 0.98 = 24655.82 */
    cr_assert_eq(plan.jobs[2].price_e4, 27674, "the dearest accepted class counts");
    cr_assert_eq(plan.jobs[3].price_e4, 24655);
    cr_assert_eq(plan.jobs[4].price_e4, 60170); /* 54700 × 1.10 */
    cr_assert_eq(plan.hours, 25);
    cr_assert_eq(plan.offer_e4, 25 * (2 * (INT64_C(23901) + 25159 + 26416) + 3594));
    cr_assert_eq(plan.bid_e4, 2 * (INT64_C(27674) + 24655) + 60170);
}

Test(plan, islands_are_nodes_alike_in_the_order_of_the_file, .init = begin, .fini = end)
{
    struct import_rules by = rules();
    by.island_nodes = 3;
    plan_of(
        "a,1,1,2,P100\nb,1,1,8,T4\nc,1,1,2,T4\nd,1,1,2,T4\ne,1,1,2,T4\nf,1,1,8,T4\ng,1,1,2,T4\n",
        "a,1,1,1,1000,,LS,R,0,60,0\n", &by);
    static const struct import_island islands[] = {
        {.gpus = 16, .nodes = 2}, {.gpus = 6, .nodes = 3}, {.gpus = 2, .nodes = 1}};
    cr_assert_eq(plan.island_count, 4);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(UINT32_C(1) << plan.islands[i].model, bit("T4"));
        cr_assert_eq(plan.islands[i].gpus, islands[i].gpus, "island %u", i);
        cr_assert_eq(plan.islands[i].nodes, islands[i].nodes, "island %u", i);
    }
    cr_assert_eq(UINT32_C(1) << plan.islands[3].model, bit("P100"));
    cr_assert_eq(plan.gpus, 26);
}

/* With a horizon of 10 hours a span of 9 fits as it is: nine hours and one for rounding. */
Test(plan, fold_is_the_smallest_divisor_that_fits_the_trace_into_the_horizon, .init = begin,
     .fini = end)
{
    struct import_rules by = rules();
    by.horizon_hours = 10;
    by.fold = true;
    plan_of("n,1,1,8,T4\n", "a,1,1,1,1000,,LS,R,100,32500,0\n", &by);
    cr_assert_eq(plan.fold, 1);
    end();
    begin();
    plan_of("n,1,1,8,T4\n", "a,1,1,1,1000,,LS,R,100,32501,0\n", &by);
    cr_assert_eq(plan.fold, 2);
    window(0, 0, 5, 5); /* 32401 s in units of 7200 */
    end();
    begin();
    /* 100 hours: 100 / 12 is 8.33, so 9 + 1 hours; 100 / 11 is 9.09, too long. */
    plan_of("n,1,1,8,T4\n", "a,1,1,1,1000,,LS,R,0,3600,0\nb,1,1,4,1000,,LS,R,320400,360000,0\n",
            &by);
    cr_assert_eq(plan.fold, 12);
    window(0, 0, 1, 1);
    window(1, 7, 8, 1); /* 89 h / 12 is 7; 11 h are one unit of 12 */
    cr_assert_eq(plan.beyond, 0);
    cr_assert_eq(plan.gpu_hours, 5);
    cr_assert_eq(plan.gpu_seconds, 3600 + 4 * 11 * 3600, "as it stands in the trace");
}

Test(plan, without_fold_what_ends_beyond_the_horizon_is_left_out_and_counted, .init = begin,
     .fini = end)
{
    struct import_rules by = rules();
    by.horizon_hours = 10;
    plan_of("n,1,1,8,T4\n",
            "a,1,1,1,1000,,LS,R,0,3600,0\nb,1,1,1,500,,LS,R,32400,36000,0\n"
            "c,1,1,4,1000,,LS,R,32400,36001,0\nd,1,1,1,1000,,BE,R,36000,36001,0\n",
            &by);
    cr_assert_eq(plan.job_count, 2);
    window(1, 9, 10, 1);
    cr_assert_eq(plan.ordered, 2);
    cr_assert_eq(plan.beyond, 2);
    cr_assert_eq(plan.beyond_gpu_hours, 4 * 2 + 1);
}

/* 60 hours in links of 24: 24, 24 and 12, each where the one before ran. */
Test(plan, a_longer_lifetime_becomes_a_chain_on_one_resource, .init = begin, .fini = end)
{
    struct import_rules by = rules();
    by.longest_hours = 24;
    plan_of("n,1,1,8,T4\n",
            "a,1,1,2,1000,T4,BE,R,0,216000,0\nb,1,1,1,1000,T4,LS,R,3600,176400,0\n"
            "c,1,1,1,1000,T4,BE,R,7200,93600,0\n",
            &by);
    cr_assert_eq(plan.job_count, 3 + 2 + 1);
    window(0, 0, 24, 24); /* a: no slack in a chain, whatever its class */
    window(1, 24, 48, 24);
    window(2, 48, 60, 12);
    window(3, 1, 25, 24); /* b: 48 hours */
    window(4, 25, 49, 24);
    window(5, 2, 50, 24); /* c: 24 hours are no chain */
    static const uint8_t placements[] = {PLACEMENT_SITE, PLACEMENT_SAME, PLACEMENT_SAME,
                                         PLACEMENT_SITE, PLACEMENT_SAME, PLACEMENT_ANY};
    static const uint32_t previous[] = {IMPORT_NO_JOB, 0, 1, IMPORT_NO_JOB, 3, IMPORT_NO_JOB};
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert_eq(plan.jobs[i].placement, placements[i], "job %u", i);
        cr_assert_eq(plan.jobs[i].previous, previous[i], "job %u", i);
    }
    cr_assert_eq(plan.jobs[2].link, 2);
    cr_assert_eq(plan.chained, 2);
    cr_assert_eq(plan.ordered, 3);
    cr_assert_eq(plan.gpu_hours, 120 + 48 + 24);
}

Test(plan, links_that_end_beyond_the_horizon_are_left_out_and_counted, .init = begin, .fini = end)
{
    struct import_rules by = rules();
    by.horizon_hours = 50;
    /* 2000 hours of 2 GPUs: one link of the whole horizon, 39 more behind it. */
    plan_of("n,1,1,8,T4\n", "a,1,1,2,1000,T4,LS,R,0,7200000,0\n", &by);
    cr_assert_eq(plan.job_count, 1);
    window(0, 0, 50, 50);
    cr_assert_eq(plan.chained, 1);
    cr_assert_eq(plan.beyond, 0);
    cr_assert_eq(plan.beyond_links, 39);
    cr_assert_eq(plan.beyond_gpu_hours, 2 * 1950);
    cr_assert_eq(plan.gpu_hours, 100);
}

Test(plan, ranges_have_at_most_840_hours, .init = begin, .fini = end)
{
    struct import_rules by = rules();
    by.horizon_hours = 1000;
    plan_of("n,1,1,8,T4\n", "a,1,1,1,1000,T4,LS,R,0,3240000,0\n", &by); /* 900 hours */
    cr_assert_eq(plan.job_count, 2);
    window(0, 0, 840, 840);
    window(1, 840, 900, 60);
    cr_assert_eq(plan.hours, 900);
    cr_assert_eq(import_range_hours(&plan, 0), 840);
    cr_assert_eq(import_range_hours(&plan, 840), 60);
}

Test(plan, a_task_that_accepts_any_model_is_left_out_where_there_is_none, .init = begin,
     .fini = end)
{
    const struct import_rules by = rules();
    plan_of("", "a,1,1,1,1000,,LS,R,0,60,0\nb,1,1,1,1000,T4,LS,R,0,60,0\n", &by);
    cr_assert_eq(plan.nowhere, 1);
    cr_assert_eq(plan.ordered, 1);
    cr_assert_eq(plan.island_count, 0);
}

Test(plan, what_the_tables_lack_is_named, .init = begin, .fini = end)
{
    struct import_rules by = rules();
    static const char *const models[][2] = {
        {"H100", "model T4 is traded as H100, which is sold in lots of 8"},
        {"X1", "model T4 is traded as X1, which is not in data/classes.csv"},
    };
    plan_of("n,1,1,8,T4\n", "", &by);
    cr_assert_eq(plan.job_count, 0);
    cr_assert_eq(plan.hours, 0);
    import_plan_free(&plan);
    by.region = "CN-XX";
    cr_assert_lt(import_plan_make(&plan, &trace, &tables, &by, &error), 0);
    cr_assert_not_null(strstr(error.text, "region 'CN-XX' is not in data/regions.csv"));
    for (size_t i = 0; i < 2; i++) {
        by.region = "CN-GZ";
        (void)strcpy(trace.models.models[0].class_name, models[i][0]);
        cr_assert_lt(import_plan_make(&plan, &trace, &tables, &by, &error), 0);
        cr_assert_not_null(strstr(error.text, models[i][1]), "%s", error.text);
    }
    by.region = "SE";
    (void)strcpy(trace.models.models[0].class_name, "A10");
    cr_assert_lt(import_plan_make(&plan, &trace, &tables, &by, &error), 0);
    cr_assert_not_null(strstr(error.text, "class A10 has no price for region SE"), "%s",
                       error.text);
}

/* --- whole files ----------------------------------------------------------------------------------- */

Test(sample, the_demo_s_trace_has_something_of_everything, .init = begin, .fini = end)
{
    struct import_rules by = rules();
    by.longest_hours = 24;
    cr_assert_eq(import_trace_nodes(&trace, "data/sample_nodes.csv", stderr, &error), 0, "%s",
                 error.text);
    cr_assert_eq(import_trace_tasks(&trace, "data/sample_jobs.csv", stderr, &error), 0, "%s",
                 error.text);
    cr_assert_eq(import_plan_make(&plan, &trace, &tables, &by, &error), 0, "%s", error.text);
    cr_assert_eq(trace.nodes_wrong + trace.tasks_wrong, 0);
    cr_assert_eq(trace.nodes_without_gpu, 1);
    cr_assert_eq(trace.tasks_without_gpu, 2);
    cr_assert_eq(trace.tasks_without_time, 1);
    cr_assert_eq(plan.models_owned, plan.models_used);
    cr_assert_eq(plan.ordered, trace.task_count);
    cr_assert_gt(plan.fractions, 0);
    cr_assert_gt(plan.chained, 0);
    cr_assert_eq(plan.beyond + plan.beyond_links, 0);
    cr_assert_leq(plan.hours, 72);
}

/* What a reading by commas alone counts in the same files. */
struct recount {
    uint32_t nodes;
    uint32_t gpus;
    uint32_t tasks;
    uint32_t without_gpu;
    uint32_t without_time;
    uint32_t fractions;
    uint32_t batch;
    uint32_t beyond; /* at a horizon of 838 hours, without folding */
    uint32_t long_ones;
    int64_t last_s;
    int64_t gpu_seconds;
    int64_t folded_gpu_hours; /* all times divided by 5 */
};

#define FIELDS_MAX 11

static void recount_task(struct recount *count, char *fields[FIELDS_MAX])
{
    int64_t gpus = atoll(fields[3]);
    int64_t created_s = atoll(fields[8]);
    int64_t lifetime_s = atoll(fields[9]) - created_s;
    count->tasks++;
    if (gpus == 0 || lifetime_s == 0) {
        count->without_gpu += gpus == 0;
        count->without_time += gpus > 0;
        return;
    }
    int64_t hours = lifetime_s / 3600 + (lifetime_s % 3600 > 0);
    int64_t first_hours = hours < 838 ? hours : 838;
    count->fractions += strcmp(fields[4], "1000") != 0;
    count->batch += strcmp(fields[6], "BE") == 0;
    count->beyond += created_s / 3600 + first_hours > 838;
    count->long_ones += hours > 838 && created_s / 3600 + first_hours <= 838;
    count->gpu_seconds += lifetime_s * gpus;
    count->folded_gpu_hours += (lifetime_s / 18000 + (lifetime_s % 18000 > 0)) * gpus;
    count->last_s = created_s + lifetime_s > count->last_s ? created_s + lifetime_s : count->last_s;
}

static void recount(const char *nodes, const char *tasks, struct recount *count)
{
    const char *paths[2] = {nodes, tasks};
    memset(count, 0, sizeof *count);
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "r");
        char line[1024];
        cr_assert_not_null(file);
        cr_assert_not_null(fgets(line, sizeof line, file));
        while (fgets(line, sizeof line, file) != NULL) {
            char *fields[FIELDS_MAX] = {NULL};
            char *at = line;
            for (int k = 0; k < FIELDS_MAX && at != NULL; k++) {
                fields[k] = strsep(&at, ",");
            }
            if (i == 0) {
                count->nodes++;
                count->gpus += (uint32_t)atoi(fields[3]);
            } else {
                recount_task(count, fields);
            }
        }
        (void)fclose(file);
    }
}

Test(shared, the_whole_public_trace_counts_as_a_plain_reading_of_it, .init = begin, .fini = end)
{
    char nodes[512];
    char tasks[512];
    if (!import_files_shared("openb_nodes.csv", nodes) ||
        !import_files_shared("openb_pods_gpuspec33.csv", tasks)) {
        (void)printf("test_import: the public trace is not at hand (KASHI_SHARED); passed over\n");
        return;
    }
    struct recount count;
    struct import_rules by = rules();
    recount(nodes, tasks, &count);
    cr_assert_eq(import_trace_nodes(&trace, nodes, stderr, &error), 0, "%s", error.text);
    cr_assert_eq(import_trace_tasks(&trace, tasks, stderr, &error), 0, "%s", error.text);
    cr_assert_eq(trace.nodes_wrong + trace.tasks_wrong, 0);
    cr_assert_eq(trace.node_lines, count.nodes);
    cr_assert_eq(trace.task_lines, count.tasks);
    cr_assert_eq(trace.tasks_without_gpu, count.without_gpu);
    cr_assert_eq(trace.tasks_without_time, count.without_time);
    const uint32_t ordered = count.tasks - count.without_gpu - count.without_time;

    by.horizon_hours = 838;
    cr_assert_eq(import_plan_make(&plan, &trace, &tables, &by, &error), 0, "%s", error.text);
    cr_assert_eq(plan.beyond, count.beyond);
    cr_assert_eq(plan.ordered, ordered - count.beyond);
    cr_assert_eq(plan.chained, count.long_ones);
    cr_assert_eq(plan.gpu_seconds, count.gpu_seconds);
    import_plan_free(&plan);

    by.fold = true;
    cr_assert_eq(import_plan_make(&plan, &trace, &tables, &by, &error), 0, "%s", error.text);
    cr_assert_eq(plan.fold, 5, "%" PRId64 " s", count.last_s);
    cr_assert_eq(plan.gpus, count.gpus);
    cr_assert_eq(plan.ordered, ordered);
    cr_assert_eq(plan.job_count, plan.ordered);
    cr_assert_eq(plan.fractions, count.fractions);
    cr_assert_eq(plan.gpu_hours, count.folded_gpu_hours);
    uint32_t batch = 0;
    for (uint32_t i = 0; i < plan.job_count; i++) {
        batch += plan.jobs[i].placement == PLACEMENT_ANY;
    }
    cr_assert_eq(batch, count.batch);
}
