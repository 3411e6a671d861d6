/* Questions over one kept connection, one after the other, and how long each took.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_ASKING_H
#define LINLI_MAIN_BENCH_ASKING_H

#include "main/bench/pace.h"
#include "main/bench/target.h"

struct asking {
    const struct target *to;
    int fd;
    struct target_answer last;
    int64_t bytes; /* of the last body */
    struct latencies latencies;
};
/* most: questions whose latency is kept.  Ended with asking_end, whatever came of it. */
NODISCARD enum err asking_begin(struct asking *a, const struct target *to, size_t most, struct fault *f);
/* Anything but an answer of 200 is a fault, and so is one with an empty list. */
NODISCARD enum err asking_get(struct asking *a, const char *path, struct fault *f);
double asking_ms(struct asking *a, double percent); /* percentile of all so far */
void asking_end(struct asking *a);

#endif
