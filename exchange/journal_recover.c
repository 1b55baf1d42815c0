/* Opening the journal: a new one, or one that was left behind, perhaps in the middle of a write. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/journal_internal.h"

#define BATCH_SIZE_MAX                                                                             \
    (sizeof(struct journal_batch_header) + (size_t)JOURNAL_BATCH_SLOTS_MAX * COMMAND_SLOT_SIZE)
#define SCAN_SIZE (UINT64_C(1) << 20)

static void folder_parent(const char *folder, char parent[FILE_PATH_SIZE])
{
    const char *slash = strrchr(folder, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - folder);
    memcpy(parent, length == 0 ? "." : folder, length == 0 ? 1 : length);
    parent[length == 0 ? 1 : length] = '\0';
}

/* Counts the files NUMBER.segment. */
static int segments_count(const struct journal *journal, uint64_t *count, struct error *error)
{
    const struct file_system *files = journal->options.files;
    int all = files->list(files->context, journal->folder, NULL, 0);
    char(*names)[FILE_NAME_SIZE] = all < 0 ? NULL : calloc((size_t)all + 1, FILE_NAME_SIZE);
    int listed = all < 0 ? all : files->list(files->context, journal->folder, names, all);
    if (listed < 0) {
        free(names);
        return error_system(error, -listed, "%s", journal->folder);
    }
    *count = 0;
    for (int i = 0; i < all; i++) {
        const char *dot = strchr(names[i], '.');
        *count += dot != NULL && strcmp(dot, ".segment") == 0;
    }
    free(names);
    return 0;
}

/* --- the high-water mark ------------------------------------------------------------------ */

/* Opens or makes the file; `marked` is zero when it was made, or never written. */
static int mark_open(struct journal *journal, struct error *error)
{
    const struct file_system *files = journal->options.files;
    char path[FILE_PATH_SIZE];
    journal_format_path(journal->folder, JOURNAL_HIGH_WATER, path);
    journal->mark_file = files->open(files->context, path, FILE_WRITE | FILE_CREATE);
    if (journal->mark_file < 0) {
        return error_system(error, -journal->mark_file, "%s", path);
    }
    for (uint64_t i = 0; i < 2; i++) {
        struct journal_mark_record record;
        int rc = file_read_exact(files, journal->mark_file, &record, sizeof(record),
                                 i * JOURNAL_PAGE_SIZE);
        if (rc < 0 && rc != -ENODATA) {
            return error_system(error, -rc, "%s", path);
        }
        if (rc == 0 && journal_format_mark_good(&record) &&
            record.generation > journal->mark_generation) {
            journal->mark_generation = record.generation;
            journal->marked = record.mark;
        }
    }
    return 0;
}

/* --- what was left behind ----------------------------------------------------------------- */

static int tables_compare(const struct journal_reader *reader,
                          const struct journal_options *options, struct error *error)
{
    struct engine_config had = journal_reader_tables(reader);
    const struct engine_config *want = &options->tables;
    const struct {
        const char *name;
        uint32_t had;
        uint32_t want;
    } tables[] = {
        {"orders", had.orders, want->orders},
        {"ladders", had.ladders, want->ladders},
        {"fills", had.fills, want->fills},
        {"holdings", had.holdings, want->holdings},
        {"timers", had.timers, want->timers},
        {"accounts", had.accounts, want->accounts},
        {"keys", had.keys, want->keys},
        {"resources", had.resources, want->resources},
        {"groups", had.groups, want->groups},
        {"markets", had.markets, want->markets},
        {"auctions", had.auctions, want->auctions},
        {"jobs", had.jobs, want->jobs},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (tables[i].had != tables[i].want) {
            return error_set(error, ERROR_MISMATCH,
                             "%s was made with %s = %" PRIu32 ", kashi.ini says %" PRIu32
                             "; table sizes stay for the life of a journal: set [exchange] %s = "
                             "%" PRIu32,
                             options->folder, tables[i].name, tables[i].had, tables[i].want,
                             tables[i].name, tables[i].had);
        }
    }
    if (journal_reader_rules_version(reader) != options->rules_version) {
        return error_set(error, ERROR_MISMATCH,
                         "%s was made under rules version %" PRIu32 ", this program has %" PRIu32,
                         options->folder, journal_reader_rules_version(reader),
                         options->rules_version);
    }
    return 0;
}

/* What stands behind the last good batch of the last segment. */
struct tail {
    uint64_t dirty_end; /* behind the last byte that is not zero; 0: nothing but zeros */
    bool proven;        /* a good batch that was synced follows */
};

/* Whether a whole batch with its own sync stands at `offset`. */
static bool is_synced_batch(struct journal *journal, uint64_t offset)
{
    const struct file_system *files = journal->options.files;
    struct journal_batch_header *header = (void *)journal->buffer;
    if (offset + sizeof(*header) > journal->segment_bytes ||
        file_read_exact(files, journal->file, header, sizeof(*header), offset) < 0 ||
        !journal_format_batch_plausible(header, journal->end.segment, offset,
                                        journal->segment_bytes) ||
        file_read_exact(files, journal->file, header + 1, header->length - sizeof(*header),
                        offset + sizeof(*header)) < 0) {
        return false;
    }
    return header->crc == journal_format_batch_crc(header) &&
           (header->flags & JOURNAL_BATCH_SYNCED) != 0;
}

static int tail_scan(struct journal *journal, struct tail *tail)
{
    const struct file_system *files = journal->options.files;
    memset(tail, 0, sizeof(*tail));
    uint8_t *piece = malloc(SCAN_SIZE);
    CHECK(piece != NULL);
    int rc = 0;
    for (uint64_t at = journal->end.offset; rc == 0 && at < journal->segment_bytes;) {
        uint64_t left = journal->segment_bytes - at;
        uint64_t size = left < SCAN_SIZE ? left : SCAN_SIZE;
        rc = file_read_exact(files, journal->file, piece, size, at);
        for (uint64_t i = 0; rc == 0 && i < size; i += COMMAND_SLOT_SIZE) {
            static const uint8_t zeros[COMMAND_SLOT_SIZE];
            if (memcmp(piece + i, zeros, COMMAND_SLOT_SIZE) == 0) {
                continue;
            }
            tail->dirty_end = at + i + COMMAND_SLOT_SIZE;
            uint64_t magic;
            memcpy(&magic, piece + i, sizeof(magic));
            tail->proven |= magic == JOURNAL_BATCH_MAGIC && at + i > journal->end.offset &&
                            is_synced_batch(journal, at + i);
        }
        at += size;
    }
    free(piece);
    return rc;
}

static int tail_zero(struct journal *journal, uint64_t dirty_end)
{
    const struct file_system *files = journal->options.files;
    static const uint8_t zeros[JOURNAL_PAGE_SIZE];
    for (uint64_t at = journal->end.offset; at < dirty_end;) {
        uint64_t left = dirty_end - at;
        uint64_t size = left < sizeof(zeros) ? left : sizeof(zeros);
        int rc = file_write_exact(files, journal->file, zeros, size, at);
        if (rc < 0) {
            return rc;
        }
        at += size;
    }
    journal->cut_bytes = dirty_end - journal->end.offset;
    return 0;
}

/* Writes again what stands above the mark, as it is: a sync that failed in the last process may have
 * left the system believing that it is on the disk, and then no other sync would write it. What is
 * below the mark, and in earlier segments, was synced before the mark and the segment were made. */
static int tail_rewrite(struct journal *journal)
{
    const struct file_system *files = journal->options.files;
    bool marked_here = journal->marked.segment == journal->end.segment;
    uint64_t at = marked_here ? journal->marked.offset : JOURNAL_PAGE_SIZE;
    int rc = 0;
    while (rc == 0 && at < journal->end.offset) {
        uint64_t left = journal->end.offset - at;
        uint64_t size = left < BATCH_SIZE_MAX ? left : BATCH_SIZE_MAX;
        rc = file_read_exact(files, journal->file, journal->buffer, size, at);
        if (rc == 0) {
            rc = file_write_exact(files, journal->file, journal->buffer, size, at);
        }
        at += size;
    }
    return rc;
}

/* Behind the last good batch: the end, a torn tail, or corruption. */
static int tail_judge(struct journal *journal, struct error *error)
{
    const struct file_system *files = journal->options.files;
    char path[FILE_PATH_SIZE];
    journal_format_segment_path(journal->folder, journal->end.segment, path);
    journal->file = files->open(files->context, path, FILE_WRITE);
    if (journal->file < 0) {
        return error_system(error, -journal->file, "%s", path);
    }
    struct tail tail;
    int rc = tail_scan(journal, &tail);
    if (rc < 0 && rc != -ENODATA) {
        return error_system(error, -rc, "%s", path);
    }
    bool below_mark = journal->end.seq < journal->marked.seq;
    if (rc < 0 || below_mark || tail.proven) {
        const char *proof = rc < 0       ? "the file is shorter than its header says"
                            : below_mark ? "the high-water mark says that it was durable"
                                         : "a good batch follows it";
        return error_set(error, ERROR_CORRUPT,
                         "%s offset %" PRIu64
                         ": a batch is damaged or missing and %s (the last good "
                         "command before it is %" PRIu64 "); restore the segment from its archive",
                         path, journal->end.offset, proof, journal->end.seq);
    }
    rc = tail.dirty_end == 0 ? 0 : tail_zero(journal, tail.dirty_end);
    if (rc == 0) {
        rc = tail_rewrite(journal);
    }
    /* What the last process wrote or renamed and did not live to sync counts from now on. */
    if (rc == 0) {
        rc = files->fdatasync(files->context, journal->file);
    }
    if (rc == 0) {
        rc = files->sync_folder(files->context, journal->folder);
    }
    return rc < 0 ? error_system(error, -rc, "%s", path) : journal_internal_mark(journal, error);
}

static int journal_replay(struct journal *journal, struct error *error)
{
    const struct journal_options *options = &journal->options;
    struct journal_reader *reader;
    if (journal_reader_open(&reader, options->files, journal->folder, error) < 0) {
        return error->code;
    }
    int rc = tables_compare(reader, options, error);
    struct journal_batch batch;
    while (rc == 0 && (rc = journal_reader_next(reader, NULL, &batch, error)) == 1) {
        if (options->replay != NULL) {
            options->replay(options->context, &batch);
        }
        rc = 0;
        journal->end = batch.end;
    }
    journal->end = journal_reader_position(reader);
    memcpy(journal->chain, journal_reader_chain(reader), sizeof(journal->chain));
    journal->segment_bytes = journal_reader_segment_bytes(reader);
    journal_reader_close(reader);
    return rc;
}

static int journal_recover(struct journal *journal, uint64_t segments, struct error *error)
{
    if (journal->mark_generation == 0) {
        return error_set(error, ERROR_CORRUPT,
                         "%s/%s is damaged or missing; restore it from its archive: without it a "
                         "torn write cannot be told from damage",
                         journal->folder, JOURNAL_HIGH_WATER);
    }
    if (journal_replay(journal, error) < 0) {
        return error->code;
    }
    uint64_t last = segments > journal->marked.segment ? segments : journal->marked.segment;
    if (journal->end.segment != last) {
        return error_set(error, ERROR_CORRUPT,
                         "%s: segment %" PRIu64 " is missing of %" PRIu64
                         "; restore it from its archive",
                         journal->folder, journal->end.segment + 1, last);
    }
    return tail_judge(journal, error);
}

/* --- opening ------------------------------------------------------------------------------ */

static int journal_create(struct journal *journal, struct error *error)
{
    const struct file_system *files = journal->options.files;
    if (journal->marked.seq > 0) {
        return error_set(error, ERROR_CORRUPT,
                         "%s has no segments, but its high-water mark stands at command %" PRIu64
                         "; restore them from their archive",
                         journal->folder, journal->marked.seq);
    }
    char parent[FILE_PATH_SIZE];
    folder_parent(journal->folder, parent);
    int rc = files->sync_folder(files->context, parent);
    if (rc < 0) {
        return error_system(error, -rc, "%s", parent);
    }
    /* The mark is there before the first segment: a journal without one has lost it. */
    if (journal_internal_mark(journal, error) < 0) {
        return error->code;
    }
    rc = files->sync_folder(files->context, journal->folder);
    if (rc < 0) {
        return error_system(error, -rc, "%s", journal->folder);
    }
    return journal_internal_rotate(journal, error);
}

int journal_open(struct journal **out, const struct journal_options *options, struct error *error)
{
    CHECK(options->segment_bytes >= JOURNAL_SEGMENT_BYTES_MIN &&
          options->segment_bytes <= JOURNAL_SEGMENT_BYTES_MAX &&
          options->segment_bytes % JOURNAL_PAGE_SIZE == 0);
    CHECK(strlen(options->folder) < FILE_PATH_SIZE - FILE_NAME_SIZE);
    struct journal *journal = calloc(1, sizeof(*journal));
    CHECK(journal != NULL);
    journal->options = *options;
    memcpy(journal->folder, options->folder, strlen(options->folder));
    journal->file = journal->next_file = journal->mark_file = -1;
    journal->buffer = aligned_alloc(64, BATCH_SIZE_MAX);
    CHECK(journal->buffer != NULL);

    const struct file_system *files = options->files;
    uint64_t segments = 0;
    int rc = files->mkdir(files->context, journal->folder);
    if (rc < 0) {
        error_system(error, -rc, "%s", journal->folder);
        goto failed;
    }
    if (journal_format_init(&journal->format, error) < 0 ||
        segments_count(journal, &segments, error) < 0 || mark_open(journal, error) < 0) {
        goto failed;
    }
    rc = segments == 0 ? journal_create(journal, error) : journal_recover(journal, segments, error);
    if (rc < 0) {
        goto failed;
    }
    if (journal->next_file < 0 && journal_internal_prepare(journal, error) < 0) {
        goto failed;
    }
    *out = journal;
    return 0;

failed:
    journal->failed = true; /* closing writes nothing */
    journal_close(journal);
    return error->code;
}
