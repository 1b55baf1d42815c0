#include "client/check/recompute.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/tape.h"
#include "wire/units.h"

#define TRADES_FIRST 4096

static void post(struct recompute *recompute, uint8_t kind, uint32_t account, int64_t amount)
{
    const struct tally_key key = {.account = account, .kind = kind};
    struct tally_entry *entry = tally_entry(&recompute->tally, &key);
    CHECK(money_add(entry->tape, amount, &entry->tape));
}

/* GPU-hours of a trade's resource and hour; `key` has kind, account and tier. */
static void post_hours(struct recompute *recompute, struct tally_key key,
                       const struct event_trade *trade, int64_t qty)
{
    key.resource = trade->resource;
    key.hour = contract_hour(trade->contract);
    tally_entry(&recompute->tally, &key)->tape += qty;
}

static int take_trade(struct recompute *recompute, const struct event *event, struct error *error)
{
    const struct event_trade *trade = &event->trade;
    int64_t notional_e4;
    if (trade->price_e4 < 1 || trade->qty < 1 || trade->buy_fee_e4 < 0 || trade->bond_e4 < 0 ||
        trade->buyer == 0 || trade->seller == 0 ||
        !money_mul(trade->price_e4, trade->qty, &notional_e4)) {
        return error_set(error, ERROR_CORRUPT, "command %llu, event %u: the trade is impossible",
                         (unsigned long long)event->head.seq, event->head.index);
    }
    post(recompute, TALLY_CASH, trade->buyer, -notional_e4);
    post(recompute, TALLY_CASH, trade->buyer, -trade->buy_fee_e4);
    post(recompute, TALLY_ESCROW, trade->buyer, notional_e4);
    post(recompute, TALLY_FEES, trade->buyer, trade->buy_fee_e4);
    post(recompute, TALLY_PLEDGE, trade->seller, -trade->bond_e4);
    post(recompute, TALLY_BOND, trade->seller, trade->bond_e4);
    struct tally_key sold = {.account = trade->seller, .kind = TALLY_CAPACITY};
    if (trade->source_tier != SOURCE_OWN) {
        sold.kind = TALLY_HOLDING;
        sold.tier = trade->source_tier;
    }
    const struct tally_key bought = {
        .account = trade->buyer, .kind = TALLY_HOLDING, .tier = contract_tier(trade->contract)};
    post_hours(recompute, sold, trade, -trade->qty);
    post_hours(recompute, bought, trade, trade->qty);
    if (recompute->trade_count == recompute->trade_capacity) {
        recompute->trade_capacity *= 2;
        recompute->trades =
            realloc(recompute->trades, recompute->trade_capacity * sizeof *recompute->trades);
        CHECK(recompute->trades != NULL);
    }
    recompute->trades[recompute->trade_count++] = *event;
    return 0;
}

static int take_event(struct recompute *recompute, const struct event *event, struct error *error)
{
    parents_take(&recompute->parents, event);
    auctions_take(&recompute->auctions, event);
    switch (event->head.type) {
    case EVENT_CLASS:
        memcpy(recompute->names.classes[event->class_.class_id], event->class_.name, NAME_SIZE);
        recompute->names.class_count = event->class_.class_id + 1U;
        return 0;
    case EVENT_REGION:
        memcpy(recompute->names.regions[event->region.region_id], event->region.name, NAME_SIZE);
        recompute->names.region_count = event->region.region_id + 1U;
        return 0;
    case EVENT_NEW:
        recompute->orders++;
        return 0;
    case EVENT_CASH:
        post(recompute, TALLY_BANK, event->cash.account, -event->cash.amount_e4);
        post(recompute, TALLY_CASH, event->cash.account, event->cash.amount_e4);
        return 0;
    case EVENT_TRADE:
        return take_trade(recompute, event, error);
    default:
        return 0;
    }
}

int recompute_read(struct recompute *recompute, const char *directory, struct error *error)
{
    memset(recompute, 0, sizeof *recompute);
    tally_init(&recompute->tally);
    parents_init(&recompute->parents);
    auctions_init(&recompute->auctions);
    recompute->trade_capacity = TRADES_FIRST;
    recompute->trades = calloc(TRADES_FIRST, sizeof *recompute->trades);
    CHECK(recompute->trades != NULL);

    struct tape_file *tape;
    int rc = tape_file_open(&tape, directory, 0, error);
    if (rc != 0) {
        return rc;
    }
    struct tape_batch batch;
    while (rc == 0 && (rc = tape_file_next(tape, &batch, error)) == 1) {
        rc = 0;
        for (uint32_t at = 0; rc == 0 && at < batch.count; at++) {
            rc = take_event(recompute, &batch.events[at], error);
        }
        if (recompute->last_seq == 0 && batch.count > 0) {
            recompute->first_time_ns = batch.events[0].head.time_ns;
        }
        recompute->last_seq = batch.last_seq;
        recompute->last_time_ns = batch.events[batch.count - 1].head.time_ns;
    }
    tape_file_close(tape);
    return rc;
}

void recompute_free(struct recompute *recompute)
{
    tally_free(&recompute->tally);
    parents_free(&recompute->parents);
    auctions_free(&recompute->auctions);
    free(recompute->trades);
    recompute->trades = NULL;
}
