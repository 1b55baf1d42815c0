/* Index values into PostgreSQL, table kashi.index_values (sql/): each value once, in the order in
 * which they were made, however often the server or this process goes away. Values wait in a ring
 * while the server does; the tape makes all of them again after a restart, and the table's key lets
 * a second writing find the first.
 *
 * The store never blocks and never fails the caller, but for one thing: a database that belongs to
 * another market. Everything else it logs and tries again. One thread. */
#ifndef KASHI_PRICING_STORE_H
#define KASHI_PRICING_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "pricing/core/index.h"
#include "pricing/pg.h"

#define STORE_ROWS_MAX 1000 /* of one statement */

enum store_state {
    STORE_AWAY,     /* not connected; tries at retry_ns */
    STORE_CONNECT,  /* under way */
    STORE_ROLE,     /* SET ROLE is under way */
    STORE_QUESTION, /* asks what the database holds */
    STORE_READY,
    STORE_WRITE, /* `writing` rows are under way */
};

struct store {
    const char *url;
    struct index_value *ring;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    uint32_t writing; /* of the ring's first */
    bool overflowed;  /* values were lost since the last store_clear(): the tape has them */
    bool complained;
    enum store_state state;
    struct pg *pg;
    int64_t genesis_ns; /* of the tape; values are made only after it is known */
    int64_t retry_ns;
    int64_t deadline_ns; /* of what is under way */
    int64_t backoff_ns;
    int64_t stored_ns; /* all values of a time before this are in the database */
    uint64_t stored;   /* rows sent and done */
    char *text;        /* scratch: the statement's parameters */
};

/* `ring` and `text` (store_text_size() bytes) are the caller's and outlive the store. */
void store_init(struct store *store, const char *url, struct index_value *ring, uint32_t capacity,
                char *text);
size_t store_text_size(void);
void store_free(struct store *store);

/* Puts a value into the ring; a full ring marks the store as overflowed and takes no more. */
void store_add(struct store *store, const struct index_value *value);
/* Forgets the overflow, before all values are made again. Each time at least the values of one more
 * moment are stored, if the ring has room for all values of a moment and one more. */
void store_clear(struct store *store);
/* PostgreSQL takes values and half of the ring or more waits for it: whoever can wait should. */
bool store_is_busy(const struct store *store);

/* Does what can be done now. ERROR_MISMATCH: the database is another market's. */
int store_step(struct store *store, int64_t now_ns, struct error *error);
/* Descriptor to wait for (-1 none) and its events; and the longest wait. */
int store_socket(const struct store *store, short *events);
int64_t store_wait_ns(const struct store *store, int64_t now_ns);

#endif
