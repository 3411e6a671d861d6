/* linli bench query: ranks of a month of many series, and a thousand points of one.  SPDX-License-Identifier:
 * Apache-2.0
 */
#include "main/bench/asking.h"
#include "main/bench/sending.h"

#include <stdio.h>
#include <unistd.h>

#define STEP_MS  INT64_C(60000)
#define DAYS     30
#define WARM     2
#define WIDE_N   15
#define NARROW_N 2000
#define LINES    10000

/* Where a server is asked, for a range in seconds; the narrow one of device i. */
static void wide_path(bool is_peer, long long from_s, long long to_s, char *out, size_t cap) {
    if (is_peer)
        snprintf(
            out, cap,
            "/api/v1/query_range?query=quantile_over_time(0.95,meter_power%%5B7m%%5D)&start=%lld&end=%lld&step=420",
            from_s, to_s);
    else
        snprintf(out, cap,
                 "/api/v1/telemetry/aggregate?metric=power&agg=p95&every=7m&group=device&from=%lld000&to=%lld000",
                 from_s, to_s);
}

static void narrow_path(bool is_peer, int i, long long from_s, long long to_s, char *out, size_t cap) {
    if (is_peer)
        snprintf(out, cap,
                 "/api/v1/export?start=%lld&end=%lld&match%%5B%%5D=meter_power%%7Bdevice%%3D%%22m%06d%%22%%7D", from_s,
                 to_s, i);
    else
        snprintf(out, cap, "/api/v1/telemetry?metric=power&from=%lld000&to=%lld000&device=m%06d", from_s, to_s, i);
}

static enum err wide(struct asking *a, int64_t from_s, int64_t to_s, struct fault *f) {
    char path[512];
    wide_path(a->to->is_peer, from_s, to_s, path, sizeof path);
    for (int i = 0; i < WARM + WIDE_N && !bench_is_stopped; i++) {
        if (i == WARM) a->latencies.n = 0;
        TRY(asking_get(a, path, f));
    }
    return OK;
}

/* A thousand points each, from one device and place of the month to the next. */
static enum err narrow(struct asking *a, int64_t devices, int64_t from_s, int64_t to_s, struct fault *f) {
    char path[512];
    int64_t span_s = 1000 * STEP_MS / 1000;
    for (int i = 0; i < NARROW_N && !bench_is_stopped; i++) {
        int64_t at = from_s + i * INT64_C(7919) * 60 % (to_s - from_s - span_s);
        narrow_path(a->to->is_peer, (int)(i % devices), at, at + span_s, path, sizeof path);
        TRY(asking_get(a, path, f));
    }
    return OK;
}

static enum err measure(const struct target *to, int64_t devices, int64_t from_s, int64_t to_s, struct figures *ret,
                        struct fault *f) {
    struct asking a;
    enum err e = asking_begin(&a, to, NARROW_N + WARM + WIDE_N, f);
    if (!e) e = wide(&a, from_s, to_s, f);
    if (!e) {
        figure_put(ret, "p95_windows_ms", asking_ms(&a, 50), 1, "ms");
        figure_put(ret, "p95_windows_bytes", (double)a.bytes, 0, "B");
        a.latencies.n = 0;
        e = narrow(&a, devices, from_s, to_s, f);
    }
    if (!e) {
        figure_put(ret, "thousand_points_p50_ms", asking_ms(&a, 50), 3, "ms");
        figure_put(ret, "thousand_points_p99_ms", asking_ms(&a, 99), 3, "ms");
    }
    asking_end(&a);
    return e;
}

static enum err run_in(const struct bench_options *o, const char *dir, struct figures *ret, struct fault *f) {
    struct target to;
    struct sending s = {0};
    int64_t steps = DAYS * INT64_C(86400000) / STEP_MS, end_s = bench_utc_s() / 60 * 60;
    struct readings_plan plan = {.devices = o->series,
                                 .steps = steps,
                                 .step_ms = STEP_MS,
                                 .start_ms = end_s * 1000 - steps * STEP_MS,
                                 .fields = READINGS_METRICS};
    enum err e = target_open(&to, o, dir, plan.devices, f);
    if (!e) e = sending_make_all(&s, &to, &plan, LINES, f);
    if (!e) e = sending_run(&s, &to, f);
    sending_free(&s);
    sleep(to.is_peer ? 5 : 3); /* it comes to rest: what is new is sealed, or merged */
    if (!e) e = measure(&to, plan.devices, plan.start_ms / 1000, end_s, ret, f);
    target_close(&to);
    return e;
}

static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    struct bench_options o = *options;
    char dir[512];
    if (!o.series) o.series = 100;
    TRY(bench_dir_make(&o, dir, f));
    enum err e = run_in(&o, dir, ret, f);
    bench_dir_remove(dir);
    return e;
}

const struct bench bench_query = {"query", "p95 of every 7 minutes of 100 series x 30 days; 1,000 points of one", run};
