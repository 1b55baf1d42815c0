#include "exchange/reads_quote.h"

#include <string.h>

#include "wire/enter.h"

static void put_symbol(const struct replica *replica, uint64_t contract, char symbol[SYMBOL_SIZE])
{
    if (contract != 0) {
        (void)contract_format(&replica->registry.names, contract, symbol);
    }
}

/* Whether it got so far that how near it came says something. */
static bool is_tried(uint16_t reason)
{
    return reason == REASON_NONE || reason == REASON_FOK_NOT_FILLED ||
           reason == REASON_MIN_QTY_NOT_MET || reason == REASON_JOB_NOT_FILLED;
}

static void put_quote(const struct replica *replica, const struct request *request,
                      const struct engine_quote *quote, struct quote_answer *answer)
{
    *answer = (struct quote_answer){.ref = request->ref,
                                    .seq = replica_seq(replica),
                                    .time_ns = engine_time_ns(replica->engine),
                                    .fill_qty = quote->qty,
                                    .notional_e4 = quote->notional_e4,
                                    .fee_e4 = quote->fee_e4,
                                    .reserved_e4 = quote->reserved_e4,
                                    .price_e4 = quote->price_e4,
                                    .value = quote->value,
                                    .bound = quote->bound,
                                    .miss_qty = quote->miss_qty,
                                    .resource = quote->resource,
                                    .reason = quote->reason,
                                    .request = request->type,
                                    .leg = quote->leg,
                                    .miss_leg = quote->miss_leg};
    const bool set = request->type == REQUEST_NEW_SET;
    const bool whole = set ? quote->qty == request->new_set.qty : quote->qty > 0;
    if (!set && quote->qty > 0) {
        answer->hour = contract_hour(quote->contract);
    }
    if (!whole && is_tried(quote->reason)) {
        answer->miss_wanted_qty = set ? request->new_set.qty : request->new_job.qty;
    }
    put_symbol(replica, quote->contract, answer->symbol);
    put_symbol(replica, quote->miss_contract, answer->miss_symbol);
}

void reads_quote(const struct replica *replica, const struct reads_asker *asker,
                 const struct request *request, struct message *message)
{
    union command_slot slots[ENTER_SLOTS_MAX];
    char field[CODEC_FIELD_SIZE];
    struct command *command = &slots[0].command;
    const struct contract_names *names = &replica->registry.names;
    const bool set = request->type == REQUEST_NEW_SET;
    memset(slots, 0, sizeof(slots));
    command->head = (struct command_head){.key = asker->key, .type = request->type};
    const uint16_t reason = set ? enter_set(names, &request->new_set, slots, field)
                                : enter_job(names, &request->new_job, slots, field);
    if (reason != 0) {
        reads_reject(request, reason, message);
        memcpy(message->reject.field, field, CODEC_FIELD_SIZE);
        return;
    }
    struct engine_quote quote;
    if (!(set ? engine_quote_set(replica->engine, command, &quote)
              : engine_quote_job(replica->engine, command, &quote))) {
        reads_reject(request, REASON_UNKNOWN_KEY, message);
        return;
    }
    message->type = MESSAGE_QUOTE;
    put_quote(replica, request, &quote, &message->quote);
}
