/* The ledger's arithmetic by hand, and the rows that it becomes. */
#include <criterion/criterion.h>
#include <string.h>

#include "settlement/core/ledger.h"
#include "settlement/core/rows.h"
#include "tests/settlement_market.h"
#include "wire/units.h"

/* 8 GPUs for one hour at 16.40: 131.20. Fee 5 bp: floor(1,312,000 x 5 / 10,000) = 656. Bond 40 %
 * of 16.40 a GPU: 6.56 x 8 = 52.48. */
static struct event_trade worked_trade(void)
{
    return (struct event_trade){.fill_id = 1,
                                .contract = contract_pack(0, 0, TIER_G80, 499000),
                                .price_e4 = 164000,
                                .qty = 8,
                                .buyer = 3,
                                .seller = 2,
                                .resource = 4,
                                .offer_tier = TIER_G100,
                                .source_tier = SOURCE_OWN,
                                .buy_fee_e4 = 656,
                                .sell_fee_e4 = 393,
                                .bond_e4 = 524800};
}

static void expect_line(const struct ledger_posting *line, uint8_t kind, uint32_t account,
                        int64_t amount)
{
    cr_assert_eq(line->kind, kind);
    cr_assert_eq(line->account, account);
    cr_assert_eq(line->amount, amount, "kind %u: %ld instead of %ld", kind, (long)line->amount,
                 (long)amount);
}

Test(ledger, worked_fill_moves_what_was_counted_by_hand)
{
    struct ledger_transaction moved;
    struct event_trade trade = worked_trade();
    cr_assert(ledger_trade(&trade, &moved));
    cr_assert_eq(moved.count, 7);
    expect_line(&moved.lines[0], LEDGER_CASH, 3, -1312656);
    expect_line(&moved.lines[1], LEDGER_ESCROW, 3, 1312000);
    expect_line(&moved.lines[2], LEDGER_FEES, 3, 656);
    expect_line(&moved.lines[3], LEDGER_PLEDGE, 2, -524800);
    expect_line(&moved.lines[4], LEDGER_BOND, 2, 524800);
    expect_line(&moved.lines[5], LEDGER_CAPACITY, 2, -8);
    expect_line(&moved.lines[6], LEDGER_HOLDING, 3, 8);
    cr_assert_eq(moved.lines[5].tier, TIER_G100);
    cr_assert_eq(moved.lines[6].tier, TIER_G80);
    cr_assert_eq(moved.lines[6].resource, 4);
    cr_assert_eq(moved.lines[6].hour, 499000);
}

Test(ledger, resale_takes_from_the_sellers_holding)
{
    struct ledger_transaction moved;
    struct event_trade trade = worked_trade();
    trade.source_tier = TIER_G100;
    trade.offer_tier = TIER_G80;
    cr_assert(ledger_trade(&trade, &moved));
    expect_line(&moved.lines[5], LEDGER_HOLDING, 2, -8);
    cr_assert_eq(moved.lines[5].tier, TIER_G100);
}

Test(ledger, fill_without_fee_and_bond_has_no_lines_of_zero)
{
    struct ledger_transaction moved;
    struct event_trade trade = worked_trade();
    trade.buy_fee_e4 = 0;
    trade.bond_e4 = 0;
    cr_assert(ledger_trade(&trade, &moved));
    cr_assert_eq(moved.count, 4);
    for (uint32_t i = 0; i < moved.count; i++) {
        cr_assert_neq(moved.lines[i].amount, 0);
    }
}

Test(ledger, deposit_and_withdrawal_turn_the_signs)
{
    struct ledger_transaction moved;
    struct event_cash cash = {.account = 5, .amount_e4 = 1000};
    cr_assert(ledger_cash(&cash, &moved));
    cr_assert_eq(moved.count, 2);
    expect_line(&moved.lines[0], LEDGER_BANK, 5, -1000);
    expect_line(&moved.lines[1], LEDGER_CASH, 5, 1000);
    cash.amount_e4 = -400;
    cr_assert(ledger_cash(&cash, &moved));
    expect_line(&moved.lines[0], LEDGER_BANK, 5, 400);
    expect_line(&moved.lines[1], LEDGER_CASH, 5, -400);
    cash.amount_e4 = 0;
    cr_assert(ledger_cash(&cash, &moved));
    cr_assert_eq(moved.count, 0, "a change of credit moves no money");
}

Test(ledger, impossible_numbers_are_refused)
{
    struct ledger_transaction moved;
    struct event_trade trade = worked_trade();
    trade.price_e4 = 0;
    cr_assert_not(ledger_trade(&trade, &moved));
    trade = worked_trade();
    trade.qty = -1;
    cr_assert_not(ledger_trade(&trade, &moved));
    trade = worked_trade();
    trade.buy_fee_e4 = -1;
    cr_assert_not(ledger_trade(&trade, &moved));
    trade = worked_trade();
    trade.bond_e4 = -1;
    cr_assert_not(ledger_trade(&trade, &moved));
    trade = worked_trade();
    trade.price_e4 = INT64_C(1) << 40;
    trade.qty = INT64_C(1) << 40;
    cr_assert_not(ledger_trade(&trade, &moved));
    trade = worked_trade();
    trade.buy_fee_e4 = INT64_MAX;
    cr_assert_not(ledger_trade(&trade, &moved));
    struct event_cash cash = {.account = 1, .amount_e4 = INT64_MIN};
    cr_assert_not(ledger_cash(&cash, &moved));
    trade = worked_trade();
    trade.price_e4 = PRICE_MAX_E4;
    trade.qty = QTY_MAX;
    cr_assert(ledger_trade(&trade, &moved), "the largest trade of all fits");
}

Test(ledger, every_transaction_of_a_random_tape_sums_to_zero_per_unit)
{
    const uint64_t seed = 20261121;
    struct settlement_market market;
    struct event events[MARKET_EVENTS_MAX];
    struct ledger_transaction moved;
    settlement_market_init(&market, seed);
    for (int command = 0; command < 20000; command++) {
        uint32_t count = settlement_market_next(&market, events);
        for (uint32_t i = 0; i < count; i++) {
            moved.count = 0;
            if (events[i].head.type == EVENT_TRADE) {
                cr_assert(ledger_trade(&events[i].trade, &moved));
            } else if (events[i].head.type == EVENT_CASH) {
                cr_assert(ledger_cash(&events[i].cash, &moved));
            }
            int64_t sums[3] = {0, 0, 0};
            for (uint32_t line = 0; line < moved.count; line++) {
                sums[moved.lines[line].unit] += moved.lines[line].amount;
            }
            cr_assert(sums[LEDGER_CNY_E4] == 0 && sums[LEDGER_GPUH] == 0, "seed %lu command %d",
                      (unsigned long)seed, command);
        }
    }
    cr_assert_gt(market.fills, 10000);
}

Test(place, takes_each_event_once_and_in_order)
{
    struct ledger_place place = {0, 0, 0};
    struct event_head head = {.seq = 1, .time_ns = 5, .index = 0};
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_NEXT);
    cr_assert_not(ledger_between_commands(&place));
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_OLD);
    head.index = 2;
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_GAP);
    head.index = 1;
    head.flags = EVENT_LAST;
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_NEXT);
    cr_assert(ledger_between_commands(&place));
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_OLD);
    head = (struct event_head){.seq = 3, .time_ns = 6, .flags = EVENT_LAST};
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_GAP, "command 2 is missing");
    head = (struct event_head){.seq = 2, .time_ns = 6, .index = 1, .flags = EVENT_LAST};
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_GAP, "event (2, 0) is missing");
    head = (struct event_head){.seq = 2, .time_ns = 4, .flags = EVENT_LAST};
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_GAP, "time falls");
    head.time_ns = 5;
    cr_assert_eq(ledger_follow(&place, &head), LEDGER_NEXT);
    cr_assert_eq(place.seq, 2);
}

static void expect_text(const char *bytes, const char *expected)
{
    char padded[LABEL_SIZE] = {0};
    char text[ROWS_TEXT_SIZE];
    memcpy(padded, bytes, strnlen(bytes, LABEL_SIZE));
    size_t length = rows_text(padded, LABEL_SIZE, text);
    cr_assert_eq(length, strlen(expected), "'%s' became '%.*s'", expected, (int)length, text);
    cr_assert_arr_eq(text, expected, length);
}

Test(rows, text_stays_as_it_is_when_it_is_utf8_and_is_mended_when_not)
{
    expect_text("", "");
    expect_text("bank 4711", "bank 4711");
    expect_text("算力标识", "算力标识");
    expect_text("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
    expect_text("a\xff"
                "b",
                "a\xef\xbf\xbd"
                "b");
    expect_text("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    expect_text("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
    expect_text("\xe7\xae", "\xef\xbf\xbd\xef\xbf\xbd");                 /* cut off */
    /* A character that the field's end cuts in two. */
    char full[LABEL_SIZE];
    char text[ROWS_TEXT_SIZE];
    memset(full, 'x', LABEL_SIZE);
    full[LABEL_SIZE - 1] = '\xe7';
    cr_assert_eq(rows_text(full, LABEL_SIZE, text), LABEL_SIZE - 1 + 3);
}

Test(rows, any_event_fits_when_there_is_room)
{
    static uint8_t memory[ROWS_MEMORY_SIZE];
    static struct rows rows;
    struct settlement_market market;
    struct event events[MARKET_EVENTS_MAX];
    uint64_t fills = 0;
    settlement_market_init(&market, 1);
    rows_init(&rows, memory);
    /* The longest texts that can be: each byte becomes three. */
    struct event longest = {.head = {.seq = 1, .type = EVENT_RESOURCE}};
    memset(longest.resource.node, 0xff, LABEL_SIZE);
    cr_assert_eq(rows_add(&rows, &longest), ROWS_OK);
    memset(&longest.identity, 0, sizeof(longest.identity));
    longest.head.type = EVENT_RESOURCE_IDENTITY;
    memset(longest.identity.identifier, 0xff, IDENTIFIER_SIZE);
    while (rows_room(&rows)) {
        cr_assert_eq(rows_add(&rows, &longest), ROWS_OK);
    }
    cr_assert_leq(rows.tables[ROWS_RESOURCES].size + 2, rows.tables[ROWS_RESOURCES].capacity);
    rows_clear(&rows);
    while (rows_room(&rows)) {
        uint32_t count = settlement_market_next(&market, events);
        for (uint32_t i = 0; i < count && rows_room(&rows); i++) {
            cr_assert_eq(rows_add(&rows, &events[i]), ROWS_OK);
            fills += events[i].head.type == EVENT_TRADE;
        }
    }
    cr_assert_eq(rows.tables[ROWS_FILLS].count, fills);
    cr_assert_gt(fills, 10000, "a batch of 10,000 fills needs one COPY a table");
    for (int i = 0; i < ROWS_TABLE_COUNT; i++) {
        rows_close(&rows.tables[i]);
    }
}

Test(rows, trade_of_an_unknown_class_is_refused)
{
    static uint8_t memory[ROWS_MEMORY_SIZE];
    static struct rows rows;
    struct event event = {.head = {.seq = 9, .type = EVENT_TRADE}, .trade = worked_trade()};
    rows_init(&rows, memory);
    cr_assert_eq(rows_add(&rows, &event), ROWS_UNKNOWN);
    cr_assert(rows_name_class(&rows, 0, "H100"));
    cr_assert_eq(rows_add(&rows, &event), ROWS_UNKNOWN);
    cr_assert(rows_name_region(&rows, 0, "CN-GZ"));
    cr_assert_eq(rows_add(&rows, &event), ROWS_OK);
    event.trade.qty = 0;
    cr_assert_eq(rows_add(&rows, &event), ROWS_IMPOSSIBLE);
    cr_assert_not(rows_name_class(&rows, CLASS_COUNT_MAX, "H100"));
    cr_assert_not(rows_name_class(&rows, 1, "ABCDEFGHIJKLMNOP"), "16 bytes are no name");
}

/* Field by field as the documentation of COPY has it. */
Test(rows, posting_is_written_in_postgresqls_binary_format)
{
    static uint8_t memory[ROWS_MEMORY_SIZE];
    static struct rows rows;
    struct event event = {.head = {.seq = 0x0102, .index = 3, .type = EVENT_CASH},
                          .cash = {.account = 5, .amount_e4 = 1}};
    static const uint8_t expected[] = {
        'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', 0,   0,
        0,   0,   0,   0,   0,   0,   0,                                /* header */
        0,   10,                                                        /* fields */
        0,   0,   0,   8,   0,   0,   0,    0,    0,    0,    1,   2,   /* seq */
        0,   0,   0,   8,   255, 255, 255,  255,  255,  255,  255, 255, /* amount -1 */
        0,   0,   0,   4,   0,   0,   0,    5,                          /* account */
        255, 255, 255, 255,                                             /* resource null */
        0,   0,   0,   4,   0,   0,   0,    3,                          /* index */
        255, 255, 255, 255,                                             /* hour null */
        0,   0,   0,   2,   0,   0,                                     /* line */
        0,   0,   0,   2,   0,   1,                                     /* unit */
        0,   0,   0,   2,   0,   1,                                     /* kind bank */
        255, 255, 255, 255,                                             /* tier null */
    };
    rows_init(&rows, memory);
    cr_assert_eq(rows_add(&rows, &event), ROWS_OK);
    cr_assert_eq(rows.tables[ROWS_POSTINGS].count, 2);
    cr_assert_arr_eq(rows.tables[ROWS_POSTINGS].bytes, expected, sizeof(expected));
}
