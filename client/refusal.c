#include "client/refusal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/decimal.h"
#include "client/fields.h"
#include "client/symbol.h"

/* What value and bound of a refusal are. */
enum bound_kind {
    BOUND_NUMBER,
    BOUND_MONEY,
    BOUND_HOUR,
    BOUND_TIME,
    BOUND_TIER,
    BOUND_ALONE, /* the value, and nothing that it was compared with */
    BOUND_NONE
};

static enum bound_kind bound_kind(uint16_t reason)
{
    switch (reason) {
    case REASON_PRICE_OUT_OF_RANGE:
    case REASON_PRICE_OUTSIDE_BAND:
    case REASON_POST_ONLY_WOULD_TRADE:
    case REASON_INSUFFICIENT_FUNDS:
    case REASON_INSUFFICIENT_BOND:
    case REASON_INSUFFICIENT_CASH:
    case REASON_AMOUNT_OUT_OF_RANGE:
    case REASON_PRICE_WITH_SET:
    case REASON_JOB_TOO_LARGE:
        return BOUND_MONEY;
    case REASON_GATE_CLOSED_FOR_HOUR:
    case REASON_BEYOND_HORIZON:
    case REASON_INVALID_RANGE:
    case REASON_WINDOW_TOO_SHORT:
        return BOUND_HOUR;
    case REASON_EXPIRE_TIME_PAST:
        return BOUND_TIME;
    case REASON_TIER_NOT_CERTIFIED:
        return BOUND_TIER;
    case REASON_MIN_QTY_WITH_FOK:
    case REASON_MIN_QTY_WITH_POST_ONLY:
    case REASON_RESOURCE_MISMATCH:
    case REASON_UNKNOWN_RESOURCE:
        return BOUND_ALONE;
    case REASON_MARKET_MUST_NOT_REST:
    case REASON_NOT_SUPPORTED:
    case REASON_AUCTION_COLLECTING:
    case REASON_POST_ONLY_WITH_IMMEDIATE:
    case REASON_EXPIRE_TIME_NOT_ALLOWED:
    case REASON_NOTHING_TO_REPLACE:
    case REASON_DISPLAY_QTY_WITH_IMMEDIATE:
    case REASON_DISPLAY_QTY_WITH_SET:
    case REASON_RESERVED_NOT_ALLOWED:
    case REASON_DUPLICATE_LEG:
    case REASON_DUPLICATE_LANE:
    case REASON_SAME_GROUP_NOT_ALLOWED:
    case REASON_UNKNOWN_TRADE_GROUP:
    case REASON_KEY_TAKEN:
        return BOUND_NONE;
    default:
        return BOUND_NUMBER;
    }
}

/* Of the field that a refusal names. */
static enum bound_kind field_kind(uint8_t field)
{
    const char *name = reject_field_name(field);
    size_t length = strlen(name);
    return field == REJECT_FIELD_ROLES                           ? BOUND_NONE
           : field == REJECT_FIELD_TIER                          ? BOUND_TIER
           : length > 3 && strcmp(name + length - 3, "_e4") == 0 ? BOUND_MONEY
                                                                 : BOUND_NUMBER;
}

#define BOUND_TEXT_SIZE 64

static void bound_show(enum bound_kind kind, int64_t number, char text[BOUND_TEXT_SIZE])
{
    int places = kind == BOUND_MONEY ? DECIMAL_E4_PLACES : 0;
    char hour[SYMBOL_HOUR_SIZE];
    char utc[CLOCK_TEXT_SIZE];
    char decimal[DECIMAL_TEXT_SIZE];
    if (kind == BOUND_HOUR && number >= 0 && number <= UINT32_MAX) {
        symbol_hour_show((uint32_t)number, hour);
        (void)snprintf(text, BOUND_TEXT_SIZE, "%s", hour);
    } else if (kind == BOUND_TIME && number >= 0) {
        clock_format_utc(number, utc);
        (void)snprintf(text, BOUND_TEXT_SIZE, "%.19sZ", utc);
    } else if (kind == BOUND_TIER && number >= 0 && number < TIER_COUNT) {
        static const char *const tiers[TIER_COUNT] = {"G0", "G50", "G80", "G100"};
        (void)snprintf(text, BOUND_TEXT_SIZE, "%s", tiers[number]);
    } else {
        decimal_format(number, places, places / 2, decimal);
        (void)snprintf(text, BOUND_TEXT_SIZE, "%s", decimal);
    }
}

/* The value that was refused and what it was compared with. */
static void print_bound(uint16_t reason, uint8_t field, int64_t value, int64_t bound)
{
    const char *name = reject_field_name(field);
    enum bound_kind kind = field != REJECT_FIELD_NONE ? field_kind(field) : bound_kind(reason);
    if (kind == BOUND_NONE && name[0] != '\0') {
        (void)fprintf(stderr, " [%s]", name);
    }
    if (kind == BOUND_NONE || (value == 0 && bound == 0)) {
        return;
    }
    char value_text[BOUND_TEXT_SIZE];
    char bound_text[BOUND_TEXT_SIZE];
    bound_show(kind, value, value_text);
    bound_show(kind, bound, bound_text);
    if (name[0] != '\0') {
        (void)fprintf(stderr, " [%s: %s against %s]", name, value_text, bound_text);
    } else if (kind == BOUND_ALONE) {
        (void)fprintf(stderr, " [%s]", value_text);
    } else if (reason == REASON_JOB_TOO_LARGE && value == 0) {
        /* The value itself has no room in a number. */
        (void)fprintf(stderr, " [above %s]", bound_text);
    } else {
        (void)fprintf(stderr, " [%s against %s]", value_text, bound_text);
    }
}

/* The leg, lane or hour at fault. */
static void print_leg(uint8_t leg, const char *symbol)
{
    if (leg != 0) {
        (void)fprintf(stderr, " [number %u%s%s]", leg, symbol[0] != '\0' ? ": " : "", symbol);
    } else if (symbol[0] != '\0') {
        (void)fprintf(stderr, " [%s]", symbol);
    }
}

const char *refusal_where_listed(const char *field)
{
    static const char *const places[][2] = {
        {"symbol", "kashi list classes and kashi list regions show what there is"},
        {"class", "kashi list classes shows them"},
        {"region", "kashi list regions shows them"},
    };
    const char *dot = strrchr(field, '.');
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (strcmp(dot != NULL ? dot + 1 : field, places[i][0]) == 0) {
            return places[i][1];
        }
    }
    return NULL;
}

/* The field that a request was refused for, what it said, and where to look for what it may say. */
static void print_field(const struct request *request, const struct reject *reject)
{
    const char *text = request != NULL ? fields_text(request, reject->field) : NULL;
    (void)fprintf(stderr, " [%s", reject->field);
    if (text != NULL && text[0] != '\0') {
        (void)fprintf(stderr, ": '%s'", text);
    }
    bool unknown = reject->reason == REASON_UNKNOWN_SYMBOL || reject->reason == REASON_UNKNOWN_NAME;
    if (unknown && refusal_where_listed(reject->field) != NULL) {
        (void)fprintf(stderr, "; %s", refusal_where_listed(reject->field));
    }
    (void)fputc(']', stderr);
}

void refusal_print(const struct request *request, const char *what, uint16_t reason,
                   const struct message *why)
{
    (void)fprintf(stderr, "refused: %s%s%s (%u): %s", what, what[0] != '\0' ? ": " : "",
                  reason_name(reason), reason, reason_sentence(reason));
    if (why != NULL && why->type == MESSAGE_REJECT && why->reject.field[0] != '\0') {
        print_field(request, &why->reject);
    }
    if (why != NULL && why->type == MESSAGE_REPORT) {
        print_leg(why->report.leg, why->report.symbol);
        print_bound(why->report.reason, why->report.field, why->report.value, why->report.bound);
    }
    if (why != NULL && why->type == MESSAGE_QUOTE) {
        print_leg(why->quote.leg, why->quote.symbol);
        print_bound(why->quote.reason, REJECT_FIELD_NONE, why->quote.value, why->quote.bound);
    }
    (void)fputc('\n', stderr);
}
