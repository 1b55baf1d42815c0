#include "tests/model_audit_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model.h"

/* What stands, or may stand, in a book: an order, or a leg of a SET. */
struct standing {
    uint64_t order_id;
    uint64_t contract;
    int64_t price_e4;
    int64_t leaves_qty; /* leg: the SET's balance */
    uint8_t leg;        /* 0: not a leg */
    uint8_t side;
    bool reserved; /* stands apart, for JOBs only */
};

struct ordered_job {
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty;
    uint32_t window_from;
    uint32_t window_to;
    uint16_t hours;
    uint8_t placement;
    uint8_t lane_count;
    struct job_lane lanes[JOB_LANES_MAX];
};

/* The JOB whose fills are coming. */
struct under_way {
    uint64_t order_id;
    uint64_t trade_group;
    uint64_t first; /* contract of the first hour */
    uint32_t resource;
    int64_t qty[JOB_HOURS_MAX]; /* by hour from the first */
    model_wide cost;            /* sum of price x quantity */
};

struct model_audit_job {
    struct standing *orders;
    size_t order_count;
    size_t order_capacity;
    struct ordered_job *jobs;
    size_t job_count;
    size_t job_capacity;
    struct under_way filling;
    int64_t set_qty; /* of the SET whose legs come */
    uint32_t lots[CLASS_COUNT_MAX];
};

struct model_audit_job *model_audit_job_new(void)
{
    struct model_audit_job *audit = calloc(1, sizeof(*audit));
    CHECK(audit != NULL);
    return audit;
}

void model_audit_job_free(struct model_audit_job *audit)
{
    if (audit != NULL) {
        free(audit->orders);
        free(audit->jobs);
        free(audit);
    }
}

static void add_standing(struct model_audit_job *audit, struct standing standing)
{
    if (audit->order_count == audit->order_capacity) {
        audit->order_capacity = audit->order_capacity == 0 ? 256 : audit->order_capacity * 2;
        audit->orders = realloc(audit->orders, audit->order_capacity * sizeof(*audit->orders));
        CHECK(audit->orders != NULL);
    }
    audit->orders[audit->order_count++] = standing;
}

static struct standing *find_standing(struct model_audit_job *audit, uint64_t order_id)
{
    for (size_t i = 0; i < audit->order_count; i++) {
        if (audit->orders[i].order_id == order_id) {
            return &audit->orders[i];
        }
    }
    return NULL;
}

/* The order, or the SET with all its legs, is over. */
static void drop_standing(struct model_audit_job *audit, uint64_t order_id)
{
    for (size_t i = 0; i < audit->order_count;) {
        if (audit->orders[i].order_id == order_id) {
            audit->orders[i] = audit->orders[--audit->order_count];
        } else {
            i++;
        }
    }
}

static void drop_leg(struct model_audit_job *audit, uint64_t order_id, uint64_t contract)
{
    for (size_t i = 0; i < audit->order_count; i++) {
        if (audit->orders[i].order_id == order_id && audit->orders[i].contract == contract) {
            audit->orders[i] = audit->orders[--audit->order_count];
            return;
        }
    }
}

static struct ordered_job *find_job(struct model_audit_job *audit, uint64_t order_id)
{
    for (size_t i = 0; i < audit->job_count; i++) {
        if (audit->jobs[i].order_id == order_id) {
            return &audit->jobs[i];
        }
    }
    return NULL;
}

static void drop_job(struct model_audit_job *audit, uint64_t order_id)
{
    struct ordered_job *job = find_job(audit, order_id);
    if (job != NULL) {
        *job = audit->jobs[--audit->job_count];
    }
}

static void take_job(struct model_audit_job *audit, const struct event *event)
{
    const struct event_job *ordered = &event->job;
    if (audit->job_count == audit->job_capacity) {
        audit->job_capacity = audit->job_capacity == 0 ? 64 : audit->job_capacity * 2;
        audit->jobs = realloc(audit->jobs, audit->job_capacity * sizeof(*audit->jobs));
        CHECK(audit->jobs != NULL);
    }
    audit->jobs[audit->job_count++] = (struct ordered_job){.order_id = ordered->order_id,
                                                           .price_e4 = ordered->price_e4,
                                                           .qty = ordered->qty,
                                                           .window_from = ordered->window_from,
                                                           .window_to = ordered->window_to,
                                                           .hours = ordered->hours,
                                                           .placement = ordered->placement};
}

static void take_lanes(struct model_audit_job *audit, const struct event *event)
{
    struct ordered_job *job = find_job(audit, event->job_lanes.order_id);
    model_audit_require(job != NULL, event, "lanes follow their JOB");
    for (int i = 0; i < JOB_LANES_PER_EVENT; i++) {
        const struct job_lane *lane = &event->job_lanes.lanes[i];
        if (lane->lane != 0) {
            model_audit_require(lane->lane == job->lane_count + 1, event,
                                "lanes are numbered from 1");
            job->lanes[job->lane_count++] = *lane;
        }
    }
}

static void take_legs(struct model_audit_job *audit, const struct event *event)
{
    for (int i = 0; i < SET_LEGS_PER_EVENT; i++) {
        const struct set_leg *leg = &event->set_legs.legs[i];
        if (leg->leg != 0) {
            add_standing(audit, (struct standing){.order_id = event->set_legs.order_id,
                                                  .contract = leg->contract,
                                                  .price_e4 = leg->price_e4,
                                                  .leaves_qty = audit->set_qty,
                                                  .leg = (uint8_t)leg->leg,
                                                  .side = SIDE_BUY});
        }
    }
}

/* The balance, or open quantity, is known from now on. */
static void set_leaves(struct model_audit_job *audit, uint64_t order_id, int64_t leaves_qty)
{
    for (size_t i = 0; i < audit->order_count; i++) {
        if (audit->orders[i].order_id == order_id) {
            audit->orders[i].leaves_qty = leaves_qty;
        }
    }
}

/* Neither an order nor a leg that is awake. */
static void nobody_is_passed(struct model_audit_job *audit, const struct event *event)
{
    const struct event_trade *trade = &event->trade;
    const struct standing *offer = find_standing(audit, trade->sell_order_id);
    model_audit_require(offer != NULL, event, "what a JOB takes stands");
    for (size_t i = 0; i < audit->order_count && !offer->reserved; i++) {
        const struct standing *bid = &audit->orders[i];
        bool awake = bid->leaves_qty >= audit->lots[contract_class(bid->contract)];
        model_audit_require(bid->side != SIDE_BUY || bid->price_e4 < trade->price_e4 || !awake ||
                                contract_with_tier(bid->contract, 0) !=
                                    contract_with_tier(trade->contract, 0) ||
                                contract_tier(bid->contract) > trade->offer_tier,
                            event, "a JOB takes no offer past a bid that could have had it");
    }
}

static void take_contingent(struct model_audit_job *audit, const struct event *event)
{
    const struct event_trade *trade = &event->trade;
    struct under_way *filling = &audit->filling;
    const struct ordered_job *job = find_job(audit, trade->buy_order_id);
    model_audit_require(job != NULL, event, "a contingent fill is a live JOB's");
    if (filling->order_id == 0) {
        memset(filling, 0, sizeof(*filling));
        filling->order_id = trade->buy_order_id;
        filling->trade_group = trade->fill_id;
        filling->first = trade->contract;
        filling->resource = trade->resource;
    }
    model_audit_require(filling->order_id == trade->buy_order_id, event,
                        "a JOB is filled in one go");
    model_audit_require(filling->trade_group == trade->trade_group, event,
                        "its fills share a trade group");
    model_audit_require(trade->aggressor == SIDE_BUY, event, "a JOB is the aggressor");
    model_audit_require(job->placement == PLACEMENT_ANY || filling->resource == trade->resource,
                        event, "one resource holds the JOB");
    uint64_t hour = contract_hour(trade->contract) - (uint64_t)contract_hour(filling->first);
    model_audit_require(trade->contract - filling->first == hour && hour < job->hours, event,
                        "the JOB's fills are in one lane and in its hours");
    filling->qty[hour] += trade->qty;
    filling->cost += (model_wide)trade->price_e4 * trade->qty;
    nobody_is_passed(audit, event);
}

static const struct job_lane *lane_of(const struct ordered_job *job, uint64_t contract)
{
    for (uint32_t i = 0; i < job->lane_count; i++) {
        const struct job_lane *lane = &job->lanes[i];
        if (contract_pack(lane->class_id, lane->region_id, lane->tier, contract_hour(contract)) ==
            contract) {
            return lane;
        }
    }
    return NULL;
}

/* All of the JOB, exactly, within what it would pay. */
static void job_is_whole(struct model_audit_job *audit, const struct event *event)
{
    struct under_way *filling = &audit->filling;
    const struct ordered_job *job = find_job(audit, filling->order_id);
    const struct job_lane *lane = lane_of(job, filling->first);
    uint32_t start = contract_hour(filling->first);
    model_audit_require(lane != NULL, event, "the JOB has that lane");
    model_audit_require(start >= job->window_from && start + job->hours <= job->window_to, event,
                        "the JOB keeps to its window");
    for (uint32_t i = 0; i < job->hours; i++) {
        model_audit_require(filling->qty[i] == job->qty, event,
                            "every hour of the JOB has all its GPUs");
    }
    model_audit_require(filling->cost * lane->factor_e4 <=
                            (model_wide)job->price_e4 * job->qty * job->hours * E4_ONE,
                        event, "the JOB pays no more than its limit");
    drop_job(audit, filling->order_id);
    filling->order_id = 0;
}

static void take_fill(struct model_audit_job *audit, const struct event *event)
{
    const struct event_fill *fill = &event->fill;
    if (fill->contingent != 0 && fill->side == SIDE_BUY) {
        model_audit_require(fill->trade_group == audit->filling.trade_group, event,
                            "a JOB's fill names its trade group");
        if (fill->leaves_qty == 0) {
            job_is_whole(audit, event);
        }
        return;
    }
    struct standing *order = find_standing(audit, fill->order_id);
    model_audit_require(order != NULL, event, "what trades stands or arrives");
    set_leaves(audit, fill->order_id, fill->leaves_qty);
    if (fill->leaves_qty == 0) {
        drop_standing(audit, fill->order_id);
    }
}

static void take_replaced(struct model_audit_job *audit, const struct event *event)
{
    struct ordered_job *job = find_job(audit, event->replaced.order_id);
    if (job != NULL) {
        job->price_e4 = event->replaced.price_e4;
        job->qty = event->replaced.qty;
        return;
    }
    set_leaves(audit, event->replaced.order_id, event->replaced.leaves_qty);
    struct standing *order = find_standing(audit, event->replaced.order_id);
    if (order != NULL && order->leg == 0) {
        order->price_e4 = event->replaced.price_e4;
    }
}

static void take_end(struct model_audit_job *audit, const struct event *event)
{
    const struct ordered_job *job = find_job(audit, event->out.order_id);
    if (job != NULL) {
        model_audit_require(event->out.qty == job->qty * job->hours && event->out.cum_qty == 0,
                            event, "a JOB that ends unfilled is untouched");
        drop_job(audit, event->out.order_id);
        return;
    }
    drop_standing(audit, event->out.order_id);
}

/* Between the fills of one JOB comes nothing but fills and refreshed icebergs. */
static void nothing_comes_between(const struct model_audit_job *audit, const struct event *event)
{
    model_audit_require(
        audit->filling.order_id == 0 ||
            (event->head.type == EVENT_TRADE && event->trade.condition == TRADE_CONTINGENT) ||
            event->head.type == EVENT_FILL || event->head.type == EVENT_REFRESHED,
        event, "a JOB is filled whole before anything else happens");
}

void model_audit_job_event(struct model_audit_job *audit, const struct event *event)
{
    nothing_comes_between(audit, event);
    switch (event->head.type) {
    case EVENT_NEW:
        add_standing(audit, (struct standing){.order_id = event->new_order.order_id,
                                              .contract = event->new_order.contract,
                                              .price_e4 = event->new_order.price_e4,
                                              .leaves_qty = event->new_order.qty,
                                              .side = event->new_order.side,
                                              .reserved = (event->new_order.flags &
                                                           ORDER_RESERVED_FOR_JOBS) != 0});
        return;
    case EVENT_CLASS:
        audit->lots[event->class_.class_id] = event->class_.lot;
        return;
    case EVENT_RESTATED:
        set_leaves(audit, event->out.order_id, event->out.leaves_qty);
        return;
    case EVENT_SET:
        audit->set_qty = event->set.qty;
        return;
    case EVENT_SET_LEGS:
        take_legs(audit, event);
        return;
    case EVENT_JOB:
        take_job(audit, event);
        return;
    case EVENT_JOB_LANES:
        take_lanes(audit, event);
        return;
    case EVENT_RELEASED:
        find_standing(audit, event->out.order_id)->reserved = false;
        return;
    case EVENT_REPLACED:
        take_replaced(audit, event);
        return;
    case EVENT_LEG_CANCELED:
        drop_leg(audit, event->out.order_id, event->out.contract);
        return;
    case EVENT_CANCELED:
        take_end(audit, event);
        return;
    case EVENT_TRADE:
        if (event->trade.condition == TRADE_CONTINGENT) {
            take_contingent(audit, event);
        }
        return;
    case EVENT_FILL:
        take_fill(audit, event);
        return;
    default:
        return;
    }
}
