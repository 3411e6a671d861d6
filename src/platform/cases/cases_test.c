/* Cases: whose they are, who may have them, and the three clocks that run from the report.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/cases/cases.h"
#include "platform/cases/workers.h"

#include "tests/lib/town.h"

#include <stdio.h>
#include <string.h>

#define MIN_MS INT64_C(60000)
#define BIT(f) (UINT64_C(1) << field_index(&cases, f))

struct site {
    struct town w;
    int64_t desk, repairer, other, guard, anna;
};

static void start(struct site *s, struct t *t) {
    town_open(&s->w, t);
    s->desk = town_person(&s->w, "Dora", "dispatcher", s->w.estate);
    s->repairer = town_person(&s->w, "Rob", "repairer", s->w.estate);
    s->other = town_person(&s->w, "Rita", "repairer", s->w.estate);
    s->guard = town_person(&s->w, "Gus", "guard", s->w.estate);
    s->anna = town_person(&s->w, "Anna", "resident", s->w.unit);
}

static int64_t report(struct site *s) {
    struct case_row c = {0};
    town_as(&s->w, s->anna);
    SET(&cases, &c, title, S("water under the door"));
    SET(&cases, &c, type, S("repair"));
    SET(&cases, &c, place_id, s->w.unit);
    CHECK(s->w.t, !row_create(&s->w.ctx, &cases, &c));
    return c.row.id;
}

/* A step by somebody, with what it takes. */
static enum err take(struct site *s, int64_t who, int64_t id, const char *step, const struct case_row *in,
                     const char *field) {
    town_as(&s->w, who);
    return row_act(&s->w.ctx, &cases, id, 0, step, in, field ? BIT(field) : 0, NULL);
}

static enum err assign(struct site *s, int64_t who, int64_t id, int64_t assignee) {
    struct case_row c = {0};
    SET(&cases, &c, assignee_id, assignee);
    return take(s, who, id, "assign", &c, "assignee_id");
}

static enum err finish(struct site *s, int64_t who, int64_t id) {
    struct case_row c = {0};
    SET(&cases, &c, result, S("a new seal"));
    return take(s, who, id, "finish", &c, "result");
}

static enum err note(struct site *s, int64_t who, int64_t id) {
    struct case_row c = {0};
    SET(&cases, &c, note, S("nobody at home"));
    return take(s, who, id, "note", &c, "note");
}

static struct case_row read(struct site *s, int64_t id) {
    struct case_row c = {0};
    town_as(&s->w, 0);
    CHECK(s->w.t, !row_get(&s->w.ctx, &cases, id, &c));
    return c;
}

static bool has(struct site *s, int64_t id, const char *field) {
    struct case_row c = read(s, id);
    return row_has(&cases, &c, field);
}

static void only_the_assignee_works_on_a_case(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = report(&s);
    CHECK(t, !assign(&s, s.desk, id, s.repairer));
    CHECK(t, town_refused(&s.w, take(&s, s.other, id, "arrive", NULL, NULL), "not_yours"));
    CHECK(t, town_refused(&s.w, take(&s, s.guard, id, "arrive", NULL, NULL), "not_yours"));
    CHECK(t, town_refused(&s.w, note(&s, s.other, id), "not_yours"));
    CHECK(t, !take(&s, s.repairer, id, "arrive", NULL, NULL));
    CHECK(t, town_refused(&s.w, finish(&s, s.other, id), "not_yours"));
    CHECK(t, !note(&s, s.repairer, id) && !note(&s, s.anna, id) && !note(&s, s.desk, id));
    CHECK(t, !finish(&s, s.repairer, id));
    struct case_row c = read(&s, id);
    CHECK(t, c.state == CASE_DONE && c.onsite_by_id == s.repairer && c.done_by_id == s.repairer);
    town_close(&s.w);
}

/* By whoever sees something wrong: each where his role reaches. */
static void who_watches_over_a_place_reports_what_he_sees(struct t *t) {
    struct site s;
    start(&s, t);
    const struct {
        const char *role;
        int64_t place;
        bool there; /* may report of the unit */
    } rows[] = {
        {"street", s.w.street, true}, {"committee", s.w.estate, true},        {"admin", 0, true},
        {"grid", s.w.building, true}, {"committee", s.w.other_estate, false}, {"grid", s.w.other_building, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct case_row c = {0};
        town_as(&s.w, town_person(&s.w, "Uma", rows[i].role, rows[i].place));
        SET(&cases, &c, title, S("a lamp is out"));
        SET(&cases, &c, type, S("repair"));
        SET(&cases, &c, place_id, s.w.unit);
        enum err e = row_create(&s.w.ctx, &cases, &c);
        CHECK_SAY(t, rows[i].there ? !e : town_refused(&s.w, e, "not_allowed"), "%s %zu", rows[i].role, i);
        if (!e) CHECK(t, str_is(read(&s, c.row.id).source, "staff"));
    }
    town_close(&s.w);
}

static void an_elder_speaks_for_the_case_he_reported(struct t *t) {
    struct site s;
    start(&s, t);
    s.anna = town_person(&s.w, "Cleo", "elder", s.w.unit); /* report() is hers */
    int64_t id = report(&s);
    CHECK(t, !note(&s, s.anna, id));
    CHECK(t, !assign(&s, s.desk, id, s.repairer) && !take(&s, s.repairer, id, "arrive", NULL, NULL) &&
                 !finish(&s, s.repairer, id));
    CHECK(t, !take(&s, s.anna, id, "verify", NULL, NULL));
    town_close(&s.w);
}

static void who_accepts_a_case_that_nobody_has_takes_it(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = report(&s), second = report(&s);
    CHECK(t, !take(&s, s.repairer, id, "accept", NULL, NULL));
    CHECK(t, read(&s, id).assignee_id == s.repairer);
    CHECK(t, town_refused(&s.w, take(&s, s.other, id, "accept", NULL, NULL), "wrong_state"));
    CHECK(t, town_refused(&s.w, take(&s, s.other, id, "arrive", NULL, NULL), "not_yours"));
    CHECK(t, !take(&s, s.repairer, id, "arrive", NULL, NULL));
    CHECK(t, !take(&s, s.desk, second, "accept", NULL, NULL)); /* the desk accepts for whoever it will send */
    CHECK(t, !has(&s, second, "assignee_id"));
    CHECK(t, town_refused(&s.w, take(&s, s.repairer, second, "arrive", NULL, NULL), "not_assigned"));
    town_close(&s.w);
}

static void the_desk_acts_in_the_assignee_s_name(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = report(&s), nobodys = report(&s);
    CHECK(t, !assign(&s, s.desk, id, s.repairer));
    CHECK(t, !take(&s, s.desk, id, "arrive", NULL, NULL) && !finish(&s, s.desk, id));
    struct case_row c = read(&s, id);
    CHECK(t, c.onsite_by_id == s.repairer && c.done_by_id == s.repairer);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM audit WHERE step = 'finish' AND actor = 'Dora'") == 1);
    CHECK(t, !take(&s, s.desk, nobodys, "accept", NULL, NULL) && !take(&s, s.desk, nobodys, "arrive", NULL, NULL));
    CHECK(t, read(&s, nobodys).onsite_by_id == s.desk);
    town_close(&s.w);
}

/* Is somebody among those whom the page offers?  Each is there once. */
static bool offered(struct site *s, int64_t who, int64_t id, int64_t person) {
    char text[24], wanted[24];
    struct api_call call = {0};
    struct api_answer answer = {0};
    json_t *got = NULL, *item;
    size_t i, n = 0;
    snprintf(text, sizeof text, "%lld", (long long)id);
    snprintf(wanted, sizeof wanted, "%lld", (long long)person);
    call.args[0] = str_of(text);
    town_as(&s->w, who);
    CHECK(s->w.t, !worker_routes[0].handle(&s->w.ctx, &call, &answer));
    CHECK(s->w.t, !json_read((struct str){(const char *)answer.body.ptr, answer.body.len}, &got, &s->w.ctx.fault));
    json_array_foreach(json_object_get(got, "items"), i, item) {
        if (!str_is(json_text(json_object_get(item, "id")), wanted)) continue;
        CHECK(s->w.t, json_array_size(json_object_get(item, "roles")) > 0);
        n++;
    }
    json_decref(got);
    CHECK(s->w.t, n <= 1);
    return n == 1;
}

static void a_case_is_assigned_only_to_who_works_at_its_place(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = report(&s), grid = town_place(&s.w, "grid", "grid", s.w.estate),
            all_seeing = town_person(&s.w, "Mo", "manager", 0);
    const struct {
        const char *who, *role;
        int64_t place;
        bool fits;
    } rows[] = {
        {"repairer here", "repairer", s.w.estate, true},
        {"repairer of another place here", "repairer", grid, true},
        {"guard here", "guard", s.w.estate, true},
        {"manager here", "manager", s.w.estate, true},
        {"dispatcher of the street", "dispatcher", s.w.street, true},
        {"repairer of the installation", "repairer", 0, true},
        {"grid worker over the unit", "grid", s.w.building, true},
        {"grid worker beside it", "grid", grid, false},
        {"resident", "resident", s.w.unit, false},
        {"committee", "committee", s.w.estate, false},
        {"cashier", "cashier", s.w.estate, false},
        {"repairer elsewhere", "repairer", s.w.other_estate, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t who = town_person(&s.w, rows[i].who, rows[i].role, rows[i].place);
        enum err e = assign(&s, s.desk, id, who);
        CHECK_SAY(t, e == (rows[i].fits ? OK : ERR_INVALID), "%s: %s", rows[i].who, e ? err_name(e) : "ok");
        if (!rows[i].fits)
            CHECK(t, !strcmp(s.w.ctx.fault.fields[0].field, "assignee_id") && town_refused(&s.w, e, "bad_assignee"));
        CHECK_SAY(t, offered(&s, all_seeing, id, who) == rows[i].fits, "%s: offered?", rows[i].who);
    }
    CHECK(t, offered(&s, s.desk, id, s.guard) && !offered(&s, s.desk, id, all_seeing)); /* whose roles the desk sees */
    town_member(&s.w, s.guard, "repairer", s.w.estate);
    CHECK(t, offered(&s, s.desk, id, s.guard));
    town_close(&s.w);
}

static void a_role_that_has_ended_works_no_more(struct t *t) {
    struct site s;
    struct membership_row m = {0};
    start(&s, t);
    int64_t id = report(&s),
            rob = town_count(&s.w, "SELECT m.id FROM memberships m JOIN people p ON p.id = m.person_id "
                                   "WHERE m.role = 'repairer' ORDER BY m.id LIMIT 1");
    town_as(&s.w, 0);
    SET(&memberships, &m, valid_until, kernel_day(&s.w.ctx, s.w.estate));
    CHECK(t, !row_update(&s.w.ctx, &memberships, rob, 0, &m, UINT64_C(1) << field_index(&memberships, "valid_until"),
                         NULL));
    CHECK(t, town_refused(&s.w, assign(&s, s.desk, id, s.repairer), "bad_assignee"));
    town_close(&s.w);
}

/* ---- clocks ---- */

static void the_three_limits_run_from_the_report(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = report(&s), at = s.w.ctx.now_ms;
    struct case_row c = read(&s, id);
    CHECK(t, c.reported_ms == at && c.accept_due_ms == at + 30 * MIN_MS && c.onsite_due_ms == at + 120 * MIN_MS &&
                 c.close_due_ms == at + 1440 * MIN_MS);
    town_pass(&s.w, 20 * MIN_MS);
    CHECK(t, !assign(&s, s.desk, id, s.repairer));
    c = read(&s, id); /* taking it moves no limit */
    CHECK(t, c.accepted_ms == at + 20 * MIN_MS && c.onsite_due_ms == at + 120 * MIN_MS);
    town_pass(&s.w, 20 * MIN_MS);
    CHECK(t, !assign(&s, s.desk, id, s.other));
    CHECK(t, read(&s, id).accepted_ms == at + 20 * MIN_MS); /* the first time counts */
    town_close(&s.w);
}

static int64_t late(struct site *s, const char *step) {
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM audit WHERE step = 'late_%s'", step);
    return town_count(&s->w, sql);
}

static void each_limit_is_missed_once_at_its_time(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = report(&s);
    town_pass(&s.w, 30 * MIN_MS - 1);
    CHECK(t, !late(&s, "accept") && !has(&s, id, "late"));
    town_pass(&s.w, 1);
    CHECK(t, late(&s, "accept") == 1 && str_is(read(&s, id).late, "accept"));
    town_pass(&s.w, 60 * MIN_MS);
    CHECK(t, late(&s, "accept") == 1);
    CHECK(t, !take(&s, s.repairer, id, "accept", NULL, NULL));
    town_pass(&s.w, 30 * MIN_MS);
    CHECK(t, late(&s, "onsite") == 1 && late(&s, "accept") == 1 && str_is(read(&s, id).late, "onsite"));
    CHECK(t, !take(&s, s.repairer, id, "arrive", NULL, NULL));
    town_pass(&s.w, 1440 * MIN_MS);
    CHECK(t, late(&s, "close") == 1 && late(&s, "onsite") == 1 && str_is(read(&s, id).late, "close"));
    town_pass(&s.w, 1440 * MIN_MS);
    CHECK(t, late(&s, "close") == 1);
    town_close(&s.w);
}

static void what_is_done_in_time_is_never_late(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = report(&s);
    CHECK(t, !take(&s, s.repairer, id, "accept", NULL, NULL) && !take(&s, s.repairer, id, "arrive", NULL, NULL) &&
                 !finish(&s, s.repairer, id) && !take(&s, s.anna, id, "verify", NULL, NULL) &&
                 !take(&s, s.desk, id, "close", NULL, NULL));
    town_pass(&s.w, 3000 * MIN_MS);
    CHECK(t, !late(&s, "accept") && !late(&s, "onsite") && !late(&s, "close"));
    CHECK(t, read(&s, id).state == CASE_CLOSED);
    town_close(&s.w);
}

static void the_same_on_postgresql(struct t *t) {
    town_on_postgres(t, a_case_is_assigned_only_to_who_works_at_its_place);
    town_on_postgres(t, each_limit_is_missed_once_at_its_time);
}

TESTS(CASE(who_watches_over_a_place_reports_what_he_sees), CASE(only_the_assignee_works_on_a_case),
      CASE(an_elder_speaks_for_the_case_he_reported), CASE(who_accepts_a_case_that_nobody_has_takes_it),
      CASE(the_desk_acts_in_the_assignee_s_name), CASE(a_case_is_assigned_only_to_who_works_at_its_place),
      CASE(a_role_that_has_ended_works_no_more), CASE(the_three_limits_run_from_the_report),
      CASE(each_limit_is_missed_once_at_its_time), CASE(what_is_done_in_time_is_never_late),
      CASE(the_same_on_postgresql))
