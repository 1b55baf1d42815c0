/* The standard order flow on which matching engines are compared: a reproducible stream of limit,
 * immediate, market, cancel and modify commands over one or many instruments (docs/benchmarks.md).
 * Integer arithmetic only, so that every machine makes the same bytes. */
#ifndef KASHI_BENCH_FLOW_H
#define KASHI_BENCH_FLOW_H

#include <assert.h>
#include <stdint.h>

enum flow_type { FLOW_LIMIT = 0, FLOW_IOC = 1, FLOW_MARKET = 2, FLOW_CANCEL = 3, FLOW_MODIFY = 4 };

#define FLOW_ACCOUNTS 1000

struct flow_record {
    uint8_t type; /* enum flow_type */
    uint8_t side; /* 0 buy, 1 sell; of the target for CANCEL and MODIFY */
    uint16_t instrument;
    uint32_t account; /* 1 .. FLOW_ACCOUNTS for new orders, else 0 */
    uint64_t id;      /* dense, from 1, in order of first appearance */
    uint32_t price;   /* ticks; 0 for MARKET and CANCEL */
    uint32_t qty;     /* MODIFY: new remaining quantity */
    uint64_t time_ns;
};
static_assert(sizeof(struct flow_record) == 32, "flow record");

struct flow {
    struct flow_record *records; /* the first `preload` build the books and are not timed */
    uint64_t count;
    uint64_t preload;
    uint64_t max_id;
    uint32_t instruments;
    uint64_t fnv; /* FNV-1a over the records as 64-bit words: names the flow */
};

/* What any correct engine must come to on a flow. */
struct flow_checksum {
    uint64_t trades;
    uint64_t qty;
    uint64_t notional;
    uint64_t hash; /* over (maker, taker, price, quantity) in order of execution */
    uint64_t rejects;
};

/* `depth`: orders a side and instrument that the flow is steered to hold. Ends the process when memory
 * is short. Records have room for 64 unused ones behind them, for look-ahead. */
void flow_make(struct flow *flow, uint32_t instruments, uint64_t commands, uint32_t depth,
               uint64_t seed);
void flow_free(struct flow *flow);

#define FLOW_HASH_BASE UINT64_C(0xcbf29ce484222325)
#define FLOW_HASH_STEP UINT64_C(0x100000001b3)

static inline void flow_trade(struct flow_checksum *sum, uint64_t maker, uint64_t taker,
                              uint64_t price, uint64_t qty)
{
    sum->trades++;
    sum->qty += qty;
    sum->notional += price * qty;
    sum->hash = (sum->hash ^ (maker * UINT64_C(0x9E3779B97F4A7C15)) ^
                 (taker * UINT64_C(0xC2B2AE3D27D4EB4F)) ^ (price << 32 | qty)) *
                FLOW_HASH_STEP;
}

#endif
