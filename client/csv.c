#include "client/csv.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* An overlong line is passed over up to its end, if that comes within so many bytes. */
#define CSV_PASS_OVER_MAX (16u << 20)

int csv_open(struct csv *csv, const char *path, struct error *error)
{
    *csv = (struct csv){.path = path};
    csv->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (csv->file == NULL) {
        return error_system(error, errno, "%s", path);
    }
    return 0;
}

void csv_close(struct csv *csv)
{
    if (csv->file != NULL && csv->file != stdin) {
        (void)fclose(csv->file);
    }
    csv->file = NULL;
}

/* Cuts blanks at both ends. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) {
        text[--length] = '\0';
    }
    return text;
}

/* A field in quotes from behind the opening one; its text is moved together in place. Returns what
 * follows the closing quote; NULL: there is none. */
static char *quoted(char *at, char **field)
{
    *field = at;
    char *to = at;
    for (; *at != '\0'; at++) {
        if (*at == '"' && at[1] != '"') {
            *to = '\0';
            return at + 1;
        }
        at += *at == '"';
        *to++ = *at;
    }
    return NULL;
}

static int line_split(struct csv *csv, struct error *error)
{
    char *at = csv->text;
    csv->count = 0;
    for (;;) {
        if (csv->count == CSV_FIELDS_MAX) {
            return error_set(error, ERROR_INVALID, "%s:%u: more than %d fields", csv->path,
                             csv->line, CSV_FIELDS_MAX);
        }
        at += strspn(at, " \t");
        char *field = at;
        if (*at == '"') {
            at = quoted(at + 1, &field);
            if (at == NULL) {
                return error_set(error, ERROR_INVALID,
                                 "%s:%u: a quote is opened and not closed on this line", csv->path,
                                 csv->line);
            }
            at += strspn(at, " \t");
            if (*at != ',' && *at != '\0') {
                return error_set(error, ERROR_INVALID,
                                 "%s:%u: '%.8s' follows a closing quote; put a comma there or "
                                 "double the quote",
                                 csv->path, csv->line, at);
            }
        } else {
            at += strcspn(at, ",\"");
            if (*at == '"') {
                return error_set(error, ERROR_INVALID,
                                 "%s:%u: a quote inside a field that is not in quotes", csv->path,
                                 csv->line);
            }
        }
        bool last = *at == '\0';
        *at = '\0';
        csv->fields[csv->count++] = trimmed(field);
        if (last) {
            return 1;
        }
        at++;
    }
}

/* 1: a line without its end in csv->text. */
static int line_read(struct csv *csv, struct error *error)
{
    size_t length = 0;
    bool zero = false;
    int c = 0;
    csv->line++;
    /* What has no end of line, a device say, is given up here. */
    for (size_t passed = 0; passed < CSV_PASS_OVER_MAX; passed++) {
        c = getc(csv->file);
        if (c == EOF || c == '\n') {
            break;
        }
        zero = zero || c == '\0';
        if (length < CSV_LINE_SIZE) {
            csv->text[length++] = (char)c;
        }
    }
    if (ferror(csv->file)) {
        return error_system(error, errno, "%s", csv->path);
    }
    if (c == EOF && length == 0) {
        return 0;
    }
    if (length >= CSV_LINE_SIZE) {
        return error_set(error, ERROR_INVALID, "%s:%u: the line is longer than %d bytes", csv->path,
                         csv->line, CSV_LINE_SIZE - 1);
    }
    if (zero) {
        return error_set(error, ERROR_INVALID, "%s:%u: a zero byte; is this a text file?",
                         csv->path, csv->line);
    }
    length -= length > 0 && csv->text[length - 1] == '\r';
    csv->text[length] = '\0';
    if (csv->line == 1 && strncmp(csv->text, "\xef\xbb\xbf", 3) == 0) {
        memmove(csv->text, csv->text + 3, length - 2);
    }
    return 1;
}

int csv_next(struct csv *csv, struct error *error)
{
    for (;;) {
        int rc = line_read(csv, error);
        if (rc <= 0) {
            return rc;
        }
        const char *text = csv->text + strspn(csv->text, " \t");
        if (*text != '\0' && *text != '#') {
            return line_split(csv, error);
        }
    }
}

int csv_column(const struct csv *csv, const char *name)
{
    int found = -1;
    for (uint32_t i = 0; i < csv->count; i++) {
        if (strcasecmp(csv->fields[i], name) == 0) {
            found = found == -1 ? (int)i : -2;
        }
    }
    return found;
}
