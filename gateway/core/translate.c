#include "gateway/core/translate.h"

#include <string.h>

#include "base/check.h"
#include "wire/seal.h"

bool translate_allowed(const struct request *request, uint8_t roles)
{
    switch (request->type) {
    case REQUEST_LOGIN:
    case REQUEST_LOGOUT:
    case REQUEST_HEARTBEAT:
    case REQUEST_ORDER_STATUS:
    case REQUEST_ORDERS:
    case REQUEST_TRADES:
    case REQUEST_BOOK:
    case REQUEST_REPORTS:
        return true;
    case REQUEST_ACCOUNT: /* another's account is the operator's to see */
        return request->account.account == 0 || (roles & ROLE_OPERATOR) != 0;
    case REQUEST_LIST:
        return request->list.what <= LIST_RESOURCES || request->list.what == LIST_FEES ||
               (roles & ROLE_OPERATOR) != 0;
    case REQUEST_NEW_ORDER:
    case REQUEST_REPLACE_ORDER:
    case REQUEST_CANCEL_ORDER:
    case REQUEST_MASS_CANCEL:
    case REQUEST_NEW_RANGE:
        return (roles & (ROLE_PROVIDER | ROLE_BUYER)) != 0;
    case REQUEST_NEW_SET:
    case REQUEST_NEW_JOB:
    case REQUEST_TAKE_OFFER:
        return (roles & ROLE_BUYER) != 0;
    default:
        return (roles & ROLE_OPERATOR) != 0;
    }
}

/* Texts of commands are padded with NULs; the slot is zero before. */
static void put_text(char *to, size_t size, const char *from)
{
    const size_t length = strnlen(from, size);
    memcpy(to, from, length < size ? length : size - 1);
}

static void name_field(char field[CODEC_FIELD_SIZE], const char *name)
{
    memcpy(field, name, strlen(name) + 1);
}

static uint16_t put_new_order(struct registry *registry, const struct request_new_order *from,
                              struct command_new_order *to, char field[CODEC_FIELD_SIZE])
{
    if (!registry_contract(registry, from->symbol, &to->contract)) {
        name_field(field, "symbol");
        return REASON_UNKNOWN_SYMBOL;
    }
    to->price_e4 = from->price_e4;
    to->qty = from->qty;
    to->min_qty = from->min_qty;
    to->display_qty = from->display_qty;
    to->expire_time_ns = from->expire_time_ns;
    to->resource = from->resource;
    to->flags = from->post_only != 0 ? ORDER_POST_ONLY : 0;
    to->job_lead_hours = from->job_lead_hours;
    to->side = from->side;
    to->ord_type = from->ord_type;
    to->tif = from->tif;
    to->stp = from->stp;
    return 0;
}

static uint16_t put_new_range(struct registry *registry, const struct request_new_range *from,
                              struct command_new_range *to, char field[CODEC_FIELD_SIZE])
{
    if (!registry_contract(registry, from->symbol, &to->contract)) {
        name_field(field, "symbol");
        return REASON_UNKNOWN_SYMBOL;
    }
    to->price_e4 = from->price_e4;
    to->qty = from->qty;
    to->hours = from->hours;
    to->resource = from->resource;
    to->flags = from->post_only != 0 ? ORDER_POST_ONLY : 0;
    to->job_lead_hours = from->job_lead_hours;
    to->stp = from->stp;
    return 0;
}

/* Names of a class and a region; an empty one is left out, and its id stays 0. */
static uint16_t find_scope(const struct registry *registry, const char *class_name,
                           const char *region, uint16_t *class_id, uint16_t *region_id,
                           char field[CODEC_FIELD_SIZE])
{
    if (class_name[0] != 0 &&
        !contract_class_find(&registry->names, class_name, strlen(class_name), class_id)) {
        name_field(field, "class");
        return REASON_UNKNOWN_NAME;
    }
    if (region[0] != 0 &&
        !contract_region_find(&registry->names, region, strlen(region), region_id)) {
        name_field(field, "region");
        return REASON_UNKNOWN_NAME;
    }
    return 0;
}

static uint16_t put_mass_cancel(const struct registry *registry,
                                const struct request_mass_cancel *from,
                                struct command_mass_cancel *to, char field[CODEC_FIELD_SIZE])
{
    to->hour_from = from->hour_from;
    to->hour_to = from->hour_to;
    to->filter = (uint8_t)((from->own_key != 0 ? MASS_CANCEL_OWN_KEY : 0) |
                           (from->class_name[0] != 0 ? MASS_CANCEL_CLASS : 0) |
                           (from->region[0] != 0 ? MASS_CANCEL_REGION : 0) |
                           (from->hour_to != 0 ? MASS_CANCEL_HOURS : 0));
    return find_scope(registry, from->class_name, from->region, &to->class_id, &to->region_id,
                      field);
}

static uint16_t put_market(const struct registry *registry, const struct request_set_market *from,
                           struct command_set_market *to, char field[CODEC_FIELD_SIZE])
{
    memcpy(to->launch_price_e4, from->launch_price_e4, sizeof to->launch_price_e4);
    to->inner_band_bp = from->inner_band_bp;
    to->outer_band_bp = from->outer_band_bp;
    to->mode = from->mode;
    to->opening_s = from->opening_s;
    to->volatility_s = from->volatility_s;
    to->volatility_min_qty = from->volatility_min_qty;
    to->period_s = from->period_s;
    to->random_end_s = from->random_end_s;
    to->flags = (uint8_t)((from->no_resale != 0 ? MARKET_NO_RESALE : 0) |
                          (from->names_shown != 0 ? MARKET_NAMES_SHOWN : 0));
    return find_scope(registry, from->class_name, from->region, &to->class_id, &to->region_id,
                      field);
}

static uint16_t put_resource(const struct registry *registry,
                             const struct request_register_resource *from,
                             union command_slot slots[TRANSLATE_SLOTS_MAX],
                             char field[CODEC_FIELD_SIZE])
{
    struct command_register_resource *to = &slots[0].command.register_resource;
    struct command_resource_identity *identity = &slots[1].identity;
    put_text(to->node, sizeof to->node, from->node);
    to->account = from->account;
    to->gpus = from->gpus;
    to->pue_e4 = from->pue_e4;
    to->bandwidth_mbps = from->bandwidth_mbps;
    to->tier = from->tier;
    put_text(identity->identifier, sizeof identity->identifier, from->identifier);
    put_text(identity->energy_source, sizeof identity->energy_source, from->energy_source);
    slots[0].command.head.slots = 2;
    return find_scope(registry, from->class_name, from->region, &to->class_id, &to->region_id,
                      field);
}

static uint16_t put_reference(const struct registry *registry,
                              const struct request_set_reference *from,
                              struct command_set_reference *to, char field[CODEC_FIELD_SIZE])
{
    to->price_e4 = from->price_e4;
    to->day = from->day;
    to->tier = from->tier;
    return find_scope(registry, from->class_name, from->region, &to->class_id, &to->region_id,
                      field);
}

static uint16_t put_halt(const struct registry *registry, const struct request_halt *from,
                         struct command_halt *to, char field[CODEC_FIELD_SIZE])
{
    to->filter = (uint8_t)((from->class_name[0] != 0 ? SCOPE_CLASS : 0) |
                           (from->region[0] != 0 ? SCOPE_REGION : 0));
    return find_scope(registry, from->class_name, from->region, &to->class_id, &to->region_id,
                      field);
}

static void put_register_class(const struct request_register_class *from,
                               struct command_register_class *to)
{
    put_text(to->name, sizeof to->name, from->name);
    to->lot = from->lot;
    to->memory_gib = from->memory_gib;
    to->bf16_gflops = from->bf16_gflops;
    to->host_power_w = from->host_power_w;
}

static void put_register_key(const struct request_register_key *from,
                             struct command_register_key *to)
{
    memcpy(to->public_key, from->public_key, sizeof to->public_key);
    put_text(to->name, sizeof to->name, from->name);
    to->account = from->account;
    to->roles = from->roles;
}

static void put_limits(const struct request_set_limits *from, struct command_set_limits *to)
{
    to->order_qty_limit = from->order_qty_limit;
    to->account = from->account;
    to->rate_limit = from->rate_limit;
    to->open_orders_limit = from->open_orders_limit;
    to->fees = from->fees;
    to->fields = from->fields;
}

static void put_cash(const struct request_cash *from, struct command_cash *to)
{
    to->amount_e4 = from->amount_e4;
    to->account = from->account;
    put_text(to->reference, sizeof to->reference, from->reference);
}

/* Requests that only an operator makes. */
static uint16_t put_operation(const struct registry *registry, const struct request *request,
                              union command_slot slots[TRANSLATE_SLOTS_MAX],
                              char field[CODEC_FIELD_SIZE])
{
    struct command *command = &slots[0].command;
    switch (request->type) {
    case REQUEST_REGISTER_CLASS:
        put_register_class(&request->register_class, &command->register_class);
        return 0;
    case REQUEST_REGISTER_REGION:
        put_text(command->register_region.name, NAME_SIZE, request->register_region.name);
        command->register_region.grid_g_per_kwh_e2 = request->register_region.grid_g_per_kwh_e2;
        command->register_region.carbon_free_bp = request->register_region.carbon_free_bp;
        return 0;
    case REQUEST_SET_MARKET:
        return put_market(registry, &request->set_market, &command->set_market, field);
    case REQUEST_REGISTER_GROUP:
        put_text(command->register_group.name, LABEL_SIZE, request->register_group.name);
        return 0;
    case REQUEST_OPEN_ACCOUNT:
        put_text(command->open_account.name, LABEL_SIZE, request->open_account.name);
        command->open_account.group = request->open_account.group;
        command->open_account.roles = request->open_account.roles;
        command->open_account.fees = request->open_account.fees;
        return 0;
    case REQUEST_REGISTER_KEY:
        put_register_key(&request->register_key, &command->register_key);
        return 0;
    case REQUEST_REVOKE_KEY:
        command->revoke_key.key = request->revoke_key.key;
        return 0;
    case REQUEST_REGISTER_RESOURCE:
        return put_resource(registry, &request->register_resource, slots, field);
    case REQUEST_REGISTER_FEES:
        command->register_fees.maker_bp = request->register_fees.maker_bp;
        command->register_fees.taker_bp = request->register_fees.taker_bp;
        return 0;
    case REQUEST_SET_LIMITS:
        put_limits(&request->set_limits, &command->set_limits);
        return 0;
    case REQUEST_DEPOSIT:
    case REQUEST_WITHDRAW:
    case REQUEST_SET_CREDIT:
        put_cash(&request->cash, &command->cash);
        return 0;
    case REQUEST_SET_REFERENCE:
        return put_reference(registry, &request->set_reference, &command->set_reference, field);
    case REQUEST_HALT:
    case REQUEST_RESUME:
        return put_halt(registry, &request->halt, &command->halt, field);
    case REQUEST_KILL:
    case REQUEST_REVIVE:
        command->kill.account = request->kill.account;
        return 0;
    case REQUEST_ADVANCE:
        command->advance.delta_ns = request->advance.delta_ns;
        return 0;
    default:
        return REASON_UNKNOWN_TYPE;
    }
}

static void begin(union command_slot *slot, uint32_t key, uint32_t session, uint8_t type)
{
    memset(slot, 0, sizeof *slot);
    slot->command.head.key = key;
    slot->command.head.session = session;
    slot->command.head.type = type;
    slot->command.head.slots = 1;
}

uint16_t translate_request(struct registry *registry, const struct request *request, uint32_t key,
                           uint32_t session, struct translation *translation)
{
    union command_slot *slots = translation->slots;
    char *field = translation->field;
    struct command *command = &slots[0].command;
    uint16_t reason;
    begin(&slots[0], key, session, request->type);
    command->head.cl_ord_id = request->cl_ord_id;
    field[0] = 0;
    switch (request->type) {
    case REQUEST_NEW_ORDER:
        reason = put_new_order(registry, &request->new_order, &command->new_order, field);
        break;
    case REQUEST_REPLACE_ORDER:
        command->replace_order.order_id = request->replace_order.order_id;
        command->replace_order.price_e4 = request->replace_order.price_e4;
        command->replace_order.qty = request->replace_order.qty;
        reason = 0;
        break;
    case REQUEST_CANCEL_ORDER:
        command->cancel_order.order_id = request->cancel_order.order_id;
        reason = 0;
        break;
    case REQUEST_TAKE_OFFER:
        command->take_offer.order_id = request->take_offer.order_id;
        command->take_offer.qty = request->take_offer.qty;
        reason = 0;
        break;
    case REQUEST_MASS_CANCEL:
        reason = put_mass_cancel(registry, &request->mass_cancel, &command->mass_cancel, field);
        break;
    case REQUEST_NEW_RANGE:
        reason = put_new_range(registry, &request->new_range, &command->new_range, field);
        break;
    case REQUEST_NEW_SET:
        memset(&slots[1], 0, sizeof translation->slots - sizeof slots[0]);
        reason = enter_set(&registry->names, &request->new_set, slots, field);
        break;
    case REQUEST_NEW_JOB:
        memset(&slots[1], 0, sizeof translation->slots - sizeof slots[0]);
        reason = enter_job(&registry->names, &request->new_job, slots, field);
        break;
    default:
        memset(&slots[1], 0, sizeof slots[1]);
        reason = put_operation(registry, request, slots, field);
        break;
    }
    if (reason != 0) {
        return reason;
    }
    translation->count = command->head.slots;
    CHECK(translation->count <= TRANSLATE_SLOTS_MAX);
    seal_command(command);
    return 0;
}

void translate_login(uint32_t key, uint64_t nonce, bool cancel_on_disconnect,
                     union command_slot *slot)
{
    begin(slot, key, 0, COMMAND_LOGIN);
    slot->command.login.nonce = nonce;
    slot->command.login.cancel_on_disconnect = cancel_on_disconnect ? 1 : 0;
    seal_command(&slot->command);
}

void translate_logout(uint32_t key, uint32_t session, union command_slot *slot)
{
    begin(slot, key, session, COMMAND_LOGOUT);
    seal_command(&slot->command);
}
