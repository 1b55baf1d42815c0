#include "tests/reads_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "exchange/reads.h"
#include "wire/tape.h"

struct command *reads_world_begin(struct reads_world *world, uint32_t key, uint8_t type)
{
    memset(world->slots, 0, sizeof(world->slots));
    struct command *command = &world->slots[0].command;
    command->head = (struct command_head){.seq = replica_seq(&world->replica) + 1,
                                          .time_ns = world->time_ns += 1000000,
                                          .key = key,
                                          .link = 1,
                                          .type = type,
                                          .slots = 1};
    if (key != 0 && type != COMMAND_LOGIN) {
        command->head.session = 1;
        command->head.cl_ord_id = ++world->cl_ord_ids[key];
    }
    return command;
}

void reads_world_end(struct reads_world *world)
{
    cr_assert(replica_apply(&world->replica, world->slots, world->slots[0].command.head.slots,
                            &world->error) == 0,
              "%s", world->error.text);
}

void reads_world_put_text(char *to, size_t size, const char *text)
{
    CHECK(strlen(text) < size);
    memcpy(to, text, strlen(text));
}

static void log_in(struct reads_world *world, uint32_t key)
{
    reads_world_begin(world, key, COMMAND_LOGIN);
    reads_world_end(world);
}

static void open_account(struct reads_world *world, const char *name, uint8_t roles)
{
    struct command *command = reads_world_begin(world, 1, COMMAND_REGISTER_GROUP);
    reads_world_put_text(command->register_group.name, LABEL_SIZE, name);
    reads_world_end(world);
    uint32_t account = engine_account_count(world->replica.engine) + 1;
    command = reads_world_begin(world, 1, COMMAND_OPEN_ACCOUNT);
    reads_world_put_text(command->open_account.name, LABEL_SIZE, name);
    command->open_account.group = account;
    command->open_account.roles = roles;
    reads_world_end(world);
    command = reads_world_begin(world, 1, COMMAND_DEPOSIT);
    command->cash.account = account;
    command->cash.amount_e4 = INT64_C(1000000000000);
    reads_world_end(world);
}

static void add_key(struct reads_world *world, uint32_t account, uint8_t roles)
{
    uint32_t key = engine_key_count(world->replica.engine) + 1;
    struct command *command = reads_world_begin(world, 1, COMMAND_REGISTER_KEY);
    command->register_key.public_key[0] = (uint8_t)key;
    command->register_key.account = account;
    command->register_key.roles = roles;
    reads_world_end(world);
    log_in(world, key);
}

static void open_lane(struct reads_world *world)
{
    struct command *command = reads_world_begin(world, 1, COMMAND_REGISTER_CLASS);
    reads_world_put_text(command->register_class.name, NAME_SIZE, "H100");
    command->register_class.lot = 1;
    reads_world_end(world);
    command = reads_world_begin(world, 1, COMMAND_REGISTER_REGION);
    reads_world_put_text(command->register_region.name, NAME_SIZE, "CN-GZ");
    reads_world_end(world);
    command = reads_world_begin(world, 1, COMMAND_SET_MARKET);
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        command->set_market.launch_price_e4[tier] = READS_WORLD_PRICE_E4;
    }
    command->set_market.inner_band_bp = 9000;
    command->set_market.outer_band_bp = 9000;
    command->set_market.mode = MODE_CONTINUOUS;
    reads_world_end(world);
}

struct reads_world *reads_world_new(void)
{
    struct reads_world *world = calloc(1, sizeof(*world));
    CHECK(world);
    uint64_t seed = (uint64_t)clock_realtime_ns();
    cr_log_info("seed %lu", seed);
    random_seed(&world->random, seed);
    world->time_ns = READS_WORLD_START_NS;
    snprintf(world->folder, sizeof(world->folder), "/tmp/kashi-reads-XXXXXX");
    CHECK(mkdtemp(world->folder));
    struct engine_config tables;
    engine_config_default(&tables);
    cr_assert(replica_open(&world->replica, world->folder, &tables, NULL, NULL, &world->error) == 0,
              "%s", world->error.text);
    struct command *command = reads_world_begin(world, 0, COMMAND_GENESIS);
    command->genesis = (struct command_genesis){.rules_version = 1,
                                                .horizon_hours = 840,
                                                .gate_lead_s = 600,
                                                .bond_bp = 4000,
                                                .sweep_slice = 256,
                                                .rate_limit = 1000000,
                                                .open_orders_limit = 10000,
                                                .order_qty_limit = 100000,
                                                .operator_key = {1}};
    reads_world_end(world);
    command = reads_world_begin(world, 0, COMMAND_LINK_UP);
    reads_world_put_text(command->link.name, LINK_NAME_SIZE, "test");
    reads_world_end(world);
    log_in(world, 1);
    open_lane(world);
    open_account(world, "provider", ROLE_PROVIDER);
    open_account(world, "buyer", ROLE_BUYER);
    open_account(world, "other", ROLE_BUYER);
    add_key(world, 2, ROLE_PROVIDER);
    add_key(world, 3, ROLE_BUYER);
    add_key(world, 3, ROLE_BUYER);
    add_key(world, 4, ROLE_BUYER);
    command = reads_world_begin(world, 1, COMMAND_REGISTER_RESOURCE);
    command->head.slots = 2;
    command->register_resource.account = 2;
    command->register_resource.gpus = 1000000;
    command->register_resource.tier = TIER_G100;
    reads_world_put_text(command->register_resource.node, LABEL_SIZE, "guizhou");
    reads_world_put_text(world->slots[1].identity.identifier, IDENTIFIER_SIZE, "resource-1");
    reads_world_end(world);
    return world;
}

void reads_world_free(struct reads_world *world)
{
    replica_close(&world->replica);
    char path[TAPE_PATH_SIZE];
    CHECK(tape_segment_path(world->folder, 1, path, &world->error) == 0);
    unlink(path);
    rmdir(world->folder);
    free(world);
}

/* The order's id, 0 when it was refused. */
static uint64_t last_order(const struct reads_world *world, uint32_t key)
{
    uint64_t position;
    struct event event;
    uint32_t got;
    struct error error;
    cr_assert(status_request(world->replica.status, key, world->cl_ord_ids[key], &position) ==
              STATUS_REQUEST_FOUND);
    cr_assert(tape_store_read(world->replica.store, position, 1, &event, &got, &error) == 0);
    return event.head.type == EVENT_NEW ? event.new_order.order_id : 0;
}

uint64_t reads_world_order(struct reads_world *world, uint32_t key, uint8_t tier, int64_t price_e4,
                           int64_t qty)
{
    struct command *command = reads_world_begin(world, key, COMMAND_NEW_ORDER);
    command->new_order.contract = contract_pack(0, 0, tier, READS_WORLD_HOUR);
    command->new_order.price_e4 = price_e4;
    command->new_order.qty = qty;
    command->new_order.side = key == 2 ? SIDE_SELL : SIDE_BUY;
    command->new_order.resource = key == 2 ? 1 : 0;
    reads_world_end(world);
    return last_order(world, key);
}

void reads_world_cancel(struct reads_world *world, uint32_t key, uint64_t order_id)
{
    struct command *command = reads_world_begin(world, key, COMMAND_CANCEL_ORDER);
    command->cancel_order.order_id = order_id;
    reads_world_end(world);
}

const struct message *reads_world_ask(struct reads_world *world, uint32_t key,
                                      const struct request *request)
{
    struct engine_key state;
    CHECK(engine_key(world->replica.engine, key, &state));
    static uint64_t memory[CODEC_ROWS_BYTES_MAX / sizeof(uint64_t)];
    struct codec_rows rows = {.memory = memory, .size = sizeof(memory)};
    struct reads_asker asker = {
        .rows = &rows, .key = key, .account = state.account, .roles = state.roles};
    memset(&world->message, 0xa5, sizeof(world->message));
    cr_assert(reads_answer(&world->replica, &asker, request, &world->message, &world->error) == 0,
              "%s", world->error.text);
    uint8_t bytes[CODEC_MESSAGE_MAX];
    cr_assert(codec_encode_message(&world->message, bytes, sizeof(bytes)) > 0);
    return &world->message;
}

const struct message *reads_world_ask_status(struct reads_world *world, uint32_t key,
                                             uint64_t order_id, uint64_t cl_ord_id)
{
    struct request request = {.type = REQUEST_ORDER_STATUS, .ref = 77};
    request.order_status.order_id = order_id;
    request.order_status.cl_ord_id = cl_ord_id;
    return reads_world_ask(world, key, &request);
}

void reads_world_expect_reject(const struct message *message, uint16_t reason)
{
    cr_assert(message->type == MESSAGE_REJECT && message->reject.reason == reason,
              "type %u, reason %s", message->type,
              message->type == MESSAGE_REJECT ? reason_name(message->reject.reason) : "none");
}
