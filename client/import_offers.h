/* The ranges of a plan on their way into a market whose clock goes on. The gates of a plan's first hours
 * may close while it is carried out, and a range is refused whole for its first hour. What was refused so
 * is offered once more, from the hour on that the refusal named as the first that is open.
 *
 * Numbers are places in the plan: try t of range p has the number t x ranges + p + 1, whoever sends it
 * when, so that a later run knows what an earlier one has sent. Pure but for the table. */
#ifndef KASHI_CLIENT_IMPORT_OFFERS_H
#define KASHI_CLIENT_IMPORT_OFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/import_plan.h"

#define IMPORT_RANGE_TRIES 3 /* an hour begins while a try is under way: twice is slow already */

/* What became of a range. */
struct import_range {
    uint32_t hours;  /* entered */
    uint16_t reason; /* refused, at the last try that was made */
    bool known;
};

struct import_offers {
    const struct import_plan *plan;
    struct import_range *ranges;
    uint64_t sent_before; /* highest number of an earlier run */
    uint32_t count;
    uint32_t ranges_per_island;
    uint32_t first_hour; /* the plan's */
    uint32_t open_hour;  /* hours before it were refused; 0: none was */
};

void import_offers_init(struct import_offers *offers, const struct import_plan *plan);
void import_offers_free(struct import_offers *offers);

uint64_t import_offers_number(const struct import_offers *offers, uint32_t try_, uint32_t place);
/* The range that a number is of; NULL: of none. */
struct import_range *import_offers_find(struct import_offers *offers, uint64_t cl_ord_id);

/* What a range can still offer, from which hour on. */
struct import_hours {
    uint32_t island;
    uint32_t first; /* since 1970 */
    uint32_t count;
};
/* Whether this try of a range is to be sent: it has hours left, and no try before was taken. */
bool import_offers_due(const struct import_offers *offers, uint32_t try_, uint32_t place,
                       struct import_hours *hours);

/* Answers: to a try now, of which `open_hour` is a GATE_CLOSED_FOR_HOUR's bound; or to the question what
 * became of one. A try that was never made says nothing. */
void import_offers_entered(struct import_range *range, uint32_t hours);
void import_offers_refused(struct import_offers *offers, struct import_range *range,
                           uint16_t reason, int64_t open_hour);

/* Whether it was too late for its hours, at the last try. */
bool import_range_late(const struct import_range *range);
/* Hours that were not offered because their gates had closed. */
uint64_t import_offers_late(const struct import_offers *offers);

#endif
