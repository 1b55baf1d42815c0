#include "wire/codec_table.h"

#include <string.h>

/* clang-format off */
#define N(text_) { text_, sizeof text_ - 1 }
#define NO_NAME  { NULL, 0 }

static const struct codec_names side_names = { 2, { N("buy"), N("sell") } };
static const struct codec_names ord_type_names = { 2, { N("limit"), N("market") } };
static const struct codec_names tif_names = { 4, { N("gate"), N("time"), N("ioc"), N("fok") } };
static const struct codec_names stp_names = { 3, { N("newest"), N("oldest"), N("decrement") } };
static const struct codec_names tier_names = { 4, { N("G0"), N("G50"), N("G80"), N("G100") } };
static const struct codec_names role_names = {
    4, { N("provider"), N("buyer"), N("analyst"), N("operator") } };
static const struct codec_names mode_names = {
    4, { N("none"), N("continuous"), N("auction"), N("listing") } };
static const struct codec_names what_names = {
    9, { N("classes"), N("regions"), N("markets"), N("resources"), N("groups"), N("accounts"),
         N("keys"), N("fees"), N("gateways") } };
static const struct codec_names exec_type_names = {
    11, { NO_NAME, N("new"), N("replaced"), N("canceled"), N("expired"), N("restated"), N("trade"),
          N("rejected"), N("done"), N("mass_cancel"), N("sweep_done") } };
static const struct codec_names ord_status_names = {
    7, { NO_NAME, N("new"), N("partially_filled"), N("filled"), N("canceled"), N("expired"),
         N("rejected") } };
static const struct codec_names index_kind_names = {
    4, { NO_NAME, N("indicative"), N("preliminary"), N("final") } };
static const struct codec_names liquidity_names = { 3, { NO_NAME, N("maker"), N("taker") } };

/* One line a field: F(struct, member, name on the wire, kind, flags, ...more). */
#define F(struct_, member_, name_, kind_, flags_, ...)                                             \
    { .name = name_, .name_length = sizeof name_ - 1, .kind = CODEC_##kind_, .flags = flags_,      \
      .offset = offsetof(struct_, member_), .size = sizeof(((struct_ *)0)->member_), __VA_ARGS__ }
#define R(member_, name_, kind_, ...) F(struct request, member_, name_, kind_, __VA_ARGS__)
#define MUST CODEC_REQUIRED

/* A number that is not given is 0; one that is given is at least `min`. */
#define CL_ORD_ID R(cl_ord_id, "cl_ord_id", UINT, MUST, .min = 1)
#define REF       R(ref, "ref", UINT, 0, .min = 1)

static const struct codec_field unknown_fields[] = {
    R(cl_ord_id, "cl_ord_id", UINT, 0, .min = 1),
    REF,
};
static const struct codec_field login_fields[] = {
    R(login.cancel_on_disconnect, "cancel_on_disconnect", BOOL, 0, .min = 0),
    R(login.next_report_seq, "next_report_seq", UINT, 0, .min = 1),
    R(login.public_key, "public_key", KEY, 0, .mark = 1,
      .mark_offset = offsetof(struct request, login.has_public_key)),
    REF,
};
static const struct codec_field ref_fields[] = {
    REF,
};
static const struct codec_field new_order_fields[] = {
    CL_ORD_ID,
    R(new_order.symbol, "symbol", TEXT, MUST, .min = 1),
    R(new_order.side, "side", ENUM, MUST, .names = &side_names),
    R(new_order.price_e4, "price_e4", INT, MUST, .min = 0),
    R(new_order.qty, "qty", INT, MUST, .min = 0),
    R(new_order.ord_type, "ord_type", ENUM, 0, .names = &ord_type_names),
    R(new_order.tif, "tif", ENUM, 0, .names = &tif_names),
    R(new_order.stp, "stp", ENUM, 0, .names = &stp_names),
    R(new_order.resource, "resource", UINT, 0, .min = 0),
    R(new_order.min_qty, "min_qty", INT, 0, .min = 0),
    R(new_order.display_qty, "display_qty", INT, 0, .min = 0),
    R(new_order.expire_time_ns, "expire_time_ns", INT, 0, .min = 0),
    R(new_order.post_only, "post_only", BOOL, 0, .min = 0),
    R(new_order.reserved_for_jobs, "reserved_for_jobs", BOOL, 0, .min = 0),
};
static const struct codec_field replace_order_fields[] = {
    CL_ORD_ID,
    R(replace_order.order_id, "order_id", UINT, MUST, .min = 1),
    R(replace_order.price_e4, "price_e4", INT, MUST, .min = 0),
    R(replace_order.qty, "qty", INT, MUST, .min = 0),
};
static const struct codec_field cancel_order_fields[] = {
    CL_ORD_ID,
    R(cancel_order.order_id, "order_id", UINT, MUST, .min = 1),
};
static const struct codec_field mass_cancel_fields[] = {
    CL_ORD_ID,
    R(mass_cancel.class_name, "class", TEXT, 0, .min = 1),
    R(mass_cancel.region, "region", TEXT, 0, .min = 1),
    R(mass_cancel.hour_from, "hour_from", HOUR, 0, .min = 0),
    R(mass_cancel.hour_to, "hour_to", HOUR, 0, .min = 0),
    R(mass_cancel.own_key, "own_key", BOOL, 0, .min = 0),
};
static const struct codec_field register_class_fields[] = {
    CL_ORD_ID,
    R(register_class.name, "name", TEXT, MUST, .min = 1),
    R(register_class.lot, "lot", UINT, MUST, .min = 0),
    R(register_class.memory_gib, "memory_gib", UINT, 0, .min = 0),
    R(register_class.bf16_gflops, "bf16_gflops", UINT, 0, .min = 0),
    R(register_class.host_power_w, "host_power_w", UINT, 0, .min = 0),
};
static const struct codec_field register_region_fields[] = {
    CL_ORD_ID,
    R(register_region.name, "name", TEXT, MUST, .min = 1),
    R(register_region.grid_g_per_kwh_e2, "grid_g_per_kwh_e2", UINT, 0, .min = 0),
    R(register_region.carbon_free_bp, "carbon_free_bp", UINT, 0, .min = 0),
};
static const struct codec_field set_market_fields[] = {
    CL_ORD_ID,
    R(set_market.class_name, "class", TEXT, MUST, .min = 1),
    R(set_market.region, "region", TEXT, MUST, .min = 1),
    R(set_market.mode, "mode", ENUM, MUST, .names = &mode_names),
    R(set_market.inner_band_bp, "inner_band_bp", UINT, MUST, .min = 0),
    R(set_market.outer_band_bp, "outer_band_bp", UINT, MUST, .min = 0),
    R(set_market.launch_price_e4[TIER_G0], "launch_price_g0_e4", INT, 0, .min = 0),
    R(set_market.launch_price_e4[TIER_G50], "launch_price_g50_e4", INT, 0, .min = 0),
    R(set_market.launch_price_e4[TIER_G80], "launch_price_g80_e4", INT, 0, .min = 0),
    R(set_market.launch_price_e4[TIER_G100], "launch_price_g100_e4", INT, 0, .min = 0),
    R(set_market.no_resale, "no_resale", BOOL, 0, .min = 0),
    R(set_market.names_shown, "names_shown", BOOL, 0, .min = 0),
};
static const struct codec_field register_group_fields[] = {
    CL_ORD_ID,
    R(register_group.name, "name", TEXT, MUST, .min = 1),
};
static const struct codec_field open_account_fields[] = {
    CL_ORD_ID,
    R(open_account.name, "name", TEXT, MUST, .min = 1),
    R(open_account.group, "group", UINT, MUST, .min = 1),
    R(open_account.roles, "roles", SET, MUST, .names = &role_names),
    R(open_account.fees, "fees", UINT, 0, .min = 0),
};
static const struct codec_field register_key_fields[] = {
    CL_ORD_ID,
    R(register_key.name, "name", TEXT, MUST, .min = 1),
    R(register_key.public_key, "public_key", KEY, MUST, .min = 0),
    R(register_key.account, "account", UINT, MUST, .min = 1),
    R(register_key.roles, "roles", SET, MUST, .names = &role_names),
};
static const struct codec_field revoke_key_fields[] = {
    CL_ORD_ID,
    R(revoke_key.key, "key", UINT, MUST, .min = 1),
};
static const struct codec_field register_resource_fields[] = {
    CL_ORD_ID,
    R(register_resource.identifier, "identifier", TEXT, MUST, .min = 1),
    R(register_resource.account, "account", UINT, MUST, .min = 1),
    R(register_resource.class_name, "class", TEXT, MUST, .min = 1),
    R(register_resource.region, "region", TEXT, MUST, .min = 1),
    R(register_resource.tier, "tier", ENUM, MUST, .names = &tier_names),
    R(register_resource.gpus, "gpus", UINT, MUST, .min = 0),
    R(register_resource.node, "node", TEXT, 0, .min = 0),
    R(register_resource.energy_source, "energy_source", TEXT, 0, .min = 0),
    R(register_resource.pue_e4, "pue_e4", UINT, 0, .min = 0),
    R(register_resource.bandwidth_mbps, "bandwidth_mbps", UINT, 0, .min = 0),
};
static const struct codec_field register_fees_fields[] = {
    CL_ORD_ID,
    R(register_fees.maker_bp, "maker_bp", UINT, MUST, .min = 0),
    R(register_fees.taker_bp, "taker_bp", UINT, MUST, .min = 0),
};
#define LIMITS_MARK .mark_offset = offsetof(struct request, set_limits.fields)
static const struct codec_field set_limits_fields[] = {
    CL_ORD_ID,
    R(set_limits.account, "account", UINT, MUST, .min = 1),
    R(set_limits.order_qty_limit, "order_qty_limit", INT, 0, .mark = LIMITS_ORDER_QTY, LIMITS_MARK),
    R(set_limits.rate_limit, "rate_limit", UINT, 0, .mark = LIMITS_RATE, LIMITS_MARK),
    R(set_limits.open_orders_limit, "open_orders_limit", UINT, 0, .mark = LIMITS_OPEN_ORDERS,
      LIMITS_MARK),
    R(set_limits.fees, "fees", UINT, 0, .mark = LIMITS_FEES, LIMITS_MARK),
};
static const struct codec_field cash_fields[] = {
    CL_ORD_ID,
    R(cash.account, "account", UINT, MUST, .min = 1),
    R(cash.amount_e4, "amount_e4", INT, MUST, .min = 0),
    R(cash.reference, "reference", TEXT, 0, .min = 0),
};
static const struct codec_field set_reference_fields[] = {
    CL_ORD_ID,
    R(set_reference.class_name, "class", TEXT, MUST, .min = 1),
    R(set_reference.region, "region", TEXT, MUST, .min = 1),
    R(set_reference.tier, "tier", ENUM, MUST, .names = &tier_names),
    R(set_reference.day, "day", DAY, MUST, .min = 0),
    R(set_reference.price_e4, "price_e4", INT, MUST, .min = 0),
};
static const struct codec_field halt_fields[] = {
    CL_ORD_ID,
    R(halt.class_name, "class", TEXT, 0, .min = 1),
    R(halt.region, "region", TEXT, 0, .min = 1),
};
static const struct codec_field kill_fields[] = {
    CL_ORD_ID,
    R(kill.account, "account", UINT, 0, .min = 1),
};
static const struct codec_field advance_fields[] = {
    CL_ORD_ID,
    R(advance.delta_ns, "delta_ns", INT, MUST, .min = 1),
};
static const struct codec_field order_status_request_fields[] = {
    R(order_status.order_id, "order_id", UINT, 0, .min = 1),
    R(order_status.cl_ord_id, "cl_ord_id", UINT, 0, .min = 1),
    REF,
};
static const struct codec_field orders_request_fields[] = {
    R(orders.after_order_id, "after_order_id", UINT, 0, .min = 0),
    REF,
};
static const struct codec_field trades_request_fields[] = {
    R(trades.after_fill_id, "after_fill_id", UINT, 0, .min = 0),
    REF,
};
static const struct codec_field book_request_fields[] = {
    R(book.symbol, "symbol", TEXT, MUST, .min = 1),
    REF,
};
static const struct codec_field account_request_fields[] = {
    R(account.account, "account", UINT, 0, .min = 0),
    R(account.after_holding, "after_holding", UINT, 0, .min = 0),
    REF,
};
static const struct codec_field reports_request_fields[] = {
    R(reports.from_report_seq, "from_report_seq", UINT, MUST, .min = 1),
    REF,
};
static const struct codec_field list_request_fields[] = {
    R(list.what, "what", ENUM, MUST, .names = &what_names),
    R(list.after, "after", UINT, 0, .min = 0),
    REF,
};

#define COUNT_OF(array_) (sizeof(array_) / sizeof(array_)[0])
/* Everything up to the end of the request's own member is zeroed before decoding. */
#define REQUEST(name_, fields_, required_, member_)                                                \
    { .name = name_, .name_length = sizeof name_ - 1, .required_count = required_,                 \
      .field_count = COUNT_OF(fields_), .fields = fields_,                                         \
      .clear_size = offsetof(struct request, member_) + sizeof(((struct request *)0)->member_) }

static const struct codec_schema unknown_request = {
    .field_count = COUNT_OF(unknown_fields), .fields = unknown_fields,
    .clear_size = offsetof(struct request, login),
};
static const struct codec_schema requests[REQUEST_TYPE_COUNT] = {
    [REQUEST_LOGIN] = REQUEST("login", login_fields, 0, login),
    [REQUEST_LOGOUT] = REQUEST("logout", ref_fields, 0, login),
    [REQUEST_NEW_ORDER] = REQUEST("new_order", new_order_fields, 5, new_order),
    [REQUEST_REPLACE_ORDER] = REQUEST("replace_order", replace_order_fields, 4, replace_order),
    [REQUEST_CANCEL_ORDER] = REQUEST("cancel_order", cancel_order_fields, 2, cancel_order),
    [REQUEST_MASS_CANCEL] = REQUEST("mass_cancel", mass_cancel_fields, 1, mass_cancel),
    [REQUEST_REGISTER_CLASS] = REQUEST("register_class", register_class_fields, 3, register_class),
    [REQUEST_REGISTER_REGION] =
        REQUEST("register_region", register_region_fields, 2, register_region),
    [REQUEST_SET_MARKET] = REQUEST("set_market", set_market_fields, 6, set_market),
    [REQUEST_REGISTER_GROUP] = REQUEST("register_group", register_group_fields, 2, register_group),
    [REQUEST_OPEN_ACCOUNT] = REQUEST("open_account", open_account_fields, 4, open_account),
    [REQUEST_REGISTER_KEY] = REQUEST("register_key", register_key_fields, 5, register_key),
    [REQUEST_REVOKE_KEY] = REQUEST("revoke_key", revoke_key_fields, 2, revoke_key),
    [REQUEST_REGISTER_RESOURCE] =
        REQUEST("register_resource", register_resource_fields, 7, register_resource),
    [REQUEST_REGISTER_FEES] = REQUEST("register_fees", register_fees_fields, 3, register_fees),
    [REQUEST_SET_LIMITS] = REQUEST("set_limits", set_limits_fields, 2, set_limits),
    [REQUEST_DEPOSIT] = REQUEST("deposit", cash_fields, 3, cash),
    [REQUEST_WITHDRAW] = REQUEST("withdraw", cash_fields, 3, cash),
    [REQUEST_SET_CREDIT] = REQUEST("set_credit", cash_fields, 3, cash),
    [REQUEST_SET_REFERENCE] = REQUEST("set_reference", set_reference_fields, 6, set_reference),
    [REQUEST_HALT] = REQUEST("halt", halt_fields, 1, halt),
    [REQUEST_RESUME] = REQUEST("resume", halt_fields, 1, halt),
    [REQUEST_KILL] = REQUEST("kill", kill_fields, 1, kill),
    [REQUEST_REVIVE] = REQUEST("revive", kill_fields, 1, kill),
    [REQUEST_ADVANCE] = REQUEST("advance", advance_fields, 2, advance),
    [REQUEST_HEARTBEAT] = REQUEST("heartbeat", ref_fields, 0, login),
    [REQUEST_ORDER_STATUS] = REQUEST("order_status", order_status_request_fields, 0, order_status),
    [REQUEST_ORDERS] = REQUEST("orders", orders_request_fields, 0, orders),
    [REQUEST_TRADES] = REQUEST("trades", trades_request_fields, 0, trades),
    [REQUEST_BOOK] = REQUEST("book", book_request_fields, 1, book),
    [REQUEST_ACCOUNT] = REQUEST("account", account_request_fields, 0, account),
    [REQUEST_REPORTS] = REQUEST("reports", reports_request_fields, 1, reports),
    [REQUEST_LIST] = REQUEST("list", list_request_fields, 1, list),
};

/* --- server messages: S is the struct that the lines of a table are about ------------------------ */
#define U(member_, ...)    F(S, member_, #member_, UINT, __VA_ARGS__)
#define U0(member_)        U(member_, 0, .min = 0)
#define UA(member_)        U(member_, CODEC_ALWAYS, .min = 0)
#define I0(member_)        F(S, member_, #member_, INT, 0, .min = INT64_MIN)
#define IA(member_)        F(S, member_, #member_, INT, CODEC_ALWAYS, .min = INT64_MIN)
#define B0(member_)        F(S, member_, #member_, BOOL, 0, .min = 0)
#define T0(member_)        F(S, member_, #member_, TEXT, 0, .min = 0)
#define E0(member_, names_) F(S, member_, #member_, ENUM, 0, .names = &names_)
#define EA(member_, names_) F(S, member_, #member_, ENUM, CODEC_ALWAYS, .names = &names_)
#define REQUEST_FIELD      F(S, request, "request", ENUM, 0, .names = NULL)
#define REASON_FIELDS                                                                              \
    U0(reason), F(S, reason, "reason_name", REASON_NAME, 0, .min = 0),                             \
        F(S, reason, "text", REASON_TEXT, 0, .min = 0)
#define ROWS(member_, name_, count_, row_)                                                         \
    F(S, member_, name_, ROWS, CODEC_ALWAYS, .row = &row_, .count_offset = offsetof(S, count_),    \
      .capacity = COUNT_OF(((S *)0)->member_))
#define ROW(fields_, struct_)                                                                      \
    { .field_count = COUNT_OF(fields_), .fields = fields_, .size = sizeof(struct_),                \
      .clear_size = sizeof(struct_) }

#define S struct report
#define ORDER_GROUP .mark_offset = offsetof(S, fields), .mark = REPORT_ORDER
#define TERMS_GROUP .mark_offset = offsetof(S, fields), .mark = REPORT_TERMS
#define TRADE_GROUP .mark_offset = offsetof(S, fields), .mark = REPORT_TRADE
static const struct codec_field report_fields[] = {
    EA(exec_type, exec_type_names),
    UA(seq),
    U0(report_seq),
    U0(cl_ord_id),
    U0(orig_cl_ord_id),
    U0(order_id),
    E0(ord_status, ord_status_names),
    REQUEST_FIELD,
    T0(symbol),
    F(S, side, "side", ENUM, 0, .names = &side_names, ORDER_GROUP),
    I0(price_e4),
    I0(order_qty),
    F(S, leaves_qty, "leaves_qty", INT, 0, .min = 0, ORDER_GROUP),
    F(S, cum_qty, "cum_qty", INT, 0, .min = 0, ORDER_GROUP),
    U0(exec_id),
    I0(last_px_e4),
    I0(last_qty),
    E0(liquidity, liquidity_names),
    F(S, fee_e4, "fee_e4", INT, 0, .min = INT64_MIN, TRADE_GROUP),
    F(S, trade_tier, "trade_tier", ENUM, 0, .names = &tier_names, TRADE_GROUP),
    F(S, ord_type, "ord_type", ENUM, 0, .names = &ord_type_names, TERMS_GROUP),
    F(S, tif, "tif", ENUM, 0, .names = &tif_names, TERMS_GROUP),
    F(S, stp, "stp", ENUM, 0, .names = &stp_names, TERMS_GROUP),
    F(S, post_only, "post_only", BOOL, 0, TERMS_GROUP),
    I0(min_qty),
    I0(expire_time_ns),
    U0(resource),
    I0(reserved_e4),
    B0(kept_priority),
    U0(id),
    U0(account),
    I0(cash_e4),
    I0(credit_e4),
    U0(canceled_orders),
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
    F(S, roles, "roles", SET, 0, .names = &role_names),
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
    U0(order_id), U0(cl_ord_id), U0(seq), I0(time_ns), U0(key), T0(symbol),
    EA(side, side_names), EA(ord_type, ord_type_names), EA(tif, tif_names), EA(stp, stp_names),
    B0(post_only), E0(ord_status, ord_status_names), I0(price_e4), I0(order_qty), IA(leaves_qty),
    IA(cum_qty), I0(min_qty), I0(expire_time_ns), U0(resource), I0(notional_e4), I0(fee_e4),
    REASON_FIELDS,
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
    EA(side, side_names), I0(price_e4), I0(qty), IA(fee_e4), E0(liquidity, liquidity_names),
    EA(trade_tier, tier_names), U0(resource),
};
static const struct codec_schema trade_row = ROW(trade_fields, struct trade_row);
#undef S
#define S struct trades_answer
static const struct codec_field trades_fields[] = {
    U0(ref), UA(seq), B0(more), ROWS(trades, "trades", trade_count, trade_row),
};
#undef S

#define S struct level_row
static const struct codec_field level_fields[] = { I0(price_e4), IA(qty), IA(orders) };
static const struct codec_schema level_row = ROW(level_fields, struct level_row);
#undef S
#define S struct book_answer
static const struct codec_field book_fields[] = {
    U0(ref), UA(seq), UA(contract_seq), T0(symbol), I0(time_ns), I0(best_bid_e4), I0(best_bid_qty),
    I0(best_offer_e4), I0(best_offer_qty), I0(last_px_e4), I0(last_qty), I0(reference_e4),
    B0(halted), ROWS(bids, "bids", bid_count, level_row),
    ROWS(offers, "offers", offer_count, level_row),
};
#undef S

#define S struct holding_row
static const struct codec_field holding_fields[] = {
    U0(resource), F(S, hour, "hour", HOUR, 0, .min = 0), EA(tier, tier_names), IA(qty),
    I0(offered_qty),
};
static const struct codec_schema holding_row = ROW(holding_fields, struct holding_row);
#undef S
#define S struct account_answer
static const struct codec_field account_fields[] = {
    U0(ref), UA(seq), U0(account), T0(name), U0(group),
    F(S, roles, "roles", SET, 0, .names = &role_names), IA(cash_e4), IA(credit_e4),
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
#define LAUNCH(tier_, name_) F(S, launch_price_e4[tier_], name_, INT, 0, .min = 0)
#define S struct market_row
static const struct codec_field market_fields[] = {
    U0(id), F(S, class_name, "class", TEXT, 0, .min = 0), T0(region), EA(mode, mode_names),
    LAUNCH(TIER_G0, "launch_price_g0_e4"), LAUNCH(TIER_G50, "launch_price_g50_e4"),
    LAUNCH(TIER_G80, "launch_price_g80_e4"), LAUNCH(TIER_G100, "launch_price_g100_e4"),
    U0(inner_band_bp), U0(outer_band_bp), B0(no_resale), B0(names_shown), B0(halted),
};
static const struct codec_schema market_row = ROW(market_fields, struct market_row);
#undef S
#define S struct resource_row
static const struct codec_field resource_fields[] = {
    U0(id), U0(account), F(S, class_name, "class", TEXT, 0, .min = 0), T0(region),
    EA(tier, tier_names), U0(gpus), U0(pue_e4), U0(bandwidth_mbps), T0(node), T0(identifier),
};
static const struct codec_schema resource_row = ROW(resource_fields, struct resource_row);
#undef S
#define S struct group_row
static const struct codec_field group_fields[] = { U0(id), T0(name) };
static const struct codec_schema group_row = ROW(group_fields, struct group_row);
#undef S
#define S struct account_row
static const struct codec_field account_row_fields[] = {
    U0(id), T0(name), U0(group), F(S, roles, "roles", SET, 0, .names = &role_names), U0(fees),
    B0(killed),
};
static const struct codec_schema account_row = ROW(account_row_fields, struct account_row);
#undef S
#define S struct key_row
static const struct codec_field key_fields[] = {
    U0(id), T0(name), U0(account), F(S, roles, "roles", SET, 0, .names = &role_names),
    F(S, public_key, "public_key", KEY, CODEC_ALWAYS, .min = 0), B0(revoked),
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
#define LIST(array_, member_)                                                                      \
    static const struct codec_field array_[] = {                                                   \
        U0(ref), UA(seq), B0(more), ROWS(member_, "rows", count, LIST_ROW),                        \
    }
#define LIST_ROW class_row
LIST(classes_fields, classes);
#undef LIST_ROW
#define LIST_ROW region_row
LIST(regions_fields, regions);
#undef LIST_ROW
#define LIST_ROW market_row
LIST(markets_fields, markets);
#undef LIST_ROW
#define LIST_ROW resource_row
LIST(resources_fields, resources);
#undef LIST_ROW
#define LIST_ROW group_row
LIST(groups_fields, groups);
#undef LIST_ROW
#define LIST_ROW account_row
LIST(accounts_fields, accounts);
#undef LIST_ROW
#define LIST_ROW key_row
LIST(keys_fields, keys);
#undef LIST_ROW
#define LIST_ROW fees_row
LIST(fees_list_fields, fees);
#undef LIST_ROW
#define LIST_ROW gateway_row
LIST(gateways_fields, gateways);
#undef LIST_ROW
#undef S

#define S struct md_trade_row
static const struct codec_field md_trade_fields[] = {
    U0(fill_id), I0(price_e4), I0(qty), EA(aggressor, side_names), EA(offer_tier, tier_names),
    B0(contingent),
};
static const struct codec_schema md_trade_row = ROW(md_trade_fields, struct md_trade_row);
#undef S
#define S struct md_level_row
static const struct codec_field md_level_fields[] = {
    EA(side, side_names), I0(price_e4), IA(qty), IA(orders),
};
static const struct codec_schema md_level_row = ROW(md_level_fields, struct md_level_row);
#undef S
#define S struct market_data
static const struct codec_field market_data_fields[] = {
    T0(symbol), UA(seq), UA(prev_seq), I0(time_ns), I0(best_bid_e4), I0(best_bid_qty),
    I0(best_offer_e4), I0(best_offer_qty), B0(continued), B0(halted),
    ROWS(trades, "trades", trade_count, md_trade_row),
    ROWS(levels, "levels", level_count, md_level_row),
};
#undef S
#define S struct index_message
static const struct codec_field index_fields[] = {
    F(S, class_name, "class", TEXT, 0, .min = 0), T0(region), EA(tier, tier_names),
    F(S, day, "day", DAY, CODEC_ALWAYS, .min = 0), E0(kind, index_kind_names), UA(seq),
    I0(time_ns), I0(price_e4), U0(level), IA(volume_qty), UA(observations), UA(buyers),
    UA(sellers), UA(left_out), F(S, trading_day, "trading_day", DAY, 0, .min = 0),
    F(S, value_day, "value_day", DAY, 0, .min = 0), U0(parameter_version),
};
#undef S

/* Rows stand last in their structs and are not zeroed: their count says how many there are. */
#define MESSAGE(name_, fields_, struct_, clear_)                                                   \
    { .name = name_, .name_length = sizeof name_ - 1, .field_count = COUNT_OF(fields_),            \
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
};
/* clang-format on */

const struct codec_schema *codec_table_request(uint8_t type)
{
    return type < REQUEST_TYPE_COUNT && requests[type].name != NULL ? &requests[type] : NULL;
}

const struct codec_schema *codec_table_message(uint8_t type)
{
    return type < MESSAGE_TYPE_COUNT && messages[type].name != NULL ? &messages[type] : NULL;
}

const struct codec_schema *codec_table_unknown_request(void)
{
    return &unknown_request;
}

static bool has_name(const struct codec_schema *schema, const char *name, size_t length)
{
    return schema->name_length == length && memcmp(schema->name, name, length) == 0;
}

uint8_t codec_table_request_find(const char *name, size_t length)
{
    /* Number 0 has no name, so its length 0 has to be kept from matching an empty text. */
    if (length == 0) {
        return 0;
    }
    for (uint8_t type = REQUEST_NEW_ORDER; type < REQUEST_TYPE_COUNT; type++) {
        if (has_name(&requests[type], name, length)) {
            return type;
        }
    }
    for (uint8_t type = 1; type < REQUEST_NEW_ORDER; type++) {
        if (has_name(&requests[type], name, length)) {
            return type;
        }
    }
    return 0;
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
