/* Auctions of ladder hours (rulebook, section 13): when they begin, what they publish, when they end.
 * While one collects, orders rest in the ladder's books and do not trade. `ladder` is the hour's own. */
#ifndef KASHI_EXCHANGE_CORE_AUCTION_H
#define KASHI_EXCHANGE_CORE_AUCTION_H

#include "exchange/core/book.h"
#include "exchange/core/match.h"
#include "exchange/core/state.h"

/* --- what arriving orders ask -------------------------------------------------------------- */

/* Whether an order that arrives in the hour rests without trading, either because an auction collects
 * or because it begins one, or because of the market's mode. */
bool auction_collects(const struct engine *e, uint32_t market, uint32_t hour);
/* Whether such an arrival begins one. */
bool auction_begins(const struct engine *e, const struct arrival *a);
/* Room for the records of so many more. */
static inline bool auction_has_room(const struct engine *e, uint32_t count)
{
    return e->config.auctions - e->s.auction_count >= count;
}
/* Begins the auction that the arrival of a collected order begins, if any. */
void auction_begin(struct engine *e, const struct arrival *a);
/* Begins a volatility auction in place of the end of an order that would trade outside the inner band;
 * false: the market's terms do not have it so. */
RARE bool auction_begin_volatility(struct engine *e, uint32_t slot, const struct arrival *a);

/* The orders of a ladder, or of a shadow, have changed. */
RARE void auction_touch_collecting(struct engine *e, uint32_t ladder);
static inline void auction_touch(struct engine *e, uint32_t ladder)
{
    if (__builtin_expect(ladder_is_collecting(&e->ladders[ladder]), 0)) {
        auction_touch_collecting(e, ladder);
    }
}

/* --- what housekeeping asks ---------------------------------------------------------------- */

static inline const struct auction *auction_first(const struct engine *e, enum auction_heap heap)
{
    return &e->auctions[e->s.auction_heaps[heap] > 0 ? e->auction_heaps[heap][1] : 0];
}
/* Whether auctions past their nominal ends wait for a TICK. */
static inline bool auction_waits(const struct engine *e)
{
    return e->s.auction_heaps[AUCTIONS_WAITING] > 0 &&
           auction_first(e, AUCTIONS_WAITING)->end_ns <= e->s.time_ns;
}
/* Whether this step's TICK is to draw one more end: it does for auctions of one random_end_s, so that
 * none is published that tells of another that has not ended. */
static inline bool auction_draws(const struct engine *e)
{
    return e->tick.ticking && auction_waits(e) &&
           (!e->tick.drawn ||
            e->tick.random_end_s == auction_first(e, AUCTIONS_WAITING)->random_end_s);
}
static inline bool auction_due(const struct engine *e)
{
    return (e->s.auction_heaps[AUCTIONS_READY] > 0 &&
            auction_first(e, AUCTIONS_READY)->end_ns <= e->s.time_ns) ||
           auction_draws(e);
}
/* The time at which one is due, where that is before `due_ns`. */
static inline int64_t auction_due_ns(const struct engine *e, int64_t due_ns)
{
    int64_t end_ns = auction_first(e, AUCTIONS_READY)->end_ns;
    return e->s.auction_heaps[AUCTIONS_READY] > 0 && end_ns < due_ns ? end_ns : due_ns;
}
/* Draws an end or clears an auction. */
void auction_unit(struct engine *e);
/* A TICK has come: auctions that wait draw their ends with its random bits in this step. */
void auction_tick(struct engine *e, uint64_t entropy);
/* End of a step: tells of what its commands have changed. */
RARE void auction_publish_touched(struct engine *e);
static inline void auction_publish(struct engine *e)
{
    if (e->s.auction_heaps[AUCTIONS_TOUCHED] > 0) {
        auction_publish_touched(e);
    }
}
/* The gate of the hour is being worked off: an auction ends without trades, and that there was one is
 * forgotten. */
RARE void auction_close(struct engine *e, uint32_t ladder);
static inline void auction_close_hour(struct engine *e, uint32_t ladder)
{
    if ((e->ladders[ladder].occupied & (LADDER_AUCTION | LADDER_AUCTIONED)) != 0) {
        auction_close(e, ladder);
    }
}
/* The market's mode has changed: its auctions end now. */
void auction_end_all(struct engine *e, uint32_t market);
/* CHECKs heaps, records and ladders against each other. */
void auction_sanity(const struct engine *e);

#endif
