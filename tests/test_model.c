/* The engine against the slow model: seeded random commands, events compared one by one.
 * As a suite: fixed seeds, 200,000 commands. As a program, any seed and any number:
 *   build/asan/tests/test_model --seed 7 --commands 1000000
 * and KASHI_MODEL_COMMANDS=1000000 makes each of the suite's long runs that long.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model_random.h"
#include "tests/model_twin.h"

struct run {
    uint64_t seed;
    uint64_t commands;
    uint64_t sanity_every; /* commands between two looks at the engine's invariants */
    uint32_t trial;        /* T; 0: as ever */
    bool tight;            /* tables so small that they fill up */
    bool deep;             /* few books with thousands of orders */
    bool restless;         /* with deep: sessions come and go */
    uint8_t main_mode; /* enum market_mode, of the market that most orders are of; 0: no auctions */
    bool stopping;     /* markets stop and go on, and many offers are reserved */
    bool crowded;      /* many JOBs among many offers in few hours */
    bool lively;       /* icebergs, SETs and the rest must really meet */
    const char *without; /* kinds of order that do not come, by the first letter of their share */
};

/* What all runs of a process have seen, for the test that everything occurs. */
static uint64_t reasons_seen[MODEL_TWIN_REASONS];
static uint64_t jobs_arriving_seen;
static uint64_t jobs_due_seen;
static uint64_t postponed_seen;
static uint64_t waits_seen; /* steps of offers that wait for their market */
static uint64_t turns_seen; /* steps left with markets in whose turn offers wait */

/* The run under way, for the last words of a process that a CHECK ends. */
static const struct model_twin *current_twin;
static uint64_t current_seed;

static void say_what_ended(int number)
{
    (void)number;
    fprintf(stderr, "seed %" PRIu64 ", command %" PRIu64 "\n", current_seed,
            current_twin->step_count);
    model_twin_print(current_twin);
    signal(SIGABRT, SIG_DFL);
}

static struct engine_config config_of(const struct run *run)
{
    struct engine_config config;
    engine_config_default(&config);
    config.accounts = 40;
    config.keys = 200;
    config.resources = 40;
    config.groups = 40;
    config.markets = 16;
    config.jobs = 4096;
    config.holdings = 700; /* few, so that their table has collisions */
    if (run->tight) {
        config.orders = 40;
        config.auctions = 3;
        config.timers = 4;
        config.jobs = 3;
        config.fills = 600;
        config.holdings = 100;
    }
    return config;
}

static void look_at_orders(struct model_twin *twin)
{
    for (uint32_t i = 0; i < twin->model->market_count; i++) {
        turns_seen += twin->model->markets[i].resumed != 0;
    }
    for (uint32_t i = 0; i < twin->model->order_count; i++) {
        waits_seen += twin->model->orders[i].waits != 0;
    }

    uint64_t over = 0;
    uint64_t asleep = 0;
    for (uint32_t i = 0; i < twin->model->order_count && twin->step_count % 64 == 0; i++) {
        const struct model_order *order = &twin->model->orders[i];
        over += model_due_over(twin->model, order) != REASON_NONE;
        asleep += order->kind == MODEL_LEG && order->asleep;
    }
    if (twin->model->order_count > twin->most_orders) {
        twin->most_orders = twin->model->order_count;
    }
    twin->most_work = over > twin->most_work ? over : twin->most_work;
    twin->most_asleep = asleep > twin->most_asleep ? asleep : twin->most_asleep;
}

static bool step(struct model_twin *twin, const union command_slot *slots, const struct run *run)
{
    if (!model_twin_step(twin, slots)) {
        fprintf(stderr, "seed %" PRIu64 "\n", run->seed);
        return false;
    }
    look_at_orders(twin);
    if (twin->step_count % run->sanity_every != 0) {
        return true;
    }
    engine_sanity(twin->engine);
    if (!model_twin_same_state(twin)) {
        model_twin_print(twin);
        fprintf(stderr, "seed %" PRIu64 ", after command %" PRIu64 "\n", run->seed,
                twin->step_count);
        return false;
    }
    return true;
}

static bool feed(struct model_twin *twin, struct model_random *random, const struct run *run)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    for (uint32_t i = 0; model_random_opening(random, i, twin->model, slots); i++) {
        if (!step(twin, slots, run)) {
            return false;
        }
    }
    while (twin->step_count < run->commands) {
        model_random_command(random, twin->model, slots);
        if (!step(twin, slots, run)) {
            return false;
        }
    }
    return true;
}

/* Lets all gates pass: every order goes, and with it everything that was reserved. */
static bool finish(struct model_twin *twin, struct model_random *random, const struct run *run)
{
    union command_slot slots[COMMAND_SLOTS_MAX];
    memset(slots, 0, sizeof(slots));
    slots[0].command.head.type = COMMAND_TICK;
    slots[0].command.head.slots = 1;
    slots[0].command.head.time_ns = random->time_ns + 3 * 24 * NS_PER_HOUR;
    do {
        if (!step(twin, slots, run)) {
            return false;
        }
    } while (model_has_work(twin->model));
    __int128_t held_e4 = 0;
    for (uint32_t i = 1; i <= model_audit_accounts(twin->audit); i++) {
        struct engine_account account;
        CHECK(engine_account(twin->engine, i, &account));
        if (account.reserved_e4 != 0 || account.bond_open_e4 != 0 || account.open_orders != 0) {
            fprintf(stderr, "seed %" PRIu64 ": account %u keeps a reserve without orders\n",
                    run->seed, i);
            return false;
        }
        held_e4 += (__int128_t)account.cash_e4 + account.escrow_e4;
    }
    if (held_e4 != model_audit_deposits_e4(twin->audit)) {
        fprintf(stderr, "seed %" PRIu64 ": cash and escrow are not what was deposited\n",
                run->seed);
        return false;
    }
    return model_twin_same_state(twin) && model_twin_replays(twin);
}

static void print_statistics(const struct model_twin *twin, const struct run *run)
{
    printf("seed %" PRIu64 ": %" PRIu64 " commands, W %u: orders %" PRIu64 ", trades %" PRIu64
           ", resales %" PRIu64 ", replaced %" PRIu64 ", self-trades %" PRIu64 "/%" PRIu64
           "/%" PRIu64 ", auctions %" PRIu64 "/%" PRIu64 "/%" PRIu64 " (%" PRIu64
           " coupled), sweeps %" PRIu64 ", most live %" PRIu64 ", over and waiting %" PRIu64
           ", JOBs %" PRIu64 ", filled on arrival %" PRIu64 ", by due hours %" PRIu64
           ", steps that left due hours %" PRIu64 "\n",
           run->seed, twin->step_count, twin->model->rules.sweep_slice, twin->events[EVENT_NEW],
           twin->events[EVENT_TRADE], twin->resales, twin->events[EVENT_REPLACED],
           twin->self_trades[STP_CANCEL_NEWEST], twin->self_trades[STP_CANCEL_OLDEST],
           twin->self_trades[STP_DECREMENT], twin->cleared[AUCTION_OPENING],
           twin->cleared[AUCTION_PERIODIC], twin->cleared[AUCTION_VOLATILITY], twin->coupled,
           twin->events[EVENT_SWEEP_DONE], twin->most_orders, twin->most_work,
           twin->events[EVENT_JOB], twin->jobs_arriving, twin->jobs_due, twin->postponed);
    const struct model_audit_sets *sets = model_audit_sets(twin->audit);
    printf("  refreshed %" PRIu64 ", released %" PRIu64 ", ranges %" PRIu64 ", SETs %" PRIu64
           " of at most %" PRIu64 " legs: fills arriving %" PRIu64 ", at rest %" PRIu64
           ", missed %" PRIu64 ", most legs asleep %" PRIu64 "; legs ended by gate %" PRIu64
           ", self-trade %" PRIu64 ", band %" PRIu64 ", mass cancel %" PRIu64 "\n",
           twin->events[EVENT_REFRESHED], twin->events[EVENT_RELEASED], twin->events[EVENT_RANGE],
           twin->events[EVENT_SET], twin->most_legs, sets->fills_arriving, sets->fills_resting,
           twin->events[EVENT_MISS], twin->most_asleep, twin->leg_reasons[REASON_GATE_CLOSED],
           twin->leg_reasons[REASON_SELF_TRADE], twin->leg_reasons[REASON_BAND_REMAINDER],
           twin->leg_reasons[REASON_MASS_CANCELED]);
}

/* A run that shows little of what it compares says nothing. */
static bool lively(const struct model_twin *twin)
{
    const struct model_audit_sets *sets = model_audit_sets(twin->audit);
    return sets->fills_arriving > 0 && twin->most_legs == SET_LEGS_MAX && sets->fills_resting > 0 &&
           twin->most_asleep > 0 && twin->events[EVENT_REFRESHED] > 0 &&
           twin->events[EVENT_RELEASED] > 0 && twin->leg_reasons[REASON_GATE_CLOSED] > 0 &&
           twin->leg_reasons[REASON_SELF_TRADE] > 0 &&
           twin->leg_reasons[REASON_BAND_REMAINDER] > 0 &&
           twin->leg_reasons[REASON_MASS_CANCELED] > 0;
}

static void leave_out(struct model_random *random, const char *kinds)
{
    for (; kinds != NULL && *kinds != 0; kinds++) {
        *(*kinds == 'i'   ? &random->icebergs
          : *kinds == 'j' ? &random->reserved
          : *kinds == 'r' ? &random->ranges
          : *kinds == 'J' ? &random->jobs
                          : &random->sets) = 0;
    }
}

static bool run_once(const struct run *run)
{
    struct engine_config config = config_of(run);
    struct model_twin *twin = model_twin_new(&config);
    struct model_random random;
    model_random_init(&random, run->seed);
    random.deep = run->deep;
    random.trial_orders = run->trial;
    random.restless = run->restless;
    random.crowded = run->crowded;
    random.stopping = run->stopping;
    random.reserved = run->stopping ? 70 : random.reserved;
    random.jobs = run->crowded ? 25 : run->deep ? 1 : random.jobs;
    leave_out(&random, run->without);
    if (run->main_mode != 0) {
        random.auctions = true;
        random.main_mode = run->main_mode;
        random.takes = run->main_mode == MODE_LISTING ? 40 : 5;
    }
    current_twin = twin;
    current_seed = run->seed;
    signal(SIGABRT, say_what_ended);
    bool good = feed(twin, &random, run) && finish(twin, &random, run);
    print_statistics(twin, run);
    if (good && run->lively && !lively(twin)) {
        fprintf(stderr, "seed %" PRIu64 ": a kind of event never came\n", run->seed);
        good = false;
    }
    for (size_t i = 0; i < MODEL_TWIN_REASONS; i++) {
        reasons_seen[i] += twin->reasons[i];
    }
    jobs_arriving_seen += twin->jobs_arriving;
    jobs_due_seen += twin->jobs_due;
    postponed_seen += twin->postponed;
    signal(SIGABRT, SIG_DFL);
    model_twin_free(twin);
    return good;
}

static const struct {
    uint16_t number;
    const char *name;
} reasons[] = {
#define REASON_ROW(number, name, sentence) {number, #name},
    REASON_LIST(REASON_ROW)
#undef REASON_ROW
};

static void print_reasons(void)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (model_twin_shows_reason(reasons[i].number)) {
            printf("%8" PRIu64 " %s\n", reasons_seen[reasons[i].number], reasons[i].name);
        }
    }
}

Test(model, short_runs_agree_with_invariants_walked_at_every_step)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct run run = {.seed = seed, .commands = 2500, .sanity_every = 1, .tight = seed == 6};
        cr_assert(run_once(&run), "seed %" PRIu64, seed);
    }
}

Test(model, auctions_and_listings_agree)
{
    for (uint8_t mode = MODE_CONTINUOUS; mode <= MODE_LISTING; mode++) {
        for (uint64_t seed = 400; seed < 403; seed++) {
            struct run run = {.seed = seed + 10U * mode,
                              .commands = 5000,
                              .sanity_every = 20,
                              .main_mode = mode,
                              .tight = seed == 402};
            cr_assert(run_once(&run), "seed %" PRIu64, run.seed);
        }
    }
}

/* A gate that takes several steps to close an hour ends its auction first. */
Test(model, gates_that_meet_auctions_with_sleeping_legs_agree)
{
    struct run run = {.seed = 701,
                      .commands = 6000,
                      .sanity_every = 10,
                      .main_mode = MODE_CONTINUOUS,
                      .deep = true,
                      .restless = true,
                      .stopping = true};
    cr_assert(run_once(&run), "seed %" PRIu64, run.seed);
}

Test(model, books_of_thousands_of_orders_agree)
{
    struct run run = {.seed = 202, .commands = 12000, .sanity_every = 200, .deep = true};
    cr_assert(run_once(&run), "seed 202");
}

Test(model, trials_that_may_meet_few_orders_agree)
{
    uint64_t before = reasons_seen[REASON_TRIAL_TOO_WIDE];
    for (uint32_t trial = 1; trial <= 6; trial++) {
        struct run run = {.seed = 500 + trial,
                          .commands = 5000,
                          .sanity_every = 100,
                          .trial = trial,
                          .deep = trial > 2,
                          .crowded = trial == 2};
        cr_assert(run_once(&run), "seed %" PRIu64, run.seed);
    }
    uint64_t refused = reasons_seen[REASON_TRIAL_TOO_WIDE] - before;
    cr_assert(refused > 200, "only %" PRIu64 " were too wide", refused);
}

Test(model, reservations_that_end_while_markets_stop_agree)
{
    for (uint64_t seed = 601; seed <= 609; seed++) {
        struct run run = {.seed = seed,
                          .commands = 6000,
                          .sanity_every = 20,
                          .tight = seed == 609,
                          .stopping = true};
        cr_assert(run_once(&run), "seed %" PRIu64, seed);
    }
    cr_assert(waits_seen > 1000 && turns_seen > 4, "%" PRIu64 " waits, %" PRIu64 " turns",
              waits_seen, turns_seen);
}

Test(model, many_jobs_among_many_offers_agree)
{
    for (uint64_t seed = 401; seed <= 404; seed++) {
        struct run run = {.seed = seed, .commands = 8000, .sanity_every = 200, .crowded = true};
        cr_assert(run_once(&run), "seed %" PRIu64, seed);
    }
    cr_assert(jobs_arriving_seen > 100 && jobs_due_seen > 100 && postponed_seen > 100,
              "JOBs filled on arrival %" PRIu64 ", by due hours %" PRIu64
              ", steps that left due hours %" PRIu64,
              jobs_arriving_seen, jobs_due_seen, postponed_seen);
}

Test(model, long_sweeps_among_new_orders_agree)
{
    for (uint64_t seed = 301; seed <= 303; seed++) {
        struct run run = {
            .seed = seed, .commands = 8000, .sanity_every = 200, .deep = true, .restless = true};
        cr_assert(run_once(&run), "seed %" PRIu64, seed);
    }
}

/* Of each long run; KASHI_MODEL_COMMANDS asks for more, or for fewer. */
static uint64_t long_run(void)
{
    const char *given = getenv("KASHI_MODEL_COMMANDS");
    return given == NULL ? 37000 : strtoull(given, NULL, 10);
}

Test(model, long_runs_agree_and_every_reason_occurs)
{
    for (uint64_t seed = 101; seed <= 105; seed++) {
        struct run run = {.seed = seed,
                          .commands = long_run(),
                          .sanity_every = 500,
                          .trial = seed == 103 ? 4 : 0,
                          .tight = seed == 105,
                          .lively = seed != 105};
        cr_assert(run_once(&run), "seed %" PRIu64, seed);
    }
    for (uint8_t mode = MODE_CONTINUOUS; mode <= MODE_LISTING; mode++) {
        struct run run = {
            .seed = 105U + mode, .commands = 12000, .sanity_every = 500, .main_mode = mode};
        cr_assert(run_once(&run), "seed %" PRIu64, run.seed);
    }
    /* where JOBs are large enough to be too large */
    struct run crowded = {.seed = 106, .commands = 8000, .sanity_every = 500, .crowded = true};
    cr_assert(run_once(&crowded), "seed 106");
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        /* The one that is left out takes more offers than the model has room for. */
        if (model_twin_shows_reason(reasons[i].number) &&
            reasons[i].number != REASON_JOB_TOO_WIDE) {
            cr_assert(reasons_seen[reasons[i].number] > 0, "%s never occurred", reasons[i].name);
        }
    }
}

static int usage(void)
{
    fputs("usage: test_model [--seed S] [--commands N] [--sanity-every N] [--tight] [--deep] "
          "[--restless]\n"
          "       [--crowded] [--stopping]\n"
          "       [--mode N]  markets have auctions, the main one has mode 1, 2 or 3\n"
          "       [--trial T]  orders that a trial may meet\n"
          "       [--without LETTERS]  of i(cebergs) j(ob reservations) r(anges) s(ets) J(OBs)\n"
          "  compares engine and model over N random commands; without any of these options it\n"
          "  runs as a Criterion suite\n"
          "example: test_model --seed 7 --commands 1000000 --sanity-every 1000\n",
          stderr);
    return 2;
}

/* As a program of its own. Returns -1 when the arguments are Criterion's. */
static int by_hand(int argc, char **argv)
{
    struct run run = {.seed = 1, .commands = 100000, .sanity_every = 1000, .tight = false};
    bool asked = false;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--seed") == 0 && has_value) {
            run.seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--commands") == 0 && has_value) {
            run.commands = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--sanity-every") == 0 && has_value) {
            run.sanity_every = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--without") == 0 && has_value) {
            run.without = argv[++i];
        } else if (strcmp(argv[i], "--mode") == 0 && has_value) {
            run.main_mode = (uint8_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--tight") == 0) {
            run.tight = true;
        } else if (strcmp(argv[i], "--deep") == 0) {
            run.deep = true;
        } else if (strcmp(argv[i], "--restless") == 0) {
            run.restless = true;
        } else if (strcmp(argv[i], "--crowded") == 0) {
            run.crowded = true;
        } else if (strcmp(argv[i], "--stopping") == 0) {
            run.stopping = true;
        } else if (strcmp(argv[i], "--trial") == 0 && has_value) {
            run.trial = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else {
            return asked ? usage() : -1;
        }
        asked = true;
    }
    if (!asked) {
        return -1;
    }
    if (run.sanity_every == 0) {
        return usage();
    }
    bool good = run_once(&run);
    print_reasons();
    puts(good ? "engine and model agree" : "engine and model differ");
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status = by_hand(argc, argv);
    if (status >= 0) {
        return status;
    }
    struct criterion_test_set *tests = criterion_initialize();
    int result = criterion_handle_args(argc, argv, true) ? !criterion_run_all_tests(tests) : 0;
    criterion_finalize(tests);
    return result;
}
