/* Reads of what became of orders and requests, from the status store and the tape. Used by reads.c;
 * the same rules and errors. */
#ifndef KASHI_EXCHANGE_READS_ORDERS_H
#define KASHI_EXCHANGE_READS_ORDERS_H

#include "exchange/reads.h"

int reads_orders_status(const struct replica *replica, const struct reads_asker *asker,
                        const struct request *request, struct message *message,
                        struct error *error);
int reads_orders_live(const struct replica *replica, const struct reads_asker *asker,
                      const struct request *request, struct message *message, struct error *error);
int reads_orders_trades(const struct replica *replica, const struct reads_asker *asker,
                        const struct request *request, struct message *message,
                        struct error *error);
int reads_orders_reports(const struct replica *replica, const struct reads_asker *asker,
                         const struct request *request, struct message *message,
                         struct error *error);

/* The event at a position that an index gave. */
int reads_orders_event(const struct replica *replica, uint64_t position, struct event *event,
                       struct error *error);

#endif
