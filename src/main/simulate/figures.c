/* Figures of a play: how long answers took.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void sim_sum_up(struct sim_figures *f, uint32_t *times_us, size_t n) {
    if (!n) return;
    qsort(times_us, n, sizeof *times_us, by_size);
    f->p50_us = times_us[(n - 1) / 2];
    f->p99_us = times_us[(n - 1) * 99 / 100];
    f->max_us = times_us[n - 1];
}
