/* Settings and words per community, and the installation's keys.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/setting.h"

#include "kernel/kernel_internal.h"

#include <string.h>

static const struct setting *find(const struct kernel *k, const char *name) {
    for (size_t m = 0; m < k->options.modules_n; m++)
        for (size_t i = 0; i < k->options.modules[m]->settings_n; i++)
            if (!strcmp(k->options.modules[m]->settings[i].name, name)) return &k->options.modules[m]->settings[i];
    return NULL;
}

enum err setting_text(struct ctx *ctx, int64_t community_id, const char *name, struct str *ret) {
    const struct setting *s = find(ctx->kernel, name);
    struct db_rows rows = {0};
    if (!s) return FAIL(&ctx->fault, ERR_INTERNAL, "setting", "no setting is called %s", name);
    enum err e = db_query(
        ctx->db, &ctx->fault,
        "SELECT value FROM setting_values WHERE name = $1 AND community_id IN ($2, 0) ORDER BY community_id DESC "
        "LIMIT 1",
        VALS(V_TEXT(str_of(name)), V_I64(community_id)), &rows);
    struct str value = str_of(s->fallback);
    if (db_more(&rows, &ctx->fault, &e) && !arena_str(ctx->arena, db_text(&rows, 0), &value)) e = FAIL_MEMORY(ctx);
    db_done(&rows);
    if (!e) *ret = value;
    return e;
}

enum err setting_i64(struct ctx *ctx, int64_t community_id, const char *name, int64_t *ret) {
    struct str text;
    TRY(setting_text(ctx, community_id, name, &text));
    return str_to_i64(text, ret) ? OK : FAIL(&ctx->fault, ERR_CORRUPT, "setting", "setting %s is no number", name);
}

enum err setting_put(struct ctx *ctx, int64_t community_id, const char *name, struct str value) {
    const struct setting *s = find(ctx->kernel, name);
    int64_t number = 0;
    if (!s) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "no setting is called %.60s", name);
    bool is_text = s->kind == FIELD_TEXT;
    if (is_text ? (int64_t)value.len > s->max : !str_to_i64(value, &number) || number < s->min || number > s->max)
        return FAIL_FIELD(&ctx->fault, "value", "out_of_range", s->max);
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO setting_values (community_id, name, value) VALUES ($1, $2, $3) "
                   "ON CONFLICT (community_id, name) DO UPDATE SET value = $3",
                   VALS(V_I64(community_id), V_TEXT(str_of(name)), V_TEXT(value)), NULL);
}

enum err word_text(struct ctx *ctx, int64_t community_id, const char *key, const char *language, struct str *ret) {
    struct db_rows rows = {0};
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT text FROM word_overrides WHERE community_id = $1 AND key = $2 AND language = $3",
                          VALS(V_I64(community_id), V_TEXT(str_of(key)), V_TEXT(str_of(language))), &rows);
    struct str text = kernel_word(ctx->kernel, str_of(key), str_of(language));
    if (db_more(&rows, &ctx->fault, &e) && !arena_str(ctx->arena, db_text(&rows, 0), &text)) e = FAIL_MEMORY(ctx);
    db_done(&rows);
    if (!e) *ret = text;
    return e;
}

enum err installation_key(struct ctx *ctx, const char *name, uint8_t ret[32]) {
    for (int tries = 0; tries < 2; tries++) {
        struct db_rows rows = {0};
        enum err e = db_query(ctx->db, &ctx->fault, "SELECT value FROM installation_keys WHERE name = $1",
                              VALS(V_TEXT(str_of(name))), &rows);
        bool found = db_more(&rows, &ctx->fault, &e) && db_blob(&rows, 0).len == 32;
        if (found) memcpy(ret, db_blob(&rows, 0).ptr, 32);
        db_done(&rows);
        if (e || found) return e;
        uint8_t fresh[32];
        ctx->world->random(ctx->world->self, fresh, sizeof fresh);
        TRY(db_exec(ctx->db, &ctx->fault,
                    "INSERT INTO installation_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                    VALS(V_TEXT(str_of(name)), V_BLOB(((struct bytes){fresh, sizeof fresh}))), NULL));
    }
    return FAIL(&ctx->fault, ERR_CORRUPT, "key", "the installation's key is damaged");
}
