/* Carries a trace's plan out on a running market: as the operator it registers what is missing (classes,
 * region, markets, two accounts with the money that the orders need, the islands), then it offers
 * the islands as their provider and orders the JOBs as their buyer.
 *
 * Every order has a fixed number: that of its place in the plan. What is run again therefore asks for
 * the state of what was sent before and sends the rest; nothing is ordered twice. What is too late
 * because gates close while it works is passed over and counted. Accounts and keys
 * bear the import's name, so that another trace, or other rules, are another import. The working
 * directory is the market's folder. One thread. */
#ifndef KASHI_CLIENT_IMPORT_SEND_H
#define KASHI_CLIENT_IMPORT_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "client/import_plan.h"

#define IMPORT_NAME_SIZE    16 /* of an import: leaves room for the names of its accounts */
#define IMPORT_REASONS      304
#define IMPORT_LATEST_HOURS 2 /* the plan's first hour, counted from the present one */

struct import_order {
    const struct import_plan *plan;
    const char *name;         /* of the import */
    const char *operator_key; /* file */
    int64_t timeout_ms;       /* without a login */
    bool progress;            /* a bar on stderr */
};

struct import_outcome {
    uint32_t first_hour;
    uint32_t ranges; /* accepted, now or before */
    uint32_t offers; /* hours of these */
    uint32_t jobs;   /* accepted */
    uint32_t filled;
    uint32_t broken;     /* not sent: the JOB that it goes on with was not filled */
    uint32_t before;     /* ranges and JOBs that an earlier run had sent */
    uint32_t late_jobs;  /* refused, for the gate of their last start had closed meanwhile */
    uint64_t late_hours; /* of offers: not offered, for their gates had */
    uint32_t refused;    /* all else that was refused, by reason: */
    uint32_t rejected[IMPORT_REASONS];
    int64_t gpu_hours; /* bought by the JOBs */
    int64_t notional_e4;
    int64_t took_ns; /* of the orders; founding apart */
};

int import_send(const struct import_order *order, struct import_outcome *outcome,
                struct error *error);

#endif
