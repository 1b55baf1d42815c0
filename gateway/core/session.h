/* Who is connected, and which key has its session where.
 *
 * A peer is a connection: a return address and the key that it was admitted with. A key has at most
 * one session, at one peer; a login at another peer moves it there. Time is monotonic nanoseconds
 * and comes with every call; nothing here does I/O. One thread.
 *
 *   IDLE ──begin──► LOGGING_IN ──done──► ACTIVE ──leave──► LEAVING ──end──► IDLE
 *     ▲                 │ begin: again       │ begin
 *     └──────end────────┴────────────────────┘ */
#ifndef KASHI_GATEWAY_CORE_SESSION_H
#define KASHI_GATEWAY_CORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/core/registry.h"

#define SESSION_PEERS_MAX     4096
#define SESSION_KEY_PEERS_MAX 64 /* connections of one key without a session */
#define SESSION_NO_PEER       UINT32_MAX

enum session_state {
    SESSION_IDLE = 0,
    SESSION_LOGGING_IN = 1, /* LOGIN is on its way */
    SESSION_ACTIVE = 2,
    SESSION_LEAVING = 3, /* LOGOUT is on its way */
};

struct session_peer {
    uint32_t address; /* what the router gave the connection */
    uint32_t key;     /* 0: not known yet (without CURVE, before the login) */
    int64_t heard_ns;
    bool used;
};

struct session_key {
    uint32_t peer;            /* SESSION_NO_PEER unless a state is not IDLE */
    uint32_t session;         /* number that the exchange gave; ACTIVE and LEAVING */
    uint64_t nonce;           /* of the LOGIN on its way */
    uint64_t ref;             /* of the login or logout request */
    uint64_t next_report_seq; /* asked for at the login; 0: nothing again */
    uint64_t last_seq;        /* highest command sequence that was reported to the key */
    int64_t window_ns;        /* second in which messages are counted */
    uint32_t window_count;
    uint32_t window_requests;
    uint32_t window_dry_runs;
    uint32_t reads; /* waiting for the replica */
    uint8_t state;  /* enum session_state */
};

struct session_limits {
    uint32_t peers;               /* connections at once, at most SESSION_PEERS_MAX */
    uint32_t messages_per_second; /* of one key, like the next */
    uint32_t requests_per_second;
    uint32_t dry_runs_per_second;
    uint32_t reads_waiting; /* of one key at once */
    int64_t silence_ns;     /* a peer that says nothing for so long is gone */
};

/* Invariants: 1. a key that is not IDLE names a used peer, and that peer has this key; 2. no two
 * peers have the same address; 3. `buckets` leads to every used peer by its address.
 * About 5 MB. */
struct session_table {
    struct session_limits limits;
    uint32_t peer_count;
    uint32_t active_count; /* keys that are ACTIVE */
    struct session_peer peers[SESSION_PEERS_MAX];
    uint32_t buckets[2 * SESSION_PEERS_MAX]; /* peer + 1; 0 empty */
    struct session_key keys[REGISTRY_KEYS_MAX + 1];
};

void session_init(struct session_table *table, const struct session_limits *limits);

/* The peer with this address; SESSION_NO_PEER: none. */
uint32_t session_find(const struct session_table *table, uint32_t address);
/* Finds the peer or adds it. SESSION_NO_PEER: there is no room. */
uint32_t session_admit(struct session_table *table, uint32_t address, int64_t now_ns);
/* The connection that makes room for a new one of `key` (0: not known yet): the one longest silent,
 * of this key when it has SESSION_KEY_PEERS_MAX, of any key when the table is full. Those with a
 * session stay. SESSION_NO_PEER: there is room, or nobody can go. */
uint32_t session_giving_way(const struct session_table *table, uint32_t key);
/* Forgets a peer; its key's session must have ended. */
void session_forget(struct session_table *table, uint32_t peer);
/* The next used peer at or after `from` that has been silent for too long. */
uint32_t session_silent(const struct session_table *table, uint32_t from, int64_t now_ns);

/* Counts one message of the key with all its requests; false: more than it may send in this second.
 * What the gateway refuses is not journaled: so no key can fill the exchange's disk at will. */
bool session_take_message(struct session_table *table, uint32_t key, uint32_t requests,
                          int64_t now_ns);
/* Counts one dry run of a message that was taken; false: more than the key may ask for in this second.
 * They are searches like those of the exchange, and free. */
bool session_take_dry_run(struct session_table *table, uint32_t key);
/* Counts one read; false: as many are waiting as may. Undone by session_read_done. */
bool session_take_read(struct session_table *table, uint32_t key);
void session_read_done(struct session_table *table, uint32_t key);

/* A login goes out, by this peer. Returns the peer whose session of the same key it takes over, if
 * that is another one; else SESSION_NO_PEER. */
uint32_t session_begin(struct session_table *table, uint32_t peer, uint32_t key, uint64_t nonce);
/* The exchange's answer has come. False: not to the login that is on its way. */
bool session_done(struct session_table *table, uint32_t key, uint64_t nonce, uint32_t session);
/* A logout goes out. False: the key is not ACTIVE. */
bool session_leave(struct session_table *table, uint32_t key);
/* The session is over, whatever its state. Returns the peer that it was at, or SESSION_NO_PEER. */
uint32_t session_end(struct session_table *table, uint32_t key);
/* The peer that reports of the key go to: ACTIVE or LEAVING; else SESSION_NO_PEER. */
uint32_t session_reports_to(const struct session_table *table, uint32_t key);
/* Whether requests that need a session may come from this peer. */
bool session_is_active(const struct session_table *table, uint32_t peer);
/* Notes that the key has been told of this command. */
void session_reported(struct session_table *table, uint32_t key, uint64_t seq);

/* Ends the process when an invariant does not hold. For tests. */
void session_sanity(const struct session_table *table);

#endif
