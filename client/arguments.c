#include "client/arguments.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "client/decimal.h"
#include "client/fields.h"
#include "client/table.h"

static const struct arguments_option common[] = {
    {"dir", "DIR", "the market's folder (else KASHI_DIR, else run)"},
    {"gateway", "ENDPOINT",
     "tcp://HOST:PORT, or the name of a gateway in DIR (else KASHI_GATEWAY)"},
    {"gateway-key", "KEY|FILE", "the gateway's public key (else DIR/keys/gateway.pub)"},
    {"key", "FILE", "your key file, or its name in DIR/keys (else KASHI_KEY)"},
    {"timeout", "SECONDS", "give up when nothing is answered for so long (10)"},
    {"json", NULL, "JSON for programs: the protocol's names and integers, one object a line"},
    {"csv", NULL, "CSV with decimal prices"},
    {"output", "csv|json", "the same by another name, where --csv is something else (offer)"},
    {"help", NULL, "this text"},
    {NULL, NULL, NULL},
};

/* Words that people try first. */
static const char *const aliases[][2] = {{"gpus", "qty"},
                                         {"until", "expire-time"},
                                         {"display", "display-qty"},
                                         {"job-lead", "job-lead-hours"}};

static const struct arguments_option *option_in(const struct arguments_option *options,
                                                const char *name)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (strcmp(options->name, name) == 0) {
            return options;
        }
    }
    return NULL;
}

static bool hidden(const struct arguments_command *command, const struct codec_field *field)
{
    for (const char *const *name = command->hidden; name != NULL && *name != NULL; name++) {
        if (strcmp(*name, field->name) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the command has the option, and whether that takes a value. */
static bool option_known(const struct arguments_command *command, const char *name, bool *valued)
{
    const struct arguments_option *own = option_in(command->options, name);
    if (own != NULL) {
        *valued = own->value != NULL;
        return true;
    }
    const struct codec_field *field = fields_find(command->request, name);
    if (field != NULL && !hidden(command, field)) {
        *valued = field->kind != CODEC_BOOL;
        return true;
    }
    own = option_in(common, name);
    if (own != NULL) {
        *valued = own->value != NULL;
    }
    return own != NULL;
}

static int value_add(struct arguments *arguments, const char *name, const char *text,
                     struct error *error)
{
    if (arguments->count == ARGUMENTS_MAX) {
        return error_set(error, ERROR_INVALID, "more than %d options and values", ARGUMENTS_MAX);
    }
    struct arguments_value *value = &arguments->values[arguments->count++];
    size_t length = strlen(name);
    CHECK(length < ARGUMENTS_NAME_SIZE);
    memcpy(value->name, name, length + 1);
    value->text = text;
    return 0;
}

/* One option that begins with "--"; returns how many words of argv it took. */
static int option_take(struct arguments *arguments, const char *word, const char *next,
                       struct error *error)
{
    const struct arguments_command *command = arguments->command;
    char name[ARGUMENTS_NAME_SIZE];
    const char *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    name[0] = '\0';
    if (length - 2 < sizeof(name)) {
        memcpy(name, word + 2, length - 2);
        name[length - 2] = '\0';
    }
    bool valued;
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(name, aliases[i][0]) == 0 && !option_known(command, name, &valued)) {
            (void)snprintf(name, sizeof(name), "%s", aliases[i][1]);
        }
    }
    if (name[0] == '\0' || !option_known(command, name, &valued)) {
        return error_set(error, ERROR_INVALID,
                         "%.*s is not an option of kashi %s; see kashi %s --help", (int)length,
                         word, command->name, command->name);
    }
    if (!valued && equals != NULL) {
        return error_set(error, ERROR_INVALID, "--%s takes no value; leave out '%s'", name, equals);
    }
    if (valued && equals == NULL && next == NULL) {
        return error_set(error, ERROR_INVALID, "--%s needs a value behind it", name);
    }
    int rc = value_add(arguments, name, !valued ? "" : equals != NULL ? equals + 1 : next, error);
    return rc < 0 ? rc : valued && equals == NULL ? 2 : 1;
}

static int positional_take(struct arguments *arguments, uint32_t *place, const char *word,
                           struct error *error)
{
    const struct arguments_command *command = arguments->command;
    const char *name = *place < 3 ? command->positional[*place] : NULL;
    bool again = *place > 0 && name != NULL && strcmp(name, "…") == 0;
    if (name == NULL) {
        return error_set(error, ERROR_INVALID, "'%s' is one word too many; see kashi %s --help",
                         word, command->name);
    }
    if (again) {
        return value_add(arguments, command->positional[*place - 1], word, error);
    }
    (*place)++;
    return value_add(arguments, name, word, error);
}

int arguments_parse(struct arguments *arguments, const struct arguments_command *command, int argc,
                    char **argv, struct error *error)
{
    *arguments = (struct arguments){.command = command};
    uint32_t place = 0;
    bool options = true;
    for (int i = 0; i < argc;) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            i++;
        } else if (options && strcmp(argv[i], "-h") == 0) {
            value_add(arguments, "help", "", error);
            i++;
        } else if (options && argv[i][0] == '-' && argv[i][1] == '-') {
            int rc = option_take(arguments, argv[i], i + 1 < argc ? argv[i + 1] : NULL, error);
            if (rc < 0) {
                return rc;
            }
            i += rc;
        } else {
            int rc = positional_take(arguments, &place, argv[i], error);
            if (rc < 0) {
                return rc;
            }
            i++;
        }
    }
    return 0;
}

const char *arguments_get(const struct arguments *arguments, const char *name)
{
    for (uint32_t i = arguments->count; i > 0; i--) {
        if (strcmp(arguments->values[i - 1].name, name) == 0) {
            return arguments->values[i - 1].text;
        }
    }
    return NULL;
}

bool arguments_given(const struct arguments *arguments, const char *name)
{
    return arguments_get(arguments, name) != NULL;
}

int arguments_number(const struct arguments *arguments, const char *name, int64_t low, int64_t high,
                     int64_t *number, struct error *error)
{
    const char *text = arguments_get(arguments, name);
    if (text == NULL) {
        return 0;
    }
    int64_t given;
    enum decimal_result result = decimal_parse(text, 0, &given);
    if (result != DECIMAL_OK || given < low || given > high) {
        char why[64];
        decimal_explain(result, 0, why, sizeof(why));
        return error_set(error, ERROR_INVALID, "--%s: '%s' %s; give %" PRId64 " .. %" PRId64, name,
                         text, result == DECIMAL_OK ? "is out of range" : why, low, high);
    }
    *number = given;
    return 0;
}

static void help_option(FILE *out, const char *name, const char *value, const char *help)
{
    char left[ARGUMENTS_NAME_SIZE + 128];
    (void)snprintf(left, sizeof(left), "--%s%s%s", name, value[0] != '\0' ? " " : "", value);
    int width = (int)table_width(left);
    if (help[0] == '\0') {
        (void)fprintf(out, "  %s", left);
    } else {
        (void)fprintf(out, "  %s%*s %s", left, width < 28 ? 28 - width : 0, "", help);
    }
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(name, aliases[i][1]) == 0) {
            (void)fprintf(out, " (or --%s)", aliases[i][0]);
        }
    }
    (void)fprintf(out, "\n");
}

void arguments_help(const struct arguments_command *command, const char *program, FILE *out)
{
    (void)fprintf(out, "%s\n\nusage: %s %s", command->summary, program, command->name);
    for (int i = 0; i < 3 && command->positional[i] != NULL; i++) {
        bool again = strcmp(command->positional[i], "…") == 0;
        (void)fprintf(out, again ? "%s" : " [%s", again ? "…" : command->positional[i]);
        (void)fprintf(out, again ? "" : "]");
    }
    (void)fprintf(out, " [OPTIONS]\n\noptions:\n");
    for (const struct arguments_option *o = command->options; o != NULL && o->name != NULL; o++) {
        help_option(out, o->name, o->value != NULL ? o->value : "", o->help);
    }
    const struct codec_field *field;
    for (uint32_t at = 0; (field = fields_next(command->request, &at)) != NULL;) {
        char name[ARGUMENTS_NAME_SIZE];
        char value[FIELDS_VALUE_SIZE];
        fields_option_name(field, name);
        fields_value_name(field, value);
        if (!hidden(command, field) && option_in(command->options, name) == NULL) {
            bool required = (field->flags & CODEC_REQUIRED) != 0;
            const char *help = fields_help(field);
            char text[128];
            (void)snprintf(text, sizeof(text), "%s%s%s", required ? "required" : "",
                           required && help[0] != '\0' ? "; " : "", help);
            help_option(out, name, value, text);
        }
    }
    (void)fprintf(out, "for every command:\n");
    for (const struct arguments_option *o = common; o->name != NULL; o++) {
        if (option_in(command->options, o->name) == NULL) {
            help_option(out, o->name, o->value != NULL ? o->value : "", o->help);
        }
    }
    if (command->examples[0] != NULL) {
        (void)fprintf(out, "examples:\n");
    }
    for (int i = 0; i < ARGUMENTS_EXAMPLES_MAX && command->examples[i] != NULL; i++) {
        const char *example = command->examples[i];
        (void)fprintf(out, "  kashi %s%s%s\n", command->name, example[0] != '\0' ? " " : "",
                      example);
    }
}
