#include "exchange/core/session.h"

#include "exchange/core/emit.h"
#include "exchange/core/housekeeping.h"

void session_end(struct engine *e, uint32_t key)
{
    struct key *k = &e->keys[key];
    if ((k->flags & KEY_BOUND) == 0) {
        return;
    }
    if ((k->flags & KEY_COD) != 0) {
        housekeeping_end_key(e, key, REASON_DISCONNECTED);
    }
    k->flags &= (uint8_t) ~(KEY_BOUND | KEY_COD);
    k->link = 0;
}

void session_login(struct engine *e, const struct command *command)
{
    uint32_t key = command->head.key;
    session_end(e, key);
    struct key *k = &e->keys[key];
    k->session++;
    k->link = command->head.link;
    k->flags |= KEY_BOUND;
    if (command->login.cancel_on_disconnect != 0) {
        k->flags |= KEY_COD;
    }
    struct event *event = emit(e, EVENT_LOGIN, k->link, 0);
    event->login = (struct event_login){
        .party = {.key = key, .account = k->account},
        .nonce = command->login.nonce,
        .highest_cl_ord_id = k->highest_cl_ord_id,
        .highest_report_seq = k->report_seq,
        .session = k->session,
        .cancel_on_disconnect = command->login.cancel_on_disconnect != 0,
    };
}

void session_logout(struct engine *e, const struct command *command)
{
    uint32_t key = command->head.key;
    struct event *event = emit(e, EVENT_LOGOUT, emit_link(&e->keys[key]), 0);
    memset(event->bytes, 0, sizeof(event->bytes));
    event->party = (struct event_party){.key = key, .account = e->keys[key].account};
    session_end(e, key);
}

static void emit_link_event(struct engine *e, uint16_t link, bool up)
{
    struct event *event = emit(e, EVENT_LINK, link, 0);
    event->link = (struct event_link){.link = link, .up = up};
    memcpy(event->link.name, e->s.links[link].name, LINK_NAME_SIZE);
}

/* Looks at every key: a plain scan of a table of stated size, a microsecond for a thousand keys. The
 * orders themselves are taken out in slices. */
static void end_sessions_of(struct engine *e, uint16_t link)
{
    for (uint32_t key = 1; key <= e->s.key_count; key++) {
        if ((e->keys[key].flags & KEY_BOUND) != 0 && e->keys[key].link == link) {
            session_end(e, key);
        }
    }
    e->s.links[link].up = 0;
}

/* The link of that name; a new name takes an id never given, else the first whose link is down; 0:
 * all are up. */
static uint16_t link_for(struct engine *e, const char name[LINK_NAME_SIZE])
{
    uint16_t down = 0;
    for (uint16_t i = 1; i <= e->s.link_count; i++) {
        if (memcmp(e->s.links[i].name, name, LINK_NAME_SIZE) == 0) {
            return i;
        }
        down = down == 0 && !e->s.links[i].up ? i : down;
    }
    uint16_t link = e->s.link_count < LINKS_MAX - 1 ? (uint16_t)++e->s.link_count : down;
    if (link != 0) {
        memcpy(e->s.links[link].name, name, LINK_NAME_SIZE);
    }
    return link;
}

void session_link_up(struct engine *e, const struct command *command)
{
    uint16_t link = link_for(e, command->link.name);
    if (link != 0 && e->s.links[link].up) {
        end_sessions_of(e, link); /* it came back before it was missed */
    }
    /* With every link up, link 0 tells the sequencer to turn it away. */
    e->s.links[link].up = link != 0;
    emit_link_event(e, link, link != 0);
}

void session_link_down(struct engine *e, const struct command *command)
{
    uint16_t link = command->head.link;
    if (link != 0 && link <= e->s.link_count && e->s.links[link].up) {
        end_sessions_of(e, link);
    }
    emit_link_event(e, link <= e->s.link_count ? link : 0, false);
}
