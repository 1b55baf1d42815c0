/* A market for benchmarks of the core: an engine in huge pages whose operator has registered a class
 * with lot 1 and bands that are none, and what the benchmark adds. Whatever is refused ends the process.
 * One thread. */
#ifndef KASHI_BENCH_MARKET_H
#define KASHI_BENCH_MARKET_H

#include "base/arena.h"
#include "exchange/core/engine.h"

enum { MARKET_SINK_MAX = 1024, MARKET_OPERATOR = 1, MARKET_MID_E4 = 60000 };
enum { MARKET_BUYERS = 2, MARKET_SELLERS = 3 }; /* ownership groups */
#define MARKET_START_HOUR 490000u
#define MARKET_START_NS   ((int64_t)MARKET_START_HOUR * NS_PER_HOUR)

typedef void market_take(struct event_sink *sink);

struct market {
    struct engine *engine;
    struct arena arena;
    struct event events[MARKET_SINK_MAX];
    struct event_sink sink;
    uint64_t seq;
};

/* `take` gets the events of each command and must empty the sink, of `capacity` events. Registers class 0
 * and the two groups. */
void market_begin(struct market *market, const struct engine_config *config, market_take *take,
                  uint32_t capacity);
void market_end(struct market *market);
/* Region and market of class 0, whose ids follow each other from 0. */
void market_region(struct market *market, uint16_t region);
/* An account, and a key of the same id that logs in: ids follow each other from 2. */
void market_trader(struct market *market, uint32_t id, uint8_t role);
/* All that there can be of class 0 in a region: a resource of the next id. */
void market_resource(struct market *market, uint32_t account, uint16_t region, uint8_t tier);

/* Stamps the command with the next sequence number, steps over it and hands its events out. */
void market_step(struct market *market, struct command *command);
/* Fills in the head too: a request of the key at the start time, in so many slots. */
void market_request(struct market *market, struct command *command, uint8_t type, uint8_t slots,
                    uint32_t key);

/* For figures taken several times; sorts them. */
double market_median(double *values, size_t count);

#endif
