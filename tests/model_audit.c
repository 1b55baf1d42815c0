#include "tests/model_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model.h"
#include "tests/model_audit_job.h"

enum { TABLE_SIZE = 1 << 20, PARTIES_MAX = 1024 };

/* GPUs of a resource and hour; `account` 0: the provider's own, else a holding. */
struct stock {
    uint64_t key;
    uint32_t account;
    int64_t qty;
};

struct order_sums {
    uint64_t order_id;
    model_wide fee_parts; /* sum of price x quantity x rate */
    int64_t fees_e4;
    int64_t cum_qty;
    int64_t leaves_qty;   /* open; of a SET the balance that its legs share */
    struct set_leg *legs; /* of a SET: by place from 1; a leg that has ended has contract 0 */
    uint16_t maker_bp;
    uint16_t taker_bp;
};

struct model_audit {
    struct stock stocks[TABLE_SIZE];
    struct order_sums orders[TABLE_SIZE];
    uint32_t stock_count;
    uint32_t order_count;
    uint64_t report_seq[PARTIES_MAX]; /* by key */
    int64_t cash_e4[PARTIES_MAX];     /* by account, as the rest */
    int64_t escrow_e4[PARTIES_MAX];
    int64_t credit_most_e4[PARTIES_MAX];
    uint8_t fees[PARTIES_MAX];
    uint32_t account_count;
    uint16_t maker_bp[256];
    uint16_t taker_bp[256];
    int64_t gpus[PARTIES_MAX]; /* by resource */
    int64_t deposits_e4;
    struct model_audit_job *jobs;
    struct model_audit_sets sets;
};

struct model_audit *model_audit_new(void)
{
    struct model_audit *audit = calloc(1, sizeof(*audit));
    CHECK(audit != NULL);
    audit->jobs = model_audit_job_new();
    return audit;
}

void model_audit_free(struct model_audit *audit)
{
    for (size_t i = 0; audit != NULL && i < TABLE_SIZE; i++) {
        free(audit->orders[i].legs);
    }
    if (audit != NULL) {
        model_audit_job_free(audit->jobs);
    }
    free(audit);
}

static uint64_t scramble(uint64_t value)
{
    value *= UINT64_C(0x9e3779b97f4a7c15);
    return value ^ value >> 29;
}

static struct stock *stock(struct model_audit *audit, uint32_t account, uint32_t resource,
                           uint32_t hour, uint8_t tier)
{
    uint64_t key = (uint64_t)resource << 40 | (uint64_t)hour << 8 | tier;
    uint64_t at = scramble(key + (uint64_t)account * UINT64_C(0x1000003));
    for (;; at++) {
        struct stock *entry = &audit->stocks[at % TABLE_SIZE];
        if (entry->key == 0) {
            CHECK(++audit->stock_count < TABLE_SIZE);
            entry->key = key;
            entry->account = account;
            return entry;
        }
        if (entry->key == key && entry->account == account) {
            return entry;
        }
    }
}

static struct order_sums *order_sums(struct model_audit *audit, uint64_t order_id)
{
    for (uint64_t at = scramble(order_id);; at++) {
        struct order_sums *entry = &audit->orders[at % TABLE_SIZE];
        if (entry->order_id == 0) {
            CHECK(++audit->order_count < TABLE_SIZE);
            entry->order_id = order_id;
            return entry;
        }
        if (entry->order_id == order_id) {
            return entry;
        }
    }
}

static void take_trade(struct model_audit *audit, const struct event *event)
{
    const struct event_trade *trade = &event->trade;
    uint32_t hour = contract_hour(trade->contract);
    uint8_t tier = contract_tier(trade->contract);
    model_audit_require(trade->qty > 0 && trade->price_e4 > 0, event,
                        "quantity and price are positive");
    model_audit_require(trade->buyer_group != trade->seller_group, event,
                        "groups do not trade with themselves");
    model_audit_require(trade->offer_tier >= tier, event, "the offer's tier suffices for the bid");
    if (trade->source_tier == SOURCE_OWN) {
        struct stock *own = stock(audit, 0, trade->resource, hour, 0);
        own->qty += trade->qty;
        model_audit_require(own->qty <= audit->gpus[trade->resource], event,
                            "no GPU-hour is sold twice");
    } else {
        struct stock *held = stock(audit, trade->seller, trade->resource, hour, trade->source_tier);
        held->qty -= trade->qty;
        model_audit_require(trade->source_tier >= trade->offer_tier, event,
                            "a holding is resold at or below");
        model_audit_require(held->qty >= 0, event, "nobody resells what it does not hold");
    }
    stock(audit, trade->buyer, trade->resource, hour, tier)->qty += trade->qty;
    int64_t paid_e4 = trade->price_e4 * trade->qty + trade->buy_fee_e4;
    audit->cash_e4[trade->buyer] -= paid_e4;
    audit->escrow_e4[trade->buyer] += paid_e4;
    model_audit_require(audit->cash_e4[trade->buyer] >= -audit->credit_most_e4[trade->buyer], event,
                        "no balance falls below the credit");
}

static void freeze_fees(struct model_audit *audit, uint64_t order_id, uint32_t account)
{
    struct order_sums *sums = order_sums(audit, order_id);
    sums->maker_bp = audit->maker_bp[audit->fees[account]];
    sums->taker_bp = audit->taker_bp[audit->fees[account]];
}

static struct set_leg *leg_in(struct order_sums *sums, uint64_t contract)
{
    for (uint32_t i = 1; i <= SET_LEGS_MAX; i++) {
        if (sums->legs[i].contract == contract && contract != 0) {
            return &sums->legs[i];
        }
    }
    return NULL;
}

/* Fees of an order sum to floor(sum of price x quantity x rate / 10,000). */
static void take_fill(struct model_audit *audit, const struct event *event)
{
    const struct event_fill *fill = &event->fill;
    struct order_sums *sums = order_sums(audit, fill->order_id);
    uint16_t rate_bp = fill->resting != 0 ? sums->maker_bp : sums->taker_bp;
    sums->fee_parts += (model_wide)fill->price_e4 * fill->qty * rate_bp;
    sums->fees_e4 += fill->fee_e4;
    sums->cum_qty += fill->qty;
    model_audit_require(sums->fees_e4 == (int64_t)(sums->fee_parts / BP_ONE), event,
                        "fees follow the floor formula");
    model_audit_require(sums->cum_qty == fill->cum_qty, event, "cum_qty is the sum of the fills");
    sums->leaves_qty -= fill->qty;
    model_audit_require(sums->leaves_qty >= 0 && sums->leaves_qty == fill->leaves_qty, event,
                        "no order is filled beyond what is open, no balance is overdrawn");
    if (sums->legs != NULL) {
        audit->sets.fills_resting += fill->resting != 0;
        audit->sets.fills_arriving += fill->resting == 0;
        const struct set_leg *leg = leg_in(sums, fill->contract);
        model_audit_require(leg != NULL, event, "a SET trades in contracts of live legs");
        model_audit_require(
            fill->resting != 0 ? fill->price_e4 == leg->price_e4 : fill->price_e4 <= leg->price_e4,
            event, "a SET at rest pays its leg's limit, an arriving one at most that");
    }
}

static void enter(struct model_audit *audit, const struct event *event, uint64_t order_id,
                  int64_t qty)
{
    struct order_sums *sums = order_sums(audit, order_id);
    model_audit_require(sums->leaves_qty == 0, event, "an order id is given once");
    sums->leaves_qty = qty;
    freeze_fees(audit, order_id, event->party.account);
}

static void take_legs(struct model_audit *audit, const struct event *event)
{
    struct order_sums *sums = order_sums(audit, event->set_legs.order_id);
    if (sums->legs == NULL) {
        sums->legs = calloc(SET_LEGS_MAX + 1, sizeof(*sums->legs));
        CHECK(sums->legs != NULL);
    }
    for (int i = 0; i < SET_LEGS_PER_EVENT; i++) {
        const struct set_leg *leg = &event->set_legs.legs[i];
        CHECK(leg->leg <= SET_LEGS_MAX);
        if (leg->leg != 0) {
            model_audit_require(leg_in(sums, leg->contract) == NULL, event,
                                "no two legs are alike");
            sums->legs[leg->leg] = *leg;
        }
    }
}

/* CANCELED and its like: what they say of the quantities. */
static void take_out(struct model_audit *audit, const struct event *event)
{
    const struct event_out *out = &event->out;
    struct order_sums *sums = order_sums(audit, out->order_id);
    model_audit_require(out->cum_qty == sums->cum_qty, event, "cum_qty is the sum of the fills");
    if (event->head.type == EVENT_CANCELED || event->head.type == EVENT_RESTATED) {
        model_audit_require(out->qty > 0 && out->qty <= sums->leaves_qty, event,
                            "only what is open is taken");
        sums->leaves_qty -= out->qty;
    }
    model_audit_require(sums->leaves_qty == out->leaves_qty, event, "leaves_qty is what is open");
    model_audit_require(event->head.type != EVENT_CANCELED || out->leaves_qty == 0, event,
                        "nothing is left of a canceled order");
    model_audit_require(event->head.type != EVENT_REFRESHED ||
                            (out->qty > 0 && out->qty <= out->leaves_qty),
                        event, "a slice is a part of what is open");
    if (event->head.type == EVENT_LEG_CANCELED) {
        struct set_leg *leg = leg_in(sums, out->contract);
        model_audit_require(leg != NULL && out->price_e4 == leg->price_e4, event,
                            "a leg ends once");
        leg->contract = 0;
    }
}

static void take_replaced(struct model_audit *audit, const struct event *event)
{
    const struct event_replaced *replaced = &event->replaced;
    struct order_sums *sums = order_sums(audit, replaced->order_id);
    model_audit_require(replaced->old_leaves_qty == sums->leaves_qty && sums->leaves_qty > 0, event,
                        "what is replaced was open");
    sums->leaves_qty = replaced->leaves_qty;
    if (replaced->kept_priority == 0) {
        freeze_fees(audit, replaced->order_id, event->party.account);
    }
}

static void take_cash(struct model_audit *audit, const struct event *event)
{
    const struct event_cash *cash = &event->cash;
    audit->cash_e4[cash->account] += cash->amount_e4;
    audit->deposits_e4 += cash->amount_e4;
    model_audit_require(audit->cash_e4[cash->account] == cash->cash_e4, event,
                        "cash is what the tape says");
    if (cash->credit_e4 > audit->credit_most_e4[cash->account]) {
        audit->credit_most_e4[cash->account] = cash->credit_e4;
    }
}

static void take_report_seq(struct model_audit *audit, const struct event *event)
{
    const struct event_party *party = &event->party;
    if (!event_has_party(event) || party->report_seq == 0) {
        return;
    }
    model_audit_require(party->key > 0 && party->key < PARTIES_MAX, event, "the party is a key");
    model_audit_require(party->report_seq == ++audit->report_seq[party->key], event,
                        "report_seq has no gaps");
}

void model_audit_require(bool holds, const struct event *event, const char *what)
{
    if (!holds) {
        fprintf(stderr, "audit: event %" PRIu64 ".%u: %s\n", event->head.seq, event->head.index,
                what);
        abort();
    }
}

void model_audit_event(struct model_audit *audit, const struct event *event)
{
    take_report_seq(audit, event);
    model_audit_job_event(audit->jobs, event);
    switch (event->head.type) {
    case EVENT_GENESIS:
        audit->account_count = 1;
        return;
    case EVENT_ACCOUNT:
        CHECK(event->account.account < PARTIES_MAX);
        audit->account_count = event->account.account;
        audit->fees[event->account.account] = event->account.fees;
        return;
    case EVENT_LIMITS:
        audit->fees[event->limits.account] = event->limits.fees;
        return;
    case EVENT_FEES:
        audit->maker_bp[event->fees.fees] = event->fees.maker_bp;
        audit->taker_bp[event->fees.fees] = event->fees.taker_bp;
        return;
    case EVENT_RESOURCE:
        CHECK(event->resource.resource < PARTIES_MAX);
        audit->gpus[event->resource.resource] = event->resource.gpus;
        return;
    case EVENT_CASH:
        take_cash(audit, event);
        return;
    case EVENT_NEW:
        enter(audit, event, event->new_order.order_id, event->new_order.qty);
        return;
    case EVENT_SET:
        enter(audit, event, event->set.order_id, event->set.qty);
        return;
    case EVENT_JOB:
        enter(audit, event, event->job.order_id, event->job.qty * event->job.hours);
        return;
    case EVENT_SET_LEGS:
        take_legs(audit, event);
        return;
    case EVENT_REPLACED:
        take_replaced(audit, event);
        return;
    case EVENT_CANCELED:
    case EVENT_RESTATED:
    case EVENT_LEG_CANCELED:
    case EVENT_REFRESHED:
    case EVENT_RELEASED:
        take_out(audit, event);
        return;
    case EVENT_MISS:
        model_audit_require(event->miss.qty <= event->miss.wanted_qty, event,
                            "a miss is within what was wanted");
        return;
    case EVENT_TRADE:
        take_trade(audit, event);
        return;
    case EVENT_FILL:
        take_fill(audit, event);
        return;
    default:
        return;
    }
}

const struct model_audit_sets *model_audit_sets(const struct model_audit *audit)
{
    return &audit->sets;
}

int64_t model_audit_cash_e4(const struct model_audit *audit, uint32_t account)
{
    return audit->cash_e4[account];
}

int64_t model_audit_escrow_e4(const struct model_audit *audit, uint32_t account)
{
    return audit->escrow_e4[account];
}

int64_t model_audit_deposits_e4(const struct model_audit *audit)
{
    return audit->deposits_e4;
}

uint32_t model_audit_accounts(const struct model_audit *audit)
{
    return audit->account_count;
}
