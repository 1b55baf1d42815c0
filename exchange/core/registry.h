/* The operator's commands: registry, cash, limits, markets, halt and kill switch. */
#ifndef KASHI_EXCHANGE_CORE_REGISTRY_H
#define KASHI_EXCHANGE_CORE_REGISTRY_H

#include "exchange/core/state.h"

void registry_genesis(struct engine *e, const struct command *command);
/* Any of the operator's types; the sender is checked already. False: not one of them. */
bool registry_apply(struct engine *e, const struct command *command);

#endif
