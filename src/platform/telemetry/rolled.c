/* Rolling up, and coding of what comes of it, column by column.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/rolled_internal.h"

#include <math.h>

/* ---- rolling up ---- */

static void add_value(struct rolled *w, int64_t off, double v) {
    if (!w->count) {
        w->first_off = off;
        w->first = w->min = w->max = v;
    }
    if (v < w->min) w->min = v;
    if (v > w->max) w->max = v;
    w->sum += v;
    w->last = v;
    w->last_off = off;
    w->count++;
}

static void add_pair(struct rolled *w, int64_t ms, double before, double v) {
    w->pairs++;
    w->pair_ms += ms;
    w->delta += v - before;
    if (v < before) w->drops += before;
    w->area2 += (v + before) * (double)ms;
}

bool rolling_add(struct rolling *r, const struct points *p, int64_t gap_ms) {
    for (size_t i = 0; i < p->n; i++) {
        double v = p->value[i];
        int64_t at = p->at[i], m;
        if (isnan(v)) continue;
        if (r->scale != NO_DECIMAL) r->scale = decimal_find(v, r->scale, &m);
        struct rolled *w = r->n ? &r->rows[r->n - 1] : NULL;
        if (!w || at - w->at_ms >= r->step_ms) {
            if (r->n == r->cap) return false;
            w = &r->rows[r->n++];
            *w = (struct rolled){.at_ms = floor_to(at, r->step_ms)};
        }
        add_value(w, at - w->at_ms, v);
        if (r->has_before && at - r->before_ms <= gap_ms) add_pair(w, at - r->before_ms, r->before, v);
        r->before_ms = at;
        r->before = v;
        r->has_before = true;
    }
    return true;
}

void rolled_unpair(struct rolled *row, const struct rolled *before, int64_t gap_ms) {
    int64_t ms = row->at_ms + row->first_off - before->at_ms - before->last_off;
    if (row->pairs < row->count || ms > gap_ms) return;
    row->delta -= row->first - before->last;
    if (row->first < before->last) row->drops -= before->last;
    row->area2 -= (row->first + before->last) * (double)ms;
    row->pair_ms -= ms;
    if (--row->pairs) return;
    row->delta = row->drops = row->area2 = 0; /* exactly: nothing is left of what was */
    row->pair_ms = 0;
}

/* The decimal nearest to what should be one. */
static void settle(double *v, unsigned scale) {
    double x = *v * f64_powers[scale];
    if (fabs(x) < 9007199254740992.0) *v = decimal_value((int64_t)(x < 0 ? x - 0.5 : x + 0.5), scale);
}

void rolling_end(struct rolling *r) {
    for (size_t i = 0; i < r->n && r->scale <= SCALE_MAX; i++) {
        settle(&r->rows[i].sum, r->scale);
        settle(&r->rows[i].delta, r->scale);
        settle(&r->rows[i].drops, r->scale);
        settle(&r->rows[i].area2, r->scale);
    }
}

/* ---- columns: a byte that says how, then the numbers ---- */

enum { IS_DELTA = 1 << 4, IS_DOUBLES = 1 << 5 };
enum real { MIN, MAX, SUM, FIRST, LAST, DELTA, DROPS, AREA2, REALS };
enum { APART, RELATED }; /* the head's coding */
static const size_t whole_at[] = {offsetof(struct rolled, count), offsetof(struct rolled, first_off),
                                  offsetof(struct rolled, last_off), offsetof(struct rolled, pairs),
                                  offsetof(struct rolled, pair_ms)};
static const size_t real_at[REALS] = {
    [MIN] = offsetof(struct rolled, min),     [MAX] = offsetof(struct rolled, max),
    [SUM] = offsetof(struct rolled, sum),     [FIRST] = offsetof(struct rolled, first),
    [LAST] = offsetof(struct rolled, last),   [DELTA] = offsetof(struct rolled, delta),
    [DROPS] = offsetof(struct rolled, drops), [AREA2] = offsetof(struct rolled, area2)};

static uint8_t *put_ints(uint8_t *out, const int64_t *v, size_t n, unsigned scale) {
    int64_t deltas[ROLLED_MAX];
    for (size_t i = 0; i < n; i++) deltas[i] = (int64_t)((uint64_t)v[i] - (uint64_t)(i ? v[i - 1] : 0));
    bool delta = ints_size(deltas, n) < ints_size(v, n);
    *out++ = (uint8_t)(scale | (delta ? IS_DELTA : 0));
    return ints_put(out, delta ? deltas : v, n);
}

static bool get_how(struct bytes *in, unsigned *ret) {
    if (!in->len) return false;
    *ret = in->ptr[0];
    *in = (struct bytes){in->ptr + 1, in->len - 1};
    return true;
}

static bool get_ints(struct bytes *in, int64_t *ret, size_t n, unsigned *ret_scale) {
    unsigned how;
    if (!get_how(in, &how) || !ints_get(in, ret, n)) return false;
    for (size_t i = 1; i < n && how & IS_DELTA; i++) ret[i] = (int64_t)((uint64_t)ret[i] + (uint64_t)ret[i - 1]);
    *ret_scale = how & ~(unsigned)IS_DELTA;
    return *ret_scale <= SCALE_MAX;
}

static uint8_t *put_whole(uint8_t *out, const struct rolled *rows, size_t n) {
    int64_t v[ROLLED_MAX];
    for (size_t k = 0; k < COUNT(whole_at); k++) {
        for (size_t i = 0; i < n; i++) memcpy(&v[i], (const char *)&rows[i] + whole_at[k], sizeof v[i]);
        out = put_ints(out, v, n, 0);
    }
    return out;
}

static bool get_whole(struct bytes *in, struct rolled *rows, size_t n) {
    int64_t v[ROLLED_MAX];
    unsigned scale;
    for (size_t k = 0; k < COUNT(whole_at); k++) {
        if (!get_ints(in, v, n, &scale) || scale) return false;
        for (size_t i = 0; i < n; i++) memcpy((char *)&rows[i] + whole_at[k], &v[i], sizeof v[i]);
    }
    return true;
}

/* ---- columns of doubles, each for itself ---- */

static void take_column(const struct rolled *rows, size_t n, enum real k, double *ret) {
    for (size_t i = 0; i < n; i++) memcpy(&ret[i], (const char *)&rows[i] + real_at[k], sizeof ret[i]);
}

static void give_column(struct rolled *rows, size_t n, enum real k, const double *v) {
    for (size_t i = 0; i < n; i++) memcpy((char *)&rows[i] + real_at[k], &v[i], sizeof v[i]);
}

static uint8_t *put_apart(uint8_t *out, const struct rolled *rows, size_t n) {
    for (enum real k = 0; k < REALS; k++) {
        double d[ROLLED_MAX];
        int64_t m[ROLLED_MAX];
        unsigned scale = 0;
        take_column(rows, n, k, d);
        if (decimals_find(d, n, m, &scale)) {
            out = put_ints(out, m, n, scale);
            continue;
        }
        *out++ = IS_DOUBLES;
        for (size_t i = 0; i < n; i++, out += 8) le_put(out, bits_of(d[i]), 8);
    }
    return out;
}

static bool get_doubles(struct bytes *in, double *ret, size_t n) {
    if (in->len < 1 + 8 * n) return false;
    for (size_t i = 0; i < n; i++) ret[i] = double_of(le_get(in->ptr + 1 + 8 * i, 8));
    *in = (struct bytes){in->ptr + 1 + 8 * n, in->len - 1 - 8 * n};
    return true;
}

static bool get_apart(struct bytes *in, struct rolled *rows, size_t n) {
    for (enum real k = 0; k < REALS; k++) {
        double d[ROLLED_MAX];
        int64_t m[ROLLED_MAX];
        unsigned scale = 0;
        bool doubles = in->len && in->ptr[0] == IS_DOUBLES;
        if (doubles ? !get_doubles(in, d, n) : !get_ints(in, m, n, &scale)) return false;
        for (size_t i = 0; i < n && !doubles; i++) d[i] = decimal_value(m[i], scale);
        give_column(rows, n, k, d);
    }
    return true;
}

/* ---- columns of decimals by what they differ from each other: of a steady series most of it is nothing ---- */

/* Adds (sign 1) or takes off (-1) what one column has of others; numbers wrap, so that it can always be undone. */
static void relate(uint64_t m[REALS][ROLLED_MAX], const struct rolled *rows, size_t n, uint64_t sign) {
    for (size_t i = 0; i < n; i++) {
        uint64_t rise = m[LAST][i] - (i ? m[LAST][i - 1] : 0), before = m[LAST][i] - rise;
        uint64_t step = rows[i].pairs > 0 ? (uint64_t)(rows[i].pair_ms / rows[i].pairs) : 0;
        m[DELTA][i] += sign * rise;
        m[AREA2][i] += sign * step * (2 * m[SUM][i] - m[LAST][i] + before);
    }
}

static void relate_to_min(uint64_t m[REALS][ROLLED_MAX], const struct rolled *rows, size_t n, uint64_t sign) {
    for (size_t i = 0; i < n; i++) {
        m[SUM][i] += sign * (uint64_t)rows[i].count * m[MIN][i];
        m[MAX][i] += sign * m[MIN][i];
        m[FIRST][i] += sign * m[MIN][i];
        m[LAST][i] += sign * m[MIN][i];
    }
}

static bool all_decimals(const struct rolled *rows, size_t n, int64_t m[REALS][ROLLED_MAX], unsigned *scale) {
    double d[ROLLED_MAX];
    unsigned before = NO_DECIMAL;
    for (*scale = 0; *scale != before;) { /* a new scale is for the columns before it, too */
        before = *scale;
        for (enum real k = 0; k < REALS; k++) {
            take_column(rows, n, k, d);
            if (!decimals_find(d, n, m[k], scale)) return false;
        }
    }
    return true;
}

/* NULL: they are no decimals. */
static uint8_t *put_related(uint8_t *out, const struct rolled *rows, size_t n) {
    union {
        int64_t i[REALS][ROLLED_MAX];
        uint64_t u[REALS][ROLLED_MAX];
    } m;
    unsigned scale;
    if (!all_decimals(rows, n, m.i, &scale)) return NULL;
    relate(m.u, rows, n, (uint64_t)-1);
    relate_to_min(m.u, rows, n, (uint64_t)-1);
    for (enum real k = 0; k < REALS; k++) out = put_ints(out, m.i[k], n, scale);
    return out;
}

static bool get_related(struct bytes *in, struct rolled *rows, size_t n) {
    union {
        int64_t i[REALS][ROLLED_MAX];
        uint64_t u[REALS][ROLLED_MAX];
    } m;
    unsigned scale;
    for (enum real k = 0; k < REALS; k++)
        if (!get_ints(in, m.i[k], n, &scale)) return false;
    relate_to_min(m.u, rows, n, 1);
    relate(m.u, rows, n, 1);
    for (enum real k = 0; k < REALS; k++) {
        double d[ROLLED_MAX];
        for (size_t i = 0; i < n; i++) d[i] = decimal_value(m.i[k][i], scale);
        give_column(rows, n, k, d);
    }
    return true;
}

/* ---- chunks ---- */

static uint8_t *put_times(uint8_t *out, const struct rolled *rows, size_t n, int64_t step_ms) {
    int64_t v[ROLLED_MAX] = {0};
    for (size_t i = 1; i < n; i++) v[i - 1] = (rows[i].at_ms - rows[i - 1].at_ms) / step_ms - 1;
    return ints_put(out, v, n - 1);
}

static bool get_times(const struct chunk_head *h, struct bytes in, int64_t step_ms, struct rolled *rows) {
    int64_t v[ROLLED_MAX];
    if (!ints_get(&in, v, h->count - 1u) || in.len) return false;
    rows[0].at_ms = h->first_ms;
    for (size_t i = 1; i < h->count; i++) {
        if (v[i - 1] < 0 || v[i - 1] > UINT32_MAX / step_ms) return false;
        rows[i].at_ms = rows[i - 1].at_ms + (v[i - 1] + 1) * step_ms;
    }
    return rows[h->count - 1].at_ms == h->last_ms;
}

size_t rolled_encode(uint32_t series, int64_t step_ms, const struct rolled *rows, size_t n, unsigned parts,
                     uint8_t *out) {
    uint8_t body[CHUNK_BYTES_MAX];
    struct chunk_head h = {.series = series,
                           .first_ms = rows[0].at_ms,
                           .last_ms = rows[n - 1].at_ms,
                           .count = (uint16_t)n,
                           .valid = (uint16_t)n,
                           .coding = RELATED,
                           .is_rolled = true,
                           .parts = parts};
    for (size_t i = 0; i < n; i++) h.points += (uint64_t)rows[i].count;
    uint8_t *columns = put_times(body, rows, n, step_ms), *real = put_whole(columns, rows, n);
    uint8_t *end = put_related(real, rows, n);
    if (!end) {
        h.coding = APART;
        end = put_apart(real, rows, n);
    }
    h.times_len = (uint16_t)(columns - body);
    h.values_len = (uint16_t)(end - columns);
    h.body_len = (uint16_t)(end - body);
    return chunk_put(&h, NULL, body, out);
}

bool rolled_decode(const struct chunk_head *h, int64_t step_ms, const uint8_t *chunk, struct rolled *ret) {
    const uint8_t *body = chunk + h->head_len;
    struct bytes in = {body + h->times_len, h->values_len};
    return h->is_rolled && h->count <= ROLLED_MAX && (uint32_t)chunk_sum(body, h->body_len) == h->body_sum &&
           get_times(h, (struct bytes){body, h->times_len}, step_ms, ret) && get_whole(&in, ret, h->count) &&
           (h->coding == RELATED ? get_related : get_apart)(&in, ret, h->count) && !in.len;
}
