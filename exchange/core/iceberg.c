#include "exchange/core/iceberg.h"

#include "exchange/core/book.h"
#include "exchange/core/emit.h"
#include "exchange/core/quote.h"

static uint64_t slices_of(const struct iceberg *i)
{
    return ((uint64_t)i->reserve + i->display - 1) / i->display;
}

static void set_reserve(struct engine *e, uint32_t slot, uint32_t reserve)
{
    const struct order *o = &e->orders[slot];
    struct iceberg *i = &e->icebergs[slot];
    struct slices *slices = &e->slices[o->ladder];
    slices->of[o->sell] -= slices_of(i);
    i->reserve = reserve;
    slices->of[o->sell] += slices_of(i);
    if ((slices->of[0] | slices->of[1]) != 0) {
        e->ladders[o->ladder].occupied |= LADDER_ICEBERGS;
        quote_forget_ladder(e, &e->ladders[o->ladder]);
    } else {
        e->ladders[o->ladder].occupied &= ~LADDER_ICEBERGS;
    }
}

void iceberg_begin(struct engine *e, uint32_t slot, uint32_t display)
{
    e->orders[slot].special = 1;
    e->orders[slot].iceberg = 1;
    e->icebergs[slot] = (struct iceberg){.display = display};
}

void iceberg_rest(struct engine *e, uint32_t slot)
{
    uint32_t leaves = e->orders[slot].leaves;
    uint32_t display = e->icebergs[slot].display;
    set_reserve(e, slot, leaves > display ? leaves - display : 0);
}

void iceberg_leave(struct engine *e, uint32_t slot)
{
    set_reserve(e, slot, 0);
}

void iceberg_take(struct engine *e, uint32_t slot, uint32_t qty)
{
    uint32_t reserve = e->icebergs[slot].reserve;
    set_reserve(e, slot, reserve > qty ? reserve - qty : 0);
}

void iceberg_trim(struct engine *e, uint32_t slot)
{
    uint32_t leaves = e->orders[slot].leaves;
    if (e->icebergs[slot].reserve > leaves) {
        set_reserve(e, slot, leaves);
    }
}

static void emit_refreshed(struct engine *e, uint32_t slot, uint32_t slice)
{
    const struct order *o = &e->orders[slot];
    const struct key *k = &e->keys[o->key];
    struct event *event = emit(e, EVENT_REFRESHED, 0, 0); /* nobody's report: for market data */
    event->out = (struct event_out){
        .party = {.cl_ord_id = o->cl_ord_id, .key = o->key, .account = k->account},
        .order_id = order_id_of(e, slot),
        .contract = contract_with_tier(e->ladders[o->ladder].contract, o->tier),
        .orig_cl_ord_id = o->cl_ord_id,
        .price_e4 = o->price_e4,
        .qty = slice,
        .leaves_qty = o->leaves,
        .cum_qty = o->cum,
        .side = o->sell,
        .resting = 1,
    };
}

void iceberg_refresh(struct engine *e, uint32_t slot)
{
    const struct iceberg *i = &e->icebergs[slot];
    CHECK(e->orders[slot].leaves == i->reserve && i->reserve > 0);
    uint32_t slice = i->reserve < i->display ? i->reserve : i->display;
    set_reserve(e, slot, i->reserve - slice);
    if (e->orders[slot].next != slot) { /* alone at its price it is last already */
        book_remove(e, slot);
        book_insert(e, slot);
    }
    emit_refreshed(e, slot, slice);
}

void iceberg_sanity(const struct engine *e, uint32_t ladder)
{
    uint64_t sums[2] = {0, 0};
    for (uint32_t book = 0; book < BOOKS; book++) {
        for (uint32_t slot = e->ladders[ladder].best[book]; slot != 0; slot = book_worse(e, slot)) {
            const struct order *o = &e->orders[slot];
            if (o->iceberg) {
                const struct iceberg *i = &e->icebergs[slot];
                uint32_t shown = o->leaves - i->reserve;
                CHECK(i->reserve < o->leaves && shown <= i->display);
                sums[o->sell] += slices_of(i);
            }
        }
    }
    const struct slices *slices = &e->slices[ladder];
    CHECK(sums[0] == slices->of[0] && sums[1] == slices->of[1]);
    CHECK((sums[0] + sums[1] != 0) == ((e->ladders[ladder].occupied & LADDER_ICEBERGS) != 0));
}
