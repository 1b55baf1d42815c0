/* The index a second time: pricing's own arithmetic over the tape's events, its values against the
 * rows of kashi.index_values. One thread. */
#ifndef KASHI_CLIENT_CHECK_INDEX_CHECK_H
#define KASHI_CLIENT_CHECK_INDEX_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "client/check/pg.h"

struct index_check;

/* Makes all values that `directory`'s tape gives up to now. */
int index_check_read(struct index_check **out, const char *directory, struct error *error);
void index_check_free(struct index_check *check); /* NULL is fine */
/* Values that must stand in the database. */
uint64_t index_check_expected(const struct index_check *check);
/* Compares row by row; *agreed counts rows that are as they must be, *wrong all others, on either
 * side. Describes the first few on stdout. */
int index_check_compare(const struct index_check *check, struct pg *pg, uint64_t *agreed,
                        uint64_t *wrong, struct error *error);

#endif
