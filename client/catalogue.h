/* A provider's catalogue: a CSV file with the columns class, region, tier, from, hours, gpus, price and
 * resource, one line for a run of hours. The whole file is checked before anything is sent; each wrong
 * line is named with its number, the field and what to write instead. One thread. */
#ifndef KASHI_CLIENT_CATALOGUE_H
#define KASHI_CLIENT_CATALOGUE_H

#include "client/cli.h"

#define CATALOGUE_LINES_MAX 100000
#define CATALOGUE_HOURS_MAX 840

struct catalogue_line {
    char symbol[SYMBOL_SIZE]; /* of the first hour */
    char *resource;           /* as written */
    uint32_t resource_id;
    uint32_t line; /* of the file */
    uint32_t hour;
    uint32_t hours;
    uint32_t first; /* place of its first order among all */
    int64_t gpus;
    int64_t price_e4;
};
struct catalogue {
    const char *path;
    struct catalogue_line *lines;
    uint32_t count;
    uint32_t capacity;
    uint32_t orders;
    uint32_t wrong; /* lines that were refused by the reader */
};

/* Reads and checks all lines; `resource` (NULL: none) is that of lines that name none; complaints about single lines go to `complaints`, the first
 * CATALOGUE_COMPLAINTS_MAX of them. Negative when the file cannot be read as a catalogue at all. */
#define CATALOGUE_COMPLAINTS_MAX 50
int catalogue_read(struct catalogue *catalogue, const char *path, int64_t now_ns,
                   const char *resource, FILE *complaints, struct error *error);
void catalogue_free(struct catalogue *catalogue);
/* `kashi offer --catalogue PATH`. */
int catalogue_post(struct cli *cli, const char *path);

#endif
