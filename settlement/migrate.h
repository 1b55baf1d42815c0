/* The numbered migrations of sql/, which stand in the program itself, so that it needs no file to
 * bring a database up to date. Each is applied once, in order, in a transaction of its own, and
 * recorded with its SHA-256 in kashi.migrations. One thread. */
#ifndef KASHI_SETTLEMENT_MIGRATE_H
#define KASHI_SETTLEMENT_MIGRATE_H

#include <stddef.h>

#include "base/error.h"
#include "settlement/pg.h"

struct migration {
    int number;       /* from 1, without gaps */
    const char *name; /* "001_ledger" */
    const char *text; /* NUL-terminated */
};

extern const struct migration migrate_list[];
extern const size_t migrate_count;

/* Applies what is missing; *applied counts. ERROR_MISMATCH: one that was applied has changed since,
 * or the database knows more migrations than this program; then nothing was done. Several
 * processes may do it at once. */
int migrate_run(struct pg *pg, const struct migration *list, size_t count, int *applied,
                struct error *error);

#endif
