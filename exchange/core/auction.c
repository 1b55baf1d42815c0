#include "exchange/core/auction.h"

#include "exchange/core/auction_trade.h"
#include "exchange/core/emit.h"
#include "exchange/core/job.h"
#include "exchange/core/order.h"
#include "exchange/core/order_check.h"
#include "exchange/core/quote.h"
#include "exchange/core/set.h"

/* An auction that has ended by then, random end included, is cleared before the gate closes even if the
 * exchange is silent in between: ticks come every second. */
#define GATE_DISTANCE_NS (60 * NS_PER_SECOND)
/* A clearing that cannot be is tried again after so long. */
#define AGAIN_NS (60 * NS_PER_SECOND)

/* --- heaps --------------------------------------------------------------------------------- */

static bool before(const struct engine *e, enum auction_heap heap, uint32_t a, uint32_t b)
{
    const struct auction *x = &e->auctions[a];
    const struct auction *y = &e->auctions[b];
    if (heap != AUCTIONS_TOUCHED && x->end_ns != y->end_ns) {
        return x->end_ns < y->end_ns;
    }
    return x->begun < y->begun;
}

static void place(struct engine *e, enum auction_heap heap, uint32_t at, uint32_t auction)
{
    e->auction_heaps[heap][at] = auction;
    e->auctions[auction].place[heap] = at;
}

static void sift_up(struct engine *e, enum auction_heap heap, uint32_t at, uint32_t auction)
{
    const uint32_t *items = e->auction_heaps[heap];
    while (at > 1 && before(e, heap, auction, items[at / 2])) {
        place(e, heap, at, items[at / 2]);
        at /= 2;
    }
    place(e, heap, at, auction);
}

static void sift_down(struct engine *e, enum auction_heap heap, uint32_t at, uint32_t auction)
{
    const uint32_t *items = e->auction_heaps[heap];
    uint32_t count = e->s.auction_heaps[heap];
    while (2 * at <= count) {
        uint32_t child = 2 * at;
        if (child < count && before(e, heap, items[child + 1], items[child])) {
            child++;
        }
        if (!before(e, heap, items[child], auction)) {
            break;
        }
        place(e, heap, at, items[child]);
        at = child;
    }
    place(e, heap, at, auction);
}

static void heap_add(struct engine *e, enum auction_heap heap, uint32_t auction)
{
    sift_up(e, heap, ++e->s.auction_heaps[heap], auction);
}

static void heap_remove(struct engine *e, enum auction_heap heap, uint32_t auction)
{
    uint32_t at = e->auctions[auction].place[heap];
    if (at == 0) {
        return;
    }
    e->auctions[auction].place[heap] = 0;
    uint32_t last = e->auction_heaps[heap][e->s.auction_heaps[heap]--];
    if (last == auction) {
        return;
    }
    if (at > 1 && before(e, heap, last, e->auction_heaps[heap][at / 2])) {
        sift_up(e, heap, at, last);
    } else {
        sift_down(e, heap, at, last);
    }
}

/* Its end is known. */
static void make_ready(struct engine *e, uint32_t auction, int64_t end_ns)
{
    heap_remove(e, AUCTIONS_WAITING, auction);
    heap_remove(e, AUCTIONS_READY, auction);
    e->auctions[auction].end_ns = end_ns;
    heap_add(e, AUCTIONS_READY, auction);
    e->due_ns = end_ns < e->due_ns ? end_ns : e->due_ns;
}

/* --- events -------------------------------------------------------------------------------- */

static void emit_auction(struct engine *e, const struct auction *a, enum auction_state state,
                         const struct auction_outcome *out)
{
    struct event *event = emit(e, EVENT_AUCTION, 0, EVENT_PUBLIC);
    event->auction = (struct event_auction){
        .contract = e->ladders[a->ladder].contract,
        .end_time_ns = a->end_ns,
        .entropy = state == AUCTION_ENDED ? a->entropy : 0,
        .reference_e4 = a->reference_e4[0],
        .kind = a->kind,
        .state = (uint8_t)state,
    };
    for (int t = 0; t < TIER_COUNT && out != NULL; t++) {
        event->auction.price_e4[t] = out->price_e4[t];
        event->auction.qty[t] =
            out->bid_qty[t] > UINT32_MAX ? UINT32_MAX : (uint32_t)out->bid_qty[t];
    }
}

/* --- the beginning ------------------------------------------------------------------------- */

static uint32_t auction_of(const struct engine *e, uint32_t ladder)
{
    return e->ladders[ladder].occupied >> LADDER_AUCTION_AT;
}

/* Nominal end of an auction that begins now; not in the future: none can. */
static int64_t end_of(const struct engine *e, uint32_t market, uint32_t hour, uint8_t kind)
{
    const struct market_terms *t = &e->terms[market];
    int64_t now_s = e->s.time_ns / NS_PER_SECOND;
    int64_t end_ns =
        kind == AUCTION_PERIODIC  ? (now_s / t->period_s + 1) * t->period_s * NS_PER_SECOND
        : kind == AUCTION_OPENING ? e->s.time_ns + (int64_t)t->opening_s * NS_PER_SECOND
                                  : e->s.time_ns + (int64_t)t->volatility_s * NS_PER_SECOND;
    int64_t last_ns =
        gate_time_ns(e, hour) - (int64_t)t->random_end_s * NS_PER_SECOND - GATE_DISTANCE_NS;
    return end_ns < last_ns ? end_ns : last_ns;
}

/* What an order that arrives in the hour begins. */
static uint8_t kind_at(const struct engine *e, uint32_t market, uint32_t ladder, uint32_t hour)
{
    const struct market *m = &e->markets[market];
    const struct ladder *l = &e->ladders[ladder];
    uint8_t kind = AUCTION_NONE;
    if (m->mode == MODE_AUCTION) {
        kind = AUCTION_PERIODIC;
    } else if (m->mode == MODE_CONTINUOUS && m->opens && l->last_trade_e4 == 0 &&
               (l->occupied & LADDER_AUCTIONED) == 0) {
        kind = AUCTION_OPENING;
    }
    if (kind == AUCTION_NONE || ladder_is_collecting(l) ||
        end_of(e, market, hour, kind) <= e->s.time_ns) {
        return AUCTION_NONE;
    }
    return kind;
}

bool auction_collects(const struct engine *e, uint32_t market, uint32_t hour)
{
    uint32_t ladder = ladder_find(e, market, hour);
    return e->markets[market].mode != MODE_CONTINUOUS ||
           ladder_is_collecting(&e->ladders[ladder]) ||
           kind_at(e, market, ladder, hour) != AUCTION_NONE;
}

bool auction_begins(const struct engine *e, const struct arrival *a)
{
    return kind_at(e, a->market, a->ladder, contract_hour(a->contract)) != AUCTION_NONE;
}

static void begin(struct engine *e, uint32_t ladder, uint8_t kind)
{
    struct ladder *l = &e->ladders[ladder];
    uint32_t index = e->s.auction_free;
    if (index != 0) {
        e->s.auction_free = e->auctions[index].next_free;
    } else {
        index = ++e->s.auction_top;
    }
    e->s.auction_count++;
    struct auction *a = &e->auctions[index];
    *a = (struct auction){
        .end_ns = end_of(e, l->market, contract_hour(l->contract), kind),
        .begun = ++e->s.auctions_begun,
        .ladder = ladder,
        .random_end_s = e->terms[l->market].random_end_s,
        .kind = kind,
    };
    for (uint8_t t = 0; t < TIER_COUNT; t++) {
        a->reference_e4[t] =
            (uint32_t)order_reference(e, l->market, contract_with_tier(l->contract, t));
    }
    l->occupied |= index << LADDER_AUCTION_AT | LADDER_AUCTIONED;
    quote_forget_ladder(e, l);
    if (a->random_end_s != 0) {
        heap_add(e, AUCTIONS_WAITING, index);
    } else {
        make_ready(e, index, a->end_ns);
    }
    emit_auction(e, a, AUCTION_BEGUN, NULL);
    set_sleep_all(e, ladder);
    auction_touch(e, ladder);
}

void auction_begin(struct engine *e, const struct arrival *a)
{
    uint8_t kind = kind_at(e, a->market, a->ladder, contract_hour(a->contract));
    if (kind != AUCTION_NONE && auction_has_room(e, 1)) {
        begin(e, a->ladder, kind);
    }
}

bool auction_begin_volatility(struct engine *e, uint32_t slot, const struct arrival *a)
{
    const struct market_terms *t = &e->terms[a->market];
    if (!a->may_rest || t->volatility_s == 0 || t->volatility_min_qty == 0 ||
        e->orders[slot].leaves < t->volatility_min_qty || !auction_has_room(e, 1) ||
        end_of(e, a->market, contract_hour(a->contract), AUCTION_VOLATILITY) <= e->s.time_ns) {
        return false;
    }
    begin(e, a->ladder, AUCTION_VOLATILITY);
    return true;
}

/* --- while it collects --------------------------------------------------------------------- */

void auction_touch_collecting(struct engine *e, uint32_t ladder)
{
    uint32_t auction = auction_of(e, ladder);
    if (e->auctions[auction].place[AUCTIONS_TOUCHED] == 0) {
        heap_add(e, AUCTIONS_TOUCHED, auction);
        e->due_ns = INT64_MIN; /* the end of the step looks at it */
    }
}

static void publish(struct engine *e, struct auction *a)
{
    struct auction_outcome out;
    auction_foresee(e, a->ladder, a->reference_e4, &out);
    uint32_t changed = 0;
    for (int t = 0; t < TIER_COUNT; t++) {
        uint32_t qty = out.bid_qty[t] > UINT32_MAX ? UINT32_MAX : (uint32_t)out.bid_qty[t];
        changed |= (a->price_e4[t] ^ out.price_e4[t]) | (a->qty[t] ^ qty);
        a->price_e4[t] = out.price_e4[t];
        a->qty[t] = qty;
    }
    if (changed != 0) {
        emit_auction(e, a, AUCTION_INDICATIVE, &out);
    }
}

void auction_publish_touched(struct engine *e)
{
    while (e->s.auction_heaps[AUCTIONS_TOUCHED] > 0) {
        uint32_t auction = e->auction_heaps[AUCTIONS_TOUCHED][1];
        heap_remove(e, AUCTIONS_TOUCHED, auction);
        publish(e, &e->auctions[auction]);
    }
}

/* --- the end ------------------------------------------------------------------------------- */

/* Takes an auction out of everything; its ladder does not collect any more. */
static struct auction detach(struct engine *e, uint32_t auction)
{
    struct auction a = e->auctions[auction];
    for (int heap = 0; heap < AUCTION_HEAPS; heap++) {
        heap_remove(e, (enum auction_heap)heap, auction);
    }
    e->ladders[a.ladder].occupied &= ~LADDER_AUCTION;
    e->auctions[auction] = (struct auction){.next_free = e->s.auction_free};
    e->s.auction_free = auction;
    e->s.auction_count--;
    return a;
}

/* The hour is as it was before: it collects for the next period, or trades again. */
static void go_on(struct engine *e, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    uint8_t kind = kind_at(e, l->market, ladder, contract_hour(l->contract));
    if (kind == AUCTION_PERIODIC && (l->orders[0] | l->orders[1]) != 0 && auction_has_room(e, 1)) {
        begin(e, ladder, kind);
        return;
    }
    set_wake_all(e, ladder);
    if ((l->orders[SIDE_SELL] | e->ladders[ladder_shadow(e, ladder)].orders[SIDE_SELL]) != 0) {
        job_offer_stands(e, ladder);
    }
}

/* Trades need a market that is open, and room for what they leave behind. */
static bool can_clear(const struct engine *e, uint32_t ladder)
{
    const struct market *m = &e->markets[e->ladders[ladder].market];
    int64_t most = auction_trades_most(e, ladder);
    return !m->halted && m->mode != MODE_NONE && order_check_fills(e, most);
}

static void clear_first(struct engine *e)
{
    uint32_t auction = e->auction_heaps[AUCTIONS_READY][1];
    uint32_t ladder = e->auctions[auction].ladder;
    if (!can_clear(e, ladder)) {
        make_ready(e, auction, e->s.time_ns + AGAIN_NS);
        return;
    }
    struct auction a = detach(e, auction);
    struct auction_outcome out;
    auction_trade(e, &a, &out);
    emit_auction(e, &a, AUCTION_ENDED, &out);
    e->busy = ladder;
    auction_uncross(e, &a);
    go_on(e, ladder);
    e->busy = 0;
    ladder_release_if_idle(e, ladder);
}

static void draw_first(struct engine *e)
{
    uint32_t auction = e->auction_heaps[AUCTIONS_WAITING][1];
    struct auction *a = &e->auctions[auction];
    e->tick.drawn = true;
    e->tick.random_end_s = a->random_end_s;
    a->entropy = e->tick.entropy;
    uint64_t milliseconds = a->entropy % (UINT64_C(1000) * a->random_end_s + 1);
    make_ready(e, auction, e->s.time_ns + (int64_t)milliseconds * (NS_PER_SECOND / 1000));
}

void auction_unit(struct engine *e)
{
    if (auction_draws(e)) {
        draw_first(e);
    } else {
        clear_first(e);
    }
}

void auction_tick(struct engine *e, uint64_t entropy)
{
    if (auction_waits(e)) {
        e->tick = (struct auction_tick){.entropy = entropy, .ticking = true};
        e->due_ns = INT64_MIN;
    }
}

void auction_close(struct engine *e, uint32_t ladder)
{
    uint32_t auction = auction_of(e, ladder);
    if (auction != 0) {
        struct auction a = detach(e, auction);
        emit_auction(e, &a, AUCTION_ENDED, NULL);
    }
    e->ladders[ladder].occupied &= ~LADDER_AUCTIONED;
}

void auction_end_all(struct engine *e, uint32_t market)
{
    for (uint32_t place = 0; place < HOUR_RING; place++) {
        uint32_t auction = auction_of(e, e->rings[market][place]);
        if (auction != 0) {
            make_ready(e, auction, e->s.time_ns);
        }
    }
}

/* --- sanity -------------------------------------------------------------------------------- */

void auction_sanity(const struct engine *e)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= e->s.auction_top; i++) {
        const struct auction *a = &e->auctions[i];
        if (a->ladder == 0) {
            continue;
        }
        count++;
        CHECK(auction_of(e, a->ladder) == i);
        CHECK((e->ladders[a->ladder].occupied & LADDER_AUCTIONED) != 0);
        CHECK((a->place[AUCTIONS_WAITING] != 0) != (a->place[AUCTIONS_READY] != 0));
        CHECK(a->place[AUCTIONS_TOUCHED] == 0);
    }
    CHECK(count == e->s.auction_count);
    CHECK(count == e->s.auction_heaps[AUCTIONS_WAITING] + e->s.auction_heaps[AUCTIONS_READY]);
    for (int heap = 0; heap < AUCTION_HEAPS; heap++) {
        for (uint32_t at = 1; at <= e->s.auction_heaps[heap]; at++) {
            uint32_t auction = e->auction_heaps[heap][at];
            CHECK(e->auctions[auction].place[heap] == at);
            CHECK(at == 1 ||
                  !before(e, (enum auction_heap)heap, auction, e->auction_heaps[heap][at / 2]));
        }
    }
    for (uint32_t i = 1; i <= e->s.ladder_top; i++) {
        CHECK(!ladder_is_collecting(&e->ladders[i]) || e->auctions[auction_of(e, i)].ladder == i);
    }
}
