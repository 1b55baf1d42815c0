#include "wire/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/error.h"
#include "wire/frame.h"

#define NS_PER_MS     INT64_C(1000000)
#define SILENCE_NS    INT64_C(3000000000) /* the server answers within a second */
#define ENDPOINT_SIZE 256
#define BATCH_FIRST   FRAME_ITEMS_MAX

uint32_t tape_whole_commands(const struct event *events, uint32_t count, uint64_t after_seq,
                             bool *broken)
{
    uint32_t whole = 0;
    uint32_t index = 0;
    *broken = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct event_head *head = &events[i].head;
        if (head->seq != after_seq + 1 || head->index != index || head->type == 0) {
            *broken = true;
            return whole;
        }
        index++;
        if (head->flags & EVENT_LAST) {
            after_seq++;
            index = 0;
            whole = i + 1;
        }
    }
    return whole;
}

static void fill_batch(struct tape_batch *batch, const struct event *events, uint32_t count,
                       uint64_t tape_seq)
{
    batch->events = events;
    batch->count = count;
    batch->first_seq = events[0].head.seq;
    batch->last_seq = events[count - 1].head.seq;
    batch->tape_seq = tape_seq;
}

static int grow(struct event **events, size_t *capacity, size_t count, struct error *error)
{
    if (count <= *capacity) {
        return 0;
    }
    struct event *larger = realloc(*events, count * sizeof(**events));
    if (!larger) {
        return error_set(error, ERROR_IO, "no memory for a command of %zu events", count);
    }
    *events = larger;
    *capacity = count;
    return 0;
}

/* --- over ZeroMQ ---------------------------------------------------------------------------- */

struct tape_follower {
    void *context;
    void *socket;
    struct event *events; /* of the batch handed out: ZeroMQ's own memory need not be aligned */
    size_t capacity;
    uint64_t seq;     /* handed out up to here */
    int64_t asked_ns; /* monotonic time of the request that is under way; 0: none is */
    char endpoint[ENDPOINT_SIZE];
};

/* A new socket each time, so that a late answer to an older request can not come in. */
static int reconnect(struct tape_follower *follower, struct error *error)
{
    if (follower->socket) {
        zmq_close(follower->socket);
    }
    follower->asked_ns = 0;
    follower->socket = zmq_socket(follower->context, ZMQ_DEALER);
    if (!follower->socket) {
        return error_system(error, zmq_errno(), "tape socket");
    }
    int linger_ms = 0;
    zmq_setsockopt(follower->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    if (zmq_connect(follower->socket, follower->endpoint) != 0) {
        return error_system(error, zmq_errno(), "tape endpoint '%s'", follower->endpoint);
    }
    return 0;
}

static void ask(struct tape_follower *follower)
{
    struct frame_head head = {
        .magic = FRAME_MAGIC, .version = 1, .kind = FRAME_TAPE_REQUEST, .after_seq = follower->seq};
    if (zmq_send(follower->socket, &head, sizeof(head), ZMQ_DONTWAIT) == (int)sizeof(head)) {
        follower->asked_ns = clock_monotonic_ns();
    }
}

int tape_follow_open(struct tape_follower **follower, void *zmq_context, const char *endpoint,
                     uint64_t after_seq, struct error *error)
{
    if (strlen(endpoint) >= ENDPOINT_SIZE) {
        return error_set(error, ERROR_INVALID, "tape endpoint '%s' is longer than %d characters",
                         endpoint, ENDPOINT_SIZE - 1);
    }
    struct tape_follower *opened = calloc(1, sizeof(*opened));
    if (!opened) {
        return error_set(error, ERROR_IO, "no memory for a tape follower");
    }
    opened->context = zmq_context;
    opened->seq = after_seq;
    (void)snprintf(opened->endpoint, sizeof(opened->endpoint), "%s", endpoint);
    int result = reconnect(opened, error);
    if (result < 0) {
        tape_follow_close(opened);
        return result;
    }
    ask(opened);
    *follower = opened;
    return 0;
}

void tape_follow_close(struct tape_follower *follower)
{
    if (!follower) {
        return;
    }
    if (follower->socket) {
        zmq_close(follower->socket);
    }
    free(follower->events);
    free(follower);
}

void *tape_follow_socket(struct tape_follower *follower)
{
    return follower->socket;
}

uint64_t tape_follow_seq(const struct tape_follower *follower)
{
    return follower->seq;
}

/* Takes an answer apart. 1: it has events; 0: it has none. */
static int take_answer(struct tape_follower *follower, zmq_msg_t *message, struct tape_batch *batch,
                       struct error *error)
{
    struct frame_head head;
    size_t size = zmq_msg_size(message);
    if (size < sizeof(head)) {
        return error_set(error, ERROR_CORRUPT, "tape answer of %zu bytes is no frame", size);
    }
    memcpy(&head, zmq_msg_data(message), sizeof(head));
    if (head.magic != FRAME_MAGIC || head.version != 1 || head.kind != FRAME_TAPE_EVENTS ||
        size != sizeof(head) + (size_t)head.count * FRAME_ITEM_SIZE) {
        return error_set(error, ERROR_CORRUPT,
                         "answer of kind %u, %u items, %zu bytes is no tape answer", head.kind,
                         head.count, size);
    }
    if (head.count == 0) {
        return 0;
    }
    int result = grow(&follower->events, &follower->capacity, head.count, error);
    if (result < 0) {
        return result;
    }
    memcpy(follower->events, (const uint8_t *)zmq_msg_data(message) + sizeof(head),
           size - sizeof(head));
    bool broken;
    uint32_t whole = tape_whole_commands(follower->events, head.count, follower->seq, &broken);
    if (whole != head.count) {
        return error_set(error, ERROR_CORRUPT,
                         "the tape has a gap: after command %" PRIu64 " event %u of %u is (%" PRIu64
                         ", %u)",
                         follower->seq, whole, head.count, follower->events[whole].head.seq,
                         follower->events[whole].head.index);
    }
    fill_batch(batch, follower->events, head.count, head.after_seq);
    follower->seq = batch->last_seq;
    return 1;
}

/* 1: a batch; 0: nothing that helps was there. */
static int receive(struct tape_follower *follower, struct tape_batch *batch, struct error *error)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, follower->socket, ZMQ_DONTWAIT) < 0) {
        int cause = zmq_errno();
        zmq_msg_close(&message);
        if (cause == EAGAIN || cause == EINTR) {
            return 0;
        }
        return error_system(error, cause, "tape '%s'", follower->endpoint);
    }
    int result = take_answer(follower, &message, batch, error);
    zmq_msg_close(&message);
    if (result >= 0) {
        /* The next request goes out before the caller works on this answer, so that the server
         * and the caller work at the same time. */
        ask(follower);
    }
    return result;
}

int tape_follow_next(struct tape_follower *follower, int timeout_ms, struct tape_batch *batch,
                     struct error *error)
{
    int64_t until_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
    for (;;) {
        int64_t now_ns = clock_monotonic_ns();
        if (follower->asked_ns != 0 && now_ns - follower->asked_ns > SILENCE_NS) {
            int result = reconnect(follower, error);
            if (result < 0) {
                return result;
            }
        }
        if (follower->asked_ns == 0) {
            ask(follower);
        }
        int result = receive(follower, batch, error);
        if (result != 0) {
            return result;
        }
        int64_t left_ms = (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
        if (left_ms <= 0) {
            return 0;
        }
        zmq_pollitem_t item = {.socket = follower->socket, .events = ZMQ_POLLIN};
        /* Not longer than a second at a time: a dead server is noticed in between. */
        if (zmq_poll(&item, 1, (long)(left_ms < 1000 ? left_ms : 1000)) < 0) {
            if (zmq_errno() == EINTR) {
                return 0; /* the caller may have been asked to end */
            }
            return error_system(error, zmq_errno(), "tape '%s'", follower->endpoint);
        }
    }
}

/* --- from the segment files ----------------------------------------------------------------- */

struct tape_file {
    char *directory;
    int descriptor;  /* -1: segment `number` is not there yet */
    uint64_t number; /* of the segment that is read */
    uint64_t next;   /* record to be read next, the segment's head not counted */
    uint64_t seq;    /* handed out up to here */
    struct event *events;
    size_t capacity;
};

int tape_segment_path(const char *directory, uint64_t number, char path[TAPE_PATH_SIZE],
                      struct error *error)
{
    int length = snprintf(path, TAPE_PATH_SIZE, "%s/%08" PRIu64 ".tape", directory, number);
    if (length < 0 || length >= TAPE_PATH_SIZE) {
        return error_set(error, ERROR_INVALID, "the path of tape folder '%s' is too long",
                         directory);
    }
    return 0;
}

/* 1: opened. 0: there is no such segment, or its head is not yet written. */
static int open_segment(const char *directory, uint64_t number, int *descriptor,
                        struct tape_segment_head *head, struct error *error)
{
    char path[TAPE_PATH_SIZE];
    int result = tape_segment_path(directory, number, path, error);
    if (result < 0) {
        return result;
    }
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0) {
        return errno == ENOENT ? 0 : error_system(error, errno, "%s", path);
    }
    ssize_t size = pread(opened, head, sizeof(*head), 0);
    if (size != (ssize_t)sizeof(*head)) {
        close(opened);
        return size >= 0 ? 0 : error_system(error, errno, "%s", path);
    }
    if (head->magic != TAPE_SEGMENT_MAGIC || head->version != TAPE_SEGMENT_VERSION ||
        head->number != number) {
        close(opened);
        return error_set(error, ERROR_CORRUPT, "%s: its head is not that of tape segment %" PRIu64,
                         path, number);
    }
    *descriptor = opened;
    return 1;
}

static int read_records(const struct tape_file *file, uint64_t first, struct event *events,
                        size_t count, uint32_t *got, struct error *error)
{
    size_t size = count * sizeof(*events);
    size_t done = 0;
    while (done < size) {
        ssize_t part = pread(file->descriptor, (uint8_t *)events + done, size - done,
                             (off_t)((first + 1) * EVENT_SIZE + done));
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part < 0) {
            return error_system(error, errno, "%s: segment %" PRIu64, file->directory,
                                file->number);
        }
        if (part == 0) {
            break;
        }
        done += (size_t)part;
    }
    *got = (uint32_t)(done / sizeof(*events));
    return 0;
}

/* Moves `next` to the first record above `after_seq`, by halving: records are sorted by seq. */
static int seek_record(struct tape_file *file, uint64_t after_seq, struct error *error)
{
    off_t size = lseek(file->descriptor, 0, SEEK_END);
    if (size < 0) {
        return error_system(error, errno, "%s: segment %" PRIu64, file->directory, file->number);
    }
    uint64_t low = 0;
    uint64_t high = (uint64_t)size / EVENT_SIZE - 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct event event;
        uint32_t got = 0;
        int result = read_records(file, middle, &event, 1, &got, error);
        if (result < 0) {
            return result;
        }
        if (got == 1 && event.head.seq <= after_seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    file->next = low;
    return 0;
}

/* Goes forward to the last segment that begins at or below the sequence wanted. */
static int find_segment(struct tape_file *file, uint64_t after_seq, struct error *error)
{
    for (;;) {
        struct tape_segment_head head;
        int descriptor;
        int result = open_segment(file->directory, file->number, &descriptor, &head, error);
        if (result < 0) {
            return result;
        }
        if (result == 0 || (file->descriptor >= 0 && head.first_seq > after_seq + 1)) {
            if (result == 1) {
                close(descriptor);
            }
            if (file->descriptor >= 0) {
                file->number--;
            }
            return 0;
        }
        if (file->descriptor >= 0) {
            close(file->descriptor);
        }
        file->descriptor = descriptor;
        file->number++;
    }
}

int tape_file_open(struct tape_file **file, const char *directory, uint64_t after_seq,
                   struct error *error)
{
    struct tape_file *opened = calloc(1, sizeof(*opened));
    if (!opened) {
        return error_set(error, ERROR_IO, "no memory for a tape reader");
    }
    opened->descriptor = -1;
    opened->number = 1;
    opened->seq = after_seq;
    opened->directory = strdup(directory);
    int result = opened->directory ? grow(&opened->events, &opened->capacity, BATCH_FIRST, error)
                                   : error_set(error, ERROR_IO, "no memory for a tape reader");
    if (result == 0) {
        result = find_segment(opened, after_seq, error);
    }
    if (result == 0 && opened->descriptor >= 0) {
        result = seek_record(opened, after_seq, error);
    }
    if (result < 0) {
        tape_file_close(opened);
        return result;
    }
    *file = opened;
    return 0;
}

void tape_file_close(struct tape_file *file)
{
    if (!file) {
        return;
    }
    if (file->descriptor >= 0) {
        close(file->descriptor);
    }
    free(file->directory);
    free(file->events);
    free(file);
}

/* Reads whole commands at `next`. 1: a batch; 0: the segment holds no further whole command. */
static int read_batch(struct tape_file *file, struct tape_batch *batch, struct error *error)
{
    for (;;) {
        uint32_t got = 0;
        int result = read_records(file, file->next, file->events, file->capacity, &got, error);
        if (result < 0) {
            return result;
        }
        bool broken;
        uint32_t whole = tape_whole_commands(file->events, got, file->seq, &broken);
        if (whole > 0) {
            fill_batch(batch, file->events, whole, file->events[whole - 1].head.seq);
            file->next += whole;
            file->seq = batch->last_seq;
            return 1;
        }
        if (broken) {
            return error_set(error, ERROR_CORRUPT,
                             "%s: segment %" PRIu64 " has no whole command %" PRIu64
                             " at record %" PRIu64,
                             file->directory, file->number, file->seq + 1, file->next);
        }
        if (got < file->capacity) {
            return 0;
        }
        result = grow(&file->events, &file->capacity, file->capacity * 2, error);
        if (result < 0) {
            return result;
        }
    }
}

int tape_file_next(struct tape_file *file, struct tape_batch *batch, struct error *error)
{
    if (file->descriptor < 0) {
        struct tape_segment_head head;
        int result = open_segment(file->directory, file->number, &file->descriptor, &head, error);
        if (result <= 0) {
            return result;
        }
        result = seek_record(file, file->seq, error);
        if (result < 0) {
            return result;
        }
    }
    int result = read_batch(file, batch, error);
    if (result != 0) {
        return result;
    }
    struct tape_segment_head head;
    int descriptor;
    result = open_segment(file->directory, file->number + 1, &descriptor, &head, error);
    if (result <= 0) {
        return result;
    }
    if (head.first_seq != file->seq + 1) {
        /* The writer may have added to this segment and begun the next one since it was read. */
        close(descriptor);
        result = read_batch(file, batch, error);
        if (result == 0) {
            result = error_set(error, ERROR_CORRUPT,
                               "%s: segment %" PRIu64 " begins with command %" PRIu64
                               ", segment %" PRIu64 " ends with %" PRIu64,
                               file->directory, file->number + 1, head.first_seq, file->number,
                               file->seq);
        }
        return result;
    }
    close(file->descriptor);
    file->descriptor = descriptor;
    file->number++;
    file->next = 0;
    return read_batch(file, batch, error);
}
