/* The state hash and the walk over every invariant of state.h. */
#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/housekeeping.h"
#include "exchange/core/iceberg.h"
#include "exchange/core/job.h"
#include "exchange/core/money.h"
#include "exchange/core/order.h"
#include "exchange/core/quote.h"
#include "exchange/core/reservation.h"
#include "exchange/core/set.h"
#include "exchange/core/state.h"

/* --- hash ----------------------------------------------------------------------------------- */

/* Multiply-xor over 64-bit words; the tables are whole words and have no padding. */
static uint64_t hash_words(uint64_t h, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    CHECK(size % 8 == 0);
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

uint64_t engine_state_hash(const struct engine *e)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    h = hash_words(h, &e->s, sizeof(e->s));
    h = hash_words(h, e->orders, ((size_t)e->s.order_top + 1) * sizeof(struct order));
    for (uint32_t slot = 1; slot <= e->s.order_top; slot++) {
        if (e->orders[slot].iceberg) {
            h = hash_words(h, &e->icebergs[slot], sizeof(struct iceberg));
        }
        if (e->orders[slot].waits) {
            h = hash_words(h, &e->waiting[slot], sizeof(struct waiting));
        }
    }
    h = hash_words(h, e->ladders, ((size_t)e->s.ladder_top + 1) * sizeof(struct ladder));
    h = hash_words(h, &e->ladders[ladder_shadow(e, 1)], e->s.ladder_top * sizeof(struct ladder));
    h = hash_words(h, &e->ladders[ladder_of_jobs(e, 1)], e->s.market_count * sizeof(struct ladder));
    for (uint32_t units = 1; units <= NODE_UNITS; units++) {
        h = hash_words(h, e->nodes + (size_t)e->node_start[units] * NODE_UNIT,
                       (size_t)e->s.node_used[units] * units * NODE_UNIT);
    }
    h = hash_words(h, e->accounts, ((size_t)e->s.account_count + 1) * sizeof(struct account));
    h = hash_words(h, e->keys, ((size_t)e->s.key_count + 1) * sizeof(struct key));
    h = hash_words(h, e->markets, ((size_t)e->s.market_count + 1) * sizeof(struct market));
    h = hash_words(h, e->rings, ((size_t)e->s.market_count + 1) * sizeof(e->rings[0]));
    h = hash_words(h, e->resources, ((size_t)e->s.resource_count + 1) * sizeof(struct resource));
    for (uint32_t hour = 0; hour < HOUR_RING; hour++) {
        h = hash_words(h, capacity_cell(e, 0, hour),
                       ((size_t)e->s.resource_count + 1) * sizeof(e->cells[0]));
    }
    h = hash_words(h, e->holdings, ((size_t)e->s.holding_top + 1) * sizeof(struct holding));
    h = hash_words(h, e->hour_holdings, HOUR_RING * sizeof(uint32_t));
    h = hash_words(h, e->fills, ((size_t)e->s.fill_count + 1) * sizeof(struct fill_record));
    h = hash_words(h, e->timers, ((size_t)e->s.timer_count + 1) * sizeof(struct timer));
    h = hash_words(h, e->auctions, ((size_t)e->s.auction_top + 1) * sizeof(struct auction));
    h = hash_words(h, e->terms, ((size_t)e->s.market_count + 1) * sizeof(struct market_terms));
    h = hash_words(h, e->public_keys, ((size_t)e->s.key_count + 1) * PUBLIC_KEY_SIZE);
    h = hash_words(h, e->identifiers, ((size_t)e->s.resource_count + 1) * IDENTIFIER_SIZE);
    h = hash_words(h, e->jobs, ((size_t)e->s.job_top + 1) * sizeof(struct job));
    h = hash_words(h, e->due_hours,
                   ((size_t)e->s.market_count + 1) * HOUR_RING * sizeof(struct due_hour));
    return hash_words(h, e->group_names, ((size_t)e->s.group_count + 1) * LABEL_SIZE);
}

/* --- sanity --------------------------------------------------------------------------------- */

/* What the chains of keys hold. */
struct tally {
    uint32_t slots;    /* of the table of orders */
    uint32_t standing; /* in books or aside */
};

static void check_plain(const struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    CHECK(o->kind == KIND_PLAIN && o->resting && o->leaves > 0);
    CHECK(o->special == (o->iceberg || o->reserved || o->ranged));
    CHECK(o->reserved == ladder_is_shadow(e, o->ladder));
    CHECK(!o->reserved || (o->timed != o->waits && !o->iceberg));
    CHECK(o->reserved || !o->waits);
    const struct order *newer = &e->orders[o->newer];
    CHECK(!o->ranged || (o->newer != 0 && (newer->kind == KIND_RANGE || newer->ranged)));
}

static void add_order(const struct engine *e, uint32_t slot, struct account *sum,
                      struct tally *tally)
{
    const struct order *o = &e->orders[slot];
    tally->slots++;
    if (o->kind == KIND_RANGE) {
        CHECK(o->older != 0 && e->orders[o->older].ranged && o->special);
        return;
    }
    sum->open_orders++;
    if (o->kind == KIND_JOB) {
        sum->open_orders += job_of(e, o)->lane_count - 1u;
        sum->reserved_e4 += job_of(e, o)->reserve_e4;
        return;
    }
    if (o->kind == KIND_SET) {
        uint32_t legs = set_sanity(e, slot);
        sum->open_orders += legs - 1;
        tally->slots += legs;
        tally->standing += legs;
    } else {
        check_plain(e, slot);
        tally->standing++;
    }
    if (o->sell) {
        sum->bond_open_e4 += (int64_t)o->bond_unit * o->leaves;
    } else {
        sum->reserved_e4 +=
            money_bid_reserve(e, (uint8_t)o->fees, o->fee_rest, o->price_e4, o->leaves);
    }
}

/* Sums up what the orders of a key reserve; also CHECKs its chain. */
static void sum_chain(const struct engine *e, uint32_t key, struct account *sum,
                      struct tally *tally)
{
    uint32_t older = 0;
    uint32_t epoch = 0;
    for (uint32_t slot = e->keys[key].oldest; slot != 0; slot = e->orders[slot].newer) {
        const struct order *o = &e->orders[slot];
        CHECK(o->live && o->key == key && o->older == older);
        CHECK(o->epoch >= epoch && o->epoch <= e->s.epoch);
        CHECK(!o->timed || e->timers[e->timer_of[slot]].slot == slot);
        add_order(e, slot, sum, tally);
        older = slot;
        epoch = o->epoch;
    }
    CHECK(e->keys[key].newest == older);
}

/* Returns the number of orders that stand in books or aside. */
static uint32_t check_accounts(const struct engine *e)
{
    struct tally tally = {0};
    for (uint32_t i = 1; i <= e->s.account_count; i++) {
        const struct account *a = &e->accounts[i];
        struct account sum = {0};
        for (uint32_t key = a->first_key; key != 0; key = e->keys[key].next_of_account) {
            CHECK(e->keys[key].account == i && e->keys[key].group == a->group);
            sum_chain(e, key, &sum, &tally);
        }
        CHECK(sum.reserved_e4 == a->reserved_e4);
        CHECK(sum.bond_open_e4 == a->bond_open_e4);
        CHECK(sum.open_orders == a->open_orders);
    }
    CHECK(tally.slots + job_sanity(e) == e->s.order_count);
    return tally.standing;
}

static void check_fills(const struct engine *e)
{
    for (uint32_t i = 1; i <= e->s.account_count; i++) {
        int64_t escrow = 0;
        int64_t bond = 0;
        for (uint32_t f = 1; f <= e->s.fill_count; f++) {
            const struct fill_record *fill = &e->fills[f];
            int64_t qty = fill->qty;
            escrow += fill->buyer == i ? (int64_t)fill->price_e4 * qty + fill->buy_fee_e4 : 0;
            bond += fill->seller == i ? (int64_t)fill->bond_unit * qty : 0;
        }
        CHECK(escrow == e->accounts[i].escrow_e4 && bond == e->accounts[i].bond_locked_e4);
    }
}

/* Orders in the books of a ladder, or of a shadow, whose links and counts it CHECKs. */
static uint32_t check_books(const struct engine *e, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    uint32_t by_side[2] = {0, 0};
    for (uint32_t book = 0; book < BOOKS; book++) {
        by_side[book / 4] += book_sanity(e, ladder, book);
    }
    CHECK(by_side[0] == l->orders[0] && by_side[1] == l->orders[1]);
    return by_side[0] + by_side[1];
}

static uint32_t check_shadow(const struct engine *e, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    const struct ladder *shadow = &e->ladders[ladder_shadow(e, ladder)];
    bool shadowed = (l->occupied & LADDER_SHADOWED) != 0;
    CHECK(shadow->contract == (shadowed ? l->contract : 0));
    CHECK(shadow->market == (shadowed ? l->market : 0) && shadow->last_trade_e4 == 0);
    uint32_t orders = check_books(e, ladder_shadow(e, ladder));
    CHECK((orders != 0) == shadowed);
    return orders;
}

static void check_ladders(const struct engine *e, uint32_t standing)
{
    uint32_t ladders = 0;
    uint32_t orders = 0;
    for (uint32_t m = 1; m <= e->s.market_count; m++) {
        for (uint32_t place = 0; place < HOUR_RING; place++) {
            uint32_t index = e->rings[m][place];
            if (index == 0) {
                continue;
            }
            const struct ladder *l = &e->ladders[index];
            CHECK(l->market == m && contract_hour(l->contract) % HOUR_RING == place);
            bool at_its_gate = contract_hour(l->contract) == e->s.gate_hour;
            CHECK(l->occupied != 0 || l->last_trade_e4 != 0 || at_its_gate);
            orders += check_books(e, index) + check_shadow(e, index);
            iceberg_sanity(e, index);
            ladders++;
        }
    }
    CHECK(ladders == e->s.ladder_count && orders == standing);
}

/* Offered and sold GPUs of every resource hour, from the orders and the fills, against the cells and
 * the holdings: nothing is sold twice. */
static void check_capacity(const struct engine *e)
{
    for (uint32_t r = 1; r <= e->s.resource_count; r++) {
        for (uint32_t place = 0; place < HOUR_RING; place++) {
            const struct capacity_cell *cell = capacity_cell(e, r, place);
            if (cell->hour == 0 || cell->hour < e->s.gate_hour) {
                continue;
            }
            int64_t committed = 0;
            for (uint32_t slot = 1; slot <= e->s.order_top; slot++) {
                const struct order *o = &e->orders[slot];
                if (o->live && o->sell && o->kind == KIND_PLAIN && o->resource == r &&
                    o->source == SOURCE_OWN &&
                    contract_hour(e->ladders[o->ladder].contract) == cell->hour) {
                    committed += o->leaves;
                }
            }
            for (uint32_t f = 1; f <= e->s.fill_count; f++) {
                if (e->fills[f].resource == r && e->fills[f].source_tier == SOURCE_OWN &&
                    contract_hour(e->fills[f].contract) == cell->hour) {
                    committed += e->fills[f].qty;
                }
            }
            CHECK(committed == cell->committed && committed <= (int64_t)e->resources[r].gpus);
        }
    }
}

static void check_holdings(const struct engine *e)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= e->s.holding_top; i++) {
        const struct holding *h = &e->holdings[i];
        if (h->qty == 0) {
            continue;
        }
        int64_t offered = 0;
        for (uint32_t slot = 1; slot <= e->s.order_top; slot++) {
            const struct order *o = &e->orders[slot];
            offered += o->live && o->sell && o->kind == KIND_PLAIN && o->resource == h->resource &&
                               o->source == (h->hour_tier & 0xffu) &&
                               e->keys[o->key].account == h->account &&
                               contract_hour(e->ladders[o->ladder].contract) == h->hour_tier >> 8
                           ? o->leaves
                           : 0;
        }
        CHECK(offered == h->offered && h->offered <= h->qty);
        struct holding_place place =
            holding_place(h->account, h->resource, h->hour_tier >> 8, (uint8_t)h->hour_tier);
        CHECK(holding_bucket(e, &place)->holding == i);
        count++;
    }
    CHECK(count == e->s.holding_count && holding_behind(e) <= HOLDINGS_BEHIND_MOST);
}

static void check_quotes(const struct engine *e)
{
    for (uint32_t i = 0; i < 1u << QUOTE_BITS; i++) {
        const struct quote *quote = &e->quotes[i];
        struct quote now;
        if (quote->contract != 0) {
            CHECK(quote_place(e, quote->contract) == quote);
            /* Past its gate a ladder may wait to be worked off; until then all orders go the ordered way. */
            CHECK((quote_make(e, quote->contract, &now) && memcmp(&now, quote, sizeof(now)) == 0) ||
                  (contract_hour(quote->contract) < e->s.open_hour && housekeeping_due(e)));
        }
    }
}

static void check_fill_words(void)
{
    struct fill_record f = {.price_e4 = 3,
                            .qty = 5,
                            .source_tier = 6,
                            .buyer = 7,
                            .seller = 9,
                            .resource = 11,
                            .bond_unit = 13,
                            .generation = 15,
                            .offer_tier = 2};
    CHECK(f.terms == (3 | UINT64_C(5) << FILL_QTY_AT | UINT64_C(6) << FILL_SOURCE_AT));
    CHECK(f.parties == (7 | UINT64_C(9) << FILL_SELLER_AT | UINT64_C(11) << FILL_RESOURCE_AT));
    CHECK(f.rest == (13 | UINT64_C(15) << FILL_GENERATION_AT | UINT64_C(2) << FILL_OFFER_TIER_AT));
}

static void check_order_bits(void)
{
    struct order o = {.resource = 0x15aaaau, .tier = 2, .fees = 0xa5, .stp = 2, .source = 5};
    uint64_t bits = UINT64_C(0x15aaaa) << ORDER_RESOURCE_AT | UINT64_C(2) << ORDER_TIER_AT |
                    UINT64_C(0xa5) << ORDER_FEES_AT | UINT64_C(2) << ORDER_STP_AT |
                    UINT64_C(5) << ORDER_SOURCE_AT;
    CHECK(o.bits == bits);
    o.resting = o.head = o.sell = o.live = 1;
    CHECK(o.bits == (bits | UINT64_C(1) << ORDER_RESTING_AT | UINT64_C(1) << ORDER_HEAD_AT |
                     UINT64_C(1) << ORDER_SELL_AT | UINT64_C(1) << ORDER_LIVE_AT));
}

void engine_sanity(const struct engine *e)
{
    check_order_bits();
    check_fill_words();
    check_quotes(e);
    check_ladders(e, check_accounts(e));
    check_holdings(e);
    check_fills(e);
    check_capacity(e);
    auction_sanity(e);
    reservation_sanity(e);
    CHECK((!housekeeping_due(e) && !job_due_waits(e)) || e->due_ns <= e->s.time_ns);
    CHECK(e->due_ns <= ((int64_t)e->s.second + 1) * NS_PER_SECOND);
    for (uint32_t t = 1; t <= e->s.timer_count; t++) {
        CHECK(e->due_ns <= e->timers[t].expire_time_ns || e->due_ns <= e->s.time_ns);
    }
    for (uint32_t t = 2; t <= e->s.timer_count; t++) {
        CHECK(e->timers[t / 2].expire_time_ns <= e->timers[t].expire_time_ns);
    }
}
