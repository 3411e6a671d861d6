/* Who gives which role to whom, and who must stay.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/parties/parties.h"

#include "tests/lib/town.h"

#include <string.h>

static enum err give(struct town *w, int64_t person_id, const char *role, int64_t place_id) {
    struct membership_row m = {0};
    SET(&memberships, &m, person_id, person_id);
    SET(&memberships, &m, role, str_of(role));
    if (place_id) SET(&memberships, &m, place_id, place_id);
    SET(&memberships, &m, valid_from, w->ctx.now_ms / 86400000 - 1);
    return row_create(&w->ctx, &memberships, &m);
}

static void a_role_is_given_by_whoever_appoints_to_it(struct t *t) {
    static const struct {
        const char *role;
        bool street, manager;
    } rows[] = {
        {"admin", false, false}, {"street", false, false},  {"manager", true, false}, {"committee", true, false},
        {"grid", true, false},   {"carer", true, false},    {"doctor", true, false},  {"dispatcher", false, true},
        {"guard", false, true},  {"repairer", false, true}, {"cashier", false, true}, {"device", false, true},
        {"ingest", false, true}, {"partner", true, true},   {"owner", true, true},    {"resident", true, true},
        {"elder", true, true},
    };
    struct town w;
    town_open(&w, t);
    int64_t admin = town_person(&w, "Ada", "admin", 0), street = town_person(&w, "Stan", "street", w.street);
    int64_t manager = town_person(&w, "Mia", "manager", w.estate), anna = town_person(&w, "Anna", "resident", w.unit);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct {
            int64_t person;
            bool may;
        } by[] = {{admin, true}, {street, rows[i].street}, {manager, rows[i].manager}, {anna, false}};
        for (size_t k = 0; k < COUNT(by); k++) {
            town_as(&w, by[k].person);
            enum err e = give(&w, anna, rows[i].role, w.estate);
            CHECK_SAY(t, e == (by[k].may ? OK : ERR_DENIED), "%s by %zu: %s %s", rows[i].role, k,
                      e ? err_name(e) : "ok", w.ctx.fault.text);
            w.ctx.fault = (struct fault){0};
        }
    }
    struct str rest = S(PARTY_ROLES), part;
    size_t roles = 0;
    while (str_word(&rest, &part)) roles++;
    CHECK(t, roles == COUNT(rows));
    town_close(&w);
}

static void nobody_gives_himself_a_role(struct t *t) {
    struct town w;
    town_open(&w, t);
    int64_t admin = town_person(&w, "Ada", "admin", 0), manager = town_person(&w, "Mia", "manager", w.estate);
    town_as(&w, manager);
    CHECK(t, town_refused(&w, give(&w, manager, "guard", w.estate), "not_allowed"));
    town_as(&w, admin);
    CHECK(t, town_refused(&w, give(&w, admin, "manager", w.estate), "not_allowed"));
    CHECK(t, !give(&w, manager, "manager", w.other_estate));
    town_close(&w);
}

static void a_role_is_ended_by_whoever_gives_it_and_one_s_own_by_oneself(struct t *t) {
    struct town w;
    town_open(&w, t);
    int64_t manager = town_person(&w, "Mia", "manager", w.estate),
            cora = town_person(&w, "Cora", "committee", w.estate);
    int64_t watch = town_member(&w, cora, "committee", w.building), guard = town_member(&w, cora, "guard", w.estate);
    int64_t own = town_member(&w, manager, "guard", w.building);
    struct membership_row m = {0};
    town_as(&w, manager);
    CHECK(t, town_refused(&w, row_archive(&w.ctx, &memberships, watch, 0), "not_allowed"));
    CHECK(t, !row_archive(&w.ctx, &memberships, guard, 0));
    CHECK(t, !row_restore(&w.ctx, &memberships, guard, 0, NULL));
    CHECK(t, !row_archive(&w.ctx, &memberships, own, 0));
    CHECK(t, town_refused(&w, row_restore(&w.ctx, &memberships, own, 0, NULL), "not_allowed"));
    SET(&memberships, &m, valid_until, 99999);
    CHECK(t, town_refused(&w,
                          row_update(&w.ctx, &memberships, watch, 0, &m,
                                     UINT64_C(1) << field_index(&memberships, "valid_until"), NULL),
                          "not_allowed"));
    town_close(&w);
}

/* A role held in one estate appoints nobody in another where one holds a lesser one. */
static void who_appoints_here_does_not_there(struct t *t) {
    struct town w;
    town_open(&w, t);
    int64_t mia = town_person(&w, "Mia", "manager", w.estate), anna = town_person(&w, "Anna", "resident", w.unit);
    town_member(&w, mia, "street", w.other_estate);
    town_as(&w, mia);
    CHECK(t, town_refused(&w, give(&w, anna, "doctor", w.estate), "not_allowed"));
    CHECK(t, town_refused(&w, give(&w, anna, "guard", w.other_estate), "not_allowed"));
    CHECK(t, !give(&w, anna, "guard", w.estate));
    town_close(&w);
}

static void the_last_administrator_keeps_his_role(struct t *t) {
    struct town w;
    struct membership_row m = {0};
    town_open(&w, t);
    int64_t ada = town_person(&w, "Ada", "admin", 0), first = town_count(&w, "SELECT MAX(id) FROM memberships");
    uint64_t until = UINT64_C(1) << field_index(&memberships, "valid_until");
    SET(&memberships, &m, valid_until, kernel_day(&w.ctx, 0));
    town_as(&w, ada);
    CHECK(t, town_refused(&w, row_archive(&w.ctx, &memberships, first, 0), "last_admin"));
    CHECK(t, town_refused(&w, row_update(&w.ctx, &memberships, first, 0, &m, until, NULL), "last_admin"));
    m.valid_until++; /* nor from some day on */
    CHECK(t, town_refused(&w, row_update(&w.ctx, &memberships, first, 0, &m, until, NULL), "last_admin"));
    m.valid_until--;
    CHECK(t, town_refused(&w, row_archive(&w.ctx, &people, ada, 0), "last_admin"));
    int64_t ben = town_person(&w, "Ben", "admin", 0);
    town_as(&w, ben);
    CHECK(t, !row_update(&w.ctx, &memberships, first, 0, &m, until, NULL));
    CHECK(t, town_refused(&w, row_archive(&w.ctx, &people, ben, 0), "last_admin"));
    CHECK(t, !row_archive(&w.ctx, &people, ada, 0));
    town_close(&w);
}

static void oneself_is_seen_plainly_and_others_are_masked(struct t *t) {
    static const char *const roles[] = {"admin", "street", "manager", "guard", "committee", "owner"};
    struct town w;
    town_open(&w, t);
    int64_t other = town_person(&w, "Anna", "resident", w.unit);
    for (size_t i = 0; i < COUNT(roles); i++) {
        int64_t place = i ? w.estate : 0, self = town_person(&w, "Somebody", roles[i], place);
        struct str labels[2];
        town_as(&w, self);
        CHECK(t, !row_labels(&w.ctx, &people, (const int64_t[]){self, other}, 2, labels));
        CHECK_SAY(t, str_is(labels[0], "Somebody") && str_is(labels[1], "A**"), "%s: " STR_FMT " " STR_FMT, roles[i],
                  STR_ARG(labels[0]), STR_ARG(labels[1]));
    }
    town_close(&w);
}

static void the_same_on_postgresql(struct t *t) {
    town_on_postgres(t, a_role_is_given_by_whoever_appoints_to_it);
    town_on_postgres(t, the_last_administrator_keeps_his_role);
}

TESTS(CASE(a_role_is_given_by_whoever_appoints_to_it), CASE(nobody_gives_himself_a_role),
      CASE(a_role_is_ended_by_whoever_gives_it_and_one_s_own_by_oneself), CASE(who_appoints_here_does_not_there),
      CASE(the_last_administrator_keeps_his_role), CASE(oneself_is_seen_plainly_and_others_are_masked),
      CASE(the_same_on_postgresql))
