#include "client/demo_flow.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "wire/units.h"

#define DEPOSIT_E4   (INT64_C(200000000) * E4_ONE) /* ¥200 million each */
#define HOT_GPUS     1024
#define OTHER_GPUS   256
#define GATE_LEAD_NS (INT64_C(11) * 60 * NS_PER_SECOND) /* a minute before the market's own */
#define SECOND_DAY   24 /* first hour, counted from first_hour, of the second delivery day */

/* Of a hundred requests so many are … */
#define SHARE_CANCEL  8
#define SHARE_REPLACE 14
#define SHARE_OFFER   34 /* the rest bids */
/* Of a hundred offers so many are ranges, of a hundred bids SETs and JOBs. */
#define SHARE_RANGE 3
#define SHARE_SET   4
#define SHARE_JOB   3
#define RANGE_HOURS 12
#define JOB_HOURS   8
#define JOB_SLACK   12 /* hours that it may wait */

static const struct {
    const char *class_name;
    const char *region;
} hot_lanes[FLOW_HOT_LANES] = {
    {"H100", "CN-GZ"}, {"H100", "CN-NM"}, {"A100-80", "CN-GD"}, {"H20", "CN-GS"},
    {"910B", "CN-GZ"}, {"4090", "CN-SH"}, {"H200", "US-OR"},    {"L40S", "CN-BJ"},
    {"A800", "CN-NM"}, {"A100-80", "FR"}, {"5090", "CN-GD"},    {"T4", "SG"},
};

/* The market of one hot lane is cleared every half hour, hours of another open with two hours of one. */
#define PERIODIC_LANE 10
#define OPENING_LANE  11

static bool find_lane(const struct tables *tables, uint32_t lane, uint32_t *class_,
                      uint32_t *region)
{
    bool has_class = false;
    bool has_region = false;
    for (uint32_t at = 0; at < tables->class_count; at++) {
        if (strcmp(tables->classes[at].name, hot_lanes[lane].class_name) == 0) {
            *class_ = at;
            has_class = true;
        }
    }
    for (uint32_t at = 0; at < tables->region_count; at++) {
        if (strcmp(tables->regions[at].name, hot_lanes[lane].region) == 0) {
            *region = at;
            has_region = true;
        }
    }
    return has_class && has_region;
}

/* `resource` names owner, class, region and GPUs; the tier is drawn. */
static void add_resource(struct flow *flow, struct found_resource resource)
{
    CHECK(flow->resource_count < FLOW_RESOURCES_MAX);
    uint8_t highest = flow->tables->regions[resource.region].highest_tier;
    resource.tier = (uint8_t)random_below(&flow->random, highest + 1U);
    struct flow_trader *trader = &flow->traders[resource.owner];
    trader->resources[trader->resource_count++] = flow->resource_count;
    flow->resources[flow->resource_count++] = resource;
}

static int lay_out_resources(struct flow *flow, struct error *error)
{
    const struct tables *tables = flow->tables;
    for (uint32_t lane = 0; lane < FLOW_HOT_LANES; lane++) {
        uint32_t class_ = 0;
        uint32_t region = 0;
        if (!find_lane(tables, lane, &class_, &region)) {
            return error_set(error, ERROR_NOT_FOUND, "data: no class %s or no region %s",
                             hot_lanes[lane].class_name, hot_lanes[lane].region);
        }
        for (uint32_t at = 0; at < FLOW_HOT_RESOURCES; at++) {
            uint32_t owner = (lane * FLOW_HOT_RESOURCES + at) % flow->providers;
            add_resource(flow,
                         (struct found_resource){
                             .owner = owner, .class_ = class_, .region = region, .gpus = HOT_GPUS});
        }
    }
    for (uint32_t owner = 0; owner < flow->providers; owner++) {
        for (uint32_t at = 0; at < FLOW_OTHER_RESOURCES; at++) {
            uint32_t class_;
            uint32_t region;
            int64_t price_e4;
            do {
                class_ = (uint32_t)random_below(&flow->random, tables->class_count);
                region = (uint32_t)random_below(&flow->random, tables->region_count);
            } while (!tables_price(tables, &tables->classes[class_], &tables->regions[region],
                                   TIER_G0, &price_e4));
            add_resource(
                flow, (struct found_resource){
                          .owner = owner, .class_ = class_, .region = region, .gpus = OTHER_GPUS});
        }
    }
    return 0;
}

static void lay_out_auctions(struct flow *flow)
{
    const struct found_resource *periodic = &flow->resources[PERIODIC_LANE * FLOW_HOT_RESOURCES];
    const struct found_resource *opening = &flow->resources[OPENING_LANE * FLOW_HOT_RESOURCES];
    flow->auctions[0] = (struct found_terms){.class_ = periodic->class_,
                                             .region = periodic->region,
                                             .period_s = 1800,
                                             .random_end_s = 30};
    flow->auctions[1] = (struct found_terms){
        .class_ = opening->class_, .region = opening->region, .opening_s = 7200};
}

/* Whether its market has auctions only: no SETs, no JOBs, nothing that must trade at once. */
static bool is_periodic(const struct flow *flow, const struct found_resource *resource)
{
    const struct found_terms *periodic = &flow->auctions[0];
    return resource->class_ == periodic->class_ && resource->region == periodic->region;
}

int flow_init(struct flow *flow, const struct flow_config *config, struct error *error)
{
    CHECK(config->providers >= FLOW_HOT_RESOURCES && config->providers <= FLOW_PROVIDERS_MAX &&
          config->buyers >= 1 && config->buyers <= FLOW_BUYERS_MAX);
    memset(flow, 0, sizeof *flow);
    flow->tables = config->tables;
    flow->providers = config->providers;
    flow->trader_count = config->providers + config->buyers;
    flow->first_hour = config->first_hour;
    random_seed(&flow->random, config->seed);
    for (uint32_t at = 0; at < flow->trader_count; at++) {
        struct found_account *account = &flow->accounts[at];
        bool provider = at < flow->providers;
        (void)snprintf(account->name, sizeof account->name, "%s-%u",
                       provider ? "provider" : "buyer",
                       provider ? at + 1 : at - flow->providers + 1);
        account->deposit_e4 = DEPOSIT_E4;
        account->roles = provider ? ROLE_PROVIDER : ROLE_BUYER;
    }
    int rc = lay_out_resources(flow, error);
    if (rc == 0) {
        lay_out_auctions(flow);
    }
    return rc;
}

void flow_plan(struct flow *flow, struct found_plan *plan)
{
    *plan = (struct found_plan){.tables = flow->tables,
                                .terms = flow->auctions,
                                .terms_count = FLOW_AUCTION_LANES,
                                .accounts = flow->accounts,
                                .account_count = flow->trader_count,
                                .resources = flow->resources,
                                .resource_count = flow->resource_count,
                                .inner_band_bp = 1500,
                                .outer_band_bp = 3000,
                                .maker_bp = 5,
                                .taker_bp = 10};
}

/* An hour whose gate is open; of hot lanes mostly of the second delivery day. */
static uint32_t draw_hour(struct flow *flow, int64_t now_ns, bool hot)
{
    uint32_t open_from = (uint32_t)((now_ns + GATE_LEAD_NS) / NS_PER_HOUR) + 1;
    uint32_t from = flow->first_hour > open_from ? flow->first_hour : open_from;
    uint32_t end = flow->first_hour + FLOW_HOURS;
    CHECK(from < end);
    uint32_t second_day = flow->first_hour + SECOND_DAY;
    if (hot && from < second_day && random_below(&flow->random, 10) < 8) {
        from = second_day;
    }
    return from + (uint32_t)random_below(&flow->random, end - from);
}

static int64_t draw_qty(struct flow *flow, uint32_t lot)
{
    int64_t lots = random_between(&flow->random, 1, lot == 1 ? 16 : 4);
    return lots * lot;
}

/* Around the table's price: offers from 1.5 % below to 4 % above it, bids the other way round. */
static int64_t draw_price(struct flow *flow, int64_t price_e4, bool offer)
{
    int64_t off_bp = random_between(&flow->random, -150, 400);
    int64_t drawn_e4 = price_e4 + price_e4 * (offer ? off_bp : -off_bp) / BP_ONE;
    return drawn_e4 < 1 ? 1 : drawn_e4;
}

static void draw_terms(struct flow *flow, int64_t now_ns, int64_t price_e4, int64_t lot,
                       struct request_new_order *order)
{
    uint64_t kind = random_below(&flow->random, 100);
    if (kind < 6) {
        order->tif = TIF_IOC;
    } else if (kind < 8) {
        order->tif = TIF_FOK;
    } else if (kind < 11) {
        order->tif = TIF_IOC;
        order->ord_type = ORD_MARKET;
        order->price_e4 = price_e4 / 50; /* collar: 2 % */
    } else if (kind < 13) {
        order->post_only = 1;
    } else if (kind < 23) {
        order->tif = TIF_TIME;
        order->expire_time_ns =
            now_ns + random_between(&flow->random, 10, 300) * 60 * NS_PER_SECOND;
    } else if (kind < 25) {
        order->min_qty = order->qty;
    } else if (kind < 30) {
        order->display_qty = lot;
    } else if (kind < 33 && order->side == SIDE_SELL) {
        order->job_lead_hours = (uint16_t)random_between(&flow->random, 1, 12);
    }
}

/* A resource: one of the provider's, or one that somebody sells from, the hot ones first. */
static const struct found_resource *draw_resource(struct flow *flow, bool offer, uint32_t trader,
                                                  bool *hot)
{
    uint32_t place = (uint32_t)random_below(&flow->random, flow->resource_count);
    if (offer) {
        const struct flow_trader *provider = &flow->traders[trader];
        place = provider->resources[random_below(&flow->random, provider->resource_count)];
    } else if (random_below(&flow->random, 100) < 60) {
        place %= FLOW_HOT_LANES * FLOW_HOT_RESOURCES;
    }
    *hot = place < FLOW_HOT_LANES * FLOW_HOT_RESOURCES;
    return &flow->resources[place];
}

static const struct tables_class *class_of(const struct flow *flow,
                                           const struct found_resource *resource)
{
    return &flow->tables->classes[resource->class_];
}

static int64_t price_of(const struct flow *flow, const struct found_resource *resource,
                        uint8_t tier)
{
    int64_t price_e4;
    CHECK(tables_price(flow->tables, class_of(flow, resource),
                       &flow->tables->regions[resource->region], tier, &price_e4));
    return price_e4;
}

static void put_symbol(const struct flow *flow, const struct found_resource *resource, uint8_t tier,
                       uint32_t hour, char symbol[SYMBOL_SIZE])
{
    char text[HOUR_TEXT_SIZE];
    hour_format(hour, text);
    (void)snprintf(symbol, SYMBOL_SIZE, "%s.%s.%s.%s", class_of(flow, resource)->name,
                   flow->tables->regions[resource->region].name, tier_name(tier), text);
}

static void draw_range(struct flow *flow, int64_t now_ns, uint32_t trader, struct request *request)
{
    bool hot;
    const struct found_resource *resource = draw_resource(flow, true, trader, &hot);
    uint8_t tier = (uint8_t)random_below(&flow->random, resource->tier + 1U);
    uint32_t from = draw_hour(flow, now_ns, hot);
    uint32_t left = flow->first_hour + FLOW_HOURS - from;
    request->type = REQUEST_NEW_RANGE;
    put_symbol(flow, resource, tier, from, request->new_range.symbol);
    request->new_range.hours = left < RANGE_HOURS ? left : RANGE_HOURS;
    request->new_range.qty = draw_qty(flow, class_of(flow, resource)->lot);
    request->new_range.price_e4 = draw_price(flow, price_of(flow, resource, tier), true);
    request->new_range.resource = resource->resource;
    if (random_below(&flow->random, 4) == 0 && !is_periodic(flow, resource)) {
        request->new_range.job_lead_hours = (uint16_t)random_between(&flow->random, 1, 12);
    }
}

/* A resource that SETs and JOBs may buy from. */
static const struct found_resource *draw_continuous(struct flow *flow, bool *hot)
{
    for (;;) {
        const struct found_resource *resource = draw_resource(flow, false, 0, hot);
        if (!is_periodic(flow, resource)) {
            return resource;
        }
    }
}

/* One quantity in any of several hours of a lane, each with its own limit. */
static void draw_set(struct flow *flow, int64_t now_ns, struct request *request,
                     union flow_rows *rows)
{
    bool hot;
    const struct found_resource *resource = draw_continuous(flow, &hot);
    uint32_t hour = draw_hour(flow, now_ns, hot);
    uint32_t end = flow->first_hour + FLOW_HOURS;
    struct request_new_set *set = &request->new_set;
    request->type = REQUEST_NEW_SET;
    set->qty = draw_qty(flow, class_of(flow, resource)->lot);
    set->legs = rows->legs;
    for (; set->leg_count < FLOW_LEGS_MAX && hour < end; hour++) {
        struct leg_row *leg = &rows->legs[set->leg_count++];
        memset(leg, 0, sizeof *leg);
        put_symbol(flow, resource, TIER_G0, hour, leg->symbol);
        leg->price_e4 = (uint32_t)draw_price(flow, price_of(flow, resource, TIER_G0), false);
        hour += (uint32_t)random_below(&flow->random, 3);
    }
    set->tif = random_below(&flow->random, 4) == 0 ? TIF_IOC : TIF_GATE;
}

static bool has_lane(const struct request_new_job *job, const struct lane_row *lane)
{
    for (uint32_t i = 0; i < job->lane_count; i++) {
        if (strcmp(job->lanes[i].class_name, lane->class_name) == 0 &&
            strcmp(job->lanes[i].region, lane->region) == 0) {
            return true;
        }
    }
    return false;
}

/* Some GPUs for some hours; the first lane is what it is priced by, dearer ones count for as much more
 * as they cost. */
static void draw_job(struct flow *flow, int64_t now_ns, struct request *request,
                     union flow_rows *rows)
{
    struct request_new_job *job = &request->new_job;
    uint32_t from = draw_hour(flow, now_ns, true);
    uint32_t end = flow->first_hour + FLOW_HOURS;
    uint32_t hours = (uint32_t)random_between(&flow->random, 1, JOB_HOURS);
    hours = hours < end - from ? hours : end - from;
    uint32_t to = from + hours + (uint32_t)random_below(&flow->random, JOB_SLACK + 1);
    uint32_t wanted = 1 + (uint32_t)random_below(&flow->random, FLOW_LANES_MAX);
    uint32_t lot = 1;
    int64_t base_e4 = 0;
    request->type = REQUEST_NEW_JOB;
    job->lanes = rows->lanes;
    for (uint32_t i = 0; i < wanted; i++) {
        bool hot;
        const struct found_resource *resource = draw_continuous(flow, &hot);
        const struct tables_class *class_ = class_of(flow, resource);
        struct lane_row *lane = &rows->lanes[job->lane_count];
        int64_t price_e4 = price_of(flow, resource, TIER_G0);
        memset(lane, 0, sizeof *lane);
        memcpy(lane->class_name, class_->name, NAME_SIZE);
        memcpy(lane->region, flow->tables->regions[resource->region].name, NAME_SIZE);
        base_e4 = i == 0 ? price_e4 : base_e4;
        lane->factor_e4 = (uint32_t)(base_e4 * E4_ONE / price_e4); /* rounded down */
        if (lane->factor_e4 > 0 && lane->factor_e4 <= JOB_FACTOR_MAX_E4 && !has_lane(job, lane)) {
            lot = class_->lot > lot ? class_->lot : lot; /* lots are 1 or 8 */
            job->lane_count++;
        }
    }
    job->qty = draw_qty(flow, lot);
    job->price_e4 = base_e4 + base_e4 * random_between(&flow->random, -100, 300) / BP_ONE;
    job->hours = (uint16_t)hours;
    job->window_from = from;
    job->window_to = to < end ? to : end;
    job->placement = random_below(&flow->random, 100) < 60 ? PLACEMENT_SITE : PLACEMENT_ANY;
}

static void draw_order(struct flow *flow, int64_t now_ns, bool offer, uint32_t trader,
                       struct request *request)
{
    struct request_new_order *order = &request->new_order;
    bool hot;
    const struct found_resource *resource = draw_resource(flow, offer, trader, &hot);
    const struct tables_class *class_ = class_of(flow, resource);
    uint8_t tier = TIER_G0;
    if (random_below(&flow->random, 100) < (offer ? 70 : 25)) {
        tier = (uint8_t)random_below(&flow->random, resource->tier + 1U);
    }
    int64_t price_e4 = price_of(flow, resource, tier);
    request->type = REQUEST_NEW_ORDER;
    put_symbol(flow, resource, tier, draw_hour(flow, now_ns, hot), order->symbol);
    order->side = offer ? SIDE_SELL : SIDE_BUY;
    order->qty = draw_qty(flow, class_->lot);
    order->price_e4 = draw_price(flow, price_e4, offer);
    order->resource = offer ? resource->resource : 0;
    if (!is_periodic(flow, resource)) {
        draw_terms(flow, now_ns, price_e4, class_->lot, order);
    }
}

static bool draw_change(struct flow *flow, bool replace, uint32_t trader, struct request *request)
{
    struct flow_trader *who = &flow->traders[trader];
    if (who->open_count == 0) {
        return false;
    }
    const struct flow_order *order = &who->open[random_below(&flow->random, who->open_count)];
    if (replace && order->plain) {
        request->type = REQUEST_REPLACE_ORDER;
        request->replace_order.order_id = order->order_id;
        request->replace_order.price_e4 =
            order->price_e4 + order->price_e4 * random_between(&flow->random, -100, 100) / BP_ONE;
        request->replace_order.qty =
            order->qty +
            order->lot * random_between(&flow->random, order->qty > order->lot ? -1 : 0, 1);
    } else {
        request->type = REQUEST_CANCEL_ORDER;
        request->cancel_order.order_id = order->order_id;
    }
    return true;
}

void flow_draw(struct flow *flow, int64_t now_ns, uint32_t *trader, struct request *request,
               union flow_rows *rows)
{
    memset(request, 0, sizeof *request);
    uint64_t kind = random_below(&flow->random, 100);
    if (kind < SHARE_CANCEL + SHARE_REPLACE) {
        *trader = (uint32_t)random_below(&flow->random, flow->trader_count);
        if (draw_change(flow, kind >= SHARE_CANCEL, *trader, request)) {
            return;
        }
    }
    bool offer = kind < SHARE_CANCEL + SHARE_REPLACE + SHARE_OFFER;
    *trader = offer ? (uint32_t)random_below(&flow->random, flow->providers)
                    : flow->providers + (uint32_t)random_below(&flow->random, flow->trader_count -
                                                                                  flow->providers);
    uint64_t many = random_below(&flow->random, 100);
    if (offer && many < SHARE_RANGE) {
        draw_range(flow, now_ns, *trader, request);
    } else if (!offer && many < SHARE_SET) {
        draw_set(flow, now_ns, request, rows);
    } else if (!offer && many < SHARE_SET + SHARE_JOB) {
        draw_job(flow, now_ns, request, rows);
    } else {
        draw_order(flow, now_ns, offer, *trader, request);
    }
}

static uint32_t lot_of(const struct flow *flow, const char *symbol)
{
    for (size_t at = 0; at < flow->tables->class_count; at++) {
        const struct tables_class *class_ = &flow->tables->classes[at];
        size_t length = strlen(class_->name);
        if (strncmp(symbol, class_->name, length) == 0 && symbol[length] == '.') {
            return class_->lot;
        }
    }
    return 1;
}

void flow_report(struct flow *flow, uint32_t trader, const struct report *report)
{
    struct flow_trader *who = &flow->traders[trader];
    uint32_t at = 0;
    while (at < who->open_count && who->open[at].order_id != report->order_id) {
        at++;
    }
    bool known = at < who->open_count;
    bool over = (report->fields & REPORT_ORDER) != 0 && report->leaves_qty == 0;
    bool plain = report->request == REQUEST_NEW_ORDER;
    if (report->exec_type == EXEC_NEW && report->request != REQUEST_NEW_RANGE &&
        report->tif != TIF_IOC && report->tif != TIF_FOK && !known &&
        who->open_count < FLOW_OPEN_ORDERS_MAX) {
        who->open[who->open_count++] = (struct flow_order){.order_id = report->order_id,
                                                           .price_e4 = report->price_e4,
                                                           .qty = report->order_qty,
                                                           .lot = lot_of(flow, report->symbol),
                                                           .plain = plain};
    } else if (known &&
               (over || report->exec_type == EXEC_CANCELED || report->exec_type == EXEC_EXPIRED)) {
        who->open[at] = who->open[--who->open_count];
    } else if (known && report->exec_type == EXEC_REPLACED) {
        who->open[at].price_e4 = report->price_e4;
        who->open[at].qty = report->order_qty;
    }
}

void flow_hot_symbol(uint32_t lane, uint32_t hour, char symbol[SYMBOL_SIZE])
{
    CHECK(lane < FLOW_HOT_LANES);
    char text[HOUR_TEXT_SIZE];
    hour_format(hour, text);
    (void)snprintf(symbol, SYMBOL_SIZE, "%s.%s.G0.%s", hot_lanes[lane].class_name,
                   hot_lanes[lane].region, text);
}
