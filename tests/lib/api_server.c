/* A server of the api over the test module.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/api_server.h"

#include "kernel/outbox.h"
#include "kernel/setting.h"
#include "main/site.h"
#include "ops/health.h"
#include "tests/lib/pg.h"

#include <stdatomic.h>

/* ---- who ---- */

static _Atomic(const char *) revoked = "";

void api_server_revoke(const char *token) {
    atomic_store(&revoked, token);
}

static enum err identify(struct ctx *ctx, struct str token, struct api_identity *ret) {
    struct str rest = token, role, part;
    int64_t numbers[3] = {0};
    const char *gone = atomic_load(&revoked);
    if (*gone && str_starts(token, str_of(gone))) return OK;
    if (!str_cut(&rest, '.', &role) || !kernel_role(ctx->kernel, role)) return OK;
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (!str_cut(&rest, '.', &part) || !str_to_i64(part, &numbers[i])) return OK;
    const char *word = arena_cstr(ctx->arena, role);
    if (!word) return FAIL_MEMORY(ctx);
    TRY(test_actor(ctx, word, numbers[0], numbers[1], numbers[2]));
    if (!ctx->actor.user_id) ctx->actor.user_id = 1;
    ret->is_known = true;
    ret->user = str_of(word);
    return OK;
}
static const struct api_authenticator test_authenticators[] = {{"test", identify}};

/* ---- routes by hand ---- */

static enum err echo(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, 4096);
    buf_fmt(&b, "{\"a\":\"" STR_FMT "\",\"b\":\"" STR_FMT "\",\"user\":\"" STR_FMT "\"}", STR_ARG(call->args[0]),
            STR_ARG(call->args[1]), STR_ARG(call->user));
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

static void *finish_elsewhere(void *arg) {
    struct api_unit *unit = arg;
    api_finish(unit, &(struct api_answer){.status = 204}, NULL);
    return NULL;
}

static enum err later(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    pthread_t thread;
    struct str how;
    TRY(api_query(ctx, call, "how", &how));
    struct api_unit *unit = api_defer(call, ret);
    if (str_is(how, "now")) {
        finish_elsewhere(unit);
    } else if (str_is(how, "fault")) {
        api_finish(unit, NULL, &(struct fault){.kind = ERR_TOO_MANY, .code = "too_many", .retry_after_s = 7});
    } else {
        if (pthread_create(&thread, NULL, finish_elsewhere, unit)) abort();
        pthread_detach(thread);
    }
    return OK;
}

static enum err broken(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    (void)call;
    (void)ret;
    return FAIL(&ctx->fault, ERR_INTERNAL, "broken", "it broke");
}

static enum err unavailable(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    (void)call;
    (void)ret;
    return FAIL(&ctx->fault, ERR_UNAVAILABLE, "store_unavailable", "the store does not answer");
}

static enum err count_samples(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    json_t *body;
    TRY(api_body(ctx, call, &body));
    ret->body = (struct bytes){(const uint8_t *)"{\"counted\":true}", 16};
    return OK;
}

static bool is_well(void *arg, struct buf *ret_why) {
    (void)arg;
    (void)ret_why;
    return true;
}

static void put_figure(void *arg, struct buf *ret) {
    (void)arg;
    buf_cstr(ret, "test_figure 7\n");
}

static const struct api_route test_routes[] = {
    {"GET", "/api/v1/echo/{a}/{b}", 0, 0, echo, "Gives back its arguments"},
    {"POST", "/api/v1/public/hello", API_PUBLIC, 0, echo, NULL},
    {"POST", "/api/v1/later", API_DEFERS, 0, later, NULL},
    {"GET", "/api/v1/broken", 0, 0, broken, NULL},
    {"GET", "/api/v1/unavailable", 0, 0, unavailable, NULL},
    {"POST", "/api/v1/samples/-/count", 0, 0, count_samples, "Counts samples"},
};
static const struct contribution contributions[] = {CONTRIBUTE(authenticators, test_authenticators),
                                                    CONTRIBUTE(routes, test_routes)};
const struct module api_test_module = {.name = "api_test", .part = "platform", ROWS(contributes, contributions)};
static const struct module *const modules[] = {&test_module, &api_test_module, &kernel_module};

/* ---- life ---- */

static void die(const char *what, const struct fault *f) {
    fprintf(stderr, "%s: %s %s\n", what, f->code, f->text);
    abort();
}

static void wake(void *arg) {
    struct api_server *s = arg;
    if (s->api) api_wake(s->api);
}

static enum err make_estate(struct ctx *ctx, void *arg) {
    return test_estate_make(ctx, arg);
}

/* What making the estate told is over before anybody listens, however late the pump comes. */
static enum err deliver(struct ctx *ctx, void *arg) {
    size_t n = 1;
    (void)arg;
    while (n) TRY(events_deliver(ctx, 200, &n));
    return OK;
}

void api_as_system(struct api_server *s, enum err (*fn)(struct ctx *ctx, void *arg), void *arg) {
    struct arena arena;
    struct ctx ctx = {.kernel = s->kernel, .arena = &arena, .world = &s->t->world, .actor = actor_system()};
    arena_init(&arena, 64u << 20);
    if (db_pool_take(s->pool, &ctx.db, &ctx.fault)) die("pool", &ctx.fault);
    ctx_begin(&ctx);
    if (fn(&ctx, arg)) die("as system", &ctx.fault);
    db_pool_give(s->pool, ctx.db);
    arena_finish(&arena);
}

static const char *store_url; /* NULL: SQLite in the case's folder */
static const char *store_vfs; /* of that; NULL: the system's */

void api_on_postgres(struct t *t, void (*run)(struct t *t)) {
    int64_t at_ms = t->sim.utc_ms;
    store_url = test_pg_url(t);
    if (store_url) run(t);
    store_url = NULL;
    t->sim.utc_ms = at_ms;
}

void api_on_vfs(struct t *t, const char *vfs, void (*run)(struct t *t)) {
    store_vfs = vfs;
    run(t);
    store_vfs = NULL;
}

/* The world's kernel, or (NULL) the program's own. */
static enum err make_kernel(struct api_server *s, const struct api_world *w, struct fault *f) {
    static struct str words[1];
    struct kernel_options k = {.io = &s->io, .files_dir = s->dir, .wake = wake, .wake_arg = s};
    if (!w) return site_kernel(&s->kernel, &k, f);
    words[0] = str_of(test_words);
    k.modules = w->modules;
    k.modules_n = w->modules_n;
    k.words = w->words ? w->words : words;
    k.words_n = w->words ? w->words_n : COUNT(words);
    return kernel_create(&k, &s->kernel, f);
}

static void open_store(struct api_server *s, const struct api_world *w) {
    static int serial;
    struct fault f = {0};
    char url[256];
    struct db *db;
    snprintf(s->dir, sizeof s->dir, "%s/%d", test_dir(s->t), ++serial);
    s->io = io_real();
    if (s->io.make_dir(s->io.self, s->dir)) die("folder", &f);
    snprintf(url, sizeof url, "sqlite:%s/linli.db", s->dir);
    if (make_kernel(s, w, &f)) die("kernel", &f);
    if (db_pool_open(&(struct db_options){.url = store_url ? store_url : url, .vfs = store_vfs}, 4, &s->pool, &f))
        die("store", &f);
    if (db_pool_take(s->pool, &db, &f)) die("store", &f);
    if (kernel_install(s->kernel, db, &s->t->world, &f)) die("tables", &f);
    db_pool_give(s->pool, db);
    if (w) api_as_system(s, w->make, w->arg);
    api_as_system(s, deliver, NULL);
}

static size_t body_cap(void *arg, const struct http_request *req) {
    return api_body_cap(((struct api_server *)arg)->api, req);
}

static void handle(void *arg, const struct http_request *req) {
    api_handle(((struct api_server *)arg)->api, req);
}

static void token(char ret[96], const char *role, int64_t place, int64_t person, int64_t unit) {
    snprintf(ret, 96, "%s.%lld.%lld.%lld", role, (long long)place, (long long)person, (long long)unit);
}

void api_server_open(struct api_server *s, struct t *t, const struct api_world *w) {
    struct fault f = {0};
    *s = (struct api_server){.t = t};
    api_server_revoke("");
    open_store(s, w);
    if (loop_create(&s->loop.loop)) die("loop", &f);
    s->with[0] = api_own;
    s->with[1] = health_with;
    s->with[2] = (struct api_with){.name = "test", .is_ready = is_well, .put_figures = put_figure};
    struct api_options o = {.kernel = s->kernel,
                            .pool = s->pool,
                            .loop = s->loop.loop,
                            .world = &t->world,
                            .version = "0.0.0",
                            .recheck_ms = w ? 1 : 0,
                            .with = s->with,
                            .with_n = w ? 3 : 2};
    if (api_create(&o, &s->api, &f)) die("api", &f);
    if (api_start(s->api)) die("pump", &f);
    if (http_server_open(s->loop.loop, &(struct http_options){.body_cap = body_cap, .world = &t->world}, handle, s,
                         &s->http, &f))
        die("http", &f);
    s->port = http_server_port(s->http);
    test_loop_start(&s->loop);
}

void api_server_start_all(struct api_server *s, struct t *t) {
    api_server_open(s, t, NULL);
}

void api_server_start(struct api_server *s, struct t *t) {
    struct test_estate estate;
    api_server_open(
        s, t,
        &(struct api_world){.modules = modules, .modules_n = COUNT(modules), .make = make_estate, .arg = &estate});
    s->estate = estate;
    token(s->chief, "chief", 0, 1, 0);
    token(s->manager, "manager", s->estate.north, 2, 0);
    token(s->worker, "worker", s->estate.house, s->estate.ben, 0);
    token(s->anna, "resident", s->estate.flat, s->estate.anna, s->estate.flat);
    token(s->viewer, "viewer", s->estate.north, 3, 0);
}

void api_server_stop(struct api_server *s) {
    loop_stop(s->loop.loop);
    pthread_join(s->loop.thread, NULL);
    http_server_close(s->http);
    api_destroy(s->api);
    loop_destroy(s->loop.loop);
    db_pool_close(s->pool);
    kernel_destroy(s->kernel);
    for (size_t i = 0; i < s->kept_n; i++) json_decref(s->kept[i]);
}

/* ---- asking ---- */

struct api_got api_ask_bytes(struct api_server *s, const char *who, const char *method, const char *target,
                             const char *headers, struct bytes body) {
    struct http_header list[16];
    size_t n = 0;
    struct str rest = str_of(headers), line, name;
    struct api_got g = {0};
    char bearer[128];
    while (str_cut(&rest, '\n', &line) && n < 14)
        if (line.len && str_cut(&line, ':', &name)) list[n++] = (struct http_header){name, str_trim(line)};
    if (who) {
        snprintf(bearer, sizeof bearer, "Bearer %s", who);
        list[n++] = (struct http_header){S("Authorization"), str_of(bearer)};
    }
    struct client_ask ask = {method, target, list, n, body};
    if (client_call("127.0.0.1", s->port, &ask, PEER_WAIT_MS, &s->t->arena, &g.reply)) return g;
    g.status = g.reply.status;
    g.json = json_loadb((const char *)g.reply.body.ptr, g.reply.body.len, JSON_DECODE_ANY, NULL);
    if (g.json && s->kept_n == API_SERVER_KEPT) abort();
    if (g.json) s->kept[s->kept_n++] = g.json;
    return g;
}

struct api_got api_ask(struct api_server *s, const char *who, const char *method, const char *target,
                       const char *headers, const char *body) {
    char all[1024];
    bool typed = headers && strstr(headers, "Content-Type");
    snprintf(all, sizeof all, "%s%s%s", headers ? headers : "", headers ? "\n" : "",
             body && !typed ? "Content-Type: application/json" : "");
    return api_ask_bytes(s, who, method, target, all, (struct bytes){(const uint8_t *)body, body ? strlen(body) : 0});
}

const char *api_at(const struct api_got *g, const char *path) {
    static char text[8][4096];
    static size_t turn;
    const json_t *v = g->json;
    struct str rest = str_of(path), part;
    while (v && str_cut(&rest, '.', &part)) {
        char key[64];
        int64_t i;
        snprintf(key, sizeof key, "%.*s", (int)part.len, part.ptr);
        v = json_is_array(v) && str_to_i64(part, &i) ? json_array_get(v, (size_t)i) : json_object_get(v, key);
    }
    if (!v) return "";
    if (json_is_string(v)) return json_string_value(v);
    char *out = text[turn++ % 8];
    size_t n = json_dumpb(v, out, sizeof text[0] - 1, JSON_COMPACT | JSON_ENCODE_ANY);
    out[n < sizeof text[0] ? n : 0] = 0;
    return out;
}

bool api_holds(const struct api_got *g, const char *text) {
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= g->reply.body.len; i++)
        if (!memcmp(g->reply.body.ptr + i, text, n)) return true;
    return false;
}

struct str api_header(const struct api_got *g, const char *name) {
    return client_header(&g->reply, name);
}
