#include "settlement/core/ledger.h"

#include "wire/units.h"

static void money_line(struct ledger_transaction *transaction, uint8_t kind, uint32_t account,
                       int64_t amount_e4)
{
    if (amount_e4 != 0) {
        transaction->lines[transaction->count++] = (struct ledger_posting){
            .amount = amount_e4, .account = account, .unit = LEDGER_CNY_E4, .kind = kind};
    }
}

static void gpu_hours_lines(struct ledger_transaction *transaction, const struct event_trade *trade)
{
    struct ledger_posting line = {
        .resource = trade->resource, .hour = contract_hour(trade->contract), .unit = LEDGER_GPUH};
    bool own = trade->source_tier == SOURCE_OWN;
    line.amount = -trade->qty;
    line.account = trade->seller;
    line.kind = own ? LEDGER_CAPACITY : LEDGER_HOLDING;
    line.tier = own ? trade->offer_tier : trade->source_tier;
    transaction->lines[transaction->count++] = line;
    line.amount = trade->qty;
    line.account = trade->buyer;
    line.kind = LEDGER_HOLDING;
    line.tier = contract_tier(trade->contract);
    transaction->lines[transaction->count++] = line;
}

bool ledger_trade(const struct event_trade *trade, struct ledger_transaction *transaction)
{
    int64_t notional_e4;
    int64_t paid_e4;
    transaction->count = 0;
    if (trade->price_e4 <= 0 || trade->qty <= 0 || trade->buy_fee_e4 < 0 || trade->bond_e4 < 0 ||
        !money_mul(trade->price_e4, trade->qty, &notional_e4) ||
        !money_add(notional_e4, trade->buy_fee_e4, &paid_e4)) {
        return false;
    }
    money_line(transaction, LEDGER_CASH, trade->buyer, -paid_e4);
    money_line(transaction, LEDGER_ESCROW, trade->buyer, notional_e4);
    money_line(transaction, LEDGER_FEES, trade->buyer, trade->buy_fee_e4);
    money_line(transaction, LEDGER_PLEDGE, trade->seller, -trade->bond_e4);
    money_line(transaction, LEDGER_BOND, trade->seller, trade->bond_e4);
    gpu_hours_lines(transaction, trade);
    return true;
}

bool ledger_cash(const struct event_cash *cash, struct ledger_transaction *transaction)
{
    transaction->count = 0;
    if (cash->amount_e4 == INT64_MIN) {
        return false;
    }
    money_line(transaction, LEDGER_BANK, cash->account, -cash->amount_e4);
    money_line(transaction, LEDGER_CASH, cash->account, cash->amount_e4);
    return true;
}

enum ledger_order ledger_follow(struct ledger_place *place, const struct event_head *head)
{
    uint64_t seq = place->index == 0 ? place->seq + 1 : place->seq;
    if (head->seq < seq || (head->seq == seq && head->index < place->index)) {
        return LEDGER_OLD;
    }
    if (head->seq > seq || head->index > place->index || head->time_ns < place->time_ns) {
        return LEDGER_GAP;
    }
    place->seq = seq;
    place->index = (head->flags & EVENT_LAST) != 0 ? 0 : head->index + 1;
    place->time_ns = head->time_ns;
    return LEDGER_NEXT;
}

bool ledger_between_commands(const struct ledger_place *place)
{
    return place->index == 0;
}
