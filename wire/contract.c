#include "wire/contract.h"

#include <string.h>

static bool table_find(const char (*table)[NAME_SIZE], uint32_t count, const char *name,
                       size_t length, uint16_t *id)
{
    if (length == 0 || length >= NAME_SIZE) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(table[i], name, length) == 0 && table[i][length] == '\0') {
            *id = (uint16_t)i;
            return true;
        }
    }
    return false;
}

bool contract_class_find(const struct contract_names *names, const char *name, size_t length,
                         uint16_t *class_id)
{
    return table_find(names->classes, names->class_count, name, length, class_id);
}

bool contract_region_find(const struct contract_names *names, const char *name, size_t length,
                          uint16_t *region_id)
{
    return table_find(names->regions, names->region_count, name, length, region_id);
}

static const char tier_names[TIER_COUNT][5] = {"G0", "G50", "G80", "G100"};

const char *tier_name(uint8_t tier)
{
    return tier < TIER_COUNT ? tier_names[tier] : "";
}

bool tier_parse(const char *text, size_t length, uint8_t *tier)
{
    for (uint8_t i = 0; i < TIER_COUNT; i++) {
        if (strlen(tier_names[i]) == length && memcmp(tier_names[i], text, length) == 0) {
            *tier = i;
            return true;
        }
    }
    return false;
}

/* Days since 1970-01-01 to a civil date and back, proleptic Gregorian: years are counted from
 * March, so that the leap day is the last of its year and months have a closed form. */
static void civil_from_days(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
    uint32_t z = days + 719468;
    uint32_t era = z / 146097;
    uint32_t day_of_era = z % 146097;
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

static uint32_t days_from_civil(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t y = month <= 2 ? year - 1 : year;
    uint32_t era = y / 400;
    uint32_t year_of_era = y % 400;
    uint32_t shifted = month > 2 ? month - 3 : month + 9;
    uint32_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void put_digits(char *text, uint32_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

static bool get_digits(const char *text, int digits, uint32_t *value)
{
    uint32_t v = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        v = v * 10 + (uint32_t)(text[i] - '0');
    }
    *value = v;
    return true;
}

void hour_format(uint32_t hour, char text[HOUR_TEXT_SIZE])
{
    uint32_t year, month, day;
    civil_from_days(hour / 24, &year, &month, &day);
    put_digits(text, year, 4);
    put_digits(text + 4, month, 2);
    put_digits(text + 6, day, 2);
    text[8] = 'T';
    put_digits(text + 9, hour % 24, 2);
    text[11] = 'Z';
    text[12] = '\0';
}

bool hour_parse(const char *text, size_t length, uint32_t *hour)
{
    uint32_t year, month, day, of_day;
    if (length != HOUR_TEXT_SIZE - 1 || text[8] != 'T' || text[11] != 'Z' ||
        !get_digits(text, 4, &year) || !get_digits(text + 4, 2, &month) ||
        !get_digits(text + 6, 2, &day) || !get_digits(text + 9, 2, &of_day)) {
        return false;
    }
    if (year < 1970 || year > 3800 || month < 1 || month > 12 || day < 1 || of_day > 23) {
        return false;
    }
    uint32_t days = days_from_civil(year, month, day);
    uint32_t y, m, d;
    civil_from_days(days, &y, &m, &d);
    /* 31 June would come back as 1 July: only a real date survives the round trip. */
    if (y != year || m != month || d != day || days * 24 + of_day > CONTRACT_HOUR_MAX) {
        return false;
    }
    *hour = days * 24 + of_day;
    return true;
}

size_t contract_format(const struct contract_names *names, uint64_t contract,
                       char symbol[SYMBOL_SIZE])
{
    uint16_t class_id = contract_class(contract);
    uint16_t region_id = contract_region(contract);
    symbol[0] = '\0';
    if (class_id >= names->class_count || region_id >= names->region_count ||
        contract_tier(contract) >= TIER_COUNT) {
        return 0;
    }
    const char *parts[3] = {names->classes[class_id], names->regions[region_id],
                            tier_names[contract_tier(contract)]};
    size_t used = 0;
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(parts[i]);
        memcpy(symbol + used, parts[i], length);
        used += length;
        symbol[used++] = '.';
    }
    hour_format(contract_hour(contract), symbol + used);
    return used + HOUR_TEXT_SIZE - 1;
}

bool contract_parse(const struct contract_names *names, const char *symbol, size_t length,
                    uint64_t *contract)
{
    const char *part[4];
    size_t part_length[4];
    int parts = 0;
    size_t start = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i == length || symbol[i] == '.') {
            if (parts == 4) {
                return false;
            }
            part[parts] = symbol + start;
            part_length[parts++] = i - start;
            start = i + 1;
        }
    }
    uint16_t class_id, region_id;
    uint8_t tier;
    uint32_t hour;
    if (parts != 4 || !contract_class_find(names, part[0], part_length[0], &class_id) ||
        !contract_region_find(names, part[1], part_length[1], &region_id) ||
        !tier_parse(part[2], part_length[2], &tier) ||
        !hour_parse(part[3], part_length[3], &hour)) {
        return false;
    }
    *contract = contract_pack(class_id, region_id, tier, hour);
    return true;
}
