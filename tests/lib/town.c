/* A street with two estates over every module of the program.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/town.h"

#include "kernel/outbox.h"
#include "kernel/work.h"
#include "main/site.h"
#include "platform/cases/cases.h"
#include "tests/lib/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 100

/* Without its world a test has nothing to say. */
static void must(struct town *w, bool ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "town: %s: %s %s", what, w->ctx.fault.code, w->ctx.fault.text);
    for (size_t i = 0; i < w->ctx.fault.fields_n; i++)
        fprintf(stderr, " %s:%s", w->ctx.fault.fields[i].field, w->ctx.fault.fields[i].code);
    fprintf(stderr, "\n");
    abort();
}

static struct actor begin(struct town *w) {
    struct actor before = w->ctx.actor;
    w->ctx.actor = actor_system();
    w->ctx.rights_cache = NULL;
    return before;
}

static void end(struct town *w, struct actor before) {
    w->ctx.actor = before;
    w->ctx.rights_cache = NULL;
}

int64_t town_place(struct town *w, const char *name, const char *kind, int64_t parent_id) {
    struct actor before = begin(w);
    struct place p = {0};
    SET(&places, &p, name, str_of(name));
    SET(&places, &p, kind, str_of(kind));
    if (parent_id) SET(&places, &p, parent_id, parent_id);
    if (!strcmp(kind, "estate") || !parent_id) SET(&places, &p, keeps_records, true);
    must(w, !row_create(&w->ctx, &places, &p), name);
    end(w, before);
    return p.row.id;
}

int64_t town_member(struct town *w, int64_t person_id, const char *role, int64_t place_id) {
    struct actor before = begin(w);
    struct membership_row m = {0};
    SET(&memberships, &m, person_id, person_id);
    SET(&memberships, &m, role, str_of(role));
    if (place_id) SET(&memberships, &m, place_id, place_id);
    SET(&memberships, &m, valid_from, w->ctx.now_ms / 86400000 - 30);
    must(w, !row_create(&w->ctx, &memberships, &m), role);
    end(w, before);
    return m.row.id;
}

int64_t town_person(struct town *w, const char *name, const char *role, int64_t place_id) {
    struct actor before = begin(w);
    struct person p = {0};
    SET(&people, &p, name, str_of(name));
    must(w, !row_create(&w->ctx, &people, &p), name);
    end(w, before);
    town_member(w, p.row.id, role, place_id);
    return p.row.id;
}

void town_as(struct town *w, int64_t person_id) {
    w->ctx.rights_cache = NULL;
    w->ctx.actor = actor_system();
    if (person_id) must(w, !party_actor(&w->ctx, person_id, person_id), "actor");
}

void town_pass(struct town *w, int64_t ms) {
    struct actor before = begin(w);
    size_t done;
    int64_t next;
    world_sim_advance(&w->t->sim, ms);
    ctx_begin(&w->ctx);
    must(w, !timers_run(&w->ctx, 100, &done, &next), "timers");
    done = 1;
    for (int i = 0; done && i < ROUNDS_MAX; i++) must(w, !events_deliver(&w->ctx, 100, &done), "events");
    end(w, before);
}

bool town_refused(struct town *w, enum err e, const char *code) {
    bool yes = e && !strcmp(w->ctx.fault.code, code);
    for (size_t i = 0; e && i < w->ctx.fault.fields_n; i++) yes |= !strcmp(w->ctx.fault.fields[i].code, code);
    if (!yes) fprintf(stderr, "# wanted %s, got %s %s\n", code, e ? err_name(e) : "success", w->ctx.fault.code);
    w->ctx.fault = (struct fault){0};
    return yes;
}

int64_t town_count(struct town *w, const char *sql) {
    int64_t n = -1;
    bool found;
    must(w, !db_one_i64(w->ctx.db, &w->ctx.fault, sql, NO_VALS, &n, &found), sql);
    return n;
}

static void add_case_type(struct town *w) {
    struct case_type c = {0};
    SET(&case_types, &c, code, S("repair"));
    SET(&case_types, &c, name, S("repair"));
    SET(&case_types, &c, priority, S("normal"));
    SET(&case_types, &c, accept_s, 1800);
    SET(&case_types, &c, onsite_s, 7200);
    SET(&case_types, &c, close_s, 86400);
    must(w, !row_create(&w->ctx, &case_types, &c), "case type");
}

static bool on_postgres;

void town_on_postgres(struct t *t, void (*run)(struct t *t)) {
    int64_t at_ms = t->sim.utc_ms;
    on_postgres = true;
    run(t);
    on_postgres = false;
    t->sim.utc_ms = at_ms;
}

void town_open(struct town *w, struct t *t) {
    static int serial;
    char url[256];
    *w = (struct town){.t = t};
    if (on_postgres)
        snprintf(url, sizeof url, "%s", test_pg_url(t));
    else
        snprintf(url, sizeof url, "sqlite:%s/town-%d.db", test_dir(t), ++serial);
    struct fault *f = &w->ctx.fault;
    bool ok = !site_kernel(&w->kernel, &(struct kernel_options){0}, f) &&
              !db_pool_open(&(struct db_options){.url = url}, 1, &w->pool, f);
    w->ctx = (struct ctx){.kernel = w->kernel, .arena = &t->arena, .world = &t->world, .actor = actor_system()};
    ok = ok && !db_pool_take(w->pool, &w->ctx.db, f) && !kernel_install(w->kernel, w->ctx.db, &t->world, f);
    must(w, ok, "store");
    ctx_begin(&w->ctx);
    w->street = town_place(w, "street", "street", 0);
    w->estate = town_place(w, "estate", "estate", w->street);
    w->building = town_place(w, "building", "building", w->estate);
    w->unit = town_place(w, "unit", "unit", w->building);
    w->other_estate = town_place(w, "other estate", "estate", w->street);
    w->other_building = town_place(w, "other building", "building", w->other_estate);
    add_case_type(w);
    town_pass(w, 0);
}

void town_close(struct town *w) {
    db_pool_give(w->pool, w->ctx.db);
    db_pool_close(w->pool);
    kernel_destroy(w->kernel);
}
