/* The offers that a JOB may take in one lane's hour, in taking order: best price, nearest tier, those in
 * the book before those reserved for JOBs, then time (rulebook, section 12). For walks that change
 * nothing in between. */
#ifndef KASHI_EXCHANGE_CORE_JOB_OFFERS_H
#define KASHI_EXCHANGE_CORE_JOB_OFFERS_H

#include "exchange/core/order.h"
#include "exchange/core/state.h"
#include "exchange/core/tree.h"

/* What to walk: the offers of a ladder hour that one lane of one group may take. */
struct job_reach {
    uint32_t ladder;
    uint32_t group;
    uint32_t low_e4; /* inner band of the lane's contract; low above high: nothing is takeable */
    uint32_t high_e4;
    uint8_t tier;
};

struct job_offers {
    struct tree_place places[BOOKS]; /* by tier, of each the book before the reserved */
    uint32_t count;
    uint32_t at;   /* place whose level is under way */
    uint32_t slot; /* next order of that level; 0: choose a level */
    uint32_t head;
    uint32_t high_e4;
    uint32_t group;
};

/* Ladder of a market's hour; 0 none. Unlike ladder_find() it is sure of the hour, however far
 * housekeeping lags behind. */
static inline uint32_t job_ladder_at(const struct engine *e, uint32_t market, uint32_t hour)
{
    uint32_t index = e->rings[market][hour % HOUR_RING];
    return contract_hour(e->ladders[index].contract) == hour ? index : 0;
}
/* The reach of a lane in a ladder hour: its inner band. */
struct job_reach job_reach_of(const struct engine *e, const struct job *job, uint32_t lane,
                              uint32_t ladder);
void job_offers_start(const struct engine *e, struct job_offers *w, const struct job_reach *reach);
/* Chooses the level that comes next in taking order; false: none is left inside the band. */
bool job_offers_choose(const struct engine *e, struct job_offers *w);
void job_offers_leave_level(const struct engine *e, struct job_offers *w);

/* Slot of the next offer; 0: none is left. */
static inline uint32_t job_offers_next(const struct engine *e, struct job_offers *w)
{
    for (;;) {
        if (w->slot == 0 && !job_offers_choose(e, w)) {
            return 0;
        }
        uint32_t slot = w->slot;
        const struct order *o = &e->orders[slot];
        w->slot = o->next == w->head ? 0 : o->next;
        if (w->slot == 0) {
            job_offers_leave_level(e, w);
        }
        if (e->keys[o->key].group != w->group && order_over(e, slot) == 0) {
            return slot;
        }
    }
}

#endif
