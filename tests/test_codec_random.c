/* The fuzz target under `make test`: random and mutated messages from a stated seed, no libFuzzer. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/fuzz_codec.c"

#define ROUNDS 200000

/* Random bytes, in which texts are texts: a third of them letters, the others ends. */
static void make_noise(struct random *random, void *to, size_t size)
{
    uint8_t *raw = to;
    for (size_t at = 0; at < size; at++) {
        raw[at] = random_below(random, 3) == 0 ? (uint8_t)(32 + random_below(random, 90)) : 0;
    }
}

/* Legs and lanes of random number, now and then one too many or none. */
static void make_rows(struct random *random, struct request *request)
{
    static struct leg_row legs[SET_LEGS_MAX];
    static struct lane_row lanes[JOB_LANES_MAX];
    if (request->type == REQUEST_NEW_SET) {
        request->new_set.leg_count =
            (uint32_t)(random_below(random, 8) == 0 ? SET_LEGS_MAX : random_below(random, 4));
        make_noise(random, legs, request->new_set.leg_count * sizeof legs[0]);
        request->new_set.legs = legs;
    } else if (request->type == REQUEST_NEW_JOB) {
        request->new_job.lane_count =
            (uint32_t)(random_below(random, 8) == 0 ? JOB_LANES_MAX : random_below(random, 4));
        make_noise(random, lanes, request->new_job.lane_count * sizeof lanes[0]);
        for (uint32_t i = 0; i < request->new_job.lane_count; i++) {
            lanes[i].tier = (uint8_t)random_below(random, TIER_COUNT);
        }
        request->new_job.lanes = lanes;
    }
    if (codec_request_is_dry(request) && random_below(random, 8) != 0) {
        request->cl_ord_id = 0;
    } else if (codec_request_rows_size(request) > 0 && random_below(random, 8) != 0) {
        request->ref = 0;
        request->cl_ord_id |= 1;
    }
}

static size_t make_message(struct random *random, uint8_t *bytes, size_t capacity)
{
    struct request request;
    size_t length = 0;
    const uint16_t count = (uint16_t)(1 + random_below(random, 3));
    if (count > 1) {
        length = codec_encode_array_head(count, bytes, capacity);
    }
    for (uint16_t i = 0; i < count; i++) {
        make_noise(random, &request, sizeof request);
        do {
            request.type = (uint8_t)random_below(random, REQUEST_TYPE_COUNT);
        } while (codec_table_request(request.type) == NULL);
        make_rows(random, &request);
        length += codec_encode_request(&request, bytes + length, capacity - length);
    }
    return length;
}

static size_t mutate(struct random *random, uint8_t *bytes, size_t length)
{
    const uint64_t changes = random_below(random, 4);
    for (uint64_t i = 0; i < changes && length > 0; i++) {
        const size_t at = random_below(random, length);
        switch (random_below(random, 4)) {
        case 0:
            bytes[at] = (uint8_t)random_next(random);
            break;
        case 1:
            bytes[at] = (uint8_t)(bytes[at] ^ 1U << random_below(random, 8));
            break;
        case 2:
            length = at;
            break;
        default:
            memmove(bytes + at, bytes + at + 1, length - at - 1);
            length--;
            break;
        }
    }
    return length;
}

Test(codec_random, agrees_with_msgpack_c_on_random_and_mutated_messages)
{
    const char *given = getenv("KASHI_SEED");
    const uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    struct random random;
    random_seed(&random, seed);
    cr_log_info("seed %" PRIu64 " (set KASHI_SEED for another)", seed);
    for (int round = 0; round < ROUNDS; round++) {
        static uint8_t bytes[32768];
        size_t length = make_message(&random, bytes, sizeof bytes);
        length = mutate(&random, bytes, length);
        /* An exact copy, so that a read beyond the end is seen. */
        uint8_t *exact = malloc(length + 1);
        memcpy(exact + 1, bytes, length);
        LLVMFuzzerTestOneInput(exact + 1, length);
        free(exact);
    }
}
