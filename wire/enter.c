#include "wire/enter.h"

#include <string.h>

#include "base/check.h"

#define FACTOR_ONE_E4 10000

void enter_row_field(const char *list, uint32_t number, const char *name, size_t length,
                     char field[CODEC_FIELD_SIZE])
{
    char digits[10];
    uint32_t digit_count = 0;
    size_t used = strlen(list);
    do {
        digits[digit_count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    CHECK(used + digit_count + 3 <= CODEC_FIELD_SIZE);
    memcpy(field, list, used);
    field[used++] = '[';
    while (digit_count > 0) {
        field[used++] = digits[--digit_count];
    }
    field[used++] = ']';
    if (length > 0 && used + 1 + length < CODEC_FIELD_SIZE) {
        field[used++] = '.';
        memcpy(field + used, name, length);
        used += length;
    }
    field[used] = 0;
}

static uint16_t row_fault(const char *list, uint32_t place, const char *name, uint16_t reason,
                          char field[CODEC_FIELD_SIZE])
{
    enter_row_field(list, place + 1, name, strlen(name), field);
    return reason;
}

uint16_t enter_set(const struct contract_names *names, const struct request_new_set *from,
                   union command_slot slots[ENTER_SLOTS_MAX], char field[CODEC_FIELD_SIZE])
{
    struct command_new_set *to = &slots[0].command.new_set;
    CHECK(from->leg_count <= SET_LEGS_MAX);
    *to = (struct command_new_set){.qty = from->qty,
                                   .min_qty = from->min_qty,
                                   .display_qty = from->display_qty,
                                   .expire_time_ns = from->expire_time_ns,
                                   .flags = from->post_only != 0 ? ORDER_POST_ONLY : 0,
                                   .leg_count = (uint8_t)from->leg_count,
                                   .tif = from->tif,
                                   .stp = from->stp};
    for (uint32_t i = 0; i < from->leg_count; i++) {
        const struct leg_row *row = &from->legs[i];
        struct set_leg *leg = &slots[1 + i / SET_LEGS_PER_SLOT].legs[i % SET_LEGS_PER_SLOT];
        if (!contract_parse(names, row->symbol, strnlen(row->symbol, SYMBOL_SIZE),
                            &leg->contract)) {
            return row_fault("legs", i, "symbol", REASON_UNKNOWN_SYMBOL, field);
        }
        leg->price_e4 = row->price_e4;
    }
    slots[0].command.head.slots =
        (uint8_t)(1 + (from->leg_count + SET_LEGS_PER_SLOT - 1) / SET_LEGS_PER_SLOT);
    return 0;
}

static uint16_t put_lane(const struct contract_names *names, const struct lane_row *row,
                         struct job_lane *lane, const char **name)
{
    *name = "class";
    if (!contract_class_find(names, row->class_name, strnlen(row->class_name, NAME_SIZE),
                             &lane->class_id)) {
        return REASON_UNKNOWN_NAME;
    }
    *name = "region";
    if (!contract_region_find(names, row->region, strnlen(row->region, NAME_SIZE),
                              &lane->region_id)) {
        return REASON_UNKNOWN_NAME;
    }
    lane->tier = row->tier;
    lane->factor_e4 = row->factor_e4 != 0 ? row->factor_e4 : FACTOR_ONE_E4;
    return 0;
}

uint16_t enter_job(const struct contract_names *names, const struct request_new_job *from,
                   union command_slot slots[ENTER_SLOTS_MAX], char field[CODEC_FIELD_SIZE])
{
    struct command_new_job *to = &slots[0].command.new_job;
    CHECK(from->lane_count <= JOB_LANES_MAX);
    *to = (struct command_new_job){.price_e4 = from->price_e4,
                                   .qty = from->qty,
                                   .min_qty = from->min_qty,
                                   .display_qty = from->display_qty,
                                   .expire_time_ns = from->expire_time_ns,
                                   .same_group = from->same_group,
                                   .window_from = from->window_from,
                                   .window_to = from->window_to,
                                   .flags = from->post_only != 0 ? ORDER_POST_ONLY : 0,
                                   .hours = from->hours,
                                   .placement = from->placement,
                                   .lane_count = (uint8_t)from->lane_count,
                                   .tif = from->tif};
    for (uint32_t i = 0; i < from->lane_count; i++) {
        const char *name;
        const uint16_t reason =
            put_lane(names, &from->lanes[i],
                     &slots[1 + i / JOB_LANES_PER_SLOT].lanes[i % JOB_LANES_PER_SLOT], &name);
        if (reason != 0) {
            return row_fault("lanes", i, name, reason, field);
        }
    }
    slots[0].command.head.slots =
        (uint8_t)(1 + (from->lane_count + JOB_LANES_PER_SLOT - 1) / JOB_LANES_PER_SLOT);
    return 0;
}
