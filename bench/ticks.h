/* A clock fine enough for one command: the processor's own counter, with fences so that nothing drifts
 * past it. Header only. */
#ifndef KASHI_BENCH_TICKS_H
#define KASHI_BENCH_TICKS_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t ticks_now(void)
{
#if defined(__x86_64__)
    uint32_t low;
    uint32_t high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
    uint64_t now;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(now) : : "memory");
    return now;
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

static inline double ticks_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Ticks in a nanosecond, measured over a tenth of a second. */
static inline double ticks_per_ns(void)
{
    double begin_ns = ticks_clock_ns();
    uint64_t begin = ticks_now();
    double now_ns;
    do {
        now_ns = ticks_clock_ns();
    } while (now_ns - begin_ns < 1e8);
    return (double)(ticks_now() - begin) / (now_ns - begin_ns);
}

static inline int ticks_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What reading the clock twice costs by itself: the median of many. */
static inline uint32_t ticks_empty(void)
{
    static uint32_t taken[10001];
    for (int i = 0; i < 10001; i++) {
        uint64_t begin = ticks_now();
        taken[i] = (uint32_t)(ticks_now() - begin);
    }
    qsort(taken, 10001, sizeof(taken[0]), ticks_compare);
    return taken[5000];
}

/* The value that a share of the sorted ones does not exceed. */
static inline uint32_t ticks_quantile(const uint32_t *sorted, uint64_t count, double share)
{
    return sorted[(uint64_t)((double)(count - 1) * share)];
}

#endif
