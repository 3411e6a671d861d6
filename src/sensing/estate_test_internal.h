/* For this folder's tests: an estate with one adopted fire panel (device 889), rules for fire and for a level above 10,
 * a feed on a loop of its own.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_ESTATE_TEST_INTERNAL_H
#define LINLI_SENSING_ESTATE_TEST_INTERNAL_H

#include "kernel/rows.h"
#include "net/testing.h"
#include "platform/parties/parties.h"
#include "platform/passes/passes.h"
#include "platform/places/places.h"
#include "platform/rules/alarms.h"
#include "platform/telemetry/telemetry_http.h"
#include "platform/things/things.h"
#include "sensing/feed/feed.h"
#include "sensing/lines/lines.h"
#include "tests/lib/test.h"

static const struct module *const test_modules[] = {&places_module,    &parties_module, &things_module, &passes_module,
                                                    &telemetry_module, &rules_module,   &lines_module};

struct estate {
    struct t *t;
    struct test_loop loop;
    struct db_pool *pool;
    struct kernel *kernel;
    struct io_sim *sim;
    struct io io;
    struct log log;
    struct feed *feed;
    int64_t id;
    char url[256]; /* of the store */
};

static inline void estate_die(const char *what, const struct fault *f) {
    fprintf(stderr, "%s: %s %s\n", what, f->code, f->text);
    abort();
}

/* Runs fn as the system on a connection of the pool; aborts when it fails. */
static inline void estate_do(struct estate *e, enum err (*fn)(struct ctx *ctx, struct estate *e)) {
    struct arena arena;
    struct ctx ctx = {.kernel = e->kernel, .arena = &arena, .world = &e->t->world, .actor = actor_system()};
    if (db_pool_take(e->pool, &ctx.db, &e->t->fault)) estate_die("pool", &e->t->fault);
    arena_init(&arena, 16u << 20);
    ctx_begin(&ctx);
    if (fn(&ctx, e)) estate_die("unit", &ctx.fault);
    arena_finish(&arena);
    db_pool_give(e->pool, ctx.db);
}

static inline enum err estate_make(struct ctx *ctx, struct estate *e) {
    struct place p = {0};
    struct rule r = {0};
    SET(&places, &p, name, S("estate"));
    SET(&places, &p, kind, S("estate"));
    SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    e->id = p.row.id;
    struct device d = {.row.community_id = e->id};
    SET(&devices, &d, name, S("panel"));
    SET(&devices, &d, code, S("889"));
    SET(&devices, &d, model, S("panel"));
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    TRY(row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"), NULL));
    r.row.community_id = e->id;
    SET(&rules, &r, name, S("fire"));
    SET(&rules, &r, kind, S("event"));
    SET(&rules, &r, event_code, S("fire_alarm"));
    SET(&rules, &r, severity, S("bad"));
    SET(&rules, &r, message, S("fire"));
    SET(&rules, &r, enabled, true);
    TRY(row_create(ctx, &rules, &r));
    r = (struct rule){.row.community_id = e->id};
    SET(&rules, &r, name, S("level"));
    SET(&rules, &r, kind, S("above"));
    SET(&rules, &r, metric, S("level"));
    SET(&rules, &r, model, S("panel"));
    SET(&rules, &r, limit_value, 10000);
    SET(&rules, &r, severity, S("warn"));
    SET(&rules, &r, message, S("too high"));
    SET(&rules, &r, enabled, true);
    return row_create(ctx, &rules, &r);
}

/* Everything but the loop's thread, which test_loop_start starts. */
static inline void estate_start(struct estate *e, struct t *t) {
    static int serial;
    *e = (struct estate){.t = t, .sim = io_sim_create(7), .log = {.fd = -1}};
    e->io = io_sim_io(e->sim);
    e->log.world = &t->world;
    snprintf(e->url, sizeof e->url, "sqlite:%s/sensing-%d.db", test_dir(t), ++serial);
    struct kernel_options k = {.modules = test_modules, .modules_n = COUNT(test_modules)};
    struct db *db = NULL;
    if (kernel_create(&k, &e->kernel, &t->fault) ||
        db_pool_open(&(struct db_options){.url = e->url}, 3, &e->pool, &t->fault) ||
        db_pool_take(e->pool, &db, &t->fault) || kernel_install(e->kernel, db, &t->world, &t->fault))
        estate_die("store", &t->fault);
    db_pool_give(e->pool, db);
    estate_do(e, estate_make);
    if (loop_create(&e->loop.loop) || feed_open(&(struct feed_options){.kernel = e->kernel,
                                                                       .pool = e->pool,
                                                                       .loop = e->loop.loop,
                                                                       .world = &t->world,
                                                                       .io = &e->io,
                                                                       .log = &e->log,
                                                                       .dir = "/readings"},
                                                &e->feed, &t->fault))
        estate_die("feed", &t->fault);
}

/* `close` runs on the loop before the feed stops. */
static inline void estate_stop(struct estate *e, loop_fn *close, void *arg) {
    if (close) test_on_loop(e->loop.loop, close, arg);
    test_on_loop(e->loop.loop, (loop_fn *)feed_stop, e->feed);
    test_loop_end(&e->loop, NULL, NULL);
    feed_close(e->feed);
    db_pool_close(e->pool);
    kernel_destroy(e->kernel);
    io_sim_destroy(e->sim);
}

/* Number that one SELECT gives. */
static inline int64_t estate_count(struct estate *e, const char *sql) {
    struct db *db;
    int64_t n = -1;
    bool found;
    if (db_pool_take(e->pool, &db, &e->t->fault)) estate_die("pool", &e->t->fault);
    if (db_one_i64(db, &e->t->fault, sql, NO_VALS, &n, &found)) estate_die(sql, &e->t->fault);
    db_pool_give(e->pool, db);
    return n;
}

/* Waits until the SELECT gives `n`; false: it does not within far more than it takes. */
static inline bool estate_comes_to(struct estate *e, const char *sql, int64_t n) {
    for (int i = 0; i < PEER_WAIT_MS / 10; i++) {
        if (estate_count(e, sql) == n) return true;
        (void)poll(NULL, 0, 10);
    }
    return false;
}

#endif
