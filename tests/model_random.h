/* Random commands for a market that is alive: mostly sensible, often on the edge, sometimes wrong
 * in every way that a field can be. It looks at the model's state to find live orders, sessions and
 * prices, so the same seed gives the same commands as long as the model stays the same. One thread. */
#ifndef KASHI_TESTS_MODEL_RANDOM_H
#define KASHI_TESTS_MODEL_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/model.h"

struct model_random {
    uint64_t state;
    uint64_t names; /* counts the names made up so far */
    int64_t time_ns;
    uint32_t burst; /* commands left of a burst of mass cancels */
    /* Shares in percent, which the caller may change: of orders that rest and show a part only, of
     * offers that are reserved for JOBs, of new orders that are ranges, SETs or JOBs. */
    uint32_t icebergs, reserved, ranges, sets, jobs, takes;
    /* set by the caller: enum market_mode of the market that most orders are of */
    uint8_t main_mode;
    uint32_t trial_orders; /* set by the caller: T of GENESIS */
    bool auctions;         /* set by the caller: markets have auctions, and their modes change */
    bool stopping;         /* set by the caller: markets stop and go on all the time */
    bool deep;             /* set by the caller: few books, thousands of orders in each */
    bool crowded;          /* set by the caller: many offers in few hours */
    bool restless;         /* set by the caller, with deep: sessions come and go all the same */
};

void model_random_init(struct model_random *random, uint64_t seed);
/* 0 .. bound - 1 */
uint32_t model_random_below(struct model_random *random, uint32_t bound);

/* The commands that open the market, one a call, from GENESIS on; false when it is open. */
bool model_random_opening(struct model_random *random, uint32_t step, const struct model *model,
                          union command_slot slots[COMMAND_SLOTS_MAX]);
/* The next command; seq is left to the caller. */
void model_random_command(struct model_random *random, const struct model *model,
                          union command_slot slots[COMMAND_SLOTS_MAX]);

/* --- what its parts share (model_random*.c) --------------------------------------------------- */

#define MODEL_RANDOM_PRICE_E4 INT64_C(100000) /* the middle of all prices */
/* 2026-11-20T00:00Z */
#define MODEL_RANDOM_START_NS (INT64_C(1795132800) * NS_PER_SECOND)
/* Where the deep books are. */
#define MODEL_RANDOM_DEEP_HOUR ((uint32_t)(MODEL_RANDOM_START_NS / NS_PER_HOUR) + 10)
enum {
    MODEL_RANDOM_CLASSES = 3,
    MODEL_RANDOM_REGIONS = 2,
    MODEL_RANDOM_FEES = 3,
    MODEL_RANDOM_GROUPS = 4,
    MODEL_RANDOM_ACCOUNTS = 6,
    MODEL_RANDOM_KEYS = 13,
    MODEL_RANDOM_RESOURCES = 9
};

uint64_t model_random_bits(struct model_random *random);
bool model_random_chance(struct model_random *random, uint32_t percent);
/* Once in so many times. */
bool model_random_rarely(struct model_random *random, uint32_t times);
/* A number that is out of some range, or just beside `near`. */
int64_t model_random_odd_number(struct model_random *random, int64_t near);
uint64_t model_random_deep_contract(struct model_random *random);
/* A price near the reference, often on its band's edges. */
int64_t model_random_price_e4(struct model_random *random, const struct model *model,
                              uint64_t contract);
/* Where trials are bounded narrowly: whether the next order is fill-or-kill so that one is made. */
bool model_random_counts(struct model_random *random);
int64_t model_random_qty(struct model_random *random, const struct model *model, uint64_t contract);
/* A resource that the account may offer from, and where in `*contract` that is. */
uint32_t model_random_resource(struct model_random *random, const struct model *model,
                               uint32_t account, uint64_t *contract);
/* Clears the slots and fills in what every command has. */
struct command *model_random_start(struct model_random *random,
                                   union command_slot slots[COMMAND_SLOTS_MAX], uint8_t type);
/* From a key's session, with a cl_ord_id so far ahead of its highest. */
void model_random_send_by(const struct model *model, struct command *command, uint32_t key,
                          uint64_t ahead);
void model_random_log_in(struct model_random *random, const struct model *model, uint32_t key,
                         union command_slot slots[COMMAND_SLOTS_MAX]);
/* model_random_hours.c: orders of several hours. */
void model_random_range(struct model_random *random, const struct model *model, uint32_t key,
                        union command_slot slots[COMMAND_SLOTS_MAX]);
void model_random_set(struct model_random *random, const struct model *model, uint32_t key,
                      union command_slot slots[COMMAND_SLOTS_MAX]);
void model_random_operator(struct model_random *random, const struct model *model,
                           union command_slot slots[COMMAND_SLOTS_MAX]);
/* model_random_job.c */
void model_random_job(struct model_random *random, const struct model *model, uint32_t key,
                      union command_slot slots[COMMAND_SLOTS_MAX]);
/* New terms for a replaced order, where it is a JOB. */
void model_random_job_replace(struct model_random *random, const struct model *model,
                              uint64_t order_id, struct command_replace_order *replace);

#endif
