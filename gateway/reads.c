#include "gateway/reads.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"

#define REQUEST_MAX 8192 /* the longest is a dry run of a SET with 64 legs of the longest names */

int reads_open(struct reads *reads, void *zmq_context, const char *endpoint, struct error *error)
{
    const int no_linger = 0;
    const int high_water = READS_WAITING_MAX;
    memset(reads, 0, sizeof *reads);
    reads->socket = zmq_socket(zmq_context, ZMQ_DEALER);
    if (reads->socket == NULL ||
        zmq_setsockopt(reads->socket, ZMQ_LINGER, &no_linger, sizeof no_linger) != 0 ||
        zmq_setsockopt(reads->socket, ZMQ_SNDHWM, &high_water, sizeof high_water) != 0 ||
        zmq_setsockopt(reads->socket, ZMQ_RCVHWM, &high_water, sizeof high_water) != 0 ||
        zmq_connect(reads->socket, endpoint) != 0) {
        error_set(error, ERROR_IO, "reads %s: %s", endpoint, zmq_strerror(errno));
        reads_close(reads);
        return error->code;
    }
    return 0;
}

void reads_close(struct reads *reads)
{
    if (reads->socket != NULL) {
        (void)zmq_close(reads->socket);
        reads->socket = NULL;
    }
}

static struct read_waiting *free_place(struct reads *reads)
{
    if (reads->waiting_count == READS_WAITING_MAX) {
        return NULL;
    }
    while (reads->waiting[reads->next].used) {
        reads->next = (reads->next + 1) & (READS_WAITING_MAX - 1);
    }
    return &reads->waiting[reads->next];
}

int reads_ask(struct reads *reads, const struct read_waiting *question,
              const struct read_head *head, const struct request *request, int64_t now_ns)
{
    uint8_t bytes[REQUEST_MAX];
    const size_t length = request != NULL ? codec_encode_request(request, bytes, sizeof bytes) : 0;
    struct read_waiting *place = free_place(reads);
    if (place == NULL) {
        return ERROR_FULL;
    }
    CHECK(request == NULL || length > 0);
    struct read_head sent = *head;
    sent.magic = READ_MAGIC;
    sent.version = 1;
    sent.kind = request != NULL ? READ_REQUEST : READ_TABLES;
    sent.correlation = ++reads->serial * READS_WAITING_MAX + (uint64_t)(place - reads->waiting);
    if (zmq_send(reads->socket, &sent, sizeof sent, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_send(reads->socket, bytes, length, ZMQ_DONTWAIT) < 0) {
        return ERROR_AGAIN;
    }
    *place = *question;
    place->used = true;
    place->sent_ns = now_ns;
    place->correlation = sent.correlation;
    reads->waiting_count++;
    return 0;
}

static void give_free(struct reads *reads, struct read_waiting *place, struct read_answer *answer)
{
    answer->question = *place;
    place->used = false;
    reads->waiting_count--;
}

static bool more_parts(void *socket)
{
    int more = 0;
    size_t size = sizeof more;
    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;
}

/* One whole message: 1 it has the two parts of an answer, 0 none waits, -1 something else. */
static int take_parts(void *socket, struct read_head *head, zmq_msg_t *body)
{
    const int size = zmq_recv(socket, head, sizeof *head, ZMQ_DONTWAIT);
    if (size < 0) {
        return 0;
    }
    bool good = size == (int)sizeof *head && more_parts(socket);
    if (good) {
        good = zmq_msg_recv(body, socket, ZMQ_DONTWAIT) >= 0;
    }
    while (more_parts(socket)) {
        good = false;
        (void)zmq_recv(socket, NULL, 0, ZMQ_DONTWAIT);
    }
    return good && head->magic == READ_MAGIC && head->version == 1 ? 1 : -1;
}

int reads_receive(struct reads *reads, void *message, struct read_answer *answer)
{
    int rc;
    while ((rc = take_parts(reads->socket, &answer->head, message)) != 0) {
        struct read_waiting *place =
            &reads->waiting[answer->head.correlation & (READS_WAITING_MAX - 1)];
        /* An answer that comes after it was given up finds its place free or taken by another. */
        if (rc > 0 && place->used && place->correlation == answer->head.correlation) {
            give_free(reads, place, answer);
            answer->bytes = zmq_msg_data(message);
            answer->length = zmq_msg_size(message);
            answer->in_time = true;
            return 1;
        }
    }
    return 0;
}

int reads_expire(struct reads *reads, int64_t now_ns, struct read_answer *answer)
{
    for (uint32_t i = 0; i < READS_WAITING_MAX && reads->waiting_count > 0; i++) {
        struct read_waiting *place = &reads->waiting[i];
        if (place->used && now_ns - place->sent_ns > READS_TIMEOUT_NS) {
            memset(answer, 0, sizeof *answer);
            give_free(reads, place, answer);
            return 1;
        }
    }
    return 0;
}
