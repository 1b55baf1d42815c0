/* Legs and lanes as people give them: on the command line and in files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/arguments.h"
#include "client/cli.h"
#include "client/fields.h"
#include "client/kashi_pending.h"
#include "client/legs.h"

/* 2026-11-20T13:30Z */
#define NOW_NS (INT64_C(1795181400) * NS_PER_SECOND)

static struct error error;
static struct legs legs;
static struct lanes lanes;

static void begin(void)
{
    legs.count = 0;
    lanes.count = 0;
}
TestSuite(legs, .init = begin);
TestSuite(lanes, .init = begin);

static void leg_refused(const char *text, const char *value, const char *remedy)
{
    cr_assert_eq(legs_add(&legs, text, NOW_NS, &error), ERROR_INVALID, "%s was taken", text);
    cr_assert_not_null(strstr(error.text, value), "%s: '%s' does not say %s", text, error.text,
                       value);
    cr_assert_not_null(strstr(error.text, remedy), "%s: '%s' does not say %s", text, error.text,
                       remedy);
    cr_assert_eq(legs.count, 0);
}

Test(legs, are_taken_whole_or_in_parts)
{
    cr_assert_eq(legs_add(&legs, "H100.CN-GZ.G80.20261121T14Z=13.5", NOW_NS, &error), 0, "%s",
                 error.text);
    cr_assert_eq(legs_add(&legs, "H100/CN-NM/G0/+6=13.4001", NOW_NS, &error), 0, "%s", error.text);
    cr_assert_eq(legs_add(&legs, "910B/CN-GD/G100/2026-11-22T03=0.0001", NOW_NS, &error), 0, "%s",
                 error.text);
    cr_assert_eq(legs.count, 3);
    cr_assert_str_eq(legs.rows[0].symbol, "H100.CN-GZ.G80.20261121T14Z");
    cr_assert_eq(legs.rows[0].price_e4, 135000);
    cr_assert_str_eq(legs.rows[1].symbol, "H100.CN-NM.G0.20261120T19Z");
    cr_assert_eq(legs.rows[1].price_e4, 134001);
    cr_assert_str_eq(legs.rows[2].symbol, "910B.CN-GD.G100.20261122T03Z");
    cr_assert_eq(legs.rows[2].price_e4, 1);
}

Test(legs, that_are_wrong_are_named_with_a_remedy)
{
    leg_refused("H100.CN-GZ.G80.20261121T14Z", "no price", "=13.50");
    leg_refused("H100.CN-GZ.G80.20261121T14Z=", "price ''", "13.50");
    leg_refused("H100.CN-GZ.G80.20261121T14Z=0", "price '0'", "out of range");
    leg_refused("H100.CN-GZ.G80.20261121T14Z=-1", "price '-1'", "out of range");
    leg_refused("H100.CN-GZ.G80.20261121T14Z=13.50001", "13.50001", "4 decimals");
    leg_refused("H100.CN-GZ.G80.20261121T14Z=214748.3647", "214748.3647", "out of range");
    leg_refused("H100.CN-GZ.G90.20261121T14Z=13.5", "H100.CN-GZ.G90", "CLASS.REGION.TIER.HOUR");
    leg_refused("H100/CN-GZ/G80=13.5", "H100/CN-GZ/G80", "CLASS/REGION/TIER/HOUR=PRICE");
    leg_refused("H100/CN-GZ/G80/+6/x=13.5", "+6/x", "CLASS/REGION/TIER/HOUR=PRICE");
    leg_refused("H100/CN-GZ/G8/+6=13.5", "'G8' is not a tier", "G0, G50, G80 or G100");
    leg_refused("H100/CN-GZ/G80/soon=13.5", "'soon'", "+3");
    leg_refused("=13.5", "''", "CLASS.REGION.TIER.HOUR");
    char longest[400];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    leg_refused(longest, "xxx", "SYMBOL=PRICE");
    longest[300] = '=';
    leg_refused(longest, "xxx", "SYMBOL=PRICE");
}

Test(legs, are_64_at_most)
{
    for (uint32_t i = 0; i < SET_LEGS_MAX; i++) {
        cr_assert_eq(legs_add(&legs, "H100.CN-GZ.G80.20261121T14Z=13.5", NOW_NS, &error), 0);
    }
    cr_assert_eq(legs_add(&legs, "H100.CN-GZ.G80.20261121T14Z=13.5", NOW_NS, &error),
                 ERROR_INVALID);
    cr_assert_not_null(strstr(error.text, "64"));
}

static int read_file(const char *text)
{
    char path[] = "/tmp/kashi-test-legs-XXXXXX";
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    legs.count = 0;
    const int rc = legs_add_file(&legs, path, NOW_NS, &error);
    unlink(path);
    return rc;
}

static void file_refused(const char *text, const char *said)
{
    cr_assert_eq(read_file(text), ERROR_INVALID, "taken: %s", text);
    cr_assert_not_null(strstr(error.text, said), "'%s' does not say '%s'", error.text, said);
    cr_assert_not_null(strstr(error.text, "--legs"));
}

Test(legs, come_from_files_of_two_kinds)
{
    cr_assert_eq(read_file("symbol,price\nH100.CN-GZ.G80.20261121T14Z,13.5\n"
                           "# a remark\nH100.CN-GZ.G80.20261121T15Z,13.4\n"),
                 0, "%s", error.text);
    cr_assert_eq(legs.count, 2);
    cr_assert_eq(legs.rows[1].price_e4, 134000);
    cr_assert_eq(read_file("price,class,region,tier,hour\n13.5,H100,CN-GZ,G80,+6\n"), 0, "%s",
                 error.text);
    cr_assert_str_eq(legs.rows[0].symbol, "H100.CN-GZ.G80.20261120T19Z");
    cr_assert_eq(
        read_file(
            " [{\"symbol\": \"H100.CN-GZ.G80.20261121T14Z\", \"price_e4\": 135000, \"leg\": 1}]"),
        0, "%s", error.text);
    cr_assert_eq(legs.count, 1);
    cr_assert_eq(legs.rows[0].price_e4, 135000);
}

Test(legs, of_files_that_are_wrong_are_named_by_line)
{
    file_refused("", "empty");
    file_refused("symbol\nH100.CN-GZ.G80.20261121T14Z\n", "column 'price' is missing");
    file_refused("class,region,tier,price\nH100,CN-GZ,G80,1\n", "column 'hour' is missing");
    file_refused("symbol,price\nH100.CN-GZ.G80.20261121T14Z,13.5\nH100.CN-GZ,13.5\n", ":3");
    file_refused("symbol,price\nH100.CN-GZ.G80.20261121T14Z\n", ":2: price ''");
    file_refused("[{\"symbol\": \"H100.CN-GZ.G80.20261121T14Z\", \"price_e4\": 13.5}]", "leg 1");
    file_refused("[{\"symbol\": \"H100\", \"price_e4\": 135000}]", "leg 1");
    file_refused("[{\"symbol\"", ":1:");
    cr_assert_lt(legs_add_file(&legs, "/nowhere/legs.csv", NOW_NS, &error), 0);
    cr_assert_not_null(strstr(error.text, "/nowhere/legs.csv"));
}

static void lane_refused(const char *text, const char *said)
{
    cr_assert_eq(lanes_add(&lanes, text, &error), ERROR_INVALID, "%s was taken", text);
    cr_assert_not_null(strstr(error.text, said), "'%s' does not say '%s'", error.text, said);
    cr_assert_not_null(strstr(error.text, "CLASS/REGION/TIER"));
    cr_assert_eq(lanes.count, 0);
}

Test(lanes, are_taken_with_and_without_a_factor)
{
    cr_assert_eq(lanes_add(&lanes, "H100/CN-GZ/G80", &error), 0, "%s", error.text);
    cr_assert_eq(lanes_add(&lanes, "A100-80/CN-NM/G0*1.05", &error), 0, "%s", error.text);
    cr_assert_str_eq(lanes.rows[0].class_name, "H100");
    cr_assert_str_eq(lanes.rows[0].region, "CN-GZ");
    cr_assert_eq(lanes.rows[0].tier, TIER_G80);
    cr_assert_eq(lanes.rows[0].factor_e4, 0, "left out: the exchange's 1");
    cr_assert_str_eq(lanes.rows[1].class_name, "A100-80");
    cr_assert_eq(lanes.rows[1].factor_e4, 10500);
}

Test(lanes, that_are_wrong_are_named_with_a_remedy)
{
    lane_refused("H100/CN-GZ", "three parts");
    lane_refused("H100/CN-GZ/G80/+6", "three parts");
    lane_refused("/CN-GZ/G80", "class");
    lane_refused("H100//G80", "region");
    lane_refused("H100/CN-GZ/G79", "tier");
    lane_refused("H100/CN-GZ/G80*0", "0.0001 .. 100");
    lane_refused("H100/CN-GZ/G80*100.0001", "0.0001 .. 100");
    lane_refused("H100/CN-GZ/G80*x", "0.0001 .. 100");
    lane_refused("H100-is-a-name-of-sixteen/CN-GZ/G80", "class");
    for (uint32_t i = 0; i < JOB_LANES_MAX; i++) {
        cr_assert_eq(lanes_add(&lanes, "H100/CN-GZ/G80*100", &error), 0);
    }
    cr_assert_eq(lanes_add(&lanes, "H100/CN-GZ/G80", &error), ERROR_INVALID);
    cr_assert_not_null(strstr(error.text, "32"));
}

/* --- the options of set and job --------------------------------------------------------------------- */

static const struct arguments_command *command_of(const char *name)
{
    const struct arguments_command *command = command_order_list;
    while (strcmp(command->name, name) != 0) {
        command++;
    }
    return command;
}

static bool takes(const char *name, const char *option)
{
    struct arguments arguments;
    char word[64];
    char value[] = "1";
    char flag[64];
    (void)snprintf(word, sizeof(word), "--%s", option);
    (void)snprintf(flag, sizeof(flag), "--%s", option);
    char *with_value[] = {word, value};
    char *alone[] = {flag};
    return arguments_parse(&arguments, command_of(name), 2, with_value, &error) == 0 ||
           arguments_parse(&arguments, command_of(name), 1, alone, &error) == 0;
}

Test(legs, commands_take_the_words_that_people_use)
{
    static const char *const set[] = {"qty", "gpus",    "leg",       "legs",    "tif",
                                      "stp", "min-qty", "post-only", "dry-run", "until"};
    static const char *const job[] = {"gpus",    "hours", "from",      "to",
                                      "price",   "lane",  "placement", "same-group",
                                      "dry-run", "tif",   "until",     "expire-time"};
    static const char *const offer[] = {"display",        "display-qty", "job-lead",
                                        "job-lead-hours", "hours",       "each"};
    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        cr_assert(takes("set", set[i]), "set --%s: %s", set[i], error.text);
    }
    for (size_t i = 0; i < sizeof(job) / sizeof(job[0]); i++) {
        cr_assert(takes("job", job[i]), "job --%s: %s", job[i], error.text);
    }
    for (size_t i = 0; i < sizeof(offer) / sizeof(offer[0]); i++) {
        cr_assert(takes("offer", offer[i]), "offer --%s: %s", offer[i], error.text);
    }
    /* What the exchange would refuse by name is no option. */
    cr_assert_not(takes("job", "min-qty"));
    cr_assert_not(takes("job", "post-only"));
    cr_assert_not(takes("set", "display-qty"));
}

Test(legs, as_many_as_a_set_has_fit_the_command_line)
{
    static struct arguments arguments;
    static char words[2 * SET_LEGS_MAX + 8][64];
    char *argv[2 * SET_LEGS_MAX + 8];
    int argc = 0;
    for (int i = 0; i < SET_LEGS_MAX; i++) {
        (void)snprintf(words[argc], sizeof(words[0]), "--leg");
        argv[argc] = words[argc];
        argc++;
        (void)snprintf(words[argc], sizeof(words[0]), "H100.CN-GZ.G80.20261121T14Z=13.5");
        argv[argc] = words[argc];
        argc++;
    }
    (void)snprintf(words[argc], sizeof(words[0]), "--dry-run");
    argv[argc] = words[argc];
    argc++;
    cr_assert_eq(arguments_parse(&arguments, command_of("set"), argc, argv, &error), 0, "%s",
                 error.text);
    cr_assert_eq(arguments.count, SET_LEGS_MAX + 1);
}

/* --- requests that wait for their answers ----------------------------------------------------------- */

Test(legs, of_a_request_that_is_not_answered_are_kept_for_sending_it_again)
{
    struct kashi_pending pending;
    struct leg_row rows[2] = {{.symbol = "first", .price_e4 = 1}, {.symbol = "second"}};
    const struct request request = {
        .type = REQUEST_NEW_SET, .cl_ord_id = 5, .new_set = {.legs = rows, .leg_count = 2}};
    cr_assert(kashi_pending_init(&pending, 4));
    kashi_pending_push(&pending, &request, 5);
    memset(rows, 0, sizeof(rows));
    kashi_pending_mark_sent(&pending);
    kashi_pending_rewind(&pending);
    const struct request *again = kashi_pending_unsent(&pending);
    cr_assert_eq(again->new_set.leg_count, 2);
    cr_assert_str_eq(again->new_set.legs[0].symbol, "first");
    cr_assert_str_eq(again->new_set.legs[1].symbol, "second");
    cr_assert(kashi_pending_answer(&pending, 5));
    kashi_pending_push(&pending, &request, 6);
    kashi_pending_free(&pending); /* what is still unanswered is freed too: the sanitizer looks */
}
