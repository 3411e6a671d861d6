/* linli bench ingest: readings in line protocol over one connection, each request answered before the next.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/sending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_MS      INT64_C(10000)
#define FRESH        10
#define SETTLE_MAX_S 30

/* Bytes once the store has come to rest. */
static enum err put_disk(const struct target *to, double values, struct figures *ret, struct fault *f) {
    enum { POINTS, CHUNKS, LOG, N };
    static const char *const names[N] = {"linli_telemetry_chunk_points", "linli_telemetry_chunk_bytes",
                                         "linli_telemetry_log_bytes"};
    double now[N];
    TRY(target_settle(to, SETTLE_MAX_S, f));
    TRY(target_metric(to, names, N, now, f));
    figure_put(ret, "sealed", now[POINTS] / values * 100, 1, "%");
    figure_put(ret, "sealed_bytes_per_point", now[POINTS] > 0 ? now[CHUNKS] / now[POINTS] : 0, 3, "B");
    figure_put(ret, "bytes_per_point", (now[CHUNKS] + now[LOG]) / values, 3, "B");
    return OK;
}

static enum err measure(struct sending *s, const struct target *to, struct figures *ret, struct fault *f) {
    double cpu = target_cpu_s(to), values = (double)s->values;
    int64_t begin = bench_now_us();
    TRY(sending_run(s, to, f));
    double seconds = (double)(bench_now_us() - begin) / 1e6;
    figure_put(ret, "values", values, 0, "count");
    figure_put(ret, "values_per_s", values / seconds, 0, "/s");
    figure_put(ret, "server_cpu_ns", (target_cpu_s(to) - cpu) * 1e9 / values, 0, "ns");
    figure_put(ret, "p50_ms", (double)latencies_percentile(&s->latencies, 50) / 1000, 2, "ms");
    figure_put(ret, "p99_ms", (double)latencies_percentile(&s->latencies, 99) / 1000, 2, "ms");
    return to->is_peer ? OK : put_disk(to, values, ret, f);
}

static struct readings_plan plan_of(const struct bench_options *o) {
    return (struct readings_plan){.devices = o->series / READINGS_METRICS,
                                  .steps = o->points / o->series,
                                  .step_ms = STEP_MS,
                                  .start_ms = bench_utc_s() * 1000 - o->points / o->series * STEP_MS,
                                  .fields = (int)o->fields};
}

/* Ten points more of each series, which nobody has time to seal. */
static enum err send_fresh(const struct target *to, const struct bench_options *o, struct fault *f) {
    struct sending s = {0};
    struct readings_plan plan = plan_of(o);
    plan.start_ms += plan.steps * plan.step_ms;
    plan.steps = FRESH;
    enum err e = sending_make_all(&s, to, &plan, o->batch, f);
    if (!e) e = sending_run(&s, to, f);
    sending_free(&s);
    return e;
}

/* What stands in memory once it is at rest, and how long it takes to be there again. */
static enum err put_restart(struct target *to, const struct bench_options *o, const char *dir, struct figures *ret,
                            struct fault *f) {
    static const char *const unsealed[] = {"linli_telemetry_head_points"};
    double ms, points;
    figure_put(ret, "memory_mb", child_memory_mb(&to->child), 1, "MB");
    if (!o->file) TRY(send_fresh(to, o, f));
    TRY(target_restart(to, o, dir, &ms, f));
    TRY(target_metric(to, unsealed, 1, &points, f));
    figure_put(ret, "restart_ms", ms, 0, "ms");
    figure_put(ret, "restart_unsealed", points, 0, "count");
    figure_put(ret, "memory_again_mb", child_memory_mb(&to->child), 1, "MB");
    return OK;
}

/* For those that take no line protocol: the lines themselves. */
static enum err print(const struct bench_options *o, struct fault *f) {
    struct readings r;
    struct readings_plan plan = plan_of(o);
    size_t values = (size_t)(o->batch * o->fields), len;
    char *lines = malloc((values / READINGS_METRICS + 1) * READINGS_LINE_MAX);
    if (!lines) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    enum err e = readings_begin(&r, &plan, f);
    while (!e && r.step < plan.steps && !bench_is_stopped) {
        (void)readings_put(&r, values, lines, &len);
        if (fwrite(lines, 1, len, stdout) != len) e = FAIL(f, ERR_UNAVAILABLE, "output", "the output takes no more");
    }
    readings_end(&r);
    free(lines);
    return e;
}

static enum err run_in(const struct bench_options *o, const char *dir, struct figures *ret, struct fault *f) {
    struct target to;
    struct sending s = {0};
    struct readings_plan plan = plan_of(o);
    enum err e = target_open(&to, o, dir, o->file ? 0 : plan.devices, f);
    if (!e) e = o->file ? sending_read(&s, &to, o->file, o->batch, f) : sending_make_all(&s, &to, &plan, o->batch, f);
    if (!e) e = measure(&s, &to, ret, f);
    if (!e && !to.is_peer) e = put_restart(&to, o, dir, ret, f);
    target_close(&to);
    sending_free(&s);
    return e;
}

static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    struct bench_options o = *options;
    char dir[512];
    if (!o.series) o.series = 10000;
    if (!o.points) o.points = 10000000;
    if (!o.fields) o.fields = 1;
    if (!o.batch) o.batch = 10000;
    if (o.fields != 1 && o.fields != READINGS_METRICS)
        return FAIL(f, ERR_INVALID, "fields", "--fields is 1 or %d", READINGS_METRICS);
    if (o.to && !strcmp(o.to, "-")) return print(&o, f);
    TRY(bench_dir_make(&o, dir, f));
    enum err e = run_in(&o, dir, ret, f);
    bench_dir_remove(dir);
    return e;
}

const struct bench bench_ingest = {"ingest", "line protocol over one connection, durable before each answer", run};
