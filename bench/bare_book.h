/* The floor: a price-time book with nothing around it, no funds, capacity, owners or tiers. A direct
 * array of price levels, a three-level bitmap a side to find the next one, linked orders in a pool,
 * ids that index an array. What a machine can do at most; engines are quoted as ratios of it.
 * Header only, so that the flow generator and the benchmark compile it with their own hooks:
 * define BARE_ON_TRADE(maker, taker, price, qty) and BARE_ON_FILLED(id) first. */
#ifndef KASHI_BENCH_BARE_BOOK_H
#define KASHI_BENCH_BARE_BOOK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BARE_BITS   17
#define BARE_PRICES (1u << BARE_BITS)

struct bare_order {
    uint32_t next, previous, price, qty;
    uint64_t id;
    uint32_t account;
    uint16_t instrument;
    uint8_t side, reserved;
};
struct bare_level {
    uint64_t qty;
    uint32_t head, tail;
};
struct bare_bitmap {
    uint64_t low[BARE_PRICES / 64];
    uint64_t middle[BARE_PRICES / 4096];
    uint64_t top;
};
struct bare_side_pair {
    uint32_t best[2]; /* 0 and BARE_PRICES: none */
    struct bare_level *levels;
    struct bare_bitmap *bitmaps[2];
};
struct bare {
    struct bare_order *pool;
    uint32_t *slot_of; /* by id; 0 not resting */
    uint32_t free_head, top, capacity;
    struct bare_side_pair *books;
    uint64_t live;
};

static inline void bare_set(struct bare_bitmap *b, uint32_t p)
{
    b->low[p >> 6] |= UINT64_C(1) << (p & 63);
    b->middle[p >> 12] |= UINT64_C(1) << ((p >> 6) & 63);
    b->top |= UINT64_C(1) << (p >> 12);
}

static inline void bare_clear(struct bare_bitmap *b, uint32_t p)
{
    b->low[p >> 6] &= ~(UINT64_C(1) << (p & 63));
    if (b->low[p >> 6] == 0) {
        b->middle[p >> 12] &= ~(UINT64_C(1) << ((p >> 6) & 63));
        if (b->middle[p >> 12] == 0) {
            b->top &= ~(UINT64_C(1) << (p >> 12));
        }
    }
}

static inline uint32_t bare_highest(uint64_t word)
{
    return 63u - (uint32_t)__builtin_clzll(word);
}

static inline uint32_t bare_lowest(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(word);
}

/* Highest set price below p; 0: none (price 0 is never used). */
static inline uint32_t bare_below(const struct bare_bitmap *b, uint32_t p)
{
    uint64_t m = b->low[p >> 6] & ((UINT64_C(1) << (p & 63)) - 1);
    if (m != 0) {
        return (p & ~63u) | bare_highest(m);
    }
    uint32_t q = p >> 6;
    m = b->middle[q >> 6] & ((UINT64_C(1) << (q & 63)) - 1);
    if (m == 0) {
        uint32_t r = q >> 6;
        uint64_t t = b->top & ((UINT64_C(1) << r) - 1);
        if (t == 0) {
            return 0;
        }
        r = bare_highest(t);
        m = b->middle[r];
        q = r << 6;
    }
    q = (q & ~63u) | bare_highest(m);
    return (q << 6) | bare_highest(b->low[q]);
}

/* Lowest set price above p; BARE_PRICES: none. */
static inline uint32_t bare_above(const struct bare_bitmap *b, uint32_t p)
{
    uint64_t m = b->low[p >> 6] & (~UINT64_C(1) << (p & 63));
    if (m != 0) {
        return (p & ~63u) | bare_lowest(m);
    }
    uint32_t q = p >> 6;
    m = b->middle[q >> 6] & (~UINT64_C(1) << (q & 63));
    if (m == 0) {
        uint32_t r = q >> 6;
        uint64_t t = r == 63 ? 0 : b->top & (~UINT64_C(1) << r);
        if (t == 0) {
            return BARE_PRICES;
        }
        r = bare_lowest(t);
        m = b->middle[r];
        q = r << 6;
    }
    q = (q & ~63u) | bare_lowest(m);
    return (q << 6) | bare_lowest(b->low[q]);
}

static void *bare_map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("bench: no memory for the bare book");
        exit(1);
    }
    return p;
}

static void bare_init(struct bare *e, uint32_t instruments, uint64_t max_id, uint32_t capacity)
{
    memset(e, 0, sizeof(*e));
    e->capacity = capacity;
    e->pool = bare_map(((size_t)capacity + 1) * sizeof(struct bare_order));
    e->slot_of = bare_map((max_id + 1) * sizeof(uint32_t));
    e->books = bare_map(instruments * sizeof(struct bare_side_pair));
    e->top = 1;
    for (uint32_t i = 0; i < instruments; i++) {
        struct bare_side_pair *b = &e->books[i];
        b->best[1] = BARE_PRICES;
        b->levels = bare_map((size_t)BARE_PRICES * sizeof(struct bare_level));
        b->bitmaps[0] = bare_map(sizeof(struct bare_bitmap));
        b->bitmaps[1] = bare_map(sizeof(struct bare_bitmap));
    }
}

static void bare_free(struct bare *e, uint32_t instruments, uint64_t max_id)
{
    for (uint32_t i = 0; i < instruments; i++) {
        munmap(e->books[i].levels, (size_t)BARE_PRICES * sizeof(struct bare_level));
        munmap(e->books[i].bitmaps[0], sizeof(struct bare_bitmap));
        munmap(e->books[i].bitmaps[1], sizeof(struct bare_bitmap));
    }
    munmap(e->books, instruments * sizeof(struct bare_side_pair));
    munmap(e->slot_of, (max_id + 1) * sizeof(uint32_t));
    munmap(e->pool, ((size_t)e->capacity + 1) * sizeof(struct bare_order));
}

static inline uint32_t bare_slot_take(struct bare *e)
{
    uint32_t s = e->free_head;
    if (s != 0) {
        e->free_head = e->pool[s].next;
        return s;
    }
    if (e->top > e->capacity) {
        fprintf(stderr, "bench: the bare book's pool is full\n");
        exit(1);
    }
    return e->top++;
}

static inline void bare_slot_release(struct bare *e, uint32_t s)
{
    e->pool[s].next = e->free_head;
    e->free_head = s;
}

static inline void bare_level_empty(struct bare_side_pair *b, int side, uint32_t p)
{
    bare_clear(b->bitmaps[side], p);
    if (b->best[side] == p) {
        b->best[side] = side ? bare_above(b->bitmaps[1], p) : bare_below(b->bitmaps[0], p);
    }
}

static inline void bare_rest(struct bare *e, uint16_t instrument, int side, uint64_t id,
                             uint32_t account, uint32_t price, uint32_t qty)
{
    struct bare_side_pair *b = &e->books[instrument];
    uint32_t s = bare_slot_take(e);
    struct bare_order *o = &e->pool[s];
    struct bare_level *l = &b->levels[price];
    *o = (struct bare_order){.previous = l->tail,
                             .price = price,
                             .qty = qty,
                             .id = id,
                             .account = account,
                             .instrument = instrument,
                             .side = (uint8_t)side};
    l->qty += qty;
    if (l->tail != 0) {
        e->pool[l->tail].next = s;
        l->tail = s;
    } else {
        l->head = l->tail = s;
        bare_set(b->bitmaps[side], price);
        if (side ? price < b->best[1] : price > b->best[0]) {
            b->best[side] = price;
        }
    }
    e->slot_of[id] = s;
    e->live++;
}

static inline void bare_unlink(struct bare *e, struct bare_order *o)
{
    struct bare_side_pair *b = &e->books[o->instrument];
    struct bare_level *l = &b->levels[o->price];
    l->qty -= o->qty;
    if (o->previous != 0) {
        e->pool[o->previous].next = o->next;
    } else {
        l->head = o->next;
    }
    if (o->next != 0) {
        e->pool[o->next].previous = o->previous;
    } else {
        l->tail = o->previous;
    }
    if (l->head == 0) {
        bare_level_empty(b, o->side, o->price);
    }
}

/* Matches against the other side up to the limit; returns what is left. */
static inline uint32_t bare_match(struct bare *e, struct bare_side_pair *b, int side, uint64_t id,
                                  uint32_t limit, uint32_t qty)
{
    int other = side ^ 1;
    uint32_t best;
    while (qty != 0 && (best = b->best[other], side ? (best >= limit && best != 0)
                                                    : (best <= limit && best != BARE_PRICES))) {
        struct bare_level *l = &b->levels[best];
        uint32_t s = l->head;
        do {
            struct bare_order *o = &e->pool[s];
            uint32_t traded = o->qty < qty ? o->qty : qty;
            BARE_ON_TRADE(o->id, id, best, traded);
            qty -= traded;
            l->qty -= traded;
            o->qty -= traded;
            if (o->qty != 0) {
                l->head = s;
                o->previous = 0;
                return 0;
            }
            uint32_t next = o->next;
            e->slot_of[o->id] = 0;
            e->live--;
            BARE_ON_FILLED(o->id);
            bare_slot_release(e, s);
            s = next;
        } while (s != 0 && qty != 0);
        l->head = s;
        if (s != 0) {
            e->pool[s].previous = 0;
            return 0;
        }
        l->tail = 0;
        bare_level_empty(b, other, best);
    }
    return qty;
}

/* Returns what is left of it; a limit order (may_rest) rests that. */
static inline uint32_t bare_new(struct bare *e, uint16_t instrument, int may_rest, int side,
                                uint64_t id, uint32_t account, uint32_t limit, uint32_t qty)
{
    qty = bare_match(e, &e->books[instrument], side, id, limit, qty);
    if (qty != 0 && may_rest) {
        bare_rest(e, instrument, side, id, account, limit, qty);
    }
    return qty;
}

/* 1 when it was resting. */
static inline int bare_cancel(struct bare *e, uint64_t id)
{
    uint32_t s = e->slot_of[id];
    if (s == 0) {
        return 0;
    }
    bare_unlink(e, &e->pool[s]);
    e->slot_of[id] = 0;
    e->live--;
    bare_slot_release(e, s);
    return 1;
}

/* Cancel and new under the same id. */
static inline int bare_modify(struct bare *e, uint64_t id, uint32_t price, uint32_t qty)
{
    uint32_t s = e->slot_of[id];
    if (s == 0) {
        return 0;
    }
    struct bare_order o = e->pool[s];
    bare_cancel(e, id);
    bare_new(e, o.instrument, 1, o.side, id, o.account, price, qty);
    return 1;
}

#endif
