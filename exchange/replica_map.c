#include "exchange/replica_map.h"

#include <stdlib.h>

#include "base/check.h"

#define PLACES_FIRST 64

static size_t home_of(const struct replica_map *map, uint64_t key)
{
    /* Ids differ in few bits, low or high; multiplying by 2^64 / golden ratio and folding the upper
     * half down spreads both. */
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed ^ mixed >> 32) & map->mask;
}

void replica_map_init(struct replica_map *map)
{
    map->places = calloc(PLACES_FIRST, sizeof(map->places[0]));
    CHECK(map->places);
    map->mask = PLACES_FIRST - 1;
    map->count = 0;
}

void replica_map_free(struct replica_map *map)
{
    if (map) {
        free(map->places);
        map->places = NULL;
    }
}

static struct replica_map_place *seek(const struct replica_map *map, uint64_t key)
{
    size_t place = home_of(map, key);
    while (map->places[place].key != 0 && map->places[place].key != key) {
        place = (place + 1) & map->mask;
    }
    return &map->places[place];
}

static void double_places(struct replica_map *map)
{
    struct replica_map larger = {.mask = map->mask * 2 + 1, .count = map->count};
    larger.places = calloc(larger.mask + 1, sizeof(larger.places[0]));
    CHECK(larger.places);
    for (size_t place = 0; place <= map->mask; place++) {
        if (map->places[place].key != 0) {
            *seek(&larger, map->places[place].key) = map->places[place];
        }
    }
    free(map->places);
    *map = larger;
}

uint64_t *replica_map_find(const struct replica_map *map, uint64_t key)
{
    struct replica_map_place *place = seek(map, key);
    return key != 0 && place->key == key ? &place->value : NULL;
}

uint64_t *replica_map_put(struct replica_map *map, uint64_t key)
{
    CHECK(key != 0);
    struct replica_map_place *place = seek(map, key);
    if (place->key == key) {
        return &place->value;
    }
    if ((map->count + 1) * 3 > (map->mask + 1) * 2) {
        double_places(map);
        place = seek(map, key);
    }
    *place = (struct replica_map_place){.key = key};
    map->count++;
    return &place->value;
}

void replica_map_remove(struct replica_map *map, uint64_t key)
{
    struct replica_map_place *found = seek(map, key);
    CHECK(key != 0 && found->key == key);
    /* Later keys of the run move up into the hole when the hole lies between their home and their
     * place; so that no marks of removed keys are left. */
    size_t hole = (size_t)(found - map->places);
    size_t place = hole;
    for (;;) {
        place = (place + 1) & map->mask;
        if (map->places[place].key == 0) {
            break;
        }
        size_t home = home_of(map, map->places[place].key);
        if (((place - home) & map->mask) >= ((place - hole) & map->mask)) {
            map->places[hole] = map->places[place];
            hole = place;
        }
    }
    map->places[hole].key = 0;
    map->count--;
}

void *replica_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return array;
    }
    size_t larger = *capacity ? *capacity * 2 : 8;
    CHECK(larger <= SIZE_MAX / size);
    void *moved = realloc(array, larger * size);
    CHECK(moved);
    *capacity = larger;
    return moved;
}
