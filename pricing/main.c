/* kashi-pricing: follows the tape, publishes the index, keeps its history. One thread. */
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

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/endpoints.h"
#include "base/error.h"
#include "base/log.h"
#include "pricing/core/index.h"
#include "pricing/latest.h"
#include "pricing/publish.h"
#include "pricing/store.h"
#include "wire/tape.h"

#define URL_SIZE      1024
#define NS_PER_MS     INT64_C(1000000)
#define INDICATIVE_NS NS_PER_SECOND       /* indicative values come at most so often */
#define DRAIN_NS      (5 * NS_PER_SECOND) /* longest wait for PostgreSQL when the process ends */
#define BATCHES_MAX   64                  /* taken before the other sockets are looked at */

struct pricing {
    struct config config;
    char url[URL_SIZE];
    const char *tape;
    void *zmq;
    struct tape_follower *follower;
    struct publish publish;
    struct store store;
    struct latest latest;
    struct index index;
    struct index_limits limits;
    int64_t waiting_max;      /* values that may wait for PostgreSQL */
    struct arena index_arena; /* the index's tables alone: emptied when it starts again */
    struct arena arena;
    void *index_memory;
    struct contract_names names;
    int signals;
    bool ready;
    bool live; /* has reached the end of the tape: values are news from here on */
    bool latest_full;
    int64_t indicative_ns;
};

static const char usage[] =
    "usage: kashi-pricing --dir DIR\n"
    "Follows the tape of the market in instance folder DIR, publishes the index value of every "
    "lane\n"
    "and delivery day (docs/index-method.md), answers for the latest ones and keeps them in\n"
    "PostgreSQL. Without PostgreSQL it goes on publishing and stores later.\n"
    "  --dir DIR   instance folder; its kashi.ini may have, in [pricing]:\n"
    "                index            where values are published (default: tcp://127.0.0.1:*)\n"
    "                index_snapshot   where the latest are asked for (default: tcp://127.0.0.1:*)\n"
    "                tape             endpoint of the tape (default: ipc://tape.sock)\n"
    "                database         connection URL (default: what DIR/database.url holds)\n"
    "                lanes_max        lane-days with a value (default: 65536)\n"
    "                observations_max observations of a trading day (default: 4194304)\n"
    "                waiting_max      values that may wait for PostgreSQL, above lanes_max "
    "(default:\n"
    "                                 262144)\n"
    "              what was bound is written to DIR/pricing.endpoints\n"
    "example:\n"
    "  kashi-pricing --dir run\n";

/* --- start ------------------------------------------------------------------------------------ */

/* A market without a database has an index all the same. */
static int read_url(struct pricing *pricing, struct error *error)
{
    const char *url = config_text(&pricing->config, "pricing", "database", NULL);
    if (url != NULL) {
        int length = snprintf(pricing->url, URL_SIZE, "%s", url);
        return length < URL_SIZE ? 0
                                 : error_set(error, ERROR_INVALID,
                                             "[pricing] database has %d bytes; give at most %d",
                                             length, URL_SIZE - 1);
    }
    FILE *file = fopen("database.url", "r");
    if (file == NULL) {
        log_warn("no database.url in the instance folder and no [pricing] database in kashi.ini: "
                 "index values are not stored");
        return 0;
    }
    size_t size = fread(pricing->url, 1, URL_SIZE - 1, file);
    (void)fclose(file);
    pricing->url[size] = '\0';
    pricing->url[strcspn(pricing->url, "\r\n")] = '\0';
    return 0;
}

static int read_config(struct pricing *pricing, struct error *error)
{
    const struct config *config = &pricing->config;
    int64_t lanes_max = 65536;
    int64_t observations_max = 4194304;
    static const char *const keys[] = {"index",     "index_snapshot",   "tape",        "database",
                                       "lanes_max", "observations_max", "waiting_max", NULL};

    pricing->waiting_max = 262144;
    pricing->tape = config_text(config, "pricing", "tape",
                                config_text(config, "replica", "tape", "ipc://tape.sock"));
    int rc = config_only(config, "pricing", keys, error);
    if (rc == 0) {
        rc = config_int(config, "pricing", "lanes_max", 1, PUBLISH_SNAPSHOT_MAX, &lanes_max, error);
    }
    if (rc == 0) {
        rc = config_int(config, "pricing", "observations_max", 1, LANE_DAY_OBSERVATIONS_MAX,
                        &observations_max, error);
    }
    if (rc == 0) {
        rc = config_int(config, "pricing", "waiting_max", lanes_max + 1, 16777216,
                        &pricing->waiting_max, error);
    }
    pricing->limits.lanes_max = (uint32_t)lanes_max;
    pricing->limits.observations_max = (uint32_t)observations_max;
    return rc < 0 ? rc : read_url(pricing, error);
}

static int block_signals(struct pricing *pricing, struct error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* Before ZeroMQ starts its threads: they inherit the mask. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return error_system(error, errno, "sigprocmask");
    }
    (void)signal(SIGPIPE, SIG_IGN);
    pricing->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return pricing->signals >= 0 ? 0 : error_system(error, errno, "signalfd");
}

static bool stop_wanted(const struct pricing *pricing)
{
    struct signalfd_siginfo info;
    return read(pricing->signals, &info, sizeof(info)) > 0;
}

/* Everything that the index says goes these three ways. */
static void take_value(void *context, const struct index_value *value)
{
    struct pricing *pricing = context;
    if (latest_put(&pricing->latest, value) < 0 && !pricing->latest_full) {
        pricing->latest_full = true;
        log_warn("more than %" PRIu32 " lane-days have values: those beyond are published but not "
                 "in the snapshot; raise lanes_max in [pricing]",
                 pricing->limits.lanes_max);
    }
    if (pricing->live) {
        publish_value(&pricing->publish, &pricing->names, value);
    }
    if (value->at_mark && value->level != INDEX_LEVEL_NONE && pricing->url[0] != '\0') {
        store_add(&pricing->store, value);
    }
}

static int take_memory(struct pricing *pricing, struct error *error)
{
    uint32_t lanes = pricing->limits.lanes_max;
    size_t index_size = index_memory_size(&pricing->limits);
    size_t lanes_size = (size_t)lanes * sizeof(struct latest_lane);
    size_t buckets_size = (size_t)latest_bucket_count(lanes) * sizeof(uint32_t);
    size_t ring_size = (size_t)pricing->waiting_max * sizeof(struct index_value);
    size_t reply_size = publish_memory_size(lanes);
    int rc = arena_init(&pricing->index_arena, index_size, 0, error);
    if (rc == 0) {
        rc = arena_init(&pricing->arena,
                        lanes_size + buckets_size + ring_size + store_text_size() + reply_size +
                            8 * (size_t)ARENA_ALIGNMENT,
                        0, error);
    }
    if (rc < 0) {
        return rc;
    }
    pricing->index_memory = arena_take(&pricing->index_arena, index_size);
    arena_seal(&pricing->index_arena);
    struct latest_lane *latest_lanes = arena_take(&pricing->arena, lanes_size);
    uint32_t *buckets = arena_take(&pricing->arena, buckets_size);
    struct index_value *ring = arena_take(&pricing->arena, ring_size);
    char *text = arena_take(&pricing->arena, store_text_size());
    uint8_t *reply = arena_take(&pricing->arena, reply_size);
    arena_seal(&pricing->arena);
    latest_init(&pricing->latest, latest_lanes, buckets, lanes);
    store_init(&pricing->store, pricing->url, ring, (uint32_t)pricing->waiting_max, text);
    publish_init(&pricing->publish, reply, reply_size);
    return 0;
}

/* From the beginning of the tape: the values of all days are made again, the same as before. */
static int follow_from_start(struct pricing *pricing, struct error *error)
{
    tape_follow_close(pricing->follower);
    pricing->follower = NULL;
    pricing->live = false;
    memset(&pricing->names, 0, sizeof(pricing->names));
    arena_zero(&pricing->index_arena);
    index_init(&pricing->index, &lane_day_parameters_1, &pricing->limits, pricing->index_memory,
               take_value, pricing);
    return tape_follow_open(&pricing->follower, pricing->zmq, pricing->tape, 0, error);
}

static int set_up(struct pricing *pricing, const char *dir, struct error *error)
{
    if (chdir(dir) != 0) {
        return error_system(error, errno, "instance folder '%s'", dir);
    }
    endpoints_remove("pricing");
    int rc = config_load(&pricing->config, "kashi.ini", error);
    rc = rc < 0 ? rc : read_config(pricing, error);
    rc = rc < 0 ? rc : block_signals(pricing, error);
    rc = rc < 0 ? rc : take_memory(pricing, error);
    if (rc < 0) {
        return rc;
    }
    pricing->zmq = zmq_ctx_new();
    if (pricing->zmq == NULL) {
        return error_system(error, errno, "zmq_ctx_new");
    }
    struct endpoint endpoints[2];
    rc = publish_bind(&pricing->publish, pricing->zmq, &pricing->config, endpoints, error);
    rc = rc < 0 ? rc : follow_from_start(pricing, error);
    rc = rc < 0 ? rc : endpoints_write("pricing", endpoints, 2, error);
    pricing->ready = rc == 0;
    return rc;
}

/* --- the tape --------------------------------------------------------------------------------- */

static void take_name(struct pricing *pricing, const struct event *event)
{
    struct contract_names *names = &pricing->names;
    if (event->head.type == EVENT_CLASS && event->class_.class_id < CLASS_COUNT_MAX) {
        memcpy(names->classes[event->class_.class_id], event->class_.name, NAME_SIZE);
        if (event->class_.class_id >= names->class_count) {
            names->class_count = event->class_.class_id + UINT32_C(1);
        }
    } else if (event->head.type == EVENT_REGION && event->region.region_id < REGION_COUNT_MAX) {
        memcpy(names->regions[event->region.region_id], event->region.name, NAME_SIZE);
        if (event->region.region_id >= names->region_count) {
            names->region_count = event->region.region_id + UINT32_C(1);
        }
    } else if (event->head.type == EVENT_GENESIS) {
        pricing->store.genesis_ns = event->head.time_ns;
    }
}

static int take_event(struct pricing *pricing, const struct event *event, struct error *error)
{
    take_name(pricing, event);
    switch (index_event(&pricing->index, event)) {
    case 0:
        return 0;
    case INDEX_LANES_FULL:
        return error_set(error, ERROR_FULL,
                         "command %" PRIu64 ": more than %" PRIu32
                         " lane-days; raise lanes_max in [pricing]",
                         event->head.seq, pricing->limits.lanes_max);
    default:
        return error_set(error, ERROR_FULL,
                         "command %" PRIu64 ": more than %" PRIu32
                         " observations in one trading day; raise observations_max in [pricing]",
                         event->head.seq, pricing->limits.observations_max);
    }
}

static int take_batches(struct pricing *pricing, bool *more, struct error *error)
{
    struct tape_batch batch;
    *more = true;
    for (int i = 0; i < BATCHES_MAX; i++) {
        int rc = tape_follow_next(pricing->follower, 0, &batch, error);
        if (rc <= 0) {
            *more = false;
            return rc;
        }
        for (uint32_t k = 0; k < batch.count; k++) {
            rc = take_event(pricing, &batch.events[k], error);
            if (rc < 0) {
                return rc;
            }
        }
        if (!pricing->live && batch.last_seq >= batch.tape_seq) {
            pricing->live = true;
            log_info("at the end of the tape, command %" PRIu64 "; publishing", batch.last_seq);
        }
    }
    return 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void wait_for_something(struct pricing *pricing, int64_t now_ns, bool pause)
{
    short store_events = 0;
    int store_socket_fd = store_socket(&pricing->store, &store_events);
    zmq_pollitem_t items[4] = {
        {.socket = tape_follow_socket(pricing->follower), .events = pause ? 0 : ZMQ_POLLIN},
        {.socket = pricing->publish.snapshot, .events = ZMQ_POLLIN},
        {.fd = pricing->signals, .events = ZMQ_POLLIN},
        {.fd = store_socket_fd,
         .events = (short)((store_events & POLLIN ? ZMQ_POLLIN : 0) |
                           (store_events & POLLOUT ? ZMQ_POLLOUT : 0))},
    };
    int64_t wait_ns = store_wait_ns(&pricing->store, now_ns);
    if (pricing->indicative_ns > now_ns && pricing->indicative_ns - now_ns < wait_ns) {
        wait_ns = pricing->indicative_ns - now_ns;
    }
    (void)zmq_poll(items, store_socket_fd >= 0 ? 4 : 3, (long)(wait_ns / NS_PER_MS) + 1);
}

/* Values that found no room while PostgreSQL was away are made again once it has taken the rest. */
static int make_up(struct pricing *pricing, struct error *error)
{
    if (!pricing->store.overflowed || pricing->store.count > 0) {
        return 0;
    }
    log_info("making the index values again that had no room to wait");
    store_clear(&pricing->store);
    return follow_from_start(pricing, error);
}

static int run(struct pricing *pricing, struct error *error)
{
    while (!stop_wanted(pricing)) {
        /* Old values can wait until PostgreSQL has taken those before them, news cannot. */
        bool pause = !pricing->live && store_is_busy(&pricing->store);
        bool more = false;
        int rc = pause ? 0 : take_batches(pricing, &more, error);
        int64_t now_ns = clock_monotonic_ns();
        if (rc == 0 && pricing->live && now_ns >= pricing->indicative_ns) {
            index_indicative(&pricing->index);
            pricing->indicative_ns = clock_monotonic_ns() + INDICATIVE_NS;
        }
        publish_answer(&pricing->publish, &pricing->names, &pricing->latest);
        rc = rc < 0 ? rc : store_step(&pricing->store, now_ns, error);
        rc = rc < 0 ? rc : make_up(pricing, error);
        if (rc < 0) {
            return rc;
        }
        if (!more) {
            wait_for_something(pricing, now_ns, pause);
        }
    }
    return 0;
}

/* What still waits for PostgreSQL is written, if it is there. */
static void drain(struct pricing *pricing)
{
    struct error error = {0};
    int64_t deadline_ns = clock_monotonic_ns() + DRAIN_NS;
    for (int64_t now_ns = clock_monotonic_ns(); now_ns < deadline_ns && pricing->store.count > 0;
         now_ns = clock_monotonic_ns()) {
        if (store_step(&pricing->store, now_ns, &error) < 0 || pricing->store.complained) {
            break;
        }
        struct pollfd item = {.events = POLLIN};
        item.fd = store_socket(&pricing->store, &item.events);
        (void)poll(&item, 1, 50);
    }
    if (pricing->store.count > 0) {
        log_info("%" PRIu32 " index values are not stored yet; the next start makes them again",
                 pricing->store.count);
    }
}

static void tear_down(struct pricing *pricing)
{
    if (pricing->ready) {
        endpoints_remove("pricing");
    }
    tape_follow_close(pricing->follower);
    publish_free(&pricing->publish);
    store_free(&pricing->store);
    if (pricing->zmq != NULL) {
        (void)zmq_ctx_term(pricing->zmq);
    }
    if (pricing->signals >= 0) {
        (void)close(pricing->signals);
    }
    arena_free(&pricing->arena);
    arena_free(&pricing->index_arena);
    config_free(&pricing->config);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static struct pricing pricing = {.signals = -1};
    struct error error = {0};
    const char *dir = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
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
    if (dir == NULL || optind != argc) {
        (void)fputs(usage, stderr);
        return 2;
    }
    int rc = set_up(&pricing, dir, &error);
    if (rc == 0) {
        rc = run(&pricing, &error);
    }
    if (rc == 0) {
        drain(&pricing);
    } else {
        log_error("%s", error.text);
    }
    tear_down(&pricing);
    return rc < 0 ? 1 : 0;
}
