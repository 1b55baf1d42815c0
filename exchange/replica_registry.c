#include "exchange/replica_registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void replica_registry_init(struct replica_registry *registry)
{
    memset(registry, 0, sizeof(*registry));
    replica_map_init(&registry->market_numbers);
}

void replica_registry_free(struct replica_registry *registry)
{
    if (!registry) {
        return;
    }
    for (size_t kind = 0; kind < REGISTRY_KIND_COUNT; kind++) {
        free(registry->kinds[kind].items);
    }
    free(registry->all.items);
    free(registry->markets);
    replica_map_free(&registry->market_numbers);
}

static void positions_add(struct registry_positions *positions, uint64_t position)
{
    positions->items = replica_grow(positions->items, positions->count, &positions->capacity,
                                    sizeof(positions->items[0]));
    positions->items[positions->count++] = position;
}

/* 0 for classes and regions; the free schedule 0 has no event, so fees and the others begin with 1. */
static uint32_t first_id(enum registry_kind kind)
{
    return kind == REGISTRY_CLASS || kind == REGISTRY_REGION ? 0 : 1;
}

static void add(struct replica_registry *registry, enum registry_kind kind, uint32_t id,
                uint64_t position)
{
    CHECK(id == registry->kinds[kind].count + first_id(kind));
    positions_add(&registry->kinds[kind], position);
}

/* Class and region as a key that is never 0. */
static uint64_t market_key(uint16_t class_id, uint16_t region_id)
{
    return UINT64_C(1) << 32 | (uint64_t)class_id << 16 | region_id;
}

static void apply_market(struct replica_registry *registry, const struct event_market *market)
{
    uint64_t *number =
        replica_map_put(&registry->market_numbers, market_key(market->class_id, market->region_id));
    if (*number == 0) {
        registry->markets = replica_grow(registry->markets, registry->market_count,
                                         &registry->market_capacity, sizeof(registry->markets[0]));
        registry->markets[registry->market_count] = (struct registry_market){0};
        *number = ++registry->market_count;
    }
    registry->markets[*number - 1].terms = *market;
}

static void apply_halt(struct replica_registry *registry, const struct event_halt *halt)
{
    for (size_t i = 0; i < registry->market_count; i++) {
        struct registry_market *market = &registry->markets[i];
        if ((halt->filter & SCOPE_CLASS && market->terms.class_id != halt->class_id) ||
            (halt->filter & SCOPE_REGION && market->terms.region_id != halt->region_id)) {
            continue;
        }
        market->halted = halt->halted != 0;
    }
}

static void apply_names(struct contract_names *names, const struct event *event)
{
    if (event->head.type == EVENT_CLASS) {
        CHECK(event->class_.class_id < CLASS_COUNT_MAX);
        memcpy(names->classes[event->class_.class_id], event->class_.name, NAME_SIZE);
        names->class_count = event->class_.class_id + 1u;
    } else {
        CHECK(event->region.region_id < REGION_COUNT_MAX);
        memcpy(names->regions[event->region.region_id], event->region.name, NAME_SIZE);
        names->region_count = event->region.region_id + 1u;
    }
}

void replica_registry_apply(struct replica_registry *registry, const struct event *event,
                            uint64_t position)
{
    bool loaded = true;
    uint8_t type = event->head.type;
    if (type == EVENT_CLASS) {
        add(registry, REGISTRY_CLASS, event->class_.class_id, position);
        apply_names(&registry->names, event);
    } else if (type == EVENT_REGION) {
        add(registry, REGISTRY_REGION, event->region.region_id, position);
        apply_names(&registry->names, event);
    } else if (type == EVENT_MARKET) {
        apply_market(registry, &event->market);
    } else if (type == EVENT_GROUP) {
        add(registry, REGISTRY_GROUP, event->group.group, position);
    } else if (type == EVENT_ACCOUNT) {
        add(registry, REGISTRY_ACCOUNT, event->account.account, position);
    } else if (type == EVENT_KEY) {
        add(registry, REGISTRY_KEY, event->key.key, position);
    } else if (type == EVENT_RESOURCE) {
        add(registry, REGISTRY_RESOURCE, event->resource.resource, position);
    } else if (type == EVENT_FEES) {
        add(registry, REGISTRY_FEES, event->fees.fees, position);
    } else if (type == EVENT_HALT) {
        apply_halt(registry, &event->halt);
    } else {
        loaded =
            type == EVENT_KEY_REVOKED || type == EVENT_RESOURCE_IDENTITY || type == EVENT_LIMITS;
    }
    if (loaded) {
        positions_add(&registry->all, position);
    }
}

const struct registry_market *replica_registry_market(const struct replica_registry *registry,
                                                      uint16_t class_id, uint16_t region_id)
{
    const uint64_t *number =
        replica_map_find(&registry->market_numbers, market_key(class_id, region_id));
    return number ? &registry->markets[*number - 1] : NULL;
}
