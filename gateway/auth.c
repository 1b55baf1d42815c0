#include "gateway/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/config.h"

#define ZAP_ENDPOINT  "inproc://zeromq.zap.01"
#define ZAP_FRAME_MAX 256
#define ZAP_FRAMES    7 /* version, request, domain, address, identity, mechanism, public key */
#define KEY_TEXT_SIZE 41

enum zap_frame { ZAP_VERSION = 0, ZAP_REQUEST = 1, ZAP_MECHANISM = 5, ZAP_KEY = 6 };

struct zap_request {
    uint32_t count;
    size_t sizes[ZAP_FRAMES];
    uint8_t frames[ZAP_FRAMES][ZAP_FRAME_MAX];
};

int auth_open(struct auth *auth, void *zmq_context, const struct registry *registry,
              struct error *error)
{
    const int no_linger = 0;
    *auth = (struct auth){.registry = registry};
    auth->socket = zmq_socket(zmq_context, ZMQ_REP);
    if (auth->socket == NULL ||
        zmq_setsockopt(auth->socket, ZMQ_LINGER, &no_linger, sizeof no_linger) != 0 ||
        zmq_bind(auth->socket, ZAP_ENDPOINT) != 0) {
        error_set(error, ERROR_IO, "%s: %s", ZAP_ENDPOINT, zmq_strerror(errno));
        auth_close(auth);
        return error->code;
    }
    return 0;
}

void auth_close(struct auth *auth)
{
    if (auth->socket != NULL) {
        (void)zmq_close(auth->socket);
        auth->socket = NULL;
    }
}

int auth_protect(void *socket, const char *path, struct error *error)
{
    struct config file;
    const char *secret;
    const int server = 1;
    int rc = config_load(&file, path, error);
    if (rc < 0) {
        return rc;
    }
    rc = config_text_required(&file, "", "secret", &secret, error);
    if (rc == 0 && strlen(secret) != KEY_TEXT_SIZE - 1) {
        rc = error_set(error, ERROR_INVALID,
                       "%s: secret has %zu characters instead of %d; make a key with kashi keygen",
                       path, strlen(secret), KEY_TEXT_SIZE - 1);
    }
    if (rc == 0 && (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server) != 0 ||
                    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, KEY_TEXT_SIZE) != 0 ||
                    zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "kashi", strlen("kashi")) != 0)) {
        rc = error_set(error, ERROR_INVALID, "%s: secret: %s", path, zmq_strerror(errno));
    }
    config_free(&file);
    return rc;
}

static bool more_frames(void *socket)
{
    int more = 0;
    size_t size = sizeof more;
    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;
}

/* False: none waits. */
static bool take_request(void *socket, struct zap_request *request)
{
    request->count = 0;
    do {
        uint8_t surplus[ZAP_FRAME_MAX];
        const bool kept = request->count < ZAP_FRAMES;
        uint8_t *frame = kept ? request->frames[request->count] : surplus;
        const int size = zmq_recv(socket, frame, ZAP_FRAME_MAX, ZMQ_DONTWAIT);
        if (size < 0) {
            return false;
        }
        if (kept) {
            request->sizes[request->count] = (size_t)size;
        }
        request->count++;
    } while (more_frames(socket));
    return true;
}

static bool frame_is(const struct zap_request *request, enum zap_frame frame, const char *text)
{
    return request->sizes[frame] == strlen(text) &&
           memcmp(request->frames[frame], text, strlen(text)) == 0;
}

/* The key's number; 0: not admitted. */
static uint32_t judge(const struct auth *auth, const struct zap_request *request)
{
    if (request->count != ZAP_FRAMES || !frame_is(request, ZAP_VERSION, "1.0") ||
        !frame_is(request, ZAP_MECHANISM, "CURVE") || request->sizes[ZAP_KEY] != PUBLIC_KEY_SIZE) {
        return 0;
    }
    return registry_find_key(auth->registry, request->frames[ZAP_KEY]);
}

static void reply(void *socket, const struct zap_request *request, uint32_t key)
{
    char user[16] = "";
    if (key != 0) {
        (void)snprintf(user, sizeof user, "%u", (unsigned)key);
    }
    const char *status = key != 0 ? "200" : "400";
    const char *text = key != 0 ? "OK" : "the key is not registered";
    const size_t id_size = request->count > ZAP_REQUEST ? request->sizes[ZAP_REQUEST] : 0;
    /* A REP socket whose asker is gone drops these by itself. */
    (void)zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(socket, request->frames[ZAP_REQUEST],
                   id_size < ZAP_FRAME_MAX ? id_size : ZAP_FRAME_MAX, ZMQ_SNDMORE);
    (void)zmq_send(socket, status, strlen(status), ZMQ_SNDMORE);
    (void)zmq_send(socket, text, strlen(text), ZMQ_SNDMORE);
    (void)zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
    (void)zmq_send(socket, "", 0, 0);
}

uint32_t auth_serve(struct auth *auth)
{
    uint32_t served = 0;
    struct zap_request request;
    while (auth->socket != NULL && served < AUTH_ROUND_MAX &&
           take_request(auth->socket, &request)) {
        const uint32_t key = judge(auth, &request);
        auth->admitted += key != 0 ? 1 : 0;
        auth->refused += key == 0 ? 1 : 0;
        reply(auth->socket, &request, key);
        served++;
    }
    return served;
}

uint32_t auth_message_key(void *message)
{
    const char *user = zmq_msg_gets(message, "User-Id");
    const unsigned long key = user != NULL ? strtoul(user, NULL, 10) : 0;
    return key <= REGISTRY_KEYS_MAX ? (uint32_t)key : 0;
}
