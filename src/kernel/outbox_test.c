/* Events: once each, in order of their row, and never lost to a handler that fails; both stores.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/outbox.h"

#include "tests/lib/kernel_site.h"

#include <stdatomic.h>
#include <string.h>

static struct {
    int64_t refuses; /* row whose events the handler refuses */
    size_t handled;
    int64_t takes_ms;
} handler;

static enum err handle(struct ctx *ctx, const struct event *e) {
    if (e->row_id == handler.refuses) return FAIL(&ctx->fault, ERR_INVALID, "refused", "not this one");
    handler.handled++;
    if (handler.takes_ms) world_sim_advance(ctx->world->self, handler.takes_ms);
    return OK;
}
static const struct subscription listens[] = {{"samples.*", handle}};
static const struct module listening = {.name = "listening", .part = "platform", ROWS(listens, listens)};

static void open(struct kernel_site *s, struct t *t, size_t store) {
    static const struct module *const with[] = {&test_module, &listening};
    kernel_site_open(s, t, store);
    kernel_destroy(s->kernel);
    CHECK(t,
          !kernel_create(&(struct kernel_options){.modules = with, .modules_n = COUNT(with)}, &s->kernel, &t->fault));
    s->ctx.kernel = s->kernel;
    memset(&handler, 0, sizeof handler);
}

/* Delivers until the clock alone would bring more. */
static size_t deliver(struct kernel_site *s) {
    size_t done = 0, all = 0;
    do {
        CHECK_SAY(s->t, !events_deliver(&s->ctx, 10, &done), "%s", s->ctx.fault.text);
        all += done;
    } while (done);
    return all;
}

static void every_event_is_handled_once_and_numbered_without_gaps(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        int64_t before, last;
        open(&s, t, store);
        (void)deliver(&s);
        CHECK(t, !events_last(&s.ctx, &before));
        for (int i = 0; i < 25; i++) (void)kernel_site_sample(&s, S("one of many"), 0);
        CHECK(t, deliver(&s) == 25 && handler.handled == 25 && deliver(&s) == 0);
        CHECK(t, !events_last(&s.ctx, &last) && last == before + 25);
        CHECK(t, kernel_site_count(&s, "SELECT COUNT(DISTINCT number) FROM events WHERE number IS NOT NULL") == last);
        kernel_site_close(&s);
    }
}

/* Handlers that take long hold their rows for as long as half a second, not for as long as all that waits takes. */
static void a_batch_ends_after_its_time(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        size_t done = 0;
        open(&s, t, store);
        (void)deliver(&s);
        for (int i = 0; i < 9; i++) (void)kernel_site_sample(&s, S("one of many"), 0);
        handler.takes_ms = 200;
        CHECK(t, !events_deliver(&s.ctx, 10, &done) && done == 3 && handler.handled == 3);
        CHECK(t, !events_deliver(&s.ctx, 10, &done) && done == 3 && handler.handled == 6);
        handler.takes_ms = 700; /* one at a time, but one */
        CHECK(t, !events_deliver(&s.ctx, 10, &done) && done == 1 && handler.handled == 7);
        CHECK(t, deliver(&s) == 2 && handler.handled == 9);
        kernel_site_close(&s);
    }
}

static void an_event_that_is_set_aside_is_told_all_the_same(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        int64_t before, last;
        struct numbered_event *told;
        size_t n;
        bool reset;
        open(&s, t, store);
        (void)deliver(&s);
        CHECK(t, !events_last(&s.ctx, &before));
        handler.refuses = kernel_site_sample(&s, S("refused"), 0);
        (void)kernel_site_sample(&s, S("goes on"), 0);
        CHECK(t, deliver(&s) == 1 && handler.handled == 1);
        for (int i = 0; i < 40 && !kernel_site_count(&s, "SELECT COUNT(*) FROM events WHERE dead = 1"); i++) {
            kernel_site_later(&s, 600000);
            (void)deliver(&s);
        }
        CHECK(t, kernel_site_count(&s, "SELECT tries FROM events WHERE dead = 1") == 20);
        CHECK(t, !events_last(&s.ctx, &last) && last == before + 2);
        CHECK(t, !events_after(&s.ctx, before, 10, &told, &n, &reset) && n == 2 && !reset);
        CHECK(t, n == 2 && told[1].event.row_id == handler.refuses && told[1].number == last);
        kernel_site_later(&s, INT64_C(72) * 3600000); /* those who mend it find it long after */
        CHECK(t, !events_prune(&s.ctx) && kernel_site_count(&s, "SELECT COUNT(*) FROM events WHERE dead = 1") == 1);
        CHECK(t, kernel_site_count(&s, "SELECT COUNT(*) FROM events") == 1);
        kernel_site_close(&s);
    }
}

/* Moves the clock alone: people put it on and back. */
static void set_clock(struct kernel_site *s, int hours) {
    atomic_fetch_add(&s->t->sim.utc_ms, hours * INT64_C(3600000));
    kernel_site_later(s, 0);
}

static void an_event_is_delivered_at_once_though_the_clock_was_put_back(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        open(&s, t, store);
        (void)deliver(&s);
        (void)kernel_site_sample(&s, S("of nine o'clock"), 0);
        set_clock(&s, -8);
        CHECK(t, deliver(&s) == 1 && handler.handled == 1);
        kernel_site_close(&s);
    }
}

/* Three events, the clock moved before each, and before a client asks who saw none of them. */
static void who_was_away_misses_nothing_however_the_clock_is_set(struct t *t) {
    static const struct {
        int hours[3], away;
        bool is_reset;
        const char *why;
    } rows[] = {{{0, 0, 0}, 23, false, "away for less than a day"},
                {{0, 0, 0}, 25, true, "away for more"},
                {{0, -8, 0}, 0, false, "the clock was put back"},
                {{0, 8, -8}, 1, false, "put on and back"},
                {{0, 20, -8}, 0, false, "the middle one seems the newest"},
                {{0, -49, 49}, 0, true, "the middle one seems old, and is swept away"}};
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        open(&s, t, store);
        (void)deliver(&s);
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct numbered_event *told;
            int64_t before = 0, last = 0;
            size_t n;
            bool is_reset;
            set_clock(&s, 100); /* what the row before left is swept away */
            CHECK(t, !events_prune(&s.ctx) && !events_last(&s.ctx, &before));
            for (size_t e = 0; e < COUNT(rows[i].hours); e++) {
                set_clock(&s, rows[i].hours[e]);
                (void)kernel_site_sample(&s, S("one of three"), 0);
                CHECK(t, deliver(&s) == 1);
            }
            set_clock(&s, rows[i].away);
            CHECK(t, !events_prune(&s.ctx) && !events_last(&s.ctx, &last) && last == before + 3);
            CHECK(t, !events_after(&s.ctx, before, 10, &told, &n, &is_reset));
            CHECK_SAY(t, is_reset == rows[i].is_reset && (is_reset || n == 3), "%s: %zu events", rows[i].why, n);
            CHECK_SAY(t, !events_after(&s.ctx, last, 10, &told, &n, &is_reset) && !is_reset && !n, "%s: seen all",
                      rows[i].why);
        }
        kernel_site_close(&s);
    }
}

/* Whether somebody may be told of a row of his own is looked up: a store that fails says neither yes nor no. */
static void a_look_that_fails_is_no_answer(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        struct numbered_event *told;
        struct sample given = {0};
        size_t n = 0;
        bool reset, visible = false;
        int64_t failed = 0;
        open(&s, t, store);
        int64_t mine = kernel_site_sample(&s, S("given to Ben"), 0);
        SET(&test_samples, &given, worker_id, s.estate.ben);
        CHECK(t, !row_act(&s.ctx, &test_samples, mine, 0, "accept", &given, given.row.has, NULL));
        (void)kernel_site_sample(&s, S("nobody's"), 0);
        (void)deliver(&s);
        CHECK(t, !events_after(&s.ctx, 0, 100, &told, &n, &reset) && n > 2);
        ctx_begin(&s.ctx);
        CHECK(t, !test_actor(&s.ctx, "worker", s.estate.south, s.estate.ben, 0));
        const struct event *last = &told[n - 1].event, *first = last;
        for (size_t i = 0; i < n; i++)
            if (told[i].event.row_id == mine) first = &told[i].event;
        CHECK(t, !event_visible(&s.ctx, last, &visible) && !visible);
        for (int64_t at = 1; at < 50; at++) {
            int64_t ran = db_statements(s.ctx.db);
            db_fail_in(s.ctx.db, at);
            enum err e = event_visible(&s.ctx, first, &visible);
            bool reached = db_statements(s.ctx.db) - ran >= at;
            db_fail_in(s.ctx.db, 0);
            CHECK_SAY(t, e ? reached : visible, "statement %d: %s", (int)at, err_name(e));
            failed += e != OK;
            if (!reached) break;
        }
        CHECK(t, failed > 0 && visible);
        kernel_site_close(&s);
    }
}

TESTS(CASE(every_event_is_handled_once_and_numbered_without_gaps), CASE(a_batch_ends_after_its_time),
      CASE(an_event_that_is_set_aside_is_told_all_the_same),
      CASE(an_event_is_delivered_at_once_though_the_clock_was_put_back),
      CASE(who_was_away_misses_nothing_however_the_clock_is_set), CASE(a_look_that_fails_is_no_answer))
