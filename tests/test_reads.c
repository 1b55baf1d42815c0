#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "exchange/reads.h"
#include "exchange/reads_orders.h"
#include "exchange/reads_server.h"
#include "wire/read.h"
#include "wire/report.h"
#include "wire/tape.h"

#define START_NS    (INT64_C(1795132800) * NS_PER_SECOND) /* 2026-11-20T00:00Z */
#define HOUR        (uint32_t)(START_NS / NS_PER_HOUR + 5)
#define PRICE_E4    INT64_C(100000)
#define KEY_COUNT   5
#define DEADLINE_NS INT64_C(20000000000)

/* A small market behind a replica: key 1 the operator's, 2 a provider's, 3 and 4 of one buyer's
 * account (3), 5 another buyer's (account 4). */
struct world {
    char folder[64];
    struct replica replica;
    struct random random;
    struct error error;
    struct message message; /* the last answer */
    int64_t time_ns;
    uint64_t cl_ord_ids[KEY_COUNT + 1];
    union command_slot slots[2];
};

static struct command *begin(struct world *world, uint32_t key, uint8_t type)
{
    memset(world->slots, 0, sizeof(world->slots));
    struct command *command = &world->slots[0].command;
    command->head = (struct command_head){.seq = replica_seq(&world->replica) + 1,
                                          .time_ns = world->time_ns += 1000000,
                                          .key = key,
                                          .link = 1,
                                          .type = type,
                                          .slots = 1};
    if (key != 0 && type != COMMAND_LOGIN) {
        command->head.session = 1;
        command->head.cl_ord_id = ++world->cl_ord_ids[key];
    }
    return command;
}

static void end(struct world *world)
{
    cr_assert(replica_apply(&world->replica, world->slots, world->slots[0].command.head.slots,
                            &world->error) == 0,
              "%s", world->error.text);
}

static void put_text(char *to, size_t size, const char *text)
{
    CHECK(strlen(text) < size);
    memcpy(to, text, strlen(text));
}

static void log_in(struct world *world, uint32_t key)
{
    begin(world, key, COMMAND_LOGIN);
    end(world);
}

static void open_account(struct world *world, const char *name, uint8_t roles)
{
    struct command *command = begin(world, 1, COMMAND_REGISTER_GROUP);
    put_text(command->register_group.name, LABEL_SIZE, name);
    end(world);
    uint32_t account = engine_account_count(world->replica.engine) + 1;
    command = begin(world, 1, COMMAND_OPEN_ACCOUNT);
    put_text(command->open_account.name, LABEL_SIZE, name);
    command->open_account.group = account;
    command->open_account.roles = roles;
    end(world);
    command = begin(world, 1, COMMAND_DEPOSIT);
    command->cash.account = account;
    command->cash.amount_e4 = INT64_C(1000000000000);
    end(world);
}

static void add_key(struct world *world, uint32_t account, uint8_t roles)
{
    uint32_t key = engine_key_count(world->replica.engine) + 1;
    struct command *command = begin(world, 1, COMMAND_REGISTER_KEY);
    command->register_key.public_key[0] = (uint8_t)key;
    command->register_key.account = account;
    command->register_key.roles = roles;
    end(world);
    log_in(world, key);
}

static void open_lane(struct world *world)
{
    struct command *command = begin(world, 1, COMMAND_REGISTER_CLASS);
    put_text(command->register_class.name, NAME_SIZE, "H100");
    command->register_class.lot = 1;
    end(world);
    command = begin(world, 1, COMMAND_REGISTER_REGION);
    put_text(command->register_region.name, NAME_SIZE, "CN-GZ");
    end(world);
    command = begin(world, 1, COMMAND_SET_MARKET);
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        command->set_market.launch_price_e4[tier] = PRICE_E4;
    }
    command->set_market.inner_band_bp = 9000;
    command->set_market.outer_band_bp = 9000;
    command->set_market.mode = MODE_CONTINUOUS;
    end(world);
}

static struct world *new_world(void)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world);
    uint64_t seed = (uint64_t)clock_realtime_ns();
    cr_log_info("seed %lu", seed);
    random_seed(&world->random, seed);
    world->time_ns = START_NS;
    snprintf(world->folder, sizeof(world->folder), "/tmp/kashi-reads-XXXXXX");
    CHECK(mkdtemp(world->folder));
    struct engine_config tables;
    engine_config_default(&tables);
    cr_assert(replica_open(&world->replica, world->folder, &tables, NULL, NULL, &world->error) == 0,
              "%s", world->error.text);
    struct command *command = begin(world, 0, COMMAND_GENESIS);
    command->genesis = (struct command_genesis){.rules_version = 1,
                                                .horizon_hours = 840,
                                                .gate_lead_s = 600,
                                                .bond_bp = 4000,
                                                .sweep_slice = 256,
                                                .rate_limit = 1000000,
                                                .open_orders_limit = 10000,
                                                .order_qty_limit = 100000,
                                                .operator_key = {1}};
    end(world);
    command = begin(world, 0, COMMAND_LINK_UP);
    put_text(command->link.name, LINK_NAME_SIZE, "test");
    end(world);
    log_in(world, 1);
    open_lane(world);
    open_account(world, "provider", ROLE_PROVIDER);
    open_account(world, "buyer", ROLE_BUYER);
    open_account(world, "other", ROLE_BUYER);
    add_key(world, 2, ROLE_PROVIDER);
    add_key(world, 3, ROLE_BUYER);
    add_key(world, 3, ROLE_BUYER);
    add_key(world, 4, ROLE_BUYER);
    command = begin(world, 1, COMMAND_REGISTER_RESOURCE);
    command->head.slots = 2;
    command->register_resource.account = 2;
    command->register_resource.gpus = 1000000;
    command->register_resource.tier = TIER_G100;
    put_text(world->slots[1].identity.identifier, IDENTIFIER_SIZE, "resource-1");
    end(world);
    return world;
}

static void free_world(struct world *world)
{
    replica_close(&world->replica);
    char path[TAPE_PATH_SIZE];
    CHECK(tape_segment_path(world->folder, 1, path, &world->error) == 0);
    unlink(path);
    rmdir(world->folder);
    free(world);
}

/* The order's id, 0 when it was refused. */
static uint64_t last_order(const struct world *world, uint32_t key)
{
    uint64_t position;
    struct event event;
    uint32_t got;
    struct error error;
    cr_assert(status_request(world->replica.status, key, world->cl_ord_ids[key], &position) ==
              STATUS_REQUEST_FOUND);
    cr_assert(tape_store_read(world->replica.store, position, 1, &event, &got, &error) == 0);
    return event.head.type == EVENT_NEW ? event.new_order.order_id : 0;
}

static uint64_t order(struct world *world, uint32_t key, uint8_t tier, int64_t price_e4,
                      int64_t qty)
{
    struct command *command = begin(world, key, COMMAND_NEW_ORDER);
    command->new_order.contract = contract_pack(0, 0, tier, HOUR);
    command->new_order.price_e4 = price_e4;
    command->new_order.qty = qty;
    command->new_order.side = key == 2 ? SIDE_SELL : SIDE_BUY;
    command->new_order.resource = key == 2 ? 1 : 0;
    end(world);
    return last_order(world, key);
}

static void cancel(struct world *world, uint32_t key, uint64_t order_id)
{
    struct command *command = begin(world, key, COMMAND_CANCEL_ORDER);
    command->cancel_order.order_id = order_id;
    end(world);
}

static const struct message *ask(struct world *world, uint32_t key, const struct request *request)
{
    struct engine_key state;
    CHECK(engine_key(world->replica.engine, key, &state));
    struct reads_asker asker = {.key = key, .account = state.account, .roles = state.roles};
    memset(&world->message, 0xa5, sizeof(world->message));
    cr_assert(reads_answer(&world->replica, &asker, request, &world->message, &world->error) == 0,
              "%s", world->error.text);
    uint8_t bytes[CODEC_MESSAGE_MAX];
    cr_assert(codec_encode_message(&world->message, bytes, sizeof(bytes)) > 0);
    return &world->message;
}

static const struct message *ask_status(struct world *world, uint32_t key, uint64_t order_id,
                                        uint64_t cl_ord_id)
{
    struct request request = {.type = REQUEST_ORDER_STATUS, .ref = 77};
    request.order_status.order_id = order_id;
    request.order_status.cl_ord_id = cl_ord_id;
    return ask(world, key, &request);
}

static void expect_reject(const struct message *message, uint16_t reason)
{
    cr_assert(message->type == MESSAGE_REJECT && message->reject.reason == reason,
              "type %u, reason %s", message->type,
              message->type == MESSAGE_REJECT ? reason_name(message->reject.reason) : "none");
}

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
    struct world *world = new_world();
    uint64_t offer = order(world, 2, TIER_G50, PRICE_E4, 10);
    expect_row(ask_status(world, 2, offer, 0), STATUS_NEW, 10, 0);
    cr_assert(strcmp(world->message.order_status.orders[0].symbol, "H100.CN-GZ.G50.20261120T05Z") ==
              0);
    uint64_t bid = order(world, 3, TIER_G0, PRICE_E4 + 5, 4);
    expect_row(ask_status(world, 2, offer, 0), STATUS_PARTIALLY_FILLED, 6, 4);
    expect_row(ask_status(world, 3, bid, 0), STATUS_FILLED, 0, 4);
    cr_assert(world->message.order_status.orders[0].notional_e4 == 4 * PRICE_E4);
    cr_assert(world->message.order_status.orders[0].price_e4 == PRICE_E4 + 5);
    cancel(world, 2, offer);
    expect_row(ask_status(world, 2, offer, 0), STATUS_CANCELED, 0, 4);
    cr_assert(world->message.order_status.orders[0].reason == REASON_REQUESTED);
    uint64_t late = order(world, 2, TIER_G50, PRICE_E4, 10);
    world->time_ns = (int64_t)HOUR * NS_PER_HOUR;
    begin(world, 0, COMMAND_TICK);
    end(world);
    expect_row(ask_status(world, 2, late, 0), STATUS_EXPIRED, 0, 0);
    cr_assert(world->message.order_status.orders[0].reason == REASON_GATE_CLOSED);
    free_world(world);
}

Test(reads, order_status_shows_an_order_to_its_account_and_operators_only)
{
    struct world *world = new_world();
    uint64_t bid = order(world, 3, TIER_G0, PRICE_E4, 4);
    expect_row(ask_status(world, 4, bid, 0), STATUS_NEW, 4, 0);
    expect_row(ask_status(world, 1, bid, 0), STATUS_NEW, 4, 0);
    expect_reject(ask_status(world, 5, bid, 0), REASON_NOT_FOUND);
    expect_reject(ask_status(world, 3, bid + 12345, 0), REASON_NOT_FOUND);
    cr_assert(world->message.reject.ref == 77);
    free_world(world);
}

Test(reads, order_status_tells_what_became_of_every_number)
{
    struct world *world = new_world();
    uint64_t bid = order(world, 3, TIER_G0, PRICE_E4, 4);
    uint64_t entered = world->cl_ord_ids[3];
    cr_assert(order(world, 3, TIER_G0, 0, 4) == 0);
    uint64_t refused = world->cl_ord_ids[3];
    world->cl_ord_ids[3] += 10;
    struct command *command = begin(world, 3, COMMAND_REPLACE_ORDER);
    command->replace_order.order_id = bid;
    command->replace_order.price_e4 = PRICE_E4 + 1;
    command->replace_order.qty = 6;
    end(world);
    uint64_t replaced = world->cl_ord_ids[3];
    cancel(world, 3, bid);
    uint64_t canceled = world->cl_ord_ids[3];

    expect_row(ask_status(world, 3, 0, entered), STATUS_CANCELED, 0, 0);
    cr_assert(world->message.order_status.request == REQUEST_NEW_ORDER);
    cr_assert(world->message.order_status.orders[0].order_qty == 6);
    expect_row(ask_status(world, 3, 0, replaced), STATUS_CANCELED, 0, 0);
    cr_assert(world->message.order_status.request == REQUEST_REPLACE_ORDER);
    expect_row(ask_status(world, 3, 0, canceled), STATUS_CANCELED, 0, 0);
    cr_assert(world->message.order_status.request == REQUEST_CANCEL_ORDER);
    cr_assert(ask_status(world, 3, 0, refused)->type == MESSAGE_ORDER_STATUS);
    cr_assert(world->message.order_status.reason == REASON_PRICE_OUT_OF_RANGE &&
              world->message.order_status.order_count == 0);
    cr_assert(ask_status(world, 3, 0, refused + 1)->type == MESSAGE_ORDER_STATUS);
    cr_assert(world->message.order_status.reason == REASON_NEVER_ENTERED);
    expect_reject(ask_status(world, 3, 0, canceled + 1), REASON_NOT_FOUND);
    /* Numbers are a key's own. */
    expect_reject(ask_status(world, 4, 0, entered), REASON_NOT_FOUND);
    free_world(world);
}

/* --- lists of orders, fills, reports -------------------------------------------------------- */

Test(reads, open_orders_come_oldest_first_each_once)
{
    struct world *world = new_world();
    uint64_t ids[300];
    uint32_t count = 0;
    for (int i = 0; i < 300; i++) {
        /* Two keys of the account take turns at random. */
        uint32_t key = 3 + (uint32_t)random_below(&world->random, 2);
        ids[count++] = order(world, key, TIER_G0, PRICE_E4 - i, 1);
    }
    for (int i = 0; i < 100; i++) {
        uint32_t out = (uint32_t)random_below(&world->random, count);
        cancel(world, 3, ids[out]);
        memmove(&ids[out], &ids[out + 1], (--count - out) * sizeof(ids[0]));
    }
    struct request request = {.type = REQUEST_ORDERS};
    uint32_t seen = 0;
    bool more = true;
    while (more) {
        const struct message *message = ask(world, 4, &request);
        cr_assert(message->type == MESSAGE_ORDERS && message->orders.order_count > 0);
        for (uint32_t i = 0; i < message->orders.order_count; i++) {
            cr_assert(message->orders.orders[i].order_id == ids[seen]);
            seen++;
        }
        more = message->orders.more;
        request.orders.after_order_id = ids[seen - 1];
    }
    cr_assert(seen == count);
    free_world(world);
}

Test(reads, fills_come_oldest_first_each_once)
{
    struct world *world = new_world();
    for (int i = 0; i < 200; i++) {
        order(world, 2, TIER_G50, PRICE_E4, 2);
        order(world, i % 3 == 0 ? 5 : 3, TIER_G50, PRICE_E4, 2);
    }
    struct request request = {.type = REQUEST_TRADES};
    uint32_t seen = 0;
    bool more = true;
    while (more) {
        const struct message *message = ask(world, 3, &request);
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
    free_world(world);
}

Test(reads, reports_come_again_as_the_events_say)
{
    struct world *world = new_world();
    for (int i = 0; i < 150; i++) {
        uint64_t bid = order(world, 3, TIER_G0, PRICE_E4, 3);
        order(world, 2, TIER_G0, PRICE_E4, 1);
        cancel(world, 3, bid);
    }
    struct request request = {.type = REQUEST_REPORTS};
    request.reports.from_report_seq = 7;
    uint64_t expected = 7;
    bool more = true;
    while (more) {
        const struct message *message = ask(world, 3, &request);
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
    free_world(world);
}

/* --- book, account, lists ------------------------------------------------------------------- */

/* Depth from the events against the orders that the engine holds. */
static void compare_depth(struct world *world)
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
        uint64_t contract = contract_pack(0, 0, tier, HOUR);
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

static void random_step(struct world *world, uint64_t ids[64])
{
    uint32_t key = 2 + (uint32_t)random_below(&world->random, 4);
    uint32_t place = (uint32_t)random_below(&world->random, 64);
    uint64_t what = random_below(&world->random, 10);
    if (what < 2 && ids[place] != 0) {
        cancel(world, key, ids[place]);
    } else if (what < 4 && ids[place] != 0) {
        struct command *command = begin(world, key, COMMAND_REPLACE_ORDER);
        command->replace_order.order_id = ids[place];
        command->replace_order.price_e4 = PRICE_E4 + random_between(&world->random, -9, 9);
        command->replace_order.qty = random_between(&world->random, 1, 20);
        end(world);
    } else {
        ids[place] = order(world, key, (uint8_t)random_below(&world->random, TIER_COUNT),
                           PRICE_E4 + random_between(&world->random, -9, 9),
                           random_between(&world->random, 1, 20));
    }
}

Test(reads, depth_from_events_is_that_of_the_engines_orders)
{
    struct world *world = new_world();
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
    free_world(world);
}

Test(reads, the_book_has_depth_of_its_tier_and_best_prices_of_the_ladder)
{
    struct world *world = new_world();
    order(world, 2, TIER_G80, PRICE_E4 + 7, 5);
    order(world, 2, TIER_G50, PRICE_E4 + 9, 3);
    order(world, 2, TIER_G50, PRICE_E4 + 9, 2);
    order(world, 3, TIER_G0, PRICE_E4 - 3, 4);
    struct request request = {.type = REQUEST_BOOK, .ref = 9};
    put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20261120T05Z");
    const struct message *message = ask(world, 5, &request);
    cr_assert(message->type == MESSAGE_BOOK && message->book.ref == 9);
    cr_assert(message->book.offer_count == 1 && message->book.offers[0].qty == 5 &&
              message->book.offers[0].orders == 2 && message->book.bid_count == 0);
    cr_assert(message->book.best_offer_e4 == PRICE_E4 + 7 && message->book.best_offer_qty == 5);
    cr_assert(message->book.best_bid_e4 == PRICE_E4 - 3 && message->book.best_bid_qty == 4);
    cr_assert(message->book.reference_e4 == PRICE_E4 && message->book.last_px_e4 == 0);
    cr_assert(message->book.seq == replica_seq(&world->replica));

    order(world, 3, TIER_G50, PRICE_E4 + 7, 1);
    begin(world, 1, COMMAND_HALT);
    end(world);
    message = ask(world, 5, &request);
    cr_assert(message->book.last_px_e4 == PRICE_E4 + 7 && message->book.last_qty == 1);
    cr_assert(message->book.halted == 1);
    /* 1,024 hours later: the last trade is not that hour's. */
    put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20270101T21Z");
    message = ask(world, 5, &request);
    cr_assert(message->book.reference_e4 == PRICE_E4 && message->book.last_px_e4 == 0);
    put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-XX.G50.20261120T05Z");
    expect_reject(ask(world, 5, &request), REASON_UNKNOWN_SYMBOL);
    free_world(world);
}

Test(reads, an_account_is_shown_to_itself_and_operators_only)
{
    struct world *world = new_world();
    order(world, 2, TIER_G50, PRICE_E4, 5);
    order(world, 3, TIER_G0, PRICE_E4, 5);
    struct request request = {.type = REQUEST_ACCOUNT};
    const struct message *message = ask(world, 4, &request);
    struct engine_account state;
    cr_assert(engine_account(world->replica.engine, 3, &state));
    cr_assert(message->type == MESSAGE_ACCOUNT && message->account.account == 3);
    cr_assert(message->account.cash_e4 == state.cash_e4 &&
              message->account.available_e4 == state.available_e4);
    cr_assert(strcmp(message->account.name, "buyer") == 0);
    cr_assert(message->account.holding_count == 1 && message->account.holdings[0].qty == 5 &&
              message->account.holdings[0].hour == HOUR &&
              message->account.holdings[0].tier == TIER_G0);
    request.account.account = 3;
    cr_assert(ask(world, 1, &request)->type == MESSAGE_ACCOUNT);
    expect_reject(ask(world, 5, &request), REASON_NOT_FOUND);
    request.account.account = 99;
    expect_reject(ask(world, 1, &request), REASON_NOT_FOUND);
    free_world(world);
}

static const struct message *ask_list(struct world *world, uint32_t key, uint8_t what,
                                      uint32_t after)
{
    struct request request = {.type = REQUEST_LIST};
    request.list.what = what;
    request.list.after = after;
    return ask(world, key, &request);
}

Test(reads, lists_name_what_is_registered_and_hide_what_is_an_operators)
{
    struct world *world = new_world();
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
    expect_reject(ask_list(world, 3, LIST_KEYS, 0), REASON_ROLE_NOT_ALLOWED);
    expect_reject(ask_list(world, 3, LIST_ACCOUNTS, 0), REASON_ROLE_NOT_ALLOWED);
    expect_reject(ask_list(world, 3, LIST_GATEWAYS, 0), REASON_UNKNOWN_NAME);

    for (int i = 0; i < 100; i++) {
        char name[LABEL_SIZE];
        snprintf(name, sizeof(name), "extra-%d", i);
        struct command *command = begin(world, 1, COMMAND_REGISTER_GROUP);
        put_text(command->register_group.name, LABEL_SIZE, name);
        end(world);
    }
    list = &ask_list(world, 1, LIST_GROUPS, 0)->list;
    cr_assert(list->count == CODEC_ROWS_MAX && list->more == 1);
    list = &ask_list(world, 1, LIST_GROUPS, CODEC_ROWS_MAX)->list;
    cr_assert(list->count == 104 - CODEC_ROWS_MAX && list->more == 0 &&
              list->groups[0].id == CODEC_ROWS_MAX + 1);
    free_world(world);
}

/* --- the sockets ---------------------------------------------------------------------------- */

struct service {
    void *context;
    void *gateway;
    void *watcher;
    struct reads_server *server;
    int64_t now_ns;
};

static void *connect_dealer(void *context, const char *endpoint)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int linger_ms = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    CHECK(zmq_connect(socket, endpoint) == 0);
    return socket;
}

static void open_service(struct world *world, struct service *service)
{
    *service = (struct service){.context = zmq_ctx_new()};
    char reads[ENDPOINT_SIZE] = "inproc://reads";
    char snapshot[ENDPOINT_SIZE] = "tcp://127.0.0.1:*";
    cr_assert(reads_server_open(&service->server, service->context, &world->replica, reads,
                                snapshot, &world->error) == 0,
              "%s", world->error.text);
    service->gateway = connect_dealer(service->context, reads);
    service->watcher = connect_dealer(service->context, snapshot);
}

static void close_service(struct service *service)
{
    zmq_close(service->gateway);
    zmq_close(service->watcher);
    reads_server_close(service->server);
    zmq_ctx_term(service->context);
}

static void turn(struct world *world, struct service *service)
{
    bool more;
    int64_t waiting_ns;
    cr_assert(
        reads_server_turn(service->server, service->now_ns, &more, &waiting_ns, &world->error) == 0,
        "%s", world->error.text);
}

static void send_read(struct service *service, uint8_t kind, uint64_t min_seq,
                      const struct request *request)
{
    uint8_t bytes[512];
    size_t length = request ? codec_encode_request(request, bytes, sizeof(bytes)) : 0;
    struct read_head head = {.magic = READ_MAGIC,
                             .version = 1,
                             .kind = kind,
                             .key = 3,
                             .account = 3,
                             .roles = ROLE_BUYER,
                             .min_seq = min_seq,
                             .correlation = 4711};
    CHECK(zmq_send(service->gateway, &head, sizeof(head), ZMQ_SNDMORE) > 0);
    CHECK(zmq_send(service->gateway, bytes, length, 0) == (int)length);
}

/* Turns the server until an answer is there. */
static size_t receive(struct world *world, struct service *service, void *socket,
                      struct read_head *head, void *body, size_t capacity)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    int size = -1;
    while (size < 0 && clock_monotonic_ns() < until_ns) {
        turn(world, service);
        size = head ? zmq_recv(socket, head, sizeof(*head), ZMQ_DONTWAIT)
                    : zmq_recv(socket, body, capacity, ZMQ_DONTWAIT);
    }
    cr_assert(size > 0);
    if (head) {
        cr_assert(size == (int)sizeof(*head) && head->correlation == 4711);
        size = zmq_recv(socket, body, capacity, 0);
        cr_assert(size >= 0);
    }
    return (size_t)size;
}

static void decode(const uint8_t *bytes, size_t length, struct message *message)
{
    struct codec_cursor cursor;
    cr_assert(codec_decode_begin(&cursor, bytes, length) == 0 && cursor.left == 1);
    cr_assert(codec_decode_next(&cursor, message) == 0);
}

Test(reads, a_read_waits_for_its_state_and_lags_when_it_does_not_come)
{
    struct world *world = new_world();
    struct service service;
    open_service(world, &service);
    static uint8_t bytes[CODEC_MESSAGE_MAX];
    struct read_head head;
    struct request request = {.type = REQUEST_ACCOUNT, .ref = 5};
    uint64_t seq = replica_seq(&world->replica);

    send_read(&service, READ_REQUEST, seq + 1, &request);
    for (int i = 0; i < 20; i++) {
        turn(world, &service);
        cr_assert(zmq_recv(service.gateway, &head, sizeof(head), ZMQ_DONTWAIT) < 0);
    }
    begin(world, 0, COMMAND_TICK);
    end(world);
    size_t length = receive(world, &service, service.gateway, &head, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    cr_assert(head.kind == READ_ANSWER && head.seq == seq + 1);
    cr_assert(world->message.type == MESSAGE_ACCOUNT && world->message.account.ref == 5);

    send_read(&service, READ_REQUEST, seq + 100, &request);
    turn(world, &service);
    service.now_ns += READS_WAIT_NS;
    length = receive(world, &service, service.gateway, &head, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    expect_reject(&world->message, REASON_LAGGING);
    cr_assert(world->message.reject.ref == 5);
    close_service(&service);
    free_world(world);
}

Test(reads, a_starting_gateway_gets_the_whole_registry_in_order)
{
    struct world *world = new_world();
    struct service service;
    open_service(world, &service);
    static uint8_t bytes[100 * sizeof(struct event)];
    struct read_head head;
    send_read(&service, READ_TABLES, 0, NULL);
    size_t length = receive(world, &service, service.gateway, &head, bytes, sizeof(bytes));
    cr_assert(head.kind == READ_TABLES_ANSWER && head.seq == replica_seq(&world->replica));
    cr_assert(length > 0 && length % sizeof(struct event) == 0);
    uint64_t counts[64] = {0};
    uint64_t last_seq = 0;
    for (size_t at = 0; at < length; at += sizeof(struct event)) {
        struct event event;
        memcpy(&event, bytes + at, sizeof(event));
        cr_assert(event.head.seq >= last_seq);
        last_seq = event.head.seq;
        counts[event.head.type]++;
    }
    cr_assert(counts[EVENT_CLASS] == 1 && counts[EVENT_REGION] == 1 && counts[EVENT_MARKET] == 1);
    cr_assert(counts[EVENT_GROUP] == 4 && counts[EVENT_ACCOUNT] == 4 && counts[EVENT_KEY] == 5);
    cr_assert(counts[EVENT_RESOURCE] == 1 && counts[EVENT_RESOURCE_IDENTITY] == 1);
    close_service(&service);
    free_world(world);
}

static void ask_anybody(struct service *service, const void *bytes, size_t length)
{
    CHECK(zmq_send(service->watcher, bytes, length, 0) == (int)length);
}

Test(reads, the_snapshot_service_gives_books_to_anybody_and_nothing_else)
{
    struct world *world = new_world();
    order(world, 2, TIER_G50, PRICE_E4, 5);
    struct service service;
    open_service(world, &service);
    static uint8_t bytes[CODEC_MESSAGE_MAX];
    struct request request = {.type = REQUEST_BOOK, .ref = 3};
    put_text(request.book.symbol, SYMBOL_SIZE, "H100.CN-GZ.G50.20261120T05Z");
    ask_anybody(&service, bytes, codec_encode_request(&request, bytes, sizeof(bytes)));
    size_t length = receive(world, &service, service.watcher, NULL, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    cr_assert(world->message.type == MESSAGE_BOOK && world->message.book.offers[0].qty == 5);
    cr_assert(world->message.book.contract_seq == world->message.book.seq);

    request = (struct request){.type = REQUEST_ACCOUNT};
    request.account.account = 1;
    ask_anybody(&service, bytes, codec_encode_request(&request, bytes, sizeof(bytes)));
    length = receive(world, &service, service.watcher, NULL, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    expect_reject(&world->message, REASON_UNKNOWN_TYPE);

    ask_anybody(&service, "\xc1\xff", 2);
    length = receive(world, &service, service.watcher, NULL, bytes, sizeof(bytes));
    decode(bytes, length, &world->message);
    expect_reject(&world->message, REASON_MALFORMED);
    close_service(&service);
    free_world(world);
}

/* --- the whole ------------------------------------------------------------------------------ */

Test(reads, a_replica_made_again_has_the_same_tape_and_the_same_answers)
{
    struct world *world = new_world();
    uint64_t ids[64] = {0};
    uint64_t first_seq = replica_seq(&world->replica) + 1;
    union command_slot *kept = calloc(400, sizeof(*kept));
    CHECK(kept);
    struct world *again = new_world();
    cr_assert(replica_seq(&again->replica) + 1 == first_seq);
    for (int i = 0; i < 400; i++) {
        random_step(world, ids);
        kept[i] = world->slots[0];
    }
    for (int i = 0; i < 400; i++) {
        again->slots[0] = kept[i];
        end(again);
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
            struct order_row row = ask_status(world, 1, ids[i], 0)->order_status.orders[0];
            struct order_row same = ask_status(again, 1, ids[i], 0)->order_status.orders[0];
            cr_assert(row.leaves_qty == same.leaves_qty && row.seq == same.seq);
        }
    }
    free(kept);
    free_world(world);
    free_world(again);
}
