/* Rules that come with a model: a community has each of them with its first device of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

#include <pthread.h>

/* The one that came, whatever became of it since, or one of its own that is called so.  By an index: it is asked of
 * every device, and a community may have thousands of rules for a model. */
static enum err has_named(struct ctx *ctx, int64_t community_id, struct str model, const struct model_rule *m,
                          bool *ret) {
    int64_t id;
    return db_one_i64(ctx->db, &ctx->fault,
                      "SELECT id FROM rules WHERE (community_id = $1 AND model = $2 AND name = $3) OR "
                      "(community_id = $1 AND model = $2 AND came_as = $3) LIMIT 1",
                      VALS(V_I64(community_id), V_TEXT(model), V_TEXT(m->name)), &id, ret);
}

/* Or about the same.  Archived ones count: who took them out does not want them back. */
static enum err has_rule(struct ctx *ctx, int64_t community_id, struct str model, const struct model_rule *m,
                         bool *ret) {
    int64_t id;
    struct str none = S("");
    TRY(has_named(ctx, community_id, model, m, ret));
    if (*ret) return OK;
    return db_one_i64(ctx->db, &ctx->fault,
                      "SELECT id FROM rules WHERE community_id = $1 AND model = $2 AND kind = $3 AND severity = $4 AND "
                      "COALESCE(metric, '') = $5 AND COALESCE(event_code, '') = $6 LIMIT 1",
                      VALS(V_I64(community_id), V_TEXT(model), V_TEXT(m->kind), V_TEXT(m->severity),
                           V_TEXT(m->metric.len ? m->metric : none), V_TEXT(m->event_code.len ? m->event_code : none)),
                      &id, ret);
}

static enum err put_rule(struct ctx *ctx, int64_t community_id, struct str model, const struct model_rule *m) {
    struct rule r = {.row.community_id = community_id};
    SET(&rules, &r, name, m->name);
    SET(&rules, &r, came_as, m->name);
    SET(&rules, &r, kind, m->kind);
    SET(&rules, &r, model, model);
    SET(&rules, &r, severity, m->severity);
    SET(&rules, &r, message, m->message);
    SET(&rules, &r, enabled, true);
    if (m->metric.len) SET(&rules, &r, metric, m->metric);
    if (m->event_code.len) SET(&rules, &r, event_code, m->event_code);
    if (m->case_type.len) SET(&rules, &r, case_type, m->case_type);
    if (m->has & MODEL_RULE_LIMIT) SET(&rules, &r, limit_value, m->limit_value);
    if (m->has & MODEL_RULE_CLEAR) SET(&rules, &r, clear_value, m->clear_value);
    if (m->has & MODEL_RULE_FOR) SET(&rules, &r, for_s, m->for_s);
    return row_create(ctx, &rules, &r);
}

/* ---- those that cannot be made: kept in words until the feed tells the log ---- */

#define NOT_MADE_BYTES 1000 /* the first ones are enough to look for the rest */

static struct {
    pthread_mutex_t lock;
    char text[NOT_MADE_BYTES];
    size_t len;
} not_made = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note_not_made(struct str model, struct str name, const struct fault *f) {
    struct buf b;
    pthread_mutex_lock(&not_made.lock);
    buf_init(&b, not_made.text + not_made.len, sizeof not_made.text - not_made.len);
    buf_fmt(&b, "%s" STR_FMT ", " STR_FMT ": %s %s", not_made.len ? "; " : "", STR_ARG(model), STR_ARG(name),
            f->fields[0].field, f->fields[0].code);
    if (!b.overflow) not_made.len += b.len;
    pthread_mutex_unlock(&not_made.lock);
}

bool rules_not_made(struct buf *ret) {
    pthread_mutex_lock(&not_made.lock);
    bool some = not_made.len > 0;
    buf_add(ret, not_made.text, not_made.len);
    not_made.len = 0;
    pthread_mutex_unlock(&not_made.lock);
    return some;
}

/* One that is refused (a model of before its rules were checked, no room) holds up no other. */
static enum err put_rules(struct ctx *ctx, int64_t community_id, const struct device_model *m) {
    const struct model_rule *all = m->rules.rows;
    bool has[MODEL_RULES_MAX];
    for (size_t i = 0; i < m->rules.n; i++) TRY(has_rule(ctx, community_id, m->code, &all[i], &has[i]));
    for (size_t i = 0; i < m->rules.n; i++) {
        enum err e = has[i] ? OK : put_rule(ctx, community_id, m->code, &all[i]);
        if (e != ERR_INVALID) TRY(e);
        if (e) note_not_made(m->code, all[i].name, &ctx->fault);
        if (e) ctx->fault = (struct fault){0};
    }
    return OK;
}

enum err rules_come_with(struct ctx *ctx, const struct event *e) {
    struct device d = {0};
    struct device_model m = {0};
    bool found;
    enum err err = row_get(ctx, &devices, e->row_id, &d);
    if (err == ERR_NOT_FOUND) { /* erased since */
        ctx->fault = (struct fault){0};
        return OK;
    }
    if (err || d.state == DEVICE_NEW || d.state == DEVICE_RETIRED || !d.model.len) return err;
    TRY(device_model_of(ctx, d.model, &m, &found));
    return found ? put_rules(ctx, d.row.community_id, &m) : OK;
}
