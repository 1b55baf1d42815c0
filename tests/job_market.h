/* A small market for tests of JOBs: the engine alone, its invariants walked after every step. Class 0
 * (lot 1) and class 1 (lot 8) in regions 0 and 1; prices around 10.0000, inner band 50 %, outer band 90 %, no
 * fees until they are asked for. Two providers and two buyers, each in a group of its own, log in with
 * one key each. One at a time. */
#ifndef KASHI_TESTS_JOB_MARKET_H
#define KASHI_TESTS_JOB_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/core/engine.h"

enum {
    OPERATOR = 1,
    AN = 2,
    BAO = 3,
    CHEN = 4,
    DING = 5
}; /* keys and accounts; AN and BAO provide */
enum { REGION_A = 0, REGION_B = 1 };
/* Resources: in region A two of AN's and one of BAO's, in region B one of BAO's; those of class 0. */
enum { AN_1 = 1, AN_2 = 2, BAO_1 = 3, BAO_B = 4, MARKET_GPUS = 100000 };

#define MARKET_START_NS (INT64_C(1795132800) * NS_PER_SECOND)                  /* 2026-11-20T00Z */
#define HOUR(n)         ((uint32_t)(MARKET_START_NS / NS_PER_HOUR) + 2u + (n)) /* HOUR(0): open */
#define YUAN(n)         ((int64_t)((n)*10000))

/* Events of the last command. */
extern struct event market_events[4096];
extern uint32_t market_event_count;
extern int64_t market_now_ns; /* of the next command */
extern bool market_walks;     /* whether invariants are walked; false while much is entered */

struct engine_config market_config(void);                   /* the usual sizes */
void market_open(const struct engine_config *config);       /* NULL: of those sizes */
void market_resource(uint32_t account, uint16_t region_id); /* one more, of class 0 */
struct engine *market_engine(void);
/* A cleared command of a key, to be filled in and stepped. */
struct command *market_command(uint8_t type, uint32_t key);
union command_slot *market_slots(void); /* of that command */
void market_step(void);
void market_tick(int64_t seconds);

struct terms_of_offer {
    uint32_t key, resource, hour;
    int64_t price_e4, qty;
    int64_t display_qty;
    uint16_t region, class_id, job_lead_hours;
    uint8_t tier;
};
/* Enters it; returns its order id, 0 when it was refused. */
uint64_t market_offer(struct terms_of_offer terms);
uint64_t market_bid(uint32_t key, uint32_t hour, int64_t price_e4, int64_t qty);
void market_cancel(uint32_t key, uint64_t order_id);
void market_replace(uint32_t key, uint64_t order_id, int64_t price_e4, int64_t qty);

struct terms_of_job {
    uint32_t key, from, to; /* window: hours from .. below to */
    int64_t price_e4, qty, expire_time_ns;
    uint64_t same_group;
    uint16_t hours;
    uint8_t placement, tif, lane_count; /* 0 lanes: one, class 0 in region A, tier G0, factor 1 */
    struct job_lane lanes[JOB_LANES_MAX];
};
/* Fills the slots in without stepping. */
struct command *market_job_command(struct terms_of_job terms);
uint64_t market_job(struct terms_of_job terms);

/* The number-th event of a type in the last command, from 0; NULL: none. */
const struct event *market_event(uint8_t type, uint32_t number);
uint32_t market_count(uint8_t type);
uint16_t market_refusal(void); /* reason of the last command's REJECTED; 0: none */
bool market_live(uint64_t order_id);
int64_t market_leaves(uint64_t order_id); /* 0: not live */

#define LANE(region_, factor_)                                                                     \
    {                                                                                              \
        .region_id = (region_), .factor_e4 = (factor_)                                             \
    }

/* For suites: assertions on the events of the last command. */
/* The owner of a resource offers: not refused. */
void market_sell(uint32_t resource, uint32_t hour, int64_t price_e4, int64_t qty);
void market_expect_trades(uint32_t count);
void market_expect_miss(int64_t qty, uint8_t lane, uint32_t hour);
struct engine_account market_account(uint32_t account);
/* One lane, class 0 in region A; rests when it is not filled. */
struct terms_of_job market_job_of(uint8_t placement, uint32_t first_hour, uint32_t hours,
                                  int64_t price_e4, int64_t qty);

#endif
