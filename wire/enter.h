/* SET and JOB commands from what a client asks for: made by a gateway that enters them and by the
 * read side that tries them out, so that both understand alike. Pure; any thread. */
#ifndef KASHI_WIRE_ENTER_H
#define KASHI_WIRE_ENTER_H

#include "wire/codec.h"
#include "wire/command.h"
#include "wire/contract.h"

/* Slots of the longest: a SET of 64 legs. */
#define ENTER_SLOTS_MAX (1 + SET_LEGS_MAX / SET_LEGS_PER_SLOT)

/* Writes payload and continuation slots, and head.slots of a head that is there; `slots` is zeroed
 * memory. 0; else the reason, and in `field` what it is about: "legs[3].symbol". */
uint16_t enter_set(const struct contract_names *names, const struct request_new_set *from,
                   union command_slot slots[ENTER_SLOTS_MAX], char field[CODEC_FIELD_SIZE]);
uint16_t enter_job(const struct contract_names *names, const struct request_new_job *from,
                   union command_slot slots[ENTER_SLOTS_MAX], char field[CODEC_FIELD_SIZE]);

/* "legs[3].symbol"; only "legs[3]" where `length` is 0 or it would be too long. */
void enter_row_field(const char *list, uint32_t number, const char *name, size_t length,
                     char field[CODEC_FIELD_SIZE]);

#endif
