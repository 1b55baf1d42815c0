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

struct bucket *holding_bucket(const struct engine *e, const struct holding_place *sought)
{
    uint32_t place = sought->print & e->bucket_mask;
    for (;;) {
        struct bucket *b = &e->buckets[place];
        if (b->holding == 0) {
            return b;
        }
        const struct holding *h = &e->holdings[b->holding];
        if (b->print == sought->print && h->account == sought->account &&
            h->resource == sought->resource && h->hour_tier == sought->hour_tier) {
            return b;
        }
        place = (place + 1) & e->bucket_mask;
    }
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

void holding_begin(struct engine *e, const struct holding_place *place, struct bucket *bucket)
{
    uint32_t index = e->s.holding_free;
    if (index != 0) {
        e->s.holding_free = e->holdings[index].next_free;
    } else {
        CHECK(e->s.holding_top < e->config.holdings);
        index = ++e->s.holding_top;
    }
    uint32_t *in_hour = &e->hour_holdings[(place->hour_tier >> 8) % HOUR_RING];
    struct holding *h = &e->holdings[index];
    *h = (struct holding){.account = place->account,
                          .resource = place->resource,
                          .hour_tier = place->hour_tier,
                          .next_in_hour = *in_hour};
    if (*in_hour != 0) {
        e->holdings[*in_hour].previous_in_hour = index;
    }
    *in_hour = index;
    e->s.holding_count++;
    *bucket = (struct bucket){.holding = index, .print = place->print};
}

uint32_t holding_behind_of(const struct engine *e, uint32_t first,
                           const struct holding_place *place)
{
    uint32_t qty = 0;
    for (uint32_t fill = first; fill <= e->s.fill_count; fill++) {
        const struct fill_record *f = &e->fills[fill];
        uint32_t hour_tier = contract_hour(f->contract) << 8 | contract_tier(f->contract);
        bool its = f->buyer == place->account && f->resource == place->resource &&
                   hour_tier == place->hour_tier;
        qty += its ? (uint32_t)f->qty : 0;
    }
    return qty;
}

/* Whether a fill that is not in the table yet will begin a holding. */
static bool begins_holding(const struct engine *e, uint32_t fill)
{
    struct holding_place place = holding_place_of_fill(&e->fills[fill]);
    if (holding_bucket(e, &place)->holding != 0) {
        return false;
    }
    for (uint32_t before = e->s.holding_fills + 1; before < fill; before++) {
        struct holding_place other = holding_place_of_fill(&e->fills[before]);
        if (memcmp(&other, &place, sizeof(place)) == 0) {
            return false;
        }
    }
    return true;
}

bool holding_has_room_exactly(const struct engine *e, int64_t fills)
{
    int64_t room = (int64_t)e->config.holdings - e->s.holding_count;
    for (uint32_t fill = e->s.holding_fills + 1; fill <= e->s.fill_count; fill++) {
        room -= begins_holding(e, fill);
    }
    return room >= fills;
}

static void holding_end(struct engine *e, uint32_t index)
{
    struct holding *h = &e->holdings[index];
    struct holding_place place =
        holding_place(h->account, h->resource, h->hour_tier >> 8, (uint8_t)(h->hour_tier & 0xffu));
    bucket_clear(e, (uint32_t)(holding_bucket(e, &place) - e->buckets));
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

static void holding_offer(struct engine *e, uint32_t holding, int64_t qty)
{
    struct holding *h = &e->holdings[holding];
    int64_t offered = (int64_t)h->offered + qty;
    CHECK(offered >= 0 && offered <= (int64_t)h->qty);
    h->offered = (uint32_t)offered;
}

static void holding_sell(struct engine *e, uint32_t holding, int64_t qty)
{
    holding_offer(e, holding, -qty);
    e->holdings[holding].qty -= (uint32_t)qty;
    if (e->holdings[holding].qty == 0) {
        holding_end(e, holding);
    }
}

bool holding_forget_one(struct engine *e, uint32_t hour)
{
    holding_settle(e);
    uint32_t index = e->hour_holdings[hour % HOUR_RING];
    if (index == 0) {
        return false;
    }
    CHECK(e->holdings[index].hour_tier >> 8 == hour && e->holdings[index].offered == 0);
    holding_end(e, index);
    return true;
}

/* What may still be offered of a holding; 0 when there is none. */
static int64_t free_of_holding(const struct engine *e, uint32_t account, uint32_t resource,
                               uint32_t hour_tier)
{
    struct holding_place place =
        holding_place(account, resource, hour_tier >> 8, (uint8_t)hour_tier);
    const struct holding *h = &e->holdings[holding_bucket(e, &place)->holding];
    return (int64_t)h->qty - (int64_t)h->offered +
           holding_behind_of(e, e->s.holding_fills + 1, &place);
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
        if (free_of_holding(e, account, order->resource, hour << 8 | tier) >= order->qty) {
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
        int64_t held = free_of_holding(e, account, order->resource, hour << 8 | tier);
        most = held > most ? held : most;
    }
    return most;
}

static uint32_t source_holding(struct engine *e, const struct order *o, uint32_t hour)
{
    holding_settle(e);
    struct holding_place place =
        holding_place(e->keys[o->key].account, o->resource, hour, (uint8_t)o->source);
    uint32_t index = holding_bucket(e, &place)->holding;
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

void capacity_sell(struct engine *e, uint32_t slot, uint32_t hour, int64_t qty)
{
    holding_sell(e, source_holding(e, &e->orders[slot], hour), qty);
}

int64_t capacity_room(const struct engine *e, uint32_t slot, uint32_t hour)
{
    const struct order *o = &e->orders[slot];
    if (o->source == SOURCE_OWN) {
        return capacity_free(e, o->resource, hour);
    }
    return free_of_holding(e, e->keys[o->key].account, o->resource, hour << 8 | o->source);
}
