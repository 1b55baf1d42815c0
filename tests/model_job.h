/* Section 12 of the rulebook: JOB orders, a part of the slow model. A JOB stands among the model's
 * orders like any other (so that limits, money, mass cancels and ended keys see it), with a contract
 * that is of no market; what is a JOB's alone stands in struct model_job. */
#ifndef KASHI_TESTS_MODEL_JOB_H
#define KASHI_TESTS_MODEL_JOB_H

#include "tests/model.h"

enum { MODEL_JOB_WIDTH_MAX = 262144 };

/* The contract of a JOB's order: of no market, in the last hour in which the JOB may start. */
static inline uint64_t model_job_contract(uint32_t window_to, uint32_t hours)
{
    return contract_pack(UINT16_MAX, UINT16_MAX, 0, window_to - hours);
}

/* model_job.c: entering, replacing, ending, and being filled. */
void model_job_new(struct model *model);
/* Replaces the JOB; the request's order is known to be live and the sender's. */
void model_job_replace(struct model *model, uint64_t order_id);
/* The JOB of an order; NULL when the order is none, or is being filled. */
struct model_job *model_job_find(struct model *model, uint64_t order_id);
/* Forgets what is a JOB's alone, when its order is over. */
void model_job_forget(struct model *model, uint64_t order_id);
bool model_job_mass_covers(const struct model *model, const struct model_mass_cancel *mass,
                           const struct model_order *order);
/* Rows of the order table that the lanes of all JOBs take. */
uint32_t model_job_lanes_in_use(const struct model *model);
/* When its timer goes off. */
int64_t model_job_timer_ns(const struct model *model, const struct model_order *order);

/* model_job_fit.c: the search. */
struct model_fit {
    bool found;
    uint32_t lane;     /* from 0 */
    uint32_t start;    /* hour */
    uint32_t resource; /* the only one, 0 for any */
    model_wide cost;   /* sum of price x factor x quantity */
};
/* The best fit among the lanes and starts asked for; it keeps to the JOB's limit and the tables have
 * room for its fills. */
struct model_job_range {
    uint32_t lane_from, lane_to;   /* lane_to not included */
    uint32_t start_from, start_to; /* start_to not included */
};
struct model_fit model_job_fit(struct model *model, const struct model_job *job,
                               struct model_job_range range);
/* Lanes and starts that are possible now. */
struct model_job_range model_job_all(const struct model *model, const struct model_job *job);
/* Fills the JOB, whole. */
void model_job_execute(struct model *model, uint64_t order_id, struct model_fit fit);
void model_job_miss(struct model *model, const struct model_job *job);
/* 1 + the offers of the ladder hour, all tiers, reserved ones included. */
int64_t model_job_hour_width(const struct model *model, uint16_t class_id, uint16_t region_id,
                             uint32_t hour);
int64_t model_job_width(const struct model *model, const struct model_job *job);

/* model_job_due.c: ladder hours in which resting JOBs are tried again. */
void model_job_due_hour(struct model *model, uint64_t contract);
void model_job_due_market(struct model *model, uint16_t class_id, uint16_t region_id);
/* Where an offer stands in the hour. */
void model_job_due_if_offered(struct model *model, uint64_t contract);
void model_job_due_forget(struct model *model, uint16_t class_id, uint16_t region_id,
                          uint32_t hour);
void model_job_due_work(struct model *model);
bool model_job_due_left(const struct model *model);

#endif
