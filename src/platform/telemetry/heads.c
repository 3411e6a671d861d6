/* Points in memory: the heads of series, and sorting.  SPDX-License-Identifier: Apache-2.0 */
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

/* ---- heads ---- */

bool head_reserve(struct series *s, size_t more) {
    struct head *h = &s->head;
    if (h->n + more <= h->cap) return true;
    size_t cap = h->cap ? h->cap : 8;
    while (cap < h->n + more) cap *= 2;
    void *block = malloc(cap * POINT_MEMORY);
    if (!block) return false;
    struct head grown = {.n = h->n, .cap = (uint32_t)cap};
    lay_out(block, cap, &grown.at, &grown.value, &grown.quality);
    if (h->n) {
        memcpy(grown.at, h->at, h->n * sizeof *h->at);
        memcpy(grown.value, h->value, h->n * sizeof *h->value);
        memcpy(grown.quality, h->quality, h->n);
    }
    free(h->at);
    *h = grown;
    return true;
}

void series_latest(struct series *s, const struct telemetry_stored *p) {
    if (s->has_latest && p->at_ms < s->latest.at_ms) return;
    s->latest = *p;
    s->has_latest = true;
}

void head_add(struct telemetry *t, uint32_t id, const struct telemetry_stored *p) {
    struct series *s = series_at(t, id);
    struct head *h = &s->head;
    h->at[h->n] = p->at_ms;
    h->value[h->n] = p->value;
    h->quality[h->n++] = p->quality;
    t->head_points++;
    series_latest(s, p);
    if (h->n < SEAL_AT) return;
    if (!s->is_due) {
        s->is_due = ids32_add(&t->due, id);
        if (s->is_due) t->due_points += h->n;
    } else {
        t->due_points++;
    }
}

/* Gives room back that steady readings would not fill again. */
void head_clear(struct telemetry *t, uint32_t id, bool free_room) {
    struct series *s = series_at(t, id);
    t->head_points -= s->head.n;
    s->head.n = 0;
    if (!free_room && s->head.cap <= 2 * SEAL_AT) return;
    free(s->head.at);
    s->head = (struct head){0};
}

bool head_copy(const struct head *h, int64_t from_ms, int64_t to_ms, struct points *ret) {
    size_t n = 0;
    *ret = (struct points){0};
    for (size_t i = 0; i < h->n; i++) n += h->at[i] >= from_ms && h->at[i] < to_ms;
    if (!n) return true;
    if (!points_init(ret, n)) return false;
    for (size_t i = 0; i < h->n; i++) {
        if (h->at[i] < from_ms || h->at[i] >= to_ms) continue;
        ret->at[ret->n] = h->at[i];
        ret->value[ret->n] = h->value[i];
        ret->quality[ret->n++] = h->quality[i];
    }
    return true;
}

bool refs_reserve(struct series *s, uint32_t more) {
    if (s->refs_n + more <= s->refs_cap) return true;
    uint32_t cap = s->refs_cap ? s->refs_cap * 2 : 4;
    while (cap < s->refs_n + more) cap *= 2;
    struct chunk_ref *grown = realloc(s->refs, cap * sizeof *grown);
    if (!grown) return false;
    s->refs = grown;
    s->refs_cap = cap;
    return true;
}
