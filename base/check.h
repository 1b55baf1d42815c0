/* A programmer's error ends the process, in release builds too: an exchange that
 * is wrong must stop, not go on. Operating errors are return codes (base/error.h).
 * The one base header that the cores may include. Any thread. */
#ifndef KASHI_BASE_CHECK_H
#define KASHI_BASE_CHECK_H

/* Prints "file:line: check failed: expression" to stderr and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *expression);

#define CHECK(condition)                                                                           \
    ((__builtin_expect(!!(condition), 1)) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#endif
