/* libkashi: what a program needs to trade on Kashi and to follow its market.
 *
 *   session  one key logged in at a gateway: requests out, reports and answers in
 *   feed     market data: depth books that repair themselves, trades, index values
 *   key      CURVE key files
 *
 * Nothing here starts a thread, sleeps or calls back: the caller owns the loop. It asks a session
 * or feed for its sockets, waits for them (zmq_poll) no longer than the timeout that the session or
 * feed names, and takes what came with ..._next() until there is no more. Many sessions may share
 * one ZeroMQ context and one thread; one session belongs to one thread at a time.
 *
 *     struct kashi_session *session;
 *     kashi_session_open(&session, &config, &error);
 *     struct request bid = {.type = REQUEST_NEW_ORDER, .new_order = {...}};
 *     kashi_session_send(session, &bid, 1, &error);          // bid.cl_ord_id is filled in
 *     for (;;) {
 *         const struct message *message;
 *         int rc = kashi_session_next(session, &message, &error);
 *         if (rc < 0) break;                                 // the session is over, error says why
 *         if (rc == 0) kashi_session_wait(session, 1000);    // or zmq_poll over many sockets
 *         else if (message->type == MESSAGE_REPORT) ...
 *     }
 *     kashi_session_close(session);
 *
 * Legs and lanes of a request need to be there until kashi_session_send returns; those of a message
 * are good as long as the message is.
 *
 * Requests and messages are the structs of wire/codec.h; prices are integers in ten-thousandths of a
 * yuan (wire/units.h), times nanoseconds since 1970. Functions return 0 or a negative code of
 * base/error.h with a sentence in `error`. */
#ifndef KASHI_CLIENT_KASHI_H
#define KASHI_CLIENT_KASHI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoints.h"
#include "base/error.h"
#include "wire/codec.h"

/* --- keys --------------------------------------------------------------------------------------
 * A key file holds two lines, `public = …` and `secret = …`, each 40 characters of Z85. */
struct kashi_key {
    char public_text[CODEC_PUBLIC_KEY_TEXT + 1];
    char secret_text[CODEC_PUBLIC_KEY_TEXT + 1];
};
int kashi_key_generate(struct kashi_key *key, struct error *error);
/* ERROR_INVALID also when others than the owner may read or write the file. */
int kashi_key_load(struct kashi_key *key, const char *path, struct error *error);
/* Writes a new file that only its owner can read; ERROR_INVALID when the file exists. */
int kashi_key_save(const struct kashi_key *key, const char *path, struct error *error);
/* Its public half in a file of its own, likewise new. */
int kashi_key_save_public(const struct kashi_key *key, const char *path, struct error *error);
/* The `public` line alone: of a key file or of gateway.pub. */
int kashi_key_load_public(char text[CODEC_PUBLIC_KEY_TEXT + 1], const char *path,
                          struct error *error);

/* --- sessions ----------------------------------------------------------------------------------
 * A session connects, logs in, sends heartbeats and, when the connection or the gateway is lost,
 * connects and logs in again by itself. After that it fetches the reports that it missed (by
 * report_seq; every numbered report is handed out exactly once and in order) and sends again what
 * was not answered, under the same cl_ord_id: a request that had reached the exchange before has no
 * second effect, its answer is the state of the first. */
struct kashi_session_config {
    void *zmq_context;
    /* Where the gateway is: a fixed endpoint or, when that is NULL, a function that is asked at
     * every connect and writes it (0, or negative with the error set: tried again later). */
    const char *endpoint;
    int (*find_endpoint)(void *context, char endpoint[ENDPOINT_SIZE], struct error *error);
    void *find_context;
    const char *gateway_key; /* the gateway's public key (Z85); NULL: without CURVE */
    const struct kashi_key *key;
    uint64_t next_report_seq; /* hand out reports from this one on; 0: only what is new */
    uint32_t window;          /* unanswered requests at most; 0: KASHI_WINDOW_DEFAULT */
    bool cancel_on_disconnect;
    bool monitor; /* learn why a connection fails (kashi_session_trouble); costs two sockets */
};
#define KASHI_WINDOW_DEFAULT 256
#define KASHI_WINDOW_MAX     65536

enum kashi_session_state {
    KASHI_SESSION_CONNECTING = 0,
    KASHI_SESSION_LOGGING_IN = 1,
    KASHI_SESSION_RECOVERING = 2, /* missed reports are being fetched */
    KASHI_SESSION_READY = 3,
    KASHI_SESSION_ENDED = 4, /* for good: another login took over, or the key was refused */
};

struct kashi_session_counters {
    uint64_t sent;      /* requests, heartbeats and logins not counted */
    uint64_t resent;    /* of them again, after a reconnect */
    uint64_t reports;   /* numbered reports handed out */
    uint64_t recovered; /* of them fetched because they had been missed */
    uint64_t logins;    /* answered */
};

struct kashi_session;

/* Copies what it needs from `config`. The connection is made while kashi_session_next is called. */
int kashi_session_open(struct kashi_session **out, const struct kashi_session_config *config,
                       struct error *error);
/* Says goodbye to the gateway (LOGOUT) when logged in. NULL is fine. */
void kashi_session_close(struct kashi_session *session);

/* Takes `count` requests, gives those that change something the next cl_ord_id and those that read
 * the next ref (where these are 0; a number that is given must be above all before it), and
 * sends them, many to a message. While the session is not ready they wait. Before the first login
 * answer a request that changes something is refused with ERROR_AGAIN, because its number
 * is not known yet; ERROR_FULL: `window` requests of this kind are unanswered, nothing was
 * taken; ERROR_INVALID: a type that is not for the caller to send. */
int kashi_session_send(struct kashi_session *session, struct request *requests, uint32_t count,
                       struct error *error);

/* Does what is due and hands out the next message: 1 and *message (valid until the next call on
 * this session), 0 when there is none now, negative when the session is over for good.
 * Handed out: reports, rejects of the caller's requests, answers to reads. Logins, heartbeats and
 * report recovery are the session's own business. */
int kashi_session_next(struct kashi_session *session, const struct message **message,
                       struct error *error);

/* The ZeroMQ socket to wait on (POLLIN) and how long at most; the socket never changes. */
void *kashi_session_socket(const struct kashi_session *session);
int64_t kashi_session_timeout_ms(const struct kashi_session *session);
/* For programs with one session: waits for its socket, at most `timeout_ms`. */
void kashi_session_wait(struct kashi_session *session, int64_t timeout_ms);

enum kashi_session_state kashi_session_state(const struct kashi_session *session);
/* The last login's answer: key, account, roles, time of the exchange. */
const struct login_answer *kashi_session_login(const struct kashi_session *session);
/* Requests that were not answered yet. */
uint32_t kashi_session_unanswered(const struct kashi_session *session);
/* The report that is expected next: keep it to go on from here in another process. */
uint64_t kashi_session_next_report_seq(const struct kashi_session *session);
const struct kashi_session_counters *kashi_session_counters(const struct kashi_session *session);
/* With `monitor`: why the last attempt to connect failed, "" when none did. */
const char *kashi_session_trouble(const struct kashi_session *session);

/* --- depth books -------------------------------------------------------------------------------
 * One contract's depth as market data tells it: offers at their own tier, best first. */
#define KASHI_BOOK_LEVELS_MAX CODEC_LEVELS_MAX /* of one side; what lies further down is let go */

struct kashi_book_side {
    struct level_row *levels; /* best first */
    uint32_t count;
    uint32_t capacity;
};
struct kashi_book {
    char symbol[SYMBOL_SIZE];
    uint64_t seq;          /* of the contract's last message that is in it; 0 none */
    uint64_t snapshot_seq; /* state that the last snapshot was of */
    int64_t time_ns;
    int64_t best_bid_e4;  /* the ladder's best, all eligible tiers; 0 none */
    int64_t best_bid_qty; /* firm */
    int64_t best_bid_shared_qty;
    int64_t best_offer_e4;
    int64_t best_offer_qty;
    int64_t last_px_e4; /* 0: no trade seen */
    int64_t last_qty;
    struct kashi_book_side sides[2]; /* enum side */
    uint8_t halted;
    struct auction_view auction; /* phase of the hour, and what its auction would give */
    uint8_t current;             /* 0: a message was missed, a snapshot is on its way */
    uint8_t continued;           /* within a command whose changes need several messages */
};
enum kashi_book_result {
    KASHI_BOOK_APPLIED = 0,
    KASHI_BOOK_OLD = 1, /* is in the book already */
    KASHI_BOOK_GAP = 2, /* a message is missing: a snapshot is needed */
};
void kashi_book_init(struct kashi_book *book, const char *symbol);
void kashi_book_free(struct kashi_book *book);
enum kashi_book_result kashi_book_apply(struct kashi_book *book, const struct market_data *data);
void kashi_book_snapshot(struct kashi_book *book, const struct book_answer *snapshot);

/* --- feeds -------------------------------------------------------------------------------------
 * Follows contracts by symbol or by the beginning of one ("H100.CN-GZ."; "" is everything). Every
 * message is checked against the book's sequence; where one is missing the feed fetches a
 * snapshot and goes on behind it by itself. While a snapshot is on its way nothing newer is read,
 * so nothing is lost. The trades of every message that came are handed out once, also where the book
 * does not take the message: behind a gap, as the first of a contract, or when a snapshot has it. */
struct kashi_feed_config {
    void *zmq_context;
    const char *market_data; /* the replica's endpoints; both NULL: index only */
    const char *snapshot;
    const char *index;          /* pricing's endpoints: new values; NULL: none */
    const char *index_snapshot; /* and the latest ones; NULL: none */
    uint32_t receive_hwm;       /* messages that may wait; 0: 100,000 */
};
struct kashi_feed_counters {
    uint64_t messages;
    uint64_t gaps;
    uint64_t snapshots;
    uint64_t index_answers; /* latest index values, handed out whole */
};
struct kashi_feed;

enum kashi_feed_kind {
    KASHI_FEED_CHANGE = 1,   /* book and the message that changed it: `data` */
    KASHI_FEED_SNAPSHOT = 2, /* book was set from a snapshot */
    KASHI_FEED_INDEX = 3,    /* `index` */
    KASHI_FEED_TRADES = 4,   /* `data` has trades, and the book does not take it */
};
struct kashi_feed_event {
    enum kashi_feed_kind kind;
    const struct kashi_book *book; /* lives as long as the feed */
    const struct market_data *data;
    const struct index_message *index;
};

int kashi_feed_open(struct kashi_feed **out, const struct kashi_feed_config *config,
                    struct error *error);
void kashi_feed_close(struct kashi_feed *feed); /* NULL is fine */
/* A whole symbol begins with a snapshot; the beginning of one with what changes from now on. */
int kashi_feed_subscribe(struct kashi_feed *feed, const char *symbol, struct error *error);
/* Index values whose topic (CLASS.REGION.TIER.YYYYMMDD) begins so; "" is all of them. The latest
 * values come first, then every new one. */
int kashi_feed_subscribe_index(struct kashi_feed *feed, const char *topic, struct error *error);
/* 1 and *event (valid until the next call), 0 when there is nothing now, negative on failure. */
int kashi_feed_next(struct kashi_feed *feed, struct kashi_feed_event *event, struct error *error);
/* The book of a contract that was heard of; NULL: not yet. */
const struct kashi_book *kashi_feed_book(const struct kashi_feed *feed, const char *symbol);
/* Books that wait for a snapshot. */
uint32_t kashi_feed_waiting(const struct kashi_feed *feed);
/* Writes the sockets to wait on (at most KASHI_FEED_SOCKETS_MAX); returns how many. They change with
 * every call of kashi_feed_next. */
#define KASHI_FEED_SOCKETS_MAX 4
uint32_t kashi_feed_sockets(const struct kashi_feed *feed, void *sockets[KASHI_FEED_SOCKETS_MAX]);
int64_t kashi_feed_timeout_ms(const struct kashi_feed *feed);
void kashi_feed_wait(struct kashi_feed *feed, int64_t timeout_ms);
const struct kashi_feed_counters *kashi_feed_counters(const struct kashi_feed *feed);

#endif
