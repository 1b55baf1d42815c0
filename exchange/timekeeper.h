/* The time that commands are stamped with, in nanoseconds since 1970-01-01 UTC. It never falls.
 *
 * Real clock: the machine's, but a step of it against the monotonic clock by more than
 * TIMEKEEPER_JUMP_NS is an error: gates would close and orders expire on a mistake. Simulated
 * clock: stands still until it is advanced, by at most TIMEKEEPER_ADVANCE_NS at a time. The caller
 * reads the clocks. Pure; one thread. */
#ifndef KASHI_EXCHANGE_TIMEKEEPER_H
#define KASHI_EXCHANGE_TIMEKEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define TIMEKEEPER_JUMP_NS    INT64_C(60000000000)
#define TIMEKEEPER_ADVANCE_NS INT64_C(60000000000)

struct timekeeper {
    bool simulated;
    int64_t time_ns; /* last given out */
    int64_t real_ns; /* clocks as last read */
    int64_t monotonic_ns;
};

/* `journal_ns`: the last command's time; 0 when there is none. ERROR_INVALID when the real clock
 * stands more than TIMEKEEPER_JUMP_NS before it. */
int timekeeper_init(struct timekeeper *keeper, bool simulated, int64_t journal_ns, int64_t real_ns,
                    int64_t monotonic_ns, struct error *error);
/* Takes a new reading; ERROR_INVALID on a jump. */
int timekeeper_read(struct timekeeper *keeper, int64_t real_ns, int64_t monotonic_ns,
                    struct error *error);
/* False when the clock is real or the step is not within 1 .. TIMEKEEPER_ADVANCE_NS. */
bool timekeeper_advance(struct timekeeper *keeper, int64_t delta_ns);

#endif
