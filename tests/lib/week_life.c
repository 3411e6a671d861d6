/* The simulated program's life: opened, killed, cut from power, asked.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/week.h"

#include "kernel/rows.h"
#include "main/modules.h"
#include "platform/parties/parties.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VFS         "week"
#define ROUNDS_MOST 40
#define MODULES_MAX 100
#define ARENA_BYTES ((size_t)64 << 20)

/* ---- chance and time ---- */

uint64_t week_dice(struct week *w, uint64_t n) {
    uint64_t z = w->dice += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % n;
}

bool week_chance(struct week *w, uint64_t one_in) {
    return week_dice(w, one_in) == 0;
}

int64_t week_now(const struct week *w) {
    return w->world.utc_ms(w->world.self);
}

int64_t week_true_now(const struct week *w) {
    return week_now(w) - w->skew_ms;
}

/* ---- the disk of a process that can be killed: what it wrote stays with the system, synced or not ---- */

static bool dies(struct week_io *f) {
    if (f->kill_after > 0) f->kill_after--;
    if (f->kill_after == 0) f->is_dead = true;
    return f->is_dead;
}

static int64_t io_open(void *self, const char *path, enum io_mode mode) {
    struct week_io *f = self;
    return f->is_dead ? -EIO : f->under.open(f->under.self, path, mode);
}
static int64_t io_read(void *self, int64_t file, void *ret, size_t n, int64_t at) {
    struct week_io *f = self;
    return f->is_dead ? -EIO : f->under.read(f->under.self, file, ret, n, at);
}
static int64_t io_write(void *self, int64_t file, const void *bytes, size_t n, int64_t at) {
    struct week_io *f = self;
    if (f->is_dead) return -EIO;
    int64_t put = f->under.write(f->under.self, file, bytes, n, at); /* whole, then killed before it learns so */
    return dies(f) ? -EIO : put;
}
static int io_sync(void *self, int64_t file) {
    struct week_io *f = self;
    int rc = dies(f) ? -EIO : f->under.sync(f->under.self, file);
    f->sync_failed |= rc != 0;
    return rc;
}
static int io_truncate(void *self, int64_t file, int64_t size) {
    struct week_io *f = self;
    return dies(f) ? -EIO : f->under.truncate(f->under.self, file, size);
}
static int64_t io_size(void *self, int64_t file) {
    struct week_io *f = self;
    return f->is_dead ? -EIO : f->under.size(f->under.self, file);
}
static int io_close(void *self, int64_t file) {
    struct week_io *f = self;
    return f->under.close(f->under.self, file);
}
static int io_rename(void *self, const char *from, const char *to) {
    struct week_io *f = self;
    return dies(f) ? -EIO : f->under.rename(f->under.self, from, to);
}
static int io_remove(void *self, const char *path) {
    struct week_io *f = self;
    return dies(f) ? -EIO : f->under.remove(f->under.self, path);
}
static int io_make_dir(void *self, const char *path) {
    struct week_io *f = self;
    return f->is_dead ? -EIO : f->under.make_dir(f->under.self, path);
}
static int io_sync_dir(void *self, const char *path) {
    struct week_io *f = self;
    return dies(f) ? -EIO : f->under.sync_dir(f->under.self, path);
}
static int io_list(void *self, const char *path, int (*fn)(void *arg, const char *name), void *arg) {
    struct week_io *f = self;
    return f->is_dead ? -EIO : f->under.list(f->under.self, path, fn, arg);
}

bool week_is_off(const struct week *w) {
    return w->io.is_dead || (w->cut_at >= 0 && io_sim_ops(w->disk) >= w->cut_at);
}

/* ---- who asks: a token is the number of a person ---- */

static enum err identify(struct ctx *ctx, struct str token, struct api_identity *ret) {
    int64_t person_id;
    if (!str_to_i64(token, &person_id)) return OK;
    TRY(party_actor(ctx, person_id, person_id));
    ret->is_known = true;
    ret->user = token;
    return OK;
}
static const struct api_authenticator keys[] = {{"week", identify}};
static const struct contribution contributions[] = {CONTRIBUTE(authenticators, keys)};
static const struct module week_module = {.name = "week", .part = "platform", ROWS(contributes, contributions)};

/* ---- opened and closed ---- */

static enum err open_kernel(struct week *w, struct fault *f) {
    static const struct module *all[MODULES_MAX];
    if (modules_n + 1 > MODULES_MAX) return FAIL(f, ERR_LIMIT, "modules", "more modules than the test has room for");
    memcpy(all, modules, modules_n * sizeof *all);
    all[modules_n] = &week_module;
    return kernel_create(&(struct kernel_options){.modules = all, .modules_n = modules_n + 1}, &w->kernel, f);
}

static enum err open_all(struct week *w, struct fault *f) {
    struct db *db;
    TRY(open_kernel(w, f));
    TRY(db_pool_open(&(struct db_options){.url = "sqlite:/disk/linli.db", .vfs = VFS}, 2, &w->pool, f));
    TRY(db_pool_take(w->pool, &db, f));
    enum err e = kernel_install(w->kernel, db, &w->world, f);
    db_pool_give(w->pool, db);
    TRY(e);
    TRY(feed_open(&(struct feed_options){.kernel = w->kernel,
                                         .pool = w->pool,
                                         .world = &w->world,
                                         .io = &w->io.io,
                                         .log = &w->log,
                                         .dir = "/disk/telemetry"},
                  &w->feed, f));
    return api_create(&(struct api_options){.kernel = w->kernel,
                                            .pool = w->pool,
                                            .loop = w->loop,
                                            .world = &w->world,
                                            .version = "week",
                                            .with = &api_own,
                                            .with_n = 1},
                      &w->api, f);
}

enum err week_open(struct week *w) {
    struct fault f = {0};
    w->io.is_dead = false;
    atomic_store(&w->sim.id_ms, 0);
    enum err e = open_all(w, &f);
    if (e && !week_is_off(w) && !w->is_full && !w->is_failing)
        CHECK_SAY(w->t, false, "it does not open: %s %s", f.code, f.text);
    return e;
}

void week_close(struct week *w) {
    api_destroy(w->api);
    feed_stop(w->feed);
    feed_close(w->feed);
    db_pool_close(w->pool);
    kernel_destroy(w->kernel);
    w->api = NULL;
    w->feed = NULL;
    w->pool = NULL;
    w->kernel = NULL;
}

/* Nothing in memory lives on.  After a kill the disk is as the program left it; after a power cut as a drive may. */
void week_restart(struct week *w) {
    bool power = w->cut_at >= 0 && io_sim_ops(w->disk) >= w->cut_at;
    if (power)
        w->cuts++;
    else
        w->kills++;
    w->io.is_dead = true;
    week_close(w);
    io_sim_fail_syncs(w->disk, 0);
    for (int tries = 0; tries < 5; tries++) {
        world_sim_advance(&w->sim, 1 + (int64_t)week_dice(w, 5000)); /* nothing ends and begins in one moment */
        week_model_restart(w);
        if (power) io_sim_restart(w->disk, week_dice(w, UINT64_MAX));
        io_sim_cut_after(w->disk, -1);
        w->io.kill_after = w->cut_at = -1;
        power = tries < 2 && week_chance(w, 4); /* once more while it comes up */
        if (power) w->cut_at = io_sim_ops(w->disk) + (int64_t)week_dice(w, 40);
        if (power) io_sim_cut_after(w->disk, w->cut_at - io_sim_ops(w->disk));
        enum err e = week_open(w);
        if (!e && !week_is_off(w)) break;
        if (!week_is_off(w)) io_sim_full_after(w->disk, -1); /* to come up takes room: somebody makes it */
        if (!week_is_off(w)) w->is_full = false;
        week_close(w);
    }
    CHECK_SAY(w->t, w->api != NULL, "it comes back");
    if (!w->api) return;
    io_sim_cut_after(w->disk, -1);
    w->cut_at = -1;
    week_model_reopen(w);
}

bool week_begin(struct week *w, struct t *t, uint64_t seed) {
    *w = (struct week){.t = t, .dice = seed, .cut_at = -1, .disk = io_sim_create(seed)};
    w->sim.utc_ms = INT64_C(1790000000000);
    w->sim.next_id = 1000;
    w->sim.seed = seed;
    w->world = world_sim(&w->sim);
    w->log = (struct log){.fd = -1, .least = LOG_ERROR, .world = &w->world};
    w->seen_cap = 1 << 16;
    w->seen = calloc(w->seen_cap, sizeof *w->seen);
    if (!w->disk || !w->seen || loop_create(&w->loop)) return false;
    w->io = (struct week_io){.under = io_sim_io(w->disk), .kill_after = -1};
    w->io.io = (struct io){&w->io,   io_open,   io_read,   io_write,    io_sync,     io_truncate, io_size,
                           io_close, io_rename, io_remove, io_make_dir, io_sync_dir, io_list};
    return !io_vfs_register(VFS, &w->io.io, &t->fault) && !week_open(w);
}

void week_end(struct week *w) {
    week_close(w);
    loop_destroy(w->loop);
    io_vfs_unregister(VFS);
    io_sim_destroy(w->disk);
    for (size_t i = 0; i < WEEK_DEVICES; i++) free(w->devices[i].points);
    free(w->queue);
    free(w->writes);
    free(w->numbered);
    free(w->seen);
}

/* ---- as the system ---- */

enum err week_do(struct week *w, enum err (*fn)(struct ctx *ctx, void *arg), void *arg) {
    struct arena arena;
    struct ctx ctx = {.kernel = w->kernel, .arena = &arena, .world = &w->world, .actor = actor_system()};
    TRY(db_pool_take(w->pool, &ctx.db, &w->t->fault));
    arena_init(&arena, ARENA_BYTES);
    ctx_begin(&ctx);
    enum err e = fn(&ctx, arg);
    if (e) w->t->fault = ctx.fault;
    arena_finish(&arena);
    db_pool_give(w->pool, ctx.db);
    return e;
}

struct asked {
    struct week *w;
    const char *sql;
    void (*fn)(struct week *w, struct db_rows *row);
    const struct db_val *vals;
    size_t n;
    int64_t count;
};

static enum err rows_run(struct ctx *ctx, void *arg) {
    struct asked *a = arg;
    struct db_rows rows = {0};
    enum err e = db_query(ctx->db, &ctx->fault, a->sql, NO_VALS, &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        a->fn(a->w, &rows);
    }
    db_done(&rows);
    return e;
}

void week_rows(struct week *w, const char *sql, void (*fn)(struct week *w, struct db_rows *row)) {
    struct asked a = {.w = w, .sql = sql, .fn = fn};
    CHECK_SAY(w->t, !week_do(w, rows_run, &a), "%s", sql);
}

static enum err count_run(struct ctx *ctx, void *arg) {
    struct asked *a = arg;
    bool found;
    return db_one_i64(ctx->db, &ctx->fault, a->sql, a->vals, a->n, &a->count, &found);
}

int64_t week_count(struct week *w, const char *sql, const struct db_val *vals, size_t n) {
    struct asked a = {.w = w, .sql = sql, .vals = vals, .n = n};
    CHECK_SAY(w->t, !week_do(w, count_run, &a), "%s", sql);
    return a.count;
}

/* ---- what runs by itself ---- */

bool week_settle(struct week *w) {
    w->io.sync_failed = false;
    for (int i = 0; i < ROUNDS_MOST && !week_is_off(w); i++) {
        bool more = api_run_now(w->api);
        enum err e = feed_step(w->feed);
        week_model_step(w, week_is_off(w) ? WEEK_NOBODY_KNOWS : e ? WEEK_SOME_APPLIED : WEEK_ALL_APPLIED);
        if (week_is_off(w)) return false;
        if (e) return false;
        more |= api_run_now(w->api); /* for what the feed has just raised */
        if (more || w->rules_changed) continue;
        /* What found no room waits until there is some; delivery and timers do not tell whether a sync failed them. */
        return !w->is_full && !w->io.sync_failed;
    }
    CHECK_SAY(w->t, week_is_off(w), "what runs by itself comes to rest");
    return false;
}

/* ---- a request ---- */

struct told {
    struct week_answer *ret;
};

static void on_answer(void *arg, const struct api_answer *a) {
    struct week_answer *ret = ((struct told *)arg)->ret;
    json_t *body = a->body.len ? json_loadb((const char *)a->body.ptr, a->body.len, 0, NULL) : NULL;
    ret->status = a->status;
    if (!str_to_i64(json_text(json_object_get(body, "id")), &ret->id)) ret->id = 0;
    ret->version = json_integer_value(json_object_get(body, "version"));
    for (size_t i = 0; i < a->headers_n; i++)
        if (str_is(a->headers[i].name, "Idempotency-Replayed")) ret->is_replay = true;
    json_decref(body);
}

void week_ask(struct week *w, const struct week_request *r, struct week_answer *ret) {
    char auth[40], key[24], match[32];
    bool is_get = !strcmp(r->method, "GET");
    const char *query = strchr(r->path, '?');
    snprintf(auth, sizeof auth, "Bearer %lld", (long long)r->person_id);
    snprintf(key, sizeof key, "week-%08lld", (long long)r->number);
    snprintf(match, sizeof match, "\"%lld\"", (long long)r->version);
    struct http_header headers[5] = {{S("Authorization"), str_of(auth)}, {S("Content-Type"), S("application/json")}};
    size_t n = 2;
    if (!is_get) headers[n++] = (struct http_header){S("Idempotency-Key"), str_of(key)};
    if (!is_get) headers[n++] = (struct http_header){S("X-Request-Id"), str_of(key)};
    if (r->version) headers[n++] = (struct http_header){S("If-Match"), str_of(match)};
    struct http_request req = {.method = is_get                        ? METHOD_GET
                                         : !strcmp(r->method, "PATCH") ? METHOD_PATCH
                                                                       : METHOD_POST,
                               .target = str_of(r->path),
                               .path = {r->path, query ? (size_t)(query - r->path) : strlen(r->path)},
                               .headers = headers,
                               .headers_n = n,
                               .body = {(const uint8_t *)r->body, strlen(r->body)},
                               .peer = S("127.0.0.1"),
                               .is_loopback = true};
    if (query) req.query = str_of(query + 1);
    *ret = (struct week_answer){0};
    api_handle_now(w->api, &req, on_answer, &(struct told){ret});
    if (week_is_off(w)) *ret = (struct week_answer){0}; /* the answer does not leave the house */
}
