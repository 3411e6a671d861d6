/* Rules as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/rules.h"

#include "platform/rules/alarms.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

#include <stdatomic.h>

static _Atomic int64_t generation = 1;
static _Atomic int64_t watches; /* of the book that this process reads by */

static const struct field fields[] = {
    {TEXT(struct rule, name), .max = 60, .flags = REQUIRED | SEARCH | COLUMN},
    {CHOICE(struct rule, kind, "above below silence event"), .flags = REQUIRED | COLUMN},
    {TEXT(struct rule, model), .max = 40, .flags = COLUMN},
    {REF(struct rule, device_id, "devices")},
    {TEXT(struct rule, metric), .max = 40, .flags = COLUMN},
    {DECIMAL(struct rule, limit_value, 3), .flags = COLUMN, .group = "when"},
    {DECIMAL(struct rule, clear_value, 3), .group = "when"},
    {INT(struct rule, for_s), .min = 0, .max = 86400 * 31, .unit = "s", .group = "when"},
    {TEXT(struct rule, event_code), .max = 40, .group = "when"},
    {CHOICE(struct rule, severity, "bad warn info"), .flags = REQUIRED | COLUMN, .group = "then"},
    {TEXT(struct rule, message), .max = 120, .flags = REQUIRED, .group = "then"},
    {TEXT(struct rule, case_type), .max = 40, .group = "then"},
    {FLAG(struct rule, enabled), .flags = COLUMN},
    {TEXT(struct rule, came_as), .max = 60, .flags = SYSTEM},
};
static const struct grant grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY},
    {"dispatcher guard repairer", READ, COMMUNITY},
};

/* ---- room: refused here, where somebody hears it; what grows over a limit otherwise is left out ---- */

static enum err count_devices(struct ctx *ctx, int64_t community_id, struct str model, int64_t *ret) {
    bool found;
    return db_one_i64(
        ctx->db, &ctx->fault,
        "SELECT COUNT(*) FROM devices WHERE community_id = $1 AND archived_ms = 0 AND state NOT IN ('new', "
        "'retired') AND ($2 = '' OR model = $2)",
        VALS(V_I64(community_id), V_TEXT(model.ptr ? model : S(""))), ret, &found);
}

/* As it is stored: how many devices it watches, and whether it is there at all. */
static enum err count_before(struct ctx *ctx, int64_t id, int64_t *ret, bool *ret_found) {
    struct db_rows rows = {0};
    int64_t community_id = 0;
    struct str model = {NULL, 0};
    bool is_for_many = false;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT community_id, model, device_id FROM rules WHERE id = $1 AND enabled = 1 AND "
                          "archived_ms = 0",
                          VALS(V_I64(id)), &rows);
    *ret_found = false;
    while (db_more(&rows, &ctx->fault, &e)) {
        *ret_found = true;
        community_id = db_i64(&rows, 0);
        is_for_many = db_col(&rows, 2).type == DB_NULL;
        if (!arena_str(ctx->arena, db_text(&rows, 1), &model)) e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    *ret = *ret_found && !is_for_many;
    return e || !is_for_many ? e : count_devices(ctx, community_id, model, ret);
}

static enum err check_room(struct ctx *ctx, const struct rule *r) {
    int64_t before = 0, now = 1, all = 0;
    bool is_there, found;
    TRY(count_before(ctx, r->row.id, &before, &is_there));
    if (!is_there)
        TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM rules WHERE archived_ms = 0 AND id <> $1",
                       VALS(V_I64(r->row.id)), &all, &found));
    if (all >= RULES_MAX) return FAIL_FIELD(&ctx->fault, "name", "too_many", RULES_MAX);
    struct str model = row_has(&rules, r, "model") ? r->model : (struct str){NULL, 0};
    if (!row_has(&rules, r, "device_id")) TRY(count_devices(ctx, r->row.community_id, model, &now));
    if (now > before && atomic_load(&watches) + now - before > RULES_WATCHES_MAX)
        return FAIL_FIELD(&ctx->fault, "model", "too_many_watched", RULES_WATCHES_MAX);
    return OK;
}

/* The same is asked of a rule that comes with a model. */
static enum err validate(struct ctx *ctx, const void *row) {
    const struct rule *r = row;
    const struct model_rule said = {.has = (row_has(&rules, r, "limit_value") ? MODEL_RULE_LIMIT : 0) |
                                           (row_has(&rules, r, "clear_value") ? MODEL_RULE_CLEAR : 0) |
                                           (row_has(&rules, r, "for_s") ? MODEL_RULE_FOR : 0),
                                    .kind = r->kind,
                                    .metric = r->metric,
                                    .event_code = r->event_code,
                                    .limit_value = r->limit_value,
                                    .clear_value = r->clear_value,
                                    .for_s = r->for_s};
    const char *code;
    int64_t limit;
    const char *field = model_rule_check(&said, &code, &limit);
    if (field) return FAIL_FIELD(&ctx->fault, field, code, limit);
    return r->enabled ? check_room(ctx, r) : OK;
}

const struct resource rules = {
    .name = "rules",
    .group = "operations",
    .icon = "rule",
    .size = sizeof(struct rule),
    .label = "name",
    ROWS(fields, fields),
    ROWS(grants, grants),
    .validate = validate,
};

int64_t rules_generation(void) {
    return atomic_load(&generation);
}

void rules_watches(int64_t n) {
    atomic_store(&watches, n);
}

static enum err changed(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    (void)e;
    atomic_fetch_add(&generation, 1);
    return OK;
}

static const struct resource *const resources[] = {&rules, &alarms};
static const struct subscription listens[] = {
    {"device_models.*", changed},       {"rules.*", changed},
    {"devices.create", changed},        {"devices.adopt", changed},
    {"devices.recode", changed},        {"devices.update", changed},
    {"devices.retire", changed},        {"devices.archive", changed},
    {"devices.reinstate", changed},     {"devices.restore", changed},
    {"devices.key", changed},           {"alarms.end", changed},
    {"devices.adopt", rules_come_with}, {"devices.update", rules_come_with},
    {"devices.unadopt", changed},       {"devices.unadopt", alarms_unadopted}};

#define OF_MODEL                                                          \
    "CREATE INDEX rules_of_model ON rules (community_id, model, name);\n" \
    "CREATE INDEX rules_came ON rules (community_id, model, came_as);\n"

static const struct upgrade upgrades[] = {{1,
                                           "ALTER TABLE alarms ADD COLUMN calm_ms {I};\n"
                                           "UPDATE alarms SET calm_ms = ended_ms WHERE state = 'ended';\n"
                                           "CREATE INDEX alarms_by_calm_ms ON alarms (calm_ms, archived_ms, id);",
                                           NULL, NULL, NULL},
                                          {2, "ALTER TABLE rules ADD COLUMN came_as {T};", NULL, NULL, NULL},
                                          {3, OF_MODEL, NULL, NULL, NULL}};

const struct module rules_module = {
    .name = "rules",
    .part = "platform",
    .ddl = OF_MODEL,
    ROWS(resources, resources),
    ROWS(listens, listens),
    ROWS(upgrades, upgrades),
    .roles = "admin manager dispatcher guard repairer street committee grid",
};
