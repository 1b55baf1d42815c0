/* The checker's second look at auctions: right ones pass and are counted, and every way in which one can be
 * wrong is seen. */
#include <criterion/criterion.h>

#include "client/check/auctions.h"
#include "wire/contract.h"

#define HOUR 500000u

static struct auctions auctions;
static uint64_t seq;

static void begin(void)
{
    auctions_init(&auctions);
    seq = 1;
}

static void end(void)
{
    auctions_free(&auctions);
}

static uint64_t contract(uint8_t tier)
{
    return contract_pack(1, 2, tier, HOUR);
}

static void take(struct event event, uint8_t type)
{
    event.head.type = type;
    event.head.seq = seq;
    auctions_take(&auctions, &event);
}

static void auction(uint8_t kind, uint8_t state, const uint32_t price_e4[TIER_COUNT],
                    const uint32_t qty[TIER_COUNT])
{
    struct event event = {.auction = {.contract = contract(0), .kind = kind, .state = state}};
    for (int t = 0; t < TIER_COUNT && price_e4; t++) {
        event.auction.price_e4[t] = price_e4[t];
        event.auction.qty[t] = qty[t];
    }
    take(event, EVENT_AUCTION);
}

static void trade(uint8_t tier, int64_t price_e4, int64_t qty, uint8_t condition, uint8_t aggressor)
{
    const struct event event = {.trade = {.contract = contract(tier),
                                          .price_e4 = price_e4,
                                          .qty = qty,
                                          .condition = condition,
                                          .aggressor = aggressor}};
    take(event, EVENT_TRADE);
}

static void fill(uint8_t side, int64_t price_e4, uint64_t limit_e4)
{
    const struct event event = {
        .fill = {
            .side = side, .price_e4 = price_e4, .limit_e4 = limit_e4, .resting = FILL_AUCTION}};
    take(event, EVENT_FILL);
}

static const uint32_t prices[TIER_COUNT] = {100, 0, 120, 0};
static const uint32_t quantities[TIER_COUNT] = {5, 0, 3, 0};

/* One that is right, up to its end. */
static void collect(uint8_t kind, uint8_t condition)
{
    auction(kind, AUCTION_BEGUN, NULL, NULL);
    seq++;
    trade(2, 120, 3, condition, AGGRESSOR_NONE);
    fill(SIDE_BUY, 120, 120);
    fill(SIDE_SELL, 120, 110);
    trade(0, 100, 4, condition, AGGRESSOR_NONE);
    trade(0, 100, 1, condition, AGGRESSOR_NONE);
}

Test(check_auctions, right_ones_pass_and_are_counted_by_kind, .init = begin, .fini = end)
{
    for (uint8_t kind = AUCTION_OPENING; kind <= AUCTION_VOLATILITY; kind++) {
        uint8_t condition = event_auction_condition(kind);
        collect(kind, condition);
        auction(kind, AUCTION_ENDED, prices, quantities);
        trade(0, 90, 2, condition, AGGRESSOR_NONE); /* whom an own order had kept apart */
        seq++;
        trade(0, 95, 2, TRADE_REGULAR, SIDE_SELL);
        cr_assert_eq(auctions.cleared[kind], 1);
    }
    auction(AUCTION_PERIODIC, AUCTION_BEGUN, NULL, NULL);
    seq++;
    auction(AUCTION_PERIODIC, AUCTION_ENDED, NULL, NULL); /* at the gate */
    auction(AUCTION_PERIODIC, AUCTION_BEGUN, NULL, NULL); /* the next period, in the same command */
    cr_assert_eq(auctions.wrong, 0);
    cr_assert_eq(auctions.gpu_hours, 30);
    cr_assert_eq(auctions.cleared[AUCTION_PERIODIC], 1);
}

Test(check_auctions, every_wrong_one_is_seen, .init = begin, .fini = end)
{
    const uint32_t other_price[TIER_COUNT] = {100, 0, 121, 0};
    const uint32_t other_qty[TIER_COUNT] = {6, 0, 3, 0};
    const uint32_t falling[TIER_COUNT] = {130, 0, 120, 0};
    uint64_t wrong = 0;
    collect(AUCTION_OPENING, TRADE_OPENING);
    auction(AUCTION_OPENING, AUCTION_ENDED, other_price, quantities);
    cr_assert_eq(auctions.wrong, ++wrong, "another price is published");
    seq++;
    collect(AUCTION_OPENING, TRADE_OPENING);
    auction(AUCTION_OPENING, AUCTION_ENDED, prices, other_qty);
    cr_assert_eq(auctions.wrong, ++wrong, "another quantity is published");
    seq++;
    collect(AUCTION_OPENING, TRADE_OPENING);
    trade(0, 101, 1, TRADE_OPENING, AGGRESSOR_NONE);
    cr_assert_eq(auctions.wrong, ++wrong, "a second price");
    trade(0, 101, 1, TRADE_OPENING, SIDE_BUY);
    cr_assert_eq(auctions.wrong, ++wrong, "somebody arrived");
    trade(0, 101, 1, TRADE_PERIODIC, AGGRESSOR_NONE);
    cr_assert_eq(auctions.wrong, ++wrong, "of another auction");
    trade(1, 101, 1, TRADE_REGULAR, SIDE_BUY);
    cr_assert_eq(auctions.wrong, ++wrong, "a trade while it collects");
    auction(AUCTION_OPENING, AUCTION_BEGUN, NULL, NULL);
    cr_assert_eq(auctions.wrong, ++wrong, "a second auction");
    trade(0, 130, 5, TRADE_OPENING, AGGRESSOR_NONE);
    trade(2, 120, 3, TRADE_OPENING, AGGRESSOR_NONE);
    auction(AUCTION_OPENING, AUCTION_ENDED, falling, quantities);
    cr_assert_eq(auctions.wrong, ++wrong, "a higher tier is cheaper");
    auction(AUCTION_OPENING, AUCTION_ENDED, prices, quantities);
    cr_assert_eq(auctions.wrong, ++wrong, "ended twice");
    seq++;
    trade(0, 100, 1, TRADE_OPENING, AGGRESSOR_NONE);
    cr_assert_eq(auctions.wrong, ++wrong, "an auction's trade a command later");
    trade(0, 100, 1, TRADE_REGULAR, AGGRESSOR_NONE);
    cr_assert_eq(auctions.wrong, ++wrong, "nobody arrived");
    fill(SIDE_BUY, 120, 119);
    cr_assert_eq(auctions.wrong, ++wrong, "above the bid's limit");
    fill(SIDE_SELL, 120, 121);
    cr_assert_eq(auctions.wrong, ++wrong, "below the offer's limit");
}
