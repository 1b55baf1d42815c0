#include "client/symbol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/units.h"

#define HOURS_AHEAD_MAX 9999

/* Keeps the digits of a text that has nothing else but the given marks; false for anything else. */
static bool digits_of(const char *text, const char *marks, char *digits, size_t size)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9') {
            if (count + 1 >= size) {
                return false;
            }
            digits[count++] = *text;
        } else if (strchr(marks, *text) == NULL) {
            return false;
        }
    }
    digits[count] = '\0';
    return true;
}

int symbol_hour_parse(const char *text, int64_t now_ns, uint32_t *hour, struct error *error)
{
    if (text[0] == '+') {
        char *end;
        long ahead = strtol(text + 1, &end, 10);
        if (text[1] < '0' || text[1] > '9' || *end != '\0' || ahead > HOURS_AHEAD_MAX) {
            return error_set(error, ERROR_INVALID,
                             "'%s' is not a number of hours from now; give for example +3", text);
        }
        *hour = (uint32_t)(now_ns / NS_PER_HOUR + ahead);
        return 0;
    }
    char digits[16];
    size_t length = 0;
    if (digits_of(text, "-T :Z", digits, sizeof(digits))) {
        length = strlen(digits);
    }
    /* A date and an hour; minutes and seconds, where given, are zero. */
    bool whole = length == 10 || (length == 12 && strcmp(digits + 10, "00") == 0) ||
                 (length == 14 && strcmp(digits + 10, "0000") == 0);
    char exact[32];
    (void)snprintf(exact, sizeof(exact), "%.8sT%.2sZ", digits, length >= 10 ? digits + 8 : "");
    if (!whole || !hour_parse(exact, strlen(exact), hour)) {
        return error_set(error, ERROR_INVALID,
                         "'%s' is not an hour; give a date and an hour in UTC as 2026-11-21T14, or "
                         "+3 for three hours from now",
                         text);
    }
    return 0;
}

int symbol_day_parse(const char *text, uint32_t *day, struct error *error)
{
    char digits[16];
    char exact[32];
    uint32_t hour;
    if (digits_of(text, "-", digits, sizeof(digits)) && strlen(digits) == 8) {
        (void)snprintf(exact, sizeof(exact), "%sT00Z", digits);
        if (hour_parse(exact, strlen(exact), &hour)) {
            *day = hour / 24;
            return 0;
        }
    }
    return error_set(error, ERROR_INVALID, "'%s' is not a day; give 2026-11-21", text);
}

void symbol_hour_show(uint32_t hour, char text[SYMBOL_HOUR_SIZE])
{
    char exact[HOUR_TEXT_SIZE];
    hour_format(hour, exact);
    (void)snprintf(text, SYMBOL_HOUR_SIZE, "%.4s-%.2s-%.2sT%.2sZ", exact, exact + 4, exact + 6,
                   exact + 9);
}

static bool whole_valid(const char *symbol)
{
    const char *first = strchr(symbol, '.');
    const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
    const char *third = second != NULL ? strchr(second + 1, '.') : NULL;
    uint8_t tier;
    uint32_t hour;
    return third != NULL && contract_name_valid(symbol, (size_t)(first - symbol)) &&
           contract_name_valid(first + 1, (size_t)(second - first - 1)) &&
           tier_parse(second + 1, (size_t)(third - second - 1), &tier) &&
           hour_parse(third + 1, strlen(third + 1), &hour);
}

/* Class and region: names as the exchange takes them. */
static int part_check(const struct symbol_parts *parts, const char *name, const char *value,
                      const char *example, struct error *error)
{
    if (value == NULL) {
        return error_set(error, ERROR_INVALID,
                         "%s%s is missing: give it, for example %s, or a whole symbol",
                         parts->dashes, name, example);
    }
    if (!contract_name_valid(value, strlen(value))) {
        return error_set(error, ERROR_INVALID,
                         "%s%s: '%s' is not a name of at most %d letters, digits and '-'",
                         parts->dashes, name, value, NAME_SIZE - 1);
    }
    return 0;
}

static int tier_check(const struct symbol_parts *parts, struct error *error)
{
    uint8_t tier;
    if (parts->tier == NULL) {
        return error_set(error, ERROR_INVALID, "%stier is missing: give G0, G50, G80 or G100",
                         parts->dashes);
    }
    if (!tier_parse(parts->tier, strlen(parts->tier), &tier)) {
        return error_set(error, ERROR_INVALID,
                         "%stier: '%s' is not a tier; give G0, G50, G80 or G100", parts->dashes,
                         parts->tier);
    }
    return 0;
}

int symbol_complete(const struct symbol_parts *parts, int64_t now_ns, char symbol[SYMBOL_SIZE],
                    struct error *error)
{
    if (parts->whole != NULL) {
        if (!whole_valid(parts->whole)) {
            return error_set(error, ERROR_INVALID,
                             "symbol '%s' is not CLASS.REGION.TIER.HOUR, for example "
                             "H100.CN-GZ.G80.20261121T14Z",
                             parts->whole);
        }
        (void)snprintf(symbol, SYMBOL_SIZE, "%s", parts->whole);
        return 0;
    }
    int rc = part_check(parts, "class", parts->class_name, "H100", error);
    if (rc == 0) {
        rc = part_check(parts, "region", parts->region, "CN-GZ", error);
    }
    if (rc == 0) {
        rc = tier_check(parts, error);
    }
    uint32_t hour = 0;
    if (rc == 0 && parts->hour == NULL) {
        rc = error_set(error, ERROR_INVALID,
                       "%shour is missing: give the delivery hour in UTC as 2026-11-21T14, or +3",
                       parts->dashes);
    } else if (rc == 0 && symbol_hour_parse(parts->hour, now_ns, &hour, error) < 0) {
        rc = error_context(error, "%shour", parts->dashes);
    }
    if (rc < 0) {
        return rc;
    }
    char exact[HOUR_TEXT_SIZE];
    hour_format(hour, exact);
    (void)snprintf(symbol, SYMBOL_SIZE, "%s.%s.%s.%s", parts->class_name, parts->region,
                   parts->tier, exact);
    return 0;
}

bool symbol_hour(const char *symbol, uint32_t *hour)
{
    return whole_valid(symbol) && hour_parse(strrchr(symbol, '.') + 1, HOUR_TEXT_SIZE - 1, hour);
}

bool symbol_with_hour(char symbol[SYMBOL_SIZE], uint32_t hour)
{
    if (!whole_valid(symbol)) {
        return false;
    }
    hour_format(hour, strrchr(symbol, '.') + 1);
    return true;
}
