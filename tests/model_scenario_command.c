/* The words of a scenario line as commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model_scenario.h"
#include "tests/model_text.h"

struct command *model_scenario_start(union command_slot slots[COMMAND_SLOTS_MAX], uint8_t type)
{
    memset(slots, 0, COMMAND_SLOTS_MAX * sizeof(slots[0]));
    slots[0].command.head.type = type;
    slots[0].command.head.slots = 1;
    return &slots[0].command;
}

void model_scenario_send_by(struct model_scenario *scenario, struct command *command, uint32_t key)
{
    CHECK(key < MODEL_SCENARIO_KEYS);
    command->head.key = key;
    command->head.session = scenario->session[key];
    command->head.link = scenario->link[key];
    command->head.cl_ord_id = ++scenario->cl_ord_id[key];
}

/* The word at `at`; fails when the line is shorter. */
const char *model_scenario_word(struct model_scenario *scenario, uint32_t at)
{
    if (at >= scenario->word_count) {
        model_scenario_fail(scenario, "the line ends too early");
        return "";
    }
    return scenario->words[at];
}

uint32_t model_scenario_find_word(const struct model_scenario *scenario, const char *text)
{
    for (uint32_t i = 1; i < scenario->word_count; i++) {
        if (strcmp(scenario->words[i], text) == 0) {
            return i;
        }
    }
    return 0;
}

/* The word after `text`, NULL when `text` does not stand there. */
const char *model_scenario_after(struct model_scenario *scenario, const char *text)
{
    uint32_t at = model_scenario_find_word(scenario, text);
    return at == 0 ? NULL : model_scenario_word(scenario, at + 1);
}

int64_t model_scenario_number_after(struct model_scenario *scenario, const char *text,
                                    int64_t otherwise)
{
    const char *value = model_scenario_after(scenario, text);
    return value == NULL ? otherwise : model_scenario_number(scenario, value);
}

int64_t model_scenario_money_after(struct model_scenario *scenario, const char *text,
                                   int64_t otherwise)
{
    const char *value = model_scenario_after(scenario, text);
    return value == NULL ? otherwise : model_scenario_money(scenario, value);
}

static const struct model_text_field head_fields[] = {
    {"cl", offsetof(struct command, head.cl_ord_id), 8, MODEL_TEXT_NUMBER},
    {"key_id", offsetof(struct command, head.key), 4, MODEL_TEXT_NUMBER},
    {"session", offsetof(struct command, head.session), 4, MODEL_TEXT_NUMBER},
    {"type_id", offsetof(struct command, head.type), 1, MODEL_TEXT_NUMBER},
    {"slots", offsetof(struct command, head.slots), 1, MODEL_TEXT_NUMBER},
    {"contract", offsetof(struct command, new_order.contract), 8, MODEL_TEXT_NUMBER},
    {NULL, 0, 0, 0}};

static const struct model_text_type head_type = {0, "head", head_fields};

/* name=value words put any number into any field, for what no client could say. */
static void apply_overrides(struct model_scenario *scenario, struct command *command)
{
    const struct model_text_type *type = model_text_command_type(command->head.type);
    for (uint32_t i = 1; i < scenario->word_count; i++) {
        char *equals = strchr(scenario->words[i], '=');
        if (equals == NULL) {
            continue;
        }
        *equals = 0;
        const struct model_text_field *field = model_text_find(&head_type, scenario->words[i]);
        if (field == NULL && type != NULL) {
            field = model_text_find(type, scenario->words[i]);
        }
        if (field == NULL || field->size > sizeof(int64_t)) {
            model_scenario_fail(scenario, "the command has no field '%s'", scenario->words[i]);
            return;
        }
        int64_t value = field->kind == MODEL_TEXT_MONEY
                            ? model_scenario_money(scenario, equals + 1)
                            : model_scenario_number(scenario, equals + 1);
        memcpy((uint8_t *)command + field->offset, &value, field->size);
    }
}

void model_scenario_send_changed(struct model_scenario *scenario,
                                 union command_slot slots[COMMAND_SLOTS_MAX])
{
    apply_overrides(scenario, &slots[0].command);
    if (!scenario->failed) {
        model_scenario_step(scenario, slots);
    }
}

uint16_t model_scenario_class_after(struct model_scenario *scenario, const char *otherwise)
{
    const char *name = model_scenario_after(scenario, "class");
    return (uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_CLASS,
                                       name == NULL ? otherwise : name);
}

uint16_t model_scenario_region_after(struct model_scenario *scenario, const char *otherwise)
{
    const char *name = model_scenario_after(scenario, "region");
    return (uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_REGION,
                                       name == NULL ? otherwise : name);
}

/* --- orders ------------------------------------------------------------------------------------ */

/* Class H100, region CN-GZ, hour h+10 unless the line says otherwise. */
static uint64_t contract_of(struct model_scenario *scenario)
{
    uint8_t tier = TIER_G0;
    uint32_t hour = model_scenario_hour(scenario, "h+10");
    for (uint32_t i = 2; i < scenario->word_count; i++) {
        const char *text = scenario->words[i];
        if (text[0] == 'G' && text[1] >= '0' && text[1] <= '9') {
            tier = model_scenario_tier(scenario, text);
        } else if (strncmp(text, "h+", 2) == 0) {
            hour = model_scenario_hour(scenario, text);
        }
    }
    return contract_pack(model_scenario_class_after(scenario, "H100"),
                         model_scenario_region_after(scenario, "CN-GZ"), tier, hour);
}

uint8_t model_scenario_tif(const struct model_scenario *scenario)
{
    if (model_scenario_find_word(scenario, "ioc") != 0) {
        return TIF_IOC;
    }
    if (model_scenario_find_word(scenario, "fok") != 0) {
        return TIF_FOK;
    }
    return model_scenario_find_word(scenario, "expires") != 0 ? TIF_TIME : TIF_GATE;
}

static uint8_t stp_of(struct model_scenario *scenario)
{
    const char *mode = model_scenario_after(scenario, "stp");
    if (mode == NULL || strcmp(mode, "newest") == 0) {
        return STP_CANCEL_NEWEST;
    }
    return strcmp(mode, "oldest") == 0 ? STP_CANCEL_OLDEST : STP_DECREMENT;
}

/* The order that the line's `as` names; the offers of a range are NAME.1, NAME.2 and so on. */
void model_scenario_name_new_order(struct model_scenario *scenario)
{
    const char *name = model_scenario_after(scenario, "as");
    uint32_t offers = 0;
    for (size_t i = 0; name != NULL && i < scenario->events.count; i++) {
        const struct event *event = &scenario->events.items[i];
        if (event->head.type == EVENT_NEW && event->new_order.ranged != 0) {
            char offer[32];
            snprintf(offer, sizeof(offer), "%s.%u", name, ++offers);
            model_scenario_name(scenario, MODEL_SCENARIO_ORDER, offer, event->new_order.order_id);
        } else if (event->head.type == EVENT_NEW) {
            model_scenario_name(scenario, MODEL_SCENARIO_ORDER, name, event->new_order.order_id);
        } else if (event->head.type == EVENT_RANGE) {
            model_scenario_name(scenario, MODEL_SCENARIO_ORDER, name, event->range.order_id);
        } else if (event->head.type == EVENT_SET) {
            model_scenario_name(scenario, MODEL_SCENARIO_ORDER, name, event->set.order_id);
        } else if (event->head.type == EVENT_JOB) {
            model_scenario_name(scenario, MODEL_SCENARIO_ORDER, name, event->job.order_id);
        }
    }
}

static uint32_t resource_of(struct model_scenario *scenario)
{
    const char *name = model_scenario_after(scenario, "from");
    return name == NULL ? 0 : (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_RESOURCE, name);
}

int64_t model_scenario_expiry_ns(struct model_scenario *scenario)
{
    const char *span = model_scenario_after(scenario, "expires");
    return span == NULL ? 0 : scenario->time_ns + model_scenario_span_ns(scenario, span);
}

uint16_t model_scenario_flags(const struct model_scenario *scenario)
{
    return model_scenario_find_word(scenario, "post") != 0 ? ORDER_POST_ONLY : 0;
}

/* KEY buy|sell QTY @ PRICE ... or KEY buy|sell QTY market COLLAR ... */
static void new_order(struct model_scenario *scenario, uint32_t key, uint8_t side)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_NEW_ORDER);
    model_scenario_send_by(scenario, command, key);
    struct command_new_order *order = &command->new_order;
    bool market = strcmp(model_scenario_word(scenario, 3), "market") == 0;
    *order = (struct command_new_order){
        .contract = contract_of(scenario),
        .price_e4 = model_scenario_money(scenario, model_scenario_word(scenario, 4)),
        .qty = model_scenario_number(scenario, model_scenario_word(scenario, 2)),
        .min_qty = model_scenario_number_after(scenario, "min", 0),
        .display_qty = model_scenario_number_after(scenario, "display", 0),
        .expire_time_ns = model_scenario_expiry_ns(scenario),
        .resource = resource_of(scenario),
        .flags = model_scenario_flags(scenario),
        .side = side,
        .ord_type = market ? ORD_MARKET : ORD_LIMIT,
        .tif = model_scenario_tif(scenario),
        .stp = stp_of(scenario),
        .job_lead_hours = (uint16_t)model_scenario_number_after(scenario, "job_lead", 0),
    };
    model_scenario_send_changed(scenario, slots);
    model_scenario_name_new_order(scenario);
}

/* KEY range QTY @ PRICE from RESOURCE hours N ... : from the line's hour on. */
static void new_range(struct model_scenario *scenario, uint32_t key)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_NEW_RANGE);
    model_scenario_send_by(scenario, command, key);
    command->new_range = (struct command_new_range){
        .contract = contract_of(scenario),
        .price_e4 = model_scenario_money(scenario, model_scenario_word(scenario, 4)),
        .qty = model_scenario_number(scenario, model_scenario_word(scenario, 2)),
        .hours = (uint32_t)model_scenario_number_after(scenario, "hours", 1),
        .resource = resource_of(scenario),
        .flags = model_scenario_flags(scenario),
        .job_lead_hours = (uint16_t)model_scenario_number_after(scenario, "job_lead", 0),
        .stp = stp_of(scenario),
    };
    model_scenario_send_changed(scenario, slots);
    model_scenario_name_new_order(scenario);
}

uint64_t model_scenario_contract(struct model_scenario *scenario, char *text)
{
    const char *class_name = "H100";
    const char *region_name = "CN-GZ";
    uint8_t tier = TIER_G0;
    uint32_t hour = model_scenario_hour(scenario, "h+10");
    char *rest = NULL;
    for (const char *part = strtok_r(text, "/", &rest); part != NULL;
         part = strtok_r(NULL, "/", &rest)) {
        if (part[0] == 'G' && part[1] >= '0' && part[1] <= '9') {
            tier = model_scenario_tier(scenario, part);
        } else if (strncmp(part, "h+", 2) == 0) {
            hour = model_scenario_hour(scenario, part);
        } else if (model_scenario_has(scenario, MODEL_SCENARIO_CLASS, part)) {
            class_name = part;
        } else {
            region_name = part;
        }
    }
    return contract_pack((uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_CLASS, class_name),
                         (uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_REGION, region_name),
                         tier, hour);
}

/* "A100/CN-NM/G50/h+11@12.00" */
static struct set_leg leg_of(struct model_scenario *scenario, const char *word)
{
    char text[128];
    snprintf(text, sizeof(text), "%s", word);
    char *price = strchr(text, '@');
    if (price == NULL) {
        model_scenario_fail(scenario, "'%s' is not a leg like G50/h+11@12.00", word);
        return (struct set_leg){0};
    }
    *price++ = 0;
    return (struct set_leg){.contract = model_scenario_contract(scenario, text),
                            .price_e4 = (uint32_t)model_scenario_money(scenario, price)};
}

/* KEY set QTY leg LEG leg LEG ... */
static void new_set(struct model_scenario *scenario, uint32_t key)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_NEW_SET);
    model_scenario_send_by(scenario, command, key);
    struct command_new_set *set = &command->new_set;
    *set = (struct command_new_set){
        .qty = model_scenario_number(scenario, model_scenario_word(scenario, 2)),
        .min_qty = model_scenario_number_after(scenario, "min", 0),
        .display_qty = model_scenario_number_after(scenario, "display", 0),
        .expire_time_ns = model_scenario_expiry_ns(scenario),
        .flags = model_scenario_flags(scenario),
        .tif = model_scenario_tif(scenario),
        .stp = stp_of(scenario),
    };
    for (uint32_t i = 3; i + 1 < scenario->word_count; i++) {
        if (strcmp(scenario->words[i], "leg") == 0) {
            uint32_t at = set->leg_count++;
            slots[1 + at / SET_LEGS_PER_SLOT].legs[at % SET_LEGS_PER_SLOT] =
                leg_of(scenario, scenario->words[i + 1]);
        }
    }
    command->head.slots =
        (uint8_t)(1 + (set->leg_count + SET_LEGS_PER_SLOT - 1) / SET_LEGS_PER_SLOT);
    model_scenario_send_changed(scenario, slots);
    model_scenario_name_new_order(scenario);
}

/* KEY mass_cancel [own] [class C] [region R] [hours h+A h+B] */
static void mass_cancel(struct model_scenario *scenario, struct command *command)
{
    struct command_mass_cancel *scope = &command->mass_cancel;
    if (model_scenario_find_word(scenario, "own") != 0) {
        scope->filter |= MASS_CANCEL_OWN_KEY;
    }
    if (model_scenario_find_word(scenario, "class") != 0) {
        scope->filter |= MASS_CANCEL_CLASS;
        scope->class_id = model_scenario_class_after(scenario, "");
    }
    if (model_scenario_find_word(scenario, "region") != 0) {
        scope->filter |= MASS_CANCEL_REGION;
        scope->region_id = model_scenario_region_after(scenario, "");
    }
    uint32_t hours = model_scenario_find_word(scenario, "hours");
    if (hours != 0) {
        scope->filter |= MASS_CANCEL_HOURS;
        scope->hour_from = model_scenario_hour(scenario, model_scenario_word(scenario, hours + 1));
        scope->hour_to = model_scenario_hour(scenario, model_scenario_word(scenario, hours + 2));
    }
}

static uint64_t order_named(struct model_scenario *scenario, uint32_t at)
{
    const char *name = model_scenario_word(scenario, at);
    return strcmp(name, "none") == 0 ? UINT64_MAX
                                     : model_scenario_id(scenario, MODEL_SCENARIO_ORDER, name);
}

/* Lines that begin with a key's name. */
static bool trader_command(struct model_scenario *scenario, uint32_t key)
{
    const char *verb = model_scenario_word(scenario, 1);
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_CANCEL_ORDER);
    if (strcmp(verb, "buy") == 0 || strcmp(verb, "sell") == 0) {
        new_order(scenario, key, verb[0] == 'b' ? SIDE_BUY : SIDE_SELL);
        return true;
    }
    if (strcmp(verb, "job") == 0) {
        model_scenario_job(scenario, key);
        return true;
    }
    if (strcmp(verb, "range") == 0 || strcmp(verb, "set") == 0) {
        (verb[0] == 'r' ? new_range : new_set)(scenario, key);
        return true;
    }
    if (strcmp(verb, "cancel") == 0) {
        command->cancel_order.order_id = order_named(scenario, 2);
    } else if (strcmp(verb, "replace") == 0) { /* KEY replace ORDER to QTY @ PRICE */
        command->head.type = COMMAND_REPLACE_ORDER;
        command->replace_order.order_id = order_named(scenario, 2);
        command->replace_order.qty =
            model_scenario_number(scenario, model_scenario_word(scenario, 4));
        command->replace_order.price_e4 =
            model_scenario_money(scenario, model_scenario_word(scenario, 6));
    } else if (strcmp(verb, "take") == 0) { /* KEY take ORDER QTY */
        command->head.type = COMMAND_TAKE_OFFER;
        command->take_offer.order_id = order_named(scenario, 2);
        command->take_offer.qty = model_scenario_number(scenario, model_scenario_word(scenario, 3));
    } else if (strcmp(verb, "mass_cancel") == 0) {
        command->head.type = COMMAND_MASS_CANCEL;
        mass_cancel(scenario, command);
    } else {
        return false;
    }
    model_scenario_send_by(scenario, command, key);
    model_scenario_send_changed(scenario, slots);
    return true;
}

/* --- sessions and the sequencer ----------------------------------------------------------------- */

static void log_in(struct model_scenario *scenario, const char *name)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_LOGIN);
    const char *link = model_scenario_after(scenario, "link");
    command->head.key = (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_KEY, name);
    command->head.link =
        (uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_LINK, link == NULL ? "one" : link);
    command->login.cancel_on_disconnect = model_scenario_find_word(scenario, "cod") != 0;
    model_scenario_send_changed(scenario, slots);
}

static void log_out(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_LOGOUT);
    uint32_t key =
        (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_KEY, model_scenario_word(scenario, 1));
    command->head.key = key;
    command->head.session = scenario->session[key % MODEL_SCENARIO_KEYS];
    command->head.link = scenario->link[key % MODEL_SCENARIO_KEYS];
    model_scenario_send_changed(scenario, slots);
}

/* link up|down NAME */
static void link_command(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    bool up = strcmp(model_scenario_word(scenario, 1), "up") == 0;
    const char *name = model_scenario_word(scenario, 2);
    struct command *command = model_scenario_start(slots, up ? COMMAND_LINK_UP : COMMAND_LINK_DOWN);
    if (up) {
        snprintf(command->link.name, LINK_NAME_SIZE, "%s", name);
    } else {
        command->head.link = (uint16_t)model_scenario_id(scenario, MODEL_SCENARIO_LINK, name);
    }
    model_scenario_step(scenario, slots);
    for (size_t i = 0; up && i < scenario->events.count; i++) {
        if (scenario->events.items[i].head.type == EVENT_LINK) {
            model_scenario_name(scenario, MODEL_SCENARIO_LINK, name,
                                scenario->events.items[i].link.link);
        }
    }
}

/* The last word of its kind counts, so that a case can change the opening's rules. */
static int64_t rule(struct model_scenario *scenario, const char *name, int64_t otherwise)
{
    size_t length = strlen(name);
    for (uint32_t i = scenario->word_count; i-- > 1;) {
        if (strncmp(scenario->words[i], name, length) == 0 && scenario->words[i][length] == '=') {
            return model_scenario_number(scenario, scenario->words[i] + length + 1);
        }
    }
    return otherwise;
}

static void genesis(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_GENESIS);
    command->genesis = (struct command_genesis){
        .rules_version = 1,
        .horizon_hours = (uint32_t)rule(scenario, "horizon", 48),
        .gate_lead_s = (uint32_t)rule(scenario, "gate_lead", 600),
        .bond_bp = (uint32_t)rule(scenario, "bond_bp", 4000),
        .sweep_slice = (uint32_t)rule(scenario, "slice", 100),
        .rate_limit = (uint32_t)rule(scenario, "rate", 1000),
        .open_orders_limit = (uint32_t)rule(scenario, "open_orders", 100),
        .trial_orders = (uint32_t)rule(scenario, "trial", 0),
        .order_qty_limit = rule(scenario, "order_qty", 1000),
    };
    memset(command->genesis.operator_key, 'o', PUBLIC_KEY_SIZE);
    model_scenario_step(scenario, slots);
    model_scenario_name(scenario, MODEL_SCENARIO_KEY, "operator", 1);
    model_scenario_name(scenario, MODEL_SCENARIO_ACCOUNT, "operator", 1);
}

static void tick(struct model_scenario *scenario)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    struct command *command = model_scenario_start(slots, COMMAND_TICK);
    command->tick.entropy = (uint64_t)model_scenario_number_after(scenario, "bits", 0);
    model_scenario_step(scenario, slots);
}

static void pass_time(struct model_scenario *scenario)
{
    scenario->time_ns += model_scenario_span_ns(scenario, model_scenario_word(scenario, 1));
}

static void log_in_named(struct model_scenario *scenario)
{
    log_in(scenario, model_scenario_word(scenario, 1));
}

static const struct {
    const char *verb;
    void (*carry_out)(struct model_scenario *scenario);
} verbs[] = {
    {"genesis", genesis}, {"link", link_command}, {"login", log_in_named},
    {"logout", log_out},  {"tick", tick},         {"time", pass_time},
};

bool model_scenario_command(struct model_scenario *scenario)
{
    const char *verb = scenario->words[0];
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].verb, verb) == 0) {
            verbs[i].carry_out(scenario);
            return true;
        }
    }
    if (model_scenario_operator(scenario)) {
        return true;
    }
    if (!model_scenario_has(scenario, MODEL_SCENARIO_KEY, verb) || scenario->word_count < 2) {
        return false;
    }
    return trader_command(scenario,
                          (uint32_t)model_scenario_id(scenario, MODEL_SCENARIO_KEY, verb));
}
