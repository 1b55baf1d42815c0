/* The codec: what clients and Kashi say to each other, as structs, and their msgpack form both ways.
 * Nobody else knows msgpack. docs/protocol.md describes every message.
 *
 * A client message is one map, or an array of at most CODEC_REQUESTS_MAX maps; each map is a request.
 * The bytes are decoded as a whole before anything is done: a message that is not exactly one
 * well-formed value is refused whole; a request in it that is wrong is refused alone, by its own
 * `reason`, and the others go on. What the server says is decoded by the same rules, but keys that
 * the reader does not know are passed over, so that messages may grow.
 *
 * Legs and lanes lie outside the structs, in room that the caller gives: most requests and reports
 * have none, and a struct with place for 64 legs would be twenty times as large.
 *
 * Units as in wire/units.h. Texts are NUL-terminated UTF-8. In a server message a number that is 0
 * and a text that is empty are left out unless the protocol says that they always stand.
 * Nothing here allocates or keeps pointers into the bytes that it is given. Any thread. */
#ifndef KASHI_WIRE_CODEC_H
#define KASHI_WIRE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/command.h"
#include "wire/contract.h"
#include "wire/event.h"
#include "wire/reject.h"

#define CODEC_MESSAGE_MAX     65536 /* bytes of a client message, and of a server message */
#define CODEC_REQUESTS_MAX    256   /* requests in one client message */
#define CODEC_FIELD_SIZE      32    /* longest name of a field, with its NUL */
#define CODEC_ROWS_MAX        64    /* rows of one answer (orders, trades, reports, lists) */
#define CODEC_LEVELS_MAX      424   /* price levels of one side: two full sides fit a message */
#define CODEC_HOLDINGS_MAX    256   /* holdings in an account's answer */
#define CODEC_PUBLIC_KEY_TEXT 40    /* a CURVE key as Z85 text */

/* --- lists -------------------------------------------------------------------------------------
 * Rows that lie outside their struct, of which it has a pointer and a count. */
struct leg_row {
    char symbol[SYMBOL_SIZE];
    uint32_t price_e4; /* limit */
    uint32_t leg;      /* what the server says: its place, from 1 */
};
struct lane_row {
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    uint32_t factor_e4; /* 0, left out of a request: 10,000 */
    uint8_t tier;
    uint8_t lane; /* what the server says: its place, from 1 */
};

/* Where decoding puts them. A refused request leaves none there. */
struct codec_rows {
    void *memory; /* aligned to 8 */
    uint32_t size;
    uint32_t used;
};
/* Room for all rows of any message: a row of the shortest texts takes 20 bytes of the message and 72
 * in memory, and one refused request may have a full list on top before it gives it back. */
#define CODEC_ROWS_BYTES_MAX 262144
/* Room for those of one request. */
#define CODEC_REQUEST_ROWS_BYTES (SET_LEGS_MAX * sizeof(struct leg_row))

/* --- requests ----------------------------------------------------------------------------------
 * What changes something has its command's number and carries cl_ord_id; what only reads comes
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

/* "new_order"; "" for a number that is none. Static storage. */
const char *codec_request_name(uint8_t type);

/* Whether the request is answered by the read side and enters nothing. */
bool codec_request_is_dry(const struct request *request);

/* Where requests are decoded to: the caller's. */
struct codec_batch {
    struct request *requests;
    uint32_t capacity; /* at most CODEC_REQUESTS_MAX */
    uint32_t count;
    struct codec_rows rows; /* without memory: lists are passed over */
};
/* Decodes a client message. Returns 0 and batch->count requests, each with its own `reason`; or the
 * reason why the message as a whole is refused (1 .. 5), and the count is 0. More requests than
 * `capacity` are TOO_MANY_REQUESTS. Earlier rows are forgotten. */
uint16_t codec_decode_requests(const void *bytes, size_t length, struct codec_batch *batch);

/* Bytes of the request's list; 0: it has none. */
size_t codec_request_rows_size(const struct request *request);
/* Copies the list to `memory`, of so many bytes, and lets the request point there. */
void codec_request_rows_move(struct request *request, void *memory);

/* Encodes one request. Returns the length; 0 when it does not fit or is not a known type. */
size_t codec_encode_request(const struct request *request, void *bytes, size_t capacity);

/* Several encoded values in one message: the array's head, to stand before `count` of them.
 * Returns its length (at most 3). */
#define CODEC_ARRAY_HEAD_MAX 3
size_t codec_encode_array_head(uint16_t count, void *bytes, size_t capacity);

/* --- what the server says ---------------------------------------------------------------------- */
enum message_type {
    MESSAGE_REPORT = 1,       /* "execution_report" */
    MESSAGE_REJECT = 2,       /* "reject": by the gateway or the read side; uses up no cl_ord_id */
    MESSAGE_LOGIN = 3,        /* "login" */
    MESSAGE_LOGOUT = 4,       /* "logout": the session is over, with the reason */
    MESSAGE_HEARTBEAT = 5,    /* "heartbeat" */
    MESSAGE_ORDER_STATUS = 6, /* "order_status" */
    MESSAGE_ORDERS = 7,
    MESSAGE_TRADES = 8,
    MESSAGE_BOOK = 9, /* also the answer of the snapshot service */
    MESSAGE_ACCOUNT = 10,
    MESSAGE_REPORTS = 11,
    MESSAGE_CLASSES = 12, /* answers to list, in the order of enum list_what */
    MESSAGE_REGIONS = 13,
    MESSAGE_MARKETS = 14,
    MESSAGE_RESOURCES = 15,
    MESSAGE_GROUPS = 16,
    MESSAGE_ACCOUNTS = 17,
    MESSAGE_KEYS = 18,
    MESSAGE_FEES = 19,
    MESSAGE_GATEWAYS = 20,
    MESSAGE_MARKET_DATA = 21, /* PUB */
    MESSAGE_INDEX = 22,       /* PUB */
    MESSAGE_QUOTE = 23,       /* answer to a dry run */
    MESSAGE_TYPE_COUNT = 24,
};

enum exec_type { /* FIX ExecType */
                 EXEC_NEW = 1,
                 EXEC_REPLACED = 2,
                 EXEC_CANCELED = 3,
                 EXEC_EXPIRED = 4,
                 EXEC_RESTATED = 5,
                 EXEC_TRADE = 6,
                 EXEC_REJECTED = 7,
                 EXEC_DONE = 8,        /* a request was carried out that has no order of its own */
                 EXEC_MASS_CANCEL = 9, /* accepted, the orders follow */
                 EXEC_SWEEP_DONE =
                     10, /* the mass cancel has ended; canceled_orders says how many */
                 EXEC_LEG_CANCELED = 11, /* one leg of a SET is over, the SET goes on */
                 EXEC_RELEASED = 12,     /* the offer's reservation for JOBs is over; it arrives */
                 EXEC_MISS = 13,         /* how near a SET or JOB came; not numbered */
};
enum ord_status { /* FIX OrdStatus */
                  STATUS_NONE = 0,
                  STATUS_NEW = 1,
                  STATUS_PARTIALLY_FILLED = 2,
                  STATUS_FILLED = 3,
                  STATUS_CANCELED = 4,
                  STATUS_EXPIRED = 5,
                  STATUS_REJECTED = 6,
};
enum liquidity { LIQUIDITY_NONE = 0, LIQUIDITY_MAKER = 1, LIQUIDITY_TAKER = 2 };

/* Which optional groups of fields a report has. */
enum report_fields {
    REPORT_ORDER = 1, /* side, leaves_qty, cum_qty */
    REPORT_TRADE = 2, /* fee_e4, trade_tier */
    REPORT_MISS = 4,  /* miss_qty, miss_wanted_qty */
    /* the order as understood: each of these fields by itself */
    REPORT_PLACEMENT = 8,
    REPORT_ORD_TYPE = 16,
    REPORT_TIF = 32,
    REPORT_STP = 64,
    REPORT_POST_ONLY = 128,
};
struct report {
    uint64_t seq;        /* command sequence; always */
    uint64_t report_seq; /* 0: not a numbered report */
    uint64_t cl_ord_id;
    uint64_t orig_cl_ord_id;
    uint64_t order_id;
    uint64_t exec_id;     /* trade: fill_id */
    uint64_t trade_group; /* trade: of a JOB's fills the first one's fill_id */
    uint64_t same_group;
    const struct leg_row *legs; /* new SET: as understood; may be NULL while leg_rows is 0 */
    const struct lane_row *lanes;
    int64_t transact_time_ns;
    int64_t price_e4;
    int64_t order_qty;
    int64_t leaves_qty;
    int64_t cum_qty;
    int64_t last_px_e4;
    int64_t last_qty; /* trade: filled; canceled, restated: taken out */
    int64_t min_qty;
    int64_t display_qty;
    int64_t gpus;     /* JOB: GPUs in each hour; its order_qty, leaves_qty, cum_qty are GPU-hours */
    int64_t miss_qty; /* miss: GPUs displayed within the limit, */
    int64_t miss_wanted_qty;
    int64_t expire_time_ns;
    int64_t fee_e4;
    int64_t reserved_e4;
    int64_t cash_e4; /* deposit, withdraw, set_credit: afterwards */
    int64_t credit_e4;
    int64_t value; /* rejected: the offending value */
    int64_t bound; /* and what it was compared with */
    uint64_t canceled_orders;
    uint32_t leg_rows; /* rows in legs */
    uint32_t lane_rows;
    uint32_t window_from;
    uint32_t window_to;
    uint32_t hours;  /* range, JOB */
    uint32_t orders; /* range: entered, replaced or canceled by this */
    uint32_t resource;
    uint32_t id; /* done: the id that the registering request gave, classes and regions + 1 */
    uint32_t account;
    uint16_t reason;
    uint16_t job_lead_hours;
    uint8_t exec_type;  /* enum exec_type; always */
    uint8_t ord_status; /* enum ord_status */
    uint8_t request;    /* enum request_type that is answered; 0: none */
    uint8_t side;
    uint8_t ord_type;
    uint8_t tif;
    uint8_t stp;
    uint8_t post_only;
    uint8_t reserved_for_jobs; /* new: it stands apart until its reservation ends */
    uint8_t placement;
    uint8_t leg;        /* leg or lane that this is about, from 1; 0 none */
    uint8_t contingent; /* trade: of a JOB */
    uint8_t liquidity;  /* enum liquidity */
    uint8_t trade_tier; /* the bid's tier: what is owed */
    uint8_t kept_priority;
    uint8_t fields; /* enum report_fields */
    uint8_t field;  /* enum reject_field: rejected for its value */
    char symbol[SYMBOL_SIZE];
    char miss_symbol[SYMBOL_SIZE]; /* where that is */
};

struct reject {
    uint64_t cl_ord_id; /* those that the request carried, as far as they could be read */
    uint64_t ref;
    uint32_t index; /* place of the request in its message, from 0; always */
    uint16_t reason;
    uint8_t request; /* enum request_type; 0 unknown */
    char field[CODEC_FIELD_SIZE];
};

struct login_answer {
    uint64_t ref;
    uint64_t seq;
    uint64_t highest_cl_ord_id;  /* always */
    uint64_t highest_report_seq; /* always */
    int64_t transact_time_ns;
    uint32_t session;
    uint32_t key;
    uint32_t account;
    uint32_t heartbeat_interval_s; /* send something at least this often */
    uint8_t roles;
    char gateway[LINK_NAME_SIZE];
};
struct logout_answer {
    uint64_t ref;
    uint32_t session;
    uint16_t reason; /* 0: on request */
};
struct heartbeat_answer {
    uint64_t ref;
    uint64_t seq; /* highest durable command sequence that the gateway knows */
};

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
/* While an auction collects in the contract's hour; all zero: it trades continuously. */
struct auction_view {
    int64_t end_ns;        /* nominal */
    int64_t indicative_e4; /* at which bids of the contract would buy now; 0: none would */
    int64_t indicative_qty;
    uint8_t phase; /* enum auction_kind */
    uint8_t reserved[7];
};

/* An offer of a listing market, to be taken by its id. */
struct listed_row {
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty;
    char name[LABEL_SIZE]; /* of the ownership group, where the market shows names */
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
    char symbol[SYMBOL_SIZE];
    uint32_t bid_count; /* best first */
    uint32_t offer_count;
    uint32_t listed_count; /* listing markets: the offers of the contract, best first */
    struct level_row bids[CODEC_LEVELS_MAX];
    struct level_row offers[CODEC_LEVELS_MAX];
    struct listed_row listed[CODEC_ROWS_MAX];
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

/* One command's changes of one contract. */
struct md_trade_row {
    uint64_t fill_id;
    int64_t price_e4;
    int64_t qty;
    uint8_t aggressor; /* enum side */
    uint8_t offer_tier;
    uint8_t contingent;
};
struct md_level_row {
    int64_t price_e4;
    int64_t qty; /* of the level now, firm; always */
    int64_t shared_qty;
    int64_t reserved_qty;
    int64_t orders; /* 0: the level is gone; always */
    uint8_t side;
};
struct market_data {
    uint64_t seq;
    uint64_t prev_seq; /* always; 0: start from empty */
    int64_t time_ns;
    int64_t best_bid_e4; /* the ladder's, now; 0: none */
    int64_t best_bid_qty;
    int64_t best_bid_shared_qty;
    int64_t best_offer_e4;
    int64_t best_offer_qty;
    struct auction_view auction;
    uint8_t continued; /* 1: more of the same command follows in the next message, which has the
                          same seq; only the last one has 0 */
    uint8_t halted;
    char symbol[SYMBOL_SIZE];
    uint32_t trade_count;
    uint32_t level_count;
    struct md_trade_row trades[CODEC_ROWS_MAX];
    struct md_level_row levels[CODEC_LEVELS_MAX];
};

/* The index value of a lane (class x region x tier) for one delivery day. Days are counted since
 * 1970-01-01 in UTC+8. */
enum index_kind {
    INDEX_INDICATIVE = 1,  /* the trading day goes on */
    INDEX_PRELIMINARY = 2, /* it has ended */
    INDEX_FINAL = 3,       /* its last word */
};
struct index_message {
    uint64_t seq; /* tape sequence that it is computed from */
    int64_t time_ns;
    int64_t price_e4;   /* 0: none (level 5 takes an earlier indicative value back) */
    int64_t volume_qty; /* this and the counts below always */
    uint32_t observations;
    uint32_t buyers;
    uint32_t sellers;
    uint32_t left_out;
    uint32_t day;         /* delivery day */
    uint32_t trading_day; /* the window */
    uint32_t value_day;   /* level 4: trading day that the value is of */
    uint32_t level;       /* 1 trades, 4 last value (stale), 5 none */
    uint32_t parameter_version;
    uint8_t tier;
    uint8_t kind; /* enum index_kind */
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
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

struct message {
    uint8_t type; /* enum message_type */
    union {
        struct report report;
        struct reject reject;
        struct login_answer login;
        struct logout_answer logout;
        struct heartbeat_answer heartbeat;
        struct order_status_answer order_status;
        struct orders_answer orders;
        struct trades_answer trades;
        struct book_answer book;
        struct account_answer account;
        struct reports_answer reports;
        struct list_answer list;
        struct market_data market_data;
        struct index_message index;
        struct quote_answer quote;
    };
};

/* Encodes one server message. Rows beyond their count are not read. Returns the length; 0 when it
 * does not fit. */
size_t codec_encode_message(const struct message *message, void *bytes, size_t capacity);
/* The same without a struct message around it, for what is sent most. */
size_t codec_encode_report(const struct report *report, void *bytes, size_t capacity);

/* Walks a received message: one map or an array of maps. */
struct codec_cursor {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t left; /* messages not yet decoded */
    /* For the lists of one message, each time anew; the caller may set it after codec_decode_begin.
     * Without memory lists are passed over. */
    struct codec_rows rows;
};
/* Returns 0, or the reason why the bytes are refused (2 .. 4). The bytes must outlive the cursor. */
uint16_t codec_decode_begin(struct codec_cursor *cursor, const void *bytes, size_t length);
/* Decodes the next one (left must be above 0). Returns 0; UNKNOWN_TYPE for a message of a kind that
 * this version does not know (pass over it); else why it is refused. */
uint16_t codec_decode_next(struct codec_cursor *cursor, struct message *message);

/* Z85 text of 40 characters (no NUL) <-> 32 bytes. */
void codec_key_text(const uint8_t key[PUBLIC_KEY_SIZE], char text[CODEC_PUBLIC_KEY_TEXT + 1]);
bool codec_key_parse(const char *text, size_t length, uint8_t key[PUBLIC_KEY_SIZE]);

#endif
