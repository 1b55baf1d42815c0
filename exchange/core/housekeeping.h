/* What time and mass requests make due, done in slices (rulebook, section 8). */
#ifndef KASHI_EXCHANGE_CORE_HOUSEKEEPING_H
#define KASHI_EXCHANGE_CORE_HOUSEKEEPING_H

#include "exchange/core/auction.h"
#include "exchange/core/reservation.h"
#include "exchange/core/state.h"
#include "exchange/core/timers.h"

/* Does at most `units`; returns what is left of them. */
uint32_t housekeeping_run(struct engine *e, uint32_t units);
static inline bool housekeeping_due(const struct engine *e)
{
    return e->s.gate_hour < e->s.open_hour || e->s.ended_head != 0 || e->s.sweep_count != 0 ||
           timers_due(e, e->s.time_ns) != 0 || e->s.delisting_head != 0 || reservation_due(e) ||
           auction_due(e);
}

/* engine.due_ns, set anew: until then the second is the same and nothing is due. Whatever makes
 * something due sooner lowers it. */
void housekeeping_set_due(struct engine *e);

/* Ends every order that the key has entered so far; they are over at once. */
void housekeeping_end_key(struct engine *e, uint32_t key, uint16_t reason);
/* Begins a mass cancel; answers the request. */
void housekeeping_mass_cancel(struct engine *e, const struct command *command);

#endif
