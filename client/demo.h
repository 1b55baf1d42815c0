/* kashi-demo in parts: what both of its commands share. One thread. */
#ifndef KASHI_CLIENT_DEMO_H
#define KASHI_CLIENT_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "client/desk.h"
#include "client/tables.h"

#define DEMO_READY_TIMEOUT_MS  30000
#define DEMO_ANSWER_TIMEOUT_MS 30000
#define DEMO_MINUTE_MAX        1024 /* requests in a simulated minute */

struct demo_options {
    const char *directory;
    const char *data;
    uint64_t seed;
    uint32_t gateways;
    uint32_t orders_a_minute;
    bool curve;
};

/* The operator's session, ready. */
struct demo_market {
    struct demo_options options;
    struct tables tables;
    struct desk *desk;
    bool default_directory; /* the one that `kashi` looks for by itself */
    uint32_t operator_seat;
    int64_t now_ns; /* the exchange's time at login */
};

/* Trades one day (demo_day.c). */
int demo_day(struct demo_market *market, struct error *error);
/* Fills a new market with sample accounts and offers, prints what to try (demo_samples.c). */
int demo_samples(struct demo_market *market, struct error *error);

#endif
