/* The sequencer: one loop on one thread that takes what waits on the links, gives each command its
 * place and time, journals all of it with one sync, steps the engine, and hands out the events. A
 * command is durable before any event of it leaves; the batch grows with the load by itself.
 *
 * The caller turns the loop: sequencer_turn() until it fails or it is time to stop. Works in the
 * current folder: journal/, keys/operator.key (only to begin a market). */
#ifndef KASHI_EXCHANGE_SEQUENCER_H
#define KASHI_EXCHANGE_SEQUENCER_H

#include <stdint.h>

#include "base/error.h"
#include "exchange/core/engine.h"
#include "exchange/settings.h"

#define SEQUENCER_OPERATOR_KEY "keys/operator.key"

struct sequencer;

struct sequencer_counts {
    uint64_t batches;
    uint64_t commands;
    uint64_t links_down;
};

/* Replays the journal, begins the market if there is none, ends links that were up when the last
 * process ended, binds the sockets. `settings` is copied, its texts are not. */
int sequencer_open(struct sequencer **out, const struct settings *settings, void *zmq_context,
                   struct error *error);
void sequencer_close(struct sequencer *sequencer); /* NULL is fine */

/* One round: waits for input at most as long as nothing else is due, and not at all beyond
 * `wake_fd` becoming readable (-1: none). An error means stop: nothing more may be acknowledged. */
int sequencer_turn(struct sequencer *sequencer, int wake_fd, struct error *error);

/* For tests and for the log. */
const struct engine *sequencer_engine(const struct sequencer *sequencer);
struct sequencer_counts sequencer_counts(const struct sequencer *sequencer);
const char *sequencer_link_endpoint(const struct sequencer *sequencer);
const char *sequencer_mark_endpoint(const struct sequencer *sequencer);

#endif
