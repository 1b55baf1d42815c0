/* The engine: the exchange as a pure function of its journal. engine_step() takes one command that
 * already holds its sequence number and time, changes the state and appends events. It reads no
 * clock, takes no memory, does no I/O and throws no dice: the same commands give the same events
 * and the same state, bit for bit, on every machine.
 *
 * Memory: the caller gives one zeroed block of engine_memory_size() bytes (zero pages are touched
 * only when used) and keeps it until the engine is no longer needed. Thread: one at a time. */
#ifndef KASHI_EXCHANGE_CORE_ENGINE_H
#define KASHI_EXCHANGE_CORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/command.h"
#include "wire/event.h"
#include "wire/reject.h"

/* Table sizes, fixed for the life of a journal (they decide who is refused FULL). */
struct engine_config {
    uint32_t orders;   /* resting orders */
    uint32_t ladders;  /* ladder hours that have an order, a last trade or a phase */
    uint32_t fills;    /* fills not yet released */
    uint32_t holdings; /* (account, resource, hour, tier) bought */
    uint32_t timers;   /* resting orders with an expire time */
    uint32_t accounts;
    uint32_t keys;
    uint32_t resources; /* each costs 8 KiB of address space, touched when used */
    uint32_t groups;
    uint32_t markets;
    uint32_t auctions; /* ladder hours in which an auction collects, at most 2^20 - 1 */
    uint32_t jobs;     /* resting JOBs */
};
/* A small market's worth: fits the demo and the tests in about 100 MB of touched memory. */
void engine_config_default(struct engine_config *config);

/* Where events go. The engine writes to events[count++] and calls drain when all `capacity` are
 * in use; drain must set count to 0. After a step what is left stands in events[0 .. count). The
 * last event of a command is always still there when engine_step returns. */
struct event_sink {
    struct event *events;
    uint32_t capacity; /* 16 or more */
    uint32_t count;
    void (*drain)(struct event_sink *sink);
    void *context; /* the caller's */
};

struct engine;

size_t engine_memory_size(const struct engine_config *config);
/* NULL when a size is out of range. `memory`: 64-byte aligned, zeroed, engine_memory_size bytes. */
struct engine *engine_init(void *memory, const struct engine_config *config);

/* `command` points at head.slots contiguous slots. Sequence must be one above the last. Never
 * fails: what cannot be done is answered by a REJECTED event. Commands that only the sequencer may
 * make (GENESIS, TICK, LINK_*) are trusted; everything else is checked in full. */
void engine_step(struct engine *engine, const struct command *command, struct event_sink *sink);
/* Steps the commands that stand one behind the other in `count` slots, continuation slots among them; faster
 * than one by one, because the next ones' memory is asked for while one is stepped. */
void engine_run(struct engine *engine, const union command_slot *slots, size_t count,
                struct event_sink *sink);

/* Hints without effect on the state: they touch the memory that a command not far ahead will need, so
 * that it is in the cache by then; the first about eight commands ahead, the second, which follows
 * what the first has brought in, about four. Any bytes are safe. */
void engine_prefetch_far(const struct engine *engine, const struct command *command);
void engine_prefetch_near(const struct engine *engine, const struct command *command);

/* Whether housekeeping is left over that later commands will go on with. */
bool engine_has_work(const struct engine *engine);

/* Whether auctions wait for a TICK to draw their ends. */
bool engine_wants_tick(const struct engine *engine);

/* Sequence and time of the last command. */
uint64_t engine_seq(const struct engine *engine);
int64_t engine_time_ns(const struct engine *engine);

/* Hash over the whole logical state: equal for equal journals, whatever the compiler. */
uint64_t engine_state_hash(const struct engine *engine);

/* Walks every invariant; ends the process at the first that does not hold. For tests. */
void engine_sanity(const struct engine *engine);

/* --- reads, for the replica, the sequencer and tests --------------------------------------- */

struct engine_account {
    int64_t cash_e4;
    int64_t credit_e4;
    int64_t reserved_e4;    /* by open bids */
    int64_t bond_open_e4;   /* by open offers */
    int64_t bond_locked_e4; /* by fills not yet released */
    int64_t escrow_e4;      /* paid into fills not yet released, fees included */
    int64_t available_e4;   /* cash + credit - reserved - bonds */
    int64_t order_qty_limit;
    uint32_t group;
    uint32_t open_orders;
    uint32_t open_orders_limit;
    uint32_t rate_limit;
    uint8_t roles;
    uint8_t fees;
    bool killed;
};
bool engine_account(const struct engine *engine, uint32_t account, struct engine_account *out);

struct engine_key {
    uint8_t public_key[PUBLIC_KEY_SIZE];
    uint64_t highest_cl_ord_id;
    uint64_t report_seq;
    uint32_t account;
    uint32_t session; /* 0: never logged in */
    uint16_t link;    /* 0: not bound */
    uint8_t roles;
    bool cancel_on_disconnect;
    bool revoked;
};
bool engine_key(const struct engine *engine, uint32_t key, struct engine_key *out);
uint32_t engine_key_count(const struct engine *engine);     /* keys are 1 .. count */
uint32_t engine_account_count(const struct engine *engine); /* accounts are 1 .. count */

/* What an order is. */
enum engine_order_kind { ENGINE_ORDER, ENGINE_SET, ENGINE_JOB, ENGINE_RANGE };
struct engine_order {
    uint64_t order_id;
    uint64_t contract; /* 0: a SET or a JOB; RANGE: of the first hour entered */
    uint64_t cl_ord_id;
    int64_t price_e4;
    /* SET: its balance; JOB: GPU-hours; RANGE: the quantity of an hour as asked for last. */
    int64_t leaves_qty;
    int64_t cum_qty;
    int64_t shown_qty; /* of leaves_qty: less than it where an iceberg keeps a part back */
    uint32_t key;
    uint32_t account;
    uint32_t resource;
    uint8_t side;
    uint8_t kind;  /* enum engine_order_kind */
    bool reserved; /* for JOBs: it stands apart */
    bool ranged;   /* an hour of a RANGE */
};
/* False when the order is not live. */
bool engine_order(const struct engine *engine, uint64_t order_id, struct engine_order *out);
/* What has become of a SET's leg. */
enum engine_leg { ENGINE_LEG_ENDED, ENGINE_LEG_ASLEEP, ENGINE_LEG_LIVE };
/* `number`: among the SET's legs as entered, from 1. `open_qty`: what it may trade now, 0 unless it is live. */
enum engine_leg engine_set_leg(const struct engine *engine, uint64_t order_id, uint32_t number,
                               uint32_t *open_qty);
/* Offers that stand in a contract of a listing market, best first; *cursor 0 to start, or one of them;
 * false at the end or where it is none. */
bool engine_listed_offer(const struct engine *engine, uint64_t contract, uint64_t *cursor,
                         struct engine_order *out);
/* Name of an ownership group, LABEL_SIZE bytes, NUL-padded; NULL: no such group. */
const char *engine_group_name(const struct engine *engine, uint32_t group);
/* Live orders of an account, newest first; *cursor 0 to start, false at the end. */
bool engine_account_order(const struct engine *engine, uint32_t account, uint64_t *cursor,
                          struct engine_order *out);

struct engine_holding {
    uint32_t account;
    uint32_t resource;
    uint32_t hour;
    uint8_t tier;
    int64_t qty;     /* bought and not resold */
    int64_t offered; /* of it, in open offers */
};
/* Holdings of an account in no stated order; *cursor 0 to start, false at the end. The cursor is good until
 * the next step. */
bool engine_account_holding(const struct engine *engine, uint32_t account, uint32_t *cursor,
                            struct engine_holding *out);

/* Best prices of a contract as its bidder and offerer see them: the ladder's. False: none. */
bool engine_best_bid(const struct engine *engine, uint64_t contract, int64_t *price_e4);
bool engine_best_offer(const struct engine *engine, uint64_t contract, int64_t *price_e4);
/* Reference price in force for a contract; false: none. */
bool engine_reference(const struct engine *engine, uint64_t contract, int64_t *price_e4);

/* enum ladder_phase of the contract's hour, after the last step. */
uint8_t engine_phase(const struct engine *engine, uint64_t contract);

/* What a request of several contracts would bring now, without anything being changed. */
struct engine_quote {
    int64_t qty;         /* that it would fill on arrival; JOB: GPU-hours */
    int64_t notional_e4; /* at these prices, fees apart */
    int64_t fee_e4;      /* on these */
    int64_t price_e4;    /* JOB that would be filled: the least price_e4 with which it would be */
    int64_t reserved_e4; /* that it would reserve first */
    int64_t value;       /* as in REJECTED */
    int64_t bound;       /* as in REJECTED */
    uint64_t
        contract; /* at fault; JOB that would be filled: its lane's in its first hour; 0 none */
    uint64_t miss_contract; /* as in MISS; 0: nothing at all, or it is malformed */
    int64_t miss_qty;
    uint32_t resource; /* JOB that would be filled in one resource: which */
    uint16_t reason;   /* why it would be refused, or canceled whole; REASON_NONE: neither */
    uint8_t leg;       /* at fault; JOB that would be filled: its lane; 0 none */
    uint8_t miss_leg;
};
/* Of a NEW_SET of head.key; session, cl_ord_id and rate are not looked at. False: no such key, or
 * another type. */
bool engine_quote_set(const struct engine *engine, const struct command *command,
                      struct engine_quote *out);
/* The same of a NEW_JOB. It works in the engine's scratch memory: not beside a step. */
bool engine_quote_job(const struct engine *engine, const struct command *command,
                      struct engine_quote *out);

/* Counts, for sizing and statistics. */
struct engine_counts {
    uint64_t
        orders; /* places of their table in use: a SET, its legs, a RANGE and its offers each take one */
    uint64_t ladders;
    uint64_t fills;
    uint64_t holdings;
    uint64_t
        index_bytes; /* behind resting orders: orders, trees and ladders in use, share of hints */
};
void engine_counts(const struct engine *engine, struct engine_counts *out);

#endif
