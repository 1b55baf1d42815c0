#include "exchange/market_data_pub.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"

#define TOPIC_PREFIX      "md."
#define TOPIC_PREFIX_SIZE (sizeof(TOPIC_PREFIX) - 1)

#define SUBSCRIPTION_MAX 256  /* bytes that a subscriber may send at once */
#define TAKEN_A_TURN     1024 /* the rest waits for the next */

struct market_data_pub {
    void *socket;
    uint64_t count;
    struct message message;
    uint8_t bytes[CODEC_MESSAGE_MAX];
};

int market_data_pub_open(struct market_data_pub **pub, void *zmq_context,
                         char endpoint[ENDPOINT_SIZE], int hwm, struct error *error)
{
    struct market_data_pub *opened = calloc(1, sizeof(*opened));
    CHECK(opened);
    opened->socket = zmq_socket(zmq_context, ZMQ_XPUB);
    if (!opened->socket) {
        int cause = zmq_errno();
        market_data_pub_close(opened);
        return error_system(error, cause, "market data socket");
    }
    int zero = 0;
    zmq_setsockopt(opened->socket, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(opened->socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
    int64_t largest = SUBSCRIPTION_MAX;
    zmq_setsockopt(opened->socket, ZMQ_MAXMSGSIZE, &largest, sizeof(largest));
    size_t length = ENDPOINT_SIZE;
    if (zmq_bind(opened->socket, endpoint) != 0 ||
        zmq_getsockopt(opened->socket, ZMQ_LAST_ENDPOINT, endpoint, &length) != 0) {
        int cause = zmq_errno();
        market_data_pub_close(opened);
        return error_system(error, cause, "market data endpoint '%s'", endpoint);
    }
    *pub = opened;
    return 0;
}

void market_data_pub_close(struct market_data_pub *pub)
{
    if (!pub) {
        return;
    }
    if (pub->socket) {
        zmq_close(pub->socket);
    }
    free(pub);
}

void *market_data_pub_socket(const struct market_data_pub *pub)
{
    return pub->socket;
}

/* The socket tells of a topic when its first subscriber comes (1) and when its last has gone (0). */
void market_data_pub_take(struct market_data_pub *pub, const struct replica_registry *registry,
                          struct market_data_state *market_data)
{
    for (int i = 0; i < TAKEN_A_TURN; i++) {
        char bytes[1 + TOPIC_PREFIX_SIZE + SYMBOL_SIZE];
        int length = zmq_recv(pub->socket, bytes, sizeof(bytes), ZMQ_DONTWAIT);
        if (length < 0) {
            return;
        }
        const char *symbol = bytes + 1 + TOPIC_PREFIX_SIZE;
        uint64_t contract;
        if ((size_t)length > 1 + TOPIC_PREFIX_SIZE && (size_t)length <= sizeof(bytes) &&
            memcmp(bytes + 1, TOPIC_PREFIX, TOPIC_PREFIX_SIZE) == 0 && (bytes[0] & ~1) == 0 &&
            contract_parse(&registry->names, symbol, (size_t)length - 1 - TOPIC_PREFIX_SIZE,
                           &contract)) {
            market_data_watch(market_data, contract, bytes[0] == 1);
        }
    }
}

uint64_t market_data_pub_count(const struct market_data_pub *pub)
{
    return pub->count;
}

static void send_message(struct market_data_pub *pub, const char *topic, size_t topic_length)
{
    size_t length = codec_encode_message(&pub->message, pub->bytes, sizeof(pub->bytes));
    CHECK(length > 0);
    /* A PUB socket drops for those that lag; it never refuses. */
    (void)zmq_send(pub->socket, topic, topic_length, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    (void)zmq_send(pub->socket, pub->bytes, length, ZMQ_DONTWAIT);
    pub->count++;
}

static uint32_t part(uint32_t total, uint32_t done, uint32_t most)
{
    return total - done < most ? total - done : most;
}

void market_data_pub_send(struct market_data_pub *pub, const struct replica_registry *registry,
                          const struct market_data_update *update)
{
    pub->message.type = MESSAGE_MARKET_DATA;
    struct market_data *message = &pub->message.market_data;
    message->seq = update->seq;
    message->prev_seq = update->prev_seq;
    message->time_ns = update->time_ns;
    message->best_bid_e4 = update->best.bid_e4;
    message->best_bid_qty = update->best.bid_qty;
    message->best_bid_shared_qty = update->best.bid_shared_qty;
    message->best_offer_e4 = update->best.offer_e4;
    message->best_offer_qty = update->best.offer_qty;
    message->auction = update->auction;
    const struct registry_market *market = replica_registry_market(
        registry, contract_class(update->contract), contract_region(update->contract));
    message->halted = market && market->halted;
    char topic[TOPIC_PREFIX_SIZE + SYMBOL_SIZE] = TOPIC_PREFIX;
    size_t length = contract_format(&registry->names, update->contract, message->symbol);
    CHECK(length > 0);
    memcpy(topic + TOPIC_PREFIX_SIZE, message->symbol, length);

    uint32_t trades = 0;
    uint32_t levels = 0;
    do {
        message->trade_count = part(update->trade_count, trades, CODEC_ROWS_MAX);
        message->level_count = part(update->level_count, levels, CODEC_LEVELS_MAX);
        if (message->trade_count > 0) {
            memcpy(message->trades, update->trades + trades,
                   message->trade_count * sizeof(message->trades[0]));
        }
        if (message->level_count > 0) {
            memcpy(message->levels, update->levels + levels,
                   message->level_count * sizeof(message->levels[0]));
        }
        trades += message->trade_count;
        levels += message->level_count;
        message->continued = trades < update->trade_count || levels < update->level_count;
        send_message(pub, topic, TOPIC_PREFIX_SIZE + length);
    } while (message->continued);
}
