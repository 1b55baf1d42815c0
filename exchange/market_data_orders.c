#include "exchange/market_data_orders.h"

#include <stdlib.h>

#include "base/check.h"

void shown_orders_init(struct shown_orders *orders)
{
    *orders = (struct shown_orders){0};
    replica_map_init(&orders->map);
}

void shown_orders_free(struct shown_orders *orders)
{
    for (size_t i = 0; i < orders->count; i++) {
        free(orders->orders[i].legs);
    }
    replica_map_free(&orders->map);
    free(orders->orders);
    free(orders->free_places);
}

struct shown_order *shown_orders_find(const struct shown_orders *orders, uint64_t order_id)
{
    const uint64_t *place = orders->map.count > 0 ? replica_map_find(&orders->map, order_id) : NULL;
    return place ? &orders->orders[*place] : NULL;
}

struct shown_order *shown_orders_add(struct shown_orders *orders, uint64_t order_id,
                                     enum shown_kind kind, uint32_t leg_count)
{
    size_t place;
    CHECK(order_id != 0 && !shown_orders_find(orders, order_id));
    if (orders->free_count > 0) {
        place = orders->free_places[--orders->free_count];
    } else {
        orders->orders = replica_grow(orders->orders, orders->count, &orders->capacity,
                                      sizeof(orders->orders[0]));
        CHECK(orders->count < UINT32_MAX);
        place = orders->count++;
    }
    struct shown_order *order = &orders->orders[place];
    *order =
        (struct shown_order){.order_id = order_id, .leg_count = leg_count, .kind = (uint8_t)kind};
    if (leg_count > 0) {
        order->legs = calloc(leg_count, sizeof(order->legs[0]));
        CHECK(order->legs);
    }
    *replica_map_put(&orders->map, order_id) = place;
    return order;
}

void shown_orders_remove(struct shown_orders *orders, struct shown_order *order)
{
    replica_map_remove(&orders->map, order->order_id);
    free(order->legs);
    *order = (struct shown_order){0};
    orders->free_places = replica_grow(orders->free_places, orders->free_count,
                                       &orders->free_capacity, sizeof(orders->free_places[0]));
    orders->free_places[orders->free_count++] = (uint32_t)(order - orders->orders);
}

struct shown_leg *shown_order_leg(const struct shown_order *order, uint64_t contract)
{
    for (uint32_t i = 0; i < order->legs_known; i++) {
        if (order->legs[i].contract == contract && !order->legs[i].over) {
            return &order->legs[i];
        }
    }
    return NULL;
}
