/* Appending to the journal. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/journal_internal.h"

/* Zeros are written in pieces of this size, two bytes for each that is appended: the next segment
 * is ready when the current one is half full, and no piece holds the exchange up for long. */
#define PIECE_SIZE      (UINT64_C(256) << 10)
#define PIECES_PER_BYTE 2
#define PREPARE_SYNC    (UINT64_C(1) << 20) /* bytes of zeros between two syncs */
#define TURN_PIECES_MAX 4

static const uint8_t zeros[PIECE_SIZE];

/* The disk's words with the file's name; no more is written from then on. */
static int fail(struct journal *journal, const char *name, int system_errno, struct error *error)
{
    journal->failed = true;
    return error_system(error, system_errno, "%s/%s", journal->folder, name);
}

static int refuse(struct error *error)
{
    return error_set(error, ERROR_IO, "the journal has stopped after an earlier failure");
}

/* --- the next segment --------------------------------------------------------------------- */

int journal_internal_prepare(struct journal *journal, struct error *error)
{
    const struct file_system *files = journal->options.files;
    char path[FILE_PATH_SIZE];
    journal_format_path(journal->folder, JOURNAL_PREPARED, path);
    journal->next_filled = 0;
    journal->next_synced = 0;
    journal->owed_bytes = 0;
    journal->next_file = files->open(files->context, path, FILE_WRITE | FILE_CREATE);
    if (journal->next_file < 0) {
        return fail(journal, JOURNAL_PREPARED, -journal->next_file, error);
    }
    /* One that was left behind may hold anything. */
    int rc = files->truncate(files->context, journal->next_file, 0);
    return rc < 0 ? fail(journal, JOURNAL_PREPARED, -rc, error) : 0;
}

static bool next_ready(const struct journal *journal)
{
    return journal->next_synced == journal->options.segment_bytes;
}

static int next_piece(struct journal *journal, struct error *error)
{
    const struct file_system *files = journal->options.files;
    uint64_t left = journal->options.segment_bytes - journal->next_filled;
    uint64_t size = left < PIECE_SIZE ? left : PIECE_SIZE;
    int rc = file_write_exact(files, journal->next_file, zeros, size, journal->next_filled);
    if (rc == 0) {
        journal->next_filled += size;
        bool full = journal->next_filled == journal->options.segment_bytes;
        if (full || journal->next_filled - journal->next_synced >= PREPARE_SYNC) {
            rc = files->fdatasync(files->context, journal->next_file);
            journal->next_synced = journal->next_filled;
        }
    }
    return rc < 0 ? fail(journal, JOURNAL_PREPARED, -rc, error) : 0;
}

static int next_header(struct journal *journal)
{
    const struct file_system *files = journal->options.files;
    struct journal_segment_header header = {
        .magic = JOURNAL_SEGMENT_MAGIC,
        .version = JOURNAL_VERSION,
        .rules_version = journal->options.rules_version,
        .segment = journal->end.segment + 1,
        .first_seq = journal->end.seq + 1,
        .segment_bytes = journal->options.segment_bytes,
        .tables = journal->options.tables,
    };
    memcpy(header.chain, journal->chain, sizeof(header.chain));
    journal_format_segment_seal(&header);
    int rc = file_write_exact(files, journal->next_file, &header, sizeof(header), 0);
    return rc == 0 ? files->fdatasync(files->context, journal->next_file) : rc;
}

int journal_internal_rotate(struct journal *journal, struct error *error)
{
    const struct file_system *files = journal->options.files;
    if (journal->next_file < 0 && journal_internal_prepare(journal, error) < 0) {
        return error->code;
    }
    while (!next_ready(journal)) {
        if (next_piece(journal, error) < 0) {
            return error->code;
        }
    }
    char prepared[FILE_PATH_SIZE];
    char path[FILE_PATH_SIZE];
    journal_format_path(journal->folder, JOURNAL_PREPARED, prepared);
    journal_format_segment_path(journal->folder, journal->end.segment + 1, path);
    int rc = next_header(journal);
    /* A segment is durable before there is a next one, whatever the durability: so a hole in any
     * but the last is corruption. */
    if (rc == 0 && journal->file >= 0) {
        rc = files->fdatasync(files->context, journal->file);
    }
    if (rc == 0) {
        rc = files->rename(files->context, prepared, path);
    }
    if (rc == 0) {
        rc = files->sync_folder(files->context, journal->folder);
    }
    if (rc < 0) {
        return fail(journal, JOURNAL_PREPARED, -rc, error);
    }
    if (journal->file >= 0) {
        files->close(files->context, journal->file);
    }
    journal->file = journal->next_file;
    journal->next_file = -1;
    journal->segment_bytes = journal->options.segment_bytes;
    journal->end.segment++;
    journal->end.offset = JOURNAL_PAGE_SIZE;
    return journal_internal_prepare(journal, error);
}

/* --- batches ------------------------------------------------------------------------------ */

union command_slot *journal_batch_slots(struct journal *journal)
{
    return (union command_slot *)(void *)(journal->buffer + sizeof(struct journal_batch_header));
}

uint32_t journal_batch_slots_max(const struct journal *journal)
{
    uint64_t fit = (journal->options.segment_bytes - JOURNAL_PAGE_SIZE) / COMMAND_SLOT_SIZE - 1;
    return fit < JOURNAL_BATCH_SLOTS_MAX ? (uint32_t)fit : JOURNAL_BATCH_SLOTS_MAX;
}

int journal_append(struct journal *journal, uint32_t count, uint64_t first_seq, uint64_t last_seq,
                   struct error *error)
{
    CHECK(count >= 1 && count <= journal_batch_slots_max(journal));
    CHECK(first_seq == journal->end.seq + 1 && last_seq >= first_seq);
    if (journal->failed) {
        return refuse(error);
    }
    size_t length = sizeof(struct journal_batch_header) + (size_t)count * COMMAND_SLOT_SIZE;
    if (length > journal->segment_bytes - journal->end.offset &&
        journal_internal_rotate(journal, error) < 0) {
        return error->code;
    }
    struct journal_batch_header *header = (void *)journal->buffer;
    *header = (struct journal_batch_header){
        .magic = JOURNAL_BATCH_MAGIC,
        .flags = journal->options.durability == JOURNAL_SYNC ? JOURNAL_BATCH_SYNCED : 0,
        .first_seq = first_seq,
        .last_seq = last_seq,
        .segment = journal->end.segment,
        .offset = journal->end.offset,
        .count = count,
        .length = (uint32_t)length,
    };
    uint8_t chain[JOURNAL_CHAIN_SIZE];
    journal_format_chain(&journal->format, journal->chain, header, chain);
    memcpy(header->chain, chain, sizeof(chain));
    header->crc = journal_format_batch_crc(header);

    const struct file_system *files = journal->options.files;
    int rc = file_write_exact(files, journal->file, journal->buffer, length, journal->end.offset);
    if (rc == 0 && journal->options.durability == JOURNAL_SYNC) {
        rc = files->fdatasync(files->context, journal->file);
    }
    if (rc < 0) {
        char path[FILE_PATH_SIZE];
        journal_format_segment_path("", journal->end.segment, path);
        return fail(journal, path + 1, -rc, error);
    }
    memcpy(journal->chain, chain, sizeof(chain));
    journal->end.seq = last_seq;
    journal->end.offset += length;
    journal->owed_bytes += PIECES_PER_BYTE * length;
    return 0;
}

/* --- upkeep ------------------------------------------------------------------------------- */

int journal_internal_mark(struct journal *journal, struct error *error)
{
    const struct file_system *files = journal->options.files;
    int rc = 0;
    if (journal->options.durability == JOURNAL_OS && journal->file >= 0) {
        rc = files->fdatasync(files->context, journal->file);
    }
    struct journal_mark_record record = {
        .magic = JOURNAL_MARK_MAGIC,
        .generation = journal->mark_generation + 1,
        .mark = journal->end,
    };
    journal_format_mark_seal(&record);
    uint64_t offset = record.generation % 2 * JOURNAL_PAGE_SIZE;
    if (rc == 0) {
        rc = file_write_exact(files, journal->mark_file, &record, sizeof(record), offset);
    }
    if (rc == 0) {
        rc = files->fdatasync(files->context, journal->mark_file);
    }
    if (rc < 0) {
        return fail(journal, JOURNAL_HIGH_WATER, -rc, error);
    }
    journal->mark_generation = record.generation;
    journal->marked = journal->end;
    return 0;
}

int journal_turn(struct journal *journal, int64_t now_ns, bool idle, struct error *error)
{
    if (journal->failed) {
        return refuse(error);
    }
    if (journal->marked.seq != journal->end.seq && now_ns - journal->marked_ns >= JOURNAL_MARK_NS) {
        if (journal_internal_mark(journal, error) < 0) {
            return error->code;
        }
        journal->marked_ns = now_ns;
    }
    if (idle && journal->owed_bytes < PIECE_SIZE) {
        journal->owed_bytes = PIECE_SIZE;
    }
    for (int i = 0; i < TURN_PIECES_MAX && journal->owed_bytes >= PIECE_SIZE; i++) {
        if (next_ready(journal)) {
            journal->owed_bytes = 0;
            break;
        }
        if (next_piece(journal, error) < 0) {
            return error->code;
        }
        journal->owed_bytes -= PIECE_SIZE;
    }
    return 0;
}

bool journal_wants_turn(const struct journal *journal)
{
    return !journal->failed && (journal->marked.seq != journal->end.seq || !next_ready(journal));
}

struct journal_mark journal_mark(const struct journal *journal)
{
    return journal->end;
}

uint64_t journal_cut_bytes(const struct journal *journal)
{
    return journal->cut_bytes;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL) {
        return;
    }
    const struct file_system *files = journal->options.files;
    struct error ignored;
    if (!journal->failed && journal->mark_file >= 0 && journal->marked.seq != journal->end.seq) {
        /* A mark that lags is still true. */
        journal_internal_mark(journal, &ignored);
    }
    const int handles[] = {journal->file, journal->next_file, journal->mark_file};
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        if (handles[i] >= 0) {
            files->close(files->context, handles[i]);
        }
    }
    journal_format_free(&journal->format);
    free(journal->buffer);
    free(journal);
}
