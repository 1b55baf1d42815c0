/* Orders that show a part of themselves at a time (rulebook, section 10). What an iceberg shows is
 * leaves - reserve; while it is arriving it has no reserve. Side tables, touched only when used. */
#ifndef KASHI_EXCHANGE_CORE_ICEBERG_H
#define KASHI_EXCHANGE_CORE_ICEBERG_H

#include "exchange/core/state.h"

/* A new iceberg, which arrives whole. */
void iceberg_begin(struct engine *e, uint32_t slot, uint32_t display);
/* It has come to rest: all but the first slice goes into reserve. */
void iceberg_rest(struct engine *e, uint32_t slot);
/* It is about to leave its book: nothing is in reserve any more. */
void iceberg_leave(struct engine *e, uint32_t slot);
/* It is about to lose `qty`: as much of that as there is leaves the reserve. */
void iceberg_take(struct engine *e, uint32_t slot, uint32_t qty);
/* It has lost more than it showed: that came out of the reserve. */
void iceberg_trim(struct engine *e, uint32_t slot);
/* Shows the next slice, last in time at its price; what it showed is used up. */
void iceberg_refresh(struct engine *e, uint32_t slot);
/* CHECKs the count of slices of a ladder hour against its orders. */
void iceberg_sanity(const struct engine *e, uint32_t ladder);

static inline uint32_t iceberg_reserve(const struct engine *e, uint32_t slot)
{
    return e->orders[slot].iceberg ? e->icebergs[slot].reserve : 0;
}
/* Trades that the orders of a side of a ladder hour can take part in at most: one each, and one more
 * for every slice in reserve. */
static inline int64_t iceberg_trades(const struct engine *e, uint32_t ladder, bool sell)
{
    const struct ladder *l = &e->ladders[ladder];
    int64_t slices = (l->occupied & LADDER_ICEBERGS) != 0 ? (int64_t)e->slices[ladder].of[sell] : 0;
    return l->orders[sell] + slices;
}

#endif
