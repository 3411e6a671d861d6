/* What the devices of a line are asked: the items of their models, several in one question where the protocol can.
 * And who of those that speak by themselves is waited for, and with which password.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "kernel/rows.h"
#include "sensing/lines/lines_internal.h"

#include <stdlib.h>
#include <string.h>

#define DEVICES_MAX 2000
#define PLAN_BYTES  ((size_t)32 << 20)
#define ITEMS_BYTES 2000 /* of the items of one question */
#define BEATS       3    /* of its devices; a line that misses so many has lost one */

struct maker {
    struct ctx *ctx;
    const struct line_spec *spec;
    const struct codec *codec;
    struct line_plan *plan;
    struct device_model *models; /* those that were read, in the arena of the work */
    size_t models_n, models_cap, points_cap, values_cap;
    bool *is_sealed; /* by device: it has a password */
};

static enum err model_of(struct maker *m, struct str code, const struct device_model **ret) {
    struct device_model model = {0};
    bool found;
    *ret = NULL;
    for (size_t i = 0; i < m->models_n; i++)
        if (str_eq(m->models[i].code, code)) *ret = &m->models[i];
    if (*ret) return OK;
    TRY(device_model_of(m->ctx, code, &model, &found));
    if (!found) return OK;
    m->models = arena_grow(m->ctx->arena, m->models, m->models_n, &m->models_cap, sizeof *m->models);
    if (!m->models) return FAIL_MEMORY(m->ctx);
    m->models[m->models_n] = model;
    *ret = &m->models[m->models_n++];
    return OK;
}

static bool can_ask(const struct maker *m, struct str address, struct str items) {
    struct buf ignored;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    buf_init_arena(&ignored, &arena, m->codec->frame_max + 1);
    bool ok = m->codec->asking->ask(&(struct question){.address = address, .item = items}, &ignored);
    arena_finish(&arena);
    return ok;
}

static enum err add_point(struct maker *m, uint32_t device, struct str items, int64_t every_s) {
    struct line_plan *p = m->plan;
    p->points = arena_grow(&p->arena, p->points, p->points_n, &m->points_cap, sizeof *p->points);
    if (!p->points || !arena_str(&p->arena, items, &items)) return FAIL_MEMORY(m->ctx);
    p->points[p->points_n++] = (struct line_point){device, items, every_s * 1000};
    return OK;
}

static enum err add_value(struct maker *m, uint32_t device, const struct model_metric *x) {
    struct line_plan *p = m->plan;
    p->values = arena_grow(&p->arena, p->values, p->values_n, &m->values_cap, sizeof *p->values);
    if (!p->values) return FAIL_MEMORY(m->ctx);
    struct line_value *v = &p->values[p->values_n];
    *v = (struct line_value){.device = device};
    if (!arena_str(&p->arena, x->item, &v->item) || !arena_str(&p->arena, x->metric, &v->metric) ||
        (x->unit.len && !arena_str(&p->arena, x->unit, &v->unit)))
        return FAIL_MEMORY(m->ctx);
    p->values_n++;
    return OK;
}

static bool was_before(const struct model_metric *all, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (str_eq(all[k].item, all[i].item) && all[k].every_s == all[i].every_s) return true;
    return false;
}

/* Neighbours go into one question as long as the protocol can ask for all of them at once. */
static enum err plan_device(struct maker *m, uint32_t n, const struct device_model *model) {
    const struct model_metric *all = model->metrics.rows;
    struct str address = m->plan->devices[n].address;
    char mem[ITEMS_BYTES + 1];
    struct str group = {mem, 0};
    int64_t every_s = 0;
    for (size_t i = 0; i < model->metrics.n; i++) {
        if (!all[i].item.len) continue;
        TRY(add_value(m, n, &all[i]));
        if (was_before(all, i)) continue;
        int64_t own_s = all[i].every_s ? all[i].every_s : m->spec->every_s;
        struct buf joined;
        char both[ITEMS_BYTES + 1];
        buf_init(&joined, both, sizeof both);
        if (group.len) buf_fmt(&joined, STR_FMT " ", STR_ARG(group));
        buf_str(&joined, all[i].item);
        struct str next = {both, joined.len};
        bool fits = group.len && every_s == own_s && !joined.overflow && can_ask(m, address, next);
        if (!fits) {
            if (group.len) TRY(add_point(m, n, group, every_s));
            next = all[i].item;
        }
        if (next.len > ITEMS_BYTES) continue;
        memcpy(mem, next.ptr, next.len);
        group.len = next.len;
        every_s = own_s;
    }
    return group.len ? add_point(m, n, group, every_s) : OK;
}

/* Devices first, then, row by row no more, their models. */
static enum err read_devices(struct maker *m, struct str **ret_models) {
    struct ctx *ctx = m->ctx;
    struct line_plan *p = m->plan;
    struct db_rows rows = {0};
    size_t cap = 0, models_cap = 0;
    struct str *models = NULL;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT id, code, address, model, state FROM devices WHERE line_id = $1 AND "
                          "archived_ms = 0 AND state NOT IN ('new', 'retired') ORDER BY id LIMIT $2",
                          VALS(V_I64(m->spec->id), V_I64(DEVICES_MAX)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        p->devices = arena_grow(&p->arena, p->devices, p->devices_n, &cap, sizeof *p->devices);
        models = arena_grow(ctx->arena, models, p->devices_n, &models_cap, sizeof *models);
        if (!p->devices || !models) {
            e = FAIL_MEMORY(ctx);
            break;
        }
        struct line_device *d = &p->devices[p->devices_n];
        struct str address = db_text(&rows, 2);
        *d = (struct line_device){.id = db_i64(&rows, 0), .is_silent = str_is(db_text(&rows, 4), "offline")};
        if (!arena_str(&p->arena, db_text(&rows, 1), &d->code) ||
            !arena_str(&p->arena, address.len ? address : d->code, &d->address) ||
            !arena_str(ctx->arena, db_text(&rows, 3), &models[p->devices_n]))
            e = FAIL_MEMORY(ctx);
        p->devices_n++;
    }
    db_done(&rows);
    *ret_models = models;
    return e;
}

/* ---- devices that speak by themselves ---- */

static int by_id(const void *a, const void *b) {
    int64_t x = ((const struct line_device *)a)->id, y = ((const struct line_device *)b)->id;
    return (x > y) - (x < y);
}

/* Those of the line, who are waited for; where passwords are shown, those of no line, too, since they may speak here.
 * A password is wanted before anybody is waited for. */
static enum err list_speakers(struct maker *m) {
    struct ctx *ctx = m->ctx;
    struct line_plan *p = m->plan;
    struct db_rows rows = {0};
    enum err e =
        db_query(ctx->db, &ctx->fault,
                 "SELECT id, code, state, last_ms, line_id, CAST(CASE WHEN password IS NULL THEN 1 ELSE 0 END AS "
                 "BIGINT) FROM devices WHERE community_id = $1 "
                 "AND archived_ms = 0 AND state <> 'retired' AND ((line_id = $2 AND state <> 'new') OR (password IS "
                 "NOT NULL AND (line_id = $2 OR line_id IS NULL))) ORDER BY CASE WHEN password IS NULL THEN 1 ELSE 0 "
                 "END, id LIMIT $3",
                 VALS(V_I64(m->spec->community_id), V_I64(m->spec->id), V_I64(DEVICES_MAX)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        struct line_device *d = &p->devices[p->devices_n++];
        bool is_ours = db_i64(&rows, 4) == m->spec->id && !str_is(db_text(&rows, 2), "new");
        *d = (struct line_device){.id = db_i64(&rows, 0),
                                  .was_heard = is_ours && db_i64(&rows, 3),
                                  .is_silent = is_ours && str_is(db_text(&rows, 2), "offline")};
        m->is_sealed[p->devices_n - 1] = !db_i64(&rows, 5);
        if (!arena_str(&p->arena, db_text(&rows, 1), &d->code)) e = FAIL_MEMORY(ctx);
        d->address = d->code;
    }
    db_done(&rows);
    return e;
}

/* They are sealed in their rows. */
static enum err read_passwords(struct maker *m) {
    struct line_plan *p = m->plan;
    for (size_t i = 0; m->codec->prove && i < p->devices_n; i++) {
        struct device d = {0};
        if (!m->is_sealed[i]) continue;
        TRY(row_get(m->ctx, &devices, p->devices[i].id, &d));
        if (d.password.len && !arena_str(&p->arena, d.password, &p->devices[i].password)) return FAIL_MEMORY(m->ctx);
    }
    return OK;
}

static enum err plan_speakers(struct maker *m) {
    struct line_plan *p = m->plan;
    int64_t every_s = m->spec->own_every_s;
    p->silent_ms = every_s && m->codec->silent_after_ms ? BEATS * every_s * 1000 : m->codec->silent_after_ms;
    p->devices = arena_new(&p->arena, struct line_device, DEVICES_MAX);
    m->is_sealed = arena_new(m->ctx->arena, bool, DEVICES_MAX);
    if (!p->devices || !m->is_sealed) return FAIL_MEMORY(m->ctx);
    TRY(list_speakers(m));
    TRY(read_passwords(m));
    qsort(p->devices, p->devices_n, sizeof *p->devices, by_id);
    return OK;
}

static enum err fill(struct maker *m) {
    struct str *models;
    if (!codec_is_asked(m->codec)) return plan_speakers(m);
    TRY(read_devices(m, &models));
    for (size_t i = 0; i < m->plan->devices_n; i++) {
        const struct device_model *model;
        TRY(model_of(m, models[i], &model));
        if (model) TRY(plan_device(m, (uint32_t)i, model));
    }
    return OK;
}

enum err line_plan_read(struct ctx *ctx, const struct line_spec *s, struct line_plan **ret) {
    const struct codec *codec = codec_find(str_of(s->kind));
    if (!codec || (!codec_is_asked(codec) && !codec->prove && !codec->silent_after_ms)) return OK;
    struct maker m = {.ctx = ctx, .spec = s, .codec = codec, .plan = calloc(1, sizeof *m.plan)};
    if (!m.plan) return FAIL_MEMORY(ctx);
    arena_init(&m.plan->arena, PLAN_BYTES);
    enum err e = fill(&m);
    if (e)
        line_plan_free(m.plan);
    else
        *ret = m.plan;
    return e;
}
