/* The life of an order: entry, replace, cancel, end. */
#ifndef KASHI_EXCHANGE_CORE_ORDER_H
#define KASHI_EXCHANGE_CORE_ORDER_H

#include "exchange/core/state.h"

struct arrival;
struct terms;

/* Requests; the sender is checked already, cl_ord_id used up. */
void order_new(struct engine *e, const struct command *command);
void order_cancel(struct engine *e, const struct command *command);

/* Live order of the sender's account that is not over; else refuses and returns 0. */
uint32_t order_find_own(struct engine *e, const struct command *command, uint64_t order_id);
/* The request's cl_ord_id where the order's own key asks; else the order's: numbers rise per key, and
 * another key's number must not turn up among this one's. */
uint64_t order_own_number(const struct engine *e, const struct command *command, uint32_t slot);
/* DONE to the sender when the order's events went to another key. */
RARE void order_emit_done(struct engine *e, const struct command *command);
static inline void order_answer_other_key(struct engine *e, const struct command *command,
                                          uint32_t owner)
{
    if (__builtin_expect(command->head.key != owner, 0)) {
        order_emit_done(e, command);
    }
}

/* Live slot of an order id; 0 when it is not live. */
uint32_t order_find(const struct engine *e, uint64_t order_id);
/* Whether a mass cancel covers an order of its account in a ladder hour (tier ignored). */
bool order_covered(const struct sweep *sweep, const struct order *o, uint64_t contract);
/* Whether a mass cancel of its account takes out an order, which is not a SET. */
bool order_swept(const struct engine *e, const struct sweep *sweep, const struct order *o);
/* Why a live order is over though it has not been taken out; 0 when it is not. */
RARE uint16_t order_over_lagging(const struct engine *e, uint32_t slot);
static inline uint16_t order_over(const struct engine *e, uint32_t slot)
{
    return e->s.lag == 0 ? 0 : order_over_lagging(e, slot);
}
/* Ends a live order with CANCELED, releasing all that it reserved. `cl_ord_id`: the request's, or 0
 * for the order's own. */
void order_take_out(struct engine *e, uint32_t slot, uint16_t reason, uint64_t cl_ord_id);
/* The same; `silent`: without a report, for an hour of a RANGE. */
void order_take_out_as(struct engine *e, uint32_t slot, uint16_t reason, uint64_t cl_ord_id,
                       bool silent);
/* Gives back everything that an order has reserved. */
void order_release_reserves(struct engine *e, uint32_t slot, uint64_t contract);
/* The same for one that is over; counts for its mass cancel. */
void order_take_out_over(struct engine *e, uint32_t slot, uint16_t reason);
/* An order that has entered trades what crosses; what is left rests, or is taken out when it must not. */
void order_arrive(struct engine *e, uint32_t slot, const struct arrival *a, bool immediate);
/* A new order that has passed the checks: entered, reported, and still to arrive. */
uint32_t order_admit(struct engine *e, const struct command *command, struct arrival *a,
                     const struct terms *terms);
/* The same, up to where it rests or ends. */
void order_enter(struct engine *e, const struct command *command, struct arrival *a,
                 const struct terms *terms);
/* Takes an order out of where it stands, its own book or aside. */
void order_leave(struct engine *e, uint32_t slot);
/* A reserved offer does not arrive: it stands where only JOBs look. */
void order_stand_reserved(struct engine *e, uint32_t slot);
/* When a new offer's reservation for JOBs ends; 0 when it asks for none. */
int64_t order_release_time_ns(const struct engine *e, const struct command_new_order *order);
/* Rests an order that is not taken any further by anybody, in its book. */
void order_rest(struct engine *e, uint32_t slot);
/* Ends an order with nothing left: its slot is free afterwards. */
void order_finish(struct engine *e, uint32_t slot);
/* Reference price in force for a contract of a market; 0 none. */
int64_t order_reference(const struct engine *e, uint32_t market, uint64_t contract);

/* Answers a request with REJECTED that uses the cl_ord_id up. */
struct rejection {
    uint16_t reason;
    int64_t value;
    int64_t bound;
    uint64_t contract; /* at fault, of a RANGE, SET or JOB */
    uint8_t leg;
    uint8_t field; /* enum reject_field */
};
RARE void order_reject(struct engine *e, const struct command *command, uint64_t order_id,
                       const struct rejection *why);

#endif
