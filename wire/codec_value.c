#include "wire/codec_value.h"

#include <string.h>

static uint64_t big_endian(const uint8_t *at, uint32_t size)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < size; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

static bool take_sized(struct codec_bytes *in, uint32_t size, uint64_t *number)
{
    const size_t left = (size_t)(in->end - in->at);
    if (left < size) {
        return false;
    }
    if (left >= sizeof *number) { /* mostly: one load instead of a loop */
        uint64_t word;
        memcpy(&word, in->at, sizeof word);
        *number = __builtin_bswap64(word) >> (64 - 8 * size);
    } else {
        *number = big_endian(in->at, size);
    }
    in->at += size;
    return true;
}

static bool take_unsigned(struct codec_bytes *in, uint32_t size, struct codec_value *value)
{
    value->kind = CODEC_VALUE_UINT;
    return take_sized(in, size, &value->number);
}

static bool take_signed(struct codec_bytes *in, uint32_t size, struct codec_value *value)
{
    if (!take_sized(in, size, &value->number)) {
        return false;
    }
    const uint64_t sign = UINT64_C(1) << (8 * size - 1);
    value->kind = (value->number & sign) != 0 ? CODEC_VALUE_NEGATIVE : CODEC_VALUE_UINT;
    value->number = (value->number ^ sign) - sign;
    return true;
}

/* Passes over `length` bytes that no field takes. */
static bool take_other(struct codec_bytes *in, uint64_t length, struct codec_value *value)
{
    if ((size_t)(in->end - in->at) < length) {
        return false;
    }
    value->kind = CODEC_VALUE_OTHER;
    in->at += length;
    return true;
}

bool codec_value_take_marked(struct codec_bytes *in, uint8_t marker, struct codec_value *value)
{
    uint64_t length;
    switch (marker) {
    case 0xc0: /* nil */
        return take_other(in, 0, value);
    case 0xc2:
    case 0xc3:
        value->kind = CODEC_VALUE_BOOL;
        value->number = marker & 1;
        return true;
    case 0xc4: /* binary, its length in 1, 2 or 4 bytes */
    case 0xc5:
    case 0xc6:
        return take_sized(in, 1U << (marker - 0xc4), &length) && take_other(in, length, value);
    case 0xc7: /* extension: length, then one byte of type */
    case 0xc8:
    case 0xc9:
        return take_sized(in, 1U << (marker - 0xc7), &length) && take_other(in, length + 1, value);
    case 0xca: /* floats */
        return take_other(in, 4, value);
    case 0xcb:
        return take_other(in, 8, value);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_unsigned(in, 1U << (marker - 0xcc), value);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_signed(in, 1U << (marker - 0xd0), value);
    case 0xd4: /* extensions of 1, 2, 4, 8, 16 bytes */
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return take_other(in, (UINT64_C(1) << (marker - 0xd4)) + 1, value);
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(in, 1U << (marker - 0xd9), &length) &&
               codec_value_take_text(in, length, value);
    case 0xdc:
    case 0xdd:
        return take_sized(in, 2U << (marker - 0xdc), &length) &&
               codec_value_take_container(in, CODEC_VALUE_ARRAY, length, value);
    case 0xde:
    case 0xdf:
        return take_sized(in, 2U << (marker - 0xde), &length) &&
               codec_value_take_container(in, CODEC_VALUE_MAP, length, value);
    default: /* 0xc1 is never used */
        return false;
    }
}

/* Passes over what a container's head announced. Each round takes a byte at least, so the bytes
 * bound the loop, and counting instead of descending makes the depth harmless. */
bool codec_value_pass_over(struct codec_bytes *in, const struct codec_value *head)
{
    uint64_t left = head->kind == CODEC_VALUE_ARRAY ? head->number
                    : head->kind == CODEC_VALUE_MAP ? 2 * head->number
                                                    : 0;
    while (left > 0) {
        struct codec_value value;
        if (!codec_value_take(in, &value)) {
            return false;
        }
        left--;
        left += value.kind == CODEC_VALUE_ARRAY ? value.number : 0;
        left += value.kind == CODEC_VALUE_MAP ? 2 * value.number : 0;
    }
    return true;
}

static bool utf8_continues(const uint8_t *at, const uint8_t *end, uint32_t count)
{
    if ((size_t)(end - at) < count) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* Whether eight bytes are plain ASCII for sure: no high bit, none below 0x20 (the subtraction would
 * borrow into its high bit), none 0x7f (the addition would carry into it). */
static bool is_plain(const uint8_t *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return ((word | (word - 0x20 * ones) | (word + ones)) & (0x80 * ones)) == 0;
}

bool codec_value_text_is_clean(const char *text, uint32_t length)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + length;
    while (end - at >= 8 && is_plain(at)) {
        at += 8;
    }
    while (at < end) {
        const uint8_t lead = *at++;
        if (lead < 0x80) {
            if (lead < 0x20 || lead == 0x7f) {
                return false;
            }
            continue;
        }
        const uint32_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || !utf8_continues(at, end, more) ||
            (lead == 0xe0 && at[0] < 0xa0) || (lead == 0xed && at[0] >= 0xa0) ||
            (lead == 0xf0 && at[0] < 0x90) || (lead == 0xf4 && at[0] >= 0x90)) {
            return false;
        }
        at += more;
    }
    return true;
}
