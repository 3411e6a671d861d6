/* Work that comes again: never twice at a time, never forgotten, over when it is stopped.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/runner.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <semaphore.h>

struct turns {
    struct test_loop tl;
    struct runner runner;
    sem_t begun, go; /* a run posts the one and waits for the other, where it is gated */
    bool gated;
    int left; /* runs under way behind an end */
    atomic_bool refuses, again, ticks;
    _Atomic int at_once, most_at_once, runs, dones, asked;
    _Atomic int64_t told, seen;
};

static bool tick(void *arg) {
    return atomic_load(&((struct turns *)arg)->ticks);
}
static bool begin(void *arg) {
    struct turns *s = arg;
    atomic_fetch_add(&s->asked, 1);
    return !atomic_load(&s->refuses);
}
static void work(void *arg) {
    struct turns *s = arg;
    int now = atomic_fetch_add(&s->at_once, 1) + 1;
    if (now > atomic_load(&s->most_at_once)) atomic_store(&s->most_at_once, now);
    atomic_store(&s->seen, atomic_load(&s->told));
    atomic_fetch_add(&s->runs, 1);
    if (s->gated) {
        sem_post(&s->begun);
        sem_wait(&s->go);
    }
    atomic_fetch_sub(&s->at_once, 1);
}
static bool done(void *arg) {
    struct turns *s = arg;
    atomic_fetch_add(&s->dones, 1);
    return atomic_exchange(&s->again, false);
}

/* False: not within far more than it takes. */
static bool has_begun(struct turns *s) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PEER_WAIT_MS / 1000;
    return !sem_timedwait(&s->begun, &end);
}

static void nothing(void *arg) {
    (void)arg;
}

static void start(struct turns *s, struct t *t, int64_t tick_ms, bool gated) {
    *s = (struct turns){.gated = gated};
    sem_init(&s->begun, 0, 0);
    sem_init(&s->go, 0, 0);
    runner_wake(&s->runner); /* before the start: nothing */
    CHECK(t, !loop_create(&s->tl.loop));
    const struct runner_calls calls = {tick, begin, work, done, s};
    CHECK(t, !runner_start(&s->runner, s->tl.loop, tick_ms, &calls));
    test_loop_start(&s->tl);
}

static void stop_here(void *arg) {
    struct turns *s = arg;
    runner_stop(&s->runner);
    runner_stop(&s->runner); /* again is fine */
}

static void end(struct turns *s, struct t *t) {
    test_on_loop(s->tl.loop, stop_here, s);
    for (int i = 0; i < 10; i++) sem_post(&s->go);
    test_loop_end(&s->tl, NULL, NULL); /* a run under way is waited for */
    CHECK(t, !runner_is_busy(&s->runner));
    CHECK(t, atomic_load(&s->most_at_once) <= 1 && atomic_load(&s->runs) == atomic_load(&s->dones));
    sem_destroy(&s->begun);
    sem_destroy(&s->go);
}

/* Waits until the number is reached; false: it is not within far more than it takes. */
static bool comes_to(struct turns *s, const _Atomic int *number, int n) {
    for (int i = 0; i < PEER_WAIT_MS && atomic_load(number) < n; i++) (void)poll(NULL, 0, 1);
    test_on_loop(s->tl.loop, nothing, NULL); /* what the loop had to do at once is done */
    return atomic_load(number) == n;
}

static void woken_while_it_runs_it_runs_once_more(struct t *t) {
    struct turns s;
    start(&s, t, 60000, true);
    runner_wake(&s.runner);
    CHECK(t, has_begun(&s));
    for (int i = 0; i < 3; i++) {
        runner_wake(&s.runner);
        test_on_loop(s.tl.loop, nothing, NULL);
    }
    CHECK(t, atomic_load(&s.runs) == 1);
    sem_post(&s.go);
    CHECK(t, has_begun(&s));
    sem_post(&s.go);
    CHECK(t, comes_to(&s, &s.dones, 2));
    CHECK(t, atomic_load(&s.runs) == 2); /* nobody woke it since */
    end(&s, t);
}

static void *tell(void *arg) {
    struct turns *s = arg;
    for (int i = 0; i < 2000; i++) {
        atomic_fetch_add(&s->told, 1);
        runner_wake(&s->runner);
    }
    return NULL;
}

static void what_was_told_before_a_wake_is_seen_by_a_run(struct t *t) {
    struct turns s;
    pthread_t threads[3];
    start(&s, t, 60000, false);
    for (size_t i = 0; i < COUNT(threads); i++) CHECK(t, !pthread_create(&threads[i], NULL, tell, &s));
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < PEER_WAIT_MS && atomic_load(&s.seen) < 6000; i++) (void)poll(NULL, 0, 1);
    CHECK_SAY(t, atomic_load(&s.seen) == 6000, "%d runs", atomic_load(&s.runs));
    end(&s, t);
}

static void it_is_asked_before_a_run_and_after_it(struct t *t) {
    struct turns s;
    start(&s, t, 60000, false);
    atomic_store(&s.refuses, true);
    runner_wake(&s.runner);
    CHECK(t, comes_to(&s, &s.asked, 1));
    CHECK(t, atomic_load(&s.runs) == 0);
    atomic_store(&s.refuses, false);
    atomic_store(&s.again, true);
    runner_wake(&s.runner);
    CHECK(t, comes_to(&s, &s.dones, 2));
    CHECK(t, atomic_load(&s.asked) == 3);
    end(&s, t);
}

static void a_tick_wakes_where_it_says_so(struct t *t) {
    struct turns s;
    start(&s, t, 1, false);
    CHECK(t, atomic_load(&s.runs) == 0);
    atomic_store(&s.ticks, true);
    for (int i = 0; i < PEER_WAIT_MS && atomic_load(&s.dones) < 3; i++) (void)poll(NULL, 0, 1);
    CHECK(t, atomic_load(&s.dones) >= 3);
    end(&s, t);
}

static void a_stop_lets_the_run_under_way_end_and_begins_none(struct t *t) {
    struct turns s;
    start(&s, t, 60000, true);
    runner_wake(&s.runner);
    CHECK(t, has_begun(&s));
    runner_wake(&s.runner);
    atomic_store(&s.again, true);
    test_on_loop(s.tl.loop, stop_here, &s);
    CHECK(t, runner_is_busy(&s.runner));
    sem_post(&s.go);
    CHECK(t, comes_to(&s, &s.dones, 1));
    runner_wake(&s.runner); /* after the stop: nothing */
    CHECK(t, !runner_is_busy(&s.runner));
    end(&s, t);
    CHECK(t, atomic_load(&s.runs) == 1 && atomic_load(&s.asked) == 1);
}

static void the_loop_waits_for_the_run_under_way(struct t *t) {
    struct turns s;
    start(&s, t, 60000, true);
    runner_wake(&s.runner);
    CHECK(t, has_begun(&s));
    test_on_loop(s.tl.loop, stop_here, &s);
    loop_stop(s.tl.loop);
    pthread_join(s.tl.thread, NULL);
    CHECK(t, runner_is_busy(&s.runner) && atomic_load(&s.dones) == 0);
    sem_post(&s.go);
    loop_destroy(s.tl.loop);
    CHECK(t, !runner_is_busy(&s.runner) && atomic_load(&s.dones) == 1);
    sem_destroy(&s.begun);
    sem_destroy(&s.go);
}

static void end_here(void *arg) {
    struct turns *s = arg;
    runner_end(&s->runner);
    s->left = atomic_load(&s->at_once);
}

static void *let_go(void *arg) {
    (void)poll(NULL, 0, 20);
    sem_post(&((struct turns *)arg)->go);
    return NULL;
}

static void an_end_waits_for_the_run_under_way(struct t *t) {
    struct turns s;
    pthread_t thread;
    start(&s, t, 60000, true);
    runner_wake(&s.runner);
    CHECK(t, has_begun(&s));
    CHECK(t, !pthread_create(&thread, NULL, let_go, &s));
    test_on_loop(s.tl.loop, end_here, &s);
    pthread_join(thread, NULL);
    CHECK(t, s.left == 0 && comes_to(&s, &s.dones, 1)); /* what it works on may go */
    end(&s, t);
}

/* ---- no worker is free ---- */

static void hold(void *arg) {
    struct turns *s = arg;
    sem_wait(&s->go);
    sem_post(&s->go);
}

static void hold_all(void *arg) {
    struct turns *s = arg;
    while (!loop_work(s->tl.loop, hold, NULL, s)) continue; /* as many as may be under way */
}

static void where_no_worker_is_free_the_next_tick_tries_again(struct t *t) {
    struct turns s;
    start(&s, t, 1, false);
    test_on_loop(s.tl.loop, hold_all, &s);
    runner_wake(&s.runner);
    for (int i = 0; i < PEER_WAIT_MS && atomic_load(&s.asked) < 3; i++) (void)poll(NULL, 0, 1);
    CHECK(t, atomic_load(&s.asked) >= 3 && atomic_load(&s.runs) == 0);
    sem_post(&s.go);
    CHECK(t, comes_to(&s, &s.dones, 1));
    end(&s, t);
}

TESTS(CASE(an_end_waits_for_the_run_under_way), CASE(woken_while_it_runs_it_runs_once_more),
      CASE(what_was_told_before_a_wake_is_seen_by_a_run), CASE(it_is_asked_before_a_run_and_after_it),
      CASE(a_tick_wakes_where_it_says_so), CASE(a_stop_lets_the_run_under_way_end_and_begins_none),
      CASE(the_loop_waits_for_the_run_under_way), CASE(where_no_worker_is_free_the_next_tick_tries_again))
