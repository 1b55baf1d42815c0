/* kashi-exchange: reads kashi.ini, holds the folder's lock, turns the sequencer until it is told to
 * stop. With --replay it only looks at the journal. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/endpoints.h"
#include "base/log.h"
#include "exchange/replay.h"
#include "exchange/sequencer.h"

#define NAME         "exchange"
#define LOCK_FILE    "exchange.lock"
#define LOCK_WAIT_NS (3 * NS_PER_SECOND)

static const char usage[] =
    "usage: kashi-exchange --dir DIR [--replay]\n"
    "\n"
    "The heart of a Kashi market: journals every command, matches, hands out events.\n"
    "\n"
    "  --dir DIR   the market's folder; kashi.ini in it, section [exchange], says the rest\n"
    "  --replay    only replay the journal, print where it ends, and stop; changes nothing\n"
    "  --help      this text\n"
    "\n"
    "examples:\n"
    "  kashi-exchange --dir run/market\n"
    "  kashi-exchange --dir run/market --replay\n"
    "      seq=1042 time=2026-11-21T08:00:00.000000000Z state_hash=5c0e2d8f11a97b34\n"
    "\n"
    "It ends on SIGTERM or SIGINT with status 0; with 1 when the journal cannot be trusted or\n"
    "written any more (the reason is the last line on stderr), with 2 on wrong usage.\n";

/* Blocked before any thread is there, so that signals come by the descriptor only. */
static int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool signal_came(int signal_fd)
{
    struct signalfd_siginfo info;
    return read(signal_fd, &info, sizeof(info)) == sizeof(info);
}

/* Two exchanges on one journal would destroy it. The lock goes with the process; one that was killed
 * may take a moment to end, so a lock that is held is waited for. */
static int lock_folder(struct error *error)
{
    const int64_t give_up_ns = clock_monotonic_ns() + LOCK_WAIT_NS;
    int file = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) {
        return error_system(error, errno, "%s", LOCK_FILE);
    }
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (clock_monotonic_ns() > give_up_ns) {
            return error_set(error, ERROR_INVALID,
                             "another kashi-exchange runs in this folder; stop it first");
        }
        const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int write_endpoints(const struct sequencer *sequencer, struct error *error)
{
    struct endpoint endpoints[] = {{.key = "link"}, {.key = "mark"}};
    (void)snprintf(endpoints[0].address, ENDPOINT_SIZE, "%s", sequencer_link_endpoint(sequencer));
    (void)snprintf(endpoints[1].address, ENDPOINT_SIZE, "%s", sequencer_mark_endpoint(sequencer));
    return endpoints_write(NAME, endpoints, 2, error);
}

static void print_state(FILE *out, const struct engine *engine)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format_utc(engine_time_ns(engine), time);
    (void)fprintf(out, "seq=%" PRIu64 " time=%s state_hash=%016" PRIx64 "\n", engine_seq(engine),
                  time, engine_state_hash(engine));
}

static int run_replay(struct error *error)
{
    struct journal_reader *reader;
    if (journal_reader_open(&reader, file_posix(), JOURNAL_FOLDER, error) < 0) {
        return error->code;
    }
    struct engine_config tables = journal_reader_tables(reader);
    struct replay replay;
    int rc = replay_init(&replay, &tables, error);
    struct journal_batch batch;
    while (rc == 0 && (rc = journal_reader_next(reader, NULL, &batch, error)) == 1) {
        replay_batch(&replay, &batch);
        rc = 0;
    }
    if (rc == 0) {
        print_state(stdout, replay.engine);
    }
    replay_free(&replay);
    journal_reader_close(reader);
    return rc;
}

static int run_sequencer(const struct settings *settings, int signal_fd, void *zmq_context,
                         struct error *error)
{
    struct sequencer *sequencer;
    if (sequencer_open(&sequencer, settings, zmq_context, error) < 0) {
        return error->code;
    }
    int rc = write_endpoints(sequencer, error);
    if (rc == 0) {
        log_info("serving %s", sequencer_link_endpoint(sequencer));
    }
    while (rc == 0 && !signal_came(signal_fd)) {
        rc = sequencer_turn(sequencer, signal_fd, error);
    }
    endpoints_remove(NAME);
    if (rc == 0) {
        log_info("stopped: seq=%" PRIu64 " state_hash=%016" PRIx64,
                 engine_seq(sequencer_engine(sequencer)),
                 engine_state_hash(sequencer_engine(sequencer)));
    }
    sequencer_close(sequencer);
    return rc;
}

static int run(int signal_fd, struct error *error)
{
    struct config config;
    struct settings settings;
    if (lock_folder(error) < 0 || config_load(&config, "kashi.ini", error) < 0) {
        return error->code;
    }
    endpoints_remove(NAME);
    int rc = settings_read(&settings, &config, error);
    void *zmq_context = rc == 0 ? zmq_ctx_new() : NULL;
    if (rc == 0 && zmq_context == NULL) {
        rc = error_system(error, errno, "ZeroMQ does not start");
    }
    if (rc == 0) {
        rc = run_sequencer(&settings, signal_fd, zmq_context, error);
    }
    if (zmq_context != NULL) {
        zmq_ctx_term(zmq_context);
    }
    config_free(&config);
    return rc;
}

int main(int argc, char **argv)
{
    const char *folder = NULL;
    bool replay_only = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--replay") == 0) {
            replay_only = true;
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            folder = argv[++i];
        } else {
            (void)fprintf(stderr, "kashi-exchange: %s is not understood\n\n%s", argv[i], usage);
            return 2;
        }
    }
    if (folder == NULL) {
        (void)fprintf(stderr, "kashi-exchange: --dir DIR is missing\n\n%s", usage);
        return 2;
    }
    struct error error;
    if (chdir(folder) != 0) {
        log_error("%s: %s", folder, strerror(errno));
        return 1;
    }
    int signal_fd = replay_only ? -1 : signals_open();
    int rc = replay_only ? run_replay(&error) : run(signal_fd, &error);
    if (rc < 0) {
        log_error("%s", error.text);
        return 1;
    }
    return 0;
}
