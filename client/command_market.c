#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/cli.h"
#include "client/decimal.h"
#include "client/message_json.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* "bid     8 × 16.40", or "bid -" where there is nothing; the price takes at least `width`. */
static void print_best(const char *name, int64_t price_e4, int64_t qty, int width)
{
    char price[DECIMAL_TEXT_SIZE];
    if (price_e4 == 0) {
        printf("  %s %6s%*s", name, "-", width > 0 ? width + 3 : 0, "");
        return;
    }
    decimal_format(price_e4, DECIMAL_E4_PLACES, 2, price);
    printf("  %s %6lld × %-*s", name, (long long)qty, width, price);
}

static void print_clock(int64_t time_ns)
{
    char utc[CLOCK_TEXT_SIZE];
    clock_format_utc(time_ns, utc);
    printf("%.12s", utc + 11);
}

static void watch_trades(const struct market_data *data)
{
    for (uint32_t i = 0; i < data->trade_count; i++) {
        const struct md_trade_row *trade = &data->trades[i];
        char price[DECIMAL_TEXT_SIZE];
        decimal_format(trade->price_e4, DECIMAL_E4_PLACES, 2, price);
        print_clock(data->time_ns);
        printf("  %-30s  trade %4lld × %s, ", data->symbol, (long long)trade->qty, price);
        if (trade->auction != AUCTION_NONE) {
            printf("%s auction\n", cli_phase(trade->auction));
        } else {
            printf("%s came\n", trade->aggressor == SIDE_BUY ? "bid" : "offer");
        }
    }
}

static void watch_people(const struct kashi_feed_event *event)
{
    const struct kashi_book *book = event->book;
    if (event->data != NULL) {
        watch_trades(event->data);
    }
    if (event->kind == KASHI_FEED_TRADES) {
        return; /* the book is not that of the message */
    }
    print_clock(book->time_ns);
    printf("  %-30s", book->symbol);
    print_best("bid", book->best_bid_e4, book->best_bid_qty, 9);
    if (book->best_bid_shared_qty != 0) {
        printf(" + %lld shared", (long long)book->best_bid_shared_qty);
    }
    print_best("offer", book->best_offer_e4, book->best_offer_qty, 0);
    cli_print_auction(&book->auction);
    if (book->auction.phase > PHASE_CONTINUOUS) {
        printf("  ");
        cli_print_phase(book->auction.phase);
    }
    printf("\n");
}

static json_t *top_json(const struct kashi_feed_event *event)
{
    const struct kashi_book *book = event->book;
    return json_pack(
        "{ss ss sI sI sI sI sI sI sI sI sI sb ss? sI sI sI}", "type", "top", "symbol", book->symbol,
        "seq", (json_int_t)book->seq, "time_ns", (json_int_t)book->time_ns, "best_bid_e4",
        (json_int_t)book->best_bid_e4, "best_bid_qty", (json_int_t)book->best_bid_qty,
        "best_bid_shared_qty", (json_int_t)book->best_bid_shared_qty, "best_offer_e4",
        (json_int_t)book->best_offer_e4, "best_offer_qty", (json_int_t)book->best_offer_qty,
        "last_px_e4", (json_int_t)book->last_px_e4, "last_qty", (json_int_t)book->last_qty,
        "halted", book->halted, "phase", cli_phase(book->auction.phase), "auction_end_ns",
        (json_int_t)book->auction.end_ns, "indicative_e4", (json_int_t)book->auction.indicative_e4,
        "indicative_qty", (json_int_t)book->auction.indicative_qty);
}

/* A price of 0 is none: in CSV its column and that of its quantity are empty. */
static void leave_out_nothing(json_t *row)
{
    static const char *const prices[][2] = {{"best_bid_e4", "best_bid_qty"},
                                            {"best_offer_e4", "best_offer_qty"},
                                            {"last_px_e4", "last_qty"}};
    for (size_t i = 0; i < COUNT_OF(prices); i++) {
        if (json_integer_value(json_object_get(row, prices[i][0])) == 0) {
            json_object_del(row, prices[i][0]);
            json_object_del(row, prices[i][1]);
        }
    }
}

static const struct table_column top_columns[] = {
    {"TIME", "time_ns", TABLE_TIME},
    {"SYMBOL", "symbol", TABLE_TEXT},
    {"SHARED", "best_bid_shared_qty", TABLE_NUMBER},
    {"BID QTY", "best_bid_qty", TABLE_NUMBER},
    {"BID", "best_bid_e4", TABLE_MONEY},
    {"OFFER", "best_offer_e4", TABLE_MONEY},
    {"OFFER QTY", "best_offer_qty", TABLE_NUMBER},
    {"LAST", "last_px_e4", TABLE_MONEY},
    {"LAST QTY", "last_qty", TABLE_NUMBER},
    {"PHASE", "phase", TABLE_TEXT},
};

static void watch_print(struct table *table, const struct kashi_feed_event *event)
{
    if (table->form == TABLE_PEOPLE) {
        watch_people(event);
    } else if (table->form == TABLE_JSON && event->data != NULL) {
        cli_print_json(message_json_market_data(event->data));
    } else if (event->kind != KASHI_FEED_TRADES) {
        json_t *row = top_json(event);
        if (table->form == TABLE_CSV) {
            leave_out_nothing(row);
        }
        table_row(table, row);
        json_decref(row);
    }
    (void)fflush(stdout);
}

/* Prints `count` events, 0: until the program is ended. */
static int watch_follow(struct cli *cli, struct kashi_feed *feed, int64_t count)
{
    struct table table;
    table_begin(&table, stdout, cli->form, top_columns, COUNT_OF(top_columns));
    int64_t deadline_ns = clock_monotonic_ns() + cli->timeout_ns;
    int64_t seen = 0;
    while (count == 0 || seen < count) {
        struct kashi_feed_event event;
        int rc = kashi_feed_next(feed, &event, &cli->error);
        if (rc < 0) {
            return cli_lost(cli);
        }
        if (rc > 0) {
            watch_print(&table, &event);
            seen++;
            continue;
        }
        if (kashi_feed_waiting(feed) == 0) {
            deadline_ns = clock_monotonic_ns() + cli->timeout_ns;
        } else if (seen == 0 && clock_monotonic_ns() >= deadline_ns) {
            error_set(&cli->error, ERROR_LOST, "the market data service does not answer");
            return cli_lost(cli);
        }
        kashi_feed_wait(feed, 1000);
    }
    return CLI_DONE;
}

static int watch_subscribe(struct cli *cli, struct kashi_feed *feed)
{
    uint32_t subscribed = 0;
    for (uint32_t i = 0; i < cli->arguments.count; i++) {
        const struct arguments_value *value = &cli->arguments.values[i];
        if (strcmp(value->name, "symbol") != 0) {
            continue;
        }
        subscribed++;
        if (kashi_feed_subscribe(feed, value->text, &cli->error) < 0) {
            return cli_usage(cli);
        }
    }
    if (arguments_given(&cli->arguments, "all")) {
        return kashi_feed_subscribe(feed, "", &cli->error) < 0 ? cli_usage(cli) : CLI_DONE;
    }
    if (subscribed == 0) {
        char symbol[SYMBOL_SIZE];
        int status = cli_symbol(cli, symbol);
        return status != CLI_DONE                                    ? status
               : kashi_feed_subscribe(feed, symbol, &cli->error) < 0 ? cli_usage(cli)
                                                                     : CLI_DONE;
    }
    return CLI_DONE;
}

/* Wrong symbols are found before anything is connected. */
static int watch_check(struct cli *cli)
{
    bool any = arguments_given(&cli->arguments, "all");
    for (uint32_t i = 0; i < cli->arguments.count; i++) {
        const struct arguments_value *value = &cli->arguments.values[i];
        if (strcmp(value->name, "symbol") != 0) {
            continue;
        }
        any = true;
        size_t length = strlen(value->text);
        uint32_t hour;
        if (!symbol_hour(value->text, &hour) && (length == 0 || value->text[length - 1] != '.')) {
            error_set(&cli->error, ERROR_INVALID,
                      "symbol '%s': give CLASS.REGION.TIER.HOUR (H100.CN-GZ.G80.20261121T14Z), or "
                      "the beginning of it up to a full stop (H100.CN-GZ.)",
                      value->text);
            return cli_usage(cli);
        }
    }
    char symbol[SYMBOL_SIZE];
    return any ? CLI_DONE : cli_symbol(cli, symbol);
}

static int run_watch(struct cli *cli)
{
    char market_data[ENDPOINT_SIZE];
    char snapshot[ENDPOINT_SIZE];
    int64_t count = 0;
    if (arguments_number(&cli->arguments, "count", 1, INT64_MAX, &count, &cli->error) < 0) {
        return cli_usage(cli);
    }
    int status = watch_check(cli);
    if (status == CLI_DONE) {
        status = cli_endpoint(cli, "market-data", "replica", "market_data", market_data);
    }
    if (status == CLI_DONE) {
        status = cli_endpoint(cli, "snapshot", "replica", "snapshot", snapshot);
    }
    if (status != CLI_DONE) {
        return status;
    }
    struct kashi_feed *feed;
    const struct kashi_feed_config config = {
        .zmq_context = cli->zmq, .market_data = market_data, .snapshot = snapshot};
    if (kashi_feed_open(&feed, &config, &cli->error) < 0) {
        return cli_usage(cli);
    }
    status = watch_subscribe(cli, feed);
    if (status == CLI_DONE) {
        status = watch_follow(cli, feed, count);
    }
    kashi_feed_close(feed);
    return status;
}

/* --- index ------------------------------------------------------------------------------------------- */

static const struct table_column index_columns[] = {
    {"CLASS", "class", TABLE_TEXT},
    {"REGION", "region", TABLE_TEXT},
    {"TIER", "tier", TABLE_TEXT},
    {"DAY", "day", TABLE_TEXT},
    {"PRICE", "price_e4", TABLE_MONEY},
    {"LEVEL", "level", TABLE_NUMBER},
    {"KIND", "kind", TABLE_TEXT},
    {"GPU-HOURS", "volume_qty", TABLE_NUMBER},
    {"TRADES", "observations", TABLE_NUMBER},
    {"BUYERS", "buyers", TABLE_NUMBER},
    {"SELLERS", "sellers", TABLE_NUMBER},
    {"VERSION", "parameter_version", TABLE_NUMBER},
};

static void index_line(const json_t *row)
{
    char cells[7][TABLE_CELL_SIZE];
    for (uint32_t i = 0; i < COUNT_OF(cells); i++) {
        table_cell(&index_columns[i], row, cells[i]);
    }
    char volume[TABLE_CELL_SIZE];
    table_cell(&index_columns[7], row, volume);
    printf("%s.%s.%-4s  %s  %9s  level %s  %s  %s GPU-hours\n", cells[0], cells[1], cells[2],
           cells[3], cells[4][0] != '\0' ? cells[4] : "-", cells[5], cells[6], volume);
    (void)fflush(stdout);
}

static int index_follow(struct cli *cli, struct kashi_feed *feed, bool follow)
{
    struct table table;
    table_begin(&table, stdout, cli->form, index_columns, COUNT_OF(index_columns));
    int64_t deadline_ns = clock_monotonic_ns() + cli->timeout_ns;
    int status = CLI_DONE;
    while (status == CLI_DONE) {
        struct kashi_feed_event event;
        int rc = kashi_feed_next(feed, &event, &cli->error);
        bool answered = kashi_feed_counters(feed)->index_answers > 0;
        if (rc < 0 || (!answered && clock_monotonic_ns() >= deadline_ns)) {
            if (rc == 0) {
                error_set(&cli->error, ERROR_LOST, "the index service does not answer");
            }
            status = cli_lost(cli);
        } else if (rc > 0) {
            json_t *row = message_json_index(event.index);
            if (follow && cli->form == TABLE_PEOPLE) {
                index_line(row);
            } else {
                table_row(&table, row);
            }
            json_decref(row);
        } else if (answered && !follow) {
            break;
        } else {
            (void)fflush(stdout);
            kashi_feed_wait(feed, 1000);
        }
    }
    table_end(&table, follow || status != CLI_DONE ? "" : "no index value yet");
    return status;
}

static int run_index(struct cli *cli)
{
    char index[ENDPOINT_SIZE];
    char latest[ENDPOINT_SIZE];
    bool follow = arguments_given(&cli->arguments, "follow");
    const char *topic = arguments_get(&cli->arguments, "topic");
    int status = cli_endpoint(cli, "index", "pricing", "index", index);
    if (status == CLI_DONE) {
        status = cli_endpoint(cli, "index-snapshot", "pricing", "index_snapshot", latest);
    }
    if (status != CLI_DONE) {
        return status;
    }
    struct kashi_feed *feed;
    const struct kashi_feed_config config = {
        .zmq_context = cli->zmq, .index = follow ? index : NULL, .index_snapshot = latest};
    if (kashi_feed_open(&feed, &config, &cli->error) < 0) {
        return cli_usage(cli);
    }
    if (kashi_feed_subscribe_index(feed, topic != NULL ? topic : "", &cli->error) < 0) {
        status = cli_usage(cli);
    } else {
        status = index_follow(cli, feed, follow);
    }
    kashi_feed_close(feed);
    return status;
}

static const struct arguments_option watch_options[] = {
    {"symbol", "SYMBOL", "a contract, or the beginning of symbols up to a full stop: H100.CN-GZ."},
    {"class", "CLASS", "or a contract by its parts: H100, A100-80, 910B …"},
    {"region", "REGION", "CN-GZ, CN-NM …"},
    {"tier", "TIER", "G0, G50, G80 or G100"},
    {"hour", "HOUR", "UTC, 2026-11-21T14; +3: three hours from now"},
    {"all", NULL, "every contract"},
    {"count", "N", "end after N lines of changes"},
    {"market-data", "ENDPOINT", "else what DIR/replica.endpoints says"},
    {"snapshot", "ENDPOINT", "likewise"},
    {NULL, NULL, NULL},
};
static const struct arguments_option index_options[] = {
    {"topic", "TOPIC", "only values whose CLASS.REGION.TIER.YYYYMMDD begins so"},
    {"follow", NULL, "go on with every new value"},
    {"index", "ENDPOINT", "else what DIR/pricing.endpoints says"},
    {"index-snapshot", "ENDPOINT", "likewise"},
    {NULL, NULL, NULL},
};

const struct arguments_command command_market_list[] = {
    {.name = "watch",
     .summary = "Follow contracts live: best bid and offer, and trades.",
     .positional = {"symbol", "…"},
     .options = watch_options,
     .examples = {"H100.CN-GZ.G80.20261121T14Z", "H100.CN-GZ. A100-80.",
                  "--class H100 --region CN-GZ --tier G80 --hour +3 --count 10", "--all --json"},
     .run = run_watch},
    {.name = "index",
     .summary = "Show index values, and follow them.",
     .positional = {"topic"},
     .options = index_options,
     .examples = {"", "H100.CN-GZ.G80", "--follow", "--csv"},
     .run = run_index},
    {.name = NULL},
};
