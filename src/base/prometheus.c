/* Figures as Prometheus reads them.  SPDX-License-Identifier: Apache-2.0 */
#include "base/prometheus.h"

#include <stdatomic.h>

static const int64_t bounds_us[DURATION_BOUNDS] = {500,   1000,   2000,   5000,   10000,   20000,
                                                   50000, 100000, 200000, 500000, 1000000, 5000000};

void prometheus_figures(struct buf *b, const char *prefix, const struct figure *all, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct figure *f = &all[i];
        if (f->help) buf_fmt(b, "# HELP %s%s %s\n", prefix, f->name, f->help);
        buf_fmt(b, "# TYPE %s%s %s\n%s%s %lld\n", prefix, f->name, f->type, prefix, f->name, (long long)f->value);
    }
}

void durations_add(struct durations *d, int64_t us) {
    size_t i = 0;
    while (i < DURATION_BOUNDS && us > bounds_us[i]) i++;
    atomic_fetch_add(&d->counts[i], 1);
    atomic_fetch_add(&d->sum_us, us);
}

static void put_seconds(struct buf *b, int64_t us) {
    buf_fmt(b, "%lld.%06lld", (long long)us / 1000000, (long long)us % 1000000);
}

void prometheus_durations(struct buf *b, const char *name, const char *help, const struct durations *d) {
    long long sum = 0;
    buf_fmt(b, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
    for (size_t i = 0; i < DURATION_BOUNDS; i++) {
        sum += atomic_load(&d->counts[i]);
        buf_fmt(b, "%s_bucket{le=\"", name);
        put_seconds(b, bounds_us[i]);
        buf_fmt(b, "\"} %lld\n", sum);
    }
    sum += atomic_load(&d->counts[DURATION_BOUNDS]);
    buf_fmt(b, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum ", name, sum, name);
    put_seconds(b, atomic_load(&d->sum_us));
    buf_fmt(b, "\n%s_count %lld\n", name, sum);
}
