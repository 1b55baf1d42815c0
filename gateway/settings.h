/* Section [gateway.NAME] of kashi.ini; kashi-gateway --help says what each key means. One thread. */
#ifndef KASHI_GATEWAY_SETTINGS_H
#define KASHI_GATEWAY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "wire/command.h"

struct gateway_settings {
    char name[LINK_NAME_SIZE];
    const char *clients; /* endpoint to bind */
    const char *link;    /* endpoints to connect to */
    const char *reads;
    const char *key_path; /* the gateway's own CURVE key */
    bool curve;
    int64_t heartbeat_interval_s;
    int64_t link_timeout_s;
    int64_t messages_per_second;
    int64_t requests_per_second;
    int64_t dry_runs_per_second;
    int64_t connections;
    int64_t reads_waiting;
    int64_t high_water; /* messages that may wait for one client, or from one */
    int64_t memory_mb;  /* 0: no limit */
    int64_t open_files;
};

/* Texts are the config's. A wrong value is ERROR_INVALID with a sentence. */
int settings_read(struct gateway_settings *settings, const struct config *config, const char *name,
                  struct error *error);

#endif
