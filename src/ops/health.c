/* Alive, ready, and figures for Prometheus.  SPDX-License-Identifier: Apache-2.0 */
#include "ops/health.h"

#include <stdatomic.h>

static enum err alive(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    (void)ctx;
    (void)call;
    ret->body = (struct bytes){(const uint8_t *)"{\"alive\":true}", 14};
    return OK;
}

static void put_check(struct jw *j, const char *name, bool ok, struct str why) {
    jw_put(j, "{'name':$,'ok':$,'detail':$}", JV(J_CSTR(name), J_BOOL(ok), J_IF(!ok, J_STR(why))));
}

static bool check(const struct api_with *with, struct jw *j) {
    char mem[256];
    struct buf why;
    buf_init(&why, mem, sizeof mem);
    bool ok = with->is_ready(with->arg, &why);
    put_check(j, with->name, ok, (struct str){mem, why.len});
    return ok;
}

static enum err write_once(void *arg) {
    struct ctx *ctx = arg;
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO counters (name, value) VALUES ('ready', 1) ON CONFLICT (name) DO UPDATE SET value = "
                   "counters.value + 1",
                   NO_VALS, NULL);
}

/* Reads; writes only where the last write failed, to see whether that is over. */
static enum err check_store(struct ctx *ctx, struct db_pool *pool, struct fault *f) {
    int64_t one;
    bool found;
    TRY(db_pool_take(pool, &ctx->db, f));
    TRY(db_one_i64(ctx->db, f, "SELECT COUNT(*) FROM upgrades", NO_VALS, &one, &found));
    if (!db_pool_writes_fail(pool)) return OK;
    enum err e = db_tx(ctx->db, &ctx->fault, DB_WRITE, &(struct db_unit){.fn = write_once, .arg = ctx});
    *f = ctx->fault;
    ctx->fault = (struct fault){0};
    return e;
}

/* Takes its own connection, so that a store that does not answer is told, and told as a check. */
static enum err ready(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct api_options *o = api_running(call).options;
    struct fault f = {0};
    struct api_text b;
    bool store = !check_store(ctx, o->pool, &f), ready = store;
    api_text_open(&b, ctx);
    jw_put(&b.j, "{'checks':[", NO_JV);
    put_check(&b.j, "store", store, str_of(f.text));
    for (size_t i = 0; store && i < o->with_n; i++)
        if (o->with[i].is_ready) ready &= check(&o->with[i], &b.j);
    jw_put(&b.j, "],'ready':$}", JV(J_BOOL(ready)));
    ret->status = ready ? 200 : 503;
    return api_text_close(&b, ctx, ret);
}

static void put_figures(struct ctx *ctx, const struct api_running *running, struct buf *ret) {
    const struct api_counters *c = running->counters;
    const struct figure figures[] = {
        {"http_under_way", "gauge", atomic_load(&c->under_way), "Requests under way."},
        {"event_clients", "gauge", (int64_t)running->event_clients, "Open event streams."},
        {"event_writes_total", "counter", atomic_load(&c->events_sent), "Pieces written to event streams."},
        {"events_delivered_total", "counter", atomic_load(&c->events_delivered), "Events delivered by this process."},
        {"timers_total", "counter", atomic_load(&c->timers_run), "Timers of rows run."},
        {"jobs_total", "counter", atomic_load(&c->jobs_run), "Jobs run."},
        {"store_statements_total", "counter", db_statements(ctx->db), "Statements of this connection to the store."},
    };
    buf_cstr(ret, "# HELP linli_http_requests_total Answers by class of status.\n"
                  "# TYPE linli_http_requests_total counter\n");
    for (int i = 2; i < 6; i++)
        buf_fmt(ret, "linli_http_requests_total{status=\"%dxx\"} %lld\n", i, (long long)atomic_load(&c->status[i]));
    prometheus_durations(ret, "linli_http_seconds", "Time from the whole request to its answer.", &c->took);
    prometheus_figures(ret, "linli_", figures, COUNT(figures));
}

static enum err metrics(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct api_running running = api_running(call);
    const struct api_options *o = running.options;
    struct api_text b;
    api_text_open(&b, ctx);
    put_figures(ctx, &running, &b.buf);
    for (size_t i = 0; i < o->with_n; i++)
        if (o->with[i].put_figures) o->with[i].put_figures(o->with[i].arg, &b.buf);
    ret->type = "text/plain; version=0.0.4; charset=utf-8";
    return api_text_close(&b, ctx, ret);
}

static const struct api_route routes_of_health[] = {
    {"GET", "/healthz", API_PUBLIC | API_NO_STORE, 0, alive, "Is the process alive?"},
    {"GET", "/readyz", API_PUBLIC | API_NO_STORE, 0, ready, "Are stores and lines ready?"},
    {"GET", "/metrics", 0, 0, metrics, "Figures as Prometheus text"},
};
const struct api_with health_with = {ROWS(routes, routes_of_health)};
