/* kashi-replica: the read side. One thread: follows the journal up to the durable mark, steps its own
 * engine, writes and serves the tape, publishes market data, answers reads. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/endpoints.h"
#include "base/log.h"
#include "exchange/journal.h"
#include "exchange/market_data_pub.h"
#include "exchange/reads_server.h"
#include "exchange/replica.h"
#include "exchange/tape_server.h"

#define NAME            "replica"
#define TAPE_FOLDER     "tape"
#define NS_PER_MS       INT64_C(1000000)
#define APPLY_NS        (5 * NS_PER_MS) /* of journal before the sockets are looked at again */
#define IDLE_MS         500 /* followers that wait a second are answered within this more */
#define PROGRESS_NS     (2 * NS_PER_SECOND)
#define MARKET_DATA_HWM 100000

struct service {
    struct config config;
    void *zmq;
    void *mark_socket;
    int signals;
    struct journal_reader *reader;
    struct journal_mark mark; /* the last that came; seq 0: none yet */
    struct replica replica;
    bool replica_open;
    bool live; /* replay is over: updates are published, sockets are bound */
    struct tape_server *tape_server;
    struct reads_server *reads_server;
    struct market_data_pub *pub;
    int64_t waiting_ns; /* when a read has waited enough */
};

static const char usage[] =
    "usage: kashi-replica --dir DIR\n"
    "The read side of the market in instance folder DIR: follows its journal, keeps and serves "
    "the\n"
    "tape, publishes market data, answers books, accounts, orders and reports.\n"
    "  --dir DIR   instance folder; its kashi.ini may have, in [replica]:\n"
    "                tape             tape service (default: ipc://tape.sock)\n"
    "                reads            for gateways (default: ipc://reads.sock)\n"
    "                market_data      where updates are published (default: tcp://127.0.0.1:*)\n"
    "                snapshot         where books are asked for (default: tcp://127.0.0.1:*)\n"
    "                market_data_hwm  messages that may wait for a subscriber (default: 100000)\n"
    "              and in [exchange] mark (default: ipc://mark.sock)\n"
    "              what was bound is written to DIR/replica.endpoints\n"
    "example:\n"
    "  kashi-replica --dir run\n";

/* --- start ---------------------------------------------------------------------------------- */

static int open_signals(struct service *service, struct error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* Before the ZeroMQ context is made, so that its threads leave the signals alone too. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return error_system(error, errno, "signals");
    }
    service->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return service->signals >= 0 ? 0 : error_system(error, errno, "signals");
}

/* Only the latest mark matters, so the socket keeps no other. */
static int open_mark(struct service *service, struct error *error)
{
    const char *endpoint = config_text(&service->config, "exchange", "mark", "ipc://mark.sock");
    service->mark_socket = zmq_socket(service->zmq, ZMQ_SUB);
    int one = 1;
    int zero = 0;
    int reconnect_ms = 50;
    if (!service->mark_socket ||
        zmq_setsockopt(service->mark_socket, ZMQ_CONFLATE, &one, sizeof(one)) != 0 ||
        zmq_setsockopt(service->mark_socket, ZMQ_LINGER, &zero, sizeof(zero)) != 0 ||
        zmq_setsockopt(service->mark_socket, ZMQ_RECONNECT_IVL, &reconnect_ms,
                       sizeof(reconnect_ms)) != 0 ||
        zmq_setsockopt(service->mark_socket, ZMQ_SUBSCRIBE, "", 0) != 0 ||
        zmq_connect(service->mark_socket, endpoint) != 0) {
        return error_system(error, zmq_errno(), "mark endpoint '%s'", endpoint);
    }
    return 0;
}

static int open_service(struct service *service, struct error *error)
{
    static const char *const keys[] = {"tape",     "reads",           "market_data",
                                       "snapshot", "market_data_hwm", NULL};
    int result = config_load(&service->config, "kashi.ini", error);
    if (result == 0) {
        result = config_only(&service->config, NAME, keys, error);
    }
    if (result == 0) {
        result = open_signals(service, error);
    }
    if (result < 0) {
        return result;
    }
    endpoints_remove(NAME);
    service->zmq = zmq_ctx_new();
    if (!service->zmq) {
        return error_system(error, zmq_errno(), "ZeroMQ");
    }
    return open_mark(service, error);
}

static void close_service(struct service *service)
{
    endpoints_remove(NAME);
    tape_server_close(service->tape_server);
    reads_server_close(service->reads_server);
    market_data_pub_close(service->pub);
    if (service->mark_socket) {
        zmq_close(service->mark_socket);
    }
    if (service->replica_open) {
        replica_close(&service->replica);
    }
    journal_reader_close(service->reader);
    if (service->zmq) {
        zmq_ctx_term(service->zmq);
    }
    if (service->signals >= 0) {
        close(service->signals);
    }
    config_free(&service->config);
}

static int endpoint_from_config(const struct service *service, const char *key,
                                const char *otherwise, char endpoint[ENDPOINT_SIZE],
                                struct error *error)
{
    const char *text = config_text(&service->config, NAME, key, otherwise);
    int length = snprintf(endpoint, ENDPOINT_SIZE, "%s", text);
    if (length >= ENDPOINT_SIZE) {
        return error_set(error, ERROR_INVALID,
                         "kashi.ini [" NAME "] %s = '%s': give at most %d characters", key, text,
                         ENDPOINT_SIZE - 1);
    }
    return 0;
}

/* Replay is over: from here on the replica serves. */
static int go_live(struct service *service, struct error *error)
{
    struct endpoint endpoints[] = {
        {.key = "tape"}, {.key = "reads"}, {.key = "market_data"}, {.key = "snapshot"}};
    static const char *const defaults[] = {"ipc://tape.sock", "ipc://reads.sock",
                                           "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"};
    int result = 0;
    for (size_t i = 0; result == 0 && i < 4; i++) {
        result = endpoint_from_config(service, endpoints[i].key, defaults[i], endpoints[i].address,
                                      error);
    }
    int64_t hwm = MARKET_DATA_HWM;
    if (result == 0) {
        result = config_int(&service->config, NAME, "market_data_hwm", 1, 100000000, &hwm, error);
    }
    if (result == 0) {
        result = tape_server_open(&service->tape_server, service->zmq, endpoints[0].address,
                                  service->replica.store, error);
    }
    if (result == 0) {
        result = reads_server_open(&service->reads_server, service->zmq, &service->replica,
                                   endpoints[1].address, endpoints[3].address, error);
    }
    if (result == 0) {
        result = market_data_pub_open(&service->pub, service->zmq, endpoints[2].address, (int)hwm,
                                      error);
    }
    if (result == 0) {
        result = endpoints_write(NAME, endpoints, 4, error);
    }
    service->live = result == 0;
    if (result == 0) {
        log_info("serving from command %" PRIu64 ", %" PRIu64 " events on the tape",
                 replica_seq(&service->replica), tape_store_count(service->replica.store));
    }
    return result;
}

/* --- following the journal ------------------------------------------------------------------ */

static void publish(void *context, const struct market_data_update *update)
{
    struct service *service = context;
    if (service->live) {
        market_data_pub_send(service->pub, &service->replica.registry, update);
    }
}

static void take_mark(struct service *service)
{
    struct journal_mark mark;
    while (zmq_recv(service->mark_socket, &mark, sizeof(mark), ZMQ_DONTWAIT) == (int)sizeof(mark)) {
        if (mark.seq > service->mark.seq) {
            service->mark = mark;
        }
    }
}

static int open_replica(struct service *service, struct error *error)
{
    int result = journal_reader_open(&service->reader, file_posix(), JOURNAL_FOLDER, error);
    if (result < 0) {
        return result;
    }
    struct engine_config tables = journal_reader_tables(service->reader);
    result = replica_open(&service->replica, TAPE_FOLDER, &tables, publish, service, error);
    if (result < 0) {
        return result;
    }
    service->replica_open = true;
    log_info("the tape holds commands up to %" PRIu64 ", %" PRIu64
             " events of a torn end were cut; replaying the journal up to command %" PRIu64,
             tape_store_seq(service->replica.store), tape_store_cut(service->replica.store),
             service->mark.seq);
    return 0;
}

/* Applies what is durable, for at most APPLY_NS. */
static int follow_journal(struct service *service, struct error *error)
{
    int64_t until_ns = clock_monotonic_ns() + APPLY_NS;
    while (replica_seq(&service->replica) < service->mark.seq) {
        struct journal_batch batch;
        int result = journal_reader_next(service->reader, &service->mark, &batch, error);
        if (result < 0) {
            return error_context(error, "journal");
        }
        if (result == 0) {
            return error_set(error, ERROR_CORRUPT,
                             "journal: the mark says command %" PRIu64 ", it ends at %" PRIu64,
                             service->mark.seq, replica_seq(&service->replica));
        }
        result = replica_apply(&service->replica, batch.slots, batch.count, error);
        if (result < 0 || clock_monotonic_ns() >= until_ns) {
            return result;
        }
    }
    return 0;
}

static int begin_serving(struct service *service, struct error *error)
{
    const struct replica *replica = &service->replica;
    if (tape_store_seq(replica->store) > replica_seq(replica)) {
        return error_set(error, ERROR_MISMATCH,
                         "the tape holds commands up to %" PRIu64 ", the journal only %" PRIu64
                         ": they do not belong together, or the journal lost what was durable",
                         tape_store_seq(replica->store), replica_seq(replica));
    }
    return go_live(service, error);
}

static void replay_progress(struct service *service, int64_t *told_ns)
{
    int64_t now_ns = clock_monotonic_ns();
    if (now_ns - *told_ns >= PROGRESS_NS) {
        *told_ns = now_ns;
        log_info("replayed %" PRIu64 " of %" PRIu64 " commands", replica_seq(&service->replica),
                 service->mark.seq);
    }
}

/* --- the loop ------------------------------------------------------------------------------- */

static bool behind(const struct service *service)
{
    return service->replica_open && replica_seq(&service->replica) < service->mark.seq;
}

/* Waits for input, not longer than the first thing that is due. False: it is time to end. */
static bool wait_for_input(struct service *service, bool more)
{
    zmq_pollitem_t items[6] = {
        {.fd = service->signals, .events = ZMQ_POLLIN},
        {.socket = service->mark_socket, .events = ZMQ_POLLIN},
    };
    int count = 2;
    long timeout_ms = IDLE_MS;
    if (service->live) {
        items[2] = (zmq_pollitem_t){.socket = tape_server_socket(service->tape_server),
                                    .events = ZMQ_POLLIN};
        items[3] = (zmq_pollitem_t){.socket = reads_server_socket(service->reads_server),
                                    .events = ZMQ_POLLIN};
        items[4] = (zmq_pollitem_t){.socket = reads_server_snapshot_socket(service->reads_server),
                                    .events = ZMQ_POLLIN};
        items[5] =
            (zmq_pollitem_t){.socket = market_data_pub_socket(service->pub), .events = ZMQ_POLLIN};
        count = 6;
        int64_t left_ns = service->waiting_ns - clock_monotonic_ns();
        if (left_ns < IDLE_MS * NS_PER_MS) {
            timeout_ms = left_ns > 0 ? (long)(left_ns / NS_PER_MS) + 1 : 0;
        }
    }
    if (more || behind(service)) {
        timeout_ms = 0;
    }
    (void)zmq_poll(items, count, timeout_ms);
    return (items[0].revents & ZMQ_POLLIN) == 0;
}

static int serve(struct service *service, bool *more, struct error *error)
{
    int64_t now_ns = clock_monotonic_ns();
    bool more_tape = false;
    bool more_reads = false;
    market_data_pub_take(service->pub, &service->replica.registry, service->replica.market_data);
    int result = tape_server_turn(service->tape_server, now_ns, &more_tape, error);
    if (result == 0) {
        result = reads_server_turn(service->reads_server, now_ns, &more_reads, &service->waiting_ns,
                                   error);
    }
    *more = more_tape || more_reads;
    return result;
}

static int run(struct service *service, struct error *error)
{
    bool more = false;
    int64_t told_ns = clock_monotonic_ns();
    log_info("waiting for the exchange's mark");
    while (wait_for_input(service, more)) {
        more = false;
        take_mark(service);
        int result = 0;
        if (!service->replica_open && service->mark.seq > 0) {
            result = open_replica(service, error);
        }
        if (result == 0 && behind(service)) {
            result = follow_journal(service, error);
        }
        if (result == 0 && service->replica_open && !service->live) {
            if (behind(service)) {
                replay_progress(service, &told_ns);
            } else {
                result = begin_serving(service, error);
            }
        }
        if (result == 0 && service->live) {
            result = serve(service, &more, error);
        }
        if (result < 0) {
            return result;
        }
    }
    return 0;
}

static void log_end(const struct service *service)
{
    if (!service->live) {
        log_info("ended before it served");
        return;
    }
    struct status_counts counts;
    status_counts(service->replica.status, &counts);
    log_info("stopped: seq=%" PRIu64 " state_hash=%016" PRIx64 ", %" PRIu64 " orders, %" PRIu64
             " fill sides, %" PRIu64 " market data messages, %" PRIu64 " KiB of status store",
             replica_seq(&service->replica), engine_state_hash(service->replica.engine),
             counts.orders, counts.fills, market_data_pub_count(service->pub), counts.bytes / 1024);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--dir") != 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (chdir(argv[2]) != 0) {
        log_error("--dir '%s': %s; give the instance folder", argv[2], strerror(errno));
        return 2;
    }
    static struct service service = {.signals = -1, .waiting_ns = INT64_MAX};
    struct error error = {0};
    int result = open_service(&service, &error);
    if (result == 0) {
        result = run(&service, &error);
    }
    if (result < 0) {
        log_error("%s", error.text);
    } else {
        log_end(&service);
    }
    close_service(&service);
    return result < 0 ? 1 : 0;
}
