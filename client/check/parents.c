#include "client/check/parents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define FIRST_PLACES 4096
#define SHOWN_MAX    5

/* --- orders ---------------------------------------------------------------------------------------- */

static uint32_t place_of(const struct parents *parents, uint64_t order_id)
{
    uint32_t at = (uint32_t)(order_id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    at &= parents->place_capacity - 1;
    while (parents->places[at] != 0 &&
           parents->parents[parents->places[at] - 1].order_id != order_id) {
        at = (at + 1) & (parents->place_capacity - 1);
    }
    return at;
}

static struct parent *find(struct parents *parents, uint64_t order_id)
{
    uint32_t place = parents->places[place_of(parents, order_id)];
    return place == 0 ? NULL : &parents->parents[place - 1];
}

void parents_init(struct parents *parents)
{
    memset(parents, 0, sizeof *parents);
    parents->place_capacity = FIRST_PLACES;
    parents->places = calloc(FIRST_PLACES, sizeof parents->places[0]);
    CHECK(parents->places != NULL);
}

void parents_free(struct parents *parents)
{
    free(parents->parents);
    free(parents->places);
    free(parents->rows);
    parents->parents = NULL;
    parents->places = NULL;
    parents->rows = NULL;
}

static void places_grow(struct parents *parents)
{
    parents->place_capacity *= 2;
    free(parents->places);
    parents->places = calloc(parents->place_capacity, sizeof parents->places[0]);
    CHECK(parents->places != NULL);
    for (uint32_t i = 0; i < parents->count; i++) {
        parents->places[place_of(parents, parents->parents[i].order_id)] = i + 1;
    }
}

static void add(struct parents *parents, struct parent parent)
{
    if (parents->count == parents->capacity) {
        parents->capacity = parents->capacity == 0 ? FIRST_PLACES : parents->capacity * 2;
        parents->parents =
            realloc(parents->parents, parents->capacity * sizeof parents->parents[0]);
        CHECK(parents->parents != NULL);
    }
    parent.first = parents->row_count;
    parents->parents[parents->count++] = parent;
    if (parents->count * 2 > parents->place_capacity) {
        places_grow(parents);
    } else {
        parents->places[place_of(parents, parent.order_id)] = parents->count;
    }
}

/* Lanes and legs follow their order at once, so that they stand together. */
static void add_row(struct parents *parents, uint64_t order_id, union parents_row row)
{
    CHECK(parents->count > 0 && parents->parents[parents->count - 1].order_id == order_id);
    if (parents->row_count == parents->row_capacity) {
        parents->row_capacity =
            parents->row_capacity == 0 ? FIRST_PLACES : parents->row_capacity * 2;
        parents->rows = realloc(parents->rows, parents->row_capacity * sizeof parents->rows[0]);
        CHECK(parents->rows != NULL);
    }
    parents->rows[parents->row_count++] = row;
    parents->parents[parents->count - 1].count++;
}

static void take_lanes(struct parents *parents, const struct event_job_lanes *lanes)
{
    for (uint32_t i = 0; i < JOB_LANES_PER_EVENT && lanes->lanes[i].lane != 0; i++) {
        add_row(parents, lanes->order_id, (union parents_row){.lane = lanes->lanes[i]});
    }
}

static void take_legs(struct parents *parents, const struct event_set_legs *legs)
{
    for (uint32_t i = 0; i < SET_LEGS_PER_EVENT && legs->legs[i].leg != 0; i++) {
        add_row(parents, legs->order_id, (union parents_row){.leg = legs->legs[i]});
    }
}

static void take_replaced(struct parents *parents, const struct event_replaced *replaced)
{
    struct parent *parent = find(parents, replaced->order_id);
    if (parent != NULL) {
        parent->qty = replaced->qty;
        parent->price_e4 = replaced->price_e4;
    }
}

/* --- fills ----------------------------------------------------------------------------------------- */

static void complain(struct parents *parents, uint64_t order_id, const char *why)
{
    if (parents->wrong++ < SHOWN_MAX) {
        (void)printf("order %llu: %s\n", (unsigned long long)order_id, why);
    }
}

static void set_fill(struct parents *parents, struct parent *set, const struct event_trade *trade)
{
    const char *wrong = "a fill of the SET is in none of its legs";
    for (uint32_t i = 0; i < set->count; i++) {
        const struct set_leg *leg = &parents->rows[set->first + i].leg;
        if (leg->contract == trade->contract) {
            wrong =
                trade->price_e4 > leg->price_e4 ? "a fill is dearer than its leg's limit" : NULL;
        }
    }
    parents->sets_filled += set->cum_qty == 0;
    set->cum_qty += trade->qty;
    if (wrong == NULL && set->cum_qty > set->qty) {
        wrong = "the SET's legs have more fills than the SET has GPUs";
    }
    if (wrong != NULL) {
        complain(parents, set->order_id, wrong);
    }
}

static const struct job_lane *lane_of(const struct parents *parents, const struct parent *job,
                                      uint64_t contract)
{
    for (uint32_t i = 0; i < job->count; i++) {
        const struct job_lane *lane = &parents->rows[job->first + i].lane;
        if (lane->class_id == contract_class(contract) &&
            lane->region_id == contract_region(contract) && lane->tier == contract_tier(contract)) {
            return lane;
        }
    }
    return NULL;
}

/* Whether the fill may follow the one before it; NULL: it may. */
static const char *job_fill(struct parents_group *group, const struct parent *job,
                            const struct job_lane *lane, const struct event_trade *trade)
{
    uint32_t hour = contract_hour(trade->contract);
    uint32_t last_hour = contract_hour(group->contract);
    if (lane == NULL) {
        return "a fill of the JOB is in none of its lanes";
    }
    if (trade->offer_tier < lane->tier) {
        return "a fill of the JOB is of a lower tier than its lane's";
    }
    if (group->contract == 0) {
        group->first_hour = hour;
    } else if (trade->contract >> 24 != group->contract >> 24) { /* all but the hour */
        return "the JOB's fills are in several lanes";
    } else if (hour == last_hour + 1 && group->hour_qty == job->qty) {
        group->hour_qty = 0;
    } else if (hour != last_hour) {
        return "an hour of the JOB has not all of its GPUs";
    }
    if (job->placement != PLACEMENT_ANY && group->contract != 0 &&
        trade->resource != group->resource) {
        return "the JOB's fills are on several resources";
    }
    group->contract = trade->contract;
    group->resource = trade->resource;
    group->hour_qty += trade->qty;
    group->worth += (int128)trade->price_e4 * lane->factor_e4 * trade->qty;
    return group->hour_qty > job->qty ? "an hour of the JOB has too many GPUs" : NULL;
}

static bool group_ran_on(const struct parents *parents, uint64_t trade_group, uint32_t resource)
{
    for (uint32_t i = 0; i < parents->count; i++) {
        const struct parent *job = &parents->parents[i];
        if (job->trade_group == trade_group && job->hours > 0) {
            return job->placement != PLACEMENT_ANY && job->resource == resource;
        }
    }
    return false;
}

/* All fills of a JOB have been read. */
static void group_close(struct parents *parents)
{
    struct parents_group *group = &parents->group;
    struct parent *job = group->job;
    if (group->trade_group == 0) {
        return;
    }
    const char *wrong = group->wrong;
    if (wrong == NULL) {
        uint32_t end = contract_hour(group->contract) + 1;
        if (group->hour_qty != job->qty || end - group->first_hour != job->hours) {
            wrong = "the JOB is not filled whole";
        } else if (group->first_hour < job->window_from || end > job->window_to) {
            wrong = "the JOB runs outside its window";
        } else if (group->worth > (int128)job->price_e4 * job->qty * job->hours * E4_ONE) {
            wrong = "the JOB is dearer than its limit";
        } else if (job->placement == PLACEMENT_SAME &&
                   !group_ran_on(parents, job->same_group, group->resource)) {
            wrong = "the JOB does not run where the group ran that it goes on with";
        }
    }
    if (wrong != NULL) {
        complain(parents, job != NULL ? job->order_id : 0, wrong);
    } else {
        job->trade_group = group->trade_group;
        job->resource = group->resource;
        parents->jobs_filled++;
        parents->job_gpu_hours += job->qty * job->hours;
    }
    memset(group, 0, sizeof *group);
}

static void take_contingent(struct parents *parents, const struct event_trade *trade)
{
    struct parents_group *group = &parents->group;
    struct parent *job = find(parents, trade->buy_order_id);
    if (trade->trade_group != group->trade_group) {
        group_close(parents);
        group->trade_group = trade->trade_group;
        group->job = job;
        group->wrong = job == NULL || job->hours == 0 ? "a contingent fill of what is no JOB"
                       : job->trade_group != 0        ? "the JOB is filled twice"
                       : trade->fill_id != trade->trade_group
                           ? "the trade group is not the first fill"
                           : NULL;
    }
    if (group->wrong == NULL && job != group->job) {
        group->wrong = "a trade group has fills of several orders";
    }
    if (group->wrong == NULL) {
        group->wrong = job_fill(group, job, lane_of(parents, job, trade->contract), trade);
    }
}

static void take_trade(struct parents *parents, const struct event_trade *trade)
{
    struct parent *parent = find(parents, trade->buy_order_id);
    if (trade->condition == TRADE_CONTINGENT && trade->trade_group != 0) {
        take_contingent(parents, trade);
    } else if (trade->condition == TRADE_CONTINGENT || trade->trade_group != 0 ||
               (parent != NULL && parent->hours > 0)) {
        complain(parents, trade->buy_order_id, "a fill is marked as a JOB's in part only");
    } else if (parent != NULL) {
        set_fill(parents, parent, trade);
    }
}

void parents_take(struct parents *parents, const struct event *event)
{
    switch (event->head.type) {
    case EVENT_JOB:
        parents->jobs++;
        add(parents, (struct parent){.order_id = event->job.order_id,
                                     .price_e4 = event->job.price_e4,
                                     .qty = event->job.qty,
                                     .same_group = event->job.same_group,
                                     .window_from = event->job.window_from,
                                     .window_to = event->job.window_to,
                                     .hours = event->job.hours,
                                     .placement = event->job.placement});
        break;
    case EVENT_SET:
        parents->sets++;
        add(parents, (struct parent){.order_id = event->set.order_id, .qty = event->set.qty});
        break;
    case EVENT_JOB_LANES:
        take_lanes(parents, &event->job_lanes);
        break;
    case EVENT_SET_LEGS:
        take_legs(parents, &event->set_legs);
        break;
    case EVENT_REPLACED:
        take_replaced(parents, &event->replaced);
        break;
    case EVENT_TRADE:
        take_trade(parents, &event->trade);
        break;
    default:
        break;
    }
    if ((event->head.flags & EVENT_LAST) != 0) {
        group_close(parents);
    }
}
