/* The operator's commands: registry, cash, references, halt, kill, clock. Checks stand in the order
 * of wire/reject.h. */
#include <string.h>

#include "base/check.h"
#include "tests/model_job.h"

/* Appends the answer to the operator who asked. */
static struct event *answer(struct model *model, uint8_t type)
{
    return model_emit_report(model, type, model->command->head.key, model->command->head.cl_ord_id);
}

/* The field's value is not within its range. */
static enum reject_reason out_of_range(struct model *model, enum reject_field field)
{
    model->refused_field = field;
    return REASON_VALUE_OUT_OF_RANGE;
}

/* Text for people: no control characters, and nothing but NUL after the first NUL, of which there
 * is at least one. */
static bool text_or_empty(const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    if (end == NULL) {
        return false;
    }
    for (const char *c = text; c < end; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return false;
        }
    }
    for (const char *c = end; c < text + size; c++) {
        if (*c != 0) {
            return false;
        }
    }
    return true;
}

static bool text_valid(const char *text, size_t size)
{
    return text[0] != 0 && text_or_empty(text, size);
}

static bool name_valid(const char *name)
{
    if (!text_valid(name, NAME_SIZE) || name[0] == '-') {
        return false;
    }
    for (const char *c = name; *c != 0; c++) {
        bool ok = (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' ||
                  (*c >= 'a' && *c <= 'z');
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool label_valid(const char *label)
{
    return text_valid(label, LABEL_SIZE);
}

static enum reject_reason register_class(struct model *model)
{
    const struct command_register_class *request = &model->command->register_class;
    if (!name_valid(request->name)) {
        return REASON_NAME_INVALID;
    }
    for (uint32_t i = 0; i < model->class_count; i++) {
        if (memcmp(model->classes[i].name, request->name, NAME_SIZE) == 0) {
            return REASON_NAME_TAKEN;
        }
    }
    if (request->lot < 1 || request->lot > 1024) {
        return out_of_range(model, REJECT_FIELD_LOT);
    }
    if (model->class_count == CLASS_COUNT_MAX) {
        return REASON_FULL;
    }
    struct model_class *class_ = &model->classes[model->class_count];
    memcpy(class_->name, request->name, NAME_SIZE);
    class_->lot = request->lot;
    struct event_class *event = &answer(model, EVENT_CLASS)->class_;
    memcpy(event->name, request->name, NAME_SIZE);
    event->lot = request->lot;
    event->memory_gib = request->memory_gib;
    event->bf16_gflops = request->bf16_gflops;
    event->host_power_w = request->host_power_w;
    event->class_id = (uint16_t)model->class_count++;
    return REASON_NONE;
}

static enum reject_reason register_region(struct model *model)
{
    const struct command_register_region *request = &model->command->register_region;
    if (!name_valid(request->name)) {
        return REASON_NAME_INVALID;
    }
    for (uint32_t i = 0; i < model->region_count; i++) {
        if (memcmp(model->regions[i].name, request->name, NAME_SIZE) == 0) {
            return REASON_NAME_TAKEN;
        }
    }
    if (request->carbon_free_bp > BP_ONE) {
        return out_of_range(model, REJECT_FIELD_CARBON_FREE_BP);
    }
    if (model->region_count == REGION_COUNT_MAX) {
        return REASON_FULL;
    }
    memcpy(model->regions[model->region_count].name, request->name, NAME_SIZE);
    struct event_region *event = &answer(model, EVENT_REGION)->region;
    memcpy(event->name, request->name, NAME_SIZE);
    event->grid_g_per_kwh_e2 = request->grid_g_per_kwh_e2;
    event->carbon_free_bp = request->carbon_free_bp;
    event->region_id = (uint16_t)model->region_count++;
    return REASON_NONE;
}

static enum reject_reason check_market_terms(struct model *model,
                                             const struct command_set_market *terms)
{
    static const enum reject_field launch[TIER_COUNT] = {
        REJECT_FIELD_LAUNCH_PRICE_G0_E4, REJECT_FIELD_LAUNCH_PRICE_G50_E4,
        REJECT_FIELD_LAUNCH_PRICE_G80_E4, REJECT_FIELD_LAUNCH_PRICE_G100_E4};
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        if (terms->launch_price_e4[tier] < 0 || terms->launch_price_e4[tier] > PRICE_MAX_E4) {
            return out_of_range(model, launch[tier]);
        }
    }
    if (terms->mode > MODE_LISTING) {
        return out_of_range(model, REJECT_FIELD_MODE);
    }
    if ((terms->flags & ~(MARKET_NO_RESALE | MARKET_NAMES_SHOWN)) != 0) {
        return out_of_range(model, REJECT_FIELD_NONE);
    }
    if (terms->inner_band_bp < 1 || terms->inner_band_bp > terms->outer_band_bp) {
        return out_of_range(model, REJECT_FIELD_INNER_BAND_BP);
    }
    if (terms->outer_band_bp > 10000000) {
        return out_of_range(model, REJECT_FIELD_OUTER_BAND_BP);
    }
    if (terms->opening_s > 86400) {
        return out_of_range(model, REJECT_FIELD_OPENING_S);
    }
    if (terms->volatility_s > 86400) {
        return out_of_range(model, REJECT_FIELD_VOLATILITY_S);
    }
    if (terms->period_s > 86400 || (terms->mode == MODE_AUCTION && terms->period_s == 0)) {
        return out_of_range(model, REJECT_FIELD_PERIOD_S);
    }
    if (terms->random_end_s > 600) {
        return out_of_range(model, REJECT_FIELD_RANDOM_END_S);
    }
    return terms->volatility_min_qty > QTY_MAX
               ? out_of_range(model, REJECT_FIELD_VOLATILITY_MIN_QTY)
               : REASON_NONE;
}

static enum reject_reason set_market(struct model *model)
{
    const struct command_set_market *request = &model->command->set_market;
    if (request->class_id >= model->class_count) {
        return REASON_UNKNOWN_CLASS;
    }
    if (request->region_id >= model->region_count) {
        return REASON_UNKNOWN_REGION;
    }
    if (check_market_terms(model, request) != REASON_NONE) {
        return REASON_VALUE_OUT_OF_RANGE;
    }
    struct model_market *market = model_market_find(model, request->class_id, request->region_id);
    if (market == NULL) {
        if (model->market_count >= model->limits.markets) {
            return REASON_FULL;
        }
        CHECK(model->market_count < MODEL_MARKETS_MAX);
        market = &model->markets[model->market_count++];
        *market = (struct model_market){.terms = {.mode = MODE_NONE}};
        market->terms.class_id = request->class_id;
        market->terms.region_id = request->region_id;
    }
    bool changed = market->terms.mode != request->mode;
    if (changed && market->delisting) {
        return REASON_BUSY;
    }
    if (changed) {
        model_auction_end_all(model, request);
    }
    if (changed && request->mode == MODE_LISTING) {
        market->delisting = true;
        market->delisted = ++model->delistings;
    }
    market->terms = *request;
    struct event_market *event = &answer(model, EVENT_MARKET)->market;
    memcpy(event->launch_price_e4, request->launch_price_e4, sizeof(event->launch_price_e4));
    event->inner_band_bp = request->inner_band_bp;
    event->outer_band_bp = request->outer_band_bp;
    event->class_id = request->class_id;
    event->region_id = request->region_id;
    event->mode = request->mode;
    event->flags = request->flags;
    event->random_end_s = request->random_end_s;
    event->opening_s = request->opening_s;
    event->volatility_s = request->volatility_s;
    event->period_s = request->period_s;
    event->volatility_min_qty = request->volatility_min_qty;
    model_job_due_market(model, request->class_id, request->region_id);
    model_due_market_moved(model, market);
    return REASON_NONE;
}

static enum reject_reason register_group(struct model *model)
{
    const struct command_register_group *request = &model->command->register_group;
    if (!label_valid(request->name)) {
        return REASON_NAME_INVALID;
    }
    for (uint32_t i = 1; i <= model->group_count; i++) {
        if (memcmp(model->groups[i].name, request->name, LABEL_SIZE) == 0) {
            return REASON_NAME_TAKEN;
        }
    }
    if (model->group_count >= model->limits.groups) {
        return REASON_FULL;
    }
    CHECK(model->group_count + 1 < MODEL_GROUPS_MAX);
    model->group_count++;
    memcpy(model->groups[model->group_count].name, request->name, LABEL_SIZE);
    struct event_group *event = &answer(model, EVENT_GROUP)->group;
    memcpy(event->name, request->name, LABEL_SIZE);
    event->group = model->group_count;
    return REASON_NONE;
}

static enum reject_reason open_account(struct model *model)
{
    const struct command_open_account *request = &model->command->open_account;
    if (!label_valid(request->name)) {
        return REASON_NAME_INVALID;
    }
    if (request->group == 0 || request->group > model->group_count) {
        return REASON_UNKNOWN_GROUP;
    }
    if (request->fees >= model->fees_count) {
        return REASON_UNKNOWN_FEES;
    }
    if (request->roles == 0 || request->roles > 15) {
        return out_of_range(model, REJECT_FIELD_ROLES);
    }
    if (model->account_count >= model->limits.accounts) {
        return REASON_FULL;
    }
    CHECK(model->account_count + 1 < MODEL_ACCOUNTS_MAX);
    model->account_count++;
    struct model_account *account = &model->accounts[model->account_count];
    *account = (struct model_account){.order_qty_limit = model->rules.order_qty_limit,
                                      .group = request->group,
                                      .rate_limit = model->rules.rate_limit,
                                      .open_orders_limit = model->rules.open_orders_limit,
                                      .roles = request->roles,
                                      .fees = request->fees};
    memcpy(account->name, request->name, LABEL_SIZE);
    struct event_account *event = &answer(model, EVENT_ACCOUNT)->account;
    memcpy(event->name, request->name, LABEL_SIZE);
    event->account = model->account_count;
    event->group = request->group;
    event->roles = request->roles;
    event->fees = request->fees;
    return REASON_NONE;
}

static void answer_key(struct model *model, uint8_t type, uint32_t id)
{
    const struct model_key *key = &model->keys[id];
    struct event_key *event = &answer(model, type)->key;
    memcpy(event->public_key, key->public_key, PUBLIC_KEY_SIZE);
    if (type == EVENT_KEY) {
        memcpy(event->name, key->name, LABEL_SIZE);
    }
    event->key = id;
    event->account = key->account;
    event->roles = key->roles;
}

static enum reject_reason register_key(struct model *model)
{
    const struct command_register_key *request = &model->command->register_key;
    if (!text_or_empty(request->name, LABEL_SIZE)) {
        return REASON_NAME_INVALID;
    }
    if (request->account == 0 || request->account > model->account_count) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    if (request->roles == 0 || (request->roles & ~model->accounts[request->account].roles) != 0) {
        return out_of_range(model, REJECT_FIELD_ROLES);
    }
    for (uint32_t i = 1; i <= model->key_count; i++) {
        if (memcmp(model->keys[i].public_key, request->public_key, PUBLIC_KEY_SIZE) == 0) {
            return REASON_KEY_TAKEN;
        }
    }
    if (model->key_count >= model->limits.keys) {
        return REASON_FULL;
    }
    CHECK(model->key_count + 1 < MODEL_KEYS_MAX);
    model->key_count++;
    struct model_key *key = &model->keys[model->key_count];
    *key = (struct model_key){.account = request->account, .roles = request->roles};
    memcpy(key->public_key, request->public_key, PUBLIC_KEY_SIZE);
    memcpy(key->name, request->name, LABEL_SIZE);
    answer_key(model, EVENT_KEY, model->key_count);
    return REASON_NONE;
}

static uint32_t operator_keys(const struct model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= model->key_count; i++) {
        count += !model->keys[i].revoked && (model->keys[i].roles & ROLE_OPERATOR) != 0;
    }
    return count;
}

static enum reject_reason revoke_key(struct model *model)
{
    uint32_t id = model->command->revoke_key.key;
    if (id == 0 || id > model->key_count || model->keys[id].revoked) {
        return REASON_UNKNOWN_KEY;
    }
    struct model_key *key = &model->keys[id];
    if ((key->roles & ROLE_OPERATOR) != 0 && operator_keys(model) == 1) {
        return REASON_LAST_OPERATOR_KEY;
    }
    answer_key(model, EVENT_KEY_REVOKED, id); /* the name is not kept */
    key->revoked = true;
    key->link = 0;
    model_due_end_key(model, id, REASON_DISCONNECTED);
    return REASON_NONE;
}

static enum reject_reason check_resource(struct model *model,
                                         const struct command_register_resource *request,
                                         const struct command_resource_identity *identity)
{
    const char *identifier = identity->identifier;
    if (!text_valid(identifier, IDENTIFIER_SIZE) || !text_or_empty(request->node, LABEL_SIZE) ||
        !text_or_empty(identity->energy_source, LABEL_SIZE)) {
        return REASON_NAME_INVALID;
    }
    for (uint32_t i = 1; i <= model->resource_count; i++) {
        if (memcmp(model->resources[i].identifier, identifier, IDENTIFIER_SIZE) == 0) {
            return REASON_NAME_TAKEN;
        }
    }
    if (request->class_id >= model->class_count) {
        return REASON_UNKNOWN_CLASS;
    }
    if (request->region_id >= model->region_count) {
        return REASON_UNKNOWN_REGION;
    }
    if (request->account == 0 || request->account > model->account_count) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    if (request->gpus < 1 || request->gpus > QTY_MAX) {
        return out_of_range(model, REJECT_FIELD_GPUS);
    }
    if (request->tier >= TIER_COUNT) {
        return out_of_range(model, REJECT_FIELD_TIER);
    }
    return model->resource_count >= model->limits.resources ? REASON_FULL : REASON_NONE;
}

static enum reject_reason register_resource(struct model *model)
{
    const union command_slot *slots = (const union command_slot *)(const void *)model->command;
    const struct command_register_resource *request = &model->command->register_resource;
    const char *identifier = slots[1].identity.identifier;
    enum reject_reason reason = check_resource(model, request, &slots[1].identity);
    if (reason != REASON_NONE) {
        return reason;
    }
    CHECK(model->resource_count + 1 < MODEL_RESOURCES_MAX);
    uint32_t id = ++model->resource_count;
    model->resources[id].terms = *request;
    memcpy(model->resources[id].identifier, identifier, IDENTIFIER_SIZE);
    struct event_resource *event = &answer(model, EVENT_RESOURCE)->resource;
    memcpy(event->node, request->node, LABEL_SIZE);
    event->resource = id;
    event->account = request->account;
    event->gpus = request->gpus;
    event->pue_e4 = request->pue_e4;
    event->bandwidth_mbps = request->bandwidth_mbps;
    event->class_id = request->class_id;
    event->region_id = request->region_id;
    event->tier = request->tier;
    uint16_t link = model->keys[model->command->head.key].link;
    struct event_resource_identity *identity =
        &model_emit(model, EVENT_RESOURCE_IDENTITY, link)->identity;
    memcpy(identity->identifier, identifier, IDENTIFIER_SIZE);
    identity->resource = id;
    return REASON_NONE;
}

static enum reject_reason register_fees(struct model *model)
{
    const struct command_register_fees *request = &model->command->register_fees;
    if (request->maker_bp > FEE_MAX_BP) {
        return out_of_range(model, REJECT_FIELD_MAKER_BP);
    }
    if (request->taker_bp > FEE_MAX_BP) {
        return out_of_range(model, REJECT_FIELD_TAKER_BP);
    }
    if (model->fees_count == MODEL_FEES_MAX) {
        return REASON_FULL;
    }
    model->fees[model->fees_count] =
        (struct model_fees){.maker_bp = request->maker_bp, .taker_bp = request->taker_bp};
    struct event_fees *event = &answer(model, EVENT_FEES)->fees;
    event->maker_bp = request->maker_bp;
    event->taker_bp = request->taker_bp;
    event->fees = (uint8_t)model->fees_count++;
    return REASON_NONE;
}

static enum reject_reason set_limits(struct model *model)
{
    const struct command_set_limits *request = &model->command->set_limits;
    if (request->account == 0 || request->account > model->account_count) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    struct model_account *account = &model->accounts[request->account];
    if ((request->fields & LIMITS_FEES) != 0 && request->fees >= model->fees_count) {
        return REASON_UNKNOWN_FEES;
    }
    if (request->fields > 15) {
        return out_of_range(model, REJECT_FIELD_NONE);
    }
    if ((request->fields & LIMITS_ORDER_QTY) != 0 &&
        (request->order_qty_limit < 0 || request->order_qty_limit > QTY_MAX)) {
        return out_of_range(model, REJECT_FIELD_ORDER_QTY_LIMIT);
    }
    if ((request->fields & LIMITS_RATE) != 0 && request->rate_limit == 0) {
        return out_of_range(model, REJECT_FIELD_RATE_LIMIT);
    }
    if ((request->fields & LIMITS_RATE) != 0) {
        account->rate_limit = request->rate_limit;
    }
    if ((request->fields & LIMITS_OPEN_ORDERS) != 0) {
        account->open_orders_limit = request->open_orders_limit;
    }
    if ((request->fields & LIMITS_ORDER_QTY) != 0) {
        account->order_qty_limit = request->order_qty_limit;
    }
    if ((request->fields & LIMITS_FEES) != 0) {
        account->fees = request->fees;
    }
    struct event_limits *event = &answer(model, EVENT_LIMITS)->limits;
    event->order_qty_limit = account->order_qty_limit;
    event->account = request->account;
    event->rate_limit = account->rate_limit;
    event->open_orders_limit = account->open_orders_limit;
    event->fees = account->fees;
    return REASON_NONE;
}

/* Cash that no order and no fill holds; credit cannot be taken out. */
static int64_t free_cash_e4(const struct model *model, uint32_t account)
{
    return model_money_available_e4(model, account) - model->accounts[account].credit_e4;
}

static enum reject_reason check_cash(const struct model *model, const struct command_cash *request)
{
    if (!text_or_empty(request->reference, LABEL_SIZE)) {
        return REASON_NAME_INVALID;
    }
    if (request->account == 0 || request->account > model->account_count) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    const struct model_account *account = &model->accounts[request->account];
    uint8_t type = model->command->head.type;
    int64_t least_e4 = type == COMMAND_SET_CREDIT ? 0 : 1;
    if (request->amount_e4 < least_e4 || request->amount_e4 > MONEY_MAX_E4 ||
        (type == COMMAND_DEPOSIT &&
         request->amount_e4 > MONEY_MAX_E4 - (account->cash_e4 + account->escrow_e4))) {
        return REASON_AMOUNT_OUT_OF_RANGE;
    }
    if (type == COMMAND_WITHDRAW && request->amount_e4 > free_cash_e4(model, request->account)) {
        return REASON_INSUFFICIENT_CASH;
    }
    return REASON_NONE;
}

static enum reject_reason move_cash(struct model *model)
{
    const struct command_cash *request = &model->command->cash;
    enum reject_reason reason = check_cash(model, request);
    if (reason != REASON_NONE) {
        return reason;
    }
    struct model_account *account = &model->accounts[request->account];
    uint8_t type = model->command->head.type;
    int64_t change_e4 = 0;
    if (type == COMMAND_SET_CREDIT) {
        account->credit_e4 = request->amount_e4;
    } else {
        change_e4 = type == COMMAND_DEPOSIT ? request->amount_e4 : -request->amount_e4;
        account->cash_e4 += change_e4;
    }
    struct event_cash *event = &answer(model, EVENT_CASH)->cash;
    event->amount_e4 = change_e4;
    event->cash_e4 = account->cash_e4;
    event->credit_e4 = account->credit_e4;
    event->account = request->account;
    event->request = type;
    memcpy(event->reference, request->reference, LABEL_SIZE);
    return REASON_NONE;
}

static void remember_reference(struct model *model, const struct command_set_reference *request)
{
    struct model_reference *reference = NULL;
    for (uint32_t i = 0; i < model->reference_count; i++) {
        if (model->references[i].class_id == request->class_id &&
            model->references[i].region_id == request->region_id &&
            model->references[i].tier == request->tier) {
            reference = &model->references[i];
        }
    }
    if (reference == NULL) {
        CHECK(model->reference_count < MODEL_REFERENCES_MAX);
        reference = &model->references[model->reference_count++];
    }
    *reference = (struct model_reference){.class_id = request->class_id,
                                          .region_id = request->region_id,
                                          .tier = request->tier,
                                          .price_e4 = request->price_e4};
}

static enum reject_reason set_reference(struct model *model)
{
    const struct command_set_reference *request = &model->command->set_reference;
    if (request->class_id >= model->class_count) {
        return REASON_UNKNOWN_CLASS;
    }
    if (request->region_id >= model->region_count) {
        return REASON_UNKNOWN_REGION;
    }
    if (model_market_find(model, request->class_id, request->region_id) == NULL) {
        return REASON_NO_MARKET;
    }
    if (request->price_e4 < 1 || request->price_e4 > PRICE_MAX_E4) {
        return out_of_range(model, REJECT_FIELD_PRICE_E4);
    }
    if (request->tier >= TIER_COUNT) {
        return out_of_range(model, REJECT_FIELD_TIER);
    }
    remember_reference(model, request);
    struct event_reference *event = &answer(model, EVENT_REFERENCE)->reference;
    event->price_e4 = request->price_e4;
    event->day = request->day;
    event->class_id = request->class_id;
    event->region_id = request->region_id;
    event->tier = request->tier;
    model_job_due_market(model, request->class_id, request->region_id);
    return REASON_NONE;
}

static enum reject_reason halt(struct model *model)
{
    const struct command_halt *request = &model->command->halt;
    bool by_class = (request->filter & SCOPE_CLASS) != 0;
    bool by_region = (request->filter & SCOPE_REGION) != 0;
    if (by_class && request->class_id >= model->class_count) {
        return REASON_UNKNOWN_CLASS;
    }
    if (by_region && request->region_id >= model->region_count) {
        return REASON_UNKNOWN_REGION;
    }
    bool halted = model->command->head.type == COMMAND_HALT;
    for (uint32_t i = 0; i < model->market_count; i++) {
        struct model_market *market = &model->markets[i];
        if ((!by_class || market->terms.class_id == request->class_id) &&
            (!by_region || market->terms.region_id == request->region_id)) {
            market->halted = halted;
            if (!halted) {
                model_job_due_market(model, market->terms.class_id, market->terms.region_id);
                model_due_market_moved(model, market);
            }
        }
    }
    struct event_halt *event = &answer(model, EVENT_HALT)->halt;
    event->class_id = request->class_id;
    event->region_id = request->region_id;
    event->filter = request->filter;
    event->halted = halted;
    return REASON_NONE;
}

static void kill_account(struct model *model, uint32_t account, bool killed)
{
    model->accounts[account].killed = killed;
    for (uint32_t key = 1; killed && key <= model->key_count; key++) {
        if (model->keys[key].account == account) {
            model_due_end_key(model, key, REASON_KILLED);
        }
    }
}

static enum reject_reason kill_or_revive(struct model *model)
{
    uint32_t account = model->command->kill.account;
    if (account > model->account_count) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    bool killed = model->command->head.type == COMMAND_KILL;
    struct event_kill *event = &answer(model, EVENT_KILL)->kill;
    event->account = account;
    event->killed = killed;
    for (uint32_t i = 1; i <= model->account_count; i++) {
        if (account == i || (account == 0 && (model->accounts[i].roles & ROLE_OPERATOR) == 0)) {
            kill_account(model, i, killed);
        }
    }
    return REASON_NONE;
}

static enum reject_reason advance(struct model *model)
{
    int64_t delta_ns = model->command->advance.delta_ns;
    if (delta_ns < 1) {
        return REASON_NOT_SIMULATED;
    }
    if (delta_ns > 60 * NS_PER_SECOND) {
        return out_of_range(model, REJECT_FIELD_DELTA_NS);
    }
    answer(model, EVENT_TIME);
    return REASON_NONE;
}

static const struct {
    uint8_t type;
    enum reject_reason (*carry_out)(struct model *model);
} commands[] = {
    {COMMAND_REGISTER_CLASS, register_class},
    {COMMAND_REGISTER_REGION, register_region},
    {COMMAND_SET_MARKET, set_market},
    {COMMAND_REGISTER_GROUP, register_group},
    {COMMAND_OPEN_ACCOUNT, open_account},
    {COMMAND_REGISTER_KEY, register_key},
    {COMMAND_REVOKE_KEY, revoke_key},
    {COMMAND_REGISTER_RESOURCE, register_resource},
    {COMMAND_REGISTER_FEES, register_fees},
    {COMMAND_SET_LIMITS, set_limits},
    {COMMAND_DEPOSIT, move_cash},
    {COMMAND_WITHDRAW, move_cash},
    {COMMAND_SET_CREDIT, move_cash},
    {COMMAND_SET_REFERENCE, set_reference},
    {COMMAND_HALT, halt},
    {COMMAND_RESUME, halt},
    {COMMAND_KILL, kill_or_revive},
    {COMMAND_REVIVE, kill_or_revive},
    {COMMAND_ADVANCE, advance},
};

bool model_registry_command(struct model *model)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].type == model->command->head.type) {
            enum reject_reason reason = commands[i].carry_out(model);
            if (reason != REASON_NONE) {
                model_reject(model, reason);
            }
            return true;
        }
    }
    return false;
}
