#include "exchange/reads_server.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "exchange/reads.h"
#include "exchange/reads_orders.h"
#include "wire/read.h"

#define READS_A_TURN     64
#define SNAPSHOTS_A_TURN 32
#define ROUTING_ID_MAX   255
#define GATEWAY_HWM      10000
#define SNAPSHOT_HWM     64
#define PARTS_MAX        3

struct question {
    int64_t until_ns;
    struct read_head head;
    struct request request; /* READ_REQUEST */
    void *rows;             /* its legs or lanes; of one that waits: its own */
    uint8_t routing_size;
    uint8_t routing[ROUTING_ID_MAX];
};

/* One received message: the routing id and what came behind it. */
struct received {
    uint8_t routing[ROUTING_ID_MAX];
    uint8_t routing_size;
    uint32_t part_count; /* behind the routing id, as many as came */
    size_t sizes[PARTS_MAX];
    uint8_t parts[PARTS_MAX][READS_REQUEST_MAX];
};

struct reads_server {
    const struct replica *replica;
    void *reads;
    void *snapshot;
    uint32_t waiting_count;
    struct question *waiting; /* in order of arrival, so of until_ns */
    struct received received;
    struct request request;
    struct codec_batch batch; /* into request and */
    uint64_t request_rows[CODEC_REQUEST_ROWS_BYTES / sizeof(uint64_t)];
    struct message message;
    struct codec_rows rows; /* of message */
    uint64_t message_rows[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
    uint8_t bytes[CODEC_MESSAGE_MAX];
};

/* --- sockets -------------------------------------------------------------------------------- */

static int bind_router(void *zmq_context, void **socket, char endpoint[ENDPOINT_SIZE], int hwm,
                       struct error *error)
{
    *socket = zmq_socket(zmq_context, ZMQ_ROUTER);
    if (!*socket) {
        return error_system(error, zmq_errno(), "socket for '%s'", endpoint);
    }
    int zero = 0;
    int one = 1;
    int64_t size = READS_REQUEST_MAX;
    zmq_setsockopt(*socket, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(*socket, ZMQ_ROUTER_MANDATORY, &one, sizeof(one));
    zmq_setsockopt(*socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(*socket, ZMQ_RCVHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(*socket, ZMQ_MAXMSGSIZE, &size, sizeof(size));
    if (zmq_bind(*socket, endpoint) != 0) {
        return error_system(error, zmq_errno(), "endpoint '%s'", endpoint);
    }
    size_t length = ENDPOINT_SIZE;
    if (zmq_getsockopt(*socket, ZMQ_LAST_ENDPOINT, endpoint, &length) != 0) {
        return error_system(error, zmq_errno(), "endpoint '%s'", endpoint);
    }
    return 0;
}

int reads_server_open(struct reads_server **server, void *zmq_context,
                      const struct replica *replica, char reads[ENDPOINT_SIZE],
                      char snapshot[ENDPOINT_SIZE], struct error *error)
{
    struct reads_server *opened = calloc(1, sizeof(*opened));
    CHECK(opened);
    opened->replica = replica;
    opened->batch = (struct codec_batch){
        .requests = &opened->request,
        .capacity = 1,
        .rows = {.memory = opened->request_rows, .size = sizeof(opened->request_rows)}};
    opened->rows =
        (struct codec_rows){.memory = opened->message_rows, .size = sizeof(opened->message_rows)};
    opened->waiting = calloc(READS_WAITING_MAX, sizeof(opened->waiting[0]));
    CHECK(opened->waiting);
    int result = bind_router(zmq_context, &opened->reads, reads, GATEWAY_HWM, error);
    if (result == 0) {
        result = bind_router(zmq_context, &opened->snapshot, snapshot, SNAPSHOT_HWM, error);
    }
    if (result < 0) {
        reads_server_close(opened);
        return result;
    }
    *server = opened;
    return 0;
}

void reads_server_close(struct reads_server *server)
{
    if (!server) {
        return;
    }
    if (server->reads) {
        zmq_close(server->reads);
    }
    if (server->snapshot) {
        zmq_close(server->snapshot);
    }
    for (uint32_t i = 0; server->waiting && i < server->waiting_count; i++) {
        free(server->waiting[i].rows);
    }
    free(server->waiting);
    free(server);
}

void *reads_server_socket(const struct reads_server *server)
{
    return server->reads;
}

void *reads_server_snapshot_socket(const struct reads_server *server)
{
    return server->snapshot;
}

/* False: nothing waits. Parts that are too many or too long are read and forgotten; a part that was
 * cut keeps its true size, so that nobody takes it for whole. */
static bool receive(void *socket, struct received *received)
{
    int size = zmq_recv(socket, received->routing, sizeof(received->routing), ZMQ_DONTWAIT);
    if (size < 0) {
        return false;
    }
    received->routing_size = (uint8_t)size;
    received->part_count = 0;
    int more = 0;
    size_t more_size = sizeof(more);
    zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size);
    while (more) {
        uint32_t part = received->part_count < PARTS_MAX - 1 ? received->part_count : PARTS_MAX - 1;
        size = zmq_recv(socket, received->parts[part], READS_REQUEST_MAX, ZMQ_DONTWAIT);
        if (size < 0) {
            break;
        }
        received->sizes[part] = (size_t)size;
        received->part_count++;
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size);
    }
    return true;
}

/* An answer that its asker does not take is dropped: it will ask again. */
static void send(void *socket, const uint8_t *routing, size_t routing_size,
                 const struct read_head *head, zmq_msg_t *body)
{
    bool sent = zmq_send(socket, routing, routing_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0;
    if (sent && head) {
        sent = zmq_send(socket, head, sizeof(*head), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0;
    }
    if (!sent || zmq_msg_send(body, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(body);
    }
}

static void encode(struct reads_server *server, zmq_msg_t *body)
{
    size_t length = codec_encode_message(&server->message, server->bytes, sizeof(server->bytes));
    CHECK(length > 0);
    CHECK(zmq_msg_init_size(body, length) == 0);
    memcpy(zmq_msg_data(body), server->bytes, length);
}

/* --- reads of gateways ---------------------------------------------------------------------- */

static int answer_tables(struct reads_server *server, zmq_msg_t *body, struct error *error)
{
    const struct registry_positions *all = &server->replica->registry.all;
    CHECK(zmq_msg_init_size(body, all->count * sizeof(struct event)) == 0);
    uint8_t *bytes = zmq_msg_data(body);
    for (size_t i = 0; i < all->count; i++) {
        struct event event;
        int result = reads_orders_event(server->replica, all->items[i], &event, error);
        if (result < 0) {
            zmq_msg_close(body);
            return result;
        }
        memcpy(bytes + i * sizeof(event), &event, sizeof(event));
    }
    return 0;
}

static int answer(struct reads_server *server, const struct question *question, bool lagging,
                  struct error *error)
{
    zmq_msg_t body;
    struct read_head head = question->head;
    head.seq = replica_seq(server->replica);
    int result;
    if (head.kind == READ_TABLES) {
        head.kind = READ_TABLES_ANSWER;
        result = answer_tables(server, &body, error);
    } else {
        head.kind = READ_ANSWER;
        struct reads_asker asker = {
            .rows = &server->rows, .key = head.key, .account = head.account, .roles = head.roles};
        server->rows.used = 0;
        result = 0;
        if (lagging) {
            reads_reject(&question->request, REASON_LAGGING, &server->message);
        } else {
            result =
                reads_answer(server->replica, &asker, &question->request, &server->message, error);
        }
        if (result == 0) {
            encode(server, &body);
        }
    }
    if (result == 0) {
        send(server->reads, question->routing, question->routing_size, &head, &body);
    }
    return result;
}

/* Decodes the one request that the bytes are to the server's; what they are not stands in its
 * reason. */
static void decode(struct reads_server *server, const uint8_t *bytes, size_t size)
{
    uint16_t reason = codec_decode_requests(bytes, size, &server->batch);
    if (reason != 0 || server->batch.count != 1) {
        memset(&server->request, 0, sizeof(server->request));
        server->request.reason = reason != 0 ? reason : REASON_NOT_A_MAP;
    }
}

/* Makes a question of what was received; false when it is none. Its rows are the server's. */
static bool understand(struct reads_server *server, struct question *question)
{
    const struct received *received = &server->received;
    if (received->part_count < 1 || received->part_count > 2 ||
        received->sizes[0] != sizeof(question->head)) {
        return false;
    }
    memcpy(&question->head, received->parts[0], sizeof(question->head));
    memcpy(question->routing, received->routing, received->routing_size);
    question->routing_size = received->routing_size;
    if (question->head.magic != READ_MAGIC || question->head.version != 1) {
        return false;
    }
    if (question->head.kind == READ_TABLES) {
        return true;
    }
    if (question->head.kind != READ_REQUEST || received->part_count != 2 ||
        received->sizes[1] > READS_REQUEST_MAX) {
        return false;
    }
    decode(server, received->parts[1], received->sizes[1]);
    question->request = server->request;
    return true;
}

static int take_question(struct reads_server *server, const struct question *question,
                         struct error *error)
{
    if (question->head.min_seq <= replica_seq(server->replica)) {
        return answer(server, question, false, error);
    }
    if (server->waiting_count == READS_WAITING_MAX) {
        return answer(server, question, true, error);
    }
    struct question *waiting = &server->waiting[server->waiting_count++];
    *waiting = *question;
    size_t size = waiting->request.reason == 0 ? codec_request_rows_size(&waiting->request) : 0;
    if (size > 0) {
        waiting->rows = malloc(size);
        CHECK(waiting->rows);
        codec_request_rows_move(&waiting->request, waiting->rows);
    }
    return 0;
}

/* Those whose state has come, and those that have waited enough; the others keep their order. */
static int answer_waiting(struct reads_server *server, int64_t now_ns, struct error *error)
{
    uint32_t kept = 0;
    int result = 0;
    for (uint32_t i = 0; i < server->waiting_count; i++) {
        struct question *question = &server->waiting[i];
        bool there = question->head.min_seq <= replica_seq(server->replica);
        if (result == 0 && (there || now_ns >= question->until_ns)) {
            result = answer(server, question, !there, error);
            free(question->rows);
            continue;
        }
        if (kept != i) {
            server->waiting[kept] = *question;
        }
        kept++;
    }
    server->waiting_count = kept;
    return result;
}

/* --- the snapshot service ------------------------------------------------------------------- */

static int answer_snapshot(struct reads_server *server, struct error *error)
{
    struct received *received = &server->received;
    if (received->part_count != 1 || received->sizes[0] > READS_REQUEST_MAX) {
        return 0;
    }
    const struct request *request = &server->request;
    decode(server, received->parts[0], received->sizes[0]);
    int result = 0;
    if (request->reason == 0 && request->type != REQUEST_BOOK) {
        reads_reject(request, REASON_UNKNOWN_TYPE, &server->message);
    } else {
        struct reads_asker anybody = {0};
        result = reads_answer(server->replica, &anybody, request, &server->message, error);
    }
    if (result == 0) {
        zmq_msg_t body;
        encode(server, &body);
        send(server->snapshot, received->routing, received->routing_size, NULL, &body);
    }
    return result;
}

int reads_server_turn(struct reads_server *server, int64_t now_ns, bool *more, int64_t *waiting_ns,
                      struct error *error)
{
    int result = answer_waiting(server, now_ns, error);
    uint32_t reads = 0;
    while (result == 0 && reads < READS_A_TURN && receive(server->reads, &server->received)) {
        reads++;
        struct question question = {.until_ns = now_ns + READS_WAIT_NS};
        if (understand(server, &question)) {
            result = take_question(server, &question, error);
        }
    }
    uint32_t snapshots = 0;
    while (result == 0 && snapshots < SNAPSHOTS_A_TURN &&
           receive(server->snapshot, &server->received)) {
        snapshots++;
        result = answer_snapshot(server, error);
    }
    *more = reads == READS_A_TURN || snapshots == SNAPSHOTS_A_TURN;
    *waiting_ns = server->waiting_count > 0 ? server->waiting[0].until_ns : INT64_MAX;
    return result;
}
