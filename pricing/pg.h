/* A connection to PostgreSQL that never blocks: pricing goes on publishing while the server is slow
 * or away. One statement is under way at a time. The caller waits for the socket beside its others
 * and calls pg_poll() when it is ready.
 *
 * Errors: ERROR_LOST when the connection is gone or cannot be made (what was under way may have been
 * committed or not); ERROR_IO for what the server refuses, in its words. After an error the
 * connection can only be ended. One thread. */
#ifndef KASHI_PRICING_PG_H
#define KASHI_PRICING_PG_H

#include "base/error.h"

struct pg;

/* Begins to connect; `url` is a connection URL or a "key=value" string of libpq. */
int pg_begin(struct pg **pg, const char *url, struct error *error);
void pg_end(struct pg *pg); /* NULL is fine */

/* 1: connected, and what was sent last has been done. 0: still under way. */
int pg_poll(struct pg *pg, struct error *error);

/* Sends one statement with `count` text parameters ($1 ...; NULL for null). Only after pg_poll() has
 * said 1. The parameters are copied. */
int pg_send(struct pg *pg, const char *statement, int count, const char *const *parameters,
            struct error *error);

/* Text of a field of the last answer's first row; "" for null, NULL when there is no row. Good until
 * the next pg_send(). */
const char *pg_text(const struct pg *pg, int column);

/* What to wait for: a descriptor (-1: nothing) and POLLIN, POLLOUT. */
int pg_socket(const struct pg *pg, short *events);

#endif
