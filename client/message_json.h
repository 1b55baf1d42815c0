/* Messages as JSON, with the names and values of docs/protocol.md: prices and money are integers in
 * ten-thousandths ("price_e4"), times nanoseconds. The caller owns what is returned
 * (json_decref); running out of memory ends the process. Any thread. */
#ifndef KASHI_CLIENT_MESSAGE_JSON_H
#define KASHI_CLIENT_MESSAGE_JSON_H

#include <jansson.h>

#include "wire/codec.h"

json_t *message_json(const struct message *message);
json_t *message_json_report(const struct report *report);
/* A depth book's level and an index value go the same way as part of their messages. */
json_t *message_json_index(const struct index_message *index);
json_t *message_json_market_data(const struct market_data *data);

#endif
