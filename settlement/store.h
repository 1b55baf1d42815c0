/* The ledger in PostgreSQL. Events go in; what they make is written in one transaction a batch,
 * together with the sequence up to which the tape has been applied:
 *
 *     BEGIN; COPY fills ...; COPY postings ...;
 *     UPDATE progress SET last_seq = new WHERE last_seq = old; COMMIT
 *
 * The UPDATE must touch its one row. So a batch is there whole or not at all, and never twice,
 * wherever a connection or a process is cut off. After any error the caller closes the store, opens
 * it anew, which reads the progress that really was committed, and follows the tape from there.
 *
 * Errors: ERROR_LOST and ERROR_IO as in settlement/pg.h. ERROR_AGAIN: another settlement has this
 * database. ERROR_MISMATCH: the database is another market's or does not fit this program.
 * ERROR_CORRUPT: the events are not a tape's. One thread. */
#ifndef KASHI_SETTLEMENT_STORE_H
#define KASHI_SETTLEMENT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "settlement/core/ledger.h"
#include "settlement/core/rows.h"
#include "settlement/pg.h"
#include "wire/event.h"

struct store_counts { /* rows of the batch under way */
    uint64_t fills;
    uint64_t movements;
    uint64_t postings;
};

struct store {
    struct pg *pg;
    struct ledger_place place;
    uint64_t committed_seq;
    struct store_counts counts;
    bool in_transaction;
    uint8_t *memory;
    struct rows rows;
};

/* Connects, applies missing migrations, takes the role kashi_settlement and the one writer's place
 * and reads how far the ledger is. On failure nothing is left open. */
int store_open(struct store *store, const char *url, struct error *error);
void store_close(struct store *store); /* a zeroed or closed one is fine; what is not committed
                                          is gone */

/* Compares the first event of the tape with the one that the database began with. */
int store_check_genesis(struct store *store, const struct event *genesis, struct error *error);

/* Events in the tape's order; older ones are passed over. Sends rows when a buffer is full. */
int store_add(struct store *store, const struct event *event, struct error *error);
/* Commits everything added. Only between commands (CHECKed). */
int store_commit(struct store *store, struct error *error);

#endif
