#include "client/kashi_pending.h"

#include <stdlib.h>

#include "base/check.h"

bool kashi_pending_init(struct kashi_pending *pending, uint32_t capacity)
{
    *pending = (struct kashi_pending){.capacity = capacity};
    pending->entries = calloc(capacity, sizeof(pending->entries[0]));
    return pending->entries != NULL;
}

void kashi_pending_free(struct kashi_pending *pending)
{
    for (uint32_t i = 0; pending->entries != NULL && i < pending->capacity; i++) {
        free(pending->entries[i].rows);
    }
    free(pending->entries);
    pending->entries = NULL;
}

uint32_t kashi_pending_room(const struct kashi_pending *pending)
{
    return pending->capacity - pending->count;
}

static struct kashi_pending_entry *entry_at(struct kashi_pending *pending, uint32_t place)
{
    return &pending->entries[(pending->head + place) % pending->capacity];
}

void kashi_pending_push(struct kashi_pending *pending, const struct request *request,
                        uint64_t number)
{
    CHECK(pending->count < pending->capacity && number > pending->highest);
    struct kashi_pending_entry *entry = entry_at(pending, pending->count);
    const size_t size = codec_request_rows_size(request);
    entry->request = *request;
    if (size > 0) {
        entry->rows = malloc(size);
        CHECK(entry->rows != NULL);
        codec_request_rows_move(&entry->request, entry->rows);
    }
    entry->number = number;
    entry->answered = false;
    pending->count++;
    pending->unanswered++;
    pending->highest = number;
}

bool kashi_pending_answer(struct kashi_pending *pending, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = pending->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_at(pending, middle)->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == pending->count || entry_at(pending, low)->number != number ||
        entry_at(pending, low)->answered) {
        return false;
    }
    struct kashi_pending_entry *entry = entry_at(pending, low);
    entry->answered = true;
    free(entry->rows);
    entry->rows = NULL;
    pending->unanswered--;
    while (pending->count > 0 && entry_at(pending, 0)->answered) {
        pending->head = (pending->head + 1) % pending->capacity;
        pending->count--;
        if (pending->sent > 0) {
            pending->sent--;
        }
    }
    return true;
}

const struct request *kashi_pending_unsent(struct kashi_pending *pending)
{
    while (pending->sent < pending->count && entry_at(pending, pending->sent)->answered) {
        pending->sent++;
    }
    return pending->sent < pending->count ? &entry_at(pending, pending->sent)->request : NULL;
}

bool kashi_pending_mark_sent(struct kashi_pending *pending)
{
    CHECK(pending->sent < pending->count);
    uint64_t number = entry_at(pending, pending->sent)->number;
    bool again = number <= pending->highest_sent;
    pending->highest_sent = again ? pending->highest_sent : number;
    pending->sent++;
    return again;
}

void kashi_pending_rewind(struct kashi_pending *pending)
{
    pending->sent = 0;
}
