#include "client/cli.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "client/decimal.h"
#include "client/message_json.h"
#include "client/refusal.h"
#include "wire/codec_names.h"

#define FOLDER_LENGTH_MAX 160 /* leaves room for names behind it */
/* For so long, and so often, is asked again what the market cannot answer just now. */
#define PATIENCE_NS    (3 * NS_PER_SECOND)
#define AGAIN_PAUSE_MS 100

const struct table_column cli_fill_columns[CLI_FILL_COLUMN_COUNT] = {
    {"FILL", "exec_id", TABLE_NUMBER},      {"SYMBOL", "symbol", TABLE_TEXT},
    {"QTY", "last_qty", TABLE_NUMBER},      {"PRICE", "last_px_e4", TABLE_MONEY},
    {"FEE", "fee_e4", TABLE_MONEY},         {"LIQUIDITY", "liquidity", TABLE_TEXT},
    {"TIER", "trade_tier", TABLE_TEXT},     {"RESOURCE", "resource", TABLE_NUMBER},
    {"GROUP", "trade_group", TABLE_NUMBER},
};

int cli_usage(const struct cli *cli)
{
    (void)fprintf(stderr, "kashi %s: %s\n", cli->arguments.command->name, cli->error.text);
    return CLI_USAGE;
}

int cli_lost(const struct cli *cli)
{
    (void)fprintf(stderr, "kashi %s: no connection: %s\n", cli->arguments.command->name,
                  cli->error.text);
    return CLI_NO_CONNECTION;
}

int cli_refused(const struct cli *cli, const struct request *request, const char *what,
                uint16_t reason, const struct message *why)
{
    (void)fflush(stdout);
    refusal_print(request, what, reason, why);
    if (cli->form == TABLE_JSON && why != NULL) {
        cli_print_json(message_json(why));
    }
    return CLI_REFUSED;
}

void cli_print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    json_decref(object);
}

/* An option, else the environment, else `otherwise`. */
static const char *setting(const struct cli *cli, const char *option, const char *variable,
                           const char *otherwise)
{
    const char *text = arguments_get(&cli->arguments, option);
    if (text == NULL && variable != NULL) {
        text = getenv(variable);
    }
    return text != NULL && text[0] != '\0' ? text : otherwise;
}

static int folder(struct cli *cli, const char **dir)
{
    *dir = setting(cli, "dir", "KASHI_DIR", "run");
    if (strlen(*dir) > FOLDER_LENGTH_MAX) {
        return error_set(&cli->error, ERROR_INVALID,
                         "--dir: the path has more than %d bytes; give a shorter or relative one",
                         FOLDER_LENGTH_MAX);
    }
    return 0;
}

/* What a process of the market's folder has written; `option` would say it instead. */
static int endpoint_written(struct cli *cli, const char *option, const char *process,
                            const char *key, char endpoint[ENDPOINT_SIZE])
{
    const char *dir;
    if (folder(cli, &dir) < 0) {
        return cli_usage(cli);
    }
    char name[FOLDER_LENGTH_MAX + 64];
    (void)snprintf(name, sizeof(name), "%s/%s", dir, process);
    if (endpoints_read(name, key, endpoint, &cli->error) < 0) {
        error_context(&cli->error,
                      "start a market (make run), name its folder with --dir, or give --%s "
                      "tcp://HOST:PORT",
                      option);
        return cli_lost(cli);
    }
    return CLI_DONE;
}

int cli_endpoint(struct cli *cli, const char *option, const char *process, const char *key,
                 char endpoint[ENDPOINT_SIZE])
{
    const char *given = arguments_get(&cli->arguments, option);
    if (given == NULL) {
        return endpoint_written(cli, option, process, key, endpoint);
    }
    (void)snprintf(endpoint, ENDPOINT_SIZE, "%s", given);
    return CLI_DONE;
}

/* Where the gateway is: an endpoint as given, or that of a gateway of the folder. */
static int find_gateway(struct cli *cli)
{
    const char *given = setting(cli, "gateway", "KASHI_GATEWAY", NULL);
    const char *dir;
    if (given != NULL && strstr(given, "://") != NULL) {
        (void)snprintf(cli->endpoint, sizeof(cli->endpoint), "%s", given);
        return CLI_DONE;
    }
    if (folder(cli, &dir) < 0) {
        return cli_usage(cli);
    }
    if (given != NULL) {
        char name[64];
        (void)snprintf(name, sizeof(name), "gateway.%.32s", given);
        return endpoint_written(cli, "gateway", name, "clients", cli->endpoint);
    }
    char pattern[FOLDER_LENGTH_MAX + 32];
    (void)snprintf(pattern, sizeof(pattern), "%s/gateway.*.endpoints", dir);
    glob_t found;
    int status = CLI_NO_CONNECTION;
    if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0 &&
        strlen(found.gl_pathv[0]) < FILE_PATH_SIZE - 16) {
        char name[FILE_PATH_SIZE];
        const char *path = found.gl_pathv[0];
        size_t length = strlen(path) - strlen(".endpoints");
        memcpy(name, path, length);
        name[length] = '\0';
        status = CLI_DONE;
        if (endpoints_read(name, "clients", cli->endpoint, &cli->error) < 0) {
            status = cli_lost(cli);
        }
    } else {
        error_set(
            &cli->error, ERROR_NOT_FOUND,
            "no gateway is running in folder '%s'; start a market (make run), name its folder "
            "with --dir, or give --gateway tcp://HOST:PORT",
            dir);
        cli_lost(cli);
    }
    globfree(&found);
    return status;
}

static int find_keys(struct cli *cli)
{
    const char *name = setting(cli, "key", "KASHI_KEY", NULL);
    const char *gateway = arguments_get(&cli->arguments, "gateway-key");
    const char *dir;
    char path[FOLDER_LENGTH_MAX + 96];
    if (folder(cli, &dir) < 0) {
        return cli_usage(cli);
    }
    if (name == NULL) {
        error_set(&cli->error, ERROR_INVALID,
                  "which key do you log in with? Give its file with --key FILE or in KASHI_KEY; "
                  "those of this market are in %s/keys",
                  dir);
        return cli_usage(cli);
    }
    (void)snprintf(path, sizeof(path), "%s/keys/%.64s.key", dir, name);
    bool named = access(name, F_OK) != 0;
    if (named && access(path, F_OK) != 0) {
        error_set(&cli->error, ERROR_NOT_FOUND,
                  "--key: there is neither a file '%s' nor '%s'; make a key with kashi keygen, or "
                  "name the market's folder with --dir",
                  name, path);
        return cli_usage(cli);
    }
    if (kashi_key_load(&cli->key, named ? path : name, &cli->error) < 0) {
        error_context(&cli->error, "--key");
        return cli_usage(cli);
    }
    uint8_t bytes[PUBLIC_KEY_SIZE];
    if (gateway != NULL && codec_key_parse(gateway, strlen(gateway), bytes)) {
        memcpy(cli->gateway_key, gateway, sizeof(cli->gateway_key));
        return CLI_DONE;
    }
    if (gateway != NULL && strcmp(gateway, "none") == 0) {
        return CLI_DONE; /* a gateway without CURVE, as measurements use it */
    }
    (void)snprintf(path, sizeof(path), "%s/keys/gateway.pub", dir);
    if (kashi_key_load_public(cli->gateway_key, gateway != NULL ? gateway : path, &cli->error) <
        0) {
        error_context(&cli->error, "the gateway's public key (give --gateway-key FILE)");
        return cli_usage(cli);
    }
    return CLI_DONE;
}

static int64_t deadline(const struct cli *cli)
{
    return clock_monotonic_ns() + cli->timeout_ns;
}

/* What passes by itself while a process of the market is started again. */
static bool reason_passes(uint16_t reason)
{
    return reason == REASON_EXCHANGE_UNREACHABLE || reason == REASON_REPLICA_UNREACHABLE ||
           reason == REASON_LAGGING;
}

static int log_in(struct cli *cli)
{
    int64_t deadline_ns = deadline(cli);
    int64_t patience_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (kashi_session_state(cli->session) != KASHI_SESSION_READY) {
        const struct message *message;
        int rc = kashi_session_next(cli->session, &message, &cli->error);
        const char *trouble = kashi_session_trouble(cli->session);
        if (rc < 0) {
            (void)fprintf(stderr, "refused: login at %s: %s\n", cli->endpoint, cli->error.text);
            return CLI_REFUSED;
        }
        int64_t now_ns = clock_monotonic_ns();
        bool passes = strcmp(trouble, reason_sentence(REASON_EXCHANGE_UNREACHABLE)) == 0;
        if ((trouble[0] != '\0' && !(passes && now_ns < patience_ns)) || now_ns >= deadline_ns) {
            error_set(&cli->error, ERROR_LOST, "gateway %s: %s", cli->endpoint,
                      trouble[0] != '\0' ? trouble
                                         : "no answer; is the key registered (kashi admin key)?");
            return cli_lost(cli);
        }
        kashi_session_wait(cli->session, 50);
    }
    const struct login_answer *login = kashi_session_login(cli->session);
    cli->now_ns = login->transact_time_ns != 0 ? login->transact_time_ns : cli->now_ns;
    return CLI_DONE;
}

int cli_connect(struct cli *cli)
{
    int status = find_keys(cli);
    if (status == CLI_DONE) {
        status = find_gateway(cli);
    }
    if (status != CLI_DONE) {
        return status;
    }
    struct kashi_session_config config = {
        .zmq_context = cli->zmq,
        .endpoint = cli->endpoint,
        .gateway_key = cli->gateway_key[0] != '\0' ? cli->gateway_key : NULL,
        .key = &cli->key,
        .monitor = true,
    };
    if (kashi_session_open(&cli->session, &config, &cli->error) < 0) {
        return cli_usage(cli);
    }
    return log_in(cli);
}

void cli_free(struct cli *cli)
{
    kashi_session_close(cli->session);
    cli->session = NULL;
    if (cli->zmq != NULL) {
        zmq_ctx_term(cli->zmq);
        cli->zmq = NULL;
    }
}

int cli_receive(struct cli *cli, const struct message **message)
{
    int64_t deadline_ns = deadline(cli);
    for (;;) {
        int rc = kashi_session_next(cli->session, message, &cli->error);
        if (rc == 1) {
            return CLI_DONE;
        }
        if (rc < 0) {
            return cli_lost(cli);
        }
        if (clock_monotonic_ns() >= deadline_ns) {
            error_set(&cli->error, ERROR_LOST,
                      "gateway %s: no answer within %lld s; what was sent may yet be carried out "
                      "(kashi orders shows it)",
                      cli->endpoint, (long long)(cli->timeout_ns / NS_PER_SECOND));
            return cli_lost(cli);
        }
        kashi_session_wait(cli->session, 1000);
    }
}

bool cli_answers(const struct request *request, const struct message *message)
{
    switch (message->type) {
    case MESSAGE_REPORT:
        return request->cl_ord_id != 0 && message->report.cl_ord_id == request->cl_ord_id;
    case MESSAGE_REJECT:
        return (request->cl_ord_id != 0 && message->reject.cl_ord_id == request->cl_ord_id) ||
               (request->ref != 0 && message->reject.ref == request->ref);
    case MESSAGE_ORDER_STATUS:
        return request->ref != 0 ? message->order_status.ref == request->ref
                                 : request->cl_ord_id != 0 &&
                                       message->order_status.cl_ord_id == request->cl_ord_id;
    case MESSAGE_ORDERS:
        return message->orders.ref == request->ref;
    case MESSAGE_TRADES:
        return message->trades.ref == request->ref;
    case MESSAGE_BOOK:
        return message->book.ref == request->ref;
    case MESSAGE_ACCOUNT:
        return message->account.ref == request->ref;
    case MESSAGE_REPORTS:
        return message->reports.ref == request->ref;
    case MESSAGE_QUOTE:
        return message->quote.ref == request->ref;
    default:
        return request->ref != 0 && message->list.ref == request->ref;
    }
}

/* Sends the request once and waits for its own answer. */
static int ask_once(struct cli *cli, struct request *request, const struct message **answer)
{
    request->ref = 0;
    if (kashi_session_send(cli->session, request, 1, &cli->error) < 0) {
        return cli_lost(cli);
    }
    do {
        int status = cli_receive(cli, answer);
        if (status != CLI_DONE) {
            return status;
        }
    } while (!cli_answers(request, *answer));
    return CLI_DONE;
}

/* "order 4294967297" of a request that names one, for its refusal. */
static void what_asked(const struct request *request, char *text, size_t size)
{
    uint64_t order_id = request->type == REQUEST_CANCEL_ORDER    ? request->cancel_order.order_id
                        : request->type == REQUEST_REPLACE_ORDER ? request->replace_order.order_id
                        : request->type == REQUEST_TAKE_OFFER    ? request->take_offer.order_id
                        : request->type == REQUEST_ORDER_STATUS  ? request->order_status.order_id
                                                                 : 0;
    text[0] = '\0';
    if (order_id != 0) {
        (void)snprintf(text, size, "order %llu", (unsigned long long)order_id);
    }
}

int cli_ask(struct cli *cli, struct request *request, const struct message **answer)
{
    const uint64_t number = request->cl_ord_id;
    int64_t patience_ns = 0; /* counted from the first such answer */
    for (;;) {
        request->cl_ord_id = number;
        int status = ask_once(cli, request, answer);
        if (status != CLI_DONE) {
            return status;
        }
        if ((*answer)->type != MESSAGE_REJECT || !reason_passes((*answer)->reject.reason)) {
            break;
        }
        int64_t now_ns = clock_monotonic_ns();
        patience_ns = patience_ns == 0 ? now_ns + PATIENCE_NS : patience_ns;
        if (now_ns >= patience_ns) {
            break;
        }
        zmq_poll(NULL, 0, AGAIN_PAUSE_MS);
    }
    char what[32];
    what_asked(request, what, sizeof(what));
    if ((*answer)->type == MESSAGE_REJECT) {
        return cli_refused(cli, request, what, (*answer)->reject.reason, *answer);
    }
    if ((*answer)->type == MESSAGE_REPORT && (*answer)->report.exec_type == EXEC_REJECTED) {
        return cli_refused(cli, request, what, (*answer)->report.reason, *answer);
    }
    return CLI_DONE;
}

int cli_resource(struct cli *cli, const char *text, uint32_t *resource)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && number > 0 && number <= UINT32_MAX) {
        *resource = (uint32_t)number;
        return CLI_DONE;
    }
    struct request request = {.type = REQUEST_LIST, .list.what = LIST_RESOURCES};
    const struct message *answer;
    do {
        int status = cli_ask(cli, &request, &answer);
        if (status != CLI_DONE) {
            return status;
        }
        for (uint32_t i = 0; i < answer->list.count; i++) {
            request.list.after = answer->list.resources[i].id;
            if (strcmp(answer->list.resources[i].identifier, text) == 0) {
                *resource = answer->list.resources[i].id;
                return CLI_DONE;
            }
        }
    } while (answer->list.more && answer->list.count > 0);
    error_set(&cli->error, ERROR_INVALID,
              "--resource: '%s' is neither an id nor a registered identifier (算力标识); "
              "kashi list resources shows them",
              text);
    return cli_usage(cli);
}

int cli_symbol(struct cli *cli, char symbol[SYMBOL_SIZE])
{
    const struct symbol_parts parts = {
        .dashes = "--",
        .whole = arguments_get(&cli->arguments, "symbol"),
        .class_name = arguments_get(&cli->arguments, "class"),
        .region = arguments_get(&cli->arguments, "region"),
        .tier = arguments_get(&cli->arguments, "tier"),
        .hour = arguments_get(&cli->arguments, "hour"),
    };
    return symbol_complete(&parts, cli->now_ns, symbol, &cli->error) < 0 ? cli_usage(cli)
                                                                         : CLI_DONE;
}

const char *cli_status(uint8_t ord_status)
{
    const struct codec_names *names = &codec_names_ord_status;
    const char *text = ord_status < names->count ? names->names[ord_status].text : NULL;
    return text != NULL ? text : "";
}

/* --- auctions -------------------------------------------------------------------------------- */

const char *cli_phase(uint8_t phase)
{
    return phase < codec_names_phase.count ? codec_names_phase.names[phase].text : NULL;
}

void cli_print_miss(FILE *out, const char *symbol, int64_t qty, int64_t wanted_qty)
{
    uint32_t hour;
    char from[SYMBOL_HOUR_SIZE] = "";
    if (symbol[0] == '\0' || !symbol_hour(symbol, &hour)) {
        (void)fprintf(out, "nearest: none of %lld GPUs at your limit\n", (long long)wanted_qty);
        return;
    }
    symbol_hour_show(hour, from);
    (void)fprintf(out, "nearest: %lld of %lld GPUs at your limit in %.*s from %s\n", (long long)qty,
                  (long long)wanted_qty, (int)(strrchr(symbol, '.') - symbol), symbol, from);
}

void cli_print_phase(uint8_t phase)
{
    const char *text = cli_phase(phase);
    printf("%s", phase == PHASE_PRE_OPEN ? "pre-open"
                 : phase == PHASE_HALTED ? "HALTED"
                 : text == NULL          ? "phase not known"
                                         : text);
}

void cli_print_auction(const struct auction_view *auction)
{
    const char *phase = cli_phase(auction->phase);
    if (phase == NULL || auction->end_ns == 0 || auction->phase > PHASE_VOLATILITY) {
        return;
    }
    char utc[CLOCK_TEXT_SIZE];
    clock_format_utc(auction->end_ns, utc);
    printf("  %s auction until %.8sZ", phase, utc + 11);
    if (auction->indicative_qty != 0) {
        char price[DECIMAL_TEXT_SIZE];
        decimal_format(auction->indicative_e4, DECIMAL_E4_PLACES, 2, price);
        printf(", now %lld × %s", (long long)auction->indicative_qty, price);
    }
}
