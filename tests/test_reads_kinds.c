/* What is answered about icebergs, reserved offers, ranges, SETs and JOBs: from events written by hand,
 * put on the tape as the replica would. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/reads_world.h"
#include "wire/enter.h"

#define BUYER    3
#define PROVIDER 2
#define HOUR     READS_WORLD_HOUR

static struct reads_world *world;
static struct event events[64];
static uint32_t event_count;
static uint64_t report_seqs[READS_WORLD_KEY_COUNT + 1];

static void begin(void)
{
    world = reads_world_new();
    event_count = 0;
    for (uint32_t key = 1; key <= READS_WORLD_KEY_COUNT; key++) {
        report_seqs[key] = status_report_highest(world->replica.status, key);
    }
}
static void end(void)
{
    reads_world_free(world);
}
TestSuite(reads_kinds, .init = begin, .fini = end);

static struct event *add(uint8_t type)
{
    CHECK(event_count < 64);
    events[event_count] = (struct event){.head = {.type = type, .index = event_count}};
    return &events[event_count++];
}
/* A numbered report of the key; unnumbered with `cl_ord_id` 0. */
static struct event *report_of(uint8_t type, uint32_t key, uint64_t cl_ord_id)
{
    struct event *event = add(type);
    event->party = (struct event_party){.report_seq = cl_ord_id != 0 ? ++report_seqs[key] : 0,
                                        .cl_ord_id = cl_ord_id,
                                        .key = key,
                                        .account = key == PROVIDER ? 2 : 3};
    return event;
}

/* The events so far are those of one command of this key. */
static void go(uint32_t key, uint64_t cl_ord_id)
{
    struct replica *replica = &world->replica;
    const struct command_head head = {.key = key, .cl_ord_id = cl_ord_id};
    uint64_t position = 0;
    events[event_count - 1].head.flags = EVENT_LAST;
    for (uint32_t i = 0; i < event_count; i++) {
        events[i].head.seq = tape_store_seq(replica->store) + 1;
    }
    cr_assert_eq(tape_store_append(replica->store, events, event_count, &position, &world->error),
                 0, "%s", world->error.text);
    cr_assert_eq(tape_store_flush(replica->store, &world->error), 0);
    status_command(replica->status, &head);
    for (uint32_t i = 0; i < event_count; i++) {
        status_apply(replica->status, &events[i], position + i);
        market_data_apply(replica->market_data, &events[i]);
    }
    event_count = 0;
}

static void put_set(uint64_t id, uint64_t cl_ord_id, uint32_t leg_count)
{
    struct event *set = report_of(EVENT_SET, BUYER, cl_ord_id);
    set->set = (struct event_set){.party = set->party,
                                  .order_id = id,
                                  .qty = 64,
                                  .min_qty = 2,
                                  .leg_count = (uint8_t)leg_count,
                                  .stp = STP_DECREMENT};
    for (uint32_t i = 0; i < leg_count; i++) {
        if (i % SET_LEGS_PER_EVENT == 0) {
            add(EVENT_SET_LEGS)->set_legs.order_id = id;
        }
        events[event_count - 1].set_legs.legs[i % SET_LEGS_PER_EVENT] =
            (struct set_leg){.contract = contract_pack(0, 0, TIER_G80, HOUR + i),
                             .price_e4 = 100000 + i,
                             .leg = i + 1};
    }
}

static void put_job(uint64_t id, uint64_t cl_ord_id)
{
    struct event *job = report_of(EVENT_JOB, BUYER, cl_ord_id);
    job->job = (struct event_job){.party = job->party,
                                  .order_id = id,
                                  .price_e4 = 140000,
                                  .qty = 64,
                                  .hours = 8,
                                  .window_from = HOUR,
                                  .window_to = HOUR + 24,
                                  .placement = PLACEMENT_SITE,
                                  .lane_count = 2};
    add(EVENT_JOB_LANES)->job_lanes =
        (struct event_job_lanes){.order_id = id,
                                 .lanes = {{.tier = TIER_G80, .lane = 1, .factor_e4 = 10000},
                                           {.tier = TIER_G0, .lane = 2, .factor_e4 = 10500}}};
}

static const struct order_row *row_of(uint64_t order_id, uint64_t cl_ord_id)
{
    const struct message *message =
        reads_world_ask_status(world, order_id == 90 ? PROVIDER : BUYER, order_id, cl_ord_id);
    cr_assert_eq(message->type, MESSAGE_ORDER_STATUS);
    cr_assert_eq(message->order_status.order_count, 1);
    return &message->order_status.orders[0];
}

Test(reads_kinds, a_set_is_told_with_all_its_legs_by_id_and_by_number)
{
    put_set(70, 5, SET_LEGS_MAX);
    go(BUYER, 5);
    for (int by_number = 0; by_number < 2; by_number++) {
        const struct order_row *row = by_number ? row_of(0, 5) : row_of(70, 0);
        cr_assert(row->kind == KIND_SET && row->ord_status == STATUS_NEW);
        cr_assert(row->order_qty == 64 && row->leaves_qty == 64 && row->min_qty == 2);
        cr_assert(row->stp == STP_DECREMENT && row->side == SIDE_BUY && row->symbol[0] == 0);
        cr_assert(row->leg_count == SET_LEGS_MAX && row->leg_rows == SET_LEGS_MAX);
        for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
            cr_assert_eq(row->legs[i].price_e4, 100000 + i);
            cr_assert_eq(row->legs[i].leg, i + 1);
        }
    }
    cr_assert_eq(world->message.order_status.request, REQUEST_NEW_SET);
    struct event *fill = report_of(EVENT_FILL, BUYER, 5);
    fill->fill.order_id = 70;
    fill->fill.contract = contract_pack(0, 0, TIER_G80, HOUR + 3);
    fill->fill.price_e4 = 100003;
    fill->fill.qty = 8;
    fill->fill.leaves_qty = 56;
    fill->fill.cum_qty = 8;
    fill->fill.resting = 1;
    struct event *leg = report_of(EVENT_LEG_CANCELED, BUYER, 5);
    leg->out.order_id = 70;
    leg->out.contract = contract_pack(0, 0, TIER_G80, HOUR);
    leg->out.leaves_qty = 56;
    leg->out.cum_qty = 8;
    leg->out.reason = REASON_GATE_CLOSED;
    leg->out.resting = 1;
    go(0, 0);
    const struct order_row *row = row_of(70, 0);
    cr_assert_eq(row->ord_status, STATUS_PARTIALLY_FILLED, "a leg's end is not the SET's");
    cr_assert(row->leaves_qty == 56 && row->cum_qty == 8 && row->reason == 0);
    cr_assert_eq(row->notional_e4, 800024);
    struct event *over = report_of(EVENT_CANCELED, BUYER, 6);
    over->out.order_id = 70;
    over->out.qty = 56;
    over->out.cum_qty = 8;
    over->out.reason = REASON_REQUESTED;
    over->out.resting = 1;
    go(BUYER, 6);
    row = row_of(70, 0);
    cr_assert(row->ord_status == STATUS_CANCELED && row->leaves_qty == 0 && row->cum_qty == 8);
}

Test(reads_kinds, a_job_is_told_with_its_lanes_and_how_near_it_came)
{
    put_job(80, 5);
    struct event *miss = report_of(EVENT_MISS, BUYER, 0);
    miss->party.cl_ord_id = 5;
    miss->miss.order_id = 80;
    miss->miss.contract = contract_pack(0, 0, TIER_G80, HOUR + 2);
    miss->miss.qty = 12;
    miss->miss.wanted_qty = 64;
    go(BUYER, 5);
    const struct order_row *row = row_of(80, 0);
    cr_assert(row->kind == KIND_JOB && row->price_e4 == 140000);
    cr_assert(row->gpus == 64 && row->hours == 8 && row->order_qty == 512 &&
              row->leaves_qty == 512);
    cr_assert(row->placed && row->placement == PLACEMENT_SITE);
    cr_assert(row->window_from == HOUR && row->window_to == HOUR + 24);
    cr_assert(row->lane_count == 2 && row->lane_rows == 2 && row->lanes[1].factor_e4 == 10500);
    cr_assert_str_eq(row->lanes[0].class_name, "H100");
    cr_assert_str_eq(row->lanes[0].region, "CN-GZ");
    cr_assert(row->miss_qty == 12 && row->miss_wanted_qty == 64);
    cr_assert_eq(strncmp(row->miss_symbol, "H100.CN-GZ.G80.", 15), 0);
    struct event *replaced = report_of(EVENT_REPLACED, BUYER, 6);
    replaced->replaced.order_id = 80;
    replaced->replaced.price_e4 = 150000;
    replaced->replaced.qty = 32;
    replaced->replaced.leaves_qty = 256;
    replaced->replaced.old_leaves_qty = 512;
    go(BUYER, 6);
    row = row_of(80, 0);
    cr_assert(row->price_e4 == 150000 && row->gpus == 32 && row->order_qty == 256);
    cr_assert(row->leaves_qty == 256 && row->ord_status == STATUS_NEW && row->cl_ord_id == 6);
    cr_assert_eq(row->miss_wanted_qty, 0, "no miss of what it was before");
    replaced = report_of(EVENT_REPLACED, BUYER, 7);
    replaced->replaced.order_id = 80;
    replaced->replaced.price_e4 = 150000;
    replaced->replaced.qty = 40;
    replaced->replaced.leaves_qty = 320;
    replaced->replaced.old_leaves_qty = 256;
    miss = report_of(EVENT_MISS, BUYER, 0);
    miss->party.cl_ord_id = 7;
    miss->miss.order_id = 80;
    miss->miss.wanted_qty = 40;
    go(BUYER, 7);
    row = row_of(80, 0);
    cr_assert(row->miss_qty == 0 && row->miss_wanted_qty == 40 && row->miss_symbol[0] == 0);
}

Test(reads_kinds, a_range_and_its_offers_are_told_each_by_its_id)
{
    struct event *range = report_of(EVENT_RANGE, PROVIDER, 5);
    range->range.order_id = 90;
    range->range.contract = contract_pack(0, 0, TIER_G80, HOUR);
    range->range.price_e4 = 131000;
    range->range.qty = 8;
    range->range.hours = 2;
    range->range.job_lead_hours = 1;
    for (uint32_t hour = 0; hour < 2; hour++) {
        struct event *order = add(EVENT_NEW);
        order->party.key = PROVIDER;
        order->party.cl_ord_id = 5;
        order->party.account = 2;
        order->new_order.order_id = 91 + hour;
        order->new_order.contract = contract_pack(0, 0, TIER_G80, HOUR + hour);
        order->new_order.price_e4 = 131000;
        order->new_order.qty = 8;
        order->new_order.side = SIDE_SELL;
        order->new_order.job_lead_hours = 1;
        order->new_order.flags = ORDER_RESERVED_FOR_JOBS;
        order->new_order.ranged = 1;
    }
    go(PROVIDER, 5);
    const struct message *message = reads_world_ask_status(world, PROVIDER, 0, 5);
    cr_assert_eq(message->order_status.request, REQUEST_NEW_RANGE);
    cr_assert_eq(message->order_status.report_seq, report_seqs[PROVIDER]);
    const struct order_row *row = &message->order_status.orders[0];
    cr_assert(row->order_id == 90 && row->kind == KIND_RANGE && row->hours == 2);
    cr_assert_eq(row->range_id, 0);
    cr_assert(row->order_qty == 8 && row->price_e4 == 131000 && row->job_lead_hours == 1);
    row = &reads_world_ask_status(world, PROVIDER, 92, 0)->order_status.orders[0];
    cr_assert(row->kind == KIND_PLAIN && row->reserved_for_jobs && row->leaves_qty == 8);
    cr_assert(row->range_id == 90 && row->job_lead_hours == 1);
    struct event *released = report_of(EVENT_RELEASED, PROVIDER, 5);
    released->out.order_id = 91;
    released->out.contract = contract_pack(0, 0, TIER_G80, HOUR);
    released->out.price_e4 = 131000;
    released->out.side = SIDE_SELL;
    released->out.leaves_qty = 8;
    go(0, 0);
    row = &reads_world_ask_status(world, PROVIDER, 91, 0)->order_status.orders[0];
    cr_assert(!row->reserved_for_jobs && row->leaves_qty == 8 && row->ord_status == STATUS_NEW);
    struct event *canceled = report_of(EVENT_RANGE, PROVIDER, 6);
    canceled->range.order_id = 90;
    canceled->range.done = RANGE_CANCELED;
    go(PROVIDER, 6);
    row = row_of(90, 0);
    cr_assert(row->ord_status == STATUS_CANCELED && row->reason == REASON_REQUESTED);
    cr_assert(row->order_qty == 8 && row->hours == 2);
}

Test(reads_kinds, the_book_has_shared_quantity_apart)
{
    put_set(70, 5, 2);
    go(BUYER, 5);
    struct request request = {.type = REQUEST_BOOK, .ref = 9};
    contract_format(&world->replica.registry.names, contract_pack(0, 0, TIER_G80, HOUR),
                    request.book.symbol);
    const struct message *message = reads_world_ask(world, BUYER, &request);
    cr_assert_eq(message->type, MESSAGE_BOOK);
    const struct book_answer *book = &message->book;
    cr_assert(book->bid_count == 1 && book->bids[0].qty == 0 && book->bids[0].shared_qty == 64);
    cr_assert(book->best_bid_e4 == 100000 && book->best_bid_qty == 0);
    cr_assert_eq(book->best_bid_shared_qty, 64);
}

Test(reads_kinds, the_book_has_reserved_quantity_apart)
{
    struct event_new *order = &report_of(EVENT_NEW, PROVIDER, 5)->new_order;
    order->order_id = 91;
    order->contract = contract_pack(0, 0, TIER_G80, HOUR);
    order->price_e4 = 131000;
    order->qty = 8;
    order->side = SIDE_SELL;
    order->flags = ORDER_RESERVED_FOR_JOBS;
    go(PROVIDER, 5);
    struct request request = {.type = REQUEST_BOOK, .ref = 9};
    contract_format(&world->replica.registry.names, order->contract, request.book.symbol);
    const struct book_answer *book = &reads_world_ask(world, BUYER, &request)->book;
    cr_assert(book->offer_count == 1 && book->offers[0].qty == 0 &&
              book->offers[0].reserved_qty == 8 && book->offers[0].orders == 1);
    cr_assert_eq(book->best_offer_e4, 0);
}

/* Reports come again as they were sent: with their legs, and as many a page as fit a message. */
Test(reads_kinds, reports_of_sets_come_again_with_their_legs_in_pages_that_fit)
{
    const uint64_t first = report_seqs[BUYER] + 1;
    for (uint64_t i = 0; i < 40; i++) {
        put_set(1000 + i, 5 + i, SET_LEGS_MAX);
        go(BUYER, 5 + i);
    }
    struct request request = {.type = REQUEST_REPORTS, .reports.from_report_seq = first};
    uint64_t next = first;
    uint32_t pages = 0;
    for (bool more = true; more; pages++) {
        request.reports.from_report_seq = next;
        /* reads_world_ask also encodes it: it fits. */
        const struct message *message = reads_world_ask(world, BUYER, &request);
        cr_assert_eq(message->type, MESSAGE_REPORTS);
        cr_assert_gt(message->reports.report_count, 0);
        for (uint32_t i = 0; i < message->reports.report_count; i++) {
            const struct report *report = &message->reports.reports[i];
            cr_assert_eq(report->report_seq, next);
            cr_assert_eq(report->order_id, 1000 + next - first);
            cr_assert_eq(report->leg_rows, SET_LEGS_MAX);
            cr_assert_eq(report->legs[63].leg, 64);
            cr_assert_eq(report->legs[63].price_e4, 100063);
            next++;
        }
        more = message->reports.more;
    }
    cr_assert_eq(next, first + 40);
    cr_assert_gt(pages, 2);
}

/* --- dry runs -------------------------------------------------------------------------------------- */

static struct leg_row legs[2];
static struct lane_row lanes[1];

static struct request dry_set(int64_t qty, uint8_t tif)
{
    const struct contract_names *names = &world->replica.registry.names;
    for (uint32_t i = 0; i < 2; i++) {
        legs[i] = (struct leg_row){.price_e4 = 100000};
        contract_format(names, contract_pack(0, 0, TIER_G80, HOUR + i), legs[i].symbol);
    }
    return (struct request){
        .type = REQUEST_NEW_SET,
        .ref = 9,
        .new_set = {.legs = legs, .leg_count = 2, .qty = qty, .tif = tif, .dry_run = 1}};
}

static struct request dry_job(int64_t qty, uint8_t tif)
{
    lanes[0] = (struct lane_row){.class_name = "H100", .region = "CN-GZ", .tier = TIER_G80};
    return (struct request){.type = REQUEST_NEW_JOB,
                            .ref = 9,
                            .new_job = {.lanes = lanes,
                                        .lane_count = 1,
                                        .qty = qty,
                                        .hours = 1,
                                        .price_e4 = 100000,
                                        .window_from = HOUR,
                                        .window_to = HOUR + 2,
                                        .tif = tif,
                                        .dry_run = 1}};
}

static const struct quote_answer *quote_of(const struct request *request)
{
    const uint64_t hash = engine_state_hash(world->replica.engine);
    const struct message *message = reads_world_ask(world, BUYER, request);
    cr_assert_eq(message->type, MESSAGE_QUOTE);
    cr_assert_eq(message->quote.ref, 9);
    cr_assert_eq(message->quote.request, request->type);
    cr_assert_eq(engine_state_hash(world->replica.engine), hash, "nothing is entered");
    return &message->quote;
}

/* Enters it and returns its row. */
static const struct order_row *entered(const struct request *request)
{
    char field[CODEC_FIELD_SIZE];
    reads_world_begin(world, BUYER, request->type);
    const struct contract_names *names = &world->replica.registry.names;
    cr_assert_eq(request->type == REQUEST_NEW_SET
                     ? enter_set(names, &request->new_set, world->slots, field)
                     : enter_job(names, &request->new_job, world->slots, field),
                 0);
    reads_world_end(world);
    return row_of(0, world->cl_ord_ids[BUYER]);
}

Test(reads_kinds, a_dry_run_tells_what_entering_then_does)
{
    reads_world_order(world, PROVIDER, TIER_G80, 99000, 10);
    struct request request = dry_set(16, TIF_GATE);
    struct quote_answer quote = *quote_of(&request);
    cr_assert(quote.reason == 0 && quote.fill_qty == 10 && quote.notional_e4 == 990000);
    cr_assert_eq(quote.miss_wanted_qty, 16);
    struct engine_account before;
    struct engine_account after;
    CHECK(engine_account(world->replica.engine, 3, &before));
    const struct order_row *row = entered(&request);
    CHECK(engine_account(world->replica.engine, 3, &after));
    cr_assert(row->cum_qty == 10 && row->notional_e4 == quote.notional_e4);
    cr_assert_eq(row->fee_e4, quote.fee_e4);
    cr_assert_eq(after.cash_e4, before.cash_e4 - quote.notional_e4 - quote.fee_e4);

    reads_world_order(world, PROVIDER, TIER_G80, 101000, 8);
    request = dry_job(8, TIF_GATE);
    quote = *quote_of(&request);
    cr_assert(quote.reason == 0 && quote.fill_qty == 0 && quote.miss_wanted_qty == 8);
    cr_assert_eq(quote.miss_qty, 0);
    row = entered(&request);
    cr_assert(row->cum_qty == 0 && row->ord_status == STATUS_NEW && row->miss_qty == 0);
    CHECK(engine_account(world->replica.engine, 3, &before));
    cr_assert_eq(quote.reserved_e4, before.reserved_e4 - after.reserved_e4);
    request.new_job.price_e4 = 102000;
    quote = *quote_of(&request);
    cr_assert(quote.fill_qty == 8 && quote.notional_e4 == 808000 && quote.price_e4 == 101000);
    cr_assert(quote.hour == HOUR && quote.leg == 1 && quote.resource == 1);
    cr_assert_eq(strncmp(quote.symbol, "H100.CN-GZ.G80.", 15), 0);
    row = entered(&request);
    cr_assert(row->ord_status == STATUS_FILLED && row->cum_qty == 8);
}

Test(reads_kinds, a_dry_run_that_would_be_refused_says_why_and_where)
{
    struct request request = dry_set(16, TIF_GATE);
    legs[1].price_e4 = 900000;
    const struct quote_answer *quote = quote_of(&request);
    cr_assert_eq(quote->reason, REASON_PRICE_OUTSIDE_BAND);
    cr_assert_eq(quote->leg, 2);
    cr_assert_eq(quote->value, 900000);
    cr_assert_str_eq(quote->symbol, legs[1].symbol);
    cr_assert_eq(quote->miss_wanted_qty, 0);
    request = dry_set(16, TIF_FOK);
    quote = quote_of(&request);
    cr_assert_eq(quote->reason, REASON_FOK_NOT_FILLED);
    cr_assert_eq(quote->miss_wanted_qty, 16);
    request = dry_job(16, TIF_IOC);
    quote = quote_of(&request);
    cr_assert_eq(quote->reason, REASON_JOB_NOT_FILLED);
    cr_assert_eq(quote->miss_wanted_qty, 16);
    request = dry_job(16, TIF_GATE);
    memcpy(lanes[0].region, "CN-XX", 6);
    const struct message *message = reads_world_ask(world, BUYER, &request);
    reads_world_expect_reject(message, REASON_UNKNOWN_NAME);
    cr_assert_str_eq(message->reject.field, "lanes[1].region");
    /* One that enters is no read. */
    request = dry_set(16, TIF_GATE);
    request.new_set.dry_run = 0;
    reads_world_expect_reject(reads_world_ask(world, BUYER, &request), REASON_UNKNOWN_TYPE);
}
