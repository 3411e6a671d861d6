/* Owns the event loop: posted calls, work on other threads, timers, stop signals.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/loop_internal.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#define POSTED_MAX 65536
#define WORKS_MAX  4096
#define FILES      65536

struct posted {
    struct loop_task task;
    struct loop *loop;
    loop_fn *fn;
    void *arg;
};

struct work {
    uv_work_t req;
    struct loop *loop;
    loop_fn *fn, *done;
    void *arg;
};

struct loop_soon {
    uv_check_t check; /* runs behind the poll */
    uv_idle_t idle;   /* while it is active, the poll does not wait */
    loop_fn *fn;
    void *arg;
    int handles;
};

struct loop_timer {
    uv_timer_t uv;
    loop_fn *fn;
    void *arg;
};

/* Takes what is queued now; what the calls themselves post comes in the next round. */
static void run_posted(struct loop *loop) {
    pthread_mutex_lock(&loop->mutex);
    struct loop_task *task = loop->first;
    loop->first = loop->last = NULL;
    pthread_mutex_unlock(&loop->mutex);
    while (task) {
        struct loop_task *next = task->next; /* fn may free or post the task anew */
        task->fn(task->arg);
        task = next;
    }
}

static void on_wake(uv_async_t *wake) {
    run_posted(wake->data);
}

static void enqueue(struct loop *loop, struct loop_task *task) {
    task->next = NULL;
    if (loop->last)
        loop->last->next = task;
    else
        loop->first = task;
    loop->last = task;
}

/* Shells give a thousand files, so that old programs with select() work; connections and months of readings are more.
 */
static void allow_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES) return;
    limit.rlim_cur = limit.rlim_max < FILES ? limit.rlim_max : FILES;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

enum err loop_create(struct loop **ret) {
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop) return ERR_INTERNAL;
    if (uv_loop_init(&loop->uv)) goto out_free;
    if (uv_async_init(&loop->uv, &loop->wake, on_wake)) goto out_loop;
    pthread_mutex_init(&loop->mutex, NULL);
    loop->wake.data = loop;
    loop->uv.data = loop;
    loop->thread = uv_thread_self();
    signal(SIGPIPE, SIG_IGN);
    allow_files();
    *ret = loop;
    return OK;
out_loop:
    (void)uv_loop_close(&loop->uv);
out_free:
    free(loop);
    return ERR_INTERNAL;
}

static bool queue_is_empty(struct loop *loop) {
    pthread_mutex_lock(&loop->mutex);
    bool is_empty = !loop->first;
    pthread_mutex_unlock(&loop->mutex);
    return is_empty;
}

void loop_destroy(struct loop *loop) {
    if (!loop) return;
    loop->thread = uv_thread_self();
    /* Work under way posts its result through libuv, which keeps the loop alive; the wake handle closes last. */
    uv_unref((uv_handle_t *)&loop->wake);
    for (size_t i = 0; loop->has_signals && i < COUNT(loop->signals); i++)
        uv_close((uv_handle_t *)&loop->signals[i], NULL);
    do {
        run_posted(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    } while (!queue_is_empty(loop));
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&loop->uv);
    assert(!busy);
    (void)busy;
    pthread_mutex_destroy(&loop->mutex);
    free(loop);
}

void loop_run(struct loop *loop) {
    loop->thread = uv_thread_self();
    while (!atomic_load(&loop->stopping)) uv_run(&loop->uv, UV_RUN_DEFAULT);
    atomic_store(&loop->stopping, false);
}

static void stop_here(void *arg) {
    struct loop *loop = arg;
    uv_stop(&loop->uv);
}

void loop_stop(struct loop *loop) {
    atomic_store(&loop->stopping, true);
    if (loop_is_here(loop))
        stop_here(loop);
    else if (loop_post(loop, stop_here, loop)) /* queue full: the flag is read when the round ends */
        uv_async_send(&loop->wake);
}

bool loop_is_here(const struct loop *loop) {
    uv_thread_t self = uv_thread_self();
    return uv_thread_equal(&self, &loop->thread) != 0;
}

int64_t loop_now_ms(const struct loop *loop) {
    return (int64_t)uv_now(&loop->uv);
}

static void run_one_posted(void *arg) {
    struct posted *posted = arg;
    struct loop *loop = posted->loop;
    pthread_mutex_lock(&loop->mutex);
    loop->posted--;
    pthread_mutex_unlock(&loop->mutex);
    loop_fn *fn = posted->fn;
    void *fn_arg = posted->arg;
    free(posted);
    fn(fn_arg);
}

enum err loop_post(struct loop *loop, loop_fn *fn, void *arg) {
    struct posted *posted = malloc(sizeof(*posted));
    if (!posted) return ERR_INTERNAL;
    *posted = (struct posted){{NULL, run_one_posted, posted}, loop, fn, arg};
    pthread_mutex_lock(&loop->mutex);
    bool has_room = loop->posted < POSTED_MAX;
    if (has_room) {
        loop->posted++;
        enqueue(loop, &posted->task);
    }
    pthread_mutex_unlock(&loop->mutex);
    if (!has_room) {
        free(posted);
        return ERR_BUSY;
    }
    uv_async_send(&loop->wake);
    return OK;
}

void loop_post_task(struct loop *loop, struct loop_task *task) {
    pthread_mutex_lock(&loop->mutex);
    enqueue(loop, task);
    pthread_mutex_unlock(&loop->mutex);
    uv_async_send(&loop->wake);
}

static void work_run(uv_work_t *req) {
    struct work *work = req->data;
    work->fn(work->arg);
}

static void work_done(uv_work_t *req, int status) {
    (void)status; /* work is never cancelled */
    struct work *work = req->data;
    work->loop->works--;
    loop_fn *done = work->done;
    void *arg = work->arg;
    free(work);
    if (done) done(arg);
}

enum err loop_work(struct loop *loop, loop_fn *fn, loop_fn *done, void *arg) {
    if (loop->works >= WORKS_MAX) return ERR_BUSY;
    struct work *work = malloc(sizeof(*work));
    if (!work) return ERR_INTERNAL;
    *work = (struct work){.loop = loop, .fn = fn, .done = done, .arg = arg};
    work->req.data = work;
    if (uv_queue_work(&loop->uv, &work->req, work_run, work_done)) {
        free(work);
        return ERR_INTERNAL;
    }
    loop->works++;
    return OK;
}

enum err loop_timer_create(struct loop *loop, loop_fn *fn, void *arg, struct loop_timer **ret) {
    struct loop_timer *timer = calloc(1, sizeof(*timer));
    if (!timer) return ERR_INTERNAL;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->fn = fn;
    timer->arg = arg;
    *ret = timer;
    return OK;
}

static void on_timer(uv_timer_t *uv) {
    struct loop_timer *timer = uv->data;
    timer->fn(timer->arg);
}

void loop_timer_start(struct loop_timer *timer, int64_t after_ms, int64_t every_ms) {
    assert(after_ms >= 0 && every_ms >= 0);
    uv_update_time(timer->uv.loop);
    uv_timer_start(&timer->uv, on_timer, (uint64_t)after_ms, (uint64_t)every_ms);
}

void loop_timer_stop(struct loop_timer *timer) {
    uv_timer_stop(&timer->uv);
}

static void timer_gone(uv_handle_t *handle) {
    free(handle->data);
}

void loop_timer_destroy(struct loop_timer *timer) {
    if (timer) uv_close((uv_handle_t *)&timer->uv, timer_gone);
}

enum err loop_soon_create(struct loop *loop, loop_fn *fn, void *arg, struct loop_soon **ret) {
    struct loop_soon *soon = calloc(1, sizeof(*soon));
    if (!soon) return ERR_INTERNAL;
    uv_check_init(&loop->uv, &soon->check);
    uv_idle_init(&loop->uv, &soon->idle);
    soon->check.data = soon->idle.data = soon;
    soon->fn = fn;
    soon->arg = arg;
    soon->handles = 2;
    *ret = soon;
    return OK;
}

static void on_idle(uv_idle_t *idle) {
    (void)idle;
}

static void on_check(uv_check_t *check) {
    struct loop_soon *soon = check->data;
    uv_check_stop(&soon->check);
    uv_idle_stop(&soon->idle);
    soon->fn(soon->arg);
}

void loop_soon_start(struct loop_soon *soon) {
    uv_check_start(&soon->check, on_check);
    uv_idle_start(&soon->idle, on_idle);
}

static void soon_gone(uv_handle_t *handle) {
    struct loop_soon *soon = handle->data;
    if (!--soon->handles) free(soon);
}

void loop_soon_destroy(struct loop_soon *soon) {
    if (!soon) return;
    uv_close((uv_handle_t *)&soon->check, soon_gone);
    uv_close((uv_handle_t *)&soon->idle, soon_gone);
}

static void on_signal(uv_signal_t *signal_handle, int number) {
    (void)number;
    struct loop *loop = signal_handle->data;
    loop->on_signal(loop->signal_arg);
}

enum err loop_on_stop_signal(struct loop *loop, loop_fn *fn, void *arg) {
    static const int numbers[] = {SIGTERM, SIGINT};
    assert(!loop->has_signals);
    loop->on_signal = fn;
    loop->signal_arg = arg;
    loop->has_signals = true;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uv_signal_init(&loop->uv, &loop->signals[i]);
        loop->signals[i].data = loop;
    }
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (uv_signal_start(&loop->signals[i], on_signal, numbers[i])) return ERR_INTERNAL;
    return OK;
}

/* ---- waiting for what ends on the loop ---- */

struct wait {
    struct loop *loop;
    bool (*is_busy)(void *arg);
    void *arg;
};

static void on_wait(void *arg) {
    struct wait *w = arg;
    if (!w->is_busy(w->arg)) loop_stop(w->loop);
}

void loop_turn_while(struct loop *loop, bool (*is_busy)(void *arg), void *arg) {
    struct wait w = {loop, is_busy, arg};
    struct loop_timer *timer;
    if (!is_busy(arg) || loop_timer_create(loop, on_wait, &w, &timer)) return;
    loop_timer_start(timer, 1, 5);
    loop_run(loop);
    loop_timer_destroy(timer);
}
