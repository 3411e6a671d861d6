/* Settings per community as rows, and the installation's keys.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/setting.h"

#include "base/utf8.h"
#include "kernel/kernel_internal.h"
#include "kernel/row_json.h"

#include <string.h>

#define DECIMAL_SCALE 3
#define TEXT_MAX      1000 /* of a setting's text, whatever its module says */

/* What a module registered, and what people say instead. */
struct setting_row {
    struct row row;
    struct str name, value, standard, kind, unit;
    int64_t smallest, largest;
};

static const struct setting *find(const struct kernel *k, struct str name) {
    for (size_t m = 0; m < k->options.modules_n; m++)
        for (size_t i = 0; i < k->options.modules[m]->settings_n; i++)
            if (str_is(name, k->options.modules[m]->settings[i].name)) return &k->options.modules[m]->settings[i];
    return NULL;
}

/* The value in the setting's own unit; a text that is none of its kind, or out of bounds, is a field error. */
static enum err parse(struct ctx *ctx, const struct setting *s, struct str text, int64_t *ret) {
    struct field f = {.name = "value", .kind = s->kind, .scale = DECIMAL_SCALE};
    struct db_val v = V_I64((int64_t)utf8_count(text));
    bool is_text = s->kind == FIELD_TEXT;
    const char *code = is_text ? NULL : field_read_text(&f, NULL, text, &v);
    *ret = v.i64;
    if (code) return FAIL_FIELD(&ctx->fault, "value", code, 0);
    if (!is_text && !s->min && !s->max) return OK;
    if (v.i64 > s->max) return FAIL_FIELD(&ctx->fault, "value", is_text ? "too_long" : "too_large", s->max);
    if (v.i64 < s->min) return FAIL_FIELD(&ctx->fault, "value", is_text ? "too_short" : "too_small", s->min);
    return OK;
}

/* ---- rows ---- */

static const struct field fields[] = {
    /* The choices are the registered names, filled in by setting_names(). */
    {CHOICE(struct setting_row, name, ""), .flags = REQUIRED | FIXED | INDEXED | COLUMN},
    {TEXT(struct setting_row, value), .max = TEXT_MAX, .flags = COLUMN},
    {TEXT(struct setting_row, standard), .max = TEXT_MAX, .flags = SYSTEM | COLUMN},
    {TEXT(struct setting_row, unit), .max = 40, .flags = SYSTEM | COLUMN},
    {CHOICE(struct setting_row, kind, "int decimal money flag text"), .flags = SYSTEM},
    {INT(struct setting_row, smallest), .flags = SYSTEM},
    {INT(struct setting_row, largest), .flags = SYSTEM},
};

static enum err validate(struct ctx *ctx, const void *row) {
    const struct setting_row *s = row;
    const struct setting *known = find(ctx->kernel, s->name);
    int64_t number;
    return known && row_has(&setting_rows, row, "value") ? parse(ctx, known, s->value, &number) : OK;
}

static enum err reset(struct ctx *ctx, void *row) {
    (void)ctx;
    row_clear(&setting_rows, row, "value");
    return OK;
}

/* Nobody makes or archives these rows: they are there for every setting. */
static const struct grant grants[] = {{"admin manager", READ | UPDATE, COMMUNITY}};
static const struct step steps[] = {{ANY_STATE, "reset", ANY_STATE, "admin manager", .effect = reset}};

const struct resource setting_rows = {
    .name = "settings",
    .group = "operations",
    .icon = "table",
    .size = sizeof(struct setting_row),
    .label = "name",
    .flags = NO_ARCHIVE | ROOT_ROWS,
    ROWS(fields, fields),
    ROWS(steps, steps),
    ROWS(grants, grants),
    .validate = validate,
};

static const struct resource *const resources[] = {&setting_rows, &word_rows};
static const struct upgrade upgrades[] = {{1, "ALTER TABLE audit ADD COLUMN roles {T}", NULL, NULL, NULL}};
const struct module kernel_module = {.name = "kernel",
                                     .part = "operations",
                                     ROWS(resources, resources),
                                     ROWS(upgrades, upgrades),
                                     .roles = "admin manager"};

const struct resource *setting_names(struct kernel *k) {
    struct resource *r = arena_new(&k->arena, struct resource, 1);
    struct field *own = arena_new(&k->arena, struct field, COUNT(fields));
    struct buf names;
    if (!r || !own) return NULL;
    buf_init_arena(&names, &k->arena, 65536);
    for (size_t m = 0; m < k->options.modules_n; m++)
        for (size_t i = 0; i < k->options.modules[m]->settings_n; i++)
            buf_fmt(&names, "%s%s", names.len ? " " : "", k->options.modules[m]->settings[i].name);
    memcpy(own, fields, sizeof fields);
    own[0].choices = names.len ? names.ptr : "";
    *r = setting_rows;
    r->fields = own;
    return names.overflow ? NULL : r;
}

/* ---- a row for each ---- */

static enum err sync_one(struct ctx *ctx, const struct setting *s) {
    const int64_t *missing;
    size_t missing_n;
    struct sql q = sql_of(ctx);
    sql_put(&q,
            "SELECT c.id FROM (SELECT id FROM communities UNION ALL SELECT 0) AS c WHERE NOT EXISTS (SELECT 1 FROM "
            "settings s WHERE s.community_id = c.id AND s.name = $) ORDER BY c.id",
            PARTS(Q_CSTR(s->name)));
    TRY(sql_ids(&q, &missing, &missing_n));
    for (size_t i = 0; i < missing_n; i++)
        TRY(db_exec(ctx->db, &ctx->fault,
                    "INSERT INTO settings (id, community_id, version, created_ms, created_by, updated_ms, archived_ms, "
                    "name) VALUES ($1, $2, 1, $3, 0, $3, 0, $4)",
                    VALS(V_I64(ctx->world->new_id(ctx->world->self)), V_I64(missing[i]), V_I64(ctx->now_ms),
                         V_TEXT(str_of(s->name))),
                    NULL));
    return db_exec(
        ctx->db, &ctx->fault,
        "UPDATE settings SET standard = $2, unit = $3, kind = $4, smallest = $5, largest = $6 WHERE name = $1",
        VALS(V_TEXT(str_of(s->name)), V_TEXT(str_of(s->fallback)), V_TEXT(str_of(s->unit)),
             V_TEXT(str_of(field_kinds[s->kind].word)), V_I64(s->min), V_I64(s->max)),
        NULL);
}

enum err settings_sync(struct ctx *ctx) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    if (!kernel_resource(ctx->kernel, S("settings"))) return OK;
    for (size_t m = 0; m < o->modules_n; m++)
        for (size_t i = 0; i < o->modules[m]->settings_n; i++) TRY(sync_one(ctx, &o->modules[m]->settings[i]));
    return OK;
}

/* ---- values ---- */

enum err setting_text(struct ctx *ctx, int64_t community_id, const char *name, struct str *ret) {
    const struct setting *s = find(ctx->kernel, str_of(name));
    struct sql q = sql_of(ctx);
    struct db_val value;
    bool found = false;
    if (!s) return FAIL(&ctx->fault, ERR_INTERNAL, "setting", "no setting is called %s", name);
    sql_put(&q,
            "SELECT value FROM settings WHERE name = $ AND community_id IN ($, 0) AND value IS NOT NULL ORDER BY "
            "community_id DESC LIMIT 1",
            PARTS(Q_CSTR(name), Q_I64(community_id)));
    if (kernel_resource(ctx->kernel, S("settings"))) TRY(sql_one(&q, &value, &found));
    *ret = found ? value.text : str_of(s->fallback);
    return OK;
}

enum err setting_i64(struct ctx *ctx, int64_t community_id, const char *name, int64_t *ret) {
    struct str text;
    TRY(setting_text(ctx, community_id, name, &text));
    return parse(ctx, find(ctx->kernel, str_of(name)), text, ret);
}

enum err setting_put(struct ctx *ctx, int64_t community_id, const char *name, struct str value) {
    const struct resource *r = kernel_resource(ctx->kernel, S("settings"));
    struct actor actor = ctx->actor;
    struct setting_row patch = {0};
    int64_t id;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM settings WHERE name = $1 AND community_id = $2",
                   VALS(V_TEXT(str_of(name)), V_I64(community_id)), &id, &found));
    if (!found) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "no setting is called %.60s", name);
    SET(r, &patch, value, value);
    ctx->actor = actor_system();
    enum err e = row_update(ctx, r, id, 0, &patch, UINT64_C(1) << field_index(r, "value"), NULL);
    ctx->actor = actor;
    return e;
}

enum err installation_key(struct ctx *ctx, const char *name, uint8_t ret[32]) {
    for (int tries = 0; tries < 2; tries++) {
        struct sql q = sql_of(ctx);
        struct db_val key;
        bool found;
        uint8_t fresh[32];
        sql_put(&q, "SELECT value FROM installation_keys WHERE name = $", PARTS(Q_CSTR(name)));
        TRY(sql_one(&q, &key, &found));
        if (found && key.blob.len == sizeof fresh) {
            memcpy(ret, key.blob.ptr, sizeof fresh);
            return OK;
        }
        ctx->world->random(ctx->world->self, fresh, sizeof fresh);
        TRY(db_exec(ctx->db, &ctx->fault,
                    "INSERT INTO installation_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                    VALS(V_TEXT(str_of(name)), V_BLOB(((struct bytes){fresh, sizeof fresh}))), NULL));
    }
    return FAIL(&ctx->fault, ERR_CORRUPT, "key", "the installation's key is damaged");
}
