#include "exchange/replay.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#define PROGRESS_NS (2 * NS_PER_SECOND)

/* Of replayed events only the links matter: who was here when the last process ended. */
static void drain_replayed(struct event_sink *sink)
{
    struct replay *replay = sink->context;
    for (uint32_t i = 0; i < sink->count; i++) {
        const struct event *event = &sink->events[i];
        if (event->head.type == EVENT_LINK) {
            CHECK(event->link.link < REPLAY_LINKS_MAX);
            replay->up[event->link.link] = event->link.up != 0;
        }
    }
    sink->count = 0;
}

int replay_init(struct replay *replay, const struct engine_config *tables, struct error *error)
{
    memset(replay, 0, sizeof(*replay));
    size_t engine_size = engine_memory_size(tables);
    size_t sink_size = REPLAY_SINK_SIZE * sizeof(struct event);
    if (arena_init(&replay->arena, engine_size + sink_size + 2 * ARENA_ALIGNMENT, ARENA_HUGE_PAGES,
                   error) < 0) {
        return error->code;
    }
    replay->sink.events = arena_take(&replay->arena, sink_size);
    void *memory = arena_take(&replay->arena, engine_size);
    CHECK(replay->sink.events != NULL && memory != NULL);
    arena_seal(&replay->arena);
    replay->sink.capacity = REPLAY_SINK_SIZE;
    replay->sink.drain = drain_replayed;
    replay->sink.context = replay;
    replay->engine = engine_init(memory, tables);
    if (replay->engine == NULL) {
        replay_free(replay);
        return error_set(error, ERROR_INVALID, "a table size in [exchange] is out of range");
    }
    return 0;
}

void replay_free(struct replay *replay)
{
    if (replay != NULL) {
        arena_free(&replay->arena);
        replay->engine = NULL;
    }
}

void replay_batch(void *context, const struct journal_batch *batch)
{
    struct replay *replay = context;
    for (uint32_t at = 0; at < batch->count;) {
        const struct command *command = &batch->slots[at].command;
        engine_step(replay->engine, command, &replay->sink);
        drain_replayed(&replay->sink);
        at += command->head.slots;
        replay->commands++;
    }
    int64_t now_ns = clock_monotonic_ns();
    if (replay->told_ns == 0) {
        replay->told_ns = now_ns;
    } else if (now_ns - replay->told_ns >= PROGRESS_NS) {
        replay->told_ns = now_ns;
        log_info("replaying the journal: command %" PRIu64 ", segment %" PRIu64, batch->last_seq,
                 batch->end.segment);
    }
}
