#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "exchange/tape_server.h"
#include "exchange/tape_store.h"
#include "wire/frame.h"
#include "wire/tape.h"

#define COMMANDS       600
#define SEGMENT_EVENTS 200
#define DEADLINE_NS    INT64_C(20000000000)

/* A tape of random commands in a folder of its own. */
struct fixture {
    char folder[64];
    struct random random;
    struct event *events;
    uint32_t count;
    struct tape_store *store;
    struct error error;
};

static void add_command(struct fixture *fixture, uint64_t seq, uint32_t count)
{
    fixture->events =
        realloc(fixture->events, (fixture->count + count) * sizeof(fixture->events[0]));
    CHECK(fixture->events);
    for (uint32_t i = 0; i < count; i++) {
        struct event *event = &fixture->events[fixture->count++];
        *event = (struct event){.head = {.seq = seq,
                                         .time_ns = (int64_t)seq * 1000,
                                         .index = i,
                                         .type = EVENT_TIME,
                                         .flags = i + 1 == count ? EVENT_LAST : 0}};
        for (size_t b = 0; b < sizeof(event->bytes); b++) {
            event->bytes[b] = (uint8_t)random_next(&fixture->random);
        }
    }
}

static void open_store(struct fixture *fixture)
{
    cr_assert(tape_store_open(&fixture->store, fixture->folder, SEGMENT_EVENTS, &fixture->error) ==
                  0,
              "%s", fixture->error.text);
}

static void append(struct fixture *fixture, uint32_t from, uint32_t to)
{
    while (from < to) {
        uint32_t count = 1 + (uint32_t)random_below(&fixture->random, 50);
        count = count < to - from ? count : to - from;
        uint64_t position;
        cr_assert(tape_store_append(fixture->store, fixture->events + from, count, &position,
                                    &fixture->error) == 0,
                  "%s", fixture->error.text);
        cr_assert(position == from);
        from += count;
    }
    cr_assert(tape_store_flush(fixture->store, &fixture->error) == 0);
}

static struct fixture *new_fixture(uint64_t seed, uint32_t commands)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture);
    random_seed(&fixture->random, seed);
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/kashi-tape-XXXXXX");
    CHECK(mkdtemp(fixture->folder));
    for (uint64_t seq = 1; seq <= commands; seq++) {
        bool many = random_below(&fixture->random, 20) == 0;
        add_command(fixture, seq, 1 + (uint32_t)random_below(&fixture->random, many ? 90 : 4));
    }
    open_store(fixture);
    return fixture;
}

static uint64_t segment_count(const struct fixture *fixture)
{
    uint64_t number = 0;
    char path[TAPE_PATH_SIZE];
    struct error error;
    do {
        CHECK(tape_segment_path(fixture->folder, ++number, path, &error) == 0);
    } while (access(path, F_OK) == 0);
    return number - 1;
}

static void free_fixture(struct fixture *fixture)
{
    for (uint64_t number = segment_count(fixture); number > 0; number--) {
        char path[TAPE_PATH_SIZE];
        CHECK(tape_segment_path(fixture->folder, number, path, &fixture->error) == 0);
        unlink(path);
    }
    rmdir(fixture->folder);
    tape_store_close(fixture->store);
    free(fixture->events);
    free(fixture);
}

static uint64_t seed_now(void)
{
    uint64_t seed = (uint64_t)clock_realtime_ns();
    cr_log_info("seed %lu", seed);
    return seed;
}

/* Place of the first event above the sequence. */
static uint32_t place_after(const struct fixture *fixture, uint64_t after_seq)
{
    uint32_t place = 0;
    while (place < fixture->count && fixture->events[place].head.seq <= after_seq) {
        place++;
    }
    return place;
}

static void expect_batch(const struct fixture *fixture, const struct tape_batch *batch,
                         uint32_t *place)
{
    cr_assert(batch->count > 0 && *place + batch->count <= fixture->count);
    cr_assert(memcmp(batch->events, fixture->events + *place,
                     batch->count * sizeof(batch->events[0])) == 0);
    *place += batch->count;
    cr_assert(fixture->events[*place - 1].head.flags & EVENT_LAST);
    cr_assert(batch->last_seq == fixture->events[*place - 1].head.seq);
}

/* --- the store ------------------------------------------------------------------------------ */

Test(tape, finds_and_reads_what_was_appended_over_many_segments)
{
    struct fixture *fixture = new_fixture(seed_now(), COMMANDS);
    append(fixture, 0, fixture->count);
    cr_assert(segment_count(fixture) > 3);
    cr_assert(tape_store_seq(fixture->store) == COMMANDS);
    for (uint64_t seq = 0; seq <= COMMANDS; seq++) {
        uint64_t position;
        cr_assert(tape_store_find(fixture->store, seq, &position, &fixture->error) == 0);
        cr_assert(position == place_after(fixture, seq));
        struct event event;
        uint32_t got;
        cr_assert(tape_store_read(fixture->store, position, 1, &event, &got, &fixture->error) == 0);
        cr_assert(got == (seq < COMMANDS));
        cr_assert(got == 0 || memcmp(&event, &fixture->events[position], sizeof(event)) == 0);
    }
    free_fixture(fixture);
}

static void damage_end(const struct fixture *fixture, struct random *random, bool zeros)
{
    char path[TAPE_PATH_SIZE];
    struct error error;
    CHECK(tape_segment_path(fixture->folder, segment_count(fixture), path, &error) == 0);
    int file = open(path, O_RDWR);
    off_t size = lseek(file, 0, SEEK_END);
    CHECK(file >= 0 && size >= EVENT_SIZE);
    off_t kept = EVENT_SIZE + (off_t)random_below(random, (uint64_t)(size - EVENT_SIZE) + 1);
    if (zeros) {
        kept -= kept % EVENT_SIZE; /* disks lose whole sectors, four records each */
    }
    CHECK(ftruncate(file, kept) == 0);
    if (zeros) {
        CHECK(ftruncate(file, size) == 0);
    }
    close(file);
}

Test(tape, a_torn_end_is_cut_and_made_again_by_replay)
{
    for (uint32_t round = 0; round < 30; round++) {
        struct fixture *fixture = new_fixture(seed_now(), 100);
        append(fixture, 0, fixture->count);
        tape_store_close(fixture->store);
        damage_end(fixture, &fixture->random, round % 2 == 0);

        open_store(fixture);
        uint64_t held = tape_store_count(fixture->store);
        cr_assert(held == place_after(fixture, tape_store_seq(fixture->store)));
        append(fixture, 0, fixture->count);
        cr_assert(tape_store_seq(fixture->store) == 100);

        struct tape_file *file;
        cr_assert(tape_file_open(&file, fixture->folder, 0, &fixture->error) == 0);
        uint32_t place = 0;
        struct tape_batch batch;
        while (tape_file_next(file, &batch, &fixture->error) == 1) {
            expect_batch(fixture, &batch, &place);
        }
        cr_assert(place == fixture->count);
        tape_file_close(file);
        free_fixture(fixture);
    }
}

Test(tape, a_replay_that_differs_from_the_tape_is_refused)
{
    struct fixture *fixture = new_fixture(seed_now(), 50);
    append(fixture, 0, fixture->count);
    tape_store_close(fixture->store);
    open_store(fixture);
    uint32_t wrong = (uint32_t)random_below(&fixture->random, fixture->count);
    append(fixture, 0, wrong);
    fixture->events[wrong].bytes[7] ^= 1;
    uint64_t position;
    cr_assert(tape_store_append(fixture->store, &fixture->events[wrong], 1, &position,
                                &fixture->error) == ERROR_MISMATCH);
    free_fixture(fixture);
}

Test(tape, a_segment_that_is_shorter_than_the_next_one_says_is_refused)
{
    struct fixture *fixture = new_fixture(seed_now(), COMMANDS);
    append(fixture, 0, fixture->count);
    tape_store_close(fixture->store);
    fixture->store = NULL;
    char path[TAPE_PATH_SIZE];
    CHECK(tape_segment_path(fixture->folder, 1, path, &fixture->error) == 0);
    CHECK(truncate(path, 10 * EVENT_SIZE) == 0);
    cr_assert(tape_store_open(&fixture->store, fixture->folder, SEGMENT_EVENTS, &fixture->error) ==
              ERROR_CORRUPT);
    free_fixture(fixture);
}

/* --- the file reader ------------------------------------------------------------------------ */

Test(tape, a_file_reader_sees_each_event_once_from_any_sequence_while_the_tape_grows)
{
    struct fixture *fixture = new_fixture(seed_now(), COMMANDS);
    for (uint32_t round = 0; round < 10; round++) {
        uint64_t after_seq = random_below(&fixture->random, COMMANDS);
        uint32_t place = place_after(fixture, after_seq);
        uint32_t there = (uint32_t)tape_store_count(fixture->store);
        uint32_t until = round < 9 ? fixture->count / 10 * (round + 1) : fixture->count;
        if (place > there) {
            after_seq = 0;
            place = 0;
        }
        struct tape_file *file;
        cr_assert(tape_file_open(&file, fixture->folder, after_seq, &fixture->error) == 0);
        struct tape_batch batch;
        int result;
        while (there < until || place < place_after(fixture, tape_store_seq(fixture->store))) {
            uint32_t more = there + (uint32_t)random_below(&fixture->random, 100);
            more = more < until ? more : until;
            tape_store_close(fixture->store);
            open_store(fixture);
            append(fixture, 0, more);
            there = more;
            while ((result = tape_file_next(file, &batch, &fixture->error)) == 1) {
                expect_batch(fixture, &batch, &place);
            }
            cr_assert(result == 0, "%s", fixture->error.text);
        }
        tape_file_close(file);
    }
    free_fixture(fixture);
}

/* --- server and followers ------------------------------------------------------------------- */

struct network {
    void *context;
    struct tape_server *server;
    char endpoint[96];
    int64_t now_ns;
};

static void serve(struct fixture *fixture, struct network *network)
{
    cr_assert(tape_server_open(&network->server, network->context, network->endpoint,
                               fixture->store, &fixture->error) == 0,
              "%s", fixture->error.text);
}

static struct network *new_network(struct fixture *fixture)
{
    struct network *network = calloc(1, sizeof(*network));
    CHECK(network);
    network->context = zmq_ctx_new();
    snprintf(network->endpoint, sizeof(network->endpoint), "ipc://%s.sock", fixture->folder);
    serve(fixture, network);
    return network;
}

static void free_network(struct network *network)
{
    tape_server_close(network->server);
    zmq_ctx_term(network->context);
    unlink(network->endpoint + strlen("ipc://"));
    free(network);
}

static void turn(struct fixture *fixture, struct network *network)
{
    bool more;
    cr_assert(tape_server_turn(network->server, network->now_ns, &more, &fixture->error) == 0, "%s",
              fixture->error.text);
}

/* Turns the server until the follower has something or the time is over. */
static int follow(struct fixture *fixture, struct network *network, struct tape_follower *follower,
                  struct tape_batch *batch)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    int result = 0;
    while (result == 0 && clock_monotonic_ns() < until_ns) {
        if (network->server) {
            turn(fixture, network);
        }
        result = tape_follow_next(follower, 1, batch, &fixture->error);
    }
    return result;
}

static void follow_to_end(struct fixture *fixture, struct network *network,
                          struct tape_follower *follower, uint32_t *place)
{
    while (tape_follow_seq(follower) < tape_store_seq(fixture->store)) {
        struct tape_batch batch;
        cr_assert(follow(fixture, network, follower, &batch) == 1, "%s", fixture->error.text);
        expect_batch(fixture, &batch, place);
        cr_assert(batch.tape_seq <= tape_store_seq(fixture->store));
    }
}

Test(tape, followers_from_any_sequence_see_each_event_once)
{
    struct fixture *fixture = new_fixture(seed_now(), COMMANDS);
    struct network *network = new_network(fixture);
    struct tape_follower *followers[8];
    uint32_t places[8];
    append(fixture, 0, fixture->count / 3);
    for (size_t i = 0; i < 8; i++) {
        uint64_t after_seq =
            i == 0 ? 0 : random_below(&fixture->random, tape_store_seq(fixture->store) + 1);
        places[i] = place_after(fixture, after_seq);
        cr_assert(tape_follow_open(&followers[i], network->context, network->endpoint, after_seq,
                                   &fixture->error) == 0);
    }
    uint32_t there = fixture->count / 3;
    while (there < fixture->count) {
        uint32_t more = there + (uint32_t)random_below(&fixture->random, 300);
        more = more < fixture->count ? more : fixture->count;
        append(fixture, there, more);
        there = more;
        for (size_t i = 0; i < 8; i++) {
            follow_to_end(fixture, network, followers[i], &places[i]);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        cr_assert(places[i] == fixture->count);
        tape_follow_close(followers[i]);
    }
    free_network(network);
    free_fixture(fixture);
}

Test(tape, a_command_larger_than_a_frame_is_served_whole)
{
    struct fixture *fixture = new_fixture(seed_now(), 3);
    add_command(fixture, 4, 3 * FRAME_ITEMS_MAX);
    add_command(fixture, 5, 1);
    struct network *network = new_network(fixture);
    append(fixture, 0, fixture->count);
    struct tape_follower *follower;
    cr_assert(
        tape_follow_open(&follower, network->context, network->endpoint, 3, &fixture->error) == 0);
    uint32_t place = place_after(fixture, 3);
    follow_to_end(fixture, network, follower, &place);
    cr_assert(place == fixture->count);
    tape_follow_close(follower);
    free_network(network);
    free_fixture(fixture);
}

Test(tape, a_follower_ahead_of_the_tape_waits_until_the_tape_is_made_again)
{
    struct fixture *fixture = new_fixture(seed_now(), 40);
    struct network *network = new_network(fixture);
    uint32_t place = place_after(fixture, 30);
    append(fixture, 0, place_after(fixture, 20));
    struct tape_follower *follower;
    cr_assert(
        tape_follow_open(&follower, network->context, network->endpoint, 30, &fixture->error) == 0);
    struct tape_batch batch;
    for (int i = 0; i < 20; i++) {
        turn(fixture, network);
        network->now_ns += TAPE_SERVER_WAIT_NS / 4;
        cr_assert(tape_follow_next(follower, 5, &batch, &fixture->error) == 0);
    }
    append(fixture, place_after(fixture, 20), fixture->count);
    follow_to_end(fixture, network, follower, &place);
    cr_assert(place == fixture->count);
    tape_follow_close(follower);
    free_network(network);
    free_fixture(fixture);
}

Test(tape, a_follower_goes_on_when_the_server_comes_back)
{
    struct fixture *fixture = new_fixture(seed_now(), 60);
    struct network *network = new_network(fixture);
    append(fixture, 0, place_after(fixture, 30));
    struct tape_follower *follower;
    cr_assert(
        tape_follow_open(&follower, network->context, network->endpoint, 0, &fixture->error) == 0);
    uint32_t place = 0;
    follow_to_end(fixture, network, follower, &place);
    tape_server_close(network->server);
    network->server = NULL;
    struct tape_batch batch;
    cr_assert(tape_follow_next(follower, 50, &batch, &fixture->error) == 0);
    append(fixture, place_after(fixture, 30), fixture->count);
    serve(fixture, network);
    follow_to_end(fixture, network, follower, &place);
    cr_assert(place == fixture->count);
    tape_follow_close(follower);
    free_network(network);
    free_fixture(fixture);
}

/* Answers one request by hand. */
static void answer_by_hand(struct network *network, void *router, const struct event *events,
                           uint32_t count)
{
    (void)network;
    uint8_t routing[256];
    struct frame_head head;
    int size = zmq_recv(router, routing, sizeof(routing), 0);
    CHECK(size > 0 && zmq_recv(router, &head, sizeof(head), 0) == (int)sizeof(head));
    uint8_t answer[sizeof(head) + 8 * sizeof(struct event)];
    CHECK(count <= 8);
    head.kind = FRAME_TAPE_EVENTS;
    head.count = count;
    memcpy(answer, &head, sizeof(head));
    memcpy(answer + sizeof(head), events, count * sizeof(events[0]));
    CHECK(zmq_send(router, routing, (size_t)size, ZMQ_SNDMORE) == size);
    CHECK(zmq_send(router, answer, sizeof(head) + count * sizeof(events[0]), 0) > 0);
}

static int follow_forged(const struct event *events, uint32_t count)
{
    struct network network = {.context = zmq_ctx_new()};
    void *router = zmq_socket(network.context, ZMQ_ROUTER);
    CHECK(zmq_bind(router, "inproc://tape") == 0);
    struct tape_follower *follower;
    struct error error = {0};
    struct tape_batch batch;
    cr_assert(tape_follow_open(&follower, network.context, "inproc://tape", 4, &error) == 0);
    answer_by_hand(&network, router, events, count);
    int result = tape_follow_next(follower, 5000, &batch, &error);
    tape_follow_close(follower);
    int linger_ms = 0;
    zmq_setsockopt(router, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    zmq_close(router);
    zmq_ctx_term(network.context);
    return result;
}

Test(tape, a_gap_or_a_part_of_a_command_is_refused)
{
    struct event events[3] = {
        {.head = {.seq = 5, .index = 0, .type = EVENT_TIME}},
        {.head = {.seq = 5, .index = 1, .type = EVENT_TIME, .flags = EVENT_LAST}},
        {.head = {.seq = 6, .index = 0, .type = EVENT_TIME, .flags = EVENT_LAST}},
    };
    cr_assert(follow_forged(events, 3) == 1);
    cr_assert(follow_forged(events, 2) == 1);
    cr_assert(follow_forged(events, 1) == ERROR_CORRUPT, "a part of a command");
    cr_assert(follow_forged(events + 1, 2) == ERROR_CORRUPT, "an index is missing");
    cr_assert(follow_forged(events + 2, 1) == ERROR_CORRUPT, "a command is missing");
    events[2].head.seq = 7;
    cr_assert(follow_forged(events, 3) == ERROR_CORRUPT, "a command is missing behind the first");
}

/* --- the server's manners ------------------------------------------------------------------- */

static void send_request(void *dealer, const void *bytes, size_t size)
{
    CHECK(zmq_send(dealer, bytes, size, 0) == (int)size);
}

static bool receive_answer(struct fixture *fixture, struct network *network, void *dealer,
                           struct frame_head *head)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (clock_monotonic_ns() < until_ns) {
        turn(fixture, network);
        if (zmq_recv(dealer, head, sizeof(*head), ZMQ_DONTWAIT) >= 0) {
            return true;
        }
        usleep(1000);
    }
    return false;
}

Test(tape, without_events_the_answer_comes_after_a_second_and_bad_requests_get_none)
{
    struct fixture *fixture = new_fixture(seed_now(), 5);
    struct network *network = new_network(fixture);
    append(fixture, 0, fixture->count);
    void *dealer = zmq_socket(network->context, ZMQ_DEALER);
    int linger_ms = 0;
    zmq_setsockopt(dealer, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    CHECK(zmq_connect(dealer, network->endpoint) == 0);
    struct frame_head head = {
        .magic = FRAME_MAGIC, .version = 1, .kind = FRAME_TAPE_REQUEST, .after_seq = 2};
    struct frame_head wrong = head;
    wrong.magic++;
    send_request(dealer, &wrong, sizeof(wrong));
    send_request(dealer, "x", 1);
    struct frame_head answer;
    send_request(dealer, &head, sizeof(head));
    cr_assert(receive_answer(fixture, network, dealer, &answer));
    cr_assert(answer.count == fixture->count - place_after(fixture, 2) && answer.after_seq == 5);

    head.after_seq = 5;
    send_request(dealer, &head, sizeof(head));
    for (int i = 0; i < 50; i++) {
        turn(fixture, network);
        usleep(1000);
        cr_assert(zmq_recv(dealer, &answer, sizeof(answer), ZMQ_DONTWAIT) < 0);
    }
    network->now_ns += TAPE_SERVER_WAIT_NS;
    cr_assert(receive_answer(fixture, network, dealer, &answer));
    cr_assert(answer.count == 0 && answer.after_seq == 5);
    zmq_close(dealer);
    free_network(network);
    free_fixture(fixture);
}
