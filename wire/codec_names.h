/* The names that enumerations have on the wire, by value. Only wire/codec*.c use them. Constant data;
 * any thread. */
#ifndef KASHI_WIRE_CODEC_NAMES_H
#define KASHI_WIRE_CODEC_NAMES_H

#include <stdint.h>

#define CODEC_NAMES_MAX 24

struct codec_name {
    const char *text; /* NULL: the value has no name */
    uint32_t length;
};
struct codec_names {
    uint32_t count;
    struct codec_name names[CODEC_NAMES_MAX];
};

extern const struct codec_names codec_names_side;
extern const struct codec_names codec_names_aggressor;
extern const struct codec_names codec_names_ord_type;
extern const struct codec_names codec_names_tif;
extern const struct codec_names codec_names_stp;
extern const struct codec_names codec_names_tier;
extern const struct codec_names codec_names_placement;
extern const struct codec_names codec_names_kind;
extern const struct codec_names codec_names_role;
extern const struct codec_names codec_names_mode;
extern const struct codec_names codec_names_auction;
extern const struct codec_names codec_names_phase;
extern const struct codec_names codec_names_what;
extern const struct codec_names codec_names_exec_type;
extern const struct codec_names codec_names_ord_status;
extern const struct codec_names codec_names_index_kind;
extern const struct codec_names codec_names_liquidity;
extern const struct codec_names codec_names_leg_state;
extern const struct codec_names codec_names_field; /* enum reject_field */

#endif
