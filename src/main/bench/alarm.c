/* linli bench alarm: from the last byte of a fire frame or an MQTT publish to the event of its case at a client, beside
 * readings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/bench.h"
#include "main/bench/child.h"
#include "main/bench/fill.h"
#include "main/bench/load.h"
#include "main/bench/panels.h"
#include "net/client_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH       20 /* readings of one request; more where they are many */
#define BATCH_MAX   2000
#define BATCHES     50 /* a second, then */
#define METERS      100
#define QUERIERS    2
#define READERS     8
#define PATIENCE_US INT64_C(10000000)
#define SETTLE_US   INT64_C(1000000) /* from the start of the server to the first alarm */
#define TEXT_MAX    65536
#define MEMORY_MAX  3600

struct alarm_bench {
    const struct bench_options *o;
    size_t n;
    struct wires wires;
    struct panels *panels;
    struct fill_key *keys;
    struct pace pace;
    /* events as they come */
    struct client_parse *stream;
    char text[TEXT_MAX];
    size_t text_n;
    int64_t *case_ids, *seen_us;
    size_t seen_n;
    size_t batch; /* readings of one request */
    int64_t meters;
    double memory_mb[MEMORY_MAX]; /* at each second of the load */
    size_t memory_n;
    char token[96], password[33], body[BATCH_MAX * 64 + 512];
    struct latencies latencies, of_readings; /* the latter: alarms that a rule made of a reading */
};

/* ---- what is said ---- */

/* Line protocol, a value of some devices each time. */
static struct bytes readings(void *arg, size_t i) {
    struct alarm_bench *a = arg;
    static const char *const metrics[] = {"temperature", "humidity", "power", "energy"};
    static char lines[BATCH_MAX * 64];
    struct buf b;
    buf_init(&b, lines, sizeof lines);
    for (size_t k = 0; k < a->batch; k++) {
        size_t at = i * a->batch + k, meter = at % (size_t)a->meters;
        buf_fmt(&b, "meter,device=m%06zu %s=%zu.%zu\n", meter, metrics[at / (size_t)a->meters % COUNT(metrics)],
                i % 50 + meter % 7, k % 10);
    }
    int n = snprintf(a->body, sizeof a->body,
                     "POST /api/v1/ingest/line?community=" FILL_FIRST_ESTATE
                     " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
                     "%s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                     a->token, b.len, lines);
    return (struct bytes){(const uint8_t *)a->body, (size_t)n};
}

/* Somebody looks at the last hour of a meter, somebody else at all of them together. */
static struct bytes query(void *arg, size_t i) {
    struct alarm_bench *a = arg;
    static char ask[512];
    char path[160];
    if (i % 10)
        snprintf(path, sizeof path, "/api/v1/telemetry?device=m%06d&metric=power&every=1m&agg=min,avg,max",
                 (int)(i % (size_t)a->meters));
    else
        snprintf(path, sizeof path, "/api/v1/telemetry/aggregate?metric=power&every=1m&agg=avg&group=model");
    int n = snprintf(ask, sizeof ask, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", path,
                     a->token);
    return (struct bytes){(const uint8_t *)ask, (size_t)n};
}

/* ---- what is heard ---- */

/* One event, its lines ended by NUL: the case that was made. */
static void take_event(struct alarm_bench *a, const char *event) {
    const char *id = strstr(event, "\"id\":\""), *end = id ? strchr(id + 6, '"') : NULL;
    int64_t number;
    if (!strstr(event, "event: cases.create") || !end || a->seen_n == a->n) return;
    if (!str_to_i64((struct str){id + 6, (size_t)(end - id - 6)}, &number)) return;
    a->case_ids[a->seen_n] = number;
    a->seen_us[a->seen_n++] = bench_now_us();
}

static void on_events(void *arg, struct bytes piece) {
    struct alarm_bench *a = arg;
    size_t n = sizeof a->text - 1 - a->text_n;
    if (piece.len < n) n = piece.len;
    memcpy(a->text + a->text_n, piece.ptr, n);
    a->text_n += n;
    a->text[a->text_n] = 0;
    char *from = a->text;
    for (char *end; (end = strstr(from, "\n\n")); from = end + 2) {
        *end = 0;
        take_event(a, from);
    }
    a->text_n -= (size_t)(from - a->text);
    memmove(a->text, from, a->text_n + 1);
}

static void on_stream(void *arg, struct bytes bytes) {
    struct alarm_bench *a = arg;
    if (bytes.len) (void)client_parse_feed(a->stream, bytes);
}

static enum err listen_to(struct alarm_bench *a, const struct child *c, struct fault *f) {
    char token[96], ask[256];
    struct wire *w;
    TRY(child_log_in(c, "estate", a->password, token, f));
    a->stream = client_parse_create(false, 0);
    if (!a->stream) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    a->stream->on_piece = on_events;
    a->stream->arg = a;
    TRY(wire_open(&a->wires, c->port, on_stream, a, &w, f));
    int n = snprintf(
        ask, sizeof ask,
        "GET /api/v1/events?topics=cases.* HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", token);
    wire_send(w, (struct bytes){(const uint8_t *)ask, (size_t)n});
    return OK;
}

/* ---- the run ---- */

static int64_t send_frames(struct alarm_bench *a, int64_t now_us) {
    size_t i;
    while (pace_take(&a->pace, now_us, &i)) panels_fire(a->panels, i);
    return a->pace.taken == a->n ? INT64_MAX : pace_due_us(&a->pace, a->pace.taken);
}

static bool is_heard(const struct alarm_bench *a) {
    return a->pace.taken == a->n && a->seen_n == a->n && panels_answered(a->panels) == a->n;
}

static void note_memory(struct alarm_bench *a, const struct child *c, int64_t since_us) {
    if (since_us / 1000000 >= (int64_t)a->memory_n && a->memory_n < (size_t)a->o->seconds)
        a->memory_mb[a->memory_n++] = child_memory_mb(c);
}

static double peak(const struct alarm_bench *a, size_t from, size_t to) {
    double most = 0;
    for (size_t i = from; i < to; i++)
        if (a->memory_mb[i] > most) most = a->memory_mb[i];
    return most;
}

/* Heads fill and are sealed, so it goes up and down: what counts is whether the last third goes higher than the one
 * before. */
static void put_memory(struct alarm_bench *a, double before_mb, struct figures *ret) {
    size_t n = a->memory_n;
    double middle = peak(a, n / 3, n * 2 / 3), last = peak(a, n * 2 / 3, n);
    figure_put(ret, "memory_before_mb", before_mb, 1, "MB");
    figure_put(ret, "memory_peak_mb", peak(a, 0, n), 1, "MB");
    figure_put(ret, "memory_growth", middle > 0 ? last / middle : 0, 2, "x");
}

static enum err play(struct alarm_bench *a, const struct child *c, struct load *load, struct load *asking,
                     struct fault *f) {
    TRY(listen_to(a, c, f));
    TRY(panels_open(&a->wires, c, a->keys, a->n, &a->panels, f));
    for (int64_t until = bench_now_us() + PATIENCE_US; !panels_are_ready(a->panels);) {
        if (bench_is_stopped || bench_now_us() > until)
            return FAIL(f, ERR_UNAVAILABLE, "server", "the server does not let all MQTT clients in");
        wires_wait(&a->wires, until);
    }
    int64_t begin = bench_now_us() + SETTLE_US, end = begin + a->o->seconds * 1000000 + PATIENCE_US;
    a->pace = (struct pace){.begin_us = begin, .rate = (double)a->o->rate, .n = a->n};
    if (load) load_begin(load, begin);
    if (asking) load_begin(asking, begin);
    fprintf(stderr, "measuring: %zu alarms beside readings\n", a->n);
    while (!bench_is_stopped && bench_now_us() < end && !(is_heard(a) && (!load || load_is_done(load)))) {
        int64_t now = bench_now_us(), next = send_frames(a, now), due = load ? load_send(load, now) : INT64_MAX;
        int64_t ask = asking ? load_send(asking, now) : INT64_MAX;
        if (ask < due) due = ask;
        note_memory(a, c, now - begin);
        wires_wait(&a->wires, next < due ? next : due);
    }
    return bench_is_stopped ? FAIL(f, ERR_UNAVAILABLE, "stopped", "stopped") : OK;
}

/* Which case came of which panel: asked of the store when all is over, so that asking costs nobody anything. */
static enum err match(struct ctx *ctx, void *arg) {
    struct alarm_bench *a = arg;
    for (size_t i = 0; i < a->seen_n; i++) {
        struct db_rows rows = {0};
        int64_t panel = 0;
        enum err e = db_query(ctx->db, &ctx->fault,
                              "SELECT d.code FROM cases c JOIN devices d ON d.id = c.device_id WHERE c.id = $1",
                              VALS(V_I64(a->case_ids[i])), &rows);
        bool found = db_more(&rows, &ctx->fault, &e) && str_to_i64(db_text(&rows, 0), &panel);
        db_done(&rows);
        if (e) return e;
        panel -= FILL_PANEL_FIRST;
        if (!found || panel < 0 || (size_t)panel >= a->n) continue;
        int64_t took_us = a->seen_us[i] - pace_due_us(&a->pace, (size_t)panel);
        latencies_add(&a->latencies, took_us);
        if (panel_reads((size_t)panel)) latencies_add(&a->of_readings, took_us);
    }
    return OK;
}

static enum err match_all(struct alarm_bench *a, const char *dir, struct fault *f) {
    struct site site;
    enum err e = site_open(&site, &(struct site_options){.data = dir, .db = a->o->db}, f);
    if (!e) e = site_do(&site, match, a, f);
    site_close(&site);
    return e;
}

static void put_figures(struct alarm_bench *a, struct load *load, struct load *asking, double cpu_s,
                        struct figures *ret) {
    size_t confirmed = panels_answered(a->panels), stored = load ? load_result(load)->answered * a->batch : 0;
    figure_put(ret, "alarms", (double)a->latencies.n, 0, "count");
    figure_put(ret, "lost", (double)a->n - (double)a->latencies.n, 0, "count");
    figure_put(ret, "unanswered", (double)a->n - (double)confirmed, 0, "count");
    figure_put(ret, "points_per_s", (double)stored / (double)a->o->seconds, 0, "/s");
    if (load) figure_put(ret, "refused", (double)load_result(load)->failed, 0, "count");
    if (asking) {
        figure_put(ret, "queries_refused", (double)load_result(asking)->failed, 0, "count");
        struct latencies got = load_result(asking)->latencies;
        figure_put(ret, "queries", (double)load_result(asking)->answered, 0, "count");
        figure_put(ret, "query_p99_ms", (double)latencies_percentile(&got, 99) / 1000, 2, "ms");
    }
    figure_put(ret, "p50_ms", (double)latencies_percentile(&a->latencies, 50) / 1000, 2, "ms");
    figure_put(ret, "p90_ms", (double)latencies_percentile(&a->latencies, 90) / 1000, 2, "ms");
    figure_put(ret, "p99_ms", (double)latencies_percentile(&a->latencies, 99) / 1000, 2, "ms");
    figure_put(ret, "max_ms", (double)latencies_percentile(&a->latencies, 100) / 1000, 2, "ms");
    figure_put(ret, "of_readings", (double)a->of_readings.n, 0, "count");
    figure_put(ret, "of_readings_p99_ms", (double)latencies_percentile(&a->of_readings, 99) / 1000, 2, "ms");
    figure_put(ret, "server_cpu", 100 * cpu_s / (double)a->o->seconds, 0, "%");
}

static enum err run_over(struct alarm_bench *a, const char *dir, struct figures *ret, struct fault *f) {
    struct child c = {.out = -1};
    struct load *load = NULL, *asking = NULL;
    struct load_options l = {.connections = READERS,
                             .rate = (double)a->o->readings / (double)a->batch,
                             .n = (size_t)(a->o->readings * a->o->seconds) / a->batch,
                             .request = readings,
                             .arg = a};
    struct load_options q = {.connections = QUERIERS,
                             .rate = (double)a->o->queries,
                             .n = (size_t)(a->o->queries * a->o->seconds),
                             .request = query,
                             .arg = a};
    struct fill_plan plan = {.estates = 1,
                             .panels = (int64_t)a->n,
                             .meters = a->meters,
                             .rules = a->o->rules,
                             .password = a->password,
                             .keys = a->keys};
    TRY(fill_site(dir, a->o->db, &plan, f));
    enum err e = child_start(dir, a->o, 0, &c, f);
    l.port = q.port = c.port;
    if (!e) e = child_log_in(&c, "admin", a->password, a->token, f);
    if (!e && l.n) e = load_open(&a->wires, &l, &load, f);
    if (!e && q.n) e = load_open(&a->wires, &q, &asking, f);
    double before_mb = child_memory_mb(&c), before_s = child_cpu_s(&c);
    if (!e) e = play(a, &c, load, asking, f);
    double cpu_s = child_cpu_s(&c) - before_s;
    child_stop(&c);
    if (!e) e = match_all(a, dir, f);
    if (!e) put_figures(a, load, asking, cpu_s, ret);
    if (!e) put_memory(a, before_mb, ret);
    load_close(load);
    load_close(asking);
    panels_close(a->panels);
    wires_close(&a->wires);
    client_parse_destroy(a->stream);
    return e;
}

static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    struct bench_options o = *options;
    char dir[512];
    if (!o.rate) o.rate = 50;
    if (!o.seconds) o.seconds = 10;
    if (o.readings < 0) o.readings = 1000;
    struct alarm_bench *a = calloc(1, sizeof *a);
    enum err e = a ? OK : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    if (!e) {
        a->o = &o;
        a->n = (size_t)(o.rate * o.seconds);
        a->batch = o.readings / BATCHES > BATCH_MAX ? BATCH_MAX
                   : o.readings / BATCHES > BATCH   ? (size_t)(o.readings / BATCHES)
                                                    : BATCH;
        a->meters = o.series ? o.series / 4 : METERS;
        bench_password(a->password);
        a->keys = calloc(a->n, sizeof *a->keys);
        a->case_ids = calloc(a->n, sizeof *a->case_ids);
        a->seen_us = calloc(a->n, sizeof *a->seen_us);
        bool made = a->keys && a->case_ids && a->seen_us && latencies_init(&a->latencies, a->n) &&
                    latencies_init(&a->of_readings, a->n);
        e = made ? bench_dir_make(&o, dir, f) : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    }
    if (!e) {
        e = run_over(a, dir, ret, f);
        bench_dir_remove(dir);
    }
    if (a) {
        latencies_free(&a->latencies);
        latencies_free(&a->of_readings);
        free(a->keys);
        free(a->case_ids);
        free(a->seen_us);
    }
    free(a);
    return e;
}

const struct bench bench_alarm = {"alarm",
                                  "50 fire frames, events and readings over a limit a second beside 1,000 readings a "
                                  "second, to the event of the case",
                                  run};
