/* Symbols as people give them: whole (`H100.CN-GZ.G80.20261121T14Z`) or in parts. Only the form is
 * checked here; whether class and region exist is for the exchange to say. Any thread. */
#ifndef KASHI_CLIENT_SYMBOL_H
#define KASHI_CLIENT_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/contract.h"

struct symbol_parts {
    const char *dashes; /* in front of a part's name in errors: "--" for options, "" for columns */
    const char *whole;  /* NULL or the whole symbol; then no part is given */
    const char *class_name;
    const char *region;
    const char *tier;
    const char *hour;
};

/* A delivery hour: "2026-11-21T14" (also with ":00", "Z", a blank for the T), "20261121T14Z", or
 * "+3", that many hours after the one in which `now_ns` lies. ERROR_INVALID with a sentence. */
int symbol_hour_parse(const char *text, int64_t now_ns, uint32_t *hour, struct error *error);
/* A delivery day, "2026-11-21" or "20261121", as days since 1970-01-01. */
int symbol_day_parse(const char *text, uint32_t *day, struct error *error);
/* "2026-11-21T14Z", the form in which tables show hours. */
#define SYMBOL_HOUR_SIZE 15
void symbol_hour_show(uint32_t hour, char text[SYMBOL_HOUR_SIZE]);

/* Writes the symbol; its error names the part that is missing or wrong and what to give. */
int symbol_complete(const struct symbol_parts *parts, int64_t now_ns, char symbol[SYMBOL_SIZE],
                    struct error *error);
/* The hour of a whole symbol; the symbol with another hour. False: it is not whole. */
bool symbol_hour(const char *symbol, uint32_t *hour);
bool symbol_with_hour(char symbol[SYMBOL_SIZE], uint32_t hour);

#endif
