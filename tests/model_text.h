/* Commands and events in words: for people who look for a difference, and for scenario tables. Each
 * kind of event is a list of named fields; nothing else knows where they stand. Pure; any thread. */
#ifndef KASHI_TESTS_MODEL_TEXT_H
#define KASHI_TESTS_MODEL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "wire/command.h"
#include "wire/event.h"

enum model_text_kind {
    MODEL_TEXT_NUMBER,
    MODEL_TEXT_MONEY,  /* "_e4": a decimal number with two to four places */
    MODEL_TEXT_REASON, /* its name */
    MODEL_TEXT_FIELD,  /* of a refused value: its name */
    MODEL_TEXT_SIDE,
    MODEL_TEXT_TIER, /* of the contract that stands here */
    MODEL_TEXT_HOUR, /* of the contract that stands here */
    MODEL_TEXT_ORDER,
    MODEL_TEXT_KEY,
    MODEL_TEXT_ACCOUNT,
    MODEL_TEXT_RESOURCE,
    MODEL_TEXT_TRADE_GROUP, /* of a JOB's fills */
    MODEL_TEXT_LABEL,       /* NUL-padded text */
};

struct model_text_field {
    const char *name; /* NULL ends a list */
    uint16_t offset;
    uint8_t size;
    uint8_t kind; /* enum model_text_kind */
};

struct model_text_type {
    uint8_t type;
    const char *name;
    const struct model_text_field *fields;
};

/* NULL for a type that is none. */
const struct model_text_type *model_text_event_type(uint8_t type);
const struct model_text_type *model_text_command_type(uint8_t type);
const struct model_text_field *model_text_find(const struct model_text_type *type,
                                               const char *name);
/* The number in a field of an event or command. */
int64_t model_text_value(const void *bytes, const struct model_text_field *field);

#define MODEL_TEXT_SIZE 2560
/* One line, no line feed. A command points at all of its slots. */
void model_text_event(const struct event *event, char text[MODEL_TEXT_SIZE]);
void model_text_command(const struct command *command, char text[MODEL_TEXT_SIZE]);

#endif
