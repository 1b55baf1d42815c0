#include "exchange/reads_orders.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "exchange/reads_row.h"
#include "wire/report.h"

int reads_orders_event(const struct replica *replica, uint64_t position, struct event *event,
                       struct error *error)
{
    uint32_t got = 0;
    int result = tape_store_read(replica->store, position, 1, event, &got, error);
    if (result == 0 && got != 1) {
        result = error_set(error, ERROR_CORRUPT, "event %" PRIu64 " is not on the tape", position);
    }
    return result;
}

/* --- one order ------------------------------------------------------------------------------ */

/* Also gives the account that the order belongs to. */
static int put_order(const struct replica *replica, const struct status_order *order,
                     struct order_row *row, uint32_t *account, struct error *error)
{
    struct event event;
    memset(row, 0, sizeof(*row));
    int result = reads_orders_event(replica, order->entered, &event, error);
    if (result < 0) {
        return result;
    }
    *account = event.party.account;
    reads_row_entered(replica, &event, row);
    reads_row_terms(&event, row);
    if (event.head.type == EVENT_NEW && event.new_order.ranged) {
        row->range_id = status_range_at(replica->status, order->entered);
    }
    if (order->terms != order->entered) {
        result = reads_orders_event(replica, order->terms, &event, error);
        if (result < 0) {
            return result;
        }
        reads_row_terms(&event, row);
    }
    result = reads_orders_event(replica, order->last, &event, error);
    if (result < 0) {
        return result;
    }
    reads_row_last(replica, &event, row);
    row->reserved_for_jobs = market_data_reserved(replica->market_data, row->order_id);
    row->notional_e4 = order->notional_e4;
    row->fee_e4 = order->fee_e4;
    return 0;
}

/* --- legs and lanes ------------------------------------------------------------------------- */

/* A SET or JOB, its legs or lanes, and how near it came, as they stand one behind the other. */
#define ENTRY_EVENTS_MAX (2 + (SET_LEGS_MAX + SET_LEGS_PER_EVENT - 1) / SET_LEGS_PER_EVENT)
struct entry_events {
    struct report_joined joined;
    struct event events[ENTRY_EVENTS_MAX];
    uint32_t count;
};

static int read_entry(const struct replica *replica, uint64_t position, struct entry_events *entry,
                      struct error *error)
{
    uint32_t got = 1;
    entry->count = 0;
    entry->joined = (struct report_joined){0};
    while (entry->count < ENTRY_EVENTS_MAX && got > 0) { /* a segment may end in between */
        int result = tape_store_read(replica->store, position + entry->count,
                                     ENTRY_EVENTS_MAX - entry->count, &entry->events[entry->count],
                                     &got, error);
        if (result < 0) {
            return result;
        }
        entry->count += got;
    }
    for (uint32_t i = 0; i < entry->count; i++) {
        if (i > 0 && entry->events[i].head.seq != entry->events[0].head.seq) {
            break;
        }
        if (report_is_joined(&entry->events[i])) {
            (void)report_join(&entry->joined, &replica->registry.names, &entry->events[i]);
        }
    }
    return 0;
}

/* Copies rows to the room for the answer's lists; NULL: there is none left. */
static void *keep_rows(struct codec_rows *rows, const void *from, size_t size)
{
    if (rows == NULL || size > rows->size - rows->used) {
        return NULL;
    }
    void *kept = (uint8_t *)rows->memory + rows->used;
    memcpy(kept, from, size);
    rows->used += (uint32_t)(size + 7) & ~7u;
    return kept;
}

static void keep_lists(struct codec_rows *rows, const struct report_joined *joined,
                       struct report *report)
{
    const struct report *from = &joined->report;
    report->legs = from->leg_rows > 0
                       ? keep_rows(rows, joined->legs, from->leg_rows * sizeof(joined->legs[0]))
                       : NULL;
    report->lanes = from->lane_rows > 0
                        ? keep_rows(rows, joined->lanes, from->lane_rows * sizeof(joined->lanes[0]))
                        : NULL;
    report->leg_rows = report->legs ? from->leg_rows : 0;
    report->lane_rows = report->lanes ? from->lane_rows : 0;
}

/* What has become of a SET's legs, in the rows that the answer keeps. */
static void put_leg_states(const struct replica *replica, uint64_t order_id, struct leg_row *legs,
                           uint32_t count)
{
    static const uint8_t states[] = {[ENGINE_LEG_ENDED] = LEG_ENDED,
                                     [ENGINE_LEG_ASLEEP] = LEG_ASLEEP,
                                     [ENGINE_LEG_LIVE] = LEG_LIVE};
    for (uint32_t i = 0; i < count; i++) {
        legs[i].state =
            states[engine_set_leg(replica->engine, order_id, legs[i].leg, &legs[i].open_qty)];
    }
}

/* How near it came when it arrived last; `entry` holds the events of its entry. */
static int put_miss(const struct replica *replica, const struct status_order *order,
                    struct entry_events *entry, struct order_row *row, struct error *error)
{
    if (order->terms != order->entered) {
        int result = read_entry(replica, order->terms, entry, error);
        if (result < 0) {
            return result;
        }
    }
    for (uint32_t i = 1; i < entry->count; i++) {
        const struct event_miss *miss = &entry->events[i].miss;
        if (entry->events[i].head.seq != entry->events[0].head.seq) {
            break;
        }
        if (entry->events[i].head.type == EVENT_MISS && miss->order_id == row->order_id) {
            row->miss_qty = miss->qty;
            row->miss_wanted_qty = miss->wanted_qty;
            if (miss->contract != 0) {
                (void)contract_format(&replica->registry.names, miss->contract, row->miss_symbol);
            }
            break;
        }
    }
    return 0;
}

static int put_lists(const struct replica *replica, const struct reads_asker *asker,
                     const struct status_order *order, struct order_row *row, struct error *error)
{
    struct entry_events entry;
    struct report lists;
    if (row->kind != KIND_SET && row->kind != KIND_JOB) {
        return 0;
    }
    int result = read_entry(replica, order->entered, &entry, error);
    if (result < 0) {
        return result;
    }
    put_leg_states(replica, row->order_id, entry.joined.legs, entry.joined.report.leg_rows);
    keep_lists(asker->rows, &entry.joined, &lists);
    row->legs = lists.legs;
    row->leg_rows = lists.leg_rows;
    row->lanes = lists.lanes;
    row->lane_rows = lists.lane_rows;
    return put_miss(replica, order, &entry, row, error);
}

/* --- order_status --------------------------------------------------------------------------- */

static int status_by_order(const struct replica *replica, const struct reads_asker *asker,
                           const struct request *request, struct message *message,
                           struct error *error)
{
    struct status_order order;
    uint32_t account = 0;
    struct order_status_answer *answer = &message->order_status;
    if (!status_order(replica->status, request->order_status.order_id, &order)) {
        reads_reject(request, REASON_NOT_FOUND, message);
        return 0;
    }
    int result = put_order(replica, &order, &answer->orders[0], &account, error);
    if (result < 0) {
        return result;
    }
    if (account != asker->account && !(asker->roles & ROLE_OPERATOR)) {
        reads_reject(request, REASON_NOT_FOUND, message);
        return 0;
    }
    answer->order_count = 1;
    answer->cl_ord_id = answer->orders[0].cl_ord_id;
    return put_lists(replica, asker, &order, &answer->orders[0], error);
}

/* The order that the answer to a request is about; 0: none. */
static uint64_t order_of(const struct event *event)
{
    if (event->head.type == EVENT_NEW) {
        return event->new_order.order_id;
    }
    if (event->head.type == EVENT_REPLACED) {
        return event->replaced.order_id;
    }
    if (event->head.type == EVENT_CANCELED) {
        return event->out.order_id;
    }
    if (event->head.type == EVENT_RANGE) {
        return event->range.order_id;
    }
    if (event->head.type == EVENT_SET) {
        return event->set.order_id;
    }
    if (event->head.type == EVENT_JOB) {
        return event->job.order_id;
    }
    return 0;
}

static int status_by_request(const struct replica *replica, const struct reads_asker *asker,
                             const struct request *request, struct message *message,
                             struct error *error)
{
    struct order_status_answer *answer = &message->order_status;
    uint64_t position = 0;
    enum status_found found =
        status_request(replica->status, asker->key, request->order_status.cl_ord_id, &position);
    answer->cl_ord_id = request->order_status.cl_ord_id;
    if (found == STATUS_REQUEST_UNKNOWN) {
        reads_reject(request, REASON_NOT_FOUND, message);
        return 0;
    }
    if (found == STATUS_REQUEST_PASSED_OVER) {
        answer->reason = REASON_NEVER_ENTERED;
        return 0;
    }
    struct event event;
    int result = reads_orders_event(replica, position, &event, error);
    if (result < 0) {
        return result;
    }
    struct report report;
    if (report_from_event(&replica->registry.names, &event, &report)) {
        answer->report_seq = report.report_seq;
        answer->request = report.request;
        answer->reason = event.head.type == EVENT_REJECTED ? report.reason : 0;
    }
    if (event.head.type == EVENT_CANCELED) {
        answer->request =
            event.out.reason == REASON_REPLACED_AWAY ? REQUEST_REPLACE_ORDER : REQUEST_CANCEL_ORDER;
    }
    struct status_order order;
    uint32_t account;
    if (status_order(replica->status, order_of(&event), &order)) {
        answer->order_count = 1;
        result = put_order(replica, &order, &answer->orders[0], &account, error);
    }
    if (result == 0 && answer->order_count == 1) {
        result = put_lists(replica, asker, &order, &answer->orders[0], error);
    }
    return result;
}

int reads_orders_status(const struct replica *replica, const struct reads_asker *asker,
                        const struct request *request, struct message *message, struct error *error)
{
    message->type = MESSAGE_ORDER_STATUS;
    message->order_status =
        (struct order_status_answer){.ref = request->ref, .seq = replica_seq(replica)};
    return request->order_status.order_id != 0
               ? status_by_order(replica, asker, request, message, error)
               : status_by_request(replica, asker, request, message, error);
}

/* --- live orders ---------------------------------------------------------------------------- */

/* The oldest orders found so far, by place of entry on the tape. */
struct oldest {
    struct status_order orders[CODEC_ROWS_MAX];
    uint32_t count;
    bool more; /* some did not fit */
};

static void keep_oldest(struct oldest *oldest, const struct status_order *order)
{
    uint32_t place = oldest->count;
    while (place > 0 && oldest->orders[place - 1].entered > order->entered) {
        place--;
    }
    bool full = oldest->count == CODEC_ROWS_MAX;
    oldest->more = oldest->more || full;
    if (place == CODEC_ROWS_MAX) {
        return;
    }
    oldest->count += !full;
    memmove(&oldest->orders[place + 1], &oldest->orders[place],
            (oldest->count - 1 - place) * sizeof(oldest->orders[0]));
    oldest->orders[place] = *order;
}

int reads_orders_live(const struct replica *replica, const struct reads_asker *asker,
                      const struct request *request, struct message *message, struct error *error)
{
    struct orders_answer *answer = &message->orders;
    message->type = MESSAGE_ORDERS;
    answer->ref = request->ref;
    answer->seq = replica_seq(replica);
    struct status_order after = {0};
    bool from_first = request->orders.after_order_id == 0;
    if (!from_first && !status_order(replica->status, request->orders.after_order_id, &after)) {
        reads_reject(request, REASON_NOT_FOUND, message);
        return 0;
    }
    /* The engine lists them key by key; as many as an account may have open. */
    struct oldest oldest = {0};
    uint64_t cursor = 0;
    struct engine_order live;
    while (engine_account_order(replica->engine, asker->account, &cursor, &live)) {
        struct status_order order;
        CHECK(status_order(replica->status, live.order_id, &order));
        if (from_first || order.entered > after.entered) {
            keep_oldest(&oldest, &order);
        }
    }
    answer->more = oldest.more;
    answer->order_count = oldest.count;
    for (uint32_t i = 0; i < oldest.count; i++) {
        uint32_t account;
        int result = put_order(replica, &oldest.orders[i], &answer->orders[i], &account, error);
        if (result < 0) {
            return result;
        }
    }
    return 0;
}

/* --- fills ---------------------------------------------------------------------------------- */

static void put_trade(const struct replica *replica, const struct event *event,
                      struct trade_row *row)
{
    const struct event_fill *fill = &event->fill;
    *row = (struct trade_row){.fill_id = fill->fill_id,
                              .order_id = fill->order_id,
                              .cl_ord_id = fill->party.cl_ord_id,
                              .seq = event->head.seq,
                              .time_ns = event->head.time_ns,
                              .price_e4 = fill->price_e4,
                              .qty = fill->qty,
                              .fee_e4 = fill->fee_e4,
                              .trade_group = fill->resting == FILL_AUCTION ? 0 : fill->trade_group,
                              .contingent = fill->contingent,
                              .resource = fill->resource,
                              .side = fill->side,
                              .liquidity = codec_liquidity(fill->resting),
                              .trade_tier = fill->trade_tier};
    (void)contract_format(&replica->registry.names, fill->contract, row->symbol);
}

/* Number of the account's first fill above the id; ids rise along the tape. */
static int first_fill(const struct replica *replica, uint32_t account, uint64_t after_fill_id,
                      size_t *number, struct error *error)
{
    size_t low = 0;
    size_t high = status_fill_count(replica->status, account);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct event event;
        int result = reads_orders_event(replica, status_fill(replica->status, account, middle),
                                        &event, error);
        if (result < 0) {
            return result;
        }
        if (event.fill.fill_id <= after_fill_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *number = low;
    return 0;
}

int reads_orders_trades(const struct replica *replica, const struct reads_asker *asker,
                        const struct request *request, struct message *message, struct error *error)
{
    struct trades_answer *answer = &message->trades;
    message->type = MESSAGE_TRADES;
    answer->ref = request->ref;
    answer->seq = replica_seq(replica);
    answer->trade_count = 0;
    size_t number = 0;
    int result = first_fill(replica, asker->account, request->trades.after_fill_id, &number, error);
    size_t count = status_fill_count(replica->status, asker->account);
    while (result == 0 && number < count && answer->trade_count < CODEC_ROWS_MAX) {
        struct event event;
        result = reads_orders_event(replica, status_fill(replica->status, asker->account, number++),
                                    &event, error);
        if (result == 0) {
            put_trade(replica, &event, &answer->trades[answer->trade_count++]);
        }
    }
    answer->more = number < count;
    return result;
}

/* --- reports -------------------------------------------------------------------------------- */

/* Bytes that a report without rows, and one row, take at most when encoded. */
#define REPORT_BYTES_MAX 1000
#define ROW_BYTES_MAX    100

static int put_report(const struct replica *replica, const struct reads_asker *asker,
                      uint64_t position, struct report *report, struct error *error)
{
    struct entry_events entry;
    struct event event;
    int result = reads_orders_event(replica, position, &event, error);
    if (result < 0) {
        return result;
    }
    CHECK(report_from_event(&replica->registry.names, &event, report));
    if (!report_is_joined(&event)) {
        return 0;
    }
    result = read_entry(replica, position, &entry, error);
    if (result == 0) {
        keep_lists(asker->rows, &entry.joined, report);
    }
    return result;
}

int reads_orders_reports(const struct replica *replica, const struct reads_asker *asker,
                         const struct request *request, struct message *message,
                         struct error *error)
{
    struct reports_answer *answer = &message->reports;
    message->type = MESSAGE_REPORTS;
    answer->ref = request->ref;
    answer->seq = replica_seq(replica);
    answer->highest_report_seq = status_report_highest(replica->status, asker->key);
    answer->report_count = 0;
    uint64_t report_seq = request->reports.from_report_seq;
    uint64_t position;
    uint32_t bytes = REPORT_BYTES_MAX; /* of the message around them, that is less */
    while (answer->report_count < CODEC_ROWS_MAX &&
           status_report(replica->status, asker->key, report_seq, &position)) {
        struct report *report = &answer->reports[answer->report_count];
        int result = put_report(replica, asker, position, report, error);
        if (result < 0) {
            return result;
        }
        bytes += REPORT_BYTES_MAX + (report->leg_rows + report->lane_rows) * ROW_BYTES_MAX;
        if (bytes > CODEC_MESSAGE_MAX) {
            break;
        }
        answer->report_count++;
        report_seq++;
    }
    answer->more = report_seq <= answer->highest_report_seq;
    return 0;
}
