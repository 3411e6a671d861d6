/* For the tests of readings over HTTP: an estate of two devices, a store in memory, a server on a loop of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_HTTP_TEST_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_HTTP_TEST_INTERNAL_H

#include "platform/telemetry/telemetry_http.h"

#include "kernel/rows.h"
#include "net/client.h"
#include "net/testing.h"
#include "ops/health.h"
#include "platform/parties/parties.h"
#include "platform/passes/passes.h"
#include "platform/places/places.h"
#include "platform/things/things.h"
#include "tests/lib/pg.h"
#include "tests/lib/test.h"

#include <math.h>

#define HOUR_MS INT64_C(3600000)

struct site {
    struct api_with with[3];
    struct t *t;
    struct test_loop loop;
    struct db_pool *pool;
    struct kernel *kernel;
    struct io_sim *sim;
    struct io io;
    struct telemetry *store;
    struct telemetry_http *readings;
    struct api *api;
    struct http_server *http;
    int port;
    int64_t street, estate, other, house, now_ms;
    char admin[64], manager[64], dispatcher[64], ingest[64], stranger[64], resident[64], device[64];
    struct client_reply reply;
    json_t *json;
};

/* A token is "ROLE.PLACE.USER": whoever says it is that. */
static inline enum err identify(struct ctx *ctx, struct str token, struct api_identity *ret) {
    struct str rest = token, role;
    struct membership m;
    struct str place;
    if (!str_cut(&rest, '.', &role) || !str_cut(&rest, '.', &place) || !str_to_i64(place, &m.place_id)) return OK;
    m.role = role;
    TRY(actor_scopes(ctx, &m, 1));
    ctx->actor.user_id = 1;
    ret->is_known = true;
    return arena_str(ctx->arena, rest, &ret->user) ? OK : ERR_INTERNAL;
}
static const struct api_authenticator test_authenticators[] = {{"test", identify, NULL, NULL}};
static const struct contribution contributions[] = {CONTRIBUTE(authenticators, test_authenticators)};
static const struct module who_module = {.name = "who", .part = "platform", ROWS(contributes, contributions)};
static const struct module *const modules[] = {&places_module, &parties_module,   &things_module,
                                               &passes_module, &telemetry_module, &who_module};

static inline void die(const char *what, const struct fault *f) {
    fprintf(stderr, "%s: %s %s\n", what, f->code, f->text);
    abort();
}

static inline enum err make_place(struct ctx *ctx, struct str name, struct str kind, int64_t parent_id, bool keeps,
                                  int64_t *ret) {
    struct place p = {0};
    SET(&places, &p, name, name);
    SET(&places, &p, code, name);
    SET(&places, &p, kind, kind);
    if (parent_id) SET(&places, &p, parent_id, parent_id);
    if (keeps) SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    *ret = p.row.id;
    return OK;
}

static inline enum err make_device(struct ctx *ctx, struct str code, int64_t community_id, int64_t place_id) {
    struct device d = {.row.community_id = community_id};
    SET(&devices, &d, name, code);
    SET(&devices, &d, code, code);
    SET(&devices, &d, model, S("meter"));
    if (place_id) SET(&devices, &d, place_id, place_id);
    TRY(row_create(ctx, &devices, &d));
    return place_id ? row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                              UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1)
                                                                                 << field_index(&devices, "place_id"),
                              NULL)
                    : OK;
}

static inline enum err make_model(struct ctx *ctx) {
    struct model_metric metric = {.metric = S("power"), .unit = S("W")};
    struct device_model m = {0};
    metric.has = 1 | 8;
    SET(&device_models, &m, code, S("meter"));
    SET(&device_models, &m, name, S("Meter"));
    SET(&device_models, &m, metrics, (struct lines){&metric, 1});
    return row_create(ctx, &device_models, &m);
}

static inline enum err make_estate(struct ctx *ctx, struct site *s) {
    TRY(make_place(ctx, S("street"), S("street"), 0, true, &s->street));
    TRY(make_place(ctx, S("linli"), S("estate"), s->street, true, &s->estate));
    TRY(make_place(ctx, S("house"), S("building"), s->estate, false, &s->house));
    TRY(make_place(ctx, S("other"), S("estate"), s->street, true, &s->other));
    TRY(make_model(ctx));
    TRY(make_device(ctx, S("m1"), s->estate, s->house));
    return make_device(ctx, S("m2"), s->estate, s->estate);
}

static inline void as_system(struct site *s, enum err (*fn)(struct ctx *ctx, struct site *s)) {
    struct arena arena;
    struct ctx ctx = {.kernel = s->kernel, .arena = &arena, .world = &s->t->world, .actor = actor_system()};
    arena_init(&arena, 16u << 20);
    if (db_pool_take(s->pool, &ctx.db, &ctx.fault)) die("pool", &ctx.fault);
    ctx_begin(&ctx);
    if (fn(&ctx, s)) die("as system", &ctx.fault);
    db_pool_give(s->pool, ctx.db);
    arena_finish(&arena);
}

static const char *store_url; /* NULL: SQLite in the test's folder */

static inline void open_rows(struct site *s) {
    static int serial;
    struct fault f = {0};
    char url[256];
    struct db *db;
    snprintf(url, sizeof url, "sqlite:%s/http-%d.db", test_dir(s->t), ++serial);
    if (kernel_create(&(struct kernel_options){.modules = modules, .modules_n = COUNT(modules)}, &s->kernel, &f))
        die("kernel", &f);
    if (db_pool_open(&(struct db_options){.url = store_url ? store_url : url}, 4, &s->pool, &f)) die("store", &f);
    if (db_pool_take(s->pool, &db, &f) || kernel_install(s->kernel, db, &s->t->world, &f)) die("tables", &f);
    db_pool_give(s->pool, db);
    as_system(s, make_estate);
}

static inline size_t body_cap(void *arg, const struct http_request *req) {
    return api_body_cap(((struct site *)arg)->api, req);
}

static inline void handle(void *arg, const struct http_request *req) {
    api_handle(((struct site *)arg)->api, req);
}

static inline void start(struct site *s, struct t *t) {
    struct fault f = {0};
    *s = (struct site){.t = t, .sim = io_sim_create(t->seed), .now_ms = t->world.utc_ms(t->world.self)};
    open_rows(s);
    s->io = io_sim_io(s->sim);
    if (telemetry_open(&(struct telemetry_options){.io = &s->io, .world = &t->world, .dir = "readings"}, &s->store, &f))
        die("readings", &f);
    s->readings = telemetry_http_create(s->store);
    if (loop_create(&s->loop.loop)) die("loop", &f);
    s->with[0] = telemetry_http_with(s->readings);
    s->with[1] = api_own;
    s->with[2] = health_with;
    struct api_options o = {.kernel = s->kernel,
                            .pool = s->pool,
                            .loop = s->loop.loop,
                            .world = &t->world,
                            .version = "0",
                            .recheck_ms = 30,
                            .with = s->with,
                            .with_n = COUNT(s->with)};
    if (api_create(&o, &s->api, &f)) die("api", &f);
    if (http_server_open(s->loop.loop, &(struct http_options){.body_cap = body_cap, .world = &t->world}, handle, s,
                         &s->http, &f))
        die("http", &f);
    s->port = http_server_port(s->http);
    snprintf(s->admin, sizeof s->admin, "admin.0.admin");
    snprintf(s->manager, sizeof s->manager, "manager.%lld.manager", (long long)s->estate);
    snprintf(s->dispatcher, sizeof s->dispatcher, "dispatcher.%lld.dispatcher", (long long)s->estate);
    snprintf(s->resident, sizeof s->resident, "resident.%lld.resident", (long long)s->house);
    snprintf(s->ingest, sizeof s->ingest, "ingest.%lld.telegraf", (long long)s->estate);
    snprintf(s->device, sizeof s->device, "device.%lld.m1", (long long)s->estate);
    snprintf(s->stranger, sizeof s->stranger, "manager.%lld.stranger", (long long)s->other);
    test_loop_start(&s->loop);
}

static inline void stop(struct site *s) {
    loop_stop(s->loop.loop);
    pthread_join(s->loop.thread, NULL);
    http_server_close(s->http);
    telemetry_http_stop(s->readings);
    telemetry_close(s->store);
    api_destroy(s->api);
    loop_destroy(s->loop.loop);
    telemetry_http_destroy(s->readings);
    db_pool_close(s->pool);
    kernel_destroy(s->kernel);
    json_decref(s->json);
    io_sim_destroy(s->sim);
}

#endif
