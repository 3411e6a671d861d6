/* Timers and jobs by the clock, on both stores.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/work.h"

#include "tests/lib/kernel_site.h"

#include <stdio.h>
#include <string.h>

#define MINUTE INT64_C(60000)

static size_t run_timers(struct kernel_site *s) {
    size_t done = 0;
    int64_t next;
    CHECK_SAY(s->t, !timers_run(&s->ctx, 100, &done, &next), "%s", s->ctx.fault.text);
    return done;
}

static int64_t audited(struct kernel_site *s, const char *step) {
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM audit WHERE step = '%s'", step);
    return kernel_site_count(s, sql);
}

static void act(struct kernel_site *s, int64_t id, const char *step) {
    struct sample in = {0};
    if (!strcmp(step, "accept")) SET(&test_samples, &in, worker_id, s->estate.ben);
    CHECK_SAY(s->t, !row_act(&s->ctx, &test_samples, id, 0, step, &in, in.row.has, NULL), "%s: %s", step,
              s->ctx.fault.text);
}

static void a_timer_that_changes_the_state_runs_once(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        kernel_site_open(&s, t, store);
        (void)kernel_site_sample(&s, S("waits"), s.ctx.now_ms + MINUTE);
        CHECK(t, run_timers(&s) == 0 && audited(&s, "expire") == 0);
        kernel_site_later(&s, 2 * MINUTE - 1); /* a minute after the field */
        CHECK(t, run_timers(&s) == 0);
        kernel_site_later(&s, 1);
        CHECK(t, run_timers(&s) == 1 && audited(&s, "expire") == 1);
        kernel_site_later(&s, 100 * MINUTE);
        CHECK(t, run_timers(&s) == 0 && audited(&s, "expire") == 1);
        kernel_site_close(&s);
    }
}

static void a_timer_whose_step_stays_in_its_state_runs_once_a_time(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        kernel_site_open(&s, t, store);
        int64_t id = kernel_site_sample(&s, S("nagged"), s.ctx.now_ms + MINUTE);
        act(&s, id, "accept");
        kernel_site_later(&s, MINUTE);
        CHECK(t, run_timers(&s) == 1 && audited(&s, "nag") == 1);
        CHECK(t, kernel_site_count(&s, "SELECT COUNT(*) FROM timers") == 0);
        kernel_site_later(&s, 100 * MINUTE);
        CHECK(t, run_timers(&s) == 0 && audited(&s, "nag") == 1);
        struct sample later = {0}; /* another time: it waits anew, through changes of other fields, too */
        SET(&test_samples, &later, due_ms, s.ctx.now_ms + MINUTE);
        CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &later, later.row.has, NULL));
        struct sample other = {0};
        SET(&test_samples, &other, note, S("another word"));
        CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &other, other.row.has, NULL));
        kernel_site_later(&s, MINUTE);
        CHECK(t, run_timers(&s) == 1 && audited(&s, "nag") == 2);
        kernel_site_close(&s);
    }
}

static void a_timer_ends_with_what_it_waits_for(struct t *t) {
    struct kernel_site s;
    kernel_site_open(&s, t, 0);
    int64_t moved = kernel_site_sample(&s, S("moved on"), s.ctx.now_ms + MINUTE);
    int64_t archived = kernel_site_sample(&s, S("archived"), s.ctx.now_ms + MINUTE);
    act(&s, moved, "accept"); /* expire no longer waits, nag does */
    CHECK(t, !row_archive(&s.ctx, &test_samples, archived, 0));
    CHECK(t, kernel_site_count(&s, "SELECT COUNT(*) FROM timers") == 1);
    act(&s, moved, "start");
    act(&s, moved, "finish"); /* done_ms is there: nothing is due any more */
    CHECK(t, kernel_site_count(&s, "SELECT COUNT(*) FROM timers") == 0);
    kernel_site_close(&s);
}

static void a_timer_that_a_guard_refuses_comes_again(struct t *t) {
    struct kernel_site s;
    struct sample heavy = {0}, light = {0};
    kernel_site_open(&s, t, 0);
    int64_t id = kernel_site_sample(&s, S("heavy"), s.ctx.now_ms + MINUTE);
    act(&s, id, "accept");
    act(&s, id, "start");
    SET(&test_samples, &heavy, weight, 60000);
    CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &heavy, heavy.row.has, NULL));
    kernel_site_later(&s, MINUTE);
    CHECK(t, run_timers(&s) == 0 && kernel_site_count(&s, "SELECT COUNT(*) FROM timers") == 1);
    CHECK(t, run_timers(&s) == 0); /* not at once */
    SET(&test_samples, &light, weight, 10);
    CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &light, light.row.has, NULL));
    kernel_site_later(&s, 10 * MINUTE);
    CHECK(t, run_timers(&s) == 1 && audited(&s, "nag") == 1);
    kernel_site_close(&s);
}

/* ---- jobs by several processes ---- */

static struct {
    struct kernel_site *s;
    size_t runs;
    int64_t takes_ms;
    bool ask_other;
    size_t other_done;
    enum err (*instead)(struct ctx *ctx);
} busy;

static enum err do_busy(struct ctx *ctx) {
    busy.runs++;
    if (busy.instead) return busy.instead(ctx);
    if (!busy.ask_other) return OK;
    busy.ask_other = false;
    struct ctx other;
    int64_t next;
    world_sim_advance(&busy.s->t->sim, busy.takes_ms);
    kernel_site_other(busy.s, &other);
    CHECK(busy.s->t, !jobs_run(&other, &busy.other_done, &next));
    kernel_site_other_done(busy.s, &other);
    return OK;
}
static const struct job jobs[] = {{"test.busy", MINUTE, do_busy}};
static const struct module busy_module = {.name = "busy", .part = "platform", ROWS(jobs, jobs)};

static void open_busy(struct kernel_site *s, struct t *t, size_t store) {
    static const struct module *const with[] = {&test_module, &busy_module};
    kernel_site_open(s, t, store);
    kernel_destroy(s->kernel);
    CHECK(t,
          !kernel_create(&(struct kernel_options){.modules = with, .modules_n = COUNT(with)}, &s->kernel, &t->fault));
    s->ctx.kernel = s->kernel;
    memset(&busy, 0, sizeof busy);
    busy.s = s;
}

static void a_job_is_run_by_one_process_at_a_time(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        size_t done = 0;
        int64_t next;
        open_busy(&s, t, store);
        busy.ask_other = true;
        busy.takes_ms = 2 * MINUTE; /* it would be due again */
        CHECK(t, !jobs_run(&s.ctx, &done, &next) && done == 1 && busy.runs == 1 && busy.other_done == 0);
        CHECK(t, kernel_site_count(&s, "SELECT lease_ms FROM jobs") == 0);
        kernel_site_close(&s);
    }
}

static enum err lose_lease(struct ctx *ctx) { /* it took too long, and another process claimed the job */
    return db_exec(ctx->db, &ctx->fault, "UPDATE jobs SET lease_ms = lease_ms + 1", NO_VALS, NULL);
}

static void a_lease_that_was_lost_is_not_given_back(struct t *t) {
    struct kernel_site s;
    size_t done = 0;
    int64_t next;
    open_busy(&s, t, 0);
    busy.instead = lose_lease;
    CHECK(t, !jobs_run(&s.ctx, &done, &next) && done == 1);
    CHECK(t, kernel_site_count(&s, "SELECT lease_ms FROM jobs") > s.ctx.now_ms);
    kernel_site_close(&s);
}

TESTS(CASE(a_timer_that_changes_the_state_runs_once), CASE(a_timer_whose_step_stays_in_its_state_runs_once_a_time),
      CASE(a_timer_ends_with_what_it_waits_for), CASE(a_timer_that_a_guard_refuses_comes_again),
      CASE(a_job_is_run_by_one_process_at_a_time), CASE(a_lease_that_was_lost_is_not_given_back))
