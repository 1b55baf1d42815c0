/* The checker's second look at auctions, from the tape alone: while an hour collects nothing trades in it;
 * at its end all bids of a tier pay one price, not below that of the tier below, within the limits of both
 * sides; prices and quantities are those that the end of the auction publishes; and no other trade
 * is marked as an auction's. Running out of memory ends the process. One thread. */
#ifndef KASHI_CLIENT_CHECK_AUCTIONS_H
#define KASHI_CLIENT_CHECK_AUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/event.h"

/* An hour that collects, or whose auction has ended in the command that is being read. */
struct auctions_hour {
    uint64_t contract; /* of tier G0 */
    uint8_t kind;      /* enum auction_kind */
    bool ended;
    int64_t price_e4[TIER_COUNT]; /* of its trades; 0: none */
    int64_t qty[TIER_COUNT];
};

struct auctions {
    uint64_t cleared[AUCTION_VOLATILITY + 1]; /* with trades, by kind */
    int64_t gpu_hours;
    uint64_t wrong;
    uint64_t seq;                /* of the command that is being read */
    struct auctions_hour *hours; /* few: in no order */
    size_t count;
    size_t capacity;
    bool any_ended;
};

void auctions_init(struct auctions *auctions);
void auctions_free(struct auctions *auctions);
/* The tape's events, all of them, in order. Says the first few that are wrong on stdout. */
void auctions_take(struct auctions *auctions, const struct event *event);

#endif
