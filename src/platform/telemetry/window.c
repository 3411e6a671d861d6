/* Windows of time over one or many series, and what they sum up to.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS      INT64_C(86400000)
#define VALUES_MAX  ((size_t)4 << 20)   /* of one window whose rank is asked */
#define VISITS_MAX  ((int64_t)20000000) /* windows times series of a query */
#define EVERY_N_MAX 1000000

static const char *const agg_words[TELEMETRY_AGG__COUNT] = {"avg",   "min",   "max",  "sum",
                                                            "count", "first", "last", "p95"};

bool telemetry_agg_read(struct str word, enum telemetry_agg *ret) {
    for (int i = 0; i < TELEMETRY_AGG__COUNT; i++) {
        if (!str_is(word, agg_words[i])) continue;
        *ret = (enum telemetry_agg)i;
        return true;
    }
    return false;
}

bool telemetry_every_read(struct str text, struct telemetry_every *ret) {
    size_t digits = 0;
    int64_t n;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') digits++;
    struct str unit = str_from(text, digits);
    if (!str_to_i64((struct str){text.ptr, digits}, &n) || n < 1 || n > EVERY_N_MAX) return false;
    bool month = str_is(unit, "mo");
    if (!month && (unit.len != 1 || !memchr("smhd", unit.ptr[0], 4))) return false;
    *ret = (struct telemetry_every){n, month ? 'M' : unit.ptr[0]};
    return true;
}

/* ---- where windows begin ---- */

static int64_t floor_to(int64_t v, int64_t step) {
    int64_t rest = v % step;
    return v - (rest < 0 ? rest + step : rest);
}

static int64_t unit_ms(char unit) {
    return unit == 's' ? 1000 : unit == 'm' ? 60000 : 3600000;
}

/* The window number `k` from `at_ms`'s own on: k 0 is where that one begins, 1 where the next does. */
static int64_t window_start(const struct telemetry_windows_query *q, int64_t at_ms, int64_t k) {
    struct telemetry_every every = q->every;
    if (every.unit != 'd' && every.unit != 'M') {
        int64_t step = every.n * unit_ms(every.unit);
        return floor_to(at_ms, step) + k * step;
    }
    struct civil c = zone_civil(q->zone, at_ms), start = {.day = 1, .month = 1};
    if (every.unit == 'd') {
        int64_t day = floor_to(civil_day(c.year, c.month, c.day), every.n) + k * every.n;
        civil_from_day(day, &start.year, &start.month, &start.day);
    } else {
        int64_t month = floor_to((int64_t)(c.year - 1970) * 12 + c.month - 1, every.n) + k * every.n;
        int64_t year = floor_to(month, 12) / 12;
        start.year = (int32_t)(1970 + year);
        start.month = (int32_t)(month - year * 12 + 1);
    }
    return zone_utc_ms(q->zone, start);
}

/* ---- what a window sums up to ---- */

struct acc {
    double min, max, sum, first, last;
    int64_t first_ms, last_ms, n;
    double *values; /* for a rank only */
    size_t values_cap;
};

static void acc_reset(struct acc *a) {
    *a = (struct acc){.values = a->values, .values_cap = a->values_cap};
}

static void acc_merge(struct acc *a, const struct acc *b) {
    if (!a->n || b->min < a->min) a->min = b->min;
    if (!a->n || b->max > a->max) a->max = b->max;
    if (!a->n || b->first_ms < a->first_ms) {
        a->first = b->first;
        a->first_ms = b->first_ms;
    }
    if (!a->n || b->last_ms >= a->last_ms) {
        a->last = b->last;
        a->last_ms = b->last_ms;
    }
    a->sum += b->sum;
    a->n += b->n;
}

static bool acc_keep(struct acc *a, double v) {
    if ((size_t)a->n == a->values_cap) {
        size_t cap = a->values_cap ? a->values_cap * 2 : 1024;
        double *grown = cap <= VALUES_MAX ? realloc(a->values, cap * sizeof *grown) : NULL;
        if (!grown) return false;
        a->values = grown;
        a->values_cap = cap;
    }
    a->values[a->n] = v;
    return true;
}

static bool acc_point(struct acc *a, const struct telemetry_stored *p, bool keeps) {
    if (isnan(p->value)) return true;
    if (keeps && !acc_keep(a, p->value)) return false;
    struct acc one = {p->value, p->value, p->value, p->value, p->value, p->at_ms, p->at_ms, 1, NULL, 0};
    acc_merge(a, &one);
    return true;
}

static void acc_chunk(struct acc *a, const struct chunk_head *h) {
    struct acc one = {h->min, h->max, h->sum, h->first, h->last, h->first_ms, h->last_ms, h->valid, NULL, 0};
    acc_merge(a, &one);
}

static int compare_values(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double acc_p95(struct acc *a) {
    qsort(a->values, (size_t)a->n, sizeof *a->values, compare_values);
    return a->values[(a->n * 95 + 99) / 100 - 1];
}

static double acc_value(struct acc *a, enum telemetry_agg agg) {
    if (agg == TELEMETRY_COUNT) return (double)a->n;
    if (!a->n) return NAN;
    switch (agg) {
    case TELEMETRY_AVG: return a->sum / (double)a->n;
    case TELEMETRY_MIN: return a->min;
    case TELEMETRY_MAX: return a->max;
    case TELEMETRY_SUM: return a->sum;
    case TELEMETRY_FIRST: return a->first;
    case TELEMETRY_LAST: return a->last;
    case TELEMETRY_P95: return acc_p95(a);
    case TELEMETRY_COUNT:
    case TELEMETRY_AGG__COUNT: break;
    }
    return NAN;
}

/* ---- the query ---- */

/* A chunk's summary stands for its points where all of them count: nothing missing, no rank asked. */
static enum err fill(struct scan *s, int64_t until_ms, enum telemetry_agg agg, struct acc *a, struct fault *f) {
    for (;;) {
        struct chunk_head h;
        struct telemetry_stored p;
        if (agg != TELEMETRY_P95 && scan_chunk(s, until_ms, &h)) {
            acc_chunk(a, &h);
            continue;
        }
        enum err e = scan_next(s, until_ms, &p, f);
        if (e == ERR_NOT_FOUND) return OK;
        if (e) return e;
        if (!acc_point(a, &p, agg == TELEMETRY_P95))
            return FAIL(f, ERR_LIMIT, "too_wide", "too many readings in one window for a rank");
    }
}

struct windows {
    const struct telemetry_windows_query *q;
    struct scan *scans;
    struct telemetry_points p;
    struct acc acc;
    size_t cap;
};

/* Windows by their starts, up to the limit. */
static enum err plan(struct windows *w, struct arena *a, struct fault *f) {
    const struct telemetry_windows_query *q = w->q;
    int64_t start = window_start(q, q->from_ms, 0);
    bool is_single = window_start(q, q->from_ms, 1) - start > q->to_ms - q->from_ms;
    for (bool more = q->from_ms < q->to_ms; more; more = !is_single && start < q->to_ms) {
        if (w->p.n == q->limit) {
            w->p.has_next = true;
            w->p.next_ms = start;
            break;
        }
        if (w->p.n == w->cap) {
            size_t cap = w->cap ? w->cap * 2 : 256;
            int64_t *at = arena_new(a, int64_t, cap);
            if (!at) return FAIL(f, ERR_LIMIT, "too_wide", "too many windows");
            if (w->p.n) memcpy(at, w->p.at_ms, w->p.n * sizeof *at);
            w->p.at_ms = at;
            w->cap = cap;
        }
        w->p.at_ms[w->p.n++] = start;
        start = window_start(q, start, 1);
    }
    w->p.value = arena_new(a, double, w->p.n + 1);
    if (!w->p.value) return FAIL(f, ERR_LIMIT, "too_wide", "too many windows");
    if ((int64_t)w->p.n * (int64_t)q->n > VISITS_MAX)
        return FAIL(f, ERR_LIMIT, "too_wide", "too many windows over too many series");
    return OK;
}

static enum err run(struct windows *w, struct fault *f) {
    for (size_t i = 0; i < w->p.n; i++) {
        int64_t until = i + 1 < w->p.n ? w->p.at_ms[i + 1] : w->p.has_next ? w->p.next_ms : w->q->to_ms;
        acc_reset(&w->acc);
        for (size_t k = 0; k < w->q->n; k++) TRY(fill(&w->scans[k], until, w->q->agg, &w->acc, f));
        w->p.value[i] = acc_value(&w->acc, w->q->agg);
    }
    return OK;
}

enum err telemetry_windows(struct telemetry *t, const struct telemetry_windows_query *q, struct arena *a,
                           struct telemetry_points *ret, struct fault *f) {
    struct windows w = {.q = q};
    if (!q->limit || q->limit > TELEMETRY_POINTS_MAX)
        return FAIL_FIELD(f, "limit", "out_of_range", TELEMETRY_POINTS_MAX);
    if (q->n > TELEMETRY_SERIES_MAX) return FAIL(f, ERR_LIMIT, "too_wide", "too many series at once");
    TRY(plan(&w, a, f));
    w.scans = malloc((q->n + 1) * sizeof *w.scans);
    if (!w.scans) return FAIL(f, ERR_LIMIT, "too_wide", "out of memory");
    enum err e = OK;
    size_t n = 0;
    while (n < q->n && !e) {
        e = scan_init(&w.scans[n], t, q->series[n], q->from_ms, q->to_ms, f);
        n++;
    }
    if (!e) e = run(&w, f);
    for (size_t i = 0; i < n; i++) {
        w.p.damaged += w.scans[i].damaged;
        scan_finish(&w.scans[i]);
    }
    free(w.scans);
    free(w.acc.values);
    if (!e) *ret = w.p;
    return e;
}
