/* From a client's request to the exchange's command, and who may ask for what. Pure; one thread. */
#ifndef KASHI_GATEWAY_CORE_TRANSLATE_H
#define KASHI_GATEWAY_CORE_TRANSLATE_H

#include "gateway/core/registry.h"
#include "wire/codec.h"
#include "wire/enter.h"

#define TRANSLATE_SLOTS_MAX ENTER_SLOTS_MAX

/* Whether a key of these roles may ask for this; the exchange checks again, and finer. */
bool translate_allowed(const struct request *request, uint8_t roles);

struct translation {
    uint32_t count;               /* slots */
    char field[CODEC_FIELD_SIZE]; /* refused: what the reason is about; "" nothing by itself */
    union command_slot slots[TRANSLATE_SLOTS_MAX];
};
/* Writes the sealed command of a request that changes something and returns 0; else the reason. */
uint16_t translate_request(struct registry *registry, const struct request *request, uint32_t key,
                           uint32_t session, struct translation *translation);

/* The sealed commands that a gateway itself makes for a key. */
void translate_login(uint32_t key, uint64_t nonce, bool cancel_on_disconnect,
                     union command_slot *slot);
void translate_logout(uint32_t key, uint32_t session, union command_slot *slot);

#endif
