/* Where a gateway stands: real sockets, clients with CURVE on one side, an exchange and a read side that
 * the test plays on the other. All of it turns on one thread, in a folder of its own that is the
 * working directory; a test waits for what it wants by turning, up to a deadline. Failures are
 * Criterion's. */
#ifndef KASHI_TESTS_EDGE_H
#define KASHI_TESTS_EDGE_H

#include <criterion/criterion.h>

#include "base/clock.h"
#include "gateway/gateway.h"

#define EDGE_DEADLINE_NS  (10 * NS_PER_SECOND)
#define EDGE_COMMANDS_MAX 8192
#define EDGE_LINK         3
#define EDGE_OPERATOR     1 /* keys; key 0 is not registered */
#define EDGE_BUYER        2
#define EDGE_DRY_RUNS     3   /* a second */
#define EDGE_REPORTS_KEPT 150 /* that the read side has of the buyer */

struct edge_pair {
    char public_text[CODEC_PUBLIC_KEY_TEXT + 1];
    char secret_text[CODEC_PUBLIC_KEY_TEXT + 1];
};

struct edge {
    char dir[32];
    char endpoint[ENDPOINT_SIZE];
    void *zmq;
    void *gateway_zmq; /* its own: a closed inproc endpoint is free again only with its context */
    struct gateway *gateway;
    struct link_server *exchange;
    void *replica;
    struct edge_pair server;
    struct edge_pair keys[3]; /* by key id */
    bool silent_exchange;
    bool wrong_tables;
    uint32_t tables_asked;
    uint8_t link_peer;
    uint64_t seq;
    uint32_t command_count;
    struct command commands[EDGE_COMMANDS_MAX];
    uint32_t read_count;
    struct read_head last_read;
};

struct edge_client {
    void *socket;
    int length; /* of what was received */
    struct codec_cursor cursor;
    uint8_t bytes[CODEC_MESSAGE_MAX + 64];
};

extern struct edge edge;
extern struct message edge_message; /* the last one that a client was given */
extern uint8_t edge_bytes[4 * CODEC_MESSAGE_MAX + 1024];

void edge_set_up(void);
void edge_tear_down(void);
struct gateway_settings edge_settings(void);
/* In place of the one that runs. */
void edge_open_gateway(struct gateway_settings settings);
void edge_open_exchange(void);

/* Works off once what waits anywhere. */
void edge_turn(void);
/* Lets everything that is under way arrive. */
void edge_settle(void);
/* Turns until the condition holds. */
#define EDGE_UNTIL(condition)                                                                      \
    do {                                                                                           \
        const int64_t wanted_by_ns = clock_monotonic_ns() + EDGE_DEADLINE_NS;                      \
        while (!(condition)) {                                                                     \
            cr_assert_lt(clock_monotonic_ns(), wanted_by_ns, "never: %s", #condition);             \
            edge_turn();                                                                           \
        }                                                                                          \
    } while (0)

/* An event of a key that this link is handed; the exchange sends it. */
struct event edge_event(uint8_t type, uint32_t key);
void edge_emit(const struct event *event);

/* `pair` NULL: without CURVE. */
void edge_client_open(struct edge_client *client, const struct edge_pair *pair);
void edge_client_close(struct edge_client *client);
void edge_client_send(struct edge_client *client, const struct request *requests, uint16_t count);
/* Whether anything is there; takes the next message's bytes. */
bool edge_client_has(struct edge_client *client);
/* The next message, but the gateway's own heartbeats, is in edge_message and of this type. */
void edge_client_expect(struct edge_client *client, uint8_t type);
void edge_client_expect_reject(struct edge_client *client, uint16_t reason);
void edge_client_log_in(struct edge_client *client, struct request_login login);
struct request edge_order(uint64_t cl_ord_id);

#endif
