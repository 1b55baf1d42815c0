#include "client/import_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/units.h"

#define SECONDS_PER_HOUR INT64_C(3600)

static int64_t divided_up(int64_t number, int64_t by)
{
    return (number + by - 1) / by;
}

/* --- what is traded --------------------------------------------------------------------------------- */

static const struct tables_class *class_find(const struct tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->class_count; i++) {
        if (strcmp(tables->classes[i].name, name) == 0) {
            return &tables->classes[i];
        }
    }
    return NULL;
}

static int region_take(struct import_plan *plan, const struct tables *tables, struct error *error)
{
    for (size_t i = 0; i < tables->region_count; i++) {
        if (strcmp(tables->regions[i].name, plan->rules.region) == 0) {
            plan->tables.regions[0] = tables->regions[i];
            plan->tables.region_count = 1;
            return 0;
        }
    }
    return error_set(error, ERROR_INVALID, "region '%s' is not in data/regions.csv",
                     plan->rules.region);
}

/* The class of a model goes into the plan's tables, once, and its price is noted. */
static int class_take(struct import_plan *plan, const struct tables *tables, uint8_t model,
                      struct error *error)
{
    const struct import_model *named = &plan->trace->models.models[model];
    const struct tables_class *class_ = class_find(tables, named->class_name);
    if (class_ == NULL) {
        return error_set(error, ERROR_INVALID,
                         "model %s is traded as %s, which is not in data/classes.csv", named->name,
                         named->class_name);
    }
    if (class_->lot != 1) {
        return error_set(error, ERROR_INVALID,
                         "model %s is traded as %s, which is sold in lots of %u; tasks need single "
                         "GPUs: name a class with lot 1",
                         named->name, named->class_name, class_->lot);
    }
    if (!tables_price(tables, class_, &plan->tables.regions[0], TIER_G0, &plan->price_e4[model])) {
        return error_set(error, ERROR_INVALID,
                         "class %s has no price for region %s in data/offers.csv", class_->name,
                         plan->rules.region);
    }
    const struct tables_class *taken = class_find(&plan->tables, class_->name);
    plan->class_of[model] = taken != NULL ? (uint32_t)(taken - plan->tables.classes)
                                          : (uint32_t)plan->tables.class_count;
    if (taken == NULL) {
        plan->tables.classes[plan->tables.class_count++] = *class_;
    }
    return 0;
}

static int tables_take(struct import_plan *plan, const struct tables *tables, struct error *error)
{
    plan->tables = *tables; /* prices, tiers, carbon */
    plan->tables.class_count = 0;
    int rc = region_take(plan, tables, error);
    for (uint32_t i = 0; i < plan->trace->node_count; i++) {
        plan->models_owned |= UINT32_C(1) << plan->trace->nodes[i].model;
    }
    plan->models_used = plan->models_owned;
    for (uint32_t i = 0; i < plan->trace->task_count; i++) {
        plan->models_used |= plan->trace->tasks[i].models;
    }
    for (uint8_t model = 0; rc == 0 && model < plan->trace->models.count; model++) {
        if ((plan->models_used >> model & 1) != 0) {
            rc = class_take(plan, tables, model, error);
        }
    }
    return rc;
}

/* --- islands ---------------------------------------------------------------------------------------- */

/* Nodes of one model with equally many GPUs, in the order of the file, so many to an island. */
static void islands_fill(struct import_plan *plan, uint8_t model, uint32_t gpus)
{
    const struct import_trace *trace = plan->trace;
    struct import_island *island = NULL;
    for (uint32_t i = 0; i < trace->node_count; i++) {
        if (trace->nodes[i].model != model || trace->nodes[i].gpus != gpus) {
            continue;
        }
        if (island == NULL || island->nodes == plan->rules.island_nodes) {
            island = &plan->islands[plan->island_count++];
            *island = (struct import_island){.model = model};
        }
        island->nodes++;
        island->gpus += gpus;
        plan->gpus += gpus;
    }
}

static void islands_price(struct import_plan *plan, uint32_t from)
{
    uint32_t count = plan->island_count - from;
    for (uint32_t i = 0; i < count; i++) {
        struct import_island *island = &plan->islands[from + i];
        int64_t share_bp =
            count == 1 ? BP_ONE
                       : IMPORT_OFFER_FROM_BP + IMPORT_OFFER_OVER_BP * (int64_t)i / (count - 1);
        island->price_e4 = plan->price_e4[island->model] * share_bp / BP_ONE; /* rounded down */
        island->price_e4 = island->price_e4 > 0 ? island->price_e4 : 1;
    }
}

static void islands_make(struct import_plan *plan)
{
    const struct import_trace *trace = plan->trace;
    plan->islands = calloc(trace->node_count + 1U, sizeof plan->islands[0]);
    CHECK(plan->islands != NULL);
    for (uint8_t model = 0; model < trace->models.count; model++) {
        bool sizes[IMPORT_GPUS_MAX + 1] = {false};
        for (uint32_t i = 0; i < trace->node_count; i++) {
            if (trace->nodes[i].model == model) {
                sizes[trace->nodes[i].gpus] = true;
            }
        }
        uint32_t from = plan->island_count;
        for (uint32_t gpus = IMPORT_GPUS_MAX; gpus > 0; gpus--) {
            if (sizes[gpus]) {
                islands_fill(plan, model, gpus);
            }
        }
        islands_price(plan, from);
    }
}

/* --- tasks ------------------------------------------------------------------------------------------- */

/* JOBs follow each other in the order of creation, then of the file. */
struct arrival {
    int64_t created_s;
    uint32_t task; /* its place in the trace */
};

static int by_creation(const void *a, const void *b)
{
    const struct arrival *left = a;
    const struct arrival *right = b;
    if (left->created_s != right->created_s) {
        return left->created_s < right->created_s ? -1 : 1;
    }
    return left->task < right->task ? -1 : 1;
}

/* The smallest divisor that leaves the last deletion within the horizon. A start is rounded down and a
 * lifetime up, so that a task may end one hour behind the rounded end of the trace. */
static uint32_t fold_find(const struct import_rules *rules, int64_t span_s)
{
    uint32_t fold = 1;
    while (rules->fold &&
           divided_up(span_s, SECONDS_PER_HOUR * fold) + 1 > (int64_t)rules->horizon_hours) {
        fold++;
    }
    return fold;
}

static int64_t limit_find(const struct import_plan *plan, uint32_t models, bool batch)
{
    int64_t dearest_e4 = 0;
    for (uint8_t model = 0; model < plan->trace->models.count; model++) {
        if ((models >> model & 1) != 0 && plan->price_e4[model] > dearest_e4) {
            dearest_e4 = plan->price_e4[model];
        }
    }
    int64_t limit_e4 =
        dearest_e4 * (batch ? IMPORT_BATCH_LIMIT_BP : IMPORT_LIMIT_BP) / BP_ONE; /* rounded down */
    return limit_e4 > 0 ? limit_e4 : 1;
}

/* A task in hours of the plan. */
struct span {
    int64_t from;
    int64_t hours;
};

static struct span span_of(const struct import_plan *plan, const struct import_task *task)
{
    const int64_t unit_s = SECONDS_PER_HOUR * plan->fold;
    return (struct span){.from = (task->created_s - plan->origin_s) / unit_s,
                         .hours = divided_up(task->deleted_s - task->created_s, unit_s)};
}

static uint32_t longest(const struct import_plan *plan)
{
    return plan->rules.longest_hours < plan->rules.horizon_hours ? plan->rules.longest_hours
                                                                 : plan->rules.horizon_hours;
}

/* Puts the next link of a task's chain into the plan; false: it does not end within the horizon. */
static bool link_add(struct import_plan *plan, const struct import_task *task, uint32_t link,
                     uint32_t previous)
{
    struct span span = span_of(plan, task);
    bool waits = task->batch && span.hours <= longest(plan);
    int64_t left = span.hours - (int64_t)link * longest(plan);
    int64_t from = span.from + (int64_t)link * longest(plan);
    int64_t hours = left < longest(plan) ? left : longest(plan);
    int64_t to = from + hours + (waits ? IMPORT_BATCH_SLACK : 0);
    if (from + hours > plan->rules.horizon_hours) {
        plan->beyond_gpu_hours += left * task->gpus;
        return false;
    }
    to = to < plan->rules.horizon_hours ? to : plan->rules.horizon_hours;
    uint32_t models = task->models != 0 ? task->models : plan->models_owned;
    struct import_job job = {.price_e4 = limit_find(plan, models, task->batch),
                             .line = task->line,
                             .previous = previous,
                             .window_from = (uint32_t)from,
                             .window_to = (uint32_t)to,
                             .hours = (uint32_t)hours,
                             .gpus = task->gpus,
                             .models = models,
                             .link = link,
                             .placement = link > 0 ? PLACEMENT_SAME
                                          : waits  ? PLACEMENT_ANY
                                                   : PLACEMENT_SITE};
    if (plan->job_count == plan->job_capacity) {
        plan->job_capacity = plan->job_capacity == 0 ? 1024 : plan->job_capacity * 2;
        plan->jobs = realloc(plan->jobs, plan->job_capacity * sizeof plan->jobs[0]);
        CHECK(plan->jobs != NULL);
    }
    plan->jobs[plan->job_count++] = job;
    plan->gpu_hours += hours * task->gpus;
    plan->hours = to > plan->hours ? (uint32_t)to : plan->hours;
    return true;
}

/* A task's JOB, or its chain: the links stand right behind each other, so that nobody else's JOB comes
 * between them. */
static void task_add(struct import_plan *plan, const struct import_task *task)
{
    int64_t links = divided_up(span_of(plan, task).hours, longest(plan));
    if (task->models == 0 && plan->models_owned == 0) {
        plan->nowhere++;
        return;
    }
    if (!link_add(plan, task, 0, IMPORT_NO_JOB)) {
        plan->beyond++;
        return;
    }
    plan->ordered++;
    plan->fractions += task->fraction;
    plan->chained += links > 1;
    for (uint32_t link = 1; link < links; link++) {
        if (!link_add(plan, task, link, plan->job_count - 1)) {
            plan->beyond_links += (uint32_t)(links - link);
            return;
        }
    }
}

static void jobs_make(struct import_plan *plan)
{
    const struct import_trace *trace = plan->trace;
    struct arrival *arrivals = calloc(trace->task_count + 1U, sizeof arrivals[0]);
    CHECK(arrivals != NULL);
    int64_t end_s = 0;
    for (uint32_t i = 0; i < trace->task_count; i++) {
        const struct import_task *task = &trace->tasks[i];
        arrivals[i] = (struct arrival){.created_s = task->created_s, .task = i};
        plan->origin_s =
            i == 0 || task->created_s < plan->origin_s ? task->created_s : plan->origin_s;
        end_s = task->deleted_s > end_s ? task->deleted_s : end_s;
        plan->gpu_seconds += (task->deleted_s - task->created_s) * task->gpus;
    }
    plan->fold = fold_find(&plan->rules, end_s - plan->origin_s);
    qsort(arrivals, trace->task_count, sizeof arrivals[0], by_creation);
    for (uint32_t i = 0; i < trace->task_count; i++) {
        task_add(plan, &trace->tasks[arrivals[i].task]);
    }
    free(arrivals);
}

/* False: more than MONEY_MAX_E4. */
static bool sums_make(struct import_plan *plan)
{
    int128 bid_e4 = 0;
    int128 offer_e4 = 0;
    for (uint32_t i = 0; i < plan->job_count; i++) {
        const struct import_job *job = &plan->jobs[i];
        bid_e4 += (int128)job->price_e4 * job->hours * job->gpus;
    }
    for (uint32_t i = 0; i < plan->island_count; i++) {
        offer_e4 += (int128)plan->islands[i].price_e4 * plan->islands[i].gpus * plan->hours;
    }
    plan->bid_e4 = bid_e4 > MONEY_MAX_E4 ? 0 : (int64_t)bid_e4;
    plan->offer_e4 = offer_e4 > MONEY_MAX_E4 ? 0 : (int64_t)offer_e4;
    return bid_e4 <= MONEY_MAX_E4 && offer_e4 <= MONEY_MAX_E4;
}

int import_plan_make(struct import_plan *plan, const struct import_trace *trace,
                     const struct tables *tables, const struct import_rules *rules,
                     struct error *error)
{
    memset(plan, 0, sizeof *plan);
    CHECK(rules->longest_hours >= 1 && rules->longest_hours <= IMPORT_LONGEST_HOURS &&
          rules->horizon_hours >= 2 && rules->island_nodes >= 1);
    plan->trace = trace;
    plan->rules = *rules;
    int rc = tables_take(plan, tables, error);
    if (rc < 0) {
        return rc;
    }
    islands_make(plan);
    jobs_make(plan);
    if (!sums_make(plan)) {
        return error_set(error, ERROR_INVALID,
                         "the orders of the trace are worth more than an account can hold");
    }
    return 0;
}

void import_plan_free(struct import_plan *plan)
{
    if (plan != NULL) {
        free(plan->islands);
        free(plan->jobs);
        plan->islands = NULL;
        plan->jobs = NULL;
    }
}

uint32_t import_plan_lanes(const struct import_plan *plan, const struct import_job *job,
                           uint32_t classes[IMPORT_MODELS_MAX])
{
    uint32_t count = 0;
    for (uint8_t model = 0; model < plan->trace->models.count; model++) {
        uint32_t known = 0;
        while (known < count && classes[known] != plan->class_of[model]) {
            known++;
        }
        if ((job->models >> model & 1) != 0 && known == count) {
            classes[count++] = plan->class_of[model];
        }
    }
    return count;
}
