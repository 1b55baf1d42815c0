#include <string.h>

#include "wire/codec_table.h"

/* clang-format off */
#define R(member_, name_, kind_, ...) CODEC_FIELD(struct request, member_, name_, kind_, __VA_ARGS__)
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
    R(new_order.side, "side", ENUM, MUST, .names = &codec_names_side),
    R(new_order.price_e4, "price_e4", INT, MUST, .min = 0),
    R(new_order.qty, "qty", INT, MUST, .min = 0),
    R(new_order.ord_type, "ord_type", ENUM, 0, .names = &codec_names_ord_type),
    R(new_order.tif, "tif", ENUM, 0, .names = &codec_names_tif),
    R(new_order.stp, "stp", ENUM, 0, .names = &codec_names_stp),
    R(new_order.resource, "resource", UINT, 0, .min = 0),
    R(new_order.min_qty, "min_qty", INT, 0, .min = 0),
    R(new_order.display_qty, "display_qty", INT, 0, .min = 0),
    R(new_order.expire_time_ns, "expire_time_ns", INT, 0, .min = 0),
    R(new_order.post_only, "post_only", BOOL, 0, .min = 0),
    R(new_order.job_lead_hours, "job_lead_hours", UINT, 0, .min = 0),
};
static const struct codec_field new_range_fields[] = {
    CL_ORD_ID,
    R(new_range.symbol, "symbol", TEXT, MUST, .min = 1),
    R(new_range.hours, "hours", UINT, MUST, .min = 0),
    R(new_range.price_e4, "price_e4", INT, MUST, .min = 0),
    R(new_range.qty, "qty", INT, MUST, .min = 0),
    R(new_range.resource, "resource", UINT, MUST, .min = 0),
    R(new_range.job_lead_hours, "job_lead_hours", UINT, 0, .min = 0),
    R(new_range.stp, "stp", ENUM, 0, .names = &codec_names_stp),
    R(new_range.post_only, "post_only", BOOL, 0, .min = 0),
};

/* cl_ord_id or, with dry_run, ref: the decoder sees to it. */
#define CL_ORD_ID_OR_REF R(cl_ord_id, "cl_ord_id", UINT, 0, .min = 1), REF
#define ROW(fields_, struct_, required_)                                                           \
    { .field_count = CODEC_COUNT_OF(fields_), .fields = fields_, .size = sizeof(struct_),          \
      .clear_size = sizeof(struct_), .required_count = required_ }
static const struct codec_field leg_fields[] = {
    CODEC_FIELD(struct leg_row, symbol, "symbol", TEXT, MUST, .min = 1),
    CODEC_FIELD(struct leg_row, price_e4, "price_e4", UINT, MUST, .min = 0),
};
static const struct codec_schema leg_row = ROW(leg_fields, struct leg_row, 2);
static const struct codec_field new_set_fields[] = {
    R(new_set.qty, "qty", INT, MUST, .min = 0),
    CODEC_LIST_FIELD(struct request, new_set.legs, new_set.leg_count, "legs", MUST, leg_row,
                     SET_LEGS_MAX, .min = 1, .count_reason = REASON_LEG_COUNT_OUT_OF_RANGE),
    R(new_set.tif, "tif", ENUM, 0, .names = &codec_names_tif),
    R(new_set.stp, "stp", ENUM, 0, .names = &codec_names_stp),
    R(new_set.min_qty, "min_qty", INT, 0, .min = 0),
    R(new_set.display_qty, "display_qty", INT, 0, .min = 0),
    R(new_set.expire_time_ns, "expire_time_ns", INT, 0, .min = 0),
    R(new_set.post_only, "post_only", BOOL, 0, .min = 0),
    R(new_set.dry_run, "dry_run", BOOL, 0, .min = 0),
    CL_ORD_ID_OR_REF,
};
static const struct codec_field lane_fields[] = {
    CODEC_FIELD(struct lane_row, class_name, "class", TEXT, MUST, .min = 1),
    CODEC_FIELD(struct lane_row, region, "region", TEXT, MUST, .min = 1),
    CODEC_FIELD(struct lane_row, tier, "tier", ENUM, MUST, .names = &codec_names_tier),
    CODEC_FIELD(struct lane_row, factor_e4, "factor_e4", UINT, 0, .min = 1),
};
static const struct codec_schema lane_row = ROW(lane_fields, struct lane_row, 3);
static const struct codec_field new_job_fields[] = {
    R(new_job.qty, "qty", INT, MUST, .min = 0),
    R(new_job.hours, "hours", UINT, MUST, .min = 0),
    R(new_job.price_e4, "price_e4", INT, MUST, .min = 0),
    R(new_job.window_from, "window_from", HOUR, MUST, .min = 0),
    R(new_job.window_to, "window_to", HOUR, MUST, .min = 0),
    CODEC_LIST_FIELD(struct request, new_job.lanes, new_job.lane_count, "lanes", MUST, lane_row,
                     JOB_LANES_MAX, .min = 1, .count_reason = REASON_LANE_COUNT_OUT_OF_RANGE),
    R(new_job.placement, "placement", ENUM, 0, .names = &codec_names_placement),
    R(new_job.same_group, "same_group", UINT, 0, .min = 0),
    R(new_job.tif, "tif", ENUM, 0, .names = &codec_names_tif),
    R(new_job.expire_time_ns, "expire_time_ns", INT, 0, .min = 0),
    R(new_job.min_qty, "min_qty", INT, 0, .min = 0),
    R(new_job.display_qty, "display_qty", INT, 0, .min = 0),
    R(new_job.post_only, "post_only", BOOL, 0, .min = 0),
    R(new_job.dry_run, "dry_run", BOOL, 0, .min = 0),
    CL_ORD_ID_OR_REF,
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
static const struct codec_field take_offer_fields[] = {
    CL_ORD_ID,
    R(take_offer.order_id, "order_id", UINT, MUST, .min = 1),
    R(take_offer.qty, "qty", INT, MUST, .min = 0),
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
    R(set_market.mode, "mode", ENUM, MUST, .names = &codec_names_mode),
    R(set_market.inner_band_bp, "inner_band_bp", UINT, MUST, .min = 0),
    R(set_market.outer_band_bp, "outer_band_bp", UINT, MUST, .min = 0),
    R(set_market.launch_price_e4[TIER_G0], "launch_price_g0_e4", INT, 0, .min = 0),
    R(set_market.launch_price_e4[TIER_G50], "launch_price_g50_e4", INT, 0, .min = 0),
    R(set_market.launch_price_e4[TIER_G80], "launch_price_g80_e4", INT, 0, .min = 0),
    R(set_market.launch_price_e4[TIER_G100], "launch_price_g100_e4", INT, 0, .min = 0),
    R(set_market.no_resale, "no_resale", BOOL, 0, .min = 0),
    R(set_market.names_shown, "names_shown", BOOL, 0, .min = 0),
    R(set_market.opening_s, "opening_s", UINT, 0, .min = 0),
    R(set_market.volatility_s, "volatility_s", UINT, 0, .min = 0),
    R(set_market.volatility_min_qty, "volatility_min_qty", UINT, 0, .min = 0),
    R(set_market.period_s, "period_s", UINT, 0, .min = 0),
    R(set_market.random_end_s, "random_end_s", UINT, 0, .min = 0),
};
static const struct codec_field register_group_fields[] = {
    CL_ORD_ID,
    R(register_group.name, "name", TEXT, MUST, .min = 1),
};
static const struct codec_field open_account_fields[] = {
    CL_ORD_ID,
    R(open_account.name, "name", TEXT, MUST, .min = 1),
    R(open_account.group, "group", UINT, MUST, .min = 1),
    R(open_account.roles, "roles", SET, MUST, .names = &codec_names_role),
    R(open_account.fees, "fees", UINT, 0, .min = 0),
};
static const struct codec_field register_key_fields[] = {
    CL_ORD_ID,
    R(register_key.name, "name", TEXT, MUST, .min = 1),
    R(register_key.public_key, "public_key", KEY, MUST, .min = 0),
    R(register_key.account, "account", UINT, MUST, .min = 1),
    R(register_key.roles, "roles", SET, MUST, .names = &codec_names_role),
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
    R(register_resource.tier, "tier", ENUM, MUST, .names = &codec_names_tier),
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
    R(set_reference.tier, "tier", ENUM, MUST, .names = &codec_names_tier),
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
    R(book.after_order_id, "after_order_id", UINT, 0, .min = 0),
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
    R(list.what, "what", ENUM, MUST, .names = &codec_names_what),
    R(list.after, "after", UINT, 0, .min = 0),
    REF,
};

/* Everything up to the end of the request's own member is zeroed before decoding. */
#define REQUEST(name_, fields_, required_, member_)                                                \
    { .name = name_, .name_length = sizeof name_ - 1, .required_count = required_,                 \
      .field_count = CODEC_COUNT_OF(fields_), .fields = fields_,                                         \
      .clear_size = offsetof(struct request, member_) + sizeof(((struct request *)0)->member_) }

static const struct codec_schema unknown_request = {
    .field_count = CODEC_COUNT_OF(unknown_fields), .fields = unknown_fields,
    .clear_size = offsetof(struct request, login),
};
static const struct codec_schema requests[REQUEST_TYPE_COUNT] = {
    [REQUEST_LOGIN] = REQUEST("login", login_fields, 0, login),
    [REQUEST_LOGOUT] = REQUEST("logout", ref_fields, 0, login),
    [REQUEST_NEW_ORDER] = REQUEST("new_order", new_order_fields, 5, new_order),
    [REQUEST_REPLACE_ORDER] = REQUEST("replace_order", replace_order_fields, 4, replace_order),
    [REQUEST_CANCEL_ORDER] = REQUEST("cancel_order", cancel_order_fields, 2, cancel_order),
    [REQUEST_MASS_CANCEL] = REQUEST("mass_cancel", mass_cancel_fields, 1, mass_cancel),
    [REQUEST_TAKE_OFFER] = REQUEST("take_offer", take_offer_fields, 3, take_offer),
    [REQUEST_NEW_RANGE] = REQUEST("new_range", new_range_fields, 6, new_range),
    [REQUEST_NEW_SET] = REQUEST("new_set", new_set_fields, 2, new_set),
    [REQUEST_NEW_JOB] = REQUEST("new_job", new_job_fields, 6, new_job),
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
/* clang-format on */

const struct codec_schema *codec_table_request(uint8_t type)
{
    return type < REQUEST_TYPE_COUNT && requests[type].name != NULL ? &requests[type] : NULL;
}

const struct codec_schema *codec_table_request_unknown(void)
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
