/* Readings to load with: what meters of an estate say, made up, the same each run, as line protocol.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_READINGS_H
#define LINLI_MAIN_BENCH_READINGS_H

#include "base/err.h"

#define READINGS_METRICS 4

/* Every device speaks once a step, all in the same order: temperature (0.1 degree, wanders by one tenth), humidity
 * (0.1 %, wanders by up to 0.3), power (0.1 W, noise of +-20 W around a level that wanders), energy (0.01 kWh, a
 * counter).  fields 4: one line has the four of a device; 1: a line each. */
struct readings_plan {
    int64_t devices, steps, start_ms, step_ms;
    int fields; /* 1 or READINGS_METRICS */
};
struct readings {
    struct readings_plan plan;
    int64_t step, device; /* what comes next */
    uint64_t random;
    int64_t *state; /* of each series, in its smallest unit */
};
NODISCARD enum err readings_begin(struct readings *r, const struct readings_plan *plan, struct fault *f);
void readings_end(struct readings *r);
#define READINGS_LINE_MAX 512
/* Whole devices, until there are `values` or none are left; into `out`, which has READINGS_LINE_MAX bytes a device.
 * Gives how many values. */
size_t readings_put(struct readings *r, size_t values, char *out, size_t *ret_len);

#endif
