/* Points as arrays, and sorting.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

#define POINT_MEMORY (sizeof(int64_t) + sizeof(double) + 1)

static void lay_out(void *block, size_t cap, int64_t **at, double **value, uint8_t **quality) {
    *at = block;
    *value = (double *)(void *)(*at + cap);
    *quality = (uint8_t *)(*value + cap);
}

bool points_init(struct points *p, size_t n) {
    void *block = malloc((n ? n : 1) * POINT_MEMORY);
    if (!block) return false;
    lay_out(block, n, &p->at, &p->value, &p->quality);
    p->n = 0;
    return true;
}

/* ---- sorting ---- */

struct item {
    int64_t at;
    double value;
    uint32_t index;
    uint8_t quality;
};

static int compare_items(const void *a, const void *b) {
    const struct item *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static bool rises(const struct points *p) {
    for (size_t i = 1; i < p->n; i++)
        if (p->at[i] <= p->at[i - 1]) return false;
    return true;
}

bool points_sort(struct points *p) {
    if (rises(p)) return true;
    struct item *items = malloc(p->n * sizeof *items);
    if (!items) return false;
    for (size_t i = 0; i < p->n; i++) items[i] = (struct item){p->at[i], p->value[i], (uint32_t)i, p->quality[i]};
    qsort(items, p->n, sizeof *items, compare_items);
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (i + 1 < p->n && items[i + 1].at == items[i].at) continue;
        p->at[n] = items[i].at;
        p->value[n] = items[i].value;
        p->quality[n++] = items[i].quality;
    }
    p->n = n;
    free(items);
    return true;
}
