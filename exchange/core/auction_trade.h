/* What an auction trades. */
#ifndef KASHI_EXCHANGE_CORE_AUCTION_TRADE_H
#define KASHI_EXCHANGE_CORE_AUCTION_TRADE_H

#include "exchange/core/state.h"

/* What clearing a ladder hour now would give. */
void auction_foresee(const struct engine *e, uint32_t ladder,
                     const uint32_t reference_e4[TIER_COUNT], struct auction_outcome *out);
/* Clears the hour of an auction that ends: the trades, one after the other, and the next slices of icebergs. In `out` what has traded. */
void auction_trade(struct engine *e, const struct auction *auction, struct auction_outcome *out);
/* Bids that cross an offer though the hour has cleared meet it: where orders of one ownership group could
 * not trade with each other. */
void auction_uncross(struct engine *e, const struct auction *auction);
/* Most trades that all of this can bring about. */
int64_t auction_trades_most(const struct engine *e, uint32_t ladder);

#endif
