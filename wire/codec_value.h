/* msgpack values, one at a time, from bytes that nobody vouches for: nothing is believed that the
 * bytes do not bear out, nothing is allocated, nothing recurses. For wire/codec_decode.c. Any
 * thread. */
#ifndef KASHI_WIRE_CODEC_VALUE_H
#define KASHI_WIRE_CODEC_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum codec_value_kind {
    CODEC_VALUE_UINT,     /* 0 or more */
    CODEC_VALUE_NEGATIVE, /* number holds the two's complement */
    CODEC_VALUE_BOOL,
    CODEC_VALUE_TEXT,
    CODEC_VALUE_ARRAY, /* number: items that follow */
    CODEC_VALUE_MAP,   /* number: pairs that follow */
    CODEC_VALUE_OTHER, /* nil, float, binary, extension: no field takes it */
};

struct codec_value {
    enum codec_value_kind kind;
    uint32_t length; /* of a text */
    uint64_t number;
    const char *text;
};

struct codec_bytes {
    const uint8_t *at;
    const uint8_t *end;
};

static inline bool codec_value_take_text(struct codec_bytes *in, uint64_t length,
                                         struct codec_value *value)
{
    if ((size_t)(in->end - in->at) < length) {
        return false;
    }
    value->kind = CODEC_VALUE_TEXT;
    value->text = (const char *)in->at;
    value->length = (uint32_t)length;
    in->at += length;
    return true;
}

/* Every item takes a byte at least, so that a count above the bytes that are left is a lie. */
static inline bool codec_value_take_container(struct codec_bytes *in, enum codec_value_kind kind,
                                              uint64_t count, struct codec_value *value)
{
    const uint64_t items = kind == CODEC_VALUE_MAP ? 2 * count : count;
    value->kind = kind;
    value->number = count;
    return items <= (uint64_t)(in->end - in->at);
}

/* The values whose marker is one of 0xc0 .. 0xdf, which has been taken. */
bool codec_value_take_marked(struct codec_bytes *in, uint8_t marker, struct codec_value *value);

/* Takes one value: a scalar whole, of a container its head. False: not well-formed. */
static inline bool codec_value_take(struct codec_bytes *in, struct codec_value *value)
{
    if (in->at == in->end) {
        return false;
    }
    const uint8_t marker = *in->at++;
    if (marker < 0x80 || marker >= 0xe0) { /* small numbers stand in the marker itself */
        value->kind = marker < 0x80 ? CODEC_VALUE_UINT : CODEC_VALUE_NEGATIVE;
        value->number = (uint64_t)(int64_t)(int8_t)marker;
        return true;
    }
    if (marker >= 0xc0) {
        return codec_value_take_marked(in, marker, value);
    }
    if (marker >= 0xa0) {
        return codec_value_take_text(in, marker & 0x1f, value);
    }
    return codec_value_take_container(in, marker >= 0x90 ? CODEC_VALUE_ARRAY : CODEC_VALUE_MAP,
                                      marker & 0x0f, value);
}

/* Passes over what a container's head announced; of a scalar, nothing. False: not well-formed. */
bool codec_value_pass_over(struct codec_bytes *in, const struct codec_value *head);

/* UTF-8 in shortest form, without surrogates and without control characters. */
bool codec_value_text_is_clean(const char *text, uint32_t length);

#endif
