/* Public market data as structs: what the replica publishes and snapshots, what the codec turns
 * into messages and back. Prices e4, quantities GPUs for an hour.
 *
 * Depth of a contract is what rests in its own tier. The best prices are the ladder's: the best
 * offer of the contract's tier or a higher one, the best bid of its tier or a lower one, as an
 * arriving order would find them. */
#ifndef KASHI_WIRE_MARKET_H
#define KASHI_WIRE_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/contract.h"

struct market_level {
    int64_t price_e4;
    int64_t qty;
    uint32_t orders;
};

/* A level as it is now; qty and orders 0: it is gone. */
struct market_change {
    struct market_level level;
    uint8_t side; /* enum side */
};

struct market_trade {
    uint64_t fill_id;
    uint64_t seq;
    int64_t time_ns;
    int64_t price_e4;
    int64_t qty;
    uint8_t aggressor;  /* enum side: who arrived */
    uint8_t contingent; /* 1: part of a JOB */
};

struct market_best {
    int64_t bid_e4;   /* meaningless without has_bid */
    int64_t offer_e4; /* meaningless without has_offer */
    bool has_bid;
    bool has_offer;
};

/* One command's effect on one contract. A receiver that holds the contract's state of `prev_seq`
 * applies the changes and then has that of `seq`; prev_seq 0: it starts from empty depth. */
struct market_update {
    uint64_t contract;
    uint64_t seq;
    uint64_t prev_seq;
    int64_t time_ns;
    struct market_best best; /* afterwards */
    const struct market_trade *trades;
    const struct market_change *changes;
    uint32_t trade_count;
    uint32_t change_count;
};

/* State of a contract. `seq` is that of its last message, 0 when the next one will start from
 * empty; `tape_seq` is the last command that the state contains. Messages up to tape_seq are to be
 * left out, the first one after it has prev_seq equal to seq. */
struct market_snapshot {
    uint64_t contract;
    uint64_t seq;
    uint64_t tape_seq;
    struct market_best best;
    const struct market_level *bids;   /* best first */
    const struct market_level *offers; /* best first */
    uint32_t bid_count;
    uint32_t offer_count;
};

#endif
