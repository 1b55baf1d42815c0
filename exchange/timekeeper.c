#include "exchange/timekeeper.h"

#include <inttypes.h>

#include "wire/units.h"

int timekeeper_init(struct timekeeper *keeper, bool simulated, int64_t journal_ns, int64_t real_ns,
                    int64_t monotonic_ns, struct error *error)
{
    *keeper = (struct timekeeper){
        .simulated = simulated,
        .time_ns = journal_ns,
        .real_ns = real_ns,
        .monotonic_ns = monotonic_ns,
    };
    if (!simulated && journal_ns - real_ns > TIMEKEEPER_JUMP_NS) {
        return error_set(error, ERROR_INVALID,
                         "the machine's clock stands %" PRId64
                         " s before the journal's last command; set the clock (or, if the journal "
                         "is of a simulated clock, clock = simulated)",
                         (journal_ns - real_ns) / NS_PER_SECOND);
    }
    return 0;
}

int timekeeper_read(struct timekeeper *keeper, int64_t real_ns, int64_t monotonic_ns,
                    struct error *error)
{
    int64_t jump_ns = (real_ns - keeper->real_ns) - (monotonic_ns - keeper->monotonic_ns);
    keeper->real_ns = real_ns;
    keeper->monotonic_ns = monotonic_ns;
    if (keeper->simulated) {
        return 0;
    }
    if (jump_ns > TIMEKEEPER_JUMP_NS || jump_ns < -TIMEKEEPER_JUMP_NS) {
        return error_set(error, ERROR_INVALID,
                         "the machine's clock jumped by %" PRId64
                         " s while the exchange was running; set it right and start again",
                         jump_ns / NS_PER_SECOND);
    }
    if (real_ns > keeper->time_ns) {
        keeper->time_ns = real_ns;
    }
    return 0;
}

bool timekeeper_advance(struct timekeeper *keeper, int64_t delta_ns)
{
    if (!keeper->simulated || delta_ns < 1 || delta_ns > TIMEKEEPER_ADVANCE_NS) {
        return false;
    }
    keeper->time_ns += delta_ns;
    return true;
}
