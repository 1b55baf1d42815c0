#include "exchange/depth.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/replica_map.h"
#include "wire/command.h"

bool depth_better(uint8_t side, int64_t a_e4, int64_t b_e4)
{
    return side == SIDE_BUY ? a_e4 > b_e4 : a_e4 < b_e4;
}

/* Place of the price, or where it would stand. */
static uint32_t place_of(const struct depth *depth, uint8_t side, int64_t price_e4)
{
    uint32_t low = 0;
    uint32_t high = depth->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (depth_better(side, depth->levels[middle].price_e4, price_e4)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct level_row depth_at(const struct depth *depth, uint8_t side, int64_t price_e4)
{
    uint32_t place = place_of(depth, side, price_e4);
    if (place < depth->count && depth->levels[place].price_e4 == price_e4) {
        return depth->levels[place];
    }
    return (struct level_row){.price_e4 = price_e4};
}

void depth_change(struct depth *depth, uint8_t side, const struct level_row *change)
{
    uint32_t place = place_of(depth, side, change->price_e4);
    if (place == depth->count || depth->levels[place].price_e4 != change->price_e4) {
        CHECK(change->orders > 0);
        depth->levels =
            replica_grow(depth->levels, depth->count, &depth->capacity, sizeof(depth->levels[0]));
        memmove(&depth->levels[place + 1], &depth->levels[place],
                (depth->count - place) * sizeof(depth->levels[0]));
        depth->levels[place] = (struct level_row){.price_e4 = change->price_e4};
        depth->count++;
    }
    struct level_row *level = &depth->levels[place];
    level->qty += change->qty;
    level->shared_qty += change->shared_qty;
    level->reserved_qty += change->reserved_qty;
    level->orders += change->orders;
    CHECK(level->qty >= 0 && level->shared_qty >= 0 && level->reserved_qty >= 0 &&
          level->orders >= 0);
    if (level->orders == 0) {
        CHECK(level->qty == 0 && level->shared_qty == 0 && level->reserved_qty == 0);
        depth->count--;
        memmove(level, level + 1, (depth->count - place) * sizeof(depth->levels[0]));
    }
}

uint32_t depth_firm(const struct depth *offers)
{
    uint32_t firm = 0;
    while (firm < offers->count && offers->levels[firm].qty == 0) {
        firm++;
    }
    return firm;
}

void depth_free(struct depth *depth)
{
    free(depth->levels);
    *depth = (struct depth){0};
}
