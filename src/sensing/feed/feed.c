/* Readings meet rules.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/feed.h"

#include "base/utf8.h"
#include "platform/things/things.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS         1000
#define UNKNOWN_MAX     256 /* devices waiting to be put aside; more come again with their next reading */
#define APPLY_BATCH     64
#define STRANGERS_BATCH 16
#define JUDGED_MS       (INT64_C(15) * 60 * 1000) /* older readings are history: they raise nothing now */
#define UNIT_BYTES      ((size_t)64 << 20)

struct source { /* what a series number means, kept by the writer's thread alone */
    bool known;
    int64_t community_id;
    char device[TELEMETRY_DEVICE_MAX + 1], metric[TELEMETRY_METRIC_MAX + 1];
};
struct stranger {
    int64_t community_id;
    char code[TELEMETRY_DEVICE_MAX + 1];
    char line[FEED_LINE_MAX + 1]; /* where it was heard; empty: not known */
};
struct feed {
    struct feed_options o;
    struct telemetry *telemetry;
    struct rules_engine *rules;
    struct loop_timer *timer;
    struct source *sources;
    size_t sources_n;
    pthread_mutex_t lock; /* over strangers */
    struct stranger strangers[UNKNOWN_MAX];
    size_t strangers_n;
    struct loop_task wake;
    _Atomic bool woken, must_load;
    bool working, again, closing, loaded; /* loaded: by the work under way */
    enum err failed;
    struct barrier {
        loop_fn *fn;
        void *arg;
    } * barriers; /* those below `due` stood before the work under way began */
    size_t barriers_n, due;
};

/* ---- the writer's thread ---- */

static struct source *source_of(struct feed *f, uint32_t series) {
    if (series >= f->sources_n) {
        size_t n = (size_t)series * 2 + 64;
        struct source *grown = realloc(f->sources, n * sizeof *grown);
        if (!grown) return NULL;
        memset(grown + f->sources_n, 0, (n - f->sources_n) * sizeof *grown);
        f->sources = grown;
        f->sources_n = n;
    }
    struct source *s = &f->sources[series];
    if (s->known) return s;
    struct arena arena;
    struct telemetry_series info;
    struct fault fault = {0};
    arena_init(&arena, 4096);
    if (!telemetry_series_at(f->telemetry, series, &arena, &info, &fault)) {
        *s = (struct source){.known = true, .community_id = info.community_id};
        memcpy(s->device, info.device.ptr, info.device.len);
        memcpy(s->metric, info.metric.ptr, info.metric.len);
    }
    arena_finish(&arena);
    return s->known ? s : NULL;
}

static void note_stranger(struct feed *f, const struct source *s, const char *line) {
    pthread_mutex_lock(&f->lock);
    bool there = f->strangers_n == UNKNOWN_MAX;
    for (size_t i = 0; !there && i < f->strangers_n; i++)
        there = f->strangers[i].community_id == s->community_id && !strcmp(f->strangers[i].code, s->device);
    if (!there) {
        struct stranger *x = &f->strangers[f->strangers_n++];
        x->community_id = s->community_id;
        memcpy(x->code, s->device, sizeof x->code);
        utf8_copy(x->line, sizeof x->line, str_of(line));
    }
    pthread_mutex_unlock(&f->lock);
}

static void wake(struct feed *f) {
    if (!f->o.loop) return; /* the next step looks by itself */
    if (!atomic_exchange(&f->woken, true)) loop_post_task(f->o.loop, &f->wake);
}

static void stored(void *arg, const struct telemetry_stored *points, size_t n) {
    struct feed *f = arg;
    bool strange = false;
    int64_t since = f->o.world->utc_ms(f->o.world->self) - JUDGED_MS;
    for (size_t i = 0; i < n; i++) {
        struct source *s = source_of(f, points[i].series);
        if (!s) continue;
        struct str device = str_of(s->device); /* history raises nothing, but tells of a device all the same */
        bool known = points[i].at_ms < since ? rules_knows(f->rules, s->community_id, device)
                                             : rules_reading(f->rules, s->community_id, device, str_of(s->metric),
                                                             points[i].at_ms, points[i].value);
        if (!known) {
            note_stranger(f, s, "http"); /* lines tell of theirs before: see feed_heard */
            strange = true;
        }
    }
    if (strange || rules_waiting(f->rules)) wake(f);
}

/* ---- a worker: verdicts to alarms, strangers to rows ---- */

struct strangers {
    const struct stranger *list;
    size_t n;
};
static enum err put_aside(struct ctx *ctx, void *arg) {
    const struct strangers *s = arg;
    int64_t id;
    for (size_t i = 0; i < s->n; i++)
        TRY(device_put_aside(ctx, s->list[i].community_id, str_of(s->list[i].code), str_of(s->list[i].line), &id));
    return OK;
}

static size_t strangers_take(struct feed *f, struct stranger *ret, size_t most) {
    pthread_mutex_lock(&f->lock);
    size_t n = f->strangers_n < most ? f->strangers_n : most;
    f->strangers_n -= n;
    if (n) memcpy(ret, f->strangers + f->strangers_n, n * sizeof *ret);
    pthread_mutex_unlock(&f->lock);
    return n;
}

/* The store takes nothing: they wait on, as far as there is room; the others come again by themselves. */
static void strangers_give_back(struct feed *f, const struct stranger *list, size_t n) {
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < n && f->strangers_n < UNKNOWN_MAX; i++) f->strangers[f->strangers_n++] = list[i];
    pthread_mutex_unlock(&f->lock);
}

static bool strangers_wait(struct feed *f) {
    pthread_mutex_lock(&f->lock);
    bool some = f->strangers_n > 0;
    pthread_mutex_unlock(&f->lock);
    return some;
}

/* Some at a time, in one transaction: a flood of them must not hold up an alarm. */
static enum err adopt_strangers(struct feed *f, struct ctx *ctx) {
    struct stranger list[STRANGERS_BATCH];
    size_t n = strangers_take(f, list, COUNT(list));
    if (!n) return OK;
    enum err e = ctx_write(ctx, put_aside, &(struct strangers){list, n});
    bool is_away = e == ERR_BUSY || e == ERR_UNAVAILABLE;
    for (size_t i = 0; e && !is_away && i < n; i++) { /* one was refused: the others go without it */
        ctx->fault = (struct fault){0};
        enum err one = ctx_write(ctx, put_aside, &(struct strangers){&list[i], 1});
        is_away = one == ERR_BUSY || one == ERR_UNAVAILABLE;
        if (is_away) e = one;
    }
    if (is_away) strangers_give_back(f, list, n); /* those that are rows by now are found */
    if (!is_away) ctx->fault = (struct fault){0};
    return is_away ? e : OK;
}

static enum err work_with(struct feed *f, struct ctx *ctx) {
    size_t done;
    if (rules_is_stale(f->rules) || atomic_load(&f->must_load)) {
        bool must = atomic_exchange(&f->must_load, false);
        enum err e = rules_load(f->rules, ctx);
        if (e && must) atomic_store(&f->must_load, true);
        TRY(e);
        f->loaded = true;
    }
    TRY(rules_apply(f->rules, ctx, APPLY_BATCH, &done));
    return adopt_strangers(f, ctx);
}

static void work(void *arg) {
    struct feed *f = arg;
    struct arena arena;
    struct ctx ctx = {.kernel = f->o.kernel, .arena = &arena, .world = f->o.world, .actor = actor_system()};
    struct fault fault = {0};
    f->failed = db_pool_take(f->o.pool, &ctx.db, &fault);
    if (f->failed) return;
    arena_init(&arena, UNIT_BYTES);
    ctx_begin(&ctx);
    f->failed = work_with(f, &ctx);
    if (f->failed)
        LOG(f->o.log, LOG_WARN, ctx.trace, "the main loop waits", LOG_TEXT("why", str_of(ctx.fault.text)),
            LOG_TEXT("code", str_of(ctx.fault.code)));
    arena_finish(&arena);
    db_pool_give(f->o.pool, ctx.db);
}

/* ---- the loop's thread ---- */

static void begin(struct feed *f);

static void barriers_run(struct feed *f) {
    struct barrier done[64];
    while (f->due) {
        size_t n = f->due < COUNT(done) ? f->due : COUNT(done);
        memcpy(done, f->barriers, n * sizeof *done);
        memmove(f->barriers, f->barriers + n, (f->barriers_n - n) * sizeof *done);
        f->barriers_n -= n;
        f->due -= n;
        for (size_t i = 0; i < n; i++) done[i].fn(done[i].arg);
    }
}

/* Adopted devices do not count against what a community may have of strangers. */
static void know(void *arg, int64_t community_id, struct str code) {
    (void)telemetry_know(arg, community_id, code);
}

static void worked(void *arg) {
    struct feed *f = arg;
    f->working = false;
    if (f->loaded && !f->closing) rules_each_device(f->rules, know, f->telemetry);
    f->loaded = false;
    if (!f->failed && !rules_waiting(f->rules) && !strangers_wait(f) && !f->closing) barriers_run(f);
    if (f->barriers_n) f->again = true;
    bool more = f->again || (!f->failed && (rules_waiting(f->rules) || strangers_wait(f)));
    f->again = false;
    if (more && !f->closing && !f->failed) begin(f); /* after a failure the next tick tries again */
}

static void begin(struct feed *f) {
    if (f->working || !f->o.loop) {
        f->again = true;
        return;
    }
    f->due = f->barriers_n;
    f->working = !loop_work(f->o.loop, work, worked, f);
}

static void woken(void *arg) {
    struct feed *f = arg;
    atomic_store(&f->woken, false);
    if (!f->closing) begin(f);
}

static void tick(void *arg) {
    struct feed *f = arg;
    rules_tick(f->rules, f->o.world->utc_ms(f->o.world->self));
    if (strangers_wait(f) || f->barriers_n || rules_waiting(f->rules) || rules_is_stale(f->rules)) begin(f);
}

/* The loop's rounds without a loop. */
enum err feed_step(struct feed *f) {
    while (telemetry_step(f->telemetry)) continue;
    rules_tick(f->rules, f->o.world->utc_ms(f->o.world->self));
    do {
        f->again = false;
        f->due = f->barriers_n;
        work(f);
        worked(f);
    } while (f->again && !f->failed);
    return f->failed;
}

static enum err load(struct feed *f, struct fault *fault) {
    struct arena arena;
    struct ctx ctx = {.kernel = f->o.kernel, .arena = &arena, .world = f->o.world, .actor = actor_system()};
    TRY(db_pool_take(f->o.pool, &ctx.db, fault));
    arena_init(&arena, UNIT_BYTES);
    ctx_begin(&ctx);
    enum err e = rules_load(f->rules, &ctx);
    if (e) *fault = ctx.fault;
    arena_finish(&arena);
    db_pool_give(f->o.pool, ctx.db);
    return e;
}

/* What the rules would know had they never stopped: the newest reading of every series. */
static void seed(struct feed *f) {
    int64_t now_ms = f->o.world->utc_ms(f->o.world->self);
    struct arena arena;
    struct telemetry_series s;
    struct fault fault = {0};
    arena_init(&arena, 4096);
    for (uint32_t i = 0; !telemetry_series_at(f->telemetry, i, &arena, &s, &fault); i++) {
        if (s.has_latest)
            rules_seed(f->rules,
                       &(struct rules_sample){s.community_id, s.latest.at_ms, s.device, s.metric, s.latest.value},
                       now_ms);
        arena_reset(&arena);
    }
    arena_finish(&arena);
}

enum err feed_open(const struct feed_options *options, struct feed **ret, struct fault *fault) {
    struct feed *f = calloc(1, sizeof *f);
    if (!f) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    f->o = *options;
    f->wake = (struct loop_task){.fn = woken, .arg = f};
    pthread_mutex_init(&f->lock, NULL);
    f->rules = rules_create();
    f->barriers = calloc(FEED_BARRIERS_MAX, sizeof *f->barriers);
    enum err e = f->rules && f->barriers ? load(f, fault) : FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    if (!e)
        e = telemetry_open(&(struct telemetry_options){.io = options->io,
                                                       .world = options->world,
                                                       .dir = options->dir,
                                                       .threadless = !options->loop,
                                                       .stored = stored,
                                                       .arg = f},
                           &f->telemetry, fault);
    if (!e && options->loop && loop_timer_create(options->loop, tick, f, &f->timer))
        e = FAIL(fault, ERR_INTERNAL, "loop", "no timer");
    if (e) {
        feed_close(f);
        return e;
    }
    seed(f);
    rules_each_device(f->rules, know, f->telemetry);
    if (f->timer) loop_timer_start(f->timer, TICK_MS, TICK_MS);
    *ret = f;
    return OK;
}

void feed_stop(struct feed *f) {
    if (!f) return;
    f->closing = true;
    loop_timer_destroy(f->timer);
    f->timer = NULL;
    telemetry_close(f->telemetry);
    f->telemetry = NULL;
}

void feed_close(struct feed *f) {
    if (!f) return;
    feed_stop(f);
    rules_destroy(f->rules);
    pthread_mutex_destroy(&f->lock);
    free(f->sources);
    free(f->barriers);
    free(f);
}

struct telemetry *feed_telemetry(struct feed *f) {
    return f->telemetry;
}

enum err feed_events(struct feed *f, int64_t community_id, const struct rules_event *events, size_t n) {
    TRY(rules_events(f->rules, community_id, events, n));
    for (size_t i = 0; i < n; i++) {
        struct source s = {.known = true, .community_id = community_id};
        if (events[i].device.len > TELEMETRY_DEVICE_MAX || rules_knows(f->rules, community_id, events[i].device))
            continue;
        memcpy(s.device, events[i].device.ptr, events[i].device.len);
        note_stranger(f, &s, NULL);
    }
    wake(f);
    return OK;
}

void feed_heard(struct feed *f, int64_t community_id, struct str device, const char *line) {
    struct source s = {.known = true, .community_id = community_id};
    if (!device.len || device.len > TELEMETRY_DEVICE_MAX || rules_knows(f->rules, community_id, device)) return;
    memcpy(s.device, device.ptr, device.len);
    note_stranger(f, &s, line);
    wake(f);
}

enum err feed_barrier(struct feed *f, loop_fn *fn, void *arg) {
    if (f->barriers_n == FEED_BARRIERS_MAX || f->closing) return ERR_BUSY;
    f->barriers[f->barriers_n++] = (struct barrier){fn, arg};
    begin(f);
    return OK;
}

bool feed_knows(struct feed *f, int64_t community_id, struct str device) {
    return rules_knows(f->rules, community_id, device);
}

enum err feed_reload(struct feed *f, loop_fn *fn, void *arg) {
    atomic_store(&f->must_load, true);
    return feed_barrier(f, fn, arg);
}
