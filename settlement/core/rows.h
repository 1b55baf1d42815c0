/* From events to rows: what the tables of sql/ hold of an event, written in PostgreSQL's binary
 * COPY format (https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format"): a header, then
 * for each row the number of its fields and each field with its length, big-endian, then a trailer.
 *
 * Every table has a buffer of fixed size. When rows_room() says no, the caller sends and empties
 * them; that may happen within a command, but only a complete command may be committed.
 * Pure; one thread. */
#ifndef KASHI_SETTLEMENT_CORE_ROWS_H
#define KASHI_SETTLEMENT_CORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settlement/core/ledger.h"
#include "wire/contract.h"
#include "wire/event.h"

/* In the order in which they are sent. */
enum rows_table {
    ROWS_GENESIS,
    ROWS_CLASSES,
    ROWS_REGIONS,
    ROWS_MARKETS,
    ROWS_GROUPS,
    ROWS_ACCOUNTS,
    ROWS_RESOURCES,
    ROWS_FILLS,
    ROWS_CASH_MOVEMENTS,
    ROWS_POSTINGS,
    ROWS_TABLE_COUNT,
};
/* "COPY kashi.fills (seq, ...) FROM STDIN (FORMAT binary)" */
const char *rows_copy_statement(enum rows_table table);

struct rows_buffer {
    uint8_t *bytes;
    size_t capacity;
    size_t size;    /* 0 or header and rows; rows_close() adds the trailer */
    uint64_t count; /* rows */
};

struct rows {
    struct rows_buffer tables[ROWS_TABLE_COUNT];
    struct contract_names names;    /* for symbols; kept up by CLASS and REGION events */
    struct event_resource resource; /* waits for its RESOURCE_IDENTITY, the next event */
};

/* Memory for every buffer: fills and postings take most of it. */
#define ROWS_MEMORY_SIZE (16U << 20)
/* `memory` of ROWS_MEMORY_SIZE bytes is the caller's and outlives the rows. */
void rows_init(struct rows *rows, uint8_t *memory);
/* Empties the buffers; the names stay. */
void rows_clear(struct rows *rows);
/* Whether every buffer has room for any one event more. */
bool rows_room(const struct rows *rows);

enum rows_result {
    ROWS_OK,         /* its rows were added; events that concern no table have none */
    ROWS_IMPOSSIBLE, /* its numbers cannot be the exchange's (ledger_trade, ledger_cash) */
    ROWS_UNKNOWN,    /* it names a class or region that no event has registered */
};
/* CHECKs rows_room(). */
enum rows_result rows_add(struct rows *rows, const struct event *event);

/* Adds the trailer: what stands in bytes[0 .. size) is then one complete COPY. */
void rows_close(struct rows_buffer *buffer);

/* Registered already: for one who goes on where another left off. False: id or name not valid. */
bool rows_name_class(struct rows *rows, uint32_t class_id, const char *name);
bool rows_name_region(struct rows *rows, uint32_t region_id, const char *name);

/* Longest text of one field: every byte of an identifier may become a three-byte U+FFFD. */
#define ROWS_TEXT_SIZE (IDENTIFIER_SIZE * 3)
/* NUL-padded bytes to valid UTF-8, as PostgreSQL insists on it: what is none becomes U+FFFD, so
 * that no name, however odd, can stop the ledger. Returns the length; `out` gets no NUL. */
size_t rows_text(const char *bytes, size_t size, char out[ROWS_TEXT_SIZE]);

#endif
