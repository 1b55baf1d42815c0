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
    MODEL_RANGES_MAX = 4096,
    MODEL_AUCTIONS_MAX = 4096,
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
    uint32_t auctions;
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
    uint64_t resumed;  /* when it could trade again, while offers wait in it; 0: it is not so */
    bool delisting;    /* has become a listing market; its bids are over */
    uint64_t delisted; /* when, among such changes */
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

/* A SET stands in the list of orders as itself, in no book, followed by its live legs. A JOB stands
 * there alone; what else it has is a struct model_job. */
enum model_kind { MODEL_PLAIN, MODEL_SET, MODEL_LEG, MODEL_JOB };

/* The id by which the model knows a leg; nobody else does. */
static inline uint64_t model_leg_id(uint64_t set_id, uint32_t leg)
{
    return set_id | (uint64_t)leg << 48;
}

/* A live order: resting, or the one that is arriving. Of a SET: `leaves_qty` is the balance, `price_e4`
 * the dearest live leg's limit, `contract` 0. Of a leg: quantities and fees are the SET's. Of a JOB:
 * `leaves_qty` in GPU-hours, `contract` of no market in the last hour in which it may start. */
struct model_order {
    uint64_t order_id;
    uint64_t set_id;   /* leg: of its SET */
    uint64_t range_id; /* 0: not of a range */
    uint64_t entry;    /* when it was entered: decides what ends it and who is oldest */
    uint64_t place;    /* when it arrived in its queue: time priority */
    uint64_t contract;
    uint64_t cl_ord_id;
    int64_t price_e4;
    int64_t leaves_qty;
    int64_t cum_qty;
    int64_t display_qty; /* iceberg; 0: all is shown */
    int64_t hidden_qty;  /* of leaves_qty, what is not shown */
    int64_t release_ns;  /* ORDER_RESERVED_FOR_JOBS: until then */
    uint64_t waits;      /* since when it has waited, that over, for its market; 0: it does not */
    int64_t expire_time_ns;
    int64_t fee_remainder;  /* r: ten-thousandths of the smallest money unit */
    int64_t bond_e4;        /* offer: per GPU */
    uint32_t job_factor_e4; /* JOB: the smallest of its lanes' */
    uint32_t job_lanes;     /* JOB: it counts as so many open orders */
    uint32_t key;
    uint32_t account;
    uint32_t resource;
    uint16_t maker_bp;
    uint16_t taker_bp;
    uint16_t flags;
    uint16_t job_lead_hours;
    uint8_t kind; /* enum model_kind */
    uint8_t leg;  /* leg: its place among the legs, from 1 */
    uint8_t side;
    uint8_t tif;
    uint8_t stp;
    uint8_t source_tier;
    bool asleep; /* leg: since `place` in no book */
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

/* A range that was entered; it lives while one of its offers does. */
struct model_range {
    uint64_t order_id;
    uint64_t cl_ord_id;
    uint64_t contract; /* of the first hour */
    int64_t price_e4;
    int64_t qty;
    uint32_t hours;
    uint32_t key;
    uint32_t account;
    uint32_t resource;
    uint16_t flags;
    uint16_t job_lead_hours;
    uint8_t stp;
};

/* An auction that collects in a ladder hour. */
struct model_auction {
    uint64_t contract; /* tier G0 */
    int64_t end_ns;
    uint64_t entropy;
    int64_t reference_e4[TIER_COUNT]; /* when it began; 0 none */
    uint32_t price_e4[TIER_COUNT];    /* last published */
    uint32_t qty[TIER_COUNT];
    uint16_t random_end_s;
    uint8_t kind;
    bool known; /* its end is */
};

/* What clearing gives. */
struct model_clearing {
    int64_t price_e4[TIER_COUNT];
    int64_t bid_qty[TIER_COUNT];
    int64_t offer_qty[TIER_COUNT];
    int pool[TIER_COUNT]; /* its lowest tier */
    uint8_t condition;    /* of the trades */
};

/* A trade about to be. */
struct model_deal {
    struct model_order *bid;
    struct model_order *offer;
    int64_t qty;
    int64_t price_e4;
    bool bid_rests;
    bool offer_rests;
    uint8_t aggressor;
    uint8_t condition;
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
    enum reject_field refused_field; /* of the last VALUE_OUT_OF_RANGE */
    uint32_t gate_hour;              /* the first hour whose gate is not finished */
    uint32_t gate_market;            /* markets of it that are */

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
    uint32_t ending_count, mass_cancel_count, range_count;
    struct model_order orders[MODEL_ORDERS_MAX]; /* live, in order of entry */
    struct model_holding holdings[MODEL_HOLDINGS_MAX];
    struct model_ladder ladders[MODEL_LADDERS_MAX];
    struct model_sold sold[MODEL_LADDERS_MAX];
    struct model_reference references[MODEL_REFERENCES_MAX];
    struct model_ending endings[MODEL_ENDINGS_MAX];
    struct model_mass_cancel mass_cancels[MODEL_MASS_CANCELS_MAX];
    struct model_range ranges[MODEL_RANGES_MAX];
    uint32_t auction_count, auctioned_count;
    struct model_auction auctions[MODEL_AUCTIONS_MAX]; /* in the order of their beginning */
    uint64_t auctioned[MODEL_LADDERS_MAX];             /* hours that have had one, tier G0 */
    uint64_t delistings;
    uint64_t waits_begun, resumptions;
    bool waking;  /* a leg at rest is arriving */
    bool ticking; /* a TICK may draw ends */
    bool drawn;
    uint16_t drawn_random_end_s;

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
/* Whether auctions wait for a TICK. */
bool model_wants_tick(const struct model *model);
/* Forgets the events, keeps their memory. */
void model_events_clear(struct model_events *events);
void model_events_free(struct model_events *events);

/* --- what the parts of the model ask each other (model*.c) ------------------------------------ */

/* Appends an event for `link` and returns its payload to fill in. */
struct event *model_emit(struct model *model, uint8_t type, uint16_t link);
/* Appends an execution report of `key`, with its next report_seq. */
struct event *model_emit_report(struct model *model, uint8_t type, uint32_t key,
                                uint64_t cl_ord_id);
/* The same of what is no report of its own: report_seq 0. */
struct event *model_emit_aside(struct model *model, uint8_t type, uint32_t key, uint64_t cl_ord_id);
/* Refuses the command under way; its cl_ord_id is used up. */
void model_reject(struct model *model, enum reject_reason reason);
/* The same, naming the leg (0 none) and contract at fault. */
void model_reject_at(struct model *model, enum reject_reason reason, uint8_t leg,
                     uint64_t contract);

struct model_market *model_market_find(struct model *model, uint16_t class_id, uint16_t region_id);
/* Place in model->ladders of what is remembered of a contract's ladder hour; ladder_count: nothing, for it
 * has not traded yet. */
uint32_t model_ladder_find(const struct model *model, uint64_t contract);

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

struct model_band {
    int64_t low_e4;
    int64_t high_e4;
};

/* model_order.c: new, replace, cancel. */
void model_order_new(struct model *model);
void model_order_replace(struct model *model);
void model_order_cancel(struct model *model);
/* What all orders have in common. */
enum reject_reason model_order_check_contract(struct model *model, uint64_t contract);
enum reject_reason model_order_check_resource(const struct model *model,
                                              const struct model_order *order);
uint32_t model_order_live(const struct model *model, uint32_t account);
bool model_order_reserved(const struct model_order *order);
/* Reserves an offer for JOBs where its hour is far enough away. */
void model_order_reserve(const struct model *model, struct model_order *order);
/* Where it may trade: tops that are over go, and it may be post-only. */
enum reject_reason model_order_check_tops(struct model *model, const struct model_order *order);
/* A resting order, or one that comes to rest, arrives. */
void model_order_arrive(struct model *model, uint64_t order_id, struct model_band inner);
/* Puts an order on the list of the live; it must have got its id. */
void model_order_add(struct model *model, const struct model_order *order);
struct event *model_order_emit_new(struct model *model, const struct model_order *order,
                                   int64_t min_qty);
/* The event of a replaced order, a report or not. */
void model_order_emit_replaced(struct model *model, const struct model_order *was,
                               const struct model_order *is, bool kept);
/* What replacing by the command under way makes of an order. */
struct model_order model_order_replaced(const struct model *model, const struct model_order *order,
                                        int64_t price_e4, int64_t qty, bool *keeps);
/* Ends an order as its account asked; DONE for another key. */
void model_order_end_on_request(struct model *model, const struct model_order *order,
                                enum reject_reason reason);
/* DONE for a key that asked for what happened to another key's order. */
void model_order_emit_done_if_other(struct model *model, uint32_t order_key);

/* model_room.c: whether a table could overflow. */
/* The fills that an arriving order, or a SET's leg, may need at most. */
int64_t model_room_across(const struct model *model, const struct model_order *order);
int64_t model_room_needed(const struct model *model, const struct model_order *order);
/* Times that the orders of a ladder hour can be met, both sides. */
int64_t model_room_of_hour(const struct model *model, uint64_t contract);
bool model_room_for_fills(const struct model *model, int64_t fills);
/* Places for `count` new orders and `more` that stand in no book. */
bool model_room_for_orders(const struct model *model, const struct model_order *orders,
                           uint32_t count, uint32_t more);
/* Places that orders, legs and ranges take. */
uint32_t model_room_orders_in_use(const struct model *model);
bool model_room_for_timers(const struct model *model, uint32_t more);

/* model_range.c */
void model_range_new(struct model *model);
/* The live range of that id; NULL for none. */
struct model_range *model_range_find(struct model *model, uint64_t order_id);
bool model_range_lives(const struct model *model, const struct model_range *range);
void model_range_replace(struct model *model, struct model_range *range);
void model_range_cancel(struct model *model, struct model_range *range);

/* model_set.c */
void model_set_new(struct model *model);
void model_set_replace(struct model *model, struct model_order *set);
/* What a leg may trade: the balance rounded down to its lot. */
int64_t model_set_tradeable(const struct model *model, const struct model_order *leg);
/* Ends a leg, and the SET with its last. `arriving`: it stands in no book yet. */
void model_set_end_leg(struct model *model, uint64_t leg_id, enum reject_reason reason,
                       bool arriving);
/* A leg that slept through an auction arrives, and rests or sleeps again. */
void model_set_wake(struct model *model, uint64_t leg_id);
/* After a change of the balance of a SET at rest: legs leave their books, or all of it goes. */
void model_set_settle(struct model *model, uint64_t set_id);
/* MISS of a SET that arrives (model_set_miss.c). */
void model_set_emit_miss(struct model *model, uint64_t set_id);

/* model_book.c: priority, matching, and the end of orders. */
struct model_band model_book_band(int64_t reference_e4, uint32_t width_bp);
/* Whether an order stands in a book, where arriving orders meet it. */
bool model_book_stands(const struct model_order *order);
/* Open quantity that can be met at once. */
int64_t model_book_shown(const struct model *model, const struct model_order *order);
bool model_book_same_ladder(uint64_t a, uint64_t b);
bool model_book_opposite(const struct model_order *taker, const struct model_order *maker);
bool model_book_within_limit(const struct model_order *taker, int64_t price_e4);
bool model_book_same_group(const struct model *model, const struct model_order *a,
                           const struct model_order *b);
/* The SET of a leg; else the order itself. */
struct model_order *model_book_owner(struct model *model, struct model_order *order);
/* The best opposite order for a taker, over ones included; NULL for none. `limited`: within the
 * taker's limit only. */
struct model_order *model_book_best(struct model *model, const struct model_order *taker,
                                    bool limited);
void model_book_take_out_tops(struct model *model, const struct model_order *taker);
/* What could be filled now, counted until it is `wanted`; *met: orders met until then. */
int64_t model_book_fillable(struct model *model, const struct model_order *taker,
                            struct model_band inner, int64_t wanted, uint32_t *met);
/* Orders that counting may meet. */
uint32_t model_book_trial_orders(const struct model *model);
/* Trades the arriving order; it may be gone afterwards (returns false). What is left shows what it
 * is to show. */
bool model_book_trade(struct model *model, uint64_t order_id, struct model_band inner);
/* The arriving order or leg meets one opposite order. */
void model_book_meet(struct model *model, uint64_t taker_id, uint64_t maker_id,
                     struct model_band inner);
void model_book_forget_passed(struct model *model);
/* Carries a trade out and tells of it; what follows for the orders is the caller's. */
void model_book_trade_pair(struct model *model, const struct model_deal *deal);
/* A resting order has traded, outside of matching: it goes when nothing is left; else what it showed is
 * used first. */
void model_book_used(struct model *model, uint64_t order_id);
/* Self-trade prevention between two that rest: both lose the smaller quantity. */
void model_book_reduce_both(struct model *model, uint64_t bid_id, uint64_t offer_id);
/* An order that shows nothing, and has some left, shows its next slice. */
void model_book_refresh(struct model *model, uint64_t order_id);
/* Open quantity comes to rest: it shows what it is to show. */
void model_book_hide(struct model_order *order);
struct model_order *model_book_find(struct model *model, uint64_t order_id);
/* After a fill of a resting order: the next slice is shown, or the order is gone. */
void model_book_settle_maker(struct model *model, uint64_t order_id);
/* Takes an order, and the legs of a SET, off the list without a word. */
void model_book_drop(struct model *model, uint64_t order_id);
/* Fills in an event of struct event_out. */
void model_book_tell_out(struct event *event, const struct model_order *order,
                         enum reject_reason reason, bool resting);
/* Ends an order: CANCELED and off the list. `cl_ord_id`: of the request that it answers. */
void model_book_end(struct model *model, uint64_t order_id, enum reject_reason reason,
                    uint64_t cl_ord_id, bool resting);

/* model_due.c: sessions, sweeps, kill; what is over and who takes it out. */
enum reject_reason model_due_over(struct model *model, const struct model_order *order);
void model_due_take_out(struct model *model, uint64_t order_id);
void model_due_take_out_because(struct model *model, const struct model_order *order,
                                enum reject_reason reason);
/* Takes out a SET that is over, or those of its legs that are. False: it is gone. */
bool model_due_touch_set(struct model *model, uint64_t set_id);
/* At most `units` of housekeeping; returns what is left of them. */
uint32_t model_due_housekeeping(struct model *model, uint32_t units);
/* A market may be able to trade again. */
void model_due_market_moved(struct model *model, struct model_market *market);
void model_due_end_key(struct model *model, uint32_t key, enum reject_reason reason);
void model_due_mass_cancel(struct model *model);
uint32_t model_due_first_open_hour(const struct model *model, int64_t time_ns);
model_wide model_due_gate_ns(const struct model *model, uint32_t hour);

/* model_auction.c: the phases of ladder hours. */
/* Whether an order that arrives in the hour rests without trading. */
bool model_auction_collects(struct model *model, uint64_t contract);
bool model_auction_under_way(struct model *model, uint64_t contract);
/* enum ladder_phase, as the protocol has it. */
uint8_t model_auction_phase(struct model *model, uint64_t contract);
/* Whether its arrival begins an auction, and room for so many. */
bool model_auction_begins(struct model *model, uint64_t contract);
bool model_auction_room(const struct model *model, uint32_t count);
/* The order has arrived in an hour that collects: it rests. */
void model_auction_collect(struct model *model, uint64_t order_id);
/* In place of BAND_REMAINDER; false: no auction begins. */
bool model_auction_begin_volatility(struct model *model, const struct model_order *order);
/* One unit: draws an end, or clears; false: none is due. */
bool model_auction_unit(struct model *model);
bool model_auction_due(struct model *model);
/* A gate ends the hour's auction, and it is forgotten that there was one. */
void model_auction_gate(struct model *model, uint64_t contract);
void model_auction_end_all(struct model *model, const struct command_set_market *terms);
/* Tells at the end of a step of what has changed in it. */
void model_auction_publish(struct model *model);
bool model_auction_was(const struct model *model, uint64_t contract);
/* Listing markets. */
void model_auction_take(struct model *model);
bool model_auction_delisting_unit(struct model *model);

/* model_clearing.c */
void model_clearing_find(struct model *model, uint64_t contract,
                         const int64_t reference_e4[TIER_COUNT], struct model_clearing *out);
/* The trades too; in `out` what has traded. */
void model_clearing_trade(struct model *model, const struct model_auction *auction,
                          struct model_clearing *out);
/* The condition of an auction's trades. */
uint8_t model_clearing_condition(const struct model_auction *auction);

/* model_registry.c: the operator's commands; false when the type is none of them. */
bool model_registry_command(struct model *model);

#endif
