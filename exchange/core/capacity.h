/* Capacity: what of a resource's hour is committed, and who holds what it bought. */
#ifndef KASHI_EXCHANGE_CORE_CAPACITY_H
#define KASHI_EXCHANGE_CORE_CAPACITY_H

#include "exchange/core/state.h"

static inline struct capacity_cell *capacity_cell(const struct engine *e, uint32_t resource,
                                                  uint32_t hour)
{
    return &e->cells[(size_t)(hour % HOUR_RING) * (e->config.resources + 1u) + resource];
}
/* GPUs of the resource neither offered nor sold in that hour. */
int64_t capacity_free(const struct engine *e, uint32_t resource, uint32_t hour);
/* Commits (qty above 0) or gives back (below 0) GPUs of the provider's own capacity. */
void capacity_commit(struct engine *e, uint32_t resource, uint32_t hour, int64_t qty);

/* 0 none. */
uint32_t holding_find(const struct engine *e, uint32_t account, uint32_t resource, uint32_t hour,
                      uint8_t tier);
/* Adds what was bought; the table must have room. */
void holding_add(struct engine *e, uint32_t account, uint32_t resource, uint32_t hour, uint8_t tier,
                 int64_t qty);
/* Brings the place of a holding that will soon be added to into the cache. */
void holding_prefetch(const struct engine *e, uint32_t account, uint32_t resource, uint32_t hour,
                      uint8_t tier);
/* Marks part of it offered (above 0) or no longer offered (below 0). */
void holding_offer(struct engine *e, uint32_t holding, int64_t qty);
/* Takes out what was offered and is sold now; an empty holding ends. */
void holding_sell(struct engine *e, uint32_t holding, int64_t qty);
/* Forgets one holding of an hour; false when there is none. */
bool holding_forget_one(struct engine *e, uint32_t hour);

/* Source that an offer would draw on: SOURCE_OWN or a tier; false: nothing suffices. */
bool capacity_source(const struct engine *e, uint32_t account,
                     const struct command_new_order *order, uint8_t *source);
/* The most that one offer of the account could draw on; nobody else's stock shows in it. */
int64_t capacity_most(const struct engine *e, uint32_t account,
                      const struct command_new_order *order);
/* Reserves (above 0) or gives back (below 0) quantity of an offer at its source. */
void capacity_reserve(struct engine *e, uint32_t slot, uint32_t hour, int64_t qty);
/* Room left at the offer's source, beyond what it has reserved. */
int64_t capacity_room(const struct engine *e, uint32_t slot, uint32_t hour);

#endif
