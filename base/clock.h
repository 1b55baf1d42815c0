/* The machine's clocks, in nanoseconds. Real time counts from 1970-01-01 UTC and may jump;
 * monotonic time has no stated origin and never falls. Any thread. */
#ifndef KASHI_BASE_CLOCK_H
#define KASHI_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_realtime_ns(void);
int64_t clock_monotonic_ns(void);

/* "2026-11-21T00:00:00.000000000Z" and back. Parsing takes "2026-11-21T00:00Z",
 * "2026-11-21T00:00:00Z" and up to nine digits of a fraction; nothing else. */
#define CLOCK_TEXT_SIZE 32
void clock_format_utc(int64_t time_ns, char text[CLOCK_TEXT_SIZE]);
bool clock_parse_utc(const char *text, int64_t *time_ns);

#endif
