/* Reasons: one enum, numbers that never change, names and sentences for people. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "wire/reject.h"

static const struct {
    uint16_t number;
    const char *name;
    const char *sentence;
} reasons[] = {
#define REASON_ROW(number, name, sentence) {number, #name, sentence},
    REASON_LIST(REASON_ROW)
#undef REASON_ROW
};
enum { REASONS = sizeof(reasons) / sizeof(reasons[0]) };

Test(reject, numbers_rise_and_names_and_sentences_are_unique)
{
    for (size_t i = 1; i < REASONS; i++) {
        cr_assert_lt(reasons[i - 1].number, reasons[i].number, "%s", reasons[i].name);
        for (size_t k = 0; k < i; k++) {
            cr_assert_str_neq(reasons[k].name, reasons[i].name);
            cr_assert_str_neq(reasons[k].sentence, reasons[i].sentence);
        }
    }
}

Test(reject, every_number_has_its_name_and_sentence)
{
    size_t next = 0;
    for (uint32_t number = 0; number <= UINT16_MAX; number++) {
        if (next < REASONS && reasons[next].number == number) {
            cr_assert_str_eq(reason_name((uint16_t)number), reasons[next].name);
            cr_assert_str_eq(reason_sentence((uint16_t)number), reasons[next].sentence);
            next++;
        } else {
            cr_assert_str_eq(reason_name((uint16_t)number), "UNKNOWN");
            cr_assert(strlen(reason_sentence((uint16_t)number)) > 0);
        }
    }
    cr_assert_eq(next, (size_t)REASONS);
}

Test(reject, sentences_read_as_sentences_without_a_full_stop)
{
    for (size_t i = 0; i < REASONS; i++) {
        const char *sentence = reasons[i].sentence;
        size_t length = strlen(sentence);
        cr_assert(length >= 8 && length <= 100, "%s", reasons[i].name);
        cr_assert_not(isupper((unsigned char)sentence[0]), "%s", reasons[i].name);
        cr_assert(isalnum((unsigned char)sentence[length - 1]) || sentence[length - 1] == '\'',
                  "%s", reasons[i].name);
    }
}

Test(reject, the_rulebooks_table_names_only_reasons_that_exist)
{
    FILE *file = fopen("docs/rulebook.md", "r");
    cr_assert_not_null(file);
    char line[1024];
    size_t named = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        for (char *at = line[0] == '|' ? strchr(line, '`') : NULL; at != NULL;
             at = strchr(at + 1, '`')) {
            size_t length = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
            if (length < 4 || at[1 + length] != '`') {
                continue;
            }
            bool found = false;
            for (size_t i = 0; i < REASONS; i++) {
                found |= strlen(reasons[i].name) == length &&
                         memcmp(reasons[i].name, at + 1, length) == 0;
            }
            cr_assert(found, "%.*s", (int)length, at + 1);
            named++;
        }
    }
    fclose(file);
    cr_assert_gt(named, (size_t)25);
}
