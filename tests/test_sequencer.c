/* The sequencer over real sockets and a real journal in a folder of its own, turned by hand. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "exchange/sequencer.h"
#include "exchange/timekeeper.h"
#include "wire/frame.h"
#include "wire/link.h"
#include "wire/seal.h"

#define DEADLINE_NS (10 * NS_PER_SECOND)
#define EVENTS_MAX  4096

static const char small_tables[] = "orders = 1000\nladders = 1000\nfills = 1000\nholdings = 1000\n"
                                   "timers = 100\naccounts = 100\nkeys = 100\nresources = 10\n"
                                   "groups = 100\nmarkets = 10\nsegment_bytes = 1048576\n"
                                   "link_timeout_ms = 300\n";

/* A gateway's end and what it has received. */
struct gateway {
    struct link_client *client;
    struct event events[EVENTS_MAX];
    uint32_t count;
};

struct bench {
    char folder[64];
    struct config config;
    struct settings settings;
    void *context;
    struct sequencer *sequencer;
};

static void must(int rc, const struct error *error)
{
    cr_assert_eq(rc, 0, "%s", error->text);
}

static void write_text(const char *path, const char *first, const char *second)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file, "%s%s", first, second);
    fclose(file);
}

static void bench_start(struct bench *bench)
{
    struct error error;
    must(config_load(&bench->config, "kashi.ini", &error), &error);
    must(settings_read(&bench->settings, &bench->config, &error), &error);
    must(sequencer_open(&bench->sequencer, &bench->settings, bench->context, &error), &error);
}

static void bench_stop(struct bench *bench)
{
    sequencer_close(bench->sequencer);
    config_free(&bench->config);
}

static void bench_open(struct bench *bench, const char *more)
{
    memset(bench, 0, sizeof(*bench));
    snprintf(bench->folder, sizeof(bench->folder), "/tmp/kashi-sequencer-XXXXXX");
    cr_assert_not_null(mkdtemp(bench->folder));
    cr_assert_eq(chdir(bench->folder), 0);
    cr_assert_eq(mkdir("keys", 0700), 0);
    char text[1024];
    snprintf(text, sizeof(text), "[exchange]\n%s", small_tables);
    write_text("kashi.ini", text, more);
    write_text(SEQUENCER_OPERATOR_KEY, "public = rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\n", "");
    bench->context = zmq_ctx_new();
    bench_start(bench);
}

static void bench_close(struct bench *bench)
{
    bench_stop(bench);
    zmq_ctx_term(bench->context);
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", bench->folder);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(system(command), 0);
}

static void turn(struct bench *bench)
{
    struct error error;
    must(sequencer_turn(bench->sequencer, -1, &error), &error);
}

static struct gateway *gateway_open(struct bench *bench, const char *name)
{
    struct error error;
    struct gateway *gateway = calloc(1, sizeof(*gateway));
    must(link_client_open(&gateway->client, bench->context, "ipc://link.sock", name,
                          LINK_TIMEOUT_DEFAULT_NS, &error),
         &error);
    return gateway;
}

static void gateway_close(struct gateway *gateway)
{
    link_client_close(gateway->client);
    free(gateway);
}

static void gateway_take(struct gateway *gateway)
{
    struct link_events events;
    while (link_client_receive(gateway->client, clock_monotonic_ns(), &events) == 1) {
        cr_assert_leq(gateway->count + events.count, EVENTS_MAX);
        memcpy(gateway->events + gateway->count, events.events,
               events.count * sizeof(struct event));
        gateway->count += events.count;
    }
}

/* Turns the exchange until the gateway has `count` events. */
static void wait_events(struct bench *bench, struct gateway *gateway, uint32_t count)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (gateway_take(gateway), gateway->count < count) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "only %u of %u events", gateway->count, count);
        link_client_turn(gateway->client, clock_monotonic_ns());
        turn(bench);
    }
}

static void wait_state(struct bench *bench, struct gateway *gateway, enum link_state state)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (gateway_take(gateway), link_client_state(gateway->client) != state) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
        turn(bench);
    }
}

static void wait_seq(struct bench *bench, uint64_t seq)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (engine_seq(sequencer_engine(bench->sequencer)) < seq) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
        turn(bench);
    }
}

static void gateway_send(struct gateway *gateway, struct command *commands, uint32_t count)
{
    struct error error;
    for (uint32_t i = 0; i < count; i++) {
        commands[i].head.slots = 1;
        seal_command(&commands[i]);
    }
    must(link_client_send(gateway->client, (const union command_slot *)(const void *)commands,
                          count, &error),
         &error);
}

/* The first operator, logged in; the event is taken away. */
static uint32_t login(struct bench *bench, struct gateway *gateway)
{
    struct command command = {.head = {.type = COMMAND_LOGIN, .key = 1}, .login = {.nonce = 5}};
    gateway->count = 0;
    gateway_send(gateway, &command, 1);
    wait_events(bench, gateway, 1);
    cr_assert_eq(gateway->events[0].head.type, EVENT_LOGIN);
    cr_assert_eq(gateway->events[0].login.nonce, 5);
    gateway->count = 0;
    return gateway->events[0].login.session;
}

static struct command register_group(uint32_t session, uint64_t cl_ord_id, const char *name)
{
    struct command command = {
        .head = {
            .type = COMMAND_REGISTER_GROUP, .key = 1, .session = session, .cl_ord_id = cl_ord_id}};
    memcpy(command.register_group.name, name, strlen(name));
    return command;
}

static int64_t engine_now_ns(const struct bench *bench)
{
    return engine_time_ns(sequencer_engine(bench->sequencer));
}

Test(sequencer, begins_a_market_with_genesis_and_the_operators_key)
{
    struct bench bench;
    bench_open(&bench, "[genesis]\nrate_limit = 77\n");
    const struct engine *engine = sequencer_engine(bench.sequencer);
    struct engine_key key;
    struct engine_account account;
    cr_assert_eq(engine_seq(engine), 1);
    cr_assert(engine_key(engine, 1, &key));
    cr_assert_eq(key.roles, ROLE_OPERATOR);
    uint8_t expected[PUBLIC_KEY_SIZE];
    zmq_z85_decode(expected, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
    cr_assert_arr_eq(key.public_key, expected, sizeof(expected));
    cr_assert(engine_account(engine, 1, &account));
    cr_assert_eq(account.rate_limit, 77);
    bench_close(&bench);
}

Test(sequencer, answers_the_link_that_asked_and_tells_the_registry_to_all)
{
    struct bench bench;
    bench_open(&bench, "");
    struct gateway *east = gateway_open(&bench, "east");
    struct gateway *west = gateway_open(&bench, "west");
    wait_state(&bench, east, LINK_UP);
    wait_state(&bench, west, LINK_UP);
    cr_assert_neq(link_client_id(east->client), link_client_id(west->client));
    uint32_t session = login(&bench, east);
    struct command commands[] = {register_group(session, 1, "one"),
                                 register_group(session, 2, "two"),
                                 register_group(session, 2, "twice")};
    gateway_send(east, commands, 3);
    wait_events(&bench, east, 3);
    wait_events(&bench, west, 2);
    cr_assert_eq(east->events[1].head.type, EVENT_GROUP);
    cr_assert_str_eq(east->events[1].group.name, "two");
    cr_assert_eq(east->events[2].head.type, EVENT_REJECTED);
    cr_assert_eq(east->events[2].rejected.reason, REASON_DUPLICATE);
    cr_assert_eq(east->events[2].head.seq, east->events[0].head.seq + 2);
    cr_assert_str_eq(west->events[1].group.name, "two");
    cr_assert_eq(west->count, 2, "the refusal is nobody else's business");
    gateway_close(east);
    gateway_close(west);
    bench_close(&bench);
}

Test(sequencer, restarts_to_the_same_state_and_ends_the_old_sessions)
{
    struct bench bench;
    bench_open(&bench, "");
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    uint32_t session = login(&bench, east);
    struct command commands[100];
    for (uint32_t i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof(name), "group-%u", i);
        commands[i] = register_group(session, i + 1, name);
    }
    gateway_send(east, commands, 50);
    wait_events(&bench, east, 50);
    uint64_t seq = engine_seq(sequencer_engine(bench.sequencer));
    uint64_t hash = engine_state_hash(sequencer_engine(bench.sequencer));
    bench_stop(&bench);
    bench_start(&bench);
    cr_assert_eq(engine_seq(sequencer_engine(bench.sequencer)), seq);
    cr_assert_eq(engine_state_hash(sequencer_engine(bench.sequencer)), hash);
    struct engine_key key;
    cr_assert(engine_key(sequencer_engine(bench.sequencer), 1, &key));
    cr_assert_neq(key.link, 0);
    wait_seq(&bench, seq + 1);
    cr_assert(engine_key(sequencer_engine(bench.sequencer), 1, &key));
    cr_assert_eq(key.link, 0, "the link of the last process is down");
    wait_state(&bench, east, LINK_LOST);
    gateway_close(east);
    bench_close(&bench);
}

Test(sequencer, ticks_in_a_second_of_silence)
{
    struct bench bench;
    bench_open(&bench, "");
    int64_t before_ns = clock_monotonic_ns();
    int64_t time_ns = engine_now_ns(&bench);
    wait_seq(&bench, 3);
    cr_assert_geq(clock_monotonic_ns() - before_ns, 19 * NS_PER_SECOND / 10);
    cr_assert_geq(engine_now_ns(&bench) - time_ns, 19 * NS_PER_SECOND / 10);
    bench_close(&bench);
}

Test(sequencer, loses_a_silent_link_and_welcomes_it_back)
{
    struct bench bench;
    bench_open(&bench, "");
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    uint16_t link = link_client_id(east->client);
    wait_state(&bench, east, LINK_LOST); /* it never pings */
    cr_assert_eq(sequencer_counts(bench.sequencer).links_down, 1);
    gateway_close(east);
    east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    cr_assert_eq(link_client_id(east->client), link, "the same name has the same link");
    gateway_close(east);
    bench_close(&bench);
}

Test(sequencer, a_gateway_that_comes_back_before_it_was_missed_takes_its_link_over)
{
    struct bench bench;
    bench_open(&bench, "");
    struct gateway *old = gateway_open(&bench, "east");
    wait_state(&bench, old, LINK_UP);
    uint32_t session = login(&bench, old);
    struct gateway *new = gateway_open(&bench, "east");
    wait_state(&bench, new, LINK_UP);
    wait_state(&bench, old, LINK_LOST);
    struct command command = register_group(session, 1, "of the old session");
    gateway_send(new, &command, 1);
    wait_events(&bench, new, 1);
    cr_assert_eq(new->events[0].rejected.reason, REASON_SESSION_ENDED);
    login(&bench, new);
    gateway_close(old);
    gateway_close(new);
    bench_close(&bench);
}

Test(sequencer, publishes_how_far_the_journal_is_durable)
{
    struct bench bench;
    bench_open(&bench, "");
    void *follower = zmq_socket(bench.context, ZMQ_SUB);
    int linger = 0;
    zmq_setsockopt(follower, ZMQ_LINGER, &linger, sizeof(linger));
    zmq_setsockopt(follower, ZMQ_SUBSCRIBE, "", 0);
    cr_assert_eq(zmq_connect(follower, "ipc://mark.sock"), 0);
    struct journal_mark mark;
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (zmq_recv(follower, &mark, sizeof(mark), ZMQ_DONTWAIT) < 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
        turn(&bench);
    }
    cr_assert_leq(mark.seq, engine_seq(sequencer_engine(bench.sequencer)));
    struct error error;
    struct journal_reader *reader;
    struct journal_batch batch;
    must(journal_reader_open(&reader, file_posix(), JOURNAL_FOLDER, &error), &error);
    while (journal_reader_next(reader, &mark, &batch, &error) == 1) {
    }
    cr_assert_eq(journal_reader_position(reader).seq, mark.seq);
    cr_assert_eq(journal_reader_position(reader).offset, mark.offset);
    journal_reader_close(reader);
    zmq_close(follower);
    bench_close(&bench);
}

/* The bits of the last TICK in the journal; false: it has none. */
static bool last_tick(uint64_t *entropy)
{
    struct error error;
    struct journal_reader *reader;
    struct journal_mark mark;
    struct journal_batch batch;
    bool found = false;
    must(journal_reader_open(&reader, file_posix(), JOURNAL_FOLDER, &error), &error);
    while (journal_reader_next(reader, &mark, &batch, &error) == 1) {
        for (uint32_t i = 0; i < batch.count; i += batch.slots[i].command.head.slots) {
            if (batch.slots[i].command.head.type == COMMAND_TICK) {
                *entropy = batch.slots[i].command.tick.entropy;
                found = true;
            }
        }
    }
    journal_reader_close(reader);
    return found;
}

Test(sequencer, every_tick_has_random_bits_of_its_own)
{
    struct bench bench;
    bench_open(&bench, "");
    uint64_t bits[2];
    for (uint64_t i = 0; i < 2; i++) {
        wait_seq(&bench, 2 + i);
        cr_assert(last_tick(&bits[i]));
    }
    cr_assert_neq(bits[0], bits[1]);
    bench_close(&bench);
}

static struct command advance(uint32_t session, uint64_t cl_ord_id, int64_t delta_ns)
{
    return (struct command){
        .head = {.type = COMMAND_ADVANCE, .key = 1, .session = session, .cl_ord_id = cl_ord_id},
        .advance = {.delta_ns = delta_ns}};
}

Test(sequencer, simulated_time_moves_by_the_operators_command_and_not_otherwise)
{
    struct bench bench;
    bench_open(&bench, "clock = simulated\nsim_start = 2026-11-21T00:00Z\n");
    int64_t start_ns;
    cr_assert(clock_parse_utc("2026-11-21T00:00Z", &start_ns));
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    uint32_t session = login(&bench, east);
    cr_assert_eq(engine_now_ns(&bench), start_ns);
    struct command commands[] = {advance(session, 1, TIMEKEEPER_ADVANCE_NS),
                                 advance(session, 2, TIMEKEEPER_ADVANCE_NS + 1),
                                 advance(session, 3, -1),
                                 advance(session + 1, 4, NS_PER_SECOND),
                                 register_group(session, 5, "after"),
                                 advance(session, 1, TIMEKEEPER_ADVANCE_NS),
                                 advance(session, 6, NS_PER_SECOND),
                                 advance(session, 6, NS_PER_SECOND)};
    gateway_send(east, commands, 8);
    wait_events(&bench, east, 8);
    cr_assert_eq(east->events[0].head.type, EVENT_TIME);
    cr_assert_eq(east->events[0].head.time_ns, start_ns + TIMEKEEPER_ADVANCE_NS);
    cr_assert_eq(east->events[1].rejected.reason, REASON_VALUE_OUT_OF_RANGE);
    cr_assert_eq(east->events[2].rejected.reason, REASON_NOT_SIMULATED);
    cr_assert_eq(east->events[3].rejected.reason, REASON_SESSION_ENDED);
    cr_assert_eq(east->events[4].head.type, EVENT_GROUP);
    cr_assert_eq(east->events[4].head.time_ns, start_ns + TIMEKEEPER_ADVANCE_NS);
    cr_assert_eq(east->events[5].rejected.reason, REASON_DUPLICATE);
    cr_assert_eq(east->events[6].head.type, EVENT_TIME);
    cr_assert_eq(east->events[7].rejected.reason, REASON_DUPLICATE);
    cr_assert_eq(engine_now_ns(&bench), start_ns + TIMEKEEPER_ADVANCE_NS + NS_PER_SECOND,
                 "one number moved the clock twice");
    gateway_close(east);
    bench_close(&bench);
}

static struct command by_operator(uint8_t type, uint32_t session, uint64_t cl_ord_id)
{
    return (struct command){
        .head = {.type = type, .key = 1, .session = session, .cl_ord_id = cl_ord_id}};
}

/* Class, region, a market that opens by auction, and a buyer with money. */
static void open_market(struct bench *bench, struct gateway *gateway, uint32_t session)
{
    struct command c[7];
    static const uint8_t types[7] = {
        COMMAND_REGISTER_CLASS, COMMAND_REGISTER_REGION, COMMAND_SET_MARKET, COMMAND_REGISTER_GROUP,
        COMMAND_OPEN_ACCOUNT,   COMMAND_REGISTER_KEY,    COMMAND_DEPOSIT};
    for (uint64_t i = 0; i < 7; i++) {
        c[i] = by_operator(types[i], session, i + 1);
    }
    memcpy(c[0].register_class.name, "H100", 4);
    c[0].register_class.lot = 1;
    memcpy(c[1].register_region.name, "CN-GZ", 5);
    c[2].set_market = (struct command_set_market){.launch_price_e4 = {100000, 0, 0, 0},
                                                  .inner_band_bp = 1000,
                                                  .outer_band_bp = 1000,
                                                  .mode = MODE_CONTINUOUS,
                                                  .opening_s = 50,
                                                  .random_end_s = 5};
    memcpy(c[3].register_group.name, "buyers", 6);
    memcpy(c[4].open_account.name, "buyer", 5);
    c[4].open_account.group = 2;
    c[4].open_account.roles = ROLE_BUYER;
    memcpy(c[5].register_key.name, "buyer", 5);
    c[5].register_key.public_key[0] = 9;
    c[5].register_key.account = 2;
    c[5].register_key.roles = ROLE_BUYER;
    c[6].cash.account = 2;
    c[6].cash.amount_e4 = 1000000000;
    gateway->count = 0;
    gateway_send(gateway, c, 7);
    wait_events(bench, gateway, 7);
    for (uint32_t i = 0; i < 7; i++) {
        cr_assert_neq(gateway->events[i].head.type, EVENT_REJECTED, "command %u", i);
    }
}

Test(sequencer, an_auction_that_waits_for_its_random_end_gets_a_tick_at_once)
{
    struct bench bench;
    bench_open(&bench, "clock = simulated\nsim_start = 2026-11-21T00:00Z\n");
    const struct engine *engine = sequencer_engine(bench.sequencer);
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    uint32_t session = login(&bench, east);
    open_market(&bench, east, session);
    struct command buyer[] = {{.head = {.type = COMMAND_LOGIN, .key = 2}},
                              {.head = {.type = COMMAND_NEW_ORDER, .key = 2, .cl_ord_id = 1}}};
    uint32_t hour = (uint32_t)(engine_now_ns(&bench) / NS_PER_HOUR) + 20;
    buyer[1].head.session = 1;
    buyer[1].new_order = (struct command_new_order){
        .contract = contract_pack(0, 0, 0, hour), .price_e4 = 100000, .qty = 1};
    east->count = 0;
    gateway_send(east, buyer, 2);
    wait_events(&bench, east, 2);
    cr_assert_eq(east->events[1].head.type, EVENT_NEW);
    uint64_t entropy = 0;
    cr_assert_not(last_tick(&entropy));
    struct command later = advance(session, 8, 50 * NS_PER_SECOND);
    uint64_t seq = engine_seq(engine);
    east->count = 0;
    gateway_send(east, &later, 1);
    wait_events(&bench, east, 1);
    cr_assert_eq(east->events[0].head.type, EVENT_TIME);
    wait_seq(&bench, seq + 2);
    cr_assert(last_tick(&entropy));
    cr_assert_neq(entropy, 0);
    cr_assert_not(engine_wants_tick(engine));
    gateway_close(east);
    bench_close(&bench);
}

Test(sequencer, the_real_clock_is_not_moved_by_command)
{
    struct bench bench;
    bench_open(&bench, "");
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    uint32_t session = login(&bench, east);
    struct command command = advance(session, 1, NS_PER_SECOND);
    gateway_send(east, &command, 1);
    wait_events(&bench, east, 1);
    cr_assert_eq(east->events[0].rejected.reason, REASON_NOT_SIMULATED);
    gateway_close(east);
    bench_close(&bench);
}

Test(sequencer, goes_on_after_damaged_frames)
{
    struct bench bench;
    bench_open(&bench, "");
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    uint32_t session = login(&bench, east);
    struct command command = register_group(session, 1, "damaged");
    command.head.slots = 1;
    struct error error;
    must(link_client_send(east->client, (const union command_slot *)(const void *)&command, 1,
                          &error),
         &error); /* never sealed */
    command = register_group(session, 2, "whole");
    gateway_send(east, &command, 1);
    wait_events(&bench, east, 1);
    cr_assert_str_eq(east->events[0].group.name, "whole");
    gateway_close(east);
    bench_close(&bench);
}

/* Closes the exchange and takes what it had still sent, down to its good-bye. */
static void close_and_drain(struct bench *bench, struct gateway *gateway)
{
    sequencer_close(bench->sequencer);
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (gateway_take(gateway), link_client_state(gateway->client) != LINK_LOST) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
        zmq_pollitem_t item = {.socket = link_client_socket(gateway->client), .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 100);
    }
}

/* A hostile gateway: it sends frames as it likes and need not read any. */
static void *raw_open(const struct bench *bench)
{
    void *socket = zmq_socket(bench->context, ZMQ_DEALER);
    int none = 0;
    int few = 1;
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none));
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof(none));
    zmq_setsockopt(socket, ZMQ_RCVHWM, &few, sizeof(few));
    cr_assert_eq(zmq_connect(socket, "ipc://link.sock"), 0);
    return socket;
}

static void raw_say(void *socket, enum frame_kind kind, const char *name)
{
    struct frame_head head = {.magic = FRAME_MAGIC, .version = 1, .kind = (uint8_t)kind};
    memcpy(head.name, name, strlen(name));
    cr_assert_eq(zmq_send(socket, &head, sizeof(head), 0), (int)sizeof(head));
}

Test(sequencer, hellos_and_good_byes_without_end_do_not_outgrow_a_batch)
{
    struct bench bench;
    bench_open(&bench, "");
    void *raw = raw_open(&bench);
    for (int i = 0; i < 450; i++) {
        raw_say(raw, FRAME_HELLO, "flood");
        raw_say(raw, FRAME_BYE, "");
    }
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    login(&bench, east);
    gateway_close(east);
    zmq_close(raw);
    bench_close(&bench);
}

static void wait_unbound(struct bench *bench, uint32_t key)
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    struct engine_key now;
    while (engine_key(sequencer_engine(bench->sequencer), key, &now) && now.link != 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns, "the lost link's session goes on");
        turn(bench);
    }
}

/* Of two with one name: turns until one is up and the other was sent away; which, is the wire's
 * choice. */
static struct gateway *wait_winner(struct bench *bench, struct gateway *both[2])
{
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    for (;;) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
        turn(bench);
        for (int i = 0; i < 2; i++) {
            gateway_take(both[i]);
        }
        for (int i = 0; i < 2; i++) {
            if (link_client_state(both[i]->client) == LINK_UP &&
                link_client_state(both[1 - i]->client) == LINK_LOST) {
                return both[i];
            }
        }
    }
}

/* Whether both HELLOs meet in one batch is up to the scheduler: in most of the rounds they do. */
Test(sequencer, of_two_gateways_with_one_name_one_has_the_link_and_loses_it_for_good)
{
    struct bench bench;
    bench_open(&bench, "");
    for (int round = 0; round < 20; round++) {
        struct gateway *both[2] = {gateway_open(&bench, "east"), gateway_open(&bench, "east")};
        struct gateway *winner = wait_winner(&bench, both);
        login(&bench, winner);
        link_client_close(winner->client);
        winner->client = NULL;
        wait_unbound(&bench, 1);
        gateway_close(both[0]);
        gateway_close(both[1]);
    }
    bench_close(&bench);
}

Test(sequencer, a_gateway_keeps_the_name_that_it_first_said)
{
    struct bench bench;
    bench_open(&bench, "");
    void *raw = raw_open(&bench);
    raw_say(raw, FRAME_HELLO, "east");
    wait_seq(&bench, 2);
    raw_say(raw, FRAME_HELLO, "west");
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    /* The one that was replaced falls silent; the other does not. */
    int64_t until_ns = clock_monotonic_ns() + NS_PER_SECOND;
    while (clock_monotonic_ns() < until_ns) {
        raw_say(link_client_socket(east->client), FRAME_PING, "");
        gateway_take(east);
        turn(&bench);
    }
    cr_assert_eq(link_client_state(east->client), LINK_UP);
    login(&bench, east);
    gateway_close(east);
    zmq_close(raw);
    bench_close(&bench);
}

Test(sequencer, a_gateway_that_asks_and_never_listens_holds_nobody_up)
{
    struct bench bench;
    bench_open(&bench, "");
    void *raw = raw_open(&bench);
    raw_say(raw, FRAME_HELLO, "deaf");
    wait_seq(&bench, 2);
    int64_t slowest_ns = 0;
    int64_t start_ns = clock_monotonic_ns();
    int64_t now_ns = start_ns;
    while (now_ns - start_ns < 3 * NS_PER_SECOND / 2) {
        for (int i = 0; i < 100; i++) {
            raw_say(raw, i % 2 == 0 ? FRAME_PING : FRAME_HELLO, "deaf");
        }
        turn(&bench);
        int64_t took_ns = clock_monotonic_ns() - now_ns;
        now_ns += took_ns;
        slowest_ns = took_ns > slowest_ns ? took_ns : slowest_ns;
    }
    cr_assert_geq(sequencer_counts(bench.sequencer).links_down, 1);
    cr_assert_lt(slowest_ns, 2 * LINK_SEND_TIMEOUT_MS * INT64_C(1000000));
    zmq_close(raw);
    bench_close(&bench);
}

/* The real files, but from a moment on a sync fails, or the disk is full. */
struct broken_disk {
    struct file_system files;
    bool sync_fails;
    bool full;
};

static int broken_fdatasync(void *context, int file)
{
    const struct broken_disk *disk = context;
    return disk->sync_fails ? -EIO : file_posix()->fdatasync(NULL, file);
}

static int64_t broken_pwrite(void *context, int file, const void *bytes, size_t size,
                             uint64_t offset)
{
    const struct broken_disk *disk = context;
    return disk->full ? -ENOSPC : file_posix()->pwrite(NULL, file, bytes, size, offset);
}

static void stops_without_a_word(bool sync_fails, const char *reason)
{
    struct bench bench;
    bench_open(&bench, "");
    bench_stop(&bench);
    struct broken_disk disk = {.files = *file_posix()};
    disk.files.context = &disk;
    disk.files.fdatasync = broken_fdatasync;
    disk.files.pwrite = broken_pwrite;
    struct error error;
    must(config_load(&bench.config, "kashi.ini", &error), &error);
    must(settings_read(&bench.settings, &bench.config, &error), &error);
    bench.settings.files = &disk.files;
    must(sequencer_open(&bench.sequencer, &bench.settings, bench.context, &error), &error);
    struct gateway *east = gateway_open(&bench, "east");
    wait_state(&bench, east, LINK_UP);
    uint32_t session = login(&bench, east);
    struct command command = register_group(session, 1, "durable");
    gateway_send(east, &command, 1);
    wait_events(&bench, east, 1);
    uint64_t durable_seq = east->events[0].head.seq;

    disk.sync_fails = sync_fails;
    disk.full = !sync_fails;
    command = register_group(session, 2, "lost");
    gateway_send(east, &command, 1);
    int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (sequencer_turn(bench.sequencer, -1, &error) == 0) {
        cr_assert_lt(clock_monotonic_ns(), until_ns);
    }
    cr_assert_not_null(strstr(error.text, reason), "%s", error.text);
    disk.sync_fails = disk.full = false; /* it looks well again: the exchange is not taken in */
    cr_assert_lt(sequencer_turn(bench.sequencer, -1, &error), 0);
    close_and_drain(&bench, east);
    cr_assert_eq(east->count, 1, "an event left that is not on the disk");
    cr_assert_geq(durable_seq, 1);
    gateway_close(east);
    config_free(&bench.config);
    bench_start(&bench);
    cr_assert_geq(engine_seq(sequencer_engine(bench.sequencer)), durable_seq);
    bench_close(&bench);
}

Test(sequencer, stops_at_a_failed_sync_with_nothing_acknowledged)
{
    stops_without_a_word(true, "Input/output error");
}

Test(sequencer, stops_on_a_full_disk_with_nothing_acknowledged)
{
    stops_without_a_word(false, "No space left on device");
}

Test(timekeeper, stops_at_a_jump_of_the_real_clock_and_never_falls)
{
    struct timekeeper keeper;
    struct error error;
    const int64_t s = NS_PER_SECOND;
    must(timekeeper_init(&keeper, false, 1000 * s, 1010 * s, 5 * s, &error), &error);
    must(timekeeper_read(&keeper, 1011 * s, 6 * s, &error), &error);
    cr_assert_eq(keeper.time_ns, 1011 * s);
    must(timekeeper_read(&keeper, 1001 * s, 7 * s, &error), &error);
    cr_assert_eq(keeper.time_ns, 1011 * s, "time fell");
    must(timekeeper_read(&keeper, 1062 * s, 8 * s, &error), &error);
    must(timekeeper_read(&keeper, 5062 * s, 4008 * s, &error),
         &error); /* a long pause is no jump */
    cr_assert_eq(timekeeper_read(&keeper, 5062 * s + 61 * s, 4008 * s, &error), ERROR_INVALID);
    must(timekeeper_init(&keeper, false, 1000 * s, 1010 * s, 5 * s, &error), &error);
    cr_assert_eq(timekeeper_read(&keeper, 940 * s, 5 * s, &error), ERROR_INVALID);
    cr_assert_eq(timekeeper_init(&keeper, false, 1000 * s, 939 * s, 0, &error), ERROR_INVALID);
    must(timekeeper_init(&keeper, false, 1000 * s, 941 * s, 0, &error), &error);
    cr_assert(!timekeeper_advance(&keeper, s));
    must(timekeeper_init(&keeper, true, 1000 * s, 1 * s, 0, &error), &error);
    cr_assert(timekeeper_advance(&keeper, TIMEKEEPER_ADVANCE_NS));
    cr_assert(!timekeeper_advance(&keeper, TIMEKEEPER_ADVANCE_NS + 1));
    cr_assert(!timekeeper_advance(&keeper, 0));
    cr_assert_eq(keeper.time_ns, 1060 * s);
}

static void expect_settings_error(const char *line, const char *named)
{
    struct config config;
    struct settings settings;
    struct error error;
    write_text("kashi.ini", "[exchange]\n", line);
    must(config_load(&config, "kashi.ini", &error), &error);
    cr_assert_lt(settings_read(&settings, &config, &error), 0, "%s passed", line);
    cr_assert_not_null(strstr(error.text, named), "%s", error.text);
    config_free(&config);
}

Test(settings, name_the_key_the_value_and_the_remedy)
{
    char folder[] = "/tmp/kashi-settings-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    expect_settings_error("durabilty = os\n", "durabilty = os: the section has no such key");
    expect_settings_error("durability = maybe\n", "durability = maybe is neither sync nor os");
    expect_settings_error("clock = sundial\n", "clock = sundial is neither real nor simulated");
    expect_settings_error("sim_start = now\n", "sim_start = now is not a time like");
    expect_settings_error("segment_bytes = 1048577\n", "not a multiple of 4096");
    expect_settings_error("segment_bytes = 4096\n", "within 1048576 .. ");
    expect_settings_error("orders = 0\n", "orders = 0 is not a whole number within 1 ..");
    expect_settings_error("[genesis]\nhorizon_hours = 1001\n", "within 1 .. 1000");
    struct error error;
    uint8_t key[PUBLIC_KEY_SIZE];
    write_text("short.key", "public = tooshort\n", "");
    cr_assert_lt(settings_public_key("short.key", key, &error), 0);
    cr_assert_not_null(strstr(error.text, "kashi keygen"), "%s", error.text);
    unlink("short.key");
    unlink("kashi.ini");
    rmdir(folder);
}
