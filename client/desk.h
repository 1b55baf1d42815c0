/* Many sessions on one thread: what the demo and the load of the crash tests trade through. A desk
 * owns its ZeroMQ context and its sessions (seats); gateways are found in the instance folder, so
 * that a session comes back when its gateway does. The working directory is the instance folder.
 * One thread. */
#ifndef KASHI_CLIENT_DESK_H
#define KASHI_CLIENT_DESK_H

#include <stdint.h>

#include "base/error.h"
#include "client/kashi.h"

#define DESK_SEATS_MAX    512
#define DESK_GATEWAYS_MAX 9

struct desk;

/* A message for a seat; negative ends the turn with that code, the handler has filled `error`. */
typedef int desk_handle(void *context, uint32_t seat, const struct message *message,
                        struct error *error);

/* `gateways` sections gateway.1 .. gateway.N; `curve` false: gateways without encryption. */
int desk_open(struct desk **out, uint32_t gateways, bool curve, struct error *error);
void desk_close(struct desk *desk); /* NULL is fine */
void desk_on_message(struct desk *desk, desk_handle *handle, void *context);

/* Opens a session of the key at gateway `gateway` (from 0, taken modulo the number of gateways).
 * Returns the seat (0 or more) or an error. The key is copied. */
int desk_sit(struct desk *desk, const struct kashi_key *key, uint32_t gateway, uint32_t window,
             struct error *error);
struct kashi_session *desk_session(struct desk *desk, uint32_t seat);

/* Waits at most `timeout_ms` for anything and hands all that came to the handler. */
int desk_turn(struct desk *desk, int64_t timeout_ms, struct error *error);
/* Turns until every session is ready; ERROR_LOST after `timeout_ms`. */
int desk_ready(struct desk *desk, int64_t timeout_ms, struct error *error);
/* Turns until no request of any session waits for its answer; ERROR_LOST after `timeout_ms`. */
int desk_settle(struct desk *desk, int64_t timeout_ms, struct error *error);

/* The refusal of a request, as an error: its type, the reason, the field. Returns the code. */
int desk_refused(struct error *error, int code, const struct reject *reject);

#endif
