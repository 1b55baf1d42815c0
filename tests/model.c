/* Sections 1, 2 and 9 of the rulebook: the step, the sender, sessions. */
#include "tests/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

struct model *model_new(const struct model_limits *limits)
{
    struct model *model = calloc(1, sizeof(*model));
    CHECK(model != NULL);
    model->limits = *limits;
    model->fees_count = 1; /* schedule 0 is free */
    return model;
}

void model_free(struct model *model)
{
    free(model);
}

void model_events_clear(struct model_events *events)
{
    events->count = 0;
}

void model_events_free(struct model_events *events)
{
    free(events->items);
    *events = (struct model_events){NULL, 0, 0};
}

/* What everyone may see: trades, time, the registry. */
static bool is_public(uint8_t type)
{
    switch (type) {
    case EVENT_GENESIS:
    case EVENT_GROUP:
    case EVENT_ACCOUNT:
    case EVENT_TIME:
    case EVENT_FEES:
    case EVENT_RESOURCE:
    case EVENT_RESOURCE_IDENTITY:
    case EVENT_TRADE:
    case EVENT_CLASS:
    case EVENT_REGION:
    case EVENT_MARKET:
    case EVENT_REFERENCE:
    case EVENT_HALT:
    case EVENT_KILL:
    case EVENT_AUCTION:
        return true;
    default:
        return false;
    }
}

struct event *model_emit(struct model *model, uint8_t type, uint16_t link)
{
    struct model_events *events = model->events;
    if (events->count == events->capacity) {
        events->capacity = events->capacity == 0 ? 64 : events->capacity * 2;
        events->items = realloc(events->items, events->capacity * sizeof(*events->items));
        CHECK(events->items != NULL);
    }
    struct event *event = &events->items[events->count];
    memset(event, 0, sizeof(*event));
    event->head.seq = model->seq;
    event->head.time_ns = model->time_ns;
    event->head.index = (uint32_t)events->count++;
    event->head.link = link;
    event->head.type = type;
    event->head.flags = is_public(type) ? EVENT_PUBLIC : 0;
    return event;
}

static void fill_party(const struct model *model, struct event *event, uint32_t key,
                       uint64_t cl_ord_id)
{
    event->party.cl_ord_id = cl_ord_id;
    event->party.key = key;
    event->party.account = model->keys[key].account;
}

struct event *model_emit_report(struct model *model, uint8_t type, uint32_t key, uint64_t cl_ord_id)
{
    struct event *event = model_emit(model, type, model->keys[key].link);
    fill_party(model, event, key, cl_ord_id);
    event->party.report_seq = ++model->keys[key].report_seq;
    return event;
}

struct event *model_emit_aside(struct model *model, uint8_t type, uint32_t key, uint64_t cl_ord_id)
{
    struct event *event = model_emit(model, type, model->keys[key].link);
    fill_party(model, event, key, cl_ord_id);
    return event;
}

static uint64_t named_order_id(const struct command *command)
{
    switch (command->head.type) {
    case COMMAND_REPLACE_ORDER:
        return command->replace_order.order_id;
    case COMMAND_CANCEL_ORDER:
        return command->cancel_order.order_id;
    case COMMAND_TAKE_OFFER:
        return command->take_offer.order_id;
    default:
        return 0;
    }
}

static struct event *refuse_consumed(struct model *model, enum reject_reason reason)
{
    const struct command_head *head = &model->command->head;
    struct event *event = model_emit_report(model, EVENT_REJECTED, head->key, head->cl_ord_id);
    event->rejected.reason = (uint16_t)reason;
    event->rejected.request = head->type;
    event->rejected.consumed = 1;
    return event;
}

void model_reject_at(struct model *model, enum reject_reason reason, uint8_t leg, uint64_t contract)
{
    struct event *event = refuse_consumed(model, reason);
    event->rejected.order_id = named_order_id(model->command);
    event->rejected.leg = leg;
    event->rejected.field =
        reason == REASON_VALUE_OUT_OF_RANGE ? (uint8_t)model->refused_field : REJECT_FIELD_NONE;
    event->rejected.contract = contract;
}

void model_reject(struct model *model, enum reject_reason reason)
{
    model_reject_at(model, reason, 0, 0);
}

/* Before cl_ord_id is used up; the answer goes where the command came from. */
static void refuse_unused(struct model *model, enum reject_reason reason)
{
    const struct command_head *head = &model->command->head;
    struct event *event = model_emit(model, EVENT_REJECTED, head->link);
    event->party.cl_ord_id = head->cl_ord_id;
    event->party.key = head->key;
    event->party.account = head->key <= model->key_count ? model->keys[head->key].account : 0;
    event->rejected.reason = (uint16_t)reason;
    event->rejected.request = head->type;
}

struct model_market *model_market_find(struct model *model, uint16_t class_id, uint16_t region_id)
{
    for (uint32_t i = 0; i < model->market_count; i++) {
        struct model_market *market = &model->markets[i];
        if (market->terms.class_id == class_id && market->terms.region_id == region_id) {
            return market;
        }
    }
    return NULL;
}

uint32_t model_ladder_find(const struct model *model, uint64_t contract)
{
    uint32_t place = 0;
    while (place < model->ladder_count &&
           (model->ladders[place].class_id != contract_class(contract) ||
            model->ladders[place].region_id != contract_region(contract) ||
            model->ladders[place].hour != contract_hour(contract))) {
        place++;
    }
    return place;
}

/* The first operator: group 1, account 1, key 1. */
static void first_operator(struct model *model, const struct command_genesis *rules)
{
    static const char name[LABEL_SIZE] = "operator";
    model->group_count = 1;
    memcpy(model->groups[1].name, name, LABEL_SIZE);
    struct event_group *group = &model_emit(model, EVENT_GROUP, 0)->group;
    memcpy(group->name, name, LABEL_SIZE);
    group->group = 1;

    model->account_count = 1;
    model->accounts[1] = (struct model_account){.order_qty_limit = rules->order_qty_limit,
                                                .group = 1,
                                                .rate_limit = rules->rate_limit,
                                                .open_orders_limit = rules->open_orders_limit,
                                                .roles = ROLE_OPERATOR};
    memcpy(model->accounts[1].name, name, LABEL_SIZE);
    struct event_account *account = &model_emit(model, EVENT_ACCOUNT, 0)->account;
    memcpy(account->name, name, LABEL_SIZE);
    account->account = 1;
    account->group = 1;
    account->roles = ROLE_OPERATOR;

    model->key_count = 1;
    model->keys[1] = (struct model_key){.account = 1, .roles = ROLE_OPERATOR};
    memcpy(model->keys[1].public_key, rules->operator_key, PUBLIC_KEY_SIZE);
    memcpy(model->keys[1].name, name, LABEL_SIZE);
    struct event_key *key = &model_emit(model, EVENT_KEY, 0)->key;
    memcpy(key->public_key, rules->operator_key, PUBLIC_KEY_SIZE);
    memcpy(key->name, name, LABEL_SIZE);
    key->key = 1;
    key->account = 1;
    key->roles = ROLE_OPERATOR;
}

static void genesis(struct model *model)
{
    const struct command_genesis *rules = &model->command->genesis;
    model->rules = *rules;
    model->gate_hour = model_due_first_open_hour(model, model->time_ns);
    struct event *event = model_emit(model, EVENT_GENESIS, 0);
    event->party.key = 1;
    event->party.account = 1;
    event->genesis.rules_version = rules->rules_version;
    event->genesis.horizon_hours = rules->horizon_hours;
    event->genesis.gate_lead_s = rules->gate_lead_s;
    event->genesis.bond_bp = rules->bond_bp;
    memcpy(event->genesis.operator_key, rules->operator_key, PUBLIC_KEY_SIZE);
    first_operator(model, rules);
}

static void emit_link(struct model *model, uint16_t link, uint8_t up)
{
    struct event *event = model_emit(model, EVENT_LINK, link);
    memcpy(event->link.name, model->links[link].name, LINK_NAME_SIZE);
    event->link.link = link;
    event->link.up = up;
}

/* Ends the sessions that are bound to a link. */
static void unbind(struct model *model, uint16_t link)
{
    for (uint32_t key = 1; key <= model->key_count; key++) {
        if (model->keys[key].link == link) {
            model->keys[key].link = 0;
            if (model->keys[key].cancel_on_disconnect) {
                model_due_end_key(model, key, REASON_DISCONNECTED);
            }
        }
    }
}

/* Where the name stands; else a place never used; else the first whose link is down. */
static uint16_t place_of_link(const struct model *model, const char *name)
{
    uint16_t first_down = 0;
    for (uint16_t link = (uint16_t)model->link_count; link > 0; link--) {
        if (memcmp(model->links[link].name, name, LINK_NAME_SIZE) == 0) {
            return link;
        }
        if (!model->links[link].up) {
            first_down = link;
        }
    }
    return model->link_count + 1 < MODEL_LINKS_MAX ? (uint16_t)(model->link_count + 1) : first_down;
}

/* A link that comes up again was lost before, whether or not anyone noticed. */
static void link_up(struct model *model)
{
    uint16_t link = place_of_link(model, model->command->link.name);
    if (link == 0) {
        emit_link(model, 0, 0);
        return;
    }
    if (link > model->link_count) {
        model->link_count = link;
    }
    memcpy(model->links[link].name, model->command->link.name, LINK_NAME_SIZE);
    unbind(model, link);
    model->links[link].up = true;
    emit_link(model, link, 1);
}

static void link_down(struct model *model)
{
    uint16_t link = model->command->head.link;
    emit_link(model, link, 0);
    model->links[link].up = false;
    unbind(model, link);
}

static void login(struct model *model)
{
    const struct command *command = model->command;
    uint32_t id = command->head.key;
    struct model_key *key = &model->keys[id];
    if (key->link != 0 && key->cancel_on_disconnect) {
        model_due_end_key(model, id, REASON_DISCONNECTED);
    }
    key->session++;
    key->link = command->head.link;
    key->cancel_on_disconnect = command->login.cancel_on_disconnect != 0;
    struct event *event = model_emit(model, EVENT_LOGIN, key->link);
    fill_party(model, event, id, 0);
    event->login.nonce = command->login.nonce;
    event->login.highest_cl_ord_id = key->highest_cl_ord_id;
    event->login.highest_report_seq = key->report_seq;
    event->login.session = key->session;
    event->login.cancel_on_disconnect = key->cancel_on_disconnect;
}

static void logout(struct model *model)
{
    uint32_t id = model->command->head.key;
    struct model_key *key = &model->keys[id];
    struct event *event = model_emit(model, EVENT_LOGOUT, key->link);
    fill_party(model, event, id, 0);
    key->link = 0;
    if (key->cancel_on_disconnect) {
        model_due_end_key(model, id, REASON_DISCONNECTED);
    }
}

static bool rate_allows(struct model *model, struct model_key *key)
{
    int64_t second = model->time_ns / NS_PER_SECOND;
    if (key->rate_second != second) {
        key->rate_second = second;
        key->rate_count = 0;
    }
    key->rate_count++;
    uint8_t type = model->command->head.type;
    return key->rate_count <= model->accounts[key->account].rate_limit ||
           type == COMMAND_CANCEL_ORDER || type == COMMAND_MASS_CANCEL;
}

static bool form_known(const struct command_head *head)
{
    bool order = head->type >= COMMAND_NEW_ORDER && head->type <= COMMAND_NEW_RANGE;
    bool takes = head->type == COMMAND_TAKE_OFFER;
    bool operators = head->type >= COMMAND_REGISTER_CLASS && head->type <= COMMAND_ADVANCE;
    int slots = head->type == COMMAND_REGISTER_RESOURCE ? 2 : 1;
    if (head->type == COMMAND_NEW_SET || head->type == COMMAND_NEW_JOB) {
        return true; /* its own check counts them */
    }
    return (order || takes || operators) && head->slots == slots;
}

static bool role_allows(const struct model *model, uint8_t roles)
{
    switch (model->command->head.type) {
    case COMMAND_NEW_ORDER:
        if (model->command->new_order.side == SIDE_BUY) {
            return (roles & ROLE_BUYER) != 0;
        }
        return (roles & (ROLE_BUYER | ROLE_PROVIDER)) != 0;
    case COMMAND_NEW_SET:
    case COMMAND_TAKE_OFFER:
    case COMMAND_NEW_JOB:
        return (roles & ROLE_BUYER) != 0;
    case COMMAND_NEW_RANGE:
    case COMMAND_REPLACE_ORDER:
    case COMMAND_CANCEL_ORDER:
    case COMMAND_MASS_CANCEL:
        return (roles & (ROLE_BUYER | ROLE_PROVIDER)) != 0;
    default:
        return (roles & ROLE_OPERATOR) != 0;
    }
}

static enum reject_reason check_request(struct model *model, struct model_key *key)
{
    if (!rate_allows(model, key)) {
        return REASON_RATE_EXCEEDED;
    }
    if (!form_known(&model->command->head)) {
        return REASON_INVALID_COMMAND;
    }
    if (!role_allows(model, key->roles)) {
        return REASON_NOT_AUTHORIZED;
    }
    uint8_t type = model->command->head.type;
    if (model->accounts[key->account].killed &&
        (type == COMMAND_NEW_ORDER || type == COMMAND_NEW_RANGE || type == COMMAND_NEW_SET ||
         type == COMMAND_NEW_JOB || type == COMMAND_REPLACE_ORDER || type == COMMAND_TAKE_OFFER)) {
        return REASON_ACCOUNT_KILLED;
    }
    return REASON_NONE;
}

static void request(struct model *model)
{
    const struct command_head *head = &model->command->head;
    struct model_key *key = &model->keys[head->key];
    key->highest_cl_ord_id = head->cl_ord_id;
    enum reject_reason reason = check_request(model, key);
    if (reason != REASON_NONE) {
        refuse_consumed(model, reason);
        return;
    }
    switch (head->type) {
    case COMMAND_NEW_ORDER:
        model_order_new(model);
        return;
    case COMMAND_REPLACE_ORDER:
        model_order_replace(model);
        return;
    case COMMAND_CANCEL_ORDER:
        model_order_cancel(model);
        return;
    case COMMAND_MASS_CANCEL:
        model_due_mass_cancel(model);
        return;
    case COMMAND_NEW_RANGE:
        model_range_new(model);
        return;
    case COMMAND_NEW_SET:
        model_set_new(model);
        return;
    case COMMAND_TAKE_OFFER:
        model_auction_take(model);
        return;
    case COMMAND_NEW_JOB:
        model_job_new(model);
        return;
    default:
        CHECK(model_registry_command(model));
    }
}

static void from_a_key(struct model *model)
{
    const struct command_head *head = &model->command->head;
    if (head->key == 0 || head->key > model->key_count || model->keys[head->key].revoked) {
        refuse_unused(model, REASON_UNKNOWN_KEY);
        return;
    }
    const struct model_key *key = &model->keys[head->key];
    if (head->type == COMMAND_LOGIN) {
        login(model);
        return;
    }
    if (key->link == 0 || head->session != key->session) {
        refuse_unused(model, REASON_SESSION_ENDED);
        return;
    }
    if (head->type == COMMAND_LOGOUT) {
        logout(model);
        return;
    }
    if (head->cl_ord_id <= key->highest_cl_ord_id) {
        refuse_unused(model, REASON_DUPLICATE);
        return;
    }
    request(model);
}

static void carry_out(struct model *model)
{
    switch (model->command->head.type) {
    case COMMAND_GENESIS:
        genesis(model);
        return;
    case COMMAND_TICK:
        model_emit(model, EVENT_TIME, 0);
        return;
    case COMMAND_LINK_UP:
        link_up(model);
        return;
    case COMMAND_LINK_DOWN:
        link_down(model);
        return;
    default:
        from_a_key(model);
    }
}

static void forget_dead_ranges(struct model *model)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->range_count; i++) {
        if (model_range_lives(model, &model->ranges[i])) {
            model->ranges[kept++] = model->ranges[i];
        }
    }
    model->range_count = kept;
}

void model_step(struct model *model, const struct command *command, struct model_events *events)
{
    CHECK(command->head.seq == model->seq + 1 && command->head.time_ns >= model->time_ns);
    model->events = events;
    model->command = command;
    model->seq = command->head.seq;
    model->time_ns = command->head.time_ns;
    uint32_t units = model->rules.sweep_slice;
    if (command->head.type != COMMAND_GENESIS) {
        units = model_due_housekeeping(model, units);
    }
    carry_out(model);
    model->ticking = command->head.type == COMMAND_TICK;
    model->drawn = false;
    model_due_housekeeping(model, units);
    model->ticking = false;
    model_job_due_work(model);
    model_auction_publish(model);
    forget_dead_ranges(model);
    CHECK(events->count > 0);
    events->items[events->count - 1].head.flags |= EVENT_LAST;
}

bool model_has_work(struct model *model)
{
    if (model->ending_count > 0 || model->mass_cancel_count > 0 || model_job_due_left(model) ||
        (model->market_count > 0 && model_due_gate_ns(model, model->gate_hour) <= model->time_ns)) {
        return true;
    }
    for (uint32_t i = 0; i < model->market_count; i++) {
        if (model->markets[i].delisting || model->markets[i].resumed != 0) {
            return true;
        }
    }
    if (model_auction_due(model)) {
        return true;
    }
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (model_due_over(model, order) != REASON_NONE ||
            (model_order_reserved(order) && order->waits == 0 &&
             order->release_ns <= model->time_ns)) {
            return true;
        }
    }
    return false;
}
