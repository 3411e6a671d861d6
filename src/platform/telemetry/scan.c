/* One series in order of time: chunks that may overlap and the head, merged as they come.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

#define OPEN_MAX 4096 /* chunks that overlap at one time */

/* ---- what is open: a heap by time, then by order of writing ---- */

static int64_t source_at(const struct source *s) {
    return s->p.at[s->i];
}

static bool is_before(const struct source *a, const struct source *b) {
    if (source_at(a) != source_at(b)) return source_at(a) < source_at(b);
    return a->order < b->order;
}

static void sink(struct scan *s, size_t i) {
    for (;;) {
        size_t least = i, child = 2 * i + 1;
        for (size_t c = child; c < child + 2 && c < s->heap_n; c++)
            if (is_before(&s->heap[c], &s->heap[least])) least = c;
        if (least == i) return;
        struct source swap = s->heap[i];
        s->heap[i] = s->heap[least];
        s->heap[least] = swap;
        i = least;
    }
}

static void rise(struct scan *s, size_t i) {
    while (i && is_before(&s->heap[i], &s->heap[(i - 1) / 2])) {
        struct source swap = s->heap[i];
        s->heap[i] = s->heap[(i - 1) / 2];
        s->heap[(i - 1) / 2] = swap;
        i = (i - 1) / 2;
    }
}

/* Takes the points, whose first is at `i`; they are freed where it fails. */
static enum err push(struct scan *s, const struct points *p, size_t i, uint32_t order) {
    if (s->heap_n == s->heap_cap) {
        size_t cap = s->heap_cap ? s->heap_cap * 2 : 4;
        struct source *grown = cap <= OPEN_MAX ? realloc(s->heap, cap * sizeof *grown) : NULL;
        if (!grown) {
            free(p->at);
            return ERR_LIMIT;
        }
        s->heap = grown;
        s->heap_cap = cap;
    }
    s->heap[s->heap_n] = (struct source){*p, i, order};
    rise(s, s->heap_n++);
    return OK;
}

static void step(struct scan *s) {
    struct source *top = &s->heap[0];
    if (++top->i == top->p.n) {
        free(top->p.at);
        *top = s->heap[--s->heap_n];
    }
    if (s->heap_n) sink(s, 0);
}

/* ---- chunks ---- */

static int64_t ref_first(const struct scan *s, const struct scan_ref *r) {
    return s->t->segments[r->ref.segment]->start_ms + r->ref.first_rel;
}

static int64_t ref_last(const struct scan *s, const struct scan_ref *r) {
    return s->t->segments[r->ref.segment]->start_ms + r->ref.last_rel;
}

static void count_damage(struct scan *s) {
    s->damaged++;
    pthread_mutex_lock(&s->t->lock);
    s->t->stats.damaged++;
    pthread_mutex_unlock(&s->t->lock);
}

/* How many of the rising times are before `at_ms`. */
static size_t points_before(const struct points *p, int64_t at_ms) {
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->at[middle] < at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err open_chunk(struct scan *s, const struct scan_ref *r) {
    struct points p;
    if (!points_init(&p, CHUNK_POINTS_MAX)) return ERR_LIMIT;
    enum err e = chunk_read(s->t, s->series, &r->ref, &p);
    if (e) {
        free(p.at);
        if (e == ERR_CORRUPT) count_damage(s);
        return e == ERR_CORRUPT ? OK : e;
    }
    size_t i = points_before(&p, s->from_ms);
    p.n = points_before(&p, s->to_ms);
    if (i < p.n) return push(s, &p, i, r->order);
    free(p.at);
    return OK;
}

/* Opens every chunk that may hold the next point. */
static enum err open_next(struct scan *s, int64_t until_ms) {
    while (s->refs_i < s->refs_n) {
        int64_t first = ref_first(s, &s->refs[s->refs_i]);
        if (first >= until_ms || (s->heap_n && first > source_at(&s->heap[0]))) break;
        TRY(open_chunk(s, &s->refs[s->refs_i++]));
    }
    return OK;
}

/* Of the points at the time that comes next, the one written last. */
static void take_one(struct scan *s, struct points *ret) {
    const struct source *top = &s->heap[0];
    s->one_at = source_at(top);
    while (s->heap_n && source_at(&s->heap[0]) == s->one_at) {
        top = &s->heap[0];
        s->one_value = top->p.value[top->i];
        s->one_quality = top->p.quality[top->i];
        step(s);
    }
    *ret = (struct points){&s->one_at, &s->one_value, &s->one_quality, 1};
}

/* How many points of the top one come before every other source, and before `bound`. */
static size_t count_alone(const struct scan *s, int64_t bound) {
    const struct source *top = &s->heap[0];
    if (s->refs_i < s->refs_n && ref_first(s, &s->refs[s->refs_i]) < bound) bound = ref_first(s, &s->refs[s->refs_i]);
    for (size_t i = 1; i < 3 && i < s->heap_n; i++)
        if (source_at(&s->heap[i]) < bound) bound = source_at(&s->heap[i]);
    size_t low = top->i, high = low + 1, end = top->p.n; /* first by doubling: slices are short as a rule */
    if (top->p.at[low] >= bound) return 0;
    while (high < end && top->p.at[high] < bound) {
        low = high;
        high += high - top->i;
    }
    if (high > end) high = end;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (top->p.at[middle] < bound)
            low = middle;
        else
            high = middle;
    }
    return low + 1 - top->i;
}

enum err scan_slice(struct scan *s, int64_t until_ms, struct points *ret, struct fault *f) {
    free(s->spent);
    s->spent = NULL;
    enum err e = open_next(s, until_ms);
    if (e == ERR_UNAVAILABLE) return FAIL(f, e, "disk_failed", "the readings cannot be read from the disk");
    if (e) return FAIL(f, ERR_LIMIT, "too_wide", "these readings arrived in too mixed an order to be read at once");
    if (!s->heap_n || source_at(&s->heap[0]) >= until_ms) return ERR_NOT_FOUND;
    size_t n = count_alone(s, until_ms);
    if (!n) {
        take_one(s, ret);
        return OK;
    }
    struct source *top = &s->heap[0];
    *ret = (struct points){top->p.at + top->i, top->p.value + top->i, top->p.quality + top->i, n};
    top->i += n;
    if (top->i == top->p.n) {
        s->spent = top->p.at; /* lives until the next slice */
        *top = s->heap[--s->heap_n];
    }
    if (s->heap_n) sink(s, 0);
    return OK;
}

bool scan_chunk(struct scan *s, int64_t until_ms, struct chunk_head *ret) {
    if (s->refs_i >= s->refs_n) return false;
    const struct scan_ref *r = &s->refs[s->refs_i], *after = s->refs_i + 1 < s->refs_n ? r + 1 : NULL;
    int64_t last = ref_last(s, r);
    if (ref_first(s, r) < s->from_ms || last >= until_ms || last >= s->to_ms) return false;
    if ((after && ref_first(s, after) <= last) || (s->heap_n && source_at(&s->heap[0]) <= last)) return false;
    if (chunk_read_head(s->t, s->series, &r->ref, ret) || ret->valid != ret->count) return false;
    s->refs_i++;
    return true;
}

/* ---- beginning: one moment under the lock ---- */

static int compare_refs(const void *a, const void *b) {
    const struct scan_ref *x = a, *y = b;
    if (x->month != y->month) return x->month < y->month ? -1 : 1;
    if (x->ref.first_rel != y->ref.first_rel) return x->ref.first_rel < y->ref.first_rel ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static bool copy_refs(struct scan *s, const struct series *at) {
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass && n) s->refs = malloc(n * sizeof *s->refs);
        if (pass && n && !s->refs) return false;
        for (uint32_t i = 0; i < at->refs_n; i++) {
            const struct segment *g = s->t->segments[at->refs[i].segment];
            if (g->key.step_min) continue;
            if (g->start_ms + at->refs[i].first_rel >= s->to_ms || g->start_ms + at->refs[i].last_rel < s->from_ms)
                continue;
            if (!pass)
                n++;
            else
                s->refs[s->refs_n++] = (struct scan_ref){at->refs[i], i, g->key.month};
        }
    }
    return true;
}

bool scan_begin(struct scan *s, struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms) {
    const struct series *at = series_at(t, series);
    *s = (struct scan){.t = t, .series = series, .from_ms = from_ms, .to_ms = to_ms};
    t->scans++;
    return copy_refs(s, at) && head_copy(&t->blocks, &at->head, from_ms, to_ms, &s->head);
}

enum err scan_ready(struct scan *s, struct fault *f) {
    struct points head = s->head;
    s->head = (struct points){0};
    if (s->refs_n) qsort(s->refs, s->refs_n, sizeof *s->refs, compare_refs);
    bool is_sorted = head.n && points_sort(&head);
    if (!is_sorted) free(head.at);
    if (head.n && (!is_sorted || push(s, &head, 0, NONE))) return FAIL(f, ERR_LIMIT, "too_wide", "out of memory");
    return OK;
}

enum err scan_init(struct scan *s, struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms,
                   struct fault *f) {
    bool ok = true;
    *s = (struct scan){.t = t, .series = series, .from_ms = from_ms, .to_ms = to_ms};
    pthread_rwlock_rdlock(&t->names);
    bool is_there = series < t->series.n;
    pthread_rwlock_unlock(&t->names);
    pthread_mutex_lock(&t->lock);
    if (is_there)
        ok = scan_begin(s, t, series, from_ms, to_ms);
    else
        t->scans++;
    pthread_mutex_unlock(&t->lock);
    return ok ? scan_ready(s, f) : FAIL(f, ERR_LIMIT, "too_wide", "out of memory");
}

void scan_finish(struct scan *s) {
    for (size_t i = 0; i < s->heap_n; i++) free(s->heap[i].p.at);
    free(s->head.at);
    free(s->spent);
    free(s->heap);
    free(s->refs);
    pthread_mutex_lock(&s->t->lock);
    s->t->scans--;
    pthread_mutex_unlock(&s->t->lock);
}
