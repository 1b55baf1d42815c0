/* Dry runs of JOBs: engine.h declares them. */
#include "exchange/core/job.h"
#include "exchange/core/job_search.h"
#include "exchange/core/money.h"

/* Sender and terms, as far as they would be checked on entry. */
static bool check(const struct engine *e, const struct command *command, struct job *job,
                  struct rejection *why)
{
    const struct key *k = &e->keys[command->head.key];
    if ((k->roles & ROLE_BUYER) == 0) {
        why->reason = REASON_NOT_AUTHORIZED;
        return false;
    }
    if (e->accounts[k->account].killed) {
        why->reason = REASON_ACCOUNT_KILLED;
        return false;
    }
    return job_check_new(e, command, job, why);
}

static uint64_t lane_contract(const struct engine *e, const struct job *job, uint32_t lane,
                              uint32_t hour)
{
    const struct market *m = &e->markets[job->lanes[lane].market];
    return contract_pack(m->class_id, m->region_id, job->lanes[lane].tier, hour);
}

/* What the parts of a fit, which stand in the scratch memory, come to. */
static void add_up(const struct engine *e, const struct job *job, const struct job_fit *fit,
                   uint32_t count, struct engine_quote *quote)
{
    for (uint32_t i = 0; i < count; i++) {
        struct job_part part = e->job_scratch->parts[i];
        quote->notional_e4 += (int64_t)e->orders[part.slot].price_e4 * part.qty;
    }
    int128 whole = (int128)job_gpu_hours(job) * E4_ONE;
    quote->qty = job_gpu_hours(job);
    quote->price_e4 = (int64_t)((fit->worth + whole - 1) / whole); /* rounded up */
    quote->contract = lane_contract(e, job, fit->lane, fit->start);
    quote->resource = fit->resource;
    quote->leg = (uint8_t)(fit->lane + 1);
}

static void quote_miss(const struct engine *e, const struct job *job, const struct job_span *span,
                       struct engine_quote *quote)
{
    struct job_miss miss;
    job_search_miss(e, job, span, &miss);
    quote->miss_qty = miss.qty;
    if (miss.qty != 0) {
        quote->miss_contract = lane_contract(e, job, miss.lane, miss.start);
        quote->miss_leg = (uint8_t)(miss.lane + 1);
    }
}

bool engine_quote_job(const struct engine *e, const struct command *command,
                      struct engine_quote *out)
{
    uint32_t key = command->head.key;
    struct job job;
    struct rejection why = {0};
    *out = (struct engine_quote){0};
    if (key < 1 || key > e->s.key_count || command->head.type != COMMAND_NEW_JOB) {
        return false;
    }
    if (!check(e, command, &job, &why)) {
        out->reason = why.reason;
        out->value = why.value;
        out->bound = why.bound;
        out->contract = why.contract;
        out->leg = why.leg;
        return true;
    }
    struct job_span span = job_span_whole(e, &job);
    struct job_fit fit;
    uint32_t count;
    if (job_find(e, &job, &span, &fit, &count)) {
        const struct account *a = &e->accounts[e->keys[key].account];
        add_up(e, &job, &fit, count, out);
        out->fee_e4 = money_fee(0, out->notional_e4, e->s.fees[a->fees].taker_bp, NULL);
    } else {
        uint8_t tif = command->new_job.tif;
        out->reason = tif == TIF_IOC || tif == TIF_FOK ? REASON_JOB_NOT_FILLED : REASON_NONE;
        quote_miss(e, &job, &span, out);
    }
    out->reserved_e4 = job.reserve_e4;
    return true;
}
