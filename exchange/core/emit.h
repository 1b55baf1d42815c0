/* Appending events to the sink of the step under way. */
#ifndef KASHI_EXCHANGE_CORE_EMIT_H
#define KASHI_EXCHANGE_CORE_EMIT_H

#include "exchange/core/state.h"

/* Stores the fields that make up a whole word together (little-endian hosts only, wire/command.h). */
static inline void emit_word(void *place, uint64_t word)
{
    memcpy(place, &word, sizeof(word));
}

/* Makes room in the sink: hands over what stands there. */
RARE void emit_drain(struct engine *e);

/* The next event, head filled in, payload to be assigned whole by the caller. */
static inline struct event *emit(struct engine *e, uint8_t type, uint16_t link, uint8_t flags)
{
    if (__builtin_expect(e->event_next == e->event_end, 0)) {
        emit_drain(e);
    }
    struct event *event = e->event_next++;
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
                  offsetof(struct event_head, flags) == offsetof(struct event_head, index) + 7 &&
                  offsetof(struct event_head, time_ns) == offsetof(struct event_head, seq) + 8 &&
                  offsetof(struct scalars, time_ns) == offsetof(struct scalars, seq) + 8 &&
                  offsetof(struct command_head, time_ns) == offsetof(struct command_head, seq) + 8,
              "emit");

#endif
