/* Orders through a gateway and the exchange, durably, over a bare durable ZeroMQ echo on the same
 * machine in the same run: client → ROUTER: drain what waits, write 128 bytes each, sync once, answer
 * each. An order counts when its execution report is back at the client. The replica runs too, as it
 * always does. Medians of paired runs. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "bench/instance.h"
#include "wire/units.h"

#define RUNS           5
#define ECHO_SIZE      128
#define ECHO_FILE_SIZE (64 << 20)
#define BATCH_MAX      1000
#define ORDER_MAX      256
#define NUMBER_BASE    (UINT64_C(1) << 40) /* so that every cl_ord_id takes nine bytes */
#define PRICE_E4       160000
#define SYMBOL_HOURS   24

static struct instance instance;
static bool is_made;

_Noreturn static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    if (is_made) {
        instance_end(&instance);
    }
    exit(1);
}

static void check(bool good, const char *what)
{
    if (!good) {
        fail("%s: %s", what, zmq_strerror(errno));
    }
}

static void set(void *socket, int option, int value)
{
    check(zmq_setsockopt(socket, option, &value, sizeof value) == 0, "zmq_setsockopt");
}

/* --- the floor ------------------------------------------------------------------------------------ */

struct echo {
    void *zmq;
    void *socket;
    int file;
    atomic_bool stop;
    pthread_t thread;
    char endpoint[ENDPOINT_SIZE];
};

static void *echo_serve(void *context)
{
    struct echo *echo = context;
    static zmq_msg_t parts[BATCH_MAX][2];
    off_t at = 0;
    while (!atomic_load(&echo->stop)) {
        uint32_t count = 0;
        while (count < BATCH_MAX) {
            (void)zmq_msg_init(&parts[count][0]);
            (void)zmq_msg_init(&parts[count][1]);
            if (zmq_msg_recv(&parts[count][0], echo->socket, ZMQ_DONTWAIT) < 0) {
                break;
            }
            check(zmq_msg_recv(&parts[count][1], echo->socket, 0) == ECHO_SIZE, "echo");
            check(pwrite(echo->file, zmq_msg_data(&parts[count][1]), ECHO_SIZE, at) == ECHO_SIZE,
                  "pwrite");
            at = (at + ECHO_SIZE) % ECHO_FILE_SIZE;
            count++;
        }
        if (count == 0) {
            zmq_pollitem_t item = {.socket = echo->socket, .events = ZMQ_POLLIN};
            (void)zmq_poll(&item, 1, 50);
            continue;
        }
        check(fdatasync(echo->file) == 0, "fdatasync");
        for (uint32_t i = 0; i < count; i++) {
            check(zmq_msg_send(&parts[i][0], echo->socket, ZMQ_SNDMORE) >= 0, "echo");
            check(zmq_msg_send(&parts[i][1], echo->socket, 0) >= 0, "echo");
        }
    }
    return NULL;
}

static void echo_start(struct echo *echo, void *zmq)
{
    static const uint8_t zeros[1 << 20];
    size_t size = sizeof echo->endpoint;
    echo->zmq = zmq;
    echo->file = open("echo", O_RDWR | O_CREAT, 0600);
    check(echo->file >= 0, "echo");
    for (off_t at = 0; at < ECHO_FILE_SIZE; at += (off_t)sizeof zeros) {
        check(pwrite(echo->file, zeros, sizeof zeros, at) == (ssize_t)sizeof zeros, "echo");
    }
    check(fdatasync(echo->file) == 0, "echo");
    echo->socket = zmq_socket(zmq, ZMQ_ROUTER);
    set(echo->socket, ZMQ_SNDHWM, 0);
    set(echo->socket, ZMQ_RCVHWM, 0);
    check(zmq_bind(echo->socket, "tcp://127.0.0.1:*") == 0, "bind");
    check(zmq_getsockopt(echo->socket, ZMQ_LAST_ENDPOINT, echo->endpoint, &size) == 0, "bind");
    check(pthread_create(&echo->thread, NULL, echo_serve, echo) == 0, "thread");
}

static void echo_end(struct echo *echo)
{
    atomic_store(&echo->stop, true);
    (void)pthread_join(echo->thread, NULL);
    (void)zmq_close(echo->socket);
    (void)close(echo->file);
}

static double echo_run(struct echo *echo, uint32_t window, uint32_t total)
{
    uint8_t bytes[ECHO_SIZE] = {1};
    uint32_t sent = 0;
    uint32_t back = 0;
    void *socket = zmq_socket(echo->zmq, ZMQ_DEALER);
    set(socket, ZMQ_LINGER, 0);
    check(zmq_connect(socket, echo->endpoint) == 0, "connect");
    const int64_t start_ns = clock_monotonic_ns();
    while (back < total) {
        while (sent < total && sent - back < window) {
            check(zmq_send(socket, bytes, sizeof bytes, 0) >= 0, "send");
            sent++;
        }
        check(zmq_recv(socket, bytes, sizeof bytes, 0) == ECHO_SIZE, "receive");
        back++;
        while (back < total && zmq_recv(socket, bytes, sizeof bytes, ZMQ_DONTWAIT) == ECHO_SIZE) {
            back++;
        }
    }
    const int64_t end_ns = clock_monotonic_ns();
    (void)zmq_close(socket);
    return (double)total * 1e9 / (double)(end_ns - start_ns);
}

/* --- a client that does as little as may be ------------------------------------------------------- */

struct client {
    void *socket;
    uint64_t number; /* last cl_ord_id used */
    uint32_t sent;
    uint32_t back; /* execution reports */
    struct message message;
    uint8_t bytes[CODEC_MESSAGE_MAX];
};

static void client_send(struct client *client, const void *bytes, size_t length)
{
    check(length > 0 && zmq_send(client->socket, bytes, length, 0) >= 0, "send");
}

static void client_open(struct client *client, void *zmq, const char *gateway, bool curve,
                        const struct instance_key *key)
{
    struct error error;
    char endpoint[ENDPOINT_SIZE];
    if (endpoints_read(gateway, "clients", endpoint, &error) != 0) {
        fail("%s", error.text);
    }
    memset(client, 0, sizeof *client);
    client->socket = zmq_socket(zmq, ZMQ_DEALER);
    set(client->socket, ZMQ_LINGER, 0);
    set(client->socket, ZMQ_RCVTIMEO, 30000);
    if (curve) {
        check(zmq_setsockopt(client->socket, ZMQ_CURVE_SERVERKEY, instance.gateway_key.public_text,
                             CODEC_PUBLIC_KEY_TEXT + 1) == 0 &&
                  zmq_setsockopt(client->socket, ZMQ_CURVE_PUBLICKEY, key->public_text,
                                 CODEC_PUBLIC_KEY_TEXT + 1) == 0 &&
                  zmq_setsockopt(client->socket, ZMQ_CURVE_SECRETKEY, key->secret_text,
                                 CODEC_PUBLIC_KEY_TEXT + 1) == 0,
              "CURVE");
    }
    check(zmq_connect(client->socket, endpoint) == 0, "connect");
    struct request request = {.type = REQUEST_LOGIN};
    if (!curve) {
        request.login.has_public_key = 1;
        (void)codec_key_parse(key->public_text, CODEC_PUBLIC_KEY_TEXT, request.login.public_key);
    }
    client_send(client, client->bytes,
                codec_encode_request(&request, client->bytes, sizeof client->bytes));
}

/* Takes one message whose first part is of the wanted kind. */
static void client_expect(struct client *client, uint8_t type)
{
    struct codec_cursor cursor;
    const int length = zmq_recv(client->socket, client->bytes, sizeof client->bytes, 0);
    check(length >= 0, "no answer");
    if (codec_decode_begin(&cursor, client->bytes, (size_t)length) != 0 ||
        codec_decode_next(&cursor, &client->message) != 0) {
        fail("an answer cannot be read");
    }
    if (client->message.type == MESSAGE_REJECT) {
        fail("refused: %s (%s)", reason_sentence(client->message.reject.reason),
             client->message.reject.field);
    }
    if (client->message.type != type) {
        fail("an answer of kind %u instead of %u", client->message.type, type);
    }
    if (type == MESSAGE_LOGIN) {
        client->number = client->message.login.highest_cl_ord_id;
    }
}

static uint32_t client_ask(struct client *client, struct request request)
{
    request.cl_ord_id = ++client->number;
    client_send(client, client->bytes,
                codec_encode_request(&request, client->bytes, sizeof client->bytes));
    client_expect(client, MESSAGE_REPORT);
    if (client->message.report.exec_type == EXEC_REJECTED) {
        fail("%s refused: %s", codec_request_name(request.type),
             reason_sentence(client->message.report.reason));
    }
    return client->message.report.id;
}

/* Counts the reports of one message by the array's head; the first is looked at. */
static void client_count(struct client *client)
{
    struct codec_cursor cursor;
    const int length = zmq_recv(client->socket, client->bytes, sizeof client->bytes, 0);
    check(length > 0 && (size_t)length <= sizeof client->bytes, "no report");
    const uint8_t *at = client->bytes;
    const uint32_t count = at[0] == 0xdc            ? (uint32_t)at[1] << 8 | at[2]
                           : (at[0] & 0xf0) == 0x90 ? at[0] & 0x0fU
                                                    : 1;
    cursor = (struct codec_cursor){.at = at + (at[0] == 0xdc            ? 3
                                               : (at[0] & 0xf0) == 0x90 ? 1
                                                                        : 0),
                                   .end = at + length,
                                   .left = count};
    if (codec_decode_next(&cursor, &client->message) != 0 ||
        client->message.type != MESSAGE_REPORT || client->message.report.exec_type != EXEC_NEW) {
        fail("an order was not accepted: %s", client->message.type == MESSAGE_REJECT
                                                  ? reason_sentence(client->message.reject.reason)
                                                  : reason_sentence(client->message.report.reason));
    }
    client->back += count;
}

struct template
{
    size_t length;
    size_t number_at; /* where the eight bytes of cl_ord_id stand */
    uint8_t bytes[ORDER_MAX];
};

static void make_template(struct template *template, uint32_t hour)
{
    char hour_text[HOUR_TEXT_SIZE];
    struct request request = {.type = REQUEST_NEW_ORDER,
                              .cl_ord_id = UINT64_C(0x7172737475767778),
                              .new_order = {.side = SIDE_BUY, .price_e4 = PRICE_E4, .qty = 8}};
    hour_format(hour, hour_text);
    (void)snprintf(request.new_order.symbol, SYMBOL_SIZE, "H100.CN-GZ.G80.%s", hour_text);
    template->length = codec_encode_request(&request, template->bytes, sizeof template->bytes);
    const uint8_t *found = memmem(template->bytes, template->length, "qrstuvwx", 8);
    template->number_at = (size_t)(found - template->bytes);
}

static void send_orders(struct client *client, const struct template *templates, uint32_t count)
{
    uint8_t message[CODEC_ARRAY_HEAD_MAX + 32 * ORDER_MAX];
    size_t length = count > 1 ? codec_encode_array_head((uint16_t)count, message, 3) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct template *template = &templates[client->sent % SYMBOL_HOURS];
        const uint64_t number = __builtin_bswap64(++client->number);
        memcpy(message + length, template->bytes, template->length);
        memcpy(message + length + template->number_at, &number, sizeof number);
        length += template->length;
        client->sent++;
    }
    client_send(client, message, length);
}

static double orders_run(struct client *client, const struct template *templates, uint32_t window,
                         uint32_t per_message, uint32_t total)
{
    client->sent = 0;
    client->back = 0;
    const int64_t start_ns = clock_monotonic_ns();
    while (client->back < total) {
        while (client->sent < total && client->sent - client->back + per_message <= window) {
            send_orders(client, templates, per_message);
        }
        client_count(client);
    }
    const int64_t end_ns = clock_monotonic_ns();
    if (client->back != total) {
        fail("%u reports of %u orders", client->back, total);
    }
    /* The book is emptied off the clock. */
    struct request request = {.type = REQUEST_MASS_CANCEL, .cl_ord_id = ++client->number};
    client_send(client, client->bytes,
                codec_encode_request(&request, client->bytes, sizeof client->bytes));
    bool done = false;
    while (!done) {
        struct codec_cursor cursor;
        const int length = zmq_recv(client->socket, client->bytes, sizeof client->bytes, 0);
        check(length > 0, "no end of the mass cancel");
        (void)codec_decode_begin(&cursor, client->bytes, (size_t)length);
        while (cursor.left > 0) {
            (void)codec_decode_next(&cursor, &client->message);
            done |= client->message.type == MESSAGE_REPORT &&
                    client->message.report.exec_type == EXEC_SWEEP_DONE;
        }
    }
    return (double)total * 1e9 / (double)(end_ns - start_ns);
}

/* --- the market ------------------------------------------------------------------------------------- */

static void open_market(struct client *operator, const struct instance_key * buyer)
{
    struct request request = {.type = REQUEST_REGISTER_CLASS,
                              .register_class = {.name = "H100", .lot = 8}};
    (void)client_ask(operator, request);
    request =
        (struct request){.type = REQUEST_REGISTER_REGION, .register_region = {.name = "CN-GZ"}};
    (void)client_ask(operator, request);
    request =
        (struct request){.type = REQUEST_SET_MARKET,
                         .set_market = {.class_name = "H100",
                                        .region = "CN-GZ",
                                        .launch_price_e4 = {PRICE_E4, PRICE_E4, PRICE_E4, PRICE_E4},
                                        .inner_band_bp = 2000,
                                        .outer_band_bp = 4000,
                                        .mode = MODE_CONTINUOUS}};
    (void)client_ask(operator, request);
    request = (struct request){.type = REQUEST_REGISTER_GROUP, .register_group = {.name = "bench"}};
    const uint32_t group = client_ask(operator, request);
    request =
        (struct request){.type = REQUEST_OPEN_ACCOUNT,
                         .open_account = {.name = "buyer", .group = group, .roles = ROLE_BUYER}};
    const uint32_t account = client_ask(operator, request);
    request = (struct request){
        .type = REQUEST_REGISTER_KEY,
        .register_key = {.name = "buyer", .account = account, .roles = ROLE_BUYER}};
    (void)codec_key_parse(buyer->public_text, CODEC_PUBLIC_KEY_TEXT,
                          request.register_key.public_key);
    (void)client_ask(operator, request);
    request = (struct request){.type = REQUEST_DEPOSIT,
                               .cash = {.account = account, .amount_e4 = MONEY_MAX_E4 / 4}};
    (void)client_ask(operator, request);
}

static const char config[] = "[exchange]\n"
                             "durability = sync\n"
                             "orders = 1000000\n"
                             "[genesis]\n"
                             "rate_limit = 4000000000\n"
                             "open_orders_limit = 4000000000\n"
                             "[replica]\n"
                             "[gateway.plain]\n"
                             "curve = no\n"
                             "messages_per_second = 100000000\n"
                             "requests_per_second = 100000000\n"
                             "[gateway.curve]\n"
                             "messages_per_second = 100000000\n"
                             "requests_per_second = 100000000\n";

struct measure {
    const char *name;
    bool curve;
    uint32_t window;
    uint32_t per_message;
    uint32_t orders;
    double rates[RUNS];
    double ratios[RUNS];
};

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double values[RUNS])
{
    double sorted[RUNS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, RUNS, sizeof *sorted, compare);
    return sorted[RUNS / 2];
}

static void measure_all(void *zmq, struct measure *measures, size_t count,
                        const struct instance_key *buyer)
{
    static struct template templates[SYMBOL_HOURS];
    static struct client clients[2];
    static struct echo echo;
    const uint32_t now_hour = (uint32_t)(clock_realtime_ns() / NS_PER_HOUR);
    for (uint32_t i = 0; i < SYMBOL_HOURS; i++) {
        make_template(&templates[i], now_hour + 24 + i);
    }
    echo_start(&echo, zmq);
    for (int run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < count; i++) {
            struct measure *measure = &measures[i];
            struct client *client = &clients[measure->curve ? 1 : 0];
            const double floor = echo_run(&echo, measure->window, measure->orders);
            /* One session a key: each change of gateway is a login. */
            client_open(client, zmq, measure->curve ? "gateway.curve" : "gateway.plain",
                        measure->curve, buyer);
            client_expect(client, MESSAGE_LOGIN);
            client->number = client->number < NUMBER_BASE ? NUMBER_BASE : client->number;
            measure->rates[run] = orders_run(client, templates, measure->window,
                                             measure->per_message, measure->orders);
            measure->ratios[run] = measure->rates[run] / floor;
            (void)zmq_close(client->socket);
        }
    }
    echo_end(&echo);
}

int main(int argc, char **argv)
{
    (void)argc;
    struct measure measures[] = {
        {.name = "plain", .window = 1, .per_message = 1, .orders = 2000},
        {.name = "plain", .window = 64, .per_message = 32, .orders = 64000},
        {.name = "plain", .window = 1000, .per_message = 1, .orders = 100000},
        {.name = "plain", .window = 1000, .per_message = 32, .orders = 320000},
        {.name = "CURVE", .curve = true, .window = 1, .per_message = 1, .orders = 2000},
        {.name = "CURVE", .curve = true, .window = 64, .per_message = 32, .orders = 64000},
        {.name = "CURVE", .curve = true, .window = 1000, .per_message = 1, .orders = 100000},
        {.name = "CURVE", .curve = true, .window = 1000, .per_message = 32, .orders = 320000},
    };
    const size_t count = sizeof measures / sizeof *measures;
    static struct client operator;
    struct instance_key buyer;
    void *zmq = zmq_ctx_new();
    instance_make(&instance, argv[0], config);
    is_made = true;
    instance_key(&buyer);
    instance_start(&instance, "exchange", NULL, "exchange");
    instance_start(&instance, "replica", NULL, "replica");
    instance_start(&instance, "gateway", "plain", "gateway.plain");
    instance_start(&instance, "gateway", "curve", "gateway.curve");
    client_open(&operator, zmq, "gateway.curve", true, &instance.operator_key);
    client_expect(&operator, MESSAGE_LOGIN);
    open_market(&operator, & buyer);
    (void)zmq_close(operator.socket);
    measure_all(zmq, measures, count, &buyer);
    (void)printf("gateway: orders durably acknowledged over a bare durable ZeroMQ echo, "
                 "medians of %d paired runs\n",
                 RUNS);
    (void)printf("%-6s  %6s  %9s  %10s  %10s  %6s\n", "", "window", "a message", "echo /s",
                 "orders /s", "ratio");
    for (size_t i = 0; i < count; i++) {
        const struct measure *measure = &measures[i];
        (void)printf("%-6s  %6u  %9u  %10.0f  %10.0f  %6.3f\n", measure->name, measure->window,
                     measure->per_message, median(measure->rates) / median(measure->ratios),
                     median(measure->rates), median(measure->ratios));
    }
    instance_end(&instance);
    (void)zmq_ctx_term(zmq);
    return 0;
}
