/* Reports: what a party is told of an event. */
#include <criterion/criterion.h>
#include <string.h>

#include "wire/reject.h"
#include "wire/report.h"

static struct contract_names names = {
    .class_count = 1, .region_count = 1, .classes = {"H100"}, .regions = {"CN-GZ"}};

Test(report, a_fill_becomes_a_trade_report)
{
    struct report report;
    const struct event event = {
        .head = {.seq = 9, .time_ns = 5, .type = EVENT_FILL},
        .fill = {.party = {.report_seq = 4, .cl_ord_id = 3, .key = 2, .account = 1},
                 .order_id = 77,
                 .contract = contract_pack(0, 0, TIER_G80, 498686),
                 .fill_id = 8,
                 .price_e4 = 164000,
                 .qty = 8,
                 .leaves_qty = 16,
                 .cum_qty = 24,
                 .fee_e4 = 12,
                 .side = SIDE_SELL,
                 .resting = 1,
                 .trade_tier = TIER_G50}};
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_TRADE);
    cr_assert_eq(report.ord_status, STATUS_PARTIALLY_FILLED);
    cr_assert_eq(report.order_qty, 40);
    cr_assert_eq(report.last_px_e4, 164000);
    cr_assert_eq(report.liquidity, LIQUIDITY_MAKER);
    cr_assert_eq(report.report_seq, 4);
    cr_assert_eq(report.side, SIDE_SELL);
    cr_assert_eq(strncmp(report.symbol, "H100.CN-GZ.G80.", 15), 0);
}

Test(report, an_expired_order_is_reported_as_expired_and_a_canceled_one_as_canceled)
{
    struct report report;
    struct event event = {.head = {.type = EVENT_CANCELED},
                          .out = {.party = {.key = 2}, .qty = 8, .cum_qty = 2}};
    event.out.reason = REASON_GATE_CLOSED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_EXPIRED);
    cr_assert_eq(report.order_qty, 10);
    event.out.reason = REASON_REQUESTED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_CANCELED);
    cr_assert_eq(report.ord_status, STATUS_CANCELED);
}

Test(report, public_events_are_nobodys_report)
{
    struct report report;
    struct event event = {.head = {.type = EVENT_TRADE}, .trade = {.fill_id = 1}};
    cr_assert_not(report_from_event(&names, &event, &report));
    event = (struct event){.head = {.type = EVENT_TIME}};
    cr_assert_not(report_from_event(&names, &event, &report));
    event.party.key = 1;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.request, REQUEST_ADVANCE);
}
