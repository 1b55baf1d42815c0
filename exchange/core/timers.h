/* Expire times and the ends of reservations: a binary heap by time, then by order of entry. */
#ifndef KASHI_EXCHANGE_CORE_TIMERS_H
#define KASHI_EXCHANGE_CORE_TIMERS_H

#include "exchange/core/state.h"

void timers_add(struct engine *e, uint32_t slot, int64_t expire_time_ns);
void timers_remove(struct engine *e, uint32_t slot);
/* Order whose time is due first; 0 when none is due at `now_ns`. */
static inline uint32_t timers_due(const struct engine *e, int64_t now_ns)
{
    return e->s.timer_count > 0 && e->timers[1].expire_time_ns <= now_ns ? e->timers[1].slot : 0;
}

#endif
