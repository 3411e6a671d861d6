/* Which model and place a device that waits for adoption may be of: by the protocol of its line, by what it measures,
 * by its neighbours.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "sensing/lines/lines_internal.h"

#include <string.h>

#define MODELS_SHOWN 3

static size_t shared(const struct device_model *m, const struct telemetry_series *series, size_t n) {
    const struct model_metric *all = m->metrics.rows;
    size_t found = 0;
    for (size_t i = 0; i < m->metrics.n; i++)
        for (size_t k = 0; k < n; k++) found += str_eq(all[i].metric, series[k].metric);
    return found;
}

/* Registers are the same over TCP and over a serial line. */
static bool fits(struct str protocol, const char *kind) {
    static const char modbus[] = "modbus";
    struct str both = {protocol.ptr, protocol.len < sizeof modbus - 1 ? protocol.len : sizeof modbus - 1};
    return str_is(protocol, kind) || (str_is(both, modbus) && !strncmp(kind, modbus, sizeof modbus - 1));
}

/* What speaks such a protocol speaks no other; what is pushed, or comes over MQTT or HTTP, may bear anybody's names. */
static bool is_closed(const char *kind) {
    const struct codec *c = codec_find(str_of(kind));
    return c && !codec_is_pushed(c) && (c->decode || c->is_polled);
}

/* As BACnet's codec names what it finds within a controller. */
static bool is_lift(const struct device *d) {
    struct str rest = d->address.len ? d->address : d->code, part = {NULL, 0};
    while (str_cut(&rest, '.', &part)) continue;
    return str_starts(part, S("lift_")) || str_starts(part, S("escalator_"));
}

static bool may_be(const struct device_model *m, const struct device *d, const char *kind) {
    if (m->protocol.len && !fits(m->protocol, kind) && is_closed(kind)) return false;
    return strcmp(kind, "bacnet") != 0 || is_lift(d) == str_is(m->category, "lift");
}

struct guess {
    const struct device_model *model;
    size_t metrics; /* that it has in common with the device */
    bool fits;      /* its protocol is the line's */
};
struct guesses {
    struct guess best[MODELS_SHOWN];
    size_t n, bare_n; /* bare: by the protocol alone */
};

/* Of two that have as much in common the one that speaks the line's protocol, then the one that lacks less. */
static bool is_better(const struct guess *a, const struct guess *b) {
    if (a->metrics != b->metrics) return a->metrics > b->metrics;
    if (a->fits != b->fits) return a->fits;
    return a->model->metrics.n < b->model->metrics.n;
}

/* Sorted in, the best first; of equals the one that came first. */
static void add_guess(struct guesses *all, const struct guess *g) {
    size_t at = all->n;
    while (at > 0 && is_better(g, &all->best[at - 1])) at--;
    if (at == MODELS_SHOWN) return;
    size_t end = all->n < MODELS_SHOWN ? all->n++ : MODELS_SHOWN - 1;
    memmove(&all->best[at + 1], &all->best[at], (end - at) * sizeof *all->best);
    all->best[at] = *g;
}

/* How many are shown.  The protocol alone says something where few speak it, and nothing beside what is measured. */
static size_t shown(const struct guesses *all) {
    size_t n = 0;
    while (n < all->n && all->best[n].metrics) n++;
    return n || all->bare_n > MODELS_SHOWN ? n : all->n;
}

static void put_guess(struct jw *j, const struct guess *g) {
    jw_open(j, '{');
    jw_kstr(j, "code", g->model->code);
    jw_kstr(j, "name", g->model->name);
    if (g->model->name_en.len) jw_kstr(j, "name_en", g->model->name_en);
    if (g->model->icon.len) jw_kstr(j, "icon", g->model->icon);
    jw_ki64(j, "metrics", (int64_t)g->metrics);
    jw_kbool(j, "protocol", g->fits);
    jw_close(j, '}');
}

static enum err put_models(struct ctx *ctx, const struct device *d, const char *kind,
                           const struct telemetry_series *series, size_t series_n, struct jw *j) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = LIST_LIMIT_MAX};
    struct list_page page;
    struct guesses found = {.n = 0};
    TRY(row_list(ctx, &device_models, &q, &page));
    struct device_model *all = page.rows;
    for (size_t i = 0; i < page.n; i++) {
        if (!may_be(&all[i], d, kind)) continue;
        if (series_n) TRY(row_get(ctx, &device_models, all[i].row.id, &all[i])); /* with its metrics */
        struct guess g = {&all[i], shared(&all[i], series, series_n), fits(all[i].protocol, kind)};
        if (g.metrics || g.fits) add_guess(&found, &g);
        found.bare_n += !g.metrics && g.fits;
    }
    jw_key(j, "models");
    jw_open(j, '[');
    for (size_t i = 0; i < shown(&found); i++) put_guess(j, &found.best[i]);
    jw_close(j, ']');
    return OK;
}

static size_t same_begin(struct str a, struct str b) {
    size_t n = 0;
    while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n]) n++;
    return n;
}

/* Where its neighbour on the line is, by code: meters of a floor are numbered in a row.  Of its own community: at a
 * place of another one it may not be adopted. */
static enum err put_place(struct ctx *ctx, const struct device *d, int64_t line_id, struct jw *j) {
    struct db_rows rows = {0};
    int64_t place_id = 0;
    size_t best = 0;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT code, place_id FROM devices WHERE line_id = $1 AND community_id = $2 AND place_id IS "
                          "NOT NULL AND archived_ms = 0 AND state <> 'new' ORDER BY id LIMIT 2000",
                          VALS(V_I64(line_id), V_I64(d->row.community_id)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        size_t near = same_begin(db_text(&rows, 0), d->code) + 1;
        if (near <= best) continue;
        best = near;
        place_id = db_i64(&rows, 1);
    }
    db_done(&rows);
    if (e || !place_id) return e;
    struct str label;
    TRY(row_labels(ctx, kernel_resource(ctx->kernel, S("places")), &place_id, 1, &label));
    jw_kid(j, "place_id", place_id);
    jw_kstr(j, "place", label);
    return OK;
}

enum err line_guess(struct ctx *ctx, const struct device *d, const struct line_spec *line,
                    const struct telemetry_series *series, size_t n, struct jw *j) {
    TRY(put_models(ctx, d, line ? line->kind : "", series, n, j));
    return line ? put_place(ctx, d, line->id, j) : OK;
}
