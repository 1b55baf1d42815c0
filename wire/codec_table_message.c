#include <string.h>

#include "wire/codec_table.h"

/* clang-format off */
/* --- server messages: S is the struct that the lines of a table are about ------------------------ */
#define U(member_, ...)    CODEC_FIELD(S, member_, #member_, UINT, __VA_ARGS__)
#define U0(member_)        U(member_, 0, .min = 0)
#define UA(member_)        U(member_, CODEC_ALWAYS, .min = 0)
#define I0(member_)        CODEC_FIELD(S, member_, #member_, INT, 0, .min = INT64_MIN)
#define IA(member_)        CODEC_FIELD(S, member_, #member_, INT, CODEC_ALWAYS, .min = INT64_MIN)
#define B0(member_)        CODEC_FIELD(S, member_, #member_, BOOL, 0, .min = 0)
#define T0(member_)        CODEC_FIELD(S, member_, #member_, TEXT, 0, .min = 0)
#define E0(member_, names_) CODEC_FIELD(S, member_, #member_, ENUM, 0, .names = &names_)
#define EA(member_, names_) CODEC_FIELD(S, member_, #member_, ENUM, CODEC_ALWAYS, .names = &names_)
#define REQUEST_FIELD      CODEC_FIELD(S, request, "request", ENUM, 0, .names = NULL)
#define REASON_FIELDS                                                                              \
    U0(reason), CODEC_FIELD(S, reason, "reason_name", REASON_NAME, 0, .min = 0),                             \
        CODEC_FIELD(S, reason, "text", REASON_TEXT, 0, .min = 0)
#define ROWS(member_, name_, count_, row_)                                                         \
    CODEC_FIELD(S, member_, name_, ROWS, CODEC_ALWAYS, .row = &row_, .count_offset = offsetof(S, count_),    \
      .capacity = CODEC_COUNT_OF(((S *)0)->member_))
#define ROW(fields_, struct_)                                                                      \
    { .field_count = CODEC_COUNT_OF(fields_), .fields = fields_, .size = sizeof(struct_),                \
      .clear_size = sizeof(struct_) }

/* A list is left out when it is empty. */
#define LIST(member_, count_, name_, row_, capacity_)                                              \
    CODEC_LIST_FIELD(S, member_, count_, name_, 0, row_, capacity_, .min = 0)
#define HOUR0(member_) CODEC_FIELD(S, member_, #member_, HOUR, 0, .min = 0)

#define S struct leg_row
static const struct codec_field leg_fields[] = {
    UA(leg), T0(symbol), U0(price_e4), E0(state, codec_names_leg_state), U0(open_qty),
};
static const struct codec_schema leg_row = ROW(leg_fields, struct leg_row);
#undef S
#define S struct lane_row
static const struct codec_field lane_fields[] = {
    UA(lane), CODEC_FIELD(S, class_name, "class", TEXT, 0, .min = 0), T0(region),
    EA(tier, codec_names_tier), U0(factor_e4),
};
static const struct codec_schema lane_row = ROW(lane_fields, struct lane_row);
#undef S

#define S struct report
#define ORDER_GROUP .mark_offset = offsetof(S, fields), .mark = REPORT_ORDER
#define TERM(name_)   .mark_offset = offsetof(S, fields), .mark = REPORT_##name_
#define MISS_GROUP  .mark_offset = offsetof(S, fields), .mark = REPORT_MISS
#define TRADE_GROUP .mark_offset = offsetof(S, fields), .mark = REPORT_TRADE
static const struct codec_field report_fields[] = {
    EA(exec_type, codec_names_exec_type),
    UA(seq),
    U0(report_seq),
    U0(cl_ord_id),
    U0(orig_cl_ord_id),
    U0(order_id),
    E0(ord_status, codec_names_ord_status),
    REQUEST_FIELD,
    T0(symbol),
    CODEC_FIELD(S, side, "side", ENUM, 0, .names = &codec_names_side, ORDER_GROUP),
    I0(price_e4),
    I0(order_qty),
    CODEC_FIELD(S, leaves_qty, "leaves_qty", INT, 0, .min = 0, ORDER_GROUP),
    CODEC_FIELD(S, cum_qty, "cum_qty", INT, 0, .min = 0, ORDER_GROUP),
    U0(exec_id),
    I0(last_px_e4),
    I0(last_qty),
    E0(liquidity, codec_names_liquidity),
    CODEC_FIELD(S, fee_e4, "fee_e4", INT, 0, .min = INT64_MIN, TRADE_GROUP),
    CODEC_FIELD(S, trade_tier, "trade_tier", ENUM, 0, .names = &codec_names_tier, TRADE_GROUP),
    U0(trade_group),
    B0(contingent),
    CODEC_FIELD(S, ord_type, "ord_type", ENUM, 0, .names = &codec_names_ord_type, TERM(ORD_TYPE)),
    CODEC_FIELD(S, tif, "tif", ENUM, 0, .names = &codec_names_tif, TERM(TIF)),
    CODEC_FIELD(S, stp, "stp", ENUM, 0, .names = &codec_names_stp, TERM(STP)),
    CODEC_FIELD(S, post_only, "post_only", BOOL, 0, TERM(POST_ONLY)),
    I0(min_qty),
    I0(display_qty),
    U0(job_lead_hours),
    B0(reserved_for_jobs),
    U0(hours),
    U0(orders),
    I0(gpus),
    HOUR0(window_from),
    HOUR0(window_to),
    CODEC_FIELD(S, placement, "placement", ENUM, 0, .names = &codec_names_placement, TERM(PLACEMENT)),
    U0(same_group),
    LIST(legs, leg_rows, "legs", leg_row, SET_LEGS_MAX),
    LIST(lanes, lane_rows, "lanes", lane_row, JOB_LANES_MAX),
    I0(expire_time_ns),
    U0(resource),
    I0(reserved_e4),
    B0(kept_priority),
    U0(id),
    U0(account),
    I0(cash_e4),
    I0(credit_e4),
    U0(canceled_orders),
    U0(leg),
    T0(miss_symbol),
    CODEC_FIELD(S, miss_qty, "miss_qty", INT, 0, .min = 0, MISS_GROUP),
    CODEC_FIELD(S, miss_wanted_qty, "miss_wanted_qty", INT, 0, .min = 0, MISS_GROUP),
    E0(field, codec_names_field),
    I0(value),
    I0(bound),
    REASON_FIELDS,
    IA(transact_time_ns),
};
static const struct codec_schema report_row = ROW(report_fields, struct report);
#undef S

#define S struct reject
static const struct codec_field reject_fields[] = {
    UA(index), U0(cl_ord_id), U0(ref), REQUEST_FIELD, T0(field), REASON_FIELDS,
};
#undef S
#define S struct login_answer
static const struct codec_field login_answer_fields[] = {
    U0(ref), UA(seq), UA(session), U0(key), U0(account),
    CODEC_FIELD(S, roles, "roles", SET, 0, .names = &codec_names_role),
    UA(highest_cl_ord_id), UA(highest_report_seq), U0(heartbeat_interval_s), T0(gateway),
    I0(transact_time_ns),
};
#undef S
#define S struct logout_answer
static const struct codec_field logout_fields[] = { U0(ref), U0(session), REASON_FIELDS };
#undef S
#define S struct heartbeat_answer
static const struct codec_field heartbeat_fields[] = { U0(ref), UA(seq) };
#undef S

#define S struct order_row
static const struct codec_field order_fields[] = {
    U0(order_id), U0(cl_ord_id), U0(seq), I0(time_ns), U0(key), E0(kind, codec_names_kind), U0(range_id), T0(symbol),
    EA(side, codec_names_side), EA(ord_type, codec_names_ord_type), EA(tif, codec_names_tif), EA(stp, codec_names_stp),
    B0(post_only), E0(ord_status, codec_names_ord_status), I0(price_e4), I0(order_qty), IA(leaves_qty),
    IA(cum_qty), I0(min_qty), I0(display_qty), I0(expire_time_ns), U0(resource), U0(job_lead_hours),
    B0(reserved_for_jobs), I0(notional_e4), I0(fee_e4), U0(leg_count), U0(lane_count), I0(gpus), U0(hours),
    HOUR0(window_from), HOUR0(window_to),
    CODEC_FIELD(S, placement, "placement", ENUM, 0, .names = &codec_names_placement,
      .mark_offset = offsetof(S, placed), .mark = 1),
    U0(same_group), LIST(legs, leg_rows, "legs", leg_row, SET_LEGS_MAX),
    LIST(lanes, lane_rows, "lanes", lane_row, JOB_LANES_MAX), T0(miss_symbol), I0(miss_qty),
    I0(miss_wanted_qty), REASON_FIELDS,
};
static const struct codec_schema order_row = ROW(order_fields, struct order_row);
#undef S
#define S struct order_status_answer
static const struct codec_field order_status_fields[] = {
    U0(ref), UA(seq), U0(cl_ord_id), REQUEST_FIELD, U0(report_seq), REASON_FIELDS,
    ROWS(orders, "orders", order_count, order_row),
};
#undef S
#define S struct orders_answer
static const struct codec_field orders_fields[] = {
    U0(ref), UA(seq), B0(more), ROWS(orders, "orders", order_count, order_row),
};
#undef S

#define S struct trade_row
static const struct codec_field trade_fields[] = {
    U0(fill_id), U0(order_id), U0(cl_ord_id), U0(seq), I0(time_ns), T0(symbol),
    EA(side, codec_names_side), I0(price_e4), I0(qty), IA(fee_e4), E0(liquidity, codec_names_liquidity),
    EA(trade_tier, codec_names_tier), U0(resource), U0(trade_group), B0(contingent),
};
static const struct codec_schema trade_row = ROW(trade_fields, struct trade_row);
#undef S
#define S struct trades_answer
static const struct codec_field trades_fields[] = {
    U0(ref), UA(seq), B0(more), ROWS(trades, "trades", trade_count, trade_row),
};
#undef S

#define AUCTION_FIELDS                                                                             \
    CODEC_FIELD(S, auction.phase, "phase", ENUM, 0, .names = &codec_names_phase),                  \
    CODEC_FIELD(S, auction.end_ns, "auction_end_ns", INT, 0, .min = 0),                            \
    CODEC_FIELD(S, auction.indicative_e4, "indicative_e4", INT, 0, .min = 0),                      \
    CODEC_FIELD(S, auction.indicative_qty, "indicative_qty", INT, 0, .min = 0)
#define S struct level_row
static const struct codec_field bid_level_fields[] = {
    I0(price_e4), IA(qty), I0(shared_qty), IA(orders),
};
static const struct codec_schema bid_level_row = ROW(bid_level_fields, struct level_row);
static const struct codec_field offer_level_fields[] = {
    I0(price_e4), IA(qty), I0(reserved_qty), IA(orders),
};
static const struct codec_schema offer_level_row = ROW(offer_level_fields, struct level_row);
#undef S
#define S struct listed_row
static const struct codec_field listed_fields[] = {
    U0(order_id), I0(price_e4), IA(qty), T0(name), U0(resource), T0(node),
};
static const struct codec_schema listed_row = ROW(listed_fields, struct listed_row);
#undef S
#define S struct book_answer
static const struct codec_field book_fields[] = {
    U0(ref), UA(seq), UA(contract_seq), T0(symbol), I0(time_ns), I0(best_bid_e4), I0(best_bid_qty),
    I0(best_bid_shared_qty), I0(best_offer_e4), I0(best_offer_qty), I0(last_px_e4), I0(last_qty), I0(reference_e4),
    B0(halted), B0(more), AUCTION_FIELDS, ROWS(bids, "bids", bid_count, bid_level_row),
    ROWS(offers, "offers", offer_count, offer_level_row), ROWS(listed, "listed", listed_count, listed_row),
};
#undef S

#define S struct holding_row
static const struct codec_field holding_fields[] = {
    U0(resource), CODEC_FIELD(S, hour, "hour", HOUR, 0, .min = 0), EA(tier, codec_names_tier), IA(qty),
    I0(offered_qty),
};
static const struct codec_schema holding_row = ROW(holding_fields, struct holding_row);
#undef S
#define S struct account_answer
static const struct codec_field account_fields[] = {
    U0(ref), UA(seq), U0(account), T0(name), U0(group),
    CODEC_FIELD(S, roles, "roles", SET, 0, .names = &codec_names_role), IA(cash_e4), IA(credit_e4),
    IA(reserved_e4), IA(bond_e4), IA(available_e4), I0(escrow_e4), UA(open_orders),
    I0(order_qty_limit), U0(open_orders_limit), U0(rate_limit), U0(fees), B0(killed), B0(more),
    ROWS(holdings, "holdings", holding_count, holding_row),
};
#undef S
#define S struct reports_answer
static const struct codec_field reports_fields[] = {
    U0(ref), UA(seq), UA(highest_report_seq), B0(more),
    ROWS(reports, "reports", report_count, report_row),
};
#undef S

#define S struct class_row
static const struct codec_field class_fields[] = {
    U0(id), T0(name), U0(lot), U0(memory_gib), U0(bf16_gflops), U0(host_power_w),
};
static const struct codec_schema class_row = ROW(class_fields, struct class_row);
#undef S
#define S struct region_row
static const struct codec_field region_fields[] = {
    U0(id), T0(name), U0(grid_g_per_kwh_e2), U0(carbon_free_bp),
};
static const struct codec_schema region_row = ROW(region_fields, struct region_row);
#undef S
#define LAUNCH(tier_, name_) CODEC_FIELD(S, launch_price_e4[tier_], name_, INT, 0, .min = 0)
#define S struct market_row
static const struct codec_field market_fields[] = {
    U0(id), CODEC_FIELD(S, class_name, "class", TEXT, 0, .min = 0), T0(region), EA(mode, codec_names_mode),
    LAUNCH(TIER_G0, "launch_price_g0_e4"), LAUNCH(TIER_G50, "launch_price_g50_e4"),
    LAUNCH(TIER_G80, "launch_price_g80_e4"), LAUNCH(TIER_G100, "launch_price_g100_e4"),
    U0(inner_band_bp), U0(outer_band_bp), U0(opening_s), U0(volatility_s), U0(volatility_min_qty), U0(period_s),
    U0(random_end_s), B0(no_resale), B0(names_shown), B0(halted),
};
static const struct codec_schema market_row = ROW(market_fields, struct market_row);
#undef S
#define S struct resource_row
static const struct codec_field resource_fields[] = {
    U0(id), U0(account), CODEC_FIELD(S, class_name, "class", TEXT, 0, .min = 0), T0(region),
    EA(tier, codec_names_tier), U0(gpus), U0(pue_e4), U0(bandwidth_mbps), T0(node), T0(identifier),
};
static const struct codec_schema resource_row = ROW(resource_fields, struct resource_row);
#undef S
#define S struct group_row
static const struct codec_field group_fields[] = { U0(id), T0(name) };
static const struct codec_schema group_row = ROW(group_fields, struct group_row);
#undef S
#define S struct account_row
static const struct codec_field account_row_fields[] = {
    U0(id), T0(name), U0(group), CODEC_FIELD(S, roles, "roles", SET, 0, .names = &codec_names_role), U0(fees),
    B0(killed),
};
static const struct codec_schema account_row = ROW(account_row_fields, struct account_row);
#undef S
#define S struct key_row
static const struct codec_field key_fields[] = {
    U0(id), T0(name), U0(account), CODEC_FIELD(S, roles, "roles", SET, 0, .names = &codec_names_role),
    CODEC_FIELD(S, public_key, "public_key", KEY, CODEC_ALWAYS, .min = 0), B0(revoked),
};
static const struct codec_schema key_row = ROW(key_fields, struct key_row);
#undef S
#define S struct fees_row
static const struct codec_field fees_fields[] = { U0(id), UA(maker_bp), UA(taker_bp) };
static const struct codec_schema fees_row = ROW(fees_fields, struct fees_row);
#undef S
#define S struct gateway_row
static const struct codec_field gateway_fields[] = {
    T0(name), U0(link), UA(sessions), UA(messages), UA(requests), UA(refused), UA(commands),
    UA(events), UA(dropped),
};
static const struct codec_schema gateway_row = ROW(gateway_fields, struct gateway_row);
#undef S

#define S struct list_answer
#define LISTED(array_, member_)                                                                    \
    static const struct codec_field array_[] = {                                                   \
        U0(ref), UA(seq), B0(more), ROWS(member_, "rows", count, LIST_ROW),                        \
    }
#define LIST_ROW class_row
LISTED(classes_fields, classes);
#undef LIST_ROW
#define LIST_ROW region_row
LISTED(regions_fields, regions);
#undef LIST_ROW
#define LIST_ROW market_row
LISTED(markets_fields, markets);
#undef LIST_ROW
#define LIST_ROW resource_row
LISTED(resources_fields, resources);
#undef LIST_ROW
#define LIST_ROW group_row
LISTED(groups_fields, groups);
#undef LIST_ROW
#define LIST_ROW account_row
LISTED(accounts_fields, accounts);
#undef LIST_ROW
#define LIST_ROW key_row
LISTED(keys_fields, keys);
#undef LIST_ROW
#define LIST_ROW fees_row
LISTED(fees_list_fields, fees);
#undef LIST_ROW
#define LIST_ROW gateway_row
LISTED(gateways_fields, gateways);
#undef LIST_ROW
#undef S

#define S struct md_trade_row
static const struct codec_field md_trade_fields[] = {
    U0(fill_id), I0(price_e4), I0(qty), EA(aggressor, codec_names_aggressor), EA(offer_tier, codec_names_tier),
    B0(contingent), E0(auction, codec_names_auction),
};
static const struct codec_schema md_trade_row = ROW(md_trade_fields, struct md_trade_row);
#undef S
#define S struct md_level_row
static const struct codec_field md_level_fields[] = {
    EA(side, codec_names_side), I0(price_e4), IA(qty), I0(shared_qty), I0(reserved_qty), IA(orders),
};
static const struct codec_schema md_level_row = ROW(md_level_fields, struct md_level_row);
#undef S
#define S struct market_data
static const struct codec_field market_data_fields[] = {
    T0(symbol), UA(seq), UA(prev_seq), I0(time_ns), I0(best_bid_e4), I0(best_bid_qty),
    I0(best_bid_shared_qty), I0(best_offer_e4), I0(best_offer_qty), B0(continued), B0(halted),
    AUCTION_FIELDS,
    ROWS(trades, "trades", trade_count, md_trade_row),
    ROWS(levels, "levels", level_count, md_level_row),
};
#undef S
#define S struct index_message
static const struct codec_field index_fields[] = {
    CODEC_FIELD(S, class_name, "class", TEXT, 0, .min = 0), T0(region), EA(tier, codec_names_tier),
    CODEC_FIELD(S, day, "day", DAY, CODEC_ALWAYS, .min = 0), E0(kind, codec_names_index_kind), UA(seq),
    I0(time_ns), I0(price_e4), U0(level), IA(volume_qty), UA(observations), UA(buyers),
    UA(sellers), UA(left_out), CODEC_FIELD(S, trading_day, "trading_day", DAY, 0, .min = 0),
    CODEC_FIELD(S, value_day, "value_day", DAY, 0, .min = 0), U0(parameter_version),
};
#undef S
#define S struct quote_answer
static const struct codec_field quote_fields[] = {
    U0(ref), UA(seq), I0(time_ns), REQUEST_FIELD, IA(fill_qty), I0(notional_e4), I0(fee_e4), I0(reserved_e4),
    I0(price_e4), U0(leg), T0(symbol), HOUR0(hour), U0(resource), U0(miss_leg), T0(miss_symbol), I0(miss_qty),
    I0(miss_wanted_qty), I0(value), I0(bound), REASON_FIELDS,
};
#undef S

/* Rows stand last in their structs and are not zeroed: their count says how many there are. */
#define MESSAGE(name_, fields_, struct_, clear_)                                                   \
    { .name = name_, .name_length = sizeof name_ - 1, .field_count = CODEC_COUNT_OF(fields_),            \
      .fields = fields_, .clear_size = clear_, .size = sizeof(struct_) }
#define WHOLE(name_, fields_, struct_) MESSAGE(name_, fields_, struct_, sizeof(struct_))
#define UPTO(name_, fields_, struct_, rows_)                                                       \
    MESSAGE(name_, fields_, struct_, offsetof(struct_, rows_))
#define LISTING(name_, fields_) UPTO(name_, fields_, struct list_answer, classes)

static const struct codec_schema messages[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_REPORT] = WHOLE("execution_report", report_fields, struct report),
    [MESSAGE_REJECT] = WHOLE("reject", reject_fields, struct reject),
    [MESSAGE_LOGIN] = WHOLE("login", login_answer_fields, struct login_answer),
    [MESSAGE_LOGOUT] = WHOLE("logout", logout_fields, struct logout_answer),
    [MESSAGE_HEARTBEAT] = WHOLE("heartbeat", heartbeat_fields, struct heartbeat_answer),
    [MESSAGE_ORDER_STATUS] =
        UPTO("order_status", order_status_fields, struct order_status_answer, orders),
    [MESSAGE_ORDERS] = UPTO("orders", orders_fields, struct orders_answer, orders),
    [MESSAGE_TRADES] = UPTO("trades", trades_fields, struct trades_answer, trades),
    [MESSAGE_BOOK] = UPTO("book", book_fields, struct book_answer, bids),
    [MESSAGE_ACCOUNT] = UPTO("account", account_fields, struct account_answer, holdings),
    [MESSAGE_REPORTS] = UPTO("reports", reports_fields, struct reports_answer, reports),
    [MESSAGE_CLASSES] = LISTING("classes", classes_fields),
    [MESSAGE_REGIONS] = LISTING("regions", regions_fields),
    [MESSAGE_MARKETS] = LISTING("markets", markets_fields),
    [MESSAGE_RESOURCES] = LISTING("resources", resources_fields),
    [MESSAGE_GROUPS] = LISTING("groups", groups_fields),
    [MESSAGE_ACCOUNTS] = LISTING("accounts", accounts_fields),
    [MESSAGE_KEYS] = LISTING("keys", keys_fields),
    [MESSAGE_FEES] = LISTING("fees", fees_list_fields),
    [MESSAGE_GATEWAYS] = LISTING("gateways", gateways_fields),
    [MESSAGE_MARKET_DATA] = UPTO("market_data", market_data_fields, struct market_data, trades),
    [MESSAGE_INDEX] = WHOLE("index", index_fields, struct index_message),
    [MESSAGE_QUOTE] = WHOLE("quote", quote_fields, struct quote_answer),
};
/* clang-format on */

const struct codec_schema *codec_table_message(uint8_t type)
{
    return type < MESSAGE_TYPE_COUNT && messages[type].name != NULL ? &messages[type] : NULL;
}

static bool has_name(const struct codec_schema *schema, const char *name, size_t length)
{
    return schema->name_length == length && memcmp(schema->name, name, length) == 0;
}

uint8_t codec_table_message_find(const char *name, size_t length)
{
    if (length == 0) {
        return 0;
    }
    for (uint8_t type = 1; type < MESSAGE_TYPE_COUNT; type++) {
        if (has_name(&messages[type], name, length)) {
            return type;
        }
    }
    return 0;
}
