/* Sums by key: what every posting of the ledger adds up to, made once from the tape and once from
 * the database, then compared. Amounts are e4 or GPU-hours, as the kind says. One thread. */
#ifndef KASHI_CLIENT_CHECK_TALLY_H
#define KASHI_CLIENT_CHECK_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* As in sql/001_ledger.sql, posting_kinds. */
enum tally_kind {
    TALLY_BANK = 1,
    TALLY_CASH = 2,
    TALLY_ESCROW = 3,
    TALLY_FEES = 4,
    TALLY_PLEDGE = 5,
    TALLY_BOND = 6,
    TALLY_CAPACITY = 7,
    TALLY_HOLDING = 8,
};

struct tally_key {
    uint32_t account;
    uint32_t resource; /* these three only with capacity and holding, else 0 */
    uint32_t hour;
    uint8_t tier;
    uint8_t kind; /* enum tally_kind */
    uint16_t reserved;
};

struct tally_entry {
    struct tally_key key; /* kind 0: the place is free */
    int64_t tape;
    int64_t database;
};

struct tally {
    struct tally_entry *entries;
    size_t capacity; /* power of two */
    size_t count;
};

void tally_init(struct tally *tally);
void tally_free(struct tally *tally);
/* The entry of a key, made when it is new. Good until the next call. */
struct tally_entry *tally_entry(struct tally *tally, const struct tally_key *key);

#endif
