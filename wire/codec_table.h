/* The tables that the codec works from: for each message the fields of its map, where each stands in
 * its struct and what values it takes. One table serves both directions. Only wire/codec*.c, their
 * tests and the command line (its options and its JSON have the same names) include this.
 * Constant data; any thread. */
#ifndef KASHI_WIRE_CODEC_TABLE_H
#define KASHI_WIRE_CODEC_TABLE_H

#include "wire/codec.h"
#include "wire/codec_names.h"

enum codec_kind {
    CODEC_UINT,        /* unsigned of `size` bytes, not below `min` */
    CODEC_INT,         /* int64_t, not below `min` */
    CODEC_BOOL,        /* uint8_t 0 or 1 */
    CODEC_ENUM,        /* uint8_t, index into `names` */
    CODEC_SET,         /* uint8_t, or of 1 << index into `names`; an array of texts */
    CODEC_TEXT,        /* char[size] */
    CODEC_KEY,         /* PUBLIC_KEY_SIZE bytes; Z85 text */
    CODEC_HOUR,        /* uint32_t; "20261121T14Z" */
    CODEC_DAY,         /* uint32_t; "20261121" */
    CODEC_REASON_NAME, /* stands beside a reason at `offset` and has no place of its own */
    CODEC_REASON_TEXT, /* likewise */
    CODEC_ROWS,        /* an array of `row`s at offset, their uint32_t number at count_offset */
    CODEC_LIST,        /* at offset a pointer to `row`s, at least `min` of them; number likewise */
};

enum codec_field_flags {
    CODEC_REQUIRED = 1, /* decoding a request fails without it; always encoded */
    CODEC_ALWAYS = 2,   /* encoded even when it is zero */
};

#define CODEC_FIELDS_MAX 64 /* of one map: they are counted off in a 64-bit mask */

struct codec_schema;
struct codec_field {
    const char *name;
    uint8_t name_length;
    uint8_t kind;  /* enum codec_kind */
    uint8_t flags; /* enum codec_field_flags */
    uint8_t mark;  /* not 0: the bit at mark_offset says whether the field is there */
    uint16_t size;
    uint16_t mark_offset;
    uint32_t offset;
    uint32_t count_offset;
    uint32_t capacity;
    uint16_t count_reason; /* CODEC_LIST: why too few or too many rows are refused */
    int64_t min;
    const struct codec_names *names; /* NULL for an enum: the request types */
    const struct codec_schema *row;
};
struct codec_schema {
    const char *name; /* value of "type"; NULL for a row */
    uint8_t name_length;
    uint8_t required_count; /* required fields stand first */
    uint16_t field_count;
    uint32_t clear_size; /* decoding zeroes that much of the struct first */
    uint32_t size;       /* of a row */
    const struct codec_field *fields;
};

/* NULL for a number that is none. Offsets count from struct request. */
const struct codec_schema *codec_table_request(uint8_t type);
/* For a request of unknown type: cl_ord_id and ref, so that its refusal can be matched. */
const struct codec_schema *codec_table_request_unknown(void);
/* Number of the request type with this name; 0: none. */
uint8_t codec_table_request_find(const char *name, size_t length);
/* NULL for a number that is none. Offsets count from the message's own struct. */
const struct codec_schema *codec_table_message(uint8_t type);
uint8_t codec_table_message_find(const char *name, size_t length);
/* Where the own struct of each message stands in struct message. */
#define CODEC_MESSAGE_BODY offsetof(struct message, report)

/* How the tables are written, one line a field:
 * CODEC_FIELD(struct, member, name on the wire, kind, flags, ...more). */
/* clang-format off */
#define CODEC_COUNT_OF(array_) (sizeof(array_) / sizeof(array_)[0])
#define CODEC_FIELD(struct_, member_, name_, kind_, flags_, ...)                                   \
    { .name = name_, .name_length = sizeof name_ - 1, .kind = CODEC_##kind_, .flags = flags_,      \
      .offset = offsetof(struct_, member_), .size = sizeof(((struct_ *)0)->member_), __VA_ARGS__ }
#define CODEC_LIST_FIELD(struct_, member_, count_, name_, flags_, row_, capacity_, ...)            \
    { .name = name_, .name_length = sizeof name_ - 1, .kind = CODEC_LIST, .flags = flags_,         \
      .offset = offsetof(struct_, member_), .size = sizeof(((struct_ *)0)->member_),               \
      .count_offset = offsetof(struct_, count_), .row = &row_, .capacity = capacity_, __VA_ARGS__ }
/* clang-format on */

#endif
