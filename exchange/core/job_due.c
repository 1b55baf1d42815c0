#include "exchange/core/job.h"

#include "exchange/core/book.h"
#include "exchange/core/housekeeping.h"
#include "exchange/core/job_offers.h"
#include "exchange/core/job_search.h"

/* --- the list ------------------------------------------------------------------------------- */

static uint32_t place_of(uint32_t market, uint32_t hour)
{
    return market * HOUR_RING + hour % HOUR_RING;
}

static uint32_t market_of(uint32_t place)
{
    return place / HOUR_RING;
}

/* Hours leave the list with their gate, so that one in it is less than HOUR_RING above the gate hour. */
static uint32_t hour_of(const struct engine *e, uint32_t place)
{
    return e->s.gate_hour + (place - e->s.gate_hour) % HOUR_RING;
}

static void list_append(struct engine *e, uint32_t place)
{
    struct due_hour *due = &e->due_hours[place];
    if (due->next != 0) {
        return;
    }
    *due = (struct due_hour){.next = DUE_END, .previous = e->s.due_last};
    if (e->s.due_last != 0) {
        e->due_hours[e->s.due_last].next = place;
    } else {
        e->s.due_first = place;
    }
    e->s.due_last = place;
    e->due_ns = e->s.time_ns;
}

static void list_remove(struct engine *e, uint32_t place)
{
    struct due_hour *due = &e->due_hours[place];
    uint32_t next = due->next == DUE_END ? 0 : due->next;
    uint32_t *before = due->previous != 0 ? &e->due_hours[due->previous].next : &e->s.due_first;
    uint32_t *after = next != 0 ? &e->due_hours[next].previous : &e->s.due_last;
    *before = due->previous != 0 ? due->next : next;
    *after = due->previous;
    *due = (struct due_hour){0};
}

void job_hour_due(struct engine *e, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    list_append(e, place_of(l->market, contract_hour(l->contract)));
}

void job_market_moved(struct engine *e, uint32_t market)
{
    if (e->markets[market].job_lanes == 0) {
        return;
    }
    for (uint32_t i = 0; i < HOUR_RING; i++) {
        uint32_t hour = e->s.gate_hour + i;
        uint32_t ladder = job_ladder_at(e, market, hour);
        if (ladder != 0 && (e->ladders[ladder].orders[SIDE_SELL] != 0 ||
                            e->ladders[ladder_shadow(e, ladder)].orders[SIDE_SELL] != 0)) {
            list_append(e, place_of(market, hour));
        }
    }
}

/* --- the hour under way ----------------------------------------------------------------------- */

static void begin(struct engine *e)
{
    uint32_t place = e->s.due_first;
    list_remove(e, place);
    e->s.due_now = place;
    e->s.due_entry = e->ladders[ladder_of_jobs(e, market_of(place))].best[0];
    e->s.due_price_e4 = UINT32_MAX;
}

static void end(struct engine *e)
{
    e->s.due_now = 0;
    e->s.due_entry = 0;
    e->s.due_price_e4 = 0;
}

void job_hour_closed(struct engine *e, uint32_t market, uint32_t hour)
{
    uint32_t place = place_of(market, hour);
    if (e->due_hours[place].next != 0) {
        list_remove(e, place);
    }
    if (e->s.due_now == place) {
        end(e);
    }
}

/* A LANE that enters is the youngest of its price. */
void job_lane_enters(struct engine *e, uint32_t entry)
{
    const struct order *o = &e->orders[entry];
    uint32_t next = e->s.due_entry;
    if (e->s.due_now != 0 && o->ladder == ladder_of_jobs(e, market_of(e->s.due_now)) &&
        o->price_e4 <= e->s.due_price_e4 && (next == 0 || o->price_e4 > e->orders[next].price_e4)) {
        e->s.due_entry = entry;
    }
}

void job_lane_leaves(struct engine *e, uint32_t entry)
{
    if (e->s.due_entry == entry) {
        e->s.due_entry = book_worse(e, entry);
    }
}

/* Looks at one lane and tries its JOB where the hour may complete it; returns the units used. */
static uint32_t look(struct engine *e)
{
    uint32_t entry = e->s.due_entry;
    const struct order *o = &e->orders[entry];
    uint32_t slot = o->older;
    uint32_t lane = (uint32_t)o->cl_ord_id;
    const struct job *job = job_of(e, &e->orders[slot]);
    uint32_t hour = hour_of(e, e->s.due_now);
    e->s.due_price_e4 = o->price_e4;
    e->s.due_entry = book_worse(e, entry);
    struct job_span span = job_span_whole(e, job);
    uint32_t first = hour + 1 > job->hours ? hour + 1 - job->hours : 0;
    span.lane = lane;
    span.lane_end = lane + 1;
    span.from = first > span.from ? first : span.from;
    span.to = hour < span.to ? hour : span.to;
    if (span.from > span.to || order_over(e, slot) != 0) {
        return 1;
    }
    int64_t width = job_search_width(e, job, &span);
    if (width > JOB_WIDTH_MAX) {
        return 1;
    }
    job_try(e, slot, &span);
    return 1 + (uint32_t)width;
}

void job_due_run(struct engine *e)
{
    uint32_t units = 0;
    e->s.lag = housekeeping_due(e);
    while (units < JOB_DUE_UNITS && job_due_waits(e)) {
        if (e->s.due_now == 0) {
            begin(e);
        }
        if (e->s.due_entry == 0) {
            end(e);
        } else {
            units += look(e);
        }
    }
}
