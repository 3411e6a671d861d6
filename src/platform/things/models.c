/* Models of devices as rows: what they measure, say and can be told.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "platform/things/things.h"

#include <string.h>

static const struct field metric_fields[] = {
    {TEXT(struct model_metric, metric), .min = 1, .max = 40, .flags = REQUIRED},
    {TEXT(struct model_metric, name_zh), .max = 40},
    {TEXT(struct model_metric, name_en), .max = 40},
    {TEXT(struct model_metric, unit), .max = 16},
    {DECIMAL(struct model_metric, low, 3)},
    {DECIMAL(struct model_metric, high, 3)},
    {CHOICE(struct model_metric, kind, "gauge counter")},
    {REF(struct model_metric, class_id, "reading_classes")},
    {CHOICE(struct model_metric, privacy, "identity contact health monetary")},
    {TEXT(struct model_metric, item), .max = 60},
    {INT(struct model_metric, every_s), .min = 1, .max = 86400, .unit = "s"},
};
static const struct field event_fields[] = {
    {TEXT(struct model_event, event), .min = 1, .max = 40, .flags = REQUIRED},
    {TEXT(struct model_event, name_zh), .max = 40},
    {TEXT(struct model_event, name_en), .max = 60},
};
static const struct field command_fields[] = {
    {TEXT(struct model_command, command), .min = 1, .max = 40, .flags = REQUIRED},
    {TEXT(struct model_command, name_zh), .max = 40},
    {TEXT(struct model_command, name_en), .max = 60},
    {TEXT(struct model_command, item), .min = 1, .max = 60, .flags = REQUIRED},
    {TEXT(struct model_command, value), .max = 80},
    {FLAG(struct model_command, dangerous)},
    {FLAG(struct model_command, alone)},
};
static const struct field rule_fields[] = {
    {TEXT(struct model_rule, name), .min = 1, .max = 60, .flags = REQUIRED},
    {CHOICE(struct model_rule, kind, "above below silence event"), .flags = REQUIRED},
    {TEXT(struct model_rule, metric), .max = 40},
    {TEXT(struct model_rule, event_code), .max = 40},
    {DECIMAL(struct model_rule, limit_value, 3)},
    {DECIMAL(struct model_rule, clear_value, 3)},
    {INT(struct model_rule, for_s), .min = 0, .max = 86400 * 31, .unit = "s"},
    {CHOICE(struct model_rule, severity, "bad warn info"), .flags = REQUIRED},
    {TEXT(struct model_rule, message), .max = 120, .flags = REQUIRED},
    {TEXT(struct model_rule, case_type), .max = 40},
};
static const struct line_type metric_type = {sizeof(struct model_metric), metric_fields, COUNT(metric_fields)};
static const struct line_type event_type = {sizeof(struct model_event), event_fields, COUNT(event_fields)};
static const struct line_type command_type = {sizeof(struct model_command), command_fields, COUNT(command_fields)};
static const struct line_type rule_type = {sizeof(struct model_rule), rule_fields, COUNT(rule_fields)};
static const struct field model_fields[] = {
    {TEXT(struct device_model, code), .min = 1, .max = 40, .flags = REQUIRED | FIXED | UNIQUE | SEARCH | COLUMN},
    {TEXT(struct device_model, name), .max = 60, .flags = REQUIRED | SEARCH | COLUMN},
    {TEXT(struct device_model, name_en), .max = 80, .flags = SEARCH},
    {CHOICE(
         struct device_model, category,
         "energy water heat climate air fire gas lift access parking video power light pump care home green network"),
     .flags = COLUMN},
    {CHOICE(struct device_model, protocol, LINE_KINDS), .flags = COLUMN},
    {CHOICE(struct device_model, icon, DEVICE_ICONS)},
    {TEXT(struct device_model, upkeep), .max = 120},
    {INT(struct device_model, upkeep_days), .min = 1, .max = 3660, .unit = "d"},
    {LINES(struct device_model, metrics, &metric_type), .max = 64},
    {LINES(struct device_model, events, &event_type), .max = 64},
    {LINES(struct device_model, commands, &command_type), .max = 32},
    {LINES(struct device_model, rules, &rule_type), .max = MODEL_RULES_MAX},
};
static const struct grant model_grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager dispatcher guard repairer street committee grid carer doctor", READ, COMMUNITY},
};

const struct resource device_models = {
    .name = "device_models",
    .group = "operations",
    .icon = "model",
    .size = sizeof(struct device_model),
    .label = "name",
    .flags = INSTALLATION,
    ROWS(fields, model_fields),
    ROWS(grants, model_grants),
    .validate = device_model_check,
};

enum field_class metric_privacy(const struct model_metric *m) {
    for (unsigned class = IDENTITY; class < SECRET; class <<= 1)
        if (str_is(m->privacy, field_class_word(class))) return class;
    return ORDINARY;
}

bool device_is_clear(struct ctx *ctx, const struct device *d, unsigned classes) {
    return !classes || ctx->actor.is_system || !(classes & ~row_clear_classes(ctx, &devices, d));
}

enum err device_model_of(struct ctx *ctx, struct str code, struct device_model *ret, bool *ret_found) {
    int64_t id = 0;
    *ret_found = false;
    if (!code.len) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM device_models WHERE code = $1 ORDER BY archived_ms, id LIMIT 1", VALS(V_TEXT(code)),
                   &id, ret_found));
    if (!*ret_found) return OK;
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &device_models, id, ret);
    ctx->actor = actor;
    return e;
}

enum err device_metric(struct ctx *ctx, const struct device *d, struct str metric, struct model_metric *ret,
                       bool *ret_found) {
    struct device_model m = {0};
    *ret_found = false;
    bool found;
    TRY(device_model_of(ctx, d->model, &m, &found));
    const struct model_metric *all = m.metrics.rows;
    for (size_t i = 0; i < m.metrics.n && !*ret_found; i++) {
        *ret_found = str_eq(all[i].metric, metric);
        if (*ret_found) *ret = all[i];
    }
    return OK;
}

enum err device_command(struct ctx *ctx, const struct device *d, struct str command, struct model_command *ret,
                        bool *ret_found) {
    struct device_model m = {0};
    *ret_found = false;
    bool found;
    TRY(device_model_of(ctx, d->model, &m, &found));
    const struct model_command *all = m.commands.rows;
    for (size_t i = 0; i < m.commands.n && !*ret_found; i++) {
        *ret_found = str_eq(all[i].command, command);
        if (*ret_found) *ret = all[i];
    }
    return OK;
}
