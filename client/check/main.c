/* kashi-check: recomputes fills, balances and index values of a market from nothing but its tape's
 * files, and compares them with its database. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "client/check/index_check.h"
#include "client/check/pg.h"
#include "client/check/recompute.h"
#include "wire/tape.h"
#include "wire/units.h"

#define EXIT_WRONG 1
#define EXIT_USAGE 2
#define EXIT_LOST  3

#define PATH_SIZE  4096
#define SHOWN_MAX  5
#define WAIT_S_MAX 3600
#define POLL_NS    INT64_C(50000000)
#define QUIET_NS   INT64_C(500000000) /* longer than a tape that moves stands still */

struct options {
    const char *directory;
    const char *invariants; /* a file of queries that must return nothing; NULL: none */
    int64_t wait_s;
    bool show;
};

struct check {
    struct options options;
    struct pg *pg;
    struct recompute recompute;
    struct index_check *index;
    uint64_t fills; /* rows read */
    uint64_t wrong; /* everything that disagrees */
    int64_t number; /* of a query with one row and column */
};

static void usage(FILE *out)
{
    (void)fputs("usage: kashi-check --dir DIR [OPTIONS]\n"
                "  --dir DIR          instance folder: reads DIR/tape and the database of "
                "DIR/database.url\n"
                "  --wait SECONDS     for the database to reach the end of the tape (default 60)\n"
                "  --invariants FILE  also run these queries; each must return nothing\n"
                "  --show             ten index values and the five largest settled amounts\n"
                "Its last line has the counts and the verdict; exit status 0 only if all agrees.\n"
                "example:\n"
                "  build/release/bin/kashi-check --dir run --invariants sql/invariants.sql\n",
                out);
}

/* --- the database against the tape ------------------------------------------------------------------ */

static int take_number(void *context, const struct pg_row *row, struct error *error)
{
    struct check *check = context;
    (void)error;
    check->number = pg_int(row, 0);
    return 0;
}

static int read_number(struct check *check, const char *query, struct error *error)
{
    check->number = 0;
    return pg_read(check->pg, query, take_number, check, error);
}

/* Until settlement and pricing have written what the tape gives. */
static int await_end(struct check *check, struct error *error)
{
    int64_t deadline_ns = clock_monotonic_ns() + check->options.wait_s * NS_PER_SECOND;
    for (;;) {
        int rc = read_number(check, "SELECT last_seq FROM kashi.progress", error);
        uint64_t seq = (uint64_t)check->number;
        rc = rc != 0 ? rc : read_number(check, "SELECT count(*) FROM kashi.index_values", error);
        if (rc != 0) {
            return rc;
        }
        if (seq >= check->recompute.last_seq &&
            (uint64_t)check->number >= index_check_expected(check->index)) {
            return 0;
        }
        if (clock_monotonic_ns() > deadline_ns) {
            (void)printf("the database is behind: at command %" PRIu64 " of %" PRIu64 ", %" PRId64
                         " of %" PRIu64 " index values\n",
                         seq, check->recompute.last_seq, check->number,
                         index_check_expected(check->index));
            check->wrong++;
            return 0;
        }
        const struct timespec pause = {.tv_nsec = POLL_NS};
        (void)nanosleep(&pause, NULL);
    }
}

static bool same_fill(const struct check *check, const struct event *event,
                      const struct pg_row *row)
{
    const struct event_trade *trade = &event->trade;
    const int64_t expected[] = {(int64_t)event->head.seq,
                                event->head.index,
                                event->head.time_ns,
                                (int64_t)trade->fill_id,
                                (int64_t)trade->contract,
                                trade->price_e4,
                                trade->qty,
                                (int64_t)trade->buy_order_id,
                                (int64_t)trade->sell_order_id,
                                (int64_t)trade->trade_group,
                                trade->buy_fee_e4,
                                trade->sell_fee_e4,
                                trade->bond_e4,
                                trade->buyer,
                                trade->seller,
                                trade->buyer_group,
                                trade->seller_group,
                                trade->resource,
                                trade->offer_tier,
                                trade->source_tier,
                                trade->aggressor,
                                trade->condition};
    const int count = (int)(sizeof expected / sizeof expected[0]);
    for (int column = 0; column < count; column++) {
        if (expected[column] != pg_int(row, column)) {
            return false;
        }
    }
    char symbol[SYMBOL_SIZE];
    return contract_format(&check->recompute.names, trade->contract, symbol) > 0 &&
           strcmp(symbol, pg_text(row, count)) == 0;
}

static int take_fill(void *context, const struct pg_row *row, struct error *error)
{
    struct check *check = context;
    (void)error;
    uint64_t place = check->fills++;
    if (place >= check->recompute.trade_count ||
        !same_fill(check, &check->recompute.trades[place], row)) {
        if (check->wrong++ < SHOWN_MAX) {
            (void)printf("fill %" PRIu64
                         " of the database (command %s, event %s) is not the tape's\n",
                         place + 1, pg_text(row, 0), pg_text(row, 1));
        }
    }
    return 0;
}

static int compare_fills(struct check *check, struct error *error)
{
    int rc = pg_read(check->pg,
                     "SELECT seq, index, time_ns, fill_id, contract, price_e4, qty, buy_order_id, "
                     "sell_order_id, trade_group, buy_fee_e4, sell_fee_e4, bond_e4, buyer, seller, "
                     "buyer_group, seller_group, resource, offer_tier, source_tier, aggressor, "
                     "condition, symbol FROM kashi.fills ORDER BY seq, index",
                     take_fill, check, error);
    if (rc == 0 && check->fills != check->recompute.trade_count) {
        (void)printf("%" PRIu64 " fills in the database, %zu on the tape\n", check->fills,
                     check->recompute.trade_count);
        check->wrong++;
    }
    return rc;
}

static int take_sum(void *context, const struct pg_row *row, struct error *error)
{
    struct check *check = context;
    (void)error;
    const struct tally_key key = {.kind = (uint8_t)pg_int(row, 0),
                                  .account = (uint32_t)pg_int(row, 1),
                                  .resource = (uint32_t)pg_int(row, 2),
                                  .hour = (uint32_t)pg_int(row, 3),
                                  .tier = (uint8_t)pg_int(row, 4)};
    if (key.kind == 0) {
        check->wrong++;
        return 0;
    }
    tally_entry(&check->recompute.tally, &key)->database = pg_int(row, 5);
    return 0;
}

static int compare_sums(struct check *check, struct error *error)
{
    int rc = pg_read(check->pg,
                     "SELECT kind, account, coalesce(resource, 0), coalesce(hour, 0), "
                     "CASE WHEN kind = 8 THEN tier ELSE 0 END, sum(amount) "
                     "FROM kashi.postings GROUP BY 1, 2, 3, 4, 5",
                     take_sum, check, error);
    const struct tally *tally = &check->recompute.tally;
    for (size_t at = 0; rc == 0 && at < tally->capacity; at++) {
        const struct tally_entry *entry = &tally->entries[at];
        if (entry->key.kind != 0 && entry->tape != entry->database) {
            if (check->wrong++ < SHOWN_MAX) {
                (void)printf("account %u, kind %u, resource %u, hour %u, tier %u: %" PRId64
                             " by the tape, %" PRId64 " in the ledger\n",
                             entry->key.account, entry->key.kind, entry->key.resource,
                             entry->key.hour, entry->key.tier, entry->tape, entry->database);
            }
        }
    }
    return rc;
}

static int take_violation(void *context, const struct pg_row *row, struct error *error)
{
    struct check *check = context;
    (void)error;
    if (check->wrong++ < SHOWN_MAX) {
        (void)printf("invariant violated:");
        for (int column = 0; column < pg_columns(row); column++) {
            (void)printf(" %s", pg_text(row, column));
        }
        (void)printf("\n");
    }
    return 0;
}

static int check_invariants(struct check *check, struct error *error)
{
    FILE *file = fopen(check->options.invariants, "re");
    if (file == NULL) {
        return error_system(error, errno, "%s", check->options.invariants);
    }
    static char queries[1 << 20];
    size_t length = fread(queries, 1, sizeof queries - 1, file);
    bool whole = feof(file) != 0 && !ferror(file);
    (void)fclose(file);
    queries[length] = '\0';
    if (!whole) {
        return error_set(error, ERROR_IO, "%s: cannot be read whole", check->options.invariants);
    }
    int rc = pg_read(check->pg, queries, take_violation, check, error);
    return rc != 0 ? error_context(error, "%s", check->options.invariants) : 0;
}

/* --- what people want to see ------------------------------------------------------------------------ */

static int show_index_row(void *context, const struct pg_row *row, struct error *error)
{
    (void)context;
    (void)error;
    (void)printf("%-22s %-11s %10.4f %6s %9s %7s %8s\n", pg_text(row, 0), pg_text(row, 1),
                 (double)pg_int(row, 2) / (double)E4_ONE, pg_text(row, 3), pg_text(row, 4),
                 pg_text(row, 5), pg_text(row, 6));
    return 0;
}

static int show_fill_row(void *context, const struct pg_row *row, struct error *error)
{
    (void)context;
    (void)error;
    (void)printf("%14.4f  %-32s %5s x %10.4f  %s to %s\n", (double)pg_int(row, 0) / (double)E4_ONE,
                 pg_text(row, 1), pg_text(row, 2), (double)pg_int(row, 3) / (double)E4_ONE,
                 pg_text(row, 4), pg_text(row, 5));
    return 0;
}

static int show(struct check *check, struct error *error)
{
    (void)printf("\nIndex, yuan per GPU-hour\n%-22s %-11s %10s %6s %9s %7s %8s\n", "lane", "day",
                 "value", "level", "volume", "buyers", "sellers");
    int rc = pg_read(check->pg,
                     "SELECT c.name || '.' || r.name || '.' || (ARRAY['G0','G50','G80','G100'])"
                     "[v.tier + 1], (date '1970-01-01' + v.day)::text, v.price_e4, v.level, "
                     "v.volume_qty, v.buyers, v.sellers FROM kashi.index_values v "
                     "JOIN kashi.classes c USING (class_id) JOIN kashi.regions r USING (region_id) "
                     "WHERE v.kind = 'final' AND v.price_e4 IS NOT NULL "
                     "ORDER BY v.level, v.volume_qty DESC, v.class_id, v.region_id, v.day LIMIT 10",
                     show_index_row, NULL, error);
    if (rc != 0) {
        return rc;
    }
    (void)printf("\nLargest settled amounts, yuan\n");
    return pg_read(check->pg,
                   "SELECT f.price_e4 * f.qty + f.buy_fee_e4, f.symbol, f.qty, f.price_e4, s.name, "
                   "b.name FROM kashi.fills f JOIN kashi.accounts s ON s.account = f.seller "
                   "JOIN kashi.accounts b ON b.account = f.buyer "
                   "ORDER BY 1 DESC, f.seq, f.index LIMIT 5",
                   show_fill_row, NULL, error);
}

/* --- main ------------------------------------------------------------------------------------------- */

static int open_database(struct check *check, struct error *error)
{
    char path[PATH_SIZE];
    char url[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/database.url", check->options.directory);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return error_system(error, errno, "%s", path);
    }
    bool got = fgets(url, sizeof url, file) != NULL;
    (void)fclose(file);
    if (!got) {
        return error_set(error, ERROR_INVALID, "%s is empty", path);
    }
    url[strcspn(url, "\n")] = '\0';
    return pg_open(&check->pg, url, error);
}

/* How many commands the tape has grown by. */
static int count_new(const struct check *check, const char *tape, uint64_t *commands,
                     struct error *error)
{
    struct tape_file *file;
    struct tape_batch batch;
    *commands = 0;
    int rc = tape_file_open(&file, tape, check->recompute.last_seq, error);
    if (rc != 0) {
        return rc;
    }
    while ((rc = tape_file_next(file, &batch, error)) == 1) {
        *commands = batch.last_seq - check->recompute.last_seq;
    }
    tape_file_close(file);
    return rc;
}

/* Reads the tape, and again until it stands still: JOBs that wait may be filled for a while after the
 * last order. An exchange in silence writes one command a second at most. */
static int read_tape(struct check *check, const char *tape, struct error *error)
{
    int64_t deadline_ns = clock_monotonic_ns() + check->options.wait_s * NS_PER_SECOND;
    for (;;) {
        const struct timespec pause = {.tv_nsec = QUIET_NS};
        uint64_t commands;
        int rc = recompute_read(&check->recompute, tape, error);
        (void)nanosleep(&pause, NULL);
        rc = rc != 0 ? rc : count_new(check, tape, &commands, error);
        if (rc != 0 || commands <= 1 || clock_monotonic_ns() > deadline_ns) {
            return rc != 0 ? rc : index_check_read(&check->index, tape, error);
        }
        recompute_free(&check->recompute);
    }
}

static int run(struct check *check, struct error *error)
{
    char tape[PATH_SIZE];
    (void)snprintf(tape, sizeof tape, "%s/tape", check->options.directory);
    int rc = read_tape(check, tape, error);
    rc = rc != 0 ? rc : open_database(check, error);
    rc = rc != 0 ? rc : await_end(check, error);
    rc = rc != 0 ? rc : compare_fills(check, error);
    rc = rc != 0 ? rc : compare_sums(check, error);
    if (rc == 0 && check->options.invariants != NULL) {
        rc = check_invariants(check, error);
    }
    uint64_t agreed = 0;
    uint64_t wrong = 0;
    rc = rc != 0 ? rc : index_check_compare(check->index, check->pg, &agreed, &wrong, error);
    check->wrong += wrong;
    if (rc == 0 && check->options.show) {
        rc = show(check, error);
    }
    rc = rc != 0 ? rc : read_number(check, "SELECT sum(amount) FROM kashi.postings", error);
    if (rc != 0) {
        return rc;
    }
    check->wrong += check->number != 0;
    const struct parents *parents = &check->recompute.parents;
    const struct auctions *auctions = &check->recompute.auctions;
    check->wrong += parents->wrong + auctions->wrong;
    (void)printf("\nAuctions with trades: %" PRIu64 " opening, %" PRIu64 " periodic, %" PRIu64
                 " volatility; %" PRId64 " GPU-hours\n",
                 auctions->cleared[AUCTION_OPENING], auctions->cleared[AUCTION_PERIODIC],
                 auctions->cleared[AUCTION_VOLATILITY], auctions->gpu_hours);
    (void)printf("SETs: %" PRIu64 " entered, %" PRIu64 " filled at least in part; JOBs: %" PRIu64
                 " entered, %" PRIu64 " filled, %" PRId64 " GPU-hours\n",
                 parents->sets, parents->sets_filled, parents->jobs, parents->jobs_filled,
                 parents->job_gpu_hours);
    (void)printf("demo: orders=%" PRIu64 " fills=%zu settled=%" PRIu64 " ledger_sum=%" PRId64
                 " index_values=%" PRIu64 " verdict=%s\n",
                 check->recompute.orders, check->recompute.trade_count, check->fills, check->number,
                 agreed, check->wrong == 0 ? "ok" : "wrong");
    return 0;
}

static bool take_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"dir", required_argument, NULL, 'd'},
                                          {"wait", required_argument, NULL, 'w'},
                                          {"invariants", required_argument, NULL, 'i'},
                                          {"show", no_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        char *end;
        switch (option) {
        case 'd':
            options->directory = optarg;
            break;
        case 'w':
            options->wait_s = strtoll(optarg, &end, 10);
            if (end == optarg || *end != '\0' || options->wait_s < 0 ||
                options->wait_s > WAIT_S_MAX) {
                (void)fprintf(stderr, "kashi-check: --wait %s: seconds within 0 .. %d are needed\n",
                              optarg, WAIT_S_MAX);
                return false;
            }
            break;
        case 'i':
            options->invariants = optarg;
            break;
        case 's':
            options->show = true;
            break;
        case 'h':
            usage(stdout);
            exit(EXIT_SUCCESS);
        default:
            return false;
        }
    }
    return options->directory != NULL && optind == argc;
}

int main(int argc, char **argv)
{
    struct check check = {.options = {.wait_s = 60}};
    if (!take_options(argc, argv, &check.options)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    struct error error = {0};
    int rc = run(&check, &error);
    recompute_free(&check.recompute);
    index_check_free(check.index);
    pg_close(check.pg);
    if (rc != 0) {
        (void)fprintf(stderr, "kashi-check: %s\n", error.text);
        return EXIT_LOST;
    }
    return check.wrong == 0 ? EXIT_SUCCESS : EXIT_WRONG;
}
