#include "client/kashi_connection.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"

#define MONITOR_EVENTS_PER_CALL 16

void kashi_connection_complain(struct kashi_connection *connection, const char *sentence)
{
    size_t length = strnlen(sentence, sizeof(connection->trouble) - 1);
    memcpy(connection->trouble, sentence, length);
    connection->trouble[length] = '\0';
}

static int monitor_open(struct kashi_connection *connection, struct error *error)
{
    static const int events = ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                              ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    char name[48];
    CHECK(snprintf(name, sizeof(name), "inproc://monitor-%p", (void *)connection) <
          (int)sizeof(name));
    connection->monitor = zmq_socket(connection->config->zmq_context, ZMQ_PAIR);
    if (connection->monitor == NULL || zmq_socket_monitor(connection->socket, name, events) != 0 ||
        zmq_connect(connection->monitor, name) != 0) {
        return error_set(error, ERROR_IO, "monitor: %s", zmq_strerror(zmq_errno()));
    }
    return 0;
}

static int socket_open(struct kashi_connection *connection, struct error *error)
{
    connection->socket = zmq_socket(connection->config->zmq_context, ZMQ_DEALER);
    if (connection->socket == NULL) {
        return error_set(error, ERROR_IO, "socket: %s", zmq_strerror(zmq_errno()));
    }
    /* Without limit on the way out: the session's window bounds what waits there. */
    static const struct {
        int option, value;
    } options[] = {
        {ZMQ_LINGER, 200},         {ZMQ_IMMEDIATE, 1},      {ZMQ_SNDHWM, 0},
        {ZMQ_RCVHWM, 100000},      {ZMQ_RECONNECT_IVL, 50}, {ZMQ_RECONNECT_IVL_MAX, 1000},
        {ZMQ_HANDSHAKE_IVL, 3000}, {ZMQ_TCP_KEEPALIVE, 1},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        CHECK(zmq_setsockopt(connection->socket, options[i].option, &options[i].value,
                             sizeof(int)) == 0);
    }
    const char *gateway_key = connection->config->gateway_key;
    const struct kashi_key *key = connection->config->key;
    static const size_t size = CODEC_PUBLIC_KEY_TEXT + 1;
    if (gateway_key != NULL &&
        (zmq_setsockopt(connection->socket, ZMQ_CURVE_SERVERKEY, gateway_key, size) != 0 ||
         zmq_setsockopt(connection->socket, ZMQ_CURVE_PUBLICKEY, key->public_text, size) != 0 ||
         zmq_setsockopt(connection->socket, ZMQ_CURVE_SECRETKEY, key->secret_text, size) != 0)) {
        return error_set(error, ERROR_INVALID, "CURVE keys: %s", zmq_strerror(zmq_errno()));
    }
    return connection->config->monitor ? monitor_open(connection, error) : 0;
}

static bool connect_to(struct kashi_connection *connection, const char *endpoint)
{
    if (zmq_connect(connection->socket, endpoint) != 0) {
        kashi_connection_complain(connection, zmq_strerror(zmq_errno()));
        return false;
    }
    memcpy(connection->endpoint, endpoint, strlen(endpoint) + 1);
    return true;
}

int kashi_connection_open(struct kashi_connection *connection,
                          const struct kashi_session_config *config, struct error *error)
{
    connection->config = config;
    int rc = socket_open(connection, error);
    if (rc < 0 || config->endpoint == NULL) {
        return rc;
    }
    if (!connect_to(connection, config->endpoint)) {
        return error_set(error, ERROR_INVALID, "gateway %s: not an endpoint; give tcp://HOST:PORT",
                         config->endpoint);
    }
    return 0;
}

void kashi_connection_close(struct kashi_connection *connection)
{
    if (connection->monitor != NULL) {
        zmq_socket_monitor(connection->socket, NULL, 0);
        zmq_close(connection->monitor);
    }
    if (connection->socket != NULL) {
        zmq_close(connection->socket);
    }
}

void kashi_connection_find(struct kashi_connection *connection)
{
    char endpoint[ENDPOINT_SIZE];
    struct error error = {0};
    if (connection->config->endpoint != NULL) {
        return;
    }
    if (connection->config->find_endpoint(connection->config->find_context, endpoint, &error) < 0) {
        kashi_connection_complain(connection, error.text);
        return;
    }
    if (strcmp(endpoint, connection->endpoint) == 0) {
        return; /* ZeroMQ goes on trying by itself */
    }
    if (connection->endpoint[0] != '\0') {
        zmq_disconnect(connection->socket, connection->endpoint);
        connection->endpoint[0] = '\0';
    }
    connect_to(connection, endpoint);
}

void kashi_connection_drop(struct kashi_connection *connection)
{
    if (connection->endpoint[0] == '\0') {
        return;
    }
    zmq_disconnect(connection->socket, connection->endpoint);
    connection->endpoint[0] = '\0';
    if (connection->config->endpoint != NULL) {
        connect_to(connection, connection->config->endpoint);
    }
}

bool kashi_connection_up(const struct kashi_connection *connection)
{
    int events = 0;
    size_t size = sizeof(events);
    /* With ZMQ_IMMEDIATE a socket is writable only while a connection stands. */
    return zmq_getsockopt(connection->socket, ZMQ_EVENTS, &events, &size) == 0 &&
           (events & ZMQ_POLLOUT) != 0;
}

bool kashi_connection_send(struct kashi_connection *connection, const void *bytes, size_t length)
{
    return zmq_send(connection->socket, bytes, length, ZMQ_DONTWAIT) >= 0;
}

void kashi_connection_listen(struct kashi_connection *connection)
{
    for (int i = 0; i < MONITOR_EVENTS_PER_CALL && connection->monitor != NULL; i++) {
        uint8_t bytes[6] = {0};
        char address[ENDPOINT_SIZE];
        uint16_t event;
        if (zmq_recv(connection->monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT) < 0) {
            return;
        }
        zmq_recv(connection->monitor, address, sizeof(address), ZMQ_DONTWAIT);
        memcpy(&event, bytes, sizeof(event));
        kashi_connection_complain(connection, event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? ""
                                              : event == ZMQ_EVENT_CLOSED
                                                  ? "nothing listens there"
                                                  : "the gateway refused the key; "
                                                    "an operator registers it: kashi admin key");
    }
}
