/* Readings sent as fast as they are answered.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_SENDING_H
#define LINLI_MAIN_BENCH_SENDING_H

#include "main/bench/pace.h"
#include "main/bench/readings.h"
#include "main/bench/target.h"

/* Requests made beforehand, so that making them costs the server no time. {0} is one without any. */
struct sending {
    struct request {
        char *bytes;
        size_t n;
    } * requests;
    size_t n;
    int64_t values;
    struct latencies latencies;
};
/* What comes next of them, in at most so many requests; lines: of one request. */
NODISCARD enum err sending_make(struct sending *s, const struct target *to, struct readings *from, int64_t lines,
                                size_t most, struct fault *f);
/* All of them. */
NODISCARD enum err sending_make_all(struct sending *s, const struct target *to, const struct readings_plan *plan,
                                    int64_t lines, struct fault *f);
/* The lines of a file. */
NODISCARD enum err sending_read(struct sending *s, const struct target *to, const char *path, int64_t lines,
                                struct fault *f);
/* Over one connection, each after the answer to the one before. */
NODISCARD enum err sending_run(struct sending *s, const struct target *to, struct fault *f);
void sending_free(struct sending *s);

#endif
