/* What the server answers to reads (codec.h). */
#ifndef KASHI_WIRE_CODEC_READ_H
#define KASHI_WIRE_CODEC_READ_H

#include "wire/codec_report.h"

enum order_kind { KIND_PLAIN = 0, KIND_RANGE = 1, KIND_SET = 2, KIND_JOB = 3 };
struct order_row {
    uint64_t order_id;
    uint64_t cl_ord_id;
    uint64_t seq;    /* of the latest change */
    int64_t time_ns; /* of entry */
    int64_t price_e4;
    int64_t order_qty;
    int64_t leaves_qty; /* always */
    int64_t cum_qty;    /* always */
    int64_t min_qty;
    int64_t expire_time_ns;
    int64_t notional_e4; /* sum of price x quantity of its fills */
    int64_t fee_e4;      /* sum of its fees */
    int64_t display_qty;
    int64_t gpus;     /* JOB: GPUs in each hour; its order_qty, leaves_qty, cum_qty are GPU-hours */
    int64_t miss_qty; /* SET, JOB: how near it came when it arrived */
    int64_t miss_wanted_qty;
    uint64_t same_group;
    uint64_t range_id;          /* of an hour's offer: the range that it was entered with */
    const struct leg_row *legs; /* in order_status; as entered */
    const struct lane_row *lanes;
    uint32_t leg_rows; /* rows in legs */
    uint32_t lane_rows;
    uint32_t leg_count; /* of the SET, whether the rows are there or not */
    uint32_t lane_count;
    uint32_t window_from;
    uint32_t window_to;
    uint32_t hours; /* range, JOB */
    uint32_t resource;
    uint32_t key;
    uint16_t reason; /* why it ended */
    uint16_t job_lead_hours;
    uint8_t kind;              /* enum order_kind */
    uint8_t reserved_for_jobs; /* it stands apart until its reservation ends */
    uint8_t placement;
    uint8_t placed; /* 1: placement counts */
    uint8_t ord_status;
    uint8_t side;
    uint8_t ord_type;
    uint8_t tif;
    uint8_t stp;
    uint8_t post_only;
    char symbol[SYMBOL_SIZE]; /* SET, JOB: empty */
    char miss_symbol[SYMBOL_SIZE];
};
/* By cl_ord_id: what became of that request, whatever its kind. reason 0: carried out;
 * NEVER_ENTERED: the number was passed over; else why it was rejected. */
struct order_status_answer {
    uint64_t ref;
    uint64_t seq; /* state that the answer is of; always */
    uint64_t cl_ord_id;
    uint64_t report_seq; /* of the request's own answer */
    uint16_t reason;
    uint8_t request;
    uint32_t order_count; /* 0 or 1 */
    struct order_row orders[1];
};
struct orders_answer {
    uint64_t ref;
    uint64_t seq;
    uint8_t more; /* 1: ask again after the last order_id */
    uint32_t order_count;
    struct order_row orders[CODEC_ROWS_MAX];
};

struct trade_row {
    uint64_t fill_id;
    uint64_t order_id;
    uint64_t cl_ord_id;
    uint64_t seq;
    int64_t time_ns;
    int64_t price_e4;
    int64_t qty;
    int64_t fee_e4;       /* always */
    uint64_t trade_group; /* of a JOB's fills the first one's fill_id */
    uint32_t resource;
    uint8_t side;
    uint8_t liquidity;
    uint8_t trade_tier;
    uint8_t contingent; /* of a JOB */
    char symbol[SYMBOL_SIZE];
};
struct trades_answer {
    uint64_t ref;
    uint64_t seq;
    uint8_t more;
    uint32_t trade_count;
    struct trade_row trades[CODEC_ROWS_MAX];
};

struct level_row {
    int64_t price_e4;
    int64_t qty;          /* firm; always */
    int64_t shared_qty;   /* of SETs, which is in other contracts too; bids only */
    int64_t reserved_qty; /* for JOBs: plain bids and SETs do not meet it; offers only */
    int64_t orders;       /* always, 1 or more */
};
/* Phase of the contract's hour, and the auction that collects in it. */
struct auction_view {
    int64_t end_ns;        /* nominal; 0: none collects */
    int64_t indicative_e4; /* at which bids of the contract would buy now; 0: none would */
    int64_t indicative_qty;
    uint8_t phase; /* enum ladder_phase */
    uint8_t reserved[7];
};

/* An offer of a listing market, to be taken by its id. */
struct listed_row {
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty;
    uint32_t resource;     /* this and the names below where the market shows names */
    char name[LABEL_SIZE]; /* of the ownership group */
    char node[LABEL_SIZE]; /* of the resource */
};

/* Depth of one contract (offers at their own tier); best_* are the ladder's, all eligible tiers:
 * firm quantity and, apart, shared quantity; what is reserved for JOBs is no part of them. */
struct book_answer {
    uint64_t ref;
    uint64_t seq; /* state that the answer is of; market data with prev_seq below it is older */
    uint64_t contract_seq; /* seq of the contract's last market data message; 0 none yet */
    int64_t time_ns;
    int64_t best_bid_e4; /* 0: none */
    int64_t best_bid_qty;
    int64_t best_bid_shared_qty;
    int64_t best_offer_e4;
    int64_t best_offer_qty;
    int64_t last_px_e4;
    int64_t last_qty;
    int64_t reference_e4;
    struct auction_view auction;
    uint8_t halted;
    uint8_t more; /* 1: more offers are listed; ask again after the last order_id */
    char symbol[SYMBOL_SIZE];
    uint32_t bid_count; /* best first */
    uint32_t offer_count;
    uint32_t listed_count; /* listing markets: the offers of the contract, best first */
    struct level_row bids[CODEC_LEVELS_MAX];
    struct level_row offers[CODEC_LEVELS_MAX];
    struct listed_row listed[CODEC_LISTED_MAX];
};

struct holding_row {
    uint32_t resource;
    uint32_t hour;
    uint8_t tier;
    int64_t qty;         /* bought and not resold */
    int64_t offered_qty; /* of it in open offers */
};
struct account_answer {
    uint64_t ref;
    uint64_t seq;
    int64_t cash_e4; /* these five always */
    int64_t credit_e4;
    int64_t reserved_e4;  /* for open bids */
    int64_t bond_e4;      /* for open offers and fills */
    int64_t available_e4; /* cash + credit - reserved - bond */
    int64_t escrow_e4;
    int64_t order_qty_limit;
    uint32_t account;
    uint32_t group;
    uint32_t open_orders; /* always */
    uint32_t open_orders_limit;
    uint32_t rate_limit;
    uint8_t roles;
    uint8_t fees;
    uint8_t killed;
    uint8_t more; /* 1: ask again with after_holding */
    char name[LABEL_SIZE];
    uint32_t holding_count;
    struct holding_row holdings[CODEC_HOLDINGS_MAX];
};

struct reports_answer {
    uint64_t ref;
    uint64_t seq;
    uint64_t highest_report_seq; /* always */
    uint8_t more;
    uint32_t report_count;
    struct report reports[CODEC_ROWS_MAX];
};

struct class_row {
    uint32_t id; /* class_id + 1 */
    uint32_t lot;
    uint32_t memory_gib;
    uint32_t bf16_gflops;
    uint32_t host_power_w;
    char name[NAME_SIZE];
};
struct region_row {
    uint32_t id; /* region_id + 1 */
    uint32_t grid_g_per_kwh_e2;
    uint32_t carbon_free_bp;
    char name[NAME_SIZE];
};
struct market_row {
    uint32_t id; /* rises within the list; for `after` */
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    int64_t launch_price_e4[TIER_COUNT];
    uint32_t inner_band_bp;
    uint32_t outer_band_bp;
    uint32_t opening_s;
    uint32_t volatility_s;
    uint32_t period_s;
    uint32_t volatility_min_qty;
    uint16_t random_end_s;
    uint8_t mode;
    uint8_t no_resale;
    uint8_t names_shown;
    uint8_t halted;
};
struct resource_row {
    uint32_t id;
    uint32_t account;
    uint32_t gpus;
    uint32_t pue_e4;
    uint32_t bandwidth_mbps;
    uint8_t tier;
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    char node[LABEL_SIZE];
    char identifier[IDENTIFIER_SIZE];
};
struct group_row {
    uint32_t id;
    char name[LABEL_SIZE];
};
struct account_row {
    uint32_t id;
    uint32_t group;
    uint8_t roles;
    uint8_t fees;
    uint8_t killed;
    char name[LABEL_SIZE];
};
struct key_row {
    uint32_t id;
    uint32_t account;
    uint8_t roles;
    uint8_t revoked;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    char name[LABEL_SIZE];
};
struct fees_row {
    uint32_t id;
    uint16_t maker_bp;
    uint16_t taker_bp;
};
struct gateway_row {
    char name[LINK_NAME_SIZE];
    uint32_t link;     /* 0: no link to the exchange */
    uint32_t sessions; /* logged in */
    uint64_t messages;
    uint64_t requests;
    uint64_t refused;
    uint64_t commands;
    uint64_t events;
    uint64_t dropped; /* messages to clients that did not read fast enough */
};
struct list_answer {
    uint64_t ref;
    uint64_t seq;
    uint8_t more;
    uint32_t count;
    union {
        struct class_row classes[CODEC_ROWS_MAX];
        struct region_row regions[CODEC_ROWS_MAX];
        struct market_row markets[CODEC_ROWS_MAX];
        struct resource_row resources[CODEC_ROWS_MAX];
        struct group_row groups[CODEC_ROWS_MAX];
        struct account_row accounts[CODEC_ROWS_MAX];
        struct key_row keys[CODEC_ROWS_MAX];
        struct fees_row fees[CODEC_ROWS_MAX];
        struct gateway_row gateways[CODEC_ROWS_MAX];
    };
};

/* What a SET or JOB would meet now: the answer to a dry run. */
struct quote_answer {
    uint64_t ref;
    uint64_t seq; /* state that the answer is of; always */
    int64_t time_ns;
    int64_t fill_qty; /* would be filled at once: GPUs, of a JOB GPU-hours; always */
    int64_t notional_e4;
    int64_t fee_e4;
    int64_t reserved_e4; /* would be reserved on entry */
    int64_t price_e4;    /* JOB: the least price_e4 with which it would be filled so */
    int64_t value;       /* refused: the offending value */
    int64_t bound;       /* and what it was compared with */
    int64_t miss_qty;    /* GPUs displayed within the limit, */
    int64_t miss_wanted_qty;
    uint32_t hour;     /* JOB: the start */
    uint32_t resource; /* JOB in one resource: which */
    uint16_t reason;   /* 0, or why it would be refused */
    uint8_t request;   /* enum request_type */
    uint8_t leg;       /* leg or lane: at fault, or that the JOB would run in */
    uint8_t miss_leg;
    char symbol[SYMBOL_SIZE]; /* of that leg or lane */
    char miss_symbol[SYMBOL_SIZE];
};

#endif
