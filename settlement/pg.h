/* A connection to PostgreSQL: the few things that settlement does with one. Nothing here knows the
 * ledger.
 *
 * Errors: ERROR_LOST when the connection is gone (what was under way may have been committed or
 * not), ERROR_INVALID for a URL that is none, ERROR_IO for what the server refuses, in its words.
 * Calls block until the server has answered. One thread a connection. */
#ifndef KASHI_SETTLEMENT_PG_H
#define KASHI_SETTLEMENT_PG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pg;
struct pg_rows; /* an answer; the caller frees it */

/* `url`: a connection URL or a "key=value" string of libpq. Gives up after five seconds. */
int pg_open(struct pg **pg, const char *url, struct error *error);
void pg_close(struct pg *pg); /* NULL is fine */

/* One or more statements without parameters; answers are thrown away. */
int pg_run(struct pg *pg, const char *statements, struct error *error);

/* One statement with text parameters ($1 ...): a list that ends with NULL, or NULL for none. *rows
 * is NULL on failure. */
#define PG_PARAMETERS_MAX 8
int pg_query(struct pg *pg, const char *statement, const char *const *parameters,
             struct pg_rows **rows, struct error *error);
int pg_rows_count(const struct pg_rows *rows);
/* Rows that an UPDATE or INSERT has touched. */
int64_t pg_rows_affected(const struct pg_rows *rows);
/* Text of a field, "" for null; good until the rows are freed. */
const char *pg_rows_text(const struct pg_rows *rows, int row, int column);
/* A bigint field; CHECKs that it is one. */
int64_t pg_rows_int(const struct pg_rows *rows, int row, int column);
void pg_rows_free(struct pg_rows *rows); /* NULL is fine */

/* A whole COPY ... FROM STDIN: the statement, then `bytes` as its input. */
int pg_copy(struct pg *pg, const char *statement, const void *bytes, size_t size,
            struct error *error);

#endif
