/* For this folder's tests: an estate with a pump and a lamp, a store of readings, an engine that is stopped and
 * started. SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_SITE_TEST_INTERNAL_H
#define LINLI_PLATFORM_RULES_SITE_TEST_INTERNAL_H

#include "kernel/outbox.h"
#include "kernel/rows.h"
#include "platform/parties/parties.h"
#include "platform/passes/passes.h"
#include "platform/places/places.h"
#include "platform/rules/alarms.h"
#include "platform/rules/rules.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"
#include "store/io.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct module *const modules[] = {&places_module, &parties_module, &things_module, &passes_module,
                                               &rules_module};

struct site {
    struct t *t;
    struct db_pool *pool;
    struct kernel *kernel;
    struct ctx ctx;
    struct rules_engine *engine;
    struct io_sim *disk;
    struct io io;
    struct telemetry *store;                         /* its clock stands still */
    int64_t estate, device, other, now_ms, heard_ms; /* heard: the newest one, since now */
    struct rules_source named[8];                    /* series by number */
    size_t named_n, asked, strangers;
};

static inline enum err make_place(struct ctx *ctx, int64_t *ret) {
    struct place p = {0};
    SET(&places, &p, name, S("estate"));
    SET(&places, &p, kind, S("estate"));
    SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    *ret = p.row.id;
    return OK;
}

static inline enum err make_device(struct site *s, struct str code, struct str model, int64_t *ret) {
    struct device d = {.row.community_id = s->estate};
    SET(&devices, &d, name, code);
    SET(&devices, &d, code, code);
    SET(&devices, &d, model, model);
    SET(&devices, &d, place_id, s->estate);
    TRY(row_create(&s->ctx, &devices, &d));
    *ret = d.row.id;
    return row_act(&s->ctx, &devices, d.row.id, 0, "adopt", &d,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

static inline void start(struct site *s, struct t *t) {
    static int serial;
    char url[256];
    *s = (struct site){.t = t, .now_ms = t->world.utc_ms(t->world.self)};
    snprintf(url, sizeof url, "sqlite:%s/rules-%d.db", test_dir(t), ++serial);
    struct kernel_options k = {.modules = modules, .modules_n = COUNT(modules)};
    bool ok = !kernel_create(&k, &s->kernel, &t->fault) &&
              !db_pool_open(&(struct db_options){.url = url}, 1, &s->pool, &t->fault);
    s->ctx = (struct ctx){.kernel = s->kernel, .arena = &t->arena, .world = &t->world, .actor = actor_system()};
    ok = ok && !db_pool_take(s->pool, &s->ctx.db, &t->fault) &&
         !kernel_install(s->kernel, s->ctx.db, &t->world, &t->fault);
    ctx_begin(&s->ctx);
    ok = ok && !make_place(&s->ctx, &s->estate) && !make_device(s, S("pump"), S("pump"), &s->device) &&
         !make_device(s, S("lamp"), S("lamp"), &s->other);
    CHECK(t, ok);
    s->engine = rules_create();
    s->disk = io_sim_create(7);
    s->io = io_sim_io(s->disk);
    const struct telemetry_options o = {.io = &s->io, .world = &t->world, .dir = "/readings", .threadless = true};
    CHECK(t, !telemetry_open(&o, &s->store, &t->fault));
}

static inline void stop(struct site *s) {
    rules_destroy(s->engine);
    telemetry_close(s->store);
    io_sim_destroy(s->disk);
    db_pool_give(s->pool, s->ctx.db);
    db_pool_close(s->pool);
    kernel_destroy(s->kernel);
}

static inline struct rule rule_of(struct site *s, struct str kind) {
    struct rule r = {.row.community_id = s->estate};
    SET(&rules, &r, name, S("rule"));
    SET(&rules, &r, kind, kind);
    SET(&rules, &r, severity, S("bad"));
    SET(&rules, &r, message, S("something is wrong"));
    SET(&rules, &r, enabled, true);
    return r;
}

static inline void add_rule(struct site *s, struct rule *r) {
    CHECK(s->t, !row_create(&s->ctx, &rules, r) && !rules_load(s->engine, &s->ctx));
}

/* Above 10, calm at 8, for pumps. */
static inline void add_above(struct site *s, int64_t for_s, bool enabled) {
    struct rule r = rule_of(s, S("above"));
    SET(&rules, &r, metric, S("temp"));
    SET(&rules, &r, model, S("pump"));
    SET(&rules, &r, limit_value, 10000);
    SET(&rules, &r, clear_value, 8000);
    SET(&rules, &r, enabled, enabled);
    if (for_s) SET(&rules, &r, for_s, for_s);
    add_rule(s, &r);
}

static inline void add_silence(struct site *s, int64_t for_s) {
    struct rule r = rule_of(s, S("silence"));
    SET(&rules, &r, device_id, s->device);
    SET(&rules, &r, for_s, for_s);
    add_rule(s, &r);
}

static inline bool name_of(void *arg, uint32_t series, struct rules_source *ret) {
    struct site *s = arg;
    s->asked++;
    *ret = s->named[series];
    return true;
}

static inline bool strange(void *arg, const struct rules_source *who) {
    struct site *s = arg;
    s->strangers++;
    return who->device[0] != 0;
}

static inline uint32_t series_of(struct site *s, const char *device, const char *metric) {
    uint32_t i = 0;
    while (i < s->named_n && (strcmp(s->named[i].device, device) || strcmp(s->named[i].metric, metric))) i++;
    if (i < s->named_n) return i;
    struct rules_source *x = &s->named[s->named_n++];
    x->community_id = s->estate;
    snprintf(x->device, sizeof x->device, "%s", device);
    snprintf(x->metric, sizeof x->metric, "%s", metric);
    return i;
}

/* A reading that says to be of at_ms comes at now_ms, both since the start.  True: something follows. */
static inline bool hear_at(struct site *s, const char *device, const char *metric, int64_t at_ms, double value,
                           int64_t now_ms) {
    const struct rules_names names = {name_of, strange, s};
    struct telemetry_stored p = {.at_ms = s->now_ms + at_ms, .value = value, .series = series_of(s, device, metric)};
    return rules_points(s->engine, &p, 1, s->now_ms + now_ms, &names);
}

static inline bool hear(struct site *s, const char *device, const char *metric, int64_t after_ms, double value) {
    if (s->heard_ms < after_ms) s->heard_ms = after_ms;
    return hear_at(s, device, metric, after_ms, value, s->heard_ms);
}

/* What the pump says becomes durable, and no more. */
static inline void store(struct site *s, const char *metric, int64_t after_ms, double value) {
    struct telemetry_point p = {
        .device = S("pump"), .metric = str_of(metric), .at_ms = s->now_ms + after_ms, .value = value};
    CHECK(s->t,
          !telemetry_put_wait(s->store, &(struct telemetry_batch){.community_id = s->estate, .points = &p, .n = 1},
                              NULL, &s->t->fault));
}

static inline void apply(struct site *s) {
    size_t done = 0;
    CHECK(s->t, !rules_apply(s->engine, &s->ctx, 100, &done));
}

static inline int64_t count(struct site *s, const char *sql) {
    int64_t n = 0;
    bool found;
    CHECK(s->t, !db_one_i64(s->ctx.db, &s->ctx.fault, sql, NO_VALS, &n, &found));
    return n;
}

static inline int64_t alarms_ever(struct site *s) {
    apply(s);
    return count(s, "SELECT COUNT(*) FROM alarms");
}

static inline int64_t alarms_open(struct site *s) {
    apply(s);
    return count(s, "SELECT COUNT(*) FROM alarms WHERE state IN ('active', 'acknowledged')");
}

/* The program ends here and starts anew; nothing in memory lives on. */
static inline void restart(struct site *s, int64_t after_ms) {
    rules_destroy(s->engine);
    s->engine = rules_create();
    s->ctx.now_ms = s->now_ms + after_ms;
    CHECK(s->t, !rules_load(s->engine, &s->ctx));
    rules_seed(s->engine, s->store, s->now_ms + after_ms);
}

static inline void end_by_hand(struct site *s) {
    int64_t id = count(s, "SELECT MAX(id) FROM alarms");
    CHECK(s->t, !row_act(&s->ctx, &alarms, id, 0, "end", NULL, 0, NULL));
}

static inline void add_event_rule(struct site *s, struct str code) {
    struct rule r = rule_of(s, S("event"));
    SET(&rules, &r, event_code, code);
    add_rule(s, &r);
}

static inline struct rules_event event(struct site *s, const char *code, const char *part, int64_t after_ms,
                                       bool is_set) {
    return (struct rules_event){.device = S("pump"),
                                .code = str_of(code),
                                .part = str_of(part),
                                .text = S("zone 3"),
                                .at_ms = s->now_ms + after_ms,
                                .is_set = is_set};
}

static inline enum err tell(struct site *s, struct rules_event e) {
    return rules_events(s->engine, s->estate, &e, 1);
}

#endif
