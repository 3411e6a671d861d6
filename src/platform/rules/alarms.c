/* Alarms as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/alarms.h"

#include "kernel/rows.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

#define ALARMS_OF_DEVICE_MAX 1000 /* open ones that end at a time: it has a few rules, and parts */

static const struct field fields[] = {
    {STATE(struct alarm, state)},
    {CHOICE(struct alarm, severity, "bad warn info"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {TEXT(struct alarm, title), .max = 120, .flags = REQUIRED | FIXED | SEARCH | COLUMN},
    {REF(struct alarm, device_id, "devices"), .flags = FIXED | COLUMN | INDEXED},
    {REF(struct alarm, place_id, "places"), .flags = FIXED | COLUMN},
    {TIME(struct alarm, since_ms), .flags = REQUIRED | FIXED | COLUMN},
    {TIME(struct alarm, ended_ms), .flags = SYSTEM},
    {TIME(struct alarm, calm_ms), .flags = SYSTEM | INDEXED},
    {TEXT(struct alarm, metric), .max = 40, .flags = FIXED},
    {TEXT(struct alarm, value), .max = 40, .flags = FIXED | COLUMN},
    {TEXT(struct alarm, detail), .max = 400, .flags = FIXED},
    {TEXT(struct alarm, part), .max = ALARM_PART_MAX, .flags = FIXED},
    {TEXT(struct alarm, case_type), .max = 40, .flags = FIXED},
    {REF(struct alarm, rule_id, "rules"), .flags = FIXED | INDEXED},
    {INT(struct alarm, repeats), .min = 0, .max = INT64_C(1000000000), .flags = SYSTEM},
};
static const char *const states[] = {
    [ALARM_ACTIVE] = "active", [ALARM_ACKNOWLEDGED] = "acknowledged", [ALARM_ENDED] = "ended"};

/* By hand or by itself: with its last alarm the device is calm. */
static enum err ended(struct ctx *ctx, void *row) {
    struct alarm *a = row;
    int64_t others = 0;
    bool found;
    SET(&alarms, a, ended_ms, ctx->now_ms);
    if (!row_has(&alarms, a, "device_id")) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT COUNT(*) FROM alarms WHERE device_id = $1 AND id <> $2 AND state IN ('active', "
                   "'acknowledged') AND archived_ms = 0",
                   VALS(V_I64(a->device_id), V_I64(a->row.id)), &others, &found));
    return others ? OK : device_step(ctx, a->device_id, "calm");
}

/* A breach or a silence may last on, and its rule raises nothing until it is over: calm_ms stays absent.  An event is
 * over with its alarm: the next report is another one. */
static enum err ended_by_hand(struct ctx *ctx, void *row) {
    struct alarm *a = row;
    int64_t lasting = 0;
    bool found;
    TRY(ended(ctx, row));
    if (row_has(&alarms, a, "rule_id"))
        TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM rules WHERE id = $1 AND kind <> 'event'",
                       VALS(V_I64(a->rule_id)), &lasting, &found));
    if (!lasting) SET(&alarms, a, calm_ms, ctx->now_ms);
    return OK;
}

static const struct step steps[] = {
    {ALARM_ACTIVE, "ack", ALARM_ACKNOWLEDGED, "manager dispatcher guard"},
    {ALARM_ACTIVE, "end", ALARM_ENDED, "manager dispatcher", .effect = ended_by_hand},
    {ALARM_ACKNOWLEDGED, "end", ALARM_ENDED, "manager dispatcher", .effect = ended_by_hand},
    {ALARM_ACTIVE, "clear", ALARM_ENDED, "timer", .effect = ended},
    {ALARM_ACKNOWLEDGED, "clear", ALARM_ENDED, "timer", .effect = ended},
};
static const struct grant grants[] = {
    {"admin", READ, PLACE},
    {"manager dispatcher guard repairer street committee", READ, COMMUNITY},
    {"grid", READ, PLACE},
};
static const struct view views[] = {{"open", "state=active,acknowledged", "-since_ms"},
                                    {"bad", "severity=bad", "-since_ms"}};

const struct resource alarms = {
    .name = "alarms",
    .group = "work",
    .icon = "alarm",
    .size = sizeof(struct alarm),
    .label = "title",
    .place = "place_id",
    .tones = "bad info off",
    .flags = NO_ARCHIVE,
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(grants, grants),
    ROWS(views, views),
};

/* ---- raising and clearing ---- */

struct raising {
    const struct alarm_raise *in;
    int64_t id;
};

static enum err open_alarm(struct ctx *ctx, int64_t rule_id, int64_t device_id, struct str part, int64_t *ret,
                           bool *ret_found) {
    return db_one_i64(
        ctx->db, &ctx->fault,
        "SELECT id FROM alarms WHERE device_id = $1 AND rule_id = $2 AND state IN ('active', 'acknowledged') AND "
        "archived_ms = 0 AND COALESCE(part, '') = $3 ORDER BY id DESC LIMIT 1",
        VALS(V_I64(device_id), V_I64(rule_id), V_TEXT(part.ptr ? part : S(""))), ret, ret_found);
}

static void set_text(struct alarm *a, const char *field, struct str *at, struct str text) {
    if (!text.len) return;
    *at = text;
    row_set(&alarms, a, field);
}

static enum err raise_it(struct ctx *ctx, void *arg) {
    struct raising *r = arg;
    const struct alarm_raise *in = r->in;
    struct device d = {0};
    struct alarm a = {0};
    bool found;
    TRY(open_alarm(ctx, in->rule_id, in->device_id, in->part, &r->id, &found));
    if (found)
        return db_exec(ctx->db, &ctx->fault, "UPDATE alarms SET repeats = COALESCE(repeats, 0) + 1 WHERE id = $1",
                       VALS(V_I64(r->id)), NULL);
    TRY(row_get(ctx, &devices, in->device_id, &d));
    a.row.community_id = d.row.community_id;
    SET(&alarms, &a, title, in->title);
    SET(&alarms, &a, severity, in->severity);
    SET(&alarms, &a, device_id, in->device_id);
    SET(&alarms, &a, rule_id, in->rule_id);
    SET(&alarms, &a, since_ms, in->at_ms);
    SET(&alarms, &a, repeats, 0);
    if (row_has(&devices, &d, "place_id")) SET(&alarms, &a, place_id, d.place_id);
    set_text(&a, "metric", &a.metric, in->metric);
    set_text(&a, "value", &a.value, in->value);
    set_text(&a, "detail", &a.detail, in->detail);
    set_text(&a, "part", &a.part, in->part);
    set_text(&a, "case_type", &a.case_type, in->case_type);
    TRY(row_create(ctx, &alarms, &a));
    r->id = a.row.id;
    return device_step(ctx, in->device_id, "alarm");
}

enum err alarm_raise(struct ctx *ctx, const struct alarm_raise *raise, int64_t *ret_alarm_id) {
    struct raising r = {raise, 0};
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = ctx_write(ctx, raise_it, &r);
    ctx->actor = actor;
    if (!e) *ret_alarm_id = r.id;
    return e;
}

struct clearing {
    int64_t rule_id, device_id, at_ms;
    struct str part;
};

static enum err clear_it(struct ctx *ctx, void *arg) {
    struct clearing *c = arg;
    int64_t id = 0;
    bool found;
    TRY(db_exec(ctx->db, &ctx->fault,
                "UPDATE alarms SET calm_ms = $1 WHERE device_id = $2 AND rule_id = $3 AND calm_ms IS NULL AND "
                "COALESCE(part, '') = $4",
                VALS(V_I64(c->at_ms), V_I64(c->device_id), V_I64(c->rule_id), V_TEXT(c->part.ptr ? c->part : S(""))),
                NULL));
    TRY(open_alarm(ctx, c->rule_id, c->device_id, c->part, &id, &found));
    return found ? row_act(ctx, &alarms, id, 0, "clear", NULL, 0, NULL) : OK;
}

enum err alarm_clear(struct ctx *ctx, int64_t rule_id, int64_t device_id, struct str part, int64_t at_ms) {
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = ctx_write(ctx, clear_it, &(struct clearing){rule_id, device_id, at_ms, part});
    ctx->actor = actor;
    return e;
}

/* ---- of a device that waits for adoption again ---- */

/* No rule is about it any more, so none would end them; what it has when it is adopted again is another matter. */
enum err alarms_unadopted(struct ctx *ctx, const struct event *e) {
    struct device d = {0};
    struct db_rows rows = {0};
    int64_t ids[ALARMS_OF_DEVICE_MAX];
    size_t n = 0;
    enum err err = row_get(ctx, &devices, e->row_id, &d);
    if (err == ERR_NOT_FOUND) { /* erased since */
        ctx->fault = (struct fault){0};
        return OK;
    }
    if (err || d.state != DEVICE_NEW) return err;
    TRY(db_exec(ctx->db, &ctx->fault, "UPDATE alarms SET calm_ms = $1 WHERE device_id = $2 AND calm_ms IS NULL",
                VALS(V_I64(ctx->now_ms), V_I64(e->row_id)), NULL));
    err = db_query(ctx->db, &ctx->fault,
                   "SELECT id FROM alarms WHERE device_id = $1 AND state IN ('active', 'acknowledged') AND "
                   "archived_ms = 0 ORDER BY id LIMIT $2",
                   VALS(V_I64(e->row_id), V_I64(ALARMS_OF_DEVICE_MAX)), &rows);
    while (db_more(&rows, &ctx->fault, &err)) ids[n++] = db_i64(&rows, 0);
    db_done(&rows);
    for (size_t i = 0; !err && i < n; i++) err = row_act(ctx, &alarms, ids[i], 0, "clear", NULL, 0, NULL);
    return err;
}
