/* The words of a JOB's scenario line as a command. */
#include <stdio.h>
#include <string.h>

#include "tests/model_scenario.h"

/* "A100/CN-NM/G50*1.25": what is left out is H100, CN-GZ, G0, factor 1. "9:0:4": class, region and
 * tier by number, for those that there are not. */
static struct job_lane lane_of(struct model_scenario *scenario, const char *word)
{
    char text[128];
    snprintf(text, sizeof(text), "%s", word);
    int64_t factor_e4 = E4_ONE;
    char *factor = strchr(text, '*');
    if (factor != NULL) {
        *factor = 0;
        factor_e4 = model_scenario_money(scenario, factor + 1);
    }
    unsigned class_id;
    unsigned region_id;
    unsigned tier;
    if (sscanf(text, "%u:%u:%u", &class_id, &region_id, &tier) == 3) {
        return (struct job_lane){.class_id = (uint16_t)class_id,
                                 .region_id = (uint16_t)region_id,
                                 .tier = (uint8_t)tier,
                                 .factor_e4 = (uint32_t)factor_e4};
    }
    uint64_t contract = model_scenario_contract(scenario, text);
    return (struct job_lane){.class_id = contract_class(contract),
                             .region_id = contract_region(contract),
                             .tier = contract_tier(contract),
                             .factor_e4 = (uint32_t)factor_e4};
}

static void add_lane(union command_slot slots[COMMAND_SLOTS_MAX], struct job_lane lane)
{
    uint8_t at = slots[0].command.new_job.lane_count++;
    if (at < JOB_LANES_MAX) {
        slots[1 + at / JOB_LANES_PER_SLOT].lanes[at % JOB_LANES_PER_SLOT] = lane;
        slots[0].command.head.slots = (uint8_t)(2 + at / JOB_LANES_PER_SLOT);
    }
}

/* lane LANE ...; without any H100, CN-GZ, G0 */
static void add_lanes(struct model_scenario *scenario, union command_slot slots[COMMAND_SLOTS_MAX])
{
    if (model_scenario_find_word(scenario, "lane") == 0) {
        add_lane(slots, lane_of(scenario, ""));
    }
    for (uint32_t i = 3; i + 1 < scenario->word_count; i++) {
        if (strcmp(scenario->words[i], "lane") == 0) {
            add_lane(slots, lane_of(scenario, scenario->words[i + 1]));
        }
    }
}

static uint8_t placement_of(const struct model_scenario *scenario)
{
    if (model_scenario_find_word(scenario, "same") != 0) {
        return PLACEMENT_SAME;
    }
    return model_scenario_find_word(scenario, "any") != 0 ? PLACEMENT_ANY : PLACEMENT_SITE;
}

/* KEY job N x H @ P in h+A h+B [lane LANE ...] [site|any|same JOB] ... */
void model_scenario_job(struct model_scenario *scenario, uint32_t key)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_NEW_JOB);
    model_scenario_send_by(scenario, command, key);
    uint32_t window = model_scenario_find_word(scenario, "in");
    const char *same = model_scenario_after(scenario, "same");
    if (window == 0) {
        model_scenario_fail(scenario, "KEY job N x H @ P in h+A h+B");
        return;
    }
    command->new_job = (struct command_new_job){
        .price_e4 = model_scenario_money(scenario, model_scenario_word(scenario, 6)),
        .qty = model_scenario_number(scenario, model_scenario_word(scenario, 2)),
        .min_qty = model_scenario_number_after(scenario, "min", 0),
        .display_qty = model_scenario_number_after(scenario, "display", 0),
        .expire_time_ns = model_scenario_expiry_ns(scenario),
        .same_group = same == NULL ? 0 : model_scenario_trade_group(scenario, same),
        .window_from = model_scenario_hour(scenario, model_scenario_word(scenario, window + 1)),
        .window_to = model_scenario_hour(scenario, model_scenario_word(scenario, window + 2)),
        .flags = model_scenario_flags(scenario),
        .hours = (uint16_t)model_scenario_number(scenario, model_scenario_word(scenario, 4)),
        .placement = placement_of(scenario),
        .tif = model_scenario_tif(scenario),
    };
    add_lanes(scenario, slots);
    model_scenario_send_changed(scenario, slots);
    model_scenario_name_new_order(scenario);
}
