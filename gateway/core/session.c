#include "gateway/core/session.h"

#include <string.h>

#include "base/check.h"
#include "wire/units.h"

#define BUCKETS (2 * SESSION_PEERS_MAX)

void session_init(struct session_table *table, const struct session_limits *limits)
{
    CHECK(limits->peers >= 1 && limits->peers <= SESSION_PEERS_MAX);
    memset(table, 0, sizeof *table);
    table->limits = *limits;
    for (uint32_t key = 0; key <= REGISTRY_KEYS_MAX; key++) {
        table->keys[key].peer = SESSION_NO_PEER;
    }
}

static uint32_t bucket_of(uint32_t address)
{
    return (uint32_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (BUCKETS - 1);
}

uint32_t session_find(const struct session_table *table, uint32_t address)
{
    uint32_t bucket = bucket_of(address);
    for (; table->buckets[bucket] != 0; bucket = (bucket + 1) & (BUCKETS - 1)) {
        const uint32_t peer = table->buckets[bucket] - 1;
        if (table->peers[peer].address == address) {
            return peer;
        }
    }
    return SESSION_NO_PEER;
}

uint32_t session_admit(struct session_table *table, uint32_t address, int64_t now_ns)
{
    uint32_t peer = session_find(table, address);
    if (peer != SESSION_NO_PEER) {
        table->peers[peer].heard_ns = now_ns;
        return peer;
    }
    if (table->peer_count == table->limits.peers) {
        return SESSION_NO_PEER;
    }
    for (peer = 0; table->peers[peer].used; peer++) {
    }
    table->peers[peer] =
        (struct session_peer){.address = address, .heard_ns = now_ns, .used = true};
    table->peer_count++;
    uint32_t bucket = bucket_of(address);
    while (table->buckets[bucket] != 0) {
        bucket = (bucket + 1) & (BUCKETS - 1);
    }
    table->buckets[bucket] = peer + 1;
    return peer;
}

uint32_t session_giving_way(const struct session_table *table, uint32_t key)
{
    uint32_t longest = SESSION_NO_PEER;
    uint32_t longest_own = SESSION_NO_PEER;
    uint32_t own_count = 0;
    for (uint32_t peer = 0; peer < table->limits.peers; peer++) {
        const struct session_peer *at = &table->peers[peer];
        if (!at->used || table->keys[at->key].peer == peer) {
            continue;
        }
        if (longest == SESSION_NO_PEER || at->heard_ns < table->peers[longest].heard_ns) {
            longest = peer;
        }
        if (key != 0 && at->key == key) {
            own_count++;
            if (longest_own == SESSION_NO_PEER ||
                at->heard_ns < table->peers[longest_own].heard_ns) {
                longest_own = peer;
            }
        }
    }
    if (own_count >= SESSION_KEY_PEERS_MAX) {
        return longest_own;
    }
    return table->peer_count == table->limits.peers ? longest : SESSION_NO_PEER;
}

/* Closes the hole in the row of buckets: whoever was pushed past it moves up. */
static void empty_bucket(struct session_table *table, uint32_t hole)
{
    uint32_t at = hole;
    table->buckets[hole] = 0;
    for (;;) {
        at = (at + 1) & (BUCKETS - 1);
        if (table->buckets[at] == 0) {
            return;
        }
        const uint32_t home = bucket_of(table->peers[table->buckets[at] - 1].address);
        if (((at - home) & (BUCKETS - 1)) >= ((at - hole) & (BUCKETS - 1))) {
            table->buckets[hole] = table->buckets[at];
            table->buckets[at] = 0;
            hole = at;
        }
    }
}

void session_forget(struct session_table *table, uint32_t peer)
{
    struct session_peer *gone = &table->peers[peer];
    CHECK(gone->used && table->keys[gone->key].peer != peer);
    uint32_t bucket = bucket_of(gone->address);
    while (table->buckets[bucket] != peer + 1) {
        bucket = (bucket + 1) & (BUCKETS - 1);
    }
    empty_bucket(table, bucket);
    *gone = (struct session_peer){0};
    table->peer_count--;
}

uint32_t session_silent(const struct session_table *table, uint32_t from, int64_t now_ns)
{
    for (uint32_t peer = from; peer < table->limits.peers; peer++) {
        if (table->peers[peer].used &&
            now_ns - table->peers[peer].heard_ns > table->limits.silence_ns) {
            return peer;
        }
    }
    return SESSION_NO_PEER;
}

bool session_take_message(struct session_table *table, uint32_t key, uint32_t requests,
                          int64_t now_ns)
{
    struct session_key *state = &table->keys[key];
    if (now_ns - state->window_ns >= NS_PER_SECOND || now_ns < state->window_ns) {
        state->window_ns = now_ns;
        state->window_count = 0;
        state->window_requests = 0;
        state->window_dry_runs = 0;
    }
    if (state->window_count == table->limits.messages_per_second ||
        requests > table->limits.requests_per_second - state->window_requests) {
        return false;
    }
    state->window_count++;
    state->window_requests += requests;
    return true;
}

bool session_take_dry_run(struct session_table *table, uint32_t key)
{
    struct session_key *state = &table->keys[key];
    if (state->window_dry_runs == table->limits.dry_runs_per_second) {
        return false;
    }
    state->window_dry_runs++;
    return true;
}

bool session_take_read(struct session_table *table, uint32_t key)
{
    if (table->keys[key].reads == table->limits.reads_waiting) {
        return false;
    }
    table->keys[key].reads++;
    return true;
}

void session_read_done(struct session_table *table, uint32_t key)
{
    CHECK(table->keys[key].reads > 0);
    table->keys[key].reads--;
}

static void set_state(struct session_table *table, struct session_key *state, uint8_t to)
{
    table->active_count -= state->state == SESSION_ACTIVE ? 1 : 0;
    table->active_count += to == SESSION_ACTIVE ? 1 : 0;
    state->state = to;
}

uint32_t session_begin(struct session_table *table, uint32_t peer, uint32_t key, uint64_t nonce)
{
    struct session_key *state = &table->keys[key];
    const uint32_t before = state->peer;
    CHECK(table->peers[peer].used && table->peers[peer].key == key);
    set_state(table, state, SESSION_LOGGING_IN);
    state->peer = peer;
    state->nonce = nonce;
    return before != peer ? before : SESSION_NO_PEER;
}

bool session_done(struct session_table *table, uint32_t key, uint64_t nonce, uint32_t session)
{
    struct session_key *state = &table->keys[key];
    if (state->state != SESSION_LOGGING_IN || state->nonce != nonce) {
        return false;
    }
    state->session = session;
    set_state(table, state, SESSION_ACTIVE);
    return true;
}

bool session_leave(struct session_table *table, uint32_t key)
{
    struct session_key *state = &table->keys[key];
    if (state->state != SESSION_ACTIVE) {
        return false;
    }
    set_state(table, state, SESSION_LEAVING);
    return true;
}

uint32_t session_end(struct session_table *table, uint32_t key)
{
    struct session_key *state = &table->keys[key];
    const uint32_t peer = state->peer;
    set_state(table, state, SESSION_IDLE);
    state->peer = SESSION_NO_PEER;
    state->session = 0;
    state->next_report_seq = 0;
    return peer;
}

uint32_t session_reports_to(const struct session_table *table, uint32_t key)
{
    if (key > REGISTRY_KEYS_MAX) {
        return SESSION_NO_PEER;
    }
    const struct session_key *state = &table->keys[key];
    return state->state == SESSION_ACTIVE || state->state == SESSION_LEAVING ? state->peer
                                                                             : SESSION_NO_PEER;
}

bool session_is_active(const struct session_table *table, uint32_t peer)
{
    const struct session_key *state = &table->keys[table->peers[peer].key];
    return table->peers[peer].used && state->state == SESSION_ACTIVE && state->peer == peer;
}

void session_reported(struct session_table *table, uint32_t key, uint64_t seq)
{
    struct session_key *state = &table->keys[key];
    state->last_seq = seq > state->last_seq ? seq : state->last_seq;
}

void session_sanity(const struct session_table *table)
{
    uint32_t used = 0;
    uint32_t active = 0;
    for (uint32_t peer = 0; peer < SESSION_PEERS_MAX; peer++) {
        const struct session_peer *at = &table->peers[peer];
        used += at->used ? 1 : 0;
        CHECK(!at->used || session_find(table, at->address) == peer);
    }
    for (uint32_t key = 0; key <= REGISTRY_KEYS_MAX; key++) {
        const struct session_key *state = &table->keys[key];
        active += state->state == SESSION_ACTIVE ? 1 : 0;
        CHECK((state->state == SESSION_IDLE) == (state->peer == SESSION_NO_PEER));
        CHECK(state->peer == SESSION_NO_PEER ||
              (table->peers[state->peer].used && table->peers[state->peer].key == key));
    }
    CHECK(used == table->peer_count && active == table->active_count);
}
