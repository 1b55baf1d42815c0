/* Twins: engine and model fed the same commands, their events compared one by one, field by field.
 * Ids of orders, fills and sweeps may be numbered differently; the twin keeps which is which, and
 * commands name the model's. All commands are kept, so that they can be played to a second engine.
 * Values and bounds of REJECTED are for people and not compared. One thread. */
#ifndef KASHI_TESTS_MODEL_TWIN_H
#define KASHI_TESTS_MODEL_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/core/engine.h"
#include "tests/model.h"
#include "tests/model_audit.h"

enum { MODEL_TWIN_RECENT = 20, MODEL_TWIN_REASONS = 304, MODEL_TWIN_EVENTS = 64 };

/* Engine's id by the model's. */
struct model_twin_ids {
    uint64_t *items;
    size_t count;
    size_t capacity;
};

struct model_twin {
    struct engine_config config;
    struct model *model;
    struct engine *engine;
    void *memory;
    struct event_sink sink;
    struct model_events expected;
    struct model_events actual;
    struct model_twin_ids orders, fills, sweeps;
    struct model_audit *audit;
    union command_slot *commands; /* as the engine got them */
    size_t slot_count;
    size_t slot_capacity;
    uint64_t step_count;
    uint64_t
        reasons[MODEL_TWIN_REASONS]; /* of REJECTED, CANCELED, LEG_CANCELED, RESTATED, RELEASED */
    uint64_t events[MODEL_TWIN_EVENTS];
    uint64_t cleared[4];                      /* auctions that ended with trades, by kind */
    uint64_t coupled;                         /* of these, with bids of several tiers */
    uint64_t leg_reasons[MODEL_TWIN_REASONS]; /* of LEG_CANCELED alone */
    uint64_t resales;
    uint64_t self_trades[3]; /* by mode of the arriving order */
    uint64_t jobs_arriving;  /* JOBs filled when they were entered or replaced */
    uint64_t jobs_due;       /* and by an hour that became due */
    uint64_t postponed;      /* steps that left due hours to later ones */
    uint64_t most_orders;    /* live, at most */
    uint64_t most_asleep;    /* legs of SETs, at most */
    uint64_t most_legs;      /* of one SET, at most */
    uint64_t most_work;      /* orders over and not yet taken out, at most */
    union command_slot recent[MODEL_TWIN_RECENT][COMMAND_SLOTS_MAX];
};

/* Whether a reason is one of the core's that can occur: tables and long runs show them all. */
bool model_twin_shows_reason(uint16_t reason);

/* An id of no order: `order_id` of the engine's with bits changed that slots do not use. */
#define MODEL_TWIN_STALE (UINT64_C(1) << 62)

/* Slots of a command that are there in `commands`, whatever its head says. */
size_t model_twin_slots(const struct command_head *head);

struct model_twin *model_twin_new(const struct engine_config *config);
void model_twin_free(struct model_twin *twin);

/* Stamps the sequence number and feeds both; `slots` names the model's order ids. False: they
 * differ, and the last commands and both lists of events were printed to stderr. */
bool model_twin_step(struct model_twin *twin, const union command_slot *slots);
/* The last commands and the events of the last, by model and engine, to stderr. */
void model_twin_print(const struct model_twin *twin);
/* Compares all accounts, keys, orders, holdings and best prices. False: printed what differs. */
bool model_twin_same_state(const struct model_twin *twin);
/* Plays the commands to a fresh engine and compares state hashes; ids never repeated. */
bool model_twin_replays(const struct model_twin *twin);

#endif
