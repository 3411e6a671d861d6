/* The demo's devices and the rules over them.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/things/things.h"
#include "kernel/rows.h"
#include "main/demo/demo.h"
#include "platform/rules/rules.h"
#include "sensing/lines/lines.h"

#include <stdio.h>

static const struct {
    const char *name, *kind, *model, *metric, *event, *severity, *message, *case_type;
    int64_t limit, clear, for_s; /* limits with scale 3 */
} rule_rows[] = {
    {"电梯机房过热", "above", "machine_room", "temperature", NULL, "bad", "电梯机房温度过高", "equipment", 85000, 82000,
     2},
    {"二氧化碳偏高", "above", "climate", "co2", NULL, "warn", "楼道通风不足，二氧化碳偏高", NULL, 1380000, 1200000, 5},
    {"火警", "event", "fire_panel", NULL, "fire_alarm", "bad", "火灾报警主机报火警", "fire", 0, 0, 0},
    {"主机故障", "event", "fire_panel", NULL, "fault", "warn", "火灾报警主机故障", "equipment", 0, 0, 0},
    {"久无上报", "silence", "climate", NULL, NULL, "info", "传感器久无上报", NULL, 0, 0, 3600},
};

static const struct {
    const char *code, *name;
    int64_t raw_days;
    bool for_all;
    struct {
        const char *minutes;
        int64_t days;
    } windows[CLASS_WINDOWS_MAX];
} classes[] = {{"standard", "标准", 1096, true, {{"60", 3653}, {NULL, 0}}},
               {"fast", "高频监测", 92, false, {{"5", 1096}, {"60", 3653}}}};

static enum err put_class(struct ctx *ctx, size_t i) {
    struct reading_class c = {0};
    struct class_window *lines = arena_new(ctx->arena, struct class_window, CLASS_WINDOWS_MAX);
    size_t n = 0;
    if (!lines) return FAIL_MEMORY(ctx);
    for (; n < CLASS_WINDOWS_MAX && classes[i].windows[n].minutes; n++)
        lines[n] = (struct class_window){3, str_of(classes[i].windows[n].minutes), classes[i].windows[n].days};
    SET(&reading_classes, &c, code, str_of(classes[i].code));
    SET(&reading_classes, &c, name, str_of(classes[i].name));
    SET(&reading_classes, &c, raw_days, classes[i].raw_days);
    SET(&reading_classes, &c, windows, (struct lines){lines, n});
    SET(&reading_classes, &c, for_all, classes[i].for_all);
    return row_create(ctx, &reading_classes, &c);
}

static enum err put_rule(struct ctx *ctx, int64_t community_id, size_t i) {
    struct rule r = {.row.community_id = community_id};
    SET(&rules, &r, name, str_of(rule_rows[i].name));
    SET(&rules, &r, kind, str_of(rule_rows[i].kind));
    SET(&rules, &r, model, str_of(rule_rows[i].model));
    SET(&rules, &r, severity, str_of(rule_rows[i].severity));
    SET(&rules, &r, message, str_of(rule_rows[i].message));
    SET(&rules, &r, enabled, true);
    SET(&rules, &r, for_s, rule_rows[i].for_s);
    if (rule_rows[i].metric) SET(&rules, &r, metric, str_of(rule_rows[i].metric));
    if (rule_rows[i].limit) SET(&rules, &r, limit_value, rule_rows[i].limit);
    if (rule_rows[i].clear) SET(&rules, &r, clear_value, rule_rows[i].clear);
    if (rule_rows[i].event) SET(&rules, &r, event_code, str_of(rule_rows[i].event));
    if (rule_rows[i].case_type) SET(&rules, &r, case_type, str_of(rule_rows[i].case_type));
    return row_create(ctx, &rules, &r);
}

static enum err put_device(struct ctx *ctx, struct demo_spot at, const char *model, const char *what,
                           const char *code) {
    struct device d = {0}, adopt = {0};
    struct buf b;
    struct str name, copy;
    buf_init_arena(&b, ctx->arena, 256);
    buf_fmt(&b, STR_FMT " %s", STR_ARG(at.name), what);
    if (!buf_done(&b, &name) || !arena_str(ctx->arena, str_of(code), &copy)) return FAIL_MEMORY(ctx);
    SET(&devices, &d, name, name);
    SET(&devices, &d, code, copy);
    SET(&devices, &d, model, str_of(model));
    SET(&devices, &d, place_id, at.id);
    TRY(row_create(ctx, &devices, &d));
    SET(&devices, &adopt, name, name);
    SET(&devices, &adopt, place_id, at.id);
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &adopt, adopt.row.has, NULL);
}

/* A device of the model in `most` of the places, spread over all of them. */
static enum err put_devices(struct ctx *ctx, struct demo_spots list, const char *model, const char *what,
                            const char *prefix, size_t most) {
    size_t n = list.n < most ? list.n : most;
    for (size_t i = 0; i < n; i++) {
        char code[32];
        snprintf(code, sizeof code, "%s%03zu", prefix, i + 1);
        TRY(put_device(ctx, list.at[i * list.n / n], model, what, code));
    }
    return OK;
}

enum err demo_things(struct ctx *ctx, const struct demo_estate *e) {
    for (size_t i = 0; i < COUNT(classes); i++) TRY(put_class(ctx, i));
    TRY(put_devices(ctx, e->units, "climate", "环境", "H-", 42));
    TRY(put_devices(ctx, e->rooms, "power_meter", "电表", "D-", 150));
    TRY(put_devices(ctx, e->lifts, "machine_room", "温度", "J-", 12));
    TRY(put_device(ctx, (struct demo_spot){e->fire_room, S("消防控制室")}, "fire_panel", "报警主机", "889"));
    for (size_t i = 0; i < COUNT(rule_rows); i++) TRY(put_rule(ctx, e->estate, i));
    TRY(line_row_put(ctx, e->estate, S("消防主机专线"), "gb26875", 26875));
    TRY(line_row_put(ctx, e->estate, S("物联网设备 MQTT"), "mqtt", 0));
    return line_row_put(ctx, e->estate, S("读数上报 HTTP"), "http", 0);
}
