/* The ledger's arithmetic: which postings an event of the tape makes. Double entry: a transaction
 * is what one event (seq, index) moves, and its lines sum to zero in each unit.
 *
 *   deposit of a          bank -a, cash +a of the account (withdrawal: the signs turned)
 *   fill of q at p, buyer's fee f, seller's bond b
 *                         cash of the buyer -(p*q + f), escrow +p*q, fees +f
 *                         pledge of the seller -b, bond +b
 *                         capacity (or resold holding) of the seller -q, holding of the buyer +q
 *
 * So a cash balance here is the engine's cash, escrow + fees its escrow, bond its locked bond, at
 * equal sequence. The seller's fee is withheld from its proceeds when the fill is released and
 * moves nothing before. Lines of 0 are left out.
 *
 * Units as in wire/units.h; GPU-hours are whole GPUs for the posting's hour. Pure; any thread. */
#ifndef KASHI_SETTLEMENT_CORE_LEDGER_H
#define KASHI_SETTLEMENT_CORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/contract.h"
#include "wire/event.h"

/* Numbers of the tables kashi.units and kashi.posting_kinds. */
enum ledger_unit { LEDGER_CNY_E4 = 1, LEDGER_GPUH = 2 };
enum ledger_kind {
    LEDGER_BANK = 1,
    LEDGER_CASH = 2,
    LEDGER_ESCROW = 3,
    LEDGER_FEES = 4,
    LEDGER_PLEDGE = 5,
    LEDGER_BOND = 6,
    LEDGER_CAPACITY = 7,
    LEDGER_HOLDING = 8,
};

struct ledger_posting {
    int64_t amount; /* never 0 */
    uint32_t account;
    uint32_t resource; /* LEDGER_GPUH only, as are hour and tier */
    uint32_t hour;
    uint8_t tier;
    uint8_t unit; /* enum ledger_unit */
    uint8_t kind; /* enum ledger_kind */
};

#define LEDGER_LINES_MAX 7
struct ledger_transaction {
    uint32_t count;
    struct ledger_posting lines[LEDGER_LINES_MAX];
};

/* False when the event's numbers cannot be the exchange's: not positive, or a sum that does not
 * fit int64. `transaction` is then undefined. */
bool ledger_trade(const struct event_trade *trade, struct ledger_transaction *transaction);
/* A change of the credit limit moves no money and has no lines. */
bool ledger_cash(const struct event_cash *cash, struct ledger_transaction *transaction);

/* Where on the tape the ledger stands. Invariants: (1) `index` is 0 exactly when `seq` is complete
 * and the next event is (seq + 1, 0); else it is (seq, index). (2) time never falls. */
struct ledger_place {
    uint64_t seq;
    uint32_t index;
    int64_t time_ns;
};

enum ledger_order {
    LEDGER_NEXT, /* the place has moved on to this event */
    LEDGER_OLD,  /* applied before; the place stays */
    LEDGER_GAP,  /* something is missing before it; the place stays */
};
enum ledger_order ledger_follow(struct ledger_place *place, const struct event_head *head);
/* Whether the place is the end of a command: only there may a transaction be committed. */
bool ledger_between_commands(const struct ledger_place *place);

#endif
