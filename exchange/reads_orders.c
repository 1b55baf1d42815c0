#include "exchange/reads_orders.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
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

static void put_entered(const struct replica *replica, const struct event *event,
                        struct order_row *row)
{
    const struct event_new *order = &event->new_order;
    row->order_id = order->order_id;
    row->time_ns = event->head.time_ns;
    row->min_qty = order->min_qty;
    row->expire_time_ns = order->expire_time_ns;
    row->resource = order->resource;
    row->key = order->party.key;
    row->side = order->side;
    row->ord_type = order->ord_type;
    row->tif = order->tif;
    row->stp = order->stp;
    row->post_only = (order->flags & ORDER_POST_ONLY) != 0;
    (void)contract_format(&replica->registry.names, order->contract, row->symbol);
}

static void put_terms(const struct event *event, struct order_row *row)
{
    row->cl_ord_id = event->party.cl_ord_id;
    if (event->head.type == EVENT_REPLACED) {
        row->price_e4 = event->replaced.price_e4;
        row->order_qty = event->replaced.qty;
    } else {
        row->price_e4 = event->new_order.price_e4;
        row->order_qty = event->new_order.qty;
    }
}

static void put_last(const struct event *event, struct order_row *row)
{
    row->seq = event->head.seq;
    if (event->head.type == EVENT_NEW) {
        row->leaves_qty = event->new_order.qty;
    } else if (event->head.type == EVENT_REPLACED) {
        row->leaves_qty = event->replaced.leaves_qty;
        row->cum_qty = event->replaced.cum_qty;
    } else if (event->head.type == EVENT_FILL) {
        row->leaves_qty = event->fill.leaves_qty;
        row->cum_qty = event->fill.cum_qty;
    } else {
        row->leaves_qty = event->out.leaves_qty;
        row->cum_qty = event->out.cum_qty;
    }
    if (event->head.type == EVENT_CANCELED) {
        row->reason = event->out.reason;
        bool expired = row->reason == REASON_EXPIRED || row->reason == REASON_GATE_CLOSED;
        row->ord_status = expired ? STATUS_EXPIRED : STATUS_CANCELED;
    } else if (row->leaves_qty == 0) {
        row->ord_status = STATUS_FILLED;
    } else {
        row->ord_status = row->cum_qty > 0 ? STATUS_PARTIALLY_FILLED : STATUS_NEW;
    }
}

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
    put_entered(replica, &event, row);
    put_terms(&event, row);
    if (order->terms != order->entered) {
        result = reads_orders_event(replica, order->terms, &event, error);
        if (result < 0) {
            return result;
        }
        put_terms(&event, row);
    }
    result = reads_orders_event(replica, order->last, &event, error);
    if (result < 0) {
        return result;
    }
    put_last(&event, row);
    row->notional_e4 = order->notional_e4;
    row->fee_e4 = order->fee_e4;
    return 0;
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
    return 0;
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
                              .resource = fill->resource,
                              .side = fill->side,
                              .liquidity = fill->resting ? LIQUIDITY_MAKER : LIQUIDITY_TAKER,
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
    while (answer->report_count < CODEC_ROWS_MAX &&
           status_report(replica->status, asker->key, report_seq, &position)) {
        struct event event;
        int result = reads_orders_event(replica, position, &event, error);
        if (result < 0) {
            return result;
        }
        CHECK(report_from_event(&replica->registry.names, &event,
                                &answer->reports[answer->report_count]));
        answer->report_count++;
        report_seq++;
    }
    answer->more = report_seq <= answer->highest_report_seq;
    return 0;
}
