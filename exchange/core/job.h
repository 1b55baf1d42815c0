/* What resting JOBs are told of (rulebook, section 12). `ladder` is the hour's own, never its shadow. */
#ifndef KASHI_EXCHANGE_CORE_JOB_H
#define KASHI_EXCHANGE_CORE_JOB_H

#include "exchange/core/state.h"

/* An offer has come to rest in the ladder hour or stands in it reserved. */
static inline void job_offer_stands(struct engine *e, uint32_t ladder)
{
    (void)e;
    (void)ladder;
}

/* The last trade of the ladder hour has changed. */
static inline void job_reference_moved(struct engine *e, uint32_t ladder)
{
    (void)e;
    (void)ladder;
}

#endif
