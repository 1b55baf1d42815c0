#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "client/cli.h"

static const struct {
    const char *title;
    const struct arguments_command *commands;
} groups[] = {
    {"trade", command_order_list},
    {"look up", command_read_list},
    {"follow", command_market_list},
    {"operate (needs an operator's key)", command_admin_list},
    {"bring in a trace (needs an operator's key)", command_import_list},
    {"keys", command_key_list},
};
#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

static void help(FILE *out)
{
    (void)fprintf(out, "kashi: trade compute-hours and follow their market.\n\n"
                       "usage: kashi COMMAND [OPTIONS]; kashi COMMAND --help says more\n");
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        (void)fprintf(out, "\n%s\n", groups[g].title);
        for (const struct arguments_command *c = groups[g].commands; c->name != NULL; c++) {
            (void)fprintf(out, "  %-16s %s\n", c->name, c->summary);
        }
    }
    (void)fprintf(
        out, "\nexamples:\n"
             "  kashi book H100.CN-GZ.G80.20261121T14Z --key buyer-1\n"
             "  kashi bid --class H100 --region CN-GZ --tier G80 --hour +3 --price 16.40 --qty 8 "
             "--key buyer-1\n"
             "  kashi offer --catalogue catalogue.csv --key provider-1\n"
             "  kashi watch H100.CN-GZ.\n"
             "\nPrices are yuan for one GPU-hour, with up to 4 decimals; hours are UTC.\n"
             "The market is found in the folder run, or where KASHI_DIR or --dir say; your key in "
             "KASHI_KEY or --key;\nuse a key for each program, for a login ends the one before it "
             "with the same key.\n"
             "exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection\n");
}

/* The command that argv names; *words is how many words its name has. */
static const struct arguments_command *find(int argc, char **argv, int *words)
{
    char two[64] = "";
    if (argc > 1 && strcmp(argv[0], "admin") == 0) {
        (void)snprintf(two, sizeof(two), "admin %s", argv[1]);
    }
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        for (const struct arguments_command *c = groups[g].commands; c->name != NULL; c++) {
            if (strcmp(c->name, argv[0]) == 0 || strcmp(c->name, two) == 0) {
                *words = strchr(c->name, ' ') != NULL ? 2 : 1;
                return c;
            }
        }
    }
    return NULL;
}

static int unknown(int argc, char **argv)
{
    if (strcmp(argv[0], "admin") != 0) {
        (void)fprintf(stderr, "kashi: '%s' is not a command; see kashi --help\n", argv[0]);
        return CLI_USAGE;
    }
    bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    FILE *out = asked ? stdout : stderr;
    if (argc > 1 && !asked) {
        (void)fprintf(out, "kashi admin: '%s' is not one of its commands:\n", argv[1]);
    }
    for (const struct arguments_command *c = command_admin_list; c->name != NULL; c++) {
        (void)fprintf(out, "  %-16s %s\n", c->name, c->summary);
    }
    return asked ? CLI_DONE : CLI_USAGE;
}

static int run(struct cli *cli)
{
    const struct arguments *arguments = &cli->arguments;
    int64_t timeout_s = 10;
    const char *output = arguments_get(arguments, "output");
    const char *csv = arguments_get(arguments, "csv"); /* of offer: a file */
    if (output != NULL && strcmp(output, "csv") != 0 && strcmp(output, "json") != 0) {
        error_set(&cli->error, ERROR_INVALID, "--output: '%s' is not csv or json", output);
        return cli_usage(cli);
    }
    if (arguments_given(arguments, "json") || (output != NULL && strcmp(output, "json") == 0)) {
        cli->form = TABLE_JSON;
    } else if (output != NULL || (csv != NULL && csv[0] == '\0')) {
        cli->form = TABLE_CSV;
    }
    if (arguments_number(arguments, "timeout", 1, 86400, &timeout_s, &cli->error) < 0) {
        return cli_usage(cli);
    }
    cli->timeout_ns = timeout_s * NS_PER_SECOND;
    cli->now_ns = clock_realtime_ns();
    cli->zmq = zmq_ctx_new();
    return arguments->command->run(cli);
}

int main(int argc, char **argv)
{
    static struct cli cli;
    int words = 0;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? CLI_USAGE : CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        argv[1] += 2;
    }
    const struct arguments_command *command = find(argc - 1, argv + 1, &words);
    if (command == NULL) {
        return unknown(argc - 1, argv + 1);
    }
    int status;
    if (arguments_parse(&cli.arguments, command, argc - 1 - words, argv + 1 + words, &cli.error) <
        0) {
        status = cli_usage(&cli);
    } else if (arguments_given(&cli.arguments, "help")) {
        arguments_help(command, "kashi", stdout);
        status = CLI_DONE;
    } else {
        status = run(&cli);
    }
    cli_free(&cli);
    return status;
}
