/* Readings over HTTP: who may, what comes back, what is refused and how.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_http.h"

#include "kernel/rows.h"
#include "net/client.h"
#include "net/testing.h"
#include "ops/health.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "platform/things/things.h"
#include "tests/lib/pg.h"
#include "tests/lib/test.h"

#include <math.h>

#define HOUR_MS INT64_C(3600000)

/* ---- a server ---- */

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
static enum err identify(struct ctx *ctx, struct str token, struct api_identity *ret) {
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
static const struct api_authenticator test_authenticators[] = {{"test", identify}};
static const struct contribution contributions[] = {CONTRIBUTE(authenticators, test_authenticators)};
static const struct module who_module = {.name = "who", .part = "platform", ROWS(contributes, contributions)};
static const struct module *const modules[] = {&places_module, &parties_module, &things_module, &telemetry_module,
                                               &who_module};

static void die(const char *what, const struct fault *f) {
    fprintf(stderr, "%s: %s %s\n", what, f->code, f->text);
    abort();
}

static enum err make_place(struct ctx *ctx, struct str name, struct str kind, int64_t parent_id, bool keeps,
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

static enum err make_device(struct ctx *ctx, struct str code, int64_t community_id, int64_t place_id) {
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

static enum err make_model(struct ctx *ctx) {
    struct model_metric metric = {.metric = S("power"), .unit = S("W")};
    struct device_model m = {0};
    metric.has = 1 | 8;
    SET(&device_models, &m, code, S("meter"));
    SET(&device_models, &m, name, S("Meter"));
    SET(&device_models, &m, metrics, (struct lines){&metric, 1});
    return row_create(ctx, &device_models, &m);
}

static enum err make_estate(struct ctx *ctx, struct site *s) {
    TRY(make_place(ctx, S("street"), S("street"), 0, true, &s->street));
    TRY(make_place(ctx, S("linli"), S("estate"), s->street, true, &s->estate));
    TRY(make_place(ctx, S("house"), S("building"), s->estate, false, &s->house));
    TRY(make_place(ctx, S("other"), S("estate"), s->street, true, &s->other));
    TRY(make_model(ctx));
    TRY(make_device(ctx, S("m1"), s->estate, s->house));
    return make_device(ctx, S("m2"), s->estate, s->estate);
}

static void as_system(struct site *s, enum err (*fn)(struct ctx *ctx, struct site *s)) {
    struct arena arena;
    struct ctx ctx = {.kernel = s->kernel, .arena = &arena, .world = &s->t->world, .actor = actor_system()};
    arena_init(&arena, 16u << 20);
    if (db_pool_take(s->pool, &ctx.db, &ctx.fault)) die("pool", &ctx.fault);
    ctx_begin(&ctx);
    if (fn(&ctx, s)) die("as system", &ctx.fault);
    db_pool_give(s->pool, ctx.db);
    arena_finish(&arena);
}

static const char *store_url;

static void open_rows(struct site *s) {
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

static size_t body_cap(void *arg, const struct http_request *req) {
    return api_body_cap(((struct site *)arg)->api, req);
}

static void handle(void *arg, const struct http_request *req) {
    api_handle(((struct site *)arg)->api, req);
}

static void start(struct site *s, struct t *t) {
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

static void stop(struct site *s) {
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

/* ---- asking ---- */

static int ask_with(struct site *s, const char *who, const char *method, const char *target, const char *type,
                    struct str body, struct http_header extra) {
    char bearer[96];
    struct http_header headers[3] = {{S("Content-Type"), str_of(type)}, {S("Authorization"), {NULL, 0}}, extra};
    snprintf(bearer, sizeof bearer, "Bearer %s", who);
    headers[1].value = str_of(bearer);
    struct client_ask ask = {method, target, headers, extra.name.ptr ? 3 : 2, {(const uint8_t *)body.ptr, body.len}};
    json_decref(s->json);
    s->json = NULL;
    if (client_call("127.0.0.1", s->port, &ask, PEER_WAIT_MS, &s->t->arena, &s->reply)) return 0;
    s->json = json_loadb((const char *)s->reply.body.ptr, s->reply.body.len, JSON_DECODE_ANY, NULL);
    return s->reply.status;
}

static int get(struct site *s, const char *who, const char *fmt, ...) PRINTF(3, 4);
static int get(struct site *s, const char *who, const char *fmt, ...) {
    char target[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(target, sizeof target, fmt, args);
    va_end(args);
    return ask_with(s, who, "GET", target, "text/plain", S(""), (struct http_header){0});
}

static int post_line(struct site *s, const char *who, const char *query, const char *text) {
    char target[256];
    snprintf(target, sizeof target, "/api/v1/ingest/line?%s", query);
    return ask_with(s, who, "POST", target, "text/plain", str_of(text), (struct http_header){0});
}

static int post_json(struct site *s, const char *who, const char *text) {
    return ask_with(s, who, "POST", "/api/v1/ingest/json?community=linli", "application/json", str_of(text),
                    (struct http_header){0});
}

static bool holds(const struct site *s, const char *text) {
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= s->reply.body.len; i++)
        if (!memcmp(s->reply.body.ptr + i, text, n)) return true;
    return false;
}

static size_t points(const struct site *s) {
    return json_array_size(json_object_get(s->json, "points"));
}

static double value_at(const struct site *s, size_t i) {
    const json_t *v = json_array_get(json_array_get(json_object_get(s->json, "points"), i), 1);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* ---- in and out ---- */

static void a_line_that_is_answered_can_be_read(struct t *t) {
    struct site s;
    char text[256];
    start(&s, t);
    snprintf(text, sizeof text, "m1 power=21.5,on=t %lld\nenv,device=m2 power=7i %lld\n", (long long)s.now_ms - 5000,
             (long long)s.now_ms - 4000);
    CHECK_SAY(t, post_line(&s, s.ingest, "precision=ms", text) == 204, "%d", s.reply.status);
    CHECK_SAY(t, get(&s, s.dispatcher, "/api/v1/telemetry?device=m1&metric=power") == 200, "%d", s.reply.status);
    CHECK(t, points(&s) == 1 && value_at(&s, 0) == 21.5 && holds(&s, "\"unit\":\"W\"") && holds(&s, "\"next\":null"));
    CHECK(t, holds(&s, "{\"device\":\"m1\",\"metric\":\"power\","));
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry?device=m1&metric=on") == 200 && value_at(&s, 0) == 1);
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry/latest?device=m1,m2") == 200);
    CHECK(t, json_array_size(json_object_get(s.json, "items")) == 3);
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry/latest") == 200);
    CHECK(t, json_array_size(json_object_get(s.json, "items")) == 3);
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry?device=m1&metric=nothing") == 200 && points(&s) == 0);
    stop(&s);
}

static void json_comes_in_and_pages_and_windows_come_out(struct t *t) {
    struct site s;
    char text[512], next[32];
    start(&s, t);
    int64_t hour = s.now_ms - s.now_ms % HOUR_MS - 3 * HOUR_MS;
    snprintf(text, sizeof text,
             "[{\"device\":\"m1\",\"ts\":%lld,\"values\":{\"power\":1,\"ok\":true}},"
             "{\"device\":\"m1\",\"ts\":%lld,\"values\":{\"power\":2.25}},"
             "{\"device\":\"m1\",\"ts\":%lld,\"values\":{\"power\":6}},{\"device\":\"m1\",\"values\":{\"now\":3}}]",
             (long long)hour, (long long)hour + 1, (long long)(hour + 2 * HOUR_MS));
    CHECK_SAY(t, post_json(&s, s.admin, text) == 204, "%d", s.reply.status);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&limit=2", (long long)hour,
                 (long long)(hour + 3 * HOUR_MS)) == 200);
    CHECK(t, points(&s) == 2 && value_at(&s, 1) == 2.25);
    snprintf(next, sizeof next, "%s", json_string_value(json_object_get(s.json, "next")));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&limit=2&cursor=%s",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS), next) == 200);
    CHECK(t, points(&s) == 1 && value_at(&s, 0) == 6 && json_is_null(json_object_get(s.json, "next")));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&every=1h&agg=avg",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200);
    CHECK(t, points(&s) == 3 && value_at(&s, 0) == 1.625 && isnan(value_at(&s, 1)) && value_at(&s, 2) == 6);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&format=csv",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200);
    CHECK(t, str_starts(client_header(&s.reply, "content-type"), S("text/csv")) && holds(&s, "time,value\r\n"));
    CHECK(t, holds(&s, ",2.25\r\n"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&every=1h&agg=min,max,count",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200);
    char several[160];
    snprintf(several, sizeof several, "\"points\":[[%lld,1,2.25,2],[%lld,null,null,0],[%lld,6,6,1]]", (long long)hour,
             (long long)(hour + HOUR_MS), (long long)(hour + 2 * HOUR_MS));
    CHECK(t, holds(&s, several));
    CHECK(t, get(&s, s.manager,
                 "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&every=1h&agg=min,max&format=csv",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200 &&
                 holds(&s, "time,min,max\r\n"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=temp&every=1h&agg=min,max,avg,sum,last") == 400 &&
                 holds(&s, "\"field\":\"agg\""));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=now&from=%lld&to=%lld", (long long)s.now_ms,
                 (long long)s.now_ms + 1) == 200 &&
                 value_at(&s, 0) == 3);
    stop(&s);
}

static void many_devices_stand_side_by_side(struct t *t) {
    static const struct {
        const char *query, *want;
    } rows[] = {
        {"group=device&agg=sum", "\"groups\":[{\"key\":\"m1\",\"name\":\"m1\",\"devices\":1,\"values\":[10]},"
                                 "{\"key\":\"m2\",\"name\":\"m2\",\"devices\":1,\"values\":[70]}]"},
        {"group=model&agg=max", "\"groups\":[{\"key\":\"meter\",\"name\":\"meter\",\"devices\":2,\"values\":[40]}]"},
        {"group=device&agg=delta&top=1", "\"groups\":[{\"key\":\"m2\",\"name\":\"m2\",\"devices\":1,\"values\":[10]}]"},
        {"group=device&agg=p50", "\"values\":[10]},{\"key\":\"m2\",\"name\":\"m2\",\"devices\":1,\"values\":[30]}]"},
    };
    struct site s;
    char text[256], place[64];
    start(&s, t);
    int64_t day = s.now_ms - s.now_ms % (24 * HOUR_MS);
    snprintf(text, sizeof text, "m1 power=10 %lld\nm2 power=30 %lld\nm2 power=40 %lld\n", (long long)day + 1,
             (long long)day + 2, (long long)day + 60002);
    CHECK(t, post_line(&s, s.ingest, "precision=ms", text) == 204);
    snprintf(text, sizeof text, "from=%lld&to=%lld", (long long)day, (long long)day + 120000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&%s&%s", text, rows[i].query) ==
                     200);
        CHECK_SAY(t, holds(&s, rows[i].want), "row %zu: %.*s", i, (int)s.reply.body.len,
                  (const char *)s.reply.body.ptr);
    }
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1m&group=place&agg=last&%s", text) == 200);
    snprintf(place, sizeof place, "{\"key\":\"%lld\",\"name\":\"house\",\"devices\":1,\"values\":[10,null]}",
             (long long)s.house);
    CHECK(t, holds(&s, place) && holds(&s, "\"values\":[30,40]}"));
    snprintf(place, sizeof place, "\"at\":[%lld,%lld]", (long long)day, (long long)day + 60000);
    CHECK(t, holds(&s, place));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=device&format=csv&%s", text) ==
                 200);
    CHECK(t, holds(&s, "time,device,name,value\r\n") && holds(&s, ",m1,m1,10\r\n") && holds(&s, ",m2,m2,35\r\n"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=colour") == 400 &&
                 holds(&s, "\"field\":\"group\""));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&top=3") == 400 &&
                 holds(&s, "\"field\":\"group\""));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=device&top=0") == 400 &&
                 holds(&s, "\"field\":\"top\""));
    CHECK(t,
          get(&s, s.resident, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=device&community=linli") == 403);
    stop(&s);
}

static void many_devices_sum_up_by_place(struct t *t) {
    struct site s;
    char text[256];
    start(&s, t);
    snprintf(text, sizeof text, "m1 power=10 %lld\nm2 power=30 %lld\nnobody power=1000 %lld\n",
             (long long)s.now_ms - 10, (long long)s.now_ms - 9, (long long)s.now_ms - 8);
    CHECK(t, post_line(&s, s.ingest, "precision=ms", text) == 204);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&agg=sum") == 200);
    CHECK(t, value_at(&s, points(&s) - 1) == 40 && holds(&s, "\"devices\":2"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&agg=sum&place=%lld",
                 (long long)s.house) == 200);
    CHECK(t, value_at(&s, points(&s) - 1) == 10 && holds(&s, "\"devices\":1"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power") == 400 && holds(&s, "\"field\":\"every\""));
    CHECK(t, get(&s, s.resident, "/api/v1/telemetry/aggregate?metric=power&every=1d&community=linli") == 403);
    stop(&s);
}

/* ---- who is told ---- */

struct told {
    enum telemetry_post_outcome outcome;
    size_t number, bytes;
    char rule[160], part[80], peer[48], user[64];
};
static struct told told[8];
static size_t told_n;

static void note_post(void *arg, const struct telemetry_post *p) { /* a worker, before the answer */
    (void)arg;
    struct told *x = &told[told_n++ % COUNT(told)];
    *x = (struct told){.outcome = p->outcome, .number = p->number, .bytes = p->bytes};
    snprintf(x->rule, sizeof x->rule, STR_FMT, STR_ARG(p->rule));
    snprintf(x->part, sizeof x->part, STR_FMT, STR_ARG(p->part));
    snprintf(x->peer, sizeof x->peer, STR_FMT, STR_ARG(p->peer));
    snprintf(x->user, sizeof x->user, STR_FMT, STR_ARG(p->user));
}

static void every_post_is_told_and_what_was_refused_with_its_line(struct t *t) {
    static const struct {
        const char *body;
        bool is_json;
        int status;
        const char *rule, *part; /* rule: how it begins */
        size_t number;
    } rows[] = {
        {"m1 power=1\nm2 power=2", false, 204, "", "m1 power=1\nm2 power=2", 0},
        {"m1 power=1\nm2 power=", false, 400, "a ", "m2 power=", 2},
        {"[{\"device\":\"m1\",\"values\":{\"power\":1}}]", true, 204, "",
         "[{\"device\":\"m1\",\"values\":{\"power\":1}}]", 0},
        {"[{\"device\":\"m1\",\"values\":{}},{\"device\":\"m1\",\"values\":{\"power\":\"x\"}}]", true, 400,
         "[1].power: not_a_number", "{\"device\":\"m1\",\"values\":{\"power\":\"x\"}}", 2},
        {"{\"device\":\"m1\"}", true, 400, "the body must be a list", "{\"device\":\"m1\"}", 0},
        {"[", true, 400, "", "[", 0},
    };
    struct site s;
    start(&s, t);
    telemetry_http_tell(s.readings, note_post, NULL);
    told_n = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status =
            rows[i].is_json ? post_json(&s, s.ingest, rows[i].body) : post_line(&s, s.ingest, "", rows[i].body);
        const struct told *x = &told[i];
        CHECK_SAY(t, status == rows[i].status && told_n == i + 1, "%s: %d, told %zu", rows[i].body, status, told_n);
        CHECK_SAY(t, !strncmp(x->rule, rows[i].rule, strlen(rows[i].rule)) && !strcmp(x->part, rows[i].part),
                  "%s: %s: %s", rows[i].body, x->rule, x->part);
        CHECK(t, x->outcome == (status == 204 ? POST_TAKEN : POST_REFUSED) && x->number == rows[i].number);
        CHECK(t, x->bytes == strlen(rows[i].body) && !strcmp(x->peer, "127.0.0.1") && x->user[0]);
        CHECK(t, (status == 204) == !x->rule[0]);
    }
    CHECK(t, post_line(&s, s.dispatcher, "", "m1 power=1") == 403 && told_n == COUNT(rows)); /* none of this line */
    CHECK(t, post_line(&s, s.device, "", "m2 power=1") == 403 && told_n == COUNT(rows) + 1 &&
                 told[COUNT(rows)].outcome == POST_REFUSED);
    stop(&s);
}

/* ---- rights ---- */

static void rights_on_devices_are_rights_on_their_readings(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, post_line(&s, s.ingest, "", "m1 power=1\nunknown power=2") == 204);
    static const char known[] = "/api/v1/telemetry?device=m1&metric=power&community=linli";
    static const char unknown[] = "/api/v1/telemetry?device=unknown&metric=power&community=linli";
    CHECK(t, get(&s, s.admin, known) == 200 && get(&s, s.manager, known) == 200 && get(&s, s.dispatcher, known) == 200);
    CHECK(t, get(&s, s.resident, known) == 404 && get(&s, s.stranger, known) == 400); /* no such community to him */
    CHECK(t, get(&s, s.admin, unknown) == 200 && get(&s, s.manager, unknown) == 200);
    CHECK(t, get(&s, s.dispatcher, unknown) == 404);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=never&metric=power") == 404);
    static const char never[] = "/api/v1/telemetry/latest?device=never&community=linli"; /* nobody is told otherwise */
    CHECK(t, get(&s, s.admin, never) == 404 && get(&s, s.manager, never) == 404 && get(&s, s.dispatcher, never) == 404);
    CHECK(t, get(&s, s.resident, never) == 404 && get(&s, s.manager, "/api/v1/telemetry/latest?device=m2") == 200);
    CHECK(t, post_line(&s, s.manager, "", "m1 power=1") == 403 && post_line(&s, s.dispatcher, "", "m1 power=1") == 403);
    CHECK(t, post_line(&s, s.device, "community=linli", "m1 power=1") == 204);
    CHECK(t, post_line(&s, s.device, "community=linli", "m1 power=1\nm2 power=1") == 403);
    CHECK(t, post_line(&s, "nobody", "", "m1 power=1") == 401);
    stop(&s);
}

static enum err protect(struct ctx *ctx, struct site *s) {
    return telemetry_label(s->store, s->estate, S("m1"), S("pulse"),
                           &(struct telemetry_label){.unit = S("/min"), .class = HEALTH}, &ctx->fault);
}

static void protected_readings_are_not_shown_to_who_may_see_the_device(struct t *t) {
    struct site s;
    start(&s, t);
    as_system(&s, protect);
    CHECK(t, post_line(&s, s.ingest, "", "m1 pulse=61,power=5") == 204);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=pulse") == 403 && holds(&s, "protected"));
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry/latest?device=m1") == 200 && !holds(&s, "pulse") && holds(&s, "power"));
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=pulse&every=1d") == 200 && holds(&s, "\"devices\":0"));
    stop(&s);
}

/* ---- refusals ---- */

static void a_refusal_says_where_and_stores_nothing(struct t *t) {
    struct site s;
    start(&s, t);
    static const struct {
        const char *query, *text;
        int status;
        const char *holds, *also;
    } rows[] = {
        {"", "m1 a=1\nm1 a=x", 400, "\"field\":\"line\"", "\"limit\":2"},
        {"", "m1 a=1\nm1 a=1 5", 400, "too_old", "\"limit\":2"},
        {"", "m1 a=1\n\n\nm1 a=1 9000000000000000000", 400, "in_future", "\"limit\":4"},
        {"precision=h", "m1 a=1", 400, "\"field\":\"precision\"", ""},
        {"community=nowhere", "m1 a=1", 400, "\"field\":\"community\"", "unknown"},
        {"", "m1 a=\"text\"", 400, "bad_line", "line 1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = post_line(&s, s.ingest, rows[i].query, rows[i].text);
        CHECK_SAY(t, status == rows[i].status && holds(&s, rows[i].holds) && holds(&s, rows[i].also),
                  "row %zu: %d %.*s", i, status, (int)s.reply.body.len, (const char *)s.reply.body.ptr);
    }
    static const struct {
        const char *text, *field, *code;
    } bodies[] = {
        {"{}", "", "not_a_list"},
        {"[1]", "[0].device", "required"},
        {"[{\"device\":\"m1\",\"values\":{\"a\":1}},{\"device\":\"m1\",\"values\":{\"a\":\"1\"}}]", "[1].a",
         "not_a_number"},
        {"[{\"device\":\"m1\",\"value\":{\"a\":1}}]", "[0].value", "unknown_field"},
        {"[{\"device\":\"m1\",\"ts\":\"noon\",\"values\":{\"a\":1}}]", "[0].ts", "bad_type"},
        {"[{\"values\":{\"a\":1}}]", "[0].device", "required"},
        {"[{\"device\":\"m1\"}]", "[0].values", "required"},
        {"[{\"device\":\"m1\",\"ts\":1,\"values\":{\"a\":1}}]", "ts", "too_old"},
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        int status = post_json(&s, s.admin, bodies[i].text);
        CHECK_SAY(t, status == 400 && holds(&s, bodies[i].field) && holds(&s, bodies[i].code), "body %zu: %d %.*s", i,
                  status, (int)s.reply.body.len, (const char *)s.reply.body.ptr);
    }
    struct telemetry_stats stats;
    telemetry_stats(s.store, &stats);
    CHECK(t, stats.points == 0);
    CHECK(t, ask_with(&s, s.admin, "POST", "/api/v1/ingest/line", "text/plain", S("m1 a=1"),
                      (struct http_header){S("Content-Encoding"), S("gzip")}) == 415);
    stop(&s);
}

static void a_bad_question_names_its_field(struct t *t) {
    static const struct {
        const char *query, *field;
    } rows[] = {
        {"metric=a", "device"},
        {"device=m1", "metric"},
        {"device=m1&metric=a&from=yesterday", "from"},
        {"device=m1&metric=a&from=2&to=1", "to"},
        {"device=m1&metric=a&every=1w", "every"},
        {"device=m1&metric=a&every=1h&agg=median", "agg"},
        {"device=m1&metric=a&limit=0", "limit"},
        {"device=m1&metric=a&limit=100001", "limit"},
        {"device=m1&metric=a&format=xls", "format"},
        {"device=m1&metric=a&cursor=x", "cursor"},
    };
    struct site s;
    char field[64];
    start(&s, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = get(&s, s.manager, "/api/v1/telemetry?%s", rows[i].query);
        snprintf(field, sizeof field, "\"field\":\"%s\"", rows[i].field);
        CHECK_SAY(t, status == 400 && holds(&s, field), "row %zu: %d %.*s", i, status, (int)s.reply.body.len,
                  (const char *)s.reply.body.ptr);
    }
    stop(&s);
}

static enum err check_trail(struct ctx *ctx, struct site *s) {
    int64_t n = 0;
    bool found;
    TRY(db_one_i64(
        ctx->db, &ctx->fault,
        "SELECT COUNT(*) FROM audit WHERE resource = 'devices' AND verb = 'erase' AND substr(reason, 1, 16) = "
        "'wrong sensor (a '",
        NO_VALS, &n, &found));
    CHECK_SAY(s->t, n == 1, "%d rows tell of it", (int)n);
    return OK;
}

static int erase(struct site *s, const char *token, const char *query) {
    char target[256];
    snprintf(target, sizeof target, "/api/v1/telemetry?%s", query);
    return ask_with(s, token, "DELETE", target, "text/plain", S(""), (struct http_header){0});
}

static void readings_are_erased_with_a_reason_and_told(struct t *t) {
    struct site s;
    char text[200], query[200];
    start(&s, t);
    int64_t at = s.now_ms - 60000;
    snprintf(text, sizeof text, "m1 a=1,b=1 %lld\nm1 a=2,b=2 %lld\n", (long long)at, (long long)at + 1000);
    CHECK(t, post_line(&s, s.ingest, "precision=ms", text) == 204);
    snprintf(query, sizeof query, "device=m1&metric=a&from=%lld&to=%lld&reason=wrong+sensor", (long long)at,
             (long long)at + 1000);
    CHECK(t, erase(&s, s.dispatcher, query) == 403 && erase(&s, s.resident, query) != 204);
    CHECK(t, erase(&s, s.manager, "device=m1&metric=a&from=1&to=2") == 400 && holds(&s, "\"field\":\"reason\""));
    CHECK(t, erase(&s, s.manager, "device=m1&metric=a&from=2&to=2&reason=xx") == 400 && holds(&s, "\"field\":\"to\""));
    CHECK(t, erase(&s, s.manager, "device=m1&metric=zz&from=1&to=2&reason=xx") == 404);
    CHECK_SAY(t, erase(&s, s.manager, query) == 204, "%d %.*s", s.reply.status, (int)s.reply.body.len,
              (const char *)s.reply.body.ptr);
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a") == 200 && points(&s) == 1 && value_at(&s, 0) == 2);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=b") == 200 && points(&s) == 2);
    as_system(&s, check_trail);
    stop(&s);
}

static void a_full_disk_is_503_and_not_ready(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, post_line(&s, s.ingest, "", "m1 a=1") == 204);
    io_sim_full_after(s.sim, 0);
    int taken = 0, status = 204; /* the log has a little room beforehand */
    while (taken < 2000 && (status = post_line(&s, s.ingest, "", "m1 b=2")) == 204) taken++;
    CHECK(t, status == 503 && client_header(&s.reply, "retry-after").len);
    CHECK(t, get(&s, s.manager, "/readyz") == 503);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a") == 200 && points(&s) == 1);
    io_sim_full_after(s.sim, -1);
    char want[64];
    snprintf(want, sizeof want, "linli_telemetry_points_total %d\n", taken + 2);
    CHECK(t, post_line(&s, s.ingest, "", "m1 a=3") == 204 && get(&s, s.manager, "/readyz") == 200);
    CHECK(t, get(&s, s.manager, "/metrics") == 200 && holds(&s, want));
    stop(&s);
}

/* ---- tags, and answers as large as they may be ---- */

static enum err check_tags(struct ctx *ctx, struct site *s) {
    struct device d = {0};
    bool found = false;
    TRY(device_by_code(ctx, s->estate, S("m1"), &d, &found));
    CHECK(s->t, found && str_is(d.attributes, "{\"floor\":\"3\",\"room\":\"8F 02\"}"));
    TRY(device_by_code(ctx, s->estate, S("fresh"), &d, &found));
    CHECK(s->t, found && d.state == DEVICE_NEW && str_is(d.attributes, "{\"floor\":\"1\"}"));
    return OK;
}

static void other_tags_stay_with_the_device(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, post_line(&s, s.ingest, "", "env,device=m1,floor=2 a=1\nenv,device=m1,room=8F\\ 02 a=1") == 204);
    CHECK(t, post_line(&s, s.ingest, "", "env,device=m1,floor=3 a=1\nfresh,floor=1 a=1") == 204);
    CHECK(t, post_line(&s, s.ingest, "", "env,device=m1,floor=3 a=1") == 204);
    as_system(&s, check_tags);
    stop(&s);
}

static void the_largest_answer_fits(struct t *t) {
    enum { EACH = 20000, N = 100000 };
    struct site s;
    start(&s, t);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, EACH);
    for (int at = 0; at < N; at += EACH) {
        for (int i = 0; i < EACH; i++)
            p[i] = (struct telemetry_point){.device = S("m1"),
                                            .metric = S("a"),
                                            .at_ms = s.now_ms - N + at + i,
                                            .value = -1.0 / (at + i + 3) * 1e-200};
        struct telemetry_batch b = {s.estate, p, EACH};
        CHECK(t, !telemetry_put_wait(s.store, &b, NULL, &t->fault));
    }
    CHECK_SAY(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a") == 200 && points(&s) == N, "%d",
              s.reply.status);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a&format=csv") == 200);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a&every=1s&agg=p95") == 200 && points(&s) > 99);
    stop(&s);
}

/* The same on PostgreSQL, where SQL is read by another. */
static void rights_and_places_hold_on_postgresql(struct t *t) {
    store_url = test_pg_url(t);
    if (store_url) rights_on_devices_are_rights_on_their_readings(t);
    store_url = test_pg_url(t);
    if (store_url) many_devices_sum_up_by_place(t);
    store_url = test_pg_url(t);
    if (store_url) other_tags_stay_with_the_device(t);
    store_url = NULL;
}

/* ---- the live tail ---- */

struct stream {
    int fd;
    char text[65536];
};

static void stream_open(struct site *s, struct stream *st, const char *who, const char *query, const char *headers) {
    char ask[512];
    st->fd = peer_dial(s->port);
    snprintf(ask, sizeof ask, "GET /api/v1/telemetry/tail?%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n",
             query, who, headers);
    peer_send(st->fd, str_of(ask));
    (void)peer_read(st->fd, st->text, sizeof st->text, "\n:\n\n");
}

static bool stream_until(struct stream *st, const char *text) {
    (void)peer_read(st->fd, st->text, sizeof st->text, text);
    return strstr(st->text, text) != NULL;
}

/* In what has come by now, and within a moment. */
static bool stream_shows(struct stream *st, const char *text) {
    struct pollfd p = {.fd = st->fd, .events = POLLIN};
    size_t len = strlen(st->text);
    while (poll(&p, 1, 20) == 1 && len + 1 < sizeof st->text) {
        ssize_t n = recv(st->fd, st->text + len, sizeof st->text - 1 - len, 0);
        if (n <= 0) break;
        len += (size_t)n;
        st->text[len] = 0;
    }
    return strstr(st->text, text) != NULL;
}

static void put_one(struct site *s, const char *device, const char *metric, double value) {
    struct telemetry_point p = {.device = str_of(device), .metric = str_of(metric), .at_ms = s->now_ms, .value = value};
    CHECK(s->t, !telemetry_put_wait(s->store, &(struct telemetry_batch){s->estate, &p, 1}, NULL, &s->t->fault));
}

static void a_tail_tells_readings_as_they_come(struct t *t) {
    struct site s;
    struct stream one, both;
    char want[200];
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    put_one(&s, "m2", "level", 2);
    stream_open(&s, &one, s.manager, "device=m1", "");
    stream_open(&s, &both, s.dispatcher, "device=m1,m2&metric=level", "");
    CHECK_SAY(t, peer_status(one.text) == 200 && strstr(one.text, "text/event-stream"), "%s", one.text);
    CHECK(t, !strstr(one.text, "event: ")); /* it begins now */
    put_one(&s, "m2", "level", 3);
    put_one(&s, "m1", "level", 4.5);
    snprintf(want, sizeof want, "{\"device\":\"m1\",\"metric\":\"level\",\"at_ms\":%lld,\"value\":4.5,\"quality\":0}]",
             (long long)s.now_ms);
    CHECK_SAY(t, stream_until(&one, want) && strstr(one.text, "event: readings\n"), "%s", one.text);
    CHECK_SAY(t, !strstr(one.text, "\"m2\""), "%s", one.text);
    CHECK_SAY(t, stream_until(&both, "\"value\":4.5") && strstr(both.text, "\"value\":3"), "%s", both.text);
    put_one(&s, "m1", "flow", 7); /* a metric that was not there: found when it is looked at again */
    bool found = false;
    for (int i = 0; i < 400 && !found; i++) {
        put_one(&s, "m1", "flow", 8);
        found = stream_shows(&one, "\"metric\":\"flow\"");
    }
    CHECK(t, found && !strstr(both.text, "flow"));
    close(one.fd);
    close(both.fd);
    stop(&s);
}

static void who_comes_again_is_told_that_he_missed_some(struct t *t) {
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    stream_open(&s, &st, s.manager, "device=m1", "Last-Event-ID: 5\r\n");
    CHECK_SAY(t, stream_until(&st, "event: missed\n"), "%s", st.text);
    put_one(&s, "m1", "level", 2);
    CHECK_SAY(t, stream_until(&st, "\"value\":2"), "%s", st.text);
    close(st.fd);
    stop(&s);
}

static void who_may_not_read_gets_no_tail(struct t *t) {
    static const struct {
        const char *query, *code;
        int status;
    } rows[] = {{"device=m1", "not_found", 404}, {"", "required", 400}, {"device=nothing", "not_found", 404}};
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        stream_open(&s, &st, i ? s.dispatcher : s.resident, rows[i].query, "Connection: close\r\n");
        CHECK_SAY(t, peer_status(st.text) == rows[i].status && strstr(st.text, rows[i].code), "%zu: %s", i, st.text);
        close(st.fd);
    }
    stop(&s);
}

static enum err archive_m1(struct ctx *ctx, struct site *s) {
    struct device d = {0};
    bool found;
    TRY(device_by_code(ctx, s->estate, S("m1"), &d, &found));
    return row_archive(ctx, &devices, d.row.id, 0);
}

static void a_tail_ends_when_the_device_is_out_of_reach(struct t *t) {
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    stream_open(&s, &st, s.dispatcher, "device=m1", "");
    CHECK(t, peer_status(st.text) == 200);
    as_system(&s, archive_m1);
    CHECK_SAY(t, stream_until(&st, "0\r\n\r\n"), "%s", st.text); /* the end of the chunks */
    close(st.fd);
    stop(&s);
}

static void make_pulse_private(struct site *s) {
    put_one(s, "m1", "pulse", 61);
    CHECK(s->t, !telemetry_label(s->store, s->estate, S("m1"), S("pulse"), &(struct telemetry_label){.class = HEALTH},
                                 &s->t->fault));
}

static void a_tail_keeps_private_metrics_to_itself(struct t *t) {
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    make_pulse_private(&s);
    stream_open(&s, &st, s.dispatcher, "device=m1", "");
    put_one(&s, "m1", "pulse", 62);
    put_one(&s, "m1", "level", 2);
    CHECK_SAY(t, stream_until(&st, "\"value\":2") && !strstr(st.text, "pulse"), "%s", st.text);
    close(st.fd);
    stop(&s);
}

TESTS(CASE(a_tail_tells_readings_as_they_come), CASE(who_comes_again_is_told_that_he_missed_some),
      CASE(who_may_not_read_gets_no_tail), CASE(a_tail_ends_when_the_device_is_out_of_reach),
      CASE(a_tail_keeps_private_metrics_to_itself), CASE(every_post_is_told_and_what_was_refused_with_its_line),
      CASE(a_line_that_is_answered_can_be_read), CASE(json_comes_in_and_pages_and_windows_come_out),
      CASE(many_devices_sum_up_by_place), CASE(many_devices_stand_side_by_side),
      CASE(rights_on_devices_are_rights_on_their_readings),
      CASE(protected_readings_are_not_shown_to_who_may_see_the_device), CASE(a_refusal_says_where_and_stores_nothing),
      CASE(a_bad_question_names_its_field), CASE(readings_are_erased_with_a_reason_and_told),
      CASE(a_full_disk_is_503_and_not_ready), CASE(other_tags_stay_with_the_device), CASE(the_largest_answer_fits),
      CASE(rights_and_places_hold_on_postgresql))
