/* The journal: every command, in order, durable before anything that follows from it leaves. It is
 * the database of the exchange.
 *
 * `folder` holds segments 0000000001.segment, 0000000002.segment … : a page with the segment's
 * header, then batches, then zeros. A batch is a header and its command slots under one CRC32C,
 * and its `chain` is SHA-256 over the previous batch's chain and itself. Segments are filled with
 * zeros ahead of use, so that a sync has no file size to write. The file `high_water` says how far
 * the journal was durable when it was last written, at most JOURNAL_MARK_NS ago.
 *
 * That mark tells a torn tail from rot. On opening, the first place that holds no good batch is
 *   - the end, if nothing but zeros follows;
 *   - a torn tail, cut off, if it is at or above the mark and no good batch follows that was
 *     written with a sync of its own (such a one proves that the place had been durable);
 *   - otherwise corruption: opening fails and names segment and offset.
 * A batch that was acknowledged within the last JOURNAL_MARK_NS before a crash, is the very last,
 * and rots during that crash cannot be told from a torn one; this is the window.
 *
 * Errors: 0 or a code of base/error.h. After a failed write or sync the journal refuses
 * everything: what the disk holds is then unknown, and a second try could only hide it. One thread
 * each. */
#ifndef KASHI_EXCHANGE_JOURNAL_H
#define KASHI_EXCHANGE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"
#include "exchange/core/engine.h"
#include "wire/command.h"

#define JOURNAL_FOLDER                "journal"
#define JOURNAL_CHAIN_SIZE            32
#define JOURNAL_BATCH_SLOTS_MAX       8192 /* 1 MiB: what one sync may cover */
#define JOURNAL_SEGMENT_BYTES_DEFAULT (UINT64_C(64) << 20)
#define JOURNAL_SEGMENT_BYTES_MIN     (UINT64_C(16) << 10)
#define JOURNAL_SEGMENT_BYTES_MAX     (UINT64_C(4) << 30)
#define JOURNAL_MARK_NS               INT64_C(100000000)

/* How far the journal is durable: the last command, and where its batch ends. What the exchange
 * publishes on its mark socket, as it stands here. */
struct journal_mark {
    uint64_t seq;
    uint64_t segment; /* from 1 */
    uint64_t offset;  /* bytes from the start of the segment */
};

enum journal_durability {
    JOURNAL_SYNC = 0, /* a batch is on the disk before journal_append returns */
    JOURNAL_OS = 1,   /* it is with the kernel: survives the process, not the machine */
};

struct journal_batch {
    uint64_t first_seq;
    uint64_t last_seq;
    const union command_slot *slots; /* the reader's, until its next call */
    uint32_t count;                  /* slots */
    struct journal_mark end;
};

/* --- writing ------------------------------------------------------------------------------ */

struct journal;

struct journal_options {
    const struct file_system *files;
    const char *folder;
    uint64_t segment_bytes; /* of segments made from now on */
    enum journal_durability durability;
    uint32_t rules_version;
    struct engine_config tables; /* must be those that the journal was made with */
    /* Called for every good batch in order, once, while the journal is opened. */
    void (*replay)(void *context, const struct journal_batch *batch);
    void *context;
};

/* Opens or makes the journal; cuts a torn tail. ERROR_CORRUPT: see above. ERROR_MISMATCH: it was
 * made with other table sizes or rules. */
int journal_open(struct journal **out, const struct journal_options *options, struct error *error);
/* Writes the high-water mark a last time unless the journal has failed; NULL is fine. */
void journal_close(struct journal *journal);

/* Where the next batch's commands are put, stamped: room for journal_batch_slots_max() slots. */
union command_slot *journal_batch_slots(struct journal *journal);
uint32_t journal_batch_slots_max(const struct journal *journal);
/* Appends the `count` slots there, commands first_seq .. last_seq, as one batch. */
int journal_append(struct journal *journal, uint32_t count, uint64_t first_seq, uint64_t last_seq,
                   struct error *error);
/* Upkeep in bounded pieces: the mark, and zeros for the next segment. To be called after every
 * batch and, with `idle`, when there is nothing else to do. `now_ns`: monotonic. */
int journal_turn(struct journal *journal, int64_t now_ns, bool idle, struct error *error);
/* Whether an idle turn soon would find work. */
bool journal_wants_turn(const struct journal *journal);
/* Everything up to here may be acknowledged. */
struct journal_mark journal_mark(const struct journal *journal);
/* What journal_open found: bytes of a torn tail that were cut. */
uint64_t journal_cut_bytes(const struct journal *journal);

/* --- reading ------------------------------------------------------------------------------ */

struct journal_reader;

/* From the first command. ERROR_NOT_FOUND: there is no journal yet. */
int journal_reader_open(struct journal_reader **out, const struct file_system *files,
                        const char *folder, struct error *error);
void journal_reader_close(struct journal_reader *reader); /* NULL is fine */
/* 1: a batch is in *batch. 0: none up to `limit`; without a limit (NULL): none that is good from
 * here on. Anything bad below the limit is ERROR_CORRUPT, naming segment and offset. */
int journal_reader_next(struct journal_reader *reader, const struct journal_mark *limit,
                        struct journal_batch *batch, struct error *error);
/* Behind the last batch handed out. */
struct journal_mark journal_reader_position(const struct journal_reader *reader);
/* Table sizes and rules that the journal was made with. */
struct engine_config journal_reader_tables(const struct journal_reader *reader);
uint32_t journal_reader_rules_version(const struct journal_reader *reader);
/* Bytes of the segment that it stands in. */
uint64_t journal_reader_segment_bytes(const struct journal_reader *reader);
/* Chain value of the last batch handed out (of 32 zeros at the start). */
const uint8_t *journal_reader_chain(const struct journal_reader *reader);

#endif
