/* What every program stands on: checksums, errors, time, configuration, files, memory. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/crc32c.h"
#include "base/endpoints.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "wire/seal.h"

static char folder[64];

static void folder_open(void)
{
    snprintf(folder, sizeof(folder), "/tmp/kashi-base-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void folder_close(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(system(command), 0);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(check, ends_the_process, .signal = SIGABRT)
{
    CHECK(1 + 1 == 3);
}

/* RFC 3720, section B.4. */
Test(crc32c, agrees_with_the_published_values)
{
    uint8_t bytes[32];
    memset(bytes, 0, sizeof(bytes));
    cr_assert_eq(crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof(bytes));
    cr_assert_eq(crc32c(0, bytes, 32), 0x62a8ab43u);
    for (uint8_t i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    cr_assert_eq(crc32c(0, bytes, 32), 0x46dd794eu);
    cr_assert_eq(crc32c(0, "123456789", 9), 0xe3069283u);
}

Test(crc32c, is_the_same_by_instruction_by_table_and_in_pieces)
{
    struct random random;
    random_seed(&random, 1);
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)random_next(&random);
    }
    for (int i = 0; i < 1000; i++) {
        size_t from = random_below(&random, 20);
        size_t size = random_below(&random, sizeof(bytes) - from);
        size_t cut = random_below(&random, size + 1);
        uint32_t whole = crc32c(0, bytes + from, size);
        cr_assert_eq(whole, crc32c_portable(0, bytes + from, size));
        cr_assert_eq(whole, crc32c(crc32c(0, bytes + from, cut), bytes + from + cut, size - cut));
    }
}

Test(seal, guards_every_byte_but_what_the_sequencer_stamps)
{
    union command_slot slots[2];
    memset(slots, 0, sizeof(slots));
    slots[0].command.head.type = COMMAND_REGISTER_RESOURCE;
    slots[0].command.head.slots = 2;
    struct command *command = &slots[0].command;
    seal_command(command);
    command->head.seq = 5;
    command->head.time_ns = 6;
    command->head.link = 7;
    cr_assert(seal_verify(command));
    uint8_t *bytes = slots[0].bytes;
    for (size_t i = 16; i < sizeof(slots); i++) {
        if (i == offsetof(struct command_head, slots) || i == offsetof(struct command_head, link) ||
            i == offsetof(struct command_head, link) + 1) {
            continue;
        }
        bytes[i] ^= 4;
        cr_assert(!seal_verify(command), "byte %zu", i);
        bytes[i] ^= 4;
    }
}

Test(error, gathers_context_on_the_way_up_and_never_overflows)
{
    struct error error;
    cr_assert_eq(error_system(&error, ENOSPC, "journal/%d", 7), ERROR_IO);
    cr_assert_eq(error_context(&error, "exchange %s", "east"), ERROR_IO);
    cr_assert_str_eq(error.text, "exchange east: journal/7: No space left on device");
    char wide[ERROR_TEXT_SIZE + 50];
    memset(wide, 'x', sizeof(wide));
    wide[sizeof(wide) - 1] = '\0';
    cr_assert_eq(error_set(&error, ERROR_INVALID, "%s", wide), ERROR_INVALID);
    cr_assert_eq(strlen(error.text), ERROR_TEXT_SIZE - 1);
    for (int i = 0; i < 100; i++) {
        error_context(&error, "context %d", i);
        cr_assert_lt(strlen(error.text), ERROR_TEXT_SIZE);
    }
}

Test(clock, reads_and_writes_utc)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t time_ns;
    cr_assert(clock_parse_utc("2026-11-21T00:00Z", &time_ns));
    cr_assert_eq(time_ns, INT64_C(1795219200) * 1000000000);
    clock_format_utc(time_ns + 1500, text);
    cr_assert_str_eq(text, "2026-11-21T00:00:00.000001500Z");
    cr_assert(clock_parse_utc(text, &time_ns));
    cr_assert_eq(time_ns, INT64_C(1795219200) * 1000000000 + 1500);
    cr_assert(clock_parse_utc("2028-02-29T23:59:59.5Z", &time_ns));
    static const char *const wrong[] = {"2026-11-21",
                                        "2026-11-21T00Z",
                                        "2026-11-21T00:00",
                                        "2026-11-21T24:00Z",
                                        "2026-13-21T00:00Z",
                                        "2026-02-30T00:00Z",
                                        "2026-11-21 00:00Z",
                                        "2026-11-21T00:00:00.Z",
                                        "2026-11-21T00:00:00.1234567890Z",
                                        "2026-11-21T00:00Zulu",
                                        ""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_assert(!clock_parse_utc(wrong[i], &time_ns), "%s passed", wrong[i]);
    }
}

Test(config, reads_sections_values_and_defaults)
{
    folder_open();
    write_text("kashi.ini", "; a market\n[exchange]\ndurability = os ; fast\norders = 17\n"
                            "[gateway.east]\nclients = tcp://127.0.0.1:*\nplain = yes\n"
                            "[gateway.west]\nplain = no\n[gateway.east]\nmore = 1\n");
    struct config config;
    struct error error;
    cr_assert_eq(config_load(&config, "kashi.ini", &error), 0, "%s", error.text);
    cr_assert_str_eq(config_text(&config, "exchange", "durability", "sync"), "os");
    cr_assert_str_eq(config_text(&config, "exchange", "clock", "real"), "real");
    cr_assert_str_eq(config_text(&config, "gateway.east", "clients", NULL), "tcp://127.0.0.1:*");
    int64_t number = 5;
    cr_assert_eq(config_int(&config, "exchange", "orders", 1, 17, &number, &error), 0);
    cr_assert_eq(number, 17);
    cr_assert_eq(config_int(&config, "exchange", "keys", 1, 17, &number, &error), 0);
    cr_assert_eq(number, 17, "the default stays");
    bool plain = false;
    cr_assert_eq(config_bool(&config, "gateway.east", "plain", &plain, &error), 0);
    cr_assert(plain);
    config_free(&config);
    folder_close();
}

Test(config, names_file_section_key_value_and_bounds)
{
    folder_open();
    write_text("kashi.ini", "[exchange]\norders = 18\nplain = perhaps\nkeys = 3x\nempty =\n");
    struct config config;
    struct error error;
    int64_t number = 0;
    bool flag = false;
    const char *text;
    cr_assert_eq(config_load(&config, "kashi.ini", &error), 0, "%s", error.text);
    cr_assert_eq(config_int(&config, "exchange", "orders", 1, 17, &number, &error), ERROR_INVALID);
    cr_assert_str_eq(error.text,
                     "kashi.ini: [exchange] orders = 18 is not a whole number within 1 .. 17");
    cr_assert_eq(config_int(&config, "exchange", "keys", 1, 17, &number, &error), ERROR_INVALID);
    cr_assert_eq(config_bool(&config, "exchange", "plain", &flag, &error), ERROR_INVALID);
    cr_assert_str_eq(error.text, "kashi.ini: [exchange] plain = perhaps is neither yes nor no");
    cr_assert_eq(config_text_required(&config, "exchange", "empty", &text, &error),
                 ERROR_NOT_FOUND);
    cr_assert_str_eq(error.text, "kashi.ini: [exchange] empty is missing; add `empty = ...`");
    static const char *const known[] = {"orders", "plain", NULL};
    static const char *const all[] = {"orders", "plain", "keys", "empty", NULL};
    cr_assert_lt(config_only(&config, "exchange", known, &error), 0);
    cr_assert_str_eq(error.text, "kashi.ini: [exchange] keys = 3x: the section has no such key; "
                                 "docs/operations.md lists them");
    cr_assert_eq(config_only(&config, "exchange", all, &error), 0);
    cr_assert_eq(config_only(&config, "elsewhere", known, &error), 0);
    config_free(&config);
    write_text("kashi.ini", "[a]\nb = 1\nb = 2\n");
    cr_assert_eq(config_load(&config, "kashi.ini", &error), ERROR_INVALID);
    cr_assert_str_eq(error.text, "kashi.ini: [a] b is given twice; keep one of them");
    write_text("kashi.ini", "[a]\nb = 1\nwhat\n");
    cr_assert_eq(config_load(&config, "kashi.ini", &error), ERROR_INVALID);
    cr_assert_not_null(strstr(error.text, "kashi.ini:3:"), "%s", error.text);
    cr_assert_eq(config_load(&config, "none.ini", &error), ERROR_IO);
    cr_assert_str_eq(error.text, "none.ini: cannot be read: No such file or directory");
    folder_close();
}

Test(endpoints, are_read_as_they_were_written)
{
    folder_open();
    struct error error;
    struct endpoint endpoints[] = {{"link", "ipc://link.sock"},
                                   {"clients", "tcp://127.0.0.1:4711"}};
    char address[ENDPOINT_SIZE];
    cr_assert_eq(endpoints_read("east", "clients", address, &error), ERROR_NOT_FOUND);
    cr_assert_eq(endpoints_write("east", endpoints, 2, &error), 0, "%s", error.text);
    cr_assert_eq(endpoints_read("east", "clients", address, &error), 0, "%s", error.text);
    cr_assert_str_eq(address, "tcp://127.0.0.1:4711");
    cr_assert_eq(endpoints_read("east", "tape", address, &error), ERROR_NOT_FOUND);
    endpoints_remove("east");
    cr_assert_eq(endpoints_read("east", "clients", address, &error), ERROR_NOT_FOUND);
    folder_close();
}

Test(file, reads_writes_renames_and_lists)
{
    folder_open();
    const struct file_system *files = file_posix();
    struct error error;
    cr_assert_eq(files->mkdir(files->context, "journal"), 0);
    cr_assert_eq(files->mkdir(files->context, "journal"), 0, "again is fine");
    cr_assert_eq(files->open(files->context, "journal/b", FILE_READ), -ENOENT);
    int file = files->open(files->context, "journal/b", FILE_WRITE | FILE_CREATE);
    cr_assert_geq(file, 0);
    cr_assert_eq(file_write_exact(files, file, "hours", 5, 3), 0);
    cr_assert_eq(files->fdatasync(files->context, file), 0);
    cr_assert_eq(files->size(files->context, file), 8);
    char bytes[8];
    cr_assert_eq(file_read_exact(files, file, bytes, 8, 0), 0);
    cr_assert_arr_eq(bytes, "\0\0\0hours", 8);
    cr_assert_eq(file_read_exact(files, file, bytes, 8, 1), -ENODATA);
    cr_assert_eq(files->truncate(files->context, file, 4), 0);
    cr_assert_eq(files->size(files->context, file), 4);
    files->close(files->context, file);
    cr_assert_eq(file_replace(files, "journal", "journal/a", "x", 1, &error), 0, "%s", error.text);
    char names[4][FILE_NAME_SIZE];
    cr_assert_eq(files->list(files->context, "journal", names, 4), 2);
    cr_assert_str_eq(names[0], "a");
    cr_assert_str_eq(names[1], "b");
    cr_assert_eq(files->list(files->context, "journal", NULL, 0), 2);
    cr_assert_eq(files->rename(files->context, "journal/a", "journal/c"), 0);
    cr_assert_eq(files->unlink(files->context, "journal/c"), 0);
    cr_assert_eq(files->list(files->context, "journal", names, 4), 1);
    cr_assert_eq(
        files->open(files->context, "journal/b", FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE),
        -EEXIST);
    folder_close();
}

Test(arena, gives_zeroed_aligned_memory_until_it_is_used_up)
{
    struct arena arena;
    struct error error;
    cr_assert_eq(arena_init(&arena, 4096, 0, &error), 0);
    uint8_t *first = arena_take(&arena, 100);
    uint8_t *second = arena_take(&arena, 100);
    cr_assert_eq((uintptr_t)second % ARENA_ALIGNMENT, 0);
    cr_assert_geq(second - first, 100);
    cr_assert_eq(first[99], 0);
    cr_assert_null(arena_take(&arena, 4096));
    cr_assert_not_null(arena_take(&arena, 4096 - 256));
    cr_assert_null(arena_take(&arena, 1));
    arena_free(&arena);
    arena_free(NULL);
}

Test(arena, zeroed_again_holds_no_memory)
{
    enum { PAGE = 4096, PAGES = 16 };
    struct arena arena;
    struct error error;
    unsigned char resident[PAGES];
    cr_assert_eq(arena_init(&arena, PAGES * PAGE, 0, &error), 0);
    uint8_t *memory = arena_take(&arena, PAGES * PAGE);
    arena_seal(&arena);
    memset(memory, 1, PAGES * PAGE);
    cr_assert_eq(mincore(memory, PAGES * PAGE, resident), 0);
    cr_assert_eq(resident[PAGES - 1] & 1, 1);
    arena_zero(&arena);
    cr_assert_eq(mincore(memory, PAGES * PAGE, resident), 0);
    for (int i = 0; i < PAGES; i++) {
        cr_assert_eq(resident[i] & 1, 0, "page %d", i);
    }
    for (int i = 0; i < PAGES * PAGE; i++) {
        cr_assert_eq(memory[i], 0, "byte %d", i);
    }
    arena_free(&arena);
}

Test(arena, gives_nothing_once_sealed, .signal = SIGABRT)
{
    struct arena arena;
    struct error error;
    cr_assert_eq(arena_init(&arena, 4096, 0, &error), 0);
    arena_seal(&arena);
    arena_take(&arena, 1);
}

Test(random, draws_the_same_for_the_same_seed_and_stays_in_bounds)
{
    struct random a, b;
    random_seed(&a, 42);
    random_seed(&b, 42);
    uint64_t seen = 0;
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(random_next(&a), random_next(&b));
        int64_t drawn = random_between(&a, -3, 3);
        random_between(&b, -3, 3);
        cr_assert(drawn >= -3 && drawn <= 3);
        seen |= UINT64_C(1) << (drawn + 3);
    }
    cr_assert_eq(seen, 127, "both ends are drawn");
}
