/* The execution report that an event is to its key: said once by the gateway when it happens, and
 * again by the read side when it is asked for later, in the same words. Pure; any thread. */
#ifndef KASHI_WIRE_REPORT_H
#define KASHI_WIRE_REPORT_H

#include "wire/codec.h"

/* False: the event is nobody's report (TRADE, TIME, LINK, LOGIN, LOGOUT, REFRESHED and what has no
 * party). Of a SET or JOB without its legs or lanes. */
bool report_from_event(const struct contract_names *names, const struct event *event,
                       struct report *report);

/* The report of a SET or JOB with what follows it on the tape. Zeroed memory is fine to begin with. */
struct report_joined {
    struct report report; /* points into the rows */
    uint32_t key;
    uint32_t expected; /* rows; 0: nothing is being joined */
    uint32_t count;    /* rows that have come */
    union {
        struct leg_row legs[SET_LEGS_MAX];
        struct lane_row lanes[JOB_LANES_MAX];
    };
};
/* An encoded report with the most and longest rows is shorter. */
#define REPORT_JOINED_BYTES_MAX 8192

/* Whether the event is one of those that report_join takes: SET, JOB, SET_LEGS, JOB_LANES. */
bool report_is_joined(const struct event *event);
/* Takes such events in tape order. True: joined->report is whole. Rows that do not go on with what
 * came before are passed over. */
bool report_join(struct report_joined *joined, const struct contract_names *names,
                 const struct event *event);

#endif
