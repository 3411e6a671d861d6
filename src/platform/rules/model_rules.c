/* Rules that come with a model: a community has them with its first device of it.  SPDX-License-Identifier: Apache-2.0
 */
#include "kernel/rows.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

/* Archived ones count: who took them out does not want them back. */
static enum err has_rules(struct ctx *ctx, int64_t community_id, struct str model, bool *ret) {
    int64_t id;
    return db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM rules WHERE community_id = $1 AND model = $2 LIMIT 1",
                      VALS(V_I64(community_id), V_TEXT(model)), &id, ret);
}

static enum err put_rule(struct ctx *ctx, int64_t community_id, struct str model, const struct model_rule *m) {
    struct rule r = {.row.community_id = community_id};
    SET(&rules, &r, name, m->name);
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
    TRY(has_rules(ctx, d.row.community_id, d.model, &found));
    if (found) return OK;
    TRY(device_model_of(ctx, d.model, &m, &found));
    const struct model_rule *all = m.rules.rows;
    for (size_t i = 0; found && i < m.rules.n; i++) TRY(put_rule(ctx, d.row.community_id, d.model, &all[i]));
    return OK;
}
