/* What the reader of a line's figures may see of a sample: bytes say where somebody is and how he is just as readings
 * do, so who may not see those is not shown these.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/lines_internal.h"

#include "kernel/rows.h"
#include "protocol/lineproto/lineproto.h"

#include <string.h>

#define LOOKED_MAX 64 /* devices of one answer; what names more is hidden like what names strangers */

/* ---- what a kind of line carries ---- */

enum carries {
    CARRIES_THINGS,   /* whatever the models do not say is nobody's */
    CARRIES_ANYTHING, /* a device that nobody knows may be somebody's */
    CARRIES_PEOPLE    /* every device is, unless its model says otherwise; so is what cannot be read */
};

static enum carries carries_of(const char *kind) {
    static const struct {
        const char *kind;
        enum carries carries;
    } rows[] = {{"watch", CARRIES_PEOPLE},
                {"jt808", CARRIES_PEOPLE},
                {"mqtt", CARRIES_ANYTHING},
                {"mqtt-client", CARRIES_ANYTHING},
                {"http", CARRIES_ANYTHING}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(kind, rows[i].kind)) return rows[i].carries;
    return CARRIES_THINGS;
}

#define OF_PEOPLE ((unsigned)HEALTH | (unsigned)CONTACT) /* what an unknown device may tell */

/* ---- devices ---- */

struct looked { /* a device that a sample names */
    struct str name;
    struct device d; /* of one that has no row, its community alone */
    struct device_model model;
    bool has_row, has_model, is_clear;
};
struct seen {
    struct ctx *ctx;
    int64_t line_id, community_id;
    enum carries carries;
    bool is_posts; /* its samples are texts of requests */
    struct looked all[LOOKED_MAX];
    size_t n;
    enum err failed;
};

static enum err find_row(struct seen *s, struct looked *x) {
    struct ctx *ctx = s->ctx;
    int64_t id = 0;
    bool found = false;
    TRY(device_by_code(ctx, s->community_id, x->name, &x->d, &x->has_row));
    if (x->has_row) return OK;
    x->d = (struct device){.row.community_id = s->community_id};
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM devices WHERE line_id = $1 AND address = $2 AND archived_ms = 0 ORDER BY id LIMIT 1",
                   VALS(V_I64(s->line_id), V_TEXT(x->name)), &id, &found));
    if (!found) return OK;
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &devices, id, &x->d);
    ctx->actor = actor;
    x->has_row = !e;
    return e;
}

static unsigned needs_of(const struct seen *s, const struct looked *x) {
    const struct model_metric *all = x->model.metrics.rows;
    unsigned classes = 0;
    for (size_t i = 0; x->has_model && i < x->model.metrics.n; i++) classes |= (unsigned)metric_privacy(&all[i]);
    if (x->has_model) return classes;
    bool is_known = x->has_row && x->d.state != DEVICE_NEW;
    return s->carries == CARRIES_PEOPLE || (s->carries == CARRIES_ANYTHING && !is_known) ? OF_PEOPLE : 0;
}

static enum err look_up(struct seen *s, struct looked *x) {
    if (x->name.len) TRY(find_row(s, x));
    if (x->has_row) TRY(device_model_of(s->ctx, x->d.model, &x->model, &x->has_model));
    x->is_clear = device_is_clear(s->ctx, &x->d, needs_of(s, x));
    return OK;
}

/* NULL: too many, or the store is away. */
static const struct looked *look(struct seen *s, struct str name) {
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->all[i].name, name)) return &s->all[i];
    if (s->n == LOOKED_MAX || s->failed) return NULL;
    struct looked *x = &s->all[s->n];
    *x = (struct looked){.d.row.community_id = s->community_id};
    if (!arena_str(s->ctx->arena, name, &x->name)) s->failed = FAIL_MEMORY(s->ctx);
    if (!s->failed) s->failed = look_up(s, x);
    if (s->failed) return NULL;
    s->n++;
    return x;
}

static bool sees_device(struct seen *s, struct str name) {
    const struct looked *x = look(s, name);
    return x && x->is_clear;
}

/* ---- texts of requests ---- */

/* Of a line that breaks a rule: what stands before its fields, where that is a name alone. */
static struct str bad_name(struct str line) {
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == ' ') return (struct str){line.ptr, i};
        if (line.ptr[i] == ',' || line.ptr[i] == '\\') break;
    }
    return S("");
}

static bool sees_lines(struct seen *s, struct str text, bool is_bad) {
    struct lineproto p = {.rest = text, .tick_ns = 1, .arena = s->ctx->arena};
    struct lineproto_line *line = arena_new(s->ctx->arena, struct lineproto_line, 1);
    bool some = false, sees = line != NULL;
    while (sees && lineproto_next(&p, line)) {
        some = true;
        sees = sees_device(s, line->device);
    }
    if (sees && (p.rule || !some)) sees = sees_device(s, is_bad ? bad_name(str_trim(text)) : S(""));
    return sees;
}

static bool sees_items(struct seen *s, struct str text) {
    struct fault ignored = {0};
    json_t *all = NULL, *item;
    size_t i;
    if (json_read(text, &all, &ignored)) return sees_device(s, S(""));
    bool sees = true;
    if (!json_is_array(all) || !json_array_size(all)) sees = sees_device(s, json_text(json_object_get(all, "device")));
    json_array_foreach(all, i, item) sees = sees && sees_device(s, json_text(json_object_get(item, "device")));
    json_decref(all);
    return sees;
}

/* Of what was cut, whole lines. */
static bool sees_text(struct seen *s, struct bytes *bytes, bool is_cut, bool is_bad) {
    struct str text = {(const char *)bytes->ptr, bytes->len}, start = str_trim(text);
    if (start.len && (start.ptr[0] == '[' || start.ptr[0] == '{')) return sees_items(s, text);
    if (is_cut && !is_bad)
        while (text.len && text.ptr[text.len - 1] != '\n') text.len--;
    bytes->len = text.len;
    return sees_lines(s, text, is_bad);
}

/* ---- samples ---- */

static bool sees_all(struct seen *s, const struct decoded *d) {
    size_t named = d->sender.len > 0;
    bool sees = !named || sees_device(s, d->sender);
    for (size_t i = 0; sees && i < d->readings_n; i++, named++) sees = sees_device(s, d->readings[i].device);
    for (size_t i = 0; sees && i < d->events_n; i++, named++) sees = sees_device(s, d->events[i].device);
    return sees && (named || sees_device(s, S("")));
}

static bool sees(void *arg, const struct sample *x, struct bytes *bytes, const struct decoded *d, bool is_bad) {
    struct seen *s = arg;
    const struct device there = {.row.community_id = s->community_id};
    if (is_bad && s->carries == CARRIES_PEOPLE && !device_is_clear(s->ctx, &there, OF_PEOPLE)) return false;
    if (x->device[0]) return sees_device(s, str_of(x->device));
    if (s->is_posts) return sees_text(s, bytes, x->len > bytes->len, is_bad);
    return d ? sees_all(s, d) : sees_device(s, S(""));
}

/* As telemetry gives it, where the device's model says what its metrics are. */
static bool sees_reading(void *arg, struct str device, struct str metric) {
    const struct looked *x = look(arg, device);
    const struct model_metric *all = x ? x->model.metrics.rows : NULL;
    if (!x || x->is_clear || !x->has_model) return x && x->is_clear;
    for (size_t i = 0; i < x->model.metrics.n; i++)
        if (str_eq(all[i].metric, metric))
            return device_is_clear(((struct seen *)arg)->ctx, &x->d, (unsigned)metric_privacy(&all[i]));
    return true;
}

enum err line_figures_put(struct ctx *ctx, const struct line_entry *e, bool is_served, struct jw *j) {
    struct seen *s = arena_new(ctx->arena, struct seen, 1);
    if (!s) return FAIL_MEMORY(ctx);
    s->ctx = ctx;
    s->line_id = e->spec.id;
    s->community_id = e->spec.community_id;
    s->carries = carries_of(e->spec.kind);
    s->is_posts = !strcmp(e->spec.kind, "http");
    s->n = 0;
    s->failed = OK;
    const struct figures_reader reader = {sees, sees_reading, s};
    figures_put(e->figures, is_served ? NULL : codec_find(str_of(e->spec.kind)), &reader, ctx->arena, j);
    return s->failed;
}
