#include "client/message_json.h"

#include <string.h>

#include "base/check.h"
#include "wire/codec_table.h"

static uint64_t load_unsigned(const uint8_t *from, uint32_t size)
{
    uint64_t number = 0;
    memcpy(&number, from, size);
    return number;
}

static json_t *json_text(const char *text)
{
    return json_stringn_nocheck(text, strlen(text));
}

static json_t *enum_value(const struct codec_field *field, uint32_t value)
{
    if (field->names == NULL) {
        return json_text(codec_request_name((uint8_t)value));
    }
    const char *text = value < field->names->count ? field->names->names[value].text : NULL;
    return json_text(text != NULL ? text : "");
}

static json_t *set_value(const struct codec_field *field, uint32_t set)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < field->names->count; i++) {
        if ((set >> i & 1) != 0) {
            json_array_append_new(array, enum_value(field, i));
        }
    }
    return array;
}

static json_t *schema_object(const struct codec_schema *schema, const uint8_t *record);

static json_t *rows_value(const struct codec_field *field, const uint8_t *record)
{
    uint64_t count = load_unsigned(record + field->count_offset, sizeof(uint32_t));
    CHECK(count <= field->capacity);
    json_t *array = json_array();
    for (uint64_t i = 0; i < count; i++) {
        json_array_append_new(
            array, schema_object(field->row, record + field->offset + i * field->row->size));
    }
    return array;
}

static json_t *list_value(const struct codec_field *field, const uint8_t *record)
{
    uint64_t count = load_unsigned(record + field->count_offset, sizeof(uint32_t));
    CHECK(count <= field->capacity);
    json_t *array = json_array();
    const uint8_t *row;
    memcpy(&row, record + field->offset, sizeof(row));
    for (uint64_t i = 0; i < count; i++) {
        json_array_append_new(array, schema_object(field->row, row + i * field->row->size));
    }
    return array;
}

static json_t *key_value(const uint8_t *key)
{
    char text[CODEC_PUBLIC_KEY_TEXT + 1];
    codec_key_text(key, text);
    return json_text(text);
}

static json_t *hour_value(uint64_t number, bool day)
{
    char text[HOUR_TEXT_SIZE];
    hour_format((uint32_t)(day ? number * (uint64_t)HOURS_PER_DAY : number), text);
    return json_stringn_nocheck(text, day ? 8 : strlen(text));
}

/* NULL: the field is not there. */
static json_t *field_value(const struct codec_field *field, const uint8_t *record)
{
    const uint8_t *from = record + field->offset;
    bool there =
        field->mark != 0 ? (record[field->mark_offset] & field->mark) != 0 : field->flags != 0;
    uint64_t number = 0;
    switch ((enum codec_kind)field->kind) {
    case CODEC_UINT:
    case CODEC_BOOL:
    case CODEC_ENUM:
    case CODEC_SET:
    case CODEC_HOUR:
    case CODEC_DAY:
    case CODEC_INT:
        number = load_unsigned(from, field->size);
        break;
    case CODEC_REASON_NAME:
    case CODEC_REASON_TEXT:
        number = load_unsigned(from, sizeof(uint16_t));
        break;
    case CODEC_TEXT:
        number = *from;
        break;
    case CODEC_LIST:
        number = load_unsigned(record + field->count_offset, sizeof(uint32_t));
        break;
    case CODEC_KEY:
    case CODEC_ROWS:
        there = true;
        break;
    }
    if (!there && (field->mark != 0 || number == 0)) {
        return NULL;
    }
    switch ((enum codec_kind)field->kind) {
    case CODEC_UINT:
    case CODEC_INT:
        return json_integer((json_int_t)number);
    case CODEC_BOOL:
        return json_boolean(number != 0);
    case CODEC_ENUM:
        return enum_value(field, (uint32_t)number);
    case CODEC_SET:
        return set_value(field, (uint32_t)number);
    case CODEC_TEXT:
        return json_stringn_nocheck((const char *)from, strnlen((const char *)from, field->size));
    case CODEC_KEY:
        return key_value(from);
    case CODEC_HOUR:
    case CODEC_DAY:
        return hour_value(number, field->kind == CODEC_DAY);
    case CODEC_REASON_NAME:
        return json_text(reason_name((uint16_t)number));
    case CODEC_REASON_TEXT:
        return json_text(reason_sentence((uint16_t)number));
    case CODEC_ROWS:
        return rows_value(field, record);
    case CODEC_LIST:
        return list_value(field, record);
    }
    return NULL;
}

static json_t *schema_object(const struct codec_schema *schema, const uint8_t *record)
{
    json_t *object = json_object();
    CHECK(object != NULL);
    if (schema->name != NULL) {
        json_object_set_new_nocheck(object, "type", json_text(schema->name));
    }
    for (uint32_t i = 0; i < schema->field_count; i++) {
        json_t *value = field_value(&schema->fields[i], record);
        if (value != NULL) {
            json_object_set_new_nocheck(object, schema->fields[i].name, value);
        }
    }
    return object;
}

json_t *message_json(const struct message *message)
{
    const struct codec_schema *schema = codec_table_message(message->type);
    CHECK(schema != NULL);
    return schema_object(schema, (const uint8_t *)message + CODEC_MESSAGE_BODY);
}

json_t *message_json_report(const struct report *report)
{
    return schema_object(codec_table_message(MESSAGE_REPORT), (const uint8_t *)report);
}

json_t *message_json_index(const struct index_message *index)
{
    return schema_object(codec_table_message(MESSAGE_INDEX), (const uint8_t *)index);
}

json_t *message_json_market_data(const struct market_data *data)
{
    return schema_object(codec_table_message(MESSAGE_MARKET_DATA), (const uint8_t *)data);
}
