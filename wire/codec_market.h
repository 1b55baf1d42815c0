/* What is published to everyone: a contract's changes, index values (codec.h). */
#ifndef KASHI_WIRE_CODEC_MARKET_H
#define KASHI_WIRE_CODEC_MARKET_H

#include "wire/codec_read.h"

/* One command's changes of one contract. */
struct md_trade_row {
    uint64_t fill_id;
    int64_t price_e4;
    int64_t qty;
    uint8_t aggressor; /* enum side, or AGGRESSOR_NONE */
    uint8_t offer_tier;
    uint8_t contingent;
    uint8_t auction; /* enum auction_kind of the auction that it is of */
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

#endif
