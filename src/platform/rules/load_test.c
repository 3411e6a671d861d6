/* Rules read anew: what is over a limit, and what is judged meanwhile.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/site_test_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static const char *left_out(struct site *s) {
    static char mem[256];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    return rules_left_out(s->engine, &b) ? mem : "";
}

static bool is_left_out(struct site *s, const char *what) {
    CHECK_SAY(s->t, strstr(left_out(s), what), "%s, not: %s", what, left_out(s));
    return strstr(left_out(s), what) != NULL;
}

static enum err add_above_at(struct site *s, int64_t limit, int64_t device_id, struct rule *ret) {
    struct rule r = rule_of(s, S("above"));
    SET(&rules, &r, metric, S("temp"));
    SET(&rules, &r, limit_value, limit * 1000);
    if (device_id) SET(&rules, &r, device_id, device_id);
    enum err e = row_create(&s->ctx, &rules, &r);
    if (!e) e = rules_load(s->engine, &s->ctx);
    *ret = r;
    return e;
}

/* ---- limits ---- */

static void rules_over_the_limit_leave_the_oldest_at_work(struct t *t) {
    struct site s;
    struct rule r[3];
    start(&s, t);
    s.engine->limits.rules = 2;
    for (int i = 0; i < 3; i++) CHECK(t, !add_above_at(&s, 10 * (i + 1), 0, &r[i]));
    char text[80];
    snprintf(text, sizeof text, "more than 2 rules: those from id %lld on are left out", (long long)r[2].row.id);
    CHECK(t, is_left_out(&s, text));
    hear(&s, "pump", "temp", 1, 99);
    CHECK(t, alarms_ever(&s) == 2);
    CHECK(t, !row_archive(&s.ctx, &rules, r[0].row.id, 0) && !rules_load(s.engine, &s.ctx) && !*left_out(&s));
    hear(&s, "pump", "temp", 2, 99);
    CHECK(t, alarms_ever(&s) == 3);
    stop(&s);
}

static void devices_over_the_limit_leave_the_oldest_watched(struct t *t) {
    struct site s;
    struct rule r;
    start(&s, t);
    s.engine->limits.devices = 1;
    CHECK(t, !add_above_at(&s, 10, 0, &r) && is_left_out(&s, "more than 1 devices"));
    CHECK(t, rules_knows(s.engine, s.estate, S("pump")) && !rules_knows(s.engine, s.estate, S("lamp")));
    hear(&s, "pump", "temp", 1, 99);
    hear(&s, "lamp", "temp", 1, 99);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* Of the rule that does not fit whole the oldest devices, whichever rule or device comes first in memory. */
static void watches_over_the_limit_leave_the_oldest_rules_whole(struct t *t) {
    struct site s;
    struct rule r[3];
    char text[80];
    start(&s, t);
    s.engine->limits.watches = 4;
    CHECK(t, !add_above_at(&s, 10, s.other, &r[0]) && !add_above_at(&s, 20, 0, &r[1]) && !*left_out(&s));
    CHECK(t, !add_above_at(&s, 30, 0, &r[2]));
    snprintf(text, sizeof text, "more than 4 rules on devices: 1 are left out, from rule id %lld on",
             (long long)r[2].row.id);
    CHECK(t, is_left_out(&s, text));
    hear(&s, "pump", "temp", 1, 99);
    CHECK(t, alarms_ever(&s) == 2);
    hear(&s, "lamp", "temp", 1, 99);
    CHECK(t, alarms_ever(&s) == 4 && s.engine->book->watches_n == 4);
    stop(&s);
}

/* Nobody learns a reading that he may not, for want of room. */
static void with_too_many_private_metrics_no_alarm_tells_a_reading(struct t *t) {
    for (size_t most = 1; most <= 2; most++) {
        struct site s;
        struct rule r;
        struct device_model model = {0};
        struct model_metric m[2] = {{.has = 1 | 1 << 8, .metric = S("pulse"), .privacy = S("health")},
                                    {.has = 1 | 1 << 8, .metric = S("breath"), .privacy = S("health")}};
        start(&s, t);
        SET(&device_models, &model, code, S("bed"));
        SET(&device_models, &model, name, S("bed"));
        SET(&device_models, &model, metrics, (struct lines){m, 2});
        CHECK(t, !row_create(&s.ctx, &device_models, &model));
        s.engine->limits.privates = most;
        CHECK(t, !add_above_at(&s, 10, 0, &r) && !*left_out(&s) == (most == 2));
        hear(&s, "pump", "temp", 1, 99);
        CHECK(t, alarms_ever(&s) == 1 && count(&s, "SELECT COUNT(*) FROM alarms WHERE value <> ''") == (most == 2));
        stop(&s);
    }
}

static bool is_refused(struct site *s, enum err e, const char *field, const char *code) {
    const struct fault *f = &s->ctx.fault;
    bool ok =
        e == ERR_INVALID && f->fields_n == 1 && !strcmp(f->fields[0].field, field) && !strcmp(f->fields[0].code, code);
    CHECK_SAY(s->t, ok, "%s: %s %s", err_name(e), f->fields[0].field, f->fields[0].code);
    s->ctx.fault = (struct fault){0};
    return ok;
}

/* Somebody saves it, and hears at once that there is no room; what takes no more than it did is saved. */
static void a_rule_that_finds_no_room_is_refused_when_it_is_saved(struct t *t) {
    struct site s;
    struct rule all = {0}, one, none;
    const uint64_t model = UINT64_C(1) << field_index(&rules, "model"), message = UINT64_C(1)
                                                                                  << field_index(&rules, "message");
    start(&s, t);
    CHECK(t, !add_above_at(&s, 10, 0, &all));
    rules_watches(RULES_WATCHES_MAX - 1);
    CHECK(t, is_refused(&s, add_above_at(&s, 10, 0, &none), "model", "too_many_watched"));
    SET(&rules, &all, message, S("other words"));
    CHECK(t, !row_update(&s.ctx, &rules, all.row.id, 0, &all, message, NULL));
    SET(&rules, &all, model, S("pump"));
    CHECK(t, !row_update(&s.ctx, &rules, all.row.id, 0, &all, model, NULL)); /* fewer than it was */
    rules_watches(RULES_WATCHES_MAX);
    all.row.has &= ~model;
    CHECK(t, is_refused(&s, row_update(&s.ctx, &rules, all.row.id, 0, &all, model, NULL), "model", "too_many_watched"));
    rules_watches(RULES_WATCHES_MAX - 1);
    CHECK(t, !add_above_at(&s, 10, s.device, &one));
    rules_watches(RULES_WATCHES_MAX);
    CHECK(t, is_refused(&s, add_above_at(&s, 10, s.device, &none), "model", "too_many_watched"));
    stop(&s);
    rules_watches(0);
}

/* ---- meanwhile ---- */

struct loading {
    struct site *s;
    atomic_bool is_over;
    int64_t took_us;
};

static int64_t clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *load_rules(void *arg) {
    struct loading *l = arg;
    int64_t from_us = clock_us();
    CHECK(l->s->t, !rules_load(l->s->engine, &l->s->ctx));
    l->took_us = clock_us() - from_us;
    atomic_store(&l->is_over, true);
    return NULL;
}

/* The store takes its time over the alarms; what the pump says is judged as before, and known to the rules that come.
 */
static void readings_wait_for_no_rules_that_are_read(struct t *t) {
    struct site s;
    pthread_t thread;
    int64_t longest_us = 0, n = 0;
    start(&s, t);
    add_above(&s, 0, true);
    hear(&s, "pump", "temp", 0, 11);
    CHECK(t, alarms_ever(&s) == 1);
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "ALTER TABLE alarms RENAME TO away", NO_VALS, NULL));
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault,
                      "CREATE VIEW alarms AS SELECT * FROM away WHERE (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL "
                      "SELECT x + 1 FROM c LIMIT 1000000) SELECT COUNT(*) FROM c) > 0",
                      NO_VALS, NULL));
    struct loading l = {.s = &s};
    if (pthread_create(&thread, NULL, load_rules, &l)) CHECK(t, false);
    while (!atomic_load(&l.is_over)) {
        int64_t from_us = clock_us();
        (void)hear(&s, "pump", "temp", 2 + n++, 5);
        if (clock_us() - from_us > longest_us) longest_us = clock_us() - from_us;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_join(thread, NULL);
    CHECK_SAY(t, l.took_us > 20000, "the alarms were read in %d us", (int)l.took_us);
    CHECK_SAY(t, longest_us < l.took_us / 2, "one waited %d of %d us", (int)longest_us, (int)l.took_us);
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "DROP VIEW alarms", NO_VALS, NULL));
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "ALTER TABLE away RENAME TO alarms", NO_VALS, NULL));
    stop(&s);
}

/* ---- states carried over ---- */

/* What a silence knows is no breach: a rule that asks something else begins anew. */
static void a_rule_that_asks_something_else_begins_anew(struct t *t) {
    struct site s;
    struct rule r;
    start(&s, t);
    r = rule_of(&s, S("silence"));
    SET(&rules, &r, for_s, 60);
    SET(&rules, &r, metric, S("temp"));
    add_rule(&s, &r);
    hear(&s, "pump", "temp", 1, 5);
    SET(&rules, &r, kind, S("above"));
    SET(&rules, &r, limit_value, 10000);
    CHECK(t, !row_update(&s.ctx, &rules, r.row.id, 0, &r, r.row.has, NULL) && !rules_load(s.engine, &s.ctx));
    rules_tick(s.engine, s.now_ms + 3600000);
    CHECK(t, alarms_ever(&s) == 0);
    hear(&s, "pump", "temp", 2, 11);
    SET(&rules, &r, metric, S("load"));
    CHECK(t, !row_update(&s.ctx, &rules, r.row.id, 0, &r, r.row.has, NULL) && !rules_load(s.engine, &s.ctx));
    rules_tick(s.engine, s.now_ms + 7200000);
    CHECK(t, alarms_ever(&s) == 0);
    stop(&s);
}

/* A device stays who it is under another code. */
static void a_duration_goes_on_under_another_code(struct t *t) {
    struct site s;
    struct device patch = {0};
    start(&s, t);
    add_above(&s, 60, true);
    hear(&s, "pump", "temp", 0, 11);
    SET(&devices, &patch, code, S("pump-9"));
    CHECK(t, !row_act(&s.ctx, &devices, s.device, 0, "recode", &patch, patch.row.has, NULL));
    CHECK(t, !rules_load(s.engine, &s.ctx) && rules_knows(s.engine, s.estate, S("pump-9")));
    rules_tick(s.engine, s.now_ms + 60000);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

#define PUMPS  6000 /* more than are carried at once */
#define ROUNDS 10

static enum err add_pumps(struct ctx *ctx, void *arg) {
    const struct site *s = arg;
    for (int64_t i = 1; i <= PUMPS; i++)
        TRY(db_exec(ctx->db, &ctx->fault,
                    "INSERT INTO devices (id, community_id, version, created_ms, created_by, updated_ms, archived_ms, "
                    "state, name, code, model) VALUES ($1, $2, 1, 1, 0, 1, 0, 'normal', 'p', 'p' || $1, 'pump')",
                    VALS(V_I64(i), V_I64(s->estate)), NULL));
    return OK;
}

static bool pump_name(void *arg, uint32_t series, struct rules_source *ret) {
    *ret = (struct rules_source){.community_id = ((struct site *)arg)->estate, .metric = "temp"};
    snprintf(ret->device, sizeof ret->device, "p%u", (unsigned)series + 1);
    return true;
}

static void *load_again_and_again(void *arg) {
    struct loading *l = arg;
    while (!atomic_load(&l->is_over)) {
        CHECK(l->s->t, !rules_load(l->s->engine, &l->s->ctx));
        l->took_us++;
    }
    return NULL;
}

/* Each pump breaches and calms in turns while rules are read anew over and over: each time is told, and once. */
static void what_is_judged_meanwhile_is_known_after(struct t *t) {
    struct site s;
    pthread_t thread;
    struct loading l = {.s = &s};
    const struct rules_names names = {pump_name, strange, &s};
    start(&s, t);
    CHECK(t, !ctx_write(&s.ctx, add_pumps, &s));
    add_above(&s, 0, true);
    CHECK(t, s.engine->book->watches_n == PUMPS + 1);
    if (pthread_create(&thread, NULL, load_again_and_again, &l)) CHECK(t, false);
    for (int round = 1; round <= ROUNDS; round++)
        for (uint32_t i = 0; i < PUMPS; i++) {
            struct telemetry_stored p = {.at_ms = s.now_ms + round, .value = round % 2 ? 11 : 5, .series = i};
            (void)rules_points(s.engine, &p, 1, s.now_ms + round, &names);
            if (i % 500 == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    atomic_store(&l.is_over, true);
    pthread_join(thread, NULL);
    CHECK_SAY(t, rules_made(s.engine) == PUMPS * ROUNDS, "%d of %d verdicts in %d loads", (int)rules_made(s.engine),
              PUMPS * ROUNDS, (int)l.took_us);
    stop(&s);
}

static struct event adopted(int64_t device) {
    return (struct event){.row_id = device, .resource = S("devices"), .topic = S("devices.adopt")};
}

/* Once a community, with its first device; who took them out, or has rules of its own, is left alone. */
static void deliver(struct site *s) {
    size_t done = 1;
    for (int i = 0; done && i < 10; i++) CHECK(s->t, !events_deliver(&s->ctx, 100, &done));
    CHECK(s->t, rules_is_stale(s->engine) && !rules_load(s->engine, &s->ctx));
}

/* No rule would end its alarms any more; adopted again it is judged from the start. */
static void a_device_that_waits_again_has_no_alarms(struct t *t) {
    struct site s;
    struct device d = {0};
    start(&s, t);
    add_above(&s, 0, true);
    (void)hear(&s, "pump", "temp", 1, 11);
    CHECK(t, alarms_open(&s) == 1);
    CHECK(t, !row_act(&s.ctx, &devices, s.device, 0, "unadopt", NULL, 0, NULL));
    deliver(&s);
    CHECK(t, alarms_open(&s) == 0 && !rules_knows(s.engine, s.estate, S("pump")));
    CHECK(t, count(&s, "SELECT COUNT(*) FROM alarms WHERE calm_ms > 0 AND ended_ms > 0") == 1);
    (void)hear(&s, "pump", "temp", 2, 12);
    CHECK(t, alarms_ever(&s) == 1 && !row_get(&s.ctx, &devices, s.device, &d) && d.state == DEVICE_NEW);
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    CHECK(t, !row_act(&s.ctx, &devices, s.device, 0, "adopt", &d, adopted, NULL));
    deliver(&s);
    (void)hear(&s, "pump", "temp", 3, 13);
    CHECK(t, alarms_ever(&s) == 2 && alarms_open(&s) == 1);
    stop(&s);
}

static void rules_of_a_model_come_with_its_first_device(struct t *t) {
    static struct model_rule all[] = {{.has = 0x1d7,
                                       .name = {"hot", 3},
                                       .kind = {"above", 5},
                                       .metric = {"temperature", 11},
                                       .severity = {"bad", 3},
                                       .message = {"too hot", 7},
                                       .limit_value = 80000,
                                       .for_s = 60},
                                      {.has = 0x18b,
                                       .name = {"door", 4},
                                       .kind = {"event", 5},
                                       .event_code = {"door_open", 9},
                                       .severity = {"warn", 4},
                                       .message = {"the door is open", 16}}};
    static struct model_metric metric = {.has = 1, .metric = {"temperature", 11}};
    static struct model_event door = {.has = 1, .event = {"door_open", 9}};
    struct site s;
    struct device_model m = {0};
    start(&s, t);
    SET(&device_models, &m, metrics, (struct lines){&metric, 1});
    SET(&device_models, &m, events, (struct lines){&door, 1});
    SET(&device_models, &m, code, S("pump"));
    SET(&device_models, &m, name, S("pump"));
    SET(&device_models, &m, rules, (struct lines){all, COUNT(all)});
    CHECK(t, !row_create(&s.ctx, &device_models, &m));
    struct event pump = adopted(s.device), lamp = adopted(s.other);
    CHECK(t, !rules_come_with(&s.ctx, &lamp) && count(&s, "SELECT COUNT(*) FROM rules") == 0);
    CHECK(t, !rules_come_with(&s.ctx, &pump) && count(&s, "SELECT COUNT(*) FROM rules WHERE model = 'pump'") == 2);
    CHECK(t,
          count(&s, "SELECT COUNT(*) FROM rules WHERE limit_value = 80000 AND clear_value IS NULL AND for_s = 60 AND "
                    "metric = 'temperature' AND enabled = 1 AND message = 'too hot'") == 1);
    CHECK(t, count(&s, "SELECT COUNT(*) FROM rules WHERE event_code = 'door_open' AND limit_value IS NULL") == 1);
    int64_t first = count(&s, "SELECT MIN(id) FROM rules"), last = count(&s, "SELECT MAX(id) FROM rules");
    CHECK(t, !row_archive(&s.ctx, &rules, first, 0) && !row_archive(&s.ctx, &rules, last, 0));
    CHECK(t, !rules_come_with(&s.ctx, &pump) && count(&s, "SELECT COUNT(*) FROM rules") == 2);
    struct event gone = adopted(12345);
    CHECK(t, !rules_come_with(&s.ctx, &gone));
    stop(&s);
}

static int64_t model_with(struct site *s, const struct model_rule *all, size_t n) {
    struct device_model m = {0};
    SET(&device_models, &m, code, S("pump"));
    SET(&device_models, &m, name, S("pump"));
    SET(&device_models, &m, rules, (struct lines){(void *)(uintptr_t)all, n});
    CHECK_SAY(s->t, !row_create(&s->ctx, &device_models, &m), "%s", s->ctx.fault.text);
    return m.row.id;
}

/* Each by itself: a community that has one of its own about the same gets the others, and those that a model is given
 * later; one that it changed stays as it is. */
static void what_a_community_has_about_the_same_does_not_come_with_a_model(struct t *t) {
    static struct model_rule all[] = {{.has = 0x1c3,
                                       .name = {"a", 1},
                                       .kind = {"silence", 7},
                                       .severity = {"bad", 3},
                                       .message = {"a", 1},
                                       .for_s = 9},
                                      {.has = 0x1c3,
                                       .name = {"b", 1},
                                       .kind = {"silence", 7},
                                       .severity = {"warn", 4},
                                       .message = {"b", 1},
                                       .for_s = 5},
                                      {.has = 0x1c3,
                                       .name = {"c", 1},
                                       .kind = {"silence", 7},
                                       .severity = {"info", 4},
                                       .message = {"c", 1},
                                       .for_s = 3}};
    const uint64_t severity = UINT64_C(1) << field_index(&rules, "severity"), its_name = UINT64_C(1)
                                                                                         << field_index(&rules, "name");
    struct site s;
    start(&s, t);
    int64_t model_id = model_with(&s, all, 2);
    struct rule own = rule_of(&s, S("silence")), b = {0};
    SET(&rules, &own, name, S("mine"));
    SET(&rules, &own, model, S("pump"));
    SET(&rules, &own, severity, S("bad"));
    SET(&rules, &own, for_s, 60);
    CHECK_SAY(t, !row_create(&s.ctx, &rules, &own), "%s", s.ctx.fault.text);
    struct event pump = adopted(s.device);
    CHECK(t, !rules_come_with(&s.ctx, &pump) && count(&s, "SELECT COUNT(*) FROM rules") == 2);
    CHECK(t, count(&s, "SELECT COUNT(*) FROM rules WHERE name = 'a'") == 0);
    int64_t b_id = count(&s, "SELECT id FROM rules WHERE name = 'b'");
    SET(&rules, &b, severity, S("info"));
    SET(&rules, &b, name, S("ours"));
    CHECK(t, !row_update(&s.ctx, &rules, b_id, 0, &b, severity | its_name, NULL));
    struct device_model m = {0};
    SET(&device_models, &m, rules, (struct lines){all, 3});
    CHECK(t, !row_update(&s.ctx, &device_models, model_id, 0, &m, UINT64_C(1) << field_index(&device_models, "rules"),
                         NULL));
    CHECK(t, !rules_come_with(&s.ctx, &pump) && count(&s, "SELECT COUNT(*) FROM rules") == 2); /* b is about the same */
    SET(&rules, &b, severity, S("warn"));
    CHECK(t, !row_update(&s.ctx, &rules, b_id, 0, &b, severity, NULL));
    CHECK(t, !rules_come_with(&s.ctx, &pump) && count(&s, "SELECT COUNT(*) FROM rules WHERE name = 'c'") == 1);
    CHECK(t, !rules_come_with(&s.ctx, &pump) && count(&s, "SELECT COUNT(*) FROM rules") == 3);
    stop(&s);
}

/* As a store of before may have it: what was refused in silence is told, and the others are made. */
static void a_rule_that_cannot_be_made_holds_up_no_other(struct t *t) {
    static struct model_rule all[] = {{.has = 0x183,
                                       .name = {"a", 1},
                                       .kind = {"silence", 7},
                                       .severity = {"bad", 3},
                                       .message = {"a", 1},
                                       .for_s = 9},
                                      {.has = 0x183,
                                       .name = {"b", 1},
                                       .kind = {"silence", 7},
                                       .severity = {"bad", 3},
                                       .message = {"b", 1},
                                       .for_s = 9},
                                      {.has = 0x183,
                                       .name = {"c", 1},
                                       .kind = {"silence", 7},
                                       .severity = {"bad", 3},
                                       .message = {"c", 1},
                                       .for_s = 9}};
    char mem[1024];
    struct buf said;
    struct site s;
    start(&s, t);
    for (size_t i = 0; i < COUNT(all); i++) all[i].has |= MODEL_RULE_FOR;
    (void)model_with(&s, all, COUNT(all));
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "UPDATE device_models_rules SET kind = 'below' WHERE name = 'b'", NO_VALS,
                      NULL));
    buf_init(&said, mem, sizeof mem);
    CHECK(t, !rules_not_made(&said));
    struct event pump = adopted(s.device);
    CHECK(t, !rules_come_with(&s.ctx, &pump) && count(&s, "SELECT COUNT(*) FROM rules WHERE name IN ('a', 'c')") == 2);
    CHECK_SAY(t, rules_not_made(&said) && !strcmp(mem, "pump, b: limit_value required"), "%s", mem);
    CHECK(t, count(&s, "SELECT COUNT(*) FROM rules") == 2 && !rules_not_made(&said)); /* told once */
    stop(&s);
}

TESTS(CASE(a_rule_that_cannot_be_made_holds_up_no_other), CASE(rules_of_a_model_come_with_its_first_device),
      CASE(what_a_community_has_about_the_same_does_not_come_with_a_model),
      CASE(a_device_that_waits_again_has_no_alarms), CASE(rules_over_the_limit_leave_the_oldest_at_work),
      CASE(devices_over_the_limit_leave_the_oldest_watched), CASE(watches_over_the_limit_leave_the_oldest_rules_whole),
      CASE(with_too_many_private_metrics_no_alarm_tells_a_reading),
      CASE(a_rule_that_finds_no_room_is_refused_when_it_is_saved), CASE(readings_wait_for_no_rules_that_are_read),
      CASE(a_rule_that_asks_something_else_begins_anew), CASE(a_duration_goes_on_under_another_code),
      CASE(what_is_judged_meanwhile_is_known_after))
