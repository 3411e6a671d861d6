/* Figures of lines over HTTP: one line's for people, all of them for monitoring.  SPDX-License-Identifier: Apache-2.0
 */
#include "kernel/rows.h"
#include "sensing/lines/lines_internal.h"

#include <inttypes.h>
#include <string.h>

#define ANSWER_MAX ((size_t)2 << 20)

/* ---- GET /api/v1/lines/{id}/figures ---- */

static bool find(struct line_set *l, int64_t id, struct line_entry *ret, bool *ret_served) {
    bool found = false;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->entries_n && !found; i++) {
        found = l->entries[i].spec.id == id;
        if (!found) continue;
        *ret = l->entries[i];
        ret->figures = line_figures(l, ret, ret_served);
    }
    pthread_mutex_unlock(&l->lock);
    return found;
}

static enum err put_line(struct ctx *ctx, struct line_set *l, int64_t id, struct jw *j) {
    static const char *const words[] = {[LINE_CLOSED] = "closed", [LINE_OPEN] = "open", [LINE_FAILED] = "failed"};
    struct line_entry e;
    bool is_served = false;
    jw_kid(j, "id", id);
    if (!find(l, id, &e, &is_served)) { /* made this moment, archived, or one too many */
        jw_kcstr(j, "state", words[LINE_CLOSED]);
        return OK;
    }
    const struct codec *codec = codec_find(str_of(e.spec.kind));
    jw_kcstr(j, "kind", e.spec.kind);
    jw_kcstr(j, "state", words[e.state]);
    if (e.address[0]) jw_kcstr(j, "address", e.address);
    if (e.problem[0]) jw_kcstr(j, "problem", e.problem);
    if (codec && !is_served) jw_kcstr(j, "standard", codec->standard);
    if (codec && !is_served) jw_kbool(j, "searchable", codec->asking && codec->asking->find);
    return e.figures ? line_figures_put(ctx, &e, is_served, j) : OK;
}

static enum err get_figures(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct line_row row = {0};
    struct buf b;
    struct str text;
    struct jw j;
    int64_t id = 0;
    if (!str_to_i64(call->args[0], &id)) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such line");
    TRY(row_get(ctx, &line_rows, id, &row)); /* who may read the row may read its figures, not all of each sample */
    buf_init_arena(&b, ctx->arena, ANSWER_MAX);
    jw_init(&j, &b);
    jw_open(&j, '{');
    TRY(put_line(ctx, call->arg, id, &j));
    jw_close(&j, '}');
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

/* ---- readiness and metrics ---- */

static bool is_ready(void *arg, struct buf *ret_why) {
    struct line_set *l = arg;
    bool ok = true;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->entries_n; i++) {
        const struct line_entry *e = &l->entries[i];
        if (!e->spec.id || !e->spec.enabled || e->state != LINE_FAILED) continue;
        buf_fmt(ret_why, "%sline %s: %s", ok ? "" : "; ", e->spec.name, e->problem);
        ok = false;
    }
    pthread_mutex_unlock(&l->lock);
    return ok;
}

static void put_figure(struct buf *ret, const char *name, size_t at, struct figures *f, int64_t line,
                       const char *kind) {
    pthread_mutex_lock(&f->lock);
    int64_t v = *(const int64_t *)(const void *)((const char *)f + at);
    pthread_mutex_unlock(&f->lock);
    if (v < 0) return; /* not counted */
    buf_fmt(ret, "linli_line_%s{line=\"", name);
    if (line)
        buf_fmt(ret, "%" PRId64, line);
    else
        buf_cstr(ret, "none");
    buf_fmt(ret, "\",kind=\"%s\"} %" PRId64 "\n", kind, v);
}

/* A line is named by its id: names are people's, and change.  What came to a server and is of no line of a community is
 * nowhere else to be seen. */
static void put_figures(void *arg, struct buf *ret) {
    static const struct {
        const char *name, *type;
        size_t at;
    } rows[] = {{"frames_total", "counter", offsetof(struct figures, frames)},
                {"bad_total", "counter", offsetof(struct figures, bad)},
                {"skipped_bytes_total", "counter", offsetof(struct figures, skipped_bytes)},
                {"bytes_total", "counter", offsetof(struct figures, bytes)},
                {"unanswered_total", "counter", offsetof(struct figures, unanswered)},
                {"asked_total", "counter", offsetof(struct figures, asked)},
                {"missed_total", "counter", offsetof(struct figures, missed)},
                {"connections", "gauge", offsetof(struct figures, connections)}};
    struct line_set *l = arg;
    pthread_mutex_lock(&l->lock);
    for (size_t r = 0; r < COUNT(rows); r++) {
        buf_fmt(ret, "# TYPE linli_line_%s %s\n", rows[r].name, rows[r].type);
        for (size_t i = 0; i < l->entries_n; i++) {
            const struct line_entry *e = &l->entries[i];
            if (e->spec.id && e->figures)
                put_figure(ret, rows[r].name, rows[r].at, e->figures, e->spec.id, e->spec.kind);
        }
        for (size_t i = 0; i < l->servers_n; i++)
            if (l->servers[i].figures)
                put_figure(ret, rows[r].name, rows[r].at, figures_of(l->servers[i].figures, 0), 0, l->servers[i].kind);
    }
    pthread_mutex_unlock(&l->lock);
}

static const struct api_route route_rows[] = {
    {"GET", "/api/v1/lines/{id}/figures", 0, 0, get_figures,
     "Counters of a line, its last bad frames with the rule they broke, its last good ones decoded; what is private is "
     "left out"},
    {"GET", "/api/v1/devices/{id}/doctor", 0, 0, line_doctor,
     "Why a device is silent, or what is wrong with what it says; which model and place a new one may be"},
    {"POST", "/api/v1/push/{key}", API_PUBLIC | API_DEFERS, 0, line_push,
     "What a platform or camera pushes, in its own format; the key is the line's"},
    {"POST", "/api/v1/push/{key}/{folder}/{message}", API_PUBLIC | API_DEFERS, 0, line_push,
     "The same from those that put the kind of message behind the address"},
    {"GET", "/api/v1/push/{key}", API_PUBLIC, 0, line_push_look, "Is somebody there?  For platforms that look first"},
};

struct api_with lines_with(struct line_set *l) {
    return (struct api_with){.routes = route_rows,
                             .routes_n = COUNT(route_rows),
                             .name = "lines",
                             .is_ready = is_ready,
                             .put_figures = put_figures,
                             .arg = l};
}
