/* Decimal numbers of people as scaled integers, exactly: no floating point, nothing is rounded.
 * Pure; any thread. */
#ifndef KASHI_CLIENT_DECIMAL_H
#define KASHI_CLIENT_DECIMAL_H

#include <stdint.h>

#define DECIMAL_E4_PLACES  4 /* of prices and money in yuan */
#define DECIMAL_PLACES_MAX 9
#define DECIMAL_TEXT_SIZE  40

enum decimal_result {
    DECIMAL_OK = 0,
    DECIMAL_NOT_A_NUMBER = 1,
    DECIMAL_TOO_MANY_PLACES = 2,
    DECIMAL_TOO_LARGE = 3,
};

/* "16.40" with 4 places is 164000. Takes a sign and a ¥ (half or full width) in front, digits, and at
 * most `places` digits behind one full stop; nothing else. *value stays as it is on failure. */
enum decimal_result decimal_parse(const char *text, int places, int64_t *value);
/* Why, for people: "is not a number", "has more than 4 decimals", … `text` is the caller's. */
void decimal_explain(enum decimal_result result, int places, char *text, int size);

/* 164000 with 4 places is "16.40": at least `shown` decimals, more where they are not zero. */
void decimal_format(int64_t value, int places, int shown, char text[DECIMAL_TEXT_SIZE]);

#endif
