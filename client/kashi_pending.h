/* Requests of a session that were not answered yet, in order of their numbers (cl_ord_id of what
 * changes something, ref of what reads): a ring of fixed size, searched by halving. Answers may come
 * in any order; places are freed from the oldest on. Memory is taken once, but for legs and lanes.
 * The owner's thread. */
#ifndef KASHI_CLIENT_KASHI_PENDING_H
#define KASHI_CLIENT_KASHI_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/codec.h"

struct kashi_pending_entry {
    struct request request;
    void *rows; /* its legs or lanes */
    uint64_t number;
    bool answered;
};
struct kashi_pending {
    struct kashi_pending_entry *entries;
    uint32_t capacity;
    uint32_t head;       /* place of the oldest */
    uint32_t count;      /* places in use, answered ones among them */
    uint32_t sent;       /* of them, from the oldest, sent over the present connection */
    uint32_t unanswered; /* of them */
    uint64_t highest;    /* number ever pushed */
    uint64_t highest_sent;
};

/* False: no memory. */
bool kashi_pending_init(struct kashi_pending *pending, uint32_t capacity);
void kashi_pending_free(struct kashi_pending *pending);
uint32_t kashi_pending_room(const struct kashi_pending *pending);
/* There is room, and the number is above all before it. */
void kashi_pending_push(struct kashi_pending *pending, const struct request *request,
                        uint64_t number);
/* Whether it was still waiting; from now on it is not. */
bool kashi_pending_answer(struct kashi_pending *pending, uint64_t number);
/* The next one to send over the present connection; NULL: none. */
const struct request *kashi_pending_unsent(struct kashi_pending *pending);
/* Whether it had been sent before, over an earlier connection. */
bool kashi_pending_mark_sent(struct kashi_pending *pending);
/* A new connection: what was not answered has to be sent again. */
void kashi_pending_rewind(struct kashi_pending *pending);

#endif
