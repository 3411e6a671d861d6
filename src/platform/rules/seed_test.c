/* Rules over a restart: what they knew they know again, what was lost is made good, and nothing is raised twice.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/site_test_internal.h"

#define MINUTE INT64_C(60000)
#define DAY    (24 * 60 * MINUTE)

/* Durable, then judged. */
static void say(struct site *s, int64_t after_ms, double value) {
    store(s, "temp", after_ms, value);
    (void)hear(s, "pump", "temp", after_ms, value);
}

static void a_restart_raises_nothing_twice_and_forgets_no_end(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    say(&s, 1, 11);
    CHECK(t, alarms_open(&s) == 1);
    restart(&s, 1);
    say(&s, 2, 12);
    rules_tick(s.engine, s.now_ms + 1000);
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 1);
    restart(&s, 2);
    say(&s, 3, 7);
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 0);
    restart(&s, 3);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

static void a_crash_between_reading_and_alarm_is_made_good(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    say(&s, 1, 11); /* durable, but the verdict dies with the program */
    for (int i = 0; i < 2; i++) {
        restart(&s, 2);
        CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 1);
    }
    store(&s, "temp", 3, 5); /* it calmed, and nobody heard */
    restart(&s, 4);
    CHECK(t, alarms_open(&s) == 0);
    store(&s, "temp", 5, 99);
    restart(&s, 6 + RULES_FRESH_MS); /* history by now: nobody is called for it */
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* Of a batch that was acknowledged not only the last reading counts. */
static void a_breach_that_was_over_before_the_crash_is_made_good_too(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    say(&s, 1, 5);
    say(&s, 2, 90);
    say(&s, 3, 20);
    say(&s, 4, NAN);
    say(&s, 5, 7);
    say(&s, 6, 90);
    say(&s, 7, 7);
    for (int i = 0; i < 3; i++) {
        restart(&s, 8);
        CHECK(t, alarms_ever(&s) == 2 && alarms_open(&s) == 0);
        CHECK(t, count(&s, "SELECT MAX(since_ms) FROM alarms") == s.now_ms + 6 &&
                     count(&s, "SELECT MIN(calm_ms) FROM alarms") == s.now_ms + 5);
    }
    stop(&s);
}

/* A late reading was passed over when it came, and lies in the store where it belongs by its time. */
static void what_came_late_raises_no_second_alarm(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    say(&s, 10, 11);
    say(&s, 30, 12);
    say(&s, 20, 5);
    CHECK(t, alarms_ever(&s) == 1);
    restart(&s, 31);
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 1);
    say(&s, 40, 5);
    CHECK(t, alarms_open(&s) == 0);
    restart(&s, 41);
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 0);
    stop(&s);
}

static void an_alarm_ended_by_hand_does_not_come_again_for_the_same_cause(struct t *t) {
    for (int restarts = 0; restarts < 2; restarts++) {
        struct site s;
        start(&s, t);
        add_above(&s, 0, true);
        say(&s, 1, 11);
        CHECK(t, alarms_open(&s) == 1);
        end_by_hand(&s);
        CHECK(t, !rules_load(s.engine, &s.ctx));
        if (restarts) restart(&s, 1);
        rules_tick(s.engine, s.now_ms + 1000);
        say(&s, 2, 12);
        CHECK(t, alarms_ever(&s) == 1);
        if (restarts) restart(&s, 2 * DAY);
        say(&s, 2 * MINUTE, 9); /* on its way, not yet calm */
        say(&s, 3 * MINUTE, 12);
        CHECK(t, alarms_ever(&s) == 1);
        say(&s, 4 * MINUTE, 7);
        CHECK(t, alarms_ever(&s) == 1 && count(&s, "SELECT calm_ms FROM alarms") == s.now_ms + 4 * MINUTE);
        if (restarts) restart(&s, 4 * MINUTE);
        say(&s, 5 * MINUTE, 11);
        CHECK(t, alarms_ever(&s) == 2);
        stop(&s);
    }
}

/* The rest that came in the moment before the end ends the cause, too; one before the alarm does not. */
static void a_cause_that_ended_unseen_is_over(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    say(&s, 1, 5);
    say(&s, 2, 11);
    CHECK(t, alarms_open(&s) == 1);
    end_by_hand(&s);
    store(&s, "temp", 3, NAN);
    restart(&s, 4);
    say(&s, 5, 11);
    CHECK(t, alarms_ever(&s) == 1);
    store(&s, "temp", 6, 5);
    restart(&s, 7);
    say(&s, 8, 11);
    CHECK(t, alarms_ever(&s) == 2);
    stop(&s);
}

static void a_device_that_fell_silent_before_a_restart_is_missed_after_it(struct t *t) {
    struct site s;
    start(&s, t);
    add_silence(&s, 60);
    rules_tick(s.engine, s.now_ms + 60 * MINUTE);
    CHECK(t, alarms_ever(&s) == 0); /* never heard of at all */
    store(&s, "temp", -DAY, 5);
    store(&s, "load", -2 * DAY, 5);
    restart(&s, 0);
    rules_tick(s.engine, s.now_ms + 59999);
    CHECK(t, alarms_ever(&s) == 0);
    rules_tick(s.engine, s.now_ms + 60000);
    CHECK(t, alarms_ever(&s) == 1 && count(&s, "SELECT COUNT(*) FROM devices WHERE state = 'offline'") == 1);
    restart(&s, 61000);
    rules_tick(s.engine, s.now_ms + 200000);
    CHECK(t, alarms_ever(&s) == 1);
    hear(&s, "pump", "any", 200001, 1);
    CHECK(t, alarms_open(&s) == 0 && count(&s, "SELECT COUNT(*) FROM devices WHERE state = 'offline'") == 0);
    stop(&s);
}

static void a_silence_ended_by_hand_is_told_once_until_it_is_broken(struct t *t) {
    struct site s;
    start(&s, t);
    add_silence(&s, 60);
    say(&s, 1, 5);
    rules_tick(s.engine, s.now_ms + 2 * MINUTE);
    CHECK(t, alarms_open(&s) == 1);
    end_by_hand(&s);
    restart(&s, 3 * MINUTE);
    rules_tick(s.engine, s.now_ms + 30 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1);
    say(&s, 31 * MINUTE, 5);
    rules_tick(s.engine, s.now_ms + 31 * MINUTE + 59999);
    CHECK(t, alarms_ever(&s) == 1);
    rules_tick(s.engine, s.now_ms + 32 * MINUTE);
    CHECK(t, alarms_ever(&s) == 2);
    stop(&s);
}

static void a_duration_comes_full_whatever_restarts_come_between(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 1200, true);
    say(&s, 30 * 1000, 5);
    for (int minute = 1; minute <= 20; minute++) {
        say(&s, minute * MINUTE, 11);
        if (minute % 9 == 0) restart(&s, minute * MINUTE + 1);
        rules_tick(s.engine, s.now_ms + minute * MINUTE + 30000);
        CHECK_SAY(t, alarms_ever(&s) == 0, "after %d minutes", minute);
    }
    restart(&s, 20 * MINUTE + 30001);
    rules_tick(s.engine, s.now_ms + 21 * MINUTE - 1);
    CHECK(t, alarms_ever(&s) == 0);
    rules_tick(s.engine, s.now_ms + 21 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1);
    restart(&s, 21 * MINUTE + 1);
    rules_tick(s.engine, s.now_ms + 60 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* Readings a quarter of a minute apart for a month: found by what windows sum up to.  `rest_s` before now the value was
 * at rest for once, or never. */
static void put_month(struct site *s, int64_t days, int64_t rest_s) {
    enum { N = 5760 };
    static struct telemetry_point p[N];
    for (int64_t day = -days; day < 0; day++) {
        for (int i = 0; i < N; i++) {
            int64_t at_ms = day * DAY + i * 15000;
            bool rests = rest_s && at_ms == -rest_s * 1000;
            p[i] = (struct telemetry_point){
                .device = S("pump"), .metric = S("temp"), .at_ms = s->now_ms + at_ms, .value = rests ? 9 : 11};
        }
        CHECK(s->t, !telemetry_put_wait(s->store, &(struct telemetry_batch){s->estate, p, N}, NULL, &s->t->fault));
    }
}

static void a_breach_is_found_however_long_ago_it_began(struct t *t) {
    static const int64_t rests_s[] = {15, 600, 3600, 86400, 20 * 86400};
    for (size_t i = 0; i < COUNT(rests_s); i++) {
        struct site s;
        start(&s, t);
        s.ctx.now_ms -= 40 * DAY; /* the rule is older than all of it */
        add_above(&s, 25 * 86400, true);
        put_month(&s, 22, rests_s[i]);
        restart(&s, 0);
        int64_t due_ms = s.now_ms - rests_s[i] * 1000 + 15000 + 25 * DAY;
        if (rests_s[i] == 15) (void)hear(&s, "pump", "temp", 0, 11); /* none has come since */
        rules_tick(s.engine, due_ms - 1);
        CHECK_SAY(t, alarms_ever(&s) == 0, "a rest %d s ago", (int)rests_s[i]);
        rules_tick(s.engine, due_ms);
        CHECK_SAY(t, alarms_ever(&s) == 1, "a rest %d s ago", (int)rests_s[i]);
        stop(&s);
    }
}

/* Nobody is called for what came full long ago; when the device says that it lasts, at once. */
static void what_came_full_while_nobody_looked_waits_for_the_device(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 600, true);
    for (int minute = 1; minute <= 5; minute++) store(&s, "temp", minute * MINUTE, 11);
    restart(&s, 11 * MINUTE + RULES_FRESH_MS + 1);
    rules_tick(s.engine, s.now_ms + 40 * MINUTE);
    CHECK(t, !rules_load(s.engine, &s.ctx)); /* nor when rules are read anew */
    rules_tick(s.engine, s.now_ms + 41 * MINUTE);
    CHECK(t, alarms_ever(&s) == 0);
    say(&s, 42 * MINUTE, 11);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* One that came full between two readings, lately, is made good. */
static void a_duration_that_came_full_unseen_counts_from_then(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 120, true);
    store(&s, "temp", MINUTE, 11);
    store(&s, "temp", 5 * MINUTE, 5);
    restart(&s, 6 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 0);
    CHECK(t, count(&s, "SELECT since_ms FROM alarms") == s.now_ms + 3 * MINUTE);
    restart(&s, 7 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* A device whose clock is ahead has its alarm, its end and a restart: what lies ahead is not judged again. */
static void a_device_ahead_of_the_clock_raises_nothing_twice(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    for (int i = 0; i < 20; i++) {
        int64_t now_ms = i * MINUTE, at_ms = now_ms + 5 * MINUTE;
        double value = i == 8 || i == 9 ? 11 : 5;
        store(&s, "temp", at_ms, value);
        (void)hear_at(&s, "pump", "temp", at_ms, value, now_ms);
        CHECK_SAY(t, alarms_ever(&s) == (i >= 8), "at %d min", i);
        restart(&s, now_ms + 1000);
        CHECK_SAY(t, alarms_ever(&s) == (i >= 8), "after the restart at %d min", i);
        CHECK_SAY(t, alarms_open(&s) == (i == 8 || i == 9), "open at %d min", i);
    }
    stop(&s);
}

/* Nor by the length of a breach that ended ahead of the clock. */
static void a_breach_that_ended_ahead_of_the_clock_is_over(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 600, true);
    for (int64_t minute = 0; minute <= 20; minute++) {
        double value = minute < 20 ? 11 : 5;
        store(&s, "temp", (minute + 5) * MINUTE, value);
        (void)hear_at(&s, "pump", "temp", (minute + 5) * MINUTE, value, minute * MINUTE);
    }
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 0);
    restart(&s, 20 * MINUTE + 1000);
    rules_tick(s.engine, s.now_ms + 60 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* A clock that was put back lies before readings, and before the last change of their rule: a breach that begins there
 * is over there, too, or goes on when the next reading says so. */
static void a_breach_that_began_ahead_of_the_clock_waits_for_a_reading(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 600, true);
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "UPDATE rules SET updated_ms = updated_ms + 1800000", NO_VALS, NULL));
    store(&s, "temp", 20 * MINUTE, 11);
    store(&s, "temp", 40 * MINUTE, 5);
    restart(&s, 1);
    rules_tick(s.engine, s.now_ms + 60 * MINUTE);
    CHECK(t, alarms_ever(&s) == 0);
    restart(&s, 1);
    (void)hear_at(&s, "pump", "temp", MINUTE, 11, MINUTE);
    rules_tick(s.engine, s.now_ms + 11 * MINUTE - 1);
    CHECK(t, alarms_ever(&s) == 0);
    rules_tick(s.engine, s.now_ms + 11 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* A calm reading of before the alarm is no end of it: what raised it came from ahead of the clock. */
static void a_rest_before_the_alarm_does_not_end_it(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    say(&s, 1000, 5);
    (void)hear_at(&s, "pump", "temp", 30 * MINUTE, 11, 2000);
    CHECK(t, alarms_open(&s) == 1);
    restart(&s, 3000);
    CHECK(t, alarms_open(&s) == 1);
    say(&s, 4000, 12);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

/* A rule judges nothing that was before it, nor does a duration count from then. */
static void a_rule_is_not_for_what_was_before_it(struct t *t) {
    struct site s;
    start(&s, t);
    for (int minute = -20; minute < 20; minute++) store(&s, "load", minute * MINUTE, 11);
    struct rule r = rule_of(&s, S("above"));
    SET(&rules, &r, metric, S("load"));
    SET(&rules, &r, limit_value, 10000);
    SET(&rules, &r, for_s, 1800);
    add_rule(&s, &r);
    restart(&s, 20 * MINUTE);
    rules_tick(s.engine, s.now_ms + 30 * MINUTE - 1);
    CHECK(t, alarms_ever(&s) == 0);
    rules_tick(s.engine, s.now_ms + 30 * MINUTE);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
    start(&s, t);
    store(&s, "temp", -2 * MINUTE, 90);
    store(&s, "temp", -MINUTE, 5);
    add_above(&s, 0, true);
    restart(&s, 1);
    CHECK(t, alarms_ever(&s) == 0);
    stop(&s);
}

/* A store of before calm_ms: what is ended is taken as over, as it was then. */
static void a_store_without_ends_of_causes_learns_them(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    say(&s, 1, 11);
    CHECK(t, alarms_open(&s) == 1);
    end_by_hand(&s);
    const char *const before[] = {"DROP INDEX alarms_by_calm_ms",
                                  "ALTER TABLE alarms DROP COLUMN calm_ms",
                                  "DROP INDEX rules_of_model",
                                  "DROP INDEX rules_came",
                                  "ALTER TABLE rules DROP COLUMN came_as",
                                  "DELETE FROM upgrades WHERE module = 'rules' AND number > 0"};
    for (size_t i = 0; i < COUNT(before); i++) CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, before[i], NO_VALS, NULL));
    CHECK(t, !kernel_install(s.kernel, s.ctx.db, &t->world, &t->fault));
    CHECK(t, count(&s, "SELECT COUNT(*) FROM alarms WHERE calm_ms = ended_ms") == 1);
    restart(&s, 2);
    say(&s, 3, 11);
    CHECK(t, alarms_ever(&s) == 2);
    stop(&s);
}

TESTS(CASE(a_restart_raises_nothing_twice_and_forgets_no_end), CASE(a_crash_between_reading_and_alarm_is_made_good),
      CASE(a_breach_that_was_over_before_the_crash_is_made_good_too), CASE(what_came_late_raises_no_second_alarm),
      CASE(an_alarm_ended_by_hand_does_not_come_again_for_the_same_cause), CASE(a_cause_that_ended_unseen_is_over),
      CASE(a_device_that_fell_silent_before_a_restart_is_missed_after_it),
      CASE(a_silence_ended_by_hand_is_told_once_until_it_is_broken),
      CASE(a_duration_comes_full_whatever_restarts_come_between), CASE(a_breach_is_found_however_long_ago_it_began),
      CASE(what_came_full_while_nobody_looked_waits_for_the_device),
      CASE(a_duration_that_came_full_unseen_counts_from_then), CASE(a_device_ahead_of_the_clock_raises_nothing_twice),
      CASE(a_breach_that_ended_ahead_of_the_clock_is_over),
      CASE(a_breach_that_began_ahead_of_the_clock_waits_for_a_reading), CASE(a_rest_before_the_alarm_does_not_end_it),
      CASE(a_rule_is_not_for_what_was_before_it), CASE(a_store_without_ends_of_causes_learns_them))
