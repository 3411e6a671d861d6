/* The loop: calls from other threads, work, timers, signals.  SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"
#include "tests/lib/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#define POSTS 1000

struct sum {
    struct loop *loop;
    struct loop_timer *timer;
    int count, elsewhere;
    bool was_here;
};

static void count_one(void *arg) {
    struct sum *sum = arg;
    if (++sum->count == 2 * POSTS) loop_stop(sum->loop);
    if (!loop_is_here(sum->loop)) sum->elsewhere++;
}

static void *post_many(void *arg) {
    struct sum *sum = arg;
    for (int i = 0; i < POSTS; i++)
        while (loop_post(sum->loop, count_one, sum) == ERR_BUSY) usleep(100);
    return NULL;
}

static void calls_of_other_threads_run_on_the_loop(struct t *t) {
    struct sum sum = {0};
    pthread_t threads[2];
    CHECK(t, !loop_create(&sum.loop));
    for (size_t i = 0; i < COUNT(threads); i++) CHECK(t, !pthread_create(&threads[i], NULL, post_many, &sum));
    loop_run(sum.loop);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    CHECK(t, sum.count == 2 * POSTS && sum.elsewhere == 0);
    loop_destroy(sum.loop);
}

static void posting_is_bounded(struct t *t) {
    struct sum sum = {.count = 2 * POSTS}; /* over the stop */
    CHECK(t, !loop_create(&sum.loop));
    int n = 0;
    enum err e = OK;
    while (n < 100000 && !(e = loop_post(sum.loop, count_one, &sum))) n++;
    CHECK_SAY(t, e == ERR_BUSY && n == 65536, "%d", n);
    loop_destroy(sum.loop);
    CHECK(t, sum.count == 2 * POSTS + n); /* what was posted is run, even at the end */
}

static void work_thread(void *arg) {
    struct sum *sum = arg;
    sum->was_here = loop_is_here(sum->loop);
    sum->count = 7;
}

static void work_finished(void *arg) {
    struct sum *sum = arg;
    if (loop_is_here(sum->loop)) sum->count *= 6;
    loop_stop(sum->loop);
}

static void work_runs_elsewhere_and_ends_here(struct t *t) {
    struct sum sum = {.was_here = true};
    CHECK(t, !loop_create(&sum.loop));
    CHECK(t, !loop_work(sum.loop, work_thread, work_finished, &sum));
    loop_run(sum.loop);
    CHECK(t, sum.count == 42 && !sum.was_here);
    CHECK(t, !loop_work(sum.loop, work_thread, NULL, &sum));
    loop_destroy(sum.loop); /* waits for it */
    CHECK(t, sum.count == 7);
}

static void tick(void *arg) {
    struct sum *sum = arg;
    if (++sum->count < 3) return;
    loop_timer_destroy(sum->timer); /* from its own call */
    loop_stop(sum->loop);
}

static void timer_repeats_until_destroyed(struct t *t) {
    struct sum sum = {0};
    CHECK(t, !loop_create(&sum.loop));
    CHECK(t, !loop_timer_create(sum.loop, tick, &sum, &sum.timer));
    int64_t before = loop_now_ms(sum.loop);
    loop_timer_start(sum.timer, 5, 5);
    loop_run(sum.loop);
    CHECK(t, sum.count == 3 && loop_now_ms(sum.loop) - before >= 15);
    loop_destroy(sum.loop);
}

static void on_stop(void *arg) {
    struct sum *sum = arg;
    sum->count++;
    loop_stop(sum->loop);
}

static void stop_signals_call_back(struct t *t) {
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct sum sum = {0};
        CHECK(t, !loop_create(&sum.loop));
        CHECK(t, !loop_on_stop_signal(sum.loop, on_stop, &sum));
        (void)kill(getpid(), numbers[i]);
        loop_run(sum.loop);
        CHECK(t, sum.count == 1);
        loop_destroy(sum.loop);
    }
}

static struct loop_task task;
static void again(void *arg) {
    struct sum *sum = arg;
    if (++sum->count < 5)
        loop_post_task(sum->loop, &task);
    else
        loop_stop(sum->loop);
}

static void task_may_be_posted_again_from_its_call(struct t *t) {
    struct sum sum = {0};
    CHECK(t, !loop_create(&sum.loop));
    task = (struct loop_task){.fn = again, .arg = &sum};
    loop_post_task(sum.loop, &task);
    loop_run(sum.loop);
    CHECK(t, sum.count == 5);
    loop_destroy(sum.loop);
}

struct round {
    struct loop *loop;
    struct loop_soon *soon;
    struct loop_task tasks[3];
    int calls, soons, calls_then;
};

static void call(void *arg) {
    struct round *r = arg;
    r->calls++;
    loop_soon_start(r->soon);
}

/* Nothing else wakes the loop: it would sleep for ever if what is soon let it. */
static void at_last(void *arg) {
    struct round *r = arg;
    r->calls_then = r->calls;
    if (++r->soons == 1) {
        loop_soon_start(r->soon);
    } else {
        loop_soon_destroy(r->soon);
        loop_stop(r->loop);
    }
}

static void what_is_soon_comes_once_behind_all_that_came(struct t *t) {
    struct round r = {0};
    CHECK(t, !loop_create(&r.loop) && !loop_soon_create(r.loop, at_last, &r, &r.soon));
    for (size_t i = 0; i < COUNT(r.tasks); i++) {
        r.tasks[i] = (struct loop_task){.fn = call, .arg = &r};
        loop_post_task(r.loop, &r.tasks[i]);
    }
    loop_run(r.loop);
    CHECK(t, r.soons == 2 && r.calls == 3 && r.calls_then == 3);
    loop_destroy(r.loop);
    CHECK(t, r.soons == 2);
}

static void a_process_with_a_loop_may_have_many_files(struct t *t) {
    struct loop *loop = NULL;
    struct rlimit limit;
    CHECK(t, !getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 64;
    CHECK(t, !setrlimit(RLIMIT_NOFILE, &limit) && !loop_create(&loop) && !getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(t, limit.rlim_cur == (limit.rlim_max < 65536 ? limit.rlim_max : 65536));
    loop_destroy(loop);
}

TESTS(CASE(calls_of_other_threads_run_on_the_loop), CASE(posting_is_bounded), CASE(work_runs_elsewhere_and_ends_here),
      CASE(timer_repeats_until_destroyed), CASE(stop_signals_call_back), CASE(task_may_be_posted_again_from_its_call),
      CASE(what_is_soon_comes_once_behind_all_that_came), CASE(a_process_with_a_loop_may_have_many_files))
