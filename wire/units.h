/* Units of the market and checked arithmetic on them. Scales are defined here and nowhere else.
 *
 * price     int64, ten-thousandths of a yuan per GPU-hour ("_e4"), 1 .. PRICE_MAX_E4
 * quantity  int64, whole GPUs for one hour ("_qty", "_gpus"), 1 .. QTY_MAX
 * money     int64, ten-thousandths of a yuan ("_e4"), price x quantity, exact
 * rate      basis points ("_bp"), ten-thousandths
 * time      int64 nanoseconds since 1970-01-01 UTC ("_ns"); hours are counted from the same origin
 *
 * Every product of a price and a quantity in range fits int64 with room for a fee of FEE_MAX_BP:
 * 2^31 x 10^9 x 1.1 = 2.4 x 10^18 < 9.2 x 10^18. Pure; any thread. */
#ifndef KASHI_WIRE_UNITS_H
#define KASHI_WIRE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define PRICE_MAX_E4  INT64_C(2147483646)
#define QTY_MAX       INT64_C(1000000000)
#define MONEY_MAX_E4  INT64_C(4000000000000000000)
#define BP_ONE        INT64_C(10000)
#define FEE_MAX_BP    INT64_C(1000)
#define E4_ONE        INT64_C(10000)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_HOUR   (INT64_C(3600) * NS_PER_SECOND)
/* A delivery day runs in UTC+8. */
#define DAY_OFFSET_HOURS INT64_C(8)
#define HOURS_PER_DAY    INT64_C(24)

/* Orders that counting for fill-or-kill or min_qty may meet, where GENESIS does not say: the time of a
 * few milliseconds. */
#define TRIAL_ORDERS 16384

/* For products of money; -Wpedantic wants the extension said aloud once. */
__extension__ typedef __int128 int128;

/* Each returns false and leaves *out alone when the exact result does not fit int64. */
static inline bool money_add(int64_t a_e4, int64_t b_e4, int64_t *out_e4)
{
    int64_t sum;
    if (__builtin_add_overflow(a_e4, b_e4, &sum)) {
        return false;
    }
    *out_e4 = sum;
    return true;
}

static inline bool money_mul(int64_t price_e4, int64_t qty, int64_t *out_e4)
{
    int64_t product;
    if (__builtin_mul_overflow(price_e4, qty, &product)) {
        return false;
    }
    *out_e4 = product;
    return true;
}

/* Delivery day (days since 1970-01-01 in UTC+8) that an hour belongs to. */
static inline int64_t hour_delivery_day(int64_t hour)
{
    return (hour + DAY_OFFSET_HOURS) / HOURS_PER_DAY;
}

/* First hour (UTC, since 1970) of a delivery day. */
static inline int64_t delivery_day_first_hour(int64_t day)
{
    return day * HOURS_PER_DAY - DAY_OFFSET_HOURS;
}

#endif
