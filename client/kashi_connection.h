/* A session's socket: made with its options and CURVE keys, connected to where the gateway is now, and
 * asked whether a connection stands. ZeroMQ reconnects by itself; this finds gateways that moved.
 * The owner's thread. */
#ifndef KASHI_CLIENT_KASHI_CONNECTION_H
#define KASHI_CLIENT_KASHI_CONNECTION_H

#include "client/kashi.h"

struct kashi_connection {
    const struct kashi_session_config *config; /* the owner's */
    void *socket;
    void *monitor;                /* NULL: none */
    char endpoint[ENDPOINT_SIZE]; /* connected to; "" none */
    char trouble[128];            /* why there is no connection, for people; "" unknown */
};

/* Makes the socket and connects it when config names a fixed endpoint. */
int kashi_connection_open(struct kashi_connection *connection,
                          const struct kashi_session_config *config, struct error *error);
void kashi_connection_close(struct kashi_connection *connection);
/* Asks where the gateway is and connects there when that is news. */
void kashi_connection_find(struct kashi_connection *connection);
/* Gives the present connection up, for a fixed endpoint by a new one. */
void kashi_connection_drop(struct kashi_connection *connection);
/* Whether a connection stands, its handshake done. */
bool kashi_connection_up(const struct kashi_connection *connection);
/* False: it does not, nothing was sent. */
bool kashi_connection_send(struct kashi_connection *connection, const void *bytes, size_t length);
/* Reads what the monitor says into `trouble`. */
void kashi_connection_listen(struct kashi_connection *connection);
void kashi_connection_complain(struct kashi_connection *connection, const char *sentence);

#endif
