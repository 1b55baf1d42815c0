#include "wire/seal.h"

#include "base/check.h"
#include "base/crc32c.h"

static uint32_t compute(const struct command *command)
{
    CHECK(command->head.slots >= 1 && command->head.slots <= COMMAND_SLOTS_MAX);
    struct command_head head = command->head;
    head.seq = 0;
    head.time_ns = 0;
    head.link = 0;
    head.crc = 0;
    uint32_t crc = crc32c(0, &head, sizeof(head));
    const uint8_t *rest = (const uint8_t *)command + sizeof(head);
    return crc32c(crc, rest, (size_t)head.slots * COMMAND_SLOT_SIZE - sizeof(head));
}

void seal_command(struct command *command)
{
    command->head.crc = compute(command);
}

bool seal_verify(const struct command *command)
{
    return command->head.crc == compute(command);
}
