/* A series for windows: months that were rolled up and serve are read as they are, what is between them point by point.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)

/* Chunks of one month and length that make it whole. */
struct rolled_month {
    int32_t month;
    uint8_t step_min;
    unsigned have, need;
    uint64_t rows;
};

/* ---- which months serve; under the lock ---- */

struct plan {
    struct track *k;
    const struct track_query *q;
    const struct series *s;
    struct rolled_month *months;
    size_t months_n;
    struct points head; /* of the range and what it looks back to */
};

static const struct segment *segment_of(const struct plan *p, uint32_t i) {
    return p->k->t->segments[p->s->refs[i].segment];
}

static bool is_in_range(const struct plan *p, const struct segment *g) {
    return g->start_ms < p->q->to_ms && month_start_ms(g->key.month + 1) > p->q->from_ms - p->q->back_ms;
}

static void count_part(struct plan *p, const struct segment *g, uint16_t count) {
    size_t i = p->months_n;
    while (i && (p->months[i - 1].month != g->key.month || p->months[i - 1].step_min != g->key.step_min)) i--;
    if (!i) {
        p->months[p->months_n++] =
            (struct rolled_month){.month = g->key.month, .step_min = g->key.step_min, .need = count >> ROLLED_PARTS};
        i = p->months_n;
    }
    p->months[i - 1].have++;
    p->months[i - 1].rows += count % (1 << ROLLED_PARTS);
}

/* Those that were rolled up are still there: each window had one at least. */
static bool has_points(const struct plan *p, const struct rolled_month *m) {
    uint64_t points = 0;
    for (uint32_t i = 0; i < p->s->refs_n; i++) {
        const struct segment_key *key = &segment_of(p, i)->key;
        if (!key->step_min && key->month == m->month) points += p->s->refs[i].count;
    }
    return points && points >= m->rows;
}

static bool is_in_head(const struct plan *p, int32_t month) {
    int64_t from_ms = month_start_ms(month), to_ms = month_start_ms(month + 1);
    for (size_t i = 0; i < p->head.n; i++)
        if (p->head.at[i] >= from_ms && p->head.at[i] < to_ms) return true;
    return false;
}

/* Where points are still there they are as good, only slower; else windows serve whatever is asked, as many as there
 * are. */
static bool serves(const struct plan *p, const struct rolled_month *m) {
    if (!has_points(p, m)) return true;
    if (m->have != m->need) return false;
    return !p->q->is_raw && p->q->align_ms % (m->step_min * MINUTE_MS) == 0 && !is_in_head(p, m->month);
}

static int by_month(const void *a, const void *b) {
    const struct rolled_month *x = a, *y = b;
    if (x->month != y->month) return x->month < y->month ? -1 : 1;
    return x->step_min < y->step_min ? -1 : x->step_min > y->step_min;
}

/* The longest windows that fit what is asked; where none fits, the shortest. */
static const struct rolled_month *choose(const struct plan *p, size_t *at) {
    const struct rolled_month *best = NULL;
    int32_t month = p->months[*at].month;
    for (; *at < p->months_n && p->months[*at].month == month; ++*at) {
        const struct rolled_month *m = &p->months[*at];
        bool fits = p->q->align_ms % (m->step_min * MINUTE_MS) == 0;
        bool is_better = !best || (fits && (m->have == m->need || best->have != best->need));
        if (serves(p, m) && is_better) best = m;
    }
    return best;
}

static bool add_points(struct track *k, int64_t from_ms, int64_t to_ms) {
    if (from_ms >= to_ms) return true;
    struct span *span = &k->spans[k->spans_n++];
    *span = (struct span){.from_ms = from_ms, .to_ms = to_ms};
    return scan_begin(&span->scan, k->t, k->series, from_ms, to_ms);
}

static void take_refs(struct plan *p, const struct rolled_month *m) {
    struct track *k = p->k;
    for (uint32_t i = 0; i < p->s->refs_n; i++) {
        const struct segment_key *key = &segment_of(p, i)->key;
        if (key->month == m->month && key->step_min == m->step_min)
            k->refs[k->refs_n++] = (struct scan_ref){p->s->refs[i], i, m->month};
    }
}

/* Windows that reach out of the range are read point by point where that can be. */
static bool add_rolled(struct plan *p, const struct rolled_month *m, int64_t *at_ms) {
    struct track *k = p->k;
    int64_t step_ms = m->step_min * MINUTE_MS, from_ms = month_start_ms(m->month);
    int64_t to_ms = month_start_ms(m->month + 1);
    bool whole = !has_points(p, m);
    int64_t low_ms = whole ? p->q->from_ms - p->q->back_ms : floor_to(p->q->from_ms + step_ms - 1, step_ms);
    int64_t high_ms = whole ? p->q->to_ms : floor_to(p->q->to_ms, step_ms);
    if (from_ms < low_ms) from_ms = low_ms;
    if (to_ms > high_ms) to_ms = high_ms;
    if (from_ms >= to_ms) return true;
    if (!add_points(k, *at_ms, from_ms)) return false;
    k->spans[k->spans_n++] = (struct span){.is_rolled = true, .from_ms = from_ms, .to_ms = to_ms};
    if (m->step_min > k->rolled_min) k->rolled_min = m->step_min;
    if (m->need > m->have) k->damaged += m->need - m->have;
    take_refs(p, m);
    *at_ms = to_ms;
    return true;
}

static bool lay_out(struct plan *p) {
    struct track *k = p->k;
    int64_t at_ms = p->q->from_ms - p->q->back_ms;
    k->spans = malloc((2 * p->months_n + 1) * sizeof *k->spans);
    k->refs = malloc((p->s->refs_n + 1) * sizeof *k->refs);
    if (!k->spans || !k->refs) return false;
    qsort(p->months, p->months_n, sizeof *p->months, by_month);
    for (size_t i = 0; i < p->months_n;) {
        const struct rolled_month *m = choose(p, &i);
        if (m && !add_rolled(p, m, &at_ms)) return false;
    }
    return add_points(k, at_ms, p->q->to_ms);
}

static bool begin(struct plan *p) {
    size_t rolled = 0;
    for (uint32_t i = 0; i < p->s->refs_n; i++)
        rolled += segment_of(p, i)->key.step_min && is_in_range(p, segment_of(p, i));
    p->months = malloc((rolled + 1) * sizeof *p->months);
    if (!p->months) return false;
    for (uint32_t i = 0; rolled && i < p->s->refs_n; i++) {
        const struct segment *g = segment_of(p, i);
        if (g->key.step_min && is_in_range(p, g)) count_part(p, g, p->s->refs[i].count);
    }
    if (p->months_n && !head_copy(&p->k->t->blocks, &p->s->head, p->q->from_ms - p->q->back_ms, p->q->to_ms, &p->head))
        return false;
    return lay_out(p);
}

/* ---- */

static int by_time(const void *a, const void *b) {
    const struct scan_ref *x = a, *y = b;
    if (x->month != y->month) return x->month < y->month ? -1 : 1;
    return x->ref.first_rel < y->ref.first_rel ? -1 : x->ref.first_rel > y->ref.first_rel;
}

enum err track_init(struct track *k, struct telemetry *t, const struct track_query *q, struct fault *f) {
    struct plan p = {.k = k, .q = q};
    bool ok = true;
    *k = (struct track){.t = t, .series = q->series, .next_ms = INT64_MIN};
    pthread_rwlock_rdlock(&t->names);
    if (q->series < t->series.n) p.s = series_at(t, q->series);
    if (p.s) k->kind = p.s->kind;
    pthread_rwlock_unlock(&t->names);
    pthread_mutex_lock(&t->lock);
    t->scans++;
    if (p.s) ok = begin(&p);
    pthread_mutex_unlock(&t->lock);
    free(p.months);
    free(p.head.at);
    if (ok && k->refs_n) {
        qsort(k->refs, k->refs_n, sizeof *k->refs, by_time);
        k->rows = malloc(ROLLED_MAX * sizeof *k->rows);
        ok = k->rows;
    }
    if (!ok) return FAIL(f, ERR_LIMIT, "too_wide", "out of memory");
    for (size_t i = 0; i < k->spans_n; i++)
        if (!k->spans[i].is_rolled) TRY(scan_ready(&k->spans[i].scan, f));
    return OK;
}

void track_finish(struct track *k) {
    for (size_t i = 0; i < k->spans_n; i++)
        if (!k->spans[i].is_rolled) scan_finish(&k->spans[i].scan);
    free(k->spans);
    free(k->refs);
    free(k->rows);
    pthread_mutex_lock(&k->t->lock);
    k->t->scans--;
    pthread_mutex_unlock(&k->t->lock);
}

size_t track_damaged(const struct track *k) {
    size_t n = k->damaged;
    for (size_t i = 0; i < k->spans_n; i++) n += k->spans[i].is_rolled ? 0 : k->spans[i].scan.damaged;
    return n;
}

/* A damaged part: its month is no longer whole, so that its points are read and it is rolled up again. */
static void doubt(struct track *k, const struct scan_ref *r) {
    pthread_mutex_lock(&k->t->lock);
    struct series *s = series_at(k->t, k->series);
    for (uint32_t i = 0; i < s->refs_n; i++)
        if (s->refs[i].segment == r->ref.segment && s->refs[i].at8 == r->ref.at8) s->refs[i].count |= ROLLED_DOUBT;
    k->t->stats.damaged++;
    k->t->must_roll = true;
    pthread_mutex_unlock(&k->t->lock);
}

/* Opens the next rolled chunk that holds rows of the span. */
static enum err open_rolled(struct track *k, const struct span *span, struct fault *f) {
    while (k->refs_i < k->refs_n) {
        const struct scan_ref *r = &k->refs[k->refs_i];
        struct chunk_head h;
        int64_t start_ms = k->t->segments[r->ref.segment]->start_ms;
        if (start_ms + r->ref.first_rel >= span->to_ms) return ERR_NOT_FOUND;
        k->refs_i++;
        k->rows_i = k->rows_n = 0;
        if (start_ms + r->ref.last_rel < span->from_ms) continue;
        enum err e = chunk_read_rolled(k->t, k->series, &r->ref, k->rows, &h);
        if (e == ERR_UNAVAILABLE) return FAIL(f, e, "disk_failed", "the readings cannot be read from the disk");
        if (!e) {
            k->rows_n = h.count;
            return OK;
        }
        k->damaged++;
        doubt(k, r);
    }
    return ERR_NOT_FOUND;
}

/* A copy of the same chunk, which a damaged log may leave, says nothing new. */
static enum err next_rows(struct track *k, const struct span *span, int64_t until_ms, struct piece *ret,
                          struct fault *f) {
    for (;;) {
        int64_t from_ms = span->from_ms > k->next_ms ? span->from_ms : k->next_ms;
        while (k->rows_i < k->rows_n && k->rows[k->rows_i].at_ms < from_ms) k->rows_i++;
        if (k->rows_i < k->rows_n) break;
        TRY(open_rolled(k, span, f));
    }
    if (until_ms > span->to_ms) until_ms = span->to_ms;
    size_t first = k->rows_i;
    while (k->rows_i < k->rows_n && k->rows[k->rows_i].at_ms < until_ms) k->rows_i++;
    *ret = (struct piece){.rows = k->rows + first, .rows_n = k->rows_i - first};
    if (!ret->rows_n) return ERR_NOT_FOUND;
    k->next_ms = k->rows[k->rows_i - 1].at_ms + 1;
    return OK;
}

enum err track_next(struct track *k, int64_t until_ms, struct piece *ret, struct fault *f) {
    for (; k->i < k->spans_n; k->i++) {
        struct span *span = &k->spans[k->i];
        *ret = (struct piece){0};
        enum err e =
            span->is_rolled ? next_rows(k, span, until_ms, ret, f) : scan_slice(&span->scan, until_ms, &ret->p, f);
        if (e != ERR_NOT_FOUND) return e;
        if (until_ms < span->to_ms) return e;
    }
    return ERR_NOT_FOUND;
}

bool track_chunk(struct track *k, int64_t until_ms, struct chunk_head *ret) {
    if (k->i == k->spans_n || k->spans[k->i].is_rolled) return false;
    return scan_chunk(&k->spans[k->i].scan, until_ms, ret);
}
