/* Invariants 13 and 14 of state.h. */
#include "exchange/core/book.h"
#include "exchange/core/job.h"
#include "exchange/core/job_search.h"
#include "exchange/core/money.h"

static void check_record(const struct engine *e, uint32_t index)
{
    const struct job *job = &e->jobs[index];
    const struct order *o = &e->orders[job->slot];
    CHECK(o->live && o->kind == KIND_JOB && o->special && o->bond_unit == index);
    CHECK(o->price_e4 == job->price_e4 && o->leaves == job->qty && o->cum == 0 && o->timed);
    CHECK(job->lane_count >= 1 && job->lane_count <= JOB_LANES_MAX);
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < job->lane_count; i++) {
        const struct job_lane_state *lane = &job->lanes[i];
        const struct order *entry = &e->orders[lane->entry];
        CHECK(!entry->live && entry->kind == KIND_LANE && entry->special && entry->resting);
        CHECK(entry->older == job->slot && entry->cl_ord_id == i && entry->key == o->key);
        CHECK(entry->price_e4 == job->price_e4);
        CHECK(entry->ladder == ladder_of_jobs(e, lane->market));
        least = lane->factor_e4 < least ? lane->factor_e4 : least;
    }
    int128 cost = (job_budget(job) + least - 1) / least;
    int128 fee = cost * money_reserve_rate(e, (uint8_t)o->fees) / BP_ONE;
    CHECK(cost <= MONEY_MAX_E4 && job->reserve_e4 == cost + fee);
}

static void check_due(const struct engine *e)
{
    uint32_t previous = 0;
    for (uint32_t place = e->s.due_first; place > DUE_END; place = e->due_hours[place].next) {
        CHECK(e->due_hours[place].next != 0 && e->due_hours[place].previous == previous);
        CHECK(place / HOUR_RING <= e->s.market_count);
        previous = place;
    }
    CHECK(e->s.due_last == previous);
    CHECK(previous == 0 || e->due_hours[previous].next == DUE_END);
    if (e->s.due_now == 0) {
        CHECK(e->s.due_entry == 0 && e->s.due_price_e4 == 0);
        return;
    }
    uint32_t ladder = ladder_of_jobs(e, e->s.due_now / HOUR_RING);
    const struct order *next = &e->orders[e->s.due_entry];
    CHECK(e->s.due_entry == 0 ||
          (next->ladder == ladder && next->resting && next->price_e4 <= e->s.due_price_e4));
}

uint32_t job_sanity(const struct engine *e)
{
    uint32_t jobs = 0;
    uint32_t lanes = 0;
    for (uint32_t i = 1; i <= e->s.job_top; i++) {
        if (e->jobs[i].slot != 0) {
            check_record(e, i);
            jobs++;
            lanes += e->jobs[i].lane_count;
        }
    }
    CHECK(jobs == e->s.job_count);
    uint32_t entries = 0;
    for (uint32_t m = 1; m <= e->s.market_count; m++) {
        uint32_t ladder = ladder_of_jobs(e, m);
        CHECK(e->markets[m].job_lanes == e->ladders[ladder].orders[SIDE_BUY]);
        CHECK(e->markets[m].job_lanes == book_sanity(e, ladder, 0));
        entries += e->markets[m].job_lanes;
    }
    CHECK(entries == lanes);
    check_due(e);
    return lanes;
}
