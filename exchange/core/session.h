/* Sessions of keys and the links that they come by (rulebook, section 9). */
#ifndef KASHI_EXCHANGE_CORE_SESSION_H
#define KASHI_EXCHANGE_CORE_SESSION_H

#include "exchange/core/state.h"

void session_login(struct engine *e, const struct command *command);
void session_logout(struct engine *e, const struct command *command);
/* Ends a key's session if it has one; its orders too when it asked for that. */
void session_end(struct engine *e, uint32_t key);
void session_link_up(struct engine *e, const struct command *command);
void session_link_down(struct engine *e, const struct command *command);

#endif
