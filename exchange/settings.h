/* What kashi.ini says about the exchange: section [exchange], and [genesis] for a market that does
 * not exist yet. Texts belong to the config and end with it. Read once, at the start. */
#ifndef KASHI_EXCHANGE_SETTINGS_H
#define KASHI_EXCHANGE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "exchange/journal.h"

#define SETTINGS_RULES_VERSION 1

struct settings {
    const struct file_system *files;    /* the real one; tests put another */
    enum journal_durability durability; /* durability = sync | os */
    uint64_t segment_bytes;             /* of journal segments made from now on */
    bool simulated;                     /* clock = real | simulated */
    int64_t sim_start_ns;               /* sim_start = 2026-11-21T00:00Z */
    const char *link;                   /* endpoints to bind */
    const char *mark;
    int64_t link_timeout_ns; /* link_timeout_ms: silence that loses a link */
    int64_t spin_ns;         /* spin_us: look for input this long before sleeping */
    struct engine_config tables;
    struct command_genesis genesis; /* without the operator's key */
};

/* Every key has a default. Errors name section, key, value and the remedy. */
int settings_read(struct settings *settings, const struct config *config, struct error *error);
/* The public half of a CURVE key file (`public = <40 characters of Z85>`). */
int settings_public_key(const char *path, uint8_t key[PUBLIC_KEY_SIZE], struct error *error);

#endif
