#include "exchange/shown.h"

#include <stdlib.h>

#include "base/check.h"

void shown_init(struct shown *table, shown_change *change, void *context)
{
    *table = (struct shown){.change = change, .context = context};
    replica_map_init(&table->map);
}

void shown_free(struct shown *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->orders[i].legs);
    }
    replica_map_free(&table->map);
    free(table->orders);
    free(table->free_places);
}

/* NULL: a plain order, or none. Good until the next is added. */
static struct shown_order *find(const struct shown *table, uint64_t order_id)
{
    const uint64_t *place = table->map.count > 0 ? replica_map_find(&table->map, order_id) : NULL;
    return place ? &table->orders[*place] : NULL;
}

static struct shown_order *add_order(struct shown *table, uint64_t order_id, enum shown_kind kind,
                                     uint32_t leg_count)
{
    size_t place;
    CHECK(order_id != 0 && !find(table, order_id));
    if (table->free_count > 0) {
        place = table->free_places[--table->free_count];
    } else {
        table->orders =
            replica_grow(table->orders, table->count, &table->capacity, sizeof(table->orders[0]));
        CHECK(table->count < UINT32_MAX);
        place = table->count++;
    }
    struct shown_order *order = &table->orders[place];
    *order =
        (struct shown_order){.order_id = order_id, .leg_count = leg_count, .kind = (uint8_t)kind};
    if (leg_count > 0) {
        order->legs = calloc(leg_count, sizeof(order->legs[0]));
        CHECK(order->legs);
    }
    *replica_map_put(&table->map, order_id) = place;
    return order;
}

static void remove_order(struct shown *table, struct shown_order *order)
{
    replica_map_remove(&table->map, order->order_id);
    free(order->legs);
    *order = (struct shown_order){0};
    table->free_places = replica_grow(table->free_places, table->free_count, &table->free_capacity,
                                      sizeof(table->free_places[0]));
    table->free_places[table->free_count++] = (uint32_t)(order - table->orders);
}

/* The leg of this contract that is not over; NULL: none. */
static struct shown_leg *find_leg(const struct shown_order *order, uint64_t contract)
{
    for (uint32_t i = 0; i < order->legs_known; i++) {
        if (order->legs[i].contract == contract && !order->legs[i].over) {
            return &order->legs[i];
        }
    }
    return NULL;
}

bool shown_reserved(const struct shown *table, uint64_t order_id)
{
    const struct shown_order *order = find(table, order_id);
    return order && order->kind == SHOWN_APART;
}

/* --- what an order shows -------------------------------------------------------------------- */

/* What the leg may trade of a balance: whole lots. */
static int64_t leg_qty(const struct shown_leg *leg, int64_t balance_qty)
{
    return leg->over ? 0 : balance_qty - balance_qty % leg->lot;
}

/* An order begins to show a quantity, or shows less of it; `over` when it leaves the level. */
static void add(struct shown *table, uint64_t contract, uint8_t side, int64_t price_e4, int64_t qty)
{
    struct level_row row = {.price_e4 = price_e4, .qty = qty, .orders = 1};
    table->change(table->context, contract, side, &row);
}

static void take(struct shown *table, uint64_t contract, uint8_t side, int64_t price_e4,
                 int64_t qty, bool over)
{
    struct level_row row = {.price_e4 = price_e4, .qty = -qty, .orders = over ? -1 : 0};
    if (qty != 0 || over) {
        table->change(table->context, contract, side, &row);
    }
}

/* An offer reserved for JOBs stands apart, or more or less of it does. */
static void change_apart(struct shown *table, uint64_t contract, int64_t price_e4, int64_t qty,
                         int64_t orders)
{
    struct level_row row = {.price_e4 = price_e4, .reserved_qty = qty, .orders = orders};
    table->change(table->context, contract, SIDE_SELL, &row);
}

/* The legs show what a balance allows: those that it puts to sleep leave their levels. */
static void show_set(struct shown *table, struct shown_order *set, int64_t balance_qty)
{
    set->leaves_qty = balance_qty;
    for (uint32_t i = 0; i < set->legs_known; i++) {
        struct shown_leg *leg = &set->legs[i];
        int64_t shown = leg_qty(leg, balance_qty);
        struct level_row row = {.price_e4 = leg->price_e4,
                                .shared_qty = shown - leg->shown,
                                .orders = (shown > 0) - (leg->shown > 0)};
        if (shown != leg->shown) {
            table->change(table->context, leg->contract, SIDE_BUY, &row);
            leg->shown = shown;
        }
    }
}

/* Takes the SET out of all levels; its balance stays as it is. */
static void hide_set(struct shown *table, struct shown_order *set)
{
    int64_t balance_qty = set->leaves_qty;
    show_set(table, set, 0);
    set->leaves_qty = balance_qty;
}

/* What is left of the arriving order rests. */
void shown_settle(struct shown *table)
{
    const struct shown_arriving arriving = table->arriving;
    table->arriving = (struct shown_arriving){0};
    if (arriving.order_id == 0) {
        return;
    }
    if (arriving.contract == 0) {
        struct shown_order *set = find(table, arriving.order_id);
        CHECK(set && set->legs_known == set->leg_count);
        show_set(table, set, set->leaves_qty);
        return;
    }
    int64_t shown = arriving.leaves_qty;
    if (shown == 0) {
        return;
    }
    if (arriving.display_qty > 0) {
        struct shown_order *iceberg = add_order(table, arriving.order_id, SHOWN_PART, 0);
        shown = shown < arriving.display_qty ? shown : arriving.display_qty;
        iceberg->leaves_qty = arriving.leaves_qty;
        iceberg->display_qty = arriving.display_qty;
        iceberg->shown = shown;
    }
    add(table, arriving.contract, arriving.side, arriving.price_e4, shown);
}

/* Whether the event is of an order that has not come to rest. What stands in a book is no longer
 * arriving: a JOB may take at once what an offer has left there. */
static bool still_arriving(struct shown *table, uint64_t order_id, bool resting)
{
    if (table->arriving.order_id == order_id && resting) {
        shown_settle(table);
    }
    return table->arriving.order_id == order_id;
}

/* --- events --------------------------------------------------------------------------------- */

static void apply_new(struct shown *table, const struct event_new *event)
{
    shown_settle(table);
    if (event->flags & ORDER_RESERVED_FOR_JOBS) {
        add_order(table, event->order_id, SHOWN_APART, 0)->leaves_qty = event->qty;
        change_apart(table, event->contract, event->price_e4, event->qty, 1);
        return;
    }
    table->arriving = (struct shown_arriving){.order_id = event->order_id,
                                              .contract = event->contract,
                                              .price_e4 = event->price_e4,
                                              .leaves_qty = event->qty,
                                              .display_qty = event->display_qty,
                                              .side = event->side};
}

static void apply_set(struct shown *table, const struct event_set *event)
{
    shown_settle(table);
    struct shown_order *set = add_order(table, event->order_id, SHOWN_SHARED, event->leg_count);
    set->leaves_qty = event->qty;
    table->arriving = (struct shown_arriving){.order_id = event->order_id, .side = SIDE_BUY};
}

static void apply_set_legs(struct shown *table, const struct event_set_legs *event)
{
    struct shown_order *set = find(table, event->order_id);
    CHECK(set && set->kind == SHOWN_SHARED);
    for (uint32_t i = 0; i < SET_LEGS_PER_EVENT && set->legs_known < set->leg_count; i++) {
        const struct set_leg *leg = &event->legs[i];
        uint16_t class_id = contract_class(leg->contract);
        CHECK(class_id < CLASS_COUNT_MAX && table->lots[class_id] > 0);
        set->legs[set->legs_known++] = (struct shown_leg){
            .contract = leg->contract, .price_e4 = leg->price_e4, .lot = table->lots[class_id]};
    }
}

/* The whole of a SET is changed; a JOB shows nothing, so it is not among the orders. */
static void replace_set(struct shown *table, struct shown_order *set,
                        const struct event_replaced *event)
{
    if (!set) {
        return;
    }
    if (event->kept_priority) {
        show_set(table, set, event->leaves_qty);
        return;
    }
    hide_set(table, set);
    set->leaves_qty = event->leaves_qty;
    table->arriving = (struct shown_arriving){.order_id = event->order_id, .side = SIDE_BUY};
}

static void apply_replaced(struct shown *table, const struct event_replaced *event)
{
    shown_settle(table);
    struct shown_order *order = find(table, event->order_id);
    if (event->contract == 0) {
        replace_set(table, order, event);
        return;
    }
    if (order && order->kind == SHOWN_APART) { /* it stands apart again */
        change_apart(table, event->contract, event->old_price_e4, -order->leaves_qty, -1);
        change_apart(table, event->contract, event->price_e4, event->leaves_qty, 1);
        order->leaves_qty = event->leaves_qty;
        return;
    }
    int64_t shown = order ? order->shown : event->old_leaves_qty;
    if (event->kept_priority) { /* the price is the same */
        int64_t less = order ? shown - (shown < event->leaves_qty ? shown : event->leaves_qty)
                             : event->old_leaves_qty - event->leaves_qty;
        take(table, event->contract, event->side, event->price_e4, less, false);
        if (order) {
            order->leaves_qty = event->leaves_qty;
            order->shown -= less;
        }
        return;
    }
    take(table, event->contract, event->side, event->old_price_e4, shown, true);
    table->arriving = (struct shown_arriving){.order_id = event->order_id,
                                              .contract = event->contract,
                                              .price_e4 = event->price_e4,
                                              .leaves_qty = event->leaves_qty,
                                              .display_qty = order ? order->display_qty : 0,
                                              .side = event->side};
    if (order) {
        remove_order(table, order);
    }
}

/* An iceberg, a reserved offer or a SET has less left. */
static void less_shown(struct shown *table, struct shown_order *order,
                       const struct event_fill *part, bool reserve_first)
{
    if (order->kind == SHOWN_SHARED) {
        show_set(table, order, part->leaves_qty);
    } else if (order->kind == SHOWN_PART) {
        int64_t reserve = order->leaves_qty - order->shown;
        int64_t from_shown = !reserve_first        ? part->qty
                             : part->qty > reserve ? part->qty - reserve
                                                   : 0;
        from_shown = from_shown < order->shown ? from_shown : order->shown;
        take(table, part->contract, part->side, part->price_e4, from_shown, part->leaves_qty == 0);
        order->shown -= from_shown;
    } else {
        change_apart(table, part->contract, part->price_e4, part->leaves_qty - order->leaves_qty,
                     part->leaves_qty == 0 ? -1 : 0);
    }
    order->leaves_qty = part->leaves_qty;
    if (order->leaves_qty == 0) {
        remove_order(table, order);
    }
}

/* A quantity left an order: by a fill, a cancel, or self-trade prevention, which takes what is not
 * shown first. */
static void apply_less(struct shown *table, const struct event_fill *part, bool reserve_first)
{
    struct shown_arriving *arriving = &table->arriving;
    bool arrives = still_arriving(table, part->order_id, part->resting);
    struct shown_order *order = find(table, part->order_id);
    if (order) {
        /* Of a SET that arrives nothing is shown yet, and what is left is not to be. */
        if (arrives && part->leaves_qty > 0) {
            order->leaves_qty = part->leaves_qty;
            return;
        }
        if (arrives) {
            *arriving = (struct shown_arriving){0};
        }
        less_shown(table, order, part, reserve_first);
    } else if (arrives) {
        CHECK(arriving->leaves_qty >= part->qty);
        arriving->leaves_qty -= part->qty;
    } else {
        take(table, part->contract, part->side, part->price_e4, part->qty, part->leaves_qty == 0);
    }
}

static void apply_fill(struct shown *table, const struct event_fill *fill)
{
    if (fill->contingent && fill->side == SIDE_BUY) {
        return; /* a JOB's own side: it shows nothing */
    }
    struct event_fill part = *fill;
    if (fill->resting == FILL_AUCTION) {
        part.price_e4 = (int64_t)fill->limit_e4;
    }
    apply_less(table, &part, false);
}

static void apply_out(struct shown *table, const struct event_out *out)
{
    if (out->contract == 0 && !find(table, out->order_id)) {
        return; /* a JOB */
    }
    struct event_fill part = {.order_id = out->order_id,
                              .contract = out->contract,
                              .price_e4 = out->price_e4,
                              .qty = out->qty,
                              .leaves_qty = out->leaves_qty,
                              .side = out->side,
                              .resting = out->resting};
    apply_less(table, &part, true);
}

static void apply_leg_canceled(struct shown *table, const struct event_out *out)
{
    (void)still_arriving(table, out->order_id, out->resting);
    struct shown_order *set = find(table, out->order_id);
    CHECK(set && set->kind == SHOWN_SHARED);
    struct shown_leg *leg = find_leg(set, out->contract);
    CHECK(leg);
    if (leg->shown > 0) {
        struct level_row row = {.price_e4 = leg->price_e4, .shared_qty = -leg->shown, .orders = -1};
        table->change(table->context, leg->contract, SIDE_BUY, &row);
    }
    leg->shown = 0;
    leg->over = true;
}

/* An iceberg whose slice is used up shows the next one. */
static void apply_refreshed(struct shown *table, const struct event_out *out)
{
    CHECK(!still_arriving(table, out->order_id, true));
    struct shown_order *iceberg = find(table, out->order_id);
    CHECK(iceberg && iceberg->kind == SHOWN_PART && out->qty <= iceberg->leaves_qty);
    take(table, out->contract, out->side, out->price_e4, iceberg->shown - out->qty, false);
    iceberg->shown = out->qty;
}

/* The reservation is over: the offer arrives in its book. */
static void apply_released(struct shown *table, const struct event_out *out)
{
    shown_settle(table);
    struct shown_order *reserved = find(table, out->order_id);
    CHECK(reserved && reserved->kind == SHOWN_APART);
    change_apart(table, out->contract, out->price_e4, -reserved->leaves_qty, -1);
    remove_order(table, reserved);
    table->arriving = (struct shown_arriving){.order_id = out->order_id,
                                              .contract = out->contract,
                                              .price_e4 = out->price_e4,
                                              .leaves_qty = out->leaves_qty,
                                              .side = out->side};
}

static void apply_class(struct shown *table, const struct event_class *event)
{
    CHECK(event->class_id < CLASS_COUNT_MAX);
    table->lots[event->class_id] = event->lot;
}

void shown_apply(struct shown *table, const struct event *event)
{
    uint8_t type = event->head.type;
    if (type == EVENT_NEW) {
        apply_new(table, &event->new_order);
    } else if (type == EVENT_REPLACED) {
        apply_replaced(table, &event->replaced);
    } else if (type == EVENT_FILL) {
        apply_fill(table, &event->fill);
    } else if (type == EVENT_CANCELED || type == EVENT_RESTATED) {
        apply_out(table, &event->out);
    } else if (type == EVENT_REFRESHED) {
        apply_refreshed(table, &event->out);
    } else if (type == EVENT_RELEASED) {
        apply_released(table, &event->out);
    } else if (type == EVENT_SET) {
        apply_set(table, &event->set);
    } else if (type == EVENT_SET_LEGS) {
        apply_set_legs(table, &event->set_legs);
    } else if (type == EVENT_LEG_CANCELED) {
        apply_leg_canceled(table, &event->out);
    } else if (type == EVENT_CLASS) {
        apply_class(table, &event->class_);
    }
}
