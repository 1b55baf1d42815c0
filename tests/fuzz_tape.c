/* Whatever bytes a tape segment holds, opening and reading it ends in good order: whole commands
 * without a gap are handed out, or it is refused with a sentence. What the store keeps after cutting
 * is what a reader then sees. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "exchange/tape_store.h"
#include "wire/tape.h"

#define RECORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/kashi-fuzz-tape-XXXXXX";
static char path[TAPE_PATH_SIZE];

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void make_folder(void)
{
    struct error error;
    CHECK(mkdtemp(folder) != NULL);
    CHECK(tape_segment_path(folder, 1, path, &error) == 0);
    CHECK(atexit(remove_folder) == 0);
}

/* Four bytes of the input make an event's head: sequence step, index step, type, flags; so that
 * inputs near a sound tape are found. */
static void write_segment(const uint8_t *data, size_t size)
{
    struct tape_segment_head head = {
        .magic = TAPE_SEGMENT_MAGIC, .version = TAPE_SEGMENT_VERSION, .number = 1, .first_seq = 1};
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
    if (size > 0 && data[0] & 1) {
        memcpy(&head.first_seq, data, size < 16 ? size : 16);
    }
    CHECK(write(file, &head, sizeof(head)) == (ssize_t)sizeof(head));
    struct event_head last = {.seq = 1};
    for (size_t at = 1; at + 4 <= size && at < 4 * RECORDS_MAX; at += 4) {
        struct event event = {.head = {.seq = last.seq + (data[at] & 3),
                                       .index = last.index + (data[at + 1] & 3),
                                       .type = data[at + 2],
                                       .flags = data[at + 3]}};
        event.head.index = data[at + 1] & 4 ? 0 : event.head.index;
        last = event.head;
        CHECK(write(file, &event, sizeof(event)) == (ssize_t)sizeof(event));
    }
    CHECK(write(file, data, size % EVENT_SIZE) == (ssize_t)(size % EVENT_SIZE));
    close(file);
}

static uint64_t read_through(void)
{
    struct tape_file *reader;
    struct tape_batch batch;
    struct error error;
    uint64_t seq = 0;
    if (tape_file_open(&reader, folder, 0, &error) < 0) {
        return 0;
    }
    while (tape_file_next(reader, &batch, &error) == 1) {
        CHECK(batch.count > 0 && batch.first_seq == seq + 1);
        seq = batch.last_seq;
    }
    tape_file_close(reader);
    return seq;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    if (!made) {
        make_folder();
        made = true;
    }
    write_segment(data, size);
    uint64_t seen = read_through();
    struct tape_store *store;
    struct error error;
    if (tape_store_open(&store, folder, 0, &error) < 0) {
        return 0;
    }
    CHECK(tape_store_seq(store) >= seen);
    uint64_t kept = tape_store_seq(store);
    tape_store_close(store);
    CHECK(kept == 0 || read_through() == kept);
    return 0;
}
