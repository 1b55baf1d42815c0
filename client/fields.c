#include "client/fields.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/decimal.h"
#include "client/kashi.h"
#include "client/symbol.h"

/* A hundred years: far enough for any order, and now + that fits int64 nanoseconds until 2162. */
#define AHEAD_MAX_S (INT64_C(100) * 365 * 86400)

static bool field_is(const struct codec_field *field, const char *name)
{
    return strcmp(field->name, name) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

const struct codec_field *fields_next(uint8_t request_type, uint32_t *at)
{
    const struct codec_schema *schema = codec_table_request(request_type);
    while (schema != NULL && *at < schema->field_count) {
        const struct codec_field *field = &schema->fields[(*at)++];
        if (field->kind != CODEC_LIST && !field_is(field, "cl_ord_id") && !field_is(field, "ref")) {
            return field;
        }
    }
    return NULL;
}

void fields_option_name(const struct codec_field *field, char name[ARGUMENTS_NAME_SIZE])
{
    size_t length = strlen(field->name);
    if (ends_with(field->name, "_e4") || ends_with(field->name, "_e2") ||
        ends_with(field->name, "_ns")) {
        length -= 3;
    }
    CHECK(length < ARGUMENTS_NAME_SIZE);
    for (size_t i = 0; i < length; i++) {
        name[i] = field->name[i] == '_' ? '-' : field->name[i];
    }
    name[length] = '\0';
}

const struct codec_field *fields_find(uint8_t request_type, const char *option)
{
    const struct codec_field *field;
    for (uint32_t at = 0; (field = fields_next(request_type, &at)) != NULL;) {
        char name[ARGUMENTS_NAME_SIZE];
        fields_option_name(field, name);
        if (strcmp(name, option) == 0) {
            return field;
        }
    }
    return NULL;
}

static int field_places(const struct codec_field *field)
{
    return ends_with(field->name, "_e4") ? 4 : ends_with(field->name, "_e2") ? 2 : 0;
}

void fields_value_name(const struct codec_field *field, char text[FIELDS_VALUE_SIZE])
{
    const char *name = "N";
    size_t used = 0;
    text[0] = '\0';
    switch ((enum codec_kind)field->kind) {
    case CODEC_BOOL:
        return;
    case CODEC_ENUM:
    case CODEC_SET:
        for (uint32_t i = 0; i < field->names->count && used < FIELDS_VALUE_SIZE; i++) {
            used += (size_t)snprintf(text + used, FIELDS_VALUE_SIZE - used, "%s%s",
                                     i == 0                     ? ""
                                     : field->kind == CODEC_SET ? ","
                                                                : "|",
                                     field->names->names[i].text);
        }
        return;
    case CODEC_TEXT:
        name = "TEXT";
        break;
    case CODEC_KEY:
        name = "KEY|FILE";
        break;
    case CODEC_HOUR:
        name = "HOUR";
        break;
    case CODEC_DAY:
        name = "DAY";
        break;
    case CODEC_UINT:
    case CODEC_INT:
        name = field_is(field, "expire_time_ns") ? "TIME"
               : ends_with(field->name, "_ns")   ? "SECONDS"
               : field_is(field, "pue_e4")       ? "RATIO"
               : field_places(field) == 4        ? "YUAN"
                                                 : "N";
        break;
    case CODEC_REASON_NAME:
    case CODEC_REASON_TEXT:
    case CODEC_ROWS:
    case CODEC_LIST:
        break;
    }
    (void)snprintf(text, FIELDS_VALUE_SIZE, "%s", name);
}

const char *fields_help(const struct codec_field *field)
{
    static const char *const helps[][2] = {
        {"ord_type", "limit unless given; a market order trades up to --price beyond the best"},
        {"tif", "until the gate (default), until a time, or at once: ioc what is there, fok all"},
        {"stp",
         "against the own group: newest (default) and oldest cancel, decrement reduces both"},
        {"min_qty", "trade at least so much on arrival, or nothing"},
        {"display_qty", "show only so much of it at a time (iceberg)"},
        {"job_lead_hours", "reserved for JOBs until so many hours before its gate"},
        {"placement",
         "site (default): one resource for all of it; any: many; same: where a trade group runs"},
        {"same_group", "with --placement same: the trade group of a JOB of yours"},
        {"window_from", "first hour in which it may start"},
        {"window_to", "hour in which it must be over"},
        {"dry_run", "say what it would meet now and enter nothing"},
        {"expire_time_ns", "with --tif time: UTC, 2026-11-21T13:30, or +90m from now"},
        {"post_only", "refused if it would trade on arrival"},
        {"order_id", "as kashi orders shows it"},
        {"group", "as kashi list groups shows it"},
        {"account", "as kashi list accounts shows it"},
        {"fees", "a fee schedule, as kashi list fees shows it"},
        {"after_order_id", "only what comes behind it"},
        {"after_fill_id", "only what comes behind it"},
        {"after", "only what comes behind this id"},
        {"reference", "for people: the bank's, at most 31 bytes"},
        {"lot", "GPUs that are sold together"},
        {"no_resale", "what was bought must not be sold again"},
        {"identifier", "算力标识, verbatim"},
        {"open_orders_limit", "open orders at once"},
        {"order_qty_limit", "GPUs of one order"},
        {"rate_limit", "requests a second and key"},
    };
    for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
        if (field_is(field, helps[i][0])) {
            return helps[i][1];
        }
    }
    return "";
}

/* --- from text to the struct ---------------------------------------------------------------------- */

static int fail(struct error *error, const char *option, const char *text, const char *remedy)
{
    return error_set(error, ERROR_INVALID, "--%s: '%s' %s", option, text, remedy);
}

static int parse_time(const char *option, const char *text, int64_t now_ns, int64_t *time_ns,
                      struct error *error)
{
    char exact[CLOCK_TEXT_SIZE];
    if (text[0] == '+') {
        char *end;
        long count = strtol(text + 1, &end, 10);
        int64_t unit_s = *end == 'd' ? 86400 : *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
        bool unit = *end != '\0' && strchr("dhms", *end) != NULL && end[1] == '\0';
        if (unit && count > 0 && count <= AHEAD_MAX_S / unit_s) {
            *time_ns = now_ns + count * unit_s * NS_PER_SECOND;
            return 0;
        }
    } else if (strlen(text) + 1 < sizeof(exact)) {
        (void)snprintf(exact, sizeof(exact), "%s%s", text, ends_with(text, "Z") ? "" : "Z");
        char *gap = strchr(exact, ' ');
        if (gap == exact + 10) {
            *gap = 'T';
        }
        if (clock_parse_utc(exact, time_ns)) {
            return 0;
        }
    }
    return fail(error, option, text,
                "is not a time; give UTC as 2026-11-21T13:30, or +90m from now");
}

static int parse_names(const struct codec_field *field, const char *option, const char *text,
                       bool many, uint8_t *value, struct error *error)
{
    uint32_t set = 0;
    for (const char *at = text; *at != '\0';) {
        size_t length = many ? strcspn(at, ",") : strlen(at);
        uint32_t found = field->names->count;
        for (uint32_t i = 0; i < field->names->count; i++) {
            const struct codec_name *name = &field->names->names[i];
            if (name->text != NULL && name->length == length &&
                memcmp(name->text, at, length) == 0) {
                found = i;
            }
        }
        if (found == field->names->count) {
            set = 0;
            break;
        }
        set = many ? set | 1U << found : 0x100U + found;
        at += length;
        at += *at == ',';
    }
    if (set == 0) {
        char names[FIELDS_VALUE_SIZE];
        char remedy[FIELDS_VALUE_SIZE + 48];
        fields_value_name(field, names);
        (void)snprintf(remedy, sizeof(remedy), "is none of them; give %s%s",
                       many ? "one or more of " : "", names);
        return fail(error, option, text, remedy);
    }
    *value = (uint8_t)set;
    return 0;
}

static int parse_number(const struct codec_field *field, const char *option, const char *text,
                        int64_t now_ns, uint8_t *to, struct error *error)
{
    int64_t value = 0;
    if (field_is(field, "expire_time_ns")) {
        int rc = parse_time(option, text, now_ns, &value, error);
        memcpy(to, &value, sizeof(value));
        return rc;
    }
    int places = ends_with(field->name, "_ns") ? 9 : field_places(field);
    enum decimal_result result = decimal_parse(text, places, &value);
    bool is_unsigned = field->kind == CODEC_UINT;
    int64_t max =
        is_unsigned && field->size < 8 ? (INT64_C(1) << (8 * field->size)) - 1 : INT64_MAX;
    if (result == DECIMAL_OK && value > max) {
        result = DECIMAL_TOO_LARGE;
    }
    if (result != DECIMAL_OK) {
        char why[64];
        char remedy[128];
        decimal_explain(result, places, why, sizeof(why));
        (void)snprintf(remedy, sizeof(remedy), "%s; give %s", why,
                       places == 4   ? "yuan with at most 4 decimals, for example 16.40"
                       : places == 0 ? "a whole number"
                                     : "a number, for example 1.5");
        return fail(error, option, text, remedy);
    }
    if (value < 0) {
        return fail(error, option, text, "is negative; give 0 or more");
    }
    memcpy(to, &value, is_unsigned ? field->size : sizeof(value));
    return 0;
}

static int parse_key(const char *option, const char *text, uint8_t *to, struct error *error)
{
    char public_text[CODEC_PUBLIC_KEY_TEXT + 1];
    if (codec_key_parse(text, strlen(text), to)) {
        return 0;
    }
    if (access(text, F_OK) != 0) {
        return fail(error, option, text,
                    "is neither a public key of 40 characters nor a key file; make one with: "
                    "kashi keygen NAME");
    }
    int rc = kashi_key_load_public(public_text, text, error);
    if (rc < 0) {
        return error_context(error, "--%s", option);
    }
    CHECK(codec_key_parse(public_text, CODEC_PUBLIC_KEY_TEXT, to));
    return 0;
}

static int parse_field(const struct codec_field *field, const char *option, const char *text,
                       int64_t now_ns, uint8_t *to, struct error *error)
{
    uint32_t number = 0;
    int rc = 0;
    switch ((enum codec_kind)field->kind) {
    case CODEC_BOOL:
        *to = 1;
        return 0;
    case CODEC_UINT:
    case CODEC_INT:
        return parse_number(field, option, text, now_ns, to, error);
    case CODEC_ENUM:
    case CODEC_SET:
        return parse_names(field, option, text, field->kind == CODEC_SET, to, error);
    case CODEC_TEXT:
        if (strlen(text) >= field->size) {
            return error_set(error, ERROR_INVALID, "--%s: the text has %zu bytes; at most %u fit",
                             option, strlen(text), field->size - 1U);
        }
        memcpy(to, text, strlen(text) + 1);
        return 0;
    case CODEC_KEY:
        return parse_key(option, text, to, error);
    case CODEC_HOUR:
    case CODEC_DAY:
        rc = field->kind == CODEC_HOUR ? symbol_hour_parse(text, now_ns, &number, error)
                                       : symbol_day_parse(text, &number, error);
        memcpy(to, &number, sizeof(number));
        return rc < 0 ? error_context(error, "--%s", option) : 0;
    case CODEC_REASON_NAME:
    case CODEC_REASON_TEXT:
    case CODEC_ROWS:
    case CODEC_LIST:
        break;
    }
    return 0;
}

static bool field_hidden(const struct arguments_command *command, const struct codec_field *field)
{
    for (const char *const *name = command->hidden; name != NULL && *name != NULL; name++) {
        if (field_is(field, *name)) {
            return true;
        }
    }
    return false;
}

/* Whether a field must be given: one of `needed`, or without these all that the protocol requires. */
static bool field_needed(const struct codec_field *field, const char *const *needed)
{
    for (; needed != NULL && *needed != NULL; needed++) {
        if (field_is(field, *needed)) {
            return true;
        }
    }
    return needed == NULL && (field->flags & CODEC_REQUIRED) != 0;
}

int fields_fill(const struct arguments *arguments, int64_t now_ns, struct request *request,
                struct error *error)
{
    return fields_fill_over(arguments, NULL, now_ns, request, error);
}

int fields_fill_over(const struct arguments *arguments, const char *const *needed, int64_t now_ns,
                     struct request *request, struct error *error)
{
    const struct codec_field *field;
    for (uint32_t at = 0; (field = fields_next(request->type, &at)) != NULL;) {
        char option[ARGUMENTS_NAME_SIZE];
        fields_option_name(field, option);
        if (field_hidden(arguments->command, field)) {
            continue;
        }
        const char *text = arguments_get(arguments, option);
        if (text == NULL && field_needed(field, needed)) {
            char value[FIELDS_VALUE_SIZE];
            fields_value_name(field, value);
            return error_set(error, ERROR_INVALID, "--%s is missing: give --%s %s", option, option,
                             value);
        }
        if (text == NULL) {
            continue;
        }
        uint8_t *record = (uint8_t *)request;
        int rc = parse_field(field, option, text, now_ns, record + field->offset, error);
        if (rc < 0) {
            return rc;
        }
        if (field->mark != 0) {
            record[field->mark_offset] |= field->mark;
        }
    }
    return 0;
}

/* --- and back -------------------------------------------------------------------------------------- */

static const struct codec_field *schema_field(const struct codec_schema *schema, const char *name,
                                              size_t length)
{
    for (uint32_t i = 0; schema != NULL && i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        if (field->name_length == length && memcmp(field->name, name, length) == 0) {
            return field;
        }
    }
    return NULL;
}

const char *fields_text(const struct request *request, const char *name)
{
    const uint8_t *record = (const uint8_t *)request;
    const char *bracket = strchr(name, '[');
    const struct codec_field *field =
        schema_field(codec_table_request(request->type), name,
                     bracket != NULL ? (size_t)(bracket - name) : strlen(name));
    if (bracket != NULL && field != NULL && field->kind == CODEC_LIST) {
        char *end;
        unsigned long number = strtoul(bracket + 1, &end, 10);
        uint32_t count;
        memcpy(&count, record + field->count_offset, sizeof(count));
        memcpy(&record, record + field->offset, sizeof(record));
        if (number < 1 || number > count || strncmp(end, "].", 2) != 0) {
            return NULL;
        }
        record += (number - 1) * field->row->size;
        field = schema_field(field->row, end + 2, strlen(end + 2));
    }
    return field != NULL && field->kind == CODEC_TEXT ? (const char *)record + field->offset : NULL;
}
