#include "exchange/core/book.h"

#include "exchange/core/quote.h"
#include "exchange/core/tree.h"

static int32_t goodness_of(const struct order *o)
{
    return o->sell ? -(int32_t)o->price_e4 : (int32_t)o->price_e4;
}

static uint32_t book_of(const struct order *o)
{
    return o->ladder * BOOKS + book_index(o->sell, o->tier);
}

/* --- insert and remove ------------------------------------------------------------------- */

void book_enter(struct engine *e, uint32_t slot, struct hint *hint)
{
    struct order *o = &e->orders[slot];
    uint32_t head = tree_enter(e, book_of(o), goodness_of(o), slot);
    if (head != 0) {
        hint->head = head;
        book_join(e->orders, head, slot);
        return;
    }
    struct ladder *l = &e->ladders[o->ladder];
    uint32_t book = book_index(o->sell, o->tier);
    hint->head = slot;
    o->head = 1;
    o->next = slot;
    o->previous = slot;
    if ((l->occupied >> book & 1u) == 0 ||
        (o->sell ? o->price_e4 < l->best_price[book] : o->price_e4 > l->best_price[book])) {
        l->occupied |= 1u << book;
        l->best[book] = slot;
        l->best_price[book] = o->price_e4;
    }
}

/* Ends so many of the best levels of a book. */
static void levels_end(struct engine *e, uint32_t ladder, uint32_t book, uint32_t levels)
{
    struct ladder *l = &e->ladders[ladder];
    int32_t goodness;
    uint32_t best = tree_remove_best(e, ladder * BOOKS + book, levels, &goodness);
    l->best[book] = best;
    if (best == 0) {
        l->occupied &= ~(1u << book);
    } else {
        l->best_price[book] = (uint32_t)(book >= TIER_COUNT ? -goodness : goodness);
    }
}

/* The order was alone at its price. */
static void level_end(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    uint32_t book = book_index(o->sell, o->tier);
    if (e->ladders[o->ladder].best[book] == slot) {
        levels_end(e, o->ladder, book, 1);
    } else {
        tree_remove(e, book_of(o), goodness_of(o));
    }
}

/* The next in time becomes the head. */
static void level_promote(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    struct ladder *l = &e->ladders[o->ladder];
    uint32_t book = book_index(o->sell, o->tier);
    e->orders[o->next].previous = o->previous;
    e->orders[o->previous].next = o->next;
    e->orders[o->next].head = 1;
    book_hint_of(e, o)->head = o->next;
    tree_set_head(e, book_of(o), goodness_of(o), o->next);
    if (l->best[book] == slot) {
        l->best[book] = o->next;
    }
}

void book_taken(struct engine *e, uint32_t ladder, uint32_t book, const struct book_taken *taken)
{
    struct ladder *l = &e->ladders[ladder];
    l->orders[book / TIER_COUNT] -= taken->orders;
    if (taken->levels != 0) {
        levels_end(e, ladder, book, taken->levels);
    }
    uint32_t head = taken->head;
    if (head == 0 || e->orders[head].head) {
        return;
    }
    struct order *o = &e->orders[head];
    o->previous = taken->newest;
    e->orders[taken->newest].next = head;
    o->head = 1;
    book_hint_of(e, o)->head = head;
    tree_set_best(e, ladder * BOOKS + book, head);
    l->best[book] = head;
}

void book_remove_head(struct engine *e, uint32_t slot)
{
    if (e->orders[slot].next == slot) {
        level_end(e, slot);
    } else {
        level_promote(e, slot);
    }
}

void book_set_aside(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    struct ladder *l = &e->ladders[o->ladder];
    uint32_t shadow = ladder_shadow(e, o->ladder);
    e->ladders[shadow].contract = l->contract;
    e->ladders[shadow].market = l->market;
    l->occupied |= LADDER_SHADOWED;
    o->ladder = shadow;
    book_insert(e, slot);
}

void book_take_aside(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    uint32_t shadow = o->ladder;
    book_remove(e, slot);
    o->ladder = ladder_main(e, shadow);
    if (e->ladders[shadow].occupied == 0) {
        e->ladders[shadow] = (struct ladder){0};
        e->ladders[o->ladder].occupied &= ~LADDER_SHADOWED;
    }
}

void book_withdraw(struct engine *e, uint32_t slot)
{
    if (ladder_is_shadow(e, e->orders[slot].ladder)) {
        book_take_aside(e, slot);
    } else {
        book_remove(e, slot);
    }
}

uint32_t book_worse(const struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    return e->orders[o->next].head ? tree_worse(e, book_of(o), goodness_of(o)) : o->next;
}

/* --- sanity ------------------------------------------------------------------------------ */

uint32_t book_sanity(const struct engine *e, uint32_t ladder, uint32_t book)
{
    const struct ladder *l = &e->ladders[ladder];
    CHECK((l->root[book] != 0) == ((l->occupied >> book & 1u) != 0));
    uint32_t slot = l->best[book];
    CHECK((slot != 0) == (l->root[book] != 0));
    CHECK(slot == 0 || l->best_price[book] == e->orders[slot].price_e4);
    CHECK(slot == tree_best(e, ladder * BOOKS + book));
    uint32_t count = 0;
    int64_t previous = INT64_MAX;
    while (slot != 0) {
        const struct order *o = &e->orders[slot];
        CHECK(o->resting && o->ladder == ladder);
        CHECK(o->kind == KIND_PLAIN ? o->live && o->leaves > 0 : !o->live);
        CHECK(o->tier == book % 4 && o->sell == book / 4);
        CHECK(e->orders[o->next].previous == slot && e->orders[o->previous].next == slot);
        CHECK(e->orders[o->next].price_e4 == o->price_e4);
        CHECK(o->head ? goodness_of(o) < previous : goodness_of(o) == previous);
        if (o->head) {
            tree_sanity(e, ladder * BOOKS + book, goodness_of(o), slot);
        }
        previous = goodness_of(o);
        count++;
        slot = book_worse(e, slot);
    }
    return count;
}

/* --- ladders ----------------------------------------------------------------------------- */

uint32_t ladder_make(struct engine *e, uint32_t market, uint32_t hour)
{
    uint32_t found = e->rings[market][hour % HOUR_RING];
    if (found != 0) {
        return found;
    }
    uint32_t index = e->s.ladder_free;
    if (index != 0) {
        e->s.ladder_free = e->ladders[index].next_free;
    } else if (e->s.ladder_top < e->config.ladders) {
        index = ++e->s.ladder_top;
    } else {
        return 0;
    }
    const struct market *m = &e->markets[market];
    e->ladders[index] = (struct ladder){
        .contract = contract_pack(m->class_id, m->region_id, 0, hour), .market = market};
    e->rings[market][hour % HOUR_RING] = index;
    e->s.ladder_count++;
    return index;
}

void ladder_release(struct engine *e, uint32_t ladder)
{
    struct ladder *l = &e->ladders[ladder];
    CHECK(l->occupied == 0);
    e->rings[l->market][contract_hour(l->contract) % HOUR_RING] = 0;
    quote_forget_ladder(e, l);
    *l = (struct ladder){.next_free = e->s.ladder_free};
    e->s.ladder_free = ladder;
    e->s.ladder_count--;
}

void ladder_release_idle(struct engine *e, uint32_t ladder)
{
    if (ladder > 2 * e->config.ladders) {
        return;
    }
    uint32_t own = ladder_main(e, ladder);
    const struct ladder *l = &e->ladders[own];
    if (l->market != 0 && l->occupied == 0 && l->last_trade_e4 == 0) {
        ladder_release(e, own);
    }
}
