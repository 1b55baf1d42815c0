/* SET orders: one quantity in any of several contracts (rulebook, section 11).
 *
 * The SET itself is an order in its key's chain and in no book: leaves is its balance, price_e4 the limit
 * of its dearest live leg, next its first live leg, resting 1 once it has come to rest. A leg is a bid
 * of the same key, linked to its SET by `older` and to the next leg by `newer`; its number among the
 * legs stands in cl_ord_id. It has no quantity of its own. While the SET rests a leg stands in its book
 * or, asleep, in the shadow of its ladder. */
#ifndef KASHI_EXCHANGE_CORE_SET_H
#define KASHI_EXCHANGE_CORE_SET_H

#include "exchange/core/match.h"
#include "exchange/core/order.h"

/* Requests; the sender is checked already, cl_ord_id used up. `set`: of the sender's account. */
void set_new(struct engine *e, const struct command *command);
void set_replace(struct engine *e, const struct command *command, uint32_t set);

/* --- legs at rest ---------------------------------------------------------------------------- */

static inline uint32_t set_of(const struct engine *e, uint32_t leg)
{
    return e->orders[leg].older;
}
/* What a leg may trade: the balance rounded down to its lot. 0: it sleeps. */
uint32_t set_open(const struct engine *e, uint32_t leg);
/* Whether an arriving offer meets another leg of the same SET before this one, after which this one
 * sleeps. */
bool set_leg_is_second(const struct engine *e, uint32_t leg, uint8_t offer_tier);
/* After the balance of a resting SET has fallen: what is used up ends, and legs go to sleep. */
void set_settle(struct engine *e, uint32_t set);
/* Self-trade prevention takes `qty` of the balance through a leg; with all of it the SET ends. */
void set_decrement(struct engine *e, uint32_t leg, uint32_t qty);

/* An auction begins in the ladder hour: its legs go to sleep. */
void set_sleep_all(struct engine *e, uint32_t ladder);
/* It has been cleared: legs that may trade something arrive one after the other. */
void set_wake_all(struct engine *e, uint32_t ladder);

/* --- ends ------------------------------------------------------------------------------------ */

/* Ends one leg, and with the last one the SET. */
void set_end_leg(struct engine *e, uint32_t leg, uint16_t reason);
/* Ends the SET with CANCELED. `cl_ord_id`: the request's, or 0. */
void set_take_out(struct engine *e, uint32_t set, uint16_t reason, uint64_t cl_ord_id);
/* Frees the slots of its legs and its own; nothing is left of its balance or its reserve. */
void set_finish(struct engine *e, uint32_t set);
/* Why the SET as a whole is over, why a leg is (its SET's reason first); 0 when not. */
uint16_t set_over(const struct engine *e, uint32_t set);
uint16_t set_leg_over(const struct engine *e, uint32_t leg);
/* Takes out what of it is over: itself, or legs. */
void set_take_out_over(struct engine *e, uint32_t set);
/* Takes out a leg that is over, or its SET where that is over. */
void set_take_out_leg_over(struct engine *e, uint32_t leg);
/* Does to it what a mass cancel does that looks at it; true when that has ended it. */
bool set_sweep(struct engine *e, uint32_t set, const struct sweep *sweep);
/* CHECKs a SET's legs and returns their number. */
uint32_t set_sanity(const struct engine *e, uint32_t set);

/* --- arriving -------------------------------------------------------------------------------- */

/* The legs of a SET that arrives, or might. */
struct set_arrival {
    uint32_t set; /* 0: none has entered */
    uint32_t count;
    int64_t balance;
    struct arrival legs[SET_LEGS_MAX];
    uint32_t slots[SET_LEGS_MAX]; /* 0: the leg is not live */
    uint8_t numbers[SET_LEGS_MAX];
};
/* What a SET would fill if it arrived now, counted until it is `wanted`. */
struct trial set_fillable(const struct engine *e, const struct set_arrival *a, int64_t wanted);
/* How near it comes: the live leg with the most quantity displayed within its limit, as far as it may
 * look. */
struct set_miss {
    uint64_t contract; /* 0 none */
    int64_t qty;
    uint8_t number;
};
struct set_miss set_miss(const struct engine *e, const struct set_arrival *a);
/* What a request asks of its arrival. */
struct set_wish {
    bool immediate;
    bool misses; /* fill-or-kill or min_qty: less than that is fillable */
};
/* Trades; what is left rests, or is taken out when it must not. */
void set_arrive(struct engine *e, struct set_arrival *a, const struct set_wish *wish);

#endif
