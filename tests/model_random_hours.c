/* Random orders of several hours: ranges and SETs, well and badly made. */
#include <string.h>

#include "tests/model_random.h"

/* Hours near each other, two classes with different lots, all tiers: legs that meet the same offers. */
static uint64_t near_contract(struct model_random *random, const struct model *model)
{
    static const uint32_t ahead[8] = {2, 2, 2, 3, 2, 3, 4, 5};
    uint32_t hour =
        (uint32_t)(random->time_ns / NS_PER_HOUR) + ahead[model_random_below(random, 8)];
    if (model_random_rarely(random, 150)) {
        hour += model_random_chance(random, 50) ? model->rules.horizon_hours : 0U - 3U;
    }
    if (random->deep && model_random_chance(random, 60)) {
        return model_random_deep_contract(random);
    }
    uint16_t class_id = (uint16_t)model_random_rarely(random, 4);
    uint16_t region_id = (uint16_t)model_random_rarely(random, 5);
    if (model_random_rarely(random, 200)) {
        class_id = MODEL_RANDOM_CLASSES - 1;
    }
    return contract_pack(class_id, region_id, (uint8_t)model_random_below(random, TIER_COUNT),
                         hour);
}

static bool has_leg(const union command_slot *slots, uint32_t count, uint64_t contract)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slots[1 + i / SET_LEGS_PER_SLOT].legs[i % SET_LEGS_PER_SLOT].contract == contract) {
            return true;
        }
    }
    return false;
}

static uint32_t leg_count(struct model_random *random)
{
    uint32_t style = model_random_below(random, 100);
    if (style < 3) {
        return SET_LEGS_MAX -
               (model_random_chance(random, 40) ? 0 : model_random_below(random, 40));
    }
    return style < 15 ? 5 + model_random_below(random, 8) : 1 + model_random_below(random, 4);
}

/* One of many: over a day of hours, and at a price that is seldom refused. */
static struct set_leg wide_leg(struct model_random *random, const struct model *model)
{
    uint32_t hour = (uint32_t)(random->time_ns / NS_PER_HOUR) + 2;
    uint64_t contract = contract_pack(
        (uint16_t)model_random_rarely(random, 6), 0, (uint8_t)model_random_below(random, 3),
        hour + model_random_below(random, model->rules.horizon_hours - 3));
    return (struct set_leg){.contract = contract,
                            .price_e4 = (uint32_t)MODEL_RANDOM_PRICE_E4 +
                                        1000 * model_random_below(random, 7)};
}

/* Legs that are all different, nearly always; fewer than asked where too many are alike. */
static void choose_legs(struct model_random *random, const struct model *model,
                        union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command_new_set *set = &slots[0].command.new_set;
    uint32_t wanted = leg_count(random);
    int64_t above_e4 = model_random_chance(random, 45) ? 4000 : 0;
    for (uint32_t i = 0; i < 2 * wanted && set->leg_count < wanted; i++) {
        struct set_leg leg = wide_leg(random, model);
        if (wanted < 20 || model_random_chance(random, 30)) {
            leg.contract = near_contract(random, model);
        }
        if (wanted < 20) {
            leg.price_e4 =
                (uint32_t)(model_random_price_e4(random, model, leg.contract) + above_e4);
        }
        if (has_leg(slots, set->leg_count, leg.contract) && !model_random_rarely(random, 60)) {
            continue;
        }
        slots[1 + set->leg_count / SET_LEGS_PER_SLOT].legs[set->leg_count % SET_LEGS_PER_SLOT] =
            leg;
        set->leg_count++;
    }
    slots[0].command.head.slots =
        (uint8_t)(1 + (set->leg_count + SET_LEGS_PER_SLOT - 1) / SET_LEGS_PER_SLOT);
}

static void choose_set_terms(struct model_random *random, struct command_new_set *set)
{
    uint32_t style = model_random_below(random, 100);
    set->stp = (uint8_t)model_random_below(random, 3);
    if (model_random_counts(random)) {
        set->tif = TIF_FOK;
        set->qty *= 1 + model_random_below(random, 8);
    } else if (style < 10) {
        static const int64_t lives_s[6] = {1, 2, 10, 60, 600, 7200};
        set->tif = TIF_TIME;
        set->expire_time_ns =
            random->time_ns + lives_s[model_random_below(random, 6)] * NS_PER_SECOND;
    } else if (style < 20) {
        set->tif = TIF_IOC;
    } else if (style < 27) {
        set->tif = TIF_FOK;
    } else if (style < 34) {
        set->flags = ORDER_POST_ONLY;
    }
    if (set->tif != TIF_FOK && set->flags == 0 && model_random_rarely(random, 10)) {
        set->min_qty = 1 + (int64_t)model_random_below(random, (uint32_t)set->qty);
    }
}

/* Spoils one field of a SET or of one of its legs. */
static void spoil_set(struct model_random *random, union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command_new_set *set = &slots[0].command.new_set;
    uint32_t at = set->leg_count == 0 ? 0 : model_random_below(random, set->leg_count);
    struct set_leg *leg = &slots[1 + at / SET_LEGS_PER_SLOT].legs[at % SET_LEGS_PER_SLOT];
    switch (model_random_below(random, 14)) {
    case 0:
        set->leg_count =
            (uint8_t)(model_random_chance(random, 50) ? 0 : 65 + model_random_below(random, 191));
        return;
    case 1:
        slots[0].command.head.slots = (uint8_t)(1 + model_random_below(random, COMMAND_SLOTS_MAX));
        return;
    case 2:
        set->flags = (uint16_t)(1U << model_random_below(random, 16));
        return;
    case 3:
        set->tif = (uint8_t)model_random_below(random, 6);
        return;
    case 4:
        set->stp = (uint8_t)model_random_below(random, 5);
        return;
    case 5:
        set->display_qty = model_random_odd_number(random, set->qty);
        return;
    case 6:
        set->expire_time_ns = random->time_ns + (int64_t)model_random_below(random, 3) - 1;
        return;
    case 7:
        set->qty = model_random_odd_number(random, set->qty);
        return;
    case 8:
        set->min_qty = model_random_odd_number(random, set->qty);
        return;
    case 9:
        leg->price_e4 = (uint32_t)model_random_odd_number(random, leg->price_e4);
        return;
    case 10:
        leg->contract ^= UINT64_C(1) << (24 + model_random_below(random, 40));
        return;
    case 11:
        leg->contract = (leg->contract & ~(uint64_t)CONTRACT_HOUR_MAX) |
                        model_random_below(random, CONTRACT_HOUR_MAX);
        return;
    case 12:
        set->flags = ORDER_POST_ONLY;
        return;
    default:
        *leg = slots[1].legs[0];
    }
}

void model_random_set(struct model_random *random, const struct model *model, uint32_t key,
                      union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_NEW_SET);
    model_random_send_by(model, command, key, 1);
    choose_legs(random, model, slots);
    struct command_new_set *set = &command->new_set;
    set->qty = 1 + (int64_t)model_random_below(random, model_random_chance(random, 80) ? 24 : 60);
    if (model_random_chance(random, 40)) {
        set->qty = model_random_qty(random, model, slots[1].legs[0].contract);
    }
    choose_set_terms(random, set);
    if (model_random_rarely(random, 10)) {
        spoil_set(random, slots);
    }
}

static void spoil_range(struct model_random *random, const struct model *model,
                        struct command_new_range *range)
{
    switch (model_random_below(random, 10)) {
    case 0:
        range->hours = model_random_chance(random, 50) ? 0 : 841 + model_random_below(random, 9);
        return;
    case 1:
        range->contract ^= UINT64_C(1) << (24 + model_random_below(random, 40));
        return;
    case 2:
        range->stp = (uint8_t)model_random_below(random, 5);
        return;
    case 3:
        range->price_e4 = model_random_odd_number(random, range->price_e4);
        return;
    case 4:
        range->qty = model_random_odd_number(random, range->qty);
        return;
    case 5:
        range->flags = (uint16_t)(1U << model_random_below(random, 16));
        return;
    case 6:
        range->job_lead_hours = (uint16_t)model_random_below(random, 80);
        return;
    case 7:
        range->resource = model_random_below(random, model->resource_count + 2);
        return;
    case 8:
        range->contract |= CONTRACT_HOUR_MAX;
        return;
    default:
        range->flags = ORDER_POST_ONLY;
        range->job_lead_hours = 2;
    }
}

void model_random_range(struct model_random *random, const struct model *model, uint32_t key,
                        union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_NEW_RANGE);
    model_random_send_by(model, command, key, 1);
    struct command_new_range *range = &command->new_range;
    range->contract = near_contract(random, model);
    range->resource =
        model_random_resource(random, model, model->keys[key].account, &range->contract);
    range->hours = 1 + model_random_below(random, 6);
    if (model_random_rarely(random, 12)) {
        range->hours = 1 + model_random_below(random, 60);
    }
    range->price_e4 = model_random_price_e4(random, model, range->contract) -
                      (model_random_chance(random, 40) ? 4000 : 0);
    range->qty = model_random_qty(random, model, range->contract);
    range->stp = (uint8_t)model_random_below(random, 3);
    if (model_random_rarely(random, 4)) {
        range->job_lead_hours = (uint16_t)(1 + model_random_below(random, 4));
    } else if (model_random_rarely(random, 8)) {
        range->flags = ORDER_POST_ONLY;
    }
    if (model_random_rarely(random, 9)) {
        spoil_range(random, model, range);
    }
}
