/* The replica's state: the same engine as the exchange's, stepped with the same commands, and what
 * the read side keeps of its events: tape, status store, registry, market data. At every start all
 * of it is made again from the journal's first command; the tape's part that is there already is
 * compared, not written.
 *
 * The struct is the caller's. Errors: base/error.h; after one the state is not to be used further.
 * Thread: the owner's. */
#ifndef KASHI_EXCHANGE_REPLICA_H
#define KASHI_EXCHANGE_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "exchange/core/engine.h"
#include "exchange/market_data.h"
#include "exchange/replica_registry.h"
#include "exchange/status.h"
#include "exchange/tape_store.h"
#include "wire/command.h"

struct replica {
    struct arena arena;
    struct engine *engine;
    struct event_sink sink;
    struct tape_store *store;
    struct status *status;
    struct replica_registry registry;
    struct market_data_state *market_data;
    struct error failure; /* of the step under way */
};

/* `publish` may be NULL. `tables` are those that the journal was made with. */
int replica_open(struct replica *replica, const char *tape_folder,
                 const struct engine_config *tables, market_data_publish *publish, void *context,
                 struct error *error);
void replica_close(struct replica *replica);

/* Applies `count` slots of whole commands that follow on what was applied before, and gives their
 * events to the system. */
int replica_apply(struct replica *replica, const union command_slot *slots, uint32_t count,
                  struct error *error);

/* The last command applied. */
uint64_t replica_seq(const struct replica *replica);

#endif
