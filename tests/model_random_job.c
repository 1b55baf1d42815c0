/* Random JOBs: windows of a few hours, one lane or several, prices about what it costs. */
#include "tests/model_job.h"
#include "tests/model_random.h"

/* Anything about a market that has offers, and now and then about one that has none. */
static struct job_lane random_lane(struct model_random *random)
{
    static const uint32_t factors_e4[6] = {10000, 10000, 10000, 9000, 12500, 10001};
    bool other = model_random_rarely(random, 4);
    return (struct job_lane){
        .class_id = (uint16_t)(other ? model_random_below(random, MODEL_RANDOM_CLASSES) : 0),
        .region_id = (uint16_t)(other ? model_random_below(random, MODEL_RANDOM_REGIONS) : 0),
        .tier = (uint8_t)model_random_below(random, model_random_rarely(random, 3) ? 4 : 2),
        .factor_e4 = factors_e4[model_random_below(random, 6)]};
}

static struct job_lane *lane_at(union command_slot *slots, uint32_t at)
{
    return &slots[1 + at / JOB_LANES_PER_SLOT].lanes[at % JOB_LANES_PER_SLOT];
}

/* Lanes in numbers of which no two are the same, for nearly all. */
static void choose_lanes(struct model_random *random, union command_slot *slots)
{
    struct command_new_job *job = &slots[0].command.new_job;
    uint32_t wanted = 1 + model_random_below(random, 2 + model_random_below(random, 3));
    if (model_random_rarely(random, 20)) {
        wanted = JOB_LANES_PER_SLOT + 2;
    }
    for (uint32_t tries = 0; job->lane_count < wanted && tries < 60; tries++) {
        struct job_lane lane = random_lane(random);
        bool taken = false;
        for (uint32_t i = 0; i < job->lane_count; i++) {
            const struct job_lane *other = lane_at(slots, i);
            taken = taken || (other->class_id == lane.class_id &&
                              other->region_id == lane.region_id && other->tier == lane.tier);
        }
        if (!taken) {
            *lane_at(slots, job->lane_count++) = lane;
        }
    }
    slots[0].command.head.slots =
        (uint8_t)(1 + (job->lane_count + JOB_LANES_PER_SLOT - 1) / JOB_LANES_PER_SLOT);
}

static int64_t lot_of_lanes(const struct model *model, union command_slot *slots)
{
    int64_t lot = 1;
    for (uint32_t i = 0; i < slots[0].command.new_job.lane_count; i++) {
        uint32_t its = model->classes[lane_at(slots, i)->class_id].lot;
        lot = its > lot ? its : lot; /* each is a multiple of the smaller ones */
    }
    return lot;
}

/* A trade group of the account's ownership group, or another's, or none at all. */
static uint64_t pick_trade_group(struct model_random *random, const struct model *model,
                                 uint32_t account)
{
    uint32_t count = model->trade_group_count;
    if (count == 0 || model_random_rarely(random, 30)) {
        return model_random_below(random, 3) * 1000000U;
    }
    uint32_t first = count > 12 ? count - 1 - model_random_below(random, 12) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct model_trade_group *known = &model->trade_groups[(first + i) % count];
        if (known->group == model->accounts[account].group || model_random_rarely(random, 20)) {
            return known->fill_id;
        }
    }
    return model->last_fill_id;
}

static void choose_hours(struct model_random *random, struct command_new_job *job)
{
    static const uint16_t hours[8] = {1, 1, 1, 2, 2, 2, 3, 4};
    uint32_t now = (uint32_t)(random->time_ns / NS_PER_HOUR);
    job->hours = hours[model_random_below(random, 8)];
    job->window_from = now + model_random_below(random, 4);
    job->window_to = job->window_from + job->hours + model_random_below(random, 4);
    if (random->deep) {
        job->window_from = MODEL_RANDOM_DEEP_HOUR - model_random_below(random, 2);
        job->window_to = MODEL_RANDOM_DEEP_HOUR + 1 + model_random_below(random, 2);
        job->hours = 1;
    }
}

static void choose_terms(struct model_random *random, const struct model *model, uint32_t key,
                         struct command_new_job *job)
{
    uint32_t style = model_random_below(random, 100);
    job->tif = style < 70 ? TIF_GATE : style < 84 ? TIF_TIME : style < 92 ? TIF_IOC : TIF_FOK;
    if (job->tif == TIF_TIME) {
        static const int64_t lives_s[5] = {1, 10, 60, 600, 7200};
        job->expire_time_ns =
            random->time_ns + lives_s[model_random_below(random, 5)] * NS_PER_SECOND;
    }
    style = model_random_below(random, 100);
    job->placement = style < 45 ? PLACEMENT_ANY : style < 80 ? PLACEMENT_SITE : PLACEMENT_SAME;
    if (job->placement == PLACEMENT_SAME) {
        job->same_group = pick_trade_group(random, model, model->keys[key].account);
    }
    job->price_e4 = MODEL_RANDOM_PRICE_E4 - 6000 + (int64_t)model_random_below(random, 12000);
    if (model_random_rarely(random, 3)) {
        job->price_e4 += 8000;
    }
    if (model_random_chance(random, 60)) {
        job->price_e4 -= job->price_e4 % 2000;
    }
}

/* Spoils the words of the command. */
static void spoil_terms(struct model_random *random, struct command_new_job *job)
{
    switch (model_random_below(random, 13)) {
    case 0:
        job->flags = (uint16_t)(1U << model_random_below(random, 3));
        return;
    case 1:
        job->tif = (uint8_t)model_random_below(random, 6);
        return;
    case 2:
        job->placement = (uint8_t)model_random_below(random, 5);
        return;
    case 3:
        job->min_qty = model_random_odd_number(random, 0);
        return;
    case 4:
        job->display_qty = model_random_odd_number(random, 0);
        return;
    case 5:
        job->expire_time_ns = random->time_ns + (int64_t)model_random_below(random, 3) - 1;
        return;
    case 6:
        job->price_e4 = model_random_odd_number(random, job->price_e4);
        return;
    case 7:
        job->qty = model_random_odd_number(random, job->qty);
        return;
    case 8:
        job->hours = (uint16_t)(model_random_chance(random, 50) ? 0 : 841);
        return;
    case 9:
        job->window_to = job->window_from + job->hours - 1U;
        return;
    case 10:
        job->window_to = job->window_from + 20 + model_random_below(random, 60);
        return;
    case 11:
        job->window_from -= 3;
        job->window_to -= 3;
        return;
    default:
        job->same_group = model_random_below(random, 3);
    }
}

/* Spoils lanes and their number, or makes the JOB too dear for anything. */
static void spoil_lanes(struct model_random *random, union command_slot *slots)
{
    struct command_new_job *job = &slots[0].command.new_job;
    uint32_t at = model_random_below(random, job->lane_count);
    switch (model_random_below(random, 7)) {
    case 0:
        job->lane_count = (uint8_t)(model_random_chance(random, 50) ? 0 : JOB_LANES_MAX + 1);
        return;
    case 1:
        slots[0].command.head.slots += 1;
        return;
    case 2:
        lane_at(slots, at)->factor_e4 = model_random_chance(random, 50) ? 0 : JOB_FACTOR_MAX_E4 + 1;
        return;
    case 3:
        *lane_at(slots, at) = (struct job_lane){
            .class_id = (uint16_t)model_random_below(random, MODEL_RANDOM_CLASSES + 1),
            .region_id = (uint16_t)model_random_below(random, MODEL_RANDOM_REGIONS + 1),
            .tier = (uint8_t)model_random_below(random, 5),
            .factor_e4 = 10000};
        return;
    case 4:
        lane_at(slots, at)->class_id = 1; /* whose lot is 8 */
        job->qty++;
        return;
    case 5:
        *lane_at(slots, at) = *lane_at(slots, 0);
        return;
    default:
        lane_at(slots, at)->factor_e4 = 1;
        job->price_e4 = PRICE_MAX_E4;
        if (random->crowded) {
            job->qty = 40000;
            job->hours = 8;
            job->window_to = job->window_from + 8;
        }
    }
}

void model_random_job(struct model_random *random, const struct model *model, uint32_t key,
                      union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_NEW_JOB);
    model_random_send_by(model, command, key, 1);
    choose_hours(random, &command->new_job);
    choose_lanes(random, slots);
    command->new_job.qty =
        lot_of_lanes(model, slots) *
        (1 + model_random_below(random, model_random_rarely(random, 4) ? 40 : 6));
    choose_terms(random, model, key, &command->new_job);
    if (model_random_rarely(random, 10)) {
        spoil_terms(random, &command->new_job);
    } else if (model_random_rarely(random, 15)) {
        spoil_lanes(random, slots);
    }
}

/* A new price and number of GPUs for a resting JOB. */
void model_random_job_replace(struct model_random *random, const struct model *model,
                              uint64_t order_id, struct command_replace_order *replace)
{
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct model_job *job = &model->jobs[i];
        if (job->order_id == order_id) {
            int64_t step = job->terms.qty % 8 == 0 ? 8 : 1; /* where lots of 8 may be asked for */
            replace->qty = job->terms.qty + step * ((int64_t)model_random_below(random, 5) - 2);
            replace->price_e4 = job->terms.price_e4;
            if (model_random_chance(random, 60)) {
                replace->price_e4 += 1000 * ((int64_t)model_random_below(random, 7) - 2);
            }
        }
    }
}
