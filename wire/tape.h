/* The tape for those who follow it: settlement, pricing, the demo's checker, tests. The tape is the
 * stream of all events (wire/event.h), named by (seq, index), without gaps: command sequences run
 * 1, 2, 3 ..., indexes of a command 0, 1, 2 ..., and its last event carries EVENT_LAST. It is kept
 * by kashi-replica in segment files and served by it over ZeroMQ; both readers below hand out the
 * same batches.
 *
 * A batch is one or more whole commands' events, never a part of a command. Its memory belongs to
 * the reader and is good until the next call on that reader.
 *
 * Errors: 0 or more is success, negative is a code of base/error.h with its words in `error`. One
 * thread may use a reader at a time. */
#ifndef KASHI_WIRE_TAPE_H
#define KASHI_WIRE_TAPE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/event.h"

struct error;

struct tape_batch {
    const struct event *events;
    uint32_t count;
    uint64_t first_seq; /* of the batch; meaningless when count is 0 */
    uint64_t last_seq;  /* follow on after this one */
    uint64_t tape_seq;  /* highest complete command that the source had when it answered */
};

/* --- over ZeroMQ ---------------------------------------------------------------------------- */

struct tape_follower;

/* Follows the tape at `endpoint` (the replica's `ipc://tape.sock`) from the first command above
 * `after_seq` (0: from the beginning). Returns before anything is connected: a replica that is not
 * there yet, or goes away and comes back, only means that nothing arrives meanwhile.
 * `zmq_context` must outlive the follower. */
int tape_follow_open(struct tape_follower **follower, void *zmq_context, const char *endpoint,
                     uint64_t after_seq, struct error *error);

/* Waits at most `timeout_ms` (0: does not wait) for the next batch. 1: `batch` is filled. 0:
 * nothing came. Negative: the tape has a gap or is not a tape; the follower can only be closed. */
int tape_follow_next(struct tape_follower *follower, int timeout_ms, struct tape_batch *batch,
                     struct error *error);

/* The socket to wait on (ZMQ_POLLIN) beside others. Ask for it before each zmq_poll: it changes
 * when the follower reconnects. Call tape_follow_next(.., 0, ..) when it is readable and at least
 * once every second or so: that call is also what notices a dead server. */
void *tape_follow_socket(struct tape_follower *follower);

/* Sequence up to which batches were handed out. */
uint64_t tape_follow_seq(const struct tape_follower *follower);

void tape_follow_close(struct tape_follower *follower); /* NULL is fine */

/* --- from the segment files ----------------------------------------------------------------- */

/* A tape directory holds segments 00000001.tape, 00000002.tape ...; each is a head of one record's
 * size, then events. A command's events never span two segments. The last segment may end inside
 * a command that is being written or whose end was lost; that end is not handed out. */
#define TAPE_SEGMENT_MAGIC   UINT32_C(0x3154484b) /* "KHT1" */
#define TAPE_SEGMENT_VERSION 1

struct tape_segment_head {
    uint32_t magic;
    uint32_t version;
    uint64_t number;         /* from 1, as in the file's name */
    uint64_t first_seq;      /* of the first command of this segment */
    uint64_t first_position; /* events in the segments before this one */
    uint8_t reserved[96];
};
static_assert(sizeof(struct tape_segment_head) == EVENT_SIZE, "segment head");

/* How many of the events are whole commands that follow on `after_seq` without a gap. What comes
 * after them is the beginning of a command, unless *broken is set: then it is no tape. */
uint32_t tape_whole_commands(const struct event *events, uint32_t count, uint64_t after_seq,
                             bool *broken);

/* Writes "directory/00000001.tape"; negative when it does not fit. */
#define TAPE_PATH_SIZE 4096
int tape_segment_path(const char *directory, uint64_t number, char path[TAPE_PATH_SIZE],
                      struct error *error);

struct tape_file;

/* Opens the tape in `directory` for reading from the first command above `after_seq`. */
int tape_file_open(struct tape_file **file, const char *directory, uint64_t after_seq,
                   struct error *error);

/* 1: `batch` is filled. 0: the end; call again later to see whether more was written. Negative:
 * the files hold no sound tape. */
int tape_file_next(struct tape_file *file, struct tape_batch *batch, struct error *error);

void tape_file_close(struct tape_file *file); /* NULL is fine */

#endif
