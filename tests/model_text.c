#include "tests/model_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/reject.h"

#define FIELD(whole, kind, text, member)                                                           \
    {                                                                                              \
        text, offsetof(struct whole, member), sizeof(((struct whole *)NULL)->member),              \
            MODEL_TEXT_##kind                                                                      \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, 0, 0, 0                                                                              \
    }
#define PARTY                                                                                      \
    FIELD(event, KEY, "key", party.key), FIELD(event, ACCOUNT, "account", party.account),          \
        FIELD(event, NUMBER, "cl", party.cl_ord_id),                                               \
        FIELD(event, NUMBER, "report", party.report_seq)

static const struct model_text_field party_fields[] = {PARTY, END};

static const struct model_text_field genesis_fields[] = {
    PARTY,
    FIELD(event, NUMBER, "rules_version", genesis.rules_version),
    FIELD(event, NUMBER, "horizon", genesis.horizon_hours),
    FIELD(event, NUMBER, "gate_lead", genesis.gate_lead_s),
    FIELD(event, NUMBER, "bond_bp", genesis.bond_bp),
    END};

static const struct model_text_field link_fields[] = {FIELD(event, LABEL, "name", link.name),
                                                      FIELD(event, NUMBER, "id", link.link),
                                                      FIELD(event, NUMBER, "up", link.up), END};

static const struct model_text_field login_fields[] = {
    PARTY,
    FIELD(event, NUMBER, "nonce", login.nonce),
    FIELD(event, NUMBER, "highest_cl", login.highest_cl_ord_id),
    FIELD(event, NUMBER, "highest_report", login.highest_report_seq),
    FIELD(event, NUMBER, "session", login.session),
    FIELD(event, NUMBER, "cod", login.cancel_on_disconnect),
    END};

static const struct model_text_field new_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", new_order.order_id),
    FIELD(event, SIDE, "side", new_order.side),
    FIELD(event, TIER, "tier", new_order.contract),
    FIELD(event, HOUR, "hour", new_order.contract),
    FIELD(event, MONEY, "price", new_order.price_e4),
    FIELD(event, NUMBER, "qty", new_order.qty),
    FIELD(event, NUMBER, "min_qty", new_order.min_qty),
    FIELD(event, NUMBER, "expire_ns", new_order.expire_time_ns),
    FIELD(event, MONEY, "reserved", new_order.reserved_e4),
    FIELD(event, RESOURCE, "resource", new_order.resource),
    FIELD(event, NUMBER, "flags", new_order.flags),
    FIELD(event, NUMBER, "type", new_order.ord_type),
    FIELD(event, NUMBER, "tif", new_order.tif),
    FIELD(event, NUMBER, "stp", new_order.stp),
    FIELD(event, NUMBER, "source", new_order.source_tier),
    FIELD(event, NUMBER, "display", new_order.display_qty),
    FIELD(event, NUMBER, "job_lead", new_order.job_lead_hours),
    FIELD(event, NUMBER, "ranged", new_order.ranged),
    END};

static const struct model_text_field replaced_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", replaced.order_id),
    FIELD(event, SIDE, "side", replaced.side),
    FIELD(event, TIER, "tier", replaced.contract),
    FIELD(event, HOUR, "hour", replaced.contract),
    FIELD(event, NUMBER, "contract", replaced.contract),
    FIELD(event, NUMBER, "orig_cl", replaced.orig_cl_ord_id),
    FIELD(event, MONEY, "price", replaced.price_e4),
    FIELD(event, NUMBER, "qty", replaced.qty),
    FIELD(event, NUMBER, "leaves", replaced.leaves_qty),
    FIELD(event, NUMBER, "cum", replaced.cum_qty),
    FIELD(event, MONEY, "old_price", replaced.old_price_e4),
    FIELD(event, NUMBER, "old_leaves", replaced.old_leaves_qty),
    FIELD(event, NUMBER, "kept", replaced.kept_priority),
    END};

static const struct model_text_field out_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", out.order_id),
    FIELD(event, SIDE, "side", out.side),
    FIELD(event, TIER, "tier", out.contract),
    FIELD(event, HOUR, "hour", out.contract),
    FIELD(event, NUMBER, "contract", out.contract),
    FIELD(event, NUMBER, "orig_cl", out.orig_cl_ord_id),
    FIELD(event, MONEY, "price", out.price_e4),
    FIELD(event, NUMBER, "qty", out.qty),
    FIELD(event, NUMBER, "leaves", out.leaves_qty),
    FIELD(event, NUMBER, "cum", out.cum_qty),
    FIELD(event, REASON, "reason", out.reason),
    FIELD(event, NUMBER, "resting", out.resting),
    END};

static const struct model_text_field fill_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", fill.order_id),
    FIELD(event, SIDE, "side", fill.side),
    FIELD(event, TIER, "tier", fill.contract),
    FIELD(event, HOUR, "hour", fill.contract),
    FIELD(event, NUMBER, "fill", fill.fill_id),
    FIELD(event, MONEY, "price", fill.price_e4),
    FIELD(event, NUMBER, "qty", fill.qty),
    FIELD(event, NUMBER, "leaves", fill.leaves_qty),
    FIELD(event, NUMBER, "cum", fill.cum_qty),
    FIELD(event, MONEY, "fee", fill.fee_e4),
    FIELD(event, RESOURCE, "resource", fill.resource),
    FIELD(event, NUMBER, "resting", fill.resting),
    FIELD(event, MONEY, "limit", fill.limit_e4),
    FIELD(event, NUMBER, "trade_tier", fill.trade_tier),
    FIELD(event, NUMBER, "contingent", fill.contingent),
    FIELD(event, TRADE_GROUP, "group", fill.trade_group),
    END};

static const struct model_text_field trade_fields[] = {
    FIELD(event, NUMBER, "fill", trade.fill_id),
    FIELD(event, TIER, "tier", trade.contract),
    FIELD(event, HOUR, "hour", trade.contract),
    FIELD(event, MONEY, "price", trade.price_e4),
    FIELD(event, NUMBER, "qty", trade.qty),
    FIELD(event, ORDER, "buy", trade.buy_order_id),
    FIELD(event, ORDER, "sell", trade.sell_order_id),
    FIELD(event, ACCOUNT, "buyer", trade.buyer),
    FIELD(event, ACCOUNT, "seller", trade.seller),
    FIELD(event, RESOURCE, "resource", trade.resource),
    FIELD(event, NUMBER, "offer_tier", trade.offer_tier),
    FIELD(event, NUMBER, "source", trade.source_tier),
    FIELD(event, SIDE, "aggressor", trade.aggressor),
    FIELD(event, MONEY, "buy_fee", trade.buy_fee_e4),
    FIELD(event, MONEY, "sell_fee", trade.sell_fee_e4),
    FIELD(event, MONEY, "bond", trade.bond_e4),
    FIELD(event, NUMBER, "buyer_group", trade.buyer_group),
    FIELD(event, NUMBER, "seller_group", trade.seller_group),
    FIELD(event, NUMBER, "condition", trade.condition),
    FIELD(event, TRADE_GROUP, "group", trade.trade_group),
    END};

static const struct model_text_field rejected_fields[] = {
    PARTY,
    FIELD(event, REASON, "reason", rejected.reason),
    FIELD(event, NUMBER, "request", rejected.request),
    FIELD(event, NUMBER, "consumed", rejected.consumed),
    FIELD(event, ORDER, "order", rejected.order_id),
    FIELD(event, NUMBER, "value", rejected.value),
    FIELD(event, NUMBER, "bound", rejected.bound),
    FIELD(event, FIELD, "field", rejected.field),
    FIELD(event, NUMBER, "leg", rejected.leg),
    FIELD(event, NUMBER, "contract", rejected.contract),
    FIELD(event, TIER, "tier", rejected.contract),
    FIELD(event, HOUR, "hour", rejected.contract),
    END};

static const struct model_text_field range_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", range.order_id),
    FIELD(event, NUMBER, "done", range.done),
    FIELD(event, TIER, "tier", range.contract),
    FIELD(event, HOUR, "hour", range.contract),
    FIELD(event, NUMBER, "orig_cl", range.orig_cl_ord_id),
    FIELD(event, MONEY, "price", range.price_e4),
    FIELD(event, NUMBER, "qty", range.qty),
    FIELD(event, MONEY, "reserved", range.reserved_e4),
    FIELD(event, NUMBER, "hours", range.hours),
    FIELD(event, NUMBER, "orders", range.orders),
    FIELD(event, RESOURCE, "resource", range.resource),
    FIELD(event, NUMBER, "flags", range.flags),
    FIELD(event, NUMBER, "job_lead", range.job_lead_hours),
    FIELD(event, NUMBER, "stp", range.stp),
    END};

static const struct model_text_field set_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", set.order_id),
    FIELD(event, NUMBER, "qty", set.qty),
    FIELD(event, NUMBER, "min_qty", set.min_qty),
    FIELD(event, NUMBER, "expire_ns", set.expire_time_ns),
    FIELD(event, MONEY, "reserved", set.reserved_e4),
    FIELD(event, NUMBER, "flags", set.flags),
    FIELD(event, NUMBER, "legs", set.leg_count),
    FIELD(event, NUMBER, "tif", set.tif),
    FIELD(event, NUMBER, "stp", set.stp),
    END};

#define SET_LEG(number, at)                                                                        \
    FIELD(event, NUMBER, "leg" number, set_legs.legs[at].leg),                                     \
        FIELD(event, TIER, "tier" number, set_legs.legs[at].contract),                             \
        FIELD(event, HOUR, "hour" number, set_legs.legs[at].contract),                             \
        FIELD(event, MONEY, "price" number, set_legs.legs[at].price_e4)

static const struct model_text_field set_legs_fields[] = {
    FIELD(event, ORDER, "order", set_legs.order_id),
    SET_LEG("1", 0),
    SET_LEG("2", 1),
    SET_LEG("3", 2),
    SET_LEG("4", 3),
    SET_LEG("5", 4),
    SET_LEG("6", 5),
    END};

static const struct model_text_field job_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", job.order_id),
    FIELD(event, MONEY, "price", job.price_e4),
    FIELD(event, NUMBER, "qty", job.qty),
    FIELD(event, NUMBER, "hours", job.hours),
    FIELD(event, HOUR, "from", job.window_from),
    FIELD(event, HOUR, "to", job.window_to),
    FIELD(event, NUMBER, "placement", job.placement),
    FIELD(event, TRADE_GROUP, "same", job.same_group),
    FIELD(event, NUMBER, "expire_ns", job.expire_time_ns),
    FIELD(event, MONEY, "reserved", job.reserved_e4),
    FIELD(event, NUMBER, "lanes", job.lane_count),
    FIELD(event, NUMBER, "tif", job.tif),
    END};

#define JOB_LANE(number, at)                                                                       \
    FIELD(event, NUMBER, "lane" number, job_lanes.lanes[at].lane),                                 \
        FIELD(event, NUMBER, "class" number, job_lanes.lanes[at].class_id),                        \
        FIELD(event, NUMBER, "region" number, job_lanes.lanes[at].region_id),                      \
        FIELD(event, NUMBER, "tier" number, job_lanes.lanes[at].tier),                             \
        FIELD(event, MONEY, "factor" number, job_lanes.lanes[at].factor_e4)

static const struct model_text_field job_lanes_fields[] = {
    FIELD(event, ORDER, "order", job_lanes.order_id),
    JOB_LANE("1", 0),
    JOB_LANE("2", 1),
    JOB_LANE("3", 2),
    JOB_LANE("4", 3),
    JOB_LANE("5", 4),
    JOB_LANE("6", 5),
    END};

static const struct model_text_field miss_fields[] = {
    PARTY,
    FIELD(event, ORDER, "order", miss.order_id),
    FIELD(event, NUMBER, "contract", miss.contract),
    FIELD(event, TIER, "tier", miss.contract),
    FIELD(event, HOUR, "hour", miss.contract),
    FIELD(event, NUMBER, "qty", miss.qty),
    FIELD(event, NUMBER, "wanted", miss.wanted_qty),
    FIELD(event, NUMBER, "leg", miss.leg),
    END};

static const struct model_text_field sweep_fields[] = {
    PARTY,
    FIELD(event, NUMBER, "sweep", sweep.sweep_id),
    FIELD(event, NUMBER, "canceled", sweep.canceled),
    FIELD(event, NUMBER, "filter", sweep.scope.filter),
    FIELD(event, NUMBER, "class", sweep.scope.class_id),
    FIELD(event, NUMBER, "region", sweep.scope.region_id),
    FIELD(event, NUMBER, "from", sweep.scope.hour_from),
    FIELD(event, NUMBER, "to", sweep.scope.hour_to),
    END};

static const struct model_text_field class_fields[] = {
    PARTY, FIELD(event, LABEL, "name", class_.name), FIELD(event, NUMBER, "id", class_.class_id),
    FIELD(event, NUMBER, "lot", class_.lot), END};

static const struct model_text_field region_fields[] = {
    PARTY, FIELD(event, LABEL, "name", region.name), FIELD(event, NUMBER, "id", region.region_id),
    END};

static const struct model_text_field auction_fields[] = {
    FIELD(event, NUMBER, "state", auction.state),
    FIELD(event, NUMBER, "kind", auction.kind),
    FIELD(event, HOUR, "hour", auction.contract),
    FIELD(event, NUMBER, "end_ns", auction.end_time_ns),
    FIELD(event, NUMBER, "entropy", auction.entropy),
    FIELD(event, MONEY, "reference", auction.reference_e4),
    FIELD(event, MONEY, "price0", auction.price_e4[0]),
    FIELD(event, NUMBER, "qty0", auction.qty[0]),
    FIELD(event, MONEY, "price1", auction.price_e4[1]),
    FIELD(event, NUMBER, "qty1", auction.qty[1]),
    FIELD(event, MONEY, "price2", auction.price_e4[2]),
    FIELD(event, NUMBER, "qty2", auction.qty[2]),
    FIELD(event, MONEY, "price3", auction.price_e4[3]),
    FIELD(event, NUMBER, "qty3", auction.qty[3]),
    END};

static const struct model_text_field market_fields[] = {
    PARTY,
    FIELD(event, NUMBER, "class", market.class_id),
    FIELD(event, NUMBER, "region", market.region_id),
    FIELD(event, NUMBER, "mode", market.mode),
    FIELD(event, NUMBER, "flags", market.flags),
    FIELD(event, NUMBER, "inner", market.inner_band_bp),
    FIELD(event, NUMBER, "outer", market.outer_band_bp),
    FIELD(event, NUMBER, "opening", market.opening_s),
    FIELD(event, NUMBER, "volatility", market.volatility_s),
    FIELD(event, NUMBER, "period", market.period_s),
    FIELD(event, NUMBER, "random_end", market.random_end_s),
    FIELD(event, NUMBER, "volatility_min", market.volatility_min_qty),
    END};

static const struct model_text_field group_fields[] = {
    PARTY, FIELD(event, LABEL, "name", group.name), FIELD(event, NUMBER, "id", group.group), END};

static const struct model_text_field account_fields[] = {
    PARTY,
    FIELD(event, LABEL, "name", account.name),
    FIELD(event, NUMBER, "id", account.account),
    FIELD(event, NUMBER, "group", account.group),
    FIELD(event, NUMBER, "roles", account.roles),
    FIELD(event, NUMBER, "fees", account.fees),
    END};

static const struct model_text_field key_fields[] = {PARTY,
                                                     FIELD(event, LABEL, "name", key.name),
                                                     FIELD(event, NUMBER, "id", key.key),
                                                     FIELD(event, ACCOUNT, "of", key.account),
                                                     FIELD(event, NUMBER, "roles", key.roles),
                                                     END};

static const struct model_text_field resource_fields[] = {
    PARTY,
    FIELD(event, NUMBER, "id", resource.resource),
    FIELD(event, ACCOUNT, "of", resource.account),
    FIELD(event, NUMBER, "gpus", resource.gpus),
    FIELD(event, NUMBER, "class", resource.class_id),
    FIELD(event, NUMBER, "region", resource.region_id),
    FIELD(event, NUMBER, "tier", resource.tier),
    END};

static const struct model_text_field identity_fields[] = {
    FIELD(event, LABEL, "identifier", identity.identifier),
    FIELD(event, NUMBER, "id", identity.resource), END};

static const struct model_text_field fees_fields[] = {
    PARTY, FIELD(event, NUMBER, "id", fees.fees), FIELD(event, NUMBER, "maker", fees.maker_bp),
    FIELD(event, NUMBER, "taker", fees.taker_bp), END};

static const struct model_text_field limits_fields[] = {
    PARTY,
    FIELD(event, ACCOUNT, "of", limits.account),
    FIELD(event, NUMBER, "order_qty", limits.order_qty_limit),
    FIELD(event, NUMBER, "rate", limits.rate_limit),
    FIELD(event, NUMBER, "open_orders", limits.open_orders_limit),
    FIELD(event, NUMBER, "fees", limits.fees),
    END};

static const struct model_text_field cash_fields[] = {PARTY,
                                                      FIELD(event, ACCOUNT, "of", cash.account),
                                                      FIELD(event, MONEY, "amount", cash.amount_e4),
                                                      FIELD(event, MONEY, "cash", cash.cash_e4),
                                                      FIELD(event, MONEY, "credit", cash.credit_e4),
                                                      FIELD(event, NUMBER, "request", cash.request),
                                                      END};

static const struct model_text_field reference_fields[] = {
    PARTY,
    FIELD(event, MONEY, "price", reference.price_e4),
    FIELD(event, NUMBER, "day", reference.day),
    FIELD(event, NUMBER, "class", reference.class_id),
    FIELD(event, NUMBER, "region", reference.region_id),
    FIELD(event, NUMBER, "tier_id", reference.tier),
    END};

static const struct model_text_field halt_fields[] = {
    PARTY,
    FIELD(event, NUMBER, "class", halt.class_id),
    FIELD(event, NUMBER, "region", halt.region_id),
    FIELD(event, NUMBER, "filter", halt.filter),
    FIELD(event, NUMBER, "halted", halt.halted),
    END};

static const struct model_text_field kill_fields[] = {
    PARTY, FIELD(event, ACCOUNT, "of", kill.account), FIELD(event, NUMBER, "killed", kill.killed),
    FIELD(event, NUMBER, "sweep", kill.sweep_id), END};

static const struct model_text_field no_fields[] = {END};

static const struct model_text_type event_types[] = {
    {EVENT_GENESIS, "genesis", genesis_fields},
    {EVENT_TIME, "time", party_fields},
    {EVENT_LINK, "link", link_fields},
    {EVENT_LOGIN, "login", login_fields},
    {EVENT_LOGOUT, "logout", party_fields},
    {EVENT_NEW, "new", new_fields},
    {EVENT_REPLACED, "replaced", replaced_fields},
    {EVENT_CANCELED, "canceled", out_fields},
    {EVENT_RESTATED, "restated", out_fields},
    {EVENT_FILL, "fill", fill_fields},
    {EVENT_REJECTED, "rejected", rejected_fields},
    {EVENT_TRADE, "trade", trade_fields},
    {EVENT_MASS_CANCEL, "mass_cancel", sweep_fields},
    {EVENT_SWEEP_DONE, "sweep_done", sweep_fields},
    {EVENT_DONE, "done", party_fields},
    {EVENT_RANGE, "range", range_fields},
    {EVENT_SET, "set", set_fields},
    {EVENT_SET_LEGS, "set_legs", set_legs_fields},
    {EVENT_LEG_CANCELED, "leg_canceled", out_fields},
    {EVENT_JOB, "job", job_fields},
    {EVENT_JOB_LANES, "job_lanes", job_lanes_fields},
    {EVENT_MISS, "miss", miss_fields},
    {EVENT_REFRESHED, "refreshed", out_fields},
    {EVENT_RELEASED, "released", out_fields},
    {EVENT_CLASS, "class", class_fields},
    {EVENT_REGION, "region", region_fields},
    {EVENT_MARKET, "market", market_fields},
    {EVENT_AUCTION, "auction", auction_fields},
    {EVENT_GROUP, "group", group_fields},
    {EVENT_ACCOUNT, "account", account_fields},
    {EVENT_KEY, "key", key_fields},
    {EVENT_KEY_REVOKED, "key_revoked", key_fields},
    {EVENT_RESOURCE, "resource", resource_fields},
    {EVENT_RESOURCE_IDENTITY, "identity", identity_fields},
    {EVENT_FEES, "fees", fees_fields},
    {EVENT_LIMITS, "limits", limits_fields},
    {EVENT_CASH, "cash", cash_fields},
    {EVENT_REFERENCE, "reference", reference_fields},
    {EVENT_HALT, "halt", halt_fields},
    {EVENT_KILL, "kill", kill_fields},
};

static const struct model_text_field new_order_fields[] = {
    FIELD(command, SIDE, "side", new_order.side),
    FIELD(command, NUMBER, "qty", new_order.qty),
    FIELD(command, MONEY, "price", new_order.price_e4),
    FIELD(command, TIER, "tier", new_order.contract),
    FIELD(command, HOUR, "hour", new_order.contract),
    FIELD(command, NUMBER, "type", new_order.ord_type),
    FIELD(command, NUMBER, "tif", new_order.tif),
    FIELD(command, NUMBER, "stp", new_order.stp),
    FIELD(command, NUMBER, "min_qty", new_order.min_qty),
    FIELD(command, NUMBER, "display", new_order.display_qty),
    FIELD(command, NUMBER, "flags", new_order.flags),
    FIELD(command, NUMBER, "expire_ns", new_order.expire_time_ns),
    FIELD(command, NUMBER, "resource", new_order.resource),
    FIELD(command, NUMBER, "job_lead", new_order.job_lead_hours),
    END};

static const struct model_text_field new_range_fields[] = {
    FIELD(command, NUMBER, "qty", new_range.qty),
    FIELD(command, MONEY, "price", new_range.price_e4),
    FIELD(command, NUMBER, "range_contract", new_range.contract),
    FIELD(command, TIER, "tier", new_range.contract),
    FIELD(command, HOUR, "hour", new_range.contract),
    FIELD(command, NUMBER, "hours", new_range.hours),
    FIELD(command, NUMBER, "resource", new_range.resource),
    FIELD(command, NUMBER, "flags", new_range.flags),
    FIELD(command, NUMBER, "job_lead", new_range.job_lead_hours),
    FIELD(command, NUMBER, "stp", new_range.stp),
    END};

static const struct model_text_field new_set_fields[] = {
    FIELD(command, NUMBER, "qty", new_set.qty),
    FIELD(command, NUMBER, "min_qty", new_set.min_qty),
    FIELD(command, NUMBER, "display", new_set.display_qty),
    FIELD(command, NUMBER, "expire_ns", new_set.expire_time_ns),
    FIELD(command, NUMBER, "flags", new_set.flags),
    FIELD(command, NUMBER, "legs", new_set.leg_count),
    FIELD(command, NUMBER, "tif", new_set.tif),
    FIELD(command, NUMBER, "stp", new_set.stp),
    END};

static const struct model_text_field new_job_fields[] = {
    FIELD(command, NUMBER, "qty", new_job.qty),
    FIELD(command, NUMBER, "hours", new_job.hours),
    FIELD(command, MONEY, "price", new_job.price_e4),
    FIELD(command, NUMBER, "from", new_job.window_from),
    FIELD(command, NUMBER, "to", new_job.window_to),
    FIELD(command, NUMBER, "placement", new_job.placement),
    FIELD(command, NUMBER, "same", new_job.same_group),
    FIELD(command, NUMBER, "lanes", new_job.lane_count),
    FIELD(command, NUMBER, "tif", new_job.tif),
    FIELD(command, NUMBER, "expire_ns", new_job.expire_time_ns),
    FIELD(command, NUMBER, "flags", new_job.flags),
    FIELD(command, NUMBER, "min_qty", new_job.min_qty),
    FIELD(command, NUMBER, "display", new_job.display_qty),
    END};

static const struct model_text_field replace_order_fields[] = {
    FIELD(command, ORDER, "order", replace_order.order_id),
    FIELD(command, NUMBER, "qty", replace_order.qty),
    FIELD(command, MONEY, "price", replace_order.price_e4), END};

static const struct model_text_field cancel_order_fields[] = {
    FIELD(command, ORDER, "order", cancel_order.order_id), END};

static const struct model_text_field mass_cancel_fields[] = {
    FIELD(command, NUMBER, "filter", mass_cancel.filter),
    FIELD(command, NUMBER, "class", mass_cancel.class_id),
    FIELD(command, NUMBER, "region", mass_cancel.region_id),
    FIELD(command, NUMBER, "from", mass_cancel.hour_from),
    FIELD(command, NUMBER, "to", mass_cancel.hour_to),
    END};

static const struct model_text_field login_command_fields[] = {
    FIELD(command, NUMBER, "link", head.link),
    FIELD(command, NUMBER, "cod", login.cancel_on_disconnect), END};

static const struct model_text_field link_command_fields[] = {
    FIELD(command, NUMBER, "link", head.link), FIELD(command, LABEL, "name", link.name), END};

static const struct model_text_field take_offer_fields[] = {
    FIELD(command, ORDER, "order", take_offer.order_id),
    FIELD(command, NUMBER, "qty", take_offer.qty), END};

static const struct model_text_field set_market_fields[] = {
    FIELD(command, NUMBER, "class", set_market.class_id),
    FIELD(command, NUMBER, "region", set_market.region_id),
    FIELD(command, NUMBER, "mode", set_market.mode),
    FIELD(command, NUMBER, "flags", set_market.flags),
    FIELD(command, NUMBER, "inner", set_market.inner_band_bp),
    FIELD(command, NUMBER, "outer", set_market.outer_band_bp),
    FIELD(command, NUMBER, "opening", set_market.opening_s),
    FIELD(command, NUMBER, "volatility", set_market.volatility_s),
    FIELD(command, NUMBER, "period", set_market.period_s),
    FIELD(command, NUMBER, "random_end", set_market.random_end_s),
    FIELD(command, NUMBER, "volatility_min", set_market.volatility_min_qty),
    END};

static const struct model_text_field set_limits_fields[] = {
    FIELD(command, NUMBER, "account", set_limits.account),
    FIELD(command, NUMBER, "fields", set_limits.fields),
    FIELD(command, NUMBER, "order_qty", set_limits.order_qty_limit),
    FIELD(command, NUMBER, "rate", set_limits.rate_limit),
    FIELD(command, NUMBER, "open_orders", set_limits.open_orders_limit),
    FIELD(command, NUMBER, "fees", set_limits.fees),
    END};

static const struct model_text_field cash_command_fields[] = {
    FIELD(command, NUMBER, "account", cash.account),
    FIELD(command, MONEY, "amount", cash.amount_e4), END};

static const struct model_text_field set_reference_fields[] = {
    FIELD(command, NUMBER, "class", set_reference.class_id),
    FIELD(command, NUMBER, "region", set_reference.region_id),
    FIELD(command, NUMBER, "tier", set_reference.tier),
    FIELD(command, MONEY, "price", set_reference.price_e4), END};

static const struct model_text_field halt_command_fields[] = {
    FIELD(command, NUMBER, "filter", halt.filter), FIELD(command, NUMBER, "class", halt.class_id),
    FIELD(command, NUMBER, "region", halt.region_id), END};

static const struct model_text_field kill_command_fields[] = {
    FIELD(command, NUMBER, "account", kill.account), END};

static const struct model_text_field revoke_fields[] = {
    FIELD(command, NUMBER, "of", revoke_key.key), END};

static const struct model_text_field open_account_fields[] = {
    FIELD(command, LABEL, "name", open_account.name),
    FIELD(command, NUMBER, "group", open_account.group),
    FIELD(command, NUMBER, "roles", open_account.roles),
    FIELD(command, NUMBER, "fees", open_account.fees), END};

static const struct model_text_field register_key_fields[] = {
    FIELD(command, LABEL, "name", register_key.name),
    FIELD(command, NUMBER, "account", register_key.account),
    FIELD(command, NUMBER, "roles", register_key.roles), END};

static const struct model_text_field register_resource_fields[] = {
    FIELD(command, NUMBER, "account", register_resource.account),
    FIELD(command, NUMBER, "gpus", register_resource.gpus),
    FIELD(command, NUMBER, "class", register_resource.class_id),
    FIELD(command, NUMBER, "region", register_resource.region_id),
    FIELD(command, NUMBER, "tier", register_resource.tier),
    END};

static const struct model_text_type command_types[] = {
    {COMMAND_GENESIS, "GENESIS", no_fields},
    {COMMAND_TICK, "TICK", no_fields},
    {COMMAND_LINK_UP, "LINK_UP", link_command_fields},
    {COMMAND_LINK_DOWN, "LINK_DOWN", link_command_fields},
    {COMMAND_LOGIN, "LOGIN", login_command_fields},
    {COMMAND_LOGOUT, "LOGOUT", no_fields},
    {COMMAND_NEW_ORDER, "NEW_ORDER", new_order_fields},
    {COMMAND_REPLACE_ORDER, "REPLACE_ORDER", replace_order_fields},
    {COMMAND_CANCEL_ORDER, "CANCEL_ORDER", cancel_order_fields},
    {COMMAND_MASS_CANCEL, "MASS_CANCEL", mass_cancel_fields},
    {COMMAND_NEW_RANGE, "NEW_RANGE", new_range_fields},
    {COMMAND_NEW_SET, "NEW_SET", new_set_fields},
    {COMMAND_NEW_JOB, "NEW_JOB", new_job_fields},
    {COMMAND_REGISTER_CLASS, "REGISTER_CLASS", no_fields},
    {COMMAND_REGISTER_REGION, "REGISTER_REGION", no_fields},
    {COMMAND_SET_MARKET, "SET_MARKET", set_market_fields},
    {COMMAND_TAKE_OFFER, "TAKE_OFFER", take_offer_fields},
    {COMMAND_REGISTER_GROUP, "REGISTER_GROUP", no_fields},
    {COMMAND_OPEN_ACCOUNT, "OPEN_ACCOUNT", open_account_fields},
    {COMMAND_REGISTER_KEY, "REGISTER_KEY", register_key_fields},
    {COMMAND_REVOKE_KEY, "REVOKE_KEY", revoke_fields},
    {COMMAND_REGISTER_RESOURCE, "REGISTER_RESOURCE", register_resource_fields},
    {COMMAND_REGISTER_FEES, "REGISTER_FEES", no_fields},
    {COMMAND_SET_LIMITS, "SET_LIMITS", set_limits_fields},
    {COMMAND_DEPOSIT, "DEPOSIT", cash_command_fields},
    {COMMAND_WITHDRAW, "WITHDRAW", cash_command_fields},
    {COMMAND_SET_CREDIT, "SET_CREDIT", cash_command_fields},
    {COMMAND_SET_REFERENCE, "SET_REFERENCE", set_reference_fields},
    {COMMAND_HALT, "HALT", halt_command_fields},
    {COMMAND_RESUME, "RESUME", halt_command_fields},
    {COMMAND_KILL, "KILL", kill_command_fields},
    {COMMAND_REVIVE, "REVIVE", kill_command_fields},
    {COMMAND_ADVANCE, "ADVANCE", no_fields},
};

static const struct model_text_type *find_type(const struct model_text_type *types, size_t count,
                                               uint8_t type)
{
    for (size_t i = 0; i < count; i++) {
        if (types[i].type == type) {
            return &types[i];
        }
    }
    return NULL;
}

const struct model_text_type *model_text_event_type(uint8_t type)
{
    return find_type(event_types, sizeof(event_types) / sizeof(event_types[0]), type);
}

const struct model_text_type *model_text_command_type(uint8_t type)
{
    return find_type(command_types, sizeof(command_types) / sizeof(command_types[0]), type);
}

const struct model_text_field *model_text_find(const struct model_text_type *type, const char *name)
{
    for (const struct model_text_field *field = type->fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}

int64_t model_text_value(const void *bytes, const struct model_text_field *field)
{
    uint64_t value = 0;
    memcpy(&value, (const uint8_t *)bytes + field->offset,
           field->size > sizeof(value) ? sizeof(value) : field->size);
    if (field->kind == MODEL_TEXT_TIER) {
        return contract_tier(value);
    }
    return field->kind == MODEL_TEXT_HOUR ? (int64_t)contract_hour(value) : (int64_t)value;
}

struct line {
    char *text;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = MODEL_TEXT_SIZE - line->length;
    int written = vsnprintf(line->text + line->length, room, format, arguments);
    va_end(arguments);
    if (written > 0) {
        line->length += (size_t)written < room ? (size_t)written : room - 1;
    }
}

static void add_field(struct line *line, const void *bytes, const struct model_text_field *field)
{
    int64_t value = model_text_value(bytes, field);
    add(line, " %s=", field->name);
    switch (field->kind) {
    case MODEL_TEXT_MONEY:
        add(line, "%s%" PRId64 ".%04" PRId64, value < 0 ? "-" : "",
            (value < 0 ? -value : value) / E4_ONE, (value < 0 ? -value : value) % E4_ONE);
        return;
    case MODEL_TEXT_FIELD:
        add(line, "%s", reject_field_name((uint8_t)value));
        return;
    case MODEL_TEXT_REASON:
        add(line, "%s", reason_name((uint16_t)value));
        return;
    case MODEL_TEXT_SIDE:
        add(line, "%s", value == SIDE_BUY ? "buy" : value == SIDE_SELL ? "sell" : "none");
        return;
    case MODEL_TEXT_LABEL:
        add(line, "%.*s", (int)field->size, (const char *)bytes + field->offset);
        return;
    default:
        add(line, "%" PRId64, value);
    }
}

static void add_fields(struct line *line, const void *bytes, const struct model_text_type *type,
                       uint8_t number)
{
    if (type == NULL) {
        add(line, "type %u", number);
        return;
    }
    add(line, "%s", type->name);
    for (const struct model_text_field *field = type->fields; field->name != NULL; field++) {
        add_field(line, bytes, field);
    }
}

void model_text_event(const struct event *event, char text[MODEL_TEXT_SIZE])
{
    struct line line = {text, 0};
    add(&line, "%" PRIu64 ".%u link %u flags %u ", event->head.seq, event->head.index,
        event->head.link, event->head.flags);
    add_fields(&line, event, model_text_event_type(event->head.type), event->head.type);
}

/* Legs of a SET, as many as its slots hold. */
static void add_legs(struct line *line, const struct command *command)
{
    const union command_slot *slots = (const union command_slot *)command;
    for (uint32_t i = 0; i < command->new_set.leg_count; i++) {
        uint32_t slot = 1 + i / SET_LEGS_PER_SLOT;
        if (slot >= command->head.slots || slot >= COMMAND_SLOTS_MAX) {
            return;
        }
        const struct set_leg *leg = &slots[slot].legs[i % SET_LEGS_PER_SLOT];
        add(line, " %u.%u.%u.%u@%u", contract_class(leg->contract), contract_region(leg->contract),
            contract_tier(leg->contract), contract_hour(leg->contract), leg->price_e4);
    }
}

/* Lanes of a JOB likewise. */
static void add_lanes(struct line *line, const struct command *command)
{
    const union command_slot *slots = (const union command_slot *)command;
    for (uint32_t i = 0; i < command->new_job.lane_count; i++) {
        uint32_t slot = 1 + i / JOB_LANES_PER_SLOT;
        if (slot >= command->head.slots || slot >= COMMAND_SLOTS_MAX) {
            return;
        }
        const struct job_lane *lane = &slots[slot].lanes[i % JOB_LANES_PER_SLOT];
        add(line, " %u.%u.%u*%u", lane->class_id, lane->region_id, lane->tier, lane->factor_e4);
    }
}

void model_text_command(const struct command *command, char text[MODEL_TEXT_SIZE])
{
    struct line line = {text, 0};
    const struct command_head *head = &command->head;
    add(&line, "%" PRIu64 " t=%" PRId64 ".%09" PRId64 " key=%u session=%u cl=%" PRIu64 " slots=%u ",
        head->seq, head->time_ns / NS_PER_SECOND, head->time_ns % NS_PER_SECOND, head->key,
        head->session, head->cl_ord_id, head->slots);
    add_fields(&line, command, model_text_command_type(head->type), head->type);
    if (head->type == COMMAND_NEW_SET) {
        add_legs(&line, command);
    }
    if (head->type == COMMAND_NEW_JOB) {
        add_lanes(&line, command);
    }
}
