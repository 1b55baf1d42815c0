/* What the structs of the codec (codec.h) have in common: limits, and rows that lie outside of them. */
#ifndef KASHI_WIRE_CODEC_ROWS_H
#define KASHI_WIRE_CODEC_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/command.h"
#include "wire/contract.h"

#define CODEC_MESSAGE_MAX     65536 /* bytes of a client message, and of a server message */
#define CODEC_REQUESTS_MAX    256   /* requests in one client message */
#define CODEC_FIELD_SIZE      32    /* longest name of a field, with its NUL */
#define CODEC_ROWS_MAX        64    /* rows of one answer (orders, trades, reports, lists) */
#define CODEC_LEVELS_MAX      424   /* price levels of one side: two full sides fit a message */
#define CODEC_LISTED_MAX      40    /* listed offers of an answer: they fit beside both sides */
#define CODEC_HOLDINGS_MAX    256   /* holdings in an account's answer */
#define CODEC_PUBLIC_KEY_TEXT 40    /* a CURVE key as Z85 text */

/* --- lists -------------------------------------------------------------------------------------
 * Rows that lie outside their struct, of which it has a pointer and a count. */
struct leg_row {
    char symbol[SYMBOL_SIZE];
    uint32_t price_e4; /* limit */
    uint32_t open_qty; /* order_status: what it may trade now */
    uint8_t leg;       /* what the server says: its place, from 1 */
    uint8_t state;     /* order_status: enum leg_state */
};
/* A leg sleeps while the balance is below its lot or an auction collects in its hour. */
enum leg_state { LEG_STATE_NONE = 0, LEG_LIVE = 1, LEG_ASLEEP = 2, LEG_ENDED = 3 };
struct lane_row {
    char class_name[NAME_SIZE];
    char region[NAME_SIZE];
    uint32_t factor_e4; /* 0, left out of a request: 10,000 */
    uint8_t tier;
    uint8_t lane; /* what the server says: its place, from 1 */
};

/* Where decoding puts them. A refused request leaves none there. */
struct codec_rows {
    void *memory; /* aligned to 8 */
    uint32_t size;
    uint32_t used;
};
/* Room for all rows of any message: a row of the shortest texts takes 20 bytes of the message and 76
 * in memory, and one refused request may have a full list on top before it gives it back. */
#define CODEC_ROWS_BYTES_MAX 262144
/* Room for those of one request. */
#define CODEC_REQUEST_ROWS_BYTES (SET_LEGS_MAX * sizeof(struct leg_row))

#endif
