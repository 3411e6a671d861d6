/* Activities: seen by residents once reviewed, with a seat for each who enrols.  SPDX-License-Identifier: Apache-2.0 */
#include "apps/services/activities/activities.h"

#include "kernel/row_json.h"
#include "tests/lib/town.h"

#include <stdio.h>

#include <string.h>

#define HOUR_MS INT64_C(3600000)

struct site {
    struct town w;
    const struct resource *activities, *open, *seats;
    int64_t partner, manager, anna, ben, cleo;
};

static void start(struct site *s, struct t *t) {
    town_open(&s->w, t);
    s->activities = kernel_resource(s->w.kernel, S("activities"));
    s->open = kernel_resource(s->w.kernel, S("open_activities"));
    s->seats = kernel_resource(s->w.kernel, S("attendances"));
    s->partner = town_person(&s->w, "Pia", "partner", s->w.estate);
    s->manager = town_person(&s->w, "Mia", "manager", s->w.estate);
    s->anna = town_person(&s->w, "Anna", "resident", s->w.unit);
    s->ben = town_person(&s->w, "Ben", "resident", s->w.unit);
    s->cleo = town_person(&s->w, "Cleo", "elder", s->w.unit);
}

static enum err make(struct site *s, int64_t who, const struct resource *r, json_t *o, int64_t *ret_id) {
    struct row *row = row_new(&s->w.ctx, r);
    uint64_t fields;
    town_as(&s->w, who);
    enum err e = row_read_json(&s->w.ctx, r, o, fields_creatable(r), row, &fields);
    json_decref(o);
    if (!e) e = row_create(&s->w.ctx, r, row);
    *ret_id = row->id;
    return e;
}

static int64_t draft(struct site *s, int seats) {
    int64_t id, now = s->w.ctx.now_ms;
    enum err e = make(s, s->partner, s->activities,
                      json_pack("{s:s,s:s,s:I,s:I,s:I,s:i}", "title", "first aid", "kind", "class", "place_id",
                                (json_int_t)s->w.estate, "from_ms", (json_int_t)(now + HOUR_MS), "until_ms",
                                (json_int_t)(now + 2 * HOUR_MS), "seats", seats),
                      &id);
    CHECK_SAY(s->w.t, !e, "%s %s", s->w.ctx.fault.text, s->w.ctx.fault.fields[0].field);
    return id;
}

static enum err take(struct site *s, const struct resource *r, int64_t who, int64_t id, const char *step) {
    town_as(&s->w, who);
    return row_act(&s->w.ctx, r, id, 0, step, NULL, 0, NULL);
}

static int64_t published(struct site *s, int seats) {
    int64_t id = draft(s, seats);
    CHECK(s->w.t,
          !take(s, s->activities, s->partner, id, "submit") && !take(s, s->activities, s->manager, id, "publish"));
    return id;
}

static enum err enrol(struct site *s, int64_t who, int64_t activity, int64_t *ret_id) {
    return make(s, who, s->seats, json_pack("{s:I}", "activity_id", (json_int_t)activity), ret_id);
}

static size_t shown(struct site *s, int64_t who) {
    struct list_query q = {.sort = FILTER_ID, .limit = 10};
    struct list_page page = {0};
    town_as(&s->w, who);
    CHECK(s->w.t, !row_list(&s->w.ctx, s->open, &q, &page));
    return page.n;
}

static void residents_see_it_once_it_is_reviewed(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = draft(&s, 10);
    CHECK(t, town_refused(&s.w, take(&s, s.activities, s.manager, id, "publish"), "wrong_state"));
    CHECK(t, shown(&s, s.anna) == 0);
    CHECK(t, !take(&s, s.activities, s.partner, id, "submit"));
    CHECK(t, town_refused(&s.w, take(&s, s.activities, s.partner, id, "publish"), "not_allowed"));
    CHECK(t, shown(&s, s.anna) == 0);
    CHECK(t, !take(&s, s.activities, s.manager, id, "publish"));
    CHECK(t, shown(&s, s.anna) == 1);
    town_pass(&s.w, 2 * HOUR_MS); /* held, and still to be read of */
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM activities WHERE state = 'held'") == 1 && shown(&s, s.anna) == 1);
    town_close(&s.w);
}

static void one_enrols_in_what_is_published_once_and_while_there_are_seats(struct t *t) {
    struct site s;
    int64_t seat, other;
    start(&s, t);
    int64_t secret = draft(&s, 2), id = published(&s, 2);
    CHECK(t, town_refused(&s.w, enrol(&s, s.anna, secret, &seat), "bad_ref"));
    CHECK(t, !enrol(&s, s.anna, id, &seat));
    CHECK(t, town_refused(&s.w, enrol(&s, s.anna, id, &other), "not_unique"));
    CHECK(t, !enrol(&s, s.ben, id, &other));
    CHECK(t, town_refused(&s.w, enrol(&s, s.cleo, id, &other), "full"));
    town_as(&s.w, s.anna);
    CHECK(t, !row_archive(&s.w.ctx, s.seats, seat, 0)); /* who withdraws makes room */
    CHECK(t, !enrol(&s, s.cleo, id, &other));
    town_close(&s.w);
}

static enum err retitle(struct site *s, int64_t who, int64_t id) {
    struct row *row = row_new(&s->w.ctx, s->activities);
    uint64_t fields;
    town_as(&s->w, who);
    json_t *o = json_pack("{s:s}", "title", "a sale");
    enum err e = row_read_json(&s->w.ctx, s->activities, o, ~UINT64_C(0), row, &fields);
    json_decref(o);
    return e ? e : row_update(&s->w.ctx, s->activities, id, 0, row, fields, NULL);
}

static void what_was_reviewed_stays_as_it_was(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = draft(&s, 10);
    CHECK(t, !retitle(&s, s.partner, id));
    CHECK(t, !take(&s, s.activities, s.partner, id, "submit"));
    CHECK(t, town_refused(&s.w, retitle(&s, s.partner, id), "wrong_state"));
    CHECK(t, !take(&s, s.activities, s.manager, id, "publish"));
    CHECK(t, town_refused(&s.w, retitle(&s, s.partner, id), "wrong_state"));
    CHECK(t, !retitle(&s, s.manager, id));
    town_close(&s.w);
}

static void who_comes_back_needs_a_seat_too(struct t *t) {
    struct site s;
    int64_t first = 0, again = 0, other = 0;
    start(&s, t);
    int64_t id = published(&s, 1);
    CHECK(t, !enrol(&s, s.anna, id, &first));
    CHECK(t, !row_archive(&s.w.ctx, s.seats, first, 0) && !row_restore(&s.w.ctx, s.seats, first, 0, NULL));
    CHECK(t, !row_archive(&s.w.ctx, s.seats, first, 0) && !enrol(&s, s.anna, id, &again));
    CHECK(t, town_refused(&s.w, row_restore(&s.w.ctx, s.seats, first, 0, NULL), "not_unique"));
    CHECK(t, !row_archive(&s.w.ctx, s.seats, again, 0) && !enrol(&s, s.ben, id, &other));
    town_as(&s.w, s.anna);
    CHECK(t, town_refused(&s.w, row_restore(&s.w.ctx, s.seats, first, 0, NULL), "full"));
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM attendances WHERE archived_ms = 0") == 1);
    int64_t later = published(&s, 5);
    town_pass(&s.w, 2 * HOUR_MS);
    CHECK(t, town_refused(&s.w, enrol(&s, s.anna, later, &other), "not_now"));
    town_close(&s.w);
}

static void attendance_is_taken_by_the_organiser(struct t *t) {
    struct site s;
    int64_t came, missed;
    start(&s, t);
    int64_t id = published(&s, 5);
    CHECK(t, !enrol(&s, s.anna, id, &came) && !enrol(&s, s.ben, id, &missed));
    CHECK(t, town_refused(&s.w, take(&s, s.seats, s.anna, came, "attend"), "not_allowed"));
    CHECK(t, !take(&s, s.seats, s.manager, came, "attend") && !take(&s, s.seats, s.manager, missed, "miss"));
    CHECK(t, town_refused(&s.w, take(&s, s.seats, s.manager, came, "miss"), "wrong_state"));
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM attendances WHERE state = 'came' AND came_ms IS NOT NULL") == 1);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM attendances WHERE state = 'absent' AND came_ms IS NULL") == 1);
    town_close(&s.w);
}

static void a_partner_takes_attendance_of_his_own_activities(struct t *t) {
    struct site s;
    int64_t came, missed;
    start(&s, t);
    struct row *row = row_new(&s.w.ctx, s.seats);
    int64_t other = town_person(&s.w, "Paul", "partner", s.w.estate), id = published(&s, 5);
    CHECK(t, !enrol(&s, s.anna, id, &came) && !enrol(&s, s.ben, id, &missed));
    CHECK(t, town_refused(&s.w, take(&s, s.seats, other, came, "attend"), "not_found"));
    town_as(&s.w, s.partner);
    CHECK(t, !row_get(&s.w.ctx, s.seats, came, row));
    CHECK(t, !take(&s, s.seats, s.partner, came, "attend") && !take(&s, s.seats, s.partner, missed, "miss"));
    CHECK(t, town_refused(&s.w, row_archive(&s.w.ctx, s.seats, came, 0), "not_allowed"));
    town_member(&s.w, s.anna, "partner", s.w.estate); /* of others' activities she still only has her own seat */
    CHECK(t,
          !enrol(&s, s.cleo, id, &came) && town_refused(&s.w, take(&s, s.seats, s.anna, came, "attend"), "not_found"));
    town_close(&s.w);
}

TESTS(CASE(a_partner_takes_attendance_of_his_own_activities), CASE(residents_see_it_once_it_is_reviewed),
      CASE(one_enrols_in_what_is_published_once_and_while_there_are_seats), CASE(attendance_is_taken_by_the_organiser),
      CASE(what_was_reviewed_stays_as_it_was), CASE(who_comes_back_needs_a_seat_too))
