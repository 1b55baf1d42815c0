#include "exchange/replica.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define SINK_EVENTS 4096u

static void ignore_update(void *context, const struct market_data_update *update)
{
    (void)context;
    (void)update;
}

static void apply_events(struct replica *replica)
{
    struct event_sink *sink = &replica->sink;
    if (replica->failure.code == 0) {
        uint64_t position = 0;
        (void)tape_store_append(replica->store, sink->events, sink->count, &position,
                                &replica->failure);
        for (uint32_t i = 0; replica->failure.code == 0 && i < sink->count; i++) {
            const struct event *event = &sink->events[i];
            status_apply(replica->status, event, position + i);
            replica_registry_apply(&replica->registry, event, position + i);
            market_data_apply(replica->market_data, event);
        }
    }
    sink->count = 0;
}

static void drain(struct event_sink *sink)
{
    apply_events(sink->context);
}

static uint8_t phase_of(void *context, uint64_t contract)
{
    const struct replica *replica = context;
    return engine_phase(replica->engine, contract);
}

int replica_open(struct replica *replica, const char *tape_folder,
                 const struct engine_config *tables, market_data_publish *publish, void *context,
                 struct error *error)
{
    memset(replica, 0, sizeof(*replica));
    replica->status = status_new();
    replica->market_data =
        market_data_new(publish ? publish : ignore_update, context, phase_of, replica);
    replica_registry_init(&replica->registry);
    replica->sink =
        (struct event_sink){.capacity = SINK_EVENTS, .drain = drain, .context = replica};
    replica->sink.events = malloc(SINK_EVENTS * sizeof(struct event));
    CHECK(replica->sink.events);
    size_t size = engine_memory_size(tables);
    int result = arena_init(&replica->arena, size + ARENA_ALIGNMENT, 0, error);
    if (result == 0) {
        void *memory = arena_take(&replica->arena, size);
        replica->engine = memory ? engine_init(memory, tables) : NULL;
        if (!replica->engine) {
            result = error_set(error, ERROR_INVALID, "the journal's table sizes are out of range");
        }
    }
    if (result == 0) {
        result = tape_store_open(&replica->store, tape_folder, 0, error);
    }
    if (result < 0) {
        replica_close(replica);
    }
    return result;
}

void replica_close(struct replica *replica)
{
    tape_store_close(replica->store);
    status_free(replica->status);
    market_data_free(replica->market_data);
    replica_registry_free(&replica->registry);
    free(replica->sink.events);
    arena_free(&replica->arena);
    memset(replica, 0, sizeof(*replica));
}

int replica_apply(struct replica *replica, const union command_slot *slots, uint32_t count,
                  struct error *error)
{
    for (uint32_t i = 0; i < count;) {
        const struct command *command = &slots[i].command;
        CHECK(command->head.slots >= 1 && command->head.slots <= count - i);
        if (command->head.seq != replica_seq(replica) + 1) {
            return error_set(error, ERROR_CORRUPT,
                             "the journal goes on with command %" PRIu64 ", %" PRIu64 " is due",
                             command->head.seq, replica_seq(replica) + 1);
        }
        status_command(replica->status, &command->head);
        engine_step(replica->engine, command, &replica->sink);
        apply_events(replica);
        if (replica->failure.code < 0) {
            *error = replica->failure;
            return error->code;
        }
        i += command->head.slots;
    }
    return tape_store_flush(replica->store, error);
}

uint64_t replica_seq(const struct replica *replica)
{
    return engine_seq(replica->engine);
}
