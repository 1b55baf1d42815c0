/* docs/protocol.md is true: its examples are taken by the codec, and it leaves out no request, no
 * message and no reason. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <msgpack.h>
#include <stdio.h>
#include <string.h>

#include "wire/codec.h"
#include "wire/codec_table.h"

#define DOC_SIZE (1 << 20)

static char doc[DOC_SIZE];
static struct request requests[CODEC_REQUESTS_MAX];
static uint64_t request_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
static struct codec_batch batch = {.requests = requests,
                                   .capacity = CODEC_REQUESTS_MAX,
                                   .rows = {.memory = request_rows, .size = sizeof request_rows}};
static struct message message;

static void load(void)
{
    FILE *file = fopen("docs/protocol.md", "r");
    cr_assert_not_null(file, "docs/protocol.md; run from the repository's folder");
    doc[fread(doc, 1, sizeof doc - 1, file)] = 0;
    (void)fclose(file);
}
TestSuite(protocol, .init = load);

static void pack(msgpack_packer *packer, json_t *value)
{
    const char *key;
    json_t *item;
    size_t index;
    if (json_is_object(value)) {
        msgpack_pack_map(packer, json_object_size(value));
        json_object_foreach(value, key, item)
        {
            msgpack_pack_str(packer, strlen(key));
            msgpack_pack_str_body(packer, key, strlen(key));
            pack(packer, item);
        }
    } else if (json_is_array(value)) {
        msgpack_pack_array(packer, json_array_size(value));
        json_array_foreach(value, index, item)
        {
            pack(packer, item);
        }
    } else if (json_is_string(value)) {
        msgpack_pack_str(packer, json_string_length(value));
        msgpack_pack_str_body(packer, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        msgpack_pack_int64(packer, json_integer_value(value));
    } else {
        cr_assert(json_is_boolean(value), "an example has a value of a kind that there is not");
        json_is_true(value) ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
    }
}

/* The fence's block at *at, and *at behind it; NULL: no more. */
static json_t *next_example(const char **at, const char *fence, msgpack_sbuffer *bytes)
{
    json_error_t error;
    msgpack_packer packer;
    const char *start = strstr(*at, fence);
    if (start == NULL) {
        return NULL;
    }
    start += strlen(fence);
    const char *end = strstr(start, "```");
    cr_assert_not_null(end);
    *at = end + 3;
    json_t *json = json_loadb(start, (size_t)(end - start), JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(json, "%s in: %.200s", error.text, start);
    msgpack_sbuffer_init(bytes);
    msgpack_packer_init(&packer, bytes, msgpack_sbuffer_write);
    pack(&packer, json);
    return json;
}

Test(protocol, every_request_has_an_example_and_every_example_is_taken)
{
    bool shown[REQUEST_TYPE_COUNT] = {false};
    msgpack_sbuffer bytes;
    json_t *json;
    for (const char *at = doc; (json = next_example(&at, "```json client\n", &bytes)) != NULL;) {
        char *text = json_dumps(json, 0);
        cr_assert_eq(codec_decode_requests(bytes.data, bytes.size, &batch), 0, "%s", text);
        for (uint32_t i = 0; i < batch.count; i++) {
            cr_assert_eq(requests[i].reason, 0, "%s (%s) in %s", reason_name(requests[i].reason),
                         requests[i].field, text);
            shown[requests[i].type] = true;
        }
        free(text);
        json_decref(json);
        msgpack_sbuffer_destroy(&bytes);
    }
    for (unsigned type = 0; type < REQUEST_TYPE_COUNT; type++) {
        cr_assert(codec_table_request((uint8_t)type) == NULL || shown[type], "%s has no example",
                  codec_request_name((uint8_t)type));
    }
}

static const struct codec_field *field_of(const struct codec_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            return &schema->fields[i];
        }
    }
    return NULL;
}

/* Marks the fields that the example has; fails on one that the table does not. */
static void check_fields(const struct codec_schema *schema, json_t *object, const char *text)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const struct codec_field *field = field_of(schema, key);
        cr_assert(field != NULL || strcmp(key, "type") == 0, "%s is no field: %s", key, text);
        if (field != NULL && (field->kind == CODEC_ROWS || field->kind == CODEC_LIST)) {
            size_t index;
            json_t *row;
            json_array_foreach(value, index, row)
            {
                check_fields(field->row, row, text);
            }
        }
    }
}

static void check_message(const struct codec_cursor *cursor, json_t *object, const char *text)
{
    struct codec_cursor walk = *cursor;
    const uint16_t reason = codec_decode_next(&walk, &message);
    cr_assert_eq(reason, 0, "%s: %s", reason_name(reason), text);
    check_fields(codec_table_message(message.type), object, text);
    for (uint32_t i = 0; i < codec_table_message(message.type)->field_count; i++) {
        const struct codec_field *field = &codec_table_message(message.type)->fields[i];
        cr_assert((field->flags & CODEC_ALWAYS) == 0 ||
                      json_object_get(object, field->name) != NULL,
                  "%s always stands: %s", field->name, text);
    }
}

Test(protocol, every_message_has_an_example_of_fields_that_there_are)
{
    bool shown[MESSAGE_TYPE_COUNT] = {false};
    msgpack_sbuffer bytes;
    json_t *json;
    for (const char *at = doc; (json = next_example(&at, "```json server\n", &bytes)) != NULL;) {
        struct codec_cursor cursor;
        char *text = json_dumps(json, 0);
        cr_assert_eq(codec_decode_begin(&cursor, bytes.data, bytes.size), 0);
        for (size_t i = 0; cursor.left > 0; i++) {
            json_t *object = json_is_array(json) ? json_array_get(json, i) : json;
            check_message(&cursor, object, text);
            shown[message.type] = true;
            (void)codec_decode_next(&cursor, &message);
        }
        free(text);
        json_decref(json);
        msgpack_sbuffer_destroy(&bytes);
    }
    for (unsigned type = 1; type < MESSAGE_TYPE_COUNT; type++) {
        cr_assert(shown[type], "%s has no example", codec_table_message((uint8_t)type)->name);
    }
}

Test(protocol, names_every_field_of_every_message)
{
    char quoted[CODEC_FIELD_SIZE + 4];
    for (unsigned type = 1; type < MESSAGE_TYPE_COUNT; type++) {
        const struct codec_schema *schema = codec_table_message((uint8_t)type);
        for (uint32_t i = 0; i < schema->field_count; i++) {
            (void)snprintf(quoted, sizeof quoted, "\"%s\"", schema->fields[i].name);
            const bool in_example = strstr(doc, quoted) != NULL;
            (void)snprintf(quoted, sizeof quoted, "`%s`", schema->fields[i].name);
            cr_assert(in_example || strstr(doc, quoted) != NULL, "%s of %s", schema->fields[i].name,
                      schema->name);
        }
    }
}

#define REASON_LINE(number, name, sentence) "| " #number " | " #name " | " sentence " |\n",
static const char *const lines[] = {REASON_LIST(REASON_LINE)};

Test(protocol, lists_every_reason_with_its_sentence)
{
    for (size_t i = 1; i < sizeof lines / sizeof *lines; i++) { /* 0 is no reason */
        cr_assert_not_null(strstr(doc, lines[i]), "missing: %s", lines[i]);
    }
}
