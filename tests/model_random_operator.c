/* The operator's side of random commands: opening the market, then cash, limits, markets, references,
 * halts, kills and registrations, well and badly made. */
#include <stdio.h>
#include <string.h>

#include "tests/model_random.h"

static const uint32_t class_lots[MODEL_RANDOM_CLASSES] = {1, 8, 2};

static void open_genesis(struct model_random *random, union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command *command = model_random_start(random, slots, COMMAND_GENESIS);
    command->genesis = (struct command_genesis){
        .rules_version = 1,
        .horizon_hours = 24 + model_random_below(random, 30),
        .gate_lead_s = 600,
        .bond_bp = 4000,
        .sweep_slice = 2 + model_random_below(random, 7),
        .rate_limit = random->deep      ? 100000
                      : random->crowded ? 400
                                        : 40,
        .open_orders_limit = random->deep      ? 1500
                             : random->crowded ? 300
                                               : 100,
        .trial_orders = random->trial_orders,
        .order_qty_limit = random->crowded ? 40000 : 400,
    };
    memset(command->genesis.operator_key, 7, PUBLIC_KEY_SIZE);
}

static void open_link(struct model_random *random, union command_slot slots[COMMAND_SLOTS_MAX],
                      uint32_t number)
{
    struct command *command = model_random_start(random, slots, COMMAND_LINK_UP);
    snprintf(command->link.name, LINK_NAME_SIZE, "link-%u", number);
}

static void choose_auctions(struct model_random *random, struct command_set_market *market)
{
    static const uint16_t random_ends_s[4] = {0, 0, 2, 30};
    market->period_s = 20 + model_random_below(random, 100);
    market->random_end_s = random_ends_s[model_random_below(random, 4)];
    if (market->mode == MODE_CONTINUOUS) {
        market->opening_s =
            model_random_chance(random, 70) ? 10 + model_random_below(random, 90) : 0;
        market->volatility_s = model_random_below(random, 60);
        market->volatility_min_qty = 1 + model_random_below(random, 16);
        market->inner_band_bp = 300 + model_random_below(random, 400);
    }
}

static void open_market(struct model_random *random, struct command *command, uint32_t number)
{
    command->head.type = COMMAND_SET_MARKET;
    struct command_set_market *market = &command->set_market;
    *market = (struct command_set_market){.inner_band_bp = 1500,
                                          .outer_band_bp = 4000,
                                          .class_id = (uint16_t)(number / MODEL_RANDOM_REGIONS),
                                          .region_id = (uint16_t)(number % MODEL_RANDOM_REGIONS),
                                          .mode = MODE_CONTINUOUS};
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        market->launch_price_e4[tier] =
            MODEL_RANDOM_PRICE_E4 + (int64_t)model_random_below(random, 3) * 5000;
    }
    market->flags = number == 1 ? MARKET_NO_RESALE : 0;
    market->mode = number == 0                       ? random->main_mode
                   : number == 4                     ? MODE_AUCTION
                   : number == 5 && random->auctions ? MODE_LISTING
                                                     : MODE_CONTINUOUS;
    market->period_s = 60;
    if (random->auctions) {
        choose_auctions(random, market);
    }
    market->launch_price_e4[3] = number == 3 ? 0 : market->launch_price_e4[3];
}

static void open_account(struct command *command, uint32_t number)
{
    command->head.type = COMMAND_OPEN_ACCOUNT;
    snprintf(command->open_account.name, LABEL_SIZE, "account-%u", number);
    command->open_account.group = 2 + number % MODEL_RANDOM_GROUPS;
    command->open_account.roles = number == 5 ? ROLE_PROVIDER : ROLE_PROVIDER | ROLE_BUYER;
    command->open_account.fees = (uint8_t)(number % (MODEL_RANDOM_FEES + 1));
}

static void open_key(struct command *command, uint32_t number)
{
    command->head.type = COMMAND_REGISTER_KEY;
    struct command_register_key *key = &command->register_key;
    snprintf(key->name, LABEL_SIZE, "key-%u", number);
    snprintf((char *)key->public_key, PUBLIC_KEY_SIZE, "public-%u", number);
    key->account = 2 + number % MODEL_RANDOM_ACCOUNTS;
    key->roles = number % MODEL_RANDOM_ACCOUNTS == 5 ? ROLE_PROVIDER : ROLE_PROVIDER | ROLE_BUYER;
    if (number == MODEL_RANDOM_KEYS - 1) {
        key->roles = ROLE_BUYER;
    }
}

static void open_resource(struct model_random *random, union command_slot slots[COMMAND_SLOTS_MAX],
                          uint32_t number)
{
    struct command *command = &slots[0].command;
    command->head.type = COMMAND_REGISTER_RESOURCE;
    command->head.slots = 2;
    struct command_register_resource *resource = &command->register_resource;
    snprintf(resource->node, LABEL_SIZE, "node-%u", number % 2);
    resource->account = 2 + number % MODEL_RANDOM_ACCOUNTS;
    resource->gpus = (random->deep      ? 1000
                      : random->crowded ? 10
                                        : 1) *
                     (40 + 8 * model_random_below(random, 30));
    /* Most of it where most bids are. */
    resource->class_id = (uint16_t)(number < 6 || random->deep ? 0 : number % MODEL_RANDOM_CLASSES);
    resource->region_id =
        (uint16_t)(number < 5 || random->deep ? 0 : number % MODEL_RANDOM_REGIONS);
    resource->tier = (uint8_t)(number % 2 == 0 ? TIER_G100 : model_random_below(random, 4));
    snprintf(slots[1].identity.identifier, IDENTIFIER_SIZE, "91.110.%u", number);
}

static void open_fees(struct command *command, uint32_t number)
{
    static const uint16_t rates[MODEL_RANDOM_FEES][2] = {{5, 12}, {30, 7}, {0, 333}};
    command->head.type = COMMAND_REGISTER_FEES;
    command->register_fees.maker_bp = rates[number][0];
    command->register_fees.taker_bp = rates[number][1];
}

/* The operator's commands in order: how many of each. */
static const struct {
    uint8_t type;
    uint32_t count;
} openings[] = {
    {COMMAND_REGISTER_CLASS, MODEL_RANDOM_CLASSES},
    {COMMAND_REGISTER_REGION, MODEL_RANDOM_REGIONS},
    {COMMAND_SET_MARKET,
     MODEL_RANDOM_CLASSES *MODEL_RANDOM_REGIONS - 1}, /* the last one is opened later or never */
    {COMMAND_REGISTER_FEES, MODEL_RANDOM_FEES},
    {COMMAND_REGISTER_GROUP, MODEL_RANDOM_GROUPS},
    {COMMAND_OPEN_ACCOUNT, MODEL_RANDOM_ACCOUNTS},
    {COMMAND_REGISTER_KEY, MODEL_RANDOM_KEYS},
    {COMMAND_REGISTER_RESOURCE, MODEL_RANDOM_RESOURCES},
    {COMMAND_DEPOSIT, MODEL_RANDOM_ACCOUNTS},
    {COMMAND_SET_CREDIT, MODEL_RANDOM_ACCOUNTS},
};

static void open_by_operator(struct model_random *random,
                             union command_slot slots[COMMAND_SLOTS_MAX], uint8_t type,
                             uint32_t number)
{
    struct command *command = &slots[0].command;
    command->head.type = type;
    switch (type) {
    case COMMAND_REGISTER_CLASS:
        snprintf(command->register_class.name, NAME_SIZE, "C%u", number);
        command->register_class.lot = class_lots[number];
        return;
    case COMMAND_REGISTER_REGION:
        snprintf(command->register_region.name, NAME_SIZE, "CN-%u", number);
        return;
    case COMMAND_SET_MARKET:
        open_market(random, command, number);
        return;
    case COMMAND_REGISTER_FEES:
        open_fees(command, number);
        return;
    case COMMAND_REGISTER_GROUP:
        snprintf(command->register_group.name, LABEL_SIZE, "group-%u", number);
        return;
    case COMMAND_OPEN_ACCOUNT:
        open_account(command, number);
        return;
    case COMMAND_REGISTER_KEY:
        open_key(command, number);
        return;
    case COMMAND_REGISTER_RESOURCE:
        open_resource(random, slots, number);
        return;
    case COMMAND_DEPOSIT:
        command->cash.account = 2 + number;
        command->cash.amount_e4 = (random->deep      ? 10000
                                   : random->crowded ? 300
                                                     : 1) *
                                  (200 + (int64_t)model_random_below(random, 4000)) * E4_ONE;
        return;
    default:
        command->cash.account = 2 + number;
        command->cash.amount_e4 = (int64_t)model_random_below(random, 1500) * E4_ONE;
    }
}

bool model_random_opening(struct model_random *random, uint32_t step, const struct model *model,
                          union command_slot slots[COMMAND_SLOTS_MAX])
{
    if (step == 0) {
        open_genesis(random, slots);
        return true;
    }
    if (step <= 2) {
        open_link(random, slots, step);
        return true;
    }
    struct command *command = model_random_start(random, slots, COMMAND_LOGIN);
    command->head.key = 1;
    command->head.link = 1;
    if (step == 3) {
        return true;
    }
    model_random_send_by(model, command, 1, 1);
    uint32_t number = step - 4;
    random->time_ns += NS_PER_SECOND / 20;
    command->head.time_ns = random->time_ns;
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        if (number < openings[i].count) {
            open_by_operator(random, slots, openings[i].type, number);
            return true;
        }
        number -= openings[i].count;
    }
    return false;
}

static uint32_t random_account(struct model_random *random, const struct model *model)
{
    return model_random_rarely(random, 20) ? model_random_below(random, model->account_count + 3)
                                           : 2 + model_random_below(random, MODEL_RANDOM_ACCOUNTS);
}

static void operator_cash(struct model_random *random, const struct model *model,
                          struct command *command)
{
    uint32_t pick = model_random_below(random, 100);
    command->cash.account = random_account(random, model);
    int64_t yuan = 1 + (int64_t)model_random_below(random, 700);
    command->head.type = pick < 50   ? COMMAND_DEPOSIT
                         : pick < 80 ? COMMAND_WITHDRAW
                                     : COMMAND_SET_CREDIT;
    command->cash.amount_e4 =
        pick >= 70 ? yuan * E4_ONE : yuan * E4_ONE + model_random_below(random, 10000);
    if (model_random_rarely(random, 15)) {
        command->cash.amount_e4 = model_random_odd_number(random, 0);
    }
    if (command->cash.amount_e4 > 0 && command->cash.amount_e4 <= MONEY_MAX_E4 &&
        command->cash.amount_e4 > INT64_C(1000000000000)) {
        command->cash.amount_e4 = INT64_C(-5);
    }
}

static void operator_limits(struct model_random *random, const struct model *model,
                            struct command *command)
{
    command->head.type = COMMAND_SET_LIMITS;
    command->set_limits = (struct command_set_limits){
        .order_qty_limit =
            (random->crowded ? 100 : 1) * (50 + (int64_t)model_random_below(random, 500)),
        .account = random_account(random, model),
        .rate_limit = (random->crowded ? 10 : 1) * (3 + model_random_below(random, 60)),
        .open_orders_limit = (random->crowded ? 4 : 1) * (20 + model_random_below(random, 120)),
        .fees = (uint8_t)model_random_below(random, MODEL_RANDOM_FEES + 2),
        .fields = (uint8_t)model_random_below(random, 16),
    };
    if (command->set_limits.account == 1) {
        command->set_limits.fields &= (uint8_t)~LIMITS_RATE;
    }
    if (model_random_rarely(random, 15)) {
        command->set_limits.order_qty_limit = -1;
    }
}

static void operator_market(struct model_random *random, struct command *command)
{
    open_market(random, command,
                model_random_below(random, MODEL_RANDOM_CLASSES * MODEL_RANDOM_REGIONS));
    struct command_set_market *market = &command->set_market;
    market->inner_band_bp = market->volatility_s > 0 ? market->inner_band_bp
                                                     : 500 + 500 * model_random_below(random, 5);
    market->outer_band_bp = market->inner_band_bp + 1000 * model_random_below(random, 4);
    switch (model_random_below(random, random->auctions ? 16 : 30)) {
    case 0:
        market->mode = model_random_chance(random, 30) ? MODE_NONE : MODE_CONTINUOUS;
        return;
    case 1:
        market->mode = 9;
        return;
    case 2:
        market->class_id = MODEL_RANDOM_CLASSES;
        return;
    case 3:
        market->region_id = MODEL_RANDOM_REGIONS;
        return;
    case 4:
        market->launch_price_e4[1] = model_random_chance(random, 50) ? -1 : PRICE_MAX_E4 + 1;
        return;
    case 5:
        market->period_s = market->mode == MODE_AUCTION ? 0 : 86401;
        return;
    case 6:
        market->random_end_s = 601;
        return;
    case 7:
    case 8:
    case 9:
        if (random->auctions) {
            market->mode = (uint8_t)model_random_below(random, 4);
        } else if (random->stopping && model_random_chance(random, 30)) {
            market->mode = MODE_NONE;
        }
        return;
    default:
        return;
    }
}

static void operator_reference(struct model_random *random, struct command *command)
{
    command->head.type = COMMAND_SET_REFERENCE;
    command->set_reference = (struct command_set_reference){
        .price_e4 = MODEL_RANDOM_PRICE_E4 - 10000 + (int64_t)model_random_below(random, 20000),
        .day = 20777,
        .class_id = (uint16_t)model_random_below(random, MODEL_RANDOM_CLASSES),
        .region_id = (uint16_t)model_random_below(random, MODEL_RANDOM_REGIONS),
        .tier = (uint8_t)model_random_below(random, TIER_COUNT),
    };
    switch (model_random_below(random, 20)) {
    case 0:
        command->set_reference.class_id = MODEL_RANDOM_CLASSES;
        return;
    case 1:
        command->set_reference.region_id = MODEL_RANDOM_REGIONS;
        return;
    case 2:
        command->set_reference.tier = TIER_COUNT;
        return;
    case 3:
        command->set_reference.price_e4 = PRICE_MAX_E4 + 1;
        return;
    default:
        return;
    }
}

static void operator_halt(struct model_random *random, struct command *command)
{
    command->head.type =
        model_random_chance(random, random->stopping ? 30 : 7) ? COMMAND_HALT : COMMAND_RESUME;
    if (command->head.type == COMMAND_HALT || model_random_rarely(random, 3)) {
        command->halt.filter = (uint8_t)model_random_below(random, 4);
    }
    if ((command->halt.filter & SCOPE_CLASS) != 0) {
        command->halt.class_id = (uint16_t)model_random_below(random, MODEL_RANDOM_CLASSES + 1);
    }
    if ((command->halt.filter & SCOPE_REGION) != 0) {
        command->halt.region_id = (uint16_t)model_random_below(random, MODEL_RANDOM_REGIONS + 1);
    }
}

static void operator_kill(struct model_random *random, const struct model *model,
                          struct command *command)
{
    command->head.type = model_random_chance(random, 12) ? COMMAND_KILL : COMMAND_REVIVE;
    command->kill.account = random_account(random, model);
    if (command->head.type == COMMAND_REVIVE && model_random_chance(random, 60)) {
        command->kill.account = 0;
    }
    if (command->kill.account == 1) {
        command->kill.account = 2;
    }
}

/* Registers something more, well or badly. Names are new or taken. */
static void operator_registry(struct model_random *random, const struct model *model,
                              union command_slot slots[COMMAND_SLOTS_MAX])
{
    static const uint8_t types[] = {
        COMMAND_REGISTER_CLASS, COMMAND_REGISTER_REGION, COMMAND_REGISTER_GROUP,
        COMMAND_OPEN_ACCOUNT,   COMMAND_REGISTER_KEY,    COMMAND_REGISTER_RESOURCE,
        COMMAND_REGISTER_FEES,  COMMAND_REVOKE_KEY,      COMMAND_ADVANCE};
    struct command *command = &slots[0].command;
    uint8_t type = types[model_random_below(random, sizeof(types))];
    uint32_t number = model_random_below(random, 3);
    open_by_operator(random, slots, type, number);
    bool fresh = model_random_rarely(random, 40);
    switch (type) {
    case COMMAND_REGISTER_CLASS:
        if (model_random_chance(random, 50)) {
            static const char *const names[3] = {"", "bad name", "-x"};
            snprintf(command->register_class.name, NAME_SIZE, "%s", names[number]);
        } else if (model_random_chance(random, 50)) {
            snprintf(command->register_class.name, NAME_SIZE, "New");
            command->register_class.lot = 1025 * model_random_below(random, 2);
        }
        return;
    case COMMAND_OPEN_ACCOUNT:
        memset(command->bytes, 0, sizeof(command->bytes));
        command->open_account.roles = ROLE_BUYER;
        command->open_account.group = model_random_below(random, 2) * 77;
        command->open_account.fees = (uint8_t)(200 * model_random_rarely(random, 3));
        snprintf(command->open_account.name, LABEL_SIZE, "another");
        if (command->open_account.group == 0 && command->open_account.fees == 0) {
            command->open_account.group = 2;
            command->open_account.fees = 200;
        }
        return;
    case COMMAND_REGISTER_KEY:
        if (fresh && model->key_count < 100) {
            random->names++;
            snprintf((char *)command->register_key.public_key, PUBLIC_KEY_SIZE, "more-%u",
                     (uint32_t)random->names);
        } else if (model_random_chance(random, 30)) {
            command->register_key.account = 77;
        } else if (model_random_chance(random, 30)) {
            command->register_key.roles = ROLE_OPERATOR;
        }
        return;
    case COMMAND_REGISTER_RESOURCE:
        if (model_random_chance(random, 30)) {
            command->register_resource.class_id = MODEL_RANDOM_CLASSES;
            slots[1].identity.identifier[0] = 'x';
        } else if (model_random_chance(random, 20)) {
            command->head.slots = 1;
        }
        return;
    case COMMAND_REGISTER_FEES:
        command->register_fees.maker_bp = 1001;
        return;
    case COMMAND_REVOKE_KEY:
        memset(command->bytes, 0, sizeof(command->bytes));
        command->revoke_key.key = fresh ? 2 + model_random_below(random, model->key_count)
                                  : model_random_chance(random, 50) ? 1
                                                                    : 999;
        return;
    case COMMAND_ADVANCE:
        memset(command->bytes, 0, sizeof(command->bytes));
        command->advance.delta_ns = (int64_t)model_random_below(random, 3) * 30 * NS_PER_SECOND +
                                    (int64_t)model_random_below(random, 2);
        return;
    default:
        return;
    }
}

void model_random_operator(struct model_random *random, const struct model *model,
                           union command_slot slots[COMMAND_SLOTS_MAX])
{
    if (model->keys[1].link == 0) {
        model_random_log_in(random, model, 1, slots);
        return;
    }
    struct command *command = model_random_start(random, slots, COMMAND_TICK);
    model_random_send_by(model, command, 1, 1);
    uint32_t pick = model_random_below(random, 100);
    if (random->stopping && model_random_chance(random, 50)) {
        operator_halt(random, command);
    } else if (random->stopping && model_random_chance(random, 30)) {
        operator_market(random, command);
    } else if (pick < 35) {
        operator_cash(random, model, command);
    } else if (pick < 45) {
        operator_limits(random, model, command);
    } else if (pick < 52) {
        operator_market(random, command);
    } else if (pick < 65) {
        operator_reference(random, command);
    } else if (pick < 75) {
        operator_halt(random, command);
    } else if (pick < 88) {
        operator_kill(random, model, command);
    } else {
        operator_registry(random, model, slots);
    }
}
