/* Commands: what the exchange is told, in the form in which it is journaled. A command is a run of
 * 128-byte slots: the first holds the head and a payload, `slots - 1` continuation slots follow
 * contiguously. One CRC32C guards all of it: it is computed over every byte of every slot with
 * seq, time_ns, link and crc taken as zero, because the sequencer stamps those after the gateway
 * has sealed the command. Little-endian hosts only; reserved bytes are zero.
 *
 * Sessions: `session` is the number that the last LOGIN event gave; `cl_ord_id` rises per key.
 * Ids 0 mean "none" everywhere: dense ids start at 1 (classes and regions at 0). */
#ifndef KASHI_WIRE_COMMAND_H
#define KASHI_WIRE_COMMAND_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/contract.h"
#include "wire/units.h"

#define COMMAND_SLOT_SIZE 128
#define COMMAND_SLOTS_MAX 32 /* a 64-leg SET or a 32-lane JOB fits with room */
#define PUBLIC_KEY_SIZE   32
#define LABEL_SIZE        32 /* names of groups and accounts, external references: NUL-padded */
#define LINK_NAME_SIZE    16
#define IDENTIFIER_SIZE   96 /* 算力标识, verbatim UTF-8, NUL-padded */

enum command_type {
    COMMAND_GENESIS = 1,   /* first command of every journal; by the sequencer */
    COMMAND_TICK = 2,      /* a second of silence; by the sequencer */
    COMMAND_LINK_UP = 3,   /* by the sequencer */
    COMMAND_LINK_DOWN = 4, /* by the sequencer; head.link says which */
    COMMAND_LOGIN = 5,     /* key only; cl_ord_id and session 0 */
    COMMAND_LOGOUT = 6,    /* key and session; cl_ord_id 0 */
    COMMAND_NEW_ORDER = 10,
    COMMAND_REPLACE_ORDER = 11,
    COMMAND_CANCEL_ORDER = 12,
    COMMAND_MASS_CANCEL = 13,
    COMMAND_NEW_RANGE = 14,
    COMMAND_NEW_SET = 15, /* and one slot for each eight legs */
    COMMAND_NEW_JOB = 16, /* and one slot for each eight lanes */
    COMMAND_TAKE_OFFER = 17,
    /* operator's */
    COMMAND_REGISTER_CLASS = 20,
    COMMAND_REGISTER_REGION = 21,
    COMMAND_SET_MARKET = 22,
    COMMAND_REGISTER_GROUP = 23,
    COMMAND_OPEN_ACCOUNT = 24,
    COMMAND_REGISTER_KEY = 25,
    COMMAND_REVOKE_KEY = 26,
    COMMAND_REGISTER_RESOURCE = 27, /* two slots */
    COMMAND_REGISTER_FEES = 28,
    COMMAND_SET_LIMITS = 29,
    COMMAND_DEPOSIT = 30,
    COMMAND_WITHDRAW = 31,
    COMMAND_SET_CREDIT = 32,
    COMMAND_SET_REFERENCE = 33,
    COMMAND_HALT = 34,
    COMMAND_RESUME = 35,
    COMMAND_KILL = 36,
    COMMAND_REVIVE = 37,
    COMMAND_ADVANCE = 38, /* simulated clock only: the sequencer has moved time already */
};

enum side { SIDE_BUY = 0, SIDE_SELL = 1 };
enum ord_type { ORD_LIMIT = 0, ORD_MARKET = 1 };
enum time_in_force { TIF_GATE = 0, TIF_TIME = 1, TIF_IOC = 2, TIF_FOK = 3 };
enum stp_mode { STP_CANCEL_NEWEST = 0, STP_CANCEL_OLDEST = 1, STP_DECREMENT = 2 };
/* ORDER_RESERVED_FOR_JOBS stands in events only: job_lead_hours asks for it. */
enum order_flags { ORDER_POST_ONLY = 1, ORDER_RESERVED_FOR_JOBS = 2 };
enum placement { PLACEMENT_SITE = 0, PLACEMENT_ANY = 1, PLACEMENT_SAME = 2 };
enum role { ROLE_PROVIDER = 1, ROLE_BUYER = 2, ROLE_ANALYST = 4, ROLE_OPERATOR = 8 };
/* OPENING, PERIODIC and VOLATILITY collect orders and do not trade. */
enum auction_kind {
    AUCTION_NONE = 0,
    AUCTION_OPENING = 1,
    AUCTION_PERIODIC = 2,
    AUCTION_VOLATILITY = 3
};
/* Phase of a ladder hour as it is published; while an auction collects, its kind. */
enum ladder_phase {
    PHASE_OPENING = AUCTION_OPENING,
    PHASE_PERIODIC = AUCTION_PERIODIC,
    PHASE_VOLATILITY = AUCTION_VOLATILITY,
    PHASE_CONTINUOUS = 4,
    PHASE_PRE_OPEN =
        5, /* nothing trades: an auction has not begun, or the hour lies too far ahead */
    PHASE_LISTING = 6,
    PHASE_HALTED = 7,
    PHASE_CLOSED = 8, /* past the gate, or no market */
};
enum market_mode { MODE_NONE = 0, MODE_CONTINUOUS = 1, MODE_AUCTION = 2, MODE_LISTING = 3 };
enum market_flags { MARKET_NO_RESALE = 1, MARKET_NAMES_SHOWN = 2 };

struct command_head {
    uint64_t seq;       /* stamped by the sequencer, from 1, without gaps */
    int64_t time_ns;    /* stamped by the sequencer, never falls */
    uint64_t cl_ord_id; /* rises per key; 0 for the sequencer's own commands, LOGIN, LOGOUT */
    uint32_t key;
    uint32_t session;
    uint32_t crc;
    uint16_t link; /* stamped by the sequencer: the link that it came by; 0 none */
    uint8_t type;  /* enum command_type */
    uint8_t slots; /* 1 .. COMMAND_SLOTS_MAX */
};

struct command_genesis {
    uint32_t rules_version;     /* 1 */
    uint32_t horizon_hours;     /* 1 .. 1000; hours ahead that may be traded, 840 */
    uint32_t gate_lead_s;       /* the gate of an hour closes this long before it, 600 */
    uint32_t bond_bp;           /* 4000 */
    uint32_t sweep_slice;       /* W: orders of housekeeping a command may do, 256 */
    uint32_t rate_limit;        /* default commands a second and key */
    uint32_t open_orders_limit; /* default open orders an account */
    uint32_t trial_orders;      /* T: that one trial may meet; 0: TRIAL_ORDERS of units.h */
    int64_t order_qty_limit;    /* default largest order, GPUs */
    uint8_t operator_key[PUBLIC_KEY_SIZE];
    uint8_t reserved[16];
};

struct command_link {
    char name[LINK_NAME_SIZE]; /* LINK_UP: the same name gets the same link id */
    uint8_t reserved[72];
};

struct command_tick {
    uint64_t entropy; /* random bits, by the sequencer; decide random ends */
    uint8_t reserved[80];
};

struct command_login {
    uint64_t nonce; /* the gateway's, comes back in the LOGIN event */
    uint8_t cancel_on_disconnect;
    uint8_t reserved[79];
};

struct command_new_order {
    uint64_t contract;
    int64_t price_e4; /* ORD_LIMIT: limit. ORD_MARKET: collar, the furthest distance from the
                             best opposite price on arrival, 0 or more */
    int64_t qty;
    int64_t min_qty;        /* 0 none */
    int64_t display_qty;    /* 0 all */
    int64_t expire_time_ns; /* TIF_TIME only, else 0 */
    uint32_t resource;      /* offers only, else 0 */
    uint16_t flags;         /* enum order_flags */
    uint8_t side;
    uint8_t ord_type;
    uint8_t tif;
    uint8_t stp;
    uint16_t
        job_lead_hours; /* offer: reserved for JOBs until so many hours before its gate; 0 not */
    uint8_t reserved[28];
};

/* One offer an hour, all or none of them. */
#define RANGE_HOURS_MAX 840
struct command_new_range {
    uint64_t contract; /* of the first hour */
    int64_t price_e4;
    int64_t qty;    /* of each hour */
    uint32_t hours; /* 1 .. RANGE_HOURS_MAX */
    uint32_t resource;
    uint16_t flags; /* enum order_flags */
    uint16_t job_lead_hours;
    uint8_t stp;
    uint8_t reserved[51];
};

/* A bid for one quantity in any of several contracts. Legs follow, eight to a slot. */
#define SET_LEGS_MAX      64
#define SET_LEGS_PER_SLOT 8
struct command_new_set {
    int64_t qty;
    int64_t min_qty;        /* 0 none */
    int64_t display_qty;    /* refused by name unless 0 */
    int64_t expire_time_ns; /* TIF_TIME only, else 0 */
    uint16_t flags;         /* enum order_flags */
    uint8_t leg_count;      /* 1 .. SET_LEGS_MAX */
    uint8_t tif;
    uint8_t stp;
    uint8_t reserved[51];
};
struct set_leg {
    uint64_t contract;
    uint32_t price_e4; /* limit, 1 .. PRICE_MAX_E4 */
    uint32_t leg;      /* events: its place among the legs, from 1. Commands: 0 */
};

/* A bid for `qty` GPUs in each of `hours` contiguous hours, all or nothing. Lanes follow, eight to a
 * slot. Its worth: sum of price x factor x quantity <= price_e4 x qty x hours x 10,000. */
#define JOB_LANES_MAX      32
#define JOB_LANES_PER_SLOT 8
#define JOB_HOURS_MAX      840
#define JOB_FACTOR_MAX_E4  1000000
struct command_new_job {
    int64_t price_e4; /* P: most per GPU-hour on average at factor 10,000 */
    int64_t qty;      /* N: GPUs */
    int64_t min_qty;  /* refused by name unless 0, like display_qty and flags */
    int64_t display_qty;
    int64_t expire_time_ns; /* TIF_TIME only, else 0 */
    uint64_t same_group;    /* PLACEMENT_SAME: trade_group that it goes on with, else 0 */
    uint32_t window_from;   /* first hour in which it may start */
    uint32_t window_to;     /* hour in which it must be over: start + hours <= window_to */
    uint16_t flags;
    uint16_t hours;     /* H: 1 .. JOB_HOURS_MAX */
    uint8_t placement;  /* enum placement */
    uint8_t lane_count; /* 1 .. JOB_LANES_MAX */
    uint8_t tif;
    uint8_t reserved[25];
};
struct job_lane {
    uint16_t class_id;
    uint16_t region_id;
    uint8_t tier; /* lowest */
    uint8_t lane; /* events: its place among the lanes, from 1. Commands: 0 */
    uint8_t reserved[2];
    uint32_t factor_e4; /* 1 .. JOB_FACTOR_MAX_E4; above 10,000 = worth less */
    uint32_t reserved1;
};

struct command_replace_order {
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty; /* new order quantity, what is already filled included */
    uint8_t reserved[64];
};

struct command_cancel_order {
    uint64_t order_id;
    uint8_t reserved[80];
};

enum mass_cancel_filter {
    MASS_CANCEL_OWN_KEY = 1, /* only orders entered by this key, else the whole account's */
    MASS_CANCEL_CLASS = 2,
    MASS_CANCEL_REGION = 4,
    MASS_CANCEL_HOURS = 8,
};
/* Listing markets: takes part or all of one offer at its price. */
struct command_take_offer {
    uint64_t order_id;
    int64_t qty;
    uint8_t reserved[72];
};
struct command_mass_cancel {
    uint32_t hour_from; /* MASS_CANCEL_HOURS: hour_from <= hour < hour_to */
    uint32_t hour_to;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t filter; /* enum mass_cancel_filter; 0: everything of the account */
    uint8_t reserved[75];
};

struct command_register_class {
    char name[NAME_SIZE];
    uint32_t lot; /* 1 .. 1024 GPUs */
    uint32_t memory_gib;
    uint32_t bf16_gflops;  /* dense, measured; 0 unknown */
    uint32_t host_power_w; /* per GPU */
    uint8_t reserved[56];
};

struct command_register_region {
    char name[NAME_SIZE];
    uint32_t grid_g_per_kwh_e2; /* grams CO2 a kWh, hundredths */
    uint32_t carbon_free_bp;    /* share of hour-matched carbon-free energy */
    uint8_t reserved[64];
};

struct command_set_market {
    int64_t launch_price_e4[TIER_COUNT]; /* 0: none */
    uint32_t inner_band_bp;
    uint32_t outer_band_bp;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t mode;          /* enum market_mode */
    uint8_t flags;         /* enum market_flags */
    uint16_t random_end_s; /* 0 .. 600 */
    uint32_t opening_s;    /* 0 none .. 86,400, as the two below */
    uint32_t volatility_s;
    uint32_t period_s;           /* MODE_AUCTION: 1 or more */
    uint32_t volatility_min_qty; /* 0: no volatility auction */
    uint8_t reserved[24];
};

struct command_register_group {
    char name[LABEL_SIZE];
    uint8_t reserved[56];
};

struct command_open_account {
    char name[LABEL_SIZE];
    uint32_t group;
    uint8_t roles; /* enum role, or-ed */
    uint8_t fees;  /* fee schedule id; 0 is the free one */
    uint8_t reserved[50];
};

struct command_register_key {
    uint8_t public_key[PUBLIC_KEY_SIZE];
    char name[LABEL_SIZE];
    uint32_t account;
    uint8_t roles; /* not more than the account's */
    uint8_t reserved[19];
};

struct command_revoke_key {
    uint32_t key;
    uint8_t reserved[84];
};

/* Slot 1; slot 2 is struct command_resource_identity. */
struct command_register_resource {
    char node[LABEL_SIZE]; /* registering node of the interconnect */
    uint32_t account;      /* provider */
    uint32_t gpus;
    uint32_t pue_e4;
    uint32_t bandwidth_mbps;
    uint16_t class_id;
    uint16_t region_id;
    uint8_t tier; /* highest tier that its evidence supports */
    uint8_t reserved[35];
};
struct command_resource_identity {
    char identifier[IDENTIFIER_SIZE]; /* unique */
    char energy_source[LABEL_SIZE];
};

struct command_register_fees {
    uint16_t maker_bp;
    uint16_t taker_bp;
    uint8_t reserved[84];
};

enum limits_field {
    LIMITS_RATE = 1,
    LIMITS_OPEN_ORDERS = 2,
    LIMITS_ORDER_QTY = 4,
    LIMITS_FEES = 8
};
struct command_set_limits {
    int64_t order_qty_limit;
    uint32_t account;
    uint32_t rate_limit;
    uint32_t open_orders_limit;
    uint8_t fees;
    uint8_t fields; /* enum limits_field: which of these to set */
    uint8_t reserved[66];
};

struct command_cash {  /* DEPOSIT, WITHDRAW, SET_CREDIT */
    int64_t amount_e4; /* SET_CREDIT: the new limit, 0 or more */
    uint32_t account;
    uint32_t reserved0;
    char reference[LABEL_SIZE]; /* the bank's, for people */
    uint8_t reserved[40];
};

struct command_set_reference { /* the lane's final index value */
    int64_t price_e4;
    uint32_t day; /* delivery day the value is of */
    uint16_t class_id;
    uint16_t region_id;
    uint8_t tier;
    uint8_t reserved[71];
};

enum scope_filter { SCOPE_CLASS = 1, SCOPE_REGION = 2 };
struct command_halt { /* HALT, RESUME */
    uint16_t class_id;
    uint16_t region_id;
    uint8_t filter; /* enum scope_filter; 0: every market */
    uint8_t reserved[83];
};

struct command_kill { /* KILL, REVIVE */
    uint32_t account; /* 0: every account but operators' */
    uint8_t reserved[84];
};

struct command_advance {
    int64_t delta_ns; /* 1 .. 60 s */
    uint8_t reserved[80];
};

struct command {
    struct command_head head;
    union {
        struct command_genesis genesis;
        struct command_link link;
        struct command_login login;
        struct command_new_order new_order;
        struct command_replace_order replace_order;
        struct command_cancel_order cancel_order;
        struct command_mass_cancel mass_cancel;
        struct command_tick tick;
        struct command_take_offer take_offer;
        struct command_new_range new_range;
        struct command_new_set new_set;
        struct command_new_job new_job;
        struct command_register_class register_class;
        struct command_register_region register_region;
        struct command_set_market set_market;
        struct command_register_group register_group;
        struct command_open_account open_account;
        struct command_register_key register_key;
        struct command_revoke_key revoke_key;
        struct command_register_resource register_resource;
        struct command_register_fees register_fees;
        struct command_set_limits set_limits;
        struct command_cash cash;
        struct command_set_reference set_reference;
        struct command_halt halt;
        struct command_kill kill;
        struct command_advance advance;
        uint8_t bytes[88];
    };
};

/* A continuation slot. */
union command_slot {
    struct command command;
    struct command_resource_identity identity;
    struct set_leg legs[SET_LEGS_PER_SLOT];
    struct job_lane lanes[JOB_LANES_PER_SLOT];
    uint8_t bytes[COMMAND_SLOT_SIZE];
};

static_assert(sizeof(struct command_head) == 40, "head");
static_assert(sizeof(struct command_genesis) == 88, "genesis");
static_assert(sizeof(struct command_link) == 88, "link");
static_assert(sizeof(struct command_login) == 88, "login");
static_assert(sizeof(struct command_new_order) == 88, "new_order");
static_assert(sizeof(struct command_replace_order) == 88, "replace_order");
static_assert(sizeof(struct command_cancel_order) == 88, "cancel_order");
static_assert(sizeof(struct command_mass_cancel) == 88, "mass_cancel");
static_assert(sizeof(struct command_tick) == 88, "tick");
static_assert(sizeof(struct command_take_offer) == 88, "take_offer");
static_assert(sizeof(struct command_new_range) == 88, "new_range");
static_assert(sizeof(struct command_new_set) == 88, "new_set");
static_assert(sizeof(struct command_new_job) == 88, "new_job");
static_assert(sizeof(struct set_leg) * SET_LEGS_PER_SLOT == COMMAND_SLOT_SIZE, "set_leg");
static_assert(sizeof(struct job_lane) * JOB_LANES_PER_SLOT == COMMAND_SLOT_SIZE, "job_lane");
static_assert(sizeof(struct command_register_class) == 88, "register_class");
static_assert(sizeof(struct command_register_region) == 88, "register_region");
static_assert(sizeof(struct command_set_market) == 88, "set_market");
static_assert(sizeof(struct command_register_group) == 88, "register_group");
static_assert(sizeof(struct command_open_account) == 88, "open_account");
static_assert(sizeof(struct command_register_key) == 88, "register_key");
static_assert(sizeof(struct command_revoke_key) == 88, "revoke_key");
static_assert(sizeof(struct command_register_resource) == 88, "register_resource");
static_assert(sizeof(struct command_register_fees) == 88, "register_fees");
static_assert(sizeof(struct command_set_limits) == 88, "set_limits");
static_assert(sizeof(struct command_cash) == 88, "cash");
static_assert(sizeof(struct command_set_reference) == 88, "set_reference");
static_assert(sizeof(struct command_halt) == 88, "halt");
static_assert(sizeof(struct command_kill) == 88, "kill");
static_assert(sizeof(struct command_advance) == 88, "advance");
static_assert(sizeof(struct command_resource_identity) == COMMAND_SLOT_SIZE, "identity");
static_assert(sizeof(struct command) == COMMAND_SLOT_SIZE, "command");
static_assert(sizeof(union command_slot) == COMMAND_SLOT_SIZE, "slot");

#endif
