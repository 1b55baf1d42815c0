/* kashi-demo: fills a new market with sample accounts (`samples`), or trades through one simulated
 * day with 240 sessions over the market's gateways (`day`). */
#include "client/demo.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_REFUSED 1
#define EXIT_USAGE   2
#define EXIT_LOST    3

#define DEFAULT_SEED 20261121

static void usage(FILE *out)
{
    (void)fputs(
        "usage: kashi-demo --dir DIR [OPTIONS] samples | day\n"
        "  samples  register classes, regions, markets and sample accounts of a new market,\n"
        "           with keys in DIR/keys, and print what to try\n"
        "  day      trade one day on a simulated clock with 240 accounts\n"
        "  --dir DIR            instance folder, the market running (client/market.sh)\n"
        "  --data DIR           the product's tables (default: data)\n"
        "  --seed N             of the day's orders (default 20261121)\n"
        "  --gateways N         gateway.1 .. gateway.N (default 2)\n"
        "  --orders-a-minute N  requests in each simulated minute, 1 .. 1024 (default 128)\n"
        "  --no-curve           gateways without encryption\n"
        "example:\n"
        "  client/market.sh start run/demo --simulated 2026-11-20T16:00Z\n"
        "  build/release/bin/kashi-demo --dir run/demo day\n",
        out);
}

static bool take_number(const char *option, const char *text, uint64_t low, uint64_t high,
                        uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number >= low &&
        *number <= high) {
        return true;
    }
    (void)fprintf(stderr, "kashi-demo: %s %s: a number within %llu .. %llu is needed\n", option,
                  text, (unsigned long long)low, (unsigned long long)high);
    return false;
}

static bool take_options(int argc, char **argv, struct demo_options *options)
{
    static const struct option known[] = {{"dir", required_argument, NULL, 'd'},
                                          {"data", required_argument, NULL, 't'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"gateways", required_argument, NULL, 'g'},
                                          {"orders-a-minute", required_argument, NULL, 'o'},
                                          {"no-curve", no_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    uint64_t number;
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'd':
            options->directory = optarg;
            break;
        case 't':
            options->data = optarg;
            break;
        case 's':
            if (!take_number("--seed", optarg, 0, UINT64_MAX, &options->seed)) {
                return false;
            }
            break;
        case 'g':
            if (!take_number("--gateways", optarg, 1, DESK_GATEWAYS_MAX, &number)) {
                return false;
            }
            options->gateways = (uint32_t)number;
            break;
        case 'o':
            if (!take_number("--orders-a-minute", optarg, 1, DEMO_MINUTE_MAX, &number)) {
                return false;
            }
            options->orders_a_minute = (uint32_t)number;
            break;
        case 'n':
            options->curve = false;
            break;
        case 'h':
            usage(stdout);
            exit(EXIT_SUCCESS);
        default:
            return false;
        }
    }
    return options->directory != NULL && optind == argc - 1;
}

static int open_market(struct demo_market *market, struct error *error)
{
    struct kashi_key key;
    int rc = kashi_key_load(&key, "keys/operator.key", error);
    if (rc != 0) {
        return rc;
    }
    rc = desk_open(&market->desk, market->options.gateways, market->options.curve, error);
    if (rc != 0) {
        return rc;
    }
    rc = desk_sit(market->desk, &key, 0, KASHI_WINDOW_DEFAULT, error);
    if (rc < 0) {
        return rc;
    }
    market->operator_seat = (uint32_t)rc;
    rc = desk_ready(market->desk, DEMO_READY_TIMEOUT_MS, error);
    if (rc == 0) {
        market->now_ns = kashi_session_login(desk_session(market->desk, market->operator_seat))
                             ->transact_time_ns;
    }
    return rc;
}

static bool is_default(const char *directory)
{
    struct stat given;
    struct stat own;
    return stat(directory, &given) == 0 && stat("run", &own) == 0 && given.st_dev == own.st_dev &&
           given.st_ino == own.st_ino;
}

int main(int argc, char **argv)
{
    static struct demo_market market = {.options = {.data = "data",
                                                    .seed = DEFAULT_SEED,
                                                    .gateways = 2,
                                                    .orders_a_minute = 128,
                                                    .curve = true}};
    if (!take_options(argc, argv, &market.options)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    const char *command = argv[optind];
    bool samples = strcmp(command, "samples") == 0;
    if (!samples && strcmp(command, "day") != 0) {
        usage(stderr);
        return EXIT_USAGE;
    }
    struct error error = {0};
    int rc = tables_load(&market.tables, market.options.data, &error);
    market.default_directory = is_default(market.options.directory);
    if (rc == 0 && chdir(market.options.directory) != 0) {
        rc = error_system(&error, errno, "%s", market.options.directory);
    }
    rc = rc != 0 ? rc : open_market(&market, &error);
    if (rc == 0) {
        rc = samples ? demo_samples(&market, &error) : demo_day(&market, &error);
    }
    desk_close(market.desk);
    if (rc != 0) {
        (void)fprintf(stderr, "kashi-demo: %s\n", error.text);
        return rc == ERROR_LOST ? EXIT_LOST : EXIT_REFUSED;
    }
    return EXIT_SUCCESS;
}
