/* Kernel sites for tests.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/kernel_site.h"

#include "tests/lib/pg.h"

#include <stdio.h>
#include <string.h>

static const struct module *const modules[] = {&test_module};

/* The estate's communities are in Shanghai. */
static bool zone_data(void *arg, const char *name, struct bytes *ret) {
    static uint8_t bytes[4096];
    static size_t n;
    (void)arg;
    if (strcmp(name, "Asia/Shanghai") != 0) return false;
    FILE *in = n ? NULL : fopen("/usr/share/zoneinfo/Asia/Shanghai", "rb");
    if (in) n = fread(bytes, 1, sizeof bytes, in);
    if (in) fclose(in);
    *ret = (struct bytes){bytes, n};
    return n > 0;
}

void kernel_site_open(struct kernel_site *s, struct t *t, size_t store) {
    static int serial;
    char path[256];
    struct kernel_options k = {.modules = modules, .modules_n = COUNT(modules), .zone_data = zone_data};
    snprintf(path, sizeof path, "sqlite:%s/kernel-%d.db", test_dir(t), ++serial);
    const char *url = store ? test_pg_url(t) : path;
    *s = (struct kernel_site){.t = t};
    bool ok = url && !kernel_create(&k, &s->kernel, &t->fault) &&
              !db_pool_open(&(struct db_options){.url = url}, 2, &s->pool, &t->fault);
    s->ctx = (struct ctx){.kernel = s->kernel, .arena = &t->arena, .world = &t->world, .actor = actor_system()};
    ok = ok && !db_pool_take(s->pool, &s->ctx.db, &t->fault) &&
         !kernel_install(s->kernel, s->ctx.db, &t->world, &t->fault);
    if (ok) ctx_begin(&s->ctx);
    ok = ok && !test_estate_make(&s->ctx, &s->estate);
    CHECK_SAY(t, ok, "store %zu: %s %s", store, t->fault.text, s->ctx.fault.text);
}

void kernel_site_close(struct kernel_site *s) {
    db_pool_give(s->pool, s->ctx.db);
    db_pool_close(s->pool);
    kernel_destroy(s->kernel);
}

void kernel_site_other(struct kernel_site *s, struct ctx *ret) {
    *ret = (struct ctx){.kernel = s->kernel, .arena = &s->t->arena, .world = &s->t->world, .actor = actor_system()};
    CHECK(s->t, !db_pool_take(s->pool, &ret->db, &s->t->fault));
    ctx_begin(ret);
}

void kernel_site_other_done(struct kernel_site *s, struct ctx *ctx) {
    db_pool_give(s->pool, ctx->db);
}

void kernel_site_later(struct kernel_site *s, int64_t ms) {
    world_sim_advance(&s->t->sim, ms);
    s->ctx.actor = actor_system();
    ctx_begin(&s->ctx);
}

int64_t kernel_site_count(struct kernel_site *s, const char *sql) {
    int64_t n = 0;
    bool found;
    CHECK_SAY(s->t, !db_one_i64(s->ctx.db, &s->ctx.fault, sql, NO_VALS, &n, &found), "%s", sql);
    return n;
}

int64_t kernel_site_sample(struct kernel_site *s, struct str title, int64_t due_ms) {
    struct sample row = {0};
    struct actor actor = s->ctx.actor;
    SET(&test_samples, &row, title, title);
    SET(&test_samples, &row, area_id, s->estate.flat);
    SET(&test_samples, &row, owner_id, s->estate.anna);
    if (due_ms) SET(&test_samples, &row, due_ms, due_ms);
    s->ctx.actor = actor_system();
    CHECK_SAY(s->t, !row_create(&s->ctx, &test_samples, &row), "%s", s->ctx.fault.text);
    s->ctx.actor = actor;
    return row.row.id;
}
