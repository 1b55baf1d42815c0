#include "pricing/core/index.h"

#include <string.h>

#include "base/check.h"

#define NONE       UINT32_MAX
#define NS_PER_DAY (HOURS_PER_DAY * NS_PER_HOUR)
#define ALIGNMENT  64

struct index_lane {
    uint64_t key;          /* contract_pack() with the delivery day in the place of the hour */
    int64_t last_price_e4; /* of the last level 1; 0 none */
    uint32_t last_day;     /* the trading day that it is of */
    uint32_t first;        /* today's observations, NONE for none */
    uint32_t last;
    uint32_t count;
    bool changed; /* traded since its last indicative value */
    bool shown;   /* an indicative value of today stands */
};

/* All that one command traded between two groups in one lane-day. */
struct index_observation {
    int128 notional_e4;
    int64_t qty;
    uint32_t next;
    uint32_t lane;
    uint32_t buyer_group;
    uint32_t seller_group;
    uint16_t partition;
};

uint32_t index_day(int64_t time_ns)
{
    return (uint32_t)((time_ns / NS_PER_HOUR + DAY_OFFSET_HOURS) / HOURS_PER_DAY);
}

int64_t index_day_begin_ns(uint32_t day)
{
    return delivery_day_first_hour(day) * NS_PER_HOUR;
}

/* --- tables ----------------------------------------------------------------------------------- */

static uint32_t bucket_count(const struct index_limits *limits)
{
    uint32_t buckets = 16;
    while (buckets < 2 * limits->lanes_max) {
        buckets *= 2;
    }
    return buckets;
}

static size_t take(size_t *used, size_t count, size_t size)
{
    size_t at = *used;
    *used += (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return at;
}

/* Where each table begins; returns the size of all. */
struct layout {
    size_t lanes, buckets, observations, work, items, closed;
};
static size_t lay_out(const struct index_limits *limits, struct layout *layout)
{
    size_t used = 0;
    layout->lanes = take(&used, limits->lanes_max, sizeof(struct index_lane));
    layout->buckets = take(&used, bucket_count(limits), sizeof(uint32_t));
    layout->observations = take(&used, limits->observations_max, sizeof(struct index_observation));
    layout->work = take(&used, limits->observations_max, sizeof(struct lane_day_observation));
    layout->items = take(&used, limits->observations_max, sizeof(struct lane_day_sort_item));
    layout->closed = take(&used, limits->lanes_max, sizeof(struct index_value));
    return used;
}

size_t index_memory_size(const struct index_limits *limits)
{
    struct layout layout;
    return lay_out(limits, &layout);
}

void index_init(struct index *index, const struct lane_day_parameters *parameters,
                const struct index_limits *limits, void *memory, index_emit *emit,
                void *emit_context)
{
    struct layout layout;
    uint8_t *base = memory;

    CHECK(limits->lanes_max > 0 && limits->lanes_max <= UINT32_C(1) << 24);
    CHECK(limits->observations_max > 0 && limits->observations_max <= LANE_DAY_OBSERVATIONS_MAX);
    CHECK(parameters->partitions > 0 && HOURS_PER_DAY % parameters->partitions == 0);
    lay_out(limits, &layout);
    memset(index, 0, sizeof(*index));
    index->parameters = parameters;
    index->limits = *limits;
    index->emit = emit;
    index->emit_context = emit_context;
    index->bucket_mask = bucket_count(limits) - 1;
    index->lanes = (void *)(base + layout.lanes);
    index->buckets = (void *)(base + layout.buckets);
    index->observations = (void *)(base + layout.observations);
    index->work = (void *)(base + layout.work);
    index->items = (void *)(base + layout.items);
    index->closed = (void *)(base + layout.closed);
}

static uint32_t bucket_of(const struct index *index, uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & index->bucket_mask;
}

/* The bucket that holds the lane, or the empty one where it belongs. */
static uint32_t probe(const struct index *index, uint64_t key)
{
    uint32_t bucket = bucket_of(index, key);
    while (index->buckets[bucket] != 0 && index->lanes[index->buckets[bucket] - 1].key != key) {
        bucket = (bucket + 1) & index->bucket_mask;
    }
    return bucket;
}

static int lane_find_or_add(struct index *index, uint64_t key, uint32_t *lane)
{
    uint32_t bucket = probe(index, key);
    if (index->buckets[bucket] == 0) {
        if (index->lane_count == index->limits.lanes_max) {
            return INDEX_LANES_FULL;
        }
        index->lanes[index->lane_count] =
            (struct index_lane){.key = key, .first = NONE, .last = NONE};
        index->buckets[bucket] = ++index->lane_count;
    }
    *lane = index->buckets[bucket] - 1;
    return 0;
}

static uint32_t lane_delivery_day(const struct index_lane *lane)
{
    return contract_hour(lane->key);
}

/* --- values ----------------------------------------------------------------------------------- */

static bool last_value_stands(const struct index *index, const struct index_lane *lane,
                              uint32_t trading_day)
{
    return lane->last_price_e4 > 0 && trading_day - lane->last_day <= index->parameters->stale_days;
}

/* Averages round once, here: one division at the end of the formula. */
static uint32_t gather(struct index *index, const struct index_lane *lane)
{
    uint32_t lot = index->lots[contract_class(lane->key)];
    uint32_t count = 0;
    for (uint32_t i = lane->first; i != NONE; i = index->observations[i].next) {
        const struct index_observation *from = &index->observations[i];
        if (from->qty >= lot) {
            index->work[count++] = (struct lane_day_observation){
                .price_e4 = lane_day_divide(from->notional_e4, from->qty),
                .qty = from->qty,
                .buyer_group = from->buyer_group,
                .seller_group = from->seller_group,
                .partition = from->partition,
            };
        }
    }
    return count;
}

/* The lane's value by what it traded today: level 1, else its last value, else none. */
static void make_value(struct index *index, const struct index_lane *lane, uint8_t kind,
                       struct index_value *value)
{
    struct lane_day_value today;
    uint32_t count = gather(index, lane);

    lane_day_value(index->parameters, index->work, count, index->complete, index->items, &today);
    *value = (struct index_value){
        .seq = index->seq,
        .volume_qty = today.volume_qty,
        .observations = today.observations,
        .buyers = today.buyers,
        .sellers = today.sellers,
        .left_out = today.left_out,
        .day = lane_delivery_day(lane),
        .trading_day = index->day,
        .value_day = index->day,
        .parameter_version = index->parameters->version,
        .class_id = contract_class(lane->key),
        .region_id = contract_region(lane->key),
        .tier = contract_tier(lane->key),
        .kind = kind,
        .level = INDEX_LEVEL_NONE,
    };
    if (today.level_1) {
        value->level = INDEX_LEVEL_TRADES;
        value->price_e4 = today.price_e4;
    } else if (last_value_stands(index, lane, index->day)) {
        value->level = INDEX_LEVEL_STALE;
        value->price_e4 = lane->last_price_e4;
        value->value_day = lane->last_day;
    }
}

static void emit_indicative(struct index *index, struct index_lane *lane, int64_t time_ns,
                            bool at_mark)
{
    struct index_value value;
    make_value(index, lane, INDEX_INDICATIVE, &value);
    value.time_ns = time_ns;
    value.at_mark = at_mark;
    if (value.level != INDEX_LEVEL_NONE || lane->shown) {
        index->emit(index->emit_context, &value);
    }
    lane->shown = value.level != INDEX_LEVEL_NONE;
    lane->changed = false;
}

void index_indicative(struct index *index)
{
    for (uint32_t i = 0; i < index->lane_count; i++) {
        if (index->lanes[i].changed) {
            emit_indicative(index, &index->lanes[i], index->time_ns, false);
        }
    }
}

/* --- the trading day -------------------------------------------------------------------------- */

static int64_t partition_ns(const struct index *index)
{
    return NS_PER_DAY / index->parameters->partitions;
}

/* The day has ended: its values stand from here on and wait for the moments of publication. */
static void close_day(struct index *index)
{
    index->closed_count = 0;
    for (uint32_t i = 0; i < index->lane_count; i++) {
        struct index_lane *lane = &index->lanes[i];
        struct index_value value;
        make_value(index, lane, INDEX_PRELIMINARY, &value);
        value.at_mark = 1;
        if (value.level == INDEX_LEVEL_TRADES) {
            lane->last_price_e4 = value.price_e4;
            lane->last_day = index->day;
        }
        if (value.level != INDEX_LEVEL_NONE || lane->shown) {
            index->closed[index->closed_count++] = value;
        }
    }
    index->closed_kind = index->closed_count > 0 ? INDEX_PRELIMINARY : 0;
}

/* Lanes that can still have a value stay, in their order. */
static void open_day(struct index *index, uint32_t day)
{
    uint32_t kept = 0;
    index->day = day;
    index->complete = 0;
    index->observation_count = 0;
    index->command_first = 0;
    memset(index->buckets, 0, ((size_t)index->bucket_mask + 1) * sizeof(index->buckets[0]));
    for (uint32_t i = 0; i < index->lane_count; i++) {
        struct index_lane lane = index->lanes[i];
        if (lane_delivery_day(&lane) >= day && last_value_stands(index, &lane, day)) {
            lane.first = NONE;
            lane.last = NONE;
            lane.count = 0;
            lane.changed = false;
            lane.shown = false;
            index->lanes[kept++] = lane;
            index->buckets[probe(index, lane.key)] = kept;
        }
    }
    index->lane_count = kept;
}

static void publish_closed(struct index *index, int64_t due_ns)
{
    for (uint32_t i = 0; i < index->closed_count; i++) {
        struct index_value *value = &index->closed[i];
        value->kind = index->closed_kind;
        value->time_ns = due_ns;
        index->emit(index->emit_context, value);
    }
    index->closed_kind = index->closed_kind == INDEX_PRELIMINARY ? INDEX_FINAL : 0;
}

static void end_partition(struct index *index, int64_t due_ns)
{
    index->complete++;
    if (index->complete < index->parameters->partitions) {
        for (uint32_t i = 0; i < index->lane_count; i++) {
            if (index->lanes[i].count > 0) {
                emit_indicative(index, &index->lanes[i], due_ns, true);
            }
        }
    } else {
        close_day(index);
        open_day(index, index->day + 1);
    }
}

/* Does what is due up to `time_ns`, in order. What is due at a moment comes before the events of
 * that moment. Bounded: without lanes nothing is due, and no lane outlives its last value's age. */
static void advance(struct index *index, int64_t time_ns)
{
    while (index->lane_count > 0 || index->closed_kind != 0) {
        int64_t begin_ns = index_day_begin_ns(index->day);
        int64_t partition_due_ns = begin_ns + (index->complete + 1) * partition_ns(index);
        int64_t closed_due_ns =
            begin_ns + (index->closed_kind == INDEX_PRELIMINARY ? INDEX_PRELIMINARY_DELAY_NS
                                                                : INDEX_FINAL_DELAY_NS);
        bool closed_first = index->closed_kind != 0 && closed_due_ns <= partition_due_ns;
        int64_t due_ns = closed_first ? closed_due_ns : partition_due_ns;
        if (due_ns > time_ns) {
            return;
        }
        if (closed_first) {
            publish_closed(index, due_ns);
        } else {
            end_partition(index, due_ns);
        }
    }
    /* Nothing is kept and nothing waits: time may jump. */
    index->day = index_day(time_ns);
    index->complete = (uint32_t)((time_ns - index_day_begin_ns(index->day)) / partition_ns(index));
}

/* --- events ----------------------------------------------------------------------------------- */

static struct index_observation *observation_of_command(struct index *index, uint32_t lane,
                                                        const struct event_trade *trade)
{
    for (uint32_t i = index->command_first; i < index->observation_count; i++) {
        struct index_observation *observation = &index->observations[i];
        if (observation->lane == lane && observation->buyer_group == trade->buyer_group &&
            observation->seller_group == trade->seller_group) {
            return observation;
        }
    }
    return NULL;
}

static int add_trade(struct index *index, const struct event *event)
{
    const struct event_trade *trade = &event->trade;
    uint32_t delivery_day = (uint32_t)hour_delivery_day(contract_hour(trade->contract));
    uint64_t key = contract_pack(contract_class(trade->contract), contract_region(trade->contract),
                                 contract_tier(trade->contract), delivery_day);
    uint32_t at;

    if (trade->buyer_group == trade->seller_group) {
        return 0;
    }
    int error = lane_find_or_add(index, key, &at);
    if (error < 0) {
        return error;
    }
    struct index_lane *lane = &index->lanes[at];
    struct index_observation *observation = observation_of_command(index, at, trade);
    if (observation == NULL) {
        if (index->observation_count == index->limits.observations_max) {
            return INDEX_OBSERVATIONS_FULL;
        }
        uint32_t added = index->observation_count++;
        observation = &index->observations[added];
        *observation = (struct index_observation){
            .next = NONE,
            .lane = at,
            .buyer_group = trade->buyer_group,
            .seller_group = trade->seller_group,
            .partition = (uint16_t)index->complete,
        };
        if (lane->first == NONE) {
            lane->first = added;
        } else {
            index->observations[lane->last].next = added;
        }
        lane->last = added;
        lane->count++;
    }
    observation->notional_e4 += (int128)trade->price_e4 * trade->qty;
    observation->qty += trade->qty;
    lane->changed = true;
    return 0;
}

int index_event(struct index *index, const struct event *event)
{
    if (event->head.seq != index->seq || !index->started) {
        index->started = true;
        advance(index, event->head.time_ns);
        index->command_first = index->observation_count;
        index->seq = event->head.seq;
        index->time_ns = event->head.time_ns;
    }
    if (event->head.type == EVENT_TRADE) {
        return add_trade(index, event);
    }
    if (event->head.type == EVENT_CLASS && event->class_.class_id < CLASS_COUNT_MAX) {
        index->lots[event->class_.class_id] = event->class_.lot;
    }
    return 0;
}

void index_sanity(const struct index *index)
{
    uint32_t observations = 0;
    CHECK(index->lane_count <= index->limits.lanes_max);
    for (uint32_t i = 0; i < index->lane_count; i++) {
        const struct index_lane *lane = &index->lanes[i];
        CHECK(index->buckets[probe(index, lane->key)] == i + 1);
        CHECK(lane->count > 0 || lane_delivery_day(lane) >= index->day);
        uint32_t count = 0;
        uint32_t partition = 0;
        for (uint32_t k = lane->first; k != NONE; k = index->observations[k].next) {
            CHECK(index->observations[k].lane == i && index->observations[k].qty > 0);
            CHECK(index->observations[k].partition >= partition);
            partition = index->observations[k].partition;
            count++;
        }
        CHECK(count == lane->count);
        observations += count;
    }
    CHECK(observations == index->observation_count);
}
