/* The store and the program: every event exactly once, whatever is cut, killed or away. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "settlement/pg.h"
#include "settlement/store.h"
#include "tests/settlement_base.h"
#include "tests/settlement_proxy.h"
#include "wire/frame.h"
#include "wire/units.h"

/* --- the store -------------------------------------------------------------------------------- */

Test(store, balances_are_those_that_the_market_kept)
{
    struct settlement_base base;
    struct error error = {0};
    struct pg_rows *rows;
    settlement_tape_make(1);
    settlement_base_make(&base, "a");
    settlement_tape_apply(&base, SETTLEMENT_TAPE_COMMANDS, 100);
    settlement_base_expect_sound(base.pg);
    cr_assert_eq(settlement_base_number(base.pg, "SELECT count(*) FROM kashi.fills"),
                 (int64_t)settlement_tape.market.fills);
    cr_assert_eq(pg_query(base.pg,
                          "SELECT account, cash_e4, escrow_e4, bond_locked_e4 "
                          "FROM kashi.account_balances ORDER BY account",
                          NULL, &rows, &error),
                 0);
    cr_assert_eq(pg_rows_count(rows), MARKET_ACCOUNTS);
    for (int i = 0; i < MARKET_ACCOUNTS; i++) {
        cr_assert_eq(pg_rows_int(rows, i, 1), settlement_tape.market.cash_e4[i + 1]);
        cr_assert_eq(pg_rows_int(rows, i, 2), settlement_tape.market.escrow_e4[i + 1]);
        cr_assert_eq(pg_rows_int(rows, i, 3), settlement_tape.market.bond_e4[i + 1]);
    }
    pg_rows_free(rows);
    settlement_base_drop(&base);
}

Test(store, batches_of_any_size_make_the_same_ledger)
{
    struct settlement_base one;
    struct settlement_base two;
    char digests[2][128];
    settlement_tape_make(2);
    settlement_base_make(&one, "a");
    settlement_base_make(&two, "b");
    settlement_tape_apply(&one, SETTLEMENT_TAPE_COMMANDS, SETTLEMENT_TAPE_COMMANDS);
    settlement_tape_apply(&two, SETTLEMENT_TAPE_COMMANDS, 17);
    settlement_base_digest(one.pg, digests[0]);
    settlement_base_digest(two.pg, digests[1]);
    cr_assert_str_eq(digests[0], digests[1]);
    settlement_base_drop(&one);
    settlement_base_drop(&two);
}

Test(store, batch_larger_than_the_buffers_is_still_one_transaction)
{
    struct settlement_base base;
    struct store store;
    struct error error = {0};
    struct settlement_market market;
    struct event events[MARKET_EVENTS_MAX];
    settlement_base_make(&base, "a");
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    settlement_market_init(&market, 3);
    while (market.fills < 30000) {
        uint32_t count = market.seq < MARKET_SETUP_COMMANDS
                             ? settlement_market_next(&market, events)
                             : settlement_market_trade(&market, events);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(store_add(&store, &events[i], &error), 0, "%s", error.text);
        }
    }
    cr_assert(store.in_transaction, "the buffers were full and have been sent");
    cr_assert_eq(settlement_base_number(base.pg, "SELECT count(*) FROM kashi.fills"), 0);
    cr_assert_eq(store_commit(&store, &error), 0, "%s", error.text);
    cr_assert_eq(settlement_base_number(base.pg, "SELECT count(*) FROM kashi.fills"), 30000);
    store_close(&store);
    settlement_base_expect_sound(base.pg);
    settlement_base_drop(&base);
}

Test(store, second_writer_is_refused_while_the_first_is_there)
{
    struct settlement_base base;
    struct store first;
    struct store second;
    struct error error = {0};
    settlement_base_make(&base, "a");
    cr_assert_eq(store_open(&first, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(store_open(&second, base.url, &error), ERROR_AGAIN);
    store_close(&first);
    /* The server ends the old session in its own time. */
    int64_t deadline_ns = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    int rc;
    do {
        rc = store_open(&second, base.url, &error);
    } while (rc == ERROR_AGAIN && clock_monotonic_ns() < deadline_ns);
    cr_assert_eq(rc, 0, "%s", error.text);
    store_close(&second);
    settlement_base_drop(&base);
}

Test(store, progress_that_another_has_moved_aborts_the_batch)
{
    struct settlement_base base;
    struct store store;
    struct error error = {0};
    settlement_tape_make(4);
    settlement_base_make(&base, "a");
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(settlement_tape_add(&store, 100, &error), 0);
    settlement_base_run(base.pg, "UPDATE kashi.progress SET last_seq = 7");
    cr_assert_eq(store_commit(&store, &error), ERROR_AGAIN);
    store_close(&store);
    cr_assert_eq(settlement_base_number(base.pg, "SELECT count(*) FROM kashi.postings"), 0);
    settlement_base_drop(&base);
}

Test(store, events_with_a_gap_are_refused)
{
    struct settlement_base base;
    struct store store;
    struct error error = {0};
    settlement_tape_make(5);
    settlement_base_make(&base, "a");
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(settlement_tape_add(&store, 10, &error), 0);
    cr_assert_eq(store_add(&store, &settlement_tape.events[settlement_tape.first[12]], &error),
                 ERROR_CORRUPT);
    store_close(&store);
    settlement_base_drop(&base);
}

Test(store, database_of_another_market_is_refused)
{
    struct settlement_base base;
    struct store store;
    struct error error = {0};
    settlement_tape_make(6);
    settlement_base_make(&base, "a");
    settlement_tape_apply(&base, 100, 100);
    cr_assert_eq(store_open(&store, base.url, &error), 0, "%s", error.text);
    cr_assert_eq(store_check_genesis(&store, &settlement_tape.events[0], &error), 0, "%s",
                 error.text);
    struct event other = settlement_tape.events[0];
    other.genesis.operator_key[31] ^= 1;
    cr_assert_eq(store_check_genesis(&store, &other, &error), ERROR_MISMATCH);
    other = settlement_tape.events[0];
    other.head.time_ns++;
    cr_assert_eq(store_check_genesis(&store, &other, &error), ERROR_MISMATCH);
    cr_assert_eq(store_check_genesis(&store, &settlement_tape.events[1], &error), ERROR_CORRUPT);
    store_close(&store);
    settlement_base_drop(&base);
}

Test(store, url_that_is_none_and_server_that_is_none_are_told_apart)
{
    struct store store;
    struct error error = {0};
    cr_assert_eq(store_open(&store, "postgresql://[", &error), ERROR_INVALID);
    cr_assert_eq(store_open(&store, "host=/nonexistent dbname=x", &error), ERROR_LOST);
}

/* --- cut connections -------------------------------------------------------------------------- */

/* Commands of a try: two commits of half of them. */
enum { TRY_COMMANDS = 6 };

/* One try over the cut wire, then one that is not cut; what was committed in the first counts. */
static bool cut_once(struct proxy *proxy, const char *url, uint64_t to_seq, bool *answer_lost)
{
    struct store store;
    struct error error = {0};
    uint64_t before = 0;
    bool cut = true;
    int rc = store_open(&store, url, &error);
    if (rc == 0) {
        before = store.place.seq;
        rc = settlement_tape_add(&store, to_seq - TRY_COMMANDS / 2, &error);
        if (rc == 0) {
            rc = store_commit(&store, &error);
        }
        if (rc == 0) {
            before = store.committed_seq;
            rc = settlement_tape_add(&store, to_seq, &error);
        }
        if (rc == 0) {
            rc = store_commit(&store, &error);
        }
        cut = rc != 0;
        store_close(&store);
    }
    proxy_cut(proxy, PROXY_NEVER, 0);
    int64_t deadline_ns = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    do {
        rc = store_open(&store, url, &error);
    } while (rc == ERROR_AGAIN && clock_monotonic_ns() < deadline_ns);
    cr_assert_eq(rc, 0, "%s", error.text);
    *answer_lost = cut && before != 0 && store.place.seq > before;
    cr_assert_eq(settlement_tape_add(&store, to_seq, &error), 0, "%s", error.text);
    cr_assert_eq(store_commit(&store, &error), 0, "%s", error.text);
    store_close(&store);
    return cut;
}

/* Tries, one after the other, and what they have met. */
struct tries {
    struct proxy *proxy;
    const char *url;
    struct pg *pg;
    uint64_t to_seq;
    int cuts;
    int lost;
};

static bool try_cut(struct tries *tries, enum proxy_cut how, int at)
{
    bool answer_lost;
    tries->to_seq += TRY_COMMANDS;
    cr_assert_leq(tries->to_seq, SETTLEMENT_TAPE_COMMANDS);
    proxy_cut(tries->proxy, how, at);
    bool was_cut = cut_once(tries->proxy, tries->url, tries->to_seq, &answer_lost);
    tries->cuts += was_cut;
    tries->lost += answer_lost;
    cr_assert_eq(settlement_base_number(tries->pg, "SELECT last_seq FROM kashi.progress"),
                 (int64_t)tries->to_seq);
    return was_cut;
}

Test(cut, at_every_message_everything_arrives_exactly_once)
{
    struct settlement_base cut;
    struct settlement_base whole;
    struct proxy proxy;
    char url[SETTLEMENT_URL_SIZE];
    char folder[] = "/tmp/kashi-proxy-XXXXXX";
    char digests[2][128];
    int most = 0;
    settlement_tape_make(7);
    settlement_base_make(&cut, "a");
    settlement_base_make(&whole, "b");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert(proxy_start(&proxy, folder, cut.folder));
    settlement_base_url(url, folder, cut.name);
    struct tries tries = {.proxy = &proxy, .url = url, .pg = cut.pg, .to_seq = 40};
    settlement_tape_apply(&cut, tries.to_seq, tries.to_seq);
    for (enum proxy_cut how = PROXY_BEFORE; how <= PROXY_AFTER; how++) {
        for (most = 1; try_cut(&tries, how, most); most++) {
        }
    }
    /* How many messages a batch takes depends on what is in it: a commit may have been missed. */
    for (int at = most; tries.lost<2; at = at> most / 2 ? at - 1 : most) {
        (void)try_cut(&tries, PROXY_AFTER, at);
    }
    proxy_stop(&proxy);
    (void)rmdir(folder);
    settlement_base_expect_sound(cut.pg);
    settlement_tape_apply(&whole, tries.to_seq, 1000);
    settlement_base_digest(cut.pg, digests[0]);
    settlement_base_digest(whole.pg, digests[1]);
    cr_assert_str_eq(digests[0], digests[1]);
    cr_assert_gt(tries.cuts, 60, "only %d cuts", tries.cuts);
    settlement_base_drop(&cut);
    settlement_base_drop(&whole);
}

/* --- the program ------------------------------------------------------------------------------ */

struct tape_server {
    pthread_t thread;
    void *context;
    void *socket;
    atomic_bool stop;
    atomic_uint_least64_t end; /* commands that the tape has so far */
};

/* What kashi-replica does on its tape socket, from memory. */
static void *serve_tape(void *context)
{
    struct tape_server *server = context;
    static uint8_t answer[sizeof(struct frame_head) + 64 * MARKET_EVENTS_MAX * EVENT_SIZE];
    while (!atomic_load(&server->stop)) {
        zmq_pollitem_t item = {.socket = server->socket, .events = ZMQ_POLLIN};
        uint8_t identity[256];
        struct frame_head head;
        if (zmq_poll(&item, 1, 20) <= 0) {
            continue;
        }
        int identity_size = zmq_recv(server->socket, identity, sizeof(identity), 0);
        if (identity_size < 0 || zmq_recv(server->socket, &head, sizeof(head), 0) < 0) {
            continue;
        }
        uint64_t from = head.after_seq + 1;
        uint64_t end = atomic_load(&server->end);
        uint64_t to = from + 64 <= end + 1 ? from + 64 : end + 1;
        head.kind = FRAME_TAPE_EVENTS;
        head.after_seq = end;
        head.count = to > from ? settlement_tape.first[to] - settlement_tape.first[from] : 0;
        memcpy(answer, &head, sizeof(head));
        if (head.count > 0) {
            memcpy(answer + sizeof(head), &settlement_tape.events[settlement_tape.first[from]],
                   head.count * (size_t)EVENT_SIZE);
        }
        (void)zmq_send(server->socket, identity, (size_t)identity_size, ZMQ_SNDMORE);
        (void)zmq_send(server->socket, answer, sizeof(head) + head.count * (size_t)EVENT_SIZE, 0);
    }
    return NULL;
}

static void tape_server_start(struct tape_server *server, const char *folder)
{
    char endpoint[128];
    memset(server, 0, sizeof(*server));
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/tape.sock", folder);
    server->context = zmq_ctx_new();
    server->socket = zmq_socket(server->context, ZMQ_ROUTER);
    cr_assert_eq(zmq_bind(server->socket, endpoint), 0);
    cr_assert_eq(pthread_create(&server->thread, NULL, serve_tape, server), 0);
}

static void tape_server_stop(struct tape_server *server)
{
    atomic_store(&server->stop, true);
    (void)pthread_join(server->thread, NULL);
    (void)zmq_close(server->socket);
    (void)zmq_ctx_term(server->context);
}

static pid_t start_program(const char *folder)
{
    pid_t pid = fork();
    if (pid == 0) {
        /* A test that fails leaves it alone; it must not go on without us. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execl("build/release/bin/kashi-settlement", "kashi-settlement", "--dir", folder,
                    (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void wait_for_seq(struct settlement_base *base, uint64_t seq)
{
    int64_t deadline_ns = clock_monotonic_ns() + 30 * NS_PER_SECOND;
    while (settlement_base_number(
               base->pg, "SELECT count(*) FROM pg_tables WHERE tablename = 'progress'") == 0 ||
           settlement_base_number(base->pg, "SELECT last_seq FROM kashi.progress") < (int64_t)seq) {
        cr_assert_lt(clock_monotonic_ns(), deadline_ns, "the ledger does not reach %" PRIu64, seq);
        (void)poll(NULL, 0, 10);
    }
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

Test(program, database_that_goes_away_is_caught_up_with_and_a_kill_loses_nothing)
{
    struct settlement_base base;
    struct settlement_base whole;
    struct proxy proxy;
    struct tape_server server;
    char url[SETTLEMENT_URL_SIZE];
    char folder[] = "/tmp/kashi-settle-XXXXXX";
    char digests[2][128];
    int status;
    settlement_tape_make(9);
    settlement_base_make(&base, "a");
    settlement_base_make(&whole, "b");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert(proxy_start(&proxy, folder, base.folder));
    atomic_store(&proxy.down, true);
    settlement_base_url(url, folder, base.name);
    write_file(folder, "kashi.ini", "[settlement]\nbatch_fills = 50\nbatch_ms = 5\n");
    write_file(folder, "database.url", url);
    tape_server_start(&server, folder);
    atomic_store(&server.end, 500);
    pid_t pid = start_program(folder);
    cr_assert_gt(pid, 0);
    atomic_store(&proxy.down, false);
    wait_for_seq(&base, 500);
    atomic_store(&proxy.down, true);
    atomic_store(&server.end, 1000);
    cr_assert_eq(waitpid(pid, &status, WNOHANG), 0, "it ended when the database went away");
    atomic_store(&proxy.down, false);
    wait_for_seq(&base, 1000);
    for (uint64_t end = 1200; end <= SETTLEMENT_TAPE_COMMANDS; end += 200) {
        atomic_store(&server.end, end);
        wait_for_seq(&base, end - 150);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
        pid = start_program(folder);
    }
    wait_for_seq(&base, SETTLEMENT_TAPE_COMMANDS);
    (void)kill(pid, SIGTERM);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    tape_server_stop(&server);
    proxy_stop(&proxy);
    settlement_base_expect_sound(base.pg);
    settlement_tape_apply(&whole, SETTLEMENT_TAPE_COMMANDS, 1000);
    settlement_base_digest(base.pg, digests[0]);
    settlement_base_digest(whole.pg, digests[1]);
    cr_assert_str_eq(digests[0], digests[1]);
    char line[128];
    (void)snprintf(line, sizeof(line), "rm -rf %s", folder);
    cr_assert_eq(system(line), 0);
    settlement_base_drop(&base);
    settlement_base_drop(&whole);
}
