#include "exchange/core/capacity.h"

int64_t capacity_free(const struct engine *e, uint32_t resource, uint32_t hour)
{
    const struct capacity_cell *cell = capacity_cell(e, resource, hour);
    int64_t committed = cell->hour == hour ? cell->committed : 0;
    return (int64_t)e->resources[resource].gpus - committed;
}

void capacity_commit(struct engine *e, uint32_t resource, uint32_t hour, int64_t qty)
{
    struct capacity_cell *cell = capacity_cell(e, resource, hour);
    if (cell->hour != hour) {
        *cell = (struct capacity_cell){.hour = hour, .committed = 0};
    }
    int64_t committed = (int64_t)cell->committed + qty;
    CHECK(committed >= 0 && committed <= (int64_t)e->resources[resource].gpus);
    cell->committed = (uint32_t)committed;
}

static uint32_t holding_print(uint32_t account, uint32_t resource, uint32_t hour_tier)
{
    uint64_t h = ((uint64_t)account << 32 | resource) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ (h >> 29) ^ hour_tier) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}

/* Place of the holding's bucket, or of the empty one where it would go. */
static uint32_t bucket_find(const struct engine *e, const struct holding *sought, uint32_t print)
{
    uint32_t place = print & e->bucket_mask;
    for (;;) {
        const struct bucket *b = &e->buckets[place];
        if (b->holding == 0) {
            return place;
        }
        const struct holding *h = &e->holdings[b->holding];
        if (b->print == print && h->account == sought->account && h->resource == sought->resource &&
            h->hour_tier == sought->hour_tier) {
            return place;
        }
        place = (place + 1) & e->bucket_mask;
    }
}

static uint32_t bucket_of(const struct engine *e, const struct holding *sought)
{
    return bucket_find(e, sought,
                       holding_print(sought->account, sought->resource, sought->hour_tier));
}

/* Empties a place; those that had to pass it move up, so that no probe ends early. */
static void bucket_clear(struct engine *e, uint32_t place)
{
    uint32_t hole = place;
    for (;;) {
        place = (place + 1) & e->bucket_mask;
        struct bucket b = e->buckets[place];
        if (b.holding == 0) {
            break;
        }
        uint32_t home = b.print & e->bucket_mask;
        if (((place - home) & e->bucket_mask) >= ((place - hole) & e->bucket_mask)) {
            e->buckets[hole] = b;
            hole = place;
        }
    }
    e->buckets[hole] = (struct bucket){0};
}

uint32_t holding_find(const struct engine *e, uint32_t account, uint32_t resource, uint32_t hour,
                      uint8_t tier)
{
    struct holding sought = {
        .account = account, .resource = resource, .hour_tier = hour << 8 | tier};
    return e->buckets[bucket_of(e, &sought)].holding;
}

static uint32_t holding_begin(struct engine *e, const struct holding *fresh, uint32_t hour)
{
    uint32_t index = e->s.holding_free;
    if (index != 0) {
        e->s.holding_free = e->holdings[index].next_free;
    } else {
        CHECK(e->s.holding_top < e->config.holdings);
        index = ++e->s.holding_top;
    }
    uint32_t *in_hour = &e->hour_holdings[hour % HOUR_RING];
    struct holding *h = &e->holdings[index];
    *h = (struct holding){.account = fresh->account,
                          .resource = fresh->resource,
                          .hour_tier = fresh->hour_tier,
                          .next_in_hour = *in_hour};
    if (*in_hour != 0) {
        e->holdings[*in_hour].previous_in_hour = index;
    }
    *in_hour = index;
    e->s.holding_count++;
    return index;
}

void holding_add(struct engine *e, uint32_t account, uint32_t resource, uint32_t hour, uint8_t tier,
                 int64_t qty)
{
    struct holding fresh = {
        .account = account, .resource = resource, .hour_tier = hour << 8 | tier};
    uint32_t print = holding_print(account, resource, fresh.hour_tier);
    struct bucket *b = &e->buckets[bucket_find(e, &fresh, print)];
    if (b->holding == 0) {
        *b = (struct bucket){.holding = holding_begin(e, &fresh, hour), .print = print};
    }
    struct holding *h = &e->holdings[b->holding];
    h->qty += (uint32_t)qty;
    CHECK(h->qty <= e->resources[resource].gpus);
}

void holding_prefetch(const struct engine *e, uint32_t account, uint32_t resource, uint32_t hour,
                      uint8_t tier)
{
    uint32_t print = holding_print(account, resource, hour << 8 | tier);
    __builtin_prefetch(&e->buckets[print & e->bucket_mask], 1);
    KEPT();
}

static void holding_end(struct engine *e, uint32_t index)
{
    struct holding *h = &e->holdings[index];
    bucket_clear(e, bucket_of(e, h));
    if (h->previous_in_hour != 0) {
        e->holdings[h->previous_in_hour].next_in_hour = h->next_in_hour;
    } else {
        e->hour_holdings[(h->hour_tier >> 8) % HOUR_RING] = h->next_in_hour;
    }
    if (h->next_in_hour != 0) {
        e->holdings[h->next_in_hour].previous_in_hour = h->previous_in_hour;
    }
    *h = (struct holding){.next_free = e->s.holding_free};
    e->s.holding_free = index;
    e->s.holding_count--;
}

void holding_offer(struct engine *e, uint32_t holding, int64_t qty)
{
    struct holding *h = &e->holdings[holding];
    int64_t offered = (int64_t)h->offered + qty;
    CHECK(offered >= 0 && offered <= (int64_t)h->qty);
    h->offered = (uint32_t)offered;
}

void holding_sell(struct engine *e, uint32_t holding, int64_t qty)
{
    holding_offer(e, holding, -qty);
    e->holdings[holding].qty -= (uint32_t)qty;
    if (e->holdings[holding].qty == 0) {
        holding_end(e, holding);
    }
}

bool holding_forget_one(struct engine *e, uint32_t hour)
{
    uint32_t index = e->hour_holdings[hour % HOUR_RING];
    if (index == 0) {
        return false;
    }
    CHECK(e->holdings[index].hour_tier >> 8 == hour && e->holdings[index].offered == 0);
    holding_end(e, index);
    return true;
}

bool capacity_source(const struct engine *e, uint32_t account,
                     const struct command_new_order *order, uint8_t *source)
{
    uint32_t hour = contract_hour(order->contract);
    if (e->resources[order->resource].account == account &&
        capacity_free(e, order->resource, hour) >= order->qty) {
        *source = SOURCE_OWN;
        return true;
    }
    for (uint8_t tier = contract_tier(order->contract); tier < TIER_COUNT; tier++) {
        uint32_t index = holding_find(e, account, order->resource, hour, tier);
        if (index != 0 &&
            (int64_t)e->holdings[index].qty - (int64_t)e->holdings[index].offered >= order->qty) {
            *source = tier;
            return true;
        }
    }
    return false;
}

int64_t capacity_most(const struct engine *e, uint32_t account,
                      const struct command_new_order *order)
{
    uint32_t hour = contract_hour(order->contract);
    bool own = e->resources[order->resource].account == account;
    int64_t most = own ? capacity_free(e, order->resource, hour) : 0;
    for (uint8_t tier = contract_tier(order->contract); tier < TIER_COUNT; tier++) {
        uint32_t index = holding_find(e, account, order->resource, hour, tier);
        const struct holding *h = &e->holdings[index];
        int64_t held = index != 0 ? (int64_t)h->qty - (int64_t)h->offered : 0;
        most = held > most ? held : most;
    }
    return most;
}

static uint32_t source_holding(const struct engine *e, const struct order *o, uint32_t hour)
{
    uint32_t index = holding_find(e, e->keys[o->key].account, o->resource, hour, o->source);
    CHECK(index != 0);
    return index;
}

void capacity_reserve(struct engine *e, uint32_t slot, uint32_t hour, int64_t qty)
{
    const struct order *o = &e->orders[slot];
    if (o->source == SOURCE_OWN) {
        capacity_commit(e, o->resource, hour, qty);
    } else {
        holding_offer(e, source_holding(e, o, hour), qty);
    }
}

int64_t capacity_room(const struct engine *e, uint32_t slot, uint32_t hour)
{
    const struct order *o = &e->orders[slot];
    if (o->source == SOURCE_OWN) {
        return capacity_free(e, o->resource, hour);
    }
    const struct holding *h = &e->holdings[source_holding(e, o, hour)];
    return (int64_t)h->qty - (int64_t)h->offered;
}
