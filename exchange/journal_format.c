#include "exchange/journal_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/crc32c.h"

int journal_format_init(struct journal_format *format, struct error *error)
{
    format->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    format->context = EVP_MD_CTX_new();
    if (format->sha256 == NULL || format->context == NULL) {
        journal_format_free(format);
        return error_set(error, ERROR_IO, "OpenSSL offers no SHA-256");
    }
    return 0;
}

void journal_format_free(struct journal_format *format)
{
    EVP_MD_CTX_free(format->context);
    EVP_MD_free(format->sha256);
    format->context = NULL;
    format->sha256 = NULL;
}

static size_t slots_size(const struct journal_batch_header *header)
{
    return (size_t)header->count * COMMAND_SLOT_SIZE;
}

void journal_format_chain(struct journal_format *format, const uint8_t before[JOURNAL_CHAIN_SIZE],
                          const struct journal_batch_header *header,
                          uint8_t chain[JOURNAL_CHAIN_SIZE])
{
    struct journal_batch_header bare = *header;
    bare.crc = 0;
    memset(bare.chain, 0, sizeof(bare.chain));
    EVP_MD_CTX *context = format->context;
    CHECK(EVP_DigestInit_ex2(context, format->sha256, NULL) == 1);
    CHECK(EVP_DigestUpdate(context, before, JOURNAL_CHAIN_SIZE) == 1);
    CHECK(EVP_DigestUpdate(context, &bare, sizeof(bare)) == 1);
    CHECK(EVP_DigestUpdate(context, header + 1, slots_size(header)) == 1);
    CHECK(EVP_DigestFinal_ex(context, chain, NULL) == 1);
}

uint32_t journal_format_batch_crc(const struct journal_batch_header *header)
{
    struct journal_batch_header bare = *header;
    bare.crc = 0;
    return crc32c(crc32c(0, &bare, sizeof(bare)), header + 1, slots_size(header));
}

bool journal_format_batch_plausible(const struct journal_batch_header *header, uint64_t segment,
                                    uint64_t offset, uint64_t segment_bytes)
{
    return header->magic == JOURNAL_BATCH_MAGIC && header->segment == segment &&
           header->offset == offset && header->count >= 1 &&
           header->count <= JOURNAL_BATCH_SLOTS_MAX &&
           header->length == sizeof(*header) + slots_size(header) &&
           header->length <= segment_bytes - offset && header->first_seq <= header->last_seq;
}

static uint32_t segment_crc(const struct journal_segment_header *header)
{
    return crc32c(0, header, offsetof(struct journal_segment_header, crc));
}

void journal_format_segment_seal(struct journal_segment_header *header)
{
    header->crc = segment_crc(header);
}

bool journal_format_segment_good(const struct journal_segment_header *header, uint64_t segment)
{
    return header->magic == JOURNAL_SEGMENT_MAGIC && header->crc == segment_crc(header) &&
           header->segment == segment && header->segment_bytes >= JOURNAL_SEGMENT_BYTES_MIN &&
           header->segment_bytes <= JOURNAL_SEGMENT_BYTES_MAX;
}

static uint32_t mark_crc(const struct journal_mark_record *record)
{
    return crc32c(0, record, offsetof(struct journal_mark_record, crc));
}

void journal_format_mark_seal(struct journal_mark_record *record)
{
    record->crc = mark_crc(record);
}

bool journal_format_mark_good(const struct journal_mark_record *record)
{
    return record->magic == JOURNAL_MARK_MAGIC && record->crc == mark_crc(record);
}

void journal_format_path(const char *folder, const char *name, char path[FILE_PATH_SIZE])
{
    CHECK(snprintf(path, FILE_PATH_SIZE, "%s/%s", folder, name) < FILE_PATH_SIZE);
}

void journal_format_segment_path(const char *folder, uint64_t segment, char path[FILE_PATH_SIZE])
{
    char name[FILE_NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%010" PRIu64 ".segment", segment);
    journal_format_path(folder, name, path);
}
