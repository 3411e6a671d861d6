/* Rules at work over rows: one cause raises one alarm, also across restarts, reloads and hands that end it early.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/site_test_internal.h"

/* ---- causes and alarms ---- */

static void a_breach_raises_one_alarm_and_calm_ends_it(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    CHECK(t, hear(&s, "pump", "temp", 1, 11) && hear(&s, "pump", "temp", 2, 12) && hear(&s, "pump", "temp", 3, 9));
    CHECK(t, s.strangers == 0);
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 1);
    hear(&s, "pump", "temp", 4, 8);
    CHECK(t, alarms_open(&s) == 0);
    hear(&s, "pump", "temp", 5, 11);
    CHECK(t, alarms_ever(&s) == 2 && alarms_open(&s) == 1);
    stop(&s);
}

static void a_rule_minds_its_own_metric_model_and_switch(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    hear(&s, "pump", "power", 1, 99);
    hear(&s, "lamp", "temp", 1, 99);
    hear(&s, "pump", "temp", 1, NAN);
    CHECK(t, alarms_ever(&s) == 0 && hear(&s, "stranger", "temp", 1, 99) && s.strangers == 1);
    stop(&s);
    start(&s, t);
    add_above(&s, 0, false);
    hear(&s, "pump", "temp", 1, 99);
    CHECK(t, alarms_ever(&s) == 0);
    stop(&s);
}

/* An hour ahead at most is let in.  It counts as of now, once; what comes at its time is judged beside it. */
static void what_is_ahead_of_the_clock_holds_nothing_back(struct t *t) {
    enum { AHEAD = 59 * 60000 };
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    add_silence(&s, 60);
    hear_at(&s, "pump", "temp", AHEAD, 5, 1000);
    hear_at(&s, "pump", "temp", 999, 11, 1001); /* at the present */
    CHECK(t, alarms_ever(&s) == 1);
    hear_at(&s, "pump", "temp", AHEAD, 5, 1002); /* said twice */
    CHECK(t, alarms_open(&s) == 1);
    hear_at(&s, "pump", "temp", 1003, 5, 1003);
    CHECK(t, alarms_open(&s) == 0);
    hear_at(&s, "pump", "temp", AHEAD + 1, 12, 1004);
    CHECK(t, alarms_ever(&s) == 2 && count(&s, "SELECT MAX(since_ms) FROM alarms") == s.now_ms + 1004);
    rules_tick(s.engine, s.now_ms + 61003);
    CHECK(t, alarms_ever(&s) == 2);
    rules_tick(s.engine, s.now_ms + 61004); /* silent for a minute, not for an hour less than that */
    CHECK(t, alarms_ever(&s) == 3);
    stop(&s);
}

/* A clock that was an hour fast is set right: what was to come by it comes by the right one. */
static void a_clock_that_is_set_back_delays_nothing(struct t *t) {
    enum { FAST = 60 * 60000 };
    struct site s;
    start(&s, t);
    add_above(&s, 60, true);
    add_silence(&s, 60);
    hear_at(&s, "pump", "temp", FAST, 11, FAST);
    hear_at(&s, "pump", "temp", 1000, 5, 1000);
    hear_at(&s, "pump", "temp", 2000, 11, 2000);
    rules_tick(s.engine, s.now_ms + 61999);
    CHECK(t, alarms_ever(&s) == 0);
    rules_tick(s.engine, s.now_ms + 62000);
    CHECK(t, alarms_ever(&s) == 2);
    stop(&s);
}

/* The device has its new code, its readings follow a moment later: until then they are a stranger's. */
static void a_series_that_is_renamed_is_judged_at_once(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    CHECK(t, hear(&s, "pump-old", "temp", 1, 11) && s.strangers == 1 && alarms_ever(&s) == 0);
    snprintf(s.named[0].device, sizeof s.named[0].device, "pump");
    rules_renamed(s.engine);
    CHECK(t, hear_at(&s, "pump", "temp", 2, 11, 2) && s.strangers == 1 && alarms_ever(&s) == 1);
    stop(&s);
}

static int64_t devices_in(struct site *s, const char *state) {
    char sql[96];
    apply(s);
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM devices WHERE code = 'pump' AND state = '%s'", state);
    return count(s, sql);
}

static void a_device_shows_its_alarm_until_the_last_one_is_over(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    add_event_rule(&s, S("leak"));
    hear(&s, "pump", "temp", 1, 11);
    CHECK(t, !tell(&s, event(&s, "leak", "", 0, true)) && devices_in(&s, "alarm") == 1);
    int64_t leak = count(&s, "SELECT MAX(id) FROM alarms");
    CHECK(t, !row_act(&s.ctx, &alarms, leak, 0, "end", NULL, 0, NULL) && devices_in(&s, "alarm") == 1);
    hear(&s, "pump", "temp", 2, 7);
    CHECK(t, devices_in(&s, "normal") == 1);
    CHECK(t, !tell(&s, event(&s, "leak", "", 3, true)) && devices_in(&s, "alarm") == 1);
    leak = count(&s, "SELECT MAX(id) FROM alarms");
    CHECK(t, !row_act(&s.ctx, &alarms, leak, 0, "end", NULL, 0, NULL)); /* nothing else will ever calm it */
    CHECK(t, devices_in(&s, "normal") == 1);
    stop(&s);
}

static void a_device_comes_back_with_the_alarm_it_had(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    hear(&s, "pump", "temp", 1, 11);
    CHECK(t, devices_in(&s, "alarm") == 1);
    CHECK(t, !device_step(&s.ctx, s.device, "lose") && devices_in(&s, "offline") == 1);
    CHECK(t, !device_step(&s.ctx, s.device, "hear") && devices_in(&s, "alarm") == 1);
    CHECK(t, !device_step(&s.ctx, s.device, "lose") && devices_in(&s, "offline") == 1);
    hear(&s, "pump", "temp", 2, 7); /* over while it is away */
    CHECK(t, alarms_open(&s) == 0 && devices_in(&s, "offline") == 1);
    CHECK(t, !device_step(&s.ctx, s.device, "hear") && devices_in(&s, "normal") == 1);
    stop(&s);
}

static void who_is_told_to_be_away_is_offline_until_he_is_back(struct t *t) {
    static const struct {
        const char *device, *part, *state;
        int offline, alarms; /* then */
        bool is_set, is_kept;
    } rows[] = {{"pump", "", "away", 1, 1, true, false},         {"pump", "", "away still", 1, 1, true, false},
                {"pump", "", "back", 0, 0, false, false},        {"pump", "", "back before", 0, 0, false, false},
                {"pump", "2", "a part only", 0, 1, true, false}, {"pump", "2", "the part", 0, 0, false, false},
                {"pump", "", "as it was", 1, 0, true, true},     {"pump", "", "back", 0, 0, false, true},
                {"nobody", "", "a stranger", 0, 0, true, false}};
    struct site s;
    start(&s, t);
    add_event_rule(&s, S("offline"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rules_event e = event(&s, "offline", rows[i].part, 0, rows[i].is_set);
        e.device = str_of(rows[i].device);
        e.is_kept = rows[i].is_kept;
        CHECK(t, !tell(&s, e));
        CHECK_SAY(t, alarms_open(&s) == rows[i].alarms && devices_in(&s, "offline") == rows[i].offline, "%zu: %s", i,
                  rows[i].state);
    }
    stop(&s);
}

static void a_device_that_is_back_in_service_is_watched_again(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, !row_act(&s.ctx, &devices, s.device, 0, "retire", NULL, 0, NULL) && !rules_load(s.engine, &s.ctx));
    CHECK(t, !rules_knows(s.engine, s.estate, S("pump")));
    size_t done = 1;
    while (done) CHECK(t, !events_deliver(&s.ctx, 100, &done));
    CHECK(t, !rules_load(s.engine, &s.ctx) && !rules_is_stale(s.engine));
    CHECK(t, !row_act(&s.ctx, &devices, s.device, 0, "reinstate", NULL, 0, NULL));
    for (done = 1; done;) CHECK(t, !events_deliver(&s.ctx, 100, &done));
    CHECK(t, rules_is_stale(s.engine) && !rules_load(s.engine, &s.ctx) && rules_knows(s.engine, s.estate, S("pump")));
    stop(&s);
}

/* Who may speak in its name is read anew with its key, which another process may have made. */
static void a_device_with_a_key_and_no_line_is_on_a_line_of_its_own(struct t *t) {
    struct site s;
    struct str user, password;
    size_t done;
    start(&s, t);
    for (done = 1; done;) CHECK(t, !events_deliver(&s.ctx, 100, &done));
    CHECK(t, !rules_load(s.engine, &s.ctx) && !rules_line_of(s.engine, s.estate, S("pump")));
    CHECK(t, !device_key_make(&s.ctx, s.device, &user, &password) && !rules_is_stale(s.engine));
    for (done = 1; done;) CHECK(t, !events_deliver(&s.ctx, 100, &done));
    CHECK(t, rules_is_stale(s.engine) && !rules_load(s.engine, &s.ctx));
    CHECK(t, rules_line_of(s.engine, s.estate, S("pump")) == RULES_BY_KEY);
    CHECK(t, !rules_line_of(s.engine, s.estate, S("lamp")) && !rules_line_of(s.engine, s.estate, S("nobody")));
    struct line_row l = {.row.community_id = s.estate};
    SET(&line_rows, &l, name, S("east"));
    SET(&line_rows, &l, kind, S("gb26875"));
    CHECK(t, !row_create(&s.ctx, &line_rows, &l));
    struct device d = {0};
    SET(&devices, &d, line_id, l.row.id);
    CHECK(t, !row_update(&s.ctx, &devices, s.device, 0, &d, d.row.has, NULL));
    CHECK(t, !rules_load(s.engine, &s.ctx) && rules_line_of(s.engine, s.estate, S("pump")) == l.row.id);
    stop(&s);
}

static void a_duration_goes_on_while_rules_are_read_anew(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 60, true);
    hear(&s, "pump", "temp", 0, 11);
    CHECK(t, !rules_load(s.engine, &s.ctx));
    rules_tick(s.engine, s.now_ms + 59999);
    CHECK(t, alarms_ever(&s) == 0);
    rules_tick(s.engine, s.now_ms + 60000);
    CHECK(t, alarms_ever(&s) == 1);
    stop(&s);
}

static void an_end_that_waits_while_rules_are_read_anew_hides_no_later_breach(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    hear(&s, "pump", "temp", 1, 11);
    CHECK(t, alarms_open(&s) == 1);
    hear(&s, "pump", "temp", 2, 7);
    CHECK(t, rules_waiting(s.engine) == 1 && !rules_load(s.engine, &s.ctx) && alarms_open(&s) == 0);
    hear(&s, "pump", "temp", 3, 11);
    CHECK(t, alarms_ever(&s) == 2 && alarms_open(&s) == 1);
    stop(&s);
}

static void an_event_raises_until_it_is_over_or_ended(struct t *t) {
    struct site s;
    start(&s, t);
    add_event_rule(&s, S("fire"));
    CHECK(t, !tell(&s, event(&s, "fire", "", 0, true)) && !tell(&s, event(&s, "fault", "", 0, true)));
    CHECK(t, alarms_ever(&s) == 1 && alarms_open(&s) == 1);
    restart(&s, 0);
    CHECK(t, !tell(&s, event(&s, "fire", "", 1, true)));
    CHECK(t, alarms_ever(&s) == 1 && count(&s, "SELECT SUM(repeats) FROM alarms") == 1);
    int64_t id = count(&s, "SELECT MAX(id) FROM alarms");
    CHECK(t, !row_act(&s.ctx, &alarms, id, 0, "end", NULL, 0, NULL) && !rules_load(s.engine, &s.ctx));
    CHECK(t, !tell(&s, event(&s, "fire", "", 2, true)));
    CHECK(t, alarms_ever(&s) == 2); /* a new fire after the first was dealt with */
    CHECK(t, !tell(&s, event(&s, "fire", "", 3, false)));
    CHECK(t, alarms_open(&s) == 0);
    CHECK(t, rules_knows(s.engine, s.estate, S("pump")) && !rules_knows(s.engine, s.estate, S("stranger")));
    stop(&s);
}

static void each_part_of_a_device_raises_and_ends_its_own_alarm(struct t *t) {
    struct site s;
    start(&s, t);
    add_event_rule(&s, S("fire"));
    CHECK(t, !tell(&s, event(&s, "fire", "1.1.7", 0, true)) && !tell(&s, event(&s, "fire", "1.1.8", 1, true)));
    CHECK(t, alarms_ever(&s) == 2 && alarms_open(&s) == 2);
    restart(&s, 0);
    CHECK(t, !tell(&s, event(&s, "fire", "1.1.8", 2, true)));
    CHECK(t, alarms_ever(&s) == 2);
    CHECK(t, !tell(&s, event(&s, "fire", "1.1.7", 3, false)));
    CHECK(t,
          alarms_open(&s) == 1 && count(&s, "SELECT COUNT(*) FROM alarms WHERE ended_ms > 0 AND part = '1.1.7'") == 1);
    CHECK(t, count(&s, "SELECT COUNT(*) FROM devices WHERE state = 'alarm'") == 1); /* the other part burns on */
    CHECK(t, !tell(&s, event(&s, "fire", "1.1.8", 4, false)));
    CHECK(t, alarms_open(&s) == 0 && count(&s, "SELECT COUNT(*) FROM devices WHERE state = 'alarm'") == 0);
    stop(&s);
}

static void a_report_of_all_that_holds_ends_what_it_does_not_name(struct t *t) {
    struct site s;
    start(&s, t);
    add_event_rule(&s, S("fire"));
    add_event_rule(&s, S("fault"));
    struct rules_event both[] = {event(&s, "fire", "7", 0, true), event(&s, "fault", "7", 0, true),
                                 event(&s, "fire", "8", 0, true)};
    for (size_t i = 0; i < COUNT(both); i++) both[i].is_level = true;
    CHECK(t, !rules_events(s.engine, s.estate, both, COUNT(both)));
    CHECK(t, alarms_open(&s) == 3);
    struct rules_event fault = both[1];
    CHECK(t, !tell(&s, fault)); /* part 7: still at fault, no longer on fire */
    CHECK(t, alarms_open(&s) == 2 && alarms_ever(&s) == 3);
    struct rules_event normal = event(&s, "normal", "7", 1, false);
    normal.is_level = true;
    CHECK(t, !tell(&s, normal));
    CHECK(t,
          alarms_open(&s) == 1 && count(&s, "SELECT COUNT(*) FROM alarms WHERE state = 'active' AND part = '8'") == 1);
    stop(&s);
}

static void events_that_find_no_room_are_not_taken_at_all(struct t *t) {
    struct site s;
    start(&s, t);
    add_event_rule(&s, S("fire"));
    for (int i = 0; i < RULES_QUEUE_MAX - 1; i++)
        if (tell(&s, event(&s, "fire", "1", i, true))) CHECK_SAY(t, false, "event %d", i);
    struct rules_event two[] = {event(&s, "fire", "2", 0, true), event(&s, "fire", "3", 0, true)};
    CHECK(t, rules_events(s.engine, s.estate, two, 2) == ERR_BUSY && rules_waiting(s.engine) == RULES_QUEUE_MAX - 1);
    CHECK(t, !rules_events(s.engine, s.estate, two, 1) && rules_waiting(s.engine) == RULES_QUEUE_MAX);
    stop(&s);
}

static void a_verdict_stays_until_it_is_an_alarm(struct t *t) {
    struct site s;
    size_t done = 0;
    start(&s, t);
    add_event_rule(&s, S("fire"));
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "ALTER TABLE alarms RENAME TO away", NO_VALS, NULL));
    CHECK(t, !tell(&s, event(&s, "fire", "", 0, true)));
    CHECK(t, rules_apply(s.engine, &s.ctx, 100, &done) != OK && done == 0 && rules_waiting(s.engine) == 1);
    CHECK(t, rules_made(s.engine) == 1 && rules_applied(s.engine) == 0);
    s.ctx.fault = (struct fault){0};
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "ALTER TABLE away RENAME TO alarms", NO_VALS, NULL));
    CHECK(t, alarms_ever(&s) == 1 && rules_waiting(s.engine) == 0);
    CHECK(t, !tell(&s, event(&s, "fire", "", 1, false)) && !tell(&s, event(&s, "fire", "", 2, true)));
    CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "DELETE FROM devices", NO_VALS, NULL)); /* that one is for good */
    s.ctx.fault = (struct fault){0};
    CHECK(t, !rules_apply(s.engine, &s.ctx, 100, &done) && rules_waiting(s.engine) == 0);
    CHECK(t, rules_made(s.engine) == 3 && rules_applied(s.engine) == 3);
    stop(&s);
}

static void verdicts_that_find_no_room_come_again(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    for (int i = 0; i < RULES_QUEUE_MAX; i++) hear(&s, "pump", "temp", 1 + i, i % 2 ? 7 : 11);
    CHECK(t, rules_waiting(s.engine) == RULES_QUEUE_MAX);
    hear(&s, "pump", "temp", RULES_QUEUE_MAX + 10, 11); /* no room for this one */
    CHECK(t, rules_waiting(s.engine) == RULES_QUEUE_MAX);
    size_t done = 0;
    CHECK(t, !rules_apply(s.engine, &s.ctx, 1, &done) && rules_waiting(s.engine) == RULES_QUEUE_MAX - 1);
    hear(&s, "pump", "temp", RULES_QUEUE_MAX + 11, 11); /* the breach goes on */
    CHECK(t, rules_waiting(s.engine) == RULES_QUEUE_MAX);
    stop(&s);
}

/* A reading that no rule watches costs a look: names are asked for once a series, and again when rules were read. */
static void a_series_is_named_once_and_a_stranger_told_once_a_second(struct t *t) {
    struct site s;
    start(&s, t);
    add_above(&s, 0, true);
    for (int i = 1; i <= 50; i++) CHECK(t, !hear(&s, "pump", "temp", i, 5) && !hear(&s, "pump", "load", i, 99));
    CHECK(t, s.asked == 2);
    CHECK(t, !rules_load(s.engine, &s.ctx) && !hear(&s, "pump", "temp", 60, 5) && s.asked == 3);
    CHECK(t, hear(&s, "pump", "temp", 61, 11) && alarms_ever(&s) == 1);
    s.now_ms -= s.now_ms % 1000;
    for (int i = 0; i < 1000; i++) (void)hear(&s, "stranger", "temp", i, 1);
    CHECK_SAY(t, s.strangers == 1, "told of %zu times", s.strangers);
    CHECK(t, hear(&s, "stranger", "temp", 1000, 1) && s.strangers == 2);
    stop(&s);
}

/* Rules for all, for a model and for a device meet on it; a rule of another community, model or device does not. */
static void rules_find_the_devices_they_are_for(struct t *t) {
    struct site s;
    start(&s, t);
    struct rule all = rule_of(&s, S("above")), one = rule_of(&s, S("above"));
    SET(&rules, &all, metric, S("temp"));
    SET(&rules, &all, limit_value, 20000);
    add_rule(&s, &all);
    SET(&rules, &one, metric, S("temp"));
    SET(&rules, &one, limit_value, 30000);
    SET(&rules, &one, device_id, s.device);
    add_rule(&s, &one);
    add_above(&s, 0, true); /* of the model, above 10 */
    (void)hear(&s, "pump", "temp", 1, 15);
    CHECK(t, alarms_ever(&s) == 1);
    (void)hear(&s, "pump", "temp", 2, 25);
    CHECK(t, alarms_ever(&s) == 2);
    (void)hear(&s, "pump", "temp", 3, 35);
    CHECK(t, alarms_ever(&s) == 3);
    stop(&s);
}

/* Many watches with lengths of their own: each fires with the first tick that is not before its time, and no tick
 * before it does. */
static void what_time_brings_comes_at_its_time(struct t *t) {
    enum { N = 40 };
    struct site s;
    int64_t fired = 0;
    start(&s, t);
    for (int i = 0; i < N; i++) {
        struct rule r = rule_of(&s, S("silence"));
        SET(&rules, &r, device_id, s.device);
        SET(&rules, &r, for_s, 10 + (i * 7) % N);
        CHECK(t, !row_create(&s.ctx, &rules, &r));
    }
    CHECK(t, !rules_load(s.engine, &s.ctx));
    (void)hear(&s, "pump", "temp", 1, 1);
    (void)hear(&s, "pump", "temp", 5001, 1); /* those armed at the first reading are looked at anew */
    for (int second = 0; second < N + 20; second++) {
        rules_tick(s.engine, s.now_ms + 5001 + second * 1000);
        int64_t now = alarms_ever(&s), want = second < 10 ? 0 : second - 9 < N ? second - 9 : N;
        CHECK_SAY(t, now == want, "%d after %d s, not %d", (int)now, second, (int)want);
        fired = now;
    }
    CHECK(t, fired == N);
    stop(&s);
}

TESTS(CASE(a_series_is_named_once_and_a_stranger_told_once_a_second), CASE(rules_find_the_devices_they_are_for),
      CASE(what_time_brings_comes_at_its_time), CASE(a_breach_raises_one_alarm_and_calm_ends_it),
      CASE(a_rule_minds_its_own_metric_model_and_switch), CASE(what_is_ahead_of_the_clock_holds_nothing_back),
      CASE(a_clock_that_is_set_back_delays_nothing), CASE(a_series_that_is_renamed_is_judged_at_once),
      CASE(a_device_with_a_key_and_no_line_is_on_a_line_of_its_own), CASE(a_duration_goes_on_while_rules_are_read_anew),
      CASE(an_end_that_waits_while_rules_are_read_anew_hides_no_later_breach),
      CASE(an_event_raises_until_it_is_over_or_ended), CASE(each_part_of_a_device_raises_and_ends_its_own_alarm),
      CASE(a_device_shows_its_alarm_until_the_last_one_is_over), CASE(a_device_comes_back_with_the_alarm_it_had),
      CASE(who_is_told_to_be_away_is_offline_until_he_is_back), CASE(a_device_that_is_back_in_service_is_watched_again),
      CASE(a_report_of_all_that_holds_ends_what_it_does_not_name), CASE(events_that_find_no_room_are_not_taken_at_all),
      CASE(verdicts_that_find_no_room_come_again), CASE(a_verdict_stays_until_it_is_an_alarm))
