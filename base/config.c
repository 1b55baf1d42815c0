#include "base/config.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct loading {
    struct config *config;
    struct error *error;
    bool failed;
};

static const char *config_find(const struct config *config, const char *section, const char *key)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct config_entry *entry = &config->entries[i];
        if (strcmp(entry->section, section) == 0 && strcmp(entry->key, key) == 0) {
            return entry->value;
        }
    }
    return NULL;
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    CHECK(copy != NULL);
    return copy;
}

/* inih's callback: 1 goes on, 0 stops with this line's number. */
static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    struct loading *loading = user;
    struct config *config = loading->config;
    if (loading->failed) {
        return 0;
    }
    if (config_find(config, section, key) != NULL) {
        error_set(loading->error, ERROR_INVALID, "%s: [%s] %s is given twice; keep one of them",
                  config->path, section, key);
        loading->failed = true;
        return 0;
    }
    if (config->count == CONFIG_ENTRIES_MAX) {
        error_set(loading->error, ERROR_INVALID, "%s: more than %d entries", config->path,
                  CONFIG_ENTRIES_MAX);
        loading->failed = true;
        return 0;
    }
    config->entries[config->count++] = (struct config_entry){
        .section = copy_text(section), .key = copy_text(key), .value = copy_text(value)};
    return 1;
}

int config_load(struct config *config, const char *path, struct error *error)
{
    memset(config, 0, sizeof(*config));
    config->path = copy_text(path);
    config->entries = calloc(CONFIG_ENTRIES_MAX, sizeof(*config->entries));
    CHECK(config->entries != NULL);
    struct loading loading = {.config = config, .error = error, .failed = false};
    errno = 0;
    int line = ini_parse(path, take_entry, &loading);
    if (line == 0) {
        return 0;
    }
    if (line < 0) {
        error_system(error, errno, "%s: cannot be read", path);
    } else if (!loading.failed) {
        error_set(error, ERROR_INVALID, "%s:%d: not a [section], a `key = value` line or a comment",
                  path, line);
    }
    config_free(config);
    return error->code;
}

void config_free(struct config *config)
{
    if (config == NULL || config->entries == NULL) {
        return;
    }
    for (size_t i = 0; i < config->count; i++) {
        free(config->entries[i].section);
        free(config->entries[i].key);
        free(config->entries[i].value);
    }
    free(config->entries);
    free(config->path);
    memset(config, 0, sizeof(*config));
}

const char *config_text(const struct config *config, const char *section, const char *key,
                        const char *otherwise)
{
    const char *value = config_find(config, section, key);
    return value != NULL ? value : otherwise;
}

int config_text_required(const struct config *config, const char *section, const char *key,
                         const char **text, struct error *error)
{
    *text = config_find(config, section, key);
    if (*text == NULL || **text == '\0') {
        return error_set(error, ERROR_NOT_FOUND, "%s: [%s] %s is missing; add `%s = ...`",
                         config->path, section, key, key);
    }
    return 0;
}

int config_int(const struct config *config, const char *section, const char *key, int64_t low,
               int64_t high, int64_t *number, struct error *error)
{
    const char *value = config_find(config, section, key);
    if (value == NULL) {
        return 0;
    }
    char *end;
    errno = 0;
    intmax_t parsed = strtoimax(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || parsed < low || parsed > high) {
        return error_set(error, ERROR_INVALID,
                         "%s: [%s] %s = %s is not a whole number within %" PRId64 " .. %" PRId64,
                         config->path, section, key, value, low, high);
    }
    *number = parsed;
    return 0;
}

int config_bool(const struct config *config, const char *section, const char *key, bool *flag,
                struct error *error)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    const char *value = config_find(config, section, key);
    if (value == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(value, words[i]) == 0) {
            *flag = i % 2 == 1;
            return 0;
        }
    }
    return error_set(error, ERROR_INVALID, "%s: [%s] %s = %s is neither yes nor no", config->path,
                     section, key, value);
}

static bool one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(*keys, key) == 0) {
            return true;
        }
    }
    return false;
}

int config_only(const struct config *config, const char *section, const char *const *keys,
                struct error *error)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct config_entry *entry = &config->entries[i];
        if (strcmp(entry->section, section) == 0 && !one_of(entry->key, keys)) {
            return error_set(error, ERROR_INVALID,
                             "%s: [%s] %s = %s: the section has no such key; docs/operations.md "
                             "lists them",
                             config->path, section, entry->key, entry->value);
        }
    }
    return 0;
}
