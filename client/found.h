/* Founding a market: an operator's session registers what a market is made of, as a plan says, and
 * passes over what is registered already, so that a founding that was cut off goes on where it
 * ended. One thread. */
#ifndef KASHI_CLIENT_FOUND_H
#define KASHI_CLIENT_FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "client/desk.h"
#include "client/tables.h"
#include "wire/codec.h"

struct found_account {
    char name[LABEL_SIZE]; /* of group, account and key; keys/NAME.key is made when missing */
    int64_t deposit_e4;
    uint8_t roles;
    bool unlimited;       /* no limit of rate, open orders and order size but the widest */
    uint32_t account;     /* out: its id */
    struct kashi_key key; /* out */
};

struct found_resource {
    uint32_t owner;  /* place in the plan's accounts */
    uint32_t class_; /* place in the plan's tables */
    uint32_t region;
    uint32_t gpus;
    uint8_t tier;
    uint32_t resource; /* out: its id */
};

/* A market that is not to trade continuously from its first order on. */
struct found_terms {
    uint32_t class_; /* places in the plan's tables */
    uint32_t region;
    uint32_t opening_s;
    uint32_t period_s; /* 0: continuous; else an auction each whole multiple of it */
    uint16_t random_end_s;
};

struct found_plan {
    const struct tables *tables; /* every class and region, and a market where there is a price */
    const struct found_terms *terms;
    size_t terms_count;
    struct found_account *accounts;
    size_t account_count;
    struct found_resource *resources;
    size_t resource_count;
    uint32_t inner_band_bp;
    uint32_t outer_band_bp;
    uint16_t maker_bp;
    uint16_t taker_bp;
};

/* Carries the plan out through the operator's seat, which must be ready. *founded: whether anything
 * was new. Fills in the ids and keys. Takes the desk's message handler while it runs. */
int found_market(struct desk *desk, uint32_t seat, struct found_plan *plan, bool *founded,
                 struct error *error);

#endif
