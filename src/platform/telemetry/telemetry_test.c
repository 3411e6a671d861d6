/* What the door of the readings lets in, devices and their names, retention, many threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"
#include "tests/lib/test.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

struct site {
    struct t *t;
    struct io_sim *sim;
    struct io io;
    struct telemetry_options options;
    struct telemetry *store;
    int64_t now_ms;
};

static void reopen(struct site *s) {
    telemetry_close(s->store);
    s->store = NULL;
    CHECK(s->t, !telemetry_open(&s->options, &s->store, &s->t->fault));
}

static void start(struct site *s, struct t *t) {
    *s = (struct site){.t = t, .sim = io_sim_create(t->seed), .now_ms = t->world.utc_ms(t->world.self)};
    s->io = io_sim_io(s->sim);
    s->options = (struct telemetry_options){.io = &s->io, .world = &t->world, .dir = "readings", .threadless = true};
    reopen(s);
}

static void stop(struct site *s) {
    telemetry_close(s->store);
    io_sim_destroy(s->sim);
}

static struct telemetry_point point(const struct site *s, const char *device, const char *metric, double value) {
    return (struct telemetry_point){
        .device = str_of(device), .metric = str_of(metric), .at_ms = s->now_ms, .value = value};
}

static enum err put(struct site *s, int64_t community_id, const struct telemetry_point *p, size_t n, size_t *ret_bad) {
    struct telemetry_batch b = {community_id, p, n};
    s->t->fault = (struct fault){0};
    enum err e = telemetry_put_wait(s->store, &b, ret_bad, &s->t->fault);
    return e;
}

static size_t latest(struct site *s, int64_t community_id, const char *device, struct telemetry_series **ret) {
    struct str code = str_of(device);
    size_t n = 0;
    CHECK(s->t,
          !telemetry_latest(s->store, community_id, &code, 1, (struct str){0}, &s->t->arena, ret, &n, &s->t->fault));
    return n;
}

/* ---- the door ---- */

static void a_batch_with_one_bad_point_is_refused_whole(struct t *t) {
    static const struct {
        int64_t after_ms;
        const char *device, *metric, *unit, *field, *code;
    } rows[] = {
        {-TELEMETRY_RAW_DAYS * DAY_MS, "d", "m", "", "", ""},
        {-TELEMETRY_RAW_DAYS * DAY_MS - 1, "d", "m", "", "ts", "too_old"},
        {TELEMETRY_FUTURE_MS, "d", "m", "Cel", "", ""},
        {TELEMETRY_FUTURE_MS + 1, "d", "m", "", "ts", "in_future"},
        {0, "", "m", "", "device", "bad_name"},
        {0, "a\nb", "m", "", "device", "bad_name"},
        {0, "\xff", "m", "", "device", "bad_name"},
        {0, "d", "", "", "metric", "bad_name"},
        {0, "d", "m", "\x7f", "unit", "bad_name"},
        {0, "水泵", "水位", "m³", "", ""},
    };
    struct site s;
    start(&s, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct telemetry_point p[2] = {point(&s, "good", "good", 1), point(&s, rows[i].device, rows[i].metric, 2)};
        struct telemetry_series *got = NULL;
        size_t bad = 99;
        p[1].at_ms = s.now_ms + rows[i].after_ms;
        p[1].unit = str_of(rows[i].unit);
        enum err e = put(&s, 1000 + (int64_t)i, p, 2, &bad);
        CHECK_SAY(t, e == (*rows[i].code ? ERR_INVALID : OK), "row %zu: %s", i, err_name(e));
        if (e)
            CHECK_SAY(t,
                      bad == 1 && !strcmp(t->fault.fields[0].field, rows[i].field) &&
                          !strcmp(t->fault.fields[0].code, rows[i].code),
                      "row %zu: %s", i, t->fault.fields[0].code);
        CHECK_SAY(t, latest(&s, 1000 + (int64_t)i, "good", &got) == !e, "row %zu", i);
    }
    stop(&s);
}

static void names_have_an_end(struct t *t) {
    char name[TELEMETRY_DEVICE_MAX + 2];
    struct site s;
    start(&s, t);
    memset(name, 'x', sizeof name);
    struct telemetry_point p = point(&s, "d", "m", 1);
    p.device = (struct str){name, TELEMETRY_DEVICE_MAX};
    CHECK(t, !put(&s, 1, &p, 1, NULL));
    p.device.len++;
    CHECK(t, put(&s, 1, &p, 1, NULL) == ERR_INVALID);
    p.device = S("d");
    p.metric = (struct str){name, TELEMETRY_METRIC_MAX + 1};
    CHECK(t, put(&s, 1, &p, 1, NULL) == ERR_INVALID);
    p.metric.len--;
    CHECK(t, !put(&s, 1, &p, 1, NULL));
    stop(&s);
}

/* A unit that a refused batch said is not said, neither by a new word nor by one that is there. */
static void a_refused_batch_leaves_no_unit(struct t *t) {
    struct site s;
    struct telemetry_series *got = NULL;
    start(&s, t);
    struct telemetry_point before[] = {point(&s, "d", "m", 1), point(&s, "d", "n", 1)};
    before[1].unit = S("Cel");
    CHECK(t, !put(&s, 1, before, 2, NULL));
    for (int known = 0; known < 2; known++) {
        struct telemetry_point bad[] = {point(&s, "new", known ? "y" : "x", 1), point(&s, "d", "m", 2),
                                        point(&s, "d", "m", 3)};
        bad[1].unit = known ? S("Cel") : S("bar");
        bad[2].at_ms += 2 * TELEMETRY_FUTURE_MS;
        CHECK(t, put(&s, 1, bad, 3, NULL) == ERR_INVALID);
        CHECK(t, latest(&s, 1, "d", &got) == 2 && !got[0].unit.len && latest(&s, 1, "new", &got) == 0);
    }
    struct telemetry_point good = point(&s, "d", "m", 2);
    CHECK(t, !put(&s, 1, &good, 1, NULL)); /* and the log says none */
    reopen(&s);
    CHECK(t, latest(&s, 1, "d", &got) == 2 && !got[0].unit.len && str_is(got[1].unit, "Cel"));
    CHECK(t, got[0].latest.value == 2);
    stop(&s);
}

static void a_batch_has_an_end_and_may_be_empty(struct t *t) {
    struct site s;
    start(&s, t);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, TELEMETRY_BATCH_MAX + 1);
    for (size_t i = 0; i <= TELEMETRY_BATCH_MAX; i++) {
        p[i] = point(&s, "d", "m", (double)i);
        p[i].at_ms -= (int64_t)i;
    }
    CHECK(t, put(&s, 1, p, TELEMETRY_BATCH_MAX + 1, NULL) == ERR_LIMIT);
    CHECK(t, !put(&s, 1, p, TELEMETRY_BATCH_MAX, NULL) && !put(&s, 1, NULL, 0, NULL));
    struct telemetry_stats stats;
    telemetry_stats(s.store, &stats);
    CHECK(t, stats.points == TELEMETRY_BATCH_MAX && stats.head_points == 0 && stats.chunks == 100);
    stop(&s);
}

static void count_done(void *arg, enum err e) {
    int *counts = arg;
    counts[e ? 1 : 0]++;
}

static void a_full_queue_says_so_at_once_and_forgets_nothing_it_took(struct t *t) {
    struct site s;
    int counts[2] = {0}, taken = 0;
    start(&s, t);
    s.options.queue_batches_max = 5;
    reopen(&s);
    struct telemetry_point p = point(&s, "d", "m", 1);
    for (int i = 0; i < 9; i++) {
        struct telemetry_batch b = {1, &p, 1};
        struct fault f = {0};
        enum err e = telemetry_put(s.store, &b, count_done, counts, NULL, &f);
        taken += !e;
        CHECK_SAY(t, e == (i < 5 ? OK : ERR_BUSY) && (!e || f.retry_after_s == 1), "batch %d: %s", i, err_name(e));
    }
    CHECK(t, counts[0] == 0);
    CHECK(t, telemetry_step(s.store) && !telemetry_step(s.store) && counts[0] == taken && counts[1] == 0);
    s.options.queue_batches_max = 0;
    s.options.queue_bytes_max = 4000;
    reopen(&s);
    for (int i = 0; i < 200; i++) {
        struct telemetry_batch b = {1, &p, 1};
        struct fault f = {0};
        taken += telemetry_put(s.store, &b, count_done, counts, NULL, &f) == OK;
    }
    CHECK(t, taken > 20 && taken < 100);
    telemetry_close(s.store); /* writes what waits */
    s.store = NULL;
    CHECK(t, counts[0] == taken && counts[1] == 0);
    stop(&s);
}

/* ---- cardinality ---- */

static void unknown_devices_of_a_community_have_an_end(struct t *t) {
    enum { EACH = 1000 };
    static char names[TELEMETRY_UNKNOWN_MAX + 1][16];
    struct site s;
    start(&s, t);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, EACH);
    for (size_t i = 0; i <= TELEMETRY_UNKNOWN_MAX; i++) snprintf(names[i], sizeof names[i], "dev-%zu", i);
    for (size_t i = 0; i < TELEMETRY_UNKNOWN_MAX; i += EACH) {
        for (size_t k = 0; k < EACH; k++) p[k] = point(&s, names[i + k], "m", 1);
        CHECK(t, !put(&s, 1, p, EACH, NULL));
    }
    for (int again = 0; again < 2; again++) {
        p[0] = point(&s, names[5], "m", 2);
        p[1] = point(&s, names[TELEMETRY_UNKNOWN_MAX], "m", 1);
        size_t bad = 0;
        CHECK(t, put(&s, 1, p, 2, &bad) == ERR_TOO_MANY && bad == 1 && !strcmp(t->fault.code, "too_many_devices"));
        CHECK(t, !put(&s, 1, p, 1, NULL) && !put(&s, 2, p, 2, NULL)); /* those there, and other communities */
        reopen(&s);
    }
    struct telemetry_device known = {.community_id = 1, .code = S("dev-7"), .is_known = true};
    CHECK(t, !telemetry_device_put(s.store, &known, &t->fault));
    CHECK(t, !put(&s, 1, p + 1, 1, NULL)); /* one made known makes room */
    p[0] = point(&s, "adopted", "m", 1);
    CHECK(t, put(&s, 1, p, 1, NULL) == ERR_TOO_MANY && telemetry_know(s.store, 1, S("adopted")));
    CHECK(t, !put(&s, 1, p, 1, NULL) && !telemetry_know(s.store, 1, S("")));
    reopen(&s);
    struct telemetry_series *got = NULL;
    CHECK(t, latest(&s, 1, "adopted", &got) == 1 && got[0].is_known);
    stop(&s);
}

/* One that makes devices up on one line fills the share of its community. */
static void fill_with_unknown(struct site *s, int64_t community_id, size_t first, size_t n) {
    static char metrics[TELEMETRY_METRICS_MAX][16];
    struct telemetry_point *p = arena_new(&s->t->arena, struct telemetry_point, TELEMETRY_METRICS_MAX);
    for (size_t i = first; i < first + n; i++) {
        char device[32];
        snprintf(device, sizeof device, "dev-%zu", i);
        for (size_t k = 0; k < TELEMETRY_METRICS_MAX; k++) {
            snprintf(metrics[k], sizeof metrics[k], "metric-%zu", k);
            p[k] = point(s, device, metrics[k], 1);
        }
        CHECK(s->t, !put(s, community_id, p, TELEMETRY_METRICS_MAX, NULL));
    }
}

static bool is_full(struct site *s, int64_t community_id, const char *device, const char *metric) {
    struct telemetry_point p = point(s, device, metric, 1);
    enum err e = put(s, community_id, &p, 1, NULL);
    CHECK(s->t, !e || (e == ERR_TOO_MANY && !strcmp(s->t->fault.code, "too_many_metrics")));
    return e != OK;
}

static void metrics_of_unknown_devices_leave_room_for_the_known(struct t *t) {
    enum { N = TELEMETRY_UNKNOWN_METRICS_MAX / TELEMETRY_METRICS_MAX };
    struct site s;
    start(&s, t);
    CHECK(t, telemetry_know(s.store, 1, S("known")));
    fill_with_unknown(&s, 1, 0, N - 1);
    struct telemetry_point p[] = {point(&s, "late", "m", 1), point(&s, "late", "n", 1)};
    p[1].at_ms = s.now_ms + DAY_MS;
    CHECK(t, put(&s, 1, p, 2, NULL) == ERR_INVALID); /* what is refused takes no room */
    fill_with_unknown(&s, 1, N - 1, 1);
    for (int again = 0; again < 2; again++) {
        CHECK(t, is_full(&s, 1, "late", "m") && !is_full(&s, 1, "dev-0", "metric-0"));
        CHECK(t, !is_full(&s, 1, "known", again ? "n" : "m") && !is_full(&s, 2, "late", "m"));
        reopen(&s);
    }
    CHECK(t, telemetry_know(s.store, 1, S("dev-0"))); /* one adopted makes room */
    fill_with_unknown(&s, 1, N, 1);
    CHECK(t, is_full(&s, 1, "late", "m"));
    const struct telemetry_device unadopted = {.community_id = 1, .code = S("dev-0")};
    CHECK(t, !telemetry_device_put(s.store, &unadopted, &t->fault) && telemetry_know(s.store, 1, S("dev-1")));
    CHECK(t, is_full(&s, 1, "late", "m")); /* it takes its room back */
    CHECK(t, telemetry_know(s.store, 1, S("dev-2")) && !is_full(&s, 1, "late", "m"));
    stop(&s);
}

static void what_finds_no_room_may_be_left_out(struct t *t) {
    struct site s;
    struct telemetry_stats before, after;
    struct telemetry_series *got = NULL;
    start(&s, t);
    CHECK(t, telemetry_know(s.store, 1, S("known")));
    fill_with_unknown(&s, 1, 0, TELEMETRY_UNKNOWN_METRICS_MAX / TELEMETRY_METRICS_MAX);
    telemetry_stats(s.store, &before);
    const struct telemetry_point p[] = {point(&s, "late", "m", 1),         point(&s, "late", "n", 1),
                                        point(&s, "known", "m", 3),        point(&s, "dev-0", "m", 1),
                                        point(&s, "dev-0", "metric-7", 5), point(&s, "known", "n", 4)};
    size_t out = 9, bad;
    struct telemetry_batch b = {.community_id = 1, .points = p, .n = COUNT(p), .left_out = &out};
    CHECK(t, !telemetry_put_wait(s.store, &b, NULL, &t->fault) && out == 3 && !t->fault.kind);
    telemetry_stats(s.store, &after);
    CHECK(t, after.devices == before.devices && after.series == before.series + 2);
    CHECK(t, latest(&s, 1, "known", &got) == 2 && got[0].latest.value == 3 && got[1].latest.value == 4);
    CHECK(t, latest(&s, 1, "dev-0", &got) == TELEMETRY_METRICS_MAX && got[7].latest.value == 5);
    b.n = 2; /* nothing is left */
    CHECK(t, telemetry_put_wait(s.store, &b, NULL, &t->fault) == ERR_TOO_MANY && latest(&s, 1, "late", &got) == 0);
    struct telemetry_point late[] = {p[0], p[2], p[2]};
    late[2].at_ms += DAY_MS;
    b = (struct telemetry_batch){.community_id = 1, .points = late, .n = 3, .left_out = &out};
    t->fault = (struct fault){0};
    CHECK(t, telemetry_put_wait(s.store, &b, &bad, &t->fault) == ERR_INVALID && bad == 2);
    CHECK(t, !strcmp(t->fault.fields[0].field, "ts"));
    stop(&s);
}

static void unknown_devices_of_all_communities_have_an_end(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, telemetry_know(s.store, 1, S("known")) && !is_full(&s, 2, "dev", "m"));
    const struct unknown few = s.store->unknown;
    s.store->unknown.series = UNKNOWN_ALL_MAX; /* half a million of them take long to make */
    CHECK(t, is_full(&s, 2, "dev", "n") && !is_full(&s, 2, "dev", "m") && !is_full(&s, 1, "known", "m"));
    s.store->unknown = few;
    s.store->unknown.devices = UNKNOWN_ALL_MAX;
    struct telemetry_point p = point(&s, "late", "m", 1);
    CHECK(t, put(&s, 3, &p, 1, NULL) == ERR_TOO_MANY && !strcmp(t->fault.code, "too_many_devices"));
    CHECK(t, telemetry_know(s.store, 3, S("late")) && !put(&s, 3, &p, 1, NULL));
    s.store->unknown = few;
    stop(&s);
}

static void metrics_of_a_device_have_an_end_and_a_refused_batch_leaves_no_names(struct t *t) {
    static char names[TELEMETRY_METRICS_MAX + 10][16];
    struct site s;
    struct telemetry_stats before, after;
    start(&s, t);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, TELEMETRY_METRICS_MAX + 10);
    for (size_t i = 0; i < TELEMETRY_METRICS_MAX + 10; i++) {
        snprintf(names[i], sizeof names[i], "metric-%zu", i);
        p[i] = point(&s, "d", names[i], 1);
    }
    CHECK(t, !put(&s, 1, p, TELEMETRY_METRICS_MAX - 5, NULL));
    telemetry_stats(s.store, &before);
    size_t bad = 0;
    p[0].device = S("other");
    CHECK(t, put(&s, 1, p, TELEMETRY_METRICS_MAX + 1, &bad) == ERR_TOO_MANY && bad == TELEMETRY_METRICS_MAX);
    CHECK(t, !strcmp(t->fault.code, "too_many_metrics"));
    telemetry_stats(s.store, &after);
    CHECK(t, after.series == before.series && after.devices == before.devices && after.points == before.points);
    CHECK(t, !put(&s, 1, p, TELEMETRY_METRICS_MAX, NULL));
    reopen(&s);
    struct telemetry_series *got = NULL;
    CHECK(t,
          latest(&s, 1, "d", &got) == TELEMETRY_METRICS_MAX - 1 || latest(&s, 1, "d", &got) == TELEMETRY_METRICS_MAX);
    CHECK(t, latest(&s, 1, "other", &got) == 1);
    stop(&s);
}

/* ---- names ---- */

static void a_renamed_device_keeps_its_history_and_its_number(struct t *t) {
    struct site s;
    struct telemetry_series *got = NULL;
    start(&s, t);
    struct telemetry_point p[] = {point(&s, "old", "m", 1), point(&s, "other", "m", 5)};
    CHECK(t, !put(&s, 1, p, 2, NULL) && latest(&s, 1, "old", &got) == 1);
    uint32_t number = got[0].number;
    struct telemetry_device d = {.community_id = 1, .code = S("old"), .is_known = true, .rename_to = S("other")};
    CHECK(t, telemetry_device_put(s.store, &d, &t->fault) == ERR_CONFLICT);
    t->fault = (struct fault){0};
    d.rename_to = S("new");
    CHECK(t, !telemetry_device_put(s.store, &d, &t->fault));
    CHECK(t, !telemetry_device_put(s.store, &d, &t->fault)); /* said again: done */
    for (int again = 0; again < 2; again++) {
        CHECK(t, latest(&s, 1, "old", &got) == 0 && latest(&s, 1, "new", &got) == 1);
        CHECK(t, got[0].number == number && got[0].latest.value == 1 && got[0].is_known);
        reopen(&s);
    }
    p[0].at_ms++;
    CHECK(t, !put(&s, 1, p, 1, NULL) && latest(&s, 1, "old", &got) == 1 && got[0].number != number);
    stop(&s);
}

static void units_and_classes_stay_with_the_series(struct t *t) {
    struct site s;
    struct telemetry_series *got = NULL, one;
    start(&s, t);
    struct telemetry_point p = point(&s, "d", "hr", 61);
    p.unit = S("/min");
    CHECK(t, !put(&s, 1, &p, 1, NULL));
    p.unit = S("Hz");
    CHECK(t, !put(&s, 1, &p, 1, NULL) && latest(&s, 1, "d", &got) == 1 && str_is(got[0].unit, "/min"));
    CHECK(t, !telemetry_label(s.store, 1, S("d"), S("hr"),
                              &(struct telemetry_label){.unit = S("{beat}/min"), .class = 4}, &t->fault));
    CHECK(t, !telemetry_label(s.store, 1, S("new"), S("temp"), &(struct telemetry_label){.unit = S("Cel")}, &t->fault));
    CHECK(t, latest(&s, 1, "d", &got) == 1 && got[0].class == 4); /* at once */
    p = point(&s, "other", "hr", 60);
    CHECK(t, !put(&s, 1, &p, 1, NULL)); /* from here on durable */
    for (int again = 0; again < 2; again++) {
        CHECK(t, latest(&s, 1, "d", &got) == 1 && str_is(got[0].unit, "{beat}/min") && got[0].class == 4);
        CHECK(t, latest(&s, 1, "new", &got) == 1 && !got[0].has_latest && str_is(got[0].unit, "Cel"));
        reopen(&s);
    }
    CHECK(t, !telemetry_series_at(s.store, 0, &t->arena, &one, &t->fault) && str_is(one.device, "d"));
    CHECK(t, telemetry_series_at(s.store, 3, &t->arena, &one, &t->fault) == ERR_NOT_FOUND);
    stop(&s);
}

static void devices_are_listed_in_pages(struct t *t) {
    struct site s;
    struct str *names = NULL;
    size_t n = 0, seen = 0;
    uint32_t at = 0;
    char name[16];
    start(&s, t);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "d%d", i);
        struct telemetry_point p = point(&s, name, "m", 1);
        CHECK(t, !put(&s, 1 + i % 2, &p, 1, NULL));
        struct telemetry_device d = {.community_id = 1 + i % 2, .code = p.device, .is_known = i < 4};
        CHECK(t, !telemetry_device_put(s.store, &d, &t->fault));
    }
    do {
        CHECK(t, !telemetry_devices(s.store, 1, false, &at, 2, &t->arena, &names, &n, &t->fault));
        seen += n;
    } while (at);
    CHECK(t, seen == 5 && !telemetry_devices(s.store, 1, true, &at, 10, &t->arena, &names, &n, &t->fault));
    CHECK(t, n == 3 && str_is(names[0], "d4"));
    stop(&s);
}

/* ---- values ---- */

static void no_value_and_infinities_are_kept(struct t *t) {
    struct site s;
    struct telemetry_points got = {0};
    start(&s, t);
    const double values[] = {NAN, INFINITY, -INFINITY, -0.0, 1e-320};
    struct telemetry_point p[COUNT(values)];
    for (size_t i = 0; i < COUNT(values); i++) {
        p[i] = point(&s, "d", "m", values[i]);
        p[i].at_ms += (int64_t)i;
    }
    CHECK(t, !put(&s, 1, p, COUNT(values), NULL));
    reopen(&s);
    CHECK(t, !telemetry_range(s.store, 0, 0, INT64_MAX, 10, &t->arena, &got, &t->fault) && got.n == COUNT(values));
    CHECK(t, isnan(got.value[0]) && got.value[1] == INFINITY && got.value[2] == -INFINITY);
    CHECK(t, got.value[3] == 0 && !signbit(got.value[3]) && got.value[4] == 1e-320);
    stop(&s);
}

/* ---- retention ---- */

static int count_months(void *arg, const char *name) {
    int *n = arg;
    *n += strstr(name, ".chunks") != NULL;
    return 0;
}

static void months_past_retention_go_whole(struct t *t) {
    enum { N = 60000 };
    struct site s;
    int months = 0;
    start(&s, t);
    const struct telemetry_keep keep = {.raw_days = 90};
    telemetry_keeps(s.store, &keep, 1);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, N);
    for (size_t i = 0; i < N; i++) {
        p[i] = point(&s, "d", "m", (double)i);
        p[i].at_ms -= (int64_t)(N - i) * 120000; /* 83 days, every two minutes */
    }
    CHECK(t, !put(&s, 1, p, N, NULL));
    s.io.list(s.io.self, "readings", count_months, &months);
    CHECK(t, months == 4);
    world_sim_advance(&t->sim, 60 * DAY_MS);
    s.now_ms = t->world.utc_ms(t->world.self);
    struct telemetry_point now = point(&s, "d", "m", 1);
    CHECK(t, !put(&s, 1, &now, 1, NULL));
    for (int again = 0; again < 2; again++) {
        struct telemetry_points got = {0};
        months = 0;
        s.io.list(s.io.self, "readings", count_months, &months);
        CHECK_SAY(t, months == 2, "%d months left", months);
        CHECK(t, !telemetry_range(s.store, 0, 0, INT64_MAX, TELEMETRY_POINTS_MAX, &t->arena, &got, &t->fault));
        CHECK_SAY(t, got.n > 1000 && got.n < N - 20000 && got.value[got.n - 1] == 1, "%zu points left", got.n);
        reopen(&s);
        telemetry_keeps(s.store, &keep, 1);
    }
    stop(&s);
}

/* ---- threads ---- */

#define WRITERS 3
#define ROUNDS  150

struct writing {
    struct site *s;
    int number;
    atomic_int *done, *stop;
};

static void note_done(void *arg, enum err e) {
    atomic_int *done = arg;
    if (!e) atomic_fetch_add(done, 1);
}

static void *write_batches(void *arg) {
    struct writing *w = arg;
    char device[16];
    snprintf(device, sizeof device, "w%d", w->number);
    for (int i = 0; i < ROUNDS;) {
        struct telemetry_point p[20];
        struct fault f = {0};
        for (int k = 0; k < 20; k++) {
            p[k] = point(w->s, device, k % 2 ? "a" : "b", i * 20 + k);
            p[k].at_ms += i * 20 + k;
        }
        struct telemetry_batch b = {1, p, 20};
        if (!telemetry_put(w->s->store, &b, note_done, w->done, NULL, &f)) i++;
    }
    return NULL;
}

/* Each reading of a series is a prefix of what its one writer sent, never shorter than the one before. */
static void *read_prefixes(void *arg) {
    struct writing *w = arg;
    size_t before = 0;
    struct arena a;
    arena_init(&a, 16u << 20);
    while (!atomic_load(w->stop)) {
        struct telemetry_points p = {0};
        struct fault f = {0};
        if (telemetry_range(w->s->store, 0, 0, INT64_MAX, TELEMETRY_POINTS_MAX, &a, &p, &f) || p.n < before) break;
        for (size_t i = 1; i < p.n; i++)
            if (p.value[i] != p.value[i - 1] + 2) goto out;
        before = p.n;
        arena_reset(&a);
    }
    if (atomic_load(w->stop)) w->number = -1; /* all was well */
out:
    arena_finish(&a);
    return NULL;
}

static void many_writers_and_readers_share_the_store(struct t *t) {
    struct site s;
    pthread_t threads[WRITERS], reader;
    struct writing w[WRITERS];
    atomic_int done = 0, end = 0;
    start(&s, t);
    telemetry_close(s.store);
    s.store = NULL;
    s.options.threadless = false;
    s.options.log_bytes_max = 64 * 1024; /* sealing and beginning anew go on all the time */
    s.options.queue_batches_max = 16;
    reopen(&s);
    struct writing r = {&s, 0, &done, &end};
    pthread_create(&reader, NULL, read_prefixes, &r);
    for (int i = 0; i < WRITERS; i++) {
        w[i] = (struct writing){&s, i, &done, &end};
        pthread_create(&threads[i], NULL, write_batches, &w[i]);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    struct telemetry_point last = point(&s, "last", "m", 1);
    CHECK(t, !put(&s, 1, &last, 1, NULL)); /* behind all that was put before it */
    CHECK(t, atomic_load(&done) == WRITERS * ROUNDS);
    atomic_store(&end, 1);
    pthread_join(reader, NULL);
    CHECK(t, r.number == -1);
    for (int i = 0; i < WRITERS; i++) {
        struct telemetry_series *got = NULL;
        char device[16];
        snprintf(device, sizeof device, "w%d", i);
        CHECK(t, latest(&s, 1, device, &got) == 2);
        struct telemetry_points p = {0};
        CHECK(t,
              !telemetry_range(s.store, got[0].number, 0, INT64_MAX, TELEMETRY_POINTS_MAX, &t->arena, &p, &t->fault));
        CHECK(t, p.n == ROUNDS * 10);
    }
    stop(&s);
}

static int count_raw_months(void *arg, const char *name) {
    int *n = arg;
    *n += strstr(name, "-0.chunks") != NULL;
    return 0;
}

/* Asks until `want` months are there as points, and hours that were rolled up serve. */
static bool comes_to(struct site *s, int want) {
    for (int tries = 0; tries < 600; tries++) {
        struct telemetry_points p = {0};
        struct arena a;
        uint32_t series = 0;
        int months = 0;
        const struct telemetry_windows_query q = {
            .series = &series,
            .n = 1,
            .from_ms = s->now_ms - 80 * DAY_MS,
            .to_ms = s->now_ms,
            .every = {1, 'h'},
            .aggs = {TELEMETRY_COUNT},
            .aggs_n = 1,
            .limit = 10000,
        };
        arena_init(&a, 16u << 20);
        CHECK(s->t, !telemetry_windows(s->store, &q, &a, &p, &s->t->fault));
        arena_finish(&a);
        s->io.list(s->io.self, "readings", count_raw_months, &months);
        if (months == want && p.rolled_min == 60) return true;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

/* The writer's own thread: months end and classes change while no reading comes for weeks. */
static void what_time_makes_due_is_done_though_nobody_writes(struct t *t) {
    enum { N = 60000 };
    struct site s;
    start(&s, t);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, N);
    for (size_t i = 0; i < N; i++) {
        p[i] = point(&s, "d", "m", (double)i);
        p[i].at_ms -= (int64_t)(N - i) * 120000;
    }
    CHECK(t, !put(&s, 1, p, N, NULL));
    telemetry_close(s.store);
    s.store = NULL;
    world_sim_advance(&t->sim, 60 * DAY_MS);
    s.now_ms = t->world.utc_ms(t->world.self);
    s.options.threadless = false;
    s.options.house_ms = 10;
    reopen(&s);
    CHECK(t, comes_to(&s, 4)); /* and is at rest then */
    telemetry_keeps(s.store, &(struct telemetry_keep){.raw_days = 90, .tiers = {{60, 0}}}, 1);
    CHECK(t, comes_to(&s, 2));
    stop(&s);
}

TESTS(CASE(a_batch_with_one_bad_point_is_refused_whole), CASE(names_have_an_end), CASE(a_refused_batch_leaves_no_unit),
      CASE(a_batch_has_an_end_and_may_be_empty), CASE(a_full_queue_says_so_at_once_and_forgets_nothing_it_took),
      CASE(unknown_devices_of_a_community_have_an_end), CASE(metrics_of_unknown_devices_leave_room_for_the_known),
      CASE(what_finds_no_room_may_be_left_out), CASE(unknown_devices_of_all_communities_have_an_end),
      CASE(metrics_of_a_device_have_an_end_and_a_refused_batch_leaves_no_names),
      CASE(a_renamed_device_keeps_its_history_and_its_number), CASE(units_and_classes_stay_with_the_series),
      CASE(devices_are_listed_in_pages), CASE(no_value_and_infinities_are_kept), CASE(months_past_retention_go_whole),
      CASE(many_writers_and_readers_share_the_store), CASE(what_time_makes_due_is_done_though_nobody_writes))
