#include "tests/import_files.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char import_files_said[IMPORT_FILES_SAID_SIZE];

int import_files_bytes(import_files_read *read, struct import_trace *trace, const char *bytes,
                       size_t length, struct error *error)
{
    char path[] = "/tmp/kashi-import.XXXXXX";
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, bytes, length), (ssize_t)length);
    (void)close(file);
    FILE *out = tmpfile();
    cr_assert_not_null(out);
    int rc = read(trace, path, out, error);
    rewind(out);
    size_t used = 0;
    char line[1024];
    while (fgets(line, sizeof line, out) != NULL) {
        cr_assert_eq(strncmp(line, path, strlen(path)), 0, "%s", line);
        used += (size_t)snprintf(import_files_said + used, IMPORT_FILES_SAID_SIZE - used, "%s",
                                 line + strlen(path) + 1);
        cr_assert_lt(used, (size_t)IMPORT_FILES_SAID_SIZE);
    }
    import_files_said[used] = '\0';
    (void)fclose(out);
    (void)unlink(path);
    return rc;
}
