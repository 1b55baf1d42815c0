/* RANGEs: one offer for each of many hours, entered, replaced and canceled together (rulebook, section 10).
 * The offers are ordinary orders with `ranged` set; they stand one after the other in their key's chain
 * and the RANGE itself right behind them. In its order: leaves is the quantity asked for last, cum the
 * hours entered, next the first of them, previous the market and bond_unit the lead hours. */
#ifndef KASHI_EXCHANGE_CORE_RANGE_H
#define KASHI_EXCHANGE_CORE_RANGE_H

#include "exchange/core/order.h"

/* Requests; the sender is checked already, cl_ord_id used up. `range`: of the sender's account. */
void range_new(struct engine *e, const struct command *command);
void range_cancel(struct engine *e, const struct command *command, uint32_t range);
void range_replace(struct engine *e, const struct command *command, uint32_t range);
/* Takes out those of its offers that are over; it ends with the last. */
void range_take_out_over(struct engine *e, uint32_t range);

/* Contract of the first hour entered. */
uint64_t range_contract(const struct engine *e, uint32_t range);
/* The RANGE that ends with this offer, its last; 0 when others are live. */
uint32_t range_ending_with(const struct engine *e, uint32_t slot);

#endif
