#include "client/import_offers.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/reject.h"

void import_offers_init(struct import_offers *offers, const struct import_plan *plan)
{
    uint32_t per_island = (plan->hours + IMPORT_LONGEST_HOURS - 1) / IMPORT_LONGEST_HOURS;
    *offers = (struct import_offers){
        .plan = plan, .ranges_per_island = per_island, .count = plan->island_count * per_island};
    offers->ranges = calloc(offers->count + 1U, sizeof offers->ranges[0]);
    CHECK(offers->ranges != NULL);
}

void import_offers_free(struct import_offers *offers)
{
    free(offers->ranges);
    offers->ranges = NULL;
}

uint64_t import_offers_number(const struct import_offers *offers, uint32_t try_, uint32_t place)
{
    return (uint64_t)try_ * offers->count + place + 1;
}

struct import_range *import_offers_find(struct import_offers *offers, uint64_t cl_ord_id)
{
    uint64_t last = (uint64_t)IMPORT_RANGE_TRIES * offers->count;
    return cl_ord_id < 1 || cl_ord_id > last ? NULL
                                             : &offers->ranges[(cl_ord_id - 1) % offers->count];
}

static struct import_hours planned(const struct import_offers *offers, uint32_t place)
{
    uint32_t from = place % offers->ranges_per_island * IMPORT_LONGEST_HOURS;
    return (struct import_hours){.island = place / offers->ranges_per_island,
                                 .first = offers->first_hour + from,
                                 .count = import_range_hours(offers->plan, from)};
}

/* One that was never sent had no hour left, at the time. */
bool import_range_late(const struct import_range *range)
{
    return range->reason == REASON_GATE_CLOSED_FOR_HOUR || range->reason == REASON_NEVER_ENTERED;
}

bool import_offers_due(const struct import_offers *offers, uint32_t try_, uint32_t place,
                       struct import_hours *hours)
{
    if (import_offers_number(offers, try_, place) <= offers->sent_before ||
        (try_ > 0 && !import_range_late(&offers->ranges[place]))) {
        return false;
    }
    *hours = planned(offers, place);
    if (offers->open_hour > hours->first) {
        uint32_t late = offers->open_hour - hours->first;
        late = late < hours->count ? late : hours->count;
        hours->first += late;
        hours->count -= late;
    }
    return hours->count > 0;
}

void import_offers_entered(struct import_range *range, uint32_t hours)
{
    *range = (struct import_range){.hours = hours, .known = true};
}

void import_offers_refused(struct import_offers *offers, struct import_range *range,
                           uint16_t reason, int64_t open_hour)
{
    if (reason == REASON_NEVER_ENTERED && range->known) {
        return;
    }
    range->reason = reason;
    range->known = true;
    if (reason == REASON_GATE_CLOSED_FOR_HOUR && open_hour > (int64_t)offers->open_hour) {
        offers->open_hour = (uint32_t)open_hour;
    }
}

uint64_t import_offers_late(const struct import_offers *offers)
{
    uint64_t late = 0;
    for (uint32_t place = 0; place < offers->count; place++) {
        const struct import_range *range = &offers->ranges[place];
        if (range->reason == 0 || import_range_late(range)) {
            late += planned(offers, place).count - range->hours;
        }
    }
    return late;
}
