/* Is a model whole?  What its protocol cannot ask, a rule that could never be made, what stands twice: refused when it
 * is written, where somebody hears it.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/things/things.h"
#include "protocol/codec.h"

#include <stdio.h>
#include <string.h>

/* ---- what its protocol can ask for ---- */

#define FRAME_ARENA ((size_t)1 << 16)

static bool has_word(const char *words, struct str wanted) {
    struct str rest = str_of(words), word;
    while (str_word(&rest, &word))
        if (str_eq(word, wanted)) return true;
    return false;
}

static bool can_ask(const struct codec *c, struct str item) {
    struct str rest = str_of(c->asking->addresses), address;
    bool ok = false;
    while (!ok && str_word(&rest, &address)) {
        struct arena arena;
        struct buf ignored;
        arena_init(&arena, FRAME_ARENA);
        buf_init_arena(&ignored, &arena, c->frame_max + 1);
        ok = c->asking->ask(&(struct question){.address = address, .item = item}, &ignored);
        arena_finish(&arena);
    }
    return ok;
}

static void bad_line(struct ctx *ctx, const char *list, size_t n, const char *name, const char *code, int64_t limit) {
    char field[48];
    snprintf(field, sizeof field, "%s.%zu.%s", list, n, name);
    (void)FAIL_FIELD(&ctx->fault, field, code, limit);
}

static void bad_item(struct ctx *ctx, const struct codec *c, const char *list, size_t n, struct str item) {
    (void)!FAIL(&ctx->fault, ERR_INVALID, "bad_field", "%s.%zu.item: %s has no item \"" STR_FMT "\"", list, n, c->name,
                STR_ARG(item));
    bad_line(ctx, list, n, "item", "bad_item", 0);
}

/* Else its devices would be asked for nothing, and nobody would know why. */
static void check_items(struct ctx *ctx, const struct device_model *m) {
    const struct codec *c = codec_find(m->protocol);
    const struct model_metric *metrics = m->metrics.rows;
    const struct model_command *told = m->commands.rows;
    if (!c || !codec_is_asked(c) || !c->asking->addresses) return;
    for (size_t i = 0; i < m->metrics.n; i++)
        if (metrics[i].item.len && !can_ask(c, metrics[i].item)) bad_item(ctx, c, "metrics", i, metrics[i].item);
    for (size_t i = 0; i < m->commands.n; i++)
        if (!has_word(c->asking->only_told, told[i].item) && !can_ask(c, told[i].item))
            bad_item(ctx, c, "commands", i, told[i].item);
}

/* ---- names: each once, and known to the rules ---- */

/* A list of lines by the text that names each of them. */
struct named {
    const char *list, *field;
    const void *rows;
    size_t n, size, at;
};
#define NAMED(m, what, T, key) \
    { #what, #key, (m)->what.rows, (m)->what.n, sizeof(T), offsetof(T, key) }

static struct str name_at(const struct named *a, size_t i) {
    return *(const struct str *)(const void *)((const char *)a->rows + i * a->size + a->at);
}

static size_t find_name(const struct named *a, struct str name, size_t before) {
    size_t i = 0;
    while (i < before && !str_eq(name_at(a, i), name)) i++;
    return i;
}

static void check_once(struct ctx *ctx, const struct named *a) {
    for (size_t i = 0; i < a->n; i++)
        if (find_name(a, name_at(a, i), i) < i) bad_line(ctx, a->list, i, a->field, "twice", 0);
}

/* ---- metrics ---- */

enum { HAS_LOW = 1 << 4, HAS_HIGH = 1 << 5 }; /* bits of `has` */

static void check_ranges(struct ctx *ctx, const struct device_model *m) {
    const struct model_metric *all = m->metrics.rows;
    for (size_t i = 0; i < m->metrics.n; i++)
        if (all[i].has & HAS_LOW && all[i].has & HAS_HIGH && all[i].low > all[i].high)
            bad_line(ctx, "metrics", i, "high", "too_small", all[i].low);
}

/* ---- rules ---- */

const char *model_rule_check(const struct model_rule *r, const char **ret_code, int64_t *ret_limit) {
    bool above = str_is(r->kind, "above"), threshold = above || str_is(r->kind, "below");
    *ret_code = "required";
    *ret_limit = 0;
    if (threshold && !(r->has & MODEL_RULE_LIMIT)) return "limit_value";
    if (threshold && !r->metric.len) return "metric";
    if (str_is(r->kind, "silence") && !(r->has & MODEL_RULE_FOR && r->for_s > 0)) return "for_s";
    if (str_is(r->kind, "event") && !r->event_code.len) return "event_code";
    if (!threshold || !(r->has & MODEL_RULE_CLEAR)) return NULL;
    if (above ? r->clear_value <= r->limit_value : r->clear_value >= r->limit_value) return NULL;
    *ret_code = "wrong_side";
    *ret_limit = r->limit_value;
    return "clear_value";
}

/* Else a community would do without it, and nobody would know why. */
static void check_rules(struct ctx *ctx, const struct device_model *m) {
    const struct named metrics = NAMED(m, metrics, struct model_metric, metric);
    const struct named events = NAMED(m, events, struct model_event, event);
    const struct model_rule *all = m->rules.rows;
    for (size_t i = 0; i < m->rules.n; i++) {
        const char *code;
        int64_t limit;
        const char *field = model_rule_check(&all[i], &code, &limit);
        if (field) bad_line(ctx, "rules", i, field, code, limit);
        if (all[i].metric.len && find_name(&metrics, all[i].metric, metrics.n) == metrics.n)
            bad_line(ctx, "rules", i, "metric", "bad_ref", 0);
        if (all[i].event_code.len && find_name(&events, all[i].event_code, events.n) == events.n)
            bad_line(ctx, "rules", i, "event_code", "bad_ref", 0);
    }
}

/* ---- all of it: each fault is told, not the first alone ---- */

static void check_upkeep(struct ctx *ctx, const struct device_model *m) {
    bool what = m->upkeep.len, often = row_has(&device_models, m, "upkeep_days");
    if (what != often) (void)FAIL_FIELD(&ctx->fault, what ? "upkeep_days" : "upkeep", "required", 0);
}

enum err device_model_check(struct ctx *ctx, const void *row) {
    const struct device_model *m = row;
    const struct named lists[] = {NAMED(m, metrics, struct model_metric, metric),
                                  NAMED(m, events, struct model_event, event),
                                  NAMED(m, commands, struct model_command, command)};
    check_items(ctx, m);
    for (size_t i = 0; i < COUNT(lists); i++) check_once(ctx, &lists[i]);
    check_ranges(ctx, m);
    check_rules(ctx, m);
    check_upkeep(ctx, m);
    return ctx->fault.kind;
}
