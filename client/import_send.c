#include "client/import_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/desk.h"
#include "client/found.h"
#include "client/import_offers.h"
#include "wire/units.h"

#define ANSWER_TIMEOUT_MS 60000
#define TURN_MS           100
#define CHUNK             64
#define PROGRESS_NS       (NS_PER_SECOND / 5)
#define BAR_WIDTH         30
#define MAKER_BP          5
#define TAKER_BP          10
#define PROVIDER          0 /* places of the plan's accounts */
#define BUYER             1
#define ACCOUNTS          2

/* What became of a JOB. */
struct fate {
    uint64_t order_id;
    uint64_t trade_group; /* 0 not filled */
    int64_t gpu_hours;
    int64_t notional_e4;
    uint16_t reason; /* refused */
    bool known;
};

struct send {
    const struct import_plan *plan;
    struct import_outcome *outcome;
    struct desk *desk;
    struct import_offers offers;
    struct fate *fates; /* of JOBs */
    uint32_t answered;
    uint32_t filled;
    uint32_t seats[ACCOUNTS];
    uint32_t operator_seat;
    bool progress;
    int64_t told_ns;
    uint64_t trades_after; /* reading of earlier trades: the last fill seen */
    bool trades_more;
    struct found_account accounts[ACCOUNTS];
    struct found_resource *resources;
};

/* --- answers ----------------------------------------------------------------------------------------- */

static void tell_progress(struct send *send, bool last)
{
    int64_t now_ns = clock_monotonic_ns();
    if (!send->progress || (!last && now_ns - send->told_ns < PROGRESS_NS)) {
        return;
    }
    send->told_ns = now_ns;
    uint32_t all = send->offers.count + send->plan->job_count;
    uint32_t done = all == 0 ? BAR_WIDTH : (uint32_t)((uint64_t)send->answered * BAR_WIDTH / all);
    char bar[BAR_WIDTH + 1];
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', done);
    bar[BAR_WIDTH] = '\0';
    (void)fprintf(stderr, "\r[%s] %u of %u ranges and JOBs, %u JOBs filled%s", bar, send->answered,
                  all, send->filled, last ? "\n" : "");
}

/* The fate of the JOB that has this number; NULL: not one of ours. */
static struct fate *fate_of(struct send *send, uint64_t cl_ord_id)
{
    return cl_ord_id >= 1 && cl_ord_id <= send->plan->job_count ? &send->fates[cl_ord_id - 1]
                                                                : NULL;
}

static void know(struct send *send, struct fate *fate, uint16_t reason)
{
    send->answered += !fate->known;
    fate->known = true;
    fate->reason = reason;
}

static void take_fill(struct send *send, struct fate *fate, uint64_t trade_group, int64_t qty,
                      int64_t price_e4)
{
    send->filled += fate->trade_group == 0;
    fate->trade_group = trade_group;
    fate->gpu_hours += qty;
    fate->notional_e4 += qty * price_e4;
}

static void take_job_report(struct send *send, const struct report *report)
{
    struct fate *fate = fate_of(send, report->cl_ord_id);
    if (fate == NULL) {
        return;
    }
    if (report->exec_type == EXEC_REJECTED) {
        know(send, fate, report->reason);
    } else if (report->exec_type == EXEC_NEW && report->request == REQUEST_NEW_JOB) {
        know(send, fate, 0);
        fate->order_id = report->order_id;
    } else if (report->exec_type == EXEC_TRADE) {
        take_fill(send, fate, report->trade_group, report->last_qty, report->last_px_e4);
    }
}

static void take_range_report(struct send *send, const struct report *report)
{
    struct import_range *range = import_offers_find(&send->offers, report->cl_ord_id);
    if (range == NULL) {
        return;
    }
    bool known = range->known;
    if (report->exec_type == EXEC_REJECTED) {
        import_offers_refused(&send->offers, range, report->reason, report->bound);
    } else if (report->exec_type == EXEC_NEW && report->request == REQUEST_NEW_RANGE) {
        import_offers_entered(range, report->orders);
    }
    send->answered += range->known && !known;
}

static void take_job_status(struct send *send, const struct order_status_answer *status)
{
    struct fate *fate = fate_of(send, status->cl_ord_id);
    if (fate != NULL) {
        know(send, fate, status->order_count == 0 ? status->reason : 0);
        fate->order_id = status->order_count == 0 ? 0 : status->orders[0].order_id;
    }
}

static void take_range_status(struct send *send, const struct order_status_answer *status)
{
    struct import_range *range = import_offers_find(&send->offers, status->cl_ord_id);
    if (range == NULL) {
        return;
    }
    send->answered += !range->known;
    if (status->order_count == 0) {
        import_offers_refused(&send->offers, range, status->reason, 0);
    } else {
        import_offers_entered(range, (uint32_t)status->orders[0].hours);
    }
}

/* Fills of an earlier run: their JOBs are known by then. */
static void take_trades(struct send *send, const struct trades_answer *trades)
{
    for (uint32_t i = 0; i < trades->trade_count; i++) {
        const struct trade_row *trade = &trades->trades[i];
        send->trades_after = trade->fill_id;
        for (uint32_t job = 0; job < send->plan->job_count; job++) {
            if (send->fates[job].order_id == trade->order_id) {
                take_fill(send, &send->fates[job], trade->trade_group, trade->qty, trade->price_e4);
                break;
            }
        }
    }
    send->trades_more = trades->more && trades->trade_count > 0;
}

static int on_message(void *context, uint32_t seat, const struct message *message,
                      struct error *error)
{
    struct send *send = context;
    uint32_t account = seat == send->seats[BUYER] ? BUYER : PROVIDER;
    if (seat != send->seats[account]) {
        return 0;
    }
    switch (message->type) {
    case MESSAGE_REPORT:
        (account == BUYER ? take_job_report : take_range_report)(send, &message->report);
        break;
    case MESSAGE_ORDER_STATUS:
        (account == BUYER ? take_job_status : take_range_status)(send, &message->order_status);
        break;
    case MESSAGE_TRADES:
        take_trades(send, &message->trades);
        break;
    case MESSAGE_REJECT:
        (void)desk_refused(error, ERROR_AGAIN, &message->reject);
        return error_context(error, "run the import again, it goes on where it ended");
    default:
        break;
    }
    tell_progress(send, false);
    return 0;
}

/* --- founding ---------------------------------------------------------------------------------------- */

static int sit(struct send *send, const struct kashi_key *key, uint32_t *seat, struct error *error)
{
    int rc = desk_sit(send->desk, key, 0, KASHI_WINDOW_DEFAULT, error);
    *seat = rc < 0 ? 0 : (uint32_t)rc;
    return rc < 0 ? rc : 0;
}

static void plan_founding(struct send *send, const char *name, struct found_plan *found)
{
    const struct import_plan *plan = send->plan;
    struct found_account *provider = &send->accounts[PROVIDER];
    struct found_account *buyer = &send->accounts[BUYER];
    (void)snprintf(provider->name, LABEL_SIZE, "%.15s-nodes", name);
    (void)snprintf(buyer->name, LABEL_SIZE, "%.15s-jobs", name);
    provider->roles = ROLE_PROVIDER;
    buyer->roles = ROLE_BUYER;
    provider->unlimited = buyer->unlimited = true;
    /* Bonds are a part of the offers' worth; fees are at most a tenth of the bids'. */
    provider->deposit_e4 = plan->offer_e4 + 1;
    buyer->deposit_e4 = plan->bid_e4 + plan->bid_e4 / 10 + 1;
    for (uint32_t i = 0; i < plan->island_count; i++) {
        send->resources[i] =
            (struct found_resource){.owner = PROVIDER,
                                    .class_ = plan->class_of[plan->islands[i].model],
                                    .gpus = plan->islands[i].gpus,
                                    .tier = TIER_G0};
    }
    *found = (struct found_plan){.tables = &plan->tables,
                                 .accounts = send->accounts,
                                 .account_count = ACCOUNTS,
                                 .resources = send->resources,
                                 .resource_count = plan->island_count,
                                 .inner_band_bp = IMPORT_INNER_BAND_BP,
                                 .outer_band_bp = IMPORT_OUTER_BAND_BP,
                                 .maker_bp = MAKER_BP,
                                 .taker_bp = TAKER_BP};
}

static int open_market(struct send *send, const struct import_order *order, struct error *error)
{
    struct kashi_key key;
    struct found_plan found;
    bool founded;
    int rc = kashi_key_load(&key, order->operator_key, error);
    rc = rc != 0 ? rc : desk_open(&send->desk, 1, true, error);
    rc = rc != 0 ? rc : sit(send, &key, &send->operator_seat, error);
    rc = rc != 0 ? rc : desk_ready(send->desk, order->timeout_ms, error);
    if (rc != 0) {
        return rc;
    }
    if ((kashi_session_login(desk_session(send->desk, send->operator_seat))->roles &
         ROLE_OPERATOR) == 0) {
        return error_set(error, ERROR_INVALID,
                         "%s (%u): an import registers accounts and resources; give an operator's "
                         "key with --key",
                         reason_name(REASON_ROLE_NOT_ALLOWED), REASON_ROLE_NOT_ALLOWED);
    }
    plan_founding(send, order->name, &found);
    rc = found_market(send->desk, send->operator_seat, &found, &founded, error);
    for (uint32_t i = 0; rc == 0 && i < ACCOUNTS; i++) {
        rc = sit(send, &send->accounts[i].key, &send->seats[i], error);
    }
    rc = rc != 0 ? rc : desk_ready(send->desk, order->timeout_ms, error);
    if (rc == 0) {
        const struct login_answer *login =
            kashi_session_login(desk_session(send->desk, send->seats[BUYER]));
        send->outcome->first_hour =
            (uint32_t)(login->transact_time_ns / NS_PER_HOUR) + IMPORT_LATEST_HOURS;
        send->offers.first_hour = send->outcome->first_hour;
        desk_on_message(send->desk, on_message, send);
    }
    return rc;
}

/* --- orders ------------------------------------------------------------------------------------------ */

static void symbol_make(const struct send *send, uint32_t class_, uint32_t hour,
                        char symbol[SYMBOL_SIZE])
{
    char text[HOUR_TEXT_SIZE];
    hour_format(hour, text);
    (void)snprintf(symbol, SYMBOL_SIZE, "%s.%s.%s.%s", send->plan->tables.classes[class_].name,
                   send->plan->tables.regions[0].name, tier_name(TIER_G0), text);
}

static void range_make(const struct send *send, const struct import_hours *hours,
                       struct request *request)
{
    const struct import_plan *plan = send->plan;
    const struct import_island *island = &plan->islands[hours->island];
    request->type = REQUEST_NEW_RANGE;
    symbol_make(send, plan->class_of[island->model], hours->first, request->new_range.symbol);
    request->new_range.price_e4 = island->price_e4;
    request->new_range.qty = island->gpus;
    request->new_range.hours = hours->count;
    request->new_range.resource = send->resources[hours->island].resource;
}

static void job_make(const struct send *send, uint32_t place, struct lane_row *lanes,
                     struct request *request)
{
    const struct import_plan *plan = send->plan;
    const struct import_job *job = &plan->jobs[place];
    uint32_t classes[IMPORT_MODELS_MAX];
    uint32_t count = import_plan_lanes(plan, job, classes);
    for (uint32_t i = 0; i < count; i++) {
        memset(&lanes[i], 0, sizeof lanes[i]);
        memcpy(lanes[i].class_name, plan->tables.classes[classes[i]].name, NAME_SIZE);
        memcpy(lanes[i].region, plan->tables.regions[0].name, NAME_SIZE);
        lanes[i].factor_e4 = (uint32_t)E4_ONE;
        lanes[i].tier = TIER_G0;
    }
    request->type = REQUEST_NEW_JOB;
    request->new_job.lanes = lanes;
    request->new_job.lane_count = count;
    request->new_job.price_e4 = job->price_e4;
    request->new_job.qty = job->gpus;
    request->new_job.window_from = send->outcome->first_hour + job->window_from;
    request->new_job.window_to = send->outcome->first_hour + job->window_to;
    request->new_job.hours = (uint16_t)job->hours;
    request->new_job.placement = job->placement;
    if (job->previous != IMPORT_NO_JOB) {
        request->new_job.same_group = send->fates[job->previous].trade_group;
    }
}

/* Sends one, waiting for room among the unanswered. */
static int send_one(struct send *send, uint32_t account, struct request *request,
                    struct error *error)
{
    struct kashi_session *session = desk_session(send->desk, send->seats[account]);
    int rc = kashi_session_send(session, request, 1, error);
    while (rc == ERROR_FULL) {
        rc = desk_turn(send->desk, TURN_MS, error);
        rc = rc != 0 ? rc : kashi_session_send(session, request, 1, error);
    }
    return rc;
}

static int send_job(struct send *send, uint32_t place, struct error *error)
{
    struct lane_row lanes[JOB_LANES_MAX];
    struct request request = {.cl_ord_id = place + UINT64_C(1)};
    job_make(send, place, lanes, &request);
    return send_one(send, BUYER, &request, error);
}

/* What an earlier run has sent: the number of the last, at most `last`. Its states are asked for. */
static int recall(struct send *send, uint32_t account, uint64_t last, uint64_t *sent,
                  struct error *error)
{
    struct kashi_session *session = desk_session(send->desk, send->seats[account]);
    uint64_t highest = kashi_session_login(session)->highest_cl_ord_id;
    *sent = highest < last ? highest : last;
    for (uint64_t from = 0; from < *sent; from += CHUNK) {
        struct request requests[CHUNK];
        uint32_t count = *sent - from < CHUNK ? (uint32_t)(*sent - from) : CHUNK;
        for (uint32_t i = 0; i < count; i++) {
            requests[i] = (struct request){.type = REQUEST_ORDER_STATUS};
            requests[i].order_status.cl_ord_id = from + i + UINT64_C(1);
        }
        int rc = kashi_session_send(session, requests, count, error);
        rc = rc != 0 ? rc : desk_settle(send->desk, ANSWER_TIMEOUT_MS, error);
        if (rc != 0) {
            return rc;
        }
    }
    send->trades_more = account == BUYER && *sent > 0;
    while (send->trades_more) {
        struct request request = {.type = REQUEST_TRADES};
        request.trades.after_fill_id = send->trades_after;
        send->trades_more = false;
        int rc = kashi_session_send(session, &request, 1, error);
        rc = rc != 0 ? rc : desk_settle(send->desk, ANSWER_TIMEOUT_MS, error);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* Waits for all answers and for the fills behind them: an answer to a later question follows them. */
static int settle_fills(struct send *send, struct error *error)
{
    struct request request = {.type = REQUEST_ORDER_STATUS, .order_status.cl_ord_id = 1};
    int rc = desk_settle(send->desk, ANSWER_TIMEOUT_MS, error);
    if (rc != 0 || send->plan->job_count == 0) {
        return rc;
    }
    rc = kashi_session_send(desk_session(send->desk, send->seats[BUYER]), &request, 1, error);
    return rc != 0 ? rc : desk_settle(send->desk, ANSWER_TIMEOUT_MS, error);
}

static int try_ranges(struct send *send, uint32_t try_, struct error *error)
{
    int rc = 0;
    for (uint32_t place = 0; rc == 0 && place < send->offers.count; place++) {
        struct import_hours hours;
        if (import_offers_due(&send->offers, try_, place, &hours)) {
            struct request request = {.cl_ord_id =
                                          import_offers_number(&send->offers, try_, place)};
            range_make(send, &hours, &request);
            rc = send_one(send, PROVIDER, &request, error);
        }
    }
    return rc != 0 ? rc : desk_settle(send->desk, ANSWER_TIMEOUT_MS, error);
}

static int send_ranges(struct send *send, struct error *error)
{
    struct import_offers *offers = &send->offers;
    uint64_t last = (uint64_t)IMPORT_RANGE_TRIES * offers->count;
    int rc = recall(send, PROVIDER, last, &offers->sent_before, error);
    send->outcome->before +=
        offers->sent_before < offers->count ? (uint32_t)offers->sent_before : offers->count;
    for (uint32_t try_ = 0; rc == 0 && try_ < IMPORT_RANGE_TRIES; try_++) {
        rc = try_ranges(send, try_, error);
    }
    return rc;
}

/* A link of a chain waits for what becomes of the one before it. */
static int send_jobs(struct send *send, struct error *error)
{
    uint64_t sent = 0;
    int rc = recall(send, BUYER, send->plan->job_count, &sent, error);
    send->outcome->before += (uint32_t)sent;
    for (uint32_t place = (uint32_t)sent; rc == 0 && place < send->plan->job_count; place++) {
        const struct import_job *job = &send->plan->jobs[place];
        if (job->previous == IMPORT_NO_JOB) {
            rc = send_job(send, place, error);
            continue;
        }
        rc = settle_fills(send, error);
        if (rc == 0 && send->fates[job->previous].trade_group != 0) {
            rc = send_job(send, place, error);
        } else if (rc == 0) {
            know(send, &send->fates[place], REASON_NEVER_ENTERED);
        }
    }
    return rc != 0 ? rc : settle_fills(send, error);
}

static void count_refused(struct import_outcome *outcome, uint16_t reason)
{
    outcome->refused++;
    outcome->rejected[reason < IMPORT_REASONS ? reason : 0]++;
}

static void sum_up(const struct send *send, struct import_outcome *outcome)
{
    for (uint32_t i = 0; i < send->offers.count; i++) {
        const struct import_range *range = &send->offers.ranges[i];
        outcome->ranges += range->hours > 0;
        outcome->offers += range->hours;
        if (range->reason != 0 && !import_range_late(range)) {
            count_refused(outcome, range->reason);
        }
    }
    outcome->late_hours = import_offers_late(&send->offers);
    for (uint32_t i = 0; i < send->plan->job_count; i++) {
        const struct fate *fate = &send->fates[i];
        if (fate->reason == REASON_NEVER_ENTERED) {
            outcome->broken++;
        } else if (fate->reason == REASON_GATE_CLOSED_FOR_HOUR) {
            outcome->late_jobs++;
        } else if (fate->reason != 0) {
            count_refused(outcome, fate->reason);
        } else {
            outcome->jobs++;
            outcome->filled += fate->trade_group != 0;
            outcome->gpu_hours += fate->gpu_hours;
            outcome->notional_e4 += fate->notional_e4;
        }
    }
}

int import_send(const struct import_order *order, struct import_outcome *outcome,
                struct error *error)
{
    const struct import_plan *plan = order->plan;
    struct send *send = calloc(1, sizeof *send);
    CHECK(send != NULL);
    memset(outcome, 0, sizeof *outcome);
    send->plan = plan;
    send->outcome = outcome;
    send->progress = order->progress;
    import_offers_init(&send->offers, plan);
    send->resources = calloc(plan->island_count + 1U, sizeof send->resources[0]);
    send->fates = calloc(plan->job_count + 1U, sizeof send->fates[0]);
    CHECK(send->resources != NULL && send->fates != NULL);
    int rc = open_market(send, order, error);
    int64_t begun_ns = clock_monotonic_ns();
    rc = rc != 0 ? rc : send_ranges(send, error);
    rc = rc != 0 ? rc : send_jobs(send, error);
    outcome->took_ns = clock_monotonic_ns() - begun_ns;
    if (rc == 0) {
        tell_progress(send, true);
        sum_up(send, outcome);
    }
    desk_close(send->desk);
    import_offers_free(&send->offers);
    free(send->fates);
    free(send->resources);
    free(send);
    return rc;
}
