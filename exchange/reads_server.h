/* Where reads come in: gateways on one socket (wire/read.h), and on another the public snapshot
 * service, which takes a `book` request as one msgpack message from anybody and answers with the
 * book. A gateway's read that wants a newer state than there is waits up to READS_WAIT_NS for it,
 * then it is LAGGING; so is it at once when READS_WAITING_MAX wait already. A READ_TABLES that
 * waited is answered with what there is: its head says of which state.
 *
 * Thread: the owner's. Nothing blocks. */
#ifndef KASHI_EXCHANGE_READS_SERVER_H
#define KASHI_EXCHANGE_READS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoints.h"
#include "base/error.h"
#include "exchange/replica.h"

#define READS_WAIT_NS     INT64_C(200000000)
#define READS_WAITING_MAX 1024
#define READS_REQUEST_MAX 8192 /* bytes of a message: a SET with 64 legs of the longest names */

struct reads_server;

/* Binds both; what was really bound is written to the two buffers. `replica` and `zmq_context` must
 * outlive the server. */
int reads_server_open(struct reads_server **server, void *zmq_context,
                      const struct replica *replica, char reads[ENDPOINT_SIZE],
                      char snapshot[ENDPOINT_SIZE], struct error *error);
void reads_server_close(struct reads_server *server); /* NULL is fine */

/* To be polled for ZMQ_POLLIN. */
void *reads_server_socket(const struct reads_server *server);
void *reads_server_snapshot_socket(const struct reads_server *server);

/* Answers what waits, a bounded number of each; *more says that some were left for the next turn,
 * *waiting_ns when the first one that waits for a newer state has waited enough (INT64_MAX: none).
 * `now_ns`: monotonic. */
int reads_server_turn(struct reads_server *server, int64_t now_ns, bool *more, int64_t *waiting_ns,
                      struct error *error);

#endif
