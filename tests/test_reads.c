/* What is answered about orders, books, accounts and lists. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/reads.h"
#include "exchange/reads_orders.h"
#include "tests/reads_world.h"
#include "wire/report.h"

/* --- order_status --------------------------------------------------------------------------- */

static void expect_row(const struct message *message, uint8_t ord_status, int64_t leaves_qty,
                       int64_t cum_qty)
{
    cr_assert(message->type == MESSAGE_ORDER_STATUS && message->order_status.order_count == 1);
    const struct order_row *row = &message->order_status.orders[0];
    cr_assert(row->ord_status == ord_status && row->leaves_qty == leaves_qty &&
                  row->cum_qty == cum_qty,
              "status %u, %ld left, %ld filled", row->ord_status, row->leaves_qty, row->cum_qty);
}

Test(reads, order_status_tells_each_state_by_order_id)
{
    struct reads_world *world = reads_world_new();
    uint64_t offer = reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4, 10);
    expect_row(reads_world_ask_status(world, 2, offer, 0), STATUS_NEW, 10, 0);
    cr_assert(strcmp(world->message.order_status.orders[0].symbol, "H100.CN-GZ.G50.20261120T05Z") ==
              0);
    uint64_t bid = reads_world_order(world, 3, TIER_G0, READS_WORLD_PRICE_E4 + 5, 4);
    expect_row(reads_world_ask_status(world, 2, offer, 0), STATUS_PARTIALLY_FILLED, 6, 4);
    expect_row(reads_world_ask_status(world, 3, bid, 0), STATUS_FILLED, 0, 4);
    cr_assert(world->message.order_status.orders[0].notional_e4 == 4 * READS_WORLD_PRICE_E4);
    cr_assert(world->message.order_status.orders[0].price_e4 == READS_WORLD_PRICE_E4 + 5);
    reads_world_cancel(world, 2, offer);
    expect_row(reads_world_ask_status(world, 2, offer, 0), STATUS_CANCELED, 0, 4);
    cr_assert(world->message.order_status.orders[0].reason == REASON_REQUESTED);
    uint64_t late = reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4, 10);
    world->time_ns = (int64_t)READS_WORLD_HOUR * NS_PER_HOUR;
    reads_world_begin(world, 0, COMMAND_TICK);
    reads_world_end(world);
    expect_row(reads_world_ask_status(world, 2, late, 0), STATUS_EXPIRED, 0, 0);
    cr_assert(world->message.order_status.orders[0].reason == REASON_GATE_CLOSED);
    reads_world_free(world);
}

Test(reads, order_status_shows_an_order_to_its_account_and_operators_only)
{
    struct reads_world *world = reads_world_new();
    uint64_t bid = reads_world_order(world, 3, TIER_G0, READS_WORLD_PRICE_E4, 4);
    expect_row(reads_world_ask_status(world, 4, bid, 0), STATUS_NEW, 4, 0);
    expect_row(reads_world_ask_status(world, 1, bid, 0), STATUS_NEW, 4, 0);
    reads_world_expect_reject(reads_world_ask_status(world, 5, bid, 0), REASON_NOT_FOUND);
    reads_world_expect_reject(reads_world_ask_status(world, 3, bid + 12345, 0), REASON_NOT_FOUND);
    cr_assert(world->message.reject.ref == 77);
    reads_world_free(world);
}

Test(reads, order_status_tells_what_became_of_every_number)
{
    struct reads_world *world = reads_world_new();
    uint64_t bid = reads_world_order(world, 3, TIER_G0, READS_WORLD_PRICE_E4, 4);
    uint64_t entered = world->cl_ord_ids[3];
    cr_assert(reads_world_order(world, 3, TIER_G0, 0, 4) == 0);
    uint64_t refused = world->cl_ord_ids[3];
    world->cl_ord_ids[3] += 10;
    struct command *command = reads_world_begin(world, 3, COMMAND_REPLACE_ORDER);
    command->replace_order.order_id = bid;
    command->replace_order.price_e4 = READS_WORLD_PRICE_E4 + 1;
    command->replace_order.qty = 6;
    reads_world_end(world);
    uint64_t replaced = world->cl_ord_ids[3];
    reads_world_cancel(world, 3, bid);
    uint64_t canceled = world->cl_ord_ids[3];

    expect_row(reads_world_ask_status(world, 3, 0, entered), STATUS_CANCELED, 0, 0);
    cr_assert(world->message.order_status.request == REQUEST_NEW_ORDER);
    cr_assert(world->message.order_status.orders[0].order_qty == 6);
    expect_row(reads_world_ask_status(world, 3, 0, replaced), STATUS_CANCELED, 0, 0);
    cr_assert(world->message.order_status.request == REQUEST_REPLACE_ORDER);
    expect_row(reads_world_ask_status(world, 3, 0, canceled), STATUS_CANCELED, 0, 0);
    cr_assert(world->message.order_status.request == REQUEST_CANCEL_ORDER);
    cr_assert(reads_world_ask_status(world, 3, 0, refused)->type == MESSAGE_ORDER_STATUS);
    cr_assert(world->message.order_status.reason == REASON_PRICE_OUT_OF_RANGE &&
              world->message.order_status.order_count == 0);
    cr_assert(reads_world_ask_status(world, 3, 0, refused + 1)->type == MESSAGE_ORDER_STATUS);
    cr_assert(world->message.order_status.reason == REASON_NEVER_ENTERED);
    reads_world_expect_reject(reads_world_ask_status(world, 3, 0, canceled + 1), REASON_NOT_FOUND);
    /* Numbers are a key's own. */
    reads_world_expect_reject(reads_world_ask_status(world, 4, 0, entered), REASON_NOT_FOUND);
    reads_world_free(world);
}

/* --- lists of orders, fills, reports -------------------------------------------------------- */

Test(reads, open_orders_come_oldest_first_each_once)
{
    struct reads_world *world = reads_world_new();
    uint64_t ids[300];
    uint32_t count = 0;
    for (int i = 0; i < 300; i++) {
        /* Two keys of the account take turns at random. */
        uint32_t key = 3 + (uint32_t)random_below(&world->random, 2);
        ids[count++] = reads_world_order(world, key, TIER_G0, READS_WORLD_PRICE_E4 - i, 1);
    }
    for (int i = 0; i < 100; i++) {
        uint32_t out = (uint32_t)random_below(&world->random, count);
        reads_world_cancel(world, 3, ids[out]);
        memmove(&ids[out], &ids[out + 1], (--count - out) * sizeof(ids[0]));
    }
    struct request request = {.type = REQUEST_ORDERS};
    uint32_t seen = 0;
    bool more = true;
    while (more) {
        const struct message *message = reads_world_ask(world, 4, &request);
        cr_assert(message->type == MESSAGE_ORDERS && message->orders.order_count > 0);
        for (uint32_t i = 0; i < message->orders.order_count; i++) {
            cr_assert(message->orders.orders[i].order_id == ids[seen]);
            seen++;
        }
        more = message->orders.more;
        request.orders.after_order_id = ids[seen - 1];
    }
    cr_assert(seen == count);
    reads_world_free(world);
}

Test(reads, fills_come_oldest_first_each_once)
{
    struct reads_world *world = reads_world_new();
    for (int i = 0; i < 200; i++) {
        reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4, 2);
        reads_world_order(world, i % 3 == 0 ? 5 : 3, TIER_G50, READS_WORLD_PRICE_E4, 2);
    }
    struct request request = {.type = REQUEST_TRADES};
    uint32_t seen = 0;
    bool more = true;
    while (more) {
        const struct message *message = reads_world_ask(world, 3, &request);
        cr_assert(message->type == MESSAGE_TRADES && message->trades.trade_count > 0);
        for (uint32_t i = 0; i < message->trades.trade_count; i++) {
            const struct trade_row *row = &message->trades.trades[i];
            cr_assert(row->fill_id > request.trades.after_fill_id && row->qty == 2 &&
                      row->side == SIDE_BUY && row->liquidity == LIQUIDITY_TAKER);
            request.trades.after_fill_id = row->fill_id;
            seen++;
        }
        more = message->trades.more;
    }
    cr_assert(seen == 200 - 67);
    reads_world_free(world);
}

Test(reads, reports_come_again_as_the_events_say)
{
    struct reads_world *world = reads_world_new();
    for (int i = 0; i < 150; i++) {
        uint64_t bid = reads_world_order(world, 3, TIER_G0, READS_WORLD_PRICE_E4, 3);
        reads_world_order(world, 2, TIER_G0, READS_WORLD_PRICE_E4, 1);
        reads_world_cancel(world, 3, bid);
    }
    struct request request = {.type = REQUEST_REPORTS};
    request.reports.from_report_seq = 7;
    uint64_t expected = 7;
    bool more = true;
    while (more) {
        const struct message *message = reads_world_ask(world, 3, &request);
        cr_assert(message->type == MESSAGE_REPORTS && message->reports.report_count > 0);
        cr_assert(message->reports.highest_report_seq == 450);
        for (uint32_t i = 0; i < message->reports.report_count; i++) {
            const struct report *report = &message->reports.reports[i];
            static const uint8_t types[3] = {EXEC_NEW, EXEC_TRADE, EXEC_CANCELED};
            cr_assert(report->report_seq == expected);
            cr_assert(report->exec_type == types[(expected - 1) % 3]);
            expected++;
        }
        more = message->reports.more;
        request.reports.from_report_seq = expected;
    }
    cr_assert(expected == 451);
    reads_world_free(world);
}

/* --- book, account, lists ------------------------------------------------------------------- */

/* Depth from the events against the orders that the engine holds. */
static void compare_depth(struct reads_world *world)
{
    int64_t qty[TIER_COUNT][2] = {0};
    int64_t orders[TIER_COUNT][2] = {0};
    for (uint32_t account = 1; account <= 4; account++) {
        uint64_t cursor = 0;
        struct engine_order live;
        while (engine_account_order(world->replica.engine, account, &cursor, &live)) {
            qty[contract_tier(live.contract)][live.side] += live.leaves_qty;
            orders[contract_tier(live.contract)][live.side]++;
        }
    }
    for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
        uint64_t contract = contract_pack(0, 0, tier, READS_WORLD_HOUR);
        struct market_data_depth depth;
        market_data_find(world->replica.market_data, contract, &depth);
        for (uint32_t i = 0; i < depth.bid_count; i++) {
            qty[tier][SIDE_BUY] -= depth.bids[i].qty;
            orders[tier][SIDE_BUY] -= depth.bids[i].orders;
        }
        for (uint32_t i = 0; i < depth.offer_count; i++) {
            qty[tier][SIDE_SELL] -= depth.offers[i].qty;
            orders[tier][SIDE_SELL] -= depth.offers[i].orders;
        }
        cr_assert(qty[tier][0] == 0 && qty[tier][1] == 0 && orders[tier][0] == 0 &&
                  orders[tier][1] == 0);
        int64_t price_e4 = 0;
        bool has = engine_best_bid(world->replica.engine, contract, &price_e4);
        cr_assert(has == (depth.best.bid_qty > 0) && (!has || price_e4 == depth.best.bid_e4));
        has = engine_best_offer(world->replica.engine, contract, &price_e4);
        cr_assert(has == (depth.best.offer_qty > 0) && (!has || price_e4 == depth.best.offer_e4));
    }
}

static void random_step(struct reads_world *world, uint64_t ids[64])
{
    uint32_t key = 2 + (uint32_t)random_below(&world->random, 4);
    uint32_t place = (uint32_t)random_below(&world->random, 64);
    uint64_t what = random_below(&world->random, 10);
    if (what < 2 && ids[place] != 0) {
        reads_world_cancel(world, key, ids[place]);
    } else if (what < 4 && ids[place] != 0) {
        struct command *command = reads_world_begin(world, key, COMMAND_REPLACE_ORDER);
        command->replace_order.order_id = ids[place];
        command->replace_order.price_e4 =
            READS_WORLD_PRICE_E4 + random_between(&world->random, -9, 9);
        command->replace_order.qty = random_between(&world->random, 1, 20);
        reads_world_end(world);
    } else {
        ids[place] =
            reads_world_order(world, key, (uint8_t)random_below(&world->random, TIER_COUNT),
                              READS_WORLD_PRICE_E4 + random_between(&world->random, -9, 9),
                              random_between(&world->random, 1, 20));
    }
}

Test(reads, depth_from_events_is_that_of_the_engines_orders)
{
    struct reads_world *world = reads_world_new();
    uint64_t ids[64] = {0};
    for (int i = 0; i < 3000; i++) {
        random_step(world, ids);
        compare_depth(world);
    }
    struct engine_counts counts;
    engine_counts(world->replica.engine, &counts);
    cr_assert(counts.orders > 20 && counts.fills > 100);
    struct status_counts known;
    status_counts(world->replica.status, &known);
    cr_log_info("%lu orders, %lu requests, %lu reports: %lu bytes of status store", known.orders,
                known.requests, known.reports, known.bytes);
    reads_world_free(world);
}

Test(reads, the_book_has_depth_of_its_tier_and_best_prices_of_the_ladder)
{
    struct reads_world *world = reads_world_new();
    reads_world_order(world, 2, TIER_G80, READS_WORLD_PRICE_E4 + 7, 5);
    reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4 + 9, 3);
    reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4 + 9, 2);
    reads_world_order(world, 3, TIER_G0, READS_WORLD_PRICE_E4 - 3, 4);
    struct request request = {.type = REQUEST_BOOK, .ref = 9};
    reads_world_put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20261120T05Z");
    const struct message *message = reads_world_ask(world, 5, &request);
    cr_assert(message->type == MESSAGE_BOOK && message->book.ref == 9);
    cr_assert(message->book.offer_count == 1 && message->book.offers[0].qty == 5 &&
              message->book.offers[0].orders == 2 && message->book.bid_count == 0);
    cr_assert(message->book.best_offer_e4 == READS_WORLD_PRICE_E4 + 7 &&
              message->book.best_offer_qty == 5);
    cr_assert(message->book.best_bid_e4 == READS_WORLD_PRICE_E4 - 3 &&
              message->book.best_bid_qty == 4);
    cr_assert(message->book.reference_e4 == READS_WORLD_PRICE_E4 && message->book.last_px_e4 == 0);
    cr_assert(message->book.seq == replica_seq(&world->replica));

    reads_world_order(world, 3, TIER_G50, READS_WORLD_PRICE_E4 + 7, 1);
    reads_world_begin(world, 1, COMMAND_HALT);
    reads_world_end(world);
    message = reads_world_ask(world, 5, &request);
    cr_assert(message->book.last_px_e4 == READS_WORLD_PRICE_E4 + 7 && message->book.last_qty == 1);
    cr_assert(message->book.halted == 1);
    /* 1,024 hours later: the last trade is not that hour's. */
    reads_world_put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20270101T21Z");
    message = reads_world_ask(world, 5, &request);
    cr_assert(message->book.reference_e4 == READS_WORLD_PRICE_E4 && message->book.last_px_e4 == 0);
    reads_world_put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-XX.G50.20261120T05Z");
    reads_world_expect_reject(reads_world_ask(world, 5, &request), REASON_UNKNOWN_SYMBOL);
    reads_world_free(world);
}

static void set_market(struct reads_world *world, uint8_t mode, uint8_t flags, uint32_t opening_s)
{
    struct command *command = reads_world_begin(world, 1, COMMAND_SET_MARKET);
    command->set_market =
        (struct command_set_market){.launch_price_e4 = {READS_WORLD_PRICE_E4, READS_WORLD_PRICE_E4,
                                                        READS_WORLD_PRICE_E4, READS_WORLD_PRICE_E4},
                                    .inner_band_bp = 1000,
                                    .outer_band_bp = 2000,
                                    .mode = mode,
                                    .flags = flags,
                                    .opening_s = opening_s};
    reads_world_end(world);
}

static const struct book_answer *ask_book(struct reads_world *world)
{
    struct request request = {.type = REQUEST_BOOK, .ref = 9};
    reads_world_put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20261120T05Z");
    return &reads_world_ask(world, 5, &request)->book;
}

Test(reads, the_book_of_a_listing_market_names_offers_to_take)
{
    struct reads_world *world = reads_world_new();
    set_market(world, MODE_LISTING, MARKET_NAMES_SHOWN, 0);
    uint64_t dear = reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4 + 9, 3);
    uint64_t cheap = reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4 + 7, 5);
    const struct book_answer *book = ask_book(world);
    cr_assert_eq(book->listed_count, 2);
    cr_assert(book->listed[0].order_id == cheap && book->listed[1].order_id == dear);
    cr_assert(book->listed[0].price_e4 == READS_WORLD_PRICE_E4 + 7 && book->listed[0].qty == 5);
    cr_assert_neq(book->listed[0].name[0], 0);
    struct command *command = reads_world_begin(world, 3, COMMAND_TAKE_OFFER);
    command->take_offer.order_id = cheap;
    command->take_offer.qty = 2;
    reads_world_end(world);
    set_market(world, MODE_LISTING, 0, 0);
    book = ask_book(world);
    cr_assert_eq(book->listed[0].qty, 3);
    cr_assert(book->listed[0].name[0] == 0 && book->listed[0].node[0] == 0 &&
                  book->listed[0].resource == 0,
              "names are not shown");
    set_market(world, MODE_CONTINUOUS, 0, 0);
    cr_assert_eq(ask_book(world)->listed_count, 0);
    reads_world_free(world);
}

static uint64_t enter_set(struct reads_world *world, uint32_t legs, int64_t qty)
{
    struct command *command = reads_world_begin(world, 3, COMMAND_NEW_SET);
    command->head.slots = 2;
    command->new_set.qty = qty;
    command->new_set.leg_count = (uint8_t)legs;
    for (uint32_t i = 0; i < legs; i++) {
        world->slots[1].legs[i] =
            (struct set_leg){.contract = contract_pack(0, 0, TIER_G0, READS_WORLD_HOUR + i),
                             .price_e4 = (uint32_t)READS_WORLD_PRICE_E4};
    }
    reads_world_end(world);
    const struct message *answer = reads_world_ask_status(world, 3, 0, world->cl_ord_ids[3]);
    cr_assert_eq(answer->order_status.order_count, 1);
    return answer->order_status.orders[0].order_id;
}

static void expect_legs(struct reads_world *world, uint64_t set, const uint8_t states[3],
                        uint32_t open_qty)
{
    const struct message *answer = reads_world_ask_status(world, 3, set, 0);
    const struct order_row *row = &answer->order_status.orders[0];
    cr_assert_eq(row->leg_rows, 3);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(row->legs[i].state, states[i], "leg %u", i + 1);
        cr_assert_eq(row->legs[i].open_qty, states[i] == LEG_LIVE ? open_qty : 0, "leg %u", i + 1);
    }
}

Test(reads, order_status_of_a_set_says_which_legs_live_sleep_or_have_ended)
{
    struct reads_world *world = reads_world_new();
    uint64_t set = enter_set(world, 3, 10);
    expect_legs(world, set, (const uint8_t[]){LEG_LIVE, LEG_LIVE, LEG_LIVE}, 10);
    struct command *command = reads_world_begin(world, 3, COMMAND_MASS_CANCEL);
    command->mass_cancel.filter = MASS_CANCEL_HOURS;
    command->mass_cancel.hour_from = READS_WORLD_HOUR + 1;
    command->mass_cancel.hour_to = READS_WORLD_HOUR + 2;
    reads_world_end(world);
    expect_legs(world, set, (const uint8_t[]){LEG_LIVE, LEG_ENDED, LEG_LIVE}, 10);
    set_market(world, MODE_CONTINUOUS, 0, 600);
    reads_world_order(world, 5, TIER_G0, READS_WORLD_PRICE_E4 - 5, 4);
    expect_legs(world, set, (const uint8_t[]){LEG_ASLEEP, LEG_ENDED, LEG_LIVE}, 10);
    command = reads_world_begin(world, 3, COMMAND_REPLACE_ORDER);
    command->replace_order.order_id = set;
    command->replace_order.qty = 6;
    reads_world_end(world);
    expect_legs(world, set, (const uint8_t[]){LEG_ASLEEP, LEG_ENDED, LEG_LIVE}, 6);
    reads_world_cancel(world, 3, set);
    expect_legs(world, set, (const uint8_t[]){LEG_ENDED, LEG_ENDED, LEG_ENDED}, 0);
    reads_world_free(world);
}

static const struct message *ask_behind(struct reads_world *world, uint64_t order_id)
{
    struct request request = {.type = REQUEST_BOOK, .ref = 9, .book.after_order_id = order_id};
    reads_world_put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20261120T05Z");
    return reads_world_ask(world, 5, &request);
}

Test(reads, every_listed_offer_can_be_read_page_by_page)
{
    enum { OFFERS = 2 * CODEC_LISTED_MAX + 5 };
    struct reads_world *world = reads_world_new();
    set_market(world, MODE_LISTING, MARKET_NAMES_SHOWN, 0);
    uint64_t offers[OFFERS];
    for (int i = 0; i < OFFERS; i++) {
        offers[i] = reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4 + i / 3, 1);
    }
    uint64_t other = reads_world_order(world, 2, TIER_G80, READS_WORLD_PRICE_E4, 1);
    uint32_t seen = 0;
    const struct book_answer *book = ask_book(world);
    for (bool more = true; more; book = &ask_behind(world, offers[seen - 1])->book) {
        for (uint32_t i = 0; i < book->listed_count; i++) {
            cr_assert_lt(seen, OFFERS);
            cr_assert_eq(book->listed[i].order_id, offers[seen], "offer %u", seen);
            cr_assert_eq(book->listed[i].resource, 1);
            cr_assert_str_eq(book->listed[i].node, "guizhou");
            seen++;
        }
        more = book->more;
        cr_assert_eq(more, seen < OFFERS);
    }
    cr_assert_eq(seen, OFFERS);
    reads_world_expect_reject(ask_behind(world, other), REASON_NOT_FOUND);
    reads_world_expect_reject(ask_behind(world, offers[0] + 1000), REASON_NOT_FOUND);
    reads_world_cancel(world, 2, offers[5]);
    reads_world_expect_reject(ask_behind(world, offers[5]), REASON_NOT_FOUND);
    cr_assert_eq(ask_behind(world, offers[4])->book.listed[0].order_id, offers[6]);
    reads_world_free(world);
}

/* A market may become one of listings with offers in it that are reserved. */
Test(reads, reserved_offers_are_no_place_to_read_listed_offers_behind)
{
    struct reads_world *world = reads_world_new();
    set_market(world, MODE_CONTINUOUS, 0, 0);
    for (int i = 0; i < 2; i++) {
        struct command *command = reads_world_begin(world, 2, COMMAND_NEW_ORDER);
        command->new_order =
            (struct command_new_order){.contract = contract_pack(0, 0, TIER_G50, READS_WORLD_HOUR),
                                       .price_e4 = READS_WORLD_PRICE_E4 + i,
                                       .qty = 1,
                                       .resource = 1,
                                       .side = SIDE_SELL,
                                       .job_lead_hours = 1};
        reads_world_end(world);
    }
    struct engine_order order;
    uint64_t newest = 0;
    uint64_t oldest = 0;
    cr_assert(engine_account_order(world->replica.engine, 2, &newest, &order) && order.reserved);
    oldest = newest;
    cr_assert(engine_account_order(world->replica.engine, 2, &oldest, &order) && order.reserved);
    set_market(world, MODE_LISTING, MARKET_NAMES_SHOWN, 0);
    reads_world_expect_reject(ask_behind(world, oldest), REASON_NOT_FOUND);
    reads_world_expect_reject(ask_behind(world, newest), REASON_NOT_FOUND);
    reads_world_free(world);
}

Test(reads, the_book_tells_of_an_auction)
{
    struct reads_world *world = reads_world_new();
    set_market(world, MODE_CONTINUOUS, 0, 600);
    const struct book_answer *book = ask_book(world);
    cr_assert_eq(book->auction.phase, PHASE_PRE_OPEN);
    reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4, 5);
    book = ask_book(world);
    cr_assert_eq(book->auction.phase, PHASE_OPENING);
    cr_assert_eq(book->auction.indicative_qty, 0);
    int64_t end_ns = book->auction.end_ns;
    reads_world_order(world, 3, TIER_G50, READS_WORLD_PRICE_E4 + 5, 4);
    book = ask_book(world);
    cr_assert_eq(book->auction.end_ns, end_ns);
    cr_assert_eq(book->auction.indicative_qty, 4);
    cr_assert_eq(book->auction.indicative_e4, READS_WORLD_PRICE_E4);
    cr_assert(book->best_bid_e4 > book->best_offer_e4, "they stand crossed until it is cleared");
    world->time_ns = end_ns;
    reads_world_begin(world, 0, COMMAND_TICK);
    reads_world_end(world);
    book = ask_book(world);
    cr_assert(book->auction.phase == PHASE_CONTINUOUS && book->auction.end_ns == 0);
    cr_assert(book->last_px_e4 == READS_WORLD_PRICE_E4 && book->last_qty == 4);
    cr_assert_eq(book->best_bid_e4, 0);
    reads_world_free(world);
}

Test(reads, an_account_is_shown_to_itself_and_operators_only)
{
    struct reads_world *world = reads_world_new();
    reads_world_order(world, 2, TIER_G50, READS_WORLD_PRICE_E4, 5);
    reads_world_order(world, 3, TIER_G0, READS_WORLD_PRICE_E4, 5);
    struct request request = {.type = REQUEST_ACCOUNT};
    const struct message *message = reads_world_ask(world, 4, &request);
    struct engine_account state;
    cr_assert(engine_account(world->replica.engine, 3, &state));
    cr_assert(message->type == MESSAGE_ACCOUNT && message->account.account == 3);
    cr_assert(message->account.cash_e4 == state.cash_e4 &&
              message->account.available_e4 == state.available_e4);
    cr_assert(strcmp(message->account.name, "buyer") == 0);
    cr_assert(message->account.holding_count == 1 && message->account.holdings[0].qty == 5 &&
              message->account.holdings[0].hour == READS_WORLD_HOUR &&
              message->account.holdings[0].tier == TIER_G0);
    request.account.account = 3;
    cr_assert(reads_world_ask(world, 1, &request)->type == MESSAGE_ACCOUNT);
    reads_world_expect_reject(reads_world_ask(world, 5, &request), REASON_NOT_FOUND);
    request.account.account = 99;
    reads_world_expect_reject(reads_world_ask(world, 1, &request), REASON_NOT_FOUND);
    reads_world_free(world);
}

static const struct message *ask_list(struct reads_world *world, uint32_t key, uint8_t what,
                                      uint32_t after)
{
    struct request request = {.type = REQUEST_LIST};
    request.list.what = what;
    request.list.after = after;
    return reads_world_ask(world, key, &request);
}

Test(reads, lists_name_what_is_registered_and_hide_what_is_an_operators)
{
    struct reads_world *world = reads_world_new();
    const struct list_answer *list = &ask_list(world, 3, LIST_CLASSES, 0)->list;
    cr_assert(list->count == 1 && list->classes[0].id == 1 &&
              strcmp(list->classes[0].name, "H100") == 0);
    list = &ask_list(world, 3, LIST_REGIONS, 0)->list;
    cr_assert(list->count == 1 && strcmp(list->regions[0].name, "CN-GZ") == 0);
    list = &ask_list(world, 3, LIST_MARKETS, 0)->list;
    cr_assert(list->count == 1 && list->markets[0].mode == MODE_CONTINUOUS &&
              strcmp(list->markets[0].region, "CN-GZ") == 0);
    list = &ask_list(world, 3, LIST_RESOURCES, 0)->list;
    cr_assert(list->count == 1 && strcmp(list->resources[0].identifier, "resource-1") == 0);
    cr_assert(ask_list(world, 3, LIST_RESOURCES, 1)->list.count == 0);
    list = &ask_list(world, 1, LIST_ACCOUNTS, 1)->list;
    cr_assert(list->count == 3 && list->accounts[1].id == 3 &&
              strcmp(list->accounts[1].name, "buyer") == 0);
    list = &ask_list(world, 1, LIST_KEYS, 0)->list;
    cr_assert(list->count == 5 && list->keys[4].account == 4 && list->keys[4].public_key[0] == 5);
    reads_world_expect_reject(ask_list(world, 3, LIST_KEYS, 0), REASON_ROLE_NOT_ALLOWED);
    reads_world_expect_reject(ask_list(world, 3, LIST_ACCOUNTS, 0), REASON_ROLE_NOT_ALLOWED);
    reads_world_expect_reject(ask_list(world, 3, LIST_GATEWAYS, 0), REASON_UNKNOWN_NAME);

    for (int i = 0; i < 100; i++) {
        char name[LABEL_SIZE];
        snprintf(name, sizeof(name), "extra-%d", i);
        struct command *command = reads_world_begin(world, 1, COMMAND_REGISTER_GROUP);
        reads_world_put_text(command->register_group.name, LABEL_SIZE, name);
        reads_world_end(world);
    }
    list = &ask_list(world, 1, LIST_GROUPS, 0)->list;
    cr_assert(list->count == CODEC_ROWS_MAX && list->more == 1);
    list = &ask_list(world, 1, LIST_GROUPS, CODEC_ROWS_MAX)->list;
    cr_assert(list->count == 104 - CODEC_ROWS_MAX && list->more == 0 &&
              list->groups[0].id == CODEC_ROWS_MAX + 1);
    reads_world_free(world);
}

/* --- the whole ------------------------------------------------------------------------------ */

Test(reads, a_replica_made_again_has_the_same_tape_and_the_same_answers)
{
    struct reads_world *world = reads_world_new();
    uint64_t ids[64] = {0};
    uint64_t first_seq = replica_seq(&world->replica) + 1;
    union command_slot *kept = calloc(400, sizeof(*kept));
    CHECK(kept);
    struct reads_world *again = reads_world_new();
    cr_assert(replica_seq(&again->replica) + 1 == first_seq);
    for (int i = 0; i < 400; i++) {
        random_step(world, ids);
        kept[i] = world->slots[0];
    }
    for (int i = 0; i < 400; i++) {
        again->slots[0] = kept[i];
        reads_world_end(again);
    }
    cr_assert(engine_state_hash(world->replica.engine) == engine_state_hash(again->replica.engine));
    cr_assert(tape_store_count(world->replica.store) == tape_store_count(again->replica.store));
    for (uint64_t position = 0; position < tape_store_count(world->replica.store); position++) {
        struct event event;
        struct event same;
        cr_assert(reads_orders_event(&world->replica, position, &event, &world->error) == 0);
        cr_assert(reads_orders_event(&again->replica, position, &same, &world->error) == 0);
        cr_assert(memcmp(&event, &same, sizeof(event)) == 0);
    }
    for (int i = 0; i < 64; i++) {
        if (ids[i] != 0) {
            struct order_row row =
                reads_world_ask_status(world, 1, ids[i], 0)->order_status.orders[0];
            struct order_row same =
                reads_world_ask_status(again, 1, ids[i], 0)->order_status.orders[0];
            cr_assert(row.leaves_qty == same.leaves_qty && row.seq == same.seq);
        }
    }
    free(kept);
    reads_world_free(world);
    reads_world_free(again);
}
