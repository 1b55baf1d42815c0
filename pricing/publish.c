#include "pricing/publish.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "wire/codec.h"

#define TOPIC_SIZE   64
#define VALUE_SIZE   512 /* no encoded value is longer */
#define REQUEST_SIZE TOPIC_SIZE
#define ANSWERS_MAX  16 /* in one go */
#define INDEX_HWM    200000
#define SNAPSHOT_HWM 64
#define PEER_SIZE    256

size_t publish_memory_size(uint32_t lanes_max)
{
    return CODEC_ARRAY_HEAD_MAX + 2 * (size_t)lanes_max * VALUE_SIZE;
}

void publish_init(struct publish *publish, uint8_t *reply, size_t reply_size)
{
    memset(publish, 0, sizeof(*publish));
    publish->reply = reply;
    publish->reply_size = reply_size;
}

struct binding {
    const char *key; /* in [pricing] */
    int type;
    int high_water; /* messages that may wait for a reader */
};
static const struct binding bindings[2] = {{"index", ZMQ_PUB, INDEX_HWM},
                                           {"index_snapshot", ZMQ_ROUTER, SNAPSHOT_HWM}};

/* `socket` may be NULL: that it could not be made is said here, too. */
static int bind_socket(void *socket, const struct binding *binding, const struct config *config,
                       struct endpoint *endpoint, struct error *error)
{
    const char *key = binding->key;
    const char *wanted = config_text(config, "pricing", key, "tcp://127.0.0.1:*");
    size_t size = sizeof(endpoint->address);
    int linger = 200;
    int64_t message_max = 1024; /* what others may send us */

    if (socket == NULL ||
        zmq_setsockopt(socket, ZMQ_SNDHWM, &binding->high_water, sizeof(int)) != 0 ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &(int){SNAPSHOT_HWM}, sizeof(int)) != 0 ||
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger)) != 0 ||
        zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_max, sizeof(message_max)) != 0) {
        return error_set(error, ERROR_IO, "[pricing] %s: %s", key, zmq_strerror(errno));
    }
    if (zmq_bind(socket, wanted) != 0) {
        return error_set(error, ERROR_IO,
                         "[pricing] %s = %s: %s; give a free address such as tcp://127.0.0.1:*",
                         key, wanted, zmq_strerror(errno));
    }
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint->address, &size) != 0) {
        return error_set(error, ERROR_IO, "[pricing] %s: %s", key, zmq_strerror(errno));
    }
    (void)snprintf(endpoint->key, sizeof(endpoint->key), "%s", key);
    return 0;
}

int publish_bind(struct publish *publish, void *zmq, const struct config *config,
                 struct endpoint endpoints[2], struct error *error)
{
    publish->index = zmq_socket(zmq, bindings[0].type);
    int rc = bind_socket(publish->index, &bindings[0], config, &endpoints[0], error);
    if (rc < 0) {
        return rc;
    }
    publish->snapshot = zmq_socket(zmq, bindings[1].type);
    return bind_socket(publish->snapshot, &bindings[1], config, &endpoints[1], error);
}

void publish_free(struct publish *publish)
{
    if (publish->index != NULL) {
        (void)zmq_close(publish->index);
    }
    if (publish->snapshot != NULL) {
        (void)zmq_close(publish->snapshot);
    }
}

/* "H100.CN-GZ.G0.20261121"; returns its length, 0 when class or region have no name. */
static size_t write_topic(const struct contract_names *names, const struct index_value *value,
                          char topic[TOPIC_SIZE])
{
    char symbol[SYMBOL_SIZE];
    uint32_t hour = (uint32_t)(value->day * HOURS_PER_DAY); /* its UTC date is the delivery day's */
    size_t length = contract_format(
        names, contract_pack(value->class_id, value->region_id, value->tier, hour), symbol);
    if (length == 0) {
        return 0;
    }
    length -= strlen("T00Z");
    memcpy(topic, symbol, length);
    topic[length] = '\0';
    return length;
}

static size_t encode(const struct contract_names *names, const struct index_value *value,
                     uint8_t *bytes, size_t capacity)
{
    struct message message = {.type = MESSAGE_INDEX};
    message.index = (struct index_message){
        .seq = value->seq,
        .time_ns = value->time_ns,
        .price_e4 = value->price_e4,
        .volume_qty = value->volume_qty,
        .observations = value->observations,
        .buyers = value->buyers,
        .sellers = value->sellers,
        .left_out = value->left_out,
        .day = value->day,
        .trading_day = value->trading_day,
        .value_day = value->level == INDEX_LEVEL_STALE ? value->value_day : 0,
        .level = value->level,
        .parameter_version = value->parameter_version,
        .tier = value->tier,
        .kind = value->kind,
    };
    memcpy(message.index.class_name, names->classes[value->class_id], NAME_SIZE);
    memcpy(message.index.region, names->regions[value->region_id], NAME_SIZE);
    return codec_encode_message(&message, bytes, capacity);
}

void publish_value(struct publish *publish, const struct contract_names *names,
                   const struct index_value *value)
{
    char topic[3 + TOPIC_SIZE] = "ix.";
    uint8_t bytes[VALUE_SIZE];
    size_t topic_length = write_topic(names, value, topic + 3);
    size_t length = encode(names, value, bytes, sizeof(bytes));
    if (topic_length == 0 || length == 0) {
        return; /* a lane without names has no topic that anyone could ask for */
    }
    if (zmq_send(publish->index, topic, 3 + topic_length, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) {
        (void)zmq_send(publish->index, bytes, length, ZMQ_DONTWAIT);
    }
}

/* --- the snapshot ----------------------------------------------------------------------------- */

struct snapshot_request {
    uint8_t peer[PEER_SIZE];
    size_t peer_length;
    bool delimiter; /* a REQ socket's empty part, which its answer must have too */
    char prefix[REQUEST_SIZE];
    size_t prefix_length;
};

/* 1: a request. 0: nothing waits. -1: something else, taken and thrown away. */
static int receive(void *socket, struct snapshot_request *request)
{
    char parts[2][REQUEST_SIZE];
    int lengths[2] = {0, 0};
    int count = 0;
    int more = 0;
    size_t size = sizeof(more);
    bool sound = true;

    int length = zmq_recv(socket, request->peer, PEER_SIZE, ZMQ_DONTWAIT);
    if (length < 0) {
        return 0;
    }
    request->peer_length = (size_t)length;
    while (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more) {
        char spare[REQUEST_SIZE];
        length = zmq_recv(socket, count < 2 ? parts[count] : spare, REQUEST_SIZE, 0);
        sound = sound && length >= 0 && length < REQUEST_SIZE && count < 2;
        if (count < 2) {
            lengths[count] = length;
            count++;
        }
    }
    if (!sound || count == 0 || (count == 2 && lengths[0] != 0)) {
        return -1;
    }
    request->delimiter = count == 2;
    request->prefix_length = (size_t)lengths[count - 1];
    memcpy(request->prefix, parts[count - 1], request->prefix_length);
    return 1;
}

struct snapshot_answer {
    uint8_t *bytes;
    size_t size;
    size_t length;
    uint32_t count;
};

static void add(struct snapshot_answer *answer, const struct contract_names *names,
                const struct snapshot_request *request, const struct index_value *value)
{
    char topic[TOPIC_SIZE];
    if (value->kind == 0 || value->level == INDEX_LEVEL_NONE ||
        answer->count == PUBLISH_SNAPSHOT_MAX ||
        write_topic(names, value, topic) < request->prefix_length ||
        memcmp(topic, request->prefix, request->prefix_length) != 0) {
        return;
    }
    size_t length =
        encode(names, value, answer->bytes + answer->length, answer->size - answer->length);
    answer->length += length;
    answer->count += length > 0;
}

/* The array's head stands before what it counts, so that is written first and the head moved up to
 * it. Returns where the answer begins. */
static const uint8_t *write_answer(struct publish *publish, const struct contract_names *names,
                                   const struct latest *latest,
                                   const struct snapshot_request *request, size_t *length)
{
    struct snapshot_answer answer = {.bytes = publish->reply + CODEC_ARRAY_HEAD_MAX,
                                     .size = publish->reply_size - CODEC_ARRAY_HEAD_MAX};
    uint8_t head[CODEC_ARRAY_HEAD_MAX];
    for (uint32_t i = 0; i < latest->count; i++) {
        add(&answer, names, request, &latest->lanes[i].closed);
        add(&answer, names, request, &latest->lanes[i].indicative);
    }
    size_t head_length = codec_encode_array_head((uint16_t)answer.count, head, sizeof(head));
    uint8_t *begin = answer.bytes - head_length;
    memcpy(begin, head, head_length);
    *length = head_length + answer.length;
    return begin;
}

void publish_answer(struct publish *publish, const struct contract_names *names,
                    const struct latest *latest)
{
    struct snapshot_request request;
    int rc = 1;
    for (int i = 0; i < ANSWERS_MAX && (rc = receive(publish->snapshot, &request)) != 0; i++) {
        if (rc < 0) {
            continue;
        }
        size_t length;
        const uint8_t *bytes = write_answer(publish, names, latest, &request, &length);
        if (zmq_send(publish->snapshot, request.peer, request.peer_length,
                     ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
            continue;
        }
        if (request.delimiter) {
            (void)zmq_send(publish->snapshot, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        }
        (void)zmq_send(publish->snapshot, bytes, length, ZMQ_DONTWAIT);
    }
}
