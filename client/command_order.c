#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "client/catalogue.h"
#include "client/cli.h"
#include "client/command_multi.h"
#include "client/decimal.h"
#include "client/fields.h"
#include "client/message_json.h"
#include "client/submit.h"

#define HOURS_MAX 840

#define SYMBOL_OPTIONS                                                                             \
    {"symbol", "SYMBOL", "the contract, whole: H100.CN-GZ.G80.20261121T14Z; or its parts:"},       \
        {"class", "CLASS", "H100, A100-80, 910B …"}, {"region", "REGION", "CN-GZ, CN-NM …"},       \
        {"tier", "TIER", "G0, G50, G80 or G100"},                                                  \
    {                                                                                              \
        "hour", "HOUR", "UTC, 2026-11-21T14; +3: three hours from now"                             \
    }

static const char *const offer_hidden[] = {"symbol", "side", "resource", NULL};
static const char *const bid_hidden[] = {"symbol", "side", "resource", "job_lead_hours", NULL};

static const struct table_column outcome_columns[] = {
    {"ORDER", "order_id", TABLE_NUMBER},  {"SYMBOL", "symbol", TABLE_TEXT},
    {"SIDE", "side", TABLE_TEXT},         {"QTY", "order_qty", TABLE_NUMBER},
    {"PRICE", "price_e4", TABLE_MONEY},   {"FILLED", "cum_qty", TABLE_NUMBER},
    {"LEFT", "leaves_qty", TABLE_NUMBER}, {"STATUS", "ord_status", TABLE_TEXT},
    {"WHY", "reason_name", TABLE_TEXT},
};
#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

struct entry {
    struct cli *cli;
    struct request order; /* for the first hour */
    uint32_t first_hour;
    uint32_t hours;
    bool refused;
    struct table fills;
};

static void entry_make(void *context, uint32_t index, struct request *request)
{
    const struct entry *entry = context;
    *request = entry->order;
    CHECK(symbol_with_hour(request->new_order.symbol, entry->first_hour + index));
}

static void entry_seen(void *context, uint32_t index, const struct message *message)
{
    struct entry *entry = context;
    bool rejected = message->type == MESSAGE_REJECT ||
                    (message->type == MESSAGE_REPORT && message->report.exec_type == EXEC_REJECTED);
    if (rejected) {
        struct request request;
        entry_make(entry, index, &request);
        uint16_t reason =
            message->type == MESSAGE_REJECT ? message->reject.reason : message->report.reason;
        cli_refused(entry->cli, &request, request.new_order.symbol, reason, message);
        entry->refused = true;
    } else if (entry->cli->form == TABLE_JSON) {
        cli_print_json(message_json(message));
    } else if (message->type == MESSAGE_REPORT && message->report.exec_type == EXEC_TRADE) {
        json_t *row = message_json_report(&message->report);
        if (entry->cli->form == TABLE_PEOPLE) {
            table_row(&entry->fills, row);
        }
        json_decref(row);
    }
}

static void outcome_row(struct table *table, const struct request *request,
                        const struct submit_result *result)
{
    json_t *row = json_pack(
        "{sI ss ss sI sI sI sI ss}", "order_id", (json_int_t)result->order_id, "symbol",
        request->new_order.symbol, "side", request->new_order.side == SIDE_BUY ? "buy" : "sell",
        "order_qty", (json_int_t)request->new_order.qty, "price_e4", (json_int_t)result->price_e4,
        "cum_qty", (json_int_t)result->cum_qty, "leaves_qty", (json_int_t)result->leaves_qty,
        "ord_status", cli_status(result->ord_status));
    CHECK(row != NULL);
    if (result->reason != 0) {
        json_object_set_new(row, "reason_name", json_string(reason_name(result->reason)));
    }
    table_row(table, row);
    json_decref(row);
}

static void entry_print(struct entry *entry, const struct submit_result *results)
{
    struct table table;
    bool any = false;
    for (uint32_t i = 0; i < entry->hours; i++) {
        any = any || results[i].order_id != 0;
    }
    if (entry->cli->form == TABLE_JSON || !any) {
        return;
    }
    table_begin(&table, stdout, entry->cli->form, outcome_columns, COUNT_OF(outcome_columns));
    for (uint32_t i = 0; i < entry->hours; i++) {
        struct request request;
        entry_make(entry, i, &request);
        if (results[i].order_id != 0) {
            outcome_row(&table, &request, &results[i]);
        }
    }
    table_end(&table, "");
    if (entry->cli->form == TABLE_PEOPLE && entry->fills.row_count > 0) {
        printf("\n");
        table_end(&entry->fills, "");
    }
}

/* From the options; once before the connection, so that wrong usage needs none, and once more when
 * the exchange's time is known. */
static int entry_read(struct entry *entry, uint8_t side)
{
    struct cli *cli = entry->cli;
    struct request_new_order *order = &entry->order.new_order;
    entry->order = (struct request){.type = REQUEST_NEW_ORDER};
    int64_t hours = 1;
    int status = cli_symbol(cli, order->symbol);
    if (status != CLI_DONE) {
        return status;
    }
    if (fields_fill(&cli->arguments, cli->now_ns, &entry->order, &cli->error) < 0 ||
        arguments_number(&cli->arguments, "hours", 1, HOURS_MAX, &hours, &cli->error) < 0) {
        return cli_usage(cli);
    }
    order->side = side;
    if (order->expire_time_ns != 0 && !arguments_given(&cli->arguments, "tif")) {
        order->tif = TIF_TIME;
    }
    if (order->tif == TIF_TIME && order->expire_time_ns == 0) {
        error_set(&cli->error, ERROR_INVALID,
                  "--expire-time is missing: --tif time ends the order then; give UTC as "
                  "2026-11-21T13:30, or +90m from now");
        return cli_usage(cli);
    }
    if (order->ord_type == ORD_MARKET && !arguments_given(&cli->arguments, "tif")) {
        order->tif = TIF_IOC;
    }
    CHECK(symbol_hour(order->symbol, &entry->first_hour));
    entry->hours = (uint32_t)hours;
    return CLI_DONE;
}

static int run_entry(struct cli *cli, uint8_t side)
{
    struct entry entry = {.cli = cli};
    const char *resource = arguments_get(&cli->arguments, "resource");
    int status = entry_read(&entry, side);
    if (status == CLI_DONE && side == SIDE_SELL && resource == NULL) {
        error_set(&cli->error, ERROR_INVALID,
                  "--resource is missing: an offer names what it delivers from, by id or 算力标识; "
                  "kashi list resources shows them");
        status = cli_usage(cli);
    }
    if (status == CLI_DONE) {
        status = cli_connect(cli);
    }
    if (status == CLI_DONE) {
        status = entry_read(&entry, side);
    }
    if (status == CLI_DONE && resource != NULL) {
        status = cli_resource(cli, resource, &entry.order.new_order.resource);
    }
    if (status != CLI_DONE) {
        return status;
    }
    struct submit_result results[HOURS_MAX] = {{0}};
    struct submit submit = {.cli = cli,
                            .count = entry.hours,
                            .make = entry_make,
                            .seen = entry_seen,
                            .context = &entry,
                            .results = results};
    table_begin(&entry.fills, stdout, TABLE_PEOPLE, cli_fill_columns, CLI_FILL_COLUMN_COUNT);
    status = submit_run(&submit);
    if (status == CLI_DONE) {
        entry_print(&entry, results);
        status = entry.refused ? CLI_REFUSED : CLI_DONE;
    }
    return status;
}

static int run_bid(struct cli *cli)
{
    return run_entry(cli, SIDE_BUY);
}

static int run_offer(struct cli *cli)
{
    const char *path = arguments_get(&cli->arguments, "catalogue");
    const char *hours = arguments_get(&cli->arguments, "hours");
    if (path == NULL) {
        path = arguments_get(&cli->arguments, "csv");
    }
    if (path != NULL) {
        return catalogue_post(cli, path);
    }
    /* Several hours are one range, all of them or none, unless told otherwise. */
    return hours != NULL && strcmp(hours, "1") != 0 && !arguments_given(&cli->arguments, "each")
               ? command_multi_range(cli)
               : run_entry(cli, SIDE_SELL);
}

/* --- requests about orders that are there ---------------------------------------------------------- */

/* Reports that answered a request: what was done. */
static const struct table_column done_columns[] = {
    {"ORDER", "order_id", TABLE_NUMBER},  {"SYMBOL", "symbol", TABLE_TEXT},
    {"SIDE", "side", TABLE_TEXT},         {"PRICE", "price_e4", TABLE_MONEY},
    {"QTY", "order_qty", TABLE_NUMBER},   {"FILLED", "cum_qty", TABLE_NUMBER},
    {"LEFT", "leaves_qty", TABLE_NUMBER}, {"DONE", "exec_type", TABLE_TEXT},
    {"WHY", "reason_name", TABLE_TEXT},
};

/* A take: all of it trades, as the fills below it show. */
static const struct table_column take_columns[] = {
    {"ORDER", "order_id", TABLE_NUMBER}, {"SYMBOL", "symbol", TABLE_TEXT},
    {"SIDE", "side", TABLE_TEXT},        {"PRICE", "price_e4", TABLE_MONEY},
    {"QTY", "order_qty", TABLE_NUMBER},
};

static void done_row(struct table *table, const struct message *answer)
{
    json_t *row = message_json(answer);
    table_row(table, row);
    json_decref(row);
}

static int run_cancel(struct cli *cli)
{
    struct request first = {.type = REQUEST_CANCEL_ORDER};
    if (fields_fill(&cli->arguments, cli->now_ns, &first, &cli->error) < 0) {
        return cli_usage(cli);
    }
    int status = cli_connect(cli);
    int worst = status;
    struct table table;
    table_begin(&table, stdout, cli->form, done_columns, COUNT_OF(done_columns));
    /* Every order that was named, each on its own. */
    struct arguments one = cli->arguments;
    for (uint32_t i = 0; i < cli->arguments.count && status <= CLI_REFUSED; i++) {
        if (strcmp(cli->arguments.values[i].name, "order-id") != 0) {
            continue;
        }
        struct request request = {.type = REQUEST_CANCEL_ORDER};
        const struct message *answer;
        one.count = 1;
        one.values[0] = cli->arguments.values[i];
        if (fields_fill(&one, cli->now_ns, &request, &cli->error) < 0) {
            return cli_usage(cli);
        }
        status = cli_ask(cli, &request, &answer);
        if (status == CLI_DONE) {
            done_row(&table, answer);
        }
        worst = status > worst ? status : worst;
    }
    if (worst <= CLI_REFUSED && table.row_count > 0) {
        table_end(&table, "");
    }
    return worst;
}

/* What is not given stays as it is: asks for the order first. */
static int replace_complete(struct cli *cli, struct request *request)
{
    if (arguments_given(&cli->arguments, "price") && arguments_given(&cli->arguments, "qty")) {
        return CLI_DONE;
    }
    struct request status_request = {.type = REQUEST_ORDER_STATUS};
    status_request.order_status.order_id = request->replace_order.order_id;
    const struct message *answer;
    int status = cli_ask(cli, &status_request, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (answer->order_status.order_count == 0) {
        return cli_refused(cli, request, "", REASON_UNKNOWN_ORDER, answer);
    }
    const struct order_row *order = &answer->order_status.orders[0];
    if (!arguments_given(&cli->arguments, "price")) {
        request->replace_order.price_e4 = order->price_e4;
    }
    if (!arguments_given(&cli->arguments, "qty")) {
        /* A JOB's quantity counts GPU-hours; what is replaced is its GPUs. */
        request->replace_order.qty = order->kind == KIND_JOB ? order->gpus : order->order_qty;
    }
    return CLI_DONE;
}

static int parse_replace(struct cli *cli, struct request *request)
{
    struct arguments *arguments = &cli->arguments;
    if (!arguments_given(arguments, "order-id") ||
        (!arguments_given(arguments, "price") && !arguments_given(arguments, "qty"))) {
        error_set(&cli->error, ERROR_INVALID,
                  "give the order's id and --price, --qty or both (what is left out stays)");
        return cli_usage(cli);
    }
    /* What is left out is asked for later; zero stands in for it here. */
    struct arguments complete = *arguments;
    static const char *const names[] = {"price", "qty"};
    for (int i = 0; i < 2 && complete.count < ARGUMENTS_MAX; i++) {
        if (!arguments_given(arguments, names[i])) {
            struct arguments_value *value = &complete.values[complete.count++];
            (void)snprintf(value->name, sizeof(value->name), "%s", names[i]);
            value->text = "0";
        }
    }
    return fields_fill(&complete, cli->now_ns, request, &cli->error) < 0 ? cli_usage(cli)
                                                                         : CLI_DONE;
}

/* A replaced order may trade on arrival: its fills follow the answer, as a table of their own behind an
 * empty line; or how near a JOB came. */
static int print_fills_until_known(struct cli *cli, uint64_t order_id)
{
    struct request request = {.type = REQUEST_ORDER_STATUS};
    request.order_status.order_id = order_id;
    struct table fills = {.row_count = 0};
    if (kashi_session_send(cli->session, &request, 1, &cli->error) < 0) {
        return cli_lost(cli);
    }
    const struct message *message;
    struct report miss = {.miss_wanted_qty = 0};
    int status;
    do {
        status = cli_receive(cli, &message);
        if (status == CLI_DONE && message->type == MESSAGE_REPORT &&
            message->report.order_id == order_id &&
            (cli->form == TABLE_JSON || message->report.exec_type == EXEC_TRADE)) {
            json_t *row = message_json(message);
            if (fills.row_count == 0) {
                printf("%s", cli->form == TABLE_JSON ? "" : "\n");
                table_begin(&fills, stdout, cli->form, cli_fill_columns, CLI_FILL_COLUMN_COUNT);
            }
            table_row(&fills, row);
            json_decref(row);
        }
        if (status == CLI_DONE && message->type == MESSAGE_REPORT &&
            message->report.order_id == order_id && message->report.exec_type == EXEC_MISS) {
            miss = message->report;
        }
    } while (status == CLI_DONE && !cli_answers(&request, message));
    if (fills.row_count > 0) {
        table_end(&fills, "");
    }
    if (miss.miss_wanted_qty > 0 && cli->form == TABLE_PEOPLE) {
        cli_print_miss(stdout, miss.miss_symbol, miss.miss_qty, miss.miss_wanted_qty);
    }
    return status;
}

static int run_replace(struct cli *cli)
{
    struct request request = {.type = REQUEST_REPLACE_ORDER};
    const struct message *answer;
    int status = parse_replace(cli, &request);
    if (status == CLI_DONE) {
        status = cli_connect(cli);
    }
    if (status == CLI_DONE) {
        status = replace_complete(cli, &request);
    }
    if (status == CLI_DONE) {
        status = cli_ask(cli, &request, &answer);
    }
    if (status == CLI_DONE) {
        struct table table;
        table_begin(&table, stdout, cli->form, done_columns, COUNT_OF(done_columns));
        done_row(&table, answer);
        table_end(&table, "");
        status = print_fills_until_known(cli, request.replace_order.order_id);
    }
    return status;
}

static int run_take(struct cli *cli)
{
    struct request request = {.type = REQUEST_TAKE_OFFER};
    const struct message *answer;
    if (fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    int status = cli_connect(cli);
    if (status == CLI_DONE) {
        status = cli_ask(cli, &request, &answer);
    }
    if (status == CLI_DONE) {
        struct table table;
        table_begin(&table, stdout, cli->form, take_columns, COUNT_OF(take_columns));
        done_row(&table, answer);
        table_end(&table, "");
        status = print_fills_until_known(cli, answer->report.order_id);
    }
    return status;
}

static int run_mass_cancel(struct cli *cli)
{
    struct request request = {.type = REQUEST_MASS_CANCEL};
    const struct message *message;
    bool from = arguments_given(&cli->arguments, "hour-from");
    if (from != arguments_given(&cli->arguments, "hour-to")) {
        error_set(&cli->error, ERROR_INVALID,
                  "--hour-%s is missing: a range of hours has --hour-from, its first one, and "
                  "--hour-to, the one behind its last",
                  from ? "to" : "from");
        return cli_usage(cli);
    }
    if (fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    int status = cli_connect(cli);
    if (status == CLI_DONE &&
        fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    if (status == CLI_DONE) {
        status = cli_ask(cli, &request, &message);
    }
    while (status == CLI_DONE &&
           !(message->type == MESSAGE_REPORT && message->report.exec_type == EXEC_SWEEP_DONE)) {
        if (cli->form == TABLE_JSON) {
            cli_print_json(message_json(message));
        }
        status = cli_receive(cli, &message);
    }
    if (status == CLI_DONE && cli->form == TABLE_JSON) {
        cli_print_json(message_json(message));
    } else if (status == CLI_DONE) {
        unsigned long long orders = message->report.canceled_orders;
        printf("%llu order%s canceled\n", orders, orders == 1 ? "" : "s");
    }
    return status;
}

static const struct arguments_option bid_options[] = {
    SYMBOL_OPTIONS,
    {"hours", "N", "the same for so many hours on end (1)"},
    {"price", "YUAN", "limit for a GPU-hour; with --ord-type market: the collar"},
    {"qty", "GPUS", "whole GPUs, in lots of the class"},
    {NULL, NULL, NULL},
};
static const struct arguments_option offer_options[] = {
    SYMBOL_OPTIONS,
    {"hours", "N", "the same for so many hours on end (1): one range, all of them or none"},
    {"each", NULL, "with --hours: an order of its own for each hour instead"},
    {"price", "YUAN", "limit for a GPU-hour; with --ord-type market: the collar"},
    {"qty", "GPUS", "whole GPUs, in lots of the class"},
    {"resource", "ID|标识", "what it delivers from, by id or 算力标识"},
    {"catalogue", "FILE",
     "post a catalogue, CSV with columns class,region,tier,from,hours,gpus,price and resource (or "
     "--resource)"},
    {"csv", "FILE", "the same; what is printed is CSV with --output csv"},
    {"check", NULL, "with --catalogue: read and check the file, send nothing"},
    {NULL, NULL, NULL},
};
static const struct arguments_option take_options[] = {
    {"order-id", "N", "required; the offer, as kashi book shows it"},
    {"qty", "GPUS", "required; at most what the offer has left, in lots of the class"},
    {NULL, NULL, NULL},
};
static const struct arguments_option replace_options[] = {
    {"order-id", "N", "the order, as kashi orders shows it"},
    {"price", "YUAN", "its new limit (left out: it stays)"},
    {"qty", "GPUS", "its new quantity, what was filled included (left out: it stays)"},
    {NULL, NULL, NULL},
};
static const struct arguments_option mass_cancel_options[] = {
    {"class", "CLASS", "only this class"},
    {"region", "REGION", "only this region"},
    {"hour-from", "HOUR", "with --hour-to: only delivery hours from this one on"},
    {"hour-to", "HOUR", "with --hour-from: and before this one"},
    {"own-key", NULL, "only what this key has entered, not all of the account"},
    {NULL, NULL, NULL},
};

const struct arguments_command command_order_list[] = {
    {.name = "offer",
     .summary = "Offer GPU-hours of a resource, one contract or a whole catalogue.",
     .positional = {"symbol"},
     .options = offer_options,
     .request = REQUEST_NEW_ORDER,
     .hidden = offer_hidden,
     .examples =
         {"H100.CN-GZ.G80.20261121T14Z --price 16.40 --qty 8 --resource 1",
          "--class H100 --region CN-GZ --tier G80 --hour +6 --hours 4 --price 16.40 --qty 8 "
          "--resource 1",
          "--class H100 --region CN-GZ --tier G80 --hour +6 --hours 720 --price 13.10 --qty 64 "
          "--resource 1 --job-lead 48",
          "H100.CN-GZ.G80.20261121T14Z --price 16.40 --qty 64 --display 8 --resource 1",
          "--catalogue catalogue.csv"},
     .run = run_offer},
    {.name = "bid",
     .summary = "Bid for GPU-hours and see what was bought.",
     .positional = {"symbol"},
     .options = bid_options,
     .request = REQUEST_NEW_ORDER,
     .hidden = bid_hidden,
     .examples = {"H100.CN-GZ.G80.20261121T14Z --price 16.40 --qty 8",
                  "--class H100 --region CN-GZ --tier G0 --hour 2026-11-21T14 --price 17 --qty 8 "
                  "--tif ioc",
                  "H100.CN-GZ.G0.20261121T14Z --ord-type market --price 0.50 --qty 8"},
     .run = run_bid},
    {.name = "set",
     .summary = "Bid for one quantity in any of several contracts.",
     .positional = {"leg", "…"},
     .options = command_multi_set_options,
     .request = REQUEST_NEW_SET,
     .hidden = command_multi_set_hidden,
     .examples = {"--qty 64 --leg H100.CN-GZ.G80.20261121T14Z=13.50 --leg "
                  "H100.CN-NM.G80.20261121T14Z=13.20",
                  "--qty 64 H100/CN-GZ/G80/+6=13.50 H100/CN-GZ/G80/+7=13.40 --tif ioc",
                  "--qty 64 --legs legs.csv --dry-run"},
     .run = command_multi_set},
    {.name = "job",
     .summary = "Bid for GPUs in hours on end, all or nothing, wherever they fit.",
     .options = command_multi_job_options,
     .request = REQUEST_NEW_JOB,
     .hidden = command_multi_job_hidden,
     .examples = {"--gpus 64 --hours 8 --from +6 --to +30 --price 14 --lane H100/CN-GZ/G80",
                  "--gpus 64 --hours 8 --from +6 --to +30 --price 14 --lane H100/CN-GZ/G80 --lane "
                  "H100/CN-NM/G80*1.05 --placement any --until +5h",
                  "--gpus 64 --hours 8 --from 2026-11-22T00 --to 2026-11-22T08 --price 14 --lane "
                  "H100/CN-GZ/G80 --placement same --same-group 91 --dry-run"},
     .run = command_multi_job},
    {.name = "replace",
     .summary = "Change price or quantity of a resting order, a range, SET or JOB.",
     .positional = {"order-id"},
     .options = replace_options,
     .request = REQUEST_REPLACE_ORDER,
     .examples = {"4294967297 --price 16.20", "4294967297 --qty 4"},
     .run = run_replace},
    {.name = "cancel",
     .summary = "Cancel orders.",
     .positional = {"order-id", "…"},
     .request = REQUEST_CANCEL_ORDER,
     .examples = {"4294967297"},
     .run = run_cancel},
    {.name = "take",
     .summary = "Take an offer of a listing market, or a part of it, at its price.",
     .positional = {"order-id"},
     .options = take_options,
     .request = REQUEST_TAKE_OFFER,
     .examples = {"4294967297 --qty 8"},
     .run = run_take},
    {.name = "mass-cancel",
     .summary =
         "Cancel all of the account's orders, or those of a class, region or range of hours.",
     .options = mass_cancel_options,
     .request = REQUEST_MASS_CANCEL,
     .examples = {"", "--class H100 --region CN-GZ",
                  "--hour-from 2026-11-21T00 --hour-to 2026-11-22T00"},
     .run = run_mass_cancel},
    {.name = NULL},
};
