/* An order as a row of an answer, from its events: that of its entry, that of its terms now (its entry or
 * latest replace) and its latest one, put in this order into a row that is all zero. Used by
 * reads_orders.c. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_READS_ROW_H
#define KASHI_EXCHANGE_READS_ROW_H

#include "exchange/replica.h"
#include "wire/codec.h"

void reads_row_entered(const struct replica *replica, const struct event *event,
                       struct order_row *row);
void reads_row_terms(const struct event *event, struct order_row *row);
void reads_row_last(const struct replica *replica, const struct event *event,
                    struct order_row *row);

#endif
