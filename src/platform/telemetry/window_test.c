/* Windows: aligned as the community's calendar says, equal to what a naive sum gives, empty where nothing is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/model_test_internal.h"

#include <stdlib.h>

#define DIR       "readings"
#define ZONES     "/usr/share/zoneinfo/"
#define TZIF_MAX  16384
#define HOUR_MS   INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

static struct zone *zone_named(struct t *t, const char *name) {
    char path[256];
    static uint8_t bytes[TZIF_MAX];
    struct zone *z = NULL;
    snprintf(path, sizeof path, ZONES "%s", name);
    FILE *in = fopen(path, "rb");
    size_t n = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    if (in) fclose(in);
    CHECK_SAY(t, n && !zone_parse((struct bytes){bytes, n}, &z, &t->fault), "%s", path);
    return z;
}

static int64_t ms_of(struct t *t, const char *text) {
    int64_t ms = 0;
    CHECK_SAY(t, civil_read_time(str_of(text), &ms), "%s", text);
    return ms;
}

static struct telemetry_every every_of(struct t *t, const char *text) {
    struct telemetry_every every = {0};
    CHECK_SAY(t, telemetry_every_read(str_of(text), &every), "%s", text);
    return every;
}

static void lengths_are_read_strictly(struct t *t) {
    static const struct {
        const char *text;
        int64_t n;
        char unit;
    } rows[] = {
        {"1s", 1, 's'},     {"5m", 5, 'm'},  {"24h", 24, 'h'},
        {"1d", 1, 'd'},     {"1mo", 1, 'M'}, {"1000000s", 1000000, 's'},
        {"1000001s", 0, 0}, {"0s", 0, 0},    {"-1s", 0, 0},
        {"s", 0, 0},        {"", 0, 0},      {"5", 0, 0},
        {"5M", 0, 0},       {"5 m", 0, 0},   {"1.5h", 0, 0},
        {"1mon", 0, 0},     {"1w", 0, 0},    {"99999999999999999999s", 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct telemetry_every every = {0};
        bool ok = telemetry_every_read(str_of(rows[i].text), &every);
        CHECK_SAY(t, ok == (rows[i].n > 0) && every.n == rows[i].n && every.unit == rows[i].unit, "%s", rows[i].text);
    }
    enum telemetry_agg agg;
    CHECK(t, telemetry_agg_read(S("p95"), &agg) && agg == TELEMETRY_P95);
    CHECK(t, !telemetry_agg_read(S("median"), &agg) && !telemetry_agg_read(S(""), &agg));
}

/* ---- where they begin ---- */

struct windows_row {
    const char *zone, *from, *to, *every, *starts[6];
};

static void windows_follow_the_communitys_calendar(struct t *t) {
    static const struct windows_row rows[] = {
        {"UTC",
         "2026-03-01T00:00:30Z",
         "2026-03-01T00:03:00Z",
         "1m",
         {"2026-03-01T00:00:00Z", "2026-03-01T00:01:00Z", "2026-03-01T00:02:00Z"}},
        {"Asia/Kolkata",
         "2026-03-01T00:00:00Z",
         "2026-03-01T02:00:00Z",
         "1h", /* hours count from 1970 UTC */
         {"2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z"}},
        {"Asia/Shanghai",
         "2026-03-01T00:00:00Z",
         "2026-03-03T00:00:00Z",
         "1d",
         {"2026-02-28T16:00:00Z", "2026-03-01T16:00:00Z", "2026-03-02T16:00:00Z"}},
        {"Europe/Berlin",
         "2026-03-28T12:00:00Z",
         "2026-03-31T00:00:00Z",
         "1d", /* 23 hours on the 29th */
         {"2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"}},
        {"Europe/Berlin",
         "2026-10-24T22:00:00Z",
         "2026-10-26T23:00:00Z",
         "1d", /* 25 hours on the 25th */
         {"2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}},
        {"America/Havana",
         "2026-03-07T12:00:00Z",
         "2026-03-09T12:00:00Z",
         "1d", /* midnight of the 8th is skipped */
         {"2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"}},
        {"Europe/Berlin",
         "2026-01-15T00:00:00Z",
         "2026-05-01T00:00:00Z",
         "1mo",
         {"2025-12-31T23:00:00Z", "2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z",
          "2026-04-30T22:00:00Z"}},
        {"UTC",
         "2026-01-01T00:00:00Z",
         "2027-01-01T00:00:00Z",
         "6mo",
         {"2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"}},
        {"UTC",
         "2026-01-02T00:00:00Z",
         "2026-01-12T00:00:00Z",
         "7d", /* weeks from Thursday 1970-01-01 */
         {"2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"}},
        {"UTC",
         "2026-01-01T23:30:00Z",
         "2026-01-02T00:30:00Z",
         "1d",
         {"2026-01-01T00:00:00Z"}}, /* longer: one window */
        {"UTC", "2026-01-01T23:30:00Z", "2026-01-02T23:30:00Z", "1d", {"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"}},
        {"UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "1d", {NULL}},
    };
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    CHECK(t, !model_open(m));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone *z = zone_named(t, rows[i].zone);
        struct telemetry_points p = {0};
        struct telemetry_windows_query q = {.from_ms = ms_of(t, rows[i].from),
                                            .to_ms = ms_of(t, rows[i].to),
                                            .every = every_of(t, rows[i].every),
                                            .aggs = {TELEMETRY_COUNT},
                                            .aggs_n = 1,
                                            .zone = z,
                                            .limit = 100};
        CHECK(t, !telemetry_windows(m->store, &q, &t->arena, &p, &t->fault));
        size_t n = 0;
        while (n < COUNT(rows[i].starts) && rows[i].starts[n]) n++;
        CHECK_SAY(t, p.n == n && !p.has_next, "row %zu: %zu windows", i, p.n);
        for (size_t k = 0; k < n && k < p.n; k++)
            CHECK_SAY(t, p.at_ms[k] == ms_of(t, rows[i].starts[k]) && p.value[k] == 0, "row %zu, window %zu", i, k);
        zone_free(z);
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* ---- what they hold ---- */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double naive_pairs(const struct model *m, size_t series, size_t n_series, size_t lo, size_t hi,
                          enum telemetry_agg agg) {
    double all = 0;
    size_t n = 0;
    for (size_t s = series; s < series + n_series; s++) {
        double delta = 0, area = 0, seconds = 0;
        for (size_t slot = lo; slot < hi; slot++) {
            if (!m->is_there[s][slot] || isnan(m->value[s][slot])) continue;
            size_t b = slot;
            while (b && (b == slot || !m->is_there[s][b] || isnan(m->value[s][b]))) b--;
            if (b == slot || !m->is_there[s][b] || isnan(m->value[s][b])) continue;
            int64_t ms = (int64_t)(slot - b) * MODEL_STEP;
            if (ms > TELEMETRY_GAP_MS) continue;
            delta += m->value[s][slot] - m->value[s][b];
            area += (m->value[s][slot] + m->value[s][b]) / 2 * (double)ms / HOUR_MS;
            seconds += (double)ms / 1000;
            n++;
        }
        if (seconds > 0) all += agg == TELEMETRY_DELTA ? delta : agg == TELEMETRY_RATE ? delta / seconds : area;
    }
    return n ? all : NAN;
}

/* The naive answer for slots lo..hi-1 of two series. */
static double naive(const struct model *m, size_t series, size_t n_series, size_t lo, size_t hi,
                    enum telemetry_agg agg) {
    static double v[MODEL_SERIES * MODEL_SLOTS];
    size_t n = 0;
    double sum = 0;
    if (agg >= TELEMETRY_DELTA) return naive_pairs(m, series, n_series, lo, hi, agg);
    for (size_t slot = lo; slot < hi; slot++)
        for (size_t s = series; s < series + n_series; s++) {
            if (!m->is_there[s][slot] || isnan(m->value[s][slot])) continue;
            v[n++] = m->value[s][slot];
            sum += m->value[s][slot];
        }
    if (agg == TELEMETRY_COUNT) return (double)n;
    if (!n) return NAN;
    if (agg == TELEMETRY_SUM) return sum;
    if (agg == TELEMETRY_AVG) return sum / (double)n;
    if (agg == TELEMETRY_FIRST) return v[0];
    if (agg == TELEMETRY_LAST) return v[n - 1];
    qsort(v, n, sizeof v[0], compare_doubles);
    if (agg == TELEMETRY_MIN) return v[0];
    if (agg == TELEMETRY_MAX) return v[n - 1];
    size_t rank = 1;
    while ((double)rank < (agg == TELEMETRY_P50 ? 0.5 : 0.95) * (double)n) rank++;
    return v[rank - 1];
}

static bool is_near(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b) + 1);
}

static void compare_windows(struct model *m, enum telemetry_agg agg, size_t lo, size_t hi, int64_t hours,
                            size_t limit) {
    size_t n_series = agg == TELEMETRY_FIRST || agg == TELEMETRY_LAST ? 1 : 2;
    uint32_t series[2] = {model_number(m, 2), model_number(m, 3)};
    struct arena a;
    arena_init(&a, 4u << 20);
    struct telemetry_windows_query q = {.series = series,
                                        .n = n_series,
                                        .from_ms = model_at(m, lo),
                                        .to_ms = model_at(m, hi),
                                        .every = {hours, 'h'},
                                        .aggs = {agg, TELEMETRY_COUNT},
                                        .aggs_n = 2,
                                        .limit = limit};
    for (bool more = true; more && !m->t->failed;) {
        struct telemetry_points p = {0};
        CHECK(m->t, !telemetry_windows(m->store, &q, &a, &p, &m->t->fault) && p.n <= limit);
        for (size_t i = 0; i < p.n; i++) {
            int64_t from = p.at_ms[i] > q.from_ms ? p.at_ms[i] : q.from_ms, to = p.at_ms[i] + hours * HOUR_MS;
            if (to > q.to_ms || hours * HOUR_MS > q.to_ms - q.from_ms) to = q.to_ms;
            size_t first = (size_t)((from - m->start_ms + MODEL_STEP - 1) / MODEL_STEP);
            size_t end = (size_t)((to - m->start_ms + MODEL_STEP - 1) / MODEL_STEP);
            double want = naive(m, 2, n_series, first, end, agg);
            CHECK_SAY(m->t, is_near(p.value[2 * i], want), "aggregate %d, window %zu: %g, not %g", (int)agg, i,
                      p.value[2 * i], want);
            want = naive(m, 2, n_series, first, end, TELEMETRY_COUNT);
            CHECK_SAY(m->t, p.value[2 * i + 1] == want, "beside aggregate %d, window %zu: %g, not %g", (int)agg, i,
                      p.value[2 * i + 1], want);
        }
        more = p.has_next;
        q.from_ms = p.next_ms;
        arena_reset(&a);
    }
    arena_finish(&a);
}

static void windows_hold_what_a_naive_sum_gives(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct telemetry_point points[100];
    struct telemetry_stats stats;
    CHECK(t, !model_open(m));
    for (int i = 0; i < 260; i++) {
        size_t n = model_random(m, points, COUNT(points));
        CHECK(t, !model_put(m, points, n));
        model_note(m, points, n);
    }
    telemetry_stats(m->store, &stats);
    CHECK(t, stats.chunks > 8);
    for (int i = 0; i < 200 && !t->failed; i++) {
        size_t lo = test_random(t) % MODEL_SLOTS, hi = lo + test_random(t) % (MODEL_SLOTS - lo);
        compare_windows(m, (enum telemetry_agg)(i % TELEMETRY_AGG__COUNT), lo, hi, 1 + (int64_t)(test_random(t) % 400),
                        i % 3 ? 1000 : 1 + test_random(t) % 20);
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* Whole chunks are summed up by their heads: the same figures, without reading what is in them. */
static void summaries_of_whole_chunks_stand_for_their_points(struct t *t) {
    enum { N = 40000 };
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, N);
    int64_t from = ms_of(t, "2026-07-01T00:00:00Z");
    double sum = 0;
    CHECK(t, !model_open(m));
    for (int i = 0; i < N; i++) {
        p[i] = model_point(m, 0, 0, (double)((i * 7919) % 1000) - 300);
        p[i].at_ms = from + MINUTE_MS * i;
        sum += p[i].value;
    }
    CHECK(t, !model_put(m, p, N));
    uint32_t series = model_number(m, 0);
    static const double want[TELEMETRY_AGG__COUNT] = {
        [TELEMETRY_MIN] = -300,   [TELEMETRY_MAX] = 699, [TELEMETRY_COUNT] = N,
        [TELEMETRY_FIRST] = -300, [TELEMETRY_P50] = 199, [TELEMETRY_P95] = 649};
    for (int agg = 0; agg < TELEMETRY_AGG__COUNT; agg++) {
        struct telemetry_points got = {0};
        struct telemetry_windows_query q = {.series = &series,
                                            .n = 1,
                                            .from_ms = from,
                                            .to_ms = from + MINUTE_MS * N,
                                            .every = {1, 'M'},
                                            .aggs = {(enum telemetry_agg)agg},
                                            .aggs_n = 1,
                                            .limit = 5};
        CHECK(t, !telemetry_windows(m->store, &q, &t->arena, &got, &t->fault) && got.n == 1);
        double expected = agg == TELEMETRY_AVG        ? sum / N
                          : agg == TELEMETRY_SUM      ? sum
                          : agg == TELEMETRY_LAST     ? p[N - 1].value
                          : agg == TELEMETRY_DELTA    ? p[N - 1].value - p[0].value
                          : agg == TELEMETRY_RATE     ? (p[N - 1].value - p[0].value) / (60.0 * (N - 1))
                          : agg == TELEMETRY_INTEGRAL ? (sum - (p[0].value + p[N - 1].value) / 2) / 60
                                                      : want[agg];
        CHECK_SAY(t, is_near(got.value[0], expected), "aggregate %d: %g, not %g", agg, got.value[0], expected);
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

static void a_query_that_is_too_wide_is_refused(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    static uint32_t series[TELEMETRY_SERIES_MAX + 1];
    struct telemetry_points p = {0};
    struct telemetry_windows_query q = {.series = series,
                                        .n = TELEMETRY_SERIES_MAX,
                                        .to_ms = 1000 * MINUTE_MS,
                                        .every = {1, 'm'},
                                        .aggs = {TELEMETRY_AVG},
                                        .aggs_n = 1,
                                        .limit = TELEMETRY_POINTS_MAX};
    CHECK(t, !model_open(m));
    CHECK(t, !telemetry_windows(m->store, &q, &t->arena, &p, &t->fault) && p.n == 1000);
    q.n++;
    CHECK(t, telemetry_windows(m->store, &q, &t->arena, &p, &t->fault) == ERR_LIMIT);
    q.n--;
    q.to_ms += MINUTE_MS; /* one window more */
    t->fault = (struct fault){0};
    CHECK(t,
          telemetry_windows(m->store, &q, &t->arena, &p, &t->fault) == ERR_LIMIT && !strcmp(t->fault.code, "too_wide"));
    q.aggs[0] = TELEMETRY_P95; /* all their values of a window are in memory at once */
    q.n = TELEMETRY_RANKED_MAX;
    CHECK(t, !telemetry_windows(m->store, &q, &t->arena, &p, &t->fault) && p.n == 1001);
    q.n++;
    t->fault = (struct fault){0};
    CHECK(t,
          telemetry_windows(m->store, &q, &t->arena, &p, &t->fault) == ERR_LIMIT && !strcmp(t->fault.code, "too_wide"));
    q.limit = TELEMETRY_POINTS_MAX + 1;
    t->fault = (struct fault){0};
    CHECK(t, telemetry_windows(m->store, &q, &t->arena, &p, &t->fault) == ERR_INVALID);
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* Points that are read count, of however many series and queries. */
static void a_query_that_reads_too_much_is_refused(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    uint32_t both[2];
    size_t budget;
    CHECK(t, !model_open(m));
    for (size_t slot = 0; slot < 100; slot++) {
        struct telemetry_point two[] = {model_point(m, 0, slot, 1), model_point(m, 1, slot, 2)};
        CHECK(t, !model_put(m, two, 2));
    }
    for (size_t k = 0; k < 2; k++) both[k] = model_number(m, k);
    for (int agg = TELEMETRY_AVG; agg < TELEMETRY_AGG__COUNT; agg++) {
        for (size_t n = 1; n <= 2; n++) {
            struct telemetry_windows_query q = {.series = both,
                                                .n = n,
                                                .from_ms = m->start_ms,
                                                .to_ms = m->start_ms + 100 * MODEL_STEP,
                                                .every = {10, 'm'},
                                                .aggs = {(enum telemetry_agg)agg},
                                                .aggs_n = 1,
                                                .limit = 10000,
                                                .budget = &budget};
            struct telemetry_points got = {0};
            struct fault f = {0};
            budget = 200 * n - 1;
            CHECK_SAY(t, !telemetry_windows(m->store, &q, &t->arena, &got, &f), "aggregate %d of %zu", agg, n);
            CHECK_SAY(t, budget == 100 * n - 1 || agg < TELEMETRY_P50 /* summaries cost otherwise */,
                      "aggregate %d of %zu: %zu left", agg, n, budget);
            CHECK_SAY(t, telemetry_windows(m->store, &q, &t->arena, &got, &f) == ERR_LIMIT, "aggregate %d of %zu", agg,
                      n);
            CHECK(t, !strcmp(f.code, "too_wide"));
        }
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

struct patience {
    int left;
};
static bool is_out(const void *arg) {
    struct patience *p = *(struct patience *const *)arg;
    return p->left-- <= 0;
}

static void a_query_nobody_waits_for_ends(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct patience p = {2}, *const at = &p;
    CHECK(t, !model_open(m));
    for (size_t slot = 0; slot < 900; slot++) {
        struct telemetry_point one = model_point(m, 0, slot, 1);
        CHECK(t, !model_put(m, &one, 1));
    }
    uint32_t number = model_number(m, 0);
    uint32_t both[2] = {number, number};
    for (size_t n = 1; n <= 2; n++) { /* one series, and many */
        struct telemetry_windows_query q = {.series = both,
                                            .n = n,
                                            .from_ms = m->start_ms,
                                            .to_ms = m->start_ms + 900 * MODEL_STEP,
                                            .every = {10, 'm'},
                                            .aggs = {TELEMETRY_AVG},
                                            .aggs_n = 1,
                                            .limit = 10000,
                                            .is_over = is_out,
                                            .arg = &at};
        struct telemetry_points got = {0};
        struct fault f = {0};
        p.left = 2;
        CHECK(t, telemetry_windows(m->store, &q, &t->arena, &got, &f) == ERR_UNAVAILABLE);
        CHECK(t, !strcmp(f.code, "cancelled") && p.left == -1);
        p.left = 100000;
        CHECK(t, !telemetry_windows(m->store, &q, &t->arena, &got, &f) && p.left < 100000 - 10);
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

TESTS(CASE(a_query_nobody_waits_for_ends), CASE(a_query_that_reads_too_much_is_refused),
      CASE(lengths_are_read_strictly), CASE(windows_follow_the_communitys_calendar),
      CASE(windows_hold_what_a_naive_sum_gives), CASE(summaries_of_whole_chunks_stand_for_their_points),
      CASE(a_query_that_is_too_wide_is_refused))
