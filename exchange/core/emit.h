/* Appending events to the sink of the step under way. */
#ifndef KASHI_EXCHANGE_CORE_EMIT_H
#define KASHI_EXCHANGE_CORE_EMIT_H

#include "exchange/core/state.h"

/* Stores the fields that make up a whole word together (little-endian hosts only, wire/command.h). */
static inline void emit_word(void *place, uint64_t word)
{
    memcpy(place, &word, sizeof(word));
}

RARE void emit_drain(struct event_sink *sink);

/* The next event, head filled in, payload to be assigned whole by the caller. */
static inline struct event *emit(struct engine *e, uint8_t type, uint16_t link, uint8_t flags)
{
    struct event_sink *sink = e->sink;
    if (__builtin_expect(sink->count == sink->capacity, 0)) {
        emit_drain(sink);
    }
    struct event *event = &sink->events[sink->count++];
    event->head.seq = e->s.seq;
    event->head.time_ns = e->s.time_ns;
    emit_word(&event->head.index, e->s.event_index++ | (uint64_t)link << 32 | (uint64_t)type << 48 |
                                      (uint64_t)flags << 56);
    return event;
}

/* Link that a key's private events are handed to. */
static inline uint16_t emit_link(const struct key *key)
{
    return (key->flags & KEY_BOUND) ? key->link : 0;
}

/* The party of an event that takes the key's next report_seq. */
static inline struct event_party emit_party(struct engine *e, uint32_t key, uint64_t cl_ord_id)
{
    struct key *k = &e->keys[key];
    return (struct event_party){
        .report_seq = ++k->report_seq, .cl_ord_id = cl_ord_id, .key = key, .account = k->account};
}

/* The same for an event that is no report of its own. */
static inline struct event_party emit_party_silent(const struct engine *e, uint32_t key,
                                                   uint64_t cl_ord_id)
{
    return (struct event_party){
        .cl_ord_id = cl_ord_id, .key = key, .account = e->keys[key].account};
}

static_assert(offsetof(struct event_head, link) == offsetof(struct event_head, index) + 4 &&
                  offsetof(struct event_head, type) == offsetof(struct event_head, index) + 6 &&
                  offsetof(struct event_head, flags) == offsetof(struct event_head, index) + 7,
              "emit");

#endif
