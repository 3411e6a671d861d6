/* Pace and figures of a load, without clock or socket: when each request is due, how long each took.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_PACE_H
#define LINLI_MAIN_BENCH_PACE_H

#include "base/base.h"

/* An open loop: requests are due by the clock, whatever the answers do, and each is measured from the moment it was
 * due.  A server that stalls is charged for every request that would have come meanwhile, not for one. */
struct pace {
    int64_t begin_us;
    double rate; /* a second */
    size_t n;    /* in all */
    size_t taken;
};
int64_t pace_due_us(const struct pace *p, size_t i);
/* Takes the next request when it is due, in order; false when it is not yet, or none is left. */
bool pace_take(struct pace *p, int64_t now_us, size_t *ret);

/* Every latency is kept, so that a percentile is one that was measured. */
struct latencies {
    int64_t *us;
    size_t n, cap;
};
NODISCARD bool latencies_init(struct latencies *l, size_t cap);
void latencies_free(struct latencies *l);
void latencies_add(struct latencies *l, int64_t us); /* past cap: dropped */
/* The smallest measured value that at least `percent` of all do not exceed (nearest rank); 0 when there is none. */
int64_t latencies_percentile(struct latencies *l, double percent);

#endif
