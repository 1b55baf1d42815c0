/* The kashi program: its exit status and what it says, where nothing answers and where the test plays the
 * other side. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/peer.h"

#define KASHI "build/release/bin/kashi "

#define PUBLIC "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define JOB    "job --gpus 8 --hours 2 --from +6 --to +9 --price 14 --lane H100/CN-GZ/G80 "

/* Exit status of a shell command; what it says is in `said`. */
static char said[4096];
static int status_of(const char *command)
{
    char line[512];
    snprintf(line, sizeof(line), "%s 2>&1", command);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    size_t length = fread(said, 1, sizeof(said) - 1, pipe);
    said[length] = '\0';
    int status = pclose(pipe);
    cr_assert(WIFEXITED(status), "%s", command);
    return WEXITSTATUS(status);
}

Test(command, wrong_usage_is_2_and_says_what_to_do, .timeout = 60)
{
    const struct {
        const char *command, *says;
    } cases[] = {
        {KASHI, "usage"},
        {KASHI "sell", "'sell' is not a command"},
        {KASHI "admin", "admin class"},
        {KASHI "admin nothing", "'nothing'"},
        {KASHI "bid " PEER_SYMBOL " --price 16.12345 --qty 8", "--price: '16.12345'"},
        {KASHI "bid --class H100 --price 1 --qty 8", "--region is missing"},
        {KASHI "offer " PEER_SYMBOL " --price 16 --qty 8", "--resource is missing"},
        {KASHI "offer --csv /no/such/file.csv", "/no/such/file.csv"},
        {KASHI "import --nodes /no/such.csv --jobs data/sample_jobs.csv",
         "/no/such.csv: No such file or directory"},
        {KASHI "import --nodes data/sample_nodes.csv --jobs data", "data: Is a directory"},
        {KASHI "cancel", "--order-id is missing"},
        {KASHI "replace 7", "--price, --qty or both"},
        {KASHI "list things", "give classes|regions"},
        {KASHI "admin kill", "--all"},
        {KASHI "keygen", "name the key"},
        {KASHI "watch H100.CN", "full stop"},
        {KASHI "orders --key /no/such.key", "--key"},
        {KASHI "bid " PEER_SYMBOL " --price 16 --qty 8 --tif time", "--expire-time is missing"},
        {KASHI JOB "--placement same", "--same-group is missing"},
        {KASHI JOB "--same-group 91", "--placement same is missing"},
        {KASHI "mass-cancel --hour-from +3", "--hour-to is missing"},
        {KASHI "mass-cancel --hour-to +3", "--hour-from is missing"},
        {"env -u KASHI_KEY " KASHI "orders", "--key"},
        {"env -u KASHI_KEY " KASHI "list classes", "which key do you log in with"},
        {KASHI "admin key desk-1 --account 3 --roles buyer", "--public-key is missing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(status_of(cases[i].command), 2, "%s: %s", cases[i].command, said);
        cr_assert_not_null(strstr(said, cases[i].says), "%s: %s", cases[i].command, said);
    }
}

Test(command, no_connection_is_3, .timeout = 60)
{
    char folder[] = "/tmp/kashi-test-command-XXXXXX";
    char command[512];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof(command), KASHI "keygen %s/me", folder);
    cr_assert_eq(status_of(command), 0, "%s", said);
    cr_assert_eq(status_of(command), 2, "a key is never overwritten");
    static const char *const words[] = {"orders --gateway tcp://127.0.0.1:1", "orders",
                                        "bid " PEER_SYMBOL
                                        " --price 16 --qty 8 --gateway tcp://127.0.0.1:1",
                                        "watch " PEER_SYMBOL, "index"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        snprintf(command, sizeof(command), KASHI "%s --dir %s --timeout 2 %s%s%s", words[i], folder,
                 words[i][0] == 'o' || words[i][0] == 'b' ? "--key " : "",
                 words[i][0] == 'o' || words[i][0] == 'b' ? folder : "",
                 words[i][0] == 'o' || words[i][0] == 'b' ? "/me.key --gateway-key none" : "");
        cr_assert_eq(status_of(command), 3, "%s: %s", command, said);
        cr_assert_not_null(strstr(said, "no connection"), "%s", said);
    }
    snprintf(command, sizeof(command), "rm -r %s", folder);
    status_of(command);
}

/* Exit status of a shell command while the other side is played; what it says is in `said`. */
static int status_served(const char *command, void (*play)(void))
{
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    struct pollfd end = {.fd = fileno(pipe), .events = POLLIN};
    size_t length = 0;
    ssize_t size = 1;
    while (size > 0 && length < sizeof(said) - 1) {
        play();
        if (poll(&end, 1, 5) > 0) {
            size = read(end.fd, said + length, sizeof(said) - 1 - length);
            length += size > 0 ? (size_t)size : 0;
        }
    }
    said[length] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

/* Exit status of `kashi WORDS` at the gateway that the test plays. */
static int status_at_gateway(const char *words)
{
    char folder[] = "/tmp/kashi-test-command-XXXXXX";
    char command[1024];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof(command), KASHI "keygen %s/me", folder);
    cr_assert_eq(status_of(command), 0, "%s", said);
    snprintf(command, sizeof(command),
             KASHI "%s --gateway %s --gateway-key none --key %s/me.key 2>&1; s=$?; rm -r %s; "
                   "exit $s",
             words, peer_gateway.endpoint, folder, folder);
    return status_served(command, peer_gateway_serve);
}

Test(command, what_passes_by_itself_is_asked_again, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    static const uint16_t reasons[] = {REASON_LAGGING, REASON_REPLICA_UNREACHABLE,
                                       REASON_EXCHANGE_UNREACHABLE};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        peer_gateway.refused_reads = 3;
        peer_gateway.refused_reason = reasons[i];
        cr_assert_eq(status_at_gateway("orders"), 0, "%s", said);
        cr_assert_eq(peer_gateway.refused_reads, 0);
    }
    peer_gateway.refused_logins = 2;
    cr_assert_eq(status_at_gateway("orders"), 0, "%s", said);
    cr_assert_eq(peer_gateway.refused_logins, 0);
}

Test(command, what_does_not_pass_is_told_after_three_seconds, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    peer_gateway.refused_reads = 1000;
    peer_gateway.refused_reason = REASON_LAGGING;
    int64_t begin_ns = clock_monotonic_ns();
    cr_assert_eq(status_at_gateway("orders"), 1, "%s", said);
    cr_assert_not_null(strstr(said, "LAGGING"), "%s", said);
    cr_assert_geq(clock_monotonic_ns() - begin_ns, 3 * NS_PER_SECOND);
    peer_gateway.refused_reads = 1000;
    peer_gateway.refused_reason = REASON_ROLE_NOT_ALLOWED;
    cr_assert_eq(status_at_gateway("orders"), 1, "%s", said);
    cr_assert_eq(peer_gateway.refused_reads, 999, "what does not pass is not asked again");
    peer_gateway.refused_logins = 1000;
    cr_assert_eq(status_at_gateway("orders"), 3, "%s", said);
}

#define CATALOGUE "build/kashi-test-catalogue.csv"
Test(command, a_refused_name_is_quoted_with_what_shows_the_right_ones, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    const struct {
        const char *words, *field, *says;
        uint16_t reason;
    } cases[] = {
        {"book H200." PEER_REST, "symbol", "[symbol: 'H200." PEER_REST "'; kashi list classes",
         REASON_UNKNOWN_SYMBOL},
        {"bid H200." PEER_REST " --price 16 --qty 8", "symbol",
         "[symbol: 'H200." PEER_REST "'; kashi list", REASON_UNKNOWN_SYMBOL},
        {"offer H200." PEER_REST " --hours 2 --price 16 --qty 8 --resource 1", "symbol",
         "[symbol: 'H200." PEER_REST "'; kashi list", REASON_UNKNOWN_SYMBOL},
        {"set --qty 8 --leg " PEER_SYMBOL "=16 --leg H200." PEER_REST "=16", "legs[2].symbol",
         "[legs[2].symbol: 'H200." PEER_REST "'; kashi list classes and", REASON_UNKNOWN_SYMBOL},
        {"set --dry-run --qty 8 --leg H200." PEER_REST "=16", "legs[1].symbol",
         "[legs[1].symbol: 'H200." PEER_REST "'; ", REASON_UNKNOWN_SYMBOL},
        {"job --gpus 8 --hours 2 --from +6 --to +9 --price 14 --lane H100/CN-GZ/G80 --lane "
         "H100/CN-XX/G80",
         "lanes[2].region", "[lanes[2].region: 'CN-XX'; kashi list regions shows them]",
         REASON_UNKNOWN_NAME},
        {"offer --catalogue " CATALOGUE, "symbol",
         "UNKNOWN_SYMBOL (13): the symbol does not name a registered class, region, tier and hour "
         "['H200.CN-GZ.G80'; kashi list classes",
         REASON_UNKNOWN_SYMBOL},
        {"mass-cancel --class H200", "class", "[class: 'H200'; kashi list classes shows them]",
         REASON_UNKNOWN_NAME},
        {"bid " PEER_SYMBOL " --price 16 --qty 8", "qty",
         "a field has the wrong type; numbers are "
         "integers [qty]\n",
         REASON_WRONG_TYPE},
    };
    FILE *file = fopen(CATALOGUE, "w");
    fprintf(file, "class,region,tier,from,hours,gpus,price,resource\nH200,CN-GZ,G80,+6,2,8,13,1\n");
    fclose(file);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        peer_gateway.refused_field = cases[i].field;
        peer_gateway.refused_reason = cases[i].reason;
        cr_assert_eq(status_at_gateway(cases[i].words), 1, "%s: %s", cases[i].words, said);
        cr_assert_not_null(strstr(said, cases[i].says), "%s: %s", cases[i].words, said);
    }
    unlink(CATALOGUE);
}

Test(command, a_value_out_of_range_is_told_with_its_field, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    const struct {
        uint8_t field;
        const char *says;
    } cases[] = {
        {REJECT_FIELD_PERIOD_S, "out of range [period_s: 0 against 1]"},
        {REJECT_FIELD_LAUNCH_PRICE_G80_E4,
         "out of range [launch_price_g80_e4: 0.00 against 0.0001]"},
        {REJECT_FIELD_ROLES, "out of range [roles]\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        peer_gateway.refused_value = cases[i].field;
        cr_assert_eq(status_at_gateway("admin group G"), 1, "%s", said);
        cr_assert_not_null(strstr(said, cases[i].says), "%s", said);
    }
}

Test(command, admin_market_leaves_the_terms_that_are_not_given, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    struct request_set_market terms = {.class_name = "H100",
                                       .region = "CN-GZ",
                                       .launch_price_e4 = {1, 2, 3, 4},
                                       .inner_band_bp = 5,
                                       .outer_band_bp = 6,
                                       .opening_s = 7,
                                       .volatility_s = 8,
                                       .period_s = 9,
                                       .volatility_min_qty = 10,
                                       .random_end_s = 11,
                                       .mode = MODE_LISTING,
                                       .no_resale = 1,
                                       .names_shown = 1};
    cr_assert_eq(status_at_gateway("admin market H100 CN-GZ"), 0, "%s", said);
    cr_assert_eq(memcmp(&peer_gateway.terms, &terms, sizeof(terms)), 0);
    cr_assert_eq(status_at_gateway("admin market H100 CN-GZ --mode auction --period-s 60 --resale "
                                   "--names-hidden --launch-price-g50 0"),
                 0, "%s", said);
    terms.mode = MODE_AUCTION;
    terms.period_s = 60;
    terms.launch_price_e4[1] = 0;
    terms.no_resale = terms.names_shown = 0;
    cr_assert_eq(memcmp(&peer_gateway.terms, &terms, sizeof(terms)), 0);
    cr_assert_eq(status_at_gateway("admin market H100 CN-SH --inner-band-bp 1"), 2);
    cr_assert_not_null(strstr(said, "--mode is missing"), "%s", said);
    cr_assert_eq(status_at_gateway("admin market H100"), 2);
    cr_assert_not_null(strstr(said, "--region is missing"), "%s", said);
}

Test(command, csv_has_the_fills_of_a_replace_and_a_take, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    static const char *const words[] = {"replace 7 --price 16.40 --qty 8 --csv",
                                        "take 7 --qty 8 --csv", "take 7 --qty 8 --output csv"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        cr_assert_eq(status_at_gateway(words[i]), 0, "%s", said);
        cr_assert_not_null(strstr(said, "\n\nfill,symbol,qty,price,fee,"), "%s", said);
        cr_assert_not_null(strstr(said, "\n91,,8,16.30,0.00,"), "%s", said);
    }
}

Test(command, an_offer_prints_csv_by_another_word, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
#define OFFER "offer " PEER_SYMBOL " --price 16.40 --qty 8 --resource 1 "
    cr_assert_eq(status_at_gateway(OFFER "--output csv"), 0, "%s", said);
    cr_assert_not_null(strstr(said, "order,symbol,side,qty,price,filled,left,status,why\n"), "%s",
                       said);
    cr_assert_not_null(strstr(said, ",partially_filled,\n"), "%s",
                       said); /* as kashi orders says it */
    cr_assert_eq(status_at_gateway(OFFER "--output tsv"), 2, "%s", said);
    static const char *const names[] = {"--csv", "--catalogue"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char command[512];
        snprintf(command, sizeof(command),
                 "printf "
                 "'class,region,tier,from,hours,gpus,price,resource\nH100,CN-GZ,G80,+6,2,8,13,1\n' "
                 "| " KASHI "offer %s - --check",
                 names[i]);
        cr_assert_eq(status_of(command), 0, "%s", said);
        cr_assert_not_null(strstr(said, "-: 1 lines, 2 offers, nothing wrong"), "%s", said);
    }
}

Test(command, watch_prints_nothing_in_csv_where_there_is_nothing, .init = peer_market_open,
     .fini = peer_market_close, .timeout = 60)
{
    char command[512];
    peer_market.seq = 10;
    peer_market.bid_qty = 8;
    snprintf(command, sizeof(command),
             KASHI "watch " PEER_SYMBOL " --csv --count 1 --market-data %s --snapshot %s 2>&1",
             peer_market.pub_endpoint, peer_market.snapshot_endpoint);
    cr_assert_eq(status_served(command, peer_market_serve), 0, "%s", said);
    cr_assert_not_null(strstr(said, "," PEER_SYMBOL ",0,8,16.40,,,,,\n"), "%s", said);
}

Test(command, an_accounts_numbers_have_their_full_stops_in_one_column, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    cr_assert_eq(status_at_gateway("account"), 0, "%s", said);
    static const char lines[] = "account                    5\n"
                                "name           b\n"
                                "cash                 4999895.3195\n"
                                "credit                     2.00\n"
                                "reserved                 100.01\n";
    cr_assert_eq(strncmp(said, lines, strlen(lines)), 0, "%s", said);
}

Test(command, operators_words_may_stand_without_their_options, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    cr_assert_eq(status_at_gateway("admin halt H100 CN-GZ"), 0, "%s", said);
    cr_assert_str_eq(peer_gateway.halt.class_name, "H100");
    cr_assert_str_eq(peer_gateway.halt.region, "CN-GZ");
    char pub[] = "/tmp/kashi-test-pub-XXXXXX";
    close(mkstemp(pub));
    FILE *file = fopen(pub, "w");
    fprintf(file, "public = %s\n", PUBLIC);
    fclose(file);
    static const char *const words[][2] = {{"desk-1", ""},
                                           {"", "--name desk-1"},
                                           {"desk-1 --public-key", ""},
                                           {"--name desk-1 --public-key", ""}};
    for (size_t i = 0; i < 2 * sizeof(words) / sizeof(words[0]); i++) {
        char command[256];
        snprintf(command, sizeof(command), "admin key %s %s %s --account 3 --roles buyer",
                 words[i / 2][0], i % 2 == 0 ? pub : "'" PUBLIC "'", words[i / 2][1]);
        peer_gateway.key = (struct request_register_key){.account = 0};
        cr_assert_eq(status_at_gateway(command), 0, "%s: %s", command, said);
        uint8_t key[PUBLIC_KEY_SIZE];
        cr_assert(codec_key_parse(PUBLIC, strlen(PUBLIC), key));
        cr_assert(strcmp(peer_gateway.key.name, "desk-1") == 0 && peer_gateway.key.account == 3,
                  "%s", command);
        cr_assert_eq(memcmp(peer_gateway.key.public_key, key, sizeof(key)), 0, "%s", command);
    }
    unlink(pub);
}

Test(command, book_shows_what_is_reserved_for_jobs_apart, .init = peer_gateway_open,
     .fini = peer_gateway_close, .timeout = 60)
{
    cr_assert_eq(status_at_gateway("book " PEER_SYMBOL), 0, "%s", said);
    cr_assert_not_null(strstr(said, "best, all eligible tiers:  offer 13.20 × 8\n\n"
                                    "OFFER  OFFER QTY  RESERVED  OFFER ORDERS\n"
                                    "13.10          0        64             1\n"
                                    "13.20          8                       1\n"),
                       "%s", said);
    cr_assert_eq(status_at_gateway("book --csv " PEER_SYMBOL), 0, "%s", said);
    cr_assert_str_eq(said, "bid_orders,shared,bid_qty,bid,offer,offer_qty,reserved,offer_orders\n"
                           ",,,,13.10,0,64,1\n,,,,13.20,8,,1\n");
    cr_assert_eq(status_at_gateway("book --json " PEER_SYMBOL), 0, "%s", said);
    cr_assert_not_null(
        strstr(said, "{\"price_e4\":131000,\"qty\":0,\"reserved_qty\":64,\"orders\":1}"), "%s",
        said);
}

Test(command, help_and_version_are_0, .timeout = 60)
{
    cr_assert_eq(status_of(KASHI "--help"), 0);
    cr_assert_not_null(strstr(said, "exit status: 0 done, 1 refused"));
    cr_assert_eq(status_of(KASHI "bid --help"), 0);
    cr_assert_not_null(strstr(said, "examples:"));
    cr_assert_eq(status_of(KASHI "version --json"), 0);
    cr_assert_eq(said[0], '{');
}
