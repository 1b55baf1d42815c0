#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int posix_open(void *context, const char *path, unsigned flags)
{
    (void)context;
    int how = flags & FILE_WRITE ? O_RDWR : O_RDONLY;
    how |= flags & FILE_CREATE ? O_CREAT : 0;
    how |= flags & FILE_EXCLUSIVE ? O_EXCL : 0;
    int file = open(path, how | O_CLOEXEC, 0644);
    return file < 0 ? -errno : file;
}

static void posix_close(void *context, int file)
{
    (void)context;
    close(file);
}

static int64_t posix_pread(void *context, int file, void *bytes, size_t size, uint64_t offset)
{
    (void)context;
    ssize_t got = pread(file, bytes, size, (off_t)offset);
    return got < 0 ? -errno : got;
}

static int64_t posix_pwrite(void *context, int file, const void *bytes, size_t size,
                            uint64_t offset)
{
    (void)context;
    ssize_t done = pwrite(file, bytes, size, (off_t)offset);
    return done < 0 ? -errno : done;
}

static int posix_fdatasync(void *context, int file)
{
    (void)context;
    return fdatasync(file) < 0 ? -errno : 0;
}

static int posix_truncate(void *context, int file, uint64_t size)
{
    (void)context;
    return ftruncate(file, (off_t)size) < 0 ? -errno : 0;
}

static int64_t posix_size(void *context, int file)
{
    (void)context;
    struct stat status;
    return fstat(file, &status) < 0 ? -errno : status.st_size;
}

static int posix_rename(void *context, const char *from, const char *to)
{
    (void)context;
    return rename(from, to) < 0 ? -errno : 0;
}

static int posix_unlink(void *context, const char *path)
{
    (void)context;
    return unlink(path) < 0 ? -errno : 0;
}

static int posix_mkdir(void *context, const char *path)
{
    (void)context;
    return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int posix_list(void *context, const char *path, char (*names)[FILE_NAME_SIZE], int capacity)
{
    (void)context;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return -errno;
    }
    int count = 0;
    int kept = 0;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || entry->d_type == DT_DIR || length >= FILE_NAME_SIZE) {
            continue;
        }
        if (count++ < capacity) {
            memcpy(names[kept++], entry->d_name, length + 1);
        }
    }
    int failed = errno;
    closedir(folder);
    if (failed != 0) {
        return -failed;
    }
    if (kept > 0) {
        qsort(names, (size_t)kept, FILE_NAME_SIZE, name_compare);
    }
    return count;
}

static int posix_sync_folder(void *context, const char *path)
{
    (void)context;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return -errno;
    }
    int rc = fsync(folder) < 0 ? -errno : 0;
    close(folder);
    return rc;
}

const struct file_system *file_posix(void)
{
    static const struct file_system posix = {
        .context = NULL,
        .open = posix_open,
        .close = posix_close,
        .pread = posix_pread,
        .pwrite = posix_pwrite,
        .fdatasync = posix_fdatasync,
        .truncate = posix_truncate,
        .size = posix_size,
        .rename = posix_rename,
        .unlink = posix_unlink,
        .mkdir = posix_mkdir,
        .list = posix_list,
        .sync_folder = posix_sync_folder,
    };
    return &posix;
}
