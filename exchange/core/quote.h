/* The cache of quotes: what of a contract's market an order is checked against, ready to compare with.
 * Whoever changes a market, a last trade, or whether a ladder is there and open, forgets them. */
#ifndef KASHI_EXCHANGE_CORE_QUOTE_H
#define KASHI_EXCHANGE_CORE_QUOTE_H

#include "exchange/core/state.h"

/* Where a contract's quote would be. */
static inline struct quote *quote_place(const struct engine *e, uint64_t contract)
{
    return &e->quotes[contract * UINT64_C(0x9e3779b97f4a7c15) >> (64 - QUOTE_BITS)];
}
/* False when orders for the contract have to go the ordered way. */
bool quote_make(const struct engine *e, uint64_t contract, struct quote *quote);
/* The same, kept in its place. */
RARE bool quote_refresh(struct engine *e, uint64_t contract);
/* Those of a ladder: of every tier. */
void quote_forget_ladder(struct engine *e, const struct ladder *l);
void quote_forget_all(struct engine *e);

#endif
