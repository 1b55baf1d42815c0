#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/kashi.h"

void kashi_book_init(struct kashi_book *book, const char *symbol)
{
    *book = (struct kashi_book){.current = 0};
    size_t length = strnlen(symbol, SYMBOL_SIZE - 1);
    memcpy(book->symbol, symbol, length);
    book->symbol[length] = '\0';
}

void kashi_book_free(struct kashi_book *book)
{
    if (book == NULL) {
        return;
    }
    free(book->sides[SIDE_BUY].levels);
    free(book->sides[SIDE_SELL].levels);
}

/* Whether price a comes before b on the side. */
static bool better(uint8_t side, int64_t a_e4, int64_t b_e4)
{
    return side == SIDE_BUY ? a_e4 > b_e4 : a_e4 < b_e4;
}

static void side_reserve(struct kashi_book_side *side, uint32_t count)
{
    if (count <= side->capacity) {
        return;
    }
    uint32_t capacity = side->capacity == 0 ? 16 : side->capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    side->levels = realloc(side->levels, capacity * sizeof(side->levels[0]));
    CHECK(side->levels != NULL);
    side->capacity = capacity;
}

static void side_set(struct kashi_book_side *side, uint8_t which, const struct md_level_row *level)
{
    uint32_t low = 0;
    uint32_t high = side->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (better(which, side->levels[middle].price_e4, level->price_e4)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < side->count && side->levels[low].price_e4 == level->price_e4;
    size_t behind = side->count - low;
    if (level->orders == 0) {
        if (found) {
            side->count--;
            memmove(&side->levels[low], &side->levels[low + 1],
                    (behind - 1) * sizeof(side->levels[0]));
        }
        return;
    }
    if (!found) {
        if (low == KASHI_BOOK_LEVELS_MAX) {
            return;
        }
        if (side->count == KASHI_BOOK_LEVELS_MAX) {
            side->count--;
            behind--;
        }
        side_reserve(side, side->count + 1);
        memmove(&side->levels[low + 1], &side->levels[low], behind * sizeof(side->levels[0]));
        side->count++;
    }
    side->levels[low] = (struct level_row){.price_e4 = level->price_e4,
                                           .qty = level->qty,
                                           .shared_qty = level->shared_qty,
                                           .reserved_qty = level->reserved_qty,
                                           .orders = level->orders};
}

/* Whether the message is the one that the book waits for. */
static enum kashi_book_result book_place(const struct kashi_book *book,
                                         const struct market_data *data)
{
    if (book->continued && data->seq == book->seq) {
        return KASHI_BOOK_APPLIED;
    }
    uint64_t known = book->seq > book->snapshot_seq ? book->seq : book->snapshot_seq;
    if (data->seq <= known) {
        return KASHI_BOOK_OLD;
    }
    if (data->prev_seq == 0) {
        return KASHI_BOOK_APPLIED;
    }
    return book->current && !book->continued && data->prev_seq == book->seq ? KASHI_BOOK_APPLIED
                                                                            : KASHI_BOOK_GAP;
}

enum kashi_book_result kashi_book_apply(struct kashi_book *book, const struct market_data *data)
{
    enum kashi_book_result place = book_place(book, data);
    if (place == KASHI_BOOK_GAP) {
        book->current = 0;
        book->continued = 0;
    }
    if (place != KASHI_BOOK_APPLIED) {
        return place;
    }
    if (data->prev_seq == 0 && data->seq != book->seq) {
        book->sides[SIDE_BUY].count = 0;
        book->sides[SIDE_SELL].count = 0;
    }
    for (uint32_t i = 0; i < data->level_count; i++) {
        uint8_t side = data->levels[i].side == SIDE_BUY ? SIDE_BUY : SIDE_SELL;
        side_set(&book->sides[side], side, &data->levels[i]);
    }
    if (data->trade_count > 0) {
        book->last_px_e4 = data->trades[data->trade_count - 1].price_e4;
        book->last_qty = data->trades[data->trade_count - 1].qty;
    }
    book->seq = data->seq;
    book->time_ns = data->time_ns;
    book->best_bid_e4 = data->best_bid_e4;
    book->best_bid_qty = data->best_bid_qty;
    book->best_bid_shared_qty = data->best_bid_shared_qty;
    book->best_offer_e4 = data->best_offer_e4;
    book->best_offer_qty = data->best_offer_qty;
    book->halted = data->halted;
    book->auction = data->auction;
    book->continued = data->continued;
    book->current = 1;
    return KASHI_BOOK_APPLIED;
}

static void side_copy(struct kashi_book_side *side, const struct level_row *levels, uint32_t count)
{
    side_reserve(side, count);
    if (count > 0) {
        memcpy(side->levels, levels, count * sizeof(levels[0]));
    }
    side->count = count;
}

void kashi_book_snapshot(struct kashi_book *book, const struct book_answer *snapshot)
{
    CHECK(snapshot->bid_count <= CODEC_LEVELS_MAX && snapshot->offer_count <= CODEC_LEVELS_MAX);
    side_copy(&book->sides[SIDE_BUY], snapshot->bids, snapshot->bid_count);
    side_copy(&book->sides[SIDE_SELL], snapshot->offers, snapshot->offer_count);
    book->seq = snapshot->contract_seq;
    book->snapshot_seq = snapshot->seq;
    book->time_ns = snapshot->time_ns;
    book->best_bid_e4 = snapshot->best_bid_e4;
    book->best_bid_qty = snapshot->best_bid_qty;
    book->best_bid_shared_qty = snapshot->best_bid_shared_qty;
    book->best_offer_e4 = snapshot->best_offer_e4;
    book->best_offer_qty = snapshot->best_offer_qty;
    if (snapshot->last_px_e4 != 0) {
        book->last_px_e4 = snapshot->last_px_e4;
        book->last_qty = snapshot->last_qty;
    }
    book->halted = snapshot->halted;
    book->auction = snapshot->auction;
    book->continued = 0;
    book->current = 1;
}
