#include <string.h>
#include <unistd.h>

#include "client/cli.h"
#include "client/fields.h"
#include "client/message_json.h"

/* What was done: the id that it gave, or the cash that there is now. */
static void print_answer(const struct cli *cli, const struct message *answer)
{
    const struct report *report = &answer->report;
    if (cli->form == TABLE_JSON) {
        cli_print_json(message_json(answer));
    } else if (answer->type == MESSAGE_REPORT && (report->cash_e4 != 0 || report->credit_e4 != 0)) {
        static const struct table_column columns[] = {{"ACCOUNT", "account", TABLE_NUMBER},
                                                      {"CASH", "cash_e4", TABLE_MONEY},
                                                      {"CREDIT", "credit_e4", TABLE_MONEY}};
        struct table table;
        json_t *json = message_json(answer);
        table_begin(&table, stdout, cli->form, columns, 3);
        table_row(&table, json);
        table_end(&table, "");
        json_decref(json);
    } else if (answer->type == MESSAGE_REPORT && report->id != 0) {
        printf("done, id %u\n", report->id);
    } else {
        printf("done\n");
    }
}

/* Fills an operator's request from the protocol's own table of its fields, and sends it. */
static int send_filled(struct cli *cli, struct request *request)
{
    const struct message *answer;
    if (fields_fill(&cli->arguments, cli->now_ns, request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    int status = cli_connect(cli);
    if (status == CLI_DONE) {
        status = cli_ask(cli, request, &answer);
    }
    if (status == CLI_DONE) {
        print_answer(cli, answer);
    }
    return status;
}

static int run_admin(struct cli *cli)
{
    struct request request = {.type = cli->arguments.command->request};
    return send_filled(cli, &request);
}

/* Whether the text is a public key, or names a file that might hold one. */
static bool is_key(const char *text)
{
    uint8_t bytes[PUBLIC_KEY_SIZE];
    return codec_key_parse(text, strlen(text), bytes) || access(text, F_OK) == 0;
}

/* A single word without its option may be the key instead of its name. */
static int run_key(struct cli *cli)
{
    struct arguments *arguments = &cli->arguments;
    bool given = arguments_given(arguments, "public-key");
    for (uint32_t i = 0; i < arguments->count && !given; i++) {
        struct arguments_value *value = &arguments->values[i];
        given = strcmp(value->name, "name") == 0 && is_key(value->text);
        if (given) {
            (void)snprintf(value->name, sizeof(value->name), "public-key");
        }
    }
    return run_admin(cli);
}

/* --key names the operator's own key file here; the key to revoke goes by another name. */
static int run_revoke(struct cli *cli)
{
    struct request request = {.type = REQUEST_REVOKE_KEY};
    int64_t key = 0;
    if (arguments_number(&cli->arguments, "key-id", 1, UINT32_MAX, &key, &cli->error) < 0) {
        return cli_usage(cli);
    }
    if (key == 0) {
        error_set(&cli->error, ERROR_INVALID, "which key? Give its id; kashi list keys shows them");
        return cli_usage(cli);
    }
    request.revoke_key.key = (uint32_t)key;
    return send_filled(cli, &request);
}

/* The terms that the market has; *found: whether there is one. */
static int market_terms(struct cli *cli, struct request_set_market *terms, bool *found)
{
    struct request request = {.type = REQUEST_LIST, .list.what = LIST_MARKETS};
    const struct message *answer;
    *found = false;
    do {
        int status = cli_ask(cli, &request, &answer);
        if (status != CLI_DONE) {
            return status;
        }
        for (uint32_t i = 0; i < answer->list.count; i++) {
            const struct market_row *row = &answer->list.markets[i];
            request.list.after = row->id;
            if (strcmp(row->class_name, terms->class_name) != 0 ||
                strcmp(row->region, terms->region) != 0) {
                continue;
            }
            *found = true;
            terms->inner_band_bp = row->inner_band_bp;
            terms->outer_band_bp = row->outer_band_bp;
            terms->opening_s = row->opening_s;
            terms->volatility_s = row->volatility_s;
            terms->period_s = row->period_s;
            terms->volatility_min_qty = row->volatility_min_qty;
            terms->random_end_s = row->random_end_s;
            terms->mode = row->mode;
            terms->no_resale = row->no_resale;
            terms->names_shown = row->names_shown;
            memcpy(terms->launch_price_e4, row->launch_price_e4, sizeof(row->launch_price_e4));
        }
    } while (answer->list.more && answer->list.count > 0 && !*found);
    return CLI_DONE;
}

/* The exchange takes all terms at once; those that are not given are the market's present ones. */
static int run_market(struct cli *cli)
{
    static const char *const needed[] = {"class", "region", NULL};
    const struct arguments *arguments = &cli->arguments;
    struct request request = {.type = REQUEST_SET_MARKET};
    const struct message *answer;
    bool found = false;
    if (fields_fill_over(arguments, needed, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    int status = cli_connect(cli);
    if (status == CLI_DONE) {
        status = market_terms(cli, &request.set_market, &found);
    }
    if (status != CLI_DONE) {
        return status;
    }
    /* A market's first terms name all that the protocol requires. */
    if (fields_fill_over(arguments, found ? needed : NULL, cli->now_ns, &request, &cli->error) <
        0) {
        return cli_usage(cli);
    }
    if (arguments_given(arguments, "resale")) {
        request.set_market.no_resale = 0;
    }
    if (arguments_given(arguments, "names-hidden")) {
        request.set_market.names_shown = 0;
    }
    status = cli_ask(cli, &request, &answer);
    if (status == CLI_DONE) {
        print_answer(cli, answer);
    }
    return status;
}

/* Without an account the kill switch stops everyone: that has to be said aloud. */
static int run_kill(struct cli *cli)
{
    if (arguments_given(&cli->arguments, "account") == arguments_given(&cli->arguments, "all")) {
        error_set(&cli->error, ERROR_INVALID,
                  "give --account N, or --all for every account but operators'");
        return cli_usage(cli);
    }
    return run_admin(cli);
}

static const struct arguments_option kill_options[] = {
    {"account", "N", "this account"},
    {"all", NULL, "every account but operators'"},
    {NULL, NULL, NULL},
};
static const struct arguments_option market_options[] = {
    {"mode", "MODE", "none, continuous, auction or listing; a new market needs it and both bands"},
    {"launch-price-g0", "YUAN", "reference price of tier G0 until there is a trade; 0: none"},
    {"launch-price-g50", "YUAN", "of G50"},
    {"launch-price-g80", "YUAN", "of G80"},
    {"launch-price-g100", "YUAN", "of G100"},
    {"inner-band-bp", "N", "trades outside this share of the reference do not happen (2000: 20 %)"},
    {"outer-band-bp", "N", "orders outside it are refused"},
    {"opening-s", "N", "an hour begins with an auction of so many seconds from its first order"},
    {"period-s", "N", "mode auction: clears at every whole multiple of so many seconds"},
    {"volatility-s", "N", "an order that would trade outside the inner band begins an auction"},
    {"volatility-min-qty", "N", "… if it has so many GPUs left; smaller ones are cut off"},
    {"random-end-s", "N", "auctions end up to so many seconds later, by chance"},
    {"resale", NULL, "takes --no-resale back"},
    {"names-hidden", NULL, "takes --names-shown back"},
    {NULL, NULL, NULL},
};
static const struct arguments_option key_options[] = {
    {"name", "TEXT", "for people"},
    {"public-key", "KEY|FILE", "40 characters, or the owner's .pub file"},
    {NULL, NULL, NULL},
};
static const struct arguments_option advance_options[] = {
    {"delta", "SECONDS", "at most 60"},
    {NULL, NULL, NULL},
};
static const struct arguments_option fees_options[] = {
    {"maker-bp", "N", "basis points for the resting order"},
    {"taker-bp", "N", "for the arriving one"},
    {NULL, NULL, NULL},
};

const struct arguments_command command_admin_list[] = {
    {.name = "admin class",
     .summary = "Register an accelerator class.",
     .positional = {"name"},
     .request = REQUEST_REGISTER_CLASS,
     .examples = {"H100 --lot 8 --memory-gib 80 --bf16-gflops 989000 --host-power-w 1275"},
     .run = run_admin},
    {.name = "admin region",
     .summary = "Register a price region.",
     .positional = {"name"},
     .request = REQUEST_REGISTER_REGION,
     .examples = {"CN-GZ --grid-g-per-kwh 498.00 --carbon-free-bp 3500"},
     .run = run_admin},
    {.name = "admin market",
     .summary =
         "Open a market of a class in a region, or change its terms; what is not given stays.",
     .positional = {"class", "region"},
     .options = market_options,
     .request = REQUEST_SET_MARKET,
     .examples = {"H100 CN-GZ --mode continuous --inner-band-bp 2000 --outer-band-bp 5000 "
                  "--launch-price-g0 13.01",
                  "H100 CN-GZ --mode auction --period-s 900 --random-end-s 30 --inner-band-bp 2000 "
                  "--outer-band-bp 5000 --launch-price-g0 13.01",
                  "H100 CN-GZ --mode listing --names-shown --inner-band-bp 2000 --outer-band-bp "
                  "5000 --launch-price-g0 13.01",
                  "H100 CN-GZ --opening-s 600"},
     .run = run_market},
    {.name = "admin group",
     .summary = "Register an ownership group.",
     .positional = {"name"},
     .request = REQUEST_REGISTER_GROUP,
     .examples = {"贵安云"},
     .run = run_admin},
    {.name = "admin account",
     .summary = "Open an account.",
     .positional = {"name"},
     .request = REQUEST_OPEN_ACCOUNT,
     .examples = {"贵安数据中心 --group 2 --roles provider,buyer"},
     .run = run_admin},
    {.name = "admin key",
     .summary = "Register a key with an account.",
     .positional = {"name", "public-key"},
     .options = key_options,
     .request = REQUEST_REGISTER_KEY,
     .examples = {"desk-1 desk.pub --account 3 --roles buyer",
                  "desk.pub --account 3 --roles buyer --name desk-1"},
     .run = run_key},
    {.name = "admin revoke",
     .summary = "Revoke a key; its session and orders end.",
     .positional = {"key-id"},
     .options = (const struct arguments_option[]){{"key-id", "N", "as kashi list keys shows it"},
                                                  {NULL, NULL, NULL}},
     .request = REQUEST_REVOKE_KEY,
     .hidden = (const char *const[]){"key", NULL},
     .examples = {"12"},
     .run = run_revoke},
    {.name = "admin resource",
     .summary = "Register a resource: one fabric island of one provider.",
     .positional = {"identifier"},
     .request = REQUEST_REGISTER_RESOURCE,
     .examples = {"算力标识.86.520900.001 --account 2 --class H100 --region CN-GZ --tier G80 "
                  "--gpus 64 --pue 1.20 --node 贵安"},
     .run = run_admin},
    {.name = "admin fees",
     .summary = "Register a fee schedule.",
     .options = fees_options,
     .request = REQUEST_REGISTER_FEES,
     .examples = {"--maker-bp 10 --taker-bp 20"},
     .run = run_admin},
    {.name = "admin limits",
     .summary = "Set an account's limits; what is not given stays.",
     .positional = {"account"},
     .request = REQUEST_SET_LIMITS,
     .examples = {"3 --rate-limit 1000 --open-orders-limit 50000"},
     .run = run_admin},
    {.name = "admin deposit",
     .summary = "Book cash into an account.",
     .positional = {"account", "amount"},
     .request = REQUEST_DEPOSIT,
     .examples = {"3 100000.00 --reference bank-20261121-17"},
     .run = run_admin},
    {.name = "admin withdraw",
     .summary = "Book cash out of an account.",
     .positional = {"account", "amount"},
     .request = REQUEST_WITHDRAW,
     .examples = {"3 5000.00 --reference bank-20261121-18"},
     .run = run_admin},
    {.name = "admin credit",
     .summary = "Set an account's credit limit.",
     .positional = {"account", "amount"},
     .request = REQUEST_SET_CREDIT,
     .examples = {"3 20000.00"},
     .run = run_admin},
    {.name = "admin reference",
     .summary = "Set the reference price of a lane.",
     .positional = {"class", "region", "tier"},
     .request = REQUEST_SET_REFERENCE,
     .examples = {"H100 CN-GZ G80 --price 16.40 --day 2026-11-21"},
     .run = run_admin},
    {.name = "admin halt",
     .summary = "Halt markets: no new orders; cancels still work.",
     .positional = {"class", "region"},
     .request = REQUEST_HALT,
     .examples = {"", "H100 CN-GZ", "--region CN-GZ"},
     .run = run_admin},
    {.name = "admin resume",
     .summary = "Resume halted markets.",
     .positional = {"class", "region"},
     .request = REQUEST_RESUME,
     .examples = {"", "H100"},
     .run = run_admin},
    {.name = "admin kill",
     .summary = "Stop an account and cancel all that it has open.",
     .positional = {"account"},
     .options = kill_options,
     .request = REQUEST_KILL,
     .examples = {"3", "--all"},
     .run = run_kill},
    {.name = "admin revive",
     .summary = "Let a stopped account trade again.",
     .positional = {"account"},
     .options = kill_options,
     .request = REQUEST_REVIVE,
     .examples = {"3", "--all"},
     .run = run_kill},
    {.name = "admin advance",
     .summary = "Move a simulated clock.",
     .positional = {"delta"},
     .options = advance_options,
     .request = REQUEST_ADVANCE,
     .examples = {"30"},
     .run = run_admin},
    {.name = NULL},
};
