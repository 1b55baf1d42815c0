#include "bench/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "wire/units.h"

#define READY_NS (30 * NS_PER_SECOND)

extern char **environ;

_Noreturn static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void write_file(const char *path, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void write_file(const char *path, const char *format, ...)
{
    va_list arguments;
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fail("%s: %s", path, strerror(errno));
    }
    va_start(arguments, format);
    (void)vfprintf(file, format, arguments);
    va_end(arguments);
    (void)fclose(file);
}

void instance_key(struct instance_key *key)
{
    if (zmq_curve_keypair(key->public_text, key->secret_text) != 0) {
        fail("no CURVE in this libzmq");
    }
}

static void write_key(const char *path, const struct instance_key *key)
{
    write_file(path, "public = %s\nsecret = %s\n", key->public_text, key->secret_text);
}

void instance_make(struct instance *instance, const char *program, const char *config)
{
    char path[4096];
    memset(instance, 0, sizeof *instance);
    (void)snprintf(path, sizeof path, "%s", program);
    char *bin = dirname(path);
    char beside[4096 + 8];
    (void)snprintf(beside, sizeof beside, "%s/../bin", bin);
    if (realpath(beside, instance->bin) == NULL) {
        fail("%s: %s; run make first", beside, strerror(errno));
    }
    (void)snprintf(instance->dir, sizeof instance->dir, "/tmp/kashi-bench.XXXXXX");
    if (mkdtemp(instance->dir) == NULL || chdir(instance->dir) != 0 || mkdir("keys", 0700) != 0 ||
        mkdir("journal", 0700) != 0 || mkdir("tape", 0700) != 0 || mkdir("log", 0700) != 0) {
        fail("%s: %s", instance->dir, strerror(errno));
    }
    instance_key(&instance->operator_key);
    instance_key(&instance->gateway_key);
    write_key("keys/operator.key", &instance->operator_key);
    write_key("keys/gateway.key", &instance->gateway_key);
    write_file("kashi.ini", "%s", config);
}

void instance_start(struct instance *instance, const char *program, const char *argument,
                    const char *name)
{
    char path[4096 + 64];
    char log[64];
    char ready[64];
    char dir_option[] = "--dir";
    char dir[] = ".";
    char *arguments[] = {path, dir_option, dir, NULL, NULL};
    char copy[32] = "";
    (void)snprintf(path, sizeof path, "%s/kashi-%s", instance->bin, program);
    (void)snprintf(log, sizeof log, "log/%s.log", name);
    (void)snprintf(ready, sizeof ready, "%s.endpoints", name);
    if (argument != NULL) {
        (void)snprintf(copy, sizeof copy, "%s", argument);
        arguments[3] = copy;
    }
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid;
    const int failed = posix_spawn(&pid, path, &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        fail("%s: %s", path, strerror(failed));
    }
    instance->processes[instance->process_count++] = pid;
    const int64_t until_ns = clock_monotonic_ns() + READY_NS;
    while (access(ready, F_OK) != 0) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid || clock_monotonic_ns() > until_ns) {
            fail("%s is not ready; its log is %s/%s", name, instance->dir, log);
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void instance_end(struct instance *instance)
{
    for (uint32_t i = instance->process_count; i > 0; i--) {
        (void)kill(instance->processes[i - 1], SIGTERM);
        (void)waitpid(instance->processes[i - 1], NULL, 0);
    }
    instance->process_count = 0;
    if (chdir("/") != 0 ||
        nftw(instance->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0) {
        (void)fprintf(stderr, "bench: %s stays behind\n", instance->dir);
    }
}
