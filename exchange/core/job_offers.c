#include "exchange/core/job_offers.h"

#include "exchange/core/book.h"
#include "exchange/core/money.h"

#define AHEAD 8 /* levels between the hint to the cache and the walk */

struct job_reach job_reach_of(const struct engine *e, const struct job *job, uint32_t lane,
                              uint32_t ladder)
{
    const struct job_lane_state *own = &job->lanes[lane];
    const struct market *m = &e->markets[own->market];
    struct job_reach reach = {
        .ladder = ladder, .group = job->group, .low_e4 = 1, .tier = own->tier};
    if (ladder == 0 || m->halted || m->mode != MODE_CONTINUOUS ||
        ladder_is_collecting(&e->ladders[ladder])) {
        return reach;
    }
    int64_t reference = e->ladders[ladder].last_trade_e4;
    if (reference == 0) {
        reference = m->index_price_e4[own->tier];
    }
    if (reference == 0) {
        reference = m->launch_price_e4[own->tier];
    }
    if (reference != 0) {
        reach.low_e4 = (uint32_t)money_band_low(reference, m->inner_band_bp);
        reach.high_e4 = (uint32_t)money_band_high(reference, m->inner_band_bp);
    }
    return reach;
}

static uint32_t price_at(const struct tree_place *place)
{
    return (uint32_t)-place->goodness[place->at];
}

/* The walk comes to a leaf: what stands there is far from what it has seen. */
static void hint_leaf(const struct engine *e, const struct tree_place *place)
{
    for (uint32_t i = 0; i < AHEAD && i <= place->at; i++) {
        __builtin_prefetch(&e->orders[place->heads[place->at - i]]);
    }
}

static void add_book(const struct engine *e, struct job_offers *w, uint32_t ladder,
                     const struct job_reach *reach, uint32_t book)
{
    if ((e->ladders[ladder].occupied >> book & 1u) == 0) {
        return;
    }
    struct tree_place *place = &w->places[w->count];
    bool found = tree_first(e, ladder * BOOKS + book, place);
    while (found && price_at(place) < reach->low_e4) {
        found = tree_next(e, place);
    }
    if (found) {
        hint_leaf(e, place);
        w->count++;
    }
}

void job_offers_start(const struct engine *e, struct job_offers *w, const struct job_reach *reach)
{
    w->count = 0;
    w->slot = 0;
    w->high_e4 = reach->high_e4;
    w->group = reach->group;
    if (reach->low_e4 > reach->high_e4) {
        return;
    }
    bool shadowed = (e->ladders[reach->ladder].occupied & LADDER_SHADOWED) != 0;
    for (uint8_t tier = reach->tier; tier < TIER_COUNT; tier++) {
        add_book(e, w, reach->ladder, reach, book_index(true, tier));
        if (shadowed) {
            add_book(e, w, ladder_shadow(e, reach->ladder), reach, book_index(true, tier));
        }
    }
}

bool job_offers_choose(const struct engine *e, struct job_offers *w)
{
    uint32_t best = 0;
    uint32_t price = UINT32_MAX;
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t other = price_at(&w->places[i]);
        best = other < price ? i : best;
        price = other < price ? other : price;
    }
    if (price > w->high_e4) {
        return false;
    }
    const struct tree_place *place = &w->places[best];
    w->at = best;
    w->head = place->heads[place->at];
    w->slot = w->head;
    if (place->at >= AHEAD) {
        __builtin_prefetch(&e->orders[place->heads[place->at - AHEAD]]);
    }
    return true;
}

void job_offers_leave_level(const struct engine *e, struct job_offers *w)
{
    struct tree_place *place = &w->places[w->at];
    uint32_t leaf = place->node;
    if (tree_next(e, place)) {
        if (place->node != leaf) {
            hint_leaf(e, place);
        }
        return;
    }
    /* The places behind keep their order. */
    w->count--;
    for (uint32_t i = w->at; i < w->count; i++) {
        w->places[i] = w->places[i + 1];
    }
}
