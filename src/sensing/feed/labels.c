/* From rows to labels of series.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/labels.h"

#include "kernel/rows.h"
#include "platform/things/things.h"

#include <string.h>

#define TICK_MS    1000
#define AT_ONCE    500 /* series of a run */
#define UNIT_BYTES ((size_t)64 << 20)
#define MODELS_MAX 5000
#define FORMER_MAX 10000
#define ROUND_MS   INT64_C(600000) /* changes that another process made are seen by then */

/* ---- classes ---- */

/* The first `most` of them, with their lines, which lists leave out; archived ones too: what they said still holds. */
static enum err read_all(struct ctx *ctx, const struct resource *r, size_t most, void **ret, size_t *ret_n) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = LIST_LIMIT_MAX, .archived = true};
    char *all = arena_alloc(ctx->arena, most, r->size, _Alignof(max_align_t));
    *ret_n = 0;
    *ret = all;
    if (!all) return FAIL_MEMORY(ctx);
    for (struct list_page page = {.next = S("")}; page.next.ptr;) {
        q.cursor = page.next.len ? page.next : (struct str){NULL, 0};
        TRY(row_list(ctx, r, &q, &page));
        size_t n = page.n < most - *ret_n ? page.n : most - *ret_n;
        if (n) memcpy(all + *ret_n * r->size, page.rows, n * r->size);
        *ret_n += n;
        if (n < page.n) break;
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
        if (!classes[i].for_all || classes[i].row.archived_ms || has_first) continue;
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

/* The model of who has the code, or of who had it last: health is no less private because a device was archived, nor
 * because it speaks again and waits for adoption without one. */
static enum err model_of(struct ctx *ctx, const struct telemetry_series *s, struct str *ret) {
    struct db_rows rows = {0};
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT model FROM devices WHERE community_id = $1 AND code = $2 AND model IS NOT NULL ORDER "
                          "BY CASE WHEN archived_ms = 0 THEN 0 ELSE 1 END, archived_ms DESC, id DESC LIMIT 1",
                          VALS(V_I64(s->community_id), V_TEXT(s->device)), &rows);
    *ret = S("");
    while (db_more(&rows, &ctx->fault, &e))
        if (!arena_str(ctx->arena, db_text(&rows, 0), ret)) e = FAIL_MEMORY(ctx);
    db_done(&rows);
    return e;
}

/* One that fails does not hold up the others: the fault of the first such is kept for the end. */
struct labelling {
    struct labels *l;
    struct models models;
    struct telemetry_series before; /* series of a device stand together, as a rule */
    struct str model;
    struct fault fault;
};

static enum err label_one(struct labelling *k, struct ctx *ctx, const struct telemetry_series *s) {
    if (s->community_id != k->before.community_id || !str_eq(s->device, k->before.device))
        TRY(model_of(ctx, s, &k->model));
    k->before = *s;
    const struct model_metric *m = metric_of(&k->models, k->model, s->metric);
    struct telemetry_label said = {0};
    if (m) {
        said.class = (uint8_t)metric_privacy(m);
        said.unit = m->unit;
        said.kind = str_is(m->kind, "counter") ? TELEMETRY_COUNTER : TELEMETRY_GAUGE;
        said.keep = m->class_id;
    }
    return telemetry_label(k->l->telemetry, s->community_id, s->device, s->metric, &said, &ctx->fault);
}

static void keep_fault(struct labelling *k, struct ctx *ctx) {
    if (!k->fault.kind) k->fault = ctx->fault;
    ctx->fault = (struct fault){0};
}

static void label(struct labelling *k, struct ctx *ctx, const struct telemetry_series *s) {
    if (label_one(k, ctx, s)) keep_fault(k, ctx);
}

/* Another code than it had: its readings go on under that, and the change is done. */
static enum err follow(struct labelling *k, struct ctx *ctx, const struct device *d) {
    struct str all = d->former_code, code;
    if (!all.len) return OK;
    while (str_cut(&all, ' ', &code)) {
        if (str_eq(code, d->code)) continue;
        enum err e = telemetry_device_follow(k->l->telemetry, d->row.community_id, code, d->code, &ctx->fault);
        if (k->l->renamed) k->l->renamed(k->l->arg); /* after an error, too: the name is changed first */
        TRY(e);
    }
    return db_exec(ctx->db, &ctx->fault, "UPDATE devices SET former_code = NULL WHERE id = $1 AND former_code = $2",
                   VALS(V_I64(d->row.id), V_TEXT(d->former_code)), NULL);
}

/* A change may have been cut off, or been made by another process. */
static enum err follow_all(struct labelling *k, struct ctx *ctx) {
    struct db_rows rows = {0};
    int64_t *ids = arena_new(ctx->arena, int64_t, FORMER_MAX);
    size_t n = 0;
    if (!ids) return FAIL_MEMORY(ctx);
    enum err e =
        db_query(ctx->db, &ctx->fault, "SELECT id FROM devices WHERE former_code IS NOT NULL ORDER BY id DESC LIMIT $1",
                 VALS(V_I64(FORMER_MAX)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) ids[n++] = db_i64(&rows, 0);
    db_done(&rows);
    for (size_t i = 0; i < n && !e; i++) {
        struct device d = {0};
        e = row_get(ctx, &devices, ids[i], &d);
        if (!e && follow(k, ctx, &d)) keep_fault(k, ctx);
    }
    return e;
}

/* Devices that changed, at once. */
static enum err label_devices(struct labelling *k, struct ctx *ctx, const int64_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct device d = {0};
        struct telemetry_series *all;
        size_t series_n = 0;
        if (row_get(ctx, &devices, ids[i], &d)) { /* gone meanwhile */
            ctx->fault = (struct fault){0};
            continue;
        }
        if (follow(k, ctx, &d)) keep_fault(k, ctx);
        TRY(telemetry_latest(k->l->telemetry, d.row.community_id, &d.code, 1, (struct str){NULL, 0}, ctx->arena, &all,
                             &series_n, &ctx->fault));
        for (size_t at = 0; at < series_n; at++) label(k, ctx, &all[at]);
    }
    return OK;
}

static enum err label_some(struct labelling *k, struct ctx *ctx) {
    struct labels *l = k->l;
    for (uint32_t end = l->next + AT_ONCE; l->next < end; l->next++) {
        struct telemetry_series s;
        enum err e = telemetry_series_at(l->telemetry, l->next, ctx->arena, &s, &ctx->fault);
        if (e == ERR_NOT_FOUND) {
            ctx->fault = (struct fault){0};
            return OK;
        }
        TRY(e);
        label(k, ctx, &s);
    }
    l->is_behind = true;
    return OK;
}

/* A round goes over all series; one that is under way is finished first.  Devices that changed do not wait for it. */
static enum err run(struct labels *l, struct ctx *ctx) {
    struct labelling k = {.l = l};
    int64_t ids[THINGS_CHANGED_MAX], now_ms = l->world->mono_us(l->world->self) / 1000;
    int64_t generation = things_generation();
    void *rows;
    bool begins = !l->is_behind && (generation != l->generation || now_ms - l->round_ms >= ROUND_MS);
    l->is_behind = false;
    TRY(read_all(ctx, &device_models, MODELS_MAX, &rows, &k.models.n));
    k.models.rows = rows;
    if (begins) {
        TRY(tell_classes(l, ctx));
        TRY(follow_all(&k, ctx));
        l->next = 0;
        l->generation = generation;
        l->round_ms = now_ms;
    }
    TRY(label_devices(&k, ctx, ids, things_take_changed(ids)));
    TRY(label_some(&k, ctx));
    ctx->fault = k.fault;
    return k.fault.kind;
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
    return l->generation != things_generation() || things_have_changed() || (uint64_t)stats.series > l->next ||
           l->world->mono_us(l->world->self) / 1000 - l->round_ms >= ROUND_MS;
}

enum err labels_start(struct labels *l, struct loop *loop, struct fault *f) {
    const struct runner_calls calls = {.tick = tick, .work = work, .done = done, .arg = l};
    TRY(with_store(l, tell_classes, f));
    if (!loop || !runner_start(&l->runner, loop, TICK_MS, &calls)) return OK;
    return FAIL(f, ERR_INTERNAL, "loop", "no timer");
}

void labels_stop(struct labels *l) {
    runner_end(&l->runner);
}
