/* Alive, ready, and figures for Prometheus; the addresses every installation has.  SPDX-License-Identifier: Apache-2.0
 */
#include "api/api_internal.h"

#include "kernel/file.h"

const struct point routes = {"routes", sizeof(struct api_route)};
const struct point health = {"health", sizeof(struct api_health)};
const struct point metrics = {"metrics", sizeof(struct api_metrics)};

enum err health_alive(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    (void)ctx;
    (void)call;
    ret->body = (struct bytes){(const uint8_t *)"{\"alive\":true}", 14};
    return OK;
}

static void put_check(struct jw *j, const char *name, bool ok, struct str why) {
    jw_put(j, "{'name':$,'ok':$,'detail':$}", JV(J_CSTR(name), J_BOOL(ok), J_IF(!ok, J_STR(why))));
}

static enum err write_once(void *arg) {
    struct ctx *ctx = arg;
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO counters (name, value) VALUES ('ready', 1) ON CONFLICT (name) DO UPDATE SET value = "
                   "counters.value + 1",
                   NO_VALS, NULL);
}

/* Reads; writes only where the last write failed, to see whether that is over. */
static enum err check_store(struct ctx *ctx, const struct api *api, struct fault *f) {
    int64_t one;
    bool found;
    TRY(db_pool_take(api->o.pool, &ctx->db, f));
    TRY(db_one_i64(ctx->db, f, "SELECT COUNT(*) FROM upgrades", NO_VALS, &one, &found));
    if (!db_pool_writes_fail(api->o.pool)) return OK;
    enum err e = db_tx(ctx->db, &ctx->fault, DB_WRITE, &(struct db_unit){.fn = write_once, .arg = ctx});
    *f = ctx->fault;
    ctx->fault = (struct fault){0};
    return e;
}

/* Takes its own connection, so that a store that does not answer is told, and told as a check. */
enum err health_ready(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct api *api = call->arg;
    struct fault f = {0};
    struct body b;
    bool ready = !check_store(ctx, api, &f), store = ready;
    body_open(&b, ctx);
    jw_put(&b.j, "{'checks':[", NO_JV);
    put_check(&b.j, "store", ready, str_of(f.text));
    for (size_t i = 0; store && i < api->extras_n; i++) {
        char mem[256];
        struct buf why;
        if (!api->extras[i].health) continue;
        buf_init(&why, mem, sizeof mem);
        ctx->actor = actor_system();
        bool ok = api->extras[i].health->check(ctx, api->extras[i].arg, &why);
        put_check(&b.j, api->extras[i].health->name, ok, (struct str){mem, why.len});
        ready &= ok;
    }
    jw_put(&b.j, "],'ready':$}", JV(J_BOOL(ready)));
    ret->status = ready ? 200 : 503;
    return body_close(&b, ctx, ret);
}

static void put_figure(struct buf *b, const char *name, const char *type, const char *help, int64_t value) {
    buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, (long long)value);
}

static void put_latency(struct buf *b, const struct counters *c) {
    int64_t sum = 0;
    buf_cstr(b, "# HELP linli_http_seconds Time from the whole request to its answer.\n"
                "# TYPE linli_http_seconds histogram\n");
    for (size_t i = 0; i <= LATENCY_BUCKETS; i++) {
        sum += atomic_load(&c->latency[i]);
        if (i < LATENCY_BUCKETS)
            buf_fmt(b, "linli_http_seconds_bucket{le=\"%lld.%06lld\"} %lld\n",
                    (long long)latency_bounds_us[i] / 1000000, (long long)latency_bounds_us[i] % 1000000,
                    (long long)sum);
    }
    int64_t us = atomic_load(&c->latency_sum_us);
    buf_fmt(b,
            "linli_http_seconds_bucket{le=\"+Inf\"} %lld\nlinli_http_seconds_sum %lld.%06lld\n"
            "linli_http_seconds_count %lld\n",
            (long long)sum, (long long)us / 1000000, (long long)us % 1000000, (long long)sum);
}

enum err metrics_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct api *api = call->arg;
    const struct counters *c = &api->counters;
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, ANSWER_MAX);
    buf_cstr(
        &b, "# HELP linli_http_requests_total Answers by class of status.\n# TYPE linli_http_requests_total counter\n");
    for (int i = 2; i < 6; i++)
        buf_fmt(&b, "linli_http_requests_total{status=\"%dxx\"} %lld\n", i, (long long)atomic_load(&c->status[i]));
    put_latency(&b, c);
    put_figure(&b, "linli_http_under_way", "gauge", "Requests under way.", atomic_load(&c->under_way));
    put_figure(&b, "linli_event_clients", "gauge", "Open event streams.", (int64_t)hub_clients(api->hub));
    put_figure(&b, "linli_event_writes_total", "counter", "Pieces written to event streams.",
               atomic_load(&c->events_sent));
    put_figure(&b, "linli_events_delivered_total", "counter", "Events delivered by this process.",
               atomic_load(&c->events_delivered));
    put_figure(&b, "linli_timers_total", "counter", "Timers of rows run.", atomic_load(&c->timers_run));
    put_figure(&b, "linli_jobs_total", "counter", "Jobs run.", atomic_load(&c->jobs_run));
    put_figure(&b, "linli_store_statements_total", "counter", "Statements of this connection to the store.",
               db_statements(ctx->db));
    for (size_t i = 0; i < api->extras_n; i++)
        if (api->extras[i].metrics) api->extras[i].metrics->write(ctx, api->extras[i].arg, &b);
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    ret->type = "text/plain; version=0.0.4; charset=utf-8";
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

static enum err events_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    return hub_prepare(ctx, call->unit, ret);
}

const struct api_route builtin_routes[] = {
    {"GET", "/api/v1/describe", 0, 0, describe_handle, "What the caller may see and do"},
    {"GET", "/api/v1/events", API_EVENTS, 0, events_handle, "Server-sent events; topics=cases.*,alarms.*"},
    {"POST", "/api/v1/files", 0, API_FILE_BYTES, files_upload, "Upload bytes; name=NAME"},
    {"GET", "/api/openapi.json", API_PUBLIC | API_NO_STORE, 0, openapi_handle, "This document"},
    {"GET", "/healthz", API_PUBLIC | API_NO_STORE, 0, health_alive, "Is the process alive?"},
    {"GET", "/readyz", API_PUBLIC | API_NO_STORE, 0, health_ready, "Are stores and lines ready?"},
    {"GET", "/metrics", 0, 0, metrics_handle, "Figures as Prometheus text"},
};
const size_t builtin_routes_n = COUNT(builtin_routes);
