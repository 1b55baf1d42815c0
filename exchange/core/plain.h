/* The straight way of the two commonest requests: a limit order without conditions, for the bidder's
 * money or the offerer's own capacity, and the cancel of an order by the key that entered it. All
 * checks are made at once and in no order; when one fails nothing has changed, and the ordered way
 * (engine.c, order.c) finds the reason. Which way a command went shows in nothing.
 *
 * What an order is comes at random, so what depends on its side is a choice between values and not a
 * branch: a branch that is guessed wrong costs as much as fifty instructions. */
#ifndef KASHI_EXCHANGE_CORE_PLAIN_H
#define KASHI_EXCHANGE_CORE_PLAIN_H

#include "exchange/core/state.h"

/* Carries the command out, or returns false and has done nothing. Only while nothing is due. */
bool plain_step(struct engine *e, const struct command *command);

#endif
