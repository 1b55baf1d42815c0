/* Listing markets (rulebook, section 13): offers rest, and a buyer takes a named one. */
#ifndef KASHI_EXCHANGE_CORE_LISTING_H
#define KASHI_EXCHANGE_CORE_LISTING_H

#include "exchange/core/state.h"

/* TAKE_OFFER; the sender is checked already. */
void listing_take(struct engine *e, const struct command *command);

/* A market has become one: its bids are over, and taken out in slices. */
void listing_begin(struct engine *e, uint32_t market);
/* One unit of that. */
void listing_unit(struct engine *e);

#endif
