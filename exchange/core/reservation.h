/* The end of an offer's reservation for JOBs (rulebook, section 10): it arrives in its book or, while its
 * market cannot trade, waits for that without a timer, in a list of its market. */
#ifndef KASHI_EXCHANGE_CORE_RESERVATION_H
#define KASHI_EXCHANGE_CORE_RESERVATION_H

#include "exchange/core/state.h"

/* The time has come that an offer was reserved until. */
void reservation_end(struct engine *e, uint32_t slot);
/* An offer that waits is about to end. */
RARE void reservation_forget(struct engine *e, uint32_t slot);
/* A market may be able to trade again: what waits in it is due. */
void reservation_market_moved(struct engine *e, uint32_t market);
/* Housekeeping: whether such markets are left, and one unit of the work. */
static inline bool reservation_due(const struct engine *e)
{
    return e->s.resuming_first != 0;
}
void reservation_unit(struct engine *e);
/* CHECKs the lists; for tests. */
void reservation_sanity(const struct engine *e);

#endif
