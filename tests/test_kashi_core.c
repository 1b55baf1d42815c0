/* The core as a library: the trades of the standard flow through it are those of a bare book, and each
 * of its calls answers as its header says. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bench/flow.h"
#include "exchange/kashi_core.h"
#include "wire/reject.h"

static void bare_trade(uint64_t maker, uint64_t taker, uint32_t price, uint32_t qty);
#define BARE_ON_TRADE(maker, taker, price, qty) bare_trade(maker, taker, price, qty)
#define BARE_ON_FILLED(id)                      ((void)(id))
#include "bench/bare_book.h"

enum { BUYERS = 1, SELLERS = 2 };

static struct flow_checksum bare_sum;

static void bare_trade(uint64_t maker, uint64_t taker, uint32_t price, uint32_t qty)
{
    flow_trade(&bare_sum, maker, taker, price, qty);
}

struct answers {
    struct flow_checksum sum;
    struct kashi_core_trade last;
    uint64_t accepted;
    uint64_t replaced;
    uint64_t canceled;
    int64_t canceled_qty;
    uint16_t reason; /* the latest, of a reject or cancel */
    uint32_t *flow_id_of;
    uint32_t flow_id; /* of the order on its way in */
};

static void on_accepted(void *context, uint64_t order_id)
{
    struct answers *a = context;
    a->accepted++;
    if (a->flow_id_of != NULL) {
        a->flow_id_of[(uint32_t)order_id] = a->flow_id;
    }
}

static void on_replaced(void *context, uint64_t order_id, int64_t leaves_qty)
{
    struct answers *a = context;
    (void)order_id;
    (void)leaves_qty;
    a->replaced++;
}

static void on_rejected(void *context, uint64_t order_id, uint16_t reason)
{
    struct answers *a = context;
    (void)order_id;
    a->sum.rejects++;
    a->reason = reason;
}

static void on_trade(void *context, const struct kashi_core_trade *trade)
{
    struct answers *a = context;
    a->last = *trade;
    if (a->flow_id_of != NULL) {
        flow_trade(&a->sum, a->flow_id_of[(uint32_t)trade->maker],
                   a->flow_id_of[(uint32_t)trade->taker], (uint64_t)trade->price,
                   (uint64_t)trade->qty);
    } else {
        a->sum.trades++;
    }
}

static void on_canceled(void *context, uint64_t order_id, int64_t qty, uint16_t reason)
{
    struct answers *a = context;
    (void)order_id;
    a->canceled++;
    a->canceled_qty = qty;
    a->reason = reason;
}

static struct kashi_core *open_core(const struct kashi_core_config *config, struct answers *a,
                                    void **memory)
{
    struct kashi_core_handler handler = {.context = a,
                                         .accepted = on_accepted,
                                         .replaced = on_replaced,
                                         .rejected = on_rejected,
                                         .trade = on_trade,
                                         .canceled = on_canceled};
    size_t size = kashi_core_size(config);
    cr_assert_gt(size, 0);
    *memory = bare_map(size + 64);
    struct kashi_core *core = kashi_core_init(*memory, config, &handler);
    cr_assert_not_null(core);
    return core;
}

/* --- the flow ------------------------------------------------------------------------------- */

static void bare_run(const struct flow *flow)
{
    struct bare book;
    bare_sum = (struct flow_checksum){.hash = FLOW_HASH_BASE};
    bare_init(&book, flow->instruments, flow->max_id, 200000);
    for (uint64_t i = 0; i < flow->count; i++) {
        const struct flow_record *r = &flow->records[i];
        if (r->type == FLOW_CANCEL) {
            bare_sum.rejects += !bare_cancel(&book, r->id);
        } else if (r->type == FLOW_MODIFY) {
            bare_sum.rejects += !bare_modify(&book, r->id, r->price, r->qty);
        } else {
            uint32_t limit = r->type == FLOW_MARKET ? (r->side ? 1u : BARE_PRICES - 1) : r->price;
            bare_new(&book, r->instrument, r->type == FLOW_LIMIT, r->side, r->id, r->account, limit,
                     r->qty);
        }
    }
    bare_free(&book, flow->instruments, flow->max_id);
}

struct entered {
    uint64_t order_id;
    uint32_t account;
};

static void enter(struct kashi_core *core, struct answers *a, struct entered *entered,
                  const struct flow_record *r)
{
    static const uint8_t kinds[] = {KASHI_CORE_LIMIT, KASHI_CORE_IOC, KASHI_CORE_MARKET};
    struct kashi_core_order order = {.price = r->price,
                                     .qty = r->qty,
                                     .instrument = r->instrument,
                                     .account = entered->account,
                                     .sell = r->side,
                                     .kind = r->type <= FLOW_MARKET ? kinds[r->type]
                                                                    : KASHI_CORE_LIMIT};
    a->flow_id = (uint32_t)r->id;
    entered->order_id = kashi_core_new(core, &order);
    cr_assert_neq(entered->order_id, 0);
}

Test(kashi_core, the_standard_flow_gives_the_trades_of_a_bare_book)
{
    struct flow flow;
    flow_make(&flow, 4, 60000, 300, 7);
    bare_run(&flow);
    struct kashi_core_config config = {
        .instruments = 4, .accounts = 2 * FLOW_ACCOUNTS, .orders = 100000, .fills = 100000};
    struct answers a = {.sum = {.hash = FLOW_HASH_BASE}};
    void *memory;
    struct kashi_core *core = open_core(&config, &a, &memory);
    for (uint32_t i = 0; i < FLOW_ACCOUNTS; i++) {
        cr_assert_eq(kashi_core_open(core, BUYERS), 2 * i + 1);
        cr_assert_eq(kashi_core_open(core, SELLERS), 2 * i + 2);
    }
    a.flow_id_of = calloc(config.orders + 1, sizeof(uint32_t));
    struct entered *entered = calloc(flow.max_id + 1, sizeof(*entered));
    for (uint64_t i = 0; i < flow.count; i++) {
        const struct flow_record *r = &flow.records[i];
        struct entered *e = &entered[r->id];
        if (r->type <= FLOW_MARKET) {
            e->account = 2 * r->account - 1 + r->side;
            enter(core, &a, e, r);
        } else if (kashi_core_cancel(core, e->account, e->order_id) && r->type == FLOW_MODIFY) {
            enter(core, &a, e, r);
        }
    }
    cr_assert_gt(a.sum.trades, 3000, "the flow trades");
    cr_assert_eq(memcmp(&a.sum, &bare_sum, sizeof(bare_sum)), 0,
                 "trades %lu and %lu, rejects %lu and %lu", (unsigned long)a.sum.trades,
                 (unsigned long)bare_sum.trades, (unsigned long)a.sum.rejects,
                 (unsigned long)bare_sum.rejects);
    free(entered);
    free(a.flow_id_of);
    munmap(memory, kashi_core_size(&config) + 64);
    flow_free(&flow);
}

/* --- call by call --------------------------------------------------------------------------- */

static const struct kashi_core_config SMALL = {
    .instruments = 900, .accounts = 3, .orders = 3, .fills = 8};

static uint64_t place(struct kashi_core *core, uint32_t account, uint8_t sell, int64_t price,
                      uint8_t kind)
{
    struct kashi_core_order order = {.price = price,
                                     .qty = 5,
                                     .instrument = 850,
                                     .account = account,
                                     .sell = sell,
                                     .kind = kind};
    return kashi_core_new(core, &order);
}

Test(kashi_core, orders_rest_trade_are_replaced_and_canceled)
{
    struct answers a = {0};
    void *memory;
    struct kashi_core *core = open_core(&SMALL, &a, &memory);
    cr_assert_eq(kashi_core_open(core, 1), 1);
    cr_assert_eq(kashi_core_open(core, 2), 2);
    uint64_t offer = place(core, 1, 1, 100, KASHI_CORE_LIMIT);
    cr_assert(offer != 0 && a.accepted == 1 && a.sum.trades == 0);
    cr_assert(kashi_core_replace(core, 1, offer, 90, 8));
    cr_assert_eq(a.replaced, 1);
    uint64_t bid = place(core, 2, 0, 95, KASHI_CORE_IOC);
    cr_assert(a.sum.trades == 1 && a.last.maker == offer && a.last.taker == bid);
    cr_assert(a.last.price == 90 && a.last.qty == 5 && a.last.instrument == 850);
    cr_assert(!kashi_core_cancel(core, 2, offer), "an order is its account's");
    cr_assert_eq(a.reason, REASON_UNKNOWN_ORDER);
    cr_assert(kashi_core_cancel(core, 1, offer));
    cr_assert(a.canceled == 1 && a.canceled_qty == 3 && a.reason == REASON_REQUESTED);
    cr_assert(!kashi_core_cancel(core, 1, offer));
    munmap(memory, kashi_core_size(&SMALL) + 64);
}

Test(kashi_core, kinds_of_order_are_those_of_the_header)
{
    struct answers a = {0};
    void *memory;
    struct kashi_core *core = open_core(&SMALL, &a, &memory);
    cr_assert_eq(kashi_core_open(core, 1), 1);
    cr_assert_eq(kashi_core_open(core, 2), 2);
    cr_assert_eq(kashi_core_open(core, 1), 3);
    cr_assert_neq(place(core, 1, 1, 100, KASHI_CORE_LIMIT), 0);
    cr_assert_eq(place(core, 2, 0, 100, KASHI_CORE_POST_ONLY), 0);
    cr_assert_eq(a.reason, REASON_POST_ONLY_WOULD_TRADE);
    cr_assert_neq(place(core, 2, 0, 99, KASHI_CORE_FOK), 0);
    cr_assert_eq(a.reason, REASON_FOK_NOT_FILLED);
    cr_assert_neq(place(core, 3, 0, 100, KASHI_CORE_LIMIT), 0);
    cr_assert(a.reason == REASON_SELF_TRADE && a.sum.trades == 0, "one group does not trade");
    cr_assert_neq(place(core, 2, 0, 0, KASHI_CORE_MARKET), 0);
    cr_assert(a.sum.trades == 1 && a.last.price == 100);
    munmap(memory, kashi_core_size(&SMALL) + 64);
}

Test(kashi_core, what_is_out_of_range_is_rejected_with_a_reason)
{
    struct answers a = {0};
    void *memory;
    struct kashi_core *core = open_core(&SMALL, &a, &memory);
    struct kashi_core_order order = {.price = 1, .qty = 1, .account = 1};
    cr_assert_eq(kashi_core_new(core, &order), 0);
    cr_assert_eq(a.reason, REASON_UNKNOWN_ACCOUNT);
    cr_assert_eq(kashi_core_open(core, 0), 0);
    cr_assert_eq(kashi_core_open(core, 4), 0);
    cr_assert_eq(kashi_core_open(core, 3), 1);
    order.instrument = 900;
    cr_assert_eq(kashi_core_new(core, &order), 0);
    cr_assert_eq(a.reason, REASON_UNKNOWN_CONTRACT);
    order.instrument = 899;
    order.qty = 0;
    cr_assert_eq(kashi_core_new(core, &order), 0);
    cr_assert_eq(a.reason, REASON_QTY_OUT_OF_RANGE);
    order.qty = 1;
    order.kind = 9;
    cr_assert_eq(kashi_core_new(core, &order), 0);
    cr_assert_eq(a.reason, REASON_INVALID_ORD_TYPE);
    order.kind = KASHI_CORE_LIMIT;
    for (uint32_t i = 0; i < SMALL.orders; i++) {
        cr_assert_neq(kashi_core_new(core, &order), 0);
    }
    cr_assert_eq(kashi_core_new(core, &order), 0);
    cr_assert_eq(a.reason, REASON_FULL);
    cr_assert(!kashi_core_replace(core, 2, 1, 1, 1));
    cr_assert_eq(a.reason, REASON_UNKNOWN_ACCOUNT);
    munmap(memory, kashi_core_size(&SMALL) + 64);
}

Test(kashi_core, sizes_out_of_range_are_refused)
{
    struct kashi_core_config config = SMALL;
    config.instruments = 0;
    cr_assert_eq(kashi_core_size(&config), 0);
    config.instruments = 800 * 256 + 1;
    cr_assert_eq(kashi_core_size(&config), 0);
    config = SMALL;
    config.orders = 0;
    cr_assert_eq(kashi_core_size(&config), 0);
    cr_assert_null(kashi_core_init(NULL, &config, &(struct kashi_core_handler){0}));
}
