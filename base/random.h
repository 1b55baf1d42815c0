/* Random numbers for tests and the demo: small, fast, the same on every machine for the same seed
 * (splitmix64 to seed, xoshiro256** by Blackman and Vigna to draw). Not for secrets. The struct is
 * the caller's; one thread at a time. */
#ifndef KASHI_BASE_RANDOM_H
#define KASHI_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state[4];
};

static inline uint64_t random_splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline void random_seed(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        random->state[i] = random_splitmix64(&seed);
    }
}

static inline uint64_t random_rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = random_rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = random_rotate(s[3], 45);
    return result;
}

/* 0 .. bound - 1; bound above 0. Off from uniform by at most bound / 2^64. */
static inline uint64_t random_below(struct random *random, uint64_t bound)
{
    return (uint64_t)(__extension__(unsigned __int128) random_next(random) * bound >> 64);
}

/* low .. high, ends included. */
static inline int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(random, (uint64_t)(high - low) + 1);
}

#endif
