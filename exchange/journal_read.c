/* Reading the journal, batch by batch, whether it is finished or still growing. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/journal_format.h"

#define BATCH_SIZE_MAX                                                                             \
    (sizeof(struct journal_batch_header) + (size_t)JOURNAL_BATCH_SLOTS_MAX * COMMAND_SLOT_SIZE)
/* Read at once with the header: most batches are small, and then one call is enough. */
#define FIRST_READ_SIZE 8192

struct journal_reader {
    const struct file_system *files;
    char folder[FILE_PATH_SIZE];
    int file;
    struct journal_segment_header segment;
    struct journal_mark position;
    uint8_t chain[JOURNAL_CHAIN_SIZE];
    struct journal_format format;
    uint8_t *buffer; /* one batch */
};

static int corrupt(const struct journal_reader *reader, const char *what, struct error *error)
{
    char path[FILE_PATH_SIZE];
    journal_format_segment_path(reader->folder, reader->position.segment, path);
    return error_set(error, ERROR_CORRUPT,
                     "%s offset %" PRIu64 ": %s (the last good command before it is %" PRIu64
                     "); restore the segment from its archive",
                     path, reader->position.offset, what, reader->position.seq);
}

/* Opens a segment and reads its header: 1 done, 0 there is no such file, or an error. */
static int segment_open(struct journal_reader *reader, uint64_t number, int *file,
                        struct journal_segment_header *header, struct error *error)
{
    const struct file_system *files = reader->files;
    char path[FILE_PATH_SIZE];
    journal_format_segment_path(reader->folder, number, path);
    *file = files->open(files->context, path, FILE_READ);
    if (*file == -ENOENT) {
        return 0;
    }
    if (*file < 0) {
        return error_system(error, -*file, "%s", path);
    }
    int rc = file_read_exact(files, *file, header, sizeof(*header), 0);
    if (rc == 0 && journal_format_segment_good(header, number) &&
        header->version == JOURNAL_VERSION) {
        return 1;
    }
    files->close(files->context, *file);
    if (rc < 0 && rc != -ENODATA) {
        return error_system(error, -rc, "%s", path);
    }
    if (rc == 0 && journal_format_segment_good(header, number)) {
        return error_set(error, ERROR_MISMATCH, "%s: written by another version (%" PRIu32 ")",
                         path, header->version);
    }
    return error_set(error, ERROR_CORRUPT,
                     "%s offset 0: the header is damaged; restore the segment from its archive",
                     path);
}

int journal_reader_open(struct journal_reader **out, const struct file_system *files,
                        const char *folder, struct error *error)
{
    struct journal_reader *reader = calloc(1, sizeof(*reader));
    CHECK(reader != NULL && strlen(folder) < sizeof(reader->folder));
    memcpy(reader->folder, folder, strlen(folder));
    reader->files = files;
    reader->file = -1;
    reader->buffer = aligned_alloc(64, BATCH_SIZE_MAX);
    CHECK(reader->buffer != NULL);
    int rc = journal_format_init(&reader->format, error);
    if (rc == 0) {
        rc = segment_open(reader, 1, &reader->file, &reader->segment, error);
    }
    if (rc == 0) {
        rc = error_set(error, ERROR_NOT_FOUND, "%s: no journal there", folder);
    }
    if (rc < 0) {
        reader->file = -1;
        journal_reader_close(reader);
        return rc;
    }
    reader->position = (struct journal_mark){.seq = 0, .segment = 1, .offset = JOURNAL_PAGE_SIZE};
    *out = reader;
    return 0;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->file >= 0) {
        reader->files->close(reader->files->context, reader->file);
    }
    journal_format_free(&reader->format);
    free(reader->buffer);
    free(reader);
}

/* Reads up to `size` bytes; a file that is shorter than its header says reads as far as it goes. */
static int64_t read_some(struct journal_reader *reader, void *bytes, uint64_t size, uint64_t offset)
{
    uint64_t left = reader->segment.segment_bytes - offset;
    size = size < left ? size : left;
    int64_t got;
    do {
        got = reader->files->pread(reader->files->context, reader->file, bytes, size, offset);
    } while (got == -EINTR);
    return got;
}

/* 1: a good batch that follows the last one is in the buffer; 0: there is none; or an error. */
static int batch_read(struct journal_reader *reader, struct error *error)
{
    const struct journal_mark *at = &reader->position;
    struct journal_batch_header *header = (void *)reader->buffer;
    int64_t got = read_some(reader, reader->buffer, FIRST_READ_SIZE, at->offset);
    if (got >= (int64_t)sizeof(*header)) {
        if (!journal_format_batch_plausible(header, at->segment, at->offset,
                                            reader->segment.segment_bytes) ||
            header->first_seq != at->seq + 1) {
            return 0;
        }
        if (header->length > (uint64_t)got) {
            int rc = file_read_exact(reader->files, reader->file, reader->buffer + got,
                                     header->length - (size_t)got, at->offset + (uint64_t)got);
            got = rc < 0 && rc != -ENODATA ? rc : got + (rc == 0 ? header->length - got : 0);
        }
    }
    if (got < 0) {
        char path[FILE_PATH_SIZE];
        journal_format_segment_path(reader->folder, at->segment, path);
        return error_system(error, (int)-got, "%s offset %" PRIu64, path, at->offset);
    }
    if (got < (int64_t)sizeof(*header) || got < (int64_t)header->length ||
        header->crc != journal_format_batch_crc(header)) {
        return 0;
    }
    uint8_t chain[JOURNAL_CHAIN_SIZE];
    journal_format_chain(&reader->format, reader->chain, header, chain);
    return memcmp(chain, header->chain, sizeof(chain)) == 0;
}

/* Goes on to the next segment: 1 done, 0 there is none, or an error when it does not follow. */
static int segment_next(struct journal_reader *reader, struct error *error)
{
    struct journal_segment_header header;
    int file;
    int rc = segment_open(reader, reader->position.segment + 1, &file, &header, error);
    if (rc <= 0) {
        return rc;
    }
    if (header.first_seq != reader->position.seq + 1 ||
        memcmp(header.chain, reader->chain, JOURNAL_CHAIN_SIZE) != 0) {
        reader->files->close(reader->files->context, file);
        return corrupt(reader, "no good batch, but the next segment goes on after more", error);
    }
    reader->files->close(reader->files->context, reader->file);
    reader->file = file;
    reader->segment = header;
    reader->position.segment++;
    reader->position.offset = JOURNAL_PAGE_SIZE;
    return 1;
}

int journal_reader_next(struct journal_reader *reader, const struct journal_mark *limit,
                        struct journal_batch *batch, struct error *error)
{
    if (limit != NULL && reader->position.seq >= limit->seq) {
        return 0;
    }
    int rc;
    while ((rc = batch_read(reader, error)) == 0) {
        bool more = limit == NULL || reader->position.segment < limit->segment;
        rc = more ? segment_next(reader, error) : 0;
        if (rc == 0 && limit != NULL) {
            return corrupt(reader, "no good batch, but the journal goes on", error);
        }
        if (rc <= 0) {
            return rc;
        }
    }
    if (rc < 0) {
        return rc;
    }
    const struct journal_batch_header *header = (const void *)reader->buffer;
    reader->position.seq = header->last_seq;
    reader->position.offset += header->length;
    memcpy(reader->chain, header->chain, sizeof(reader->chain));
    *batch = (struct journal_batch){
        .first_seq = header->first_seq,
        .last_seq = header->last_seq,
        .slots = (const union command_slot *)(const void *)(header + 1),
        .count = header->count,
        .end = reader->position,
    };
    return 1;
}

struct journal_mark journal_reader_position(const struct journal_reader *reader)
{
    return reader->position;
}

struct engine_config journal_reader_tables(const struct journal_reader *reader)
{
    return reader->segment.tables;
}

uint32_t journal_reader_rules_version(const struct journal_reader *reader)
{
    return reader->segment.rules_version;
}

uint64_t journal_reader_segment_bytes(const struct journal_reader *reader)
{
    return reader->segment.segment_bytes;
}

const uint8_t *journal_reader_chain(const struct journal_reader *reader)
{
    return reader->chain;
}
