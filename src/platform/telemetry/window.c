/* Windows of time over one or many series, and what they sum up to.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS      INT64_C(86400000)
#define VALUES_MAX  ((size_t)4 << 20)   /* of one window whose rank is asked */
#define VISITS_MAX  ((int64_t)20000000) /* windows times series of a query */
#define CHUNK_COST  100                 /* of a summary that is read, in points */
#define EVERY_N_MAX 1000000
#define HOUR_MS     3600000
#define FEW         24 /* values that are sorted rather than parted */
#define LOOK_EACH   64 /* chunks, slices or windows between two looks whether anybody waits */

static const char *const agg_words[TELEMETRY_AGG__COUNT] = {
    [TELEMETRY_AVG] = "avg",     [TELEMETRY_MIN] = "min",     [TELEMETRY_MAX] = "max",
    [TELEMETRY_SUM] = "sum",     [TELEMETRY_COUNT] = "count", [TELEMETRY_FIRST] = "first",
    [TELEMETRY_LAST] = "last",   [TELEMETRY_P50] = "p50",     [TELEMETRY_P95] = "p95",
    [TELEMETRY_DELTA] = "delta", [TELEMETRY_RATE] = "rate",   [TELEMETRY_INTEGRAL] = "integral"};

enum { NEED_SUMMARY = 1, NEED_VALUES = 2, NEED_PAIRS = 4 };

static unsigned need_of(const struct telemetry_windows_query *q) {
    unsigned need = 0;
    for (size_t i = 0; i < q->aggs_n; i++) {
        enum telemetry_agg agg = q->aggs[i];
        need |= agg == TELEMETRY_P50 || agg == TELEMETRY_P95 ? NEED_VALUES
                : agg >= TELEMETRY_DELTA                     ? NEED_PAIRS
                                                             : NEED_SUMMARY;
    }
    return need;
}

const char *telemetry_agg_word(enum telemetry_agg agg) {
    return agg_words[agg];
}

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

int64_t telemetry_every_ms(struct telemetry_every every) {
    static const int64_t least_day = INT64_C(22) * HOUR_MS; /* a clock goes forward by two hours at most */
    return every.n * (every.unit == 's'   ? 1000
                      : every.unit == 'm' ? 60000
                      : every.unit == 'h' ? HOUR_MS
                      : every.unit == 'd' ? least_day
                                          : 28 * least_day);
}

/* ---- where windows begin ---- */

static bool is_civil(struct telemetry_every every) { /* as long as the calendar makes it */
    return every.unit == 'd' || every.unit == 'M';
}

/* The window number `k` from `at_ms`'s own on: k 0 is where that one begins, 1 where the next does. */
static int64_t window_start(const struct telemetry_windows_query *q, int64_t at_ms, int64_t k) {
    struct telemetry_every every = q->every;
    if (!is_civil(every)) {
        int64_t step = telemetry_every_ms(every);
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
    double delta, rate, area; /* of pairs, the last one in unit times milliseconds */
    size_t pairs_n;
    double *values; /* for a rank only */
    size_t values_n, values_cap;
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

static void acc_summary(struct acc *a, const struct points *p) {
    struct acc one = {0};
    for (size_t i = 0; i < p->n; i++) {
        double v = p->value[i];
        if (isnan(v)) continue;
        if (!one.n) {
            one.first_ms = p->at[i];
            one.min = one.max = one.first = v;
        }
        if (v < one.min) one.min = v;
        if (v > one.max) one.max = v;
        one.sum += v;
        one.last = v;
        one.last_ms = p->at[i];
        one.n++;
    }
    if (one.n) acc_merge(a, &one);
}

static void acc_chunk(struct acc *a, const struct chunk_head *h) {
    struct acc one = {.min = h->min,
                      .max = h->max,
                      .sum = h->sum,
                      .first = h->first,
                      .last = h->last,
                      .first_ms = h->first_ms,
                      .last_ms = h->last_ms,
                      .n = h->valid};
    acc_merge(a, &one);
}

static void acc_rolled(struct acc *a, const struct rolled *r) {
    struct acc one = {.min = r->min,
                      .max = r->max,
                      .sum = r->sum,
                      .first = r->first,
                      .last = r->last,
                      .first_ms = r->at_ms + r->first_off,
                      .last_ms = r->at_ms + r->last_off,
                      .n = r->count};
    acc_merge(a, &one);
}

/* ---- ranks ---- */

static bool acc_values(struct acc *a, const struct points *p) {
    size_t need = a->values_n + p->n;
    if (need > a->values_cap) {
        size_t cap = a->values_cap ? a->values_cap * 2 : 1024;
        while (cap < need) cap *= 2;
        double *grown = cap <= VALUES_MAX ? realloc(a->values, cap * sizeof *grown) : NULL;
        if (!grown) return false;
        a->values = grown;
        a->values_cap = cap;
    }
    for (size_t i = 0; i < p->n; i++) {
        a->values[a->values_n] = p->value[i];
        a->values_n += !isnan(p->value[i]);
    }
    return true;
}

static void sort_few(double *v, size_t n) {
    for (size_t i = 1; i < n; i++) {
        double x = v[i];
        size_t at = i;
        for (; at && v[at - 1] > x; at--) v[at] = v[at - 1];
        v[at] = x;
    }
}

static double greatest(const double *v, size_t n) {
    double most = v[0];
    for (size_t i = 1; i < n; i++) most = v[i] > most ? v[i] : most;
    return most;
}

/* The value that would stand at `k` if they were sorted (Hoare's FIND, 1961); the pivot is drawn, so that no order of
 * readings is a bad one. */
static double value_at_rank(double *v, size_t n, size_t k) {
    uint64_t chance = n;
    if (k == n - 1) return greatest(v, n);
    while (n > FEW) {
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double pivot = v[(chance >> 33) % n];
        size_t i = 0, j = n - 1;
        for (;;) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i >= j) break;
            double swap = v[i];
            v[i++] = v[j];
            v[j--] = swap;
        }
        size_t left = j + 1;   /* v[0..j] <= pivot <= v[j+1..] */
        if (left == n) left--; /* the last one is the greatest */
        if (k < left) {
            n = left;
        } else {
            v += left;
            n -= left;
            k -= left;
        }
    }
    sort_few(v, n);
    return v[k];
}

static double acc_rank(struct acc *a, size_t percent) {
    if (!a->values_n) return NAN;
    return value_at_rank(a->values, a->values_n, (a->values_n * percent + 99) / 100 - 1);
}

/* ---- pairs: a point and the one before it, which count where the later one stands ---- */

struct before { /* of a series */
    int64_t at_ms;
    double value;
    bool is_there, is_counter;
};

struct pairs {
    double delta, area, ms;
    size_t n;
};

static void add_pair(struct pairs *sum, struct before *b, int64_t at_ms, double v) {
    double ms = (double)(at_ms - b->at_ms);
    if (!b->is_there || ms > TELEMETRY_GAP_MS) return;
    sum->delta += b->is_counter && v < b->value ? v : v - b->value; /* a counter that fell began anew at zero */
    sum->area += (v + b->value) / 2 * ms;
    sum->ms += ms;
    sum->n++;
}

static void set_before(struct before *b, int64_t at_ms, double v) {
    b->at_ms = at_ms;
    b->value = v;
    b->is_there = true;
}

static void add_pairs(struct pairs *sum, struct before *b, const struct points *p) {
    for (size_t i = 0; i < p->n; i++) {
        double v = p->value[i];
        if (isnan(v)) continue;
        add_pair(sum, b, p->at[i], v);
        set_before(b, p->at[i], v);
    }
}

/* A row has its pairs but the one with what was before its month. */
static void add_rolled_pairs(struct pairs *sum, struct before *b, const struct rolled *r) {
    if (r->pairs < r->count) add_pair(sum, b, r->at_ms + r->first_off, r->first);
    sum->delta += r->delta + (b->is_counter ? r->drops : 0);
    sum->area += r->area2 / 2;
    sum->ms += (double)r->pair_ms;
    sum->n += (size_t)r->pairs;
    set_before(b, r->at_ms + r->last_off, r->last);
}

static void acc_pairs(struct acc *a, const struct pairs *sum) {
    if (!sum->n) return;
    a->delta += sum->delta;
    a->area += sum->area;
    a->rate += sum->delta / (sum->ms / 1000); /* of many series: what they do together */
    a->pairs_n += sum->n;
}

/* ---- */

static double acc_value(struct acc *a, enum telemetry_agg agg) {
    if (agg == TELEMETRY_COUNT) return (double)a->n;
    if (agg < TELEMETRY_P50 ? !a->n : agg >= TELEMETRY_DELTA && !a->pairs_n) return NAN;
    switch (agg) {
    case TELEMETRY_AVG: return a->sum / (double)a->n;
    case TELEMETRY_MIN: return a->min;
    case TELEMETRY_MAX: return a->max;
    case TELEMETRY_SUM: return a->sum;
    case TELEMETRY_FIRST: return a->first;
    case TELEMETRY_LAST: return a->last;
    case TELEMETRY_P50: return acc_rank(a, 50);
    case TELEMETRY_P95: return acc_rank(a, 95);
    case TELEMETRY_DELTA: return a->delta;
    case TELEMETRY_RATE: return a->rate;
    case TELEMETRY_INTEGRAL: return a->area / HOUR_MS;
    case TELEMETRY_COUNT:
    case TELEMETRY_AGG__COUNT: break;
    }
    return NAN;
}

/* ---- the query ---- */

/* What is rolled up has no rank. */
static void take_rolled(struct acc *a, unsigned need, struct before *before, struct pairs *pairs,
                        const struct piece *x) {
    for (size_t i = 0; i < x->rows_n; i++) {
        if (need & NEED_SUMMARY) acc_rolled(a, &x->rows[i]);
        if (need & NEED_PAIRS) add_rolled_pairs(pairs, before, &x->rows[i]);
    }
}

/* Of one series and window. */
static enum err take(struct acc *a, unsigned need, struct before *before, struct pairs *pairs, const struct piece *x,
                     struct fault *f) {
    if (x->rows_n) {
        take_rolled(a, need, before, pairs, x);
        return OK;
    }
    if (need & NEED_SUMMARY) acc_summary(a, &x->p);
    if (need & NEED_PAIRS) add_pairs(pairs, before, &x->p);
    if (!(need & NEED_VALUES) || acc_values(a, &x->p)) return OK;
    return FAIL(f, ERR_LIMIT, "too_wide", "too many readings in one window for a rank");
}

struct windows {
    struct telemetry *telemetry;
    const struct telemetry_windows_query *q;
    int64_t align_ms; /* all windows but the first begin at a multiple of it; 0: there is one */
    struct telemetry_points p;
    struct acc *accs; /* of each window, or the one of that under way */
    bool as_they_come;
    size_t cap, own_budget, *budget;
    unsigned looks;
};

/* At each piece of the work, which read n points; asks at some. */
static enum err go_on(struct windows *w, size_t n, struct fault *f) {
    if (n > *w->budget)
        return FAIL(f, ERR_LIMIT, "too_wide", "too many readings for one question; ask for a shorter time");
    *w->budget -= n;
    if (w->looks++ % LOOK_EACH || !w->q->is_over || !w->q->is_over(w->q->arg)) return OK;
    return FAIL(f, ERR_UNAVAILABLE, "cancelled", "nobody waits for the answer any more");
}

static int64_t common(int64_t a, int64_t b) { /* the greatest that divides both */
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Windows by their starts, up to the limit. */
static enum err plan(struct windows *w, struct arena *a, struct fault *f) {
    const struct telemetry_windows_query *q = w->q;
    int64_t start = window_start(q, q->from_ms, 0), step_ms = is_civil(q->every) ? 0 : telemetry_every_ms(q->every);
    bool is_single = window_start(q, q->from_ms, 1) - start > q->to_ms - q->from_ms;
    for (bool more = q->from_ms < q->to_ms; more; more = !is_single && start < q->to_ms) {
        if (w->p.n == q->limit) {
            w->p.has_next = true;
            w->p.next_ms = start;
            w->align_ms = common(w->align_ms, start);
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
        if (w->p.n > 1) w->align_ms = common(w->align_ms, start);
        start = step_ms ? start + step_ms : window_start(q, start, 1);
    }
    w->p.value = arena_new(a, double, w->p.n * q->aggs_n + 1);
    if (!w->p.value) return FAIL(f, ERR_LIMIT, "too_wide", "too many windows");
    if ((int64_t)w->p.n * (int64_t)q->n > VISITS_MAX)
        return FAIL(f, ERR_LIMIT, "too_wide", "too many windows over too many series");
    return OK;
}

struct one { /* of the series */
    struct track track;
    struct before before;
};

/* What is before the range, for what the first ones differ from. */
static enum err look_back(struct windows *w, struct one *s, struct fault *f) {
    struct pairs ignored = {0};
    struct acc none = {0};
    struct piece x;
    enum err e = OK;
    while (!e && !(e = track_next(&s->track, w->q->from_ms, &x, f))) {
        e = go_on(w, x.p.n + x.rows_n, f);
        if (!e) e = take(&none, NEED_PAIRS, &s->before, &ignored, &x, f);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Closed with close_one, whatever came of it. */
static enum err open_one(struct windows *w, uint32_t series, struct one *s, struct fault *f) {
    unsigned need = need_of(w->q);
    struct track_query ask = {.series = series,
                              .from_ms = w->q->from_ms,
                              .to_ms = w->q->to_ms,
                              .align_ms = w->align_ms,
                              .is_raw = need & NEED_VALUES,
                              .back_ms = need & NEED_PAIRS ? TELEMETRY_GAP_MS : 0};
    *s = (struct one){0};
    TRY(track_init(&s->track, w->telemetry, &ask, f));
    s->before.is_counter = s->track.kind == TELEMETRY_COUNTER;
    return need & NEED_PAIRS ? look_back(w, s, f) : OK;
}

static void close_one(struct windows *w, struct one *s) {
    w->p.damaged += track_damaged(&s->track);
    if (s->track.rolled_min > w->p.rolled_min) w->p.rolled_min = s->track.rolled_min;
    track_finish(&s->track);
}

static int64_t window_end(const struct windows *w, size_t i) {
    return i + 1 < w->p.n ? w->p.at_ms[i + 1] : w->p.has_next ? w->p.next_ms : w->q->to_ms;
}

static void close_window(struct windows *w, size_t i, struct acc *a) {
    for (size_t k = 0; k < w->q->aggs_n; k++) w->p.value[i * w->q->aggs_n + k] = acc_value(a, w->q->aggs[k]);
    acc_reset(a);
}

/* ---- ranks of many series: side by side, so that the values of one window are all there is in memory ---- */

static enum err fill(struct windows *w, struct one *s, int64_t until_ms, unsigned need, struct fault *f) {
    struct pairs pairs = {0};
    struct piece x;
    enum err e;
    while (!(e = track_next(&s->track, until_ms, &x, f))) {
        TRY(go_on(w, x.p.n + x.rows_n, f));
        TRY(take(w->accs, need, &s->before, &pairs, &x, f));
    }
    acc_pairs(w->accs, &pairs);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err fill_all(struct windows *w, struct one *all, unsigned need, struct fault *f) {
    for (size_t i = 0; i < w->p.n; i++) {
        int64_t until = window_end(w, i);
        TRY(go_on(w, 0, f));
        for (size_t k = 0; k < w->q->n; k++) TRY(fill(w, &all[k], until, need, f));
        close_window(w, i, w->accs);
    }
    return OK;
}

static enum err run_side_by_side(struct windows *w, unsigned need, struct fault *f) {
    struct one *all = malloc(w->q->n * sizeof *all);
    enum err e = all ? OK : FAIL(f, ERR_LIMIT, "too_wide", "out of memory");
    size_t n = 0;
    for (; n < w->q->n && !e; n++) e = open_one(w, w->q->series[n], &all[n], f);
    if (!e) e = fill_all(w, all, need, f);
    while (n) close_one(w, &all[--n]);
    free(all);
    return e;
}

/* ---- else one series after the other: points as they come, cut at the windows' ends ---- */

/* Cuts off what is before until_ms. */
static struct piece cut(struct piece *x, int64_t until_ms) {
    struct piece front = *x;
    front.p.n = front.rows_n = 0;
    while (front.p.n < x->p.n && x->p.at[front.p.n] < until_ms) front.p.n++;
    while (front.rows_n < x->rows_n && x->rows[front.rows_n].at_ms < until_ms) front.rows_n++;
    if (front.p.n)
        x->p =
            (struct points){x->p.at + front.p.n, x->p.value + front.p.n, x->p.quality + front.p.n, x->p.n - front.p.n};
    if (front.rows_n) x->rows += front.rows_n;
    x->rows_n -= front.rows_n;
    return front;
}

/* A chunk's summary stands for its points where all of them count. */
static enum err take_one(struct windows *w, struct one *s, unsigned need, struct fault *f) {
    struct pairs pairs = {0};
    struct piece x = {0};
    for (size_t i = 0; i < w->p.n;) {
        struct acc *acc = w->as_they_come ? w->accs : &w->accs[i];
        struct chunk_head h;
        int64_t until = window_end(w, i);
        bool is_open = x.p.n || x.rows_n;
        if (!is_open && need == NEED_SUMMARY && track_chunk(&s->track, until, &h)) {
            TRY(go_on(w, CHUNK_COST, f));
            acc_chunk(acc, &h);
            continue;
        }
        enum err e = is_open ? OK : track_next(&s->track, w->q->to_ms, &x, f);
        if (e && e != ERR_NOT_FOUND) return e;
        struct piece front = e ? (struct piece){0} : cut(&x, until);
        TRY(go_on(w, front.p.n + front.rows_n, f));
        if (front.p.n || front.rows_n) TRY(take(acc, need, &s->before, &pairs, &front, f));
        if (!x.p.n && !x.rows_n && !e) continue; /* the window may go on */
        acc_pairs(acc, &pairs);
        pairs = (struct pairs){0};
        if (w->as_they_come)
            close_window(w, i, acc);
        else if (e)
            break; /* there is no more of it */
        i++;
    }
    return OK;
}

static enum err run_in_turn(struct windows *w, unsigned need, struct fault *f) {
    for (size_t k = 0; k < w->q->n; k++) {
        struct one s;
        enum err e = open_one(w, w->q->series[k], &s, f);
        if (!e) e = take_one(w, &s, need, f);
        close_one(w, &s);
        if (e) return e;
    }
    for (size_t i = 0; i < w->p.n && !w->as_they_come; i++) close_window(w, i, &w->accs[i]);
    return OK;
}

static enum err run(struct windows *w, struct fault *f) {
    unsigned need = need_of(w->q);
    bool side_by_side = need & NEED_VALUES && w->q->n > 1;
    w->as_they_come = side_by_side || w->q->n == 1;
    w->accs = calloc(w->as_they_come ? 1 : w->p.n + 1, sizeof *w->accs);
    if (!w->accs) return FAIL(f, ERR_LIMIT, "too_wide", "out of memory");
    enum err e = (side_by_side ? run_side_by_side : run_in_turn)(w, need, f);
    free(w->accs->values);
    free(w->accs);
    return e;
}

/* Calendars end where years have four digits; there are no readings beyond. */
static int64_t clamp(int64_t at_ms) {
    return at_ms < TELEMETRY_FIRST_MS ? TELEMETRY_FIRST_MS : at_ms > TELEMETRY_LAST_MS ? TELEMETRY_LAST_MS : at_ms;
}

enum err telemetry_windows(struct telemetry *t, const struct telemetry_windows_query *asked, struct arena *a,
                           struct telemetry_points *ret, struct fault *f) {
    struct telemetry_windows_query within = *asked, *const q = &within;
    struct windows w = {.telemetry = t, .q = q, .p.width = q->aggs_n, .own_budget = TELEMETRY_READ_MAX};
    w.budget = q->budget ? q->budget : &w.own_budget;
    q->from_ms = clamp(q->from_ms);
    q->to_ms = clamp(q->to_ms);
    if (!q->limit || q->limit > TELEMETRY_POINTS_MAX)
        return FAIL_FIELD(f, "limit", "out_of_range", TELEMETRY_POINTS_MAX);
    if (!q->aggs_n || q->aggs_n > TELEMETRY_AGGS_MAX) return FAIL_FIELD(f, "agg", "out_of_range", TELEMETRY_AGGS_MAX);
    size_t most = need_of(q) & NEED_VALUES ? TELEMETRY_RANKED_MAX : TELEMETRY_SERIES_MAX;
    if (q->n > most) return FAIL(f, ERR_LIMIT, "too_wide", "too many series at once");
    TRY(plan(&w, a, f));
    TRY(run(&w, f));
    *ret = w.p;
    return OK;
}
