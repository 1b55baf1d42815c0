/* Whatever bytes a segment, the prepared file's place or the high-water mark hold, opening a journal
 * ends in good order: it is taken, or refused with a sentence. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/journal_format.h"
#include "tests/sim_disk.h"

#define SEGMENT_BYTES JOURNAL_SEGMENT_BYTES_MIN

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct journal *open_journal(struct sim_disk *disk, struct error *error)
{
    struct journal_options options = {
        .files = &disk->files,
        .folder = "journal",
        .segment_bytes = SEGMENT_BYTES,
        .rules_version = 1,
    };
    struct journal *journal;
    return journal_open(&journal, &options, error) == 0 ? journal : NULL;
}

static void overwrite(struct sim_disk *disk, const char *path, const uint8_t *data, size_t size,
                      uint64_t offset)
{
    int file = disk->files.open(disk, path, FILE_WRITE);
    CHECK(file >= 0 && file_write_exact(&disk->files, file, data, size, offset) == 0);
}

/* The checksum is made to fit, or nothing would ever get past it. */
static void seal_batch(uint8_t *bytes, size_t size)
{
    struct journal_batch_header header;
    if (size < sizeof(header)) {
        return;
    }
    memcpy(&header, bytes, sizeof(header));
    header.magic = JOURNAL_BATCH_MAGIC;
    header.segment = 1;
    if (header.count <= (size - sizeof(header)) / COMMAND_SLOT_SIZE) {
        memcpy(bytes, &header, sizeof(header));
        header.crc = journal_format_batch_crc((const struct journal_batch_header *)(void *)bytes);
        memcpy(bytes, &header, sizeof(header));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sim_disk disk;
    struct error error;
    if (size < 2 || size > SEGMENT_BYTES - JOURNAL_PAGE_SIZE) {
        return 0;
    }
    sim_disk_init(&disk, 1);
    struct journal *journal = open_journal(&disk, &error);
    CHECK(journal != NULL);
    memset(journal_batch_slots(journal), 0, 3 * COMMAND_SLOT_SIZE);
    CHECK(journal_append(journal, 3, 1, 3, &error) == 0);
    uint64_t end = journal_mark(journal).offset;
    journal_close(journal);

    uint64_t place = data[0] % 2 == 0 ? end : 0;
    uint8_t *bytes = aligned_alloc(64, (size + 63) / 64 * 64);
    CHECK(bytes != NULL);
    memcpy(bytes, data, size);
    if (data[1] % 2 == 0) {
        seal_batch(bytes, size);
    }
    if (size > SEGMENT_BYTES - place) {
        size = SEGMENT_BYTES - place;
    }
    overwrite(&disk, data[0] % 3 == 0 ? "journal/high_water" : "journal/0000000001.segment", bytes,
              size, place);
    journal = open_journal(&disk, &error);
    if (journal != NULL) {
        CHECK(journal_mark(journal).seq >= 3);
        journal_close(journal);
    } else {
        CHECK(error.code < 0 && error.text[0] != '\0');
    }
    free(bytes);
    sim_disk_free(&disk);
    return 0;
}
