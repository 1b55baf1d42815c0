/* Events: everything that the exchange says, in the form in which the tape keeps it. Each is 128
 * bytes and complete in itself: (seq, index) names it, time comes from its command. Every command
 * has at least one event, and the last one of a command carries EVENT_LAST.
 *
 * A private event starts with a party: the key that it belongs to and that key's report_seq (from
 * 1, without gaps; 0 where the event is an answer that is not an execution report and is not
 * replayed). A public event (TRADE, TIME, the registry) has no party or names the asking operator.
 *
 * Order of events of one order command: NEW or REPLACED or REJECTED first; then for each fill TRADE,
 * FILL of the buyer, FILL of the seller; self-trade CANCELED / RESTATED where they happen; last
 * a CANCELED for a remainder that does not rest. A SET or JOB begins with SET or JOB and its legs or
 * lanes, a RANGE with RANGE and then does all this hour by hour. What remains of the order that a command entered
 * or re-entered rests in its book when the command is over and no CANCELED took it. */
#ifndef KASHI_WIRE_EVENT_H
#define KASHI_WIRE_EVENT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/command.h"

#define EVENT_SIZE 128

enum event_type {
    EVENT_GENESIS = 1,      /* struct event_genesis */
    EVENT_TIME = 2,         /* TICK, ADVANCE: head only; ADVANCE: party */
    EVENT_LINK = 3,         /* struct event_link */
    EVENT_LOGIN = 4,        /* struct event_login; report_seq 0 */
    EVENT_LOGOUT = 5,       /* party; report_seq 0 */
    EVENT_NEW = 10,         /* struct event_new */
    EVENT_REPLACED = 11,    /* struct event_replaced */
    EVENT_CANCELED = 12,    /* struct event_out: the order is over */
    EVENT_RESTATED = 13,    /* struct event_out: self-trade prevention took a part */
    EVENT_FILL = 14,        /* struct event_fill, one for each side of a trade */
    EVENT_REJECTED = 15,    /* struct event_rejected */
    EVENT_TRADE = 16,       /* struct event_trade, public */
    EVENT_MASS_CANCEL = 17, /* struct event_sweep: accepted, the sweep begins */
    EVENT_SWEEP_DONE = 18,  /* struct event_sweep: the sweep has ended */
    EVENT_DONE = 19,        /* party: a request was carried out that has no event of its own
                               (cancel of another key's order of the same account) */
    EVENT_CLASS = 20,       /* the registry: payload is the command's plus the id */
    EVENT_REGION = 21,
    EVENT_MARKET = 22,
    EVENT_GROUP = 23,
    EVENT_ACCOUNT = 24,
    EVENT_KEY = 25,
    EVENT_KEY_REVOKED = 26,
    EVENT_RESOURCE = 27, /* followed by EVENT_RESOURCE_IDENTITY */
    EVENT_RESOURCE_IDENTITY = 39,
    EVENT_FEES = 28,
    EVENT_LIMITS = 29,
    EVENT_CASH = 30, /* DEPOSIT, WITHDRAW, SET_CREDIT */
    EVENT_REFERENCE = 33,
    EVENT_HALT = 34, /* HALT, RESUME */
    EVENT_KILL = 36, /* KILL, REVIVE */
    /* orders of several hours or contracts */
    EVENT_RANGE = 40, /* struct event_range: answers NEW_RANGE, and replace and cancel by range */
    EVENT_SET = 41,   /* struct event_set; SET_LEGS follow */
    EVENT_SET_LEGS = 42, /* struct event_set_legs, no party */
    EVENT_LEG_CANCELED =
        43,               /* struct event_out: one leg of a SET is over, leaves_qty its balance */
    EVENT_JOB = 44,       /* struct event_job; JOB_LANES follow */
    EVENT_JOB_LANES = 45, /* struct event_job_lanes, no party */
    EVENT_MISS = 46,      /* struct event_miss: how near a SET or JOB came; report_seq 0 */
    EVENT_REFRESHED = 47, /* struct event_out: an iceberg shows its next slice, `qty`, last in time;
                                report_seq 0 */
    EVENT_RELEASED = 48, /* struct event_out: the offer's reservation for JOBs has ended; it arrives
                                in its book */
    EVENT_AUCTION = 49,  /* struct event_auction, public */
};

enum event_flags {
    EVENT_LAST = 1,   /* last event of its command */
    EVENT_PUBLIC = 2, /* may be shown to everyone */
};

struct event_head {
    uint64_t seq; /* of the command */
    int64_t time_ns;
    uint32_t index; /* within the command, from 0 */
    uint16_t link;  /* link that the event is handed to; 0 none; registry events go to all links */
    uint8_t type;   /* enum event_type */
    uint8_t flags;  /* enum event_flags */
};

struct event_party {
    uint64_t report_seq;
    uint64_t cl_ord_id; /* of the request that this answers; unsolicited: the order's latest */
    uint32_t key;
    uint32_t account;
};

struct event_genesis {
    struct event_party party; /* key 1, account 1 */
    uint32_t rules_version;
    uint32_t horizon_hours;
    uint32_t gate_lead_s;
    uint32_t bond_bp;
    uint8_t operator_key[PUBLIC_KEY_SIZE];
    uint8_t reserved[32];
};

struct event_link {
    struct event_party party; /* zero */
    char name[LINK_NAME_SIZE];
    uint16_t link;
    uint8_t up; /* 1 up, 0 down */
    uint8_t reserved[61];
};

struct event_login {
    struct event_party party;
    uint64_t nonce;
    uint64_t highest_cl_ord_id;
    uint64_t highest_report_seq;
    uint32_t session;
    uint8_t cancel_on_disconnect;
    uint8_t reserved[51];
};

struct event_new {
    struct event_party party;
    uint64_t order_id;
    uint64_t contract;
    int64_t price_e4; /* limit; ORD_MARKET: the limit that the collar gave */
    int64_t qty;
    int64_t min_qty;
    int64_t expire_time_ns;
    int64_t reserved_e4; /* bid: money reserved; offer: bond reserved */
    uint32_t resource;
    uint16_t flags;
    uint8_t side;
    uint8_t ord_type;
    uint8_t tif;
    uint8_t stp;
    uint8_t source_tier;  /* offer: SOURCE_OWN or the tier of the holding that it draws on */
    uint8_t ranged;       /* 1: an hour of a RANGE, which is the report; its own report_seq is 0 */
    uint32_t display_qty; /* iceberg: of each slice; 0 all is shown */
    uint16_t job_lead_hours;
    uint8_t reserved[6];
};
#define SOURCE_OWN 7 /* the provider's own registered capacity */

struct event_replaced {
    struct event_party party;
    uint64_t order_id;
    uint64_t contract;
    uint64_t orig_cl_ord_id;
    int64_t price_e4;
    int64_t qty; /* order quantity, filled part included */
    int64_t leaves_qty;
    int64_t cum_qty;
    int64_t old_price_e4;
    int64_t old_leaves_qty;
    uint8_t side;
    uint8_t kept_priority; /* 1: stays where it was in the queue */
    uint8_t reserved[6];
};

struct event_out { /* CANCELED, RESTATED */
    struct event_party party;
    uint64_t order_id;
    uint64_t contract;
    uint64_t orig_cl_ord_id; /* the order's own */
    int64_t price_e4;
    int64_t qty;        /* taken out by this event */
    int64_t leaves_qty; /* CANCELED: 0 */
    int64_t cum_qty;
    uint16_t reason; /* enum reject_reason: why; REASON_REQUESTED for a wanted cancel */
    uint8_t side;
    uint8_t resting; /* 1: it stood in a book */
    uint8_t reserved[20];
};

/* AUCTION: at the maker's rate, at the auction's price and not at its own. */
enum fill_resting { FILL_TAKER = 0, FILL_MAKER = 1, FILL_AUCTION = 2 };
struct event_fill {
    struct event_party party; /* cl_ord_id: the order's latest */
    uint64_t order_id;
    uint64_t contract; /* the order's own contract; depth changes there when resting */
    uint64_t fill_id;
    int64_t price_e4;
    int64_t qty;
    int64_t leaves_qty;
    int64_t cum_qty;
    int64_t fee_e4; /* buyer: charged now; seller: withheld from its proceeds */
    uint32_t resource;
    uint8_t side;
    uint8_t resting;    /* enum fill_resting */
    uint8_t trade_tier; /* the bid's: what is owed */
    uint8_t contingent; /* 1: of a JOB */
    union {
        uint64_t trade_group; /* of a JOB's fills: the first one's fill_id; 0 none */
        uint64_t limit_e4;    /* FILL_AUCTION: the order's own price, where it stands */
    };
};

/* What came about otherwise than by an arriving order meeting a resting one. */
enum trade_condition {
    TRADE_REGULAR = 0,
    TRADE_CONTINGENT = 1, /* of a JOB */
    TRADE_OPENING = 2,    /* at the end of an auction of that kind; nobody arrived */
    TRADE_PERIODIC = 3,
    TRADE_VOLATILITY = 4,
};
#define AGGRESSOR_NONE 2 /* beside the values of enum side */
struct event_trade {
    uint64_t fill_id;  /* never repeats */
    uint64_t contract; /* the bid's */
    int64_t price_e4;
    int64_t qty;
    uint64_t buy_order_id;
    uint64_t sell_order_id;
    uint64_t trade_group; /* JOB fills share one, the first one's fill_id; 0 none */
    uint32_t buyer;       /* accounts */
    uint32_t seller;
    uint32_t resource;
    uint8_t offer_tier;
    uint8_t source_tier; /* SOURCE_OWN, or the tier of the seller's holding: a resale */
    uint8_t aggressor;   /* side that arrived, or AGGRESSOR_NONE */
    uint8_t condition;   /* enum trade_condition */
    int64_t buy_fee_e4;
    int64_t sell_fee_e4;
    int64_t bond_e4; /* the seller's, locked for this fill */
    uint32_t buyer_group;
    uint32_t seller_group;
};

struct event_rejected {
    struct event_party party;
    uint64_t order_id; /* named by the request; 0 none */
    int64_t value;     /* the offending value where there is one */
    int64_t bound;     /* and what it was compared with */
    uint16_t reason;   /* enum reject_reason */
    uint8_t request;   /* enum command_type */
    uint8_t consumed;  /* 1: the cl_ord_id is used up */
    uint8_t leg;       /* of a SET or JOB: the leg or lane at fault, from 1; 0 none */
    uint8_t field;     /* enum reject_field: of VALUE_OUT_OF_RANGE */
    uint8_t reserved0[2];
    uint64_t contract; /* of a RANGE, SET or JOB: the contract at fault; 0 none */
    uint8_t reserved[40];
};

enum range_done { RANGE_ENTERED = 0, RANGE_REPLACED = 1, RANGE_CANCELED = 2 };
struct event_range {
    struct event_party party;
    uint64_t order_id; /* of the range: cancel and replace name it */
    uint64_t contract; /* of the first hour entered */
    uint64_t orig_cl_ord_id;
    int64_t price_e4;
    int64_t qty;         /* of each hour; REPLACED: what was filled included */
    int64_t reserved_e4; /* bond of all hours that live, after their arrival is checked */
    uint32_t hours;      /* entered */
    uint32_t orders;     /* entered, replaced or canceled now */
    uint32_t resource;
    uint16_t flags;
    uint16_t job_lead_hours;
    uint8_t done; /* enum range_done */
    uint8_t stp;
    uint8_t reserved[14];
};

struct event_set {
    struct event_party party;
    uint64_t order_id;
    int64_t qty;
    int64_t min_qty;
    int64_t expire_time_ns;
    int64_t reserved_e4;
    uint16_t flags;
    uint8_t leg_count;
    uint8_t tif;
    uint8_t stp;
    uint8_t reserved[35];
};
#define SET_LEGS_PER_EVENT 6
struct event_set_legs {
    uint64_t order_id;
    struct set_leg legs[SET_LEGS_PER_EVENT]; /* leg 0: unused */
};

struct event_job {
    struct event_party party;
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty;
    int64_t expire_time_ns;
    uint64_t same_group;
    int64_t reserved_e4;
    uint32_t window_from;
    uint32_t window_to;
    uint16_t hours;
    uint8_t placement;
    uint8_t lane_count;
    uint8_t tif;
    uint8_t reserved[19];
};
#define JOB_LANES_PER_EVENT 6
struct event_job_lanes {
    uint64_t order_id;
    struct job_lane lanes[JOB_LANES_PER_EVENT]; /* lane 0: unused */
};

struct event_miss {           /* "12 of 64 GPUs at your limit in CN-GZ from 14Z" */
    struct event_party party; /* report_seq 0 */
    uint64_t order_id;
    uint64_t contract; /* SET: of the leg; JOB: of the lane in the first hour; 0: nothing at all */
    int64_t qty;       /* GPUs displayed within the limit */
    int64_t wanted_qty;
    uint8_t leg; /* leg or lane, from 1 */
    uint8_t reserved[47];
};

enum auction_state { AUCTION_BEGUN = 1, AUCTION_INDICATIVE = 2, AUCTION_ENDED = 3 };
struct event_auction {             /* of one ladder hour */
    struct event_party party;      /* zero */
    uint64_t contract;             /* tier G0 */
    int64_t end_time_ns;           /* BEGUN, INDICATIVE: nominal; ENDED: as it was drawn */
    uint64_t entropy;              /* ENDED: what the end was drawn with; 0 none was needed */
    uint32_t price_e4[TIER_COUNT]; /* 0: the tier has no price */
    uint32_t qty[TIER_COUNT];
    uint32_t reference_e4; /* of tier G0; 0 none */
    uint8_t kind;          /* enum auction_kind */
    uint8_t state;         /* enum auction_state */
    uint8_t reserved[18];
};

struct event_sweep {
    struct event_party party;
    struct {
        uint32_t hour_from;
        uint32_t hour_to;
        uint16_t class_id;
        uint16_t region_id;
        uint8_t filter;
        uint8_t reserved[3];
    } scope;
    uint64_t sweep_id;
    uint64_t canceled; /* SWEEP_DONE: orders canceled by it */
    uint8_t reserved[48];
};

struct event_class {
    struct event_party party;
    char name[NAME_SIZE];
    uint32_t lot;
    uint32_t memory_gib;
    uint32_t bf16_gflops;
    uint32_t host_power_w;
    uint16_t class_id;
    uint8_t reserved[46];
};

struct event_region {
    struct event_party party;
    char name[NAME_SIZE];
    uint32_t grid_g_per_kwh_e2;
    uint32_t carbon_free_bp;
    uint16_t region_id;
    uint8_t reserved[54];
};

struct event_market {
    struct event_party party;
    int64_t launch_price_e4[TIER_COUNT];
    uint32_t inner_band_bp;
    uint32_t outer_band_bp;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t mode;
    uint8_t flags;
    uint16_t random_end_s;
    uint32_t opening_s;
    uint32_t volatility_s;
    uint32_t period_s;
    uint32_t volatility_min_qty;
    uint8_t reserved[16];
};

struct event_group {
    struct event_party party;
    char name[LABEL_SIZE];
    uint32_t group;
    uint8_t reserved[44];
};

struct event_account {
    struct event_party party; /* the operator's; the new account is below */
    char name[LABEL_SIZE];
    uint32_t account;
    uint32_t group;
    uint8_t roles;
    uint8_t fees;
    uint8_t reserved[38];
};

struct event_key { /* KEY, KEY_REVOKED */
    struct event_party party;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    char name[LABEL_SIZE];
    uint32_t key;
    uint32_t account;
    uint8_t roles;
    uint8_t reserved[7];
};

struct event_resource {
    struct event_party party;
    char node[LABEL_SIZE];
    uint32_t resource;
    uint32_t account;
    uint32_t gpus;
    uint32_t pue_e4;
    uint32_t bandwidth_mbps;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t tier;
    uint8_t reserved[23];
};

struct event_resource_identity {
    char identifier[IDENTIFIER_SIZE];
    uint32_t resource;
    uint8_t reserved[4];
};

struct event_fees {
    struct event_party party;
    uint16_t maker_bp;
    uint16_t taker_bp;
    uint8_t fees; /* id of the new schedule */
    uint8_t reserved[75];
};

struct event_limits {
    struct event_party party;
    int64_t order_qty_limit;
    uint32_t account;
    uint32_t rate_limit;
    uint32_t open_orders_limit;
    uint8_t fees;
    uint8_t reserved[59];
};

struct event_cash {
    struct event_party party;
    int64_t amount_e4; /* DEPOSIT above 0, WITHDRAW below 0, SET_CREDIT 0 */
    int64_t cash_e4;   /* afterwards */
    int64_t credit_e4; /* afterwards */
    uint32_t account;
    uint8_t request; /* enum command_type */
    uint8_t reserved[19];
    char reference[LABEL_SIZE];
};

struct event_reference {
    struct event_party party;
    int64_t price_e4;
    uint32_t day;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t tier;
    uint8_t reserved[63];
};

struct event_halt {
    struct event_party party;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t filter;
    uint8_t halted; /* 1 halted, 0 resumed */
    uint8_t reserved[74];
};

struct event_kill {
    struct event_party party;
    uint64_t sweep_id;
    uint32_t account; /* 0: all */
    uint8_t killed;   /* 1 killed, 0 revived */
    uint8_t reserved[67];
};

struct event {
    struct event_head head;
    union {
        struct event_party party;
        struct event_genesis genesis;
        struct event_link link;
        struct event_login login;
        struct event_new new_order;
        struct event_replaced replaced;
        struct event_out out;
        struct event_fill fill;
        struct event_trade trade;
        struct event_rejected rejected;
        struct event_range range;
        struct event_set set;
        struct event_set_legs set_legs;
        struct event_job job;
        struct event_job_lanes job_lanes;
        struct event_miss miss;
        struct event_auction auction;
        struct event_sweep sweep;
        struct event_class class_;
        struct event_region region;
        struct event_market market;
        struct event_group group;
        struct event_account account;
        struct event_key key;
        struct event_resource resource;
        struct event_resource_identity identity;
        struct event_fees fees;
        struct event_limits limits;
        struct event_cash cash;
        struct event_reference reference;
        struct event_halt halt;
        struct event_kill kill;
        uint8_t bytes[104];
    };
};

static inline uint8_t event_auction_condition(uint8_t auction_kind)
{
    return (uint8_t)(TRADE_OPENING + auction_kind - AUCTION_OPENING);
}
/* enum auction_kind; AUCTION_NONE for a trade of no auction. */
static inline uint8_t event_trade_auction(const struct event_trade *trade)
{
    return trade->condition < TRADE_OPENING
               ? AUCTION_NONE
               : (uint8_t)(AUCTION_OPENING + trade->condition - TRADE_OPENING);
}

/* Whether the payload begins with a party (of zeros where a tick or a link tells something). */
static inline bool event_has_party(const struct event *event)
{
    uint8_t type = event->head.type;
    return type != EVENT_TRADE && type != EVENT_RESOURCE_IDENTITY && type != EVENT_SET_LEGS &&
           type != EVENT_JOB_LANES;
}

static_assert(sizeof(struct event_head) == 24, "head");
static_assert(sizeof(struct event_party) == 24, "party");
static_assert(sizeof(struct event_genesis) == 104, "genesis");
static_assert(sizeof(struct event_link) == 104, "link");
static_assert(sizeof(struct event_login) == 104, "login");
static_assert(sizeof(struct event_new) == 104, "new");
static_assert(sizeof(struct event_replaced) == 104, "replaced");
static_assert(sizeof(struct event_out) == 104, "out");
static_assert(sizeof(struct event_fill) == 104, "fill");
static_assert(sizeof(struct event_trade) == 104, "trade");
static_assert(sizeof(struct event_rejected) == 104, "rejected");
static_assert(sizeof(struct event_range) == 104, "range");
static_assert(sizeof(struct event_set) == 104, "set");
static_assert(sizeof(struct event_set_legs) == 104, "set_legs");
static_assert(sizeof(struct event_job) == 104, "job");
static_assert(sizeof(struct event_job_lanes) == 104, "job_lanes");
static_assert(sizeof(struct event_miss) == 104, "miss");
static_assert(sizeof(struct event_auction) == 104, "auction");
static_assert(sizeof(struct event_sweep) == 104, "sweep");
static_assert(sizeof(struct event_class) == 104, "class");
static_assert(sizeof(struct event_region) == 104, "region");
static_assert(sizeof(struct event_market) == 104, "market");
static_assert(sizeof(struct event_group) == 104, "group");
static_assert(sizeof(struct event_account) == 104, "account");
static_assert(sizeof(struct event_key) == 104, "key");
static_assert(sizeof(struct event_resource) == 104, "resource");
static_assert(sizeof(struct event_resource_identity) == 104, "identity");
static_assert(sizeof(struct event_fees) == 104, "fees");
static_assert(sizeof(struct event_limits) == 104, "limits");
static_assert(sizeof(struct event_cash) == 104, "cash");
static_assert(sizeof(struct event_reference) == 104, "reference");
static_assert(sizeof(struct event_halt) == 104, "halt");
static_assert(sizeof(struct event_kill) == 104, "kill");
static_assert(sizeof(struct event) == EVENT_SIZE, "event");

#endif
