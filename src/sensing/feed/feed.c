/* Readings meet rules.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/feed.h"

#include "net/runner.h"
#include "platform/things/things.h"
#include "protocol/codec.h"
#include "sensing/feed/labels.h"
#include "sensing/feed/spoke.h"
#include "sensing/feed/strangers.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS         1000
#define APPLY_BATCH     64
#define STRANGERS_BATCH 16
#define UNIT_BYTES      ((size_t)64 << 20)
#define LEFT_OUT_BYTES  1024

/* What stood before it: verdicts to be applied, strangers to be put aside. */
struct barrier {
    loop_fn *fn;
    void *arg;
    uint64_t verdicts, strangers;
};
struct feed {
    struct feed_options o;
    struct telemetry *telemetry;
    struct rules_engine *rules;
    struct strangers *strangers;
    struct spoke *spoke;
    struct labels labels;
    struct doors doors;
    struct runner runner;
    _Atomic bool must_load, stuck, load_rests; /* stuck: the last load failed; load_rests: the tick tries again */
    bool closing, loaded, rests; /* loaded: by the run under way; rests: it failed, and the tick tries again */
    enum err failed;
    struct barrier *barriers; /* a ring */
    size_t barriers_first, barriers_n;
    size_t due; /* the first so many stood before the run under way began */
};

/* ---- the writer's thread ---- */

static bool name_of(void *arg, uint32_t series, struct rules_source *ret) {
    struct feed *f = arg;
    struct arena arena;
    struct telemetry_series info;
    struct fault fault = {0};
    arena_init(&arena, 4096);
    enum err e = telemetry_series_at(f->telemetry, series, &arena, &info, &fault);
    if (!e) {
        *ret = (struct rules_source){.community_id = info.community_id};
        memcpy(ret->device, info.device.ptr, info.device.len);
        memcpy(ret->metric, info.metric.ptr, info.metric.len);
    }
    arena_finish(&arena);
    return !e;
}

/* Of a device that the rules do not know.  True: there is something to do about it. */
static bool hear(struct feed *f, int64_t community_id, struct str device, const char *line,
                 const struct feed_about *about) {
    const struct world *w = f->o.world;
    if (!device.len || device.len > TELEMETRY_DEVICE_MAX) return false;
    return strangers_hear(f->strangers, community_id, device, line, about, w->mono_us(w->self) / 1000);
}

static bool hear_strange(void *arg, const struct rules_source *who) { /* lines told of theirs before: see feed_heard */
    return hear(arg, who->community_id, str_of(who->device), "http", NULL);
}

static void stored(void *arg, const struct telemetry_stored *points, size_t n) {
    struct feed *f = arg;
    spoke_points(f->spoke, points, n);
    const struct rules_names names = {name_of, hear_strange, f};
    if (rules_points(f->rules, points, n, f->o.world->utc_ms(f->o.world->self), &names)) runner_wake(&f->runner);
}

/* ---- a worker: verdicts to alarms, strangers to rows ---- */

struct aside {
    const struct stranger *list;
    size_t n;
};
static bool put_attributes(const struct stranger *x, struct arena *a, struct str *ret) {
    struct buf b;
    struct jw j;
    buf_init_arena(&b, a, 1024);
    jw_init(&j, &b);
    jw_open(&j, '{');
    if (x->vendor[0]) jw_kcstr(&j, "vendor", x->vendor);
    if (x->model[0]) jw_kcstr(&j, "model", x->model);
    jw_close(&j, '}');
    return buf_done(&b, ret);
}
static enum err put_one(struct ctx *ctx, const struct stranger *x) {
    struct device_about about = {.name = str_of(x->name), .address = str_of(x->address)};
    bool says = x->name[0] || x->vendor[0] || x->model[0] || x->address[0];
    int64_t id;
    if ((x->vendor[0] || x->model[0]) && !put_attributes(x, ctx->arena, &about.attributes)) return FAIL_MEMORY(ctx);
    return device_put_aside(ctx, x->community_id, str_of(x->code), str_of(x->line), says ? &about : NULL, &id);
}
static enum err put_aside(struct ctx *ctx, void *arg) {
    const struct aside *a = arg;
    for (size_t i = 0; i < a->n; i++) TRY(put_one(ctx, &a->list[i]));
    return OK;
}

static bool is_away(enum err e) {
    return e == ERR_BUSY || e == ERR_UNAVAILABLE;
}

/* Some at a time, in one transaction: a flood of them must not hold up an alarm.  Where the store takes nothing they
 * wait on; those who are rows by then are found. */
static enum err adopt_strangers(struct feed *f, struct ctx *ctx) {
    struct stranger list[STRANGERS_BATCH];
    size_t n = strangers_first(f->strangers, list, COUNT(list));
    if (!n) return OK;
    enum err e = ctx_write(ctx, put_aside, &(struct aside){list, n});
    for (size_t i = 0; e && !is_away(e) && i < n; i++) { /* one was refused: the others go without it */
        ctx->fault = (struct fault){0};
        enum err one = ctx_write(ctx, put_aside, &(struct aside){&list[i], 1});
        if (is_away(one)) e = one;
    }
    if (is_away(e)) return e;
    ctx->fault = (struct fault){0};
    strangers_settle(f->strangers, n, f->o.world->mono_us(f->o.world->self) / 1000);
    return OK;
}

/* What is over a limit, whenever rules were read. */
static void tell_left_out(struct feed *f, struct str trace) {
    char mem[LEFT_OUT_BYTES];
    struct buf what;
    buf_init(&what, mem, sizeof mem);
    if (rules_left_out(f->rules, &what))
        LOG(f->o.log, LOG_ERROR, trace, "not everything is watched", LOG_TEXT("what", str_of(mem)));
    buf_init(&what, mem, sizeof mem);
    if (rules_not_made(&what))
        LOG(f->o.log, LOG_ERROR, trace, "rules of a model could not be made", LOG_TEXT("what", str_of(mem)));
}

/* Where that fails, the rules that were there go on: a fire is no less told for it. */
static enum err reload(struct feed *f, struct ctx *ctx) {
    if (atomic_load(&f->load_rests)) return OK;
    bool must = atomic_exchange(&f->must_load, false);
    if (!must && !rules_is_stale(f->rules)) return OK;
    enum err e = rules_load(f->rules, ctx);
    f->loaded = !e;
    if (!e) tell_left_out(f, ctx->trace);
    if (e && must) atomic_store(&f->must_load, true);
    if (is_away(e)) return e;
    atomic_store(&f->stuck, e != OK);
    if (!e) return OK;
    atomic_store(&f->load_rests, true);
    LOG(f->o.log, LOG_ERROR, ctx->trace, "rules cannot be read anew; those that were there go on",
        LOG_TEXT("why", str_of(ctx->fault.text)), LOG_TEXT("code", str_of(ctx->fault.code)));
    ctx->fault = (struct fault){0};
    return OK;
}

static enum err work_with(struct feed *f, struct ctx *ctx) {
    size_t done;
    TRY(reload(f, ctx));
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

static bool is_reached(struct feed *f, const struct barrier *b) {
    return rules_applied(f->rules) >= b->verdicts && strangers_settled(f->strangers) >= b->strangers;
}

/* In order; fn may set up another. */
static void barriers_run(struct feed *f) {
    for (; f->due && is_reached(f, &f->barriers[f->barriers_first]); f->due--) {
        struct barrier b = f->barriers[f->barriers_first];
        f->barriers_first = (f->barriers_first + 1) % FEED_BARRIERS_MAX;
        f->barriers_n--;
        b.fn(b.arg);
    }
}

/* Adopted devices do not count against what a community may have of strangers. */
static void know(void *arg, int64_t community_id, struct str code) {
    (void)telemetry_know(arg, community_id, code);
}

static bool begin(void *arg) {
    struct feed *f = arg;
    f->due = f->barriers_n;
    return !f->rests;
}

/* True: something is left to do at once. */
static bool is_unfinished(struct feed *f) {
    return f->barriers_n || rules_waiting(f->rules) || strangers_came(f->strangers) > strangers_settled(f->strangers);
}

static bool worked(void *arg) {
    struct feed *f = arg;
    if (f->loaded && !f->closing) rules_each_device(f->rules, know, f->telemetry);
    f->loaded = false;
    f->rests = f->failed != OK;
    if (!f->failed && !f->closing) barriers_run(f);
    return !f->failed && is_unfinished(f);
}

static bool tick(void *arg) {
    struct feed *f = arg;
    rules_tick(f->rules, f->o.world->utc_ms(f->o.world->self));
    f->rests = false;
    atomic_store(&f->load_rests, false);
    return is_unfinished(f) || rules_is_stale(f->rules) || atomic_load(&f->must_load);
}

/* The loop's rounds without a loop. */
enum err feed_step(struct feed *f) {
    while (telemetry_step(f->telemetry)) continue;
    (void)tick(f);
    bool more;
    do {
        (void)begin(f);
        work(f);
        more = worked(f);
    } while (more);
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
    if (!e) tell_left_out(f, ctx.trace);
    arena_finish(&arena);
    db_pool_give(f->o.pool, ctx.db);
    return e;
}

static void renamed(void *arg) {
    rules_renamed(((struct feed *)arg)->rules);
}

enum err feed_open(const struct feed_options *options, struct feed **ret, struct fault *fault) {
    struct feed *f = calloc(1, sizeof *f);
    if (!f) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    f->o = *options;
    f->rules = rules_create();
    f->strangers = strangers_create();
    f->barriers = calloc(FEED_BARRIERS_MAX, sizeof *f->barriers);
    f->spoke = spoke_create(&(struct spoke_options){options->kernel, options->pool, options->world, options->log});
    bool is_made = f->rules && f->strangers && f->barriers && f->spoke;
    enum err e = is_made ? load(f, fault) : FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    if (!e)
        e = telemetry_open(&(struct telemetry_options){.io = options->io,
                                                       .chunk_io = options->chunk_io,
                                                       .world = options->world,
                                                       .dir = options->dir,
                                                       .threadless = !options->loop,
                                                       .stored = stored,
                                                       .arg = f},
                           &f->telemetry, fault);
    const struct runner_calls calls = {tick, begin, work, worked, f};
    f->doors = (struct doors){options->kernel, options->pool, options->loop, options->world, options->log};
    f->labels = (struct labels){options->kernel, options->pool, options->world, options->log, f->telemetry, renamed, f};
    if (!e) e = labels_start(&f->labels, options->loop, fault);
    if (!e && options->loop && runner_start(&f->runner, options->loop, TICK_MS, &calls))
        e = FAIL(fault, ERR_INTERNAL, "loop", "no timer");
    if (!e && options->loop) e = spoke_start(f->spoke, options->loop, f->telemetry, fault);
    if (e) {
        feed_close(f);
        return e;
    }
    rules_seed(f->rules, f->telemetry, f->o.world->utc_ms(f->o.world->self));
    rules_each_device(f->rules, know, f->telemetry);
    *ret = f;
    return OK;
}

void feed_stop(struct feed *f) {
    if (!f) return;
    f->closing = true;
    runner_end(&f->runner);
    labels_stop(&f->labels);
    if (f->spoke) spoke_stop(f->spoke);
    telemetry_close(f->telemetry);
    f->telemetry = NULL;
}

void feed_close(struct feed *f) {
    if (!f) return;
    feed_stop(f);
    rules_destroy(f->rules);
    strangers_destroy(f->strangers);
    spoke_destroy(f->spoke);
    free(f->barriers);
    free(f);
}

struct telemetry *feed_telemetry(struct feed *f) {
    return f->telemetry;
}

static bool is_ready(void *arg, struct buf *ret_why) {
    struct feed *f = arg;
    bool stuck = atomic_load(&f->stuck);
    if (stuck) buf_cstr(ret_why, "rules cannot be read anew; those that were there go on");
    return !stuck && !rules_left_out(f->rules, ret_why);
}

struct api_with feed_with(struct feed *f) {
    return (struct api_with){.name = "rules", .is_ready = is_ready, .arg = f};
}

enum err feed_events(struct feed *f, int64_t community_id, const struct rules_event *events, size_t n) {
    TRY(rules_events(f->rules, community_id, events, n));
    for (size_t i = 0; i < n; i++) {
        if (events[i].is_kept || str_is(events[i].code, RULES_OFFLINE)) continue; /* said by another, or before */
        spoke_device(f->spoke, community_id, events[i].device);
    }
    for (size_t i = 0; i < n; i++)
        if (!rules_knows(f->rules, community_id, events[i].device))
            (void)hear(f, community_id, events[i].device, "", NULL);
    runner_wake(&f->runner);
    return OK;
}

void feed_heard(struct feed *f, int64_t community_id, struct str device, const char *line) {
    feed_found(f, community_id, device, line, NULL);
}

void feed_found(struct feed *f, int64_t community_id, struct str device, const char *line,
                const struct feed_about *about) {
    spoke_device(f->spoke, community_id, device);
    if (!rules_knows(f->rules, community_id, device) && hear(f, community_id, device, line, about))
        runner_wake(&f->runner);
}

bool feed_is_of_line(struct feed *f, int64_t community_id, struct str device, int64_t line_id) {
    int64_t own = rules_line_of(f->rules, community_id, device);
    return !own || own == line_id;
}

enum err feed_knock(struct feed *f, struct knock *knock) {
    for (size_t i = 0; i < knock->n; i++) spoke_device(f->spoke, knock->community_id, knock->all[i].device);
    return f->closing ? ERR_BUSY : doors_knock(&f->doors, knock);
}

enum err feed_barrier(struct feed *f, loop_fn *fn, void *arg) {
    if (f->barriers_n == FEED_BARRIERS_MAX || f->closing) return ERR_BUSY;
    f->barriers[(f->barriers_first + f->barriers_n++) % FEED_BARRIERS_MAX] =
        (struct barrier){fn, arg, rules_made(f->rules), strangers_came(f->strangers)};
    runner_wake(&f->runner);
    return OK;
}

bool feed_knows(struct feed *f, int64_t community_id, struct str device) {
    return rules_knows(f->rules, community_id, device);
}

enum err feed_reload(struct feed *f, loop_fn *fn, void *arg) {
    atomic_store(&f->must_load, true);
    return feed_barrier(f, fn, arg);
}
