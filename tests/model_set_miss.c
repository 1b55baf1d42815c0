/* Section 11 of the rulebook: how near a SET has come that was not filled. */
#include "tests/model.h"

/* The offer that a look at a tier comes to after `previous` (NULL: the first). */
static const struct model_order *next_offer(const struct model *model,
                                            const struct model_order *leg, uint8_t tier,
                                            const struct model_order *previous)
{
    const struct model_order *next = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *offer = &model->orders[i];
        if (!model_book_opposite(leg, offer) || contract_tier(offer->contract) != tier ||
            !model_book_within_limit(leg, offer->price_e4) ||
            (previous != NULL &&
             (offer->price_e4 < previous->price_e4 ||
              (offer->price_e4 == previous->price_e4 && offer->place <= previous->place)))) {
            continue;
        }
        if (next == NULL || offer->price_e4 < next->price_e4 ||
            (offer->price_e4 == next->price_e4 && offer->place < next->place)) {
            next = offer;
        }
    }
    return next;
}

/* Displayed in offers that the leg might take, whosever balance they would leave; *looks: so many may
 * still be looked at. */
static int64_t displayed(struct model *model, const struct model_order *leg, int64_t balance,
                         uint32_t *looks)
{
    int64_t sum = 0;
    for (uint8_t tier = 0; tier < TIER_COUNT; tier++) {
        const struct model_order *offer = next_offer(model, leg, tier, NULL);
        while (offer != NULL && *looks > 0 && sum < balance) {
            if (!model_book_same_group(model, leg, offer) &&
                model_due_over(model, offer) == REASON_NONE) {
                sum += model_book_shown(model, offer);
            }
            --*looks;
            offer = next_offer(model, leg, tier, offer);
        }
    }
    return sum < balance ? sum : balance;
}

void model_set_emit_miss(struct model *model, uint64_t set_id)
{
    const struct model_order *set = model_book_find(model, set_id);
    struct event_miss miss = {.order_id = set_id, .wanted_qty = set->leaves_qty};
    uint32_t looks = model_book_trial_orders(model);
    for (uint32_t i = 1; i <= SET_LEGS_MAX; i++) {
        const struct model_order *leg = model_book_find(model, model_leg_id(set_id, i));
        int64_t qty = leg == NULL ? 0 : displayed(model, leg, set->leaves_qty, &looks);
        if (qty > miss.qty) {
            miss.qty = qty;
            miss.contract = leg->contract;
            miss.leg = (uint8_t)i;
        }
    }
    struct event *event = model_emit_aside(model, EVENT_MISS, set->key, set->cl_ord_id);
    miss.party = event->party;
    event->miss = miss;
}
