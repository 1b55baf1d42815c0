#include "exchange/core/job.h"

#include "exchange/core/book.h"
#include "exchange/core/deal.h"
#include "exchange/core/emit.h"
#include "exchange/core/job_search.h"
#include "exchange/core/match.h"
#include "exchange/core/order_check.h"
#include "exchange/core/slot.h"
#include "exchange/core/timers.h"

/* --- records and lanes ----------------------------------------------------------------------- */

static uint32_t record_take(struct engine *e, const struct job *draft, uint32_t slot)
{
    uint32_t index = e->s.job_free;
    if (index != 0) {
        e->s.job_free = e->jobs[index].next_free;
    } else {
        CHECK(e->s.job_top < e->config.jobs);
        index = ++e->s.job_top;
    }
    e->jobs[index] = *draft;
    e->jobs[index].slot = slot;
    e->s.job_count++;
    return index;
}

static void record_release(struct engine *e, uint32_t index)
{
    e->jobs[index] = (struct job){.next_free = e->s.job_free};
    e->s.job_free = index;
    e->s.job_count--;
}

static void lane_enter(struct engine *e, uint32_t slot, uint32_t lane)
{
    const struct order *parent = &e->orders[slot];
    struct job *job = job_of(e, parent);
    struct job_lane_state *own = &job->lanes[lane];
    struct market *m = &e->markets[own->market];
    uint32_t ladder = ladder_of_jobs(e, own->market);
    uint32_t entry = slot_take(e);
    struct order *o = &e->orders[entry];
    *o = (struct order){
        .cl_ord_id = lane,
        .generation = o->generation,
        .price_e4 = job->price_e4,
        .ladder = ladder,
        .key = parent->key,
        .older = slot,
        .special = 1,
        .kind = KIND_LANE,
    };
    own->entry = entry;
    e->ladders[ladder].contract = contract_pack(m->class_id, m->region_id, 0, 0);
    e->ladders[ladder].market = own->market;
    m->job_lanes++;
    book_insert(e, entry);
    job_lane_enters(e, entry);
}

static void lanes_enter(struct engine *e, uint32_t slot)
{
    const struct job *job = job_of(e, &e->orders[slot]);
    for (uint32_t lane = 0; lane < job->lane_count; lane++) {
        lane_enter(e, slot, lane);
    }
}

static void lanes_leave(struct engine *e, uint32_t slot)
{
    struct job *job = job_of(e, &e->orders[slot]);
    for (uint32_t lane = 0; lane < job->lane_count; lane++) {
        struct job_lane_state *own = &job->lanes[lane];
        if (own->entry == 0) {
            return; /* it has not come to rest yet */
        }
        job_lane_leaves(e, own->entry);
        book_remove(e, own->entry);
        slot_release(e, own->entry);
        e->markets[own->market].job_lanes--;
        own->entry = 0;
    }
}

/* --- the end of a JOB ------------------------------------------------------------------------ */

/* Takes it out of all tables but its chain, with what it has reserved given back. */
static void retire(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    lanes_leave(e, slot);
    e->accounts[e->keys[o->key].account].reserved_e4 -= job_of(e, o)->reserve_e4;
}

static void finish(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    /* order_finish() gives back the open order of the last lane. */
    e->accounts[e->keys[o->key].account].open_orders -= job_of(e, o)->lane_count - 1u;
    record_release(e, o->bond_unit);
    order_finish(e, slot);
}

void job_take_out(struct engine *e, uint32_t slot, uint16_t reason, uint64_t cl_ord_id)
{
    const struct order *o = &e->orders[slot];
    retire(e, slot);
    struct event *event = emit(e, EVENT_CANCELED, emit_link(&e->keys[o->key]), 0);
    event->out = (struct event_out){
        .party = emit_party(e, o->key, cl_ord_id != 0 ? cl_ord_id : o->cl_ord_id),
        .order_id = order_id_of(e, slot),
        .orig_cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = job_gpu_hours(job_of(e, o)),
        .reason = reason,
        .side = SIDE_BUY,
    };
    finish(e, slot);
}

bool job_gate_closed(const struct engine *e, uint32_t slot)
{
    const struct job *job = job_of(e, &e->orders[slot]);
    return job->window_to - job->hours < e->s.open_hour;
}

bool job_covered(const struct engine *e, const struct sweep *sweep, const struct order *o)
{
    const struct job *job = job_of(e, o);
    for (uint32_t lane = 0; lane < job->lane_count; lane++) {
        const struct market *m = &e->markets[job->lanes[lane].market];
        uint32_t last = job->window_to - 1;
        if (!order_covered(sweep, o,
                           contract_pack(m->class_id, m->region_id, 0, job->window_from)) ||
            !order_covered(sweep, o, contract_pack(m->class_id, m->region_id, 0, last))) {
            return false;
        }
    }
    return true;
}

/* --- fills ------------------------------------------------------------------------------------ */

/* Carries a fit out: nothing below can fail. */
static void fill(struct engine *e, uint32_t slot, const struct job_fit *fit, uint32_t count)
{
    const struct job *job = job_of(e, &e->orders[slot]);
    struct deal_job m = {
        .slot = slot,
        .leaves_qty = job_gpu_hours(job),
        .tier = job->lanes[fit->lane].tier,
        .names_site = job->placement != PLACEMENT_ANY,
    };
    int64_t left_e4 = job->reserve_e4;
    retire(e, slot);
    for (uint32_t i = 0; i < count; i++) {
        struct job_part part = e->job_scratch->parts[i];
        left_e4 -= deal_with_job(e, &m, part.slot, part.qty);
    }
    CHECK(m.leaves_qty == 0 && left_e4 >= 0);
    finish(e, slot);
}

bool job_find(const struct engine *e, const struct job *job, const struct job_span *span,
              struct job_fit *fit, uint32_t *count)
{
    if (!job_search_fit(e, job, span, fit)) {
        return false;
    }
    *count = job_search_parts(e, job, fit);
    return order_check_fills(e, *count);
}

bool job_try(struct engine *e, uint32_t slot, const struct job_span *span)
{
    struct job_fit fit;
    uint32_t count;
    if (!job_find(e, job_of(e, &e->orders[slot]), span, &fit, &count)) {
        return false;
    }
    fill(e, slot, &fit, count);
    return true;
}

/* --- entry ------------------------------------------------------------------------------------ */

static void emit_miss(struct engine *e, uint32_t slot, const struct job_miss *miss)
{
    const struct order *o = &e->orders[slot];
    const struct job *job = job_of(e, o);
    const struct job_lane_state *lane = &job->lanes[miss->lane];
    const struct market *m = &e->markets[lane->market];
    uint64_t contract = contract_pack(m->class_id, m->region_id, lane->tier, miss->start);
    struct event *event = emit(e, EVENT_MISS, emit_link(&e->keys[o->key]), 0);
    event->miss = (struct event_miss){
        .party = {.cl_ord_id = o->cl_ord_id, .key = o->key, .account = e->keys[o->key].account},
        .order_id = order_id_of(e, slot),
        .contract = miss->qty == 0 ? 0 : contract,
        .qty = miss->qty,
        .wanted_qty = job->qty,
        .leg = miss->qty == 0 ? 0 : (uint8_t)(miss->lane + 1),
    };
}

/* Looks through all lanes and starts; true: it was filled. Else says how near it came. */
static bool arrive(struct engine *e, uint32_t slot)
{
    const struct job *job = job_of(e, &e->orders[slot]);
    struct job_span span = job_span_whole(e, job);
    if (job_try(e, slot, &span)) {
        return true;
    }
    struct job_miss miss;
    job_search_miss(e, job, &span, &miss);
    emit_miss(e, slot, &miss);
    return false;
}

static void emit_lanes(struct engine *e, uint32_t slot)
{
    const struct order *o = &e->orders[slot];
    const struct job *job = job_of(e, o);
    for (uint32_t first = 0; first < job->lane_count; first += JOB_LANES_PER_EVENT) {
        struct event *event = emit(e, EVENT_JOB_LANES, emit_link(&e->keys[o->key]), 0);
        event->job_lanes = (struct event_job_lanes){.order_id = order_id_of(e, slot)};
        for (uint32_t i = first; i < job->lane_count && i < first + JOB_LANES_PER_EVENT; i++) {
            const struct market *m = &e->markets[job->lanes[i].market];
            event->job_lanes.lanes[i - first] = (struct job_lane){
                .class_id = m->class_id,
                .region_id = m->region_id,
                .tier = job->lanes[i].tier,
                .lane = (uint8_t)(i + 1),
                .factor_e4 = job->lanes[i].factor_e4,
            };
        }
    }
}

/* Past the checks: nothing below can fail. */
static uint32_t enter(struct engine *e, const struct command *command, const struct job *draft)
{
    const struct command_new_job *n = &command->new_job;
    uint32_t key = command->head.key;
    struct account *account = &e->accounts[e->keys[key].account];
    uint32_t slot = slot_take(e);
    struct order *o = &e->orders[slot];
    *o = (struct order){
        .cl_ord_id = command->head.cl_ord_id,
        .generation = o->generation,
        .price_e4 = draft->price_e4,
        .leaves = draft->qty,
        .key = key,
        .older = e->keys[key].newest,
        .epoch = e->s.epoch,
        .bond_unit = record_take(e, draft, slot),
        .special = 1,
        .kind = KIND_JOB,
        .fees = account->fees,
        .live = 1,
    };
    chain_append(e, &e->keys[key], slot);
    e->s.epoch_used = 1;
    account->open_orders += draft->lane_count;
    account->reserved_e4 += draft->reserve_e4;
    struct event *event = emit(e, EVENT_JOB, emit_link(&e->keys[key]), 0);
    event->job = (struct event_job){
        .party = emit_party(e, key, command->head.cl_ord_id),
        .order_id = order_id_of(e, slot),
        .price_e4 = n->price_e4,
        .qty = n->qty,
        .expire_time_ns = n->expire_time_ns,
        .same_group = n->same_group,
        .reserved_e4 = draft->reserve_e4,
        .window_from = n->window_from,
        .window_to = n->window_to,
        .hours = n->hours,
        .placement = n->placement,
        .lane_count = n->lane_count,
        .tif = n->tif,
    };
    emit_lanes(e, slot);
    return slot;
}

void job_new(struct engine *e, const struct command *command)
{
    const struct command_new_job *n = &command->new_job;
    struct job draft;
    struct rejection why;
    if (!job_check_new(e, command, &draft, &why)) {
        order_reject(e, command, 0, &why);
        return;
    }
    uint32_t slot = enter(e, command, &draft);
    if (arrive(e, slot)) {
        return;
    }
    if (n->tif == TIF_IOC || n->tif == TIF_FOK) {
        job_take_out(e, slot, REASON_JOB_NOT_FILLED, 0);
        return;
    }
    int64_t gate_ns = gate_time_ns(e, n->window_to - n->hours);
    bool sooner = n->tif == TIF_TIME && n->expire_time_ns < gate_ns;
    timers_add(e, slot, sooner ? n->expire_time_ns : gate_ns);
    lanes_enter(e, slot);
}

/* --- replace ---------------------------------------------------------------------------------- */

static void emit_replaced(struct engine *e, uint32_t slot, const struct job *old,
                          uint64_t orig_cl_ord_id)
{
    const struct order *o = &e->orders[slot];
    const struct job *job = job_of(e, o);
    struct event *event = emit(e, EVENT_REPLACED, emit_link(&e->keys[o->key]), 0);
    event->replaced = (struct event_replaced){
        .party = emit_party(e, o->key, o->cl_ord_id),
        .order_id = order_id_of(e, slot),
        .orig_cl_ord_id = orig_cl_ord_id,
        .price_e4 = job->price_e4,
        .qty = job->qty,
        .leaves_qty = job_gpu_hours(job),
        .old_price_e4 = old->price_e4,
        .old_leaves_qty = job_gpu_hours(old),
        .side = SIDE_BUY,
        .kept_priority = job_keeps_place(old, job),
    };
}

void job_replace(struct engine *e, const struct command *command, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    struct job *job = job_of(e, o);
    struct account *account = &e->accounts[e->keys[o->key].account];
    struct job draft;
    struct rejection why;
    if (!job_check_replace(e, command, slot, &draft, &why)) {
        order_reject(e, command, command->replace_order.order_id, &why);
        return;
    }
    /* Past this line nothing can fail. */
    struct job old = *job;
    uint64_t orig_cl_ord_id = o->cl_ord_id;
    bool keeps = job_keeps_place(&old, &draft);
    account->reserved_e4 += draft.reserve_e4 - old.reserve_e4;
    *job = draft;
    o->price_e4 = draft.price_e4;
    o->leaves = draft.qty;
    o->cl_ord_id = order_own_number(e, command, slot);
    if (!keeps) {
        o->fees = account->fees;
    }
    emit_replaced(e, slot, &old, orig_cl_ord_id);
    order_answer_other_key(e, command, o->key);
    if (!arrive(e, slot) && !keeps) {
        lanes_leave(e, slot);
        lanes_enter(e, slot);
    }
}
