/* The command line of one `kashi` command: which options it takes, what was given, and help. Options
 * of a command are those that it names itself and, where it sends a request, the fields of that
 * request's message (docs/protocol.md) under the same names: `min_qty` is --min-qty, and what the
 * protocol counts in scaled integers is given in decimals without the suffix (`price_e4` is --price).
 * Texts belong to argv. One thread. */
#ifndef KASHI_CLIENT_ARGUMENTS_H
#define KASHI_CLIENT_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "wire/codec.h"

#define ARGUMENTS_MAX          128 /* a SET may have 64 legs */
#define ARGUMENTS_NAME_SIZE    32
#define ARGUMENTS_EXAMPLES_MAX 5

struct arguments_option {
    const char *name;  /* without the dashes */
    const char *value; /* what help calls its value; NULL: a flag */
    const char *help;
};

struct cli;
struct arguments_command {
    const char *name;
    const char *summary;
    /* Names of the options that may be given without their name, in this order; "…" behind the last:
     * any number of it. */
    const char *positional[3];
    const struct arguments_option *options; /* ends with a NULL name; NULL: none of its own */
    const char *examples[ARGUMENTS_EXAMPLES_MAX];
    uint8_t request; /* enum request_type whose fields are options; 0: none */
    const char *const
        *hidden; /* fields that the command fills itself; ends with NULL; NULL: none */
    int (*run)(struct cli *cli);
};

struct arguments_value {
    char name[ARGUMENTS_NAME_SIZE];
    const char *text; /* "" for a flag */
};
struct arguments {
    const struct arguments_command *command;
    uint32_t count;
    struct arguments_value values[ARGUMENTS_MAX];
};

/* ERROR_INVALID with a sentence that names the option, the value and what to give instead. */
int arguments_parse(struct arguments *arguments, const struct arguments_command *command, int argc,
                    char **argv, struct error *error);
/* What was given for an option, the last one if several; NULL: not given. */
const char *arguments_get(const struct arguments *arguments, const char *name);
bool arguments_given(const struct arguments *arguments, const char *name);
/* *number already holds the default; whole numbers within low .. high. */
int arguments_number(const struct arguments *arguments, const char *name, int64_t low, int64_t high,
                     int64_t *number, struct error *error);
void arguments_help(const struct arguments_command *command, const char *program, FILE *out);

#endif
