#include "tests/settlement_market.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "wire/units.h"

#define DEPOSIT_E4 INT64_C(1000000000000000)

static uint64_t draw(struct settlement_market *market, uint64_t below)
{
    market->random ^= market->random << 13;
    market->random ^= market->random >> 7;
    market->random ^= market->random << 17;
    return (market->random >> 11) % below;
}

void settlement_market_init(struct settlement_market *market, uint64_t seed)
{
    memset(market, 0, sizeof(*market));
    market->random = seed * 2 + 1;
    market->time_ns = INT64_C(1796000000) * NS_PER_SECOND;
}

static struct event *event_add(struct settlement_market *market, struct event *events,
                               uint32_t *count, uint8_t type)
{
    CHECK(*count < MARKET_EVENTS_MAX);
    struct event *event = &events[*count];
    memset(event, 0, sizeof(*event));
    event->head = (struct event_head){
        .seq = market->seq, .time_ns = market->time_ns, .index = *count, .type = type};
    (*count)++;
    return event;
}

static void add_cash(struct settlement_market *market, struct event *events, uint32_t *count,
                     uint32_t account, int64_t amount_e4)
{
    struct event *event = event_add(market, events, count, EVENT_CASH);
    market->cash_e4[account] += amount_e4;
    event->cash.account = account;
    event->cash.amount_e4 = amount_e4;
    event->cash.cash_e4 = market->cash_e4[account];
    event->cash.request = amount_e4 > 0 ? COMMAND_DEPOSIT : COMMAND_WITHDRAW;
    (void)snprintf(event->cash.reference, LABEL_SIZE, "bank %u", (unsigned)market->seq);
}

static uint16_t resource_class(uint32_t resource)
{
    return (uint16_t)((resource - 1) % MARKET_CLASSES);
}

static uint16_t resource_region(uint32_t resource)
{
    return (uint16_t)((resource - 1) / MARKET_CLASSES);
}

static void add_resource(struct settlement_market *market, struct event *events, uint32_t *count,
                         uint32_t resource)
{
    struct event *event = event_add(market, events, count, EVENT_RESOURCE);
    event->resource.resource = resource;
    event->resource.account = 1 + resource % 2;
    event->resource.gpus = 4000000000U;
    event->resource.class_id = resource_class(resource);
    event->resource.region_id = resource_region(resource);
    event->resource.tier = TIER_G100;
    (void)snprintf(event->resource.node, LABEL_SIZE, "CN-GZ-1");
    event = event_add(market, events, count, EVENT_RESOURCE_IDENTITY);
    event->identity.resource = resource;
    (void)snprintf(event->identity.identifier, IDENTIFIER_SIZE, "算力标识-%u", resource);
}

static void add_setup(struct settlement_market *market, struct event *events, uint32_t *count)
{
    static const char classes[MARKET_CLASSES][NAME_SIZE] = {"H100", "A100-80"};
    static const char regions[MARKET_REGIONS][NAME_SIZE] = {"CN-GZ", "CN-NM"};
    struct event *event;
    uint32_t step = (uint32_t)market->seq;
    if (step == 1) {
        event = event_add(market, events, count, EVENT_GENESIS);
        event->genesis.rules_version = 1;
        memset(event->genesis.operator_key, 7, PUBLIC_KEY_SIZE);
    } else if (step <= 3) {
        event = event_add(market, events, count, EVENT_CLASS);
        event->class_.class_id = (uint16_t)(step - 2);
        event->class_.lot = 1;
        memcpy(event->class_.name, classes[step - 2], NAME_SIZE);
    } else if (step <= 5) {
        event = event_add(market, events, count, EVENT_REGION);
        event->region.region_id = (uint16_t)(step - 4);
        memcpy(event->region.name, regions[step - 4], NAME_SIZE);
    } else if (step == 6) {
        event = event_add(market, events, count, EVENT_GROUP);
        event->group.group = 1;
        (void)snprintf(event->group.name, LABEL_SIZE, "集团");
    } else if (step <= 14) {
        event = event_add(market, events, count, EVENT_ACCOUNT);
        event->account.account = step - 6;
        event->account.group = 1;
        (void)snprintf(event->account.name, LABEL_SIZE, "account %u", step - 6);
    } else if (step <= 18) {
        add_resource(market, events, count, step - 14);
    } else {
        uint32_t first = (step - 19) * 2 + 1;
        add_cash(market, events, count, first, DEPOSIT_E4);
        add_cash(market, events, count, first + 1, DEPOSIT_E4);
    }
}

/* A holding that can be resold, for one try in four. */
static bool draw_resale(struct settlement_market *market, struct event_trade *trade, uint32_t hour)
{
    uint32_t seller = 3 + (uint32_t)draw(market, MARKET_ACCOUNTS - 2);
    uint8_t tier = (uint8_t)draw(market, TIER_COUNT);
    int64_t held = market->holdings[seller][trade->resource][hour][tier];
    if (held == 0 || draw(market, 4) != 0) {
        return false;
    }
    trade->seller = seller;
    trade->source_tier = tier;
    trade->offer_tier = tier;
    trade->qty = 1 + (int64_t)draw(market, (uint64_t)held);
    market->holdings[seller][trade->resource][hour][tier] -= trade->qty;
    return true;
}

static void add_trade(struct settlement_market *market, struct event *events, uint32_t *count)
{
    struct event *event = event_add(market, events, count, EVENT_TRADE);
    struct event_trade *trade = &event->trade;
    uint32_t hour = (uint32_t)draw(market, MARKET_HOURS);
    trade->resource = 1 + (uint32_t)draw(market, MARKET_RESOURCES);
    if (!draw_resale(market, trade, hour)) {
        trade->seller = 1 + trade->resource % 2;
        trade->source_tier = SOURCE_OWN;
        trade->offer_tier = TIER_G100;
        trade->qty = 8 * (1 + (int64_t)draw(market, 8));
    }
    do {
        trade->buyer = 3 + (uint32_t)draw(market, MARKET_ACCOUNTS - 2);
    } while (trade->buyer == trade->seller);
    uint8_t tier = (uint8_t)draw(market, trade->offer_tier + 1U);
    trade->contract =
        contract_pack(resource_class(trade->resource), resource_region(trade->resource), tier,
                      MARKET_FIRST_HOUR + hour);
    trade->fill_id = ++market->fill_id;
    trade->price_e4 = 150000 + (int64_t)draw(market, 20000);
    trade->buy_order_id = market->seq << 20 | *count;
    trade->sell_order_id = market->seq << 20 | *count | 1 << 10;
    trade->aggressor = (uint8_t)draw(market, 2);
    int64_t notional_e4 = trade->price_e4 * trade->qty;
    trade->buy_fee_e4 = draw(market, 8) == 0 ? 0 : notional_e4 * 5 / 10000;
    trade->sell_fee_e4 = notional_e4 * 3 / 10000;
    trade->bond_e4 = trade->price_e4 * 4 / 10 * trade->qty;
    trade->buyer_group = 1;
    trade->seller_group = 1;
    market->cash_e4[trade->buyer] -= notional_e4 + trade->buy_fee_e4;
    market->escrow_e4[trade->buyer] += notional_e4 + trade->buy_fee_e4;
    market->bond_e4[trade->seller] += trade->bond_e4;
    market->holdings[trade->buyer][trade->resource][hour][tier] += trade->qty;
    market->fills++;
    /* What else a fill has on the tape: settlement passes it over. */
    event_add(market, events, count, EVENT_FILL)->fill.side = SIDE_BUY;
    event_add(market, events, count, EVENT_FILL)->fill.side = SIDE_SELL;
}

static void begin(struct settlement_market *market)
{
    market->seq++;
    market->time_ns += 1 + (int64_t)draw(market, 1000000);
}

uint32_t settlement_market_next(struct settlement_market *market,
                                struct event events[MARKET_EVENTS_MAX])
{
    uint32_t count = 0;
    begin(market);
    uint64_t kind = draw(market, 10);
    if (market->seq <= MARKET_SETUP_COMMANDS) {
        add_setup(market, events, &count);
    } else if (kind == 0) {
        event_add(market, events, &count, EVENT_TIME);
    } else if (kind == 1) {
        uint32_t account = 1 + (uint32_t)draw(market, MARKET_ACCOUNTS);
        add_cash(market, events, &count, account, (int64_t)draw(market, 2000000) - 1000000);
    } else {
        uint64_t trades = draw(market, 4);
        event_add(market, events, &count, EVENT_NEW);
        for (uint64_t i = 0; i < trades; i++) {
            add_trade(market, events, &count);
        }
    }
    events[count - 1].head.flags |= EVENT_LAST;
    return count;
}

uint32_t settlement_market_trade(struct settlement_market *market,
                                 struct event events[MARKET_EVENTS_MAX])
{
    uint32_t count = 0;
    begin(market);
    event_add(market, events, &count, EVENT_NEW);
    add_trade(market, events, &count);
    events[count - 1].head.flags |= EVENT_LAST;
    return count;
}
