/* The codec: everything that is not exactly a request is refused by its reason, with a neighbour
 * that passes. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <string.h>

#include "wire/codec.h"

static struct request decoded[CODEC_REQUESTS_MAX];
static uint32_t decoded_count;
static uint64_t decoded_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
static struct codec_batch batch = {.requests = decoded,
                                   .capacity = CODEC_REQUESTS_MAX,
                                   .rows = {.memory = decoded_rows, .size = sizeof decoded_rows}};
static uint8_t room[CODEC_MESSAGE_MAX + 16];

static uint16_t decode(const void *bytes, size_t length)
{
    const uint16_t reason = codec_decode_requests(bytes, length, &batch);
    decoded_count = batch.count;
    return reason;
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

/* --- the other side --------------------------------------------------------------------------------- */

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

/* --- lists in requests ------------------------------------------------------------------------------ */

static void leg(size_t more)
{
    msgpack_pack_map(&packer, 2 + more);
    pair("symbol", "H100.CN-GZ.G80.20261121T14Z");
    number("price_e4", 135000);
}
/* A good SET but for its legs, which the caller adds. */
static void set_of(size_t legs, size_t more)
{
    msgpack_pack_map(&packer, 4 + more);
    pair("type", "new_set");
    number("cl_ord_id", 7);
    number("qty", 64);
    text("legs");
    msgpack_pack_array(&packer, legs);
}
static void lane(size_t more)
{
    msgpack_pack_map(&packer, 3 + more);
    pair("class", "H100");
    pair("region", "CN-GZ");
    pair("tier", "G80");
}
static void job_of(size_t lanes, size_t more)
{
    msgpack_pack_map(&packer, 8 + more);
    pair("type", "new_job");
    number("cl_ord_id", 7);
    number("qty", 64);
    number("hours", 8);
    number("price_e4", 140000);
    pair("window_from", "20261121T06Z");
    pair("window_to", "20261122T06Z");
    text("lanes");
    msgpack_pack_array(&packer, lanes);
}

Test(codec, takes_a_set_of_64_legs_and_not_one_more_or_none)
{
    set_of(SET_LEGS_MAX, 0);
    for (uint64_t i = 0; i < SET_LEGS_MAX; i++) {
        msgpack_pack_map(&packer, 2);
        number("price_e4", 1000 + i);
        pair("symbol", "H100.CN-GZ.G80.20261121T14Z");
    }
    accepted();
    const struct request_new_set *set = &decoded[0].new_set;
    cr_assert_eq(set->leg_count, SET_LEGS_MAX);
    cr_assert_eq(set->qty, 64);
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        cr_assert_eq(set->legs[i].price_e4, 1000 + i);
        cr_assert_str_eq(set->legs[i].symbol, "H100.CN-GZ.G80.20261121T14Z");
    }
    build();
    set_of(SET_LEGS_MAX + 1, 0);
    for (uint32_t i = 0; i <= SET_LEGS_MAX; i++) {
        leg(0);
    }
    refused(REASON_LEG_COUNT_OUT_OF_RANGE, "legs");
    cr_assert_eq(decoded[0].cl_ord_id, 7);
    build();
    set_of(0, 0);
    refused(REASON_LEG_COUNT_OUT_OF_RANGE, "legs");
}

Test(codec, takes_a_job_of_32_lanes_and_not_one_more_or_none)
{
    job_of(JOB_LANES_MAX, 0);
    for (uint64_t i = 0; i < JOB_LANES_MAX; i++) {
        lane(1);
        number("factor_e4", 10000 + i);
    }
    accepted();
    const struct request_new_job *job = &decoded[0].new_job;
    cr_assert_eq(job->lane_count, JOB_LANES_MAX);
    cr_assert_eq(job->hours, 8);
    cr_assert_eq(job->window_to - job->window_from, 24);
    cr_assert_eq(job->placement, PLACEMENT_SITE);
    for (uint32_t i = 0; i < JOB_LANES_MAX; i++) {
        cr_assert_eq(job->lanes[i].factor_e4, 10000 + i);
        cr_assert_eq(job->lanes[i].tier, TIER_G80);
    }
    build();
    job_of(JOB_LANES_MAX + 1, 0);
    for (uint32_t i = 0; i <= JOB_LANES_MAX; i++) {
        lane(0);
    }
    refused(REASON_LANE_COUNT_OUT_OF_RANGE, "lanes");
    build();
    job_of(0, 0);
    refused(REASON_LANE_COUNT_OUT_OF_RANGE, "lanes");
    build();
    job_of(1, 0);
    lane(0);
    accepted();
    cr_assert_eq(decoded[0].new_job.lanes[0].factor_e4, 0, "left out");
}

/* What is wrong in a leg is named by its number, from 1, and its key. */
Test(codec, names_the_leg_and_field_at_fault)
{
    set_of(3, 0);
    leg(0);
    leg(0);
    leg(1);
    number("price_e4", 135000);
    refused(REASON_DUPLICATE_FIELD, "legs[3].price_e4");
    build();
    set_of(2, 0);
    leg(1);
    pair("colour", "red");
    leg(0);
    refused(REASON_UNKNOWN_FIELD, "legs[1].colour");
    build();
    set_of(2, 0);
    leg(0);
    msgpack_pack_map(&packer, 1);
    number("price_e4", 135000);
    refused(REASON_MISSING_FIELD, "legs[2].symbol");
    build();
    set_of(1, 0);
    msgpack_pack_map(&packer, 2);
    pair("symbol", "H100.CN-GZ.G80.20261121T14Z");
    pair("price_e4", "13.50");
    refused(REASON_WRONG_TYPE, "legs[1].price_e4");
    build();
    set_of(1, 0);
    msgpack_pack_map(&packer, 2);
    pair("symbol", "H100.CN-GZ.G80.20261121T14Z");
    number("price_e4", UINT64_C(1) << 32); /* would be cut to 32 bits in the command */
    refused(REASON_OUT_OF_RANGE, "legs[1].price_e4");
    build();
    set_of(2, 0);
    leg(0);
    text("H100.CN-GZ.G80.20261121T14Z");
    refused(REASON_WRONG_TYPE, "legs[2]");
    build();
    job_of(1, 0);
    lane(1);
    number("factor_e4", 0);
    refused(REASON_OUT_OF_RANGE, "lanes[1].factor_e4");
    build();
    job_of(1, 0);
    msgpack_pack_map(&packer, 3);
    pair("class", "H100");
    pair("region", "CN-GZ");
    pair("tier", "G90");
    refused(REASON_UNKNOWN_NAME, "lanes[1].tier");
}

/* An unknown key is the sender's text and goes back to it: not when it is unclean or too long. */
Test(codec, names_only_the_leg_where_its_key_cannot_be_shown)
{
    set_of(1, 0);
    leg(1);
    pair("a-key-that-is-longer-than-a-field", "x");
    refused(REASON_UNKNOWN_FIELD, "legs[1]");
    build();
    set_of(1, 0);
    leg(1);
    pair("\x01\x02", "x");
    refused(REASON_UNKNOWN_FIELD, "legs[1]");
}

Test(codec, refuses_legs_that_are_no_list)
{
    msgpack_pack_map(&packer, 4);
    pair("type", "new_set");
    number("cl_ord_id", 7);
    number("qty", 64);
    text("legs");
    leg(0);
    refused(REASON_WRONG_TYPE, "legs");
    build();
    msgpack_pack_map(&packer, 3);
    pair("type", "new_set");
    number("cl_ord_id", 7);
    number("qty", 64);
    refused(REASON_MISSING_FIELD, "legs");
    build();
    set_of(1, 1);
    leg(0);
    text("legs");
    msgpack_pack_array(&packer, 1);
    leg(0);
    refused(REASON_DUPLICATE_FIELD, "legs");
}

/* A wrong SET in the middle harms neither its neighbours nor their legs. */
Test(codec, refuses_one_set_alone_and_gives_its_room_back)
{
    msgpack_pack_array(&packer, 3);
    set_of(2, 0);
    leg(0);
    leg(0);
    set_of(2, 0);
    leg(0);
    leg(1);
    pair("colour", "red");
    set_of(1, 0);
    leg(0);
    cr_assert_eq(decode_built(), 0);
    cr_assert_eq(decoded_count, 3);
    cr_assert_eq(decoded[0].reason, 0);
    cr_assert_eq(decoded[1].reason, REASON_UNKNOWN_FIELD);
    cr_assert_eq(decoded[2].reason, 0);
    cr_assert_eq(decoded[0].new_set.leg_count, 2);
    cr_assert_eq(decoded[2].new_set.leg_count, 1);
    cr_assert_eq(decoded[2].new_set.legs, decoded[0].new_set.legs + 2);
    cr_assert_eq(batch.rows.used, (3 * sizeof(struct leg_row) + 7) & ~(size_t)7);
}

/* The room is enough for any message: the shortest legs, as many as there is place for. */
Test(codec, has_room_for_the_legs_of_the_fullest_message)
{
    uint32_t sets = 0;
    for (bool fits = true; fits;) {
        build();
        msgpack_pack_array(&packer, ++sets);
        for (uint32_t i = 0; i < sets; i++) {
            set_of(SET_LEGS_MAX, 0);
            for (uint32_t k = 0; k < SET_LEGS_MAX; k++) {
                msgpack_pack_map(&packer, 2);
                pair("symbol", "a");
                number("price_e4", 1);
            }
        }
        fits = decode_built() == 0;
        for (uint32_t i = 0; i < decoded_count; i++) {
            cr_assert_eq(decoded[i].reason, 0, "%u of %u: %s", i, sets,
                         reason_name(decoded[i].reason));
        }
    }
    cr_assert_gt(sets, 40);
}

Test(codec, a_dry_run_has_a_ref_and_what_enters_a_cl_ord_id)
{
    set_of(1, 1);
    leg(0);
    text("dry_run");
    msgpack_pack_true(&packer);
    refused(REASON_UNKNOWN_FIELD, "cl_ord_id");
    build();
    msgpack_pack_map(&packer, 5);
    pair("type", "new_set");
    number("ref", 9);
    number("qty", 64);
    text("dry_run");
    msgpack_pack_true(&packer);
    text("legs");
    msgpack_pack_array(&packer, 1);
    leg(0);
    accepted();
    cr_assert(codec_request_is_dry(&decoded[0]));
    cr_assert_eq(decoded[0].ref, 9);
    build();
    set_of(1, 1);
    leg(0);
    number("ref", 9);
    refused(REASON_UNKNOWN_FIELD, "ref");
    build();
    msgpack_pack_map(&packer, 4);
    pair("type", "new_set");
    number("qty", 64);
    text("dry_run");
    msgpack_pack_false(&packer);
    text("legs");
    msgpack_pack_array(&packer, 1);
    leg(0);
    refused(REASON_MISSING_FIELD, "cl_ord_id");
    build();
    set_of(1, 0);
    leg(0);
    accepted();
    cr_assert_not(codec_request_is_dry(&decoded[0]));
}

Test(codec, moves_a_request_with_its_legs)
{
    set_of(2, 0);
    leg(0);
    leg(0);
    accepted();
    struct request kept = decoded[0];
    struct leg_row legs[2];
    cr_assert_eq(codec_request_rows_size(&kept), sizeof legs);
    codec_request_rows_move(&kept, legs);
    cr_assert_eq(kept.new_set.legs, legs);
    memset(decoded_rows, 0, sizeof decoded_rows);
    cr_assert_str_eq(kept.new_set.legs[1].symbol, "H100.CN-GZ.G80.20261121T14Z");
    build();
    order(0);
    accepted();
    cr_assert_eq(codec_request_rows_size(&decoded[0]), 0);
}
