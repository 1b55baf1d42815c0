/* The status store: what became of every request and order, for good. It is a set of indexes over
 * the tape, not a copy of it: positions of events, found by ids. It is built from the event stream
 * at every start.
 *
 * Growth, never given back: an order takes 40 bytes and 24 to 48 of its map, and for good; a request
 * 16, an execution report 8, each side of a fill 8, a range 16 more. Arrays double, so that up to twice that
 * is held. An order that is entered, filled once and gone costs about 150 bytes.
 *
 * Running out of memory ends the process. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_STATUS_H
#define KASHI_EXCHANGE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/event.h"

struct status;

/* Positions are the tape's. */
struct status_order {
    uint64_t entered;    /* its NEW, RANGE, SET or JOB */
    uint64_t terms;      /* that or the latest REPLACED: price, quantity, cl_ord_id in force */
    uint64_t last;       /* the latest event that says what is left of it or how it ended */
    int64_t notional_e4; /* sum of price x quantity of its fills */
    int64_t fee_e4;      /* sum of its fees */
};

enum status_found {
    STATUS_REQUEST_FOUND = 0,
    STATUS_REQUEST_PASSED_OVER = 1, /* a higher number was used: this one never will be */
    STATUS_REQUEST_UNKNOWN = 2,     /* above the highest number used */
};

struct status *status_new(void);
void status_free(struct status *status); /* NULL is fine */

/* To be called before each command's events: which request they answer. The events alone do not say
 * it: an order that another key of the account replaces carries that key's number. */
void status_command(struct status *status, const struct command_head *command);

/* Events in tape order, each with its position. */
void status_apply(struct status *status, const struct event *event, uint64_t position);

/* False: there never was such an order. */
bool status_order(const struct status *status, uint64_t order_id, struct status_order *order);

/* The range whose hours were entered at this position of the tape: an offer's `entered`, of a NEW that is
 * `ranged`. 0: none. */
uint64_t status_range_at(const struct status *status, uint64_t position);

/* Position of the event that first answered the key's request. */
enum status_found status_request(const struct status *status, uint32_t key, uint64_t cl_ord_id,
                                 uint64_t *position);

/* Position of an execution report; false: the key has not come so far. */
bool status_report(const struct status *status, uint32_t key, uint64_t report_seq,
                   uint64_t *position);
uint64_t status_report_highest(const struct status *status, uint32_t key);

/* FILL events of an account in order, by number from 0. */
size_t status_fill_count(const struct status *status, uint32_t account);
uint64_t status_fill(const struct status *status, uint32_t account, size_t number);

/* Position of the contract's last TRADE; false: none. */
bool status_last_trade(const struct status *status, uint64_t contract, uint64_t *position);

struct status_counts {
    uint64_t orders;
    uint64_t requests;
    uint64_t reports;
    uint64_t fills;
    uint64_t bytes; /* held */
};
void status_counts(const struct status *status, struct status_counts *counts);

#endif
