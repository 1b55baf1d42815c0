/* kashi-settlement: follows the tape into PostgreSQL. One thread. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/endpoints.h"
#include "base/error.h"
#include "base/log.h"
#include "settlement/migrate.h"
#include "settlement/store.h"
#include "wire/tape.h"
#include "wire/units.h"

#define URL_SIZE  1024
#define NS_PER_MS INT64_C(1000000)
/* A wait for the tape is never longer, so that a signal is soon noticed. */
#define WAIT_MAX_MS      100
#define FINISH_NS        (2 * NS_PER_SECOND)
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS   5000

struct settlement {
    struct config config;
    void *zmq;
    const char *tape;
    char url[URL_SIZE];
    int64_t batch_fills; /* a transaction has at least so many fills ... */
    int64_t batch_ms;    /* ... or is committed this long after its first event */
    int signals;         /* signalfd of SIGTERM and SIGINT */
    bool stop;
    bool ready;
    int backoff_ms;
};

static const char usage[] =
    "usage: kashi-settlement --dir DIR [--migrate]\n"
    "Follows the tape of the market in instance folder DIR and writes every fill, exactly once,\n"
    "with its postings into PostgreSQL.\n"
    "  --dir DIR   instance folder; its kashi.ini may have, in [settlement]:\n"
    "                database    connection URL (default: what DIR/database.url holds)\n"
    "                tape        endpoint of the tape (default: ipc://tape.sock)\n"
    "                batch_fills fills a transaction at most, about (default: 10000)\n"
    "                batch_ms    longest wait before a transaction is committed (default: 50)\n"
    "  --migrate   only bring the database up to date, then end\n"
    "examples:\n"
    "  kashi-settlement --dir run --migrate\n"
    "  kashi-settlement --dir run\n";

/* Waits, and notes whether the process shall end. */
static void wait_ms(struct settlement *settlement, int timeout_ms)
{
    struct pollfd signals = {.fd = settlement->signals, .events = POLLIN, .revents = 0};
    if (poll(&signals, 1, timeout_ms) > 0) {
        settlement->stop = true;
    }
}

static int read_url(struct settlement *settlement, struct error *error)
{
    const char *url = config_text(&settlement->config, "settlement", "database", NULL);
    if (url != NULL) {
        int length = snprintf(settlement->url, URL_SIZE, "%s", url);
        return length < URL_SIZE
                   ? 0
                   : error_set(error, ERROR_INVALID,
                               "[settlement] database is longer than %d bytes", URL_SIZE - 1);
    }
    FILE *file = fopen("database.url", "r");
    if (file == NULL) {
        return error_system(error, errno,
                            "database.url (sql/cluster.sh start DIR makes it; or set "
                            "[settlement] database in kashi.ini)");
    }
    size_t size = fread(settlement->url, 1, URL_SIZE - 1, file);
    (void)fclose(file);
    settlement->url[size] = '\0';
    settlement->url[strcspn(settlement->url, "\r\n")] = '\0';
    return 0;
}

static int catch_signals(struct settlement *settlement, struct error *error)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* Before ZeroMQ starts its threads: they inherit the mask. */
    int cause = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (cause != 0) {
        return error_system(error, cause, "pthread_sigmask");
    }
    (void)sigaction(SIGPIPE, &ignore, NULL);
    settlement->signals = signalfd(-1, &set, SFD_CLOEXEC);
    return settlement->signals >= 0 ? 0 : error_system(error, errno, "signalfd");
}

static int set_up(struct settlement *settlement, const char *dir, struct error *error)
{
    if (chdir(dir) != 0) {
        return error_system(error, errno, "instance folder '%s'", dir);
    }
    int rc = config_load(&settlement->config, "kashi.ini", error);
    if (rc < 0) {
        return rc;
    }
    const struct config *config = &settlement->config;
    static const char *const keys[] = {"database", "tape", "batch_fills", "batch_ms", NULL};
    rc = config_only(config, "settlement", keys, error);
    if (rc < 0) {
        return rc;
    }
    settlement->tape = config_text(config, "settlement", "tape",
                                   config_text(config, "replica", "tape", "ipc://tape.sock"));
    settlement->batch_fills = 10000;
    settlement->batch_ms = 50;
    rc = config_int(config, "settlement", "batch_fills", 1, 1000000, &settlement->batch_fills,
                    error);
    if (rc < 0) {
        return rc;
    }
    rc = config_int(config, "settlement", "batch_ms", 1, 10000, &settlement->batch_ms, error);
    if (rc < 0) {
        return rc;
    }
    rc = read_url(settlement, error);
    if (rc < 0) {
        return rc;
    }
    rc = catch_signals(settlement, error);
    if (rc < 0) {
        return rc;
    }
    settlement->zmq = zmq_ctx_new();
    return settlement->zmq != NULL ? 0 : error_system(error, errno, "zmq_ctx_new");
}

/* Whether this tape is the one that the database began with, and not shorter than what the ledger
 * has of it. Waits for the tape as long as it takes. */
static int check_tape(struct settlement *settlement, struct store *store, struct error *error)
{
    struct tape_follower *follower;
    struct tape_batch batch;
    if (store->place.seq == 0) {
        return 0;
    }
    int rc = tape_follow_open(&follower, settlement->zmq, settlement->tape, 0, error);
    if (rc < 0) {
        return rc;
    }
    do {
        rc = tape_follow_next(follower, WAIT_MAX_MS, &batch, error);
        wait_ms(settlement, 0);
    } while (!settlement->stop && (rc == 0 || (rc > 0 && batch.count == 0)));
    if (rc > 0 && !settlement->stop) {
        rc = store_check_genesis(store, &batch.events[0], error);
        if (rc == 0 && batch.tape_seq < store->place.seq) {
            rc = error_set(error, ERROR_AGAIN,
                           "the tape ends at command %" PRIu64 " and the ledger has %" PRIu64
                           "; waiting for the replica to make the rest",
                           batch.tape_seq, store->place.seq);
        }
    }
    tape_follow_close(follower);
    return rc < 0 ? rc : 0;
}

static int take_batch(struct store *store, const struct tape_batch *batch, struct error *error)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        int rc = store_add(store, &batch->events[i], error);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static bool batch_is_full(const struct settlement *settlement, const struct store *store)
{
    uint64_t fills = store->counts.fills + store->rows.tables[ROWS_FILLS].count;
    return fills >= (uint64_t)settlement->batch_fills;
}

/* Told to end: takes what the tape has by now, so that a market that is stopped in order leaves a
 * ledger that is level with its tape. What the tape does not hand over in time is taken next time. */
static int finish(struct store *store, struct tape_follower *follower, struct error *error)
{
    const int64_t give_up_ns = clock_monotonic_ns() + FINISH_NS;
    while (clock_monotonic_ns() < give_up_ns) {
        struct tape_batch batch;
        int rc = tape_follow_next(follower, WAIT_MAX_MS, &batch, error);
        if (rc > 0 && batch.count == 0) {
            break; /* the replica waited a second and has nothing more */
        }
        if (rc > 0) {
            rc = take_batch(store, &batch, error);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return store_commit(store, error);
}

/* Until the process shall end (0) or something fails. */
static int follow(struct settlement *settlement, struct store *store,
                  struct tape_follower *follower, struct error *error)
{
    int64_t begun_ns = 0; /* when the batch under way got its first event */
    while (!settlement->stop) {
        struct tape_batch batch;
        bool open = store->place.seq != store->committed_seq;
        int64_t left_ms = WAIT_MAX_MS;
        if (open) {
            left_ms = settlement->batch_ms - (clock_monotonic_ns() - begun_ns) / NS_PER_MS;
        }
        bool due = left_ms <= 0 || batch_is_full(settlement, store);
        if (open && due) {
            int rc = store_commit(store, error);
            if (rc < 0) {
                return rc;
            }
            settlement->backoff_ms = BACKOFF_FIRST_MS;
            continue;
        }
        int wait = left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS;
        int rc = tape_follow_next(follower, wait, &batch, error);
        if (rc > 0) {
            begun_ns = open ? begun_ns : clock_monotonic_ns();
            rc = take_batch(store, &batch, error);
        }
        if (rc < 0) {
            return rc;
        }
        wait_ms(settlement, 0);
    }
    return finish(store, follower, error);
}

static int session(struct settlement *settlement, struct error *error)
{
    struct store store;
    struct tape_follower *follower = NULL;
    int rc = store_open(&store, settlement->url, error);
    if (rc < 0) {
        return rc;
    }
    log_info("connected to the database; the ledger is at command %" PRIu64, store.place.seq);
    if (!settlement->ready) {
        rc = endpoints_write("settlement", NULL, 0, error);
        settlement->ready = rc == 0;
    }
    if (rc == 0) {
        rc = check_tape(settlement, &store, error);
    }
    if (rc == 0) {
        rc = tape_follow_open(&follower, settlement->zmq, settlement->tape, store.place.seq, error);
    }
    if (rc == 0) {
        rc = follow(settlement, &store, follower, error);
    }
    if (rc == 0) {
        log_info("ending; the ledger is at command %" PRIu64, store.committed_seq);
    }
    tape_follow_close(follower);
    store_close(&store);
    return rc;
}

/* PostgreSQL and the replica come and go: whatever happens to them is tried again. What a person
 * must put right ends the process. */
static int run(struct settlement *settlement, struct error *error)
{
    settlement->backoff_ms = BACKOFF_FIRST_MS;
    while (!settlement->stop) {
        int rc = session(settlement, error);
        if (rc == 0) {
            continue;
        }
        if (rc == ERROR_MISMATCH || rc == ERROR_INVALID) {
            return rc;
        }
        log_warn("%s; trying again in %d ms", error->text, settlement->backoff_ms);
        wait_ms(settlement, settlement->backoff_ms);
        settlement->backoff_ms = settlement->backoff_ms * 2 < BACKOFF_MAX_MS
                                     ? settlement->backoff_ms * 2
                                     : BACKOFF_MAX_MS;
    }
    return 0;
}

static int migrate_only(struct settlement *settlement, struct error *error)
{
    struct pg *pg;
    int applied;
    int rc = pg_open(&pg, settlement->url, error);
    if (rc < 0) {
        return rc;
    }
    rc = migrate_run(pg, migrate_list, migrate_count, &applied, error);
    if (rc == 0) {
        log_info("the database is up to date; %d of %zu migrations applied now", applied,
                 migrate_count);
    }
    pg_close(pg);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                            {"migrate", no_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct settlement settlement = {.signals = -1};
    struct error error = {0};
    const char *dir = NULL;
    bool migrate = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            dir = optarg;
            break;
        case 'm':
            migrate = true;
            break;
        case 'h':
            (void)fputs(usage, stdout);
            return 0;
        default:
            (void)fputs(usage, stderr);
            return 2;
        }
    }
    if (dir == NULL || optind != argc) {
        (void)fputs(usage, stderr);
        return 2;
    }
    int rc = set_up(&settlement, dir, &error);
    if (rc == 0) {
        rc = migrate ? migrate_only(&settlement, &error) : run(&settlement, &error);
    }
    if (rc < 0) {
        log_error("%s", error.text);
    }
    if (settlement.ready) {
        endpoints_remove("settlement");
    }
    if (settlement.zmq != NULL) {
        (void)zmq_ctx_term(settlement.zmq);
    }
    if (settlement.signals >= 0) {
        (void)close(settlement.signals);
    }
    config_free(&settlement.config);
    return rc < 0 ? 1 : 0;
}
