#include "exchange/sequencer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zmq.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "exchange/replay.h"
#include "exchange/timekeeper.h"
#include "wire/link.h"
#include "wire/seal.h"

/* Frames taken in one turn at most, so that pings alone cannot keep a batch open. */
#define TURN_FRAMES_MAX 1024
/* Slots kept free for the sequencer's own commands of a turn. */
#define OWN_SLOTS_MAX (2 * LINK_PEERS_MAX)
/* An outbox that is full is sent at once; smaller ones wait for the end of the turn. */
#define OUTBOX_EVENTS_MAX FRAME_ITEMS_MAX
#define SILENCE_NS        NS_PER_SECOND
#define NS_PER_MS         INT64_C(1000000)
/* How many commands of a batch the engine's hints to the cache run ahead. */
#define PEER_NONE UINT8_MAX
/* How long a turn with unfinished upkeep of the journal sleeps. */
#define UPKEEP_SLEEP_NS (10 * NS_PER_MS)

/* Events that wait for the end of the turn, for one link. */
struct outbox {
    struct event *events;
    uint32_t count;
};

/* A gateway that has said HELLO, and the LINK_UP that answers it. */
struct arrival {
    uint64_t seq;
    uint8_t peer;
};

struct sequencer {
    struct settings settings;
    struct arena arena; /* the outboxes */
    struct replay replay;
    struct journal *journal;
    struct timekeeper timekeeper;
    struct link_server *links;
    void *mark_socket;
    char mark_endpoint[256];
    struct outbox outboxes[REPLAY_LINKS_MAX]; /* by link id */
    uint8_t peers[REPLAY_LINKS_MAX];          /* by link id; PEER_NONE */
    bool lost[REPLAY_LINKS_MAX];              /* LINK_DOWN is due */
    bool lost_any;
    struct arrival arrivals[LINK_PEERS_MAX];
    uint32_t arrival_count;
    /* The batch under way: commands seq + 1 .. seq + commands of the engine. */
    union command_slot *slots;
    uint32_t slot_count;
    uint32_t command_count;
    int64_t journaled_ns;  /* monotonic, like all of these: last batch */
    int64_t published_ns;  /* last mark sent */
    int64_t input_ns;      /* last frame */
    int64_t complained_ns; /* last line about bad frames */
    uint64_t bad_frames;   /* that it told of */
    struct sequencer_counts counts;
};

/* --- filling the batch -------------------------------------------------------------------- */

static uint64_t next_seq(const struct sequencer *sequencer)
{
    return journal_mark(sequencer->journal).seq + 1 + sequencer->command_count;
}

static bool batch_has_room(const struct sequencer *sequencer)
{
    return sequencer->slot_count + FRAME_ITEMS_MAX + OWN_SLOTS_MAX <=
               journal_batch_slots_max(sequencer->journal) &&
           sequencer->arrival_count < LINK_PEERS_MAX; /* a peer may come and go and come again */
}

/* The next command of the batch begins at slots[slot_count] and is complete. */
static void batch_stamp(struct sequencer *sequencer, uint16_t link)
{
    struct command *command = &sequencer->slots[sequencer->slot_count].command;
    command->head.seq = next_seq(sequencer);
    command->head.time_ns = sequencer->timekeeper.time_ns;
    command->head.link = link;
    sequencer->slot_count += command->head.slots;
    sequencer->command_count++;
}

/* A command of the sequencer's own, of one slot; the payload is the caller's to fill in before the
 * batch is journaled. */
static struct command *batch_add(struct sequencer *sequencer, enum command_type type, uint16_t link)
{
    struct command *command = &sequencer->slots[sequencer->slot_count].command;
    memset(command, 0, sizeof(*command));
    command->head.type = (uint8_t)type;
    command->head.slots = 1;
    batch_stamp(sequencer, link);
    return command;
}

/* Whether the batch holds a command of this session whose number is not below this one's. */
static bool number_used_in_batch(const struct sequencer *sequencer, const struct command *command)
{
    for (uint32_t at = 0; at < sequencer->slot_count;) {
        const struct command_head *head = &sequencer->slots[at].command.head;
        if (head->key == command->head.key && head->session == command->head.session &&
            head->cl_ord_id >= command->head.cl_ord_id) {
            return true;
        }
        at += head->slots;
    }
    return false;
}

/* Only an operator whose command the core will carry out moves the simulated clock. Whatever else
 * does not move it has delta 0, by which the core knows; a step that is too long it refuses itself. */
static void take_advance(struct sequencer *sequencer, struct command *command)
{
    struct engine_key key;
    bool entitled = engine_key(sequencer->replay.engine, command->head.key, &key) &&
                    (key.roles & ROLE_OPERATOR) != 0 && !key.revoked &&
                    key.session == command->head.session &&
                    command->head.cl_ord_id > key.highest_cl_ord_id &&
                    !number_used_in_batch(sequencer, command);
    bool moved = entitled && timekeeper_advance(&sequencer->timekeeper, command->advance.delta_ns);
    /* Left as it is, so that the core can say what was wrong with it. */
    bool too_far =
        sequencer->timekeeper.simulated && command->advance.delta_ns > TIMEKEEPER_ADVANCE_NS;
    if (!moved && !too_far) {
        command->advance.delta_ns = 0;
        seal_command(command);
    }
}

static void take_commands(struct sequencer *sequencer, const struct link_frame *frame)
{
    memcpy(&sequencer->slots[sequencer->slot_count], frame->slots,
           (size_t)frame->count * COMMAND_SLOT_SIZE);
    uint32_t end = sequencer->slot_count + frame->count;
    while (sequencer->slot_count < end) {
        struct command *command = &sequencer->slots[sequencer->slot_count].command;
        if (command->head.type == COMMAND_ADVANCE) {
            take_advance(sequencer, command);
        }
        batch_stamp(sequencer, frame->link);
    }
}

/* Forgets a peer, and its HELLO if that is still to be answered. */
static void drop_peer(struct sequencer *sequencer, uint8_t peer)
{
    link_server_drop(sequencer->links, peer);
    for (uint32_t i = 0; i < sequencer->arrival_count; i++) {
        if (sequencer->arrivals[i].peer == peer) {
            sequencer->arrivals[i].peer = PEER_NONE;
        }
    }
    for (uint16_t link = 0; link < REPLAY_LINKS_MAX; link++) {
        if (sequencer->peers[link] == peer) {
            sequencer->peers[link] = PEER_NONE;
            sequencer->outboxes[link].count = 0;
        }
    }
}

/* A link whose peer is gone: LINK_DOWN goes into the next batch. */
static void lose_link(struct sequencer *sequencer, uint16_t link, const char *why)
{
    log_info("link %u down: %s", link, why);
    drop_peer(sequencer, sequencer->peers[link]);
    sequencer->lost[link] = sequencer->lost_any = true;
    sequencer->counts.links_down++;
}

static void end_lost_links(struct sequencer *sequencer)
{
    sequencer->lost_any = false;
    for (uint16_t link = 1; link < REPLAY_LINKS_MAX; link++) {
        if (sequencer->lost[link]) {
            sequencer->lost[link] = false;
            seal_command(batch_add(sequencer, COMMAND_LINK_DOWN, link));
        }
    }
}

static void take_hello(struct sequencer *sequencer, const struct link_frame *frame)
{
    for (uint32_t i = 0; i < sequencer->arrival_count; i++) {
        if (sequencer->arrivals[i].peer == frame->peer) {
            return;
        }
    }
    /* The same gateway, started again before its old self was missed: LINK_UP ends that. */
    uint8_t old;
    if (link_server_find_name(sequencer->links, frame->name, frame->peer, &old)) {
        drop_peer(sequencer, old);
    }
    sequencer->arrivals[sequencer->arrival_count++] =
        (struct arrival){.seq = next_seq(sequencer), .peer = frame->peer};
    struct command *command = batch_add(sequencer, COMMAND_LINK_UP, 0);
    memcpy(command->link.name, frame->name, LINK_NAME_SIZE);
    seal_command(command);
}

static void take_bye(struct sequencer *sequencer, const struct link_frame *frame)
{
    if (frame->link == 0) {
        drop_peer(sequencer, frame->peer);
        return;
    }
    lose_link(sequencer, frame->link, "the gateway said good-bye");
    end_lost_links(sequencer); /* before a HELLO of the same name that may follow */
}

/* A PING, or a HELLO of a link that is up: its WELCOME was under way. The answer never waits; a peer
 * that has no room for one has not read the thousand before it. */
static void take_question(struct sequencer *sequencer, const struct link_frame *frame)
{
    uint64_t seq = journal_mark(sequencer->journal).seq;
    int rc = frame->kind == FRAME_HELLO
                 ? link_server_welcome(sequencer->links, frame->peer, frame->link, seq)
                 : link_server_pong(sequencer->links, frame->peer, seq);
    if (rc == 0) {
        return;
    }
    if (frame->link == 0) {
        drop_peer(sequencer, frame->peer);
    } else {
        lose_link(sequencer, frame->link, "it is gone or does not take its answers");
    }
}

static void take_frame(struct sequencer *sequencer, const struct link_frame *frame)
{
    if (frame->kind == FRAME_COMMANDS) {
        take_commands(sequencer, frame);
    } else if (frame->kind == FRAME_HELLO && frame->link == 0) {
        take_hello(sequencer, frame);
    } else if (frame->kind == FRAME_BYE) {
        take_bye(sequencer, frame);
    } else {
        take_question(sequencer, frame);
    }
}

/* Takes what waits on the links; the number of frames, or an error. */
static int gather_frames(struct sequencer *sequencer, int64_t now_ns, struct error *error)
{
    int taken = 0;
    struct link_frame frame;
    while (taken < TURN_FRAMES_MAX && batch_has_room(sequencer)) {
        int rc = link_server_receive(sequencer->links, now_ns, &frame, error);
        if (rc <= 0) {
            return rc < 0 ? rc : taken;
        }
        take_frame(sequencer, &frame);
        taken++;
    }
    return taken;
}

/* Links that have fallen silent; looked at after what waited was taken, so that a pause of the
 * exchange is not held against them. */
static void gather_silent(struct sequencer *sequencer, int64_t now_ns)
{
    uint8_t peer;
    uint16_t link;
    int64_t before_ns = now_ns - sequencer->settings.link_timeout_ns;
    while (link_server_silent(sequencer->links, before_ns, &peer, &link)) {
        if (link == 0) {
            drop_peer(sequencer, peer);
        } else {
            lose_link(sequencer, link, "silence");
        }
    }
    end_lost_links(sequencer);
}

/* Every TICK brings random bits, so that nobody can tell which will decide something. Behind the commands
 * of the turn when auctions wait for it, else only alone. */
static int gather_tick(struct sequencer *sequencer, int64_t now_ns, struct error *error)
{
    const struct engine *engine = sequencer->replay.engine;
    bool silence = !sequencer->settings.simulated && now_ns - sequencer->journaled_ns >= SILENCE_NS;
    bool alone = sequencer->command_count == 0 && (silence || engine_has_work(engine));
    if (!alone && !engine_wants_tick(engine)) {
        return 0;
    }
    uint64_t entropy;
    if (getrandom(&entropy, sizeof(entropy), 0) != (ssize_t)sizeof(entropy)) {
        return error_system(error, errno, "no random bits for a tick");
    }
    struct command *command = batch_add(sequencer, COMMAND_TICK, 0);
    command->tick.entropy = entropy;
    seal_command(command);
    return 0;
}

/* --- handing out events ------------------------------------------------------------------- */

static void outbox_send(struct sequencer *sequencer, uint16_t link)
{
    struct outbox *outbox = &sequencer->outboxes[link];
    uint32_t count = outbox->count;
    outbox->count = 0;
    if (count > 0 && sequencer->peers[link] != PEER_NONE &&
        link_server_send(sequencer->links, sequencer->peers[link], outbox->events, count) < 0) {
        lose_link(sequencer, link, "it is gone or does not take its events");
    }
}

static void outbox_put(struct sequencer *sequencer, uint16_t link, const struct event *event)
{
    CHECK(link < REPLAY_LINKS_MAX);
    struct outbox *outbox = &sequencer->outboxes[link];
    if (outbox->count == OUTBOX_EVENTS_MAX) {
        outbox_send(sequencer, link); /* may find the peer gone */
    }
    if (sequencer->peers[link] == PEER_NONE) {
        return;
    }
    outbox->events[outbox->count++] = *event;
}

/* The core's answer to a LINK_UP: the gateway that said HELLO is told its link. */
static void welcome(struct sequencer *sequencer, const struct event *event)
{
    uint16_t link = event->link.link;
    CHECK(link < REPLAY_LINKS_MAX);
    for (uint32_t i = 0; i < sequencer->arrival_count; i++) {
        const struct arrival *arrival = &sequencer->arrivals[i];
        if (arrival->seq != event->head.seq) {
            continue;
        }
        if (arrival->peer == PEER_NONE) { /* came and went within one batch */
            sequencer->lost[link] = sequencer->lost_any = link != 0;
            return;
        }
        if (link == 0) {
            log_error("gateway %.15s turned away: all links are in use", event->link.name);
            drop_peer(sequencer, arrival->peer);
            return;
        }
        sequencer->peers[link] = arrival->peer;
        sequencer->lost[link] =
            false; /* LINK_UP has ended what an earlier peer of this batch left */
        log_info("link %u up: gateway %.15s", link, event->link.name);
        if (link_server_welcome(sequencer->links, arrival->peer, link, event->head.seq) < 0) {
            lose_link(sequencer, link, "it does not take its WELCOME");
        }
        return;
    }
}

static bool is_registry(uint8_t type)
{
    return (type >= EVENT_CLASS && type <= EVENT_LIMITS) || type == EVENT_RESOURCE_IDENTITY;
}

static void route(struct sequencer *sequencer, const struct event *event)
{
    if (event->head.type == EVENT_LINK) {
        if (event->link.up || event->link.link == 0) {
            welcome(sequencer, event);
        }
    } else if (is_registry(event->head.type)) {
        for (uint16_t link = 1; link < REPLAY_LINKS_MAX; link++) {
            outbox_put(sequencer, link, event);
        }
    } else if (event->head.link != 0) {
        outbox_put(sequencer, event->head.link, event);
    }
}

static void drain_events(struct event_sink *sink)
{
    struct sequencer *sequencer = sink->context;
    for (uint32_t i = 0; i < sink->count; i++) {
        route(sequencer, &sink->events[i]);
    }
    sink->count = 0;
}

static void publish_mark(struct sequencer *sequencer, int64_t now_ns)
{
    struct journal_mark mark = journal_mark(sequencer->journal);
    /* Lost ones do not matter: the next says more, and silence repeats the last. */
    zmq_send(sequencer->mark_socket, &mark, sizeof(mark), ZMQ_DONTWAIT);
    sequencer->published_ns = now_ns;
}

/* Journals the batch; past that it has happened: steps it and hands out its events. */
static int commit(struct sequencer *sequencer, int64_t now_ns, struct error *error)
{
    uint32_t commands = sequencer->command_count;
    uint32_t slots = sequencer->slot_count;
    uint64_t first_seq = journal_mark(sequencer->journal).seq + 1;
    sequencer->command_count = 0;
    sequencer->slot_count = 0;
    if (journal_append(sequencer->journal, slots, first_seq, first_seq + commands - 1, error) < 0) {
        return error->code;
    }
    publish_mark(sequencer, now_ns);
    engine_run(sequencer->replay.engine, sequencer->slots, slots, &sequencer->replay.sink);
    drain_events(&sequencer->replay.sink);
    for (uint16_t link = 1; link < REPLAY_LINKS_MAX; link++) {
        outbox_send(sequencer, link);
    }
    sequencer->arrival_count = 0;
    sequencer->journaled_ns = now_ns;
    sequencer->counts.batches++;
    sequencer->counts.commands += commands;
    return 0;
}

/* --- the loop ----------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Sleeps until input, or until something is due. A little spinning first while there is traffic:
 * waking a sleeping thread costs more. */
static int wait_for_input(struct sequencer *sequencer, int wake_fd, struct error *error)
{
    int64_t now_ns = clock_monotonic_ns();
    int64_t due_ns = earlier(sequencer->published_ns + SILENCE_NS, now_ns + SILENCE_NS);
    if (!sequencer->settings.simulated) {
        due_ns = earlier(due_ns, sequencer->journaled_ns + SILENCE_NS);
    }
    if (journal_wants_turn(sequencer->journal)) {
        due_ns = earlier(due_ns, now_ns + UPKEEP_SLEEP_NS);
    }
    bool spinning = now_ns - sequencer->input_ns < sequencer->settings.spin_ns;
    int64_t left_ms = (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    zmq_pollitem_t items[] = {
        {.socket = link_server_socket(sequencer->links), .events = ZMQ_POLLIN},
        {.fd = wake_fd, .events = ZMQ_POLLIN},
    };
    int rc = zmq_poll(items, wake_fd >= 0 ? 2 : 1, spinning || left_ms < 0 ? 0 : (long)left_ms);
    if (rc < 0 && zmq_errno() != EINTR) {
        return error_set(error, ERROR_IO, "waiting for links: %s", zmq_strerror(zmq_errno()));
    }
    return 0;
}

static void complain(struct sequencer *sequencer, int64_t now_ns)
{
    uint64_t bad = link_server_counts(sequencer->links).bad_frames;
    if (bad != sequencer->bad_frames && now_ns - sequencer->complained_ns >= NS_PER_SECOND) {
        log_warn("%" PRIu64 " damaged frames came in on the links and were dropped, %" PRIu64
                 " in all",
                 bad - sequencer->bad_frames, bad);
        sequencer->bad_frames = bad;
        sequencer->complained_ns = now_ns;
    }
}

int sequencer_turn(struct sequencer *sequencer, int wake_fd, struct error *error)
{
    const struct engine *engine = sequencer->replay.engine;
    bool busy = sequencer->lost_any || engine_has_work(engine) || engine_wants_tick(engine);
    if (!busy && wait_for_input(sequencer, wake_fd, error) < 0) {
        return error->code;
    }
    int64_t now_ns = clock_monotonic_ns();
    if (timekeeper_read(&sequencer->timekeeper, clock_realtime_ns(), now_ns, error) < 0) {
        return error->code;
    }
    end_lost_links(sequencer);
    int taken = gather_frames(sequencer, now_ns, error);
    if (taken < 0) {
        return taken;
    }
    sequencer->input_ns = taken > 0 ? now_ns : sequencer->input_ns;
    gather_silent(sequencer, now_ns);
    if (gather_tick(sequencer, now_ns, error) < 0) {
        return error->code;
    }
    if (sequencer->command_count > 0 && commit(sequencer, now_ns, error) < 0) {
        return error->code;
    }
    if (now_ns - sequencer->published_ns >= SILENCE_NS) {
        publish_mark(sequencer, now_ns);
    }
    complain(sequencer, now_ns);
    bool idle = taken == 0 && now_ns - sequencer->input_ns > UPKEEP_SLEEP_NS;
    return journal_turn(sequencer->journal, now_ns, idle, error);
}

/* --- opening ------------------------------------------------------------------------------ */

static int open_journal(struct sequencer *sequencer, struct error *error)
{
    const struct settings *settings = &sequencer->settings;
    struct journal_options options = {
        .files = settings->files,
        .folder = JOURNAL_FOLDER,
        .segment_bytes = settings->segment_bytes,
        .durability = settings->durability,
        .rules_version = SETTINGS_RULES_VERSION,
        .tables = settings->tables,
        .replay = replay_batch,
        .context = &sequencer->replay,
    };
    if (replay_init(&sequencer->replay, &settings->tables, error) < 0 ||
        journal_open(&sequencer->journal, &options, error) < 0) {
        return error->code;
    }
    sequencer->slots = journal_batch_slots(sequencer->journal);
    if (journal_cut_bytes(sequencer->journal) > 0) {
        log_warn("the journal ended in a torn batch: %" PRIu64
                 " bytes cut that were never acknowledged",
                 journal_cut_bytes(sequencer->journal));
    }
    log_info("journal replayed: seq=%" PRIu64 " state_hash=%016" PRIx64,
             engine_seq(sequencer->replay.engine), engine_state_hash(sequencer->replay.engine));
    /* From now on events go out. Sessions of the last process's links end with the first batch. */
    memcpy(sequencer->lost, sequencer->replay.up, sizeof(sequencer->lost));
    sequencer->lost_any = true;
    sequencer->replay.sink.drain = drain_events;
    sequencer->replay.sink.context = sequencer;
    return 0;
}

static int open_clock(struct sequencer *sequencer, struct error *error)
{
    bool simulated = sequencer->settings.simulated;
    int64_t journal_ns = engine_time_ns(sequencer->replay.engine);
    if (engine_seq(sequencer->replay.engine) == 0) {
        journal_ns = simulated ? sequencer->settings.sim_start_ns : 0;
    }
    int64_t now_ns = clock_monotonic_ns();
    sequencer->journaled_ns = sequencer->input_ns = now_ns;
    if (timekeeper_init(&sequencer->timekeeper, simulated, journal_ns, clock_realtime_ns(), now_ns,
                        error) < 0) {
        return error->code;
    }
    return timekeeper_read(&sequencer->timekeeper, clock_realtime_ns(), clock_monotonic_ns(),
                           error);
}

static int open_sockets(struct sequencer *sequencer, void *zmq_context, struct error *error)
{
    const char *endpoint = sequencer->settings.mark;
    int no_linger = 0;
    size_t size = sizeof(sequencer->mark_endpoint);
    sequencer->mark_socket = zmq_socket(zmq_context, ZMQ_PUB);
    void *mark = sequencer->mark_socket;
    if (mark == NULL || zmq_setsockopt(mark, ZMQ_LINGER, &no_linger, sizeof(no_linger)) != 0 ||
        zmq_bind(mark, endpoint) != 0 ||
        zmq_getsockopt(mark, ZMQ_LAST_ENDPOINT, sequencer->mark_endpoint, &size) != 0) {
        return error_set(error, ERROR_IO, "mark %s: %s", endpoint, zmq_strerror(zmq_errno()));
    }
    return link_server_open(&sequencer->links, zmq_context, sequencer->settings.link, error);
}

static int open_outboxes(struct sequencer *sequencer, struct error *error)
{
    size_t size = OUTBOX_EVENTS_MAX * sizeof(struct event);
    if (arena_init(&sequencer->arena, REPLAY_LINKS_MAX * size, 0, error) < 0) {
        return error->code;
    }
    for (int i = 0; i < REPLAY_LINKS_MAX; i++) {
        sequencer->outboxes[i].events = arena_take(&sequencer->arena, size);
        sequencer->peers[i] = PEER_NONE;
    }
    arena_seal(&sequencer->arena);
    return 0;
}

static int begin_market(struct sequencer *sequencer, struct error *error)
{
    struct command *command = batch_add(sequencer, COMMAND_GENESIS, 0);
    command->genesis = sequencer->settings.genesis;
    if (settings_public_key(SEQUENCER_OPERATOR_KEY, command->genesis.operator_key, error) < 0) {
        return error_context(error, "a new market needs its first operator's key");
    }
    seal_command(command);
    log_info("a new market begins");
    return commit(sequencer, clock_monotonic_ns(), error);
}

int sequencer_open(struct sequencer **out, const struct settings *settings, void *zmq_context,
                   struct error *error)
{
    struct sequencer *sequencer = calloc(1, sizeof(*sequencer));
    CHECK(sequencer != NULL);
    sequencer->settings = *settings;
    if (open_outboxes(sequencer, error) < 0 || open_journal(sequencer, error) < 0 ||
        open_clock(sequencer, error) < 0 || open_sockets(sequencer, zmq_context, error) < 0 ||
        (engine_seq(sequencer->replay.engine) == 0 && begin_market(sequencer, error) < 0)) {
        sequencer_close(sequencer);
        return error->code;
    }
    *out = sequencer;
    return 0;
}

void sequencer_close(struct sequencer *sequencer)
{
    if (sequencer == NULL) {
        return;
    }
    link_server_close(sequencer->links);
    if (sequencer->mark_socket != NULL) {
        zmq_close(sequencer->mark_socket);
    }
    journal_close(sequencer->journal);
    replay_free(&sequencer->replay);
    arena_free(&sequencer->arena);
    free(sequencer);
}

const struct engine *sequencer_engine(const struct sequencer *sequencer)
{
    return sequencer->replay.engine;
}

struct sequencer_counts sequencer_counts(const struct sequencer *sequencer)
{
    return sequencer->counts;
}

const char *sequencer_link_endpoint(const struct sequencer *sequencer)
{
    return link_server_endpoint(sequencer->links);
}

const char *sequencer_mark_endpoint(const struct sequencer *sequencer)
{
    return sequencer->mark_endpoint;
}
