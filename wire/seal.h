/* The checksum of a command: CRC32C over every byte of every slot with seq, time_ns, link and crc
 * taken as zero, because the sequencer stamps those after the gateway has sealed the command.
 * `command` points at head.slots contiguous slots. Pure; any thread. */
#ifndef KASHI_WIRE_SEAL_H
#define KASHI_WIRE_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/command.h"

/* Sets head.crc. */
void seal_command(struct command *command);
/* Whether head.crc is what the bytes say. */
bool seal_verify(const struct command *command);

#endif
