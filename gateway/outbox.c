#include "gateway/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"

#define BODY_AT CODEC_ARRAY_HEAD_MAX /* the array's head goes in front when it is known */

/* The routing ids that a ROUTER gives by itself: a zero byte and a number. */
#define ADDRESS_SIZE 5

void outbox_free(struct outbox_table *table)
{
    for (uint32_t peer = 0; peer < SESSION_PEERS_MAX; peer++) {
        free(table->boxes[peer].bytes);
    }
}

void outbox_reset(struct outbox_table *table, uint32_t peer, uint32_t address)
{
    struct outbox *box = &table->boxes[peer];
    table->broken_count -= box->broken ? 1 : 0;
    box->broken = false;
    box->length = 0;
    box->count = 0;
    box->address = address;
    box->sent_ns = table->now_ns;
}

static void break_box(struct outbox_table *table, struct outbox *box)
{
    table->dropped++;
    table->broken_count += box->broken ? 0 : 1;
    box->broken = true;
    box->length = 0;
    box->count = 0;
}

static bool send_to(void *socket, uint32_t number, const void *bytes, size_t length)
{
    uint8_t address[ADDRESS_SIZE] = {0};
    memcpy(address + 1, &number, sizeof number);
    return zmq_send(socket, address, sizeof address, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
           zmq_send(socket, bytes, length, ZMQ_DONTWAIT) >= 0;
}

static void send_box(struct outbox_table *table, struct outbox *box)
{
    if (box->count == 0 || table->socket == NULL) {
        return;
    }
    uint8_t head[CODEC_ARRAY_HEAD_MAX];
    const size_t head_length =
        box->count == 1 ? 0 : codec_encode_array_head(box->count, head, sizeof head);
    uint8_t *start = box->bytes + BODY_AT - head_length;
    memcpy(start, head, head_length);
    if (!send_to(table->socket, box->address, start, head_length + box->length)) {
        break_box(table, box);
        return;
    }
    box->sent_ns = table->now_ns;
    box->length = 0;
    box->count = 0;
}

/* Makes room for `length` bytes. False: the peer is broken. */
static bool make_room(struct outbox_table *table, uint32_t peer, size_t length)
{
    struct outbox *box = &table->boxes[peer];
    CHECK(length <= CODEC_MESSAGE_MAX);
    if (box->bytes == NULL) {
        box->bytes = malloc(BODY_AT + CODEC_MESSAGE_MAX);
        CHECK(box->bytes != NULL); /* the memory limit: the gateway ends, and is started again */
    }
    if (box->length + length > CODEC_MESSAGE_MAX || box->count == OUTBOX_COUNT_MAX) {
        send_box(table, box);
    }
    if (box->broken) {
        return false;
    }
    if (!box->dirty) {
        box->dirty = true;
        table->dirty[table->dirty_count++] = peer;
    }
    return true;
}

uint8_t *outbox_claim(struct outbox_table *table, uint32_t peer)
{
    struct outbox *box = &table->boxes[peer];
    return make_room(table, peer, OUTBOX_REPORT_MAX) ? box->bytes + BODY_AT + box->length : NULL;
}

void outbox_commit(struct outbox_table *table, uint32_t peer, size_t length)
{
    struct outbox *box = &table->boxes[peer];
    CHECK(length <= OUTBOX_REPORT_MAX);
    box->length += (uint32_t)length;
    box->count = (uint16_t)(box->count + (length > 0 ? 1 : 0));
}

void outbox_put(struct outbox_table *table, uint32_t peer, const void *bytes, size_t length)
{
    struct outbox *box = &table->boxes[peer];
    if (make_room(table, peer, length)) {
        memcpy(box->bytes + BODY_AT + box->length, bytes, length);
        box->length += (uint32_t)length;
        box->count++;
    }
}

void outbox_send_stranger(struct outbox_table *table, uint32_t address, const void *bytes,
                          size_t length)
{
    table->dropped += send_to(table->socket, address, bytes, length) ? 0 : 1;
}

void outbox_flush(struct outbox_table *table)
{
    for (uint32_t i = 0; i < table->dirty_count; i++) {
        struct outbox *box = &table->boxes[table->dirty[i]];
        box->dirty = false;
        send_box(table, box);
    }
    table->dirty_count = 0;
}
