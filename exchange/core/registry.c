#include "exchange/core/registry.h"

#include "exchange/core/auction.h"
#include "exchange/core/emit.h"
#include "exchange/core/housekeeping.h"
#include "exchange/core/job.h"
#include "exchange/core/listing.h"
#include "exchange/core/order.h"
#include "exchange/core/quote.h"
#include "exchange/core/reservation.h"
#include "exchange/core/session.h"

static void reject(struct engine *e, const struct command *c, uint16_t reason, int64_t value,
                   int64_t bound)
{
    order_reject(e, c, 0, &(struct rejection){.reason = reason, .value = value, .bound = bound});
}

/* `bound` is the one that the value breaks. */
static void reject_value(struct engine *e, const struct command *c, enum reject_field field,
                         int64_t value, int64_t bound)
{
    order_reject(e, c, 0,
                 &(struct rejection){.reason = REASON_VALUE_OUT_OF_RANGE,
                                     .value = value,
                                     .bound = bound,
                                     .field = (uint8_t)field});
}

static struct event *answer(struct engine *e, const struct command *c, uint8_t type, uint8_t flags)
{
    return emit(e, type, emit_link(&e->keys[c->head.key]), flags);
}

static struct event_party party(struct engine *e, const struct command *c)
{
    return emit_party(e, c->head.key, c->head.cl_ord_id);
}

/* A text field: not empty, no control characters, NUL after its end and up to the last byte. */
static bool text_valid(const char *text, size_t size, bool may_be_empty)
{
    size_t length = 0;
    while (length < size && text[length] != '\0') {
        unsigned char byte = (unsigned char)text[length++];
        if (byte < 0x20 || byte == 0x7f) {
            return false;
        }
    }
    for (size_t i = length; i < size; i++) {
        if (text[i] != '\0') {
            return false;
        }
    }
    return length < size && (length > 0 || may_be_empty);
}

static bool market_name_valid(const char name[NAME_SIZE])
{
    size_t length = 0;
    while (length < NAME_SIZE && name[length] != '\0') {
        length++;
    }
    return text_valid(name, NAME_SIZE, false) && contract_name_valid(name, length);
}

/* --- classes, regions, markets -------------------------------------------------------------- */

static void register_class(struct engine *e, const struct command *c)
{
    const struct command_register_class *r = &c->register_class;
    if (!market_name_valid(r->name)) {
        reject(e, c, REASON_NAME_INVALID, 0, 0);
        return;
    }
    for (uint32_t i = 0; i < e->s.class_count; i++) {
        if (memcmp(e->s.classes[i].name, r->name, NAME_SIZE) == 0) {
            reject(e, c, REASON_NAME_TAKEN, i, 0);
            return;
        }
    }
    if (r->lot < 1 || r->lot > 1024) {
        reject_value(e, c, REJECT_FIELD_LOT, r->lot, r->lot < 1 ? 1 : 1024);
        return;
    }
    if (e->s.class_count == CLASS_COUNT_MAX) {
        reject(e, c, REASON_FULL, CLASS_COUNT_MAX, CLASS_COUNT_MAX);
        return;
    }
    uint16_t id = (uint16_t)e->s.class_count++;
    memcpy(e->s.classes[id].name, r->name, NAME_SIZE);
    e->s.classes[id].lot = r->lot;
    struct event *event = answer(e, c, EVENT_CLASS, EVENT_PUBLIC);
    event->class_ = (struct event_class){.party = party(e, c),
                                         .lot = r->lot,
                                         .memory_gib = r->memory_gib,
                                         .bf16_gflops = r->bf16_gflops,
                                         .host_power_w = r->host_power_w,
                                         .class_id = id};
    memcpy(event->class_.name, r->name, NAME_SIZE);
}

static void register_region(struct engine *e, const struct command *c)
{
    const struct command_register_region *r = &c->register_region;
    if (!market_name_valid(r->name)) {
        reject(e, c, REASON_NAME_INVALID, 0, 0);
        return;
    }
    for (uint32_t i = 0; i < e->s.region_count; i++) {
        if (memcmp(e->s.regions[i], r->name, NAME_SIZE) == 0) {
            reject(e, c, REASON_NAME_TAKEN, i, 0);
            return;
        }
    }
    if (r->carbon_free_bp > BP_ONE) {
        reject_value(e, c, REJECT_FIELD_CARBON_FREE_BP, r->carbon_free_bp, BP_ONE);
        return;
    }
    if (e->s.region_count == REGION_COUNT_MAX) {
        reject(e, c, REASON_FULL, REGION_COUNT_MAX, REGION_COUNT_MAX);
        return;
    }
    uint16_t id = (uint16_t)e->s.region_count++;
    memcpy(e->s.regions[id], r->name, NAME_SIZE);
    struct event *event = answer(e, c, EVENT_REGION, EVENT_PUBLIC);
    event->region = (struct event_region){.party = party(e, c),
                                          .grid_g_per_kwh_e2 = r->grid_g_per_kwh_e2,
                                          .carbon_free_bp = r->carbon_free_bp,
                                          .region_id = id};
    memcpy(event->region.name, r->name, NAME_SIZE);
}

static bool check_lane(struct engine *e, const struct command *c, uint16_t class_id,
                       uint16_t region_id)
{
    if (class_id >= e->s.class_count) {
        reject(e, c, REASON_UNKNOWN_CLASS, class_id, e->s.class_count);
        return false;
    }
    if (region_id >= e->s.region_count) {
        reject(e, c, REASON_UNKNOWN_REGION, region_id, e->s.region_count);
        return false;
    }
    return true;
}

/* Times of auctions, and what begins one. */
static bool check_market_terms(struct engine *e, const struct command *c)
{
    const struct command_set_market *r = &c->set_market;
    const uint32_t day_s = 86400;
    const struct {
        enum reject_field field;
        int64_t value;
        int64_t low;
        int64_t high;
    } terms[] = {
        {REJECT_FIELD_OPENING_S, r->opening_s, 0, day_s},
        {REJECT_FIELD_VOLATILITY_S, r->volatility_s, 0, day_s},
        {REJECT_FIELD_PERIOD_S, r->period_s, r->mode == MODE_AUCTION, day_s},
        {REJECT_FIELD_RANDOM_END_S, r->random_end_s, 0, 600},
        {REJECT_FIELD_VOLATILITY_MIN_QTY, r->volatility_min_qty, 0, QTY_MAX},
    };
    for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
        bool below = terms[i].value < terms[i].low;
        if (below || terms[i].value > terms[i].high) {
            reject_value(e, c, terms[i].field, terms[i].value,
                         below ? terms[i].low : terms[i].high);
            return false;
        }
    }
    return true;
}

static bool check_market_values(struct engine *e, const struct command *c)
{
    const struct command_set_market *r = &c->set_market;
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        if (r->launch_price_e4[tier] < 0 || r->launch_price_e4[tier] > PRICE_MAX_E4) {
            int64_t price_e4 = r->launch_price_e4[tier];
            reject_value(e, c, (enum reject_field)(REJECT_FIELD_LAUNCH_PRICE_G0_E4 + tier),
                         price_e4, price_e4 < 0 ? 0 : PRICE_MAX_E4);
            return false;
        }
    }
    if (r->mode > MODE_LISTING) {
        reject_value(e, c, REJECT_FIELD_MODE, r->mode, MODE_LISTING);
        return false;
    }
    if ((r->flags & ~(MARKET_NO_RESALE | MARKET_NAMES_SHOWN)) != 0) {
        reject_value(e, c, REJECT_FIELD_NONE, r->flags, MARKET_NO_RESALE | MARKET_NAMES_SHOWN);
        return false;
    }
    /* A width of 100,000 % is no band at all; more would overflow its arithmetic. */
    const uint32_t widest_bp = 10000000;
    if (r->inner_band_bp < 1 || r->inner_band_bp > r->outer_band_bp) {
        reject_value(e, c, REJECT_FIELD_INNER_BAND_BP, r->inner_band_bp,
                     r->inner_band_bp < 1 ? 1 : r->outer_band_bp);
        return false;
    }
    if (r->outer_band_bp > widest_bp) {
        reject_value(e, c, REJECT_FIELD_OUTER_BAND_BP, r->outer_band_bp, widest_bp);
        return false;
    }
    return check_market_terms(e, c);
}

/* What a change of mode means for what rests. */
static void change_mode(struct engine *e, uint32_t market, uint8_t mode)
{
    struct market *m = &e->markets[market];
    if (m->mode == mode) {
        return;
    }
    auction_end_all(e, market);
    if (mode == MODE_LISTING) {
        listing_begin(e, market);
    }
    m->mode = mode;
}

static void set_market(struct engine *e, const struct command *c)
{
    const struct command_set_market *r = &c->set_market;
    if (!check_lane(e, c, r->class_id, r->region_id) || !check_market_values(e, c)) {
        return;
    }
    uint16_t *index = &e->s.market_of[r->class_id][r->region_id];
    if (*index == 0) {
        if (e->s.market_count == e->config.markets) {
            reject(e, c, REASON_FULL, e->config.markets, e->config.markets);
            return;
        }
        *index = (uint16_t)++e->s.market_count;
    }
    if (e->markets[*index].delisting && e->markets[*index].mode != r->mode) {
        reject(e, c, REASON_BUSY, 0, 0);
        return;
    }
    struct market *m = &e->markets[*index];
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        m->launch_price_e4[tier] = (uint32_t)r->launch_price_e4[tier];
    }
    m->inner_band_bp = r->inner_band_bp;
    m->outer_band_bp = r->outer_band_bp;
    m->lot = e->s.classes[r->class_id].lot;
    quote_forget_all(e);
    m->class_id = r->class_id;
    m->region_id = r->region_id;
    change_mode(e, *index, r->mode);
    m->flags = r->flags;
    m->opens = r->mode == MODE_CONTINUOUS && r->opening_s != 0;
    struct market_terms *terms = &e->terms[*index];
    terms->opening_s = r->opening_s;
    terms->volatility_s = r->volatility_s;
    terms->period_s = r->period_s;
    terms->volatility_min_qty = r->volatility_min_qty;
    terms->random_end_s = r->random_end_s;
    job_market_moved(e, *index);
    reservation_market_moved(e, *index);
    struct event *event = answer(e, c, EVENT_MARKET, EVENT_PUBLIC);
    event->market = (struct event_market){.party = party(e, c),
                                          .inner_band_bp = r->inner_band_bp,
                                          .outer_band_bp = r->outer_band_bp,
                                          .class_id = r->class_id,
                                          .region_id = r->region_id,
                                          .mode = r->mode,
                                          .flags = r->flags,
                                          .random_end_s = r->random_end_s,
                                          .opening_s = r->opening_s,
                                          .volatility_s = r->volatility_s,
                                          .period_s = r->period_s,
                                          .volatility_min_qty = r->volatility_min_qty};
    memcpy(event->market.launch_price_e4, r->launch_price_e4, sizeof(r->launch_price_e4));
}

static void set_reference(struct engine *e, const struct command *c)
{
    const struct command_set_reference *r = &c->set_reference;
    if (!check_lane(e, c, r->class_id, r->region_id)) {
        return;
    }
    uint16_t market = e->s.market_of[r->class_id][r->region_id];
    if (market == 0) {
        reject(e, c, REASON_NO_MARKET, 0, 0);
        return;
    }
    if (r->price_e4 < 1 || r->price_e4 > PRICE_MAX_E4) {
        reject_value(e, c, REJECT_FIELD_PRICE_E4, r->price_e4, r->price_e4 < 1 ? 1 : PRICE_MAX_E4);
        return;
    }
    if (r->tier >= TIER_COUNT) {
        reject_value(e, c, REJECT_FIELD_TIER, r->tier, TIER_COUNT - 1);
        return;
    }
    e->markets[market].index_price_e4[r->tier] = (uint32_t)r->price_e4;
    job_market_moved(e, market);
    quote_forget_all(e);
    struct event *event = answer(e, c, EVENT_REFERENCE, EVENT_PUBLIC);
    event->reference = (struct event_reference){.party = party(e, c),
                                                .price_e4 = r->price_e4,
                                                .day = r->day,
                                                .class_id = r->class_id,
                                                .region_id = r->region_id,
                                                .tier = r->tier};
}

static void halt(struct engine *e, const struct command *c)
{
    const struct command_halt *r = &c->halt;
    if ((r->filter & ~(SCOPE_CLASS | SCOPE_REGION)) != 0) {
        reject(e, c, REASON_INVALID_COMMAND, r->filter, 0);
        return;
    }
    if (!check_lane(e, c, (r->filter & SCOPE_CLASS) ? r->class_id : 0,
                    (r->filter & SCOPE_REGION) ? r->region_id : 0)) {
        return;
    }
    bool halted = c->head.type == COMMAND_HALT;
    quote_forget_all(e);
    for (uint32_t i = 1; i <= e->s.market_count; i++) {
        struct market *m = &e->markets[i];
        if ((!(r->filter & SCOPE_CLASS) || m->class_id == r->class_id) &&
            (!(r->filter & SCOPE_REGION) || m->region_id == r->region_id)) {
            m->halted = halted;
            if (!halted) {
                job_market_moved(e, i);
                reservation_market_moved(e, i);
            }
        }
    }
    struct event *event = answer(e, c, EVENT_HALT, EVENT_PUBLIC);
    event->halt = (struct event_halt){.party = party(e, c),
                                      .class_id = r->class_id,
                                      .region_id = r->region_id,
                                      .filter = r->filter,
                                      .halted = halted};
}

/* --- groups, accounts, keys, resources ------------------------------------------------------- */

static void emit_group(struct engine *e, struct event *event, uint32_t group, struct event_party by)
{
    event->group = (struct event_group){.party = by, .group = group};
    memcpy(event->group.name, e->group_names[group], LABEL_SIZE);
}

static void register_group(struct engine *e, const struct command *c)
{
    const struct command_register_group *r = &c->register_group;
    if (!text_valid(r->name, LABEL_SIZE, false)) {
        reject(e, c, REASON_NAME_INVALID, 0, 0);
        return;
    }
    for (uint32_t i = 1; i <= e->s.group_count; i++) {
        if (memcmp(e->group_names[i], r->name, LABEL_SIZE) == 0) {
            reject(e, c, REASON_NAME_TAKEN, i, 0);
            return;
        }
    }
    if (e->s.group_count == e->config.groups) {
        reject(e, c, REASON_FULL, e->config.groups, e->config.groups);
        return;
    }
    uint32_t group = ++e->s.group_count;
    memcpy(e->group_names[group], r->name, LABEL_SIZE);
    struct event *event = answer(e, c, EVENT_GROUP, EVENT_PUBLIC);
    emit_group(e, event, group, party(e, c));
}

static uint32_t account_make(struct engine *e, uint32_t group, uint8_t roles, uint8_t fees)
{
    uint32_t account = ++e->s.account_count;
    e->accounts[account] = (struct account){.order_qty_limit = (uint32_t)e->s.order_qty_limit,
                                            .open_orders_limit = e->s.open_orders_limit,
                                            .group = group,
                                            .rate_limit = e->s.rate_limit,
                                            .roles = roles,
                                            .fees = fees};
    return account;
}

static void emit_account(struct engine *e, struct event *event, uint32_t account,
                         const char name[LABEL_SIZE], struct event_party by)
{
    const struct account *a = &e->accounts[account];
    event->account = (struct event_account){
        .party = by, .account = account, .group = a->group, .roles = a->roles, .fees = a->fees};
    memcpy(event->account.name, name, LABEL_SIZE);
}

#define ROLES_ALL (ROLE_PROVIDER | ROLE_BUYER | ROLE_ANALYST | ROLE_OPERATOR)

static void open_account(struct engine *e, const struct command *c)
{
    const struct command_open_account *r = &c->open_account;
    if (!text_valid(r->name, LABEL_SIZE, false)) {
        reject(e, c, REASON_NAME_INVALID, 0, 0);
    } else if (r->group < 1 || r->group > e->s.group_count) {
        reject(e, c, REASON_UNKNOWN_GROUP, r->group, e->s.group_count);
    } else if (r->fees >= e->s.fees_count) {
        reject(e, c, REASON_UNKNOWN_FEES, r->fees, e->s.fees_count);
    } else if (r->roles == 0 || (r->roles & ~ROLES_ALL) != 0) {
        reject_value(e, c, REJECT_FIELD_ROLES, r->roles, ROLES_ALL);
    } else if (e->s.account_count == e->config.accounts) {
        reject(e, c, REASON_FULL, e->config.accounts, e->config.accounts);
    } else {
        uint32_t account = account_make(e, r->group, r->roles, r->fees);
        struct event *event = answer(e, c, EVENT_ACCOUNT, EVENT_PUBLIC);
        emit_account(e, event, account, r->name, party(e, c));
    }
}

static uint32_t key_make(struct engine *e, uint32_t account, uint8_t roles,
                         const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    uint32_t key = ++e->s.key_count;
    struct account *a = &e->accounts[account];
    e->keys[key] = (struct key){.account = account, .group = a->group, .roles = roles};
    memcpy(e->public_keys[key], public_key, PUBLIC_KEY_SIZE);
    if (a->last_key != 0) {
        e->keys[a->last_key].next_of_account = key;
    } else {
        a->first_key = key;
    }
    a->last_key = key;
    return key;
}

static void emit_key(struct engine *e, struct event *event, uint32_t key,
                     const char name[LABEL_SIZE], struct event_party by)
{
    const struct key *k = &e->keys[key];
    event->key =
        (struct event_key){.party = by, .key = key, .account = k->account, .roles = k->roles};
    memcpy(event->key.public_key, e->public_keys[key], PUBLIC_KEY_SIZE);
    if (name != NULL) {
        memcpy(event->key.name, name, LABEL_SIZE);
    }
}

static void register_key(struct engine *e, const struct command *c)
{
    const struct command_register_key *r = &c->register_key;
    if (!text_valid(r->name, LABEL_SIZE, true)) {
        reject(e, c, REASON_NAME_INVALID, 0, 0);
        return;
    }
    if (r->account < 1 || r->account > e->s.account_count) {
        reject(e, c, REASON_UNKNOWN_ACCOUNT, r->account, e->s.account_count);
        return;
    }
    if (r->roles == 0 || (r->roles & ~e->accounts[r->account].roles) != 0) {
        reject_value(e, c, REJECT_FIELD_ROLES, r->roles, e->accounts[r->account].roles);
        return;
    }
    /* A scan: keys are registered by hand, and one public key must never name two accounts. */
    for (uint32_t i = 1; i <= e->s.key_count; i++) {
        if (memcmp(e->public_keys[i], r->public_key, PUBLIC_KEY_SIZE) == 0) {
            reject(e, c, REASON_KEY_TAKEN, i, 0);
            return;
        }
    }
    if (e->s.key_count == e->config.keys) {
        reject(e, c, REASON_FULL, e->config.keys, e->config.keys);
        return;
    }
    uint32_t key = key_make(e, r->account, r->roles, r->public_key);
    struct event *event = answer(e, c, EVENT_KEY, 0);
    emit_key(e, event, key, r->name, party(e, c));
}

static void revoke_key(struct engine *e, const struct command *c)
{
    uint32_t key = c->revoke_key.key;
    if (key < 1 || key > e->s.key_count || (e->keys[key].flags & KEY_REVOKED) != 0) {
        reject(e, c, REASON_UNKNOWN_KEY, key, e->s.key_count);
        return;
    }
    uint32_t operators = 0;
    for (uint32_t i = 1; i <= e->s.key_count; i++) {
        operators += i != key && (e->keys[i].roles & ROLE_OPERATOR) != 0 &&
                     (e->keys[i].flags & KEY_REVOKED) == 0;
    }
    if (operators == 0) {
        reject(e, c, REASON_LAST_OPERATOR_KEY, key, 0);
        return;
    }
    struct event *event = answer(e, c, EVENT_KEY_REVOKED, 0);
    emit_key(e, event, key, NULL, party(e, c));
    session_end(e, key);
    housekeeping_end_key(e, key, REASON_DISCONNECTED);
    e->keys[key].flags |= KEY_REVOKED;
}

static void register_resource(struct engine *e, const struct command *c)
{
    const struct command_register_resource *r = &c->register_resource;
    const union command_slot *second = (const union command_slot *)(const void *)(c + 1);
    const struct command_resource_identity *identity = &second->identity;
    if (!text_valid(identity->identifier, IDENTIFIER_SIZE, false) ||
        !text_valid(r->node, LABEL_SIZE, true) ||
        !text_valid(identity->energy_source, LABEL_SIZE, true)) {
        reject(e, c, REASON_NAME_INVALID, 0, 0);
        return;
    }
    for (uint32_t i = 1; i <= e->s.resource_count; i++) {
        if (memcmp(e->identifiers[i], identity->identifier, IDENTIFIER_SIZE) == 0) {
            reject(e, c, REASON_NAME_TAKEN, i, 0);
            return;
        }
    }
    if (!check_lane(e, c, r->class_id, r->region_id)) {
        return;
    }
    if (r->account < 1 || r->account > e->s.account_count ||
        (e->accounts[r->account].roles & ROLE_PROVIDER) == 0) {
        reject(e, c, REASON_UNKNOWN_ACCOUNT, r->account, e->s.account_count);
        return;
    }
    if (r->gpus < 1 || r->gpus > QTY_MAX) {
        reject_value(e, c, REJECT_FIELD_GPUS, r->gpus, r->gpus < 1 ? 1 : QTY_MAX);
        return;
    }
    if (r->tier >= TIER_COUNT) {
        reject_value(e, c, REJECT_FIELD_TIER, r->tier, TIER_COUNT - 1);
        return;
    }
    if (e->s.resource_count == e->config.resources) {
        reject(e, c, REASON_FULL, e->config.resources, e->config.resources);
        return;
    }
    uint32_t id = ++e->s.resource_count;
    e->resources[id] = (struct resource){.account = r->account,
                                         .gpus = r->gpus,
                                         .class_id = r->class_id,
                                         .region_id = r->region_id,
                                         .tier = r->tier};
    memcpy(e->identifiers[id], identity->identifier, IDENTIFIER_SIZE);
    struct event *event = answer(e, c, EVENT_RESOURCE, EVENT_PUBLIC);
    event->resource = (struct event_resource){.party = party(e, c),
                                              .resource = id,
                                              .account = r->account,
                                              .gpus = r->gpus,
                                              .pue_e4 = r->pue_e4,
                                              .bandwidth_mbps = r->bandwidth_mbps,
                                              .class_id = r->class_id,
                                              .region_id = r->region_id,
                                              .tier = r->tier};
    memcpy(event->resource.node, r->node, LABEL_SIZE);
    event = answer(e, c, EVENT_RESOURCE_IDENTITY, EVENT_PUBLIC);
    event->identity = (struct event_resource_identity){.resource = id};
    memcpy(event->identity.identifier, identity->identifier, IDENTIFIER_SIZE);
}

/* --- fees, limits, cash ---------------------------------------------------------------------- */

static void register_fees(struct engine *e, const struct command *c)
{
    const struct command_register_fees *r = &c->register_fees;
    if (r->maker_bp > FEE_MAX_BP) {
        reject_value(e, c, REJECT_FIELD_MAKER_BP, r->maker_bp, FEE_MAX_BP);
        return;
    }
    if (r->taker_bp > FEE_MAX_BP) {
        reject_value(e, c, REJECT_FIELD_TAKER_BP, r->taker_bp, FEE_MAX_BP);
        return;
    }
    if (e->s.fees_count == FEES_MAX) {
        reject(e, c, REASON_FULL, FEES_MAX, FEES_MAX);
        return;
    }
    uint8_t id = (uint8_t)e->s.fees_count++;
    e->s.fees[id] = (struct fee_schedule){r->maker_bp, r->taker_bp};
    struct event *event = answer(e, c, EVENT_FEES, EVENT_PUBLIC);
    event->fees = (struct event_fees){
        .party = party(e, c), .maker_bp = r->maker_bp, .taker_bp = r->taker_bp, .fees = id};
}

static bool account_known(struct engine *e, const struct command *c, uint32_t account)
{
    if (account < 1 || account > e->s.account_count) {
        reject(e, c, REASON_UNKNOWN_ACCOUNT, account, e->s.account_count);
        return false;
    }
    return true;
}

static void set_limits(struct engine *e, const struct command *c)
{
    const struct command_set_limits *r = &c->set_limits;
    if (!account_known(e, c, r->account)) {
        return;
    }
    if ((r->fields & LIMITS_FEES) && r->fees >= e->s.fees_count) {
        reject(e, c, REASON_UNKNOWN_FEES, r->fees, e->s.fees_count);
        return;
    }
    if ((r->fields & ~15u) != 0) {
        reject_value(e, c, REJECT_FIELD_NONE, r->fields, 15);
        return;
    }
    if ((r->fields & LIMITS_ORDER_QTY) &&
        (r->order_qty_limit < 0 || r->order_qty_limit > QTY_MAX)) {
        reject_value(e, c, REJECT_FIELD_ORDER_QTY_LIMIT, r->order_qty_limit,
                     r->order_qty_limit < 0 ? 0 : QTY_MAX);
        return;
    }
    /* The last operator could never set it back; trading is stopped by KILL. */
    if ((r->fields & LIMITS_RATE) && r->rate_limit == 0) {
        reject_value(e, c, REJECT_FIELD_RATE_LIMIT, 0, 1);
        return;
    }
    struct account *a = &e->accounts[r->account];
    a->rate_limit = (r->fields & LIMITS_RATE) ? r->rate_limit : a->rate_limit;
    a->open_orders_limit =
        (r->fields & LIMITS_OPEN_ORDERS) ? r->open_orders_limit : a->open_orders_limit;
    a->order_qty_limit =
        (r->fields & LIMITS_ORDER_QTY) ? (uint32_t)r->order_qty_limit : a->order_qty_limit;
    a->fees = (r->fields & LIMITS_FEES) ? r->fees : a->fees;
    struct event *event = answer(e, c, EVENT_LIMITS, 0);
    event->limits = (struct event_limits){.party = party(e, c),
                                          .order_qty_limit = a->order_qty_limit,
                                          .account = r->account,
                                          .rate_limit = a->rate_limit,
                                          .open_orders_limit = a->open_orders_limit,
                                          .fees = a->fees};
}

static void change_cash(struct engine *e, const struct command *c)
{
    const struct command_cash *r = &c->cash;
    uint8_t type = c->head.type;
    if (!account_known(e, c, r->account)) {
        return;
    }
    struct account *a = &e->accounts[r->account];
    int64_t least = type == COMMAND_SET_CREDIT ? 0 : 1;
    if (!text_valid(r->reference, LABEL_SIZE, true)) {
        reject(e, c, REASON_NAME_INVALID, 0, 0);
        return;
    }
    /* Cash with escrow, and credit, stay below 4e18 each, so that every sum of balances fits. */
    if (r->amount_e4 < least || r->amount_e4 > MONEY_MAX_E4 ||
        (type == COMMAND_DEPOSIT && a->cash_e4 + a->escrow_e4 > MONEY_MAX_E4 - r->amount_e4)) {
        reject(e, c, REASON_AMOUNT_OUT_OF_RANGE, r->amount_e4, MONEY_MAX_E4);
        return;
    }
    int64_t free_cash = account_available(a) - a->credit_e4;
    if (type == COMMAND_WITHDRAW && r->amount_e4 > free_cash) {
        reject(e, c, REASON_INSUFFICIENT_CASH, r->amount_e4, free_cash);
        return;
    }
    int64_t change = type == COMMAND_DEPOSIT    ? r->amount_e4
                     : type == COMMAND_WITHDRAW ? -r->amount_e4
                                                : 0;
    a->cash_e4 += change;
    a->credit_e4 = type == COMMAND_SET_CREDIT ? r->amount_e4 : a->credit_e4;
    struct event *event = answer(e, c, EVENT_CASH, 0);
    event->cash = (struct event_cash){.party = party(e, c),
                                      .amount_e4 = change,
                                      .cash_e4 = a->cash_e4,
                                      .credit_e4 = a->credit_e4,
                                      .account = r->account,
                                      .request = type};
    memcpy(event->cash.reference, r->reference, LABEL_SIZE);
}

/* --- kill switch, clock ----------------------------------------------------------------------- */

static void kill_account(struct engine *e, uint32_t account, bool killed)
{
    struct account *a = &e->accounts[account];
    a->killed = killed;
    for (uint32_t key = a->first_key; killed && key != 0; key = e->keys[key].next_of_account) {
        housekeeping_end_key(e, key, REASON_KILLED);
    }
}

static void kill_switch(struct engine *e, const struct command *c)
{
    uint32_t account = c->kill.account;
    bool killed = c->head.type == COMMAND_KILL;
    if (account > e->s.account_count) {
        reject(e, c, REASON_UNKNOWN_ACCOUNT, account, e->s.account_count);
        return;
    }
    for (uint32_t i = 1; account == 0 && i <= e->s.account_count; i++) {
        if ((e->accounts[i].roles & ROLE_OPERATOR) == 0) {
            kill_account(e, i, killed);
        }
    }
    if (account != 0) {
        kill_account(e, account, killed);
    }
    struct event *event = answer(e, c, EVENT_KILL, EVENT_PUBLIC);
    event->kill = (struct event_kill){.party = party(e, c), .account = account, .killed = killed};
}

static void advance(struct engine *e, const struct command *c)
{
    /* The sequencer has moved the clock already; on a real clock it leaves delta 0. */
    if (c->advance.delta_ns < 1) {
        reject(e, c, REASON_NOT_SIMULATED, 0, 0);
        return;
    }
    if (c->advance.delta_ns > 60 * NS_PER_SECOND) {
        reject_value(e, c, REJECT_FIELD_DELTA_NS, c->advance.delta_ns, 60 * NS_PER_SECOND);
        return;
    }
    struct event *event = answer(e, c, EVENT_TIME, EVENT_PUBLIC);
    memset(event->bytes, 0, sizeof(event->bytes));
    event->party = party(e, c);
}

void registry_genesis(struct engine *e, const struct command *command)
{
    const struct command_genesis *g = &command->genesis;
    CHECK(e->s.key_count == 0 && g->rules_version == 1);
    CHECK(g->horizon_hours >= 1 && g->horizon_hours <= 1000 && g->sweep_slice >= 1);
    CHECK(g->bond_bp <= BP_ONE && g->gate_lead_s < 86400);
    CHECK(g->order_qty_limit >= 0 && g->order_qty_limit <= QTY_MAX);
    e->s.rules_version = g->rules_version;
    e->s.horizon_hours = g->horizon_hours;
    e->s.gate_lead_s = g->gate_lead_s;
    e->s.bond_bp = g->bond_bp;
    e->s.sweep_slice = g->sweep_slice;
    e->s.rate_limit = g->rate_limit;
    e->s.open_orders_limit = g->open_orders_limit;
    e->s.trial_orders = g->trial_orders != 0 ? g->trial_orders : TRIAL_ORDERS;
    e->s.order_qty_limit = g->order_qty_limit;
    e->s.fees_count = 1;
    struct event *event = emit(e, EVENT_GENESIS, 0, EVENT_PUBLIC);
    event->genesis = (struct event_genesis){.party = {.key = 1, .account = 1},
                                            .rules_version = g->rules_version,
                                            .horizon_hours = g->horizon_hours,
                                            .gate_lead_s = g->gate_lead_s,
                                            .bond_bp = g->bond_bp};
    memcpy(event->genesis.operator_key, g->operator_key, PUBLIC_KEY_SIZE);
    static const char operator_name[LABEL_SIZE] = "operator";
    memcpy(e->group_names[++e->s.group_count], operator_name, LABEL_SIZE);
    struct event_party none = {0};
    emit_group(e, emit(e, EVENT_GROUP, 0, EVENT_PUBLIC), 1, none);
    account_make(e, 1, ROLE_OPERATOR, 0);
    emit_account(e, emit(e, EVENT_ACCOUNT, 0, EVENT_PUBLIC), 1, operator_name, none);
    key_make(e, 1, ROLE_OPERATOR, g->operator_key);
    emit_key(e, emit(e, EVENT_KEY, 0, 0), 1, operator_name, none);
}

bool registry_apply(struct engine *e, const struct command *c)
{
    static void (*const table[])(struct engine *, const struct command *) = {
        [COMMAND_REGISTER_CLASS] = register_class,
        [COMMAND_REGISTER_REGION] = register_region,
        [COMMAND_SET_MARKET] = set_market,
        [COMMAND_REGISTER_GROUP] = register_group,
        [COMMAND_OPEN_ACCOUNT] = open_account,
        [COMMAND_REGISTER_KEY] = register_key,
        [COMMAND_REVOKE_KEY] = revoke_key,
        [COMMAND_REGISTER_RESOURCE] = register_resource,
        [COMMAND_REGISTER_FEES] = register_fees,
        [COMMAND_SET_LIMITS] = set_limits,
        [COMMAND_DEPOSIT] = change_cash,
        [COMMAND_WITHDRAW] = change_cash,
        [COMMAND_SET_CREDIT] = change_cash,
        [COMMAND_SET_REFERENCE] = set_reference,
        [COMMAND_HALT] = halt,
        [COMMAND_RESUME] = halt,
        [COMMAND_KILL] = kill_switch,
        [COMMAND_REVIVE] = kill_switch,
        [COMMAND_ADVANCE] = advance,
    };
    if (c->head.type >= sizeof(table) / sizeof(table[0]) || table[c->head.type] == NULL) {
        return false;
    }
    table[c->head.type](e, c);
    return true;
}
