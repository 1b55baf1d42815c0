/* Market data: depth of every contract, aggregated by price, built from events alone. Each command
 * gives at most one update a contract, with (seq, prev_seq) from the tape, so that a rebuilt replica
 * goes on in the same chain. A contract whose depth is empty is forgotten; its next update
 * has prev_seq 0. Ladder hours without depth in any tier cost nothing.
 *
 * Updates go out too for contracts of the ladder whose best price changed because of another tier;
 * they hold no depth changes.
 *
 * Memory grows with the levels that are live, about 450 bytes a ladder hour and 24 a level. Running
 * out of it ends the process. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_MARKET_DATA_H
#define KASHI_EXCHANGE_MARKET_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/event.h"
#include "wire/market.h"

struct market_data;

/* Called once for each contract that a command changed; what `update` points at is good during the
 * call. */
typedef void market_data_publish(void *context, const struct market_update *update);

struct market_data *market_data_new(market_data_publish *publish, void *context);
void market_data_free(struct market_data *market_data); /* NULL is fine */

/* Events in tape order; the last event of a command publishes. An event that does not fit what came
 * before (a level would fall below zero) is a CHECK. */
void market_data_apply(struct market_data *market_data, const struct event *event);

/* State of a contract as of the last whole command. The levels are good until the next apply. */
void market_data_snapshot(const struct market_data *market_data, uint64_t contract,
                          struct market_snapshot *snapshot);

/* Ladder hours that have depth. */
size_t market_data_ladders(const struct market_data *market_data);

#endif
