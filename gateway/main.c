/* kashi-gateway: the edge, where clients connect. One thread beside ZeroMQ's own. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zmq.h>

#include "base/arena.h"
#include "base/log.h"
#include "gateway/gateway.h"

static const char usage[] =
    "usage: kashi-gateway --dir DIR NAME\n"
    "Serves clients of the market in instance folder DIR as gateway NAME (1 .. 15 characters).\n"
    "  --dir DIR   instance folder; its kashi.ini may have, in [gateway.NAME]:\n"
    "                clients              endpoint to bind (default: tcp://127.0.0.1:*)\n"
    "                curve                yes; no: no encryption, who a client is says the "
    "login's\n"
    "                                     public_key; for tests, on the loopback only\n"
    "                key                  the gateway's CURVE key (default: keys/gateway.key)\n"
    "                link, reads          the exchange's and the replica's endpoints (default: "
    "what\n"
    "                                     [exchange] link and [replica] reads say)\n"
    "                heartbeat_interval_s a session ends after such a silence (default: 30)\n"
    "                messages_per_second  of one key (default: 10000)\n"
    "                requests_per_second  of one key (default: 100000)\n"
    "                dry_runs_per_second  of one key (default: 10)\n"
    "                connections          at once (default: 1024, at most 4096)\n"
    "                reads_waiting        of one key at once (default: 1024)\n"
    "                high_water           messages that wait for one client (default: 1000)\n"
    "                memory_mb            limit of the process, 0 none (default: 2048)\n"
    "                open_files           limit of the process (default: 8192)\n"
    "Writes DIR/gateway.NAME.endpoints when it is ready. Ends on SIGTERM and SIGINT.\n"
    "examples:\n"
    "  kashi-gateway --dir run 1\n"
    "  kashi-gateway --dir /var/lib/kashi east\n";

struct program {
    struct config config;
    struct gateway_settings settings;
    struct arena arena;
    struct gateway *gateway;
    void *zmq;
    int signals;
};

/* Hostile input ends in this process, so that what it may use up is bounded: libzmq gathers the
 * parts of a message that never ends, whatever its size limits say, and only this stops it. */
static int limit_process(const struct gateway_settings *settings, struct error *error)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return error_system(error, errno, "open files");
    }
    const rlim_t wanted = (rlim_t)settings->open_files;
    files.rlim_cur =
        files.rlim_max == RLIM_INFINITY || wanted < files.rlim_max ? wanted : files.rlim_max;
    if (files.rlim_cur < wanted) {
        log_warn("open_files = %lld, but the system allows %llu", (long long)settings->open_files,
                 (unsigned long long)files.rlim_cur);
    }
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        return error_system(error, errno, "open_files = %lld", (long long)settings->open_files);
    }
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes of address space */
    if (settings->memory_mb > 0) {
        const rlim_t bytes = (rlim_t)settings->memory_mb << 20;
        const struct rlimit memory = {.rlim_cur = bytes, .rlim_max = bytes};
        if (setrlimit(RLIMIT_AS, &memory) != 0) {
            return error_system(error, errno, "memory_mb = %lld", (long long)settings->memory_mb);
        }
    }
#endif
    return 0;
}

static int take_signals(struct program *program, struct error *error)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    /* Before ZeroMQ starts its threads: they inherit the mask. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return error_system(error, errno, "sigprocmask");
    }
    (void)signal(SIGPIPE, SIG_IGN);
    program->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return program->signals >= 0 ? 0 : error_system(error, errno, "signalfd");
}

static bool shall_end(const struct program *program)
{
    struct signalfd_siginfo info;
    return read(program->signals, &info, sizeof info) == (ssize_t)sizeof info;
}

static int set_up(struct program *program, const char *dir, const char *name, struct error *error)
{
    if (chdir(dir) != 0) {
        return error_system(error, errno, "instance folder '%s'", dir);
    }
    int rc = config_load(&program->config, "kashi.ini", error);
    if (rc == 0) {
        rc = settings_read(&program->settings, &program->config, name, error);
    }
    if (rc == 0) {
        rc = limit_process(&program->settings, error);
    }
    if (rc == 0) {
        rc = take_signals(program, error);
    }
    if (rc == 0) {
        rc = arena_init(&program->arena, sizeof *program->gateway + ARENA_ALIGNMENT, 0, error);
    }
    if (rc != 0) {
        return rc;
    }
    program->gateway = arena_take(&program->arena, sizeof *program->gateway);
    arena_seal(&program->arena);
    program->zmq = zmq_ctx_new();
    if (program->zmq == NULL) {
        return error_system(error, errno, "zmq_ctx_new");
    }
    return gateway_open(program->gateway, program->zmq, &program->settings, error);
}

static int serve(struct program *program, struct error *error)
{
    for (;;) {
        int rc = gateway_turn(program->gateway, error);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0) {
            gateway_wait(program->gateway, program->signals);
        }
        if (shall_end(program)) {
            gateway_say_goodbye(program->gateway);
            return 0;
        }
    }
}

static void tear_down(struct program *program)
{
    if (program->gateway != NULL) {
        gateway_close(program->gateway);
    }
    if (program->zmq != NULL) {
        (void)zmq_ctx_term(program->zmq);
    }
    arena_free(&program->arena);
    config_free(&program->config);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static struct program program;
    const char *dir = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            return 0;
        }
        if (option != 'd') {
            (void)fputs(usage, stderr);
            return 2;
        }
        dir = optarg;
    }
    if (dir == NULL || optind + 1 != argc) {
        (void)fputs(usage, stderr);
        return 2;
    }
    struct error error = {0};
    char name[sizeof "gateway." + LINK_NAME_SIZE];
    int rc = set_up(&program, dir, argv[optind], &error);
    if (rc == 0) {
        rc = serve(&program, &error);
        (void)snprintf(name, sizeof name, "gateway.%s", program.settings.name);
        endpoints_remove(name);
    }
    if (rc < 0) {
        log_error("%s", error.text);
    }
    tear_down(&program);
    return rc < 0 ? 1 : 0;
}
