/* A naive model of readings beside the store, for its tests.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_MODEL_TEST_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_MODEL_TEST_INTERNAL_H

#include "platform/telemetry/telemetry.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_SERIES 4
#define MODEL_SLOTS  3000
#define MODEL_STEP   INT64_C(1500000) /* 25 minutes: the slots span three months */
#define COMMUNITY    7

/* Every (series, time) that may exist, with what was last written there. */
struct model {
    struct t *t;
    struct telemetry *store;
    struct telemetry_options options;
    int64_t start_ms; /* of slot 0 */
    double value[MODEL_SERIES][MODEL_SLOTS];
    uint8_t quality[MODEL_SERIES][MODEL_SLOTS];
    bool is_there[MODEL_SERIES][MODEL_SLOTS];
    size_t edge; /* where most new points are */
    uint64_t random;
};

/* Of its own, so that a run can be had again whatever the store draws. */
static inline uint64_t model_u64(struct model *m) {
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline struct model *model_make(struct t *t, const struct io *io, const char *dir) {
    struct model *m = arena_new(&t->arena, struct model, 1);
    m->t = t;
    m->random = t->seed;
    m->start_ms = t->world.utc_ms(t->world.self) - MODEL_SLOTS * MODEL_STEP;
    m->options = (struct telemetry_options){
        .io = io, .world = &t->world, .dir = dir, .threadless = true, .seal_at = 300, .log_bytes_max = 6 * 1024};
    return m;
}

static inline enum err model_open(struct model *m) {
    m->t->fault = (struct fault){0};
    m->store = NULL;
    return telemetry_open(&m->options, &m->store, &m->t->fault);
}

static inline int64_t model_at(const struct model *m, size_t slot) {
    return m->start_ms + (int64_t)slot * MODEL_STEP;
}

static inline struct str model_metric(size_t series) {
    static const char *const names[MODEL_SERIES] = {"temp", "power", "水位", "motion"};
    return str_of(names[series]);
}

static inline struct telemetry_point model_point(const struct model *m, size_t series, size_t slot, double value) {
    return (struct telemetry_point){.device = series < 2 ? S("pump-1") : S("pump-2"),
                                    .metric = model_metric(series),
                                    .at_ms = model_at(m, slot),
                                    .value = value,
                                    .quality = (uint8_t)(slot % 3 == 0)};
}

/* Random points, mostly new ones in order, some late, some written again. */
static inline size_t model_random(struct model *m, struct telemetry_point *ret, size_t cap) {
    size_t n = 1 + model_u64(m) % cap;
    for (size_t i = 0; i < n; i++) {
        bool late = model_u64(m) % 5 == 0;
        size_t slot = late ? model_u64(m) % (m->edge + 1) : m->edge;
        double value = (double)(int64_t)(model_u64(m) % 1000) / 10;
        if (model_u64(m) % 40 == 0) value = NAN;
        if (model_u64(m) % 40 == 0) value = 1.0 / 3;
        ret[i] = model_point(m, model_u64(m) % MODEL_SERIES, slot, value);
        if (!late && model_u64(m) % 3 == 0 && m->edge + 1 < MODEL_SLOTS) m->edge++;
    }
    return n;
}

/* They are stored. */
static inline void model_note(struct model *m, const struct telemetry_point *points, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t series = 0, slot = (size_t)((points[i].at_ms - m->start_ms) / MODEL_STEP);
        while (!str_eq(model_metric(series), points[i].metric)) series++;
        m->value[series][slot] = points[i].value;
        m->quality[series][slot] = points[i].quality;
        m->is_there[series][slot] = true;
    }
}

static inline enum err model_put(struct model *m, const struct telemetry_point *points, size_t n) {
    struct telemetry_batch b = {.community_id = COMMUNITY, .points = points, .n = n};
    struct fault f = {0};
    return telemetry_put_wait(m->store, &b, NULL, &f);
}

/* UINT32_MAX: there is no such series. */
static inline uint32_t model_number(struct model *m, size_t series) {
    struct str device = series < 2 ? S("pump-1") : S("pump-2");
    struct telemetry_series *got = NULL;
    size_t n = 0;
    enum err e =
        telemetry_latest(m->store, COMMUNITY, &device, 1, model_metric(series), &m->t->arena, &got, &n, &m->t->fault);
    CHECK(m->t, !e && n <= 1);
    return n ? got[0].number : UINT32_MAX;
}

/* A series and some of its slots. */
struct model_range {
    size_t series, from, to;
};

static inline struct model_range model_random_range(struct model *m) {
    struct model_range r = {model_u64(m) % MODEL_SERIES, model_u64(m) % (m->edge + 1), 0};
    r.to = r.from + 1 + model_u64(m) % (m->edge / 2 + 2);
    return r;
}

static inline enum err model_erase(struct model *m, struct model_range r) {
    struct fault f = {0};
    uint32_t number = model_number(m, r.series);
    enum err e =
        number == UINT32_MAX ? OK : telemetry_erase(m->store, number, model_at(m, r.from), model_at(m, r.to), &f);
    return e;
}

static inline void model_note_erased(struct model *m, struct model_range r) {
    for (size_t slot = r.from; slot < r.to && slot < MODEL_SLOTS; slot++) m->is_there[r.series][slot] = false;
}

static inline bool same_value(double a, double b) {
    return (isnan(a) && isnan(b)) || a == b;
}

/* Is what the store gives of the series exactly the model's?  Reads the slots from..to-1 in pages of `limit`;
 * *ret_slot: where they part. */
static inline bool model_is_same(struct model *m, size_t series, size_t from, size_t to, size_t limit,
                                 size_t *ret_slot) {
    uint32_t number = model_number(m, series);
    struct arena a;
    bool same = true;
    size_t slot = from;
    int64_t at = model_at(m, from);
    arena_init(&a, 8u << 20);
    for (bool more = true; more && same;) {
        struct telemetry_points p = {0};
        same = !telemetry_range(m->store, number, at, model_at(m, to), limit, &a, &p, &m->t->fault) && !p.damaged &&
               p.n <= limit;
        for (size_t i = 0; i < p.n && same; i++, slot++) {
            while (slot < to && !m->is_there[series][slot]) slot++;
            same = slot < to && p.at_ms[i] == model_at(m, slot) && p.quality[i] == m->quality[series][slot] &&
                   same_value(p.value[i], m->value[series][slot]);
        }
        more = p.has_next;
        at = p.next_ms;
        arena_reset(&a);
    }
    while (same && slot < to && !m->is_there[series][slot]) slot++;
    *ret_slot = slot;
    arena_finish(&a);
    return same && slot == to;
}

static inline void model_compare(struct model *m, size_t series, size_t from, size_t to, size_t limit) {
    size_t slot = 0;
    bool same = model_is_same(m, series, from, to, limit, &slot);
    CHECK_SAY(m->t, same, "series %zu parts from the model at slot %zu of %zu..%zu", series, slot, from, to);
}

static inline bool model_all_same(struct model *m) {
    size_t slot;
    for (size_t s = 0; s < MODEL_SERIES; s++)
        if (!model_is_same(m, s, 0, MODEL_SLOTS, TELEMETRY_POINTS_MAX, &slot)) return false;
    return true;
}

static inline void model_compare_latest(struct model *m, size_t series) {
    struct str device = series < 2 ? S("pump-1") : S("pump-2");
    struct telemetry_series *got = NULL;
    size_t n = 0, last = MODEL_SLOTS;
    while (last && !m->is_there[series][last - 1]) last--;
    CHECK(m->t, !telemetry_latest(m->store, COMMUNITY, &device, 1, model_metric(series), &m->t->arena, &got, &n,
                                  &m->t->fault));
    bool same = n && got[0].has_latest ? last && got[0].latest.at_ms == model_at(m, last - 1) &&
                                             same_value(got[0].latest.value, m->value[series][last - 1])
                                       : !last;
    CHECK_SAY(m->t, same, "series %zu: the latest is not that of slot %zu", series, last);
}

/* Windows of an hour over all slots, as the model says and as the store does. */
#define MODEL_HOURS (MODEL_SLOTS * MODEL_STEP / 3600000 + 2)
struct model_hour {
    double count, sum, max, first, last, delta;
};

static inline void model_hours(const struct model *m, size_t series, int64_t from_ms, struct model_hour *ret) {
    double before = NAN;
    int64_t before_ms = 0;
    for (size_t i = 0; i < MODEL_HOURS; i++) ret[i] = (struct model_hour){0, NAN, NAN, NAN, NAN, NAN};
    for (size_t slot = 0; slot < MODEL_SLOTS; slot++) {
        int64_t at = model_at(m, slot);
        double v = m->value[series][slot];
        struct model_hour *h = &ret[(at - from_ms) / 3600000];
        if (!m->is_there[series][slot] || isnan(v)) continue;
        h->sum = h->count ? h->sum + v : v;
        h->max = h->count && h->max > v ? h->max : v;
        h->first = h->count ? h->first : v;
        h->last = v;
        h->count++;
        if (!isnan(before) && at - before_ms <= TELEMETRY_GAP_MS)
            h->delta = (isnan(h->delta) ? 0 : h->delta) + v - before;
        before = v;
        before_ms = at;
    }
}

static inline bool close_enough(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * (1 + fabs(a));
}

/* `lose`: windows that begin before are not compared.  *ret_rolled: some of it was rolled up. */
static inline void model_compare_hours(struct model *m, size_t series, int64_t lose, bool *ret_rolled) {
    static const enum telemetry_agg asked[2][TELEMETRY_AGGS_MAX] = {
        {TELEMETRY_COUNT, TELEMETRY_SUM, TELEMETRY_MAX, TELEMETRY_FIRST}, {TELEMETRY_LAST, TELEMETRY_DELTA}};
    uint32_t number = model_number(m, series);
    int64_t from = m->start_ms - m->start_ms % 3600000;
    struct model_hour *want = malloc(MODEL_HOURS * sizeof *want);
    struct telemetry_points got[2] = {{0}, {0}};
    struct arena a;
    arena_init(&a, 8u << 20);
    model_hours(m, series, from, want);
    for (size_t k = 0; k < 2; k++) {
        struct telemetry_windows_query q = {.series = &number,
                                            .n = 1,
                                            .from_ms = from,
                                            .to_ms = from + MODEL_HOURS * 3600000,
                                            .every = {1, 'h'},
                                            .aggs_n = k ? 2 : 4,
                                            .limit = TELEMETRY_POINTS_MAX};
        memcpy(q.aggs, asked[k], sizeof q.aggs);
        CHECK(m->t, !telemetry_windows(m->store, &q, &a, &got[k], &m->t->fault) && got[k].n == MODEL_HOURS);
        if (ret_rolled) *ret_rolled = *ret_rolled || got[k].rolled_min == 60;
    }
    for (size_t i = 0; i < MODEL_HOURS && !m->t->failed; i++) {
        const double *x = &got[0].value[i * 4], *y = &got[1].value[i * 2];
        bool same = x[0] == want[i].count && close_enough(x[1], want[i].sum) && same_value(x[2], want[i].max) &&
                    same_value(x[3], want[i].first) && same_value(y[0], want[i].last) &&
                    close_enough(y[1], want[i].delta);
        if (got[0].at_ms[i] < lose) continue;
        CHECK_SAY(m->t, same, "series %zu, hour %zu: %g %g %g %g %g %g, not %g %g %g %g %g %g", series, i, x[0], x[1],
                  x[2], x[3], y[0], y[1], want[i].count, want[i].sum, want[i].max, want[i].first, want[i].last,
                  want[i].delta);
    }
    free(want);
    arena_finish(&a);
}

static inline void model_compare_all(struct model *m) {
    for (size_t s = 0; s < MODEL_SERIES && !m->t->failed; s++) {
        model_compare(m, s, 0, MODEL_SLOTS, TELEMETRY_POINTS_MAX);
        model_compare_latest(m, s);
    }
}

#endif
