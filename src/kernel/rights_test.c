/* Who reaches what, where one table of grants meets places, people and days; both stores.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "kernel/kernel_internal.h"
#include "kernel/row_json.h"
#include "tests/lib/kernel_site.h"

#include <string.h>

static void be(struct kernel_site *s, const char *role, int64_t place_id, int64_t person_id) {
    ctx_begin(&s->ctx);
    CHECK(s->t, !test_actor(&s->ctx, role, place_id, person_id, 0));
}

/* May he make a sample of that owner in that community? */
static bool may_make(struct kernel_site *s, int64_t community_id, int64_t owner_id) {
    struct sample row = {.row.community_id = community_id};
    SET(&test_samples, &row, owner_id, owner_id);
    return rights_row(&s->ctx, known_of(s->kernel, &test_samples), CREATE, &row);
}

static void what_is_ones_own_is_made_where_one_belongs(struct t *t) {
    struct kernel_site s;
    kernel_site_open(&s, t, 0);
    be(&s, "resident", s.estate.flat, s.estate.anna);
    CHECK(t, may_make(&s, s.estate.north, s.estate.anna));
    CHECK(t, !may_make(&s, s.estate.south, s.estate.anna));
    CHECK(t, !may_make(&s, s.estate.north, s.estate.ben));
    be(&s, "resident", s.estate.town, s.estate.anna); /* above both */
    CHECK(t, may_make(&s, s.estate.north, s.estate.anna) && may_make(&s, s.estate.south, s.estate.anna));
    kernel_site_close(&s);
}

static bool is_refused(struct kernel_site *s, enum err e, const char *field) {
    const struct fault *f = &s->ctx.fault;
    bool yes = e == ERR_INVALID && f->fields_n == 1 && !strcmp(f->fields[0].field, field);
    yes = yes && !strcmp(f->fields[0].code, "bad_ref");
    s->ctx.fault = (struct fault){0};
    return yes;
}

static enum err move(struct kernel_site *s, int64_t id, int64_t area_id) {
    struct sample moved = {0};
    SET(&test_samples, &moved, area_id, area_id);
    return row_update(&s->ctx, &test_samples, id, 0, &moved, moved.row.has, NULL);
}

/* Whoever moves it, and wherever he may make rows. */
static void a_row_that_is_there_stays_in_its_community(struct t *t) {
    static const char *const movers[] = {"manager", "chief", NULL};
    struct kernel_site s;
    kernel_site_open(&s, t, 0);
    for (size_t i = 0; i < COUNT(movers); i++) {
        int64_t id = kernel_site_sample(&s, S("stays"), 0);
        if (movers[i]) be(&s, movers[i], s.estate.town, 0); /* above both */
        CHECK_SAY(t, !move(&s, id, s.estate.other_house), "%zu: %s", i, s.ctx.fault.text);
        CHECK_SAY(t, is_refused(&s, move(&s, id, s.estate.south_house), "area_id"), "%zu", i);
        kernel_site_later(&s, 1000);
    }
    CHECK(t, kernel_site_count(&s, "SELECT COUNT(DISTINCT community_id) FROM samples") == 1);
    kernel_site_close(&s);
}

/* Its place has come to keep its own records: what is there already goes on where it is. */
static void a_row_whose_place_is_anothers_now_can_be_changed(struct t *t) {
    struct kernel_site s;
    struct sample said = {0};
    kernel_site_open(&s, t, 0);
    int64_t id = kernel_site_sample(&s, S("stays"), 0);
    CHECK(t, !community_put(&s.ctx, s.estate.flat, S("flat"), S("flat"), S("Asia/Shanghai")));
    SET(&test_samples, &said, note, S("still ours"));
    CHECK_SAY(t, !row_update(&s.ctx, &test_samples, id, 0, &said, said.row.has, NULL), "%s", s.ctx.fault.text);
    SET(&test_samples, &said, worker_id, s.estate.ben);
    CHECK_SAY(t, !row_act(&s.ctx, &test_samples, id, 0, "accept", &said, said.row.has, NULL), "%s", s.ctx.fault.text);
    CHECK(t, !move(&s, id, s.estate.other_house));
    CHECK(t, kernel_site_count(&s, "SELECT community_id FROM samples") == s.estate.north);
    kernel_site_close(&s);
}

/* Carl stays in the flat from `from` days to `until` days from today on; who lists him and who reads him? */
static void stays(struct kernel_site *s, int64_t from, int64_t until, size_t expected) {
    int64_t today = kernel_day(&s->ctx, s->estate.north);
    struct list_query q = {.sort = FILTER_ID, .limit = 100};
    struct list_page page;
    struct folk f = {0};
    CHECK(s->t, !db_exec(s->ctx.db, &s->ctx.fault,
                         "UPDATE stays SET place_id = $1, community_id = $2, valid_from = $3, valid_until = $4 WHERE "
                         "folk_id = $5",
                         VALS(V_I64(s->estate.flat), V_I64(s->estate.north), V_I64(today + from), V_I64(today + until),
                              V_I64(s->estate.carl)),
                         NULL));
    static const char *const roles[] = {"chief", "manager", "worker"};
    for (size_t i = 0; i < COUNT(roles); i++) {
        size_t seen = 0;
        be(s, roles[i], s->estate.north, 0);
        CHECK(s->t, !row_list(&s->ctx, &test_folk, &q, &page));
        for (size_t r = 0; r < page.n; r++) seen += ((const struct folk *)page.rows)[r].row.id == s->estate.carl;
        enum err e = row_get(&s->ctx, &test_folk, s->estate.carl, &f);
        CHECK_SAY(s->t, seen == expected && (e == OK) == (expected == 1), "%s, %lld to %lld: listed %zu, read %s",
                  roles[i], (long long)from, (long long)until, seen, err_name(e));
        s->ctx.actor = actor_system();
        ctx_begin(&s->ctx);
    }
}

static void only_stays_in_force_open_a_person(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        kernel_site_open(&s, t, store);
        stays(&s, -10, 10, 1);
        stays(&s, 0, 1, 1);
        stays(&s, -10, 0, 0); /* half-open: not on the day it ends */
        stays(&s, 1, 10, 0);
        kernel_site_close(&s);
    }
}

/* Shanghai is eight hours ahead: there the day of 1790000000000 ms (2026-09-21T14:13:20Z) ends at 16:00Z. */
static void the_day_is_the_communitys_own(struct t *t) {
    struct kernel_site s;
    kernel_site_open(&s, t, 0);
    int64_t day = kernel_day(&s.ctx, s.estate.north), utc = s.ctx.now_ms / 86400000;
    int64_t to_midnight = (utc * 24 + 16) * 3600000 - s.ctx.now_ms;
    CHECK(t, to_midnight > 0 && day == utc);
    kernel_site_later(&s, to_midnight - 1);
    CHECK(t, kernel_day(&s.ctx, s.estate.north) == day);
    kernel_site_later(&s, 1);
    CHECK(t, kernel_day(&s.ctx, s.estate.north) == day + 1 && s.ctx.now_ms / 86400000 == utc);
    kernel_site_close(&s);
}

/* Who registers people sees whom he made until they have a place, and gives them one. */
static void a_person_without_a_place_is_his_makers(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        struct folk f = {0}, seen = {0};
        struct stay stay = {0};
        kernel_site_open(&s, t, store);
        be(&s, "chief", s.estate.north, s.estate.ben);
        SET(&test_folk, &f, name, S("Dora"));
        CHECK_SAY(t, !row_create(&s.ctx, &test_folk, &f), "%s", s.ctx.fault.text);
        CHECK(t, !row_get(&s.ctx, &test_folk, f.row.id, &seen));
        be(&s, "chief", s.estate.south, s.estate.carl);
        CHECK(t, row_get(&s.ctx, &test_folk, f.row.id, &seen) == ERR_NOT_FOUND);
        be(&s, "worker", s.estate.north, s.estate.anna);
        CHECK(t, row_get(&s.ctx, &test_folk, f.row.id, &seen) == ERR_NOT_FOUND);
        CHECK(t, row_create(&s.ctx, &test_folk, &f) == ERR_DENIED);
        be(&s, "chief", s.estate.north, s.estate.ben);
        SET(&test_stays, &stay, folk_id, f.row.id);
        SET(&test_stays, &stay, place_id, s.estate.flat);
        CHECK_SAY(t, !row_create(&s.ctx, &test_stays, &stay), "%s", s.ctx.fault.text);
        CHECK(t, !row_get(&s.ctx, &test_folk, f.row.id, &seen)); /* as one of the estate now */
        CHECK(t, !db_exec(s.ctx.db, &s.ctx.fault, "UPDATE stays SET place_id = $1, community_id = $2 WHERE id = $3",
                          VALS(V_I64(s.estate.south_house), V_I64(s.estate.south), V_I64(stay.row.id)), NULL));
        be(&s, "chief", s.estate.north, s.estate.ben);
        CHECK(t, row_get(&s.ctx, &test_folk, f.row.id, &seen) == ERR_NOT_FOUND); /* and no longer, having moved */
        kernel_site_close(&s);
    }
}

static void a_mask_hides_more_than_it_shows_or_leaves_a_mobile_number_its_ends(struct t *t) {
    static const struct {
        enum field_class class;
        const char *text, *want;
    } rows[] = {
        {IDENTITY, "", "*"},
        {IDENTITY, "王", "*"},
        {IDENTITY, "王芳", "王*"},
        {IDENTITY, "欧阳振华", "欧**"},
        {IDENTITY, "110101199001011234", "1**"},
        {CONTACT, "1", "*"},
        {CONTACT, "鄂A12345", "鄂**"},
        {CONTACT, "鄂AD62190", "鄂A****90"},
        {CONTACT, "12345678", "12****78"},
        {CONTACT, "123456789", "12****89"},
        {CONTACT, "0101234567", "01****567"},
        {CONTACT, "13812345678", "138****5678"},
        {CONTACT, "010123456789", "010****6789"},
        {CONTACT, "+8613812345678", "+86****5678"},
        {HEALTH, "diabetes", "d**"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[64];
        struct buf b;
        struct str got;
        buf_init(&b, mem, sizeof mem);
        mask_text(&b, rows[i].class, str_of(rows[i].text));
        CHECK_SAY(t, buf_done(&b, &got) && str_is(got, rows[i].want), "%s: " STR_FMT, rows[i].text, STR_ARG(got));
    }
}

TESTS(CASE(a_mask_hides_more_than_it_shows_or_leaves_a_mobile_number_its_ends),
      CASE(what_is_ones_own_is_made_where_one_belongs), CASE(a_row_that_is_there_stays_in_its_community),
      CASE(a_row_whose_place_is_anothers_now_can_be_changed), CASE(only_stays_in_force_open_a_person),
      CASE(the_day_is_the_communitys_own), CASE(a_person_without_a_place_is_his_makers))
