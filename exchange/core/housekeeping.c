#include "exchange/core/housekeeping.h"

#include "exchange/core/auction.h"
#include "exchange/core/book.h"
#include "exchange/core/capacity.h"
#include "exchange/core/emit.h"
#include "exchange/core/job.h"
#include "exchange/core/listing.h"
#include "exchange/core/order.h"
#include "exchange/core/reservation.h"
#include "exchange/core/set.h"
#include "exchange/core/timers.h"

static struct sweep *first_sweep(struct engine *e)
{
    return &e->s.sweeps[e->s.sweep_first];
}

void housekeeping_set_due(struct engine *e)
{
    int64_t due_ns = ((int64_t)e->s.second + 1) * NS_PER_SECOND;
    if (e->s.timer_count > 0 && e->timers[1].expire_time_ns < due_ns) {
        due_ns = e->timers[1].expire_time_ns;
    }
    due_ns = auction_due_ns(e, due_ns);
    e->due_ns = housekeeping_due(e) || job_due_waits(e) ? e->s.time_ns : due_ns;
}

/* A mark that covers every order entered so far and none that comes after. */
static uint32_t epoch_close(struct engine *e)
{
    if (e->s.epoch >= UINT32_MAX / 2 && e->s.sweep_count == 0 && e->s.ended_head == 0) {
        /* No mark is pending, so nobody compares old epochs: start counting anew. */
        for (uint32_t slot = 1; slot <= e->s.order_top; slot++) {
            e->orders[slot].epoch = 0;
        }
        e->s.epoch = 0;
        e->s.epoch_used = 1;
    }
    if (e->s.epoch_used != 0) {
        CHECK(e->s.epoch < UINT32_MAX);
        e->s.epoch++;
        e->s.epoch_used = 0;
    }
    return e->s.epoch;
}

void housekeeping_end_key(struct engine *e, uint32_t key, uint16_t reason)
{
    struct key *k = &e->keys[key];
    if (k->oldest == 0) {
        return;
    }
    k->end_epoch = epoch_close(e);
    k->end_reason = (uint8_t)reason;
    if ((k->flags & KEY_ENDED) != 0) {
        return;
    }
    k->flags |= KEY_ENDED;
    e->due_ns = e->s.time_ns;
    k->next_ended = 0;
    if (e->s.ended_tail != 0) {
        e->keys[e->s.ended_tail].next_ended = key;
    } else {
        e->s.ended_head = key;
    }
    e->s.ended_tail = key;
}

/* --- gates -------------------------------------------------------------------------------- */

/* What stands aside comes after the books. */
static uint32_t top_order(const struct engine *e, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    if ((l->occupied & LADDER_BOOKS) == 0) {
        l = &e->ladders[ladder_shadow(e, ladder)];
    }
    return l->best[__builtin_ctz(l->occupied)];
}

/* One unit of the gate of gate_hour. Bids stand in books 0 .. 3, offers in 4 .. 7. */
static uint32_t gate_unit(struct engine *e)
{
    uint32_t hour = e->s.gate_hour;
    if (e->s.gate_market <= e->s.market_count) {
        uint32_t ladder = ladder_find(e, e->s.gate_market, hour);
        if (ladder != 0) {
            auction_close_hour(e, ladder);
        }
        if (ladder != 0 && e->ladders[ladder].occupied != 0) {
            e->busy = ladder; /* it is closed as a unit of its own */
            order_take_out(e, top_order(e, ladder), REASON_GATE_CLOSED, 0);
            e->busy = 0;
            return 1;
        }
        if (ladder != 0) {
            ladder_release(e, ladder);
        }
        job_hour_closed(e, e->s.gate_market, hour);
        e->s.gate_market++;
        return 1;
    }
    if (holding_forget_one(e, hour)) {
        return 1;
    }
    e->s.gate_hour++;
    e->s.gate_market = 1;
    return 0;
}

/* --- keys with ended orders ----------------------------------------------------------------- */

static void take_out_of_ladder(struct engine *e, uint32_t slot, uint16_t reason)
{
    uint32_t ladder = e->orders[slot].ladder;
    order_take_out(e, slot, reason, 0);
    ladder_release_if_idle(e, ladder);
}

static void ended_unit(struct engine *e)
{
    uint32_t key = e->s.ended_head;
    struct key *k = &e->keys[key];
    if (k->oldest != 0 && e->orders[k->oldest].epoch < k->end_epoch) {
        take_out_of_ladder(e, k->oldest, k->end_reason);
        return;
    }
    k->flags &= (uint8_t)~KEY_ENDED;
    e->s.ended_head = k->next_ended;
    if (e->s.ended_head == 0) {
        e->s.ended_tail = 0;
    }
    k->next_ended = 0;
}

/* --- mass cancels --------------------------------------------------------------------------- */

static void emit_sweep(struct engine *e, const struct sweep *s, uint8_t type)
{
    struct event *event = emit(e, type, emit_link(&e->keys[s->by_key]), 0);
    event->sweep = (struct event_sweep){
        .party = emit_party(e, s->by_key, s->cl_ord_id),
        .scope = {.hour_from = s->hour_from,
                  .hour_to = s->hour_to,
                  .class_id = s->class_id,
                  .region_id = s->region_id,
                  .filter = s->filter},
        .sweep_id = s->id,
        .canceled = s->canceled,
    };
}

void housekeeping_mass_cancel(struct engine *e, const struct command *command)
{
    const struct command_mass_cancel *m = &command->mass_cancel;
    struct rejection why = {0};
    if ((m->filter & ~15u) != 0) {
        why = (struct rejection){.reason = REASON_INVALID_COMMAND, .value = m->filter, .bound = 15};
    } else if ((m->filter & MASS_CANCEL_CLASS) && m->class_id >= e->s.class_count) {
        why = (struct rejection){
            .reason = REASON_UNKNOWN_CLASS, .value = m->class_id, .bound = e->s.class_count};
    } else if ((m->filter & MASS_CANCEL_REGION) && m->region_id >= e->s.region_count) {
        why = (struct rejection){
            .reason = REASON_UNKNOWN_REGION, .value = m->region_id, .bound = e->s.region_count};
    } else if (e->s.sweep_count == SWEEPS_MAX) {
        why = (struct rejection){.reason = REASON_BUSY, .value = SWEEPS_MAX, .bound = SWEEPS_MAX};
    } else if ((m->filter & MASS_CANCEL_HOURS) && m->hour_from >= m->hour_to) {
        why = (struct rejection){
            .reason = REASON_INVALID_RANGE, .value = m->hour_from, .bound = m->hour_to};
    }
    if (why.reason != REASON_NONE) {
        order_reject(e, command, 0, &why);
        return;
    }
    uint32_t account = e->keys[command->head.key].account;
    uint32_t key =
        (m->filter & MASS_CANCEL_OWN_KEY) ? command->head.key : e->accounts[account].first_key;
    struct sweep *s = &e->s.sweeps[(e->s.sweep_first + e->s.sweep_count) % SWEEPS_MAX];
    e->s.sweep_count++;
    e->due_ns = e->s.time_ns;
    *s = (struct sweep){
        .id = ++e->s.sweep_id,
        .cl_ord_id = command->head.cl_ord_id,
        .by_key = command->head.key,
        .account = account,
        .epoch = epoch_close(e),
        .key = key,
        .slot = e->keys[key].oldest,
        .hour_from = m->hour_from,
        .hour_to = m->hour_to,
        .class_id = m->class_id,
        .region_id = m->region_id,
        .filter = m->filter,
    };
    emit_sweep(e, s, EVENT_MASS_CANCEL);
}

static void sweep_unit(struct engine *e)
{
    struct sweep *s = first_sweep(e);
    uint32_t slot = s->slot;
    if (slot != 0 && e->orders[slot].kind == KIND_RANGE) {
        slot = e->orders[slot].newer; /* its offers were looked at one by one */
    }
    if (slot != 0 && e->orders[slot].epoch < s->epoch) {
        const struct order *o = &e->orders[slot];
        if (o->kind == KIND_SET) {
            uint32_t newer = o->newer;
            s->canceled += set_sweep(e, slot, s);
            s->slot = newer;
        } else if (order_swept(e, s, o)) {
            s->canceled++;
            take_out_of_ladder(e, slot, REASON_MASS_CANCELED); /* moves s->slot on */
        } else {
            s->slot = o->newer;
        }
        return;
    }
    uint32_t next = (s->filter & MASS_CANCEL_OWN_KEY) ? 0 : e->keys[s->key].next_of_account;
    if (next != 0) {
        s->key = next;
        s->slot = e->keys[next].oldest;
        return;
    }
    emit_sweep(e, s, EVENT_SWEEP_DONE);
    *s = (struct sweep){0};
    e->s.sweep_first = (e->s.sweep_first + 1) % SWEEPS_MAX;
    e->s.sweep_count--;
}

/* --- slices --------------------------------------------------------------------------------- */

uint32_t housekeeping_run(struct engine *e, uint32_t units)
{
    while (units > 0) {
        uint32_t slot;
        if (e->s.gate_hour < e->s.open_hour) {
            units -= gate_unit(e);
            continue;
        }
        if ((slot = timers_due(e, e->s.time_ns)) != 0) {
            if (e->orders[slot].reserved) {
                reservation_end(e, slot);
            } else {
                bool closed = e->orders[slot].kind == KIND_JOB && job_gate_closed(e, slot);
                take_out_of_ladder(e, slot, closed ? REASON_GATE_CLOSED : REASON_EXPIRED);
            }
        } else if (e->s.ended_head != 0) {
            ended_unit(e);
        } else if (e->s.sweep_count != 0) {
            sweep_unit(e);
        } else if (e->s.delisting_head != 0) {
            listing_unit(e);
        } else if (reservation_due(e)) {
            reservation_unit(e);
        } else if (auction_due(e)) {
            auction_unit(e);
        } else {
            break;
        }
        units--;
    }
    return units;
}
