/* What the server says to one client by itself: execution reports and what concerns the session
 * (codec.h). */
#ifndef KASHI_WIRE_CODEC_REPORT_H
#define KASHI_WIRE_CODEC_REPORT_H

#include "wire/codec_rows.h"
#include "wire/event.h"
#include "wire/reject.h"

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
enum liquidity { /* FIX LastLiquidityInd */
                 LIQUIDITY_NONE = 0,
                 LIQUIDITY_MAKER = 1,
                 LIQUIDITY_TAKER = 2,
                 LIQUIDITY_AUCTION = 3, /* at an auction's end, with the maker's fee */
};
/* Of an event_fill's enum fill_resting. */
static inline uint8_t codec_liquidity(uint8_t resting)
{
    return resting == FILL_AUCTION ? LIQUIDITY_AUCTION
           : resting == FILL_MAKER ? LIQUIDITY_MAKER
                                   : LIQUIDITY_TAKER;
}

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

#endif
