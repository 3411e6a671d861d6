/* A week of a small community with everything going wrong that can.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/week.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#define DAYS      7
#define STEP_MS   (10 * WEEK_MINUTE)
#define FULL_FOR  (2 * WEEK_HOUR)
#define SKEW_MOST (8 * WEEK_HOUR)

/* ---- what goes wrong ---- */

static void jump(struct week *w) {
    int64_t by_ms = (int64_t)week_dice(w, 2 * SKEW_MOST) - SKEW_MOST;
    if (week_chance(w, 2)) by_ms /= 60; /* minutes */
    if (w->skew_ms && week_chance(w, 2)) by_ms = -w->skew_ms;
    if (w->skew_ms + by_ms > SKEW_MOST || w->skew_ms + by_ms < -SKEW_MOST) return;
    w->skew_ms += by_ms;
    atomic_fetch_add(&w->sim.utc_ms, by_ms);
}

static void plan_end(struct week *w) {
    int64_t ops = (int64_t)week_dice(w, week_chance(w, 2) ? 30 : 300);
    if (week_chance(w, 2)) {
        w->io.kill_after = ops + 1;
    } else {
        w->cut_at = io_sim_ops(w->disk) + ops;
        io_sim_cut_after(w->disk, ops);
    }
}

/* No end right behind it, by a kill or by giving up while it comes up or finds no room: what SQLite could not sync it
 * would find again as long as the machine runs, and trust.  Its next commit writes over it. */
static void fail_syncs(struct week *w) {
    io_sim_fail_syncs(w->disk, 1 + (int64_t)week_dice(w, 4));
    w->io.kill_after = -1;
    w->is_failing = true;
    w->sync_fails++;
}

static enum err commit(struct ctx *ctx, void *arg) {
    (void)arg;
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO counters (name, value) VALUES ('week', 1) ON CONFLICT (name) DO UPDATE SET value = "
                   "counters.value + 1",
                   NO_VALS, NULL);
}

static void mend_syncs(struct week *w) {
    if (!w->is_failing) return;
    io_sim_fail_syncs(w->disk, 0);
    w->is_failing = false;
    if (!w->is_full) CHECK(w->t, !week_do(w, commit, NULL) || week_is_off(w));
}

static void fill_disk(struct week *w, int64_t *until_ms) {
    io_sim_full_after(w->disk, (int64_t)week_dice(w, 200000));
    w->is_full = true;
    *until_ms = week_true_now(w) + (int64_t)week_dice(w, FULL_FOR);
}

/* ---- lived ---- */

/* Whatever was cut off comes up again; a change of rules that failed half way is begun anew. */
static bool keep_alive(struct week *w) {
    bool settled = week_settle(w);
    for (int i = 0; i < 8 && !settled && !week_is_off(w) && !w->is_full; i++)
        settled = week_settle(w); /* a failed sync */
    CHECK_SAY(w->t, settled || w->is_full || week_is_off(w), "something fails on a sound disk");
    for (int i = 0; i < 5; i++) {
        bool off = week_is_off(w);
        if (!off && (settled || !w->rules_changed)) break;
        week_restart(w);
        if (!w->api) return false;
        settled = week_settle(w);
        if (week_is_off(w)) continue;
        week_check(w, settled);
    }
    return settled;
}

static void live(struct week *w) {
    int64_t full_until_ms = 0, checked_ms = 0, end_ms = week_true_now(w) + DAYS * 24 * WEEK_HOUR;
    while (week_true_now(w) < end_ms && w->api && !w->t->failed) {
        world_sim_advance(&w->sim, STEP_MS / 2 + (int64_t)week_dice(w, STEP_MS));
        mend_syncs(w);
        if (week_chance(w, 80)) jump(w);
        if (week_chance(w, 40)) plan_end(w);
        if (!w->is_full && week_chance(w, 100)) fail_syncs(w);
        if (!w->is_full && !w->is_failing && week_chance(w, 200)) fill_disk(w, &full_until_ms);
        if (w->is_full && week_true_now(w) >= full_until_ms) {
            io_sim_full_after(w->disk, -1);
            w->is_full = false;
        }
        week_devices_speak(w);
        if (!week_is_off(w)) week_people_act(w);
        if (!week_is_off(w) && week_chance(w, 4)) week_send_again(w);
        bool settled = keep_alive(w);
        if (w->api && week_chance(w, 4))
            week_read_events(w, &w->readers[1 + week_dice(w, WEEK_READERS - 1)], week_chance(w, 2));
        if (w->api && week_true_now(w) - checked_ms >= WEEK_HOUR && !week_is_off(w)) {
            checked_ms = week_true_now(w);
            week_check(w, settled);
        }
    }
}

/* The faults end; a day later everything is as it must be. */
static void calm_down(struct week *w) {
    io_sim_full_after(w->disk, -1);
    io_sim_cut_after(w->disk, -1);
    io_sim_fail_syncs(w->disk, 0);
    w->cut_at = w->io.kill_after = -1;
    w->is_full = w->is_failing = false;
    for (int i = 0; i < 30 && !w->t->failed; i++) {
        world_sim_advance(&w->sim, WEEK_HOUR);
        week_send_again(w);
        CHECK(w->t, keep_alive(w));
        for (size_t r = 0; r < WEEK_READERS; r++) week_read_events(w, &w->readers[r], true);
    }
    CHECK_SAY(w->t, !w->resend_n, "every request has its answer");
    week_check(w, true);
}

static void a_week(struct t *t, uint64_t seed) {
    static struct week w;
    if (week_begin(&w, t, seed) && !week_do(&w, week_town_make, &w) && week_settle(&w)) {
        live(&w);
        if (w.api) calm_down(&w);
        CHECK(t, w.kills && w.cuts && w.sync_fails && w.acked_points > 1000 && w.acked_writes > 200 && w.replays &&
                     w.stale && w.confirmed);
        printf("# seed %" PRIu64 ": %" PRId64 " readings, %" PRId64 " refused, %" PRId64 " writes, %" PRId64
               " replays, %" PRId64 " stale, %" PRId64 " answered 503, %zu events, %" PRId64 " fires, %" PRId64
               " failing syncs, %" PRId64 " kills, %" PRId64 " power cuts, %" PRId64 " checks\n",
               seed, w.acked_points, w.refused, w.acked_writes, w.replays, w.stale, w.unavailable, w.numbered_n,
               w.confirmed, w.sync_fails, w.kills, w.cuts, w.checks);
    } else {
        CHECK_SAY(t, false, "the week does not begin");
    }
    if (t->failed) printf("# the week of seed %" PRIu64 " failed: --seed does it again\n", seed);
    week_end(&w);
}

static void the_first_week_loses_nothing_with_everything_going_wrong(struct t *t) {
    a_week(t, t->seed);
}

static void another_week_does_neither(struct t *t) {
    a_week(t, t->seed + 1000000);
}

static void nor_does_a_third(struct t *t) {
    a_week(t, t->seed + 2000000);
}

TESTS(CASE(the_first_week_loses_nothing_with_everything_going_wrong), CASE(another_week_does_neither),
      CASE(nor_does_a_third))
