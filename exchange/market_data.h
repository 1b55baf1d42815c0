/* Market data: depth of every contract, aggregated by price, built from events alone. Each command
 * gives at most one update a contract, with (seq, prev_seq) from the tape, so that a rebuilt replica
 * goes on in the same chain. A contract whose depth is empty is forgotten; its next update
 * has prev_seq 0. Ladder hours without depth in any tier cost nothing.
 *
 * Depth of a contract is what rests in its own tier. Best prices are the ladder's: the best offer of
 * its tier or a higher one, the best bid of its tier or a lower one, as an arriving order would
 * find them; updates go out too for contracts whose best changed because of another tier, and for all
 * that show something or are watched when the phase of their hour changes or its auction would clear
 * otherwise. Watched are those that somebody follows by name: they tell of their phase without any
 * order, within a second where it is time that changes it.
 *
 * Depth is what the market may see: of an iceberg its slice, of a JOB nothing. An offer reserved for JOBs
 * is shown as reserved quantity until its reservation ends, apart from firm and no part of best prices.
 * The legs of a SET show what its balance allows as shared quantity, apart from firm too; one change of
 * the balance changes all their levels. A level is there while an order stands in it.
 *
 * Prices e4, quantities GPUs for an hour. Memory grows with the levels that are live, about 450
 * bytes a ladder hour and 40 a level. Running out of it ends the process. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_MARKET_DATA_H
#define KASHI_EXCHANGE_MARKET_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/codec.h"
#include "wire/event.h"

struct market_data_state;

struct market_data_best {
    int64_t bid_e4;  /* 0: there is no bid */
    int64_t bid_qty; /* firm, at that price, all eligible tiers */
    int64_t bid_shared_qty;
    int64_t offer_e4; /* 0: there is no offer */
    int64_t offer_qty;
};

/* One command's effect on one contract. A receiver that holds the contract's state of `prev_seq`
 * applies the levels and then has that of `seq`; prev_seq 0: it starts from empty. */
struct market_data_update {
    uint64_t contract;
    uint64_t seq;
    uint64_t prev_seq;
    int64_t time_ns;
    struct market_data_best best; /* afterwards */
    struct auction_view auction;
    const struct md_trade_row *trades;
    const struct md_level_row *levels; /* as they are now; bids before offers, best first */
    uint32_t trade_count;
    uint32_t level_count;
};

/* State of a contract after the last whole command, `tape_seq`. `seq` is that of its last update, 0
 * when the next one will start from empty. */
struct market_data_depth {
    uint64_t contract;
    uint64_t seq;
    uint64_t tape_seq;
    struct market_data_best best;
    struct auction_view auction;
    const struct level_row *bids;   /* best first */
    const struct level_row *offers; /* best first */
    uint32_t bid_count;
    uint32_t offer_count;
};

/* Phase of the contract's hour (enum ladder_phase) after the command whose last event is applied. */
typedef uint8_t market_data_phase(void *context, uint64_t contract);

/* Called once for each contract that a command changed; what `update` points at is good during the
 * call. */
typedef void market_data_publish(void *context, const struct market_data_update *update);

struct market_data_state *market_data_new(market_data_publish *publish, void *context,
                                          market_data_phase *phase, void *phase_context);
void market_data_free(struct market_data_state *market_data); /* NULL is fine */

/* Events in tape order; the last event of a command publishes. An event that does not fit what came
 * before (a level would fall below zero) is a CHECK. */
void market_data_apply(struct market_data_state *market_data, const struct event *event);

/* Follows the contract's phase, or no longer. Neither above WATCHED_MAX ladder hours nor hour 0, which never
 * trades: it is then as if nobody watched. */
#define MARKET_DATA_WATCHED_MAX 65536u
void market_data_watch(struct market_data_state *market_data, uint64_t contract, bool watch);

/* The depth's levels are good until the next apply. */
void market_data_find(const struct market_data_state *market_data, uint64_t contract,
                      struct market_data_depth *depth);

/* Whether the order is an offer that stands apart, reserved for JOBs. */
bool market_data_reserved(const struct market_data_state *market_data, uint64_t order_id);

/* Ladder hours that have depth or an auction, or are watched. */
size_t market_data_ladders(const struct market_data_state *market_data);

#endif
