/* Figures as Prometheus reads them (text format 0.0.4).  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_PROMETHEUS_H
#define LINLI_BASE_PROMETHEUS_H

#include "base/base.h"

struct figure {
    const char *name; /* behind the prefix */
    const char *type; /* "counter" or "gauge" */
    int64_t value;
    const char *help; /* NULL: none */
};
void prometheus_figures(struct buf *b, const char *prefix, const struct figure *all, size_t n);

/* How long something took.  Zero at first; added to and read from any thread. */
#define DURATION_BOUNDS 12
struct durations {
    _Atomic int64_t counts[DURATION_BOUNDS + 1], sum_us;
};
void durations_add(struct durations *d, int64_t us);
void prometheus_durations(struct buf *b, const char *name, const char *help, const struct durations *d);

#endif
