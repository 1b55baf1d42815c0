/* Plays a journal of commands to an engine and prints its state hash and a checksum of its events as it
 * goes: tests/compilers.sh compares what this says when different compilers have made it. It makes such
 * journals too, of seeded random commands.
 *   usage: state_hash make SEED COMMANDS >FILE
 *          state_hash play <FILE */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model_random.h"
#include "tests/model_twin.h"

enum { SINK = 64 };

static struct event events[SINK];
static uint64_t checksum = UINT64_C(0xcbf29ce484222325);

static struct engine_config tables(void)
{
    struct engine_config config;
    engine_config_default(&config);
    config.accounts = config.resources = config.groups = 40;
    config.keys = 200;
    config.markets = 16;
    config.holdings = 700;
    return config;
}

static int make(uint64_t seed, uint64_t commands)
{
    struct engine_config config = tables();
    struct model_twin *twin = model_twin_new(&config);
    struct model_random random;
    model_random_init(&random, seed);
    union command_slot slots[COMMAND_SLOTS_MAX];
    for (uint32_t i = 0; model_random_opening(&random, i, twin->model, slots); i++) {
        CHECK(model_twin_step(twin, slots));
    }
    while (twin->step_count < commands) {
        model_random_command(&random, twin->model, slots);
        CHECK(model_twin_step(twin, slots));
    }
    size_t written = fwrite(twin->commands, sizeof(twin->commands[0]), twin->slot_count, stdout);
    int status = written == twin->slot_count ? 0 : 1;
    model_twin_free(twin);
    return status;
}

static void drain(struct event_sink *sink)
{
    for (uint32_t i = 0; i < sink->count; i++) {
        const unsigned char *bytes = (const unsigned char *)&sink->events[i];
        for (size_t b = 0; b < sizeof(sink->events[i]); b++) {
            checksum = (checksum ^ bytes[b]) * UINT64_C(0x100000001b3);
        }
    }
    sink->count = 0;
}

static int play(void)
{
    struct engine_config config = tables();
    /* calloc's zero pages are touched only when used. */
    unsigned char *memory = calloc(1, engine_memory_size(&config) + 64);
    CHECK(memory != NULL);
    struct engine *engine = engine_init(memory + (64 - ((uintptr_t)memory & 63)), &config);
    struct event_sink sink = {.events = events, .capacity = SINK, .drain = drain};
    union command_slot slots[COMMAND_SLOTS_MAX];
    uint64_t steps = 0;
    while (fread(&slots[0], sizeof(slots[0]), 1, stdin) == 1) {
        size_t more = slots[0].command.head.slots - 1u;
        CHECK(fread(&slots[1], sizeof(slots[0]), more, stdin) == more);
        engine_step(engine, &slots[0].command, &sink);
        drain(&sink);
        if (++steps % 1000 == 0) {
            printf("%" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", steps, engine_state_hash(engine),
                   checksum);
        }
    }
    free(memory);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0) {
        return make(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    }
    if (argc == 2 && strcmp(argv[1], "play") == 0) {
        return play();
    }
    fprintf(stderr, "usage: state_hash make SEED COMMANDS >FILE | state_hash play <FILE\n");
    return 2;
}
