/* A market of its own for a benchmark: an instance folder under /tmp, the real programs of
 * build/release/bin started in it, ended and removed again. One thread. */
#ifndef KASHI_BENCH_INSTANCE_H
#define KASHI_BENCH_INSTANCE_H

#include <sys/types.h>

#include "base/endpoints.h"
#include "wire/codec.h"

#define INSTANCE_PROCESSES_MAX 8

struct instance_key {
    char public_text[CODEC_PUBLIC_KEY_TEXT + 1];
    char secret_text[CODEC_PUBLIC_KEY_TEXT + 1];
};

struct instance {
    char dir[64]; /* the working directory once it is made */
    char bin[4096];
    struct instance_key operator_key;
    struct instance_key gateway_key;
    uint32_t process_count;
    pid_t processes[INSTANCE_PROCESSES_MAX];
};

/* Makes the folder, its keys and kashi.ini with this text, and changes into it. `program`: argv[0],
 * beside whose folder bin/ is. Like all here it ends the program with a sentence when it fails. */
void instance_make(struct instance *instance, const char *program, const char *config);
void instance_key(struct instance_key *key);
/* Starts bin/kashi-PROGRAM --dir . [ARGUMENT] and waits until NAME.endpoints is there. */
void instance_start(struct instance *instance, const char *program, const char *argument,
                    const char *name);
/* Ends what was started, newest first, and removes the folder. */
void instance_end(struct instance *instance);

#endif
