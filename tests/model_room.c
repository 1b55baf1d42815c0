/* What the tables of stated size hold, and whether one could overflow: `FULL` in sections 3, 10 and 11
 * of the rulebook. */
#include "tests/model_job.h"

/* Times that a resting order can be met: with what it shows, and with each slice to come. */
static int64_t slices(const struct model_order *order)
{
    return order->hidden_qty == 0
               ? 1
               : 1 + (order->hidden_qty + order->display_qty - 1) / order->display_qty;
}

/* Times that orders across can be met, all tiers: an upper bound for the fills that may come. */
int64_t model_room_across(const struct model *model, const struct model_order *order)
{
    int64_t across = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *other = &model->orders[i];
        if (other->side != order->side && model_book_stands(other) &&
            model_book_same_ladder(other->contract, order->contract)) {
            across += slices(other);
        }
    }
    return across;
}

int64_t model_room_needed(const struct model *model, const struct model_order *order)
{
    int64_t across = model_room_across(model, order);
    int64_t lots = order->leaves_qty / model->classes[contract_class(order->contract)].lot;
    return lots < across ? lots : across;
}

int64_t model_room_of_hour(const struct model *model, uint64_t contract)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        sum += model_book_stands(order) && model_book_same_ladder(order->contract, contract)
                   ? slices(order)
                   : 0;
    }
    return sum;
}

bool model_room_for_fills(const struct model *model, int64_t fills)
{
    return (int64_t)model->fills + fills <= model->limits.fills &&
           (int64_t)model->holding_count + fills <= model->limits.holdings;
}

static bool in_a_ladder(const struct model_order *order)
{
    return order->kind == MODEL_PLAIN || order->kind == MODEL_LEG;
}

/* Whether one of the orders stands in this ladder hour, in a book or apart. */
static bool stands_in(const struct model_order *orders, uint32_t count, uint64_t contract)
{
    for (uint32_t i = 0; i < count; i++) {
        if (in_a_ladder(&orders[i]) && model_book_same_ladder(orders[i].contract, contract)) {
            return true;
        }
    }
    return false;
}

static bool has_last_trade(const struct model *model, uint64_t contract)
{
    return model_ladder_find(model, contract) < model->ladder_count;
}

/* Whether the hour is remembered beside its orders. */
static bool remembered(const struct model *model, uint64_t contract)
{
    return has_last_trade(model, contract) || model_auction_was(model, contract);
}

static uint32_t count_remembered(const struct model *model)
{
    uint32_t sum = model->ladder_count;
    for (uint32_t i = 0; i < model->auctioned_count; i++) {
        sum += has_last_trade(model, model->auctioned[i]) ? 0 : 1;
    }
    return sum;
}

/* Ladder hours of the orders without a last trade or an auction; `new_ones`: and without an order in the market. */
static uint32_t count_ladders(const struct model *model, const struct model_order *orders,
                              uint32_t count, bool new_ones)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t contract = orders[i].contract;
        bool known = !in_a_ladder(&orders[i]) || remembered(model, contract) ||
                     stands_in(orders, i, contract) ||
                     (new_ones && stands_in(model->orders, model->order_count, contract));
        sum += known ? 0 : 1;
    }
    return sum;
}

/* Ladders in use, and those that `orders` would add. */
static bool room_for_ladders(const struct model *model, const struct model_order *orders,
                             uint32_t count)
{
    uint32_t added = count_ladders(model, orders, count, true);
    return added == 0 || count_remembered(model) +
                                 count_ladders(model, model->orders, model->order_count, false) +
                                 added <=
                             model->limits.ladders;
}

static bool needs_timer(const struct model_order *order)
{
    return order->kind == MODEL_JOB || (order->kind != MODEL_LEG && order->waits == 0 &&
                                        (order->tif == TIF_TIME || model_order_reserved(order)));
}

static uint32_t timers(const struct model_order *orders, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += needs_timer(&orders[i]) ? 1 : 0;
    }
    return sum;
}

uint32_t model_room_orders_in_use(const struct model *model)
{
    uint32_t count = model->order_count + model_job_lanes_in_use(model);
    for (uint32_t i = 0; i < model->range_count; i++) {
        count += model_range_lives(model, &model->ranges[i]) ? 1 : 0;
    }
    return count;
}

bool model_room_for_timers(const struct model *model, uint32_t more)
{
    return timers(model->orders, model->order_count) + more <= model->limits.timers;
}

bool model_room_for_orders(const struct model *model, const struct model_order *orders,
                           uint32_t count, uint32_t more)
{
    uint32_t more_timers = timers(orders, count);
    for (uint32_t i = 0; i < count; i++) {
        if (orders[i].kind != MODEL_SET &&
            contract_hour(orders[i].contract) >= model->gate_hour + 1024) {
            return false;
        }
    }
    if (model_room_orders_in_use(model) + count + more > model->limits.orders) {
        return false;
    }
    return (more_timers == 0 || model_room_for_timers(model, more_timers)) &&
           room_for_ladders(model, orders, count);
}
