/* Sends many orders and waits for what becomes of each: up to a window of them is under way at any
 * time, what was refused only because it came too fast is sent again a little later, and at the end
 * every fill that they met on arrival is counted. One thread. */
#ifndef KASHI_CLIENT_SUBMIT_H
#define KASHI_CLIENT_SUBMIT_H

#include "client/cli.h"

#define SUBMIT_ORDERS_MAX 1000000

struct submit_result {
    uint64_t order_id; /* 0: not accepted */
    int64_t price_e4;
    int64_t cum_qty;
    int64_t leaves_qty;
    uint16_t reason;    /* of a refusal, or why the order is over */
    uint8_t ord_status; /* enum ord_status; STATUS_REJECTED: refused */
    bool answered;
};

struct submit {
    struct cli *cli;
    uint32_t count;
    /* Writes order `index`, all but its cl_ord_id. */
    void (*make)(void *context, uint32_t index, struct request *request);
    /* Every report of these orders, and every refusal; NULL: nobody. */
    void (*seen)(void *context, uint32_t index, const struct message *message);
    void *context;
    bool progress;                 /* count on stderr, when that is a terminal */
    struct submit_result *results; /* `count` of them, the caller's, zeroed */
};

/* CLI_DONE when every order was answered, refused or not. */
int submit_run(const struct submit *submit);

#endif
