/* The execution report that an event is to its key: said once by the gateway when it happens, and
 * again by the read side when it is asked for later, in the same words. Pure; any thread. */
#ifndef KASHI_WIRE_REPORT_H
#define KASHI_WIRE_REPORT_H

#include "wire/codec.h"

/* False: the event is nobody's report (TRADE, TIME, LINK, LOGIN, LOGOUT, RESOURCE_IDENTITY). */
bool report_from_event(const struct contract_names *names, const struct event *event,
                       struct report *report);

#endif
