#include "exchange/reads.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "exchange/reads_orders.h"
#include "exchange/reads_quote.h"

void reads_reject(const struct request *request, uint16_t reason, struct message *message)
{
    message->type = MESSAGE_REJECT;
    message->reject = (struct reject){.cl_ord_id = request->cl_ord_id,
                                      .ref = request->ref,
                                      .reason = reason,
                                      .request = request->type};
    memcpy(message->reject.field, request->field, CODEC_FIELD_SIZE);
}

static void reject_field(const struct request *request, uint16_t reason, const char *field,
                         struct message *message)
{
    reads_reject(request, reason, message);
    (void)snprintf(message->reject.field, CODEC_FIELD_SIZE, "%s", field);
}

/* --- book ----------------------------------------------------------------------------------- */

static uint32_t put_levels(const struct level_row *levels, uint32_t count,
                           struct level_row rows[CODEC_LEVELS_MAX])
{
    uint32_t shown = count < CODEC_LEVELS_MAX ? count : CODEC_LEVELS_MAX;
    if (shown > 0) {
        memcpy(rows, levels, shown * sizeof(rows[0]));
    }
    return shown;
}

/* Whose offer it is, and of what resource. */
static int put_names(const struct replica *replica, const struct engine_order *order,
                     struct listed_row *row, struct error *error)
{
    struct engine_account account;
    struct event event;
    const struct registry_positions *resources = &replica->registry.kinds[REGISTRY_RESOURCE];
    CHECK(engine_account(replica->engine, order->account, &account));
    CHECK(order->resource >= 1 && order->resource <= resources->count);
    const char *name = engine_group_name(replica->engine, account.group);
    CHECK(name);
    int result = reads_orders_event(replica, resources->items[order->resource - 1], &event, error);
    if (result < 0) {
        return result;
    }
    row->resource = order->resource;
    memcpy(row->name, name, LABEL_SIZE);
    memcpy(row->node, event.resource.node, LABEL_SIZE);
    return 0;
}

/* The offers of a listing market one by one, behind one of them. */
static int put_listed(const struct replica *replica, uint64_t contract, uint64_t after, bool names,
                      struct book_answer *answer, struct error *error)
{
    uint64_t cursor = after;
    struct engine_order order;
    while (engine_listed_offer(replica->engine, contract, &cursor, &order)) {
        if (answer->listed_count == CODEC_LISTED_MAX) {
            answer->more = 1;
            return 0;
        }
        struct listed_row *row = &answer->listed[answer->listed_count++];
        *row = (struct listed_row){
            .order_id = order.order_id, .price_e4 = order.price_e4, .qty = order.leaves_qty};
        int result = names ? put_names(replica, &order, row, error) : 0;
        if (result < 0) {
            return result;
        }
    }
    return 0;
}

/* Whether the offer stands in the contract, so that others may be read behind it. */
static bool stands(const struct replica *replica, uint64_t contract, uint64_t order_id)
{
    struct engine_order order;
    return engine_order(replica->engine, order_id, &order) && order.kind == ENGINE_ORDER &&
           order.contract == contract && order.side == SIDE_SELL && !order.reserved;
}

static int answer_book(const struct replica *replica, const struct request *request,
                       struct message *message, struct error *error)
{
    uint64_t contract;
    const char *symbol = request->book.symbol;
    if (!contract_parse(&replica->registry.names, symbol, strnlen(symbol, SYMBOL_SIZE),
                        &contract)) {
        reject_field(request, REASON_UNKNOWN_SYMBOL, "symbol", message);
        return 0;
    }
    uint64_t after = request->book.after_order_id;
    if (after != 0 && !stands(replica, contract, after)) {
        reject_field(request, REASON_NOT_FOUND, "after_order_id", message);
        return 0;
    }
    struct market_data_depth depth;
    market_data_find(replica->market_data, contract, &depth);
    struct book_answer *answer = &message->book;
    message->type = MESSAGE_BOOK;
    *answer = (struct book_answer){.ref = request->ref,
                                   .seq = replica_seq(replica),
                                   .contract_seq = depth.seq,
                                   .time_ns = engine_time_ns(replica->engine),
                                   .best_bid_e4 = depth.best.bid_e4,
                                   .best_bid_qty = depth.best.bid_qty,
                                   .best_bid_shared_qty = depth.best.bid_shared_qty,
                                   .best_offer_e4 = depth.best.offer_e4,
                                   .best_offer_qty = depth.best.offer_qty,
                                   .auction = depth.auction};
    memcpy(answer->symbol, symbol, SYMBOL_SIZE);
    answer->bid_count = put_levels(depth.bids, depth.bid_count, answer->bids);
    answer->offer_count = put_levels(depth.offers, depth.offer_count, answer->offers);
    const struct registry_market *market = replica_registry_market(
        &replica->registry, contract_class(contract), contract_region(contract));
    answer->halted = market && market->halted;
    bool names = market && (market->terms.flags & MARKET_NAMES_SHOWN) != 0;
    int result = put_listed(replica, contract, after, names, answer, error);
    if (result < 0) {
        return result;
    }
    (void)engine_reference(replica->engine, contract, &answer->reference_e4);
    uint64_t position;
    if (status_last_trade(replica->status, contract, &position)) {
        struct event event;
        result = reads_orders_event(replica, position, &event, error);
        if (result < 0) {
            return result;
        }
        answer->last_px_e4 = event.trade.price_e4;
        answer->last_qty = event.trade.qty;
    }
    return 0;
}

/* --- account -------------------------------------------------------------------------------- */

static void put_holdings(const struct replica *replica, uint32_t pass_over,
                         struct account_answer *answer)
{
    uint32_t cursor = 0;
    uint32_t seen = 0;
    struct engine_holding holding;
    while (engine_account_holding(replica->engine, answer->account, &cursor, &holding)) {
        if (seen++ < pass_over) {
            continue;
        }
        if (answer->holding_count == CODEC_HOLDINGS_MAX) {
            answer->more = 1;
            return;
        }
        answer->holdings[answer->holding_count++] = (struct holding_row){
            .resource = holding.resource,
            .hour = holding.hour,
            .tier = holding.tier,
            .qty = holding.qty,
            .offered_qty = holding.offered,
        };
    }
}

static int answer_account(const struct replica *replica, const struct reads_asker *asker,
                          const struct request *request, struct message *message,
                          struct error *error)
{
    uint32_t account = request->account.account != 0 ? request->account.account : asker->account;
    struct engine_account state;
    if ((account != asker->account && !(asker->roles & ROLE_OPERATOR)) ||
        !engine_account(replica->engine, account, &state)) {
        reads_reject(request, REASON_NOT_FOUND, message);
        return 0;
    }
    struct account_answer *answer = &message->account;
    message->type = MESSAGE_ACCOUNT;
    *answer = (struct account_answer){.ref = request->ref,
                                      .seq = replica_seq(replica),
                                      .cash_e4 = state.cash_e4,
                                      .credit_e4 = state.credit_e4,
                                      .reserved_e4 = state.reserved_e4,
                                      .bond_e4 = state.bond_open_e4 + state.bond_locked_e4,
                                      .available_e4 = state.available_e4,
                                      .escrow_e4 = state.escrow_e4,
                                      .order_qty_limit = state.order_qty_limit,
                                      .account = account,
                                      .group = state.group,
                                      .open_orders = state.open_orders,
                                      .open_orders_limit = state.open_orders_limit,
                                      .rate_limit = state.rate_limit,
                                      .roles = state.roles,
                                      .fees = state.fees,
                                      .killed = state.killed};
    struct event event;
    const struct registry_positions *accounts = &replica->registry.kinds[REGISTRY_ACCOUNT];
    CHECK(account <= accounts->count);
    int result = reads_orders_event(replica, accounts->items[account - 1], &event, error);
    if (result < 0) {
        return result;
    }
    memcpy(answer->name, event.account.name, LABEL_SIZE);
    put_holdings(replica, request->account.after_holding, answer);
    return 0;
}

/* --- lists ---------------------------------------------------------------------------------- */

static void put_resource(const struct replica *replica, const struct event *event,
                         const struct event *identity, struct resource_row *row)
{
    const struct event_resource *resource = &event->resource;
    *row = (struct resource_row){.id = resource->resource,
                                 .account = resource->account,
                                 .gpus = resource->gpus,
                                 .pue_e4 = resource->pue_e4,
                                 .bandwidth_mbps = resource->bandwidth_mbps,
                                 .tier = resource->tier};
    memcpy(row->class_name, replica->registry.names.classes[resource->class_id], NAME_SIZE);
    memcpy(row->region, replica->registry.names.regions[resource->region_id], NAME_SIZE);
    memcpy(row->node, resource->node, LABEL_SIZE);
    memcpy(row->identifier, identity->identity.identifier, IDENTIFIER_SIZE);
}

static void put_account(const struct replica *replica, const struct event_account *event,
                        struct account_row *row)
{
    struct engine_account state;
    CHECK(engine_account(replica->engine, event->account, &state));
    *row = (struct account_row){.id = event->account,
                                .group = state.group,
                                .roles = state.roles,
                                .fees = state.fees,
                                .killed = state.killed};
    memcpy(row->name, event->name, LABEL_SIZE);
}

static void put_key(const struct replica *replica, const struct event_key *event,
                    struct key_row *row)
{
    struct engine_key state;
    CHECK(engine_key(replica->engine, event->key, &state));
    *row = (struct key_row){.id = event->key,
                            .account = event->account,
                            .roles = event->roles,
                            .revoked = state.revoked};
    memcpy(row->public_key, event->public_key, PUBLIC_KEY_SIZE);
    memcpy(row->name, event->name, LABEL_SIZE);
}

static void put_class(const struct event_class *event, struct class_row *row)
{
    *row = (struct class_row){.id = event->class_id + 1u,
                              .lot = event->lot,
                              .memory_gib = event->memory_gib,
                              .bf16_gflops = event->bf16_gflops,
                              .host_power_w = event->host_power_w};
    memcpy(row->name, event->name, NAME_SIZE);
}

static void put_region(const struct event_region *event, struct region_row *row)
{
    *row = (struct region_row){.id = event->region_id + 1u,
                               .grid_g_per_kwh_e2 = event->grid_g_per_kwh_e2,
                               .carbon_free_bp = event->carbon_free_bp};
    memcpy(row->name, event->name, NAME_SIZE);
}

/* `identity` is the event behind a resource's. */
static void put_row(const struct replica *replica, uint8_t what, const struct event *event,
                    const struct event *identity, struct list_answer *answer)
{
    uint32_t row = answer->count++;
    if (what == LIST_CLASSES) {
        put_class(&event->class_, &answer->classes[row]);
    } else if (what == LIST_REGIONS) {
        put_region(&event->region, &answer->regions[row]);
    } else if (what == LIST_RESOURCES) {
        put_resource(replica, event, identity, &answer->resources[row]);
    } else if (what == LIST_GROUPS) {
        answer->groups[row] = (struct group_row){.id = event->group.group};
        memcpy(answer->groups[row].name, event->group.name, LABEL_SIZE);
    } else if (what == LIST_ACCOUNTS) {
        put_account(replica, &event->account, &answer->accounts[row]);
    } else if (what == LIST_KEYS) {
        put_key(replica, &event->key, &answer->keys[row]);
    } else {
        answer->fees[row] = (struct fees_row){.id = event->fees.fees,
                                              .maker_bp = event->fees.maker_bp,
                                              .taker_bp = event->fees.taker_bp};
    }
}

static void list_markets(const struct replica *replica, uint32_t after, struct list_answer *answer)
{
    const struct replica_registry *registry = &replica->registry;
    for (size_t i = after; i < registry->market_count; i++) {
        if (answer->count == CODEC_ROWS_MAX) {
            answer->more = 1;
            return;
        }
        const struct event_market *terms = &registry->markets[i].terms;
        struct market_row *row = &answer->markets[answer->count++];
        *row = (struct market_row){.id = (uint32_t)i + 1,
                                   .inner_band_bp = terms->inner_band_bp,
                                   .outer_band_bp = terms->outer_band_bp,
                                   .mode = terms->mode,
                                   .no_resale = (terms->flags & MARKET_NO_RESALE) != 0,
                                   .names_shown = (terms->flags & MARKET_NAMES_SHOWN) != 0,
                                   .opening_s = terms->opening_s,
                                   .volatility_s = terms->volatility_s,
                                   .volatility_min_qty = terms->volatility_min_qty,
                                   .period_s = terms->period_s,
                                   .random_end_s = terms->random_end_s,
                                   .halted = registry->markets[i].halted};
        memcpy(row->launch_price_e4, terms->launch_price_e4, sizeof(row->launch_price_e4));
        memcpy(row->class_name, registry->names.classes[terms->class_id], NAME_SIZE);
        memcpy(row->region, registry->names.regions[terms->region_id], NAME_SIZE);
    }
}

static int list_events(const struct replica *replica, const struct request_list *list,
                       struct list_answer *answer, struct error *error)
{
    static const enum registry_kind kinds[LIST_WHAT_COUNT] = {
        [LIST_CLASSES] = REGISTRY_CLASS,      [LIST_REGIONS] = REGISTRY_REGION,
        [LIST_RESOURCES] = REGISTRY_RESOURCE, [LIST_GROUPS] = REGISTRY_GROUP,
        [LIST_ACCOUNTS] = REGISTRY_ACCOUNT,   [LIST_KEYS] = REGISTRY_KEY,
        [LIST_FEES] = REGISTRY_FEES,
    };
    const struct registry_positions *positions = &replica->registry.kinds[kinds[list->what]];
    for (size_t i = list->after; i < positions->count; i++) {
        if (answer->count == CODEC_ROWS_MAX) {
            answer->more = 1;
            return 0;
        }
        struct event event;
        struct event identity = {0};
        int result = reads_orders_event(replica, positions->items[i], &event, error);
        if (result == 0 && list->what == LIST_RESOURCES) {
            result = reads_orders_event(replica, positions->items[i] + 1, &identity, error);
        }
        if (result < 0) {
            return result;
        }
        put_row(replica, list->what, &event, &identity, answer);
    }
    return 0;
}

static int answer_list(const struct replica *replica, const struct reads_asker *asker,
                       const struct request *request, struct message *message, struct error *error)
{
    const struct request_list *list = &request->list;
    bool operators_only =
        list->what == LIST_GROUPS || list->what == LIST_ACCOUNTS || list->what == LIST_KEYS;
    if (list->what >= LIST_GATEWAYS) {
        reject_field(request, REASON_UNKNOWN_NAME, "what", message);
        return 0;
    }
    if (operators_only && !(asker->roles & ROLE_OPERATOR)) {
        reads_reject(request, REASON_ROLE_NOT_ALLOWED, message);
        return 0;
    }
    message->type = (uint8_t)(MESSAGE_CLASSES + list->what);
    struct list_answer *answer = &message->list;
    answer->ref = request->ref;
    answer->seq = replica_seq(replica);
    answer->count = 0;
    answer->more = 0;
    if (list->what == LIST_MARKETS) {
        list_markets(replica, list->after, answer);
        return 0;
    }
    return list_events(replica, list, answer, error);
}

int reads_answer(const struct replica *replica, const struct reads_asker *asker,
                 const struct request *request, struct message *message, struct error *error)
{
    if (request->reason != 0) {
        reads_reject(request, request->reason, message);
        return 0;
    }
    if (request->type == REQUEST_BOOK) {
        return answer_book(replica, request, message, error);
    }
    if (request->type == REQUEST_ACCOUNT) {
        return answer_account(replica, asker, request, message, error);
    }
    if (request->type == REQUEST_ORDER_STATUS) {
        return reads_orders_status(replica, asker, request, message, error);
    }
    if (request->type == REQUEST_ORDERS) {
        return reads_orders_live(replica, asker, request, message, error);
    }
    if (request->type == REQUEST_TRADES) {
        return reads_orders_trades(replica, asker, request, message, error);
    }
    if (request->type == REQUEST_REPORTS) {
        return reads_orders_reports(replica, asker, request, message, error);
    }
    if (codec_request_is_dry(request)) {
        reads_quote(replica, asker, request, message);
        return 0;
    }
    if (request->type == REQUEST_LIST) {
        return answer_list(replica, asker, request, message, error);
    }
    reads_reject(request, REASON_UNKNOWN_TYPE, message);
    return 0;
}
