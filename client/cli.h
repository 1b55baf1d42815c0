/* What every `kashi` command works with: its arguments, its session at a gateway, how it prints and
 * how it ends. One thread. */
#ifndef KASHI_CLIENT_CLI_H
#define KASHI_CLIENT_CLI_H

#include "client/arguments.h"
#include "client/kashi.h"
#include "client/symbol.h"
#include "client/table.h"

enum cli_status { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2, CLI_NO_CONNECTION = 3 };

struct cli {
    struct arguments arguments;
    enum table_form form;
    void *zmq;
    struct kashi_key key;
    char gateway_key[CODEC_PUBLIC_KEY_TEXT + 1];
    char endpoint[ENDPOINT_SIZE];
    struct kashi_session *session;
    int64_t now_ns;     /* the exchange's time, the machine's before the login */
    int64_t timeout_ns; /* without any answer */
    struct error error;
};

/* Tables of all commands, each ended by an entry without a name. */
extern const struct arguments_command command_order_list[];
extern const struct arguments_command command_read_list[];
extern const struct arguments_command command_market_list[];
extern const struct arguments_command command_admin_list[];
extern const struct arguments_command command_import_list[];
extern const struct arguments_command command_key_list[];

/* Fills as tables show them. */
#define CLI_FILL_COLUMN_COUNT 9
extern const struct table_column cli_fill_columns[CLI_FILL_COLUMN_COUNT];

/* Each of these returns an enum cli_status and, unless it is CLI_DONE, has said why on stderr (a
 * refusal with --json on stdout too). */

/* "new", "partially_filled", … as the protocol and kashi orders say it; "" for a number that is none. */
const char *cli_status(uint8_t ord_status);
/* Name of the phase of a contract's hour, or of an auction; NULL: it has none. */
const char *cli_phase(uint8_t phase);
/* The same for people: "pre-open", "HALTED". */
void cli_print_phase(uint8_t phase);
/* "nearest: 12 of 64 GPUs at your limit in H100.CN-GZ.G80 from 2026-11-21T14Z", a line. */
void cli_print_miss(FILE *out, const char *symbol, int64_t qty, int64_t wanted_qty);
/* "  opening auction until 12:00:00Z, now 8 × 16.40"; nothing where none collects. */
void cli_print_auction(const struct auction_view *auction);

/* cli->error as wrong usage of the command. */
int cli_usage(const struct cli *cli);
/* cli->error as no connection. */
int cli_lost(const struct cli *cli);
/* `what` of the request was refused and `why`; a refusal by field quotes what the request says there. */
int cli_refused(const struct cli *cli, const struct request *request, const char *what,
                uint16_t reason, const struct message *why);
/* Logs in at the gateway that the options, the environment or the folder name. */
int cli_connect(struct cli *cli);
void cli_free(struct cli *cli);
/* The session's next message; it stays valid until the next call. */
int cli_receive(struct cli *cli, const struct message **message);
/* Sends one request and waits for its own answer; a refusal of it is CLI_REFUSED. What the market
 * cannot answer just now (EXCHANGE_UNREACHABLE, REPLICA_UNREACHABLE, LAGGING) is asked again for three
 * seconds: none of these has used up the request's number. */
int cli_ask(struct cli *cli, struct request *request, const struct message **answer);
/* Whether the message answers the request. */
bool cli_answers(const struct request *request, const struct message *message);

/* An endpoint that an option gives or a process of the market's folder has written. */
int cli_endpoint(struct cli *cli, const char *option, const char *process, const char *key,
                 char endpoint[ENDPOINT_SIZE]);
/* The option --resource (an id, or 算力标识) as an id; asks the exchange for the latter. */
int cli_resource(struct cli *cli, const char *text, uint32_t *resource);
/* The symbol that the options give, whole or in parts. */
int cli_symbol(struct cli *cli, char symbol[SYMBOL_SIZE]);
/* One object a line on stdout. */
void cli_print_json(json_t *object);

#endif
