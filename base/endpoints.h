/* NAME.endpoints in the instance folder: where a process listens, written when it is ready to
 * serve and complete at any moment. Lines `key = tcp://127.0.0.1:40123`. One thread. */
#ifndef KASHI_BASE_ENDPOINTS_H
#define KASHI_BASE_ENDPOINTS_H

#include <stddef.h>

#include "base/error.h"

#define ENDPOINT_SIZE 128 /* longest endpoint with its NUL */
#define ENDPOINTS_MAX 16

struct endpoint {
    char key[32];
    char address[ENDPOINT_SIZE];
};

int endpoints_write(const char *name, const struct endpoint *endpoints, size_t count,
                    struct error *error);
/* ERROR_NOT_FOUND when there is no file (not ready yet) or no such key in it. */
int endpoints_read(const char *name, const char *key, char address[ENDPOINT_SIZE],
                   struct error *error);
/* For a process that begins or ends: nobody shall take an old file for readiness. */
void endpoints_remove(const char *name);

#endif
