/* Who may connect. Without a ZAP handler CURVE admits any key, so this one answers libzmq's question
 * at each handshake: a key that is registered and not revoked gets its number as User-Id, which
 * libzmq then puts on every message of the connection. That, and no routing id, is the client's
 * identity. Runs on the gateway's own thread, so the registry needs no lock. */
#ifndef KASHI_GATEWAY_AUTH_H
#define KASHI_GATEWAY_AUTH_H

#include <stdint.h>

#include "base/error.h"
#include "gateway/core/registry.h"

#define AUTH_ROUND_MAX 64 /* handshakes answered before the gateway turns to other work */

struct auth {
    void *socket; /* REP at inproc://zeromq.zap.01; NULL: no CURVE */
    const struct registry *registry;
    uint64_t admitted;
    uint64_t refused;
};

/* Must be open before the clients' socket is bound. */
int auth_open(struct auth *auth, void *zmq_context, const struct registry *registry,
              struct error *error);
void auth_close(struct auth *auth);
/* Makes `socket` a CURVE server with the secret key in the ini file `path` (`secret = …`). */
int auth_protect(void *socket, const char *path, struct error *error);
/* Answers the handshakes that wait; returns how many. */
uint32_t auth_serve(struct auth *auth);
/* The key that a message's connection was admitted with; 0: none. `message`: zmq_msg_t. */
uint32_t auth_message_key(void *message);

#endif
