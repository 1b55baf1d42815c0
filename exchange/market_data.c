#include "exchange/market_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/depth.h"
#include "exchange/replica_map.h"
#include "exchange/shown.h"

struct tier_depth {
    struct depth sides[2];
    struct market_data_best best; /* as last published */
    uint64_t seq;                 /* of the last update; 0: the next one starts from empty */
    uint8_t phase;                /* as last published */
};

struct ladder {
    uint64_t contract; /* of tier G0; 0: free */
    struct tier_depth tiers[TIER_COUNT];
    struct auction_view auctions[TIER_COUNT]; /* end_ns 0: none collects; phase: unused */
    uint32_t watched_at;                      /* place in `watched` + 1; 0: by nobody */
    uint8_t watched;                          /* tiers, bit by bit */
    bool auction_changed;                     /* by the command */
    bool touched;                             /* it stands in `touched` */
};

struct touched_price {
    uint64_t contract;
    int64_t price_e4;
    uint8_t side;
};

struct contract_trade {
    uint64_t contract;
    struct md_trade_row trade;
};

/* Invariants: 1. a ladder stands in `map` exactly when it is not free. 2. within a command an iceberg whose
 * slice is used up may leave a level without quantity. 3. between commands no order arrives, and a ladder
 * that is not touched has depth, an auction or a watched tier. */
struct market_data_state {
    market_data_publish *publish;
    void *context;
    market_data_phase *phase;
    void *phase_context;
    struct replica_map map; /* contract of tier G0 -> number of the ladder */
    struct ladder *ladders;
    size_t ladder_count;
    size_t ladder_capacity;
    uint32_t *free_ladders;
    size_t free_count;
    size_t free_capacity;
    uint64_t seq; /* of the last whole command */
    struct shown shown;
    uint32_t horizon_hours;
    int64_t gate_lead_ns;
    int64_t second;      /* of the last command */
    int64_t open_hour;   /* the first whose gate was open then */
    int64_t beyond_hour; /* the first that was too far ahead */
    uint32_t *watched;   /* numbers of ladders */
    size_t watched_count;
    size_t watched_capacity;
    /* The command's doings. */
    uint32_t *touched;
    size_t touched_count;
    size_t touched_capacity;
    struct touched_price *prices;
    size_t price_count;
    size_t price_capacity;
    struct contract_trade *trades;
    size_t trade_count;
    size_t trade_capacity;
    /* What an update points at. */
    struct md_level_row *changed;
    size_t changed_capacity;
    struct md_trade_row *update_trades;
    size_t update_trade_capacity;
};

/* --- ladders -------------------------------------------------------------------------------- */

static bool is_watched(const struct ladder *ladder, size_t tier)
{
    return ((uint32_t)ladder->watched >> tier & 1u) != 0;
}

static struct ladder *ladder_find(const struct market_data_state *market_data, uint64_t contract)
{
    const uint64_t *number =
        replica_map_find(&market_data->map, contract_with_tier(contract, TIER_G0));
    return number ? &market_data->ladders[*number] : NULL;
}

/* The contract's ladder, made when there is none. */
static struct ladder *ladder_make(struct market_data_state *market_data, uint64_t contract)
{
    CHECK(contract_tier(contract) < TIER_COUNT);
    struct ladder *ladder = ladder_find(market_data, contract);
    if (ladder) {
        return ladder;
    }
    uint64_t key = contract_with_tier(contract, TIER_G0);
    uint32_t number;
    if (market_data->free_count > 0) {
        number = market_data->free_ladders[--market_data->free_count];
    } else {
        market_data->ladders =
            replica_grow(market_data->ladders, market_data->ladder_count,
                         &market_data->ladder_capacity, sizeof(market_data->ladders[0]));
        CHECK(market_data->ladder_count < UINT32_MAX);
        number = (uint32_t)market_data->ladder_count++;
    }
    ladder = &market_data->ladders[number];
    *ladder = (struct ladder){.contract = key};
    *replica_map_put(&market_data->map, key) = number;
    return ladder;
}

/* The same, and marked as touched by the command. */
static struct ladder *ladder_touch(struct market_data_state *market_data, uint64_t contract)
{
    struct ladder *ladder = ladder_make(market_data, contract);
    if (!ladder->touched) {
        ladder->touched = true;
        market_data->touched =
            replica_grow(market_data->touched, market_data->touched_count,
                         &market_data->touched_capacity, sizeof(market_data->touched[0]));
        market_data->touched[market_data->touched_count++] =
            (uint32_t)(ladder - market_data->ladders);
    }
    return ladder;
}

static void ladder_forget(struct market_data_state *market_data, struct ladder *ladder)
{
    replica_map_remove(&market_data->map, ladder->contract);
    for (size_t t = 0; t < TIER_COUNT; t++) {
        depth_free(&ladder->tiers[t].sides[SIDE_BUY]);
        depth_free(&ladder->tiers[t].sides[SIDE_SELL]);
    }
    market_data->free_ladders =
        replica_grow(market_data->free_ladders, market_data->free_count,
                     &market_data->free_capacity, sizeof(market_data->free_ladders[0]));
    market_data->free_ladders[market_data->free_count++] =
        (uint32_t)(ladder - market_data->ladders);
    *ladder = (struct ladder){0};
}

static void best_add(uint8_t side, const struct level_row *level, struct level_row *best)
{
    if (best->price_e4 == 0 || depth_better(side, level->price_e4, best->price_e4)) {
        *best = (struct level_row){.price_e4 = level->price_e4};
    }
    if (level->price_e4 == best->price_e4) {
        best->qty += level->qty;
        best->shared_qty += level->shared_qty;
    }
}

/* A bid of the tier meets offers of the tier and above, an offer bids of the tier and below. */
static struct market_data_best ladder_best(const struct ladder *ladder, size_t tier)
{
    struct level_row bid = {0};
    struct level_row offer = {0};
    for (size_t t = tier; t < TIER_COUNT; t++) {
        const struct depth *offers = &ladder->tiers[t].sides[SIDE_SELL];
        uint32_t firm = depth_firm(offers);
        if (firm < offers->count) {
            best_add(SIDE_SELL, &offers->levels[firm], &offer);
        }
    }
    for (size_t t = 0; t <= tier; t++) {
        const struct depth *bids = &ladder->tiers[t].sides[SIDE_BUY];
        if (bids->count > 0) {
            best_add(SIDE_BUY, &bids->levels[0], &bid);
        }
    }
    return (struct market_data_best){.bid_e4 = bid.price_e4,
                                     .bid_qty = bid.qty,
                                     .bid_shared_qty = bid.shared_qty,
                                     .offer_e4 = offer.price_e4,
                                     .offer_qty = offer.qty};
}

static bool best_equal(const struct market_data_best *a, const struct market_data_best *b)
{
    return a->bid_e4 == b->bid_e4 && a->bid_qty == b->bid_qty &&
           a->bid_shared_qty == b->bid_shared_qty && a->offer_e4 == b->offer_e4 &&
           a->offer_qty == b->offer_qty;
}

/* --- events --------------------------------------------------------------------------------- */

/* An order shows more or less of itself. */
static void change_level(void *context, uint64_t contract, uint8_t side,
                         const struct level_row *row)
{
    struct market_data_state *market_data = context;
    CHECK(side <= SIDE_SELL);
    struct ladder *ladder = ladder_touch(market_data, contract);
    market_data->prices =
        replica_grow(market_data->prices, market_data->price_count, &market_data->price_capacity,
                     sizeof(market_data->prices[0]));
    market_data->prices[market_data->price_count++] =
        (struct touched_price){.contract = contract, .price_e4 = row->price_e4, .side = side};
    depth_change(&ladder->tiers[contract_tier(contract)].sides[side], side, row);
}

static void apply_trade(struct market_data_state *market_data, const struct event *event)
{
    const struct event_trade *trade = &event->trade;
    ladder_touch(market_data, trade->contract);
    market_data->trades =
        replica_grow(market_data->trades, market_data->trade_count, &market_data->trade_capacity,
                     sizeof(market_data->trades[0]));
    market_data->trades[market_data->trade_count++] =
        (struct contract_trade){.contract = trade->contract,
                                .trade = {.fill_id = trade->fill_id,
                                          .price_e4 = trade->price_e4,
                                          .qty = trade->qty,
                                          .aggressor = trade->aggressor,
                                          .offer_tier = trade->offer_tier,
                                          .contingent = trade->condition == TRADE_CONTINGENT,
                                          .auction = event_trade_auction(trade)}};
}

static void apply_auction(struct market_data_state *market_data, const struct event_auction *event)
{
    struct ladder *ladder = ladder_touch(market_data, event->contract);
    ladder->auction_changed = true;
    for (size_t t = 0; t < TIER_COUNT; t++) {
        ladder->auctions[t] = event->state == AUCTION_ENDED
                                  ? (struct auction_view){0}
                                  : (struct auction_view){.end_ns = event->end_time_ns,
                                                          .indicative_e4 = event->price_e4[t],
                                                          .indicative_qty = event->qty[t]};
    }
}

/* What concerns whole markets may have changed the phase of each of their hours. */
static void touch_markets(struct market_data_state *market_data, uint8_t filter, uint16_t class_id,
                          uint16_t region_id)
{
    for (size_t i = 0; i < market_data->ladder_count; i++) {
        uint64_t contract = market_data->ladders[i].contract;
        bool outside = (filter & SCOPE_CLASS && contract_class(contract) != class_id) ||
                       (filter & SCOPE_REGION && contract_region(contract) != region_id);
        if (contract != 0 && !outside) {
            ladder_touch(market_data, contract);
        }
    }
}

/* Hours whose gate has closed, or that have come within the horizon. */
static void touch_hours(struct market_data_state *market_data, int64_t time_ns)
{
    int64_t open_hour = (time_ns + market_data->gate_lead_ns) / NS_PER_HOUR + 1;
    int64_t beyond_hour = time_ns / NS_PER_HOUR + market_data->horizon_hours;
    if (open_hour == market_data->open_hour && beyond_hour == market_data->beyond_hour) {
        return;
    }
    for (size_t i = 0; i < market_data->ladder_count; i++) {
        uint64_t contract = market_data->ladders[i].contract;
        int64_t hour = contract_hour(contract);
        bool closed = hour >= market_data->open_hour && hour < open_hour;
        bool within = hour >= market_data->beyond_hour && hour < beyond_hour;
        if (contract != 0 && (closed || within)) {
            ladder_touch(market_data, contract);
        }
    }
    market_data->open_hour = open_hour;
    market_data->beyond_hour = beyond_hour;
}

/* Time alone may change a phase, by rules that are the engine's: what is watched is looked at each second. */
static void touch_watched(struct market_data_state *market_data, int64_t time_ns)
{
    if (time_ns / NS_PER_SECOND == market_data->second) {
        return;
    }
    market_data->second = time_ns / NS_PER_SECOND;
    for (size_t i = 0; i < market_data->watched_count; i++) {
        const struct ladder *ladder = &market_data->ladders[market_data->watched[i]];
        uint8_t phase = market_data->phase(market_data->phase_context, ladder->contract);
        for (size_t t = 0; t < TIER_COUNT; t++) {
            if (is_watched(ladder, t) && ladder->tiers[t].phase != phase) {
                ladder_touch(market_data, ladder->contract);
            }
        }
    }
}

/* --- the end of a command ------------------------------------------------------------------- */

static int compare_prices(const void *left, const void *right)
{
    const struct touched_price *a = left;
    const struct touched_price *b = right;
    if (a->contract != b->contract) {
        return a->contract < b->contract ? -1 : 1;
    }
    if (a->side != b->side) {
        return a->side < b->side ? -1 : 1;
    }
    if (a->price_e4 != b->price_e4) {
        return depth_better(a->side, a->price_e4, b->price_e4) ? -1 : 1;
    }
    return 0;
}

/* The contract's changed levels, each once, best first; `prices` is sorted. */
static uint32_t collect_changes(struct market_data_state *market_data,
                                const struct tier_depth *tier, uint64_t contract)
{
    size_t low = 0;
    size_t high = market_data->price_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (market_data->prices[middle].contract < contract) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t count = 0;
    for (size_t i = low; i < market_data->price_count; i++) {
        const struct touched_price *price = &market_data->prices[i];
        if (price->contract != contract) {
            break;
        }
        if (i > low && compare_prices(price, price - 1) == 0) {
            continue;
        }
        market_data->changed =
            replica_grow(market_data->changed, count, &market_data->changed_capacity,
                         sizeof(market_data->changed[0]));
        struct level_row level = depth_at(&tier->sides[price->side], price->side, price->price_e4);
        market_data->changed[count++] = (struct md_level_row){.price_e4 = level.price_e4,
                                                              .qty = level.qty,
                                                              .shared_qty = level.shared_qty,
                                                              .reserved_qty = level.reserved_qty,
                                                              .orders = level.orders,
                                                              .side = price->side};
    }
    return count;
}

static uint32_t collect_trades(struct market_data_state *market_data, uint64_t contract)
{
    uint32_t count = 0;
    for (size_t i = 0; i < market_data->trade_count; i++) {
        if (market_data->trades[i].contract == contract) {
            market_data->update_trades =
                replica_grow(market_data->update_trades, count, &market_data->update_trade_capacity,
                             sizeof(market_data->update_trades[0]));
            market_data->update_trades[count++] = market_data->trades[i].trade;
        }
    }
    return count;
}

static void publish_tier(struct market_data_state *market_data, struct ladder *ladder, size_t t,
                         uint8_t phase, const struct event_head *head)
{
    struct tier_depth *tier = &ladder->tiers[t];
    uint64_t contract = contract_with_tier(ladder->contract, (uint8_t)t);
    struct market_data_update update = {.contract = contract,
                                        .seq = head->seq,
                                        .prev_seq = tier->seq,
                                        .time_ns = head->time_ns,
                                        .best = ladder_best(ladder, t),
                                        .auction = ladder->auctions[t]};
    update.auction.phase = phase;
    update.level_count = collect_changes(market_data, tier, contract);
    update.trade_count = collect_trades(market_data, contract);
    bool empty = tier->sides[SIDE_BUY].count == 0 && tier->sides[SIDE_SELL].count == 0;
    bool shows = !empty || update.best.bid_e4 != 0 || update.best.offer_e4 != 0;
    bool phase_changed = phase != tier->phase || ladder->auction_changed;
    if (update.level_count == 0 && update.trade_count == 0 &&
        best_equal(&update.best, &tier->best) &&
        !(phase_changed && (shows || is_watched(ladder, t)))) {
        return;
    }
    update.levels = market_data->changed;
    update.trades = market_data->update_trades;
    market_data->publish(market_data->context, &update);
    tier->best = update.best;
    tier->phase = phase;
    tier->seq = empty ? 0 : head->seq;
}

/* Has neither depth nor an auction, and is watched by nobody. */
static bool ladder_idle(const struct ladder *ladder)
{
    for (size_t t = 0; t < TIER_COUNT; t++) {
        if (ladder->tiers[t].sides[SIDE_BUY].count > 0 ||
            ladder->tiers[t].sides[SIDE_SELL].count > 0) {
            return false;
        }
    }
    return ladder->auctions[0].end_ns == 0 && ladder->watched == 0;
}

static void finish_command(struct market_data_state *market_data, const struct event_head *head)
{
    market_data->seq = head->seq;
    touch_hours(market_data, head->time_ns);
    touch_watched(market_data, head->time_ns);
    if (market_data->price_count > 1) {
        qsort(market_data->prices, market_data->price_count, sizeof(market_data->prices[0]),
              compare_prices);
    }
    for (size_t i = 0; i < market_data->touched_count; i++) {
        struct ladder *ladder = &market_data->ladders[market_data->touched[i]];
        uint8_t phase = market_data->phase(market_data->phase_context, ladder->contract);
        for (size_t t = 0; t < TIER_COUNT; t++) {
            publish_tier(market_data, ladder, t, phase, head);
        }
        ladder->touched = false;
        ladder->auction_changed = false;
        if (ladder_idle(ladder)) {
            ladder_forget(market_data, ladder);
        }
    }
    market_data->touched_count = 0;
    market_data->price_count = 0;
    market_data->trade_count = 0;
}

void market_data_apply(struct market_data_state *market_data, const struct event *event)
{
    shown_apply(&market_data->shown, event);
    if (event->head.type == EVENT_TRADE) {
        apply_trade(market_data, event);
    } else if (event->head.type == EVENT_HALT) {
        touch_markets(market_data, event->halt.filter, event->halt.class_id, event->halt.region_id);
    } else if (event->head.type == EVENT_MARKET) {
        touch_markets(market_data, SCOPE_CLASS | SCOPE_REGION, event->market.class_id,
                      event->market.region_id);
    } else if (event->head.type == EVENT_GENESIS) {
        market_data->horizon_hours = event->genesis.horizon_hours;
        market_data->gate_lead_ns = event->genesis.gate_lead_s * NS_PER_SECOND;
    } else if (event->head.type == EVENT_AUCTION) {
        apply_auction(market_data, &event->auction);
    }
    if (event->head.flags & EVENT_LAST) {
        shown_settle(&market_data->shown);
        finish_command(market_data, &event->head);
    }
}

/* --- making and freeing --------------------------------------------------------------------- */

struct market_data_state *market_data_new(market_data_publish *publish, void *context,
                                          market_data_phase *phase, void *phase_context)
{
    struct market_data_state *market_data = calloc(1, sizeof(*market_data));
    CHECK(market_data);
    market_data->publish = publish;
    market_data->context = context;
    market_data->phase = phase;
    market_data->phase_context = phase_context;
    replica_map_init(&market_data->map);
    shown_init(&market_data->shown, change_level, market_data);
    return market_data;
}

void market_data_free(struct market_data_state *market_data)
{
    if (!market_data) {
        return;
    }
    for (size_t i = 0; i < market_data->ladder_count; i++) {
        for (size_t t = 0; t < TIER_COUNT; t++) {
            depth_free(&market_data->ladders[i].tiers[t].sides[SIDE_BUY]);
            depth_free(&market_data->ladders[i].tiers[t].sides[SIDE_SELL]);
        }
    }
    replica_map_free(&market_data->map);
    shown_free(&market_data->shown);
    free(market_data->ladders);
    free(market_data->free_ladders);
    free(market_data->touched);
    free(market_data->watched);
    free(market_data->prices);
    free(market_data->trades);
    free(market_data->changed);
    free(market_data->update_trades);
    free(market_data);
}

/* --- who follows ---------------------------------------------------------------------------- */

static void watch_begin(struct market_data_state *market_data, struct ladder *ladder)
{
    market_data->watched =
        replica_grow(market_data->watched, market_data->watched_count,
                     &market_data->watched_capacity, sizeof(market_data->watched[0]));
    market_data->watched[market_data->watched_count++] = (uint32_t)(ladder - market_data->ladders);
    ladder->watched_at = (uint32_t)market_data->watched_count;
}

static void watch_end(struct market_data_state *market_data, struct ladder *ladder)
{
    uint32_t last = market_data->watched[--market_data->watched_count];
    market_data->watched[ladder->watched_at - 1] = last;
    market_data->ladders[last].watched_at = ladder->watched_at;
    ladder->watched_at = 0;
}

/* Whoever connects says what is watched, at any time: nothing may be left of it when it is over. */
void market_data_watch(struct market_data_state *market_data, uint64_t contract, bool watch)
{
    uint8_t bit = (uint8_t)(1u << contract_tier(contract));
    struct ladder *ladder = ladder_find(market_data, contract);
    bool full = market_data->watched_count == MARKET_DATA_WATCHED_MAX;
    bool never = contract_hour(contract) == 0; /* and a contract of it may be 0, which names none */
    if (watch ? never || (full && (!ladder || ladder->watched == 0))
              : !ladder || !(ladder->watched & bit)) {
        return;
    }
    ladder = ladder_make(market_data, contract);
    if (watch && ladder->watched == 0) {
        watch_begin(market_data, ladder);
    }
    ladder->watched = (uint8_t)(watch ? ladder->watched | bit : ladder->watched & ~bit);
    ladder->tiers[contract_tier(contract)].phase =
        market_data->phase(market_data->phase_context, contract);
    if (!watch && ladder->watched == 0) {
        watch_end(market_data, ladder);
        if (ladder_idle(ladder) && !ladder->touched) {
            ladder_forget(market_data, ladder);
        }
    }
}

/* --- reads ---------------------------------------------------------------------------------- */

void market_data_find(const struct market_data_state *market_data, uint64_t contract,
                      struct market_data_depth *depth)
{
    *depth = (struct market_data_depth){.contract = contract, .tape_seq = market_data->seq};
    uint8_t phase = market_data->phase(market_data->phase_context, contract);
    depth->auction.phase = phase;
    const struct ladder *ladder = ladder_find(market_data, contract);
    if (!ladder || contract_tier(contract) >= TIER_COUNT) {
        return;
    }
    const struct tier_depth *tier = &ladder->tiers[contract_tier(contract)];
    depth->seq = tier->seq;
    depth->best = ladder_best(ladder, contract_tier(contract));
    depth->auction = ladder->auctions[contract_tier(contract)];
    depth->auction.phase = phase;
    depth->bids = tier->sides[SIDE_BUY].levels;
    depth->offers = tier->sides[SIDE_SELL].levels;
    depth->bid_count = tier->sides[SIDE_BUY].count;
    depth->offer_count = tier->sides[SIDE_SELL].count;
}

bool market_data_reserved(const struct market_data_state *market_data, uint64_t order_id)
{
    return shown_reserved(&market_data->shown, order_id);
}

size_t market_data_ladders(const struct market_data_state *market_data)
{
    return market_data->map.count;
}
