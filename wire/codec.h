/* The codec: what clients and Kashi say to each other, as structs, and their msgpack form both ways.
 * Nobody else knows msgpack. docs/protocol.md describes every message. The structs stand by subject in
 * codec_request.h, codec_report.h, codec_read.h and codec_market.h; who uses them includes this one.
 *
 * A client message is one map, or an array of at most CODEC_REQUESTS_MAX maps; each map is a request.
 * The bytes are decoded as a whole before anything is done: a message that is not exactly one
 * well-formed value is refused whole; a request in it that is wrong is refused alone, by its own
 * `reason`, and the others go on. What the server says is decoded by the same rules, but keys that
 * the reader does not know are passed over, so that messages may grow.
 *
 * Legs and lanes lie outside the structs, in room that the caller gives: most requests and reports
 * have none, and a struct with place for 64 legs would be twenty times as large.
 *
 * Units as in wire/units.h. Texts are NUL-terminated UTF-8. In a server message a number that is 0
 * and a text that is empty are left out unless the protocol says that they always stand.
 * Nothing here allocates or keeps pointers into the bytes that it is given. Any thread. */
#ifndef KASHI_WIRE_CODEC_H
#define KASHI_WIRE_CODEC_H

#include "wire/codec_market.h"
#include "wire/codec_read.h"
#include "wire/codec_report.h"
#include "wire/codec_request.h"

/* --- requests ---------------------------------------------------------------------------------- */

/* "new_order"; "" for a number that is none. Static storage. */
const char *codec_request_name(uint8_t type);

/* Whether the request is answered by the read side and enters nothing. */
bool codec_request_is_dry(const struct request *request);

/* Where requests are decoded to: the caller's. */
struct codec_batch {
    struct request *requests;
    uint32_t capacity; /* at most CODEC_REQUESTS_MAX */
    uint32_t count;
    struct codec_rows rows; /* without memory: lists are passed over */
};
/* Decodes a client message. Returns 0 and batch->count requests, each with its own `reason`; or the
 * reason why the message as a whole is refused (1 .. 5), and the count is 0. More requests than
 * `capacity` are TOO_MANY_REQUESTS. Earlier rows are forgotten. */
uint16_t codec_decode_requests(const void *bytes, size_t length, struct codec_batch *batch);

/* Bytes of the request's list; 0: it has none. */
size_t codec_request_rows_size(const struct request *request);
/* Copies the list to `memory`, of so many bytes, and lets the request point there. */
void codec_request_rows_move(struct request *request, void *memory);

/* Encodes one request. Returns the length; 0 when it does not fit or is not a known type. */
size_t codec_encode_request(const struct request *request, void *bytes, size_t capacity);

/* Several encoded values in one message: the array's head, to stand before `count` of them.
 * Returns its length (at most 3). */
#define CODEC_ARRAY_HEAD_MAX 3
size_t codec_encode_array_head(uint16_t count, void *bytes, size_t capacity);

/* --- what the server says ---------------------------------------------------------------------- */

enum message_type {
    MESSAGE_REPORT = 1,       /* "execution_report" */
    MESSAGE_REJECT = 2,       /* "reject": by the gateway or the read side; uses up no cl_ord_id */
    MESSAGE_LOGIN = 3,        /* "login" */
    MESSAGE_LOGOUT = 4,       /* "logout": the session is over, with the reason */
    MESSAGE_HEARTBEAT = 5,    /* "heartbeat" */
    MESSAGE_ORDER_STATUS = 6, /* "order_status" */
    MESSAGE_ORDERS = 7,
    MESSAGE_TRADES = 8,
    MESSAGE_BOOK = 9, /* also the answer of the snapshot service */
    MESSAGE_ACCOUNT = 10,
    MESSAGE_REPORTS = 11,
    MESSAGE_CLASSES = 12, /* answers to list, in the order of enum list_what */
    MESSAGE_REGIONS = 13,
    MESSAGE_MARKETS = 14,
    MESSAGE_RESOURCES = 15,
    MESSAGE_GROUPS = 16,
    MESSAGE_ACCOUNTS = 17,
    MESSAGE_KEYS = 18,
    MESSAGE_FEES = 19,
    MESSAGE_GATEWAYS = 20,
    MESSAGE_MARKET_DATA = 21, /* PUB */
    MESSAGE_INDEX = 22,       /* PUB */
    MESSAGE_QUOTE = 23,       /* answer to a dry run */
    MESSAGE_TYPE_COUNT = 24,
};

struct message {
    uint8_t type; /* enum message_type */
    union {
        struct report report;
        struct reject reject;
        struct login_answer login;
        struct logout_answer logout;
        struct heartbeat_answer heartbeat;
        struct order_status_answer order_status;
        struct orders_answer orders;
        struct trades_answer trades;
        struct book_answer book;
        struct account_answer account;
        struct reports_answer reports;
        struct list_answer list;
        struct market_data market_data;
        struct index_message index;
        struct quote_answer quote;
    };
};

/* Encodes one server message. Rows beyond their count are not read. Returns the length; 0 when it
 * does not fit. */
size_t codec_encode_message(const struct message *message, void *bytes, size_t capacity);
/* The same without a struct message around it, for what is sent most. */
size_t codec_encode_report(const struct report *report, void *bytes, size_t capacity);

/* Walks a received message: one map or an array of maps. */
struct codec_cursor {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t left; /* messages not yet decoded */
    /* For the lists of one message, each time anew; the caller may set it after codec_decode_begin.
     * Without memory lists are passed over. */
    struct codec_rows rows;
};
/* Returns 0, or the reason why the bytes are refused (2 .. 4). The bytes must outlive the cursor. */
uint16_t codec_decode_begin(struct codec_cursor *cursor, const void *bytes, size_t length);
/* Decodes the next one (left must be above 0). Returns 0; UNKNOWN_TYPE for a message of a kind that
 * this version does not know (pass over it); else why it is refused. */
uint16_t codec_decode_next(struct codec_cursor *cursor, struct message *message);

/* Z85 text of 40 characters (no NUL) <-> 32 bytes. */
void codec_key_text(const uint8_t key[PUBLIC_KEY_SIZE], char text[CODEC_PUBLIC_KEY_TEXT + 1]);
bool codec_key_parse(const char *text, size_t length, uint8_t key[PUBLIC_KEY_SIZE]);

#endif
