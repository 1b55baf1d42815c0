/* Contracts: class x region x tier x delivery hour, packed into one 64-bit id, and their symbols
 * (`H100.CN-GZ.G80.20261121T14Z`). Ids of classes and regions are dense and given by the core in
 * the registering command's event; the tables that map them to names are the caller's.
 * Pure; any thread. */
#ifndef KASHI_WIRE_CONTRACT_H
#define KASHI_WIRE_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tier { TIER_G0 = 0, TIER_G50 = 1, TIER_G80 = 2, TIER_G100 = 3 };
#define TIER_COUNT 4

#define NAME_SIZE         16 /* class and region names: at most 15 bytes, NUL-padded */
#define CLASS_COUNT_MAX   256
#define REGION_COUNT_MAX  256
#define CONTRACT_HOUR_MAX 0xffffff
#define SYMBOL_SIZE       64 /* longest symbol with its NUL: 15 + 1 + 15 + 1 + 4 + 1 + 12 + 1 */

/* bits 63..48 class, 47..32 region, 31..24 tier, 23..0 hours since 1970-01-01T00Z */
static inline uint64_t contract_pack(uint16_t class_id, uint16_t region_id, uint8_t tier,
                                     uint32_t hour)
{
    return (uint64_t)class_id << 48 | (uint64_t)region_id << 32 | (uint64_t)tier << 24 |
           (hour & CONTRACT_HOUR_MAX);
}
static inline uint16_t contract_class(uint64_t contract)
{
    return (uint16_t)(contract >> 48);
}
static inline uint16_t contract_region(uint64_t contract)
{
    return (uint16_t)(contract >> 32);
}
static inline uint8_t contract_tier(uint64_t contract)
{
    return (uint8_t)(contract >> 24);
}
static inline uint32_t contract_hour(uint64_t contract)
{
    return (uint32_t)contract & CONTRACT_HOUR_MAX;
}
static inline uint64_t contract_with_tier(uint64_t contract, uint8_t tier)
{
    return (contract & ~UINT64_C(0xff000000)) | (uint64_t)tier << 24;
}

/* Names by dense id; an unused entry is an empty string. */
struct contract_names {
    uint32_t class_count;
    uint32_t region_count;
    char classes[CLASS_COUNT_MAX][NAME_SIZE];
    char regions[REGION_COUNT_MAX][NAME_SIZE];
};

/* A name of a class or region is 1..15 of A-Z a-z 0-9 and '-', not beginning with '-'. Inline, so
 * that the core needs no object but its own. */
static inline bool contract_name_valid(const char *name, size_t length)
{
    if (length == 0 || length >= NAME_SIZE) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  (c == '-' && i > 0);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Ids by name; false when unknown. `length` excludes any NUL. */
bool contract_class_find(const struct contract_names *names, const char *name, size_t length,
                         uint16_t *class_id);
bool contract_region_find(const struct contract_names *names, const char *name, size_t length,
                          uint16_t *region_id);
/* "G0" "G50" "G80" "G100". */
const char *tier_name(uint8_t tier);
bool tier_parse(const char *text, size_t length, uint8_t *tier);

/* "20261121T14Z" and back; exact form only. */
#define HOUR_TEXT_SIZE 13
void hour_format(uint32_t hour, char text[HOUR_TEXT_SIZE]);
bool hour_parse(const char *text, size_t length, uint32_t *hour);

/* Writes the symbol and its NUL; returns its length, 0 when a part has no name. */
size_t contract_format(const struct contract_names *names, uint64_t contract,
                       char symbol[SYMBOL_SIZE]);
/* Takes exactly `length` bytes as one symbol; false when any part is malformed or unknown. */
bool contract_parse(const struct contract_names *names, const char *symbol, size_t length,
                    uint64_t *contract);

#endif
