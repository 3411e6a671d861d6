/* What meters kept of midnights at which nobody asked them: which are missing, and whom to ask.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "sensing/lines/lines_internal.h"

#include <string.h>

#define MIDNIGHTS_MOST 31                /* so far back is looked */
#define LATELY_MS      INT64_C(600000)   /* whoever answered since then is asked */
#define SILENT_MS      INT64_C(86400000) /* that one is left alone who did not answer; then twice as long, and so on */
#define DOUBLINGS      3

/* ---- how far each device is ---- */

/* Under the lock.  NULL: it is not there. */
static struct line_midnight *find(struct line_set *l, int64_t device_id) {
    for (size_t i = 0; i < l->midnights_n; i++)
        if (l->midnights[i].device_id == device_id) return &l->midnights[i];
    return NULL;
}

void line_midnight_ended(struct line_set *l, int64_t device_id, int64_t midnight_ms, enum line_kept what) {
    int64_t now_ms = l->o.world->utc_ms(l->o.world->self);
    pthread_mutex_lock(&l->lock);
    struct line_midnight *m = find(l, device_id);
    if (m && what == LINE_KEPT_SILENT) {
        int twice = m->silences < DOUBLINGS ? m->silences++ : DOUBLINGS;
        m->again_ms = now_ms + SILENT_MS * (INT64_C(1) << twice);
    } else if (m) {
        m->again_ms = m->silences = 0;
        m->before_ms = what == LINE_KEPT ? midnight_ms : INT64_MIN; /* who has none of it has no older one */
    }
    pthread_mutex_unlock(&l->lock);
}

/* A place for it; at the bound that of whoever may be asked soonest: it begins anew. */
static struct line_midnight *place(struct line_set *l) {
    struct line_midnight *ret = l->midnights;
    if (l->midnights_n < LINES_MIDNIGHTS_MAX) return &l->midnights[l->midnights_n++];
    for (size_t i = 1; i < l->midnights_n; i++)
        if (l->midnights[i].again_ms < ret->again_ms) ret = &l->midnights[i];
    return ret;
}

static struct line_midnight begin(struct line_set *l, int64_t device_id, int64_t latest_ms) {
    pthread_mutex_lock(&l->lock);
    struct line_midnight *m = find(l, device_id);
    if (!m) {
        m = place(l);
        *m = (struct line_midnight){.device_id = device_id};
    }
    if (m->latest_ms != latest_ms) {
        m->latest_ms = latest_ms;
        m->before_ms = INT64_MAX;
    }
    struct line_midnight ret = *m;
    pthread_mutex_unlock(&l->lock);
    return ret;
}

/* Until it ends; where nobody hears of that, it is asked again. */
static void wait_until(struct line_set *l, int64_t device_id, int64_t until_ms) {
    pthread_mutex_lock(&l->lock);
    struct line_midnight *m = find(l, device_id);
    if (m) m->again_ms = until_ms;
    pthread_mutex_unlock(&l->lock);
}

/* How often it was silent is remembered. */
static void end(struct line_set *l, int64_t device_id) {
    pthread_mutex_lock(&l->lock);
    struct line_midnight *m = find(l, device_id);
    if (m && !m->silences) *m = l->midnights[--l->midnights_n];
    pthread_mutex_unlock(&l->lock);
}

/* ---- which is missing ---- */

static enum err has_reading(struct line_set *l, struct ctx *ctx, const struct line_spec *s, struct str device,
                            const char *metric, int64_t at_ms, bool *ret) {
    struct telemetry *t = feed_telemetry(l->o.feed);
    struct telemetry_series *series;
    struct telemetry_points points;
    size_t n;
    *ret = false;
    TRY(telemetry_latest(t, s->community_id, &device, 1, str_of(metric), ctx->arena, &series, &n, &ctx->fault));
    if (!n) return OK;
    TRY(telemetry_range(t, series[0].number, at_ms - LINE_MIDNIGHT_NEAR_MS, at_ms + LINE_MIDNIGHT_NEAR_MS, 1,
                        ctx->arena, &points, &ctx->fault));
    *ret = points.n > 0;
    return OK;
}

/* An item that a device of its model has, beside which it keeps midnights; empty: none. */
static enum err kept_beside(struct ctx *ctx, const struct asking *asking, struct str code, struct str *ret) {
    struct device_model model = {0};
    bool found;
    *ret = S("");
    TRY(device_model_of(ctx, code, &model, &found));
    const struct model_metric *all = model.metrics.rows;
    for (size_t i = 0; found && !ret->len && i < model.metrics.n; i++) {
        char mem[32];
        struct buf ignored;
        buf_init(&ignored, mem, sizeof mem);
        if (all[i].item.len && asking->midnight(all[i].item, 0, &ignored)) *ret = all[i].item;
    }
    return OK;
}

struct asked { /* a device, and how far it is */
    const struct line_spec *spec;
    const struct asking *asking;
    struct device device;
    struct line_midnight m;
    int64_t done_ms, until_ms; /* those up to there are done; the question goes out until then */
    struct str beside;
};

/* The last one of those that are missing; *ret false: none is. */
static enum err ask(struct line_set *l, struct ctx *ctx, const struct asked *x, bool *ret) {
    struct line_outgoing *out = &l->out;
    const struct device *d = &x->device;
    *ret = false;
    for (unsigned ago = 0; ago < MIDNIGHTS_MOST; ago++) {
        int64_t at_ms = zone_add_days_ms(x->spec->zone, x->m.latest_ms, -(int64_t)ago);
        struct line_order o = {.midnight_ms = at_ms,
                               .device_id = d->row.id,
                               .device = d->code,
                               .address = d->address.len ? d->address : d->code,
                               .until_ms = x->until_ms};
        struct buf item;
        bool found = false;
        if (at_ms <= d->row.created_ms || at_ms <= x->done_ms) return OK;
        if (at_ms >= x->m.before_ms) continue;
        buf_init_arena(&item, &out->arena, 32);
        const char *metric = x->asking->midnight(x->beside, ago, &item);
        if (!metric || !buf_done(&item, &o.item)) return OK;
        TRY(has_reading(l, ctx, x->spec, d->code, metric, at_ms, &found));
        if (found) continue;
        if (!arena_str(&out->arena, o.device, &o.device) || !arena_str(&out->arena, o.address, &o.address))
            return FAIL_MEMORY(ctx);
        out->line_ids[out->n] = x->spec->id;
        out->orders[out->n++] = o;
        *ret = true;
        return OK;
    }
    return OK;
}

static enum err look_at(struct line_set *l, struct ctx *ctx, const struct line_entry *e, const struct heard_device *how,
                        struct asked *x) {
    int64_t latest_ms = zone_day_start_ms(x->spec->zone, ctx->now_ms);
    bool is_known, asks = false;
    if (ctx->now_ms - how->last_ms > LATELY_MS || how->midnight_ms >= latest_ms) return OK;
    TRY(device_by_code(ctx, x->spec->community_id, str_of(how->code), &x->device, &is_known));
    int64_t id = x->device.row.id;
    if (!is_known) return OK;
    x->m = begin(l, id, latest_ms);
    if (ctx->now_ms < x->m.again_ms) return OK;
    x->done_ms = how->midnight_ms;
    TRY(kept_beside(ctx, x->asking, x->device.model, &x->beside));
    if (x->beside.len) TRY(ask(l, ctx, x, &asks));
    if (asks) {
        wait_until(l, id, x->until_ms);
    } else {
        heard_midnight(e->heard, str_of(how->code), latest_ms);
        end(l, id);
    }
    return OK;
}

/* Around midnight it changes which one an item is, and clocks of meters differ: nobody is asked then. */
static bool is_time(const struct line_spec *s, int64_t now_ms, int64_t *ret_until_ms) {
    int64_t start_ms = zone_day_start_ms(s->zone, now_ms);
    int64_t last_ms = zone_add_days_ms(s->zone, start_ms, 1) - LINE_MIDNIGHT_NEAR_MS;
    *ret_until_ms = now_ms + LATELY_MS < last_ms ? now_ms + LATELY_MS : last_ms;
    return now_ms >= start_ms + LINE_MIDNIGHT_NEAR_MS && now_ms < last_ms;
}

enum err line_midnights_read(struct line_set *l, struct ctx *ctx) {
    int64_t now_us = ctx->world->mono_us(ctx->world->self);
    if (l->filled_us && now_us - l->filled_us < LINES_MIDNIGHT_US) return OK;
    l->filled_us = now_us;
    for (size_t i = 0; i < l->entries_n; i++) {
        const struct line_entry *e = &l->entries[i];
        const struct codec *codec = codec_find(str_of(e->spec.kind));
        struct heard_device some[LINES_MIDNIGHTS_EACH];
        int64_t until_ms;
        if (!e->heard || !codec || !codec->asking || !codec->asking->midnight) continue;
        if (!is_time(&e->spec, ctx->now_ms, &until_ms)) continue;
        size_t n = heard_next(e->heard, some, COUNT(some));
        for (size_t k = 0; k < n && l->out.n < LINES_ORDERS_MAX; k++) {
            struct asked x = {.spec = &e->spec, .asking = codec->asking, .until_ms = until_ms};
            TRY(look_at(l, ctx, e, &some[k], &x));
        }
    }
    return OK;
}
