#include "client/decimal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

static const char *skip_yuan(const char *text)
{
    static const char *const signs[] = {"\xc2\xa5", "\xef\xbf\xa5"};
    for (int i = 0; i < 2; i++) {
        if (strncmp(text, signs[i], strlen(signs[i])) == 0) {
            return text + strlen(signs[i]);
        }
    }
    return text;
}

static bool digit_add(int64_t *value, int digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, digit, value);
}

enum decimal_result decimal_parse(const char *text, int places, int64_t *value)
{
    CHECK(places >= 0 && places <= DECIMAL_PLACES_MAX);
    text = skip_yuan(text);
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    text = skip_yuan(text);
    int64_t magnitude = 0;
    int digits = 0;
    int decimals = -1; /* no full stop yet */
    bool large = false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && decimals < 0 && digits > 0) {
            decimals = 0;
        } else if (*text < '0' || *text > '9') {
            return DECIMAL_NOT_A_NUMBER;
        } else {
            digits++;
            /* Zeros behind the last place change nothing. */
            if (decimals == places && *text != '0') {
                return DECIMAL_TOO_MANY_PLACES;
            }
            if (decimals < places) {
                decimals += decimals >= 0;
                large = large || !digit_add(&magnitude, *text - '0');
            }
        }
    }
    if (digits == 0 || text[-1] == '.') {
        return DECIMAL_NOT_A_NUMBER;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < places; i++) {
        large = large || !digit_add(&magnitude, 0);
    }
    if (large) {
        return DECIMAL_TOO_LARGE;
    }
    *value = negative ? -magnitude : magnitude;
    return DECIMAL_OK;
}

void decimal_explain(enum decimal_result result, int places, char *text, int size)
{
    switch (result) {
    case DECIMAL_OK:
        (void)snprintf(text, (size_t)size, "is a number");
        break;
    case DECIMAL_NOT_A_NUMBER:
        (void)snprintf(text, (size_t)size, "is not a number");
        break;
    case DECIMAL_TOO_MANY_PLACES:
        if (places == 0) {
            (void)snprintf(text, (size_t)size, "is not a whole number");
        } else {
            (void)snprintf(text, (size_t)size, "has more than %d decimals", places);
        }
        break;
    case DECIMAL_TOO_LARGE:
        (void)snprintf(text, (size_t)size, "is too large");
        break;
    }
}

void decimal_format(int64_t value, int places, int shown, char text[DECIMAL_TEXT_SIZE])
{
    CHECK(places >= 0 && places <= DECIMAL_PLACES_MAX && shown <= places);
    uint64_t one = 1;
    for (int i = 0; i < places; i++) {
        one *= 10;
    }
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int length = snprintf(text, DECIMAL_TEXT_SIZE, "%s%llu", value < 0 ? "-" : "",
                          (unsigned long long)(magnitude / one));
    if (places == 0) {
        return;
    }
    length += snprintf(text + length, (size_t)(DECIMAL_TEXT_SIZE - length), ".%0*llu", places,
                       (unsigned long long)(magnitude % one));
    for (int decimals = places; decimals > shown && text[length - 1] == '0'; decimals--) {
        text[--length] = '\0';
    }
    if (text[length - 1] == '.') {
        text[length - 1] = '\0';
    }
}
