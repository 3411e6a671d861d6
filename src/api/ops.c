/* Alive, ready, and figures for Prometheus; the addresses every installation has.  SPDX-License-Identifier: Apache-2.0
 */
#include "api/api_internal.h"

const struct point routes = {"routes", sizeof(struct api_route)};

enum err health_alive(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    (void)ctx;
    (void)call;
    ret->body = (struct bytes){(const uint8_t *)"{\"alive\":true}", 14};
    return OK;
}

static void put_check(struct jw *j, const char *name, bool ok, struct str why) {
    jw_put(j, "{'name':$,'ok':$,'detail':$}", JV(J_CSTR(name), J_BOOL(ok), J_IF(!ok, J_STR(why))));
}

static bool check(struct ctx *ctx, const struct api_health *health, void *arg, struct jw *j) {
    char mem[256];
    struct buf why;
    buf_init(&why, mem, sizeof mem);
    ctx->actor = actor_system();
    bool ok = health->check(ctx, arg, &why);
    put_check(j, health->name, ok, (struct str){mem, why.len});
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
    bool store = !check_store(ctx, api, &f), ready = store;
    body_open(&b, ctx);
    jw_put(&b.j, "{'checks':[", NO_JV);
    put_check(&b.j, "store", store, str_of(f.text));
    for (size_t w = 0; store && w < api->o.with_n; w++)
        for (size_t i = 0; i < api->o.with[w].healths_n; i++)
            ready &= check(ctx, &api->o.with[w].healths[i], api->o.with[w].arg, &b.j);
    jw_put(&b.j, "],'ready':$}", JV(J_BOOL(ready)));
    ret->status = ready ? 200 : 503;
    return body_close(&b, ctx, ret);
}

enum err metrics_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct api *api = call->arg;
    const struct counters *c = &api->counters;
    const struct figure figures[] = {
        {"http_under_way", "gauge", atomic_load(&c->under_way), "Requests under way."},
        {"event_clients", "gauge", (int64_t)hub_clients(api->hub), "Open event streams."},
        {"event_writes_total", "counter", atomic_load(&c->events_sent), "Pieces written to event streams."},
        {"events_delivered_total", "counter", atomic_load(&c->events_delivered), "Events delivered by this process."},
        {"timers_total", "counter", atomic_load(&c->timers_run), "Timers of rows run."},
        {"jobs_total", "counter", atomic_load(&c->jobs_run), "Jobs run."},
        {"store_statements_total", "counter", db_statements(ctx->db), "Statements of this connection to the store."},
    };
    struct body b;
    body_open(&b, ctx);
    buf_cstr(&b.buf, "# HELP linli_http_requests_total Answers by class of status.\n"
                     "# TYPE linli_http_requests_total counter\n");
    for (int i = 2; i < 6; i++)
        buf_fmt(&b.buf, "linli_http_requests_total{status=\"%dxx\"} %lld\n", i, (long long)atomic_load(&c->status[i]));
    prometheus_durations(&b.buf, "linli_http_seconds", "Time from the whole request to its answer.", &c->took);
    prometheus_figures(&b.buf, "linli_", figures, COUNT(figures));
    for (size_t w = 0; w < api->o.with_n; w++)
        for (size_t i = 0; i < api->o.with[w].metrics_n; i++)
            api->o.with[w].metrics[i].write(ctx, api->o.with[w].arg, &b.buf);
    ret->type = "text/plain; version=0.0.4; charset=utf-8";
    return body_close(&b, ctx, ret);
}

const struct api_route builtin_routes[] = {
    {"GET", "/api/v1/describe", 0, 0, describe_handle, "What the caller may see and do"},
    {"GET", "/api/v1/events", API_EVENTS, 0, hub_prepare, "Server-sent events; topics=cases.*,alarms.*"},
    {"POST", "/api/v1/files", 0, API_FILE_BYTES, files_upload, "Upload bytes; name=NAME"},
    {"GET", "/api/openapi.json", API_PUBLIC | API_NO_STORE, 0, openapi_handle, "This document"},
    {"GET", "/healthz", API_PUBLIC | API_NO_STORE, 0, health_alive, "Is the process alive?"},
    {"GET", "/readyz", API_PUBLIC | API_NO_STORE, 0, health_ready, "Are stores and lines ready?"},
    {"GET", "/metrics", 0, 0, metrics_handle, "Figures as Prometheus text"},
};
const size_t builtin_routes_n = COUNT(builtin_routes);
