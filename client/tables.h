/* The product's own tables (data/, see data/README.md) in memory: what a new market is set up with
 * and what the demo draws its prices around. Units as in wire/units.h. One thread. */
#ifndef KASHI_CLIENT_TABLES_H
#define KASHI_CLIENT_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/contract.h"

#define TABLES_CLASSES_MAX 64
#define TABLES_REGIONS_MAX 64
#define TABLES_OFFERS_MAX  256
#define TABLES_ZONE_SIZE   8

struct tables_class {
    char name[NAME_SIZE];
    uint32_t lot;
    uint32_t memory_gib;
    uint32_t bf16_gflops;
    uint32_t host_power_w;
};

struct tables_region {
    char name[NAME_SIZE];
    char zone[TABLES_ZONE_SIZE];
    uint32_t grid_g_per_kwh_e2;
    uint32_t carbon_free_bp;
    uint8_t highest_tier;
};

struct tables_offer {
    char class_name[NAME_SIZE];
    char zone[TABLES_ZONE_SIZE];
    int64_t price_e4;
};

struct tables {
    struct tables_class classes[TABLES_CLASSES_MAX];
    struct tables_region regions[TABLES_REGIONS_MAX];
    struct tables_offer offers[TABLES_OFFERS_MAX];
    int64_t premium_share_bp[TIER_COUNT];
    int64_t carbon_price_e4;
    int64_t pue_e4;
    size_t class_count;
    size_t region_count;
    size_t offer_count;
};

/* Reads classes.csv, regions.csv, offers.csv, tiers.csv and energy.csv of `folder`. Errors name file
 * and line. */
int tables_load(struct tables *tables, const char *folder, struct error *error);

/* Price of a class in a region and tier: the zone's base price and the tier's premium, at least 1.
 * False: the class is not offered in the region's zone. */
bool tables_price(const struct tables *tables, const struct tables_class *class_,
                  const struct tables_region *region, uint8_t tier, int64_t *price_e4);

#endif
