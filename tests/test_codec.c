/* The codec: what goes out comes back the same, and everything that is not exactly a request is
 * refused by its reason, with a neighbour that passes. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <string.h>

#include "wire/codec.h"
#include "wire/codec_table.h"
#include "wire/report.h"

static struct request decoded[CODEC_REQUESTS_MAX];
static uint32_t decoded_count;
static uint8_t room[CODEC_MESSAGE_MAX + 16];

static uint16_t decode(const void *bytes, size_t length)
{
    return codec_decode_requests(bytes, length, decoded, CODEC_REQUESTS_MAX, &decoded_count);
}

/* --- building messages by hand ------------------------------------------------------------------- */

static msgpack_sbuffer built;
static msgpack_packer packer;

static void build(void)
{
    msgpack_sbuffer_destroy(&built);
    msgpack_sbuffer_init(&built);
    msgpack_packer_init(&packer, &built, msgpack_sbuffer_write);
}
TestSuite(codec, .init = build);

static void text(const char *value)
{
    msgpack_pack_str(&packer, strlen(value));
    msgpack_pack_str_body(&packer, value, strlen(value));
}
static void pair(const char *key, const char *value)
{
    text(key);
    text(value);
}
static void number(const char *key, uint64_t value)
{
    text(key);
    msgpack_pack_uint64(&packer, value);
}
/* A good order in six fields, for faults to be added to. */
static void order(size_t more)
{
    msgpack_pack_map(&packer, 6 + more);
    pair("type", "new_order");
    number("cl_ord_id", 7);
    pair("symbol", "H100.CN-GZ.G80.20261121T14Z");
    pair("side", "buy");
    number("price_e4", 164000);
    number("qty", 8);
}
static uint16_t decode_built(void)
{
    return decode(built.data, built.size);
}
static void refused(uint16_t reason, const char *field)
{
    cr_assert_eq(decode_built(), 0);
    cr_assert_eq(decoded_count, 1);
    cr_assert_eq(decoded[0].reason, reason, "%s (%s) instead of %s", reason_name(decoded[0].reason),
                 decoded[0].field, reason_name(reason));
    cr_assert_str_eq(decoded[0].field, field);
}
static void accepted(void)
{
    cr_assert_eq(decode_built(), 0);
    cr_assert_eq(decoded_count, 1);
    cr_assert_eq(decoded[0].reason, 0, "%s (%s)", reason_name(decoded[0].reason), decoded[0].field);
}

/* --- whole messages ------------------------------------------------------------------------------- */

Test(codec, takes_a_plain_order)
{
    order(0);
    accepted();
    const struct request *request = &decoded[0];
    cr_assert_eq(request->type, REQUEST_NEW_ORDER);
    cr_assert_eq(request->cl_ord_id, 7);
    cr_assert_str_eq(request->new_order.symbol, "H100.CN-GZ.G80.20261121T14Z");
    cr_assert_eq(request->new_order.side, SIDE_BUY);
    cr_assert_eq(request->new_order.price_e4, 164000);
    cr_assert_eq(request->new_order.qty, 8);
    cr_assert_eq(request->new_order.tif, TIF_GATE);
}

Test(codec, refuses_a_message_that_is_too_large)
{
    memset(room, 0, sizeof room);
    cr_assert_eq(decode(room, CODEC_MESSAGE_MAX + 1), REASON_MESSAGE_TOO_LARGE);
    cr_assert_eq(decode(room, CODEC_MESSAGE_MAX), REASON_NOT_A_MAP);
}

Test(codec, refuses_every_truncated_prefix)
{
    order(2);
    pair("tif", "time");
    number("expire_time_ns", 1763733600000000000);
    for (size_t length = 0; length < built.size; length++) {
        cr_assert_eq(decode(built.data, length), REASON_MALFORMED, "%zu bytes", length);
        cr_assert_eq(decoded_count, 0);
    }
    accepted();
}

Test(codec, refuses_trailing_bytes)
{
    order(0);
    accepted();
    msgpack_pack_nil(&packer);
    cr_assert_eq(decode_built(), REASON_TRAILING_BYTES);
    cr_assert_eq(decoded_count, 0);
}

Test(codec, refuses_what_is_no_map)
{
    text("new_order");
    cr_assert_eq(decode_built(), REASON_NOT_A_MAP);
    cr_assert_eq(decode("\xc1", 1), REASON_MALFORMED);
    cr_assert_eq(decode("\xc0", 1), REASON_NOT_A_MAP);
    cr_assert_eq(decode("\xcb\x7f\xf8\0\0\0\0\0\0", 9), REASON_NOT_A_MAP);
}

Test(codec, refuses_a_request_in_an_array_that_is_no_map_alone)
{
    msgpack_pack_array(&packer, 3);
    order(0);
    msgpack_pack_array(&packer, 1);
    msgpack_pack_array(&packer, 1);
    msgpack_pack_nil(&packer);
    order(0);
    cr_assert_eq(decode_built(), 0);
    cr_assert_eq(decoded_count, 3);
    cr_assert_eq(decoded[0].reason, 0);
    cr_assert_eq(decoded[1].reason, REASON_NOT_A_MAP);
    cr_assert_eq(decoded[2].reason, 0);
    cr_assert_eq(decoded[2].cl_ord_id, 7);
}

Test(codec, refuses_keys_that_are_no_texts)
{
    order(1);
    msgpack_pack_uint64(&packer, 5);
    msgpack_pack_uint64(&packer, 5);
    refused(REASON_NOT_A_MAP, "");
}

Test(codec, takes_as_many_requests_as_it_says_and_not_one_more)
{
    msgpack_pack_array(&packer, CODEC_REQUESTS_MAX);
    for (int i = 0; i < CODEC_REQUESTS_MAX; i++) {
        order(0);
    }
    cr_assert_eq(decode_built(), 0);
    cr_assert_eq(decoded_count, CODEC_REQUESTS_MAX);
    build();
    msgpack_pack_array(&packer, CODEC_REQUESTS_MAX + 1);
    for (int i = 0; i < CODEC_REQUESTS_MAX + 1; i++) {
        order(0);
    }
    cr_assert_eq(decode_built(), REASON_TOO_MANY_REQUESTS);
    cr_assert_eq(decoded_count, 0);
}

Test(codec, takes_an_empty_array)
{
    msgpack_pack_array(&packer, 0);
    cr_assert_eq(decode_built(), 0);
    cr_assert_eq(decoded_count, 0);
}

Test(codec, believes_no_length_that_the_bytes_do_not_bear_out)
{
    static const char *const lies[] = {
        "\xdd\xff\xff\xff\xff",
        "\xdf\xff\xff\xff\xff",
        "\xdc\x00\x01",
        "\xde\xff\xff",
        "\x81\xdb\xff\xff\xff",
        "\x81\xa4type\xdb\xff\xff\xff\xff",
        "\x81\xa4type\xc6\xff\xff\xff\xff",
        "\x81\xa4type\xc9\xff\xff\xff\xff\x01",
    };
    static const size_t lengths[] = {5, 5, 3, 3, 5, 11, 11, 12};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const uint16_t reason = decode(lies[i], lengths[i]);
        cr_assert(reason == REASON_MALFORMED || reason == REASON_TOO_MANY_REQUESTS, "lie %zu: %s",
                  i, reason_name(reason));
    }
}

Test(codec, passes_over_nesting_of_any_depth_without_descending)
{
    order(1);
    text("tif");
    for (int depth = 0; depth < 60000; depth++) {
        msgpack_pack_array(&packer, 1);
    }
    msgpack_pack_nil(&packer);
    refused(REASON_WRONG_TYPE, "tif");
}

/* --- single requests ------------------------------------------------------------------------------- */

Test(codec, refuses_an_unknown_type_and_still_reads_its_number)
{
    msgpack_pack_map(&packer, 3);
    pair("type", "new_orders");
    number("cl_ord_id", 12);
    pair("colour", "red");
    refused(REASON_UNKNOWN_TYPE, "type");
    cr_assert_eq(decoded[0].cl_ord_id, 12);
}

Test(codec, refuses_a_request_without_type)
{
    msgpack_pack_map(&packer, 1);
    number("cl_ord_id", 12);
    refused(REASON_MISSING_FIELD, "type");
}

Test(codec, refuses_a_type_that_is_a_number)
{
    msgpack_pack_map(&packer, 1);
    number("type", 10);
    refused(REASON_WRONG_TYPE, "type");
}

Test(codec, takes_fields_in_any_order)
{
    msgpack_pack_map(&packer, 6);
    number("qty", 8);
    number("price_e4", 164000);
    pair("side", "sell");
    pair("symbol", "H100.CN-GZ.G80.20261121T14Z");
    number("cl_ord_id", 7);
    pair("type", "new_order");
    accepted();
    cr_assert_eq(decoded[0].new_order.side, SIDE_SELL);
}

Test(codec, refuses_an_unknown_field_by_name)
{
    order(1);
    number("quantity", 8);
    refused(REASON_UNKNOWN_FIELD, "quantity");
    cr_assert_eq(decoded[0].cl_ord_id, 7);
}

Test(codec, refuses_a_field_that_another_type_knows)
{
    order(1);
    number("order_id", 8);
    refused(REASON_UNKNOWN_FIELD, "order_id");
}

Test(codec, refuses_a_duplicate_field_even_with_the_same_value)
{
    order(1);
    number("qty", 8);
    refused(REASON_DUPLICATE_FIELD, "qty");
}

Test(codec, refuses_a_duplicate_type)
{
    order(1);
    pair("type", "new_order");
    refused(REASON_DUPLICATE_FIELD, "type");
}

Test(codec, names_the_required_field_that_is_missing)
{
    static const char *const names[] = {"cl_ord_id", "symbol", "side", "price_e4", "qty"};
    for (int left_out = 0; left_out < 5; left_out++) {
        build();
        msgpack_pack_map(&packer, 5);
        pair("type", "new_order");
        left_out == 0 ? (void)0 : number("cl_ord_id", 7);
        left_out == 1 ? (void)0 : pair("symbol", "H100.CN-GZ.G80.20261121T14Z");
        left_out == 2 ? (void)0 : pair("side", "buy");
        left_out == 3 ? (void)0 : number("price_e4", 1);
        left_out == 4 ? (void)0 : number("qty", 8);
        refused(REASON_MISSING_FIELD, names[left_out]);
    }
}

Test(codec, refuses_numbers_that_are_no_integers)
{
    order(1);
    text("min_qty");
    msgpack_pack_double(&packer, 8.0);
    refused(REASON_WRONG_TYPE, "min_qty");
    build();
    order(1);
    text("min_qty");
    msgpack_pack_double(&packer, __builtin_nan(""));
    refused(REASON_WRONG_TYPE, "min_qty");
    build();
    order(1);
    text("min_qty");
    msgpack_pack_float(&packer, 8.0F);
    refused(REASON_WRONG_TYPE, "min_qty");
    build();
    order(1);
    pair("min_qty", "8");
    refused(REASON_WRONG_TYPE, "min_qty");
    build();
    order(1);
    text("min_qty");
    msgpack_pack_true(&packer);
    refused(REASON_WRONG_TYPE, "min_qty");
    build();
    order(1);
    text("min_qty");
    msgpack_pack_nil(&packer);
    refused(REASON_WRONG_TYPE, "min_qty");
    build();
    order(1);
    number("min_qty", 8);
    accepted();
}

Test(codec, takes_a_number_in_any_width)
{
    static const char *const widths[] = {"\x08",
                                         "\xcc\x08",
                                         "\xcd\0\x08",
                                         "\xce\0\0\0\x08",
                                         "\xcf\0\0\0\0\0\0\0\x08",
                                         "\xd0\x08",
                                         "\xd1\0\x08",
                                         "\xd2\0\0\0\x08",
                                         "\xd3\0\0\0\0\0\0\0\x08"};
    static const size_t lengths[] = {1, 2, 3, 5, 9, 2, 3, 5, 9};
    for (size_t i = 0; i < 9; i++) {
        build();
        order(1);
        text("min_qty");
        msgpack_sbuffer_write(&built, widths[i], lengths[i]);
        accepted();
        cr_assert_eq(decoded[0].new_order.min_qty, 8);
    }
}

Test(codec, refuses_numbers_out_of_range)
{
    order(1);
    number("min_qty", (uint64_t)INT64_MAX + 1);
    refused(REASON_OUT_OF_RANGE, "min_qty");
    build();
    order(1);
    text("min_qty");
    msgpack_pack_int64(&packer, -1);
    refused(REASON_OUT_OF_RANGE, "min_qty");
    build();
    order(1);
    number("min_qty", INT64_MAX);
    accepted();
    build();
    order(1);
    number("resource", UINT32_MAX + UINT64_C(1));
    refused(REASON_OUT_OF_RANGE, "resource");
    build();
    order(1);
    number("resource", UINT32_MAX);
    accepted();
}

Test(codec, refuses_cl_ord_id_zero)
{
    msgpack_pack_map(&packer, 3);
    pair("type", "cancel_order");
    number("cl_ord_id", 0);
    number("order_id", 1);
    refused(REASON_OUT_OF_RANGE, "cl_ord_id");
}

Test(codec, refuses_a_text_that_is_too_long)
{
    char symbol[SYMBOL_SIZE + 1];
    memset(symbol, 'A', sizeof symbol);
    symbol[SYMBOL_SIZE] = 0;
    for (int fits = 0; fits <= 1; fits++) {
        symbol[SYMBOL_SIZE - fits] = 0;
        build();
        msgpack_pack_map(&packer, 2);
        pair("type", "book");
        pair("symbol", symbol);
        fits != 0 ? accepted() : refused(REASON_TEXT_TOO_LONG, "symbol");
    }
}

Test(codec, refuses_texts_that_are_not_clean_utf8)
{
    static const char *const bad[] = {"a\x01",       "a\x7f",        "\xc0\x80",         "\xff",
                                      "\xe4\xb8",    "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\nb",
                                      "\xe0\x80\x80"};
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        build();
        msgpack_pack_map(&packer, 3);
        pair("type", "register_group");
        number("cl_ord_id", 1);
        pair("name", i < sizeof bad / sizeof *bad ? bad[i] : "贵州 \xf0\x9f\x98\x80");
        i < sizeof bad / sizeof *bad ? refused(REASON_OUT_OF_RANGE, "name") : accepted();
    }
}

Test(codec, refuses_a_name_that_the_field_does_not_take)
{
    order(1);
    pair("tif", "day");
    refused(REASON_UNKNOWN_NAME, "tif");
    build();
    order(1);
    pair("tif", "fok");
    accepted();
    cr_assert_eq(decoded[0].new_order.tif, TIF_FOK);
}

Test(codec, refuses_a_flag_that_is_a_number)
{
    order(1);
    number("post_only", 1);
    refused(REASON_WRONG_TYPE, "post_only");
    build();
    order(1);
    text("post_only");
    msgpack_pack_true(&packer);
    accepted();
}

static void roles(size_t count, const char *const *names)
{
    build();
    msgpack_pack_map(&packer, 5);
    pair("type", "open_account");
    number("cl_ord_id", 1);
    pair("name", "A");
    number("group", 1);
    text("roles");
    msgpack_pack_array(&packer, count);
    for (size_t i = 0; i < count; i++) {
        text(names[i]);
    }
}

Test(codec, takes_a_set_of_names_each_once)
{
    static const char *const names[] = {"buyer", "provider", "buyer", "trader", "a", "b"};
    roles(2, names);
    accepted();
    cr_assert_eq(decoded[0].open_account.roles, ROLE_BUYER | ROLE_PROVIDER);
    roles(3, names);
    refused(REASON_DUPLICATE_FIELD, "roles");
    roles(4, names);
    refused(REASON_DUPLICATE_FIELD, "roles");
    roles(1, names + 3);
    refused(REASON_UNKNOWN_NAME, "roles");
    roles(5, names);
    refused(REASON_OUT_OF_RANGE, "roles");
}

Test(codec, refuses_hours_and_days_that_are_none)
{
    static const char *const hours[] = {"20261121T14", "20261121T14ZZ", "20261121T24Z",
                                        "20260230T00Z"};
    static const uint16_t reasons[] = {REASON_OUT_OF_RANGE, REASON_TEXT_TOO_LONG,
                                       REASON_OUT_OF_RANGE, REASON_OUT_OF_RANGE};
    for (int i = 0; i < 4; i++) {
        build();
        msgpack_pack_map(&packer, 4);
        pair("type", "mass_cancel");
        number("cl_ord_id", 1);
        pair("hour_from", hours[i]);
        pair("hour_to", "20261122T14Z");
        refused(reasons[i], "hour_from");
    }
}

Test(codec, wants_both_ends_of_a_range_of_hours)
{
    msgpack_pack_map(&packer, 3);
    pair("type", "mass_cancel");
    number("cl_ord_id", 1);
    pair("hour_from", "20261122T14Z");
    refused(REASON_MISSING_FIELD, "hour_to");
    build();
    msgpack_pack_map(&packer, 3);
    pair("type", "mass_cancel");
    number("cl_ord_id", 1);
    pair("hour_to", "20261122T14Z");
    refused(REASON_MISSING_FIELD, "hour_from");
}

Test(codec, wants_one_id_of_an_order_status)
{
    msgpack_pack_map(&packer, 1);
    pair("type", "order_status");
    refused(REASON_MISSING_FIELD, "order_id");
    build();
    msgpack_pack_map(&packer, 3);
    pair("type", "order_status");
    number("order_id", 1);
    number("cl_ord_id", 1);
    refused(REASON_DUPLICATE_FIELD, "cl_ord_id");
    build();
    msgpack_pack_map(&packer, 2);
    pair("type", "order_status");
    number("cl_ord_id", 1);
    accepted();
}

Test(codec, refuses_public_keys_that_are_none)
{
    static const char good[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    for (int i = 0; i < 4; i++) {
        char key[48];
        memcpy(key, good, sizeof good);
        key[40] = i == 0 ? 'x' : 0;
        key[41] = 0;
        key[39] = (char)(i == 1 ? 0 : i == 2 ? '~' : '7');
        build();
        msgpack_pack_map(&packer, 2);
        pair("type", "login");
        pair("public_key", key);
        i == 3 ? accepted()
               : refused(i == 0 ? REASON_TEXT_TOO_LONG : REASON_OUT_OF_RANGE, "public_key");
    }
    char back[CODEC_PUBLIC_KEY_TEXT + 1];
    codec_key_text(decoded[0].login.public_key, back);
    cr_assert_str_eq(back, good);
}

/* --- both ways --------------------------------------------------------------------------------------- */

static uint64_t state = 1;
static uint64_t random_next(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return state >> 17;
}

/* Fills a field with a value that it can carry. */
static void fill(const struct codec_field *field, uint8_t *record)
{
    uint8_t *to = record + field->offset;
    const uint64_t value = random_next() | 1;
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
            to[i] = (uint8_t)('A' + random_next() % 26);
        }
        break;
    case CODEC_KEY:
        for (uint32_t i = 0; i < PUBLIC_KEY_SIZE; i++) {
            to[i] = (uint8_t)random_next();
        }
        break;
    case CODEC_HOUR:
    case CODEC_DAY:
        memcpy(to, &hour, sizeof hour);
        break;
    case CODEC_REASON_NAME:
    case CODEC_REASON_TEXT:
    case CODEC_ROWS:
        break;
    }
    if (field->mark != 0) {
        record[field->mark_offset] |= field->mark;
    }
}

static void fill_map(const struct codec_schema *schema, uint8_t *record)
{
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        fill(field, record);
        if (field->kind != CODEC_ROWS) {
            continue;
        }
        const uint32_t count = field->capacity;
        memcpy(record + field->count_offset, &count, sizeof count);
        for (uint32_t row = 0; row < count; row++) {
            fill_map(field->row, record + field->offset + row * field->row->size);
        }
    }
}

Test(codec, every_request_comes_back_as_it_went_out)
{
    int types = 0;
    for (unsigned type = 0; type < REQUEST_TYPE_COUNT; type++) {
        const struct codec_schema *schema = codec_table_request((uint8_t)type);
        if (schema == NULL) {
            continue;
        }
        struct request request;
        memset(&request, 0, sizeof request);
        memset(decoded, 0, sizeof *decoded);
        request.type = (uint8_t)type;
        fill_map(schema, (uint8_t *)&request);
        if (type == REQUEST_ORDER_STATUS) {
            request.order_status.order_id = 0;
        }
        const size_t length = codec_encode_request(&request, room, sizeof room);
        cr_assert_gt(length, 0);
        cr_assert_eq(decode(room, length), 0, "%s", schema->name);
        cr_assert_eq(decoded[0].reason, 0, "%s: %s %s", schema->name,
                     reason_name(decoded[0].reason), decoded[0].field);
        cr_assert_eq(memcmp(&decoded[0], &request, schema->clear_size), 0, "%s", schema->name);
        for (size_t shorter = 0; shorter < length; shorter++) {
            cr_assert_neq(decode(room, shorter), 0, "%s: %zu bytes", schema->name, shorter);
        }
        types++;
    }
    cr_assert_eq(types, 33);
}

Test(codec, every_message_comes_back_as_it_went_out_with_all_its_rows)
{
    static struct message message;
    static struct message back;
    static uint8_t bytes[1 << 20];
    for (unsigned type = 1; type < MESSAGE_TYPE_COUNT; type++) {
        const struct codec_schema *schema = codec_table_message((uint8_t)type);
        memset(&message, 0, sizeof message);
        memset(&back, 0, sizeof back);
        message.type = (uint8_t)type;
        fill_map(schema, (uint8_t *)&message + CODEC_MESSAGE_BODY);
        const size_t length = codec_encode_message(&message, bytes, sizeof bytes);
        cr_assert_gt(length, 0);
        cr_assert_leq(length, CODEC_MESSAGE_MAX, "%s: %zu bytes with all rows", schema->name,
                      length);
        struct codec_cursor cursor;
        cr_assert_eq(codec_decode_begin(&cursor, bytes, length), 0);
        cr_assert_eq(cursor.left, 1);
        cr_assert_eq(codec_decode_next(&cursor, &back), 0, "%s", schema->name);
        cr_assert_eq(memcmp(&message, &back, sizeof message), 0, "%s", schema->name);
        cr_assert_eq(codec_encode_message(&message, bytes, length - 1), 0);
        for (size_t shorter = 0; shorter < length; shorter += 1 + length / 500) {
            cr_assert_neq(codec_decode_begin(&cursor, bytes, shorter), 0);
        }
    }
}

Test(codec, a_reader_passes_over_what_it_does_not_know)
{
    static struct message message;
    struct codec_cursor cursor;
    msgpack_pack_array(&packer, 3);
    msgpack_pack_map(&packer, 2);
    pair("type", "weather");
    number("degrees", 7);
    msgpack_pack_map(&packer, 4);
    pair("type", "heartbeat");
    number("ref", 3);
    text("mood");
    msgpack_pack_map(&packer, 1);
    pair("now", "good");
    number("seq", 9);
    msgpack_pack_map(&packer, 2);
    pair("type", "heartbeat");
    number("seq", 10);
    cr_assert_eq(codec_decode_begin(&cursor, built.data, built.size), 0);
    cr_assert_eq(cursor.left, 3);
    cr_assert_eq(codec_decode_next(&cursor, &message), REASON_UNKNOWN_TYPE);
    cr_assert_eq(codec_decode_next(&cursor, &message), 0);
    cr_assert_eq(message.heartbeat.ref, 3);
    cr_assert_eq(message.heartbeat.seq, 9);
    cr_assert_eq(codec_decode_next(&cursor, &message), 0);
    cr_assert_eq(message.heartbeat.ref, 0);
    cr_assert_eq(message.heartbeat.seq, 10);
    cr_assert_eq(cursor.left, 0);
}

Test(codec, its_tables_hold_together)
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

/* --- reports ----------------------------------------------------------------------------------------- */

static struct contract_names names = {
    .class_count = 1, .region_count = 1, .classes = {"H100"}, .regions = {"CN-GZ"}};

Test(codec, a_fill_becomes_a_trade_report)
{
    struct report report;
    const struct event event = {
        .head = {.seq = 9, .time_ns = 5, .type = EVENT_FILL},
        .fill = {.party = {.report_seq = 4, .cl_ord_id = 3, .key = 2, .account = 1},
                 .order_id = 77,
                 .contract = contract_pack(0, 0, TIER_G80, 498686),
                 .fill_id = 8,
                 .price_e4 = 164000,
                 .qty = 8,
                 .leaves_qty = 16,
                 .cum_qty = 24,
                 .fee_e4 = 12,
                 .side = SIDE_SELL,
                 .resting = 1,
                 .trade_tier = TIER_G50}};
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_TRADE);
    cr_assert_eq(report.ord_status, STATUS_PARTIALLY_FILLED);
    cr_assert_eq(report.order_qty, 40);
    cr_assert_eq(report.last_px_e4, 164000);
    cr_assert_eq(report.liquidity, LIQUIDITY_MAKER);
    cr_assert_eq(report.report_seq, 4);
    cr_assert_eq(report.side, SIDE_SELL);
    cr_assert_eq(strncmp(report.symbol, "H100.CN-GZ.G80.", 15), 0);
}

Test(codec, an_expired_order_is_reported_as_expired_and_a_canceled_one_as_canceled)
{
    struct report report;
    struct event event = {.head = {.type = EVENT_CANCELED},
                          .out = {.party = {.key = 2}, .qty = 8, .cum_qty = 2}};
    event.out.reason = REASON_GATE_CLOSED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_EXPIRED);
    cr_assert_eq(report.order_qty, 10);
    event.out.reason = REASON_REQUESTED;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.exec_type, EXEC_CANCELED);
    cr_assert_eq(report.ord_status, STATUS_CANCELED);
}

Test(codec, public_events_are_nobodys_report)
{
    struct report report;
    struct event event = {.head = {.type = EVENT_TRADE}, .trade = {.fill_id = 1}};
    cr_assert_not(report_from_event(&names, &event, &report));
    event = (struct event){.head = {.type = EVENT_TIME}};
    cr_assert_not(report_from_event(&names, &event, &report));
    event.party.key = 1;
    cr_assert(report_from_event(&names, &event, &report));
    cr_assert_eq(report.request, REQUEST_ADVANCE);
}
