/* linli bench year: a year of one-minute readings, looked at as the console does, from an hour of a device to the year
 * of all of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/asking.h"
#include "main/bench/sending.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES      200
#define DAYS         365
#define DAY_MS       INT64_C(86400000)
#define STEP_MS      INT64_C(60000)
#define LINES        10000
#define AT_ONCE      40 /* requests made before they are sent: a year at once is some gigabytes */
#define SETTLE_MAX_S 300
#define PAGES        400 /* of a device, for each length of time */
#define ESTATES      10  /* of all */
#define UNALIGNED_MS 137 /* nobody zooms to whole minutes */
#define AS_ONE       "1000000h"
#define MARGIN       4 /* a quarter more on either side, to pan into: web/apps/console/useHistory.ts */

/* What is shown of which length of time: web/shared/chart/scale.ts, on a screen 1,366 pixels wide. */
static const struct view {
    const char *page, *estate; /* figures */
    int64_t ms;
    const char *more, *every; /* of a device's page, of the estate's */
} views[] = {
    {"device_hour_p99_ms", "estate_hour_ms", DAY_MS / 24, "limit=1500", "1m"},
    {"device_day_p99_ms", "estate_day_ms", DAY_MS, "every=5m&agg=min,avg,max,count", "15m"},
    {"device_week_p99_ms", "estate_week_ms", 7 * DAY_MS, "every=15m&agg=min,avg,max,count", "2h"},
    {"device_month_p99_ms", "estate_month_ms", 30 * DAY_MS, "every=2h&agg=min,avg,max,count", "12h"},
    {"device_year_p99_ms", "estate_year_ms", 364 * DAY_MS, "every=1d&agg=min,avg,max,count", "7d"},
};

struct year {
    const struct bench_options *o;
    struct target to;
    struct readings_plan plan;
    struct asking asking;
    struct latencies pages;
};

/* ---- the year ---- */

static enum err write_some(struct year *y, struct readings *r, struct fault *f) {
    struct sending s = {0};
    enum err e = sending_make(&s, &y->to, r, LINES, AT_ONCE, f);
    if (!e) e = sending_run(&s, &y->to, f);
    sending_free(&s);
    return e;
}

static enum err write_year(struct year *y, struct figures *ret, struct fault *f) {
    struct readings r;
    int64_t begin = bench_now_us(), said = 0;
    TRY(readings_begin(&r, &y->plan, f));
    enum err e = OK;
    while (!e && r.step < y->plan.steps) {
        int64_t days = r.step * STEP_MS / DAY_MS;
        if (days >= said) {
            fprintf(stderr, "writing: day %lld of %d\n", (long long)days, DAYS);
            said = days + 30;
        }
        e = write_some(y, &r, f);
    }
    readings_end(&r);
    if (e) return e;
    fprintf(stderr, "waiting until it is sealed and rolled up\n");
    figure_put(ret, "points", (double)(y->plan.devices * y->plan.steps * READINGS_METRICS), 0, "count");
    figure_put(ret, "written_s", (double)(bench_now_us() - begin) / 1e6, 1, "s");
    return OK;
}

/* A server that starts rolls up what it finds; one that is running would wait ten minutes for more that is late. */
static enum err start_again(struct year *y, const char *dir, struct figures *ret, struct fault *f) {
    double ms;
    TRY(target_settle(&y->to, SETTLE_MAX_S, f));
    TRY(target_restart(&y->to, y->o, dir, &ms, f));
    figure_put(ret, "restart_ms", ms, 0, "ms");
    return OK;
}

/* The last device's months are, once all of them are. */
static enum err wait_rolled(struct year *y, struct figures *ret, struct fault *f) {
    char path[256];
    int64_t begin = bench_now_us();
    bool rolled = false;
    snprintf(path, sizeof path, "/api/v1/telemetry?device=m%06d&metric=energy&agg=avg&from=0&every=" AS_ONE,
             (int)y->plan.devices - 1);
    for (int i = 0; i < SETTLE_MAX_S && !rolled && !bench_is_stopped; i++) {
        TRY(asking_get(&y->asking, path, f));
        rolled = strstr(y->asking.last.say, "\"tier\":\"1h\"");
        if (!rolled) sleep(1);
    }
    TRY(target_settle(&y->to, SETTLE_MAX_S, f));
    figure_put(ret, "rolled_up", rolled, 0, "");
    figure_put(ret, "rolled_up_s", (double)(bench_now_us() - begin) / 1e6, 1, "s");
    return OK;
}

/* ---- what is looked at ---- */

/* The i-th stretch of that length, over the whole year in turn. */
static int64_t start_of(const struct year *y, const struct view *v, int i) {
    int64_t room = DAYS * DAY_MS - v->ms;
    return y->plan.start_ms + (i * INT64_C(7919) * STEP_MS + i * UNALIGNED_MS) % room;
}

/* The page of a device: each of its metrics. */
static enum err look_at_device(struct year *y, const struct view *v, int i, struct fault *f) {
    static const char *const metrics[READINGS_METRICS] = {"temperature", "humidity", "power", "energy"};
    int64_t begin = bench_now_us();
    long long from = start_of(y, v, i) - v->ms / MARGIN, to = from + v->ms + 2 * (v->ms / MARGIN);
    for (size_t k = 0; k < COUNT(metrics); k++) {
        char path[256];
        snprintf(path, sizeof path, "/api/v1/telemetry?device=m%06d&metric=%s&from=%lld&to=%lld&%s",
                 (int)(i % y->plan.devices), metrics[k], from, to, v->more);
        TRY(asking_get(&y->asking, path, f));
    }
    latencies_add(&y->pages, bench_now_us() - begin);
    return OK;
}

/* All devices side by side: their ranking, and their windows. */
static enum err look_at_estate(struct year *y, const struct view *v, int i, const char *agg, struct fault *f) {
    const char *const every[] = {AS_ONE, v->every};
    int64_t begin = bench_now_us();
    long long from = start_of(y, v, i), to = from + v->ms;
    for (size_t k = 0; k < COUNT(every); k++) {
        char path[256];
        snprintf(path, sizeof path,
                 "/api/v1/telemetry/aggregate?metric=power&group=device&top=301&agg=%s&every=%s&from=%lld&to=%lld", agg,
                 every[k], from, to);
        TRY(asking_get(&y->asking, path, f));
    }
    latencies_add(&y->pages, bench_now_us() - begin);
    return OK;
}

static double pages_ms(struct year *y, double percent) {
    return (double)latencies_percentile(&y->pages, percent) / 1000;
}

static enum err look(struct year *y, const struct view *v, struct figures *ret, struct fault *f) {
    y->pages.n = 0;
    for (int i = 0; i < PAGES && !bench_is_stopped; i++) TRY(look_at_device(y, v, i, f));
    figure_put(ret, v->page, pages_ms(y, 99), 2, "ms");
    y->pages.n = 0;
    for (int i = 0; i < ESTATES && !bench_is_stopped; i++) TRY(look_at_estate(y, v, i, "avg", f));
    figure_put(ret, v->estate, pages_ms(y, 50), 1, "ms");
    return OK;
}

static enum err look_at_all(struct year *y, struct figures *ret, struct fault *f) {
    for (size_t i = 0; i < COUNT(views); i++) TRY(look(y, &views[i], ret, f));
    y->pages.n = 0; /* ranks are of the points: none of it is rolled up */
    TRY(look_at_estate(y, &views[COUNT(views) - 1], 0, "p95", f));
    figure_put(ret, "estate_year_p95_ms", pages_ms(y, 50), 1, "ms");
    figure_put(ret, "memory_mb", child_memory_mb(&y->to.child), 1, "MB");
    return bench_is_stopped ? FAIL(f, ERR_UNAVAILABLE, "stopped", "stopped") : OK;
}

static void serve(const struct year *y) {
    printf("ready http://127.0.0.1:%d\nuser admin\npassword %s\n", y->to.port, y->to.password);
    fflush(stdout);
    while (!bench_is_stopped) sleep(1);
}

static enum err measure(struct year *y, struct figures *ret, struct fault *f) {
    enum err e = asking_begin(&y->asking, &y->to, READINGS_METRICS * PAGES * COUNT(views), f);
    if (!e) e = wait_rolled(y, ret, f);
    if (!e && !latencies_init(&y->pages, PAGES)) e = FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    if (!e && y->o->serve_port >= 0) serve(y);
    if (!e && y->o->serve_port < 0) e = look_at_all(y, ret, f);
    asking_end(&y->asking);
    latencies_free(&y->pages);
    return e;
}

static enum err run_in(const struct bench_options *o, const char *dir, struct figures *ret, struct fault *f) {
    int64_t steps = DAYS * DAY_MS / STEP_MS, end_ms = bench_utc_s() * 1000 / STEP_MS * STEP_MS;
    struct year y = {.o = o,
                     .plan = {.devices = o->series,
                              .steps = steps,
                              .step_ms = STEP_MS,
                              .start_ms = end_ms - steps * STEP_MS,
                              .fields = READINGS_METRICS}};
    enum err e = target_open(&y.to, o, dir, y.plan.devices, f);
    if (!e) e = write_year(&y, ret, f);
    if (!e) e = start_again(&y, dir, ret, f);
    if (!e) e = measure(&y, ret, f);
    target_close(&y.to);
    return e;
}

static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    struct bench_options o = *options;
    char dir[512];
    if (!o.series) o.series = DEVICES;
    if (o.to) return FAIL(f, ERR_INVALID, "to", "this one looks at a server of its own");
    TRY(bench_dir_make(&o, dir, f));
    enum err e = run_in(&o, dir, ret, f);
    bench_dir_remove(dir);
    return e;
}

const struct bench bench_year = {"year", "a year of one-minute readings of 200 devices, looked at as the console does",
                                 run};
