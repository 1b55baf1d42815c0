/* Runs of trades: an arriving order takes plain orders from the top of the opposite books, level by level,
 * as long as nothing but a trade comes next. What matching does trade by trade (match.c, deal.h) is done
 * here for the whole run: what of the arriving order changes is written back once, a level is mended
 * once. Which way a trade went shows in nothing. */
#ifndef KASHI_EXCHANGE_CORE_TAKE_H
#define KASHI_EXCHANGE_CORE_TAKE_H

#include "exchange/core/match.h"

/* Begins with the order on top that `book` and the ladder name: it is plain, of another ownership group,
 * crosses, and its price lies in the inner band; nothing is over. */
void take_run(struct engine *e, uint32_t arriving, const struct arrival *a, uint32_t book);

#endif
