/* The checks of a SET before anything changes (rulebook, section 11), in their stated order; the first
 * that fails is the reason: *why is written only then. */
#ifndef KASHI_EXCHANGE_CORE_SET_CHECK_H
#define KASHI_EXCHANGE_CORE_SET_CHECK_H

#include "exchange/core/set.h"

/* A SET that is being checked. */
struct set_entry {
    struct set_arrival arrival;
    int64_t dearest_e4;
    int64_t reserve_e4;
    uint32_t smallest_lot;
    uint32_t ladders; /* to be made */
    bool post_only;
};

/* Everything about a new SET that does not need the books; fills in the arrival. */
bool set_check_new(const struct engine *e, const struct command *c, struct set_entry *entry,
                   struct rejection *why);
/* Leg by leg, those awake: tops that are over are taken out, post-only. */
bool set_check_tops(struct engine *e, const struct set_entry *entry, struct rejection *why);
/* Money and room of a new SET; finds its reserve. */
bool set_check_means(const struct engine *e, const struct command *c, struct set_entry *entry,
                     struct rejection *why);

/* What fill-or-kill and min_qty ask for; *misses: less than that is fillable. */
bool set_check_trial(const struct engine *e, const struct command *c, const struct set_entry *entry,
                     bool *misses, struct rejection *why);

/* The live legs of a SET, as they would arrive anew; the balance is still to be set. */
void set_check_draft(const struct engine *e, uint32_t set, struct set_entry *entry);
/* A replace as such. */
bool set_check_replace(const struct engine *e, const struct command *c,
                       const struct set_entry *entry, struct rejection *why);
/* One that makes the SET larger, so that it arrives anew; finds its reserve. */
bool set_check_growth(struct engine *e, struct set_entry *entry, struct rejection *why);

#endif
