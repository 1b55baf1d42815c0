/* The gateway without its sockets: who is who, who may ask for what, which session is where, what
 * command a request becomes, and what a configuration may say. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "gateway/core/registry.h"
#include "gateway/core/session.h"
#include "gateway/core/translate.h"
#include "gateway/settings.h"
#include "wire/seal.h"
#include "wire/units.h"

static struct registry *registry;
static struct session_table *sessions;
static const struct session_limits limits = {.peers = 64,
                                             .messages_per_second = 3,
                                             .requests_per_second = 8,
                                             .dry_runs_per_second = 2,
                                             .reads_waiting = 2,
                                             .silence_ns = 30 * NS_PER_SECOND};

static void set_up(void)
{
    registry = calloc(1, sizeof *registry);
    sessions = calloc(1, sizeof *sessions);
    session_init(sessions, &limits);
}
static void tear_down(void)
{
    registry_sanity(registry);
    session_sanity(sessions);
    free(registry);
    free(sessions);
}
TestSuite(registry, .init = set_up, .fini = tear_down);
TestSuite(translate, .init = set_up, .fini = tear_down);
TestSuite(session, .init = set_up, .fini = tear_down);

/* --- registry ---------------------------------------------------------------------------------------- */

static struct event key_event(uint8_t type, uint32_t key)
{
    struct event event = {.head = {.type = type}};
    event.key.key = key;
    event.key.account = key + 100;
    event.key.roles = ROLE_BUYER;
    memset(event.key.public_key, (int)key, PUBLIC_KEY_SIZE);
    return event;
}

static void register_names(void)
{
    struct event event = {.head = {.type = EVENT_CLASS}, .class_ = {.class_id = 1, .name = "H100"}};
    cr_assert(registry_apply(registry, &event));
    event =
        (struct event){.head = {.type = EVENT_REGION}, .region = {.region_id = 2, .name = "CN-GZ"}};
    cr_assert(registry_apply(registry, &event));
}

Test(registry, finds_a_key_by_its_public_half)
{
    struct event event = key_event(EVENT_KEY, 5);
    cr_assert_eq(registry_find_key(registry, event.key.public_key), 0);
    cr_assert(registry_apply(registry, &event));
    cr_assert_eq(registry_find_key(registry, event.key.public_key), 5);
    cr_assert_eq(registry_key(registry, 5)->account, 105);
    cr_assert_null(registry_key(registry, 6));
}

Test(registry, knows_the_first_operator_from_the_genesis)
{
    struct event event = {.head = {.type = EVENT_GENESIS}, .party = {.key = 1, .account = 1}};
    memset(event.genesis.operator_key, 9, PUBLIC_KEY_SIZE);
    cr_assert(registry_apply(registry, &event));
    cr_assert_eq(registry_find_key(registry, event.genesis.operator_key), 1);
    cr_assert_eq(registry_key(registry, 1)->roles, ROLE_OPERATOR);
}

Test(registry, keeps_a_revoked_key_revoked_whatever_order_events_come_in)
{
    struct event key = key_event(EVENT_KEY, 5);
    struct event revoked = key_event(EVENT_KEY_REVOKED, 5);
    cr_assert(registry_apply(registry, &revoked));
    cr_assert(registry_apply(registry, &key));
    cr_assert_eq(registry_find_key(registry, key.key.public_key), 0);
    cr_assert_null(registry_key(registry, 5));
}

Test(registry, says_so_when_an_id_is_beyond_its_room)
{
    struct event event = key_event(EVENT_KEY, REGISTRY_KEYS_MAX);
    cr_assert(registry_apply(registry, &event));
    event = key_event(EVENT_KEY, REGISTRY_KEYS_MAX + 1);
    cr_assert_not(registry_apply(registry, &event));
    struct event region = {.head = {.type = EVENT_REGION},
                           .region = {.region_id = REGION_COUNT_MAX}};
    cr_assert_not(registry_apply(registry, &region));
}

Test(registry, finds_every_one_of_many_keys)
{
    struct random random;
    random_seed(&random, 7);
    for (uint32_t key = 1; key <= 20000; key++) {
        struct event event = key_event(EVENT_KEY, key);
        uint64_t word = random_next(&random);
        memcpy(event.key.public_key, &word, sizeof word);
        cr_assert(registry_apply(registry, &event));
        cr_assert_eq(registry_find_key(registry, event.key.public_key), key);
    }
    registry_sanity(registry); /* looks each of them up again */
}

Test(registry, reads_a_symbol_the_same_the_second_time)
{
    uint64_t first = 0;
    uint64_t second = 0;
    cr_assert_not(registry_contract(registry, "H100.CN-GZ.G80.20261121T14Z", &first));
    register_names();
    cr_assert(registry_contract(registry, "H100.CN-GZ.G80.20261121T14Z", &first));
    cr_assert(registry_contract(registry, "H100.CN-GZ.G80.20261121T14Z", &second));
    cr_assert_eq(first, second);
    cr_assert_eq(contract_class(first), 1);
    cr_assert_eq(contract_region(first), 2);
    cr_assert_eq(contract_tier(first), TIER_G80);
    cr_assert_not(registry_contract(registry, "H100.CN-GZ.G80.20261121T14", &first));
    cr_assert_not(registry_contract(registry, "", &first));
}

/* --- translate --------------------------------------------------------------------------------------- */

static uint16_t translate(const struct request *request, union command_slot *slots, uint32_t *count,
                          const char **field)
{
    static struct translation made;
    memset(&made, 0xa5, sizeof made);
    const uint16_t reason = translate_request(registry, request, 5, 3, &made);
    if (reason == 0) {
        memcpy(slots, made.slots, made.count * sizeof *slots);
        *count = made.count;
    }
    *field = made.field;
    return reason;
}

Test(translate, makes_a_sealed_command_of_an_order)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    uint32_t count = 0;
    const char *field = NULL;
    struct request request = {.type = REQUEST_NEW_ORDER,
                              .cl_ord_id = 9,
                              .new_order = {.symbol = "H100.CN-GZ.G80.20261121T14Z",
                                            .price_e4 = 164000,
                                            .qty = 8,
                                            .resource = 4,
                                            .side = SIDE_SELL,
                                            .tif = TIF_IOC,
                                            .stp = STP_DECREMENT,
                                            .post_only = 1}};
    register_names();
    cr_assert_eq(translate(&request, slots, &count, &field), 0);
    const struct command *command = &slots[0].command;
    cr_assert_eq(count, 1);
    cr_assert(seal_verify(command));
    cr_assert_eq(command->head.type, COMMAND_NEW_ORDER);
    cr_assert_eq(command->head.key, 5);
    cr_assert_eq(command->head.session, 3);
    cr_assert_eq(command->head.cl_ord_id, 9);
    cr_assert_eq(command->head.seq, 0);
    cr_assert_eq(command->new_order.price_e4, 164000);
    cr_assert_eq(command->new_order.flags, ORDER_POST_ONLY);
    cr_assert_eq(command->new_order.stp, STP_DECREMENT);
    cr_assert_eq(command->new_order.resource, 4);
}

Test(translate, refuses_a_symbol_that_is_not_registered_and_takes_its_neighbour)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    uint32_t count;
    const char *field;
    struct request request = {.type = REQUEST_NEW_ORDER,
                              .new_order = {.symbol = "H200.CN-GZ.G80.20261121T14Z"}};
    register_names();
    cr_assert_eq(translate(&request, slots, &count, &field), REASON_UNKNOWN_SYMBOL);
    cr_assert_str_eq(field, "symbol");
    request.new_order.symbol[1] = '1';
    cr_assert_eq(translate(&request, slots, &count, &field), 0);
}

Test(translate, refuses_a_region_that_is_not_registered_by_field)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    uint32_t count;
    const char *field;
    struct request request = {.type = REQUEST_HALT, .halt = {.region = "CN-XX"}};
    register_names();
    cr_assert_eq(translate(&request, slots, &count, &field), REASON_UNKNOWN_NAME);
    cr_assert_str_eq(field, "region");
    memcpy(request.halt.region, "CN-GZ", 6);
    cr_assert_eq(translate(&request, slots, &count, &field), 0);
    cr_assert_eq(slots[0].command.halt.filter, SCOPE_REGION);
    cr_assert_eq(slots[0].command.halt.region_id, 2);
}

Test(translate, gives_a_mass_cancel_the_filters_that_were_named)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    uint32_t count;
    const char *field;
    struct request request = {.type = REQUEST_MASS_CANCEL, .mass_cancel = {.class_name = "H100"}};
    register_names();
    request.mass_cancel.hour_from = 10;
    request.mass_cancel.hour_to = 20;
    cr_assert_eq(translate(&request, slots, &count, &field), 0);
    cr_assert_eq(slots[0].command.mass_cancel.filter, MASS_CANCEL_CLASS | MASS_CANCEL_HOURS);
    cr_assert_eq(slots[0].command.mass_cancel.class_id, 1);
    cr_assert_eq(slots[0].command.mass_cancel.hour_to, 20);
}

Test(translate, seals_both_slots_of_a_resource)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    uint32_t count = 0;
    const char *field;
    struct request request = {
        .type = REQUEST_REGISTER_RESOURCE,
        .register_resource = {
            .identifier = "1.2.156.3088", .class_name = "H100", .region = "CN-GZ", .gpus = 64}};
    register_names();
    cr_assert_eq(translate(&request, slots, &count, &field), 0);
    cr_assert_eq(count, 2);
    cr_assert(seal_verify(&slots[0].command));
    cr_assert_str_eq(slots[1].identity.identifier, "1.2.156.3088");
    slots[1].identity.identifier[0] = '2';
    cr_assert_not(seal_verify(&slots[0].command));
}

/* A SET whose legs have prices 1, 2, … in hours on end. */
static struct request make_set(struct leg_row legs[SET_LEGS_MAX], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        legs[i] = (struct leg_row){.symbol = "H100.CN-GZ.G80.20261121T14Z", .price_e4 = i + 1};
        hour_format(498686 + i, legs[i].symbol + 15);
    }
    return (struct request){.type = REQUEST_NEW_SET,
                            .cl_ord_id = 9,
                            .new_set = {.legs = legs,
                                        .leg_count = count,
                                        .qty = 64,
                                        .min_qty = 8,
                                        .stp = STP_DECREMENT,
                                        .post_only = 1}};
}

Test(translate, puts_eight_legs_to_a_slot_and_seals_them_all)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    struct leg_row legs[SET_LEGS_MAX];
    uint32_t count = 0;
    const char *field;
    static const uint32_t leg_counts[] = {1, 8, 9, 63, 64};
    static const uint32_t slot_counts[] = {2, 2, 3, 9, 9};
    register_names();
    for (int i = 0; i < 5; i++) {
        const struct request request = make_set(legs, leg_counts[i]);
        cr_assert_eq(translate(&request, slots, &count, &field), 0, "%s", field);
        const struct command *command = &slots[0].command;
        cr_assert_eq(count, slot_counts[i], "%u legs", leg_counts[i]);
        cr_assert_eq(command->head.slots, count);
        cr_assert_eq(command->new_set.leg_count, leg_counts[i]);
        cr_assert_eq(command->new_set.qty, 64);
        cr_assert_eq(command->new_set.min_qty, 8);
        cr_assert_eq(command->new_set.flags, ORDER_POST_ONLY);
        cr_assert_eq(command->new_set.stp, STP_DECREMENT);
        for (uint32_t leg = 0; leg < 8 * (count - 1); leg++) {
            const struct set_leg *put = &slots[1 + leg / 8].legs[leg % 8];
            const bool there = leg < leg_counts[i];
            cr_assert_eq(put->price_e4, there ? leg + 1 : 0);
            cr_assert_eq(put->contract, there ? contract_pack(1, 2, TIER_G80, 498686 + leg) : 0);
            cr_assert_eq(put->leg, 0);
        }
        cr_assert(seal_verify(command));
        slots[count - 1].bytes[5] ^= 1;
        cr_assert_not(seal_verify(command));
    }
}

Test(translate, names_the_leg_whose_symbol_is_not_registered)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    struct leg_row legs[SET_LEGS_MAX];
    uint32_t count;
    const char *field;
    const struct request request = make_set(legs, 64);
    register_names();
    legs[63].symbol[1] = '2';
    cr_assert_eq(translate(&request, slots, &count, &field), REASON_UNKNOWN_SYMBOL);
    cr_assert_str_eq(field, "legs[64].symbol");
    legs[2].symbol[1] = '2';
    cr_assert_eq(translate(&request, slots, &count, &field), REASON_UNKNOWN_SYMBOL);
    cr_assert_str_eq(field, "legs[3].symbol");
}

Test(translate, puts_eight_lanes_to_a_slot_and_a_factor_of_one_where_there_is_none)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    struct lane_row lanes[JOB_LANES_MAX];
    uint32_t count = 0;
    const char *field;
    for (uint32_t i = 0; i < JOB_LANES_MAX; i++) {
        lanes[i] = (struct lane_row){.class_name = "H100", .region = "CN-GZ", .tier = i % 4};
        lanes[i].factor_e4 = i == 1 ? 10500 : 0;
    }
    struct request request = {.type = REQUEST_NEW_JOB,
                              .cl_ord_id = 9,
                              .new_job = {.lanes = lanes,
                                          .lane_count = JOB_LANES_MAX,
                                          .price_e4 = 140000,
                                          .qty = 64,
                                          .hours = 8,
                                          .window_from = 498686,
                                          .window_to = 498710,
                                          .same_group = 77,
                                          .min_qty = 1,
                                          .display_qty = 2,
                                          .post_only = 1,
                                          .placement = PLACEMENT_SAME,
                                          .tif = TIF_FOK}};
    register_names();
    cr_assert_eq(translate(&request, slots, &count, &field), 0, "%s", field);
    cr_assert_eq(count, 5);
    cr_assert(seal_verify(&slots[0].command));
    const struct command_new_job *job = &slots[0].command.new_job;
    cr_assert(job->price_e4 == 140000 && job->qty == 64 && job->hours == 8);
    cr_assert(job->window_from == 498686 && job->window_to == 498710 && job->same_group == 77);
    cr_assert(job->placement == PLACEMENT_SAME && job->tif == TIF_FOK && job->lane_count == 32);
    /* The exchange refuses these by name, so it has to see them. */
    cr_assert(job->min_qty == 1 && job->display_qty == 2 && job->flags == ORDER_POST_ONLY);
    for (uint32_t i = 0; i < JOB_LANES_MAX; i++) {
        const struct job_lane *lane = &slots[1 + i / 8].lanes[i % 8];
        cr_assert(lane->class_id == 1 && lane->region_id == 2 && lane->tier == i % 4);
        cr_assert_eq(lane->factor_e4, i == 1 ? 10500 : 10000);
    }
    memcpy(lanes[31].region, "CN-XX", 6);
    cr_assert_eq(translate(&request, slots, &count, &field), REASON_UNKNOWN_NAME);
    cr_assert_str_eq(field, "lanes[32].region");
    memcpy(lanes[9].class_name, "H200", 5);
    cr_assert_eq(translate(&request, slots, &count, &field), REASON_UNKNOWN_NAME);
    cr_assert_str_eq(field, "lanes[10].class");
}

Test(translate, gives_a_range_and_an_offer_what_they_ask_for)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    uint32_t count;
    const char *field;
    struct request request = {.type = REQUEST_NEW_RANGE,
                              .new_range = {.symbol = "H100.CN-GZ.G80.20261121T14Z",
                                            .price_e4 = 131000,
                                            .qty = 8,
                                            .hours = 720,
                                            .resource = 4,
                                            .job_lead_hours = 48,
                                            .stp = STP_CANCEL_OLDEST,
                                            .post_only = 1}};
    register_names();
    cr_assert_eq(translate(&request, slots, &count, &field), 0);
    const struct command_new_range *range = &slots[0].command.new_range;
    cr_assert(count == 1 && range->contract == contract_pack(1, 2, TIER_G80, 498686));
    cr_assert(range->price_e4 == 131000 && range->qty == 8 && range->hours == 720);
    cr_assert(range->resource == 4 && range->job_lead_hours == 48);
    cr_assert(range->stp == STP_CANCEL_OLDEST && range->flags == ORDER_POST_ONLY);
    request.new_range.symbol[1] = '2';
    cr_assert_eq(translate(&request, slots, &count, &field), REASON_UNKNOWN_SYMBOL);
    cr_assert_str_eq(field, "symbol");
    request = (struct request){.type = REQUEST_NEW_ORDER,
                               .new_order = {.symbol = "H100.CN-GZ.G80.20261121T14Z",
                                             .display_qty = 8,
                                             .job_lead_hours = 48}};
    cr_assert_eq(translate(&request, slots, &count, &field), 0);
    cr_assert_eq(slots[0].command.new_order.display_qty, 8);
    cr_assert_eq(slots[0].command.new_order.job_lead_hours, 48);
    cr_assert_eq(slots[0].command.new_order.flags, 0);
}

Test(translate, lets_only_buyers_enter_sets_and_jobs)
{
    const struct request set = {.type = REQUEST_NEW_SET};
    const struct request dry_job = {.type = REQUEST_NEW_JOB, .new_job = {.dry_run = 1}};
    const struct request range = {.type = REQUEST_NEW_RANGE};
    cr_assert(translate_allowed(&set, ROLE_BUYER));
    cr_assert_not(translate_allowed(&set, ROLE_PROVIDER | ROLE_ANALYST | ROLE_OPERATOR));
    cr_assert(translate_allowed(&dry_job, ROLE_BUYER));
    cr_assert_not(translate_allowed(&dry_job, ROLE_PROVIDER | ROLE_ANALYST | ROLE_OPERATOR));
    cr_assert(translate_allowed(&range, ROLE_PROVIDER));
    cr_assert(translate_allowed(&range, ROLE_BUYER));
    cr_assert_not(translate_allowed(&range, ROLE_ANALYST | ROLE_OPERATOR));
}

Test(translate, knows_a_command_for_every_request_that_changes_something)
{
    union command_slot slots[TRANSLATE_SLOTS_MAX];
    uint32_t count;
    const char *field;
    int commands = 0;
    register_names();
    for (unsigned type = REQUEST_NEW_ORDER; type < REQUEST_HEARTBEAT; type++) {
        struct request request = {.type = (uint8_t)type};
        if (codec_request_name((uint8_t)type)[0] == 0) {
            continue;
        }
        if (type == REQUEST_NEW_ORDER) {
            memcpy(request.new_order.symbol, "H100.CN-GZ.G80.20261121T14Z", 28);
        }
        if (type == REQUEST_NEW_RANGE) {
            memcpy(request.new_range.symbol, "H100.CN-GZ.G80.20261121T14Z", 28);
        }
        cr_assert_eq(translate(&request, slots, &count, &field), 0, "%s",
                     codec_request_name((uint8_t)type));
        cr_assert_eq(slots[0].command.head.type, type);
        cr_assert(seal_verify(&slots[0].command));
        commands++;
    }
    cr_assert_eq(commands, 27);
}

Test(translate, lets_each_role_ask_for_its_own)
{
    const struct request order = {.type = REQUEST_NEW_ORDER};
    const struct request deposit = {.type = REQUEST_DEPOSIT};
    const struct request book = {.type = REQUEST_BOOK};
    struct request account = {.type = REQUEST_ACCOUNT};
    struct request list = {.type = REQUEST_LIST, .list = {.what = LIST_CLASSES}};
    cr_assert(translate_allowed(&order, ROLE_BUYER));
    cr_assert(translate_allowed(&order, ROLE_PROVIDER));
    cr_assert_not(translate_allowed(&order, ROLE_ANALYST | ROLE_OPERATOR));
    cr_assert(translate_allowed(&deposit, ROLE_OPERATOR));
    cr_assert_not(translate_allowed(&deposit, ROLE_BUYER | ROLE_PROVIDER | ROLE_ANALYST));
    cr_assert(translate_allowed(&book, ROLE_ANALYST));
    cr_assert(translate_allowed(&account, ROLE_BUYER));
    account.account.account = 3;
    cr_assert_not(translate_allowed(&account, ROLE_BUYER));
    cr_assert(translate_allowed(&account, ROLE_OPERATOR));
    cr_assert(translate_allowed(&list, ROLE_ANALYST));
    list.list.what = LIST_KEYS;
    cr_assert_not(translate_allowed(&list, ROLE_ANALYST));
    cr_assert(translate_allowed(&list, ROLE_OPERATOR));
}

/* --- sessions ---------------------------------------------------------------------------------------- */

static uint32_t connect(uint32_t address, uint32_t key)
{
    const uint32_t peer = session_admit(sessions, address, 0);
    if (peer != SESSION_NO_PEER) {
        sessions->peers[peer].key = key;
    }
    return peer;
}

Test(session, is_active_once_the_exchange_has_said_so)
{
    const uint32_t peer = connect(10, 5);
    cr_assert_not(session_is_active(sessions, peer));
    cr_assert_eq(session_begin(sessions, peer, 5, 1), SESSION_NO_PEER);
    cr_assert_not(session_is_active(sessions, peer));
    cr_assert_eq(session_reports_to(sessions, 5), SESSION_NO_PEER);
    cr_assert(session_done(sessions, 5, 1, 44));
    cr_assert(session_is_active(sessions, peer));
    cr_assert_eq(session_reports_to(sessions, 5), peer);
    cr_assert_eq(sessions->active_count, 1);
}

Test(session, takes_only_the_answer_to_the_latest_login)
{
    const uint32_t peer = connect(10, 5);
    session_begin(sessions, peer, 5, 1);
    session_begin(sessions, peer, 5, 2);
    cr_assert_not(session_done(sessions, 5, 1, 44));
    cr_assert(session_done(sessions, 5, 2, 45));
    cr_assert_not(session_done(sessions, 5, 2, 45));
}

Test(session, moves_to_the_connection_that_logged_in_last)
{
    const uint32_t first = connect(10, 5);
    const uint32_t second = connect(11, 5);
    session_begin(sessions, first, 5, 1);
    session_done(sessions, 5, 1, 44);
    cr_assert_eq(session_begin(sessions, second, 5, 2), first);
    cr_assert_not(session_is_active(sessions, first));
    cr_assert_eq(sessions->active_count, 0);
    session_done(sessions, 5, 2, 45);
    cr_assert(session_is_active(sessions, second));
    cr_assert_eq(session_reports_to(sessions, 5), second);
    session_forget(sessions, first);
    cr_assert(session_is_active(sessions, second));
}

Test(session, still_reports_while_the_logout_is_on_its_way)
{
    const uint32_t peer = connect(10, 5);
    cr_assert_not(session_leave(sessions, 5));
    session_begin(sessions, peer, 5, 1);
    cr_assert_not(session_leave(sessions, 5));
    session_done(sessions, 5, 1, 44);
    cr_assert(session_leave(sessions, 5));
    cr_assert_not(session_is_active(sessions, peer));
    cr_assert_eq(session_reports_to(sessions, 5), peer);
    cr_assert_eq(session_end(sessions, 5), peer);
    cr_assert_eq(session_reports_to(sessions, 5), SESSION_NO_PEER);
}

Test(session, finds_a_silent_peer_only_after_the_interval)
{
    const uint32_t peer = connect(10, 5);
    cr_assert_eq(session_silent(sessions, 0, limits.silence_ns), SESSION_NO_PEER);
    cr_assert_eq(session_silent(sessions, 0, limits.silence_ns + 1), peer);
    cr_assert_eq(session_admit(sessions, 10, limits.silence_ns), peer);
    cr_assert_eq(session_silent(sessions, 0, limits.silence_ns + 1), SESSION_NO_PEER);
}

Test(session, counts_messages_second_by_second)
{
    for (int second = 1; second <= 2; second++) {
        for (uint32_t i = 0; i < limits.messages_per_second; i++) {
            cr_assert(session_take_message(sessions, 5, 1, second * NS_PER_SECOND));
        }
        cr_assert_not(session_take_message(sessions, 5, 1, second * NS_PER_SECOND + 1));
        cr_assert(session_take_message(sessions, 6, 1, second * NS_PER_SECOND + 1));
    }
}

Test(session, counts_the_requests_of_a_message_not_the_message_alone)
{
    cr_assert(session_take_message(sessions, 5, limits.requests_per_second, NS_PER_SECOND));
    cr_assert_not(session_take_message(sessions, 5, 1, NS_PER_SECOND + 1));
    cr_assert_not(
        session_take_message(sessions, 5, limits.requests_per_second + 1, 2 * NS_PER_SECOND));
    cr_assert(session_take_message(sessions, 5, 5, 2 * NS_PER_SECOND));
    cr_assert_not(session_take_message(sessions, 5, 4, 2 * NS_PER_SECOND));
    cr_assert(session_take_message(sessions, 5, 3, 2 * NS_PER_SECOND));
}

Test(session, bounds_the_dry_runs_of_a_key_second_by_second)
{
    for (int second = 1; second <= 2; second++) {
        cr_assert(session_take_message(sessions, 5, 1, second * NS_PER_SECOND));
        for (uint32_t i = 0; i < limits.dry_runs_per_second; i++) {
            cr_assert(session_take_dry_run(sessions, 5));
        }
        cr_assert_not(session_take_dry_run(sessions, 5));
        cr_assert(session_take_message(sessions, 5, 1, second * NS_PER_SECOND + 1));
        cr_assert_not(session_take_dry_run(sessions, 5), "the second is not over");
    }
}

Test(session, bounds_the_reads_of_one_key)
{
    cr_assert(session_take_read(sessions, 5));
    cr_assert(session_take_read(sessions, 5));
    cr_assert_not(session_take_read(sessions, 5));
    cr_assert(session_take_read(sessions, 6));
    session_read_done(sessions, 5);
    cr_assert(session_take_read(sessions, 5));
}

Test(session, admits_no_more_connections_than_it_may)
{
    for (uint32_t address = 1; address <= limits.peers; address++) {
        cr_assert_neq(session_admit(sessions, address, 0), SESSION_NO_PEER);
    }
    cr_assert_eq(session_admit(sessions, 1000, 0), SESSION_NO_PEER);
    cr_assert_neq(session_admit(sessions, 1, 0), SESSION_NO_PEER);
    session_forget(sessions, session_find(sessions, 7));
    cr_assert_neq(session_admit(sessions, 1000, 0), SESSION_NO_PEER);
}

/* Connections come from whoever has any key; one key must not keep the others out. */
Test(session, lets_the_longest_silent_without_a_session_give_way)
{
    for (uint32_t address = 1; address <= limits.peers; address++) {
        cr_assert_eq(session_giving_way(sessions, 99), SESSION_NO_PEER);
        const uint32_t peer = session_admit(sessions, address, address);
        sessions->peers[peer].key = address;
    }
    session_begin(sessions, session_find(sessions, 1), 1, 1);
    cr_assert_eq(session_giving_way(sessions, 99), session_find(sessions, 2));
    for (uint32_t key = 2; key <= limits.peers; key++) {
        session_begin(sessions, session_find(sessions, key), key, 1);
    }
    cr_assert_eq(session_giving_way(sessions, 99), SESSION_NO_PEER, "all have sessions");
}

Test(session, bounds_the_connections_of_one_key)
{
    const struct session_limits wide = {.peers = SESSION_PEERS_MAX, .silence_ns = NS_PER_SECOND};
    session_init(sessions, &wide);
    cr_assert_neq(session_admit(sessions, 9999, 0), SESSION_NO_PEER);
    for (uint32_t i = 1; i <= SESSION_KEY_PEERS_MAX; i++) {
        cr_assert_eq(session_giving_way(sessions, 5), SESSION_NO_PEER);
        const uint32_t peer = session_admit(sessions, i, i);
        sessions->peers[peer].key = 5;
    }
    cr_assert_eq(session_giving_way(sessions, 5), session_find(sessions, 1));
    cr_assert_eq(session_giving_way(sessions, 6), SESSION_NO_PEER);
    cr_assert_eq(session_giving_way(sessions, 0), SESSION_NO_PEER);
}

Test(session, remembers_the_highest_command_that_was_reported)
{
    session_reported(sessions, 5, 9);
    session_reported(sessions, 5, 4);
    cr_assert_eq(sessions->keys[5].last_seq, 9);
}

/* A plain list beside the table: whoever it knows, the table finds, after any mixture of steps. */
Test(session, keeps_its_invariants_over_a_random_life)
{
    struct random random;
    const uint64_t seed = 20261121;
    random_seed(&random, seed);
    uint32_t key_of[256] = {0};
    for (int step = 0; step < 20000; step++) {
        const uint32_t address = 1 + (uint32_t)random_below(&random, 255);
        const uint32_t key = 1 + address % 40;
        const uint32_t peer = session_find(sessions, address);
        cr_assert_eq(peer != SESSION_NO_PEER, key_of[address] != 0, "seed %" PRIu64 " step %d",
                     seed, step);
        const struct session_key *state = &sessions->keys[key];
        switch (random_below(&random, 5)) {
        case 0:
            if (peer == SESSION_NO_PEER && connect(address, key) != SESSION_NO_PEER) {
                key_of[address] = key;
            }
            break;
        case 1:
            if (peer != SESSION_NO_PEER) {
                session_begin(sessions, peer, key, (uint64_t)step);
            }
            break;
        case 2:
            session_done(sessions, key, state->nonce, 1);
            break;
        case 3:
            session_leave(sessions, key);
            break;
        default:
            if (peer != SESSION_NO_PEER) {
                if (state->peer == peer) {
                    session_end(sessions, key);
                }
                session_forget(sessions, peer);
                key_of[address] = 0;
            }
            break;
        }
        if (step % 100 == 0) {
            session_sanity(sessions);
        }
    }
}

/* --- settings ---------------------------------------------------------------------------------------- */

static int read_settings(const char *text, const char *name, struct gateway_settings *settings,
                         struct error *error)
{
    static struct config config;
    char path[] = "/tmp/kashi-settings.XXXXXX";
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(file);
    config_free(&config);
    cr_assert_eq(config_load(&config, path, error), 0, "%s", error->text);
    (void)unlink(path);
    const int rc = settings_read(settings, &config, name, error);
    if (rc < 0) {
        config_free(&config);
    }
    return rc;
}

Test(settings, needs_no_configuration)
{
    struct gateway_settings settings;
    struct error error;
    cr_assert_eq(read_settings("[exchange]\nlink = ipc://x\n", "1", &settings, &error), 0);
    cr_assert(settings.curve);
    cr_assert_str_eq(settings.clients, "tcp://127.0.0.1:*");
    cr_assert_str_eq(settings.link, "ipc://x");
    cr_assert_str_eq(settings.reads, "ipc://reads.sock");
    cr_assert_eq(settings.heartbeat_interval_s, 30);
}

Test(settings, listens_beyond_the_loopback_with_curve_only)
{
    struct gateway_settings settings;
    struct error error;
    cr_assert_eq(
        read_settings("[gateway.1]\nclients = tcp://0.0.0.0:5000\n", "1", &settings, &error), 0);
    cr_assert_eq(read_settings("[gateway.1]\nclients = tcp://127.0.0.1:5000\ncurve = no\n", "1",
                               &settings, &error),
                 0);
    cr_assert_not(settings.curve);
    cr_assert_eq(read_settings("[gateway.1]\nclients = tcp://0.0.0.0:5000\ncurve = no\n", "1",
                               &settings, &error),
                 ERROR_INVALID);
    cr_assert_not_null(strstr(error.text, "tcp://0.0.0.0:5000"));
}

Test(settings, refuses_a_name_that_does_not_fit_a_link)
{
    struct gateway_settings settings;
    struct error error;
    cr_assert_eq(read_settings("", "exactly15-chars", &settings, &error), 0);
    cr_assert_eq(read_settings("", "exactly-16-chars", &settings, &error), ERROR_INVALID);
    cr_assert_eq(read_settings("", "", &settings, &error), ERROR_INVALID);
    cr_assert_eq(read_settings("", "a/b", &settings, &error), ERROR_INVALID);
}

Test(settings, refuses_a_number_out_of_range)
{
    struct gateway_settings settings;
    struct error error;
    cr_assert_eq(read_settings("[gateway.1]\nconnections = 4096\n", "1", &settings, &error), 0);
    cr_assert_eq(settings.connections, 4096);
    cr_assert_eq(read_settings("[gateway.1]\nconnections = 4097\n", "1", &settings, &error),
                 ERROR_INVALID);
}
