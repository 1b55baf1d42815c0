#include "tests/sim_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static struct sim_disk_name *name_find(struct sim_disk_name *names, const char *path)
{
    for (int i = 0; i < SIM_DISK_FILES_MAX; i++) {
        if (names[i].file >= 0 && strcmp(names[i].path, path) == 0) {
            return &names[i];
        }
    }
    return NULL;
}

static void name_remove(struct sim_disk_name *names, const char *path)
{
    struct sim_disk_name *name = name_find(names, path);
    if (name != NULL) {
        name->file = -1;
    }
}

static void name_put(struct sim_disk_name *names, const char *path, int file)
{
    struct sim_disk_name *name = name_find(names, path);
    for (int i = 0; name == NULL && i < SIM_DISK_FILES_MAX; i++) {
        name = names[i].file < 0 ? &names[i] : NULL;
    }
    CHECK(name != NULL && strlen(path) < sizeof(name->path));
    memcpy(name->path, path, strlen(path) + 1);
    name->file = file;
}

static void change_apply(struct sim_disk_name *names, const struct sim_disk_change *change)
{
    if (change->from[0] != '\0') {
        name_remove(names, change->from);
    }
    if (change->to[0] != '\0') {
        name_put(names, change->to, change->file);
    }
}

static void change_names(struct sim_disk *disk, const char *from, const char *to, int file)
{
    CHECK(disk->change_count < SIM_DISK_CHANGES);
    struct sim_disk_change *change = &disk->changes[disk->change_count++];
    memset(change, 0, sizeof(*change));
    memcpy(change->from, from, strlen(from));
    memcpy(change->to, to, strlen(to));
    change->file = file;
    change_apply(disk->live, change);
}

/* Whether power is on for one more change. */
static bool power(struct sim_disk *disk)
{
    if (!disk->off && disk->changes_left != SIM_DISK_NO_FAILURE && disk->changes_left-- == 0) {
        disk->off = true;
    }
    return !disk->off;
}

static void grow(uint8_t **bytes, size_t *size, size_t want)
{
    if (want > *size) {
        *bytes = realloc(*bytes, want);
        CHECK(*bytes != NULL);
        memset(*bytes + *size, 0, want - *size);
        *size = want;
    }
}

static int disk_open(void *context, const char *path, unsigned flags)
{
    struct sim_disk *disk = context;
    const struct sim_disk_name *name = name_find(disk->live, path);
    if (disk->off) {
        return -EIO;
    }
    if (name != NULL) {
        return flags & FILE_EXCLUSIVE ? -EEXIST : name->file;
    }
    if (!(flags & FILE_CREATE)) {
        return -ENOENT;
    }
    if (!power(disk)) {
        return -EIO;
    }
    CHECK(disk->file_count < SIM_DISK_FILES_MAX);
    change_names(disk, "", path, disk->file_count);
    return disk->file_count++;
}

static void disk_close(void *context, int file)
{
    const struct sim_disk *disk = context;
    CHECK(file >= 0 && file < disk->file_count);
}

static int64_t disk_pread(void *context, int file, void *bytes, size_t size, uint64_t offset)
{
    struct sim_disk *disk = context;
    const struct sim_disk_file *from = &disk->file[file];
    if (disk->off) {
        return -EIO;
    }
    if (offset >= from->live_size) {
        return 0;
    }
    size_t left = from->live_size - offset;
    size_t got = size < left ? size : left;
    memcpy(bytes, from->live + offset, got);
    return (int64_t)got;
}

static uint64_t bytes_used(const struct sim_disk *disk)
{
    uint64_t used = 0;
    for (int i = 0; i < SIM_DISK_FILES_MAX; i++) {
        used += disk->live[i].file >= 0 ? disk->file[disk->live[i].file].live_size : 0;
    }
    return used;
}

static size_t sector_end(const struct sim_disk_file *file, size_t at)
{
    return at + SIM_DISK_SECTOR < file->live_size ? at + SIM_DISK_SECTOR : file->live_size;
}

static bool is_forgotten(const struct sim_disk_file *file, size_t at)
{
    return at / SIM_DISK_SECTOR < file->forgotten_size &&
           file->forgotten[at / SIM_DISK_SECTOR] != 0;
}

static void set_forgotten(struct sim_disk_file *file, size_t at, uint8_t forgotten)
{
    grow(&file->forgotten, &file->forgotten_size, at / SIM_DISK_SECTOR + 1);
    file->forgotten[at / SIM_DISK_SECTOR] = forgotten;
}

static int64_t disk_pwrite(void *context, int file, const void *bytes, size_t size, uint64_t offset)
{
    struct sim_disk *disk = context;
    struct sim_disk_file *to = &disk->file[file];
    if (!power(disk)) {
        /* Some of it may still have been on its way. */
        size = random_below(&disk->random, size + 1);
    }
    if (offset + size > to->live_size) {
        uint64_t more = offset + size - to->live_size;
        uint64_t left = disk->capacity - bytes_used(disk);
        if (more > left) {
            if (size <= more - left) {
                return -ENOSPC;
            }
            size -= more - left;
        }
        grow(&to->live, &to->live_size, offset + size);
    }
    memcpy(to->live + offset, bytes, size);
    for (size_t at = offset / SIM_DISK_SECTOR * SIM_DISK_SECTOR; at < offset + size;
         at += SIM_DISK_SECTOR) {
        set_forgotten(to, at, 0);
    }
    return disk->off ? -EIO : (int64_t)size;
}

/* Makes one sector durable as it stands, unless it is believed to be. */
static void sector_sync(struct sim_disk_file *file, size_t at)
{
    if (is_forgotten(file, at)) {
        return;
    }
    size_t end = sector_end(file, at);
    grow(&file->durable, &file->durable_size, end);
    memcpy(file->durable + at, file->live + at, end - at);
}

static int disk_fdatasync(void *context, int file)
{
    struct sim_disk *disk = context;
    struct sim_disk_file *synced = &disk->file[file];
    if (!power(disk)) {
        return -EIO;
    }
    bool fails = disk->syncs_left != SIM_DISK_NO_FAILURE && disk->syncs_left-- == 0;
    for (size_t at = 0; at < synced->live_size; at += SIM_DISK_SECTOR) {
        if (!fails || random_below(&disk->random, 2) == 0) {
            sector_sync(synced, at);
        } else if (at >= synced->durable_size ||
                   memcmp(synced->live + at, synced->durable + at, sector_end(synced, at) - at)) {
            set_forgotten(synced, at, 1);
        }
    }
    if (fails) {
        disk->syncs_left = SIM_DISK_NO_FAILURE;
        return -EIO;
    }
    if (synced->durable_size > synced->live_size) { /* truncated since */
        synced->durable_size = synced->live_size;
    }
    return 0;
}

static int disk_truncate(void *context, int file, uint64_t size)
{
    struct sim_disk *disk = context;
    struct sim_disk_file *cut = &disk->file[file];
    if (!power(disk)) {
        return -EIO;
    }
    if (size < cut->live_size) {
        cut->live_size = size;
    }
    grow(&cut->live, &cut->live_size, size);
    return 0;
}

static int64_t disk_size(void *context, int file)
{
    const struct sim_disk *disk = context;
    return disk->off ? -EIO : (int64_t)disk->file[file].live_size;
}

static int disk_rename(void *context, const char *from, const char *to)
{
    struct sim_disk *disk = context;
    if (!power(disk)) {
        return -EIO;
    }
    const struct sim_disk_name *name = name_find(disk->live, from);
    if (name == NULL) {
        return -ENOENT;
    }
    change_names(disk, from, to, name->file);
    return 0;
}

static int disk_unlink(void *context, const char *path)
{
    struct sim_disk *disk = context;
    if (!power(disk)) {
        return -EIO;
    }
    if (name_find(disk->live, path) == NULL) {
        return -ENOENT;
    }
    change_names(disk, path, "", -1);
    return 0;
}

static int disk_mkdir(void *context, const char *path)
{
    struct sim_disk *disk = context;
    (void)path; /* a folder is what stands before the last slash of a name */
    return power(disk) ? 0 : -EIO;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int disk_list(void *context, const char *path, char (*names)[FILE_NAME_SIZE], int capacity)
{
    const struct sim_disk *disk = context;
    size_t length = strlen(path);
    int count = 0;
    int kept = 0;
    if (disk->off) {
        return -EIO;
    }
    for (int i = 0; i < SIM_DISK_FILES_MAX; i++) {
        const struct sim_disk_name *name = &disk->live[i];
        if (name->file < 0 || strncmp(name->path, path, length) != 0 || name->path[length] != '/') {
            continue;
        }
        if (count++ < capacity) {
            const char *base = name->path + length + 1;
            CHECK(strlen(base) < FILE_NAME_SIZE);
            memcpy(names[kept++], base, strlen(base) + 1);
        }
    }
    if (kept > 0) {
        qsort(names, (size_t)kept, FILE_NAME_SIZE, name_compare);
    }
    return count;
}

static int disk_sync_folder(void *context, const char *path)
{
    struct sim_disk *disk = context;
    (void)path; /* one folder is enough: its names are synced with all others */
    if (!power(disk)) {
        return -EIO;
    }
    for (int i = 0; i < disk->change_count; i++) {
        change_apply(disk->durable, &disk->changes[i]);
    }
    disk->change_count = 0;
    return 0;
}

void sim_disk_init(struct sim_disk *disk, uint64_t seed)
{
    memset(disk, 0, sizeof(*disk));
    random_seed(&disk->random, seed);
    for (int i = 0; i < SIM_DISK_FILES_MAX; i++) {
        disk->live[i].file = disk->durable[i].file = -1;
    }
    disk->changes_left = disk->syncs_left = SIM_DISK_NO_FAILURE;
    disk->capacity = UINT64_C(1) << 40;
    disk->files = (struct file_system){
        .context = disk,
        .open = disk_open,
        .close = disk_close,
        .pread = disk_pread,
        .pwrite = disk_pwrite,
        .fdatasync = disk_fdatasync,
        .truncate = disk_truncate,
        .size = disk_size,
        .rename = disk_rename,
        .unlink = disk_unlink,
        .mkdir = disk_mkdir,
        .list = disk_list,
        .sync_folder = disk_sync_folder,
    };
}

void sim_disk_free(struct sim_disk *disk)
{
    for (int i = 0; i < disk->file_count; i++) {
        free(disk->file[i].live);
        free(disk->file[i].durable);
        free(disk->file[i].forgotten);
    }
    disk->file_count = 0;
}

void sim_disk_crash(struct sim_disk *disk)
{
    /* Of unsynced sectors none, all, or some have made it; of names a prefix of the changes. */
    uint64_t chance = random_below(&disk->random, 5);
    for (int i = 0; i < disk->file_count; i++) {
        struct sim_disk_file *file = &disk->file[i];
        for (size_t at = 0; at < file->live_size; at += SIM_DISK_SECTOR) {
            if (random_below(&disk->random, 4) < chance) {
                sector_sync(file, at);
            }
        }
        file->live_size = 0;
        grow(&file->live, &file->live_size, file->durable_size);
        if (file->durable_size > 0) {
            memcpy(file->live, file->durable, file->durable_size);
        }
        file->forgotten_size = 0;
    }
    int kept = (int)random_below(&disk->random, (uint64_t)disk->change_count + 1);
    for (int i = 0; i < kept; i++) {
        change_apply(disk->durable, &disk->changes[i]);
    }
    disk->change_count = 0;
    memcpy(disk->live, disk->durable, sizeof(disk->live));
    disk->changes_left = disk->syncs_left = SIM_DISK_NO_FAILURE;
    disk->off = false;
}

void sim_disk_kill(struct sim_disk *disk)
{
    disk->changes_left = disk->syncs_left = SIM_DISK_NO_FAILURE;
    disk->off = false;
}

void sim_disk_rot(struct sim_disk *disk, const char *path, uint64_t offset, unsigned bit)
{
    const struct sim_disk_name *name = name_find(disk->live, path);
    CHECK(name != NULL && offset < disk->file[name->file].live_size);
    uint8_t *byte = disk->file[name->file].live + offset;
    *byte = (uint8_t)(*byte ^ 1U << bit % 8);
    sector_sync(&disk->file[name->file], offset / SIM_DISK_SECTOR * SIM_DISK_SECTOR);
}

bool sim_disk_exists(const struct sim_disk *disk, const char *path)
{
    for (int i = 0; i < SIM_DISK_FILES_MAX; i++) {
        if (disk->live[i].file >= 0 && strcmp(disk->live[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}
