/* What runs without being asked: delivery of events, timers, jobs, and the sweeping of what is kept for a day.  One run
 * at a time, on a worker; woken by commits, and by a tick for what others committed and what falls due.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "kernel/outbox.h"
#include "kernel/work.h"

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
    struct loop_timer *timer;
    struct loop_task wake;
    atomic_bool is_posted;
    bool is_working, is_closed;
    /* between runs: the loop's; within: the worker's */
    bool woken, full;
    int64_t due_ms, looked_ms, swept_ms, now_ms;
    size_t delivered;
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

static void deliver(struct pump *p, struct ctx *ctx) {
    size_t done = DELIVER_MOST;
    for (int round = 0; round < ROUNDS_MOST && done == DELIVER_MOST; round++) {
        unit_begin(p, ctx);
        if (events_deliver(ctx, DELIVER_MOST, &done)) {
            log_failure(p->api, ctx->trace, "deliver_failed", &ctx->fault, db_detail(ctx->db));
            return;
        }
        p->delivered += done;
        /* A handler of one event may have made the next one. */
        if (done) atomic_fetch_add(&p->api->counters.events_delivered, (int64_t)done);
    }
    p->full = p->delivered > 0;
}

static void run_due(struct pump *p, struct ctx *ctx) {
    int64_t timers_ms = INT64_MAX, jobs_ms = INT64_MAX;
    size_t timers = 0, jobs = 0;
    unit_begin(p, ctx);
    if (timers_run(ctx, TIMERS_MOST, &timers, &timers_ms))
        log_failure(p->api, ctx->trace, "timers_failed", &ctx->fault, db_detail(ctx->db));
    unit_begin(p, ctx);
    if (jobs_run(ctx, &jobs, &jobs_ms)) log_failure(p->api, ctx->trace, "jobs_failed", &ctx->fault, db_detail(ctx->db));
    atomic_fetch_add(&p->api->counters.timers_run, (int64_t)timers);
    atomic_fetch_add(&p->api->counters.jobs_run, (int64_t)jobs);
    p->full |= timers + jobs > 0;
    p->due_ms = timers_ms < jobs_ms ? timers_ms : jobs_ms;
}

static void sweep(struct pump *p, struct ctx *ctx) {
    unit_begin(p, ctx);
    enum err e = events_prune(ctx);
    if (!e)
        e = db_exec(ctx->db, &ctx->fault,
                    "DELETE FROM idempotency WHERE at_ms IN (SELECT at_ms FROM idempotency WHERE at_ms < $1 ORDER BY "
                    "at_ms LIMIT 5000)",
                    VALS(V_I64(ctx->now_ms - KEPT_ANSWER_MS)), NULL);
    if (e) log_failure(p->api, ctx->trace, "sweep_failed", &ctx->fault, db_detail(ctx->db));
}

static void pump(struct pump *p) {
    const struct api *api = p->api;
    struct ctx ctx = {.kernel = api->o.kernel, .arena = &p->arena, .world = api->o.world};
    p->delivered = 0;
    p->full = false;
    unit_begin(p, &ctx);
    if (db_pool_take(api->o.pool, &ctx.db, &ctx.fault)) {
        log_failure(api, ctx.trace, "pump_failed", &ctx.fault, "");
        return;
    }
    deliver(p, &ctx);
    /* Someone waits for those who listen: tell them before going on with what is slower. */
    if (p->delivered) api_events_wake(p->api);
    if (ctx.now_ms >= p->due_ms || p->now_ms - p->looked_ms >= LOOK_MS) {
        p->looked_ms = p->now_ms;
        run_due(p, &ctx);
    }
    if (p->now_ms - p->swept_ms >= SWEEP_MS) {
        p->swept_ms = p->now_ms;
        sweep(p, &ctx);
    }
    arena_reset(&p->arena);
    db_pool_give(api->o.pool, ctx.db);
}

static void work(void *arg) {
    is_pumping = true;
    pump(arg);
    is_pumping = false;
}

static void go_on(struct pump *p);

static void done(void *arg) {
    struct pump *p = arg;
    p->is_working = false;
    p->woken |= p->full; /* what was done may have made more to do */
    if (p->woken) go_on(p);
}

static void go_on(struct pump *p) {
    if (p->is_working || p->is_closed) return;
    p->is_working = true;
    p->woken = false;
    p->now_ms = loop_now_ms(p->api->o.loop);
    if (loop_work(p->api->o.loop, work, done, p)) p->is_working = false; /* the tick comes again */
}

static void on_wake(void *arg) {
    struct pump *p = arg;
    atomic_store(&p->is_posted, false);
    p->woken = true;
    go_on(p);
}

void api_wake(void *arg) {
    const struct api *api = arg;
    if (api->pump && api->pump->timer && !is_pumping && !atomic_exchange(&api->pump->is_posted, true))
        loop_post_task(api->o.loop, &api->pump->wake);
}

static void on_tick(void *arg) {
    struct pump *p = arg;
    const struct world *w = p->api->o.world;
    if (p->is_working) return;
    bool due = w->utc_ms(w->self) >= p->due_ms;
    if (due || loop_now_ms(p->api->o.loop) - p->looked_ms >= LOOK_MS) go_on(p);
}

static struct pump *pump_new(struct api *api, int64_t now_ms) {
    struct pump *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->api = api;
    p->wake = (struct loop_task){.fn = on_wake, .arg = p};
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
    enum err e = loop_timer_create(api->o.loop, on_tick, p, &p->timer);
    if (e) {
        pump_destroy(p);
        return e;
    }
    api->pump = p;
    loop_timer_start(p->timer, 0, TICK_MS);
    return OK;
}

bool pump_is_busy(const struct pump *p) {
    return p && (p->is_working || atomic_load(&p->is_posted));
}

void pump_close(struct pump *p) {
    if (!p) return;
    p->is_closed = true;
    if (p->timer) loop_timer_stop(p->timer);
}

void pump_destroy(struct pump *p) {
    if (!p) return;
    loop_timer_destroy(p->timer);
    arena_finish(&p->arena);
    free(p);
}
