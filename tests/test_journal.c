/* The journal over a simulated disk: what was acknowledged is there after any crash, nothing else
 * is, and damage is named and never passed over. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/journal.h"
#include "tests/sim_disk.h"

#define SEEDS       300
#define CRASHES     8
#define BATCHES_MAX 4096

/* What replay found, checked command by command. */
struct found {
    uint64_t seq;
    uint64_t batches;
    struct journal_mark starts[BATCHES_MAX]; /* where each batch begins */
    struct journal_mark end;
    uint64_t cut;
};

static void command_fill(union command_slot *slot, uint64_t seq)
{
    memset(slot, 0, sizeof(*slot));
    slot->command.head.seq = seq;
    slot->command.head.slots = 1;
    slot->command.head.type = COMMAND_TICK;
    uint64_t state = seq;
    for (size_t i = 0; i < sizeof(slot->command.bytes) / 8; i++) {
        uint64_t word = random_splitmix64(&state);
        memcpy(slot->command.bytes + 8 * i, &word, 8);
    }
}

static void replay(void *context, const struct journal_batch *batch)
{
    struct found *found = context;
    cr_assert_eq(batch->first_seq, found->seq + 1);
    cr_assert_eq(batch->last_seq, found->seq + batch->count);
    for (uint32_t i = 0; i < batch->count; i++) {
        union command_slot expected;
        command_fill(&expected, ++found->seq);
        cr_assert_arr_eq(&batch->slots[i], &expected, sizeof(expected));
    }
    uint64_t length = (batch->count + 1) * (uint64_t)COMMAND_SLOT_SIZE;
    found->starts[found->batches % BATCHES_MAX] = (struct journal_mark){
        .seq = batch->first_seq,
        .segment = batch->end.segment,
        .offset = batch->end.offset - length,
    };
    found->batches++;
    found->end = batch->end;
}

static int open_journal(struct sim_disk *disk, uint64_t segment_bytes,
                        enum journal_durability durability, struct found *found,
                        struct journal **journal, struct error *error)
{
    memset(found, 0, sizeof(*found));
    struct journal_options options = {
        .files = &disk->files,
        .folder = "journal",
        .segment_bytes = segment_bytes,
        .durability = durability,
        .rules_version = 1,
        .tables = {.orders = 1000, .keys = 10},
        .replay = replay,
        .context = found,
    };
    int rc = journal_open(journal, &options, error);
    found->cut = rc == 0 ? journal_cut_bytes(*journal) : 0;
    return rc;
}

/* Appends one batch; on success *seq goes on. */
static int append(struct journal *journal, uint64_t *seq, uint32_t count, struct error *error)
{
    union command_slot *slots = journal_batch_slots(journal);
    for (uint32_t i = 0; i < count; i++) {
        command_fill(&slots[i], *seq + 1 + i);
    }
    int rc = journal_append(journal, count, *seq + 1, *seq + count, error);
    *seq += rc == 0 ? count : 0;
    return rc;
}

static void must(int rc, const struct error *error)
{
    cr_assert_eq(rc, 0, "%s", error->text);
}

/* A journal of `batches` batches of one to five commands, closed in order. */
static uint64_t make_journal(struct sim_disk *disk, uint64_t segment_bytes, int batches)
{
    struct error error;
    struct found found;
    struct journal *journal;
    uint64_t seq = 0;
    must(open_journal(disk, segment_bytes, JOURNAL_SYNC, &found, &journal, &error), &error);
    for (int i = 0; i < batches; i++) {
        must(append(journal, &seq, (uint32_t)i % 5 + 1, &error), &error);
        must(journal_turn(journal, i * INT64_C(1000000), false, &error), &error);
    }
    journal_close(journal);
    return seq;
}

/* One life of the process: open, append until power fails. `acknowledged` .. `attempted` bounds
 * what the next life may find. */
static void live_and_crash(struct sim_disk *disk, uint64_t segment_bytes, uint64_t *acknowledged,
                           uint64_t *attempted, uint64_t seed)
{
    struct error error;
    struct found found;
    struct journal *journal;
    struct random random;
    random_seed(&random, seed);
    disk->changes_left = random_below(&random, seed % 2 == 0 ? 400 : 40);
    int rc = open_journal(disk, segment_bytes, JOURNAL_SYNC, &found, &journal, &error);
    if (rc == 0) {
        cr_assert_geq(found.seq, *acknowledged, "seed %" PRIu64 ": lost", seed);
        cr_assert_leq(found.seq, *attempted, "seed %" PRIu64 ": invented", seed);
        uint64_t seq = found.seq;
        *attempted = *acknowledged = seq;
        for (int64_t now_ns = 0; rc == 0; now_ns += 30000000) {
            uint32_t count = 1 + (uint32_t)random_below(&random, 40);
            *attempted = seq + count;
            rc = append(journal, &seq, count, &error);
            *acknowledged = seq;
            if (rc == 0) {
                rc = journal_turn(journal, now_ns, random_below(&random, 4) == 0, &error);
            }
        }
        journal_close(journal);
    } else {
        cr_assert_eq(error.code, ERROR_IO, "seed %" PRIu64 ": %s", seed, error.text);
    }
    if (random_below(&random, 3) == 0) {
        sim_disk_kill(disk);
    } else {
        sim_disk_crash(disk);
    }
}

Test(journal, recovers_everything_acknowledged_after_a_crash_anywhere)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sim_disk_init(disk, seed);
        uint64_t segment_bytes = JOURNAL_SEGMENT_BYTES_MIN << seed % 3;
        uint64_t acknowledged = 0;
        uint64_t attempted = 0;
        for (uint64_t crash = 0; crash < CRASHES; crash++) {
            live_and_crash(disk, segment_bytes, &acknowledged, &attempted, seed * 1000 + crash);
        }
        struct error error;
        struct found found;
        struct journal *journal;
        int rc = open_journal(disk, segment_bytes, JOURNAL_SYNC, &found, &journal, &error);
        cr_assert_eq(rc, 0, "seed %" PRIu64 ": %s", seed, error.text);
        cr_assert_geq(found.seq, acknowledged, "seed %" PRIu64 ": lost", seed);
        cr_assert_leq(found.seq, attempted, "seed %" PRIu64 ": invented", seed);
        journal_close(journal);
        sim_disk_free(disk);
    }
    free(disk);
}

Test(journal, halts_after_a_failed_sync_and_never_tries_again)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    for (uint64_t seed = 1; seed <= 50; seed++) {
        sim_disk_init(disk, seed);
        struct error error;
        struct found found;
        struct journal *journal;
        uint64_t seq = 0;
        must(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error), &error);
        disk->syncs_left = seed;
        uint32_t count = 3;
        int64_t now_ns = 0;
        int rc = 0;
        while (rc == 0) {
            rc = append(journal, &seq, count, &error);
            rc = rc == 0 ? journal_turn(journal, now_ns += 50000000, false, &error) : rc;
        }
        cr_assert_eq(rc, ERROR_IO);
        cr_assert_lt(append(journal, &seq, count, &error), 0);
        cr_assert_lt(journal_turn(journal, now_ns + NS_PER_SECOND, true, &error), 0);
        uint64_t writes_left = 1000;
        disk->changes_left = writes_left;
        journal_close(journal);
        cr_assert_eq(disk->changes_left, writes_left, "a failed journal was written to");
        sim_disk_crash(disk);
        must(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error), &error);
        cr_assert_geq(found.seq, seq, "seed %" PRIu64, seed);
        cr_assert_leq(found.seq, seq + count, "seed %" PRIu64, seed);
        journal_close(journal);
        sim_disk_free(disk);
    }
    free(disk);
}

/* The system takes for written what a failed sync lost: another sync alone would not write it. */
Test(journal, what_a_restart_after_a_failed_sync_takes_over_survives_a_crash)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    uint64_t taken_over = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        sim_disk_init(disk, seed);
        struct error error;
        struct found found;
        struct journal *journal;
        uint64_t seq = 0;
        enum journal_durability durability = seed % 2 == 0 ? JOURNAL_SYNC : JOURNAL_OS;
        must(open_journal(disk, 1 << 16, durability, &found, &journal, &error), &error);
        disk->syncs_left = seed;
        int64_t now_ns = 0;
        int rc = 0;
        while (rc == 0) {
            rc = append(journal, &seq, 30, &error);
            rc = rc == 0 ? journal_turn(journal, now_ns += 50000000, false, &error) : rc;
        }
        journal_close(journal);
        sim_disk_kill(disk);
        must(open_journal(disk, 1 << 16, durability, &found, &journal, &error), &error);
        uint64_t acknowledged = found.seq;
        taken_over += acknowledged > seq;
        journal_close(journal);
        sim_disk_crash(disk);
        must(open_journal(disk, 1 << 16, durability, &found, &journal, &error), &error);
        cr_assert_geq(found.seq, acknowledged, "seed %" PRIu64, seed);
        journal_close(journal);
        sim_disk_free(disk);
    }
    cr_assert_gt(taken_over, 0);
    free(disk);
}

Test(journal, halts_on_a_full_disk_and_goes_on_when_there_is_room)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    sim_disk_init(disk, 1);
    disk->capacity = 5 * JOURNAL_SEGMENT_BYTES_MIN;
    struct error error;
    struct found found;
    struct journal *journal;
    uint64_t seq = 0;
    must(open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_SYNC, &found, &journal, &error),
         &error);
    while (append(journal, &seq, 10, &error) == 0) {
    }
    cr_assert_not_null(strstr(error.text, "No space left on device"), "%s", error.text);
    journal_close(journal);
    sim_disk_crash(disk);
    disk->capacity *= 2;
    must(open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_SYNC, &found, &journal, &error),
         &error);
    cr_assert_eq(found.seq, seq);
    must(append(journal, &seq, 10, &error), &error);
    journal_close(journal);
    sim_disk_free(disk);
    free(disk);
}

Test(journal, names_segment_and_offset_of_every_flipped_bit)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    struct found *whole = malloc(sizeof(*whole));
    struct found *found = malloc(sizeof(*found));
    struct random random;
    random_seed(&random, 7);
    for (int round = 0; round < 400; round++) {
        sim_disk_init(disk, 7);
        make_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, 120);
        struct error error;
        struct journal *journal;
        must(open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_SYNC, whole, &journal, &error),
             &error);
        journal_close(journal);
        uint64_t victim = random_below(&random, whole->batches);
        struct journal_mark at = whole->starts[victim];
        uint64_t length =
            victim + 1 < whole->batches && whole->starts[victim + 1].segment == at.segment
                ? whole->starts[victim + 1].offset - at.offset
                : COMMAND_SLOT_SIZE;
        char path[64];
        char place[128];
        snprintf(path, sizeof(path), "journal/%010" PRIu64 ".segment", at.segment);
        snprintf(place, sizeof(place), "%s offset %" PRIu64 ":", path, at.offset);
        sim_disk_rot(disk, path, at.offset + random_below(&random, length), (unsigned)round);
        int rc =
            open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_SYNC, found, &journal, &error);
        cr_assert_eq(rc, ERROR_CORRUPT, "batch %" PRIu64, victim);
        cr_assert_not_null(strstr(error.text, place), "%s, expected %s", error.text, place);
        sim_disk_free(disk);
    }
    free(found);
    free(whole);
    free(disk);
}

Test(journal, names_a_damaged_segment_header)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    sim_disk_init(disk, 3);
    make_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, 120);
    sim_disk_rot(disk, "journal/0000000002.segment", 60, 3);
    struct error error;
    struct found found;
    struct journal *journal;
    cr_assert_eq(
        open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_SYNC, &found, &journal, &error),
        ERROR_CORRUPT);
    cr_assert_not_null(strstr(error.text, "journal/0000000002.segment offset 0"), "%s", error.text);
    sim_disk_free(disk);
    free(disk);
}

/* A journal whose last batch was torn: its last slot never reached the disk. With `marked` the
 * high-water mark stands behind it. */
static uint64_t make_torn(struct sim_disk *disk, bool marked)
{
    struct error error;
    struct found found;
    struct journal *journal;
    uint64_t seq = make_journal(disk, 1 << 16, 20);
    must(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error), &error);
    uint64_t before = seq;
    must(append(journal, &seq, 3, &error), &error);
    if (marked) {
        must(journal_turn(journal, NS_PER_SECOND, false, &error), &error);
    }
    struct journal_mark end = journal_mark(journal);
    disk->off = true; /* the process ends before it can write the mark */
    journal_close(journal);
    sim_disk_kill(disk);
    static const uint8_t zeros[COMMAND_SLOT_SIZE];
    int file = disk->files.open(disk, "journal/0000000001.segment", FILE_WRITE);
    cr_assert_eq(
        file_write_exact(&disk->files, file, zeros, sizeof(zeros), end.offset - sizeof(zeros)), 0);
    cr_assert_eq(disk->files.fdatasync(disk, file), 0);
    return before;
}

Test(journal, cuts_a_torn_tail_above_the_mark)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    sim_disk_init(disk, 5);
    uint64_t seq = make_torn(disk, false);
    struct error error;
    struct found found;
    struct journal *journal;
    must(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error), &error);
    cr_assert_eq(found.seq, seq);
    cr_assert_eq(found.cut, 3 * COMMAND_SLOT_SIZE);
    must(append(journal, &seq, 2, &error), &error);
    journal_close(journal);
    must(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error), &error);
    cr_assert_eq(found.seq, seq);
    cr_assert_eq(found.cut, 0);
    journal_close(journal);
    sim_disk_free(disk);
    free(disk);
}

Test(journal, refuses_the_same_tail_below_the_mark)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    sim_disk_init(disk, 5);
    make_torn(disk, true);
    struct error error;
    struct found found;
    struct journal *journal;
    cr_assert_eq(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error),
                 ERROR_CORRUPT);
    cr_assert_not_null(strstr(error.text, "high-water mark"), "%s", error.text);
    sim_disk_free(disk);
    free(disk);
}

Test(journal, refuses_a_bad_batch_above_the_mark_when_a_good_one_follows)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    sim_disk_init(disk, 6);
    struct error error;
    struct found found;
    struct journal *journal;
    uint64_t seq = make_journal(disk, 1 << 16, 20);
    must(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error), &error);
    struct journal_mark first = journal_mark(journal);
    for (int i = 0; i < 3; i++) {
        must(append(journal, &seq, 2, &error), &error);
    }
    disk->off = true;
    journal_close(journal);
    sim_disk_kill(disk);
    sim_disk_rot(disk, "journal/0000000001.segment", first.offset + 200, 1);
    cr_assert_eq(open_journal(disk, 1 << 16, JOURNAL_SYNC, &found, &journal, &error),
                 ERROR_CORRUPT);
    cr_assert_not_null(strstr(error.text, "a good batch follows"), "%s", error.text);
    sim_disk_free(disk);
    free(disk);
}

Test(journal, refuses_other_table_sizes_and_says_which)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    sim_disk_init(disk, 9);
    make_journal(disk, 1 << 16, 5);
    struct error error;
    struct journal *journal;
    struct journal_options options = {
        .files = &disk->files,
        .folder = "journal",
        .segment_bytes = 1 << 16,
        .rules_version = 1,
        .tables = {.orders = 1000, .keys = 11},
    };
    cr_assert_eq(journal_open(&journal, &options, &error), ERROR_MISMATCH);
    cr_assert_not_null(strstr(error.text, "keys = 10"), "%s", error.text);
    options.tables.keys = 10;
    options.rules_version = 2;
    cr_assert_eq(journal_open(&journal, &options, &error), ERROR_MISMATCH);
    options.rules_version = 1;
    must(journal_open(&journal, &options, &error), &error);
    journal_close(journal);
    sim_disk_free(disk);
    free(disk);
}

Test(journal, names_what_is_missing)
{
    static const char *const missing[] = {"journal/0000000001.segment",
                                          "journal/0000000002.segment",
                                          "journal/0000000006.segment", "journal/high_water"};
    struct sim_disk *disk = malloc(sizeof(*disk));
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        sim_disk_init(disk, 11);
        make_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, 120);
        cr_assert(sim_disk_exists(disk, "journal/0000000006.segment"));
        cr_assert(!sim_disk_exists(disk, "journal/0000000007.segment"));
        must(disk->files.unlink(disk, missing[i]), NULL);
        struct error error;
        struct found found;
        struct journal *journal;
        cr_assert_lt(
            open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_SYNC, &found, &journal, &error),
            0, "without %s", missing[i]);
        sim_disk_free(disk);
    }
    free(disk);
}

Test(journal, reader_follows_up_to_the_mark_and_no_further)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    sim_disk_init(disk, 13);
    struct error error;
    struct found found;
    struct journal *journal;
    struct journal_reader *reader;
    struct journal_batch batch;
    struct random random;
    random_seed(&random, 13);
    uint64_t seq = 0;
    must(open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_SYNC, &found, &journal, &error),
         &error);
    must(journal_reader_open(&reader, &disk->files, "journal", &error), &error);
    memset(&found, 0, sizeof(found));
    struct journal_mark limit = journal_mark(journal);
    for (int i = 0; i < 500; i++) {
        must(append(journal, &seq, 1 + (uint32_t)random_below(&random, 30), &error), &error);
        if (random_below(&random, 3) == 0) {
            limit = journal_mark(journal);
        }
        int rc;
        while ((rc = journal_reader_next(reader, &limit, &batch, &error)) == 1) {
            replay(&found, &batch);
        }
        must(rc, &error);
        cr_assert_eq(found.seq, limit.seq);
    }
    journal_reader_close(reader);
    journal_close(journal);
    sim_disk_free(disk);
    free(disk);
}

Test(journal, survives_a_crash_of_the_machine_without_sync_as_a_prefix)
{
    struct sim_disk *disk = malloc(sizeof(*disk));
    for (uint64_t seed = 1; seed <= 100; seed++) {
        sim_disk_init(disk, seed);
        struct error error;
        struct found found;
        struct journal *journal;
        uint64_t seq = 0;
        must(open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_OS, &found, &journal, &error),
             &error);
        uint64_t marked = 0;
        for (uint64_t i = 0; i < seed; i++) {
            must(append(journal, &seq, 7, &error), &error);
            if (i % 9 == 8) {
                must(journal_turn(journal, (int64_t)i * NS_PER_SECOND, false, &error), &error);
                marked = seq;
            }
        }
        disk->off = true;
        journal_close(journal);
        sim_disk_crash(disk);
        int rc =
            open_journal(disk, JOURNAL_SEGMENT_BYTES_MIN, JOURNAL_OS, &found, &journal, &error);
        cr_assert_eq(rc, 0, "seed %" PRIu64 ": %s", seed, error.text);
        cr_assert_geq(found.seq, marked, "seed %" PRIu64, seed);
        cr_assert_leq(found.seq, seq, "seed %" PRIu64, seed);
        journal_close(journal);
        sim_disk_free(disk);
    }
    free(disk);
}
