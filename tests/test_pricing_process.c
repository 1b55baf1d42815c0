/* kashi-pricing as a process: a tape served by the test, a real PostgreSQL, kill -9. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/endpoints.h"
#include "pricing/core/index.h"
#include "wire/codec.h"
#include "wire/frame.h"

#define PROGRAM     "build/release/bin/kashi-pricing"
#define SETTLEMENT  "build/release/bin/kashi-settlement"
#define START_DAY   20778
#define EVENTS_MAX  4096
#define VALUES_MAX  2048
#define LINE_SIZE   256
#define DEADLINE_NS (60 * NS_PER_SECOND)

struct world {
    char root[512]; /* of the repository */
    char dir[64];
    void *zmq;
    void *tape;
    void *index;
    void *snapshot;
    pid_t pid;
    uint32_t event_count;
    struct event events[EVENTS_MAX];
    uint8_t peer[256]; /* whose request waits for events */
    size_t peer_length;
    uint64_t peer_after;
    uint32_t heard_count;
    struct index_message heard[VALUES_MAX];
    char topics[VALUES_MAX][80];
    uint32_t expected_count;
    struct index_value expected[VALUES_MAX];
};

static struct world *the_world; /* for clean_up(), which runs after a failed test too */

/* --- the tape ---------------------------------------------------------------------------------- */

static void put(struct world *world, struct event *event, int64_t time_ns)
{
    cr_assert_lt(world->event_count, (uint32_t)EVENTS_MAX);
    event->head.seq = world->event_count + 1;
    event->head.time_ns = time_ns;
    event->head.flags = EVENT_LAST;
    world->events[world->event_count++] = *event;
}

static int64_t at(uint32_t day, int64_t minute)
{
    return index_day_begin_ns(day) + minute * 60 * NS_PER_SECOND;
}

static void put_time(struct world *world, int64_t time_ns)
{
    struct event event = {.head = {.type = EVENT_TIME}};
    put(world, &event, time_ns);
}

static void put_registry(struct world *world)
{
    struct event genesis = {.head = {.type = EVENT_GENESIS}};
    put(world, &genesis, at(START_DAY, 0));
    struct event class_event = {.head = {.type = EVENT_CLASS}};
    memcpy(class_event.class_.name, "H100", 5);
    class_event.class_.lot = 8;
    put(world, &class_event, at(START_DAY, 0));
    struct event region = {.head = {.type = EVENT_REGION}};
    memcpy(region.region.name, "CN-GZ", 6);
    put(world, &region, at(START_DAY, 0));
}

/* Four pairs in each partition from `from` to `to`, for delivery tomorrow, in two tiers. */
static void put_trades(struct world *world, uint32_t day, int64_t from, int64_t to)
{
    for (int64_t k = from; k < to; k++) {
        for (uint32_t i = 0; i < 8; i++) {
            struct event trade = {.head = {.type = EVENT_TRADE}};
            trade.trade.contract = contract_pack(0, 0, i % 2 == 0 ? TIER_G0 : TIER_G80,
                                                 (uint32_t)delivery_day_first_hour(day + 2));
            trade.trade.price_e4 = 164000 + (int64_t)i * 10 + k;
            trade.trade.qty = 8;
            trade.trade.buyer_group = 1 + i;
            trade.trade.seller_group = 11 + i;
            put(world, &trade, at(day, k * 120 + i));
        }
    }
}

static void answer_tape(struct world *world)
{
    static uint8_t frame[sizeof(struct frame_head) + EVENTS_MAX * EVENT_SIZE];
    if (world->peer_length == 0 || world->peer_after >= world->event_count) {
        return;
    }
    uint32_t count = world->event_count - (uint32_t)world->peer_after;
    struct frame_head head = {.magic = FRAME_MAGIC,
                              .version = 1,
                              .kind = FRAME_TAPE_EVENTS,
                              .count = count,
                              .after_seq = world->event_count};
    memcpy(frame, &head, sizeof(head));
    memcpy(frame + sizeof(head), &world->events[world->peer_after], (size_t)count * EVENT_SIZE);
    (void)zmq_send(world->tape, world->peer, world->peer_length, ZMQ_SNDMORE);
    (void)zmq_send(world->tape, frame, sizeof(head) + (size_t)count * EVENT_SIZE, 0);
    world->peer_length = 0;
}

/* --- what comes back --------------------------------------------------------------------------- */

static uint32_t decode(const void *bytes, size_t length, struct index_message *values,
                       uint32_t capacity)
{
    struct codec_cursor cursor;
    struct message *message = calloc(1, sizeof(*message));
    uint32_t count = 0;
    cr_assert_eq(codec_decode_begin(&cursor, bytes, length), 0);
    while (cursor.left > 0) {
        cr_assert_eq(codec_decode_next(&cursor, message), 0);
        cr_assert_eq(message->type, MESSAGE_INDEX);
        cr_assert_lt(count, capacity);
        values[count++] = message->index;
    }
    free(message);
    return count;
}

static void hear(struct world *world)
{
    uint8_t bytes[1024];
    int length;
    while (world->index != NULL) {
        char *topic = world->topics[world->heard_count];
        length = zmq_recv(world->index, topic, 79, ZMQ_DONTWAIT);
        if (length < 0) {
            return;
        }
        topic[length] = '\0';
        length = zmq_recv(world->index, bytes, sizeof(bytes), 0);
        cr_assert_gt(length, 0);
        cr_assert_eq(decode(bytes, (size_t)length, &world->heard[world->heard_count], 1), 1);
        cr_assert_lt(++world->heard_count, (uint32_t)VALUES_MAX);
    }
}

/* Serves the tape and listens for a moment. */
static void step(struct world *world)
{
    zmq_pollitem_t items[] = {{.socket = world->tape, .events = ZMQ_POLLIN},
                              {.socket = world->index, .events = ZMQ_POLLIN}};
    (void)zmq_poll(items, world->index != NULL ? 2 : 1, 20);
    struct frame_head head;
    int length = zmq_recv(world->tape, world->peer, sizeof(world->peer), ZMQ_DONTWAIT);
    if (length > 0) {
        world->peer_length = (size_t)length;
        cr_assert_eq(zmq_recv(world->tape, &head, sizeof(head), 0), (int)sizeof(head));
        cr_assert_eq(head.kind, FRAME_TAPE_REQUEST);
        world->peer_after = head.after_seq;
    }
    answer_tape(world);
    hear(world);
}

static uint32_t count_heard(const struct world *world, uint8_t kind, uint32_t trading_day)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->heard_count; i++) {
        count += world->heard[i].kind == kind && world->heard[i].trading_day == trading_day;
    }
    return count;
}

static void await_heard(struct world *world, uint8_t kind, uint32_t trading_day, uint32_t count)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (count_heard(world, kind, trading_day) < count) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "values of kind %u did not come", kind);
        step(world);
    }
}

/* --- the processes ----------------------------------------------------------------------------- */

static struct world *world_new(const char *settings)
{
    struct world *world = calloc(1, sizeof(*world));
    char path[600];
    the_world = world;
    cr_assert_not_null(getcwd(world->root, sizeof(world->root)));
    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/kashi-pricing-XXXXXX");
    cr_assert_not_null(mkdtemp(world->dir));
    (void)snprintf(path, sizeof(path), "%s/kashi.ini", world->dir);
    FILE *file = fopen(path, "w");
    (void)fprintf(file, "[pricing]\n%s", settings);
    (void)fclose(file);
    world->zmq = zmq_ctx_new();
    world->tape = zmq_socket(world->zmq, ZMQ_ROUTER);
    int linger = 0;
    (void)zmq_setsockopt(world->tape, ZMQ_LINGER, &linger, sizeof(linger));
    (void)snprintf(path, sizeof(path), "ipc://%s/tape.sock", world->dir);
    cr_assert_eq(zmq_bind(world->tape, path), 0);
    put_registry(world);
    return world;
}

static void close_sockets(struct world *world)
{
    void **sockets[] = {&world->index, &world->snapshot};
    for (size_t i = 0; i < 2; i++) {
        if (*sockets[i] != NULL) {
            (void)zmq_close(*sockets[i]);
            *sockets[i] = NULL;
        }
    }
}

static void read_endpoint(const struct world *world, const char *key, char *address)
{
    struct error error;
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    cr_assert_eq(chdir(world->dir), 0);
    while (endpoints_read("pricing", key, address, &error) < 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "%s", error.text);
        (void)zmq_poll(NULL, 0, 10);
    }
    cr_assert_eq(chdir(world->root), 0);
}

static void spawn(struct world *world)
{
    world->pid = fork();
    if (world->pid == 0) {
        char log[128];
        (void)snprintf(log, sizeof(log), "%s/pricing.log", world->dir);
        cr_assert_not_null(freopen(log, "a", stderr));
        cr_assert_not_null(freopen(log, "a", stdout));
        (void)execl(PROGRAM, PROGRAM, "--dir", world->dir, (char *)NULL);
        _exit(127);
    }
}

static void start(struct world *world)
{
    char address[ENDPOINT_SIZE];
    int linger = 0;
    spawn(world);
    read_endpoint(world, "index", address);
    world->index = zmq_socket(world->zmq, ZMQ_SUB);
    (void)zmq_setsockopt(world->index, ZMQ_SUBSCRIBE, "ix.", 3);
    cr_assert_eq(zmq_connect(world->index, address), 0);
    read_endpoint(world, "index_snapshot", address);
    world->snapshot = zmq_socket(world->zmq, ZMQ_DEALER);
    (void)zmq_setsockopt(world->snapshot, ZMQ_LINGER, &linger, sizeof(linger));
    cr_assert_eq(zmq_connect(world->snapshot, address), 0);
}

static int end(struct world *world, int how)
{
    int status = 0;
    cr_assert_eq(kill(world->pid, how), 0);
    cr_assert_eq(waitpid(world->pid, &status, 0), world->pid);
    world->pid = 0;
    close_sockets(world);
    /* The next process asks anew; an answer to this one's request goes nowhere. */
    world->peer_length = 0;
    return status;
}

/* At most `capacity` bytes of what a shell command prints. */
static void shell(const struct world *world, char *output, size_t capacity, const char *command)
{
    char line[2048];
    (void)snprintf(line, sizeof(line), "D=%s; unset KASHI_DATABASE_URL; %s", world->dir, command);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    size_t length = fread(output, 1, capacity - 1, pipe);
    output[length] = '\0';
    cr_assert_eq(pclose(pipe), 0, "%s", command);
}

static void database(const struct world *world, const char *command)
{
    char output[4096];
    char line[512];
    (void)snprintf(line, sizeof(line), "sh sql/cluster.sh %s $D >/dev/null", command);
    shell(world, output, sizeof(output), line);
}

static void clean_up(void)
{
    struct world *world = the_world;
    if (world->pid > 0) {
        (void)kill(world->pid, SIGKILL);
        (void)waitpid(world->pid, NULL, 0);
    }
    close_sockets(world);
    (void)zmq_close(world->tape);
    (void)zmq_ctx_term(world->zmq);
    char output[256];
    shell(world, output, sizeof(output), "sh sql/cluster.sh remove $D && rm -rf $D");
    free(world);
}

/* --- what must be stored ------------------------------------------------------------------------ */

static void expect(void *context, const struct index_value *value)
{
    struct world *world = context;
    if (value->at_mark && value->level != INDEX_LEVEL_NONE) {
        world->expected[world->expected_count++] = *value;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The index of this very tape, computed here, as the lines that the database must hold. */
static char *expected_rows(struct world *world)
{
    static const char *const kinds[] = {"", "indicative", "preliminary", "final"};
    struct index_limits limits = {1000, 10000};
    void *memory = aligned_alloc(64, index_memory_size(&limits));
    struct index index;
    world->expected_count = 0;
    memset(memory, 0, index_memory_size(&limits));
    index_init(&index, &lane_day_parameters_1, &limits, memory, expect, world);
    for (uint32_t i = 0; i < world->event_count; i++) {
        cr_assert_eq(index_event(&index, &world->events[i]), 0);
    }
    free(memory);
    char *lines = calloc(world->expected_count + 1, LINE_SIZE);
    for (uint32_t i = 0; i < world->expected_count; i++) {
        const struct index_value *v = &world->expected[i];
        char value_day[16] = "";
        if (v->level == INDEX_LEVEL_STALE) {
            (void)snprintf(value_day, sizeof(value_day), "%u", v->value_day);
        }
        (void)snprintf(lines + (size_t)i * LINE_SIZE, LINE_SIZE,
                       "%u|%u|%u|%u|%s|%u|%" PRId64 "|%" PRId64 "|%u|%u|%u|%u|%s|%u|%" PRIu64
                       "|%" PRId64 "|%u",
                       v->class_id, v->region_id, v->tier, v->day, kinds[v->kind], v->level,
                       v->price_e4, v->volume_qty, v->observations, v->left_out, v->buyers,
                       v->sellers, value_day, v->parameter_version, v->seq, v->time_ns,
                       v->trading_day);
    }
    qsort(lines, world->expected_count, LINE_SIZE, by_text);
    char *text = calloc(world->expected_count + 1, LINE_SIZE);
    size_t length = 0;
    for (uint32_t i = 0; i < world->expected_count; i++) {
        length += (size_t)sprintf(text + length, "%s\n", lines + (size_t)i * LINE_SIZE);
    }
    free(lines);
    return text;
}

static void await_rows(struct world *world)
{
    char *expected = expected_rows(world);
    size_t size = (world->expected_count + 64) * (size_t)LINE_SIZE;
    char *stored = calloc(1, size);
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    cr_assert_gt(world->expected_count, 4U);
    for (;;) {
        shell(world, stored, size,
              "psql -XqAt \"$(cat $D/database.url)\" -c 'select class_id, region_id, tier, day, "
              "kind, level, price_e4, volume_qty, observations, left_out, buyers, sellers, "
              "value_day, parameter_version, tape_seq, time_ns, trading_day "
              "from kashi.index_values' | LC_ALL=C sort");
        if (strcmp(stored, expected) == 0) {
            break;
        }
        cr_assert_lt(clock_monotonic_ns(), until_ns, "stored:\n%s\nexpected:\n%s", stored,
                     expected);
        step(world);
    }
    free(stored);
    free(expected);
}

/* --- tests -------------------------------------------------------------------------------------- */

static uint32_t ask(struct world *world, const char *prefix, struct index_message *values)
{
    static uint8_t bytes[65536];
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    int length = -1;
    cr_assert_geq(zmq_send(world->snapshot, prefix, strlen(prefix), 0), 0);
    while ((length = zmq_recv(world->snapshot, bytes, sizeof(bytes), ZMQ_DONTWAIT)) < 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "no answer to '%s'", prefix);
        step(world);
    }
    return decode(bytes, (size_t)length, values, 64);
}

Test(pricing_process, publishes_and_answers_without_postgresql, .fini = clean_up)
{
    struct world *world = world_new("lanes_max = 1000\nobservations_max = 10000\n");
    struct index_message values[64];
    start(world);
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    put_trades(world, START_DAY, 0, 1);
    while (world->heard_count == 0) { /* subscriptions arrive when they arrive */
        cr_assert_lt(clock_monotonic_ns(), until_ns, "no indicative value");
        put_trades(world, START_DAY, 0, 1);
        step(world);
        (void)zmq_poll(NULL, 0, 100);
    }
    cr_assert_eq(world->heard[0].kind, INDEX_INDICATIVE);
    put_trades(world, START_DAY, 1, 12);
    put_time(world, at(START_DAY + 1, 30));
    await_heard(world, INDEX_FINAL, START_DAY, 2);
    cr_assert_eq(count_heard(world, INDEX_PRELIMINARY, START_DAY), 2);
    cr_assert_str_eq(world->topics[world->heard_count - 2], "ix.H100.CN-GZ.G0.20261123");
    const struct index_message *final = &world->heard[world->heard_count - 1];
    cr_assert_str_eq(world->topics[world->heard_count - 1], "ix.H100.CN-GZ.G80.20261123");
    cr_assert_eq(final->level, 1);
    cr_assert_eq(final->day, START_DAY + 2);
    cr_assert_eq(final->parameter_version, 1);
    cr_assert_str_eq(final->class_name, "H100");
    cr_assert_str_eq(final->region, "CN-GZ");

    cr_assert_eq(ask(world, "", values), 2);
    cr_assert_eq(values[1].price_e4, final->price_e4);
    cr_assert_eq(values[1].kind, INDEX_FINAL);
    cr_assert_eq(ask(world, "H100.CN-GZ.G8", values), 1);
    cr_assert_eq(values[0].tier, TIER_G80);
    cr_assert_eq(ask(world, "H200", values), 0);
    char nonsense[200];
    memset(nonsense, 'x', sizeof(nonsense));
    cr_assert_geq(zmq_send(world->snapshot, nonsense, sizeof(nonsense), 0), 0);
    for (int part = 0; part < 50; part++) {
        cr_assert_geq(zmq_send(world->snapshot, "x", 1, part < 49 ? ZMQ_SNDMORE : 0), 0);
    }
    cr_assert_eq(ask(world, "H100", values), 2, "and what is none is passed over");
    put_trades(world, START_DAY + 1, 1, 2);
    await_heard(world, INDEX_INDICATIVE, START_DAY + 1, 2);
    cr_assert_eq(ask(world, "", values), 4, "yesterday's final and today's indicative values");

    int status = end(world, SIGTERM);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/pricing.endpoints", world->dir);
    cr_assert_neq(access(path, F_OK), 0, "nobody shall take it for ready");
}

Test(pricing_process, stores_each_value_once_through_kill_9_of_itself_and_of_postgresql,
     .fini = clean_up)
{
    struct world *world = world_new("lanes_max = 1000\nobservations_max = 10000\n");
    char output[256];
    database(world, "start");
    shell(world, output, sizeof(output), SETTLEMENT " --dir $D --migrate 2>/dev/null");
    start(world);
    put_trades(world, START_DAY, 0, 6);
    await_rows(world);
    database(world, "kill9");
    put_trades(world, START_DAY, 6, 12);
    put_time(world, at(START_DAY + 1, 31));
    await_heard(world, INDEX_FINAL, START_DAY, 2);
    database(world, "start");
    await_rows(world);
    for (uint32_t day = 1; day <= 3; day++) {
        int status = end(world, SIGKILL);
        cr_assert(WIFSIGNALED(status));
        put_trades(world, START_DAY + day, 0, 4 * day);
        start(world);
        put_trades(world, START_DAY + day, 4 * day, 12);
        put_time(world, at(START_DAY + day + 1, day == 3 ? 20 : 40));
        if (day != 2) {
            await_rows(world);
        }
    }
    int status = end(world, SIGTERM);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    await_rows(world);
}

Test(pricing_process, values_that_found_no_room_to_wait_are_made_again, .fini = clean_up)
{
    struct world *world = world_new("lanes_max = 16\nobservations_max = 10000\nwaiting_max = 17\n");
    char output[256];
    database(world, "start");
    shell(world, output, sizeof(output), SETTLEMENT " --dir $D --migrate 2>/dev/null");
    database(world, "kill9");
    start(world);
    for (uint32_t day = 0; day < 4; day++) {
        put_trades(world, START_DAY + day, 0, 12);
    }
    put_time(world, at(START_DAY + 4, 40));
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    put_trades(world, START_DAY + 4, 1, 2);
    while (count_heard(world, INDEX_INDICATIVE, START_DAY + 4) == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "it does not publish while values wait");
        step(world);
        if (world->event_count < EVENTS_MAX - 16) {
            put_trades(world, START_DAY + 4, 1, 2);
        }
    }
    database(world, "start");
    await_rows(world);
}

static long resident_kb(pid_t pid)
{
    char line[256];
    long kb = -1;
    (void)snprintf(line, sizeof(line), "/proc/%d/status", (int)pid);
    FILE *file = fopen(line, "r");
    cr_assert_not_null(file);
    while (kb < 0 && fgets(line, sizeof(line), file) != NULL) {
        (void)sscanf(line, "VmRSS: %ld kB", &kb);
    }
    (void)fclose(file);
    cr_assert_gt(kb, 0);
    return kb;
}

Test(pricing_process, tables_of_the_usual_size_take_memory_only_for_what_is_traded,
     .fini = clean_up)
{
    struct world *world = world_new("");
    start(world);
    put_trades(world, START_DAY, 0, 12);
    put_time(world, at(START_DAY, 1439));
    struct index_message values[64];
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (ask(world, "", values) < 2) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "it did not take the tape");
    }
    cr_assert_lt(resident_kb(world->pid), 64 * 1024);
}

Test(pricing_process, refuses_the_database_of_another_market, .fini = clean_up)
{
    struct world *world = world_new("lanes_max = 1000\nobservations_max = 10000\n");
    char output[256];
    int status;
    database(world, "start");
    shell(world, output, sizeof(output), SETTLEMENT " --dir $D --migrate 2>/dev/null");
    shell(world, output, sizeof(output),
          "psql -Xq \"$(cat $D/database.url)\" -c \"insert into kashi.genesis values "
          "(1, 17, 1, '')\"");
    put_trades(world, START_DAY, 0, 12);
    spawn(world);
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (waitpid(world->pid, &status, WNOHANG) == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "it goes on");
        step(world);
    }
    world->pid = 0;
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
