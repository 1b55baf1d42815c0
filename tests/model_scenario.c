#include "tests/model_scenario.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/model_text.h"

/* 2026-11-20T00:00Z: every case begins here. */
#define START_HOUR INT64_C(498648)

void model_scenario_fail(struct model_scenario *scenario, const char *format, ...)
{
    if (scenario->failed) {
        return;
    }
    scenario->failed = true;
    fprintf(stderr, "%s:%d: %s: case %s: ", scenario->path, scenario->line, scenario->subject->name,
            scenario->case_name);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    for (size_t i = 0; i < scenario->events.count; i++) {
        char text[MODEL_TEXT_SIZE];
        model_text_event(&scenario->events.items[i], text);
        fprintf(stderr, "    %s\n", text);
    }
}

void model_scenario_name(struct model_scenario *scenario, enum model_scenario_kind kind,
                         const char *text, uint64_t id)
{
    CHECK(scenario->name_count < MODEL_SCENARIO_NAMES);
    struct model_scenario_name *name = &scenario->names[scenario->name_count++];
    name->kind = kind;
    name->id = id;
    snprintf(name->text, sizeof(name->text), "%s", text);
}

/* The newest of that name counts. */
static const struct model_scenario_name *find_name(const struct model_scenario *scenario,
                                                   enum model_scenario_kind kind, const char *text)
{
    for (uint32_t i = scenario->name_count; i-- > 0;) {
        if (scenario->names[i].kind == kind && strcmp(scenario->names[i].text, text) == 0) {
            return &scenario->names[i];
        }
    }
    return NULL;
}

bool model_scenario_has(const struct model_scenario *scenario, enum model_scenario_kind kind,
                        const char *text)
{
    return find_name(scenario, kind, text) != NULL;
}

uint64_t model_scenario_id(struct model_scenario *scenario, enum model_scenario_kind kind,
                           const char *text)
{
    const struct model_scenario_name *name = find_name(scenario, kind, text);
    if (name == NULL) {
        model_scenario_fail(scenario, "nothing here is called '%s'", text);
        return 0;
    }
    return name->id;
}

int64_t model_scenario_money(struct model_scenario *scenario, const char *text)
{
    bool negative = text[0] == '-';
    char *end;
    int64_t value = strtoll(text + negative, &end, 10) * E4_ONE;
    int64_t place = E4_ONE;
    if (*end == '.') {
        for (end++; *end >= '0' && *end <= '9' && place > 1; end++) {
            place /= 10;
            value += (*end - '0') * place;
        }
    }
    if (*end != 0 || end == text) {
        model_scenario_fail(scenario, "'%s' is not an amount with at most four places", text);
    }
    return negative ? -value : value;
}

int64_t model_scenario_number(struct model_scenario *scenario, const char *text)
{
    char *end;
    int64_t value = strtoll(text, &end, 10);
    if (*end != 0 || end == text) {
        model_scenario_fail(scenario, "'%s' is not a number", text);
    }
    return value;
}

int64_t model_scenario_span_ns(struct model_scenario *scenario, const char *text)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"ns", 1}, {"s", NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND}, {"h", NS_PER_HOUR}};
    char *end;
    int64_t value = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) == 0) {
            return value * units[i].ns;
        }
    }
    model_scenario_fail(scenario, "'%s' is not a span like 90s, 5m, 2h or 7ns", text);
    return 0;
}

uint32_t model_scenario_hour(struct model_scenario *scenario, const char *text)
{
    if (strncmp(text, "h+", 2) != 0) {
        model_scenario_fail(scenario, "'%s' is not an hour like h+3", text);
        return 0;
    }
    return (uint32_t)(START_HOUR + model_scenario_number(scenario, text + 2));
}

uint8_t model_scenario_tier(struct model_scenario *scenario, const char *text)
{
    uint8_t tier = 0;
    if (!tier_parse(text, strlen(text), &tier)) {
        model_scenario_fail(scenario, "'%s' is not a tier", text);
    }
    return tier;
}

void model_scenario_step(struct model_scenario *scenario,
                         union command_slot slots[COMMAND_SLOTS_MAX])
{
    struct command_head *head = &slots[0].command.head;
    head->seq = ++scenario->seq;
    head->time_ns = scenario->time_ns;
    model_events_clear(&scenario->events);
    scenario->subject->step(scenario->subject->self, slots, &scenario->events);
    scenario->met = 0;
    scenario->expecting = false;
    for (size_t i = 0; i < scenario->events.count; i++) {
        const struct event *event = &scenario->events.items[i];
        if (event->head.type == EVENT_LOGIN && event->party.key < MODEL_SCENARIO_KEYS) {
            scenario->session[event->party.key] = event->login.session;
            scenario->link[event->party.key] = event->head.link;
        }
        if (event->head.type == EVENT_TRADE && event->trade.fill_id == event->trade.trade_group) {
            char order[32];
            snprintf(order, sizeof(order), "%" PRIu64, event->trade.buy_order_id);
            model_scenario_name(scenario, MODEL_SCENARIO_TRADE_GROUP, order,
                                event->trade.trade_group);
        }
    }
}

uint64_t model_scenario_trade_group(struct model_scenario *scenario, const char *text)
{
    char order[32];
    snprintf(order, sizeof(order), "%" PRIu64,
             model_scenario_id(scenario, MODEL_SCENARIO_ORDER, text));
    return model_scenario_id(scenario, MODEL_SCENARIO_TRADE_GROUP, order);
}

/* Without an expectation a command must at least not be refused. */
static void finish_command(struct model_scenario *scenario)
{
    if (scenario->failed) {
        return;
    }
    if (scenario->expecting) {
        if (scenario->met < scenario->events.count) {
            model_scenario_fail(scenario, "only %zu of %zu events were expected", scenario->met,
                                scenario->events.count);
        }
        return;
    }
    for (size_t i = 0; i < scenario->events.count; i++) {
        if (scenario->events.items[i].head.type == EVENT_REJECTED) {
            model_scenario_fail(scenario, "refused, and no refusal was expected");
        }
    }
}

static int64_t reason_number(struct model_scenario *scenario, const char *text)
{
    for (uint16_t number = 0; number < 400; number++) {
        if (strcmp(reason_name(number), text) == 0) {
            return number;
        }
    }
    model_scenario_fail(scenario, "there is no reason '%s'", text);
    return -1;
}

static int64_t field_number(struct model_scenario *scenario, const char *text)
{
    for (uint8_t number = 1; reject_field_name(number)[0] != '\0'; number++) {
        if (strcmp(reject_field_name(number), text) == 0) {
            return number;
        }
    }
    model_scenario_fail(scenario, "a refusal names no field '%s'", text);
    return -1;
}

/* An expected value as the number that must stand in the field. */
static int64_t expected_value(struct model_scenario *scenario, const struct model_text_field *field,
                              const char *text)
{
    switch (field->kind) {
    case MODEL_TEXT_MONEY:
        return model_scenario_money(scenario, text);
    case MODEL_TEXT_REASON:
        return reason_number(scenario, text);
    case MODEL_TEXT_FIELD:
        return field_number(scenario, text);
    case MODEL_TEXT_SIDE:
        return strcmp(text, "none") == 0   ? AGGRESSOR_NONE
               : strcmp(text, "sell") == 0 ? SIDE_SELL
                                           : SIDE_BUY;
    case MODEL_TEXT_TIER:
        return model_scenario_tier(scenario, text);
    case MODEL_TEXT_HOUR:
        return model_scenario_hour(scenario, text);
    case MODEL_TEXT_ORDER:
        return (int64_t)model_scenario_id(scenario, MODEL_SCENARIO_ORDER, text);
    case MODEL_TEXT_TRADE_GROUP:
        return strcmp(text, "0") == 0 ? 0 : (int64_t)model_scenario_trade_group(scenario, text);
    case MODEL_TEXT_KEY:
        return (int64_t)model_scenario_id(scenario, MODEL_SCENARIO_KEY, text);
    case MODEL_TEXT_ACCOUNT:
        return (int64_t)model_scenario_id(scenario, MODEL_SCENARIO_ACCOUNT, text);
    case MODEL_TEXT_RESOURCE:
        return (int64_t)model_scenario_id(scenario, MODEL_SCENARIO_RESOURCE, text);
    default:
        if (strcmp(text, "own") == 0) {
            return SOURCE_OWN;
        }
        return text[0] == 'G' ? model_scenario_tier(scenario, text)
                              : model_scenario_number(scenario, text);
    }
}

static bool field_is(struct model_scenario *scenario, const struct event *event,
                     const struct model_text_field *field, const char *text)
{
    if (field->kind == MODEL_TEXT_LABEL) {
        return strncmp((const char *)event + field->offset, text, field->size) == 0;
    }
    return expected_value(scenario, field, text) == model_text_value(event, field);
}

/* Splits "name=value" in place; NULL when there is no '='. */
static char *split(char *word)
{
    char *equals = strchr(word, '=');
    if (equals == NULL) {
        return NULL;
    }
    *equals = 0;
    return equals + 1;
}

/* expect TYPE name=value ... : the next event of the last command. */
static void expect(struct model_scenario *scenario)
{
    scenario->expecting = true;
    scenario->expectations++;
    if (scenario->met >= scenario->events.count) {
        model_scenario_fail(scenario, "no more events came");
        return;
    }
    const struct event *event = &scenario->events.items[scenario->met++];
    const struct model_text_type *type = model_text_event_type(event->head.type);
    if (scenario->word_count < 2 || type == NULL || strcmp(type->name, scenario->words[1]) != 0) {
        model_scenario_fail(scenario, "expected another event than %s",
                            type == NULL ? "that" : type->name);
        return;
    }
    for (uint32_t i = 2; i < scenario->word_count && !scenario->failed; i++) {
        char *value = split(scenario->words[i]);
        const struct model_text_field *field = model_text_find(type, scenario->words[i]);
        if (value == NULL || field == NULL) {
            model_scenario_fail(scenario, "%s has no field '%s'", type->name, scenario->words[i]);
            return;
        }
        if (!field_is(scenario, event, field, value)) {
            model_scenario_fail(scenario, "%s %zu: %s is not %s", type->name, scenario->met,
                                field->name, value);
        }
    }
}

static bool account_number(const struct engine_account *account, const char *name, int64_t *value)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"cash", account->cash_e4},
        {"credit", account->credit_e4},
        {"reserved", account->reserved_e4},
        {"bond_open", account->bond_open_e4},
        {"bond_locked", account->bond_locked_e4},
        {"escrow", account->escrow_e4},
        {"available", account->available_e4},
        {"open_orders", account->open_orders * E4_ONE},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *value = numbers[i].value;
            return true;
        }
    }
    return false;
}

/* balance NAME cash=... : what an account has now. */
static void check_balance(struct model_scenario *scenario)
{
    if (scenario->word_count < 3) {
        model_scenario_fail(scenario, "balance NAME field=value ...");
        return;
    }
    uint64_t id = model_scenario_id(scenario, MODEL_SCENARIO_ACCOUNT, scenario->words[1]);
    struct engine_account account;
    memset(&account, 0, sizeof(account));
    scenario->subject->account(scenario->subject->self, (uint32_t)id, &account);
    scenario->expectations++;
    for (uint32_t i = 2; i < scenario->word_count && !scenario->failed; i++) {
        char *text = split(scenario->words[i]);
        int64_t value = 0;
        if (text == NULL || !account_number(&account, scenario->words[i], &value)) {
            model_scenario_fail(scenario, "an account has no '%s'", scenario->words[i]);
            return;
        }
        if (model_scenario_money(scenario, text) != value) {
            model_scenario_fail(scenario, "%s of %s is %" PRId64 ".%04" PRId64 ", not %s",
                                scenario->words[i], scenario->words[1], value / E4_ONE,
                                value % E4_ONE, text);
        }
    }
}

static void split_words(struct model_scenario *scenario, char *text)
{
    char *comment = strchr(text, '#');
    if (comment != NULL) {
        *comment = 0;
    }
    scenario->word_count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t\r\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        CHECK(scenario->word_count < MODEL_SCENARIO_WORDS);
        scenario->words[scenario->word_count++] = word;
    }
}

static void carry_out_once(struct model_scenario *scenario)
{
    const char *word = scenario->words[0];
    if (strcmp(word, "expect") == 0) {
        expect(scenario);
        return;
    }
    finish_command(scenario);
    if (scenario->failed) {
        return;
    }
    model_events_clear(&scenario->events);
    scenario->met = 0;
    scenario->expecting = false;
    if (strcmp(word, "balance") == 0) {
        check_balance(scenario);
    } else if (!model_scenario_command(scenario)) {
        model_scenario_fail(scenario, "'%s' is not a command", word);
    }
}

/* repeat N LINE: the line so many times. */
static void carry_out(struct model_scenario *scenario)
{
    int64_t times = 1;
    if (strcmp(scenario->words[0], "repeat") == 0 && scenario->word_count > 2) {
        times = model_scenario_number(scenario, scenario->words[1]);
        scenario->word_count -= 2;
        memmove(scenario->words, scenario->words + 2, scenario->word_count * sizeof(char *));
    }
    for (int64_t i = 0; i < times && !scenario->failed; i++) {
        carry_out_once(scenario);
    }
}

static void start_case(struct model_scenario *scenario)
{
    const struct model_scenario_subject *subject = scenario->subject;
    subject->start(subject->self);
    scenario->name_count = 0;
    scenario->seq = 0;
    scenario->time_ns = START_HOUR * NS_PER_HOUR;
    memset(scenario->cl_ord_id, 0, sizeof(scenario->cl_ord_id));
    memset(scenario->session, 0, sizeof(scenario->session));
    memset(scenario->link, 0, sizeof(scenario->link));
    model_events_clear(&scenario->events);
    scenario->met = 0;
    scenario->expecting = false;
}

/* The opening's own lines; the words after the case's name are the rules that it changes. */
static void open_market(struct model_scenario *scenario, const char *opening_path,
                        const char *changes)
{
    FILE *file = fopen(opening_path, "r");
    CHECK(file != NULL);
    const char *path = scenario->path;
    int line = scenario->line;
    char text[1024];
    scenario->path = opening_path;
    scenario->line = 0;
    while (!scenario->failed && fgets(text, sizeof(text) / 2, file) != NULL) {
        scenario->line++;
        if (strncmp(text, "genesis", 7) == 0) {
            text[strcspn(text, "#\n")] = 0;
            strncat(text, changes, sizeof(text) - strlen(text) - 1);
        }
        split_words(scenario, text);
        if (scenario->word_count > 0) {
            carry_out(scenario);
        }
    }
    finish_command(scenario);
    fclose(file);
    scenario->path = path;
    scenario->line = line;
}

/* case NAME [rule=value ...] */
static void begin_case(struct model_scenario *scenario, const char *opening_path)
{
    char changes[512] = "";
    for (uint32_t i = 2; i < scenario->word_count; i++) {
        strncat(changes, " ", sizeof(changes) - strlen(changes) - 1);
        strncat(changes, scenario->words[i], sizeof(changes) - strlen(changes) - 1);
    }
    snprintf(scenario->case_name, sizeof(scenario->case_name), "%s",
             scenario->word_count > 1 ? scenario->words[1] : "?");
    scenario->cases++;
    start_case(scenario);
    open_market(scenario, opening_path, changes);
    model_events_clear(&scenario->events);
    scenario->expecting = false;
}

bool model_scenario_run(const char *path, const char *opening_path,
                        const struct model_scenario_subject *subject)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        return false;
    }
    struct model_scenario *scenario = calloc(1, sizeof(*scenario));
    CHECK(scenario != NULL);
    scenario->subject = subject;
    scenario->path = path;
    bool good = true;
    char text[1024];
    while (fgets(text, sizeof(text), file) != NULL) {
        scenario->line++;
        split_words(scenario, text);
        if (scenario->word_count == 0) {
            continue;
        }
        if (strcmp(scenario->words[0], "case") == 0) {
            finish_command(scenario);
            good = good && !scenario->failed;
            scenario->failed = false;
            begin_case(scenario, opening_path);
        } else if (!scenario->failed) {
            carry_out(scenario);
        }
    }
    finish_command(scenario);
    good = good && !scenario->failed;
    if (scenario->cases == 0 || scenario->expectations == 0) {
        fprintf(stderr, "%s expects nothing\n", path);
        good = false;
    }
    model_events_free(&scenario->events);
    free(scenario);
    fclose(file);
    return good;
}
