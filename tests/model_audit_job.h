/* The part of the audit that looks at JOBs: filled whole or not at all, as ordered, and never past a
 * bid that could have had the offer. Heap memory; one thread. */
#ifndef KASHI_TESTS_MODEL_AUDIT_JOB_H
#define KASHI_TESTS_MODEL_AUDIT_JOB_H

#include <stdbool.h>

#include "wire/event.h"

struct model_audit_job;

struct model_audit_job *model_audit_job_new(void);
void model_audit_job_free(struct model_audit_job *audit);
/* Says what cannot be of an event and ends the process, where it does not hold (model_audit.c). */
void model_audit_require(bool holds, const struct event *event, const char *what);
/* Takes the next event of the tape; ends the process at the first that cannot be. */
void model_audit_job_event(struct model_audit_job *audit, const struct event *event);

#endif
