/* Pace and figures of a load.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/pace.h"

#include <math.h>
#include <stdlib.h>

int64_t pace_due_us(const struct pace *p, size_t i) {
    return p->begin_us + (int64_t)((double)i * 1e6 / p->rate);
}

bool pace_take(struct pace *p, int64_t now_us, size_t *ret) {
    if (p->taken == p->n || pace_due_us(p, p->taken) > now_us) return false;
    *ret = p->taken++;
    return true;
}

bool latencies_init(struct latencies *l, size_t cap) {
    *l = (struct latencies){.us = calloc(cap + 1, sizeof *l->us), .cap = cap};
    return l->us != NULL;
}

void latencies_free(struct latencies *l) {
    free(l->us);
    *l = (struct latencies){0};
}

void latencies_add(struct latencies *l, int64_t us) {
    if (l->n < l->cap) l->us[l->n++] = us;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t latencies_percentile(struct latencies *l, double percent) {
    if (!l->n) return 0;
    qsort(l->us, l->n, sizeof *l->us, by_value);
    double rank = ceil(percent * (double)l->n / 100 - 1e-6); /* 99.9 has no exact double */
    size_t at = rank < 1 ? 0 : (size_t)rank - 1;
    return l->us[at < l->n ? at : l->n - 1];
}
