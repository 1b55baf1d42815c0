/* Dry runs: what a SET or JOB would meet in the replica's state. Used by reads.c; the same rules. */
#ifndef KASHI_EXCHANGE_READS_QUOTE_H
#define KASHI_EXCHANGE_READS_QUOTE_H

#include "exchange/reads.h"

void reads_quote(const struct replica *replica, const struct reads_asker *asker,
                 const struct request *request, struct message *message);

#endif
