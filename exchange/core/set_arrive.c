#include "exchange/core/book.h"
#include "exchange/core/deal.h"
#include "exchange/core/emit.h"
#include "exchange/core/set.h"
#include "exchange/core/walk.h"

/* What arriving legs see of the offers when they may not, or must not only, take what is on top: legs of
 * one ladder hour share a walk. */
struct view {
    struct walk walks[SET_LEGS_MAX];
    uint8_t walk_of[SET_LEGS_MAX];
};

static void view_start(const struct engine *e, const struct set_arrival *a, struct view *v)
{
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t first = 0;
        while (a->legs[first].ladder != a->legs[i].ladder) {
            first++;
        }
        v->walk_of[i] = (uint8_t)first;
        if (first == i) {
            walk_start(e, &v->walks[i], a->legs[i].ladder);
        }
    }
}

static int64_t open_of(const struct engine *e, const struct arrival *leg, int64_t balance)
{
    return leg->collected ? 0 : balance - balance % e->markets[leg->market].lot;
}

/* What comes next: a leg and an offer. */
struct meeting {
    uint32_t leg;
    uint32_t offer;
    uint32_t book; /* of the view */
};

/* What each leg would meet. A meeting changes the offers of its own ladder hour alone, so that only the
 * legs of that hour are asked again after it, and all of them each time that a leg falls asleep. */
struct prospects {
    const struct view *view; /* NULL: the offers on top are met */
    int64_t balance;
    uint64_t ended;       /* bits of the legs that are not live */
    uint32_t largest_lot; /* of the legs awake, or of one that was */
    uint32_t ladder[SET_LEGS_MAX];
    uint32_t offer[SET_LEGS_MAX];
    uint32_t book[SET_LEGS_MAX];   /* of the view */
    int64_t surplus[SET_LEGS_MAX]; /* -1: the leg meets nothing */
};

/* Asks a leg for its best offer; with a view, for its candidate. */
static void ask(const struct engine *e, const struct set_arrival *a, struct prospects *p,
                uint32_t i)
{
    const struct arrival *leg = &a->legs[i];
    uint32_t lot = e->markets[leg->market].lot;
    p->surplus[i] = -1;
    if ((p->ended >> i & 1u) != 0 || open_of(e, leg, p->balance) == 0) {
        return;
    }
    p->largest_lot = lot > p->largest_lot ? lot : p->largest_lot;
    uint32_t offer;
    if (p->view == NULL) {
        offer = match_top(e, leg);
    } else {
        const struct walk *w = &p->view->walks[p->view->walk_of[i]];
        uint32_t book = walk_best(e, w, match_eligible(leg), false);
        offer = book == BOOKS ? 0 : w->slot[book];
        p->book[i] = book;
    }
    p->offer[i] = offer;
    p->surplus[i] = offer == 0 ? -1 : leg->limit_e4 - e->orders[offer].price_e4;
}

static void prospects_start(const struct engine *e, const struct set_arrival *a,
                            const struct view *view, struct prospects *p)
{
    p->view = view;
    p->balance = a->balance;
    p->ended = 0;
    p->largest_lot = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        p->ladder[i] = a->legs[i].ladder;
        p->book[i] = 0;
        ask(e, a, p, i);
    }
}

/* After a meeting of leg `met`. */
static void prospects_renew(const struct engine *e, const struct set_arrival *a,
                            struct prospects *p, uint32_t met)
{
    bool all = p->balance < p->largest_lot;
    p->largest_lot = all ? 0 : p->largest_lot;
    for (uint32_t i = 0; i < a->count; i++) {
        if (p->ladder[i] == p->ladder[met] || all) {
            ask(e, a, p, i);
        }
    }
}

/* The leg awake with the largest surplus, the earlier one in a tie; false: none has any. */
static bool next_meeting(const struct set_arrival *a, const struct prospects *p,
                         struct meeting *next)
{
    int64_t most = -1;
    uint32_t leg = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        if (p->surplus[i] > most) {
            most = p->surplus[i];
            leg = i;
        }
    }
    *next = (struct meeting){.leg = leg, .offer = p->offer[leg], .book = p->book[leg]};
    return most >= 0;
}

static bool outside_band(const struct engine *e, const struct arrival *leg, uint32_t offer)
{
    int64_t price = e->orders[offer].price_e4;
    return price < leg->inner_low_e4 || price > leg->inner_high_e4;
}

static bool same_group(const struct engine *e, const struct arrival *leg, uint32_t offer)
{
    return e->keys[e->orders[offer].key].group == leg->group;
}

/* --- what it would fill ---------------------------------------------------------------------- */

/* A leg that cannot take all of an offer sleeps after it, and so do all of its ladder hour, which have
 * the same lot: a candidate that was met is never met again. */
struct trial set_fillable(const struct engine *e, const struct set_arrival *a, int64_t wanted)
{
    struct view v;
    struct meeting m;
    struct trial trial = {.qty = 0};
    struct prospects p;
    view_start(e, a, &v);
    for (prospects_start(e, a, &v, &p);
         trial.qty < wanted && trial.met <= e->s.trial_orders && next_meeting(a, &p, &m);
         prospects_renew(e, a, &p, m.leg)) {
        const struct arrival *leg = &a->legs[m.leg];
        struct walk *w = &v.walks[v.walk_of[m.leg]];
        int64_t open = open_of(e, leg, p.balance);
        bool hidden = (w->hidden >> m.book & 1u) != 0;
        if (!hidden && order_over(e, m.offer) != 0) {
            walk_pass(e, w, m.book, false);
            trial.met++;
            continue;
        }
        bool own = !hidden && same_group(e, leg, m.offer);
        if (outside_band(e, leg, m.offer) || (own && !leg->fok && leg->stp == STP_CANCEL_NEWEST)) {
            p.ended |= UINT64_C(1) << m.leg;
            continue;
        }
        int64_t qty = hidden ? w->reserve[m.book]
                      : own  ? match_whole(e, m.offer)
                             : match_shown(e, m.offer);
        qty = qty < open ? qty : open;
        walk_pass(e, w, m.book, !own);
        trial.met += !hidden;
        if (!own) {
            trial.qty += qty;
            trial.notional_e4 += qty * e->orders[m.offer].price_e4;
            p.balance -= qty;
        } else if (!leg->fok && leg->stp == STP_DECREMENT) {
            p.balance -= qty;
        }
    }
    return trial;
}

/* Displayed by others within the leg's limit, counted up to `enough`; *looks: offers that may still be
 * looked at. */
static int64_t displayed(const struct engine *e, const struct arrival *leg, int64_t enough,
                         uint32_t *looks)
{
    int64_t sum = 0;
    uint32_t mask = match_eligible(leg);
    for (uint32_t book = 0; book < BOOKS; book++) {
        uint32_t offer = (mask >> book & 1u) != 0 ? e->ladders[leg->ladder].best[book] : 0;
        while (offer != 0 && sum < enough && e->orders[offer].price_e4 <= leg->limit_e4 &&
               *looks > 0) {
            --*looks;
            bool counts = !same_group(e, leg, offer) && order_over(e, offer) == 0;
            sum += counts ? match_shown(e, offer) : 0;
            offer = book_worse(e, offer);
        }
    }
    return sum < enough ? sum : enough;
}

struct set_miss set_miss(const struct engine *e, const struct set_arrival *a)
{
    struct set_miss miss = {0};
    uint32_t looks = e->s.trial_orders;
    for (uint32_t i = 0; i < a->count; i++) {
        bool live = a->set == 0 || a->slots[i] != 0;
        int64_t qty = live ? displayed(e, &a->legs[i], a->balance, &looks) : 0;
        if (qty > miss.qty) {
            miss = (struct set_miss){
                .contract = a->legs[i].contract, .qty = qty, .number = a->numbers[i]};
        }
    }
    return miss;
}

/* --- arriving -------------------------------------------------------------------------------- */

static bool is_live(const struct engine *e, const struct set_arrival *a, uint32_t generation)
{
    return e->orders[a->set].generation == generation;
}

static void end_leg(struct engine *e, struct set_arrival *a, uint32_t i, uint16_t reason)
{
    uint32_t leg = a->slots[i];
    a->slots[i] = 0;
    set_end_leg(e, leg, reason);
}

static void trade(struct engine *e, const struct set_arrival *a, uint32_t i, uint32_t offer)
{
    const struct arrival *leg = &a->legs[i];
    uint32_t open = set_open(e, a->slots[i]);
    uint32_t shown = match_shown(e, offer);
    struct deal d = {
        .bid = a->set,
        .offer = offer,
        .qty = open < shown ? open : shown,
        .ladder = leg->ladder,
        .price_e4 = e->orders[offer].price_e4,
        .contract = leg->contract,
        .sell = false,
    };
    deal_close(e, &d);
    match_after_fill(e, offer);
}

static void prevent_self_trade(struct engine *e, struct set_arrival *a, uint32_t i, uint32_t offer)
{
    const struct arrival *leg = &a->legs[i];
    if (leg->stp == STP_CANCEL_NEWEST) {
        end_leg(e, a, i, REASON_SELF_TRADE);
    } else if (leg->stp == STP_CANCEL_OLDEST) {
        order_take_out(e, offer, REASON_SELF_TRADE, 0);
    } else {
        uint32_t open = set_open(e, a->slots[i]);
        uint32_t whole = match_whole(e, offer);
        uint32_t qty = open < whole ? open : whole;
        match_decrement(e, offer, qty);
        set_decrement(e, a->slots[i], qty);
    }
}

/* False when that has ended the SET. */
static bool meet(struct engine *e, struct set_arrival *a, struct view *v, const struct meeting *m)
{
    uint32_t generation = e->orders[a->set].generation;
    const struct arrival *leg = &a->legs[m->leg];
    struct walk *w = v != NULL ? &v->walks[v->walk_of[m->leg]] : NULL;
    uint16_t over = order_over(e, m->offer);
    bool outside = over == 0 && outside_band(e, leg, m->offer);
    if (w != NULL && !outside) {
        walk_take(e, w, m->book); /* outside one leg's band it may be inside another's */
    }
    if (over != 0) {
        order_take_out_over(e, m->offer, over);
    } else if (outside) {
        end_leg(e, a, m->leg, REASON_BAND_REMAINDER);
    } else if (!same_group(e, leg, m->offer)) {
        trade(e, a, m->leg, m->offer);
        if (w != NULL) {
            walk_return(e, w, m->book, m->offer);
        }
    } else if (!leg->fok) {
        prevent_self_trade(e, a, m->leg, m->offer);
    }
    return is_live(e, a, generation);
}

/* Trades until no leg is next, or the SET is over. */
static void run(struct engine *e, struct set_arrival *a, struct view *v)
{
    struct prospects p;
    struct meeting m;
    prospects_start(e, a, v, &p);
    while (next_meeting(a, &p, &m) && meet(e, a, v, &m)) {
        p.balance = e->orders[a->set].leaves;
        p.ended |= (uint64_t)(a->slots[m.leg] == 0) << m.leg;
        prospects_renew(e, a, &p, m.leg);
    }
}

/* What remains comes to rest, leg by leg; legs that may trade nothing sleep. */
static void rest(struct engine *e, uint32_t set)
{
    e->orders[set].resting = 1;
    for (uint32_t leg = e->orders[set].next; leg != 0; leg = e->orders[leg].newer) {
        if (set_open(e, leg) != 0 && !ladder_is_collecting(&e->ladders[e->orders[leg].ladder])) {
            book_insert(e, leg);
        } else {
            book_set_aside(e, leg);
        }
    }
}

static void emit_miss(struct engine *e, const struct set_arrival *a)
{
    const struct order *o = &e->orders[a->set];
    const struct key *k = &e->keys[o->key];
    struct set_miss miss = set_miss(e, a);
    struct event *event = emit(e, EVENT_MISS, emit_link(k), 0);
    event->miss = (struct event_miss){
        .party = emit_party_silent(e, o->key, o->cl_ord_id),
        .order_id = order_id_of(e, a->set),
        .contract = miss.contract,
        .qty = miss.qty,
        .wanted_qty = a->balance,
        .leg = miss.number,
    };
}

static void end_missed(struct engine *e, const struct set_arrival *a, uint16_t reason)
{
    emit_miss(e, a);
    set_take_out(e, a->set, reason, 0);
}

static void trade_and_rest(struct engine *e, struct set_arrival *a, const struct set_wish *wish)
{
    struct view v;
    uint32_t set = a->set;
    uint32_t generation = e->orders[set].generation;
    bool fok = a->legs[0].fok;
    if (fok) {
        view_start(e, a, &v);
    }
    run(e, a, fok ? &v : NULL);
    if (!is_live(e, a, generation)) {
        return;
    }
    a->balance = e->orders[set].leaves;
    if (a->balance == 0) {
        set_finish(e, set);
    } else if (!wish->immediate) {
        rest(e, set);
    } else if (e->orders[set].cum == 0) {
        end_missed(e, a, REASON_IMMEDIATE_REMAINDER);
    } else {
        set_take_out(e, set, REASON_IMMEDIATE_REMAINDER, 0);
    }
}

void set_arrive(struct engine *e, struct set_arrival *a, const struct set_wish *wish)
{
    if (wish->misses) {
        end_missed(e, a, a->legs[0].fok ? REASON_FOK_NOT_FILLED : REASON_MIN_QTY_NOT_MET);
    } else {
        trade_and_rest(e, a, wish);
    }
    for (uint32_t i = 0; i < a->count; i++) {
        ladder_release_if_idle(e, a->legs[i].ladder);
    }
}
