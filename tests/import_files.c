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

void import_files_text(import_files_read *read, struct import_trace *trace, const char *text)
{
    struct error error;
    cr_assert_eq(import_files_bytes(read, trace, text, strlen(text), &error), 0, "%s", error.text);
    cr_assert_str_empty(import_files_said);
}

void import_files_begin(struct import_trace *trace)
{
    struct error error;
    import_trace_init(trace);
    cr_assert_eq(import_trace_models(trace, "data/models.csv", stderr, &error), 0, "%s",
                 error.text);
}

uint32_t import_files_bit(const struct import_trace *trace, const char *name)
{
    for (uint32_t i = 0; i < trace->models.count; i++) {
        if (strcmp(trace->models.models[i].name, name) == 0) {
            return UINT32_C(1) << i;
        }
    }
    cr_assert(false, "no model %s", name);
    return 0;
}

bool import_files_shared(const char *name, char path[512])
{
    const char *folder = getenv("KASHI_SHARED");
    (void)snprintf(path, 512, "%s/data/%s", folder != NULL ? folder : "../shared", name);
    return access(path, R_OK) == 0;
}
