/* A small market behind a replica, for the tests of what can be read from it. Each step is a command
 * that the replica applies at once; what fails fails the test. One thread. */
#ifndef KASHI_TESTS_READS_WORLD_H
#define KASHI_TESTS_READS_WORLD_H

#include "base/error.h"
#include "base/random.h"
#include "exchange/replica.h"
#include "wire/codec.h"
#include "wire/command.h"

#define READS_WORLD_START_NS  (INT64_C(1795132800) * NS_PER_SECOND) /* 2026-11-20T00:00Z */
#define READS_WORLD_HOUR      (uint32_t)(READS_WORLD_START_NS / NS_PER_HOUR + 5)
#define READS_WORLD_PRICE_E4  INT64_C(100000)
#define READS_WORLD_KEY_COUNT 5

/* Key 1 is the operator's, 2 a provider's, 3 and 4 of one buyer's account (3), 5 another buyer's
 * (account 4). */
struct reads_world {
    char folder[64];
    struct replica replica;
    struct random random;
    struct error error;
    struct message message; /* the last answer */
    int64_t time_ns;
    uint64_t cl_ord_ids[READS_WORLD_KEY_COUNT + 1];
    union command_slot slots[COMMAND_SLOTS_MAX];
};

struct reads_world *reads_world_new(void); /* prints its seed */
void reads_world_free(struct reads_world *world);

/* A command of a key (0: of nobody) with the next number and time; the caller fills in its body. */
struct command *reads_world_begin(struct reads_world *world, uint32_t key, uint8_t type);
/* Applies the command that was begun. */
void reads_world_end(struct reads_world *world);
void reads_world_put_text(char *to, size_t size, const char *text);

/* An order for the one hour, in GPUs; key 2 offers, the others bid. Its id, 0 when refused. */
uint64_t reads_world_order(struct reads_world *world, uint32_t key, uint8_t tier, int64_t price_e4,
                           int64_t qty);
void reads_world_cancel(struct reads_world *world, uint32_t key, uint64_t order_id);

/* The answer to a key's request, good until the next one. */
const struct message *reads_world_ask(struct reads_world *world, uint32_t key,
                                      const struct request *request);
const struct message *reads_world_ask_status(struct reads_world *world, uint32_t key,
                                             uint64_t order_id, uint64_t cl_ord_id);
void reads_world_expect_reject(const struct message *message, uint16_t reason);

#endif
