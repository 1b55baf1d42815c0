/* A refusal in words, with what was refused and what it was compared with. Thread: the caller's. */
#ifndef KASHI_CLIENT_REFUSAL_H
#define KASHI_CLIENT_REFUSAL_H

#include "wire/codec.h"

/* A line on stderr: "refused: WHAT: REASON (number): sentence [value against bound]". `why` is the answer
 * that says so, or NULL; what it refuses by field is quoted from the request, if that is given. */
void refusal_print(const struct request *request, const char *what, uint16_t reason,
                   const struct message *why);
/* Where to look for what a field ("symbol", "lanes[2].class") may say, as a sentence; NULL: nowhere. */
const char *refusal_where_listed(const char *field);

#endif
