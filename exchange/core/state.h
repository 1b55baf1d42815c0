/* The engine's state: plain tables in one block, linked by 32-bit indexes, 0 meaning none.
 *
 * Invariants, walked by engine_sanity():
 *  1. A resting order stands in the ring of its level; a live order in its key's chain.
 *  2. A level's ring runs from the oldest order, its head, to the newest (head.previous) and round.
 *     The book's tree names the head of every level; ladder.best[book] and best_price[book] name
 *     that of the best.
 *  3. account.reserved = sum of bid_reserve() of its live bids; bond_open = sum of bond_unit x
 *     leaves of its live offers; open_orders counts both, a SET once for each live leg, a JOB for each
 *     of its lanes.
 *  4. A capacity cell's committed = GPUs in live offers on the provider's own capacity + GPUs ever
 *     sold from it, and never exceeds the resource's GPUs.
 *  5. holding.offered = GPUs in live offers drawing on it, never above holding.qty. The last fills, at
 *     most HOLDINGS_BEHIND_MOST, are not in the holdings yet.
 *  6. account.escrow and bond_locked = sums over its fills.
 *  7. A ladder exists while it or its shadow has an order, it has a last trade or has had an auction,
 *     or while it is being closed at its gate. LADDER_SHADOWED is set while its shadow has an order.
 *  8. An iceberg rests with at most `display` shown and the rest in reserve; one that arrives, or has
 *     left its book, has no reserve. LADDER_ICEBERGS is set while an iceberg of it has a reserve.
 *  9. due_ns is not above any time at which something becomes due: the end of the second (and so
 *     any gate) and the first expire time; at or below time_ns while something is.
 * 10. A resting SET has a live leg, the dearest of which is its price; a leg that may trade something
 *     stands in its book, any other in the shadow of its ladder (set.h). Where a gate closes the hour
 *     bit by bit a leg stays where it stood.
 * 11. The offers of a RANGE stand one after the other in their key's chain, itself behind them.
 * 12. A quote is what quote_make() would make now; a contract has one only where that succeeds.
 * 13. A JOB's order names its record and the record the order; while it rests, each of its lanes has a
 *     LANE in the market's job ladder, at the JOB's price, and market.job_lanes counts them.
 * 14. A due hour stands in the list once; due_entry is the first LANE of the hour's market that ranks
 *     behind the one looked at last.
 * 15. A collecting ladder and its auction name each other, and the auction stands in one of the heaps
 *     WAITING and READY; TOUCHED is empty between steps.
 * 16. The offers that wait are those in the lists of their markets; such a market cannot trade, or is in
 *     the list of those that can again.
 * 17. available = cash + credit - reserved - bond_open - bond_locked is never below 0 but by a
 *     lowered credit limit. */
#ifndef KASHI_EXCHANGE_CORE_STATE_H
#define KASHI_EXCHANGE_CORE_STATE_H

#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "exchange/core/auction_clear.h"
#include "exchange/core/engine.h"

#define HOUR_RING      1024 /* above horizon + hours whose gate is still to be worked off */
#define BOOKS          8    /* a ladder's books: side x 4 + tier */
#define LINKS_MAX      64
#define FEES_MAX       256
#define SWEEPS_MAX     32
#define NODE_UNIT      32
#define NODE_UNITS     8  /* of the largest node */
#define NODE_CAPACITY  30 /* entries of the largest node */
#define RESOURCE_MASK  0x1fffffu
#define QUOTE_BITS     10
#define HOLDING_PRINTS 128

/* What stands in the table of orders. All but PLAIN have `special` set. */
enum order_kind {
    KIND_PLAIN = 0,
    KIND_SET = 1,   /* a SET: in its key's chain, in no book; its legs are */
    KIND_LEG = 2,   /* a leg of a SET: a bid in a book, in no chain */
    KIND_JOB = 3,   /* a JOB: in its key's chain, in no book; its lanes are */
    KIND_LANE = 4,  /* a lane of a JOB: in the books of its market's job ladder, in no chain */
    KIND_RANGE = 5, /* a RANGE: stands in the key's chain right behind its offers, in no book */
};

/* A resting order, one cache line. 30-bit quantities (QTY_MAX), 31-bit prices. */
struct order {
    uint64_t cl_ord_id;
    uint32_t generation; /* high half of the order id; the slot is the low half */
    uint32_t price_e4;
    uint32_t leaves;
    uint32_t cum;
    uint32_t next; /* ring of its level */
    uint32_t previous;
    uint32_t ladder;
    uint32_t key;
    uint32_t newer; /* chain of the key's orders, by entry; free list */
    uint32_t older;
    uint32_t epoch;     /* entered in; a mark with a higher epoch ends it */
    uint32_t bond_unit; /* offer: bond per GPU */
    union {
        struct {
            unsigned resource : 21; /* offer; up to 2^20 */
            unsigned resting : 1;   /* stands in its book; 0 while it is arriving */
            unsigned head : 1;      /* oldest of its level */
            unsigned timed : 1;     /* timer_of[slot] is its place in the heap */
            unsigned special : 1;   /* of another kind than PLAIN, or one of the next three is set:
                                       the one bit that the way of a plain order looks at */
            unsigned iceberg : 1;   /* shows a part of itself at a time */
            unsigned reserved : 1;  /* for JOBs: stands in the shadow of its ladder */
            unsigned ranged : 1;    /* an offer of a RANGE that is live */
            unsigned kind : 3;      /* enum order_kind */
            unsigned waits : 1;     /* reserved, its time has come, and its market cannot trade */
            unsigned fee_rest : 14; /* r of the rulebook, below 10,000 */
            unsigned tier : 2;
            unsigned fees : 8; /* fee schedule, frozen at entry */
            unsigned sell : 1;
            unsigned stp : 2;
            unsigned source : 3; /* offer: tier of the holding that it draws on, or SOURCE_OWN */
            unsigned post_only : 1;
            unsigned live : 1;
        };
        uint64_t bits; /* all of these at once: ORDER_* */
    };
};
static_assert(sizeof(struct order) == 64, "order");
/* Where a field of order.bits begins (engine_sanity CHECKs it). */
#define ORDER_RESOURCE_AT 0
#define ORDER_RESTING_AT  21
#define ORDER_HEAD_AT     22
#define ORDER_TIER_AT     46
#define ORDER_FEES_AT     48
#define ORDER_SELL_AT     56
#define ORDER_STP_AT      57
#define ORDER_SOURCE_AT   59
#define ORDER_LIVE_AT     63

struct node {
    uint32_t book; /* ladder x BOOKS + book */
    uint32_t parent;
    uint8_t count;
    uint8_t capacity;
    uint8_t units;
    uint8_t height; /* 0 leaf */
    uint32_t next_free;
    int32_t entries[4]; /* capacity goodness values, then capacity children or heads of levels; the
                           smallest node has two of each */
};
static_assert(sizeof(struct node) == NODE_UNIT, "node");

/* The books of one hour of a market. Each ladder has a shadow, a ladder of the same hour for what
 * stands but cannot be taken by plain orders: offers reserved for JOBs, sleeping legs of SETs. Its
 * place follows from the ladder's, so it needs no room of its own. */
struct ladder {
    uint64_t contract; /* tier 0 */
    uint32_t market;
    uint32_t last_trade_e4; /* 0 none yet */
    uint32_t orders[2];     /* live, by side */
    uint32_t occupied;      /* bit a book; above them LADDER_* */
    uint32_t next_free;
    uint32_t best[BOOKS];       /* slot */
    uint32_t best_price[BOOKS]; /* valid where occupied */
    uint32_t root[BOOKS];       /* node */
};
static_assert(sizeof(struct ladder) == 128, "ladder");
#define LADDER_BOOKS      0xffu       /* of occupied: the books themselves */
#define LADDER_SHADOWED   0x100u      /* its shadow has an order */
#define LADDER_ICEBERGS   0x200u      /* an iceberg stands in it */
#define LADDER_AUCTIONED  0x800u      /* it has had an auction: it does not open again */
#define LADDER_AUCTION    0xfffff000u /* the auction that collects in it */
#define LADDER_AUCTION_AT 12
#define LADDER_NOT_PLAIN                                                                           \
    (LADDER_ICEBERGS | LADDER_AUCTION) /* closes the straight way of plain.h: forget quotes */

/* An iceberg's quantity is at most so many slices, which bounds the trades of whoever meets it. */
#define ICEBERG_SLICES_MAX 1000
/* Of an order with `iceberg` set, by slot. */
struct iceberg {
    uint32_t reserve;
    uint32_t display; /* of each slice at most */
};

/* Of an order with `waits` set, by slot: its place in the list of its market. */
struct waiting {
    uint32_t next;
    uint32_t previous;
};

/* Slices in reserve of a ladder's icebergs: sum of ceil(reserve / display) by side. */
struct slices {
    uint64_t of[2];
};

struct market {
    uint32_t launch_price_e4[TIER_COUNT];
    uint32_t index_price_e4[TIER_COUNT];
    uint32_t inner_band_bp;
    uint32_t outer_band_bp;
    uint32_t lot;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t mode;
    uint8_t flags;
    uint8_t halted;
    uint8_t opens;      /* 1: its hours begin with an opening auction */
    uint32_t job_lanes; /* of JOBs that rest in it */
    uint8_t delisting;  /* 1: it has become a listing market, and bids are still to be taken out */
    uint8_t reserved[7];
};
static_assert(sizeof(struct market) == 64, "market");

/* What only auctions and reservations ask of a market. */
struct market_terms {
    uint32_t opening_s;
    uint32_t volatility_s;
    uint32_t period_s;
    uint32_t volatility_min_qty;
    uint32_t next_delisting;
    uint32_t waiting_first; /* offers whose reservation ended while it could not trade */
    uint32_t waiting_last;
    uint32_t next_resuming;
    uint16_t random_end_s;
    uint8_t resuming; /* 1: in the list of markets that can trade again */
    uint8_t reserved[5];
};
static_assert(sizeof(struct market_terms) == 40, "market terms");

/* An auction waits while its random end is not drawn yet; when its end is known it is ready. */
enum auction_heap { AUCTIONS_WAITING = 0, AUCTIONS_READY = 1, AUCTIONS_TOUCHED = 2, AUCTION_HEAPS };

/* An auction that collects in a ladder hour. */
struct auction {
    int64_t end_ns;                /* nominal while it waits */
    uint64_t begun;                /* place in the order of beginning */
    uint64_t entropy;              /* that its end was drawn with; 0 none */
    uint32_t ladder;               /* 0: the record is free */
    uint32_t place[AUCTION_HEAPS]; /* 0: not in that heap */
    uint32_t next_free;
    uint32_t reference_e4[TIER_COUNT]; /* when it began */
    uint32_t price_e4[TIER_COUNT];     /* last published */
    uint32_t qty[TIER_COUNT];
    uint16_t random_end_s;
    uint8_t kind; /* enum auction_kind */
    uint8_t reserved[9];
};
static_assert(sizeof(struct auction) == 104, "auction");

/* One order's part of what clears. */
struct auction_pick {
    uint32_t slot;
    uint32_t left;
};

struct account { /* first cache line: all that a new order looks at */
    int64_t cash_e4;
    int64_t credit_e4;
    int64_t reserved_e4;
    int64_t bond_open_e4;
    int64_t bond_locked_e4;
    uint32_t open_orders;
    uint32_t open_orders_limit;
    uint32_t order_qty_limit;
    uint32_t rate_limit;
    uint32_t group;
    uint8_t roles;
    uint8_t fees;
    uint8_t killed;
    uint8_t reserved0;
    int64_t escrow_e4;
    uint32_t first_key;
    uint32_t last_key;
    uint8_t reserved[48];
};
static_assert(sizeof(struct account) == 128, "account");

struct key {
    uint64_t highest_cl_ord_id;
    uint64_t report_seq;
    uint32_t account;
    uint32_t group;
    uint32_t session;
    uint32_t newest; /* chain of live orders */
    uint32_t oldest;
    uint32_t rate_second;
    uint32_t rate_count;
    uint32_t end_epoch; /* orders entered before it are over */
    uint32_t next_of_account;
    uint32_t next_ended;
    uint16_t link;
    uint8_t roles;
    uint8_t flags; /* KEY_* */
    uint8_t end_reason;
    uint8_t reserved[3];
};
static_assert(sizeof(struct key) == 64, "key");
#define KEY_BOUND   1u /* has a session */
#define KEY_COD     2u /* cancel on disconnect */
#define KEY_REVOKED 4u
#define KEY_ENDED   8u /* in the list of keys with orders to take out */

struct resource {
    uint32_t account;
    uint32_t gpus;
    uint16_t region_id; /* in the order of a contract's bits */
    uint16_t class_id;
    uint8_t tier;
    uint8_t reserved[3];
};
static_assert(sizeof(struct resource) == 16, "resource");

struct capacity_cell {
    uint32_t hour; /* that committed is of; another hour: nothing is committed */
    uint32_t committed;
};

struct holding {
    uint32_t account;
    uint32_t resource;
    uint32_t hour_tier; /* hour << 8 | tier */
    uint32_t qty;
    uint32_t offered;
    uint32_t next_free;
    uint32_t next_in_hour;
    uint32_t previous_in_hour;
};
static_assert(sizeof(struct holding) == 32, "holding");

/* Where the level of a price was last. Never trusted unchecked; kept out of the state's hash. */
struct hint {
    uint32_t head;
    uint32_t newest;
};

/* What the straight way (plain.h) asks of a contract's market: made when an order needs it, forgotten
 * whenever anything that it is made of changes (quote.h). Kept out of the state's hash. */
struct quote {
    uint64_t contract; /* 0 empty: hour 0 never trades */
    uint32_t ladder;
    uint32_t low_e4; /* outer band: low .. low + width */
    uint32_t width_e4;
    uint32_t reference_e4;
    uint32_t lot;
    uint32_t cell; /* capacity cell of no resource in that hour; a resource's is so many behind */
};
static_assert(sizeof(struct quote) == 32, "quote");

/* Open addressing, at most half full; the low bits of the print are the home place, so that a probe
 * and a removal touch no holding but the one sought. */
struct bucket {
    uint32_t holding; /* 0 empty */
    uint32_t print;
};

/* Kept until settlement's last release. One cache line: escrow = price x quantity + the buyer's fee,
 * bond = bond_unit x quantity. */
struct fill_record {
    uint64_t buy_order_id;
    uint64_t sell_order_id;
    uint64_t contract;
    int64_t buy_fee_e4;
    int64_t sell_fee_e4;
    union {
        struct {
            uint64_t price_e4 : 31;
            uint64_t qty : 30;
            uint64_t source_tier : 3;
        };
        uint64_t terms; /* these at once: FILL_* */
    };
    union {
        struct {
            uint64_t buyer : 21; /* accounts and resource: up to 2^20 */
            uint64_t seller : 21;
            uint64_t resource : 21;
            uint64_t names_site : 1; /* 1: first fill of a JOB in one resource: its id names that */
        };
        uint64_t parties;
    };
    union {
        struct {
            uint64_t bond_unit : 32;
            uint64_t generation : 30; /* high part of the fill id */
            uint64_t offer_tier : 2;
        };
        uint64_t rest;
    };
};
/* Where a field of these begins (engine_sanity CHECKs it). */
#define FILL_QTY_AT        31
#define FILL_SOURCE_AT     61
#define FILL_SELLER_AT     21
#define FILL_RESOURCE_AT   42
#define FILL_GENERATION_AT 32
#define FILL_OFFER_TIER_AT 62
static_assert(sizeof(struct fill_record) == 64, "fill record");
static_assert(PRICE_MAX_E4 < INT64_C(1) << 31 && QTY_MAX < INT64_C(1) << 30, "fill record");

struct job_lane_state {
    uint32_t entry; /* slot of the LANE while the JOB rests */
    uint32_t factor_e4;
    uint16_t market;
    uint8_t tier; /* lowest */
    uint8_t reserved;
};
static_assert(sizeof(struct job_lane_state) == 12, "job lane");

/* What of a JOB does not fit its order, which names it by bond_unit. */
struct job {
    int64_t reserve_e4;
    uint32_t slot; /* of the order; 0 in a free record */
    uint32_t price_e4;
    uint32_t qty;
    uint32_t group; /* ownership group of the buyer */
    uint32_t window_from;
    uint32_t window_to;
    uint32_t resource; /* PLACEMENT_SAME: the one */
    uint32_t next_free;
    uint16_t hours;
    uint8_t placement;
    uint8_t lane_count;
    uint8_t reserved[4];
    struct job_lane_state lanes[JOB_LANES_MAX];
};
static_assert(sizeof(struct job) == 48 + 12 * JOB_LANES_MAX, "job");

/* Place of a market's hour in the list of due hours; its index is market x HOUR_RING + hour in the
 * ring. */
struct due_hour {
    uint32_t next; /* DUE_END: the last; 0: not in the list */
    uint32_t previous;
};
#define DUE_END 1u /* no market's hour */

struct timer {
    int64_t expire_time_ns;
    uint64_t entry; /* order of entry breaks ties */
    uint32_t slot;
    uint32_t reserved;
};

struct fee_schedule {
    uint16_t maker_bp;
    uint16_t taker_bp;
};

struct link_state {
    char name[LINK_NAME_SIZE];
    uint8_t up;
    uint8_t reserved[7];
};

/* A mass cancel under way. */
struct sweep {
    uint64_t id;
    uint64_t canceled;
    uint64_t cl_ord_id;
    uint32_t by_key;
    uint32_t account;
    uint32_t epoch;
    uint32_t key;  /* being looked through */
    uint32_t slot; /* next order to look at; 0: the key is done */
    uint32_t hour_from;
    uint32_t hour_to;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t filter;
    uint8_t reserved[7];
};
static_assert(sizeof(struct sweep) == 64, "sweep");

struct class_state {
    char name[NAME_SIZE];
    uint32_t lot;
};

/* Everything that is not a table; no pointers, so that it can be hashed and written as it is. */
struct scalars {
    uint64_t seq;
    int64_t time_ns;
    uint64_t sweep_id;
    uint64_t timer_entry;
    uint64_t auctions_begun;
    int64_t order_qty_limit;
    uint32_t second;    /* time_ns / second */
    uint32_t hour;      /* time_ns / hour */
    uint32_t open_hour; /* first hour whose gate is after time_ns */
    uint32_t horizon_hours;
    uint32_t gate_lead_s;
    uint32_t bond_bp;
    uint32_t sweep_slice;
    uint32_t rate_limit;
    uint32_t open_orders_limit;
    uint32_t trial_orders;
    uint32_t rules_version;
    uint32_t epoch;
    uint32_t epoch_used; /* 1: an order was entered in this epoch */
    uint32_t gate_hour;  /* next hour whose gate is to be worked off */
    uint32_t gate_market;
    uint32_t ended_head;
    uint32_t ended_tail;
    uint32_t sweep_first;
    uint32_t sweep_count;
    uint32_t order_top; /* slots ever used */
    uint32_t order_free;
    uint32_t order_count;
    uint32_t order_retired; /* slots whose generations are used up */
    uint32_t ladder_top;
    uint32_t ladder_free;
    uint32_t ladder_count;
    uint32_t node_units_live;
    uint32_t node_used[NODE_UNITS + 1]; /* by units: nodes ever used */
    uint32_t node_free[NODE_UNITS + 1];
    uint32_t fill_count;
    uint32_t holding_fills; /* of them, those that have entered the table of holdings */
    uint32_t holding_prints[HOLDING_PRINTS]; /* of the last fills: where their holding is sought */
    uint32_t holding_top;
    uint32_t holding_free;
    uint32_t holding_count;
    uint32_t timer_count;
    uint32_t auction_top;
    uint32_t auction_free;
    uint32_t auction_count;
    uint32_t auction_heaps[AUCTION_HEAPS]; /* entries of each */
    uint32_t delisting_head;               /* markets whose bids are being taken out */
    uint32_t delisting_tail;
    uint32_t delisting_hour; /* of the first, to look at next */
    uint32_t resuming_first; /* markets that can trade again, in which offers wait */
    uint32_t resuming_last;
    uint32_t account_count;
    uint32_t key_count;
    uint32_t resource_count;
    uint32_t group_count;
    uint32_t class_count;
    uint32_t region_count;
    uint32_t market_count;
    uint32_t fees_count;
    uint32_t link_count;
    uint32_t event_index;
    uint32_t job_top; /* records ever used */
    uint32_t job_free;
    uint32_t job_count;
    uint32_t due_first; /* list of due hours; 0 none */
    uint32_t due_last;
    uint32_t due_now;      /* the hour under way; 0 none */
    uint32_t due_entry;    /* LANE that it looks at next; 0 none */
    uint32_t due_price_e4; /* of the LANE that it looked at last; UINT32_MAX none */
    uint32_t lag; /* 1: housekeeping was left over, so that orders may be over; else none is */
    struct fee_schedule fees[FEES_MAX];
    struct link_state links[LINKS_MAX]; /* link ids are 1 .. link_count */
    struct sweep sweeps[SWEEPS_MAX];    /* ring from sweep_first */
    struct class_state classes[CLASS_COUNT_MAX];
    char regions[REGION_COUNT_MAX][NAME_SIZE];
    uint16_t market_of[CLASS_COUNT_MAX][REGION_COUNT_MAX]; /* 0 none */
};

static_assert(sizeof(struct scalars) % 8 == 0, "hashed by words");

struct engine {
    struct engine_config config;
    struct event_sink *sink; /* of the steps under way, and where in it the next event goes */
    struct event *event_next;
    struct event *event_end;
    struct order *orders;
    struct ladder
        *ladders; /* config.ladders, as many shadows, then one for the JOBs of each market */
    unsigned char *nodes; /* NODE_UNIT bytes a unit */
    struct account *accounts;
    struct key *keys;
    struct market *markets;
    uint32_t (*rings)[HOUR_RING]; /* market x hour: ladder */
    struct resource *resources;
    struct capacity_cell *cells; /* hour in the ring x resource: an hour's stand together */
    struct holding *holdings;
    struct bucket *buckets;   /* of holdings */
    struct hint *hints;       /* by book and price */
    struct quote *quotes;     /* 2^QUOTE_BITS, by contract */
    uint32_t *timer_of;       /* by slot, of timed orders */
    struct iceberg *icebergs; /* by slot, of icebergs */
    struct waiting *waiting;  /* by slot, of orders that wait */
    struct slices *slices;    /* by ladder */
    uint32_t busy; /* ladder that the request at hand works at, which is its to release; scratch */
    uint32_t bucket_mask;
    uint32_t hint_mask;
    uint32_t node_start[NODE_UNITS + 2]; /* by units: first of the nodes of that size; the end */
    int64_t due_ns; /* nothing is due before; see housekeeping.h. Out of the state's hash */
    uint32_t *hour_holdings; /* by hour in the ring: list of holdings */
    struct auction *auctions;
    uint32_t *auction_heaps[AUCTION_HEAPS]; /* heaps from 1 */
    struct market_terms *terms;             /* by market */
    struct auction_step *steps;             /* scratch of one clearing */
    struct auction_pick *picks;
    struct auction_tick {
        uint64_t entropy;
        bool ticking;          /* the step's command is a TICK, and auctions wait for it */
        bool drawn;            /* it has drawn an end */
        uint16_t random_end_s; /* within so many seconds */
    } tick;
    struct fill_record *fills;
    struct timer *timers; /* heap from 1 */
    uint8_t (*public_keys)[PUBLIC_KEY_SIZE];
    char (*identifiers)[IDENTIFIER_SIZE];
    char (*group_names)[LABEL_SIZE];
    struct job *jobs;
    struct due_hour *due_hours;
    struct job_tally *job_tallies;   /* by resource; scratch memory of searches, like the next */
    struct job_scratch *job_scratch; /* job_search.h */
    struct scalars s;
};

/* What few commands do stays out of the way of what most do. */
#define RARE  __attribute__((noinline, cold))
#define APART __attribute__((noinline))
/* Choices that come at random, like an order's side, are made by arithmetic on a mask of all ones or
 * none: a branch that is guessed wrong costs as much as fifty instructions. The mask is opaque, so
 * that the compiler does not make a branch of it again. */
static inline uint64_t mask_of(bool condition)
{
    uint64_t mask = 0 - (uint64_t)condition;
    __asm__("" : "+r"(mask));
    return mask;
}
static inline uint64_t choose(uint64_t mask, uint64_t where_set, uint64_t where_clear)
{
    return where_clear ^ ((where_set ^ where_clear) & mask);
}
/* In a function that does nothing but prefetch: gcc takes its calls for useless and drops them. */
#define KEPT() __asm__ volatile("")

static inline uint64_t order_id_of(const struct engine *e, uint32_t slot)
{
    return (uint64_t)e->orders[slot].generation << 32 | slot;
}
static inline int64_t gate_time_ns(const struct engine *e, uint32_t hour)
{
    return ((int64_t)hour * 3600 - (int64_t)e->s.gate_lead_s) * NS_PER_SECOND;
}
static inline int64_t account_available(const struct account *a)
{
    return a->cash_e4 + a->credit_e4 - a->reserved_e4 - a->bond_open_e4 - a->bond_locked_e4;
}

#endif
