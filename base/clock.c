#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

#define NS_PER_S INT64_C(1000000000)

static int64_t clock_read(clockid_t id)
{
    struct timespec now;
    CHECK(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_realtime_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

void clock_format_utc(int64_t time_ns, char text[CLOCK_TEXT_SIZE])
{
    int64_t seconds = time_ns / NS_PER_S;
    int64_t fraction_ns = time_ns % NS_PER_S;
    if (fraction_ns < 0) { /* times before 1970 count down to the second */
        seconds--;
        fraction_ns += NS_PER_S;
    }
    time_t whole = (time_t)seconds;
    struct tm utc;
    gmtime_r(&whole, &utc);
    size_t length = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + length, CLOCK_TEXT_SIZE - length, ".%09dZ", (int)fraction_ns);
}

/* Exactly `digits` digits, within low .. high. */
static bool take_number(const char **text, int digits, int low, int high, int *number)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *text += digits;
    *number = value;
    return value >= low && value <= high;
}

static bool take_char(const char **text, char expected)
{
    if (**text != expected) {
        return false;
    }
    (*text)++;
    return true;
}

static bool take_fraction(const char **text, int64_t *fraction_ns)
{
    int64_t scale = NS_PER_S;
    int64_t value = 0;
    const char *start = *text;
    while (**text >= '0' && **text <= '9' && scale > 1) {
        scale /= 10;
        value += (**text - '0') * scale;
        (*text)++;
    }
    *fraction_ns = value;
    return *text != start;
}

bool clock_parse_utc(const char *text, int64_t *time_ns)
{
    struct tm utc;
    memset(&utc, 0, sizeof(utc));
    int year, month;
    if (!take_number(&text, 4, 1970, 2200, &year) || !take_char(&text, '-') ||
        !take_number(&text, 2, 1, 12, &month) || !take_char(&text, '-') ||
        !take_number(&text, 2, 1, 31, &utc.tm_mday) || !take_char(&text, 'T') ||
        !take_number(&text, 2, 0, 23, &utc.tm_hour) || !take_char(&text, ':') ||
        !take_number(&text, 2, 0, 59, &utc.tm_min)) {
        return false;
    }
    int64_t fraction_ns = 0;
    if (take_char(&text, ':')) {
        if (!take_number(&text, 2, 0, 59, &utc.tm_sec)) {
            return false;
        }
        if (take_char(&text, '.') && !take_fraction(&text, &fraction_ns)) {
            return false;
        }
    }
    if (!take_char(&text, 'Z') || *text != '\0') {
        return false;
    }
    utc.tm_year = year - 1900;
    utc.tm_mon = month - 1;
    int day = utc.tm_mday;
    time_t seconds = timegm(&utc);
    if (utc.tm_mday != day) { /* 30 February */
        return false;
    }
    *time_ns = (int64_t)seconds * NS_PER_S + fraction_ns;
    return true;
}
