#include "exchange/core/timers.h"

static bool before(const struct timer *a, const struct timer *b)
{
    return a->expire_time_ns != b->expire_time_ns ? a->expire_time_ns < b->expire_time_ns
                                                  : a->entry < b->entry;
}

static void place(struct engine *e, uint32_t at, struct timer t)
{
    e->timers[at] = t;
    e->timer_of[t.slot] = at;
}

static void sift_up(struct engine *e, uint32_t at, struct timer t)
{
    while (at > 1 && before(&t, &e->timers[at / 2])) {
        place(e, at, e->timers[at / 2]);
        at /= 2;
    }
    place(e, at, t);
}

static void sift_down(struct engine *e, uint32_t at, struct timer t)
{
    uint32_t count = e->s.timer_count;
    while (2 * at <= count) {
        uint32_t child = 2 * at;
        if (child < count && before(&e->timers[child + 1], &e->timers[child])) {
            child++;
        }
        if (!before(&e->timers[child], &t)) {
            break;
        }
        place(e, at, e->timers[child]);
        at = child;
    }
    place(e, at, t);
}

void timers_add(struct engine *e, uint32_t slot, int64_t expire_time_ns)
{
    CHECK(e->s.timer_count < e->config.timers);
    struct timer t = {.expire_time_ns = expire_time_ns, .entry = e->s.timer_entry++, .slot = slot};
    e->orders[slot].timed = 1;
    e->due_ns = expire_time_ns < e->due_ns ? expire_time_ns : e->due_ns;
    sift_up(e, ++e->s.timer_count, t);
}

void timers_remove(struct engine *e, uint32_t slot)
{
    uint32_t at = e->timer_of[slot];
    CHECK(e->timers[at].slot == slot);
    e->orders[slot].timed = 0;
    e->timer_of[slot] = 0;
    struct timer last = e->timers[e->s.timer_count];
    e->timers[e->s.timer_count--] = (struct timer){0};
    if (last.slot == slot) {
        return;
    }
    if (at > 1 && before(&last, &e->timers[at / 2])) {
        sift_up(e, at, last);
    } else {
        sift_down(e, at, last);
    }
}
