#include "wire/report.h"

#include <string.h>

static void put_order(const struct contract_names *names, uint64_t contract, uint8_t side,
                      struct report *report)
{
    report->fields |= REPORT_ORDER;
    report->side = side;
    if (contract != 0) { /* of a whole SET or JOB there is none */
        (void)contract_format(names, contract, report->symbol);
    }
}

static void put_new(const struct contract_names *names, const struct event_new *event,
                    struct report *report)
{
    put_order(names, event->contract, event->side, report);
    report->exec_type = EXEC_NEW;
    report->ord_status = STATUS_NEW;
    report->request = REQUEST_NEW_ORDER;
    report->fields |= REPORT_ORD_TYPE | REPORT_TIF | REPORT_STP | REPORT_POST_ONLY;
    report->order_id = event->order_id;
    report->price_e4 = event->price_e4;
    report->order_qty = event->qty;
    report->leaves_qty = event->qty;
    report->min_qty = event->min_qty;
    report->display_qty = event->display_qty;
    report->job_lead_hours = event->job_lead_hours;
    report->reserved_for_jobs = (event->flags & ORDER_RESERVED_FOR_JOBS) != 0;
    report->expire_time_ns = event->expire_time_ns;
    report->reserved_e4 = event->reserved_e4;
    report->resource = event->resource;
    report->ord_type = event->ord_type;
    report->tif = event->tif;
    report->stp = event->stp;
    report->post_only = (event->flags & ORDER_POST_ONLY) != 0;
}

static void put_range(const struct contract_names *names, const struct event_range *event,
                      struct report *report)
{
    static const uint8_t exec_types[] = {[RANGE_ENTERED] = EXEC_NEW,
                                         [RANGE_REPLACED] = EXEC_REPLACED,
                                         [RANGE_CANCELED] = EXEC_CANCELED};
    static const uint8_t requests[] = {[RANGE_ENTERED] = REQUEST_NEW_RANGE,
                                       [RANGE_REPLACED] = REQUEST_REPLACE_ORDER,
                                       [RANGE_CANCELED] = REQUEST_CANCEL_ORDER};
    const uint8_t done = event->done <= RANGE_CANCELED ? event->done : RANGE_CANCELED;
    report->exec_type = exec_types[done];
    report->request = requests[done];
    report->ord_status = done == RANGE_CANCELED ? STATUS_CANCELED : STATUS_NEW;
    report->reason = done == RANGE_CANCELED ? REASON_REQUESTED : 0;
    (void)contract_format(names, event->contract, report->symbol);
    report->order_id = event->order_id;
    report->orig_cl_ord_id = done == RANGE_ENTERED ? 0 : event->orig_cl_ord_id;
    report->price_e4 = event->price_e4;
    report->order_qty = event->qty;
    report->hours = event->hours;
    report->orders = event->orders;
    if (done == RANGE_ENTERED) {
        report->fields |= REPORT_STP | REPORT_POST_ONLY;
    }
    report->resource = event->resource;
    report->reserved_e4 = event->reserved_e4;
    report->job_lead_hours = event->job_lead_hours;
    report->stp = event->stp;
    report->post_only = (event->flags & ORDER_POST_ONLY) != 0;
}

static void put_set(const struct event_set *event, struct report *report)
{
    report->exec_type = EXEC_NEW;
    report->ord_status = STATUS_NEW;
    report->request = REQUEST_NEW_SET;
    report->fields |= REPORT_ORDER | REPORT_TIF | REPORT_STP | REPORT_POST_ONLY;
    report->side = SIDE_BUY;
    report->order_id = event->order_id;
    report->order_qty = event->qty;
    report->leaves_qty = event->qty;
    report->min_qty = event->min_qty;
    report->expire_time_ns = event->expire_time_ns;
    report->reserved_e4 = event->reserved_e4;
    report->tif = event->tif;
    report->stp = event->stp;
    report->post_only = (event->flags & ORDER_POST_ONLY) != 0;
}

static void put_job(const struct event_job *event, struct report *report)
{
    report->exec_type = EXEC_NEW;
    report->ord_status = STATUS_NEW;
    report->request = REQUEST_NEW_JOB;
    report->fields |= REPORT_ORDER | REPORT_TIF | REPORT_PLACEMENT;
    report->side = SIDE_BUY;
    report->order_id = event->order_id;
    report->price_e4 = event->price_e4;
    report->gpus = event->qty;
    report->order_qty = event->qty * event->hours; /* at most 1e9 x 840 */
    report->leaves_qty = report->order_qty;
    report->expire_time_ns = event->expire_time_ns;
    report->same_group = event->same_group;
    report->reserved_e4 = event->reserved_e4;
    report->window_from = event->window_from;
    report->window_to = event->window_to;
    report->hours = event->hours;
    report->placement = event->placement;
    report->tif = event->tif;
}

static void put_miss(const struct contract_names *names, const struct event_miss *event,
                     struct report *report)
{
    report->exec_type = EXEC_MISS;
    report->fields |= REPORT_MISS;
    report->order_id = event->order_id;
    report->leg = event->leg;
    report->miss_qty = event->qty;
    report->miss_wanted_qty = event->wanted_qty;
    if (event->contract != 0) {
        (void)contract_format(names, event->contract, report->miss_symbol);
    }
}

static uint8_t open_status(int64_t cum_qty)
{
    return cum_qty > 0 ? STATUS_PARTIALLY_FILLED : STATUS_NEW;
}

static void put_replaced(const struct contract_names *names, const struct event_replaced *event,
                         struct report *report)
{
    put_order(names, event->contract, event->side, report);
    report->exec_type = EXEC_REPLACED;
    report->ord_status = open_status(event->cum_qty);
    report->request = REQUEST_REPLACE_ORDER;
    report->order_id = event->order_id;
    report->orig_cl_ord_id = event->orig_cl_ord_id;
    report->price_e4 = event->price_e4;
    report->order_qty = event->leaves_qty + event->cum_qty;
    report->leaves_qty = event->leaves_qty;
    report->cum_qty = event->cum_qty;
    report->kept_priority = event->kept_priority;
    if (report->order_qty != event->qty) { /* a JOB's: the order's quantity counts GPU-hours */
        report->gpus = event->qty;
    }
}

static void put_out(const struct contract_names *names, const struct event *event,
                    struct report *report)
{
    const struct event_out *out = &event->out;
    put_order(names, out->contract, out->side, report);
    report->order_id = out->order_id;
    report->orig_cl_ord_id = out->orig_cl_ord_id;
    report->price_e4 = out->price_e4;
    report->order_qty = out->cum_qty + out->leaves_qty + out->qty;
    report->last_qty = out->qty;
    report->leaves_qty = out->leaves_qty;
    report->cum_qty = out->cum_qty;
    report->reason = out->reason;
    if (event->head.type == EVENT_RESTATED) {
        report->exec_type = EXEC_RESTATED;
        report->ord_status = open_status(out->cum_qty);
    } else if (event->head.type == EVENT_LEG_CANCELED || event->head.type == EVENT_RELEASED) {
        report->exec_type = event->head.type == EVENT_RELEASED ? EXEC_RELEASED : EXEC_LEG_CANCELED;
        report->ord_status = open_status(out->cum_qty);
    } else if (out->reason == REASON_EXPIRED || out->reason == REASON_GATE_CLOSED) {
        report->exec_type = EXEC_EXPIRED;
        report->ord_status = STATUS_EXPIRED;
    } else {
        report->exec_type = EXEC_CANCELED;
        report->ord_status = STATUS_CANCELED;
    }
}

static void put_fill(const struct contract_names *names, const struct event_fill *event,
                     struct report *report)
{
    put_order(names, event->contract, event->side, report);
    report->exec_type = EXEC_TRADE;
    report->ord_status = event->leaves_qty == 0 ? STATUS_FILLED : STATUS_PARTIALLY_FILLED;
    report->fields |= REPORT_TRADE;
    report->order_id = event->order_id;
    report->exec_id = event->fill_id;
    report->last_px_e4 = event->price_e4;
    report->last_qty = event->qty;
    report->order_qty = event->cum_qty + event->leaves_qty;
    report->leaves_qty = event->leaves_qty;
    report->cum_qty = event->cum_qty;
    report->fee_e4 = event->fee_e4;
    report->resource = event->resource;
    report->trade_tier = event->trade_tier;
    report->trade_group = event->resting == FILL_AUCTION ? 0 : event->trade_group;
    report->contingent = event->contingent;
    report->liquidity = codec_liquidity(event->resting);
}

static bool enters_order(uint8_t command)
{
    return command == COMMAND_NEW_ORDER || command == COMMAND_NEW_RANGE ||
           command == COMMAND_NEW_SET || command == COMMAND_NEW_JOB ||
           command == COMMAND_TAKE_OFFER;
}

static void put_rejected(const struct contract_names *names, const struct event_rejected *event,
                         struct report *report)
{
    report->exec_type = EXEC_REJECTED;
    report->ord_status = enters_order(event->request) ? STATUS_REJECTED : STATUS_NONE;
    report->leg = event->leg;
    report->field = event->field;
    if (event->contract != 0) {
        (void)contract_format(names, event->contract, report->symbol);
    }
    report->request = event->request;
    report->order_id = event->order_id;
    report->reason = event->reason;
    report->value = event->value;
    report->bound = event->bound;
}

static void put_done(uint8_t request, uint32_t id, struct report *report)
{
    report->exec_type = EXEC_DONE;
    report->request = request;
    report->id = id;
}

static void put_cash(const struct event_cash *event, struct report *report)
{
    put_done(event->request, 0, report);
    report->account = event->account;
    report->cash_e4 = event->cash_e4;
    report->credit_e4 = event->credit_e4;
}

/* The answers to an operator's requests. False: the event is no answer. */
static bool put_registry(const struct event *event, struct report *report)
{
    switch ((enum event_type)event->head.type) {
    case EVENT_CLASS:
        put_done(REQUEST_REGISTER_CLASS, event->class_.class_id + 1U, report);
        return true;
    case EVENT_REGION:
        put_done(REQUEST_REGISTER_REGION, event->region.region_id + 1U, report);
        return true;
    case EVENT_MARKET:
        put_done(REQUEST_SET_MARKET, 0, report);
        return true;
    case EVENT_GROUP:
        put_done(REQUEST_REGISTER_GROUP, event->group.group, report);
        return true;
    case EVENT_ACCOUNT:
        put_done(REQUEST_OPEN_ACCOUNT, event->account.account, report);
        return true;
    case EVENT_KEY:
        put_done(REQUEST_REGISTER_KEY, event->key.key, report);
        return true;
    case EVENT_KEY_REVOKED:
        put_done(REQUEST_REVOKE_KEY, event->key.key, report);
        return true;
    case EVENT_RESOURCE:
        put_done(REQUEST_REGISTER_RESOURCE, event->resource.resource, report);
        return true;
    case EVENT_FEES:
        put_done(REQUEST_REGISTER_FEES, event->fees.fees, report);
        return true;
    case EVENT_LIMITS:
        put_done(REQUEST_SET_LIMITS, 0, report);
        report->account = event->limits.account;
        return true;
    case EVENT_REFERENCE:
        put_done(REQUEST_SET_REFERENCE, 0, report);
        return true;
    case EVENT_HALT:
        put_done(event->halt.halted != 0 ? REQUEST_HALT : REQUEST_RESUME, 0, report);
        return true;
    case EVENT_KILL:
        put_done(event->kill.killed != 0 ? REQUEST_KILL : REQUEST_REVIVE, 0, report);
        report->account = event->kill.account;
        return true;
    case EVENT_CASH:
        put_cash(&event->cash, report);
        return true;
    case EVENT_TIME: /* of a tick it has no party and is nobody's */
        put_done(REQUEST_ADVANCE, 0, report);
        return true;
    case EVENT_DONE:
        put_done(0, 0, report);
        return true;
    case EVENT_GENESIS:
    case EVENT_LINK:
    case EVENT_LOGIN:
    case EVENT_LOGOUT:
    case EVENT_NEW:
    case EVENT_REPLACED:
    case EVENT_CANCELED:
    case EVENT_RESTATED:
    case EVENT_FILL:
    case EVENT_REJECTED:
    case EVENT_TRADE:
    case EVENT_MASS_CANCEL:
    case EVENT_SWEEP_DONE:
    case EVENT_RESOURCE_IDENTITY:
    case EVENT_RANGE:
    case EVENT_SET:
    case EVENT_SET_LEGS:
    case EVENT_LEG_CANCELED:
    case EVENT_JOB:
    case EVENT_JOB_LANES:
    case EVENT_MISS:
    case EVENT_REFRESHED:
    case EVENT_RELEASED:
    case EVENT_AUCTION:
        break;
    }
    return false;
}

static bool put_event(const struct contract_names *names, const struct event *event,
                      struct report *report)
{
    switch (event->head.type) {
    case EVENT_NEW:
        put_new(names, &event->new_order, report);
        return true;
    case EVENT_REPLACED:
        put_replaced(names, &event->replaced, report);
        return true;
    case EVENT_CANCELED:
    case EVENT_RESTATED:
    case EVENT_LEG_CANCELED:
    case EVENT_RELEASED:
        put_out(names, event, report);
        return true;
    case EVENT_RANGE:
        put_range(names, &event->range, report);
        return true;
    case EVENT_SET:
        put_set(&event->set, report);
        return true;
    case EVENT_JOB:
        put_job(&event->job, report);
        return true;
    case EVENT_MISS:
        put_miss(names, &event->miss, report);
        return true;
    case EVENT_FILL:
        put_fill(names, &event->fill, report);
        return true;
    case EVENT_REJECTED:
        put_rejected(names, &event->rejected, report);
        return true;
    case EVENT_MASS_CANCEL:
    case EVENT_SWEEP_DONE:
        report->exec_type =
            event->head.type == EVENT_MASS_CANCEL ? EXEC_MASS_CANCEL : EXEC_SWEEP_DONE;
        report->request = REQUEST_MASS_CANCEL;
        report->canceled_orders = event->sweep.canceled;
        return true;
    default:
        return put_registry(event, report);
    }
}

bool report_from_event(const struct contract_names *names, const struct event *event,
                       struct report *report)
{
    if (!event_has_party(event) || event->party.key == 0) {
        return false;
    }
    memset(report, 0, sizeof *report);
    report->seq = event->head.seq;
    report->transact_time_ns = event->head.time_ns;
    report->report_seq = event->party.report_seq;
    report->cl_ord_id = event->party.cl_ord_id;
    return put_event(names, event, report);
}

/* --- with legs or lanes ----------------------------------------------------------------------------- */

bool report_is_joined(const struct event *event)
{
    const uint8_t type = event->head.type;
    return type == EVENT_SET || type == EVENT_JOB || type == EVENT_SET_LEGS ||
           type == EVENT_JOB_LANES;
}

static void add_legs(struct report_joined *joined, const struct contract_names *names,
                     const struct event_set_legs *event)
{
    for (uint32_t i = 0; i < SET_LEGS_PER_EVENT && joined->count < joined->expected; i++) {
        const struct set_leg *leg = &event->legs[i];
        struct leg_row *row = &joined->legs[joined->count++];
        *row = (struct leg_row){.price_e4 = leg->price_e4, .leg = (uint8_t)leg->leg};
        (void)contract_format(names, leg->contract, row->symbol);
    }
    joined->report.legs = joined->legs;
    joined->report.leg_rows = joined->count;
}

static void add_lanes(struct report_joined *joined, const struct contract_names *names,
                      const struct event_job_lanes *event)
{
    for (uint32_t i = 0; i < JOB_LANES_PER_EVENT && joined->count < joined->expected; i++) {
        const struct job_lane *lane = &event->lanes[i];
        struct lane_row *row = &joined->lanes[joined->count++];
        *row =
            (struct lane_row){.factor_e4 = lane->factor_e4, .tier = lane->tier, .lane = lane->lane};
        if (lane->class_id < names->class_count && lane->region_id < names->region_count) {
            memcpy(row->class_name, names->classes[lane->class_id], NAME_SIZE);
            memcpy(row->region, names->regions[lane->region_id], NAME_SIZE);
        }
    }
    joined->report.lanes = joined->lanes;
    joined->report.lane_rows = joined->count;
}

bool report_join(struct report_joined *joined, const struct contract_names *names,
                 const struct event *event)
{
    const uint8_t type = event->head.type;
    if (type == EVENT_SET || type == EVENT_JOB) {
        joined->expected = type == EVENT_SET ? event->set.leg_count : event->job.lane_count;
        joined->count = 0;
        joined->key = event->party.key;
        if (joined->expected > (type == EVENT_SET ? SET_LEGS_MAX : JOB_LANES_MAX) ||
            !report_from_event(names, event, &joined->report)) {
            joined->expected = 0;
        }
        return false;
    }
    const bool legs = type == EVENT_SET_LEGS;
    const uint64_t order_id = legs ? event->set_legs.order_id : event->job_lanes.order_id;
    if (joined->count == joined->expected || joined->report.order_id != order_id ||
        legs != (joined->report.request == REQUEST_NEW_SET)) {
        return false;
    }
    if (legs) {
        add_legs(joined, names, &event->set_legs);
    } else {
        add_lanes(joined, names, &event->job_lanes);
    }
    return joined->count == joined->expected;
}
