#include "gateway/settings.h"

#include <stdio.h>
#include <string.h>

#include "gateway/core/session.h"
#include "gateway/reads.h"
#include "wire/contract.h"
#include "wire/link.h"
#include "wire/units.h"

static bool is_loopback(const char *endpoint)
{
    static const char *const prefixes[] = {"tcp://127.",
                                           "tcp://localhost:", "tcp://[::1]:", "ipc://"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(endpoint, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

struct number_setting {
    const char *key;
    int64_t low;
    int64_t high;
    int64_t *value;
};

static int read_numbers(const struct config *config, const char *section,
                        struct gateway_settings *settings, struct error *error)
{
    const struct number_setting numbers[] = {
        {"heartbeat_interval_s", 1, 3600, &settings->heartbeat_interval_s},
        {"link_timeout_s", 1, 600, &settings->link_timeout_s},
        {"messages_per_second", 1, 100000000, &settings->messages_per_second},
        {"requests_per_second", 1, 100000000, &settings->requests_per_second},
        {"dry_runs_per_second", 0, 100000000, &settings->dry_runs_per_second},
        {"connections", 1, SESSION_PEERS_MAX, &settings->connections},
        {"reads_waiting", 1, READS_WAITING_MAX, &settings->reads_waiting},
        {"high_water", 1, 1000000, &settings->high_water},
        {"memory_mb", 0, 1000000, &settings->memory_mb},
        {"open_files", 64, 1000000, &settings->open_files},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int rc = config_int(config, section, numbers[i].key, numbers[i].low, numbers[i].high,
                            numbers[i].value, error);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int settings_read(struct gateway_settings *settings, const struct config *config, const char *name,
                  struct error *error)
{
    char section[sizeof "gateway." + LINK_NAME_SIZE];
    *settings = (struct gateway_settings){.curve = true,
                                          .heartbeat_interval_s = 30,
                                          .link_timeout_s = LINK_TIMEOUT_DEFAULT_NS / NS_PER_SECOND,
                                          .messages_per_second = 10000,
                                          .requests_per_second = 100000,
                                          .dry_runs_per_second = 10,
                                          .connections = 1024,
                                          .reads_waiting = 1024,
                                          .high_water = 1000,
                                          .memory_mb = 2048,
                                          .open_files = 8192};
    static const char *const keys[] = {"clients",
                                       "curve",
                                       "key",
                                       "link",
                                       "reads",
                                       "connections",
                                       "high_water",
                                       "heartbeat_interval_s",
                                       "link_timeout_s",
                                       "reads_waiting",
                                       "memory_mb",
                                       "messages_per_second",
                                       "requests_per_second",
                                       "dry_runs_per_second",
                                       "open_files",
                                       NULL};
    if (!contract_name_valid(name, strlen(name))) {
        return error_set(error, ERROR_INVALID,
                         "gateway name '%s': 1 .. %d letters, digits or '-', please", name,
                         LINK_NAME_SIZE - 1);
    }
    memcpy(settings->name, name, strlen(name));
    (void)snprintf(section, sizeof section, "gateway.%s", name);
    settings->clients = config_text(config, section, "clients", "tcp://127.0.0.1:*");
    settings->link = config_text(config, section, "link",
                                 config_text(config, "exchange", "link", "ipc://link.sock"));
    settings->reads = config_text(config, section, "reads",
                                  config_text(config, "replica", "reads", "ipc://reads.sock"));
    settings->key_path = config_text(config, section, "key", "keys/gateway.key");
    int rc = config_only(config, section, keys, error);
    if (rc == 0) {
        rc = config_bool(config, section, "curve", &settings->curve, error);
    }
    if (rc == 0) {
        rc = read_numbers(config, section, settings, error);
    }
    if (rc == 0 && !settings->curve && !is_loopback(settings->clients)) {
        rc = error_set(error, ERROR_INVALID,
                       "[%s] clients = %s: without CURVE a gateway listens on the loopback only; "
                       "use tcp://127.0.0.1:* or curve = yes",
                       section, settings->clients);
    }
    return rc;
}
