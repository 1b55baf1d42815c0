/* Appending events to the sink of the step under way. */
#ifndef KASHI_EXCHANGE_CORE_EMIT_H
#define KASHI_EXCHANGE_CORE_EMIT_H

#include "exchange/core/state.h"

/* The next event, head filled in, payload to be assigned whole by the caller. */
static inline struct event *emit(struct engine *e, uint8_t type, uint16_t link, uint8_t flags)
{
    struct event_sink *sink = e->sink;
    if (sink->count == sink->capacity) {
        sink->drain(sink);
        CHECK(sink->count == 0);
    }
    struct event *event = &sink->events[sink->count++];
    event->head = (struct event_head){.seq = e->s.seq,
                                      .time_ns = e->s.time_ns,
                                      .index = e->s.event_index++,
                                      .link = link,
                                      .type = type,
                                      .flags = flags};
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

#endif
