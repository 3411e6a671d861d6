/* From rows to labels of series.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/labels.h"

#include "kernel/rows.h"
#include "platform/things/things.h"

#include <string.h>

#define TICK_MS    1000
#define AT_ONCE    500 /* series of a run */
#define UNIT_BYTES ((size_t)16 << 20)
#define MODELS_MAX 5000

/* ---- classes ---- */

/* With their lines, which lists leave out. */
static enum err read_all(struct ctx *ctx, const struct resource *r, size_t most, void **ret, size_t *ret_n) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = LIST_LIMIT_MAX};
    char *all = arena_alloc(ctx->arena, most, r->size, _Alignof(max_align_t));
    *ret_n = 0;
    *ret = all;
    if (!all) return FAIL_MEMORY(ctx);
    for (struct list_page page = {.next = S("")}; page.next.ptr;) {
        q.cursor = page.next.len ? page.next : (struct str){NULL, 0};
        TRY(row_list(ctx, r, &q, &page));
        if (*ret_n + page.n > most) return FAIL(&ctx->fault, ERR_LIMIT, "too_many", "more than %zu %s", most, r->name);
        if (page.n) memcpy(all + *ret_n * r->size, page.rows, page.n * r->size);
        *ret_n += page.n;
    }
    for (size_t i = 0; i < *ret_n; i++) {
        void *row = all + i * r->size;
        TRY(row_get(ctx, r, ((struct row *)row)->id, row));
    }
    return OK;
}

static struct telemetry_keep keep_of(const struct reading_class *c) {
    struct telemetry_keep keep = {.id = c->row.id, .raw_days = (int32_t)c->raw_days};
    const struct class_window *w = c->windows.rows;
    for (size_t i = 0; i < c->windows.n && i < TELEMETRY_TIERS_MAX; i++) {
        int64_t minutes;
        if (!str_to_i64(w[i].minutes, &minutes)) continue;
        keep.tiers[i] = (struct telemetry_tier){(int32_t)minutes, (int32_t)w[i].days};
    }
    return keep;
}

static enum err tell_classes(struct labels *l, struct ctx *ctx) {
    struct reading_class *classes;
    struct telemetry_keep keeps[TELEMETRY_KEEPS_MAX] = {TELEMETRY_KEEP_FIRST};
    void *rows;
    size_t n, keeps_n = 1;
    bool has_first = false;
    TRY(read_all(ctx, &reading_classes, TELEMETRY_KEEPS_MAX - 1, &rows, &n));
    classes = rows;
    for (size_t i = 0; i < n; i++) {
        keeps[keeps_n++] = keep_of(&classes[i]);
        if (!classes[i].for_all || has_first) continue;
        has_first = true;
        keeps[0] = keep_of(&classes[i]);
        keeps[0].id = 0;
    }
    telemetry_keeps(l->telemetry, keeps, keeps_n);
    return OK;
}

/* ---- series ---- */

struct models {
    struct device_model *rows;
    size_t n;
};

static const struct model_metric *metric_of(const struct models *m, struct str model, struct str metric) {
    for (size_t i = 0; i < m->n; i++) {
        const struct model_metric *lines = m->rows[i].metrics.rows;
        if (!str_eq(m->rows[i].code, model)) continue;
        for (size_t k = 0; k < m->rows[i].metrics.n; k++)
            if (str_eq(lines[k].metric, metric)) return &lines[k];
    }
    return NULL;
}

static enum err model_of(struct ctx *ctx, const struct telemetry_series *s, struct str *ret) {
    struct db_rows rows = {0};
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT model FROM devices WHERE community_id = $1 AND code = $2",
                          VALS(V_I64(s->community_id), V_TEXT(s->device)), &rows);
    *ret = S("");
    while (db_more(&rows, &ctx->fault, &e))
        if (!arena_str(ctx->arena, db_text(&rows, 0), ret)) e = FAIL_MEMORY(ctx);
    db_done(&rows);
    return e;
}

static enum err label(struct labels *l, struct ctx *ctx, const struct models *models,
                      const struct telemetry_series *s) {
    struct str model;
    TRY(model_of(ctx, s, &model));
    const struct model_metric *m = metric_of(models, model, s->metric);
    struct telemetry_label said = {0};
    if (m) {
        said.class = (uint8_t)metric_privacy(m);
        said.unit = m->unit;
        said.kind = str_is(m->kind, "counter") ? TELEMETRY_COUNTER : TELEMETRY_GAUGE;
        said.keep = m->class_id;
    }
    return telemetry_label(l->telemetry, s->community_id, s->device, s->metric, &said, &ctx->fault);
}

static enum err label_some(struct labels *l, struct ctx *ctx) {
    struct models models = {0};
    void *rows;
    TRY(read_all(ctx, &device_models, MODELS_MAX, &rows, &models.n));
    models.rows = rows;
    for (uint32_t end = l->next + AT_ONCE; l->next < end; l->next++) {
        struct telemetry_series s;
        enum err e = telemetry_series_at(l->telemetry, l->next, ctx->arena, &s, &ctx->fault);
        if (e == ERR_NOT_FOUND) {
            ctx->fault = (struct fault){0};
            return OK;
        }
        TRY(e);
        TRY(label(l, ctx, &models, &s));
    }
    l->is_behind = true;
    return OK;
}

/* A change that comes while its run is under way is seen by the next one. */
static enum err run(struct labels *l, struct ctx *ctx) {
    int64_t generation = things_generation();
    l->is_behind = false;
    if (generation != l->generation) {
        TRY(tell_classes(l, ctx));
        l->next = 0;
        l->generation = generation;
    }
    return label_some(l, ctx);
}

static enum err with_store(struct labels *l, enum err (*fn)(struct labels *l, struct ctx *ctx), struct fault *f) {
    struct arena arena;
    struct ctx ctx = {.kernel = l->kernel, .arena = &arena, .world = l->world, .actor = actor_system()};
    TRY(db_pool_take(l->pool, &ctx.db, f));
    arena_init(&arena, UNIT_BYTES);
    ctx_begin(&ctx);
    enum err e = fn(l, &ctx);
    if (e) *f = ctx.fault;
    arena_finish(&arena);
    db_pool_give(l->pool, ctx.db);
    return e;
}

bool labels_step(struct labels *l) {
    struct fault f = {0};
    enum err e = with_store(l, run, &f);
    if (e)
        LOG(l->log, LOG_WARN, (struct str){0}, "series wait for their labels", LOG_TEXT("why", str_of(f.text)),
            LOG_TEXT("code", str_of(f.code)));
    return !e && l->is_behind;
}

/* ---- the loop's thread ---- */

static void work(void *arg) {
    (void)labels_step(arg);
}

static bool done(void *arg) {
    return ((struct labels *)arg)->is_behind;
}

static bool tick(void *arg) {
    struct labels *l = arg;
    struct telemetry_stats stats;
    if (runner_is_working(&l->runner)) return false;
    telemetry_stats(l->telemetry, &stats);
    return l->generation != things_generation() || (uint64_t)stats.series > l->next;
}

enum err labels_start(struct labels *l, struct loop *loop, struct fault *f) {
    const struct runner_calls calls = {.tick = tick, .work = work, .done = done, .arg = l};
    TRY(with_store(l, tell_classes, f));
    if (!loop || !runner_start(&l->runner, loop, TICK_MS, &calls)) return OK;
    return FAIL(f, ERR_INTERNAL, "loop", "no timer");
}

void labels_stop(struct labels *l) {
    runner_stop(&l->runner);
}
