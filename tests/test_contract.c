/* Contracts, symbols, hours, and the checked arithmetic of wire/units.h. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "wire/contract.h"
#include "wire/units.h"

static struct contract_names names(void)
{
    struct contract_names table;
    memset(&table, 0, sizeof(table));
    table.class_count = 3;
    strcpy(table.classes[0], "H100");
    strcpy(table.classes[1], "A100-80");
    strcpy(table.classes[2], "H100-SXM5-80GB0"); /* 15 characters: the longest */
    table.region_count = 3;
    strcpy(table.regions[0], "CN-GZ");
    strcpy(table.regions[1], "US-OR");
    strcpy(table.regions[2], "ABCDEFGHIJKLMNO");
    return table;
}

Test(contract, parts_survive_packing)
{
    static const uint16_t ids[] = {0, 1, 255, 256, 65535};
    static const uint32_t hours[] = {0, 1, 498662, CONTRACT_HOUR_MAX};
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 4; k++) {
            for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
                uint64_t contract = contract_pack(ids[i], ids[4 - i], tier, hours[k]);
                cr_assert_eq(contract_class(contract), ids[i]);
                cr_assert_eq(contract_region(contract), ids[4 - i]);
                cr_assert_eq(contract_tier(contract), tier);
                cr_assert_eq(contract_hour(contract), hours[k]);
                cr_assert_eq(contract_with_tier(contract, 2),
                             contract_pack(ids[i], ids[4 - i], 2, hours[k]));
            }
        }
    }
}

Test(contract, the_worked_symbol_goes_both_ways)
{
    struct contract_names table = names();
    uint64_t contract = 0;
    const char *symbol = "H100.CN-GZ.G80.20261121T14Z";
    cr_assert(contract_parse(&table, symbol, strlen(symbol), &contract));
    /* 2026-11-21 is day 20778 since 1970. */
    cr_assert_eq(contract, contract_pack(0, 0, TIER_G80, 20778 * 24 + 14));
    char text[SYMBOL_SIZE];
    cr_assert_eq(contract_format(&table, contract, text), strlen(symbol));
    cr_assert_str_eq(text, symbol);
}

Test(contract, every_symbol_of_the_tables_comes_back)
{
    struct contract_names table = names();
    for (uint16_t class_id = 0; class_id < 3; class_id++) {
        for (uint16_t region_id = 0; region_id < 3; region_id++) {
            for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
                uint64_t contract = contract_pack(class_id, region_id, tier, 498000 + tier * 777U);
                char text[SYMBOL_SIZE];
                size_t length = contract_format(&table, contract, text);
                uint64_t parsed = 0;
                cr_assert(length > 0 && length < SYMBOL_SIZE && text[length] == '\0');
                cr_assert(contract_parse(&table, text, length, &parsed), "%s", text);
                cr_assert_eq(parsed, contract, "%s", text);
            }
        }
    }
}

Test(contract, what_has_no_name_has_no_symbol)
{
    struct contract_names table = names();
    char text[SYMBOL_SIZE];
    cr_assert_eq(contract_format(&table, contract_pack(3, 0, 0, 1), text), 0);
    cr_assert_eq(contract_format(&table, contract_pack(0, 3, 0, 1), text), 0);
    cr_assert_eq(contract_format(&table, contract_pack(0, 0, TIER_COUNT, 1), text), 0);
    cr_assert(contract_format(&table, contract_pack(0, 0, 0, 1), text) > 0);
}

Test(contract, symbols_that_are_not_exact_are_refused)
{
    static const char *const wrong[] = {
        "",
        "H100",
        "H100.CN-GZ.G80",
        "H100.CN-GZ.G80.",
        "H100.CN-GZ.G80.20261121T14",
        "H100.CN-GZ.G80.20261121T14Z ",
        " H100.CN-GZ.G80.20261121T14Z",
        "H100.CN-GZ.G80.20261121T14Z.",
        "h100.CN-GZ.G80.20261121T14Z",
        "H10.CN-GZ.G80.20261121T14Z",
        "H1000.CN-GZ.G80.20261121T14Z",
        "H100.CN-G.G80.20261121T14Z",
        "H100.CN-GZ.G8.20261121T14Z",
        "H100.CN-GZ.G800.20261121T14Z",
        "H100.CN-GZ.g80.20261121T14Z",
        "H100..G80.20261121T14Z",
        ".CN-GZ.G80.20261121T14Z",
        "H100.CN-GZ..20261121T14Z",
        "H100.CN-GZ.G80.20261121t14Z",
        "H100.CN-GZ.G80.20261121T24Z",
        "H100.CN-GZ.G80.20260230T14Z",
        "H100.CN-GZ.G80.20261321T14Z",
        "H100.CN-GZ.G80.20260021T14Z",
        "H100.CN-GZ.G80.20261100T14Z",
        "H100.CN-GZ.G80.2026-1-1T14Z",
        "H100.CN-GZ.G80.+0261121T14Z",
        "H100.CN-GZ.G80.19691231T23Z",
    };
    struct contract_names table = names();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint64_t contract = 77;
        cr_assert_not(contract_parse(&table, wrong[i], strlen(wrong[i]), &contract), "%s",
                      wrong[i]);
        cr_assert_eq(contract, 77, "%s", wrong[i]);
    }
    const char *symbol = "H100.CN-GZ.G80.20261121T14Z";
    uint64_t contract = 0;
    for (size_t length = 0; length < strlen(symbol); length++) {
        cr_assert_not(contract_parse(&table, symbol, length, &contract), "%zu bytes", length);
    }
}

Test(contract, hours_agree_with_the_calendar_of_the_c_library)
{
    for (uint32_t hour = 0; hour < 16000000; hour += 4999) {
        time_t seconds = (time_t)hour * 3600;
        struct tm civil;
        char expected[32];
        char text[HOUR_TEXT_SIZE];
        uint32_t parsed = 0;
        strftime(expected, sizeof(expected), "%Y%m%dT%HZ", gmtime_r(&seconds, &civil));
        hour_format(hour, text);
        cr_assert_str_eq(text, expected);
        cr_assert(hour_parse(text, strlen(text), &parsed), "%s", text);
        cr_assert_eq(parsed, hour, "%s", text);
    }
}

Test(contract, leap_days_exist_in_leap_years_only)
{
    uint32_t hour;
    cr_assert(hour_parse("20240229T00Z", 12, &hour));
    cr_assert(hour_parse("20000229T00Z", 12, &hour));
    cr_assert_not(hour_parse("20230229T00Z", 12, &hour));
    cr_assert_not(hour_parse("21000229T00Z", 12, &hour));
}

Test(contract, tiers_have_names)
{
    uint8_t tier = 9;
    cr_assert_str_eq(tier_name(TIER_G0), "G0");
    cr_assert_str_eq(tier_name(TIER_G100), "G100");
    cr_assert_str_eq(tier_name(TIER_COUNT), "");
    cr_assert(tier_parse("G50", 3, &tier));
    cr_assert_eq(tier, TIER_G50);
    cr_assert_not(tier_parse("G50", 2, &tier));
    cr_assert_not(tier_parse("G1000", 5, &tier));
    cr_assert_not(tier_parse("", 0, &tier));
}

Test(contract, names_are_letters_digits_and_inner_hyphens)
{
    cr_assert(contract_name_valid("H100", 4));
    cr_assert(contract_name_valid("a-1", 3));
    cr_assert(contract_name_valid("ABCDEFGHIJKLMNO", 15));
    cr_assert_not(contract_name_valid("ABCDEFGHIJKLMNOP", 16));
    cr_assert_not(contract_name_valid("", 0));
    cr_assert_not(contract_name_valid("-A", 2));
    cr_assert_not(contract_name_valid("A.B", 3));
    cr_assert_not(contract_name_valid("A B", 3));
    cr_assert_not(contract_name_valid("A\0B", 3));
    cr_assert_not(contract_name_valid("\xe5\x8d\xa1", 3));
}

Test(contract, a_delivery_day_runs_in_utc_plus_8)
{
    /* 2026-11-20T16Z is midnight of the 21st in UTC+8. */
    int64_t hour = 20777 * 24 + 16;
    cr_assert_eq(hour_delivery_day(hour), 20778);
    cr_assert_eq(hour_delivery_day(hour - 1), 20777);
    cr_assert_eq(delivery_day_first_hour(20778), hour);
}

Test(contract, money_that_does_not_fit_is_refused)
{
    int64_t money = 5;
    cr_assert_not(money_add(INT64_MAX, 1, &money));
    cr_assert_not(money_add(INT64_MIN, -1, &money));
    cr_assert_not(money_mul(INT64_MAX / 2 + 1, 2, &money));
    cr_assert_eq(money, 5);
    cr_assert(money_add(INT64_MAX, -1, &money));
    cr_assert_eq(money, INT64_MAX - 1);
    cr_assert(money_mul(PRICE_MAX_E4, QTY_MAX, &money));
    cr_assert_eq(money, PRICE_MAX_E4 * QTY_MAX);
}
