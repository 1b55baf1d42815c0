#include "base/file.h"

#include <errno.h>
#include <stdio.h>

int file_read_exact(const struct file_system *files, int file, void *bytes, size_t size,
                    uint64_t offset)
{
    uint8_t *to = bytes;
    while (size > 0) {
        int64_t got = files->pread(files->context, file, to, size, offset);
        if (got == -EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? (int)got : -ENODATA;
        }
        to += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

int file_write_exact(const struct file_system *files, int file, const void *bytes, size_t size,
                     uint64_t offset)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        int64_t done = files->pwrite(files->context, file, from, size, offset);
        if (done == -EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? (int)done : -EIO;
        }
        from += done;
        size -= (size_t)done;
        offset += (uint64_t)done;
    }
    return 0;
}

int file_replace(const struct file_system *files, const char *folder, const char *path,
                 const void *bytes, size_t size, struct error *error)
{
    char temporary[FILE_PATH_SIZE];
    if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary)) {
        return error_set(error, ERROR_INVALID, "%s: the path is too long", path);
    }
    int file = files->open(files->context, temporary, FILE_WRITE | FILE_CREATE);
    if (file < 0) {
        return error_system(error, -file, "%s", temporary);
    }
    int rc = files->truncate(files->context, file, 0);
    if (rc == 0) {
        rc = file_write_exact(files, file, bytes, size, 0);
    }
    if (rc == 0) {
        rc = files->fdatasync(files->context, file);
    }
    files->close(files->context, file);
    if (rc == 0) {
        rc = files->rename(files->context, temporary, path);
    }
    if (rc == 0) {
        rc = files->sync_folder(files->context, folder);
    }
    return rc < 0 ? error_system(error, -rc, "%s", path) : 0;
}
