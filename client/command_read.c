#include <string.h>

#include "base/check.h"
#include "client/cli.h"
#include "client/decimal.h"
#include "client/fields.h"
#include "client/message_json.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static const struct table_column order_columns[] = {
    {"ORDER", "order_id", TABLE_NUMBER},
    {"ENTERED", "time_ns", TABLE_TIME},
    {"KIND", "kind", TABLE_TEXT},
    {"RANGE", "range_id", TABLE_NUMBER},
    {"SYMBOL", "symbol", TABLE_TEXT},
    {"LEGS", "leg_count", TABLE_NUMBER},
    {"LANES", "lane_count", TABLE_NUMBER},
    {"SIDE", "side", TABLE_TEXT},
    {"PRICE", "price_e4", TABLE_MONEY},
    {"GPUS", "gpus", TABLE_NUMBER},
    {"HOURS", "hours", TABLE_NUMBER},
    {"FROM", "window_from", TABLE_TEXT},
    {"TO", "window_to", TABLE_TEXT},
    {"PLACEMENT", "placement", TABLE_TEXT},
    {"QTY", "order_qty", TABLE_NUMBER},
    {"SHOWN", "display_qty", TABLE_NUMBER},
    {"FILLED", "cum_qty", TABLE_NUMBER},
    {"LEFT", "leaves_qty", TABLE_NUMBER},
    {"TIF", "tif", TABLE_TEXT},
    {"STATUS", "ord_status", TABLE_TEXT},
    {"RESERVED", "reserved_for_jobs", TABLE_YES},
    {"RESOURCE", "resource", TABLE_NUMBER},
    {"WHY", "reason_name", TABLE_TEXT},
};
static const struct table_column leg_columns[] = {
    {"LEG", "leg", TABLE_NUMBER},       {"SYMBOL", "symbol", TABLE_TEXT},
    {"LIMIT", "price_e4", TABLE_MONEY}, {"STATE", "state", TABLE_TEXT},
    {"OPEN", "open_qty", TABLE_NUMBER},
};
static const struct table_column lane_columns[] = {
    {"LANE", "lane", TABLE_NUMBER},       {"CLASS", "class", TABLE_TEXT},
    {"REGION", "region", TABLE_TEXT},     {"TIER", "tier", TABLE_TEXT},
    {"FACTOR", "factor_e4", TABLE_MONEY},
};
static const struct table_column trade_columns[] = {
    {"FILL", "fill_id", TABLE_NUMBER},   {"TIME", "time_ns", TABLE_TIME},
    {"SYMBOL", "symbol", TABLE_TEXT},    {"SIDE", "side", TABLE_TEXT},
    {"QTY", "qty", TABLE_NUMBER},        {"PRICE", "price_e4", TABLE_MONEY},
    {"FEE", "fee_e4", TABLE_MONEY},      {"LIQUIDITY", "liquidity", TABLE_TEXT},
    {"TIER", "trade_tier", TABLE_TEXT},  {"RESOURCE", "resource", TABLE_NUMBER},
    {"ORDER", "order_id", TABLE_NUMBER}, {"GROUP", "trade_group", TABLE_NUMBER},
};
static const struct table_column holding_columns[] = {
    {"RESOURCE", "resource", TABLE_NUMBER},
    {"HOUR", "hour", TABLE_TEXT},
    {"TIER", "tier", TABLE_TEXT},
    {"GPUS", "qty", TABLE_NUMBER},
    {"OFFERED", "offered_qty", TABLE_NUMBER},
};
static const struct table_column class_columns[] = {
    {"CLASS", "name", TABLE_TEXT},
    {"LOT", "lot", TABLE_NUMBER},
    {"MEMORY GIB", "memory_gib", TABLE_NUMBER},
    {"BF16 GFLOPS", "bf16_gflops", TABLE_NUMBER},
    {"HOST W", "host_power_w", TABLE_NUMBER},
};
static const struct table_column region_columns[] = {
    {"REGION", "name", TABLE_TEXT},
    {"GRID G/KWH E2", "grid_g_per_kwh_e2", TABLE_NUMBER},
    {"CARBON FREE BP", "carbon_free_bp", TABLE_NUMBER},
};
static const struct table_column market_columns[] = {
    {"CLASS", "class", TABLE_TEXT},
    {"REGION", "region", TABLE_TEXT},
    {"MODE", "mode", TABLE_TEXT},
    {"LAUNCH G0", "launch_price_g0_e4", TABLE_MONEY},
    {"G50", "launch_price_g50_e4", TABLE_MONEY},
    {"G80", "launch_price_g80_e4", TABLE_MONEY},
    {"G100", "launch_price_g100_e4", TABLE_MONEY},
    {"INNER BP", "inner_band_bp", TABLE_NUMBER},
    {"OUTER BP", "outer_band_bp", TABLE_NUMBER},
    {"OPENING S", "opening_s", TABLE_NUMBER},
    {"PERIOD S", "period_s", TABLE_NUMBER},
    {"VOLATILITY S", "volatility_s", TABLE_NUMBER},
    {"FROM QTY", "volatility_min_qty", TABLE_NUMBER},
    {"RANDOM END S", "random_end_s", TABLE_NUMBER},
    {"NO RESALE", "no_resale", TABLE_YES},
    {"NAMES", "names_shown", TABLE_YES},
    {"HALTED", "halted", TABLE_YES},
};
static const struct table_column resource_columns[] = {
    {"RESOURCE", "id", TABLE_NUMBER},   {"ACCOUNT", "account", TABLE_NUMBER},
    {"CLASS", "class", TABLE_TEXT},     {"REGION", "region", TABLE_TEXT},
    {"TIER", "tier", TABLE_TEXT},       {"GPUS", "gpus", TABLE_NUMBER},
    {"PUE", "pue_e4", TABLE_MONEY},     {"NODE", "node", TABLE_TEXT},
    {"标识", "identifier", TABLE_TEXT},
};
static const struct table_column group_columns[] = {
    {"GROUP", "id", TABLE_NUMBER},
    {"NAME", "name", TABLE_TEXT},
};
static const struct table_column account_columns[] = {
    {"ACCOUNT", "id", TABLE_NUMBER},  {"NAME", "name", TABLE_TEXT},
    {"GROUP", "group", TABLE_NUMBER}, {"ROLES", "roles", TABLE_TEXT},
    {"FEES", "fees", TABLE_NUMBER},   {"KILLED", "killed", TABLE_YES},
};
static const struct table_column key_columns[] = {
    {"KEY", "id", TABLE_NUMBER},
    {"NAME", "name", TABLE_TEXT},
    {"ACCOUNT", "account", TABLE_NUMBER},
    {"ROLES", "roles", TABLE_TEXT},
    {"PUBLIC KEY", "public_key", TABLE_TEXT},
    {"REVOKED", "revoked", TABLE_YES},
};
static const struct table_column fees_columns[] = {
    {"FEES", "id", TABLE_NUMBER},
    {"MAKER BP", "maker_bp", TABLE_NUMBER},
    {"TAKER BP", "taker_bp", TABLE_NUMBER},
};
static const struct table_column gateway_columns[] = {
    {"GATEWAY", "name", TABLE_TEXT},        {"LINK", "link", TABLE_NUMBER},
    {"SESSIONS", "sessions", TABLE_NUMBER}, {"MESSAGES", "messages", TABLE_NUMBER},
    {"REQUESTS", "requests", TABLE_NUMBER}, {"REFUSED", "refused", TABLE_NUMBER},
    {"COMMANDS", "commands", TABLE_NUMBER}, {"EVENTS", "events", TABLE_NUMBER},
    {"DROPPED", "dropped", TABLE_NUMBER},
};
static const struct {
    const struct table_column *columns;
    uint32_t count;
} list_tables[LIST_WHAT_COUNT] = {
    [LIST_CLASSES] = {class_columns, COUNT_OF(class_columns)},
    [LIST_REGIONS] = {region_columns, COUNT_OF(region_columns)},
    [LIST_MARKETS] = {market_columns, COUNT_OF(market_columns)},
    [LIST_RESOURCES] = {resource_columns, COUNT_OF(resource_columns)},
    [LIST_GROUPS] = {group_columns, COUNT_OF(group_columns)},
    [LIST_ACCOUNTS] = {account_columns, COUNT_OF(account_columns)},
    [LIST_KEYS] = {key_columns, COUNT_OF(key_columns)},
    [LIST_FEES] = {fees_columns, COUNT_OF(fees_columns)},
    [LIST_GATEWAYS] = {gateway_columns, COUNT_OF(gateway_columns)},
};

/* Where the request says from which row on; `last` is the id of the last row that came. */
static void page_after(struct request *request, uint64_t last, uint32_t rows)
{
    switch (request->type) {
    case REQUEST_ORDERS:
        request->orders.after_order_id = last;
        break;
    case REQUEST_TRADES:
        request->trades.after_fill_id = last;
        break;
    case REQUEST_ACCOUNT:
        request->account.after_holding = rows;
        break;
    default:
        request->list.after = (uint32_t)last;
        break;
    }
}

/* What a range has filled and left stands in the rows of its offers. */
static void order_row(struct table *table, json_t *row)
{
    const char *kind = json_string_value(json_object_get(row, "kind"));
    if (table->form != TABLE_JSON && kind != NULL && strcmp(kind, "range") == 0) {
        json_object_del(row, "cum_qty");
        json_object_del(row, "leaves_qty");
    }
    table_row(table, row);
}

/* Puts all pages' rows into the table; `answer` is that of the first page when it is there already. */
static int pages(struct cli *cli, struct request *request, const char *rows_key, const char *id_key,
                 struct table *table)
{
    bool more = true;
    while (more) {
        const struct message *answer;
        int status = cli_ask(cli, request, &answer);
        if (status != CLI_DONE) {
            return status;
        }
        json_t *json = message_json(answer);
        const json_t *rows = json_object_get(json, rows_key);
        uint64_t last = 0;
        for (size_t i = 0; i < json_array_size(rows); i++) {
            json_t *row = json_array_get(rows, i);
            order_row(table, row);
            last = (uint64_t)json_integer_value(json_object_get(row, id_key));
        }
        more = json_is_true(json_object_get(json, "more")) && json_array_size(rows) > 0;
        json_decref(json);
        page_after(request, last, table->row_count);
    }
    return CLI_DONE;
}

static int run_pages(struct cli *cli, struct request *request, const char *rows_key,
                     const char *id_key, const struct table_column *columns, uint32_t column_count)
{
    struct table table;
    int status = cli_connect(cli);
    if (status != CLI_DONE) {
        return status;
    }
    table_begin(&table, stdout, cli->form, columns, column_count);
    status = pages(cli, request, rows_key, id_key, &table);
    table_end(&table, status == CLI_DONE ? "none" : "");
    return status;
}

static int run_orders(struct cli *cli)
{
    struct request request = {.type = REQUEST_ORDERS};
    if (fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    return run_pages(cli, &request, "orders", "order_id", order_columns, COUNT_OF(order_columns));
}

static int run_trades(struct cli *cli)
{
    struct request request = {.type = REQUEST_TRADES};
    if (fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    return run_pages(cli, &request, "trades", "fill_id", trade_columns, COUNT_OF(trade_columns));
}

static int run_list(struct cli *cli)
{
    struct request request = {.type = REQUEST_LIST};
    if (fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    uint8_t what = request.list.what;
    return run_pages(cli, &request, "rows", "id", list_tables[what].columns,
                     list_tables[what].count);
}

/* Legs or lanes of an order, for people. */
static void print_list(const struct cli *cli, const json_t *order, const char *key,
                       const struct table_column *columns, uint32_t column_count)
{
    const json_t *list = json_object_get(order, key);
    struct table table;
    if (cli->form != TABLE_PEOPLE || json_array_size(list) == 0) {
        return;
    }
    printf("\n");
    table_begin(&table, stdout, TABLE_PEOPLE, columns, column_count);
    for (size_t i = 0; i < json_array_size(list); i++) {
        table_row(&table, json_array_get(list, i));
    }
    table_end(&table, "");
}

static int run_order(struct cli *cli)
{
    struct request request = {.type = REQUEST_ORDER_STATUS};
    const struct message *answer;
    int64_t cl_ord_id = 0; /* fields_fill leaves it to the session */
    if (fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0 ||
        arguments_number(&cli->arguments, "cl-ord-id", 1, INT64_MAX, &cl_ord_id, &cli->error) < 0) {
        return cli_usage(cli);
    }
    request.order_status.cl_ord_id = (uint64_t)cl_ord_id;
    if ((request.order_status.order_id == 0) == (request.order_status.cl_ord_id == 0)) {
        error_set(&cli->error, ERROR_INVALID, "give the order's id, or --cl-ord-id N");
        return cli_usage(cli);
    }
    int status = cli_connect(cli);
    if (status == CLI_DONE) {
        status = cli_ask(cli, &request, &answer);
    }
    if (status != CLI_DONE) {
        return status;
    }
    const struct order_status_answer *order = &answer->order_status;
    if (order->reason != 0) {
        return cli_refused(cli, &request, codec_request_name(order->request), order->reason,
                           answer);
    }
    json_t *json = message_json(answer);
    if (cli->form == TABLE_JSON) {
        cli_print_json(json);
        return CLI_DONE;
    }
    if (order->order_count == 0) {
        printf("%s was carried out\n", codec_request_name(order->request));
    } else {
        struct table table;
        table_begin(&table, stdout, cli->form, order_columns, COUNT_OF(order_columns));
        json_t *row = json_array_get(json_object_get(json, "orders"), 0);
        order_row(&table, row);
        table_end(&table, "");
        print_list(cli, row, "legs", leg_columns, COUNT_OF(leg_columns));
        print_list(cli, row, "lanes", lane_columns, COUNT_OF(lane_columns));
        const struct order_row *found = &order->orders[0];
        if (cli->form == TABLE_PEOPLE && found->miss_wanted_qty > 0 &&
            found->ord_status != STATUS_FILLED) {
            cli_print_miss(stdout, found->miss_symbol, found->miss_qty, found->miss_wanted_qty);
        }
    }
    json_decref(json);
    return CLI_DONE;
}

static void print_pair(const char *name, const json_t *json, const char *key, enum table_kind kind)
{
    char text[TABLE_CELL_SIZE];
    const struct table_column column = {name, key, kind};
    table_cell(&column, json, text);
    if (text[0] == '\0') {
        return;
    }
    /* Numbers end, and have their full stops, in one column. */
    int whole = (int)strcspn(text, ".");
    bool number = kind == TABLE_NUMBER || kind == TABLE_MONEY;
    printf("%-14s %*s%s\n", name, number && whole < 13 ? 13 - whole : 0, "", text);
}

static int run_account(struct cli *cli)
{
    struct request request = {.type = REQUEST_ACCOUNT};
    const struct message *answer;
    if (fields_fill(&cli->arguments, cli->now_ns, &request, &cli->error) < 0) {
        return cli_usage(cli);
    }
    int status = cli_connect(cli);
    if (status == CLI_DONE) {
        status = cli_ask(cli, &request, &answer);
    }
    if (status != CLI_DONE) {
        return status;
    }
    json_t *json = message_json(answer);
    if (cli->form == TABLE_JSON) {
        cli_print_json(json);
        return CLI_DONE;
    }
    if (cli->form == TABLE_PEOPLE) {
        static const struct table_column pairs[] = {
            {"account", "account", TABLE_NUMBER},
            {"name", "name", TABLE_TEXT},
            {"roles", "roles", TABLE_TEXT},
            {"killed", "killed", TABLE_YES},
            {"cash", "cash_e4", TABLE_MONEY},
            {"credit", "credit_e4", TABLE_MONEY},
            {"reserved", "reserved_e4", TABLE_MONEY},
            {"bond", "bond_e4", TABLE_MONEY},
            {"available", "available_e4", TABLE_MONEY},
            {"in escrow", "escrow_e4", TABLE_MONEY},
            {"open orders", "open_orders", TABLE_NUMBER},
        };
        for (uint32_t i = 0; i < COUNT_OF(pairs); i++) {
            print_pair(pairs[i].title, json, pairs[i].key, pairs[i].kind);
        }
        printf("\n");
    }
    json_decref(json);
    struct table table;
    table_begin(&table, stdout, cli->form, holding_columns, COUNT_OF(holding_columns));
    status = pages(cli, &request, "holdings", "resource", &table);
    table_end(&table, "no GPU-hours held");
    return status;
}

/* --- the book ---------------------------------------------------------------------------------------- */

static const struct table_column book_columns[] = {
    {"BID ORDERS", "bid_orders", TABLE_NUMBER},
    {"SHARED", "bid_shared_qty", TABLE_NUMBER},
    {"BID QTY", "bid_qty", TABLE_NUMBER},
    {"BID", "bid_e4", TABLE_MONEY},
    {"OFFER", "offer_e4", TABLE_MONEY},
    {"OFFER QTY", "offer_qty", TABLE_NUMBER},
    {"RESERVED", "offer_reserved_qty", TABLE_NUMBER},
    {"OFFER ORDERS", "offer_orders", TABLE_NUMBER},
};

static void book_side(json_t *row, const struct level_row *level, const char *price,
                      const char *qty, const char *orders)
{
    json_object_set_new(row, price, json_integer(level->price_e4));
    json_object_set_new(row, qty, json_integer(level->qty));
    json_object_set_new(row, orders, json_integer(level->orders));
}

static void print_price(const char *name, int64_t price_e4, int64_t qty)
{
    char text[DECIMAL_TEXT_SIZE];
    if (price_e4 == 0) {
        return;
    }
    decimal_format(price_e4, DECIMAL_E4_PLACES, 2, text);
    printf("  %s %s", name, text);
    if (qty != 0) {
        printf(" × %lld", (long long)qty);
    }
}

static const struct table_column listed_columns[] = {
    {"ORDER", "order_id", TABLE_NUMBER},    {"QTY", "qty", TABLE_NUMBER},
    {"PRICE", "price_e4", TABLE_MONEY},     {"NAME", "name", TABLE_TEXT},
    {"RESOURCE", "resource", TABLE_NUMBER}, {"NODE", "node", TABLE_TEXT},
};

/* Offers of a listing market, which kashi take names. */
static void listed_print(const struct cli *cli, const json_t *listed)
{
    struct table table;
    table_begin(&table, stdout, cli->form, listed_columns, COUNT_OF(listed_columns));
    for (size_t i = 0; i < json_array_size(listed); i++) {
        table_row(&table, json_array_get(listed, i));
    }
    table_end(&table, "");
}

/* `listed`: all pages of them. */
static void book_print(const struct cli *cli, const struct book_answer *book, const json_t *listed)
{
    struct table table;
    if (cli->form == TABLE_PEOPLE) {
        printf("%s  ", book->symbol);
        cli_print_phase(book->auction.phase);
        printf("\nbest, all eligible tiers:");
        print_price("bid", book->best_bid_e4, book->best_bid_qty);
        if (book->best_bid_shared_qty != 0) {
            printf(" + %lld shared", (long long)book->best_bid_shared_qty);
        }
        print_price("offer", book->best_offer_e4, book->best_offer_qty);
        print_price("last", book->last_px_e4, book->last_qty);
        print_price("reference", book->reference_e4, 0);
        cli_print_auction(&book->auction);
        printf("\n\n");
    }
    if (json_array_size(listed) > 0) {
        listed_print(cli, listed);
        return;
    }
    table_begin(&table, stdout, cli->form, book_columns, COUNT_OF(book_columns));
    uint32_t rows = book->bid_count > book->offer_count ? book->bid_count : book->offer_count;
    for (uint32_t i = 0; i < rows; i++) {
        json_t *row = json_object();
        CHECK(row != NULL);
        if (i < book->bid_count) {
            book_side(row, &book->bids[i], "bid_e4", "bid_qty", "bid_orders");
            if (book->bids[i].shared_qty != 0) {
                json_object_set_new(row, "bid_shared_qty", json_integer(book->bids[i].shared_qty));
            }
        }
        if (i < book->offer_count) {
            book_side(row, &book->offers[i], "offer_e4", "offer_qty", "offer_orders");
            if (book->offers[i].reserved_qty != 0) {
                json_object_set_new(row, "offer_reserved_qty",
                                    json_integer(book->offers[i].reserved_qty));
            }
        }
        table_row(&table, row);
        json_decref(row);
    }
    table_end(&table, "no orders rest in this tier");
}

/* Adds the other pages of listed offers to those of the first. */
static int listed_rest(struct cli *cli, struct request *request, const struct book_answer *first,
                       json_t *listed)
{
    bool more = first->more != 0;
    uint64_t last = more ? first->listed[first->listed_count - 1].order_id : 0;
    while (more) {
        const struct message *answer;
        request->book.after_order_id = last;
        int status = cli_ask(cli, request, &answer);
        if (status != CLI_DONE) {
            fprintf(stderr, "the offers changed while they were read; ask again\n");
            return status;
        }
        json_t *json = message_json(answer);
        json_t *rows = json_object_get(json, "listed");
        CHECK(rows == NULL || json_array_extend(listed, rows) == 0);
        more = answer->book.more != 0 && answer->book.listed_count > 0;
        last = more ? answer->book.listed[answer->book.listed_count - 1].order_id : 0;
        json_decref(json);
    }
    return CLI_DONE;
}

/* The answer of the first page is the caller's; others come while the rest is read. */
static int book_show(struct cli *cli, struct request *request, const struct book_answer *first,
                     json_t *json)
{
    json_t *listed = json_object_get(json, "listed");
    int status = listed_rest(cli, request, first, listed);
    json_object_del(json, "more");
    if (status == CLI_DONE && cli->form == TABLE_JSON) {
        cli_print_json(json_incref(json));
    } else if (status == CLI_DONE) {
        book_print(cli, first, listed);
    }
    return status;
}

static int run_book(struct cli *cli)
{
    struct request request = {.type = REQUEST_BOOK};
    const struct message *answer;
    int status = cli_symbol(cli, request.book.symbol);
    if (status == CLI_DONE) {
        status = cli_connect(cli);
    }
    if (status == CLI_DONE) {
        status = cli_symbol(cli, request.book.symbol);
    }
    if (status == CLI_DONE) {
        status = cli_ask(cli, &request, &answer);
    }
    if (status != CLI_DONE) {
        return status;
    }
    struct message *first = malloc(sizeof(*first));
    CHECK(first != NULL);
    *first = *answer;
    json_t *json = message_json(first);
    status = book_show(cli, &request, &first->book, json);
    json_decref(json);
    free(first);
    return status;
}

static const struct arguments_option book_options[] = {
    {"symbol", "SYMBOL", "the contract, whole: H100.CN-GZ.G80.20261121T14Z; or its parts:"},
    {"class", "CLASS", "H100, A100-80, 910B …"},
    {"region", "REGION", "CN-GZ, CN-NM …"},
    {"tier", "TIER", "G0, G50, G80 or G100"},
    {"hour", "HOUR", "UTC, 2026-11-21T14; +3: three hours from now"},
    {NULL, NULL, NULL},
};
static const char *const account_hidden[] = {"after_holding", NULL};

const struct arguments_command command_read_list[] = {
    {.name = "book",
     .summary = "Show a contract's order book; SHARED is of SETs, RESERVED for JOBs alone.",
     .positional = {"symbol"},
     .options = book_options,
     .examples = {"H100.CN-GZ.G80.20261121T14Z",
                  "--class H100 --region CN-GZ --tier G80 --hour +3"},
     .run = run_book},
    {.name = "account",
     .summary = "Show an account's money and the GPU-hours that it holds.",
     .positional = {"account"},
     .request = REQUEST_ACCOUNT,
     .hidden = account_hidden,
     .examples = {"", "7 --json"},
     .run = run_account},
    {.name = "orders",
     .summary = "List the account's live orders, oldest first.",
     .request = REQUEST_ORDERS,
     .examples = {"", "--csv"},
     .run = run_orders},
    {.name = "order",
     .summary = "Show what became of an order or request, also long after it ended.",
     .positional = {"order-id"},
     .options = (const struct arguments_option[]){{"cl-ord-id", "N", "by your own number instead"},
                                                  {NULL, NULL, NULL}},
     .request = REQUEST_ORDER_STATUS,
     .examples = {"4294967297", "--cl-ord-id 12"},
     .run = run_order},
    {.name = "trades",
     .summary = "List the account's fills, oldest first.",
     .request = REQUEST_TRADES,
     .examples = {"", "--csv", "--after-fill-id 1200"},
     .run = run_trades},
    {.name = "list",
     .summary =
         "List classes, regions, markets, resources, groups, accounts, keys, fees, gateways.",
     .positional = {"what"},
     .request = REQUEST_LIST,
     .examples = {"resources", "markets --csv"},
     .run = run_list},
    {.name = NULL},
};
