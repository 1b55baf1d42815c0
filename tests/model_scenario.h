/* Scenario tables: cases in a small line language, each a few commands with the events that they
 * must cause (tests/scenarios/README.md). A table runs against anything that steps like the
 * exchange: the engine, the model. One thread. */
#ifndef KASHI_TESTS_MODEL_SCENARIO_H
#define KASHI_TESTS_MODEL_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/core/engine.h"
#include "tests/model.h"

/* What a table runs against. */
struct model_scenario_subject {
    const char *name;
    void *self;
    void (*start)(void *self); /* before every case: forget everything */
    void (*step)(void *self, const union command_slot *slots, struct model_events *events);
    void (*account)(void *self, uint32_t account, struct engine_account *out);
};

enum model_scenario_kind {
    MODEL_SCENARIO_CLASS,
    MODEL_SCENARIO_REGION,
    MODEL_SCENARIO_GROUP,
    MODEL_SCENARIO_ACCOUNT,
    MODEL_SCENARIO_KEY,
    MODEL_SCENARIO_RESOURCE,
    MODEL_SCENARIO_LINK,
    MODEL_SCENARIO_ORDER,
    MODEL_SCENARIO_TRADE_GROUP, /* by the number of the JOB's order */
};

enum { MODEL_SCENARIO_NAMES = 512, MODEL_SCENARIO_WORDS = 64, MODEL_SCENARIO_KEYS = 64 };

struct model_scenario_name {
    enum model_scenario_kind kind;
    char text[32];
    uint64_t id;
};

/* A case under way. */
struct model_scenario {
    const struct model_scenario_subject *subject;
    const char *path;
    int line;
    char case_name[64];
    char *words[MODEL_SCENARIO_WORDS];
    uint32_t word_count;
    struct model_scenario_name names[MODEL_SCENARIO_NAMES];
    uint32_t name_count;
    uint64_t seq;
    int64_t time_ns;
    uint64_t cl_ord_id[MODEL_SCENARIO_KEYS];
    uint32_t session[MODEL_SCENARIO_KEYS];
    uint16_t link[MODEL_SCENARIO_KEYS];
    struct model_events events; /* of the last command */
    size_t met;                 /* of them, how many an expectation has met */
    bool expecting;             /* the last command has had an expectation */
    bool failed;
    uint32_t cases;
    uint32_t expectations;
};

/* Runs every case of the table at `path`, each after the common opening in `opening_path`. False:
 * printed what failed, with file and line. */
bool model_scenario_run(const char *path, const char *opening_path,
                        const struct model_scenario_subject *subject);

/* --- what its parts share (model_scenario*.c) -------------------------------------------------- */

/* Says what is wrong in this line; the case goes no further. */
__attribute__((format(printf, 2, 3))) void model_scenario_fail(struct model_scenario *scenario,
                                                               const char *format, ...);
void model_scenario_name(struct model_scenario *scenario, enum model_scenario_kind kind,
                         const char *text, uint64_t id);
/* Fails when there is none. */
uint64_t model_scenario_id(struct model_scenario *scenario, enum model_scenario_kind kind,
                           const char *text);
bool model_scenario_has(const struct model_scenario *scenario, enum model_scenario_kind kind,
                        const char *text);
/* "15.25" in ten-thousandths. */
int64_t model_scenario_money(struct model_scenario *scenario, const char *text);
int64_t model_scenario_number(struct model_scenario *scenario, const char *text);
/* "90s", "5m", "2h", "7ns" */
int64_t model_scenario_span_ns(struct model_scenario *scenario, const char *text);
/* "h+3": the third hour after the case began. */
uint32_t model_scenario_hour(struct model_scenario *scenario, const char *text);
uint8_t model_scenario_tier(struct model_scenario *scenario, const char *text);

/* Stamps and steps; fills in events, and learns ids and sessions from them. */
void model_scenario_step(struct model_scenario *scenario,
                         union command_slot slots[COMMAND_SLOTS_MAX]);
/* The trade group of the JOB that is called so; fails when it has not traded. */
uint64_t model_scenario_trade_group(struct model_scenario *scenario, const char *text);
/* "A100/CN-NM/G50/h+11": what is left out is H100, CN-GZ, G0, h+10. Changes the text. */
uint64_t model_scenario_contract(struct model_scenario *scenario, char *text);
/* The command behind KEY job (model_scenario_job.c). */
void model_scenario_job(struct model_scenario *scenario, uint32_t key);
/* Carries out the line when it is a command; false when it is none. */
bool model_scenario_command(struct model_scenario *scenario);

/* The same for the operator's commands. */
bool model_scenario_operator(struct model_scenario *scenario);

/* What an order line says, whatever it orders. */
uint8_t model_scenario_tif(const struct model_scenario *scenario);
int64_t model_scenario_expiry_ns(struct model_scenario *scenario);
uint16_t model_scenario_flags(const struct model_scenario *scenario);
/* Names the order of the last events as the line's `as` says. */
void model_scenario_name_new_order(struct model_scenario *scenario);

struct command *model_scenario_start(union command_slot slots[COMMAND_SLOTS_MAX], uint8_t type);
void model_scenario_send_by(struct model_scenario *scenario, struct command *command, uint32_t key);
/* Puts name=value words into the command's fields, then steps. */
void model_scenario_send_changed(struct model_scenario *scenario,
                                 union command_slot slots[COMMAND_SLOTS_MAX]);
/* The word at `at`; fails when the line is shorter. */
const char *model_scenario_word(struct model_scenario *scenario, uint32_t at);
/* Where a word stands; 0 when it does not. */
uint32_t model_scenario_find_word(const struct model_scenario *scenario, const char *text);
/* The word after `text`, NULL when `text` does not stand in the line. */
const char *model_scenario_after(struct model_scenario *scenario, const char *text);
int64_t model_scenario_number_after(struct model_scenario *scenario, const char *text,
                                    int64_t otherwise);
int64_t model_scenario_money_after(struct model_scenario *scenario, const char *text,
                                   int64_t otherwise);
uint16_t model_scenario_class_after(struct model_scenario *scenario, const char *otherwise);
uint16_t model_scenario_region_after(struct model_scenario *scenario, const char *otherwise);

#endif
