/* Places: a hierarchy redrawn changes who sees what, on its day; nothing is left under what is put away.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/places/places.h"

#include "platform/cases/cases.h"
#include "tests/lib/town.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define MANY   600 /* more than a page of the nightly closing, twice */

/* The links are rows of the module's own. */
struct link {
    struct row row;
    int64_t place_id, parent_id, valid_from, valid_until;
    struct str hierarchy;
};
static const struct resource *links;

/* From that day on the place stands under another. */
static void move(struct town *w, int64_t place, const char *hierarchy, int64_t to, int64_t day) {
    struct link next = {0};
    town_as(w, 0);
    SET(links, &next, place_id, place);
    SET(links, &next, parent_id, to);
    SET(links, &next, hierarchy, str_of(hierarchy));
    SET(links, &next, valid_from, day);
    enum err e = row_create(&w->ctx, links, &next);
    CHECK_SAY(w->t, !e, "%s %s", w->ctx.fault.text, w->ctx.fault.fields[0].code);
}

static void night(struct town *w) {
    town_pass(w, DAY_MS);
    town_as(w, 0);
    CHECK(w->t, !places_module.jobs[0].run(&w->ctx));
}

static void start(struct town *w, struct t *t) {
    town_open(w, t);
    links = kernel_resource(w->kernel, S("place_parents"));
}

static int64_t case_at(struct town *w, int64_t place) {
    struct case_row c = {0};
    town_as(w, 0);
    SET(&cases, &c, title, S("lamp"));
    SET(&cases, &c, type, S("repair"));
    SET(&cases, &c, place_id, place);
    CHECK(w->t, !row_create(&w->ctx, &cases, &c));
    return c.row.id;
}

static bool sees(struct town *w, int64_t who, int64_t id) {
    struct case_row c = {0};
    town_as(w, who);
    enum err e = row_get(&w->ctx, &cases, id, &c);
    w->ctx.fault = (struct fault){0};
    struct list_query q = {.sort = FILTER_ID, .limit = 10};
    struct list_page page = {0};
    CHECK(w->t, !row_list(&w->ctx, &cases, &q, &page));
    CHECK(w->t, (page.n > 0) == !e); /* the list and the row agree */
    return !e;
}

static int64_t grid_of(struct town *w, const char *name) {
    struct place p = {0};
    town_as(w, 0);
    SET(&places, &p, name, str_of(name));
    SET(&places, &p, kind, S("grid"));
    SET(&places, &p, admin_parent_id, w->street);
    CHECK(w->t, !row_create(&w->ctx, &places, &p));
    return p.row.id;
}

static void a_grid_redrawn_changes_who_sees_what_on_its_day(struct t *t) {
    struct town w;
    struct place p = {0};
    start(&w, t);
    int64_t east = grid_of(&w, "east"), west = grid_of(&w, "west");
    SET(&places, &p, name, S("tower"));
    SET(&places, &p, kind, S("building"));
    SET(&places, &p, parent_id, w.estate);
    SET(&places, &p, admin_parent_id, east);
    CHECK(t, !row_create(&w.ctx, &places, &p));
    int64_t flat = town_place(&w, "flat", "unit", p.row.id), id = case_at(&w, flat);
    int64_t eva = town_person(&w, "Eva", "grid", east), wen = town_person(&w, "Wen", "grid", west);
    int64_t mia = town_person(&w, "Mia", "manager", w.estate);
    CHECK(t, sees(&w, eva, id) && !sees(&w, wen, id) && sees(&w, mia, id));
    move(&w, p.row.id, "administrative", west, kernel_day(&w.ctx, w.estate) + 2);
    CHECK(t, sees(&w, eva, id) && !sees(&w, wen, id));
    night(&w);
    CHECK(t, sees(&w, eva, id) && !sees(&w, wen, id));
    night(&w);
    CHECK(t, !sees(&w, eva, id) && sees(&w, wen, id) && sees(&w, mia, id));
    town_close(&w);
}

static void what_stands_under_a_place_moves_with_it(struct t *t) {
    struct town w;
    start(&w, t);
    int64_t block = town_place(&w, "block", "building", w.estate), id = case_at(&w, w.unit);
    int64_t wen = town_person(&w, "Wen", "grid", block), ann = town_person(&w, "Ann", "grid", w.building);
    CHECK(t, sees(&w, ann, id) && !sees(&w, wen, id));
    night(&w);
    move(&w, w.building, "property", block, kernel_day(&w.ctx, w.estate));
    CHECK(t, sees(&w, ann, id) && sees(&w, wen, id)); /* today's change at once */
    town_close(&w);
}

static void a_night_with_many_changes_leaves_none_behind(struct t *t) {
    struct town w;
    char sql[160], name[32];
    int64_t rooms[MANY];
    start(&w, t);
    int64_t to = town_place(&w, "annex", "building", w.estate);
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM place_closure WHERE ancestor = %lld AND depth = 1", (long long)to);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "room %d", i);
        rooms[i] = town_place(&w, name, "room", w.building);
    }
    town_pass(&w, 5 * DAY_MS); /* what was built then is not of this night */
    for (int i = 0; i < MANY; i++) move(&w, rooms[i], "property", to, kernel_day(&w.ctx, w.estate) + 1);
    CHECK(t, town_count(&w, sql) == 0);
    night(&w);
    CHECK_SAY(t, town_count(&w, sql) == MANY, "%lld", (long long)town_count(&w, sql));
    town_close(&w);
}

static void a_place_is_not_put_away_over_others(struct t *t) {
    struct town w;
    start(&w, t);
    town_as(&w, town_person(&w, "Mia", "manager", w.estate));
    CHECK(t, town_refused(&w, row_archive(&w.ctx, &places, w.building, 0), "has_places"));
    CHECK(t, !row_archive(&w.ctx, &places, w.unit, 0));
    CHECK(t, !row_archive(&w.ctx, &places, w.building, 0));
    CHECK(t, town_refused(&w, row_restore(&w.ctx, &places, w.unit, 0, NULL), "under_archived"));
    CHECK(t, !row_restore(&w.ctx, &places, w.building, 0, NULL));
    CHECK(t, !row_restore(&w.ctx, &places, w.unit, 0, NULL));
    town_close(&w);
}

static void a_ring_is_refused(struct t *t) {
    struct town w;
    struct link l = {0};
    start(&w, t);
    SET(links, &l, place_id, w.street);
    SET(links, &l, parent_id, w.unit);
    SET(links, &l, hierarchy, S("property"));
    SET(links, &l, valid_from, kernel_day(&w.ctx, w.street));
    CHECK(t, town_refused(&w, row_create(&w.ctx, links, &l), "ring"));
    town_close(&w);
}

static void the_same_on_postgresql(struct t *t) {
    town_on_postgres(t, a_grid_redrawn_changes_who_sees_what_on_its_day);
    town_on_postgres(t, what_stands_under_a_place_moves_with_it);
    town_on_postgres(t, a_place_is_not_put_away_over_others);
}

TESTS(CASE(a_grid_redrawn_changes_who_sees_what_on_its_day), CASE(what_stands_under_a_place_moves_with_it),
      CASE(a_night_with_many_changes_leaves_none_behind), CASE(a_place_is_not_put_away_over_others),
      CASE(a_ring_is_refused), CASE(the_same_on_postgresql))
