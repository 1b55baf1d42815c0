/* The link over real sockets: a gateway's end and the exchange's end in one process. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/error.h"
#include "wire/link.h"
#include "wire/seal.h"

#define DEADLINE_NS (10 * NS_PER_SECOND)

struct pair {
    char folder[64];
    char endpoint[128];
    void *context;
    struct link_server *server;
    struct link_client *client;
};

static void must(int rc, const struct error *error)
{
    cr_assert_eq(rc, 0, "%s", error->text);
}

static void pair_open(struct pair *pair)
{
    struct error error;
    snprintf(pair->folder, sizeof(pair->folder), "/tmp/kashi-link-XXXXXX");
    cr_assert_not_null(mkdtemp(pair->folder));
    snprintf(pair->endpoint, sizeof(pair->endpoint), "ipc://%s/link.sock", pair->folder);
    pair->context = zmq_ctx_new();
    must(link_server_open(&pair->server, pair->context, pair->endpoint, &error), &error);
    must(link_client_open(&pair->client, pair->context, pair->endpoint, "east",
                          LINK_TIMEOUT_DEFAULT_NS, &error),
         &error);
}

static void pair_close(struct pair *pair)
{
    link_client_close(pair->client);
    link_server_close(pair->server);
    zmq_ctx_term(pair->context);
    unlink(pair->endpoint + strlen("ipc://"));
    rmdir(pair->folder);
}

/* Waits until the exchange's side has a frame. */
static void server_wait(struct link_server *server, struct link_frame *frame)
{
    struct error error;
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    int rc;
    while ((rc = link_server_receive(server, clock_monotonic_ns(), frame, &error)) == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "no frame came");
        zmq_pollitem_t item = {.socket = link_server_socket(server), .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 100);
    }
    cr_assert_eq(rc, 1);
}

static void client_wait(struct link_client *client, struct link_events *events)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (link_client_receive(client, clock_monotonic_ns(), events) == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "no frame came");
        zmq_pollitem_t item = {.socket = link_client_socket(client), .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 100);
    }
}

/* Both sides up, with link id 3. */
static uint8_t pair_up(struct pair *pair)
{
    struct link_frame frame;
    struct link_events events;
    server_wait(pair->server, &frame);
    cr_assert_eq(frame.kind, FRAME_HELLO);
    cr_assert_str_eq(frame.name, "east");
    cr_assert_eq(link_server_welcome(pair->server, frame.peer, 3, 17), 0);
    client_wait(pair->client, &events);
    cr_assert_eq(events.kind, FRAME_WELCOME);
    cr_assert_eq(events.link, 3);
    cr_assert_eq(events.durable_seq, 17);
    cr_assert_eq(link_client_state(pair->client), LINK_UP);
    return frame.peer;
}

static void fill(union command_slot *slot, uint64_t cl_ord_id, uint8_t slots)
{
    memset(slot, 0, slots * sizeof(*slot));
    slot->command.head.type = slots == 2 ? COMMAND_REGISTER_RESOURCE : COMMAND_CANCEL_ORDER;
    slot->command.head.cl_ord_id = cl_ord_id;
    slot->command.head.slots = slots;
    seal_command(&slot->command);
}

Test(link, carries_commands_one_way_and_events_the_other)
{
    struct pair pair;
    struct error error;
    pair_open(&pair);
    uint8_t peer = pair_up(&pair);
    union command_slot slots[3];
    fill(&slots[0], 1, 1);
    fill(&slots[1], 2, 2);
    must(link_client_send(pair.client, slots, 3, &error), &error);
    struct link_frame frame;
    server_wait(pair.server, &frame);
    cr_assert_eq(frame.kind, FRAME_COMMANDS);
    cr_assert_eq(frame.link, 3);
    cr_assert_eq(frame.count, 3);
    cr_assert_arr_eq(frame.slots, slots, sizeof(slots));

    uint32_t count = FRAME_ITEMS_MAX + 100;
    struct event *sent = calloc(count, sizeof(*sent));
    for (uint32_t i = 0; i < count; i++) {
        sent[i].head.seq = i;
    }
    cr_assert_eq(link_server_send(pair.server, peer, sent, count), 0);
    for (uint32_t at = 0; at < count;) {
        struct link_events events;
        client_wait(pair.client, &events);
        cr_assert_eq(events.kind, FRAME_EVENTS);
        cr_assert_arr_eq(events.events, sent + at, events.count * sizeof(*sent));
        at += events.count;
    }
    free(sent);
    pair_close(&pair);
}

Test(link, answers_a_ping_and_says_good_bye)
{
    struct pair pair;
    pair_open(&pair);
    pair_up(&pair);
    int64_t now_ns = clock_monotonic_ns();
    link_client_turn(pair.client, now_ns);
    link_client_turn(pair.client, now_ns + LINK_PING_NS);
    struct link_frame frame;
    struct link_events events;
    server_wait(pair.server, &frame);
    cr_assert_eq(frame.kind, FRAME_PING);
    cr_assert_eq(link_server_pong(pair.server, frame.peer, 99), 0);
    client_wait(pair.client, &events);
    cr_assert_eq(events.kind, FRAME_PONG);
    cr_assert_eq(events.durable_seq, 99);
    link_client_close(pair.client);
    pair.client = NULL;
    server_wait(pair.server, &frame);
    cr_assert_eq(frame.kind, FRAME_BYE);
    pair_close(&pair);
}

Test(link, silence_loses_it_on_both_sides)
{
    struct pair pair;
    pair_open(&pair);
    uint8_t peer = pair_up(&pair);
    int64_t now_ns = clock_monotonic_ns();
    cr_assert_eq(link_client_turn(pair.client, now_ns + LINK_TIMEOUT_DEFAULT_NS / 2), LINK_UP);
    cr_assert_eq(link_client_turn(pair.client, now_ns + LINK_TIMEOUT_DEFAULT_NS + NS_PER_SECOND),
                 LINK_LOST);
    uint8_t silent;
    uint16_t link;
    cr_assert(!link_server_silent(pair.server, now_ns - DEADLINE_NS, &silent, &link));
    cr_assert(link_server_silent(pair.server, now_ns + DEADLINE_NS, &silent, &link));
    cr_assert_eq(silent, peer);
    cr_assert_eq(link, 3);
    pair_close(&pair);
}

Test(link, a_stranger_is_told_so_at_once)
{
    struct pair pair;
    struct error error;
    pair_open(&pair);
    uint8_t peer = pair_up(&pair);
    link_server_drop(pair.server, peer); /* as after a restart: the exchange knows nobody */
    struct link_events events;
    client_wait(pair.client, &events);
    cr_assert_eq(events.kind, FRAME_BYE);
    cr_assert_eq(link_client_state(pair.client), LINK_LOST);
    union command_slot slot;
    fill(&slot, 1, 1);
    cr_assert_eq(link_client_send(pair.client, &slot, 1, &error), ERROR_LOST);
    pair_close(&pair);
}

Test(link, a_peer_that_is_gone_fails_the_send)
{
    struct pair pair;
    pair_open(&pair);
    uint8_t peer = pair_up(&pair);
    link_client_close(pair.client);
    pair.client = NULL;
    struct event event = {.head.seq = 1};
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (link_server_send(pair.server, peer, &event, 1) == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
    }
    link_server_drop(pair.server, peer);
    pair_close(&pair);
}

Test(link, a_peer_that_takes_nothing_fails_the_send_and_soon)
{
    struct pair pair;
    pair_open(&pair);
    uint8_t peer = pair_up(&pair);
    struct event events[64];
    memset(events, 0, sizeof(events));
    int64_t before_ns = clock_monotonic_ns();
    int sent = 0;
    while (link_server_send(pair.server, peer, events, 64) == 0) {
        before_ns = clock_monotonic_ns();
        cr_assert_lt(++sent, 100000, "it is fed without end");
    }
    cr_assert_lt(clock_monotonic_ns() - before_ns, 20 * LINK_SEND_TIMEOUT_MS * INT64_C(1000000));
    pair_close(&pair);
}

/* Sends raw bytes as a frame from a socket that has said a proper HELLO. */
struct raw {
    struct pair pair;
    void *socket;
};

static void raw_open(struct raw *raw)
{
    struct link_frame frame;
    pair_open(&raw->pair);
    pair_up(&raw->pair);
    raw->socket = zmq_socket(raw->pair.context, ZMQ_DEALER);
    int linger = 0;
    zmq_setsockopt(raw->socket, ZMQ_LINGER, &linger, sizeof(linger));
    cr_assert_eq(zmq_connect(raw->socket, raw->pair.endpoint), 0);
    struct frame_head hello = {
        .magic = FRAME_MAGIC, .version = 1, .kind = FRAME_HELLO, .name = "raw"};
    zmq_send(raw->socket, &hello, sizeof(hello), 0);
    server_wait(raw->pair.server, &frame);
    cr_assert_eq(frame.kind, FRAME_HELLO);
    cr_assert_eq(link_server_welcome(raw->pair.server, frame.peer, 4, 0), 0);
}

static void raw_close(struct raw *raw)
{
    zmq_close(raw->socket);
    pair_close(&raw->pair);
}

/* After whatever was sent comes a good ping: it is the next frame that is handed out, and `bad`
 * frames were counted on the way. */
static void expect_dropped(struct raw *raw, uint64_t bad)
{
    struct frame_head ping = {.magic = FRAME_MAGIC, .version = 1, .kind = FRAME_PING};
    zmq_send(raw->socket, &ping, sizeof(ping), 0);
    struct link_frame frame;
    server_wait(raw->pair.server, &frame);
    cr_assert_eq(frame.kind, FRAME_PING);
    cr_assert_eq(frame.link, 4);
    cr_assert_eq(link_server_counts(raw->pair.server).bad_frames, bad);
}

struct one_command {
    struct frame_head head;
    union command_slot slots[2];
};

static struct one_command good_frame(uint8_t slots)
{
    struct one_command frame = {
        .head = {.magic = FRAME_MAGIC, .version = 1, .kind = FRAME_COMMANDS, .count = slots}};
    fill(frame.slots, 1, slots);
    return frame;
}

Test(link, drops_and_counts_damaged_frames_and_goes_on)
{
    struct raw raw;
    raw_open(&raw);
    uint64_t bad = 0;
    const size_t size = sizeof(struct frame_head) + COMMAND_SLOT_SIZE;

    struct one_command frame = good_frame(1);
    struct link_frame got;
    zmq_send(raw.socket, &frame, size, 0);
    server_wait(raw.pair.server, &got); /* the neighbour that passes */
    cr_assert_eq(got.count, 1);

    frame = good_frame(1);
    frame.slots[0].bytes[100] ^= 1;
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(1);
    frame.head.magic ^= 1;
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(1);
    frame.head.version = 2;
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(1);
    zmq_send(raw.socket, &frame, size - 1, 0);
    expect_dropped(&raw, ++bad);
    zmq_send(raw.socket, &frame, size + 1, 0);
    expect_dropped(&raw, ++bad);
    zmq_send(raw.socket, &frame, 5, 0);
    expect_dropped(&raw, ++bad);
    zmq_send(raw.socket, "", 0, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(2); /* a command cut in half */
    frame.head.count = 1;
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(1);
    frame.slots[0].command.head.slots = 0;
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(1); /* only the sequencer ticks */
    frame.slots[0].command.head.type = COMMAND_TICK;
    seal_command(&frame.slots[0].command);
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(1); /* two parts */
    zmq_send(raw.socket, &frame, size, ZMQ_SNDMORE);
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);

    frame = good_frame(1);
    frame.head.kind = FRAME_WELCOME;
    zmq_send(raw.socket, &frame, size, 0);
    expect_dropped(&raw, ++bad);
    raw_close(&raw);
}

Test(link, refuses_a_name_that_does_not_fit)
{
    struct error error;
    struct link_client *client;
    void *context = zmq_ctx_new();
    cr_assert_eq(link_client_open(&client, context, "ipc:///tmp/none", "", 1, &error),
                 ERROR_INVALID);
    cr_assert_eq(
        link_client_open(&client, context, "ipc:///tmp/none", "sixteen-letters!", 1, &error),
        ERROR_INVALID);
    zmq_ctx_term(context);
}
