/* Section 5 and 6 of the rulebook: fees, reserves, bonds, capacity, reference prices. */
#include "base/check.h"
#include "tests/model_job.h"

static int64_t narrow(model_wide value)
{
    CHECK(value >= INT64_MIN && value <= INT64_MAX);
    return (int64_t)value;
}

int64_t model_money_order_reserve_e4(const struct model_order *order)
{
    if (order->side == SIDE_SELL) {
        return narrow((model_wide)order->bond_e4 * order->leaves_qty);
    }
    model_wide notional = (model_wide)order->price_e4 * order->leaves_qty;
    int rate = order->maker_bp > order->taker_bp ? order->maker_bp : order->taker_bp;
    if (order->job_factor_e4 != 0) {
        model_wide cost = (notional * E4_ONE + order->job_factor_e4 - 1) / order->job_factor_e4;
        return narrow(cost + cost * rate / BP_ONE);
    }
    return narrow(notional + (order->fee_remainder + notional * rate) / BP_ONE);
}

static int64_t reserved_by(const struct model *model, uint32_t account, uint8_t side)
{
    model_wide sum = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->account == account && order->side == side) {
            sum += model_money_order_reserve_e4(order);
        }
    }
    return narrow(sum);
}

int64_t model_money_reserved_e4(const struct model *model, uint32_t account)
{
    return reserved_by(model, account, SIDE_BUY);
}

int64_t model_money_bond_open_e4(const struct model *model, uint32_t account)
{
    return reserved_by(model, account, SIDE_SELL);
}

int64_t model_money_available_e4(const struct model *model, uint32_t account)
{
    const struct model_account *a = &model->accounts[account];
    return narrow((model_wide)a->cash_e4 + a->credit_e4 - model_money_reserved_e4(model, account) -
                  model_money_bond_open_e4(model, account) - a->bond_locked_e4);
}

int64_t model_money_bond_per_gpu_e4(const struct model *model, int64_t price_e4,
                                    int64_t reference_e4)
{
    model_wide base = price_e4 > reference_e4 ? price_e4 : reference_e4;
    return narrow((base * model->rules.bond_bp + BP_ONE - 1) / BP_ONE);
}

int64_t model_money_fee_e4(struct model_order *order, int64_t price_e4, int64_t qty,
                           uint16_t rate_bp)
{
    model_wide parts = order->fee_remainder + (model_wide)price_e4 * qty * rate_bp;
    order->fee_remainder = narrow(parts % BP_ONE);
    return narrow(parts / BP_ONE);
}

/* Open offers that draw on one source of an account. */
static int64_t offered_qty(const struct model *model, uint32_t account, uint32_t resource,
                           uint32_t hour, uint8_t source_tier)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->side == SIDE_SELL && order->account == account && order->resource == resource &&
            contract_hour(order->contract) == hour && order->source_tier == source_tier) {
            sum += order->leaves_qty;
        }
    }
    return sum;
}

int64_t model_money_own_free_qty(const struct model *model, uint32_t resource, uint32_t hour)
{
    const struct command_register_resource *terms = &model->resources[resource].terms;
    int64_t taken = offered_qty(model, terms->account, resource, hour, SOURCE_OWN);
    for (uint32_t i = 0; i < model->sold_count; i++) {
        if (model->sold[i].resource == resource && model->sold[i].hour == hour) {
            taken += model->sold[i].qty;
        }
    }
    return (int64_t)terms->gpus - taken;
}

int64_t model_money_holding_free_qty(const struct model *model, const struct model_holding *holding)
{
    return holding->qty -
           offered_qty(model, holding->account, holding->resource, holding->hour, holding->tier);
}

struct model_holding *model_money_holding(struct model *model, uint32_t account, uint32_t resource,
                                          uint32_t hour, uint8_t tier)
{
    for (uint32_t i = 0; i < model->holding_count; i++) {
        struct model_holding *holding = &model->holdings[i];
        if (holding->account == account && holding->resource == resource && holding->hour == hour &&
            holding->tier == tier) {
            return holding;
        }
    }
    return NULL;
}

bool model_money_source(struct model *model, const struct model_order *order, int64_t qty,
                        uint8_t *source_tier)
{
    uint32_t hour = contract_hour(order->contract);
    if (model->resources[order->resource].terms.account == order->account &&
        model_money_own_free_qty(model, order->resource, hour) >= qty) {
        *source_tier = SOURCE_OWN;
        return true;
    }
    for (uint8_t tier = contract_tier(order->contract); tier < TIER_COUNT; tier++) {
        const struct model_holding *holding =
            model_money_holding(model, order->account, order->resource, hour, tier);
        if (holding != NULL && model_money_holding_free_qty(model, holding) >= qty) {
            *source_tier = tier;
            return true;
        }
    }
    return false;
}

bool model_money_source_has(struct model *model, const struct model_order *order, int64_t qty)
{
    uint32_t hour = contract_hour(order->contract);
    if (order->source_tier == SOURCE_OWN) {
        return model_money_own_free_qty(model, order->resource, hour) >= qty;
    }
    const struct model_holding *holding =
        model_money_holding(model, order->account, order->resource, hour, order->source_tier);
    return holding != NULL && model_money_holding_free_qty(model, holding) >= qty;
}

static void give_to_buyer(struct model *model, const struct model_order *bid, uint32_t resource,
                          int64_t qty)
{
    uint32_t hour = contract_hour(bid->contract);
    uint8_t tier = contract_tier(bid->contract);
    struct model_holding *holding = model_money_holding(model, bid->account, resource, hour, tier);
    if (holding == NULL) {
        CHECK(model->holding_count < MODEL_HOLDINGS_MAX);
        holding = &model->holdings[model->holding_count++];
        *holding = (struct model_holding){
            .account = bid->account, .resource = resource, .hour = hour, .tier = tier};
    }
    holding->qty += qty;
}

static void take_from_seller(struct model *model, const struct model_order *offer, int64_t qty)
{
    uint32_t hour = contract_hour(offer->contract);
    if (offer->source_tier != SOURCE_OWN) {
        struct model_holding *holding =
            model_money_holding(model, offer->account, offer->resource, hour, offer->source_tier);
        CHECK(holding != NULL && holding->qty >= qty);
        holding->qty -= qty;
        if (holding->qty == 0) {
            *holding = model->holdings[--model->holding_count];
        }
        return;
    }
    for (uint32_t i = 0; i < model->sold_count; i++) {
        if (model->sold[i].resource == offer->resource && model->sold[i].hour == hour) {
            model->sold[i].qty += qty;
            return;
        }
    }
    CHECK(model->sold_count < MODEL_LADDERS_MAX);
    model->sold[model->sold_count++] =
        (struct model_sold){.resource = offer->resource, .hour = hour, .qty = qty};
}

static void remember_last_trade(struct model *model, uint64_t contract, int64_t price_e4)
{
    uint32_t place = model_ladder_find(model, contract);
    if (place < model->ladder_count) {
        struct model_ladder *ladder = &model->ladders[place];
        if (ladder->last_price_e4 != price_e4) {
            model_job_due_hour(model, contract);
        }
        ladder->last_price_e4 = price_e4;
        return;
    }
    CHECK(model->ladder_count < MODEL_LADDERS_MAX);
    model_job_due_hour(model, contract);
    model->ladders[model->ladder_count++] =
        (struct model_ladder){.class_id = contract_class(contract),
                              .region_id = contract_region(contract),
                              .hour = contract_hour(contract),
                              .last_price_e4 = price_e4};
}

/* Moves goods and notes the trade; fees are the caller's. */
void model_money_settle(struct model *model, struct model_order *bid, struct model_order *offer,
                        int64_t price_e4, int64_t qty)
{
    take_from_seller(model, offer, qty);
    give_to_buyer(model, bid, offer->resource, qty);
    remember_last_trade(model, bid->contract, price_e4);
    model->accounts[offer->account].bond_locked_e4 += offer->bond_e4 * qty;
}

bool model_money_reference(struct model *model, uint64_t contract, int64_t *price_e4)
{
    uint32_t place = model_ladder_find(model, contract);
    if (place < model->ladder_count) {
        *price_e4 = model->ladders[place].last_price_e4;
        return true;
    }
    for (uint32_t i = 0; i < model->reference_count; i++) {
        const struct model_reference *reference = &model->references[i];
        if (reference->class_id == contract_class(contract) &&
            reference->region_id == contract_region(contract) &&
            reference->tier == contract_tier(contract)) {
            *price_e4 = reference->price_e4;
            return true;
        }
    }
    const struct model_market *market =
        model_market_find(model, contract_class(contract), contract_region(contract));
    *price_e4 = market == NULL ? 0 : market->terms.launch_price_e4[contract_tier(contract)];
    return *price_e4 > 0;
}
