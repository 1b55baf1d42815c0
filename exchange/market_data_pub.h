/* Publishes market data, and lets those contracts be watched that somebody subscribes to by their whole
 * symbol: one ZeroMQ message of two parts for each update, "md." and the symbol, then
 * the codec's market_data. An update with more trades or levels than a message holds goes out in
 * several of the same seq. A subscriber that does not keep up loses messages beyond the stated
 * number; it sees that by prev_seq and takes a snapshot.
 *
 * Thread: the owner's. Nothing blocks. */
#ifndef KASHI_EXCHANGE_MARKET_DATA_PUB_H
#define KASHI_EXCHANGE_MARKET_DATA_PUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoints.h"
#include "base/error.h"
#include "exchange/market_data.h"
#include "exchange/replica_registry.h"

struct market_data_pub;

/* Binds; what was really bound is written to `endpoint`. `hwm`: messages that may wait for one
 * subscriber. */
int market_data_pub_open(struct market_data_pub **pub, void *zmq_context,
                         char endpoint[ENDPOINT_SIZE], int hwm, struct error *error);
void market_data_pub_close(struct market_data_pub *pub); /* NULL is fine */

void market_data_pub_send(struct market_data_pub *pub, const struct replica_registry *registry,
                          const struct market_data_update *update);

/* Takes what subscribers have asked for since. */
void market_data_pub_take(struct market_data_pub *pub, const struct replica_registry *registry,
                          struct market_data_state *market_data);
/* To poll for that. */
void *market_data_pub_socket(const struct market_data_pub *pub);

/* Messages sent. */
uint64_t market_data_pub_count(const struct market_data_pub *pub);

#endif
