#include "exchange/reads_row.h"

static void enter_plain(const struct replica *replica, const struct event_new *order,
                        struct order_row *row)
{
    row->order_id = order->order_id;
    row->min_qty = order->min_qty;
    row->expire_time_ns = order->expire_time_ns;
    row->resource = order->resource;
    row->side = order->side;
    row->ord_type = order->ord_type;
    row->tif = order->tif;
    row->stp = order->stp;
    row->post_only = (order->flags & ORDER_POST_ONLY) != 0;
    row->display_qty = order->display_qty;
    row->job_lead_hours = order->job_lead_hours;
    row->reserved_for_jobs = (order->flags & ORDER_RESERVED_FOR_JOBS) != 0;
    (void)contract_format(&replica->registry.names, order->contract, row->symbol);
}

static void enter_range(const struct replica *replica, const struct event_range *range,
                        struct order_row *row)
{
    row->kind = KIND_RANGE;
    row->order_id = range->order_id;
    row->hours = range->hours;
    row->resource = range->resource;
    row->job_lead_hours = range->job_lead_hours;
    row->side = SIDE_SELL;
    row->stp = range->stp;
    row->post_only = (range->flags & ORDER_POST_ONLY) != 0;
    (void)contract_format(&replica->registry.names, range->contract, row->symbol);
}

static void enter_set(const struct event_set *set, struct order_row *row)
{
    row->kind = KIND_SET;
    row->order_id = set->order_id;
    row->min_qty = set->min_qty;
    row->expire_time_ns = set->expire_time_ns;
    row->leg_count = set->leg_count;
    row->tif = set->tif;
    row->stp = set->stp;
    row->post_only = (set->flags & ORDER_POST_ONLY) != 0;
}

static void enter_job(const struct event_job *job, struct order_row *row)
{
    row->kind = KIND_JOB;
    row->order_id = job->order_id;
    row->expire_time_ns = job->expire_time_ns;
    row->same_group = job->same_group;
    row->lane_count = job->lane_count;
    row->window_from = job->window_from;
    row->window_to = job->window_to;
    row->hours = job->hours;
    row->placement = job->placement;
    row->placed = 1;
    row->tif = job->tif;
}

void reads_row_entered(const struct replica *replica, const struct event *event,
                       struct order_row *row)
{
    row->time_ns = event->head.time_ns;
    row->key = event->party.key;
    if (event->head.type == EVENT_RANGE) {
        enter_range(replica, &event->range, row);
    } else if (event->head.type == EVENT_SET) {
        enter_set(&event->set, row);
    } else if (event->head.type == EVENT_JOB) {
        enter_job(&event->job, row);
    } else {
        enter_plain(replica, &event->new_order, row);
    }
}

/* GPU-hours of a JOB; the quantity of anything else. */
static int64_t whole_qty(const struct order_row *row, int64_t qty)
{
    return row->kind == KIND_JOB ? qty * row->hours : qty;
}

void reads_row_terms(const struct event *event, struct order_row *row)
{
    int64_t qty = event->new_order.qty;
    row->cl_ord_id = event->party.cl_ord_id;
    row->price_e4 = event->new_order.price_e4;
    if (event->head.type == EVENT_REPLACED) {
        row->price_e4 = row->kind == KIND_SET ? 0 : event->replaced.price_e4;
        qty = event->replaced.qty;
    } else if (event->head.type == EVENT_RANGE) {
        row->price_e4 = event->range.price_e4;
        qty = event->range.qty;
    } else if (event->head.type == EVENT_SET) {
        row->price_e4 = 0; /* each leg has its own */
        qty = event->set.qty;
    } else if (event->head.type == EVENT_JOB) {
        row->price_e4 = event->job.price_e4;
        qty = event->job.qty;
    }
    row->order_qty = whole_qty(row, qty);
    row->gpus = row->kind == KIND_JOB ? qty : 0;
}

/* A range has no quantity of its own that is left: its offers have. */
static void put_range_state(const struct replica *replica, const struct event *event,
                            struct order_row *row)
{
    struct engine_order live;
    if (event->range.done == RANGE_CANCELED) {
        row->ord_status = STATUS_CANCELED;
        row->reason = REASON_REQUESTED;
    } else if (engine_order(replica->engine, row->order_id, &live)) {
        row->ord_status = STATUS_NEW;
    }
}

void reads_row_last(const struct replica *replica, const struct event *event, struct order_row *row)
{
    row->seq = event->head.seq;
    if (row->kind == KIND_RANGE) {
        put_range_state(replica, event, row);
        return;
    }
    if (event->head.type == EVENT_NEW || event->head.type == EVENT_SET ||
        event->head.type == EVENT_JOB) {
        row->leaves_qty = row->order_qty;
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
