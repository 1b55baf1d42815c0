/* A growing map from nonzero 64-bit keys to 64-bit values, for the replica's indexes: 16 bytes a
 * place, between a third and two thirds of the places in use. Running out of memory ends the
 * process: the replica is made again from the journal.
 * Thread: the owner's. */
#ifndef KASHI_EXCHANGE_REPLICA_MAP_H
#define KASHI_EXCHANGE_REPLICA_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replica_map_place {
    uint64_t key; /* 0: free */
    uint64_t value;
};

/* Invariants: 1. `mask` + 1 is a power of two. 2. count <= two thirds of the places. 3. from a key's
 * home place to where it stands no place is free. */
struct replica_map {
    struct replica_map_place *places;
    size_t mask;
    size_t count;
};

void replica_map_init(struct replica_map *map);
void replica_map_free(struct replica_map *map);

/* The value's place, good until the next change of the map; NULL when the key is unknown. */
uint64_t *replica_map_find(const struct replica_map *map, uint64_t key);

/* The value's place, made with value 0 when the key is new. */
uint64_t *replica_map_put(struct replica_map *map, uint64_t key);

/* The key must be there. */
void replica_map_remove(struct replica_map *map, uint64_t key);

/* Makes room for one more element of `size` bytes in an array of *capacity; the same end of the
 * process when memory runs out. */
void *replica_grow(void *array, size_t count, size_t *capacity, size_t size);

#endif
