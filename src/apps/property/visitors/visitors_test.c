/* Visitors: a pass opens the gate inside its window only, and is for those it concerns.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "apps/property/visitors/visitors.h"

#include "kernel/row_json.h"
#include "tests/lib/town.h"

#include <stdio.h>

#include <string.h>

#define HOUR_MS INT64_C(3600000)

struct site {
    struct town w;
    const struct resource *visits;
    int64_t anna, ben, guard, other_guard;
};

static void start(struct site *s, struct t *t) {
    town_open(&s->w, t);
    s->visits = kernel_resource(s->w.kernel, S("visits"));
    s->anna = town_person(&s->w, "Anna", "resident", s->w.unit);
    s->ben = town_person(&s->w, "Ben", "resident", s->w.unit);
    s->guard = town_person(&s->w, "Gus", "guard", s->w.estate);
    s->other_guard = town_person(&s->w, "Gil", "guard", s->w.other_estate);
}

/* Invites for [from, until) after now. */
static enum err invite(struct site *s, int64_t who, int64_t from_ms, int64_t until_ms, int64_t *ret_id) {
    struct row *row = row_new(&s->w.ctx, s->visits);
    int64_t now = s->w.ctx.now_ms;
    uint64_t fields;
    town_as(&s->w, who);
    json_t *o = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", "name", "Vera", "phone", "13812345678", "purpose", "family",
                          "place_id", (json_int_t)s->w.unit, "from_ms", (json_int_t)(now + from_ms), "until_ms",
                          (json_int_t)(now + until_ms));
    enum err e = row_read_json(&s->w.ctx, s->visits, o, fields_creatable(s->visits), row, &fields);
    json_decref(o);
    if (!e) e = row_create(&s->w.ctx, s->visits, row);
    *ret_id = row->id;
    return e;
}

/* To a unit, 0: says none. */
static enum err invite_to(struct site *s, int64_t who, int64_t unit, int64_t *ret_place) {
    struct row *row = row_new(&s->w.ctx, s->visits);
    int64_t now = s->w.ctx.now_ms;
    uint64_t fields;
    town_as(&s->w, who);
    json_t *o = json_pack("{s:s,s:s,s:I,s:I}", "name", "Vera", "purpose", "family", "from_ms", (json_int_t)now,
                          "until_ms", (json_int_t)(now + HOUR_MS));
    if (unit) (void)json_object_set_new(o, "place_id", json_integer((json_int_t)unit));
    enum err e = row_read_json(&s->w.ctx, s->visits, o, fields_creatable(s->visits), row, &fields);
    json_decref(o);
    if (!e) e = row_create(&s->w.ctx, s->visits, row);
    if (!e) *ret_place = *(int64_t *)(void *)((char *)row + s->visits->fields[field_index(s->visits, "place_id")].at);
    return e;
}

static enum err take(struct site *s, int64_t who, int64_t id, const char *step) {
    town_as(&s->w, who);
    return row_act(&s->w.ctx, s->visits, id, 0, step, NULL, 0, NULL);
}

static int64_t in_state(struct site *s, const char *state) {
    char sql[80];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM visits WHERE state = '%s'", state);
    return town_count(&s->w, sql);
}

static void a_pass_opens_only_inside_its_window(struct t *t) {
    static const struct {
        int64_t after_ms;
        const char *refused; /* NULL: it opens */
    } rows[] = {{HOUR_MS - 1, "not_now"}, {HOUR_MS, NULL}, {2 * HOUR_MS - 1, NULL}, {2 * HOUR_MS, "not_now"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        int64_t id;
        start(&s, t);
        CHECK(t, !invite(&s, s.anna, HOUR_MS, 2 * HOUR_MS, &id) && !take(&s, s.anna, id, "approve"));
        world_sim_advance(&t->sim, rows[i].after_ms);
        ctx_begin(&s.w.ctx); /* the timer that ends the pass has not run yet */
        enum err e = take(&s, s.guard, id, "enter");
        CHECK_SAY(t, rows[i].refused ? town_refused(&s.w, e, rows[i].refused) : !e, "%zu: %s", i, s.w.ctx.fault.code);
        town_close(&s.w);
    }
}

static void a_pass_nobody_used_expires_with_its_window(struct t *t) {
    struct site s;
    int64_t asked = 0, approved = 0, inside = 0;
    start(&s, t);
    CHECK(t, !invite(&s, s.anna, 0, HOUR_MS, &asked) && !invite(&s, s.anna, 0, HOUR_MS, &approved) &&
                 !invite(&s, s.anna, 0, HOUR_MS, &inside));
    CHECK(t, !take(&s, s.anna, approved, "approve") && !take(&s, s.anna, inside, "approve") &&
                 !take(&s, s.guard, inside, "enter"));
    town_pass(&s.w, HOUR_MS - 1);
    CHECK(t, in_state(&s, "expired") == 0);
    town_pass(&s.w, 1);
    CHECK(t, in_state(&s, "expired") == 2 && in_state(&s, "inside") == 1); /* who is in goes when he goes */
    CHECK(t, !take(&s, s.guard, inside, "leave"));
    town_close(&s.w);
}

static void a_visit_concerns_its_host_and_the_gate_only(struct t *t) {
    struct site s;
    int64_t id;
    start(&s, t);
    struct row *row = row_new(&s.w.ctx, s.visits);
    CHECK(t, !invite(&s, s.anna, 0, HOUR_MS, &id));
    CHECK(t, town_refused(&s.w, take(&s, s.ben, id, "approve"), "not_found"));
    CHECK(t, town_refused(&s.w, take(&s, s.other_guard, id, "approve"), "not_found"));
    CHECK(t, !take(&s, s.anna, id, "approve"));
    CHECK(t, town_refused(&s.w, take(&s, s.anna, id, "enter"), "not_allowed")); /* the gate opens it */
    town_as(&s.w, s.guard);
    CHECK(t, !row_get(&s.w.ctx, s.visits, id, row));
    uint32_t clear = row_clear_classes(&s.w.ctx, s.visits, row), may = row_reveal_classes(&s.w.ctx, s.visits, row);
    CHECK(t, clear == IDENTITY && may == CONTACT); /* a name to greet; the phone for a reason */
    town_close(&s.w);
}

static void a_window_is_forward_and_at_most_a_month(struct t *t) {
    static const int64_t month = INT64_C(31) * 24 * HOUR_MS;
    struct site s;
    int64_t id;
    start(&s, t);
    CHECK(t, town_refused(&s.w, invite(&s, s.anna, HOUR_MS, HOUR_MS, &id), "not_after"));
    CHECK(t, !invite(&s, s.anna, 0, month, &id));
    CHECK(t, town_refused(&s.w, invite(&s, s.anna, 0, month + 1, &id), "too_large"));
    town_close(&s.w);
}

static void one_invites_to_ones_own_unit(struct t *t) {
    struct site s;
    int64_t place = 0;
    start(&s, t);
    int64_t next_door = town_place(&s.w, "102", "unit", s.w.building);
    int64_t elder = town_person(&s.w, "Ella", "elder", next_door);
    CHECK(t, !invite_to(&s, s.anna, s.w.unit, &place) && place == s.w.unit);
    CHECK(t, town_refused(&s.w, invite_to(&s, s.anna, next_door, &place), "bad_ref"));
    CHECK(t, town_refused(&s.w, invite_to(&s, s.anna, s.w.estate, &place), "bad_ref"));
    CHECK(t, !invite_to(&s, elder, 0, &place) && place == next_door);
    town_member(&s.w, elder, "owner", s.w.unit); /* of two units it must be said which */
    CHECK(t, town_refused(&s.w, invite_to(&s, elder, 0, &place), "required"));
    CHECK(t, !invite_to(&s, elder, s.w.unit, &place) && place == s.w.unit);
    town_close(&s.w);
}

static enum err rename_to(struct site *s, int64_t who, int64_t id, const char *name) {
    struct row *row = row_new(&s->w.ctx, s->visits);
    uint64_t fields;
    town_as(&s->w, who);
    json_t *o = json_pack("{s:s}", "name", name);
    enum err e = row_read_json(&s->w.ctx, s->visits, o, ~UINT64_C(0), row, &fields);
    json_decref(o);
    return e ? e : row_update(&s->w.ctx, s->visits, id, 0, row, fields, NULL);
}

static void what_was_approved_is_what_comes_in(struct t *t) {
    struct site s;
    int64_t id = 0, other = 0;
    start(&s, t);
    int64_t desk = town_person(&s.w, "Mia", "manager", s.w.estate);
    CHECK(t, !invite(&s, s.anna, 0, HOUR_MS, &id) && !invite(&s, s.anna, 0, HOUR_MS, &other));
    CHECK(t, !rename_to(&s, s.anna, id, "Vera B."));
    CHECK(t, !take(&s, s.guard, id, "approve"));
    CHECK(t, town_refused(&s.w, rename_to(&s, s.anna, id, "Walt"), "wrong_state"));
    CHECK(t, !take(&s, s.guard, id, "enter") && !take(&s, s.guard, id, "leave"));
    CHECK(t, town_refused(&s.w, rename_to(&s, s.anna, id, "Walt"), "wrong_state"));
    CHECK(t, !rename_to(&s, desk, id, "Vera C."));
    CHECK(t, !take(&s, s.guard, other, "approve"));
    CHECK(t,
          town_refused(&s.w, take(&s, s.anna, other, "refuse"), "required")); /* it may be withdrawn, with a reason */
    town_close(&s.w);
}

TESTS(CASE(one_invites_to_ones_own_unit), CASE(what_was_approved_is_what_comes_in),
      CASE(a_pass_opens_only_inside_its_window), CASE(a_pass_nobody_used_expires_with_its_window),
      CASE(a_visit_concerns_its_host_and_the_gate_only), CASE(a_window_is_forward_and_at_most_a_month))
