#include "client/check/auctions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/contract.h"

#define SHOWN_MAX   5
#define HOURS_FIRST 64

void auctions_init(struct auctions *auctions)
{
    memset(auctions, 0, sizeof *auctions);
}

void auctions_free(struct auctions *auctions)
{
    free(auctions->hours);
    auctions->hours = NULL;
}

static void say(struct auctions *auctions, const struct event *event, const char *what)
{
    if (auctions->wrong++ < SHOWN_MAX) {
        (void)printf("command %" PRIu64 ", event %u: %s\n", event->head.seq, event->head.index,
                     what);
    }
}

static struct auctions_hour *find(const struct auctions *auctions, uint64_t contract)
{
    for (size_t at = 0; at < auctions->count; at++) {
        if (auctions->hours[at].contract == contract_with_tier(contract, TIER_G0)) {
            return &auctions->hours[at];
        }
    }
    return NULL;
}

/* What ended in an earlier command is over. */
static void forget_ended(struct auctions *auctions, uint64_t seq)
{
    if (seq == auctions->seq || !auctions->any_ended) {
        auctions->seq = seq;
        return;
    }
    auctions->seq = seq;
    auctions->any_ended = false;
    for (size_t at = auctions->count; at-- > 0;) {
        if (auctions->hours[at].ended) {
            auctions->hours[at] = auctions->hours[--auctions->count];
        }
    }
}

static void begin(struct auctions *auctions, const struct event *event)
{
    struct auctions_hour *hour = find(auctions, event->auction.contract);
    if (hour != NULL && !hour->ended) {
        say(auctions, event, "an auction begins while another is under way");
    }
    if (hour == NULL) {
        if (auctions->count == auctions->capacity) {
            auctions->capacity = auctions->capacity == 0 ? HOURS_FIRST : 2 * auctions->capacity;
            auctions->hours =
                realloc(auctions->hours, auctions->capacity * sizeof auctions->hours[0]);
            CHECK(auctions->hours != NULL);
        }
        hour = &auctions->hours[auctions->count++];
    }
    *hour =
        (struct auctions_hour){.contract = event->auction.contract, .kind = event->auction.kind};
}

/* The end follows its trades and says them. */
static void finish(struct auctions *auctions, const struct event *event)
{
    const struct event_auction *said = &event->auction;
    struct auctions_hour *hour = find(auctions, said->contract);
    if (hour == NULL || hour->ended || hour->kind != said->kind) {
        say(auctions, event, "an auction ends that is not under way");
        return;
    }
    int64_t least_e4 = 0;
    int64_t total = 0;
    for (size_t tier = 0; tier < TIER_COUNT; tier++) {
        int64_t qty = hour->qty[tier] < UINT32_MAX ? hour->qty[tier] : UINT32_MAX;
        if (said->price_e4[tier] != hour->price_e4[tier] || said->qty[tier] != qty) {
            say(auctions, event, "an auction's trades are not those that it publishes");
        }
        if (hour->qty[tier] > 0 && hour->price_e4[tier] < least_e4) {
            say(auctions, event, "a higher tier is cheaper");
        }
        least_e4 = hour->qty[tier] > 0 ? hour->price_e4[tier] : least_e4;
        total += hour->qty[tier];
    }
    hour->ended = true;
    auctions->any_ended = true;
    auctions->gpu_hours += total;
    auctions->cleared[hour->kind] += total > 0;
}

/* Behind the end those trade whom an order of their own group had kept apart, at the offers' prices. */
static void take_auction_trade(struct auctions *auctions, const struct event *event,
                               struct auctions_hour *hour)
{
    const struct event_trade *trade = &event->trade;
    uint8_t tier = contract_tier(trade->contract);
    if (hour == NULL || hour->kind != event_trade_auction(trade)) {
        say(auctions, event, "a trade is marked as of an auction that is not under way");
        return;
    }
    if (trade->aggressor != AGGRESSOR_NONE) {
        say(auctions, event, "somebody arrived in an auction");
    }
    if (hour->ended) {
        auctions->gpu_hours += trade->qty;
        return;
    }
    if (hour->qty[tier] > 0 && hour->price_e4[tier] != trade->price_e4) {
        say(auctions, event, "two prices for one tier in an auction");
    }
    hour->price_e4[tier] = trade->price_e4;
    hour->qty[tier] += trade->qty;
}

static void take_trade(struct auctions *auctions, const struct event *event)
{
    struct auctions_hour *hour = find(auctions, event->trade.contract);
    if (event_trade_auction(&event->trade) != AUCTION_NONE) {
        take_auction_trade(auctions, event, hour);
    } else if (hour != NULL && !hour->ended) {
        say(auctions, event, "a trade while an auction collects");
    } else if (event->trade.aggressor > SIDE_SELL) {
        say(auctions, event, "a trade without an aggressor that is no auction's");
    }
}

static void take_fill(struct auctions *auctions, const struct event *event)
{
    const struct event_fill *fill = &event->fill;
    if (fill->resting == FILL_AUCTION &&
        (fill->side == SIDE_BUY ? (int64_t)fill->limit_e4 < fill->price_e4
                                : (int64_t)fill->limit_e4 > fill->price_e4)) {
        say(auctions, event, "an order trades in an auction outside its limit");
    }
}

void auctions_take(struct auctions *auctions, const struct event *event)
{
    forget_ended(auctions, event->head.seq);
    if (event->head.type == EVENT_TRADE) {
        take_trade(auctions, event);
    } else if (event->head.type == EVENT_FILL) {
        take_fill(auctions, event);
    } else if (event->head.type == EVENT_AUCTION && event->auction.state == AUCTION_BEGUN) {
        begin(auctions, event);
    } else if (event->head.type == EVENT_AUCTION && event->auction.state == AUCTION_ENDED) {
        finish(auctions, event);
    }
}
