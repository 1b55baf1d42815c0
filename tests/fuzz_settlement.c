/* Any bytes as events of the tape: rows are made or refused, within their buffers. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "settlement/core/ledger.h"
#include "settlement/core/rows.h"

static uint8_t memory[ROWS_MEMORY_SIZE];
static struct rows rows;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledger_place place = {0, 0, 0};
    rows_init(&rows, memory);
    for (size_t at = 0; at + EVENT_SIZE <= size && rows_room(&rows); at += EVENT_SIZE) {
        struct event event;
        memcpy(&event, data + at, sizeof(event));
        (void)ledger_follow(&place, &event.head);
        uint64_t postings = rows.tables[ROWS_POSTINGS].count;
        if (rows_add(&rows, &event) != ROWS_OK) {
            CHECK(rows.tables[ROWS_POSTINGS].count == postings);
        }
    }
    for (int table = 0; table < ROWS_TABLE_COUNT; table++) {
        if (rows.tables[table].count > 0) {
            rows_close(&rows.tables[table]);
        }
        CHECK(rows.tables[table].size <= rows.tables[table].capacity);
    }
    return 0;
}
