/* Reading the market's database: the one file of the checker that knows libpq. Rows are handed over
 * one by one as text, so that a large table never stands in memory whole. One thread. */
#ifndef KASHI_CLIENT_CHECK_PG_H
#define KASHI_CLIENT_CHECK_PG_H

#include <stdint.h>

#include "base/error.h"

struct pg;

/* Values of the row that is handed over; good until the callback returns. */
struct pg_row;
const char *pg_text(const struct pg_row *row, int column); /* "" for null */
int64_t pg_int(const struct pg_row *row, int column);      /* 0 for null; CHECKs that it is one */
int pg_columns(const struct pg_row *row);

/* Negative ends the reading with that code; the callback has filled `error`. */
typedef int pg_take(void *context, const struct pg_row *row, struct error *error);

int pg_open(struct pg **out, const char *url, struct error *error);
void pg_close(struct pg *pg); /* NULL is fine */

/* Runs `query`, which may be several statements, and hands every row to `take`. */
int pg_read(struct pg *pg, const char *query, pg_take *take, void *context, struct error *error);

#endif
