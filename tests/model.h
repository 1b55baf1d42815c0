/* The slow, obvious exchange: a second writing of docs/rulebook.md, made without looking at
 * exchange/core. Plain arrays and linear scans, 128-bit products, nothing remembered that can be
 * counted. model_step() says which events a command must cause; tests compare them with the
 * engine's, field by field.
 *
 * Units as in wire/units.h. The model takes its memory from the heap in model_new and gives it back
 * in model_free. Ids of orders, fills and sweeps count from 1 here; an engine may number otherwise,
 * so comparers keep a mapping. One thread. */
#ifndef KASHI_TESTS_MODEL_H
#define KASHI_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/command.h"
#include "wire/event.h"
#include "wire/reject.h"

/* Products of prices, quantities and rates. */
__extension__ typedef __int128 model_wide;

enum {
    MODEL_MARKETS_MAX = 256,
    MODEL_GROUPS_MAX = 64,
    MODEL_ACCOUNTS_MAX = 64,
    MODEL_KEYS_MAX = 256,
    MODEL_RESOURCES_MAX = 64,
    MODEL_FEES_MAX = 256,
    MODEL_LINKS_MAX = 64,
    MODEL_ORDERS_MAX = 32768,
    MODEL_HOLDINGS_MAX = 65536,
    MODEL_LADDERS_MAX = 65536,
    MODEL_REFERENCES_MAX = 1024,
    MODEL_ENDINGS_MAX = 4096,
    MODEL_MASS_CANCELS_MAX = 32,
    MODEL_JOBS_MAX = 4096,
    MODEL_DUE_HOURS_MAX = 65536,
    MODEL_TRADE_GROUPS_MAX = 65536,
};

/* Table sizes that decide who is refused FULL. */
struct model_limits {
    uint32_t orders;
    uint32_t ladders;
    uint32_t fills;
    uint32_t holdings;
    uint32_t timers;
    uint32_t accounts;
    uint32_t keys;
    uint32_t resources;
    uint32_t groups;
    uint32_t markets;
    uint32_t jobs;
};

struct model_events {
    struct event *items;
    size_t count;
    size_t capacity;
};

struct model_class {
    char name[NAME_SIZE];
    uint32_t lot;
};

struct model_region {
    char name[NAME_SIZE];
};

struct model_market {
    struct command_set_market terms;
    bool halted;
};

struct model_group {
    char name[LABEL_SIZE];
};

struct model_fees {
    uint16_t maker_bp;
    uint16_t taker_bp;
};

struct model_account {
    char name[LABEL_SIZE];
    int64_t cash_e4;
    int64_t credit_e4;
    int64_t bond_locked_e4;
    int64_t escrow_e4;
    int64_t order_qty_limit;
    uint32_t group;
    uint32_t rate_limit;
    uint32_t open_orders_limit;
    uint8_t roles;
    uint8_t fees;
    bool killed;
};

struct model_key {
    uint8_t public_key[PUBLIC_KEY_SIZE];
    char name[LABEL_SIZE];
    uint64_t highest_cl_ord_id;
    uint64_t report_seq;
    int64_t rate_second;
    uint32_t rate_count;
    uint32_t account;
    uint32_t session;
    uint16_t link;
    uint8_t roles;
    bool cancel_on_disconnect;
    bool revoked;
};

struct model_resource {
    struct command_register_resource terms;
    char identifier[IDENTIFIER_SIZE];
};

struct model_link {
    char name[LINK_NAME_SIZE];
    bool up;
};

/* A live order: resting, or the one that is arriving. */
struct model_order {
    uint64_t order_id;
    uint64_t entry; /* when it was entered: decides what ends it and who is oldest */
    uint64_t place; /* when it arrived in its queue: time priority */
    uint64_t contract;
    uint64_t cl_ord_id;
    int64_t price_e4;
    int64_t leaves_qty;
    int64_t cum_qty;
    int64_t expire_time_ns;
    int64_t fee_remainder; /* r: ten-thousandths of the smallest money unit */
    int64_t bond_e4;       /* offer: per GPU */
    uint32_t job_factor_e4; /* JOB: the smallest of its lanes'; 0: not a JOB */
    uint32_t key;
    uint32_t account;
    uint32_t resource;
    uint16_t maker_bp;
    uint16_t taker_bp;
    uint16_t flags;
    uint8_t side;
    uint8_t tif;
    uint8_t stp;
    uint8_t source_tier;
    bool market;
    bool passed; /* a fill-or-kill of its group has passed it over */
};

struct model_holding {
    uint32_t account;
    uint32_t resource;
    uint32_t hour;
    uint8_t tier;
    int64_t qty; /* bought and not resold */
};

/* What is remembered of a ladder hour beside its orders. */
struct model_ladder {
    uint16_t class_id;
    uint16_t region_id;
    uint32_t hour;
    int64_t last_price_e4;
};

/* Own capacity sold, per resource and hour. */
struct model_sold {
    uint32_t resource;
    uint32_t hour;
    int64_t qty;
};

struct model_reference {
    uint16_t class_id;
    uint16_t region_id;
    uint8_t tier;
    int64_t price_e4;
};

/* A key's orders entered before `before` are over. */
struct model_ending {
    uint64_t before;
    uint32_t key;
    uint16_t reason;
};

struct model_mass_cancel {
    struct command_mass_cancel scope;
    uint64_t sweep_id;
    uint64_t before;
    uint64_t cl_ord_id;
    uint64_t canceled;
    uint32_t key; /* who asked */
    uint32_t account;
    uint32_t key_under_way;
    uint64_t looked_at; /* entry of its order looked at last */
};

/* What a live JOB has beside its order (model_job.h). */
struct model_job {
    uint64_t order_id;
    struct command_new_job terms; /* price and qty: as last replaced */
    struct job_lane lanes[JOB_LANES_MAX];
    bool resting;
};

/* Under what the fills of a JOB in one resource are known. */
struct model_trade_group {
    uint64_t fill_id;
    uint32_t resource;
    uint32_t group; /* the buyer's */
};

struct model_due_hour {
    uint16_t class_id;
    uint16_t region_id;
    uint32_t hour;
};

/* Where a lane stands in its market: by price from the highest, then time, then lane. */
struct model_job_rank {
    int64_t price_e4;
    uint64_t place;
    uint32_t lane;
};

struct model {
    struct model_limits limits;
    struct command_genesis rules;
    uint64_t seq;
    int64_t time_ns;
    uint64_t last_order_id;
    uint64_t last_fill_id;
    uint64_t last_sweep_id;
    uint64_t last_entry; /* counts entries and arrivals */
    uint64_t fills;
    uint32_t gate_hour;   /* the first hour whose gate is not finished */
    uint32_t gate_market; /* markets of it that are */

    uint32_t class_count, region_count, market_count, group_count, account_count, key_count;
    uint32_t resource_count, fees_count, link_count;
    struct model_class classes[CLASS_COUNT_MAX];    /* by id from 0 */
    struct model_region regions[REGION_COUNT_MAX];  /* by id from 0 */
    struct model_market markets[MODEL_MARKETS_MAX]; /* in the order of their opening */
    struct model_fees fees[MODEL_FEES_MAX];         /* by id from 0 */
    struct model_group groups[MODEL_GROUPS_MAX];    /* by id from 1, as all that follow */
    struct model_account accounts[MODEL_ACCOUNTS_MAX];
    struct model_key keys[MODEL_KEYS_MAX];
    struct model_resource resources[MODEL_RESOURCES_MAX];
    struct model_link links[MODEL_LINKS_MAX];

    uint32_t order_count, holding_count, ladder_count, sold_count, reference_count;
    uint32_t ending_count, mass_cancel_count;
    struct model_order orders[MODEL_ORDERS_MAX]; /* live, in order of entry */
    struct model_holding holdings[MODEL_HOLDINGS_MAX];
    struct model_ladder ladders[MODEL_LADDERS_MAX];
    struct model_sold sold[MODEL_LADDERS_MAX];
    struct model_reference references[MODEL_REFERENCES_MAX];
    struct model_ending endings[MODEL_ENDINGS_MAX];
    struct model_mass_cancel mass_cancels[MODEL_MASS_CANCELS_MAX];

    uint32_t job_count, trade_group_count, due_count;
    struct model_job jobs[MODEL_JOBS_MAX]; /* live */
    struct model_trade_group trade_groups[MODEL_TRADE_GROUPS_MAX];
    struct model_due_hour due[MODEL_DUE_HOURS_MAX]; /* in the order of becoming due */
    struct model_due_hour worked_at;                /* taken off that list */
    struct model_job_rank looked_at;                /* the lane looked at last there */
    bool working, looked;                           /* whether those two are anything */

    struct model_events *events; /* of the step under way */
    const struct command *command;
};

struct model *model_new(const struct model_limits *limits);
void model_free(struct model *model);

/* Does what the command asks and appends the events that it must cause. */
void model_step(struct model *model, const struct command *command, struct model_events *events);
/* Whether housekeeping is left over. */
bool model_has_work(struct model *model);
/* Forgets the events, keeps their memory. */
void model_events_clear(struct model_events *events);
void model_events_free(struct model_events *events);

/* --- what the parts of the model ask each other (model*.c) ------------------------------------ */

/* Appends an event for `link` and returns its payload to fill in. */
struct event *model_emit(struct model *model, uint8_t type, uint16_t link);
/* Appends an execution report of `key`, with its next report_seq. */
struct event *model_emit_report(struct model *model, uint8_t type, uint32_t key,
                                uint64_t cl_ord_id);
/* Refuses the command under way; its cl_ord_id is used up. */
void model_reject(struct model *model, enum reject_reason reason);

struct model_market *model_market_find(struct model *model, uint16_t class_id, uint16_t region_id);

/* model_money.c: what is reserved, counted anew from the orders each time. */
int64_t model_money_order_reserve_e4(const struct model_order *order);
int64_t model_money_reserved_e4(const struct model *model, uint32_t account);
int64_t model_money_bond_open_e4(const struct model *model, uint32_t account);
int64_t model_money_available_e4(const struct model *model, uint32_t account);
int64_t model_money_bond_per_gpu_e4(const struct model *model, int64_t price_e4,
                                    int64_t reference_e4);
/* Fee of a fill; moves the order's remainder on. */
int64_t model_money_fee_e4(struct model_order *order, int64_t price_e4, int64_t qty,
                           uint16_t rate_bp);
int64_t model_money_own_free_qty(const struct model *model, uint32_t resource, uint32_t hour);
int64_t model_money_holding_free_qty(const struct model *model,
                                     const struct model_holding *holding);
struct model_holding *model_money_holding(struct model *model, uint32_t account, uint32_t resource,
                                          uint32_t hour, uint8_t tier);
/* The source that an offer may draw `qty` from; false when there is none. */
bool model_money_source(struct model *model, const struct model_order *order, int64_t qty,
                        uint8_t *source_tier);
bool model_money_source_has(struct model *model, const struct model_order *order, int64_t qty);
void model_money_settle(struct model *model, struct model_order *bid, struct model_order *offer,
                        int64_t price_e4, int64_t qty);
bool model_money_reference(struct model *model, uint64_t contract, int64_t *price_e4);

/* model_order.c: new, replace, cancel. */
void model_order_new(struct model *model);
void model_order_replace(struct model *model);
void model_order_cancel(struct model *model);

/* model_book.c: priority, matching, and the end of orders. */
struct model_band {
    int64_t low_e4;
    int64_t high_e4;
};
struct model_band model_book_band(int64_t reference_e4, uint32_t width_bp);
/* The best opposite order for a taker, over ones included; NULL for none. `limited`: within the
 * taker's limit only. */
struct model_order *model_book_best(struct model *model, const struct model_order *taker,
                                    bool limited);
void model_book_take_out_tops(struct model *model, const struct model_order *taker);
int64_t model_book_fillable(struct model *model, const struct model_order *taker,
                            struct model_band inner);
/* Trades the arriving order; `*order` may be gone afterwards (returns false). */
bool model_book_trade(struct model *model, uint64_t order_id, struct model_band inner);
struct model_order *model_book_find(struct model *model, uint64_t order_id);
/* Ends an order: CANCELED and off the list. `cl_ord_id`: of the request that it answers. */
void model_book_end(struct model *model, uint64_t order_id, enum reject_reason reason,
                    uint64_t cl_ord_id, bool resting);

/* Takes an order off the list without an event. */
void model_book_drop(struct model *model, uint64_t order_id);
/* Counts. */
uint32_t model_order_live(const struct model *model, uint32_t account);
uint32_t model_order_rows(const struct model *model);
uint32_t model_order_timers(const struct model *model);

/* model_due.c: sessions, sweeps, kill; what is over and who takes it out. */
enum reject_reason model_due_over(struct model *model, const struct model_order *order);
void model_due_take_out(struct model *model, uint64_t order_id);
/* At most `units` of housekeeping; returns what is left of them. */
uint32_t model_due_housekeeping(struct model *model, uint32_t units);
void model_due_end_key(struct model *model, uint32_t key, enum reject_reason reason);
void model_due_mass_cancel(struct model *model);
uint32_t model_due_first_open_hour(const struct model *model, int64_t time_ns);
model_wide model_due_gate_ns(const struct model *model, uint32_t hour);

/* model_registry.c: the operator's commands; false when the type is none of them. */
bool model_registry_command(struct model *model);

#endif
