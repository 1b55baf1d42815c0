#include "exchange/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exchange/replica_map.h"
#include "wire/reject.h"

struct request_record {
    uint64_t cl_ord_id;
    uint64_t position;
};

struct positions {
    uint64_t *items;
    size_t count;
    size_t capacity;
};

struct range_record {
    uint64_t position; /* of its RANGE; the NEW of its hours follow in the same command */
    uint64_t order_id;
};

struct key_status {
    struct request_record *requests; /* cl_ord_id rises */
    size_t request_count;
    size_t request_capacity;
    struct positions reports; /* report_seq 1 first */
};

struct status {
    struct replica_map order_numbers; /* order id -> number in orders */
    struct status_order *orders;
    size_t order_count;
    size_t order_capacity;
    struct range_record *ranges; /* positions rise */
    size_t range_count;
    size_t range_capacity;
    struct key_status *keys; /* by key */
    size_t key_capacity;
    struct positions *accounts; /* by account: fills */
    size_t account_capacity;
    struct replica_map last_trades; /* contract -> position */
    uint32_t key;                   /* of the command under way */
    uint64_t cl_ord_id;             /* of it, until it is answered; 0 none */
    uint64_t requests;
    uint64_t reports;
    uint64_t fills;
};

struct status *status_new(void)
{
    struct status *status = calloc(1, sizeof(*status));
    CHECK(status);
    replica_map_init(&status->order_numbers);
    replica_map_init(&status->last_trades);
    return status;
}

void status_free(struct status *status)
{
    if (!status) {
        return;
    }
    for (size_t i = 0; i < status->key_capacity; i++) {
        free(status->keys[i].requests);
        free(status->keys[i].reports.items);
    }
    for (size_t i = 0; i < status->account_capacity; i++) {
        free(status->accounts[i].items);
    }
    replica_map_free(&status->order_numbers);
    replica_map_free(&status->last_trades);
    free(status->ranges);
    free(status->orders);
    free(status->keys);
    free(status->accounts);
    free(status);
}

/* Makes place `index` exist, zeroed. Ids are dense, so the arrays follow the registry. */
static void *reach(void *array, size_t index, size_t *capacity, size_t size)
{
    while (index >= *capacity) {
        size_t before = *capacity;
        array = replica_grow(array, before, capacity, size);
        memset((uint8_t *)array + before * size, 0, (*capacity - before) * size);
    }
    return array;
}

static void positions_add(struct positions *positions, uint64_t position)
{
    positions->items = replica_grow(positions->items, positions->count, &positions->capacity,
                                    sizeof(positions->items[0]));
    positions->items[positions->count++] = position;
}

/* --- building ------------------------------------------------------------------------------- */

void status_command(struct status *status, const struct command_head *command)
{
    status->key = command->key;
    status->cl_ord_id = command->cl_ord_id;
}

/* Whether the event says what became of a request; others only tell of an order's later life. */
static bool is_answer(const struct event *event)
{
    uint8_t type = event->head.type;
    if (type == EVENT_REJECTED) {
        return event->rejected.consumed != 0; /* else the number may come again */
    }
    if (type == EVENT_CANCELED) {
        return event->out.reason == REASON_REQUESTED || event->out.reason == REASON_REPLACED_AWAY;
    }
    return type != EVENT_FILL && type != EVENT_RESTATED && type != EVENT_SWEEP_DONE &&
           type != EVENT_LEG_CANCELED && type != EVENT_MISS && type != EVENT_REFRESHED &&
           type != EVENT_RELEASED;
}

static void add_request(struct key_status *key, uint64_t cl_ord_id, uint64_t position)
{
    CHECK(key->request_count == 0 || key->requests[key->request_count - 1].cl_ord_id < cl_ord_id);
    key->requests = replica_grow(key->requests, key->request_count, &key->request_capacity,
                                 sizeof(key->requests[0]));
    key->requests[key->request_count++] =
        (struct request_record){.cl_ord_id = cl_ord_id, .position = position};
}

static void apply_party(struct status *status, const struct event *event, uint64_t position)
{
    const struct event_party *party = &event->party;
    bool answer = party->key == status->key && party->cl_ord_id == status->cl_ord_id &&
                  party->cl_ord_id != 0 && is_answer(event);
    if (!answer && party->report_seq == 0) {
        return; /* its key need not even exist */
    }
    status->keys = reach(status->keys, party->key, &status->key_capacity, sizeof(status->keys[0]));
    struct key_status *key = &status->keys[party->key];
    if (answer) {
        add_request(key, party->cl_ord_id, position);
        status->requests++;
        status->cl_ord_id = 0; /* what else the command does is not the answer */
    }
    if (party->report_seq > 0) {
        CHECK(party->report_seq == key->reports.count + 1);
        positions_add(&key->reports, position);
        status->reports++;
    }
}

static struct status_order *find_order(const struct status *status, uint64_t order_id)
{
    const uint64_t *number = replica_map_find(&status->order_numbers, order_id);
    return number ? &status->orders[*number] : NULL;
}

static void apply_new(struct status *status, uint64_t order_id, uint64_t position)
{
    CHECK(!find_order(status, order_id));
    status->orders = replica_grow(status->orders, status->order_count, &status->order_capacity,
                                  sizeof(status->orders[0]));
    *replica_map_put(&status->order_numbers, order_id) = status->order_count;
    status->orders[status->order_count++] =
        (struct status_order){.entered = position, .terms = position, .last = position};
}

static void apply_fill(struct status *status, const struct event_fill *fill, uint64_t position)
{
    struct status_order *order = find_order(status, fill->order_id);
    CHECK(order);
    order->last = position;
    int64_t value_e4;
    CHECK(money_mul(fill->price_e4, fill->qty, &value_e4) &&
          money_add(order->notional_e4, value_e4, &order->notional_e4) &&
          money_add(order->fee_e4, fill->fee_e4, &order->fee_e4));
    uint32_t account = fill->party.account;
    status->accounts =
        reach(status->accounts, account, &status->account_capacity, sizeof(status->accounts[0]));
    positions_add(&status->accounts[account], position);
    status->fills++;
}

static void apply_terms(struct status *status, uint64_t order_id, uint64_t position)
{
    struct status_order *order = find_order(status, order_id);
    CHECK(order);
    order->terms = position;
    order->last = position;
}

static void apply_range(struct status *status, const struct event_range *range, uint64_t position)
{
    if (range->done == RANGE_ENTERED) {
        apply_new(status, range->order_id, position);
        status->ranges = replica_grow(status->ranges, status->range_count, &status->range_capacity,
                                      sizeof(status->ranges[0]));
        status->ranges[status->range_count++] =
            (struct range_record){.position = position, .order_id = range->order_id};
    } else if (range->done == RANGE_REPLACED) {
        apply_terms(status, range->order_id, position);
    } else {
        struct status_order *order = find_order(status, range->order_id);
        CHECK(order);
        order->last = position;
    }
}

void status_apply(struct status *status, const struct event *event, uint64_t position)
{
    uint8_t type = event->head.type;
    if (event_has_party(event) && event->party.key != 0) {
        apply_party(status, event, position);
    }
    if (type == EVENT_NEW) {
        apply_new(status, event->new_order.order_id, position);
    } else if (type == EVENT_SET) {
        apply_new(status, event->set.order_id, position);
    } else if (type == EVENT_JOB) {
        apply_new(status, event->job.order_id, position);
    } else if (type == EVENT_RANGE) {
        apply_range(status, &event->range, position);
    } else if (type == EVENT_FILL) {
        apply_fill(status, &event->fill, position);
    } else if (type == EVENT_REPLACED) {
        apply_terms(status, event->replaced.order_id, position);
    } else if (type == EVENT_CANCELED || type == EVENT_RESTATED || type == EVENT_LEG_CANCELED ||
               type == EVENT_RELEASED) {
        struct status_order *order = find_order(status, event->out.order_id);
        CHECK(order);
        order->last = position;
    } else if (type == EVENT_TRADE) {
        *replica_map_put(&status->last_trades, event->trade.contract) = position;
    }
}

/* --- reads ---------------------------------------------------------------------------------- */

bool status_order(const struct status *status, uint64_t order_id, struct status_order *order)
{
    const struct status_order *found = find_order(status, order_id);
    if (!found) {
        return false;
    }
    *order = *found;
    return true;
}

uint64_t status_range_at(const struct status *status, uint64_t position)
{
    size_t low = 0;
    size_t high = status->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (status->ranges[middle].position < position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? status->ranges[low - 1].order_id : 0;
}

enum status_found status_request(const struct status *status, uint32_t key, uint64_t cl_ord_id,
                                 uint64_t *position)
{
    if (key >= status->key_capacity) {
        return STATUS_REQUEST_UNKNOWN;
    }
    const struct key_status *found = &status->keys[key];
    size_t low = 0;
    size_t high = found->request_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (found->requests[middle].cl_ord_id < cl_ord_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == found->request_count) {
        return STATUS_REQUEST_UNKNOWN;
    }
    if (found->requests[low].cl_ord_id != cl_ord_id) {
        return STATUS_REQUEST_PASSED_OVER;
    }
    *position = found->requests[low].position;
    return STATUS_REQUEST_FOUND;
}

bool status_report(const struct status *status, uint32_t key, uint64_t report_seq,
                   uint64_t *position)
{
    if (report_seq == 0 || report_seq > status_report_highest(status, key)) {
        return false;
    }
    *position = status->keys[key].reports.items[report_seq - 1];
    return true;
}

uint64_t status_report_highest(const struct status *status, uint32_t key)
{
    return key < status->key_capacity ? status->keys[key].reports.count : 0;
}

size_t status_fill_count(const struct status *status, uint32_t account)
{
    return account < status->account_capacity ? status->accounts[account].count : 0;
}

uint64_t status_fill(const struct status *status, uint32_t account, size_t number)
{
    CHECK(number < status_fill_count(status, account));
    return status->accounts[account].items[number];
}

bool status_last_trade(const struct status *status, uint64_t contract, uint64_t *position)
{
    const uint64_t *found = replica_map_find(&status->last_trades, contract);
    if (!found) {
        return false;
    }
    *position = *found;
    return true;
}

void status_counts(const struct status *status, struct status_counts *counts)
{
    *counts = (struct status_counts){.orders = status->order_count,
                                     .requests = status->requests,
                                     .reports = status->reports,
                                     .fills = status->fills};
    uint64_t places = status->order_numbers.mask + 1 + status->last_trades.mask + 1;
    counts->bytes = places * sizeof(struct replica_map_place) +
                    status->order_capacity * sizeof(status->orders[0]) +
                    status->range_capacity * sizeof(status->ranges[0]) +
                    status->key_capacity * sizeof(status->keys[0]) +
                    status->account_capacity * sizeof(status->accounts[0]);
    for (size_t i = 0; i < status->key_capacity; i++) {
        counts->bytes += status->keys[i].request_capacity * sizeof(struct request_record) +
                         status->keys[i].reports.capacity * sizeof(uint64_t);
    }
    for (size_t i = 0; i < status->account_capacity; i++) {
        counts->bytes += status->accounts[i].capacity * sizeof(uint64_t);
    }
}
