#include "gateway/core/registry.h"

#include <string.h>

#include "base/check.h"

/* Public keys are as good as random; spreading them once more costs nothing. */
static uint32_t key_bucket(const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    uint64_t word;
    memcpy(&word, public_key, sizeof word);
    return (uint32_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (REGISTRY_BUCKETS - 1);
}

static bool put_key(struct registry *registry, uint32_t id, uint32_t account, uint8_t roles,
                    const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    if (id == 0 || id > REGISTRY_KEYS_MAX) {
        return false;
    }
    struct registry_key *key = &registry->keys[id];
    if (key->used) {
        return true;
    }
    memcpy(key->public_key, public_key, PUBLIC_KEY_SIZE);
    key->account = account;
    key->roles = roles;
    key->used = true;
    uint32_t bucket = key_bucket(public_key);
    while (registry->buckets[bucket] != 0) {
        bucket = (bucket + 1) & (REGISTRY_BUCKETS - 1);
    }
    registry->buckets[bucket] = id;
    return true;
}

static bool revoke_key(struct registry *registry, const struct event_key *event)
{
    if (!put_key(registry, event->key, event->account, event->roles, event->public_key)) {
        return false;
    }
    registry->keys[event->key].revoked = true;
    return true;
}

static bool put_name(char (*table)[NAME_SIZE], uint32_t capacity, uint32_t *count, uint32_t id,
                     const char name[NAME_SIZE])
{
    if (id >= capacity) {
        return false;
    }
    memcpy(table[id], name, NAME_SIZE);
    table[id][NAME_SIZE - 1] = 0;
    *count = id >= *count ? id + 1 : *count;
    return true;
}

bool registry_apply(struct registry *registry, const struct event *event)
{
    struct contract_names *names = &registry->names;
    switch (event->head.type) {
    case EVENT_GENESIS:
        return put_key(registry, event->party.key, event->party.account, ROLE_OPERATOR,
                       event->genesis.operator_key);
    case EVENT_CLASS:
        return put_name(names->classes, CLASS_COUNT_MAX, &names->class_count,
                        event->class_.class_id, event->class_.name);
    case EVENT_REGION:
        return put_name(names->regions, REGION_COUNT_MAX, &names->region_count,
                        event->region.region_id, event->region.name);
    case EVENT_KEY:
        return put_key(registry, event->key.key, event->key.account, event->key.roles,
                       event->key.public_key);
    case EVENT_KEY_REVOKED:
        return revoke_key(registry, &event->key);
    default:
        return true;
    }
}

uint32_t registry_find_key(const struct registry *registry,
                           const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    uint32_t bucket = key_bucket(public_key);
    for (uint32_t id; (id = registry->buckets[bucket]) != 0;
         bucket = (bucket + 1) & (REGISTRY_BUCKETS - 1)) {
        const struct registry_key *key = &registry->keys[id];
        if (memcmp(key->public_key, public_key, PUBLIC_KEY_SIZE) == 0) {
            return key->revoked ? 0 : id;
        }
    }
    return 0;
}

const struct registry_key *registry_key(const struct registry *registry, uint32_t key)
{
    const struct registry_key *found =
        key <= REGISTRY_KEYS_MAX ? &registry->keys[key] : &registry->keys[0];
    return found->used && !found->revoked ? found : NULL;
}

bool registry_contract(struct registry *registry, const char *symbol, uint64_t *contract)
{
    /* FNV-1a: a handful of symbols is asked for over and over, and parsing one costs more. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t length = 0;
    for (; length < SYMBOL_SIZE && symbol[length] != 0; length++) {
        hash = (hash ^ (uint8_t)symbol[length]) * UINT64_C(0x100000001b3);
    }
    struct registry_symbol *cached =
        &registry->symbols[(hash ^ hash >> 32) & (REGISTRY_SYMBOLS_CACHE - 1)];
    if (length > 0 && length < SYMBOL_SIZE && memcmp(cached->text, symbol, length + 1) == 0) {
        *contract = cached->contract;
        return true;
    }
    if (!contract_parse(&registry->names, symbol, length, contract)) {
        return false;
    }
    memcpy(cached->text, symbol, length);
    cached->text[length] = 0;
    cached->contract = *contract;
    return true;
}

void registry_sanity(const struct registry *registry)
{
    uint32_t used = 0;
    uint32_t listed = 0;
    for (uint32_t id = 1; id <= REGISTRY_KEYS_MAX; id++) {
        const struct registry_key *key = &registry->keys[id];
        used += key->used ? 1 : 0;
        CHECK(!key->used || key->revoked || registry_find_key(registry, key->public_key) == id);
    }
    for (uint32_t bucket = 0; bucket < REGISTRY_BUCKETS; bucket++) {
        CHECK(registry->buckets[bucket] == 0 || registry->keys[registry->buckets[bucket]].used);
        listed += registry->buckets[bucket] != 0 ? 1 : 0;
    }
    CHECK(used == listed);
}
