/* A tape without an exchange: the events that settlement reads, drawn from a seed and consistent
 * with each other (balances said, capacity, holdings resold). For tests and the bench. */
#ifndef KASHI_TESTS_SETTLEMENT_MARKET_H
#define KASHI_TESTS_SETTLEMENT_MARKET_H

#include <stddef.h>
#include <stdint.h>

#include "wire/event.h"

#define MARKET_CLASSES    2
#define MARKET_REGIONS    2
#define MARKET_ACCOUNTS   8 /* 1 .. 8; 1 and 2 are providers */
#define MARKET_RESOURCES  4 /* 1 .. 4 */
#define MARKET_HOURS      8
#define MARKET_EVENTS_MAX 16 /* of one command */
#define MARKET_FIRST_HOUR 499000

struct settlement_market {
    uint64_t random;
    uint64_t seq; /* of the command last made */
    int64_t time_ns;
    uint64_t fill_id;
    uint64_t fills;
    int64_t cash_e4[MARKET_ACCOUNTS + 1];
    int64_t escrow_e4[MARKET_ACCOUNTS + 1];
    int64_t bond_e4[MARKET_ACCOUNTS + 1];
    int64_t holdings[MARKET_ACCOUNTS + 1][MARKET_RESOURCES + 1][MARKET_HOURS][TIER_COUNT];
};

void settlement_market_init(struct settlement_market *market, uint64_t seed);
/* The events of the next command; their count. The first commands are the registry and deposits. */
uint32_t settlement_market_next(struct settlement_market *market,
                                struct event events[MARKET_EVENTS_MAX]);
/* The next command is one trade of other accounts. */
uint32_t settlement_market_trade(struct settlement_market *market,
                                 struct event events[MARKET_EVENTS_MAX]);
/* Commands of the registry, before anything trades. */
#define MARKET_SETUP_COMMANDS 22

#endif
