/* JOB orders (rulebook, section 12): N GPUs in each of H contiguous hours, all or nothing, in any one of
 * several lanes. A JOB is an order in its key's chain and a record in a table; while it rests, each of
 * its lanes has an entry, a LANE, in the job ladder of its market: a book whose price is the JOB's, so
 * that it holds the lanes in the order in which they are tried again. `ladder` below is the hour's own,
 * never its shadow. */
#ifndef KASHI_EXCHANGE_CORE_JOB_H
#define KASHI_EXCHANGE_CORE_JOB_H

#include "exchange/core/order.h"
#include "exchange/core/state.h"

#define JOB_DUE_UNITS 1024 /* what a step spends on due hours before it ends */

/* --- job.c: the life of a JOB ----------------------------------------------------------- */

/* Requests; the sender is checked already, cl_ord_id used up. */
void job_new(struct engine *e, const struct command *command);
void job_replace(struct engine *e, const struct command *command, uint32_t slot);
/* Ends a JOB with CANCELED. `cl_ord_id` as for order_take_out(). */
void job_take_out(struct engine *e, uint32_t slot, uint16_t reason, uint64_t cl_ord_id);
/* Looks for the best fit in a part of a JOB's lanes and starts, no wider than a search may be, and fills
 * it; true: the JOB has ended so. */
struct job_span;
struct job_fit;
bool job_try(struct engine *e, uint32_t slot, const struct job_span *span);
/* The best fit, where its fills have room in the tables; *count of them stand in the scratch memory. */
bool job_find(const struct engine *e, const struct job *job, const struct job_span *span,
              struct job_fit *fit, uint32_t *count);
/* Whether a JOB's gate is over: that of its last possible start. */
bool job_gate_closed(const struct engine *e, uint32_t slot);
/* Whether a mass cancel covers all of it. */
bool job_covered(const struct engine *e, const struct sweep *sweep, const struct order *o);
static inline struct job *job_of(const struct engine *e, const struct order *o)
{
    return &e->jobs[o->bond_unit];
}
/* What is open of a JOB that is live. */
static inline int64_t job_gpu_hours(const struct job *job)
{
    return (int64_t)job->qty * job->hours;
}

/* --- job_check.c ------------------------------------------------------------------------- */

/* Everything about a new JOB; fills in its record. */
bool job_check_new(const struct engine *e, const struct command *command, struct job *job,
                   struct rejection *why);
/* Everything about a replace; `draft`: the record as it would become. */
bool job_check_replace(const struct engine *e, const struct command *command, uint32_t slot,
                       struct job *draft, struct rejection *why);
/* Whether a replace keeps the JOB's place in time, and its fee schedule. */
bool job_keeps_place(const struct job *old, const struct job *draft);

/* --- job_due.c: resting JOBs are tried again -------------------------------------------- */

RARE void job_hour_due(struct engine *e, uint32_t ladder);
/* The reference, terms or halt of a market were set anew. */
void job_market_moved(struct engine *e, uint32_t market);
/* Works at due hours. */
void job_due_run(struct engine *e);
static inline bool job_due_waits(const struct engine *e)
{
    return (e->s.due_first | e->s.due_now) != 0;
}
/* The gate of a market's hour is worked off: it is due no more. */
void job_hour_closed(struct engine *e, uint32_t market, uint32_t hour);
/* A LANE has been put into its book, or is about to be taken out of it. */
void job_lane_enters(struct engine *e, uint32_t entry);
void job_lane_leaves(struct engine *e, uint32_t entry);

/* An offer has come to rest in the ladder hour or stands in it reserved. */
static inline void job_offer_stands(struct engine *e, uint32_t ladder)
{
    if (__builtin_expect(e->markets[e->ladders[ladder].market].job_lanes != 0, 0)) {
        job_hour_due(e, ladder);
    }
}

/* The last trade of the ladder hour has changed. */
static inline void job_reference_moved(struct engine *e, uint32_t ladder)
{
    job_offer_stands(e, ladder);
}

/* --- for tests ---------------------------------------------------------------------------- */

/* CHECKs what state.h says of JOBs; returns the number of LANEs. */
uint32_t job_sanity(const struct engine *e);

#endif
