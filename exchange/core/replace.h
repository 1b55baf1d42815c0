/* Replacing orders (rulebook, section 7). */
#ifndef KASHI_EXCHANGE_CORE_REPLACE_H
#define KASHI_EXCHANGE_CORE_REPLACE_H

#include "exchange/core/match.h"
#include "exchange/core/order.h"

/* The request; the sender is checked already, cl_ord_id used up. */
void replace_apply(struct engine *e, const struct command *command);

/* --- of one hour, for RANGEs that do it to many ---------------------------------------------- */

/* What becomes of an order when a replace gives it a price and a quantity, what is filled included. */
enum replace_way {
    REPLACE_NOT,      /* both are what it has */
    REPLACE_AWAY,     /* it ends: the quantity is not above what is filled */
    REPLACE_IN_PLACE, /* it keeps its place */
    REPLACE_ANEW,     /* it arrives anew */
};
enum replace_way replace_way(const struct engine *e, const struct command *command, uint32_t slot);

/* An order as it would arrive anew. */
struct replacement {
    struct order draft;
    struct arrival arrival;
    int64_t reference_e4;
    uint32_t slot;
};
void replace_draft(const struct engine *e, const struct command *command, uint32_t slot,
                   struct replacement *r);
/* The new limit against the outer band. */
bool replace_check_band(const struct engine *e, const struct replacement *r, struct rejection *why);
/* Whether post-only lets it arrive; takes out tops that are over. */
bool replace_check_top(struct engine *e, const struct replacement *r, struct rejection *why);
/* Carries out what replace_way() says, with reports or, for a RANGE, without. The checks have passed. */
void replace_commit(struct engine *e, const struct command *command, uint32_t slot, bool silent);

#endif
