/* Questions to the read side: a request goes to the replica as a read_head and the request's bytes,
 * its answer comes back with the same correlation and is passed on. What waits is bounded in number
 * and in time. One thread. */
#ifndef KASHI_GATEWAY_READS_H
#define KASHI_GATEWAY_READS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/codec.h"
#include "wire/read.h"

#define READS_WAITING_MAX 4096 /* power of two */
#define READS_TIMEOUT_NS  INT64_C(5000000000)

enum read_purpose {
    READ_FOR_CLIENT = 1,    /* the answer is passed on */
    READ_FOR_DUPLICATE = 2, /* the answer goes behind the refusal of a used-up cl_ord_id */
    READ_FOR_REPLAY = 3,    /* reports that were missed: page after page */
    READ_FOR_TABLES = 4,    /* the gateway's own, at the start */
};

struct read_waiting {
    bool used;
    uint8_t purpose; /* enum read_purpose */
    uint8_t request; /* enum request_type */
    uint32_t index;  /* of the request in its message */
    uint32_t peer;
    uint32_t address; /* the peer may be gone and its place taken */
    uint32_t key;
    uint64_t ref;
    int64_t sent_ns;
    uint64_t correlation;
    struct report report; /* READ_FOR_DUPLICATE: the refusal */
};

struct reads {
    void *socket; /* DEALER */
    uint32_t waiting_count;
    uint32_t next; /* where to look for a free place */
    uint64_t serial;
    struct read_waiting waiting[READS_WAITING_MAX];
};

struct read_answer {
    struct read_waiting question; /* a copy; its place is free again */
    struct read_head head;
    const uint8_t *bytes; /* the reads', until the next receive */
    size_t length;
    bool in_time; /* false: it was given up; there are no bytes */
};

int reads_open(struct reads *reads, void *zmq_context, const char *endpoint, struct error *error);
void reads_close(struct reads *reads);
/* Sends `request` (NULL: READ_TABLES) for the waiting question, of which the caller fills in all
 * but used, sent_ns and correlation. ERROR_FULL: too many wait; ERROR_AGAIN: the replica takes no
 * more just now. */
int reads_ask(struct reads *reads, const struct read_waiting *question,
              const struct read_head *head, const struct request *request, int64_t now_ns);
/* 1: *answer is filled. 0: none waits. `message`: an initialised zmq_msg_t that holds the bytes. */
int reads_receive(struct reads *reads, void *message, struct read_answer *answer);
/* 1: *answer is a question that has waited too long, and was given up. 0: none. */
int reads_expire(struct reads *reads, int64_t now_ns, struct read_answer *answer);

#endif
