/* Log lines on stderr: "2026-11-21T00:00:00.123Z kashi-exchange info: sentence". One write a line,
 * so that the lines of processes that share a file do not mix. Any thread. */
#ifndef KASHI_BASE_LOG_H
#define KASHI_BASE_LOG_H

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
