/* A street full of estates, made through the kernel like any other rows, only faster: many to a transaction, and with a
 * clock that runs through the past.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/fill.h"

#include "kernel/rows.h"
#include "main/bench/bench.h"
#include "main/bench/panels.h"
#include "main/demo/demo.h"
#include "platform/cases/cases.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "platform/rules/rules.h"
#include "platform/things/things.h"
#include "security/users/users.h"

#include <stdio.h>
#include <stdlib.h>

#define BUILDINGS    6
#define ROOMS        8 /* a building */
#define SPOTS        (BUILDINGS * (1 + ROOMS))
#define PEOPLE       12 /* an estate: the first four repair, the others report */
#define REPAIRERS    4
#define DEVICES      4
#define GRID_ESTATES 3 /* an estate's buildings belong to grids that span so many */
#define DAY_MS       INT64_C(86400000)
#define DAYS         60
#define BATCH        1000
#define SHOW_EVERY   20000

struct estate {
    int64_t id, spots[SPOTS], people[PEOPLE], devices[DEVICES];
};
struct filling {
    const struct fill_plan *plan;
    struct site *site;
    struct world_sim sim;
    int64_t now_ms, street, control_room, *grids;
    struct estate *estates;
    int64_t *meters;    /* their ids */
    int64_t first, end; /* of the batch under way: estates, panels, sensors or cases */
};

static struct str text(struct ctx *ctx, const char *fmt, ...) PRINTF(2, 3);
static struct str text(struct ctx *ctx, const char *fmt, ...) {
    struct buf b;
    struct str ret = {NULL, 0};
    va_list args;
    va_start(args, fmt);
    buf_init_arena(&b, ctx->arena, 400);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    (void)!buf_done(&b, &ret); /* absent: the row then lacks what it needs, and is refused */
    return ret;
}

/* ---- places ---- */

static enum err put_place(struct ctx *ctx, const char *kind, int64_t parent, int64_t admin_parent, struct str name,
                          struct str code, int64_t *ret) {
    struct place p = {0};
    SET(&places, &p, kind, str_of(kind));
    SET(&places, &p, name, name);
    if (parent) SET(&places, &p, parent_id, parent);
    if (admin_parent) SET(&places, &p, admin_parent_id, admin_parent);
    if (code.ptr) SET(&places, &p, code, code);
    if (code.ptr) SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    *ret = p.row.id;
    return OK;
}

static const struct str no_code = {NULL, 0};

static enum err put_street(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    TRY(put_place(ctx, "street", 0, 0, S("青山街道"), S("street"), &w->street));
    for (int64_t i = 0; i < w->plan->estates; i++)
        TRY(put_place(ctx, "grid", 0, w->street, text(ctx, "第%d网格", (int)i + 1), no_code, &w->grids[i]));
    return OK;
}

static enum err put_buildings(struct ctx *ctx, struct filling *w, size_t at) {
    struct estate *e = &w->estates[at];
    size_t n = 0;
    for (int b = 0; b < BUILDINGS; b++) {
        int64_t grid = w->grids[(at + (size_t)(b % GRID_ESTATES)) % (size_t)w->plan->estates], building;
        TRY(put_place(ctx, "building", e->id, grid, text(ctx, "%d号楼", b + 1), no_code, &building));
        e->spots[n++] = building;
        for (int r = 0; r < ROOMS; r++)
            TRY(put_place(ctx, "room", building, building, text(ctx, "%d号楼%d0%d", b + 1, r / 2 + 1, r % 2 + 1),
                          no_code, &e->spots[n++]));
    }
    return OK;
}

/* ---- people and things ---- */

static enum err put_person(struct ctx *ctx, struct str name, const char *role, int64_t place, int64_t *ret) {
    struct person p = {0};
    struct membership_row m = {0};
    SET(&people, &p, name, name);
    TRY(row_create(ctx, &people, &p));
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, str_of(role));
    SET(&memberships, &m, valid_from, ctx->now_ms / DAY_MS - 1);
    if (place) SET(&memberships, &m, place_id, place);
    *ret = p.row.id;
    return row_create(ctx, &memberships, &m);
}

static enum err put_device(struct ctx *ctx, struct str name, const char *model, struct str code, int64_t place,
                           int64_t *ret) {
    struct device d = {0}, adopt = {0};
    SET(&devices, &d, name, name);
    SET(&devices, &d, code, code);
    SET(&devices, &d, model, str_of(model));
    SET(&devices, &d, place_id, place);
    TRY(row_create(ctx, &devices, &d));
    SET(&devices, &adopt, name, name);
    SET(&devices, &adopt, place_id, place);
    *ret = d.row.id;
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &adopt, adopt.row.has, NULL);
}

static enum err put_estates(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    for (int64_t i = w->first; i < w->end; i++) {
        struct estate *e = &w->estates[i];
        TRY(put_place(ctx, "estate", w->street, 0, text(ctx, "云杉里%d区", (int)i + 1),
                      text(ctx, "estate-%d", (int)i + 1), &e->id));
        TRY(put_buildings(ctx, w, (size_t)i));
        for (int p = 0; p < PEOPLE; p++)
            TRY(put_person(ctx, text(ctx, "%s%d-%d", p < REPAIRERS ? "维修" : "住户", (int)i + 1, p + 1),
                           p < REPAIRERS ? "repairer" : "resident", p < REPAIRERS ? e->id : e->spots[p],
                           &e->people[p]));
        for (int d = 0; d < DEVICES; d++)
            TRY(put_device(ctx, text(ctx, "%d号楼电梯机房", d + 1), "machine_room", text(ctx, "J-%d", d + 1),
                           e->spots[(size_t)d * (1 + ROOMS)], &e->devices[d]));
    }
    return OK;
}

static enum err put_smoke_rule(struct ctx *ctx, int64_t estate) {
    struct rule r = {.row.community_id = estate};
    SET(&rules, &r, name, S("烟雾浓度"));
    SET(&rules, &r, kind, S("above"));
    SET(&rules, &r, model, S("fire_panel"));
    SET(&rules, &r, metric, S(FILL_SMOKE));
    SET(&rules, &r, limit_value, INT64_C(50000));
    SET(&rules, &r, severity, S("bad"));
    SET(&rules, &r, message, S("烟雾浓度过高"));
    SET(&rules, &r, case_type, S("fire"));
    SET(&rules, &r, enabled, true);
    return row_create(ctx, &rules, &r);
}

static enum err put_things(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    if (w->plan->panels) TRY(put_smoke_rule(ctx, w->estates[0].id));
    TRY(put_place(ctx, "public", w->estates[0].id, 0, S("消防控制室"), no_code, &w->control_room));
    return demo_things(ctx, &(struct demo_estate){.estate = w->estates[0].id, .fire_room = w->control_room});
}

static enum err put_key(struct ctx *ctx, int64_t device, struct fill_key *k) {
    struct str user, password;
    TRY(device_key_make(ctx, device, &user, &password));
    snprintf(k->user, sizeof k->user, STR_FMT, STR_ARG(user));
    snprintf(k->password, sizeof k->password, STR_FMT, STR_ARG(password));
    return OK;
}

static enum err put_panels(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    int64_t id;
    for (int64_t i = w->first; i < w->end; i++) {
        TRY(put_device(ctx, text(ctx, "报警主机%d", (int)i + 1), "fire_panel",
                       text(ctx, "%d", FILL_PANEL_FIRST + (int)i), w->control_room, &id));
        if (w->plan->keys && panel_is_mqtt((size_t)i)) TRY(put_key(ctx, id, &w->plan->keys[i]));
    }
    return OK;
}

static enum err put_sensors(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    int64_t id;
    for (int64_t i = w->first; i < w->end; i++) {
        TRY(put_device(ctx, text(ctx, "环境传感器%d", (int)i + 1), "climate", text(ctx, FILL_SENSOR "%d", (int)i + 1),
                       w->control_room, &id));
        if (w->plan->keys) TRY(put_key(ctx, id, &w->plan->keys[w->plan->panels + i]));
    }
    return OK;
}

static enum err put_meters(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    for (int64_t i = w->first; i < w->end; i++)
        TRY(put_device(ctx, text(ctx, "表%d", (int)i + 1), "meter", text(ctx, "m%06d", (int)i),
                       w->estates[0].spots[i % SPOTS], &w->meters[i]));
    return OK;
}

static enum err put_rules(struct ctx *ctx, void *arg) {
    static const char *const metrics[] = {"temperature", "humidity", "power", "energy"};
    struct filling *w = arg;
    for (int64_t i = w->first; i < w->end; i++) {
        struct rule r = {.row.community_id = w->estates[0].id};
        SET(&rules, &r, name, text(ctx, "上限%d", (int)i + 1));
        SET(&rules, &r, kind, S("above"));
        SET(&rules, &r, metric, str_of(metrics[i / w->plan->meters % (int64_t)COUNT(metrics)]));
        SET(&rules, &r, device_id, w->meters[i % w->plan->meters]);
        SET(&rules, &r, limit_value, INT64_C(1000000000000));
        SET(&rules, &r, severity, S("info"));
        SET(&rules, &r, message, S("超限"));
        SET(&rules, &r, enabled, true);
        TRY(row_create(ctx, &rules, &r));
    }
    return OK;
}

static enum err put_users(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    const struct {
        const char *login, *role;
        int64_t place;
    } logins[] = {{"admin", "admin", 0},
                  {"street", "street", w->street},
                  {"estate", "manager", w->estates[0].id},
                  {"grid", "grid", w->grids[w->plan->estates / 2]}};
    int64_t person, user;
    for (size_t i = 0; i < COUNT(logins); i++) {
        TRY(put_person(ctx, str_of(logins[i].login), logins[i].role, logins[i].place, &person));
        TRY(user_put(ctx, str_of(logins[i].login), str_of(w->plan->password), person, &user));
    }
    return OK;
}

/* ---- cases ---- */

static const char *const troubles[] = {"厨房漏水",   "电梯异响",   "楼道灯不亮", "下水道堵塞", "门禁刷不开",
                                       "外墙砖松动", "车位被占",   "噪音扰民",   "燃气味",     "水压不足",
                                       "垃圾未清",   "单元门损坏", "停电",       "消防栓漏水", "监控黑屏"};

/* The clocks that a case in this state has behind it. */
static void put_clocks(struct case_row *c, int32_t state, const struct estate *e, uint32_t chance) {
    int64_t at = c->reported_ms;
    c->state = state;
    if (state == CASE_NEW || state == CASE_CANCELLED) return;
    SET(&cases, c, accepted_ms, at + 600000);
    if (state >= CASE_ASSIGNED) SET(&cases, c, assignee_id, e->people[chance % REPAIRERS]);
    if (state >= CASE_ONSITE) SET(&cases, c, onsite_ms, at + 3600000);
    if (state >= CASE_DONE) SET(&cases, c, done_ms, at + 7200000);
    if (state >= CASE_DONE) SET(&cases, c, result, S("已修复，现场测试正常。"));
    if (state >= CASE_VERIFIED) SET(&cases, c, verified_ms, at + 10800000);
    if (state >= CASE_CLOSED) SET(&cases, c, closed_ms, at + 14400000);
}

/* What is old is closed; the newest twentieth is under way. */
static int32_t state_of(int64_t i, int64_t n, uint32_t chance) {
    static const int32_t now[] = {CASE_NEW,  CASE_NEW,      CASE_ACCEPTED, CASE_ASSIGNED, CASE_ASSIGNED, CASE_ONSITE,
                                  CASE_DONE, CASE_VERIFIED, CASE_CLOSED,   CASE_CLOSED,   CASE_CANCELLED};
    if (i >= n - n / 20) return now[chance % COUNT(now)];
    return chance % 20 ? CASE_CLOSED : CASE_CANCELLED;
}

static enum err put_case(struct ctx *ctx, struct filling *w, int64_t i) {
    uint32_t chance = (uint32_t)i * UINT32_C(2654435761); /* Fibonacci hashing: scattered, and the same each run */
    const struct estate *e = &w->estates[(chance >> 8) % (uint64_t)w->plan->estates];
    const char *trouble = troubles[(chance >> 4) % COUNT(troubles)];
    size_t spot = (chance >> 12) % SPOTS;
    struct case_row c = {0};
    ctx->now_ms = w->now_ms - DAYS * DAY_MS + (DAYS * DAY_MS - 60000) / w->plan->cases * i;
    w->sim.utc_ms = ctx->now_ms;
    SET(&cases, &c, title, text(ctx, "%d号楼%s", (int)(spot / (1 + ROOMS)) + 1, trouble));
    SET(&cases, &c, text,
        text(ctx, "住户反映%s，请尽快派人查看。联系时间：%d点以后。", trouble, (int)(chance >> 28) + 8));
    SET(&cases, &c, type, chance >> 30 ? S("repair") : S("complaint"));
    SET(&cases, &c, source, chance >> 31 ? S("resident") : S("staff"));
    SET(&cases, &c, place_id, e->spots[spot]);
    SET(&cases, &c, reported_ms, ctx->now_ms);
    SET(&cases, &c, reporter_id, e->people[REPAIRERS + (chance >> 16) % (PEOPLE - REPAIRERS)]);
    if ((chance >> 20) % 5 == 0) SET(&cases, &c, device_id, e->devices[(chance >> 24) % DEVICES]);
    put_clocks(&c, state_of(i, w->plan->cases, chance >> 6), e, chance >> 18);
    return row_create(ctx, &cases, &c);
}

static enum err put_cases(struct ctx *ctx, void *arg) {
    struct filling *w = arg;
    for (int64_t i = w->first; i < w->end; i++) TRY(put_case(ctx, w, i));
    /* What happened was told long ago, and what was late is: or the server would begin with catching up. */
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM events", NO_VALS, NULL));
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM timers WHERE due_ms < $1", VALS(V_I64(w->now_ms)), NULL);
}

/* ---- in batches ---- */

struct part {
    enum err (*fn)(struct ctx *ctx, void *arg);
    struct filling *filling;
};
static enum err whole(struct ctx *ctx, void *arg) {
    const struct part *s = arg;
    return ctx_write(ctx, s->fn, s->filling);
}

static enum err in_batches(struct filling *w, enum err (*fn)(struct ctx *ctx, void *arg), int64_t n, int64_t batch,
                           const char *what, struct fault *f) {
    for (w->first = 0; w->first < n; w->first = w->end) {
        w->end = n - w->first < batch ? n : w->first + batch;
        TRY(site_do(w->site, whole, &(struct part){fn, w}, f));
        if (bench_is_stopped) return FAIL(f, ERR_UNAVAILABLE, "stopped", "stopped while filling");
        if (w->end % SHOW_EVERY == 0 || w->end == n)
            fprintf(stderr, "\rfilling: %lld of %lld %s%s", (long long)w->end, (long long)n, what,
                    w->end == n ? "\n" : "");
    }
    return OK;
}

/* PostgreSQL would look at so many new rows within a minute or so by itself; SQLite never does. */
static enum err analyze(struct ctx *ctx, void *arg) {
    (void)arg;
    return db_kind(ctx->db) == DB_POSTGRES ? db_exec(ctx->db, &ctx->fault, "ANALYZE", NO_VALS, NULL) : OK;
}

static enum err fill(struct filling *w, struct fault *f) {
    const struct fill_plan *p = w->plan;
    w->sim = (struct world_sim){.seed = world_u64(&w->site->world), .utc_ms = w->now_ms - (DAYS + 1) * DAY_MS};
    w->site->world = world_sim(&w->sim);
    TRY(site_do(w->site, whole, &(struct part){put_street, w}, f));
    TRY(in_batches(w, put_estates, p->estates, 4, "estates", f));
    TRY(site_do(w->site, whole, &(struct part){put_things, w}, f));
    TRY(in_batches(w, put_panels, p->panels, BATCH, "fire panels", f));
    TRY(in_batches(w, put_meters, p->meters, BATCH, "meters", f));
    TRY(in_batches(w, put_rules, p->rules, BATCH, "rules", f));
    TRY(in_batches(w, put_sensors, p->sensors, BATCH, "sensors", f));
    TRY(site_do(w->site, whole, &(struct part){put_users, w}, f));
    TRY(in_batches(w, put_cases, p->cases, BATCH, "cases", f));
    return site_do(w->site, analyze, NULL, f);
}

enum err fill_site(const char *dir, const char *db, const struct fill_plan *plan, struct fault *f) {
    struct site site;
    struct filling w = {.plan = plan,
                        .site = &site,
                        .grids = calloc((size_t)plan->estates, sizeof *w.grids),
                        .estates = calloc((size_t)plan->estates, sizeof *w.estates),
                        .meters = calloc((size_t)plan->meters + 1, sizeof *w.meters)};
    enum err e = w.grids && w.estates && w.meters ? OK : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    if (!e) {
        e = site_open(&site, &(struct site_options){.data = dir, .db = db, .lock = true}, f);
        w.now_ms = site.world.utc_ms(site.world.self);
        if (!e) e = fill(&w, f);
        site_close(&site);
    }
    free(w.grids);
    free(w.estates);
    free(w.meters);
    return e;
}
