/* The audit: what must be true of any tape, found from its events alone, without a model of how the
 * market works: nothing sold twice, no balance below the credit, money conserved, fees by the floor
 * formula, report_seq without gaps, no order filled beyond what is open, SETs within their legs. Heap memory; one thread. */
#ifndef KASHI_TESTS_MODEL_AUDIT_H
#define KASHI_TESTS_MODEL_AUDIT_H

#include <stdint.h>

#include "wire/event.h"

struct model_audit;

struct model_audit *model_audit_new(void);
void model_audit_free(struct model_audit *audit);

/* Takes the next event of the tape; ends the process at the first that cannot be. */
void model_audit_event(struct model_audit *audit, const struct event *event);

/* Fills of SETs, by whether they arrived or rested. */
struct model_audit_sets {
    uint64_t fills_arriving;
    uint64_t fills_resting;
};
const struct model_audit_sets *model_audit_sets(const struct model_audit *audit);

/* Cash and escrow that the tape gives an account. */
int64_t model_audit_cash_e4(const struct model_audit *audit, uint32_t account);
int64_t model_audit_escrow_e4(const struct model_audit *audit, uint32_t account);
/* Deposits less withdrawals of everyone. */
int64_t model_audit_deposits_e4(const struct model_audit *audit);
uint32_t model_audit_accounts(const struct model_audit *audit);

#endif
