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

Test(report, a_fill_of_an_auction_is_reported_as_one)
{
    struct report report;
    const struct event event = {
        .head = {.seq = 9, .type = EVENT_FILL},
        .fill = {.party = {.report_seq = 4, .cl_ord_id = 3, .key = 2, .account = 1},
                 .contract = contract_pack(0, 0, TIER_G80, 498686),
                 .qty = 8,
                 .resting = FILL_AUCTION,
                 .limit_e4 = 164000}};
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.liquidity, LIQUIDITY_AUCTION);
    cr_assert_eq(report.trade_group, 0);
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

/* --- orders of several hours or contracts ----------------------------------------------------------- */

#define HOUR 498686u

static struct event event_of(uint8_t type)
{
    return (struct event){
        .head = {.seq = 9, .time_ns = 5, .type = type},
        .party = {.report_seq = 4, .cl_ord_id = 3, .key = 2, .account = 1},
    };
}

Test(report, an_iceberg_and_a_reserved_offer_are_echoed_as_understood)
{
    struct report report;
    struct event event = event_of(EVENT_NEW);
    event.new_order.contract = contract_pack(0, 0, TIER_G80, HOUR);
    event.new_order.qty = 64;
    event.new_order.display_qty = 8;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.display_qty, 8);
    cr_assert_eq(report.order_qty, 64);
    cr_assert_eq(report.reserved_for_jobs, 0);
    event.new_order.display_qty = 0;
    event.new_order.job_lead_hours = 48;
    event.new_order.flags = ORDER_RESERVED_FOR_JOBS;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.job_lead_hours, 48);
    cr_assert_eq(report.reserved_for_jobs, 1);
    cr_assert_eq(report.post_only, 0);
}

Test(report, a_range_is_entered_replaced_and_canceled_as_one)
{
    struct report report;
    struct event event = event_of(EVENT_RANGE);
    event.range.order_id = 77;
    event.range.contract = contract_pack(0, 0, TIER_G80, HOUR);
    event.range.price_e4 = 131000;
    event.range.qty = 8;
    event.range.hours = 720;
    event.range.orders = 720;
    event.range.flags = ORDER_POST_ONLY;
    event.range.orig_cl_ord_id = 2;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_NEW);
    cr_assert_eq(report.request, REQUEST_NEW_RANGE);
    cr_assert_eq(report.hours, 720);
    cr_assert_eq(report.orders, 720);
    cr_assert_eq(report.order_qty, 8);
    cr_assert_eq(report.post_only, 1);
    cr_assert_eq(report.orig_cl_ord_id, 0);
    cr_assert_eq(report.ord_status, STATUS_NEW);
    event.range.done = RANGE_REPLACED;
    event.range.orders = 3;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_REPLACED);
    cr_assert_eq(report.request, REQUEST_REPLACE_ORDER);
    cr_assert_eq(report.orders, 3);
    cr_assert_eq(report.orig_cl_ord_id, 2);
    event.range.done = RANGE_CANCELED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_CANCELED);
    cr_assert_eq(report.ord_status, STATUS_CANCELED);
    cr_assert_eq(report.reason, REASON_REQUESTED);
}

/* `count` legs in events of six, of the order and numbered on from `first`. */
static struct event legs_event(uint64_t order_id, uint32_t first, uint32_t count)
{
    struct event event = {.head = {.seq = 9, .type = EVENT_SET_LEGS},
                          .set_legs = {.order_id = order_id}};
    for (uint32_t i = 0; i < SET_LEGS_PER_EVENT && first + i <= count; i++) {
        event.set_legs.legs[i] =
            (struct set_leg){.contract = contract_pack(0, 0, TIER_G80, HOUR + first + i),
                             .price_e4 = 1000 + first + i,
                             .leg = first + i};
    }
    return event;
}

Test(report, a_set_is_whole_with_its_last_leg_and_has_them_all_in_order)
{
    static struct report_joined joined;
    struct event event = event_of(EVENT_SET);
    event.set.order_id = 77;
    event.set.qty = 64;
    event.set.leg_count = SET_LEGS_MAX;
    event.set.stp = STP_DECREMENT;
    cr_assert(report_is_joined(&event));
    cr_assert_not(report_join(&joined, &names, &event));
    for (uint32_t first = 1; first <= SET_LEGS_MAX; first += SET_LEGS_PER_EVENT) {
        struct event legs = legs_event(77, first, SET_LEGS_MAX);
        struct event stranger = legs_event(78, first, SET_LEGS_MAX);
        cr_assert(report_is_joined(&legs));
        cr_assert_not(report_join(&joined, &names, &stranger), "legs of another SET");
        const bool last = first + SET_LEGS_PER_EVENT > SET_LEGS_MAX;
        cr_assert_eq(report_join(&joined, &names, &legs), last, "from leg %u", first);
    }
    const struct report *report = &joined.report;
    cr_assert_eq(joined.key, 2);
    cr_assert_eq(report->exec_type, EXEC_NEW);
    cr_assert_eq(report->request, REQUEST_NEW_SET);
    cr_assert_eq(report->order_qty, 64);
    cr_assert_eq(report->stp, STP_DECREMENT);
    cr_assert_eq(report->symbol[0], 0);
    cr_assert_eq(report->leg_rows, SET_LEGS_MAX);
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        char symbol[SYMBOL_SIZE];
        contract_format(&names, contract_pack(0, 0, TIER_G80, HOUR + 1 + i), symbol);
        cr_assert_str_eq(report->legs[i].symbol, symbol);
        cr_assert_eq(report->legs[i].price_e4, 1001 + i);
        cr_assert_eq(report->legs[i].leg, i + 1);
    }
    struct event late = legs_event(77, 1, 6);
    cr_assert_not(report_join(&joined, &names, &late), "it is whole already");
}

Test(report, a_job_is_whole_with_its_last_lane_and_counts_gpu_hours)
{
    static struct report_joined joined;
    struct event event = event_of(EVENT_JOB);
    event.job.order_id = 77;
    event.job.price_e4 = 140000;
    event.job.qty = 64;
    event.job.hours = 8;
    event.job.window_from = HOUR;
    event.job.window_to = HOUR + 24;
    event.job.placement = PLACEMENT_ANY;
    event.job.lane_count = 2;
    cr_assert_not(report_join(&joined, &names, &event));
    struct event legs = legs_event(77, 1, 2);
    cr_assert_not(report_join(&joined, &names, &legs), "legs are no lanes");
    struct event lanes = {
        .head = {.seq = 9, .type = EVENT_JOB_LANES},
        .job_lanes = {.order_id = 77,
                      .lanes = {{.tier = TIER_G80, .lane = 1, .factor_e4 = 10000},
                                {.tier = TIER_G50, .lane = 2, .factor_e4 = 10500}}}};
    cr_assert(report_join(&joined, &names, &lanes));
    const struct report *report = &joined.report;
    cr_assert_eq(report->gpus, 64);
    cr_assert_eq(report->hours, 8);
    cr_assert_eq(report->order_qty, 512);
    cr_assert_eq(report->leaves_qty, 512);
    cr_assert_eq(report->placement, PLACEMENT_ANY);
    cr_assert_eq(report->window_to, HOUR + 24);
    cr_assert_eq(report->lane_rows, 2);
    cr_assert_str_eq(report->lanes[1].class_name, "H100");
    cr_assert_str_eq(report->lanes[1].region, "CN-GZ");
    cr_assert_eq(report->lanes[1].tier, TIER_G50);
    cr_assert_eq(report->lanes[1].factor_e4, 10500);
    cr_assert_eq(report->lanes[1].lane, 2);
}

Test(report, the_longest_report_fits_its_room)
{
    static struct report_joined joined;
    static uint8_t bytes[REPORT_JOINED_BYTES_MAX];
    struct contract_names long_names = {.class_count = 1, .region_count = 1};
    memset(long_names.classes[0], 'C', NAME_SIZE - 1);
    memset(long_names.regions[0], 'R', NAME_SIZE - 1);
    struct event event = event_of(EVENT_SET);
    memset(event.bytes + sizeof event.party, 0x7f, sizeof event.set - sizeof event.party);
    event.party.report_seq = event.party.cl_ord_id = UINT64_MAX;
    event.set.leg_count = SET_LEGS_MAX;
    event.set.tif = TIF_TIME;
    event.set.stp = STP_DECREMENT;
    cr_assert_not(report_join(&joined, &long_names, &event));
    for (uint32_t first = 1; first <= SET_LEGS_MAX; first += SET_LEGS_PER_EVENT) {
        struct event legs = legs_event(event.set.order_id, first, SET_LEGS_MAX);
        for (uint32_t i = 0; i < SET_LEGS_PER_EVENT; i++) {
            legs.set_legs.legs[i].contract = contract_pack(0, 0, TIER_G100, HOUR);
            legs.set_legs.legs[i].price_e4 = UINT32_MAX;
        }
        (void)report_join(&joined, &long_names, &legs);
    }
    cr_assert_eq(joined.report.leg_rows, SET_LEGS_MAX);
    cr_assert_gt(codec_encode_report(&joined.report, bytes, sizeof bytes), 0);
}

Test(report, a_canceled_leg_and_an_ended_reservation_do_not_end_the_order)
{
    struct report report;
    struct event event = event_of(EVENT_LEG_CANCELED);
    event.out.order_id = 77;
    event.out.contract = contract_pack(0, 0, TIER_G80, HOUR);
    event.out.leaves_qty = 56;
    event.out.cum_qty = 8;
    event.out.reason = REASON_GATE_CLOSED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_LEG_CANCELED);
    cr_assert_eq(report.ord_status, STATUS_PARTIALLY_FILLED);
    cr_assert_eq(report.leaves_qty, 56);
    cr_assert_eq(report.reason, REASON_GATE_CLOSED);
    event.head.type = EVENT_RELEASED;
    event.out.cum_qty = 0;
    event.out.reason = REASON_RESERVATION_ENDED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_RELEASED);
    cr_assert_eq(report.ord_status, STATUS_NEW);
    /* The SET as a whole, which has no contract. */
    event.head.type = EVENT_CANCELED;
    event.out.contract = 0;
    event.out.reason = REASON_REQUESTED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_CANCELED);
    cr_assert_eq(report.symbol[0], 0);
}

Test(report, a_miss_says_how_near_it_came)
{
    struct report report;
    struct event event = event_of(EVENT_MISS);
    event.party.report_seq = 0;
    event.miss.order_id = 77;
    event.miss.contract = contract_pack(0, 0, TIER_G80, HOUR);
    event.miss.qty = 12;
    event.miss.wanted_qty = 64;
    event.miss.leg = 2;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_MISS);
    cr_assert_eq(report.miss_qty, 12);
    cr_assert_eq(report.miss_wanted_qty, 64);
    cr_assert_eq(report.leg, 2);
    cr_assert_eq(strncmp(report.miss_symbol, "H100.CN-GZ.G80.", 15), 0);
    event.miss.contract = 0;
    event.miss.qty = 0;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.miss_symbol[0], 0);
    cr_assert_neq(report.fields & REPORT_MISS, 0, "0 of 64 is said too");
}

Test(report, a_refusal_names_the_leg_and_the_contract_at_fault)
{
    struct report report;
    struct event event = event_of(EVENT_REJECTED);
    event.rejected.request = COMMAND_NEW_SET;
    event.rejected.reason = REASON_PRICE_OUTSIDE_BAND;
    event.rejected.leg = 3;
    event.rejected.field = REJECT_FIELD_GPUS;
    event.rejected.contract = contract_pack(0, 0, TIER_G80, HOUR);
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.ord_status, STATUS_REJECTED);
    cr_assert(report.leg == 3 && report.field == REJECT_FIELD_GPUS);
    cr_assert_eq(strncmp(report.symbol, "H100.CN-GZ.G80.", 15), 0);
    event.rejected.leg = 0;
    event.rejected.contract = 0;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.symbol[0], 0);
}

Test(report, a_jobs_fill_names_its_group_and_a_refreshed_slice_is_nobodys_report)
{
    struct report report;
    struct event event = event_of(EVENT_FILL);
    event.fill.contract = contract_pack(0, 0, TIER_G80, HOUR);
    event.fill.contingent = 1;
    event.fill.trade_group = 91;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.contingent, 1);
    cr_assert_eq(report.trade_group, 91);
    event = event_of(EVENT_REFRESHED);
    cr_assert_not(report_from_event(&names, &event, &report));
}
