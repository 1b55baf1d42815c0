/* Encoding, by msgpack-c, from the same tables that the decoder reads by. */
#include "wire/codec.h"

#include <msgpack.h>
#include <string.h>

#include "wire/codec_table.h"

/* A bounded place to write to: once something does not fit, nothing more is written. */
struct buffer {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
    bool full;
};

static int buffer_write(void *data, const char *bytes, size_t length)
{
    struct buffer *buffer = data;
    if (buffer->full || length > buffer->capacity - buffer->length) {
        buffer->full = true;
        return -1;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    return 0;
}

/* msgpack-c's return values repeat what buffer->full says; only that is looked at. */
static void put_text(msgpack_packer *packer, const char *text, size_t length)
{
    (void)msgpack_pack_str(packer, length);
    (void)msgpack_pack_str_body(packer, text, length);
}

static uint64_t load_unsigned(const uint8_t *from, uint32_t size)
{
    uint64_t number = 0;
    memcpy(&number, from, size);
    return number;
}

static int64_t load_signed(const uint8_t *from)
{
    int64_t number;
    memcpy(&number, from, sizeof number);
    return number;
}

static uint16_t load_reason(const struct codec_field *field, const uint8_t *record)
{
    return (uint16_t)load_unsigned(record + field->offset, sizeof(uint16_t));
}

static bool is_there(const struct codec_field *field, const uint8_t *record)
{
    const uint8_t *from = record + field->offset;
    if (field->mark != 0) {
        return (record[field->mark_offset] & field->mark) != 0;
    }
    if (field->flags != 0) {
        return true;
    }
    switch ((enum codec_kind)field->kind) {
    case CODEC_UINT:
        return load_unsigned(from, field->size) != 0;
    case CODEC_INT:
        return load_signed(from) != 0;
    case CODEC_BOOL:
    case CODEC_ENUM:
    case CODEC_SET:
    case CODEC_TEXT:
        return *from != 0;
    case CODEC_HOUR:
    case CODEC_DAY:
        return load_unsigned(from, sizeof(uint32_t)) != 0;
    case CODEC_REASON_NAME:
    case CODEC_REASON_TEXT:
        return load_reason(field, record) != 0;
    case CODEC_LIST:
        return load_unsigned(record + field->count_offset, sizeof(uint32_t)) != 0;
    case CODEC_KEY:
    case CODEC_ROWS:
        return true;
    }
    return false;
}

static void put_enum(msgpack_packer *packer, const struct codec_field *field, uint8_t value)
{
    if (field->names == NULL) {
        const char *name = codec_request_name(value);
        put_text(packer, name, strlen(name));
        return;
    }
    static const struct codec_name nameless = {"", 0};
    const struct codec_name *name =
        value < field->names->count && field->names->names[value].text != NULL
            ? &field->names->names[value]
            : &nameless;
    put_text(packer, name->text, name->length);
}

static void put_set(msgpack_packer *packer, const struct codec_field *field, uint8_t set)
{
    const uint32_t known = set & ((1U << field->names->count) - 1);
    (void)msgpack_pack_array(packer, (size_t)__builtin_popcount(known));
    for (uint32_t i = 0; i < field->names->count; i++) {
        if ((known >> i & 1) != 0) {
            put_enum(packer, field, (uint8_t)i);
        }
    }
}

static void put_hour(msgpack_packer *packer, uint32_t number, bool day)
{
    char text[HOUR_TEXT_SIZE];
    hour_format(day ? number * (uint32_t)HOURS_PER_DAY : number, text);
    put_text(packer, text, day ? 8 : HOUR_TEXT_SIZE - 1);
}

static void put_key(msgpack_packer *packer, const uint8_t *key)
{
    char text[CODEC_PUBLIC_KEY_TEXT + 1];
    codec_key_text(key, text);
    put_text(packer, text, CODEC_PUBLIC_KEY_TEXT);
}

static void put_value(msgpack_packer *packer, const struct codec_field *field,
                      const uint8_t *record)
{
    const uint8_t *from = record + field->offset;
    switch ((enum codec_kind)field->kind) {
    case CODEC_UINT:
        (void)msgpack_pack_uint64(packer, load_unsigned(from, field->size));
        break;
    case CODEC_INT:
        (void)msgpack_pack_int64(packer, load_signed(from));
        break;
    case CODEC_BOOL:
        (void)(*from != 0 ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
        break;
    case CODEC_ENUM:
        put_enum(packer, field, *from);
        break;
    case CODEC_SET:
        put_set(packer, field, *from);
        break;
    case CODEC_TEXT:
        put_text(packer, (const char *)from, strnlen((const char *)from, field->size));
        break;
    case CODEC_KEY:
        put_key(packer, from);
        break;
    case CODEC_HOUR:
    case CODEC_DAY:
        put_hour(packer, (uint32_t)load_unsigned(from, sizeof(uint32_t)), field->kind == CODEC_DAY);
        break;
    case CODEC_REASON_NAME:
        put_text(packer, reason_name(load_reason(field, record)),
                 strlen(reason_name(load_reason(field, record))));
        break;
    case CODEC_REASON_TEXT:
        put_text(packer, reason_sentence(load_reason(field, record)),
                 strlen(reason_sentence(load_reason(field, record))));
        break;
    case CODEC_ROWS: /* by put_rows */
    case CODEC_LIST:
        break;
    }
}

/* The map's head, and its type when it has one; returns which fields are there. */
static uint64_t put_head(msgpack_packer *packer, const struct codec_schema *schema,
                         const uint8_t *record)
{
    uint64_t there = 0;
    for (uint32_t i = 0; i < schema->field_count; i++) {
        there |= (uint64_t)is_there(&schema->fields[i], record) << i;
    }
    const size_t typed = schema->name != NULL ? 1 : 0;
    (void)msgpack_pack_map(packer, (size_t)__builtin_popcountll(there) + typed);
    if (typed != 0) {
        put_text(packer, "type", 4);
        put_text(packer, schema->name, schema->name_length);
    }
    return there;
}

static uint64_t row_count(const struct codec_field *field, const uint8_t *record)
{
    const uint64_t count = load_unsigned(record + field->count_offset, sizeof(uint32_t));
    return count < field->capacity ? count : field->capacity;
}

/* Rows of a list have no lists of their own. */
static void put_list(msgpack_packer *packer, const struct codec_field *list, const uint8_t *record)
{
    const struct codec_schema *schema = list->row;
    const uint64_t count = row_count(list, record);
    const uint8_t *row;
    memcpy(&row, record + list->offset, sizeof row);
    (void)msgpack_pack_array(packer, count);
    for (uint64_t at = 0; at < count; at++, row += schema->size) {
        const uint64_t there = put_head(packer, schema, row);
        for (uint32_t i = 0; i < schema->field_count; i++) {
            if ((there >> i & 1) != 0) {
                put_text(packer, schema->fields[i].name, schema->fields[i].name_length);
                put_value(packer, &schema->fields[i], row);
            }
        }
    }
}

static void put_row(msgpack_packer *packer, const struct codec_schema *schema,
                    const uint8_t *record)
{
    const uint64_t there = put_head(packer, schema, record);
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        if ((there >> i & 1) == 0) {
            continue;
        }
        put_text(packer, field->name, field->name_length);
        if (field->kind == CODEC_LIST) {
            put_list(packer, field, record);
        } else {
            put_value(packer, field, record);
        }
    }
}

static void put_rows(msgpack_packer *packer, const struct codec_field *field, const uint8_t *record)
{
    const uint64_t count = row_count(field, record);
    (void)msgpack_pack_array(packer, count);
    for (uint64_t i = 0; i < count; i++) {
        put_row(packer, field->row, record + field->offset + i * field->row->size);
    }
}

static size_t encode(const struct codec_schema *schema, const void *record, void *bytes,
                     size_t capacity)
{
    struct buffer buffer = {.bytes = bytes, .capacity = capacity};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, buffer_write);
    const uint64_t there = put_head(&packer, schema, record);
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        if ((there >> i & 1) == 0) {
            continue;
        }
        put_text(&packer, field->name, field->name_length);
        if (field->kind == CODEC_ROWS) {
            put_rows(&packer, field, record);
        } else if (field->kind == CODEC_LIST) {
            put_list(&packer, field, record);
        } else {
            put_value(&packer, field, record);
        }
    }
    return buffer.full ? 0 : buffer.length;
}

const char *codec_request_name(uint8_t type)
{
    const struct codec_schema *schema = codec_table_request(type);
    return schema != NULL ? schema->name : "";
}

bool codec_request_is_dry(const struct request *request)
{
    return (request->type == REQUEST_NEW_SET && request->new_set.dry_run != 0) ||
           (request->type == REQUEST_NEW_JOB && request->new_job.dry_run != 0);
}

size_t codec_request_rows_size(const struct request *request)
{
    if (request->type == REQUEST_NEW_SET) {
        return request->new_set.leg_count * sizeof(struct leg_row);
    }
    return request->type == REQUEST_NEW_JOB ? request->new_job.lane_count * sizeof(struct lane_row)
                                            : 0;
}

void codec_request_rows_move(struct request *request, void *memory)
{
    const size_t size = codec_request_rows_size(request);
    if (size == 0) {
        return;
    }
    if (request->type == REQUEST_NEW_SET) {
        memcpy(memory, request->new_set.legs, size);
        request->new_set.legs = memory;
    } else {
        memcpy(memory, request->new_job.lanes, size);
        request->new_job.lanes = memory;
    }
}

size_t codec_encode_request(const struct request *request, void *bytes, size_t capacity)
{
    const struct codec_schema *schema = codec_table_request(request->type);
    return schema != NULL ? encode(schema, request, bytes, capacity) : 0;
}

size_t codec_encode_message(const struct message *message, void *bytes, size_t capacity)
{
    const struct codec_schema *schema = codec_table_message(message->type);
    return schema != NULL
               ? encode(schema, (const uint8_t *)message + CODEC_MESSAGE_BODY, bytes, capacity)
               : 0;
}

size_t codec_encode_report(const struct report *report, void *bytes, size_t capacity)
{
    return encode(codec_table_message(MESSAGE_REPORT), report, bytes, capacity);
}

size_t codec_encode_array_head(uint16_t count, void *bytes, size_t capacity)
{
    struct buffer buffer = {.bytes = bytes, .capacity = capacity};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, buffer_write);
    (void)msgpack_pack_array(&packer, count);
    return buffer.full ? 0 : buffer.length;
}

/* Z85, ZeroMQ RFC 32: four bytes are five digits to the base of 85, most significant first. */
static const char z85_digits[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

void codec_key_text(const uint8_t key[PUBLIC_KEY_SIZE], char text[CODEC_PUBLIC_KEY_TEXT + 1])
{
    for (uint32_t group = 0; group < PUBLIC_KEY_SIZE / 4; group++) {
        const uint8_t *from = key + 4 * group;
        uint32_t number = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
                          (uint32_t)from[2] << 8 | (uint32_t)from[3];
        for (uint32_t digit = 5; digit > 0; digit--) {
            text[5 * group + digit - 1] = z85_digits[number % 85];
            number /= 85;
        }
    }
    text[CODEC_PUBLIC_KEY_TEXT] = 0;
}

bool codec_key_parse(const char *text, size_t length, uint8_t key[PUBLIC_KEY_SIZE])
{
    uint8_t parsed[PUBLIC_KEY_SIZE];
    if (length != CODEC_PUBLIC_KEY_TEXT) {
        return false;
    }
    for (uint32_t group = 0; group < PUBLIC_KEY_SIZE / 4; group++) {
        uint64_t number = 0;
        for (uint32_t digit = 0; digit < 5; digit++) {
            const char letter = text[5 * group + digit];
            const char *found = letter != 0 ? strchr(z85_digits, letter) : NULL;
            if (found == NULL) {
                return false;
            }
            number = 85 * number + (uint64_t)(found - z85_digits);
        }
        if (number > UINT32_MAX) {
            return false;
        }
        for (uint32_t i = 0; i < 4; i++) {
            parsed[4 * group + i] = (uint8_t)(number >> (24 - 8 * i));
        }
    }
    memcpy(key, parsed, sizeof parsed);
    return true;
}
