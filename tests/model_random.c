#include "tests/model_random.h"

#include <stdio.h>
#include <string.h>

#include "tests/model_twin.h"

void model_random_init(struct model_random *random, uint64_t seed)
{
    *random = (struct model_random){.state = seed,
                                    .time_ns = MODEL_RANDOM_START_NS,
                                    .icebergs = 18,
                                    .reserved = 18,
                                    .ranges = 5,
                                    .sets = 14,
                                    .jobs = 10,
                                    .main_mode = MODE_CONTINUOUS};
}

/* splitmix64 */
uint64_t model_random_bits(struct model_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t model_random_below(struct model_random *random, uint32_t bound)
{
    return (uint32_t)(model_random_bits(random) % bound);
}

bool model_random_chance(struct model_random *random, uint32_t percent)
{
    return model_random_below(random, 100) < percent;
}

bool model_random_rarely(struct model_random *random, uint32_t times)
{
    return model_random_below(random, times) == 0;
}

struct command *model_random_start(struct model_random *random,
                                   union command_slot slots[COMMAND_SLOTS_MAX], uint8_t type)
{
    memset(slots, 0, COMMAND_SLOTS_MAX * sizeof(slots[0]));
    struct command *command = &slots[0].command;
    command->head.type = type;
    command->head.slots = 1;
    command->head.time_ns = random->time_ns;
    return command;
}

void model_random_send_by(const struct model *model, struct command *command, uint32_t key,
                          uint64_t ahead)
{
    command->head.key = key;
    command->head.link = model->keys[key].link;
    command->head.session = model->keys[key].session;
    command->head.cl_ord_id = model->keys[key].highest_cl_ord_id + ahead;
}

/* Nearly all in two tiers of one ladder hour. */
uint64_t model_random_deep_contract(struct model_random *random)
{
    uint8_t tier = (uint8_t)(model_random_rarely(random, 20) ? TIER_G100 : TIER_G50);
    return contract_pack(0, 0, tier, MODEL_RANDOM_DEEP_HOUR);
}

/* Mostly away from the other side, on few levels or on many. */
static int64_t deep_price_e4(struct model_random *random, uint8_t side)
{
    int64_t away_e4 = model_random_chance(random, 50)
                          ? 1000 * (int64_t)model_random_below(random, 30)
                          : (int64_t)model_random_below(random, 30000);
    if (model_random_rarely(random, 12)) {
        away_e4 = -away_e4 / 4;
    }
    return MODEL_RANDOM_PRICE_E4 + (side == SIDE_BUY ? -500 - away_e4 : 500 + away_e4);
}

static uint64_t random_contract(struct model_random *random, const struct model *model)
{
    uint32_t now = (uint32_t)(random->time_ns / NS_PER_HOUR);
    static const uint32_t ahead[8] = {1, 2, 2, 2, 2, 3, 5, 9};
    uint32_t hour = now + ahead[model_random_below(random, 8)];
    if (model_random_rarely(random, 40)) {
        hour = now + model_random_below(random, 3);
    }
    if (model_random_rarely(random, 40)) {
        hour = now + model->rules.horizon_hours - 1 + model_random_below(random, 2);
    }
    uint16_t class_id = (uint16_t)(model_random_chance(random, 70)
                                       ? 0
                                       : model_random_below(random, MODEL_RANDOM_CLASSES));
    uint16_t region_id = (uint16_t)(model_random_chance(random, 70)
                                        ? 0
                                        : model_random_below(random, MODEL_RANDOM_REGIONS));
    return contract_pack(class_id, region_id, (uint8_t)model_random_below(random, TIER_COUNT),
                         hour);
}

/* A price near the reference, often on its band's edges. */
int64_t model_random_price_e4(struct model_random *random, const struct model *model,
                              uint64_t contract)
{
    int64_t reference_e4 = MODEL_RANDOM_PRICE_E4;
    struct model *readable = (struct model *)(uintptr_t)model; /* the model's reads take no const */
    if (contract_tier(contract) < TIER_COUNT) {
        (void)model_money_reference(readable, contract, &reference_e4);
    }
    if (reference_e4 == 0) {
        reference_e4 = MODEL_RANDOM_PRICE_E4;
    }
    const struct model_market *market =
        model_market_find(readable, contract_class(contract), contract_region(contract));
    if (market != NULL && model_random_rarely(random, 30)) {
        bool outer = model_random_chance(random, 50);
        struct model_band band = model_book_band(reference_e4, outer ? market->terms.outer_band_bp
                                                                     : market->terms.inner_band_bp);
        return (model_random_chance(random, 50) ? band.low_e4 : band.high_e4) +
               (int64_t)model_random_below(random, 3) - 1;
    }
    int64_t tick_e4 = model_random_chance(random, 80) ? 1000 : 7;
    int64_t ticks = (int64_t)model_random_below(random, 13) - 6;
    if (model_random_rarely(random, 15)) {
        ticks *= 5;
    }
    int64_t base_e4 = model_random_chance(random, 70) ? MODEL_RANDOM_PRICE_E4 : reference_e4;
    return base_e4 + ticks * tick_e4;
}

int64_t model_random_qty(struct model_random *random, const struct model *model, uint64_t contract)
{
    uint16_t class_id = contract_class(contract);
    uint32_t lot = class_id < model->class_count ? model->classes[class_id].lot : 1;
    return (int64_t)lot *
           (1 + model_random_below(random, model_random_chance(random, 90) ? 12 : 60));
}

int64_t model_random_odd_number(struct model_random *random, int64_t near)
{
    static const int64_t odd[] = {0,       -1,          1,         PRICE_MAX_E4, PRICE_MAX_E4 + 1,
                                  QTY_MAX, QTY_MAX + 1, INT64_MAX, INT64_MIN,    401,
                                  400,     500};
    uint32_t count = sizeof(odd) / sizeof(odd[0]);
    uint32_t pick = model_random_below(random, count + 2);
    return pick < count ? odd[pick] : near + (pick == count ? 1 : -1);
}

/* Spoils one field of a new order. */
static void spoil_order(struct model_random *random, const struct model *model,
                        struct command_new_order *order)
{
    switch (model_random_below(random, 17)) {
    case 0:
        order->contract ^= UINT64_C(1) << (24 + model_random_below(random, 40));
        return;
    case 1:
        order->side = (uint8_t)model_random_below(random, 4);
        return;
    case 2:
        order->ord_type = (uint8_t)model_random_below(random, 4);
        return;
    case 3:
        order->tif = (uint8_t)model_random_below(random, 6);
        return;
    case 4:
        order->stp = (uint8_t)model_random_below(random, 5);
        return;
    case 5:
        order->price_e4 = model_random_odd_number(random, order->price_e4);
        return;
    case 6:
        order->qty = model_random_odd_number(random, order->qty);
        return;
    case 7:
        order->min_qty = model_random_odd_number(random, order->qty);
        return;
    case 8:
        order->display_qty = model_random_odd_number(random, order->qty);
        return;
    case 9:
        order->expire_time_ns = random->time_ns + (int64_t)model_random_below(random, 3) - 1;
        return;
    case 10:
        order->resource = model_random_below(random, model->resource_count + 2);
        return;
    case 11:
        order->flags = (uint16_t)(1U << model_random_below(random, 16));
        return;
    case 12:
        order->contract =
            contract_pack((uint16_t)model_random_below(random, MODEL_RANDOM_CLASSES + 1),
                          (uint16_t)model_random_below(random, MODEL_RANDOM_REGIONS + 1),
                          (uint8_t)model_random_below(random, 5), contract_hour(order->contract));
        return;
    case 13:
        order->contract = (order->contract & ~(uint64_t)CONTRACT_HOUR_MAX) |
                          model_random_below(random, CONTRACT_HOUR_MAX);
        return;
    case 14:
        order->flags = ORDER_POST_ONLY;
        return;
    case 15:
        order->job_lead_hours = (uint16_t)model_random_below(random, 80);
        return;
    default:
        order->min_qty = order->qty;
    }
}

/* A resource that the account may offer from: its own, or one of which it holds something. */
uint32_t model_random_resource(struct model_random *random, const struct model *model,
                               uint32_t account, uint64_t *contract)
{
    if (model->holding_count > 0 && model_random_chance(random, 45)) {
        uint32_t first = model_random_below(random, model->holding_count);
        for (uint32_t i = 0; i < model->holding_count; i++) {
            const struct model_holding *holding =
                &model->holdings[(first + i) % model->holding_count];
            if (holding->account == account && holding->qty > 0) {
                const struct command_register_resource *terms =
                    &model->resources[holding->resource].terms;
                uint8_t tier = (uint8_t)model_random_below(random, holding->tier + 1U);
                *contract = contract_pack(terms->class_id, terms->region_id, tier, holding->hour);
                return holding->resource;
            }
        }
    }
    uint32_t first = model_random_below(random, model->resource_count);
    for (uint32_t i = 0; i < model->resource_count; i++) {
        uint32_t id = 1 + (first + i) % model->resource_count;
        const struct command_register_resource *terms = &model->resources[id].terms;
        if (terms->account == account || model_random_rarely(random, 20)) {
            uint8_t tier = (uint8_t)model_random_below(random, terms->tier + 1U);
            if (model_random_rarely(random, 30)) {
                tier = TIER_G100;
            }
            *contract =
                contract_pack(terms->class_id, terms->region_id, tier, contract_hour(*contract));
            return id;
        }
    }
    return 0;
}

bool model_random_counts(struct model_random *random)
{
    return random->trial_orders != 0 && model_random_chance(random, 30);
}

static void choose_terms(struct model_random *random, struct command_new_order *order)
{
    uint32_t style = model_random_below(random, 100);
    order->stp = (uint8_t)model_random_below(random, 3);
    if (model_random_counts(random)) {
        order->tif = TIF_FOK;
        order->qty *= 1 + model_random_below(random, 8);
        order->price_e4 += order->side == SIDE_BUY ? 10000 : -10000;
    } else if (style < 65) {
        order->tif = TIF_GATE;
    } else if (style < 73) {
        static const int64_t lives_s[6] = {1, 2, 10, 60, 600, 7200};
        order->tif = TIF_TIME;
        order->expire_time_ns =
            random->time_ns + lives_s[model_random_below(random, 6)] * NS_PER_SECOND;
    } else if (style < 79) {
        order->tif = TIF_IOC;
    } else if (style < 85) {
        order->tif = TIF_FOK;
    } else if (style < 93) {
        order->ord_type = ORD_MARKET;
        order->tif = model_random_chance(random, 75) ? TIF_IOC : TIF_FOK;
        order->price_e4 = (int64_t)model_random_below(random, 12) * 1000;
    } else {
        order->flags = ORDER_POST_ONLY;
    }
    if (order->tif != TIF_FOK && order->flags == 0 && model_random_rarely(random, 8)) {
        order->min_qty = order->qty / (1 + (int64_t)model_random_below(random, 3));
    }
}

/* The lead with which a reservation ends soonest. */
static uint16_t soonest_end(const struct model_random *random, const struct model *model,
                            uint64_t contract)
{
    int64_t gate_ns = (int64_t)contract_hour(contract) * NS_PER_HOUR -
                      (int64_t)model->rules.gate_lead_s * NS_PER_SECOND;
    int64_t hours = (gate_ns - random->time_ns) / NS_PER_HOUR;
    return (uint16_t)(hours < 1 ? 1 : hours > 40 ? 40 : hours);
}

/* Shows a part only, or waits for JOBs. */
static void choose_kind(struct model_random *random, const struct model *model,
                        struct command_new_order *order)
{
    bool rests = order->ord_type == ORD_LIMIT && (order->tif == TIF_GATE || order->tif == TIF_TIME);
    uint16_t class_id = contract_class(order->contract);
    uint32_t lot = class_id < model->class_count ? model->classes[class_id].lot : 1;
    if (rests && model_random_chance(random, random->icebergs)) {
        uint32_t lots = (uint32_t)(order->qty / lot);
        order->display_qty = (int64_t)lot * (1 + model_random_below(random, lots / 2 + 1));
    } else if (order->side == SIDE_SELL && order->tif == TIF_GATE && order->flags == 0 &&
               order->min_qty == 0 && model_random_chance(random, random->reserved)) {
        order->job_lead_hours = random->stopping ? soonest_end(random, model, order->contract)
                                                 : (uint16_t)(1 + model_random_below(random, 2));
    }
}

/* Few hours, and a side that mostly waits. */
static void crowd_order(struct model_random *random, struct command_new_order *order)
{
    uint32_t hour = (uint32_t)(random->time_ns / NS_PER_HOUR) + 1 + model_random_below(random, 5);
    order->contract = (order->contract & ~(uint64_t)CONTRACT_HOUR_MAX) | hour;
    order->price_e4 = MODEL_RANDOM_PRICE_E4 +
                      (order->side == SIDE_BUY ? -5000 + (int64_t)model_random_below(random, 4000)
                                               : (int64_t)model_random_below(random, 8000) - 3000);
    if (model_random_chance(random, 60)) {
        order->price_e4 -= order->price_e4 % 1000; /* so that prices meet */
    }
}

static void new_order(struct model_random *random, const struct model *model, uint32_t key,
                      union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_NEW_ORDER);
    model_random_send_by(model, command, key, 1 + (model_random_rarely(random, 20) ? 5U : 0U));
    struct command_new_order *order = &command->new_order;
    order->contract = random_contract(random, model);
    order->side = (uint8_t)model_random_below(random, 2);
    if ((model->keys[key].roles & ROLE_BUYER) == 0 && !model_random_rarely(random, 8)) {
        order->side = SIDE_SELL;
    }
    if (order->side == SIDE_SELL) {
        order->resource =
            model_random_resource(random, model, model->keys[key].account, &order->contract);
    }
    order->price_e4 = model_random_price_e4(random, model, order->contract);
    if (model_random_chance(random, 40)) {
        order->price_e4 += order->side == SIDE_BUY ? 4000 : -4000;
    }
    order->qty = model_random_qty(random, model, order->contract);
    if (random->deep) {
        order->contract = model_random_deep_contract(random);
        order->price_e4 = deep_price_e4(random, order->side);
        order->qty = 1 + (int64_t)model_random_below(random, 9);
    }
    if (random->crowded) {
        crowd_order(random, order);
    }
    choose_terms(random, order);
    choose_kind(random, model, order);
    if (model_random_rarely(random, 12)) {
        spoil_order(random, model, order);
    }
    if (model_random_rarely(random, 25)) {
        order->display_qty = order->qty;
    }
}

/* The name of an order: of a leg its SET's, of a ranged offer sometimes the range's. */
static uint64_t name_of(struct model_random *random, const struct model_order *order)
{
    if (order->kind == MODEL_LEG) {
        return order->set_id;
    }
    return order->range_id != 0 && model_random_chance(random, 40) ? order->range_id
                                                                   : order->order_id;
}

/* Mostly an order of the account; else anyone's, one long gone, or none. */
static uint64_t pick_order(struct model_random *random, const struct model *model, uint32_t account)
{
    uint32_t kind = model_random_below(random, 100);
    if (kind < 90 && model->order_count > 0) {
        uint32_t first = model_random_below(random, model->order_count);
        for (uint32_t i = 0; i < model->order_count; i++) {
            const struct model_order *order = &model->orders[(first + i) % model->order_count];
            if (order->account == account || kind < 2) {
                return name_of(random, order);
            }
        }
    }
    if (kind < 96 && model->last_order_id > 0) {
        return 1 + model_random_bits(random) % model->last_order_id;
    }
    if (model->last_order_id > 0) {
        return (1 + model_random_bits(random) % model->last_order_id) | MODEL_TWIN_STALE;
    }
    return UINT64_MAX;
}

/* The order of that name, or the first offer of the range. */
static const struct model_order *find_order(const struct model *model, uint64_t order_id)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        if (model->orders[i].order_id == order_id || model->orders[i].range_id == order_id) {
            return &model->orders[i];
        }
    }
    return NULL;
}

static void cancel_order(struct model_random *random, const struct model *model, uint32_t key,
                         union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_CANCEL_ORDER);
    model_random_send_by(model, command, key, 1);
    command->cancel_order.order_id = pick_order(random, model, model->keys[key].account);
}

static void replace_order(struct model_random *random, const struct model *model, uint32_t key,
                          union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_REPLACE_ORDER);
    model_random_send_by(model, command, key, 1);
    struct command_replace_order *replace = &command->replace_order;
    replace->order_id = pick_order(random, model, model->keys[key].account);
    const struct model_order *order = find_order(model, replace->order_id);
    uint64_t contract = order == NULL ? random_contract(random, model) : order->contract;
    int64_t qty = order == NULL ? 8 : order->leaves_qty + order->cum_qty;
    replace->price_e4 = order != NULL && model_random_chance(random, 40)
                            ? order->price_e4
                            : model_random_price_e4(random, model, contract);
    int64_t lot = contract_class(contract) < model->class_count
                      ? model->classes[contract_class(contract)].lot
                      : 1;
    replace->qty = model_random_chance(random, 20)
                       ? qty
                       : qty + lot * ((int64_t)model_random_below(random, 9) - 4);
    if (order != NULL && order->kind == MODEL_SET) {
        replace->price_e4 = 0;
    }
    model_random_job_replace(random, model, replace->order_id, replace);
    if (model_random_rarely(random, 30)) {
        replace->price_e4 = model_random_odd_number(random, replace->price_e4);
    }
    if (model_random_rarely(random, 30)) {
        replace->qty = model_random_odd_number(random, qty);
    }
}

/* Mostly of an offer that may be taken. */
static void take_offer(struct model_random *random, const struct model *model, uint32_t key,
                       union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_TAKE_OFFER);
    model_random_send_by(model, command, key, 1);
    command->take_offer.order_id = pick_order(random, model, model->keys[key].account);
    uint32_t first = model_random_below(random, model->order_count + 1);
    for (uint32_t i = 0; i < model->order_count && model_random_chance(random, 98); i++) {
        const struct model_order *order = &model->orders[(first + i) % model->order_count];
        const struct model_market *market =
            order->side == SIDE_SELL && order->kind == MODEL_PLAIN
                ? model_market_find((struct model *)(uintptr_t)model,
                                    contract_class(order->contract),
                                    contract_region(order->contract))
                : NULL;
        if (market != NULL && market->terms.mode == MODE_LISTING) {
            command->take_offer.order_id = order->order_id;
            break;
        }
    }
    const struct model_order *order = find_order(model, command->take_offer.order_id);
    command->take_offer.qty = order == NULL ? 8 : order->leaves_qty;
    if (order != NULL && model_random_chance(random, 60)) {
        command->take_offer.qty = model_random_qty(random, model, order->contract);
    }
    if (model_random_rarely(random, 20)) {
        command->take_offer.qty = model_random_odd_number(random, command->take_offer.qty);
    }
}

static void mass_cancel(struct model_random *random, const struct model *model, uint32_t key,
                        union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_MASS_CANCEL);
    model_random_send_by(model, command, key, 1);
    struct command_mass_cancel *scope = &command->mass_cancel;
    scope->filter = (uint8_t)(model_random_chance(random, 30) ? 0 : model_random_below(random, 16));
    if (model_random_rarely(random, 50)) {
        scope->filter = 16;
    }
    uint32_t now = (uint32_t)(random->time_ns / NS_PER_HOUR);
    if ((scope->filter & MASS_CANCEL_HOURS) != 0) {
        scope->hour_from = now + model_random_below(random, 3);
        scope->hour_to = scope->hour_from + model_random_below(random, 7);
    }
    if ((scope->filter & MASS_CANCEL_CLASS) != 0) {
        scope->class_id = (uint16_t)model_random_below(random, 2);
    }
    if ((scope->filter & MASS_CANCEL_REGION) != 0) {
        scope->region_id = (uint16_t)model_random_below(random, 2);
    }
}

static void link_up(struct model_random *random, union command_slot slots[COMMAND_SLOTS_MAX],
                    uint32_t link)
{
    struct command *command = model_random_start(random, slots, COMMAND_LINK_UP);
    snprintf(command->link.name, LINK_NAME_SIZE, "link-%u", link);
}

/* By a link that is up; else that link comes up first. */
void model_random_log_in(struct model_random *random, const struct model *model, uint32_t key,
                         union command_slot slots[COMMAND_SLOTS_MAX])
{
    uint16_t link = (uint16_t)(1 + model_random_below(random, 2));
    if (!model->links[link].up) {
        link_up(random, slots, link);
        return;
    }
    struct command *command = model_random_start(random, slots, COMMAND_LOGIN);
    command->head.key = key;
    command->head.link = link;
    command->login.nonce = model_random_bits(random);
    command->login.cancel_on_disconnect = (uint8_t)model_random_below(random, 2);
}

/* Links go down when they are up; they come up at any time, also when their loss went unnoticed. */
static void link_command(struct model_random *random, const struct model *model,
                         union command_slot slots[COMMAND_SLOTS_MAX])
{
    uint16_t link = (uint16_t)(1 + model_random_below(random, 2));
    if (!model->links[link].up || model_random_rarely(random, 4)) {
        link_up(random, slots, link);
        return;
    }
    struct command *command = model_random_start(random, slots, COMMAND_LINK_DOWN);
    command->head.link = link;
}

static void tick(struct model_random *random, union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_TICK);
    command->tick.entropy = model_random_bits(random);
}

static void session_command(struct model_random *random, const struct model *model, uint32_t key,
                            union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command;
    switch (model_random_below(random, 6)) {
    case 0:
    case 1:
        model_random_log_in(random, model, key, slots);
        return;
    case 2:
        command = model_random_start(random, slots, COMMAND_LOGOUT);
        model_random_send_by(model, command, key, 0);
        command->head.cl_ord_id = 0;
        return;
    case 3:
        if (model_random_rarely(random, 3)) {
            link_command(random, model, slots);
            return;
        }
        tick(random, slots);
        return;
    default:
        tick(random, slots);
    }
}

/* Spoils the head: sender, session, number, type, slots. */
static void spoil_head(struct model_random *random, const struct model *model,
                       struct command_head *head)
{
    switch (model_random_below(random, 6)) {
    case 0:
        head->key = model_random_chance(random, 50)
                        ? 0
                        : model->key_count + 1 + model_random_below(random, 9);
        return;
    case 1:
        head->session += 1U - 2U * model_random_below(random, 2);
        return;
    case 2:
        head->cl_ord_id -= head->cl_ord_id > 3 ? 1 + model_random_below(random, 3) : 1;
        return;
    case 3:
        head->type =
            (uint8_t)(model_random_chance(random, 50) ? 40 + model_random_below(random, 200)
                                                      : 6 + model_random_below(random, 4));
        return;
    case 4:
        head->slots = (uint8_t)(head->slots ^ (1 + model_random_below(random, 3)));
        return;
    default:
        head->type = head->type < COMMAND_REGISTER_CLASS ? COMMAND_DEPOSIT : head->type;
    }
}

/* One mass cancel after the other, until too many are under way. */
static void burst(struct model_random *random, const struct model *model,
                  union command_slot slots[COMMAND_SLOTS_MAX])
{
    uint32_t key = 2 + model_random_below(random, MODEL_RANDOM_KEYS);
    if (model->keys[key].link == 0) {
        model_random_log_in(random, model, key, slots);
    } else {
        mass_cancel(random, model, key, slots);
        slots[0].command.mass_cancel.filter = MASS_CANCEL_HOURS;
        slots[0].command.mass_cancel.hour_from = 0;
        slots[0].command.mass_cancel.hour_to = 1;
    }
}

static void pass_time(struct model_random *random)
{
    uint32_t pick = model_random_below(random, random->deep ? 9600 : 10000);
    int64_t step_ns = 0;
    if (pick >= 9999) {
        step_ns = NS_PER_HOUR * (1 + (int64_t)model_random_below(random, 12));
    } else if (pick >= 9975) {
        step_ns = 600 * NS_PER_SECOND;
    } else if (pick >= 9600) {
        step_ns = (1 + (int64_t)model_random_below(random, 40)) * NS_PER_SECOND;
    } else if (pick >= 5000) {
        step_ns = (int64_t)model_random_below(random, 50000000);
    }
    random->time_ns += step_ns;
}

void model_random_command(struct model_random *random, const struct model *model,
                          union command_slot slots[COMMAND_SLOTS_MAX])
{
    if (random->burst > 0) {
        random->burst--;
        burst(random, model, slots);
        return;
    }
    if (model_random_rarely(random, 4000) && !random->deep) {
        random->burst = 200;
    }
    pass_time(random);
    if (model_wants_tick(model) && model_random_chance(random, 30)) {
        tick(random, slots);
        return;
    }
    uint32_t key = 2 + model_random_below(random, model->key_count - 1);
    if (model->keys[key].revoked && !model_random_rarely(random, 10)) {
        key = 2 + model_random_below(random, MODEL_RANDOM_ACCOUNTS);
    }
    uint32_t pick = model_random_below(random, 1000);
    bool sweeping = pick < (random->restless ? 40 : 55) || pick >= 990;
    if ((random->deep || random->crowded) && sweeping && !model_random_rarely(random, 12)) {
        pick = 500; /* or the books would never get deep */
    }
    bool bound = model->keys[key].link != 0;
    if (pick < 40) {
        model_random_operator(random, model, slots);
    } else if (pick < 55) {
        session_command(random, model, key, slots);
    } else if (!bound && !model_random_rarely(random, 10)) {
        model_random_log_in(random, model, key, slots);
    } else if (pick < 780 && model_random_chance(random, random->jobs)) {
        model_random_job(random, model, key, slots);
    } else if (pick < 780 && model_random_chance(random, random->sets)) {
        model_random_set(random, model, key, slots);
    } else if (pick < 780 && model_random_chance(random, random->ranges)) {
        model_random_range(random, model, key, slots);
    } else if (pick < 780 && random->takes > 0 && model_random_chance(random, random->takes)) {
        take_offer(random, model, key, slots);
    } else if (pick < 780) {
        new_order(random, model, key, slots);
    } else if (pick < 890) {
        replace_order(random, model, key, slots);
    } else if (pick < 990) {
        cancel_order(random, model, key, slots);
    } else {
        mass_cancel(random, model, key, slots);
    }
    struct command_head *head = &slots[0].command.head;
    if (head->type >= COMMAND_NEW_ORDER && model_random_rarely(random, 50)) {
        spoil_head(random, model, head);
    }
}
