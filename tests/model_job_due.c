/* Section 12 of the rulebook: hours in which resting JOBs are tried again. */
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

enum { UNITS_A_STEP = 1024 };

static bool same_hour(const struct model_due_hour *a, const struct model_due_hour *b)
{
    return a->class_id == b->class_id && a->region_id == b->region_id && a->hour == b->hour;
}

static bool jobs_rest_in(const struct model *model, uint16_t class_id, uint16_t region_id)
{
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct model_job *job = &model->jobs[i];
        for (uint32_t k = 0; k < job->terms.lane_count && job->resting; k++) {
            if (job->lanes[k].class_id == class_id && job->lanes[k].region_id == region_id) {
                return true;
            }
        }
    }
    return false;
}

void model_job_due_hour(struct model *model, uint64_t contract)
{
    struct model_due_hour due = {.class_id = contract_class(contract),
                                 .region_id = contract_region(contract),
                                 .hour = contract_hour(contract)};
    if (!jobs_rest_in(model, due.class_id, due.region_id)) {
        return;
    }
    for (uint32_t i = 0; i < model->due_count; i++) {
        if (same_hour(&model->due[i], &due)) {
            return;
        }
    }
    CHECK(model->due_count < MODEL_DUE_HOURS_MAX);
    model->due[model->due_count++] = due;
}

/* The first hour of the market, from `from` on, with an offer; false when there is none. */
static bool next_hour_with_offer(const struct model *model, uint16_t class_id, uint16_t region_id,
                                 uint32_t *from)
{
    bool found = false;
    uint32_t first = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        uint32_t hour = contract_hour(order->contract);
        if (order->side == SIDE_SELL && contract_class(order->contract) == class_id &&
            contract_region(order->contract) == region_id && hour >= *from &&
            (!found || hour < first)) {
            found = true;
            first = hour;
        }
    }
    *from = first;
    return found;
}

void model_job_due_market(struct model *model, uint16_t class_id, uint16_t region_id)
{
    for (uint32_t hour = 0; next_hour_with_offer(model, class_id, region_id, &hour); hour++) {
        model_job_due_hour(model, contract_pack(class_id, region_id, 0, hour));
    }
}

void model_job_due_if_offered(struct model *model, uint64_t contract)
{
    uint32_t hour = contract_hour(contract);
    if (next_hour_with_offer(model, contract_class(contract), contract_region(contract), &hour) &&
        hour == contract_hour(contract)) {
        model_job_due_hour(model, contract);
    }
}

void model_job_due_forget(struct model *model, uint16_t class_id, uint16_t region_id, uint32_t hour)
{
    struct model_due_hour gone = {.class_id = class_id, .region_id = region_id, .hour = hour};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->due_count; i++) {
        if (!same_hour(&model->due[i], &gone)) {
            model->due[kept++] = model->due[i];
        }
    }
    model->due_count = kept;
    if (same_hour(&model->worked_at, &gone)) {
        model->working = false;
    }
}

static bool rank_before(const struct model_job_rank *a, const struct model_job_rank *b)
{
    if (a->price_e4 != b->price_e4) {
        return a->price_e4 > b->price_e4;
    }
    return a->place != b->place ? a->place < b->place : a->lane < b->lane;
}

/* The lane of the market that follows the one looked at last; NULL after the last one. */
static struct model_job *next_lane(struct model *model, struct model_job_rank *rank)
{
    struct model_job *next = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        for (uint32_t k = 0; k < job->terms.lane_count && job->resting; k++) {
            if (job->lanes[k].class_id != model->worked_at.class_id ||
                job->lanes[k].region_id != model->worked_at.region_id) {
                continue;
            }
            struct model_job_rank its = {.price_e4 = job->terms.price_e4,
                                         .place = model_book_find(model, job->order_id)->place,
                                         .lane = k};
            if ((!model->looked || rank_before(&model->looked_at, &its)) &&
                (next == NULL || rank_before(&its, rank))) {
                next = job;
                *rank = its;
            }
        }
    }
    return next;
}

/* The possible starts that cover the hour. */
static struct model_job_range starts_that_cover(const struct model *model,
                                                const struct model_job *job, uint32_t hour)
{
    struct model_job_range range = model_job_all(model, job);
    uint32_t first = hour + 1 > job->terms.hours ? hour + 1 - job->terms.hours : 0;
    range.start_from = first > range.start_from ? first : range.start_from;
    range.start_to = hour + 1 < range.start_to ? hour + 1 : range.start_to;
    return range;
}

/* Looks at one lane; returns the units that it costs. */
static int64_t look_at(struct model *model, struct model_job *job, uint32_t number)
{
    const struct job_lane *lane = &job->lanes[number];
    struct model_job_range range = starts_that_cover(model, job, model->worked_at.hour);
    if (range.start_from >= range.start_to ||
        model_due_over(model, model_book_find(model, job->order_id)) != REASON_NONE) {
        return 1;
    }
    int64_t width = 0;
    for (uint32_t hour = range.start_from; hour < range.start_to + job->terms.hours - 1; hour++) {
        width += model_job_hour_width(model, lane->class_id, lane->region_id, hour);
    }
    if (width > MODEL_JOB_WIDTH_MAX) {
        return 1;
    }
    range.lane_from = number;
    range.lane_to = number + 1;
    struct model_fit fit = model_job_fit(model, job, range);
    if (fit.found) {
        model_job_execute(model, job->order_id, fit);
    }
    return 1 + width;
}

/* False: no hour is due. */
static bool take_up_an_hour(struct model *model)
{
    if (model->working) {
        return true;
    }
    if (model->due_count == 0) {
        return false;
    }
    model->worked_at = model->due[0];
    model->due_count--;
    memmove(&model->due[0], &model->due[1], model->due_count * sizeof(model->due[0]));
    model->working = true;
    model->looked = false;
    return true;
}

void model_job_due_work(struct model *model)
{
    int64_t units = 0;
    while (units < UNITS_A_STEP && take_up_an_hour(model)) {
        struct model_job_rank rank;
        struct model_job *job = next_lane(model, &rank);
        if (job == NULL) {
            model->working = false;
            continue;
        }
        model->looked_at = rank;
        model->looked = true;
        units += look_at(model, job, rank.lane);
    }
}

bool model_job_due_left(const struct model *model)
{
    return model->working || model->due_count > 0;
}
