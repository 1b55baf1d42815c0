/* The writer's state, shared by opening (journal_recover.c) and writing (journal_write.c). */
#ifndef KASHI_EXCHANGE_JOURNAL_INTERNAL_H
#define KASHI_EXCHANGE_JOURNAL_INTERNAL_H

#include "exchange/journal_format.h"

/* Invariants:
 * 1. bytes of the current segment below `end.offset` are good batches, those above are zeros;
 * 2. `next_file` is a prepared file whose first `next_filled` bytes are zeros, and of these the
 *    first `next_synced` are on the disk;
 * 3. `marked` <= `end`, and `marked` is what the high-water file says;
 * 4. once `failed` is set, no file is written any more. */
struct journal {
    struct journal_options options;
    char folder[FILE_PATH_SIZE];
    struct journal_format format;
    int file;
    uint64_t segment_bytes; /* of the current segment */
    struct journal_mark end;
    uint8_t chain[JOURNAL_CHAIN_SIZE];
    int next_file;
    uint64_t next_filled;
    uint64_t next_synced;
    uint64_t owed_bytes; /* of preparation that appended bytes ask for */
    int mark_file;
    uint64_t mark_generation;
    struct journal_mark marked;
    int64_t marked_ns;
    bool failed;
    uint64_t cut_bytes;
    uint8_t *buffer; /* one batch: header, then slots */
};

/* Writes and syncs the high-water mark at `end`. */
int journal_internal_mark(struct journal *journal, struct error *error);
/* Begins the file that becomes the next segment. */
int journal_internal_prepare(struct journal *journal, struct error *error);
/* Makes the prepared file the segment after `end.segment` and goes on there. */
int journal_internal_rotate(struct journal *journal, struct error *error);

#endif
