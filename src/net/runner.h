/* Work that comes again: on a worker, one run at a time, and once more where it was woken meanwhile.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_RUNNER_H
#define LINLI_NET_RUNNER_H

#include "net/loop.h"

#include <pthread.h>
#include <stdatomic.h>

struct runner_calls {
    bool (*tick)(void *arg); /* loop thread, every tick_ms, while a run is under way too.  True: as if woken */
    bool (*begin)(
        void *arg);          /* loop thread, before each run; may be NULL.  False: not now, and the wake is forgotten */
    void (*work)(void *arg); /* a worker: the run itself */
    bool (*done)(void *arg); /* loop thread, after each run, even where a stop came first.  True: as if woken */
    void *arg;
};
/* Zero before runner_start; its memory must stay as long as runner_is_busy, or until the loop is destroyed. */
struct runner {
    struct loop *loop;
    struct loop_timer *timer;
    struct runner_calls calls;
    struct loop_task task;
    pthread_mutex_t running; /* held by a run */
    atomic_bool is_posted, is_stopped;
    bool is_woken, is_working;
};
/* Loop thread.  The first tick comes after tick_ms, the first run with the first wake.  ERR_INTERNAL: no memory. */
NODISCARD enum err runner_start(struct runner *r, struct loop *loop, int64_t tick_ms, const struct runner_calls *calls);
/* From any thread: a run will begin after this call; wakes that fall together share it.  Where no worker is free, each
 * tick tries again.  Does nothing before the start and after the stop. */
void runner_wake(struct runner *r);
bool runner_is_working(const struct runner *r); /* is a run under way?  Loop thread */
/* Loop thread: no tick and no run begins any more; the one under way goes on to its end.  More than once is fine. */
void runner_stop(struct runner *r);
/* The same, and waits for that end, so that what the run works on may go.  Runs must not wait for the loop. */
void runner_end(struct runner *r);
bool runner_is_busy(const struct runner *r); /* a run or a wake is still on its way.  Loop thread */

#endif
