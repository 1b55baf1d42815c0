#include "client/found.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "wire/units.h"

#define ANSWER_TIMEOUT_MS 30000
#define CHUNK             128    /* requests sent before their answers are waited for */
#define ITEMS_MAX         4096   /* of one kind in a plan */
#define FOUNDER_ACCOUNT   1      /* the first operator's, made by GENESIS */
#define FOUNDER_RATE      100000 /* requests a second while a market is founded */
#define RATE_RETRIES      100
#define OPEN_ORDERS       100000000 /* of an account without limits */

struct found {
    struct desk *desk;
    struct found_plan *plan;
    uint32_t seat;
    bool founded;
    uint8_t fees; /* the plan's fee schedule */
    /* The chunk that is on its way, and what became of each request. */
    struct request *requests;
    uint32_t count;
    uint32_t chunk_ids[CHUNK];
    uint16_t reasons[CHUNK];
    bool answered[CHUNK];
    /* The answer to the read that is on its way. */
    bool got_answer;
    struct list_answer list;
    struct account_answer account;
    /* Items of the present kind: their ids, 0 while they are not registered. */
    uint32_t ids[ITEMS_MAX];
    struct request missing[ITEMS_MAX];
    uint32_t missing_items[ITEMS_MAX];
    uint32_t groups[ITEMS_MAX]; /* ids of the accounts' groups */
};

static int on_message(void *context, uint32_t seat, const struct message *message,
                      struct error *error)
{
    struct found *found = context;
    if (seat != found->seat) {
        return 0;
    }
    uint64_t cl_ord_id = 0;
    uint16_t reason = 0;
    uint32_t id = 0;
    switch (message->type) {
    case MESSAGE_REPORT:
        cl_ord_id = message->report.cl_ord_id;
        reason = message->report.reason;
        id = message->report.id;
        break;
    case MESSAGE_REJECT:
        if (message->reject.cl_ord_id == 0 || message->reject.reason < REASON_UNKNOWN_KEY) {
            return desk_refused(error, ERROR_INVALID, &message->reject);
        }
        cl_ord_id = message->reject.cl_ord_id;
        reason = message->reject.reason;
        break;
    case MESSAGE_ACCOUNT:
        found->account = message->account;
        found->got_answer = true;
        return 0;
    default:
        if (message->type >= MESSAGE_CLASSES && message->type <= MESSAGE_GATEWAYS) {
            found->list = message->list;
            found->got_answer = true;
        }
        return 0;
    }
    for (uint32_t at = 0; at < found->count; at++) {
        if (found->requests[at].cl_ord_id == cl_ord_id && cl_ord_id != 0) {
            found->chunk_ids[at] = id;
            found->reasons[at] = reason;
            found->answered[at] = 1;
        }
    }
    return 0;
}

static int send_chunk(struct found *found, struct request *requests, uint32_t count,
                      struct error *error)
{
    found->requests = requests;
    found->count = count;
    memset(found->answered, 0, sizeof found->answered);
    struct kashi_session *session = desk_session(found->desk, found->seat);
    int rc = kashi_session_send(session, requests, count, error);
    return rc != 0 ? rc : desk_settle(found->desk, ANSWER_TIMEOUT_MS, error);
}

/* Sends one until it is not refused for its rate: the rate counts seconds of the exchange's clock. */
static int send_again(struct found *found, struct request *request, struct error *error)
{
    for (int left = RATE_RETRIES; left > 0; left--) {
        request->cl_ord_id = 0;
        int rc = send_chunk(found, request, 1, error);
        if (rc != 0 || found->reasons[0] != REASON_RATE_EXCEEDED) {
            return rc;
        }
        rc = desk_turn(found->desk, 100, error);
        if (rc != 0) {
            return rc;
        }
    }
    return error_set(error, ERROR_AGAIN, "the operator's rate limit is too low");
}

static int refused(const struct request *request, uint16_t reason, struct error *error)
{
    return error_set(error, ERROR_INVALID, "%s: %s (%s)", codec_request_name(request->type),
                     reason_name(reason), reason_sentence(reason));
}

/* Sends the first `count` of found->missing and writes the ids that they got. */
static int submit(struct found *found, uint32_t count, struct error *error)
{
    for (uint32_t from = 0; from < count; from += CHUNK) {
        struct request *requests = found->missing + from;
        uint32_t part = count - from < CHUNK ? count - from : CHUNK;
        int rc = send_chunk(found, requests, part, error);
        if (rc != 0) {
            return rc;
        }
        uint32_t slow[CHUNK];
        uint32_t slow_count = 0;
        for (uint32_t at = 0; at < part; at++) {
            uint16_t reason = found->answered[at] ? found->reasons[at] : REASON_NEVER_ENTERED;
            if (reason == REASON_RATE_EXCEEDED) {
                slow[slow_count++] = at;
            } else if (reason != 0) {
                return refused(&requests[at], reason, error);
            }
            found->ids[found->missing_items[from + at]] = found->chunk_ids[at];
        }
        for (uint32_t at = 0; at < slow_count; at++) {
            rc = send_again(found, &requests[slow[at]], error);
            if (rc != 0) {
                return rc;
            }
            if (!found->answered[0] || found->reasons[0] != 0) {
                return refused(&requests[slow[at]], found->reasons[0], error);
            }
            found->ids[found->missing_items[from + slow[at]]] = found->chunk_ids[0];
        }
        found->founded = true;
    }
    return 0;
}

static int ask(struct found *found, struct request *request, struct error *error)
{
    request->ref = 0;
    found->got_answer = false;
    int rc = send_chunk(found, request, 1, error);
    if (rc == 0 && !found->got_answer) {
        return error_set(error, ERROR_LOST, "%s was not answered",
                         codec_request_name(request->type));
    }
    return rc;
}

/* Finds the item that a row of a list is and notes its id; returns the row's id. */
typedef uint32_t match_row(struct found *found, const struct list_answer *list, uint32_t row);
/* Makes the request that registers an item; false: it is not wanted. */
typedef bool make_request(struct found *found, uint32_t item, struct request *request);

struct kind {
    uint8_t what; /* enum list_what */
    match_row *match;
    make_request *make;
};

static int register_missing(struct found *found, struct kind kind, uint32_t item_count,
                            struct error *error)
{
    if (item_count > ITEMS_MAX) {
        return error_set(error, ERROR_FULL, "a plan has at most %d items of a kind", ITEMS_MAX);
    }
    memset(found->ids, 0, sizeof found->ids);
    uint32_t after = 0;
    do {
        struct request request = {.type = REQUEST_LIST,
                                  .list = {.what = kind.what, .after = after}};
        int rc = ask(found, &request, error);
        if (rc != 0) {
            return rc;
        }
        for (uint32_t row = 0; row < found->list.count; row++) {
            after = kind.match(found, &found->list, row);
        }
    } while (found->list.more && found->list.count > 0);

    uint32_t count = 0;
    for (uint32_t item = 0; item < item_count; item++) {
        memset(&found->missing[count], 0, sizeof found->missing[count]);
        if (found->ids[item] == 0 && kind.make(found, item, &found->missing[count])) {
            found->missing_items[count++] = item;
        }
    }
    return submit(found, count, error);
}

/* --- classes, regions, markets ------------------------------------------------------------------ */

static uint32_t match_class(struct found *found, const struct list_answer *list, uint32_t row)
{
    const struct tables *tables = found->plan->tables;
    for (size_t at = 0; at < tables->class_count; at++) {
        if (strcmp(tables->classes[at].name, list->classes[row].name) == 0) {
            found->ids[at] = list->classes[row].id;
        }
    }
    return list->classes[row].id;
}

static bool make_class(struct found *found, uint32_t item, struct request *request)
{
    const struct tables_class *class_ = &found->plan->tables->classes[item];
    request->type = REQUEST_REGISTER_CLASS;
    memcpy(request->register_class.name, class_->name, NAME_SIZE);
    request->register_class.lot = class_->lot;
    request->register_class.memory_gib = class_->memory_gib;
    request->register_class.bf16_gflops = class_->bf16_gflops;
    request->register_class.host_power_w = class_->host_power_w;
    return true;
}

static uint32_t match_region(struct found *found, const struct list_answer *list, uint32_t row)
{
    const struct tables *tables = found->plan->tables;
    for (size_t at = 0; at < tables->region_count; at++) {
        if (strcmp(tables->regions[at].name, list->regions[row].name) == 0) {
            found->ids[at] = list->regions[row].id;
        }
    }
    return list->regions[row].id;
}

static bool make_region(struct found *found, uint32_t item, struct request *request)
{
    const struct tables_region *region = &found->plan->tables->regions[item];
    request->type = REQUEST_REGISTER_REGION;
    memcpy(request->register_region.name, region->name, NAME_SIZE);
    request->register_region.grid_g_per_kwh_e2 = region->grid_g_per_kwh_e2;
    request->register_region.carbon_free_bp = region->carbon_free_bp;
    return true;
}

/* A market's item is class x regions + region. */
static uint32_t match_market(struct found *found, const struct list_answer *list, uint32_t row)
{
    const struct tables *tables = found->plan->tables;
    for (size_t item = 0; item < tables->class_count * tables->region_count; item++) {
        if (strcmp(tables->classes[item / tables->region_count].name,
                   list->markets[row].class_name) == 0 &&
            strcmp(tables->regions[item % tables->region_count].name, list->markets[row].region) ==
                0) {
            found->ids[item] = list->markets[row].id;
        }
    }
    return list->markets[row].id;
}

static bool make_market(struct found *found, uint32_t item, struct request *request)
{
    const struct tables *tables = found->plan->tables;
    const struct tables_class *class_ = &tables->classes[item / tables->region_count];
    const struct tables_region *region = &tables->regions[item % tables->region_count];
    struct request_set_market *market = &request->set_market;
    request->type = REQUEST_SET_MARKET;
    memcpy(market->class_name, class_->name, NAME_SIZE);
    memcpy(market->region, region->name, NAME_SIZE);
    market->inner_band_bp = found->plan->inner_band_bp;
    market->outer_band_bp = found->plan->outer_band_bp;
    market->mode = MODE_CONTINUOUS;
    for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
        if (!tables_price(tables, class_, region, tier, &market->launch_price_e4[tier])) {
            return false;
        }
    }
    return true;
}

/* Sets the terms of the markets that have some, whether they were there before or not. */
static int set_terms(struct found *found, struct error *error)
{
    const struct found_plan *plan = found->plan;
    for (uint32_t at = 0; at < plan->terms_count; at++) {
        const struct found_terms *terms = &plan->terms[at];
        struct request *request = &found->missing[at];
        uint32_t item = terms->class_ * (uint32_t)plan->tables->region_count + terms->region;
        memset(request, 0, sizeof *request);
        if (!make_market(found, item, request)) {
            return error_set(error, ERROR_NOT_FOUND, "data: no price of %s in %s",
                             plan->tables->classes[terms->class_].name,
                             plan->tables->regions[terms->region].name);
        }
        request->set_market.mode = terms->period_s != 0 ? MODE_AUCTION : MODE_CONTINUOUS;
        request->set_market.opening_s = terms->opening_s;
        request->set_market.period_s = terms->period_s;
        request->set_market.random_end_s = terms->random_end_s;
        found->missing_items[at] = item;
    }
    return submit(found, (uint32_t)plan->terms_count, error);
}

/* --- groups, accounts, keys, cash ----------------------------------------------------------------- */

static uint32_t match_group(struct found *found, const struct list_answer *list, uint32_t row)
{
    for (size_t at = 0; at < found->plan->account_count; at++) {
        if (strcmp(found->plan->accounts[at].name, list->groups[row].name) == 0) {
            found->ids[at] = list->groups[row].id;
        }
    }
    return list->groups[row].id;
}

static bool make_group(struct found *found, uint32_t item, struct request *request)
{
    request->type = REQUEST_REGISTER_GROUP;
    memcpy(request->register_group.name, found->plan->accounts[item].name, LABEL_SIZE);
    return true;
}

static uint32_t match_account(struct found *found, const struct list_answer *list, uint32_t row)
{
    for (size_t at = 0; at < found->plan->account_count; at++) {
        if (strcmp(found->plan->accounts[at].name, list->accounts[row].name) == 0) {
            found->ids[at] = list->accounts[row].id;
        }
    }
    return list->accounts[row].id;
}

static bool make_account(struct found *found, uint32_t item, struct request *request)
{
    request->type = REQUEST_OPEN_ACCOUNT;
    memcpy(request->open_account.name, found->plan->accounts[item].name, LABEL_SIZE);
    request->open_account.group = found->groups[item];
    request->open_account.roles = found->plan->accounts[item].roles;
    request->open_account.fees = found->fees;
    return true;
}

static uint32_t match_key(struct found *found, const struct list_answer *list, uint32_t row)
{
    char text[CODEC_PUBLIC_KEY_TEXT + 1];
    codec_key_text(list->keys[row].public_key, text);
    for (size_t at = 0; at < found->plan->account_count; at++) {
        if (strcmp(found->plan->accounts[at].key.public_text, text) == 0) {
            found->ids[at] = list->keys[row].id;
        }
    }
    return list->keys[row].id;
}

static bool make_key(struct found *found, uint32_t item, struct request *request)
{
    const struct found_account *account = &found->plan->accounts[item];
    request->type = REQUEST_REGISTER_KEY;
    memcpy(request->register_key.name, account->name, LABEL_SIZE);
    request->register_key.account = account->account;
    request->register_key.roles = account->roles;
    return codec_key_parse(account->key.public_text, CODEC_PUBLIC_KEY_TEXT,
                           request->register_key.public_key);
}

static int load_key(struct found_account *account, struct error *error)
{
    char path[LABEL_SIZE + 16];
    (void)snprintf(path, sizeof path, "keys/%s.key", account->name);
    struct stat status;
    if (stat(path, &status) == 0) {
        return kashi_key_load(&account->key, path, error);
    }
    int rc = kashi_key_generate(&account->key, error);
    return rc != 0 ? rc : kashi_key_save(&account->key, path, error);
}

/* Deposits to accounts that have never had money. */
static int deposit(struct found *found, struct error *error)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < found->plan->account_count; at++) {
        const struct found_account *account = &found->plan->accounts[at];
        struct request read = {.type = REQUEST_ACCOUNT, .account = {.account = account->account}};
        int rc = ask(found, &read, error);
        if (rc != 0) {
            return rc;
        }
        if (found->account.cash_e4 + found->account.escrow_e4 == 0 && account->deposit_e4 > 0) {
            struct request *request = &found->missing[count];
            memset(request, 0, sizeof *request);
            request->type = REQUEST_DEPOSIT;
            request->cash.account = account->account;
            request->cash.amount_e4 = account->deposit_e4;
            memcpy(request->cash.reference, account->name, LABEL_SIZE);
            found->missing_items[count++] = at;
        }
    }
    return submit(found, count, error);
}

static int lift_limits(struct found *found, struct error *error)
{
    for (uint32_t at = 0; at < found->plan->account_count; at++) {
        struct request request = {
            .type = REQUEST_SET_LIMITS,
            .set_limits = {.account = found->plan->accounts[at].account,
                           .rate_limit = FOUNDER_RATE,
                           .open_orders_limit = OPEN_ORDERS,
                           .order_qty_limit = QTY_MAX,
                           .fields = LIMITS_RATE | LIMITS_OPEN_ORDERS | LIMITS_ORDER_QTY}};
        int rc = 0;
        if (found->plan->accounts[at].unlimited) {
            rc = send_again(found, &request, error);
        }
        if (rc == 0 && found->plan->accounts[at].unlimited &&
            (!found->answered[0] || found->reasons[0] != 0)) {
            rc = refused(&request, found->reasons[0], error);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int found_accounts(struct found *found, struct error *error)
{
    struct found_plan *plan = found->plan;
    uint32_t count = (uint32_t)plan->account_count;
    int rc =
        register_missing(found, (struct kind){LIST_GROUPS, match_group, make_group}, count, error);
    if (rc != 0) {
        return rc;
    }
    memcpy(found->groups, found->ids, sizeof found->groups);
    rc = register_missing(found, (struct kind){LIST_ACCOUNTS, match_account, make_account}, count,
                          error);
    if (rc != 0) {
        return rc;
    }
    for (uint32_t at = 0; at < count; at++) {
        plan->accounts[at].account = found->ids[at];
        rc = load_key(&plan->accounts[at], error);
        if (rc != 0) {
            return rc;
        }
    }
    rc = register_missing(found, (struct kind){LIST_KEYS, match_key, make_key}, count, error);
    rc = rc != 0 ? rc : deposit(found, error);
    return rc != 0 ? rc : lift_limits(found, error);
}

/* --- resources, fees ------------------------------------------------------------------------------- */

static void name_resource(const struct found_plan *plan, uint32_t item,
                          char identifier[IDENTIFIER_SIZE])
{
    const struct found_resource *resource = &plan->resources[item];
    (void)snprintf(identifier, IDENTIFIER_SIZE, "kashi:%s:%s:%s:%u",
                   plan->accounts[resource->owner].name,
                   plan->tables->regions[resource->region].name,
                   plan->tables->classes[resource->class_].name, item + 1);
}

static uint32_t match_resource(struct found *found, const struct list_answer *list, uint32_t row)
{
    const char *end = strrchr(list->resources[row].identifier, ':');
    uint32_t item = end == NULL ? 0 : (uint32_t)strtoul(end + 1, NULL, 10);
    char identifier[IDENTIFIER_SIZE];
    if (item >= 1 && item <= found->plan->resource_count) {
        name_resource(found->plan, item - 1, identifier);
        if (strcmp(identifier, list->resources[row].identifier) == 0) {
            found->ids[item - 1] = list->resources[row].id;
        }
    }
    return list->resources[row].id;
}

static bool make_resource(struct found *found, uint32_t item, struct request *request)
{
    const struct found_resource *resource = &found->plan->resources[item];
    const struct tables *tables = found->plan->tables;
    struct request_register_resource *out = &request->register_resource;
    request->type = REQUEST_REGISTER_RESOURCE;
    name_resource(found->plan, item, out->identifier);
    (void)snprintf(out->energy_source, sizeof out->energy_source, "grid and own");
    (void)snprintf(out->node, sizeof out->node, "node-%s", tables->regions[resource->region].name);
    memcpy(out->class_name, tables->classes[resource->class_].name, NAME_SIZE);
    memcpy(out->region, tables->regions[resource->region].name, NAME_SIZE);
    out->account = found->plan->accounts[resource->owner].account;
    out->gpus = resource->gpus;
    out->pue_e4 = (uint32_t)tables->pue_e4;
    out->bandwidth_mbps = 100000;
    out->tier = resource->tier;
    return true;
}

static uint32_t match_fees(struct found *found, const struct list_answer *list, uint32_t row)
{
    if (list->fees[row].maker_bp == found->plan->maker_bp &&
        list->fees[row].taker_bp == found->plan->taker_bp) {
        found->ids[0] = list->fees[row].id;
    }
    return list->fees[row].id;
}

static bool make_fees(struct found *found, uint32_t item, struct request *request)
{
    (void)item;
    request->type = REQUEST_REGISTER_FEES;
    request->register_fees.maker_bp = found->plan->maker_bp;
    request->register_fees.taker_bp = found->plan->taker_bp;
    return true;
}

static int found_registry(struct found *found, struct error *error)
{
    const struct tables *tables = found->plan->tables;
    uint32_t classes = (uint32_t)tables->class_count;
    uint32_t regions = (uint32_t)tables->region_count;
    int rc = register_missing(found, (struct kind){LIST_CLASSES, match_class, make_class}, classes,
                              error);
    rc = rc != 0 ? rc
                 : register_missing(found, (struct kind){LIST_REGIONS, match_region, make_region},
                                    regions, error);
    rc = rc != 0 ? rc
                 : register_missing(found, (struct kind){LIST_MARKETS, match_market, make_market},
                                    classes * regions, error);
    rc = rc != 0 ? rc : set_terms(found, error);
    if (rc != 0) {
        return rc;
    }
    rc = register_missing(found, (struct kind){LIST_FEES, match_fees, make_fees}, 1, error);
    found->fees = (uint8_t)found->ids[0];
    return rc;
}

static int raise_rate(struct found *found, struct error *error)
{
    struct request request = {.type = REQUEST_SET_LIMITS,
                              .set_limits = {.account = FOUNDER_ACCOUNT,
                                             .rate_limit = FOUNDER_RATE,
                                             .fields = LIMITS_RATE}};
    int rc = send_chunk(found, &request, 1, error);
    if (rc == 0 && (!found->answered[0] || found->reasons[0] != 0)) {
        rc = refused(&request, found->reasons[0], error);
    }
    return rc;
}

int found_market(struct desk *desk, uint32_t seat, struct found_plan *plan, bool *founded,
                 struct error *error)
{
    struct found *found = calloc(1, sizeof *found);
    CHECK(found != NULL);
    found->desk = desk;
    found->seat = seat;
    found->plan = plan;
    desk_on_message(desk, on_message, found);
    int rc = raise_rate(found, error);
    rc = rc != 0 ? rc : found_registry(found, error);
    rc = rc != 0 ? rc : found_accounts(found, error);
    rc = rc != 0
             ? rc
             : register_missing(found, (struct kind){LIST_RESOURCES, match_resource, make_resource},
                                (uint32_t)plan->resource_count, error);
    for (size_t at = 0; rc == 0 && at < plan->resource_count; at++) {
        plan->resources[at].resource = found->ids[at];
    }
    *founded = found->founded;
    desk_on_message(desk, NULL, NULL);
    free(found);
    return rc != 0 ? error_context(error, "founding the market") : 0;
}
