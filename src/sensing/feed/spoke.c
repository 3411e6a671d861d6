/* When devices were heard last.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/spoke.h"

#include "platform/things/things.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS    1000
#define SERIES_MIN 4096
#define PROBES     8 /* so that a flood costs no more */
#define UNIT_BYTES ((size_t)4 << 20)

static int64_t mono_ms(const struct spoke *s) {
    return s->o.world->mono_us(s->o.world->self) / 1000;
}

/* ---- who speaks ---- */

static bool has_room(struct spoke *s, uint32_t series) {
    size_t cap = s->series_cap ? s->series_cap : SERIES_MIN;
    if (series < s->series_cap) return true;
    if (series >= SPOKE_SERIES_MAX) return false;
    while (cap <= series) cap *= 2;
    uint32_t *grown = realloc(s->series_s, cap * sizeof *grown);
    if (!grown) return false;
    memset(grown + s->series_cap, 0, (cap - s->series_cap) * sizeof *grown);
    s->series_s = grown;
    s->series_cap = cap;
    return true;
}

void spoke_points(struct spoke *s, const struct telemetry_stored *points, size_t n) {
    uint32_t now_s = (uint32_t)(mono_ms(s) / 1000) + 1;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n; i++)
        if (has_room(s, points[i].series)) s->series_s[points[i].series] = now_s;
    pthread_mutex_unlock(&s->lock);
}

static bool is_of(const struct spoken *x, int64_t community_id, struct str code) {
    return x->community_id == community_id && str_is(code, x->code);
}

/* NULL: none of the few that it may have is free.  Others' places are looked at, too, once one is emptied before them:
 * then it stands twice, and the later time counts. */
static struct spoken *place_of(struct spoke *s, int64_t community_id, struct str code) {
    size_t at = (size_t)(str_hash(code) + (uint64_t)community_id);
    for (size_t k = 0; k < PROBES; k++) {
        struct spoken *x = &s->codes[(at + k) % SPOKE_CODES_MAX];
        if (!x->at_ms || is_of(x, community_id, code)) return x;
    }
    return NULL;
}

void spoke_device(struct spoke *s, int64_t community_id, struct str code) {
    if (!code.len || code.len > TELEMETRY_DEVICE_MAX) return;
    int64_t now_ms = mono_ms(s) + 1;
    pthread_mutex_lock(&s->lock);
    struct spoken *x = place_of(s, community_id, code);
    if (x && !x->at_ms) {
        x->community_id = community_id;
        memcpy(x->code, code.ptr, code.len);
        x->code[code.len] = 0;
        s->codes_n++;
    }
    if (x) x->at_ms = now_ms;
    pthread_mutex_unlock(&s->lock);
}

/* ---- the loop's thread: what is to be written next ---- */

static void take_codes(struct spoke *s) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; s->codes_n && i < SPOKE_CODES_MAX && s->batch_n < SPOKE_BATCH; i++) {
        if (!s->codes[i].at_ms) continue;
        s->batch[s->batch_n++] = s->codes[i];
        s->codes[i].at_ms = 0;
        s->codes_n--;
    }
    pthread_mutex_unlock(&s->lock);
}

/* Series of a device stand together, as a rule. */
static void put_series(struct spoke *s, uint32_t series, int64_t at_ms) {
    struct arena arena;
    struct telemetry_series info;
    struct fault ignored = {0};
    struct spoken *last = s->batch_n ? &s->batch[s->batch_n - 1] : NULL;
    arena_init(&arena, 4096);
    if (!telemetry_series_at(s->telemetry, series, &arena, &info, &ignored)) {
        if (!last || !is_of(last, info.community_id, info.device)) {
            last = &s->batch[s->batch_n++];
            *last = (struct spoken){.community_id = info.community_id};
            memcpy(last->code, info.device.ptr, info.device.len);
        }
        if (last->at_ms < at_ms) last->at_ms = at_ms;
    }
    arena_finish(&arena);
}

/* The names are asked for with nothing locked: points come from under telemetry's own locks. */
static void take_series(struct spoke *s) {
    while (s->is_round && s->batch_n < SPOKE_BATCH) {
        uint32_t at_s = 0, series = 0;
        pthread_mutex_lock(&s->lock);
        while (s->next < s->series_cap && !s->series_s[s->next]) s->next++;
        s->is_round = s->next < s->series_cap;
        if (s->is_round) {
            series = (uint32_t)s->next++;
            at_s = s->series_s[series];
            s->series_s[series] = 0;
        }
        pthread_mutex_unlock(&s->lock);
        if (at_s) put_series(s, series, (int64_t)(at_s - 1) * 1000 + 1);
    }
}

static bool tick(void *arg) {
    struct spoke *s = arg;
    int64_t now_ms = mono_ms(s);
    if (runner_is_working(&s->runner)) return false;
    if (!s->is_round && now_ms - s->round_ms >= SPOKE_MS) {
        s->is_round = true;
        s->round_ms = now_ms;
        s->next = 0;
    }
    if (s->is_round) {
        take_codes(s);
        take_series(s);
    }
    return s->batch_n > 0; /* also what the store did not take before */
}

/* ---- a worker ---- */

static bool is_away(enum err e) {
    return e == ERR_BUSY || e == ERR_UNAVAILABLE;
}

static enum err put_one(struct ctx *ctx, void *arg) {
    const struct spoken *x = arg;
    return device_heard(ctx, x->community_id, str_of(x->code),
                        ctx->now_ms - (ctx->world->mono_us(ctx->world->self) / 1000 - (x->at_ms - 1)));
}

static enum err put_all(struct ctx *ctx, void *arg) {
    struct spoke *s = arg;
    for (size_t i = 0; i < s->batch_n; i++) TRY(put_one(ctx, &s->batch[i]));
    return OK;
}

/* Where one is refused, as by its name, the others go without it. */
static enum err put(struct spoke *s, struct ctx *ctx) {
    enum err e = ctx_write(ctx, put_all, s);
    for (size_t i = 0; e && !is_away(e) && i < s->batch_n; i++) {
        ctx->fault = (struct fault){0};
        enum err one = ctx_write(ctx, put_one, &s->batch[i]);
        if (is_away(one)) e = one;
    }
    return is_away(e) ? e : OK;
}

static void work(void *arg) {
    struct spoke *s = arg;
    struct arena arena;
    struct ctx ctx = {.kernel = s->o.kernel, .arena = &arena, .world = s->o.world, .actor = actor_system()};
    if (!s->batch_n || db_pool_take(s->o.pool, &ctx.db, &ctx.fault)) return;
    arena_init(&arena, UNIT_BYTES);
    ctx_begin(&ctx);
    if (!put(s, &ctx))
        s->batch_n = 0;
    else
        LOG(s->o.log, LOG_WARN, ctx.trace, "rows do not say yet when devices were heard",
            LOG_TEXT("why", str_of(ctx.fault.text)), LOG_TEXT("code", str_of(ctx.fault.code)));
    arena_finish(&arena);
    db_pool_give(s->o.pool, ctx.db);
}

static bool done(void *arg) {
    (void)arg;
    return false;
}

/* ---- life ---- */

struct spoke *spoke_create(const struct spoke_options *o) {
    struct spoke *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->o = *o;
    s->round_ms = mono_ms(s);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void spoke_destroy(struct spoke *s) {
    if (!s) return;
    pthread_mutex_destroy(&s->lock);
    free(s->series_s);
    free(s);
}

enum err spoke_start(struct spoke *s, struct loop *loop, struct telemetry *telemetry, struct fault *f) {
    const struct runner_calls calls = {.tick = tick, .work = work, .done = done, .arg = s};
    s->telemetry = telemetry;
    return runner_start(&s->runner, loop, TICK_MS, &calls) ? FAIL(f, ERR_INTERNAL, "loop", "no timer") : OK;
}

void spoke_stop(struct spoke *s) {
    runner_end(&s->runner);
}
