/* The decoder against msgpack-c. Any bytes: what ours takes, msgpack-c reads as one whole value with
 * the same content; what msgpack-c cannot read, ours refuses; and whatever ours takes goes out
 * again as bytes that come back the same. */
#include <msgpack.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/codec.h"
#include "wire/codec_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct request requests[CODEC_REQUESTS_MAX];
static struct request again[1];
static uint64_t request_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
static uint64_t again_rows[CODEC_REQUEST_ROWS_BYTES / sizeof(uint64_t)];
static uint64_t message_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
static struct message message;

static void fail(const char *what)
{
    (void)fprintf(stderr, "fuzz_codec: %s\n", what);
    abort();
}

static const msgpack_object *find(const msgpack_object_map *map, const char *key)
{
    const msgpack_object *found = NULL;
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *at = &map->ptr[i].key;
        if (at->type == MSGPACK_OBJECT_STR && at->via.str.size == strlen(key) &&
            memcmp(at->via.str.ptr, key, at->via.str.size) == 0) {
            if (found != NULL) {
                fail("a duplicate key was taken");
            }
            found = &map->ptr[i].val;
        }
    }
    return found;
}

static void compare_scalar(const struct codec_field *field, const uint8_t *record,
                           const msgpack_object *object)
{
    const uint8_t *at = record + field->offset;
    uint64_t number = 0;
    if (object == NULL) {
        if ((field->flags & CODEC_REQUIRED) != 0) {
            fail("a request without a required field was taken");
        }
        return;
    }
    if (field->kind == CODEC_UINT) {
        memcpy(&number, at, field->size);
        if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER || object->via.u64 != number) {
            fail("an unsigned number differs");
        }
    } else if (field->kind == CODEC_INT) {
        memcpy(&number, at, sizeof number);
        if ((object->type != MSGPACK_OBJECT_POSITIVE_INTEGER &&
             object->type != MSGPACK_OBJECT_NEGATIVE_INTEGER) ||
            object->via.u64 != number) {
            fail("a number differs");
        }
    } else if (field->kind == CODEC_TEXT) {
        if (object->type != MSGPACK_OBJECT_STR || object->via.str.size >= field->size ||
            memcmp(object->via.str.ptr, at, object->via.str.size) != 0 ||
            at[object->via.str.size] != 0) {
            fail("a text differs");
        }
    } else if (field->kind == CODEC_BOOL) {
        if (object->type != MSGPACK_OBJECT_BOOLEAN || object->via.boolean != (*at != 0)) {
            fail("a flag differs");
        }
    }
}

static void compare_list_row(const struct codec_schema *schema, const uint8_t *row,
                             const msgpack_object *object)
{
    uint32_t known = 0;
    if (object->type != MSGPACK_OBJECT_MAP) {
        fail("a row that is no map was taken");
    }
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const msgpack_object *value = find(&object->via.map, schema->fields[i].name);
        compare_scalar(&schema->fields[i], row, value);
        known += value != NULL ? 1 : 0;
    }
    if (known != object->via.map.size) {
        fail("an unknown key of a row was taken");
    }
}

/* Whether the struct holds what the map says in this field. */
static void compare(const struct codec_field *field, const uint8_t *record,
                    const msgpack_object *object)
{
    if (field->kind != CODEC_LIST || object == NULL) {
        compare_scalar(field, record, object);
        return;
    }
    const uint8_t *rows;
    uint32_t count;
    memcpy(&rows, record + field->offset, sizeof rows);
    memcpy(&count, record + field->count_offset, sizeof count);
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size != count || count == 0 ||
        count > field->capacity) {
        fail("a list has another length");
    }
    for (uint32_t i = 0; i < count; i++) {
        compare_list_row(field->row, rows + i * field->row->size, &object->via.array.ptr[i]);
    }
}

/* Whether two requests have the same lists; the second then has the first one's. */
static bool same_lists(const struct codec_schema *schema, const struct request *request,
                       struct request *other)
{
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        const uint8_t *mine = (const uint8_t *)request + field->offset;
        uint8_t *its = (uint8_t *)other + field->offset;
        uint32_t count;
        const void *rows[2];
        if (field->kind != CODEC_LIST) {
            continue;
        }
        memcpy(&count, (const uint8_t *)request + field->count_offset, sizeof count);
        memcpy(&rows[0], mine, sizeof rows[0]);
        memcpy(&rows[1], its, sizeof rows[1]);
        if (memcmp((const uint8_t *)other + field->count_offset, &count, sizeof count) != 0 ||
            memcmp(rows[0], rows[1], count * field->row->size) != 0) {
            return false;
        }
        memcpy(its, mine, sizeof rows[0]);
    }
    return true;
}

static void compare_request(const struct request *request, const msgpack_object *object)
{
    const struct codec_schema *schema = codec_table_request(request->type);
    if (object->type != MSGPACK_OBJECT_MAP) {
        fail("something that is no map was taken");
    }
    const msgpack_object *type = find(&object->via.map, "type");
    uint32_t known = 1;
    if (type == NULL || type->type != MSGPACK_OBJECT_STR ||
        type->via.str.size != schema->name_length ||
        memcmp(type->via.str.ptr, schema->name, schema->name_length) != 0) {
        fail("a type differs");
    }
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const msgpack_object *value = find(&object->via.map, schema->fields[i].name);
        compare(&schema->fields[i], (const uint8_t *)request, value);
        known += value != NULL ? 1 : 0;
    }
    if (known != object->via.map.size) {
        fail("an unknown key was taken");
    }
}

static void send_back(const struct request *request)
{
    static uint8_t bytes[16384];
    struct codec_batch batch = {.requests = again,
                                .capacity = 1,
                                .rows = {.memory = again_rows, .size = sizeof again_rows}};
    const size_t length = codec_encode_request(request, bytes, sizeof bytes);
    if (length == 0 || codec_decode_requests(bytes, length, &batch) != 0 || batch.count != 1 ||
        again[0].reason != 0 ||
        !same_lists(codec_table_request(request->type), request, &again[0]) ||
        memcmp(&again[0], request, codec_table_request(request->type)->clear_size) != 0) {
        fail("a request does not come back as it was");
    }
}

/* msgpack-c takes memory by lengths that the sender claims, gigabytes if asked; where bytes may be
 * such a claim it is not asked. */
static bool may_claim_gigabytes(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at + 1 < length; at++) {
        if ((bytes[at] == 0xdd || bytes[at] == 0xdf) && bytes[at + 1] != 0) {
            return true;
        }
    }
    return false;
}

static void judge(const uint8_t *bytes, size_t length, uint16_t reason, uint32_t count)
{
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    const msgpack_unpack_return result =
        msgpack_unpack_next(&unpacked, (const char *)bytes, length, &at);
    const bool whole = result == MSGPACK_UNPACK_SUCCESS && at == length;
    if (reason == 0) {
        /* msgpack-c gives up on deep nesting that ours passes over. */
        if (result == MSGPACK_UNPACK_SUCCESS && !whole) {
            fail("bytes behind the message were taken");
        }
        if (result == MSGPACK_UNPACK_CONTINUE) {
            fail("a truncated message was taken");
        }
        const bool array = whole && unpacked.data.type == MSGPACK_OBJECT_ARRAY;
        for (uint32_t i = 0; whole && i < count; i++) {
            if (requests[i].reason == 0) {
                compare_request(&requests[i],
                                array ? &unpacked.data.via.array.ptr[i] : &unpacked.data);
                send_back(&requests[i]);
            }
        }
    } else if (whole && (reason == REASON_MALFORMED || reason == REASON_TRAILING_BYTES)) {
        fail("a well-formed message was called malformed");
    }
    msgpack_unpacked_destroy(&unpacked);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct codec_cursor cursor;
    struct codec_batch batch = {.requests = requests,
                                .capacity = CODEC_REQUESTS_MAX,
                                .rows = {.memory = request_rows, .size = sizeof request_rows}};
    if (length > 8192) {
        return 0;
    }
    const uint16_t reason = codec_decode_requests(bytes, length, &batch);
    if (!may_claim_gigabytes(bytes, length)) {
        judge(bytes, length, reason, batch.count);
    }
    if (codec_decode_begin(&cursor, bytes, length) == 0) {
        cursor.rows = (struct codec_rows){.memory = message_rows, .size = sizeof message_rows};
        for (uint32_t i = 0; cursor.left > 0; i++) {
            (void)codec_decode_next(&cursor, &message);
            if (i > length) {
                fail("a message has more values than bytes");
            }
        }
    }
    return 0;
}
