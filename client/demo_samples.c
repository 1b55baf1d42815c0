#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/demo.h"
#include "client/found.h"
#include "wire/units.h"

#define PROVIDERS  3
#define BUYERS     3
#define ACCOUNTS   (PROVIDERS + BUYERS + 1) /* the last one is an analyst's */
#define LANES      4
#define GPUS       256
#define HOURS      24                          /* that the first offers cover */
#define DEPOSIT_E4 (INT64_C(5000000) * E4_ONE) /* ¥5 million each */
#define OFFER_LOTS 4
#define STEP_BP    100 /* between the offers of two providers */
#define TRY_HOURS  6   /* the hour that is suggested: from now */

static const struct {
    const char *class_name;
    const char *region;
} lanes[LANES] = {{"H100", "CN-GZ"}, {"A100-80", "CN-GD"}, {"910B", "CN-NM"}, {"4090", "CN-SH"}};

struct samples {
    struct demo_market *market;
    struct found_account accounts[ACCOUNTS];
    struct found_resource resources[PROVIDERS * LANES];
    struct request offers[HOURS];
    uint64_t refused;
};

static int on_message(void *context, uint32_t seat, const struct message *message,
                      struct error *error)
{
    struct samples *samples = context;
    (void)seat;
    (void)error;
    samples->refused +=
        message->type == MESSAGE_REJECT ||
        (message->type == MESSAGE_REPORT && message->report.exec_type == EXEC_REJECTED);
    return 0;
}

static int plan_accounts(struct samples *samples, struct found_plan *plan, struct error *error)
{
    for (uint32_t at = 0; at < ACCOUNTS; at++) {
        struct found_account *account = &samples->accounts[at];
        bool provider = at < PROVIDERS;
        bool analyst = at == ACCOUNTS - 1;
        account->roles = provider ? ROLE_PROVIDER : analyst ? ROLE_ANALYST : ROLE_BUYER;
        account->deposit_e4 = analyst ? 0 : DEPOSIT_E4;
        (void)snprintf(account->name, sizeof account->name, "%s-%u",
                       provider  ? "provider"
                       : analyst ? "analyst"
                                 : "buyer",
                       provider  ? at + 1
                       : analyst ? 1
                                 : at - PROVIDERS + 1);
    }
    const struct tables *tables = &samples->market->tables;
    for (uint32_t at = 0; at < PROVIDERS * LANES; at++) {
        struct found_resource *resource = &samples->resources[at];
        uint32_t lane = at / PROVIDERS;
        resource->owner = at % PROVIDERS;
        resource->gpus = GPUS;
        while (resource->class_ < tables->class_count &&
               strcmp(tables->classes[resource->class_].name, lanes[lane].class_name) != 0) {
            resource->class_++;
        }
        while (resource->region < tables->region_count &&
               strcmp(tables->regions[resource->region].name, lanes[lane].region) != 0) {
            resource->region++;
        }
        if (resource->class_ == tables->class_count || resource->region == tables->region_count) {
            return error_set(error, ERROR_NOT_FOUND, "data: no class %s or no region %s",
                             lanes[lane].class_name, lanes[lane].region);
        }
        resource->tier = tables->regions[resource->region].highest_tier;
    }
    *plan = (struct found_plan){.tables = tables,
                                .accounts = samples->accounts,
                                .account_count = ACCOUNTS,
                                .resources = samples->resources,
                                .resource_count =
                                    sizeof samples->resources / sizeof samples->resources[0],
                                .inner_band_bp = 1500,
                                .outer_band_bp = 3000,
                                .maker_bp = 5,
                                .taker_bp = 10};
    return 0;
}

/* A provider offers its resource in every hour of the next day, each provider a little dearer. */
static int offer_day(struct samples *samples, uint32_t seat, uint32_t place, struct error *error)
{
    const struct found_resource *resource = &samples->resources[place];
    const struct tables *tables = &samples->market->tables;
    const struct tables_class *class_ = &tables->classes[resource->class_];
    const struct tables_region *region = &tables->regions[resource->region];
    int64_t price_e4;
    if (!tables_price(tables, class_, region, resource->tier, &price_e4)) {
        return error_set(error, ERROR_NOT_FOUND, "data: %s has no price in %s", class_->name,
                         region->name);
    }
    price_e4 += price_e4 * STEP_BP * (1 + (int64_t)resource->owner) / BP_ONE;
    uint32_t first_hour = (uint32_t)(samples->market->now_ns / NS_PER_HOUR) + 2;
    for (uint32_t at = 0; at < HOURS; at++) {
        struct request *request = &samples->offers[at];
        char hour[HOUR_TEXT_SIZE];
        hour_format(first_hour + at, hour);
        *request = (struct request){.type = REQUEST_NEW_ORDER,
                                    .new_order = {.side = SIDE_SELL,
                                                  .price_e4 = price_e4,
                                                  .qty = (int64_t)class_->lot * OFFER_LOTS,
                                                  .resource = resource->resource}};
        (void)snprintf(request->new_order.symbol, sizeof request->new_order.symbol, "%s.%s.%s.%s",
                       class_->name, region->name, tier_name(resource->tier), hour);
    }
    int rc = kashi_session_send(desk_session(samples->market->desk, seat), samples->offers, HOURS,
                                error);
    return rc != 0 ? rc : desk_settle(samples->market->desk, DEMO_ANSWER_TIMEOUT_MS, error);
}

/* The first provider's shelves stay empty: they are for who tries the market. */
static int offer_all(struct samples *samples, struct error *error)
{
    for (uint32_t owner = 1; owner < PROVIDERS; owner++) {
        int seat = desk_sit(samples->market->desk, &samples->accounts[owner].key, owner,
                            KASHI_WINDOW_DEFAULT, error);
        if (seat < 0) {
            return seat;
        }
        int rc = desk_ready(samples->market->desk, DEMO_READY_TIMEOUT_MS, error);
        for (uint32_t lane = 0; rc == 0 && lane < LANES; lane++) {
            rc = offer_day(samples, (uint32_t)seat, lane * PROVIDERS + owner, error);
        }
        if (rc != 0) {
            return rc;
        }
    }
    if (samples->refused > 0) {
        return error_set(error, ERROR_INVALID, "%llu sample offers were refused",
                         (unsigned long long)samples->refused);
    }
    return 0;
}

/* The first provider's offer, a bid that takes half of it, and the book with the rest. */
static void print_commands(const struct samples *samples)
{
    const struct demo_market *market = samples->market;
    const struct found_resource *resource = &samples->resources[0];
    const char *tier = tier_name(resource->tier);
    int64_t offer_e4 = 0;
    (void)tables_price(&market->tables, &market->tables.classes[resource->class_],
                       &market->tables.regions[resource->region], resource->tier, &offer_e4);
    char where[512] = "";
    if (!market->default_directory) {
        (void)snprintf(where, sizeof where, " --dir %s", market->options.directory);
    }
    char contract[128];
    (void)snprintf(contract, sizeof contract, "--class %s --region %s --tier %s --hour +%d",
                   lanes[0].class_name, lanes[0].region, tier, TRY_HOURS);
    (void)printf("The market runs; Ctrl-C ends it. To try in a second terminal:\n\n"
                 "  bin/kashi offer%s --key provider-1 %s --qty 16 --price %" PRId64 ".%04" PRId64
                 " --resource %u\n"
                 "  bin/kashi bid%s --key buyer-1 %s --qty 8 --price %" PRId64 ".%04" PRId64 "\n"
                 "  bin/kashi book%s --key buyer-1 %s\n\n"
                 "Keys of providers, buyers, an analyst and the operator are in %s/keys.\n",
                 where, contract, offer_e4 / E4_ONE, offer_e4 % E4_ONE, resource->resource, where,
                 contract, offer_e4 / E4_ONE, offer_e4 % E4_ONE, where, contract,
                 market->default_directory ? "run" : market->options.directory);
    (void)fflush(stdout);
}

int demo_samples(struct demo_market *market, struct error *error)
{
    struct samples *samples = calloc(1, sizeof *samples);
    CHECK(samples != NULL);
    samples->market = market;
    struct found_plan plan;
    bool founded = false;
    int rc = plan_accounts(samples, &plan, error);
    rc = rc != 0 ? rc : found_market(market->desk, market->operator_seat, &plan, &founded, error);
    if (rc == 0 && founded) {
        desk_on_message(market->desk, on_message, samples);
        rc = offer_all(samples, error);
        desk_on_message(market->desk, NULL, NULL);
    }
    if (rc == 0) {
        print_commands(samples);
    }
    free(samples);
    return rc;
}
