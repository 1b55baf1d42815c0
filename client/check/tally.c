#include "client/check/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define FIRST_CAPACITY 4096

static size_t place(const struct tally *tally, const struct tally_key *key)
{
    uint64_t low = (uint64_t)key->account << 32 | key->resource;
    uint64_t high = (uint64_t)key->hour << 16 | (uint64_t)key->tier << 8 | key->kind;
    uint64_t hash = (low ^ high * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
    size_t at = (size_t)(hash >> 32) & (tally->capacity - 1);
    while (tally->entries[at].key.kind != 0 &&
           memcmp(&tally->entries[at].key, key, sizeof *key) != 0) {
        at = (at + 1) & (tally->capacity - 1);
    }
    return at;
}

static void allocate(struct tally *tally, size_t capacity)
{
    tally->capacity = capacity;
    tally->entries = calloc(capacity, sizeof *tally->entries);
    CHECK(tally->entries != NULL);
}

void tally_init(struct tally *tally)
{
    tally->count = 0;
    allocate(tally, FIRST_CAPACITY);
}

void tally_free(struct tally *tally)
{
    free(tally->entries);
    tally->entries = NULL;
}

static void grow(struct tally *tally)
{
    struct tally_entry *old = tally->entries;
    size_t old_capacity = tally->capacity;
    allocate(tally, old_capacity * 2);
    for (size_t at = 0; at < old_capacity; at++) {
        if (old[at].key.kind != 0) {
            tally->entries[place(tally, &old[at].key)] = old[at];
        }
    }
    free(old);
}

struct tally_entry *tally_entry(struct tally *tally, const struct tally_key *key)
{
    CHECK(key->kind != 0 && key->reserved == 0);
    size_t at = place(tally, key);
    if (tally->entries[at].key.kind != 0) {
        return &tally->entries[at];
    }
    if (tally->count * 2 >= tally->capacity) {
        grow(tally);
        at = place(tally, key);
    }
    tally->count++;
    tally->entries[at].key = *key;
    return &tally->entries[at];
}
