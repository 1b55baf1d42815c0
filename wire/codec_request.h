/* What clients ask for, as the codec (codec.h) decodes and encodes it. */
#ifndef KASHI_WIRE_CODEC_REQUEST_H
#define KASHI_WIRE_CODEC_REQUEST_H

#include "wire/codec_rows.h"

/* What changes something has its command's number and carries cl_ord_id; what only reads comes
 * after 99 and may carry `ref`, which the answer repeats. */
enum request_type {
    REQUEST_LOGIN = COMMAND_LOGIN,
    REQUEST_LOGOUT = COMMAND_LOGOUT,
    REQUEST_NEW_ORDER = COMMAND_NEW_ORDER,
    REQUEST_REPLACE_ORDER = COMMAND_REPLACE_ORDER,
    REQUEST_CANCEL_ORDER = COMMAND_CANCEL_ORDER,
    REQUEST_MASS_CANCEL = COMMAND_MASS_CANCEL,
    REQUEST_TAKE_OFFER = COMMAND_TAKE_OFFER,
    REQUEST_NEW_RANGE = COMMAND_NEW_RANGE,
    REQUEST_NEW_SET = COMMAND_NEW_SET, /* with dry_run both of these only read */
    REQUEST_NEW_JOB = COMMAND_NEW_JOB,
    REQUEST_REGISTER_CLASS = COMMAND_REGISTER_CLASS,
    REQUEST_REGISTER_REGION = COMMAND_REGISTER_REGION,
    REQUEST_SET_MARKET = COMMAND_SET_MARKET,
    REQUEST_REGISTER_GROUP = COMMAND_REGISTER_GROUP,
    REQUEST_OPEN_ACCOUNT = COMMAND_OPEN_ACCOUNT,
    REQUEST_REGISTER_KEY = COMMAND_REGISTER_KEY,
    REQUEST_REVOKE_KEY = COMMAND_REVOKE_KEY,
    REQUEST_REGISTER_RESOURCE = COMMAND_REGISTER_RESOURCE,
    REQUEST_REGISTER_FEES = COMMAND_REGISTER_FEES,
    REQUEST_SET_LIMITS = COMMAND_SET_LIMITS,
    REQUEST_DEPOSIT = COMMAND_DEPOSIT,
    REQUEST_WITHDRAW = COMMAND_WITHDRAW,
    REQUEST_SET_CREDIT = COMMAND_SET_CREDIT,
    REQUEST_SET_REFERENCE = COMMAND_SET_REFERENCE,
    REQUEST_HALT = COMMAND_HALT,
    REQUEST_RESUME = COMMAND_RESUME,
    REQUEST_KILL = COMMAND_KILL,
    REQUEST_REVIVE = COMMAND_REVIVE,
    REQUEST_ADVANCE = COMMAND_ADVANCE,
    REQUEST_HEARTBEAT = 100,
    REQUEST_ORDER_STATUS = 101,
    REQUEST_ORDERS = 102,
    REQUEST_TRADES = 103,
    REQUEST_BOOK = 104,
    REQUEST_ACCOUNT = 105,
    REQUEST_REPORTS = 106,
    REQUEST_LIST = 107,
    REQUEST_TYPE_COUNT = 108,
};

enum list_what {
    LIST_CLASSES = 0,
    LIST_REGIONS = 1,
    LIST_MARKETS = 2,
    LIST_RESOURCES = 3,
    LIST_GROUPS = 4,
    LIST_ACCOUNTS = 5,
    LIST_KEYS = 6,
    LIST_FEES = 7,
    LIST_GATEWAYS = 8, /* answered by the gateway itself: its counters */
    LIST_WHAT_COUNT = 9,
};

struct request_login {
    uint64_t next_report_seq; /* 0: send nothing again; else reports from this one on */
    uint8_t cancel_on_disconnect;
    uint8_t has_public_key; /* 1: public_key was given (gateways without CURVE only) */
    uint8_t public_key[PUBLIC_KEY_SIZE];
};
struct request_new_order {
    char symbol[SYMBOL_SIZE];
    int64_t price_e4; /* limit, or the collar of a market order */
    int64_t qty;
    int64_t min_qty;
    int64_t display_qty;
    int64_t expire_time_ns;
    uint32_t resource;
    uint8_t side;     /* enum side */
    uint8_t ord_type; /* enum ord_type; left out: limit */
    uint8_t tif;      /* enum time_in_force; left out: gate */
    uint8_t stp;      /* enum stp_mode; left out: newest */
    uint8_t post_only;
    uint16_t job_lead_hours; /* 0: not reserved */
};
struct request_new_range {
    char symbol[SYMBOL_SIZE]; /* of the first hour */
    int64_t price_e4;
    int64_t qty; /* of each hour */
    uint32_t hours;
    uint32_t resource;
    uint16_t job_lead_hours;
    uint8_t stp;
    uint8_t post_only;
};
struct request_new_set {
    const struct leg_row *legs; /* 1 .. SET_LEGS_MAX */
    int64_t qty;
    int64_t min_qty;
    int64_t display_qty;
    int64_t expire_time_ns;
    uint32_t leg_count;
    uint8_t tif;
    uint8_t stp;
    uint8_t post_only;
    uint8_t dry_run; /* has ref instead of cl_ord_id */
};
struct request_new_job {
    const struct lane_row *lanes; /* 1 .. JOB_LANES_MAX */
    int64_t price_e4;
    int64_t qty; /* GPUs in each hour */
    int64_t min_qty;
    int64_t display_qty;
    int64_t expire_time_ns;
    uint64_t same_group;
    uint32_t lane_count;
    uint32_t window_from; /* first hour in which it may start */
    uint32_t window_to;   /* hour in which it must be over */
    uint16_t hours;
    uint8_t placement;
    uint8_t tif;
    uint8_t post_only;
    uint8_t dry_run; /* has ref instead of cl_ord_id */
};
struct request_replace_order {
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty; /* new order quantity, what is already filled included */
};
struct request_cancel_order {
    uint64_t order_id;
};
struct request_mass_cancel { /* what is left out does not narrow */
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    uint32_t hour_from;
    uint32_t hour_to; /* 0: no range of hours */
    uint8_t own_key;
};
struct request_register_class {
    char name[NAME_SIZE];
    uint32_t lot;
    uint32_t memory_gib;
    uint32_t bf16_gflops;
    uint32_t host_power_w;
};
struct request_register_region {
    char name[NAME_SIZE];
    uint32_t grid_g_per_kwh_e2;
    uint32_t carbon_free_bp;
};
/* Takes part or all of one offer of a listing market, at its price. */
struct request_take_offer {
    uint64_t order_id;
    int64_t qty;
};
struct request_set_market {
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    int64_t launch_price_e4[TIER_COUNT]; /* 0: none */
    uint32_t inner_band_bp;
    uint32_t outer_band_bp;
    uint32_t opening_s; /* auctions: struct command_set_market */
    uint32_t volatility_s;
    uint32_t period_s;
    uint32_t volatility_min_qty;
    uint16_t random_end_s;
    uint8_t mode; /* enum market_mode */
    uint8_t no_resale;
    uint8_t names_shown;
};
struct request_register_group {
    char name[LABEL_SIZE];
};
struct request_open_account {
    char name[LABEL_SIZE];
    uint32_t group;
    uint8_t roles; /* enum role, or-ed */
    uint8_t fees;
};
struct request_register_key {
    char name[LABEL_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];
    uint32_t account;
    uint8_t roles;
};
struct request_revoke_key {
    uint32_t key;
};
struct request_register_resource {
    char identifier[IDENTIFIER_SIZE];
    char energy_source[LABEL_SIZE];
    char node[LABEL_SIZE];
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    uint32_t account;
    uint32_t gpus;
    uint32_t pue_e4;
    uint32_t bandwidth_mbps;
    uint8_t tier;
};
struct request_register_fees {
    uint16_t maker_bp;
    uint16_t taker_bp;
};
struct request_set_limits {
    int64_t order_qty_limit;
    uint32_t account;
    uint32_t rate_limit;
    uint32_t open_orders_limit;
    uint8_t fees;
    uint8_t fields; /* enum limits_field: those that were given */
};
struct request_cash { /* deposit, withdraw, set_credit */
    int64_t amount_e4;
    uint32_t account;
    char reference[LABEL_SIZE];
};
struct request_set_reference {
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    int64_t price_e4;
    uint32_t day; /* delivery day, days since 1970-01-01 in UTC+8 */
    uint8_t tier;
};
struct request_halt { /* halt, resume; what is left out does not narrow */
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
};
struct request_kill { /* kill, revive */
    uint32_t account; /* 0, left out: every account but operators' */
};
struct request_advance {
    int64_t delta_ns;
};
struct request_order_status { /* one of the two */
    uint64_t order_id;
    uint64_t cl_ord_id;
};
struct request_orders {      /* the account's live orders, oldest first */
    uint64_t after_order_id; /* 0: from the first */
};
struct request_trades { /* the account's fills, oldest first */
    uint64_t after_fill_id;
};
struct request_book {
    char symbol[SYMBOL_SIZE];
    uint64_t after_order_id; /* listed offers behind this one; 0: from the best */
};
struct request_account {
    uint32_t account;       /* 0: the key's own; another: operators only */
    uint32_t after_holding; /* holdings to pass over: the next page */
};
struct request_reports {
    uint64_t from_report_seq; /* 1 or more */
};
struct request_list {
    uint32_t after; /* ids above this one; 0: from the first. Classes, regions: id + 1 */
    uint8_t what;   /* enum list_what */
};

struct request {
    uint64_t cl_ord_id; /* of what changes something; 0 else */
    uint64_t ref;       /* 0: none */
    uint16_t reason;    /* decoding: 0, or why this request is refused (REASON_… 4 .. 14) */
    uint8_t type;       /* enum request_type; 0 when the request does not say */
    char field[CODEC_FIELD_SIZE]; /* refused: the field that is at fault, if one is */
    union {
        struct request_login login;
        struct request_new_order new_order;
        struct request_replace_order replace_order;
        struct request_cancel_order cancel_order;
        struct request_mass_cancel mass_cancel;
        struct request_take_offer take_offer;
        struct request_new_range new_range;
        struct request_new_set new_set;
        struct request_new_job new_job;
        struct request_register_class register_class;
        struct request_register_region register_region;
        struct request_set_market set_market;
        struct request_register_group register_group;
        struct request_open_account open_account;
        struct request_register_key register_key;
        struct request_revoke_key revoke_key;
        struct request_register_resource register_resource;
        struct request_register_fees register_fees;
        struct request_set_limits set_limits;
        struct request_cash cash;
        struct request_set_reference set_reference;
        struct request_halt halt;
        struct request_kill kill;
        struct request_advance advance;
        struct request_order_status order_status;
        struct request_orders orders;
        struct request_trades trades;
        struct request_book book;
        struct request_account account;
        struct request_reports reports;
        struct request_list list;
    };
};

#endif
