/* Scenario lines that are the operator's commands. */
#include <stdio.h>
#include <string.h>

#include "tests/model_scenario.h"
#include "tests/model_text.h"

static struct command *by_operator(struct model_scenario *scenario,
                                   union command_slot slots[COMMAND_SLOTS_MAX], uint8_t type)
{
    struct command *command = model_scenario_start(slots, type);
    model_scenario_send_by(scenario, command, 1);
    return command;
}

/* Sends, and names what the answer registers. */
static void register_by(struct model_scenario *scenario,
                        union command_slot slots[COMMAND_SLOTS_MAX], enum model_scenario_kind kind,
                        const char *name, const char *id_field)
{
    model_scenario_send_changed(scenario, slots);
    for (size_t i = 0; i < scenario->events.count; i++) {
        const struct event *event = &scenario->events.items[i];
        const struct model_text_type *type = model_text_event_type(event->head.type);
        if (event->head.type == slots[0].command.head.type && type != NULL) {
            model_scenario_name(scenario, kind, name,
                                (uint64_t)model_text_value(event, model_text_find(type, id_field)));
        }
    }
}

static void register_class(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_REGISTER_CLASS);
    strncpy(command->register_class.name, model_scenario_word(scenario, 1), NAME_SIZE);
    command->register_class.lot = (uint32_t)model_scenario_number_after(scenario, "lot", 1);
    register_by(scenario, slots, MODEL_SCENARIO_CLASS, model_scenario_word(scenario, 1), "id");
}

static void register_region(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_REGISTER_REGION);
    strncpy(command->register_region.name, model_scenario_word(scenario, 1), NAME_SIZE);
    register_by(scenario, slots, MODEL_SCENARIO_REGION, model_scenario_word(scenario, 1), "id");
}

/* market CLASS REGION [inner BP] [outer BP] [launch PRICE] [mode N] [no_resale] [names] [opening S]
 * [volatility S] [volatility_min N] [period S] [random_end S] */
static void set_market(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_SET_MARKET);
    struct command_set_market *market = &command->set_market;
    market->class_id = (uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_CLASS,
                                                   model_scenario_word(scenario, 1));
    market->region_id = (uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_REGION,
                                                    model_scenario_word(scenario, 2));
    market->inner_band_bp = (uint32_t)model_scenario_number_after(scenario, "inner", 2000);
    market->outer_band_bp = (uint32_t)model_scenario_number_after(scenario, "outer", 5000);
    market->mode = (uint8_t)model_scenario_number_after(scenario, "mode", MODE_CONTINUOUS);
    market->flags = model_scenario_find_word(scenario, "no_resale") != 0 ? MARKET_NO_RESALE : 0;
    market->flags |= model_scenario_find_word(scenario, "names") != 0 ? MARKET_NAMES_SHOWN : 0;
    market->opening_s = (uint32_t)model_scenario_number_after(scenario, "opening", 0);
    market->volatility_s = (uint32_t)model_scenario_number_after(scenario, "volatility", 0);
    market->volatility_min_qty =
        (uint32_t)model_scenario_number_after(scenario, "volatility_min", 0);
    market->period_s = (uint32_t)model_scenario_number_after(scenario, "period", 0);
    market->random_end_s = (uint16_t)model_scenario_number_after(scenario, "random_end", 0);
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        market->launch_price_e4[tier] = model_scenario_money_after(scenario, "launch", 0);
    }
    model_scenario_send_changed(scenario, slots);
}

static void register_fees(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_REGISTER_FEES);
    command->register_fees.maker_bp = (uint16_t)model_scenario_number_after(scenario, "maker", 0);
    command->register_fees.taker_bp = (uint16_t)model_scenario_number_after(scenario, "taker", 0);
    model_scenario_send_changed(scenario, slots);
}

static void register_group(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_REGISTER_GROUP);
    strncpy(command->register_group.name, model_scenario_word(scenario, 1), LABEL_SIZE);
    register_by(scenario, slots, MODEL_SCENARIO_GROUP, model_scenario_word(scenario, 1), "id");
}

static uint8_t roles_after(struct model_scenario *scenario)
{
    const char *roles = model_scenario_after(scenario, "roles");
    if (roles == NULL) {
        return ROLE_PROVIDER | ROLE_BUYER;
    }
    return (uint8_t)((strstr(roles, "provider") != NULL ? ROLE_PROVIDER : 0) |
                     (strstr(roles, "buyer") != NULL ? ROLE_BUYER : 0) |
                     (strstr(roles, "analyst") != NULL ? ROLE_ANALYST : 0) |
                     (strstr(roles, "operator") != NULL ? ROLE_OPERATOR : 0));
}

static void register_key(struct model_scenario *scenario, const char *name, const char *account)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_REGISTER_KEY);
    strncpy((char *)command->register_key.public_key, name, PUBLIC_KEY_SIZE);
    strncpy(command->register_key.name, name, LABEL_SIZE);
    command->register_key.account =
        (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_ACCOUNT, account);
    command->register_key.roles = roles_after(scenario);
    register_by(scenario, slots, MODEL_SCENARIO_KEY, name, "id");
}

static void open_account(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_OPEN_ACCOUNT);
    const char *name = model_scenario_word(scenario, 1);
    const char *group = model_scenario_after(scenario, "group");
    strncpy(command->open_account.name, name, LABEL_SIZE);
    command->open_account.group =
        group == NULL ? 0 : (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_GROUP, group);
    command->open_account.roles = roles_after(scenario);
    command->open_account.fees = (uint8_t)model_scenario_number_after(scenario, "fees", 0);
    register_by(scenario, slots, MODEL_SCENARIO_ACCOUNT, name, "id");
}

/* resource NAME of ACCOUNT [class C] [region R] gpus N [tier T] */
static void register_resource(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_REGISTER_RESOURCE);
    command->head.slots = 2;
    struct command_register_resource *resource = &command->register_resource;
    const char *owner = model_scenario_after(scenario, "of");
    const char *tier = model_scenario_after(scenario, "tier");
    strncpy(resource->node, "node", LABEL_SIZE);
    resource->account =
        owner == NULL ? 0 : (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_ACCOUNT, owner);
    resource->gpus = (uint32_t)model_scenario_number_after(scenario, "gpus", 100);
    resource->class_id = model_scenario_class_after(scenario, "H100");
    resource->region_id = model_scenario_region_after(scenario, "CN-GZ");
    resource->tier = tier == NULL ? TIER_G100 : model_scenario_tier(scenario, tier);
    strncpy(slots[1].identity.identifier, model_scenario_word(scenario, 1), IDENTIFIER_SIZE);
    register_by(scenario, slots, MODEL_SCENARIO_RESOURCE, model_scenario_word(scenario, 1), "id");
}

static void move_cash(struct model_scenario *scenario, uint8_t type)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, type);
    command->cash.account = (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_ACCOUNT,
                                                        model_scenario_word(scenario, 1));
    command->cash.amount_e4 = model_scenario_money(scenario, model_scenario_word(scenario, 2));
    model_scenario_send_changed(scenario, slots);
}

/* limits ACCOUNT [rate N] [open_orders N] [order_qty N] [fees N] */
static void set_limits(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_SET_LIMITS);
    struct command_set_limits *limits = &command->set_limits;
    limits->account = (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_ACCOUNT,
                                                  model_scenario_word(scenario, 1));
    limits->rate_limit = (uint32_t)model_scenario_number_after(scenario, "rate", 0);
    limits->open_orders_limit = (uint32_t)model_scenario_number_after(scenario, "open_orders", 0);
    limits->order_qty_limit = model_scenario_number_after(scenario, "order_qty", 0);
    limits->fees = (uint8_t)model_scenario_number_after(scenario, "fees", 0);
    limits->fields =
        (uint8_t)((model_scenario_find_word(scenario, "rate") != 0 ? LIMITS_RATE : 0) |
                  (model_scenario_find_word(scenario, "open_orders") != 0 ? LIMITS_OPEN_ORDERS
                                                                          : 0) |
                  (model_scenario_find_word(scenario, "order_qty") != 0 ? LIMITS_ORDER_QTY : 0) |
                  (model_scenario_find_word(scenario, "fees") != 0 ? LIMITS_FEES : 0));
    model_scenario_send_changed(scenario, slots);
}

/* reference TIER PRICE [class C] [region R] */
static void set_reference(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_SET_REFERENCE);
    command->set_reference = (struct command_set_reference){
        .price_e4 = model_scenario_money(scenario, model_scenario_word(scenario, 2)),
        .day = 20777,
        .class_id = model_scenario_class_after(scenario, "H100"),
        .region_id = model_scenario_region_after(scenario, "CN-GZ"),
        .tier = model_scenario_tier(scenario, model_scenario_word(scenario, 1)),
    };
    model_scenario_send_changed(scenario, slots);
}

static void halt(struct model_scenario *scenario, uint8_t type)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, type);
    if (model_scenario_find_word(scenario, "class") != 0) {
        command->halt.filter |= SCOPE_CLASS;
        command->halt.class_id = model_scenario_class_after(scenario, "");
    }
    if (model_scenario_find_word(scenario, "region") != 0) {
        command->halt.filter |= SCOPE_REGION;
        command->halt.region_id = model_scenario_region_after(scenario, "");
    }
    model_scenario_send_changed(scenario, slots);
}

static void kill_or_revive(struct model_scenario *scenario, uint8_t type)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, type);
    const char *name = model_scenario_word(scenario, 1);
    command->kill.account =
        strcmp(name, "all") == 0
            ? 0
            : (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_ACCOUNT, name);
    model_scenario_send_changed(scenario, slots);
}

static void revoke_key(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_REVOKE_KEY);
    command->revoke_key.key =
        (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_KEY, model_scenario_word(scenario, 1));
    model_scenario_send_changed(scenario, slots);
}

static void advance(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = by_operator(scenario, slots, COMMAND_ADVANCE);
    command->advance.delta_ns = model_scenario_span_ns(scenario, model_scenario_word(scenario, 1));
    model_scenario_send_changed(scenario, slots);
}

/* key NAME of ACCOUNT [roles ...]: registered and logged in. */
static void add_key(struct model_scenario *scenario)
{
    const char *account = model_scenario_after(scenario, "of");
    register_key(scenario, model_scenario_word(scenario, 1), account == NULL ? "" : account);
}

static void deposit(struct model_scenario *scenario)
{
    move_cash(scenario, COMMAND_DEPOSIT);
}

static void withdraw(struct model_scenario *scenario)
{
    move_cash(scenario, COMMAND_WITHDRAW);
}

static void set_credit(struct model_scenario *scenario)
{
    move_cash(scenario, COMMAND_SET_CREDIT);
}

static void halt_markets(struct model_scenario *scenario)
{
    halt(scenario, COMMAND_HALT);
}

static void resume_markets(struct model_scenario *scenario)
{
    halt(scenario, COMMAND_RESUME);
}

static void kill_accounts(struct model_scenario *scenario)
{
    kill_or_revive(scenario, COMMAND_KILL);
}

static void revive_accounts(struct model_scenario *scenario)
{
    kill_or_revive(scenario, COMMAND_REVIVE);
}

static const struct {
    const char *verb;
    void (*carry_out)(struct model_scenario *scenario);
} verbs[] = {
    {"class", register_class},
    {"region", register_region},
    {"market", set_market},
    {"fees", register_fees},
    {"group", register_group},
    {"account", open_account},
    {"key", add_key},
    {"resource", register_resource},
    {"deposit", deposit},
    {"withdraw", withdraw},
    {"credit", set_credit},
    {"limits", set_limits},
    {"reference", set_reference},
    {"halt", halt_markets},
    {"resume", resume_markets},
    {"kill", kill_accounts},
    {"revive", revive_accounts},
    {"revoke", revoke_key},
    {"advance", advance},
};

bool model_scenario_operator(struct model_scenario *scenario)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].verb, scenario->words[0]) == 0) {
            verbs[i].carry_out(scenario);
            return true;
        }
    }
    return false;
}
