/* The demo's traders: who offers, who bids, at what price, for one hour or for many, and when they change
 * their minds. Drawn from a seed around the prices of data/. Nearly half of the orders goes to a few hot lanes and the
 * second delivery day, so that some lane-days reach level 1 of the index. One thread. */
#ifndef KASHI_CLIENT_DEMO_FLOW_H
#define KASHI_CLIENT_DEMO_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "client/found.h"
#include "client/tables.h"
#include "wire/codec.h"

#define FLOW_PROVIDERS_MAX   40
#define FLOW_BUYERS_MAX      200
#define FLOW_TRADERS_MAX     (FLOW_PROVIDERS_MAX + FLOW_BUYERS_MAX)
#define FLOW_HOT_LANES       12
#define FLOW_HOT_RESOURCES   8 /* of each hot lane, of as many providers */
#define FLOW_OTHER_RESOURCES 5 /* of each provider */
#define FLOW_RESOURCES_MAX                                                                         \
    (FLOW_HOT_LANES * FLOW_HOT_RESOURCES + FLOW_PROVIDERS_MAX * FLOW_OTHER_RESOURCES)
#define FLOW_HOURS           48 /* delivery hours ahead that are traded */
#define FLOW_OPEN_ORDERS_MAX 64 /* of a trader, that it remembers */
#define FLOW_LEGS_MAX        8  /* of a SET */
#define FLOW_LANES_MAX       3  /* of a JOB */
#define FLOW_AUCTION_LANES                                                                         \
    2 /* hot lanes with auctions: one opens with them, one has no other trading */

struct flow_order {
    uint64_t order_id;
    int64_t price_e4;
    int64_t qty;
    int64_t lot;
    bool plain; /* neither SET nor JOB */
};

/* Legs or lanes of a request. */
union flow_rows {
    struct leg_row legs[FLOW_LEGS_MAX];
    struct lane_row lanes[FLOW_LANES_MAX];
};

struct flow_trader {
    struct flow_order open[FLOW_OPEN_ORDERS_MAX];
    uint32_t open_count;
    uint32_t resources[FLOW_RESOURCES_MAX]; /* a provider's, places in the plan */
    uint32_t resource_count;
};

struct flow {
    const struct tables *tables;
    struct random random;
    struct found_account accounts[FLOW_TRADERS_MAX];
    struct found_resource resources[FLOW_RESOURCES_MAX];
    struct flow_trader traders[FLOW_TRADERS_MAX];
    struct found_terms auctions[FLOW_AUCTION_LANES];
    uint32_t providers; /* the first of the traders; buyers follow */
    uint32_t trader_count;
    uint32_t resource_count;
    uint32_t first_hour; /* first delivery hour that can be traded */
};

struct flow_config {
    const struct tables *tables; /* outlives the flow */
    uint64_t seed;
    uint32_t providers; /* FLOW_HOT_RESOURCES .. FLOW_PROVIDERS_MAX */
    uint32_t buyers;    /* 1 .. FLOW_BUYERS_MAX */
    uint32_t first_hour;
};
/* Lays out accounts and resources; `flow` is large, the caller's. Fails when the tables lack a class
 * or region of a hot lane. */
int flow_init(struct flow *flow, const struct flow_config *config, struct error *error);
/* What the market must be founded with for these traders: `plan` points into `flow`. */
void flow_plan(struct flow *flow, struct found_plan *plan);
/* One request at exchange time `now_ns`: picks who sends it and fills it in. Its legs or lanes, if it
 * has any, stand in `rows`, which must be there until it is sent. */
void flow_draw(struct flow *flow, int64_t now_ns, uint32_t *trader, struct request *request,
               union flow_rows *rows);
/* Keeps up what a trader has open. */
void flow_report(struct flow *flow, uint32_t trader, const struct report *report);
/* Symbol of hot lane `lane` at hour `hour`, tier G0. */
void flow_hot_symbol(uint32_t lane, uint32_t hour, char symbol[SYMBOL_SIZE]);

#endif
