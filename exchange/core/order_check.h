/* The checks of an order before anything changes (rulebook, sections 3 and 7), in their stated order;
 * the first that fails is the reason: *why is written only then. Nothing here changes the state. */
#ifndef KASHI_EXCHANGE_CORE_ORDER_CHECK_H
#define KASHI_EXCHANGE_CORE_ORDER_CHECK_H

#include "exchange/core/match.h"
#include "exchange/core/order.h"

/* What an order draws on and reserves. */
struct terms {
    int64_t reference_e4; /* of its contract when the command began */
    int64_t reserve_e4;   /* bid: money; offer: bond */
    uint32_t bond_unit;
    uint8_t source;
    bool misses;   /* fill-or-kill or min_qty: less than that is fillable */
    bool reserved; /* stands apart for JOBs */
    bool ranged;   /* an hour of a RANGE: NEW is no report */
};

/* Everything about a new order that does not need the book; fills in the arrival. */
bool order_check_new(const struct engine *e, const struct command *command, struct arrival *a,
                     int64_t *reference_e4, struct rejection *why);
/* Parts of it, for RANGEs and SETs: the contract, of which it finds the market; quantity, lot and the
 * account's largest order; the resource of an offer. */
bool order_check_contract(const struct engine *e, uint64_t contract, uint32_t *market,
                          struct rejection *why);
/* A market that stands still, without a mode or halted, takes nothing but cancels. */
bool order_check_market(const struct engine *e, uint32_t market, struct rejection *why);
bool order_check_qty(const struct engine *e, uint32_t market, uint32_t account, int64_t qty,
                     struct rejection *why);
bool order_check_resource(const struct engine *e, const struct command_new_order *order,
                          uint32_t account, struct rejection *why);
/* A limit against the outer band; reference 0: none. */
bool order_check_band(const struct engine *e, uint32_t market, int64_t reference_e4,
                      int64_t price_e4, struct rejection *why);
/* Sets the arrival's inner band. */
void order_check_inner_band(const struct engine *e, struct arrival *a, int64_t reference_e4);
/* Funds, bond and capacity of a new order; sets its terms. */
bool order_check_reserves(const struct engine *e, const struct command *command,
                          const struct arrival *a, struct terms *terms, struct rejection *why);
/* A bid for a named offer of a listing market. */
bool order_check_take(const struct engine *e, const struct command *command, uint32_t offer,
                      struct terms *terms, struct rejection *why);
/* Of an offer: resale and capacity alone; sets its terms. */
bool order_check_offer_source(const struct engine *e, const struct command *command,
                              const struct arrival *a, struct terms *terms, struct rejection *why);
/* A replace's price and quantity as such, in a market. */
bool order_check_new_terms(const struct engine *e, const struct command *command, uint32_t market,
                           uint32_t account, struct rejection *why);
/* A replace as such, before its quantity is compared with what is filled. */
bool order_check_replace(const struct engine *e, const struct command *command, uint32_t slot,
                         struct rejection *why);
/* Funds, bond and capacity of the order as it would become, its own reserves given back. */
bool order_check_replaced_reserves(const struct engine *e, uint32_t slot, const struct order *draft,
                                   struct rejection *why);
/* Of an offer: capacity alone. */
bool order_check_replaced_capacity(const struct engine *e, uint32_t slot, const struct order *draft,
                                   struct rejection *why);
/* Trades that an arrival of this quantity can bring about at most: one with each slice of an opposite
 * order, and one with each lot of its own. */
int64_t order_check_trades(const struct engine *e, const struct arrival *a, int64_t qty);
/* Room for the fills and the holdings of so many. */
bool order_check_fills(const struct engine *e, int64_t trades);
/* Room for so many orders and timers. */
bool order_check_tables(const struct engine *e, uint32_t orders, uint32_t timers);
/* Room in the tables for all that an arrival of this quantity could bring about. */
bool order_check_room(const struct engine *e, const struct arrival *a, int64_t qty);
/* What fill-or-kill and min_qty ask for; sets terms->misses. */
bool order_check_trial(const struct engine *e, const struct command *command,
                       const struct arrival *a, struct terms *terms, struct rejection *why);
/* A trial that was broken off is a refusal. */
bool order_check_width(const struct engine *e, const struct trial *trial, struct rejection *why);
/* Room for the order itself, and for its timer if it has one. */
bool order_check_slot(const struct engine *e, bool timer);

#endif
