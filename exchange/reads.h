/* Answers to what only reads: book, dry run, account, order status, open orders, fills, execution reports,
 * lists. Everything is of one state, that after replica_seq().
 *
 * Who may see what: orders, fills, reports, and balances belong to the account of the asking key; an
 * operator's key may name another account and see any order. Lists of accounts and keys are an
 * operator's; so is the list of groups. What one may not see is NOT_FOUND.
 *
 * Thread: the owner's. */
#ifndef KASHI_EXCHANGE_READS_H
#define KASHI_EXCHANGE_READS_H

#include <stdint.h>

#include "base/error.h"
#include "exchange/replica.h"
#include "wire/codec.h"

/* Who asks, and where lists of the answer (legs, lanes) are put; without room they are left out. */
struct reads_asker {
    struct codec_rows *rows; /* NULL: none */
    uint32_t key;
    uint32_t account;
    uint8_t roles;
};

/* Fills in the answer, a reject where there is none. Negative: the tape cannot be read. */
int reads_answer(const struct replica *replica, const struct reads_asker *asker,
                 const struct request *request, struct message *message, struct error *error);

/* A refusal of a read. */
void reads_reject(const struct request *request, uint16_t reason, struct message *message);

#endif
