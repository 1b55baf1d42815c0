/* Configuration and key files in ini form, read whole at the start:
 *
 *     [exchange]
 *     durability = sync      ; a comment
 *     [gateway.east]
 *     clients = tcp://127.0.0.1:*
 *
 * Values without a section stand in section "". A key that is given twice is refused. Errors name
 * file, section, key, value and what to write instead. Texts belong to the config and live until
 * config_free. One thread. */
#ifndef KASHI_BASE_CONFIG_H
#define KASHI_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CONFIG_ENTRIES_MAX 1024

struct config_entry {
    char *section;
    char *key;
    char *value;
};

struct config {
    char *path;
    struct config_entry *entries;
    size_t count;
};

int config_load(struct config *config, const char *path, struct error *error);
void config_free(struct config *config); /* NULL is fine */

/* The value or, where the key is not given, `otherwise` (may be NULL). */
const char *config_text(const struct config *config, const char *section, const char *key,
                        const char *otherwise);
/* As above, but a missing key is an error (ERROR_NOT_FOUND). */
int config_text_required(const struct config *config, const char *section, const char *key,
                         const char **text, struct error *error);
/* *number already holds the default. A number that is none, or outside low .. high, is an error. */
int config_int(const struct config *config, const char *section, const char *key, int64_t low,
               int64_t high, int64_t *number, struct error *error);
/* yes/no, true/false, on/off, 1/0; *flag already holds the default. */
int config_bool(const struct config *config, const char *section, const char *key, bool *flag,
                struct error *error);
/* Refuses a key of the section that is not one of `keys` (ended by NULL): it would have no effect, and
 * who wrote it would not know. */
int config_only(const struct config *config, const char *section, const char *const *keys,
                struct error *error);

#endif
