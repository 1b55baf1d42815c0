/* File I/O behind one small interface, so that tests can put a simulated disk underneath: one that
 * forgets what was not synced, tears writes and runs full. Functions return 0 (or what they say)
 * or a negative errno; callers add the words. Paths are relative to the instance folder.
 * One thread at a time, unless an implementation says more. */
#ifndef KASHI_BASE_FILE_H
#define KASHI_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FILE_NAME_SIZE 64
#define FILE_PATH_SIZE 256

enum file_flags {
    FILE_READ = 0,
    FILE_WRITE = 1,     /* read and write */
    FILE_CREATE = 2,    /* when it does not exist */
    FILE_EXCLUSIVE = 4, /* with FILE_CREATE: -EEXIST when it does */
};

struct file_system {
    void *context; /* the implementation's */
    /* A handle of 0 or more. */
    int (*open)(void *context, const char *path, unsigned flags);
    void (*close)(void *context, int file);
    /* Bytes read or written; fewer than asked at the end of the file or when interrupted. */
    int64_t (*pread)(void *context, int file, void *bytes, size_t size, uint64_t offset);
    int64_t (*pwrite)(void *context, int file, const void *bytes, size_t size, uint64_t offset);
    int (*fdatasync)(void *context, int file);
    int (*truncate)(void *context, int file, uint64_t size);
    int64_t (*size)(void *context, int file);
    int (*rename)(void *context, const char *from, const char *to);
    int (*unlink)(void *context, const char *path);
    int (*mkdir)(void *context, const char *path); /* 0 when it exists already */
    /* Names of the folder's plain files in order of their bytes, at most `capacity`; the count of
     * all of them is returned. */
    int (*list)(void *context, const char *path, char (*names)[FILE_NAME_SIZE], int capacity);
    /* Makes created, renamed and unlinked names of the folder durable. */
    int (*sync_folder)(void *context, const char *path);
};

/* The real one. Any thread. */
const struct file_system *file_posix(void);

/* The whole range or a negative errno; -ENODATA when a file ends before the read does. */
int file_read_exact(const struct file_system *files, int file, void *bytes, size_t size,
                    uint64_t offset);
int file_write_exact(const struct file_system *files, int file, const void *bytes, size_t size,
                     uint64_t offset);
/* Replaces `path` by a file of these bytes, durably and all at once: written beside it, synced,
 * renamed. `folder` is the one that `path` is in ("." for the instance folder). */
int file_replace(const struct file_system *files, const char *folder, const char *path,
                 const void *bytes, size_t size, struct error *error);

#endif
