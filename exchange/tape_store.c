#include "exchange/tape_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "exchange/replica_map.h"
#include "wire/tape.h"

#define SEGMENT_EVENTS_DEFAULT (1u << 19) /* 64 MiB */
#define BUFFER_EVENTS          4096u

struct segment {
    uint64_t first_seq;
    uint64_t first_position;
    int descriptor;
};

/* Invariants: 1. the last segment's file ends at `written`. 2. count = written + buffered, and
 * everything up to `seq` is whole. 3. `appended` <= count while replayed commands are compared, and
 * equal to it afterwards. */
struct tape_store {
    char *directory;
    uint32_t segment_events;
    struct segment *segments;
    size_t segment_count;
    size_t segment_capacity;
    uint64_t seq;      /* last whole command */
    uint64_t count;    /* events, those in the buffer included */
    uint64_t written;  /* events given to the system */
    uint64_t appended; /* events that append() has seen since opening */
    uint64_t compared; /* first position that is not in `compare` */
    uint64_t cut;
    struct event *buffer;  /* positions written .. count */
    struct event *compare; /* what the tape holds before `compared` */
    uint32_t compare_count;
};

/* --- files ---------------------------------------------------------------------------------- */

static int write_at(int descriptor, const void *bytes, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t part =
            pwrite(descriptor, (const uint8_t *)bytes + done, size - done, (off_t)(offset + done));
        if (part < 0 && errno != EINTR) {
            return -errno;
        }
        done += part > 0 ? (size_t)part : 0;
    }
    return 0;
}

static int read_at(int descriptor, void *bytes, size_t size, uint64_t offset, size_t *got)
{
    size_t done = 0;
    while (done < size) {
        ssize_t part =
            pread(descriptor, (uint8_t *)bytes + done, size - done, (off_t)(offset + done));
        if (part < 0 && errno != EINTR) {
            return -errno;
        }
        if (part == 0) {
            break;
        }
        done += part > 0 ? (size_t)part : 0;
    }
    *got = done;
    return 0;
}

static uint64_t record_offset(const struct segment *segment, uint64_t position)
{
    return (position - segment->first_position + 1) * EVENT_SIZE;
}

static int failed(const struct tape_store *store, int cause, const char *doing, struct error *error)
{
    return error_system(error, cause, "%s/ segment %zu: %s", store->directory, store->segment_count,
                        doing);
}

static void add_segment(struct tape_store *store, const struct segment *segment)
{
    store->segments = replica_grow(store->segments, store->segment_count, &store->segment_capacity,
                                   sizeof(store->segments[0]));
    store->segments[store->segment_count++] = *segment;
}

/* The segment's file appears with its head or not at all: readers and a later opening find both. */
static int create_segment(struct tape_store *store, struct error *error)
{
    struct tape_segment_head head = {.magic = TAPE_SEGMENT_MAGIC,
                                     .version = TAPE_SEGMENT_VERSION,
                                     .number = store->segment_count + 1,
                                     .first_seq = store->seq + 1,
                                     .first_position = store->count};
    char path[TAPE_PATH_SIZE];
    char fresh[TAPE_PATH_SIZE + 4];
    int result = tape_segment_path(store->directory, head.number, path, error);
    if (result < 0) {
        return result;
    }
    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    int descriptor = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0) {
        return error_system(error, errno, "%s", fresh);
    }
    result = write_at(descriptor, &head, sizeof(head), 0);
    if (result == 0 && (fdatasync(descriptor) != 0 || rename(fresh, path) != 0)) {
        result = -errno;
    }
    if (result < 0) {
        close(descriptor);
        return error_system(error, -result, "%s", fresh);
    }
    struct segment segment = {.first_seq = head.first_seq,
                              .first_position = head.first_position,
                              .descriptor = descriptor};
    add_segment(store, &segment);
    return 0;
}

/* --- opening -------------------------------------------------------------------------------- */

/* 1: opened. 0: there is no such segment. */
static int open_segment(struct tape_store *store, uint64_t number, struct error *error)
{
    char path[TAPE_PATH_SIZE];
    int result = tape_segment_path(store->directory, number, path, error);
    if (result < 0) {
        return result;
    }
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) {
        return errno == ENOENT ? 0 : error_system(error, errno, "%s", path);
    }
    struct tape_segment_head head;
    size_t got = 0;
    result = read_at(descriptor, &head, sizeof(head), 0, &got);
    if (result < 0 || got != sizeof(head) || head.magic != TAPE_SEGMENT_MAGIC ||
        head.version != TAPE_SEGMENT_VERSION || head.number != number) {
        close(descriptor);
        return error_set(error, ERROR_CORRUPT,
                         "%s: its head is not that of tape segment %" PRIu64
                         "; move the tape folder away and it is made again from the journal",
                         path, number);
    }
    struct segment segment = {.first_seq = head.first_seq,
                              .first_position = head.first_position,
                              .descriptor = descriptor};
    add_segment(store, &segment);
    return 1;
}

/* A file's end inside a record does not count. */
static int segment_records(const struct tape_store *store, size_t index, uint64_t *records,
                           struct error *error)
{
    struct stat status;
    if (fstat(store->segments[index].descriptor, &status) != 0) {
        return failed(store, errno, "size", error);
    }
    *records = (uint64_t)status.st_size / EVENT_SIZE - 1;
    return 0;
}

static int misplaced(const struct tape_store *store, size_t index, struct error *error)
{
    return error_set(error, ERROR_CORRUPT,
                     "%s: segment %zu begins with command %" PRIu64 " at event %" PRIu64
                     ", which is not where the one before ends; move the tape folder away and it "
                     "is made again from the journal",
                     store->directory, index + 1, store->segments[index].first_seq,
                     store->segments[index].first_position);
}

/* Each segment begins where the one before ends. */
static int check_segments(const struct tape_store *store, struct error *error)
{
    struct event last = {.head = {.flags = EVENT_LAST}};
    uint64_t position = 0;
    for (size_t i = 0; i < store->segment_count; i++) {
        const struct segment *segment = &store->segments[i];
        if (segment->first_position != position || segment->first_seq != last.head.seq + 1 ||
            !(last.head.flags & EVENT_LAST)) {
            return misplaced(store, i, error);
        }
        uint64_t records = 0;
        size_t got = 0;
        int result = segment_records(store, i, &records, error);
        if (result == 0 && records > 0 &&
            read_at(segment->descriptor, &last, sizeof(last), records * EVENT_SIZE, &got) < 0) {
            result = failed(store, errno, "read", error);
        }
        if (result < 0) {
            return result;
        }
        position += records;
    }
    return 0;
}

/* Reads the last segment through and cuts it after its last whole command. */
static int cut_end(struct tape_store *store, struct error *error)
{
    const struct segment *last = &store->segments[store->segment_count - 1];
    uint64_t records = 0;
    int result = segment_records(store, store->segment_count - 1, &records, error);
    if (result < 0) {
        return result;
    }
    store->seq = last->first_seq - 1;
    uint64_t whole = 0; /* events of whole commands */
    uint64_t expected_seq = last->first_seq;
    uint32_t expected_index = 0;
    bool sound = true;
    for (uint64_t at = 0; sound && at < records;) {
        size_t got = 0;
        result = read_at(last->descriptor, store->buffer, BUFFER_EVENTS * EVENT_SIZE,
                         (at + 1) * EVENT_SIZE, &got);
        if (result < 0) {
            return failed(store, -result, "read", error);
        }
        size_t count = got / EVENT_SIZE;
        sound = count > 0;
        for (size_t i = 0; sound && i < count; i++, at++) {
            const struct event_head *head = &store->buffer[i].head;
            if (head->seq != expected_seq || head->index != expected_index || head->type == 0) {
                sound = false;
                break;
            }
            expected_index++;
            if (head->flags & EVENT_LAST) {
                store->seq = expected_seq++;
                expected_index = 0;
                whole = at + 1;
            }
        }
    }
    if (ftruncate(last->descriptor, (off_t)((whole + 1) * EVENT_SIZE)) != 0) {
        return failed(store, errno, "cut", error);
    }
    store->cut = records - whole;
    store->written = last->first_position + whole;
    store->count = store->written;
    return 0;
}

int tape_store_open(struct tape_store **store, const char *directory, uint32_t segment_events,
                    struct error *error)
{
    if (mkdir(directory, 0750) != 0 && errno != EEXIST) {
        return error_system(error, errno, "tape folder '%s'", directory);
    }
    struct tape_store *opened = calloc(1, sizeof(*opened));
    CHECK(opened);
    opened->directory = strdup(directory);
    opened->segment_events = segment_events ? segment_events : SEGMENT_EVENTS_DEFAULT;
    opened->buffer = malloc(BUFFER_EVENTS * sizeof(opened->buffer[0]));
    opened->compare = malloc(BUFFER_EVENTS * sizeof(opened->compare[0]));
    CHECK(opened->directory && opened->buffer && opened->compare);
    int result;
    do {
        result = open_segment(opened, opened->segment_count + 1, error);
    } while (result == 1);
    if (result == 0) {
        result = opened->segment_count == 0 ? create_segment(opened, error)
                                            : check_segments(opened, error);
    }
    if (result == 0) {
        result = cut_end(opened, error);
    }
    if (result < 0) {
        tape_store_close(opened);
        return result;
    }
    *store = opened;
    return 0;
}

void tape_store_close(struct tape_store *store)
{
    if (!store) {
        return;
    }
    for (size_t i = 0; i < store->segment_count; i++) {
        close(store->segments[i].descriptor);
    }
    free(store->segments);
    free(store->directory);
    free(store->buffer);
    free(store->compare);
    free(store);
}

uint64_t tape_store_seq(const struct tape_store *store)
{
    return store->seq;
}

uint64_t tape_store_count(const struct tape_store *store)
{
    return store->count;
}

uint64_t tape_store_cut(const struct tape_store *store)
{
    return store->cut;
}

/* --- adding --------------------------------------------------------------------------------- */

int tape_store_flush(struct tape_store *store, struct error *error)
{
    uint64_t count = store->count - store->written;
    if (count == 0) {
        return 0;
    }
    const struct segment *last = &store->segments[store->segment_count - 1];
    int result = write_at(last->descriptor, store->buffer, count * EVENT_SIZE,
                          record_offset(last, store->written));
    if (result < 0) {
        return failed(store, -result, "write", error);
    }
    store->written = store->count;
    return 0;
}

static int begin_segment(struct tape_store *store, struct error *error)
{
    int result = tape_store_flush(store, error);
    if (result < 0) {
        return result;
    }
    if (fdatasync(store->segments[store->segment_count - 1].descriptor) != 0) {
        return failed(store, errno, "sync", error);
    }
    return create_segment(store, error);
}

static int add_event(struct tape_store *store, const struct event *event, struct error *error)
{
    const struct segment *last = &store->segments[store->segment_count - 1];
    if (event->head.index == 0 && store->count - last->first_position >= store->segment_events) {
        int result = begin_segment(store, error);
        if (result < 0) {
            return result;
        }
    }
    if (store->count - store->written == BUFFER_EVENTS) {
        int result = tape_store_flush(store, error);
        if (result < 0) {
            return result;
        }
    }
    store->buffer[store->count - store->written] = *event;
    store->count++;
    if (event->head.flags & EVENT_LAST) {
        store->seq = event->head.seq;
    }
    return 0;
}

static int compare_event(struct tape_store *store, const struct event *event, struct error *error)
{
    if (store->appended == store->compared) {
        int result = tape_store_read(store, store->appended, BUFFER_EVENTS, store->compare,
                                     &store->compare_count, error);
        if (result < 0) {
            return result;
        }
        CHECK(store->compare_count > 0);
        store->compared += store->compare_count;
    }
    const struct event *held =
        &store->compare[store->compare_count - (store->compared - store->appended)];
    if (memcmp(held, event, sizeof(*event)) != 0) {
        return error_set(error, ERROR_MISMATCH,
                         "%s: event %" PRIu64 " is (%" PRIu64 ", %u) type %u, replay of the "
                         "journal gives (%" PRIu64 ", %u) type %u; journal, tape and program do "
                         "not belong together (a tape that is deleted is made again: "
                         "docs/operations.md)",
                         store->directory, store->appended, held->head.seq, held->head.index,
                         held->head.type, event->head.seq, event->head.index, event->head.type);
    }
    return 0;
}

int tape_store_append(struct tape_store *store, const struct event *events, uint32_t count,
                      uint64_t *position, struct error *error)
{
    *position = store->appended;
    for (uint32_t i = 0; i < count; i++) {
        int result = store->appended < store->count ? compare_event(store, &events[i], error)
                                                    : add_event(store, &events[i], error);
        if (result < 0) {
            return result;
        }
        store->appended++;
    }
    return 0;
}

/* --- reading -------------------------------------------------------------------------------- */

/* The last segment that begins at or before the position. */
static const struct segment *segment_of(const struct tape_store *store, uint64_t position)
{
    size_t low = 0;
    size_t high = store->segment_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (store->segments[middle].first_position <= position) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &store->segments[low];
}

int tape_store_read(const struct tape_store *store, uint64_t position, uint32_t count,
                    struct event *events, uint32_t *got, struct error *error)
{
    *got = 0;
    if (position >= store->written) {
        return 0;
    }
    const struct segment *segment = segment_of(store, position);
    uint64_t end = segment + 1 < store->segments + store->segment_count ? segment[1].first_position
                                                                        : store->written;
    uint64_t wanted = end - position < count ? end - position : count;
    size_t size = 0;
    int result = read_at(segment->descriptor, events, wanted * EVENT_SIZE,
                         record_offset(segment, position), &size);
    if (result < 0) {
        return failed(store, -result, "read", error);
    }
    if (size != wanted * EVENT_SIZE) {
        return error_set(error, ERROR_CORRUPT, "%s: event %" PRIu64 " is no longer there",
                         store->directory, position + size / EVENT_SIZE);
    }
    *got = (uint32_t)wanted;
    return 0;
}

int tape_store_find(const struct tape_store *store, uint64_t after_seq, uint64_t *position,
                    struct error *error)
{
    size_t low_segment = 0;
    size_t high_segment = store->segment_count;
    while (high_segment - low_segment > 1) {
        size_t middle = low_segment + (high_segment - low_segment) / 2;
        if (store->segments[middle].first_seq <= after_seq + 1) {
            low_segment = middle;
        } else {
            high_segment = middle;
        }
    }
    uint64_t low = store->segments[low_segment].first_position;
    uint64_t high = high_segment < store->segment_count
                        ? store->segments[high_segment].first_position
                        : store->written;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct event event = {0};
        uint32_t got = 0;
        int result = tape_store_read(store, middle, 1, &event, &got, error);
        if (result < 0) {
            return result;
        }
        if (event.head.seq <= after_seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *position = low;
    return 0;
}
