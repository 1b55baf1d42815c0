/* Capacity: what of a resource's hour is committed, and who holds what it bought. */
#ifndef KASHI_EXCHANGE_CORE_CAPACITY_H
#define KASHI_EXCHANGE_CORE_CAPACITY_H

#include "exchange/core/state.h"

static inline struct capacity_cell *capacity_cell(const struct engine *e, uint32_t resource,
                                                  uint32_t hour)
{
    return &e->cells[(size_t)(hour % HOUR_RING) * (e->config.resources + 1u) + resource];
}
/* GPUs of the resource neither offered nor sold in that hour. */
int64_t capacity_free(const struct engine *e, uint32_t resource, uint32_t hour);
/* Commits (qty above 0) or gives back (below 0) GPUs of the provider's own capacity. */
void capacity_commit(struct engine *e, uint32_t resource, uint32_t hour, int64_t qty);

/* Who holds what of which hour and tier, and where to look for it. */
struct holding_place {
    uint32_t account;
    uint32_t resource;
    uint32_t hour_tier; /* hour << 8 | tier */
    uint32_t print;
};
static inline uint32_t holding_print(uint32_t account, uint32_t resource, uint32_t hour_tier)
{
    uint64_t h = ((uint64_t)account << 32 | resource) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ (h >> 29) ^ hour_tier) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}
static inline struct holding_place holding_place(uint32_t account, uint32_t resource, uint32_t hour,
                                                 uint8_t tier)
{
    uint32_t hour_tier = hour << 8 | tier;
    return (struct holding_place){account, resource, hour_tier,
                                  holding_print(account, resource, hour_tier)};
}
/* Bucket of the holding, or the empty one where it would go. */
struct bucket *holding_bucket(const struct engine *e, const struct holding_place *sought);
/* Begins a holding of nothing in its empty bucket; the table must have room. */
void holding_begin(struct engine *e, const struct holding_place *place, struct bucket *bucket);
/* What was bought enters the table of holdings at least so many trades late, by when its bucket and then
 * the holding itself have come into the cache, and one with a command, so that a run of trades does not
 * pay for all of its own. Until then the records of the fills tell it, and holding_prints[] where to look. */
#define HOLDINGS_BEHIND      16
#define HOLDINGS_BEHIND_MOST 96
static_assert(HOLDINGS_BEHIND_MOST < HOLDING_PRINTS, "none is overwritten before it is used");
static inline uint32_t holding_behind(const struct engine *e)
{
    return e->s.fill_count - e->s.holding_fills;
}
static inline struct holding_place holding_place_of_fill(const struct fill_record *f)
{
    return holding_place((uint32_t)f->buyer, (uint32_t)f->resource, contract_hour(f->contract),
                         contract_tier(f->contract));
}
/* Where in the buckets the holding of one of the last fills is sought first. */
static inline struct bucket *holding_home(const struct engine *e, uint32_t fill)
{
    return &e->buckets[e->s.holding_prints[fill % HOLDING_PRINTS] & e->bucket_mask];
}
/* Enters the oldest fill that is not yet in the table. */
static inline void holding_enter_one(struct engine *e)
{
    uint32_t fill = ++e->s.holding_fills;
    const struct fill_record *f = &e->fills[fill];
    struct holding_place place = {.account = (uint32_t)f->buyer,
                                  .resource = (uint32_t)f->resource,
                                  .hour_tier =
                                      contract_hour(f->contract) << 8 | contract_tier(f->contract),
                                  .print = e->s.holding_prints[fill % HOLDING_PRINTS]};
    struct bucket *b = holding_bucket(e, &place);
    if (b->holding == 0) {
        holding_begin(e, &place, b);
    }
    struct holding *h = &e->holdings[b->holding];
    h->qty += (uint32_t)f->qty;
    CHECK(h->qty <= e->resources[place.resource].gpus);
}
/* To be called with every fill, when it has been recorded. */
static inline void holding_owe(struct engine *e, uint32_t print)
{
    e->s.holding_prints[e->s.fill_count % HOLDING_PRINTS] = print;
    __builtin_prefetch(&e->buckets[print & e->bucket_mask], 1);
    if (__builtin_expect(holding_behind(e) > HOLDINGS_BEHIND_MOST, 0)) {
        holding_enter_one(e);
    }
}
/* To be called once a command. */
static inline void holding_catch_up(struct engine *e)
{
    if (__builtin_expect(holding_behind(e) > HOLDINGS_BEHIND, 0)) {
        const struct bucket *next = holding_home(e, e->s.holding_fills + HOLDINGS_BEHIND / 2);
        __builtin_prefetch(&e->holdings[next->holding], 1);
        holding_enter_one(e);
    }
}
/* Brings the table up to date. */
static inline void holding_settle(struct engine *e)
{
    while (holding_behind(e) != 0) {
        holding_enter_one(e);
    }
}
/* What the fills that have not entered it, from one of them on, add to a holding. */
uint32_t holding_behind_of(const struct engine *e, uint32_t first,
                           const struct holding_place *place);
/* Whether so many fills find room, those not yet in the table taken into account. */
RARE bool holding_has_room_exactly(const struct engine *e, int64_t fills);
static inline bool holding_has_room(const struct engine *e, int64_t fills)
{
    int64_t room = (int64_t)e->config.holdings - e->s.holding_count;
    return __builtin_expect(room - holding_behind(e) >= fills, 1) ||
           holding_has_room_exactly(e, fills);
}
/* Forgets one holding of an hour; false when there is none. */
bool holding_forget_one(struct engine *e, uint32_t hour);

/* Source that an offer would draw on: SOURCE_OWN or a tier; false: nothing suffices. */
bool capacity_source(const struct engine *e, uint32_t account,
                     const struct command_new_order *order, uint8_t *source);
/* The most that one offer of the account could draw on; nobody else's stock shows in it. */
int64_t capacity_most(const struct engine *e, uint32_t account,
                      const struct command_new_order *order);
/* Reserves (above 0) or gives back (below 0) quantity of an offer at its source. */
void capacity_reserve(struct engine *e, uint32_t slot, uint32_t hour, int64_t qty);
/* Takes what an offer draws on a holding and has sold out of it; an empty holding ends. */
void capacity_sell(struct engine *e, uint32_t slot, uint32_t hour, int64_t qty);
/* Room left at the offer's source, beyond what it has reserved. */
int64_t capacity_room(const struct engine *e, uint32_t slot, uint32_t hour);

#endif
