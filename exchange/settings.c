#include "exchange/settings.h"

#include <inttypes.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "wire/frame.h"
#include "wire/link.h"

#define SECTION "exchange"
/* The largest frame fits a segment several times. */
#define SEGMENT_BYTES_MIN (INT64_C(1) << 20)
#define Z85_KEY_LENGTH    40

/* One of two words. */
static int read_choice(const struct config *config, const char *key, const char *first,
                       const char *second, bool *is_second, struct error *error)
{
    const char *word = config_text(config, SECTION, key, first);
    *is_second = strcmp(word, second) == 0;
    if (!*is_second && strcmp(word, first) != 0) {
        return error_set(error, ERROR_INVALID, "%s: [%s] %s = %s is neither %s nor %s",
                         config->path, SECTION, key, word, first, second);
    }
    return 0;
}

static int read_u32(const struct config *config, const char *section, const char *key, int64_t low,
                    int64_t high, uint32_t *number, struct error *error)
{
    int64_t wide = *number;
    int rc = config_int(config, section, key, low, high, &wide, error);
    *number = (uint32_t)wide;
    return rc;
}

static int read_clock(struct settings *settings, const struct config *config, struct error *error)
{
    if (read_choice(config, "clock", "real", "simulated", &settings->simulated, error) < 0) {
        return error->code;
    }
    const char *start = config_text(config, SECTION, "sim_start", "2026-11-21T00:00Z");
    if (!clock_parse_utc(start, &settings->sim_start_ns)) {
        return error_set(error, ERROR_INVALID,
                         "%s: [%s] sim_start = %s is not a time like 2026-11-21T00:00Z",
                         config->path, SECTION, start);
    }
    return 0;
}

static int read_journal(struct settings *settings, const struct config *config, struct error *error)
{
    bool os;
    int64_t segment_bytes = JOURNAL_SEGMENT_BYTES_DEFAULT;
    if (read_choice(config, "durability", "sync", "os", &os, error) < 0 ||
        config_int(config, SECTION, "segment_bytes", SEGMENT_BYTES_MIN, JOURNAL_SEGMENT_BYTES_MAX,
                   &segment_bytes, error) < 0) {
        return error->code;
    }
    if (segment_bytes % 4096 != 0) {
        return error_set(error, ERROR_INVALID,
                         "%s: [%s] segment_bytes = %" PRId64 " is not a multiple of 4096",
                         config->path, SECTION, segment_bytes);
    }
    settings->durability = os ? JOURNAL_OS : JOURNAL_SYNC;
    settings->segment_bytes = (uint64_t)segment_bytes;
    return 0;
}

static int read_tables(struct engine_config *tables, const struct config *config,
                       struct error *error)
{
    const int64_t large = 1 << 27;
    const int64_t small = 1 << 20;
    struct {
        const char *key;
        uint32_t *size;
        int64_t high;
    } sizes[] = {
        {"orders", &tables->orders, large},
        {"ladders", &tables->ladders, large},
        {"fills", &tables->fills, large},
        {"holdings", &tables->holdings, large},
        {"timers", &tables->timers, large},
        {"accounts", &tables->accounts, small},
        {"keys", &tables->keys, small},
        {"resources", &tables->resources, small},
        {"groups", &tables->groups, small},
        {"markets", &tables->markets, UINT16_MAX},
        {"auctions", &tables->auctions, small - 1},
        {"jobs", &tables->jobs, large},
    };
    engine_config_default(tables);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (read_u32(config, SECTION, sizes[i].key, 1, sizes[i].high, sizes[i].size, error) < 0) {
            return error->code;
        }
    }
    return 0;
}

static int read_genesis(struct command_genesis *genesis, const struct config *config,
                        struct error *error)
{
    const char *section = "genesis";
    *genesis = (struct command_genesis){
        .rules_version = SETTINGS_RULES_VERSION,
        .horizon_hours = 840,
        .gate_lead_s = 600,
        .bond_bp = 4000,
        .sweep_slice = 256,
        .rate_limit = 1000,
        .open_orders_limit = 10000,
        .trial_orders = TRIAL_ORDERS,
        .order_qty_limit = 100000,
    };
    struct {
        const char *key;
        uint32_t *value;
        int64_t low;
        int64_t high;
    } values[] = {
        {"horizon_hours", &genesis->horizon_hours, 1, 1000},
        {"gate_lead_s", &genesis->gate_lead_s, 0, 86399},
        {"bond_bp", &genesis->bond_bp, 0, BP_ONE},
        {"sweep_slice", &genesis->sweep_slice, 1, 1 << 20},
        {"rate_limit", &genesis->rate_limit, 1, UINT32_MAX},
        {"open_orders_limit", &genesis->open_orders_limit, 1, UINT32_MAX},
        {"trial_orders", &genesis->trial_orders, 1, 1 << 20},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (read_u32(config, section, values[i].key, values[i].low, values[i].high, values[i].value,
                     error) < 0) {
            return error->code;
        }
    }
    return config_int(config, section, "order_qty_limit", 1, QTY_MAX, &genesis->order_qty_limit,
                      error);
}

static int read_only_known(const struct config *config, struct error *error)
{
    static const char *const exchange[] = {
        "durability", "clock",     "sim_start", "segment_bytes", "link",    "mark",
        "spin_us",    "orders",    "ladders",   "fills",         "timers",  "link_timeout_ms",
        "holdings",   "resources", "accounts",  "groups",        "markets", "keys",
        "auctions",   "jobs",      NULL};
    static const char *const genesis[] = {"horizon_hours",   "gate_lead_s",  "bond_bp",
                                          "sweep_slice",     "rate_limit",   "open_orders_limit",
                                          "order_qty_limit", "trial_orders", NULL};
    int rc = config_only(config, SECTION, exchange, error);
    return rc < 0 ? rc : config_only(config, "genesis", genesis, error);
}

int settings_read(struct settings *settings, const struct config *config, struct error *error)
{
    memset(settings, 0, sizeof(*settings));
    settings->files = file_posix();
    int64_t link_timeout_ms = LINK_TIMEOUT_DEFAULT_NS / 1000000;
    int64_t spin_us = 20;
    if (read_only_known(config, error) < 0 || read_journal(settings, config, error) < 0 ||
        read_clock(settings, config, error) < 0 ||
        read_tables(&settings->tables, config, error) < 0 ||
        read_genesis(&settings->genesis, config, error) < 0 ||
        config_int(config, SECTION, "link_timeout_ms", 100, 600000, &link_timeout_ms, error) < 0 ||
        config_int(config, SECTION, "spin_us", 0, 1000000, &spin_us, error) < 0) {
        return error->code;
    }
    settings->link = config_text(config, SECTION, "link", "ipc://link.sock");
    settings->mark = config_text(config, SECTION, "mark", "ipc://mark.sock");
    settings->link_timeout_ns = link_timeout_ms * 1000000;
    settings->spin_ns = spin_us * 1000;
    return 0;
}

int settings_public_key(const char *path, uint8_t key[PUBLIC_KEY_SIZE], struct error *error)
{
    struct config config;
    if (config_load(&config, path, error) < 0) {
        return error->code;
    }
    const char *text;
    int rc = config_text_required(&config, "", "public", &text, error);
    if (rc == 0 && (strlen(text) != Z85_KEY_LENGTH || zmq_z85_decode(key, text) == NULL)) {
        rc = error_set(error, ERROR_INVALID,
                       "%s: public = %s is not a key of 40 Z85 characters; make one with `kashi "
                       "keygen`",
                       path, text);
    }
    config_free(&config);
    return rc;
}
