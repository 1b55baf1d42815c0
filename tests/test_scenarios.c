/* The scenario tables of tests/scenarios, each run against the model and against the engine. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "tests/model_scenario.h"
#include "tests/model_twin.h"
#include "wire/reject.h"

#define FOLDER  "tests/scenarios/"
#define OPENING FOLDER "opening.market"

/* Tables for the engine alone, which need more room than the model has. */
#define WIDE FOLDER "job-width.txt"

static const char *const topics[] = {
    "limit",
    "market-collar",
    "time-in-force",
    "trial",
    "post-only",
    "min-qty",
    "replace",
    "cancel",
    "mass-cancel",
    "self-trade",
    "tiers",
    "bands",
    "funds-and-fees",
    "capacity-and-resale",
    "sessions",
    "halt-and-kill",
    "gates-and-expiry",
    "roles-and-limits",
    "registry",
    "form",
    "full",
    "auction",
    "listing",
    "iceberg",
    "reserved",
    "range",
    "set",
    "set-self-trade",
    "set-ends",
    "job",
    "job-due",
    "job-rank",
    "job-reasons",
    "corners",
};
enum { TOPICS = sizeof(topics) / sizeof(topics[0]) };

/* --- the model as a subject ---------------------------------------------------------------------- */

static struct engine_config small_config(void)
{
    struct engine_config config;
    engine_config_default(&config);
    config.orders = 1000;
    config.timers = 8;
    config.ladders = 12;
    config.auctions = 3;
    config.fills = 1000;
    config.accounts = 20;
    config.keys = 40;
    config.resources = 20;
    config.groups = 20;
    config.markets = 20;
    config.jobs = 4;
    return config;
}

static void model_start(void *self)
{
    struct model **model = self;
    struct engine_config config = small_config();
    struct model_limits limits = {.orders = config.orders,
                                  .ladders = config.ladders,
                                  .fills = config.fills,
                                  .holdings = config.holdings,
                                  .timers = config.timers,
                                  .accounts = config.accounts,
                                  .keys = config.keys,
                                  .resources = config.resources,
                                  .groups = config.groups,
                                  .markets = config.markets,
                                  .auctions = config.auctions,
                                  .jobs = config.jobs};
    model_free(*model);
    *model = model_new(&limits);
}

static void step_model(void *self, const union command_slot *slots, struct model_events *events)
{
    struct model **model = self;
    model_step(*model, &slots[0].command, events);
}

static void model_account_of(void *self, uint32_t id, struct engine_account *out)
{
    struct model *const *model = self;
    const struct model_account *account = &(*model)->accounts[id];
    *out = (struct engine_account){
        .cash_e4 = account->cash_e4,
        .credit_e4 = account->credit_e4,
        .reserved_e4 = model_money_reserved_e4(*model, id),
        .bond_open_e4 = model_money_bond_open_e4(*model, id),
        .bond_locked_e4 = account->bond_locked_e4,
        .escrow_e4 = account->escrow_e4,
        .available_e4 = model_money_available_e4(*model, id),
        .open_orders = model_order_live(*model, id),
    };
}

/* --- the engine as a subject --------------------------------------------------------------------- */

struct engine_subject {
    struct engine_config config;
    void *memory;
    struct engine *engine;
    struct event events[16];
    bool sane; /* invariants are walked after every command */
};

static void drain(struct event_sink *sink)
{
    struct model_events *events = sink->context;
    for (uint32_t i = 0; i < sink->count; i++) {
        if (events->count == events->capacity) {
            events->capacity = events->capacity == 0 ? 64 : events->capacity * 2;
            events->items = realloc(events->items, events->capacity * sizeof(*events->items));
            CHECK(events->items != NULL);
        }
        events->items[events->count++] = sink->events[i];
    }
    sink->count = 0;
}

static void release_engine(struct engine_subject *subject)
{
    if (subject->memory != NULL) {
        munmap(subject->memory, engine_memory_size(&subject->config));
        subject->memory = NULL;
    }
}

static void engine_start(void *self)
{
    struct engine_subject *subject = self;
    release_engine(subject);
    if (subject->config.orders == 0) {
        subject->config = small_config();
    }
    subject->memory = mmap(NULL, engine_memory_size(&subject->config), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(subject->memory != MAP_FAILED);
    subject->engine = engine_init(subject->memory, &subject->config);
    CHECK(subject->engine != NULL);
}

static void step_engine(void *self, const union command_slot *slots, struct model_events *events)
{
    struct engine_subject *subject = self;
    struct event_sink sink = {subject->events, 16, 0, drain, events};
    engine_step(subject->engine, &slots[0].command, &sink);
    drain(&sink);
    if (subject->sane) {
        engine_sanity(subject->engine);
    }
}

static void engine_account_of(void *self, uint32_t id, struct engine_account *out)
{
    const struct engine_subject *subject = self;
    CHECK(engine_account(subject->engine, id, out));
}

/* ------------------------------------------------------------------------------------------------- */

static void run_topic(const char *topic)
{
    char path[256];
    snprintf(path, sizeof(path), FOLDER "%s.txt", topic);
    struct model *model = NULL;
    struct model_scenario_subject by_model = {"model", &model, model_start, step_model,
                                              model_account_of};
    bool model_good = model_scenario_run(path, OPENING, &by_model);
    model_free(model);
    struct engine_subject engine;
    memset(&engine, 0, sizeof(engine));
    engine.sane = true;
    struct model_scenario_subject by_engine = {"engine", &engine, engine_start, step_engine,
                                               engine_account_of};
    bool engine_good = model_scenario_run(path, OPENING, &by_engine);
    release_engine(&engine);
    cr_expect(model_good, "%s: the model", path);
    cr_expect(engine_good, "%s: the engine", path);
}

Test(scenarios, every_table_holds_for_model_and_engine)
{
    for (size_t i = 0; i < TOPICS; i++) {
        run_topic(topics[i]);
    }
}

Test(scenarios, a_search_may_be_so_wide_and_no_wider)
{
    struct engine_subject engine;
    memset(&engine, 0, sizeof(engine));
    engine.config = small_config();
    engine.config.orders = 70000;
    engine.config.ladders = 1000;
    struct model_scenario_subject subject = {"engine", &engine, engine_start, step_engine,
                                             engine_account_of};
    bool good = model_scenario_run(WIDE, OPENING, &subject);
    engine_sanity(engine.engine);
    release_engine(&engine);
    cr_expect(good, WIDE);
}

static bool table_expects(const char *path, const char *text)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    char line[1024];
    bool found = false;
    size_t length = strlen(text);
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        const char *at = strstr(line, text);
        found = strstr(line, "expect ") != NULL && at != NULL &&
                (at[length] == ' ' || at[length] == '\n' || at[length] == 0);
    }
    fclose(file);
    return found;
}

Test(scenarios, every_reason_of_the_core_has_a_case)
{
    static const struct {
        uint16_t number;
        const char *name;
    } reasons[] = {
#define REASON_ROW(number, name, sentence) {number, #name},
        REASON_LIST(REASON_ROW)
#undef REASON_ROW
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (!model_twin_shows_reason(reasons[i].number)) {
            continue;
        }
        char text[64];
        snprintf(text, sizeof(text), "reason=%s", reasons[i].name);
        bool found = table_expects(WIDE, text);
        for (size_t topic = 0; topic < TOPICS && !found; topic++) {
            char path[256];
            snprintf(path, sizeof(path), FOLDER "%s.txt", topics[topic]);
            found = table_expects(path, text);
        }
        cr_expect(found, "no case expects %s", reasons[i].name);
    }
}
