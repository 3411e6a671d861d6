/* What runs without being asked: delivery of events, timers, jobs, and the sweeping of what is kept for a day.  One run
 * at a time, on a worker; woken by commits, and by a tick for what others committed and what falls due.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "kernel/outbox.h"
#include "kernel/work.h"
#include "net/runner.h"

#include <stdlib.h>

#define TICK_MS        250
#define LOOK_MS        1000 /* look at the store at least so often */
#define SWEEP_MS       (INT64_C(600) * 1000)
#define DELIVER_MOST   200
#define ROUNDS_MOST    20
#define TIMERS_MOST    100
#define RUN_BYTES      ((size_t)64 * 1024 * 1024)
#define KEPT_ANSWER_MS (INT64_C(24) * 3600 * 1000)

struct pump {
    struct api *api;
    struct runner runner;
    /* between runs: the loop's; within: the worker's */
    int64_t due_ms, looked_ms, swept_ms, now_ms;
    bool full; /* what was done may have made more to do */
    struct arena arena;
};

/* The pump's own commits wake nobody: it looks again by itself while there is something to do. */
static _Thread_local bool is_pumping;

static void unit_begin(struct pump *p, struct ctx *ctx) {
    arena_reset(&p->arena);
    ctx->actor = actor_system();
    ctx->trace = S("pump");
    ctx->reason = (struct str){NULL, 0};
    ctx_begin(ctx);
}

static void say(const struct pump *p, const struct ctx *ctx, const char *what_failed) {
    log_failure(p->api, ctx->trace, what_failed, &ctx->fault, ctx->db ? db_detail(ctx->db) : "");
}

/* How many events.  A handler of one may have made the next one. */
static size_t deliver(struct pump *p, struct ctx *ctx) {
    size_t all = 0, some = DELIVER_MOST;
    for (int round = 0; round < ROUNDS_MOST && some == DELIVER_MOST; round++) {
        some = 0;
        unit_begin(p, ctx);
        if (events_deliver(ctx, DELIVER_MOST, &some)) say(p, ctx, "deliver_failed");
        all += some;
    }
    atomic_fetch_add(&p->api->counters.events_delivered, (int64_t)all);
    return all;
}

/* How many timers and jobs; looks when the next ones are due. */
static size_t run_due(struct pump *p, struct ctx *ctx) {
    int64_t timers_ms = INT64_MAX, jobs_ms = INT64_MAX;
    size_t timers = 0, jobs = 0;
    unit_begin(p, ctx);
    if (timers_run(ctx, TIMERS_MOST, &timers, &timers_ms)) say(p, ctx, "timers_failed");
    unit_begin(p, ctx);
    if (jobs_run(ctx, &jobs, &jobs_ms)) say(p, ctx, "jobs_failed");
    atomic_fetch_add(&p->api->counters.timers_run, (int64_t)timers);
    atomic_fetch_add(&p->api->counters.jobs_run, (int64_t)jobs);
    p->due_ms = timers_ms < jobs_ms ? timers_ms : jobs_ms;
    return timers + jobs;
}

static void sweep(struct pump *p, struct ctx *ctx) {
    unit_begin(p, ctx);
    enum err e = events_prune(ctx);
    if (!e)
        e = db_exec(ctx->db, &ctx->fault,
                    "DELETE FROM idempotency WHERE at_ms IN (SELECT at_ms FROM idempotency WHERE at_ms < $1 ORDER BY "
                    "at_ms LIMIT 5000)",
                    VALS(V_I64(ctx->now_ms - KEPT_ANSWER_MS)), NULL);
    if (e) say(p, ctx, "sweep_failed");
}

static void pump(struct pump *p) {
    const struct api *api = p->api;
    struct ctx ctx = {.kernel = api->o.kernel, .arena = &p->arena, .world = api->o.world};
    p->full = false;
    unit_begin(p, &ctx);
    if (db_pool_take(api->o.pool, &ctx.db, &ctx.fault)) {
        say(p, &ctx, "pump_failed");
        return;
    }
    size_t n = deliver(p, &ctx);
    /* Someone waits for those who listen: tell them before going on with what is slower. */
    if (n) api_events_wake(p->api);
    if (ctx.now_ms >= p->due_ms || p->now_ms - p->looked_ms >= LOOK_MS) {
        p->looked_ms = p->now_ms;
        n += run_due(p, &ctx);
    }
    if (p->now_ms - p->swept_ms >= SWEEP_MS) {
        p->swept_ms = p->now_ms;
        sweep(p, &ctx);
    }
    p->full = n > 0;
    arena_reset(&p->arena);
    db_pool_give(api->o.pool, ctx.db);
}

static void work(void *arg) {
    is_pumping = true;
    pump(arg);
    is_pumping = false;
}

static bool begin(void *arg) {
    struct pump *p = arg;
    p->now_ms = loop_now_ms(p->api->o.loop);
    return true;
}

static bool done(void *arg) {
    return ((struct pump *)arg)->full;
}

static bool tick(void *arg) {
    struct pump *p = arg;
    const struct world *w = p->api->o.world;
    if (runner_is_working(&p->runner)) return false;
    return w->utc_ms(w->self) >= p->due_ms || loop_now_ms(p->api->o.loop) - p->looked_ms >= LOOK_MS;
}

void api_wake(void *arg) {
    const struct api *api = arg;
    if (api->pump && !is_pumping) runner_wake(&api->pump->runner);
}

static struct pump *pump_new(struct api *api, int64_t now_ms) {
    struct pump *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->api = api;
    p->looked_ms = p->swept_ms = now_ms - SWEEP_MS;
    arena_init(&p->arena, RUN_BYTES);
    return p;
}

bool api_run_now(struct api *api) {
    const struct world *w = api->o.world;
    int64_t now_ms = w->mono_us(w->self) / 1000;
    if (!api->pump) api->pump = pump_new(api, now_ms);
    if (!api->pump) return false;
    api->pump->now_ms = now_ms;
    work(api->pump);
    return api->pump->full;
}

enum err api_start(struct api *api) {
    struct pump *p = pump_new(api, loop_now_ms(api->o.loop));
    if (!p) return ERR_INTERNAL;
    enum err e = runner_start(&p->runner, api->o.loop, TICK_MS, &(struct runner_calls){tick, begin, work, done, p});
    if (e) {
        pump_destroy(p);
        return e;
    }
    api->pump = p;
    runner_wake(&p->runner);
    return OK;
}

bool pump_is_busy(const struct pump *p) {
    return p && runner_is_busy(&p->runner);
}

void pump_close(struct pump *p) {
    if (p) runner_stop(&p->runner);
}

void pump_destroy(struct pump *p) {
    if (!p) return;
    arena_finish(&p->arena);
    free(p);
}
