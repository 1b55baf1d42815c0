#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

int error_set(struct error *error, int code, const char *format, ...)
{
    CHECK(code < 0);
    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return code;
}

int error_system(struct error *error, int system_errno, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    error->code = ERROR_IO;
    size_t length = strlen(error->text);
    (void)snprintf(error->text + length, sizeof(error->text) - length, ": %s",
                   strerror(system_errno));
    return ERROR_IO;
}

int error_context(struct error *error, const char *format, ...)
{
    CHECK(error->code < 0);
    char text[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t length = strlen(text);
    if (length + 2 < sizeof(text)) {
        (void)snprintf(text + length, sizeof(text) - length, ": %.*s",
                       (int)(sizeof(text) - length - 3), error->text);
    }
    memcpy(error->text, text, sizeof(text));
    return error->code;
}
