/* The tape on disk: the replica's append-only stream of events in segment files (wire/tape.h has
 * their form). An event's position counts from 0 over all segments.
 *
 * The tape is not synced as it grows: what a crash of the machine takes from its end is made again
 * by replaying the journal. A finished segment is synced, so only the last one can be torn.
 *
 * On opening, the last segment is read through and cut after its last whole command. Replayed
 * commands that the tape already holds are compared with it byte by byte: a difference means
 * that journal, tape or program are not what they were, and is ERROR_MISMATCH.
 *
 * Errors: base/error.h. Thread: the owner's. */
#ifndef KASHI_EXCHANGE_TAPE_STORE_H
#define KASHI_EXCHANGE_TAPE_STORE_H

#include <stdint.h>

#include "base/error.h"
#include "wire/event.h"

struct tape_store;

/* `segment_events`: a segment ends with the first command that reaches so many; 0: the default. */
int tape_store_open(struct tape_store **store, const char *directory, uint32_t segment_events,
                    struct error *error);
void tape_store_close(struct tape_store *store); /* NULL is fine */

/* The last whole command on the tape, and how many events there are. */
uint64_t tape_store_seq(const struct tape_store *store);
uint64_t tape_store_count(const struct tape_store *store);
/* Events that were cut off on opening because their command was not whole. */
uint64_t tape_store_cut(const struct tape_store *store);

/* Adds events in order; a command may come in several calls. Events that the tape already holds are
 * compared instead. `*position` is that of the first. What is added can be read once
 * tape_store_flush() has given it to the system. */
int tape_store_append(struct tape_store *store, const struct event *events, uint32_t count,
                      uint64_t *position, struct error *error);
int tape_store_flush(struct tape_store *store, struct error *error);

/* Reads up to `count` events from `position` on, not over the end of a segment; *got is 0 only at
 * the end of the tape. */
int tape_store_read(const struct tape_store *store, uint64_t position, uint32_t count,
                    struct event *events, uint32_t *got, struct error *error);

/* Position of the first event above `after_seq`; the count of events when there is none. */
int tape_store_find(const struct tape_store *store, uint64_t after_seq, uint64_t *position,
                    struct error *error);

#endif
