/* No bytes from a link lead outside of the frame that they came in. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/frame.h"
#include "wire/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Makes head and checksums fit as far as the bytes allow, or nothing would ever be accepted. */
static void mend(uint8_t *bytes, size_t size)
{
    struct frame_head *head = (void *)bytes;
    if (size < sizeof(*head)) {
        return;
    }
    head->magic = FRAME_MAGIC;
    head->version = 1;
    head->count = (uint32_t)((size - sizeof(*head)) / FRAME_ITEM_SIZE);
    union command_slot *slots = (void *)(head + 1);
    for (uint32_t at = 0; at < head->count;) {
        struct command *command = &slots[at].command;
        uint32_t length = command->head.slots;
        if (length < 1 || length > COMMAND_SLOTS_MAX || length > head->count - at) {
            return;
        }
        seal_command(command);
        at += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t length = size - 1;
    uint8_t *bytes = malloc(length); /* its exact size: the sanitizer sees a byte too many */
    CHECK(bytes != NULL || length == 0);
    memcpy(bytes, data + 1, length);
    if (data[0] % 2 == 0) {
        mend(bytes, length);
    }
    if (frame_whole(bytes, length)) {
        const struct frame_head *head = (const void *)bytes;
        const union command_slot *slots = (const void *)(head + 1);
        if (frame_from_gateway(head, slots) && head->kind == FRAME_COMMANDS) {
            uint32_t at = 0;
            while (at < head->count) {
                CHECK(seal_verify(&slots[at].command));
                at += slots[at].command.head.slots;
            }
            CHECK(at == head->count);
        }
    }
    free(bytes);
    return 0;
}
