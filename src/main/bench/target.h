/* Whom readings are sent to and asked of: a server of the bench's own, or another one on this machine.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_TARGET_H
#define LINLI_MAIN_BENCH_TARGET_H

#include "main/bench/bench.h"
#include "main/bench/child.h"

struct target {
    char password[33];          /* of the log-ins of fill.h; a peer has none */
    char write[256], token[96]; /* where readings are posted; absent token: nobody is asked who he is */
    int port;
    struct child child; /* of the server; only its number where it is a peer */
    bool is_peer;
};
/* options->to says that it is a peer: "PORT/path".  Ours is filled with an estate of so many meters first. */
NODISCARD enum err target_open(struct target *t, const struct bench_options *o, const char *dir, int64_t meters,
                               struct fault *f);
void target_close(struct target *t);
double target_cpu_s(const struct target *t);
/* Ours, stopped and started again over the same folder: how long from its start to ready. */
NODISCARD enum err target_restart(struct target *t, const struct bench_options *o, const char *dir, double *ret_ms,
                                  struct fault *f);
/* Until nothing of our own server's readings changes any more, for at most so long: what can be sealed is. */
NODISCARD enum err target_settle(const struct target *t, int most_s, struct fault *f);
/* Figures of our own server's /metrics. */
NODISCARD enum err target_metric(const struct target *t, const char *const *names, size_t n, double *ret,
                                 struct fault *f);

/* ---- one kept connection, one request at a time ---- */
int target_dial(const struct target *t); /* -1: nobody listens */
/* Head of a request, credentials included; gives its length.  type NULL: no body. */
size_t target_head(const struct target *t, const char *method, const char *path, const char *type, size_t body_len,
                   char *out, size_t cap);
/* Sends the bytes and reads the whole answer.  Gives the status (0: none came) and the length of the body; `say` gets
 * the beginning of it. */
struct target_answer {
    int status;
    size_t body_len;
    char say[320];
};
void target_ask(int fd, const char *bytes, size_t n, struct target_answer *ret);

#endif
