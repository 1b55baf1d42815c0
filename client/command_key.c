#include <string.h>
#include <zmq.h>

#include "client/cli.h"

#define KASHI_VERSION "0.1.0"

#define PATH_LENGTH_MAX 1000

static bool ends_with_key(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".key") == 0;
}

static int run_keygen(struct cli *cli)
{
    struct kashi_key key;
    char secret_path[PATH_LENGTH_MAX + 8];
    char public_path[PATH_LENGTH_MAX + 8];
    const char *name = arguments_get(&cli->arguments, "name");
    if (name == NULL || name[0] == '\0' || strlen(name) > PATH_LENGTH_MAX) {
        error_set(&cli->error, ERROR_INVALID, "name the key, for example: kashi keygen buyer");
        return cli_usage(cli);
    }
    int stem = (int)strlen(name) - (ends_with_key(name) ? 4 : 0);
    (void)snprintf(secret_path, sizeof(secret_path), "%.*s.key", stem, name);
    (void)snprintf(public_path, sizeof(public_path), "%.*s.pub", stem, name);
    if (kashi_key_generate(&key, &cli->error) < 0 ||
        kashi_key_save(&key, secret_path, &cli->error) < 0 ||
        kashi_key_save_public(&key, public_path, &cli->error) < 0) {
        return cli_usage(cli);
    }
    if (cli->form == TABLE_JSON) {
        cli_print_json(json_pack("{ss ss ss}", "key", secret_path, "pub", public_path, "public_key",
                                 key.public_text));
    } else {
        printf("%s: keep it secret, it is your account\n%s: give it to the operator\n", secret_path,
               public_path);
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
     .summary = "Make a key pair: NAME.key for you alone, NAME.pub for the operator.",
     .positional = {"name"},
     .options = (const struct arguments_option[]){{"name", "NAME", "writes NAME.key and NAME.pub"},
                                                  {NULL, NULL, NULL}},
     .examples = {"buyer", "run/keys/desk-1"},
     .run = run_keygen},
    {.name = "version", .summary = "Show the version.", .run = run_version},
    {.name = NULL},
};
