#include "base/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

int arena_init(struct arena *arena, size_t size, unsigned flags, struct error *error)
{
    memset(arena, 0, sizeof(*arena));
    /* NORESERVE: address space for large tables is not a claim on memory. */
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return error_system(error, errno, "no %zu MiB of address space for tables", size >> 20);
    }
    if (flags & ARENA_HUGE_PAGES) {
        madvise(base, size, MADV_HUGEPAGE);
    }
    arena->base = base;
    arena->size = size;
    return 0;
}

void *arena_take(struct arena *arena, size_t size)
{
    CHECK(!arena->sealed);
    size_t left = arena->size - arena->used;
    if (size > left) {
        return NULL;
    }
    void *memory = arena->base + arena->used;
    size_t step = (size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    arena->used += step < left ? step : left;
    return memory;
}

void arena_seal(struct arena *arena)
{
    arena->sealed = true;
}

void arena_zero(struct arena *arena)
{
    /* Private anonymous pages that are given back read as zero afterwards (madvise(2)). */
    CHECK(madvise(arena->base, arena->size, MADV_DONTNEED) == 0);
}

void arena_free(struct arena *arena)
{
    if (arena == NULL || arena->base == NULL) {
        return;
    }
    munmap(arena->base, arena->size);
    memset(arena, 0, sizeof(*arena));
}
