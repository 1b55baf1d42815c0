/* `kashi offer --hours`, `kashi set` and `kashi job`: orders of several hours or contracts, each one
 * request. They return an enum cli_status. One thread. */
#ifndef KASHI_CLIENT_COMMAND_MULTI_H
#define KASHI_CLIENT_COMMAND_MULTI_H

#include "client/cli.h"

int command_multi_range(struct cli *cli);
int command_multi_set(struct cli *cli);
int command_multi_job(struct cli *cli);

extern const struct arguments_option command_multi_set_options[];
extern const struct arguments_option command_multi_job_options[];
extern const char *const command_multi_set_hidden[];
extern const char *const command_multi_job_hidden[];

#endif
