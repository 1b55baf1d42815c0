/* The journal's bytes on the disk, shared by those who write, read and recover it. Little-endian;
 * reserved bytes are zero. See exchange/journal.h for what they mean. A journal_format belongs to one
 * thread at a time. */
#ifndef KASHI_EXCHANGE_JOURNAL_FORMAT_H
#define KASHI_EXCHANGE_JOURNAL_FORMAT_H

#include <assert.h>
#include <openssl/evp.h>

#include "exchange/journal.h"

#define JOURNAL_VERSION       2
#define JOURNAL_SEGMENT_MAGIC UINT64_C(0x4745534948534b4a) /* "JKSHISEG" */
#define JOURNAL_BATCH_MAGIC   UINT64_C(0x5441424948534b4a) /* "JKSHIBAT" */
#define JOURNAL_MARK_MAGIC    UINT64_C(0x4b524d4948534b4a) /* "JKSHIMRK" */
#define JOURNAL_PAGE_SIZE     4096                         /* the segment's header has it alone */
#define JOURNAL_PREPARED      "next.prepared"
#define JOURNAL_HIGH_WATER    "high_water"

struct journal_segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t rules_version;
    uint64_t segment;
    uint64_t first_seq;
    uint64_t segment_bytes;
    struct engine_config tables;
    uint8_t chain[JOURNAL_CHAIN_SIZE]; /* of the last batch before this segment */
    uint8_t reserved[4];
    uint32_t crc; /* CRC32C over all bytes before it */
};
static_assert(sizeof(struct journal_segment_header) == 128, "segment header");

enum journal_batch_flags { JOURNAL_BATCH_SYNCED = 1 }; /* written with JOURNAL_SYNC */

struct journal_batch_header {
    uint64_t magic;
    uint32_t crc; /* CRC32C over header and slots, this field taken as zero */
    uint32_t flags;
    uint64_t first_seq;
    uint64_t last_seq;
    uint64_t segment; /* where it stands: a batch that strayed is not a batch */
    uint64_t offset;
    uint32_t count;                    /* slots */
    uint32_t length;                   /* bytes, header and slots */
    uint8_t chain[JOURNAL_CHAIN_SIZE]; /* SHA-256(chain before, header with crc and chain zero,
                                          slots) */
    uint8_t reserved[40];
};
static_assert(sizeof(struct journal_batch_header) == COMMAND_SLOT_SIZE, "batch header");

/* Two of these in `high_water`, a page apart and written in turn: one is always whole. */
struct journal_mark_record {
    uint64_t magic;
    uint64_t generation;
    struct journal_mark mark;
    uint8_t reserved[20];
    uint32_t crc; /* CRC32C over all bytes before it */
};
static_assert(sizeof(struct journal_mark_record) == 64, "mark record");

/* SHA-256 with the algorithm looked up once: the look-up costs more than the hash of a batch. */
struct journal_format {
    EVP_MD *sha256;
    EVP_MD_CTX *context;
};
int journal_format_init(struct journal_format *format, struct error *error);
void journal_format_free(struct journal_format *format);
/* The chain value of a batch; `header` is followed by its slots. */
void journal_format_chain(struct journal_format *format, const uint8_t before[JOURNAL_CHAIN_SIZE],
                          const struct journal_batch_header *header,
                          uint8_t chain[JOURNAL_CHAIN_SIZE]);
uint32_t journal_format_batch_crc(const struct journal_batch_header *header);
/* Whether a header can be one of this place, before its slots are looked at. */
bool journal_format_batch_plausible(const struct journal_batch_header *header, uint64_t segment,
                                    uint64_t offset, uint64_t segment_bytes);
void journal_format_segment_seal(struct journal_segment_header *header);
bool journal_format_segment_good(const struct journal_segment_header *header, uint64_t segment);
void journal_format_mark_seal(struct journal_mark_record *record);
bool journal_format_mark_good(const struct journal_mark_record *record);
void journal_format_path(const char *folder, const char *name, char path[FILE_PATH_SIZE]);
void journal_format_segment_path(const char *folder, uint64_t segment, char path[FILE_PATH_SIZE]);

#endif
