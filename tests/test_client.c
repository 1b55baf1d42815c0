/* The parts of the command line that touch no socket: decimals, symbols, CSV and catalogues, tables,
 * options; and the depth book against a plain array. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "client/arguments.h"
#include "client/catalogue.h"
#include "client/cli.h"
#include "client/csv.h"
#include "client/decimal.h"
#include "client/fields.h"
#include "client/kashi.h"
#include "client/message_json.h"
#include "client/symbol.h"
#include "client/table.h"

/* 2026-11-20T13:30Z */
#define NOW_NS (INT64_C(1795181400) * NS_PER_SECOND)

static struct error error;

/* --- keys ------------------------------------------------------------------------------------------- */

Test(key, is_not_taken_from_a_file_that_others_can_read)
{
    char path[] = "/tmp/kashi-test-key-XXXXXX";
    struct kashi_key made;
    struct kashi_key loaded;
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
    unlink(path);
    cr_assert_eq(kashi_key_generate(&made, &error), 0);
    cr_assert_eq(kashi_key_save(&made, path, &error), 0);
    cr_assert_eq(kashi_key_load(&loaded, path, &error), 0, "%s", error.text);
    cr_assert_str_eq(loaded.secret_text, made.secret_text);
    chmod(path, 0640);
    const int rc = kashi_key_load(&loaded, path, &error);
    unlink(path);
    cr_assert_eq(rc, ERROR_INVALID);
    cr_assert_neq(strstr(error.text, "chmod 600"), NULL, "%s", error.text);
}

/* --- decimals --------------------------------------------------------------------------------------- */

static void parses(const char *text, int places, int64_t expected)
{
    int64_t value = -77;
    cr_assert_eq(decimal_parse(text, places, &value), DECIMAL_OK, "%s", text);
    cr_assert_eq(value, expected, "%s gave %lld", text, (long long)value);
}

static void refuses(const char *text, int places, enum decimal_result expected)
{
    int64_t value = -77;
    cr_assert_eq(decimal_parse(text, places, &value), expected, "%s", text);
    cr_assert_eq(value, -77, "%s changed the value", text);
}

Test(decimal, parses_exactly)
{
    parses("16.40", 4, 164000);
    parses("16.4", 4, 164000);
    parses("0.0001", 4, 1);
    parses("¥13.01", 4, 130100);
    parses("￥13.01", 4, 130100);
    parses("-¥2.5", 4, -25000);
    parses("+7", 0, 7);
    parses("8.000", 0, 8);
    parses("1.230000", 4, 12300);
    parses("922337203685477.5807", 4, INT64_MAX);
}

Test(decimal, refuses_what_is_not_exact_or_no_number)
{
    refuses("16.40001", 4, DECIMAL_TOO_MANY_PLACES);
    refuses("8.5", 0, DECIMAL_TOO_MANY_PLACES);
    refuses("922337203685477.5808", 4, DECIMAL_TOO_LARGE);
    refuses("99999999999999999999", 0, DECIMAL_TOO_LARGE);
    const char *const wrong[] = {"",     "-",     ".5", "5.", "1,5", "1e3",
                                 "0x10", "1.2.3", " 1", "1 ", "¥"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refuses(wrong[i], 4, DECIMAL_NOT_A_NUMBER);
    }
}

Test(decimal, shows_at_least_two_decimals_and_never_rounds)
{
    const struct {
        int64_t value;
        const char *text;
    } cases[] = {{164000, "16.40"},
                 {1, "0.0001"},
                 {-25000, "-2.50"},
                 {130487, "13.0487"},
                 {12340, "1.234"},
                 {0, "0.00"},
                 {INT64_MAX, "922337203685477.5807"},
                 {INT64_MIN, "-922337203685477.5808"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[DECIMAL_TEXT_SIZE];
        decimal_format(cases[i].value, 4, 2, text);
        cr_assert_str_eq(text, cases[i].text);
    }
}

Test(decimal, what_is_shown_parses_back)
{
    uint64_t seed = (uint64_t)clock_realtime_ns();
    struct random random;
    random_seed(&random, seed);
    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(random_next(&random) >> random_below(&random, 63));
        int64_t back;
        char text[DECIMAL_TEXT_SIZE];
        decimal_format(value, 4, 2, text);
        cr_assert_eq(decimal_parse(text, 4, &back), DECIMAL_OK, "seed %llu: %s",
                     (unsigned long long)seed, text);
        cr_assert_eq(back, value, "seed %llu: %s", (unsigned long long)seed, text);
    }
}

/* --- symbols ---------------------------------------------------------------------------------------- */

static const char *completed(const struct symbol_parts *parts)
{
    static char symbol[SYMBOL_SIZE];
    error.text[0] = '\0';
    return symbol_complete(parts, NOW_NS, symbol, &error) == 0 ? symbol : NULL;
}

Test(symbol, completes_from_parts)
{
    const char *const hours[] = {"2026-11-21T14",       "2026-11-21T14Z", "2026-11-21 14",
                                 "2026-11-21T14:00Z",   "20261121T14Z",   "2026112114",
                                 "2026-11-21T14:00:00Z"};
    for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
        const struct symbol_parts parts = {.dashes = "--",
                                           .class_name = "H100",
                                           .region = "CN-GZ",
                                           .tier = "G80",
                                           .hour = hours[i]};
        const char *symbol = completed(&parts);
        cr_assert_not_null(symbol, "%s: %s", hours[i], error.text);
        cr_assert_str_eq(symbol, "H100.CN-GZ.G80.20261121T14Z");
    }
}

Test(symbol, counts_hours_from_now)
{
    struct symbol_parts parts = {
        .dashes = "--", .class_name = "H100", .region = "CN-GZ", .tier = "G0", .hour = "+3"};
    cr_assert_str_eq(completed(&parts), "H100.CN-GZ.G0.20261120T16Z");
    parts.hour = "+0";
    cr_assert_str_eq(completed(&parts), "H100.CN-GZ.G0.20261120T13Z");
}

Test(symbol, takes_a_whole_one_as_it_is_and_refuses_half_a_one)
{
    struct symbol_parts parts = {.dashes = "--", .whole = "A100-80.US-OR.G100.20261121T00Z"};
    cr_assert_str_eq(completed(&parts), parts.whole);
    const char *const wrong[] = {"H100.CN-GZ.G80",
                                 "H100.CN-GZ.G81.20261121T14Z",
                                 "H100",
                                 "H100.CN-GZ.G80.20261131T14Z",
                                 "H100.CN-GZ.G80.20261121T14Z ",
                                 "H100..G80.20261121T14Z",
                                 ""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        parts.whole = wrong[i];
        cr_assert_null(completed(&parts), "%s", wrong[i]);
        cr_assert_not_null(strstr(error.text, "H100.CN-GZ.G80.20261121T14Z"), "%s", error.text);
    }
}

Test(symbol, an_error_names_the_part_and_the_remedy)
{
    const struct {
        struct symbol_parts parts;
        const char *says;
    } cases[] = {
        {{.region = "CN-GZ", .tier = "G80", .hour = "+1"}, "--class is missing"},
        {{.class_name = "H100", .tier = "G80", .hour = "+1"}, "--region is missing"},
        {{.class_name = "H100", .region = "CN-GZ", .hour = "+1"}, "--tier is missing: give G0"},
        {{.class_name = "H100", .region = "CN-GZ", .tier = "G81", .hour = "+1"}, "'G81'"},
        {{.class_name = "H100", .region = "CN-GZ", .tier = "G80"}, "--hour is missing"},
        {{.class_name = "H100", .region = "CN-GZ", .tier = "G80", .hour = "noon"}, "'noon'"},
        {{.class_name = "H100", .region = "CN-GZ", .tier = "G80", .hour = "+x"},
         "give for example"},
        {{.class_name = "H100", .region = "CN-GZ", .tier = "G80", .hour = "2026-11-21T14:30"},
         "give a date and an hour"},
        {{.class_name = "H 100", .region = "CN-GZ", .tier = "G80", .hour = "+1"}, "'H 100'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct symbol_parts parts = cases[i].parts;
        parts.dashes = "--";
        cr_assert_null(completed(&parts), "case %zu", i);
        cr_assert_not_null(strstr(error.text, cases[i].says), "case %zu: %s", i, error.text);
    }
}

/* --- CSV and catalogues ----------------------------------------------------------------------------- */

static char folder[] = "/tmp/kashi-test-client-XXXXXX";
static char path[64];

static void file_of(const void *bytes, size_t size)
{
    if (path[0] == '\0') {
        cr_assert_not_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/file.csv", folder);
    }
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void remove_file(void)
{
    if (path[0] != '\0') {
        unlink(path);
        rmdir(folder);
    }
}

/* All lines' fields with '|' between them and '\n' behind each line; "!" for a wrong line. */
static const char *read_csv(const char *text, size_t size)
{
    static char out[3 * CSV_LINE_SIZE];
    struct csv csv;
    int rc;
    file_of(text, size);
    out[0] = '\0';
    cr_assert_eq(csv_open(&csv, path, &error), 0);
    while ((rc = csv_next(&csv, &error)) != 0) {
        for (uint32_t i = 0; rc > 0 && i < csv.count; i++) {
            strcat(out, i == 0 ? "" : "|");
            strcat(out, csv.fields[i]);
        }
        strcat(out, rc > 0 ? "\n" : "!\n");
    }
    csv_close(&csv);
    return out;
}

Test(csv, reads_what_spreadsheets_write, .fini = remove_file)
{
    static const char text[] = "\xef\xbb\xbf"
                               "a,b,c\r\n# remark\r\n\r\n"
                               "1, two ,\"three, and \"\"four\"\"\"\r\n,,\n\"x\" ,y,z";
    cr_assert_str_eq(read_csv(text, sizeof(text) - 1),
                     "a|b|c\n1|two|three, and \"four\"\n||\nx|y|z\n");
}

Test(csv, names_the_line_of_broken_quotes, .fini = remove_file)
{
    static const char text[] = "a,b\n\"open,1\n2,\"x\"y\n3,a\"b\nlast,4\n";
    cr_assert_str_eq(read_csv(text, sizeof(text) - 1), "a|b\n!\n!\n!\nlast|4\n");
    static const char second[] = "a,b\n\n\"open,1\n";
    struct csv csv;
    file_of(second, sizeof(second) - 1);
    cr_assert_eq(csv_open(&csv, path, &error), 0);
    cr_assert_eq(csv_next(&csv, &error), 1);
    cr_assert_lt(csv_next(&csv, &error), 0);
    cr_assert_not_null(strstr(error.text, "file.csv:3: a quote"), "%s", error.text);
    csv_close(&csv);
}

Test(csv, goes_on_behind_lines_that_are_too_long_or_binary, .fini = remove_file)
{
    static char text[3 * CSV_LINE_SIZE];
    memset(text, 'x', sizeof(text));
    memcpy(text, "a,b\n", 4);
    text[2 * CSV_LINE_SIZE] = '\n';
    memcpy(text + 2 * CSV_LINE_SIZE + 1, "1\0,2\n3,4\n", 9);
    cr_assert_str_eq(read_csv(text, 2 * CSV_LINE_SIZE + 10), "a|b\n!\n!\n3|4\n");
}

Test(csv, a_line_of_the_longest_length_is_read_whole, .fini = remove_file)
{
    static char text[CSV_LINE_SIZE + 8];
    memset(text, 'y', sizeof(text));
    text[CSV_LINE_SIZE - 1] = '\n';
    const char *out = read_csv(text, CSV_LINE_SIZE);
    cr_assert_eq(strlen(out), CSV_LINE_SIZE);
    text[CSV_LINE_SIZE - 1] = 'y';
    text[CSV_LINE_SIZE] = '\n';
    cr_assert_str_eq(read_csv(text, CSV_LINE_SIZE + 1), "!\n");
}

Test(csv, random_bytes_end_in_lines_or_errors, .fini = remove_file)
{
    uint64_t seed = (uint64_t)clock_realtime_ns();
    struct random random;
    random_seed(&random, seed);
    static const char alphabet[] = "a,\"\n\r# \t\0\xe5";
    for (int round = 0; round < 300; round++) {
        char text[400];
        for (size_t i = 0; i < sizeof(text); i++) {
            text[i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
        }
        struct csv csv;
        file_of(text, sizeof(text));
        cr_assert_eq(csv_open(&csv, path, &error), 0);
        int lines = 0;
        while (csv_next(&csv, &error) != 0) {
            cr_assert_lt(++lines, 1000, "seed %llu", (unsigned long long)seed);
        }
        csv_close(&csv);
    }
}

#define HEADER "class,region,tier,from,hours,gpus,price,resource\n"

static const char *resource_for_all; /* as --resource gives it */

/* Reads a catalogue; complaints into `complaints`. */
static int catalogue_of(const char *text, struct catalogue *catalogue, char complaints[4096])
{
    memset(complaints, 0, 4096);
    FILE *out = fmemopen(complaints, 4095, "w");
    file_of(text, strlen(text));
    int rc = catalogue_read(catalogue, path, NOW_NS, resource_for_all, out, &error);
    fclose(out);
    return rc;
}

Test(catalogue, reads_runs_of_hours, .fini = remove_file)
{
    struct catalogue catalogue;
    char complaints[4096];
    int rc = catalogue_of("price,class,region,tier,from,hours,gpus,resource,note\n"
                          "16.40,H100,CN-GZ,G80,2026-11-21T00,24,16,1,cheap\n"
                          "¥9.9999,A800,CN-NM,G0,+2,1,8,\"算力标识,86\",\n",
                          &catalogue, complaints);
    cr_assert_eq(rc, 0, "%s", error.text);
    cr_assert_str_eq(complaints, "");
    cr_assert_eq(catalogue.count, 2);
    cr_assert_eq(catalogue.orders, 25);
    cr_assert_str_eq(catalogue.lines[0].symbol, "H100.CN-GZ.G80.20261121T00Z");
    cr_assert_eq(catalogue.lines[0].price_e4, 164000);
    cr_assert_eq(catalogue.lines[1].price_e4, 99999);
    cr_assert_eq(catalogue.lines[1].first, 24);
    cr_assert_str_eq(catalogue.lines[1].resource, "算力标识,86");
    catalogue_free(&catalogue);
}

Test(catalogue, a_resource_for_all_lines_stands_in_where_a_line_has_none, .fini = remove_file)
{
    struct catalogue catalogue;
    char complaints[4096];
    cr_assert_lt(catalogue_of("class,region,tier,from,hours,gpus,price\n"
                              "H100,CN-GZ,G80,+1,2,16,16.40\n",
                              &catalogue, complaints),
                 0);
    cr_assert(strstr(error.text, "--resource") != NULL, "%s", error.text);
    catalogue_free(&catalogue);
    resource_for_all = "7";
    cr_assert_eq(catalogue_of("class,region,tier,from,hours,gpus,price\n"
                              "H100,CN-GZ,G80,+1,2,16,16.40\n",
                              &catalogue, complaints),
                 0, "%s", error.text);
    cr_assert_str_eq(catalogue.lines[0].resource, "7");
    catalogue_free(&catalogue);
    cr_assert_eq(catalogue_of(HEADER "H100,CN-GZ,G80,+1,2,16,16.40,\n"
                                     "H100,CN-GZ,G80,+3,2,16,16.40,9\n",
                              &catalogue, complaints),
                 0, "%s", error.text);
    cr_assert_str_eq(catalogue.lines[0].resource, "7");
    cr_assert_str_eq(catalogue.lines[1].resource, "9");
    catalogue_free(&catalogue);
}

Test(catalogue, complains_of_every_wrong_line_with_its_number, .fini = remove_file)
{
    struct catalogue catalogue;
    char complaints[4096];
    int rc = catalogue_of(HEADER "H100,CN-GZ,G80,+1,24,-16,16.40,1\n"
                                 "H100,CN-GZ,G80,+1,24,16,16.40001,1\n"
                                 "H100,CN-GZ,G80,+1,841,16,16.40,1\n"
                                 "H100,CN-GZ,G80,+1,24,16,0,1\n"
                                 "H100,CN-GZ,G80,+1,24,16,16.40,\n"
                                 "H100,CN-GZ,G99,+1,24,16,16.40,1\n"
                                 "H100,CN-GZ\n"
                                 "\"H100,CN-GZ,G80,+1,24,16,16.40,1\n"
                                 "H100,CN-GZ,G80,+1,24,16,16.40,1\n",
                          &catalogue, complaints);
    cr_assert_eq(rc, 0, "%s", error.text);
    cr_assert_eq(catalogue.wrong, 8);
    cr_assert_eq(catalogue.count, 1);
    const char *const says[] = {":2: gpus '-16' is negative",
                                ":3: price '16.40001' has more than 4",
                                ":4: hours '841' is out of range; give 1 .. 840",
                                ":5: price '0' is out of range",
                                ":6: resource is empty",
                                ":7: tier: 'G99'",
                                ":8: 2 fields",
                                ":9: a quote is opened"};
    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        cr_assert_not_null(strstr(complaints, says[i]), "%s not in:\n%s", says[i], complaints);
    }
    catalogue_free(&catalogue);
}

Test(catalogue, refuses_a_file_that_is_none, .fini = remove_file)
{
    const struct {
        const char *text, *says;
    } cases[] = {
        {"", "is empty"},
        {"class,region,tier,from,hours,gpus,price\n", "column 'resource' is missing"},
        {"class,class,region,tier,from,hours,gpus,price,resource\n", "'class' stands twice"},
        {HEADER, "no line behind the header"},
        {HEADER "# nothing\n\n", "no line behind the header"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct catalogue catalogue;
        char complaints[4096];
        cr_assert_lt(catalogue_of(cases[i].text, &catalogue, complaints), 0, "case %zu", i);
        cr_assert_not_null(strstr(error.text, cases[i].says), "case %zu: %s", i, error.text);
        catalogue_free(&catalogue);
    }
    struct catalogue catalogue;
    cr_assert_lt(
        catalogue_read(&catalogue, "/tmp/there/is/no/such.csv", NOW_NS, NULL, stderr, &error), 0);
    catalogue_free(&catalogue);
}

/* --- tables ----------------------------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {"NAME", "name", TABLE_TEXT},
    {"PRICE", "price_e4", TABLE_MONEY},
    {"EMPTY", "nothing", TABLE_TEXT},
    {"GPUS", "gpus", TABLE_NUMBER},
};

static const char *printed(enum table_form form)
{
    static char out[2048];
    memset(out, 0, sizeof(out));
    FILE *file = fmemopen(out, sizeof(out) - 1, "w");
    struct table table;
    table_begin(&table, file, form, columns, 4);
    json_t *rows[] = {
        json_pack("{ss si si}", "name", "贵安云", "price_e4", 164000, "gpus", 8),
        json_pack("{ss si si}", "name", "a,\"b\"", "price_e4", 5, "gpus", 12345),
        json_pack("{ss si si}", "name", "x\033[2Jy", "price_e4", 1300000000, "gpus", 1),
    };
    for (size_t i = 0; i < 3; i++) {
        table_row(&table, rows[i]);
        json_decref(rows[i]);
    }
    table_end(&table, "none");
    fclose(file);
    return out;
}

Test(table, aligns_numbers_and_wide_characters_and_leaves_out_empty_columns)
{
    cr_assert_str_eq(printed(TABLE_PEOPLE), "NAME          PRICE   GPUS\n"
                                            "贵安云      16.40        8\n"
                                            "a,\"b\"        0.0005  12345\n"
                                            "x?[2Jy  130000.00        1\n");
}

Test(table, csv_quotes_what_needs_it_and_has_every_column)
{
    cr_assert_str_eq(printed(TABLE_CSV), "name,price,empty,gpus\n贵安云,16.40,,8\n"
                                         "\"a,\"\"b\"\"\",0.0005,,12345\nx?[2Jy,130000.00,,1\n");
}

Test(table, json_is_one_object_a_line)
{
    const char *out = printed(TABLE_JSON);
    json_t *first = json_loads(out, JSON_DISABLE_EOF_CHECK, NULL);
    cr_assert_eq(json_integer_value(json_object_get(first, "price_e4")), 164000);
    json_decref(first);
    cr_assert_eq(strchr(out, '\n')[1], '{');
}

Test(table, counts_columns_of_text)
{
    cr_assert_eq(table_width("H100"), 4);
    cr_assert_eq(table_width("算力标识"), 8);
    cr_assert_eq(table_width("（a）"), 5);
    cr_assert_eq(table_width("Zürich"), 6);
    cr_assert_eq(table_width("\xff\xfe"), 2);
    cr_assert_eq(table_width("\xe5"), 1);
}

/* --- options ---------------------------------------------------------------------------------------- */

static const struct arguments_command *command_of(const struct arguments_command *list,
                                                  const char *name)
{
    for (; list->name != NULL; list++) {
        if (strcmp(list->name, name) == 0) {
            return list;
        }
    }
    cr_assert_fail("no command %s", name);
    return NULL;
}

/* Parses and fills; NULL when all went well, else what was said. */
static const char *fill(const struct arguments_command *command, struct request *request,
                        const char *const *words)
{
    struct arguments arguments;
    int count = 0;
    while (words[count] != NULL) {
        count++;
    }
    *request = (struct request){.type = command->request};
    char *argv[32];
    for (int i = 0; i < count; i++) {
        argv[i] = strdup(words[i]);
    }
    int rc = arguments_parse(&arguments, command, count, argv, &error);
    rc = rc == 0 ? fields_fill(&arguments, NOW_NS, request, &error) : rc;
    for (int i = 0; i < count; i++) {
        free(argv[i]);
    }
    return rc == 0 ? NULL : error.text;
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(options, fill_a_request_from_words)
{
    struct request request;
    const char *said =
        fill(command_of(command_order_list, "bid"), &request,
             WORDS("H100.CN-GZ.G80.20261121T14Z", "--price", "¥16.4001", "--gpus=8", "--tif", "fok",
                   "--stp", "decrement", "--post-only", "--until", "+90m"));
    cr_assert_null(said, "%s", said);
    cr_assert_eq(request.new_order.price_e4, 164001);
    cr_assert_eq(request.new_order.qty, 8);
    cr_assert_eq(request.new_order.tif, TIF_FOK);
    cr_assert_eq(request.new_order.stp, STP_DECREMENT);
    cr_assert_eq(request.new_order.post_only, 1);
    cr_assert_eq(request.new_order.expire_time_ns, NOW_NS + 90 * 60 * NS_PER_SECOND);
}

Test(options, know_sets_ratios_and_marks)
{
    struct request request;
    const char *said = fill(command_of(command_admin_list, "admin account"), &request,
                            WORDS("贵安", "--group", "2", "--roles", "provider,buyer"));
    cr_assert_null(said, "%s", said);
    cr_assert_eq(request.open_account.roles, ROLE_PROVIDER | ROLE_BUYER);
    said = fill(command_of(command_admin_list, "admin limits"), &request,
                WORDS("3", "--rate-limit", "0"));
    cr_assert_null(said, "%s", said);
    cr_assert_eq(request.set_limits.fields, LIMITS_RATE);
    said = fill(command_of(command_admin_list, "admin advance"), &request, WORDS("1.5"));
    cr_assert_null(said, "%s", said);
    cr_assert_eq(request.advance.delta_ns, NS_PER_SECOND * 3 / 2);
}

Test(options, an_error_names_option_value_and_remedy)
{
    const struct {
        const char *const words[6];
        const char *says;
    } cases[] = {
        {{"--price", "16.12345", "--qty", "8", NULL},
         "--price: '16.12345' has more than 4 decimals"},
        {{"--price", "-1", "--qty", "8", NULL}, "--price: '-1' is negative"},
        {{"--price", "1", NULL}, "--qty is missing"},
        {{"--price", "1", "--qty", "8.5", NULL}, "--qty: '8.5' is not a whole number"},
        {{"--price", "1", "--qty", NULL}, "--qty needs a value"},
        {{"--cheap", "1", NULL}, "--cheap is not an option of kashi bid"},
        {{"--post-only=yes", NULL}, "--post-only takes no value"},
        {{"--resource", "1", NULL}, "--resource is not an option of kashi bid"},
        {{"A", "B", NULL}, "'B' is one word too many"},
        {{"--price", "1", "--qty", "8", "--tif=later", NULL}, "give gate|time|ioc|fok"},
        {{"--price", "1", "--qty", "8", "--until=+999999d", NULL}, "'+999999d' is not a time"},
        {{"--price", "1", "--qty", "8", "--until=soon", NULL}, "'soon' is not a time"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request request;
        const char *said = fill(command_of(command_order_list, "bid"), &request, cases[i].words);
        cr_assert_not_null(said, "case %zu", i);
        cr_assert_not_null(strstr(said, cases[i].says), "case %zu: %s", i, said);
    }
}

Test(options, every_command_has_help_with_its_options)
{
    const struct arguments_command *const lists[] = {command_order_list, command_read_list,
                                                     command_market_list, command_admin_list,
                                                     command_key_list};
    for (size_t l = 0; l < 5; l++) {
        for (const struct arguments_command *c = lists[l]; c->name != NULL; c++) {
            static char out[16384];
            memset(out, 0, sizeof(out));
            FILE *file = fmemopen(out, sizeof(out) - 1, "w");
            arguments_help(c, "kashi", file);
            fclose(file);
            cr_assert_not_null(strstr(out, c->summary), "%s", c->name);
            cr_assert(strstr(out, "examples:") != NULL || strcmp(c->name, "version") == 0, "%s",
                      c->name);
        }
    }
}

/* --- depth book ------------------------------------------------------------------------------------- */

#define PRICES 40

/* One message that changes some levels of a plain array of quantities by price. */
static struct market_data change(struct random *random, int64_t qty[2][PRICES], uint64_t seq,
                                 uint64_t prev_seq)
{
    static struct market_data data;
    data = (struct market_data){.seq = seq, .prev_seq = prev_seq};
    data.level_count = 1 + (uint32_t)random_below(random, 4);
    for (uint32_t i = 0; i < data.level_count; i++) {
        uint8_t side = (uint8_t)random_below(random, 2);
        uint64_t price = random_below(random, PRICES);
        qty[side][price] = random_below(random, 3) == 0 ? 0 : random_between(random, 1, 99);
        data.levels[i] = (struct md_level_row){.side = side,
                                               .price_e4 = (int64_t)price + 1,
                                               .qty = qty[side][price],
                                               .orders = qty[side][price] > 0};
    }
    return data;
}

static void expect_levels(const struct kashi_book *book, const int64_t qty[2][PRICES],
                          uint64_t seed)
{
    for (uint8_t side = 0; side < 2; side++) {
        uint32_t at = 0;
        for (int i = 0; i < PRICES; i++) {
            int price = side == SIDE_BUY ? PRICES - 1 - i : i;
            if (qty[side][price] != 0) {
                cr_assert_lt(at, book->sides[side].count, "seed %llu", (unsigned long long)seed);
                cr_assert_eq(book->sides[side].levels[at].price_e4, price + 1);
                cr_assert_eq(book->sides[side].levels[at].qty, qty[side][price]);
                at++;
            }
        }
        cr_assert_eq(at, book->sides[side].count, "seed %llu", (unsigned long long)seed);
    }
}

Test(book, holds_what_the_messages_say)
{
    uint64_t seed = (uint64_t)clock_realtime_ns();
    struct random random;
    struct kashi_book book;
    int64_t qty[2][PRICES] = {{0}};
    random_seed(&random, seed);
    kashi_book_init(&book, "S");
    for (uint64_t seq = 1; seq <= 5000; seq++) {
        struct market_data data = change(&random, qty, seq * 3, (seq - 1) * 3);
        cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_APPLIED);
        expect_levels(&book, (const int64_t(*)[PRICES])qty, seed);
        cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_OLD);
    }
    kashi_book_free(&book);
}

Test(book, holds_shared_and_reserved_quantity_apart)
{
    struct kashi_book book;
    kashi_book_init(&book, "S");
    struct market_data data = {.seq = 5, .level_count = 2};
    data.levels[0] = (struct md_level_row){.price_e4 = 100, .shared_qty = 8, .orders = 1};
    data.levels[1] = (struct md_level_row){
        .price_e4 = 200, .qty = 4, .reserved_qty = 16, .orders = 2, .side = SIDE_SELL};
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_APPLIED);
    const struct level_row *bid = &book.sides[SIDE_BUY].levels[0];
    const struct level_row *offer = &book.sides[SIDE_SELL].levels[0];
    cr_assert(bid->qty == 0 && bid->shared_qty == 8 && bid->reserved_qty == 0);
    cr_assert(offer->qty == 4 && offer->shared_qty == 0 && offer->reserved_qty == 16);
    kashi_book_free(&book);
}

Test(book, a_missing_message_is_a_gap_until_a_snapshot)
{
    struct kashi_book book;
    kashi_book_init(&book, "S");
    struct market_data data = {.seq = 5, .prev_seq = 0, .level_count = 1};
    data.levels[0] = (struct md_level_row){.price_e4 = 100, .qty = 8, .orders = 1};
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_APPLIED);
    data.seq = 9;
    data.prev_seq = 7;
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_GAP);
    data.seq = 11;
    data.prev_seq = 9;
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_GAP);
    struct book_answer snapshot = {.seq = 12, .contract_seq = 11, .bid_count = 1};
    snapshot.bids[0] = (struct level_row){.price_e4 = 200, .qty = 1, .orders = 1};
    kashi_book_snapshot(&book, &snapshot);
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_OLD);
    data.seq = 15;
    data.prev_seq = 11;
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_APPLIED);
    cr_assert_eq(book.sides[SIDE_BUY].count, 2);
    kashi_book_free(&book);
}

Test(book, parts_of_one_command_belong_together)
{
    struct kashi_book book;
    kashi_book_init(&book, "S");
    struct market_data data = {.seq = 5, .prev_seq = 0, .continued = 1, .level_count = 1};
    data.levels[0] = (struct md_level_row){.price_e4 = 100, .qty = 8, .orders = 1};
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_APPLIED);
    data.levels[0].price_e4 = 101;
    data.continued = 0;
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_APPLIED);
    cr_assert_eq(book.sides[SIDE_BUY].count, 2);
    data = (struct market_data){.seq = 6, .prev_seq = 5, .continued = 1};
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_APPLIED);
    data = (struct market_data){.seq = 7, .prev_seq = 6};
    cr_assert_eq(kashi_book_apply(&book, &data), KASHI_BOOK_GAP, "the last part of 6 is missing");
    kashi_book_free(&book);
}
