#include "base/endpoints.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/config.h"
#include "base/file.h"

static void endpoints_path(const char *name, char path[FILE_PATH_SIZE])
{
    CHECK(snprintf(path, FILE_PATH_SIZE, "%s.endpoints", name) < FILE_PATH_SIZE);
}

int endpoints_write(const char *name, const struct endpoint *endpoints, size_t count,
                    struct error *error)
{
    CHECK(count <= ENDPOINTS_MAX);
    char text[ENDPOINTS_MAX * (sizeof(struct endpoint) + 4)];
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        int line = snprintf(text + length, sizeof(text) - length, "%s = %s\n", endpoints[i].key,
                            endpoints[i].address);
        length += (size_t)line;
        CHECK(length < sizeof(text));
    }
    char path[FILE_PATH_SIZE];
    endpoints_path(name, path);
    return file_replace(file_posix(), ".", path, text, length, error);
}

int endpoints_read(const char *name, const char *key, char address[ENDPOINT_SIZE],
                   struct error *error)
{
    char path[FILE_PATH_SIZE];
    endpoints_path(name, path);
    if (access(path, R_OK) != 0) {
        const char *slash = strrchr(name, '/');
        return error_set(error, ERROR_NOT_FOUND, "%s: not there; is %s running?", path,
                         slash != NULL ? slash + 1 : name);
    }
    struct config config;
    if (config_load(&config, path, error) < 0) {
        return error->code;
    }
    const char *text;
    int rc = config_text_required(&config, "", key, &text, error);
    if (rc == 0 && strlen(text) >= ENDPOINT_SIZE) {
        rc = error_set(error, ERROR_INVALID, "%s: %s is too long", path, key);
    }
    if (rc == 0) {
        memcpy(address, text, strlen(text) + 1);
    }
    config_free(&config);
    return rc;
}

void endpoints_remove(const char *name)
{
    char path[FILE_PATH_SIZE];
    endpoints_path(name, path);
    unlink(path);
}
