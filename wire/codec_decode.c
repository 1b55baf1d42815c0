/* The bounded decoder. It walks the bytes once, front to back, writes only into the caller's structs
 * and trusts no length that it reads: a text or container is taken only if its bytes are there. */
#include <string.h>

#include "wire/codec.h"
#include "wire/codec_table.h"
#include "wire/codec_value.h"
#include "wire/enter.h"

/* --- one field ------------------------------------------------------------------------------------
 * Each returns 0 or the reason why the value is not one for the field. */

static uint16_t set_unsigned(const struct codec_field *field, const struct codec_value *value,
                             uint8_t *to)
{
    if (value->kind == CODEC_VALUE_NEGATIVE) {
        return REASON_OUT_OF_RANGE;
    }
    if (value->kind != CODEC_VALUE_UINT) {
        return REASON_WRONG_TYPE;
    }
    if (value->number < (uint64_t)field->min ||
        (field->size < 8 && value->number >> (8 * field->size) != 0)) {
        return REASON_OUT_OF_RANGE;
    }
    memcpy(to, &value->number, field->size); /* little-endian: the low bytes stand first */
    return 0;
}

static uint16_t set_signed(const struct codec_field *field, const struct codec_value *value,
                           uint8_t *to)
{
    if (value->kind != CODEC_VALUE_UINT && value->kind != CODEC_VALUE_NEGATIVE) {
        return REASON_WRONG_TYPE;
    }
    if (value->kind == CODEC_VALUE_UINT && value->number > INT64_MAX) {
        return REASON_OUT_OF_RANGE;
    }
    const int64_t number = (int64_t)value->number;
    if (number < field->min) {
        return REASON_OUT_OF_RANGE;
    }
    memcpy(to, &number, sizeof number);
    return 0;
}

static uint16_t set_enum(const struct codec_field *field, const struct codec_value *value,
                         uint8_t *to)
{
    if (value->kind != CODEC_VALUE_TEXT) {
        return REASON_WRONG_TYPE;
    }
    if (field->names == NULL) {
        *to = codec_table_request_find(value->text, value->length);
        return *to != 0 ? 0 : REASON_UNKNOWN_NAME;
    }
    for (uint32_t i = 0; i < field->names->count; i++) {
        const struct codec_name *name = &field->names->names[i];
        if (name->length == value->length && name->text != NULL &&
            memcmp(name->text, value->text, value->length) == 0) {
            *to = (uint8_t)i;
            return 0;
        }
    }
    return REASON_UNKNOWN_NAME;
}

static uint16_t set_text(const struct codec_field *field, const struct codec_value *value,
                         uint8_t *to)
{
    if (value->kind != CODEC_VALUE_TEXT) {
        return REASON_WRONG_TYPE;
    }
    if (value->length >= field->size) {
        return REASON_TEXT_TOO_LONG;
    }
    if ((int64_t)value->length < field->min ||
        !codec_value_text_is_clean(value->text, value->length)) {
        return REASON_OUT_OF_RANGE;
    }
    memcpy(to, value->text, value->length);
    to[value->length] = 0;
    return 0;
}

static uint16_t set_hour(const struct codec_value *value, bool day, uint8_t *to)
{
    if (value->kind != CODEC_VALUE_TEXT) {
        return REASON_WRONG_TYPE;
    }
    char text[HOUR_TEXT_SIZE] = "YYYYMMDDT00Z";
    const uint32_t length = day ? 8 : HOUR_TEXT_SIZE - 1;
    uint32_t hour;
    if (value->length > length) {
        return REASON_TEXT_TOO_LONG;
    }
    memcpy(text, value->text, value->length);
    if (value->length < length || !hour_parse(text, HOUR_TEXT_SIZE - 1, &hour)) {
        return REASON_OUT_OF_RANGE;
    }
    hour = day ? hour / (uint32_t)HOURS_PER_DAY : hour;
    memcpy(to, &hour, sizeof hour);
    return 0;
}

static uint16_t set_key(const struct codec_value *value, uint8_t *to)
{
    if (value->kind != CODEC_VALUE_TEXT) {
        return REASON_WRONG_TYPE;
    }
    if (value->length > CODEC_PUBLIC_KEY_TEXT) {
        return REASON_TEXT_TOO_LONG;
    }
    return codec_key_parse(value->text, value->length, to) ? 0 : REASON_OUT_OF_RANGE;
}

static uint16_t set_bool(const struct codec_value *value, uint8_t *to)
{
    if (value->kind != CODEC_VALUE_BOOL) {
        return REASON_WRONG_TYPE;
    }
    *to = (uint8_t)value->number;
    return 0;
}

/* An array of names that is never longer than the names there are. False: not well-formed. */
static bool set_set(struct codec_bytes *in, const struct codec_field *field,
                    const struct codec_value *head, uint8_t *to, uint16_t *reason)
{
    *reason = head->kind != CODEC_VALUE_ARRAY                ? REASON_WRONG_TYPE
              : head->number > (uint64_t)field->names->count ? REASON_OUT_OF_RANGE
                                                             : 0;
    if (*reason != 0) {
        return codec_value_pass_over(in, head);
    }
    for (uint64_t i = 0; i < head->number; i++) {
        struct codec_value value;
        uint8_t index = 0;
        if (!codec_value_take(in, &value) || !codec_value_pass_over(in, &value)) {
            return false;
        }
        const uint16_t fault = set_enum(field, &value, &index);
        if (fault != 0 && *reason == 0) {
            *reason = fault;
        } else if ((*to >> index & 1) != 0 && *reason == 0) {
            *reason = REASON_DUPLICATE_FIELD;
        }
        *to |= (uint8_t)(1U << index);
    }
    return true;
}

/* Takes the value of a field that has no rows. False: not well-formed. */
static bool take_scalar(struct codec_bytes *in, const struct codec_field *field,
                        const struct codec_value *value, uint8_t *record, uint16_t *reason)
{
    uint8_t *to = record + field->offset;
    switch ((enum codec_kind)field->kind) {
    case CODEC_UINT:
        *reason = set_unsigned(field, value, to);
        break;
    case CODEC_INT:
        *reason = set_signed(field, value, to);
        break;
    case CODEC_ENUM:
        *reason = set_enum(field, value, to);
        break;
    case CODEC_TEXT:
        *reason = set_text(field, value, to);
        break;
    case CODEC_BOOL:
        *reason = set_bool(value, to);
        break;
    case CODEC_KEY:
        *reason = set_key(value, to);
        break;
    case CODEC_HOUR:
    case CODEC_DAY:
        *reason = set_hour(value, field->kind == CODEC_DAY, to);
        break;
    case CODEC_REASON_NAME:
    case CODEC_REASON_TEXT: /* said by the number already */
        *reason = value->kind == CODEC_VALUE_TEXT ? 0 : REASON_WRONG_TYPE;
        break;
    case CODEC_SET:
        if (!set_set(in, field, value, to, reason)) {
            return false;
        }
        break;
    case CODEC_ROWS: /* of a row, of a list's row: nothing nests deeper */
    case CODEC_LIST:
        *reason = REASON_WRONG_TYPE;
        break;
    }
    if (*reason == 0 && field->mark != 0) {
        record[field->mark_offset] |= field->mark;
    }
    return field->kind == CODEC_SET || codec_value_pass_over(in, value);
}

/* --- maps ------------------------------------------------------------------------------------------ */

/* What is known of a map while it is walked. */
struct walk {
    const struct codec_schema *schema;
    uint8_t *record;
    uint64_t seen;   /* fields that have come, one bit each */
    uint32_t expect; /* the field after the last one: senders mostly keep to the table's order */
    struct codec_rows *rows; /* where lists go */
    bool lenient;            /* unknown keys are passed over */
    bool type_seen;
    uint16_t reason; /* the first fault, */
    const char *at;  /* and the key where it is, */
    uint32_t at_length;
    char in_list[CODEC_FIELD_SIZE]; /* which is here when it is one of a list's row */
};

static void note_fault(struct walk *walk, uint16_t reason, const char *key, uint32_t length)
{
    if (walk->reason == 0) {
        walk->reason = reason;
        walk->at = key;
        walk->at_length = length;
    }
}

static const struct codec_field *field_find(struct walk *walk, const struct codec_value *key)
{
    const struct codec_schema *schema = walk->schema;
    for (uint32_t i = 0, j = walk->expect; i < schema->field_count; i++, j++) {
        j = j < schema->field_count ? j : 0;
        const struct codec_field *field = &schema->fields[j];
        if (field->name_length == key->length && memcmp(field->name, key->text, key->length) == 0) {
            walk->expect = j + 1;
            return field;
        }
    }
    return NULL;
}

static bool is_type_key(const struct codec_value *key)
{
    return key->kind == CODEC_VALUE_TEXT && key->length == 4 && memcmp(key->text, "type", 4) == 0;
}

/* Takes a key and finds its field; *field is NULL when the value is to be passed over. */
static bool take_key(struct codec_bytes *in, struct walk *walk, struct codec_value *key,
                     const struct codec_field **field)
{
    *field = NULL;
    if (!codec_value_take(in, key)) {
        return false;
    }
    if (key->kind != CODEC_VALUE_TEXT) {
        note_fault(walk, REASON_NOT_A_MAP, NULL, 0);
        return codec_value_pass_over(in, key);
    }
    const struct codec_field *found = field_find(walk, key);
    if (found != NULL) {
        const uint64_t bit = UINT64_C(1) << (found - walk->schema->fields);
        if ((walk->seen & bit) != 0) {
            note_fault(walk, REASON_DUPLICATE_FIELD, key->text, key->length);
            return true;
        }
        walk->seen |= bit;
        *field = found;
        return true;
    }
    if (is_type_key(key) && walk->schema->name != NULL) {
        if (walk->type_seen) {
            note_fault(walk, REASON_DUPLICATE_FIELD, key->text, key->length);
        }
        walk->type_seen = true;
    } else if (!walk->lenient) {
        note_fault(walk, REASON_UNKNOWN_FIELD, key->text, key->length);
    }
    return true;
}

/* Walks the pairs of a list's row. False: not well-formed. */
static bool walk_list_row(struct codec_bytes *in, struct walk *walk, uint64_t pairs)
{
    memset(walk->record, 0, walk->schema->clear_size);
    for (uint64_t i = 0; i < pairs; i++) {
        struct codec_value key, value;
        const struct codec_field *field;
        uint16_t reason = 0;
        if (!take_key(in, walk, &key, &field) || !codec_value_take(in, &value)) {
            return false;
        }
        if (field == NULL) {
            if (!codec_value_pass_over(in, &value)) {
                return false;
            }
            continue;
        }
        if (!take_scalar(in, field, &value, walk->record, &reason)) {
            return false;
        }
        if (reason != 0) {
            note_fault(walk, reason, key.text, key.length);
        }
    }
    return true;
}

static const char *missing_field(const struct walk *walk)
{
    const uint64_t required = (UINT64_C(1) << walk->schema->required_count) - 1;
    const uint64_t missing = required & ~walk->seen;
    return missing != 0 ? walk->schema->fields[__builtin_ctzll(missing)].name : NULL;
}

/* A fault in row `number` (from 1) of a list: "legs[3].symbol". */
static void note_row_fault(struct walk *walk, const struct codec_field *list, uint32_t number,
                           const struct walk *row)
{
    if (walk->reason != 0) {
        return;
    }
    /* An unknown key is the sender's text. */
    const bool named = codec_value_text_is_clean(row->at, row->at_length);
    enter_row_field(list->name, number, row->at, named ? row->at_length : 0, walk->in_list);
    note_fault(walk, row->reason, walk->in_list, (uint32_t)strlen(walk->in_list));
}

static bool take_list_row(struct codec_bytes *in, struct walk *row)
{
    struct codec_value value;
    if (!codec_value_take(in, &value)) {
        return false;
    }
    if (value.kind != CODEC_VALUE_MAP) {
        note_fault(row, REASON_WRONG_TYPE, NULL, 0);
        return codec_value_pass_over(in, &value);
    }
    if (!walk_list_row(in, row, value.number)) {
        return false;
    }
    const char *missing = missing_field(row);
    if (missing != NULL) {
        note_fault(row, REASON_MISSING_FIELD, missing, (uint32_t)strlen(missing));
    }
    return true;
}

/* Takes the rows of a list into the room for them. False: not well-formed. */
static bool take_list(struct codec_bytes *in, const struct codec_field *list,
                      const struct codec_value *head, struct walk *walk, uint16_t *reason)
{
    struct codec_rows *rows = walk->rows;
    if (head->kind != CODEC_VALUE_ARRAY) {
        *reason = REASON_WRONG_TYPE;
        return codec_value_pass_over(in, head);
    }
    if (head->number < (uint64_t)list->min || head->number > list->capacity) {
        *reason = list->count_reason != 0 ? list->count_reason : REASON_OUT_OF_RANGE;
        return codec_value_pass_over(in, head);
    }
    const uint32_t count = (uint32_t)head->number;
    const uint32_t size = (count * list->row->size + 7) & ~7U;
    if (rows->memory == NULL) {
        return codec_value_pass_over(in, head);
    }
    if (size > rows->size - rows->used) {
        *reason = REASON_OUT_OF_RANGE;
        return codec_value_pass_over(in, head);
    }
    uint8_t *first = (uint8_t *)rows->memory + rows->used;
    for (uint32_t i = 0; i < count; i++) {
        struct walk row = {
            .schema = list->row, .record = first + i * list->row->size, .lenient = walk->lenient};
        if (!take_list_row(in, &row)) {
            return false;
        }
        if (row.reason != 0) {
            note_row_fault(walk, list, i + 1, &row);
        }
    }
    rows->used += size;
    memcpy(walk->record + list->offset, &first, sizeof first);
    memcpy(walk->record + list->count_offset, &count, sizeof count);
    return true;
}

/* Walks the pairs of a map without rows, whose fields may be lists. False: not well-formed. */
static bool walk_flat(struct codec_bytes *in, struct walk *walk, uint64_t pairs)
{
    memset(walk->record, 0, walk->schema->clear_size);
    for (uint64_t i = 0; i < pairs; i++) {
        struct codec_value key, value;
        const struct codec_field *field;
        uint16_t reason = 0;
        if (!take_key(in, walk, &key, &field) || !codec_value_take(in, &value)) {
            return false;
        }
        const bool taken = field == NULL ? codec_value_pass_over(in, &value)
                           : field->kind == CODEC_LIST
                               ? take_list(in, field, &value, walk, &reason)
                               : take_scalar(in, field, &value, walk->record, &reason);
        if (!taken) {
            return false;
        }
        if (reason != 0) {
            note_fault(walk, reason, key.text, key.length);
        }
    }
    return true;
}

static bool take_rows(struct codec_bytes *in, const struct codec_field *field,
                      const struct codec_value *head, struct walk *message, uint16_t *reason)
{
    uint8_t *record = message->record;
    if (head->kind != CODEC_VALUE_ARRAY || head->number > field->capacity) {
        *reason = head->kind != CODEC_VALUE_ARRAY ? REASON_WRONG_TYPE : REASON_OUT_OF_RANGE;
        return codec_value_pass_over(in, head);
    }
    for (uint64_t i = 0; i < head->number; i++) {
        struct codec_value value;
        struct walk walk = {.schema = field->row,
                            .record = record + field->offset + i * field->row->size,
                            .rows = message->rows,
                            .lenient = true};
        if (!codec_value_take(in, &value)) {
            return false;
        }
        if (value.kind != CODEC_VALUE_MAP) {
            *reason = *reason != 0 ? *reason : REASON_WRONG_TYPE;
            if (!codec_value_pass_over(in, &value)) {
                return false;
            }
            continue;
        }
        if (!walk_flat(in, &walk, value.number)) {
            return false;
        }
        *reason = *reason != 0 ? *reason : walk.reason;
    }
    const uint32_t count = (uint32_t)head->number;
    memcpy(record + field->count_offset, &count, sizeof count);
    return true;
}

/* Walks the pairs of a server message, whose fields may be rows. */
static bool walk_message(struct codec_bytes *in, struct walk *walk, uint64_t pairs)
{
    memset(walk->record, 0, walk->schema->clear_size);
    for (uint64_t i = 0; i < pairs; i++) {
        struct codec_value key, value;
        const struct codec_field *field;
        uint16_t reason = 0;
        if (!take_key(in, walk, &key, &field) || !codec_value_take(in, &value)) {
            return false;
        }
        const bool taken = field == NULL               ? codec_value_pass_over(in, &value)
                           : field->kind == CODEC_ROWS ? take_rows(in, field, &value, walk, &reason)
                           : field->kind == CODEC_LIST
                               ? take_list(in, field, &value, walk, &reason)
                               : take_scalar(in, field, &value, walk->record, &reason);
        if (!taken) {
            return false;
        }
        if (reason != 0) {
            note_fault(walk, reason, key.text, key.length);
        }
    }
    return true;
}

/* Finds the value of "type" in a map whose head has been taken; `in` stays where it is. Most
 * senders put it first. False: not well-formed. */
static bool find_type(struct codec_bytes in, uint64_t pairs, struct codec_value *type)
{
    type->kind = CODEC_VALUE_OTHER;
    for (uint64_t i = 0; i < pairs; i++) {
        struct codec_value key, value;
        if (!codec_value_take(&in, &key) || !codec_value_pass_over(&in, &key) ||
            !codec_value_take(&in, &value)) {
            return false;
        }
        if (is_type_key(&key)) {
            *type = value;
            return true;
        }
        if (!codec_value_pass_over(&in, &value)) {
            return false;
        }
    }
    return true;
}

/* --- requests -------------------------------------------------------------------------------------- */

static void refuse(struct request *request, uint16_t reason, const char *field, uint32_t length)
{
    request->reason = reason;
    const uint32_t fits = length < CODEC_FIELD_SIZE ? length : CODEC_FIELD_SIZE - 1;
    if (fits > 0) {
        memcpy(request->field, field, fits);
    }
    /* An unknown key is the sender's text and goes back to it: cut to what is clean. */
    request->field[codec_value_text_is_clean(request->field, fits) ? fits : 0] = 0;
}

static void refuse_missing(struct request *request, const char *field)
{
    refuse(request, REASON_MISSING_FIELD, field, (uint32_t)strlen(field));
}

static void refuse_field(struct request *request, const char *field)
{
    refuse(request, REASON_UNKNOWN_FIELD, field, (uint32_t)strlen(field));
}

/* What enters has a cl_ord_id, what only asks may have a ref. */
static void check_number(struct request *request)
{
    if (codec_request_is_dry(request)) {
        if (request->cl_ord_id != 0) {
            refuse_field(request, "cl_ord_id");
        }
    } else if (request->cl_ord_id == 0) {
        refuse_missing(request, "cl_ord_id");
    } else if (request->ref != 0) {
        refuse_field(request, "ref");
    }
}

/* Rules that one field alone cannot say. */
static void check_together(struct request *request)
{
    if (request->type == REQUEST_ORDER_STATUS) {
        const bool by_order_id = request->order_status.order_id != 0;
        const bool by_cl_ord_id = request->order_status.cl_ord_id != 0;
        if (!by_order_id && !by_cl_ord_id) {
            refuse_missing(request, "order_id");
        } else if (by_order_id && by_cl_ord_id) {
            refuse(request, REASON_DUPLICATE_FIELD, "cl_ord_id", sizeof "cl_ord_id" - 1);
        }
    } else if (request->type == REQUEST_MASS_CANCEL) {
        const struct request_mass_cancel *mass_cancel = &request->mass_cancel;
        if (mass_cancel->hour_to == 0 && mass_cancel->hour_from != 0) {
            refuse_missing(request, "hour_to");
        } else if (mass_cancel->hour_from == 0 && mass_cancel->hour_to != 0) {
            refuse_missing(request, "hour_from");
        }
    } else if (request->type == REQUEST_NEW_SET || request->type == REQUEST_NEW_JOB) {
        check_number(request);
    }
}

/* Takes one request, its head included. False: not well-formed. */
static bool take_request(struct codec_bytes *in, struct request *request, struct codec_rows *rows)
{
    struct codec_value head, type;
    if (!codec_value_take(in, &head)) {
        return false;
    }
    if (head.kind != CODEC_VALUE_MAP) {
        memset(request, 0, codec_table_request_unknown()->clear_size);
        request->reason = REASON_NOT_A_MAP;
        return codec_value_pass_over(in, &head);
    }
    if (!find_type(*in, head.number, &type)) {
        return false;
    }
    const uint8_t number =
        type.kind == CODEC_VALUE_TEXT ? codec_table_request_find(type.text, type.length) : 0;
    struct walk walk = {.schema = number != 0 ? codec_table_request(number)
                                              : codec_table_request_unknown(),
                        .record = (uint8_t *)request,
                        .rows = rows,
                        .lenient = number == 0};
    if (!walk_flat(in, &walk, head.number)) {
        return false;
    }
    request->type = number;
    if (number == 0) {
        refuse(request,
               type.kind == CODEC_VALUE_TEXT    ? REASON_UNKNOWN_TYPE
               : type.kind == CODEC_VALUE_OTHER ? REASON_MISSING_FIELD
                                                : REASON_WRONG_TYPE,
               "type", 4);
        return true;
    }
    if (walk.reason != 0) {
        refuse(request, walk.reason, walk.at, walk.at_length);
        return true;
    }
    const char *missing = missing_field(&walk);
    if (missing != NULL) {
        refuse_missing(request, missing);
        return true;
    }
    check_together(request);
    return true;
}

uint16_t codec_decode_requests(const void *bytes, size_t length, struct codec_batch *batch)
{
    struct codec_bytes in = {.at = bytes, .end = (const uint8_t *)bytes + length};
    batch->count = 0;
    batch->rows.used = 0;
    if (length > CODEC_MESSAGE_MAX) {
        return REASON_MESSAGE_TOO_LARGE;
    }
    struct codec_bytes first = in;
    struct codec_value head;
    if (!codec_value_take(&first, &head)) {
        return REASON_MALFORMED;
    }
    if (head.kind != CODEC_VALUE_MAP && head.kind != CODEC_VALUE_ARRAY) {
        return REASON_NOT_A_MAP;
    }
    uint64_t left = 1;
    if (head.kind == CODEC_VALUE_ARRAY) {
        if (head.number > batch->capacity || head.number > CODEC_REQUESTS_MAX) {
            return REASON_TOO_MANY_REQUESTS;
        }
        in = first;
        left = head.number;
    }
    for (uint32_t i = 0; i < left; i++) {
        const uint32_t used = batch->rows.used;
        if (!take_request(&in, &batch->requests[i], &batch->rows)) {
            return REASON_MALFORMED;
        }
        if (batch->requests[i].reason != 0) {
            batch->rows.used = used;
        }
    }
    if (in.at != in.end) {
        return REASON_TRAILING_BYTES;
    }
    batch->count = (uint32_t)left;
    return 0;
}

/* --- server messages ------------------------------------------------------------------------------- */

uint16_t codec_decode_begin(struct codec_cursor *cursor, const void *bytes, size_t length)
{
    struct codec_bytes in = {.at = bytes, .end = (const uint8_t *)bytes + length};
    struct codec_value head;
    cursor->left = 0;
    cursor->rows = (struct codec_rows){0};
    if (!codec_value_take(&in, &head)) {
        return REASON_MALFORMED;
    }
    if (head.kind != CODEC_VALUE_MAP && head.kind != CODEC_VALUE_ARRAY) {
        return REASON_NOT_A_MAP;
    }
    struct codec_bytes whole = in;
    if (!codec_value_pass_over(&whole, &head)) {
        return REASON_MALFORMED;
    }
    if (whole.at != whole.end) {
        return REASON_TRAILING_BYTES;
    }
    cursor->at = head.kind == CODEC_VALUE_ARRAY ? in.at : bytes;
    cursor->end = in.end;
    cursor->left = head.kind == CODEC_VALUE_ARRAY ? (uint32_t)head.number : 1;
    return 0;
}

uint16_t codec_decode_next(struct codec_cursor *cursor, struct message *message)
{
    struct codec_bytes in = {.at = cursor->at, .end = cursor->end};
    struct codec_value head, type;
    message->type = 0;
    cursor->rows.used = 0;
    /* The bytes were found well-formed when the walk began, so faults below are of content. */
    if (cursor->left == 0 || !codec_value_take(&in, &head)) {
        cursor->left = 0;
        return REASON_MALFORMED;
    }
    cursor->left--;
    struct codec_bytes rest = in;
    const bool well_formed = codec_value_pass_over(&rest, &head);
    cursor->at = rest.at;
    if (!well_formed || head.kind != CODEC_VALUE_MAP || !find_type(in, head.number, &type)) {
        return REASON_NOT_A_MAP;
    }
    const uint8_t number =
        type.kind == CODEC_VALUE_TEXT ? codec_table_message_find(type.text, type.length) : 0;
    if (number == 0) {
        return REASON_UNKNOWN_TYPE;
    }
    struct walk walk = {.schema = codec_table_message(number),
                        .record = (uint8_t *)message + CODEC_MESSAGE_BODY,
                        .rows = &cursor->rows,
                        .lenient = true};
    if (!walk_message(&in, &walk, head.number)) {
        return REASON_MALFORMED;
    }
    message->type = number;
    return walk.reason;
}
