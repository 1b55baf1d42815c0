#include <zmq.h>

#include "client/cli.h"

#define KASHI_VERSION "0.1.0"

static int run_keygen(struct cli *cli)
{
    struct kashi_key key;
    const char *path = arguments_get(&cli->arguments, "file");
    if (path == NULL) {
        error_set(&cli->error, ERROR_INVALID, "name the file to write, for example buyer.key");
        return cli_usage(cli);
    }
    if (kashi_key_generate(&key, &cli->error) < 0 || kashi_key_save(&key, path, &cli->error) < 0) {
        return cli_usage(cli);
    }
    if (cli->form == TABLE_JSON) {
        cli_print_json(json_pack("{ss ss}", "file", path, "public_key", key.public_text));
    } else {
        printf("%s\nwritten to %s; keep the file secret and give the line above to an operator\n",
               key.public_text, path);
    }
    return CLI_DONE;
}

static int run_version(struct cli *cli)
{
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    if (cli->form == TABLE_JSON) {
        cli_print_json(json_pack("{ss}", "version", KASHI_VERSION));
    } else {
        printf("kashi " KASHI_VERSION " (ZeroMQ %d.%d.%d, jansson " JANSSON_VERSION ")\n", major,
               minor, patch);
    }
    return CLI_DONE;
}

const struct arguments_command command_key_list[] = {
    {.name = "keygen",
     .summary = "Make a key pair in a new file that only you can read.",
     .positional = {"file"},
     .options = (const struct arguments_option[]){{"file", "FILE", "must not exist yet"},
                                                  {NULL, NULL, NULL}},
     .examples = {"buyer.key"},
     .run = run_keygen},
    {.name = "version", .summary = "Show the version.", .run = run_version},
    {.name = NULL},
};
