/* Memory taken once at the start: a run of zero pages that are touched only when used, so that
 * tables may be sized generously. After arena_seal() nothing more can be taken. Memory is 64-byte
 * aligned. One thread. */
#ifndef KASHI_BASE_ARENA_H
#define KASHI_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ARENA_ALIGNMENT 64

enum arena_flags { ARENA_HUGE_PAGES = 1 }; /* ask for them; going on without is no error */

struct arena {
    uint8_t *base;
    size_t size;
    size_t used;
    bool sealed;
};

int arena_init(struct arena *arena, size_t size, unsigned flags, struct error *error);
/* Zeroed memory; NULL when the arena is too small. CHECKs that it is not sealed. */
void *arena_take(struct arena *arena, size_t size);
void arena_seal(struct arena *arena);
/* Zeroes all that was taken, sealed or not; the pages go back to the system until used again. */
void arena_zero(struct arena *arena);
void arena_free(struct arena *arena); /* NULL is fine */

#endif
