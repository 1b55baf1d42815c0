#include "exchange/core/reservation.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/emit.h"
#include "exchange/core/order.h"
#include "exchange/core/order_check.h"
#include "exchange/core/timers.h"

/* --- waiting ------------------------------------------------------------------------------- */

/* An offer that has just left the shadow still names it. */
static struct market_terms *terms_of(const struct engine *e, uint32_t slot)
{
    return &e->terms[e->ladders[ladder_main(e, e->orders[slot].ladder)].market];
}

static bool can_trade(const struct engine *e, uint32_t market)
{
    return !e->markets[market].halted && e->markets[market].mode != MODE_NONE;
}

static void wait(struct engine *e, uint32_t slot)
{
    struct market_terms *terms = terms_of(e, slot);
    timers_remove(e, slot);
    e->orders[slot].waits = 1;
    e->waiting[slot] = (struct waiting){.previous = terms->waiting_last};
    *(terms->waiting_last != 0 ? &e->waiting[terms->waiting_last].next : &terms->waiting_first) =
        slot;
    terms->waiting_last = slot;
}

void reservation_forget(struct engine *e, uint32_t slot)
{
    struct market_terms *terms = terms_of(e, slot);
    struct waiting *own = &e->waiting[slot];
    *(own->previous != 0 ? &e->waiting[own->previous].next : &terms->waiting_first) = own->next;
    *(own->next != 0 ? &e->waiting[own->next].previous : &terms->waiting_last) = own->previous;
    *own = (struct waiting){0};
    e->orders[slot].waits = 0;
}

static void stop_waiting(struct engine *e, uint32_t slot)
{
    if (e->orders[slot].waits) {
        reservation_forget(e, slot);
    } else {
        timers_remove(e, slot);
    }
}

/* --- the end ------------------------------------------------------------------------------- */

static void emit_released(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    struct event *event = emit(e, EVENT_RELEASED, emit_link(&e->keys[o->key]), 0);
    event->out = (struct event_out){
        .party = emit_party(e, o->key, o->cl_ord_id),
        .order_id = order_id_of(e, slot),
        .contract = contract_with_tier(e->ladders[o->ladder].contract, o->tier),
        .orig_cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .leaves_qty = o->leaves,
        .cum_qty = o->cum,
        .reason = REASON_RESERVATION_ENDED,
        .side = o->sell,
        .resting = 1,
    };
}

/* The offer is not over and its market can trade. */
static void release(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    uint32_t ladder = ladder_main(e, o->ladder);
    struct arrival a = {
        .contract = contract_with_tier(e->ladders[ladder].contract, o->tier),
        .ladder = ladder,
        .market = e->ladders[ladder].market,
        .limit_e4 = o->price_e4,
        .group = e->keys[o->key].group,
        .tier = o->tier,
        .stp = o->stp,
        .sell = true,
        .may_rest = true,
        .collected = auction_collects(e, e->ladders[ladder].market,
                                      contract_hour(e->ladders[ladder].contract)),
    };
    order_check_inner_band(e, &a, order_reference(e, a.market, a.contract));
    if (!order_check_room(e, &a, o->leaves)) {
        order_take_out(e, slot, REASON_FULL, 0);
        ladder_release_if_idle(e, ladder);
        return;
    }
    stop_waiting(e, slot);
    book_take_aside(e, slot);
    o->reserved = 0;
    o->special = o->ranged;
    emit_released(e, slot);
    order_arrive(e, slot, &a, false);
}

void reservation_end(struct engine *e, uint32_t slot)
{
    uint32_t lag = e->s.lag;
    e->s.lag = 1; /* this and what it meets may be over: their turn comes later */
    uint32_t ladder = ladder_main(e, e->orders[slot].ladder);
    uint16_t over = order_over(e, slot);
    if (over != 0) {
        order_take_out_over(e, slot, over);
        ladder_release_if_idle(e, ladder);
    } else if (can_trade(e, e->ladders[ladder].market)) {
        release(e, slot);
    } else {
        wait(e, slot);
    }
    e->s.lag = lag;
}

/* --- markets that can trade again ------------------------------------------------------------ */

void reservation_market_moved(struct engine *e, uint32_t market)
{
    struct market_terms *terms = &e->terms[market];
    if (terms->waiting_first == 0 || terms->resuming != 0 || !can_trade(e, market)) {
        return;
    }
    terms->resuming = 1;
    *(e->s.resuming_last != 0 ? &e->terms[e->s.resuming_last].next_resuming
                              : &e->s.resuming_first) = market;
    e->s.resuming_last = market;
    e->due_ns = e->s.time_ns;
}

void reservation_unit(struct engine *e)
{
    uint32_t market = e->s.resuming_first;
    struct market_terms *terms = &e->terms[market];
    if (terms->waiting_first != 0 && can_trade(e, market)) {
        reservation_end(e, terms->waiting_first);
        return;
    }
    e->s.resuming_first = terms->next_resuming;
    e->s.resuming_last = e->s.resuming_first != 0 ? e->s.resuming_last : 0;
    terms->next_resuming = 0;
    terms->resuming = 0;
}

/* --- for tests ------------------------------------------------------------------------------- */

void reservation_sanity(const struct engine *e)
{
    uint32_t waiting = 0;
    for (uint32_t market = 1; market <= e->s.market_count; market++) {
        const struct market_terms *terms = &e->terms[market];
        uint32_t previous = 0;
        for (uint32_t slot = terms->waiting_first; slot != 0; slot = e->waiting[slot].next) {
            const struct order *o = &e->orders[slot];
            CHECK(o->live && o->waits && o->reserved && !o->timed);
            CHECK(e->ladders[o->ladder].market == market && e->waiting[slot].previous == previous);
            previous = slot;
            waiting++;
        }
        CHECK(terms->waiting_last == previous);
        CHECK(previous == 0 || terms->resuming != 0 || !can_trade(e, market));
    }
    for (uint32_t slot = 1; slot <= e->s.order_top; slot++) {
        waiting -= e->orders[slot].live && e->orders[slot].waits;
    }
    CHECK(waiting == 0);
    uint32_t resuming = 0;
    for (uint32_t market = e->s.resuming_first; market != 0;
         market = e->terms[market].next_resuming) {
        CHECK(e->terms[market].resuming == 1);
        CHECK(e->terms[market].next_resuming != 0 || e->s.resuming_last == market);
        CHECK(++resuming <= e->s.market_count);
    }
}
