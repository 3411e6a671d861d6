/* Rules as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/rules.h"

#include "platform/rules/alarms.h"
#include "platform/rules/rules_internal.h"

#include <stdatomic.h>

static _Atomic int64_t generation = 1;

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
};
static const struct grant grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY},
    {"dispatcher guard repairer", READ, COMMUNITY},
};

static enum err validate(struct ctx *ctx, const void *row) {
    const struct rule *r = row;
    bool threshold = str_is(r->kind, "above") || str_is(r->kind, "below");
    bool has_limit = row_has(&rules, r, "limit_value"), has_clear = row_has(&rules, r, "clear_value");
    if (threshold && !has_limit) return FAIL_FIELD(&ctx->fault, "limit_value", "required", 0);
    if (threshold && !row_has(&rules, r, "metric")) return FAIL_FIELD(&ctx->fault, "metric", "required", 0);
    if (str_is(r->kind, "silence") && !(row_has(&rules, r, "for_s") && r->for_s > 0))
        return FAIL_FIELD(&ctx->fault, "for_s", "required", 0);
    if (str_is(r->kind, "event") && !row_has(&rules, r, "event_code"))
        return FAIL_FIELD(&ctx->fault, "event_code", "required", 0);
    if (threshold && has_clear &&
        (str_is(r->kind, "above") ? r->clear_value > r->limit_value : r->clear_value < r->limit_value))
        return FAIL_FIELD(&ctx->fault, "clear_value", "wrong_side", r->limit_value);
    return OK;
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

static enum err changed(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    (void)e;
    atomic_fetch_add(&generation, 1);
    return OK;
}

static const struct resource *const resources[] = {&rules, &alarms};
static const struct subscription listens[] = {
    {"device_models.*", changed}, {"rules.*", changed},         {"devices.create", changed},
    {"devices.adopt", changed},   {"devices.recode", changed},  {"devices.update", changed},
    {"devices.retire", changed},  {"devices.archive", changed}, {"devices.reinstate", changed},
    {"devices.restore", changed}, {"alarms.end", changed}};

const struct module rules_module = {
    .name = "rules",
    .part = "platform",
    ROWS(resources, resources),
    ROWS(listens, listens),
    .roles = "admin manager dispatcher guard repairer street committee grid",
};
