#include "settlement/migrate.h"

/* The assembler reads the files, relative to the folder in which make runs; a NUL ends each. */
#define MIGRATION_TEXT(symbol, path)                                                               \
    extern const char symbol[];                                                                    \
    __asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" path "\"\n.byte 0\n.popsection\n")

MIGRATION_TEXT(migration_001, "sql/001_ledger.sql");
MIGRATION_TEXT(migration_002, "sql/002_index.sql");
MIGRATION_TEXT(migration_003, "sql/003_trade_condition.sql");

const struct migration migrate_list[] = {
    {1, "001_ledger", migration_001},
    {2, "002_index", migration_002},
    {3, "003_trade_condition", migration_003},
};
const size_t migrate_count = sizeof(migrate_list) / sizeof(migrate_list[0]);
