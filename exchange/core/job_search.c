#include "exchange/core/job_search.h"

#include "exchange/core/book.h"
#include "exchange/core/job_offers.h"
#include "exchange/core/match.h"

/* A search goes through lanes and starts twice. First with lower bounds: N GPUs of an hour cost at least
 * N x the hour's best price, and bounds of neighbouring starts follow from each other by one hour. That
 * names the most promising start, and the cost of its true fit is the mark that all others must beat;
 * most never can and their hours are never looked into. What remains is added up exactly: the entries
 * of an hour, one a resource, are gathered once and enter and leave the window of a lane once. */
struct search {
    const struct engine *e;
    const struct job *job;
    struct job_scratch *x;
    struct job_tally *tallies;
    const struct job_span *span;
    uint32_t hours;      /* of a lane in the span */
    uint64_t unit_limit; /* most that sum of price x factor may be, for one GPU of each hour */
    int128 sum_limit;    /* most that sum of price x quantity may be in the lane of the run */
    uint64_t run;        /* mark of the run under way */
    uint32_t begin;      /* hours begin .. below end are in the window */
    uint32_t end;
    bool found;
    struct job_fit best;
};

int128 job_budget(const struct job *job)
{
    return (int128)job->price_e4 * job->qty * job->hours * E4_ONE;
}

struct job_span job_span_whole(const struct engine *e, const struct job *job)
{
    uint32_t from = job->window_from > e->s.open_hour ? job->window_from : e->s.open_hour;
    return (struct job_span){
        .lane_end = job->lane_count, .from = from, .to = job->window_to - job->hours};
}

int64_t job_search_width(const struct engine *e, const struct job *job, const struct job_span *span)
{
    int64_t width = 0;
    if (span->from > span->to) {
        return 0;
    }
    for (uint32_t lane = span->lane; lane < span->lane_end; lane++) {
        uint32_t market = job->lanes[lane].market;
        for (uint32_t hour = span->from; hour < span->to + job->hours; hour++) {
            uint32_t ladder = job_ladder_at(e, market, hour);
            width++;
            if (ladder != 0) {
                width += e->ladders[ladder].orders[SIDE_SELL];
                width += e->ladders[ladder_shadow(e, ladder)].orders[SIDE_SELL];
            }
        }
    }
    return width;
}

/* --- hours ---------------------------------------------------------------------------------- */

static bool by_resource(const struct job *job)
{
    return job->placement == PLACEMENT_SITE;
}

static struct job_cell *cell_at(const struct search *s, uint32_t lane, uint32_t hour)
{
    return &s->x->cells[(lane - s->span->lane) * s->hours + (hour - s->span->from)];
}

static uint32_t best_offer(const struct ladder *l, uint8_t tier)
{
    uint32_t best = JOB_NOTHING;
    for (uint32_t mask = l->occupied & LADDER_BOOKS & (0xf0u << tier); mask != 0;
         mask &= mask - 1) {
        uint32_t price = l->best_price[__builtin_ctz(mask)];
        best = price < best ? price : best;
    }
    return best;
}

/* A lower bound of the price at which the hour has offers for the lane. */
static void bound_cell(const struct search *s, uint32_t lane, uint32_t hour)
{
    const struct engine *e = s->e;
    struct job_cell *cell = cell_at(s, lane, hour);
    uint32_t ladder = job_ladder_at(e, s->job->lanes[lane].market, hour);
    *cell = (struct job_cell){.ladder = ladder, .low_e4 = JOB_NOTHING, .first = JOB_UNSEEN};
    if (ladder == 0 || hour < e->s.open_hour || hour >= e->s.hour + e->s.horizon_hours) {
        return;
    }
    struct job_reach reach = job_reach_of(e, s->job, lane, ladder);
    uint32_t best = best_offer(&e->ladders[ladder], reach.tier);
    if ((e->ladders[ladder].occupied & LADDER_SHADOWED) != 0) {
        uint32_t reserved = best_offer(&e->ladders[ladder_shadow(e, ladder)], reach.tier);
        best = reserved < best ? reserved : best;
    }
    best = best < reach.low_e4 ? reach.low_e4 : best;
    cell->low_e4 = best > reach.high_e4 ? JOB_NOTHING : best;
}

/* Entry of an offer's resource in the hour being gathered. */
static struct job_entry *entry_of(const struct search *s, uint32_t resource, uint32_t hour)
{
    struct job_tally *tally = &s->tallies[resource];
    if (tally->gathered != s->x->mark) {
        tally->gathered = s->x->mark;
        tally->entry = ++s->x->entry_count;
        s->x->entries[tally->entry] = (struct job_entry){.resource = resource, .hour = hour};
    }
    return &s->x->entries[tally->entry];
}

/* How far gathering an hour for a price goes. */
struct depth {
    uint32_t fresh_e4; /* a resource whose first offer is dearer cannot be in a fit */
    uint32_t low_e4;
    uint32_t open;     /* resources begun and not complete */
    uint32_t most_qty; /* that one of them had */
};

/* Whether no resource that is yet incomplete at this price can be in a fit: those begun paid at least the
 * hour's lowest price for what they have, and pay this one for the rest. (One more, because the limit is
 * rounded down for whole prices.) */
static bool deep_enough(const struct depth *d, uint32_t price_e4, uint32_t wanted)
{
    if (price_e4 <= d->fresh_e4) {
        return false;
    }
    uint64_t least =
        (uint64_t)d->low_e4 * d->most_qty + (uint64_t)price_e4 * (wanted - d->most_qty);
    return d->open == 0 || least >= ((uint64_t)d->fresh_e4 + 1) * wanted;
}

/* Adds one offer to its resource's entry. */
static void add_offer(const struct search *s, const struct order *o, uint32_t hour, struct depth *d)
{
    uint32_t wanted = s->job->qty;
    bool site = by_resource(s->job);
    if (site && o->price_e4 > d->fresh_e4 && s->tallies[o->resource].gathered != s->x->mark) {
        return;
    }
    struct job_entry *entry = entry_of(s, site ? o->resource : 0, hour);
    uint32_t missing = wanted - entry->qty;
    if (missing == 0) {
        return;
    }
    uint32_t qty = o->leaves < missing ? o->leaves : missing;
    d->open += entry->qty == 0;
    entry->qty += qty;
    entry->value += (int64_t)o->price_e4 * qty;
    d->open -= entry->qty == wanted;
    d->most_qty = entry->qty < wanted && entry->qty > d->most_qty ? entry->qty : d->most_qty;
}

/* Entries of the hour with all of N, in the order of their first offers. `slack_e4`: a GPU of this hour
 * may cost so much more than the cheapest without all fits being lost. */
static void gather_cell(const struct search *s, uint32_t lane, uint32_t hour, uint64_t slack_e4)
{
    const struct engine *e = s->e;
    const struct job *job = s->job;
    struct job_scratch *x = s->x;
    struct job_cell *cell = cell_at(s, lane, hour);
    cell->first = x->entry_count + 1;
    cell->count = 0;
    if (cell->low_e4 == JOB_NOTHING) {
        return;
    }
    x->mark++;
    uint64_t fresh = cell->low_e4 + slack_e4;
    struct depth d = {.fresh_e4 = fresh > UINT32_MAX ? UINT32_MAX : (uint32_t)fresh,
                      .low_e4 = cell->low_e4};
    struct job_reach reach = job_reach_of(e, job, lane, cell->ladder);
    struct job_offers w;
    job_offers_start(e, &w, &reach);
    uint32_t slot;
    bool one = !by_resource(job);
    while ((slot = job_offers_next(e, &w)) != 0) {
        const struct order *o = &e->orders[slot];
        if (deep_enough(&d, o->price_e4, job->qty)) {
            break;
        }
        if (job->placement != PLACEMENT_SAME || o->resource == job->resource) {
            add_offer(s, o, hour, &d);
        }
        if (one && x->entry_count == cell->first && d.open == 0) {
            break;
        }
    }
    uint32_t kept = cell->first;
    for (uint32_t i = cell->first; i <= x->entry_count; i++) {
        if (x->entries[i].qty != job->qty) {
            continue;
        }
        if (kept != i) {
            x->entries[kept] = x->entries[i];
        }
        kept++;
    }
    cell->count = kept - cell->first;
    x->entry_count = kept - 1;
}

/* --- the window of a run ------------------------------------------------------------------- */

static void run_start(struct search *s, uint32_t hour)
{
    s->run = ++s->x->mark;
    s->begin = hour;
    s->end = hour;
}

static void run_drop(struct search *s, uint32_t lane)
{
    uint32_t hour = s->begin++;
    const struct job_cell *cell = cell_at(s, lane, hour);
    for (uint32_t i = 0; i < cell->count; i++) {
        const struct job_entry *entry = &s->x->entries[cell->first + i];
        struct job_tally *tally = &s->tallies[entry->resource];
        if (tally->begin <= hour) {
            tally->sum -= entry->value;
            tally->begin = hour + 1;
        }
    }
}

static void run_add(struct search *s, uint32_t lane, uint64_t slack_e4)
{
    uint32_t hour = s->end++;
    struct job_cell *cell = cell_at(s, lane, hour);
    if (cell->first == JOB_UNSEEN) {
        gather_cell(s, lane, hour, slack_e4);
    }
    for (uint32_t i = 0; i < cell->count; i++) {
        const struct job_entry *entry = &s->x->entries[cell->first + i];
        struct job_tally *tally = &s->tallies[entry->resource];
        if (tally->run != s->run || tally->last + 1 != hour) {
            tally->run = s->run;
            tally->sum = 0;
            tally->begin = hour;
        }
        tally->sum += entry->value;
        tally->last = hour;
    }
}

/* Brings the window to the hours of a start. */
static void run_move(struct search *s, uint32_t lane, uint32_t start, uint64_t slack_e4)
{
    if (start >= s->end) {
        run_start(s, start);
    }
    while (s->begin < start) {
        run_drop(s, lane);
    }
    while (s->end < start + s->job->hours) {
        run_add(s, lane, slack_e4);
    }
}

/* --- the best fit --------------------------------------------------------------------------- */

/* Whether a fit beats the best so far. Of fits of one lane and start that are worth the same, the first
 * that is asked about wins. */
static bool better(const struct search *s, int128 worth, uint32_t lane, uint32_t start)
{
    const struct job_fit *best = &s->best;
    if (!s->found || worth != best->worth) {
        return worth < best->worth + !s->found;
    }
    if (start != best->start) {
        return start < best->start;
    }
    return lane < best->lane;
}

/* Compares all fits of a lane and start, whose hours are the window, with the best so far, in the order
 * in which the resources stand in the first hour: it decides between equals. */
static void consider(struct search *s, uint32_t lane, uint32_t start)
{
    const struct job_cell *first = cell_at(s, lane, start);
    uint32_t factor = s->job->lanes[lane].factor_e4;
    for (uint32_t i = 0; i < first->count; i++) {
        uint32_t resource = s->x->entries[first->first + i].resource;
        const struct job_tally *tally = &s->tallies[resource];
        if (tally->begin > start || tally->last + 1 != s->end || tally->sum > s->sum_limit) {
            continue;
        }
        int128 worth = tally->sum * factor;
        if (better(s, worth, lane, start)) {
            s->best = (struct job_fit){
                .worth = worth, .lane = lane, .start = start, .resource = resource};
            s->found = true;
            s->unit_limit = (uint64_t)(worth / s->job->qty);
            s->sum_limit = tally->sum;
        }
    }
}

/* Lower bounds of one start after the other. */
struct bounds {
    uint64_t sum;    /* of the window's bounds */
    uint32_t broken; /* hours of the window with nothing */
    uint32_t end;    /* hours below are in the window */
};

/* Brings the bounds to the start one above the last, or to the first. */
static void bounds_move(const struct search *s, uint32_t lane, uint32_t start, struct bounds *b)
{
    if (start > s->span->from) {
        uint32_t low = cell_at(s, lane, start - 1)->low_e4;
        b->sum -= low == JOB_NOTHING ? 0 : low;
        b->broken -= low == JOB_NOTHING;
    }
    while (b->end < start + s->job->hours) {
        uint32_t low = cell_at(s, lane, b->end++)->low_e4;
        b->sum += low == JOB_NOTHING ? 0 : low;
        b->broken += low == JOB_NOTHING;
    }
}

/* Whether a start may still be a fit no worse than the best. 840 x 2^31 x 2^20 fits. */
static bool within(const struct search *s, const struct bounds *b, uint32_t factor)
{
    return b->broken == 0 && b->sum * factor <= s->unit_limit;
}

/* How much an hour of a lane may cost above its bound: the least sum of bounds is paid in any case. */
static uint64_t slack_of(const struct search *s, uint32_t lane, uint64_t least_sum)
{
    uint64_t most = s->unit_limit / s->job->lanes[lane].factor_e4;
    return most > least_sum ? most - least_sum : 0;
}

/* Least sum of bounds of every lane; considers the most promising start of all. */
static void promise(struct search *s, uint64_t least_sum[JOB_LANES_MAX])
{
    const struct job_span *span = s->span;
    uint64_t least = UINT64_MAX;
    uint32_t best_lane = 0;
    uint32_t best_start = 0;
    for (uint32_t lane = span->lane; lane < span->lane_end; lane++) {
        uint32_t factor = s->job->lanes[lane].factor_e4;
        struct bounds b = {.end = span->from};
        least_sum[lane] = UINT64_MAX;
        for (uint32_t start = span->from; start <= span->to; start++) {
            bounds_move(s, lane, start, &b);
            if (b.broken != 0) {
                continue;
            }
            least_sum[lane] = b.sum < least_sum[lane] ? b.sum : least_sum[lane];
            if (b.sum * factor < least) {
                least = b.sum * factor;
                best_lane = lane;
                best_start = start;
            }
        }
    }
    if (least <= s->unit_limit) {
        run_start(s, best_start);
        s->sum_limit = s->best.worth / s->job->lanes[best_lane].factor_e4;
        run_move(s, best_lane, best_start, slack_of(s, best_lane, least_sum[best_lane]));
        consider(s, best_lane, best_start);
    }
}

static void search_start(struct search *s)
{
    const struct job_span *span = s->span;
    s->hours = span->to - span->from + s->job->hours;
    CHECK((span->lane_end - span->lane) * s->hours <= JOB_CELLS);
    s->x->entry_count = 0;
    for (uint32_t lane = span->lane; lane < span->lane_end; lane++) {
        for (uint32_t hour = span->from; hour < span->from + s->hours; hour++) {
            bound_cell(s, lane, hour);
        }
    }
}

bool job_search_fit(const struct engine *e, const struct job *job, const struct job_span *span,
                    struct job_fit *fit)
{
    if (span->from > span->to) {
        return false;
    }
    struct search s = {.e = e,
                       .job = job,
                       .x = e->job_scratch,
                       .tallies = e->job_tallies,
                       .span = span,
                       .unit_limit = (uint64_t)job->price_e4 * job->hours * (uint64_t)E4_ONE,
                       .best = {.worth = job_budget(job)}};
    uint64_t least_sum[JOB_LANES_MAX];
    search_start(&s);
    promise(&s, least_sum);
    for (uint32_t lane = span->lane; lane < span->lane_end; lane++) {
        uint32_t factor = job->lanes[lane].factor_e4;
        if (least_sum[lane] == UINT64_MAX || least_sum[lane] * factor > s.unit_limit) {
            continue;
        }
        struct bounds b = {.end = span->from};
        run_start(&s, span->from);
        s.sum_limit = s.best.worth / factor; /* rounded down: no dearer sum can be as good */
        for (uint32_t start = span->from; start <= span->to; start++) {
            bounds_move(&s, lane, start, &b);
            if (within(&s, &b, factor)) {
                run_move(&s, lane, start, slack_of(&s, lane, least_sum[lane]));
                consider(&s, lane, start);
            }
        }
    }
    *fit = s.best;
    fit->resource = job->placement == PLACEMENT_SAME ? job->resource : s.best.resource;
    return s.found;
}

/* --- the fills of a fit ---------------------------------------------------------------------- */

uint32_t job_search_parts(const struct engine *e, const struct job *job, const struct job_fit *fit)
{
    struct job_scratch *x = e->job_scratch;
    uint32_t market = job->lanes[fit->lane].market;
    uint32_t count = 0;
    for (uint32_t hour = fit->start; hour < fit->start + job->hours; hour++) {
        struct job_reach reach = job_reach_of(e, job, fit->lane, job_ladder_at(e, market, hour));
        struct job_offers w;
        job_offers_start(e, &w, &reach);
        uint32_t missing = job->qty;
        while (missing > 0) {
            uint32_t slot = job_offers_next(e, &w);
            CHECK(slot != 0);
            const struct order *o = &e->orders[slot];
            if (fit->resource != 0 && o->resource != fit->resource) {
                continue;
            }
            uint32_t qty = o->leaves < missing ? o->leaves : missing;
            x->parts[count++] = (struct job_part){.slot = slot, .qty = qty};
            missing -= qty;
        }
    }
    return count;
}

/* --- the miss --------------------------------------------------------------------------------- */

/* GPUs displayed within the limit in an hour, by resource, at most N of each. */
static void gather_displayed(const struct search *s, uint32_t lane, uint32_t hour)
{
    const struct engine *e = s->e;
    const struct job *job = s->job;
    struct job_cell *cell = cell_at(s, lane, hour);
    uint64_t limit = (uint64_t)job->price_e4 * (uint64_t)E4_ONE / job->lanes[lane].factor_e4;
    cell->first = s->x->entry_count + 1;
    cell->count = 0;
    if (cell->low_e4 > limit || cell->low_e4 == JOB_NOTHING) {
        return;
    }
    s->x->mark++;
    struct job_reach reach = job_reach_of(e, job, lane, cell->ladder);
    reach.high_e4 = reach.high_e4 > limit ? (uint32_t)limit : reach.high_e4;
    struct job_offers w;
    job_offers_start(e, &w, &reach);
    uint32_t slot;
    while ((slot = job_offers_next(e, &w)) != 0) {
        const struct order *o = &e->orders[slot];
        if (job->placement == PLACEMENT_SAME && o->resource != job->resource) {
            continue;
        }
        struct job_entry *entry = entry_of(s, by_resource(job) ? o->resource : 0, hour);
        int64_t sum = entry->value + match_shown(e, slot);
        entry->value = sum < job->qty ? sum : job->qty;
        if (!by_resource(job) && entry->value == job->qty) {
            break;
        }
    }
    cell->count = s->x->entry_count + 1 - cell->first;
}

/* Puts an hour's entry behind those of its resource that are less: the front of the list is the least of
 * the window, what stands behind it will be once those before have left. */
static void tally_push(const struct search *s, struct job_tally *tally, uint32_t index)
{
    struct job_entry *entries = s->x->entries;
    if (tally->run != s->run || tally->last + 1 != entries[index].hour) {
        tally->run = s->run;
        tally->begin = entries[index].hour;
        tally->front = 0;
        tally->back = 0;
    }
    tally->last = entries[index].hour;
    while (tally->back != 0 && entries[tally->back].value >= entries[index].value) {
        tally->back = entries[tally->back].better;
    }
    entries[index].better = tally->back;
    if (tally->back != 0) {
        entries[tally->back].worse = index;
    } else {
        tally->front = index;
    }
    tally->back = index;
}

/* Takes in one hour of a lane; with it the window of one start is complete. */
static void miss_hour(struct search *s, uint32_t lane, uint32_t hour, struct job_miss *miss)
{
    gather_displayed(s, lane, hour);
    const struct job_cell *cell = cell_at(s, lane, hour);
    for (uint32_t i = cell->first; i < cell->first + cell->count; i++) {
        struct job_tally *tally = &s->tallies[s->x->entries[i].resource];
        tally_push(s, tally, i);
        if (tally->begin + s->job->hours > hour + 1) {
            continue;
        }
        uint32_t start = hour + 1 - s->job->hours;
        while (s->x->entries[tally->front].hour < start) {
            tally->front = s->x->entries[tally->front].worse;
            s->x->entries[tally->front].better = 0;
        }
        int64_t qty = s->x->entries[tally->front].value;
        if (qty > miss->qty || (qty == miss->qty && start < miss->start)) {
            *miss = (struct job_miss){.qty = qty, .lane = lane, .start = start};
        }
    }
}

void job_search_miss(const struct engine *e, const struct job *job, const struct job_span *span,
                     struct job_miss *miss)
{
    *miss = (struct job_miss){0};
    if (span->from > span->to) {
        return;
    }
    struct search s = {
        .e = e, .job = job, .x = e->job_scratch, .tallies = e->job_tallies, .span = span};
    search_start(&s);
    for (uint32_t lane = span->lane; lane < span->lane_end; lane++) {
        s.x->entry_count = 0;
        s.run = ++s.x->mark;
        for (uint32_t hour = span->from; hour < span->from + s.hours; hour++) {
            miss_hour(&s, lane, hour, miss);
        }
    }
}
