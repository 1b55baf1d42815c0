#include "wire/reject.h"

#define REASON_NAME_CASE(number, name, sentence)                                                   \
    case number:                                                                                   \
        return #name;
#define REASON_SENTENCE_CASE(number, name, sentence)                                               \
    case number:                                                                                   \
        return sentence;

const char *reason_name(uint16_t reason)
{
    switch (reason) {
        REASON_LIST(REASON_NAME_CASE)
    default:
        return "UNKNOWN";
    }
}

const char *reason_sentence(uint16_t reason)
{
    switch (reason) {
        REASON_LIST(REASON_SENTENCE_CASE)
    default:
        return "unknown reason";
    }
}

#define FIELD_NAME_CASE(number, name, text)                                                        \
    case number:                                                                                   \
        return text;

const char *reject_field_name(uint8_t field)
{
    switch (field) {
        REJECT_FIELD_LIST(FIELD_NAME_CASE)
    default:
        return "";
    }
}
