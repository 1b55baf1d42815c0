/* Reads CSV files that people made: comma separated, quotes doubled inside quotes, LF or CRLF, a
 * byte order mark, empty lines and lines that begin with '#'. A quoted field ends on its line.
 * Every error begins "FILE:LINE: ". One thread. */
#ifndef KASHI_CLIENT_CSV_H
#define KASHI_CLIENT_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define CSV_LINE_SIZE  4096 /* longest line with its end */
#define CSV_FIELDS_MAX 32

struct csv {
    FILE *file;
    const char *path; /* the caller's */
    uint32_t line;    /* of the fields below, from 1 */
    uint32_t count;
    char *fields[CSV_FIELDS_MAX]; /* NUL-terminated, blanks around them cut, into `text` */
    char text[CSV_LINE_SIZE];
};

/* "-" is standard input. */
int csv_open(struct csv *csv, const char *path, struct error *error);
void csv_close(struct csv *csv);
/* 1: fields; 0: the end; negative: this line is wrong (the next call goes on behind it) or the file
 * cannot be read (ERROR_IO). */
int csv_next(struct csv *csv, struct error *error);
/* Place of a column in the fields just read (a header line); -1: none, -2: it stands twice. */
int csv_column(const struct csv *csv, const char *name);

#endif
