/* What a gateway knows of the market's registry: names of classes and regions, and who a public key
 * is. It is built from registry events (all of them at the start, then as they happen), in any
 * order and any number of times: an id keeps its meaning, and a revoked key stays revoked.
 * Pure; one thread. */
#ifndef KASHI_GATEWAY_CORE_REGISTRY_H
#define KASHI_GATEWAY_CORE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/contract.h"
#include "wire/event.h"

#define REGISTRY_KEYS_MAX      65535
#define REGISTRY_BUCKETS       131072 /* power of two, at most half full */
#define REGISTRY_SYMBOLS_CACHE 4096   /* power of two */

struct registry_key {
    uint8_t public_key[PUBLIC_KEY_SIZE];
    uint32_t account;
    uint8_t roles;
    bool used;
    bool revoked;
};

/* A symbol that was looked up before; ids never change, so an entry never goes stale. */
struct registry_symbol {
    char text[SYMBOL_SIZE];
    uint64_t contract;
};

/* Invariants: 1. every used key is found from its bucket by going on to the next one; 2. no bucket
 * leads to an unused key. About 4 MB; zeroed memory is an empty registry. */
struct registry {
    struct contract_names names;
    struct registry_key keys[REGISTRY_KEYS_MAX + 1]; /* by id */
    uint32_t buckets[REGISTRY_BUCKETS];              /* key ids; 0 empty */
    struct registry_symbol symbols[REGISTRY_SYMBOLS_CACHE];
};

/* Takes in a registry event; events that are none are passed over. False: the event's id is beyond
 * what a gateway has room for. */
bool registry_apply(struct registry *registry, const struct event *event);
/* Id of a key that may be used; 0: unknown or revoked. */
uint32_t registry_find_key(const struct registry *registry,
                           const uint8_t public_key[PUBLIC_KEY_SIZE]);
/* NULL: unknown or revoked. */
const struct registry_key *registry_key(const struct registry *registry, uint32_t key);
/* `symbol` ends with a NUL. False: it does not name a registered contract. */
bool registry_contract(struct registry *registry, const char *symbol, uint64_t *contract);
/* Ends the process when an invariant does not hold. For tests. */
void registry_sanity(const struct registry *registry);

#endif
