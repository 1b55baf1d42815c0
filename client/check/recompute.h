/* What the tape says that the books must be: every fill, every balance. The postings of a fill and
 * of a deposit are written here a second time, from the rulebook and not from settlement's code.
 * One thread. */
#ifndef KASHI_CLIENT_CHECK_RECOMPUTE_H
#define KASHI_CLIENT_CHECK_RECOMPUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "client/check/auctions.h"
#include "client/check/parents.h"
#include "client/check/tally.h"
#include "wire/contract.h"
#include "wire/event.h"

struct recompute {
    struct tally tally;
    struct contract_names names;
    struct event *trades; /* EVENT_TRADE, in tape order */
    size_t trade_count;
    size_t trade_capacity;
    struct parents parents; /* SET and JOB orders */
    struct auctions auctions;
    uint64_t orders;   /* accepted: NEW events */
    uint64_t last_seq; /* complete commands of the tape */
    int64_t first_time_ns;
    int64_t last_time_ns;
};

/* Reads the whole tape in `directory`. A trade that cannot be one is
 * ERROR_CORRUPT. */
int recompute_read(struct recompute *recompute, const char *directory, struct error *error);
void recompute_free(struct recompute *recompute);

#endif
