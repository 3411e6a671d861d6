/* Owns the turns of work that comes again.  SPDX-License-Identifier: Apache-2.0 */
#include "net/runner.h"

static void go_on(struct runner *r);

static void work(void *arg) {
    struct runner *r = arg;
    pthread_mutex_lock(&r->running);
    if (!atomic_load(&r->is_stopped)) r->calls.work(r->calls.arg);
    pthread_mutex_unlock(&r->running);
}

static void done(void *arg) {
    struct runner *r = arg;
    r->is_working = false;
    r->is_woken |= r->calls.done(r->calls.arg);
    go_on(r);
}

static void go_on(struct runner *r) {
    if (!r->is_woken || r->is_working || atomic_load(&r->is_stopped)) return;
    r->is_woken = false;
    if (r->calls.begin && !r->calls.begin(r->calls.arg)) return;
    r->is_working = !loop_work(r->loop, work, done, r);
    r->is_woken = !r->is_working; /* the next tick tries again */
}

static void on_wake(void *arg) {
    struct runner *r = arg;
    atomic_store(&r->is_posted, false);
    r->is_woken = true;
    go_on(r);
}

static void on_tick(void *arg) {
    struct runner *r = arg;
    r->is_woken |= r->calls.tick(r->calls.arg);
    go_on(r);
}

enum err runner_start(struct runner *r, struct loop *loop, int64_t tick_ms, const struct runner_calls *calls) {
    *r = (struct runner){.calls = *calls, .task = {.fn = on_wake, .arg = r}};
    pthread_mutex_init(&r->running, NULL);
    TRY(loop_timer_create(loop, on_tick, r, &r->timer));
    r->loop = loop;
    loop_timer_start(r->timer, tick_ms, tick_ms);
    return OK;
}

void runner_wake(struct runner *r) {
    if (!r->loop || atomic_load(&r->is_stopped)) return;
    if (!atomic_exchange(&r->is_posted, true)) loop_post_task(r->loop, &r->task);
}

bool runner_is_working(const struct runner *r) {
    return r->is_working;
}

void runner_stop(struct runner *r) {
    atomic_store(&r->is_stopped, true);
    loop_timer_destroy(r->timer);
    r->timer = NULL;
}

void runner_end(struct runner *r) {
    runner_stop(r);
    if (!r->loop) return;
    pthread_mutex_lock(&r->running);
    pthread_mutex_unlock(&r->running);
}

bool runner_is_busy(const struct runner *r) {
    return r->is_working || atomic_load(&r->is_posted);
}
