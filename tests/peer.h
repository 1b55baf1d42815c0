/* The other side of a client, played badly: a gateway that forgets reports, dies and refuses, and a replica
 * that publishes one contract with gaps. No CURVE. What each does is set in its struct; it acts when it is
 * told to serve. One of each, on the test's own thread. */
#ifndef KASHI_TESTS_PEER_H
#define KASHI_TESTS_PEER_H

#include <stdbool.h>

#include "base/endpoints.h"
#include "wire/codec.h"

#define PEER_REST   "CN-GZ.G80.20261121T14Z"
#define PEER_SYMBOL "H100." PEER_REST

extern void *peer_zmq;              /* context of both sides */
extern struct message peer_message; /* what is said next */

struct peer_gateway {
    void *socket;
    char endpoint[ENDPOINT_SIZE];
    char client[256]; /* routing id of whom we speak with */
    size_t client_size;
    uint64_t highest_cl_ord_id;
    uint64_t highest_report_seq;
    uint32_t logins;
    uint32_t heartbeats;
    uint32_t orders_seen;
    uint64_t order_numbers[1024];
    bool mute;               /* takes orders, answers none */
    uint32_t refused_logins; /* so many more are EXCHANGE_UNREACHABLE */
    uint32_t refused_reads;  /* so many more are refused for the reason */
    uint16_t refused_reason;
    struct request_halt halt; /* as it was asked for last */
    struct request_register_key key;
    struct request_set_market terms; /* as they were set last */
    uint8_t refused_value;     /* enum reject_field: what changes something is rejected for it */
    const char *refused_field; /* every request but logins is refused for it */
};
extern struct peer_gateway peer_gateway;

/* The context and a bound gateway. */
void peer_gateway_open(void);
void peer_gateway_close(void);
/* Binds again, elsewhere. */
void peer_gateway_bind(void);
/* Takes and answers what waits. */
void peer_gateway_serve(void);
/* Sends peer_message to whom it spoke with last. */
void peer_gateway_say(void);
/* The numbered report of an order: report n belongs to cl_ord_id n, and has a leg that says n. */
void peer_gateway_report(uint64_t report_seq);

struct peer_market {
    void *pub;
    void *snapshots;
    char pub_endpoint[ENDPOINT_SIZE];
    char snapshot_endpoint[ENDPOINT_SIZE];
    uint64_t seq;    /* of the last change of the contract */
    int64_t bid_qty; /* the one level that there is */
    uint32_t asked;  /* snapshots */
    bool dead;       /* answers no snapshot */
};
extern struct peer_market peer_market;

void peer_market_open(void);
void peer_market_close(void);
/* The contract changes, with a trade that bears the number of its message; the message is published or
 * lost. */
void peer_market_change(bool lost);
/* Answers snapshots. */
void peer_market_serve(void);

#endif
