/* Operating errors: a code for the program and a sentence for people. A function that can fail
 * returns 0 or one of these codes and fills the caller's `struct error`; every caller on the way up
 * may put context in front: "exchange: journal/0000000001.segment: No space left on device".
 * The struct is the caller's storage; text that does not fit is cut. Any thread, one at a time. */
#ifndef KASHI_BASE_ERROR_H
#define KASHI_BASE_ERROR_H

#include <stddef.h>

#define ERROR_TEXT_SIZE 512

enum error_code {
    ERROR_IO = -1,        /* the system refused: disk, socket, memory */
    ERROR_INVALID = -2,   /* a value that a person gave is wrong */
    ERROR_NOT_FOUND = -3, /* what was named does not exist */
    ERROR_CORRUPT = -4,   /* bytes are not what was once written */
    ERROR_FULL = -5,      /* a bound was reached */
    ERROR_AGAIN = -6,     /* not now; later it may work */
    ERROR_LOST = -7,      /* the other side is gone */
    ERROR_MISMATCH = -8,  /* two parts that should fit do not (versions, table sizes) */
};

struct error {
    int code; /* 0: none */
    char text[ERROR_TEXT_SIZE];
};

/* Sets code and text; returns the code. */
int error_set(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with ERROR_IO and ": " and the system's words for `system_errno` behind the text. */
int error_system(struct error *error, int system_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "context: " in front of the text; returns the code that is set. */
int error_context(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
