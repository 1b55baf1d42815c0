/* The codec's tables: whatever they can carry comes back as it went out. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "wire/codec.h"
#include "wire/codec_table.h"

static struct random draws;

static void begin(void)
{
    const uint64_t seed = (uint64_t)clock_realtime_ns();
    cr_log_info("seed %" PRIu64, seed);
    random_seed(&draws, seed);
}

static uint64_t next(void)
{
    return random_next(&draws) >> 17;
}

/* Fills a field with a value that it can carry. */
static void fill(const struct codec_field *field, uint8_t *record)
{
    uint8_t *to = record + field->offset;
    const uint64_t value = next() | 1;
    const uint32_t hour = (uint32_t)(value % 500000) + 24;
    switch ((enum codec_kind)field->kind) {
    case CODEC_UINT:
    case CODEC_INT:
        memcpy(to, &value, field->size);
        if (field->kind == CODEC_INT && field->min == INT64_MIN && (value & 2) != 0) {
            const int64_t negative = -(int64_t)value;
            memcpy(to, &negative, sizeof negative);
        }
        if (strcmp(field->name, "reason") == 0) {
            const uint16_t reason = REASON_UNKNOWN_ORDER;
            memcpy(to, &reason, sizeof reason);
        }
        break;
    case CODEC_BOOL:
        *to = 1;
        break;
    case CODEC_ENUM:
        *to = field->names == NULL ? REQUEST_BOOK : (uint8_t)(field->names->count - 1);
        break;
    case CODEC_SET:
        *to = (uint8_t)(1 + value % 14);
        break;
    case CODEC_TEXT:
        for (uint32_t i = 0; i < field->size - 1U; i++) {
            to[i] = (uint8_t)('A' + next() % 26);
        }
        break;
    case CODEC_KEY:
        for (uint32_t i = 0; i < PUBLIC_KEY_SIZE; i++) {
            to[i] = (uint8_t)next();
        }
        break;
    case CODEC_HOUR:
    case CODEC_DAY:
        memcpy(to, &hour, sizeof hour);
        break;
    case CODEC_REASON_NAME:
    case CODEC_REASON_TEXT:
    case CODEC_ROWS:
    case CODEC_LIST:
        break;
    }
    if (field->mark != 0) {
        record[field->mark_offset] |= field->mark;
    }
}

static uint64_t list_memory[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
static size_t list_used;

/* As many rows as the list takes. */
static void fill_list(const struct codec_field *field, uint8_t *record)
{
    uint8_t *rows = (uint8_t *)list_memory + list_used;
    memcpy(record + field->offset, &rows, sizeof rows);
    memcpy(record + field->count_offset, &field->capacity, sizeof field->capacity);
    for (uint32_t row = 0; row < field->capacity; row++) {
        for (uint32_t i = 0; i < field->row->field_count; i++) {
            fill(&field->row->fields[i], rows + row * field->row->size);
        }
    }
    list_used += (size_t)field->capacity * field->row->size;
    cr_assert_leq(list_used, sizeof list_memory);
}

/* Whether the lists are the same; `other` then has those of `record`. */
static void expect_lists(const struct codec_schema *schema, const uint8_t *record, uint8_t *other)
{
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        const void *rows[2];
        uint32_t count;
        if (field->kind != CODEC_LIST) {
            continue;
        }
        memcpy(&count, record + field->count_offset, sizeof count);
        memcpy(&rows[0], record + field->offset, sizeof rows[0]);
        memcpy(&rows[1], other + field->offset, sizeof rows[1]);
        cr_assert_eq(memcmp(other + field->count_offset, &count, sizeof count), 0, "%s",
                     field->name);
        cr_assert(count == 0 || memcmp(rows[0], rows[1], count * field->row->size) == 0, "%s",
                  field->name);
        memcpy(other + field->offset, &rows[0], sizeof rows[0]);
    }
}

static bool has_list(const struct codec_schema *schema)
{
    bool has = false;
    for (uint32_t i = 0; i < schema->field_count; i++) {
        has = has || schema->fields[i].kind == CODEC_LIST;
    }
    return has;
}

static void fill_map(const struct codec_schema *schema, uint8_t *record)
{
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        fill(field, record);
        if (field->kind == CODEC_LIST) {
            fill_list(field, record);
        }
        if (field->kind != CODEC_ROWS) {
            continue;
        }
        /* Rows with everything in them are longer than any that are sent; a few of those. */
        const uint32_t count = has_list(field->row) && field->capacity > 4 ? 4 : field->capacity;
        memcpy(record + field->count_offset, &count, sizeof count);
        for (uint32_t row = 0; row < count; row++) {
            fill_map(field->row, record + field->offset + row * field->row->size);
        }
    }
}

Test(codec_tables, every_request_comes_back_as_it_went_out)
{
    static struct request decoded[CODEC_REQUESTS_MAX];
    static uint64_t rows[CODEC_REQUEST_ROWS_BYTES / sizeof(uint64_t)];
    static uint8_t room[CODEC_MESSAGE_MAX];
    struct codec_batch batch = {.requests = decoded,
                                .capacity = CODEC_REQUESTS_MAX,
                                .rows = {.memory = rows, .size = sizeof rows}};
    int types = 0;
    begin();
    for (unsigned type = 0; type < REQUEST_TYPE_COUNT; type++) {
        const struct codec_schema *schema = codec_table_request((uint8_t)type);
        if (schema == NULL) {
            continue;
        }
        struct request request;
        memset(&request, 0, sizeof request);
        memset(decoded, 0, sizeof *decoded);
        request.type = (uint8_t)type;
        list_used = 0;
        memset(list_memory, 0, sizeof list_memory);
        fill_map(schema, (uint8_t *)&request);
        if (type == REQUEST_ORDER_STATUS) {
            request.order_status.order_id = 0;
        }
        if (codec_request_is_dry(&request)) {
            request.cl_ord_id = 0;
        }
        const size_t length = codec_encode_request(&request, room, sizeof room);
        cr_assert_gt(length, 0);
        cr_assert_eq(codec_decode_requests(room, length, &batch), 0, "%s", schema->name);
        cr_assert_eq(decoded[0].reason, 0, "%s: %s %s", schema->name,
                     reason_name(decoded[0].reason), decoded[0].field);
        expect_lists(schema, (const uint8_t *)&request, (uint8_t *)&decoded[0]);
        cr_assert_eq(memcmp(&decoded[0], &request, schema->clear_size), 0, "%s", schema->name);
        for (size_t shorter = 0; shorter < length; shorter++) {
            cr_assert_neq(codec_decode_requests(room, shorter, &batch), 0, "%s: %zu bytes",
                          schema->name, shorter);
        }
        types++;
    }
    cr_assert_eq(types, 37);
}

/* Also those of the message's rows. */
static void expect_all_lists(const struct codec_schema *schema, const uint8_t *record,
                             uint8_t *other)
{
    expect_lists(schema, record, other);
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        uint32_t count = 0;
        if (field->kind == CODEC_ROWS) {
            memcpy(&count, record + field->count_offset, sizeof count);
        }
        for (uint32_t row = 0; row < count; row++) {
            const size_t at = field->offset + (size_t)row * field->row->size;
            expect_lists(field->row, record + at, other + at);
        }
    }
}

Test(codec_tables, lists_are_passed_over_where_there_is_no_room_for_them)
{
    static struct message message;
    static uint8_t bytes[CODEC_MESSAGE_MAX];
    struct codec_cursor cursor;
    begin();
    message.type = MESSAGE_REPORT;
    fill_map(codec_table_message(MESSAGE_REPORT), (uint8_t *)&message + CODEC_MESSAGE_BODY);
    const size_t length = codec_encode_message(&message, bytes, sizeof bytes);
    cr_assert_eq(codec_decode_begin(&cursor, bytes, length), 0);
    cr_assert_eq(codec_decode_next(&cursor, &message), 0);
    cr_assert_eq(message.report.leg_rows, 0);
    cr_assert_eq(message.report.lane_rows, 0);
    cr_assert_neq(message.report.window_to, 0);
    uint64_t too_small[64];
    cr_assert_eq(codec_decode_begin(&cursor, bytes, length), 0);
    cursor.rows = (struct codec_rows){.memory = too_small, .size = sizeof too_small};
    cr_assert_eq(codec_decode_next(&cursor, &message), REASON_OUT_OF_RANGE);
}

Test(codec_tables, every_message_comes_back_as_it_went_out_with_all_its_rows)
{
    static struct message message;
    static struct message back;
    static uint8_t bytes[1 << 20];
    static uint64_t rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
    begin();
    for (unsigned type = 1; type < MESSAGE_TYPE_COUNT; type++) {
        const struct codec_schema *schema = codec_table_message((uint8_t)type);
        memset(&message, 0, sizeof message);
        memset(&back, 0, sizeof back);
        message.type = (uint8_t)type;
        list_used = 0;
        memset(list_memory, 0, sizeof list_memory);
        fill_map(schema, (uint8_t *)&message + CODEC_MESSAGE_BODY);
        const size_t length = codec_encode_message(&message, bytes, sizeof bytes);
        cr_assert_gt(length, 0);
        cr_assert_leq(length, CODEC_MESSAGE_MAX, "%s: %zu bytes with all rows", schema->name,
                      length);
        struct codec_cursor cursor;
        cr_assert_eq(codec_decode_begin(&cursor, bytes, length), 0);
        cr_assert_eq(cursor.left, 1);
        cursor.rows = (struct codec_rows){.memory = rows, .size = sizeof rows};
        cr_assert_eq(codec_decode_next(&cursor, &back), 0, "%s", schema->name);
        expect_all_lists(schema, (const uint8_t *)&message + CODEC_MESSAGE_BODY,
                         (uint8_t *)&back + CODEC_MESSAGE_BODY);
        cr_assert_eq(memcmp(&message, &back, sizeof message), 0, "%s", schema->name);
        cr_assert_eq(codec_encode_message(&message, bytes, length - 1), 0);
        for (size_t shorter = 0; shorter < length; shorter += 1 + length / 500) {
            cr_assert_neq(codec_decode_begin(&cursor, bytes, shorter), 0);
        }
    }
}

Test(codec_tables, its_tables_hold_together)
{
    for (unsigned type = 0; type < REQUEST_TYPE_COUNT; type++) {
        const struct codec_schema *schema = codec_table_request((uint8_t)type);
        for (uint32_t i = 0; schema != NULL && i < schema->field_count; i++) {
            const bool required = (schema->fields[i].flags & CODEC_REQUIRED) != 0;
            cr_assert_eq(required, i < schema->required_count, "%s.%s", schema->name,
                         schema->fields[i].name);
            cr_assert_lt(schema->fields[i].name_length, CODEC_FIELD_SIZE);
        }
    }
    for (unsigned type = 1; type < MESSAGE_TYPE_COUNT; type++) {
        cr_assert_leq(codec_table_message((uint8_t)type)->field_count, CODEC_FIELDS_MAX);
    }
}
