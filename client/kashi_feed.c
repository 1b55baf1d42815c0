#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/kashi.h"

#define NS_PER_MS           INT64_C(1000000)
#define SNAPSHOT_TIMEOUT_NS NS_PER_SECOND
#define VERIFY_NS           NS_PER_SECOND
#define BOOKS_MAX           262144
#define RECEIVE_HWM_DEFAULT 100000
#define RECEIVED_PER_CALL   4096

struct feed_book {
    struct kashi_book book; /* first: events hand it out */
    bool whole;             /* subscribed by its whole symbol */
    bool asked;             /* a snapshot is on its way that the book needs */
    bool heard_continued;   /* the latest message is not the last of its command */
    uint64_t heard_seq;     /* of the latest message, in the book or not */
};

struct kashi_feed {
    void *sub; /* market data; NULL: none */
    void *snapshots;
    void *index;
    void *index_latest;
    zmq_msg_t latest; /* an answer with the latest index values, walked by `cursor` */
    bool latest_open;
    struct codec_cursor cursor;
    struct feed_book **books; /* in order of their first mention */
    uint32_t *slots;          /* hash: place of the book + 1; 0 empty */
    uint32_t book_count;
    uint32_t book_capacity; /* of `books`; `slots` has twice as many */
    uint32_t waiting;       /* books that need a snapshot */
    uint32_t verify_next;   /* place of the book that is compared with a snapshot next */
    int64_t asked_ns;       /* when a snapshot was last asked for or came */
    int64_t verified_ns;
    struct kashi_feed_counters counters;
    struct message message;
};

static uint64_t symbol_hash(const char *symbol)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *symbol != '\0'; symbol++) {
        hash = (hash ^ (uint8_t)*symbol) * UINT64_C(1099511628211);
    }
    return hash;
}

/* The slot that holds the symbol or the empty one where it belongs. */
static uint32_t *feed_slot(const struct kashi_feed *feed, const char *symbol)
{
    uint32_t mask = feed->book_capacity * 2 - 1;
    uint32_t at = (uint32_t)symbol_hash(symbol) & mask;
    while (feed->slots[at] != 0 &&
           strcmp(feed->books[feed->slots[at] - 1]->book.symbol, symbol) != 0) {
        at = (at + 1) & mask;
    }
    return &feed->slots[at];
}

static int feed_grow(struct kashi_feed *feed, struct error *error)
{
    if (feed->book_capacity >= BOOKS_MAX) {
        return error_set(error, ERROR_FULL, "a feed holds at most %d books", BOOKS_MAX);
    }
    uint32_t capacity = feed->book_capacity == 0 ? 64 : feed->book_capacity * 2;
    struct feed_book **books = realloc(feed->books, capacity * sizeof(books[0]));
    if (books != NULL) {
        feed->books = books;
    }
    uint32_t *slots = calloc((size_t)capacity * 2, sizeof(slots[0]));
    if (books == NULL || slots == NULL) {
        free(slots);
        return error_set(error, ERROR_IO, "no memory for more books");
    }
    free(feed->slots);
    feed->slots = slots;
    feed->book_capacity = capacity;
    for (uint32_t i = 0; i < feed->book_count; i++) {
        *feed_slot(feed, feed->books[i]->book.symbol) = i + 1;
    }
    return 0;
}

static int feed_book(struct kashi_feed *feed, const char *symbol, struct feed_book **out,
                     struct error *error)
{
    if (feed->book_count == feed->book_capacity) {
        int rc = feed_grow(feed, error);
        if (rc < 0) {
            return rc;
        }
    }
    uint32_t *slot = feed_slot(feed, symbol);
    if (*slot == 0) {
        struct feed_book *book = calloc(1, sizeof(*book));
        if (book == NULL) {
            return error_set(error, ERROR_IO, "no memory for a book");
        }
        kashi_book_init(&book->book, symbol);
        feed->books[feed->book_count++] = book;
        *slot = feed->book_count;
    }
    *out = feed->books[*slot - 1];
    return 0;
}

static void feed_ask(struct kashi_feed *feed, uint32_t place)
{
    struct request request = {.type = REQUEST_BOOK, .ref = place + 1};
    memcpy(request.book.symbol, feed->books[place]->book.symbol, SYMBOL_SIZE);
    uint8_t bytes[256];
    size_t length = codec_encode_request(&request, bytes, sizeof(bytes));
    CHECK(length > 0);
    /* What cannot be sent now is asked for again when the time is over. */
    zmq_send(feed->snapshots, bytes, length, ZMQ_DONTWAIT);
}

static void feed_need_snapshot(struct kashi_feed *feed, struct feed_book *book)
{
    if (book->asked) {
        return;
    }
    book->asked = true;
    feed->waiting++;
    feed->asked_ns = clock_monotonic_ns();
    feed_ask(feed, *feed_slot(feed, book->book.symbol) - 1);
}

/* Asks again for what did not come, and compares quiet books with snapshots one by one: the loss
 * of a contract's latest message shows in no later one. */
static void feed_step(struct kashi_feed *feed)
{
    int64_t now_ns = clock_monotonic_ns();
    if (feed->waiting > 0 && now_ns - feed->asked_ns >= SNAPSHOT_TIMEOUT_NS) {
        feed->asked_ns = now_ns;
        for (uint32_t i = 0; i < feed->book_count; i++) {
            if (feed->books[i]->asked) {
                feed_ask(feed, i);
            }
        }
    }
    if (feed->waiting > 0 || feed->book_count == 0 || feed->snapshots == NULL ||
        now_ns - feed->verified_ns < VERIFY_NS) {
        return;
    }
    feed->verified_ns = now_ns;
    feed->verify_next = feed->verify_next + 1 < feed->book_count ? feed->verify_next + 1 : 0;
    feed_ask(feed, feed->verify_next);
}

/* Whether a snapshot knows more than the book. A contract without depth of its own has no sequence
 * there (contract_seq 0); its phase and its best prices, from other tiers, tell. */
static bool snapshot_newer(const struct kashi_book *book, const struct book_answer *snapshot)
{
    if (snapshot->seq <= book->seq || snapshot->seq <= book->snapshot_seq) {
        return false;
    }
    if (snapshot->contract_seq != 0) {
        return snapshot->contract_seq != book->seq;
    }
    return snapshot->auction.phase != book->auction.phase || book->sides[SIDE_BUY].count != 0 ||
           book->sides[SIDE_SELL].count != 0 || snapshot->best_bid_e4 != book->best_bid_e4 ||
           snapshot->best_bid_qty != book->best_bid_qty ||
           snapshot->best_bid_shared_qty != book->best_bid_shared_qty ||
           snapshot->best_offer_e4 != book->best_offer_e4 ||
           snapshot->best_offer_qty != book->best_offer_qty;
}

/* Whether the book changed. */
static bool feed_on_snapshot(struct kashi_feed *feed, const struct message *message)
{
    bool refused = message->type == MESSAGE_REJECT;
    if (!refused && message->type != MESSAGE_BOOK) {
        return false;
    }
    uint64_t ref = refused ? message->reject.ref : message->book.ref;
    if (ref == 0 || ref > feed->book_count) {
        return false;
    }
    struct feed_book *book = feed->books[ref - 1];
    if (refused && message->reject.reason == REASON_LAGGING) {
        return false;
    }
    bool newer = !refused && snapshot_newer(&book->book, &message->book);
    bool needed = book->asked;
    if (book->asked) {
        book->asked = false;
        feed->waiting--;
        feed->asked_ns = clock_monotonic_ns();
    }
    if (refused) {
        book->book.current = 1;
        return false;
    }
    if (strcmp(message->book.symbol, book->book.symbol) != 0 || (!needed && !newer)) {
        return false;
    }
    feed->counters.snapshots++;
    kashi_book_snapshot(&book->book, &message->book);
    return true;
}

static bool socket_take(void *socket, struct message *message)
{
    if (socket == NULL) {
        return false;
    }
    zmq_msg_t part;
    CHECK(zmq_msg_init(&part) == 0);
    bool more = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0;
    /* Published messages have the topic in front; the last part is the message. */
    while (more && zmq_msg_more(&part)) {
        more = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0;
    }
    bool taken = more;
    struct codec_cursor cursor;
    message->type = 0;
    if (taken && codec_decode_begin(&cursor, zmq_msg_data(&part), zmq_msg_size(&part)) == 0 &&
        cursor.left > 0 && codec_decode_next(&cursor, message) != 0) {
        message->type = 0;
    }
    zmq_msg_close(&part);
    return taken;
}

/* The next of the latest index values. */
static bool latest_take(struct kashi_feed *feed, struct message *message)
{
    if (!feed->latest_open && feed->index_latest != NULL) {
        CHECK(zmq_msg_init(&feed->latest) == 0);
        feed->latest_open = zmq_msg_recv(&feed->latest, feed->index_latest, ZMQ_DONTWAIT) >= 0;
        if (feed->latest_open && codec_decode_begin(&feed->cursor, zmq_msg_data(&feed->latest),
                                                    zmq_msg_size(&feed->latest)) != 0) {
            feed->cursor.left = 0;
        }
    }
    while (feed->latest_open && feed->cursor.left > 0) {
        uint16_t reason = codec_decode_next(&feed->cursor, message);
        if (reason == 0) {
            return true;
        }
        if (reason != REASON_UNKNOWN_TYPE) {
            feed->cursor.left = 0;
        }
    }
    if (feed->latest_open) {
        zmq_msg_close(&feed->latest);
        feed->latest_open = false;
        feed->counters.index_answers++;
    }
    return false;
}

/* Whether the message is later than all before it: one that the book does not take, for a gap or
 * because a snapshot has overtaken it, may still tell of trades that nobody has heard of. */
static bool message_new(struct feed_book *book, const struct market_data *data)
{
    bool later =
        data->seq > book->heard_seq || (data->seq == book->heard_seq && book->heard_continued);
    if (later) {
        book->heard_seq = data->seq;
        book->heard_continued = data->continued;
    }
    return later;
}

/* 1: the event is for the caller. */
static int feed_on_market_data(struct kashi_feed *feed, struct kashi_feed_event *event,
                               struct error *error)
{
    const struct market_data *data = &feed->message.market_data;
    struct feed_book *book;
    int rc = feed_book(feed, data->symbol, &book, error);
    if (rc < 0) {
        return rc;
    }
    feed->counters.messages++;
    bool new_trades = message_new(book, data) && data->trade_count > 0;
    *event =
        (struct kashi_feed_event){.kind = KASHI_FEED_TRADES, .book = &book->book, .data = data};
    switch (kashi_book_apply(&book->book, data)) {
    case KASHI_BOOK_APPLIED:
        event->kind = KASHI_FEED_CHANGE;
        return 1;
    case KASHI_BOOK_GAP:
        feed->counters.gaps++;
        feed_need_snapshot(feed, book);
        break;
    case KASHI_BOOK_OLD:
        break;
    }
    return new_trades ? 1 : 0;
}

int kashi_feed_next(struct kashi_feed *feed, struct kashi_feed_event *event, struct error *error)
{
    feed_step(feed);
    for (int i = 0; i < RECEIVED_PER_CALL; i++) {
        if (socket_take(feed->snapshots, &feed->message)) {
            if (feed_on_snapshot(feed, &feed->message)) {
                const struct feed_book *book = feed->books[feed->message.book.ref - 1];
                *event =
                    (struct kashi_feed_event){.kind = KASHI_FEED_SNAPSHOT, .book = &book->book};
                return 1;
            }
        } else if (feed->waiting == 0 && socket_take(feed->sub, &feed->message)) {
            int rc = feed->message.type == MESSAGE_MARKET_DATA
                         ? feed_on_market_data(feed, event, error)
                         : 0;
            if (rc != 0) {
                return rc;
            }
        } else if (latest_take(feed, &feed->message) || socket_take(feed->index, &feed->message)) {
            if (feed->message.type == MESSAGE_INDEX) {
                feed->counters.messages++;
                *event = (struct kashi_feed_event){.kind = KASHI_FEED_INDEX,
                                                   .index = &feed->message.index};
                return 1;
            }
        } else {
            return 0;
        }
    }
    return 0;
}

static int feed_socket(void **out, const struct kashi_feed_config *config, int type,
                       const char *endpoint, struct error *error)
{
    if (endpoint == NULL) {
        return 0;
    }
    void *socket = zmq_socket(config->zmq_context, type);
    if (socket == NULL) {
        return error_set(error, ERROR_IO, "socket: %s", zmq_strerror(zmq_errno()));
    }
    *out = socket;
    int hwm = config->receive_hwm == 0 ? RECEIVE_HWM_DEFAULT : (int)config->receive_hwm;
    int linger_ms = 0;
    CHECK(zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof(hwm)) == 0 &&
          zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)) == 0);
    if (zmq_connect(socket, endpoint) != 0) {
        return error_set(error, ERROR_INVALID, "%s: %s; give tcp://HOST:PORT", endpoint,
                         zmq_strerror(zmq_errno()));
    }
    return 0;
}

int kashi_feed_open(struct kashi_feed **out, const struct kashi_feed_config *config,
                    struct error *error)
{
    CHECK((config->market_data == NULL) == (config->snapshot == NULL));
    struct kashi_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL) {
        return error_set(error, ERROR_IO, "no memory for a feed");
    }
    int rc = feed_socket(&feed->sub, config, ZMQ_SUB, config->market_data, error);
    if (rc == 0) {
        rc = feed_socket(&feed->snapshots, config, ZMQ_DEALER, config->snapshot, error);
    }
    if (rc == 0) {
        rc = feed_socket(&feed->index, config, ZMQ_SUB, config->index, error);
    }
    if (rc == 0) {
        rc = feed_socket(&feed->index_latest, config, ZMQ_DEALER, config->index_snapshot, error);
    }
    if (rc == 0) {
        rc = feed_grow(feed, error);
    }
    if (rc < 0) {
        kashi_feed_close(feed);
        return rc;
    }
    feed->verified_ns = clock_monotonic_ns();
    *out = feed;
    return 0;
}

void kashi_feed_close(struct kashi_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    if (feed->latest_open) {
        zmq_msg_close(&feed->latest);
    }
    void *sockets[] = {feed->sub, feed->snapshots, feed->index, feed->index_latest};
    for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
        if (sockets[i] != NULL) {
            zmq_close(sockets[i]);
        }
    }
    for (uint32_t i = 0; i < feed->book_count; i++) {
        kashi_book_free(&feed->books[i]->book);
        free(feed->books[i]);
    }
    free(feed->books);
    free(feed->slots);
    free(feed);
}

static int feed_subscribe(void *socket, const char *prefix, const char *rest, struct error *error)
{
    char topic[SYMBOL_SIZE + 4];
    int length = snprintf(topic, sizeof(topic), "%s%s", prefix, rest);
    if (socket == NULL || length >= (int)sizeof(topic)) {
        return error_set(error, ERROR_INVALID, "'%s': the feed cannot follow this", rest);
    }
    if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, (size_t)length) != 0) {
        return error_set(error, ERROR_IO, "subscribe: %s", zmq_strerror(zmq_errno()));
    }
    return 0;
}

/* CLASS.REGION.TIER.HOUR: three full stops and a whole hour behind the last. */
static bool symbol_whole(const char *symbol)
{
    uint32_t hour;
    const char *last = strrchr(symbol, '.');
    return last != NULL && hour_parse(last + 1, strlen(last + 1), &hour);
}

int kashi_feed_subscribe(struct kashi_feed *feed, const char *symbol, struct error *error)
{
    int rc = feed_subscribe(feed->sub, "md.", symbol, error);
    if (rc < 0 || !symbol_whole(symbol)) {
        return rc;
    }
    struct feed_book *book;
    rc = feed_book(feed, symbol, &book, error);
    if (rc == 0 && !book->whole) {
        book->whole = true;
        feed_need_snapshot(feed, book);
    }
    return rc;
}

int kashi_feed_subscribe_index(struct kashi_feed *feed, const char *topic, struct error *error)
{
    int rc = feed->index == NULL ? 0 : feed_subscribe(feed->index, "ix.", topic, error);
    if (rc == 0 && feed->index_latest != NULL &&
        zmq_send(feed->index_latest, topic, strlen(topic), ZMQ_DONTWAIT) < 0) {
        rc = error_set(error, ERROR_IO, "latest index values: %s", zmq_strerror(zmq_errno()));
    }
    return rc;
}

const struct kashi_book *kashi_feed_book(const struct kashi_feed *feed, const char *symbol)
{
    uint32_t slot = *feed_slot(feed, symbol);
    return slot == 0 ? NULL : &feed->books[slot - 1]->book;
}

uint32_t kashi_feed_waiting(const struct kashi_feed *feed)
{
    return feed->waiting;
}

uint32_t kashi_feed_sockets(const struct kashi_feed *feed, void *sockets[KASHI_FEED_SOCKETS_MAX])
{
    uint32_t count = 0;
    if (feed->snapshots != NULL) {
        sockets[count++] = feed->snapshots;
    }
    if (feed->sub != NULL && feed->waiting == 0) {
        sockets[count++] = feed->sub;
    }
    if (feed->index != NULL) {
        sockets[count++] = feed->index;
    }
    if (feed->index_latest != NULL) {
        sockets[count++] = feed->index_latest;
    }
    return count;
}

int64_t kashi_feed_timeout_ms(const struct kashi_feed *feed)
{
    if (feed->book_count == 0) {
        return 1000;
    }
    int64_t due_ns =
        feed->waiting > 0 ? feed->asked_ns + SNAPSHOT_TIMEOUT_NS : feed->verified_ns + VERIFY_NS;
    int64_t left_ms = (due_ns - clock_monotonic_ns()) / NS_PER_MS + 1;
    return left_ms < 0 ? 0 : left_ms;
}

void kashi_feed_wait(struct kashi_feed *feed, int64_t timeout_ms)
{
    void *sockets[KASHI_FEED_SOCKETS_MAX];
    zmq_pollitem_t items[KASHI_FEED_SOCKETS_MAX] = {{0}};
    uint32_t count = kashi_feed_sockets(feed, sockets);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (zmq_pollitem_t){.socket = sockets[i], .events = ZMQ_POLLIN};
    }
    int64_t own_ms = kashi_feed_timeout_ms(feed);
    zmq_poll(items, (int)count, (long)(timeout_ms < own_ms ? timeout_ms : own_ms));
}

const struct kashi_feed_counters *kashi_feed_counters(const struct kashi_feed *feed)
{
    return &feed->counters;
}
