/* Settlement against a real PostgreSQL, for its test suites: a private cluster for a whole suite, a
 * database for each test, a tape in memory. It brings the suite's main(), which starts the cluster
 * and removes it; every function runs within a test and fails it when something does not work. */
#ifndef KASHI_TESTS_SETTLEMENT_BASE_H
#define KASHI_TESTS_SETTLEMENT_BASE_H

#include <stdbool.h>
#include <stdint.h>

#include "settlement/pg.h"
#include "settlement/store.h"
#include "tests/settlement_market.h"

#define SETTLEMENT_URL_SIZE  512
#define SETTLEMENT_TEXT_SIZE 65536

/* --- a database --------------------------------------------------------------------------------- */

struct settlement_base {
    char folder[128]; /* of the cluster's socket */
    char name[64];
    char url[SETTLEMENT_URL_SIZE];
    struct pg *pg; /* as the owner */
};

/* An empty database; `suffix` tells apart those of one test. */
void settlement_base_make(struct settlement_base *base, const char *suffix);
void settlement_base_migrate(struct settlement_base *base);
void settlement_base_drop(struct settlement_base *base);
void settlement_base_url(char url[SETTLEMENT_URL_SIZE], const char *folder, const char *name);

void settlement_base_run(struct pg *pg, const char *statements);
int64_t settlement_base_number(struct pg *pg, const char *query);
void settlement_base_text(struct pg *pg, const char *query, char text[128]);

/* The text of sql/invariants.sql. */
void settlement_base_invariants(char text[SETTLEMENT_TEXT_SIZE]);
/* Whether the invariant named is broken; NULL: whether any is. `first`: what it says. */
bool settlement_base_is_broken(struct pg *pg, const char *invariant, char first[256]);
void settlement_base_expect_sound(struct pg *pg);
/* A hash of everything that the ledger holds. */
void settlement_base_digest(struct pg *pg, char text[128]);

/* --- a tape --------------------------------------------------------------------------------------- */

#define SETTLEMENT_TAPE_COMMANDS 2000
struct settlement_tape {
    struct event events[SETTLEMENT_TAPE_COMMANDS * MARKET_EVENTS_MAX];
    uint32_t first[SETTLEMENT_TAPE_COMMANDS + 2]; /* of each command, by its sequence */
    struct settlement_market market;
};
extern struct settlement_tape settlement_tape;

void settlement_tape_make(uint64_t seed);
/* Adds what follows on the store's place, up to a command. */
int settlement_tape_add(struct store *store, uint64_t to_seq, struct error *error);
/* The same with a store of its own, committed every so many commands. */
void settlement_tape_apply(struct settlement_base *base, uint64_t to_seq, uint64_t batch);

#endif
