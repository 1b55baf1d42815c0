#include <criterion/criterion.h>

#include "base/check.h"
#include "exchange/status.h"
#include "wire/reject.h"

static void command(struct status *status, uint32_t key, uint64_t cl_ord_id)
{
    struct command_head head = {.key = key, .cl_ord_id = cl_ord_id};
    status_command(status, &head);
}

static struct event event_of(uint8_t type, uint32_t key, uint64_t report_seq, uint64_t cl_ord_id)
{
    return (struct event){
        .head = {.type = type},
        .party = {
            .report_seq = report_seq, .cl_ord_id = cl_ord_id, .key = key, .account = key * 10}};
}

/* The key enters an order; its NEW is at `position`. */
static void enter(struct status *status, uint32_t key, uint64_t report_seq, uint64_t cl_ord_id,
                  uint64_t position)
{
    command(status, key, cl_ord_id);
    struct event event = event_of(EVENT_NEW, key, report_seq, cl_ord_id);
    event.new_order.order_id = 1000 + position;
    status_apply(status, &event, position);
}

Test(status, a_number_passed_over_is_told_from_one_not_yet_used)
{
    struct status *status = status_new();
    uint64_t position = 0;
    cr_assert(status_request(status, 1, 5, &position) == STATUS_REQUEST_UNKNOWN);
    enter(status, 1, 1, 5, 70);
    enter(status, 1, 2, 9, 71);
    cr_assert(status_request(status, 1, 5, &position) == STATUS_REQUEST_FOUND && position == 70);
    cr_assert(status_request(status, 1, 9, &position) == STATUS_REQUEST_FOUND && position == 71);
    cr_assert(status_request(status, 1, 4, &position) == STATUS_REQUEST_PASSED_OVER);
    cr_assert(status_request(status, 1, 7, &position) == STATUS_REQUEST_PASSED_OVER);
    cr_assert(status_request(status, 1, 10, &position) == STATUS_REQUEST_UNKNOWN);
    cr_assert(status_request(status, 2, 5, &position) == STATUS_REQUEST_UNKNOWN);
    status_free(status);
}

Test(status, a_refusal_that_used_up_nothing_leaves_no_trace)
{
    struct status *status = status_new();
    uint64_t position = 0;
    command(status, 4000000000u, 3);
    struct event refused = event_of(EVENT_REJECTED, 4000000000u, 0, 3);
    refused.rejected.reason = REASON_UNKNOWN_KEY;
    status_apply(status, &refused, 5);
    cr_assert(status_request(status, 4000000000u, 3, &position) == STATUS_REQUEST_UNKNOWN);

    command(status, 1, 3);
    refused = event_of(EVENT_REJECTED, 1, 1, 3);
    refused.rejected.consumed = 1;
    status_apply(status, &refused, 6);
    cr_assert(status_request(status, 1, 3, &position) == STATUS_REQUEST_FOUND && position == 6);
    status_free(status);
}

Test(status, only_the_answer_counts_not_what_else_the_command_does)
{
    struct status *status = status_new();
    uint64_t position = 0;
    enter(status, 1, 1, 5, 10);
    enter(status, 2, 1, 2, 11);

    /* Key 2 replaces key 1's order: the event is key 1's and has key 2's number. */
    command(status, 2, 800);
    struct event replaced = event_of(EVENT_REPLACED, 1, 2, 800);
    replaced.replaced.order_id = 1010;
    status_apply(status, &replaced, 12);
    struct event done = event_of(EVENT_DONE, 2, 2, 800);
    status_apply(status, &done, 13);
    cr_assert(status_request(status, 1, 800, &position) == STATUS_REQUEST_UNKNOWN);
    cr_assert(status_request(status, 2, 800, &position) == STATUS_REQUEST_FOUND && position == 13);

    /* Before key 1's request is answered an order of it goes that carries the same number. */
    command(status, 1, 800);
    struct event expired = event_of(EVENT_CANCELED, 1, 3, 800);
    expired.out.order_id = 1010;
    expired.out.reason = REASON_EXPIRED;
    status_apply(status, &expired, 14);
    struct event entered = event_of(EVENT_NEW, 1, 4, 800);
    entered.new_order.order_id = 1015;
    status_apply(status, &entered, 15);
    cr_assert(status_request(status, 1, 800, &position) == STATUS_REQUEST_FOUND && position == 15);
    status_free(status);
}

Test(status, an_orders_first_terms_and_last_events_and_its_sums_are_kept)
{
    struct status *status = status_new();
    struct status_order order;
    cr_assert(!status_order(status, 1010, &order));
    enter(status, 1, 1, 5, 10);
    command(status, 2, 1);
    for (uint64_t i = 0; i < 3; i++) {
        struct event fill = event_of(EVENT_FILL, 1, 2 + i, 5);
        fill.fill.order_id = 1010;
        fill.fill.price_e4 = 100;
        fill.fill.qty = 4;
        fill.fill.fee_e4 = 3;
        status_apply(status, &fill, 20 + i);
    }
    cr_assert(status_order(status, 1010, &order));
    cr_assert(order.entered == 10 && order.terms == 10 && order.last == 22);
    cr_assert(order.notional_e4 == 1200 && order.fee_e4 == 9);
    command(status, 1, 6);
    struct event replaced = event_of(EVENT_REPLACED, 1, 5, 6);
    replaced.replaced.order_id = 1010;
    status_apply(status, &replaced, 30);
    cr_assert(status_order(status, 1010, &order));
    cr_assert(order.entered == 10 && order.terms == 30 && order.last == 30);
    cr_assert(status_fill_count(status, 10) == 3 && status_fill(status, 10, 2) == 22);
    cr_assert(status_fill_count(status, 77777) == 0);
    status_free(status);
}

Test(status, reports_are_found_by_their_number)
{
    struct status *status = status_new();
    uint64_t position = 0;
    for (uint64_t i = 1; i <= 100; i++) {
        enter(status, 3, i, i, 500 + i);
    }
    cr_assert(status_report_highest(status, 3) == 100 && status_report_highest(status, 4) == 0);
    for (uint64_t i = 1; i <= 100; i++) {
        cr_assert(status_report(status, 3, i, &position) && position == 500 + i);
    }
    cr_assert(!status_report(status, 3, 0, &position));
    cr_assert(!status_report(status, 3, 101, &position));
    status_free(status);
}

Test(status, the_last_trade_of_a_contract_is_kept)
{
    struct status *status = status_new();
    uint64_t position = 0;
    uint64_t contract = contract_pack(1, 2, TIER_G50, 490000);
    command(status, 0, 0);
    for (uint64_t i = 1; i <= 3; i++) {
        struct event trade = {.head = {.type = EVENT_TRADE}, .trade = {.contract = contract}};
        status_apply(status, &trade, i);
    }
    cr_assert(status_last_trade(status, contract, &position) && position == 3);
    cr_assert(!status_last_trade(status, contract + 1, &position));
    status_free(status);
}

Test(status, ranges_sets_and_jobs_are_known_by_order_and_by_number)
{
    struct status *status = status_new();
    struct status_order order;
    uint64_t position = 0;
    command(status, 1, 5);
    struct event event = event_of(EVENT_SET, 1, 1, 5);
    event.set.order_id = 100;
    status_apply(status, &event, 10);
    struct event legs = {.head = {.type = EVENT_SET_LEGS}, .set_legs = {.order_id = 100}};
    status_apply(status, &legs, 11);
    command(status, 1, 6);
    event = event_of(EVENT_JOB, 1, 2, 6);
    event.job.order_id = 101;
    status_apply(status, &event, 12);
    struct event lanes = {.head = {.type = EVENT_JOB_LANES}, .job_lanes = {.order_id = 101}};
    status_apply(status, &lanes, 13);
    event = event_of(EVENT_MISS, 1, 0, 6);
    event.miss.order_id = 101;
    status_apply(status, &event, 14);
    command(status, 1, 7);
    event = event_of(EVENT_RANGE, 1, 3, 7);
    event.range.order_id = 102;
    status_apply(status, &event, 15);
    for (uint64_t hour = 0; hour < 3; hour++) {
        event = event_of(EVENT_NEW, 1, 0, 7);
        event.new_order.order_id = 103 + hour;
        event.new_order.ranged = 1;
        status_apply(status, &event, 16 + hour);
    }
    for (uint64_t i = 0; i < 3; i++) {
        static const uint64_t positions[] = {10, 12, 15};
        cr_assert(status_request(status, 1, 5 + i, &position) == STATUS_REQUEST_FOUND);
        cr_assert(position == positions[i]);
        cr_assert(status_report(status, 1, 1 + i, &position) && position == positions[i]);
        cr_assert(status_order(status, 100 + i, &order) && order.entered == positions[i]);
        cr_assert(order.last == positions[i]);
        cr_assert(status_order(status, 103 + i, &order) && order.entered == 16 + i);
    }
    cr_assert(status_report_highest(status, 1) == 3);
    status_free(status);
}

Test(status, an_offer_of_a_range_is_tied_to_its_own_range)
{
    struct status *status = status_new();
    for (uint64_t range = 0; range < 3; range++) {
        struct event event = event_of(EVENT_RANGE, 1, range + 1, range + 1);
        event.range.order_id = 100 * range + 100;
        status_apply(status, &event, 10 * range + 10);
        for (uint64_t hour = 1; hour <= 9; hour++) {
            event = event_of(EVENT_NEW, 1, 0, range + 1);
            event.new_order.order_id = 100 * range + 100 + hour;
            event.new_order.ranged = 1;
            status_apply(status, &event, 10 * range + 10 + hour);
        }
    }
    for (uint64_t position = 0; position < 40; position++) {
        bool offer = position > 10 && position % 10 != 0;
        cr_assert(!offer || status_range_at(status, position) == position / 10 * 100);
    }
    cr_assert_eq(status_range_at(status, 10), 0);
    status_free(status);
}

Test(status, what_befalls_a_set_a_range_and_a_reserved_offer_is_their_latest_event)
{
    struct status *status = status_new();
    struct status_order order;
    uint64_t position = 0;
    command(status, 1, 5);
    struct event event = event_of(EVENT_SET, 1, 1, 5);
    event.set.order_id = 100;
    status_apply(status, &event, 10);
    command(status, 2, 1);
    event = event_of(EVENT_LEG_CANCELED, 1, 2, 5);
    event.out.order_id = 100;
    status_apply(status, &event, 20);
    cr_assert(status_order(status, 100, &order) && order.terms == 10 && order.last == 20);

    enter(status, 1, 3, 6, 30);
    command(status, 1, 7);
    event = event_of(EVENT_RELEASED, 1, 4, 6);
    event.out.order_id = 1030;
    status_apply(status, &event, 31);
    cr_assert(status_order(status, 1030, &order) && order.last == 31);
    event = event_of(EVENT_REFRESHED, 1, 0, 6);
    event.out.order_id = 1030;
    status_apply(status, &event, 32);
    cr_assert(status_order(status, 1030, &order) && order.last == 31, "its slice only");

    /* The command is answered by the range, not by what was said before it. */
    event = event_of(EVENT_RANGE, 1, 5, 7);
    event.range.order_id = 40;
    status_apply(status, &event, 33);
    cr_assert(status_request(status, 1, 7, &position) == STATUS_REQUEST_FOUND && position == 33);
    command(status, 1, 8);
    event = event_of(EVENT_RANGE, 1, 6, 8);
    event.range.order_id = 40;
    event.range.done = RANGE_REPLACED;
    status_apply(status, &event, 34);
    cr_assert(status_order(status, 40, &order) && order.entered == 33 && order.terms == 34);
    command(status, 1, 9);
    event = event_of(EVENT_RANGE, 1, 7, 9);
    event.range.order_id = 40;
    event.range.done = RANGE_CANCELED;
    status_apply(status, &event, 35);
    cr_assert(status_order(status, 40, &order) && order.terms == 34 && order.last == 35);
    cr_assert(status_request(status, 1, 9, &position) == STATUS_REQUEST_FOUND && position == 35);
    status_free(status);
}
