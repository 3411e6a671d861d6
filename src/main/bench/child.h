/* The server under load: a process of its own, so that its processor time is not the client's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_CHILD_H
#define LINLI_MAIN_BENCH_CHILD_H

#include "main/bench/bench.h"

#include <sys/types.h>

struct child {
    pid_t pid;
    int out;                        /* its standard output; -1: none */
    int port, fire_port, mqtt_port; /* 0: it has none */
};
/* Starts `linli serve` of this very program over dir, with what the bench was told of its store; waits for "ready".
 * http_port 0: a free one. */
NODISCARD enum err child_start(const char *dir, const struct bench_options *o, int http_port, struct child *ret,
                               struct fault *f);
void child_stop(struct child *c);              /* and waits; {0} is fine */
double child_cpu_s(const struct child *c);     /* processor time so far */
double child_memory_mb(const struct child *c); /* resident */
/* Blocking; a token to put behind "Bearer ". */
NODISCARD enum err child_log_in(const struct child *c, const char *user, const char *password, char ret[96],
                                struct fault *f);

#endif
