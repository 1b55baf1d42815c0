/* Legs of a SET and lanes of a JOB as people give them. Only the form is checked here; whether class,
 * region and hour are traded is for the exchange to say. Errors (ERROR_INVALID) name what is wrong,
 * its value and what to give instead. One thread. */
#ifndef KASHI_CLIENT_LEGS_H
#define KASHI_CLIENT_LEGS_H

#include <stdint.h>

#include "base/error.h"
#include "wire/codec.h"

struct legs {
    uint32_t count;
    struct leg_row rows[SET_LEGS_MAX];
};
/* "H100.CN-GZ.G80.20261121T14Z=13.50", or in parts, "H100/CN-GZ/G80/+6=13.50". */
int legs_add(struct legs *legs, const char *text, int64_t now_ns, struct error *error);
/* Those of a file: CSV whose first line names the columns (symbol or class,region,tier,hour, and
 * price), or a JSON array of objects {"symbol": …, "price_e4": …} as the protocol has it. */
int legs_add_file(struct legs *legs, const char *path, int64_t now_ns, struct error *error);

struct lanes {
    uint32_t count;
    struct lane_row rows[JOB_LANES_MAX];
};
/* "H100/CN-GZ/G80", with a factor "H100/CN-NM/G80*1.05": there a GPU-hour is worth that much less. */
int lanes_add(struct lanes *lanes, const char *text, struct error *error);

#endif
