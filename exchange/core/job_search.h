/* Where a JOB fits, and how near it comes where it does not (rulebook, section 12). Nothing here changes
 * the state; what it works with is the engine's scratch memory, sized at start, which is no part of the
 * state. */
#ifndef KASHI_EXCHANGE_CORE_JOB_SEARCH_H
#define KASHI_EXCHANGE_CORE_JOB_SEARCH_H

#include "exchange/core/state.h"

#define JOB_WIDTH_MAX 262144 /* hours and offers that one search may look at */
#define JOB_CELLS     (JOB_LANES_MAX * HOUR_RING)

/* Part of a JOB's lanes and starts. */
struct job_span {
    uint32_t lane; /* lanes from .. below lane_end, counted from 0 */
    uint32_t lane_end;
    uint32_t from; /* starts from .. to, both included; none when from > to */
    uint32_t to;
};

struct job_fit {
    int128 worth; /* sum of price x factor x quantity */
    uint32_t lane;
    uint32_t start;
    uint32_t resource; /* 0: PLACEMENT_ANY */
};

struct job_miss {
    int64_t qty; /* 0: nothing; lane and start say nothing then */
    uint32_t lane;
    uint32_t start;
};

/* A fill that a fit will bring. */
struct job_part {
    uint32_t slot; /* of the offer */
    uint32_t qty;
};

/* A lane's hour in a search. */
struct job_cell {
    uint32_t ladder;
    uint32_t low_e4; /* nothing takeable is cheaper; JOB_NOTHING: nothing is takeable */
    uint32_t first;  /* its entries; JOB_UNSEEN: not gathered yet */
    uint32_t count;
};
#define JOB_NOTHING UINT32_MAX
#define JOB_UNSEEN  UINT32_MAX

/* What one resource (or, where the resource does not matter, all together) has in a lane's hour. */
struct job_entry {
    int64_t value; /* cost of the first N GPUs, or GPUs displayed within the limit */
    uint32_t resource;
    uint32_t qty;
    uint32_t hour;
    uint32_t worse; /* MISS: links of the hours that may yet be the least of a window */
    uint32_t better;
    uint32_t reserved;
};

/* A resource's state while hours are gone through in order. */
struct job_tally {
    int128 sum;        /* of its entries in the window */
    uint64_t gathered; /* mark of the hour that `entry` belongs to */
    uint64_t run;      /* mark of the run that the rest belongs to */
    uint32_t entry;
    uint32_t begin; /* it has an entry in every hour begin .. last */
    uint32_t last;
    uint32_t front; /* MISS: ends of the list of entries */
    uint32_t back;
    uint32_t reserved[3];
};

struct job_scratch {
    uint64_t mark; /* rises; nothing is ever cleared */
    uint32_t entry_count;
    uint32_t part_count;
    struct job_cell cells[JOB_CELLS];
    struct job_entry entries[JOB_WIDTH_MAX + 1]; /* 0 unused */
    struct job_part parts[JOB_WIDTH_MAX];
};

/* Every lane and every start that is still allowed. */
struct job_span job_span_whole(const struct engine *e, const struct job *job);
/* Hours and offers that a search over the span looks at. */
int64_t job_search_width(const struct engine *e, const struct job *job,
                         const struct job_span *span);
/* The best fit in a span no wider than JOB_WIDTH_MAX; false: there is none. */
bool job_search_fit(const struct engine *e, const struct job *job, const struct job_span *span,
                    struct job_fit *fit);
void job_search_miss(const struct engine *e, const struct job *job, const struct job_span *span,
                     struct job_miss *miss);
/* Lists the fills of a fit, hour by hour in taking order; returns their number. They stand in
 * job_scratch->parts until the next search. */
uint32_t job_search_parts(const struct engine *e, const struct job *job, const struct job_fit *fit);
/* P x N x H x 10,000: what a fit must keep to. */
int128 job_budget(const struct job *job);

#endif
