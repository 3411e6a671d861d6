/* The event loop: one thread that owns sockets and timers; everybody else posts to it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_LOOP_H
#define LINLI_NET_LOOP_H

#include "base/base.h"
#include "base/err.h"

struct loop;
typedef void loop_fn(void *arg);

/* The thread that calls loop_run is the loop thread; before it runs, the thread that made the loop is.  SIGPIPE is
 * ignored from here on.  ERR_INTERNAL: the system gave no loop. */
NODISCARD enum err loop_create(struct loop **ret);
/* After loop_run returned and everything opened on the loop was closed (not necessarily finished closing: this call
 * runs what is left, posted calls and work too).  NULL is fine. */
void loop_destroy(struct loop *loop);
void loop_run(struct loop *loop);  /* until loop_stop */
void loop_stop(struct loop *loop); /* from any thread; loop_run returns after the current round */
/* Turns the loop until is_busy says no: what ends on it has ended then. */
void loop_turn_while(struct loop *loop, bool (*is_busy)(void *arg), void *arg);
bool loop_is_here(const struct loop *loop);   /* is the caller the loop thread? */
int64_t loop_now_ms(const struct loop *loop); /* never goes back; the round's start; loop thread only */

/* Runs fn on the loop thread, in order of posting, from any thread.  ERR_BUSY: 65,536 calls are waiting. */
NODISCARD enum err loop_post(struct loop *loop, loop_fn *fn, void *arg);

/* The same without allocation and limit: the caller owns the task (zero before the first use), which may be posted
 * again from the moment its fn is called. */
struct loop_task {
    struct loop_task *next;
    loop_fn *fn;
    void *arg;
};
void loop_post_task(struct loop *loop, struct loop_task *task);

/* Runs fn on a worker thread, then done (may be NULL) on the loop thread.  From the loop thread.  Workers are libuv's
 * (UV_THREADPOOL_SIZE, 4 unless set).  ERR_BUSY: 4,096 are under way. */
NODISCARD enum err loop_work(struct loop *loop, loop_fn *fn, loop_fn *done, void *arg);

/* Timers, loop thread only.  every_ms 0: once.  Starting a running timer restarts it. */
struct loop_timer;
NODISCARD enum err loop_timer_create(struct loop *loop, loop_fn *fn, void *arg, struct loop_timer **ret);
void loop_timer_start(struct loop_timer *timer, int64_t after_ms, int64_t every_ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_destroy(struct loop_timer *timer); /* NULL is fine; also from its own fn */

/* Runs fn once behind the round under way, when everything that came in it has been heard; the loop does not sleep
 * before.  Starting one that is started does nothing.  Loop thread only. */
struct loop_soon;
NODISCARD enum err loop_soon_create(struct loop *loop, loop_fn *fn, void *arg, struct loop_soon **ret);
void loop_soon_start(struct loop_soon *soon);
void loop_soon_destroy(struct loop_soon *soon); /* fn is not called any more; NULL is fine; also from its own fn */

/* fn on the loop thread at each SIGTERM or SIGINT until the loop is destroyed.  Once a loop. */
NODISCARD enum err loop_on_stop_signal(struct loop *loop, loop_fn *fn, void *arg);

#endif
