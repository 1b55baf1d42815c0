/* Serves the tape: each request (FRAME_TAPE_REQUEST, after_seq) gets one answer: whole commands'
 * events above after_seq as soon as there are some, or none after TAPE_SERVER_WAIT_NS. A follower
 * that is slow asks less often, and costs nothing meanwhile.
 *
 * An answer holds at most FRAME_ITEMS_MAX events, or the one command that has more. A follower has
 * one request under way; a second one takes the place of the first. With TAPE_SERVER_WAITING_MAX
 * followers waiting, a further one is told at once that there is nothing.
 *
 * Thread: the owner's. Nothing blocks. */
#ifndef KASHI_EXCHANGE_TAPE_SERVER_H
#define KASHI_EXCHANGE_TAPE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "exchange/tape_store.h"

#define TAPE_SERVER_WAIT_NS     INT64_C(1000000000)
#define TAPE_SERVER_WAITING_MAX 256

struct tape_server;

/* Binds; `store` and `zmq_context` must outlive the server. */
int tape_server_open(struct tape_server **server, void *zmq_context, const char *endpoint,
                     const struct tape_store *store, struct error *error);
void tape_server_close(struct tape_server *server); /* NULL is fine */

/* To be polled for ZMQ_POLLIN. */
void *tape_server_socket(const struct tape_server *server);

/* Takes requests that wait and answers those that can be answered, a bounded number of each;
 * *more says that some were left for the next turn. `now_ns`: monotonic. The store must be
 * flushed. */
int tape_server_turn(struct tape_server *server, int64_t now_ns, bool *more, struct error *error);

#endif
