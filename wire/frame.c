#include "wire/frame.h"

#include "wire/seal.h"

bool frame_whole(const void *bytes, size_t size)
{
    const struct frame_head *head = bytes;
    return size >= sizeof(*head) && head->magic == FRAME_MAGIC && head->version == 1 &&
           head->count <= FRAME_ITEMS_MAX &&
           size == sizeof(*head) + (size_t)head->count * FRAME_ITEM_SIZE;
}

/* Only the sequencer itself speaks these. */
static bool is_internal(uint8_t type)
{
    return type == COMMAND_GENESIS || type == COMMAND_TICK || type == COMMAND_LINK_UP ||
           type == COMMAND_LINK_DOWN;
}

static bool commands_good(const union command_slot *slots, uint32_t count)
{
    for (uint32_t at = 0; at < count;) {
        const struct command *command = &slots[at].command;
        uint8_t length = command->head.slots;
        if (length < 1 || length > COMMAND_SLOTS_MAX || length > count - at ||
            is_internal(command->head.type) || !seal_verify(command)) {
            return false;
        }
        at += length;
    }
    return count > 0;
}

bool frame_from_gateway(const struct frame_head *head, const union command_slot *slots)
{
    switch (head->kind) {
    case FRAME_COMMANDS:
        return commands_good(slots, head->count);
    case FRAME_HELLO:
        return head->count == 0 && head->name[0] != '\0' && head->name[LINK_NAME_SIZE - 1] == '\0';
    case FRAME_PING:
    case FRAME_BYE:
        return head->count == 0;
    default:
        return false;
    }
}
