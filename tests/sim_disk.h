/* A simulated disk behind struct file_system. What was written and not synced may be lost at a
 * crash, sector by sector; names that were created or renamed need sync_folder. Power can fail
 * after any number of changes, the disk can run full, a sync can fail (and then, as real kernels
 * do, forget what it had to write: programs go on seeing it, no later sync writes it). Deterministic by its seed. One thread. */
#ifndef KASHI_TESTS_SIM_DISK_H
#define KASHI_TESTS_SIM_DISK_H

#include "base/file.h"
#include "base/random.h"

#define SIM_DISK_FILES_MAX  512
#define SIM_DISK_CHANGES    64
#define SIM_DISK_SECTOR     512
#define SIM_DISK_NO_FAILURE UINT64_MAX

struct sim_disk_file {
    uint8_t *live;      /* what programs see */
    uint8_t *durable;   /* what a crash leaves */
    uint8_t *forgotten; /* a byte a sector: 1: a failed sync took it for written */
    size_t live_size;
    size_t durable_size;
    size_t forgotten_size;
};

struct sim_disk_name {
    char path[FILE_PATH_SIZE];
    int file; /* index into files; -1: the name is free */
};

/* A change of names that no sync_folder has made durable yet. */
struct sim_disk_change {
    char from[FILE_PATH_SIZE]; /* "": created */
    char to[FILE_PATH_SIZE];   /* "": removed */
    int file;
};

struct sim_disk {
    struct file_system files;
    struct random random;
    struct sim_disk_file file[SIM_DISK_FILES_MAX];
    int file_count;
    struct sim_disk_name live[SIM_DISK_FILES_MAX];
    struct sim_disk_name durable[SIM_DISK_FILES_MAX];
    struct sim_disk_change changes[SIM_DISK_CHANGES];
    int change_count;
    uint64_t changes_left; /* until power fails; SIM_DISK_NO_FAILURE */
    uint64_t syncs_left;   /* until one sync fails */
    uint64_t capacity;     /* bytes of all files */
    bool off;              /* power has failed: everything is -EIO until the crash */
};

void sim_disk_init(struct sim_disk *disk, uint64_t seed);
void sim_disk_free(struct sim_disk *disk);
/* Power fails (if it has not) and comes back: what is left is what had reached the disk. */
void sim_disk_crash(struct sim_disk *disk);
/* The process was killed, the machine goes on: nothing is lost, and nothing more is synced. */
void sim_disk_kill(struct sim_disk *disk);
/* Flips one bit of a file, live and durable. */
void sim_disk_rot(struct sim_disk *disk, const char *path, uint64_t offset, unsigned bit);
bool sim_disk_exists(const struct sim_disk *disk, const char *path);

#endif
