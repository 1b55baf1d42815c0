#include "settlement/core/rows.h"

#include <string.h>

#include "base/check.h"

/* Signature, flags, length of the header's extension. */
static const uint8_t copy_header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
#define COPY_TRAILER_SIZE 2

/* More than any event's row of any table: seven postings of 82 bytes, a resource with two texts. */
#define ROW_SIZE_MAX 1024

#define POSTING_COLUMNS "seq, amount, account, resource, index, hour, line, unit, kind, tier"
#define FILL_COLUMNS                                                                               \
    "seq, index, time_ns, fill_id, contract, price_e4, qty, buy_order_id, sell_order_id, "         \
    "trade_group, buy_fee_e4, sell_fee_e4, bond_e4, buyer, seller, buyer_group, seller_group, "    \
    "resource, class_id, region_id, hour, tier, offer_tier, source_tier, aggressor, condition, "   \
    "symbol"
#define COPY(table, columns) "COPY kashi." table " (" columns ") FROM STDIN (FORMAT binary)"

static const char *const copy_statements[ROWS_TABLE_COUNT] = {
    [ROWS_GENESIS] = COPY("genesis", "seq, time_ns, rules_version, operator_key"),
    [ROWS_CLASSES] =
        COPY("classes", "class_id, seq, name, lot, memory_gib, bf16_gflops, host_power_w"),
    [ROWS_REGIONS] = COPY("regions", "region_id, seq, name, grid_g_per_kwh_e2, carbon_free_bp"),
    [ROWS_MARKETS] =
        COPY("markets", "seq, class_id, region_id, mode, flags, inner_band_bp, outer_band_bp, "
                        "launch_g0_e4, launch_g50_e4, launch_g80_e4, launch_g100_e4"),
    [ROWS_GROUPS] = COPY("groups", "group_id, seq, name"),
    [ROWS_ACCOUNTS] = COPY("accounts", "account, seq, name, group_id, roles"),
    [ROWS_RESOURCES] =
        COPY("resources", "resource, seq, identifier, node, account, class_id, region_id, tier, "
                          "gpus, pue_e4, bandwidth_mbps"),
    [ROWS_FILLS] = COPY("fills", FILL_COLUMNS),
    [ROWS_CASH_MOVEMENTS] = COPY("cash_movements", "seq, index, time_ns, account, amount_e4, "
                                                   "cash_e4, credit_e4, reference"),
    [ROWS_POSTINGS] = COPY("postings", POSTING_COLUMNS),
};

const char *rows_copy_statement(enum rows_table table)
{
    CHECK(table < ROWS_TABLE_COUNT);
    return copy_statements[table];
}

/* --- fields ------------------------------------------------------------------------------------ */

static void put(struct rows_buffer *buffer, const void *bytes, size_t size)
{
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

static void put_row(struct rows_buffer *buffer, uint16_t fields)
{
    if (buffer->size == 0) {
        put(buffer, copy_header, sizeof(copy_header));
    }
    uint16_t big = __builtin_bswap16(fields);
    put(buffer, &big, sizeof(big));
    buffer->count++;
}

static void put_int2(struct rows_buffer *buffer, uint16_t value)
{
    uint8_t field[6] = {0, 0, 0, 2, (uint8_t)(value >> 8), (uint8_t)value};
    put(buffer, field, sizeof(field));
}

static void put_int4(struct rows_buffer *buffer, uint32_t value)
{
    uint32_t field[2] = {__builtin_bswap32(4), __builtin_bswap32(value)};
    put(buffer, field, sizeof(field));
}

static void put_int8(struct rows_buffer *buffer, uint64_t value)
{
    uint32_t field[3] = {__builtin_bswap32(8), __builtin_bswap32((uint32_t)(value >> 32)),
                         __builtin_bswap32((uint32_t)value)};
    put(buffer, field, sizeof(field));
}

static void put_money(struct rows_buffer *buffer, int64_t value)
{
    put_int8(buffer, (uint64_t)value);
}

static void put_null(struct rows_buffer *buffer)
{
    uint32_t field = UINT32_MAX;
    put(buffer, &field, sizeof(field));
}

static void put_bytes(struct rows_buffer *buffer, const void *bytes, size_t size)
{
    uint32_t length = __builtin_bswap32((uint32_t)size);
    put(buffer, &length, sizeof(length));
    put(buffer, bytes, size);
}

static void put_text(struct rows_buffer *buffer, const char *bytes, size_t size)
{
    char text[ROWS_TEXT_SIZE];
    put_bytes(buffer, text, rows_text(bytes, size, text));
}

/* Length of the UTF-8 character at bytes[0], 0 when it is none (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static size_t character_size(const uint8_t *bytes, size_t size)
{
    uint8_t first = bytes[0];
    size_t length = first < 0x80                     ? 1
                    : first >= 0xc2 && first <= 0xdf ? 2
                    : (first & 0xf0) == 0xe0         ? 3
                    : first >= 0xf0 && first <= 0xf4 ? 4
                                                     : 0;
    if (length == 0 || length > size) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool bad = (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
               (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f);
    return bad ? 0 : length;
}

size_t rows_text(const char *bytes, size_t size, char out[ROWS_TEXT_SIZE])
{
    static const char replacement[3] = {'\xef', '\xbf', '\xbd'};
    CHECK(size <= IDENTIFIER_SIZE);
    size_t used = 0;
    for (size_t at = 0; at < size && bytes[at] != '\0';) {
        size_t length = character_size((const uint8_t *)bytes + at, size - at);
        if (length == 0) {
            memcpy(out + used, replacement, sizeof(replacement));
            used += sizeof(replacement);
            at++;
        } else {
            memcpy(out + used, bytes + at, length);
            used += length;
            at += length;
        }
    }
    return used;
}

/* --- buffers ----------------------------------------------------------------------------------- */

static size_t buffer_size(int table)
{
    /* A fill takes about 290 bytes and up to seven postings of 82; the registry changes seldom. */
    switch (table) {
    case ROWS_FILLS:
        return ROWS_MEMORY_SIZE / 4;
    case ROWS_CASH_MOVEMENTS:
        return ROWS_MEMORY_SIZE / 16;
    case ROWS_POSTINGS:
        return ROWS_MEMORY_SIZE / 2;
    default:
        return 64U << 10;
    }
}

void rows_init(struct rows *rows, uint8_t *memory)
{
    memset(rows, 0, sizeof(*rows));
    size_t used = 0;
    for (int i = 0; i < ROWS_TABLE_COUNT; i++) {
        rows->tables[i].bytes = memory + used;
        rows->tables[i].capacity = buffer_size(i);
        used += buffer_size(i);
    }
    CHECK(used <= ROWS_MEMORY_SIZE);
}

void rows_clear(struct rows *rows)
{
    for (int i = 0; i < ROWS_TABLE_COUNT; i++) {
        rows->tables[i].size = 0;
        rows->tables[i].count = 0;
    }
}

bool rows_room(const struct rows *rows)
{
    for (int i = 0; i < ROWS_TABLE_COUNT; i++) {
        if (rows->tables[i].capacity - rows->tables[i].size < ROW_SIZE_MAX) {
            return false;
        }
    }
    return true;
}

void rows_close(struct rows_buffer *buffer)
{
    static const uint8_t trailer[COPY_TRAILER_SIZE] = {0xff, 0xff};
    CHECK(buffer->capacity - buffer->size >= COPY_TRAILER_SIZE);
    put(buffer, trailer, sizeof(trailer));
}

static bool name_set(char (*table)[NAME_SIZE], uint32_t *count, uint32_t id, const char *name)
{
    size_t length = strnlen(name, NAME_SIZE);
    if (id >= CLASS_COUNT_MAX || length == 0 || length == NAME_SIZE) {
        return false;
    }
    memset(table[id], 0, NAME_SIZE);
    memcpy(table[id], name, length);
    if (id >= *count) {
        *count = id + 1;
    }
    return true;
}

bool rows_name_class(struct rows *rows, uint32_t class_id, const char *name)
{
    return name_set(rows->names.classes, &rows->names.class_count, class_id, name);
}

bool rows_name_region(struct rows *rows, uint32_t region_id, const char *name)
{
    static_assert(CLASS_COUNT_MAX == REGION_COUNT_MAX, "name_set has one bound for both");
    return name_set(rows->names.regions, &rows->names.region_count, region_id, name);
}

/* --- the tables -------------------------------------------------------------------------------- */

static void add_postings(struct rows *rows, const struct event_head *head,
                         const struct ledger_transaction *transaction)
{
    struct rows_buffer *buffer = &rows->tables[ROWS_POSTINGS];
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct ledger_posting *line = &transaction->lines[i];
        bool gpu_hours = line->unit == LEDGER_GPUH;
        put_row(buffer, 10);
        put_int8(buffer, head->seq);
        put_money(buffer, line->amount);
        put_int4(buffer, line->account);
        gpu_hours ? put_int4(buffer, line->resource) : put_null(buffer);
        put_int4(buffer, head->index);
        gpu_hours ? put_int4(buffer, line->hour) : put_null(buffer);
        put_int2(buffer, (uint16_t)i);
        put_int2(buffer, line->unit);
        put_int2(buffer, line->kind);
        gpu_hours ? put_int2(buffer, line->tier) : put_null(buffer);
    }
}

static void add_fill(struct rows_buffer *buffer, const struct event *event, const char *symbol,
                     size_t symbol_length)
{
    const struct event_trade *trade = &event->trade;
    put_row(buffer, 27);
    put_int8(buffer, event->head.seq);
    put_int4(buffer, event->head.index);
    put_money(buffer, event->head.time_ns);
    put_int8(buffer, trade->fill_id);
    put_int8(buffer, trade->contract);
    put_money(buffer, trade->price_e4);
    put_money(buffer, trade->qty);
    put_int8(buffer, trade->buy_order_id);
    put_int8(buffer, trade->sell_order_id);
    put_int8(buffer, trade->trade_group);
    put_money(buffer, trade->buy_fee_e4);
    put_money(buffer, trade->sell_fee_e4);
    put_money(buffer, trade->bond_e4);
    put_int4(buffer, trade->buyer);
    put_int4(buffer, trade->seller);
    put_int4(buffer, trade->buyer_group);
    put_int4(buffer, trade->seller_group);
    put_int4(buffer, trade->resource);
    put_int4(buffer, contract_class(trade->contract));
    put_int4(buffer, contract_region(trade->contract));
    put_int4(buffer, contract_hour(trade->contract));
    put_int2(buffer, contract_tier(trade->contract));
    put_int2(buffer, trade->offer_tier);
    put_int2(buffer, trade->source_tier);
    put_int2(buffer, trade->aggressor);
    put_int2(buffer, trade->condition);
    put_bytes(buffer, symbol, symbol_length);
}

static enum rows_result add_trade(struct rows *rows, const struct event *event)
{
    struct ledger_transaction transaction;
    char symbol[SYMBOL_SIZE];
    size_t length = contract_format(&rows->names, event->trade.contract, symbol);
    if (length == 0) {
        return ROWS_UNKNOWN;
    }
    if (!ledger_trade(&event->trade, &transaction)) {
        return ROWS_IMPOSSIBLE;
    }
    add_fill(&rows->tables[ROWS_FILLS], event, symbol, length);
    add_postings(rows, &event->head, &transaction);
    return ROWS_OK;
}

static enum rows_result add_cash(struct rows *rows, const struct event *event)
{
    struct ledger_transaction transaction;
    struct rows_buffer *buffer = &rows->tables[ROWS_CASH_MOVEMENTS];
    if (!ledger_cash(&event->cash, &transaction)) {
        return ROWS_IMPOSSIBLE;
    }
    put_row(buffer, 8);
    put_int8(buffer, event->head.seq);
    put_int4(buffer, event->head.index);
    put_money(buffer, event->head.time_ns);
    put_int4(buffer, event->cash.account);
    put_money(buffer, event->cash.amount_e4);
    put_money(buffer, event->cash.cash_e4);
    put_money(buffer, event->cash.credit_e4);
    put_text(buffer, event->cash.reference, LABEL_SIZE);
    add_postings(rows, &event->head, &transaction);
    return ROWS_OK;
}

static void add_genesis(struct rows_buffer *buffer, const struct event *event)
{
    put_row(buffer, 4);
    put_int8(buffer, event->head.seq);
    put_money(buffer, event->head.time_ns);
    put_int4(buffer, event->genesis.rules_version);
    put_bytes(buffer, event->genesis.operator_key, PUBLIC_KEY_SIZE);
}

static enum rows_result add_class(struct rows *rows, const struct event *event)
{
    const struct event_class *class_ = &event->class_;
    struct rows_buffer *buffer = &rows->tables[ROWS_CLASSES];
    if (!rows_name_class(rows, class_->class_id, class_->name)) {
        return ROWS_IMPOSSIBLE;
    }
    put_row(buffer, 7);
    put_int4(buffer, class_->class_id);
    put_int8(buffer, event->head.seq);
    put_text(buffer, class_->name, NAME_SIZE);
    put_int8(buffer, class_->lot);
    put_int8(buffer, class_->memory_gib);
    put_int8(buffer, class_->bf16_gflops);
    put_int8(buffer, class_->host_power_w);
    return ROWS_OK;
}

static enum rows_result add_region(struct rows *rows, const struct event *event)
{
    const struct event_region *region = &event->region;
    struct rows_buffer *buffer = &rows->tables[ROWS_REGIONS];
    if (!rows_name_region(rows, region->region_id, region->name)) {
        return ROWS_IMPOSSIBLE;
    }
    put_row(buffer, 5);
    put_int4(buffer, region->region_id);
    put_int8(buffer, event->head.seq);
    put_text(buffer, region->name, NAME_SIZE);
    put_int8(buffer, region->grid_g_per_kwh_e2);
    put_int8(buffer, region->carbon_free_bp);
    return ROWS_OK;
}

static void add_market(struct rows_buffer *buffer, const struct event *event)
{
    const struct event_market *market = &event->market;
    put_row(buffer, 7 + TIER_COUNT);
    put_int8(buffer, event->head.seq);
    put_int4(buffer, market->class_id);
    put_int4(buffer, market->region_id);
    put_int2(buffer, market->mode);
    put_int2(buffer, market->flags);
    put_int8(buffer, market->inner_band_bp);
    put_int8(buffer, market->outer_band_bp);
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        put_money(buffer, market->launch_price_e4[tier]);
    }
}

static void add_group(struct rows_buffer *buffer, const struct event *event)
{
    put_row(buffer, 3);
    put_int4(buffer, event->group.group);
    put_int8(buffer, event->head.seq);
    put_text(buffer, event->group.name, LABEL_SIZE);
}

static void add_account(struct rows_buffer *buffer, const struct event *event)
{
    put_row(buffer, 5);
    put_int4(buffer, event->account.account);
    put_int8(buffer, event->head.seq);
    put_text(buffer, event->account.name, LABEL_SIZE);
    put_int4(buffer, event->account.group);
    put_int2(buffer, event->account.roles);
}

static enum rows_result add_resource(struct rows *rows, const struct event *event)
{
    const struct event_resource *resource = &rows->resource;
    struct rows_buffer *buffer = &rows->tables[ROWS_RESOURCES];
    if (resource->resource != event->identity.resource) {
        return ROWS_IMPOSSIBLE;
    }
    put_row(buffer, 11);
    put_int4(buffer, resource->resource);
    put_int8(buffer, event->head.seq);
    put_text(buffer, event->identity.identifier, IDENTIFIER_SIZE);
    put_text(buffer, resource->node, LABEL_SIZE);
    put_int4(buffer, resource->account);
    put_int4(buffer, resource->class_id);
    put_int4(buffer, resource->region_id);
    put_int2(buffer, resource->tier);
    put_int8(buffer, resource->gpus);
    put_int8(buffer, resource->pue_e4);
    put_int8(buffer, resource->bandwidth_mbps);
    return ROWS_OK;
}

enum rows_result rows_add(struct rows *rows, const struct event *event)
{
    CHECK(rows_room(rows));
    switch (event->head.type) {
    case EVENT_TRADE:
        return add_trade(rows, event);
    case EVENT_CASH:
        return add_cash(rows, event);
    case EVENT_GENESIS:
        add_genesis(&rows->tables[ROWS_GENESIS], event);
        break;
    case EVENT_CLASS:
        return add_class(rows, event);
    case EVENT_REGION:
        return add_region(rows, event);
    case EVENT_MARKET:
        add_market(&rows->tables[ROWS_MARKETS], event);
        break;
    case EVENT_GROUP:
        add_group(&rows->tables[ROWS_GROUPS], event);
        break;
    case EVENT_ACCOUNT:
        add_account(&rows->tables[ROWS_ACCOUNTS], event);
        break;
    case EVENT_RESOURCE:
        rows->resource = event->resource;
        break;
    case EVENT_RESOURCE_IDENTITY:
        return add_resource(rows, event);
    default: /* orders and sessions leave the ledger alone */
        break;
    }
    return ROWS_OK;
}
