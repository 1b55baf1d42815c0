/* An engine brought to where the journal ends: memory, the engine in it, and the links that were
 * up. Used to start the exchange and to look at a journal without it. One thread. */
#ifndef KASHI_EXCHANGE_REPLAY_H
#define KASHI_EXCHANGE_REPLAY_H

#include "base/arena.h"
#include "base/error.h"
#include "exchange/core/engine.h"
#include "exchange/journal.h"

#define REPLAY_LINKS_MAX 64 /* link ids that the core gives are below */
#define REPLAY_SINK_SIZE 4096

struct replay {
    struct arena arena;
    struct engine *engine;
    struct event_sink
        sink; /* of REPLAY_SINK_SIZE events; drains to nowhere until the caller says */
    bool up[REPLAY_LINKS_MAX];
    uint64_t commands;
    int64_t told_ns; /* monotonic: last progress line */
};

int replay_init(struct replay *replay, const struct engine_config *tables, struct error *error);
void replay_free(struct replay *replay); /* NULL is fine */
/* Steps through a batch and drops its events. A journal's callback: `context` is the replay. */
void replay_batch(void *context, const struct journal_batch *batch);

#endif
